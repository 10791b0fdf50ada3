// The rules of the house that the compiler and clippy do not check, read from the sources: what the browser shell may name,
// where `cfg(target…)` stands, what may panic, and what no tracked file may contain.
//
// Each rule is `{ name, broken }`, where `broken` lists the places; a rule holds when there are none.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { circle } from "./circles.mjs";
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

/** The Rust files of a folder, without those that are declared for tests only. */
function rustFiles(root) {
  const files = filesUnder(at(root))
    .filter((name) => name.endsWith(".rs"))
    .map((name) => {
      const file = path.join(root, name);
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

function lines(files, pattern) {
  return files.flatMap(({ file, code }) =>
    code.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

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
  const rust = [...rustFiles("src"), ...rustFiles("proto/src")];
  const shipped = rust.map(({ file, code }) => ({ file, code: withoutTests(code).code }));
  const files = tracked();
  return [
    {
      // That `proto` knows neither of them is Cargo's to check, and that it has no clock and no IO is clippy's (proto/clippy.toml).
      name: "web names neither js nor what reads inside an element",
      broken: lines(
        rust.filter(({ file }) => file.startsWith(path.join("src", "web"))),
        /\b(?:crate|super)::js\b|\bepode_proto::(?:xml|xep|stanza)\b/,
      ),
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
    {
      name: "js knows no namespace",
      broken: lines(rust.filter(({ file }) => file.startsWith(path.join("src", "js"))), /\bns::/),
    },
    {
      name: "no circle of imports in js, web or the surface",
      broken: ["src/js", "src/web", "pkg-template/src", "pkg-template/src/strophe"].flatMap((folder) => circle(at(folder))?.join(" → ") ?? []),
    },
    { name: "no tracked file names the host of a package registry", broken: lines(files, REGISTRY) },
    { name: "no tracked file holds a path of one machine", broken: lines(files, MACHINE) },
  ];
}
