// What the two server scripts have in common: free ports, starting a process and knowing that it is
// ready, stopping it without leaving anything behind, accounts, and the command line.
//
// A server lives in one folder and listens on 127.0.0.1 only. Imported, it belongs to the process that
// started it and goes when that process goes. From the command line it stays until `stop`, and what is
// needed to find it again is in `state.json` of its folder.

import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { registerAccount } from "./register.mjs";

const LOOPBACK = "127.0.0.1";
export const HERE = path.dirname(fileURLToPath(import.meta.url));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// ---------------------------------------------------------------------------------------------------
// Ports

function canListen(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: LOOPBACK, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * A port nobody listens on. Taken from below the range the kernel gives to outgoing connections:
 * a port of that range could be in use by a connection at the moment the server is started again.
 */
export async function freePort() {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(12_000, 31_000);
    if (await canListen(port)) return port;
  }
  throw new Error("no free port between 12000 and 31000 on 127.0.0.1");
}

/** Does this very process listen on the port? Two runs that drew the same port must not mistake each other. */
function listensOn(pid, port) {
  let table;
  try {
    table = fs.readFileSync(`/proc/${pid}/net/tcp`, "utf8") + fs.readFileSync(`/proc/${pid}/net/tcp6`, "utf8");
  } catch {
    return true; // no /proc to ask
  }
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = new Set();
  for (const line of table.split("\n")) {
    const field = line.trim().split(/\s+/);
    if (field[3] === "0A" && field[1].endsWith(`:${wanted}`)) inodes.add(`socket:[${field[9]}]`);
  }
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return inodes.has(fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false; // closed since it was listed
      }
    });
  } catch {
    return false;
  }
}

// ---------------------------------------------------------------------------------------------------
// Processes

/** When the process was started, as /proc tells it: with the pid, the identity of a process. */
function startTime(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie counts as gone: in a container nobody may collect it for a while.
    return state === "Z" || state === "X" ? null : rest[18];
  } catch {
    return null;
  }
}

function isAlive({ pid, started }) {
  return pid !== undefined && startTime(pid) === started;
}

function signal(identity, name) {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

async function untilGone(identity, ms) {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    if (!isAlive(identity)) return true;
    await sleep(20);
  }
  return !isAlive(identity);
}

const onPath = (program) =>
  [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin", "/sbin"]
    .map((folder) => path.join(folder, program))
    .find((file) => fs.existsSync(file));

/** The full name of a program, or an error that names the package it comes in. */
export function program(name, debianPackage) {
  const file = onPath(name);
  if (file) return file;
  throw new Error(`${name} was not found: apt-get install ${debianPackage} (npm run setup does it)`);
}

/** Fills `${NAME}` in a template; a name without a value is an error. */
export function render(template, values) {
  const text = fs.readFileSync(path.join(HERE, template), "utf8");
  return text.replace(/\$\{([A-Z_]+)\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`${template}: no value for ${name}`);
    return String(values[name]);
  });
}

// ---------------------------------------------------------------------------------------------------
// Whatever this process started goes with it.

const owned = new Set();
let watching = false;

function stopOwnedNow() {
  // Called while the process exits: nothing asynchronous would still run.
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const server of owned) signal(server.process, "SIGTERM");
  for (const end = Date.now() + 5000; Date.now() < end; Atomics.wait(pause, 0, 0, 20)) {
    if (![...owned].some((server) => isAlive(server.process))) break;
  }
  for (const server of owned) {
    signal(server.process, "SIGKILL");
    server.removeFolder();
  }
  owned.clear();
}

function watchExit() {
  if (watching) return;
  watching = true;
  process.on("exit", stopOwnedNow);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    const handle = () => {
      process.removeListener(name, handle);
      stopOwnedNow();
      // Others who listen for the signal (a browser driver, for instance) get time for theirs.
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
      else setTimeout(() => process.exit(128 + os.constants.signals[name]), 1500);
    };
    process.on(name, handle);
  }
}

// ---------------------------------------------------------------------------------------------------

/**
 * One server. `kind` says how that sort of server is configured and started:
 * `{ name, slotBase, prepare(server) -> { command, args, env, cwd }, stopGrace }`.
 */
