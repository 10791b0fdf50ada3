// Connections over WebSocket beside strophe.js 5.0.0, with a scripted server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIBRARIES, both, client } from "./strophe/sides.mjs";

const SERVICE = { service: "ws://x/ws" };
const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' id='1' from='h'/>";
const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const SM = "urn:xmpp:sm:3";
const stream = (content) => `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${content}</stream:features>`;
const OFFER = stream(`<mechanisms xmlns='${SASL}'><mechanism>PLAIN</mechanism></mechanisms>`);
const BINDABLE = stream(`<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='${SM}'/>`);
const BOUND = client("iq", "type='result' id='_bind_auth_2'", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>u@h/r</jid></bind>");

async function login(side, jid = "u@h") {
  side.connection.connect(jid, "p", side.status);
  await side.open();
  for (const frame of [OPEN, OFFER, `<success xmlns='${SASL}'/>`, OPEN, BINDABLE, BOUND]) await side.give(frame);
}

/** The timer of the good-bye. */
const pass = () => new Promise((resolve) => setTimeout(resolve, 20).ref());

both("a login and a good-bye over WebSocket", async (side, connection) => {
  connection.xmlOutput = (elem) => side.seen.push(["out", elem.nodeName]);
  connection.xmlInput = (elem) => side.seen.push(["in", elem.nodeName]);
  await login(side);
  connection.addHandler(side.handler("message"), null, "message");
  await side.give(client("message", "id='1'", "<body>hi</body>"));
  connection.disconnect("bye");
  await pass();
}, SERVICE);

both("sending is synchronous", async (side, connection, { $msg }) => {
  await login(side);
  connection.xmlOutput = (elem) => side.seen.push(["out", elem.getAttribute("id")]);
  connection.rawOutput = (text) => side.seen.push(["raw", text]);
  connection.send($msg({ id: "1" }));
  side.seen.push(connection._data.length);
}, { ...SERVICE, wire: false });

test("stanzas sent from within xmlOutput follow the shown one", () => {
  // strophe.js 5.0.0 never comes to an end there.
  const { Connection, $msg } = LIBRARIES.ours;
  const connection = new Connection("ws://x/");
  const wire = [];
  connection._proto.socket = { send: (text) => wire.push(text), close() {}, readyState: 1 };
  connection.xmlOutput = (elem) => {
    if (elem.getAttribute("id") === "1") connection.send($msg({ id: "2" }));
  };
  connection.send($msg({ id: "1" }));
  assert.deepEqual(wire, ['<message id="1" xmlns="jabber:client"/>', '<message id="2" xmlns="jabber:client"/>']);
  assert.equal(connection._data.length, 0);
});

for (const [name, frame] of [
  ["a wrong version", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='2.0'/>"],
  ["no version", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"],
  ["a closed stream", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"],
]) {
  both(`${name} before the login`, async (side, connection) => {
    connection.connect("u@h", "p", side.status);
    await side.open();
    await side.give(frame);
  }, SERVICE);
}

both("a redirect", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  await side.open();
  await side.give("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://other/ws'/>");
  side.seen.push(connection.service);
}, { ...SERVICE, wire: false });

both("no mechanism", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  await side.open();
  await side.give(OPEN);
  await side.give(stream(`<mechanisms xmlns='${SASL}'><mechanism>X-NONE</mechanism></mechanisms>`));
}, SERVICE);

both("a stream error", async (side) => {
  await login(side);
  await side.give(
    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
  );
}, SERVICE);

both("the server closes the stream", async (side) => {
  await login(side);
  await side.give('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />');
}, SERVICE);

both("a socket that is replaced by the page", async (side, connection, { $msg }) => {
  connection._proto.socket = { send: (text) => side.seen.push(text), readyState: 1, close() {} };
  connection.connected = true;
  connection.send($msg({ id: "1" }));
  connection._dataRecv(new DOMParser().parseFromString("<wrapper><iq xmlns='jabber:client' type='set' id='2'/></wrapper>", "text/xml").documentElement);
  connection._proto._closeSocket();
  side.seen.push(connection._proto.socket);
}, { ...SERVICE, wire: false });

const MANAGED = { ...SERVICE, options: { enableStreamManagement: true, streamManagement: { maxUnacked: 2 } } };

both("stream management: counting, acknowledging, resuming", async (side, connection, { $msg }) => {
  const state = () => {
    const { sm } = connection;
    const { hIn, hOutAcked, unacked, id, max } = sm.state;
    side.seen.push([connection.isStreamManagementEnabled(), connection.hasResumed(), sm.boundJid, hIn, hOutAcked, unacked.length, id, max]);
  };
  await login(side);
  connection.send($msg({ id: "early", to: "x@y" }));
  state();
  await side.give(`<enabled xmlns='${SM}' id='sm1' resume='true' max='60'/>`);
  await side.give(client("message", "id='in'"));
  await side.give(`<r xmlns='${SM}'/>`);
  connection.send($msg({ id: "kept", to: "x@y" }));
  await side.give(`<a xmlns='${SM}' h='1'/>`);
  state();
  connection._proto._closeSocket();
  connection._proto._onClose(null);
  connection.connect("u@h/other", "p", side.status);
  await side.open();
  for (const frame of [OPEN, OFFER, `<success xmlns='${SASL}'/>`, OPEN, BINDABLE]) await side.give(frame);
  await side.give(`<resumed xmlns='${SM}' h='1' previd='sm1'/>`);
  state();
  side.seen.push(connection.jid, connection.restored, connection.do_bind);
}, MANAGED);

both("stream management: a session that cannot be resumed", async (side, connection, { $msg }) => {
  await login(side);
  await side.give(`<enabled xmlns='${SM}' id='sm1' resume='true'/>`);
  connection.send($msg({ id: "one", to: "x@y" }));
  connection._proto._closeSocket();
  connection._proto._onClose(null);
  connection.connect("u@h", "p", side.status);
  await side.open();
  for (const frame of [OPEN, OFFER, `<success xmlns='${SASL}'/>`, OPEN, BINDABLE]) await side.give(frame);
  await side.give(`<failed xmlns='${SM}' h='1'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`);
  await side.give(BOUND);
  await side.give(`<enabled xmlns='${SM}' id='sm2' resume='true'/>`);
  side.seen.push(connection.hasResumed(), connection.sm.state.id, connection.sm.state.unacked.length);
}, MANAGED);

both("stream management: a good-bye leaves nothing", async (side, connection) => {
  await login(side);
  await side.give(`<enabled xmlns='${SM}' id='sm1' resume='true'/>`);
  side.seen.push(sessionStorage.getItem("strophe-sm:u@h") !== null);
  connection.disconnect();
  await pass();
  side.seen.push(sessionStorage.getItem("strophe-sm:u@h"));
}, MANAGED);
