// Errors say which call failed, and what it was about.

import assert from "node:assert/strict";
import { test } from "node:test";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { XmppError, addressee, located } = await importSources("located", "errors");
const xmppError = (...args) => new XmppError(...args);

test("an error names the call and its object, in fields and in words", () => {
  const cause = new Error("x");
  const error = xmppError("timeout", "No answer came in time.", { cause });
  const named = located(error, "subscribe", 'a "node"');
  assert.equal(named, error);
  assert.equal(named.message, 'subscribe("a \\"node\\""): No answer came in time.');
  assert.deepEqual([named.operation, named.object, named.code, named.cause], ["subscribe", 'a "node"', "timeout", cause]);
  assert.ok(named.stack.includes(named.message), named.stack);
  // Once.
  assert.equal(located(named, "subscribe", 'a "node"').message, named.message);
  assert.equal(located(xmppError("freed", "Gone."), "nodes", undefined).message, "nodes(): Gone.");
  // The argument is named already.
  const argument = located(xmppError("bad-argument", "The option 'x' is a string."), "nodes", "a");
  assert.deepEqual([argument.message, argument.operation, argument.object], ["The option 'x' is a string.", "nodes", "a"]);
});

test("an error that ends several calls is named for each", () => {
  const error = xmppError("disconnected", "The connection: it ended.", { condition: "c" });
  const one = located(error, "join", "a@b");
  const two = located(error, "join", "c@d");
  assert.deepEqual([one.message, two.message], ['join("a@b"): The connection: it ended.', 'join("c@d"): The connection: it ended.']);
  assert.deepEqual([two.code, two.condition, two.name, two instanceof XmppError], ["disconnected", "c", "XmppError", true]);
  assert.ok(two.stack.includes(two.message) && !two.stack.includes("a@b"), two.stack);
});

test("errors of others, and faults of epode, stay as they are", () => {
  for (const other of [new TypeError("x"), "x", undefined, null, { name: "XmppError" }, xmppError("internal", "x")]) {
    assert.equal(located(other, "send", "x"), other);
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
