// `Connection`, strophe.js's central class, on the stream of the public API. Its members and their order of calls are those of strophe.js
// 5.0.0; the handlers are in dispatch.ts, the login in login.ts, the wire in bosh.ts and websocket.ts.

import { Bosh } from "./bosh.js";
import { $iq, $pres, Builder } from "./builder.js";
import type { ConnectionOptions, Password } from "./connection-options.js";
import { NS, Status } from "./constants.js";
import { Handler, type TimedHandler } from "./handler.js";
import log from "./log.js";
import { Login } from "./login.js";
import { addPlugin, attachPlugins, tellPlugins } from "./plugins.js";
import { type LoginArguments, Reconnecting } from "./reconnecting.js";
import type { Request } from "./request.js";
import { SessionStorageBackend } from "./storage.js";
import { StreamManagement, isCountableStanza } from "./stream-management.js";
import type { Transport } from "./transport.js";
import { addCookies, getBareJidFromJid, getDomainFromJid, getNodeFromJid, handleError, toElement } from "./utils.js";
import { uuid } from "./uuid.js";
import { toStanzaView } from "./views.js";
import { Websocket } from "./websocket.js";
import { WorkerWebsocket } from "./worker-websocket.js";

/** The callback that receives the statuses of a connection. */
export type ConnectCallback = (status: number, condition?: string | null, elem?: Element | null) => unknown;

/** A value that can be sent. */
export type Sendable = Element | Builder;

/** A queued item: an element, or the start of a new stream. */
export type Queued = Element | "restart" | null;

type TransportClass = new (connection: Connection) => Transport;
type ErrorHandler = (status: number) => void;

/** In milliseconds. */
const DISCONNECTION_TIMEOUT = 3000;

const protocols: Record<string, TransportClass> = {};

