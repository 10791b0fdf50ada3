// The options of a client, read and validated: an invalid value throws an error that names the valid ones.

import type { Settings } from "./core.js";
import { XmppError, badArgument } from "./errors.js";
import { bareOf, domainOf, localOf, resourceOf } from "./jid.js";
import { Reader } from "./reader.js";
import { replacementsOf, transportSettings } from "./transport-options.js";

/**
 * A password or token: the text, or a function that gives it and is called for every login (for an access token that expires, or a prompt).
 * @example
 * const token: Secret = async () => (await fetch("/token")).text();
 * const client = await connect("/http-bind", { jid: "romeo@example.org", token });
 */
export type Secret = string | (() => string | PromiseLike<string>);

/**
 * The part of the interface `WebSocket` that epode uses. Text frames arrive as strings in `data`.
 * @example
 * const socket: WebSocketLike = new WebSocket("wss://example.org/ws", "xmpp");
 */
export interface WebSocketLike {
  /** The subprotocol that the server chose: `"xmpp"` (RFC 7395 §3.1). */
  readonly protocol: string;
  /** Called when the connection is open. */
  onopen: ((event: never) => void) | null;
  /** Called for each frame. */
  onmessage: ((event: never) => void) | null;
  /** Called when the connection fails. */
  onerror: ((event: never) => void) | null;
  /** Called when the connection is closed. */
  onclose: ((event: never) => void) | null;
  /**
   * Sends a text frame.
   * @example
   * const socket: WebSocketLike = new WebSocket("wss://example.org/ws", "xmpp");
   * socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
   */
  send(text: string): void;
  /**
   * Closes the connection.
   * @example
   * const socket: WebSocketLike = new WebSocket("wss://example.org/ws", "xmpp");
   * socket.close();
   */
  close(): void;
}

/**
 * A class with the interface of `WebSocket`, such as that of the npm package `ws`.
 * @example
 * const implementation: WebSocketClass = WebSocket;
 * const client = new Client("wss://example.org/ws", { domain: "example.org", anonymous: true, WebSocket: implementation });
 */
export type WebSocketClass = new (url: string, protocol: string) => WebSocketLike;

/**
 * The name of a SASL mechanism that a login can use (RFC 4422).
 * @example
 * const mechanisms: MechanismName[] = ["SCRAM-SHA-256", "SCRAM-SHA-1"];
 * const client = await connect("/http-bind", { jid: "romeo@example.org", password: "pencil", mechanisms });
 */
export type MechanismName =
  | "SCRAM-SHA-512"
  | "SCRAM-SHA-256"
  | "SCRAM-SHA-1"
  | "PLAIN"
  | "OAUTHBEARER"
  | "ANONYMOUS"
  | "EXTERNAL"
  | "HT-SHA-256-NONE";

/**
 * The options of a client. Exactly one way to log in: `jid` with `password` or `token`, or `domain` with `anonymous` or `external`. An unknown
 * option is a `bad-argument` error that names it.
 * @example
 * const options: ClientOptions = { jid: "romeo@example.org", password: "pencil", keep: true };
 * const client = await connect(["wss://example.org/ws", "/http-bind"], options);
 */
