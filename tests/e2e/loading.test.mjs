// Loading the WebAssembly module: what fails is an error with a code and advice, for every call that needs the module, and
// the next call tries again.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { environment } from "./support.mjs";

const env = environment();

const HTML = "<!doctype html><html><body>There is no such page.</body></html>";

/** A module that imports what these scripts do not have: `(import "elsewhere" "f" (func))`. */
const FOREIGN = Buffer.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 15, 1, 9, ...Buffer.from("elsewhere"), 1, 102, 0, 0]);

/** How the module's file can be answered, and what comes of it. */
const ANSWERS = {
  "404, as HTML": [{ status: 404, contentType: "text/html", body: HTML }, { code: "module-unavailable", httpStatus: 404, message: /status 404.*[Cc]opy epode_bg\.wasm.*init\(/s }],
  "404, as application/wasm": [{ status: 404, contentType: "application/wasm", body: "" }, { code: "module-unavailable", httpStatus: 404 }],
  "500": [{ status: 500, body: "" }, { code: "module-unavailable", httpStatus: 500 }],
  "403, empty": [{ status: 403, body: "" }, { code: "module-unavailable", httpStatus: 403 }],
  "an HTML page in its place, as a development server sends it": [
    { status: 200, contentType: "text/html", body: HTML },
    { code: "module-unavailable", message: /an HTML page.*optimizeDeps.*application\/wasm/s },
  ],
  "an HTML page that calls itself application/wasm": [{ status: 200, contentType: "application/wasm", body: HTML }, { code: "module-unavailable", message: /caches/ }],
  "an empty file": [{ status: 200, contentType: "application/octet-stream", body: "" }, { code: "module-unavailable", message: /an empty file/ }],
  "an empty file of the right type": [{ status: 200, contentType: "application/wasm", body: "" }, { code: "module-unavailable" }],
  "a pointer of Git LFS": [{ status: 200, contentType: "text/plain", body: "version https://git-lfs.github.com/spec/v1" }, { code: "module-unavailable", message: /something else/ }],
  "no network": ["abort", { code: "module-unavailable", message: /could not be fetched.*connect-src.*tries again/s }],
  "a module of another version": [{ status: 200, contentType: "application/wasm", body: FOREIGN }, { code: "module-unavailable", message: /another version.*Deploy/s }],
};

function moduleBytes() {
  return fs.readFileSync(path.join(env.package, "epode_bg.wasm"));
}

/** Answers the module's file in place of the origin. */
async function intercept(page, answer) {
  await page.route("**/epode_bg.wasm", (route) => (answer === "abort" ? route.abort() : route.fulfill(answer)));
}

/** What every call that needs the module comes to: the errors by call. */
function callAll(page) {
  return page.evaluate(async () => {
    const LOGIN = { jid: "a@b.example", password: "x" };
    const SESSION = { jid: "a@b.example/c", sid: "s", rid: 1 };
    const { Juggernaut } = await import("/epode/juggernaut.js");
    const { PubSubClient } = await import("/epode/pubsub-client.js");
    const { Client } = epode;
    const jug = new Juggernaut({ service: BOSH, domain: "b.example" });
    const told = [];
    jug.on("error", (error) => told.push(describe(error)));
    const pubsub = new PubSubClient({ bosh_service: BOSH, domain: "b.example", error_cb: (error) => told.push(describe(error)) });
    const errors = {
      init: await failure(epode.init()),
      "Client.connect": await failure(new Client(BOSH, LOGIN).connect()),
      "Client.attach": await failure(new Client(BOSH, SESSION).attach(SESSION)),
      connect: await failure(epode.connect(BOSH, LOGIN)),
      attach: await failure(epode.attach(BOSH, SESSION)),
      register: await failure(epode.register(BOSH, { domain: "b.example", username: "a", password: "x" })),
      discover: await failure(epode.discover("b.example")),
      "Juggernaut.connect": await failure(jug.connect()),
      "Juggernaut.subscribe": await failure(jug.subscribe("channel", () => {})),
      "PubSubClient.ready": await failure(pubsub.ready),
      "PubSubClient.publish": await failure(pubsub.publish("node", ["x"])),
    };
    // Not awaited by the page: nothing of it may be an unhandled rejection.
    jug.publish("channel", 1);
    new Client(BOSH, LOGIN).disconnect();
    await nextTask();
    // Calls share a load under way: once this one has failed, what is called next loads the file as it is then.
    await failure(epode.init());
    return { errors, told };
  });
}

for (const [name, [answer, expected]] of Object.entries(ANSWERS)) {
  test(`the module's file: ${name}`, async () => {
    const page = await env.page();
    await intercept(page, answer);
    const { errors, told } = await callAll(page);
    for (const [call, error] of [...Object.entries(errors), ...told.map((error) => ["told", error])]) {
      assert.equal(error.name, "XmppError", `${call}: ${JSON.stringify(error)}`);
      assert.equal(error.code, expected.code, `${call}: ${error.message}`);
      assert.equal(error.httpStatus, expected.httpStatus, call);
      if (expected.message) assert.match(error.message, expected.message, call);
    }
    assert.ok(told.length > 0, "the pages of older systems are told");
    // Deployed in the meantime: the next call loads it.
    await page.unroute("**/epode_bg.wasm");
    const { jid, password } = await env.account();
    const status = await page.evaluate(
      async ({ jid, password }) => {
        const client = await epode.connect(BOSH, { jid, password });
        const { status } = client;
        await client.disconnect();
        return status;
      },
      { jid, password },
    );
    assert.equal(status, "online");
  });
}

test("a truncated file, or one whose transfer breaks", async () => {
  const bytes = moduleBytes();
  for (const contentType of ["application/wasm", "application/octet-stream"]) {
    const page = await env.page();
    await intercept(page, { status: 200, contentType, body: bytes.subarray(0, bytes.length / 2) });
    const error = await page.evaluate(() => failure(epode.init()));
    assert.equal(error.code, "module-unavailable", contentType);
    assert.match(error.message, /cut short, damaged/);
  }
  const origin = await env.serve();
  const broken = env.route(({ response }) => {
    response.writeHead(200, { "Content-Type": "application/wasm", "Content-Length": bytes.length });
    response.write(bytes.subarray(0, 1000), () => response.destroy());
  });
  const page = await env.page({ origin });
  const error = await page.evaluate((address) => failure(epode.init(address)), broken);
  assert.equal(error.code, "module-unavailable");
});

test("a wrong content type around the right file loads it", async () => {
  for (const contentType of ["application/octet-stream", "text/html", "application/wasm; charset=utf-8"]) {
    const page = await env.page();
    await intercept(page, { status: 200, contentType, body: moduleBytes() });
    assert.equal(await page.evaluate(() => epode.init().then(() => "loaded")), "loaded", contentType);
  }
});

test("a content security policy that forbids WebAssembly", async () => {
  const origin = await env.serve({ headers: { "Content-Security-Policy": "script-src 'self' 'unsafe-inline'" } });
  const page = await env.page({ origin });
  const { errors } = await callAll(page);
  for (const [call, error] of Object.entries(errors)) {
    assert.equal(error.code, "module-blocked", `${call}: ${error.message}`);
    assert.match(error.message, /'wasm-unsafe-eval' to script-src/, call);
  }
});

test("a content security policy that forbids fetching the file", async () => {
  const origin = await env.serve({ headers: { "Content-Security-Policy": "connect-src https://elsewhere.example" } });
  const page = await env.page({ origin });
  const error = await page.evaluate(() => failure(epode.init()));
  assert.equal(error.code, "module-unavailable");
  assert.match(error.message, /connect-src/);
});

test("a platform without WebAssembly", async () => {
  const page = await env.page({ ready: false, file: "/empty.html" });
  await page.addInitScript(() => delete globalThis.WebAssembly);
  await page.goto(`${env.origin.url}/blank.html`);
  await page.waitForFunction(() => window.ready);
  const { errors } = await callAll(page);
  for (const [call, error] of Object.entries(errors)) {
    assert.equal(error.code, "module-blocked", `${call}: ${error.message}`);
    assert.match(error.message, /no WebAssembly/, call);
  }
});

test("init() takes an address, a request, a response, bytes or a module; any other argument is an error", async () => {
  const page = await env.page();
  const codes = await page.evaluate(async () => {
    const file = "/epode/epode_bg.wasm";
    const codes = {};
    for (const [name, source] of Object.entries({ number: 7, object: {}, null_promise: Promise.resolve({}), text: "http://[", missing: "/nothing.wasm" })) {
      codes[name] = (await failure(epode.init(source))).code;
    }
    const missing = await fetch("/nothing.wasm");
    codes.response = (await failure(epode.init(missing))).code;
    codes.bytes = (await failure(epode.init(new Uint8Array(20)))).code;
    const bytes = await (await fetch(file)).arrayBuffer();
    const frame = document.body.appendChild(document.createElement("iframe"));
    const foreign = frame.contentWindow.eval("(bytes) => new Uint8Array(bytes).slice().buffer")(bytes);
    await epode.init(foreign);
    codes.foreign = "loaded";
    return codes;
  });
  assert.deepEqual(codes, {
    number: "bad-argument",
    object: "bad-argument",
    null_promise: "bad-argument",
    text: "module-unavailable",
    missing: "module-unavailable",
    response: "module-unavailable",
    bytes: "module-unavailable",
    foreign: "loaded",
  });
});

// ── Node ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "epode-loading-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

test("in Node: a file that a bundler has left out, and a damaged one", async () => {
  const place = path.join(folder, "bundle");
  fs.cpSync(env.package, place, { recursive: true });
  const file = path.join(place, "epode_bg.wasm");
  fs.rmSync(file);
  const epode = await import(pathToFileURL(path.join(place, "node.js")));
  const options = { jid: "a@b.example", password: "x" };
  const unavailable = (message) => ({ name: "XmppError", code: "module-unavailable", message });
  await assert.rejects(epode.connect("http://127.0.0.1:9/bosh", options), unavailable(/ENOENT.*[Cc]opy epode_bg\.wasm/s));
  fs.writeFileSync(file, moduleBytes().subarray(0, 5000));
  await assert.rejects(epode.register("http://127.0.0.1:9/bosh", { domain: "b.example", username: "a", password: "x" }), unavailable(/cut short/));
  fs.writeFileSync(file, "");
  await assert.rejects(epode.discover("b.example"), unavailable(/an empty file/));
  fs.writeFileSync(file, moduleBytes());
  await epode.init();
});
