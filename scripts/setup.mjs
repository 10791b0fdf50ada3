// Gets what a command needs on a machine that has Rust (rustup), Node ≥ 20 and a Debian-like system.
//
//   npm run setup [-- build | demo | test | bench | …]      (default: test, which needs the most)
//
// What is there already is not touched, and costs a fraction of a second to find. Whatever is fetched is
// named, with its reason, in one line; what cannot be had is named with the command that would get it.

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { TOOLS, WASM_PACK_VERSION, at, pythonEnvironment, wasmBindgenVersion, which } from "./lib/project.mjs";
import { ask, main, run, seconds } from "./lib/run.mjs";
import { installPackages } from "./lib/system.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";
/** The pinned compiler. */
const RUST_VERSION = /^channel = "([\d.]+)"/m.exec(fs.readFileSync(at("rust-toolchain.toml"), "utf8"))[1];

/** Debian's packages, by what they are for. `present` looks for the program, whoever installed it. */
const SYSTEM = {
  cc: { packages: ["gcc", "libc6-dev"], why: "the linker Rust uses", present: () => which("cc") },
  prosody: { packages: ["prosody"], why: "the XMPP server of the demo and of the tests", present: () => which("prosody") },
  python3: {
    packages: ["python3"],
    why: "the publisher program, which writes into SQLite",
    present: async () => (await ask("python3", ["-c", "import sqlite3"])) !== undefined,
  },
  venv: {
    packages: ["python3-venv"],
    why: "an environment of its own for each example that runs on Python",
    present: async () => (await ask("python3", ["-c", "import ensurepip, venv"])) !== undefined,
  },
  nginx: { packages: ["nginx-light"], why: "the web server of the Django example", present: () => which("nginx") },
  ejabberd: { packages: ["ejabberd"], why: "the second XMPP server of the tests", present: () => which("erl") && ejabberdIsThere() },
  chromium: { packages: ["chromium"], why: "the browser of the tests", present: () => which("chromium") },
  chromedriver: { packages: ["chromium-driver"], why: "through which wasm-pack drives the browser", present: () => which("chromedriver") },
};

function ejabberdIsThere() {
  return fs
    .readdirSync("/usr/lib")
    .filter((name) => name.endsWith("-linux-gnu"))
    .some((name) => fs.readdirSync(path.join("/usr/lib", name)).some((entry) => /^ejabberd-\d/.test(entry)));
}

/** What each command needs. */
const NEEDS = {
  build: { system: ["cc"], components: [] },
  demo: { system: ["cc", "prosody", "python3"], components: [] },
  // For a demo on a server that runs elsewhere.
  page: { system: ["cc", "python3"], components: [] },
  lint: { system: ["cc"], components: ["rustfmt", "clippy"] },
  // One of the examples, on one of the servers.
  "django-prosody": { system: ["cc", "prosody", "python3", "venv", "nginx"], components: [], examples: ["django"] },
  "django-ejabberd": { system: ["cc", "ejabberd", "python3", "venv", "nginx"], components: [], examples: ["django"] },
  "flask-prosody": { system: ["cc", "prosody", "python3", "venv"], components: [], examples: ["flask"] },
  "flask-ejabberd": { system: ["cc", "ejabberd", "python3", "venv"], components: [], examples: ["flask"] },
  bench: { system: ["cc", "prosody", "chromium"], components: [] },
  test: {
    system: ["cc", "prosody", "python3", "venv", "nginx", "ejabberd", "chromium", "chromedriver"],
    components: ["rustfmt", "clippy"],
    examples: ["django", "flask"],
  },
};

/** Makes sure that all a command needs is there. */
export async function setup(command) {
  const needs = NEEDS[command];
  if (!needs) throw new Error(`set-up for what? One of: ${Object.keys(NEEDS).join(", ")}`);
  const start = Date.now();
  if (Number(process.versions.node.split(".")[0]) < 20) throw new Error(`Node 20 or later is needed; this is ${process.version}`);

  const fetched = [];
  await systemPackages(needs.system, fetched);
  await rust(needs.components, fetched);
  await npmPackages(fetched);
  await wasmTools(fetched);
  for (const name of needs.examples ?? []) await pythonPackages(name, fetched);
  const what = fetched.length === 0 ? "all that is needed is here" : `installed ${fetched.join(", ")}`;
  console.log(`set-up for ${command}: ${what} (${seconds(Date.now() - start)})`);
}

const say = (what, why) => console.log(`  installing ${what}: ${why}`);

async function systemPackages(names, fetched) {
  const missing = [];
  for (const name of names) if (!(await SYSTEM[name].present())) missing.push(SYSTEM[name]);
  if (missing.length === 0) return;
  for (const { packages, why } of missing) say(`${packages.join(" and ")} (system package)`, why);
  const packages = missing.flatMap((item) => item.packages);
  await installPackages(packages);
  for (const item of missing) {
    if (!(await item.present())) throw new Error(`${item.packages.join(" ")} was installed, and is still not found`);
  }
  fetched.push(...packages);
}

