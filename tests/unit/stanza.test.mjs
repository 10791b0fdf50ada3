// `Stanza` reads what the module has packed. `packed.json` holds XML and its packed form, which proto/tests/xml/packed.rs checks.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { stanzaOf, plainText } = await importSources("stanza");
const table = JSON.parse(fs.readFileSync(new URL("packed.json", import.meta.url), "utf8"));

function stanza(hint) {
  const { text, words } = table.find(({ xml }) => xml.includes(hint));
  return stanzaOf(text, Uint32Array.from(words));
}

const XML = "http://www.w3.org/XML/1998/namespace";

test("emoji and entities before a text do not shift it", () => {
  const message = stanza("😀");
  assert.deepEqual([message.name, message.ns], ["m", "jabber:client"]);
  assert.equal(message.attr("x"), "😀");
  assert.equal(message.from, "ä@b/€");
  assert.equal(message.id, "1");
  assert.equal(message.to, undefined);
  assert.equal(message.type, undefined);
  assert.equal(message.text("body"), "h😀<&ä");
  assert.equal(message.text(), "");
  assert.equal(message.text("subject"), undefined);
  assert.equal(message.child("x", "urn:x").attr("n"), "1");
  assert.equal(message.child("x").ns, "urn:x");
  assert.equal(message.child("x", "jabber:client"), undefined);
  assert.equal(plainText(message), "h😀<&ä");
});

test("attributes are distinguished by their namespaces", () => {
  const message = stanza("xml:lang");
  assert.equal(message.attr("lang"), undefined);
  assert.equal(message.attr("lang", XML), "en");
  assert.equal(message.attr("a"), "2");
  assert.equal(message.attr("a", "urn:p"), "1");
  assert.deepEqual({ ...message.attrs() }, { a: "2" });
  assert.equal(message.text(), "onetwo");
  assert.equal(message.child("b").attr("c", "urn:p"), "3");
  assert.deepEqual(message.children("b").map(({ ns }) => ns), ["urn:p", "urn:q"]);
  assert.equal(message.children("b", "urn:q").length, 1);
  assert.equal(message.children().length, 2);
});

test("attributes and mixed content are in document order", () => {
  const message = stanza("xml:lang");
  const listed = message.attributes().map(({ name, ns, value }) => `${ns} ${name}=${value}`);
  assert.deepEqual(listed, [`${XML} lang=en`, "urn:p a=1", " a=2"]);
  assert.deepEqual(
    message.content().map((piece) => (typeof piece === "string" ? piece : `<${piece.name}>`)),
    ["one", "<b>", "two", "<b>"],
  );
});

test("children of one name are in document order", () => {
  const message = stanza("second");
  assert.deepEqual(message.children("body").map((body) => body.text()), ["first", "second"]);
  assert.equal(message.text("body"), "first");
  assert.equal(message.children("bod").length, 0);
  assert.equal(message.children("body")[1].toString(), "<body xmlns='jabber:client'>second</body>");
});

test("a serialised stanza is equal to the original", () => {
  assert.equal(stanza("<a/>").toString(), "<a/>");
  assert.equal(
    stanza("😀").toString(),
    "<m xmlns='jabber:client' x='😀' from='ä@b/€' id='1'><body>h😀&lt;&amp;ä</body><x xmlns='urn:x' n='1'/></m>",
  );
  assert.equal(
    stanza("xml:lang").toString(),
    "<m xml:lang='en' xmlns:nsb='urn:p' nsb:a='1' a='2'>one<b xmlns='urn:p' xmlns:nsa='urn:p' nsa:c='3'/>two<b xmlns='urn:q'/></m>",
  );
});

test("an attribute's record has no prototype", () => {
  const attrs = stanza("😀").attrs();
  assert.equal(Object.getPrototypeOf(attrs), null);
  assert.equal(attrs.constructor, undefined);
});

