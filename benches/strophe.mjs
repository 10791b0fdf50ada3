// What Strophe's pages pay: time of the page's thread for each stanza with 10 and with 1,000 handlers, and the time from the script tag
// to the first stanza, with `strophe.global.js` and with strophe.js 5.0.0. The server is a WebSocket in the page, so that the library is measured.
//
//   npm run bench:strophe [-- --stanzas 2000] [-- --runs 5]

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { PKG, at, which } from "../scripts/lib/project.mjs";
import { main } from "../scripts/lib/run.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";

const LIBRARIES = { "strophe.js 5.0.0": "/modules/strophe.js/dist/strophe.umd.min.js", epode: "/epode/strophe.global.js" };
const HANDLERS = [10, 1_000];
// A page of its own process has a clock of 5 µs instead of 100.
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** KB, gzip, of a script and of what it imports. */
function weigh(file, seen = new Set()) {
  if (seen.has(file)) return 0;
  seen.add(file);
  const text = fs.readFileSync(file, "utf8");
  const imported = [...text.matchAll(/\b(?:from|import) ?"(\.\/[^"]+\.js)"/g)].map(([, name]) => path.join(path.dirname(file), name));
  return imported.reduce((sum, one) => sum + weigh(one, seen), zlib.gzipSync(text, { level: 9 }).length / 1024);
}

/** One page: milliseconds to the first stanza, and microseconds of script for each of `stanzas`. */
async function measure(browser, origin, library, handlers, stanzas) {
  const page = await browser.newPage();
  try {
    const problem = new Promise((_, reject) => {
      page.on("pageerror", reject);
      page.on("crash", () => reject(new Error("the page crashed")));
    });
    const measured = async () => {
      await page.goto(`${origin.url}/strophe.html?${new URLSearchParams({ library, handlers })}`);
      await page.waitForFunction(() => window.ready);
      const first = await page.evaluate(() => window.first);
      // What the thread itself has worked: other processes of a busy machine do not count.
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
      const worked = async () => (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
      // The first half warms the engine up.
      await page.evaluate((count) => (window.prepare(count), window.receive()), stanzas);
      await page.evaluate((count) => window.prepare(count), stanzas);
      const before = await worked();
      await page.evaluate(() => window.receive());
      return { first, cost: (((await worked()) - before) * 1e6) / stanzas };
    };
    return await Promise.race([measured(), problem]);
  } finally {
    await page.close();
  }
}

await main(async () => {
  const { values } = parseArgs({ options: { stanzas: { type: "string", default: "2000" }, runs: { type: "string", default: "5" } } });
  const [stanzas, runs] = [Number(values.stanzas), Number(values.runs)];
  const roots = { "/": at("benches"), "/epode": process.env.EPODE_PACKAGE ?? PKG, "/modules": at("node_modules") };
  const origin = await startOrigin({ roots, headers: ISOLATED });
  let browser;
  // Whatever fails, nothing may keep this process alive: it would wait for its browser for ever.
  try {
    browser = await chromium.launch({ executablePath: which("chromium"), args: ["--no-sandbox", "--disable-gpu"] });
    for (const entry of ["strophe.global.js", "strophe.js"]) {
      console.log(`${`epode's ${entry}`.padEnd(28)}${weigh(path.join(roots["/epode"], entry)).toFixed(1).padStart(7)} KB gzip`);
    }
    const results = Object.keys(LIBRARIES).map(() => HANDLERS.map(() => []));
    // In turn, so that a busy minute of this machine is one for both.
    for (let run = 0; run < runs; run += 1) {
      for (const [which, library] of Object.values(LIBRARIES).entries()) {
        for (const [index, handlers] of HANDLERS.entries()) {
          results[which][index].push(await measure(browser, origin, library, handlers, stanzas));
        }
      }
    }
    const costs = results.map((all) => all.map((runs) => median(runs.map(({ cost }) => cost))));
    console.log("\nlibrary           script KB gzip   first stanza   script for each stanza");
    for (const [which, [name, library]] of Object.entries(LIBRARIES).entries()) {
      const size = weigh(path.join(roots[`/${library.split("/")[1]}`], ...library.split("/").slice(2)));
      const first = median(results[which].flat().map((run) => run.first));
      const texts = HANDLERS.map((handlers, index) => `${costs[which][index].toFixed(1)} µs with ${handlers.toLocaleString("en")} handlers`);
      console.log(`${name.padEnd(18)}${size.toFixed(1).padStart(14)}   ${`${first.toFixed(0)} ms`.padStart(12)}   ${texts.join(", ")}`);
    }
    const ratios = HANDLERS.map((handlers, index) => `${(costs[1][index] / costs[0][index]).toFixed(2)} with ${handlers.toLocaleString("en")}`);
    console.log(`epode's script time beside that of strophe.js: ${ratios.join(", ")}`);
  } finally {
    await browser?.close();
    await origin.stop();
  }
});