export class Server {
  domain = "localhost";
  anonymousDomain = "anon.localhost";
  conference = "conference.localhost";
  pubsub = "pubsub.localhost";

  constructor(kind, options = {}) {
    this.kind = kind;
    this.name = kind.name;
    this.options = options;
    this.detached = options.detached === true;
    const base = options.slot === undefined ? undefined : kind.slotBase + 10 * Number(options.slot);
    this.fixedPort = options.port ?? base;
    if (options.dir) {
      this.dir = path.resolve(options.dir);
    } else {
      this.dir = fs.mkdtempSync(path.join(os.tmpdir(), `epode-${kind.name}-`));
      this.temporary = true;
    }
    this.process = {};
  }

  get pid() {
    return this.isRunning() ? this.process.pid : undefined;
  }

  get origin() {
    return `http://${LOOPBACK}:${this.port}`;
  }

  get bosh() {
    return `${this.origin}/bosh`;
  }

  get ws() {
    return `ws://${LOOPBACK}:${this.port}/ws`;
  }

  /** What answers with 200 as soon as it is ready. */
  get probe() {
    return this.bosh;
  }

  get logFile() {
    return path.join(this.dir, "log", `${this.name}.log`);
  }

  isRunning() {
    return isAlive(this.process);
  }

  async start() {
    if (this.isRunning()) return this;
    for (let attempt = 1; ; attempt += 1) {
      // A server that was up before keeps its address; so does one that was told which to use.
      this.port ??= this.fixedPort ?? (await freePort());
      // For programs of a web site, which come in by TCP.
      if (this.options.site) this.c2sPort ??= await freePort();
      if (await canListen(this.port)) {
        await this.launch();
        if (await this.becomesReady()) break;
        await this.kill();
      } else if (this.fixedPort || this.wasReady) {
        throw new Error(`${this.name}: port ${this.port} on ${LOOPBACK} is in use`);
      }
      if (attempt === 3 || this.fixedPort || this.wasReady) {
        const text = this.logTail();
        this.removeFolder();
        throw new Error(`${this.name} did not start (folder ${this.dir})\n${text}`);
      }
      this.port = undefined;
    }
    this.wasReady = true;
    return this;
  }

  async launch() {
    fs.mkdirSync(path.join(this.dir, "log"), { recursive: true });
    const { command, args, env } = this.kind.prepare(this);
    const out = fs.openSync(path.join(this.dir, "log", "out.log"), "a");
    // The kernel ends the server should this process be killed outright; a server started
    // from the command line is meant to stay.
    const guard = this.detached ? undefined : onPath("setpriv");
    const [file, argv] = guard ? [guard, ["--pdeathsig", "TERM", "--", command, ...args]] : [command, args];
    this.child = spawn(file, argv, {
      cwd: this.dir,
      env: { ...process.env, ...env },
      stdio: ["ignore", out, out],
      detached: true, // of its own session: Ctrl-C in the terminal reaches it through us, in order
    });
    fs.closeSync(out);
    this.child.on("error", () => {}); // told by becomesReady
    if (this.child.pid === undefined) throw new Error(`${this.name}: ${command} could not be started`);
    this.process = { pid: this.child.pid, started: startTime(this.child.pid) };
    this.child.unref();
    if (this.detached) {
      this.writeState();
    } else {
      owned.add(this);
      watchExit();
    }
  }

