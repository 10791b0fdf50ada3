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

import { report } from "./compat.js";
import {
  Client,
  type ClientOptions,
  type Feed,
  type PayloadFormat,
  type PubsubItem,
  type Secret,
  type Sendable,
  type Service,
  type Stanza,
  XmppError,
  xml,
} from "./index.js";
import { plain } from "./plain.js";

const ATOM = "http://www.w3.org/2005/Atom";
const DISCO_ITEMS = "http://jabber.org/protocol/disco#items";
/** How many entries `updates` keeps. */
const UPDATES = 1_000;
/** How many ids of a node are remembered; of one that is older, an update passes for a creation. */
const KNOWN = 10_000;

/** Elements to read from, as jQuery's sets are read. Nothing of it becomes a part of the page. */
export interface Elements extends Iterable<Stanza> {
  readonly length: number;
  readonly [index: number]: Stanza;
  /** The text of them and of all that is in them. */
  text(): string;
  /** An attribute of the first. */
  attr(name: string): string | undefined;
  /** What is in them: names and `[attribute="value"]`, one after another for what is further in. */
  find(selector: string): Elements;
  children(name?: string): Elements;
  /** Until it returns false. */
  each(act: (this: Stanza, index: number, element: Stanza) => unknown): this;
  eq(index: number): Elements;
  first(): Elements;
  get(): Stanza[];
  get(index: number): Stanza | undefined;
}

/** An item's payload. */
export interface Entry<T = unknown> extends Elements {
  /** As a plain value. */
  readonly value: T;
  readonly format: PayloadFormat;
}

export interface Change<T = unknown> {
  /** `update` where the node held an item of this id already. */
  type: "create" | "update";
  id: string | undefined;
  node: string;
  item: PubsubItem<T>;
}

export interface PubSubClientOptions<T = unknown> {
  nick?: string;
  /** What to subscribe to at once. */
  node?: string;
  event_cb?: (entry: Entry<T>, pubsub: PubSubClient<T>, change: Change<T>) => void;
  /** An item was taken back, its record deleted. */
  delete_cb?: (id: string, pubsub: PubSubClient<T>) => void;
  /** Of a node something may be missing here: the connection was broken, and the service does not have it any more. */
  gap_cb?: (node: string, pubsub: PubSubClient<T>) => void;
  /** What fails; without it, it is reported as an uncaught error of the page. */
  error_cb?: (error: Error, pubsub: PubSubClient<T>) => void;
  /** An account: a name at `domain`, or a bare JID. Without it, and without `sid`: anonymous. */
  username?: string;
  password?: Secret;
  /** A BOSH session that the web server made: its full JID, its id, the rid of the next request. */
  jid?: string;
  sid?: string;
  rid?: number | string;
  /** Default `/xmpp-httpbind`. */
  bosh_service?: Service;
  /** Default: the page's host. */
  domain?: string;
  /** Default: the server chooses, which is what two open tabs want. */
  resource?: string;
  /** Default: `pubsub.` and the domain. */
  pubsub_service?: string;
  /** All that is sent and received goes to the console. Default false. */
  debug?: boolean;
}

export type Publishable = Exclude<Sendable, string> | string | number | boolean | null | { [name: string]: unknown };

function* descendants(element: Stanza): Generator<Stanza> {
  for (const child of element.children()) {
    yield child;
    yield* descendants(child);
  }
}

