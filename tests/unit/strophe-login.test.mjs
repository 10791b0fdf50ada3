// Statuses and conditions of logins over BOSH, beside strophe.js 5.0.0: what the server answers is scripted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptedStream } from "./strophe/scripted.mjs";
import { BINDABLE, BOUND, LIBRARIES, STATUS, body, both, client, login, mechanisms, sasl } from "./strophe/sides.mjs";

const LEGACY = body("<stream:features><auth xmlns='http://jabber.org/features/iq-auth'/></stream:features>", "sid='s'");

both("a login and a good-bye", async (side, connection) => {
  await login(side);
  side.seen.push(connection.jid, connection.features.nodeName, connection.do_bind, connection.do_session);
  connection.disconnect("bye");
  await side.end();
});

for (const [name, jid, pass] of [
  ["ANONYMOUS", "h", null],
  ["PLAIN", "u@h/r", "pä\u0000"],
  ["EXTERNAL", "u@h", null],
  ["OAUTHBEARER", "u@h", "token"],
  ["X-OAUTH2", "u@h", "token"],
]) {
  both(`a login by ${name}`, (side) => login(side, { jid, pass, offered: [name] }));
}

both("of several mechanisms the highest that can be used is taken", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  await side.give(mechanisms("EXTERNAL", "X-UNKNOWN", "ANONYMOUS", "PLAIN"));
  side.seen.push(connection._sasl_mechanism.mechname);
});

both("authcid, authzid, wait and hold", async (side, connection) => {
  connection.connect("u@h", "p", side.status, 50, 2, "xmpp:h:5222", "other");
  await side.give(mechanisms("PLAIN"));
  side.seen.push(connection.authzid, connection.authcid, connection.domain, connection._proto.wait, connection._proto.hold, connection._proto.window);
});

both("a wrong password", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  await side.give(mechanisms("PLAIN"));
  await side.give(sasl("failure", "<not-authorized/>"));
  connection.disconnect();
  await side.end();
});

both("a mechanism of the page's own", async (side, connection, { SASLMechanism }) => {
  class Own extends SASLMechanism {
    constructor() {
      super("X-OWN", true, 99);
    }
    onStart(one) {
      super.onStart(one);
      side.seen.push(["start", this._connection === connection]);
    }
    onChallenge(one, challenge) {
      side.seen.push(["challenge", challenge]);
      return challenge ? "answer" : "first";
    }
    onSuccess() {
      super.onSuccess();
      side.seen.push(["success", this._connection]);
    }
  }
  connection.registerSASLMechanism(Own);
  connection.connect("u@h", "p", side.status);
  await side.give(mechanisms("PLAIN", "X-OWN"));
  await side.give(sasl("challenge", "aGFsbG8="));
  await side.give(sasl("success"));
});

both("a mechanism that refuses, and one that promises", async (side, connection, { SASLMechanism }) => {
  class Refusing extends SASLMechanism {
    constructor() {
      super("A", false, 99);
    }
    test() {
      return false;
    }
  }
  class Promising extends SASLMechanism {
    constructor() {
      super("B", false, 98);
    }
    async onChallenge() {
      return false;
    }
    onFailure() {
      side.seen.push("failure");
    }
  }
  connection.registerSASLMechanisms([Refusing, Promising]);
  side.seen.push(Object.keys(connection.mechanisms));
  connection.connect("u@h", "p", side.status);
  await side.give(mechanisms("A", "B", "PLAIN"));
  await side.give(sasl("challenge", "eA=="));
  await side.give(sasl("failure"));
});

for (const [given, expected] of [
  ["v=abc=", "abc="],
  ["v=abd=", "abc="],
]) {
  both(`the server's signature ${given} where ${expected} is expected`, async (side, connection) => {
    connection.connect("u@h", "p", side.status);
    await side.give(mechanisms("PLAIN"));
    connection._sasl_data["server-signature"] = expected;
    await side.give(sasl("success", btoa(given)));
  });
}

both("a resource that the page binds", async (side, connection) => {
  side.onStatus = (status) => {
    if (status !== 11) return;
    connection.jid = "u@h/mine";
    connection.bind();
  };
  await login(side);
}, { options: { explicitResourceBinding: true } });

for (const [name, answer] of [
  ["a conflict", client("iq", "type='error' id='_bind_auth_2'", "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")],
  ["another error", client("iq", "type='error' id='_bind_auth_2'", "<error type='cancel'/>")],
  ["an empty result", client("iq", "type='result' id='_bind_auth_2'")],
]) {
  both(`binding is answered by ${name}`, async (side, connection) => {
    connection.connect("u@h/r", "p", side.status);
    for (const one of [mechanisms("PLAIN"), sasl("success"), BINDABLE, body(answer)]) await side.give(one);
  });
}