  async becomesReady(seconds = 60) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(30)) {
      if (!this.isRunning()) return false;
      if (listensOn(this.process.pid, this.port) && (await answers(this.probe))) return true;
    }
    return false;
  }

  /** Asks the server to end, waits until it has, and removes a folder that was made for it. */
  async stop() {
    await this.halt();
    this.removeFolder();
  }

  async halt() {
    signal(this.process, "SIGCONT"); // a frozen process would not hear the next one
    signal(this.process, "SIGTERM");
    if (!(await untilGone(this.process, this.kind.stopGrace))) await this.kill();
    this.forget();
  }

  /** Ends the server as a crash would. Its folder stays: `start()` brings it back. */
  async kill() {
    signal(this.process, "SIGKILL");
    await untilGone(this.process, 5000);
    this.forget();
  }

  /** Stops and starts again at the same address, with the same data. */
  async restart() {
    await this.halt();
    return this.start();
  }

  /** The server keeps its connections and answers nothing, until `thaw()`. */
  freeze() {
    signal(this.process, "SIGSTOP");
  }

  thaw() {
    signal(this.process, "SIGCONT");
  }

  /** Makes an account, through the server's own in-band registration (XEP-0077). */
  async register(user, password, domain = this.domain) {
    await registerAccount(this.bosh, { domain, user, password });
    return `${user}@${domain}`;
  }

  logTail(lines = 30) {
    const folder = path.join(this.dir, "log");
    if (!fs.existsSync(folder)) return "";
    return fs
      .readdirSync(folder)
      .map((file) => {
        const text = fs.readFileSync(path.join(folder, file), "utf8").trimEnd();
        return `--- ${file}\n${text.split("\n").slice(-lines).join("\n")}`;
      })
      .join("\n");
  }

  removeFolder() {
    if (this.temporary && !this.options.keep) fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  forget() {
    owned.delete(this);
    this.process = {};
    if (this.detached) this.writeState();
  }

  writeState() {
    const { port, process: identity, options } = this;
    fs.writeFileSync(path.join(this.dir, "state.json"), `${JSON.stringify({ port, process: identity, options }, null, 2)}\n`);
  }
}

function answers(url) {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

// ---------------------------------------------------------------------------------------------------
// The command line: start | stop | kill | restart | status | url | register USER PASSWORD

const COMMANDS = "start | stop | kill | restart | status | url | register USER PASSWORD";

export async function commandLine(kind, argv = process.argv.slice(2)) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      dir: { type: "string" },
      slot: { type: "string" },
      port: { type: "string" },
      persistent: { type: "boolean" },
      "open-publish": { type: "boolean" },
      "max-items": { type: "string" },
      "bosh-inactivity": { type: "string" },
      "bosh-wait": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [command, ...rest] = positionals;
  const usage = `${kind.name}.mjs ${COMMANDS}\n  [--dir D] [--slot N] [--port N] [--persistent] [--open-publish] [--max-items N] [--bosh-inactivity S] [--bosh-wait S]`;
  if (values.help) return console.log(usage);

  const number = (text) => (text === undefined ? undefined : Number(text));
  const slot = number(values.slot);
  const dir = values.dir ?? path.join(os.tmpdir(), `epode-${kind.name}-${os.userInfo().uid}-${slot ?? 0}`);
  const given = {
    slot,
    port: number(values.port),
    persistent: values.persistent,
    openPublish: values["open-publish"],
    maxItems: number(values["max-items"]),
    boshInactivity: number(values["bosh-inactivity"]),
    boshWait: number(values["bosh-wait"]),
  };
  const stateFile = path.join(dir, "state.json");
  const state = fs.existsSync(stateFile) ? JSON.parse(fs.readFileSync(stateFile, "utf8")) : undefined;
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const server = new Server(kind, { ...state?.options, ...said, dir, detached: true });
  if (state) {
    server.process = state.process;
    // Started anew it gets the address it had, if that is still free; running, it has it.
    if (server.isRunning() || ((await canListen(state.port)) && server.fixedPort === undefined)) server.port = state.port;
  }

  const describe = () => `${server.name} ${server.bosh} ${server.ws} pid ${server.pid} in ${server.dir}`;
  switch (command) {
    case "start":
      await server.start();
      return console.log(describe());
    case "restart":
      await server.restart();
      return console.log(describe());
    case "stop":
      if (state) await server.halt();
      return console.log(`${server.name} stopped`);
    case "kill":
      if (state) await server.kill();
      return console.log(`${server.name} killed`);
    case "status":
    case "url":
      if (!server.isRunning()) {
        console.log(`${server.name} is not running`);
        process.exitCode = 1;
        return undefined;
      }
      return console.log(command === "url" ? server.origin : describe());
    case "register":
      if (rest.length === 2) return console.log(await server.register(rest[0], rest[1]));
    // falls through: the two arguments are missing
    default:
      console.error(usage);
      process.exitCode = 2;
      return undefined;
  }
}

/** Is this module the program that was started, and not an import of another one? */
export const isMain = (url) => process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(url);
