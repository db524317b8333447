/* Hearing from the server as things happen. A page nobody looks at hangs up: browsers allow few connections. */

import { address } from "./api.js";

const PATIENCE = 1500; // milliseconds until the next try

/** Stay connected. `heard(event, data)` gets every event; `back()` is called on each (re)connection; `away(is)`. */
export function connect({ heard, back, away }) {
  let source = null;
  let retry = 0;

  function close() {
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  function open() {
    close();
    if (document.hidden) return;
    source = new EventSource(address("/api/events"));
    source.addEventListener("open", () => {
      away(false);
      back();
    });
    source.addEventListener("error", () => {
      close();
      away(true);
      retry = setTimeout(open, PATIENCE);
    });
    source.addEventListener("reload", back);
    for (const name of ["message", "progress"]) {
      source.addEventListener(name, (event) => heard(name, JSON.parse(event.data)));
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
  return open;
}
