// `PubSubClient`: the API of django-pubsub's browser client, over epode's public API, for pages that were written for it.
//
//   const pubsub = new PubSubClient({ nick, node, event_cb });                  anonymous
//   const pubsub = new PubSubClient({ username, password, node, event_cb });    an account
//   const pubsub = new PubSubClient({ jid, sid, rid, node, event_cb });         a BOSH session that the web server created
//
// Unchanged: it connects when it is created and subscribes with the full JID, without presence; items published before are not delivered.
// Differences from django-pubsub's client:
// - The globals of the old file (`settings`) are options: bosh_service, domain, resource, pubsub_service, debug.
// - `entry` is not a jQuery set, but has the same methods for reading: text, attr, find, children, each, eq, first, length. It is parsed
//   from text and never inserted into the page. Its `value` is the payload as a plain value; pages used eval for that.
// - event_cb is called for each item, not once for a message with several items; only for messages from the node's service; for any
//   payload element, not only <entry/>.
// - The third argument of event_cb distinguishes the creation of a record from an update. It requires item ids that are the record's
//   primary key. The ids that the node holds are requested when subscribing. delete_cb(id, pubsub) reports deletions, if the node is
//   configured to notify of them (`pubsub#notify_retract`).
// - Logging in works (the old client built the JID before it had a name). Attaching works (the old client swapped sid and rid and
//   subscribed to nothing).
// - Errors are passed to error_cb(error, pubsub), or reported as uncaught errors of the page. `ready` and the methods are promises.
// - `updates` holds the last 1,000 entries, not all.
// - A lost connection is restored together with its subscriptions; `_on_disconnect` is called when it has ended permanently. Items missed
//   meanwhile are delivered then; gap_cb(node, pubsub) reports that the service no longer has them.
// - unsubscribe(node) exists. When the page is unloaded, its subscriptions are ended, because a service may not remove those of an
//   anonymous user.

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
/** How many ids of a node are remembered. The update of an older item is reported as a creation. */
const KNOWN = 10_000;

/**
 * Elements with jQuery's methods for reading. They are never inserted into the page.
 * @example
 * const titles = (elements: Elements) => [...elements].map((element) => element.text());
 * new PubSubClient({ node: "news", event_cb: (entry) => console.log(titles(entry.find("title"))) });
 */
export interface Elements extends Iterable<Stanza> {
  /** The number of elements. */
  readonly length: number;
  readonly [index: number]: Stanza;
  /**
   * The text of the elements and all their descendants.
   * @example
   * console.log(entry.find("title").text());
   */
  text(): string;
  /**
   * An attribute of the first element; undefined if there is none.
   * @example
   * console.log(entry.find("link").attr("href"));
   */
  attr(name: string): string | undefined;
  /**
   * The descendants that match a selector: names and `[attribute="value"]`, separated by spaces for descendants of descendants. Throws
   * `bad-argument` for any other selector.
   * @example
   * console.log(entry.find('author name[lang="en"]').text());
   */
  find(selector: string): Elements;
  /**
   * The child elements, or only those named `name`.
   * @example
   * console.log(entry.children("category").length);
   */
  children(name?: string): Elements;
  /**
   * Calls `act` with each element, until it returns false.
   * @example
   * entry.find("category").each((index, element) => console.log(index, element.attr("term")));
   */
  each(act: (this: Stanza, index: number, element: Stanza) => unknown): this;
  /**
   * The element at an index, from the end if negative; empty if there is none.
   * @example
   * console.log(entry.children().eq(-1).text());
   */
  eq(index: number): Elements;
  /**
   * The first element; empty if there is none.
   * @example
   * console.log(entry.find("link").first().attr("rel"));
   */
  first(): Elements;
  /**
   * All elements, as an array.
   * @example
   * console.log(entry.find("link").get().map((link) => link.attr("href")));
   */
  get(): Stanza[];
  /**
   * The element at an index, from the end if negative; undefined if there is none.
   * @example
   * console.log(entry.find("link").get(0)?.attr("href"));
   */
  get(index: number): Stanza | undefined;
}

