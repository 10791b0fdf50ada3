// Juggernaut: pages written for Juggernaut's client go on as they are, over epode's public API.
//
//   const jug = new Juggernaut({ meta: { user_id: 7 } });
//   jug.subscribe("channel", (data) => …); jug.unsubscribe("channel"); jug.on("connect", …); jug.publish("channel", data)
//   const roster = await jug.roster("channel"); roster.users.get(7)
//
// A channel is a pubsub node of the same name, its data JSON (XEP-0335). Who is on it is a room (XEP-0045), which is entered
// only where that is asked for: by `roster: true`, by listening to `subscribe`, `unsubscribe` or `custom`, or by roster().
//
// What a deployment needs: a BOSH or WebSocket service; a pubsub service that lets those who come subscribe, and a MUC service
// where rosters are wanted; anonymous login, or accounts. Without a login, whoever uses a channel first creates its node, open to
// all, where the service allows it; `create: false` leaves that to the server. Channels that are not for everybody are nodes that
// the server's side creates, with an access model of `whitelist` or `authorize`, and pages that log in. A page that logs in
// creates nothing, neither node nor room: made by the page, a channel that the site has not made yet would be open to all. Such a
// channel is `item-not-found`, and is followed once the site has made it and the page subscribes again. `create: "open"` says that
// every channel of the page is for everybody: then nodes and rooms are created with a login too.
//
// What is different, and why:
// - `host` and `port` are where the XMPP service is, at /http-bind; without them it is the page's own origin. `service`,
//   `domain`, `pubsub_service`, `muc_service` say it in full. `jid` and `password` (or `token`) log in: there was no login.
// - A channel that was subscribed while connected is subscribed again after a reconnect, and one that was unsubscribed stays so.
// - `reconnect` is fired, as was promised; `connect` once for each connect().
// - What fails is told: to `error` listeners as (error, channel), or reported as the page's uncaught errors are. subscribe(),
//   unsubscribe() are promises that need not be awaited; what publish() and write() are refused, their promises alone tell.
//   connect() is asked for by the first of them.
// - `sessionID` is there at once, and stays over reconnects. It is drawn at random here.
// - publish() works in pages, where the service lets them. `except` is obeyed by who receives: it spares a page its own echo,
//   and hides nothing.
// - A page that goes leaves at once, and one that the Back button brings back connects again.
// - Nothing was kept of a channel's past, and none is told: but what a page missed while its connection was broken is, as far
//   as the node has kept it. Where it has not, `gap` is fired, with the channel.
// - subscribe, unsubscribe and custom events are told to pages that ask, not to the server alone. What `meta` says, the page
//   itself says: it proves nothing, as before.

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

export interface JuggernautOptions {
  /** Where the XMPP service is, at /http-bind. Default: the page's own origin; with either of them, the page's host and port 8080. */
  host?: string;
  port?: number;
  /** With `host` or `port`: https. */
  secure?: boolean;
  /** What others are told of this session, where rosters are wanted. Any JSON. */
  meta?: unknown;
  /** Where to connect, in full. */
  service?: Service;
  /** Default: that of `jid`, or the host. */
  domain?: string;
  /** Default: `pubsub.` and the domain. */
  pubsub_service?: string;
  /** Default: `conference.` and the domain. */
  muc_service?: string;
  /** An account. Without it: anonymous. */
  jid?: string;
  password?: Secret;
  token?: Secret;
  /** Be seen on the channels that are subscribed. Default false; listening to `subscribe`, `unsubscribe` or `custom` means it too. */
  roster?: boolean;
  /**
   * Create the nodes of channels that have none, open to all. Default true. With a login (`jid`) nothing is created, neither nodes nor
   * rooms, unless `"open"` says that every channel is for everybody.
   */
  create?: boolean | "open";
}

/** One window on a channel. */
export interface Session {
  channel: string;
  session_id: string;
  /** What it says of itself; it proves nothing. */
  meta: unknown;
}

export interface JuggernautEvents {
  /** Connected, for the first time since connect(). */
  connect: [];
  /** The connection is lost: for good, or until `reconnect`. */
  disconnect: [error?: Error];
  /** Connected again, and subscribed to all channels. */
  reconnect: [];
  /** Of a channel's data something may be missing here: the connection was broken, and the service does not have it any more. */
  gap: [channel: string];
  message: [message: { type: string; channel: string; data: unknown }];
  data: [channel: string, data: unknown];
  /** A subscriber has joined a channel; also reported for this client itself. */
  subscribe: [session: Session];
  unsubscribe: [session: Session];
  /** A message that a client has written to a channel as an `event`. */
  custom: [event: Session & { data: unknown }];
  /** Something failed; without a listener, it is reported as an uncaught error of the page. */
  error: [error: Error, channel?: string];
}

