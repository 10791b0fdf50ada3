// What arrives, and what is sent: handlers, requests, the page's views of the wire.

import { wire } from "../show.mjs";
import { Client, connected, turn, until } from "./client.mjs";

const BOTH = ["bosh", "ws"];
const MESSAGE = "<message xmlns='jabber:client' from='a@b/c' type='chat' id='m1'><body>hi</body></message>";
const EVENT = "<message xmlns='jabber:client' from='pubsub.b'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'><x xmlns='urn:deep'/></item></items></event></message>";
const PRESENCE = "<presence xmlns='jabber:client' from='a@b/d'><x xmlns='http://jabber.org/protocol/muc#user'><item/></x></presence>";
const RESULT = "<iq xmlns='jabber:client' type='result' id='other' from='a@b'/>";

/** Arguments of addHandler behind the function: which of the four stanzas does it get? */
const FILTERS = {
  "no condition": [],
  "a namespace": ["http://jabber.org/protocol/pubsub#event"],
  "a namespace within": ["urn:deep"],
  "the stanza's own namespace": ["jabber:client"],
  "a namespace that is not there": ["urn:none"],
  "a name": [null, "message"],
  "a type": [null, null, "chat"],
  "types": [null, null, ["chat", "result"]],
  "an id": [null, null, null, "m1"],
  "a sender": [null, null, null, null, "a@b/c"],
  "a bare sender, as it is": [null, null, null, null, "a@b"],
  "a bare sender": [null, null, null, null, "a@b", { matchBareFromJid: true }],
  "a full sender, compared bare": [null, null, null, null, "a@b/x", { matchBareFromJid: true }],
  "a namespace without its fragment": ["http://jabber.org/protocol/muc", null, null, null, null, { ignoreNamespaceFragment: true }],
  "a namespace with its fragment, compared without": ["http://jabber.org/protocol/muc#user", null, null, null, null, { ignoreNamespaceFragment: true }],
  "all of it": ["jabber:client", "message", "chat", "m1", "a@b/c"],
  "empty strings": ["", "", "", "", ""],
};

const filters = Object.entries(FILTERS).map(([name, values]) =>
  connected("Connection.addHandler", name, async (client, connection) => {
    connection.addHandler(client.note("got"), ...values);
    await client.said(MESSAGE, EVENT, PRESENCE, RESULT);
  }),
);

