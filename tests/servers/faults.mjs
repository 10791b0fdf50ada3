// A bad network before one origin: what goes to /http-bind and /ws suffers now and then, everything else passes. For tests;
// no dependencies. Which exchange or frame suffers, and what, follows from the seed and its number alone.
//
//   const faults = await startFaults({ upstream: origin.url, seed: 1, chance: 0.1 });
//   faults.url, faults.counts.html, faults.total, faults.stop(), faults.start()        // at the same address again
//
// Over HTTP a fault strikes an exchange before the server has seen the request, after it, or between the two. Left out, for no
// client can notice them: what leaves an answer well-formed, and an old answer given to another request.
// What befalls WebSockets is in faults-websocket.mjs.

import { createHash } from "node:crypto";
import http from "node:http";
import { freePort, sleep } from "./lifecycle.mjs";
import { relay } from "./faults-websocket.mjs";

const LOOPBACK = "127.0.0.1";
const HTML = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><form>Your room number<br><input></form></body></html>";
const XML = "text/xml; charset=utf-8";

/** Numbers in 0..1 that follow from a name: one event's do not shift another's. */
export function draws(...name) {
  const bytes = createHash("sha256").update(name.join("/")).digest();
  let at = 0;
  return () => bytes.readUInt32LE((at++ % 8) * 4) / 2 ** 32;
}

const among = (list, draw) => list[Math.floor(draw() * list.length)];

/** XML that is no more: something is open, or follows the end, or stands for nothing. */
function malformed(text, draw) {
  const end = /(<\/body>|\/>)\s*$/;
  return among(
    [
      () => text.replace(end, (closing) => (closing.startsWith("/") ? "><oops></body>" : "<oops></body>")),
      () => `${text}<oops`,
      () => text.replace(end, (closing) => (closing.startsWith("/") ? ">&oops;</body>" : "&oops;</body>")),
      () => text.replace(/>/, " oops>"),
    ],
    draw,
  )();
}

