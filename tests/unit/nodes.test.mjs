// Requests to a pubsub service, and what is read of its replies (`packed.json`: see stanza.test.mjs).

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { importSources } from "../../scripts/lib/typescript.mjs";

const nodes = await importSources("nodes", "stanza");
const table = JSON.parse(fs.readFileSync(new URL("packed.json", import.meta.url), "utf8"));
function reply(hint) {
  const { text, words } = table.find(({ xml }) => xml.includes(hint));
  return nodes.stanzaOf(text, Uint32Array.from(words));
}
const SERVICE = "pubsub.example.org";
const NS = "http://jabber.org/protocol/pubsub";
const written = (request) => request(SERVICE).toString();

test("a configuration is values by name and fields in order", () => {
  const { values, fields } = nodes.readConfiguration(reply("<configure>"));
  assert.deepEqual({ ...values, ["__proto__"]: undefined }, { title: "News", deliver: true, access: "open", ["__proto__"]: undefined });
  assert.equal(Object.getPrototypeOf(values), null);
  assert.equal(values.constructor, undefined);
  assert.deepEqual(values["__proto__"], ["1"]);
  assert.deepEqual(fields.map(({ name }) => name), ["__proto__", "title", "deliver", "access"]);
  assert.deepEqual(fields[1], { name: "title", type: "text-single", label: "Title", description: undefined, required: false, value: "News", options: [] });
  assert.deepEqual(fields[3], {
    name: "access",
    type: "list-single",
    label: undefined,
    description: "Who",
    required: true,
    value: "open",
    options: [{ value: "open", label: "All" }],
  });
});

test("affiliations are a record without a prototype", () => {
  const record = nodes.readAffiliations(reply("<affiliations>"));
  assert.equal(Object.getPrototypeOf(record), null);
  assert.equal(record["__proto__"], "owner");
  assert.equal(record.n, "member");
  assert.equal(record.constructor, undefined);
});

test("items, and their part of the node", () => {
  const items = nodes.readItems(reply("<items"), "n");
  assert.deepEqual(items.map(({ id, publisher }) => [id, publisher]), [["1", "a@b"], [undefined, undefined]]);
  assert.deepEqual(items.map(({ payload }) => payload?.name), ["p", undefined]);
  assert.deepEqual(nodes.readPage(reply("<items")), { first: "x", last: undefined, index: 3, count: 7 });
  assert.equal(nodes.readPage(reply("<affiliations>")), undefined);
});

test("a request contains what was asked for", () => {
  const iq = (type, payload) => `<iq xmlns="jabber:client" type="${type}" to="${SERVICE}">${payload}</iq>`;
  const pubsub = (payload) => `<pubsub xmlns="${NS}">${payload}</pubsub>`;
  assert.equal(written(nodes.items("n", {}, [], undefined)), iq("get", pubsub('<items node="n"></items>')));
  assert.equal(written(nodes.items("n", { max: 2 }, ["a"], "s")), iq("get", pubsub('<items node="n" max_items="2" subid="s"><item id="a"/></items>')));
  assert.equal(
    written(nodes.items("n", { max: 2, before: "" }, [], undefined)),
    iq("get", pubsub('<items node="n"/><set xmlns="http://jabber.org/protocol/rsm"><max>2</max><before></before></set>')),
  );
  assert.equal(written(nodes.retract("n", "<1>", false)), iq("set", pubsub('<retract node="n"><item id="&lt;1&gt;"/></retract>')));
  assert.equal(written(nodes.create("", [])), iq("set", pubsub("<create/>")));
  assert.match(written(nodes.publish("n", undefined, undefined, [["pubsub#a", ["1"]]])), /<publish node="n"><item><\/item><\/publish><publish-options>/);
  assert.match(written(nodes.setSubscribers("n", [{ jid: "A@b", state: "none" }])), /<subscription jid="a@b" subscription="none"\/>/);
  for (const wrong of [undefined, {}, [{ jid: "a" }], [{ jid: "a", state: "x" }], [7]]) {
    assert.throws(() => nodes.setSubscribers("n", wrong), { code: "bad-argument" });
  }
});
