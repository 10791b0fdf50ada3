/**
 * The types of epode's surface. One hand-written file: Rust's side of the boundary is checked against it by the
 * browser tests, and the package's entries export what is declared here.
 *
 * Units: times are in milliseconds unless the name says otherwise; `Date`s are UTC instants.
 */

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What went wrong, for a program. `message` says it for a person, with what to do. */
export type ErrorCode =
  /** An argument or option that cannot be meant. */
  | "bad-argument"
  /** Not a JID (RFC 7622). */
  | "bad-jid"
  /** What was to be sent is not one well-formed stanza, or holds a character that XML cannot carry. */
  | "bad-stanza"
  /** A call that needs a connection while there is none. */
  | "not-connected"
  /** `connect()` on a client that is connecting or online. */
  | "already-connected"
  /** The connection ended before the answer came. */
  | "disconnected"
  /** A call on an object after its `free()`. */
  | "freed"
  /** The `AbortSignal` said so. */
  | "aborted"
  /** No answer in time. */
  | "timeout"
  /** The service cannot be reached: no network, no server, a wrong host. */
  | "unreachable"
  /** The server is there, but the browser kept its answer from this page: CORS headers are missing. */
  | "blocked-by-cors"
  /** An `https:` page may not talk to an `http:` or `ws:` service. */
  | "mixed-content"
  /** The platform has no `WebSocket` (Node 20) or no `fetch`, which the service needs: pass one in the options. */
  | "unsupported"
  /** The service answered with an HTTP error status (`httpStatus`), or a redirect, which is not followed. */
  | "http-error"
  /** The service answered with something other than BOSH: an HTML page, a wrong content type, an empty answer. */
  | "not-bosh"
  /** The service answered with something other than XMPP over WebSocket. */
  | "not-websocket"
  /** While reconnecting, more was sent than is kept. */
  | "outbox-full"
  /**
   * What came is not XML, is cut short, or holds what XMPP forbids (a DTD). Once online it is an `error` event: what cannot be read
   * is lost, and the session goes on.
   */
  | "bad-xml"
  /** What came, or was to be sent, is larger than the limit. */
  | "too-large"
  /** The BOSH service ended the session; `condition` is XEP-0124's. */
  | "terminated"
  /** The server ended the stream; `condition` is RFC 6120's. */
  | "stream-error"
  /** The server broke the protocol. */
  | "protocol-error"
  /** The server refused the login; `condition` is RFC 6120 §6.5's, usually `not-authorized`. */
  | "auth-failed"
  /** The server offers no mechanism that these credentials can use. */
  | "no-mechanism"
  /** Only mechanisms that show the password are left, and the connection is not encrypted (see `allowPlainText`); or the platform has no secure randomness. */
  | "insecure"
  /** The server could not prove that it knows the password. Somebody may sit between. */
  | "server-not-authentic"
  /** The `password` or `token` function threw or rejected, or gave what is no secret; `cause` is what it threw, or says what is wrong. */
  | "credentials-failed"
  /** The server refused the resource; `condition` is the stanza error's. */
  | "bind-failed"
  /** The server does not let accounts be registered this way, or wants fields that were not given. */
  | "registration-failed"
  /** The reply to a request, or the answer to a join, is an error; `condition` is the stanza error's. */
  | "stanza-error"
  /** It is known that the server did not take the stanza. */
  | "undelivered"
  /** Whether the server took the stanza is not known. */
  | "unknown"
  /**
   * The WebAssembly module could not be loaded: it was not found (`httpStatus`), is something else, is damaged, or belongs to
   * another version. The next call that needs it tries again.
   */
  | "module-unavailable"
  /** The page's content security policy, or the platform, refuses WebAssembly. Trying again does not help. */
  | "module-blocked"
  /** A fault of epode itself. The client is closed; make a new one. */
  | "internal";

/** Every error epode raises: a real `Error` whose `name` is `"XmppError"`. */
export interface XmppError extends Error {
  readonly name: "XmppError";
  readonly code: ErrorCode;
  /** The condition as the protocol names it (`conflict`, `item-not-found`, `not-authorized`, …), where there is one. */
  readonly condition?: string;
  /** What the server said in words, where it did. */
  readonly text?: string;
  /** RFC 6120 §8.3.2, for `stanza-error`: what may be done about it. */
  readonly type?: "auth" | "cancel" | "continue" | "modify" | "wait";
  /** An extension's own condition, e.g. `closed-node` of pubsub. */
  readonly application?: string;
  /** The stanza that told it. */
  readonly stanza?: Stanza;
  /** With `http-error`, and with `module-unavailable` where the module's address answered with an error. */
  readonly httpStatus?: number;
  /** Which call failed: the method's name, for those that promise something of a node, a room or somebody; `"register"`. */
  readonly operation?: string;
  /**
   * What it was about, where that is known: the node, the room (an occupant as `room/nick`), the stanza's addressee, the account to
   * register; of a connection the service's address, without its query. The message begins with both, unless it is about an argument.
   */
  readonly object?: string;
}

// ── the stanza ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An element as it was received: a handle that reads on demand. A stanza (`message`, `presence`, `iq`) and each
 * element in it look the same. Left to the garbage collector, or freed early with `free()` or `using`.
 */
