// Handlers, requests and who answers them, presence after connect(), the inspector.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OVER_SOCKET, environment } from "./support.mjs";

const env = environment();

test("a page that sends without pause receives stanzas meanwhile", async () => {
  const page = await env.page();
  const romeo = await env.account();
  const said = await page.evaluate(async (romeo) => {
    const client = new epode.Client(BOSH, romeo);
    const heard = inbox("the first message");
    let said = 0;
    client.addHandler((stanza) => heard.push(stanza.text("body")), { name: "message" });
    const done = new Promise((resolve) => {
      client.on("status", ({ status }) => {
        if (status !== "online") return;
        // Without a pause: there is always something to be sent.
        const talk = () => {
          if (heard.got.length > 0 || said === 500) return resolve();
          said += 1;
          client.send(epode.xml`<message to="${client.jid}"><body>${said}</body></message>`);
          setTimeout(talk, 2);
        };
        talk();
      });
    });
    await client.connect();
    await done;
    await client.disconnect();
    return { said, first: heard.got[0] };
  }, romeo);
  assert.equal(said.first, "1");
  assert.ok(said.said < 500, "heard before it was silent");
});

test("handlers are called with matching stanzas only", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const woken = await page.evaluate(
    async ({ romeo, juliet }) => {
      const { connect, xml } = epode;
      const sender = await connect(BOSH, { ...romeo, resource: "balcony" });
      const client = await connect(BOSH, juliet);
      const woken = {};
      const matchers = {
        all: undefined,
        name: { name: "message" },
        chat: { type: "chat" },
        normal: { name: "message", type: "normal" },
        several: { type: ["headline", "chat"] },
        ns: { ns: "urn:example:a" },
        deeper: { ns: "urn:example:deep" },
        id: { id: "3" },
        bare: { name: "message", from: romeo.jid },
        full: { from: `${romeo.jid}/balcony` },
        spelled: { from: sender.jid.toUpperCase().replace("/BALCONY", "/balcony"), name: "message" },
        other: { from: `${romeo.jid}/orchard` },
        everything: { name: "message", type: "chat", ns: "urn:example:a", id: "2", from: romeo.jid },
        almost: { name: "message", type: "chat", ns: "urn:example:a", id: "1", from: romeo.jid },
        iq: { name: "iq" },
      };
      for (const [key, matcher] of Object.entries(matchers)) {
        woken[key] = [];
        client.addHandler((stanza) => stanza.name === "message" && woken[key].push(stanza.id), matcher);
      }
      const last = inbox("the last message");
      client.addHandler(last.push, { id: "last" });
      const to = client.jid;
      await Promise.all([
        sender.send(xml`<message to="${to}" id="1"><body>normal</body></message>`),
        sender.send(xml`<message to="${to}" id="2" type="chat"><a xmlns="urn:example:a"><x xmlns="urn:example:deep"/></a></message>`),
        sender.send(xml`<message to="${to}" id="3" type="headline"><b xmlns="urn:example:b"/></message>`),
        sender.send(xml`<message to="${to}" id="last" type="headline"/>`),
      ]);
      await last.until(1);
      await Promise.all([sender.disconnect(), client.disconnect()]);
      return woken;
    },
    { romeo, juliet },
  );
  const all = ["1", "2", "3", "last"];
  assert.deepEqual(woken, {
    all,
    name: all,
    chat: ["2"],
    normal: ["1"],
    several: ["2", "3", "last"],
    ns: ["2"],
    deeper: [],
    id: ["3"],
    bare: all,
    full: all,
    spelled: all,
    other: [],
    everything: ["2"],
    almost: [],
    iq: [],
  });
});

