// How much a login takes: requests or frames, and round trips, from the open socket or the first request until bound. Printed
// per server, transport and mechanism; asserted where the server leaves no choice.
//
// Round trips are counted by what depends on what: whatever leaves after an answer is one deeper than that answer. Answers
// are held back for a while, as a real network would, so that what can leave before them does.

import assert from "node:assert/strict";
import fs from "node:fs";
import { after, test } from "node:test";
import { newerProsody, startProsody } from "../servers/prosody.mjs";
import { SERVER, environment } from "./support.mjs";

const env = environment();
const others = [];
after(() => Promise.all(others.map((server) => server.stop())));

/** A further server, with an account. */
async function start(options) {
  const server = await startProsody(options);
  others.push(server);
  const password = "pencil";
  return { bosh: server.bosh, ws: server.ws, account: { jid: await server.register("romeo", password), password } };
}

/** Runs in the page: counts what leaves and how deep it is. `counted(client, act)` gives what it took until the next "online". */
function instrument() {
  const LATENCY = 60;
  /** What this login took so far; what still comes of an earlier one counts for that. */
  let log = {};
  const send = (text) => {
    const mechanism = /<auth[^>]* mechanism='([^']*)'/.exec(text)?.[1];
    if (mechanism) log.mechanism = (/<authenticate/.test(text) ? "SASL2 " : "") + mechanism;
    log.messages += 1;
    return { of: log, depth: log.trips + 1 };
  };
  const receive = async ({ of, depth }) => {
    await new Promise((resolve) => setTimeout(resolve, LATENCY));
    of.trips = Math.max(of.trips, depth);
  };
  const fetchIt = window.fetch;
  window.fetch = async (address, init) => {
    if (!init?.body) return fetchIt(address, init);
    const sent = send(init.body);
    const answer = await fetchIt(address, init);
    await receive(sent);
    return answer;
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    #sent;
    constructor(...args) {
      super(...args);
      window.cut = () => this.close();
    }
    send(text) {
      this.#sent = send(text);
      super.send(text);
    }
    set onmessage(listener) {
      super.onmessage = async (event) => {
        await receive(this.#sent);
        listener.call(this, event);
      };
    }
  };
  window.counted = (client, act) => {
    const of = { mechanism: "", messages: 0, trips: 0 };
    const { promise, resolve } = Promise.withResolvers();
    const registration = client.on("status", ({ status, resumed }) => {
      if (status !== "online") return;
      registration.remove();
      resolve({ ...of, resumed });
    });
    log = of;
    act();
    return promise;
  };
}

/** Logs in twice with one client, and once with another that has its memory; gives what each login took. */
async function logins(service, account) {
  const page = await env.page();
  await page.evaluate(instrument);
  return page.evaluate(
    async ({ service, account }) => {
      let kept;
      let asked = 0;
      const memory = { get: () => kept, set: (value) => (kept = value) };
      const all = [];
      const once = async (client) => {
        let connected;
        asked = 0;
        const took = await counted(client, () => (connected = client.connect()));
        await connected;
        all.push({ ...took, asked });
        // What is bound early holds: a stream that the server has not read from its beginning ends with the second stanza.
        for (const id of ["1", "2", "3"]) await client.send(epode.xml`<message to="${client.jid}" id="${id}"/>`);
        await client.disconnect();
      };
      const client = new epode.Client(service, { ...account, memory, reconnect: false });
      await once(client);
      await once(client);
      // A function's password comes a turn later than a string.
      const password = account.password && { password: () => ((asked += 1), account.password) };
      await once(new epode.Client(service, { ...account, ...password, memory, reconnect: false }));
      return all;
    },
    { service, account },
  );
}

/** Logs in over a WebSocket, cuts it, and gives what it took until the session went on. */
async function resumption(service, account) {
  const page = await env.page();
  await page.evaluate(instrument);
  return page.evaluate(
    async ({ service, account }) => {
      const client = new epode.Client(service, { ...account, reconnect: { least: 1, most: 1 } });
      await client.connect();
      // When it is answered, stream management is agreed on.
      await client.send(epode.xml`<message to="${client.jid}"/>`);
      const took = await counted(client, () => cut());
      await client.disconnect();
      return took;
    },
    { service, account },
  );
}

const rows = [];
after(() => {
  const width = (column) => Math.max(...rows.map((row) => String(row[column]).length));
  const widths = [0, 1, 2, 3, 4].map(width);
  for (const row of rows) console.log(`logins: ${row.map((value, column) => String(value).padEnd(widths[column])).join("  ").trimEnd()}`);
});

function note(server, transport, all) {
  const what = transport === "BOSH" ? "requests" : "frames";
  all.forEach(({ mechanism, messages, trips }, index) => {
    const when = ["the first", "the next", "another client with its memory"][index];
    rows.push([server, transport, mechanism, `${messages} ${what}, ${trips} round trip${trips === 1 ? "" : "s"}`, when]);
  });
}

