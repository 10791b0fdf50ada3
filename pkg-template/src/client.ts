/// <reference lib="esnext.disposable" preserve="true" />
// `Client`: a connection to an XMPP server. You can create it and register handlers before the module is loaded.

import type { ClientEvents, Status } from "./client-events.js";
import { Core } from "./core.js";
import { lookUp } from "./discover.js";
import { disposeBy } from "./dispose.js";
import { XmppError, aborted, badArgument, problem } from "./errors.js";
import { Listeners, type Registration, mustBeFunction, registrationOf } from "./events.js";
import { type Given, Hub } from "./hub.js";
import { normalJid } from "./jid.js";
import { CallSite, addressee, located, locating, siting } from "./located.js";
import { init, mainModule } from "./main-module.js";
import { type Matcher, readMatcher } from "./matcher.js";
import { type Muc, mucOf } from "./muc.js";
import {
  type AttachOptions,
  type AttachedSession,
  type ClientOptions,
  type RegisterOptions,
  type Service,
  readClientOptions,
  readRegisterOptions,
} from "./options.js";
import { metadata, readMetadata } from "./nodes.js";
import { Patience } from "./patience.js";
import { type PubSub, pubSubOf } from "./pubsub.js";
import { Reader } from "./reader.js";
import { type Stanza, stanzaOf } from "./stanza.js";
import { STANZA_IDS } from "./stanza-ids.js";
import { addressesOf, ridOption } from "./transport-options.js";
import { type Waiting, quietly } from "./waiting.js";
import { type Sendable, markupOf, mustBeText, mustBeWellFormed } from "./xml.js";

/** A handler that is registered once the module is loaded. */
interface EarlyHandler {
  register(hub: Hub): void;
}

const newListeners = (): Listeners<ClientEvents> => new Listeners<ClientEvents>([], ["status", "error", "sent", "received", "undelivered"]);

/**
 * A connection to an XMPP server (RFC 6120), with the handlers, feeds and rooms on it. {@link connect} makes one that is online; make one
 * yourself where handlers and listeners must be there before the first stanza.
 * @example
 * const client = new Client("/http-bind", { jid: "romeo@example.org", password: "pencil" });
 * client.addHandler((stanza) => console.log(stanza.text("body")), { name: "message", type: "chat" });
 * await client.connect();
 */
export class Client {
  readonly #services: string[];
  readonly #options: ClientOptions;
  readonly #listeners = newListeners();
  #hub: Hub | undefined;
  #pubsub: PubSub | undefined;
  #muc: Muc | undefined;
  #isFreed = false;
  /** A connect() or attach() that waits for the module, or for the end of the previous connection. */
  #start: Patience | undefined;
  /** A disconnect() in progress. */
  #ending: Promise<void> | undefined;
  /** Handlers and listeners registered before the module was loaded. */
  #early: EarlyHandler[] = [];

  /**
   * Makes a client that is `offline`. Throws `bad-argument` when `service` is not an address. Errors of the options (`bad-argument`,
   * `bad-jid`) are thrown here when the WebAssembly module is loaded already; otherwise `connect()` rejects with them.
   * @param service One address or several, which are tried in order.
   * @example
   * const client = new Client(["wss://example.org/ws", "/http-bind"], { jid: "romeo@example.org", password: "pencil" });
   */
  constructor(service: Service, options: ClientOptions) {
    this.#services = addressesOf(service);
    this.#options = options;
    if (mainModule.isLoaded) this.#make();
  }