const handlers = [
  connected("Connection.addHandler", "order of those that are added together", async (client, connection) => {
    for (const label of ["one", "two", "three"]) connection.addHandler(client.note(label), null, "message", "chat");
    await client.said(MESSAGE, MESSAGE);
  }),
  connected("Connection.addHandler", "order of those that are added later", async (client, connection) => {
    connection.addHandler(client.note("one"), null, "message", "chat");
    await client.said(MESSAGE);
    connection.addHandler(client.note("two"), null, "message", "chat");
    await client.said(MESSAGE);
  }),
  connected("Connection.addHandler", "false, undefined and truthy results", async (client, connection) => {
    for (const [label, result] of Object.entries({ no: false, nothing: undefined, zero: 0, one: 1, text: "x" })) connection.addHandler(client.note(label, result), null, "message", "chat");
    await client.said(MESSAGE);
    await client.said(MESSAGE);
  }),
  connected("Connection.addHandler", "a promise stays", async (client, connection) => {
    connection.addHandler(client.note("async", async () => false), null, "message", "chat");
    await client.said(MESSAGE);
    await client.said(MESSAGE);
  }),
  connected("Connection.addHandler", "one that throws", async (client, connection) => {
    connection.addHandler(client.note("throws", () => { throw new Error("on purpose"); }), null, "message", "chat");
    connection.addHandler(client.note("stays"), null, "message", "chat");
    await client.said(MESSAGE, MESSAGE);
  }),
  connected("Connection.addHandler", "within a handler", async (client, connection) => {
    connection.addHandler(client.note("outer", () => (connection.addHandler(client.note("inner"), null, "message", "chat"), false)), null, "message", "chat");
    await client.said(MESSAGE);
    await client.said(MESSAGE);
  }),
  connected("Connection.addHandler", "one element for all", async (client, connection) => {
    const got = [];
    for (let count = 0; count < 2; count += 1) connection.addHandler((stanza) => (got.push(stanza), true), null, "message", "chat");
    await client.said(MESSAGE);
    return [got.length, got[0] === got[1]];
  }),
  connected("Connection.addHandler", "the element as DOM", async (client, connection) => {
    let got;
    connection.addHandler((stanza) => ((got = stanza), true), null, "message", "chat");
    await client.said("<message xmlns='jabber:client' type='chat' xml:lang='en'><body>a &amp; b &lt;</body><x xmlns='urn:x'><y z='1'/>tail</x><delay xmlns='urn:xmpp:delay' stamp='2024'/></message>");
    const all = (name) => Array.from(got.getElementsByTagName(name));
    const [body] = all("body");
    return {
      names: [got.nodeName, got.tagName, got.localName, got.namespaceURI, got.getAttribute("xml:lang"), got.getAttribute("xmlns"), got.getAttribute("none")],
      body: [body.textContent, body.namespaceURI, body.parentNode === got, body.firstChild.nodeType],
      inner: [all("y")[0].namespaceURI, all("x")[0].getAttribute("xmlns"), all("x")[0].textContent, all("delay")[0].getAttribute("stamp")],
      byNs: Array.from(got.getElementsByTagNameNS("urn:x", "y")).length,
      children: Array.from(got.childNodes, (one) => one.nodeName),
      xml: wire(got),
    };
  }),
  connected("Connection.addHandler", "the element is changed by a handler", async (client, connection) => {
    connection.addHandler(client.note("second"), null, "message", "chat");
    connection.addHandler((stanza) => (stanza.setAttribute("seen", "1"), true), null, "message", "chat");
    await client.said(MESSAGE);
  }),
  connected("Connection.deleteHandler", "in use, before use, within itself", async (client, connection) => {
    const used = connection.addHandler(client.note("used"), null, "message", "chat");
    const unused = connection.addHandler(client.note("unused"), null, "message", "chat");
    connection.deleteHandler(unused);
    const self = connection.addHandler(client.note("self", () => (connection.deleteHandler(self), true)), null, "message", "chat");
    await client.said(MESSAGE);
    connection.deleteHandler(used);
    await client.said(MESSAGE);
  }),
  connected("Connection.deleteHandler", "another one, within the same stanza", async (client, connection) => {
    const victim = connection.addHandler(client.note("victim"), null, "message", "chat");
    await client.said("<message xmlns='jabber:client'/>");
    connection.addHandler(client.note("killer", () => (connection.deleteHandler(victim), true)), null, "message", "chat");
    await client.said(MESSAGE);
    await client.said(MESSAGE);
  }),
  connected("Handler.isMatch", "replaced by the page", async (client, connection) => {
    const handler = connection.addHandler(client.note("odd"), "urn:none");
    handler.isMatch = (stanza) => stanza.getAttribute("id") === "m1";
    await client.said(MESSAGE, EVENT);
  }),
  connected("Handler.isMatch", "replaced while the handler is in use", async (client, connection) => {
    const handlers = ["urn:none", "urn:deep"].map((ns) => connection.addHandler(client.note(ns), ns));
    await client.said(MESSAGE, EVENT);
    for (const handler of handlers) handler.isMatch = (stanza) => stanza.getAttribute("id") === "m1";
    await client.said(MESSAGE, EVENT);
  }),
  ...["isMatch", "namespaceMatch", "getNamespace"].map((name) => ({
    ...connected(`Handler.prototype.${name}`, "replaced while handlers are in use", async (client, connection, { Strophe: { Handler } }) => {
      connection.addHandler(client.note("odd"), "urn:none", name === "isMatch" ? null : "message");
      await client.said(MESSAGE, EVENT);
      const { [name]: original } = Handler.prototype;
      Handler.prototype[name] = function (elem) {
        if (this.ns === "urn:none") return name === "getNamespace" ? "urn:none" : elem.getAttribute("id") === "m1";
        return original.call(this, elem);
      };
      try {
        await client.said(MESSAGE, EVENT);
      } finally {
        Handler.prototype[name] = original;
      }
      await client.said(MESSAGE, EVENT);
    }),
    alone: true,
  })),
  ...Object.entries({
    id: [[null, null, null, "none"], "m1"],
    from: [[null, null, null, null, "none@b"], "a@b/c"],
    ns: [["urn:none"], "urn:deep"],
    name: [[null, "none"], "presence"],
    type: [[null, null, "none"], ["chat"]],
    "nothing of the handler": [["urn:none", "message"], null],
  }).map(([condition, [before, after]]) =>
    connected("Connection.addHandler", `a condition is changed later: ${condition}`, async (client, connection) => {
      const handler = connection.addHandler(client.note("got"), ...before);
      await client.said(MESSAGE, EVENT, PRESENCE, RESULT);
      if (after === null) handler.ns = null;
      else handler[condition] = after;
      await client.said(MESSAGE, EVENT, PRESENCE, RESULT);
    }),
  ),
  connected("Connection.handlers", "one is exchanged for another", async (client, connection, { Strophe }) => {
    const handler = connection.addHandler(client.note("first"), null, "message", "chat");
    await client.said(MESSAGE);
    const other = new Strophe.Handler(client.note("second"), null, "presence");
    connection.handlers = connection.handlers.map((one) => (one === handler ? other : one));
    await client.said(MESSAGE, PRESENCE);
    connection.handlers[connection.handlers.indexOf(other)] = handler;
    await client.said(MESSAGE, PRESENCE);
  }),
  connected("Handler.run", "replaced by the page", async (client, connection) => {
    const handler = connection.addHandler(client.note("never"), null, "message", "chat");
    handler.run = (stanza) => (client.seen.push(["run", stanza.getAttribute("id")]), true);
    await client.said(MESSAGE);
  }),
  {
    member: "Connection.addHandler",
    name: "before the login",
    over: BOTH,
    async run(world) {
      const client = new Client(world);
      client.connection.addHandler(client.note("page"), null, null);
      await client.online();
      await client.said(MESSAGE);
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.addHandler",
    name: "forgotten at the end",
    over: BOTH,
    async run(world) {
      const client = await new Client(world).online();
      client.connection.addHandler(client.note("first session"), null, "message", "chat");
      await client.said(MESSAGE);
      await client.end();
      client.statuses.length = 0;
      await client.online();
      await client.said(MESSAGE);
      await client.end();
      return client.seen;
    },
  },
];

const query = (lib, type, ns) => lib.$iq({ type, to: "b" }).c("query", { xmlns: ns });

const requests = [
  connected("Connection.sendIQ", "a result", async (client, connection, lib) => {
    const id = connection.sendIQ(query(lib, "get", "urn:parity:echo"), client.note("result"), client.note("error"));
    await until(() => client.seen.length);
    return [/^[0-9a-f-]{36}:sendIQ$/.test(id)];
  }, { wire: true }),
  connected("Connection.sendIQ", "an error", async (client, connection, lib) => {
    connection.sendIQ(query(lib, "set", "urn:parity:error"), client.note("result"), client.note("error"));
    await until(() => client.seen.length);
  }),
  connected("Connection.sendIQ", "an id of the page's own", async (client, connection, lib) => {
    const id = connection.sendIQ(query(lib, "get", "urn:parity:echo").root().attrs({ id: "own" }), client.note("result"));
    await until(() => client.seen.length);
    return id;
  }, { wire: true }),
  connected("Connection.sendIQ", "nothing in time", async (client, connection, lib) => {
    connection.sendIQ(query(lib, "get", "urn:parity:silent"), client.note("result"), (stanza) => client.seen.push(["error", stanza]), 150);
    await until(() => client.seen.length);
  }),
  connected("Connection.sendIQ", "in time, and called once", async (client, connection, lib) => {
    connection.sendIQ(query(lib, "get", "urn:parity:echo"), client.note("result"), (stanza) => client.seen.push(["error", stanza]), 2000);
    await until(() => client.seen.length);
    await new Promise((resolve) => setTimeout(resolve, 2300));
  }),
  connected("Connection.sendIQ", "without functions", async (client, connection, lib) => {
    const id = connection.sendIQ(query(lib, "get", "urn:parity:echo").tree());
    await client.said(MESSAGE);
    return typeof id;
  }, { wire: true }),
  connected("Connection.sendIQ", "an answer of another sender", async (client, connection, lib) => {
    connection.sendIQ(query(lib, "get", "urn:parity:silent").root().attrs({ id: "own" }), client.note("result"), client.note("error"));
    await client.said("<iq xmlns='jabber:client' type='result' id='own' from='evil@c'/>");
  }),
  connected("Connection.sendPresence", "answered", async (client, connection, lib) => {
    const id = connection.sendPresence(lib.$pres({ to: "room@b/me" }).c("x", { xmlns: "http://jabber.org/protocol/muc" }), client.note("answer"), client.note("error"));
    await client.said(`<presence xmlns='jabber:client' from='room@b/me' id='${id}'/>`);
    return /^[0-9a-f-]{36}:sendPresence$/.test(id);
  }, { wire: true }),
  connected("Connection.sendPresence", "refused", async (client, connection, lib) => {
    connection.sendPresence(lib.$pres({ to: "room@b/me", id: "own" }), client.note("answer"), client.note("error"));
    await client.said("<presence xmlns='jabber:client' type='error' from='room@b/me' id='own'/>");
  }),
  connected("Connection.sendPresence", "nothing in time", async (client, connection, lib) => {
    connection.sendPresence(lib.$pres({ to: "room@b/me" }), client.note("answer"), (stanza) => client.seen.push(["error", stanza]), 150);
    await until(() => client.seen.length);
  }),
  connected("Connection.send", "an element, a builder, an array, null", async (client, connection, lib) => {
    connection.send(lib.$msg({ id: "1" }));
    connection.send(lib.$msg({ id: "2" }).tree());
    connection.send([lib.$msg({ id: "3" }), lib.$pres({ id: "4" }).tree()]);
    connection.send(null);
    connection.send(lib.stx`<message xmlns="jabber:client" id="5"><body>${"<&>"}</body></message>`);
    await client.said(MESSAGE);
  }, { wire: true }),
  connected("Connection.send", "what is none", (client, connection) => {
    const caught = [];
    for (const one of ["text", 5, {}, undefined]) {
      try {
        connection.send(one);
        caught.push("nothing");
      } catch (error) {
        caught.push(error.name);
      }
    }
    return caught;
  }),
  connected("Connection.send", "an IQ without an id", async (client, connection, lib) => {
    connection.send(lib.$iq({ type: "set" }).c("query", { xmlns: "jabber:iq:register" }));
    await client.said(MESSAGE);
  }, { wire: true }),
  connected("Connection.send", "namespaces, references, languages", async (client, connection, lib) => {
    connection.send(lib.$msg({ "xml:lang": "de", to: "a'b\"<>&@c" }).c("body").t("ä € 😀 <&>'\"\t\n").up().c("x", { xmlns: "urn:x" }).c("y").c("z", { xmlns: "" }));
    connection.send(lib.Strophe.toElement("<message xmlns='jabber:client'><a:b xmlns:a='urn:a' a:c='1'/></message>"));
    await client.said(MESSAGE);
  }, { wire: true }),
  connected("Connection.iqFallbackHandler", "a request that no handler is for", async (client) => {
    await client.said("<iq xmlns='jabber:client' type='get' id='q1' from='a@b'><query xmlns='urn:q'/></iq>", "<iq xmlns='jabber:client' type='set' id='q2'/>", RESULT);
    await turn();
  }, { wire: true }),
  connected("Connection.iqFallbackHandler", "a request with a handler", async (client, connection) => {
    connection.addHandler(client.note("mine"), "urn:q", "iq", "get");
    await client.said("<iq xmlns='jabber:client' type='get' id='q1' from='a@b'><query xmlns='urn:q'/></iq>");
  }, { wire: true }),
  connected("Connection.iqFallbackHandler", "replaced by the page", async (client, connection, lib) => {
    connection.iqFallbackHandler = new lib.Strophe.Handler(client.note("fallback"), null, null, ["get", "set"]);
    await client.said("<iq xmlns='jabber:client' type='get' id='q1' from='a@b'><query xmlns='urn:q'/></iq>", RESULT);
  }, { wire: true }),
  connected("Connection.getUniqueId", "with and without a suffix", (client, connection) =>
    [undefined, "x", 5, null, ""].map((suffix) => connection.getUniqueId(suffix)),
  ),
];

const flow = [
  connected("Connection.pause", "and resume", async (client, connection, lib) => {
    connection.pause();
    connection.send(lib.$msg({ id: "1" }));
    connection.send(lib.$msg({ id: "2" }));
    await new Promise((resolve) => setTimeout(resolve, 250));
    const early = (await client.wire({ ended: false })).filter((line) => line.startsWith("<message")).length;
    connection.resume();
    await client.said(MESSAGE);
    return [early, connection.paused];
  }, { wire: true }),
  connected("Connection.flush", "at once", async (client, connection, lib) => {
    connection.send(lib.$msg({ id: "1" }));
    connection.flush();
    const waiting = connection._data.length;
    await client.said(MESSAGE);
    return waiting;
  }, { wire: true }),
  connected("Connection._data", "what waits", async (client, connection, lib) => {
    connection.pause();
    connection.send([lib.$msg({ id: "1" }), lib.$pres({ id: "2" })]);
    const waiting = connection._data.map((one) => one.getAttribute("id"));
    connection._data.splice(0, 1);
    connection.resume();
    await client.said(MESSAGE);
    return waiting;
  }, { wire: true }),
  connected("Connection.addTimedHandler", "until it is enough", async (client, connection) => {
    let count = 0;
    const handler = connection.addTimedHandler(20, () => ((count += 1), client.seen.push(["tick", count]), count < 3));
    await until(() => count === 3);
    await new Promise((resolve) => setTimeout(resolve, 250));
    return [handler.period, typeof handler.lastCalled, handler.user];
  }),
  // The specifications of Converse set a timeout of one millisecond and look at what is shown until then.
  connected("Connection.addTimedHandler", "a period that is shorter than strophe.js's tick", async (client, connection, lib) => {
    let isCalled = false;
    connection.addTimedHandler(1, () => {
      isCalled = true;
      client.seen.push(["tick"]);
    });
    connection.send(lib.$pres());
    await new Promise((resolve) => setTimeout(resolve, 5));
    client.seen.push(["the page's next turns"]);
    connection.send(lib.$pres());
    await turn();
    client.seen.push(["after another stanza"]);
    await until(() => isCalled);
  }, { over: ["bosh"] }),
  connected("Connection.deleteTimedHandler", "before it is called", async (client, connection) => {
    const handler = connection.addTimedHandler(10, () => client.seen.push(["tick"]));
    connection.deleteTimedHandler(handler);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }),
  connected("Connection._dataRecv", "fed by the page", async (client, connection, lib) => {
    connection.addHandler(client.note("fed"), null, "message", "chat");
    connection.addHandler(client.note("fallback of none"), null, "presence");
    const { _proto } = connection;
    const element = lib.Strophe.toElement(`<wrapper>${MESSAGE}${PRESENCE}</wrapper>`);
    _proto._reqToData = () => element;
    connection._dataRecv(element);
    delete _proto._reqToData;
  }),
];

/** What a page sees of the wire, in order: names alone, since bodies are put together differently. */
function observed(name, { xml = true } = {}) {
  return {
    member: `Connection.${name}`,
    name: "of a login and one message",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "only-plain");
      const got = [];
      client.connection[name] = (value) => {
        const text = xml ? wire(value.data ? world.lib.Strophe.toElement(value.data) : value) : String(value);
        got.push(xml ? text.replace(/ (rid|sid)="[^"]*"/g, ` $1="…"`).replace(/ (ack|ver)="[^"]*"/g, "") : text.replace(/\b(rid|sid)=['"][^'"]*['"]/g, "$1"));
      };
      await client.online();
      const login = got.length;
      await client.said(MESSAGE);
      await client.end();
      return xml ? { login: got.slice(0, login).filter((one) => !/^<body[^>]* rid="…" sid="…"><.body>$/.test(one)), later: got.slice(login).filter((one) => one.includes("chat") || one.includes("unavailable")).map((one) => /<message|<presence/.exec(one)[0]) } : got.map((one) => /^<(?:\?xml[^>]*>)?[\w:]+/.exec(one)?.[0]).filter((one) => one !== "<body" && one !== "<close");
    },
  };
}

const views = [
  observed("xmlInput"),
  observed("xmlOutput"),
  observed("rawInput", { xml: false }),
  observed("rawOutput", { xml: false }),
  {
    member: "Connection.rawOutput",
    name: "elements in it",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "only-plain");
      let text = "";
      client.connection.rawOutput = (data) => (text += data);
      await client.online();
      client.connection.send(world.lib.$msg({ id: "seen" }).c("body").t("<&>"));
      await client.said(MESSAGE);
      await client.end();
      return ["<auth", "<bind", "seen", "&lt;&amp;&gt;", "unavailable"].map((one) => text.includes(one));
    },
  },
  {
    member: "Connection.rawInput",
    name: "elements in it",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "only-plain");
      let text = "";
      client.connection.rawInput = (data) => (text += data);
      await client.online();
      await client.said(MESSAGE);
      await client.end();
      return ["<success", "features", "PLAIN", "m1", "hi"].map((one) => text.includes(one));
    },
  },
];

export const specs = [...filters, ...handlers, ...requests, ...flow, ...views];
