// Options that cannot be meant are errors that name them, as are options that do not exist.

import assert from "node:assert/strict";
import { test } from "node:test";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { Reader, addressesOf, readClientOptions, readMatcher, readRegisterOptions, valuesOf } = await importSources("options", "transport-options", "reader", "matcher", "form");

const LOGIN = { jid: "romeo@example.org", password: "pencil" };
const read = (options) => readClientOptions(["/http-bind"], options);
const refused = (act) => {
  try {
    act();
  } catch (error) {
    assert.equal(error.name, "XmppError", error.stack);
    return error;
  }
  assert.fail("it was taken");
};

const CASES = [
  [undefined, "options are missing"],
  [null, "options are missing"],
  ["x", "options are missing"],
  [{}, "exactly one way to log in"],
  [{ jid: "romeo@example.org" }, "exactly one way to log in"],
  [{ ...LOGIN, anonymous: true }, "exactly one way to log in"],
  [{ ...LOGIN, token: "t" }, "exactly one way to log in"],
  [{ jid: "romeo@example.org", anonymous: true }, "exactly one way to log in"],
  [{ anonymous: true }, "domain"],
  [{ domain: "a@example.org", anonymous: true }, "domain"],
  [{ domain: "example.org/x", anonymous: true }, "domain"],
  [{ ...LOGIN, wait: "60" }, "wait"],
  [{ ...LOGIN, wait: 0 }, "wait"],
  [{ ...LOGIN, wait: Number.NaN }, "wait"],
  [{ ...LOGIN, hold: 5 }, "hold"],
  [{ ...LOGIN, timeout: -1 }, "timeout"],
  [{ ...LOGIN, silence: 999 }, "silence"],
  [{ ...LOGIN, maxBytes: 0 }, "maxBytes"],
  [{ ...LOGIN, headers: { "bad name": "x" } }, "headers"],
  [{ ...LOGIN, headers: { X: "a\nb" } }, "headers"],
  [{ ...LOGIN, headers: { X: 1 } }, "headers"],
  [{ ...LOGIN, presence: "yes" }, "presence"],
  [{ ...LOGIN, password: 7 }, "password"],
  [{ ...LOGIN, reconnect: "yes" }, "reconnect"],
  [{ ...LOGIN, reconnect: { least: 0 } }, "least"],
  [{ ...LOGIN, reconnect: { lest: 5 } }, "lest"],
  [{ ...LOGIN, mechanisms: [] }, "mechanisms"],
  [{ ...LOGIN, mechanisms: ["MD5"] }, "mechanisms"],
  [{ ...LOGIN, mechanisms: "PLAIN" }, "mechanisms"],
  [{ ...LOGIN, memory: { get() {} } }, "memory"],
  [{ ...LOGIN, keep: 7 }, "keep"],
  [{ ...LOGIN, WebSocket: {} }, "WebSocket"],
  [{ ...LOGIN, fetch: "fetch" }, "fetch"],
  [{ ...LOGIN, about: { features: "x" } }, "features"],
  [{ ...LOGIN, about: { answerTo: "friends" } }, "answerTo"],
  [{ ...LOGIN, about: { nmae: "x" } }, "nmae"],
];

test("an invalid option is an error that names it", () => {
  for (const [options, hint] of CASES) {
    const { code, message } = refused(() => read(options));
    assert.equal(code, "bad-argument", message);
    assert.ok(message.includes(hint), message);
  }
  assert.equal(refused(() => read({ ...LOGIN, jid: "@" })).code, "bad-jid");
  assert.equal(refused(() => read({ ...LOGIN, jid: "example.org" })).code, "bad-jid");
  assert.equal(refused(() => readClientOptions([], LOGIN)).code, "bad-argument");
});

test("an unknown option is an error that names it and the known ones", () => {
  const { code, message } = refused(() => read({ ...LOGIN, keeep: true }));
  assert.equal(code, "bad-argument");
  assert.match(message, /^There is no option 'keeep' here\./);
  assert.match(message, /\bkeep\b/);
  assert.match(refused(() => readMatcher({ naem: "iq" })).message, /'naem'/);
  assert.match(refused(() => readRegisterOptions(["/b"], { domain: "a", username: "b", password: "c", resource: "d" })).message, /'resource'/);
  // Left out is left out, however that is written.
  read({ ...LOGIN, keeep: undefined });
});

