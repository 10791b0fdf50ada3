// A stream of the public API with the interface of a `WebSocket`, which strophe.js's members around `_proto.socket` use.

import type { XmppError } from "../errors.js";
import type { Registration } from "../events.js";
import type { Stanza } from "../stanza.js";
import type { Stream } from "../xmpp-stream.js";
import { SocketFrame } from "./arrival.js";
import { NS } from "./constants.js";

/** A frame. Its text is serialised when it is first read. */
export interface SocketMessage {
  readonly data: string;
  /** The parsed frame, if the stream has read it. */
  readonly frame?: SocketFrame;
}

/** The members of a `WebSocket` that strophe.js uses. */
export interface SocketLike {
  readyState: number | null;
  onopen: (() => void) | null;
  onmessage: ((message: SocketMessage) => void) | null;
  onerror: ((error: unknown) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

/** RFC 6455 §7.4.1: a normal closure, and a closure without a close frame. */
const NORMAL = 1000;
const ABNORMAL = 1006;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** One stream over WebSocket. */
export class StreamSocket implements SocketLike {
  readyState: number = CONNECTING;
  onopen: (() => void) | null = null;
  onmessage: ((message: SocketMessage) => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly #stream: Stream;
  readonly #registrations: Registration[];

  /** Opens the stream. No event is reported before the page has set its functions. */
  constructor(stream: Stream) {
    this.#stream = stream;
    this.#registrations = [
      stream.on("sent", () => this.#open()),
      stream.on("frame", (view) => this.#handleFrame(view)),
      stream.on("close", ({ error }) => this.#handleClose(error)),
    ];
  }

  /** Handles that the socket is open: the stream sends its `<open/>` at that moment. */
  #open(): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.#registrations.shift()?.remove();
    this.onopen?.();
  }

  #handleFrame(view: Stanza): void {
    this.#open();
    const frame = new SocketFrame(view);
    this.onmessage?.({
      frame,
      get data() {
        return frame.text();
      },
    });
  }

  #handleClose(error: XmppError | undefined): void {
    const wasOpen = this.readyState !== CONNECTING;
    this.readyState = CLOSED;
    const { onerror, onclose } = this;
    if (error && !wasOpen) onerror?.(error);
    onclose?.({ code: error ? ABNORMAL : NORMAL });
  }

  send(text: string): void {
    const [, name] = /^\s*<([^\s/>]+)/.exec(text) ?? [];
    if (name === "open" && text.includes(NS.FRAMING)) {
      this.#stream.restart();
    } else if (name === "close" && text.includes(NS.FRAMING)) {
      this.readyState = CLOSING;
      this.#stream.close();
    } else {
      this.#stream.send(text);
    }
  }

  /** Ends the stream at once, unless its `<close/>` is being sent. */
  close(): void {
    for (const registration of this.#registrations.splice(0)) registration.remove();
    if (this.readyState < CLOSING) this.#stream.abort();
    this.readyState = CLOSED;
  }
}
