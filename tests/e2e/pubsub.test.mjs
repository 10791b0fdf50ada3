// Live feeds (XEP-0060): what is published arrives, in order and complete, and nothing that only looks like it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVER, environment } from "./support.mjs";

const env = environment();

/** In every page: what the tests ask the service that the API has no word for. */
async function feedPage() {
  const page = await env.page();
  await page.evaluate(({ pubsub }) => {
    const { xml } = epode;
    const PUBSUB = "http://jabber.org/protocol/pubsub";
    window.SERVICE = pubsub;
    window.entry = (text) => xml`<entry xmlns="urn:example:feed"><title>${text}</title></entry>`;
    /** The subscriptions of an account to a node, as the service tells the account. */
    window.subscriptions = async (client, node) => {
      const reply = await client.request(xml`<iq type="get" to="${SERVICE}"><pubsub xmlns="${PUBSUB}"><subscriptions/></pubsub></iq>`);
      const all = reply.child("pubsub", PUBSUB).child("subscriptions").children("subscription");
      return all.filter((one) => one.attr("node") === node && one.attr("subscription") !== "none").map((one) => one.attr("jid"));
    };
    /** The subscribers of a node, as the service tells its owner. */
    window.subscribers = async (client, node) => {
      const owner = `${PUBSUB}#owner`;
      const reply = await client.request(xml`<iq type="get" to="${SERVICE}"><pubsub xmlns="${owner}"><subscriptions node="${node}"/></pubsub></iq>`);
      const all = reply.child("pubsub", owner).child("subscriptions").children("subscription");
      return all.filter((one) => one.attr("subscription") !== "none").map((one) => one.attr("jid"));
    };
  }, env.names);
  return page;
}

test("500 items that another client publishes arrive in order, none missing, each as it was published", async (t) => {
  const COUNT = 500;
  const [publishing, listening] = [await feedPage(), await feedPage()];
  const [owner, reader] = await env.accounts(2);
  const node = `/${env.name("blog")}/Post`;
  await publishing.evaluate(
    async ({ owner, node }) => {
      window.client = await epode.connect(BOSH, owner);
      await client.pubsub.createNode(node, { config: { max_items: 1000, access_model: "open" } });
    },
    { owner, node },
  );
  const feed = await listening.evaluate(
    async ({ reader, node }) => {
      window.client = await epode.connect(BOSH, reader);
      window.items = inbox("an item");
      const feed = await client.pubsub.subscribe(node, items.push);
      return { node: feed.node, service: feed.service, subscriber: feed.subscriber, state: feed.state };
    },
    { reader, node },
  );
  assert.deepEqual(feed, { node, service: env.names.pubsub, subscriber: reader.jid, state: "subscribed" });

  const [ids, items] = await Promise.all([
    publishing.evaluate(
      async ({ node, count }) => {
        const all = Array.from({ length: count }, (_, index) => client.pubsub.publish(node, entry(`title ${index} <&> 😀`), { id: `i${index}` }));
        return Promise.all(all);
      },
      { node, count: COUNT },
    ),
    listening.evaluate(async (count) => {
      const before = Date.now();
      const got = await items.until(count);
      return got.map(({ id, node, payload, publisher, time, receivedAt }) => ({
        id,
        node,
        publisher,
        time,
        title: payload.text("title", "urn:example:feed"),
        payload: [payload.name, payload.ns],
        date: receivedAt instanceof Date && receivedAt.getTime() >= before - 60_000 && receivedAt.getTime() <= Date.now(),
      }));
    }, COUNT),
  ]);
  assert.deepEqual(ids, Array.from({ length: COUNT }, (_, index) => `i${index}`));
  assert.equal(items.length, COUNT);
  for (const [index, item] of items.entries()) {
    assert.equal(item.id, `i${index}`);
    assert.equal(item.node, node);
    assert.equal(item.title, `title ${index} <&> 😀`);
    assert.deepEqual(item.payload, ["entry", "urn:example:feed"]);
    assert.equal(item.date, true);
    assert.equal(item.time, undefined);
    if (item.publisher !== undefined) assert.match(item.publisher, new RegExp(`^${owner.jid}(/|$)`));
  }
  t.diagnostic(`${SERVER} tells the publisher: ${items[0].publisher !== undefined}; requests in all: ${env.origin.counts["/http-bind"]}`);
  const total = await listening.evaluate(async () => {
    await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    return items.got.length;
  });
  assert.equal(total, COUNT);
});

