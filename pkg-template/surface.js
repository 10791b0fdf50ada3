// The surface that pages see, around wasm-bindgen's classes: loading the module, clients that can be made before it is
// loaded, and one clear error instead of the module's own faults. Everything else is Rust.
import {
  ClientCore,
  Feed,
  Muc,
  PubSub,
  Registration,
  Room,
  makeItemsBy,
  makeStanzasBy,
  parseXml,
  register as registerCore,
} from "./epode.js";
import { lookUp } from "./discover.js";
import { iterate, withBatches } from "./feed.js";
import { makeItem } from "./item.js";
import { addressee, located } from "./located.js";
import { Xml, makeTag, wellFormed, xmppError } from "./markup.js";
import { loadModule } from "./module.js";
import { Stanza, stanzaOf } from "./stanza.js";

export { Feed, Room, Stanza };

// ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

let source;
let loading;
let loaded = false;
let broken;

/** Where the module comes from when the page does not say. The last call counts: `epode/inline` comes after the main entry. */
export function defaultSource(find) {
  source = find;
}

/** One loading for all who ask. One that failed is forgotten, so that the next call tries again. */
export function init(from) {
  loading ??= start(from).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(from) {
  await loadModule(() => from ?? source());
  guard(ClientCore, { on: 1, send: 1, request: 1 }, { send: (_, xml) => addressee(xml), request: (_, xml) => addressee(xml) });
  guard(Feed, { on: 1 }, { unsubscribe: ({ node }) => node });
  guard(Muc, { join: 2 }, { join: (_, room) => room });
  requests(PubSub);
  const ofNode = (_, node) => (typeof node === "string" ? node : (node?.node ?? node?.service));
  guard(
    PubSub,
    {
      ...{ subscribe: 1, unsubscribe: 1, publish: 2, retract: 2, items: 1, createNode: 1, deleteNode: 1 },
      ...Object.fromEntries(REQUESTS),
      item: 2,
    },
    Object.fromEntries([...PROMISING].map((name) => [name, ofNode])),
  );
  guard(Registration, {});
  const ofRoom = ({ jid }) => jid;
  const ofOccupant = ({ jid }, nick) => `${jid}/${nick}`;
  guard(
    Room,
    { on: 1, send: 1, sendPrivate: 2, setSubject: 1, setNick: 1 },
    { send: ofRoom, setSubject: ofRoom, leave: ofRoom, sendPrivate: ofOccupant, setNick: ofOccupant },
  );
  complete();
  makeItemsBy(makeItem);
  makeStanzasBy((words) => stanzaOf(words.slice()));
  loaded = true;
}

/**
 * Requests of pubsub, each by its place in the list: one method of the module makes them all. The number: whether a node's
 * name comes first.
 */
const REQUESTS = [
  ...[["subscriptions", 0], ["affiliations", 0], ["nodes", 0], ["configuration", 1], ["metadata", 1], ["defaultConfiguration", 0]],
  ...[["options", 1], ["subscribers", 1], ["affiliates", 1], ["item", 1], ["configure", 1], ["setOptions", 1]],
  ...[["setSubscribers", 1], ["defaultOptions", 0], ["setAffiliates", 1], ["purge", 1], ["requestApprovals", 1]],
];
/** After them: saying yes, and no, to who wants to subscribe. */
const APPROVE = REQUESTS.length;
const WITH_VALUE = new Set(["item", "configure", "setOptions", "setSubscribers", "setAffiliates"]);

function requests({ prototype }) {
  REQUESTS.forEach(([name, named], index) => {
    prototype[name] = function (...args) {
      const node = named ? args.shift() : "";
      const value = WITH_VALUE.has(name) ? args.shift() : undefined;
      return this._ask(index, node, value, args[0]);
    };
  });
}

/** What gives a promise gives one when it fails, too. */
const PROMISING = new Set([
  ...["connect", "attach", "disconnect", "send", "request", "join", "leave", "sendPrivate", "setSubject", "setNick"],
  ...["subscribe", "unsubscribe", "publish", "retract", "items", "createNode", "deleteNode"],
  ...REQUESTS.map(([name]) => name),
]);

function bad(message) {
  return xmppError("bad-argument", message);
}

/**
 * Turns the module's own errors into ours: a freed object, or a fault, after which the module is not to be trusted.
 * `texts`: how many arguments must be strings; the module would take anything else for an empty one. `about`: what a call is
 * about, for its errors.
 */
function guarded(name, method, texts, about) {
  function call(...args) {
    if (this.__wbg_ptr === 0) {
      throw xmppError("freed", "This object was freed. Do not use it after free(), or leave freeing to the garbage collector.");
    }
    for (let index = 0; index < texts; index += 1) {
      if (typeof args[index] !== "string") throw bad(`${name}(): argument ${index + 1} is a string. It was ${args[index] === null ? "null" : typeof args[index]}.`);
    }
    args.forEach(wellFormed);
    try {
      return method.apply(this, args);
    } catch (error) {
      throw fault(error);
    }
  }
  if (!PROMISING.has(name)) return call;
  return function (...args) {
    const outcome = attempt(() => call.apply(this, args));
    if (!about) return outcome;
    return outcome.catch((error) => {
      throw located(error, name, aboutOf(this, args));
    });
  };

  /** A freed object has nothing to say. */
  function aboutOf(object, args) {
    try {
      const found = about(object, ...args);
      return typeof found === "string" ? found : undefined;
    } catch {
      return undefined;
    }
  }
}

function fault(error) {
  // A platform without WebAssembly has no such class.
  const { RuntimeError } = globalThis.WebAssembly ?? {};
  if (!RuntimeError || !(error instanceof RuntimeError)) return error;
  broken ??= xmppError("internal", "epode failed, which is a fault of its own: please report it. Reload the page.", { cause: error });
  return broken;
}

/** Guards a class; `texts` tells how many strings its methods begin with, where they do, `about` what those are about that promise. */
function guard({ prototype }, texts, about = {}) {
  const { free } = prototype;
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor" || name === "free" || name.startsWith("__")) continue;
    for (const kind of ["value", "get"]) {
      if (typeof property[kind] === "function") property[kind] = guarded(name, property[kind], texts[name] ?? 0, about[name]);
    }
    Object.defineProperty(prototype, name, property);
  }
  prototype.free = function () {
    if (this.__wbg_ptr !== 0) free.call(this);
  };
  disposeBy(prototype, prototype.free);
}

