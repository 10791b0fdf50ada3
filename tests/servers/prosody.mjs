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
    const extra = options.sasl2 ? ["sasl2", "sasl2_bind2", "sasl2_sm"] : [];
    if (options.site) extra.push("admin_adhoc");
    // With Prosody 0.12 the module throws where features are made.
    if (options.sasl2 && options.prefix) extra.push("sasl2_fast");
    const values = {
      PORT: port,
      CLIENT_PORTS: server.c2sPort ?? "",
      ADMINS: options.site ? lua(`${options.site}@${server.domain}`) : "",
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
      // A web site's program makes the accounts of its users; nobody else does.
      OPEN_REGISTRATION: !options.site,
      PUBSUB_AUTOCREATE: !options.site,
      PUBSUB_MODULES: options.site ? "" : lua("epode_open_pubsub"),
      EXTRA_MODULES: extra.map((name) => `${lua(name)};`).join(" "),
    };
    fs.writeFileSync(config, render("prosody.cfg.lua.in", values));
    const command = options.prefix ? relocated(options.prefix, dir) : program("prosody", "prosody");
    if (options.site) keepAccount(path.join(dir, "data", server.domain, "accounts"), options.site, options.sitePassword);
    return { command, args: ["-F", "--config", config], env: {} };
  },
};

/** What `prosodyctl register` writes for an account, with `internal_plain`. An account that is there is left as it is. */
function keepAccount(folder, name, password) {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.dat`);
  if (!fs.existsSync(file)) fs.writeFileSync(file, `return { ["password"] = ${lua(password)} };\n`);
}

/** Prosody has its folders built in: of one that is not installed but unpacked somewhere, a copy is run that knows where. */
function relocated(prefix, dir) {
  const library = path.join(prefix, "usr/lib/prosody");
  const places = { SOURCEDIR: library, PLUGINDIR: path.join(library, "modules/"), DATADIR: path.join(dir, "data"), CONFIGDIR: dir };
  const text = fs.readFileSync(path.join(prefix, "usr/bin/prosody"), "utf8");
  const command = path.join(dir, "prosody");
  fs.writeFileSync(command, text.replace(/^CFG_([A-Z]+)\s*=.*$/gm, (line, name) => (name in places ? `CFG_${name}=${lua(places[name])};` : line)));
  fs.chmodSync(command, 0o755);
  return command;
}

/**
 * A newer Prosody, unpacked beside the installed one: the folder that EPODE_PROSODY_PREFIX names, or target/servers/prosody.
 * Undefined where there is none. In a Debian 12 it comes from backports: apt-get download, dpkg -x.
 */
export function newerProsody() {
  const folders = [process.env.EPODE_PROSODY_PREFIX, path.join(HERE, "../../target/servers/prosody")];
  return folders.find((folder) => folder && fs.existsSync(path.join(folder, "usr/bin/prosody")));
}

/**
 * Starts Prosody and resolves when it answers. Options, all optional:
 * - `dir`: its folder (default: a temporary one, removed by `stop()`); `keep`: do not remove it
 * - `slot`: fixed port 11280 + 10 × slot; `port`: exactly this one (default: one that is free)
 * - `persistent`: pubsub nodes and items survive a restart (slower: every publish rewrites a file)
 * - `openPublish`: whoever comes may publish to a node that was created without saying otherwise
 * - `maxItems`: how many items such a node keeps (20; a node's own configuration may ask for up to 20,000)
 * - `boshInactivity`, `boshWait`: seconds; `maxStanza`: bytes
 * - `site`: the name of a web site's account, `sitePassword` its password: it comes in by TCP (`server.c2sPort`), it alone may
 *   create nodes and makes accounts, by ad-hoc command (XEP-0133); registration is closed to all others
 * - `sasl2`: offer SASL2 with Bind 2 and stream management inside (and FAST, with `prefix`)
 * - `prefix`: the folder of an unpacked package to run in place of the installed one, see `newerProsody()`
 * - `authentication`: "internal_plain" (SCRAM-SHA-256, -1 and PLAIN) or "internal_hashed" (SCRAM-SHA-1 and PLAIN)
 */
export const startProsody = (options = {}) => new Server(PROSODY, options).start();

if (isMain(import.meta.url)) await commandLine(PROSODY);