export class Stanza {
  private constructor();
  /** The local name: `"message"`. */
  readonly name: string;
  /** The namespace: `"jabber:client"`. */
  readonly ns: string;
  /** The `to` attribute. */
  readonly to: string | undefined;
  /** The `from` attribute: who sent it, as the server says. */
  readonly from: string | undefined;
  /** The `id` attribute. */
  readonly id: string | undefined;
  /** The `type` attribute. */
  readonly type: string | undefined;
  /** An attribute; with `ns`, one in that namespace. */
  attr(name: string, ns?: string): string | undefined;
  /** All attributes without a namespace. */
  attrs(): Record<string, string>;
  /** The first child element of that name (and namespace). */
  child(name: string, ns?: string): Stanza | undefined;
  /** All child elements (of that name and namespace). */
  children(name?: string, ns?: string): Stanza[];
  /** Its own character data, or that of the first child of that name (`undefined` when there is none). */
  text(): string;
  text(child: string, ns?: string): string | undefined;
  /** The element as XML, namespaces declared: may be given to `send()` or to `DOMParser`. */
  toString(): string;
  free(): void;
  [Symbol.dispose](): void;
}

/** XML made by the `xml` tag: everything interpolated into it is escaped, so it is one well-formed element. */
export interface Xml {
  toString(): string;
}

/** What can be sent: `xml` text, a stanza that was received, or XML in a string. */
export type Sendable = Xml | Stanza | string;

// ── registrations ───────────────────────────────────────────────────────────────────────────────────────────────────

/** A registered callback, until `remove()`. */
export interface Registration {
  /** Ends it; a second call does nothing. Safe from inside the callback. */
  remove(): void;
  [Symbol.dispose](): void;
}

/** Which stanzas wake a handler. What is left out matches everything; all that is given must match. */
export interface Matcher {
  /** `"message"`, `"presence"` or `"iq"`. */
  name?: string;
  /** One type or several. A message without `type` is `"normal"`, a presence without one is `"available"`. */
  type?: string | readonly string[];
  /** A namespace: of the stanza itself or of one of its direct children. */
  ns?: string;
  id?: string;
  /** The sender. A bare JID matches all its resources; a full one only itself. */
  from?: string;
}

// ── connecting ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A secret: a value, or a function called anew for every login (an access token that expires, a prompt). */
export type Secret = string | (() => string | PromiseLike<string>);

/** What epode uses of a `WebSocket`. Text frames come as strings in `data`. */
export interface WebSocketLike {
  readonly protocol: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(text: string): void;
  close(): void;
}

/** A class that makes them. */
export type WebSocketClass = new (url: string, protocol: string) => WebSocketLike;

/** A SASL mechanism that a login can use (RFC 4422), as servers name it. */
export type MechanismName =
  | "SCRAM-SHA-512"
  | "SCRAM-SHA-256"
  | "SCRAM-SHA-1"
  | "PLAIN"
  | "OAUTHBEARER"
  | "ANONYMOUS"
  | "EXTERNAL"
  | "HT-SHA-256-NONE";

