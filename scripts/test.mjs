// All checks, from the form of the source to pages in a browser against two servers. What a CI runs.
//
//   npm test [-- --only NAME,NAME] [--skip NAME,NAME] [--keep-going] [--whole] [--list]
//
// It gets what it needs first. Stops at the first step that fails unless --keep-going is given. Each step
// prints its time; a table and the number of tests come last.

import fs from "node:fs";
import { parseArgs } from "node:util";
import { at, which } from "./lib/project.mjs";
import { layering } from "./lib/layering.mjs";
import { checkPackage, pack } from "./lib/packaging.mjs";
import { main, run, seconds } from "./lib/run.mjs";
import { build as buildPackage } from "./build.mjs";
import { docs } from "./docs.mjs";
import { setup } from "./setup.mjs";
import { size } from "./size.mjs";

const MINUTE = 60_000;

/** The package is built once, however many steps need it. */
let built;
const build = () => (built ??= buildPackage());
const WASM = ["--target", "wasm32-unknown-unknown"];

/** How many tests a step ran: `{ passed, failed }`. */
const none = { passed: 0, failed: 0 };

/** What cargo's and wasm-bindgen's test programs print, added up. */
function countRust(output) {
  const sum = { ...none };
  for (const [, passed, failed] of output.matchAll(/test result: \w+\. (\d+) passed; (\d+) failed/g)) {
    sum.passed += Number(passed);
    sum.failed += Number(failed);
  }
  return sum;
}

/** What node:test prints, added up over its runs. */
function countNode(output) {
  const sum = { ...none };
  for (const [, what, count] of output.matchAll(/^. (pass|fail|cancelled) (\d+)$/gmu)) {
    sum[what === "pass" ? "passed" : "failed"] += Number(count);
  }
  return sum;
}

/** Runs a program whose output says how many tests there were, and how many failed. */
async function counted(count, command, args, options) {
  try {
    const result = count((await run(command, args, options)).output);
    if (result.passed + result.failed === 0) throw new Error(`${command} ${args.join(" ")}: no test was run`);
    return result;
  } catch (error) {
    throw Object.assign(error, { counts: count(error.output ?? "") });
  }
}

const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed });

async function clippy(args) {
  await run("cargo", ["clippy", "--locked", "-j2", ...args, "--", "-D", "warnings"], { timeout: 20 * MINUTE });
}

function documentationTests() {
  return fs.readdirSync(at("tests/docs")).filter((name) => name.endsWith(".test.mjs")).map((name) => at("tests/docs", name));
}

function unitTests() {
  return fs.readdirSync(at("tests/unit")).filter((name) => name.endsWith(".test.mjs")).map((name) => at("tests/unit", name));
}

/** What holds over either transport, and is run once more over WebSocket. */
const EITHER_WAY = ["flow", "handlers", "pubsub", "rooms", "text"].map((name) => `${name}.test.mjs`);

/** What is about pages and not about servers: run with Prosody, with the other where all of it is asked for. */
const ONE_SERVER = ["bad-input", "demo", "discover", "hidden", "payloads", "places", "room-push"].map((name) => `${name}.test.mjs`);

async function endToEnd(server, { transport = "bosh", whole = false } = {}) {
  const all = fs.existsSync(at("tests/e2e")) ? fs.readdirSync(at("tests/e2e")).filter((name) => name.endsWith(".test.mjs")) : [];
  const once = server === "prosody" || whole;
  const files = all.filter((name) => (transport === "ws" ? EITHER_WAY.includes(name) : once || !ONE_SERVER.includes(name)));
  if (files.length === 0) throw new Error("tests/e2e holds no *.test.mjs");
  return testFiles(files.sort().map((name) => `tests/e2e/${name}`), { EPODE_SERVER: server, EPODE_TRANSPORT: transport });
}

