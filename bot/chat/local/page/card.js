/* Cards: what happened, what is asked, and what can be done about it. */

import { block, reference } from "./blocks.js";
import { el, icon, risk } from "./dom.js";

const WORDS = { waiting: "Waiting", running: "Running", good: "Done", bad: "Problem" };
const MANY = 10; // actions in a menu from which on there is a filter

/** What a reader did to a card, kept while the card itself is replaced by newer versions. */
export function newView() {
  return {
    open: new Set(), shown: new Map(), filter: "", // what is unfolded, uncovered and looked for
    asking: "", comment: "", busy: "", notice: "", // the button that asks for a text, its text, what is under way
    progress: "", since: 0, // the last lines of a running script, and when it started
  };
}

/** Draw a card. `acts`: `press(button, comment)`, `favour(item)`, `audit(reference)`, `status(run)`, `redraw(focus)`. */
export function draw(card, view, acts) {
  const facts = card.facts.filter((one) => one.value !== "");
  return el("section", { class: `card ${card.tone}`, "aria-label": card.title },
    el("header", {}, el("h3", {}, card.title), state(card, view)),
    card.lead && el("p", { class: "lead" }, card.lead),
    filter(card, view, acts),
    facts.length > 0 && el("dl", { class: "facts" }, facts.map((one, at) => fact(one, at, acts))),
    card.blocks.map((one, index) => block(one, index, card, view, acts)),
    view.progress && runs(card) && el("pre", {
      class: "progress", "aria-live": "off", tabindex: "0", role: "region", "aria-label": "Progress",
    }, view.progress),
    view.notice && el("p", { class: "notice", role: "alert" }, icon("warning"), el("span", {}, view.notice)),
    card.buttons.length > 0 && buttons(card, view, acts),
    proof(card, acts));
}

/** Say whether a card tells of a script that is running now. */
export function runs(card) {
  return card?.tone === "running" && (card.state || "running") === "running";
}

/** Return a duration in seconds as `0:07` or `1:02:03`. */
export function elapsed(seconds) {
  const two = (number) => String(Math.floor(number) % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds)}`
    : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(seconds)}`;
}

/** Draw how a run stands: a sign, a word, and while it runs for how long. */
function state(card, view) {
  const word = card.state ? card.state[0].toUpperCase() + card.state.slice(1).replaceAll("_", " ") : WORDS[card.tone];
  if (!word) return null;
  return el("span", { class: "state" }, icon(card.tone), word, runs(card) && view.since > 0 &&
    el("span", { class: "elapsed", role: "timer", "aria-live": "off", "data-since": view.since },
      elapsed(Math.max(0, Date.now() - view.since) / 1000)));
}

function filter(card, view, acts) {
  const count = new Set(card.blocks.flatMap((one) => one.items ?? []).map((item) => item.subject)).size;
  const typed = (event) => {
    view.filter = event.target.value;
    acts.redraw();
  };
  return count > MANY && el("input", {
    type: "search", class: "filter", "data-id": "filter", "aria-label": "Filter the actions",
    placeholder: `Filter ${count} actions`, value: view.filter, oninput: typed,
  });
}

function fact(one, at, acts) {
  const badge = one.label === "Risk" ? risk(one.value) : null;
  const value = one.at ? moment(one) : reference(one.value, acts, `fact-${at}`);
  const shown = one.code && value === one.value ? el("code", {}, value) : value;
  return el("div", {}, el("dt", {}, one.label), el("dd", {}, badge ?? shown));
}

/** Draw a moment as the reader's clock shows it; what stands in the card, in UTC, comes at a touch. */
function moment(one) {
  const shown = new Date(one.at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  return el("time", { datetime: one.at, title: one.value }, shown);
}

function buttons(card, view, acts) {
  const all = card.buttons.flatMap(ways);
  const asking = all.find((button) => button.asks && id(button) === view.asking);
  if (asking) return question(asking, view, acts);
  return el("div", { class: "buttons" }, all.map((button) =>
    el("button", {
      type: "button", class: button.style, "data-id": id(button), disabled: view.busy !== "",
      "aria-busy": view.busy === id(button) && "true", onclick: () => click(button, view, acts),
    }, button.label)));
}

/** Return a button, and beside one that may carry a comment the other that asks for it. */
function ways(button) {
  if (!button.comment) return [button];
  const label = `${button.label} with a comment`;
  return [button, { ...button, label, style: "", asks: button.comment, answer: button }];
}

function click(button, view, acts) {
  if (!button.asks) return acts.press(button, "");
  view.asking = id(button);
  return acts.redraw("ask");
}

/** Draw the text that may go along with a button, in the place of the buttons. */
function question(button, view, acts) {
  const { label, style } = button.answer ?? button;
  const back = () => {
    view.asking = "";
    acts.redraw(id(button));
  };
  const submit = (event) => {
    event.preventDefault();
    acts.press(button, view.comment.trim());
  };
  return el("form", { class: "question", onsubmit: submit },
    el("input", {
      type: "text", "data-id": "ask", maxlength: "1000", "aria-label": button.asks, placeholder: button.asks,
      value: view.comment, required: !button.answer,
      oninput: (event) => (view.comment = event.target.value),
      onkeydown: (event) => event.key === "Escape" && back(),
    }),
    el("button", {
      type: "submit", class: style, "data-id": "answer", disabled: view.busy !== "",
    }, label),
    el("button", { type: "button", class: "quiet", "data-id": "back", onclick: back }, "Back"));
}

/** Return what identifies a button among those of its card. */
export function id(button) {
  return `${button.verb} ${button.subject} ${button.label}`;
}

function proof(card, acts) {
  if (!card.footnote && !card.run && !card.audit) return null;
  return el("footer", {},
    card.footnote && el("span", { class: "footnote" }, card.footnote),
    card.run && el("span", {}, reference(card.run, acts, "run")),
    card.audit && el("span", {}, reference(card.audit, acts, "audit")));
}
