// What errors say to people: something for each way in which something ends, and the right thing.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/lib/project.mjs";
import { importSources } from "../../scripts/lib/typescript.mjs";

const { problem, sayEnd, sayRefusal, stanzaError } = await importSources("errors", "advice");
const production = await importSources("advice.production");

const end = (name, facts = {}, text = undefined) => sayEnd(name, text, { detail: "", condition: "", httpStatus: 0, ...facts });
const PUBSUB = "http://jabber.org/protocol/pubsub#errors";
const refusal = (application, applicationNs = PUBSUB, condition = "conflict", type = "cancel") =>
  sayRefusal({ condition, type, text: undefined, application, applicationNs });

/** The names that a function of proto/src/error.rs returns. */
function namesIn(file, name) {
  const text = fs.readFileSync(at("proto/src", file), "utf8");
  const body = text.slice(text.indexOf(`pub fn ${name}(`));
  return [...body.slice(0, body.indexOf("\n    }\n")).matchAll(/"([a-z-]+)"/g)].map(([, name]) => name);
}

test("each end of a connection has a sentence", () => {
  const names = new Set([...namesIn("error.rs", "sentence"), ...namesIn("error.rs", "code"), ...namesIn("prepare.rs", "sentence")]);
  // These have others: who asked is not told, and these codes have a name for each reason.
  for (const name of ["disconnected", "insecure", "bad-argument"]) assert.ok(names.delete(name), name);
  assert.ok(names.size > 25, String(names.size));
  for (const name of names) assert.doesNotMatch(end(name, { detail: "lang" }), new RegExp(`^${name}\\b`), name);
});

test("each condition of XEP-0124 §17.2 has advice", () => {
  const general = end("terminated", { condition: "undefined-condition" });
  assert.equal(general, "The BOSH service ended the session: undefined-condition. Connect anew.");
  for (const condition of [
    ..."bad-request host-gone host-unknown improper-addressing internal-server-error item-not-found other-request".split(" "),
    ..."policy-violation remote-connection-failed remote-stream-error see-other-uri system-shutdown".split(" "),
  ]) {
    const told = end("terminated", { condition });
    assert.ok(told.includes(condition), told);
    assert.notEqual(told, general.replace("undefined-condition", condition));
  }
  assert.match(end("terminated", { condition: "toString" }), /Connect anew\.$/);
});

test("the end of a connection names its details", () => {
  assert.match(end("see-other-uri", { detail: "https://secure.example.org/bosh" }), /: https:\/\/secure\.example\.org\/bosh\. /);
  assert.match(end("auth-failed", { condition: "not-authorized" }, "Try harder"), /^The server refused the login: not-authorized \(Try harder\)\. /);
  assert.match(end("unsupported", { detail: "WebSocket" }), /no WebSocket: pass { WebSocket }.*package ws/);
  assert.match(end("unsupported", { detail: "fetch" }), /no fetch: pass { fetch }/);
  assert.match(end("login-broke-off", { detail: "nonce" }), /broke off: the server's nonce/);
  assert.match(end("login-broke-off", { detail: "other-error" }), /broke off: other-error\. /);
  assert.match(end("timeout", { detail: "binding" }), /too long: the resource was not bound\. /);
  assert.equal(end("invalid-option", { detail: "lang" }), `The option 'lang' is a language tag, such as "en" or "pt-BR" (RFC 5646). Nothing was sent.`);
  assert.match(problem("invalid-option", "domain").message, /^The option 'domain' is the name of a server, such as "example\.org"\.$/);
  assert.match(problem("unsendable-option", "fields").message, /^The option 'fields' holds a character .*: remove it\.$/);
});

test("each HTTP status has advice", () => {
  for (const [httpStatus, word] of [
    [404, /its path/],
    [401, /permission/],
    [403, /permission/],
    [302, /not followed/],
    [400, /BOSH service/],
    [500, /behind it/],
    [599, /behind it/],
  ]) {
    const told = end("http-error", { httpStatus });
    assert.ok(told.startsWith(`The service answered with HTTP status ${httpStatus}. `), told);
    assert.match(told, word);
  }
});

test("a required manual registration names its address and the alternatives", () => {
  const none = end("person-or-answer-wanted", {}, "Look!");
  assert.match(none, /names no address \(Look!\)\. .*XMPP client/);
  assert.match(end("person-or-answer-wanted", { detail: "cid:x" }), /inside the stanza \(cid:x\)/);
  assert.match(end("person-wanted", { detail: "https://e.org/" }), /: https:\/\/e\.org\/\. Open that address to register there\.$/);
  assert.match(end("person-or-answer-wanted", { detail: "https://e.org/, cid:x" }), /, cid:x\. Open that address, or solve/);
  assert.match(end("fields-missing", { detail: "email, city" }), /account: email, city\. Give them/);
});

test("the conditions of publish-subscribe have sentences", () => {
  for (const [application, word] of [
    ["invalid-jid", "bare or full"],
    ["presence-subscription-required", "presence"],
    ["not-in-roster-group", "groups"],
    ["closed-node", "member"],
    ["pending-subscription", "approved"],
    ["configuration-required", "options"],
    ["subid-required", "subid"],
    ["not-subscribed", "subscribe"],
    ["invalid-subid", "subid"],
    ["invalid-options", "option"],
    ["node-full", "retract"],
    ["payload-too-big", "less"],
    ["invalid-payload", "one element"],
    ["item-required", "payload"],
    ["payload-required", "payload"],
    ["item-forbidden", "null"],
    ["unsupported", "metadata"],
    ["precondition-not-met", "configure: true"],
  ]) {
    assert.ok(refusal(application).includes(word), application);
  }
  // Nothing is said about what others call the same.
  const conflict = refusal(undefined, undefined);
  assert.equal(conflict, "The name is taken: choose another.");
  for (const other of [refusal("closed-node", "urn:other"), refusal("odd"), refusal("constructor")]) assert.equal(other, conflict);
});

test("a condition without its own advice gets that of its type", () => {
  for (const [type, advice] of [
    ["auth", "Authenticate first."],
    ["cancel", "Repeating it will not help."],
    ["continue", "It was only a warning."],
    ["modify", "Change what was sent, and send it again."],
    ["wait", "Try again later."],
  ]) {
    assert.equal(refusal(undefined, undefined, "undefined-condition", type), advice);
    assert.equal(refusal(undefined, undefined, "toString", type), advice);
  }
  const fields = { condition: "forbidden", type: "auth", text: "No.", application: "closed-node", applicationNs: "urn:x" };
  assert.match(stanzaError(fields).message, /^forbidden \(closed-node\): No\.\. This account/);
});

test("for production, sentences keep names and details and drop the advice", () => {
  assert.deepEqual(Object.keys(production).sort(), ["sayEnd", "sayProblem", "sayRefusal"]);
  const see = 'See "Errors" in epode/README.md.';
  assert.equal(production.sayProblem("bad-jid", "a@", "empty"), `bad-jid (a@ empty). ${see}`);
  assert.equal(production.sayProblem("freed", "", ""), `freed. ${see}`);
  assert.equal(production.sayEnd("http-error", undefined, { detail: "", condition: "", httpStatus: 404 }), `http-error (404). ${see}`);
  assert.equal(production.sayEnd("ended", undefined, { detail: "", condition: "", httpStatus: 0 }), `ended. ${see}`);
  assert.equal(production.sayRefusal({}), see);
});
