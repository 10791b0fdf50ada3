// The rules of the house that a compiler does not check, read from the sources: which floor may name
// which, where `cfg(target…)` stands, what may panic, and what no tracked file may contain.
//
// Each rule is `{ name, broken }`, where `broken` lists the places; a rule holds when there are none.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ROOT, at, filesUnder } from "./project.mjs";

/** Blanks out comments and the contents of literals; lines keep their numbers. */
export function codeOnly(source) {
  const blank = (text) => text.replace(/[^\n]/g, " ");
  let code = "";
  for (let i = 0; i < source.length; ) {
    const rest = source.slice(i, i + 400);
    if (rest.startsWith("//")) {
      const end = source.indexOf("\n", i);
      const stop = end === -1 ? source.length : end;
      code += blank(source.slice(i, stop));
      i = stop;
    } else if (rest.startsWith("/*")) {
      let depth = 0;
      let stop = i;
      do {
        if (source.startsWith("/*", stop)) depth += 1;
        else if (source.startsWith("*/", stop)) depth -= 1;
        else {
          stop += 1;
          continue;
        }
        stop += 2;
      } while (depth > 0 && stop < source.length);
      code += blank(source.slice(i, stop));
      i = stop;
    } else if (/^b?r#*"/.test(rest) && !/\w/.test(source[i - 1] ?? "")) {
      const hashes = /^b?r(#*)"/.exec(rest);
      const end = source.indexOf(`"${hashes[1]}`, i + hashes[0].length);
      const stop = (end === -1 ? source.length : end) + 1 + hashes[1].length;
      code += blank(source.slice(i, stop));
      i = stop;
    } else if (rest[0] === '"') {
      let stop = i + 1;
      while (stop < source.length && source[stop] !== '"') stop += source[stop] === "\\" ? 2 : 1;
      code += `"${blank(source.slice(i + 1, stop))}"`;
      i = stop + 1;
    } else if (/^'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'/u.test(rest)) {
      const [literal] = /^'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'/u.exec(rest);
      code += blank(literal);
      i += literal.length;
    } else {
      code += source[i];
      i += 1;
    }
  }
  return code;
}

/** Blanks out what follows `#[cfg(test)]`, and tells which files are declared there. */
export function withoutTests(code) {
  const modules = [];
  let result = code;
  for (;;) {
    const match = /#\[cfg\(\s*(?:test|all\(\s*test\b[^)]*\))\s*\)\]/.exec(result);
    if (!match) return { code: result, modules };
    const start = match.index;
    const semicolon = result.indexOf(";", start);
    const brace = result.indexOf("{", start);
    let end;
    if (brace === -1 || (semicolon !== -1 && semicolon < brace)) {
      end = (semicolon === -1 ? result.length - 1 : semicolon) + 1;
      const name = /\bmod\s+(\w+)\s*;/.exec(result.slice(start, end))?.[1];
      if (name) modules.push(name);
    } else {
      let depth = 0;
      for (end = brace; end < result.length; end += 1) {
        if (result[end] === "{") depth += 1;
        else if (result[end] === "}" && (depth -= 1) === 0) break;
      }
      end += 1;
    }
    result = result.slice(0, start) + result.slice(start, end).replace(/[^\n]/g, " ") + result.slice(end);
  }
}

/** The full paths that a `use` names: `a::{b, c::{d}}` is a::b and a::c::d. */
function expand(tree) {
  const text = tree.trim();
  const open = text.indexOf("{");
  if (open === -1) return [text.replace(/\s+as\s+\w+$/, "").replace(/\s+/g, "")];
  const prefix = text.slice(0, open).replace(/\s+/g, "");
  const parts = [];
  let depth = 0;
  let part = "";
  for (const char of text.slice(open + 1, text.lastIndexOf("}"))) {
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (char === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  parts.push(part);
  return parts.filter((item) => item.trim()).flatMap((item) => expand(item).map((name) => prefix + name));
}

/** Every path the code names, with its line: those of `use`, written out, and those in between. */
export function pathsNamed(code) {
  const named = [];
  const lineOf = (index) => code.slice(0, index).split("\n").length;
  const rest = code.replace(/\buse\s+([^;]+);/g, (statement, tree, index) => {
    for (const name of expand(tree)) named.push({ name, line: lineOf(index) });
    return statement.replace(/[^\n]/g, " ");
  });
  for (const match of rest.matchAll(/\b\w+(?:\s*::\s*\w+)*/g)) {
    named.push({ name: match[0].replace(/\s+/g, ""), line: lineOf(match.index) });
  }
  return named;
}

/** The Rust files of a folder under src, without those that are declared for tests only. */
function rustFiles(folder) {
  const files = filesUnder(at("src", folder))
    .filter((name) => name.endsWith(".rs"))
    .map((name) => {
      const file = path.join("src", folder, name);
      const code = codeOnly(fs.readFileSync(at(file), "utf8"));
      return { file, code, modules: withoutTests(code).modules };
    });
  const tests = new Set();
  for (const { file, modules } of files) {
    const folder = /(?:^|\/)(?:mod|lib|main)\.rs$/.test(file) ? path.dirname(file) : file.replace(/\.rs$/, "");
    for (const name of modules) {
      tests.add(path.join(folder, `${name}.rs`));
      tests.add(path.join(folder, name, "mod.rs"));
    }
  }
  return files.filter(({ file }) => !tests.has(file));
}

function naming(folder, forbidden) {
  return rustFiles(folder).flatMap(({ file, code }) =>
    pathsNamed(code)
      .filter(({ name }) => forbidden.some((pattern) => pattern.test(name)))
      .map(({ name, line }) => `${file}:${line}: ${name}`),
  );
}

function lines(files, pattern) {
  return files.flatMap(({ file, code }) =>
    code.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

/** A path inside the crate that leads to a floor or into it. */
const floor = (name) => new RegExp(`^(?:crate|epode|(?:self::)?super(?:::super)*)::${name}(?:::|$)`);
const crate = (name) => new RegExp(`^(?:r#)?${name}(?:::|$)`);

function tracked() {
  return execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((name) => name && fs.existsSync(at(name)) && fs.statSync(at(name)).isFile())
    .map((file) => ({ file, bytes: fs.readFileSync(at(file)) }))
    .filter(({ bytes }) => !bytes.includes(0))
    .map(({ file, bytes }) => ({ file, code: bytes.toString("utf8") }));
}

// Whoever serves packages, by the end of the name of the host.
const REGISTRIES = ["npmjs.org", "npmjs.com", "yarnpkg.com", "crates.io", "pypi.org", "jsr.io"].map((name) => name.replace(".", "\\."));
const REGISTRY = new RegExp(`//(?:[\\w-]+\\.)*(?:${REGISTRIES.join("|")})\\b|^\\s*"resolved"|^\\s*(?:@\\w+:)?registry\\s*=`);
const MACHINE = new RegExp(`${ROOT.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}/|(?:^|[\\s"'\`(=:,])/(?:home|root|Users|work|mnt)/\\w`);

export function layering() {
  const rust = rustFiles(".");
  const shipped = rust.map(({ file, code }) => ({ file, code: withoutTests(code).code }));
  const files = tracked();
  return [
    {
      name: "proto names neither the other floors nor the browser",
      broken: naming("proto", [
        floor("web"),
        floor("js"),
        ...["wasm_bindgen", "wasm_bindgen_futures", "web_sys", "js_sys", "gloo_timers", "serde_wasm_bindgen"].map(crate),
      ]),
    },
    {
      name: "proto has no clock, no IO and no threads of its own",
      broken: naming("proto", [/^std::(?:net|fs|io|thread|env|process)(?:::|$)/, /^std::time::(?:Instant|SystemTime)/]),
    },
    {
      name: "web names neither js nor what reads inside an element",
      broken: naming("web", [floor("js"), floor("proto::(?:xml|xep|stanza)")]),
    },
    {
      name: "cfg(target…) stands in src/lib.rs only",
      broken: lines(
        rust.filter(({ file }) => file !== path.join("src", "lib.rs")),
        /\bcfg(?:_attr)?!?\s*\(.*\btarget_/,
      ),
    },
    {
      name: "nothing in src panics outside of tests",
      broken: lines(shipped, /\.unwrap\(\)|\.expect\(|\b(?:panic|unreachable|todo|unimplemented)!/),
    },
    { name: "no tracked file names the host of a package registry", broken: lines(files, REGISTRY) },
    { name: "no tracked file holds a path of one machine", broken: lines(files, MACHINE) },
  ];
}
