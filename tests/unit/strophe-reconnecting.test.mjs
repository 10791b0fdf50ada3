// The option `reconnect`: what a page is told, what stays, what is sent again. The timer is the test's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIBRARIES, STATUS, BINDABLE as BOSH_BINDABLE, BOUND as BOSH_BOUND, IN_SESSION, body, client, mechanisms, sasl } from "./strophe/sides.mjs";
import { ScriptedStream } from "./strophe/scripted.mjs";

const { Connection, $msg, $iq, $pres, StreamManagement, MemoryStorageBackend } = LIBRARIES.ours;
const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1' from='h'/>";
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const SM = "urn:xmpp:sm:3";
const features = (content) => `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${content}</stream:features>`;
const OFFER = features(`<mechanisms xmlns='${SASL}'><mechanism>PLAIN</mechanism><mechanism>ANONYMOUS</mechanism></mechanisms>`);
const BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const SUCCESS = `<success xmlns='${SASL}'/>`;
const BOUND = client("iq", "type='result' id='_bind_auth_2'", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>u@h/r</jid></bind>");
const LOST = { code: "connection-lost", message: "lost" };
const turn = () => new Promise((resolve) => setTimeout(resolve, 5).ref());

/** Stands for the module's timer: attempts are due when the test says so. */
class ScriptedTimer {
  calls = [];
  isFinal = false;

  constructor(attempt, pauses) {
    this.attempt = attempt;
    this.pauses = pauses;
  }

  online() {
    this.calls.push("online");
  }

  lost(condition) {
    this.calls.push(`lost ${condition ?? ""}`);
    return this.isFinal ? undefined : 1_000;
  }

  refused(condition) {
    this.calls.push(`refused ${condition ?? ""}`);
    return condition === "temporary-auth-failure" ? 1_000 : undefined;
  }

  stop() {
    this.calls.push("stop");
  }
}

class Page {
  seen = [];
  streams = ScriptedStream.made;

  constructor(options = {}, service = "ws://x/ws") {
    this.streams.length = 0;
    LIBRARIES.ours.makeRetryTimersWith((...values) => (this.timer = new ScriptedTimer(...values)));
    this.connection = new Connection(service, { reconnect: true, ...options });
  }

  status = (status, condition) => {
    this.seen.push(condition ? `${STATUS[status]} ${condition}` : STATUS[status]);
    this.onStatus?.(STATUS[status]);
  };

  get stream() {
    return this.streams.at(-1);
  }

  /** What the page was told since the last call. */
  told() {
    return this.seen.splice(0);
  }

  async give(...frames) {
    for (const frame of frames) {
      this.stream.give(frame);
      await turn();
    }
  }

  async logIn({ jid = "u@h", sm = false } = {}) {
    this.connection.connect(jid, "p", this.status);
    await this.answerLogin(sm);
  }

  async answerLogin(sm = false) {
    await this.give(OPEN, OFFER, SUCCESS, OPEN, features(BIND + (sm ? `<sm xmlns='${SM}'/>` : "")), BOUND);
  }

  async lose(error = LOST) {
    this.stream.end(error);
    await turn();
  }

  async retry() {
    this.timer.attempt();
    await turn();
  }
}

const stanzasOf = (stream) => stream.wire.filter((text) => /^<(message|presence|iq)/.test(text) && !text.includes("_bind_auth_2"));

test("an interruption: RECONNECTING, then a login as the first one; handlers stay", async () => {
  const page = new Page({ reconnect: { least: 5, most: 50 } });
  await page.logIn();
  assert.deepEqual(page.told(), ["CONNECTING", "CONNECTED"]);
  assert.deepEqual(page.timer.pauses, { least: 5, most: 50 });
  const got = [];
  page.connection.addHandler((stanza) => got.push(stanza.getAttribute("id")), null, "message");
  await page.give(client("message", "id='1'"));
  await page.lose();
  assert.deepEqual(page.told(), ["RECONNECTING"]);
  const { connected, authenticated, disconnecting } = page.connection;
  assert.deepEqual({ connected, authenticated, disconnecting }, { connected: false, authenticated: false, disconnecting: false });
  await page.retry();
  assert.deepEqual(page.told(), ["CONNECTING"]);
  assert.equal(page.streams.length, 2);
  await page.answerLogin();
  assert.deepEqual(page.told(), ["CONNECTED"]);
  assert.match(page.stream.wire.find((text) => text.includes("_bind_auth_2")), /<resource>r<\/resource>/);
  assert.ok(page.stream.wire.some((text) => text.includes(btoa("u@h\0u\0p")) || text.includes(btoa("\0u\0p"))), page.stream.wire.join("\n"));
  await page.give(client("message", "id='2'"));
  assert.deepEqual(got, ["1", "2"]);
  assert.deepEqual(page.timer.calls, ["online", "lost ", "online"]);
});

test("without the option an interruption is the end", async () => {
  const page = new Page({ reconnect: false });
  await page.logIn();
  await page.lose();
  assert.deepEqual(page.told(), ["CONNECTING", "CONNECTED", "DISCONNECTED"]);
  assert.equal(page.timer, undefined);
});

test("the first login is not repeated", async () => {
  const page = new Page();
  page.connection.connect("u@h", "p", page.status);
  await page.lose();
  assert.deepEqual(page.told().at(-1), "DISCONNECTED");
  assert.equal(page.streams.length, 1);
});

test("attempts that fail are told as RECONNECTING alone", async () => {
  const page = new Page();
  await page.logIn();
  await page.lose();
  page.told();
  await page.retry();
  await page.lose();
  assert.equal(page.told().filter((status) => !status.startsWith("CONNECTING")).length, 1);
  await page.retry();
  await page.give(OPEN, OFFER);
  await page.lose();
  assert.deepEqual(page.told(), ["CONNECTING", "RECONNECTING"]);
  await page.retry();
  await page.answerLogin();
  assert.deepEqual(page.told(), ["CONNECTING", "CONNECTED"]);
});

test("an attempt that hangs is given up when the next one is due", async () => {
  const page = new Page();
  await page.logIn();
  await page.lose();
  await page.retry();
  const hanging = page.stream;
  page.told();
  await page.retry();
  assert.deepEqual(page.told(), ["RECONNECTING", "CONNECTING"]);
  assert.ok(hanging.isAborted);
  await page.answerLogin();
  assert.deepEqual(page.told(), ["CONNECTED"]);
});

for (const stage of ["waiting", "attempting", "logging in"]) {
  test(`the page's disconnect() ends it while ${stage}`, async () => {
    const page = new Page();
    await page.logIn();
    await page.lose();
    if (stage !== "waiting") await page.retry();
    if (stage === "logging in") await page.give(OPEN, OFFER);
    page.told();
    const before = page.streams.length;
    page.connection.disconnect("bye");
    await turn();
    assert.deepEqual(page.told(), ["DISCONNECTING bye", "DISCONNECTED"]);
    assert.equal(page.timer.calls.at(-1), "stop");
    await page.retry();
    assert.equal(page.streams.length, before, "no attempt follows");
  });
}

test("disconnect() in the callbacks of RECONNECTING and CONNECTING ends it", async () => {
  for (const when of ["RECONNECTING", "CONNECTING"]) {
    const page = new Page();
    await page.logIn();
    page.onStatus = (status) => status === when && page.connection.disconnect();
    await page.lose();
    await page.retry();
    assert.deepEqual(page.told().slice(-2), ["DISCONNECTING", "DISCONNECTED"], when);
    assert.equal(page.streams.length, 1, when);
  }
});

test("a refused login ends it: AUTHFAIL, then the end", async () => {
  const page = new Page();
  await page.logIn();
  await page.lose();
  await page.retry();
  page.told();
  await page.give(OPEN, OFFER, `<failure xmlns='${SASL}'><not-authorized/></failure>`);
  await turn();
  assert.deepEqual(page.told(), ["AUTHFAIL", "DISCONNECTING", "DISCONNECTED"]);
  assert.ok(page.timer.calls.includes("refused not-authorized"));
  await page.retry();
  assert.equal(page.streams.length, 2);
});

test("a refusal that passes is followed by another attempt", async () => {
  const page = new Page();
  await page.logIn();
  await page.lose();
  await page.retry();
  page.told();
  await page.give(OPEN, OFFER, `<failure xmlns='${SASL}'><temporary-auth-failure/></failure>`);
  assert.deepEqual(page.told(), ["RECONNECTING temporary-auth-failure"]);
});

test("an end that another attempt cannot change is told as without the option", async () => {
  const page = new Page();
  await page.logIn();
  page.told();
  page.timer.isFinal = true;
  const error = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
  await page.give(error);
  assert.deepEqual(page.told(), ["ERROR conflict", "DISCONNECTED"]);
  assert.ok(page.timer.calls.includes("lost conflict"));
});

test("no mechanism that can be used ends it", async () => {
  const page = new Page();
  await page.logIn();
  await page.lose();
  await page.retry();
  page.told();
  await page.give(OPEN, features(`<mechanisms xmlns='${SASL}'><mechanism>X-NONE</mechanism></mechanisms>`));
  await turn();
  assert.deepEqual(page.told(), ["CONNFAIL no-auth-mech", "DISCONNECTED"]);
});

test("what is sent meanwhile is sent in order, behind what the callback of CONNECTED sends", async () => {
  const page = new Page();
  page.onStatus = (status) => status === "CONNECTED" && page.connection.send($pres({ id: "here" }));
  await page.logIn();
  await page.lose();
  page.connection.send($msg({ id: "1" }));
  await page.retry();
  page.connection.send($msg({ id: "2" }));
  await page.give(OPEN, OFFER);
  page.connection.send($msg({ id: "3" }));
  await page.give(SUCCESS, OPEN, features(BIND), BOUND);
  const ids = stanzasOf(page.stream).map((text) => /id=["']([^"']+)/.exec(text)[1]);
  assert.deepEqual(ids, ["here", "1", "2", "3"]);
  assert.throws(() => {
    page.lose();
    for (let count = 0; count <= 10_000; count += 1) page.connection.send($msg({}));
  }, /10000 stanzas wait/);
});

test("a handler that the callback of CONNECTED adds again replaces the former one", async () => {
  const page = new Page();
  const got = [];
  let isFirst = true;
  page.onStatus = (status) => {
    if (status !== "CONNECTED") return;
    for (const name of ["a", "b"]) page.connection.addHandler((stanza) => got.push(name + stanza.getAttribute("id")), null, "message");
    if (isFirst) page.connection.addHandler((stanza) => got.push(`once ${stanza.getAttribute("id")}`), null, "message", "chat");
    isFirst = false;
  };
  await page.logIn();
  for (const id of ["1", "2"]) {
    await page.lose();
    await page.retry();
    await page.answerLogin();
    got.length = 0;
    await page.give(client("message", `id='${id}' type='chat'`));
    assert.deepEqual(got.sort(), [`a${id}`, `b${id}`, `once ${id}`]);
  }
});

test("a request of the lost session ends as one that timed out", async () => {
  const page = new Page();
  await page.logIn();
  const answers = [];
  page.connection.sendIQ($iq({ type: "get", id: "q" }), () => answers.push("result"), (error) => answers.push(error), 60_000);
  await page.lose();
  page.connection.sendIQ($iq({ type: "get", id: "later" }), () => answers.push("later"));
  await page.retry();
  assert.deepEqual(answers, []);
  await page.answerLogin();
  assert.deepEqual(answers, [null]);
  await page.give(client("iq", "type='result' id='later'"));
  assert.deepEqual(answers, [null, "later"]);
  assert.equal(page.connection.timedHandlers.length + page.connection.addTimeds.length - page.connection.removeTimeds.length, 0);
});

const MANAGED = () => ({ enableStreamManagement: true, streamManagement: { storage: new MemoryStorageBackend() } });

test("stream management resumes the session; each stanza is sent once in it", async () => {
  const page = new Page(MANAGED());
  await page.logIn({ sm: true });
  await page.give(`<enabled xmlns='${SM}' id='sm1' resume='true'/>`);
  const answers = [];
  page.connection.send($msg({ id: "1" }));
  page.connection.sendIQ($iq({ type: "get", id: "q" }), (iq) => answers.push(iq.getAttribute("id")));
  await page.give(client("message", "id='in'"));
  await page.lose();
  page.connection.send($msg({ id: "2" }));
  page.told();
  await page.retry();
  await page.give(OPEN, OFFER, SUCCESS, OPEN, features(`${BIND}<sm xmlns='${SM}'/>`));
  assert.match(page.stream.wire.at(-1), /<resume h="1" previd="sm1" xmlns="urn:xmpp:sm:3"\/>/);
  await page.give(`<resumed xmlns='${SM}' previd='sm1' h='0'/>`);
  assert.deepEqual(page.told(), ["CONNECTING", "CONNECTED"]);
  assert.ok(page.connection.hasResumed());
  assert.deepEqual(stanzasOf(page.stream).map((text) => /id="([^"]+)/.exec(text)[1]), ["1", "q", "2"]);
  await page.give(client("iq", "type='result' id='q'"));
  assert.deepEqual(answers, ["q"]);
});

test("a session that cannot be resumed: what it has left goes before what was sent meanwhile", async () => {
  const page = new Page(MANAGED());
  await page.logIn({ sm: true });
  await page.give(`<enabled xmlns='${SM}' id='sm1' resume='true'/>`);
  page.connection.send($msg({ id: "1" }));
  await page.lose();
  page.connection.send($msg({ id: "2" }));
  await page.retry();
  await page.give(OPEN, OFFER, SUCCESS, OPEN, features(`${BIND}<sm xmlns='${SM}'/>`));
  await page.give(`<failed xmlns='${SM}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`, BOUND);
  assert.ok(!page.connection.hasResumed());
  assert.deepEqual(stanzasOf(page.stream), [], "the answer to <enable/> is awaited");
  page.connection.send($msg({ id: "3" }));
  await page.give(`<enabled xmlns='${SM}' id='sm2' resume='true'/>`);
  assert.deepEqual(stanzasOf(page.stream).map((text) => /id="([^"]+)/.exec(text)[1]), ["1", "2", "3"]);
});

