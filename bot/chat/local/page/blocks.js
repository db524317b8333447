/* The blocks of a card: words, output, changes, tables, menus, and private results. */

import { address, Failure, get } from "./api.js";
import { el, icon } from "./dom.js";

const FOLD = 14; // lines of output that are shown at once
const LONG = 32; // characters from which on a cell's text may wrap
const SOME = 18; // characters of a cell that stays on one line where there is room
const NUMBER = /^[-+]?\d+(,\d{3})*(\.\d+)?( ?(%|bytes?|B|[kKMGTPE]i?B|ms|s|min|h|days?))?$/;
const SIGNS = { "+": "added", "-": "removed", "@": "place" }; // lines of a unified diff by their first letter
const NONE = "–"; // a cell without a value
const ENTRY = /^AUD-\d{6,12}-[0-9a-f]{6}$/;
const RUN = /^R-[0-9A-Z]{8}$/;

/** Draw a block. `view` keeps across updates what the reader opened; `acts` as in card.js. */
export function block(data, index, card, view, acts) {
  const kinds = { table, hidden, menu, page, text: data.title ? change : data.code ? output : words };
  return kinds[data.kind](data, index, card, view, acts);
}

/** Draw a text that may be a reference: a run or an audit entry opens when pressed. */
export function reference(text, acts, id = text) {
  if (ENTRY.test(text)) return link(text, "Open the audit entry", () => acts.audit(text), id);
  if (RUN.test(text)) return link(text, "Show this run", () => acts.status(text), id);
  return text;
}

function link(text, title, onclick, id) {
  return el("button", { type: "button", class: "link code", "data-id": id, title, onclick }, text);
}

function words(data) {
  return el("p", { class: "words" }, data.text);
}

/** Draw a page to open; its address is Deputy's own. */
function page(data) {
  return el("p", { class: "words" },
    el("a", { href: data.address, target: "_blank", rel: "noopener noreferrer" }, data.label));
}

/** Draw lines of output, the first few of many. */
function output(data, index, card, view, acts) {
  const lines = data.text.split("\n");
  const folds = lines.length > FOLD + 2;
  const open = view.open.has(index);
  const toggle = () => {
    if (!view.open.delete(index)) view.open.add(index);
    acts.redraw();
  };
  return el("div", { class: "output" },
    el("pre", { tabindex: "0", role: "region", "aria-label": "Output" },
      folds && !open ? lines.slice(0, FOLD).join("\n") : data.text),
    (folds || data.cut) && el("div", { class: "under" },
      folds && el("button", {
        type: "button", class: "link", "data-id": `fold-${index}`, "aria-expanded": String(open), onclick: toggle,
      }, open ? "Show less" : `Show ${data.cut ? "" : "all "}${lines.length} lines`),
      data.cut && (open || !folds) && el("span", {}, "There is more than fits here."),
      data.cut && all(card.run)));
}

/** Draw how a script has changed, folded under what can be said of it in a line. */
function change(data, index, card, view, acts) {
  const open = view.open.has(index);
  const toggle = () => {
    if (!view.open.delete(index)) view.open.add(index);
    acts.redraw();
  };
  const line = (text) => el("span", { class: SIGNS[text[0]] ?? null }, `${text}\n`);
  return el("div", { class: "output change" },
    el("button", {
      type: "button", class: "link", "data-id": `change-${index}`, "aria-expanded": String(open), onclick: toggle,
    }, data.title),
    open && el("pre", { tabindex: "0", role: "region", "aria-label": data.title }, data.text.split("\n").map(line)),
    open && data.cut && el("div", { class: "under" },
      el("span", {}, "There is more than fits here."),
      card.run && // a comparison is of two runs, and kept nowhere
        el("a", { href: address(`/raw/${card.run}/changes`), target: "_blank", rel: "noopener" }, "Open all of it")));
}

