// The state of a BOSH session: its terms, from the first response, and the headers of the last response.

import { numberOf } from "./bosh-options.js";
import type { Connection } from "./connection.js";
import { Status } from "./constants.js";
import { headersAsText } from "./http-status.js";
import { keepSession } from "./kept-session.js";
import log from "./log.js";
import type { Request } from "./request.js";

let timeoutMultiplier = 1.1;
let secondaryTimeoutMultiplier = 0.1;

/** The terms of a session. */
export abstract class BoshTerms {
  _conn: Connection;
  sid: string | null = null;
  hold = 1;
  wait = 60;
  window = 5;
  errors = 0;
  inactivity: number | null = null;
  strip: string | boolean = false;
  #headers: Headers | string | null = null;

  constructor(connection: Connection) {
    this._conn = connection;
  }

  static setTimeoutMultiplier(multiplier: number): void {
    timeoutMultiplier = multiplier;
  }

  static getTimeoutMultplier(): number {
    return timeoutMultiplier;
  }

  static setSecondaryTimeoutMultiplier(multiplier: number): void {
    secondaryTimeoutMultiplier = multiplier;
  }

  static getSecondaryTimeoutMultplier(): number {
    return secondaryTimeoutMultiplier;
  }

  static _getRequestStatus(req: Request, otherwise = 0): number {
    return (req.xhr.readyState === 4 ? req.xhr.status : undefined) ?? otherwise;
  }

  abstract get rid(): number;
  abstract set rid(rid: number);

  /** The headers of the last response, in the form of `XMLHttpRequest.getAllResponseHeaders()`. */
  get lastResponseHeaders(): string | null {
    return headersAsText(this.#headers);
  }

  set lastResponseHeaders(headers: string | null) {
    this.#headers = headers;
  }

  /** Stores the headers of a response. Their text is created when it is first read. @internal */
  _noteHeaders(headers: Headers | string | null): void {
    this.#headers = headers;
  }

  /** Stores the data that `restore()` needs. */
  _cacheSession(): void {
    const { authenticated, jid } = this._conn;
    const { rid, sid } = this;
    if (!authenticated) keepSession(null);
    else if (jid && rid && sid) keepSession({ jid, rid, sid });
  }

  /** Reads the terms of the session from its first body. */
  _connect_cb(body: Element): number | void {
    if (body.getAttribute("type") === "terminate") {
      log.error(`The BOSH service refused the session: ${body.getAttribute("condition")}`);
      this._conn._handleTerminate(body);
      return Status.CONNFAIL;
    }
    if (!this.sid) this.sid = body.getAttribute("sid");
    this.window = numberOf(body, "requests") ?? this.window;
    this.hold = numberOf(body, "hold") ?? this.hold;
    this.wait = numberOf(body, "wait") ?? this.wait;
    this.inactivity = numberOf(body, "inactivity") ?? this.inactivity;
  }

  _callProtocolErrorHandlers(req: Request): void {
    const status = req.xhr.readyState === 4 ? req.xhr.status : 0;
    this._conn.protocolErrorHandlers.HTTP[status]?.call(this, status);
  }
}