test("adding, removing and sending from inside a handler", async () => {
  const page = await env.page();
  const account = await env.account();
  const log = await page.evaluate(async (account) => {
    const { connect, xml } = epode;
    const client = await connect(BOSH, account);
    const log = [];
    const done = inbox("the end");
    const say = (body) => client.send(xml`<message to="${client.jid}" type="chat"><body>${body}</body></message>`);
    let added;
    const first = client.addHandler((stanza) => {
      const body = stanza.text("body");
      log.push(`first ${body}`);
      if (body === "one") {
        // Removes itself and one that is still to be called; what is added has its first stanza next time.
        first.remove();
        victim.remove();
        added = client.addHandler((other) => log.push(`added ${other.text("body")}`), { name: "message" });
        say("two");
      }
    }, { name: "message" });
    const victim = client.addHandler((stanza) => log.push(`victim ${stanza.text("body")}`), { name: "message" });
    client.addHandler((stanza) => {
      const body = stanza.text("body");
      log.push(`last ${body}`);
      if (body === "two") {
        first.remove();
        say("three");
      }
      if (body === "three") {
        added.remove();
        added.remove();
        done.push(body);
      }
    }, { name: "message" });
    await say("one");
    await done.until(1);
    await client.disconnect();
    return log;
  }, account);
  assert.deepEqual(log, ["first one", "last one", "last two", "added two", "last three"]);
});

test("a handler or listener that throws is reported and stays, and the others still run", async () => {
  const page = await env.page();
  const account = await env.account();
  const log = await page.evaluate(async (account) => {
    const { connect, xml } = epode;
    const client = await connect(BOSH, account);
    const log = [];
    const done = inbox("a message");
    const registration = client.addHandler(() => {
      log.push("thrower");
      throw new Error("a handler's fault");
    }, { name: "message" });
    client.addHandler((stanza) => {
      log.push("other");
      done.push(stanza);
    }, { name: "message" });
    client.on("received", (text) => {
      if (text.includes("<message")) throw new TypeError("a listener's fault");
    });
    const say = () => client.send(xml`<message to="${client.jid}" type="chat"><body>x</body></message>`);
    await say();
    await done.until(1);
    await say();
    await done.until(2);
    registration.remove();
    await say();
    await done.until(3);
    await client.disconnect();
    return log;
  }, account);
  assert.deepEqual(log, ["thrower", "other", "thrower", "other", "other"]);
  const problems = page.problems.splice(0);
  assert.deepEqual(problems.filter((problem) => problem === "a handler's fault").length, 2);
  assert.deepEqual(problems.filter((problem) => problem === "a listener's fault").length, 3);
  assert.equal(problems.length, 5);
});

test("stanzas before the first handler are kept for it in order and delivered once", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const { early, late, next } = await page.evaluate(
    async ({ romeo, juliet }) => {
      const { connect, xml } = epode;
      const [sender, client] = await Promise.all([connect(BOSH, romeo), connect(BOSH, juliet)]);
      const arrived = inbox("a message on the wire");
      client.on("received", (text) => text.includes("<message") && arrived.push(text));
      const say = (id) => sender.send(xml`<message to="${client.jid}" id="${id}" type="chat"><body>${id}</body></message>`);
      for (let id = 1; id <= 5; id += 1) say(id);
      await arrived.until(5);
      const early = [];
      const got = inbox("a message at the handler");
      client.addHandler((stanza) => {
        early.push(stanza.id);
        got.push(stanza);
      }, { name: "message" });
      // Not while it is being registered; but registered in the same turn, the next one has them, too.
      const within = early.length;
      const sibling = [];
      client.addHandler((stanza) => sibling.push(stanza.id), { name: "message" });
      await got.until(5);
      const late = [];
      client.addHandler((stanza) => late.push(stanza.id), { name: "message" });
      await say(6);
      await got.until(6);
      await Promise.all([sender.disconnect(), client.disconnect()]);
      return { early, late, next: { within, sibling } };
    },
    { romeo, juliet },
  );
  assert.deepEqual(early, ["1", "2", "3", "4", "5", "6"]);
  assert.deepEqual(next.sibling, early);
  assert.equal(next.within, 0);
  assert.deepEqual(late, ["6"]);
});

