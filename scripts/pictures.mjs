// Takes the pictures of the README: two pages of the demo, at once, while the publisher saves orders.
//
//   node scripts/pictures.mjs        writes docs/demo-wide.png and docs/demo-narrow.png

import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { at, which } from "./lib/project.mjs";
import { main } from "./lib/run.mjs";
import { startDemo, startServer } from "./demo.mjs";

const BEFORE = [
  ["add", "Almond croissant", "--for", "Table 11"],
  ["add", "Cappuccino", "--for", "Table 7", "--note", "extra hot"],
  ["add", "Tomato soup", "--for", "Terrace 2", "--note", "two spoons"],
  ["add", "Cortado", "--for", "Counter"],
  ["add", "Green tea", "--for", "Table 3"],
  ["update", "1", "--status", "ready"],
  ["update", "2", "--status", "ready"],
  ["update", "3", "--status", "making"],
];
const NOW = [
  ["update", "4", "--status", "making"],
  ["add", "Flat white, oat milk", "--for", "Table 4"],
];

const SIZES = {
  wide: { viewport: { width: 980, height: 640 }, deviceScaleFactor: 1 },
  narrow: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5 },
};

/** Both pages beside each other, with the program that saves below: the picture of a page that shows pictures. */
async function compose(browser, { viewport, deviceScaleFactor }, shots, lines, file) {
  const gap = 24;
  const page = await browser.newPage({ viewport: { width: 2 * viewport.width + 3 * gap, height: 100 }, deviceScaleFactor });
  await page.setContent(`<style>
    body { margin: 0; padding: ${gap}px; display: flex; flex-wrap: wrap; gap: ${gap}px; background: #b9c7c0; }
    img { width: ${viewport.width}px; border-radius: 10px; box-shadow: 0 2px 14px #0003; }
    pre { flex: 1 0 100%; box-sizing: border-box; margin: 0; padding: 14px 20px; border-radius: 10px; background: #13201c; color: #dfe9e4;
      font: 14px/1.6 "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
  </style>${shots.map((shot) => `<img src="data:image/png;base64,${shot.toString("base64")}">`).join("")}<pre></pre>`);
  await page.locator("pre").evaluate((pre, text) => (pre.textContent = text), lines.join("\n"));
  await page.screenshot({ path: file, fullPage: true });
  await page.close();
  console.log(`${path.relative(at(), file)}: ${Math.round(fs.statSync(file).size / 1024)} KB`);
}

await main(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "epode-pictures-"));
  const browser = await chromium.launch({ executablePath: which("chromium"), args: ["--no-sandbox", "--disable-gpu"] });
  try {
    for (const [name, size] of Object.entries(SIZES)) {
      const server = await startServer();
      const demo = await startDemo({ server });
      const database = path.join(folder, `${name}.sqlite3`);
      const publish = (args) => promisify(execFile)("python3", [at("www/publisher.py"), "--url", demo.url, "--db", database, ...args]);
      const pages = [];
      for (const colorScheme of ["light", "dark"]) {
        const page = await browser.newPage({ ...size, colorScheme });
        await page.goto(demo.url);
        await page.locator('body[data-feed="live"]').waitFor();
        pages.push(page);
      }
      for (const args of BEFORE) await publish(args);
      // The marks of what came before fade.
      await new Promise((resolve) => setTimeout(resolve, 4500));
      const lines = [];
      for (const args of NOW) {
        const shown = args.map((arg) => (/[\s,]/.test(arg) ? `"${arg}"` : arg)).join(" ");
        lines.push(`$ python3 www/publisher.py ${shown}`, (await publish(args)).stdout.trim());
      }
      await Promise.all(pages.map((page) => page.locator('.card[data-id="6"]').waitFor()));
      await pages[0].waitForTimeout(500);
      const shots = await Promise.all(pages.map((page) => page.screenshot()));
      fs.mkdirSync(at("docs"), { recursive: true });
      await compose(browser, size, shots, lines, at(`docs/demo-${name}.png`));
      for (const page of pages) await page.close();
      await demo.stop();
      await server.stop();
    }
  } finally {
    await browser.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
