/* Speaking to the server: who asks, one delivery id per thing sent, and patience while it is away. */

const PATIENCE = 1500; // milliseconds between two tries
const TRIES = 80;

let person = "";

/** Speak as somebody else from now on. */
export function become(account) {
  person = account;
}

/** An answer that says no; its message is the server's sentence. */
export class Failure extends Error {}

/** Return the address of something, asked for by whoever we are. */
export function address(path, parameters = {}) {
  return `${path}?${new URLSearchParams({ as: person, ...parameters })}`;
}

/** Fetch JSON. Throws Failure, or fetch's TypeError while the server is away. */
export async function get(path, parameters) {
  return read(await fetch(address(path, parameters)));
}

/** Send something once, however often it takes: every try carries the same delivery id, a UUID. */
export async function send(verb, delivery, what) {
  const body = JSON.stringify({ as: person, delivery, ...what });
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await fetch(`/api/${verb}`, options).catch(() => null);
    if (answer) return (await read(answer)).reply;
    await new Promise((done) => setTimeout(done, PATIENCE));
  }
  throw new Failure("Deputy still doesn't answer, so this may not have arrived. Look at the channel before you repeat it.");
}

async function read(answer) {
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data;
  const sentence = data.error ?? "Something went wrong inside Deputy. Try again; if it stays so, look at its log.";
  throw new Failure(sentence);
}
