// `Juggernaut`: the API of Juggernaut's browser client, over epode's public API, for pages that were written for it.
//
// A channel is a pubsub node of the same name (XEP-0060); its data is JSON (XEP-0335). The sessions on a channel are the occupants of a
// room (XEP-0045). The room is joined only on request: by the option `roster`, by a listener for `subscribe`, `unsubscribe` or
// `custom`, or by `roster()`.
//
// Deployment: a BOSH or WebSocket service; a pubsub service where these users may subscribe; a MUC service for rosters; anonymous login, or
// accounts. Without a login, the first page that uses a channel creates its node, open to all, if the service allows it; `create: false`
// leaves that to the server side. A restricted channel is a node that the server side creates with the access model `whitelist` or
// `authorize`, and whose pages log in. A page that logs in creates neither nodes nor rooms, because a channel that it created would be open
// to all. A missing channel is then the error `item-not-found`; subscribe again after the site has created it. `create: "open"` declares
// all channels of the page open to all: then nodes and rooms are also created with a login.
//
// Differences from Juggernaut:
// - `host` and `port` are the address of the XMPP service, at /http-bind; the default is the page's own origin. `service`, `domain`,
//   `pubsub_service` and `muc_service` give complete addresses. `jid` with `password` or `token` logs in; Juggernaut had no login.
// - A reconnect subscribes again to the channels that are subscribed; unsubscribed channels stay unsubscribed.
// - `reconnect` is fired, as Juggernaut documented; `connect` is fired once for each connect().
// - Errors are passed to the `error` listeners as (error, channel), or reported as uncaught errors of the page. The promises of subscribe()
//   and unsubscribe() need not be awaited. Errors of publish() and write() are reported by their promises alone. The first call connects.
// - `sessionID` exists from the start and does not change at a reconnect. It is a random number.
// - publish() works in pages, if the service allows it. The receivers apply `except`: it saves a page its own message, but hides no data.
// - A page that is unloaded disconnects at once, and connects again when the Back button restores it.
// - As in Juggernaut, data published before the subscription is not delivered. Data that the page missed during an interruption is
//   delivered if the node still has it; otherwise `gap` is fired with the channel.
// - `subscribe`, `unsubscribe` and `custom` events are also delivered to pages that listen, not only to the server. As before, `meta` is
//   chosen by the page and proves nothing.

import { report } from "./compat.js";
import {
  Client,
  type ClientOptions,
  type Feed,
  type Occupant,
  type PubsubItem,
  type Room,
  type RoomMessage,
  type Secret,
  type Service,
  XmppError,
  json,
  xml,
} from "./index.js";

/**
 * The options of {@link Juggernaut}.
 * @example
 * const options: JuggernautOptions = { jid: "romeo@example.org", password: "pencil", meta: { user_id: 7 } };
 * const jug = new Juggernaut(options);
 */
export interface JuggernautOptions {
  /** The host of the XMPP service, whose path is /http-bind. Default: the page's own origin, or its host name if `port` is given. */
  host?: string;
  /** The port of the XMPP service. Default: the page's own origin, or 8080 if `host` is given. */
  port?: number;
  /** Whether to use https with `host` or `port`. Default false. */
  secure?: boolean;
  /** The description of this session in rosters: any value that JSON can represent. */
  meta?: unknown;
  /** The complete address of the XMPP service. Overrides `host` and `port`. */
  service?: Service;
  /** The XMPP domain. Default: the domain of `jid`, or the host. */
  domain?: string;
  /** The JID of the pubsub service. Default: `pubsub.` and the domain. */
  pubsub_service?: string;
  /** The JID of the MUC service. Default: `conference.` and the domain. */
  muc_service?: string;
  /** The account to log in with. Default: anonymous login. */
  jid?: string;
  /** The password of the account. */
  password?: Secret;
  /** A token of the account (OAUTHBEARER, RFC 7628), instead of a password. */
  token?: Secret;
  /**
   * Whether this session appears in the rosters of its channels. Default false. A listener for `subscribe`, `unsubscribe` or `custom` has
   * the same effect.
   */
  roster?: boolean;
  /**
   * Whether to create the missing nodes of channels, open to all. Default true. With a login (`jid`) neither nodes nor rooms are created,
   * unless the value is `"open"`: all channels of the page are open to all.
   */
  create?: boolean | "open";
}