test("an interruption before <enabled/> loses nothing", async () => {
  const page = new Page(MANAGED());
  await page.logIn({ sm: true });
  page.connection.send($msg({ id: "1" }));
  await page.lose();
  await page.retry();
  await page.answerLogin(true);
  await page.give(`<enabled xmlns='${SM}' id='sm2' resume='true'/>`);
  assert.deepEqual(stanzasOf(page.stream).map((text) => /id="([^"]+)/.exec(text)[1]), ["1"]);
});

test("an anonymous account logs in with its domain again", async () => {
  const page = new Page();
  await page.logIn({ jid: "h" });
  assert.equal(page.connection.jid, "u@h/r");
  await page.lose();
  await page.retry();
  assert.equal(page.connection.jid, "h");
});

test("BOSH: a session that the server ended is replaced by another one", async () => {
  const page = new Page({}, "http://x/http-bind");
  const answers = [mechanisms("PLAIN"), sasl("success"), BOSH_BINDABLE, BOSH_BOUND, IN_SESSION];
  page.connection.connect("u@h", "p", page.status);
  await page.give(...answers);
  assert.deepEqual(page.told(), ["CONNECTING", "CONNECTED"]);
  page.stream.give(body("", "type='terminate' condition='item-not-found'"));
  page.stream.end({ code: "terminated", condition: "item-not-found", message: "" });
  assert.deepEqual(page.told(), ["RECONNECTING item-not-found"]);
  await page.retry();
  page.stream.end({ code: "unreachable", message: "no network" });
  await turn();
  assert.deepEqual(page.told(), ["CONNECTING", "RECONNECTING"]);
  assert.equal(page.streams.length, 2, "the timer paces the attempts");
  await page.retry();
  await page.give(...answers);
  assert.deepEqual(page.told(), ["CONNECTING", "CONNECTED"]);
});