test("items(), retract, unsubscribe, delete", async () => {
  const page = await feedPage();
  const [owner, reader] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, node }) => {
      const [publisher, client] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, reader)]);
      const { pubsub } = publisher;
      const result = { created: await pubsub.createNode(node, { config: { "pubsub#notify_retract": true, "pubsub#notify_delete": true, "pubsub#max_items": 10 } }) };
      const log = [];
      const item = inbox("an item");
      const retracted = inbox("a retraction");
      const ended = inbox("the end");
      const feed = await client.pubsub.subscribe(node);
      feed.on("item", ({ id }) => {
        log.push(`item ${id}`);
        item.push(id);
      });
      feed.on("retract", (event) => {
        log.push(`retract ${event.id} ${event.node === node}`);
        retracted.push(event.id);
      });
      feed.on("delete", ({ node: name, redirect }) => log.push(`delete ${name === node} ${redirect}`));
      feed.on("end", (event) => {
        log.push(`end ${event}`);
        ended.push(event);
      });

      for (const id of ["a", "b", "c"]) await pubsub.publish(node, entry(id), { id });
      await item.until(3);
      const own = await pubsub.publish(node, entry("d"));
      await item.until(4);
      result.chosen = own === item.got[3] && own.length > 0;
      await pubsub.retract(node, "b");
      await retracted.until(1);
      const list = async (options) => (await client.pubsub.items(node, options)).map(({ id, payload }) => [id === own ? "d" : id, payload.text("title")]);
      result.all = (await list()).sort();
      result.last = await list({ max: 1 });
      result.some = (await list({ ids: ["a", "c"] })).sort();
      const [a] = await client.pubsub.items(node, { ids: ["a"] });
      result.shape = [a.node === node, a.payload.ns, a.receivedAt instanceof Date, a.time === undefined || a.time instanceof Date];
      result.none = (await list({ ids: ["b"] }).catch(({ condition }) => condition)).length;

      await feed.unsubscribe();
      await ended.until(1);
      await feed.unsubscribe();
      result.unsubscribed = [feed.state, await subscriptions(client, node)];
      await pubsub.publish(node, entry("unheard"), { id: "unheard" });
      await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);

      const again = await client.pubsub.subscribe(node);
      const over = inbox("the second end");
      again.on("delete", ({ node: name, redirect }) => log.push(`again delete ${name === node} ${redirect}`));
      again.on("end", over.push);
      await pubsub.deleteNode(node);
      await over.until(1);
      result.missing = await failure(client.pubsub.items(node));
      result.twice = await failure(pubsub.deleteNode(node));
      await Promise.all([publisher.disconnect(), client.disconnect()]);
      return { ...result, own, log };
    },
    { owner, reader, node },
  );
  assert.equal(result.created, node);
  assert.equal(result.chosen, true);
  assert.deepEqual(result.all, [
    ["a", "a"],
    ["c", "c"],
    ["d", "d"],
  ]);
  assert.deepEqual(result.last, [["d", "d"]]);
  assert.deepEqual(result.some, [
    ["a", "a"],
    ["c", "c"],
  ]);
  assert.deepEqual(result.shape, [true, "urn:example:feed", true, true]);
  assert.deepEqual(result.unsubscribed, ["none", []]);
  assert.deepEqual(result.log, [
    "item a",
    "item b",
    "item c",
    `item ${result.own}`,
    "retract b true",
    "end undefined",
    "again delete true undefined",
  ]);
  assert.equal(result.missing.code, "stanza-error");
  assert.equal(result.missing.condition, "item-not-found");
  assert.equal(result.twice.code, "stanza-error");
  assert.equal(result.twice.condition, { prosody: "forbidden", ejabberd: "item-not-found" }[SERVER]);
});

