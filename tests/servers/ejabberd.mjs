// ejabberd (Debian's package) for tests: loopback only, in one folder, as whoever runs this.
//
//   node tests/servers/ejabberd.mjs start|stop|kill|restart|status|url|register USER PASSWORD [--dir D] [--slot N] …
//   const server = await startEjabberd({ boshInactivity: 5 });  …  await server.stop();
//
// Run as a plain Erlang program without a node name: no ejabberdctl, no user of its own, no epmd.

import fs from "node:fs";
import path from "node:path";
import { Server, commandLine, isMain, program, render } from "./lifecycle.mjs";

/** Debian puts the Erlang libraries under /usr/lib/<architecture>. */
function libraries() {
  const found = fs
    .readdirSync("/usr/lib")
    .filter((name) => name.endsWith("-linux-gnu"))
    .map((name) => path.join("/usr/lib", name))
    .find((folder) => fs.readdirSync(folder).some((name) => /^ejabberd-\d/.test(name)));
  if (found) return found;
  throw new Error("ejabberd was not found: apt-get install ejabberd (npm run setup does it)");
}

const c2sListener = (port, maxStanza) => `  - port: ${port}
    ip: "127.0.0.1"
    max_stanza_size: ${maxStanza}
    module: ejabberd_c2s`;

const EJABBERD = {
  name: "ejabberd",
  slotBase: 11_580,
  stopGrace: 20_000,
  prepare(server) {
    const { options, dir, port } = server;
    for (const folder of ["spool", "home"]) fs.mkdirSync(path.join(dir, folder), { recursive: true });
    const config = path.join(dir, "ejabberd.yml");
    const values = {
      PORT: port,
      CLIENTS: server.c2sPort ? c2sListener(server.c2sPort, Number(options.maxStanza ?? 1024 * 1024)) : "",
      SITE: options.site ? `{user: ["${options.site}@${server.domain}"]}` : "{user: []}",
      REGISTRATION: options.site ? "site" : "all",
      PUBSUB_CREATORS: options.site ? "site" : "all",
      BOSH_INACTIVITY: Number(options.boshInactivity ?? 60),
      MAX_STANZA: Number(options.maxStanza ?? 1024 * 1024),
      PUBSUB_DEFAULT_ITEMS: Number(options.maxItems ?? 20),
      PUBSUB_PUBLISH_MODEL: options.openPublish ? "open" : "publishers",
      PASSWORD_FORMAT: options.authentication === "internal_hashed" ? "scram" : "plain",
    };
    fs.writeFileSync(config, render("ejabberd.yml.in", values));
    return {
      command: program("erl", "ejabberd"),
      // prettier-ignore
      args: [
        "-noinput", "+Bd",
        "-mnesia", "dir", `"${path.join(dir, "spool")}"`,
        "-ejabberd", "log_rotate_count", "0",
        "-s", "ejabberd",
      ],
      env: {
        HOME: path.join(dir, "home"), // Erlang writes a cookie there
        ERL_LIBS: libraries(),
        EJABBERD_CONFIG_PATH: config,
        EJABBERD_LOG_PATH: server.logFile,
        ERL_CRASH_DUMP: path.join(dir, "log", "crash.dump"),
      },
    };
  },
};

/**
 * Starts ejabberd and resolves when it answers. Options, all optional:
 * - `dir`: its folder (default: a temporary one, removed by `stop()`); `keep`: do not remove it
 * - `slot`: fixed port 11580 + 10 × slot; `port`: exactly this one (default: one that is free)
 * - `openPublish`: whoever comes may publish to a node that was created without saying otherwise
 * - `maxItems`: how many items such a node keeps (20; a node's own configuration may ask for up to 20,000)
 * - `boshInactivity`: seconds; `maxStanza`: bytes
 * - `site`: the name of a web site's account, `sitePassword` its password: it comes in by TCP (`server.c2sPort`), it alone may
 *   create nodes and makes accounts, by ad-hoc command (XEP-0133); registration is closed to all others
 * - `authentication`: "internal_plain" (SCRAM-SHA-512, -256, -1 and PLAIN) or "internal_hashed" (one SCRAM and PLAIN)
 * Its pubsub nodes are on disk, so `persistent` has nothing to change here; `boshWait` is not an option of ejabberd.
 */
export async function startEjabberd(options = {}) {
  const server = await new Server(EJABBERD, options).start();
  // The rule above lets this one account be registered, and it is from now on.
  if (options.site) await server.register(options.site, options.sitePassword);
  return server;
}

if (isMain(import.meta.url)) await commandLine(EJABBERD);
