// What plugins and pages do to BOSH requests and to a session by themselves: another `XMLHttpRequest`, another `_onRequestStateChange`,
// a good-bye of their own, and the resumption of plugins older than strophe.js's own.

import { Client, PASSWORD, until } from "./client.mjs";

/** Replaces a member of a prototype, which all connections share, for as long as `work` takes. */
async function replaced(prototype, name, make, work) {
  const own = prototype[name];
  prototype[name] = make(own);
  try {
    return await work();
  } finally {
    prototype[name] = own;
  }
}

/** The whole life of one session. */
async function session(world, script = "only-plain") {
  const client = await new Client(world, script).online();
  await client.said("<message xmlns='jabber:client' id='in'><body>é</body></message>");
  await client.end();
  return { seen: client.seen, wire: await client.wire() };
}

/** Wraps what requests are made with, as plugins that read a header or set `withCredentials` do. */
const noting = (seen) => (make) =>
  function (...values) {
    const xhr = make.apply(this, values);
    const { onreadystatechange } = xhr;
    xhr.onreadystatechange = (...more) => {
      if (xhr.readyState === 4 && xhr.status) {
        const root = this.xhr.responseXML?.documentElement.nodeName;
        seen.add([xhr.status, this.xmlData.nodeName, this.rid > 0, xhr === this.xhr, root, xhr.getResponseHeader("content-type")].join());
      }
      return onreadystatechange?.apply(xhr, more);
    };
    return xhr;
  };

/** As Vue 3 wraps objects: none that is marked, and none of the platform's. */
function reactive(value) {
  if (typeof value !== "object" || value === null || value.__v_skip || !/^\[object (Object|Array)\]$/.test(Object.prototype.toString.call(value))) return value;
  return new Proxy(value, { get: (target, name, receiver) => reactive(Reflect.get(target, name, receiver)) });
}

export const specs = [
  {
    member: "Connection",
    name: "in the reactive state of a page",
    // Over BOSH strophe.js does not log in through the proxy.
    over: ["ws"],
    where: "page",
    async run(world) {
      const client = new Client(world);
      const state = reactive({ connection: client.connection });
      client.connection = state.connection;
      await client.online();
      const answer = await new Promise((resolve) => state.connection.sendIQ(world.lib.$iq({ type: "get" }).c("q", { xmlns: "urn:parity:echo" }), resolve));
      await client.said("<message xmlns='jabber:client' id='in'/>");
      await client.end();
      return [answer.nodeName, client.seen, state.connection.connected];
    },
  },
  {
    member: "Strophe.Request._newXHR",
    name: "makes what a request has",
    where: "page",
    run({ lib: { Strophe } }) {
      const request = new Strophe.Request(Strophe.xmlElement("body"), () => {}, 7);
      return [typeof request._newXHR, typeof request._newXHR().open, request.xhr.readyState, request.xhr.status, request.xhr.responseText];
    },
  },
  {
    member: "Strophe.Request._newXHR",
    name: "wrapped by a plugin",
    over: ["bosh"],
    where: "page",
    alone: true,
    async run(world) {
      const seen = new Set();
      const whole = await replaced(world.lib.Strophe.Request.prototype, "_newXHR", noting(seen), () => session(world));
      return { ...whole, requests: [...seen] };
    },
  },
  {
    member: "Strophe.Request._newXHR",
    name: "wrapped by a plugin, and the session is refused",
    over: ["bosh"],
    where: "page",
    alone: true,
    async run(world) {
      const seen = new Set();
      return replaced(world.lib.Strophe.Request.prototype, "_newXHR", noting(seen), async () => {
        const client = new Client(world, "status-404-at-open").connect();
        await client.rest();
        return { seen: client.seen, requests: [...seen].map((line) => line.slice(0, 3)) };
      });
    },
  },
  {
    member: "Bosh._onRequestStateChange",
    name: "replaced by a page, which reads the answers",
    over: ["bosh"],
    where: "page",
    alone: true,
    async run(world) {
      const seen = new Set();
      const make = (own) =>
        function (func, req) {
          if (req.xhr.readyState === 4 && req.xhr.status === 200) {
            const { responseText, responseXML } = req.xhr;
            const root = responseXML.documentElement;
            seen.add([responseText.startsWith("<body"), responseText.includes("é"), root.nodeName, root.namespaceURI, req.xhr.getResponseHeader("Content-Type")].join());
          }
          return own.call(this, func, req);
        };
      const whole = await replaced(world.lib.Strophe.Bosh.prototype, "_onRequestStateChange", make, () => session(world));
      return { ...whole, answers: [...seen].sort() };
    },
  },
  {
    member: "Bosh._buildBody",
    name: "the good-bye is sent by the page",
    over: ["bosh"],
    async run(world) {
      // As applications do that leave by `navigator.sendBeacon`.
      const { Strophe, $pres } = world.lib;
      const client = await new Client(world).online();
      const { connection } = client;
      connection._changeConnectStatus(Strophe.Status.DISCONNECTING);
      connection.disconnecting = true;
      const { sid } = connection._proto;
      const body = connection._proto._buildBody().attrs({ type: "terminate" }).cnode($pres({ xmlns: Strophe.NS.CLIENT, type: "unavailable" }).tree());
      const text = Strophe.serialize(body);
      const sent = fetch(client.address, { method: "POST", body: text }).then((answer) => answer.text());
      connection._proto._abortAllRequests();
      connection._doDisconnect();
      await sent;
      return { seen: client.seen, isTheSession: text.includes(`sid='${sid}'`), left: connection._proto.sid, wire: await client.wire() };
    },
  },
  {
    member: "Connection.rawInput",
    name: "is XML that a page can parse",
    over: ["bosh", "ws"],
    async run(world) {
      const client = new Client(world);
      const roots = new Set();
      client.connection.rawInput = (text) => {
        const root = world.lib.Strophe.xmlHtmlNode(text).documentElement;
        // The answer to the good-bye may come after the end.
        if (root.nodeName !== "close") roots.add(root.getElementsByTagName("parsererror").length + root.nodeName);
      };
      await client.online();
      await client.said("<message xmlns='jabber:client' id='in' xml:lang='en'><body/></message>");
      await client.end();
      return [...roots];
    },
  },
  {
    member: "Connection.addTimedHandler",
    name: "in a session that a plugin has resumed",
    over: ["ws"],
    async run(world) {
      // Plugins set `authenticated` themselves, after the timed handlers of the earlier session.
      const { Strophe } = world.lib;
      const client = new Client(world, "plain", { explicitResourceBinding: true });
      const { connection } = client;
      client.connect("user@parity.example", PASSWORD);
      await client.reached("BINDREQUIRED");
      let isCalled = false;
      connection.addTimedHandler(20, () => ((isCalled = true), false));
      connection.do_bind = false;
      connection.authenticated = true;
      connection.restored = true;
      connection._changeConnectStatus(Strophe.Status.CONNECTED, null);
      await until(() => isCalled, "the timed handler");
      await client.end();
      return client.seen;
    },
  },
];