/** Runs tests with the package as it is packed. */
async function testFiles(files, env) {
  await build();
  // What is tested is what was packed: a file that was left out of the package must not be found.
  const { folder } = await pack(at("target/packed"));
  // A test that failed half-way leaves its server and its connections open, and would keep its file from
  // ending; Node 20.14 and later end it all the same.
  const [major, minor] = process.versions.node.split(".").map(Number);
  const force = major > 22 || (major === 22 && minor >= 1) || (major === 20 && minor >= 14) ? ["--test-force-exit"] : [];
  // One file at a time: two cores carry one browser and one server.
  return counted(
    countNode,
    process.execPath,
    ["--test", ...force, "--test-reporter=spec", "--test-concurrency=1", ...files],
    { env: { ...env, EPODE_PACKAGE: folder, EPODE_CHROMIUM: which("chromium") }, timeout: 15 * MINUTE },
  );
}

/** Runs tests/web.rs in a headless browser, through its WebDriver. */
function browserTests(browser, driver) {
  return counted(
    countRust,
    "wasm-pack",
    ["test", "--headless", `--${browser}`, "--mode", "no-install", `--${driver}`, which(driver), "--", "--locked", "--test", "web"],
    { env: { WASM_BINDGEN_TEST_TIMEOUT: "120" }, timeout: 20 * MINUTE },
  );
}

/** A program that asserts what it did; it counts as one test. */
async function program(file, ...args) {
  await run(process.execPath, [file, ...args], { env: { EPODE_CHROMIUM: which("chromium") }, timeout: 10 * MINUTE });
  return { passed: 1, failed: 0 };
}

