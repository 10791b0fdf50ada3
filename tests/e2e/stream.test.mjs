// `Stream` and `SaslClient`: a page that logs in step by step, over BOSH and WebSocket; and the entries that load the module at once.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { LIMIT, environment } from "./support.mjs";
import { prebind } from "./prebind.mjs";

const env = environment();

const WS = () => `${env.origin.url.replace(/^http/, "ws")}/ws`;
const SERVICES = { BOSH: () => "/http-bind", WebSocket: WS };

/** A page in which `epode` is the entry `epode/stream`. */
async function streamPage(options) {
  const page = await env.page(options);
  await page.evaluate(async () => {
    window.epode = await import("/epode/stream.js");
  });
  return page;
}

/** A page with `open_`, `scram_` and `bind_`: the steps of a login by hand. `next(name)` is the next element of that name. */
async function handPage(options) {
  const page = await streamPage(options);
  await page.evaluate(() => {
    window.SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
    window.open_ = async (service, domain, options = {}) => {
      await epode.init();
      const stream = new epode.Stream(service, { domain, ...options });
      const elements = inbox("an element");
      stream.on("element", elements.push);
      const closed = new Promise((resolve) => stream.on("close", resolve));
      const taken = new Set();
      const next = async (name) => {
        const element = await elements.untilAny((one) => one.name === name && !taken.has(one));
        taken.add(element);
        return element;
      };
      return { stream, closed, next };
    };
    window.bind_ = async ({ stream, next }) => {
      stream.restart();
      await next("features");
      stream.send(epode.xml`<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>`);
      const bound = await next("iq");
      return bound.child("bind").text("jid");
    };
    window.scram_ = async ({ stream, next }, mechanism, credentials) => {
      const sasl = new epode.SaslClient(mechanism, credentials);
      stream.send(epode.xml`<auth xmlns="${SASL}" mechanism="${mechanism}">${btoa(sasl.start())}</auth>`);
      const challenge = await next("challenge");
      stream.send(epode.xml`<response xmlns="${SASL}">${btoa(await sasl.respond(atob(challenge.text())))}</response>`);
      const success = await next("success");
      return { proven: sasl.verify(atob(success.text())), keys: sasl.keys };
    };
  });
  return page;
}

