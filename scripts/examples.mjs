// The examples: a web site, the XMPP server that carries its feeds, and what is in front of both, on loopback.
//
//   npm run example:django [-- --server ejabberd] [-- --port N]
//   npm run example:flask  [-- --server ejabberd] [-- --port N]
//
//   --server NAME      prosody (default) or ejabberd
//   --port N           default: one that is free
//
// It gets what it needs, builds the package when something has changed, makes the database, and stops what it started on Ctrl-C.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PKG, at, pythonEnvironment } from "./lib/project.mjs";
import { main, onInterrupt, run } from "./lib/run.mjs";
import { build } from "./build.mjs";
import { keepUp } from "./demo.mjs";
import { setup } from "./setup.mjs";
import { startEjabberd } from "../tests/servers/ejabberd.mjs";
import { Server, program, render } from "../tests/servers/lifecycle.mjs";
import { startProsody } from "../tests/servers/prosody.mjs";

const START = { prosody: startProsody, ejabberd: startEjabberd };
/** The account of the site at the XMPP server. */
const SITE = "site";
/** Bytes of a stanza that the server accepts: the default of Prosody, and of ejabberd's packages. */
const MAX_STANZA = 256 * 1024;

/** A web site, or what is in front of it: it is ready when its first page is there. */
class WebServer extends Server {
  get probe() {
    return `${this.origin}/`;
  }
}

/** gunicorn in the example's environment: one process, so that one queue has the say over the order. */
function gunicorn(name, application) {
  return {
    name,
    // What still waits to be sent is sent.
    stopGrace: 20_000,
    prepare: ({ options, port }) => ({
      command: path.join(pythonEnvironment(name), "bin/python"),
      // prettier-ignore
      args: [
        "-m", "gunicorn", "--chdir", at("examples", name), "--bind", `127.0.0.1:${port}`, "--workers", "1", "--threads", "8",
        "--no-control-socket", application,
      ],
      env: options.env,
    }),
  };
}

const NGINX = {
  name: "nginx",
  stopGrace: 5000,
  prepare(server) {
    const { dir, port, options } = server;
    const file = path.join(dir, "nginx.conf");
    fs.writeFileSync(file, render("../../examples/django/nginx.conf", { ...options.values, DIR: dir, PORT: port }));
    // As root it would have its workers run as a user who may not read our folders.
    const user = process.getuid() === 0 ? " user root;" : "";
    return { command: program("nginx", "nginx-light"), args: ["-p", dir, "-c", file, "-e", path.join(dir, "error.log"), "-g", `daemon off;${user}`] };
  },
};

/** An XMPP server for a web site: `{ xmpp, password }`, the password being that of the site's account. */
export async function startForSite(server) {
  const password = randomBytes(16).toString("hex");
  return { xmpp: await START[server]({ site: SITE, sitePassword: password, persistent: true, maxStanza: MAX_STANZA }), password };
}

/** What a site has to know of it, for its environment. */
export function siteSettings(xmpp, password) {
  return {
    // Nothing is written beside the sources.
    PYTHONDONTWRITEBYTECODE: "1",
    XMPP_JID: `${SITE}@${xmpp.domain}`,
    XMPP_PASSWORD: password,
    XMPP_HOST: "127.0.0.1",
    XMPP_PORT: String(xmpp.c2sPort),
    XMPP_TLS: "0",
    XMPP_MAX_STANZA: String(MAX_STANZA),
    XMPP_PUBSUB_HOST: xmpp.pubsub,
    XMPP_MUC_HOST: xmpp.conference,
    XMPP_ANONYMOUS_DOMAIN: xmpp.anonymousDomain,
  };
}

/** Runs a program of the example's environment to its end. */
const python = (name, env, ...args) =>
  run(path.join(pythonEnvironment(name), "bin/python"), args, { cwd: at("examples", name), env, show: "none", timeout: 120_000 });

