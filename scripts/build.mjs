// Builds the npm package into pkg/: the crate by wasm-pack, completed from pkg-template/.
//
//   npm run build [-- --dev] [--wasm-opt=-O3]
//
//   wasm-pack (--target web)   → NAME.js, NAME_bg.wasm, NAME.d.ts for each of MODULES: the crate with one of its features
//   wasm-opt                   → NAME_bg.wasm, smaller; the level is `epode.wasmOpt` of package.json. Functions are ordered by name: those of a
//                                type and those of a generic function stand together, which gzip makes 1.2 % less of
//   pkg-template/*             → copied over it; the version in package.json becomes that of Cargo.toml
//   pkg-template/src/*.ts      → tsc: scripts and their declarations, beside what wasm-bindgen has made
//   NAME_bg.base64.js          → the module as text, for the entries with the module inside
//   NAME.node.js               → NAME.js for Node: imports node.js or stream.node.js instead of index.js or stream.js
//   strophe.cjs, strophe.global.js → esbuild: CommonJS and a classic script, each with all that it needs
//   NAME.inline.js             → NAME.js that imports inline.js instead of index.js, for development servers
//   NAME.production.js         → NAME.js with advice.production.js instead of advice.js: errors without advice
//   esbuild                    → each entry one minified module, with a source map. common.js is what index.js and stream.js have in
//                                common; other entries import what they use of those two
//   README.md, docs/*.md, LICENSE* → copied
//
// The release build compiles the standard library too (`-Zbuild-std`), for size and without the texts of panics: a panic
// becomes the trap `unreachable`. These are flags of the pinned toolchain (rust-toolchain.toml) that need RUSTC_BOOTSTRAP.
//
// --dev: Rust's debug build, with panic messages, neither optimised nor bundled.
// The package is assembled beside pkg/ and replaces it at the end, so pkg/ is always complete.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PKG, ROOT, at, compiler, crateVersion, filesUnder, readJson } from "./lib/project.mjs";
import { main, run, seconds } from "./lib/run.mjs";
import { partsOfWasm } from "./lib/wasm-parts.mjs";
import { setup } from "./setup.mjs";

/** The modules: their names in the package, and the feature of the crate that each is compiled with. */
const MODULES = [
  { name: "epode", feature: "client" },
  { name: "epode_stream", feature: "stream" },
];
/** A module as a script, which entries import and none contains. */
const isInlined = (file) => file.endsWith("_bg.base64.js");
const WORK = at("target/epode-pkg");
/** Where `npm run size` finds what each file of the released package consists of: `{ FILE: { PART: bytes } }`. */
export const PARTS = at("target/epode-parts.json");

/** What the README links to. */
const pagesOfDocs = () => filesUnder(at("docs")).filter((name) => name.endsWith(".md")).map((name) => path.join("docs", name));
const licences = () => fs.readdirSync(ROOT).filter((name) => /^LICENSE/.test(name));

export async function build({ dev = false, wasmOpt = readJson(at("package.json")).epode.wasmOpt } = {}) {
  const start = Date.now();
  const parts = {};
  fs.rmSync(WORK, { recursive: true, force: true });

  let finished = Promise.resolve();
  for (const module of MODULES) {
    await compile(module, dev);
    // While the next one is compiled.
    finished = Promise.all([finished, finish(module, { dev, wasmOpt, parts })]);
    finished.catch(() => {});
  }
  await finished;
  await complete();
  await bundleWhole(dev);
  if (!dev) {
    await bundle(parts);
    pruneDeclarations();
    fs.writeFileSync(PARTS, JSON.stringify(parts));
  }

  fs.rmSync(PKG, { recursive: true, force: true });
  fs.renameSync(WORK, PKG);
  console.log(`build: pkg/ in ${seconds(Date.now() - start)}`);
}

/** What the release build adds to cargo's arguments, and to rustc's. */
const BUILD_STD = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
const WITHOUT_TEXTS = ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none", "-Zfmt-debug=none"];

/** rustc's flags, joined to those in .cargo/config.toml. Paths of this machine do not belong into what is published. */
function rustFlags(dev) {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), ".cargo");
  const sources = [
    [ROOT, "epode"],
    [cargoHome, "cargo"],
  ].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  const flags = [...sources, ...(dev ? [] : WITHOUT_TEXTS)];
  return ["--config", `target.wasm32-unknown-unknown.rustflags=${JSON.stringify(flags)}`];
}

