// Who is told what the page is and that it is there: everyone, contacts, nobody (`about.answerTo`).

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

/** What a stranger and a contact hear of a client with this option, and what the account's own server and second client do. */
async function answers(answerTo) {
  const page = await env.page();
  const [juliet, romeo, paris] = await env.accounts(3);
  return page.evaluate(
    async ({ juliet, romeo, paris, answerTo, domain }) => {
      const { connect, xml } = epode;
      const contact = await connect(BOSH, romeo);
      const heard = inbox("juliet's presence");
      contact.addHandler(heard.push, { name: "presence", from: juliet.jid });
      // A client that accepts the subscription, and is not the one that is asked.
      const phone = await connect(BOSH, { ...juliet, about: { answerTo } });
      const asked = inbox("the request");
      phone.addHandler(asked.push, { name: "presence", type: "subscribe" });
      await contact.send(xml`<presence to="${juliet.jid}" type="subscribe"/>`);
      await asked.until(1);
      await phone.send(xml`<presence to="${romeo.jid}" type="subscribed"/>`);
      await heard.untilAny(({ type }) => type === undefined);
      const client = await connect(BOSH, { ...juliet, about: { answerTo } });
      const pushed = inbox("the roster's change");
      client.on("received", (stanza) => stanza.includes("jabber:iq:roster") && pushed.push(stanza));
      const stranger = await connect(BOSH, paris);
      // His presence makes a stranger no contact.
      await stranger.send(xml`<presence to="${client.jid}"/>`);
      const questions = {
        version: xml`<query xmlns="jabber:iq:version"/>`,
        time: xml`<time xmlns="urn:xmpp:time"/>`,
        info: xml`<query xmlns="http://jabber.org/protocol/disco#info"/>`,
        ping: xml`<ping xmlns="urn:xmpp:ping"/>`,
      };
      const ask = async (from, to) => {
        const outcomes = {};
        for (const [name, question] of Object.entries(questions)) {
          outcomes[name] = await from.request(xml`<iq type="get" to="${to}">${question}</iq>`).then(
            ({ type }) => type,
            ({ condition, type }) => `${type} ${condition}`,
          );
        }
        return outcomes;
      };
      const result = {
        contact: await ask(contact, client.jid),
        stranger: await ask(stranger, client.jid),
        absent: await ask(stranger, `${juliet.jid}/nobody-there`),
        own: await ask(phone, client.jid),
      };
      if (answerTo === "contacts") {
        // No longer a contact: the server pushes the change to those who requested the roster.
        await phone.send(xml`<presence to="${romeo.jid}" type="unsubscribed"/>`);
        await pushed.untilAny((stanza) => /type='set'/.test(stanza) && !/subscription='(from|both)'/.test(stanza));
        result.parted = await ask(contact, client.jid);
      }
      await Promise.all([contact, phone, client, stranger].map((one) => one.disconnect()));
      return result;
    },
    { juliet, romeo, paris, answerTo, domain: env.server.domain },
  );
}

const all = (outcome) => ({ version: outcome, time: outcome, info: outcome, ping: outcome });
const GONE = all("cancel service-unavailable");

test("contacts get replies, a stranger gets the error of an absent account", async () => {
  const { contact, stranger, absent, own, parted } = await answers("contacts");
  assert.deepEqual(contact, all("result"));
  assert.deepEqual(stranger, GONE);
  // What the server says of a resource that is not there is the same.
  assert.deepEqual(absent, GONE);
  assert.deepEqual(own, all("result"));
  assert.deepEqual(parted, GONE);
});

test("only the own account gets replies", async () => {
  const { contact, stranger, own } = await answers("nobody");
  assert.deepEqual(contact, GONE);
  assert.deepEqual(stranger, GONE);
  assert.deepEqual(own, all("result"));
});

test("by default everyone gets replies", async () => {
  const { contact, stranger } = await answers(undefined);
  assert.deepEqual(contact, all("result"));
  assert.deepEqual(stranger, all("result"));
});