export interface PublishOptions {
  /** The sessions, by id, that are not to be told. */
  except?: string | readonly string[];
}

/** A message of Juggernaut's. */
export interface WrittenMessage {
  type: "subscribe" | "unsubscribe" | "meta" | "event";
  channel?: string;
  data?: unknown;
}

/** The attribute of a payload that names who shall not be told. */
const NS = "urn:epode:juggernaut:0";
const DISCO_INFO = "http://jabber.org/protocol/disco#info";
/** A node for everybody, which tells nobody what was before. */
const OPEN: Record<string, string> = { access_model: "open", publish_model: "open", send_last_published_item: "never" };

type Listener = (...args: never[]) => unknown;

/** Listeners by event, called in order; one that throws is reported, and the others are still called. */
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

/** A channel's name as the localpart of a room: what may not stand there, or would lose its case, by its bytes. */
const roomName = (channel: string): string =>
  channel.replace(/[^a-z0-9.-]/gu, (character) => hex(new TextEncoder().encode(character), "_"));

/** What an occupant says of itself: `{ meta }`, or that it only looks on; undefined of one that came by other means. */
function introduction({ statusText }: Occupant): { meta?: unknown; looking?: boolean } | undefined {
  try {
    const said: unknown = JSON.parse(statusText ?? "");
    return typeof said === "object" && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}

/** What is known of a channel's room. */
interface RoomState {
  /** Being in it. */
  entered: Promise<Room> | undefined;
  room: Room | undefined;
  readonly sessions: Map<string, Session>;
  readonly rosters: Set<Roster>;
  /** Something has been written to it. */
  isWanted: boolean;
}

let makeRoster: (
  sessions: ReadonlyMap<string, Session>,
  user: (meta: unknown) => unknown,
  close: (roster: Roster) => Promise<void>,
) => Roster;
let tellRoster: (roster: Roster, event: string, detail: unknown) => void;

/** Who is on a channel. */
export class Roster {
  /** By their ids. */
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

  /** How many windows each user has. A snapshot. */
  get users(): Map<unknown, number> {
    const counts = new Map<unknown, number>();
    for (const { meta } of this.sessions.values()) {
      const user = this.#user(meta);
      if (user !== undefined) counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    return counts;
  }

  on(event: "subscribe" | "unsubscribe", listener: (session: Session) => void): this;
  /** After either of them, and when a session's meta has changed. */
  on(event: "change", listener: (roster: Roster) => void): this;
  on(event: string, listener: Listener): this {
    this.#events.on(event, listener);
    return this;
  }

  /** Removes all listeners of an event. */
  unbind(event: "subscribe" | "unsubscribe" | "change"): this {
    this.#events.unbind(event);
    return this;
  }

  /** Looks on no more. */
  close(): Promise<void> {
    return this.#close(this);
  }
}

/** Juggernaut's client of a page. */
export class Juggernaut {
  meta: unknown;
  /** Drawn at random; the same over reconnects. */
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
  /** The client, once it is online; undefined until the first call that needs a client. */
  #online: Promise<Client> | undefined;
  /** Aborted when the connection is over. */
  #going: AbortController | undefined;
  /** Feeds by channel, as promises; undefined of one that is to be opened with the next connection. */
  readonly #channels = new Map<string, Promise<Feed> | undefined>();
  readonly #rooms = new Map<string, RoomState>();
  #wantsRosters: boolean;
  /** Promises by channels whose nodes are there, as far as it lies with us. */
  readonly #made = new Map<string, Promise<void>>();

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

  on<K extends keyof JuggernautEvents>(event: K, listener: (...args: JuggernautEvents[K]) => void): this;
  /** `<channel>:data` */
  on<T = unknown>(event: `${string}:data`, listener: (data: T) => void): this;
  on(event: string, listener: Listener): this {
    this.#events.on(event, listener);
    if (["subscribe", "unsubscribe", "custom"].includes(event) && !this.#wantsRosters) {
      this.#wantsRosters = true;
      for (const channel of this.#channels.keys()) void this.#enter(channel);
    }
    return this;
  }

  /** As `on`. */
  bind<K extends keyof JuggernautEvents>(event: K, listener: (...args: JuggernautEvents[K]) => void): this;
  bind<T = unknown>(event: `${string}:data`, listener: (data: T) => void): this;
  bind(event: string, listener: Listener): this {
    return this.on(event as `${string}:data`, listener as (data: unknown) => void);
  }

  /** Removes all listeners of an event. */
  unbind(event: string): this {
    this.#events.unbind(event);
    return this;
  }

  #fail(error: unknown, channel?: string): void {
    if (!this.#events.trigger("error", error, channel)) report(error);
  }

  /** What a channel's service has refused; a connection that is gone is told by itself. */
  #refused(error: unknown, channel: string): void {
    if (this.#client?.status === "online") this.#fail(error, channel);
  }

  // ── the connection ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Connects where there is no connection, and subscribes to the channels. Need not be called. */
  connect(): Promise<void> {
    this.#online ??= quietly(this.#connect());
    return quietly(this.#online.then(() => {}));
  }

  /** The client, when it is online; asks for it. */
  #whenOnline(): Promise<Client> {
    void this.connect();
    return this.#online as Promise<Client>;
  }

  async #connect(): Promise<Client> {
    const { service, domain, jid, password, token } = this.#options;
    // Of a full JID, so that windows of one account do not end each other's subscriptions.
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

  /** What was there with the connection is not there any more; what is wanted is kept. */
  #lose(): void {
    this.#client = this.#online = undefined;
    this.#going?.abort();
    this.#made.clear();
    for (const channel of this.#channels.keys()) this.#channels.set(channel, undefined);
    for (const state of this.#rooms.values()) this.#vacate(state);
  }

  /** The page goes: others are to see it at once, also where it may come back by the Back button. */
  #hide(): void {
    void this.disconnect();
    globalThis.addEventListener("pageshow", () => void this.connect(), { once: true });
  }

  /** Leaves everything in order; connect() comes back to it. Never rejects. */
  async disconnect(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#going?.abort();
    const ended = client.disconnect();
    // At once: a connect() in the same turn begins anew.
    this.#lose();
    await ended;
  }

  /** A promise that fails with the connection, whose failure connect() tells, need not be awaited. What a service refuses, it alone tells. */
  #toldByConnect<T>(promise: Promise<T>): Promise<T> {
    this.#online?.catch(() => void quietly(promise));
    return promise;
  }

  // ── channels ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Subscribes to a channel; `listener` gets its data. Resolves when the service has agreed. */
  subscribe<T = unknown>(channel: string, listener?: (data: T) => void): Promise<void> {
    if (typeof channel !== "string" || channel === "") throw new XmppError("bad-argument", "subscribe(): the channel is a name.");
    if (listener !== undefined) this.on(`${channel}:data`, listener);
    if (!this.#channels.has(channel)) {
      this.#channels.set(channel, undefined);
      // Who has looked on so far.
      void quietly(this.#introduce(channel));
    }
    if (this.#wantsRosters) void this.#enter(channel);
    return this.#follow(channel);
  }

  #follow(channel: string): Promise<void> {
    const follow = async (): Promise<void> => {
      const client = await this.#whenOnline();
      // Unsubscribed meanwhile?
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
   * Creates the node where there is none: without a login, or where every channel is said to be open. Where that is refused, what
   * comes next says what it means. With a login the node must be there: a service may create one by itself, for whoever subscribes
   * or publishes first, and open to all.
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

  /** Whether this page may create channels: without a login, or where the page says that all of them are open. */
  get #mayCreate(): boolean {
    const { create, jid } = this.#options;
    return jid === undefined || create === "open";
  }

  /** Rejects where the service says that there is no such node or room. Any other answer is left to the request that follows. */
  #mustExist(client: Client, to: string, channel: string, node?: string): Promise<void> {
    const key = `${to} ${channel}`;
    let known = this.#made.get(key);
    if (!known) {
      known = client.request(xml`<iq type="get" to="${to}"><query xmlns="${DISCO_INFO}" node="${node}"/></iq>`).then(
        () => {},
        (error: XmppError) => {
          // The site may make it later.
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

  /** Ends a subscription, and removes the listeners of the channel's data. */
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

  /** Publishes to a channel, or to several; `except`: the sessions, by id, that are not to be told. */
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

  /** As Juggernaut's messages: `{ type: "subscribe" | "unsubscribe" | "meta" | "event", channel, data }`. */
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

  // ── who is there ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Who is on a channel, from now on. Resolves when it is known; `user` is what of a session's meta names its user. */
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
      // Joining creates a room that is not there, open to all.
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

  /** Out of a room, with all that was known of it. */
  #vacate(state: RoomState): void {
    state.entered = state.room = undefined;
    for (const id of [...state.sessions.keys()]) this.#miss(state, id);
  }

  /** Says who we are, to those who are there and those who come. */
  async #introduce(channel: string): Promise<void> {
    const room = this.#rooms.get(channel)?.room;
    if (!room?.joined) return;
    const said = this.#channels.has(channel) ? { meta: this.meta } : { looking: true };
    await (this.#client as Client).send(xml`<presence to="${`${room.jid}/${room.nick}`}"><status>${JSON.stringify(said)}</status></presence>`);
  }

  /** Leaves a room that nobody wants any more; in one that is, says who we are now. */
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
      // Said by somebody who came by other means.
    }
  }
}
