// Pages of django-pubsub's go on as they are, over epode/pubsub-client.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { prebind } from "./prebind.mjs";
import { environment } from "./support.mjs";

// Prosody's storage in memory loses its way where an id is published again.
const env = environment({ server: { persistent: true } });

const ATOM = 'xmlns="http://www.w3.org/2005/Atom"';
const entry = (inside) => `<entry ${ATOM}>${inside}</entry>`;
const saved = (pk, text) =>
  entry(`<django-objects xmlns="" version="1.0"><object pk="${pk}" model="app.note"><field type="CharField" name="text">${text}</field></object></django-objects>`);

/** The server's half: who owns the node, and publishes what is saved. */
async function backend(node, config) {
  const { connect } = await env.node();
  const client = await connect(env.server.bosh, await env.account("backend"));
  const { pubsub } = client;
  await pubsub.createNode(node, { config: { access_model: "open", publish_model: "open", notify_retract: true, ...config } });
  const owner = "http://jabber.org/protocol/pubsub#owner";
  return {
    client,
    save: (id, payload) => pubsub.publish(node, payload, { id }),
    remove: (id) => pubsub.retract(node, id),
    /** The subscribers of the node, as the service tells its owner. */
    async subscribers() {
      const request = `<iq type="get" to="${env.names.pubsub}"><pubsub xmlns="${owner}"><subscriptions node="${node}"/></pubsub></iq>`;
      const none = ({ condition }) => (condition === "item-not-found" ? [] : Promise.reject(condition));
      const reply = await client.request(request).catch(none);
      const all = Array.isArray(reply) ? reply : reply.child("pubsub", owner).child("subscriptions").children("subscription");
      return all.filter((one) => one.attr("subscription") !== "none").map((one) => one.attr("jid"));
    },
  };
}

const settings = (node) => ({
  ...{ node, bosh_service: "/http-bind", domain: env.names.anonymousDomain, pubsub_service: env.names.pubsub },
});

/** The page, subscribed. */
async function livePage(options) {
  const page = await env.page();
  await page.evaluate(async (options) => {
    window.settings = options;
    await import("/live-list.js");
    await pubsub.ready;
  }, options);
  return page;
}

test("an old page sees creation, update and deletion; focus and unread", async () => {
  const node = `/${env.name("App")}/Model`;
  const server = await backend(node);
  await server.save("1", entry('{"text": "from before"}'));
  const page = await livePage(settings(node));
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await server.save("2", entry('{"text": "a <b>&amp;lt;</b> c"}'.replace(/<\/?b>/g, "&lt;b>")));
  await server.save("3", saved(3, "from Django &lt;script>"));
  await server.save("1", entry('{"text": "changed"}'));
  await page.evaluate(() => log.until(3));
  assert.deepEqual(await page.evaluate(() => [pubsub.focus, pubsub.unread, document.title]), [true, 0, "epode: a page of the end-to-end tests"]);
  await page.evaluate(() => window.dispatchEvent(new Event("blur")));
  await server.save("2", saved(2, "twice"));
  await server.save("4", entry("only text"));
  await page.evaluate(() => log.until(5));
  assert.deepEqual(await page.evaluate(() => [pubsub.focus, pubsub.unread, document.title]), [false, 2, "[2] epode: a page of the end-to-end tests"]);
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  assert.deepEqual(await page.evaluate(() => [pubsub.focus, pubsub.unread, document.title]), [true, 0, "epode: a page of the end-to-end tests"]);
  await server.remove("3");
  await server.remove("1");
  const log = await page.evaluate(() => log.until(7));
  assert.deepEqual(log, [
    ["create", "2", "a <b>&lt;<b> c"],
    ["create", "3", "from Django <script>"],
    ["update", "1", "changed"],
    ["update", "2", "twice"],
    ["create", "4", "only text"],
    ["delete", "3"],
    ["delete", "1"],
  ]);
  const { rows, updates, nick } = await page.evaluate(() => ({ rows, updates: pubsub.updates.map((one) => one.text()), nick: pubsub.nick }));
  assert.deepEqual(rows, { 2: { text: "twice", by: "app.note" }, 4: { text: "only text" } });
  assert.deepEqual(updates.slice(1), ["from Django <script>", '{"text": "changed"}', "twice", "only text"]);
  assert.equal(nick, "guest");
  await server.client.disconnect();
});

