// The course of a connection as pages steer it: ends in the middle of things, second logins, callbacks that throw or are missing.

import { Client, JID, PASSWORD, connected, turn, until } from "./client.mjs";

const BOTH = ["bosh", "ws"];
const QUIET = "<message xmlns='jabber:client'/>";
const chat = (id) => `<message xmlns='jabber:client' type='chat' id='${id}'/>`;

/** Longer than what follows an end may take, in milliseconds. */
const later = (milliseconds = 300) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const life = (name, run, more = {}) => ({ member: "Connection", name, over: BOTH, run, ...more });

export const specs = [
  connected("Connection.send", "elements of xmlElement() and $build()", async (client, connection, { Strophe, $build }) => {
    connection.send($build("presence", { id: "1" }));
    connection.send($build("iq", { type: "get", id: "2" }).c("query", { xmlns: "urn:q" }));
    connection.send(Strophe.xmlElement("message", { id: "3", xmlns: Strophe.NS.CLIENT }, "text"));
    await client.said(QUIET);
  }, { wire: true }),
  connected("Connection.send", "an element without a namespace", async (client, connection, { Strophe }) => {
    connection.send(Strophe.xmlElement("message", { id: "1" }, "text"));
    await client.said(QUIET);
  }, { wire: true }),
  connected("Connection.send", "many stanzas, long ones, in order", async (client, connection, { $msg }) => {
    const got = [];
    connection.addHandler((stanza) => (got.push(stanza.getAttribute("id")), true), null, "message", "chat");
    for (let id = 0; id < 30; id += 1) connection.send($msg({ id: String(id), to: "a@b" }).c("body").t("x".repeat(id * 50)));
    await client.said(...Array.from({ length: 30 }, (_, id) => chat(id)));
    return got;
  }, { wire: true }),
  connected("Connection.deleteHandler", "in the handler, which sends as well", async (client, connection, { $msg }) => {
    const order = [];
    const handler = connection.addHandler((stanza) => {
      order.push(stanza.getAttribute("id"));
      if (order.length === 2) connection.deleteHandler(handler);
      connection.send($msg({ id: `answer ${order.length}` }));
      return true;
    }, null, "message", "chat");
    await client.said(chat(1), chat(2), chat(3));
    await client.said(chat(4));
    return order;
  }, { wire: true }),
  connected("Connection.disconnect", "in a handler", async (client, connection) => {
    connection.addHandler((stanza) => {
      client.seen.push(["in", stanza.getAttribute("id")]);
      // Each call over WebSocket is one more DISCONNECTED of strophe.js.
      connection.disconnect("in a handler");
      return true;
    }, null, "message", "chat");
    client.say(chat(1));
    await client.reached("DISCONNECTED");
  }),
  connected("Connection.reset", "while connected", async (client, connection) => {
    await client.said(QUIET);
    connection.reset();
    // The page is told nothing.
    client.statuses.push("DISCONNECTED");
    await later();
    return [connection.connected, connection.authenticated, connection.handlers.length, connection._data.length, client.seen.length];
  }),
  connected("Connection.addHandler", "a request that the page answers", async (client, connection, { $iq }) => {
    connection.addHandler((iq) => {
      connection.send($iq({ type: "result", id: iq.getAttribute("id"), to: iq.getAttribute("from") }));
      return true;
    }, "urn:xmpp:ping", "iq", "get");
    await client.said("<iq xmlns='jabber:client' type='get' id='p1' from='b'><ping xmlns='urn:xmpp:ping'/></iq>");
    await client.said(QUIET);
  }, { wire: true }),
  connected("Connection.deleteTimedHandler", "in the handler", async (client, connection) => {
    let count = 0;
    const timed = connection.addTimedHandler(100, () => {
      count += 1;
      if (count === 2) connection.deleteTimedHandler(timed);
      return true;
    });
    await until(() => count === 2, "two calls");
    await later();
    return [count, connection.timedHandlers.length, connection.addTimeds.length];
  }),
  // Over BOSH strophe.js does not get through the second login.
  life("connect() twice without an end", async (world) => {
    const client = new Client(world, "only-plain").connect().connect();
    await client.reached("CONNECTED");
    await client.said(QUIET);
    await client.end();
    return [[...new Set(client.statuses)], client.connection.connected];
  }, { over: ["ws"] }),
  ...["in the turn of connect()", "CONNECTING", "CONNECTED"].map((at) =>
    life(`disconnect() early: ${at}`, async (world) => {
      const client = new Client(world, "only-plain");
      client.onStatus = (name) => name === at && client.connection.disconnect(`at ${at}`);
      client.connect();
      if (at.startsWith("in")) client.connection.disconnect("early");
      await client.reached("DISCONNECTED");
      // strophe.js goes on with a login that ends in its first callback, a step each 100 ms.
      await later(2_000);
      return client.seen;
    }),
  ),
  ...["user@parity.example", "parity.example", "user@parity.example/a/b@c", "ü ser@parity.example/ä"].map((jid) =>
    life(`the JID ${jid}`, async (world) => {
      const client = new Client(world).connect(jid, PASSWORD);
      await client.rest();
      const { authcid, authzid, domain } = client.connection;
      await client.end();
      return [client.seen, authcid, authzid, domain];
    }),
  ),
  life("a callback that throws", async (world) => {
    const client = new Client(world, "only-plain");
    client.onStatus = () => {
      throw new Error("on purpose");
    };
    await client.online();
    await client.end();
    return client.seen;
  }),
  life("no callback", async (world) => {
    const { connection } = new Client(world, "only-plain");
    connection.connect(JID, PASSWORD);
    await until(() => connection.authenticated, "the login");
    await turn();
    connection.disconnect();
    await until(() => !connection.connected, "the end");
    return [connection.authenticated, connection.disconnecting];
  }),
  life("a request that fails once", async (world) => {
    const client = new Client(world, "status-503-once");
    const hits = [];
    client.connection.addProtocolErrorHandler("HTTP", 503, (status) => hits.push(status));
    await client.online();
    await client.said(QUIET);
    await client.end();
    return [client.seen, hits, client.connection._proto.errors];
  }, { over: ["bosh"] }),
];
