// What befalls WebSockets (RFC 6455) on a bad network; see faults.mjs. Frames pass as they came until one suffers; what is lost
// is lost with the connection, for TCP loses nothing in between.

import net from "node:net";
import { sleep } from "./lifecycle.mjs";

const TEXT = 1;

/** Splits a stream of bytes into frames: `{ opcode, bytes }`, the bytes as they came. */
function frames(tell) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest[1] & 127;
      const extended = { 126: 2, 127: 8 }[short] ?? 0;
      const masked = rest[1] >> 7;
      const head = 2 + extended + 4 * masked;
      if (rest.length < head) return;
      const length = extended === 2 ? rest.readUInt16BE(2) : extended === 8 ? Number(rest.readBigUInt64BE(2)) : short;
      if (rest.length < head + length) return;
      const frame = { opcode: rest[0] & 15, head, masked, bytes: rest.subarray(0, head + length) };
      rest = rest.subarray(head + length);
      tell(frame);
    }
  };
}

/** A frame with another payload, unmasked; masked with zeros where the sender is a client. */
function frame(opcode, payload, masked = 0) {
  const size = payload.length;
  const head = Buffer.alloc(size < 126 ? 2 : 4);
  head[0] = 0x80 | opcode;
  head[1] = (masked << 7) | Math.min(size, 126);
  if (size >= 126) head.writeUInt16BE(size, 2);
  return Buffer.concat([head, Buffer.alloc(4 * masked), payload]);
}

function text({ head, masked, bytes }) {
  const payload = Buffer.from(bytes.subarray(head));
  if (masked) for (let index = 0; index < payload.length; index += 1) payload[index] ^= bytes[head - 4 + (index & 3)];
  return payload;
}

/** Text of the same kind that is no XML. */
function spoilt(found, make) {
  return frame(TEXT, Buffer.from(make(text(found).toString())).subarray(0, 0xffff), found.masked);
}

const close = (code) => frame(8, Buffer.from([code >> 8, code & 255]));

/** Each fault acts on a `Pair` and the frame that was to pass. `on` is whoever was to get it. */
const FAULTS = {
  "cut before": (pair) => pair.cut(),
  "cut after": (pair, found, on) => pair.last(on, found.bytes),
  "cut inside": (pair, found, on, draw) => pair.last(on, found.bytes.subarray(0, 1 + Math.floor((found.bytes.length - 1) * draw()))),
  // Nothing moves in either direction for a while; then all of it arrives, in order.
  stall: (pair, found, on, draw) => {
    pair.stall(pair.proxy.longest * draw() ** 3);
    pair.pass(on, found.bytes);
  },
  "stall and cut": async (pair, found, on, draw) => {
    const pause = pair.proxy.longest * draw() ** 3;
    pair.stall(pause + 10_000);
    await sleep(pause);
    pair.cut();
  },
  1001: (pair) => pair.dismiss(1001),
  1011: (pair) => pair.dismiss(1011),
  // The page's side breaks (1006), and the server does not hear of it for a while.
  "half open": async (pair, found, on, draw) => {
    pair.gone = true;
    pair.client.resetAndDestroy();
    await sleep(3000 * draw());
    pair.cut();
  },
  "short frame": (pair, found, on, draw) => pair.pass(on, spoilt(found, (xml) => xml.slice(0, 1 + Math.floor((xml.length - 2) * draw())))),
  "malformed frame": (pair, found, on) => pair.pass(on, spoilt(found, (xml) => xml.replace(/<?[^<]*$/, "<oops"))),
};

/** What only befalls what comes from the server: sent to it, it would make the server end the session. */
const FROM_SERVER = new Set(["short frame", "malformed frame"]);
const DOWN = Object.keys(FAULTS);
const UP = DOWN.filter((kind) => !FROM_SERVER.has(kind));