test("requests from others: replies of epode, of a handler, and to unknown requests", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const answers = await page.evaluate(
    async ({ romeo, juliet }) => {
      const { connect, xml } = epode;
      const about = { name: "A page", version: "7.1", os: "Verona", features: ["urn:example:feature"] };
      const asker = await connect(BOSH, romeo);
      const client = await connect(BOSH, { ...juliet, about });
      const ask = (payload, type = "get") => asker.request(xml`<iq type="${type}" to="${client.jid}">${payload}</iq>`);

      client.addHandler(
        (iq) => client.send(xml`<iq type="result" to="${iq.from}" id="${iq.id}"><answer xmlns="urn:example:ask">42</answer></iq>`),
        { name: "iq", type: "get", ns: "urn:example:ask" },
      );
      // One that only looks on answers nothing.
      const seen = [];
      client.addHandler((iq) => iq.type === "get" && seen.push(iq.children()[0].ns));

      const info = (await ask(xml`<query xmlns="http://jabber.org/protocol/disco#info"/>`)).child("query");
      const version = (await ask(xml`<query xmlns="jabber:iq:version"/>`)).child("query");
      const time = (await ask(xml`<time xmlns="urn:xmpp:time"/>`)).child("time");
      const ping = await ask(xml`<ping xmlns="urn:xmpp:ping"/>`);
      const own = await ask(xml`<ask xmlns="urn:example:ask"/>`);
      const unknown = await failure(ask(xml`<query xmlns="urn:example:unknown"/>`));
      const set = await failure(ask(xml`<query xmlns="urn:example:unknown"/>`, "set"));
      const node = await failure(ask(xml`<query xmlns="http://jabber.org/protocol/disco#info" node="nowhere"/>`));
      const answers = {
        features: info.children("feature").map((feature) => feature.attr("var")),
        identity: info.child("identity").attrs(),
        version: version.children().map((child) => [child.name, child.text()]),
        utc: time.text("utc"),
        ping: { type: ping.type, from: ping.from, children: ping.children().length },
        own: own.text("answer", "urn:example:ask"),
        unknown,
        set,
        node,
        seen,
        jid: client.jid,
      };
      await Promise.all([asker.disconnect(), client.disconnect()]);
      return answers;
    },
    { romeo, juliet },
  );
  for (const feature of ["http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "urn:xmpp:time", "jabber:iq:version", "urn:example:feature"]) {
    assert.ok(answers.features.includes(feature), feature);
  }
  assert.deepEqual(answers.identity, { category: "client", type: "web", name: "A page" });
  assert.deepEqual(answers.version, [
    ["name", "A page"],
    ["version", "7.1"],
    ["os", "Verona"],
  ]);
  const apart = Math.abs(Date.parse(answers.utc) - Date.now());
  assert.ok(apart < 60_000, answers.utc);
  assert.deepEqual(answers.ping, { type: "result", from: answers.jid, children: 0 });
  assert.equal(answers.own, "42");
  for (const error of [answers.unknown, answers.set]) {
    assert.equal(error.code, "stanza-error");
    assert.equal(error.condition, "service-unavailable");
    assert.equal(error.type, "cancel");
    assert.match(error.stanza, /<iq/);
  }
  assert.equal(answers.node.condition, "item-not-found");
  assert.ok(answers.seen.includes("urn:example:unknown"));
});

test("a request: timeout, AbortSignal, disconnect, an id of the page, a reply of another sender", async () => {
  const page = await env.page();
  const [romeo, juliet, mallory] = await env.accounts(3);
  const result = await page.evaluate(
    async ({ romeo, juliet, mallory }) => {
      const { connect, xml } = epode;
      const [asker, silent, liar] = await Promise.all([romeo, juliet, mallory].map((account) => connect(BOSH, account)));
      const asked = inbox("a request that gets no answer");
      silent.addHandler(asked.push, { name: "iq", type: "get", ns: "urn:example:silence" });
      const iq = (id) => xml`<iq type="get" to="${silent.jid}" id="${id}"><query xmlns="urn:example:silence"/></iq>`;
      const result = {};

      result.timeout = await failure(asker.request(iq(undefined), { timeout: 300 }));

      const before = (await asked.until(1)).length;
      result.already = await failure(asker.request(iq(undefined), { signal: AbortSignal.abort() }));
      const controller = new AbortController();
      const aborted = asker.request(iq(undefined), { signal: controller.signal });
      await asked.until(before + 1);
      controller.abort(new Error("changed my mind"));
      result.aborted = await failure(aborted);

      // The same id twice at once; and a stranger who knows it.
      const waiting = asker.request(iq("known"));
      result.twice = await failure(asker.request(iq("known")));
      await asked.untilAny((stanza) => stanza.id === "known");
      const noticed = inbox("the stranger's reply");
      asker.addHandler(noticed.push, { name: "iq", type: "result", from: liar.jid });
      await liar.send(xml`<iq type="result" to="${asker.jid}" id="known"><lie xmlns="urn:example:silence"/></iq>`);
      await noticed.until(1);
      await silent.send(xml`<iq type="result" to="${asker.jid}" id="known"><truth xmlns="urn:example:silence"/></iq>`);
      result.reply = (await within(waiting, "the reply")).children()[0].name;

      const pending = [asker.request(iq(undefined)), asker.request(iq(undefined), { timeout: 600_000 })];
      const settled = Promise.all(pending.map(failure));
      await asked.until(asked.got.length);
      await asker.disconnect();
      result.disconnected = await settled;
      await Promise.all([silent.disconnect(), liar.disconnect()]);
      return result;
    },
    { romeo, juliet, mallory },
  );
  assert.equal(result.timeout.code, "timeout");
  assert.equal(result.already.code, "aborted");
  assert.equal(result.aborted.code, "aborted");
  assert.equal(result.aborted.cause, "changed my mind");
  assert.equal(result.twice.code, "bad-stanza");
  assert.match(result.twice.message, /Leave the id out/);
  assert.equal(result.reply, "truth");
  assert.deepEqual(result.disconnected.map(({ code }) => code), ["disconnected", "disconnected"]);
});

