// What is measured in the page, the same work for both libraries: `window.bench.epode` and `window.bench.strophe`, each
// with login(), roundTrip(), register handlers, count what arrives, logout().
import { Client, init, xml } from "/epode/index.js";

await init();

const { Strophe, $msg, $pres } = window.Strophe.Strophe ? window.Strophe : window;
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

  logout() {
    return new Promise((resolve) => {
      this.connection.connect_callback = (status) => {
        if (status === Strophe.Status.DISCONNECTED) resolve();
      };
      this.connection.disconnect();
    });
  },
};

window.bench = { epode, strophe };
