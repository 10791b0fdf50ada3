// What the page's main thread spends on what arrives, for epode, strophe.js and xmpp.js over WebSocket, and for the first two over BOSH
// (xmpp.js has none): a burst of 2,000 messages and 500 pubsub items in a page that has done nothing yet, and the script of one message
// with 10 and with 1,000 handlers in a warm page.
//
// A part of browser.mjs. A script gives all of them the same: over WebSocket one stanza a frame, over BOSH 200 in a response. It offers no
// stream management. Each run has a page of its own; in each round all libraries have their turn, each round another one first. A ratio is
// the median of the ratios of the rounds. Nothing about time is asserted; that all of it arrived is.

import assert from "node:assert/strict";
import { WebSocketServer } from "ws";
import { at, PKG } from "../scripts/lib/project.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";
import { Script, item, message, service } from "./script.mjs";

const BATCH = 200;
const BURST = 2_000;
const ITEMS = 500;
const TRANSPORTS = { WebSocket: ["epode", "strophe", "xmppjs"], BOSH: ["epode", "strophe"] };
/** Each `{ work, stanzas(size), metric }`: what is done, how many stanzas it is, which of the browser's counters is read. */
const MEASURES = [
  { label: "burst of 2,000 messages, main thread, ms", metric: "TaskDuration", scale: 1e3, write: message, count: () => BURST, listen: (count) => ["listen", 1, 1, count] },
  { label: "500 pubsub items, main thread, ms", metric: "TaskDuration", scale: 1e3, write: item(1), count: () => ITEMS, listen: (count) => ["items", count] },
  ...[10, 1_000].map((handlers) => ({
    label: `script per message, ${handlers.toLocaleString("en-GB")} handlers, µs`,
    metric: "ScriptDuration",
    write: message,
    isWarm: true,
    count: ({ stanzas }) => stanzas,
    listen: (count, warm) => ["listen", handlers, warm, warm + count],
  })),
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** A server that says the same to all over WebSocket: a login without an account, then, when told to, so many stanzas. */
class SocketScript {
  #socket;
  #sent = 0;

  constructor({ write, reply }) {
    Object.assign(this, { write, reply });
    this.server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "xmpp" });
    this.server.on("connection", (socket) => {
      this.#socket = socket;
      let isLoggedIn = false;
      socket.on("message", (data) => {
        const text = String(data);
        if (text.includes("<auth")) isLoggedIn = true;
        for (const frame of this.#answer(text, isLoggedIn)) socket.send(frame);
      });
    });
  }

  get url() {
    return `ws://127.0.0.1:${this.server.address().port}/`;
  }

  #answer(text, isLoggedIn) {
    if (text.includes("<open")) {
      const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
      const mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
      return [
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s' version='1.0'/>",
        `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${isLoggedIn ? bind : mechanisms}</stream:features>`,
      ];
    }
    if (text.includes("<auth")) return ["<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"];
    if (text.includes("<close")) return ["<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"];
    if (!text.startsWith("<iq")) return [];
    const id = /\sid=['"]([^'"]+)/.exec(text)[1];
    const jid = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/b</jid></bind>";
    if (text.includes("urn:ietf:params:xml:ns:xmpp-bind")) return [`<iq xmlns='jabber:client' type='result' id='${id}'>${jid}</iq>`];
    return [this.reply(text)];
  }

  say(count) {
    for (let index = 0; index < count; index += 1) this.#socket.send(this.write(this.#sent++));
  }

  stop() {
    for (const socket of this.server.clients) socket.terminate();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** One run in a page of its own: what the counter says of the work, in milliseconds, or in microseconds for each stanza. */
async function once(browser, transport, library, measure, size) {
  const { write, metric, isWarm, listen } = measure;
  const script = transport === "BOSH" ? new Script(BATCH, { write, reply: service }) : new SocketScript({ write, reply: service });
  const origin = await startOrigin({
    roots: { "/epode": PKG, "/strophe": at("node_modules/strophe.js/dist"), "/xmppjs": at("node_modules/@xmpp/client/dist"), "/bench": at("benches") },
    before: (request, response) => script.before?.(request, response) ?? false,
  });
  const page = await browser.newPage();
  try {
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.goto(`${origin.url}/bench/page.html`);
    await page.waitForFunction(() => window.bench);
    await page.evaluate(([library, address]) => bench[library].loginAnonymously(address, "example.org"), [library, script.url ?? "/script"]);
    const count = measure.count(size);
    const warm = isWarm ? count / 4 : 0;
    await page.evaluate(([library, [method, ...args]]) => bench[library][method](...args), [library, listen(count, warm)]);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    const spent = async () => (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === metric).value;
    if (isWarm) {
      script.say(warm);
      await page.evaluate((library) => bench[library].warm, library);
    }
    const before = await spent();
    script.say(count);
    const bytes = await page.evaluate((library) => bench[library].done, library);
    assert.ok(bytes > count * 100, `${bytes} bytes`);
    return ((await spent()) - before) * (measure.scale ?? 1e6 / count);
  } finally {
    await page.close();
    await origin.stop();
    await script.stop?.();
  }
}

/** All of it: rows `{ transport, label, values: { epode, … }, ratios: { strophe, … } }`. */
export async function measureScripted(browser, size) {
  const rows = [];
  for (const [transport, libraries] of Object.entries(TRANSPORTS)) {
    for (const measure of MEASURES) {
      const runs = [];
      for (let round = 0; round < size.rounds; round += 1) {
        const run = {};
        for (let turn = 0; turn < libraries.length; turn += 1) {
          const library = libraries[(round + turn) % libraries.length];
          run[library] = await once(browser, transport, library, measure, size);
        }
        runs.push(run);
      }
      const values = Object.fromEntries(libraries.map((library) => [library, median(runs.map((run) => run[library]))]));
      const others = libraries.filter((library) => library !== "epode");
      const ratios = Object.fromEntries(others.map((library) => [library, median(runs.map((run) => run.epode / run[library]))]));
      rows.push({ transport, label: measure.label, values, ratios });
    }
  }
  return rows;
}

export function printScripted(rows) {
  const cell = (text) => text.padStart(10);
  console.log(`\n${"scripted".padEnd(53)}${["epode", "Strophe", "xmpp.js", "/ Strophe", "/ xmpp.js"].map(cell).join("")}`);
  for (const { transport, label, values, ratios } of rows) {
    const shown = (value, digits) => cell(value === undefined ? "–" : value.toFixed(digits));
    const figures = [values.epode, values.strophe, values.xmppjs].map((value) => shown(value, 1));
    console.log(`${`${transport}, ${label}`.padEnd(53)}${figures.join("")}${[ratios.strophe, ratios.xmppjs].map((value) => shown(value, 2)).join("")}`);
  }
}
