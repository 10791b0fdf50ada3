// Pages whose memory is under pressure, and that keep no reference to their client, go on receiving: the README's first example over
// both transports, the demo, and both web sites of examples/.
//
//   npm run pressure [-- --seconds N] [--only NAME,NAME]      default: 120 seconds each, all of them
//
// In each page much is allocated and dropped all the time, and a collection is forced every second. Meanwhile something is published
// every second. Printed: how much of it arrived in the last quarter of the time, and in all. A page that has fallen silent fails.

import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { PKG as BUILT } from "../../scripts/lib/project.mjs";
import { startDemo, startServer } from "../../scripts/demo.mjs";
import { startExample } from "../../scripts/examples.mjs";
import { sleep } from "../servers/lifecycle.mjs";
import { startOrigin } from "../servers/origin.mjs";
import { startProsody } from "../servers/prosody.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "120" }, only: { type: "string" } } });
/** The package: pkg/, or the unpacked one that EPODE_PACKAGE names. */
const PKG = path.resolve(process.env.EPODE_PACKAGE ?? BUILT);
const epode = await import(pathToFileURL(path.join(PKG, "node.js")));
const SECONDS = Number(values.seconds);
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc",
];
/** For what should happen at once: reached only when it does not happen at all. */
const LIMIT = 30_000;

/** Allocates and drops some 50 MB a second, and collects. */
function press() {
  setInterval(() => {
    const waste = [];
    for (let index = 0; index < 50; index += 1) waste.push(new Array(12_000).fill({ index }), new Uint8Array(100_000));
    globalThis.lastWaste = waste.length;
  }, 100);
  setInterval(() => globalThis.gc(), 1000);
}

/** The README's first example, as a module script in which nothing refers to the client but its own callbacks. */
const readmeExample = (service, domain, pubsub) => `<!doctype html>
<title>0</title>
<script type="module">
import { connect, xml } from "/epode/index.js";
const count = (what) => {
  received[what] += 1;
};
window.received = { items: 0, room: 0, stanzas: 0 };
const begin = async () => {
  const client = await connect(${JSON.stringify(service)}, { jid: "romeo@${domain}", password: "pencil" });
  await client.pubsub.subscribe("/blog/Post", (item) => count("items"), { service: "${pubsub}" });
  const room = await client.muc.join("lobby@conference.${domain}", "romeo");
  room.on("message", () => count("room"));
  client.addHandler(() => count("stanzas"), { name: "message", type: "chat" });
  window.address = client.jid;
};
begin().then(() => (document.title = "ready"), (error) => (document.title = error.message));
</script>`;

/** One of both transports. */
async function readme(transport, page, after) {
  const server = await startProsody({ openPublish: true });
  after(() => server.stop());
  const origin = await startOrigin({
    roots: { "/epode": PKG },
    bosh: server.bosh,
    ws: server.ws,
    before(request, response) {
      if (request.url !== "/") return false;
      const service = transport === "ws" ? `${origin.url.replace(/^http/, "ws")}/ws` : "/http-bind";
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(readmeExample(service, server.domain, server.pubsub));
      return true;
    },
  });
  after(() => origin.stop());
  await server.register("romeo", "pencil");
  await server.register("juliet", "pencil");
  const { connect, xml } = epode;
  const writer = await connect(server.bosh, { jid: `juliet@${server.domain}`, password: "pencil" });
  after(() => writer.disconnect());
  const service = server.pubsub;
  await writer.pubsub.createNode("/blog/Post", { service });
  const room = await writer.muc.join(`lobby@${server.conference}`, "juliet");
  await page.goto(`${origin.url}/`);
  await page.waitForFunction(() => document.title !== "0", undefined, { timeout: LIMIT });
  assert.equal(await page.title(), "ready");
  const to = await page.evaluate(() => address);
  return {
    async publish(number) {
      await writer.pubsub.publish("/blog/Post", xml`<post xmlns="urn:blog"><title>${number}</title></post>`, { service, id: String(number) });
      await room.send(`line ${number}`);
      await writer.send(xml`<message to="${to}" type="chat"><body>${number}</body></message>`);
    },
    received: () => page.evaluate(() => received),
  };
}

/** The demo of www/, by its own transport choice: WebSocket first. */
async function demo(transport, page, after) {
  const server = await startServer();
  after(() => server.stop());
  const shown = await startDemo({ server, port: 0, pkg: PKG });
  after(() => shown.stop());
  const { connect, json } = epode;
  const writer = await connect(server.bosh, { domain: server.anonymousDomain, anonymous: true });
  after(() => writer.disconnect());
  await page.goto(`${shown.url}/?via=${transport}`);
  await page.waitForFunction(() => document.querySelector("#state")?.dataset.status === "online", undefined, { timeout: LIMIT });
  // An order is shown under its id; the latest one, for the oldest go from the board.
  let latest;
  let received = 0;
  return {
    async publish(number) {
      latest = `pressure-${number}`;
      await writer.pubsub.publish(shown.config.node, json({ title: `Order ${latest}`, for: "Table 4" }), { service: server.pubsub, id: latest });
      const arrived = await page.getByText(`Order ${latest}`).first().waitFor({ timeout: 10_000 }).then(() => true, () => false);
      received += Number(arrived);
    },
    received: async () => ({ orders: received }),
  };
}

