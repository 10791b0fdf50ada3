// The judge is judged: what it must find, and what it must let pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./feed-tally.mjs";

/** Publications by their ids: "a b a" is one that is published again. */
const published = (ids) => ids.split(" ").map((id) => ({ id, tries: 1 }));
const ids = "a b c d e f g h";

/** "0 1 gap(b,d) 3+ live": numbers of items, `+` via catch-up; the rest as it is said. */
function told(text, list) {
  return text.split(" ").map((word) => {
    const gap = /^gap\((\w*),(\w*)\)$/.exec(word);
    if (gap) return ["gap", gap[1] || null, gap[2] || null];
    if (word === "live" || word === "reload") return [word];
    if (word.startsWith("-")) return ["retract", word.slice(1), "catch-up"];
    const number = Number.parseInt(word, 10);
    return ["item", number, list[number].id, word.endsWith("+") ? "catch-up" : "live"];
  });
}

const verdict = (text, { of = ids, keep = 3, byCreation = false } = {}) => {
  const list = published(of);
  return judge({ published: list, told: told(text, list), keep, byCreation });
};

test("all of it, once and in order", () => {
  const { wrong, live, "catch-up": caught } = verdict("0 1 2 3 4+ 5+ live 6 7");
  assert.deepEqual([wrong, live, caught], [[], 6, 2]);
});

test("missed without a gap, duplicated, or out of order", () => {
  assert.match(verdict("0 1 2 4 5 6 7").wrong.join(), /1 missed in silence: 3/);
  assert.match(verdict("0 1 2 3 4 5 6").wrong.join(), /1 missed in silence: 7/);
  assert.match(verdict("0 1 1 2 3 4 5 6 7").wrong.join(), /1 twice: 1/);
  assert.match(verdict("0 2 1 3 4 5 6 7").wrong.join(), /1 out of order: 1 after 2/);
});

test("a gap covers only the items in it", () => {
  const { wrong, gaps, real, missed } = verdict("0 1 gap(b,f) 5+ 6+ live 7");
  assert.deepEqual([wrong, gaps, real, missed], [[], 1, 1, 3]);
  assert.match(verdict("0 2 gap(c,f) 5+ 6+ live 7").wrong.join(), /1 missed in silence: 1/);
  assert.match(verdict("0 1 gap(b,f) 5+ 7+ live").wrong.join(), /1 missed in silence: 6/);
  assert.match(verdict("0 1 gap(a,f) 5+ 6+ live 7").wrong.join(), /a gap after a, and b was the last/);
  assert.match(verdict("0 1 gap(b,g) 5+ 6+ live 7").wrong.join(), /a gap before g, and f comes/);
});

test("a gap without missing items: unneeded, unless all items of the node are new", () => {
  assert.match(verdict("0 1 gap(b,c) 2+ 3+ live 4 5 6 7").wrong.join(), /1 gaps where nothing is missing: after 1/);
  const { wrong, untellable } = verdict("0 1 gap(b,c) 2+ 3+ 4+ live 5 6 7");
  assert.deepEqual([wrong, untellable], [[], 1]);
});

test("of an item published several times, the newest is enough", () => {
  const again = { of: "a b c b d e" };
  assert.deepEqual(verdict("0 2+ 3+ 4+ live 5", again).wrong, []);
  assert.equal(verdict("0 2+ 3+ 4+ live 5", again).replaced, 1);
  assert.match(verdict("0 1 2 4+ live 5", again).wrong.join(), /1 missed in silence: 3/);
  // Where it was before, or last: as the service lists.
  assert.match(verdict("0 3+ 2+ 4+ live 5", again).wrong.join(), /out of order: 2 after 3/);
  assert.deepEqual(verdict("0 3+ 2+ 4+ live 5", { ...again, byCreation: true }).wrong, []);
});

test("published again, and still dropped first: if that is the service's order and it is reported", () => {
  const again = { of: "a b c b d e f", byCreation: true };
  assert.deepEqual(verdict("0 1 2 -b 4+ 5+ 6+ live", again).wrong, []);
  assert.equal(verdict("0 1 2 -b 4+ 5+ 6+ live", again).dropped, 1);
  assert.match(verdict("0 1 2 4+ 5+ 6+ live", again).wrong.join(), /missed in silence: 3/);
  assert.match(verdict("0 1 2 -b 4+ 5+ 6+ live", { ...again, byCreation: false }).wrong.join(), /missed in silence: 3/);
  assert.match(verdict("0 1 2 -b 4+ 5+ 6+ live", { ...again, keep: 5 }).wrong.join(), /missed in silence: 3/);
  // A page that was reloaded has nothing of it that could go.
  assert.deepEqual(verdict("0 1 2 reload 4+ 5+ 6+ live", again).wrong, []);
  assert.match(verdict("reload 0 1 2 4+ 5+ 6+ live", again).wrong.join(), /missed in silence: 3/);
});
