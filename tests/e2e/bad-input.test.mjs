// What goes wrong, and how it is told: by the network, by the server, by the page itself.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { freePort } from "../servers/lifecycle.mjs";
import { SESSION, answer, service, wrap } from "./scripted.mjs";
import { SERVER, environment } from "./support.mjs";

const env = environment();

const OPTIONS = { domain: "scripted.example", anonymous: true, timeout: 20_000 };
const HTML = "<!DOCTYPE html>\n<html><head><title>It works!</title></head><body>&nbsp;</body></html>";
const LONG = `<message xmlns='jabber:client'><body>${"x".repeat(5000)}</body></message>`;

/** An answer to the very first request: how, and what it comes to. */
const FIRST_ANSWERS = {
  "an HTML page": [({ response }) => answer(response, HTML, { type: "text/html" }), { code: "not-bosh", message: /an HTML page.*Check the address/ }],
  "an HTML page that calls itself XML": [({ response }) => answer(response, HTML), { code: "not-bosh", message: /an HTML page/ }],
  JSON: [({ response }) => answer(response, "{}", { type: "application/json" }), { code: "not-bosh", message: /content type/ }],
  "other XML": [({ response }) => answer(response, "<rss version='2.0'/>"), { code: "not-bosh", message: /XML that is not a BOSH body/ }],
  "a body in another namespace": [({ response }) => answer(response, "<body xmlns='urn:other' sid='1'/>"), { code: "not-bosh", message: /XML that is not a BOSH body/ }],
  "an empty answer": [({ response }) => answer(response, ""), { code: "not-bosh", message: /an empty answer/ }],
  "white space": [({ response }) => answer(response, " \n\t"), { code: "not-bosh", message: /an empty answer/ }],
  "no content at all": [({ response }) => answer(response, undefined, { status: 204, type: undefined }), { code: "not-bosh", message: /an empty answer/ }],
  "a body without a session": [({ response }) => answer(response, wrap()), { code: "not-bosh", message: /without a sid/ }],
  "a redirection to a page": [
    ({ response }) => answer(response, "", { status: 303, headers: { Location: "/blank.html" } }),
    { code: "http-error", message: /Redirects are not followed/ },
  ],
  "nothing there": [({ response }) => answer(response, HTML, { status: 404, type: "text/html" }), { code: "http-error", httpStatus: 404, message: /404.*check its path/ }],
  "a permission": [({ response }) => answer(response, HTML, { status: 403, type: "text/html" }), { code: "http-error", httpStatus: 403, message: /403.*permission/ }],
  "a method that is not allowed": [({ response }) => answer(response, "", { status: 405 }), { code: "http-error", httpStatus: 405, message: /405/ }],
  "a proxy without a server": [({ response }) => answer(response, HTML, { status: 502, type: "text/html" }), { code: "http-error", httpStatus: 502, message: /502.*proxy/ }],
  "a server that fails": [({ response }) => answer(response, "", { status: 500 }), { code: "http-error", httpStatus: 500, message: /500/ }],
  "XML that is cut short": [({ response }) => answer(response, wrap("", SESSION).slice(0, -9)), { code: "bad-xml", message: /cannot be read/ }],
  "tags that do not fit": [({ response }) => answer(response, wrap("<a></b>", SESSION)), { code: "bad-xml" }],
  "a document type": [({ response }) => answer(response, `<!DOCTYPE body [<!ENTITY a "b">]>${wrap("&a;", SESSION)}`), { code: "bad-xml", message: /cannot be read/ }],
  "an unknown entity": [({ response }) => answer(response, wrap("&nbsp;", SESSION)), { code: "bad-xml" }],
  "a control character": [({ response }) => answer(response, wrap("&#1;", SESSION)), { code: "bad-xml" }],
  "bytes that are not UTF-8": [({ response }) => answer(response, Buffer.from(wrap("\u00ff", SESSION), "latin1")), { code: "bad-xml" }],
  "depth without end": [({ response }) => answer(response, wrap("<a xmlns='a'>".repeat(2000), SESSION)), { code: "bad-xml" }],
  "more than was asked for, announced": [
    ({ response }) => answer(response, wrap(LONG, SESSION), { headers: { "Content-Length": wrap(LONG, SESSION).length } }),
    { code: "too-large", message: /maxBytes/ },
    { maxBytes: 2000 },
  ],
  "more than was asked for, in pieces": [({ response }) => answer(response, wrap(LONG, SESSION)), { code: "too-large", message: /maxBytes/ }, { maxBytes: 2000 }],
  "an unknown host": [
    ({ response }) => answer(response, wrap("", " type='terminate' condition='host-unknown'")),
    { code: "terminated", condition: "host-unknown", message: /check 'domain'/ },
  ],
  "a host that is gone, with a status": [
    ({ response }) => answer(response, wrap("", " type='terminate' condition='host-gone'"), { status: 404 }),
    { code: "terminated", condition: "host-gone" },
  ],
  "a connection that breaks": [({ request }) => request.socket.destroy(), { code: "unreachable", message: /Check the network/ }],
  "half an answer": [
    ({ request, response }) => {
      response.writeHead(200, { "Content-Type": "text/xml", "Content-Length": 1000 });
      response.write("<body", () => request.socket.destroy());
    },
    { code: "unreachable" },
  ],
  silence: [() => {}, { code: "timeout", message: /the service did not answer/ }, { timeout: 1000 }],
  "an answer that does not end": [
    ({ response }) => {
      response.writeHead(200, { "Content-Type": "text/xml" });
      response.write("<body");
    },
    { code: "timeout" },
    { timeout: 1000 },
  ],
};

