/* Inputs, one for each kind of parameter. Each is made with `described`, the ids of what explains it. */

import { el } from "./dom.js";
import { Listbox } from "./listbox.js";

const MANY = 12; // choices from which on one filters instead of scrolling

/**
 * Make the input of a field: `{node, read}`, where `read()` gives its value, or undefined for none.
 * `field.bare` says that it has no default.
 */
export function input(field, id, described) {
  const common = {
    id, name: field.name, required: field.required,
    "aria-describedby": described || null, "aria-invalid": field.fault ? "true" : null,
  };
  const make = KINDS[field.kind] ?? line;
  return make(field, common);
}

const KINDS = { text: area, list: area, boolean: yesOrNo, choice, credential: choice, datetime: moment };
const TYPES = { date: "date", secret: "password" };
const MODES = { integer: "numeric", number: "decimal" };

function line(field, common) {
  const secret = field.kind === "secret";
  const node = el("input", {
    ...common, type: TYPES[field.kind] ?? "text", inputmode: MODES[field.kind],
    value: field.value ?? "", autocomplete: secret ? "new-password" : "off", spellcheck: "false",
  });
  return { node, read: () => node.value || undefined };
}

function area(field, common) {
  const text = Array.isArray(field.value) ? field.value.join("\n") : field.value ?? "";
  const node = el("textarea", { ...common, rows: "3", spellcheck: String(field.kind === "text") }, String(text));
  return { node, read: () => node.value || undefined };
}

/** A moment is typed in the reader's own time and sent with its offset. */
function moment(field, common) {
  const given = field.value ? new Date(field.value) : null;
  const sound = given && !Number.isNaN(given.getTime());
  const shifted = sound && new Date(given.getTime() - given.getTimezoneOffset() * 60_000);
  const local = sound ? shifted.toISOString().slice(0, 16) : "";
  const node = el("input", { ...common, type: "datetime-local", value: local });
  return { node, read: () => (node.value ? new Date(node.value).toISOString() : undefined) };
}

function yesOrNo(field, common) {
  const { id, name } = common;
  const options = [["Yes", "true"], ["No", "false"]];
  if (field.bare && !field.required) options.unshift(["Not set", ""]);
  const given = field.value === null || field.value === undefined ? "" : String(field.value).toLowerCase();
  const radios = options.map(([label, value], at) => el("label", {},
    el("input", { type: "radio", name, value, id: at ? `${id}-${at}` : id, checked: value === given }), label));
  const node = el("div", {
    class: "segments", role: "radiogroup", "aria-labelledby": `${id}-label`,
    "aria-describedby": common["aria-describedby"], "aria-invalid": common["aria-invalid"],
  }, radios);
  const read = () => ({ true: true, false: false })[node.querySelector("input:checked")?.value];
  return { node, read };
}

function choice(field, common) {
  if (field.choices.length === 0) return line(field, common);
  if (field.choices.length > MANY) return filtered(field, common);
  const blank = el("option", { value: "" }, field.required ? "Choose…" : "Not set");
  const known = field.choices.some((one) => one.value === field.value);
  const options = field.choices.map((one) =>
    el("option", { value: one.value, selected: one.value === field.value }, one.label));
  const node = el("select", common, known && field.required ? options : [blank, ...options]);
  return { node, read: () => node.value || undefined };
}

/** A combo box that shows labels and sends values; what is neither is sent as typed, and refused with a reason. */
function filtered(field, common) {
  const id = `${common.id}-options`;
  const known = field.choices.find((one) => one.value === field.value);
  const box = el("input", {
    ...common, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list",
    value: known?.label ?? field.value ?? "", placeholder: `One of ${field.choices.length}; type to filter`,
  });
  const options = el("ul", { id, class: "options", role: "listbox", "aria-label": field.label, hidden: true });
  const list = new Listbox(box, options, (option) => {
    box.value = option.label;
    box.dispatchEvent(new Event("change", { bubbles: true })); // other fields may hang on it
  });
  const offer = (all) => {
    const words = all ? "" : box.value.trim().toLowerCase();
    const fits = field.choices.filter((one) => `${one.label} ${one.value}`.toLowerCase().includes(words));
    list.show(fits.map(({ label, value }) => ({ label, detail: value === label ? "" : value })));
  };
  box.addEventListener("input", () => offer(false));
  box.addEventListener("click", () => offer(true));
  box.addEventListener("keydown", (event) => {
    if (list.key(event)) event.stopPropagation();
    else if (event.key === "ArrowDown") offer(true);
  });
  const read = () => field.choices.find((one) => one.label === box.value)?.value ?? (box.value.trim() || undefined);
  return { node: el("div", { class: "combo" }, box, options), read };
}
