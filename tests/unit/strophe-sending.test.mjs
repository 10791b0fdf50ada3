// What a page sends, and what it gets for it, beside strophe.js 5.0.0.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptedStream } from "./strophe/scripted.mjs";
import { LIBRARIES, STATUS, body, both, client, login } from "./strophe/sides.mjs";

both("requests and their answers", async (side, connection, { $iq, $pres }) => {
  await login(side);
  const answers = (name) => [(elem) => side.seen.push([name, elem.nodeName, elem.getAttribute("id")]), (elem) => side.seen.push([name, "error", elem?.nodeName])];
  const query = (id) => $iq({ type: "get", to: "x@y", id }).c("query", { xmlns: "urn:q" });
  side.seen.push(connection.sendIQ(query("1"), ...answers("one")));
  side.seen.push(connection.sendIQ(query("2").tree(), ...answers("two")));
  connection.sendIQ(query("3"));
  connection.sendIQ(query("4"), null, (elem) => side.seen.push(["four", elem.nodeName]));
  side.seen.push(connection.sendPresence($pres({ id: "5", to: "r@y/n" }), ...answers("five")));
  connection.sendPresence($pres({ id: "6" }), ...answers("six"));
  await side.give(
    body(
      client("iq", "type='result' id='1' from='x@y'") +
        client("iq", "type='error' id='2' from='x@y'") +
        client("iq", "type='result' id='3'") +
        client("iq", "type='error' id='4'") +
        client("presence", "id='5' from='r@y/n'") +
        client("presence", "id='6' type='error'"),
    ),
  );
  // Each is answered once.
  await side.give(body(client("iq", "type='result' id='1' from='x@y'")));
});

both("ids of requests that have none", async (side, connection, { $iq, $pres }) => {
  await login(side);
  const suffix = (id) => id.replace(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/, "UUID");
  const iq = $iq({ type: "get" });
  side.seen.push(suffix(connection.sendIQ(iq)) === suffix(iq.tree().getAttribute("id")), suffix(iq.tree().getAttribute("id")));
  side.seen.push(suffix(connection.sendPresence($pres())));
  side.seen.push(suffix(connection.getUniqueId()), suffix(connection.getUniqueId("x")), suffix(connection.getUniqueId(7)));
  side.seen.push(connection.getUniqueId() === connection.getUniqueId());
}, { wire: false });

both("an answer of another type", async (side, connection, { $iq }) => {
  await login(side);
  connection.sendIQ($iq({ type: "get", id: "1" }), side.handler("callback"), side.handler("errback"));
  await side.give(body(client("message", "type='result' id='1'") + client("iq", "type='set' id='1'") + client("iq", "type='result' id='1'")));
});

both("pause, resume and arrays", async (side, connection, { $msg }) => {
  await login(side);
  connection.pause();
  connection.send($msg({ id: "1" }));
  connection.send([$msg({ id: "2" }).tree(), $msg({ id: "3" })]);
  connection.send(null);
  await side.settle();
  side.seen.push(connection.paused, connection._data.length, connection._data[0].nodeName);
  connection.resume();
  connection.flush();
  side.seen.push(connection.paused, connection._data.length);
});

both("what cannot be sent", async (side, connection, { Connection }) => {
  const errorOf = (act) => {
    try {
      act();
      return "none";
    } catch ({ name, message }) {
      return [name, message];
    }
  };
  for (const one of ["<message/>", {}, 7]) side.seen.push(errorOf(() => connection.send(one)));
  side.seen.push(errorOf(() => connection.restore()));
  side.seen.push(errorOf(() => connection.attach(() => {})));
  side.seen.push(errorOf(() => new Connection("ws://x/").restore()));
  side.seen.push(errorOf(() => new Connection("/x", { protocol: "none" }))[0]);
  side.seen.push(errorOf(() => new Connection("ws://x/").attach("a@b/c", "sid", 1)));
});

both("attaching to a session", async (side, connection, { $pres }) => {
  side.onStatus = () => connection.send($pres());
  connection.attach("u@h/r", "sid1", 77, side.status, 30, 1, 4);
  const { sid, rid, wait, hold, window } = connection._proto;
  side.seen.push(sid, rid, wait, hold, window, connection.jid, connection.domain);
  await side.give(body(client("message", "id='1'")));
});

both("keepalive and restore", async (side, connection) => {
  const kept = () => JSON.parse(sessionStorage.getItem("strophe-bosh-session"));
  await login(side);
  connection._proto._buildBody();
  side.seen.push(Object.keys(kept()), kept().jid, kept().sid);
  for (const jid of ["other@h", "elsewhere"]) {
    try {
      connection.restore(jid);
    } catch ({ name, message }) {
      side.seen.push([name, message]);
    }
  }
  connection.restore("u@h/other-resource", side.status);
  side.seen.push(connection.restored, connection._proto.sid, connection.jid);
  connection.restore("h", side.status);
  connection.restore(null, side.status);
  connection._doDisconnect();
  side.seen.push(kept());
}, { options: { keepalive: true }, wire: false });