export interface ClientOptions {
  /** The account: `user@domain`, or `user@domain/resource` to request that resource. */
  jid?: string;
  /** With `jid`: the password. The strongest mechanism that the server offers is used: SCRAM-SHA-512, -256, -1 or PLAIN (RFC 5802). */
  password?: Secret;
  /** With `jid`: an OAuth 2 access token (OAUTHBEARER, RFC 7628). */
  token?: Secret;
  /** With `domain`: log in without an account (ANONYMOUS, RFC 4505). */
  anonymous?: boolean;
  /** With `jid` or `domain`: the transport has authenticated the client, for example by a certificate (EXTERNAL, RFC 4422 appendix A). */
  external?: boolean;
  /** The domain of the server. Default: that of `jid`. */
  domain?: string;
  /** The resource to request. Default: the server chooses one, so that two open tabs do not replace each other. */
  resource?: string;
  /** Allow PLAIN, OAUTHBEARER and registration over unencrypted `http:` or `ws:`. Not needed on loopback. Default false. */
  allowPlainText?: boolean;
  /**
   * The SASL mechanisms that a login may use. The strongest one that the server offers is tried first; when the server refuses the mechanism
   * itself, the next one follows. `"HT-SHA-256-NONE"` stands for login tokens (XEP-0484), which are neither used nor requested when the list
   * lacks it. Without a list: all that fit the credentials, but none that is weaker than one that worked before (`memory`). When the server
   * offers none of the list, the login fails with `no-mechanism`.
   */
  mechanisms?: readonly MechanismName[];
  /**
   * Where to store, from one visit to the next, what saves the next login round trips: which mechanism worked, what may be sent early, and a
   * login token where the server gives one (XEP-0484). Such a token is worth as much as a password: store it where you would store one. The
   * text is opaque, and useful for this account only. Default: remembered by this `Client` alone. For example `{ get: () => sessionStorage.getItem("epode"), set: (value) => sessionStorage.setItem("epode", value) }`.
   */
  memory?: { get(): string | null | undefined; set(value: string): void };
  /** Send initial presence after login. Default true. */
  presence?: boolean;
  /** `xml:lang` of the stream. Default: none. */
  lang?: string;
  /** BOSH: the longest time in **seconds** for which the server may hold a request. Default 60. */
  wait?: number;
  /** BOSH: how many requests the server may hold. Default 1. */
  hold?: number;
  /**
   * BOSH: add a key to each request (XEP-0124 §15), so that an eavesdropper on an unencrypted connection cannot take the session over. Not
   * needed over https, and a risk on ejabberd 23, which refuses requests that overtake each other. Default false.
   */
  keys?: boolean;
  /**
   * BOSH: headers of each request (`Authorization`, …). A custom header costs a preflight request across origins. Not sent to another origin
   * that the service redirects to (`see-other-uri`).
   */
  headers?: Record<string, string>;
  /**
   * BOSH: send cookies and HTTP authentication across origins, but not to another origin that the service redirects to.
   * Default false.
   */
  withCredentials?: boolean;
  /** BOSH: default `"text/xml; charset=utf-8"`. `"text/plain; charset=utf-8"` avoids the preflight request where the server accepts it. */
  contentType?: string;
  /** The longest time for connecting and logging in, and for each phase of it, in milliseconds. Default 30,000. */
  timeout?: number;
  /** The largest response that is accepted, in bytes; one that announces more is not read. Default 16 MiB. */
  maxBytes?: number;
  /**
   * Reconnect after the connection broke. Each attempt follows a random pause that is at most as long as the outage so far: up to `least`
   * (milliseconds, default 1,000) at first, never more than `most` (default 30,000). When the network is back or the page becomes visible,
   * the next attempt is made at once, in place of one that hangs, and the pauses begin again. No attempt is made where it cannot help (a
   * wrong password, a conflict). Default true.
   */
  reconnect?: boolean | { least?: number; most?: number };
  /** WebSocket: use stream management (XEP-0198) where the server has it. Default true. */
  streamManagement?: boolean;
  /** WebSocket: after how many milliseconds without traffic the client asks the server for an answer. Default 30,000. */
  silence?: number;
  /**
   * Keep the session over a reload of the page, in the tab's `sessionStorage`: `connect()` then resumes it (`resumed: true`), and stanzas
   * that were under way arrive once. A name distinguishes several clients of one account on a page. The server still has the rooms and
   * subscriptions of the session; join and subscribe again, which brings their state. A duplicated tab gets a session of its own. The session
   * of a tab that is closed ends by the server's timeout, unless the page calls `disconnect()`. The stored text is enough to take the session
   * over; it does not contain the password. Not in workers. Default false.
   */
  keep?: boolean | string;
  /**
   * A class in place of the platform's `WebSocket`, for platforms without one (Node before 22): for example that of the npm package `ws`.
   * Called as `new WebSocket(url, "xmpp")`.
   */
  WebSocket?: WebSocketClass;
  /** BOSH: a function in place of the platform's `fetch`. */
  fetch?: (url: string, init: RequestInit) => PromiseLike<Response>;
  /**
   * How epode answers requests that no handler answers: for its identity and features (XEP-0030), its software (XEP-0092), its time
   * (XEP-0202), and pings (XEP-0199).
   */
  about?: {
    /** The name of the software, in place of epode's. */
    name?: string;
    /** The version of the software. */
    version?: string;
    /** The operating system. Default: none is given. */
    os?: string;
    /** Namespaces of features that the page adds. */
    features?: readonly string[];
    /**
     * Who gets an answer. `"everyone"` (default): each reply shows that the page is open, and the reply to XEP-0202 its time zone.
     * `"contacts"`: accounts of the roster that receive this account's presence; the roster is requested for the first request of a stranger.
     * `"nobody"`: no account. All others get `service-unavailable`, as if the address did not exist. The own server and account, the services
     * of feeds and joined rooms always get an answer.
     */
    answerTo?: "everyone" | "contacts" | "nobody";
  };
}

/**
 * Where to connect. An `http:` or `https:` address, also a relative one, is a BOSH service (XEP-0124); a `ws:` or `wss:` address is a WebSocket
 * service (RFC 7395). Several are tried in order.
 * @example
 * const service: Service = ["wss://example.org/ws", "/http-bind"];
 * const client = await connect(service, { domain: "example.org", anonymous: true });
 */
