// What accounts publish about themselves (XEP-0163), and that our presence asks for it (XEP-0115).

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SERVER, environment } from "./support.mjs";

// A server that is killed is to know its accounts afterwards.
const env = environment({ server: { persistent: true } });

/** In every page: what the tests need around the API. Servers send the last item more than once, to whoever comes and asks. */
async function personalPage() {
  const page = await env.page();
  await equip(page);
  return page;
}

async function equip(page) {
  await page.evaluate(() => {
    const { xml } = epode;
    window.once = (events) => events.filter((one, at) => at === events.findIndex((other) => other.join() === one.join()));
    window.tune = (title) => xml`<tune xmlns="urn:example:tune"><title>${title}</title></tune>`;
    /** A client whose presences are collected, as they leave. */
    window.online = async (account, prepare, asked = prepare) => {
      const client = new epode.Client(BOSH, account);
      client.presences = inbox("a presence");
      client.answers = inbox("an answer about capabilities");
      client.on("sent", (text) => {
        if (/^<presence/.test(text) && !/type=/.test(text)) client.presences.push(text);
        if (text.includes("+notify")) client.answers.push(text);
      });
      await client.connect();
      prepare?.(client);
      await client.presences.until(1);
      // Servers ask once for each hash that they do not know; before that they notify nobody.
      if (asked) await client.answers.until(1);
      return client;
    };
    /** Each sees the other's presence. */
    window.befriend = async (one, other) => {
      const bare = (client) => client.jid.split("/")[0];
      // Answers reach those alone who have asked for their roster.
      for (const client of [one, other]) await client.request(xml`<iq type="get"><query xmlns="jabber:iq:roster"/></iq>`);
      for (const [from, to] of [
        [one, other],
        [other, one],
      ]) {
        const asked = inbox("a subscription request");
        const handler = to.addHandler(asked.push, { name: "presence", type: "subscribe" });
        const allowed = inbox("a yes");
        const yes = from.addHandler(allowed.push, { name: "presence", type: "subscribed" });
        await from.send(xml`<presence to="${bare(to)}" type="subscribe"/>`);
        await asked.until(1);
        await to.send(xml`<presence to="${bare(from)}" type="subscribed"/>`);
        await allowed.until(1);
        handler.remove();
        yes.remove();
      }
    };
  });
}

test("an account's own node: published with options, read, retracted; every page of the account that listens gets the events", async () => {
  const page = await personalPage();
  const account = await env.account();
  const NODE = env.name("urn:example:tune:");
  const result = await page.evaluate(async ({ account, NODE, retracts }) => {
    const service = account.jid;
    const heard = [];
    const events = inbox("an event");
    const prepare = (client) => {
      client.pubsub.onPersonalEvent(NODE, (event) => {
        heard.push(event);
        events.push(event);
      });
    };
    const [listening, publishing] = [await online(account, prepare), await online(account)];
    const { pubsub } = publishing;
    const result = { quiet: publishing.presences.got, caps: listening.presences.got };
    // A node of the same name at another service is another node.
    const fed = inbox("an item of a feed");
    const errors = inbox("an error");
    listening.on("error", errors.push);
    await publishing.pubsub.createNode(NODE);
    await listening.pubsub.subscribe(NODE, fed.push);
    result.id = await pubsub.publish(NODE, tune("one"), { service, id: "1", publishOptions: { access_model: "whitelist" } });
    await events.untilAny(({ type }) => type === "item");
    result.model = (await pubsub.configuration(NODE, { service })).values.access_model;
    result.items = (await pubsub.items(NODE, { service })).map(({ id, payload }) => [id, payload.text("title")]);
    await pubsub.retract(NODE, "1", { service });
    if (retracts) await events.untilAny(({ type }) => type === "retract");
    result.heard = once(heard.map(({ type, from, node, id, item }) => [type, from, node, id, item?.payload.text("title"), item?.via]));
    result.elsewhere = [fed.got.length, errors.got.length];
    await Promise.all([listening, publishing].map((client) => client.disconnect()));
    return result;
  }, { account, NODE, retracts: SERVER === "prosody" });
  assert.equal(result.quiet.length, 1);
  assert.doesNotMatch(result.quiet[0], /caps/, "nobody needs to know what it can do");
  assert.equal(result.caps.length, 1, "one presence, with what was listened for at once");
  assert.match(result.caps[0], /<c xmlns='http:\/\/jabber.org\/protocol\/caps' hash='sha-1' node='urn:epode:client' ver='[A-Za-z0-9+/]{27}='\/>/);
  assert.equal(result.id, "1");
  assert.deepEqual(result.elsewhere, [0, 0]);
  assert.equal(result.model, "whitelist");
  assert.deepEqual(result.items, [["1", "one"]]);
  assert.deepEqual(result.heard, [
    ["item", account.jid, NODE, "1", "one", "live"],
    // ejabberd 23 notifies of items alone.
    ...(SERVER === "prosody" ? [["retract", account.jid, NODE, "1", undefined, undefined]] : []),
  ]);
});

