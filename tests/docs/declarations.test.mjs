// The documentation comments of the package's declarations: every public member has one, and their examples compile.
//
//   npm test -- --only docs        or, after a build: node --test tests/docs/declarations.test.mjs

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { PKG, at } from "../../scripts/lib/project.mjs";
import { compile } from "../../scripts/lib/packaging.mjs";
import { exportedNames, moduleOf, publicMembers } from "../../scripts/lib/samples.mjs";

const PACKAGE = process.env.EPODE_PACKAGE ?? PKG;
/** Those of the main entry, and what the entry `epode/stream` has beside them. */
const main = publicMembers(path.join(PACKAGE, "index.d.ts"));
const stream = publicMembers(path.join(PACKAGE, "stream.d.ts"));
const members = [...main, ...stream.filter(({ name }) => !main.some((other) => other.name === name))];

test("every public member has a documentation comment", () => {
  for (const name of ["Stream", "StreamOptions", "SaslClient", "ScramKeys"]) assert.ok(members.some((one) => one.name === name), name);
  assert.ok(members.length > 300, `${members.length} members`);
  assert.deepEqual(members.filter(({ comment }) => !comment).map(({ name }) => name), []);
});

test("every exported name and every method has an example", () => {
  assert.deepEqual(members.filter(({ needsExample, examples }) => needsExample && examples.length === 0).map(({ name }) => name), []);
});

test("every example compiles", async () => {
  const folder = at("target/docs-examples");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, "node_modules"), { recursive: true });
  fs.symlinkSync(path.resolve(PACKAGE), path.join(folder, "node_modules/epode"), "dir");
  const exported = exportedNames(PACKAGE);
  const examples = members.flatMap(({ name, examples }) => examples.map((text) => ({ name, text })));
  assert.ok(examples.length > 150, `${examples.length} examples`);
  const files = examples.map(({ text }, index) => {
    fs.writeFileSync(path.join(folder, `${index}.mts`), moduleOf(text, exported));
    return `${index}.mts`;
  });
  // The compiler is given one program: 200 of them would take minutes.
  const { code, output } = await compile("typescript", folder, files, { module: "esnext", moduleResolution: "bundler" });
  const problems = output.replace(/^.*?(\d+)\.mts(?=\()/gm, (_, index) => examples[index].name);
  assert.equal(code, 0, `\n${problems}`);
});
