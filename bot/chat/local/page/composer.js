/* The box one writes in: completion while typing, what was sent before on ↑. */

import { get } from "./api.js";
import { Listbox } from "./listbox.js";

const PAUSE = 90; // milliseconds of quiet before suggestions are asked for
const COMMAND = "/deputy ";

/** Bring the composer to life; `send(text)` takes what was written. Returns `write(text)`, which puts a text in. */
export function compose(form, send) {
  const text = form.querySelector("textarea");
  const list = new Listbox(text, form.querySelector("[role=listbox]"), (option) => write(option.text));
  const sent = [];
  let back = 0;
  let timer = 0;

  function grow() {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }

  function write(words) {
    text.value = words;
    text.focus();
    text.setSelectionRange(words.length, words.length);
    typed();
  }

  function typed() {
    grow();
    back = 0;
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE);
  }

  async function suggest() {
    const words = text.value;
    const options = await offers(words).catch(() => []);
    if (words === text.value && document.activeElement === text) list.show(options);
  }

  function recall(step) {
    back = Math.min(Math.max(back + step, 0), sent.length);
    text.value = back ? sent.at(-back) : "";
    grow();
  }

  function submit() {
    const words = text.value.trim();
    if (!words) return;
    clearTimeout(timer);
    list.hide();
    sent.push(words);
    back = 0;
    text.value = "";
    grow();
    send(words);
  }

  text.addEventListener("input", typed);
  text.addEventListener("keydown", (event) => {
    if (event.isComposing || list.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) submit();
    else if (event.key === "ArrowUp" && (text.value === "" || back)) recall(1);
    else if (event.key === "ArrowDown" && back) recall(-1);
    else return;
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    text.focus();
  });
  return write;
}

/** Return what may follow: Deputy's name after a lone `/`, and after that what the server knows. */
async function offers(words) {
  if (words && COMMAND.startsWith(words) && words !== COMMAND) {
    return [{ text: COMMAND, label: COMMAND.trim(), detail: "Ask Deputy for something" }];
  }
  if (!/^\s*[/@]deputy\s/i.test(words)) return [];
  return (await get("/api/complete", { text: words })).suggestions;
}
