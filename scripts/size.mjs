// Prints what a page downloads for each published entry: raw, gzip and brotli, beside what it weighed when that was recorded, and what
// the largest parts of each file are. An entry that has grown by more than 1 KB since is an error.
//
//   npm run size                  (builds first when something has changed)
//   npm run size -- --record      writes what was measured into size-budget.json: say in the commit why it has grown
//
// An entry's JavaScript is its file and every local file that one imports; its wasm is what those files
// name as one. Budgets are bytes after gzip -9.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PKG, at, readJson } from "./lib/project.mjs";
import { main } from "./lib/run.mjs";
import { PARTS, build } from "./build.mjs";
import { setup } from "./setup.mjs";

/** `{ goal: { wasm, js }, recorded: { ENTRY: { wasm, js } } }`. The goal is the main entry's. */
const BUDGET = at("size-budget.json");
/** How much an entry may grow before that must be recorded. */
const SLACK = 1_024;
/** How many parts of a file are named. */
const LARGEST = 16;

/** The file a browser gets for an entry. */
function target(entry) {
  if (typeof entry === "string") return entry;
  return target(entry.browser ?? entry.import ?? entry.default);
}

const IMPORT = /\b(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|\bimport\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
const WASM = /\bnew URL\(\s*["']([^"'\s]+\.wasm)["']/g;

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

/** The entries and the files that browsers get for them; the main one also as its condition `production` has it. */
function entriesOf(exports) {
  const entries = Object.entries(exports).map(([entry, value]) => [entry, target(value)]);
  const production = exports["."]?.production;
  if (production) entries.splice(1, 0, [". (production)", production]);
  return entries.filter(([, file]) => file && /\.[mc]?js$/.test(file));
}

/** What every entry weighs. */
function weigh(folder) {
  const { exports } = readJson(path.join(folder, "package.json"));
  return entriesOf(exports).map(([entry, file]) => {
    const files = filesOf(path.resolve(folder, file));
    return { entry, files, wasm: measure(files.wasm), js: measure(files.js) };
  });
}

/** Measures every entry, prints the tables, and returns what has grown. */
export function size(folder = PKG) {
  const { goal, recorded } = readJson(BUDGET);
  const weights = weigh(folder);
  const rows = [["entry", "", "raw", "gzip -9", "brotli 11", "recorded (gzip)", "goal (gzip)"]];
  const over = [];
  for (const { entry, ...weight } of weights) {
    for (const part of ["wasm", "js"]) {
      const { raw, gzip, brotli } = weight[part];
      const known = recorded[entry]?.[part];
      const grown = known === undefined ? Infinity : gzip - known;
      const aim = entry === "." ? number(goal[part]) : "";
      const growth = known === undefined ? "not recorded" : `${number(known)} ${signed(grown)}`;
      rows.push([part === "wasm" ? entry : "", part, number(raw), number(gzip), number(brotli), growth, aim]);
      if (grown > SLACK) over.push(`${entry} ${part}: ${number(gzip)} bytes gzip, recorded: ${known === undefined ? "nothing" : number(known)}`);
    }
  }
  print(rows);
  const all = weights.find(({ entry }) => entry === ".");
  if (all) console.log(`\nmain entry, wasm and script: ${number(all.wasm.gzip + all.js.gzip)}; the goal is ${number(goal.wasm + goal.js)}`);
  if (over.length > 0) over.push("Make it smaller, or record it and say why: npm run size -- --record");
  return over;
}

/** Prints the largest parts of the files that entries consist of, before compression. */
function printParts(folder = PKG) {
  if (!fs.existsSync(PARTS)) return;
  const parts = readJson(PARTS);
  const told = new Set();
  for (const { files } of weigh(folder)) {
    for (const name of [...files.wasm, ...files.js].map((file) => path.basename(file))) {
      if (told.has(name) || !parts[name]) continue;
      told.add(name);
      const own = Object.entries(parts[name]).sort(([, one], [, other]) => other - one);
      const rest = own.slice(LARGEST).reduce((sum, [, bytes]) => sum + bytes, 0);
      const rows = own.slice(0, LARGEST).map(([part, bytes]) => [part, "", number(bytes)]);
      if (rest > 0) rows.push([`${own.length - LARGEST} others`, "", number(rest)]);
      console.log(`\n${name}, raw`);
      print(rows);
    }
  }
}

function record(folder = PKG) {
  const { goal } = readJson(BUDGET);
  const recorded = weigh(folder).map(({ entry, wasm, js }) => [entry, { wasm: wasm.gzip, js: js.gzip }]);
  fs.writeFileSync(BUDGET, `${JSON.stringify({ goal, recorded: Object.fromEntries(recorded) }, null, 2)}\n`);
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd());
  }
}

const number = (value) => value.toLocaleString("en-GB");
const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({ options: { record: { type: "boolean" } } });
    await setup("build");
    await build();
    if (values.record) record();
    const over = size();
    printParts();
    if (over.length > 0) throw new Error(over.join("\n"));
  });
}