test("an error reply has condition, type, text, the extension's condition and the stanza", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const error = await page.evaluate(
    async ({ romeo, juliet }) => {
      const { connect, xml } = epode;
      const [asker, client] = await Promise.all([connect(BOSH, romeo), connect(BOSH, juliet)]);
      client.addHandler(
        (iq) =>
          client.send(xml`<iq type="error" to="${iq.from}" id="${iq.id}"><error type="modify">
            <bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>
            <text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">No such play</text>
            <no-play xmlns="urn:example:app"/></error></iq>`),
        { name: "iq", type: "set" },
      );
      const error = await failure(asker.request(xml`<iq type="set" to="${client.jid}"><query xmlns="urn:example:app"/></iq>`));
      await Promise.all([asker.disconnect(), client.disconnect()]);
      return error;
    },
    { romeo, juliet },
  );
  assert.equal(error.name, "XmppError");
  assert.equal(error.code, "stanza-error");
  assert.equal(error.condition, "bad-request");
  assert.equal(error.type, "modify");
  assert.equal(error.text, "No such play");
  assert.equal(error.application, "no-play");
  assert.match(error.message, /bad-request.*No such play/);
  assert.match(error.stanza, /type=['"]error['"]/);
});

test("initial presence is sent after the continuation of connect(), and not at all if the page sent its own", async () => {
  const page = await env.page();
  const account = await env.account();
  const logs = await page.evaluate(async (account) => {
    const run = async (options, continuation) => {
      const log = [];
      const client = new epode.Client(BOSH, { ...account, ...options });
      const out = inbox("a stanza sent");
      client.on("sent", (text) => {
        if (!text.startsWith("<presence")) return;
        log.push(text.includes("<show>") ? "own presence" : text.includes("unavailable") ? "farewell" : "initial presence");
        out.push(text);
      });
      await client.connect();
      log.push("continuation");
      await continuation(client);
      // Timers of no delay run in the order they were set: epode's was set before this one.
      await nextTask();
      await nextTask();
      const pong = await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      log.push(pong.type);
      await client.disconnect();
      return log;
    };
    return {
      usual: await run({}, () => {}),
      microtasks: await run({}, async () => {
        for (let turn = 0; turn < 50; turn += 1) await undefined;
      }),
      own: await run({}, (client) => void client.send(epode.xml`<presence><show>dnd</show></presence>`)),
      none: await run({ presence: false }, () => {}),
      late: await run({ presence: false }, (client) => void client.send(epode.xml`<presence><show>away</show></presence>`)),
    };
  }, account);
  assert.deepEqual(logs.usual, ["continuation", "initial presence", "result", "farewell"]);
  assert.deepEqual(logs.microtasks, ["continuation", "initial presence", "result", "farewell"]);
  assert.deepEqual(logs.own, ["continuation", "own presence", "result", "farewell"]);
  assert.deepEqual(logs.none.filter((entry) => entry !== "farewell"), ["continuation", "result"]);
  assert.deepEqual(logs.late.filter((entry) => entry !== "farewell"), ["continuation", "own presence", "result"]);
});

test("stanzas between connect() and its continuation's handlers are not lost", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const got = await page.evaluate(
    async ({ romeo, juliet }) => {
      const { connect, xml } = epode;
      const sender = await connect(BOSH, romeo);
      // Kept by the server until there is presence: it comes with the answer to it.
      await sender.send(xml`<message to="${juliet.jid}" type="chat"><body>while you were away</body></message>`);
      const client = await connect(BOSH, juliet);
      const got = inbox("the message that waited");
      client.addHandler((stanza) => got.push(stanza.text("body")), { name: "message" });
      await got.until(1);
      await Promise.all([sender.disconnect(), client.disconnect()]);
      return got.got;
    },
    { romeo, juliet },
  );
  assert.deepEqual(got, ["while you were away"]);
});

