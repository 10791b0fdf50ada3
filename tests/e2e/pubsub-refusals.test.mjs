// What a pubsub service refuses, each refusal with its own condition and what may be done about it; and subscriptions that an owner
// has to approve.

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

/** What an error is, and that it says what to do. */
function assertRefused(error, condition, application, advice) {
  assert.deepEqual([error.name, error.code, error.condition, error.application], ["XmppError", "stanza-error", condition, application]);
  assert.match(error.message, advice);
  assert.match(error.stanza, /^<iq /);
}

test("forbidden, not found, too large, a precondition that is not met, closed: each its own error", async () => {
  const page = await pubsubPage();
  const [owner, other] = await env.accounts(2);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ owner, other, node, ejabberd }) => {
      const [one, two] = await inTurn([owner, other], (account) => epode.connect(BOSH, account));
      const config = { access_model: "whitelist", publish_model: "publishers", max_items: 5, ...(ejabberd && { max_payload_size: 500 }) };
      await one.pubsub.createNode(node, { config });
      const errors = {
        forbidden: await failure(two.pubsub.publish(node, entry("no"))),
        missing: await failure(two.pubsub.items(`no ${node}`)),
        closed: await failure(two.pubsub.subscribe(node, () => {})),
        unmet: await failure(one.pubsub.publish(node, entry("no"), { publishOptions: { access_model: "open" } })),
        unsubscribed: await failure(two.pubsub.unsubscribe(node)),
      };
      if (ejabberd) errors.large = await failure(one.pubsub.publish(node, entry("much ".repeat(200))));
      // Nothing of it was published, and the owner may have the node configured on the way.
      errors.left = (await one.pubsub.items(node)).length;
      errors.id = await one.pubsub.publish(node, entry("yes"), { id: "1", publishOptions: { access_model: "open" }, configure: true });
      const { values } = await one.pubsub.configuration(node);
      errors.now = [values.access_model, values.max_items];
      errors.fits = await one.pubsub.publish(node, entry("yes"), { id: "2", publishOptions: { access_model: "open" } });
      errors.owner = await failure(two.pubsub.publish(node, entry("no"), { publishOptions: { access_model: "whitelist" }, configure: true }));
      await Promise.all([one.disconnect(), two.disconnect()]);
      return errors;
    },
    { owner, other, node, ejabberd: SERVER === "ejabberd" },
  );
  assertRefused(result.forbidden, "forbidden", undefined, /its owner must allow it/);
  assertRefused(result.missing, "item-not-found", undefined, /create it first/);
  assertRefused(result.unmet, "conflict", "precondition-not-met", /publish with configure: true/);
  if (SERVER === "ejabberd") {
    assertRefused(result.closed, "not-allowed", "closed-node", /owner can make you a member/);
    assertRefused(result.large, "not-acceptable", "payload-too-big", /max_payload_size/);
    assertRefused(result.unsubscribed, "unexpected-request", "not-subscribed", /subscribe first/);
  } else {
    // Prosody 0.12 tells the same of a closed node as of anything else that is not allowed, and knows no size.
    assertRefused(result.closed, "forbidden", undefined, /its owner must allow it/);
    assertRefused(result.unsubscribed, "forbidden", undefined, /its owner must allow it/);
  }
  assert.equal(result.left, 0);
  assert.equal(result.id, "1");
  assert.deepEqual(result.now, ["open", "5"]);
  assert.equal(result.fits, "2");
  assert.ok(["forbidden", "conflict"].includes(result.owner.condition), "who is no owner does not configure");
});

test("a pending subscription: a second request is an error; the owner is asked, and approves or denies", async (t) => {
  if (SERVER === "prosody") return t.skip("Prosody 0.12 has no access model 'authorize'; natively tested");
  const page = await pubsubPage();
  const [owner, one, two, mallory] = await env.accounts(4);
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ accounts, node, pubsub }) => {
      const { xml } = epode;
      // Three at a time: more have too few connections.
      const late = accounts.pop();
      const [client, first, second] = await inTurn(accounts, (account) => epode.connect(BOSH, account));
      const asked = inbox("a question");
      const elsewhere = inbox("a question that is not for the listener");
      const registration = client.pubsub.onApproval(asked.push);
      client.pubsub.onApproval(elsewhere.push, { service: "pubsub.example.org" });
      const messages = inbox("a message");
      client.addHandler(messages.push, { name: "message" });
      await client.pubsub.createNode(node, { config: { access_model: "authorize", max_items: 5 } });
      await client.pubsub.publish(node, xml`<entry xmlns="urn:example:feed"><title>a secret</title></entry>`);

      const told = [];
      const states = inbox("a state");
      const feeds = [];
      for (const [name, reader] of [["first", first], ["second", second]]) {
        const feed = await reader.pubsub.subscribe(node);
        feed.on("subscription", ({ state }) => {
          told.push(`${name} ${state}`);
          states.push(state);
        });
        feed.on("end", () => told.push(`${name} over`));
        feeds.push(feed);
      }
      await asked.until(2);
      const result = { states: feeds.map((feed) => feed.state) };
      result.again = await failure(first.pubsub.subscribe(node));
      result.items = await failure(first.pubsub.items(node));
      const [yes, no] = asked.got;
      await client.pubsub.requestApprovals(node);
      await asked.until(4);
      result.twice = asked.got.slice(2).map(({ jid }) => jid);
      result.asked = asked.got.map(({ service, node: name, jid }) => [service, name === node, jid]);
      await yes.approve();
      await states.until(1);
      await no.deny();
      await states.until(2);
      result.told = [...told];
      result.readable = (await first.pubsub.items(node)).length;

      // Not what somebody else asks; then nobody listens any more: handlers have it, as they have any message.
      await Promise.all([first, second].map((each) => each.disconnect()));
      const liar = await epode.connect(BOSH, late);
      result.messages = messages.got.length;
      await liar.send(xml`<message to="${client.jid}"><x xmlns="jabber:x:data" type="form">
        <field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#subscribe_authorization</value></field>
        <field var="pubsub#node"><value>${node}</value></field><field var="pubsub#subscriber_jid"><value>${liar.jid}</value></field></x></message>`);
      await messages.until(result.messages + 1);
      result.lies = asked.got.length;
      registration.remove();
      await liar.pubsub.subscribe(node);
      await messages.until(result.messages + 2);
      result.afterwards = [asked.got.length, elsewhere.got.length];
      // An owner may also simply set it.
      await client.pubsub.setSubscribers(node, [{ jid: liar.jid.split("/")[0], state: "subscribed" }]);
      result.set = (await liar.pubsub.items(node)).length;
      await Promise.all([client, liar].map((each) => each.disconnect()));
      return result;
    },
    { accounts: [owner, one, two, mallory], node, ...env.names },
  );
  assert.deepEqual(result.states, ["pending", "pending"]);
  assertRefused(result.again, "not-authorized", "pending-subscription", /'subscription' event/);
  assert.equal(result.items.condition, "forbidden");
  const waiting = [one.jid, two.jid];
  assert.deepEqual(result.asked.slice(0, 2), waiting.map((jid) => [env.names.pubsub, true, jid]));
  assert.deepEqual(result.twice.sort(), waiting.sort());
  assert.deepEqual(result.told, ["first subscribed", "second none", "second over"]);
  assert.equal(result.readable, 1);
  assert.equal(result.messages, 4);
  assert.equal(result.lies, 4);
  assert.deepEqual(result.afterwards, [4, 0]);
  assert.equal(result.set, 1);
});