for (const [name, service] of Object.entries(SERVICES)) {
  test(`${name}: SCRAM step by step, a message to itself, an orderly close`, async () => {
    const page = await handPage();
    const { jid, password } = await env.account();
    const result = await page.evaluate(
      async ({ service, jid, password }) => {
        const [username, domain] = jid.split("@");
        const hand = await open_(service, domain);
        const { stream, next, closed } = hand;
        const wire = { sent: [], received: [], frames: [] };
        stream.on("sent", (text) => wire.sent.push(text));
        stream.on("received", (text) => wire.received.push(text));
        stream.on("frame", (frame) => wire.frames.push(frame.name));
        stream.open();
        const sentAtOnce = wire.sent.length;
        const features = await next("features");
        const offered = features.child("mechanisms", SASL).children().map((one) => one.text());
        const mechanism = ["SCRAM-SHA-256", "SCRAM-SHA-1"].find((one) => offered.includes(one));
        const { proven, keys } = await scram_(hand, mechanism, { username, password });
        const full = await bind_(hand);
        stream.send("<presence/>", epode.xml`<message to="${full}" type="chat" id="m1"><body>by hand</body></message>`);
        const message = await next("message");
        const { sid, rid, isBosh } = stream;
        stream.close(epode.xml`<presence type="unavailable"/>`);
        const end = await within(closed, "the end");
        // Once more, with the keys in place of the password.
        const again = await open_(service, domain);
        again.stream.open();
        await again.next("features");
        // Servers that keep the password itself have another salt each time, which the keys do not fit.
        const second = await scram_(again, mechanism, { username, keys }).catch(describe);
        again.stream.close();
        await within(again.closed, "the second end");
        return { mechanism, proven, keys, full, body: message.text("body"), sid, rid, isBosh, end, second: second.code ?? second.proven, sentAtOnce, wire };
      },
      { service: service(), jid, password },
    );
    assert.equal(result.proven, true);
    assert.ok([true, "credentials-failed"].includes(result.second), String(result.second));
    assert.deepEqual(Object.keys(result.keys), ["name", "iter", "salt", "ck", "sk"]);
    assert.equal(`SCRAM-${result.keys.name}`, result.mechanism);
    assert.ok(result.full.startsWith(`${jid}/`), result.full);
    assert.equal(result.body, "by hand");
    assert.deepEqual(result.end, {});
    assert.equal(result.isBosh, name === "BOSH");
    if (name === "BOSH") {
      assert.equal(result.sentAtOnce, 1, "the session request leaves in the turn of open()");
      assert.equal(typeof result.sid, "string");
      assert.ok(Number.isSafeInteger(result.rid));
      assert.ok(result.wire.frames.every((one) => one === "body"));
      assert.match(result.wire.sent.at(-1), / type='terminate'.*<presence /);
      // What one call gives is in one request.
      assert.ok(result.wire.sent.some((text) => /<presence xmlns='jabber:client'\/><message /.test(text)));
    } else {
      assert.deepEqual([result.sid, result.rid], [undefined, undefined]);
      assert.equal(result.wire.frames[0], "open");
      assert.equal(result.wire.frames.at(-1), "close");
    }
    assert.equal(result.wire.received.length, result.wire.frames.length);
  });

  test(`${name}: a mechanism of the page's own, refused and accepted`, async () => {
    const page = await handPage();
    const { jid, password } = await env.account();
    const result = await page.evaluate(
      async ({ service, jid, password }) => {
        const [username, domain] = jid.split("@");
        const hand = await open_(service, domain);
        hand.stream.open();
        await hand.next("features");
        const say = (secret) =>
          hand.stream.send(epode.xml`<auth xmlns="${SASL}" mechanism="PLAIN">${btoa(`\0${username}\0${secret}`)}</auth>`);
        say("wrong");
        const failed = await hand.next("failure");
        say(password);
        await hand.next("success");
        const full = await bind_(hand);
        hand.stream.close();
        return { failed: failed.children()[0].name, full, end: await within(hand.closed, "the end") };
      },
      { service: service(), jid, password },
    );
    assert.equal(result.failed, "not-authorized");
    assert.ok(result.full.startsWith(`${jid}/`));
    assert.deepEqual(result.end, {});
  });
}

test("attach() continues a session that was created elsewhere", async () => {
  const session = await prebind(env);
  const page = await handPage();
  const result = await page.evaluate(
    async ({ session, domain }) => {
      const { stream, next, closed } = await open_("/http-bind", domain);
      stream.attach(session);
      stream.send(epode.xml`<iq type="get" id="p" to="${domain}"><ping xmlns="urn:xmpp:ping"/></iq>`);
      const pong = await next("iq");
      // As another page would, after a reload: with what this one would have used next.
      const { sid, rid } = stream;
      stream.abort();
      const aborted = await closed;
      const other = await open_("/http-bind", domain);
      other.stream.attach({ sid, rid });
      other.stream.send(epode.xml`<iq type="get" id="q" to="${domain}"><ping xmlns="urn:xmpp:ping"/></iq>`);
      const second = await other.next("iq");
      other.stream.close();
      return { id: pong.id, aborted, second: second.id, end: await within(other.closed, "the end") };
    },
    { session, domain: env.names.anonymousDomain },
  );
  assert.deepEqual(result, { id: "p", aborted: {}, second: "q", end: {} });
});

test("a session that the server does not know ends with its condition", async () => {
  const page = await handPage();
  const end = await page.evaluate(async (domain) => {
    const { stream, closed } = await open_("/http-bind", domain);
    stream.attach({ sid: "unknown", rid: 17 });
    const { error } = await within(closed, "the end");
    return describe(error);
  }, env.names.domain);
  assert.equal(end.code, "terminated");
  assert.equal(end.condition, "item-not-found");
});

