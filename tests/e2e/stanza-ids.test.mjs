// The ids that servers give to messages (XEP-0359): which of them a page reads, and which of them only pretend.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("a room and an account give ids; what a sender writes in their names is replaced or not read", async () => {
  const [sender, receiver] = await env.pages(2);
  const [romeo, juliet] = await env.accounts(2);
  const room = `${env.name("ids")}@${env.server.conference}`;

  await receiver.evaluate(
    async ({ juliet, room }) => {
      window.client = await epode.connect(BOSH, juliet);
      window.room = await client.muc.join(room, "juliet");
      window.heard = inbox("a message");
      window.room.on("message", ({ stanza }) => heard.push(stanza));
      client.addHandler(heard.push, { name: "message", type: "chat" });
    },
    { juliet, room },
  );
  await sender.evaluate(
    async ({ romeo, juliet, room }) => {
      window.client = await epode.connect(BOSH, romeo);
      await client.muc.join(room, "romeo");
      // What a liar adds: an id in the name of the room, and one in the name of the account.
      const faked = [room, juliet.jid].map((by) => epode.xml`<stanza-id xmlns="urn:xmpp:sid:0" by="${by}" id="faked"/>`);
      const body = epode.xml`<body>hello</body>`;
      const origin = epode.xml`<origin-id xmlns="urn:xmpp:sid:0" id="chosen"/>`;
      await client.send(epode.xml`<message to="${room}" type="groupchat">${[body, origin, ...faked]}</message>`);
      await client.send(epode.xml`<message to="${juliet.jid}" type="chat">${[body, origin, ...faked]}</message>`);
    },
    { romeo, juliet, room },
  );
  const read = await receiver.evaluate(
    async ({ juliet, room }) => {
      const [said, chat] = (await heard.until(2)).sort((a, b) => (a.type > b.type ? -1 : 1));
      const ids = (stanza) => ({ room: stanza.stanzaId(room), account: stanza.stanzaId(juliet.jid), origin: stanza.originId, type: stanza.type });
      const assigns = { room: await client.assignsStanzaIds(room), account: await client.assignsStanzaIds(juliet.jid) };
      const nobody = await failure(client.assignsStanzaIds("no.such.host.example"));
      return { said: ids(said), chat: ids(chat), assigns, nobody };
    },
    { juliet, room },
  );
  assert.deepEqual(read.assigns, { room: true, account: true });
  assert.equal(read.nobody.operation, "assignsStanzaIds");
  assert.deepEqual({ ...read.said, room: undefined }, { room: undefined, account: undefined, origin: "chosen", type: "groupchat" });
  assert.match(read.said.room, /./);
  assert.notEqual(read.said.room, "faked");
  assert.deepEqual({ ...read.chat, account: undefined }, { room: undefined, account: undefined, origin: "chosen", type: "chat" });
  assert.match(read.chat.account, /./);
  assert.notEqual(read.chat.account, "faked");
});
