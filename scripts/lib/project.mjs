// Where things are, and the versions the project pins.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const at = (...parts) => path.join(ROOT, ...parts);

/** Tools built from source live with the other products of a build, so that no home folder is touched. */
export const TOOLS = process.env.EPODE_TOOLS ? path.resolve(process.env.EPODE_TOOLS) : at("target/tools");
export const PKG = at("pkg");

/** Where what an example needs of Python is installed. */
export const pythonEnvironment = (example) => at("target/python", example);

const BIN_FOLDERS = [path.join(TOOLS, "bin"), at("node_modules/.bin")];

/** The environment of every program that is started: our tools first, and no more than two jobs. */
export const ENV = {
  ...process.env,
  PATH: [...BIN_FOLDERS, process.env.PATH, "/usr/sbin", "/sbin"].join(path.delimiter),
  CARGO_BUILD_JOBS: process.env.CARGO_BUILD_JOBS ?? "2",
};

/** The full name of a program, or undefined. */
export const which = (name) =>
  ENV.PATH.split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        fs.accessSync(file, fs.constants.X_OK);
        return fs.statSync(file).isFile();
      } catch {
        return false;
      }
    });

/** The program of one of the TypeScript compilers in node_modules: they share the name `tsc`, so it cannot be found by that. */
export const compiler = (name) => at("node_modules", name, "bin/tsc");

export const readJson = (file) => JSON.parse(fs.readFileSync(file, "utf8"));

const cargoToml = () => fs.readFileSync(at("Cargo.toml"), "utf8");

export function crateVersion() {
  const version = /^\[workspace\.package\][^[]*?^version = "([^"]+)"/ms.exec(cargoToml())?.[1];
  if (!version) throw new Error("Cargo.toml: no version under [workspace.package]");
  return version;
}

/** The command-line tool has to be of the very version of the crate. */
export function wasmBindgenVersion() {
  const version = /^wasm-bindgen = (?:\{[^}]*version = )?"=([\d.]+)"/m.exec(cargoToml())?.[1];
  if (!version) throw new Error('Cargo.toml: wasm-bindgen is not pinned as `wasm-bindgen = "=x.y.z"`');
  return version;
}

export const WASM_PACK_VERSION = "0.15.1";

/** All files under a folder, relative to it, sorted. */
export function filesUnder(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}