test("publications of a contact arrive, its last item when it comes online; listeners may be added and removed while online", async () => {
  const page = await personalPage();
  const [juliet, romeo] = await env.accounts(2);
  const NODE = env.name("urn:example:tune:");
  const result = await page.evaluate(
    async ({ juliet, romeo, NODE }) => {
      // ejabberd sends the last item only to those whose capabilities it knows when they come.
      const known = (client) => client.pubsub.onPersonalEvent(NODE, () => {});
      const [her, early] = [await online(juliet), await online(romeo, known)];
      await befriend(her, early);
      await early.disconnect();
      const service = juliet.jid;
      const publish = (id) => her.pubsub.publish(NODE, tune(id), { service, id, publishOptions: { access_model: "presence" } });
      await publish("before");
      const result = { before: her.presences.got.length };
      const events = inbox("an event");
      const decoded = inbox("a decoded event");
      let first;
      let second;
      const listen = (client) => {
        first = client.pubsub.onPersonalEvent(NODE, events.push);
        second = client.pubsub.onPersonalEvent(NODE, decoded.push, { decode: (payload) => payload.text("title").toUpperCase() });
      };
      const him = await online(romeo, listen, false);
      // The last item that there is.
      await events.until(1);
      await publish("live");
      await decoded.untilAny(({ id }) => id === "live");
      result.events = once(events.got.map(({ type, from, node, item }) => [type, from, node, item.id, item.payload.text("title")]));
      result.decoded = once(decoded.got.map(({ item }) => [item.value])).flat();
      result.asked = him.presences.got.length;
      result.read = (await him.pubsub.items(NODE, { service })).map(({ id }) => id).at(-1);

      // A listener for something else: one more presence. Removed again: another.
      const other = him.pubsub.onPersonalEvent("urn:example:mood", () => {});
      await him.presences.until(result.asked + 1);
      other.remove();
      await him.presences.until(result.asked + 2);
      // What is listened for already changes nothing; what is removed is not called.
      him.pubsub.onPersonalEvent(NODE, () => {}).remove();
      first.remove();
      await publish("later");
      await decoded.untilAny(({ id }) => id === "later");
      result.after = [events.got.some(({ id }) => id === "later"), him.presences.got.length - result.asked];
      const vers = him.presences.got.map((text) => /ver='([^']*)'/.exec(text)?.[1]);
      result.vers = vers.slice(-3);
      // Nobody listens any more: that is told, too, or some servers would go on.
      second.remove();
      await him.presences.until(result.asked + 3);
      const last = him.presences.got.at(-1);
      result.silent = [/ver='([^']*)'/.exec(last)?.[1] !== vers.at(-1), last.includes("<c ")];
      await Promise.all([her, him].map((client) => client.disconnect()));
      return result;
    },
    { juliet, romeo, NODE },
  );
  assert.equal(result.before, 1);
  assert.deepEqual(result.events, [
    ["item", juliet.jid, NODE, "before", "before"],
    ["item", juliet.jid, NODE, "live", "live"],
  ]);
  assert.deepEqual(result.decoded, ["BEFORE", "LIVE"]);
  assert.equal(result.asked, 1, "two listeners of one turn, one presence");
  assert.equal(result.read, "live");
  assert.deepEqual(result.after, [false, 2]);
  const [before, during, after] = result.vers;
  assert.notEqual(before, during);
  assert.equal(after, before);
  assert.deepEqual(result.silent, [true, true]);
});