export type Service = string | URL | readonly (string | URL)[];

/**
 * A BOSH session that a web server made (prebind).
 * @example
 * const session: AttachedSession = await (await fetch("/prebind")).json();
 * const client = await attach("/http-bind", session);
 */
export interface AttachedSession {
  /** The full JID that the session is bound to. */
  jid: string;
  /** The id of the session (XEP-0124 §7.2). */
  sid: string;
  /** The request id of the **next** request (XEP-0124 §7.2). */
  rid: number | string;
}

/**
 * The options of {@link attach}: the session, and the options of a client. With credentials the client logs in when the session is lost.
 * @example
 * const options: AttachOptions = { jid: "romeo@example.org/page", sid: "a1", rid: 4711, reconnect: false };
 * const client = await attach("/http-bind", options);
 */
export type AttachOptions = AttachedSession & Omit<ClientOptions, "jid" | "anonymous">;

/**
 * The options of {@link register} (XEP-0077).
 * @example
 * const options: RegisterOptions = { domain: "example.org", username: "romeo", password: "pencil" };
 * await register("/http-bind", options);
 */
export interface RegisterOptions
  extends Pick<ClientOptions, "allowPlainText" | "headers" | "withCredentials" | "contentType" | "timeout" | "lang" | "WebSocket" | "fetch"> {
  /** The domain of the server. */
  domain: string;
  /** The name of the account: the part of its JID before the `@`. */
  username: string;
  /** The password of the account. */
  password: string;
  /** Other fields that the server requires, by name (`email`, …). */
  fields?: Record<string, string>;
  /** Gives the registration up: the promise rejects with `aborted`. The account may exist all the same. */
  signal?: AbortSignal;
}

const MECHANISMS: readonly string[] = [
  "SCRAM-SHA-512",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1",
  "PLAIN",
  "OAUTHBEARER",
  "ANONYMOUS",
  "EXTERNAL",
  "HT-SHA-256-NONE",
] satisfies MechanismName[];
const ONE_LOGIN =
  "Give exactly one way to log in: { jid, password }, { jid, token }, { domain, anonymous: true } or { domain, external: true }.";

/** How a client logs in. @internal */
export type Login =
  | { kind: "password"; username: string; secret: Secret }
  | { kind: "token"; account: string; secret: Secret }
  | { kind: "anonymous" }
  | { kind: "external"; account: string | undefined };

/** The validated configuration of a client. @internal */
export interface Prepared {
  settings: Settings;
  /** Absent for a registration, and for an existing session. */
  login?: Login | undefined;
  memory?: NonNullable<ClientOptions["memory"]> | undefined;
  /** The replacements of platform APIs, by name. */
  replacements: ReadonlyMap<string, unknown>;
}

/** The options of a client. @internal */
export function readClientOptions(services: string[], options: unknown): Prepared {
  if (typeof options !== "object" || options === null) {
    throw badArgument("The options are missing: give { jid, password }, { jid, token } or { domain, anonymous: true }.");
  }
  const read = new Reader(options).knows("signal", "sid", "rid");
  const password = secretOf(read, "password");
  const token = secretOf(read, "token");
  const anonymous = read.flag("anonymous", false);
  const external = read.flag("external", false);
  const jid = read.jid("jid");
  const account = jid === undefined ? undefined : bareOf(jid);
  const login = loginOf({ jid, account, password, token, anonymous, external });
  // The options of `attach`, for an existing session.
  const isAttached = !login && !anonymous && !external && password === undefined && token === undefined && read.given("sid") !== undefined;
  if (!login && !isAttached) throw badArgument(ONE_LOGIN);
  const resource = read.text("resource") ?? (jid === undefined ? undefined : resourceOf(jid));
  const domain = domainOption(read, jid && domainOf(jid), "'domain' is missing: the name of the XMPP server to log in to.");
  const memory = read.given("memory") as ClientOptions["memory"];
  if (memory && !(typeof memory.get === "function" && typeof memory.set === "function")) {
    read.refuse("memory", "is an object with the functions get and set");
  }
  const keep = keepOption(read, domain, account);
  const prepared = readShared(services, read, domain);
  Object.assign(prepared.settings, {
    account: jid !== undefined && localOf(jid) !== undefined && domainOf(jid) === domain ? account : undefined,
    resource,
    anonymous,
    keep,
  } satisfies Partial<Settings>);
  return { ...prepared, login, memory };
}

/** The options of `register()`. @internal */
export function readRegisterOptions(services: string[], options: unknown): Prepared {
  const read = new Reader(options).knows("signal");
  const domain = domainOption(read, undefined, "'domain' is missing: the name of the XMPP server to register at.");
  const fields = ["username", "password"].map((name): [string, string] => {
    const value = read.text(name);
    if (value === undefined) throw badArgument("Registration needs 'username' and 'password', both strings.");
    return [name, value];
  });
  const registration = [...fields, ...read.record("fields")].flat();
  const prepared = readShared(services, read, domain);
  Object.assign(prepared.settings, { registration, presence: false } satisfies Partial<Settings>);
  return prepared;
}

