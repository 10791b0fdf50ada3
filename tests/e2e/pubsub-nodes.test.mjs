// Nodes rather than items (XEP-0060): parts of what a node holds, own subscriptions and affiliations, options, metadata, and what
// an owner does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVER, environment } from "./support.mjs";

const env = environment();

async function pubsubPage() {
  const page = await env.page();
  await page.evaluate(({ pubsub }) => {
    window.SERVICE = pubsub;
    window.entry = (text) => epode.xml`<entry xmlns="urn:example:feed"><title>${text}</title></entry>`;
  }, env.names);
  return page;
}

test("a node's items in parts, where the service has them; one item by its id", async () => {
  const page = await pubsubPage();
  const owner = await env.account();
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, node }) => {
      const client = await epode.connect(BOSH, owner);
      const { pubsub } = client;
      await pubsub.createNode(node, { config: { max_items: 100 } });
      for (let index = 0; index < 7; index += 1) await pubsub.publish(node, entry(`title ${index}`), { id: `i${index}` });
      const ids = (items) => items.map(({ id }) => id);
      const result = { pages: [] };
      let after;
      for (;;) {
        const items = await pubsub.items(node, after === undefined ? { max: 3, index: 0 } : { max: 3, after });
        result.pages.push({ ids: ids(items), index: items.page?.index, count: items.page?.count, array: Array.isArray(items) });
        after = items.page?.last;
        if (!items.page || items.length === 0 || items.page.index + items.length >= items.page.count) break;
      }
      const last = await pubsub.items(node, { max: 2, before: "" });
      result.last = ids(last);
      result.previous = last.page && ids(await pubsub.items(node, { max: 2, before: last.page.first }));
      result.newest = ids(await pubsub.items(node, { max: 2 }));
      const item = await pubsub.item(node, "i3", { decode: (payload) => payload.text("title") });
      result.item = [item.id, item.node, item.value, item.via];
      result.none = await pubsub.item(node, "i99").catch(({ condition }) => condition);
      result.index = await failure(pubsub.items(node, { index: -1 }));
      result.id = await failure(pubsub.item(node, 3));
      await client.disconnect();
      return result;
    },
    { owner, node },
  );
  const all = ["i0", "i1", "i2", "i3", "i4", "i5", "i6"];
  if (SERVER === "ejabberd") {
    assert.deepEqual(
      result.pages.map(({ ids }) => ids),
      [all.slice(0, 3), all.slice(3, 6), all.slice(6)],
    );
    assert.deepEqual(
      result.pages.map(({ index, count }) => [index, count]),
      [
        [0, 7],
        [3, 7],
        [6, 7],
      ],
    );
    assert.deepEqual(result.last, ["i5", "i6"]);
    assert.deepEqual(result.previous, ["i3", "i4"]);
  } else {
    // Prosody 0.12 knows no parts: everything comes, and says nothing about a page.
    assert.deepEqual(result.pages, [{ ids: all, index: undefined, count: undefined, array: true }]);
    assert.deepEqual(result.last, all);
  }
  assert.ok(result.pages.every(({ array }) => array));
  assert.deepEqual(result.newest, ["i5", "i6"]);
  assert.deepEqual(result.item, ["i3", node, "title 3", "items"]);
  assert.ok([undefined, "item-not-found"].includes(result.none), result.none);
  assert.equal(result.index.code, "bad-argument");
  assert.equal(result.id.code, "bad-argument");
});