const STEPS = [
  {
    name: "format",
    what: "cargo fmt",
    run: () => run("cargo", ["fmt", "--all", "--check"]).then(() => none),
  },
  {
    name: "layering",
    what: "which floor may name which, no panics, no registry hosts",
    async run() {
      const rules = layering();
      for (const { name, broken } of rules) {
        console.log(`${broken.length === 0 ? "ok    " : "BROKEN"}  ${name}`);
        for (const place of broken) console.log(`          ${place}`);
      }
      const failed = rules.filter(({ broken }) => broken.length > 0).length;
      const counts = { passed: rules.length - failed, failed };
      if (failed > 0) throw Object.assign(new Error(`${failed} rules are broken`), { counts });
      return counts;
    },
  },
  {
    name: "unit",
    what: "what needs no module, no browser and no server, in Node: discovery, doap.xml",
    run: () => counted(countNode, process.execPath, ["--test", "--test-reporter=spec", ...unitTests()], { timeout: 5 * MINUTE }),
  },
  {
    name: "clippy",
    what: "native and wasm32, warnings are errors",
    async run() {
      await clippy(["--package", "epode-proto", "--all-targets"]);
      await clippy([...WASM, "--package", "epode", "--lib", "--test", "web"]);
      // As the build compiles the two modules.
      for (const feature of ["client", "stream"]) await clippy([...WASM, "--package", "epode", "--lib", "--no-default-features", "--features", feature]);
      return none;
    },
  },
  {
    name: "native",
    what: "proto, and its documentation with the examples in it",
    async run() {
      await run("cargo", ["doc", "--locked", "-j2", "--package", "epode-proto", "--no-deps"], {
        env: { RUSTDOCFLAGS: "-D warnings" },
        timeout: 10 * MINUTE,
      });
      return counted(countRust, "cargo", ["test", "--locked", "-j2", "--workspace"], { timeout: 20 * MINUTE });
    },
  },
  {
    name: "browser",
    what: "the browser shell in headless Chromium, and in Firefox where geckodriver is on the PATH, by wasm-pack",
    browser: true,
    async run() {
      if (!fs.existsSync(at("tests/web.rs"))) throw new Error("tests/web.rs is missing");
      const chromium = await browserTests("chrome", "chromedriver");
      if (which("geckodriver") && which("firefox")) return add(chromium, await browserTests("firefox", "geckodriver"));
      console.log("skipped in Firefox: geckodriver or firefox is not on the PATH");
      return chromium;
    },
  },
  {
    name: "build",
    what: "pkg/, as it is published",
    run: () => build().then(() => none),
  },
  {
    name: "package",
    what: "npm pack, and its types as a consumer sees them",
    run: () => build().then(checkPackage),
  },
  {
    name: "docs",
    what: "the API reference, the examples and samples through the compiler, links and figures of the README",
    async run() {
      await build();
      await docs();
      return counted(countNode, process.execPath, ["--test", "--test-reporter=spec", ...documentationTests()], { timeout: 10 * MINUTE });
    },
  },
  {
    name: "samples",
    what: "the samples of README.md and docs/ as they stand, in Node and in Chromium, against the demo's server",
    browser: true,
    run: () => testFiles(["tests/docs/samples.e2e.mjs"], {}),
  },
  {
    name: "bundlers",
    what: "the package through Vite, rollup and esbuild, in Chromium",
    browser: true,
    run: () => testFiles(["tests/packaging/bundlers.test.mjs", "tests/packaging/strophe-bundlers.test.mjs"], {}),
  },
  { name: "e2e-prosody", what: "pages in Chromium against Prosody", browser: true, run: (options) => endToEnd("prosody", options) },
  {
    name: "e2e-ejabberd",
    what: "pages in Chromium against ejabberd; with --whole also what is about pages alone",
    browser: true,
    run: (options) => endToEnd("ejabberd", options),
  },
  {
    name: "e2e-ws",
    what: "what holds over either transport, over WebSocket against both",
    browser: true,
    run: async () => add(await endToEnd("prosody", { transport: "ws" }), await endToEnd("ejabberd", { transport: "ws" })),
  },
  {
    name: "examples",
    what: "the web sites of examples/, in Chromium, each against one server; `npm run examples` is the whole",
    browser: true,
    async run({ whole }) {
      const [queue, outlet, django, flask] = ["outlet", "outlet-server", "django", "flask"].map((name) => `tests/examples/${name}.test.mjs`);
      const prosody = whole ? [queue, outlet, django, flask] : [queue, outlet, flask];
      const ejabberd = whole ? [outlet, django, flask] : [outlet, django];
      return add(await testFiles(prosody, { EPODE_SERVER: "prosody" }), await testFiles(ejabberd, { EPODE_SERVER: "ejabberd" }));
    },
  },
  {
    name: "strophe-parity",
    what: "the same specifications on strophe.js 5.0.0 and on epode/strophe, in Node and in Chromium; a table by member",
    browser: true,
    run: () => testFiles(["tests/strophe/parity.test.mjs"], {}),
  },
  {
    name: "strophe-pages",
    what: "plugins of Strophe beside strophe.js, and the pages of examples/strophe/, in Chromium against Prosody; with --whole ejabberd, too",
    browser: true,
    async run({ whole }) {
      const files = ["tests/strophe-plugins/plugins.test.mjs", "tests/examples/strophe.test.mjs"];
      const results = [];
      for (const server of whole ? ["prosody", "ejabberd"] : ["prosody"]) results.push(await testFiles(files, { EPODE_SERVER: server }));
      return results.reduce(add, none);
    },
  },
  {
    name: "soak",
    what: "a short one: 1,000 items and messages in one page",
    browser: true,
    run: () => build().then(() => program("tests/soak/soak.mjs", "--items", "1000")),
  },
  {
    name: "faults",
    what: "a short one: 200 messages each way through a network that breaks; `npm run faults` is the whole",
    browser: true,
    async run() {
      await build();
      const { folder } = await pack(at("target/packed"));
      const short = ["--package", folder, "--messages", "200", "--faults", "20"];
      // ejabberd loses sessions over WebSocket by itself, and takes its time: in the whole only.
      const runs = [["--server", "prosody"], ["--server", "ejabberd", "--transport", "bosh"]];
      const judge = await counted(countNode, process.execPath, ["--test", "--test-reporter=spec", "tests/faults/tally.test.mjs"]);
      const results = [judge];
      for (const which of runs) results.push(await program("tests/faults/faults.mjs", ...short, ...which));
      return results.reduce(add, none);
    },
  },
  {
    name: "feeds",
    what: "a short one: 600 publications to nodes that a page with a bad connection watches; `npm run faults:feeds` is the whole",
    browser: true,
    async run() {
      await build();
      const { folder } = await pack(at("target/packed"));
      const judge = await counted(countNode, process.execPath, ["--test", "--test-reporter=spec", "tests/faults/feed-tally.test.mjs"]);
      return add(judge, await program("tests/faults/feeds.mjs", "--package", folder, "--items", "600"));
    },
  },
  {
    name: "bench",
    what: "a short one beside Strophe on Prosody; `npm run bench` is the whole",
    browser: true,
    run: () => build().then(() => program("benches/browser.mjs", "--server", "prosody", "--reduced")),
  },
  {
    name: "size",
    what: "what a page downloads",
    async run() {
      await build();
      const over = size();
      if (over.length > 0) throw new Error(over.join("\n"));
      return none;
    },
  },
];