/**
 * The payload of an item.
 * @example
 * new PubSubClient({ node: "news", event_cb: (entry: Entry) => console.log(entry.format, entry.value) });
 */
export interface Entry<T = unknown> extends Elements {
  /** The payload as a plain value: {@link PubsubItem.value}. */
  readonly value: T;
  /** The format that `value` was decoded from: {@link PubsubItem.format}. */
  readonly format: PayloadFormat;
}

/**
 * The third argument of `event_cb`: whether a record was created or updated.
 * @example
 * const log = ({ type, id }: Change) => console.log(type, id);
 * new PubSubClient({ node: "news", event_cb: (entry, pubsub, change) => log(change) });
 */
export interface Change<T = unknown> {
  /** `update` if the node already held an item with this id. */
  type: "create" | "update";
  /** The id of the item; undefined if the service sent none. */
  id: string | undefined;
  /** The name of the node. */
  node: string;
  /** The item, as epode reports it. */
  item: PubsubItem<T>;
}

/**
 * The options of {@link PubSubClient}.
 * @example
 * const options: PubSubClientOptions = { username: "romeo", password: "pencil", node: "news" };
 * const pubsub = new PubSubClient(options);
 */
export interface PubSubClientOptions<T = unknown> {
  /** A name for the page's own use: {@link PubSubClient.nick}. */
  nick?: string;
  /** The node to subscribe to after the login. */
  node?: string;
  /** Called with each item. */
  event_cb?: (entry: Entry<T>, pubsub: PubSubClient<T>, change: Change<T>) => void;
  /** Called when an item was retracted: its record was deleted. */
  delete_cb?: (id: string, pubsub: PubSubClient<T>) => void;
  /** Called when items of a node may be missing: the connection was interrupted, and the service no longer has the items of that time. */
  gap_cb?: (node: string, pubsub: PubSubClient<T>) => void;
  /** Called with each error. Without it, errors are reported as uncaught errors of the page. */
  error_cb?: (error: Error, pubsub: PubSubClient<T>) => void;
  /** The account: a name at `domain`, or a bare JID. Default: anonymous login, unless `sid` is given. */
  username?: string;
  /** The password of the account. */
  password?: Secret;
  /** The full JID of a BOSH session that the web server created. */
  jid?: string;
  /** The id of a BOSH session that the web server created. */
  sid?: string;
  /** The rid of the next request in that BOSH session (XEP-0124 §14.1). */
  rid?: number | string;
  /** The address of the XMPP service. Default `/xmpp-httpbind`. */
  bosh_service?: Service;
  /** The XMPP domain. Default: the page's host. */
  domain?: string;
  /** The resource to bind. Default: the server chooses one, so that two open tabs get different ones. */
  resource?: string;
  /** The JID of the pubsub service. Default: `pubsub.` and the domain. */
  pubsub_service?: string;
  /** Whether to log everything that is sent and received to the console. Default false. */
  debug?: boolean;
}

/**
 * A value that {@link PubSubClient.publish} accepts.
 * @example
 * const items: Publishable[] = ["a text", { title: "an object" }, 7];
 * await pubsub.publish("news", items);
 */
export type Publishable = Exclude<Sendable, string> | string | number | boolean | null | { [name: string]: unknown };

function* descendants(element: Stanza): Generator<Stanza> {
  for (const child of element.children()) {
    yield child;
    yield* descendants(child);
  }
}

/** Selects by `name`, `[attr]` and `[attr="value"]`, separated by spaces: the selectors that old pages use. */
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

/** Elements with jQuery's methods for reading. */
class ElementSet<T> implements Entry<T> {
  readonly length: number;
  [index: number]: Stanza;
  readonly #item: PubsubItem<T> | undefined;

