// Feeds as a whole: what a node holds, then what is published, then what was missed, as one sequence; and where something is
// missing, that is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SERVER, environment } from "./support.mjs";

// What a node holds is to be there when the server comes back.
const env = environment({ server: { persistent: true } });

/** A page with `follow`, which writes down what a feed tells, and `entry`, which is something to publish. */
async function prepare(page) {
  await page.evaluate(() => {
    const { xml } = epode;
    window.entry = (text) => xml`<entry xmlns="urn:example:feed"><title>${text}</title></entry>`;
    /** What happens, in words, in its order; `until` waits for a word. */
    window.follow = async (client, node, options) => {
      const told = inbox(`a change of ${node}`);
      const feed = await client.pubsub.subscribe(node, ({ id, via }) => told.push(`${via} ${id}`), options);
      feed.on("retract", ({ id, via, node: name }) => told.push(`${via} -${id}${name === node ? "" : name}`));
      feed.on("purge", () => told.push("purge"));
      feed.on("gap", ({ after, before }) => told.push(`gap ${after}..${before}`));
      feed.on("live", () => told.push("live!"));
      feed.on("end", () => told.push("end"));
      return { feed, log: told.got, until: (word) => told.untilAny((one) => one === word) };
    };
    window.purge = (client, node, service) =>
      client.request(xml`<iq type="set" to="${service}"><pubsub xmlns="http://jabber.org/protocol/pubsub#owner"><purge node="${node}"/></pubsub></iq>`);
    /** One after the other, in this order. */
    window.publishAll = async (client, node, ids) => {
      for (const id of ids) await client.pubsub.publish(node, entry(id), { id });
    };
  });
  return page;
}

const feedPage = async () => prepare(await env.page());

/** A page where `publisher` has made the node, with the ids published to it. */
async function publishing(node, { config, ids = [] } = {}) {
  const [page, owner] = [await feedPage(), await env.account()];
  await page.evaluate(
    async ({ owner, node, config, ids }) => {
      window.connected = async () => (window.publisher = await epode.connect(BOSH, owner));
      await connected();
      await publisher.pubsub.createNode(node, { config: { access_model: "open", notify_retract: true, ...config } });
      await publishAll(publisher, node, ids);
    },
    { owner, node, config, ids },
  );
  return page;
}

const publish = (page, node, ids) => page.evaluate(({ node, ids }) => publishAll(publisher, node, ids), { node, ids });

test("what a node holds comes first, then what happens; the map holds what is there, the newest publication last", async () => {
  const node = env.name("node");
  const page = await publishing(node, { ids: ["a", "b", "c"] });
  const reader = await env.account();
  const result = await page.evaluate(
    async ({ reader, node, pubsub }) => {
      const client = await epode.connect(BOSH, reader);
      const { feed, log, until } = await follow(client, node);
      await until("live!");
      const { items } = feed;
      const keys = () => [...items.keys()].join("");
      const maps = [items instanceof Map, keys(), items.get("b").payload.text("title"), items.get("b").via];
      await publishAll(publisher, node, ["d", "a"]);
      await until("live a");
      maps.push(keys(), items.get("a").via);
      await publisher.pubsub.retract(node, "b", { notify: true });
      await until("live -b");
      maps.push(keys());
      await purge(publisher, node, pubsub);
      await until("purge");
      maps.push(keys(), items.size);
      await publishAll(publisher, node, ["e"]);
      await until("live e");
      feed.close();
      maps.push(keys(), feed.items === items);
      await publisher.disconnect();
      await client.disconnect();
      return { log, maps, position: typeof feed.position };
    },
    { reader, node, ...env.names },
  );
  const began = ["snapshot a", "snapshot b", "snapshot c", "live!"];
  assert.deepEqual(result.log, [...began, "live d", "live a", "live -b", "purge", "live e", "end"]);
  assert.deepEqual(result.maps, [true, "abc", "b", "snapshot", "bcda", "live", "cda", "", 0, "e", true]);
  assert.equal(result.position, "string");
});

