// `PubsubItem`: what a node delivers. Its payload is decoded when it is read.

import { decodePayload, type PayloadFormat } from "./payloads.js";
import { type Stanza, stanzaOf } from "./stanza.js";

/**
 * One item of a node, as published. `T` is what the page knows of its payloads; nothing checks that they are so, since they
 * are somebody else's words. A page that has to know looks at `format`, or checks in a decoder of its own (`decode`).
 */
export interface PubsubItem<T = unknown> {
  id: string | undefined;
  node: string;
  /** The element that was published; `undefined` where the service notifies without payloads. */
  payload: Stanza | undefined;
  /** Who published it, when the service tells. */
  publisher: string | undefined;
  /** When it was published, when the service tells (`<delay/>`). */
  time: Date | undefined;
  /** When it arrived here. */
  receivedAt: Date;
  /** How it came: among what the node held at the beginning, as it was published, after an interruption, from `items()`. */
  via: "snapshot" | "live" | "catch-up" | "items";
  /** The payload as a plain value, decoded when it is read first; by `decode`, where the page has given one. */
  readonly value: T;
  /** What the payload is, as epode reads it. */
  readonly format: PayloadFormat;
}

/** How payloads are read. */
export interface DecodeOption<T> {
  /**
   * Makes an item's `value` of its payload, in place of epode's own decoding; called when `value` is read first. Not called
   * for items without a payload. What it throws, reading `value` throws.
   */
  decode?: (payload: Stanza) => T;
}

/** An item as it comes in. @internal */
export interface ItemFields {
  id: string | undefined;
  node: string;
  /** The packed payload: a view, which is copied. */
  payload: Uint32Array | Stanza | undefined;
  publisher: string | undefined;
  /** In milliseconds since 1970; NaN where the service does not tell. */
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
  /** What epode makes of the payload. */
  #found: { format: PayloadFormat; value: unknown } | undefined;
  /** What the page's own decoder made of it, in a box. */
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
    // Once, also where it is undefined; one that throws is asked again.
    return (this.#own ??= { value: this.#decode(this.payload) }).value;
  }
}
