// Errors say which call failed, and what it was about.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { Deferred, XmppError, addressee, located, locating, siting, stanzaError } = await importSources("located", "errors", "waiting");
const xmppError = (...args) => new XmppError(...args);

test("an error names the call and its object, in fields and in words", () => {
  const cause = new Error("x");
  const error = xmppError("timeout", "No answer came in time.", { cause });
  const place = { node: 'a "node"', service: "pubsub.example.org" };
  const named = located(error, "subscribe", place);
  assert.equal(named, error);
  assert.equal(named.message, 'subscribe "a \\"node\\"" at pubsub.example.org: No answer came in time.');
  assert.deepEqual([named.operation, named.object, named.code, named.cause], ["subscribe", 'a "node"', "timeout", cause]);
  assert.ok(named.stack.includes(named.message), named.stack);
  assert.deepEqual([named.node, named.service, named.room], ['a "node"', "pubsub.example.org", undefined]);
  // Once.
  assert.equal(located(named, "subscribe", place).message, named.message);
  assert.equal(located(xmppError("freed", "Gone."), "nodes", {}).message, "nodes: Gone.");
  assert.equal(located(xmppError("freed", "Gone."), "nodes", { service: "a.b" }).message, "nodes a.b: Gone.");
  assert.equal(located(xmppError("freed", "Gone."), "purge", { node: "" }).message, 'purge "": Gone.');
  // The argument is named already.
  const argument = located(xmppError("bad-argument", "The option 'x' is a string."), "nodes", { node: "a" });
  assert.deepEqual([argument.message, argument.operation, argument.object], ["The option 'x' is a string.", "nodes", "a"]);
});

test("an error that ends several calls is named for each", () => {
  const error = xmppError("disconnected", "/bind: it ended.", { condition: "c", object: "/bind", service: "/bind" });
  const one = located(error, "join", { room: "a@b" });
  const two = located(error, "join", { room: "c@d" });
  assert.deepEqual([one.message, two.message], ["join a@b: /bind: it ended.", "join c@d: /bind: it ended."]);
  // The event that tells the end has the same error.
  assert.deepEqual([error.message, error.operation, error.service], ["/bind: it ended.", undefined, "/bind"]);
  assert.deepEqual([one.room, two.room, two.service, Object.hasOwn(two, "service")], ["a@b", "c@d", undefined, false]);
  assert.deepEqual([two.code, two.condition, two.name, two instanceof XmppError], ["disconnected", "c", "XmppError", true]);
  assert.ok(two.stack.includes(two.message) && !two.stack.includes("a@b"), two.stack);
});

test("errors of the page and faults of epode are unchanged", () => {
  for (const other of [new TypeError("x"), "x", undefined, null, { name: "XmppError" }, xmppError("internal", "x")]) {
    assert.equal(located(other, "send", { object: "x" }), other);
    assert.equal(other?.operation, undefined);
  }
});

test("the addressee is read from the first tag", () => {
  for (const [xml, expected] of [
    ["<iq type='get' to='a@b'><x to='c'/></iq>", "a@b"],
    ['\n<message id="1" to = "a@b/c"/>', "a@b/c"],
    ["<iq type='get'><x to='c'/></iq>", undefined],
    ["<iq xto='c'/>", undefined],
    ["", undefined],
    ["text to='x'", undefined],
  ]) {
    assert.equal(addressee(xml), expected, xml);
  }
});

const refusal = () => stanzaError({ condition: "forbidden", type: "auth", text: undefined, application: undefined, applicationNs: undefined }, undefined);

test("the error of a refusal names the call, the object and the reason", async () => {
  const place = { node: "todos" };
  const publish = locating("publish", place, () => {
    // As the options say it, which are read in the call.
    place.service = "pubsub.example.org";
    throw refusal();
  });
  const error = await publish.catch((error) => error);
  assert.equal(
    error.message,
    "publish todos at pubsub.example.org: forbidden. This account may not do that here: its owner must allow it, or a password is missing.",
  );
  assert.deepEqual([error.operation, error.node, error.object, error.service], ["publish", "todos", "todos", "pubsub.example.org"]);
  // A room's own events come without a call.
  assert.match(located(refusal(), undefined, { room: "a@b" }).message, /^a@b: forbidden\. /);
});

/** A reply that comes when the call that asked is over: the stack that makes its error has nothing of it. */
function theCaller(act, promise) {
  setTimeout(() => promise.reject(refusal()), 0);
  return act(() => promise.promise);
}

test("a later error has the caller in its stack", async () => {
  for (const act of [(ask) => locating("publish", { node: "todos" }, ask), siting]) {
    const error = await theCaller(act, new Deferred()).catch((error) => error);
    const [first, ...frames] = error.stack.split("\n");
    assert.equal(first, `XmppError: ${error.message}`);
    assert.ok(frames.some((frame) => frame.includes("theCaller")), error.stack);
    assert.ok(frames.every((frame) => /^ +at /.test(frame)), error.stack);
  }
});

test("an error has a stack without captureStackTrace", async () => {
  const { captureStackTrace } = Error;
  delete Error.captureStackTrace;
  try {
    const error = await theCaller(siting, new Deferred()).catch((error) => error);
    assert.match(error.stack, /^XmppError: forbidden\. .*\n +at /);
    assert.ok(error.stack.includes("theCaller"), error.stack);
  } finally {
    Error.captureStackTrace = captureStackTrace;
  }
});

test("consoles print an error briefly", () => {
  const stanza = { toString: () => "<iq/>", secret: "a handle" };
  const error = located(xmppError("stanza-error", "forbidden.", { condition: "forbidden", stanza }), "publish", { node: "todos", service: "a.b" });
  const lines = inspect(error).split("\n").filter((line) => !/^ +at /.test(line));
  assert.deepEqual(lines, [
    "XmppError: publish todos at a.b: forbidden.",
    ...inspect({ code: "stanza-error", condition: "forbidden", operation: "publish", node: "todos", service: "a.b" }).split("\n").slice(1),
  ]);
  assert.equal(error.stanza, stanza);
});
