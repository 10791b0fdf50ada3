// Which handlers are called, in which order and how long they stay, beside strophe.js 5.0.0.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LIBRARIES, body, both, client, login } from "./strophe/sides.mjs";

both("conditions and order", async (side, connection) => {
  await login(side);
  const add = (name, result, ...conditions) => connection.addHandler(side.handler(name, result), ...conditions);
  add("every message", true, null, "message");
  add("once", false, null, "message");
  add("namespace", true, "urn:x");
  add("types", true, null, null, ["chat", "groupchat"]);
  add("no type", true, null, null, [""]);
  add("type", true, null, null, "chat");
  add("id", true, null, null, null, "5");
  add("from", true, null, null, null, null, "a@b/c");
  add("bare from", true, null, null, null, null, "a@b/zzz", { matchBareFromJid: true });
  add("fragment", true, "urn:frag", null, null, null, null, { ignoreNamespaceFragment: true });
  add("no fragment", true, "urn:frag");
  add("everything", true);
  add("nothing", true, "urn:none", "iq", "set", "1", "q@q");
  connection.addHandler(() => {
    side.seen.push("throws");
    throw new Error("of the page");
  }, null, "presence");
  await side.give(
    body(
      client("message", "id='1' from='a@b/c' type='chat'", "<body>hi</body><x xmlns='urn:x'/>") +
        client("message", "id='2' from='a@b/d'", "<deep><x xmlns='urn:x'/></deep>"),
    ),
  );
  await side.give(
    body(
      client("presence", "id='5' from='a@b'") +
        client("presence", "id='6' from='a@b'", "<q xmlns='urn:frag#z'/>") +
        client("iq", "type='result' id='7' from='z@z'", "<q xmlns='urn:q'/>"),
    ),
  );
  side.seen.push(connection.handlers.length);
});

both("handlers that are added and removed meanwhile", async (side, connection) => {
  await login(side);
  const add = (name) => connection.addHandler(side.handler(name), null, "message");
  connection.deleteHandler(add("never"));
  let removed;
  connection.addHandler(() => {
    side.seen.push("first");
    if (removed) connection.deleteHandler(removed);
    add("later");
    return true;
  }, null, "message");
  await side.give(body(client("message", "id='1'")));
  removed = add("removed");
  await side.give(body(client("message", "id='2'") + client("message", "id='3'")));
  await side.give(body(client("message", "id='4'")));
});

both("before the login only the connection's own are called", async (side, connection) => {
  connection.addHandler(side.handler("the page's"), null, "success");
  connection._addSysHandler(side.handler("own"), null, "success");
  await login(side);
});

both("a handler that is subclassed, and one that is patched", async (side, connection, { Handler }) => {
  await login(side);
  class Greedy extends Handler {
    isMatch(elem) {
      side.seen.push(["asked", elem.nodeName]);
      return true;
    }
    run(elem) {
      super.run(elem);
      return false;
    }
  }
  connection.addHandlers.push(new Greedy(side.handler("greedy"), "urn:none"));
  const patched = connection.addHandler(side.handler("patched"), "urn:none", "none");
  patched.isMatch = () => true;
  const run = connection.addHandler(side.handler("never run"), null, "message");
  run.run = () => side.seen.push("run");
  await side.give(body(client("message", "id='1'")));
  await side.give(body(client("message", "id='2'")));
});

both("a handler that is changed while it is in use", async (side, connection, { Handler }) => {
  await login(side);
  const changed = connection.addHandler(side.handler("changed"), "urn:none");
  const patched = connection.addHandler(side.handler("patched"), null, null, null, "none");
  const message = () => side.give(body(client("message", "id='1'", "<x xmlns='urn:x'/>")));
  await message();
  changed.ns = "urn:x";
  Object.defineProperty(patched, "isMatch", { configurable: true, value: () => true });
  await message();
  changed.ns = "urn:none";
  delete patched.isMatch;
  await message();
  const { namespaceMatch } = Handler.prototype;
  Handler.prototype.namespaceMatch = () => true;
  await message();
  Handler.prototype.namespaceMatch = namespaceMatch;
  await message();
});

both("a reset within a handler", async (side, connection) => {
  await login(side);
  connection.addHandler(() => {
    connection.reset();
    return false;
  }, null, "message");
  await side.give(body(client("message", "id='1'")));
  side.seen.push(connection.connected, connection.authenticated, connection._data.length, connection.handlers.length);
});

both("an element from the page", async (side, connection, { Builder, Request, $msg }) => {
  await login(side);
  connection.addHandler(side.handler("fed"), null, "message", null, "9");
  const message = $msg({ id: "9" }).c("body").t("x").tree();
  const request = new Request(message, () => {}, 1);
  request.getResponse = () => {
    const around = new Builder("env", { type: "mock" }).tree();
    around.appendChild(message);
    return around;
  };
  connection._dataRecv(request);
});

both("xmlInput, with and without the body", async (side, connection) => {
  connection.xmlInput = (elem) => side.seen.push([elem.nodeName, elem.childNodes.length]);
  await login(side);
  connection._proto.strip = "body";
  await side.give(body(client("message", "id='1'")));
  await side.give(body(""));
});

both("the fallback for requests", async (side, connection, { Handler }) => {
  await login(side);
  const fallback = new Handler(side.handler("fallback", false), null, null, ["get", "set"]);
  connection.iqFallbackHandler = fallback;
  connection.addHandler(side.handler("known"), "urn:known", "iq", "get");
  await side.give(body(client("iq", "id='1' type='get'", "<q xmlns='urn:known'/>") + client("iq", "id='2' type='set'") + client("message", "type='chat'")));
});

test("of a thousand handlers, those that match are called in order, and no other is tested", () => {
  const { Connection, Handler, Builder } = LIBRARIES.ours;
  const connection = new Connection("http://x/");
  connection.authenticated = true;
  const called = [];
  for (let number = 0; number < 1000; number += 1) {
    connection.handlers.push(new Handler(() => called.push(number), null, "message", null, null, `user${number % 500}@h`));
  }
  let asked = 0;
  for (const handler of connection.handlers) {
    // What the index reads of a handler that it considers.
    Object.defineProperty(handler, "type", { get: () => void (asked += 1) });
  }
  const message = Builder.fromString("<wrapper><message xmlns='jabber:client' from='user7@h'/></wrapper>").tree();
  connection._dataRecv({ getResponse: () => message });
  assert.deepEqual(called, [7, 507]);
  assert.equal(asked, 2);
  connection.handlers = [new Handler(() => called.push("replaced"))];
  connection._dataRecv({ getResponse: () => message });
  assert.equal(called.at(-1), "replaced");
});

test("a transport with few methods, as in tests of applications", async () => {
  const { Connection, Builder, Request, $msg } = LIBRARIES.ours;
  const connection = new Connection("http://x/");
  connection._proto = { _send() {}, _connect: () => connection._changeConnectStatus(11) };
  const seen = [];
  connection.connect("u@h", "p", (status) => seen.push(status));
  connection.authenticated = true;
  connection.addHandler((message) => seen.push(message.getAttribute("id")), null, "message");
  const wrapped = (id) => {
    const around = new Builder("env", { type: "mock" }).tree();
    around.appendChild($msg({ id }).tree());
    return around;
  };
  connection._dataRecv(wrapped("element"));
  const request = new Request($msg().tree(), () => {});
  request.getResponse = () => wrapped("request");
  connection._dataRecv(request);
  connection.flush();
  assert.deepEqual(seen, [1, 11, "element", "request"]);
});
