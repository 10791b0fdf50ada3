/// <reference lib="esnext.disposable" preserve="true" />
// `Stanza`: an element as received. The module passes it packed (proto/src/xml/packed.rs): a text, and words with the
// positions of its pieces. The text is the frame as the socket received it, or a string that the module made. All views
// of one element share both. There is no handle into the module: views are garbage-collected like any other object.

import { disposeBy } from "./dispose.js";
import { badArgument, problem } from "./errors.js";
import { STANZA_IDS, stanzaIdOf } from "./stanza-ids.js";
import { writeXml } from "./writer.js";

/** The namespaces that are in no table, by their numbers: none, that of the prefix `xml:`, that of stanzas. */
const KNOWN: readonly string[] = ["", "http://www.w3.org/XML/1998/namespace", "jabber:client"];
/** The position of the first record. */
const ROOT = 1;
/** The words before those of an element's attributes, and the words of each attribute. */
const HEAD = 5;
const ATTRIBUTE = 5;
/** So few words are copied to an ordinary array: a typed array costs an allocation outside of the engine's heap. */
const FEW = 256;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The words are a view of the module's memory: a copy. */
function copyOf(words: Uint32Array): ArrayLike<number> {
  const { length } = words;
  if (length > FEW) return words.slice();
  const copy: number[] = [];
  for (let at = 0; at < length; at += 1) copy.push(words[at] as number);
  return copy;
}

/** The text of a packed element: a long one that is not part of a frame crosses as bytes. @internal */
export type PackedText = string | Uint8Array;

/** A packed element and its text. @internal */
export class Packed {
  #text: PackedText;
  readonly words: ArrayLike<number>;

  /** The words are copied. */
  constructor(text: PackedText, words: Uint32Array) {
    this.#text = text;
    this.words = copyOf(words);
  }

  /** Decoded when it is first read: a long payload that is not read costs nothing. */
  get text(): string {
    const text = this.#text;
    return typeof text === "string" ? text : (this.#text = decoder.decode(text));
  }

  /** The word at `at`. A packed array contains every position that it refers to. */
  at(at: number): number {
    return this.words[at] as number;
  }

  slice(start: number, end: number): string {
    return this.text.slice(start, end);
  }

  /** Whether the text from `start` to `end` equals `text`. */
  is(start: number, end: number, text: string): boolean {
    return end - start === text.length && this.text.startsWith(text, start);
  }

  /** The name of a namespace. */
  ns(id: number): string {
    const known = KNOWN[id];
    if (known !== undefined) return known;
    const place = this.at(0) + 2 * (id - KNOWN.length);
    return this.slice(this.at(place), this.at(place + 1));
  }

  isNs(id: number, name: string): boolean {
    const known = KNOWN[id];
    if (known !== undefined) return known === name;
    const place = this.at(0) + 2 * (id - KNOWN.length);
    return this.is(this.at(place), this.at(place + 1), name);
  }

  /** The first record within the element at `at`: what is before it are the element's attributes. */
  inside(at: number): number {
    return at + HEAD + ATTRIBUTE * (this.at(at) >>> 1);
  }

  /** Calls `see` for each attribute of the element at `at`, with the number of its namespace. */
  eachAttribute(at: number, see: (ns: number, name: string, value: string) => void): void {
    const end = this.inside(at);
    for (let place = at + HEAD; place < end; place += ATTRIBUTE) {
      see(this.at(place), this.slice(this.at(place + 1), this.at(place + 2)), this.slice(this.at(place + 3), this.at(place + 4)));
    }
  }

  /** The record after the one at `at` and its subtree. */
  after(at: number): number {
    return this.isText(at) ? at + 3 : this.at(at + 1);
  }

  isText(at: number): boolean {
    return this.at(at) === 1;
  }
}

/**
 * An attribute of an element.
 * @example
 * const lang = stanza.attributes().find((one: Attribute) => one.name === "lang")?.value;
 */
export interface Attribute {
  /** The local name. */
  name: string;
  /** The namespace, `""` for none. */
  ns: string;
  /** The value. */
  value: string;
}

let make: (packed: Packed) => Stanza;
let write: (stanza: Stanza, outerNs: string) => string;
let plain: (stanza: Stanza) => string;

/**
 * An XML element as it was received: a view that is read on demand and never changes. A stanza (`message`, `presence`, `iq`) and each element
 * in it have the same methods. A view keeps the text of its whole stanza in memory, and nothing else.
 *
 * After `free()` every member throws `freed`.
 * @example
 * client.addHandler((stanza: Stanza) => {
 *   console.log(stanza.name, stanza.from, stanza.child("body")?.text());
 * });
 */
export class Stanza {
  #whole: Packed | undefined;
  /** The position of its record. */
  readonly #at: number;

  private constructor(packed: Packed, at: number) {
    this.#whole = packed;
    this.#at = at;
  }