test("without a snapshot, with few, as a full JID, with options: what was asked for", async () => {
  const node = env.name("node");
  const page = await publishing(node, { ids: ["a", "b", "c", "d"] });
  const reader = await env.account();
  const result = await page.evaluate(
    async ({ reader, node }) => {
      const client = await epode.connect(BOSH, reader);
      const none = await follow(client, node, { snapshot: false });
      const few = await follow(client, node, { limit: 2, jid: "full", options: { deliver: true } });
      await Promise.all([none.until("live!"), few.until("live!")]);
      await publishAll(publisher, node, ["e"]);
      await Promise.all([none.until("live e"), few.until("live e")]);
      const refused = {};
      for (const [name, options] of Object.entries({
        limit: { limit: 0 },
        much: { limit: 100_001 },
        jid: { jid: "mine" },
        snapshot: { snapshot: "yes" },
        since: { since: "1.2.3" },
        other: { since: none.feed.position.replace(/^1\../, "1.0") },
      })) {
        refused[name] = await failure(client.pubsub.subscribe(node, options));
      }
      const elsewhere = await failure(client.pubsub.subscribe(`${node}x`, { since: none.feed.position }));
      const jids = [none.feed.subscriber, few.feed.subscriber === client.jid];
      await Promise.all([client.disconnect(), publisher.disconnect()]);
      return { none: none.log, few: few.log, keys: [[...none.feed.items.keys()], [...few.feed.items.keys()]], jids, refused, elsewhere };
    },
    { reader, node },
  );
  assert.deepEqual(result.none, ["live!", "live e", "end"]);
  assert.deepEqual(result.few, ["snapshot c", "snapshot d", "live!", "live e", "end"]);
  assert.deepEqual(result.keys, [["e"], ["d", "e"]]);
  assert.deepEqual(result.jids, [reader.jid, true]);
  for (const [name, { code, message }] of Object.entries(result.refused)) {
    assert.equal(code, "bad-argument", name);
    assert.match(message, new RegExp(`'${{ much: "limit", other: "since" }[name] ?? name}'`));
  }
  assert.match(result.refused.since.message, /not a position of this feed/);
  assert.equal(result.elsewhere.code, "bad-argument");
});

test("over a reload with since: what was published meanwhile, each once, in order, and no gap", async () => {
  const node = env.name("node");
  const other = await publishing(node, { ids: ["a", "b"] });
  const [page, reader] = [await feedPage(), await env.account()];
  const begin = (live) =>
    page.evaluate(
      async ({ reader, node, live }) => {
        window.client = await epode.connect(BOSH, reader);
        const { since } = sessionStorage;
        const followed = await follow(client, node, { since });
        window.followed = followed;
        addEventListener("pagehide", () => (sessionStorage.since = followed.feed.position));
        await followed.until(live);
        return [...followed.log];
      },
      { reader, node, live },
    );
  assert.deepEqual(await begin("live!"), ["snapshot a", "snapshot b", "live!"]);
  await publish(other, node, ["c"]);
  await page.evaluate(() => followed.until("live c"));
  for (const round of [1, 2, 3]) {
    await page.reload();
    await page.waitForFunction(() => window.ready);
    await prepare(page);
    const ids = [`${round}x`, `${round}y`, `${round}z`];
    await publish(other, node, ids);
    assert.deepEqual(await begin("live!"), [...ids.map((id) => `catch-up ${id}`), "live!"]);
    await publish(other, node, [`${round}!`]);
    await page.evaluate((word) => followed.until(word), `live ${round}!`);
  }
  // Nothing was missed, and nothing comes.
  await page.reload();
  await page.waitForFunction(() => window.ready);
  await prepare(page);
  assert.deepEqual(await begin("live!"), ["live!"]);
});