test("a name that is not a string is an error", () => {
  for (const name of [undefined, null, 7]) {
    assert.throws(() => stanza("<a/>").attr(name), { name: "XmppError", code: "bad-argument" });
    assert.throws(() => stanza("<a/>").child(name), { name: "XmppError", code: "bad-argument" });
  }
});

/** As the module packs `<a to='…'>…</a>`. */
function large(to, text) {
  const end = 3 + to.length;
  return [new TextEncoder().encode(`ato${to}${text}`), Uint32Array.of(14, 2, 14, 0, 0, 1, 0, 1, 3, 3, end, 1, end, end + text.length)];
}

test("a megabyte that is kept for long is unchanged", () => {
  const text = "😀".repeat(250_000);
  const kept = stanzaOf(...large("😀", text));
  const name = kept.name;
  // Others come and go meanwhile.
  for (let number = 0; number < 1_000; number += 1) assert.equal(stanza("second").text("body"), "first");
  assert.equal(name, "a");
  assert.equal(kept.to, "😀");
  assert.equal(kept.text(), text);
  assert.equal(kept.toString().length, text.length + "<a to='😀'></a>".length);
});

test("a text that is not read is not decoded", (context) => {
  const decode = context.mock.method(TextDecoder.prototype, "decode");
  const unread = stanzaOf(...large("b", "x".repeat(65_536)));
  assert.equal(decode.mock.callCount(), 0);
  assert.equal(unread.to, "b");
  assert.equal(unread.text().length, 65_536);
  assert.equal(decode.mock.callCount(), 1);
});

test("a part of a frame is read from the frame, and the words are copied", () => {
  const frame = "<message><x xmlns='urn:x' n='1'>one</x></message>&<";
  const at = (piece) => [frame.indexOf(piece), frame.indexOf(piece) + piece.length];
  // An element with as many texts as make the words many.
  for (const texts of [1, 200]) {
    const end = 11 + 3 * texts;
    const pieces = Array.from({ length: texts }, (_, index) => [1, ...(index ? [frame.length - 2, frame.length] : at("one"))]);
    const words = Uint32Array.of(end, 2, end, 3, ...at("x"), 0, ...at("n"), ...at("1"), ...pieces.flat(), ...at("urn:x"));
    const view = stanzaOf(frame, words);
    words.fill(0);
    assert.deepEqual([view.name, view.ns, view.attr("n"), view.text()], ["x", "urn:x", "1", "one" + "&<".repeat(texts - 1)]);
    assert.equal(view.toString(), `<x xmlns='urn:x' n='1'>one${"&amp;&lt;".repeat(texts - 1)}</x>`);
  }
});

test("a freed view cannot be read, another view of the same stanza can", () => {
  const message = stanza("second");
  const body = message.child("body");
  message.free();
  message.free();
  for (const use of [() => message.name, () => message.attr("to"), () => message.children(), () => message.text(), () => String(message)]) {
    assert.throws(use, { name: "XmppError", code: "freed" });
  }
  assert.equal(body.text(), "first");
});

test("a stanza id is read only from its assigner: the room, the own account, the sending service", () => {
  const room = stanza("lobby@rooms");
  assert.equal(room.stanzaId("lobby@rooms"), "5f3d");
  assert.equal(room.originId, "de30");
  const chat = stanza("juliet@b/c");
  assert.equal(chat.stanzaId("romeo@a"), "28f4");
  assert.equal(chat.originId, undefined);
});

test("a stanza id that the sender may have forged is not read", () => {
  // A room replaces ids of its own, not those that a sender writes in the name of the account.
  assert.equal(stanza("lobby@rooms").stanzaId("romeo@a"), undefined);
  assert.equal(stanza("juliet@b/c").stanzaId("juliet@b"), undefined);
  assert.equal(stanza("juliet@b/c").stanzaId("c"), undefined);
  // Two of one `by`: one is faked.
  assert.equal(stanza("twice").stanzaId("feeds.a"), undefined);
  assert.equal(stanza("bounced").stanzaId("romeo@a"), undefined);
  assert.throws(() => stanza("bounced").stanzaId(), { code: "bad-argument" });
});