/** `using` where the platform has it. */
function disposeBy(prototype, dispose) {
  if (Symbol.dispose) prototype[Symbol.dispose] = dispose;
}

/** Getters, each by its place in the list: one method of the module reads them all. */
function getters({ prototype }, names) {
  names.forEach((name, index) => {
    Object.defineProperty(prototype, name, {
      get() {
        return this._field(index);
      },
    });
  });
}

/** A promise whose rejection nobody must handle. */
function quietly(promise) {
  promise.catch(() => {});
  return promise;
}

/** What is said more easily in JavaScript. */
function complete() {
  getters(ClientCore, ["jid", "status", "service"]);
  getters(Feed, ["node", "service", "subscriber", "state", "subid", "position"]);
  getters(Room, ["jid", "nick", "subject"]);
  for (const name of ["send", "sendPrivate", "setSubject"]) {
    const method = Room.prototype[name];
    Room.prototype[name] = function (...args) {
      return quietly(method.apply(this, args));
    };
  }
  disposeBy(Registration.prototype, Registration.prototype.remove);
  disposeBy(Feed.prototype, Feed.prototype.close);
  disposeBy(Room.prototype, function () {
    quietly(this.leave());
  });
  const { publish } = PubSub.prototype;
  PubSub.prototype.publish = function (node, payload, options) {
    return attempt(() => {
      const text = payload === null ? "" : markup(payload);
      const once = () => publish.call(this, node, text, options);
      if (!options?.configure) return once();
      return once().catch(async (error) => {
        if (error.application !== "precondition-not-met") throw error;
        await this.configure(node, options.publishOptions, options);
        return once();
      });
    });
  };
  PubSub.prototype.onApproval = function (listener, options) {
    if (typeof listener !== "function") throw bad("The callback is not a function. Give a function, which is called with the event or stanza.");
    const answer = (asked, what) => quietly(attempt(() => this._ask(what, "", asked)));
    const ask = (asked) => listener({ ...asked, approve: () => answer(asked, APPROVE), deny: () => answer(asked, APPROVE + 1) });
    return this._listen(ask, undefined, options);
  };
  PubSub.prototype.onPersonalEvent = function (node, listener, options) {
    if (typeof node !== "string") throw bad("onPersonalEvent(): argument 1 is a string.");
    return this._listen(listener, node, options);
  };
  Feed.prototype.on = withBatches(Feed.prototype.on, disposeBy);
  Feed.prototype[Symbol.asyncIterator] = iterate;
}