test("a node that keeps three, and ten are published while the server has forgotten us: one gap, after and before the right ones", async () => {
  const node = env.name("node");
  const other = await publishing(node, { config: { max_items: 3, persist_items: true }, ids: ["a", "b", "c"] });
  const [page, reader] = [await feedPage(), await env.account()];
  await page.evaluate(
    async ({ reader, node }) => {
      window.client = await epode.connect(BOSH, { ...reader, reconnect: { least: 100, most: 500 } });
      window.followed = await follow(client, node);
      await followed.until("live!");
    },
    { reader, node },
  );
  await publish(other, node, ["d"]);
  await page.evaluate(() => followed.until("live d"));
  // Nothing gets through to the page until all is published.
  await page.route("**/http-bind", (route) => route.abort());
  // COMPAT(ejabberd): what it was told is on its disk some seconds later.
  if (SERVER === "ejabberd") await sleep(5_000);
  await env.crash();
  await other.evaluate(async () => {
    publisher.free();
    await connected();
  });
  const ids = Array.from({ length: 10 }, (_, index) => `n${index}`);
  await publish(other, node, ids);
  await page.unroute("**/http-bind");
  const result = await page.evaluate(async () => {
    await followed.until("catch-up n9");
    await followed.until("live!");
    await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    return { log: followed.log.slice(followed.log.indexOf("live d") + 1), keys: [...followed.feed.items.keys()] };
  });
  // ejabberd tells what goes because of the limit, Prosody does not.
  const gone = result.log.filter((word) => / -/.test(word)).map((word) => word.replace(/.* /, ""));
  const rest = result.log.filter((word) => !/ -/.test(word));
  assert.deepEqual(rest, ["gap d..n7", "catch-up n7", "catch-up n8", "catch-up n9", "live!"]);
  assert.deepEqual(gone.sort(), ["-a", "-b", "-c", "-d"]);
  assert.deepEqual(result.keys, ["n7", "n8", "n9"]);
  await publish(other, node, ["after"]);
  await page.evaluate(() => followed.until("live after"));
});

test("a node that was deleted and created again meanwhile: a gap", async () => {
  const node = env.name("node");
  const page = await publishing(node, { ids: ["a", "b"] });
  const reader = await env.account();
  const log = await page.evaluate(
    async ({ reader, node }) => {
      const client = await epode.connect(BOSH, reader);
      const before = await follow(client, node);
      await before.until("live!");
      await client.disconnect();
      const since = before.feed.position;
      await publisher.pubsub.deleteNode(node);
      await publisher.pubsub.createNode(node, { config: { access_model: "open" } });
      await publishAll(publisher, node, ["x", "y"]);
      await client.connect();
      const after = await follow(client, node, { since });
      await after.until("live!");
      await Promise.all([client.disconnect(), publisher.disconnect()]);
      return after.log;
    },
    { reader, node },
  );
  assert.deepEqual(log, ["gap b..x", "catch-up x", "catch-up y", "live!", "end"]);
});

