// The options of a client, read and validated: an invalid value throws an error that names the valid ones.

import type { Settings } from "./core.js";
import { XmppError, badArgument } from "./errors.js";
import { bareOf, domainOf, localOf, resourceOf } from "./jid.js";
import { Reader } from "./reader.js";

/** A secret: a value, or a function that is called for every login (an access token that expires, a prompt). */
export type Secret = string | (() => string | PromiseLike<string>);

/** The parts of a `WebSocket` that epode uses. Text frames arrive as strings in `data`. */
export interface WebSocketLike {
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/** A class of such sockets. */
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
  /** The account: `user@domain`, or `user@domain/resource` to request that resource. */
  jid?: string;
  /** With `jid`: the password. SCRAM-SHA-512, -256, -1 or PLAIN, the strongest that the server offers. */
  password?: Secret;
  /** With `jid`: an OAuth 2 access token (OAUTHBEARER). */
  token?: Secret;
  /** With `domain`: log in without an account (ANONYMOUS). */
  anonymous?: boolean;
  /**
   * With `jid` or `domain`: the transport has already authenticated you, for example by a client certificate
   * (EXTERNAL).
   */
  external?: boolean;
  /** The domain to log in to; default: that of `jid`. */
  domain?: string;
  /** The resource to request; default: the server chooses one, which allows two tabs to be online at the same time. */
  resource?: string;
  /** Allow PLAIN, OAUTHBEARER and registration over unencrypted http or ws. Never needed on loopback. Default false. */
  allowPlainText?: boolean;
  /**
   * The SASL mechanisms that a login may use. The strongest one that the server offers is tried first; if the server
   * refuses the mechanism itself, the next one follows. `"HT-SHA-256-NONE"` stands for login tokens (XEP-0484), which
   * are neither used nor requested if a list is given without it. Without a list: all that fit the credentials, never
   * weaker than the one that worked before (`memory`). If the server offers none of the list, the login fails with code
   * `no-mechanism`.
   */
  mechanisms?: readonly MechanismName[];
  /**
   * Where to store, between visits, the data that saves round trips at the next login: the mechanism that worked, the
   * elements that may be sent early, and a login token if the server issues one (XEP-0484). Such a token is as powerful
   * as a password: store it where you would store one. The stored text is opaque, and usable for this account only.
   * Default: remembered by this `Client` alone. For example `{ get: () => sessionStorage.getItem("epode"), set: (value)
   * => sessionStorage.setItem("epode", value) }`.
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
   * BOSH: send a key with each request (XEP-0124 §15), so that an eavesdropper of an unencrypted connection cannot take
   * it over. Not needed over https, and a risk on ejabberd 23, which mishandles requests that overtake each other.
   * Default false.
   */
  keys?: boolean;
  /**
   * BOSH: headers for each request (`Authorization`, …). A custom header costs a preflight across origins. Not sent to
   * another origin that the service redirects to (`see-other-uri`).
   */
  headers?: Record<string, string>;
  /**
   * BOSH: send cookies and HTTP authentication across origins, but not to another origin that the service redirects to.
   * Default false.
   */
  withCredentials?: boolean;
  /**
   * BOSH: default `"text/xml; charset=utf-8"`; `"text/plain; charset=utf-8"` avoids the preflight if the server accepts
   * it.
   */
  contentType?: string;
  /** The longest time for connecting and logging in, and for each of their phases. Default 30,000 ms. */
  timeout?: number;
  /** The largest accepted response, in bytes; a response that announces more is not read. Default 16 MiB. */
  maxBytes?: number;
  /**
   * Reconnect by itself after a broken connection. Each attempt follows a random pause between 0 and the length of the
   * outage so far; its upper bound is at least `least` (default 1,000 ms) and at most `most` (30,000 ms). When the network
   * returns or the page becomes visible, the next attempt starts at once, replacing one that hangs, and the pauses start
   * anew. Does not reconnect if another attempt cannot succeed (a wrong password, a conflict). Default true.
   */
  reconnect?: boolean | { least?: number; most?: number };
  /** WebSocket: use XEP-0198 if the server offers it. Default true. */
  streamManagement?: boolean;
  /** WebSocket: the silence of the server after which it is pinged. Default 30,000 ms. */
  silence?: number;
  /**
   * Keep the session over a reload of the page, in the tab's `sessionStorage`: `connect()` then continues it
   * (`resumed` is true), and stanzas under way during the reload arrive, once. Give a name to distinguish several clients of one
   * account on a page. Joined rooms and subscriptions still exist at the server: join and subscribe again to get their
   * state. A duplicated tab gets a separate session. A closed tab leaves its session at the server until the server's
   * timeout, unless the page calls `disconnect()`. The stored data gives full access to the session, and holds no
   * password. Not in workers. Default false.
   */
  keep?: boolean | string;
  /**
   * A replacement of the platform's `WebSocket`, if the platform has none (Node before 22) or you need another one: a
   * class with the same interface, such as that of the npm package `ws`. Called as `new WebSocket(url, "xmpp")`.
   */
  WebSocket?: WebSocketClass;
  /** A replacement of the platform's `fetch`, for BOSH: a function with the same interface. */
  fetch?: (url: string, init: RequestInit) => PromiseLike<Response>;
  /**
   * How epode answers requests that no handler answers: identity and features (XEP-0030), software (XEP-0092), time
   * (XEP-0202), ping (XEP-0199).
   */
  about?: {
    name?: string;
    version?: string;
    os?: string;
    features?: readonly string[];
    /**
     * The senders that get replies. `"contacts"`: those on the roster who get this account's presence; the roster is
     * requested at the first request of a stranger. `"nobody"`: no sender. All others get `service-unavailable`, as if
     * the resource were offline. The own server, the own account, the services of feeds and the joined rooms always get
     * replies. Default `"everyone"`: each reply shows that the page is open, and the reply to XEP-0202 shows its time
     * zone.
     */
    answerTo?: "everyone" | "contacts" | "nobody";
  };
}

