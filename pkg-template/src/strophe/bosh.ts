// `Bosh`: strophe.js's BOSH transport (XEP-0124, XEP-0206) on the stream of the public API. The stream owns rid, sid, order, repetition
// and pace. This file provides the members that pages, plugins and applications use, and calls them in the order of strophe.js.

import type { Registration } from "../events.js";
import type { XmppError } from "../errors.js";
import type { Stanza } from "../stanza.js";
import type { Stream, StreamOptions } from "../xmpp-stream.js";
import { tellEnd } from "./bosh-end.js";
import { BoshRequests, noteOriginal } from "./bosh-requests.js";
import { mayPass, openingOptions, withinLimits } from "./bosh-options.js";
import { BoshTerms } from "./bosh-terms.js";
import { $build, Builder } from "./builder.js";
import type { ConnectCallback, Connection, Queued } from "./connection.js";
import { NS, Status } from "./constants.js";
import { Dispatch } from "./dispatch.js";
import { elementOf } from "./dom.js";
import { Farewell } from "./farewell.js";
import { headersAsText, observedFetch } from "./http-status.js";
import { keepSession, keptSession } from "./kept-session.js";
import log from "./log.js";
import { postAlone } from "./lone-request.js";
import { AnsweredRequest, Request, isReadByPage } from "./request.js";
import { sendRequest } from "./request-sending.js";
import { makeStream, moduleFault, type Transport } from "./transport.js";
import { getDomainFromJid, toElement } from "./utils.js";
import { BodyFrame, elementsIn } from "./arrival.js";

/** strophe.js disconnects after this number of consecutive failures. */
const MOST_ERRORS = 4;

/** How long strophe.js collects what is sent, in milliseconds. */
const TICK = 100;

type Answered = (req: Request) => void;

/** The value of `rid` until the stream has chosen its first one. */
const someRid = (): number => Math.floor(Math.random() * 4294967295);