test("anonymous, with a password, and attached: subscribed with the full JID until the page is unloaded", async () => {
  const node = `/${env.name("App")}/Model`;
  const server = await backend(node);
  const { jid, password } = await env.account();
  const ways = {
    anonymous: settings(node),
    password: { ...settings(node), domain: env.names.domain, username: jid.replace(/@.*/, ""), password },
    attached: { ...settings(node), ...(await prebind(env)) },
  };
  for (const [way, options] of Object.entries(ways)) {
    const page = await livePage(options);
    const own = await page.evaluate(() => pubsub.client.jid);
    assert.match(own, { anonymous: /@anon/, password: new RegExp(`^${jid}/`), attached: /@anon/ }[way]);
    assert.deepEqual(await server.subscribers(), [own], way);
    await server.save("1", entry(way));
    assert.deepEqual((await page.evaluate(() => log.until(1)))[0].slice(1), ["1", way]);
    // Another page in its place: the good-bye is on its way by itself.
    await page.goto(`${env.origin.url}/empty.html`);
    for (let turn = 0; (await server.subscribers()).length > 0; turn += 1) {
      assert.ok(turn < 100, `${way}: the subscription is still there`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  // An attached session that is not there.
  const page = await env.page();
  const gone = await page.evaluate(
    async (options) => {
      const { PubSubClient } = await import("/epode/pubsub-client.js");
      const told = [];
      const pubsub = new PubSubClient({ ...options, sid: "nobody's", error_cb: (error, from) => told.push([describe(error).code, from]) });
      const { code } = await failure(pubsub.ready);
      return { code, told: told.map(([code, from]) => [code, from === pubsub]) };
    },
    { ...settings(node), ...ways.attached },
  );
  assert.deepEqual(gone, { code: "terminated", told: [["terminated", true]] });
  await server.client.disconnect();
});

test("publish from a page, a second node, unsubscribe, disconnect", async () => {
  const [first, second] = [`/${env.name("App")}/Model`, `/${env.name("App")}/Other`];
  const servers = [await backend(first), await backend(second)];
  const [reader, writer] = [await livePage(settings(first)), await livePage(settings(first))];
  const ids = await writer.evaluate(
    ({ node }) => pubsub.publish(node, ["text <&>", { text: "a value" }, epode.json({ text: "epode's" })]),
    { node: first },
  );
  const log = await reader.evaluate(() => log.until(3));
  assert.deepEqual(log, [
    ["create", ids[0], "text <&>"],
    ["create", ids[1], "a value"],
    ["create", ids[2], "epode's"],
  ]);
  await reader.evaluate((node) => pubsub.subscribe(node), second);
  await servers[1].save("x", entry("of the other"));
  assert.deepEqual((await reader.evaluate(() => log.until(4)))[3], ["create", "x", "of the other"]);
  await reader.evaluate((node) => pubsub.unsubscribe(node), first);
  assert.equal((await servers[0].subscribers()).length, 1);
  await servers[0].save("unheard", entry("unheard"));
  await servers[1].save("y", entry("heard"));
  assert.deepEqual((await reader.evaluate(() => log.until(5)))[4], ["create", "y", "heard"]);
  await reader.evaluate(() => pubsub.disconnect());
  assert.deepEqual((await reader.evaluate(() => log.until(6)))[5], ["disconnected"]);
  assert.deepEqual(await servers[1].subscribers(), []);
  for (const { client } of servers) await client.disconnect();
});

test("failures are reported", async () => {
  const page = await env.page();
  const { jid } = await env.account();
  const node = env.name("missing");
  const owner = await backend(node, { access_model: "whitelist" });
  const result = await page.evaluate(
    async ({ options, jid }) => {
      const { PubSubClient } = await import("/epode/pubsub-client.js");
      const told = inbox("an error");
      const error_cb = (error) => told.push(describe(error));
      const forbidden = new PubSubClient({ ...options, error_cb });
      const result = { forbidden: (await failure(forbidden.ready)).code, told: told.got.map(({ code }) => code) };
      result.connected = forbidden.client.status;
      await forbidden.disconnect();
      const wrong = new PubSubClient({ ...options, username: jid, password: "wrong" });
      result.wrong = await failure(wrong.ready);
      // One that goes before it has come.
      const hasty = new PubSubClient({ ...options, error_cb });
      hasty.disconnect();
      result.hasty = (await failure(hasty.connected)).code;
      result.status = hasty.client.status;
      result.late = told.got.length;
      return result;
    },
    { options: settings(node), jid },
  );
  assert.equal(result.forbidden, "stanza-error");
  assert.deepEqual(result.told, ["stanza-error"]);
  assert.equal(result.connected, "online");
  assert.equal(result.wrong.code, "auth-failed");
  assert.deepEqual([result.hasty, result.status, result.late], ["aborted", "offline", 1]);
  // Nobody had asked to be told: it is an uncaught error of the page.
  assert.deepEqual(page.problems.splice(0), [result.wrong.message]);
  await owner.client.disconnect();
});

test("one module for both entries, in a page and in Node; importing has no effect", async () => {
  const page = await env.page();
  env.origin.resetCounts();
  const { same, read } = await page.evaluate(async (options) => {
    const { PubSubClient } = await import("/epode/pubsub-client.js");
    const pubsub = new PubSubClient(options);
    const client = await epode.connect(BOSH, { domain: options.domain, anonymous: true });
    await pubsub.connected;
    const same = pubsub.client instanceof epode.Client;
    await Promise.all([pubsub.disconnect(), client.disconnect()]);
    return { same, read: pubsub.unread };
  }, settings(undefined));
  assert.deepEqual([same, read], [true, 0]);
  assert.equal(env.origin.counts["/epode/epode_bg.wasm"], 1);

  const { Client, place } = await env.node();
  const file = path.join(path.dirname(fileURLToPath(place)), "old.mjs");
  fs.writeFileSync(file, 'export * from "epode/pubsub-client";\n');
  const { PubSubClient } = await import(pathToFileURL(file));
  const node = env.name("node");
  const server = await backend(node);
  const heard = [];
  const pubsub = new PubSubClient({ ...settings(node), bosh_service: env.server.bosh, event_cb: (entry) => heard.push(entry.text()) });
  assert.ok(pubsub.client instanceof Client);
  await pubsub.ready;
  await pubsub.publish(node, "from Node");
  await server.client.disconnect();
  await pubsub.disconnect();
  assert.deepEqual(heard, ["from Node"]);
});
