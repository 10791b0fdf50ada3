// Each publication once: what a service sends again, what it lists without payloads, and attempts that were given up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SESSION, answer, service, wrap } from "./scripted.mjs";
import { environment } from "./support.mjs";

const env = environment();

const OPTIONS = { domain: "scripted.example", anonymous: true, timeout: 20_000 };
const PUBSUB = "pubsub.scripted.example";

const row = (id, n) => `<item id='${id}'><row xmlns='urn:rows' n='${n}' m='x'/></item>`;
const event = (inside) =>
  `<message xmlns='jabber:client' from='${PUBSUB}'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'>${inside}</items></event></message>`;

/**
 * A BOSH service with a pubsub service. `reply({ iq, id, kind, count, push })` answers an iq with a text, or with `undefined` to be
 * silent; `kind` is the name of what is asked. `asked` are the kinds, in order.
 */
function scripted(reply) {
  let held;
  let queue = "";
  const asked = [];
  const flush = () => {
    if (!held || !queue) return;
    const [response, text] = [held, queue];
    held = undefined;
    queue = "";
    answer(response, wrap(text));
  };
  const push = (text) => {
    queue += text;
    flush();
  };
  const online = ({ response, body }) => {
    if (held) answer(held, wrap());
    held = response;
    for (const [iq] of body.matchAll(/<iq .*?<\/iq>/g)) {
      const [, id] = /id='([^']+)'/.exec(iq);
      const kind = /<(subscribe|unsubscribe|items|ping|query)\b/.exec(iq)[1];
      asked.push(kind);
      const count = asked.filter((other) => other === kind).length;
      const result = (inside) => `<iq xmlns='jabber:client' type='result' id='${id}' from='${PUBSUB}'>${inside}</iq>`;
      const own = (inside) => result(`<pubsub xmlns='http://jabber.org/protocol/pubsub'>${inside}</pubsub>`);
      const error = `<iq xmlns='jabber:client' type='error' id='${id}' from='${PUBSUB}'><error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;
      push(reply({ iq, kind, count, push, result, own }) ?? error);
    }
    flush();
    return true;
  };
  return { path: env.route(service({ online, session: SESSION })), push, asked };
}

const subscribed = (subid) => `<subscription node='n' jid='somebody@scripted.example/here' subid='${subid}' subscription='subscribed'/>`;

test("a duplicate event is reported once, unless the page requests repetitions", async () => {
  const page = await env.page();
  const result = {};
  for (const repeats of [false, true]) {
    const { path, push } = scripted(({ kind, own }) => {
      if (kind === "subscribe") return own(subscribed("s"));
      if (kind === "items") return own(`<items node='n'>${row("a", 1)}</items>`);
    });
    const again = env.route(({ response }) => {
      push(event(row("b", 1)) + event(row("c", 1)));
      push(event(row("b", 1)) + event(row("c", 1).replace("n='1' m='x'", "m='x' n='1'")) + event(row("d", 1)));
      answer(response, "");
    });
    result[repeats] = await page.evaluate(
      async ({ path, again, OPTIONS, repeats }) => {
        const client = await epode.connect(path, OPTIONS);
        const told = inbox("an item");
        const live = inbox("live");
        const feed = await client.pubsub.subscribe("n", ({ id, via }) => told.push(`${via} ${id}`), { repeats });
        feed.on("live", () => live.push("live"));
        await live.until(1);
        await fetch(again);
        await told.until(repeats ? 6 : 4);
        const items = [...told.got];
        await client.disconnect();
        return items;
      },
      { path, again, OPTIONS, repeats },
    );
  }
  assert.deepEqual(result.false, ["snapshot a", "live b", "live c", "live d"]);
  assert.deepEqual(result.true, ["snapshot a", "live b", "live c", "live b", "live c", "live d"]);
});

test("an aborted subscription is ended when the service replies, and is not matched with the next attempt", async () => {
  const page = await env.page();
  const late = {};
  const { path, push, asked } = scripted(({ kind, count, own, result }) => {
    if (kind === "subscribe" && count === 1) {
      late.reply = own(subscribed("first"));
      return "";
    }
    if (kind === "subscribe") return own(subscribed("second"));
    if (kind === "items") return own("<items node='n'/>");
    if (kind === "unsubscribe") return result("");
  });
  const answered = env.route(({ response }) => {
    push(late.reply);
    answer(response, "");
  });
  const outcome = await page.evaluate(
    async ({ path, answered, OPTIONS }) => {
      const client = await epode.connect(path, OPTIONS);
      const sent = [];
      client.on("sent", (xml) => sent.push(xml));
      const { code } = await failure(client.pubsub.subscribe("n", { timeout: 100 }));
      const feed = await client.pubsub.subscribe("n");
      await fetch(answered);
      const ended = async () => {
        for (;;) {
          const xml = sent.find((xml) => xml.includes("<unsubscribe"));
          if (xml) return /subid="?'?(\w+)/.exec(xml)[1];
          await new Promise((wake) => setTimeout(wake, 20));
        }
      };
      const subid = await within(ended(), "the end of the first subscription");
      const state = { code, subid, own: feed.subid, state: feed.state };
      await client.disconnect();
      return state;
    },
    { path, answered, OPTIONS },
  );
  assert.deepEqual(outcome, { code: "timeout", subid: "first", own: "second", state: "subscribed" });
  assert.equal(asked.filter((kind) => kind === "subscribe").length, 2);
});

test("the last item on subscribing is not new, later publications are; a row saved unchanged is not reported", async () => {
  const page = await env.page();
  const [owner, reader] = await env.accounts(2);
  const node = env.name("/once/");
  const told = await page.evaluate(
    async ({ owner, reader, node }) => {
      const [publisher, client] = await Promise.all([epode.connect(BOSH, owner), epode.connect(BOSH, reader)]);
      const { xml } = epode;
      const publish = (id, n) => publisher.pubsub.publish(node, xml`<row xmlns="urn:rows" n="${n}"/>`, { id });
      const config = { access_model: "open", persist_items: true, max_items: 10, send_last_published_item: "on_sub" };
      await publisher.pubsub.createNode(node, { config });
      await publish("a", 1);
      await publish("b", 1);
      const items = inbox("an item");
      await client.pubsub.subscribe(node, ({ id, via, payload }) => items.push(`${via} ${id}${payload.attr("n")}`), { snapshot: false });
      await publish("b", 1);
      await publish("b", 2);
      await publish("c", 1);
      await publish("c", 1);
      await publish("d", 1);
      await items.until(3);
      const all = [...items.got];
      await Promise.all([publisher.disconnect(), client.disconnect()]);
      return all;
    },
    { owner, reader, node },
  );
  assert.deepEqual(told, ["live b2", "live c1", "live d1"]);
});