for (const [way, leave] of Object.entries({
  "close(), then a reload": () => (stream.close(), location.reload()),
  "close() in unload": () => (addEventListener("unload", () => stream.close("<presence type='unavailable'/>")), location.reload()),
  "close() in pagehide": () => (addEventListener("pagehide", () => stream.close("<presence type='unavailable'/>")), location.reload()),
})) {
  test(`the page's last turn: ${way}`, async () => {
    // Chromium fires `unload` only where the page's policy wants it.
    const origin = await env.serve({ headers: { "Permissions-Policy": "unload=(self)" } });
    const page = await handPage({ origin });
    const { jid, password } = await env.account();
    const terminated = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("the session was not ended")), LIMIT).unref();
      const usual = origin.before;
      origin.before = (request, response) => {
        if (request.method === "POST") {
          let body = "";
          request.on("data", (chunk) => (body += chunk));
          request.on("end", () => body.includes("type='terminate'") && resolve(body));
        }
        return usual(request, response);
      };
    });
    await page.evaluate(
      async ({ jid, password }) => {
        const [username, domain] = jid.split("@");
        const hand = await open_("/http-bind", domain);
        window.stream = hand.stream;
        hand.stream.open();
        await hand.next("features");
        hand.stream.send(epode.xml`<auth xmlns="${SASL}" mechanism="PLAIN">${btoa(`\0${username}\0${password}`)}</auth>`);
        await hand.next("success");
        await bind_(hand);
      },
      { jid, password },
    );
    // A page that is loading can hang when it is closed.
    const loadedAnew = page.waitForEvent("load", { timeout: 2 * LIMIT });
    // In a task of its own: an evaluation that leaves its page may never end.
    await page.evaluate(`void setTimeout(${leave})`);
    await loadedAnew;
    assert.match(await terminated, / sid='/);
  });
}

test("arguments that a stream refuses", async () => {
  const page = await handPage();
  const codes = await page.evaluate(async (domain) => {
    const make = (...given) => failure(() => new epode.Stream(...given));
    await epode.init();
    const stream = new epode.Stream("/http-bind", { domain });
    const codes = {
      "no service": (await make(undefined, { domain })).code,
      "no address": (await make("ftp://example.org/", { domain })).code,
      "no domain": (await make("/http-bind", {})).code,
      "no such option": (await make("/http-bind", { domain, window: 5 })).message,
      "send before open": (await failure(() => stream.send("<presence/>"))).code,
      "no such event": (await failure(() => stream.on("stanza", () => {}))).code,
      "attach without a sid": (await failure(() => stream.attach({ rid: 1 }))).code,
    };
    stream.open();
    codes["open twice"] = (await failure(() => stream.open())).code;
    codes["not XML"] = (await failure(() => stream.send("<presence/>", "<iq>"))).code;
    codes["not sendable"] = (await failure(() => stream.send(7))).code;
    stream.free();
    codes.freed = (await failure(() => stream.send("<presence/>"))).code;
    const sasl = (...given) => failure(() => new epode.SaslClient(...given));
    codes["no such mechanism"] = (await sasl("X-OWN", {})).code;
    codes["no password"] = (await sasl("SCRAM-SHA-1", { username: "a" })).code;
    codes["keys of no kind"] = (await sasl("SCRAM-SHA-1", { username: "a", keys: { name: "SHA-1" } })).code;
    const scram = new epode.SaslClient("SCRAM-SHA-1", { username: "user", password: "pencil", nonce: "abc" });
    codes["a foreign nonce"] = (await failure(() => scram.respond("r=xyz,s=QSXCR+Q6sek8bf92,i=4096"))).code;
    codes["a wrong signature"] = scram.verify("v=AAAA");
    return codes;
  }, env.names.domain);
  assert.match(codes["no such option"], /no option 'window' here/);
  delete codes["no such option"];
  assert.deepEqual(codes, {
    "no service": "bad-argument",
    "no address": "bad-argument",
    "no domain": "bad-argument",
    "send before open": "not-connected",
    "no such event": "bad-argument",
    "attach without a sid": "bad-argument",
    "open twice": "already-connected",
    "not XML": "bad-stanza",
    "not sendable": "bad-stanza",
    freed: "freed",
    "no such mechanism": "no-mechanism",
    "no password": "bad-argument",
    "keys of no kind": "bad-argument",
    "a foreign nonce": "protocol-error",
    "a wrong signature": false,
  });
});

