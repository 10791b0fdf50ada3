// The part of `Connection` that passes elements to handlers and runs timed handlers. Order, removal and the rules for the login are those
// of strophe.js 5.0.0. There is no periodic tick: one timer is armed for the next timed handler.

import { ElementFrame, type Arrival, type Frame } from "./arrival.js";
import { ErrorCondition, Status } from "./constants.js";
import { Handler, TimedHandler, type HandlerOptions, type StanzaCallback } from "./handler.js";
import { HandlerIndex, isFor } from "./handlers.js";
import log from "./log.js";
import { AnsweredRequest, type Request } from "./request.js";
import type { Transport } from "./transport.js";
import type { StreamManagementController } from "./stream-management.js";

/** A timer's longest delay, in milliseconds: larger ones fire at once. */
const LONGEST = 2 ** 31 - 1;

/** In milliseconds. strophe.js looks at its handlers so often: pages with shorter periods see what happens in between. */
const SHORTEST_PERIOD = 100;

const dueAt = ({ lastCalled, period }: TimedHandler): number => lastCalled + Math.max(period, SHORTEST_PERIOD);

/** Handlers, timed handlers, and the dispatch of received elements. */
export abstract class Dispatch {
  handlers: Handler[] = [];
  addHandlers: Handler[] = [];
  removeHandlers: Handler[] = [];
  timedHandlers: TimedHandler[] = [];
  addTimeds: TimedHandler[] = [];
  removeTimeds: TimedHandler[] = [];

  authenticated = false;
  connected = false;
  disconnecting = false;

  _idleTimeout: ReturnType<typeof setTimeout> | null = null;
  declare _proto: Transport;
  declare iqFallbackHandler: Handler;
  declare sm?: StreamManagementController;

  readonly #index = new HandlerIndex();
  #isFlushing = false;

  abstract _changeConnectStatus(status: number, condition?: string | null, elem?: Element | null): void;
  abstract _doDisconnect(condition?: string | null): void;

  /** The page may replace this method. Called with each body or element that is received. */
  xmlInput(_elem: Element): void {}

  /** The page may replace this method. Called with each body or element that is sent. */
  xmlOutput(_elem: Element): void {}

  /** The page may replace this method. Called with the text of each body or frame that is received. */
  rawInput(_data: string): void {}

  /** The page may replace this method. Called with the text of each body or frame that is sent. */
  rawOutput(_data: string): void {}

  /** Calls `handler` with each stanza that meets all given conditions. The handler stays while its result is truthy. */
  addHandler(
    handler: StanzaCallback,
    ns?: string | null,
    name?: string | null,
    type?: string | string[] | null,
    id?: string | null,
    from?: string | null,
    options?: HandlerOptions,
  ): Handler {
    const added = new Handler(handler, ns, name, type, id, from, options);
    this.addHandlers.push(added);
    return added;
  }

  /** Removes a handler before the next body or frame is dispatched. */
  deleteHandler(handler: Handler | null): void {
    this.removeHandlers.push(handler as Handler);
    // A handler that was added but is not active yet must not become active.
    const at = this.addHandlers.indexOf(handler as Handler);
    if (at >= 0) this.addHandlers.splice(at, 1);
  }

  /** Calls `handler` every `period` milliseconds after the login, while its result is truthy. */
  addTimedHandler(period: number, handler: () => unknown): TimedHandler {
    return this.#addTimed(new TimedHandler(period, handler));
  }

  deleteTimedHandler(handler: TimedHandler | null): void {
    this.removeTimeds.push(handler as TimedHandler);
  }

  _addSysTimedHandler(period: number, handler: () => unknown): TimedHandler {
    const added = new TimedHandler(period, handler);
    added.user = false;
    return this.#addTimed(added);
  }

