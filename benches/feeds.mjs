// A thousand feeds on one connection beside one: what an item costs the page's main thread, what subscribing takes.
//
//   npm run bench:feeds [-- --rounds N]
//
// A script says the same items to both (script.mjs), 200 in an answer, in turn to all feeds. Times are of this machine and this
// minute; the ratio is what counts, of medians. Nothing about time is asserted; that each feed got its own items is.

import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { at, PKG } from "../scripts/lib/project.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";
import { Script, item, service } from "./script.mjs";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const BATCH = 200;
const ITEMS = 8000;
const WARM = 4000;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** One page with so many feeds, each of which keeps so many items. */
async function measure(browser, feeds, limit) {
  const script = new Script(BATCH, { write: item(feeds), reply: service });
  const origin = await startOrigin({ roots: { "/epode": PKG, "/bench": at("benches") }, before: script.before });
  const page = await browser.newPage();
  try {
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.goto(`${origin.url}/bench/feeds.html`);
    await page.waitForFunction(() => window.bench);
    await page.evaluate(() => bench.connect());
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    const metric = async (wanted) => (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === wanted).value;
    const heap = async () => {
      await devtools.send("HeapProfiler.collectGarbage");
      return metric("JSHeapUsedSize");
    };
    const before = { ...script, heap: await heap(), busy: await metric("TaskDuration") };
    const subscribing = await page.evaluate(([feeds, limit]) => bench.subscribe(feeds, limit), [feeds, limit]);
    const result = { subscribing, thread: 1000 * ((await metric("TaskDuration")) - before.busy), up: script.heard - before.heard, down: script.said - before.said };
    result.heap = (await heap()) - before.heap;
    // Some first, unmeasured: what both do is compiled then.
    script.say(WARM);
    await page.evaluate((count) => bench.until(count), WARM);
    const busy = await metric("TaskDuration");
    script.say(ITEMS);
    await page.evaluate((count) => bench.until(count), WARM + ITEMS);
    result.item = (((await metric("TaskDuration")) - busy) * 1e6) / ITEMS;
    assert.ok(await page.evaluate((total) => bench.check(total), WARM + ITEMS), "each feed has its own items");
    return result;
  } finally {
    await page.close();
    await origin.stop();
  }
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  // One feed keeps as many items as a thousand together, and remembers them.
  const kinds = { one: [1, 12_000], "one, short": [1, 12], many: [1000, 12] };
  const results = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [kind, what] of Object.entries(kinds)) results[kind].push(await measure(browser, ...what));
  }
  const of = (kind, what) => median(results[kind].map((result) => result[what]));
  const each = (kind) => `${of(kind, "item").toFixed(1)} µs`;
  console.log(`main thread for an item: ${each("many")} with 1,000 feeds, ${each("one")} with one that keeps as much, ${each("one, short")} with one that keeps 12`);
  console.log(`ratio 1,000 to 1: ${(of("many", "item") / of("one", "item")).toFixed(2)}; to one that keeps 12: ${(of("many", "item") / of("one, short", "item")).toFixed(2)}`);
  const [up, down] = ["up", "down"].map((way) => (of("many", way) / 1024).toFixed(0));
  console.log(`1,000 subscriptions at once: ${of("many", "subscribing").toFixed(0)} ms until all are live, ${of("many", "thread").toFixed(0)} ms of main thread, ${up} KiB up, ${down} KiB down (uncompressed), ${(of("many", "heap") / 1000).toFixed(0)} bytes of JavaScript heap each`);
} finally {
  await browser.close();
}
