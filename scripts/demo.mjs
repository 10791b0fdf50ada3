// The demo: the pages of www/ with the package built here, on one origin with an XMPP server.
//
//   npm run demo                                      with a Prosody of its own, on loopback
//   npm run demo -- --service URL --domain NAME       with a server that runs elsewhere
//
//   --service URL      its BOSH (http, https) or WebSocket (ws, wss) address; may be given once for each
//   --domain NAME      the domain of its accounts
//   --anonymous NAME   where anonymous users log in (default: the domain)
//   --pubsub JID       default: pubsub.NAME        --muc JID       default: conference.NAME
//   --port N           default: 8080, or the next one that is free
//
// It gets what it needs, builds what has changed, and stops what it started on Ctrl-C. The page reads
// /config.json to know where to connect: always to its own origin, which passes it on, by WebSocket first, where there is
// one, and by BOSH otherwise (the page's address chooses with ?via=ws or ?via=bosh). Should its own Prosody end by itself,
// or be killed to see what the page does, it is started again at the same address.

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { at } from "./lib/project.mjs";
import { isInterrupted, main, onInterrupt } from "./lib/run.mjs";
import { build } from "./build.mjs";
import { setup } from "./setup.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";

const NODE = "/cafe/Order";
const KEPT = 60;

/** What the page may do: only what came from here, and no text that turns into a program. */
const HEADERS = {
  "Content-Security-Policy": [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "Referrer-Policy": "no-referrer",
};

/**
 * Starts the pages in front of an XMPP server: `server` is `{ bosh, ws, domain, anonymousDomain, pubsub, conference }`,
 * such as what startProsody() gives. `port`: default 8080, or the next one that is free; 0: any. `pkg`: the folder of
 * the package. Resolves to `{ url, config, origin, stop }`; the server is left to whoever started it.
 */
export async function startDemo({ server, port, pkg = at("pkg") }) {
  const config = {
    service: server.bosh ? "/http-bind" : "/ws",
    websocket: server.ws ? "/ws" : null,
    domain: server.domain,
    anonymousDomain: server.anonymousDomain,
    pubsub: server.pubsub,
    muc: server.conference,
    node: NODE,
  };
  const origin = await startOnPort(
    { roots: { "/": at("www"), "/epode": pkg }, json: { "/config.json": config }, headers: HEADERS, bosh: server.bosh, ws: server.ws },
    port,
  );
  return { url: origin.url, config, origin, stop: () => origin.stop() };
}

/** A Prosody as the demo wants it: everybody may write to the node, and what is in it outlives a restart. */
export async function startServer() {
  const { startProsody } = await import("../tests/servers/prosody.mjs");
  return startProsody({ openPublish: true, maxItems: KEPT, persistent: true });
}

async function startOnPort(settings, port) {
  if (port !== undefined) return startOrigin({ ...settings, port: Number(port) });
  for (let candidate = 8080; ; candidate += 1) {
    try {
      return await startOrigin({ ...settings, port: candidate });
    } catch (error) {
      if (error.code !== "EADDRINUSE" || candidate === 8180) throw error;
    }
  }
}

function options() {
  const { values } = parseArgs({
    options: {
      service: { type: "string", multiple: true },
      domain: { type: "string" },
      anonymous: { type: "string" },
      pubsub: { type: "string" },
      muc: { type: "string" },
      port: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    const header = fs.readFileSync(new URL(import.meta.url), "utf8").split("\n\n")[0];
    console.log(header.replace(/^\/\/ ?/gm, ""));
    process.exit(0);
  }
  if (Boolean(values.service) !== Boolean(values.domain)) throw new Error("--service and --domain belong together");
  for (const url of values.service ?? []) {
    if (!/^(https?|wss?):\/\//.test(url)) throw new Error(`--service ${url}: an http, https, ws or wss URL is wanted`);
  }
  return values;
}

/** Where /http-bind and /ws lead, and what the page is told. */
function elsewhere({ service, domain, anonymous, pubsub, muc }) {
  const bosh = service.find((url) => url.startsWith("http"));
  const ws = service.find((url) => url.startsWith("ws"));
  return {
    bosh,
    ws,
    domain,
    anonymousDomain: anonymous ?? domain,
    pubsub: pubsub ?? `pubsub.${domain}`,
    conference: muc ?? `conference.${domain}`,
  };
}

/** Brings the server back when it ends by itself, unless it does so again at once. */
export function keepUp(server, giveUp) {
  const started = Date.now();
  server.child.once("exit", async () => {
    if (isInterrupted()) return;
    try {
      if (Date.now() - started < 5000) throw new Error("it ended as soon as it was started");
      console.log("\n  The XMPP server has ended by itself; it is started again in 3 s. The pages say so, and find it again.");
      await new Promise((resolve) => setTimeout(resolve, 3000));
      if (isInterrupted()) return;
      await server.start();
      console.log(`  The XMPP server is back (pid ${server.pid})`);
      keepUp(server, giveUp);
    } catch (error) {
      giveUp(error);
    }
  });
}

async function run() {
  const values = options();
  await setup(values.service ? "page" : "demo");
  await build();

  const server = values.service ? elsewhere(values) : await startServer();
  let demo;
  const stop = async () => {
    await demo?.stop();
    await server.stop?.();
    console.log("\nstopped");
  };
  // Ctrl-C is how the demo is meant to end.
  onInterrupt(() => stop().then(() => process.exit(0)));

  try {
    demo = await startDemo({ server, port: values.port });
  } catch (error) {
    await stop();
    throw error.code === "EADDRINUSE" ? new Error(`port ${values.port} is in use; another one: npm run demo -- --port N`) : error;
  }
  if (server.child) {
    keepUp(server, (error) => {
      console.error(`\nthe XMPP server has ended by itself (${error.message}):\n${server.logTail(15)}`);
      stop().then(() => process.exit(1));
    });
  }

  const publisher = `python3 www/publisher.py --url ${demo.url}`;
  const where = values.service ? values.service.join(", ") : `Prosody, ${server.bosh}, pid ${server.pid} (log: ${server.logFile})`;
  console.log(`
  The demo is at       ${demo.url}/       open it twice, side by side
  XMPP server          ${where}

  Rows for a database, published once they are committed:
    ${publisher} add "Flat white, oat milk" --for "Table 4"
    ${publisher} random --every 2
    ${publisher} --help

  Stop with            Ctrl-C
`);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(run);