function noteResumption(server, { mechanism, messages, trips }) {
  rows.push([server, "WebSocket", mechanism, `${messages} frames, ${trips} round trip${trips === 1 ? "" : "s"}`, "resumed"]);
}

const counts = (all) => all.map(({ messages, trips }) => [messages, trips]);
const SCRAM = SERVER === "prosody" ? "SCRAM-SHA-256" : "SCRAM-SHA-512";

test("SCRAM over WebSocket: 3 round trips at ejabberd, 2 when the mechanism is known; one more at Prosody", async () => {
  const all = await logins(env.server.ws, await env.account());
  note(SERVER, "WebSocket", all);
  // Prosody joins frames that arrive together: the new stream has to wait until it is wanted.
  const more = SERVER === "prosody" ? 1 : 0;
  assert.deepEqual(counts(all), [
    [5, 3 + more],
    [5, 2 + more],
    [5, 2 + more],
  ]);
  assert.deepEqual([...new Set(all.map(({ mechanism }) => mechanism))], [SCRAM]);
});

test("ANONYMOUS over WebSocket", async () => {
  const all = await logins(env.server.ws, { domain: env.server.anonymousDomain, anonymous: true });
  note(SERVER, "WebSocket", all);
  assert.deepEqual(counts(all), [
    [4, 3],
    [4, 2],
    [4, 2],
  ]);
});

test("SCRAM over BOSH: 3 requests and 2 round trips at Prosody, 5 and 4 at ejabberd", async () => {
  const all = await logins(env.server.bosh, await env.account());
  note(SERVER, "BOSH", all);
  const [first, ...later] = counts(all);
  assert.deepEqual(first, SERVER === "prosody" ? [4, 4] : [5, 5]);
  for (const next of later) assert.deepEqual(next, SERVER === "prosody" ? [3, 2] : [5, 4]);
});

test("ANONYMOUS over BOSH", async () => {
  const all = await logins(env.server.bosh, { domain: env.server.anonymousDomain, anonymous: true });
  note(SERVER, "BOSH", all);
  for (const [messages] of counts(all)) assert.ok(messages <= 5);
});

test("an interrupted session is resumed after 2 round trips at ejabberd, 3 at Prosody", async () => {
  const took = await resumption(env.server.ws, await env.account());
  noteResumption(SERVER, took);
  assert.deepEqual([took.trips, took.resumed], [SERVER === "prosody" ? 3 : 2, true]);
});

// Not in Prosody itself: Debian's package prosody-modules.
const modules = fs.existsSync("/usr/lib/prosody/modules/mod_sasl2");
const withoutModules = SERVER !== "prosody" || (!modules && "no prosody-modules here");

test("SASL2 with Bind 2 at Prosody 0.12: 2 round trips", { skip: withoutModules }, async () => {
  const { ws, bosh, account } = await start({ sasl2: true });
  const framed = await logins(ws, account);
  note("prosody with SASL2", "WebSocket", framed);
  assert.deepEqual(counts(framed), [
    [3, 3],
    [3, 2],
    [3, 2],
  ]);
  const wrapped = await logins(bosh, account);
  note("prosody with SASL2", "BOSH", wrapped);
  // Its SASL2 does not work over BOSH.
  assert.deepEqual(counts(wrapped), [
    [4, 4],
    [3, 2],
    [3, 2],
  ]);
  assert.deepEqual([...new Set(framed.map(({ mechanism }) => mechanism))], ["SASL2 SCRAM-SHA-256"]);
});

const prefix = newerProsody();
const skip = SERVER !== "prosody" || (!prefix && "no Prosody 13: EPODE_PROSODY_PREFIX names the folder of an unpacked one");

test("FAST at Prosody 13: 1 round trip, and the password is not requested", { skip }, async () => {
  const { ws, bosh, account } = await start({ sasl2: true, prefix });
  for (const [transport, service] of [
    ["WebSocket", ws],
    ["BOSH", bosh],
  ]) {
    const all = await logins(service, account);
    note("prosody 13", transport, all);
    assert.deepEqual(counts(all), [
      [3, 3],
      transport === "BOSH" ? [1, 1] : [2, 1],
      transport === "BOSH" ? [1, 1] : [2, 1],
    ]);
    assert.deepEqual(
      all.map(({ mechanism }) => mechanism),
      ["SASL2 SCRAM-SHA-256", "SASL2 HT-SHA-256-NONE", "SASL2 HT-SHA-256-NONE"],
    );
    assert.equal(all.at(-1).asked, 0);
  }
  const took = await resumption(ws, account);
  noteResumption("prosody 13", took);
  assert.deepEqual([took.trips, took.resumed], [1, true]);
});
