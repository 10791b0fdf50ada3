// `Connection`, strophe.js's central class, on the stream of the public API. Its members and their order of calls are those of strophe.js
// 5.0.0; the handlers are in dispatch.ts, the login in login.ts, the wire in bosh.ts and websocket.ts.

import { Bosh } from "./bosh.js";
import { $iq, $pres, Builder } from "./builder.js";
import type { ConnectionOptions, Password } from "./connection-options.js";
import { NS, Status } from "./constants.js";
import { Handler } from "./handler.js";
import log from "./log.js";
import { Login } from "./login.js";
import { addPlugin, attachPlugins, tellPlugins } from "./plugins.js";
import type { Request } from "./request.js";
import { SessionStorageBackend } from "./storage.js";
import { StreamManagement, isCountableStanza } from "./stream-management.js";
import type { Transport } from "./transport.js";
import { addCookies, getBareJidFromJid, getDomainFromJid, getNodeFromJid, handleError, toElement } from "./utils.js";
import { toStanzaView } from "./views.js";
import { Websocket } from "./websocket.js";
import { WorkerWebsocket } from "./worker-websocket.js";

/** What a page gives to be told about the state of a connection. */
export type ConnectCallback = (status: number, condition?: string | null, elem?: Element | null) => unknown;

/** What can be sent. */
export type Sendable = Element | Builder;

/** What waits to be sent: an element, or a new stream. */
export type Queued = Element | "restart" | null;

type TransportClass = new (connection: Connection) => Transport;
type ErrorHandler = (status: number) => void;

/** In milliseconds. */
const DISCONNECTION_TIMEOUT = 3000;

const protocols: Record<string, TransportClass> = {};

/** A call that the connection's transport, or the storage, has no session for. */
export class SessionError extends Error {
  override name = "StropheSessionError";
}

const treeOf = (stanza: Sendable): Element => (stanza instanceof Builder ? stanza.tree() : stanza) as Element;

function stropheError(message: string): Error {
  const error = new Error(message);
  error.name = "StropheError";
  return error;
}

/** One connection of a page. */
export class Connection extends Login {
  service: string;
  paused = false;
  maxRetries = 5;
  declare connect_callback: ConnectCallback | null | undefined;
  /** In milliseconds. */
  declare disconnection_timeout: number;
  protocolErrorHandlers: { HTTP: Record<number, ErrorHandler>; websocket: Record<number, ErrorHandler> } = { HTTP: {}, websocket: {} };
  /** Of several tabs that share a connection: here each has its own. */
  declare role?: "primary" | "secondary";
  _data: Queued[] = [];
  _uniqueId = 0;
  _disconnectTimeout: ReturnType<Login["_addSysTimedHandler"]> | null = null;

  constructor(service: string, options: ConnectionOptions = {}) {
    super();
    this.service = service;
    this.options = options;
    this.setProtocol();
    if (options.enableStreamManagement) this.sm = this.#makeStreamManagement(options);
    addCookies(options.cookies as never);
    this.registerSASLMechanisms(options.mechanisms);
    this.iqFallbackHandler = new Handler((iq) => this.#refuse(iq), null, null, ["get", "set"], null, null);
    attachPlugins(this);
  }

  /** Registers a plugin for the connections made from now on. */
  static addConnectionPlugin(name: string, plugin: object): void {
    addPlugin(name, plugin);
  }

  /** Registers a transport for the value `name` of the option `protocol`. */
  static addProtocol(name: string, transport: TransportClass): void {
    protocols[name] = transport;
  }

  #makeStreamManagement({ streamManagement }: ConnectionOptions): StreamManagement {
    const storage = streamManagement?.storage ?? (typeof sessionStorage === "undefined" ? undefined : new SessionStorageBackend());
    return new StreamManagement(
      (data) => {
        this._data.push(toElement(data));
        this._proto._send();
      },
      { ...streamManagement, ...(storage && { storage }) },
    );
  }