export interface ClientOptions {
  /** Who logs in: `user@domain`, or `user@domain/resource` to ask for that resource. */
  jid?: string;
  /** With `jid`: the password. SCRAM-SHA-512, -256, -1 or PLAIN, the strongest that is offered. */
  password?: Secret;
  /** With `jid`: an OAuth 2 access token (OAUTHBEARER). */
  token?: Secret;
  /** With `domain`: log in without an account (ANONYMOUS). */
  anonymous?: boolean;
  /** With `jid` or `domain`: the transport has authenticated us already, say by a client certificate (EXTERNAL). */
  external?: boolean;
  /** The domain to log in to; default: that of `jid`. */
  domain?: string;
  /** The resource to ask for; default: the server chooses, which is what two open tabs want. */
  resource?: string;
  /** PLAIN, OAUTHBEARER and registration over unencrypted http or ws. Never needed on loopback. Default false. */
  allowPlainText?: boolean;
  /**
   * The SASL mechanisms that a login may use. The strongest of those that the server offers is tried first; one that the server
   * refuses as such is followed by the next. `"HT-SHA-256-NONE"` stands for login tokens (XEP-0484), which are neither used nor asked
   * for when a list is given without it. Without a list: all that fit the credentials, never weaker than what worked before
   * (`memory`). A list with nothing that the server offers ends in `no-mechanism`.
   */
  mechanisms?: readonly MechanismName[];
  /**
   * Where to keep, from one visit to the next, what lets the next login take fewer round trips: which mechanism worked, what
   * may be sent early, and a login token where the server gives one (XEP-0484). Such a token is as good as a password: keep it
   * where you would keep one. What is stored is opaque, and of use to this account only. Default: remembered by this
   * `Client` alone. For example `{ get: () => sessionStorage.getItem("epode"), set: (value) => sessionStorage.setItem("epode", value) }`.
   */
  memory?: { get(): string | null | undefined; set(value: string): void };
  /** Send initial presence after login. Default true. */
  presence?: boolean;
  /** `xml:lang` of the stream. Default: none. */
  lang?: string;
  /** BOSH: the longest time in **seconds** the server may hold a request. Default 60. */
  wait?: number;
  /** BOSH: how many requests the server may hold. Default 1. */
  hold?: number;
  /**
   * BOSH: show a key with each request (XEP-0124 §15), so that somebody who listens to an unencrypted connection cannot take it
   * over. Not needed over https, and a risk on ejabberd 23, which mistakes requests that overtake each other. Default false.
   */
  keys?: boolean;
  /**
   * BOSH: headers for each request (`Authorization`, …). A custom header costs a preflight across origins. Not sent to another
   * origin that the service redirects to (`see-other-uri`).
   */
  headers?: Record<string, string>;
  /** BOSH: send cookies and HTTP authentication across origins, but not where the service redirects to another. Default false. */
  withCredentials?: boolean;
  /** BOSH: default `"text/xml; charset=utf-8"`; `"text/plain; charset=utf-8"` spares the preflight where the server takes it. */
  contentType?: string;
  /** The longest time for connecting and logging in, and for each phase of it. Default 30,000 ms. */
  timeout?: number;
  /** The largest answer that is accepted, in bytes; one that announces more is not even read. Default 16 MiB. */
  maxBytes?: number;
  /**
   * Make a connection that broke again, by itself. Each attempt follows a random pause, at most as long as the connection has been
   * away: up to `least` (default 1,000 ms) at first, never more than `most` (30,000 ms). When the network comes back or the page
   * is seen again, the next attempt is made at once, in place of one that hangs, and the pauses begin anew.
   * Not where trying again cannot help (a wrong password, a conflict). Default true.
   */
  reconnect?: boolean | { least?: number; most?: number };
  /** WebSocket: XEP-0198, where the server has it. Default true. */
  streamManagement?: boolean;
  /** WebSocket: after how long a silence the server is asked whether it is there. Default 30,000 ms. */
  silence?: number;
  /**
   * Keep the session over a reload of the page, in the tab's `sessionStorage`: `connect()` then goes on with it (`resumed: true`),
   * what was under way arrives, once. A name tells several clients of one account on a page apart. Joined rooms and
   * subscriptions are still there for the server: join and subscribe again, which brings the state. A duplicated tab gets a
   * session of its own. A tab closed for good leaves a session that is kept to the server's timeout, unless the page calls `disconnect()`.
   * What is stored is enough to take the session over, and holds no password. Not in workers. Default false.
   */
  keep?: boolean | string;
  /**
   * In place of the platform's `WebSocket`, where it has none (Node before 22) or another is wanted: a class with the same
   * interface, such as that of the npm package `ws`. Called as `new WebSocket(url, "xmpp")`.
   */
  WebSocket?: WebSocketClass;
  /** In place of the platform's `fetch`, for BOSH: a function with the same interface. */
  fetch?: (url: string, init: RequestInit) => PromiseLike<Response>;
  /**
   * How epode answers questions that no handler answers: what it is and can do (XEP-0030), its software (XEP-0092), its time
   * (XEP-0202), whether it is there (XEP-0199).
   */
  about?: {
    name?: string;
    version?: string;
    os?: string;
    features?: readonly string[];
    /**
     * Who is answered. `"contacts"`: those on the roster who get this account's presence; the roster is requested when the first
     * stranger asks. `"nobody"`: no one. All others get `service-unavailable`, as if nobody was there. The own server, the own
     * account, the services of feeds and the rooms that were joined are always answered. Default `"everyone"`: each reply shows
     * that the page is open, and the one to XEP-0202 its time zone.
     */
    answerTo?: "everyone" | "contacts" | "nobody";
  };
}

/** Where to connect: an `http(s):` address (also a relative one) is BOSH, a `ws(s):` address WebSocket; several are tried in order. */
export type Service = string | URL | readonly (string | URL)[];

/** A BOSH session that was made elsewhere. */
export interface AttachedSession {
  /** The full JID that it is bound to. */
  jid: string;
  sid: string;
  /** The rid of the **next** request. */
  rid: number | string;
}

/** For `attach`: the session, and whatever else a client may want. */
export type AttachOptions = AttachedSession & Omit<ClientOptions, "jid" | "anonymous">;

export type Status =
  | "offline"
  | "connecting"
  | "authenticating"
  | "binding"
  | "online"
  /** The connection broke and is made again by itself; what is sent meanwhile is kept, in order. */
  | "reconnecting"
  | "disconnecting";

export interface StatusChange {
  status: Status;
  /** With `offline`, when it was not asked for, and with `reconnecting`: what happened. */
  error?: XmppError;
  /**
   * With `online`: the session goes on, and nothing was lost. When false, it is a new one, in which presence, rooms and feeds
   * are there again; of what happened meanwhile only what server and rooms kept arrives.
   */
  resumed?: boolean;
  /** With `reconnecting`: which attempt is next, from 1. There is one such event for each attempt that failed. */
  attempt?: number;
  /** With `reconnecting`: when it is due. A sign of the network may bring it forward, which is another event. */
  retryAt?: Date;
}

/** Times a promise out or gives it up. */
export interface Waiting {
  /** In milliseconds. */
  timeout?: number;
  signal?: AbortSignal;
}

