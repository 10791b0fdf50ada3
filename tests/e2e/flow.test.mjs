// From nothing to a conversation: register → login → join → receive → send → leave, awaited step by step.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OVER_SOCKET, SERVER, environment } from "./support.mjs";

const env = environment();

test("register, log in, join, receive, send, leave: one awaited flow", async () => {
  const page = await env.page();
  const user = env.name("romeo");
  const result = await page.evaluate(
    async ({ user, domain, conference }) => {
      const { connect, register } = epode;
      const room = `flow-${user}@${conference}`;
      const password = "pencil & <paper> ü";

      await register(BOSH, { domain, username: user, password });
      const client = await connect(BOSH, { jid: `${user}@${domain}`, password });
      const joined = await client.muc.join(room, "Romeo");
      const heard = inbox("a message in the room");
      joined.on("message", heard.push);
      await joined.send("But, soft!");
      const [said] = await heard.until(1);
      await joined.leave();
      const after = joined.joined;
      const { jid } = client;
      await client.disconnect();
      return { jid, after, status: client.status, gone: client.jid, said: { ...said, stanza: said.stanza.name } };
    },
    { user, ...env.names },
  );
  assert.match(result.jid, new RegExp(`^${user}@localhost/.+`));
  assert.equal(result.said.body, "But, soft!");
  assert.equal(result.said.nick, "Romeo");
  assert.equal(result.said.own, true);
  assert.equal(result.said.delayed, false);
  assert.equal(result.said.private, false);
  assert.equal(result.said.stanza, "message");
  assert.equal(result.after, false);
  assert.equal(result.status, "offline");
  assert.equal(result.gone, undefined);
});

test("a name that is taken: registration-failed, conflict", async () => {
  const page = await env.page();
  const { jid } = await env.account();
  const error = await page.evaluate(
    ([username, domain]) => failure(epode.register(BOSH, { domain, username, password: "another" })),
    jid.split("@"),
  );
  assert.equal(error.name, "XmppError");
  assert.equal(error.code, "registration-failed");
  assert.equal(error.condition, "conflict");
  assert.match(error.message, /choose another/);
});

test("registration at a host that the server does not have", async () => {
  const page = await env.page();
  const error = await page.evaluate(() =>
    failure(epode.register(BOSH, { domain: "nowhere.example", username: "romeo", password: "pencil" })),
  );
  assert.match(error.message, /does not serve this domain(, or no longer)?: check 'domain'/);
  if (OVER_SOCKET) return assert.deepEqual([error.code, error.condition], ["stream-error", "host-unknown"]);
  assert.equal(error.code, "terminated");
  assert.equal(error.condition, { prosody: "improper-addressing", ejabberd: "internal-server-error" }[SERVER]);
});

test("an abandoned registration", async () => {
  const page = await env.page();
  const username = env.name();
  const { before, during, after } = await page.evaluate(
    async ([username, domain]) => {
      const options = { domain, username, password: "pencil" };
      const before = await failure(epode.register(BOSH, { ...options, signal: AbortSignal.abort("no need") }));
      const controller = new AbortController();
      const promise = epode.register(BOSH, { ...options, signal: controller.signal });
      controller.abort();
      const during = await failure(promise);
      // Whatever came of it, one may try again; with another name, for the server may have been quicker.
      const after = await epode.register(BOSH, { ...options, username: `${username}b` });
      return { before, during, after: after === undefined };
    },
    [username, env.server.domain],
  );
  assert.equal(before.code, "aborted");
  assert.equal(before.cause, "no need");
  assert.equal(during.code, "aborted");
  assert.equal(after, true);
});
