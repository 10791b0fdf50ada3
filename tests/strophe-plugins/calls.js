// The main call of each plugin, as a page makes it. Each function gets `{ service, jid, password, … }` and returns what it saw.
/* global Strophe, $iq, $msg, $pres, $build, show */

/** A promise with its functions outside. */
function later() {
  const one = {};
  one.promise = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
  return one;
}

/** Calls `start(resolve, reject)`; an error that is an element is shown. */
const answer = (start) =>
  new Promise((resolve, reject) => start(resolve, (error) => reject(new Error(error?.nodeType ? show.canonical(error) : String(error)))));

/** A connection that is logged in. */
async function online({ service, jid, password, options }, before) {
  const connection = new Strophe.Connection(service, options);
  before?.(connection);
  const connected = later();
  const ended = later();
  window.seen = [];
  connection.connect(jid, password, (status, condition) => {
    window.seen.push(`${nameOf(status)} ${condition}`);
    if (status === Strophe.Status.CONNECTED) connected.resolve();
    if (status === Strophe.Status.DISCONNECTED) ended.resolve();
    if ([Strophe.Status.CONNFAIL, Strophe.Status.AUTHFAIL].includes(status)) connected.reject(new Error(`status ${status} ${condition}`));
  });
  await connected.promise;
  connection.end = () => {
    connection.disconnect();
    return ended.promise;
  };
  return connection;
}

/** Waits for a stanza for which `fits` returns true. */
const stanza = (connection, name, fits) =>
  new Promise((resolve) => {
    connection.addHandler((element) => {
      if (!fits(element)) return true;
      resolve(element);
      return false;
    }, null, name);
  });

const children = (element) => Array.from(element.childNodes, (node) => node.nodeName);

/** The statuses that a registration plugin adds, by name. */
const nameOf = (status) => Object.keys(Strophe.Status).find((name) => Strophe.Status[name] === status);

/** Registers an account by the plugin of any year, logs in with it, and says which statuses came. */
function registration({ service, domain, name, password }, submit) {
  const connection = new Strophe.Connection(service);
  const seen = [];
  // Shown when the call does not end.
  window.seen = seen;
  return new Promise((resolve, reject) => {
    connection.register.connect(domain, (status, condition) => {
      seen.push(nameOf(status) + (condition ? ` ${condition}` : ""));
      if (status === Strophe.Status.REGISTER) {
        seen.push(`fields ${Object.keys(connection.register.fields).sort()}`);
        connection.register.fields.username = name;
        connection.register.fields.password = password;
        connection.register.submit();
      } else if (status === Strophe.Status.REGISTERED) {
        submit(connection, name, password);
      } else if (status === Strophe.Status.CONNECTED) {
        seen.push(`as ${Strophe.getBareJidFromJid(connection.jid)}`);
        connection.disconnect();
      } else if (status === Strophe.Status.DISCONNECTED) {
        resolve(seen);
      } else if ([Strophe.Status.REGIFAIL, Strophe.Status.CONFLICT, Strophe.Status.NOTACCEPTABLE].includes(status)) {
        reject(new Error(seen.join("; ")));
      }
    });
  });
}

