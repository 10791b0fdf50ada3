// The same specifications on npm's strophe.js 5.0.0 and on `epode/strophe`, in Node and in Chromium, against scripted servers on loopback.
// Prints a table by member; fails where a difference is not one of differences.mjs.
//
//   node --test tests/strophe/parity.test.mjs            EPODE_PACKAGE: the folder of the package (default: pkg/)
//   EPODE_PARITY_ONLY=TEXT: only what has it in its name; EPODE_PARITY_WHERE=node|page

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { DIFFERENCES } from "./differences.mjs";
import { compare, print, unused } from "./table.mjs";
import { startService } from "./wire/service.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, "../..");
const PACKAGE = path.resolve(process.env.EPODE_PACKAGE || path.join(ROOT, "pkg"));
const ONLY = process.env.EPODE_PARITY_ONLY ?? "";
const WHERE = process.env.EPODE_PARITY_WHERE;
/** For all specifications of one library in one place. */
const LIMIT = 120_000;

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const FOLDERS = { "/tests/": HERE, "/epode/": PACKAGE, "/npm/": path.join(ROOT, "node_modules/strophe.js/dist"), "/jquery/": path.join(ROOT, "node_modules/jquery/dist") };

async function files(pathname) {
  const [prefix, folder] = Object.entries(FOLDERS).find(([one]) => pathname.startsWith(one)) ?? [];
  if (!prefix) return undefined;
  try {
    return { type: TYPES[path.extname(pathname)] ?? "text/plain", body: await fs.readFile(path.join(folder, pathname.slice(prefix.length))) };
  } catch {
    return undefined;
  }
}

// The table is long: where output is a pipe, --test-force-exit would cut it, and with it the results.
process.stdout._handle?.setBlocking?.(true);

let service;
let browser;

async function inNode(name) {
  const { stdout } = await promisify(execFile)(process.execPath, ["run-node.mjs", name, service.origin, PACKAGE, ONLY], {
    cwd: HERE,
    timeout: LIMIT,
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

/** Several pages side by side, each with connections of its own. */
const PARTS = 5;

async function inPages(name) {
  return Object.assign({}, ...(await Promise.all(Array.from({ length: PARTS }, (_, part) => inPage(name, part)))));
}

async function inPage(name, part) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  await page.goto(`${service.origin}/tests/page.html`);
  const { exports } = JSON.parse(await fs.readFile(path.join(PACKAGE, "package.json"), "utf8"));
  const library = name === "npm" ? "/npm/strophe.esm.js" : new URL(exports["./strophe"].default, `${service.origin}/epode/`).pathname;
  const results = await page.evaluate(
    async ({ library, ...options }) => {
      const lib = { ...(await import(library)) };
      lib.Strophe.setLogLevel(lib.Strophe.LogLevel.FATAL);
      console.error = () => {};
      const { runSpecs } = await import("/tests/specs/index.mjs");
      return runSpecs(lib, { where: "page", origin: location.origin, ...options });
    },
    { library, only: ONLY, part, parts: PARTS },
  );
  await context.close();
  return results;
}

describe("strophe.js 5.0.0 and epode/strophe", () => {
  const rows = [];
  /** The public members of strophe.js, as they were found. */
  const names = new Set();
  before(async () => {
    service = await startService({ files });
    if (WHERE === "node") return;
    browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM || "/usr/bin/chromium", headless: true, args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  for (const [where, run] of Object.entries({ node: inNode, page: inPages })) {
    if (WHERE && WHERE !== where) continue;
    test(`agree ${where === "node" ? "in Node" : "in Chromium"}`, async () => {
      const [reference, ours] = [await run("npm"), await run("epode")];
      for (const member of Object.keys(reference["members | all"] ?? {})) {
        const [, name] = /^(?:exports|Strophe|new Connection|new Builder)\.([^_.]\w*)$/.exec(member) ?? [];
        if (name && name !== "default") names.add(name);
      }
      const found = compare(reference, ours, where);
      assert.ok(found.length > 0, "no specification ran");
      rows.push(...found);
      const wrong = found.filter(({ is }) => is === "differs");
      assert.deepEqual(wrong.map(({ member, name }) => `${member}: ${name}`), [], "differences that are not in differences.mjs");
    });
  }

  test("the guide has every public member", async () => {
    const guide = await fs.readFile(path.join(ROOT, "docs/from-strophe.md"), "utf8");
    const words = new Set(guide.match(/[$\w]+/g));
    assert.deepEqual([...names].filter((name) => !words.has(name)), []);
  });

  test("the guide has every difference on purpose", async () => {
    const guide = await fs.readFile(path.join(ROOT, "docs/from-strophe.md"), "utf8");
    const missing = DIFFERENCES.map(({ what, reason }) => `| ${what} | ${reason} |`).filter((line) => !guide.includes(line));
    assert.deepEqual(missing, []);
  });

  test("every difference on purpose is one", () => {
    print(rows);
    if (ONLY || WHERE) return;
    assert.deepEqual(unused().map(({ member, name }) => `${member ?? ""}: ${name ?? ""}`), [], "entries of differences.mjs that nothing shows");
  });
});