test("BOSH: what was in no request leaves in the next session, before what was sent meanwhile", async () => {
  const page = new Page({}, "http://x/http-bind");
  const answers = [mechanisms("PLAIN"), sasl("success"), BOSH_BINDABLE, BOSH_BOUND, IN_SESSION];
  page.connection.connect("u@h", "p", page.status);
  await page.give(...answers);
  const seen = [];
  page.connection.sendIQ($iq({ type: "get", id: "2" }), () => seen.push("2"), () => seen.push("no 2"));
  page.connection.sendIQ($iq({ type: "get", id: "0" }), () => seen.push("0"), () => seen.push("no 0"));
  await turn();
  page.told();
  const shown = [];
  page.connection.xmlInput = (elem) => shown.push(elem.getAttribute("condition"));
  page.stream.give(body("", "type='terminate' condition='item-not-found'"));
  page.stream.end({ code: "terminated", condition: "item-not-found", message: "" }, [client("message", "id='1'"), client("iq", "type='get' id='2'")]);
  assert.deepEqual(page.told(), ["RECONNECTING item-not-found"]);
  assert.deepEqual(shown, ["item-not-found"]);
  page.connection.send($msg({ id: "3" }));
  await page.retry();
  await page.give(...answers);
  assert.deepEqual(stanzasOf(page.stream).flatMap((text) => /id="(\d)"/.exec(text)?.[1] ?? []), ["1", "2", "3"]);
  await page.give(body(client("iq", "type='result' id='2'")));
  assert.deepEqual(seen, ["no 0", "2"]);
});

test("a redirect during an attempt is followed once; the next attempt begins at the service", async () => {
  const page = new Page({}, "wss://x/ws");
  await page.logIn();
  const got = [];
  page.connection.addHandler(() => got.push(1), null, "message");
  await page.lose();
  await page.retry();
  await page.give("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://other/ws'/>");
  assert.equal(page.connection.service, "wss://other/ws");
  await page.answerLogin();
  await page.give(client("message", "id='1'"));
  assert.deepEqual(got, [1]);
  await page.lose();
  await page.retry();
  assert.equal(page.connection.service, "wss://x/ws");
});

test("stream management keeps what a session without resumption has left", () => {
  const sent = [];
  const sm = new StreamManagement((data) => sent.push(data), { storage: new MemoryStorageBackend() });
  sm.initialize("u@h");
  sm.sendEnable("u@h/r");
  sm.trackOutbound({ name: "message", attrs: {}, serialized: "<message id='1'/>" });
  sm.suspend();
  assert.equal(sm.isTracking(), false);
  sm.sendEnable("u@h/r");
  sm.onInbound({ name: "enabled", attrs: { id: "x", resume: "true" }, serialized: "" });
  assert.ok(sent.some((data) => data.includes("id='1'")), sent.join());
});