async function compile({ name, feature }, dev) {
  let done = 0;
  await run(
    "wasm-pack",
    // prettier-ignore
    [
      "build", ROOT, "--target", "web", dev ? "--dev" : "--release", "--out-dir", WORK, "--out-name", name,
      "--mode", "no-install", "--no-pack", "--no-gitignore", "--no-opt", "--", "--locked",
      "--no-default-features", "--features", feature,
      ...(dev ? [] : BUILD_STD), ...rustFlags(dev),
    ],
    {
      env: dev ? {} : { RUSTC_BOOTSTRAP: "1" },
      show: "progress",
      label: `wasm-pack, ${name}`,
      progress(line) {
        if (/^\s*Compiling /.test(line)) done += 1;
        return `${done} crates compiled`;
      },
      onLine: (line) => {
        // Only warnings about our own crates concern whoever builds.
        if (/^warning: `?epode/.test(line)) console.log(`  ${line}`);
      },
    },
  );
}

// What Rust itself uses on this target. With --all-features binaryen writes what Node 20 refuses.
const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

async function finish({ name }, { dev, wasmOpt, parts }) {
  const file = `${name}_bg.wasm`;
  if (!dev) await optimise(file, wasmOpt, parts);
  await checkModule(file, dev);
  // Types of the module's raw exports, which only the glue calls.
  fs.rmSync(path.join(WORK, `${file}.d.ts`), { force: true });
}

async function optimise(file, level, parts) {
  const wasm = path.join(WORK, file);
  const compiled = path.join(WORK, `compiled.${file}`);
  const names = path.join(WORK, `names.${file}`);
  fs.renameSync(wasm, compiled);
  const features = FEATURES.map((name) => `--enable-${name}`);
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  const passes = [...level.split(/\s+/), `--symbolmap=${names}`, ...strip, "--minify-imports-and-exports-and-modules"];
  const { output } = await run("wasm-opt", [...features, ...passes, compiled, "-o", wasm], { show: "none" });
  shortenNames(path.join(WORK, file.replace("_bg.wasm", ".js")), JSON.parse(output));
  parts[file] = partsOfWasm(fs.readFileSync(wasm), fs.readFileSync(names, "utf8"));
  for (const done of [compiled, names]) fs.rmSync(done);
}

/**
 * Makes the glue call the module by the names that wasm-opt has given to its imports and exports. wasm-bindgen's contain hashes and whole
 * types, 5 KB gzip in the two files.
 */
function shortenNames(glue, { imports, exports }) {
  // All imports are of one module, which binaryen calls so.
  const [module, short] = [imports[0][0], "a"];
  const imported = new Map(imports.map(([, name, short]) => [name, short]));
  const exported = new Map(exports);
  const known = (names, name) => {
    if (!names.has(name)) throw new Error(`${path.basename(glue)} names '${name}', which its module does not have`);
    return names.get(name);
  };
  const text = fs
    .readFileSync(glue, "utf8")
    .replace(/^( +)(__wb\w+)(?=: function\()/gm, (_, indent, name) => indent + JSON.stringify(known(imported, name)))
    .replace(/\bwasm\.(\w+)/g, (_, name) => `wasm.${known(exported, name)}`)
    .replaceAll(JSON.stringify(module), JSON.stringify(short));
  fs.writeFileSync(glue, text);
}

/** Compiles a module with the Node that runs this, the oldest engine we promise being Node 20; looks for paths of this machine. */
async function checkModule(file, dev) {
  const bytes = fs.readFileSync(path.join(WORK, file));
  await WebAssembly.compile(bytes);
  const path_ = dev ? null : /[\w./-]*(?:\/home\/|\/root\/|\/Users\/|\.cargo\/|\/rustc\/)[\w./-]*/.exec(bytes.toString("latin1"));
  if (path_) throw new Error(`${file} names a path of the machine that built it: ${path_[0]}`);
}

/** The folder of the sources in TypeScript, and their configuration: neither is published. */
const TYPESCRIPT = /^(src\b|tsconfig\.json$)/;

/** Compiles the sources in TypeScript where the modules' own declarations are, which they import. */
async function compileTypeScript() {
  const folder = at("pkg-template/src");
  const sources = filesUnder(folder);
  for (const name of sources) {
    fs.mkdirSync(path.dirname(path.join(WORK, name)), { recursive: true });
    fs.copyFileSync(path.join(folder, name), path.join(WORK, name));
  }
  const project = path.join(WORK, "tsconfig.json");
  const { rootDirs, ...compilerOptions } = readJson(at("pkg-template/tsconfig.json")).compilerOptions;
  fs.writeFileSync(project, JSON.stringify({ compilerOptions, files: sources }));
  await run(process.execPath, [compiler("typescript"), "--project", project], { show: "none" });
  // For editors, and for `tsc -p pkg-template --noEmit`: what wasm-bindgen has declared.
  fs.mkdirSync(at("target/types"), { recursive: true });
  for (const { name } of MODULES) fs.copyFileSync(path.join(WORK, `${name}.d.ts`), at("target/types", `${name}.d.ts`));
  for (const name of [...sources, "tsconfig.json"]) fs.rmSync(path.join(WORK, name));
}

async function complete() {
  const template = at("pkg-template");
  if (!fs.existsSync(path.join(template, "package.json"))) throw new Error("pkg-template/package.json is missing");
  for (const name of filesUnder(template).filter((name) => !TYPESCRIPT.test(name))) {
    const target = path.join(WORK, name);
    // wasm-pack's own files keep their names; an entry of ours must have another.
    if (fs.existsSync(target)) throw new Error(`pkg-template/${name} would replace a file that wasm-pack made`);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(template, name), target);
  }
  await compileTypeScript();
  for (const name of filesNamed()) {
    const [, base, kind] = /^(.+)\.(node|inline|production)\.js$/.exec(name) ?? [];
    if (!base || fs.existsSync(path.join(WORK, name))) continue;
    const index = kind === "production" ? "index.production" : kind;
    const text = fs.readFileSync(path.join(WORK, `${base}.js`), "utf8");
    const own = text.replaceAll('from "./index.js"', `from "./${index}.js"`).replaceAll('from "./stream.js"', `from "./stream.${kind}.js"`);
    fs.writeFileSync(path.join(WORK, name), own);
  }
  for (const { name } of MODULES) {
    const module = fs.readFileSync(path.join(WORK, `${name}_bg.wasm`)).toString("base64");
    fs.writeFileSync(path.join(WORK, `${name}_bg.base64.js`), `export default "${module}";\n`);
  }
  const file = path.join(WORK, "package.json");
  fs.writeFileSync(file, `${JSON.stringify({ ...readJson(file), version: crateVersion() }, null, 2)}\n`);
  for (const name of ["README.md", ...pagesOfDocs(), ...licences()]) {
    fs.mkdirSync(path.dirname(path.join(WORK, name)), { recursive: true });
    if (fs.existsSync(at(name))) fs.copyFileSync(at(name), path.join(WORK, name));
  }
}

/** The files that package.json names as exports. */
function filesNamed() {
  const named = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(named));
  const { exports } = readJson(path.join(WORK, "package.json"));
  return [...new Set(Object.values(exports).flatMap(named))];
}

/** Declarations that no entry leads to are the package's own business. */
function pruneDeclarations() {
  const { exports } = readJson(path.join(WORK, "package.json"));
  const named = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(named));
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file) || !fs.existsSync(path.join(WORK, file))) return;
    reached.add(file);
    const text = fs.readFileSync(path.join(WORK, file), "utf8");
    for (const [, name] of text.matchAll(/\b(?:from |import\()"(\.\.?\/[^"]+)\.js"/g)) visit(path.join(path.dirname(file), `${name}.d.ts`));
  };
  for (const file of named(exports)) if (file.endsWith(".d.ts")) visit(path.normalize(file));
  for (const file of filesUnder(WORK)) if (file.endsWith(".d.ts") && !reached.has(file)) fs.rmSync(path.join(WORK, file));
}

/** What an entry takes from the main one, or from that of a stream, stays there: a page that uses both has one module, loaded once. */
const SHARED = {
  name: "shared",
  setup(build) {
    const filter = /^\.\/(index|index\.production|node|inline|stream|stream\.(production|node|inline)|\w+_bg\.base64)\.js$/;
    build.onResolve({ filter }, ({ kind, path: name }) => (kind === "entry-point" ? undefined : { path: name, external: true }));
  },
};

/** Errors without the long form. */
const BRIEF = {
  name: "brief",
  setup(build) {
    build.onResolve({ filter: /^\.\/advice\.js$/ }, () => ({ path: path.join(WORK, "advice.production.js") }));
  },
};

/**
 * What `epode/strophe` takes from the package itself is in an entry `epode/stream` (`stream`), by the same names: it is not bundled once
 * more, and what that entry does not export, it cannot use.
 */
const sharedWith = (stream) => ({
  name: "shared-with-stream",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ kind, path: name, resolveDir }) => {
      if (kind === "entry-point") return undefined;
      const file = path.relative(WORK, path.join(resolveDir, name));
      return /^(strophe\b|inlined\.js)/.test(file) ? undefined : { path: `./${isInlined(file) ? file : stream}`, external: true };
    });
  },
});

/** In Node only, and maybe not there. */
const EXTERNAL = ["node:*", "@xmldom/xmldom"];

/** The entries that are one script with all that it needs: for `require()`, and for a `<script>` of the old kind. */
async function bundleWhole(dev) {
  const { build: esbuild } = await import("esbuild");
  for (const [from, to, format] of [
    ["strophe-common.js", "strophe.cjs", "cjs"],
    ["strophe-global.js", "strophe.global.js", "iife"],
  ]) {
    await esbuild({
      entryPoints: [path.join(WORK, from)],
      outfile: path.join(WORK, to),
      bundle: true,
      minify: !dev,
      format,
      platform: "neutral",
      external: EXTERNAL,
      target: "es2022",
      // The file beside the script is of no use here.
      define: { "import.meta.url": '""' },
      legalComments: "inline",
      sourcemap: false,
      logLevel: "warning",
    });
  }
}

/** Each .js that package.json names becomes one module with all that it imports; the others go. */
async function bundle(parts) {
  const { build: esbuild } = await import("esbuild");
  const whole = ["strophe.cjs", "strophe.global.js"];
  const entries = filesNamed().filter((file) => /\.[mc]?js$/.test(file) && !whole.some((name) => file.endsWith(name)));
  const scripts = filesUnder(WORK).filter((file) => /\.[mc]?js$/.test(file) && !isInlined(file) && !whole.includes(file));
  const out = path.join(WORK, "out");
  // Node prints the line of an uncaught error: there, sources are read rather than downloaded.
  const isForNode = (file) => /(^|[./])node\.js$/.test(file);
  const isBrief = (file) => /\.production\.js$/.test(file);
  const isStrophe = (file) => /(^|\/)strophe\./.test(file);
  // What both have in common, as the class of errors, is a chunk: there is one of it in a page that uses both.
  const pairs = [
    { names: ["index.js", "stream.js"], common: "common", minify: true, plugins: [] },
    { names: ["index.production.js", "stream.production.js"], common: "common.production", minify: true, plugins: [BRIEF] },
    { names: ["node.js", "stream.node.js"], common: "common.node", minify: false, plugins: [] },
  ];
  const paired = new Set(pairs.flatMap(({ names }) => names));
  const isOther = (file) => !paired.has(path.normalize(file)) && !isStrophe(file);
  const groups = [
    ...pairs.map(({ names, ...pair }) => ({ of: (file) => names.includes(path.normalize(file)), ...pair })),
    { of: (file) => isOther(file) && !isForNode(file) && !isBrief(file), minify: true, plugins: [SHARED] },
    { of: (file) => isOther(file) && isBrief(file), minify: true, plugins: [SHARED, BRIEF] },
    { of: (file) => isOther(file) && isForNode(file), minify: false, plugins: [SHARED] },
    { of: (file) => isStrophe(file) && !isForNode(file) && !isBrief(file), minify: true, plugins: [sharedWith("stream.js")] },
    { of: (file) => isStrophe(file) && isBrief(file), minify: true, plugins: [sharedWith("stream.production.js")] },
    { of: (file) => isStrophe(file) && isForNode(file), minify: false, plugins: [sharedWith("stream.node.js")] },
  ];
  for (const { of, common, minify, plugins } of groups) {
    const { metafile } = await esbuild({
      metafile: true,
      entryPoints: entries.filter(of).map((file) => path.join(WORK, file)),
      outdir: out,
      bundle: true,
      ...(common && { splitting: true, chunkNames: common }),
      minify,
      format: "esm",
      platform: "neutral",
      external: EXTERNAL,
      plugins,
      target: "es2022",
      legalComments: "inline",
      sourcemap: true,
      logLevel: "warning",
    });
    for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
      const own = Object.entries(inputs).map(([name, { bytesInOutput }]) => [path.basename(name, ".js"), bytesInOutput]);
      if (own.length > 0) parts[path.basename(file)] = Object.fromEntries(own);
    }
  }
  for (const name of scripts) fs.rmSync(path.join(WORK, name));
  for (const name of filesUnder(out)) fs.renameSync(path.join(out, name), path.join(WORK, name));
  fs.rmSync(out, { recursive: true });
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({
      options: { dev: { type: "boolean" }, "wasm-opt": { type: "string" } },
    });
    await setup("build");
    await build({ dev: values.dev, ...(values["wasm-opt"] && { wasmOpt: values["wasm-opt"] }) });
  });
}