/** `name`, `[attr]`, `[attr="value"]`, one after another: what old pages ask of an entry. */
function* select(elements: Iterable<Stanza>, selector: string): Generator<Stanza> {
  const [first, ...rest] = selector.trim().split(/\s+(?![^[]*\])/);
  const parts = /^([\w-]+|\*)?(?:\[([\w-]+)(?:=(["']?)(.*)\3)?\])?$/.exec(first ?? "");
  if (!parts || !first) throw new XmppError("bad-argument", `find(): "${selector}" is not understood. Use names and [attribute="value"].`);
  const [, name = "*", attribute, , value] = parts;
  const fits = (element: Stanza): boolean =>
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
class ElementSet<T> implements Entry<T> {
  readonly length: number;
  [index: number]: Stanza;
  readonly #item: PubsubItem<T> | undefined;

  constructor(elements: Stanza[], item?: PubsubItem<T>) {
    elements.forEach((element, index) => (this[index] = element));
    this.length = elements.length;
    this.#item = item;
  }

  /** The item's payload as a plain value. */
  get value(): T {
    return this.#item?.value as T;
  }

  get format(): PayloadFormat {
    return this.#item?.format as PayloadFormat;
  }

  text(): string {
    return this.get().map(plain).join("");
  }

  attr(name: string): string | undefined {
    return this[0]?.attr(name);
  }

  find(selector: string): Elements {
    return new ElementSet([...new Set(select(this.get(), selector))]);
  }

  children(name?: string): Elements {
    return new ElementSet(this.get().flatMap((element) => element.children(name)));
  }

  each(act: (this: Stanza, index: number, element: Stanza) => unknown): this {
    this.get().every((element, index) => act.call(element, index, element) !== false);
    return this;
  }

  eq(index: number): Elements {
    return new ElementSet(this.get().slice(index).slice(0, 1));
  }

  first(): Elements {
    return this.eq(0);
  }

  get(): Stanza[];
  get(index: number): Stanza | undefined;
  get(index?: number): Stanza[] | Stanza | undefined {
    const all = Array.from(this);
    return index === undefined ? all : all.at(index);
  }

  *[Symbol.iterator](): Generator<Stanza> {
    for (let index = 0; index < this.length; index += 1) yield this[index] as Stanza;
  }
}

/** The client of a page that was written for django-pubsub. */
export class PubSubClient<T = unknown> {
  nick: string | undefined;
  node: string | undefined;
  /** Has the window the focus? */
  focus: boolean;
  /** The page counts; 0 again when the window gets the focus. */
  unread = 0;
  /** The last 1,000 entries. */
  updates: Entry<T>[] = [];
  client!: Client;
  /** Connected. */
  connected!: Promise<void>;
  /** Connected, and subscribed to `node`. Need not be awaited. */
  ready!: Promise<void>;
  readonly #options: PubSubClientOptions<T> & { bosh_service: Service; pubsub_service: string };
  readonly #feeds = new Map<string, Feed<T>>();
  /** Aborted when we go: no page is watched any more, and no connection made. */
  #going: AbortController | undefined;

  constructor(options: PubSubClientOptions<T> = {}) {
    const domain = options.domain ?? globalThis.location?.hostname ?? "localhost";
    this.#options = { bosh_service: "/xmpp-httpbind", pubsub_service: `pubsub.${domain}`, ...options, domain };
    this.nick = options.nick;
    this.node = options.node;
    this.focus = globalThis.document?.hasFocus?.() ?? true;
    const { jid, sid, rid } = options;
    if (sid !== undefined) {
      void this.attach(jid as string, sid, rid as number | string);
    } else {
      const { username, password, resource } = options;
      const name = username?.includes("@") ? username : `${username}@${domain}`;
      const login = username === undefined ? { domain, anonymous: true } : { jid: resource ? `${name}/${resource}` : name, password };
      void this.#begin(login, (client, signal) => client.connect({ signal }));
    }
  }

  /** Goes on with a BOSH session in place of whatever there was; `rid` is that of the next request. */
  attach(jid: string, sid: string, rid: number | string): Promise<void> {
    const session = { jid, sid, rid };
    void (this.client as Client | undefined)?.disconnect();
    return this.#begin(session, (client, signal) => client.attach({ ...session, signal }));
  }

  #begin(login: object, connect: (client: Client, signal: AbortSignal) => Promise<void>): Promise<void> {
    const client = new Client(this.#options.bosh_service, { presence: false, ...login } as ClientOptions);
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

  /** Called when the connection is over, with what ended it: pages put their own in its place. */
  _on_disconnect(_error?: Error): void {}

  #fail(error: Error): void {
    const { error_cb } = this.#options;
    if (error_cb) error_cb(error, this);
    else report(error);
  }

  #watchPage(signal: AbortSignal): void {
    if (typeof globalThis.addEventListener !== "function") return;
    const on = <K extends keyof WindowEventMap>(type: K, listener: (event: WindowEventMap[K]) => unknown): void =>
      globalThis.addEventListener(type, listener as EventListener, { signal });
    on("focus", () => {
      this.focus = true;
      this.unread = 0;
    });
    on("blur", () => (this.focus = false));
    on("pagehide", ({ persisted }) => {
      if (!persisted) void this.disconnect();
    });
  }

  /** Subscribes to a node, whose items go to event_cb too. Resolves when that is done; failing is told to error_cb as well. */
  async subscribe(node: string): Promise<void> {
    try {
      await this.connected;
      const service = this.#options.pubsub_service;
      // First: what is published from then on is not among them.
      const known = await this.#ids(node);
      const feed = await this.client.pubsub.subscribe<T>(node, (item) => this.#hear(item, known), { service, snapshot: false });
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
      if (this.client.status === "online") this.#fail(error as Error);
      throw error;
    }
  }

  /** What the node holds, as far as its service tells (XEP-0060 §5.5). */
  async #ids(node: string): Promise<Set<string | undefined>> {
    const query = xml`<iq type="get" to="${this.#options.pubsub_service}"><query xmlns="${DISCO_ITEMS}" node="${node}"/></iq>`;
    // The subscription waits for this, but not for long.
    const reply = await this.client.request(query, { timeout: 5_000 }).catch(() => undefined);
    const items = reply?.child("query", DISCO_ITEMS)?.children("item") ?? [];
    return new Set(items.map((item) => item.attr("name")));
  }

  #hear(item: PubsubItem<T>, known: Set<string | undefined>): void {
    const { id, node, payload } = item;
    const type = known.delete(id) ? "update" : "create";
    known.add(id);
    if (known.size > KNOWN) known.delete(known.values().next().value);
    const entry = new ElementSet<T>(payload ? [payload] : [], item);
    if (this.updates.push(entry) > UPDATES) this.updates.shift();
    this.#options.event_cb?.(entry, this, { type, id, node, item });
  }

  #forget(known: Set<string | undefined>, ids: (string | undefined)[]): void {
    for (const id of ids) {
      known.delete(id);
      this.#options.delete_cb?.(id as string, this);
    }
  }

  /** Publishes items, and resolves with their ids: texts become entries, markup and stanzas go as they are, all else as JSON in an entry. */
  async publish(node: string, items: Publishable | readonly Publishable[]): Promise<(string | undefined)[]> {
    await this.connected;
    const service = this.#options.pubsub_service;
    const payload = (item: Publishable): Sendable => {
      const isElement =
        typeof item === "object" && item !== null && Object.getPrototypeOf(item) !== Object.prototype && !Array.isArray(item);
      if (isElement) return item as Sendable;
      return xml`<entry xmlns="${ATOM}">${typeof item === "string" ? item : JSON.stringify(item)}</entry>`;
    };
    const all = Array.isArray(items) ? (items as readonly Publishable[]) : [items as Publishable];
    return Promise.all(all.map((item) => this.client.pubsub.publish(node, payload(item), { service })));
  }

  /** Ends the subscription to a node. */
  async unsubscribe(node: string): Promise<void> {
    const feed = this.#feeds.get(node);
    this.#feeds.delete(node);
    await feed?.unsubscribe();
  }

  /** Unsubscribes and goes. Never rejects. */
  async disconnect(): Promise<void> {
    const { client } = this;
    this.#going?.abort();
    await client.disconnect();
  }
}