test("disco#info describes our capabilities, and the page's own presence carries them too", async () => {
  const page = await personalPage();
  const [account, asking] = await env.accounts(2);
  const NODE = env.name("urn:example:tune:");
  const result = await page.evaluate(
    async ({ account, asking, NODE }) => {
      const { xml } = epode;
      const client = await online(account, (client) => client.pubsub.onPersonalEvent(NODE, () => {}));
      const other = await online(asking);
      await client.send(xml`<presence><show>away</show></presence>`);
      await client.presences.until(2);
      const [, node, ver] = /node='([^']*)' ver='([^']*)'/.exec(client.presences.got[1]);
      const ask = async (name) => {
        const reply = await other.request(xml`<iq type="get" to="${client.jid}"><query xmlns="http://jabber.org/protocol/disco#info" node="${name}"/></iq>`);
        return reply.child("query").children("feature").map((feature) => feature.attr("var"));
      };
      const result = { presence: client.presences.got[1], features: await ask(`${node}#${ver}`), plain: await ask(undefined) };
      result.unknown = await failure(ask(`${node}#AAAA`));
      await client.send(xml`<presence type="unavailable"/>`);
      client.pubsub.onPersonalEvent("urn:example:mood", () => {});
      await nextTask();
      await client.request(xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      result.presences = client.presences.got.length;
      await Promise.all([client, other].map((one) => one.disconnect()));
      return result;
    },
    { account, asking, NODE },
  );
  assert.match(result.presence, /<show>away<\/show><c /);
  assert.ok(result.features.includes(`${NODE}+notify`), result.features);
  assert.ok(result.features.includes("http://jabber.org/protocol/caps"));
  assert.deepEqual(result.plain, result.features);
  assert.equal(result.unknown.condition, "item-not-found");
  assert.equal(result.presences, 2, "who is away is not made present");
});

test("an event from a client's full JID is not an event of its account", async () => {
  const page = await personalPage();
  const [account, mallory] = await env.accounts(2);
  const NODE = env.name("urn:example:tune:");
  const result = await page.evaluate(
    async ({ account, mallory, NODE }) => {
      const { xml } = epode;
      const events = inbox("an event");
      const messages = inbox("a message");
      const client = await online(account, (client) => client.pubsub.onPersonalEvent(NODE, events.push));
      client.addHandler(messages.push, { name: "message" });
      const liar = await online(mallory);
      await liar.send(
        xml`<message to="${client.jid}" type="headline"><event xmlns="http://jabber.org/protocol/pubsub#event"><items node="${NODE}"><item id="lie">${tune("a lie")}</item></items></event></message>`,
      );
      await messages.until(1);
      const count = events.got.length;
      await Promise.all([client, liar].map((one) => one.disconnect()));
      return count;
    },
    { account, mallory, NODE },
  );
  assert.equal(result, 0);
});

test("watched nodes are announced again after a reload and in a new session", async () => {
  const [listening, publishing] = [await personalPage(), await personalPage()];
  const account = await env.account();
  const NODE = env.name("urn:example:tune:");
  /** The page's client, which listens; how its session began. */
  const listen = (asked) =>
    listening.evaluate(
      async ({ account, NODE, asked }) => {
        window.events = inbox("an event");
        window.statuses = inbox("a status");
        const prepare = (client) => {
          client.on("status", statuses.push);
          client.pubsub.onPersonalEvent(NODE, events.push);
        };
        window.client = await online({ ...account, keep: true }, prepare, asked);
        return client.presences.got.at(-1);
      },
      { account, NODE, asked },
    );
  const publish = (id) => publishing.evaluate(({ service, NODE, id }) => client.pubsub.publish(NODE, tune(id), { service, id }), { service: account.jid, NODE, id });
  const heard = (id) => listening.evaluate((id) => events.untilAny((event) => event.id === id).then(() => true), id);
  await publishing.evaluate(async (account) => void (window.client = await online(account)), account);
  assert.match(await listen(true), /<c /);
  await publish("1");
  assert.equal(await heard("1"), true);

  const { jid } = await listening.evaluate(() => ({ jid: client.jid }));
  await listening.reload();
  await listening.waitForFunction(() => window.ready);
  await equip(listening);
  assert.match(await listen(false), /<c /);
  assert.equal(await listening.evaluate(() => client.jid), jid, "the session goes on");
  await publish("2");
  assert.equal(await heard("2"), true);

  // COMPAT(ejabberd): an account is on its disk some seconds after it was made.
  if (SERVER === "ejabberd") await sleep(5_000);
  await env.crash();
  for (const page of [listening, publishing]) {
    await page.evaluate(() => within(client.connect().catch(({ code }) => code === "already-connected"), "online again"));
  }
  await listening.evaluate(() => statuses.untilAny(({ status, resumed }) => status === "online" && resumed === false).then(() => true));
  const presence = await listening.evaluate(() => client.presences.got.at(-1));
  assert.match(presence, /<c /);
  // Prosody forgot what our capabilities mean, and asks.
  if (SERVER === "prosody") await listening.evaluate(() => client.answers.until(1).then(() => true));
  await listening.evaluate(() => client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`).then(() => true));
  await publish("3");
  assert.equal(await heard("3"), true);
  for (const page of [listening, publishing]) await page.evaluate(() => client.disconnect());
});