test("each kind of wrong first response has its error, and the client can be used afterwards", async (t) => {
  const page = await env.page();
  const cases = Object.entries(FIRST_ANSWERS).map(([name, [first, expected, options]]) => {
    // Until told otherwise, and not only once: browsers repeat by themselves what broke on a connection that was kept.
    let sane = false;
    const path = env.route(service({ open: (exchange) => !sane && (first(exchange), true) }));
    const heal = env.route(({ response }) => {
      sane = true;
      answer(response, "");
    });
    return { name, expected, path, heal, options };
  });
  const results = await page.evaluate(
    ({ cases, OPTIONS }) => {
      const run = async ({ path, heal, options }) => {
        const client = new epode.Client(path, { ...OPTIONS, ...options });
        const changes = [];
        client.on("status", ({ status, error }) => changes.push([status, error?.code]));
        const error = await failure(client.connect());
        const { status } = client;
        await fetch(heal);
        // The same client, once the service has come to its senses.
        await within(client.connect(), `the second attempt (${path})`);
        const after = client.status;
        await client.disconnect();
        client.free();
        return { error, status, after, changes };
      };
      return inTurn(cases, run);
    },
    { cases: cases.map(({ path, heal, options }) => ({ path, heal, options })), OPTIONS },
  );
  for (const [index, { name, expected }] of cases.entries()) {
    await t.test(name, () => {
      const { error, status, after, changes } = results[index];
      const { message, ...exactly } = expected;
      assert.equal(error.name, "XmppError");
      for (const [key, value] of Object.entries(exactly)) assert.equal(error[key], value, JSON.stringify(error));
      if (message) assert.match(error.message, message);
      assert.match(error.message, /\. [A-Z].*\.$/, "says what to do");
      assert.equal(status, "offline");
      assert.equal(after, "online");
      assert.deepEqual(changes.slice(0, 2), [
        ["connecting", undefined],
        ["offline", expected.code],
      ]);
    });
  }
});