test("own subscriptions and affiliations, options of a subscription, nodes and their descriptions", async () => {
  const page = await pubsubPage();
  const [owner, reader] = await env.accounts(2);
  const [node, other] = [env.name("node"), env.name("node")];
  const result = await page.evaluate(
    async ({ owner, reader, node, other }) => {
      const [publisher, client] = await inTurn([owner, reader], (account) => epode.connect(BOSH, account));
      await publisher.pubsub.createNode(node, { config: { title: "A <title>", description: "What it is about", access_model: "open" } });
      await publisher.pubsub.createNode(other, { config: { access_model: "open" } });
      await client.pubsub.subscribe(node);
      const feed = await client.pubsub.subscribe(other);
      const result = { subid: feed.subid };
      const sorted = (list) => list.sort((a, b) => (a.node < b.node ? -1 : 1));
      result.subscriptions = sorted(await client.pubsub.subscriptions());
      result.one = await client.pubsub.subscriptions({ node: other });
      result.none = await publisher.pubsub.subscriptions({ node });
      result.affiliations = await publisher.pubsub.affiliations().catch(describe);
      result.nodes = (await client.pubsub.nodes()).filter((found) => found.node === node);
      result.metadata = await client.pubsub.metadata(node);
      result.service = await client.pubsub.metadata("");
      const { subid } = feed;
      result.options = await client.pubsub.options(other, { subid }).catch(describe);
      result.set = await client.pubsub.setOptions(other, { include_body: true }, { subid }).catch(describe);
      result.changed = await client.pubsub.options(other, { subid }).catch(describe);
      result.stranger = await failure(client.pubsub.options(other, { jid: owner.jid }));
      result.defaults = await client.pubsub.defaultOptions().catch(describe);
      result.values = await failure(client.pubsub.setOptions(other, "include_body"));
      await Promise.all([publisher.disconnect(), client.disconnect()]);
      return result;
    },
    { owner, reader, node, other },
  );
  const held = (name) => ({ node: name, jid: reader.jid, state: "subscribed" });
  const shown = ({ node: name, jid, state }) => ({ node: name, jid, state });
  assert.deepEqual(result.subscriptions.map(shown), [node, other].sort().map(held));
  assert.deepEqual(result.one.map(shown), [held(other)]);
  assert.deepEqual(result.none, []);
  assert.equal(result.one[0].subid, result.subid);
  if (SERVER === "ejabberd") {
    assert.deepEqual([result.affiliations[node], result.affiliations[other]], ["owner", "owner"]);
  } else {
    // Prosody 0.12 does not tell.
    assert.equal(result.affiliations.code, "stanza-error");
  }
  assert.equal(result.nodes.length, 1);
  assert.equal(result.nodes[0].jid, env.names.pubsub);
  const { identities, features, values, fields } = result.metadata;
  assert.ok(identities.some(({ category, type }) => category === "pubsub" && type === "leaf"));
  assert.ok(Array.isArray(features));
  assert.equal(values.title, "A <title>");
  assert.ok(fields.some(({ name, value }) => name === "description" && value === "What it is about"));
  assert.equal("FORM_TYPE" in values, false);
  assert.ok(result.service.identities.some(({ category, type }) => category === "pubsub" && type === "service"));
  assert.ok(result.service.features.includes("http://jabber.org/protocol/pubsub#publish"));
  if (SERVER === "prosody") {
    assert.deepEqual(result.options.values, { include_body: false });
    assert.equal(result.options.fields[0].type, "boolean");
    assert.equal(result.set, undefined);
    assert.deepEqual(result.changed.values, { include_body: true });
  } else {
    // ejabberd's nodes of type "flat" have no options.
    for (const refused of [result.options, result.set, result.changed]) {
      assert.equal(refused.condition, "feature-not-implemented");
      assert.equal(refused.application, "unsupported");
      assert.match(refused.message, /This service cannot do that/);
    }
  }
  assert.equal(result.stranger.code, "stanza-error");
  assert.equal(result.defaults.code, "stanza-error");
  assert.equal(result.values.code, "bad-argument");
});

