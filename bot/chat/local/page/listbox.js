/* A list of options under a text box (WAI-ARIA listbox pattern): the focus stays in the box. */

import { el } from "./dom.js";

/** Offers options `{text, label, detail}`; `take(option)` is called for the chosen one. */
export class Listbox {
  constructor(input, list, take) {
    Object.assign(this, { input, list, take, options: [], active: -1 });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    input.addEventListener("blur", () => this.hide());
  }

  show(options) {
    this.options = options;
    this.list.replaceChildren(...options.map((option, at) => this.option(option, at)));
    this.list.hidden = options.length === 0;
    this.choose(-1);
    this.tell();
  }

  hide() {
    if (!this.list.hidden) this.show([]);
  }

  /** Take a key; return whether it was for the list. Enter takes only what was chosen with the arrows. */
  key(event) {
    if (this.list.hidden) return false;
    const chosen = this.options[this.active];
    if (event.key === "ArrowDown") this.choose(this.active + 1);
    else if (event.key === "ArrowUp") this.choose(this.active - 1);
    else if (event.key === "Escape") this.hide();
    else if (event.key === "Tab" && !event.shiftKey) this.pick(chosen ?? this.options[0]);
    else if (event.key === "Enter" && chosen) this.pick(chosen);
    else return false;
    event.preventDefault();
    return true;
  }

  choose(at) {
    const count = this.options.length;
    this.active = at < -1 ? count - 1 : at >= count ? -1 : at;
    const nodes = [...this.list.children];
    nodes.forEach((one, index) => one.setAttribute("aria-selected", String(index === this.active)));
    const node = nodes[this.active];
    node?.scrollIntoView({ block: "nearest" });
    if (node) this.input.setAttribute("aria-activedescendant", node.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  pick(option) {
    this.hide();
    this.take(option);
  }

  option(option, at) {
    return el("li", {
      id: `${this.list.id}-${at}`, role: "option", "aria-selected": "false", onclick: () => this.pick(option),
    },
      el("span", { class: "label" }, option.label), option.detail && el("span", { class: "detail" }, option.detail));
  }

  tell() {
    const combo = this.input.getAttribute("role") === "combobox";
    if (combo) this.input.setAttribute("aria-expanded", String(!this.list.hidden));
  }
}
