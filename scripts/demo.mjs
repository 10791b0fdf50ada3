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
// /config.json to know where to connect: always to its own origin, which passes it on.

import fs from "node:fs";
import { parseArgs } from "node:util";
import { at } from "./lib/project.mjs";
import { isInterrupted, main, onInterrupt } from "./lib/run.mjs";
import { build } from "./build.mjs";
import { setup } from "./setup.mjs";
import { startOrigin } from "../tests/servers/origin.mjs";

const NODE = "/demo/Record";

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

async function ownServer() {
  const { startProsody } = await import("../tests/servers/prosody.mjs");
  // Every page and the publisher write to the same node, whoever came first.
  return startProsody({ openPublish: true, maxItems: 50 });
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

/** What a person types to run the program that publishes what it inserts into a database. */
function publisherCommand(url, { anonymousDomain, pubsub }) {
  return `python3 www/publisher.py --service ${url}/http-bind --domain ${anonymousDomain} --pubsub ${pubsub} --node ${NODE}`;
}

await main(async () => {
  const values = options();
  await setup(values.service ? "page" : "demo");
  await build();

  const server = values.service ? elsewhere(values) : await ownServer();
  let origin;
  const stop = async () => {
    await origin?.stop();
    await server.stop?.();
    console.log("\nstopped");
  };
  // Ctrl-C is how the demo is meant to end.
  onInterrupt(() => stop().then(() => process.exit(0)));

  const config = {
    service: server.bosh ? "/http-bind" : "/ws",
    websocket: server.ws ? "/ws" : null,
    domain: server.domain,
    anonymousDomain: server.anonymousDomain,
    pubsub: server.pubsub,
    muc: server.conference,
    node: NODE,
  };
  try {
    origin = await startOnPort(
      { roots: { "/": at("www"), "/epode": at("pkg") }, json: { "/config.json": config }, bosh: server.bosh, ws: server.ws },
      values.port,
    );
  } catch (error) {
    await stop();
    throw error.code === "EADDRINUSE" ? new Error(`port ${values.port} is in use; another one: npm run demo -- --port N`) : error;
  }
  server.child?.once("exit", () => {
    if (isInterrupted()) return;
    console.error(`\nthe XMPP server has ended by itself:\n${server.logTail(15)}`);
    origin.stop().then(() => process.exit(1));
  });

  console.log(`
  The demo is at       ${origin.url}/
  XMPP server          ${values.service ? values.service.join(", ") : `Prosody, ${server.bosh} (log: ${server.logFile})`}
  The publisher        ${publisherCommand(origin.url, server)}
  Stop with            Ctrl-C
`);
});