/** Draw a table; one without heads is a list of names and values. */
function table(data, index, card, view, acts) {
  const width = Math.max(data.heads.length, ...data.rows.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, at) => data.rows.map((row) => row[at] ?? ""));
  const named = data.heads.length > 0;
  const numeric = columns.map((texts) => named && numbers(texts));
  const length = (text) => (text.length > LONG ? "long" : text.length > SOME && "some");
  const marks = (text, at) => [numeric[at] && "number", named && length(text)].filter(Boolean).join(" ");
  const head = (text, at) => el("th", { scope: "col", class: numeric[at] && "number" }, text);
  const cell = (row) => (text, at) => (!named && at === 0 && width > 1
    ? el("th", { scope: "row" }, text)
    : el("td", { class: marks(text, at) || null }, reference(text, acts, `${index}-${row}-${at}`)));
  const left = data.cut === 1 ? "One more row is" : `${data.cut.toLocaleString("en")} more rows are`;
  return el("div", { class: "output" },
    el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table" },
      el("table", { class: named && width === 2 && "pair" },
        named && el("thead", {}, el("tr", {}, data.heads.map(head))),
        el("tbody", {}, data.rows.map((row, at) => el("tr", {}, row.map(cell(at))))))),
    data.cut > 0 && el("div", { class: "under" }, el("span", {}, `${left} not shown.`), all(card.run)));
}

function numbers(texts) {
  const given = texts.filter((text) => text !== NONE);
  return given.length > 0 && given.every((text) => NUMBER.test(text));
}

function all(run) {
  return run && el("a", { href: address(`/raw/${run}`), target: "_blank", rel: "noopener" }, "Open all of it");
}

/** Draw actions to choose from; what the reader typed in the card's filter leaves out the rest. */
function menu(data, index, card, view, acts) {
  const wanted = view.filter.toLowerCase().trim();
  const fits = (item) => `${item.subject} ${item.label} ${item.detail}`.toLowerCase().includes(wanted);
  const items = data.items.filter(fits);
  if (items.length === 0) return null;
  const press = (item) => acts.press({ verb: "open", subject: item.subject, label: item.label }, "");
  return el("section", { class: "menu", "aria-label": data.heading },
    el("h4", {}, data.heading),
    el("div", {}, items.map((item) => el("div", { class: "item" },
      el("button", {
        type: "button", "data-id": `menu-${index}-${item.subject}`, disabled: view.busy !== "", onclick: () => press(item),
      },
      el("strong", {}, item.label),
      el("span", { class: "detail" }, item.detail),
      el("span", { class: "note" }, item.note)),
      star(item, index, acts)))));
}

/** Draw what marks an action as a favourite of its reader's. */
function star(item, index, acts) {
  return el("button", {
    type: "button", class: "mark-favourite", "data-id": `star-${index}-${item.subject}`,
    "aria-pressed": String(item.favourite), "aria-label": `Favourite: ${item.label}`,
    title: item.favourite ? "Take it out of your favourites" : "Make it a favourite: it comes first in your menu",
    onclick: () => acts.favour(item),
  }, icon("star"));
}

/** Draw a private result: covered until its reader asks, fetched only then. */
function hidden(data, index, card, view, acts) {
  const text = view.shown.get(index);
  const show = async () => {
    try {
      view.shown.set(index, (await get(`/api/output/${data.run}`)).text);
      view.notice = "";
    } catch (failure) {
      view.notice = failure instanceof Failure ? failure.message : "Deputy doesn't answer. Try again in a moment.";
    }
    acts.redraw(`hide-${index}`);
  };
  const hide = () => {
    view.shown.delete(index);
    acts.redraw(`show-${index}`);
  };
  const copy = async (event) => {
    await navigator.clipboard.writeText(text);
    event.target.textContent = "Copied";
  };
  const press = (id, label, onclick) => el("button", { type: "button", "data-id": `${id}-${index}`, onclick }, label);
  return el("div", { class: "secret" },
    el("p", { class: "mark" }, icon("private"), "Only you see this"),
    text === undefined
      ? el("div", { class: "cover" },
        el("span", { "aria-hidden": "true" }, "••••••••••••"), press("show", "Show the result", show))
      : [el("pre", { tabindex: "0", role: "region", "aria-label": "Private result" }, text),
         el("div", { class: "under" }, press("copy", "Copy", copy), press("hide", "Hide", hide))]);
}