test("batch: all kinds of changes in one order, at most once a frame; what waits comes at the end", async () => {
  const node = env.name("node");
  const page = await publishing(node, { ids: ["a", "b", "c"] });
  const reader = await env.account();
  const result = await page.evaluate(
    async ({ reader, node, pubsub }) => {
      const client = await epode.connect(BOSH, reader);
      let frame = 0;
      const count = () => {
        frame += 1;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      const words = inbox("a change");
      const frames = [];
      const feed = await client.pubsub.subscribe(node);
      const first = [];
      const batches = feed.on("batch", (changes) => {
        frames.push(frame);
        for (const { type, item, id, via, after, before } of changes) words.push([type, item?.id ?? id, item?.via ?? via, after, before].filter(Boolean).join(" "));
        first.push(Object.keys(changes[0]).join());
      });
      await words.untilAny((word) => word === "live");
      const all = [];
      for (let number = 0; number < 60; number += 1) all.push(publisher.pubsub.publish(node, entry(number), { id: `${number}` }));
      all.push(publisher.pubsub.retract(node, "b"));
      await Promise.all(all);
      await purge(publisher, node, pubsub);
      await words.untilAny((word) => word === "purge");
      const before = words.got.length;
      const last = inbox("an item");
      feed.on("item", ({ id }) => last.push(id));
      await publishAll(publisher, node, ["last"]);
      await last.until(1);
      // Its frame has been, or it comes now.
      feed.close();
      const flushed = words.got.length > before;
      batches.remove();
      const late = await follow(client, node, { snapshot: false });
      const none = [];
      late.feed.on("batch", (changes) => none.push(changes)).remove();
      await publishAll(publisher, node, ["unheard"]);
      await late.until("live unheard");
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const wrong = await failure(() => late.feed.on("batch", "not a function"));
      await Promise.all([client.disconnect(), publisher.disconnect()]);
      return { words: words.got, frames, first: first[0], flushed, last: last.got, none: none.length, wrong };
    },
    { reader, node, ...env.names },
  );
  const numbers = Array.from({ length: 60 }, (_, index) => `item ${index} live`);
  const began = ["item a snapshot", "item b snapshot", "item c snapshot", "live"];
  assert.deepEqual(result.words, [...began, ...numbers, "retract b live", "purge", "item last live"]);
  assert.equal(result.first, "type,item");
  // What comes with the end does not wait for a frame.
  const frames = result.frames.slice(0, -1);
  assert.equal(new Set(frames).size, frames.length, `frames of the batches: ${frames}`);
  assert.equal(result.flushed, true);
  assert.deepEqual(result.last, ["last"]);
  assert.equal(result.none, 0);
  assert.equal(result.wrong.code, "bad-argument");
});

test("an AbortSignal: before, while it is asked, and later", async () => {
  const node = env.name("node");
  const page = await publishing(node);
  const reader = await env.account();
  const result = await page.evaluate(
    async ({ reader, node }) => {
      const client = await epode.connect(BOSH, reader);
      const before = await failure(client.pubsub.subscribe(node, { signal: AbortSignal.abort("before") }));
      const asking = new AbortController();
      const asked = failure(client.pubsub.subscribe(node, { signal: asking.signal }));
      asking.abort("meanwhile");
      const during = await asked;
      const later = new AbortController();
      const followed = await follow(client, node, { signal: later.signal });
      await followed.until("live!");
      await publishAll(publisher, node, ["a"]);
      await followed.until("live a");
      later.abort();
      const state = followed.feed.state;
      await publishAll(publisher, node, ["b"]);
      await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      const { log } = followed;
      const items = [...followed.feed.items.keys()];
      await Promise.all([client.disconnect(), publisher.disconnect()]);
      return { before, during, state, log, items, position: typeof followed.feed.position };
    },
    { reader, node },
  );
  assert.deepEqual([result.before.code, result.before.cause], ["aborted", "before"]);
  assert.deepEqual([result.during.code, result.during.cause], ["aborted", "meanwhile"]);
  assert.deepEqual([result.state, result.position], ["none", "string"]);
  assert.deepEqual(result.log, ["live!", "live a", "end"]);
  assert.deepEqual(result.items, ["a"]);
});

test("a node that tells without payloads: they are fetched", async (t) => {
  const node = env.name("node");
  const page = await publishing(node, { config: { deliver_payloads: false } });
  const reader = await env.account();
  const result = await page.evaluate(
    async ({ reader, node }) => {
      const client = await epode.connect(BOSH, reader);
      const items = inbox("an item");
      const wire = [];
      client.on("received", (text) => text.includes("pubsub#event") && wire.push(text.includes("<title")));
      const feed = await client.pubsub.subscribe(node, items.push);
      await publishAll(publisher, node, ["a", "b", "c"]);
      await items.until(3);
      feed.close();
      await Promise.all([client.disconnect(), publisher.disconnect()]);
      return { items: items.got.map(({ id, payload }) => [id, payload?.text("title")]), wire };
    },
    { reader, node },
  );
  assert.deepEqual(result.items, [
    ["a", "a"],
    ["b", "b"],
    ["c", "c"],
  ]);
  t.diagnostic(`${SERVER} told payloads: ${result.wire}`);
});

test("in Node: a snapshot, then batches", async () => {
  const { connect, xml } = await env.node();
  const node = env.name("node");
  const [owner, reader] = await env.accounts(2);
  const publisher = await connect(env.server.bosh, owner);
  const put = (id) => publisher.pubsub.publish(node, xml`<n xmlns="urn:example:n">${id}</n>`, { id });
  await publisher.pubsub.createNode(node, { config: { access_model: "open" } });
  await put("a");
  const client = await connect(env.server.bosh, reader);
  const feed = await client.pubsub.subscribe(node);
  const words = [];
  const done = new Promise((resolve) => {
    feed.on("batch", (changes) => {
      for (const { type, item } of changes) words.push(item ? `${item.via} ${item.id}` : type);
      if (words.at(-1) === "live b") resolve();
      else if (words.at(-1) === "live") put("b");
    });
  });
  await done;
  await Promise.all([client.disconnect(), publisher.disconnect()]);
  assert.deepEqual(words, ["snapshot a", "live", "live b"]);
});
