// The options of a client, read and checked: what cannot be meant is an error that says what to write instead.

import type { Settings } from "./core.js";
import { XmppError, badArgument } from "./errors.js";
import { bareOf, domainOf, localOf, resourceOf } from "./jid.js";
import { Reader } from "./reader.js";

/** A secret: a value, or a function called anew for every login (an access token that expires, a prompt). */
export type Secret = string | (() => string | PromiseLike<string>);

/** What epode uses of a `WebSocket`. Text frames come as strings in `data`. */
export interface WebSocketLike {
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
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

/** What an account is made with (XEP-0077). */
export interface RegisterOptions
  extends Pick<ClientOptions, "allowPlainText" | "headers" | "withCredentials" | "contentType" | "timeout" | "lang" | "WebSocket" | "fetch"> {
  domain: string;
  username: string;
  password: string;
  /** Other fields that the server asks for, by name (`email`, …). */
  fields?: Record<string, string>;
  signal?: AbortSignal;
}

/** The largest answer that is read when the page does not say. */
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

/** What a client is made of. @internal */
export interface Prepared {
  settings: Settings;
  /** Absent for a registration, and for a session that is there already. */
  login?: Login | undefined;
  memory?: NonNullable<ClientOptions["memory"]> | undefined;
  /** What replaces the platform's own, by its name. */
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
  // Of `attach`: the session is there already.
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

/** The option `domain`, or the one that is known. */
function domainOption(read: Reader, known: string | undefined, missing: string): string {
  const domain = read.jid("domain") ?? known;
  if (domain === undefined) throw badArgument(missing);
  if (domain !== domainOf(domain)) throw badArgument("'domain' is the server's name alone, such as \"example.org\".");
  return domain;
}

/** `keep`: yes or no, or a name. What is kept for one account is not taken by another. */
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

/** `reconnect`: yes or no, or the pauses. */
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

/** The option `rid`: a number that XEP-0124 §14.1 allows, at most 2^53 - 1, also as digits; `undefined` for anything else. @internal */
export function ridOption(read: Reader): number | undefined {
  const given = read.given("rid");
  const rid = typeof given === "string" && /^\d{1,16}$/.test(given) ? Number(given) : given;
  return typeof rid === "number" && Number.isSafeInteger(rid) && rid > 0 ? rid : undefined;
}

/** The settings of a transport. @internal */
export function transportSettings(read: Reader): Pick<Settings, "wait" | "hold" | "maxBytes" | "headers" | "timeout" | "lang" | "withCredentials"> {
  return {
    wait: read.number("wait", 1, 3_600, "is a number of seconds, 1 to 3600") ?? 60,
    hold: read.number("hold", 1, 4, "is a number of requests, 1 to 4") ?? 1,
    maxBytes: read.number("maxBytes", 1, 0xffff_ffff, "is a number of bytes, 1 or more") ?? MAX_BYTES,
    headers: headersOption(read),
    timeout: read.millis("timeout") ?? 30_000,
    lang: read.text("lang"),
    withCredentials: read.flag("withCredentials", false),
  };
}

/** What replaces the platform's own, by its name. @internal */
export function replacementsOf(read: Reader): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ["WebSocket", read.callable("WebSocket", "is a class with the interface of the browser's WebSocket")],
    ["fetch", read.callable("fetch", "is a function with the interface of the browser's fetch")],
  ]);
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