test("a refusal of a service is an error with its condition", async () => {
  const page = await feedPage();
  const [owner, other] = await env.accounts(2);
  const node = env.name("node");
  const errors = await page.evaluate(
    async ({ owner, other, node }) => {
      const [one, two] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, other)]);
      await one.pubsub.createNode(node, { config: { access_model: "whitelist", publish_model: "publishers" } });
      const errors = {
        conflict: await failure(one.pubsub.createNode(node)),
        forbidden: await failure(two.pubsub.publish(node, entry("no"))),
        closed: await failure(two.pubsub.subscribe(node, () => {})),
        owner: await failure(two.pubsub.deleteNode(node)),
        nobody: await failure(one.pubsub.items(node, { service: "nobody@localhost", timeout: 10_000 })),
        markup: await failure(one.pubsub.publish(node, "text")),
        nothing: await failure(one.pubsub.publish(node, undefined)),
        service: await failure(one.pubsub.items(node, { service: "not a jid" })),
        node: await failure(one.pubsub.items(42)),
        callback: await failure(() => one.pubsub.subscribe(node, "not a function")),
        max: await failure(one.pubsub.items(node, { max: 0 })),
      };
      await Promise.all([one.disconnect(), two.disconnect()]);
      return errors;
    },
    { owner, other, node },
  );
  assert.equal(errors.conflict.condition, "conflict");
  assert.equal(errors.forbidden.condition, "forbidden");
  assert.ok(["not-allowed", "forbidden", "not-authorized"].includes(errors.closed.condition), errors.closed.condition);
  if (errors.closed.application) assert.equal(errors.closed.application, "closed-node");
  assert.equal(errors.owner.condition, "forbidden");
  assert.equal(errors.nobody.condition, { prosody: "forbidden", ejabberd: "item-not-found" }[SERVER]);
  for (const key of ["conflict", "forbidden", "closed", "owner", "nobody"]) assert.equal(errors[key].code, "stanza-error");
  assert.equal(errors.markup.code, "bad-stanza");
  assert.equal(errors.nothing.code, "bad-stanza");
  assert.equal(errors.service.code, "bad-jid");
  assert.equal(errors.node.code, "bad-argument");
  assert.equal(errors.callback.code, "bad-argument");
  assert.equal(errors.max.code, "bad-argument");
});

test("subscriptions of a full JID (without presence, and anonymous) are gone after disconnect, one of a bare JID stays", async () => {
  const page = await feedPage();
  const [owner, quiet, present] = await env.accounts(3);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, quiet, present, node, anonymousDomain, pubsub }) => {
      const publisher = await epode.connect(BOSH, owner);
      await publisher.pubsub.createNode(node, { config: { access_model: "open" } });
      const clients = {
        quiet: await epode.connect(BOSH, { ...quiet, presence: false }),
        anonymous: await epode.connect(BOSH, { domain: anonymousDomain, anonymous: true }),
        present: await epode.connect(BOSH, present),
      };
      const heard = {};
      const result = { subscribers: {}, jids: {} };
      for (const [key, client] of Object.entries(clients)) {
        heard[key] = inbox(`an item for ${key}`);
        const feed = await client.pubsub.subscribe(node, heard[key].push, { service: pubsub });
        result.subscribers[key] = feed.subscriber;
        result.jids[key] = client.jid;
      }
      await publisher.pubsub.publish(node, entry("for all"), { id: "1" });
      for (const box of Object.values(heard)) await box.until(1);
      result.during = await subscribers(publisher, node).catch(({ condition }) => condition);
      for (const client of Object.values(clients)) await client.disconnect();
      // The service works on what came before the answer to this.
      result.after = await subscribers(publisher, node).catch(({ condition }) => condition);
      result.told = {};
      for (const [key, account] of Object.entries({ quiet, present })) {
        const client = await epode.connect(BOSH, { ...account, presence: false });
        result.told[key] = await subscriptions(client, node);
        await client.disconnect();
      }
      await publisher.disconnect();
      return result;
    },
    { owner, quiet, present, node, ...env.names },
  );
  const { subscribers, jids, during, after, told } = result;
  assert.equal(subscribers.quiet, jids.quiet);
  assert.equal(subscribers.anonymous, jids.anonymous);
  assert.equal(subscribers.present, present.jid);
  assert.deepEqual([...during].sort(), Object.values(subscribers).sort());
  assert.deepEqual(after, [present.jid]);
  assert.deepEqual(told, { quiet: [], present: [present.jid] });
});