/** A web site of examples/: what its visitors save in one page comes to another. */
const SITES = {
  async django(transport, site, page, other) {
    for (const one of [page, other]) {
      await one.goto(`${site.url}/?via=${transport}`);
      await one.locator('#orders[data-live="true"]').waitFor({ state: "attached", timeout: LIMIT });
    }
    return async (number) => {
      await other.fill("#what", `Order ${number}`);
      await other.getByRole("button", { name: "Order", exact: true }).click();
      return page.locator("#orders h3", { hasText: new RegExp(`^Order ${number}$`) });
    };
  },
  async flask(_transport, site, page, other) {
    await other.goto(`${site.url}/sign-up`);
    await other.fill("#name", "Ada");
    await other.fill("#password", "correct-horse-battery");
    await other.getByRole("button", { name: "Sign up" }).click();
    await other.locator("#title").fill("Under pressure");
    await other.locator("#text").fill("print('hello')");
    await other.getByRole("button", { name: "Paste" }).click();
    await other.waitForURL(/\/pastes\/\d+$/);
    await page.goto(other.url());
    await page.waitForFunction(() => document.body.dataset.feeds?.startsWith("paste-replies"), undefined, { timeout: LIMIT });
    return async (number) => {
      await other.fill("#text", `Reply ${number}`);
      await other.getByRole("button", { name: "Reply", exact: true }).click();
      return page.locator("#replies li p", { hasText: new RegExp(`^Reply ${number}$`) });
    };
  },
};

const example = (name) => async (transport, page, after, browser) => {
  const site = await startExample(name, { pkg: PKG });
  after(() => site.stop());
  const context = await browser.newContext();
  after(() => context.close());
  const save = await SITES[name](transport, site, page, await context.newPage());
  let received = 0;
  return {
    async publish(number) {
      const shown = await save(number);
      received += Number(await shown.waitFor({ timeout: 10_000 }).then(() => true, () => false));
    },
    received: async () => ({ saved: received }),
  };
};

const SCENES = {
  "readme-bosh": [readme, "bosh"],
  "readme-ws": [readme, "ws"],
  "demo-bosh": [demo, "bosh"],
  "demo-ws": [demo, "ws"],
  "django-bosh": [example("django"), "bosh"],
  "django-ws": [example("django"), "ws"],
  // Its pages try WebSocket first, and get it.
  flask: [example("flask"), "ws"],
};

/** Runs one; resolves with what arrived, and throws where a kind of it has ended. */
async function play(name) {
  const [start, transport] = SCENES[name];
  const ends = [];
  const browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(press);
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    const { publish, received } = await start(transport, page, (end) => ends.unshift(end), browser);
    const began = Date.now();
    let published = 0;
    let late;
    while (Date.now() - began < SECONDS * 1000) {
      if (!late && Date.now() - began > SECONDS * 750) late = { before: await received(), published };
      await publish((published += 1));
      await sleep(Math.max(0, began + published * 1000 - Date.now()));
    }
    late ??= { before: Object.fromEntries(Object.keys(await received()).map((kind) => [kind, 0])), published: 0 };
    // What was published last may be on its way.
    const isHere = (all) => Object.values(all).every((count) => count >= published);
    for (const end = Date.now() + 5000; Date.now() < end && !isHere(await received()); ) await sleep(50);
    const all = await received();
    const text = Object.entries(all).map(([kind, count]) => `${count} ${kind} (${count - late.before[kind]} of the last ${published - late.published})`);
    console.log(`${name.padEnd(12)} ${published} published in ${SECONDS} s: received ${text.join(", ")}`);
    assert.deepEqual(errors, [], `${name}: errors in the page`);
    for (const [kind, count] of Object.entries(all)) assert.equal(count, published, `${name}: ${kind} that arrived`);
  } finally {
    for (const end of ends) await end();
    await browser.close();
  }
}

const names = values.only?.split(",") ?? Object.keys(SCENES);
const failed = [];
for (const name of names) {
  assert.ok(name in SCENES, `there is no ${name}; there are: ${Object.keys(SCENES).join(", ")}`);
  try {
    await play(name);
  } catch (error) {
    failed.push(name);
    console.log(`${name.padEnd(12)} FAILED: ${error.message.split("\n").slice(0, 6).join(" ")}`);
  }
}
if (failed.length > 0) {
  console.error(`pressure: ${failed.join(", ")} did not receive all that was published`);
  process.exitCode = 1;
} else {
  console.log(`pressure: ${names.length} pages received all that was published to them for ${SECONDS} s each`);
}