test("SCRAM test vectors in the module, with keys derived by the platform and by the module", async () => {
  const page = await handPage();
  const answers = await page.evaluate(async () => {
    await epode.init();
    const challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
    const answer = async () => {
      const sasl = new epode.SaslClient("SCRAM-SHA-1", { username: "user", password: "pencil", nonce: "fyko+d2lbbFgONRv9qkxdawL" });
      return [sasl.start(), await sasl.respond(challenge), sasl.serverSignature, sasl.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")];
    };
    const derived = await answer();
    Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
    return [derived, await answer()];
  });
  const expected = [
    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    true,
  ];
  assert.deepEqual(answers, [expected, expected]);
});

/** In the page: a stream over a `fetch` of the test's, which opens a session and holds what comes then. */
test("listeners may close, abort, free and throw", async () => {
  const page = await streamPage();
  const result = await page.evaluate(async () => {
    await epode.init();
    const opened = "<body xmlns='http://jabber.org/protocol/httpbind' sid='s' requests='2'><a xmlns='urn:a'/><b xmlns='urn:b'/></body>";
    const make = (log) => {
      let count = 0;
      const answer = () => new Response(opened, { headers: { "Content-Type": "text/xml" } });
      const fetch = async () => ((count += 1) === 1 ? answer() : new Promise(() => {}));
      const stream = new epode.Stream("/http-bind", { domain: "b.example", fetch });
      for (const type of ["frame", "element", "close"]) stream.on(type, (event) => log.push(type === "close" ? `close ${event.error?.code}` : event.name));
      return stream;
    };
    const results = {};
    const acts = {
      abort: (stream) => stream.abort(),
      close: (stream) => stream.close(),
      free: (stream) => stream.free(),
      "throw": () => {
        throw new Error("a listener's own");
      },
    };
    for (const [name, act] of Object.entries(acts)) {
      const log = [];
      const stream = make(log);
      const acted = new Promise((resolve) => stream.on("frame", () => (resolve(), act(stream))));
      stream.open();
      await within(acted, name);
      await new Promise((resolve) => setTimeout(resolve, 50));
      results[name] = log;
      stream.free();
    }
    const log = [];
    const stream = make(log);
    stream.on("sent", () => stream.abort());
    stream.open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    results["abort in sent"] = log;
    return results;
  });
  assert.deepEqual(page.problems.splice(0), ["a listener's own"]);
  assert.deepEqual(result, {
    abort: ["body", "a", "b", "close undefined"],
    // Its answer is not there yet.
    close: ["body", "a", "b"],
    free: ["body"],
    throw: ["body", "a", "b"],
    "abort in sent": ["close undefined"],
  });
});

// ── the module at once ───────────────────────────────────────────────────────────────────────────────────────────────

/** Makes a stream in the turn that follows the script, which is classic or a module; returns what it is, or the error. */
async function atOnce(page, kind) {
  return page.evaluate(async (kind) => {
    const look = () => {
      try {
        const stream = new Strophe.Connection("http://127.0.0.1:9/http-bind");
        stream.connect("a@b.example", "x", () => {});
        return typeof stream;
      } catch (error) {
        return describe(error);
      }
    };
    if (kind === "module") {
      await import("/epode/strophe.js");
      return look();
    }
    const script = document.createElement("script");
    script.src = "/epode/strophe.global.js";
    const loaded = new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = reject;
    });
    document.head.append(script);
    await loaded;
    return look();
  }, kind);
}

for (const kind of ["classic script", "module"]) {
  test(`epode/strophe as a ${kind}: globals and a connection at once`, async () => {
    const page = await env.page();
    assert.equal(await atOnce(page, kind), "object");
    const globals = await page.evaluate(() => ["Strophe", "$build", "$iq", "$msg", "$pres", "stx", "toStanza"].filter((name) => !(name in window)));
    assert.deepEqual(globals, []);
  });
}