test("an owner configures a node and reads its configuration", async () => {
  const page = await pubsubPage();
  const [owner, other] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, other, node }) => {
      const [client, stranger] = await inTurn([owner, other], (account) => epode.connect(BOSH, account));
      const { pubsub } = client;
      await pubsub.createNode(node, { config: { title: "before", "pubsub#max_items": 5, persist_items: true } });
      const result = { before: await pubsub.configuration(node) };
      await pubsub.configure(node, { title: "after", max_items: 7, notify_retract: true });
      result.after = (await pubsub.configuration(node)).values;
      result.defaults = (await pubsub.defaultConfiguration()).values;
      result.forbidden = await failure(stranger.pubsub.configuration(node));
      result.missing = await failure(pubsub.configure("no such node", { title: "x" }));
      result.odd = await failure(pubsub.configure(node, { max_items: "many" }));
      result.nothing = await failure(pubsub.configure(node));
      await Promise.all([client.disconnect(), stranger.disconnect()]);
      return result;
    },
    { owner, other, node },
  );
  const { before, after, defaults } = result;
  assert.equal(before.values.title, "before");
  assert.equal(before.values.max_items, "5");
  assert.equal(before.values.persist_items, true);
  const access = before.fields.find(({ name }) => name === "access_model");
  assert.equal(access.type, "list-single");
  assert.ok(access.options.some(({ value }) => value === "whitelist"));
  assert.equal(access.value, before.values.access_model);
  assert.equal(access.required, false);
  assert.ok(before.fields.every(({ name }) => name !== "FORM_TYPE" && !name.startsWith("pubsub#")));
  assert.equal(after.title, "after");
  assert.equal(after.max_items, "7");
  assert.equal(after.notify_retract, true);
  assert.equal(after.access_model, before.values.access_model, "what was not given stays");
  assert.equal(typeof defaults.persist_items, "boolean");
  assert.equal(result.forbidden.condition, "forbidden");
  assert.equal(result.missing.condition, { prosody: "forbidden", ejabberd: "item-not-found" }[SERVER]);
  assert.equal(result.odd.condition, { prosody: "bad-request", ejabberd: "resource-constraint" }[SERVER]);
  assert.equal(result.nothing.code, "bad-argument");
});

test("an owner reads and sets subscriptions and affiliations, and purges the node", async () => {
  const page = await pubsubPage();
  const [owner, reader, writer] = await env.accounts(3);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, writer, node }) => {
      const clients = await inTurn([owner, reader, writer], (account) => epode.connect(BOSH, account));
      const [client, reading, writing] = clients;
      const { pubsub } = client;
      await pubsub.createNode(node, { config: { access_model: "whitelist", publish_model: "publishers", notify_retract: true } });
      const result = { closed: await failure(writing.pubsub.publish(node, entry("no"))) };
      await pubsub.setAffiliates(node, { [writer.jid]: "publisher", [reader.jid]: "member" });
      result.affiliates = await pubsub.affiliates(node);
      const items = inbox("an item");
      const ended = inbox("an end");
      const purged = inbox("a purge");
      const feed = await reading.pubsub.subscribe(node, items.push);
      feed.on("end", ended.push);
      feed.on("purge", purged.push);
      await writing.pubsub.publish(node, entry("yes"), { id: "1" });
      await items.until(1);
      result.subscribers = await pubsub.subscribers(node);
      await pubsub.purge(node);
      await purged.until(1);
      result.left = (await pubsub.items(node)).length;
      await pubsub.setSubscribers(node, [{ jid: reader.jid, state: "none", subid: result.subscribers[0].subid }]);
      result.after = (await pubsub.subscribers(node)).filter(({ state }) => state !== "none");
      await pubsub.setAffiliates(node, { [writer.jid]: "none" });
      result.taken = await failure(writing.pubsub.publish(node, entry("no more")));
      result.stranger = await failure(writing.pubsub.subscribers(node));
      result.state = await failure(pubsub.setSubscribers(node, [{ jid: reader.jid, state: "approved" }]));
      result.list = await failure(pubsub.setSubscribers(node, { jid: reader.jid, state: "none" }));
      result.jid = await failure(pubsub.setAffiliates(node, { "not a jid": "owner" }));
      await Promise.all(clients.map((one) => one.disconnect()));
      return result;
    },
    { owner, reader, writer, node },
  );
  assert.equal(result.closed.condition, "forbidden");
  assert.deepEqual(result.affiliates, { [owner.jid]: "owner", [writer.jid]: "publisher", [reader.jid]: "member" });
  assert.deepEqual(
    result.subscribers.map(({ jid, state }) => ({ jid, state })),
    [{ jid: reader.jid, state: "subscribed" }],
  );
  assert.equal(result.left, 0);
  assert.deepEqual(result.after, []);
  assert.equal(result.taken.condition, "forbidden");
  assert.equal(result.stranger.condition, "forbidden");
  for (const key of ["state", "list"]) {
    assert.equal(result[key].code, "bad-argument");
    assert.match(result[key].message, /array of \{ jid, state \}/);
  }
  assert.equal(result.jid.code, "bad-jid");
});
