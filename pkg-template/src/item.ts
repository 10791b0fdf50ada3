// `PubsubItem`: an item of a node. Its payload is decoded when it is read.

import { decodePayload, type PayloadFormat } from "./payloads.js";
import { type Stanza, stanzaOf } from "./stanza.js";

/**
 * One item of a node, as published. `T` is the type that the page expects of its payloads; it is not checked, since
 * other clients publish them. To verify the type, check `format` or use a `decode` function that validates.
 */
export interface PubsubItem<T = unknown> {
  id: string | undefined;
  node: string;
  /** The published element; `undefined` if the service notifies without payloads. */
  payload: Stanza | undefined;
  /** The publisher, if the service includes it. */
  publisher: string | undefined;
  /** The time of publication, if the service includes it (`<delay/>`). */
  time: Date | undefined;
  /** The time of arrival. */
  receivedAt: Date;
  /**
   * How the item arrived: in the node's listing at the start, by an event, by catching up after an interruption, or
   * from `items()`.
   */
  via: "snapshot" | "live" | "catch-up" | "items";
  /** The payload as a plain value, decoded at the first access; by `decode`, if the page has provided one. */
  readonly value: T;
  /** The format of the payload, as epode decodes it. */
  readonly format: PayloadFormat;
}

/** How payloads are decoded. */
export interface DecodeOption<T> {
  /**
   * Returns an item's `value` for its payload, instead of epode's own decoding; called when `value` is first read. Not
   * called for items without a payload. An exception is thrown by the access to `value`.
   */
  decode?: (payload: Stanza) => T;
}

/** An item as the module passes it. @internal */
export interface ItemFields {
  id: string | undefined;
  node: string;
  /** The packed payload: a view, which is copied. */
  payload: Uint32Array | Stanza | undefined;
  publisher: string | undefined;
  /** In milliseconds since 1970; NaN if the service does not include it. */
  time: number;
  via: PubsubItem["via"];
}

/** @internal */
export class ReceivedItem<T> implements PubsubItem<T> {
  id: string | undefined;
  node: string;
  payload: Stanza | undefined;
  publisher: string | undefined;
  time: Date | undefined;
  receivedAt = new Date();
  via: PubsubItem["via"];
  readonly #decode: ((payload: Stanza) => T) | undefined;
  /** The payload as epode decodes it. */
  #found: { format: PayloadFormat; value: unknown } | undefined;
  /** The result of the page's own decoder, in a box. */
  #own: { value: T } | undefined;

  constructor(fields: ItemFields, decode: ((payload: Stanza) => T) | undefined) {
    const { id, node, payload, publisher, time, via } = fields;
    this.id = id;
    this.node = node;
    this.payload = payload instanceof Uint32Array ? stanzaOf(payload.slice()) : payload;
    this.publisher = publisher;
    this.time = Number.isNaN(time) ? undefined : new Date(time);
    this.via = via;
    this.#decode = decode;
  }

  get #decoded(): { format: PayloadFormat; value: unknown } {
    return (this.#found ??= decodePayload(this.payload));
  }

  get format(): PayloadFormat {
    return this.#decoded.format;
  }

  get value(): T {
    if (!this.#decode || !this.payload) return this.#decoded.value as T;
    // Called once, even if the result is undefined; a decoder that throws is called again.
    return (this.#own ??= { value: this.#decode(this.payload) }).value;
  }
}
