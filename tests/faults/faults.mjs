// Real faults: numbered messages both ways between a page and a partner, each server and each transport, while the network
// between the page and the server breaks at every place it can.
//
//   npm run faults [-- --server prosody|ejabberd] [--transport bosh|ws] [--seed N] [--messages N] [--faults N] [--log]
//
// Two runs each. "network": the network breaks, and the proxy is killed and comes back after 3 s, twice. Every message must
// arrive, once and in order, and each send() must have said so. (But a message in a frame that the network passes on spoilt is
// acknowledged with its session's other stanzas, and not sent again: the page must have had an `error` event for it.) "server": the server is killed as well, twice, and forgets its
// sessions. What did not arrive must have been reported, and nothing arrives twice or out of order.
// The partner is a client in Node, on the server itself. The seed decides what suffers (tests/servers/faults.mjs). All the
// combinations run at once, each with a server of its own.

import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { at, PKG } from "../../scripts/lib/project.mjs";
import { startEjabberd } from "../servers/ejabberd.mjs";
import { draws, startFaults } from "../servers/faults.mjs";
import { sleep } from "../servers/lifecycle.mjs";
import { startOrigin } from "../servers/origin.mjs";
import { startProsody } from "../servers/prosody.mjs";
import { Endpoint } from "./endpoint.js";
import { complaints, tally } from "./tally.mjs";

const SERVERS = { prosody: startProsody, ejabberd: startEjabberd };
const SERVICES = { bosh: (url) => `${url}/http-bind`, ws: (url) => `${url.replace("http", "ws")}/ws` };
/** How often an exchange suffers, or a frame: of these there are many more, a dozen of them to log in again. */
const CHANCE = { bosh: 0.15, ws: 0.02 };
/** What a server does not survive, and no client can make good. */
const SPARED = {
  // COMPAT(Prosody 0.12): the half of a frame that came before a connection broke stays in its buffer, and what comes on the
  // connection that the session is resumed on is read behind it: `not-well-formed`, and the end of the session. And a request
  // whose connection broke while it was held is forgotten: repeated when a later one is held, it is `item-not-found`. And a
  // request that came before its turn is never answered when its connection breaks meanwhile, nor is any repetition.
  prosody: { up: ["cut inside"], http: ["cut while held", "hung request", "late request"] },
  // COMPAT(ejabberd 23): a connection that breaks while it takes a session over takes it along: the next one to ask for it is
  // told after 15 s that "Session state copying timed out", and nobody hears of the stanzas in it any more. Where that happens
  // nevertheless, a little later, what is missing is the server's, and it is said.
  ejabberd: { resuming: true },
};
/** How many messages may be under way each way. */
const AHEAD = 60;
/** How long nothing may happen, once all is said, before what is missing counts as missing: longer than a poll is held. */
const SILENCE = 75_000;
/** Something that comes twice may come late. */
const LATE = 2000;
/** Nobody should have to wait for half a minute because of bad luck. */
const IMPATIENT = { reconnect: { least: 100, most: 1000 } };
const PASSWORD = "pencil of all weathers";
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

const { values } = parseArgs({
  options: {
    server: { type: "string" },
    transport: { type: "string" },
    seed: { type: "string", default: "1" },
    messages: { type: "string", default: "2000" },
    faults: { type: "string", default: "100" },
    run: { type: "string" },
    package: { type: "string", default: PKG },
    log: { type: "boolean" },
  },
});
const chosen = (all, one, option) => {
  if (one !== undefined && !(one in all)) throw new Error(`${option} is ${Object.keys(all).join(" or ")}`);
  return one === undefined ? Object.keys(all) : [one];
};
const servers = chosen(SERVERS, values.server, "--server");
const transports = chosen(SERVICES, values.transport, "--transport");
const seed = Number(values.seed);
const messages = Number(values.messages);
const leastFaults = Number(values.faults);
/** A short run has fewer disasters, and does not hang for long. */
const whole = messages >= 1000;
const disasters = whole ? 2 : 1;
const longest = whole ? 20_000 : 2000;
const library = await import(new URL("node.js", `file://${values.package}/`));

let unique = 0;

/** Kills the server as a crash would, and starts it again at the same address. */
async function crash(server) {
  await server.kill();
  for (const end = Date.now() + 30_000; ; await sleep(50)) {
    try {
      return await server.start();
    } catch (error) {
      // The kernel takes its time to close what a large process had open.
      if (!/in use/.test(error.message) || Date.now() > end) throw error;
    }
  }
}

