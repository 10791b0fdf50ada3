// Members that tests, tools and applications replace, on the prototype or on one object: what has been replaced has its effect.

import { Client, JID, PASSWORD, connected, turn, until } from "./client.mjs";

const MESSAGE = "<message xmlns='jabber:client' from='a@b/c' type='chat' id='m1'><body>hi</body></message>";

const QUIET = "<message xmlns='jabber:client'/>";

const late = () => new Promise((resolve) => setTimeout(resolve, 250));
const nameOf = (req) => Array.from(req.xmlData.childNodes, ({ nodeName }) => nodeName).join();

/** What the connection does to `name` while the session lasts. */
function wrapped(owner, name, note) {
  const own = owner[name];
  owner[name] = function (...values) {
    note(this, values);
    return own.apply(this, values);
  };
}

/** Nothing may leave: the bodies that wait are the result. */
const silenced = (where) => ({
  member: "Bosh._processRequest",
  name: `replaced by nothing on the ${where}`,
  over: ["bosh"],
  alone: where === "prototype",
  async run(world) {
    const { $pres, $msg, Strophe } = world.lib;
    const client = new Client(world);
    const { connection } = client;
    const { _proto } = connection;
    const owner = where === "prototype" ? Strophe.Bosh.prototype : _proto;
    const own = owner._processRequest;
    owner._processRequest = () => {};
    try {
      connection.send($pres({ id: "1" }));
      await late();
      const before = _proto._requests.map(nameOf);
      client.connect();
      connection.authenticated = true;
      for (const id of ["2", "3"]) connection.send($msg({ id }));
      await late();
      const attributes = Array.from(_proto._requests[1].xmlData.attributes, ({ name }) => name).sort();
      return { before, attributes, count: _proto._requests.length, waiting: connection._data.length, statuses: client.statuses, wire: await client.wire({ ended: false }) };
    } finally {
      owner._processRequest = own;
    }
  },
});

/** As the mocks of Converse have it. */
const mocked = {
  member: "Bosh._connect",
  name: "replaced by a mock of an application",
  over: ["bosh"],
  async run(world) {
    const { $pres, Strophe } = world.lib;
    const client = new Client(world);
    const { connection } = client;
    const { _proto } = connection;
    _proto._processRequest = () => {};
    _proto._disconnect = () => connection._onDisconnectTimeout();
    _proto._onDisconnectTimeout = () => {};
    _proto._connect = () => {
      connection.connected = true;
      connection.jid = JID;
      connection._changeConnectStatus(Strophe.Status.BINDREQUIRED);
    };
    client.connect();
    connection.authenticated = true;
    connection._changeConnectStatus(Strophe.Status.CONNECTED);
    connection.addHandler(client.note("got"), null, "message");
    connection.send($pres());
    connection._dataRecv({ getResponse: () => Strophe.toElement(`<body xmlns='x'>${MESSAGE}</body>`) });
    await late();
    connection.disconnect();
    await turn();
    return { seen: client.seen, wire: await client.wire({ ended: false }) };
  },
};

const watched = {
  member: "Bosh._processRequest",
  name: "wrapped by a page that looks at requests",
  over: ["bosh"],
  async run(world) {
    const client = new Client(world, "only-plain");
    const { connection } = client;
    const names = new Set();
    wrapped(connection._proto, "_processRequest", (proto, [index]) => {
      const { xmlData, data, rid } = proto._requests[index];
      names.add([xmlData.nodeName, data.includes("<body"), rid === Number(xmlData.getAttribute("rid")), xmlData.getAttribute("type"), nameOf({ xmlData })].join());
    });
    await client.online();
    await client.said(MESSAGE);
    const answer = await new Promise((resolve) => connection.sendIQ(world.lib.$iq({ type: "get" }).c("q", { xmlns: "urn:parity:echo" }), resolve));
    await client.end();
    return { seen: client.seen, answer: answer.nodeName, wanted: ["auth", "message", "iq"].map((one) => [...names].some((name) => name.endsWith(`,,${one}`))), wire: await client.wire() };
  },
};