/**
 * A session on a channel: one page, or one window.
 * @example
 * jug.on("subscribe", (session: Session) => console.log(session.session_id, "is on", session.channel));
 */
export interface Session {
  /** The name of the channel. */
  channel: string;
  /** The {@link Juggernaut.sessionID} of the session. */
  session_id: string;
  /** The `meta` that the session chose for itself. It proves nothing. */
  meta: unknown;
}

/**
 * The events of {@link Juggernaut}, by name: the arguments of a listener of {@link Juggernaut.on}.
 * @example
 * const log = (...[channel, data]: JuggernautEvents["data"]) => console.log(channel, data);
 * jug.on("data", log);
 */
export interface JuggernautEvents {
  /** The page is connected, for the first time since connect(). */
  connect: [];
  /** The connection is lost: permanently, or until `reconnect`. */
  disconnect: [error?: Error];
  /** The page is connected again and subscribed to all its channels. */
  reconnect: [];
  /** Data of the channel may be missing: the connection was interrupted, and the service no longer has the data of that time. */
  gap: [channel: string];
  /** Data of any channel, as Juggernaut's message. */
  message: [message: { type: string; channel: string; data: unknown }];
  /** Data of any channel. */
  data: [channel: string, data: unknown];
  /** A session has joined a channel; also reported for this session itself. */
  subscribe: [session: Session];
  /** A session has left a channel. */
  unsubscribe: [session: Session];
  /** A session has written an `event` to a channel. */
  custom: [event: Session & { data: unknown }];
  /** An operation failed. Without a listener, the error is reported as an uncaught error of the page. */
  error: [error: Error, channel?: string];
}

/**
 * The options of {@link Juggernaut.publish}.
 * @example
 * const options: PublishOptions = { except: jug.sessionID };
 * await jug.publish("news", { title: "Hello" }, options);
 */
export interface PublishOptions {
  /** The ids of the sessions that do not report the data to their pages. */
  except?: string | readonly string[];
}

/**
 * A message of Juggernaut's protocol, for {@link Juggernaut.write}.
 * @example
 * const message: WrittenMessage = { type: "event", channel: "news", data: { typing: true } };
 * await jug.write(message);
 */
export interface WrittenMessage {
  /** The command. */
  type: "subscribe" | "unsubscribe" | "meta" | "event";
  /** The channel; not used by `meta`. */
  channel?: string;
  /** The data of `meta` and `event`: any value that JSON can represent. */
  data?: unknown;
}

/** The namespace of the payload's attribute that lists the excluded sessions. */
const NS = "urn:epode:juggernaut:0";
const DISCO_INFO = "http://jabber.org/protocol/disco#info";
/** A node that is open to all and sends no earlier items. */
const OPEN: Record<string, string> = { access_model: "open", publish_model: "open", send_last_published_item: "never" };

type Listener = (...args: never[]) => unknown;

/** Listeners by event, called in order. An exception is reported, and the other listeners are still called. */
class Events {
  readonly #listeners = new Map<string, Listener[]>();