  #addTimed(handler: TimedHandler): TimedHandler {
    this.addTimeds.push(handler);
    this._scheduleIdle();
    return handler;
  }

  _addSysHandler(handler: StanzaCallback, ns?: string | null, name?: string | null, type?: string | null, id?: string | null): Handler {
    const added = new Handler(handler, ns, name, type, id, null);
    added.user = false;
    this.addHandlers.push(added);
    return added;
  }

  /** Removes all handlers. */
  _dropHandlers(): void {
    this.handlers = [];
    this.addHandlers = [];
    this.removeHandlers = [];
    this.timedHandlers = [];
    this.addTimeds = [];
    this.removeTimeds = [];
  }

  /** Forgets the handlers of a login, and keeps those of the page. */
  _dropSysHandlers(): void {
    const isOfPage = ({ user }: Handler | TimedHandler): boolean => user;
    this.handlers = this.handlers.filter(isOfPage);
    this.addHandlers = this.addHandlers.filter(isOfPage);
    this.timedHandlers = this.timedHandlers.filter(isOfPage);
    this.addTimeds = this.addTimeds.filter(isOfPage);
    this._scheduleIdle();
  }

  /** Sends the queued elements at the end of the turn. */
  _flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this._onIdle();
    });
  }

  /** Sends the queued elements, and calls the timed handlers that are due. */
  _onIdle(): void {
    while (this.addTimeds.length) this.timedHandlers.push(this.addTimeds.pop() as TimedHandler);
    while (this.removeTimeds.length) {
      const at = this.timedHandlers.indexOf(this.removeTimeds.pop() as TimedHandler);
      if (at >= 0) this.timedHandlers.splice(at, 1);
    }
    this.#callDue(Date.now());
    (this._proto as Partial<Transport>)._onIdle?.();
    this._scheduleIdle();
  }

  #callDue(now: number): void {
    const all = this.timedHandlers;
    const staying: TimedHandler[] = [];
    for (const handler of all) {
      // Timed handlers of the page wait for the login.
      const waits = (!this.authenticated && handler.user) || dueAt(handler) > now;
      if (waits || handler.run()) staying.push(handler);
    }
    if (this.timedHandlers === all) this.timedHandlers = staying;
  }

  /** Arms the timer for the next timed handler. */
  _scheduleIdle(): void {
    clearTimeout(this._idleTimeout ?? undefined);
    this._idleTimeout = null;
    let next = Infinity;
    for (const handler of [...this.timedHandlers, ...this.addTimeds]) {
      if (this.authenticated || !handler.user) next = Math.min(next, dueAt(handler));
    }
    if (next === Infinity) return;
    const delay = Math.min(LONGEST, Math.max(0, next - Date.now()));
    this._idleTimeout = setTimeout(() => this._onIdle(), delay);
  }

  /** Handles a received body (given as the request that it responds to) or element. */
  _dataRecv(req: Element | Request, raw?: string): void {
    const frame = this._frameOf(req);
    if (frame) this._receive(frame, raw);
  }

  /** Converts the received data to DOM only if the page has replaced the method that reads bodies. */
  _frameOf(req: Element | Request): Frame | null {
    // COMPAT(tests of applications): they replace the transport with objects that have few methods.
    const transport: Partial<Transport> = this._proto;
    if (req instanceof AnsweredRequest && transport._readsPlainly?.(req)) return req.frame;
    const elem = transport._reqToData ? transport._reqToData(req) : "getResponse" in req ? req.getResponse() : req;
    return elem ? new ElementFrame(elem) : null;
  }

  /** Passes the received data to the page's `xmlInput` and `rawInput`, if the page has set them. */
  _showInput(frame: Frame, raw?: string): void {
    if (this.xmlInput !== Dispatch.prototype.xmlInput) this.xmlInput(frame.shown(this._proto.strip));
    if (this.rawInput !== Dispatch.prototype.rawInput) this.rawInput(raw ?? frame.text());
  }

  _receive(frame: Frame, raw?: string): void {
    this._showInput(frame, raw);
    this.#updateHandlers();
    if (this.disconnecting && this._proto._emptyQueue()) {
      this._doDisconnect();
      return;
    }
    if (frame.attr("type") === "terminate") {
      if (!this.disconnecting) this._handleTerminate(frame.element());
      return;
    }
    for (const arrival of frame.arrivals) this.#dispatch(arrival);
  }

  #updateHandlers(): void {
    this.#index.follow(this.handlers);
    while (this.removeHandlers.length) this.#index.remove(this.removeHandlers.pop() as Handler);
    // From the end, as in strophe.js: of handlers that are added together, the last one is called first.
    while (this.addHandlers.length) this.#index.add(this.addHandlers.pop() as Handler);
  }

  /** The server has ended the BOSH session. */
  _handleTerminate(body: Element): void {
    let condition = body.getAttribute("condition");
    if (condition === "remote-stream-error" && body.getElementsByTagName("conflict").length) condition = ErrorCondition.CONFLICT;
    this._changeConnectStatus(Status.CONNFAIL, condition ?? ErrorCondition.UNKNOWN_REASON);
    this._doDisconnect(condition);
  }

  #dispatch(arrival: Arrival): void {
    this.sm?.onInboundStanza(arrival.name);
    const { handlers } = this;
    this.#index.follow(handlers);
    let isMatched = false;
    const leaving: Handler[] = [];
    for (const handler of this.#index.candidates(arrival)) {
      try {
        if (!isFor(handler, arrival) || !(this.authenticated || !handler.user)) continue;
        if (!handler.run(arrival.element())) leaving.push(handler);
        isMatched = true;
      } catch (error) {
        log.warn(`A handler is removed because it threw: ${(error as Error).message}`);
        leaving.push(handler);
      }
    }
    // A handler may have reset the connection; the handler is then already removed.
    if (this.handlers === handlers) {
      this.#index.follow(handlers);
      for (const handler of leaving) this.#index.remove(handler);
    }
    if (!isMatched && this.#isRequest(arrival) && this.iqFallbackHandler.isMatch(arrival.element())) {
      this.iqFallbackHandler.run(arrival.element());
    }
  }

  /** Whether the default reply may apply. Otherwise no DOM is built for an element that no handler matches. */
  #isRequest(arrival: Arrival): boolean {
    const { type } = this.iqFallbackHandler;
    return !isDefaultFallback(this.iqFallbackHandler) || (Array.isArray(type) && type.includes(arrival.attr("type") ?? ""));
  }
}

const isDefaultFallback = (handler: Handler): boolean =>
  handler.isMatch === Handler.prototype.isMatch && Array.isArray(handler.type) && !handler.name && !handler.ns;
