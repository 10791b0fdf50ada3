// Prosody (Debian's package) for tests and for the demo: loopback only, in one folder, as whoever runs this.
//
//   node tests/servers/prosody.mjs start|stop|kill|restart|status|url|register USER PASSWORD [--dir D] [--slot N] …
//   const server = await startProsody({ persistent: true });  …  await server.stop();

import fs from "node:fs";
import path from "node:path";
import { HERE, Server, commandLine, isMain, program, render } from "./lifecycle.mjs";

const lua = (text) => JSON.stringify(text); // the two languages agree on paths and on plain words

const PROSODY = {
  name: "prosody",
  slotBase: 11_280,
  stopGrace: 10_000,
  prepare(server) {
    const { options, dir, port } = server;
    for (const folder of ["data", "certs"]) fs.mkdirSync(path.join(dir, folder), { recursive: true });
    const config = path.join(dir, "prosody.cfg.lua");
    const values = {
      PORT: port,
      DATA: lua(path.join(dir, "data")),
      CERTIFICATES: lua(path.join(dir, "certs")),
      PLUGINS: lua(path.join(HERE, "prosody-modules")),
      LOG: lua(server.logFile),
      BOSH_INACTIVITY: Number(options.boshInactivity ?? 60),
      BOSH_WAIT: Number(options.boshWait ?? 120),
      AUTHENTICATION: lua(options.authentication ?? "internal_plain"),
      MAX_STANZA: Number(options.maxStanza ?? 1024 * 1024),
      PUBSUB_STORAGE: lua(options.persistent ? "internal" : "memory"),
      PUBSUB_DEFAULT_ITEMS: Number(options.maxItems ?? 20),
      PUBSUB_OPEN_PUBLISH: Boolean(options.openPublish),
    };
    fs.writeFileSync(config, render("prosody.cfg.lua.in", values));
    return { command: program("prosody", "prosody"), args: ["-F", "--config", config], env: {} };
  },
};

/**
 * Starts Prosody and resolves when it answers. Options, all optional:
 * - `dir`: its folder (default: a temporary one, removed by `stop()`); `keep`: do not remove it
 * - `slot`: fixed port 11280 + 10 × slot; `port`: exactly this one (default: one that is free)
 * - `persistent`: pubsub nodes and items survive a restart (slower: every publish rewrites a file)
 * - `openPublish`: whoever comes may publish to a node that was created without saying otherwise
 * - `maxItems`: how many items such a node keeps (20; a node's own configuration may ask for up to 20,000)
 * - `boshInactivity`, `boshWait`: seconds; `maxStanza`: bytes
 * - `authentication`: "internal_plain" (SCRAM-SHA-256, -1 and PLAIN) or "internal_hashed" (SCRAM-SHA-1 and PLAIN)
 */
export const startProsody = (options = {}) => new Server(PROSODY, options).start();

if (isMain(import.meta.url)) await commandLine(PROSODY);