async function rust(components, fetched) {
  const rustup = which("rustup");
  let version = await ask("rustc", ["--version"]);
  if (version === undefined) {
    if (!rustup) throw new Error("Rust is missing: install it with rustup, as https://rustup.rs says, and start again.");
    say("the Rust toolchain of rust-toolchain.toml", "the crate is written in Rust");
    await run(rustup, ["toolchain", "install", RUST_VERSION, "--profile", "minimal"], { show: "progress", label: "rustup" });
    fetched.push("Rust");
    version = await ask("rustc", ["--version"]);
  }
  if (!version?.includes(` ${RUST_VERSION} `)) {
    throw new Error(`Rust ${RUST_VERSION} is needed, with whose flags the release is built (${version ?? "none was found"}): rustup toolchain install ${RUST_VERSION}`);
  }

  const library = await ask("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (!library || !fs.existsSync(library)) {
    const command = ["target", "add", WASM_TARGET];
    if (!rustup) throw new Error(`Rust's library for ${WASM_TARGET} is missing, and there is no rustup to get it: rustup ${command.join(" ")}`);
    say(WASM_TARGET, "the target that Rust compiles for");
    await orName("rustup", command, { show: "progress", label: "rustup" });
    fetched.push(WASM_TARGET);
  }
  // The release build compiles the standard library, for size.
  const sysroot = await ask("rustc", ["--print", "sysroot"]);
  if (!fs.existsSync(path.join(sysroot ?? "", "lib/rustlib/src/rust/library/Cargo.lock"))) {
    say("rust-src", "the release build compiles the standard library, for size");
    await orName("rustup", ["component", "add", "rust-src"], { show: "progress", label: "rustup" });
    fetched.push("rust-src");
  }
  for (const component of components) {
    const command = { rustfmt: "fmt", clippy: "clippy" }[component];
    if ((await ask("cargo", [command, "--version"])) !== undefined) continue;
    say(component, "a check of `npm test`");
    await orName("rustup", ["component", "add", component], { show: "progress", label: "rustup" });
    fetched.push(component);
  }
}

async function npmPackages(fetched) {
  const lock = createHash("sha256").update(fs.readFileSync(at("package-lock.json"))).digest("hex");
  const stamp = at("node_modules/.epode-lock");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === lock) return;
  say("npm packages (npm ci)", "wasm-opt, esbuild, tsc, and what drives the browser");
  await orName("npm", ["ci", "--no-audit", "--no-fund"], { show: "progress", label: "npm ci" });
  fs.writeFileSync(stamp, lock);
  fetched.push("npm packages");
}

/** What an example's requirements.txt names, in an environment of its own. */
async function pythonPackages(name, fetched) {
  const requirements = at("examples", name, "requirements.txt");
  const version = await ask("python3", ["-c", "import sys; print(sys.version, sys.base_prefix)"]);
  const wanted = createHash("sha256").update(fs.readFileSync(requirements)).update(version ?? "").digest("hex");
  const folder = pythonEnvironment(name);
  const stamp = path.join(folder, "requirements.sha256");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted) return;
  say(`Python packages into ${path.relative(at(), folder)} (pip)`, `the ${name} example runs on them`);
  await orName("python3", ["-m", "venv", "--clear", folder], { show: "progress", label: "venv" });
  const install = ["install", "--disable-pip-version-check", "--no-input", "--prefer-binary", "-r", requirements];
  await orName(path.join(folder, "bin/pip"), install, { show: "progress", label: "pip" });
  fs.writeFileSync(stamp, wanted);
  fetched.push(`Python packages of the ${name} example`);
}

async function wasmTools(fetched) {
  const bindgen = wasmBindgenVersion();
  const tools = [
    {
      crate: "wasm-bindgen-cli",
      programs: ["wasm-bindgen", "wasm-bindgen-test-runner"],
      version: bindgen,
      // Its lock file can name a version that is not to be had.
      flags: [],
      why: "makes the JavaScript around the compiled crate; it must be of the crate's own version",
    },
    {
      crate: "wasm-pack",
      programs: ["wasm-pack"],
      version: WASM_PACK_VERSION,
      flags: ["--locked"],
      why: "builds the package and runs tests in the browser",
    },
  ];
  const build = path.join(TOOLS, "build");
  for (const { crate, programs, version, flags, why } of tools) {
    if (await hasVersion(programs, version)) continue;
    say(`${crate} ${version} into ${path.relative(at(), TOOLS)} (from source, some minutes)`, why);
    const started = Date.now();
    let total = "?";
    let done = 0;
    await orName(
      "cargo",
      // Unoptimised: they are built in half the time, and have little to do.
      ["install", crate, "--version", version, "--root", TOOLS, "--debug", "--force", "-j2", ...flags],
      {
        env: { CARGO_TARGET_DIR: build },
        show: "progress",
        label: crate,
        progress(line) {
          total = /^\s*Locking (\d+) packages/.exec(line)?.[1] ?? total;
          if (/^\s*Compiling /.test(line)) done += 1;
          return `${done} crates compiled${total === "?" ? "" : ` of about ${total}`}`;
        },
      },
    );
    console.log(`    ${crate} ${version} took ${seconds(Date.now() - started)}`);
    fetched.push(`${crate} ${version}`);
  }
  fs.rmSync(build, { recursive: true, force: true });
}

async function hasVersion(programs, version) {
  for (const name of programs) {
    const file = which(name);
    if (!file || !(await ask(file, ["--version"]))?.split(/\s+/).includes(version)) return false;
  }
  return true;
}

/** Runs what fetches something; when it fails, the command is in the message. */
async function orName(command, args, options) {
  try {
    await run(command, args, options);
  } catch (error) {
    throw new Error(`${error.message}\n\nThis could not be installed. The command is:\n\n    ${[command, ...args].join(" ")}`);
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(() => setup(process.argv[2] ?? "test"));
}