  constructor(elements: Stanza[], item?: PubsubItem<T>) {
    elements.forEach((element, index) => (this[index] = element));
    this.length = elements.length;
    this.#item = item;
  }

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

/**
 * django-pubsub's client: one connection, and callbacks for the items of its nodes. It connects when it is created.
 * @example
 * const pubsub = new PubSubClient({
 *   node: "news",
 *   event_cb: (entry, pubsub, { type, id }) => console.log(type, id, entry.value),
 *   error_cb: (error) => console.error(error),
 * });
 */
export class PubSubClient<T = unknown> {
  /** A name for the page's own use. */
  nick: string | undefined;
  /** The node that is subscribed after the login. */
  node: string | undefined;
  /** Whether the window has the focus. */
  focus: boolean;
  /** A counter for the page's own use. Set to 0 when the window gets the focus. */
  unread = 0;
  /** The last 1,000 entries, the newest last. */
  updates: Entry<T>[] = [];
  /** The connection, for requests of the page's own. */
  client!: Client;
  /** Resolves when the client is online. Rejects with the errors of {@link Client.connect} or {@link Client.attach}. */
  connected!: Promise<void>;
  /** Resolves when the client is online and subscribed to `node`. Its errors are also passed to `error_cb`, so it need not be awaited. */
  ready!: Promise<void>;
  readonly #options: PubSubClientOptions<T> & { bosh_service: Service; pubsub_service: string };
  readonly #feeds = new Map<string, Feed<T>>();
  /** Aborted by disconnect(): page events are ignored from then on, and connecting stops. */
  #going: AbortController | undefined;

  /**
   * Creates a client, connects, and subscribes to the option `node`. Throws the errors of the constructor of {@link Client}, such as
   * `invalid-option`.
   * @example
   * const pubsub = new PubSubClient({ username: "romeo", password: "pencil", node: "news" });
   * await pubsub.ready;
   */
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

  /**
   * Replaces the connection with a BOSH session that was created elsewhere. `rid` is the rid of the next request (XEP-0124 §14.1). Resolves
   * when the client is online and subscribed to `node`. Rejects with the errors of {@link Client.attach} and
   * {@link PubSubClient.subscribe}; they are also passed to `error_cb`.
   * @example
   * await pubsub.attach("romeo@example.org/web", "sid-from-the-server", 4077);
   */
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

  /**
   * Called when the connection has ended permanently, with the error that ended it. Pages replace this method.
   * @example
   * pubsub._on_disconnect = (error) => console.log("disconnected", error?.message);
   */
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

  /**
   * Subscribes to a node; its items are also passed to `event_cb`. Resolves when the service has accepted the subscription (XEP-0060 §6.1).
   *
   * Rejects with `stanza-error` and the service's condition (`item-not-found`, `forbidden`, …), which is also passed to `error_cb`, or with
   * an error of the connection.
   * @example
   * await pubsub.subscribe("archive");
   */
  async subscribe(node: string): Promise<void> {
    try {
      await this.connected;
      const service = this.#options.pubsub_service;
      // Before the subscription: items that are published after it must not be among these ids.
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

  /** The ids of the items that the node holds, if the service lists them (XEP-0060 §5.5). */
  async #ids(node: string): Promise<Set<string | undefined>> {
    const query = xml`<iq type="get" to="${this.#options.pubsub_service}"><query xmlns="${DISCO_ITEMS}" node="${node}"/></iq>`;
    // The subscription waits for this reply, so the timeout is short.
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

  /**
   * Publishes one or more items (XEP-0060 §7.1). Resolves with their ids; undefined if the service reports none. A text becomes the text of an
   * Atom entry; markup and stanzas are published unchanged; any other value is JSON in an Atom entry.
   *
   * Rejects with `stanza-error` and the service's condition (`forbidden`, …) or with an error of the connection.
   * @example
   * const [id] = await pubsub.publish("news", { title: "Hello" });
   * console.log(id);
   */
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

  /**
   * Ends the subscription to a node (XEP-0060 §6.2). Does nothing if the node is not subscribed. Rejects with the errors of
   * `Feed.unsubscribe()`.
   * @example
   * await pubsub.unsubscribe("archive");
   */
  async unsubscribe(node: string): Promise<void> {
    const feed = this.#feeds.get(node);
    this.#feeds.delete(node);
    await feed?.unsubscribe();
  }

  /**
   * Ends the subscriptions and the connection. Never rejects.
   * @example
   * await pubsub.disconnect();
   */
  async disconnect(): Promise<void> {
    const { client } = this;
    this.#going?.abort();
    await client.disconnect();
  }
}
