// Builds the npm package into pkg/: the crate by wasm-pack, completed from pkg-template/.
//
//   npm run build [-- --dev] [--force] [--wasm-opt=-O3]
//
//   wasm-pack (--target web)   → epode.js, epode_bg.wasm, epode.d.ts
//   lib/shrink.mjs, wasm-opt   → epode_bg.wasm, smaller; the level is `epode.wasmOpt` of package.json
//   pkg-template/*             → laid over it; the version in package.json becomes that of Cargo.toml
//   NAME.node.js               → NAME.js for Node: on node.js in place of index.js
//   esbuild                    → each entry one minified module, with a source map; entries share what index.js or node.js loads
//   README.md, LICENSE*        → copied
//
// --dev: neither made smaller nor bundled, and Rust's debug build. Nothing is done when nothing has changed.
// The package is put together beside pkg/ and takes its place at the end: pkg/ is always a whole one.

import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PKG, ROOT, at, crateVersion, filesUnder, readJson } from "./lib/project.mjs";
import { isInterrupted, main, onInterrupt, run, seconds } from "./lib/run.mjs";
import { forgetPlaces, nameByLikeness, renameInGlue, silencePanics } from "./lib/shrink.mjs";
import { setup } from "./setup.mjs";

const NAME = "epode";
const WORK = at("target/epode-pkg");
const STAMP = at("target/epode-build.json");
const LOCK = at("target/epode-build.lock");
// prettier-ignore
const INPUTS = [
  "src", "pkg-template", ".cargo", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package.json", "README.md",
  "scripts/build.mjs", "scripts/lib/shrink.mjs",
];

const licences = () => fs.readdirSync(ROOT).filter((name) => /^LICENSE/.test(name));

