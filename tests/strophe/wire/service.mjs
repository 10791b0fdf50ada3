// A service on loopback that says what a script tells it, over BOSH and WebSocket, and keeps what its clients sent. An address is
// /bosh/SCRIPT/KEY or /ws/SCRIPT/KEY; KEY keeps the specifications apart. /KIND/SCRIPT/KEY/transcript gives what was sent there.
//
// BOSH: one request is held, answers come in the order of the rids. Only what differs is written down: which elements travelled in which
// body is not, since one library waits for a tick of 100 ms and the other for the end of the turn.

import http from "node:http";
import { WebSocketServer } from "ws";
import { Session, readable } from "./session.mjs";
import { scripts } from "./scripts.mjs";
import { attributesOf, elements, parse } from "./xml.mjs";

const HTTPBIND = "http://jabber.org/protocol/httpbind";
const STREAMS = "http://etherx.jabber.org/streams";
/** For how long a request is held, in seconds: longer than a specification takes. */
const WAIT = 60;
const CORS = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*", "Access-Control-Expose-Headers": "*" };

let lastSid = 0;

class Bosh {
  sid = `parity-${(lastSid += 1)}`;
  /** Answers that wait for a request, and requests that wait for an answer. */
  #waiting = [];
  #held = [];
  #early = new Map();
  #next;
  #ended = false;
  #first = true;

  constructor(script, address) {
    this.session = new Session(script, address, {
      deliver: (markup) => this.#deliver(markup),
      drop: () => this.#drop(),
      terminate: (attributes, payload) => this.terminate(attributes, payload),
    });
  }

