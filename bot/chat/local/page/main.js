/* Who you are, what you see, what you say: everything else hangs here. */

import { become, Failure, get, send } from "./api.js";
import { draw, id, newView } from "./card.js";
import { compose } from "./composer.js";
import { el, icon } from "./dom.js";
import { Sheet } from "./form.js";
import { connect } from "./live.js";
import { Log } from "./log.js";

const at = (id) => document.getElementById(id);
const COMMAND = /^\s*[/@]deputy\b/i;
const PATIENCE = 1500; // milliseconds until messages are asked for again
const AWAY = "Deputy doesn't answer. Try again in a moment.";

const { people, conversation } = await get("/api/people");
let me = people[0];

const named = (account) => people.find((person) => person.account === account) ?? { name: account, title: "" };
const sheet = new Sheet(at("form"), (filled) => ask("fill", filled));
const log = new Log({
  list: at("log"), scroll: at("scroll"), newer: at("newer"), named,
  acts: { press, favour, audit, status },
});

/** Send something and show the card that comes back, if it is still the same person who looks. Returns a form. */
async function ask(verb, what, delivery = crypto.randomUUID()) {
  const asker = me;
  try {
    const reply = await send(verb, delivery, what);
    if (asker !== me) return null;
    if (reply.card) log.note({ key: answered(delivery), card: reply.card });
    return reply.form;
  } catch (failure) {
    if (asker !== me) return null;
    throw failure;
  }
}

/** Return the key under which the server has the answer to a delivery, for a page that is loaded anew. */
function answered(delivery) {
  return `local:${delivery}:answer`;
}

function refused(failure, delivery = crypto.randomUUID()) {
  const lead = failure instanceof Failure ? failure.message : AWAY;
  const nothing = { facts: [], blocks: [], buttons: [], run: "", state: "", audit: "", footnote: "" };
  log.note({ key: answered(delivery), card: { ...nothing, title: "That did not work", tone: "bad", lead } });
}

async function say(text) {
  const delivery = crypto.randomUUID();
  if (COMMAND.test(text)) log.note({ key: `local:${delivery}:words`, author: me.account, text });
  welcome();
  try {
    const form = await ask("say", { text }, delivery);
    if (form) sheet.open(form);
  } catch (failure) {
    refused(failure, delivery);
  }
}

async function press(button, comment, view, redraw) {
  Object.assign(view, { busy: id(button), notice: "" });
  redraw();
  try {
    const { verb, subject } = button;
    const form = await ask("press", { verb, subject, comment });
    Object.assign(view, { asking: "", comment: "" });
    if (form) sheet.open(form);
  } catch (failure) {
    view.notice = failure.message;
  }
  view.busy = "";
  redraw();
}

/** Make an action a favourite, or take that back: its star says so in every menu. */
async function favour(item, view, redraw) {
  const asker = me;
  const favourite = !item.favourite;
  view.notice = "";
  try {
    const what = { verb: favourite ? "favour" : "unfavour", subject: item.subject, comment: "" };
    await send("press", crypto.randomUUID(), what);
    if (asker === me) log.mark(item.subject, favourite);
  } catch (failure) {
    view.notice = failure.message;
    redraw();
  }
}

async function status(run) {
  at("entry").close();
  await say(`/deputy status ${run}`);
}

/** Open an audit entry in a dialog. */
async function audit(reference) {
  try {
    show(await get(`/api/audit/${encodeURIComponent(reference)}`));
  } catch (failure) {
    refused(failure);
  }
}

/** Show an audit entry's card; it names its own reference without a link. */
function show(entry) {
  const card = { ...entry, audit: "", footnote: entry.footnote || entry.audit };
  const dialog = at("entry");
  const view = newView();
  const redraw = () => dialog.firstChild.replaceWith(draw(card, view, acts));
  const acts = { audit, status, redraw, press: (button, comment) => press(button, comment, view, redraw) };
  const close = el("button", { type: "button", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(draw(card, view, acts), el("footer", {}, close));
  if (!dialog.open) dialog.showModal();
}

async function load() {
  const { account } = me;
  const both = await Promise.all([get("/api/messages"), get("/api/answers")]).catch(() => null);
  if (account !== me.account) return;
  if (!both) return setTimeout(load, PATIENCE);
  const at = (message) => Date.parse(message.at);
  const messages = both.flatMap((answer) => answer.messages);
  messages.sort((one, other) => at(one) - at(other)).forEach((message) => log.put(message));
  welcome();
}

const example = (text) => el("button", { type: "button", class: "example", onclick: () => write(text) }, text);

function welcome() {
  const node = at("welcome");
  node.hidden = !log.empty;
  node.replaceChildren(
    el("img", { src: "/static/deputy.svg", alt: "", width: "56", height: "56" }),
    el("h2", {}, `Hello, ${me.name.split(" ")[0]}.`),
    el("p", {}, "Nobody has asked for anything yet. Try one of these:"),
    el("div", {}, me.examples.slice(0, 3).map(example)));
}

function be(account) {
  me = people.find((person) => person.account === account) ?? people[0];
  become(me.account);
  sessionStorage.setItem("deputy-person", me.account);
  history.replaceState(null, "", `?${new URLSearchParams({ as: me.account })}`);
  at("person").value = me.account;
  at("examples").replaceChildren(...me.examples.map(example));
  log.clear();
  welcome();
}

at("conversation").textContent = conversation;
document.title = `Deputy · ${conversation}`;
at("send").append(icon("send"));
const option = (person) => el("option", { value: person.account }, `${person.name}, ${person.title}`);
at("person").append(...people.map(option));
const write = compose(at("composer"), say);
be(new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem("deputy-person"));

const reconnect = connect({
  heard: (name, data) => {
    if (name === "progress") return log.progress(data.run, data.lines);
    log.put(data);
    at("welcome").hidden = true;
  },
  back: load,
  away: (is) => (at("away").hidden = !is),
});
at("person").addEventListener("change", (event) => {
  be(event.target.value);
  reconnect();
  at("text").focus();
});
at("text").focus();