// ── markup ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const isMarkup = (value) => value instanceof Xml || value instanceof Stanza;

export const xml = makeTag(isMarkup);

function markup(value) {
  if (typeof value === "string" || isMarkup(value)) return value.toString();
  throw xmppError("bad-stanza", "Not something that can be sent: use xml`…`, a stanza, or XML in a string.");
}

/** The services' addresses: one, or several that are tried in order. */
function addresses(service) {
  const all = Array.isArray(service) ? service : [service];
  if (all.every((one) => typeof one === "string" || one instanceof URL)) return all.map(String);
  throw bad('The service is missing: the address of the server\'s BOSH service, such as "/http-bind".');
}

// ── the client ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A promise whatever happens. */
function attempt(act) {
  try {
    return act();
  } catch (error) {
    return Promise.reject(fault(error));
  }
}

function freedError() {
  return xmppError("freed", "The client was freed. Make a new one.");
}

/**
 * A wait that can be given up, by its signal or by `giveUp(error)`: for what the page asks for before the module is loaded, and
 * takes back before it is.
 */
function patience(signal) {
  let error;
  let giveUp;
  const givenUp = new Promise((_, reject) => {
    giveUp = (why) => reject((error ??= why));
  });
  const onAbort = () => giveUp(xmppError("aborted", "The AbortSignal was aborted.", { cause: signal.reason }));
  // Whether it is an AbortSignal, the module checks with the other options.
  const listens = typeof signal?.addEventListener === "function";
  const until = async (...promises) => {
    if (signal?.aborted) onAbort();
    if (listens) signal.addEventListener("abort", onAbort);
    try {
      await Promise.race([givenUp, Promise.all(promises)]);
    } finally {
      if (listens) signal.removeEventListener("abort", onAbort);
    }
    check();
  };
  /** Given up in the same turn in which the last promise was resolved? */
  const check = () => {
    if (error) throw error;
  };
  return { until, giveUp, check };
}

export class Client {
  #service;
  #options;
  #core;
  #pubsub;
  #muc;
  #freed = false;
  /** A connect() or attach() that waits for the module, or for the end of the connection before it. */
  #start;
  /** A disconnect() that is not done. */
  #ending;
  /** What was registered before the module was there. */
  #early = [];

  constructor(service, options) {
    this.#service = addresses(service);
    this.#options = options;
    if (loaded) this.#make();
  }

