// Listeners: what happens before the first one is kept for it, bounded and in order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { Listeners } = await importSources("events");

test("events are kept in order for the first listener", async () => {
  const listeners = new Listeners(["kept"], ["passing"]);
  for (let number = 0; number < 3; number += 1) {
    listeners.emit("kept", number);
    listeners.emit("passing", number);
  }
  const kept = [];
  const passing = [];
  const registration = listeners.on("kept", (number) => kept.push(number));
  listeners.on("passing", (number) => passing.push(number));
  assert.deepEqual(kept, [], "a listener is not called while it is registered");
  // What comes before the old ones are handed over stays behind them.
  listeners.emit("kept", 3);
  listeners.emit("passing", 3);
  await undefined;
  listeners.emit("kept", 4);
  assert.deepEqual(kept, [0, 1, 2, 3, 4]);
  assert.deepEqual(passing, [3]);
  registration.remove();
  registration.remove();
  listeners.emit("kept", 5);
  assert.equal(kept.length, 5);
});

test("the number of kept events is limited, and the loss is reported once", async () => {
  const listeners = new Listeners(["kept"], [], 1_000);
  const told = [];
  for (let number = 0; number < 3_002; number += 1) told.push(listeners.emit("kept", number));
  assert.ok(told.slice(0, 1_000).every(Boolean));
  assert.equal(told.filter((fine) => !fine).length, 1);
  assert.equal(told[1_000], false);
  const kept = [];
  listeners.on("kept", (number) => kept.push(number));
  await undefined;
  assert.equal(kept.length, 1_000);
  assert.deepEqual([kept[0], kept.at(-1)], [2_002, 3_001]);
});

test("kept events go to the next listener if the first one is removed at once", async () => {
  const listeners = new Listeners(["kept"], []);
  listeners.emit("kept", 1);
  listeners.on("kept", () => assert.fail("it was removed")).remove();
  await undefined;
  const kept = [];
  listeners.on("kept", (number) => kept.push(number));
  await undefined;
  assert.deepEqual(kept, [1]);
});

test("an unknown event and a listener that is not a function are errors", () => {
  const listeners = new Listeners(["kept", "_change"], ["passing"]);
  assert.throws(() => listeners.on("nothing", () => {}), { code: "bad-argument", message: "There is no event 'nothing' here. There are: kept, batch, passing." });
  assert.throws(() => listeners.on("kept", undefined), { code: "bad-argument" });
  assert.equal(listeners.emit("nothing", 1), true);
});

test("listeners that throw, or are added and removed during an event, do not affect others", (context) => {
  const reported = context.mock.fn();
  context.mock.method(console, "error", reported);
  const listeners = new Listeners([], ["passing"]);
  const heard = [];
  listeners.on("passing", () => {
    throw new Error("thrown by a listener");
  });
  const second = listeners.on("passing", () => heard.push("second"));
  listeners.on("passing", () => {
    heard.push("third");
    third.remove();
    listeners.on("passing", () => heard.push("late"));
  });
  const third = listeners.on("passing", () => heard.push("removed meanwhile"));
  listeners.emit("passing", 1);
  assert.deepEqual(heard, ["second", "third"]);
  second.remove();
  listeners.emit("passing", 2);
  assert.deepEqual(heard, ["second", "third", "third", "late"]);
  assert.equal(reported.mock.callCount(), 2);
});

test("a registration is disposable if the platform supports it", () => {
  const listeners = new Listeners([], ["passing"]);
  const registration = listeners.on("passing", () => assert.fail("disposed of"));
  if (!Symbol.dispose) return;
  registration[Symbol.dispose]();
  listeners.emit("passing", 1);
});
