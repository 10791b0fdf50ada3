// The flow of docs/moving.md: an account for a visit, a room in which a web site announces what it saves, and no trace of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("register, log in, enter, hear, speak, leave, remove the account: each awaited", async () => {
  const page = await env.page();
  const { connect } = await env.node();
  const room = `${env.name("news")}@${env.names.conference}`;
  const site = await connect(env.server.bosh, await env.account());
  const announcing = await site.muc.join(room, "site");
  const heard = new Promise((resolve) => announcing.on("message", ({ own, body }) => own || resolve(body)));
  await page.evaluate(
    async ({ domain, room: address }) => {
      const { connect, register, xml } = epode;
      const random = () => Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => (byte % 36).toString(36)).join("");
      const [username, password] = [random(), random() + random()];
      await register(BOSH, { domain, username, password });
      const client = await connect(BOSH, { jid: `${username}@${domain}`, password, presence: false });
      await client.send(xml`<presence><priority>-1</priority></presence>`);
      const room = await client.muc.join(address, username, { history: { maxstanzas: 20 } });
      const list = document.body.appendChild(document.createElement("ul"));
      window.messages = inbox("a message");
      room.on("message", ({ body }) => {
        list.append(Object.assign(document.createElement("li"), { textContent: body }));
        messages.push(body);
      });
      await room.send("hello");
      Object.assign(window, { client, room, login: { jid: `${username}@${domain}`, password } });
    },
    { domain: env.names.domain, room },
  );
  assert.equal(await heard, "hello");
  await announcing.send("Saved: 1 <img src=x onerror=alert(1)>");
  const { shown, gone, markup, status } = await page.evaluate(async () => {
    await messages.until(2);
    const shown = [...document.querySelectorAll("li")].map(({ textContent }) => textContent);
    const markup = document.querySelectorAll("img").length;
    await room.leave();
    await client.request(epode.xml`<iq type="set"><query xmlns="jabber:iq:register"><remove/></query></iq>`).catch(() => {});
    await client.disconnect();
    const gone = await failure(epode.connect(BOSH, login));
    return { shown, markup, gone: gone.code, status: client.status };
  });
  assert.deepEqual(shown, ["hello", "Saved: 1 <img src=x onerror=alert(1)>"]);
  assert.equal(markup, 0);
  assert.equal(gone, "auth-failed");
  assert.equal(status, "offline");
  assert.deepEqual([...announcing.occupants.keys()], ["site"]);
  await site.disconnect();
});