  #make() {
    if (this.#freed) throw freedError();
    if (broken) throw broken;
    if (!this.#core) {
      this.#core = new ClientCore(this.#service, this.#options, this);
      // One that cannot be registered is told, and the others are.
      const problems = this.#early.splice(0).flatMap((early) => {
        try {
          early.settle(this.#core);
          return [];
        } catch (error) {
          return [error];
        }
      });
      if (problems.length > 0) throw problems[0];
    }
    return this.#core;
  }

  /** The core, for what makes no sense without a connection. */
  get #ready() {
    if (!this.#core && !this.#freed) {
      throw xmppError("not-connected", "There is no connection. Await connect() first.");
    }
    return this.#make();
  }

  #register(method, args, callback) {
    if (typeof callback !== "function") throw bad("The callback is not a function. Give a function, which is called with the event or stanza.");
    if (this.#core || this.#freed) return this.#make()[method](...args);
    let registration;
    const early = {
      settle: (core) => {
        registration = core[method](...args);
      },
    };
    this.#early.push(early);
    const remove = () => {
      if (registration) registration.remove();
      else this.#early = this.#early.filter((other) => other !== early);
    };
    const handle = { remove };
    disposeBy(handle, remove);
    return handle;
  }

  get jid() {
    return this.#core?.jid;
  }

  get status() {
    return this.#core?.status ?? "offline";
  }

  get service() {
    return this.#core?.service;
  }

  get pubsub() {
    return (this.#pubsub ??= this.#ready.pubsub);
  }

  get muc() {
    return (this.#muc ??= this.#ready.muc);
  }

  connect(options) {
    return this.#begin("connect", options);
  }

  attach(session) {
    return this.#begin("attach", session);
  }

  /** Takes a turn in any case: what the page says in the same turn, such as disconnect(), comes first. */
  async #begin(method, options) {
    if (this.#freed) throw freedError();
    if (this.#start) {
      throw xmppError("already-connected", "This client is connecting or connected. Await disconnect() first, or make another client.");
    }
    const start = patience(options?.signal);
    this.#start = start;
    try {
      await start.until(init(), this.#ending);
      start.check();
      // Begun in this very turn: from here on the module knows of it, and disconnect() goes there.
      return this.#make()[method](options);
    } finally {
      if (this.#start === start) this.#start = undefined;
    }
  }

  async disconnect() {
    this.#giveUp(xmppError("disconnected", "disconnect() was called while connecting."));
    if (!this.#core) return;
    const ending = this.#core.disconnect();
    this.#ending = ending;
    await ending;
    if (this.#ending === ending) this.#ending = undefined;
  }

  #giveUp(error) {
    this.#start?.giveUp(error);
    this.#start = undefined;
  }

  send(stanza) {
    return quietly(attempt(() => this.#ready.send(markup(stanza))));
  }

  request(iq, options) {
    return attempt(() => this.#ready.request(markup(iq), options));
  }

  addHandler(callback, matcher) {
    return this.#register("addHandler", [callback, matcher], callback);
  }

  on(type, listener) {
    return this.#register("on", [type, listener], listener);
  }

  free() {
    this.#freed = true;
    this.#giveUp(freedError());
    this.#early = [];
    const core = this.#core;
    this.#core = undefined;
    this.#pubsub = this.#muc = undefined;
    if (core) {
      core.shut();
      core.free();
    }
  }
}

disposeBy(Client.prototype, Client.prototype.free);

async function online(client, begin) {
  try {
    await begin();
  } catch (error) {
    client.free();
    throw error;
  }
  return client;
}

export async function connect(service, options) {
  const client = new Client(service, options);
  return online(client, () => client.connect({ signal: options?.signal }));
}

export async function attach(service, options) {
  const client = new Client(service, options);
  return online(client, () => client.attach(options));
}

export async function register(service, options) {
  const urls = addresses(service);
  await patience(options?.signal).until(init());
  return attempt(() => registerCore(urls, options)).catch((error) => {
    const { username, domain } = options ?? {};
    throw located(error, "register", username === undefined ? undefined : `${username}@${domain}`);
  });
}

export async function discover(domain, options) {
  // A domain, not a path, a port or a user: it is put into an address.
  if (typeof domain !== "string" || !/^[^\s/?#@:\\]+$/.test(domain)) throw bad('The domain is a name such as "example.org".');
  await patience(options?.signal).until(init());
  try {
    return await lookUp(domain, parseXml, options);
  } catch (error) {
    throw options?.signal?.aborted ? xmppError("aborted", "The AbortSignal was aborted.", { cause: error }) : error;
  }
}
