/// <reference lib="esnext.disposable" preserve="true" />
// `Client`: a connection to an XMPP server. You can create it and register handlers before the module is loaded.

import type { ClientEvents, Status } from "./client-events.js";
import { Core } from "./core.js";
import { lookUp } from "./discover.js";
import { disposeBy } from "./dispose.js";
import { XmppError, aborted, badArgument, problem } from "./errors.js";
import { Listeners, type Registration, mustBeFunction, registrationOf } from "./events.js";
import { type Given, Hub } from "./hub.js";
import { init, isLoaded } from "./loading.js";
import { addressee, located, locating } from "./located.js";
import { type Matcher, readMatcher } from "./matcher.js";
import { type Muc, mucOf } from "./muc.js";
import {
  type AttachOptions,
  type AttachedSession,
  type ClientOptions,
  type RegisterOptions,
  type Service,
  addressesOf,
  readClientOptions,
  readRegisterOptions,
} from "./options.js";
import { Patience } from "./patience.js";
import { type PubSub, pubSubOf } from "./pubsub.js";
import { Reader } from "./reader.js";
import { type Stanza, stanzaOf } from "./stanza.js";
import { type Waiting, quietly } from "./waiting.js";
import { type Sendable, markupOf, mustBeWellFormed } from "./xml.js";

/** A handler that is registered once the module is loaded. */
interface EarlyHandler {
  register(hub: Hub): void;
}

const newListeners = (): Listeners<ClientEvents> => new Listeners<ClientEvents>([], ["status", "error", "sent", "received", "undelivered"]);

/**
 * A connection to an XMPP server, and what lives on it.
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

  /** Creates a client without connecting: register handlers and listeners first, then call `connect()`. */
  constructor(service: Service, options: ClientOptions) {
    this.#services = addressesOf(service);
    this.#options = options;
    if (isLoaded()) this.#make();
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

  /** The own full JID while online. */
  get jid(): string | undefined {
    return this.#hub?.read((core) => core.jid);
  }

  /** The state of the connection. */
  get status(): Status {
    return this.#hub?.phase ?? "offline";
  }

  /** The service in use, while online. */
  get service(): string | undefined {
    return this.#hub?.read((core) => core.service);
  }

  /** Publish-subscribe over this connection. */
  get pubsub(): PubSub {
    return (this.#pubsub ??= pubSubOf(this.#ready));
  }

  /** Rooms over this connection. */
  get muc(): Muc {
    return (this.#muc ??= mucOf(this.#ready));
  }

  /**
   * Resolves when logged in and bound. Rejects with the error that prevented it; you can then try again. While the
   * status is `reconnecting`, the next attempt starts at once.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void> {
    return this.#begin(options, (hub, signal) => hub.begin(signal));
  }

  /**
   * Instead of `connect()`: continues a session that a web server made, over the first BOSH service. Resolves when the
   * server has confirmed the session. If the server does not have the session, the client logs in, if it has
   * credentials.
   */
  attach(session: AttachedSession & { signal?: AbortSignal }): Promise<void> {
    return this.#begin(session, (hub, signal) => hub.begin(signal, givenOf(session)));
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
   * Sends the queued stanzas, leaves rooms and full-JID subscriptions, and ends the session. Never rejects. You can
   * call it in `pagehide`: the stanzas are passed to the browser before it returns. (Over WebSocket, Firefox sends
   * nothing any more at that point.)
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
   * Resolves when the server has received the stanza; rejects with code `undelivered` or `unknown`. You need not await
   * it.
   */
  send(stanza: Sendable): Promise<void> {
    return quietly(
      this.#withMarkup(stanza, "send", (hub, text) => hub.send(text)),
    );
  }

  /** The stanza and the client are checked before an error's addressee is known. */
  #withMarkup<T>(sendable: Sendable, operation: string, act: (hub: Hub, text: string) => Promise<T>): Promise<T> {
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
      throw located(error, operation, addressee(text));
    };
    try {
      mustBeWellFormed(text);
      return act(hub, text).catch(failed);
    } catch (error) {
      return Promise.reject(located(error, operation, addressee(text)));
    }
  }

  /** Sends an iq of type `get` or `set`, resolves with the result, rejects with the error. Default timeout 30,000 ms. */
  request(iq: Sendable, options?: Waiting): Promise<Stanza> {
    return this.#withMarkup(iq, "request", (hub, text) => {
      const read = new Reader(options);
      const waiting = { timeout: read.millis("timeout"), signal: read.signal() };
      read.done();
      return hub.request(text, waiting);
    });
  }

  /**
   * Calls `callback` for each matching stanza until the handler is removed. The handler stays registered if the
   * callback throws (the error is reported). A handler whose matcher names `ns` or `id`, or `name: "iq"` with a `type`,
   * answers the iq requests that it matches; epode answers all others.
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
   * Registers a listener.
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

  /** Ends everything at once, without notifying the server. Later calls throw errors with code `freed`. */
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
  /** As `free()`. */
  [Symbol.dispose](): void;
}

