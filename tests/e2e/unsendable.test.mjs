// Options and arguments that cannot be sent are errors before anything leaves; errors say which call failed, and what it was about.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("unsendable characters are refused in every argument, and the connection continues", async () => {
  const page = await env.page();
  const account = await env.account();
  const { results, sent, pong } = await page.evaluate(
    async ({ account, conference }) => {
      const { connect, xml, register } = epode;
      const client = await connect(BOSH, { ...account, presence: false });
      const room = await client.muc.join(`unsendable@${conference}`, "nick");
      const sent = [];
      client.on("sent", (stanza) => sent.push(stanza));
      const results = [];
      const { pubsub } = client;
      const unsendable = ["a\u0001b", "\u0000", "\ufffe", "a\ud83d", "\ude00b"];
      for (const bad of unsendable) {
        const calls = {
          resource: () => new epode.Client(BOSH, { ...account, resource: bad }),
          lang: () => new epode.Client(BOSH, { ...account, lang: bad }),
          password: () => new epode.Client(BOSH, { ...account, password: bad }),
          "about.name": () => new epode.Client(BOSH, { ...account, about: { name: bad } }),
          "about.features": () => new epode.Client(BOSH, { ...account, about: { features: ["a", bad] } }),
          username: () => register(BOSH, { domain: "localhost", username: bad, password: "x" }),
          fields: () => register(BOSH, { domain: "localhost", username: "x", password: "x", fields: { email: bad } }),
          "field's name": () => register(BOSH, { domain: "localhost", username: "x", password: "x", fields: { [bad]: "x" } }),
          id: () => pubsub.publish("node", xml`<a xmlns="b"/>`, { id: bad }),
          publishOptions: () => pubsub.publish("node", xml`<a xmlns="b"/>`, { publishOptions: { title: bad } }),
          "publishOptions' name": () => pubsub.publish("node", xml`<a xmlns="b"/>`, { publishOptions: { [bad]: "x" } }),
          config: () => pubsub.createNode("node", { config: { roster_groups_allowed: ["a", bad] } }),
          values: () => pubsub.configure("node", { title: bad }),
          options: () => pubsub.subscribe("node", { options: { [bad]: true } }),
          subid: () => pubsub.unsubscribe("node", { subid: bad }),
          ids: () => pubsub.items("node", { ids: [bad] }),
          after: () => pubsub.items("node", { after: bad }),
          redirect: () => pubsub.deleteNode("node", { redirect: bad }),
          affiliation: () => pubsub.setAffiliates("node", { "a@b": bad }),
          subscriber: () => pubsub.setSubscribers("node", [{ jid: "a@b", state: "subscribed", subid: bad }]),
          roomPassword: () => client.muc.join(`other@${conference}`, "nick", { password: bad }),
          status: () => room.leave({ status: bad }),
          // With a code of their own.
          "jid bad-jid": () => new epode.Client(BOSH, { ...account, jid: `${bad}@localhost` }),
          "domain bad-jid": () => new epode.Client(BOSH, { ...account, domain: bad }),
          "service bad-jid": () => pubsub.purge("node", { service: `${bad}@localhost` }),
          "affiliate bad-jid": () => pubsub.setAffiliates("node", { [bad]: "owner" }),
          "node bad-stanza": () => pubsub.subscribe(bad),
          "itemId bad-stanza": () => pubsub.retract("node", bad),
          "item bad-stanza": () => pubsub.item("node", bad),
          "body bad-stanza": () => room.send(bad),
        };
        for (const [name, call] of Object.entries(calls)) {
          const { code, message } = await failure(async () => call());
          results.push([name, JSON.stringify(bad), code, message]);
        }
      }
      const { code, message } = await failure(connect(BOSH, { ...account, password: () => "a\ud83d" }));
      results.push(["password's function", "", code === "credentials-failed" ? "bad-argument" : code, message]);
      const leaving = [...sent];
      const pong = await client.request(xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      await client.disconnect();
      return { results, sent: leaving, pong: pong.type };
    },
    { account, conference: env.server.conference },
  );
  for (const [name, bad, code, message] of results) {
    const [, expected = "bad-argument"] = name.split(" ").filter((word) => !/name|function/.test(word));
    assert.equal(code, expected, `${name} ${bad}: ${message}`);
  }
  assert.deepEqual(sent, []);
  assert.equal(pong, "result");
});

test("errors name the failed call and its object", async () => {
  const page = await env.page();
  const account = await env.account();
  const errors = await page.evaluate(
    async ({ account, conference, domain }) => {
      const { connect, xml } = epode;
      const client = await connect(BOSH, account);
      const room = await client.muc.join(`located@${conference}`, "nick");
      const errors = {
        configuration: await failure(client.pubsub.configuration("no such node")),
        request: await failure(client.request(xml`<iq type="get" to="${`nobody@${domain}/x`}"><ping xmlns="urn:xmpp:ping"/></iq>`)),
        timeout: await failure(client.pubsub.nodes({ timeout: 1, service: "pubsub.silent.invalid" })),
        join: await failure(client.muc.join(`located@${conference}`, "again")),
        setNick: await failure(room.setNick("\u0007")),
        argument: await failure(client.pubsub.retract("node")),
        connect: await failure(connect(["/nothing-here?token=secret"], { ...account, reconnect: false })),
      };
      await client.disconnect();
      errors.after = await failure(room.send("x"));
      return errors;
    },
    { account, conference: env.server.conference, domain: env.server.domain },
  );
  const named = (error) => [error.operation, error.object];
  const room = `located@${env.server.conference}`;
  assert.deepEqual(named(errors.configuration), ["configuration", "no such node"]);
  assert.match(errors.configuration.message, /^configuration "no such node" at pubsub\.[\w.-]+: [\w-]+/);
  assert.deepEqual(named(errors.request), ["request", `nobody@${env.server.domain}/x`]);
  assert.deepEqual(named(errors.timeout), ["nodes", "pubsub.silent.invalid"]);
  assert.deepEqual(named(errors.join), ["join", room]);
  assert.deepEqual(named(errors.setNick), ["setNick", `${room}/\u0007`]);
  assert.deepEqual(named(errors.argument), ["retract", "node"]);
  assert.deepEqual(named(errors.after), ["send", room]);
  assert.deepEqual([errors.configuration.node, errors.timeout.service], ["no such node", "pubsub.silent.invalid"]);
  assert.deepEqual([errors.join.room, errors.setNick.room, errors.after.room], [room, room, room]);
  assert.equal(errors.connect.service, errors.connect.object);
  assert.equal(errors.connect.operation, undefined);
  assert.match(errors.connect.object, /\/nothing-here$/);
  assert.doesNotMatch(JSON.stringify(errors.connect), /secret/);
});
