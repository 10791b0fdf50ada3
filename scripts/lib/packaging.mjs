// The package as a consumer gets it: packed, unpacked into a node_modules of its own, imported by Node, and
// its types checked by tsc under the settings that differ most.

import fs from "node:fs";
import path from "node:path";
import { PKG, at, compiler, readJson } from "./project.mjs";
import { run } from "./run.mjs";

const PLACE = at("target/consumer");

/** The oldest TypeScript that reads our declarations, the one that writes them, and the newest. */
const COMPILERS = ["typescript-5.2", "typescript", "typescript-7"];

/** Packs pkg/ and unpacks the tarball into the node_modules of a folder, which is made anew. */
export async function pack(place) {
  fs.rmSync(place, { recursive: true, force: true });
  fs.mkdirSync(place, { recursive: true });
  await run("npm", ["pack", "--silent", "--pack-destination", place], { cwd: PKG, show: "none" });
  const tarball = fs.readdirSync(place).find((name) => name.endsWith(".tgz"));
  const { name } = readJson(path.join(PKG, "package.json"));
  const folder = path.join(place, "node_modules", name);
  fs.mkdirSync(folder, { recursive: true });
  await run("tar", ["-xzf", path.join(place, tarball), "-C", folder, "--strip-components=1"], { show: "none" });
  return { name, folder, tarball };
}

/** The files an entry of `exports` names, under whatever conditions. */
function filesNamed(entry) {
  return typeof entry === "string" ? [entry] : Object.values(entry ?? {}).flatMap(filesNamed);
}

/**
 * Checks files of a folder with one of the compilers, as a page's project that sees nothing but the platform and the package: no types of
 * Node, and no `skipLibCheck`, since our own declarations are what is checked. Resolves to `{ code, output }`.
 */
export function compile(name, folder, files, options = {}) {
  const compilerOptions = { noEmit: true, strict: true, target: "es2022", lib: ["es2022", "dom"], types: [], ...options };
  fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  return run(process.execPath, [compiler(name), "--project", folder], { show: "none", check: false, timeout: 120_000 });
}

export async function checkPackage() {
  const { name, folder, tarball } = await pack(PLACE);
  const bytes = fs.statSync(path.join(PLACE, tarball)).size;
  const { exports, version, types } = readJson(path.join(folder, "package.json"));
  console.log(`${tarball}: ${bytes.toLocaleString("en-GB")} bytes`);

  const checks = [];
  const check = async (what, body) => {
    let problem;
    try {
      problem = await body();
    } catch (error) {
      problem = error.message;
    }
    checks.push(!problem);
    console.log(`${problem ? "BROKEN" : "ok    "}  ${what}`);
    if (problem) console.log(problem.replace(/^/gm, "          "));
  };

  await check(`what package.json names is in the tarball (version ${version})`, () => {
    const named = [...Object.values(exports).flatMap(filesNamed), ...(types ? [types] : [])];
    return named
      .filter((file) => !fs.existsSync(path.join(folder, file)))
      .map((file) => `${file} is missing`)
      .join("\n");
  });

  const entries = Object.entries(exports)
    .filter(([entry, value]) => filesNamed(value).some((file) => /\.[mc]?js$/.test(file)) && !entry.endsWith(".global.js"))
    .map(([entry]) => path.posix.join(name, entry));

  // To import it must be safe where there is no window: on a server, in a worker.
  const modules = entries.map((entry) => `await import(${JSON.stringify(entry)});`).join("\n");
  fs.writeFileSync(path.join(PLACE, "import.mjs"), `${modules}\n`);
  await check("Node imports every entry, without any effect", async () => {
    const { output } = await run(process.execPath, ["import.mjs"], { cwd: PLACE, show: "none", timeout: 30_000 });
    return output && `it printed:\n${output}`;
  });

  // By `require()`, where there is an entry for it.
  const isCommon = ([, value]) => typeof value === "object" && filesNamed(value.require).length > 0;
  const common = Object.entries(exports).filter(isCommon).map(([entry]) => path.posix.join(name, entry));
  fs.writeFileSync(path.join(PLACE, "require.cjs"), common.map((entry) => `require(${JSON.stringify(entry)});\n`).join(""));
  await check(`Node requires ${common.join(", ")}`, async () => {
    const { output } = await run(process.execPath, ["require.cjs"], { cwd: PLACE, show: "none", timeout: 30_000 });
    return output && `it printed:\n${output}`;
  });

  const source = entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)};\nvoid entry${index};`);
  fs.writeFileSync(path.join(PLACE, "consumer.mts"), `${source.join("\n")}\n`);
  const required = common.map((entry, index) => `import entry${index} = require(${JSON.stringify(entry)});\nvoid entry${index};`);
  fs.writeFileSync(path.join(PLACE, "consumer.cts"), `${required.join("\n")}\n`);
  // Programs that use the package as its documentation says, where there are any.
  const folderOfPrograms = at("tests/packaging");
  const own = fs.existsSync(folderOfPrograms) ? fs.readdirSync(folderOfPrograms).filter((file) => /\.m?ts$/.test(file)) : [];
  for (const file of own) fs.copyFileSync(path.join(folderOfPrograms, file), path.join(PLACE, file));
  for (const name of COMPILERS) {
    for (const [module, resolution] of [
      ["esnext", "bundler"],
      ["node16", "node16"],
    ]) {
      const { version } = readJson(at("node_modules", name, "package.json"));
      // CommonJS is Node's own kind of module.
      const programs = ["consumer.mts", ...(module === "node16" ? ["consumer.cts"] : []), ...own];
      await check(`tsc ${version} --strict, --moduleResolution ${resolution}: ${programs.join(", ")}`, async () => {
        const { code, output } = await compile(name, PLACE, programs, { module, moduleResolution: resolution });
        return code === 0 ? "" : output;
      });
    }
  }

  const counts = { passed: checks.filter(Boolean).length, failed: checks.filter((ok) => !ok).length };
  if (counts.failed > 0) throw Object.assign(new Error(`the package does not pass ${counts.failed} checks`), { counts });
  return counts;
}