test("an unreachable service, one at another origin, and one whose responses the browser blocks", async () => {
  const page = await env.page();
  const closed = await freePort();
  const listener = http.createServer((request, response) => answer(response, wrap("", SESSION)));
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const account = await env.account();
  const result = await page.evaluate(
    async ({ OPTIONS, account, closed, silent, bosh, extras }) => {
      const attempt = (service, options) => failure(epode.connect(service, { ...OPTIONS, ...options }));
      const client = await epode.connect(bosh, { ...account, ...extras });
      const { status } = client;
      await client.disconnect();
      const url = await epode.connect(new URL(bosh), { ...account, contentType: "text/plain; charset=utf-8" });
      await url.disconnect();
      return {
        status,
        closed: await attempt(closed),
        nowhere: await attempt("http://nowhere.invalid/http-bind"),
        cors: await attempt(silent),
        simple: await attempt(silent, { contentType: "text/plain" }),
      };
    },
    {
      OPTIONS,
      account,
      closed: `http://127.0.0.1:${closed}/http-bind`,
      silent: `http://127.0.0.1:${listener.address().port}/http-bind`,
      bosh: env.server.bosh,
      // Both servers let pages of other origins in; ejabberd neither with credentials nor with headers of their own.
      extras: { prosody: { headers: { "X-Requested-With": "epode" }, withCredentials: true }, ejabberd: {} }[SERVER],
    },
  );
  listener.closeAllConnections();
  listener.close();
  assert.equal(result.status, "online");
  assert.equal(result.closed.code, "unreachable");
  assert.equal(result.nowhere.code, "unreachable");
  for (const error of [result.cors, result.simple]) {
    assert.equal(error.code, "blocked-by-cors");
    assert.match(error.message, /Access-Control-Allow-Origin/);
  }
});

test("a server that stops responding during the login: each phase has its timeout", async () => {
  const page = await env.page();
  const silent = () => true;
  const paths = {
    features: env.route(service({ open: ({ response }) => (answer(response, wrap("", SESSION)), true), online: silent })),
    login: env.route(service({ auth: silent })),
    restart: env.route(service({ restart: silent })),
    bind: env.route(service({ bind: silent })),
  };
  const errors = await page.evaluate(
    async ({ paths, OPTIONS }) => {
      const attempt = async ([phase, path]) => [phase, await failure(epode.connect(path, { ...OPTIONS, timeout: 1000 }))];
      return Object.fromEntries(await inTurn(Object.entries(paths), attempt));
    },
    { paths, OPTIONS },
  );
  for (const error of Object.values(errors)) {
    assert.equal(error.code, "timeout");
    assert.match(error.message, /raise 'timeout'/);
  }
  assert.match(errors.features.message, /did not say what it offers/);
  assert.match(errors.login.message, /login was not answered/);
  assert.match(errors.bind.message, /resource was not bound/);
});

test("a server that sends invalid data during the login", async () => {
  const page = await env.page();
  const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
  const say = (payload) => ({ response }) => (answer(response, wrap(payload)), true);
  const refuse = (condition) => ({ response, body }) => {
    const id = /<iq [^>]*id='([^']+)'/.exec(body)[1];
    const error = `<error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    answer(response, wrap(`<iq xmlns='jabber:client' type='error' id='${id}'>${error}</iq>`));
    return true;
  };
  const paths = {
    refused: env.route(service({ auth: say(`<failure ${sasl}><account-disabled/><text>Gone fishing</text></failure>`) })),
    base64: env.route(service({ auth: say(`<challenge ${sasl}>%%%</challenge>`) })),
    streamError: env.route(
      service({ auth: say("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>") }),
    ),
    noBind: env.route(service({ restart: say("<stream:features/>"), bind: refuse("service-unavailable") })),
    noJid: env.route(
      service({
        bind: ({ response, body }) => (answer(response, wrap(`<iq xmlns='jabber:client' type='result' id='${/<iq [^>]*id='([^']+)'/.exec(body)[1]}'/>`)), true),
      }),
    ),
    conflict: env.route(service({ bind: refuse("conflict") })),
  };
  const errors = await page.evaluate(
    async ({ paths, OPTIONS }) => {
      const attempt = async ([what, path]) => [what, await failure(epode.connect(path, OPTIONS))];
      return Object.fromEntries(await inTurn(Object.entries(paths), attempt));
    },
    { paths, OPTIONS },
  );
  assert.deepEqual([errors.refused.code, errors.refused.condition, errors.refused.text], ["auth-failed", "account-disabled", "Gone fishing"]);
  assert.equal(errors.base64.code, "protocol-error");
  assert.deepEqual([errors.streamError.code, errors.streamError.condition], ["stream-error", "policy-violation"]);
  assert.equal(errors.noBind.code, "protocol-error");
  assert.equal(errors.noJid.code, "protocol-error");
  assert.deepEqual([errors.conflict.code, errors.conflict.condition], ["bind-failed", "conflict"]);
});

