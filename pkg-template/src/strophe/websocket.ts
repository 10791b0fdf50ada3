// `Websocket`: strophe.js's WebSocket transport (RFC 7395) on the stream of the public API. A received frame stays a view until a handler
// needs DOM. Text or DOM that a page passes in takes the same path as in strophe.js.

import type { StreamOptions } from "../xmpp-stream.js";
import { $build, Builder } from "./builder.js";
import type { Connection, Queued } from "./connection.js";
import { ErrorCondition, NS, Status } from "./constants.js";
import { Dispatch } from "./dispatch.js";
import { wrapperOf } from "./dom.js";
import log from "./log.js";
import { StreamSocket, type SocketLike, type SocketMessage } from "./stream-socket.js";
import { makeStream, moduleFault, type Transport } from "./transport.js";
import { toElement } from "./utils.js";

const CLOSED = 3;
const NOT_CONNECTED = "The WebSocket connection could not be established or was disconnected.";
const XMPP_STREAMS = "urn:ietf:params:xml:ns:xmpp-streams";

/** The WebSocket transport of a connection. */
export class Websocket implements Transport {
  _conn: Connection;
  strip: string | boolean = "wrapper";
  /** `undefined` until the first `connect()`. */
  declare socket: SocketLike | null;
  #isSending = false;

  constructor(connection: Connection) {
    this._conn = connection;
    connection.service = absoluteService(connection.service, connection.options.protocol);
  }

  /** The header of a stream. */
  _buildStream(): Builder {
    return $build("open", { xmlns: NS.FRAMING, to: this._conn.domain as string, version: "1.0" });
  }

  _reset(): void {}

  _connect(): void {
    this._closeSocket();
    const { _conn } = this;
    const options: StreamOptions = { domain: _conn.domain as string, WebSocket: globalThis.WebSocket };
    let socket: StreamSocket;
    try {
      const stream = makeStream(_conn.service, options);
      socket = new StreamSocket(stream);
      this.socket = socket;
      this.#listen(socket);
      stream.open();
    } catch (error) {
      this._onError(error);
      if (moduleFault(error)) throw error;
    }
  }