both("what a request by hand is told", async (side, connection, { Request, $build }) => {
  const request = new Request($build("body", { rid: 5 }).c("a").tree(), () => {}, 5);
  side.seen.push(request.data, request.sends, request.rid, request.dead, request.abort, request.age(), request.timeDead(), typeof request.id);
  connection.nextValidRid = (rid) => side.seen.push(["rid", rid]);
  const answer = (fields) => connection._proto._onRequestStateChange(() => side.seen.push("answered"), { id: 1, sends: 1, rid: 5, ...fields });
  const xhr = (status, readyState = 4) => ({ status, readyState, getAllResponseHeaders: () => "a: b" });
  answer({ xhr: xhr(200) });
  side.seen.push(connection._proto.lastResponseHeaders);
  answer({ xhr: xhr(200), abort: true });
  answer({ xhr: xhr(200, 3) });
  answer({ xhr: xhr(0) });
  side.seen.push(connection._proto.errors);
}, { wire: false });

both("a body that is not XML", async (side, connection, { Request }) => {
  connection.connect_callback = side.status;
  const request = new Request("", () => {}, 0);
  request.xhr = { responseText: "text", readyState: 4, status: 200 };
  connection._connect_cb(request);
}, { wire: false });

test("stanzas are sent at the end of the turn, before the terminating request", async () => {
  const { Connection, $msg } = LIBRARIES.ours;
  const connection = new Connection("http://x/");
  connection.attach("u@h/r", "sid", 9, () => {});
  connection.send($msg({ id: "1" }));
  assert.equal(ScriptedStream.made.at(-1)?.wire.length ?? 0, 0);
  await Promise.resolve();
  const stream = ScriptedStream.made.at(-1);
  assert.deepEqual(stream.wire, ['<message id="1" xmlns="jabber:client"/>']);
  connection.send($msg({ id: "2" }));
  connection.disconnect();
  assert.deepEqual(stream.wire.slice(1), [
    '<message id="2" xmlns="jabber:client"/>',
    '<presence type="unavailable" xmlns="jabber:client"/>',
    "close",
  ]);
  stream.end();
  assert.equal(stream.isAborted, undefined);
});

test("every request gets an id when it is sent, unlike in strophe.js", async () => {
  const { Connection, $iq } = LIBRARIES.ours;
  const connection = new Connection("http://x/");
  connection.attach("u@h/r", "sid", 9, () => {});
  connection.send($iq({ type: "get" }).c("query", { xmlns: "jabber:iq:register" }));
  await Promise.resolve();
  assert.match(ScriptedStream.made.at(-1).wire[0], /^<iq id="[0-9a-f-]{36}:iq" type="get"/);
});

test("the refusal of a request is addressed to its sender, unlike in strophe.js", async () => {
  const { Connection, Builder } = LIBRARIES.ours;
  const connection = new Connection("http://x/");
  connection.attach("u@h/r", "sid", 9, () => {});
  const request = Builder.fromString("<wrapper><iq xmlns='jabber:client' type='get' id='7' from='z@z/q'/></wrapper>").tree();
  connection._dataRecv({ getResponse: () => request });
  await Promise.resolve();
  assert.match(ScriptedStream.made.at(-1).wire[0], /^<iq id="7" to="z@z\/q" type="error"/);
});

test("a login does not send unsent stanzas of an earlier session", async () => {
  const { Connection, $msg } = LIBRARIES.ours;
  const connection = new Connection("http://x/");
  connection.send($msg({ id: "old" }));
  connection.connect("u@h", "p", () => {});
  await Promise.resolve();
  assert.deepEqual(ScriptedStream.made.at(-1).wire, ["open"]);
});

test("a body built by hand is unwrapped, and its function gets the response", async () => {
  const { Connection, Request, $build, stanzaOf } = LIBRARIES.ours;
  assert.ok(stanzaOf);
  const connection = new Connection("http://x/");
  const seen = [];
  connection.connect_callback = (status) => seen.push(STATUS[status]);
  const answered = (request) => seen.push(request.getResponse().getAttribute("n"));
  const put = (builder) => {
    const body_ = builder.tree();
    connection._requests.push(new Request(body_, connection._onRequestStateChange.bind(connection, answered), body_.getAttribute("rid")));
    connection._throttledRequestHandler();
  };
  put(connection._buildBody().attrs({ to: "example.org", wait: "40", hold: "1", "xml:lang": "de" }));
  const stream = ScriptedStream.made.at(-1);
  assert.deepEqual(stream.wire, ["open"]);
  const { domain, wait, hold, lang } = stream.options;
  assert.deepEqual([domain, wait, hold, lang], ["example.org", 40, 1, "de"]);
  stream.give(body("", "n='first' sid='s'"));
  connection.sid = "s";
  // An empty one only waits for the next answer.
  put(connection._buildBody());
  stream.give(body("", "n='second'"));
  put(connection._buildBody().c("x", { xmlns: "urn:x" }).up().c("y", { xmlns: "urn:y" }).up());
  stream.give(body("", "n='third'"));
  put(connection._buildBody().attrs({ "xmpp:restart": "true" }));
  put(connection._buildBody().attrs({ type: "terminate" }).c("presence", { type: "unavailable" }));
  assert.deepEqual(seen, ["first", "second", "third"]);
  assert.deepEqual(stream.wire, ["open", '<x xmlns="urn:x"/>', '<y xmlns="urn:y"/>', "restart", '<presence type="unavailable"/>', "close"]);
  assert.ok($build);
});
