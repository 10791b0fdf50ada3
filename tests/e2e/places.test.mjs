// Where it runs: under a strict policy, in a worker, in a service worker, in Node. And that importing it does nothing.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { EXPECTED, flow } from "./pages/flow.js";
import { environment } from "./support.mjs";

const env = environment();

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'";

async function options(service = "/http-bind") {
  const { domain, conference } = env.names;
  const unique = env.name("flow");
  const stranger = { username: `stranger-${unique}`, password: "pencil" };
  return { service, account: await env.account(), stranger, domain, conference, unique };
}

test("under a strict content security policy, trusted types included", async () => {
  const origin = await env.serve({ headers: { "Content-Security-Policy": POLICY } });
  let done;
  const reported = new Promise((resolve) => (done = resolve));
  const report = env.route(({ response, body }) => {
    response.end();
    done(JSON.parse(body));
  });
  const hash = encodeURIComponent(JSON.stringify({ report, options: await options() }));
  await env.page({ origin, file: `/strict.html#${hash}`, ready: false });
  const { result, refused, violations } = await reported;
  assert.deepEqual(refused, ["EvalError", "EvalError", "TypeError"], "the policy is in force");
  assert.deepEqual(result, EXPECTED);
  assert.deepEqual(violations, []);
});

test("in a module worker", async () => {
  const page = await env.page();
  const { result, dom } = await page.evaluate(async (options) => {
    const worker = new Worker("/worker.js", { type: "module" });
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    worker.postMessage(options);
    return within(answer, "the worker's answer");
  }, await options());
  assert.deepEqual(dom, ["undefined", "undefined", "undefined"]);
  assert.deepEqual(result, EXPECTED);
});

test("in a service worker", async () => {
  const page = await env.page();
  const { result, dom } = await page.evaluate(async (options) => {
    const registration = await navigator.serviceWorker.register("/worker.js", { type: "module", scope: "/nowhere/" });
    const worker = registration.installing ?? registration.waiting ?? registration.active;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    worker.postMessage(options, [port2]);
    const got = await within(answer, "the service worker's answer");
    await registration.unregister();
    return got;
  }, await options());
  assert.deepEqual(dom, ["undefined", "undefined", "undefined"]);
  assert.deepEqual(result, EXPECTED);
});

test("in Node, by the package's entry for Node", async () => {
  const epode = await env.node();
  assert.match(epode.where, /node\.js$/);
  const result = await flow(epode, await options(env.server.bosh));
  assert.deepEqual(result, EXPECTED);
  // Without a page there is nothing that an address could be relative to.
  await assert.rejects(epode.connect("/http-bind", { jid: "a@b", password: "x" }), { name: "XmppError", code: "bad-argument" });
});

test("a Node program that has disconnected ends by itself", async () => {
  const epode = await env.node();
  const folder = path.dirname(fileURLToPath(epode.place));
  const program = path.join(folder, "program.mjs");
  fs.writeFileSync(
    program,
    `import { connect } from "epode";
     const client = await connect(${JSON.stringify(env.server.bosh)}, ${JSON.stringify(await env.account())});
     await client.disconnect();
     console.log(client.status);`,
  );
  const child = execFile(process.execPath, [program], { timeout: 60_000 });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  const [code, signal] = await once(child, "close");
  assert.deepEqual([code, signal, chunks.join("")], [0, null, "offline\n"]);
});

test("importing does nothing: no request for the module, no name in the window", async () => {
  const page = await env.page({ file: "/empty.html", ready: false });
  env.origin.resetCounts();
  const { added, requests } = await page.evaluate(async () => {
    const before = Object.getOwnPropertyNames(window);
    const epode = await import("/epode/index.js");
    const added = Object.getOwnPropertyNames(window).filter((name) => !before.includes(name));
    new epode.Client("/http-bind", { jid: "a@b", password: "x" });
    epode.xml`<a>${"b"}</a>`;
    await new Promise((resolve) => setTimeout(resolve, 0));
    return { added, requests: performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname) };
  });
  assert.deepEqual(added, []);
  assert.ok(requests.every((name) => /\.js$/.test(name)), requests.join(" "));
  assert.equal(Object.keys(env.origin.counts).some((name) => name.endsWith(".wasm")), false);
});

test("init() is idempotent, takes a source, and can be tried again after it failed", async () => {
  const page = await env.page();
  const result = await page.evaluate(async () => {
    const failed = await epode.init("/nothing-here.wasm").then(() => "loaded", () => "failed");
    const [one, two] = [epode.init("/epode/epode_bg.wasm"), epode.init()];
    await one;
    return { failed, same: one === two, value: await two, ready: new epode.Client(BOSH, { jid: "a@b", password: "x" }).status };
  });
  assert.deepEqual(result, { failed: "failed", same: true, value: undefined, ready: "offline" });
});
