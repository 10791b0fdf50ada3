// The same steps on npm's strophe.js 5.0.0 and on ours, with scripted networks: what the page sees and what goes over the wire are
// compared.

import assert from "node:assert/strict";
import { test } from "node:test";
import { importSources } from "../../../scripts/lib/typescript.mjs";
import { ScriptedRequest, ScriptedSocket, ScriptedStream } from "./scripted.mjs";

// It gives Node the DOM that both use.
const reference = await import("strophe.js");
const kept = new Map();
globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
globalThis.XMLHttpRequest = ScriptedRequest;
globalThis.WebSocket = ScriptedSocket;

const ours = await importSources(
  "strophe/connection",
  "strophe/bosh",
  "strophe/websocket",
  "strophe/transport",
  "strophe/handler",
  "strophe/request",
  "strophe/sasl",
  "strophe/builder",
  "strophe/stream-management",
  "strophe/storage",
  "strophe/constants",
  "stanza",
);
ours.makeStreamsWith((service, options) => new ScriptedStream(ours, service, options));

const { Strophe } = reference;
// Both log each step, and the exceptions that tests throw on purpose.
for (const level of ["debug", "info", "warn", "error"]) console[level] = () => {};

export const STATUS = Object.fromEntries(Object.entries(Strophe.Status).map(([name, number]) => [number, name]));
export const LIBRARIES = { reference: { ...Strophe, ...reference }, ours };

// strophe.js repeats requests after up to a minute: that must not keep the tests running.
const { setTimeout } = globalThis;
globalThis.setTimeout = (...values) => setTimeout(...values).unref();

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** One library with one connection, and what is seen of it. */
class Side {
  /** What the page saw. */
  seen = [];

  constructor(name, service, options) {
    this.isOurs = name === "ours";
    this.library = LIBRARIES[name];
    this.isBosh = service.startsWith("http");
    for (const { made } of [ScriptedRequest, ScriptedSocket, ScriptedStream]) made.length = 0;
    this.connection = new this.library.Connection(service, options);
  }

  get stream() {
    return ScriptedStream.made.at(-1);
  }

  /** To be given as callback. */
  status = (status, condition, elem) => {
    const { connected, authenticated, disconnecting } = this.connection;
    this.seen.push([STATUS[status] ?? status, condition, elem?.nodeName, connected, authenticated, disconnecting]);
    this.onStatus?.(status);
  };

  /** A handler that is seen. */
  handler(name, result = true) {
    return (elem) => {
      this.seen.push([name, elem.nodeName, elem.getAttribute("id"), elem.firstChild?.nodeName]);
      return result;
    };
  }

  /** Lets both sides send what waits: strophe.js sends at its next tick. */
  async settle() {
    if (!this.isOurs) this.connection.flush();
    await turn();
  }

  /** What the server sends next: over BOSH a body, over WebSocket a frame. */
  async give(xml) {
    await this.settle();
    if (this.isOurs) this.stream.give(xml);
    else if (!this.isBosh) ScriptedSocket.made.at(-1).give(xml);
    else {
      // strophe.js polls at its tick.
      if (!ScriptedRequest.waiting) this.connection._proto._onIdle();
      ScriptedRequest.waiting.answer(xml);
    }
    await turn();
  }

  /** The server's answer to a good-bye. */
  async end() {
    if (this.isOurs) this.stream.end();
    else await this.give(body("", "type='terminate'"));
    await turn();
  }

  /** A request fails. */
  async fail(status) {
    await this.settle();
    if (this.isOurs) await this.stream.fail(status);
    else ScriptedRequest.made.at(-1).answer("", status);
  }

  async open() {
    if (!this.isOurs) ScriptedSocket.made.at(-1).open();
    await turn();
  }

  get wire() {
    if (this.isOurs) return ScriptedStream.made.flatMap(({ wire }) => wire);
    if (this.isBosh) return ScriptedRequest.made.filter(({ body }) => body).flatMap(({ body }) => this.#contentOf(body));
    return ScriptedSocket.made.flatMap(({ sent }) => sent.map((text, index) => textOnWire(text, index)));
  }

  #contentOf(text) {
    const body = new DOMParser().parseFromString(text, "text/xml").documentElement;
    if (body.getAttribute("to") && !body.getAttribute("sid")) return ["open"];
    const content = Array.from(body.childNodes, (child) => this.library.Builder.serialize(child));
    if (body.getAttribute("xmpp:restart")) content.push("restart");
    if (body.getAttribute("type") === "terminate") content.push("close");
    return content;
  }

  stop() {
    clearTimeout(this.connection._idleTimeout);
    this.connection.connected = false;
  }
}

function textOnWire(text, index) {
  if (text.startsWith("<open")) return index === 0 ? "open" : "restart";
  return text.startsWith("<close") ? "close" : text;
}

/** Runs the steps on both and compares. `wire: false` where the requests are the core's own. */
export function both(name, steps, { service = "http://x/http-bind", options = {}, wire = true } = {}) {
  test(name, async () => {
    const results = {};
    for (const one of ["reference", "ours"]) {
      kept.clear();
      const side = new Side(one, service, options);
      await steps(side, side.connection, side.library);
      await side.settle();
      results[one] = { seen: side.seen, ...(wire && { wire: side.wire }) };
      side.stop();
    }
    assert.ok(results.ours.seen.length > 0, "nothing was seen");
    assert.deepEqual(results.ours, results.reference);
  });
}

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";

export const body = (content, attributes = "") =>
  `<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' ${attributes}>${content}</body>`;
export const client = (name, attributes, content = "") => `<${name} xmlns='jabber:client' ${attributes}>${content}</${name}>`;
export const mechanisms = (...names) =>
  body(
    `<stream:features><mechanisms xmlns='${SASL}'>${names.map((one) => `<mechanism>${one}</mechanism>`).join("")}</mechanisms></stream:features>`,
    "sid='s1' wait='60' requests='2' hold='1' inactivity='30'",
  );
export const sasl = (name, content = "") => body(`<${name} xmlns='${SASL}'>${content}</${name}>`);
export const BINDABLE = body(
  "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>",
);
export const BOUND = body(
  client("iq", "type='result' id='_bind_auth_2'", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>u@h/r</jid></bind>"),
);
export const IN_SESSION = body(client("iq", "type='result' id='_session_auth_2'"));

/** A whole login over BOSH. */
export async function login(side, { jid = "u@h", pass = "p", offered = ["PLAIN"] } = {}) {
  side.connection.connect(jid, pass, side.status);
  for (const answer of [mechanisms(...offered), sasl("success"), BINDABLE, BOUND, IN_SESSION]) await side.give(answer);
}