  get #packed(): Packed {
    const packed = this.#whole;
    if (!packed) throw problem("object-freed");
    return packed;
  }

  static {
    make = (packed) => new Stanza(packed, ROOT);
    write = (stanza, outerNs) => writeXml(stanza.#packed, stanza.#at, outerNs);
    plain = (stanza) => stanza.#plain();
  }

  /**
   * The local name, for example `"message"`.
   * @example
   * const isMessage = stanza.name === "message";
   */
  get name(): string {
    const packed = this.#packed;
    return packed.slice(packed.at(this.#at + 3), packed.at(this.#at + 4));
  }

  /**
   * The namespace, for example `"jabber:client"`; `""` for none.
   * @example
   * const payload = stanza.children().find(({ ns }) => ns === "urn:blog");
   */
  get ns(): string {
    return this.#packed.ns(this.#packed.at(this.#at + 2));
  }

  /**
   * The `to` attribute: the address that the stanza was sent to.
   * @example
   * console.log(stanza.to ?? client.jid);
   */
  get to(): string | undefined {
    return this.#own("to");
  }

  /**
   * The `from` attribute: the sender, for which the server vouches (RFC 6120 §8.1.2.1). Without one, the own account sent it.
   * @example
   * const sender = stanza.from?.split("/")[0];
   */
  get from(): string | undefined {
    return this.#own("from");
  }

  /**
   * The `id` attribute, which the sender chose.
   * @example
   * console.log(stanza.id);
   */
  get id(): string | undefined {
    return this.#own("id");
  }

  /**
   * The `type` attribute; `undefined` where it is absent, which for a message means `normal`.
   * @example
   * if (stanza.type === "error") console.warn(String(stanza));
   */
  get type(): string | undefined {
    return this.#own("type");
  }

  /**
   * The value of an attribute; with `ns`, of one in that namespace. `undefined` where it is absent.
   * @example
   * const language = stanza.attr("lang", "http://www.w3.org/XML/1998/namespace");
   */
  attr(name: string, ns?: string): string | undefined {
    mustBeText("attr", name);
    return this.#own(name, ns);
  }

  #own(name: string, ns = ""): string | undefined {
    const packed = this.#packed;
    const end = packed.inside(this.#at);
    for (let at = this.#at + HEAD; at < end; at += ATTRIBUTE) {
      if (packed.is(packed.at(at + 1), packed.at(at + 2), name) && packed.isNs(packed.at(at), ns)) return packed.slice(packed.at(at + 3), packed.at(at + 4));
    }
    return undefined;
  }

  /**
   * All attributes without a namespace, by name. The object has no prototype.
   * @example
   * const { id, type } = stanza.attrs();
   */
  attrs(): Record<string, string> {
    const packed = this.#packed;
    // Without a prototype: `__proto__` is an ordinary name, and an absent name is undefined.
    const all = Object.create(null) as Record<string, string>;
    packed.eachAttribute(this.#at, (ns, name, value) => {
      if (ns === 0) all[name] = value;
    });
    return all;
  }

  /**
   * All attributes in document order, each with its namespace (`""`: none). Declarations of namespaces are not among them.
   * @example
   * for (const { name, value } of stanza.attributes()) console.log(name, value);
   */
  attributes(): Attribute[] {
    const packed = this.#packed;
    const all: Attribute[] = [];
    packed.eachAttribute(this.#at, (ns, name, value) => all.push({ name, ns: packed.ns(ns), value }));
    return all;
  }

  /**
   * The direct content of the element, in document order: child elements, and the texts between them as strings.
   * @example
   * const texts = stanza.content().filter((part) => typeof part === "string");
   */
  content(): (Stanza | string)[] {
    const packed = this.#packed;
    const end = packed.after(this.#at);
    const found: (Stanza | string)[] = [];
    for (let at = packed.inside(this.#at); at < end; at = packed.after(at)) {
      found.push(packed.isText(at) ? packed.slice(packed.at(at + 1), packed.at(at + 2)) : new Stanza(packed, at));
    }
    return found;
  }

  /**
   * The first child element of that name, and of that namespace where one is given; `undefined` where there is none.
   * @example
   * const delay = stanza.child("delay", "urn:xmpp:delay")?.attr("stamp");
   */
  child(name: string, ns?: string): Stanza | undefined {
    mustBeText("child", name);
    const at = this.#find(name, ns);
    return at === undefined ? undefined : new Stanza(this.#packed, at);
  }

  #find(name: string, ns: string | undefined): number | undefined {
    const packed = this.#packed;
    const end = packed.after(this.#at);
    for (let at = packed.inside(this.#at); at < end; at = packed.after(at)) {
      if (!packed.isText(at) && this.#fits(at, name, ns)) return at;
    }
    return undefined;
  }

  #fits(at: number, name: string | undefined, ns: string | undefined): boolean {
    const packed = this.#packed;
    return (name == null || packed.is(packed.at(at + 3), packed.at(at + 4), name)) && (ns == null || packed.isNs(packed.at(at + 2), ns));
  }

  /**
   * All child elements in order, or those of that name and namespace.
   * @example
   * for (const child of stanza.children()) console.log(child.name, child.ns);
   */
  children(name?: string, ns?: string): Stanza[] {
    const packed = this.#packed;
    const end = packed.after(this.#at);
    const found: Stanza[] = [];
    for (let at = packed.inside(this.#at); at < end; at = packed.after(at)) {
      if (!packed.isText(at) && this.#fits(at, name, ns)) found.push(new Stanza(packed, at));
    }
    return found;
  }

  /**
   * The element's own character data, without that of its children.
   * @example
   * const body = stanza.child("body")?.text();
   */
  text(): string;
  /**
   * The character data of the first child of that name, and of that namespace where one is given; `undefined` where there is none.
   * @example
   * const body = stanza.text("body");
   */
  text(child: string, ns?: string): string | undefined;
  text(child?: string, ns?: string): string | undefined {
    const at = child == null ? this.#at : this.#find(child, ns);
    return at === undefined ? undefined : this.#textOf(at);
  }

  #textOf(element: number): string {
    const packed = this.#packed;
    const end = packed.after(element);
    let text = "";
    for (let at = packed.inside(element); at < end; at = packed.after(at)) {
      if (packed.isText(at)) text += packed.slice(packed.at(at + 1), packed.at(at + 2));
    }
    return text;
  }

  /** The text of the element and of all its descendants, in document order. */
  #plain(): string {
    const packed = this.#packed;
    const end = packed.after(this.#at);
    let text = "";
    for (let at = packed.inside(this.#at); at < end; at = packed.isText(at) ? at + 3 : packed.inside(at)) {
      if (packed.isText(at)) text += packed.slice(packed.at(at + 1), packed.at(at + 2));
    }
    return text;
  }

  /**
   * Of a received message: the unique id that `by` gave it (XEP-0359 §3.1), for archives and for recognising a message again. `by` is the bare
   * JID of the room for a message of a room, of this account for other messages, or the JID of the service that sent the message.
   *
   * `undefined` where there is no such id, and where the sender may have written it: for a `by` that the message did not come from or through,
   * and for errors. An entity that does not assign ids lets a sender's pass (§6): ask {@link Client.assignsStanzaIds} once for each `by`.
   * @example
   * if (await client.assignsStanzaIds(room.jid)) {
   *   room.on("message", ({ body, stanza }) => console.log(stanza.stanzaId(room.jid), body));
   * }
   */
  stanzaId(by: string): string | undefined {
    mustBeText("stanzaId", by);
    return stanzaIdOf(this, by);
  }

  /**
   * Of a received message: the id that its sender chose (XEP-0359 §3.2). It proves nothing; it serves to recognise an own message that a room
   * sends back.
   * @example
   * if (stanza.originId !== undefined) console.log("known to its sender as", stanza.originId);
   */
  get originId(): string | undefined {
    return this.child("origin-id", STANZA_IDS)?.attr("id");
  }

  /**
   * The element as XML with its namespaces declared, for `send()` or `DOMParser`.
   * @example
   * const parsed = new DOMParser().parseFromString(stanza.toString(), "text/xml");
   */
  toString(): string {
    return write(this, "");
  }

  /**
   * Releases this view: later calls are `freed` errors. It need not be called, since the garbage collector frees all that a stanza holds.
   * @example
   * const text = stanza.text("body");
   * stanza.free();
   */
  free(): void {
    this.#whole = undefined;
  }
}

// Declared beside the class: some platforms lack the symbol.
export interface Stanza {
  /**
   * As `free()`, for `using`.
   * @example
   * stanza[Symbol.dispose]();
   */
  [Symbol.dispose](): void;
}

disposeBy(Stanza.prototype, Stanza.prototype.free);

function mustBeText(method: string, value: unknown): void {
  if (typeof value !== "string") throw badArgument(`${method}(): argument 1 is a string. It was ${value === null ? "null" : typeof value}.`);
}

/** Creates a view of an element that the module has packed. @internal */
export function stanzaOf(text: PackedText, words: Uint32Array): Stanza {
  return make(new Packed(text, words));
}

/** Creates another view of a packed element. @internal */
export const viewOf = (packed: Packed): Stanza => make(packed);

/** The text of an element and of all its descendants, in document order. @internal */
export function plainText(stanza: Stanza): string {
  return plain(stanza);
}

/** An element as XML, for a place where the default namespace is `outerNs`. @internal */
export function xmlWithin(stanza: Stanza, outerNs: string): string {
  return write(stanza, outerNs);
}
