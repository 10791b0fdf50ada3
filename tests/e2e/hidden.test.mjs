// A page that nobody sees: its timers fire once a second, later once a minute. Nothing that keeps the session alive, or brings
// what the server pushes, may wait for one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("a hidden page without timers still receives and sends", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  await page.evaluate(
    async ({ juliet }) => {
      const client = await epode.connect(BOSH, juliet);
      window.client = client;
      window.heard = inbox("what the other page says");
      client.addHandler((stanza) => {
        heard.push(stanza.id);
        client.send(epode.xml`<message to="${stanza.from}" id="re-${stanza.id}"/>`);
      }, { name: "message" });
      // Initial presence is out, and the server has answered since.
      await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      Object.defineProperty(document, "hidden", { value: true });
      window.setTimeout = () => 0;
    },
    { juliet },
  );
  const other = await env.page();
  const answers = await other.evaluate(
    async ({ romeo, to }) => {
      const client = await epode.connect(BOSH, romeo);
      const answers = inbox("the answers");
      client.addHandler((stanza) => answers.push(stanza.id), { name: "message" });
      for (let index = 0; index < 10; index++) {
        client.send(epode.xml`<message to="${to}" id="${index}"/>`);
        await answers.until(index + 1);
      }
      await client.disconnect();
      return answers.got;
    },
    { romeo, to: await page.evaluate(() => client.jid) },
  );
  assert.deepEqual(answers, Array.from({ length: 10 }, (_, index) => `re-${index}`));
});

test("a page that is hidden from the start logs in, sends and receives without timers", async () => {
  const page = await env.page();
  const romeo = await env.account();
  const result = await page.evaluate(async (romeo) => {
    Object.defineProperty(document, "hidden", { value: true });
    window.setTimeout = () => 0;
    const client = new epode.Client(BOSH, romeo);
    const seen = [];
    let present;
    const presence = new Promise((resolve) => (present = resolve));
    client.addHandler((stanza) => stanza.from === client.jid && present(), { name: "presence" });
    client.addHandler((stanza) => seen.push(stanza.id), { name: "message" });
    await client.connect();
    // The first to be sent has no other request under way whose answer could tell that it arrived.
    await client.send(epode.xml`<message to="${client.jid}" id="first"/>`);
    await presence;
    await client.send(epode.xml`<message to="${client.jid}" id="second"/>`);
    await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await client.disconnect();
    return seen;
  }, romeo);
  assert.deepEqual(result, ["first", "second"]);
});
