// The judge is judged: which messages are lost, and which were reported.

import assert from "node:assert/strict";
import { test } from "node:test";
import { complaints, tally } from "./tally.mjs";

/** Of five messages, all settled as delivered, these arrived. */
const of = (heard, { unreadable = [], spoilt = [], excused } = {}) => {
  const sender = { said: 5, fates: Array(5).fill("delivered"), returned: [] };
  return tally(sender, { heard, late: [], unreadable }, excused, spoilt);
};

test("all of them", () => {
  const sum = of([0, 1, 2, 3, 4]);
  assert.deepEqual([sum.lost, sum.reported, complaints(sum)], [[], 0, []]);
});

test("one in silence", () => {
  const sum = of([0, 1, 3, 4]);
  assert.deepEqual([sum.lost, sum.reported, complaints(sum)], [[2], 0, ["1 lost: 2"]]);
});

test("one whose frame was damaged, and reported", () => {
  const sum = of([0, 1, 3, 4], { spoilt: [{ id: "m2", at: 1000 }], unreadable: [1200] });
  assert.deepEqual([sum.lost, sum.reported, complaints(sum)], [[], 1, []]);
});

test("one whose frame was damaged, without a report", () => {
  for (const unreadable of [[], [900], [40_000]]) {
    const sum = of([0, 1, 3, 4], { spoilt: [{ id: "m2", at: 1000 }], unreadable });
    assert.deepEqual([sum.lost, sum.reported], [[2], 0], `reports ${unreadable}`);
  }
});

test("a report concerns one message whose frame was damaged", () => {
  const both = [{ id: "m1", at: 1000 }, { id: "m2", at: 1010 }];
  assert.deepEqual(of([0, 3, 4], { spoilt: both, unreadable: [1100] }).lost, [2]);
  assert.deepEqual(of([0, 3, 4], { spoilt: both, unreadable: [1100, 1101] }).lost, []);
  assert.deepEqual(of([0, 1, 2, 4], { spoilt: both, unreadable: [1100, 1101] }).lost, [3]);
});

test("a damaged message that arrived again needs no report", () => {
  const sum = of([0, 1, 2, 3, 4], { spoilt: [{ id: "m2", at: 1000 }] });
  assert.deepEqual([sum.lost, sum.reported], [[], 0]);
});

test("messages at a server that was killed", () => {
  const sum = of([0, 1, 4], { excused: (number) => number === 2 });
  assert.deepEqual([sum.lost, sum.gone], [[3], 1]);
});
