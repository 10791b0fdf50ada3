// In every page of the tests: the package as `epode`, and what makes waiting and failing readable.
import * as epode from "epode";

/** Reached only when something does not happen at all. */
const LIMIT = 30_000;

/** Most tests hold over either transport: `?transport=ws` runs them over WebSocket. */
const SERVICE = new URLSearchParams(location.search).get("transport") === "ws" ? location.origin.replace(/^http/, "ws") + "/ws" : "/http-bind";

/** A promise that must settle; otherwise an error says what was waited for. */
function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not happen: ${what}`)), LIMIT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What arrives, in order. `push` is a callback; `until(n)` waits for n in all, `untilAny(test)` for one that fits. */
function inbox(what = "an event") {
  const got = [];
  let waiting = [];
  const look = () => {
    waiting = waiting.filter(({ ready, resolve }) => !(ready() && (resolve(), true)));
  };
  const wait = (ready, detail) =>
    within(
      new Promise((resolve) => {
        waiting.push({ ready, resolve });
        look();
      }),
      `${what}: ${detail}`,
    ).catch((error) => {
      throw new Error(`${error.message}; there are ${got.length}`);
    });
  return {
    got,
    push(value) {
      got.push(value);
      look();
    },
    until: (count) => wait(() => got.length >= count, `${count} of them`).then(() => got),
    untilAny: (test) => wait(() => got.some(test), `one with ${test}`).then(() => got.find(test)),
  };
}

/** An error as plain data. */
function describe(error) {
  if (!(error instanceof Error)) return { notAnError: String(error) };
  const { name, code, message, condition, text, type, application, httpStatus, cause, stanza } = error;
  const described = { name, code, message, condition, text, type, application, httpStatus };
  for (const name of ["operation", "object", "node", "room", "service"]) {
    if (error[name] !== undefined) described[name] = error[name];
  }
  if (cause !== undefined) described.cause = cause instanceof Error ? cause.message : String(cause);
  if (stanza !== undefined) described.stanza = stanza.toString();
  return described;
}

/** The error of what must fail: of a promise, or of a function that throws or rejects. */
async function failure(what) {
  let value;
  try {
    value = await within(typeof what === "function" ? what() : what, "a failure");
  } catch (error) {
    return describe(error);
  }
  throw new Error(`should have failed, and resolved with ${String(value)}`);
}

/** Everything that the browser has to do at once is done: timers of no delay run in order. */
const nextTask = () => new Promise((resolve) => setTimeout(resolve, 0));

/** One after the other: a browser has six connections to an origin, of which every client takes up to two. */
async function inTurn(list, act) {
  const results = [];
  for (const one of list) results.push(await act(one));
  return results;
}

/** What the page POSTs from now on: the bodies, in order; how many are unanswered; a wait for one that is. */
function watchRequests() {
  const bodies = [];
  let pending = 0;
  let wake = () => {};
  const send = window.fetch;
  window.fetch = (address, init) => {
    const answer = send(address, init);
    if (init?.body) {
      bodies.push(init.body);
      pending += 1;
      wake();
      const settled = () => (pending -= 1);
      answer.then(settled, settled);
    }
    return answer;
  };
  const untilPending = () => within(pending > 0 ? undefined : new Promise((resolve) => (wake = resolve)), "a request that waits");
  return { bodies, untilPending };
}

Object.assign(window, { epode, within, inbox, inTurn, watchRequests, describe, failure, nextTask, BOSH: SERVICE });
window.ready = true;