disposeBy(Client.prototype, Client.prototype.free);

/** A session that a web server made, read and validated. */
function givenOf(session: unknown): Given {
  const read = new Reader(session);
  const [jid, sid] = [read.jid("jid"), read.text("sid")];
  const given = read.given("rid");
  const rid = typeof given === "string" && /^\d{1,16}$/.test(given) ? Number(given) : given;
  // XEP-0124 §14.1: at most 2^53 - 1.
  if (!jid?.includes("/") || !sid || typeof rid !== "number" || !Number.isSafeInteger(rid) || rid < 1) throw problem("bad-session");
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
 * Creates a client, connects and logs in.
 * @example
 * const client = await connect("/http-bind", { jid: "romeo@example.org", password: "pencil" });
 */
export async function connect(service: Service, options: ClientOptions & { signal?: AbortSignal }): Promise<Client> {
  const client = new Client(service, options);
  return online(client, () => client.connect({ signal: options?.signal }));
}

/**
 * Continues a session that a web server made (prebind), over BOSH. Credentials are optional; without them the end of
 * the session is the end of the connection.
 * @example
 * const client = await attach("/http-bind", { jid: "romeo@example.org/page", sid: "a1", rid: 4711 });
 */
export async function attach(service: Service, options: AttachOptions & { signal?: AbortSignal }): Promise<Client> {
  const client = new Client(service, options);
  return online(client, () => client.attach(options));
}

/**
 * Registers an account (XEP-0077); resolves when the server has created the account. Log in with `connect` afterwards.
 * @example
 * await register("/http-bind", { domain: "example.org", username: "romeo", password: "pencil" });
 */
export async function register(service: Service, options: RegisterOptions): Promise<void> {
  const services = addressesOf(service);
  await new Patience(options?.signal).until(init());
  const { username, domain } = (options ?? {}) as Partial<RegisterOptions>;
  return locating("register", username === undefined ? undefined : `${username}@${domain}`, () => {
    const signal = new Reader(options).signal();
    return new Hub(readRegisterOptions(services, options), newListeners()).begin(signal);
  });
}

/**
 * Discovers a domain's services at its web server (XEP-0156), WebSocket first. Only encrypted services are returned.
 * Never rejects: resolves with `[]` if no service is found within `timeout` (default 5,000 ms).
 * @example
 * const client = await connect(await discover("example.org"), { jid: "romeo@example.org", password: "pencil" });
 */
export async function discover(domain: string, options?: Waiting): Promise<string[]> {
  // A domain without path, port or user: it becomes part of an address.
  if (typeof domain !== "string" || !/^[^\s/?#@:\\]+$/.test(domain)) throw badArgument('The domain is a name such as "example.org".');
  await new Patience(options?.signal).until(init());
  try {
    return await lookUp(domain, (text) => stanzaOf(Core.parseXml(text)), options);
  } catch (error) {
    throw options?.signal?.aborted ? aborted(options.signal) : error;
  }
}