/** The session's attributes of a manager from before there were versions. */
const OLD = SESSION.replace(" ver='1.11'", "");

/** An answer in the middle of a session that ends it. */
const ENDS = {
  "an unknown sid": [({ response }) => answer(response, wrap("", " type='terminate' condition='item-not-found'")), { code: "terminated", condition: "item-not-found", message: /connect anew/ }],
  "an unknown sid, as ejabberd says it": [
    ({ response }) => answer(response, wrap("", " type='terminate' condition='item-not-found'"), { status: 404 }),
    { code: "terminated", condition: "item-not-found" },
  ],
  "an unknown sid, as old managers say it": [({ response }) => answer(response, "", { status: 404 }), { code: "terminated", condition: "item-not-found" }, OLD],
  "a shutdown": [({ response }) => answer(response, wrap("", " type='terminate' condition='system-shutdown'")), { code: "terminated", condition: "system-shutdown", message: /later/ }],
  "a stream error": [
    ({ response }) =>
      answer(
        response,
        wrap(
          "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>other</see-other-host><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Over there</text></stream:error>",
          " type='terminate' condition='remote-stream-error'",
        ),
      ),
    { code: "stream-error", condition: "see-other-host", text: "Over there" },
  ],
  "an end without a reason": [({ response }) => answer(response, wrap("", " type='terminate'")), { code: "terminated" }],
  "an answer beyond the limit": [({ response }) => answer(response, wrap(LONG)), { code: "too-large" }],
};

test("the session ends: pending calls are settled, and the client can be used afterwards", async (t) => {
  const page = await env.page();
  const cases = Object.entries(ENDS).map(([name, [end, expected, session]]) => {
    // The empty request is held; the one with the message gets the answer that ends it all. Once.
    let ended = false;
    const online = (exchange) => {
      if (ended || !exchange.body.includes("<message")) return false;
      ended = true;
      end(exchange);
      return true;
    };
    return { name, expected, path: env.route(service({ online, session })) };
  });
  const results = await page.evaluate(
    ({ paths, OPTIONS }) => {
      const { xml } = epode;
      const run = async (path) => {
        const client = new epode.Client(path, { ...OPTIONS, maxBytes: 3000, presence: false, reconnect: false });
        const offline = inbox("offline");
        client.on("status", ({ status, error }) => status === "offline" && offline.push(describe(error)));
        const undelivered = inbox("undelivered");
        client.on("undelivered", undelivered.push);
        await client.connect();
        const iq = failure(client.request(xml`<iq type="get" to="scripted.example"><query xmlns="urn:example:x"/></iq>`));
        const sent = client.send(xml`<message to="scripted.example"/>`).then(() => "delivered", ({ code }) => code);
        const [error] = await offline.until(1);
        const settled = [(await iq).code, await within(sent, "send() is settled")];
        await client.connect();
        const { status } = client;
        await client.disconnect();
        return { error, settled, status, undelivered: undelivered.got.map(({ xml: text, error: { code } }) => [text.startsWith("<message"), code]) };
      };
      return inTurn(paths, run);
    },
    { paths: cases.map(({ path }) => path), OPTIONS },
  );
  for (const [index, { name, expected }] of cases.entries()) {
    await t.test(name, () => {
      const { error, settled, status, undelivered } = results[index];
      const { message, ...exactly } = expected;
      for (const [key, value] of Object.entries(exactly)) assert.equal(error[key], value, JSON.stringify(error));
      if (message) assert.match(error.message, message);
      assert.equal(settled[0], "disconnected");
      assert.ok(["unknown", "undelivered"].includes(settled[1]), settled[1]);
      assert.deepEqual(undelivered, [[true, settled[1]]]);
      assert.equal(status, "online");
    });
  }
});