  /** Answers a request that no handler is for. The answer goes to who asked. */
  #refuse(iq: Element): boolean {
    const from = iq.getAttribute("from");
    const error = $iq({ type: "error", id: iq.getAttribute("id") as string, ...(from && { to: from }) });
    this.send(error.c("error", { type: "cancel" }).c("service-unavailable", { xmlns: NS.STANZAS }));
    return false;
  }

  /** Chooses the transport by the service's address and the options. */
  setProtocol(): void {
    const protocol = this.options.protocol || "";
    const Registered = protocols[protocol];
    if (Registered) this._proto = new Registered(this);
    else if (this.options.worker) this._proto = new WorkerWebsocket(this);
    else if (/^wss?:/.test(this.service) || protocol.startsWith("ws")) this._proto = new Websocket(this);
    else if (!protocol) this._proto = new Bosh(this);
    else throw new Error(`Strophe: unknown connection protocol "${protocol}". It is "ws" or "wss", or one given to Connection.addProtocol().`);
  }

  /** Makes it as good as new, to be connected again. */
  reset(): void {
    this._proto._reset();
    this.sm?.reset();
    this.do_session = false;
    this.do_bind = false;
    this._dropHandlers();
    this.authenticated = false;
    this.connected = false;
    this.disconnecting = false;
    this.restored = false;
    this._data = [];
    this._uniqueId = 0;
  }

  /** Whether the session is one that was interrupted and then resumed by stream management. */
  hasResumed(): boolean {
    return Boolean(this.sm?.resumed);
  }

  isStreamManagementEnabled(): boolean {
    return Boolean(this.sm?.enabled);
  }

  /** What is sent from now on waits, so that it leaves together at `resume()`. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this._flushSoon();
  }

  /** An id that cannot be guessed, which the answer to a request is known by. */
  getUniqueId(suffix?: string | number): string {
    const id = uuid();
    return typeof suffix === "string" || typeof suffix === "number" ? `${id}:${suffix}` : id;
  }

  /** Calls `callback` whenever a request is answered with that HTTP status. */
  addProtocolErrorHandler(protocol: "HTTP" | "websocket", status: number, callback: ErrorHandler): void {
    this.protocolErrorHandlers[protocol][status] = callback;
  }

  /** Connects and logs in. `callback` is told each status. `wait` and `disconnection_timeout` are in seconds and milliseconds. */
  connect(
    jid: string,
    pass?: string | Password | null,
    callback?: ConnectCallback,
    wait?: number,
    hold?: number,
    route?: string,
    authcid?: string,
    disconnection_timeout = DISCONNECTION_TIMEOUT,
  ): void {
    this.jid = jid;
    this.authzid = getBareJidFromJid(jid);
    this.authcid = authcid || getNodeFromJid(jid);
    this.pass = pass as string | Password | null;
    this.scram_keys = null;
    this.connect_callback = callback;
    this.disconnecting = false;
    this.connected = false;
    this.authenticated = false;
    this.restored = false;
    this.disconnection_timeout = disconnection_timeout;
    this.sm?.reset();
    this.domain = getDomainFromJid(jid);
    // What an earlier session did not send would end up in this login.
    this._data = [];
    this._changeConnectStatus(Status.CONNECTING, null);
    this._proto._connect(wait, hold, route);
  }

  /** Continues a BOSH session that was created elsewhere. `rid` is that of the next request. */
  attach(
    jid: string | ConnectCallback,
    sid?: string,
    rid?: number,
    callback?: ConnectCallback,
    wait?: number,
    hold?: number,
    wind?: number,
  ): void {
    if (this._proto instanceof Bosh && typeof jid === "string") {
      this._proto._attach(jid, sid as string, rid as number, callback, wait, hold, wind);
    } else if (this._proto instanceof WorkerWebsocket && typeof jid === "function") {
      this._proto._attach(jid);
    } else {
      throw new SessionError('The "attach" method is not available for your connection protocol');
    }
  }

  /** Takes up the BOSH session that this tab had before it was loaded anew. */
  restore(jid?: string | null, callback?: ConnectCallback, wait?: number, hold?: number, wind?: number): void {
    if (!(this._proto instanceof Bosh) || !this._sessionCachingSupported()) {
      throw new SessionError('The "restore" method can only be used with a BOSH connection.');
    }
    this._proto._restore(jid, callback, wait, hold, wind);
  }

  _sessionCachingSupported(): boolean {
    if (!(this._proto instanceof Bosh)) return false;
    try {
      sessionStorage.setItem("_strophe_", "_strophe_");
      sessionStorage.removeItem("_strophe_");
      return true;
    } catch {
      return false;
    }
  }

  /** To be replaced by the page: the rid that the next request has. */
  nextValidRid(_rid: number): void {}

  /** To be replaced by the page: of several tabs. */
  onRoleChanged(_role: "primary" | "secondary"): void {}

  /** To be replaced by the page: of several tabs. */
  onForeignStanzaSent(_elem: Element): void {}

  /** Sends an element, or several. */
  override send(stanza: Sendable | Sendable[] | null): void {
    if (stanza === null) return;
    for (const one of Array.isArray(stanza) ? stanza : [stanza]) this._queueData(treeOf(one));
    this._proto._send();
  }

  /** Sends now what waits. */
  flush(): void {
    clearTimeout(this._idleTimeout ?? undefined);
    this._onIdle();
  }

  /** Sends a presence and calls one of the functions with the presence that answers it: with `null` after `timeout` milliseconds. */
  sendPresence(
    stanza: Sendable,
    callback?: ((stanza: Element) => void) | null,
    errback?: ((stanza: Element | null) => void) | null,
    timeout?: number,
  ): string {
    const answered = (answer: Element): void => (answer.getAttribute("type") === "error" ? errback : callback)?.(answer);
    return this.#request(treeOf(stanza), "presence", null, "sendPresence", [callback, errback], answered, timeout);
  }

  /** Sends a request and calls one of the functions with the answer: with `null` after `timeout` milliseconds. */
  sendIQ(
    stanza: Sendable,
    callback?: ((stanza: Element) => void) | null,
    errback?: ((stanza: Element | null) => void) | null,
    timeout?: number,
  ): string {
    const answered = (answer: Element): void => {
      const type = answer.getAttribute("type");
      if (type !== "result" && type !== "error") throw stropheError(`Got bad IQ type of ${type}`);
      (type === "result" ? callback : errback)?.(answer);
    };
    return this.#request(treeOf(stanza), "iq", ["error", "result"], "sendIQ", [callback, errback], answered, timeout);
  }

  #request(
    elem: Element,
    name: string,
    types: string[] | null,
    suffix: string,
    [callback, errback]: [unknown, ((stanza: null) => void) | null | undefined],
    answered: (answer: Element) => void,
    timeout?: number,
  ): string {
    const id = elem.getAttribute("id") || this.getUniqueId(suffix);
    elem.setAttribute("id", id);
    if (typeof callback === "function" || typeof errback === "function") {
      let patience: ReturnType<typeof this.addTimedHandler> | undefined;
      const handler = this.addHandler(
        (answer) => {
          if (patience) this.deleteTimedHandler(patience);
          answered(answer);
          return false;
        },
        null,
        name,
        types,
        id,
      );
      if (timeout) {
        patience = this.addTimedHandler(timeout, () => {
          this.deleteHandler(handler);
          errback?.(null);
          return false;
        });
      }
    }
    this.send(elem);
    return id;
  }

  _queueData(elem: Element): void {
    if (!elem?.tagName || !elem.childNodes) throw stropheError("Cannot queue non-DOMElement.");
    // COMPAT(ejabberd 23.01): it refuses requests without an id, which the register plugins send.
    if (elem.tagName === "iq" && !elem.getAttribute("id")) elem.setAttribute("id", this.getUniqueId("iq"));
    this._data.push(elem);
    if (this.sm?.isTracking() && isCountableStanza(elem.tagName)) this.sm.trackOutbound(toStanzaView(elem));
  }

  override _sendRestart(): void {
    this._data.push("restart");
    this._proto._sendRestart();
  }

  override _canManageStream(): boolean {
    return this._proto instanceof Websocket;
  }

  /** Ends the session in order. `reason` is given to the callback with DISCONNECTING. */
  override disconnect(reason?: string): void {
    this._changeConnectStatus(Status.DISCONNECTING, reason);
    if (reason) log.info(`Disconnecting: ${reason}`);
    if (!this.connected) {
      this._proto._abortAllRequests();
      this._doDisconnect();
      return;
    }
    this.disconnecting = true;
    const farewell = this.authenticated ? $pres({ xmlns: NS.CLIENT, type: "unavailable" }).tree() : null;
    this.sm?.onGracefulClose();
    this._disconnectTimeout = this._addSysTimedHandler(this.disconnection_timeout ?? DISCONNECTION_TIMEOUT, () => this._onDisconnectTimeout());
    this._proto._disconnect(farewell as Element | null);
  }

  override _changeConnectStatus(status: number, condition?: string | null, elem?: Element | null): void {
    tellPlugins(this, status, condition);
    // Plugins that resume a session themselves set `authenticated`, which the page's timed handlers wait for.
    this._scheduleIdle();
    if (!this.connect_callback) return;
    try {
      this.connect_callback(status, condition, elem);
    } catch (error) {
      handleError(error as Error);
      log.error(`The page's callback for the status threw: ${String(error)}`);
    }
  }

  override _doDisconnect(condition?: string | null): void {
    clearTimeout(this._idleTimeout ?? undefined);
    if (this._disconnectTimeout) this.deleteTimedHandler(this._disconnectTimeout);
    this._disconnectTimeout = null;
    this._proto._doDisconnect();
    this.authenticated = false;
    this.disconnecting = false;
    this.restored = false;
    this._dropHandlers();
    this._changeConnectStatus(Status.DISCONNECTED, condition);
    this.connected = false;
  }

  _onDisconnectTimeout(): boolean {
    this._changeConnectStatus(Status.CONNTIMEOUT, null);
    this._proto._onDisconnectTimeout();
    this._doDisconnect();
    return false;
  }
}

