// Circles of imports among the modules of a folder: of Rust files, by `super::NAME` and `crate::FOLDER::NAME`, or of files in
// TypeScript, where types alone may be imported in circles.

import fs from "node:fs";
import path from "node:path";

/** The modules that each file in TypeScript imports values from. */
function importsOfTypeScript(folder) {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const value = /^(?:import|export)\s+(?!type\b)(?:[^;"]*?\sfrom\s+)?"\.\/([\w-]+)\.js";/gm;
  // `import { type A, type B }` imports nothing either.
  const onlyTypes = /\{\s*(?:type\s+[\w\s]+,?\s*)+\}/;
  const named = (text) => [...text.matchAll(value)].filter(([statement]) => !onlyTypes.test(statement)).map(([, name]) => name);
  return new Map(files.map((file) => [path.basename(file, ".ts"), named(fs.readFileSync(path.join(folder, file), "utf8"))]));
}

/** The modules that each module of the folder names. */
function imports(folder) {
  if (fs.readdirSync(folder).some((name) => name.endsWith(".ts"))) return importsOfTypeScript(folder);
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".rs") && name !== "mod.rs");
  const modules = new Set(files.map((name) => path.basename(name, ".rs")));
  const graph = new Map();
  for (const name of modules) {
    const text = fs.readFileSync(path.join(folder, `${name}.rs`), "utf8").replace(/^\s*\/\/.*$/gm, "");
    const named = [...text.matchAll(new RegExp(`(?:super|crate::${path.basename(folder)})::(?:\\{([^}]*)\\}|(\\w+))`, "g"))];
    const all = named.flatMap(([, group, one]) => (group ? group.split(",").map((part) => part.trim().split("::")[0]) : [one]));
    graph.set(name, all.filter((other) => modules.has(other) && other !== name));
  }
  return graph;
}

/** One circle as a list of modules, or nothing. */
export function circle(folder) {
  const graph = imports(folder);
  const done = new Set();
  const trail = [];
  const visit = (name) => {
    const at = trail.indexOf(name);
    if (at >= 0) return [...trail.slice(at), name];
    if (done.has(name)) return undefined;
    trail.push(name);
    for (const other of graph.get(name) ?? []) {
      const found = visit(other);
      if (found) return found;
    }
    trail.pop();
    done.add(name);
    return undefined;
  };
  for (const name of graph.keys()) {
    const found = visit(name);
    if (found) return found;
  }
  return undefined;
}