test("an event of another sender is not delivered, and is reported", async () => {
  const page = await feedPage();
  const [owner, reader, mallory] = await env.accounts(3);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, mallory, node }) => {
      const { connect, xml } = epode;
      const [publisher, client, liar] = await Promise.all([owner, reader, mallory].map((account) => connect(BOSH, account)));
      await publisher.pubsub.createNode(node);
      const items = inbox("an item");
      const errors = inbox("an error");
      const messages = inbox("a message");
      client.on("error", errors.push);
      client.addHandler(messages.push, { name: "message", from: liar.jid });
      const feed = await client.pubsub.subscribe(node, items.push);
      const other = [];
      for (const type of ["retract", "purge", "delete", "subscription", "configuration", "end"]) feed.on(type, () => other.push(type));
      const forge = (event) =>
        liar.send(xml`<message to="${client.jid}" type="headline"><event xmlns="http://jabber.org/protocol/pubsub#event">${event}</event></message>`);
      await forge(xml`<items node="${node}"><item id="lie" publisher="${owner.jid}">${entry("a lie")}</item></items>`);
      await forge(xml`<items node="${node}"><retract id="truth"/></items>`);
      await forge(xml`<purge node="${node}"/>`);
      await forge(xml`<delete node="${node}"/>`);
      await errors.until(4);
      await publisher.pubsub.publish(node, entry("the truth"), { id: "truth" });
      await items.until(1);
      const result = {
        items: items.got.map(({ id, payload }) => [id, payload.text("title")]),
        errors: errors.got.map(describe),
        other: [...other],
        state: feed.state,
        messages: (await messages.until(4)).length,
        liar: liar.jid,
      };
      await Promise.all([publisher, client, liar].map((one) => one.disconnect()));
      return result;
    },
    { owner, reader, mallory, node },
  );
  assert.deepEqual(result.items, [["truth", "the truth"]]);
  assert.deepEqual(result.other, []);
  assert.equal(result.state, "subscribed");
  // Handlers see the stanzas as they are: a message of who sent it.
  assert.equal(result.messages, 4);
  assert.equal(result.errors.length, 4);
  for (const error of result.errors) {
    assert.equal(error.code, "protocol-error");
    assert.ok(error.message.includes(result.liar), error.message);
    assert.match(error.stanza, /pubsub#event/);
  }
});

test("items before the first listener are kept and delivered in order; for await ends with the feed", async () => {
  const page = await feedPage();
  const [owner, reader] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, node }) => {
      const [publisher, client] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, reader)]);
      await publisher.pubsub.createNode(node, { config: { notify_retract: true } });
      const wire = inbox("an event on the wire");
      client.on("received", (text) => text.includes("pubsub#event") && wire.push(text));
      const listened = await client.pubsub.subscribe(node);
      const looped = await client.pubsub.subscribe(node);
      const publish = (id) => publisher.pubsub.publish(node, entry(id), { id });
      for (const id of ["1", "2", "3"]) await publish(id);
      await publisher.pubsub.retract(node, "2");
      await wire.until(4);

      const log = [];
      const got = inbox("an item for the listener");
      listened.on("item", ({ id }) => {
        log.push(id);
        got.push(id);
      });
      const within = log.length;
      await got.until(3);
      listened.on("retract", ({ id }) => {
        log.push(`-${id}`);
        got.push(id);
      });
      await got.until(4);
      const late = [];
      listened.on("item", ({ id }) => late.push(id));

      const loop = [];
      const one = inbox("an item in the loop");
      const looping = (async () => {
        for await (const { id } of looped) {
          loop.push(id);
          one.push(id);
        }
        loop.push("over");
      })();
      await publish("4");
      await one.until(4);
      await got.until(5);
      looped.close();
      await window.within(looping, "the end of the loop");
      // Closed is closed; the other feed of this node, and the subscription, live on.
      await publish("5");
      await got.until(6);
      const after = await subscriptions(client, node);

      // Leaving a loop leaves the feed as it is.
      const left = [];
      const leaving = (async () => {
        for await (const { id } of listened) {
          left.push(id);
          break;
        }
      })();
      await publish("6");
      await window.within(leaving, "the loop is left");
      await publish("7");
      await got.until(8);

      // With the connection, the feed ends.
      const last = [];
      const ending = (async () => {
        for await (const { id } of listened) last.push(id);
        last.push("over");
      })();
      await client.disconnect();
      await window.within(ending, "the loop ends with the connection");
      await publisher.disconnect();
      return { log, within, late, loop, after, left, last, state: listened.state };
    },
    { owner, reader, node },
  );
  assert.equal(result.within, 0);
  assert.deepEqual(result.log, ["1", "2", "3", "-2", "4", "5", "6", "7"]);
  assert.deepEqual(result.late, ["4", "5", "6", "7"]);
  assert.deepEqual(result.loop, ["1", "2", "3", "4", "over"]);
  assert.deepEqual(result.after, [reader.jid]);
  assert.deepEqual(result.left, ["6"]);
  assert.deepEqual(result.last, ["over"]);
  assert.equal(result.state, "none");
});