export interface ClientEvents {
  /** The connection's state changed. */
  status: StatusChange;
  /** Something went wrong that no promise told: a liar's pubsub event, a stanza that could not be read. */
  error: XmppError;
  /** A stanza was given to the transport, as XML, with secrets masked. Costs nothing without a listener. */
  sent: string;
  /** A stanza arrived, as XML, with secrets masked. Costs nothing without a listener. */
  received: string;
  /** A stanza whose `send()` nobody awaits may not have arrived. */
  undelivered: { xml: string; error: XmppError };
}

/** A connection to an XMPP server, and what lives on it. */
export class Client {
  /** Connects nothing yet: register handlers and listeners first, then `connect()`. */
  constructor(service: Service, options: ClientOptions);
  /** The own full JID while online. */
  readonly jid: string | undefined;
  readonly status: Status;
  /** While online: which of the services it is. */
  readonly service: string | undefined;
  readonly pubsub: PubSub;
  readonly muc: Muc;
  /**
   * Resolves when logged in and bound. Rejects with what stood in the way; the client may then try again. While the status is
   * `reconnecting`, the next attempt is made at once.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * In place of `connect()`: goes on with a session that a web server made, over the first BOSH service. Resolves when the
   * server has shown that it knows it. When it does not, the client logs in, if it can.
   */
  attach(session: AttachedSession & { signal?: AbortSignal }): Promise<void>;
  /**
   * Sends what is queued, leaves rooms and full-JID subscriptions, ends the session. Never rejects. May be called in `pagehide`: what
   * is to be sent is handed to the browser before it returns. (Over WebSocket Firefox sends nothing any more by then.)
   */
  disconnect(): Promise<void>;
  /** Resolves when the server has taken the stanza; rejects as `undelivered` or `unknown`. Need not be awaited. */
  send(stanza: Sendable): Promise<void>;
  /** Sends an iq of type `get` or `set`, resolves with the result, rejects with the error. Default timeout 30,000 ms. */
  request(iq: Sendable, options?: Waiting): Promise<Stanza>;
  /**
   * Calls `callback` for each stanza that matches, until removed. It stays when it throws (the error is reported).
   * A handler whose matcher names `ns` or `id`, or `name: "iq"` with a `type`, answers the iq requests that it matches;
   * all others are answered by epode.
   */
  addHandler(callback: (stanza: Stanza) => void, matcher?: Matcher): Registration;
  on<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void): Registration;
  /** Ends everything at once, without a word to the server. Later calls are `freed` errors. */
  free(): void;
  [Symbol.dispose](): void;
}

// ── live feeds: XEP-0060 ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * What epode made of a payload: JSON (XEP-0335, or JSON text in an Atom entry), an Atom entry (RFC 4287), Django's XML
 * serialization, an element that holds text alone, anything else as the element that it is, no payload at all.
 */
export type PayloadFormat = "json" | "atom" | "django" | "text" | "stanza" | "none";

/** The value of an Atom entry. What is missing, or not a date, is `undefined`; what is in it otherwise, the payload holds. */
export interface AtomEntry {
  id: string | undefined;
  /** As text, also where it is XHTML. Where its `type` is `html`, it is markup that somebody else has written. */
  title: string | undefined;
  summary: string | undefined;
  /** Text; the `<content/>` element where it holds elements (XHTML, XML) or an address (`src`). */
  content: string | Stanza | undefined;
  updated: Date | undefined;
  published: Date | undefined;
  authors: { name?: string | undefined; uri?: string | undefined; email?: string | undefined }[];
  /** Their attributes; `rel` is `alternate` where it is not said. */
  links: { href: string; rel?: string; type?: string; title?: string; hreflang?: string; length?: string }[];
  categories: { term: string; scheme?: string; label?: string }[];
}

/**
 * The value of an object in Django's XML serialization, the same as in its JSON; several objects are an array of them.
 * Integers are numbers, or strings where they are too large to be exact; floats numbers; booleans booleans; `DateTimeField`s
 * `Date`s if they have a zone (`USE_TZ`); JSON values; `null`s. All else is a string as it stands: decimals, dates, times and
 * date-times without a zone, since which instant they are, only the server knows. Relations are keys, to-many ones arrays of
 * keys: a string each, or an array of strings where the key is a natural one.
 */
export interface DjangoObject<Fields = Record<string, unknown>> {
  /** `"blog.post"` */
  model: string;
  /** The primary key; `undefined` where natural keys are used. */
  pk: string | undefined;
  fields: Fields;
}

/**
 * One item of a node, as published. `T` is what the page knows of its payloads; nothing checks that they are so, since they
 * are somebody else's words. A page that has to know looks at `format`, or checks in a decoder of its own (`decode`).
 */
export interface PubsubItem<T = unknown> {
  id: string | undefined;
  node: string;
  /** The element that was published; `undefined` where the service notifies without payloads. */
  payload: Stanza | undefined;
  /** Who published it, when the service tells. */
  publisher: string | undefined;
  /** When it was published, when the service tells (`<delay/>`). */
  time: Date | undefined;
  /** When it arrived here. */
  receivedAt: Date;
  /** How it came: among what the node held at the beginning, as it was published, after an interruption, from `items()`. */
  via: "snapshot" | "live" | "catch-up" | "items";
  /** The payload as a plain value, decoded when it is read first; by `decode`, where the page has given one. */
  readonly value: T;
  /** What the payload is, as epode reads it. */
  readonly format: PayloadFormat;
}

/** What can be published: `xml`, an element, XML in a string. */
export type Payload = Sendable;