  #make(): Hub {
    if (this.#isFreed) throw problem("freed");
    if (this.#hub) return this.#hub;
    const hub = new Hub(readClientOptions(this.#services, this.#options), this.#listeners, this);
    this.#hub = hub;
    this.#tap();
    // A handler that cannot be registered is reported; the others are registered.
    const problems = this.#early.splice(0).flatMap((early): unknown[] => {
      try {
        early.register(hub);
        return [];
      } catch (error) {
        return [error];
      }
    });
    if (problems.length > 0) throw problems[0];
    return hub;
  }

  /** The hub, for operations that need a connection. */
  get #ready(): Hub {
    if (!this.#hub && !this.#isFreed) throw new XmppError("not-connected", "There is no connection. Await connect() first.");
    return this.#make();
  }

  /**
   * This client's full JID (`user@domain/resource`) while it is online; otherwise `undefined`.
   * @example
   * console.log(client.jid); // "romeo@example.org/d2c1"
   */
  get jid(): string | undefined {
    return this.#hub?.read((core) => core.jid);
  }

  /**
   * Where the connection stands. The event `status` follows its changes.
   * @example
   * if (client.status === "offline") await client.connect();
   */
  get status(): Status {
    return this.#hub?.phase ?? "offline";
  }

  /**
   * The address of the service that carries the session while online; otherwise `undefined`.
   * @example
   * console.log(client.service?.startsWith("ws") ? "WebSocket" : "BOSH");
   */
  get service(): string | undefined {
    return this.#hub?.read((core) => core.service);
  }

  /**
   * Publish-subscribe (XEP-0060) over this connection. Throws `not-connected` before the module is loaded, `freed` after `free()`.
   * @example
   * const feed = await client.pubsub.subscribe("/blog/Post", (item) => console.log(item.value));
   */
  get pubsub(): PubSub {
    return (this.#pubsub ??= pubSubOf(this.#ready));
  }

  /**
   * Rooms (XEP-0045) over this connection. Throws `not-connected` before the module is loaded, `freed` after `free()`.
   * @example
   * const room = await client.muc.join("lobby@conference.example.org", "romeo");
   */
  get muc(): Muc {
    return (this.#muc ??= mucOf(this.#ready));
  }

  /**
   * Connects and logs in; resolves when the client is online. While the status is `reconnecting`, the next attempt is made at once.
   *
   * Rejects with what prevented it, for example `unreachable`, `blocked-by-cors`, `auth-failed`, `timeout` (after the option `timeout`,
   * 30,000 ms), `already-connected`, `aborted`; the client is then `offline` and may connect again.
   * @example
   * await client.connect({ signal: AbortSignal.timeout(10_000) });
   */
  connect(options?: { signal?: AbortSignal }): Promise<void> {
    return siting(() => this.#begin(options, (hub, signal) => hub.begin(signal)));
  }

  /**
   * In place of `connect()`: continues a BOSH session that a web server made, over the first BOSH service. Resolves when the server has
   * shown that it knows the session. When the server does not know it, the client logs in if its options have credentials.
   *
   * Rejects as `connect()` does; with `bad-argument` when `jid`, `sid` and `rid` are not a session.
   * @example
   * await client.attach({ jid: "romeo@example.org/page", sid: "a1", rid: 4711 });
   */
  attach(session: AttachedSession & { signal?: AbortSignal }): Promise<void> {
    return siting(() => this.#begin(session, (hub, signal) => hub.begin(signal, givenOf(session))));
  }

  /** Always continues in a later turn: calls that the page makes in the same turn, such as disconnect(), come first. */
  async #begin(
    options: { signal?: AbortSignal } | undefined,
    begin: (hub: Hub, signal: AbortSignal | undefined) => Promise<void>,
  ): Promise<void> {
    if (this.#isFreed) throw problem("freed");
    if (this.#start) throw problem("busy");
    const start = new Patience(options?.signal);
    this.#start = start;
    let begun: Promise<void>;
    try {
      await start.until(init(), this.#ending);
      start.check();
      // From here on the hub handles the attempt, and disconnect() goes to the hub.
      const signal = new Reader(options).signal();
      begun = begin(this.#make(), signal);
    } finally {
      if (this.#start === start) this.#start = undefined;
    }
    return begun;
  }

  /**
   * Sends what is queued, leaves rooms, ends full-JID subscriptions and then the session. Never rejects. It may be called in `pagehide`:
   * the last stanzas are handed to the browser before it returns. (Firefox sends nothing over a WebSocket at that moment.)
   * @example
   * addEventListener("pagehide", () => void client.disconnect());
   */
  async disconnect(): Promise<void> {
    this.#giveUp(new XmppError("disconnected", "disconnect() was called while connecting."));
    if (!this.#hub) return;
    const ending = this.#hub.disconnect();
    this.#ending = ending;
    await ending;
    if (this.#ending === ending) this.#ending = undefined;
  }

  #giveUp(error: XmppError): void {
    this.#start?.giveUp(error);
    this.#start = undefined;
  }

  /**
   * Sends a stanza. Resolves when the server has taken it (XEP-0198 §4, or the response to its BOSH request). While the client is
   * `reconnecting` the stanza is kept and sent afterwards, up to 10,000 stanzas or 16 MiB (`outbox-full`).
   *
   * Rejects with `undelivered` when the server certainly did not take it, with `unknown` when that cannot be known, with `bad-stanza`
   * when it is not one well-formed stanza. The promise need not be awaited: an unhandled rejection is not reported, and the event
   * `undelivered` fires.
   * @example
   * await client.send(xml`<message to="juliet@example.org" type="chat"><body>Good night</body></message>`);
   */
  send(stanza: Sendable): Promise<void> {
    return quietly(
      // Without its call site, which costs as much as the rest of it.
      this.#withMarkup(stanza, "send", undefined, (hub, text) => hub.send(text)),
    );
  }

  /** What is to be sent, and a client to send it with, come before what errors are about is known. */
  #withMarkup<T>(
    sendable: Sendable,
    operation: string,
    site: CallSite | undefined,
    act: (hub: Hub, text: string) => Promise<T>,
  ): Promise<T> {
    let hub: Hub;
    let text: string;
    try {
      hub = this.#ready;
      text = markupOf(sendable);
    } catch (error) {
      return Promise.reject(error);
    }
    // The addressee is only parsed for an error.
    const failed = (error: unknown): never => {
      throw located(error, operation, { object: addressee(text) }, site);
    };
    try {
      mustBeWellFormed(text);
      return act(hub, text).catch(failed);
    } catch (error) {
      return Promise.reject(located(error, operation, { object: addressee(text) }, site));
    }
  }

  /**
   * Sends an `<iq/>` of type `get` or `set` (RFC 6120 §8.2.3) and resolves with the result. `timeout` is in milliseconds, default 30,000.
   * An `id` is chosen when the request has none. Without `to` it goes to the own account.
   *
   * Rejects with `stanza-error` and the reply's `condition`, with `timeout`, `disconnected` or `aborted`.
   * @example
   * const reply = await client.request(xml`<iq type="get" to="example.org"><query xmlns="jabber:iq:version"/></iq>`);
   * console.log(reply.child("query")?.text("name"));
   */
  request(iq: Sendable, options?: Waiting): Promise<Stanza> {
    return this.#withMarkup(iq, "request", new CallSite(this.request), (hub, text) => {
      const read = new Reader(options);
      const waiting = { timeout: read.millis("timeout"), signal: read.signal() };
      read.done();
      return hub.request(text, waiting);
    });
  }

  /**
   * Whether a room, a service or this account assigns ids to messages (XEP-0359 §4): only then {@link Stanza.stanzaId} with its JID is to be
   * trusted (§6). Asks it by service discovery; `timeout` is in milliseconds, default 30,000. Rejects as {@link Client.request} does.
   * @example
   * const account = client.jid?.split("/")[0] ?? "";
   * const canTrust = await client.assignsStanzaIds(account);
   */
  assignsStanzaIds(by: string, options?: Waiting): Promise<boolean> {
    return locating("assignsStanzaIds", { object: by }, async () => {
      mustBeText("assignsStanzaIds", 1, by);
      const reply = await this.request(metadata("")(normalJid(by)), options);
      return readMetadata(reply).features.includes(STANZA_IDS);
    });
  }

  /**
   * Calls `callback` for each stanza that matches, until it is removed. A callback that throws stays registered; the error is reported as
   * an uncaught one. Without a matcher it is called for every stanza.
   *
   * A handler whose matcher names `ns` or `id`, or `name: "iq"` with a `type`, has to answer the requests that it matches; epode answers
   * all others (RFC 6120 §8.2.3). Throws `bad-argument` when the callback is not a function or the matcher has an unknown property.
   * @example
   * client.addHandler((stanza) => console.log(stanza.from, stanza.text("body")), { name: "message", type: ["chat", "normal"] });
   */
  addHandler(callback: (stanza: Stanza) => void, matcher?: Matcher): Registration {
    mustBeFunction(callback);
    let remove: (() => void) | undefined;
    const register = (hub: Hub): void => {
      const { name, types, ns, id, from } = readMatcher(matcher);
      const handler = hub.call((core) => core.addHandler(name, types, ns, id, from));
      hub.handlers.set(handler, callback);
      remove = () => {
        if (hub.handlers.delete(handler)) hub.read((core) => core.removeHandler(handler));
      };
    };
    if (!this.#hub && !this.#isFreed) return this.#later(register, () => remove?.());
    register(this.#make());
    return registrationOf(() => remove?.());
  }

  /** Registers the handler once the module is loaded. */
  #later(register: (hub: Hub) => void, remove?: () => void): Registration {
    const early: EarlyHandler = { register };
    this.#early.push(early);
    return registrationOf(() => {
      this.#early = this.#early.filter((other) => other !== early);
      remove?.();
    });
  }

  /**
   * Registers a listener of one kind of event. Throws `bad-argument` when there is no event of that name, `freed` after `free()`.
   * @example
   * client.on("status", ({ status, error }) => console.log(status, error?.message));
   */
  on<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void): Registration {
    if (this.#isFreed) throw problem("freed");
    mustBeFunction(listener);
    let registration: Registration;
    try {
      registration = this.#listeners.on(type, listener);
    } catch (error) {
      if (this.#hub) throw error;
      // As with handlers: before the module is loaded, connect() reports listeners that could not be registered.
      return this.#later(() => {
        throw error;
      });
    }
    this.#tap();
    return registrationOf(() => {
      registration.remove();
      this.#tap();
    });
  }

  /** The module reports sent and received elements only while there is a listener. */
  #tap(): void {
    const isWanted = this.#listeners.wants("sent") || this.#listeners.wants("received");
    if (this.#isTapped === isWanted || !this.#hub) return;
    this.#isTapped = isWanted;
    this.#hub.read((core) => core.tap(isWanted));
  }

  #isTapped = false;

  /**
   * Ends the connection at once, without telling the server, and releases everything. Later calls are `freed` errors.
   * @example
   * await client.disconnect();
   * client.free();
   */
  free(): void {
    this.#isFreed = true;
    this.#giveUp(problem("freed"));
    this.#early = [];
    this.#listeners.clear();
    const hub = this.#hub;
    this.#hub = undefined;
    this.#pubsub = this.#muc = undefined;
    hub?.shut();
  }
}

// Declared beside the class: some platforms lack the symbol.
export interface Client {
  /**
   * As `free()`, for `using`.
   * @example
   * const temporary = new Client("/http-bind", { domain: "example.org", anonymous: true });
   * temporary[Symbol.dispose]();
   */
  [Symbol.dispose](): void;
}

disposeBy(Client.prototype, Client.prototype.free);

/** A session that a web server made, read and validated. */
function givenOf(session: unknown): Given {
  const read = new Reader(session);
  const [jid, sid, rid] = [read.jid("jid"), read.text("sid"), ridOption(read)];
  if (!jid?.includes("/") || !sid || rid === undefined) throw problem("bad-session");
  return { jid, sid, rid };
}

async function online(client: Client, begin: () => Promise<void>): Promise<Client> {
  try {
    await begin();
  } catch (error) {
    client.free();
    throw error;
  }
  return client;
}

/**
 * Makes a client, connects and logs in; resolves when the client is online. Rejects as {@link Client.connect} does, and the client is then
 * freed. `signal` gives up connecting; after that it has no effect.
 * @example
 * const client = await connect("/http-bind", { jid: "romeo@example.org", password: "pencil" });
 */
export async function connect(service: Service, options: ClientOptions & { signal?: AbortSignal }): Promise<Client> {
  const client = new Client(service, options);
  return siting(() => online(client, () => client.connect({ signal: options?.signal })));
}

/**
 * Continues a BOSH session that a web server made (prebind). Credentials are not needed; without them the end of the session is the end
 * of the connection. Rejects as {@link Client.attach} does, and the client is then freed.
 * @example
 * const client = await attach("/http-bind", { jid: "romeo@example.org/page", sid: "a1", rid: 4711 });
 */
export async function attach(service: Service, options: AttachOptions & { signal?: AbortSignal }): Promise<Client> {
  const client = new Client(service, options);
  return siting(() => online(client, () => client.attach(options)));
}

/**
 * Makes an account (XEP-0077 §3.1); resolves when the server has made it. Log in with `connect` afterwards.
 *
 * Rejects with `registration-failed` when the server does not allow it, asks for other fields, or has an account of that name (`condition`
 * is then `conflict`), and with the errors of connecting.
 * @example
 * await register("/http-bind", { domain: "example.org", username: "romeo", password: "pencil" });
 */
export async function register(service: Service, options: RegisterOptions): Promise<void> {
  const services = addressesOf(service);
  const { username, domain } = (options ?? {}) as Partial<RegisterOptions>;
  return siting(async () => {
    await new Patience(options?.signal).until(init());
    return locating("register", { object: username === undefined ? undefined : `${username}@${domain}` }, () => {
      const signal = new Reader(options).signal();
      return new Hub(readRegisterOptions(services, options), newListeners()).begin(signal);
    });
  });
}

/**
 * Asks a domain's web server for the addresses of its XMPP services (XEP-0156), WebSocket first. Only encrypted addresses are returned.
 * Resolves with `[]` when nothing is found within `timeout` (milliseconds, default 5,000).
 *
 * Rejects with `bad-argument` when `domain` is not a name, with `aborted`, and when the module cannot be loaded.
 * @example
 * const client = await connect(await discover("example.org"), { jid: "romeo@example.org", password: "pencil" });
 */
export async function discover(domain: string, options?: Waiting): Promise<string[]> {
  // A domain without path, port or user: it becomes part of an address.
  if (typeof domain !== "string" || !/^[^\s/?#@:\\]+$/.test(domain)) throw badArgument('The domain is a name such as "example.org".');
  await new Patience(options?.signal).until(init());
  try {
    return await lookUp(domain, (text) => stanzaOf(...Core.parseXml(text)), options);
  } catch (error) {
    throw options?.signal?.aborted ? aborted(options.signal) : error;
  }
}
