// What plugins and applications reach for: hooks, and members behind the public ones.

import { Client, connected, until } from "./client.mjs";

const BOTH = ["bosh", "ws"];
let count = 0;

/** A name that no other specification uses: plugins stay registered. */
const name = () => `parity${(count += 1)}`;

/** Registers a plugin for the connection that `make` makes, and takes its name out of later ones. */
function withPlugin(world, plugin) {
  const key = name();
  world.lib.Strophe.addConnectionPlugin(key, plugin);
  return { key, done: () => world.lib.Strophe.addConnectionPlugin(key, { init() {} }) };
}

const hooks = [
  {
    member: "Strophe.addConnectionPlugin",
    name: "init and statusChanged",
    over: BOTH,
    alone: true,
    async run(world) {
      const seen = [];
      const { key, done } = withPlugin(world, {
        shared: "of the prototype",
        init(connection) {
          this.connection = connection;
          seen.push(["init", connection.jid, connection[key] === this]);
        },
        statusChanged(status, condition) {
          seen.push([status, condition ?? null]);
        },
      });
      const client = new Client(world);
      const other = new Client(world);
      done();
      const own = [client.connection[key] !== other.connection[key], client.connection[key].shared, client.connection[key].connection === client.connection];
      await client.online();
      await client.end();
      return { seen, own };
    },
  },
  {
    member: "Strophe.addConnectionPlugin",
    name: "statusChanged before the page's callback, and throwing",
    over: BOTH,
    alone: true,
    async run(world) {
      const order = [];
      const { done } = withPlugin(world, {
        init() {},
        statusChanged(status) {
          order.push(`plugin ${status}`);
          throw new Error("on purpose");
        },
      });
      const client = new Client(world);
      done();
      client.onStatus = (status) => order.push(`page ${status}`);
      await client.online();
      await client.end();
      return order;
    },
  },
  {
    member: "Connection.connect",
    name: "the callback throws",
    over: BOTH,
    async run(world) {
      const client = new Client(world);
      client.onStatus = () => {
        throw new Error("on purpose");
      };
      await client.online();
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.connect",
    name: "replaced by a plugin, as registration does",
    over: BOTH,
    async run(world) {
      // As the register plugins: the stream is opened as always, and the plugin takes over when the features are there.
      const client = new Client(world, "plain");
      const { connection } = client;
      const { _connect_cb } = connection;
      const got = [];
      connection._connect_cb = function (req, callback, raw) {
        const body = world.over === "ws" ? req : this._proto._reqToData(req);
        got.push(body.nodeName, this._proto.strip, body.getElementsByTagName("mechanism").length);
        if (this._proto._connect_cb(body) === world.lib.Strophe.Status.CONNFAIL) return got.push("failed");
        this.connected = true;
        this._addSysHandler((iq) => (got.push(iq.getAttribute("type")), false), null, "iq", null, null);
        this.send(world.lib.$iq({ type: "get", id: "reg1" }).c("query", { xmlns: "jabber:iq:register" }).tree());
        return undefined;
      };
      client.connect("parity.example", "");
      await until(() => got.includes("result"), "the answer to the plugin");
      connection._connect_cb = _connect_cb;
      connection._changeConnectStatus(world.lib.Strophe.Status.CONNFAIL + 100, "of a plugin");
      await client.end();
      return { got, seen: client.seen, wire: await client.wire() };
    },
  },
  {
    member: "Connection._proto",
    name: "swapped by the page",
    over: BOTH,
    async run(world) {
      const { Strophe } = world.lib;
      const client = new Client(world, "plain", {}, world.over === "ws" ? "http://127.0.0.1:1/" : "ws://127.0.0.1:1/");
      const address = world.service("plain");
      client.address = address;
      client.connection.service = address;
      client.connection._proto = world.over === "ws" ? new Strophe.Websocket(client.connection) : new Strophe.Bosh(client.connection);
      await client.online();
      await client.end();
      return { seen: client.seen, wire: await client.wire() };
    },
  },
  {
    member: "Connection._onStreamFeaturesAfterSASL",
    name: "replaced by the page",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "session");
      const { connection } = client;
      const got = [];
      const { _onStreamFeaturesAfterSASL } = connection;
      connection._onStreamFeaturesAfterSASL = function (features) {
        got.push(features.nodeName, this === connection);
        return _onStreamFeaturesAfterSASL.call(this, features);
      };
      await client.online();
      await client.end();
      return { got, seen: client.seen };
    },
  },
  {
    member: "Connection._onSessionReady",
    name: "replaced by the page",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "session");
      const got = [];
      client.connection._onSessionReady = function () {
        got.push("ready");
      };
      await client.online();
      await client.end();
      return { got, seen: client.seen };
    },
  },
  {
    member: "Connection._changeConnectStatus",
    name: "replaced by the page",
    over: BOTH,
    async run(world) {
      const client = new Client(world);
      const got = [];
      const { _changeConnectStatus } = client.connection;
      client.connection._changeConnectStatus = function (...values) {
        got.push(values[0]);
        return _changeConnectStatus.apply(this, values);
      };
      await client.online();
      await client.end();
      return got;
    },
  },
  {
    member: "Connection._sasl_mechanism",
    name: "as a getter",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "only-plain");
      let kept;
      Object.defineProperty(client.connection, "_sasl_mechanism", { configurable: true, get: () => kept, set: (value) => (kept = value) });
      await client.online();
      const { mechname } = kept;
      await client.end();
      return mechname;
    },
  },
  connected("Connection._proto", "what applications read", (client, connection) => {
    const { _proto } = connection;
    return client.over === "ws"
      ? { strip: _proto.strip, socket: [_proto.socket.readyState, typeof _proto.socket.send, typeof _proto.socket.close], closed: (_proto._closeSocket(), _proto.socket) }
      : { strip: _proto.strip, sid: typeof _proto.sid, rid: typeof _proto.rid, numbers: [_proto.wait, _proto.hold, _proto.window, _proto.errors, _proto.inactivity], requests: Array.isArray(_proto._requests) };
  }),
  connected("Connection._onDisconnectTimeout", "called by the page", (client, connection) => connection._onDisconnectTimeout()),
  connected("Connection._doDisconnect", "called by the page", (client, connection) => connection._doDisconnect("why")),
  connected("Bosh._abortAllRequests", "called by the page", (client, connection) => connection._proto._abortAllRequests(), { over: ["bosh"] }),
  {
    member: "Connection.service",
    name: "how the transport is chosen",
    run({ lib: { Strophe } }) {
      const kind = (service, options) => {
        try {
          const { _proto } = new Strophe.Connection(service, options);
          return ["Bosh", "Websocket", "WorkerWebsocket"].filter((one) => _proto.constructor === Strophe[one]).join();
        } catch (error) {
          return error.name;
        }
      };
      return [
        ["http://a/b"], ["https://a/b"], ["ws://a/b"], ["wss://a/b"], ["/bosh"], ["ws://a/b", { protocol: "wss" }], ["http://a", { protocol: "nonsense" }],
      ].map((values) => [...values, kind(...values)]);
    },
  },
  {
    member: "Connection.service",
    name: "a path over WebSocket",
    where: "page",
    run({ lib: { Strophe } }) {
      return ["/xmpp", "xmpp"].flatMap((path) => ["ws", "wss"].map((protocol) => new Strophe.Connection(path, { protocol }).service.replace(/127\.0\.0\.1:\d+/, "HOST")));
    },
  },
  {
    member: "Connection.addProtocol",
    name: "a transport of the page's own",
    run({ lib: { Strophe } }) {
      class Own {
        constructor(connection) {
          this.connection = connection;
        }
      }
      Strophe.Connection.addProtocol("parity", Own);
      return new Strophe.Connection("x", { protocol: "parity" })._proto instanceof Own;
    },
  },
  {
    member: "Connection.options",
    name: "headers, Content-Type",
    over: ["bosh"],
    async run(world) {
      const options = { customHeaders: { "X-Custom": "1" }, contentType: "text/plain", withCredentials: false };
      const client = await new Client(world, "plain", options).online();
      await client.end();
      return [client.connection.options === options, client.seen];
    },
  },
  {
    member: "Connection.disconnect",
    name: "and the page is left in the same turn",
    over: BOTH,
    where: "page",
    async run(world) {
      const client = await new Client(world).online();
      client.connection.send(world.lib.$msg({ id: "last" }));
      client.connection.disconnect();
      return client.wire();
    },
  },
];

export const specs = [...hooks];
