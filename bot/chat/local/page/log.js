/* The log: every message in its order, each updated in place. */

import { draw, elapsed, newView, runs } from "./card.js";
import { el, face, icon } from "./dom.js";

const TOGETHER = 5 * 60_000; // milliseconds in which one person's words stand under one name
const EARLY = 50; // runs at most whose lines come before their card
const NEAR = 80; // pixels from the end that count as reading the newest

/**
 * Shows messages. `acts` as in card.js, but `press(button, comment, view, redraw)` and `favour(item, view, redraw)`;
 * `named(account)`: a person.
 */
export class Log {
  constructor({ list, scroll, newer, named, acts }) {
    Object.assign(this, { list, scroll, newer, named, acts });
    this.clear();
    newer.addEventListener("click", () => this.toEnd());
    scroll.addEventListener("scroll", () => this.atEnd() && (newer.hidden = true));
    setInterval(() => this.tick(), 1000);
  }

  clear() {
    this.entries = new Map();
    this.early = new Map(); // the last lines of scripts whose cards don't run here yet
    this.last = null;
    this.newer.hidden = true;
    this.list.replaceChildren();
  }

  get empty() {
    return this.entries.size === 0;
  }

  /** Show a message, or the newer version of one that is shown. */
  put(message) {
    const entry = this.entries.get(message.key);
    if (entry && entry.message.version >= message.version) return;
    if (entry) this.update(entry, message);
    else this.append(message);
  }

  /** Show an answer to the reader alone, or what they sent, under the key that the server knows it by. */
  note(message) {
    const { key } = message;
    if (this.entries.has(key)) return;
    const bare = { version: 1, at: new Date().toISOString(), private: true, author: "", text: "", card: null };
    this.append({ ...bare, ...message });
    this.toEnd();
    const top = this.entries.get(key).node.offsetTop - this.list.offsetTop;
    this.scroll.scrollTop = Math.min(this.scroll.scrollTop, top); // a long card is read from its head
  }

  /** Show in every menu whether an action is a favourite of the reader's. */
  mark(action, favourite) {
    for (const entry of this.entries.values()) {
      const items = (entry.message.card?.blocks ?? []).flatMap((block) => block.items ?? []);
      const same = items.filter((item) => item.subject === action);
      same.forEach((item) => (item.favourite = favourite));
      if (same.length) this.redraw(entry);
    }
  }

  /** Show the last lines of a running script. */
  progress(run, lines) {
    this.early.set(run, lines);
    if (this.early.size > EARLY) this.early.delete(this.early.keys().next().value);
    for (const entry of this.entries.values()) {
      const { card } = entry.message;
      if (card?.run !== run || !runs(card)) continue;
      this.early.delete(run);
      const node = entry.node.querySelector(".progress");
      const first = !entry.view.progress;
      entry.view.progress = lines;
      this.keepEnd(() => (first ? this.redraw(entry) : (node.textContent = lines)));
    }
  }

  /** Begin to show a running script, with the lines that were heard of before its card came. */
  begin(view, card, now) {
    Object.assign(view, { since: since(card, now), progress: this.early.get(card.run) ?? "" });
    this.early.delete(card.run);
  }

  append(message) {
    const stay = this.atEnd() || this.empty;
    const entry = { message, view: newView(), node: null, follows: this.follows(message) };
    if (runs(message.card)) this.begin(entry.view, message.card, Date.parse(message.at));
    if (!this.last || day(this.last.at) !== day(message.at)) this.list.append(separator(message.at));
    entry.node = this.drawn(entry);
    entry.node.classList.add("new");
    this.list.append(entry.node);
    this.entries.set(message.key, entry);
    this.last = message;
    if (stay) this.toEnd();
    else this.newer.hidden = false;
  }

  update(entry, message) {
    const starts = runs(message.card) && !runs(entry.message.card);
    if (starts) this.begin(entry.view, message.card, Date.now());
    else if (!runs(message.card)) this.early.delete(message.card?.run);
    Object.assign(entry.view, { notice: "", busy: "" });
    entry.message = message;
    this.keepEnd(() => this.redraw(entry));
  }

  /** Draw an entry anew, keeping the focus (and the caret) where it was, or moving it to `wanted`. */
  redraw(entry, wanted = "") {
    const active = entry.node.contains(document.activeElement) ? document.activeElement : null;
    const focus = wanted || active?.dataset.id;
    const caret = active?.selectionStart;
    const node = this.drawn(entry);
    entry.node.replaceWith(node);
    entry.node = node;
    if (!focus) return;
    const target = [...node.querySelectorAll("[data-id]")].find((one) => one.dataset.id === focus) ?? node;
    target.focus({ preventScroll: true });
    if (!wanted && caret !== undefined && caret !== null) target.setSelectionRange?.(caret, caret);
  }

  drawn(entry) {
    const { message, view } = entry;
    const person = message.card ? { name: "Deputy", title: "" } : this.named(message.author);
    const picture = message.card
      ? el("img", { class: "avatar", src: "/static/deputy.svg", alt: "" })
      : face(el("span", { class: "avatar", "aria-hidden": "true" }), person.name);
    const acts = {
      ...this.acts,
      redraw: (wanted) => this.redraw(entry, wanted),
      press: (button, comment) => this.acts.press(button, comment, view, () => this.redraw(entry)),
      favour: (item) => this.acts.favour(item, view, () => this.redraw(entry)),
    };
    const marks = [message.private && "private", entry.follows && "follows"].filter(Boolean);
    return el("article", { class: ["message", ...marks].join(" "), tabindex: "-1" },
      picture,
      el("div", { class: "said" },
        el("p", { class: "by" },
          el("strong", {}, person.name),
          person.title && el("span", { class: "title" }, person.title),
          time(message.at),
          message.private && el("span", { class: "mark" }, icon("private"), "Only you see this")),
        message.card ? draw(message.card, view, acts) : el("p", { class: "words" }, message.text)));
  }

  follows(message) {
    const { last } = this;
    return Boolean(last && !last.card && !message.card
      && last.author === message.author && last.private === message.private
      && day(last.at) === day(message.at) && Date.parse(message.at) - Date.parse(last.at) < TOGETHER);
  }

  tick() {
    for (const node of this.list.querySelectorAll(".elapsed")) {
      node.textContent = elapsed((Date.now() - Number(node.dataset.since)) / 1000);
    }
  }

  atEnd(near = NEAR) {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < near;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.newer.hidden = true;
  }

  keepEnd(change) {
    const stay = this.atEnd(2);
    change();
    if (stay) this.toEnd();
  }
}

/** Return when a card's script started, in milliseconds; `otherwise` where the card doesn't tell. */
function since(card, otherwise) {
  return Date.parse(card.since) || otherwise;
}

function day(at) {
  return new Date(at).toDateString();
}

function separator(at) {
  const today = new Date().toDateString() === day(at);
  const words = new Date(at).toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long" });
  return el("div", { class: "day" }, el("span", {}, today ? "Today" : words));
}

function time(at) {
  const moment = new Date(at);
  const short = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const whole = moment.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long" });
  return el("time", { datetime: at, title: whole }, short);
}