/** Everything one conversation needs, from the page to the server. */
async function stage({ name, server, transport, chance, longest }) {
  const log = values.log ? (text) => console.log(`${(performance.now() / 1000).toFixed(2).padStart(8)} ${name}: ${text}`) : undefined;
  const origin = await startOrigin({ roots: { "/epode": values.package, "/": at("tests/faults") }, bosh: server.bosh, ws: server.ws });
  const faults = await startFaults({ upstream: origin.url, seed, chance, longest, log, spared: SPARED[server.name] });
  const [near, far] = [`near${(unique += 1)}`, `far${unique}`];
  await server.register(near, PASSWORD);
  await server.register(far, PASSWORD);
  const partner = new Endpoint(library, server.bosh, { ...IMPATIENT, jid: `${far}@${server.domain}`, password: PASSWORD });
  await partner.start();
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  if (log) page.on("console", (message) => log(`page: ${message.text()}`));
  await page.goto(`${faults.url}/page.html`);
  await page.waitForFunction(() => window.ready);
  await page.evaluate(([service, account]) => open(service, account), [SERVICES[transport](faults.url), { ...IMPATIENT, jid: `${near}@${server.domain}`, password: PASSWORD }]);
  const turn = (count, to) => page.evaluate(([count, to]) => turn(count, to), [count, to]);
  return {
    ...{ faults, page, partner, problems, turn, log, excused: { near: [], far: [] } },
    async close() {
      await partner.end();
      await page.close();
      await faults.stop();
      await origin.stop();
    },
  };
}

/** Both talk until all is said, while `disasters` happen at their time; resolves when nothing more is to be waited for. */
async function converse(scene, { count, least, disasters }) {
  const { faults, partner, turn, log } = scene;
  let number = 0;
  const draw = () => draws(seed, "turn", (number += 1))();
  const many = () => 1 + Math.floor(4 * draw() ** 2);
  const due = [...disasters];
  let happening = Promise.resolve();
  let near = await turn(0);
  // Since when nothing has changed, in milliseconds.
  let [seen, since] = ["", 0];
  const quiet = () => {
    const now = JSON.stringify([near, partner.progress]);
    if (now !== seen) [seen, since] = [now, performance.now()];
    return performance.now() - since;
  };
  while (quiet() < SILENCE) {
    // Fewer faults than wanted, or a disaster still to come? Then there is more to say.
    const short = (faults.total < least || due.length > 0) && near.said < 4 * count;
    if (near.said >= count && partner.said >= count && !short) break;
    const far = partner.progress;
    const wanted = (said) => (said < count || short ? many() : 0);
    // Nobody talks to somebody whose address is not known.
    const toFar = far.address && near.said - near.settled < AHEAD ? wanted(near.said) : 0;
    const toNear = far.address && near.address && far.said - near.distinct < 2 * AHEAD ? wanted(far.said) : 0;
    near = await turn(toFar, far.address);
    if (toNear > 0 && near.address) partner.say(toNear, near.address);
    if (due.length > 0 && near.said >= due[0].after * count) {
      const { act } = due.shift();
      const before = { near, far: partner.progress };
      happening = happening.then(() => act(before));
    }
    await sleep(10 + 60 * draw());
  }
  await happening;
  log?.("all is said");
  since = performance.now();
  for (; quiet() < SILENCE; await sleep(100)) {
    near = await turn(0);
    const settled = near.address && near.settled === near.said && partner.settled === partner.said;
    if (settled && quiet() > LATE && (await verdict(scene)).missing === 0) break;
  }
}

const inTime = (acts) => acts.map((act, index) => ({ after: (index + 1) / (acts.length + 1), act }));

/** The network breaks, the proxy dies and comes back: nothing is missing. */
async function network(options) {
  const scene = await stage(options);
  const { faults, log } = scene;
  const fall = async () => {
    // Not while a request may have come before its turn: see SPARED.
    if (options.transport === "bosh") await faults.calm();
    log?.("the proxy is killed");
    await faults.stop();
    await sleep(3000);
    await faults.start();
    log?.("the proxy is back");
  };
  await converse(scene, { count: messages, least: leastFaults, disasters: inTime(Array(disasters).fill(fall)) });
  const result = await verdict(scene);
  for (const [direction, { said, heard, reported }] of Object.entries(result.both)) {
    const missing = said - heard - reported;
    if (missing > 0 && faults.forgotten === 0) result.found.push(`${direction}: ${missing} did not arrive`);
  }
  if (faults.total < leastFaults) result.found.push(`only ${faults.total} faults`);
  await scene.close();
  return result;
}