/** The steps a list of names stands for; `e2e` stands for both of its kind. */
function named(list) {
  const names = new Set();
  for (const name of (list ?? "").split(",").filter(Boolean)) {
    const found = STEPS.filter((step) => step.name === name || step.name.startsWith(`${name}-`));
    if (found.length === 0) throw new Error(`there is no step ${name}; there are: ${STEPS.map((step) => step.name).join(", ")}`);
    for (const step of found) names.add(step.name);
  }
  return names;
}

async function runStep(step, options) {
  console.log(`\n── ${step.name}: ${step.what}`);
  const start = Date.now();
  const row = { name: step.name };
  try {
    row.counts = await step.run(options);
    row.result = "ok";
  } catch (error) {
    console.log(error.message);
    row.counts = error.counts ?? none;
    // A step that failed without a failed test counts as one.
    if (row.counts.failed === 0) row.counts = { ...row.counts, failed: 1 };
    row.result = "FAILED";
  }
  row.ms = Date.now() - start;
  console.log(`── ${step.name}: ${row.result} in ${seconds(row.ms)}`);
  return row;
}

function table(rows, left) {
  console.log("\nstep           result       time   passed  failed");
  for (const { name, result, ms, counts } of rows) {
    console.log(
      name.padEnd(15) + result.padEnd(9) + seconds(ms).padStart(8) + String(counts.passed).padStart(9) + String(counts.failed).padStart(8),
    );
  }
  for (const { name } of left) console.log(`${name.padEnd(15)}not run`);
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      skip: { type: "string" },
      "keep-going": { type: "boolean" },
      whole: { type: "boolean" },
      list: { type: "boolean" },
    },
  });
  if (values.list) return STEPS.forEach(({ name, what }) => console.log(`${name.padEnd(14)} ${what}`));
  const only = named(values.only);
  const skip = named(values.skip);
  const steps = STEPS.filter(({ name }) => (only.size === 0 || only.has(name)) && !skip.has(name));

  const start = Date.now();
  await setup(steps.some((step) => step.browser) ? "test" : "lint");
  const rows = [];
  for (const step of steps) {
    const row = await runStep(step, values);
    rows.push(row);
    if (row.result !== "ok" && !values["keep-going"]) break;
  }
  table(rows, steps.slice(rows.length));
  console.log(`in all ${seconds(Date.now() - start)}, set-up included\n`);
  const sum = rows.map((row) => row.counts).reduce(add, none);
  if (rows.some((row) => row.result !== "ok")) process.exitCode = 1;
  // Read by a CI: the last line, alone.
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
});
