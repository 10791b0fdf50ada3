// The tables of ARCHITECTURE.md say where something is checked or limited: the files exist, and the names are in them.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/lib/project.mjs";

const FOLDERS = ["proto/src", "proto/src/xep/muc", "proto/src/xep/pubsub", ""];
const text = fs.readFileSync(at("ARCHITECTURE.md"), "utf8");

/** The rows of the table below that heading: the first cell, and what stands in backticks in the last one. */
function rows(heading) {
  const section = text.split(`\n## ${heading}\n`)[1].split("\n## ")[0];
  const lines = section.split("\n").filter((line) => /^\| /.test(line) && !/^\| (---|what|collection|\*\*)/.test(line));
  return lines.map((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { what: cells[1], places: [...cells.at(-2).matchAll(/`([^`]+)`/g)].map(([, place]) => place) };
  });
}

for (const heading of ["Who may change what", "Limits"]) {
  test(`${heading}: each place exists`, () => {
    const all = rows(heading);
    assert.ok(all.length > 20, `${all.length} rows`);
    for (const { what, places } of all) {
      assert.ok(places.length > 0, `no place: ${what}`);
      for (const place of places) {
        const [file, names = ""] = place.split(": ");
        const files = FOLDERS.map((folder) => at(folder, file)).filter((path) => fs.existsSync(path));
        assert.ok(files.length > 0, `${file}, for: ${what}`);
        const holds = (source) => names.split(/, |::/).every((name) => new RegExp(`\\b${name}\\b`).test(source));
        assert.ok(files.some((path) => holds(fs.readFileSync(path, "utf8"))), `${place}, for: ${what}`);
      }
    }
  });
}
