/* Building the page. Text becomes text nodes and nothing else: there is no way from data to markup here. */

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  good: "M3.5 8.5l3 3 6-7",
  bad: "M4.5 4.5l7 7m0-7l-7 7",
  waiting: "M8 4.5V8l2.5 1.5M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2",
  running: "M8 2a6 6 0 1 1-6 6",
  neutral: "M8 7.5v3.5M8 5v.2M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2",
  private: "M2 8s2-4 6-4 6 4 6 4-2 4-6 4-6-4-6-4m6-1.6a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2",
  warning: "M8 6.5V9m0 2v.2M8 2.5l6 10.5H2z",
  star: "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4-2.9-2.8 4-.6z",
  send: "M2.5 8h11M9 3.5L13.5 8 9 12.5",
  close: "M4 4l8 8m0-8l-8 8",
};

/** Make an element. Attributes named `on…` are listeners; false and null ones are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat().filter((child) => child || child === 0));
  return node;
}

/** Draw one of ICONS; it says nothing to a screen reader, so words always stand beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon sign-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Paint somebody's initials onto an avatar, in a colour that is always the same for them. */
export function face(node, name) {
  let hue = 0;
  for (const char of name) hue = (hue * 31 + char.codePointAt(0)) % 360;
  node.style.setProperty("--hue", hue);
  const words = name.trim().split(/\s+/);
  node.textContent = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => word.slice(0, 1)).join("");
  return node;
}

const RISKS = {
  read: ["reads only", "private"],
  change: ["changes things", "neutral"],
  destructive: ["can't be undone", "warning"],
  unclassified: ["not classified yet", "warning"],
};

/** Return the badge of a risk, given by its name or by what people call it; null for a word that is none. */
export function risk(word) {
  const found = Object.entries(RISKS).find(([name, [label]]) => word === name || word === label);
  if (!found) return null;
  const [name, [label, sign]] = found;
  return el("span", { class: `risk ${name}` }, icon(sign), label);
}
