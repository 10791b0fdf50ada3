// `PubsubItem`: an item of a node. Its payload is decoded when it is read.

import { decodePayload, type PayloadFormat } from "./payloads.js";
import type { Stanza } from "./stanza.js";

/**
 * One item of a node, as published. `T` is the type that the page expects of its values; nothing checks that what was published has that
 * type. A page that has to know compares `format`, or checks the payload in a decoder of its own (`decode`).
 * @example
 * await client.pubsub.subscribe<{ title: string }>("/blog/Post", (item: PubsubItem<{ title: string }>) => {
 *   if (item.format === "json") console.log(item.id, item.via, item.value.title);
 * });
 */
export interface PubsubItem<T = unknown> {
  /** The id that the publisher or the service gave; `undefined` in a notification without an item. */
  id: string | undefined;
  /** The name of the node. */
  node: string;
  /** The published element; `undefined` if the service notifies without payloads. */
  payload: Stanza | undefined;
  /** The JID that published it, where the service adds it (`publisher`, XEP-0060 §7.1.2.3). */
  publisher: string | undefined;
  /** When it was published, where the service adds it (`<delay/>`, XEP-0203). */
  time: Date | undefined;
  /** The time of arrival. */
  receivedAt: Date;
  /**
   * How it arrived: `snapshot`, the node held it when the feed began; `live`, it was published now; `catch-up`, it was published during an
   * interruption; `items`, `items()` or `item()` asked for it.
   */
  via: "snapshot" | "live" | "catch-up" | "items";
  /**
   * The payload as a plain value, decoded when it is read for the first time: by `decode` where the page has given one, otherwise as
   * `format` says. Reading throws what `decode` throws.
   */
  readonly value: T;
  /** The format of the payload, as epode recognises it. */
  readonly format: PayloadFormat;
}

/**
 * The option of a page that decodes payloads itself.
 * @example
 * const titles: DecodeOption<string> = { decode: (payload) => payload.text("title") ?? "" };
 * await client.pubsub.subscribe("/blog/Post", ({ value }) => console.log(value.length), titles);
 */
export interface DecodeOption<T> {
  /**
   * Makes an item's `value` from its payload, in place of epode's own decoding. It is called when `value` is read for the first time, and
   * not for items without a payload. When it throws, reading `value` throws the same.
   */
  decode?: (payload: Stanza) => T;
}

/** An item as the module passes it. @internal */
export interface ItemFields {
  id: string | undefined;
  node: string;
  payload: Stanza | undefined;
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
    this.payload = payload;
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