function loginOf(given: {
  jid: string | undefined;
  account: string | undefined;
  password: Secret | undefined;
  token: Secret | undefined;
  anonymous: boolean;
  external: boolean;
}): Login | undefined {
  const { jid, account, password, token, anonymous, external } = given;
  const ways = [password !== undefined, token !== undefined, anonymous, external].filter(Boolean).length;
  if (ways > 1) return undefined;
  if (external) return { kind: "external", account };
  if (anonymous) return jid === undefined ? { kind: "anonymous" } : undefined;
  if (jid === undefined || account === undefined) return undefined;
  if (password !== undefined) return { kind: "password", username: userOf(jid), secret: password };
  if (token === undefined) return undefined;
  userOf(jid);
  return { kind: "token", account, secret: token };
}

function userOf(jid: string): string {
  const local = localOf(jid);
  if (local === undefined) throw new XmppError("bad-jid", "The 'jid' to log in with needs a user: user@domain.");
  return local;
}

function secretOf(read: Reader, name: string): Secret | undefined {
  const value = read.given(name);
  if (value === undefined || typeof value === "function") return value as Secret | undefined;
  if (typeof value !== "string") throw badArgument("'password' and 'token' are strings, or functions that give one.");
  return read.sendable(name, value);
}

/** The option `domain`, or the known domain. */
function domainOption(read: Reader, known: string | undefined, missing: string): string {
  const domain = read.jid("domain") ?? known;
  if (domain === undefined) throw badArgument(missing);
  if (domain !== domainOf(domain)) throw badArgument("'domain' is the server's name alone, such as \"example.org\".");
  return domain;
}

/** `keep`: a boolean or a name. A session that is kept for one account is not used by another. */
function keepOption(read: Reader, domain: string, account: string | undefined): string | undefined {
  const keep = read.given("keep");
  if (keep === undefined || keep === false) return undefined;
  if (keep !== true && typeof keep !== "string") read.refuse("keep", "is true, false or a name");
  return ["epode", keep === true ? "" : keep, domain].join(" ") + (account === undefined ? "" : ` ${account}`);
}

function mechanismsOption(read: Reader): string[] | undefined {
  if (read.given("mechanisms") === undefined) return undefined;
  const names = read.list("mechanisms");
  if (names.length === 0 || !names.every((name) => MECHANISMS.includes(name))) {
    read.refuse("mechanisms", `is an array of names of SASL mechanisms: ${MECHANISMS.join(", ")}`);
  }
  return names;
}

/** `reconnect`: a boolean, or the pauses. */
function reconnectOption(read: Reader): Pick<Settings, "reconnect" | "least" | "most"> {
  const reconnect = read.given("reconnect") ?? true;
  if (typeof reconnect === "boolean") return { reconnect, least: undefined, most: undefined };
  if (typeof reconnect !== "object") read.refuse("reconnect", "is true, false or { least, most } in milliseconds");
  const pauses = new Reader(reconnect);
  const settings = { reconnect: true, least: pauses.millis("least"), most: pauses.millis("most") };
  pauses.done();
  return settings;
}

function aboutOption(read: Reader): Pick<Settings, "name" | "version" | "os" | "features" | "answerTo"> {
  const about = new Reader(read.given("about"));
  const settings = {
    name: about.text("name"),
    version: about.text("version"),
    os: about.text("os"),
    features: about.list("features"),
    answerTo: about.text("answerTo"),
  };
  if (settings.answerTo !== undefined && !["everyone", "contacts", "nobody"].includes(settings.answerTo)) {
    about.refuse("answerTo", 'is "everyone", "contacts" or "nobody"');
  }
  about.done();
  return settings;
}

/** What a client and a registration have in common. */
function readShared(services: string[], read: Reader, domain: string): Prepared {
  if (services.length === 0) throw badArgument("There is no service to connect to: the list is empty.");
  const settings: Settings = {
    services,
    domain,
    account: undefined,
    resource: undefined,
    anonymous: false,
    registration: undefined,
    ...transportSettings(read),
    allowPlainText: read.flag("allowPlainText", false),
    mechanisms: mechanismsOption(read),
    ...reconnectOption(read),
    streamManagement: read.flag("streamManagement", true),
    keys: read.flag("keys", false),
    silence: read.millis("silence", 1_000) ?? 30_000,
    presence: read.flag("presence", true),
    keep: undefined,
    ...aboutOption(read),
  };
  const replacements = replacementsOf(read);
  read.done();
  return { settings, replacements };
}
