// What is measured in the page, the same work for each library: `window.bench.epode`, `.strophe` and `.xmppjs`, each with
// loginAnonymously(), listen(), items(): register handlers, count what arrives; the first two also with login(), roundTrip(), logout().
import { Client, init, xml } from "/epode/index.js";

await init();

const { Strophe, $iq, $msg, $pres } = window.Strophe.Strophe ? window.Strophe : window;
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

/** How many requests have left this page, by fetch or XMLHttpRequest. */
let requests = 0;
const { fetch } = window;
window.fetch = (...args) => {
  requests++;
  return fetch(...args);
};
const { send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (...args) {
  requests++;
  return send.apply(this, args);
};

/** The node of items(), and its service. */
const NODE = "/bench/0";
const SERVICE = "pubsub.example.org";
const PUBSUB = "http://jabber.org/protocol/pubsub";
const PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event";

/** A matcher that never matches, of the kind pages pile up: a pending reply by its id. */
const idle = (index) => `idle-${index}`;

const epode = {
  client: undefined,

  async login(service, jid, password) {
    const before = requests;
    const start = performance.now();
    this.client = new Client(service, { jid, password });
    await this.client.connect();
    return { time: performance.now() - start, requests: requests - before };
  },

  /** A chat message to oneself and back, in milliseconds. */
  roundTrip(text) {
    const { client } = this;
    return new Promise((resolve) => {
      const start = performance.now();
      const handler = client.addHandler(
        (stanza) => {
          if (stanza.text("body") !== text) return;
          handler.remove();
          resolve(performance.now() - start);
        },
        { name: "message", type: "chat" },
      );
      client.send(xml`<message to="${client.jid}" type="chat"><body>${text}</body></message>`);
    });
  },

  async loginAnonymously(service, domain) {
    this.client = new Client(service, { domain, anonymous: true, presence: false });
    await this.client.connect();
  },

  /** `count` handlers of which the last matches; `warm` and `done` resolve when so many messages have come. */
  listen(count, warm, all) {
    for (let index = 1; index < count; index++) this.client.addHandler(() => {}, { name: "iq", type: "result", id: idle(index) });
    let seen = 0;
    let bytes = 0;
    const told = { warm: undefined, done: undefined };
    for (const name of Object.keys(told)) this[name] = new Promise((resolve) => (told[name] = resolve));
    this.client.addHandler(
        (stanza) => {
          bytes += stanza.from.length + stanza.id.length + stanza.text("body").length;
        seen += 1;
        if (seen === warm) told.warm();
        if (seen === all) told.done(bytes);
      },
      { name: "message", type: "chat" },
    );
  },

  /** Subscribes to a node; `done` resolves when so many items have come. */
  async items(count) {
    let seen = 0;
    let bytes = 0;
    let done;
    this.done = new Promise((resolve) => (done = resolve));
    await this.client.pubsub.subscribe(NODE, (item) => {
      bytes += item.id.length + item.payload.text("title").length;
      seen += 1;
      if (seen === count) done(bytes);
    }, { service: SERVICE });
  },

  async logout() {
    await this.client.disconnect();
    this.client.free();
  },
};

const strophe = {
  connection: undefined,

  login(service, jid, password) {
    const before = requests;
    const start = performance.now();
    this.connection = new Strophe.Connection(service);
    return new Promise((resolve, reject) => {
      this.connection.connect(jid, password, (status, reason) => {
        if (status === Strophe.Status.CONNECTED) {
          resolve({ time: performance.now() - start, requests: requests - before });
          this.connection.send($pres());
        } else if (status === Strophe.Status.CONNFAIL || status === Strophe.Status.AUTHFAIL) {
          reject(new Error(`Strophe: ${reason}`));
        }
      });
    });
  },

  roundTrip(text) {
    const { connection } = this;
    return new Promise((resolve) => {
      const start = performance.now();
      connection.addHandler(
        (message) => {
          if (message.getElementsByTagName("body")[0]?.textContent !== text) return true;
          resolve(performance.now() - start);
          return false;
        },
        null,
        "message",
        "chat",
      );
      connection.send($msg({ to: connection.jid, type: "chat" }).c("body").t(text));
    });
  },

  loginAnonymously(service, domain) {
    this.connection = new Strophe.Connection(service);
    return new Promise((resolve) => {
      this.connection.connect(domain, null, (status) => {
        if (status === Strophe.Status.CONNECTED) resolve();
      });
    });
  },

  listen(count, warm, all) {
    for (let index = 1; index < count; index++) this.connection.addHandler(() => true, null, "iq", "result", idle(index));
    let seen = 0;
    let bytes = 0;
    const told = { warm: undefined, done: undefined };
    for (const name of Object.keys(told)) this[name] = new Promise((resolve) => (told[name] = resolve));
    this.connection.addHandler(
        (message) => {
          const body = message.getElementsByTagName("body")[0].textContent;
          bytes += message.getAttribute("from").length + message.getAttribute("id").length + body.length;
        seen += 1;
        if (seen === warm) told.warm();
        if (seen === all) told.done(bytes);
        return true;
      },
      null,
      "message",
      "chat",
    );
  },

  items(count) {
    let seen = 0;
    let bytes = 0;
    let done;
    this.done = new Promise((resolve) => (done = resolve));
    this.connection.addHandler(
      (message) => {
        if (message.getAttribute("from") !== SERVICE) return true;
        for (const item of message.querySelectorAll("event > items > item")) {
          bytes += item.getAttribute("id").length + item.getElementsByTagName("title")[0].textContent.length;
          seen += 1;
          if (seen === count) done(bytes);
        }
        return true;
      },
      PUBSUB_EVENT,
      "message",
      "headline",
    );
    const subscribe = $iq({ type: "set", to: SERVICE })
      .c("pubsub", { xmlns: PUBSUB })
      .c("subscribe", { node: NODE, jid: Strophe.getBareJidFromJid(this.connection.jid) });
    return new Promise((resolve, reject) => this.connection.sendIQ(subscribe, resolve, reject));
  },

  logout() {
    return new Promise((resolve) => {
      this.connection.connect_callback = (status) => {
        if (status === Strophe.Status.DISCONNECTED) resolve();
      };
      this.connection.disconnect();
    });
  },
};

/** Over WebSocket alone: it has no BOSH. It has events in place of handlers: what a stanza is, each listener finds out. */
const xmppjs = {
  entity: undefined,

  async loginAnonymously(service, domain) {
    this.entity = window.XMPP.client({ service, domain });
    this.entity.on("error", (error) => {
      throw error;
    });
    await this.entity.start();
  },

  listen(count, warm, all) {
    for (let index = 1; index < count; index++) {
      const id = idle(index);
      this.entity.on("stanza", (stanza) => stanza.is("iq") && stanza.attrs.type === "result" && stanza.attrs.id === id);
    }
    let seen = 0;
    let bytes = 0;
    const told = { warm: undefined, done: undefined };
    for (const name of Object.keys(told)) this[name] = new Promise((resolve) => (told[name] = resolve));
    this.entity.on("stanza", (stanza) => {
      if (!stanza.is("message") || stanza.attrs.type !== "chat") return;
      bytes += stanza.attrs.from.length + stanza.attrs.id.length + stanza.getChildText("body").length;
      seen += 1;
      if (seen === warm) told.warm();
      if (seen === all) told.done(bytes);
    });
  },

  async items(count) {
    let seen = 0;
    let bytes = 0;
    let done;
    this.done = new Promise((resolve) => (done = resolve));
    this.entity.on("stanza", (stanza) => {
      if (!stanza.is("message") || stanza.attrs.from !== SERVICE) return;
      for (const item of stanza.getChild("event", PUBSUB_EVENT)?.getChild("items")?.getChildren("item") ?? []) {
        bytes += item.attrs.id.length + item.getChild("entry").getChildText("title").length;
        seen += 1;
        if (seen === count) done(bytes);
      }
    });
    const { xml } = window.XMPP;
    const subscribe = xml("subscribe", { node: NODE, jid: this.entity.jid.bare().toString() });
    await this.entity.iqCaller.request(xml("iq", { type: "set", to: SERVICE }, xml("pubsub", PUBSUB, subscribe)));
  },
};

window.bench = { epode, strophe, xmppjs };
