// The documentation comments of the entries for pages of older systems, `epode/juggernaut` and `epode/pubsub-client`: every public member
// has one, and their examples compile. declarations.test.mjs does so with the main entry.
//
//   npm test -- --only docs        or, after a build: node --test tests/docs/older-entries.test.mjs

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { PKG, at } from "../../scripts/lib/project.mjs";
import { compile } from "../../scripts/lib/packaging.mjs";
import { publicMembers } from "../../scripts/lib/samples.mjs";

const PACKAGE = process.env.EPODE_PACKAGE ?? PKG;
/** What the examples of an entry may use without creating it. */
const GIVEN = {
  juggernaut: { jug: "Juggernaut", roster: "Roster" },
  "pubsub-client": { pubsub: "PubSubClient", entry: "Entry" },
};

const membersOf = (entry) => publicMembers(path.join(PACKAGE, `${entry}.d.ts`));
const isName = ({ name }) => !name.includes(".");
const main = new Set(membersOf("index").map(({ name }) => name));

/** What an entry has beside the main entry, whose declarations it leads to. */
const entries = Object.keys(GIVEN).map((entry) => ({ entry, members: membersOf(entry).filter(({ name }) => !main.has(name)) }));

test("every public member of the older entries has a documentation comment", () => {
  for (const { entry, members } of entries) {
    assert.ok(members.length > 35, `${entry}: ${members.length} members`);
    assert.deepEqual(members.filter(({ comment }) => !comment).map(({ name }) => `${entry}: ${name}`), []);
  }
});

test("every exported name and every method of the older entries has an example", () => {
  for (const { entry, members } of entries) {
    const without = members.filter(({ needsExample, examples }) => needsExample && examples.length === 0);
    assert.deepEqual(without.map(({ name }) => `${entry}: ${name}`), []);
  }
});

/** An example as a module: with imports of the names that it uses, and with the objects that it is given. */
function exampleModule(text, entry, names) {
  const uses = (code, name) => new RegExp(`(?<![.\\w"'])${name}\\b`).test(code);
  const given = Object.entries(GIVEN[entry]).filter(([name]) => uses(text, name) && !new RegExp(`\\bconst ${name}\\b`).test(text));
  const code = `${given.map(([name, type]) => `declare const ${name}: ${type};`).join(" ")}\n${text}\nexport {};\n`;
  return `import { ${names.filter((name) => uses(code, name)).join(", ")} } from "epode/${entry}";${code}`;
}

test("every example of the older entries compiles", async () => {
  const folder = at("target/docs-older-examples");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, "node_modules"), { recursive: true });
  fs.symlinkSync(path.resolve(PACKAGE), path.join(folder, "node_modules/epode"), "dir");
  const examples = entries.flatMap(({ entry, members }) => {
    const names = members.filter(isName).map(({ name }) => name);
    return members.flatMap(({ name, examples }) => examples.map((text) => ({ name: `${entry}: ${name}`, text: exampleModule(text, entry, names) })));
  });
  assert.ok(examples.length > 40, `${examples.length} examples`);
  const files = examples.map(({ text }, index) => {
    fs.writeFileSync(path.join(folder, `${index}.mts`), text);
    return `${index}.mts`;
  });
  const { code, output } = await compile("typescript", folder, files, { module: "esnext", moduleResolution: "bundler" });
  const problems = output.replace(/^.*?(\d+)\.mts(?=\()/gm, (_, index) => examples[index].name);
  assert.equal(code, 0, `\n${problems}`);
});