/** What a proxy or a bad line does to one request: it is repeated, and nothing is lost or said twice. */
const BREAKS = {
  "a connection that breaks": ({ request }) => request.socket.destroy(),
  "a proxy's error": ({ response }) => answer(response, HTML, { status: 502, type: "text/html" }),
  "a proxy's page": ({ response }) => answer(response, HTML, { type: "text/html" }),
  "too many requests": ({ response }) => answer(response, "", { status: 429 }),
  "an answer that is cut short": ({ response }) => answer(response, wrap().slice(0, 20)),
  "an empty answer": ({ response }) => answer(response, ""),
};

test("a broken request is repeated, byte for byte, and the session continues", async (t) => {
  const page = await env.page();
  const cases = Object.entries(BREAKS).map(([name, spoil]) => {
    const bodies = [];
    const online = (exchange) => {
      if (!exchange.body.includes("<message")) return false;
      bodies.push(exchange.body);
      if (bodies.length === 1) spoil(exchange);
      else answer(exchange.response, wrap("<message xmlns='jabber:client' from='scripted.example'><body>heard you</body></message>"));
      return true;
    };
    return { name, bodies, path: env.route(service({ online })) };
  });
  const results = await page.evaluate(
    ({ paths, OPTIONS }) => {
      const run = async (path) => {
        const client = await epode.connect(path, { ...OPTIONS, presence: false });
        const heard = inbox(`the answer (${path})`);
        client.addHandler(heard.push, { name: "message" });
        await within(client.send(epode.xml`<message to="scripted.example"><body>hear me</body></message>`), "send()");
        await heard.until(1);
        const { status } = client;
        await client.disconnect();
        return { status, heard: heard.got.length };
      };
      return inTurn(paths, run);
    },
    { paths: cases.map(({ path }) => path), OPTIONS },
  );
  for (const [index, { name, bodies }] of cases.entries()) {
    await t.test(name, () => {
      assert.deepEqual(results[index], { status: "online", heard: 1 });
      assert.equal(bodies.length, 2);
      assert.equal(bodies[1], bodies[0]);
    });
  }
});

test("the server is killed and restarted: the session is lost, a new one is created", async (t) => {
  const page = await env.page();
  const account = await env.account();
  const [user] = account.jid.split("@");
  const ended = page.evaluate(async (account) => {
    window.client = new epode.Client(BOSH, { ...account, reconnect: false });
    const offline = inbox("offline");
    client.on("status", ({ status, error }) => status === "offline" && offline.push(describe(error)));
    await client.connect();
    window.online = true;
    return (await offline.until(1))[0];
  }, account);
  await page.waitForFunction(() => window.online);
  await env.crash();
  const error = await ended;
  // A server that was killed may have forgotten its newest account.
  await env.server.register(user, account.password).catch(({ condition }) => assert.equal(condition, "conflict"));
  const status = await page.evaluate(async () => {
    await client.connect();
    const { status } = client;
    await client.disconnect();
    return status;
  });
  t.diagnostic(`${SERVER}: ${error.code} ${error.condition ?? ""}`);
  assert.ok(["terminated", "unreachable", "http-error"].includes(error.code), JSON.stringify(error));
  assert.equal(status, "online");
});

