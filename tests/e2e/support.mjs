// What every end-to-end test stands on: the packed package, a real server, an origin that serves both, a browser.
//
//   const env = environment();                       // starts before the file's first test, stops after its last
//   test("…", async () => {
//     const page = await env.page();                 // the package is `epode` there; see pages/support.js for the rest
//     const { jid, password } = await env.account();
//     await page.evaluate(async ({ … }) => { … }, { … });
//   });
//
// EPODE_SERVER (prosody | ejabberd), EPODE_PACKAGE (the unpacked package; default: pkg/ is packed), EPODE_CHROMIUM.
// EPODE_WIRE=FOLDER writes what each page sends and gets over HTTP into a file there.
// A page's uncaught errors and unhandled rejections fail the test, unless it takes them out of `page.problems`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { sleep } from "../servers/lifecycle.mjs";
import { startEjabberd } from "../servers/ejabberd.mjs";
import { startOrigin } from "../servers/origin.mjs";
import { startProsody } from "../servers/prosody.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PAGES = path.join(HERE, "pages");

/** EPODE_TRANSPORT=ws: over WebSocket what is not about BOSH. */
export const OVER_SOCKET = process.env.EPODE_TRANSPORT === "ws";
const TRANSPORT = OVER_SOCKET ? "?transport=ws" : "";

/** Which server the tests run against. */
export const SERVER = process.env.EPODE_SERVER || "prosody";
const START = { prosody: startProsody, ejabberd: startEjabberd }[SERVER];
if (!START) throw new Error(`EPODE_SERVER is ${SERVER}; it can be prosody or ejabberd`);

/** A limit for what should happen at once: reached only when it does not happen at all. */
export const LIMIT = 30_000;

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

function findChromium() {
  if (process.env.EPODE_CHROMIUM) return process.env.EPODE_CHROMIUM;
  const found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) => fs.existsSync(file));
  if (found) return found;
  throw new Error("Chromium was not found: apt-get install chromium (npm run setup does it)");
}

const temporary = [];

function temporaryFolder(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `epode-e2e-${name}-`));
  temporary.push(folder);
  return folder;
}

process.on("exit", () => {
  for (const folder of temporary) fs.rmSync(folder, { recursive: true, force: true });
});

/** The folder of the package as npm would install it. */
function unpackedPackage() {
  if (process.env.EPODE_PACKAGE) return path.resolve(process.env.EPODE_PACKAGE);
  const place = temporaryFolder("package");
  const pkg = path.join(HERE, "../../pkg");
  execFileSync("npm", ["pack", "--silent", "--pack-destination", place], { cwd: pkg, stdio: ["ignore", "ignore", "inherit"] });
  const tarball = fs.readdirSync(place).find((name) => name.endsWith(".tgz"));
  const folder = path.join(place, "node_modules/epode");
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", path.join(place, tarball), "-C", folder, "--strip-components=1"]);
  return folder;
}

let unique = 0;

async function logWire(page, file) {
  page.on("console", (message) => fs.appendFileSync(file, `${message.text()}\n`));
  await page.addInitScript(() => {
    const send = window.fetch;
    window.fetch = (address, init) => {
      const answer = send(address, init);
      if (!init) return answer;
      const at = () => `${performance.now().toFixed(0).padStart(6)}`;
      console.log(at(), "C:", init.body);
      answer.then((response) => response.clone().text()).then(
        (text) => console.log(at(), "S:", text),
        (error) => console.log(at(), "S: nothing:", error.message),
      );
      return answer;
    };
  });
}

class Environment {
  /** What `route` answers. */
  #routes = new Map();
  #pages = [];
  #origins = [];

  constructor(options) {
    this.options = options;
    this.package = unpackedPackage();
  }

  async start() {
    const { server, ...others } = this.options;
    // A pubsub node is to keep all that a test publishes.
    [this.server, this.browser] = await Promise.all([
      START({ maxItems: 1000, ...server }),
      others.browser === false
        ? undefined
        : chromium.launch({ executablePath: findChromium(), headless: true, args: [...CHROMIUM_FLAGS, ...(others.flags ?? [])] }),
    ]);
    this.context = await this.browser?.newContext();
    this.origin = await this.serve();
  }