export interface ServiceOption extends Waiting {
  /** The pubsub service's JID. Default: `pubsub.` and the own domain. */
  service?: string;
}

/** How payloads are read. */
export interface DecodeOption<T> {
  /**
   * Makes an item's `value` of its payload, in place of epode's own decoding; called when `value` is read first. Not called
   * for items without a payload. What it throws, reading `value` throws.
   */
  decode?: (payload: Stanza) => T;
}

export interface FeedOptions<T = unknown> extends ServiceOption, DecodeOption<T> {
  /**
   * Goes on from there: what `feed.position` was, for the same node of the same service. What was published since arrives via
   * `"catch-up"`, no snapshot comes, and a `gap` tells where something may be missing. A position that another version of epode
   * wrote may say nothing to this one: then there is a `gap`, and the feed begins as without `since`.
   */
  since?: string;
  /**
   * Without `since`: what the node holds comes first, via `"snapshot"`. Default true. With false, the last item that a service
   * sends on subscribing is not told either.
   */
  snapshot?: boolean;
  /**
   * Whether an event is told that repeats the current revision of its item, with the same id and payload. Default false: a row
   * that is saved unchanged shows nothing, and neither does an event that a server delivers twice. With true both are told as
   * `"live"`, since they look alike. Items without a payload are always told.
   */
  repeats?: boolean;
  /**
   * How many items are looked at and kept, the newest ones: 1 to 100,000, default 1,000. As many publications are remembered
   * (8 bytes each), to know again what was had; they are in `position`, too.
   */
  limit?: number;
  /**
   * Which of the own JIDs is subscribed. With the bare one the service tells all of the account's pages that are present, and
   * the subscription outlives the session; with the full one this session alone. Default: the bare one; the full one where the
   * client is anonymous or not present.
   */
  jid?: "bare" | "full";
  /** Options of the subscription (pubsub#subscribe_options), with or without the prefix `pubsub#`. */
  options?: Record<string, string | number | boolean>;
  /**
   * Gives the subscription up, which then ends at the service, too, unless another feed lives on it; so does one that is not
   * answered in time. Aborted later, closes the feed.
   */
  signal?: AbortSignal;
}

/** How an item came to be gone: the node told so, or it was found to be gone after an interruption. */
export type RetractVia = "live" | "catch-up";

/** One of a `batch`. */
export type FeedChange<T = unknown> =
  | { type: "item"; item: PubsubItem<T> }
  | { type: "retract"; id: string; via: RetractVia }
  | { type: "purge" }
  | { type: "gap"; after: string | undefined; before: string | undefined }
  | { type: "live" };

/**
 * What happens in a feed. What comes before the first listener of its kind is kept for it (1,000 of each kind, or `limit` if
 * that is more; `subscription` and `configuration` are not), and handed to it in order. In which order things of different
 * kinds have happened, `batch` tells. Once there is a listener for `item`, nothing is kept for `batch`, nor the other way round.
 */
export interface FeedEvents<T = unknown> {
  /**
   * An item: each publication once, in the order in which the service tells of them. A publication is the same when id and
   * payload are; the order of attributes, prefixes and namespace declarations do not matter, white space does. See `repeats`.
   * A notification without any item is one without `id` and payload.
   */
  item: PubsubItem<T>;
  /**
   * An item is no longer there. Via `"catch-up"`: found to be gone after an interruption, taken back or dropped by the node's
   * own limit. What a node drops while the feed is live, most services do not tell.
   */
  retract: { id: string; node: string; via: RetractVia };
  /** No item is there any more. */
  purge: { node: string };
  /**
   * Something may be missing between the items with these ids; `after` is `undefined` where there was none before, `before`
   * where there is none yet. It comes after an interruption when nothing of what was had before is in the node any more, so that
   * nothing shows how much came in between: the node keeps fewer items than were published meanwhile; or exactly as many, which
   * nobody can tell apart. Also when the node was deleted meanwhile, though it may be there again; when the service cannot be
   * asked what it holds; and beyond 20,000 items, which is as much as is caught up on at a time. What is there, comes after it.
   */
  gap: { node: string; after: string | undefined; before: string | undefined };
  /** What the node held, or what was missed during an interruption, has been told: what comes now is new. */
  live: { node: string };
  /**
   * All changes since the last call, in order, at most once per animation frame; every 50 ms where there are no frames (workers,
   * Node, pages that nobody sees). 10,000 changes do not wait, nor does what is left when the feed ends.
   */
  batch: FeedChange<T>[];
  /** The node is no more; `redirect` is where it went, if told. The feed ends. */
  delete: { node: string; redirect: string | undefined };
  /** The service changed the subscription's state. */
  subscription: { node: string; state: string };
  /** The node's configuration changed. */
  configuration: { node: string };
  /** The feed is over: closed, aborted, unsubscribed, deleted, refused in a later session, or the connection ended. */
  end: undefined;
}

/**
 * A subscribed node, kept complete: what it holds, then what happens to it, then what was missed during an interruption, as one
 * sequence in which each publication stands once. What was published to an id several times meanwhile comes once, as it is now.
 */