/** What the page cannot read and need not ask for again: it reports it. */
function note(proxy, xml) {
  const [, id] = /^<message[^>]*? id=["']([^"']*)/.exec(xml) ?? [];
  if (id) proxy.spoilt.push({ id, at: Date.now() });
}

/** A frame for the log, without what is said in it. */
const gist = (xml) => xml.replace(/ xmlns='[^']*'/g, "").replace(/<body>[^<]*/, "<body>").slice(0, 200);

/** Both ends of one WebSocket. */
class Pair {
  gone = false;
  /** A session is asked for, and the answer is not there yet. */
  resuming = false;
  /** Until when nothing moves, and what came meanwhile. */
  until = 0;
  held;

  constructor(proxy, client, server) {
    Object.assign(this, { proxy, client, server });
  }

  cut() {
    this.gone = true;
    this.client.destroy();
    this.server.destroy();
  }

  /** Cuts it after these bytes; what waits in a stall is lost with them. */
  last(on, bytes) {
    if (this.held) return this.cut();
    this.gone = true;
    on.write(bytes);
    on.end();
    setImmediate(() => this.cut());
    return undefined;
  }

  /** A proxy that stops says so. */
  dismiss(code) {
    this.gone = true;
    this.client.end(close(code));
    this.server.destroy();
  }

  stall(ms) {
    this.until = Math.max(this.until, Date.now() + ms);
    this.client.pause();
    this.server.pause();
    this.held ??= [];
    setTimeout(() => this.flow(), ms);
  }

  /** Goes on, in order, unless it was stalled anew. */
  flow() {
    if (this.gone || !this.held || Date.now() + 2 < this.until) return;
    for (const [on, bytes] of this.held) on.write(bytes);
    this.held = undefined;
    this.client.resume();
    this.server.resume();
  }

  pass(on, bytes) {
    if (this.held) this.held.push([on, bytes]);
    else if (!this.gone) on.write(bytes);
  }
}

/** The handshake goes through as it is, without compression; or is refused; then frames. */
export function relay(proxy, request, client, head) {
  const number = (proxy.handshakes += 1);
  const fate = proxy.draw(["refused", "cut handshake", "hung handshake"], "handshake", number);
  if (fate?.kind === "refused") return client.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  if (fate?.kind === "cut handshake") return client.destroy();

  const server = net.connect(Number(proxy.target.port), proxy.target.hostname);
  proxy.watch(server);
  const pair = new Pair(proxy, client, server);
  client.on("error", () => {});
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on("close", () => pair.gone || pair.cut());
  }
  const lines = [`GET ${request.url} HTTP/1.1`, `Host: ${proxy.target.host}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index];
    if (!/^(host|sec-websocket-extensions)$/i.test(name)) lines.push(`${name}: ${request.rawHeaders[index + 1]}`);
  }
  server.once("connect", () => server.write(`${lines.join("\r\n")}\r\n\r\n`));
  if (fate) {
    sleep(proxy.longest * fate.draw()).then(() => pair.cut());
    return undefined;
  }

  const { spared } = proxy;
  const side = (name, on, kinds) => {
    let count = 0;
    return frames((found) => {
      if (pair.gone) return;
      const xml = found.opcode === TEXT ? text(found).toString() : "";
      proxy.log(`${name} ${number}: ${xml ? gist(xml) : `opcode ${found.opcode}`}`);
      if (xml.includes("Session state copying timed out")) proxy.forgotten += 1;
      if (spared.resuming && /^<(resume|resumed|failed) /.test(xml)) pair.resuming = xml.startsWith("<resume ");
      const suffers = xml && !pair.resuming ? proxy.draw(kinds, name, number, (count += 1)) : undefined;
      if (suffers && FROM_SERVER.has(suffers.kind)) note(proxy, xml);
      if (suffers) FAULTS[suffers.kind](pair, found, on, suffers.draw);
      else pair.pass(on, found.bytes);
    });
  };
  const down = side("down", client, DOWN);
  const up = side("up", server, UP.filter((kind) => !spared.up?.includes(kind)));
  let start = Buffer.alloc(0);
  const shake = (chunk) => {
    start = Buffer.concat([start, chunk]);
    const end = start.indexOf("\r\n\r\n");
    if (end < 0) return;
    server.off("data", shake);
    client.write(start.subarray(0, end + 4));
    server.on("data", down);
    client.on("data", up);
    down(start.subarray(end + 4));
    if (head.length > 0) up(head);
  };
  server.on("data", shake);
  return undefined;
}
