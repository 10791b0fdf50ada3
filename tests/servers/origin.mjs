// One origin, as a deployment has it: folders with the page and the package, /http-bind and /ws passed on
// to an XMPP server. For tests and for the demo; no dependencies.
//
//   node tests/servers/origin.mjs --root /=www --root /epode=pkg --bosh URL [--ws URL] [--port N]
//   const origin = await startOrigin({ roots: { "/": "www", "/epode": "pkg" }, bosh, ws });
//   origin.url, origin.counts["/http-bind"], await origin.stop()

import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
  ".ts": "text/plain; charset=utf-8",
  ".wasm": "application/wasm", // WebAssembly.instantiateStreaming insists on it
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

// What belongs to one hop and is not passed on (RFC 9110, 7.6.1).
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"];

function endToEnd(headers) {
  const named = String(headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name) && !named.includes(name)));
}

export class Origin {
  /** How many requests each path got, upgrades included: `origin.counts["/http-bind"]`. */
  counts = Object.create(null);

  constructor(options) {
    this.headers = options.headers ?? {};
    /** `Cache-Control` of files; `undefined` for none: with `no-store` browsers treat a page that is left differently. */
    this.cacheControl = "cacheControl" in options ? options.cacheControl : "no-store";
    this.json = options.json ?? {};
    this.before = options.before;
    this.host = options.host ?? "127.0.0.1";
    // The longest prefix decides.
    this.roots = Object.entries(options.roots ?? {})
      .map(([prefix, folder]) => [prefix.endsWith("/") ? prefix : `${prefix}/`, path.resolve(folder)])
      .sort(([a], [b]) => b.length - a.length);
    this.agents = { "http:": new http.Agent({ keepAlive: true }), "https:": new https.Agent({ keepAlive: true }) };
    this.setUpstream(options);
    this.sockets = new Set();
    this.server = http.createServer((request, response) => this.handleRequest(request, response));
    this.server.on("upgrade", (request, socket, head) => this.handleUpgrade(request, socket, head));
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    // A BOSH client keeps its two connections; at Node's 5 s each poll would make a new one.
    this.server.keepAliveTimeout = 75_000;
    this.server.requestTimeout = 0;
  }

  /** Points /http-bind and /ws at another server from now on. */
  setUpstream({ bosh, ws }) {
    this.upstream = { "/http-bind": bosh && new URL(bosh), "/ws": ws && new URL(ws) };
  }

  get port() {
    return this.server.address().port;
  }

  get url() {
    return `http://${this.host}:${this.port}`;
  }

  resetCounts() {
    for (const name of Object.keys(this.counts)) delete this.counts[name];
  }