  /** One more origin with pages, package and server; `headers` go with every answer, `cacheControl` with files. */
  async serve({ headers, ...files } = {}) {
    const origin = await startOrigin({
      roots: { "/": PAGES, "/epode": this.package },
      bosh: this.server.bosh,
      ws: this.server.ws,
      headers,
      ...files,
      before: (request, response) => this.#answer(request, response),
    });
    this.#origins.push(origin);
    return origin;
  }

  async stop() {
    await this.browser?.close();
    for (const origin of this.#origins) await origin.stop();
    await this.server?.stop();
  }

  #answer(request, response) {
    const { pathname } = new URL(request.url, "http://origin");
    const handler = this.#routes.get(pathname);
    if (!handler) return false;
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => handler({ request, response, body: Buffer.concat(chunks).toString("utf8") }));
    return true;
  }

  /** Answers POSTs to a path of the origin by a function of `{ request, response, body }`; returns the path. */
  route(handler) {
    const pathname = `/scripted/${(unique += 1)}`;
    this.#routes.set(pathname, handler);
    return pathname;
  }

  /** A tab with the package loaded, at the origin with everything, or at another. */
  async page({ origin = this.origin, file = "/blank.html", ready = true } = {}) {
    const page = await this.context.newPage();
    page.problems = [];
    page.on("pageerror", (error) => page.problems.push(error.message));
    page.setDefaultTimeout(LIMIT);
    if (process.env.EPODE_WIRE) await logWire(page, path.join(process.env.EPODE_WIRE, `page-${process.pid}-${(unique += 1)}.log`));
    this.#pages.push(page);
    await page.goto(`${origin.url}${file}${TRANSPORT}`);
    if (ready) await page.waitForFunction(() => window.ready);
    return page;
  }

  async pages(count) {
    return Promise.all(Array.from({ length: count }, () => this.page()));
  }

  /** Ends the server as a crash would, and starts it again at the same address. */
  async crash() {
    await this.server.kill();
    for (const end = Date.now() + LIMIT; ; await sleep(50)) {
      try {
        return await this.server.start();
      } catch (error) {
        // The kernel takes its time to close what a large process had open.
        if (!/in use/.test(error.message) || Date.now() > end) throw error;
      }
    }
  }

  /** Closes what a test opened. */
  async clear() {
    const pages = this.#pages.splice(0);
    await Promise.all(pages.map((page) => page.close()));
    this.#routes.clear();
    const problems = pages.flatMap(({ problems }) => problems);
    assert.deepEqual(problems, [], "errors that nobody in the page caught");
  }

  /** A name that no other test uses. */
  name(prefix = "n") {
    return `${prefix}${(unique += 1)}`;
  }

  /** A fresh account, made by the server's own registration. Spread into the options of a client. */
  async account(prefix = "user") {
    const user = this.name(prefix);
    const password = `pencil of ${user}`;
    const jid = await this.server.register(user, password);
    return { jid, password };
  }

  async accounts(count) {
    return Promise.all(Array.from({ length: count }, () => this.account()));
  }

  /** What pages need to know of the server. */
  get names() {
    const { domain, anonymousDomain, conference, pubsub } = this.server;
    return { domain, anonymousDomain, conference, pubsub };
  }

  /** The package as Node resolves it. */
  async node() {
    const place = temporaryFolder("node");
    fs.mkdirSync(path.join(place, "node_modules"));
    fs.symlinkSync(this.package, path.join(place, "node_modules/epode"));
    const entry = path.join(place, "consumer.mjs");
    fs.writeFileSync(entry, 'export * from "epode";\nexport const where = import.meta.resolve("epode");\nexport const place = import.meta.url;\n');
    return import(pathToFileURL(entry));
  }
}

/**
 * Starts everything before the first test of the file that calls it, and stops it after the last. `server`: the server's own
 * options; `browser: false`: none; `flags`: more flags for the browser.
 */
export function environment(options = {}) {
  const env = new Environment(options);
  before(() => env.start());
  afterEach(() => env.clear());
  after(() => env.stop());
  return env;
}