const methods = [
  ["_throttledRequestHandler", "_proto", ["bosh"]],
  ["_onIdle", "_proto", ["bosh", "ws"]],
  ["_sendRestart", "_proto", ["bosh", "ws"]],
  ["_send", "_proto", ["bosh", "ws"]],
  ["_connect_cb", "_proto", ["bosh", "ws"]],
  ["_disconnect", "_proto", ["bosh", "ws"]],
  ["_doDisconnect", "_proto", ["bosh", "ws"]],
  ["_emptyQueue", "_proto", ["bosh"]],
  ["_sendTerminate", "_proto", ["bosh"]],
  ["_buildBody", "_proto", ["bosh"]],
  ["_onRequestStateChange", "_proto", ["bosh"]],
  ["_reqToData", "_proto", ["bosh"]],
  ["_removeRequest", "_proto", ["bosh"]],
  ["_onMessage", "_proto", ["ws"]],
  ["_onInitialMessage", "_proto", ["ws"]],
  ["_onOpen", "_proto", ["ws"]],
  ["_buildStream", "_proto", ["ws"]],
  ["_streamWrap", "_proto", ["ws"]],
  ["_handleStreamStart", "_proto", ["ws"]],
  ["_checkStreamError", "_proto", ["ws"]],
  ["_closeSocket", "_proto", ["ws"]],
  ["_connect", "_proto", ["bosh", "ws"]],
  ...["_dataRecv", "_connect_cb", "_doDisconnect", "_onIdle", "_queueData", "_sendRestart", "_changeConnectStatus", "_sasl_success_cb", "_onResourceBindResultIQ",
    "_onStreamFeaturesAfterSASL", "_addSysHandler", "_addSysTimedHandler", "_attemptSASLAuth", "_proceedToBind", "authenticate", "bind", "send", "flush", "nextValidRid"].map((name) => [name, "", ["bosh", "ws"]]),
].map(([name, part, over]) => ({
  member: `${part ? "Transport" : "Connection"}.${name}`,
  name: "is called in the course of a session",
  over,
  async run(world) {
    const client = new Client(world, "only-plain");
    const owner = part ? client.connection[part] : client.connection;
    let count = 0;
    wrapped(owner, name, () => (count += 1));
    await client.online();
    await client.said(MESSAGE);
    await client.end();
    return [count > 0, client.seen];
  },
}));

const others = [
  {
    member: "Strophe.Request.getResponse",
    name: "wrapped on the prototype",
    over: ["bosh"],
    alone: true,
    async run(world) {
      const { prototype } = world.lib.Strophe.Request;
      const own = prototype.getResponse;
      const roots = new Set();
      prototype.getResponse = function () {
        const element = own.call(this);
        roots.add(element.nodeName);
        for (const one of Array.from(element.getElementsByTagName("message"))) one.setAttribute("seen", "yes");
        return element;
      };
      try {
        const client = await new Client(world).online();
        client.connection.addHandler(client.note("got"), null, "message", "chat");
        await client.said(MESSAGE);
        await client.end();
        return [client.seen, [...roots]];
      } finally {
        prototype.getResponse = own;
      }
    },
  },
  connected("Connection._dataRecv", "replaced: elements are kept back", async (client, connection) => {
    connection.addHandler(client.note("got"), null, "message", "chat");
    await client.said(QUIET);
    const own = connection._dataRecv;
    const held = [];
    connection._dataRecv = function (...values) {
      held.push(values);
    };
    await client.service.push(client.address, MESSAGE);
    await until(() => held.length);
    const before = client.seen.length;
    connection._dataRecv = own;
    for (const values of held) connection._dataRecv(...values);
    return before;
  }),
  connected("Connection._idleTimeout", "cleared by the page", async (client, connection, { $msg }) => {
    clearTimeout(connection._idleTimeout);
    connection.send($msg({ id: "1" }));
    await client.said(MESSAGE);
  }, { wire: true }),
  {
    member: "Connection.disconnect",
    name: "what is sent afterwards in the same turn",
    over: ["bosh", "ws"],
    async run(world) {
      const client = await new Client(world).online();
      client.connection.disconnect();
      client.connection.send(world.lib.$msg({ id: "late" }));
      await client.reached("DISCONNECTED");
      return { seen: client.seen, wire: await client.wire() };
    },
  },
  {
    member: "Connection.connect",
    name: "once more, with the same object",
    over: ["bosh", "ws"],
    async run(world) {
      const client = await new Client(world).online();
      await client.said(MESSAGE);
      await client.end();
      client.statuses.length = 0;
      await client.online(JID, PASSWORD);
      client.connection.addHandler(client.note("got"), null, "message", "chat");
      await client.said(MESSAGE);
      await client.end();
      client.connection.reset();
      client.statuses.length = 0;
      await client.online();
      await client.end();
      return client.seen;
    },
  },
];

export const specs = [silenced("object"), silenced("prototype"), mocked, watched, ...methods, ...others];
