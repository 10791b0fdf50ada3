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

/** A login of a fresh page, in milliseconds. */
const time = (page, library, ...account) =>
  page.evaluate(
    async ([library, ...account]) => {
      const { time } = await bench[library].login(...account);
      await bench[library].logout();
      return time;
    },
    [library, ...account],
  );

/** Two logins of one client: what each cost the main thread, how many keys the platform derived. */
const twice = (page, ...account) =>
  page.evaluate(async (account) => {
    const { epode } = bench;
    await epode.login(...account);
    const first = { ...busy };
    await epode.client.disconnect();
    const start = performance.now();
    await epode.client.connect();
    const next = { ...busy, derived: busy.derived - first.derived, time: performance.now() - start };
    await epode.logout();
    return { first, next };
  }, account);

/** One server, all measurements. */
export async function measureLogins(browser, start, rounds) {
  const server = await start({ authentication: "internal_hashed" });
  const roots = { "/epode": PKG, "/strophe": at("node_modules/strophe.js/dist"), "/bench": at("benches") };
  const origin = await startOrigin({ roots, ws: server.ws, bosh: server.bosh, headers: ISOLATED });
  try {
    const password = "bench secret";
    await server.register("alice", password);
    const account = [`${origin.url.replace(/^http/, "ws")}/ws`, `alice@${server.domain}`, password];
    const took = { epode: [], strophe: [], again: [] };
    const spent = { platform: { first: [], next: [] }, rust: { first: [], next: [] } };
    for (let round = -1; round < rounds; round++) {
      for (const library of ["epode", "strophe"]) {
        const login = await withPage(browser, origin, undefined, (page) => time(page, library, ...account));
        // The first of each warms up what all others find warm.
        if (round >= 0) took[library].push(login);
      }
      for (const [who, without] of [["platform", false], ["rust", true]]) {
        const { first, next } = await withPage(browser, origin, without, (page) => twice(page, ...account));
        assert.deepEqual([first.derived, next.derived], [without ? 0 : 1, 0]);
        if (round < 0) continue;
        spent[who].first.push(first.spent);
        spent[who].next.push(next.spent);
        if (!without) took.again.push(next.time);
      }
    }
    const medians = (object) => Object.fromEntries(Object.entries(object).map(([name, values]) => [name, median(values)]));
    return { took: medians(took), platform: medians(spent.platform), rust: medians(spent.rust) };
  } finally {
    await origin.stop();
    await server.stop();
  }
}

function row(label, left, right, digits) {
  const cells = [left.toFixed(digits), right.toFixed(digits), (left / right).toFixed(2)];
  console.log(`${label.padEnd(50)}${cells.map((cell, index) => cell.padStart(index ? 10 : 9)).join("")}`);
}

export function printLogins(name, { took, platform, rust }) {
  console.log(`\n${`${name}, WebSocket, SCRAM-SHA-1`.padEnd(50)}    epode   Strophe     ratio`);
  row("login, ms", took.epode, took.strophe, 1);
  row("the same client's next login, beside a first, ms", took.again, took.strophe, 1);
  console.log(`${"main thread from challenge to response".padEnd(50)} platform      Rust     ratio`);
  row("first login, ms", platform.first, rust.first, 2);
  row("of it the keys, ms", platform.first - platform.next, rust.first - rust.next, 2);
  row("next login, which derives nothing, ms", platform.next, rust.next, 2);
}
