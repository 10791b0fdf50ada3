// PubSubClient: pages written for django-pubsub's client go on as they are, over epode's public API.
//
//   const pubsub = new PubSubClient({ nick, node, event_cb });                  anonymous
//   const pubsub = new PubSubClient({ username, password, node, event_cb });    an account
//   const pubsub = new PubSubClient({ jid, sid, rid, node, event_cb });         a BOSH session that the web server made
//   event_cb(entry, pubsub); pubsub.focus, unread, updates; publish(node, items); disconnect(); _on_disconnect()
//
// As it was: it connects when it is made and subscribes with the full JID, without presence; what was published before is not
// told. What is different, and why:
// - The globals of the old file (`settings`) are options: bosh_service, domain, resource, pubsub_service, debug.
// - `entry` is not a set of jQuery's but reads like one: text, attr, find, children, each, eq, first, length. It is read from
//   text, never made a part of the page. Its `value` is the payload as a plain value: what pages had to eval.
// - event_cb is called for every item, not once for a message with several; only for what the node's service itself says;
//   whatever element the payload is, not <entry/> alone.
// - Its third argument tells a record's creation from its update, which needs item ids that are the record's (pk). What the
//   node held before is asked for at the beginning, ids only. Deletion is told by delete_cb(id, pubsub): event_cb has no
//   entry to show for it. Nodes must notify of it (`pubsub#notify_retract`).
// - Logging in works (the JID used to be made before there was a name), and so does attaching (sid and rid were swapped, and
//   nothing was subscribed).
// - What fails is told: to error_cb(error, pubsub), or reported as the page's uncaught errors are; `ready` and the methods are promises.
// - `updates` keeps the last 1,000 entries, not all.
// - A connection that breaks is made again, and the subscriptions with it: `_on_disconnect` is called when it is over for good.
//   What was missed meanwhile is told then; gap_cb(node, pubsub) says where the service does not have it any more.
// - unsubscribe(node) exists. When the page goes, subscriptions are ended: nobody else removes an anonymous user's.
import { Client, XmppError, xml } from "./index.js";
import { report } from "./compat.js";
import { plain } from "./plain.js";

const ATOM = "http://www.w3.org/2005/Atom";
const DISCO_ITEMS = "http://jabber.org/protocol/disco#items";
/** How many entries `updates` keeps. */
const UPDATES = 1_000;
/** How many ids of a node are remembered; of one that is older, an update passes for a creation. */
const KNOWN = 10_000;

function* descendants(element) {
  for (const child of element.children()) {
    yield child;
    yield* descendants(child);
  }
}

