// What the tests of the examples stand on: an example as `npm run example:NAME` starts it, and Chromium.
//
// EPODE_SERVER (prosody | ejabberd), EPODE_PACKAGE (the unpacked package; default: pkg/), EPODE_CHROMIUM.

import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import path from "node:path";
import { chromium } from "playwright-core";
import { startExample } from "../../scripts/examples.mjs";
import { sleep } from "../servers/lifecycle.mjs";

export const SERVER = process.env.EPODE_SERVER || "prosody";
/** For what should happen at once: reached only when it does not happen at all. */
export const LIMIT = Number(process.env.EPODE_LIMIT ?? 20_000);

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"];

/** What a page may not do: throw, or break the policy it is served with. What a test makes fail is the browser's to log. */
const EXPECTED = /^(Failed to load resource|WebSocket connection to )/;

/** Starts the example before the first test of the file, and stops it after the last. */
export function environment(name) {
  const env = { problems: [] };
  before(async () => {
    const pkg = process.env.EPODE_PACKAGE && path.resolve(process.env.EPODE_PACKAGE);
    [env.example, env.browser] = await Promise.all([
      startExample(name, { server: SERVER, ...(pkg && { pkg }) }),
      chromium.launch({ executablePath: process.env.EPODE_CHROMIUM || "/usr/bin/chromium", args: FLAGS }),
    ]);
  });
  after(async () => {
    await env.browser?.close();
    await env.example?.stop();
  });
  afterEach(() => assert.deepEqual(env.problems.splice(0), [], "errors in pages"));

  /** A page with cookies of its own. */
  env.open = async (t, address) => {
    const context = await env.browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(LIMIT);
    t.after(() => context.close());
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => env.problems.push(error.stack));
    page.on("console", (message) => message.type() === "error" && !EXPECTED.test(message.text()) && env.problems.push(message.text()));
    await page.goto(env.example.url + address);
    return page;
  };

  /** Ends the XMPP server as a crash would. */
  env.crash = async () => {
    // What Mnesia has committed is on the disk some two seconds later; a node that was made just now would be lost.
    if (SERVER === "ejabberd") await sleep(3000);
    await env.example.xmpp.kill();
  };

  /** Starts it again, at the same address. */
  env.startAgain = async () => {
    for (const end = Date.now() + LIMIT; ; await sleep(50)) {
      try {
        return await env.example.xmpp.start();
      } catch (error) {
        // The kernel takes its time to close what a large process had open.
        if (!/in use/.test(error.message) || Date.now() > end) throw error;
      }
    }
  };

  /** Lines of the site's log, from a place on. */
  env.logged = (pattern, from = 0) => env.example.log().slice(from).split("\n").filter((line) => pattern.test(line));
  return env;
}

/** Waits until something holds. */
export async function until(what, holds) {
  for (const end = Date.now() + LIMIT; ; await sleep(30)) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) assert.fail(`not within ${LIMIT} ms: ${what}`);
  }
}
