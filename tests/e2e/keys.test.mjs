// The keys of SCRAM: derived by the platform where it has `crypto.subtle`, in Rust where it has none or refuses, once for all logins
// of a client with the same password. The server stores hashed passwords, so that the salt of an account stays the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment({ server: { authentication: "internal_hashed" } });

/** Runs in the page: `derivations` is how often the platform was asked. */
function countDerivations() {
  window.derivations = 0;
  const { deriveBits } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.deriveBits = function (...args) {
    window.derivations += 1;
    return deriveBits.apply(this, args);
  };
}

test("the platform derives the keys once for all logins of a client", async () => {
  const page = await env.page();
  await page.evaluate(countDerivations);
  const { counts, stored } = await page.evaluate(async (account) => {
    let stored = "";
    const memory = { get: () => undefined, set: (value) => (stored = value) };
    const client = new epode.Client(BOSH, { ...account, memory });
    const counts = [];
    for (let login = 0; login < 3; login++) {
      await client.connect();
      await client.disconnect();
      counts.push(derivations);
    }
    // Another client has its own.
    client.free();
    const other = new epode.Client(BOSH, account);
    await other.connect();
    await other.disconnect();
    counts.push(derivations);
    return { counts, stored };
  }, await env.account());
  assert.deepEqual(counts, [1, 1, 1, 2]);
  assert.match(stored, /SCRAM/);
  assert.doesNotMatch(stored, /pencil/);
});

test("another password is derived again, and the keys of a refused one are not kept", async () => {
  const page = await env.page();
  await page.evaluate(countDerivations);
  const { codes, counts } = await page.evaluate(async ({ jid, password }) => {
    const given = [password, "another one", password, "another one"];
    const client = new epode.Client(BOSH, { jid, password: () => given.shift() });
    const codes = [];
    const counts = [];
    while (given.length > 0) {
      codes.push(await client.connect().then(() => "online", ({ code }) => code));
      await client.disconnect();
      counts.push(derivations);
    }
    return { codes, counts };
  }, await env.account());
  assert.deepEqual(codes, ["online", "auth-failed", "online", "auth-failed"]);
  assert.deepEqual(counts, [1, 2, 2, 3]);
});

for (const [name, spoil] of [
  ["without crypto.subtle", () => Object.defineProperty(crypto, "subtle", { value: undefined })],
  ["where importKey rejects", () => (SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException("no", "NotSupportedError")))],
  ["where importKey throws", () => (SubtleCrypto.prototype.importKey = () => { throw new Error("no"); })],
  ["where deriveBits rejects", () => (SubtleCrypto.prototype.deriveBits = () => Promise.reject(new DOMException("no", "OperationError")))],
  ["where deriveBits gives something else", () => (SubtleCrypto.prototype.deriveBits = async () => new ArrayBuffer(3))],
]) {
  test(`the keys are derived in Rust ${name}`, async () => {
    const page = await env.page();
    await page.evaluate(spoil);
    const status = await page.evaluate(async (account) => {
      const client = await epode.connect(BOSH, account);
      const { status } = client;
      await client.disconnect();
      return status;
    }, await env.account());
    assert.equal(status, "online");
  });
}

test("the deadline continues while the platform derives, and free() ends the derivation", async () => {
  const page = await env.page();
  const { error, late } = await page.evaluate(async (account) => {
    const waiting = inbox("a derivation");
    const { deriveBits } = SubtleCrypto.prototype;
    SubtleCrypto.prototype.deriveBits = function (...args) {
      return new Promise((resolve) => waiting.push(() => resolve(deriveBits.apply(this, args))));
    };
    const client = new epode.Client(BOSH, { ...account, timeout: 2_000 });
    const error = await failure(client.connect());
    // The late answer is of no use to the next login, which asks for its own.
    const connected = failure(client.connect());
    const [first, second] = await waiting.until(2);
    first();
    client.free();
    second();
    return { error, late: await connected };
  }, await env.account());
  assert.equal(error.code, "timeout");
  assert.equal(late.code, "freed");
});

test("Node derives them too", async () => {
  const { Client } = await env.node();
  const { deriveBits } = crypto.subtle;
  let derivations = 0;
  crypto.subtle.deriveBits = function (...args) {
    derivations += 1;
    return deriveBits.apply(this, args);
  };
  try {
    const client = new Client(env.server.bosh, await env.account());
    for (let login = 0; login < 2; login++) {
      await client.connect();
      await client.disconnect();
    }
    client.free();
  } finally {
    delete crypto.subtle.deriveBits;
  }
  assert.equal(derivations, 1);
});