test("after free() every call is a freed error, for each class, and nothing hangs", async () => {
  const page = await env.page();
  const account = await env.account();
  const node = env.name("node");
  const result = await page.evaluate(
    async ({ account, node, room }) => {
      const { connect, xml } = epode;
      const client = await connect(BOSH, account);
      await client.pubsub.createNode(node);
      const feed = await client.pubsub.subscribe(node, () => {});
      const feed2 = await client.pubsub.subscribe(node);
      const joined = await client.muc.join(room, "nick");
      const other = await client.muc.join(`other-${room}`, "nick");
      const stanza = await client.request(xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      const { pubsub, muc } = client;
      const codes = {};
      const probe = async (name, calls) => {
        for (const [call, act] of Object.entries(calls)) codes[`${name}.${call}`] = (await failure(act)).code;
      };

      stanza.free();
      stanza.free();
      await probe("stanza", {
        name: () => stanza.name,
        from: () => stanza.from,
        attr: () => stanza.attr("id"),
        attrs: () => stanza.attrs(),
        child: () => stanza.child("x"),
        children: () => stanza.children(),
        text: () => stanza.text(),
        toString: () => stanza.toString(),
        send: () => client.send(stanza),
        tag: () => xml`<message>${stanza}</message>`,
      });
      feed.free();
      await probe("feed", {
        node: () => feed.node,
        state: () => feed.state,
        on: () => feed.on("item", () => {}),
        unsubscribe: () => feed.unsubscribe(),
        close: () => feed.close(),
        loop: async () => {
          for await (const item of feed) throw new Error(item);
        },
      });
      joined.free();
      await probe("room", {
        jid: () => joined.jid,
        joined: () => joined.joined,
        occupants: () => joined.occupants,
        on: () => joined.on("message", () => {}),
        send: () => joined.send("x"),
        sendPrivate: () => joined.sendPrivate("nick", "x"),
        setSubject: () => joined.setSubject("x"),
        setNick: () => joined.setNick("x"),
        leave: () => joined.leave(),
      });

      // What waits when the client is freed is settled; what lived on it ends.
      const waiting = {
        request: failure(client.request(xml`<iq type="get" to="${client.jid}"><query xmlns="urn:example:nobody"/></iq>`)),
        send: client.send(xml`<message to="${client.jid}"/>`).then(() => "delivered", ({ code }) => code),
        loop: (async () => {
          for await (const item of feed2) throw new Error(item);
          return "over";
        })(),
      };
      const registration = client.on("status", () => {});
      client.free();
      client.free();
      registration.remove();
      const settled = { request: (await waiting.request).code };
      settled.send = await within(waiting.send, "send() is settled");
      settled.loop = await within(waiting.loop, "the loop is over");
      await probe("client", {
        connect: () => client.connect(),
        send: () => client.send(xml`<message/>`),
        request: () => client.request(xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`),
        pubsub: () => client.pubsub,
        muc: () => client.muc,
        addHandler: () => client.addHandler(() => {}),
        on: () => client.on("status", () => {}),
        "pubsub.items": () => pubsub.items(node),
        "muc.join": () => muc.join(room, "nick"),
        "room.send": () => other.send("x"),
      });
      await within(client.disconnect(), "disconnect() of a freed client");
      const rest = [client.status, client.jid, other.joined, feed2.state];

      // One that was never connected, freed before the module knew of it.
      const early = new epode.Client(BOSH, account);
      early.free();
      codes.early = (await failure(early.connect())).code;
      return { codes, settled, rest };
    },
    { account, node, room: `${env.name("room")}@${env.server.conference}` },
  );
  for (const [call, code] of Object.entries(result.codes)) assert.equal(code, "freed", call);
  assert.ok(["disconnected", "freed"].includes(result.settled.request), result.settled.request);
  assert.ok(["unknown", "undelivered"].includes(result.settled.send), result.settled.send);
  assert.equal(result.settled.loop, "over");
  assert.deepEqual(result.rest, ["offline", undefined, false, "none"]);
});

test("a client that is freed while it connects", async () => {
  const page = await env.page();
  const silent = env.route(() => {});
  const { code, status } = await page.evaluate(
    async ({ silent, OPTIONS }) => {
      const client = new epode.Client(silent, OPTIONS);
      const connecting = failure(client.connect());
      await epode.init();
      await nextTask();
      client.free();
      return { code: (await connecting).code, status: client.status };
    },
    { silent, OPTIONS },
  );
  assert.equal(code, "freed");
  assert.equal(status, "offline");
});

const BAD_OPTIONS = {
  "none at all": undefined,
  null: null,
  empty: {},
  "no way to log in": { jid: "a@b" },
  "two ways": { jid: "a@b", password: "x", token: "y" },
  "two other ways": { jid: "a@b", password: "x", anonymous: true },
  "anonymous nowhere": { anonymous: true },
  "a password that is none": { jid: "a@b", password: 42 },
  "a JID that is none": { jid: 42, password: "x" },
  "a domain with a user": { domain: "a@b", anonymous: true },
  "a domain with a resource": { domain: "b/c", anonymous: true },
  "no wait": { jid: "a@b", password: "x", wait: 0 },
  "too long a wait": { jid: "a@b", password: "x", wait: 100_000 },
  "a wait in words": { jid: "a@b", password: "x", wait: "long" },
  "too much hold": { jid: "a@b", password: "x", hold: 9 },
  "no time": { jid: "a@b", password: "x", timeout: 0 },
  "negative time": { jid: "a@b", password: "x", timeout: -1 },
  "not a time": { jid: "a@b", password: "x", timeout: NaN },
  "endless time": { jid: "a@b", password: "x", timeout: Infinity },
  "no bytes": { jid: "a@b", password: "x", maxBytes: 0 },
  "a header's name": { jid: "a@b", password: "x", headers: { "a b": "c" } },
  "a header's value": { jid: "a@b", password: "x", headers: { a: "b\nc" } },
  "a header that is a number": { jid: "a@b", password: "x", headers: { a: 1 } },
  "a content type": { jid: "a@b", password: "x", contentType: "text/\nxml" },
  "presence in words": { jid: "a@b", password: "x", presence: "no" },
  "a resource that is a number": { jid: "a@b", password: "x", resource: 1 },
  features: { jid: "a@b", password: "x", about: { features: "one" } },
  "a language that is a number": { jid: "a@b", password: "x", lang: 1 },
};

const BAD_JIDS = {
  "two at signs": { jid: "a@@b", password: "x" },
  "no user": { jid: "example.org", password: "x" },
  "an empty user": { jid: "@example.org", password: "x" },
  "an empty resource": { jid: "a@example.org/", password: "x" },
  "a space in the domain": { domain: "a b", anonymous: true },
};

test("invalid options: bad-argument, bad-jid, before anything is sent", async () => {
  const page = await env.page();
  const early = await env.page();
  const ask = async ({ options, jids, services }) => {
    const { bodies } = watchRequests();
    const results = {};
    const tell = async (name, act) => {
      const error = await failure(act);
      results[name] = [error.name, error.code, error.message];
    };
    for (const [name, written] of [...options, ...jids]) {
      await tell(name, async () => {
        const client = new epode.Client(BOSH, written === "undefined" ? undefined : written);
        await client.connect();
      });
    }
    for (const service of [...services, undefined, null, 42, {}]) {
      await tell(`service ${service}`, () => epode.connect(service, { jid: "a@b", password: "x" }));
    }
    return { results, sent: bodies.length };
  };
  // JSON has no NaN and no undefined: playwright passes both.
  const given = {
    options: Object.entries(BAD_OPTIONS).map(([name, options]) => [name, options === undefined ? "undefined" : options]),
    jids: Object.entries(BAD_JIDS),
    services: ["", "ftp://example.org/", "http://", "javascript:alert(1)"].filter((service) => service !== ""),
  };
  await page.evaluate(() => epode.init());
  for (const where of [page, early]) {
    const { results, sent } = await where.evaluate(ask, given);
    for (const [name, [kind, code, message]] of Object.entries(results)) {
      assert.equal(kind, "XmppError", `${name}: ${message}`);
      assert.equal(code, name in BAD_JIDS ? "bad-jid" : "bad-argument", `${name}: ${message}`);
      assert.ok(message.length > 20, message);
    }
    assert.equal(sent, 0);
  }
});

test("other invalid arguments", async () => {
  const page = await env.page();
  const account = await env.account();
  const results = await page.evaluate(
    async ({ account, domain }) => {
      const results = [];
      const tell = async (what, code, act) => {
        const error = await failure(act);
        results.push([what, code, error.code, error.name, error.message]);
      };
      const client = await epode.connect(BOSH, account);
      const iq = epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`;
      await tell("handler", "bad-argument", () => client.addHandler("f"));
      await tell("no handler", "bad-argument", () => client.addHandler());
      await tell("matcher type", "bad-argument", () => client.addHandler(() => {}, { type: [1] }));
      await tell("matcher name", "bad-argument", () => client.addHandler(() => {}, { name: 1 }));
      await tell("matcher from", "bad-jid", () => client.addHandler(() => {}, { from: "a@@b" }));
      await tell("event", "bad-argument", () => client.on("nonsense", () => {}));
      await tell("no event", "bad-argument", () => client.on(undefined, () => {}));
      await tell("listener", "bad-argument", () => client.on("status", {}));
      await tell("timeout", "bad-argument", () => client.request(iq, { timeout: "soon" }));
      await tell("signal", "bad-argument", () => client.request(iq, { signal: {} }));
      await tell("addressee", "bad-jid", () => client.request(epode.xml`<iq type="get" to="a@@b"><ping xmlns="urn:xmpp:ping"/></iq>`));
      await tell("room", "bad-argument", () => client.muc.join(42, "nick"));
      await tell("nick", "bad-argument", () => client.muc.join("room@conference.localhost"));
      await tell("node", "bad-argument", () => client.pubsub.subscribe());
      await tell("item", "bad-argument", () => client.pubsub.retract("node"));
      await tell("connect's signal", "bad-argument", () => epode.connect(BOSH, { ...account, signal: "now" }));
      await tell("no name", "bad-argument", () => epode.register(BOSH, { domain, password: "x" }));
      await tell("no password", "bad-argument", () => epode.register(BOSH, { domain, username: "x" }));
      await tell("no domain", "bad-argument", () => epode.register(BOSH, { username: "x", password: "x" }));
      await tell("no options", "bad-argument", () => epode.register(BOSH));
      await tell("no service", "bad-argument", () => epode.register(undefined, { domain, username: "x", password: "x" }));
      // A handler that cannot be registered is told by connect(), and the others are registered.
      const early = new epode.Client(BOSH, account);
      await tell("early", "bad-argument", async () => early.on("status", "f"));
      await client.disconnect();
      return results;
    },
    { account, domain: env.server.domain },
  );
  for (const [what, expected, code, name, message] of results) {
    assert.equal(code, expected, `${what}: ${message}`);
    assert.equal(name, "XmppError", what);
  }
});

test("handlers added before the module is loaded are registered, although one of them is invalid", async () => {
  const page = await env.page();
  const account = await env.account();
  const { error, states, woken } = await page.evaluate(async (account) => {
    const client = new epode.Client(BOSH, account);
    const states = [];
    const woken = inbox("a message");
    client.on("nonsense", () => {});
    client.on("status", ({ status }) => states.push(status));
    client.addHandler(woken.push, { name: "message" });
    client.addHandler(() => states.push("removed, and called"), { name: "message" }).remove();
    const error = await failure(client.connect());
    await client.connect();
    await client.send(epode.xml`<message to="${client.jid}"><body>x</body></message>`);
    await woken.until(1);
    await client.disconnect();
    return { error, states, woken: woken.got.length };
  }, account);
  assert.equal(error.code, "bad-argument");
  assert.match(error.message, /nonsense/);
  assert.equal(states[0], "connecting");
  assert.equal(states.includes("removed, and called"), false);
  assert.equal(woken, 1);
});