  on(event: string, listener: Listener): void {
    if (typeof listener !== "function") throw new XmppError("bad-argument", "The callback is not a function.");
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  unbind(event: string): void {
    this.#listeners.delete(event);
  }

  trigger(event: string, ...args: unknown[]): boolean {
    const listeners = this.#listeners.get(event) ?? [];
    for (const listener of listeners) {
      try {
        listener(...(args as never[]));
      } catch (error) {
        report(error);
      }
    }
    return listeners.length > 0;
  }
}

const listOf = (one: string | readonly string[]): readonly string[] => (typeof one === "string" ? [one] : one);

function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

const hex = (bytes: Uint8Array, before = ""): string =>
  Array.from(bytes, (byte) => before + byte.toString(16).padStart(2, "0")).join("");

/** A channel's name as the localpart of a room. Characters that are not allowed there, or would lose their case, are written as bytes. */
const roomName = (channel: string): string =>
  channel.replace(/[^a-z0-9.-]/gu, (character) => hex(new TextEncoder().encode(character), "_"));

/** The status of an occupant: its `meta`, or that it only observes. Undefined for an occupant with another client. */
function introduction({ statusText }: Occupant): { meta?: unknown; looking?: boolean } | undefined {
  try {
    const said: unknown = JSON.parse(statusText ?? "");
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}

/** The state of a channel's room. */
interface RoomState {
  /** The join, pending or done. */
  entered: Promise<Room> | undefined;
  room: Room | undefined;
  readonly sessions: Map<string, Session>;
  readonly rosters: Set<Roster>;
  /** The page has written an event to the room. */
  isWanted: boolean;
}

let makeRoster: (
  sessions: ReadonlyMap<string, Session>,
  user: (meta: unknown) => unknown,
  close: (roster: Roster) => Promise<void>,
) => Roster;
let tellRoster: (roster: Roster, event: string, detail: unknown) => void;

/**
 * The sessions on a channel: {@link Juggernaut.roster}.
 * @example
 * const roster: Roster = await jug.roster("news");
 * roster.on("change", () => console.log(roster.sessions.size, "sessions"));
 */
export class Roster {
  /** The sessions by id. The map is updated as sessions join and leave. */
  readonly sessions: ReadonlyMap<string, Session>;
  readonly #events = new Events();
  readonly #user: (meta: unknown) => unknown;
  readonly #close: (roster: Roster) => Promise<void>;

  private constructor(
    sessions: ReadonlyMap<string, Session>,
    user: (meta: unknown) => unknown,
    close: (roster: Roster) => Promise<void>,
  ) {
    this.sessions = sessions;
    this.#user = user;
    this.#close = close;
  }

  static {
    makeRoster = (sessions, user, close) => new Roster(sessions, user, close);
    tellRoster = (roster, event, detail) => void roster.#events.trigger(event, detail);
  }

  /**
   * The number of sessions of each user, as a snapshot.
   * @example
   * console.log(roster.users.get(7) ?? 0, "windows of user 7");
   */
  get users(): Map<unknown, number> {
    const counts = new Map<unknown, number>();
    for (const { meta } of this.sessions.values()) {
      const user = this.#user(meta);
      if (user !== undefined) counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    return counts;
  }

  /**
   * Adds a listener for sessions that join (`subscribe`) or leave (`unsubscribe`) the channel. Throws `bad-argument` if the listener is not
   * a function.
   * @example
   * roster.on("unsubscribe", ({ session_id }) => console.log(session_id, "has left"));
   */
  on(event: "subscribe" | "unsubscribe", listener: (session: Session) => void): this;
  /**
   * Adds a listener that is called after each `subscribe` and `unsubscribe`, and when the meta of a session has changed. Throws
   * `bad-argument` if the listener is not a function.
   * @example
   * roster.on("change", ({ sessions }) => console.log(sessions.size));
   */
  on(event: "change", listener: (roster: Roster) => void): this;
  on(event: string, listener: Listener): this {
    this.#events.on(event, listener);
    return this;
  }

  /**
   * Removes all listeners of an event.
   * @example
   * roster.unbind("change");
   */
  unbind(event: "subscribe" | "unsubscribe" | "change"): this {
    this.#events.unbind(event);
    return this;
  }

  /**
   * Stops updating the roster. Leaves the room unless the page uses it in another way. Rejects with the errors of `Room.leave()`.
   * @example
   * await roster.close();
   */
  close(): Promise<void> {
    return this.#close(this);
  }
}

/**
 * Juggernaut's client: channels of JSON data, and the sessions that are on them.
 * @example
 * const jug = new Juggernaut({ meta: { user_id: 7 } });
 * jug.subscribe("news", (data) => console.log(data));
 * jug.on("error", (error, channel) => console.error(channel, error));
 */
export class Juggernaut {
  /** The description of this session in rosters. Change it with `write({ type: "meta", data })`. */
  meta: unknown;
  /** The id of this session: 24 random hexadecimal digits. It does not change at a reconnect. */
  readonly sessionID: string;
  readonly #options: JuggernautOptions & {
    service: Service;
    domain: string;
    pubsub_service: string;
    muc_service: string;
    create: boolean | "open";
  };
  readonly #events = new Events();
  #client: Client | undefined;
  /** The client when it is online; undefined until the first call that needs a client. */
  #online: Promise<Client> | undefined;
  /** Aborted at the end of the connection. */
  #going: AbortController | undefined;
  /** Feeds by channel, as promises; undefined if the feed is to be opened with the next connection. */
  readonly #channels = new Map<string, Promise<Feed> | undefined>();
  readonly #rooms = new Map<string, RoomState>();
  #wantsRosters: boolean;
  /** Promises by channel that resolve when the node exists or its creation was refused. */
  readonly #made = new Map<string, Promise<void>>();

  /**
   * Creates a client. It connects at the first call that needs the connection, or at {@link Juggernaut.connect}.
   * @example
   * const jug = new Juggernaut({ service: "wss://example.org/ws", domain: "example.org" });
   */
  constructor(options: JuggernautOptions = {}) {
    const { host, port, secure, jid } = options;
    const name = host ?? globalThis.location?.hostname ?? "localhost";
    const domain = options.domain ?? jid?.replace(/^.*@|\/.*$/g, "") ?? name;
    const elsewhere = host !== undefined || port !== undefined;
    this.#options = {
      service: elsewhere ? `${secure ? "https" : "http"}://${name}:${port ?? 8080}/http-bind` : "/http-bind",
      pubsub_service: `pubsub.${domain}`,
      muc_service: `conference.${domain}`,
      create: true,
      ...options,
      domain,
    };
    this.#wantsRosters = Boolean(options.roster);
    this.meta = options.meta;
    this.sessionID = hex(crypto.getRandomValues(new Uint8Array(12)));
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Adds a listener. Throws `bad-argument` if it is not a function.
   * @example
   * jug.on("connect", () => console.log("connected as", jug.sessionID));
   */
  on<K extends keyof JuggernautEvents>(event: K, listener: (...args: JuggernautEvents[K]) => void): this;
  /**
   * Adds a listener for the data of one channel: the event is the channel's name and `:data`.
   * @example
   * jug.on("news:data", (data: { title: string }) => console.log(data.title));
   */
  on<T = unknown>(event: `${string}:data`, listener: (data: T) => void): this;
  on(event: string, listener: Listener): this {
    this.#events.on(event, listener);
    if (["subscribe", "unsubscribe", "custom"].includes(event) && !this.#wantsRosters) {
      this.#wantsRosters = true;
      for (const channel of this.#channels.keys()) void this.#enter(channel);
    }
    return this;
  }

  /**
   * Same as {@link Juggernaut.on}.
   * @example
   * jug.bind("reconnect", () => console.log("connected again"));
   */
  bind<K extends keyof JuggernautEvents>(event: K, listener: (...args: JuggernautEvents[K]) => void): this;
  /**
   * Same as {@link Juggernaut.on}.
   * @example
   * jug.bind("news:data", (data) => console.log(data));
   */
  bind<T = unknown>(event: `${string}:data`, listener: (data: T) => void): this;
  bind(event: string, listener: Listener): this {
    return this.on(event as `${string}:data`, listener as (data: unknown) => void);
  }

  /**
   * Removes all listeners of an event.
   * @example
   * jug.unbind("news:data");
   */
  unbind(event: string): this {
    this.#events.unbind(event);
    return this;
  }

  #fail(error: unknown, channel?: string): void {
    if (!this.#events.trigger("error", error, channel)) report(error);
  }

  /** Reports the refusal of a channel's service. The end of the connection is reported separately. */
  #refused(error: unknown, channel: string): void {
    if (this.#client?.status === "online") this.#fail(error, channel);
  }

  // ── the connection ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Connects, unless there is a connection, and subscribes to the channels. Optional: the first call that needs the connection connects.
   *
   * Rejects with the errors of `Client.connect()`, which are also passed to `error`. The promise need not be awaited.
   * @example
   * await jug.connect();
   */
  connect(): Promise<void> {
    this.#online ??= quietly(this.#connect());
    return quietly(this.#online.then(() => {}));
  }

  /** The client when it is online; connects if necessary. */
  #whenOnline(): Promise<Client> {
    void this.connect();
    return this.#online as Promise<Client>;
  }

  async #connect(): Promise<Client> {
    const { service, domain, jid, password, token } = this.#options;
    // Without presence the full JID is subscribed, so that windows of one account do not end each other's subscriptions.
    const login = jid === undefined ? { domain, anonymous: true } : { jid, password, token, presence: false };
    const client = new Client(service, login as ClientOptions);
    const going = new AbortController();
    this.#client = client;
    this.#going = going;
    let told: string | undefined;
    const tell = (event: string, error?: XmppError): void => {
      if (told !== event) this.#events.trigger((told = event), error);
    };
    client.on("status", ({ status, error }) => {
      if (status === "online") tell(told === undefined ? "connect" : told === "disconnect" ? "reconnect" : told);
      else if (told !== undefined && (status === "reconnecting" || status === "offline")) tell("disconnect", error);
      if (status === "offline" && client === this.#client) this.#lose();
    });
    client.on("error", (error) => this.#fail(error));
    globalThis.addEventListener?.("pagehide", () => this.#hide(), { signal: going.signal });
    try {
      await client.connect({ signal: going.signal });
    } catch (error) {
      if ((error as XmppError).code !== "aborted") this.#fail(error);
      if (client === this.#client) this.#lose();
      throw error;
    }
    for (const channel of this.#channels.keys()) void this.#follow(channel);
    for (const channel of this.#rooms.keys()) void this.#enter(channel);
    return client;
  }

  /** Discards the state of the connection. Subscribed channels and requested rosters are kept for the next one. */
  #lose(): void {
    this.#client = this.#online = undefined;
    this.#going?.abort();
    this.#made.clear();
    for (const channel of this.#channels.keys()) this.#channels.set(channel, undefined);
    for (const state of this.#rooms.values()) this.#vacate(state);
  }

  /** Disconnects when the page is unloaded, so that others see it at once, even if the Back button may restore the page. */
  #hide(): void {
    void this.disconnect();
    globalThis.addEventListener("pageshow", () => void this.connect(), { once: true });
  }

  /**
   * Closes the connection. The next {@link Juggernaut.connect} subscribes to the same channels again. Never rejects.
   * @example
   * await jug.disconnect();
   */
  async disconnect(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#going?.abort();
    const ended = client.disconnect();
    // Before the end is confirmed: a connect() in the same turn creates a new connection.
    this.#lose();
    await ended;
  }

  /** Marks a promise as handled if the connection fails, since connect() reports that. Refusals of a service are reported by the promise alone. */
  #toldByConnect<T>(promise: Promise<T>): Promise<T> {
    this.#online?.catch(() => void quietly(promise));
    return promise;
  }

  // ── channels ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Subscribes to a channel. `listener` gets its data. Resolves when the service has accepted the subscription (XEP-0060 §6.1).
   *
   * Throws `bad-argument` for an empty name or a listener that is not a function. Rejects with `stanza-error` and the service's condition
   * (`item-not-found`, `forbidden`, …) or with an error of the connection; both are also passed to `error`, so the promise need not be
   * awaited.
   * @example
   * jug.subscribe("news", (data: { title: string }) => console.log(data.title));
   */
  subscribe<T = unknown>(channel: string, listener?: (data: T) => void): Promise<void> {
    if (typeof channel !== "string" || channel === "") throw new XmppError("bad-argument", "subscribe(): the channel is a name.");
    if (listener !== undefined) this.on(`${channel}:data`, listener);
    if (!this.#channels.has(channel)) {
      this.#channels.set(channel, undefined);
      // This session has only observed the room so far.
      void quietly(this.#introduce(channel));
    }
    if (this.#wantsRosters) void this.#enter(channel);
    return this.#follow(channel);
  }

  #follow(channel: string): Promise<void> {
    const follow = async (): Promise<void> => {
      const client = await this.#whenOnline();
      // The channel may have been unsubscribed meanwhile.
      if (!this.#channels.has(channel)) return;
      if (!this.#channels.get(channel)) this.#channels.set(channel, quietly(this.#open(client, channel)));
      await this.#channels.get(channel);
    };
    return quietly(follow());
  }

  async #open(client: Client, channel: string): Promise<Feed> {
    const service = this.#options.pubsub_service;
    const isOurs = (): boolean => client === this.#client && this.#channels.has(channel);
    try {
      await this.#make(client, channel);
      const feed = await client.pubsub.subscribe(channel, (item) => this.#hear(channel, item), { service, snapshot: false });
      feed.on("gap", () => this.#events.trigger("gap", channel));
      feed.on("delete", () => this.#fail(new XmppError("stanza-error", `The channel ${channel} was deleted.`, { condition: "item-not-found" }), channel));
      feed.on("end", () => {
        this.#made.delete(`${service} ${channel}`);
        if (isOurs()) this.#channels.set(channel, undefined);
      });
      return feed;
    } catch (error) {
      if (isOurs()) this.#channels.set(channel, undefined);
      this.#refused(error, channel);
      throw error;
    }
  }

  /**
   * Creates the node if it is missing: without a login, or if all channels are open. A refusal is ignored: the request that follows fails
   * with the reason. With a login the node must exist, because a service may create a missing node at the first subscription or
   * publication, open to all.
   */
  #make(client: Client, channel: string): Promise<void> | undefined {
    const { create, pubsub_service: service } = this.#options;
    if (this.#mayCreate) {
      if (!create) return undefined;
      let made = this.#made.get(channel);
      if (!made) {
        made = client.pubsub.createNode(channel, { service, config: OPEN }).then(
          () => {},
          () => {},
        );
        this.#made.set(channel, made);
      }
      return made;
    }
    return this.#mustExist(client, service, channel, channel);
  }

  /** Whether this page may create channels: without a login, or if all channels are declared open. */
  get #mayCreate(): boolean {
    const { create, jid } = this.#options;
    return jid === undefined || create === "open";
  }

  /** Rejects if the service replies that the node or room does not exist. Other errors are left to the request that follows. */
  #mustExist(client: Client, to: string, channel: string, node?: string): Promise<void> {
    const key = `${to} ${channel}`;
    let known = this.#made.get(key);
    if (!known) {
      known = client.request(xml`<iq type="get" to="${to}"><query xmlns="${DISCO_INFO}" node="${node}"/></iq>`).then(
        () => {},
        (error: XmppError) => {
          // The site may create it later.
          if (this.#made.get(key) === known) this.#made.delete(key);
          if (error.condition !== "item-not-found") return;
          const text = `The channel ${channel} does not exist, and a page that logs in creates none. The site creates it, or \`create: "open"\` says that it is for everybody.`;
          throw new XmppError("stanza-error", text, { condition: "item-not-found" });
        },
      );
      this.#made.set(key, known);
    }
    return known;
  }

  #hear(channel: string, { payload, value }: PubsubItem): void {
    if (payload?.attr("except", NS)?.split(" ").includes(this.sessionID)) return;
    this.#events.trigger("message", { type: "message", channel, data: value });
    this.#events.trigger("data", channel, value);
    this.#events.trigger(`${channel}:data`, value);
  }

  /**
   * Ends a subscription, and removes the listeners for the channel's data. Resolves when the service has confirmed it (XEP-0060 §6.2).
   *
   * Rejects with `stanza-error` or an error of the connection; a refusal is also passed to `error`, so the promise need not be awaited.
   * @example
   * jug.unsubscribe("news");
   */
  unsubscribe(channel: string): Promise<void> {
    const following = this.#channels.get(channel);
    this.#channels.delete(channel);
    this.unbind(`${channel}:data`);
    const end = async (): Promise<void> => {
      const room = this.#rooms.get(channel);
      if (room) room.isWanted = false;
      const feed = await following?.catch(() => undefined);
      await Promise.all([feed?.unsubscribe(), this.#mindRoom(channel)]);
    };
    return quietly(
      end().catch((error: unknown) => {
        this.#refused(error, channel);
        throw error;
      }),
    );
  }

  /**
   * Publishes data to one or more channels. `data` is any value that JSON can represent. Resolves when the service has accepted it for each
   * channel (XEP-0060 §7.1).
   *
   * Rejects with `stanza-error` and the service's condition (`forbidden`, `item-not-found`, …) or with an error of the connection.
   * @example
   * await jug.publish(["news", "archive"], { title: "Hello" }, { except: jug.sessionID });
   */
  publish(channels: string | readonly string[], data: unknown, options?: PublishOptions): Promise<void> {
    return this.#toldByConnect(this.#publish(channels, data, options));
  }

  async #publish(channels: string | readonly string[], data: unknown, { except }: PublishOptions = {}): Promise<void> {
    const client = await this.#whenOnline();
    const ids = except === undefined ? "" : String(xml`<x xmlns:j="${NS}" j:except="${listOf(except).join(" ")}"/>`).slice(2, -2);
    const payload = String(json(data)).replace("<json", () => `<json${ids}`);
    const service = this.#options.pubsub_service;
    const publish = async (channel: string): Promise<void> => {
      await this.#make(client, channel);
      await client.pubsub.publish(channel, payload, { service });
    };
    await Promise.all(listOf(channels).map(publish));
  }

  /**
   * Carries out a message of Juggernaut's protocol: subscribes, unsubscribes, changes `meta`, or sends an `event` to the sessions on a
   * channel, which get it as `custom`.
   *
   * Rejects with `bad-argument` for an unknown type, with `stanza-error` and the service's condition, or with an error of the connection.
   * @example
   * await jug.write({ type: "meta", data: { user_id: 7, name: "Ada" } });
   */
  write(message: WrittenMessage): Promise<unknown> {
    return this.#toldByConnect(this.#write(message));
  }

  async #write({ type, channel = "", data }: WrittenMessage): Promise<unknown> {
    if (type === "subscribe") return this.subscribe(channel);
    if (type === "unsubscribe") return this.unsubscribe(channel);
    if (type === "event") {
      this.#room(channel).isWanted = true;
      return (await this.#enter(channel)).send(JSON.stringify({ data }));
    }
    if (type !== "meta") throw new XmppError("bad-argument", "write(): the type is subscribe, unsubscribe, meta or event.");
    this.meta = data;
    return Promise.all([...this.#rooms.keys()].map((one) => this.#introduce(one)));
  }

  // ── the roster ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Returns the sessions on a channel, and keeps them up to date. Resolves when they are known (XEP-0045 §7.2). `user` returns the user of a
   * session's meta; default: its `user_id`.
   *
   * Rejects with `stanza-error` and the condition of the MUC service, or with an error of the connection; a refusal is also passed to
   * `error`.
   * @example
   * const roster = await jug.roster("news", { user: (meta: { name?: string }) => meta.name });
   * console.log([...roster.users.keys()]);
   */
  async roster<Meta = { user_id?: unknown } | undefined>(
    channel: string,
    { user = (meta) => (meta as { user_id?: unknown } | null | undefined)?.user_id }: { user?: (meta: Meta) => unknown } = {},
  ): Promise<Roster> {
    const { rosters, sessions } = this.#room(channel);
    const roster = makeRoster(sessions, user as (meta: unknown) => unknown, async (roster) => {
      if (rosters.delete(roster)) await this.#mindRoom(channel);
    });
    rosters.add(roster);
    try {
      await this.#enter(channel);
    } catch (error) {
      rosters.delete(roster);
      throw error;
    }
    return roster;
  }

  #room(channel: string): RoomState {
    let room = this.#rooms.get(channel);
    if (!room) {
      room = { entered: undefined, room: undefined, sessions: new Map(), rosters: new Set(), isWanted: false };
      this.#rooms.set(channel, room);
    }
    return room;
  }

  #enter(channel: string): Promise<Room> {
    const enter = async (): Promise<Room> => {
      const state = this.#room(channel);
      const client = await this.#whenOnline();
      state.entered ??= quietly(this.#join(client, channel, state));
      return state.entered;
    };
    return quietly(enter());
  }

  async #join(client: Client, channel: string, state: RoomState): Promise<Room> {
    try {
      const jid = `${roomName(channel)}@${this.#options.muc_service}`;
      // Joining a missing room creates it, open to all.
      if (!this.#mayCreate) await this.#mustExist(client, jid, channel);
      const room = await client.muc.join(jid, this.sessionID, { history: { maxstanzas: 0 } });
      const see = (occupant: Occupant): void => this.#see(channel, state, occupant);
      for (const event of ["join", "occupant"] as const) room.on(event, see);
      room.on("leave", ({ occupant }) => this.#miss(state, occupant.nick));
      room.on("message", (message) => this.#overhear(channel, state, message));
      room.on("error", (error) => this.#fail(error, channel));
      room.on("rejoin", () => this.#introduce(channel));
      room.on("out", ({ reason, text }) => {
        if (state.room !== room) return;
        this.#vacate(state);
        if (reason !== "disconnected") this.#fail(new XmppError("stanza-error", `Out of the room of ${channel}: ${reason}.`, { text }), channel);
      });
      for (const occupant of room.occupants.values()) see(occupant);
      state.room = room;
      await this.#mindRoom(channel);
      return room;
    } catch (error) {
      if (client === this.#client) state.entered = undefined;
      this.#refused(error, channel);
      throw error;
    }
  }

  /** Discards the state of a room that the session is no longer in. */
  #vacate(state: RoomState): void {
    state.entered = state.room = undefined;
    for (const id of [...state.sessions.keys()]) this.#miss(state, id);
  }

  /** Sends the meta of this session to present and future occupants, as the status of its presence. */
  async #introduce(channel: string): Promise<void> {
    const room = this.#rooms.get(channel)?.room;
    if (!room?.joined) return;
    const said = this.#channels.has(channel) ? { meta: this.meta } : { looking: true };
    await (this.#client as Client).send(xml`<presence to="${`${room.jid}/${room.nick}`}"><status>${JSON.stringify(said)}</status></presence>`);
  }

  /** Leaves a room that the page no longer uses. In a room that it uses, sends the current meta. */
  async #mindRoom(channel: string): Promise<void> {
    const state = this.#rooms.get(channel);
    if (!state) return;
    if (state.isWanted || state.rosters.size > 0 || (this.#wantsRosters && this.#channels.has(channel))) {
      await this.#introduce(channel);
    } else {
      this.#rooms.delete(channel);
      await state.room?.leave();
    }
  }

  #see(channel: string, state: RoomState, occupant: Occupant): void {
    const said = introduction(occupant);
    const id = occupant.nick;
    if (said?.looking) this.#miss(state, id);
    if (!said || said.looking) return;
    const isNew = !state.sessions.has(id);
    const session = { channel, session_id: id, meta: said.meta };
    state.sessions.set(id, session);
    this.#tell(state, isNew ? "subscribe" : undefined, session);
  }

  #miss(state: RoomState, id: string): void {
    const session = state.sessions.get(id);
    if (session && state.sessions.delete(id)) this.#tell(state, "unsubscribe", session);
  }

  #tell(state: RoomState, event: "subscribe" | "unsubscribe" | undefined, session: Session): void {
    if (event) this.#events.trigger(event, session);
    for (const roster of state.rosters) {
      if (event) tellRoster(roster, event, session);
      tellRoster(roster, "change", roster);
    }
  }

  #overhear(channel: string, state: RoomState, { nick, body, own }: RoomMessage): void {
    if (own || nick === undefined) return;
    try {
      const { data } = JSON.parse(body) as { data: unknown };
      this.#events.trigger("custom", { channel, session_id: nick, meta: state.sessions.get(nick)?.meta, data });
    } catch {
      // A message from another client.
    }
  }
}