/** Where to connect: an `http(s):` address (also a relative one) is BOSH, a `ws(s):` address WebSocket; several are tried in order. */
export type Service = string | URL | readonly (string | URL)[];

/** A BOSH session that a web server made. */
export interface AttachedSession {
  /** The full JID of the session. */
  jid: string;
  sid: string;
  /** The rid of the **next** request. */
  rid: number | string;
}

/** For `attach`: the session, and the other options of a client. */
export type AttachOptions = AttachedSession & Omit<ClientOptions, "jid" | "anonymous">;

/** The data of an account to register (XEP-0077). */
export interface RegisterOptions
  extends Pick<ClientOptions, "allowPlainText" | "headers" | "withCredentials" | "contentType" | "timeout" | "lang" | "WebSocket" | "fetch"> {
  domain: string;
  username: string;
  password: string;
  /** Other fields that the server requires, by name (`email`, …). */
  fields?: Record<string, string>;
  signal?: AbortSignal;
}

/** The default limit of a response. */
const MAX_BYTES = 16 * 1024 * 1024;
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

/** The services' addresses: one, or several that are tried in order. @internal */
export function addressesOf(service: Service): string[] {
  const all: readonly unknown[] = Array.isArray(service) ? service : [service];
  if (all.every((one) => typeof one === "string" || one instanceof URL)) return all.map(String);
  throw badArgument('The service is missing: the address of the server\'s BOSH service, such as "/http-bind".');
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

function headersOption(read: Reader): string[] {
  const headers = read.record("headers");
  headers.push(["Content-Type", read.text("contentType") ?? "text/xml; charset=utf-8"]);
  try {
    const checked = new Headers();
    for (const [name, value] of headers) checked.set(name, value);
  } catch {
    read.refuse("headers", "holds a name or value that HTTP does not allow");
  }
  return headers.flat();
}

/** The options that a client and a registration share. */
function readShared(services: string[], read: Reader, domain: string): Prepared {
  if (services.length === 0) throw badArgument("There is no service to connect to: the list is empty.");
  const settings: Settings = {
    services,
    domain,
    account: undefined,
    resource: undefined,
    anonymous: false,
    registration: undefined,
    wait: read.number("wait", 1, 3_600, "is a number of seconds, 1 to 3600") ?? 60,
    hold: read.number("hold", 1, 4, "is a number of requests, 1 to 4") ?? 1,
    maxBytes: read.number("maxBytes", 1, 0xffff_ffff, "is a number of bytes, 1 or more") ?? MAX_BYTES,
    headers: headersOption(read),
    timeout: read.millis("timeout") ?? 30_000,
    allowPlainText: read.flag("allowPlainText", false),
    mechanisms: mechanismsOption(read),
    ...reconnectOption(read),
    streamManagement: read.flag("streamManagement", true),
    keys: read.flag("keys", false),
    silence: read.millis("silence", 1_000) ?? 30_000,
    lang: read.text("lang"),
    withCredentials: read.flag("withCredentials", false),
    presence: read.flag("presence", true),
    keep: undefined,
    ...aboutOption(read),
  };
  const replacements = new Map<string, unknown>([
    ["WebSocket", read.callable("WebSocket", "is a class with the interface of the browser's WebSocket")],
    ["fetch", read.callable("fetch", "is a function with the interface of the browser's fetch")],
  ]);
  read.done();
  return { settings, replacements };
}