  listen(port = 0) {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, this.host, () => {
        this.server.removeListener("error", reject);
        resolve(this);
      });
    });
  }

  /** Closes every connection, upgraded ones too. */
  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    for (const agent of Object.values(this.agents)) agent.destroy();
    await closed;
  }

  handleRequest(request, response) {
    const { pathname } = new URL(request.url, "http://origin");
    this.counts[pathname] = (this.counts[pathname] ?? 0) + 1;
    for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value);
    // A test may answer itself (say, with a 500 or an HTML page), at once or later.
    if (this.before?.(request, response)) return;
    if (pathname in this.upstream) this.forward(this.upstream[pathname], request, response);
    else if (pathname in this.json) send(response, 200, ".json", JSON.stringify(this.json[pathname]));
    else this.serveFile(pathname, request, response);
  }

  serveFile(pathname, request, response) {
    if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, ".txt", "GET or HEAD\n");
    const file = this.find(pathname);
    if (!file) return send(response, 404, ".txt", `${pathname} is not here\n`);
    const stream = fs.createReadStream(file);
    stream.once("error", () => send(response, 404, ".txt", `${pathname} is not here\n`));
    stream.once("open", () => {
      response.writeHead(200, {
        "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream",
        "Content-Length": fs.statSync(file).size,
        ...(this.cacheControl && { "Cache-Control": this.cacheControl }),
        "X-Content-Type-Options": "nosniff",
      });
      if (request.method === "HEAD") {
        stream.destroy();
        response.end();
      } else {
        pipeline(stream, response, () => {});
      }
    });
    return undefined;
  }

  /** The file a path names, or undefined. Nothing outside the folders is ever named, by links neither. */
  find(pathname) {
    let decoded;
    try {
      decoded = decodeURIComponent(pathname);
    } catch {
      return undefined;
    }
    if (decoded.includes("\0")) return undefined;
    for (const [prefix, folder] of this.roots) {
      const asked = `${decoded}/` === prefix ? prefix : decoded;
      if (!asked.startsWith(prefix)) continue;
      try {
        const inside = fs.realpathSync(folder) + path.sep;
        let file = fs.realpathSync(path.join(folder, asked.slice(prefix.length)));
        if (fs.statSync(file).isDirectory()) file = fs.realpathSync(path.join(file, "index.html"));
        if (file.startsWith(inside) && fs.statSync(file).isFile()) return file;
      } catch {
        // not in this folder; a shorter prefix may have it
      }
    }
    return undefined;
  }

  forward(target, request, response) {
    if (!target) return send(response, 502, ".txt", "no BOSH service is configured\n");
    const headers = { ...endToEnd(request.headers), host: target.host, "x-forwarded-for": request.socket.remoteAddress };
    const upstream = (target.protocol === "https:" ? https : http).request(target, {
      method: request.method,
      headers,
      agent: this.agents[target.protocol],
    });
    upstream.on("response", (answer) => {
      response.writeHead(answer.statusCode, endToEnd(answer.headers));
      response.flushHeaders();
      pipeline(answer, response, () => {});
    });
    upstream.on("error", (error) => {
      if (response.headersSent) response.destroy();
      else send(response, 502, ".txt", `${target.host}: ${error.message}\n`);
    });
    // A page that went away does not keep a request open at the server.
    response.on("close", () => {
      if (!response.writableFinished) upstream.destroy();
    });
    request.pipe(upstream);
    return undefined;
  }

  handleUpgrade(request, socket, head) {
    const { pathname } = new URL(request.url, "http://origin");
    this.counts[pathname] = (this.counts[pathname] ?? 0) + 1;
    socket.on("error", () => socket.destroy());
    const target = this.upstream[pathname];
    const refuse = (status, text) => socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${text}\n`);
    if (!target) return refuse("404 Not Found", `${pathname} takes no upgrade`);

    const secure = target.protocol === "wss:" || target.protocol === "https:";
    const where = { host: target.hostname, port: Number(target.port) || (secure ? 443 : 80), servername: target.hostname };
    const upstream = secure ? tls.connect({ ...where, ALPNProtocols: ["http/1.1"] }) : net.connect(where);
    let connected = false;
    upstream.once(secure ? "secureConnect" : "connect", () => {
      connected = true;
      const lines = [`GET ${target.pathname}${target.search} HTTP/1.1`, `Host: ${target.host}`];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        if (request.rawHeaders[i].toLowerCase() !== "host") lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
      }
      upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
      upstream.write(head);
      socket.setNoDelay(true);
      upstream.setNoDelay(true);
      pipeline(socket, upstream, () => {});
      pipeline(upstream, socket, () => {});
    });
    upstream.on("error", (error) => {
      if (connected) socket.destroy();
      else refuse("502 Bad Gateway", error.message);
    });
    this.sockets.add(upstream);
    upstream.on("close", () => this.sockets.delete(upstream));
    return undefined;
  }
}

function send(response, status, type, body) {
  if (response.headersSent) return response.destroy();
  return response.writeHead(status, { "Content-Type": TYPES[type], "Cache-Control": "no-store" }).end(body);
}

/**
 * Starts it on 127.0.0.1. Options: `port` (default: a free one), `roots` ({ prefix: folder }), `bosh` and `ws`
 * (where /http-bind and /ws go), `json` ({ path: value }), `headers` (sent with everything, say a
 * Content-Security-Policy), `before(request, response)` (answers itself when it returns true).
 */
export const startOrigin = (options = {}) => new Origin(options).listen(options.port);

async function main() {
  const { values } = parseArgs({
    options: { root: { type: "string", multiple: true }, bosh: { type: "string" }, ws: { type: "string" }, port: { type: "string" } },
  });
  const roots = Object.fromEntries((values.root ?? ["/=."]).map((text) => text.split("=")));
  const origin = await startOrigin({ roots, bosh: values.bosh, ws: values.ws, port: Number(values.port ?? 0) });
  console.log(origin.url);
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => origin.stop().then(() => process.exit(0)));
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
