// Prints what a page downloads for each published entry: raw, gzip and brotli, beside what it should be at most (the goal)
// and what it may be at most (the limit: what has been reached, so that it does not grow unseen). Over the limit is an error.
//
//   npm run size          (builds first when something has changed)
//
// An entry's JavaScript is its file and every local file that one imports; its wasm is what those files
// name as one. Goal and limit are for gzip, in units of 1,024 bytes.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { fileURLToPath } from "node:url";
import { PKG, readJson } from "./lib/project.mjs";
import { main } from "./lib/run.mjs";
import { build } from "./build.mjs";
import { setup } from "./setup.mjs";

const KIB = 1024;
// The surface is script since it is TypeScript: 33 KiB of it in place of 16, and 34 KiB less wasm. Both together are to be 165.
const BUDGETS = {
  // Streams by hand and SASL step by step are 9 KiB of the wasm and 2 of the script.
  ".": { wasm: { goal: 140 * KIB, limit: 216 * KIB }, js: { goal: 25 * KIB, limit: 35 * KIB } },
  // The module as base64, a third larger, and the main entry's script.
  "./inline": { js: { goal: 100 * KIB, limit: 312 * KIB } },
  // The same and what strophe.js has; the global script has of the main entry's only what it needs.
  "./strophe": { js: { goal: 120 * KIB, limit: 334 * KIB } },
  "./strophe.global.js": { js: { goal: 110 * KIB, limit: 317 * KIB } },
};

/** The file a browser gets for an entry. */
function target(entry) {
  if (typeof entry === "string") return entry;
  return target(entry.browser ?? entry.import ?? entry.default);
}

const IMPORT = /\b(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|\bimport\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
const WASM = /["']([^"'\s]+\.wasm)["']/g;

/** The files an entry consists of, as { js: Set, wasm: Set }. */
function filesOf(file, found = { js: new Set(), wasm: new Set() }) {
  if (found.js.has(file)) return found;
  found.js.add(file);
  const text = fs.readFileSync(file, "utf8");
  for (const match of text.matchAll(IMPORT)) {
    const name = match[1] ?? match[2] ?? match[3];
    if (name.startsWith(".")) filesOf(path.resolve(path.dirname(file), name), found);
  }
  // The inlined entry replaces the source of the module: the main entry, which it imports, does not fetch it then.
  const isInlined = [...found.js].some((name) => name.endsWith(".base64.js"));
  if (isInlined) found.wasm.clear();
  for (const [, name] of isInlined ? [] : text.matchAll(WASM)) {
    const wasm = path.resolve(path.dirname(file), name);
    if (fs.existsSync(wasm)) found.wasm.add(wasm);
  }
  return found;
}

/** Each file is a download of its own, and compressed by itself. */
function measure(files) {
  const sum = { raw: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    const bytes = fs.readFileSync(file);
    sum.raw += bytes.length;
    sum.gzip += zlib.gzipSync(bytes, { level: 9 }).length;
    sum.brotli += zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  }
  return sum;
}

/** Measures every entry, prints the table, and returns what is over its limit. */
export function size(folder = PKG) {
  const { exports } = readJson(path.join(folder, "package.json"));
  const rows = [["entry", "", "raw", "gzip -9", "brotli 11", "goal (gzip)", "limit (gzip)"]];
  const over = [];
  for (const [entry, value] of Object.entries(exports)) {
    const file = target(value);
    if (!file || !/\.[mc]?js$/.test(file)) continue;
    const files = filesOf(path.resolve(folder, file));
    for (const part of ["wasm", "js"]) {
      const { raw, gzip, brotli } = measure(files[part]);
      const budget = BUDGETS[entry]?.[part];
      const goal = budget ? `${number(budget.goal)} ${gzip > budget.goal ? `missed by ${number(gzip - budget.goal)}` : "met"}` : "";
      const limit = budget ? `${number(budget.limit)} ${gzip > budget.limit ? "OVER" : "ok"}` : "";
      rows.push([part === "wasm" ? entry : "", part, number(raw), number(gzip), number(brotli), goal, limit]);
      if (gzip > budget?.limit) over.push(`${entry} ${part}: ${number(gzip)} bytes gzip, ${number(gzip - budget.limit)} over the limit of ${number(budget.limit)}`);
    }
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd());
  }
  return over;
}

const number = (value) => value.toLocaleString("en-GB");

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await setup("build");
    await build();
    const over = size();
    if (over.length > 0) throw new Error(over.join("\n"));
  });
}