/** The BOSH transport of a connection. */
export class Bosh extends BoshRequests implements Transport {
  #stream: Stream | undefined;
  #registrations: Registration[] = [];
  #isObserved = false;
  #isLeaving = false;
  #farewell: Farewell | undefined;
  /** Until the page connects for the first time. */
  #isUnused = true;
  /** The function that handles the next responses, if it is not `_dataRecv`. */
  #answered: Answered[] = [];
  #rid = someRid();
  /** A session that the page continues, while nothing has been sent in it. */
  #attached = false;
  /** Opens the session again, while its first request has no response. */
  #reopen: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection) {
    super(connection);
    this.strip = Bosh.prototype.strip ?? false;
  }

  /** The rid of the next request. */
  override get rid(): number {
    return this.#stream?.rid ?? this.#rid;
  }

  override set rid(rid: number) {
    this.#rid = rid;
  }

  /** A body as strophe.js would send it now. The body increments the rid; the stream counts its own. */
  _buildBody(): Builder {
    const body = $build("body", { rid: this.rid, xmlns: NS.HTTPBIND } as never);
    if (!this.#stream) this.#rid = Number(this.#rid) + 1;
    if (this.sid !== null) body.attrs({ sid: this.sid });
    if (this._conn.options.keepalive && this._conn._sessionCachingSupported()) this._cacheSession();
    return body;
  }

  _reset(): void {
    this.#drop();
    this.#forget();
    this.errors = 0;
  }

  /** Discards the session. */
  #forget(): void {
    this.sid = null;
    this.#rid = someRid();
    if (this._conn._sessionCachingSupported()) keepSession(null);
    this._conn.nextValidRid(this.#rid);
  }

  _connect(wait?: number, hold?: number, route?: string): void {
    this.wait = wait || this.wait;
    this.hold = hold || this.hold;
    const { _conn } = this;
    const { _connect_cb } = _conn;
    const answered: Answered = (req) => _connect_cb.call(_conn, req);
    if (this._isByPage()) {
      this.#drop();
      this.errors = 0;
      this._handOpening(answered, route);
      return;
    }
    this.#open({ wait: this.wait, hold: this.hold, ...(route && { route }) }, (req) => this._onRequestStateChange(answered, req));
  }

  #open(options: Partial<StreamOptions>, answered: Answered): void {
    this.#drop();
    this.errors = 0;
    const open = (): void => {
      this.#drop();
      this.#answered = [answered];
      if (!this.#makeStream({ lang: "en", ...options })) return;
      this.#reopen = open;
      this.#stream?.open();
    };
    open();
  }

  /** The session was not opened for a temporary reason: retries after the same delay as strophe.js. */
  #openAgain(open: () => void): void {
    const pause = this.errors > 1 ? Math.min(Math.floor(BoshTerms.getTimeoutMultplier() * this.wait), this.errors ** 3) : 0;
    this.#timer = setTimeout(open, pause * 1000);
  }

  #makeStream(options: Partial<StreamOptions>): boolean {
    const { _conn } = this;
    const { withCredentials, contentType, customHeaders } = _conn.options;
    try {
      const stream = makeStream(_conn.service, {
        domain: _conn.domain as string,
        ...withinLimits(options),
        ...(withCredentials && { withCredentials }),
        ...(contentType && { contentType }),
        ...(customHeaders && { headers: customHeaders }),
        fetch: observedFetch(
          (address, init = {}) => (this.#isLeaving ? farewell.send(sendRequest, address, init) : sendRequest(address, init)),
          (status, headers) => this.#observe(stream, status, headers),
        ),
      });
      const farewell = new Farewell(() => {
        if (farewell === this.#farewell && !this.#stream && _conn.disconnecting) _conn._doDisconnect();
      });
      this.#farewell = farewell;
      this.#stream = stream;
      this.#isLeaving = false;
      this.#registrations = [
        stream.on("frame", (body) => this.#handleFrame(body)),
        stream.on("close", ({ error, unsent }) => this.#handleClose(error, unsent)),
      ];
      this.#isObserved = false;
      this.#watchWire();
      return true;
    } catch (error) {
      log.error(`The service cannot be used: ${(error as Error).message}`);
      const fault = moduleFault(error);
      if (!_conn.connected) _conn._changeConnectStatus(Status.CONNFAIL, fault ?? "bad-service");
      _conn.disconnect();
      if (fault) throw error;
      return false;
    }
  }

  /** Listens to the texts on the wire only if the page uses them or the session is stored. */
  #watchWire(): void {
    const { _conn } = this;
    if (this.#isObserved || !this.#stream) return;
    const isWanted = _conn.xmlOutput !== Dispatch.prototype.xmlOutput || _conn.rawOutput !== Dispatch.prototype.rawOutput;
    if (!isWanted && !_conn.options.keepalive) return;
    this.#isObserved = true;
    this.#registrations.push(this.#stream.on("sent", (text) => this.#handleSent(text)));
  }

  #handleSent(text: string): void {
    const { _conn } = this;
    if (_conn.options.keepalive && _conn._sessionCachingSupported()) this._cacheSession();
    if (_conn.xmlOutput !== Dispatch.prototype.xmlOutput) {
      const body = toElement(text);
      _conn.xmlOutput((this.strip && body.nodeName === "body" ? elementsIn(body)[0] : undefined) ?? body);
    }
    _conn.rawOutput(text);
  }

  /** Releases the stream. A stream that is closing finishes by itself. */
  #drop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#attached = false;
    this.#isUnused = false;
    this.#reopen = undefined;
    clearTimeout(this.#timer);
    for (const registration of this.#registrations.splice(0)) registration.remove();
    if (!stream) return;
    if (!this.#isLeaving) stream.abort();
  }

  _attach(jid: string, sid: string, rid: number, callback?: ConnectCallback, wait?: number, hold?: number, wind?: number): void {
    const { _conn } = this;
    _conn.jid = jid;
    this.#drop();
    this.sid = sid;
    this.#rid = rid;
    _conn.connect_callback = callback;
    _conn.domain = getDomainFromJid(jid);
    _conn.authenticated = true;
    _conn.connected = true;
    this.wait = wait || this.wait;
    this.hold = hold || this.hold;
    this.window = wind || this.window;
    this.#attached = true;
    // At the end of the turn, together with what the page sends from its callback.
    _conn._flushSoon();
    _conn._changeConnectStatus(Status.ATTACHED, null);
  }

  /** The stream. For a continued session it is created when it is first needed. */
  #running(): Stream | undefined {
    if (!this.#attached) return this.#stream;
    this.#attached = false;
    this.#answered = [];
    const [jid, sid, rid] = [this._conn.jid, String(this.sid), Number(this.#rid)];
    if (this.#makeStream({ wait: this.wait, hold: this.hold })) this.#stream?.attach({ jid, sid, rid });
    return this.#stream;
  }

  _restore(jid?: string | null, callback?: ConnectCallback, wait?: number, hold?: number, wind?: number): void {
    const kept = keptSession(jid);
    if (!kept) {
      const error = new Error("_restore: no restoreable session.");
      error.name = "StropheSessionError";
      throw error;
    }
    this._conn.restored = true;
    this._attach(kept.jid, kept.sid, kept.rid, callback, wait, hold, wind);
  }

  _disconnect(pres: Element | Builder | null): void {
    this._sendTerminate(pres);
  }

  /** Closes the session, after everything that was sent before. */
  _sendTerminate(pres: Element | Builder | null): void {
    if (!this._isByPage()) return this.#leave(pres);
    const body = this._buildBody().attrs({ type: "terminate" });
    if (pres) body.cnode(pres);
    this._hand(body, (req) => this._conn._dataRecv(req));
  }

  #leave(pres: Element | Builder | null): void {
    if (!this._conn.paused) this.#sendQueued();
    const stream = this.#running();
    this.#isLeaving = true;
    if (stream) stream.close(pres ? Builder.serialize(pres) : undefined);
    else queueMicrotask(() => this._conn.disconnecting && this._conn._doDisconnect());
  }

  _doDisconnect(): void {
    this.#drop();
    this.#forget();
  }

  /** Whether no request is pending and the session has ended. */
  _emptyQueue(): boolean {
    return this._requests.length === 0 && !this.#stream && !this.#attached;
  }

  /** The response lacked the expected element: pass the next response to the same function. */
  _no_auth_received(callback?: unknown): void {
    log.warn("The server has not offered a mechanism that can be used. Waiting for its next answer.");
    const { _conn } = this;
    const next = typeof callback === "function" ? (callback as Answered) : (req: Request) => _conn._connect_cb(req);
    if (this._isByPage()) return this._hand(this._buildBody(), (req) => next.call(_conn, req));
    this.#answered.push((req) => this._onRequestStateChange(next.bind(_conn), req));
  }

  _onDisconnectTimeout(): void {
    this._abortAllRequests();
  }

  /** Ends the session without notifying the server. */
  _abortAllRequests(): void {
    for (const req of this._requests.splice(0)) req.abort = true;
    this.#isLeaving = false;
    this.#drop();
  }

  /** Sends the queued elements. */
  _onIdle(): void {
    if (!this._conn.paused) this.#sendQueued();
  }

  #sendQueued(): void {
    if (this._isByPage()) return this._handQueued();
    this.#sendAll();
  }

  #sendAll(): void {
    const stream = this.#running();
    const waiting: Queued[] = this._conn._data;
    if (!waiting.length || !(stream || this.#isUnused)) return;
    this._conn._data = [];
    if (!stream) {
      void postAlone(this._conn, this._buildBody(), waiting, (req) => this.#isUnused && this._onRequestStateChange((one) => this._conn._dataRecv(one), req));
      return;
    }
    this.#watchWire();
    for (const one of waiting) {
      if (one === "restart") stream.restart();
      else if (one !== null) this.#sendElement(stream, one);
    }
  }

  #sendElement(stream: Stream, elem: Element): void {
    try {
      stream.send(Builder.serialize(elem));
    } catch (error) {
      // An element that cannot be sent does not block the others.
      log.error(`An element cannot be sent and is left out: ${(error as Error).message}`);
    }
  }

  _send(): void {
    this._throttledRequestHandler();
    if (!this.#isUnused) return this._conn._flushSoon();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this._conn._onIdle(), TICK);
  }

  _sendRestart(): void {
    this._throttledRequestHandler();
    this._conn._flushSoon();
  }

  #handleFrame(body: Stanza): void {
    this.#reopen = undefined;
    this.#watchWire();
    if (this._conn._mayReopen() && body.attr("type") === "terminate") {
      // The stream's end follows, which has the same condition, and what has not left.
      this._conn._showInput(new BodyFrame(body));
      return;
    }
    const receive: Answered = (req) => this._conn._dataRecv(req);
    const answered = this.#answered.shift() ?? ((req: Request) => this._onRequestStateChange(receive, req));
    answered(new AnsweredRequest(body, answered, this.rid - 1, () => this.lastResponseHeaders));
  }

  /** The state of a request has changed: a request of the stream, or one that the page passed in. */
  _onRequestStateChange(func: Answered, req: Request): void {
    if (req.abort) {
      req.abort = false;
      return;
    }
    if (req.xhr.readyState !== 4) return;
    const { _conn } = this;
    const status = BoshTerms._getRequestStatus(req);
    if (!(req instanceof AnsweredRequest)) this._noteHeaders(req.xhr.getAllResponseHeaders?.() ?? null);
    this._removeRequest(req);
    if (status === 200) {
      _conn.nextValidRid(req.rid + 1);
      func(req);
      this.errors = 0;
    } else {
      this.#handleFailure(req, status);
    }
  }

  #handleFailure(req: Request, status: number): void {
    const { _conn } = this;
    log.error(`A request failed with status ${status}.`);
    this._hitError(status);
    this._callProtocolErrorHandlers(req);
    if (_conn.disconnecting) return;
    if (status >= 400 && status < 500) {
      _conn._changeConnectStatus(Status.DISCONNECTING, null);
      _conn._doDisconnect();
    } else if (this.#stream && req.sends > _conn.maxRetries && !_conn.connected) {
      this._abortAllRequests();
      _conn._changeConnectStatus(Status.CONNFAIL, "giving-up");
    }
  }

  /** An HTTP response, or its absence (status 0), before the stream handles it. */
  #observe(stream: Stream, status: number, headers: Headers | null): void {
    if (stream !== this.#stream) return;
    this._noteHeaders(headers);
    if (status === 200) return;
    const req = new AnsweredRequest(undefined, () => {}, this.rid - 1, () => headersAsText(headers));
    req.sends = this.errors + 1;
    req.xhr.status = status;
    this._onRequestStateChange(() => {}, req);
  }

  _hitError(status: number): void {
    this.errors += 1;
    log.warn(`Failure ${this.errors} without a success in between, status ${status}.`);
    // In an established session the stream decides how long it retries.
    const isOpen = this.#stream && !this.#reopen;
    if (this.errors > MOST_ERRORS && !isOpen) this._conn._onDisconnectTimeout();
  }

  #handleClose(error: XmppError | undefined, unsent: readonly Stanza[] = []): void {
    const { _conn } = this;
    if (_conn._mayReopen()) _conn._data = [...unsent.map((view) => elementOf(view)), ..._conn._data];
    const isLeaving = this.#isLeaving || _conn.disconnecting;
    const reopen = this.#reopen;
    this.#drop();
    this.#isLeaving = false;
    if (isLeaving) {
      // The page's own limit ends it.
      if (!error && this.#farewell?.isAwaited && _conn._disconnectTimeout) return;
      if (error) _conn._onDisconnectTimeout();
      else _conn._doDisconnect();
      return;
    }
    if (error) log.error(`The BOSH session ended: ${error.message}`);
    if (reopen && error && mayPass(error) && !_conn._isReopening()) {
      // An aborted request has no status.
      if (error.code === "timeout") this._hitError(0);
      if (this.errors <= MOST_ERRORS) this.#openAgain(reopen);
      return;
    }
    tellEnd(_conn, error);
  }

  _reqToData(req: Request | Element): Element | null | undefined {
    try {
      return (req as Request).getResponse();
    } catch (error) {
      if ((error as Error).message !== "parsererror") throw error;
      this._conn.disconnect("strophe-parsererror");
      return undefined;
    }
  }

  /** @internal */
  _readsPlainly(req: Request): boolean {
    return this._reqToData === Bosh.prototype._reqToData && req.getResponse === AnsweredRequest.prototype.getResponse && !isReadByPage();
  }

  /** Sends a body that a plugin has built: its children, and what its attributes request. Its function gets the next response. */
  _processRequest(index: number): void {
    const [req] = this._requests.splice(index, 1);
    const body = req?.xmlData;
    if (!req || !body) return;
    req.sends += 1;
    req.date = Date.now();
    const has = (name: string): boolean => body.getAttribute(name) !== null;
    if (!this.#running() && !has("sid") && has("to")) {
      this.#open(openingOptions(body), (answer) => req.func(answer));
      return;
    }
    if (body.getAttribute("type") === "terminate") {
      this.#leave(elementsIn(body)[0] ?? null);
      return;
    }
    this.#answered.push((answer) => req.func(answer));
    this._conn._data.push(...elementsIn(body));
    if (has("xmpp:restart")) this._conn._data.push("restart");
    this.#sendAll();
  }
}

noteOriginal(Bosh.prototype);