/** Names, sizes and times of all that goes in: a file that was added or removed changes it too. */
function fingerprint(options) {
  const hash = createHash("sha256").update(JSON.stringify(options));
  for (const input of [...INPUTS, ...licences()]) {
    const file = at(input);
    if (!fs.existsSync(file)) continue;
    const names = fs.statSync(file).isDirectory() ? filesUnder(file).map((name) => path.join(file, name)) : [file];
    for (const name of names) {
      const { size, mtimeMs } = fs.statSync(name);
      hash.update(`${path.relative(ROOT, name)} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}

/** One build at a time: two would write into each other's files. */
async function withLock(body) {
  fs.mkdirSync(path.dirname(LOCK), { recursive: true });
  for (let told = false; ; ) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = Number(fs.readFileSync(LOCK, "utf8").trim() || "0");
    if (holder && !isAlive(holder)) {
      fs.rmSync(LOCK, { force: true });
      continue;
    }
    if (!told) console.log(`build: waiting for the one that runs already (pid ${holder})`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const unlock = () => fs.rmSync(LOCK, { force: true });
  const forget = onInterrupt(unlock);
  try {
    return await body();
  } finally {
    forget();
    if (!isInterrupted()) unlock();
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

export async function build({ dev = false, force = false, wasmOpt = readJson(at("package.json")).epode.wasmOpt } = {}) {
  return withLock(async () => {
    const print = fingerprint({ dev, wasmOpt });
    const last = fs.existsSync(STAMP) ? fs.readFileSync(STAMP, "utf8") : "";
    if (!force && last === print && fs.existsSync(path.join(PKG, "package.json"))) {
      console.log("build: pkg/ is up to date");
      return;
    }
    const start = Date.now();
    fs.rmSync(STAMP, { force: true });
    fs.rmSync(WORK, { recursive: true, force: true });

    await compile(dev);
    if (!dev) await optimise(wasmOpt);
    await acceptable(dev);
    complete();
    if (!dev) await bundle();

    fs.rmSync(PKG, { recursive: true, force: true });
    fs.renameSync(WORK, PKG);
    fs.writeFileSync(STAMP, print);
    console.log(`build: pkg/ in ${seconds(Date.now() - start)}`);
  });
}

/** Paths of this machine do not belong into what is published. Joined to the flags in .cargo/config.toml. */
function withoutPaths() {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), ".cargo");
  const flags = [
    [ROOT, "epode"],
    [cargoHome, "cargo"],
  ].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  return ["--config", `target.wasm32-unknown-unknown.rustflags=${JSON.stringify(flags)}`];
}

async function compile(dev) {
  let done = 0;
  await run(
    "wasm-pack",
    // prettier-ignore
    [
      "build", ROOT, "--target", "web", dev ? "--dev" : "--release", "--out-dir", WORK, "--out-name", NAME,
      "--mode", "no-install", "--no-pack", "--no-gitignore", "--no-opt", "--", "--locked",
      ...withoutPaths(),
    ],
    {
      show: "progress",
      label: "wasm-pack",
      progress(line) {
        if (/^\s*Compiling /.test(line)) done += 1;
        return `${done} crates compiled`;
      },
      onLine: (line) => {
        // Warnings of the compiler are for those who write the crate.
        if (/^warning: `?epode`? /.test(line)) console.log(`  ${line}`);
      },
    },
  );
}

// What Rust itself uses on this target. A stripped module does not tell its features any more, and asked for
// all of them binaryen writes what Node 20 refuses.
const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

async function optimise(level) {
  const wasm = path.join(WORK, `${NAME}_bg.wasm`);
  const step = path.join(WORK, "step.wasm");
  const wasmOpt = (args) => run("wasm-opt", [...FEATURES.map((name) => `--enable-${name}`), ...args, step, "-o", wasm], { show: "none" });

  const bytes = fs.readFileSync(wasm);
  forgetPlaces(bytes);
  fs.writeFileSync(step, await silencePanics(bytes));
  await wasmOpt([...level.split(/\s+/), "--debuginfo"]);
  fs.writeFileSync(step, nameByLikeness(fs.readFileSync(wasm)));
  const { output } = await wasmOpt([
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--minify-imports-and-exports-and-modules",
  ]);
  fs.rmSync(step);
  const glue = path.join(WORK, `${NAME}.js`);
  fs.writeFileSync(glue, renameInGlue(fs.readFileSync(glue, "utf8"), output));
}

/** Compiles the module with the Node that runs this, the oldest engine we promise being Node 20; looks for paths of this machine. */
async function acceptable(dev) {
  const bytes = fs.readFileSync(path.join(WORK, `${NAME}_bg.wasm`));
  await WebAssembly.compile(bytes);
  const path_ = dev ? null : /[\w./-]*(?:\/home\/|\/root\/|\/Users\/|\.cargo\/|\/rustc\/)[\w./-]*/.exec(bytes.toString("latin1"));
  if (path_) throw new Error(`the module names a path of the machine that built it: ${path_[0]}`);
  // Types of the module's own exports, whose names are no longer those; nobody needs them.
  fs.rmSync(path.join(WORK, `${NAME}_bg.wasm.d.ts`), { force: true });
}

function complete() {
  const template = at("pkg-template");
  if (!fs.existsSync(path.join(template, "package.json"))) throw new Error("pkg-template/package.json is missing");
  for (const name of filesUnder(template)) {
    const target = path.join(WORK, name);
    // wasm-pack's own files keep their names; an entry of ours must have another.
    if (fs.existsSync(target)) throw new Error(`pkg-template/${name} would replace a file that wasm-pack made`);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(template, name), target);
  }
  for (const name of filesNamed().filter((name) => name.endsWith(".node.js"))) {
    const text = fs.readFileSync(path.join(WORK, name.replace(".node.js", ".js")), "utf8");
    fs.writeFileSync(path.join(WORK, name), text.replace('from "./index.js"', 'from "./node.js"'));
  }
  const file = path.join(WORK, "package.json");
  fs.writeFileSync(file, `${JSON.stringify({ ...readJson(file), version: crateVersion() }, null, 2)}\n`);
  for (const name of ["README.md", ...licences()]) {
    if (fs.existsSync(at(name))) fs.copyFileSync(at(name), path.join(WORK, name));
  }
}

/** The files that package.json names as exports. */
function filesNamed() {
  const named = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(named));
  const { exports } = readJson(path.join(WORK, "package.json"));
  return [...new Set(Object.values(exports).flatMap(named))];
}

/** What an entry takes from the main one stays there: a page that uses both has one module, loaded once. */
const SHARED = {
  name: "shared",
  setup(build) {
    build.onResolve({ filter: /^\.\/(index|node)\.js$/ }, ({ kind, path: name }) => (kind === "entry-point" ? undefined : { path: name, external: true }));
  },
};

/** Each .js that package.json names becomes one module with all that it imports; the others go. */
async function bundle() {
  const { build: esbuild } = await import("esbuild");
  const entries = filesNamed().filter((file) => /\.[mc]?js$/.test(file));
  const scripts = filesUnder(WORK).filter((file) => /\.[mc]?js$/.test(file));
  const out = path.join(WORK, "out");
  await esbuild({
    entryPoints: entries.map((file) => path.join(WORK, file)),
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    external: ["node:*"],
    plugins: [SHARED],
    target: "es2022",
    legalComments: "inline",
    sourcemap: true,
    logLevel: "warning",
  });
  for (const name of scripts) fs.rmSync(path.join(WORK, name));
  for (const name of filesUnder(out)) fs.renameSync(path.join(out, name), path.join(WORK, name));
  fs.rmSync(out, { recursive: true });
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({
      options: { dev: { type: "boolean" }, force: { type: "boolean" }, "wasm-opt": { type: "string" } },
    });
    await setup("build");
    await build({ dev: values.dev, force: values.force, ...(values["wasm-opt"] && { wasmOpt: values["wasm-opt"] }) });
  });
}