test("initSync() takes bytes or a module; a page with both entries of a stream has one module", async () => {
  const page = await streamPage();
  const result = await page.evaluate(async () => {
    const bytes = await (await fetch("/epode/epode_stream_bg.wasm")).arrayBuffer();
    const early = (await failure(() => new epode.Stream("/http-bind", { domain: "b.example" }))).code;
    const wrong = (await failure(() => epode.initSync(new Uint8Array(20)))).code;
    epode.initSync(new WebAssembly.Module(bytes));
    epode.initSync(bytes);
    await epode.init();
    await import("/epode/strophe.js");
    return { early, wrong, isBosh: new epode.Stream("/http-bind", { domain: "b.example" }).isBosh };
  });
  assert.deepEqual(result, { early: "not-connected", wrong: "module-unavailable", isBosh: true });
});

/** What forbids WebAssembly, and what the named error says of it. */
const FORBIDDEN = {
  "a policy without wasm-unsafe-eval": { headers: { "Content-Security-Policy": "script-src 'self' 'unsafe-inline'" }, message: /'wasm-unsafe-eval' to script-src/ },
  "a platform without WebAssembly": { script: () => delete globalThis.WebAssembly, message: /no WebAssembly/ },
  "Chromium before 114": {
    script: () => {
      const { Module } = WebAssembly;
      WebAssembly.Module = class {
        constructor(bytes) {
          if (bytes.byteLength > 4096) throw new RangeError("WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB.");
          return new Module(bytes);
        }
      };
    },
    message: /at once.*Chromium 114/s,
  },
};

for (const [name, { headers, script, message }] of Object.entries(FORBIDDEN)) {
  test(`${name}: one named error, at once`, async () => {
    const origin = headers ? await env.serve({ headers }) : env.origin;
    const page = await env.page({ origin, file: "/empty.html", ready: false });
    if (script) await page.addInitScript(script);
    await page.goto(`${origin.url}/blank.html`);
    await page.waitForFunction(() => window.ready);
    const error = await page.evaluate(async () => {
      await import("/epode/strophe.js");
      const { Stream } = await import("/epode/stream.js");
      return [await failure(() => new Stream("/http-bind", { domain: "b.example" })), await failure(() => new Stream("/http-bind", { domain: "b.example" }))];
    });
    for (const { name, code, message: said } of error) {
      assert.equal(name, "XmppError");
      assert.equal(code, "module-blocked", said);
      assert.match(said, message);
    }
  });
}

// ── Node ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

test("a page with the main entry and that of a stream: each has its module, and what both have is the same", async () => {
  const page = await env.page();
  const result = await page.evaluate(async () => {
    const stream = await import("/epode/stream.js");
    await epode.init();
    const early = await failure(() => new stream.Stream("/http-bind", { domain: "b.example" }));
    await stream.init();
    const one = new stream.Stream("/http-bind", { domain: "b.example", from: "Romeo@B.example" });
    const refused = await failure(() => one.send(epode.xml`<presence/>`));
    const address = await failure(() => new epode.Client("/http-bind", { jid: "@", password: "x" }).connect());
    const same = ["XmppError", "Stanza", "xml"].filter((name) => stream[name] === epode[name]);
    const there = ["Client", "Stream", "SaslClient"].map((name) => [name in epode, name in stream].join());
    return { early: early.code, refused: refused.code, address: address.code, same, there, initDiffers: epode.init !== stream.init };
  });
  assert.deepEqual(result, {
    early: "not-connected",
    refused: "not-connected",
    address: "bad-jid",
    same: ["XmppError", "Stanza", "xml"],
    there: ["true,false", "false,true", "false,true"],
    initDiffers: true,
  });
});

test("Node: a stream by hand, and epode/strophe by import and by require", async () => {
  const { init, Stream, XmppError } = await import(path.join(env.package, "stream.node.js"));
  assert.equal(XmppError, (await env.node()).XmppError);
  await init();
  const stream = new Stream(`${env.origin.url}/http-bind`, { domain: env.names.domain });
  const first = new Promise((resolve) => stream.on("element", resolve));
  const closed = new Promise((resolve) => stream.on("close", resolve));
  stream.open();
  assert.equal((await first).name, "features");
  stream.close();
  assert.deepEqual(await closed, {});
  const require = createRequire(import.meta.url);
  const { Strophe } = require(path.join(env.package, "strophe.cjs"));
  const imported = await import(path.join(env.package, "strophe.node.js"));
  assert.equal(Strophe.VERSION, imported.Strophe.VERSION);
});
