// Logging in, by every way a page has; not being let in, and what can be done then.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVER, environment } from "./support.mjs";

const env = environment();

test("SCRAM: at most five requests until the resource is bound", async (t) => {
  const page = await env.page();
  const account = await env.account();
  env.origin.resetCounts();
  const { bodies, states, jid, status } = await page.evaluate(async (account) => {
    // What the page itself sends: the server would show what proxies do.
    const { bodies } = watchRequests();
    const client = new epode.Client(BOSH, account);
    const states = [client.status];
    client.on("status", ({ status }) => states.push(status));
    await client.connect();
    const sent = [...bodies];
    const { jid, status } = client;
    await client.disconnect();
    return { bodies: sent, states, jid, status };
  }, account);
  const bound = bodies.findIndex((body) => body.includes("urn:ietf:params:xml:ns:xmpp-bind")) + 1;
  t.diagnostic(`${SERVER}: ${bound} requests to log in; ${bodies.length} when connect() has resolved; ${env.origin.counts["/http-bind"]} with the disconnect`);
  assert.ok(bound > 0 && bound <= 5, `${bound} requests`);
  assert.match(bodies.join(""), /mechanism='SCRAM-SHA-/);
  assert.match(jid, new RegExp(`^${account.jid}/.+`));
  assert.equal(status, "online");
  assert.deepEqual(states, ["offline", "connecting", "authenticating", "binding", "online", "disconnecting", "offline"]);
});

test("a wrong password: auth-failed, not-authorized, also in the status", async () => {
  const page = await env.page();
  const { jid } = await env.account();
  const { error, change, status } = await page.evaluate(async (jid) => {
    const client = new epode.Client(BOSH, { jid, password: "not this one" });
    const changes = inbox("a status");
    client.on("status", changes.push);
    const error = await failure(client.connect());
    const change = await changes.untilAny(({ status }) => status === "offline");
    return { error, change: describe(change.error), status: client.status };
  }, jid);
  assert.equal(error.name, "XmppError");
  assert.equal(error.code, "auth-failed");
  assert.equal(error.condition, "not-authorized");
  assert.match(error.message, /Check the user name and the password/);
  assert.deepEqual(change, error);
  assert.equal(status, "offline");
});

test("an account that does not exist looks like a wrong password", async () => {
  const page = await env.page();
  const error = await page.evaluate(
    (domain) => failure(epode.connect(BOSH, { jid: `nobody@${domain}`, password: "pencil" })),
    env.server.domain,
  );
  assert.equal(error.code, "auth-failed");
  assert.equal(error.condition, "not-authorized");
});

test("a host that the server does not have", async () => {
  const page = await env.page();
  const error = await page.evaluate(() => failure(epode.connect(BOSH, { jid: "romeo@nowhere.example", password: "pencil" })));
  assert.equal(error.code, "terminated");
  assert.equal(error.condition, { prosody: "improper-addressing", ejabberd: "internal-server-error" }[SERVER]);
  assert.match(error.message, /does not serve this domain(, or no longer)?: check 'domain'/);
});

test("anonymous", async () => {
  const page = await env.page();
  const jids = await page.evaluate(async (domain) => {
    const clients = await Promise.all([1, 2].map(() => epode.connect(BOSH, { domain, anonymous: true })));
    const jids = clients.map(({ jid }) => jid);
    await Promise.all(clients.map((client) => client.disconnect()));
    return jids;
  }, env.server.anonymousDomain);
  for (const jid of jids) assert.match(jid, /^[^@/]+@anon\.localhost\/.+/);
  assert.notEqual(jids[0], jids[1]);
});

test("anonymous login at a server that requires accounts: no-mechanism", async () => {
  const page = await env.page();
  const error = await page.evaluate((domain) => failure(epode.connect(BOSH, { domain, anonymous: true })), env.server.domain);
  assert.equal(error.code, "no-mechanism");
  assert.match(error.message, /ANONYMOUS/);
});

test("login by a certificate that the page does not have: no-mechanism", async () => {
  const page = await env.page();
  const error = await page.evaluate((domain) => failure(epode.connect(BOSH, { domain, external: true })), env.server.domain);
  assert.equal(error.code, "no-mechanism");
});

test("a resource is requested, in the JID or as an option", async () => {
  const page = await env.page();
  const account = await env.account();
  const jids = await page.evaluate(async ({ jid, password }) => {
    const one = await epode.connect(BOSH, { jid: `${jid}/balcony`, password });
    const two = await epode.connect(BOSH, { jid, password, resource: "orchard ö" });
    const jids = [one.jid, two.jid];
    await Promise.all([one.disconnect(), two.disconnect()]);
    return jids;
  }, account);
  assert.deepEqual(jids, [`${account.jid}/balcony`, `${account.jid}/orchard ö`]);
});

test("a second login with the same resource ends the first: stream-error, conflict", async () => {
  const page = await env.page();
  const account = await env.account();
  const { error, status, jid } = await page.evaluate(async ({ jid, password }) => {
    const first = await epode.connect(BOSH, { jid: `${jid}/balcony`, password, presence: false });
    const changes = inbox("a status");
    first.on("status", changes.push);
    // The server tells why only on a request that it holds: the next one after the answer to this.
    const requests = watchRequests();
    await first.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await requests.untilPending();
    const second = await epode.connect(BOSH, { jid: `${jid}/balcony`, password });
    const { error } = await changes.untilAny(({ status }) => status === "offline");
    const result = { error: describe(error), status: first.status, jid: second.jid };
    await second.disconnect();
    return result;
  }, account);
  assert.equal(error.code, "stream-error", error.message);
  assert.equal(error.condition, "conflict");
  assert.match(error.message, /same resource/);
  assert.equal(status, "offline");
  assert.equal(jid, `${account.jid}/balcony`);
});

test("the password as an async function: called again for each login, and after a failure", async () => {
  const page = await env.page();
  const { jid, password } = await env.account();
  const { asked, error, online } = await page.evaluate(
    async ({ jid, password }) => {
      const answers = ["wrong", password, password];
      let asked = 0;
      const client = new epode.Client(BOSH, {
        jid,
        password: async () => {
          await nextTask();
          return answers[asked++];
        },
      });
      const error = await failure(client.connect());
      const online = [];
      for (let again = 0; again < 2; again += 1) {
        await client.connect();
        online.push(client.status);
        await client.disconnect();
      }
      return { asked, error, online };
    },
    { jid, password },
  );
  assert.equal(error.code, "auth-failed");
  assert.deepEqual(online, ["online", "online"]);
  assert.equal(asked, 3);
});

test("a password function that throws, rejects or returns nothing: credentials-failed", async () => {
  const page = await env.page();
  const { jid, password } = await env.account();
  const errors = await page.evaluate(
    async ({ jid, password }) => {
      const functions = [
        () => {
          throw new Error("the vault is shut");
        },
        () => Promise.reject(new TypeError("the token endpoint is gone")),
        () => undefined,
        () => password,
      ];
      const client = new epode.Client(BOSH, { jid, password: () => functions.shift()() });
      const errors = [];
      while (functions.length > 1) errors.push(await failure(client.connect()));
      await client.connect();
      errors.push({ status: client.status });
      await client.disconnect();
      return errors;
    },
    { jid, password },
  );
  for (const error of errors.slice(0, 3)) assert.equal(error.code, "credentials-failed");
  assert.equal(errors[0].cause, "the vault is shut");
  assert.equal(errors[1].cause, "the token endpoint is gone");
  assert.equal(errors[2].cause, undefined);
  assert.equal(errors[3].status, "online");
});

test("a password function that never resolves: timeout, and its later result is ignored", async () => {
  const page = await env.page();
  const { jid } = await env.account();
  const { error, status } = await page.evaluate(async (jid) => {
    let answer;
    const client = new epode.Client(BOSH, { jid, timeout: 700, password: () => new Promise((resolve) => (answer = resolve)) });
    const error = await failure(client.connect());
    answer("pencil");
    await nextTask();
    return { error, status: client.status };
  }, jid);
  assert.equal(error.code, "timeout");
  assert.match(error.message, /'password' or 'token' function did not settle/);
  assert.equal(status, "offline");
});

test("connect() while connecting and while connected: already-connected, without an effect on the connection", async () => {
  const page = await env.page();
  const account = await env.account();
  const { during, after, status, pong } = await page.evaluate(async (account) => {
    const client = new epode.Client(BOSH, account);
    await epode.init();
    const first = client.connect();
    const during = await failure(client.connect());
    await first;
    const after = await failure(client.connect());
    const pong = await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    const { status } = client;
    await client.disconnect();
    return { during, after, status, pong: pong.type };
  }, account);
  assert.equal(during.code, "already-connected");
  assert.equal(after.code, "already-connected");
  assert.equal(status, "online");
  assert.equal(pong, "result");
});

test("a client that is disconnected and connected again keeps its handlers and listeners", async () => {
  const page = await env.page();
  const account = await env.account();
  const { jids, bodies, states } = await page.evaluate(async (account) => {
    const client = new epode.Client(BOSH, account);
    const heard = inbox("a message");
    const states = [];
    client.addHandler((stanza) => heard.push(stanza.text("body")), { name: "message", type: "chat" });
    client.on("status", ({ status }) => states.push(status));
    const jids = [];
    for (let round = 1; round <= 3; round += 1) {
      await client.connect();
      jids.push(client.jid);
      await client.send(epode.xml`<message to="${client.jid}" type="chat"><body>round ${round}</body></message>`);
      await heard.until(round);
      await client.disconnect();
      jids.push(client.jid);
    }
    return { jids, bodies: heard.got, states: states.filter((status) => status === "online" || status === "offline") };
  }, account);
  assert.deepEqual(bodies, ["round 1", "round 2", "round 3"]);
  assert.deepEqual(states, ["online", "offline", "online", "offline", "online", "offline"]);
  assert.deepEqual([jids[1], jids[3], jids[5]], [undefined, undefined, undefined]);
  assert.ok(jids[0].startsWith(`${account.jid}/`));
});

test("aborting: an AbortSignal before and during, disconnect() during", async () => {
  const page = await env.page();
  const account = await env.account();
  const { before, during, closed, status } = await page.evaluate(async (account) => {
    const before = await failure(epode.connect(BOSH, { ...account, signal: AbortSignal.abort(new Error("no time")) }));

    const client = new epode.Client(BOSH, account);
    const controller = new AbortController();
    const registration = client.on("status", ({ status }) => status === "authenticating" && controller.abort());
    const during = await failure(client.connect({ signal: controller.signal }));
    registration.remove();

    client.on("status", ({ status }) => status === "binding" && client.disconnect());
    const closed = await failure(client.connect());
    return { before, during, closed, status: client.status };
  }, account);
  assert.equal(before.code, "aborted");
  assert.equal(before.cause, "no time");
  assert.equal(during.code, "aborted");
  assert.equal(closed.code, "disconnected");
  assert.equal(status, "offline");
});

test("sending while offline: not-connected, and no unhandled rejection", async () => {
  const page = await env.page();
  const account = await env.account();
  const errors = await page.evaluate(async (account) => {
    const stanza = epode.xml`<message to="juliet@localhost"/>`;
    const iq = epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`;
    const client = new epode.Client(BOSH, account);
    const errors = {};
    // Before the module is loaded, and after.
    for (const when of ["early", "loaded"]) {
      client.send(stanza);
      errors[when] = [await failure(client.send(stanza)), await failure(client.request(iq))];
      await client.disconnect();
      await epode.init();
    }
    errors.early.push(await failure(() => new epode.Client(BOSH, account).pubsub.items("node")));
    errors.loaded.push(await failure(() => new epode.Client(BOSH, account).muc.join("room@conference.localhost", "nick")));
    await client.connect();
    await client.disconnect();
    errors.afterwards = [await failure(client.send(stanza)), await failure(client.pubsub.subscribe("node"))];
    return errors;
  }, account);
  for (const [when, list] of Object.entries(errors)) {
    for (const error of list) assert.equal(error.code, "not-connected", `${when}: ${JSON.stringify(error)}`);
  }
});