/** A body for the log: the attributes that matter, and which messages it carries. */
function gist(body) {
  const text = body.toString();
  const attributes = [...text.slice(0, text.indexOf(">")).matchAll(/\s(rid|ack|type|condition)=["']([^"']*)/g)].map(([, name, value]) => `${name} ${value}`);
  const ids = [...text.matchAll(/<message[^>]*?\sid=["']([^"']*)/g)].map(([, id]) => id);
  return [`${text.length} bytes`, ...attributes, ...ids].join(" ");
}

/** What an intermediary answers in the server's place, as often before the server was asked as after. */
function instead(status, type, body) {
  return async (exchange) => {
    if (exchange.draw() < 0.5) await exchange.ask();
    exchange.answer(status, type, body);
  };
}

const failure = (status) => instead(status, "text/html", `<html><head><title>${status}</title></head><body><hr></body></html>`);

/** Each fault acts on an `Exchange`. */
const FAULTS = {
  "lost request": (exchange) => exchange.cut(),
  "lost answer": async (exchange) => {
    await exchange.ask();
    exchange.cut();
  },
  // The server holds the request, and then nobody waits for its answer any more.
  "cut while held": async (exchange) => {
    exchange.ask();
    await exchange.pause(0, 400);
    exchange.cut();
  },
  "hung request": async (exchange) => {
    await exchange.hang();
    exchange.cut();
  },
  "hung answer": async (exchange) => {
    await Promise.all([exchange.ask(), exchange.hang()]);
    exchange.cut();
  },
  "late request": async (exchange) => {
    await exchange.pause(20, 1500);
    exchange.pass(await exchange.ask());
  },
  "late answer": async (exchange) => {
    const answer = await exchange.ask();
    await exchange.pause(20, 1500);
    exchange.pass(answer);
  },
  "half an answer": async (exchange) => {
    const answer = await exchange.ask();
    exchange.begin(answer);
    exchange.response.write(answer.body.subarray(0, Math.floor(answer.body.length * exchange.draw())));
    await exchange.pause(10, 30);
    exchange.cut();
  },
  "short answer": async (exchange) => {
    const answer = await exchange.ask();
    const kept = 1 + Math.floor((answer.body.length - 1) * exchange.draw());
    exchange.pass({ ...answer, body: answer.body.subarray(0, Math.min(kept, answer.body.toString().trimEnd().length - 1)) });
  },
  malformed: async (exchange) => {
    const answer = await exchange.ask();
    exchange.pass({ ...answer, body: Buffer.from(malformed(answer.body.toString(), exchange.draw)) });
  },
  "empty answer": instead(200, XML, ""),
  html: instead(200, "text/html; charset=utf-8", HTML),
  404: failure(404),
  500: failure(500),
  502: failure(502),
  503: failure(503),
  // As a proxy does that lost its connection to the server and asks again: only the second answer counts.
  "asked twice": async (exchange) => {
    exchange.ask();
    await exchange.pause(0, 60);
    exchange.pass(await exchange.ask());
  },
  // The answer is lost, and kept: the repeated request gets it again, and the server does not see it.
  replayed: async (exchange) => {
    const answer = await exchange.ask();
    exchange.proxy.kept.set(exchange.body, answer);
    exchange.cut();
  },
};

/** One request of the page, and what becomes of it. */
class Exchange {
  constructor(proxy, request, response, body, draw) {
    Object.assign(this, { proxy, request, response, body, draw });
  }

  /** For the log; files pass in silence. */
  note(text) {
    if (this.name) this.proxy.log(`${this.name} ${text}`);
  }

  /** Has the server answer; what it says is read to its end. */
  ask() {
    return new Promise((resolve) => {
      const { request, response, body, proxy } = this;
      this.note(`asks: ${gist(body)}`);
      const headers = { ...request.headers, host: proxy.target.host, "content-length": Buffer.byteLength(body) };
      for (const name of ["connection", "transfer-encoding", "accept-encoding"]) delete headers[name];
      const asked = http.request(new URL(request.url, proxy.target), { method: request.method, headers, agent: proxy.agent });
      const failed = () => resolve({ status: 502, type: "text/html", body: Buffer.from("<html>502</html>") });
      asked.on("response", (answer) => {
        const chunks = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.on("error", failed);
        answer.on("end", () => {
          const said = { status: answer.statusCode, type: answer.headers["content-type"], body: Buffer.concat(chunks) };
          this.note(`hears: ${said.status} ${gist(said.body)}`);
          resolve(said);
        });
      });
      asked.on("error", failed);
      response.on("close", () => {
        asked.destroy();
        failed();
      });
      asked.end(body);
    });
  }

  pause(least, most) {
    return sleep(least + (most - least) * this.draw());
  }

  /** Mostly short, now and then as long as it gets. */
  hang() {
    return sleep(300 + this.proxy.longest * this.draw() ** 3);
  }

  cut() {
    this.request.socket.destroy();
  }

  begin({ status, type, body }) {
    if (this.response.destroyed) return;
    this.response.writeHead(status, { ...(type && { "content-type": type }), "content-length": Buffer.byteLength(body), "cache-control": "no-store" });
  }

  pass(answer) {
    if (this.response.destroyed) return;
    this.note(`answers: ${answer.status} ${gist(answer.body)}`);
    this.begin(answer);
    this.response.end(answer.body);
  }

  answer(status, type, body) {
    this.pass({ status, type, body });
  }
}

export class Faults {
  /** How many of each kind there were. */
  counts = {};
  /** How many exchanges and frames there were to suffer. */
  events = 0;
  /** Answers that were lost and that the repeated request gets. */
  kept = new Map();
  paths = new Set(["/http-bind", "/ws"]);
  exchanges = 0;
  /** How many exchanges suffer now. */
  suffering = 0;
  calming = false;
  /** Which messages on a WebSocket were passed on as something that is no XML: `id`, and when, in milliseconds since 1970. */
  spoilt = [];
  /** How many sessions ejabberd could not give to the connection that asked for them. */
  forgotten = 0;
  handshakes = 0;

  constructor(options) {
    this.target = new URL(options.upstream);
    this.seed = options.seed ?? 1;
    this.chance = options.chance ?? 0.1;
    this.longest = options.longest ?? 8000;
    this.spared = options.spared ?? {};
    this.kinds = Object.keys(FAULTS).filter((kind) => !this.spared.http?.includes(kind));
    this.log = options.log ?? (() => {});
  }

  get url() {
    return `http://${LOOPBACK}:${this.port}`;
  }

  get total() {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** The fate of the event of that name: one of `kinds`, with the numbers to carry it out, or nothing. */
  draw(kinds, ...name) {
    this.events += 1;
    const draw = draws(this.seed, ...name);
    if (draw() >= this.chance || this.calming) return undefined;
    const kind = among(kinds, draw);
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.log(`${name.join(" ")} suffers: ${kind}`);
    return { kind, draw };
  }

  /** Begins to listen; where it listened before, if it did. */
  async start() {
    this.calming = false;
    this.port ??= await freePort();
    this.sockets = new Set();
    this.agent = new http.Agent({ keepAlive: true });
    this.server = http.createServer((request, response) => this.handle(request, response));
    this.server.on("upgrade", (request, socket, head) => relay(this, request, socket, head));
    this.server.on("connection", (socket) => this.watch(socket));
    this.server.keepAliveTimeout = 75_000;
    this.server.requestTimeout = 0;
    await new Promise((resolve, reject) => this.server.once("error", reject).listen(this.port, LOOPBACK, resolve));
    return this;
  }

  watch(socket) {
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
  }

  /** As when the process is killed: all connections break. */
  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    this.agent.destroy();
    await closed;
  }

  async handle(request, response) {
    const chunks = [];
    request.on("error", () => {});
    response.on("error", () => {});
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const { pathname } = new URL(request.url, this.target);
    const exchange = new Exchange(this, request, response, body);
    if (!this.paths.has(pathname)) return exchange.pass(await exchange.ask());
    const kept = this.kept.get(body);
    if (kept) {
      exchange.name = "a repeated exchange";
      return exchange.pass(kept);
    }
    exchange.name = `exchange ${(this.exchanges += 1)}`;
    const fate = this.draw(this.kinds, exchange.name);
    if (!fate) return exchange.pass(await exchange.ask());
    exchange.draw = fate.draw;
    this.suffering += 1;
    try {
      await FAULTS[fate.kind](exchange);
    } finally {
      this.suffering -= 1;
    }
    return undefined;
  }

  /** Waits until no exchange suffers; none begins to before `start()`. */
  async calm() {
    this.calming = true;
    while (this.suffering > 0) await sleep(20);
  }
}

/**
 * Starts it on 127.0.0.1, in front of `upstream` (an origin's address). Options: `seed`; `chance` of an exchange or a frame to
 * suffer (0.1); `longest`: milliseconds that something may hang; `spared`: what does not happen
 * (`{ http: [kinds], up: [kinds], resuming: true }`: to exchanges; to frames for the server; while XEP-0198's `<resume/>` is
 * unanswered); `log(text)` is told of each fault.
 */
export const startFaults = (options) => new Faults(options).start();