  take(body, request, response) {
    const rid = Number(body.getAttribute("rid"));
    this.#next ??= rid;
    if (rid !== this.#next) {
      // Repeated, or early: another connection may have been faster.
      if (rid > this.#next) this.#early.set(rid, [body, request, response]);
      else this.#send(response, "");
      return;
    }
    // What a script answers in place of the session is as if it had not arrived: it is repeated.
    if (this.#isReplaced(request, response)) return;
    this.#handle(body, request, response);
    this.#next = rid + 1;
    const early = this.#early.get(this.#next);
    this.#early.delete(this.#next);
    if (early) this.take(...early);
  }

  #isReplaced({ text, request }, response) {
    const { session } = this;
    return Boolean(session.script.http?.({ phase: this.#first ? "open" : session.phase, body: text, request, response, session }));
  }

  #handle(body, request, response) {
    const { session } = this;
    const isOpening = this.#first;
    this.#note(body, isOpening);
    this.#held.push(response);
    response.on("close", () => (this.#held = this.#held.filter((one) => one !== response)));
    if (isOpening) session.greet();
    const children = elements(body);
    for (const child of children) session.receive(child);
    if (body.getAttributeNS("urn:xmpp:xbosh", "restart") === "true") session.restart();
    if (body.getAttribute("type") === "terminate") return this.terminate("");
    if (!isOpening && children.length === 0 && session.greetLate()) return this.#flush();
    this.#flush();
    // One request is held.
    while (this.#held.length > 1) this.#send(this.#held.shift(), "");
    if (session.script.later && session.phase === "login" && isOpening) this.#send(this.#held.shift(), "");
  }

  /** What of the body is compared: the attributes of the first one, a restart, the end. */
  #note(body, isOpening) {
    const { session } = this;
    const what = { terminate: "end", restart: "restart" };
    // The version of BOSH is one row of the table, not one of each.
    const without = ["rid", "sid", "ack", "key", "newkey", ...(session.script.showsVersion ? [] : ["ver"])];
    if (isOpening) session.note(`body ${attributesOf(body, without)}`);
    else if (body.getAttributeNS("urn:xmpp:xbosh", "restart")) session.note(`restart ${attributesOf(body, without)}`);
    else if (body.getAttribute("type")) session.note(`${what[body.getAttribute("type")] ?? "body"} ${attributesOf(body, without)}`);
  }

  #deliver(markup) {
    this.#waiting.push(markup);
    // What one request brings about leaves together.
    queueMicrotask(() => this.#flush());
  }

  #flush() {
    if (this.#waiting.length === 0 || this.#held.length === 0 || this.#ended) return;
    this.#send(this.#held.shift(), this.#waiting.splice(0).join(""));
  }

  #send(response, payload, more = "") {
    if (response.writableEnded || response.destroyed) return;
    const opening = this.#first ? ` sid='${this.sid}' wait='${WAIT}' hold='1' requests='2' inactivity='30' polling='2' ver='1.6' from='parity.example' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restartlogic='true'` : "";
    this.#first = false;
    response.writeHead(200, { "Content-Type": "text/xml; charset=utf-8", ...CORS });
    response.end(`<body xmlns='${HTTPBIND}' xmlns:stream='${STREAMS}'${opening}${more}>${payload}</body>`);
  }

  terminate(attributes, payload = "") {
    const [last, ...held] = this.#held.splice(0).reverse();
    for (const one of held) this.#send(one, "");
    if (last) this.#send(last, this.#waiting.splice(0).join("") + payload, ` type='terminate'${attributes}`);
    this.#ended = true;
    return true;
  }

  #drop() {
    for (const response of this.#held.splice(0)) response.destroy();
  }
}

function overSocket(socket, script, address, keep) {
  const send = (text) => socket.readyState === 1 && socket.send(text);
  let opened = 0;
  const session = new Session(script, address, {
    // One stanza in each frame.
    deliver: (markup, each = [markup]) => each.forEach(send),
    drop: () => socket.terminate(),
    terminate: () => (send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"), true),
  });
  session.sayRaw = send;
  keep(session);
  socket.on("message", (data) => {
    const text = data.toString("utf8");
    const element = parse(text);
    session.count += 1;
    if (element.localName === "open" || element.localName === "close") session.note(`${element.localName} ${attributesOf(element)}`);
    if (session.script.socket?.({ count: session.count, text, session })) return;
    if (element.localName === "close") {
      send('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />');
      socket.close(1000);
    } else if (element.localName === "open") {
      opened += 1;
      const version = script.opening ?? "version='1.0'";
      send(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='parity.example' id='s${opened}' ${version}/>`);
      if (opened === 1) session.greet();
      else session.restart();
    } else {
      session.receive(element);
    }
  });
}

async function textOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Starts it. `files(pathname)`: `{ type, body }` of a page or script, if there is one. */
export async function startService({ files = () => undefined } = {}) {
  /** The sessions by address, and those of BOSH by sid as well. */
  const sessions = new Map();
  const bySid = new Map();
  const keep = (address, session) => sessions.set(address, [...(sessions.get(address) ?? []), session]);

  const exchange = async (request, response) => {
    const { pathname } = new URL(request.url, "http://service");
    const [, kind, name, key, action] = pathname.split("/");
    const address = `/${kind}/${name}/${key}`;
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    if (kind !== "bosh") {
      const file = await files(pathname);
      response.writeHead(file ? 200 : 404, { "Content-Type": file?.type ?? "text/plain", "Cache-Control": "no-store" });
      return response.end(file?.body ?? "not found");
    }
    const json = (value) => response.writeHead(200, { "Content-Type": "application/json", ...CORS }).end(JSON.stringify(value));
    const all = () => [...(sessions.get(`/bosh/${name}/${key}`) ?? []), ...(sessions.get(`/ws/${name}/${key}`) ?? [])];
    if (action === "transcript") return json(all().flatMap(({ transcript }) => readable(transcript)));
    if (action === "drop") {
      for (const session of all().slice(-1)) session.drop();
      return json(true);
    }
    if (action === "push") {
      const xml = await textOf(request);
      for (const session of all().slice(-1)) session.deliver(xml);
      return json(true);
    }
    if (!scripts[name]) throw new Error(`there is no script ${name}`);
    const text = await textOf(request);
    const body = parse(text);
    let bosh = bySid.get(body.getAttribute("sid"));
    if (body.getAttribute("sid") && !bosh) {
      return response.writeHead(200, { "Content-Type": "text/xml", ...CORS }).end(`<body xmlns='${HTTPBIND}' type='terminate' condition='item-not-found'/>`);
    }
    if (!bosh) {
      bosh = new Bosh(scripts[name], `http://${request.headers.host}${address}`);
      bySid.set(bosh.sid, bosh);
      keep(address, bosh.session);
    }
    bosh.take(body, { text, request }, response);
  };

  const server = http.createServer((request, response) => {
    exchange(request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(500, { "Content-Type": "text/plain" });
      response.end(String(error.stack));
    });
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "xmpp" });
  server.on("upgrade", (request, socket, head) => {
    const { pathname } = new URL(request.url, "http://service");
    const [, , name] = pathname.split("/");
    if (!scripts[name]) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (web) => overSocket(web, scripts[name], `ws://${request.headers.host}${pathname}`, (session) => keep(pathname, session)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
