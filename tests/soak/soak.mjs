// One page for a long time: items of a feed and messages arrive by the ten thousand, each once and in order, and the page's
// memory does not grow with them.
//
//   npm run soak [-- --server prosody|ejabberd] [--items N]      default: 100,000 items and as many messages, on Prosody
//
// Printed: what arrived, and the JavaScript heap (after a collection), the wasm memory, and how many items the feed keeps, at each
// tenth; the first against the last at the end.

import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { at, PKG } from "../../scripts/lib/project.mjs";
import { startEjabberd } from "../servers/ejabberd.mjs";
import { startOrigin } from "../servers/origin.mjs";
import { startProsody } from "../servers/prosody.mjs";

const { values } = parseArgs({
  options: { server: { type: "string", default: "prosody" }, items: { type: "string", default: "100000" } },
});
const start = { prosody: startProsody, ejabberd: startEjabberd }[values.server];
if (!start) throw new Error("--server is prosody or ejabberd");
const total = Number(values.items);
const NODE = "/soak/Item";
/** How many items the feed may keep. */
const LIMIT = 1000;
const PASSWORD = "soak secret";
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const { connect, xml } = await import(new URL("node.js", `file://${PKG}/`));
const server = await start();
const origin = await startOrigin({ roots: { "/epode": PKG, "/": at("tests/soak") }, bosh: server.bosh });
const browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  await server.register("reader", PASSWORD);
  await server.register("writer", PASSWORD);
  const writer = await connect(server.bosh, { jid: `writer@${server.domain}`, password: PASSWORD });
  const service = server.pubsub;
  await writer.pubsub.createNode(NODE, { service, config: { max_items: 10 } });

  const page = await browser.newPage();
  const pageErrors = [];
  page.on("pageerror", (error) => pageErrors.push(error.message));
  await page.goto(`${origin.url}/page.html`);
  await page.waitForFunction(() => window.soak);
  const to = await page.evaluate((args) => soak.start(...args), [`reader@${server.domain}`, PASSWORD, service, NODE, LIMIT]);
  const devtools = await page.context().newCDPSession(page);

  const heap = async () => {
    await devtools.send("HeapProfiler.collectGarbage");
    return (await devtools.send("Runtime.getHeapUsage")).usedSize / 1024;
  };
  const measured = [];
  const step = Math.max(1, Math.ceil(total / 10));
  for (let sent = 0; sent < total; ) {
    const end = Math.min(total, sent + step);
    while (sent < end) {
      const batch = Math.min(50, end - sent);
      const waiting = [];
      for (let index = 0; index < batch; index++, sent++) {
        const text = `item ${sent}, with a sentence to carry, as a record of a database would have one or two`;
        waiting.push(writer.pubsub.publish(NODE, xml`<entry xmlns="urn:soak"><title>${text}</title></entry>`, { service, id: String(sent) }));
        waiting.push(writer.send(xml`<message to="${to}" type="chat" id="${sent}"><body>${text}</body></message>`));
      }
      await Promise.all(waiting);
    }
    await page.waitForFunction((count) => soak.wrong.length > 0 || (soak.items >= count && soak.messages >= count), end, { timeout: 120_000 });
    const seen = await page.evaluate(() => ({ items: soak.items, messages: soak.messages, wrong: soak.wrong }));
    assert.deepEqual(seen, { items: end, messages: end, wrong: [] });
    const kept = await page.evaluate(() => soak.kept);
    assert.equal(kept.items, Math.min(end, LIMIT));
    measured.push({ heap: await heap(), wasm: kept.wasm / 1024 });
    const { heap: used, wasm } = measured.at(-1);
    console.log(`${String(end).padStart(8)} items, ${end} messages: heap ${used.toFixed(0)} KiB, wasm ${wasm.toFixed(0)} KiB; kept: ${kept.items} items, a position of ${kept.position} bytes`);
  }
  assert.deepEqual(pageErrors, []);
  if (total >= 20_000) {
    const [first, early, late] = [measured[0], measured[1], measured.at(-1)];
    const change = (kind) => `${kind} ${first[kind].toFixed(0)} and ${late[kind].toFixed(0)} KiB`;
    console.log(`in the first tenth and in the last: ${change("heap")}, ${change("wasm")}`);
    console.log(`heap from the second tenth to the last: ${(late.heap - early.heap).toFixed(0)} KiB more, ${(((late.heap - early.heap) * 1024) / (total * 0.8)).toFixed(1)} bytes for each item and message`);
    assert.ok(late.heap - early.heap < 1024, "the heap grows with what arrives");
    // It grows by pages of 64 KiB, and now and then by one where room has come apart.
    assert.ok(late.wasm - early.wasm <= 512, "the module's memory grows with what arrives");
  }
  console.log(`soak: ${total} items and ${total} messages on ${values.server}: none missing, none twice, in order`);
  await writer.disconnect();
} finally {
  await browser.close();
  await origin.stop();
  await server.stop();
}