test("the events sent and received show everything on the wire without secrets", async () => {
  const page = await env.page();
  const account = await env.account();
  const { sent, received, bodies, after } = await page.evaluate(async (account) => {
    const { bodies } = watchRequests();
    const client = new epode.Client(BOSH, account);
    const sent = [];
    const received = [];
    const registrations = [client.on("sent", (text) => sent.push(text)), client.on("received", (text) => received.push(text))];
    await client.connect();
    await client.send(epode.xml`<message to="${client.jid}"><body>seen</body></message>`);
    const change = epode.xml`<iq type="set"><query xmlns="jabber:iq:register"><username>x</username><password>a new secret</password></query></iq>`;
    await client.request(change).catch(() => {});
    const counted = [sent.length, received.length];
    for (const registration of registrations) registration.remove();
    await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    const after = [sent.length - counted[0], received.length - counted[1]];
    await client.disconnect();
    return { sent, received, bodies, after };
  }, account);
  const wire = bodies.join("\n");
  const shown = [...sent, ...received].join("\n");
  assert.match(shown, /<auth [^>]*mechanism=['"]SCRAM-SHA-[^>]*>…</);
  assert.match(shown, /<response [^>]*>…</);
  assert.match(shown, /<challenge [^>]*>…</);
  assert.match(shown, /<success [^>]*>…</);
  assert.match(shown, /<password>…<\/password>/);
  assert.match(shown, /<body>seen<\/body>/);
  // Everything base64 or secret that went over the wire, none of it shown.
  const secrets = [...wire.matchAll(/<(?:auth|response)[^>]*>([^<]+)</g)].map(([, secret]) => secret);
  // Of a socket the browser shows no frames to the page: there, only what was shown can be looked at.
  assert.ok(secrets.length >= 2 || OVER_SOCKET);
  for (const secret of [...secrets, "a new secret", account.password]) assert.ok(!shown.includes(secret), secret);
  if (!OVER_SOCKET) assert.match(wire, /a new secret/);
  assert.deepEqual(after, [0, 0]);
  for (const text of [...sent, ...received]) assert.match(text, /^<[^?!]/);
});

test("send() resolves although the server holds the request, and rejects at the end of the connection if the delivery is unknown", async () => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const { kinds, undelivered } = await page.evaluate(
    async ({ romeo, juliet }) => {
      const { connect, xml } = epode;
      const client = await connect(BOSH, romeo);
      const events = inbox("undelivered");
      client.on("undelivered", ({ xml: text, error }) => events.push({ text, error: describe(error) }));
      const to = juliet.jid;
      const kinds = [];
      // To oneself (the answer comes with the request before), to another, to nobody.
      for (const address of [client.jid, to, `nobody@${to.split("@")[1]}`]) {
        await within(client.send(xml`<message to="${address}" type="chat"><body>x</body></message>`), `the server has a message to ${address}`);
        kinds.push("delivered");
      }
      // With the farewell it still leaves.
      const last = client.send(xml`<message to="${to}" type="chat"><body>farewell</body></message>`);
      const settled = last.then(() => "delivered", describe);
      await client.disconnect();
      kinds.push(await within(settled, "the last one is settled"));
      return { kinds, undelivered: events.got };
    },
    { romeo, juliet },
  );
  assert.deepEqual(kinds, ["delivered", "delivered", "delivered", "delivered"]);
  assert.deepEqual(undelivered, []);
});