const EXAMPLES = {
  async django({ xmpp, folder, env, port, pkg, started }) {
    env.STATIC_ROOT = path.join(folder, "static");
    await python("django", env, "manage.py", "migrate", "--verbosity", "0");
    await python("django", env, "manage.py", "collectstatic", "--noinput", "--verbosity", "0");
    await python("django", env, "manage.py", "feeds_sync");
    const site = await started(new WebServer(gunicorn("django", "project.wsgi"), { dir: path.join(folder, "site"), env }));
    const values = { SITE_PORT: site.port, XMPP_PORT: xmpp.port, XMPP_DOMAIN: xmpp.domain, STATIC: env.STATIC_ROOT, PACKAGE: pkg };
    const front = await started(new WebServer(NGINX, { dir: path.join(folder, "nginx"), port, values }));
    return { url: front.origin, site, front };
  },

  async flask({ xmpp, folder, env, port, pkg, started }) {
    Object.assign(env, { EPODE_PACKAGE: pkg, XMPP_BOSH_URL: xmpp.bosh, XMPP_WEBSOCKET_URL: xmpp.ws });
    await python("flask", env, "-m", "flask", "--app", "pastebin", "init-db");
    const site = await started(new WebServer(gunicorn("flask", "pastebin:create_app()"), { dir: path.join(folder, "site"), port, env }));
    return { url: site.origin, site };
  },
};

/**
 * Starts an example. `server`: "prosody" or "ejabberd"; `port`: where the site answers; `pkg`: the folder of the package.
 * Resolves to `{ url, xmpp, site, front, log(), python(...args), stop() }`; all but `front`, which Flask has not, are there.
 */
export async function startExample(name, { server = "prosody", port, pkg = PKG } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `epode-${name}-`));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  const running = [];
  const started = async (one) => {
    running.unshift(one);
    return one.start();
  };
  const stop = async () => {
    for (const one of running.splice(0)) await one.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { xmpp, password } = await startForSite(server);
    running.unshift(xmpp);
    const env = {
      ...siteSettings(xmpp, password),
      SECRET_KEY: randomBytes(32).toString("hex"),
      DATABASE: path.join(folder, "site.sqlite3"),
    };
    const parts = await EXAMPLES[name]({ xmpp, folder, env, port, pkg, started });
    const log = () => fs.readFileSync(path.join(parts.site.dir, "log/out.log"), "utf8");
    return { ...parts, xmpp, password, log, python: (...args) => python(name, env, ...args), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function example() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { server: { type: "string", default: "prosody" }, port: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const [name] = positionals;
  if (values.help || !(name in EXAMPLES) || !(values.server in START)) {
    const header = fs.readFileSync(new URL(import.meta.url), "utf8").split("\n\n")[0];
    console.log(header.replace(/^\/\/ ?/gm, ""));
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  await setup(`${name}-${values.server}`);
  await build();
  const running = await startExample(name, { server: values.server, port: values.port && Number(values.port) });
  const stop = async (code) => {
    await running.stop();
    console.log("\nstopped");
    process.exit(code);
  };
  onInterrupt(() => stop(0));
  const { url, xmpp, site, front } = running;
  keepUp(xmpp, (error) => {
    console.error(`\nthe XMPP server has ended by itself (${error.message}):\n${xmpp.logTail(15)}`);
    stop(1);
  });
  // Of what was started, nothing keeps this process.
  setInterval(() => {}, 60_000);
  console.log(`
  The site is at       ${url}/       open it twice, side by side
  It runs on           gunicorn, ${site.origin}, pid ${site.pid} (log: ${path.join(site.dir, "log/out.log")})${front ? `\n  In front             nginx, pid ${front.pid}` : ""}
  XMPP server          ${values.server}, ${xmpp.bosh}, pid ${xmpp.pid} (log: ${xmpp.logFile})
  How it works         examples/${name}/README.md

  Stop with            Ctrl-C
`);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(example);