/** RFC 9562, version 4, from the platform's secure randomness, which pages without encryption have too. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The members of strophe.js 1.0 that have moved to the transport since: plugins of 2011 look for them here. */
export interface Connection {
  rid: number;
  sid: string | null;
  hold: number;
  wait: number;
  window: number;
  errors: number;
  _requests: Request[];
  _buildBody(): Builder;
  _onRequestStateChange(func: (req: Request) => void, req: Request): void;
  _throttledRequestHandler(): void;
  _processRequest(index: number): void;
  _removeRequest(req: Request): void;
}

for (const name of ["rid", "sid", "hold", "wait", "window", "errors", "_requests"] as const) {
  Object.defineProperty(Connection.prototype, name, {
    configurable: true,
    get(this: Connection) {
      return (this._proto as Bosh)[name];
    },
    set(this: Connection, value: never) {
      (this._proto as Bosh)[name] = value;
    },
  });
}

for (const name of ["_buildBody", "_onRequestStateChange", "_throttledRequestHandler", "_processRequest", "_removeRequest"] as const) {
  Object.defineProperty(Connection.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Connection, ...values: never[]) {
      return ((this._proto as Bosh)[name] as (...values: never[]) => unknown)(...values);
    },
  });
}

// COMPAT(Vue 3, Alpine.js): reactive state wraps the objects in it in a `Proxy`, which private members refuse. Vue leaves alone what has
// this mark, and with it the transports, which are only reached through their connection.
Object.defineProperty(Connection.prototype, "__v_skip", { value: true });