/** Thrown if the transport or the storage has no session for the call. */
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
  /** For tabs that share a connection. Here each tab has its own. */
  declare role?: "primary" | "secondary";
  _data: Queued[] = [];
  _uniqueId = 0;
  _disconnectTimeout: ReturnType<Login["_addSysTimedHandler"]> | null = null;
  readonly #reconnecting: Reconnecting | undefined;

  constructor(service: string, options: ConnectionOptions = {}) {
    super();
    this.service = service;
    this.options = options;
    this.setProtocol();
    if (options.reconnect) this.#reconnecting = new Reconnecting(this, options.reconnect);
    if (options.enableStreamManagement) this.sm = this.#makeStreamManagement(options);
    addCookies(options.cookies as never);
    this.registerSASLMechanisms(options.mechanisms);
    this.iqFallbackHandler = new Handler((iq) => this.#refuse(iq), null, null, ["get", "set"], null, null);
    attachPlugins(this);
  }

  /** Registers a plugin for connections that are created after this call. */
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

  /** Replies to a request that no handler matches. The reply goes to the sender of the request. */
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

  /** Resets the connection to its initial state, so that it can connect again. */
  reset(): void {
    this.#reconnecting?.stop();
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

  /** Whether stream management resumed this session after an interruption. */
  hasResumed(): boolean {
    return Boolean(this.sm?.resumed);
  }

  isStreamManagementEnabled(): boolean {
    return Boolean(this.sm?.enabled);
  }

  /** Holds everything that is sent from now on, and sends it together at `resume()`. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this._flushSoon();
  }

  /** An unpredictable id, which matches the reply to its request. */
  getUniqueId(suffix?: string | number): string {
    const id = uuid();
    return typeof suffix === "string" || typeof suffix === "number" ? `${id}:${suffix}` : id;
  }

  /** Calls `callback` for each response with this HTTP status. */
  addProtocolErrorHandler(protocol: "HTTP" | "websocket", status: number, callback: ErrorHandler): void {
    this.protocolErrorHandlers[protocol][status] = callback;
  }

  /** Connects and logs in. `callback` gets each status. `wait` is in seconds, `disconnection_timeout` in milliseconds. */
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
    const login: LoginArguments = { jid, pass: pass as string | Password | null, authcid, wait, hold, route };
    this.#reconnecting?.begin(login);
    this.connect_callback = callback;
    this.disconnection_timeout = disconnection_timeout;
    this.sm?.reset();
    this._prepareLogin(login);
    this._changeConnectStatus(Status.CONNECTING, null);
    this._proto._connect(wait, hold, route);
  }

  /** Takes what a login begins with. */
  _prepareLogin({ jid, pass, authcid }: Pick<LoginArguments, "jid" | "pass" | "authcid">): void {
    this.jid = jid;
    this.authzid = getBareJidFromJid(jid);
    this.authcid = authcid || getNodeFromJid(jid);
    this.domain = getDomainFromJid(jid);
    this.pass = pass;
    this.scram_keys = null;
    this.disconnecting = false;
    this.connected = false;
    this.authenticated = false;
    this.restored = false;
    // Unsent elements of an earlier session would be sent during this login.
    this._data = [];
  }

  /** Whether an interrupted connection is just being opened again. */
  _isReopening(): boolean {
    return this.#reconnecting?.isAttempting === true;
  }

  /** Whether an interruption now would be followed by an attempt to open the connection again. */
  _mayReopen(): boolean {
    return this.#reconnecting?.isOnline === true && !this.disconnecting;
  }

  override addHandler(...values: Parameters<Login["addHandler"]>): Handler {
    const added = super.addHandler(...values);
    this.#reconnecting?.note(added);
    return added;
  }

  override addTimedHandler(period: number, handler: () => unknown): TimedHandler {
    const added = super.addTimedHandler(period, handler);
    this.#reconnecting?.note(added);
    return added;
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
    this.#reconnecting?.stop();
    if (this._proto instanceof Bosh && typeof jid === "string") {
      this._proto._attach(jid, sid as string, rid as number, callback, wait, hold, wind);
    } else if (this._proto instanceof WorkerWebsocket && typeof jid === "function") {
      this._proto._attach(jid);
    } else {
      throw new SessionError('The "attach" method is not available for your connection protocol');
    }
  }

  /** Continues the BOSH session that this tab had before it was reloaded. */
  restore(jid?: string | null, callback?: ConnectCallback, wait?: number, hold?: number, wind?: number): void {
    if (!(this._proto instanceof Bosh) || !this._sessionCachingSupported()) {
      throw new SessionError('The "restore" method can only be used with a BOSH connection.');
    }
    this.#reconnecting?.stop();
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

  /** The page may replace this method. Called with the rid of the next request. */
  nextValidRid(_rid: number): void {}

  /** The page may replace this method. Only used by tabs that share a connection. */
  onRoleChanged(_role: "primary" | "secondary"): void {}

  /** The page may replace this method. Only used by tabs that share a connection. */
  onForeignStanzaSent(_elem: Element): void {}

  /** Sends one or more elements. */
  override send(stanza: Sendable | Sendable[] | null): void {
    if (stanza === null) return;
    for (const one of Array.isArray(stanza) ? stanza : [stanza]) this._queueData(treeOf(one));
    this._proto._send();
  }

  /** Sends the queued elements now. */
  flush(): void {
    clearTimeout(this._idleTimeout ?? undefined);
    this._onIdle();
  }

  /** Sends a presence and calls one of the functions with the presence that replies to it, or with `null` after `timeout` milliseconds. */
  sendPresence(
    stanza: Sendable,
    callback?: ((stanza: Element) => void) | null,
    errback?: ((stanza: Element | null) => void) | null,
    timeout?: number,
  ): string {
    const answered = (answer: Element): void => (answer.getAttribute("type") === "error" ? errback : callback)?.(answer);
    return this.#request(treeOf(stanza), "presence", null, "sendPresence", [callback, errback], answered, timeout);
  }

  /** Sends a request and calls one of the functions with the reply, or with `null` after `timeout` milliseconds. */
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
      const giveUp = (): boolean => {
        this.deleteHandler(handler);
        errback?.(null);
        return false;
      };
      if (timeout) patience = this.addTimedHandler(timeout, giveUp);
      this.#reconnecting?.expect(handler, () => {
        if (patience) this.deleteTimedHandler(patience);
        giveUp();
      });
    }
    this.send(elem);
    return id;
  }

  _queueData(elem: Element): void {
    if (!elem?.tagName || !elem.childNodes) throw stropheError("Cannot queue non-DOMElement.");
    // COMPAT(ejabberd 23.01): it rejects requests without an id, which the register plugins send.
    if (elem.tagName === "iq" && !elem.getAttribute("id")) elem.setAttribute("id", this.getUniqueId("iq"));
    if (this.#reconnecting?.keeps(elem)) return;
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

  /** Closes the session. The callback gets `reason` with DISCONNECTING. */
  override disconnect(reason?: string): void {
    this.#reconnecting?.stop();
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
    const tell = (): void => this.#tell(status, condition, elem);
    if (this.#reconnecting) this.#reconnecting.handleStatus(status, condition, elem, tell);
    else tell();
  }

  #tell(status: number, condition?: string | null, elem?: Element | null): void {
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
    if (this.#reconnecting?.takes(condition)) return;
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

/** Members of strophe.js 1.0 that later moved to the transport. Plugins of 2011 use them here. */
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