window.calls = {
  async register(env) {
    const done = await registration(env, (connection) => connection.authenticate());
    const refused = await registration(env, () => {}).catch((error) => error.message);
    return { done, refused };
  },

  register2011: (env) => registration(env, (connection) => connection.register.authenticate()),
  register2013: (env) => registration(env, (connection) => connection.authenticate()),
  register2015: (env) => registration(env, (connection) => connection.authenticate()),

  async ping(env) {
    const connection = await online(env);
    const pong = await answer((resolve, reject) => connection.ping.ping(env.domain, resolve, reject, 5_000));
    // Another client's ping is answered by the plugin.
    const other = await online(env.other);
    other.ping.addPingHandler((ping) => {
      other.ping.pong(ping);
      return true;
    });
    const between = await answer((resolve, reject) => connection.ping.ping(other.jid, resolve, reject, 5_000));
    await Promise.all([connection.end(), other.end()]);
    return { pong, between: between.getAttribute("type") };
  },

  async vcard(env) {
    const connection = await online(env);
    const card = $build("FN").t("Ann & Co <x>").tree();
    const set = await answer((resolve, reject) => connection.vcard.set(resolve, card, null, reject));
    const get = await answer((resolve, reject) => connection.vcard.get(resolve, null, reject));
    await connection.end();
    return { set: set.getAttribute("type"), get };
  },

  async disco(env) {
    const connection = await online(env);
    connection.disco.addIdentity("client", "web", "parity", "en");
    connection.disco.addFeature("urn:parity");
    const items = await answer((resolve, reject) => connection.disco.items(env.domain, null, resolve, reject, 5_000));
    const info = await answer((resolve, reject) => connection.disco.info(env.conference, null, resolve, reject, 5_000));
    const other = await online(env.other);
    // The handlers of init() were dropped at connect() before 1.1 only: they answer.
    const about = await answer((resolve, reject) => other.disco.info(connection.jid, null, resolve, reject, 5_000)).catch((error) => error.message);
    await Promise.all([connection.end(), other.end()]);
    return { items, features: Array.from(info.getElementsByTagName("feature"), (one) => one.getAttribute("var")).sort(), about };
  },

  async caps(env) {
    const connection = await online(env);
    const attributes = connection.caps.generateCapsAttrs();
    const echoed = stanza(connection, "presence", (presence) => presence.getElementsByTagName("c").length > 0);
    connection.send($pres().c("c", attributes));
    const presence = await echoed;
    await connection.end();
    return { attributes, echoed: presence.getElementsByTagName("c")[0].getAttribute("ver"), known: connection.caps.getCapabilitiesByJid("no@body") };
  },

  async roster(env) {
    const connection = await online(env);
    const changes = [];
    connection.roster.registerCallback((items, item) => changes.push([items.length, item?.jid]));
    const empty = await new Promise((resolve) => connection.roster.get(resolve));
    const sizes = [empty.length];
    const pushed = stanza(connection, "iq", (iq) => iq.getAttribute("type") === "set" && Boolean(iq.getElementsByTagName("item").length));
    await new Promise((resolve) => connection.roster.add("romeo@example.org", "Romeo", ["friends"], resolve));
    await pushed;
    const item = connection.roster.findItem("romeo@example.org");
    const all = await new Promise((resolve) => connection.roster.get(resolve));
    const versioning = connection.roster.supportVersioning();
    await connection.end();
    return { sizes, item: { ...item, resources: undefined }, all: all.length, changes: changes.length > 0, versioning };
  },

  async bookmarks(env) {
    const connection = await online(env);
    const { bookmarks } = connection;
    const add = (jid, name) => answer((resolve, reject) => bookmarks.add(jid, name, "nick", true, resolve, reject));
    await add("one@rooms.example", "One");
    await add("two@rooms.example", "Two");
    await answer((resolve, reject) => bookmarks.delete("one@rooms.example", resolve, reject));
    const left = await answer((resolve, reject) => bookmarks.get(resolve, reject));
    await connection.end();
    return Array.from(left.getElementsByTagName("conference"), (one) => show.canonical(one));
  },

  async pubsub(env) {
    const connection = await online(env);
    const { pubsub } = connection;
    // A subscription of the bare JID: events come to resources that are there.
    connection.send($pres());
    pubsub.connect(env.pubsub);
    const done = (call) => new Promise((resolve) => call((iq) => resolve(iq.getAttribute("type")) ?? false));
    const created = await done((cb) => pubsub.createNode(env.unique, { "pubsub#title": "Parity" }, cb));
    const arrived = later();
    const subscribed = await answer((resolve, reject) =>
      pubsub.subscribe(env.unique, null, (message) => {
        if (message.getElementsByTagName("item").length > 0) arrived.resolve(message);
        return true;
      }, resolve, reject, true),
    );
    const published = await done((cb) => pubsub.publish(env.unique, [{ attrs: { id: "i1" }, data: $build("entry", { xmlns: "urn:parity" }).t("a & b").tree() }], cb));
    const event = await arrived.promise;
    const items = await answer((resolve, reject) => pubsub.items(env.unique, resolve, reject, 5_000));
    const atom = await done((cb) => pubsub.publishAtom(env.unique, { id: "i2", title: "T", updated: "2020-01-01T00:00:00Z" }, cb));
    const subscriptions = await new Promise((resolve) => pubsub.getSubscriptions((iq) => resolve(iq)));
    const unsubscribed = await answer((resolve, reject) => pubsub.unsubscribe(env.unique, Strophe.getBareJidFromJid(connection.jid), null, resolve, reject));
    const deleted = await done((cb) => pubsub.deleteNode(env.unique, cb));
    await connection.end();
    return {
      created, published, atom, deleted, subscribed: children(subscribed), unsubscribed: unsubscribed.getAttribute("type"),
      item: event.getElementsByTagName("item")[0].getElementsByTagName("entry")[0],
      items: items.getElementsByTagName("item").length, subscriptions: subscriptions.getElementsByTagName("subscription").length,
    };
  },

  async pubsub2008(env) {
    const connection = await online(env);
    const { pubsub } = connection;
    const { jid } = connection;
    const done = (call) => new Promise((resolve) => call((iq) => resolve(iq.getAttribute("type")) ?? false));
    const created = await done((cb) => pubsub.createNode(jid, env.pubsub, env.unique, { "pubsub#title": "Parity" }, cb));
    const arrived = later();
    const subscribed = await done((cb) =>
      pubsub.subscribe(jid, env.pubsub, env.unique, [], (message) => {
        arrived.resolve(message);
        return true;
      }, cb),
    );
    const published = await done((cb) => pubsub.publish(jid, env.pubsub, env.unique, [$build("entry", { xmlns: "urn:parity" }).t("2008").tree()], cb));
    const event = await arrived.promise;
    const items = await new Promise((resolve, reject) => pubsub.items(jid, env.pubsub, env.unique, (iq) => resolve(iq.getElementsByTagName("item").length), reject));
    const unsubscribed = await done((cb) => pubsub.unsubscribe(jid, env.pubsub, env.unique, cb));
    const deleted = await done((cb) => pubsub.deleteNode(jid, env.pubsub, env.unique, cb));
    await connection.end();
    return { created, subscribed, published, entry: event.getElementsByTagName("entry")[0], items, unsubscribed, deleted };
  },

  async muc(env) {
    const connection = await online(env);
    const room = `${env.unique}@${env.conference}`;
    const joined = later();
    const heard = later();
    const rosters = [];
    connection.muc.join(
      room,
      "ann",
      (message) => {
        if (message.getElementsByTagName("body").length > 0) heard.resolve(message);
        return true;
      },
      (presence) => {
        if (/ann$/.test(presence.getAttribute("from"))) joined.resolve(presence);
        return true;
      },
      (roster) => {
        rosters.push(Object.keys(roster));
        return true;
      },
      null,
      { maxstanzas: 0 },
    );
    const self = await joined.promise;
    connection.muc.groupchat(room, "hello & goodbye", "<p>hello <strong>all</strong></p>");
    const message = await heard.promise;
    const occupants = await answer((resolve, reject) => connection.muc.queryOccupants(room, resolve, reject));
    const config = await answer((resolve, reject) => connection.muc.configure(room, resolve, reject));
    const left = await new Promise((resolve) => connection.muc.leave(room, "ann", resolve));
    await connection.end();
    return {
      statuses: Array.from(self.getElementsByTagName("status"), (one) => one.getAttribute("code")).sort(),
      body: Strophe.getText(message.getElementsByTagName("body")[0]), html: message.getElementsByTagName("html")[0] ?? null,
      occupants: occupants.getElementsByTagName("item").length, fields: config.getElementsByTagName("field").length > 0,
      left: left.getAttribute("type"), rosters: rosters.at(-1),
    };
  },

  async rsm(env) {
    const { RSM } = Strophe;
    const set = new RSM({ max: 10, after: "a&b", index: undefined });
    const answer = new RSM({ xml: Strophe.toElement("<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>one</first><last>two</last><count>7</count></set>") });
    return { sent: set.toXML(), got: [answer.first, answer.last, answer.count, answer.index], next: answer.next(5).toXML(), previous: answer.previous(5).toXML() };
  },

  async mam(env) {
    const connection = await online(env);
    const other = await online(env.other);
    other.send($pres());
    const got = stanza(other, "message", (message) => message.getElementsByTagName("body").length > 0);
    connection.send($pres());
    // The archive keeps what goes between contacts.
    await answer((resolve, reject) => connection.sendIQ($iq({ type: "set" }).c("prefs", { xmlns: "urn:xmpp:mam:2", default: "always" }), resolve, reject));
    connection.send($msg({ to: other.jid, type: "chat", id: "m1" }).c("body").t("kept"));
    await got;
    const bodies = [];
    const complete = await answer((resolve) =>
      connection.mam.query(Strophe.getBareJidFromJid(connection.jid), {
        max: 20,
        onMessage(message) {
          bodies.push(Strophe.getText(message.getElementsByTagName("body")[0]));
          return true;
        },
        onComplete: resolve,
      }),
    );
    await Promise.all([connection.end(), other.end()]);
    return { bodies, complete: complete.getElementsByTagName("fin")[0]?.getAttribute("complete") };
  },

  async streamManagement(env) {
    const connection = await online(env, (made) => {
      made.streamManagement.logging = false;
    });
    const enabled = stanza(connection, "enabled", () => true);
    connection.streamManagement.enable();
    // The plugin pauses the connection until then.
    await enabled;
    const acknowledged = stanza(connection, "a", () => true);
    connection.streamManagement.requestAcknowledgement();
    const h = (await acknowledged).getAttribute("h");
    const ping = $iq({ type: "get", to: env.domain }).c("ping", { xmlns: "urn:xmpp:ping" });
    const pong = await answer((resolve, reject) => connection.sendIQ(ping, resolve, reject));
    // The plugin looks for stanzas within what leaves, and so counts none over WebSocket.
    const counters = [connection.streamManagement.getOutgoingCounter(), connection.streamManagement.getIncomingCounter()];
    await connection.end();
    return { h, pong: pong.getAttribute("type"), counters };
  },

  async resumption(env) {
    const seen = [];
    const got = [];
    const connection = new Strophe.Connection(env.service);
    const { resumption } = connection;
    const reached = (name) => new Promise((resolve) => (connection.reached = (status) => status === name && resolve()));
    let waiting = reached("CONNECTED");
    connection.connect(env.jid, env.password, (status) => {
      seen.push(nameOf(status));
      connection.reached(nameOf(status));
    });
    await waiting;
    const { jid } = connection;
    connection.addHandler((message) => (got.push(message.getAttribute("id")), true), null, "message", "chat");
    const enabled = stanza(connection, "enabled", () => true);
    resumption.enable();
    await enabled;
    connection.send($msg({ to: jid, type: "chat", id: "before" }).c("body").t("before"));
    connection._proto._closeSocket();
    connection._proto._onClose(null);
    const between = [connection.connected, connection.authenticated, connection._proto.socket];
    waiting = reached("CONNECTED");
    resumption.resume();
    await waiting;
    const back = stanza(connection, "message", (message) => message.getAttribute("id") === "after");
    connection.send($msg({ to: jid, type: "chat", id: "after" }).c("body").t("after"));
    await back;
    const members = [connection.jid === jid, connection.restored, connection.authenticated, resumption.isOffered];
    waiting = reached("DISCONNECTED");
    connection.disconnect();
    await waiting;
    return { seen, between, members, got };
  },
};
