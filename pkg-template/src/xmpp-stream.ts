/// <reference lib="esnext.disposable" preserve="true" />
// `Stream`: an XMPP stream by hand. The page logs in step by step, sends any element and gets every frame; the module keeps the
// order, repeats what breaks, and ends in order.

import type { StreamSettings, StreamSink } from "./core.js";
import { disposeBy } from "./dispose.js";
import { type ProblemKind, type XmppError, badArgument, closeReason, problem } from "./errors.js";
import { Listeners, type Registration, registrationOf } from "./events.js";
import { guarded, mustBeWhole } from "./fault.js";
import type { ClientOptions } from "./options.js";
import { Reader } from "./reader.js";
import { type PackedText, type Stanza, stanzaOf } from "./stanza.js";
import { StreamCore } from "./stream-core.js";
import { streamModule } from "./stream-module.js";
import { addressesOf, replacementsOf, ridOption, transportSettings } from "./transport-options.js";
import { type Sendable, markupOf } from "./xml.js";

/**
 * What a stream is opened with.
 * @example
 * const options: StreamOptions = { domain: "example.org", lang: "en", wait: 59 };
 */
export interface StreamOptions
  extends Pick<
    ClientOptions,
    "lang" | "wait" | "hold" | "headers" | "withCredentials" | "contentType" | "timeout" | "maxBytes" | "WebSocket" | "fetch"
  > {
  /** The domain to reach. */
  domain: string;
  /** The JID that is going to log in, for the stream's header. Leave it out where the connection is not encrypted. */
  from?: string;
  /** BOSH: which server the connection manager is to use, `xmpp:host:port` (XEP-0124 §7.1). */
  route?: string;
}

/**
 * A BOSH session that was made elsewhere.
 * @example
 * const session: StreamSession = { sid: "a1", rid: 4711 };
 */
export interface StreamSession {
  /** The session's id (XEP-0124 §7.2). */
  sid: string;
  /** The rid of the **next** request. */
  rid: number | string;
  /** The full JID that it is bound to: for the page alone, the stream does not use it. */
  jid?: string;
}

/**
 * What a stream tells.
 * @example
 * const log = (text: StreamEvents["sent"]) => console.log(text);
 * stream.on("sent", log);
 */
export interface StreamEvents {
  /**
   * What arrived, in the order of the requests. BOSH: a whole `<body/>`, whose children are the elements. WebSocket: one element, also
   * `<open/>` and `<close/>`.
   */
  frame: Stanza;
  /** Each element of a frame in turn: features, SASL, stanzas and what is none. Not the stream's own `<open/>` and `<close/>`. */
  element: Stanza;
  /** The text of a BOSH body or WebSocket frame that was handed to the platform; a repetition, too. */
  sent: string;
  /** What arrived, as XML: the element of `frame`, before that event. */
  received: string;
  /**
   * The stream is at its end, once. Without `error` it was closed in order, by `close()` or `abort()`. `unsent`, where there is any: what
   * `send()` took and has not left, as it was in no request yet (BOSH), in order.
   */
  close: { error?: XmppError; unsent?: Stanza[] };
}

const HTTP_BIND = "http://jabber.org/protocol/httpbind";
const FRAMING = "urn:ietf:params:xml:ns:xmpp-framing";

/** What the module tells. While the stream is running, the module holds it, and it holds the page's stream. */
class StreamHub implements StreamSink {
  readonly core: StreamCore;
  readonly isBosh: boolean;
  readonly listeners = new Listeners<StreamEvents>([], ["frame", "element", "sent", "received", "close"]);
  /** Keeps the page's stream alive for as long as the module holds this hub. */
  readonly owner: Stream;
  readonly #replacements: ReadonlyMap<string, unknown>;
  readonly #unsent: Stanza[] = [];

  constructor(owner: Stream, settings: StreamSettings, replacements: ReadonlyMap<string, unknown>) {
    mustBeWhole();
    this.owner = owner;
    this.#replacements = replacements;
    this.core = guarded(() => new StreamCore(this, settings));
    this.isBosh = this.core.isBosh;
  }