test("options that cannot be sent are refused", () => {
  for (const wrong of ["a\u{1}b", "\0", "\ufffe", "\ud83d"]) {
    const options = [
      { ...LOGIN, resource: wrong },
      { ...LOGIN, lang: wrong },
      { ...LOGIN, password: wrong },
      { ...LOGIN, contentType: wrong },
      { ...LOGIN, headers: { X: wrong } },
      { ...LOGIN, about: { name: wrong } },
      { ...LOGIN, about: { version: wrong } },
      { ...LOGIN, about: { os: wrong } },
      { ...LOGIN, about: { features: [wrong] } },
    ];
    for (const one of options) assert.equal(refused(() => read(one)).code, "bad-argument", JSON.stringify(one));
    for (const name of ["jid", "domain"]) assert.equal(refused(() => read({ ...LOGIN, [name]: wrong })).code, "bad-jid", name);
  }
});

test("a registration that cannot be sent is refused, by the name of the field", () => {
  const right = { domain: "example.org", username: "romeo", password: "pencil" };
  for (const value of ["a\u{1}b", "\ud83d"]) {
    for (const [name, options] of [
      ["username", { ...right, username: value }],
      ["password", { ...right, password: value }],
      ["lang", { ...right, lang: value }],
      ["fields", { ...right, fields: { email: value } }],
    ]) {
      const { code, message } = refused(() => readRegisterOptions(["/b"], options));
      assert.equal(code, "bad-argument", name);
      assert.ok(message.includes(name), message);
    }
  }
  const { settings } = readRegisterOptions(["/b"], { ...right, fields: { email: "r@example.org" } });
  assert.deepEqual(settings.registration, ["username", "romeo", "password", "pencil", "email", "r@example.org"]);
  assert.equal(settings.presence, false);
});

test("valid options are read", () => {
  const { settings, login } = read({ ...LOGIN, jid: "Romeo@example.org/Balcony", keep: "chat", reconnect: { most: 5_000 }, wait: 7.9 });
  assert.deepEqual(login, { kind: "password", username: "romeo", secret: "pencil" });
  assert.deepEqual([settings.account, settings.resource, settings.domain], ["romeo@example.org", "balcony", "example.org"]);
  assert.equal(settings.keep, "epode chat example.org romeo@example.org");
  assert.deepEqual([settings.reconnect, settings.least, settings.most], [true, undefined, 5_000]);
  assert.equal(settings.wait, 7);
  assert.deepEqual(settings.headers, ["Content-Type", "text/xml; charset=utf-8"]);
  // Another domain than the account's is another server's business.
  assert.equal(read({ ...LOGIN, domain: "example.net" }).settings.account, undefined);
  assert.deepEqual(read({ domain: "example.org", anonymous: true }).login, { kind: "anonymous" });
  assert.deepEqual(read({ domain: "example.org", external: true }).login, { kind: "external", account: undefined });
  // A session that is there already needs no login.
  assert.equal(read({ jid: "romeo@example.org/x", sid: "s", rid: 1 }).login, undefined);
});

test("a service is one or more addresses", () => {
  assert.deepEqual(addressesOf("/b"), ["/b"]);
  assert.deepEqual(addressesOf([new URL("https://example.org/b"), "wss://example.org/ws"]), ["https://example.org/b", "wss://example.org/ws"]);
  for (const wrong of [undefined, null, 7, {}, [7]]) assert.equal(refused(() => addressesOf(wrong)).code, "bad-argument");
});

test("the values of a form are texts", () => {
  const read = new Reader({});
  assert.deepEqual(valuesOf(read, "values", { title: "x", "muc#a": 1, deliver: true, off: false, many: ["a", 2], none: undefined, nil: null, empty: [] }), [
    ["pubsub#title", ["x"]],
    ["muc#a", ["1"]],
    ["pubsub#deliver", ["1"]],
    ["pubsub#off", ["0"]],
    ["pubsub#many", ["a", "2"]],
    ["pubsub#empty", []],
  ]);
  for (const wrong of [{ a: "\u{1}" }, { a: Symbol.iterator && Object.create(null) }, { "\u{1}": "x" }]) {
    assert.match(refused(() => valuesOf(read, "values", wrong)).message, /'values'/);
  }
});
