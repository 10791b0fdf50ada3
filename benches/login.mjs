// Logins over WebSocket beside strophe.js, and what the keys of SCRAM-SHA-1 cost the page's main thread: derived by the platform
// (`crypto.subtle`), in Rust where there is none, and not at all at the next login of the same client.
//
// A part of browser.mjs. The servers store hashed passwords, so that an account's salt stays the same. Times are of this machine and
// this minute; the ratios are what counts. Asserted is only how often keys are derived.

import assert from "node:assert/strict";
import { at, PKG } from "../scripts/lib/project.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";

// A page of its own process has a clock of 5 µs instead of 100.
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** How many logins follow the first one of a page. */
const OTHERS = 5;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * Runs in the page before everything else. `busy.spent` is how long its main thread worked between a challenge and the response, in
 * milliseconds; `busy.derived` how many keys the platform was asked for.
 */
function instrument(without) {
  const busy = { spent: 0, derived: 0 };
  window.busy = busy;
  let counts = false;
  let depth = 0;
  let since = 0;
  const timed = (work) =>
    function (...args) {
      if (depth++ === 0) since = performance.now();
      try {
        return work.apply(this, args);
      } finally {
        if (--depth === 0 && counts) busy.spent += performance.now() - since;
      }
    };
  const socket = WebSocket.prototype;
  const { set, get } = Object.getOwnPropertyDescriptor(socket, "onmessage");
  Object.defineProperty(socket, "onmessage", {
    get,
    set(listener) {
      const heard = timed(listener);
      set.call(this, (event) => {
        if (event.data.startsWith("<challenge")) {
          counts = true;
          busy.spent = 0;
        }
        heard.call(this, event);
      });
    },
  });
  const { send } = socket;
  socket.send = function (text) {
    if (counts && text.startsWith("<response")) {
      counts = false;
      if (depth > 0) busy.spent += performance.now() - since;
    }
    send.call(this, text);
  };
  const { queueMicrotask: queue } = window;
  window.queueMicrotask = (work) => queue(timed(work));
  const { then } = Promise.prototype;
  Promise.prototype.then = function (...work) {
    return then.apply(this, work.map((one) => (typeof one === "function" ? timed(one) : one)));
  };
  if (without) {
    Object.defineProperty(crypto, "subtle", { value: undefined });
  } else {
    const derive = SubtleCrypto.prototype.deriveBits;
    SubtleCrypto.prototype.deriveBits = function (...args) {
      busy.derived += 1;
      return derive.apply(this, args);
    };
  }
}

async function withPage(browser, origin, without, body) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  try {
    if (without !== undefined) await page.addInitScript(instrument, without);
    await page.goto(`${origin.url}/bench/page.html`);
    await page.waitForFunction(() => window.bench);
    return await body(page);
  } finally {
    await page.close();
  }
}

/**
 * Logins of one page, with a client each: the first one, at which the browser compiles the code, and the median of those that
 * follow, in milliseconds.
 */
const times = (page, library, ...account) =>
  page.evaluate(
    async ([library, others, ...account]) => {
      const times = [];
      for (let login = 0; login <= others; login++) {
        times.push((await bench[library].login(...account)).time);
        await bench[library].logout();
      }
      return times;
    },
    [library, OTHERS, ...account],
  );

/** What such logins cost the main thread, and how often keys were derived; last comes a second login of the last client. */
const costs = (page, ...account) =>
  page.evaluate(
    async ([others, ...account]) => {
      const { epode } = bench;
      const spent = [];
      for (let login = 0; login <= others; login++) {
        if (login > 0) await epode.logout();
        await epode.login(...account);
        spent.push(busy.spent);
      }
      const { derived } = busy;
      await epode.client.disconnect();
      const start = performance.now();
      await epode.client.connect();
      const time = performance.now() - start;
      await epode.logout();
      return { spent, next: busy.spent, time, derived: [derived, busy.derived] };
    },
    [OTHERS, ...account],
  );

/** One server, all measurements. */
export async function measureLogins(browser, start, rounds) {
  const server = await start({ authentication: "internal_hashed" });
  const roots = { "/epode": PKG, "/strophe": at("node_modules/strophe.js/dist"), "/bench": at("benches") };
  const origin = await startOrigin({ roots, ws: server.ws, bosh: server.bosh, headers: ISOLATED });
  try {
    const password = "bench secret";
    await server.register("alice", password);
    const account = [`${origin.url.replace(/^http/, "ws")}/ws`, `alice@${server.domain}`, password];
    const took = { epode: { fresh: [], warm: [], next: [] }, strophe: { fresh: [], warm: [] } };
    const spent = { platform: { fresh: [], warm: [], next: [] }, rust: { fresh: [], warm: [], next: [] } };
    for (let round = -1; round < rounds; round++) {
      const counts = round >= 0; // The first warms up what all others find warm.
      for (const library of ["epode", "strophe"]) {
        const [fresh, ...warm] = await withPage(browser, origin, undefined, (page) => times(page, library, ...account));
        if (!counts) continue;
        took[library].fresh.push(fresh);
        took[library].warm.push(median(warm));
      }
      for (const [who, without] of [["platform", false], ["rust", true]]) {
        const cost = await withPage(browser, origin, without, (page) => costs(page, ...account));
        const derived = without ? 0 : 1 + OTHERS;
        assert.deepEqual(cost.derived, [derived, derived]);
        if (!counts) continue;
        const [fresh, ...warm] = cost.spent;
        spent[who].fresh.push(fresh);
        spent[who].warm.push(median(warm));
        spent[who].next.push(cost.next);
        if (!without) took.epode.next.push(cost.time);
      }
    }
    const medians = (object) => Object.fromEntries(Object.entries(object).map(([name, values]) => [name, median(values)]));
    return { epode: medians(took.epode), strophe: medians(took.strophe), platform: medians(spent.platform), rust: medians(spent.rust) };
  } finally {
    await origin.stop();
    await server.stop();
  }
}

function row(label, left, right, digits) {
  const cells = [left.toFixed(digits), right.toFixed(digits), (left / right).toFixed(2)];
  console.log(`${label.padEnd(58)}${cells.map((cell, index) => cell.padStart(index ? 10 : 9)).join("")}`);
}

export function printLogins(name, { epode, strophe, platform, rust }) {
  console.log(`\n${`${name}, WebSocket, SCRAM-SHA-1`.padEnd(58)}    epode   Strophe     ratio`);
  row("login of a fresh page, ms", epode.fresh, strophe.fresh, 1);
  row("login of further clients there, ms", epode.warm, strophe.warm, 1);
  row("the same client's next login (Strophe: a further one), ms", epode.next, strophe.warm, 1);
  console.log(`${"main thread from challenge to response".padEnd(58)} platform      Rust     ratio`);
  row("login of a fresh page, ms", platform.fresh, rust.fresh, 2);
  row("login of further clients there, ms", platform.warm, rust.warm, 2);
  row("  of it the keys, ms", platform.warm - platform.next, rust.warm - rust.next, 2);
  row("the same client's next login (no keys), ms", platform.next, rust.next, 2);
}
