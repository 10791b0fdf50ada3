// How soon `send()` settles on an idle connection, beside the time of a round trip; and what stream management costs.
//
//   npm run bench:delivery [-- --server prosody|ejabberd] [--reduced]
//
// Times are of this machine and this minute; the ratios are what counts. Nothing about time is asserted; that all was delivered
// is, by each `send()` that resolved.

import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { PKG, at } from "../scripts/lib/project.mjs";
import { startEjabberd } from "../tests/servers/ejabberd.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";
import { startProsody } from "../tests/servers/prosody.mjs";

const FULL = { messages: 60, crowd: 2_000, rounds: 5 };
const REDUCED = { messages: 10, crowd: 200, rounds: 2 };

/** In the page: sends one message at a time, each on a connection that has gone quiet. */
async function settle([service, jid, bob, password, messages]) {
  const { Client, init, xml } = await import("/epode/index.js");
  await init();
  const client = new Client(service, { jid, password });
  await client.connect();
  // Somebody who listens and says nothing.
  const other = new Client(service, { jid: bob, password });
  await other.connect();
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
  const timed = async (act) => {
    await pause(300);
    const start = performance.now();
    await act();
    return performance.now() - start;
  };
  // To somebody else, or to ourselves, so that the message comes back while its own arrival is not known yet.
  const away = { settled: [], crossed: [], round: [] };
  for (let index = 0; index < messages; index += 1) {
    away.round.push(await timed(() => client.request(xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`)));
    away.settled.push(await timed(() => client.send(xml`<message to="${other.jid}" type="chat"><body>${index}</body></message>`)));
    away.crossed.push(await timed(() => client.send(xml`<message to="${client.jid}" type="chat"><body>${index}</body></message>`)));
  }
  await client.disconnect();
  await other.disconnect();
  return away;
}

/** In the page: many messages in one turn, until all are there again; with stream management, and without. */
async function crowd([service, jid, password, count, streamManagement]) {
  const { Client, init, xml } = await import("/epode/index.js");
  await init();
  const client = new Client(service, { jid, password, streamManagement });
  await client.connect();
  let seen = 0;
  const all = new Promise((resolve) => {
    client.addHandler(() => (seen += 1) === count && resolve(), { name: "message", type: "chat" });
  });
  const start = performance.now();
  const sent = [];
  for (let index = 0; index < count; index += 1) {
    sent.push(client.send(xml`<message to="${client.jid}" type="chat"><body>${index}</body></message>`));
  }
  const said = performance.now() - start;
  await all;
  const heard = performance.now() - start;
  await Promise.all(sent);
  await client.disconnect();
  return { said, heard };
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];
const ms = (value) => value.toFixed(1).padStart(8);

async function measure(name, start, size) {
  const server = await start();
  const origin = await startOrigin({ roots: { "/epode": PKG, "/": at("benches") }, bosh: server.bosh, ws: server.ws });
  const browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const password = "bench secret";
    await server.register("alice", password);
    await server.register("bob", password);
    const [jid, bob] = [`alice@${server.domain}`, `bob@${server.domain}`];
    const services = { BOSH: "/http-bind", WebSocket: `${origin.url.replace(/^http/, "ws")}/ws` };
    const page = await browser.newPage();
    // Nothing runs there; it is the origin that counts.
    await page.goto(`${origin.url}/blank.html`);
    console.log(`\n${name}: from send() until it is known to have arrived, ms${" ".repeat(6)}median longest  round trip  ratio`);
    for (const [transport, service] of Object.entries(services)) {
      const times = await page.evaluate(settle, [service, jid, bob, password, size.messages]);
      const round = median(times.round);
      for (const [what, values] of [["nothing comes back", times.settled], ["a stanza crosses", times.crossed]]) {
        const line = `  ${transport}, ${what}`.padEnd(56);
        console.log(`${line}${ms(median(values))}${ms(sorted(values).at(-1))}${ms(round)}${(median(values) / round).toFixed(2).padStart(11)}`);
      }
    }
    const times = { with: { said: [], heard: [] }, without: { said: [], heard: [] } };
    for (let round = 0; round < size.rounds; round += 1) {
      for (const [which, on] of [["with", true], ["without", false]]) {
        const one = await page.evaluate(crowd, [services.WebSocket, jid, password, size.crowd, on]);
        times[which].said.push(one.said);
        times[which].heard.push(one.heard);
      }
    }
    console.log(`${name}: ${size.crowd} messages in one turn, ms${" ".repeat(17)}with SM without   ratio`);
    for (const [what, key] of [["send() called so often", "said"], ["all heard again", "heard"]]) {
      const [on, off] = [median(times.with[key]), median(times.without[key])];
      console.log(`  ${what}`.padEnd(48) + ms(on) + ms(off) + (on / off).toFixed(2).padStart(8));
    }
  } finally {
    await browser.close();
    await origin.stop();
    await server.stop();
  }
}

const { values } = parseArgs({ options: { server: { type: "string" }, reduced: { type: "boolean" } } });
const servers = { prosody: startProsody, ejabberd: startEjabberd };
for (const name of values.server ? [values.server] : Object.keys(servers)) {
  if (!servers[name]) throw new Error(`--server is one of ${Object.keys(servers).join(", ")}`);
  await measure(name, servers[name], values.reduced ? REDUCED : FULL);
}
