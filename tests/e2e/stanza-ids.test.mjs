// The ids that servers give to messages (XEP-0359): which of them a page reads, and which of them only pretend.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("a room and an account assign ids; forged ones are never read", async () => {
  const [sender, receiver] = await env.pages(2);
  const [romeo, juliet] = await env.accounts(2);
  const room = `${env.name("ids")}@${env.server.conference}`;

  await receiver.evaluate(
    async ({ juliet, room }) => {
      window.client = await epode.connect(BOSH, juliet);
      // An account gives ids to what it archives; by default that is not what strangers send.
      await client.request(epode.xml`<iq type="set"><prefs xmlns="urn:xmpp:mam:2" default="always"><always/><never/></prefs></iq>`);
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
      for (const added of [[], faked]) {
        await client.send(epode.xml`<message to="${room}" type="groupchat">${[body, origin, added]}</message>`);
        await client.send(epode.xml`<message to="${juliet.jid}" type="chat">${[body, origin, added]}</message>`);
      }
    },
    { romeo, juliet, room },
  );
  const read = await receiver.evaluate(
    async ({ juliet, room }) => {
      const all = await heard.until(4);
      const ids = (stanza) => ({ room: stanza.stanzaId(room), account: stanza.stanzaId(juliet.jid), origin: stanza.originId });
      const of = (type) => all.filter((stanza) => stanza.type === type).map(ids);
      const assigns = { room: await client.assignsStanzaIds(room), account: await client.assignsStanzaIds(juliet.jid) };
      const nobody = await failure(client.assignsStanzaIds("no.such.host.example"));
      return { said: of("groupchat"), chats: of("chat"), assigns, nobody, wire: all.map(String) };
    },
    { juliet, room },
  );
  assert.deepEqual(read.assigns, { room: true, account: true });
  assert.equal(read.nobody.operation, "assignsStanzaIds");
  // One of each kind as it should be, one with what the liar has added: a server replaces that, or leaves both, and then neither counts.
  const wire = read.wire.join("\n");
  for (const [kind, all, giver, other] of [["a room", read.said, "room", "account"], ["an account", read.chats, "account", "room"]]) {
    assert.equal(all.length, 2, wire);
    const [honest, faked] = all;
    assert.match(honest[giver] ?? "", /./, `${kind}: ${wire}`);
    assert.notEqual(faked[giver], "faked", `${kind}: ${wire}`);
    for (const one of all) {
      assert.equal(one[other], undefined, `${kind}: ${wire}`);
      assert.equal(one.origin, "chosen", `${kind}: ${wire}`);
    }
  }
});