test("a snapshot above the usual limit of kept items waits for its listener without an error", async () => {
  const COUNT = 1_200;
  const page = await feedPage();
  const [owner, reader] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, node, count }) => {
      const [publisher, client] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, reader)]);
      await publisher.pubsub.createNode(node, { config: { max_items: 2_000 } });
      await Promise.all(Array.from({ length: count }, (_, index) => publisher.pubsub.publish(node, entry(index), { id: `${index}` })));
      const errors = [];
      client.on("error", (error) => errors.push(error.message));
      const feed = await client.pubsub.subscribe(node, { limit: 1_500 });
      const live = inbox("live");
      feed.on("live", live.push);
      await live.until(1);
      const held = feed.items.size;
      const ids = [];
      for await (const { id } of feed) {
        ids.push(id);
        if (ids.length === count) break;
      }
      await Promise.all([client.disconnect(), publisher.disconnect()]);
      return { errors, held, ids };
    },
    { owner, reader, node, count: COUNT },
  );
  assert.deepEqual(result.errors, []);
  assert.equal(result.held, COUNT);
  assert.deepEqual(result.ids, Array.from({ length: COUNT }, (_, index) => `${index}`));
});

test("a subscription of an earlier visit is ended by node", async () => {
  const page = await feedPage();
  const [owner, reader] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, node }) => {
      const [publisher, first] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, reader)]);
      await publisher.pubsub.createNode(node);
      (await first.pubsub.subscribe(node)).close();
      const closed = await subscriptions(first, node);
      await first.disconnect();
      const second = await epode.connect(BOSH, reader);
      const before = await subscriptions(second, node);
      await second.pubsub.unsubscribe(node);
      const after = await subscriptions(second, node);
      const twice = await failure(second.pubsub.unsubscribe(node));
      await Promise.all([publisher.disconnect(), second.disconnect()]);
      return { closed, before, after, twice };
    },
    { owner, reader, node },
  );
  assert.deepEqual(result.closed, [reader.jid]);
  assert.deepEqual(result.before, [reader.jid]);
  assert.deepEqual(result.after, []);
  assert.equal(result.twice.code, "stanza-error");
  assert.ok(["unexpected-request", "item-not-found"].includes(result.twice.condition), result.twice.condition);
});

test("a client that subscribes at once sends its presence once, before the node is listed", async () => {
  const page = await feedPage();
  const [owner, reader] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, reader, node }) => {
      const publisher = await epode.connect(BOSH, owner);
      await publisher.pubsub.createNode(node);
      const client = new epode.Client(BOSH, reader);
      const sent = [];
      client.on("sent", (xml) => sent.push(/^<presence/.test(xml) ? "presence" : (/<(subscribe|items) /.exec(xml)?.[1] ?? "other")));
      await client.connect();
      const got = inbox("an item");
      const feed = await client.pubsub.subscribe(node, got.push);
      await publisher.pubsub.publish(node, entry("first"), { id: "1" });
      await got.until(1);
      const { subscriber } = feed;
      await Promise.all([publisher.disconnect(), client.disconnect()]);
      return { subscriber, sent: sent.filter((what) => what !== "other") };
    },
    { owner, reader, node },
  );
  // To its bare JID, a service's events reach who is present, and nobody else: what is published in between would be missed.
  assert.equal(result.subscriber, reader.jid);
  assert.deepEqual(result.sent.slice(0, 3), ["presence", "subscribe", "items"]);
  assert.deepEqual(result.sent.slice(3).filter((what) => what === "presence").length, 1, "and the good-bye");
});
