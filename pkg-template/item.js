// `PubsubItem`: what a node delivers. Rust makes one for each item (src/js/item.rs); its payload is decoded when it is read.
import { decodePayload } from "./payloads.js";

export class PubsubItem {
  #decode;
  /** What epode makes of the payload: `{ format, value }`. */
  #found;
  /** What the page's own decoder made of it, in a box. */
  #own;

  constructor(id, node, payload, publisher, time, via, decode) {
    this.id = id;
    this.node = node;
    this.payload = payload;
    this.publisher = publisher;
    this.time = time;
    this.receivedAt = new Date();
    this.via = via;
    this.#decode = decode;
  }

  get #decoded() {
    return (this.#found ??= decodePayload(this.payload));
  }

  get format() {
    return this.#decoded.format;
  }

  get value() {
    if (!this.#decode || !this.payload) return this.#decoded.value;
    // Once, also where it is undefined; one that throws is asked again.
    return (this.#own ??= { value: this.#decode(this.payload) }).value;
  }
}

/** As a function, which is what the module calls. */
export function makeItem(...fields) {
  return new PubsubItem(...fields);
}
