/* The form of an action, in a dialog: it stays open until the server takes what is in it. */

import { el, icon, risk } from "./dom.js";
import { input } from "./inputs.js";

/** Open forms in `dialog`; `send(values)` sends one and returns the next form where something in it is wrong. */
export class Sheet {
  constructor(dialog, send) {
    Object.assign(this, { dialog, send, busy: false, bare: new Set() });
  }

  /** Show a form; `again` says that it came back, with `reason` written in its reason box. */
  open(form, reason = "", again = false) {
    const bare = (field) => (field.value ?? "") === ""; // a default would be its first value
    if (!again) this.bare = new Set(form.fields.filter(bare).map((field) => field.name));
    this.draw(form, reason, again && !form.fields.some((field) => field.fault));
    if (!this.dialog.open) this.dialog.showModal();
    const first = (within) => this.dialog.querySelector(`${within} :is(input, select, textarea)`);
    (first(".faulty") ?? first(".fields")).focus();
  }

  /** Draw a form; `refused` says that its note is why it came back. */
  draw(form, reason, refused) {
    const fields = form.fields.map((field, at) =>
      drawn({ ...field, bare: this.bare.has(field.name) }, `field-${at}`));
    arrange(fields);
    const lost = unshown(form.fields.filter((_, at) => !fields[at].node.hidden && fields[at].read() === undefined));
    const box = el("textarea", {
      id: "field-reason", rows: "2", maxlength: "1000", "aria-describedby": "field-reason-help",
    }, reason);
    const close = () => this.dialog.close();
    const fault = el("p", { class: "notice", role: "alert", hidden: true });
    const run = el("button", { type: "submit", class: "primary" }, form.approval ? "Ask for approval" : "Run");
    const submit = (event) => {
      event.preventDefault();
      this.submit({ form, fields, box, fault, run });
    };
    this.dialog.replaceChildren(el("form", { novalidate: true, autocomplete: "off", onsubmit: submit },
      el("header", {},
        el("h2", { id: "form-title" }, form.title), risk(form.risk),
        el("button", { type: "button", class: "quiet close", "aria-label": "Close", onclick: close }, icon("close"))),
      el("div", { class: "fields", oninput: () => arrange(fields), onchange: () => arrange(fields) },
        form.summary && el("p", { class: "summary" }, form.summary),
        form.note && el("p", { class: refused ? "notice" : "hint", role: refused && "alert" },
          icon(refused ? "warning" : "neutral"), el("span", {}, form.note)),
        lost && el("p", { class: "notice", role: "alert" }, icon("warning"), el("span", {}, lost)),
        fields.map((field) => field.node),
        el("div", { class: "field" },
          el("label", { class: "label", for: "field-reason" }, "Reason"), box,
          el("p", { class: "help", id: "field-reason-help" },
            form.approval
              ? "Those who approve read it in the channel. It stays in the audit log."
              : "It is shown in the channel and stays in the audit log."))),
      el("footer", {},
        fault,
        form.approval && el("p", { class: "approval" }, icon("waiting"), el("span", {}, form.approval)),
        el("button", { type: "button", class: "quiet", onclick: close }, "Cancel"), run)));
  }

  async submit({ form, fields, box, fault, run }) {
    if (this.busy) return;
    const shown = fields.filter((field) => !field.node.hidden);
    const given = shown.map((field) => [field.name, field.read()]).filter(([, value]) => value !== undefined);
    this.busy = run.disabled = true;
    fault.hidden = true;
    try {
      const next = await this.send({ action: form.action, values: Object.fromEntries(given), reason: box.value.trim() });
      if (next) this.open(next, box.value, true);
      else this.dialog.close();
    } catch (failure) {
      fault.replaceChildren(icon("warning"), el("span", {}, failure.message));
      fault.hidden = false;
    } finally {
      this.busy = run.disabled = false;
    }
  }
}

/** Show the fields that apply with what is filled in. What decides stands before what hangs on it. */
function arrange(fields) {
  const held = {};
  for (const { name, when, blank, node, read } of fields) {
    node.hidden = !when.every((condition) => condition.values.includes(held[condition.name]));
    if (!node.hidden) held[name] = read() ?? blank;
  }
}

/** Say what was given for blank inputs: it is not the form's to leave it out in silence. */
function unshown(blank) {
  const given = blank.filter((field) => (field.value ?? "") !== "" && field.value.length !== 0);
  const why = given.map((field) => field.fault || `“${field.label}” can't hold ${field.value} here.`);
  return why.length > 0 && `Nothing ran yet, and not all that was given is in this form. ${why.join(" ")} ` +
    "Fill that in here, or it is left out.";
}

function drawn(field, id) {
  const help = [field.help, limits(field)].filter(Boolean).join(" ");
  const described = [help && `${id}-help`, field.fault && `${id}-fault`].filter(Boolean).join(" ");
  const { node, read } = input(field, id, described);
  const grouped = field.kind === "boolean";
  const star = field.required && el("span", { class: "star", "aria-hidden": "true", title: "Required" }, "*");
  const naming = { id: `${id}-label`, class: "label", for: grouped ? null : id };
  const label = el(grouped ? "span" : "label", naming, field.label, star);
  return {
    name: field.name,
    when: field.when,
    blank: field.default,
    read,
    node: el("div", { class: `field${field.fault ? " faulty" : ""}` },
      label, node,
      help && el("p", { class: "help", id: `${id}-help` }, help),
      field.fault && el("p", { class: "fault", id: `${id}-fault` }, icon("warning"), el("span", {}, field.fault))),
  };
}

function limits(field) {
  const { minimum: low, maximum: high } = field;
  if (low !== null && high !== null) return `From ${low} to ${high}.`;
  if (low !== null) return `At least ${low}.`;
  if (high !== null) return `At most ${high}.`;
  if (field.kind === "credential") return "Only its name is chosen; Deputy takes it from its vault when the run starts.";
  if (field.kind === "list") return "One a line, or with commas between.";
  if (field.kind === "datetime") return `In your time (${Intl.DateTimeFormat().resolvedOptions().timeZone}).`;
  return "";
}
