// How soon a page is back after an outage: from the moment that the service can be reached again to the first message that the
// page receives. Each run has a page, an account and a TCP proxy of its own; the outage is the proxy, which cuts what is open and
// refuses what comes.
//
//   npm run outage [-- --server prosody|ejabberd] [--transport bosh|ws] [--outages 1,5,20] [--runs 5]
//
// Before that: the same in virtual time, over 1,000 seeds (proto/tests/dialogues/outage.rs): from the service's return to the
// attempt that can succeed.

import net from "node:net";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { at, PKG } from "../../scripts/lib/project.mjs";
import { main, run } from "../../scripts/lib/run.mjs";
import { startEjabberd } from "../servers/ejabberd.mjs";
import { freePort, sleep } from "../servers/lifecycle.mjs";
import { startOrigin } from "../servers/origin.mjs";
import { startProsody } from "../servers/prosody.mjs";

const SERVERS = { prosody: startProsody, ejabberd: startEjabberd };
const SERVICES = { bosh: "/http-bind", ws: "/ws" };
const PASSWORD = "pencil of all weathers";
/** How often the page is written to while it is away, in milliseconds: the error of the measurement. */
const PERIOD = 50;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

const { values } = parseArgs({
  options: {
    server: { type: "string" },
    transport: { type: "string" },
    outages: { type: "string", default: "1,5,20" },
    runs: { type: "string", default: "5" },
    package: { type: "string", default: PKG },
  },
});
const chosen = (all, one, option) => {
  if (one !== undefined && !(one in all)) throw new Error(`${option} is ${Object.keys(all).join(" or ")}`);
  return one === undefined ? Object.keys(all) : [one];
};
const servers = chosen(SERVERS, values.server, "--server");
const transports = chosen(SERVICES, values.transport, "--transport");
const outages = values.outages.split(",").map(Number);
const runs = Number(values.runs);

/** A TCP proxy before a port of this machine, which can be away. */
class Proxy {
  #sockets = new Set();
  #listener;

  constructor(upstream) {
    this.upstream = upstream;
  }

  /** Listens, at the same port each time. */
  async start() {
    this.port ??= await freePort();
    this.#listener = net.createServer((near) => {
      const far = net.connect(this.upstream, "127.0.0.1");
      for (const [one, other] of [[near, far], [far, near]]) {
        this.#sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise((resolve, reject) => {
      this.#listener.once("error", reject);
      this.#listener.listen(this.port, "127.0.0.1", resolve);
    });
  }

  /** What is open is cut, what comes is refused. */
  stop() {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }
}

/** In the page: online, and counts the messages that come. */
async function listen([service, jid, password]) {
  const { Client } = await import("/epode/index.js");
  const client = new Client(service, { jid, password });
  window.received = 0;
  client.addHandler(() => void (window.received += 1), { name: "message" });
  window.client = client;
  await client.connect();
  return client.jid.toString();
}

let accounts = 0;

/** One outage of so many seconds; resolves with how long after it the first message came, in seconds. */
async function measure({ browser, server, origin, writer, transport, outage }) {
  const proxy = new Proxy(Number(new URL(origin.url).port));
  await proxy.start();
  const name = `away${(accounts += 1)}`;
  await server.register(name, PASSWORD);
  const page = await browser.newPage();
  try {
    const url = `http://127.0.0.1:${proxy.port}`;
    await page.goto(`${url}/page.html`);
    const service = `${transport === "ws" ? url.replace("http", "ws") : url}${SERVICES[transport]}`;
    const account = `${name}@${server.domain}`;
    await page.evaluate(listen, [service, account, PASSWORD]);
    // Until its presence is known, messages to the account find nobody.
    while ((await page.evaluate(() => window.received)) === 0) {
      writer(account);
      await sleep(PERIOD);
    }
    await proxy.stop();
    await sleep(outage * 1000);
    await page.evaluate(() => void (window.received = 0));
    const began = performance.now();
    await proxy.start();
    while ((await page.evaluate(() => window.received)) === 0) {
      writer(account);
      await sleep(PERIOD);
    }
    return (performance.now() - began) / 1000;
  } finally {
    await page.close();
    await proxy.stop();
  }
}

main(async () => {
  await run("cargo", ["test", "--locked", "-j2", "--quiet", "--package", "epode-proto", "--test", "proto", "a_client_reconnects_soon_after_the_service_returns", "--", "--nocapture"], { show: "all" });
  const library = await import(new URL("node.js", `file://${values.package}/`));
  const browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  console.log(`server    transport outage   median     max   each of ${runs} runs (seconds from the service's return to the first message)`);
  try {
    for (const name of servers) {
      const server = await SERVERS[name]();
      const origin = await startOrigin({ roots: { "/epode": values.package, "/": at("tests/faults") }, bosh: server.bosh, ws: server.ws });
      await server.register("writer", PASSWORD);
      const client = new library.Client(server.bosh, { jid: `writer@${server.domain}`, password: PASSWORD });
      await client.connect();
      const writer = (to) => void client.send(library.xml`<message to="${to}" type="chat"><body>Are you back?</body></message>`).catch(() => {});
      try {
        for (const outage of outages) {
          for (const transport of transports) {
            const one = () => measure({ browser, server, origin, writer, transport, outage });
            const times = (await Promise.all(Array.from({ length: runs }, one))).sort((a, b) => a - b);
            const cell = (time) => time.toFixed(2).padStart(8);
            console.log([name.padEnd(9), transport.padEnd(9), `${outage} s`.padStart(6), " ", cell(times[Math.floor((runs - 1) / 2)]), cell(times.at(-1)), "  ", times.map((time) => time.toFixed(2)).join(" ")].join(""));
          }
        }
      } finally {
        await client.disconnect();
        await origin.stop();
        await server.stop();
      }
    }
  } finally {
    await browser.close();
  }
});