  problem(kind: string, first: string | undefined, second: string | undefined): XmppError {
    return problem(kind as ProblemKind, first, second);
  }

  closeReason(
    code: string,
    sentence: string,
    detail: string | undefined,
    condition: string | undefined,
    text: string | undefined,
    httpStatus: number | undefined,
    service: string | undefined,
  ): XmppError {
    return closeReason({ code, sentence, detail, condition, text, httpStatus, service });
  }

  replacement(name: string): unknown {
    return this.#replacements.get(name);
  }

  frame(text: PackedText, words: Uint32Array): void {
    const frame = stanzaOf(text, words);
    const { listeners } = this;
    if (listeners.wants("received")) listeners.emit("received", frame.toString());
    // Before a listener frees the frame.
    const elements = listeners.wants("element") ? this.#elementsOf(frame) : [];
    listeners.emit("frame", frame);
    for (const element of elements) listeners.emit("element", element);
  }

  #elementsOf(frame: Stanza): Stanza[] {
    if (!this.isBosh) return frame.ns === FRAMING ? [] : [frame];
    // `<uri/>` is the transport's (XEP-0124 §17.2).
    return frame.children().filter((element) => element.ns !== HTTP_BIND);
  }

  sentText(text: string): void {
    this.listeners.emit("sent", text);
  }

  unsent(text: PackedText, words: Uint32Array): void {
    this.#unsent.push(stanzaOf(text, words));
  }

  closed(error: XmppError | undefined): void {
    const unsent = this.#unsent;
    this.listeners.emit("close", { ...(error && { error }), ...(unsent.length && { unsent }) });
  }
}

/**
 * An XMPP stream by hand, over BOSH (`http:`, `https:`) or WebSocket (`ws:`, `wss:`): for logins of your own, and for libraries that
 * bring their own. There is no automatic presence, reply, reconnecting or stream management; a silent server is not asked whether it
 * is there. It is used once. `await init()` first.
 * @example
 * await init();
 * const stream = new Stream("/http-bind", { domain: "example.org" });
 * stream.on("element", (element) => console.log(element.name));
 * stream.open();
 */
export class Stream {
  #hub: StreamHub | undefined;
  readonly #isBosh: boolean;
  readonly #service: string;

  /**
   * Opens nothing yet: register listeners first, then `open()` or `attach()`.
   * @example
   * const stream = new Stream("wss://example.org/ws", { domain: "example.org" });
   */
  constructor(service: string | URL, options: StreamOptions) {
    streamModule.mustBeLoaded();
    const services = addressesOf(service);
    if (typeof options !== "object" || options === null) throw badArgument("The options are missing: give { domain }.");
    const read = new Reader(options);
    const domain = read.text("domain");
    if (domain === undefined) throw badArgument("'domain' is missing: the name of the XMPP server to reach.");
    const settings = { services, domain, from: read.jid("from"), route: read.text("route"), ...transportSettings(read) };
    const replacements = replacementsOf(read);
    read.done();
    this.#hub = new StreamHub(this, settings, replacements);
    this.#isBosh = this.#hub.isBosh;
    this.#service = this.#hub.core.service;
  }

  get #ready(): StreamHub {
    if (!this.#hub) throw problem("object-freed");
    return this.#hub;
  }

