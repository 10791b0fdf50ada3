// What a platform may lack, and the page may give in its place: `WebSocket` (Node before 22) and `fetch`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { freePort } from "../servers/lifecycle.mjs";
import { environment } from "./support.mjs";

const env = environment({ browser: false });

/** Runs `act` while the global scope has no such name. */
async function without(name, act) {
  const own = Object.getOwnPropertyDescriptor(globalThis, name);
  delete globalThis[name];
  assert.equal(globalThis[name], undefined);
  try {
    return await act();
  } finally {
    if (own) Object.defineProperty(globalThis, name, own);
  }
}

const lacks = (what) => ({ name: "XmppError", code: "unsupported", message: new RegExp(`This platform has no ${what}: pass \\{ ${what} \\}`) });

async function names() {
  const epode = await env.node();
  const account = await env.account();
  const { bosh, ws, domain } = env.server;
  return { epode, account, bosh, ws, domain };
}

/** Logs in, hears itself, and leaves. */
async function lives(epode, service, options) {
  const client = await epode.connect(service, options);
  const heard = new Promise((resolve) => client.addHandler((stanza) => resolve(stanza.text("body")), { name: "message" }));
  await client.send(epode.xml`<message to="${client.jid}"><body>äöü 😀</body></message>`);
  assert.equal(await heard, "äöü 😀");
  const used = client.service;
  await client.disconnect();
  assert.equal(client.status, "offline");
  return used;
}

test("a ws: service without WebSocket: every call fails at once with an error that names the cause", async () => {
  const { epode, account, ws, domain } = await names();
  await without("WebSocket", async () => {
    await assert.rejects(epode.connect(ws, account), lacks("WebSocket"));
    const client = new epode.Client(ws, account);
    const statuses = [];
    client.on("status", ({ status, error }) => statuses.push([status, error?.code]));
    await assert.rejects(client.connect(), lacks("WebSocket"));
    assert.deepEqual(statuses, [["connecting", undefined], ["offline", "unsupported"]]);
    await assert.rejects(epode.register(ws, { domain, username: env.name(), password: "x" }), lacks("WebSocket"));
  });
});

test("{ WebSocket }: connect, Client and register use it", async () => {
  const { epode, account, ws, domain } = await names();
  let made = 0;
  class Counted extends WebSocket {
    constructor(...args) {
      super(...args);
      made += 1;
      assert.equal(args[1], "xmpp");
    }
  }
  const username = env.name("registered");
  await without("WebSocket", async () => {
    await lives(epode, ws, { ...account, WebSocket: Counted });
    await epode.register(ws, { domain, username, password: "pencil", WebSocket: Counted });
    await lives(epode, ws, { jid: `${username}@${domain}`, password: "pencil", WebSocket: Counted });
  });
  assert.equal(made, 3);
});

test("without a WebSocket the next service is used", async () => {
  const { epode, account, ws, bosh } = await names();
  assert.equal(await without("WebSocket", () => lives(epode, [ws, bosh], account)), bosh);
});

test("a given WebSocket that fails or is aborted: an error, and no unhandled rejection", async () => {
  const { epode, account, ws } = await names();
  const closed = `ws://127.0.0.1:${await freePort()}/`;
  await assert.rejects(epode.connect(closed, { ...account, WebSocket }), { code: "unreachable" });
  for (let turns = 0; turns < 20; turns += 1) {
    const controller = new AbortController();
    const connecting = epode.connect(ws, { ...account, WebSocket, signal: controller.signal });
    const settled = Promise.allSettled([connecting]);
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    controller.abort();
    const [{ value, reason }] = await settled;
    if (value) await value.disconnect();
    else assert.equal(reason.code, "aborted");
  }
  const throwing = function () {
    throw new Error("no sockets here");
  };
  await assert.rejects(epode.connect(ws, { ...account, WebSocket: throwing }), { code: "unreachable" });
  // An 'error' event without a listener would have ended this process by now.
  await new Promise(setImmediate);
});

test("{ fetch }: replaces the platform's; without either, the error names the cause", async () => {
  const { epode, account, bosh } = await names();
  const { fetch } = globalThis;
  await without("fetch", async () => {
    await assert.rejects(epode.connect(bosh, account), lacks("fetch"));
    let count = 0;
    await lives(epode, bosh, { ...account, fetch: (...args) => ((count += 1), fetch(...args)) });
    assert.ok(count > 3, `${count} requests`);
    const throwing = () => {
      throw new Error("no network here");
    };
    await assert.rejects(epode.connect(bosh, { ...account, fetch: throwing }), { code: "unreachable" });
    await assert.rejects(epode.connect(bosh, { ...account, fetch: () => undefined }), { code: "unreachable" });
  });
});

test("options that are not functions are refused", async () => {
  const { epode, account, ws, domain } = await names();
  for (const name of ["WebSocket", "fetch"]) {
    for (const value of [7, "x", {}, true]) {
      const wrong = { name: "XmppError", code: "bad-argument", message: new RegExp(`'${name}'`) };
      await assert.rejects(epode.connect(ws, { ...account, [name]: value }), wrong);
      await assert.rejects(epode.register(ws, { domain, username: "a", password: "b", [name]: value }), wrong);
    }
  }
});