export class Feed<T = unknown> implements AsyncIterable<PubsubItem<T>> {
  private constructor();
  readonly node: string;
  readonly service: string;
  /** The JID that is subscribed: the bare one, or the full one when anonymous or without presence. */
  readonly subscriber: string;
  /** `subscribed`, `pending` (the owner must approve), `unconfigured`; `none` when the feed is over. */
  readonly state: string;
  readonly subid: string | undefined;
  /**
   * The current items by their ids, the newest publication last; always the same object. Current is what was told of and is not
   * known to be gone: retracted items leave it, a purge empties it, what is published again goes to its end. With more than
   * `limit` the oldest goes, which is no event. With `snapshot: false` or `since` it begins empty. The end of the feed leaves it
   * as it is. Items without an id are not in it.
   */
  readonly items: ReadonlyMap<string, PubsubItem<T>>;
  /**
   * Where the feed stands, after all that it has told so far: a text that can be kept, over a reload or for longer, and given back
   * as `since`. Up to 11 bytes for each of `limit` items. Told is what listeners were called with, and also what still waits for
   * the next batch, in a loop, or for a first listener. `undefined` before the first answer. Still there when the feed is over.
   */
  readonly position: string | undefined;
  on<K extends keyof FeedEvents<T>>(type: K, listener: (event: FeedEvents<T>[K]) => void): Registration;
  /** Unsubscribes at the service, and ends the feed. With a bare JID this ends it for all the account's pages. */
  unsubscribe(options?: Waiting): Promise<void>;
  /** Ends the feed here and leaves the subscription at the service as it is. */
  close(): void;
  /**
   * Items from now on, and those kept because nobody listened yet. Ends with the feed. A loop that lets 10,000 live items wait
   * gets a `too-large` error.
   */
  [Symbol.asyncIterator](): AsyncIterator<PubsubItem<T>>;
  free(): void;
  [Symbol.dispose](): void;
}