both("a server that cannot bind", async (side, connection) => {
  connection.connect("u@h/r", "p", side.status);
  for (const one of [mechanisms("PLAIN"), sasl("success"), body("<stream:features/>")]) await side.give(one);
});

both("a session that is refused", async (side, connection) => {
  connection.connect("u@h/r", "p", side.status);
  const refused = body(client("iq", "type='error' id='_session_auth_2'"));
  for (const one of [mechanisms("PLAIN"), sasl("success"), BINDABLE, BOUND, refused]) await side.give(one);
});

both("features that come with the second answer", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  for (const one of [body("", "sid='s1' wait='60'"), mechanisms("PLAIN"), sasl("success"), BINDABLE]) await side.give(one);
  await side.settle();
});

for (const type of ["result", "error"]) {
  both(`a login of XEP-0078 with the ${type}`, async (side, connection) => {
    connection.connect("u@h", "p", side.status);
    await side.give(LEGACY);
    await side.give(body(client("iq", "type='result' id='_auth_1'")));
    await side.give(body(client("iq", `type='${type}' id='_auth_2'`)));
    side.seen.push(connection.jid);
  });
}

both("a login of XEP-0078 without a name", async (side, connection) => {
  connection.connect("h", "p", side.status);
  await side.give(LEGACY);
});

both("without do_authentication nothing is sent", async (side, connection) => {
  connection.do_authentication = false;
  connection.connect("u@h", "p", side.status);
  await side.give(mechanisms("PLAIN"));
});

for (const attributes of ["type='terminate' condition='host-unknown'", "type='terminate'"]) {
  both(`a session that is refused by ${attributes}`, async (side, connection) => {
    connection.connect("u@h", "p", side.status);
    await side.give(body("", attributes));
  });
  both(`a session that is ended by ${attributes}`, async (side) => {
    await login(side);
    await side.give(body("", attributes));
  });
}

both("another session of the same resource", async (side) => {
  await login(side);
  const error = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
  await side.give(body(error, "type='terminate' condition='remote-stream-error'"));
});

both("a good-bye before there is a session", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  connection.disconnect("no");
});

both("HTTP 404", async (side, connection) => {
  connection.addProtocolErrorHandler("HTTP", 404, (status) => side.seen.push(["handler", status]));
  connection.connect("u@h", "p", side.status);
  await side.fail(404);
});

both("HTTP 503 until there were enough", async (side, connection) => {
  connection.addProtocolErrorHandler("HTTP", 503, (status) => side.seen.push(["handler", status]));
  connection.maxRetries = 3;
  connection.connect("u@h", "p", side.status);
  for (let count = 0; count < 4; count += 1) await side.fail(503);
}, { wire: false });

both("no network until there were enough", async (side, connection) => {
  connection.connect("u@h", "p", side.status);
  for (let count = 0; count < 5; count += 1) await side.fail(0);
}, { wire: false });

both("a callback that throws", async (side) => {
  side.onStatus = () => {
    throw new Error("of the page");
  };
  await login(side);
});

test("an unreachable service is retried, and its session then continues", async () => {
  const { Connection } = LIBRARIES.ours;
  ScriptedStream.made.length = 0;
  const connection = new Connection("http://x/");
  const seen = [];
  connection.connect("u@h", "p", (status) => seen.push(STATUS[status]), 40);
  const [first] = ScriptedStream.made;
  await first.fail(0);
  first.end({ code: "unreachable", message: "no network" });
  await new Promise((resolve) => setTimeout(resolve, 20).ref());
  const second = ScriptedStream.made[1];
  assert.deepEqual([ScriptedStream.made.length, second.options.wait], [2, 40]);
  second.give(mechanisms("PLAIN"));
  await Promise.resolve();
  assert.match(second.wire[1], /^<auth /);
  assert.deepEqual(seen, ["CONNECTING"]);
  // In a session the stream decides how long it is tried.
  for (let count = 0; count < 6; count += 1) await second.fail(0);
  assert.deepEqual([seen, connection._proto.errors], [["CONNECTING"], 6]);
  second.end({ code: "unreachable", message: "no network" });
  assert.deepEqual(seen, ["CONNECTING", "CONNTIMEOUT", "DISCONNECTED"]);
});
