// epode beside strophe.js 5.0.0 and @xmpp/client 0.14.0 (xmpp.js): the same work, in the same Chromium, against the same server, in turns.
//
//   npm run bench [-- --server prosody|ejabberd|none] [--reduced]
//
// First what needs no server (scripted.mjs): bursts, pubsub items, the script of a stanza, over both transports. `none`: nothing else.
//
// Printed: requests and time for a login, time for a message to oneself, and the main thread's CPU time for an incoming
// stanza with 10 and with 1,000 handlers, where a script gives both the same answers (script.mjs); then logins over WebSocket, and
// what their keys cost (login.mjs). Times are of this machine and this minute; the ratios are what counts. Nothing about time is
// asserted; that the work was done is.

import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { at, PKG } from "../scripts/lib/project.mjs";
import { startEjabberd } from "../tests/servers/ejabberd.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";
import { startProsody } from "../tests/servers/prosody.mjs";
import { measureLogins, printLogins } from "./login.mjs";
import { Script } from "./script.mjs";
import { measureScripted, printScripted } from "./scripted.mjs";

const LIBRARIES = ["epode", "strophe"];
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
/** Messages in one answer: many, so that what an answer costs the browser itself hardly counts (about 2 ms for either library). */
const BATCH = 200;
const FULL = { logins: 7, sockets: 15, messages: 40, stanzas: 4_000, rounds: 9 };
const REDUCED = { logins: 3, sockets: 3, messages: 8, stanzas: 400, rounds: 1 };

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const launch = () => chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** One server, all measurements: `{ epode: { login, … }, strophe: { … } }`. */
export async function bench(start, size) {
  const server = await start();
  let script;
  const origin = await startOrigin({
    roots: { "/epode": PKG, "/strophe": at("node_modules/strophe.js/dist"), "/xmppjs": at("node_modules/@xmpp/client/dist"), "/bench": at("benches") },
    bosh: server.bosh,
    before: (request, response) => script?.before(request, response) ?? false,
  });
  const browser = await launch();
  try {
    const password = "bench secret";
    await server.register("alice", password);
    const jid = `alice@${server.domain}`;
    const result = { epode: {}, strophe: {} };
    for (const library of LIBRARIES) {
      // Warm up what a second login would find warm: the connections to the server, the server's own caches.
      await withPage(browser, origin, (page) => loginOnce(page, library, jid, password));
    }
    const logins = { epode: [], strophe: [] };
    for (let round = 0; round < size.logins; round++) {
      for (const library of LIBRARIES) {
        const login = await withPage(browser, origin, (page) => loginOnce(page, library, jid, password));
        logins[library].push(login.time);
        result[library].requests = login.requests;
      }
    }
    for (const library of LIBRARIES) {
      result[library].login = median(logins[library]);
      result[library].message = await withPage(browser, origin, (page) => roundTrips(page, library, jid, password, size));
      for (const handlers of [10, 1_000]) {
        script = new Script(BATCH);
        result[library][`stanza${handlers}`] = await withPage(browser, origin, (page) => incoming(page, library, { handlers, size, script }));
      }
    }
    return result;
  } finally {
    await browser.close();
    await origin.stop();
    await server.stop();
  }
}

async function withPage(browser, origin, body) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  try {
    await page.goto(`${origin.url}/bench/page.html`);
    await page.waitForFunction(() => window.bench);
    return await body(page);
  } finally {
    await page.close();
  }
}

async function loginOnce(page, library, jid, password) {
  const login = await page.evaluate(([library, ...args]) => bench[library].login("/http-bind", ...args), [library, jid, password]);
  await page.evaluate((library) => bench[library].logout(), library);
  return login;
}

async function roundTrips(page, library, jid, password, { messages }) {
  const times = await page.evaluate(
    async ([library, jid, password, messages]) => {
      const tested = bench[library];
      await tested.login("/http-bind", jid, password);
      const times = [];
      for (let index = 0; index < messages; index++) {
        times.push(await tested.roundTrip(`round ${index}`));
        // People do not send at the very moment an answer comes: let the connection settle into its poll.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await tested.logout();
      return times;
    },
    [library, jid, password, messages],
  );
  assert.equal(times.length, messages);
  return median(times);
}

/** CPU time of the page's main thread for one incoming message, in microseconds: the same answers for both. */
async function incoming(page, library, { handlers, size, script }) {
  await page.evaluate((library) => bench[library].loginAnonymously("/script", "example.org"), library);
  const warm = size.stanzas / 4;
  await page.evaluate(
    ([library, handlers, warm, all]) => {
      bench[library].listen(handlers, warm, all);
    },
    [library, handlers, warm, warm + size.stanzas],
  );
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value;
  };
  // A quarter first, unmeasured, so that both are compiled and warm.
  script.say(warm);
  await page.evaluate((library) => bench[library].warm, library);
  const before = await busy();
  script.say(size.stanzas);
  const bytes = await page.evaluate((library) => bench[library].done, library);
  const spent = (await busy()) - before;
  assert.ok(bytes > 0);
  return (spent * 1e6) / size.stanzas;
}

const ROWS = [
  ["HTTP requests for a SCRAM login", "requests", (value) => String(value)],
  ["login, ms", "login", (value) => value.toFixed(1)],
  ["message to oneself, ms", "message", (value) => value.toFixed(1)],
  ["main thread per stanza, 10 handlers, µs", "stanza10", (value) => value.toFixed(0)],
  ["main thread per stanza, 1,000 handlers, µs", "stanza1000", (value) => value.toFixed(0)],
];

export function print(name, { epode, strophe }) {
  console.log(`\n${name}, BOSH${" ".repeat(38 - name.length)}epode   Strophe     ratio`);
  for (const [label, key, format] of ROWS) {
    const ratio = (epode[key] / strophe[key]).toFixed(2);
    console.log(`${label.padEnd(43)}${format(epode[key]).padStart(7)}${format(strophe[key]).padStart(10)}${ratio.padStart(10)}`);
  }
}

const { values } = parseArgs({ options: { server: { type: "string" }, reduced: { type: "boolean" } } });
const servers = { prosody: startProsody, ejabberd: startEjabberd };
const chosen = values.server === "none" ? [] : values.server ? [values.server] : Object.keys(servers);
const size = values.reduced ? REDUCED : FULL;
const browser = await launch();
try {
  printScripted(await measureScripted(browser, size));
  for (const name of chosen) {
    if (!servers[name]) throw new Error(`--server is one of ${Object.keys(servers).join(", ")}, none`);
    print(name, await bench(servers[name], size));
    printLogins(name, await measureLogins(browser, servers[name], size.sockets));
  }
} finally {
  await browser.close();
}
