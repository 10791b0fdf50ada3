/// <reference lib="esnext.disposable" preserve="true" />
// `Client`: a connection as the page holds it. It can be made, and handlers registered, before the module is loaded.

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
  ridOption,
} from "./options.js";
import { Patience } from "./patience.js";
import { type PubSub, pubSubOf } from "./pubsub.js";
import { Reader } from "./reader.js";
import { type Stanza, stanzaOf } from "./stanza.js";
import { type Waiting, quietly } from "./waiting.js";
import { type Sendable, markupOf, mustBeWellFormed } from "./xml.js";

/** A handler that waits for the module. */
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
  /** A connect() or attach() that waits for the module, or for the end of the connection before it. */
  #start: Patience | undefined;
  /** A disconnect() that is not done. */
  #ending: Promise<void> | undefined;
  /** What was registered before the module was there. */
  #early: EarlyHandler[] = [];

  /** Connects nothing yet: register handlers and listeners first, then `connect()`. */
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
    // One that cannot be registered is told, and the others are.
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

  /** The hub, for what makes no sense without a connection. */
  get #ready(): Hub {
    if (!this.#hub && !this.#isFreed) throw new XmppError("not-connected", "There is no connection. Await connect() first.");
    return this.#make();
  }

  /** The own full JID while online. */
  get jid(): string | undefined {
    return this.#hub?.read((core) => core.jid);
  }

  /** Where the connection stands. */
  get status(): Status {
    return this.#hub?.phase ?? "offline";
  }

  /** While online: which of the services it is. */
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
   * Resolves when logged in and bound. Rejects with what stood in the way; the client may then try again. While the status is
   * `reconnecting`, the next attempt is made at once.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void> {
    return this.#begin(options, (hub, signal) => hub.begin(signal));
  }

  /**
   * In place of `connect()`: goes on with a session that a web server made, over the first BOSH service. Resolves when the
   * server has shown that it knows it. When it does not, the client logs in, if it can.
   */
  attach(session: AttachedSession & { signal?: AbortSignal }): Promise<void> {
    return this.#begin(session, (hub, signal) => hub.begin(signal, givenOf(session)));
  }

  /** Takes a turn in any case: what the page says in the same turn, such as disconnect(), comes first. */
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
      // Begun in this very turn: from here on the hub knows of it, and disconnect() goes there.
      const signal = new Reader(options).signal();
      begun = begin(this.#make(), signal);
    } finally {
      if (this.#start === start) this.#start = undefined;
    }
    return begun;
  }

  /**
   * Sends what is queued, leaves rooms and full-JID subscriptions, ends the session. Never rejects. May be called in `pagehide`: what
   * is to be sent is handed to the browser before it returns. (Over WebSocket Firefox sends nothing any more by then.)
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

  /** Resolves when the server has taken the stanza; rejects as `undelivered` or `unknown`. Need not be awaited. */
  send(stanza: Sendable): Promise<void> {
    return quietly(
      this.#withMarkup(stanza, "send", (hub, text) => hub.send(text)),
    );
  }

  /** What is to be sent, and a client to send it with, come before what errors are about is known. */
  #withMarkup<T>(sendable: Sendable, operation: string, act: (hub: Hub, text: string) => Promise<T>): Promise<T> {
    let hub: Hub;
    let text: string;
    try {
      hub = this.#ready;
      text = markupOf(sendable);
    } catch (error) {
      return Promise.reject(error);
    }
    // The addressee is looked for where there is an error: most have none.
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
   * Calls `callback` for each stanza that matches, until removed. It stays when it throws (the error is reported).
   * A handler whose matcher names `ns` or `id`, or `name: "iq"` with a `type`, answers the iq requests that it matches;
   * all others are answered by epode.
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

  /** Registers when the module is there. */
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
      // As with handlers: before the module is there, connect() tells what could not be registered.
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

  /** Elements that go out or come in are told only while somebody listens. */
  #tap(): void {
    const isWanted = this.#listeners.wants("sent") || this.#listeners.wants("received");
    if (this.#isTapped === isWanted || !this.#hub) return;
    this.#isTapped = isWanted;
    this.#hub.read((core) => core.tap(isWanted));
  }

  #isTapped = false;

  /** Ends everything at once, without a word to the server. Later calls are `freed` errors. */
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

// Declared beside the class: not every platform has the symbol.
export interface Client {
  /** As `free()`. */
  [Symbol.dispose](): void;
}

disposeBy(Client.prototype, Client.prototype.free);

/** A session that a web server made, read and checked. */
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
 * Makes a client, connects and logs in.
 * @example
 * const client = await connect("/http-bind", { jid: "romeo@example.org", password: "pencil" });
 */
export async function connect(service: Service, options: ClientOptions & { signal?: AbortSignal }): Promise<Client> {
  const client = new Client(service, options);
  return online(client, () => client.connect({ signal: options?.signal }));
}

/**
 * Goes on with a session that a web server made (prebind), over BOSH. No credentials are needed; without them the end of the
 * session is the end of the connection.
 * @example
 * const client = await attach("/http-bind", { jid: "romeo@example.org/page", sid: "a1", rid: 4711 });
 */
export async function attach(service: Service, options: AttachOptions & { signal?: AbortSignal }): Promise<Client> {
  const client = new Client(service, options);
  return online(client, () => client.attach(options));
}

/**
 * Makes an account (XEP-0077); resolves when the server has made it. Log in with `connect` afterwards.
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
 * Asks a domain's web server where its services are (XEP-0156), WebSocket first. Only encrypted ones count. Quick and quiet: `[]` when
 * there is nothing to find within `timeout` (default 5,000 ms).
 * @example
 * const client = await connect(await discover("example.org"), { jid: "romeo@example.org", password: "pencil" });
 */
export async function discover(domain: string, options?: Waiting): Promise<string[]> {
  // A domain, not a path, a port or a user: it is put into an address.
  if (typeof domain !== "string" || !/^[^\s/?#@:\\]+$/.test(domain)) throw badArgument('The domain is a name such as "example.org".');
  await new Patience(options?.signal).until(init());
  try {
    return await lookUp(domain, (text) => stanzaOf(Core.parseXml(text)), options);
  } catch (error) {
    throw options?.signal?.aborted ? aborted(options.signal) : error;
  }
}