/** The server dies, too, and forgets all sessions: nothing is missing in silence. */
async function server(options) {
  const scene = await stage(options);
  const { partner, log } = scene;
  const die = async (before) => {
    log?.("the server is killed");
    await crash(options.server);
    log?.("the server is back");
    // What a killed server had taken and not yet handed on is gone, and nobody can know.
    scene.excused.near.push([before.far.distinct, (await scene.turn(0)).said]);
    scene.excused.far.push([before.near.distinct, partner.said]);
  };
  await converse(scene, { count: Math.ceil(messages / 4), least: 0, disasters: inTime(Array(disasters).fill(die)) });
  const result = await verdict(scene);
  await scene.close();
  return result;
}

/** What became of all messages so far. */
async function verdict({ page, partner, faults, problems, excused }) {
  const near = await page.evaluate(() => window.endpoint.report);
  const far = partner.report;
  if (faults.forgotten > 0) excused = { near: [[0, Infinity]], far: [[0, Infinity]] };
  const within = (windows) => (windows.length === 0 ? undefined : (number) => windows.some(([from, to]) => number >= from && number < to));
  const both = {
    "page to partner": tally(near, far, within(excused.near)),
    "partner to page": tally(far, near, within(excused.far), faults.spoilt),
  };
  const ended = near.ended.map((code) => `went offline for good: ${code}`);
  const found = [...problems, ...ended, ...Object.entries(both).flatMap(([direction, sum]) => complaints(sum).map((text) => `${direction}: ${text}`))];
  const missing = Object.values(both).reduce((sum, { lost }) => sum + lost.length, 0);
  const { counts, total, events, forgotten } = faults;
  return { both, near, counts, total, events, forgotten, found, missing };
}

function tell(name, { both, near, counts, total, events, forgotten, found }) {
  const [up, down] = Object.values(both);
  const each = (what, pick) => `${what} ${pick(up)}+${pick(down)}`;
  const kinds = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const sums = [
    each("lost", ({ lost }) => lost.length),
    each("twice", ({ twice }) => twice),
    each("out of order", ({ disordered }) => disordered),
    each("unknown", ({ unknown }) => unknown),
    each("undelivered", ({ undelivered }) => undelivered),
    each("returned", ({ returned }) => returned),
    each("reported as unreadable", ({ reported }) => reported),
    each("gone with the server", ({ gone }) => gone),
    `sessions resumed ${near.resumed} and renewed ${near.renewed}`,
  ];
  console.log(`${name}: ${each("messages from and to the page", ({ said }) => said)}, ${total} faults in ${events} exchanges or frames`);
  console.log(`    ${sums.join(", ")}`);
  console.log(`    ${kinds.map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
  if (forgotten > 0) console.log(`    the server lost ${forgotten} sessions: Session state copying timed out`);
  for (const text of found) console.log(`    WRONG: ${text}`);
}

/** Both runs of one server and transport; resolves to how many went wrong. */
async function combination(name, transport) {
  const running = await SERVERS[name]();
  let wrong = 0;
  try {
    for (const run of runs) {
      const started = performance.now();
      const result = await RUNS[run]({ name: `${name} ${transport}`, server: running, transport, chance: CHANCE[transport], longest });
      tell(`${name} ${transport} ${run}, seed ${seed}, ${((performance.now() - started) / 1000).toFixed(0)} s`, result);
      wrong += result.found.length > 0;
    }
  } finally {
    await running.stop();
  }
  return wrong;
}

const RUNS = { network, server };
const runs = chosen(RUNS, values.run, "--run");
const browser = await chromium.launch({ executablePath: process.env.EPODE_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  const all = servers.flatMap((name) => transports.map((transport) => combination(name, transport)));
  const wrong = (await Promise.all(all)).reduce((sum, count) => sum + count, 0);
  if (wrong > 0) {
    console.error(`faults: ${wrong} runs went wrong; --seed ${seed} draws the same faults again`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