  #call<T>(act: (core: StreamCore) => T): T {
    const { core } = this.#ready;
    return guarded(() => act(core));
  }

  /**
   * Whether it is BOSH; otherwise it is WebSocket.
   * @example
   * if (stream.isBosh) console.log(stream.sid);
   */
  get isBosh(): boolean {
    return this.#isBosh;
  }

  /**
   * The absolute address of the service.
   * @example
   * console.log(stream.service); // "https://example.org/http-bind"
   */
  get service(): string {
    return this.#service;
  }

  /**
   * BOSH: the session's id, once there is a session.
   * @example
   * sessionStorage.setItem("session", JSON.stringify({ sid: stream.sid, rid: stream.rid }));
   */
  get sid(): string | undefined {
    return this.#hub && this.#call((core) => core.sid);
  }

  /**
   * BOSH: the rid of the next request, once there is a session.
   * @example
   * addEventListener("pagehide", () => sessionStorage.setItem("rid", String(stream.rid)));
   */
  get rid(): number | undefined {
    return this.#hub && this.#call((core) => core.rid);
  }

  /**
   * Opens the stream; the first request is handed to the platform in this call. A failure is told by `close`.
   * @example
   * stream.on("close", ({ error }) => console.log(error?.message ?? "closed"));
   * stream.open();
   */
  open(): void {
    if (!this.#call((core) => core.open())) throw problem("stream-used");
  }

  /**
   * In place of `open()`: continues a BOSH session that was created elsewhere, by a web server or another page. `sid` and `rid` of a
   * stream are what another page needs for it.
   * @example
   * stream.attach({ sid: "a1", rid: 4711 });
   */
  attach(session: StreamSession): void {
    const read = new Reader(session);
    const [sid, rid] = [read.text("sid"), ridOption(read)];
    if (!sid || rid === undefined) throw problem("bad-session");
    if (!this.#call((core) => core.attach(sid, rid))) throw problem(this.#isBosh ? "stream-used" : "bad-session");
  }

  /**
   * Sends elements: stanzas and others, such as SASL's. All of one call go into one request, up to 64 KiB. What is sent before the
   * stream is open leaves together with the request that opens it.
   * @example
   * const secret = btoa("\0romeo\0pencil");
   * stream.send(xml`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${secret}</auth>`);
   */
  send(...elements: Sendable[]): void {
    const texts = elements.map(markupOf);
    this.#call((core) => core.send(texts));
  }

  /**
   * Starts the stream anew, after SASL's `<success/>`. The server's new features follow.
   * @example
   * stream.on("element", (element) => {
   *   if (element.name === "success") stream.restart();
   * });
   */
  restart(): void {
    this.#call((core) => core.restart());
  }

  /**
   * Ends the stream in order, with `lastWords` before its end. The good-bye leaves even when the page goes in the same turn; `close`
   * tells when the server has answered it, or after three seconds. A stream that is at its end stays so.
   * @example
   * stream.close(xml`<presence type="unavailable"/>`);
   */
  close(lastWords?: Sendable): void {
    const texts = lastWords === undefined ? [] : [markupOf(lastWords)];
    this.#call((core) => core.close(texts));
  }

  /**
   * Ends the stream at once. Nothing is sent: a BOSH session stays with the server until that gives it up.
   * @example
   * stream.abort();
   */
  abort(): void {
    this.#call((core) => core.abort());
  }

  /**
   * Adds a listener. It gets what happens from now on.
   * @example
   * stream.on("element", (element) => console.log(element.toString()));
   */
  on<K extends keyof StreamEvents>(type: K, listener: (event: StreamEvents[K]) => unknown): Registration {
    const { listeners } = this.#ready;
    const registration = listeners.on(type, listener);
    this.#tap();
    return registrationOf(() => {
      registration.remove();
      this.#tap();
    });
  }

  /** Asks the module for the text of each request or frame only while there is a listener for `sent`. */
  #tap(): void {
    const hub = this.#hub;
    if (hub) guarded(() => hub.core.tap(hub.listeners.wants("sent")));
  }

  /**
   * Ends everything at once, as `abort()`, and tells nothing. Not needed once the stream is at its end.
   * @example
   * stream.free();
   */
  free(): void {
    const hub = this.#hub;
    if (!hub) return;
    this.#hub = undefined;
    hub.listeners.clear();
    hub.core.shut();
    try {
      hub.core.free();
    } catch {
      // It is in use further up in this very turn: the garbage collector frees it.
    }
  }
}

// Declared beside the class: not every platform has the symbol.
export interface Stream {
  /**
   * As `free()`.
   * @example
   * {
   *   using short = new Stream("/http-bind", { domain: "example.org" });
   *   short.open();
   * }
   */
  [Symbol.dispose](): void;
}

disposeBy(Stream.prototype, Stream.prototype.free);
