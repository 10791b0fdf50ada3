// A connection that is not offline keeps its client, feeds, rooms and handlers, whether or not the page refers to them. Once it is
// offline nothing keeps them: what the page does not refer to is collected.
//
// The full numbers: 10,000 clients that are made and dropped, 1,000 over each transport that are connected, disconnected and
// dropped. EPODE_LIFETIME=0.1 takes a tenth of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { WebSocket } from "ws";
import * as lifetime from "./pages/lifetime.js";
import { environment } from "./support.mjs";

v8.setFlagsFromString("--expose-gc");
const gc = vm.runInNewContext("gc");

const env = environment({ flags: ["--js-flags=--expose-gc"] });

const SHARE = Number(process.env.EPODE_LIFETIME ?? 1);
const MADE = Math.ceil(5_000 * SHARE);
const CONNECTED = Math.ceil(1_000 * SHARE);
/** Memory grows by pages of 64 KiB, and how many clients are there at a time is not always the same. */
const PAGES = 4 * 65_536;
const FAILED = Math.ceil(40 * SHARE);

/** A page in which the memory is watched before the module is loaded. */
async function page() {
  const page = await env.page();
  await page.evaluate(async () => {
    window.lifetime = await import("/lifetime.js");
    window.memory = lifetime.watchMemory();
  });
  return page;
}

let nodePackage;
let nodeMemory;

/** The package in Node, with its memory. */
async function inNode() {
  nodeMemory ??= lifetime.watchMemory();
  nodePackage ??= await env.node();
  return nodePackage;
}

const SERVICES = { bosh: () => env.server.bosh, ws: () => env.server.ws };

/** A browser has six connections to an origin, of which a client takes up to two. */
const KEPT = [["nothing", "client"], ["feed", "room"], ["registration"]];

async function guests(over, keep) {
  const accounts = await env.accounts(keep.length + 1);
  const other = accounts.pop();
  return { keep, accounts, other, node: env.name("alone"), room: `alone-${env.name(over)}@${env.names.conference}` };
}

for (const over of ["bosh", "ws"]) {
  test(`an unreferenced client continues to receive, over ${over}, in Chromium`, async () => {
    const service = over === "ws" ? `${env.origin.url.replace(/^http/, "ws")}/ws` : "/http-bind";
    for (const keep of KEPT) {
      const tab = await page();
      const heard = await tab.evaluate((options) => lifetime.leftAlone(epode, gc, options), { service, ...(await guests(over, keep)) });
      assert.ok(heard >= keep.length * 12, `${heard} heard`);
      await tab.close();
    }
  });

  test(`an unreferenced client continues to receive, over ${over}, in Node`, async () => {
    const epode = await inNode();
    const heard = await lifetime.leftAlone(epode, gc, { service: SERVICES[over](), options: { WebSocket }, ...(await guests(over, KEPT.flat())) });
    assert.ok(heard >= 60, `${heard} heard`);
  });

  test(`while it connects, waits to reconnect and disconnects, over ${over}`, async () => {
    const tab = await page();
    const inChromium = await tab.evaluate((over) => lifetime.leftAloneInBetween(epode, gc, over), over);
    // The one that is online is kept, the one that has left is not.
    const expected = { online: 1, offline: 0 };
    assert.deepEqual(inChromium, expected);
    assert.deepEqual(await lifetime.leftAloneInBetween(await inNode(), gc, over), expected);
  });

  test(`${CONNECTED} clients that were connected over ${over} are collected, and the memory stays flat`, async () => {
    const tab = await page();
    const inChromium = await tab.evaluate(([count, over]) => lifetime.connectedAndDropped(epode, gc, memory, count, over), [CONNECTED, over]);
    const inNodes = await lifetime.connectedAndDropped(await inNode(), gc, nodeMemory, CONNECTED / 5, over);
    for (const { left, first, last, sessions } of [inChromium, inNodes]) {
      assert.deepEqual(left, { client: 0, pubsub: 0, muc: 0 });
      assert.ok(last - first <= PAGES, `the module's memory: ${first}, ${last} bytes`);
      assert.ok(sessions >= CONNECTED / 5, `${sessions} sessions`);
    }
  });
}

test(`${2 * MADE} clients that never connected are collected, and the memory stays flat`, async () => {
  const tab = await page();
  const inChromium = await tab.evaluate((count) => lifetime.madeAndDropped(epode, gc, memory, count), MADE);
  const inNodes = await lifetime.madeAndDropped(await inNode(), gc, nodeMemory, MADE / 5);
  for (const { left, first, last } of [inChromium, inNodes]) {
    assert.deepEqual(left, { client: 0 });
    assert.ok(last - first <= PAGES, `the module's memory: ${first}, ${last} bytes`);
  }
});

test("clients created before the module was loaded are collected, with their handlers", async () => {
  const tab = await page();
  const left = await tab.evaluate((count) => lifetime.madeEarlyAndDropped(epode, gc, count), 2 * MADE);
  assert.deepEqual(left, { client: 0 });
});

test("clients whose connecting failed or was aborted are collected", async () => {
  const tab = await page();
  const results = [
    await tab.evaluate((count) => lifetime.failedAndDropped(epode, gc, count), FAILED),
    await lifetime.failedAndDropped(await inNode(), gc, FAILED),
  ];
  for (const { left, outcomes } of results) {
    assert.deepEqual(left, { client: 0 });
    assert.deepEqual(Object.keys(outcomes).sort(), ["aborted", "disconnected", "freed", "unreachable"]);
  }
});

test("feeds and rooms that have ended are collected, with a client that is online, and with one that is offline", async () => {
  const tab = await page();
  const [account] = await env.accounts(1);
  const ids = { node: env.name("ended"), room: `ended-${env.name()}@${env.names.conference}` };
  const left = await tab.evaluate(([account, ids]) => lifetime.endedAndDropped(epode, gc, BOSH, account, ids), [account, ids]);
  assert.deepEqual(left, { online: { feed: 0, room: 0 }, offline: { feed: 0, room: 0, client: 0 } });
});