/** `name`, `[attr]`, `[attr="value"]`, one after another: what old pages ask of an entry. */
function* select(elements, selector) {
  const [first, ...rest] = selector.trim().split(/\s+(?![^[]*\])/);
  const parts = /^([\w-]+|\*)?(?:\[([\w-]+)(?:=(["']?)(.*)\3)?\])?$/.exec(first);
  if (!parts || !first) throw new XmppError("bad-argument", `find(): "${selector}" is not understood. Use names and [attribute="value"].`);
  const [, name = "*", attribute, , value] = parts;
  const fits = (element) =>
    (name === "*" || element.name === name) &&
    (attribute === undefined || (value === undefined ? element.attr(attribute) !== undefined : element.attr(attribute) === value));
  for (const element of elements) {
    for (const one of descendants(element)) {
      if (!fits(one)) continue;
      if (rest.length === 0) yield one;
      else yield* select([one], rest.join(" "));
    }
  }
}

/** Elements to read from, as jQuery's sets are read. */
class Elements {
  #item;

  constructor(elements, item) {
    elements.forEach((element, index) => (this[index] = element));
    this.length = elements.length;
    this.#item = item;
  }

  /** The item's payload as a plain value. */
  get value() {
    return this.#item?.value;
  }

  get format() {
    return this.#item?.format;
  }

  text() {
    return this.get().map(plain).join("");
  }

  attr(name) {
    return this[0]?.attr(name);
  }

  find(selector) {
    return new Elements([...new Set(select(this.get(), selector))]);
  }

  children(name) {
    return new Elements(this.get().flatMap((element) => element.children(name)));
  }

  each(act) {
    this.get().every((element, index) => act.call(element, index, element) !== false);
    return this;
  }

  eq(index) {
    return new Elements(this.get().slice(index).slice(0, 1));
  }

  first() {
    return this.eq(0);
  }

  get(index) {
    const all = Array.from(this);
    return index === undefined ? all : all.at(index);
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.length; index += 1) yield this[index];
  }
}

export class PubSubClient {
  #options;
  #feeds = new Map();
  /** Aborted when we go: no page is watched any more, and no connection made. */
  #going;

  constructor(options = {}) {
    const domain = options.domain ?? globalThis.location?.hostname ?? "localhost";
    this.#options = { bosh_service: "/xmpp-httpbind", pubsub_service: `pubsub.${domain}`, ...options, domain };
    this.nick = options.nick;
    this.node = options.node;
    this.focus = globalThis.document?.hasFocus?.() ?? true;
    this.unread = 0;
    this.updates = [];
    const { jid, sid, rid } = options;
    if (sid !== undefined) {
      this.attach(jid, sid, rid);
    } else {
      const { username, password, resource } = options;
      const name = username?.includes("@") ? username : `${username}@${domain}`;
      const login = username === undefined ? { domain, anonymous: true } : { jid: resource ? `${name}/${resource}` : name, password };
      this.#begin(login, (client, signal) => client.connect({ signal }));
    }
  }

  /** Goes on with a BOSH session in place of whatever there was; `rid` is that of the next request. */
  attach(jid, sid, rid) {
    const session = { jid, sid, rid };
    this.client?.disconnect();
    return this.#begin(session, (client, signal) => client.attach({ ...session, signal }));
  }

  #begin(login, connect) {
    const client = new Client(this.#options.bosh_service, { presence: false, ...login });
    this.client = client;
    this.#going?.abort();
    this.#going = new AbortController();
    const { signal } = this.#going;
    this.#watchPage(signal);
    client.on("status", ({ status, error }) => {
      if (status !== "offline" || client !== this.client) return;
      this.#feeds.clear();
      this._on_disconnect(error);
    });
    client.on("error", (error) => this.#fail(error));
    if (this.#options.debug) {
      client.on("sent", (text) => console.debug("epode sent", text));
      client.on("received", (text) => console.debug("epode received", text));
    }
    this.connected = connect(client, signal);
    this.connected.catch((error) => {
      if (!signal.aborted) this.#fail(error);
    });
    this.ready = this.connected.then(() => (this.node === undefined ? undefined : this.subscribe(this.node)));
    this.ready.catch(() => {});
    return this.ready;
  }

  /** Called when the connection is over: pages put their own in its place. */
  _on_disconnect() {}

  #fail(error) {
    const { error_cb } = this.#options;
    if (error_cb) error_cb(error, this);
    else report(error);
  }

  #watchPage(signal) {
    if (typeof globalThis.addEventListener !== "function") return;
    const on = (type, listener) => globalThis.addEventListener(type, listener, { signal });
    on("focus", () => {
      this.focus = true;
      this.unread = 0;
    });
    on("blur", () => (this.focus = false));
    on("pagehide", ({ persisted }) => {
      if (!persisted) this.disconnect();
    });
  }

  /** Subscribes to a node, whose items go to event_cb too. Resolves when that is done; failing is told to error_cb as well. */
  async subscribe(node) {
    try {
      await this.connected;
      const service = this.#options.pubsub_service;
      // First: what is published from then on is not among them.
      const known = await this.#ids(node);
      const feed = await this.client.pubsub.subscribe(node, (item) => this.#hear(item, known), { service, snapshot: false });
      this.#feeds.get(node)?.close();
      this.#feeds.set(node, feed);
      feed.on("retract", ({ id }) => this.#forget(known, [id]));
      feed.on("purge", () => this.#forget(known, [...known]));
      feed.on("gap", () => this.#options.gap_cb?.(node, this));
      feed.on("delete", () => {
        this.#forget(known, [...known]);
        this.#fail(new XmppError("stanza-error", `The node ${node} was deleted.`, { condition: "item-not-found" }));
      });
    } catch (error) {
      if (this.client.status === "online") this.#fail(error);
      throw error;
    }
  }

  /** What the node holds, as far as its service tells (XEP-0060 §5.5). */
  async #ids(node) {
    const query = xml`<iq type="get" to="${this.#options.pubsub_service}"><query xmlns="${DISCO_ITEMS}" node="${node}"/></iq>`;
    // The subscription waits for this, but not for long.
    const reply = await this.client.request(query, { timeout: 5_000 }).catch(() => undefined);
    const items = reply?.child("query", DISCO_ITEMS)?.children("item") ?? [];
    return new Set(items.map((item) => item.attr("name")));
  }

  #hear(item, known) {
    const { id, node, payload } = item;
    const type = known.delete(id) ? "update" : "create";
    known.add(id);
    if (known.size > KNOWN) known.delete(known.values().next().value);
    const entry = new Elements(payload ? [payload] : [], item);
    if (this.updates.push(entry) > UPDATES) this.updates.shift();
    this.#options.event_cb?.(entry, this, { type, id, node, item });
  }

  #forget(known, ids) {
    for (const id of ids) {
      known.delete(id);
      this.#options.delete_cb?.(id, this);
    }
  }

  /** Publishes items, and resolves with their ids: texts become entries, markup and stanzas go as they are, all else as JSON in an entry. */
  async publish(node, items) {
    await this.connected;
    const service = this.#options.pubsub_service;
    const payload = (item) => {
      if (typeof item === "object" && item !== null && Object.getPrototypeOf(item) !== Object.prototype && !Array.isArray(item)) return item;
      return xml`<entry xmlns="${ATOM}">${typeof item === "string" ? item : JSON.stringify(item)}</entry>`;
    };
    const all = Array.isArray(items) ? items : [items];
    return Promise.all(all.map((item) => this.client.pubsub.publish(node, payload(item), { service })));
  }

  /** Ends the subscription to a node. */
  async unsubscribe(node) {
    const feed = this.#feeds.get(node);
    this.#feeds.delete(node);
    await feed?.unsubscribe();
  }

  /** Unsubscribes and goes. Never rejects. */
  async disconnect() {
    const { client } = this;
    this.#going.abort();
    await client.disconnect();
  }
}
