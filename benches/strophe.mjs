// What Strophe's pages pay: script time for each stanza with 10 and with 1,000 handlers, and the time from the script tag to the first
// stanza, with `strophe.global.js` and with strophe.js 5.0.0. The server is a WebSocket in the page, so that the library is measured.
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

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

await main(async () => {
  const { values } = parseArgs({ options: { stanzas: { type: "string", default: "2000" }, runs: { type: "string", default: "5" } } });
  const roots = { "/": at("benches"), "/epode": process.env.EPODE_PACKAGE ?? PKG, "/modules": at("node_modules") };
  const origin = await startOrigin({ roots });
  const browser = await chromium.launch({ executablePath: which("chromium"), args: ["--no-sandbox", "--disable-gpu"] });
  console.log("library           script KB gzip   first stanza   script for each stanza");
  for (const [name, library] of Object.entries(LIBRARIES)) {
    const file = path.join(roots[`/${library.split("/")[1]}`], ...library.split("/").slice(2));
    const size = zlib.gzipSync(fs.readFileSync(file), { level: 9 }).length / 1024;
    const costs = [];
    const firsts = [];
    for (const handlers of HANDLERS) {
      const times = [];
      for (let run = 0; run < Number(values.runs); run += 1) {
        const page = await browser.newPage();
        await page.goto(`${origin.url}/strophe.html?${new URLSearchParams({ library, handlers })}`);
        await page.waitForFunction(() => window.ready);
        firsts.push(await page.evaluate(() => window.first));
        // The first half warms the engine up.
        times.push(await page.evaluate((count) => (window.measure(count), window.measure(count)), Number(values.stanzas)));
        await page.close();
      }
      costs.push(`${(median(times) * 1000).toFixed(0)} µs with ${handlers.toLocaleString("en")} handlers`);
    }
    console.log(`${name.padEnd(18)}${size.toFixed(1).padStart(14)}   ${`${median(firsts).toFixed(0)} ms`.padStart(12)}   ${costs.join(", ")}`);
  }
  await browser.close();
  await origin.stop();
});