  #listen(socket: SocketLike): void {
    socket.onopen = () => this._onOpen();
    socket.onmessage = (message) => this._onInitialMessage(message);
    socket.onerror = (error) => this._onError(error);
    socket.onclose = (event) => this._onClose(event);
  }

  /** Handles that the socket is open and the stream has sent its header. */
  _onOpen(): void {
    const header = this._buildStream();
    this.#showOutput(header.tree(), Builder.serialize(header));
  }

  #showOutput(elem: Element, text: string): void {
    this._conn.xmlOutput(elem);
    this._conn.rawOutput(text);
  }

  #showInput(message: SocketMessage, elem: () => Element): void {
    if (this._conn.xmlInput !== Dispatch.prototype.xmlInput) this._conn.xmlInput(elem());
    if (this._conn.rawInput !== Dispatch.prototype.rawInput) this._conn.rawInput(message.data);
  }

  _connect_cb(elem: Element): number | void {
    return this._checkStreamError(elem, Status.CONNFAIL) ? Status.CONNFAIL : undefined;
  }

  /** Handles frames before the login: headers, an error, or features. */
  _onInitialMessage(message: SocketMessage): void {
    const name = framingName(message);
    if (name === "open") {
      const elem = elementIn(message);
      this.#showInput(message, () => elem);
      if (this._handleStreamStart(elem)) this._connect_cb(elem);
    } else if (name === "close") {
      const elem = elementIn(message);
      this.#showInput(message, () => elem);
      this.#handleRefusal(elem.getAttribute("see-other-uri"));
    } else if (name !== "nothing") {
      this._replaceMessageHandler();
      this._conn._connect_cb(wrapperOf(elementIn(message)), null, message.data);
    }
  }

  #handleRefusal(address: string | null): void {
    const { _conn } = this;
    if (!address) {
      _conn._changeConnectStatus(Status.CONNFAIL, "Received closing stream");
      _conn._doDisconnect();
      return;
    }
    // A redirect from an encrypted to an unencrypted connection is not followed.
    if (!/^wss?:/.test(address) || (_conn.service.startsWith("wss:") && !address.startsWith("wss:"))) return;
    _conn._changeConnectStatus(Status.REDIRECT, "Received see-other-uri, resetting connection");
    if (!_conn._isReopening()) _conn.reset();
    _conn.service = address;
    this._connect();
  }

  /** Passes all later frames to `_onMessage`. */
  _replaceMessageHandler(): void {
    if (this.socket) this.socket.onmessage = (message) => this._onMessage(message);
  }

  _handleStreamStart(header: Element): boolean {
    const ns = header.getAttribute("xmlns");
    const version = header.getAttribute("version");
    let error: string | undefined;
    if (ns === null) error = "Missing xmlns in <open />";
    else if (ns !== NS.FRAMING) error = `Wrong xmlns in <open />: ${ns}`;
    if (version === null) error = "Missing version in <open />";
    else if (version !== "1.0") error = `Wrong version in <open />: ${version}`;
    if (!error) return true;
    this._conn._changeConnectStatus(Status.CONNFAIL, error);
    this._conn._doDisconnect();
    return false;
  }

  /** Whether the element contains a stream error, which is then reported with `connectstatus`. */
  _checkStreamError(elem: Element, status: number): boolean {
    const [error] = elem.getElementsByTagNameNS(NS.STREAM, "error");
    if (!error) return false;
    let condition = "";
    for (let node = error.firstChild; node; node = node.nextSibling) {
      if (node.nodeType !== 1) continue;
      if ((node as Element).namespaceURI !== XMPP_STREAMS) break;
      if (node.nodeName !== "text") condition = node.nodeName;
    }
    log.error(`The server ended the stream: ${condition || "unknown"}`);
    this._conn._changeConnectStatus(status, condition);
    this._conn._doDisconnect();
    return true;
  }

  /** Handles the features and all later frames. */
  _onMessage(message: SocketMessage): void {
    const { _conn } = this;
    const name = framingName(message);
    if (name === "close") {
      this.#showInput(message, () => elementIn(message));
      if (!_conn.disconnecting) _conn._doDisconnect();
      return;
    }
    if (name === "open") {
      const elem = elementIn(message);
      if (this._handleStreamStart(elem)) _conn._dataRecv(elem, message.data);
      return;
    }
    const { frame } = message;
    if (frame && frame.view.ns !== NS.STREAM && _conn._dataRecv === Dispatch.prototype._dataRecv) {
      const { view } = frame;
      if (_conn.disconnecting && view.name === "presence" && view.type === "unavailable") _conn._showInput(frame, undefined);
      else _conn._receive(frame, _conn.rawInput === Dispatch.prototype.rawInput ? undefined : message.data);
      return;
    }
    const elem = wrapperOf(elementIn(message));
    if (this._checkStreamError(elem, Status.ERROR)) return;
    _conn._dataRecv(elem, message.data);
  }

  _disconnect(pres?: Element | Builder | null): void {
    const { socket, _conn } = this;
    if (socket && socket.readyState !== CLOSED) {
      if (pres) _conn.send(pres as Element);
      const farewell = $build("close", { xmlns: NS.FRAMING });
      const text = Builder.serialize(farewell);
      this.#showOutput(farewell.tree(), text);
      try {
        socket.send(text);
      } catch (error) {
        log.warn(`<close/> cannot be sent: ${(error as Error).message}`);
      }
    }
    const { disconnecting } = _conn;
    setTimeout(() => {
      // A handler may have ended the connection, and the page may have connected again.
      const isOver = disconnecting && !_conn.disconnecting;
      const isReplaced = this.socket !== null && this.socket !== socket;
      if (!isOver && !isReplaced) _conn._doDisconnect();
    }, 0);
  }

  _doDisconnect(): void {
    this._closeSocket();
  }

  /** Ends the socket at once, unless a `<close/>` is being sent. */
  _closeSocket(): void {
    const { socket } = this;
    this.socket = null;
    if (!socket) return;
    try {
      socket.onopen = null;
      socket.onclose = null;
      socket.onerror = null;
      socket.onmessage = null;
      socket.close();
    } catch (error) {
      log.debug((error as Error).message);
    }
  }

  _emptyQueue(): boolean {
    return true;
  }

  _onClose(event?: { code?: number } | null): void {
    const { _conn } = this;
    if (_conn.connected && !_conn.disconnecting) {
      log.error("The WebSocket was closed.");
      _conn._doDisconnect();
    } else if (event?.code === 1006 && !_conn.connected && this.socket) {
      log.error("The WebSocket was closed before the login.");
      _conn._changeConnectStatus(Status.CONNFAIL, NOT_CONNECTED);
      _conn._doDisconnect();
    }
  }

  _onError(error: unknown): void {
    log.error(`The WebSocket failed: ${(error as Error | undefined)?.message ?? ""}`);
    this._conn._changeConnectStatus(Status.CONNFAIL, moduleFault(error) ?? NOT_CONNECTED);
    this._disconnect();
  }

  _no_auth_received(callback?: unknown): void {
    log.error("The server has not offered a mechanism that can be used.");
    this._conn._changeConnectStatus(Status.CONNFAIL, ErrorCondition.NO_AUTH_MECH);
    if (typeof callback === "function") (callback as (this: Connection) => void).call(this._conn);
    this._conn._doDisconnect();
  }

  _onDisconnectTimeout(): void {}

  _abortAllRequests(): void {}

  /** Sends the queued elements, each in its own frame. */
  _onIdle(): void {
    const { _conn } = this;
    // Elements that the page sends from within `xmlOutput` are appended to the array, and sent after the current element.
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (_conn._data.length && !_conn.paused && this.socket) this.#sendNext(this.socket, _conn._data.shift() as Queued);
    } finally {
      this.#isSending = false;
    }
  }

  #sendNext(socket: SocketLike, next: Queued): void {
    if (next === null) return;
    const elem = next === "restart" ? this._buildStream().tree() : next;
    const text = Builder.serialize(elem);
    this.#showOutput(elem, text);
    this.#write(socket, text);
  }

  #write(socket: SocketLike, text: string): void {
    try {
      socket.send(text);
    } catch (error) {
      // An element that cannot be sent does not block the others.
      log.error(`An element cannot be sent and is left out: ${(error as Error).message}`);
    }
  }

  _send(): void {
    this._conn.flush();
  }

  _sendRestart(): void {
    this._conn.flush();
  }

  _streamWrap(stanza: string): string {
    return `<wrapper>${stanza}</wrapper>`;
  }

  _reqToData(req: unknown): Element | null {
    return req as Element | null;
  }

  /** @internal */
  _readsPlainly(): boolean {
    return true;
  }
}

/** Whether the first element, by its name, belongs to the framing (RFC 7395 §3.3); `nothing` for an empty frame. */
function framingName(message: SocketMessage): string {
  const view = message.frame?.view;
  if (view) return view.ns === NS.FRAMING ? view.name : "";
  const text = message.data.replace(/^(<\?.*?\?>\s*)*/, "");
  if (text === "") return "nothing";
  return /^<(open|close)[\s/>]/.exec(text)?.[1] ?? "";
}

const elementIn = (message: SocketMessage): Element => message.frame?.shown() ?? toElement(message.data);

/** The absolute address of a service that is given as a path. */
function absoluteService(service: string, protocol: string | undefined): string {
  if (/^wss?:/.test(service) || typeof location === "undefined") return service;
  const scheme = protocol === "ws" && location.protocol !== "https:" ? "ws" : "wss";
  const path = service.startsWith("/") ? service : location.pathname + service;
  return `${scheme}://${location.host}${path}`;
}
