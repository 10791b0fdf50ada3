// Starting programs: their output, their time, and their end when we are interrupted.

import { spawn } from "node:child_process";
import os from "node:os";
import { ENV, ROOT } from "./project.mjs";

const children = new Set();
const cleanups = new Set();
let interrupted = false;

/** Has the user (or a CI) asked us to stop? */
export const isInterrupted = () => interrupted;

/** Registers what has to be undone when we are interrupted; returns the function that forgets it again. */
export function onInterrupt(cleanup) {
  watch();
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

let watching = false;
function watch() {
  if (watching) return;
  watching = true;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      if (interrupted) return;
      interrupted = true;
      shutDown(name).finally(() => process.exit(128 + os.constants.signals[name]));
    });
  }
}

async function shutDown(name) {
  const all = [...children];
  for (const child of all) child.endNow(name);
  // Nothing that was asked to stop may keep us for ever, but what may not be cut short (a package
  // manager at work) is waited for.
  const kill = setTimeout(() => {
    for (const child of all) if (!child.patient) child.endNow("SIGKILL");
  }, 8000);
  const enough = new Promise((resolve) => setTimeout(resolve, 10_000));
  await Promise.allSettled(all.map((child) => (child.patient ? child.gone : Promise.race([child.gone, enough]))));
  clearTimeout(kill);
  await Promise.allSettled([...cleanups].map((cleanup) => cleanup()));
}

/** Resolves when nothing is left of what a program has started in its session. */
async function groupEnds(pid) {
  for (;;) {
    try {
      process.kill(-pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const STRIP = /\u001b\[[0-9;]*[A-Za-z]/g;

/**
 * Runs a program to its end and resolves to `{ code, output }`; rejects when it fails, unless `check` is false.
 * `show`: "all" passes its output on, "none" keeps it, "progress" keeps it and shows a line now and then
 * (what `progress(line)` makes of the line last seen). `onLine` sees every line. `patient`: on an interrupt it
 * is asked to end but never killed. `attached`: it stays in our session (sudo remembers by terminal).
 * `timeout`: milliseconds after which it is ended, which counts as a failure.
 */
export function run(command, args, options = {}) {
  const { show = "all", check = true, cwd = ROOT, env = {}, onLine, progress, label = command, patient = false, attached = false, input, timeout } = options;
  watch();
  if (interrupted) return new Promise(() => {});
  return new Promise((resolve, reject) => {
    // A session of its own: an interrupt in the terminal reaches it through us, with all of its children.
    const child = spawn(command, args, {
      cwd,
      env: { ...ENV, ...env },
      detached: !attached,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    child.patient = patient;
    child.gone = new Promise((done) => child.once("close", done)).then(() => groupEnds(child.pid));
    child.endNow = (name) => {
      try {
        process.kill(attached ? child.pid : -child.pid, name);
      } catch {
        // gone already, or root's, started through sudo: the terminal has told it
      }
    };
    if (input !== undefined) child.stdin.end(input);
    children.add(child);

    let late = false;
    const limit =
      timeout &&
      setTimeout(() => {
        late = true;
        child.endNow("SIGTERM");
        setTimeout(() => child.endNow("SIGKILL"), 5000).unref();
      }, timeout);

    const ticker = show === "progress" ? new Ticker(label) : undefined;
    let output = "";
    const take = (sink) => {
      let rest = "";
      return (chunk) => {
        output += chunk;
        if (show === "all") sink.write(chunk);
        if (!onLine && !ticker) return;
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        for (const raw of lines) {
          const line = raw.replace(STRIP, "");
          onLine?.(line);
          const text = progress?.(line);
          if (text) ticker?.tell(text);
        }
      };
    };
    child.stdout.setEncoding("utf8").on("data", take(process.stdout));
    child.stderr.setEncoding("utf8").on("data", take(process.stderr));
    child.once("error", (error) => {
      children.delete(child);
      ticker?.end();
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      if (!interrupted) children.delete(child); // or shutDown has to see its group end
      clearTimeout(limit);
      ticker?.end();
      if (interrupted) return; // shutDown ends the process
      if (code === 0 || (!check && !late)) return resolve({ code, signal, output });
      const tail = show === "all" ? "" : `\n${output.trimEnd().split("\n").slice(-40).join("\n")}`;
      const how = late ? `took longer than ${seconds(timeout)}` : `failed (${signal ?? code})`;
      reject(Object.assign(new Error(`${[command, ...args].join(" ")} ${how}${tail}`), { output }));
    });
  });
}

/** The output of a short program, or undefined when it fails or does not exist. */
export async function ask(command, args, options = {}) {
  try {
    const { output } = await run(command, args, { ...options, show: "none" });
    return output.trim();
  } catch {
    return undefined;
  }
}

/** Tells how far a long step is: in place in a terminal, as a line every 15 s elsewhere. */
class Ticker {
  constructor(label) {
    this.label = label;
    this.start = Date.now();
    this.last = Date.now();
    this.text = "";
    this.timer = setInterval(() => this.tick(), process.stdout.isTTY ? 500 : 15_000);
    this.timer.unref();
  }

  tell(text) {
    this.text = text;
  }

  tick() {
    const line = `    … ${this.label}: ${seconds(Date.now() - this.start)} ${this.text}`;
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
    else console.log(line);
  }

  end() {
    clearInterval(this.timer);
    if (process.stdout.isTTY) process.stdout.write("\r\u001b[K");
  }
}

export function seconds(ms) {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 100_000) return `${Math.round(ms / 1000)} s`;
  return `${Math.floor(ms / 60_000)} m ${String(Math.round((ms % 60_000) / 1000)).padStart(2, "0")} s`;
}

/** Runs the body of a script: an error is told as its message, without a stack. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    console.error(`\n${process.env.EPODE_DEBUG ? error.stack : error.message}`);
    process.exitCode = 1;
  }
}