/** Publish-subscribe. */
export interface PubSub {
  /**
   * Subscribes to a node, and resolves when the service has agreed. `onItem` is called for each item: first for those that the
   * node holds, then for what is published; so are the feed's listeners. Rejects with what the service says, say condition
   * `item-not-found` or `not-authorized`. `timeout` is for its answer.
   */
  subscribe<T = unknown>(node: string, onItem: (item: PubsubItem<T>) => void, options?: FeedOptions<T>): Promise<Feed<T>>;
  subscribe<T = unknown>(node: string, options?: FeedOptions<T>): Promise<Feed<T>>;
  /** Removes a subscription by node: one without a `Feed`, say of an earlier visit. */
  unsubscribe(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void>;
  /**
   * Publishes one item, resolves with its id (chosen by the service when none is given). `null` is an item without a payload,
   * for nodes that only notify; with `item: false` not even an item is sent, as nodes want it that keep none (XEP-0060 §7.1).
   *
   * `publishOptions`: how the node has to be configured, which a node made by publishing then is. Without them such a node of
   * an account is open to all its contacts. Where the node is configured otherwise, the promise rejects with `application`
   * `"precondition-not-met"`; with `configure`, an owner's node is configured that way first, and the item published then.
   */
  publish(
    node: string,
    payload: Payload | null,
    options?: ServiceOption & { id?: string; item?: boolean; publishOptions?: FormInput; configure?: boolean },
  ): Promise<string | undefined>;
  /** Removes an item; subscribers are told unless `notify` is false. */
  retract(node: string, id: string, options?: ServiceOption & { notify?: boolean }): Promise<void>;
  /**
   * What the node holds: all of it, the last `max`, or those of `ids`. Or a part of it, where the service knows parts
   * (XEP-0059; Prosody 0.12 does not, and gives everything): `max` items `after` the last of the part before, or `before` the
   * first of the part after (`""`: the end of all), or from the place `index` on, counted from 0. `after` and `before` are
   * `page.last` and `page.first`, which need not be ids of items.
   */
  items<T = unknown>(
    node: string,
    options?: ServiceOption &
      DecodeOption<T> & {
        max?: number;
        ids?: readonly string[];
        after?: string;
        before?: string;
        index?: number;
        /** Which of several subscriptions it is for, where the service wants to know. */
        subid?: string;
      },
  ): Promise<PubsubItems<T>>;
  /** One item by its id; `undefined` when the node does not hold it. */
  item<T = unknown>(node: string, id: string, options?: ServiceOption & DecodeOption<T>): Promise<PubsubItem<T> | undefined>;

  /** Our own subscriptions at the service, or those to one node. */
  subscriptions(options?: ServiceOption & { node?: string }): Promise<PubsubSubscription[]>;
  /** What we are at the service's nodes (or at one), by node. */
  affiliations(options?: ServiceOption & { node?: string }): Promise<Record<string, PubsubAffiliation>>;
  /** The options of a subscription: ours, or that of the `jid` that was subscribed; `subid` where there are several. */
  options(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<Form>;
  /** Changes options of a subscription: those given. */
  setOptions(node: string, values: FormInput, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void>;
  /** The options of a subscription that says nothing about them. Neither Prosody 0.12 nor ejabberd 23 tells. */
  defaultOptions(options?: ServiceOption & { node?: string }): Promise<Form>;

  /** The service's nodes, as far as we may see them; or those in a collection. */
  nodes(options?: ServiceOption & { node?: string }): Promise<PubsubNode[]>;
  /** What a node says about itself; `""`: what the service itself is and can do. */
  metadata(node: string, options?: ServiceOption): Promise<Metadata>;
  /** Creates a node, resolves with its name (chosen by the service for `""`). `config`: how it is to be configured. */
  createNode(node: string, options?: ServiceOption & { config?: FormInput }): Promise<string>;
  /** How a node is configured. For its owners, as is all that follows. */
  configuration(node: string, options?: ServiceOption): Promise<Form>;
  /** Configures a node: what is given; the rest stays as it is. */
  configure(node: string, values: FormInput, options?: ServiceOption): Promise<void>;
  /** How a node is configured whose maker says nothing about it. */
  defaultConfiguration(options?: ServiceOption): Promise<Form>;
  /** Removes all items. */
  purge(node: string, options?: ServiceOption): Promise<void>;
  /** Removes a node. `redirect`: the address (`xmpp:…`) of the one that takes its place; not every service passes it on. */
  deleteNode(node: string, options?: ServiceOption & { redirect?: string }): Promise<void>;
  /** Who is subscribed to a node, or waits to be (whom ejabberd does not tell). */
  subscribers(node: string, options?: ServiceOption): Promise<Subscriber[]>;
  /** Changes the subscriptions of those named: `"subscribed"` also approves, `"none"` also denies. The others stay as they are. */
  setSubscribers(node: string, subscribers: readonly SubscriberInput[], options?: ServiceOption): Promise<void>;
  /** Who may do what with a node, by bare JID. */
  affiliates(node: string, options?: ServiceOption): Promise<Record<string, PubsubAffiliation>>;
  /** Changes it for those named. */
  setAffiliates(node: string, affiliations: Record<string, PubsubAffiliation>, options?: ServiceOption): Promise<void>;
  /**
   * Calls `listener` when somebody wants to subscribe to a node of ours that asks its owner (access model `authorize`). Only
   * what the `service` itself asks counts. Without a listener such a question goes to the handlers, as any message does.
   */
  onApproval(listener: (asked: Approval) => void, options?: ServiceOption): Registration;
  /** Has the service ask again about all who wait: `onApproval` hears it. Not on Prosody. */
  requestApprovals(node: string, options?: ServiceOption): Promise<void>;
  /**
   * Calls `listener` for what accounts publish about themselves on their node of that name (XEP-0163): our own account, and
   * those whose presence we get. Our presence asks for it, so it has to be sent (`presence`); it is sent again when that
   * changes. On coming, servers send the last item of each account, some twice; ejabberd tells of items alone. Publish to a node of one's own by naming the own bare JID
   * as `service`, and read a contact's by naming theirs. `from` is as the server says; whether it matters to you, is yours.
   */
  onPersonalEvent<T = unknown>(node: string, listener: (event: PersonalEvent<T>) => void, options?: DecodeOption<T>): Registration;
}

/** What was asked for, and which part of the whole it is. */
export type PubsubItems<T = unknown> = PubsubItem<T>[] & {
  /** `undefined` when the service says nothing about parts. */
  page: Page | undefined;
};

/** A part of a list (XEP-0059). */
export interface Page {
  /** Where it begins and ends, in the service's words; `undefined` when it is empty. */
  first: string | undefined;
  last: string | undefined;
  /** The place of its first entry, from 0. */
  index: number | undefined;
  /** How many there are in all. */
  count: number | undefined;
}

/** Values for a form, by the name of their field: those of pubsub with or without the prefix `pubsub#`. */
export type FormInput = Record<string, string | number | boolean | readonly (string | number)[]>;

/** What a field holds: yes or no, a list, otherwise text, numbers too. */
export type FormValue = boolean | string | string[];

/** A form that a service filled in. */
export interface Form {
  /** What it says, by the name of the field, without `pubsub#`. */
  values: Record<string, FormValue | undefined>;
  /** The same with what is needed to show it to people. */
  fields: FormField[];
}

export interface FormField {
  name: string;
  /** `"boolean"`, `"text-single"`, `"list-single"`, `"list-multi"`, `"jid-multi"`, … (XEP-0004 §3.3). */
  type: string;
  label: string | undefined;
  description: string | undefined;
  required: boolean;
  value: FormValue | undefined;
  /** What may be chosen. */
  options: { value: string; label: string | undefined }[];
}

export type SubscriptionState = "none" | "pending" | "unconfigured" | "subscribed";
export type PubsubAffiliation = "owner" | "publisher" | "publish-only" | "member" | "outcast" | "none";

/** A subscription of ours. */
export interface PubsubSubscription {
  node: string | undefined;
  /** The JID that is subscribed, as the service keeps it. */
  jid: string;
  subid: string | undefined;
  state: SubscriptionState;
}

/** Somebody's subscription to a node of ours. */
export type Subscriber = Omit<PubsubSubscription, "node">;
export type SubscriberInput = { jid: string; state: SubscriptionState; subid?: string };

export interface PubsubNode {
  node: string;
  name: string | undefined;
  /** Where it is. */
  jid: string;
}

/** What a node or a service says about itself: identities, features (as namespaces), and a form of metadata. */
export interface Metadata extends Form {
  identities: { category: string; type: string; name: string | undefined }[];
  features: string[];
}

/** Somebody wants to subscribe. Both answers resolve when the server has taken them. */
export interface Approval {
  /** Who asks: the service. */
  service: string;
  node: string;
  /** Who wants to subscribe. */
  jid: string;
  subid: string | undefined;
  id: string | undefined;
  approve(): Promise<void>;
  deny(): Promise<void>;
}

/** Something that an account did with one of its nodes. */
export type PersonalEvent<T = unknown> = {
  /** Whose: the account's bare JID. */
  from: string;
  node: string;
} & (
  | { type: "item"; item: PubsubItem<T>; id: string | undefined }
  | { type: "retract"; id: string }
  | { type: "purge" | "configuration" }
  | { type: "delete"; redirect: string | undefined }
);

// ── rooms: XEP-0045 ─────────────────────────────────────────────────────────────────────────────────────────────────

export type Role = "moderator" | "participant" | "visitor" | "none";
export type Affiliation = "owner" | "admin" | "member" | "outcast" | "none";

export interface Occupant {
  nick: string;
  role: Role;
  affiliation: Affiliation;
  /** The real JID, where the room shows it. */
  jid: string | undefined;
  /** `away`, `chat`, `dnd`, `xa`; `undefined` when simply available. */
  show: string | undefined;
  statusText: string | undefined;
  /** Is it us? */
  self: boolean;
}

export interface RoomMessage {
  /** The nick of who said it; `undefined`: the room itself. */
  nick: string | undefined;
  body: string;
  id: string | undefined;
  /** When it was said, for history, as the room stamped it; `undefined` also where its stamp is not readable. */
  time: Date | undefined;
  receivedAt: Date;
  /** It is history: said before we came. */
  delayed: boolean;
  /** We said it. */
  own: boolean;
  /** Said to us alone. */
  private: boolean;
  stanza: Stanza;
}

export interface RoomEvents {
  message: RoomMessage;
  /** `nick`: who changed it; `undefined`: the room, or nobody yet. */
  subject: { subject: string; nick: string | undefined };
  /** Somebody came. */
  join: Occupant;
  /**
   * Somebody went: `reason` is `left`, `kicked`, `banned`, `removed`, `shutdown` or `error`; `disconnected` when that was found
   * out on coming back after a lost session.
   */
  leave: { occupant: Occupant; reason: string; text: string | undefined };
  /** Role, affiliation or availability changed. */
  occupant: Occupant;
  nick: { from: string; to: string; self: boolean };
  /**
   * The session was lost, or the room had lost us (XEP-0410), and we are in again: what was said meanwhile, as far as the room kept
   * it, has arrived.
   */
  rejoin: undefined;
  /**
   * We are out, not by our own `leave()`. `reason` as above, `destroyed`, `disconnected`, or `refused` on coming back (`text`: the
   * condition, or `insecure` where the room's password must not be sent in the new session). `error` also where the room does not
   * answer, or loses us again and again.
   */
  out: { reason: string; text: string | undefined; alternative: string | undefined };
  /**
   * The room refused something we sent. Code `undelivered`: the room had lost us before it saw the message in `stanza`. `timeout`:
   * the room does not answer pings. `too-large`: it has more occupants than are listed.
   */
  error: XmppError;
}

/** A room we are in. */
export class Room {
  private constructor();
  /** The room's bare JID. */
  readonly jid: string;
  /** Our nick, as the room has it. */
  readonly nick: string;
  readonly subject: string | undefined;
  readonly joined: boolean;
  /** Who is in, by nick, ourselves among them. A snapshot. */
  readonly occupants: Map<string, Occupant>;
  on<K extends keyof RoomEvents>(type: K, listener: (event: RoomEvents[K]) => void): Registration;
  /** Says something to all; resolves when the server has taken it. */
  send(body: string): Promise<void>;
  /** Says something to one occupant. */
  sendPrivate(nick: string, body: string): Promise<void>;
  setSubject(subject: string): Promise<void>;
  /** Resolves when the room has confirmed it. */
  setNick(nick: string, options?: Waiting): Promise<void>;
  /** Resolves when the room has let us go. */
  leave(options?: Waiting & { status?: string }): Promise<void>;
  free(): void;
  [Symbol.dispose](): void;
}

export interface Muc {
  /**
   * Joins a room, creating it when there is none (as an instant room). Resolves when really in: own presence, who
   * else is there, history and subject have come, and are kept for the first listener of each kind. A nick that is
   * taken rejects with condition `conflict`. With a password, `insecure` over a connection that is not encrypted (see
   * `allowPlainText`). A join that times out or is aborted is followed by a leave, and can be repeated at once.
   */
  join(
    room: string,
    nick: string,
    options?: Waiting & {
      password?: string;
      history?: { maxstanzas?: number; maxchars?: number; seconds?: number; since?: Date };
    },
  ): Promise<Room>;
}

// ── registration: XEP-0077 ──────────────────────────────────────────────────────────────────────────────────────────

export interface RegisterOptions
  extends Pick<ClientOptions, "allowPlainText" | "headers" | "withCredentials" | "contentType" | "timeout" | "lang" | "WebSocket" | "fetch"> {
  domain: string;
  username: string;
  password: string;
  /** Other fields that the server asks for, by name (`email`, …). */
  fields?: Record<string, string>;
  signal?: AbortSignal;
}
