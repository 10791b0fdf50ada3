// `Builder`: a stanza that is built as DOM, call by call.

import { ElementType, NS } from "./constants.js";
import { copyElement, createHtml, toElement, xmlElement, xmlGenerator, xmlTextNode, xmlescape } from "./utils.js";

/** Attributes by name. */
export type StanzaAttrs = Record<string, string | number | null | undefined>;

/** Same as `new Builder(name, attrs)`. */
export function $build(name: string, attrs?: StanzaAttrs): Builder {
  return new Builder(name, attrs);
}

/** A `<message/>`. */
export function $msg(attrs?: StanzaAttrs): Builder {
  return new Builder("message", attrs);
}

/** An `<iq/>`. */
export function $iq(attrs?: StanzaAttrs): Builder {
  return new Builder("iq", attrs);
}

/** A `<presence/>`. */
export function $pres(attrs?: StanzaAttrs): Builder {
  return new Builder("presence", attrs);
}

const isStanzaName = (name: string): boolean => name === "presence" || name === "message" || name === "iq";

/**
 * Builds an element. One element is the current element, initially the root. New content is added to the current element, and an
 * added element becomes the current element.
 *
 * @example
 * $iq({ to: "pubsub.example.org", type: "set" })
 *   .c("pubsub", { xmlns: "http://jabber.org/protocol/pubsub" })
 *   .c("subscribe", { node: "news", jid: connection.jid });
 */
export class Builder {
  readonly #name: string;
  readonly #attrs: StanzaAttrs | undefined;
  #root: Element | undefined;
  #current: Element | undefined;

  /** A stanza is in `jabber:client` unless `attrs` holds another `xmlns`. */
  constructor(name: string, attrs?: StanzaAttrs) {
    this.#name = name;
    this.#attrs = attrs;
  }

  /** XML as a builder. Throws for XML that is not well-formed, and for a stanza in a wrong namespace. */
  static fromString(xml: string): Builder {
    const builder = new Builder("");
    builder.#root = toElement(xml, true);
    return builder;
  }

  /** Creates the root. Subclasses override it. */
  buildTree(): Element | null {
    const attrs = this.#attrs;
    return xmlElement(this.#name, isStanzaName(this.#name) && !attrs?.xmlns ? { ...attrs, xmlns: NS.CLIENT } : attrs);
  }

  /** The root. */
  get nodeTree(): Element {
    return (this.#root ??= this.buildTree() as Element);
  }

  /** The current element. */
  get node(): Element {
    return (this.#current ??= this.tree());
  }

  set node(element: Element) {
    this.#current = element;
  }

  /** An element as XML, attributes sorted by name. `null` if there is no element. */
  static serialize(what: Element | Builder): string;
  static serialize(what: Element | Builder | null | undefined): string | null;
  static serialize(what: Element | Builder | null | undefined): string | null {
    if (!what) return null;
    return serialized(what instanceof Builder ? what.tree() : what);
  }

  /** The root, in the form that `send()` takes. */
  tree(): Element {
    return this.nodeTree;
  }

  /** The root as XML. */
  toString(): string {
    return Builder.serialize(this.tree());
  }

  /** Makes the parent of the current element the current one. */
  up(): this {
    this.node = (this.node.parentElement ?? this.node.parentNode) as Element;
    return this;
  }

  /** Makes the root the current element. */
  root(): this {
    this.node = this.tree();
    return this;
  }

  /** Sets attributes of the current element; removes those that are `null`. */
  attrs(more: StanzaAttrs): this {
    for (const [name, value] of Object.entries(more)) {
      if (value == null) this.node.removeAttribute(name);
      else this.node.setAttribute(name, String(value));
    }
    return this;
  }

  /** Adds a child element. It becomes the current element unless `text` is given. */
  c(name: string, attrs?: StanzaAttrs | string, text?: string | number): this {
    const child = xmlElement(name, attrs, text) as Element;
    this.node.appendChild(child);
    if (typeof text !== "string" && typeof text !== "number") this.node = child;
    return this;
  }

  /** Adds a copy of an element. The copy becomes the current element. */
  cnode(element: Element | Builder): this {
    const original = element instanceof Builder ? element.tree() : element;
    const document = xmlGenerator();
    const copy = (typeof document.importNode === "function" ? document.importNode(original, true) : copyElement(original)) as Element;
    this.node.appendChild(copy);
    this.node = copy;
    return this;
  }

  /** Adds text. */
  t(text: string): this {
    this.node.appendChild(xmlTextNode(text));
    return this;
  }

  /** Adds HTML, reduced to XHTML-IM (XEP-0071). The HTML must be well-formed. */
  h(html: string): this {
    const body = xmlGenerator().createElement("body");
    body.innerHTML = html;
    const passed = createHtml(body) as Node;
    while (passed.firstChild) this.node.appendChild(passed.firstChild);
    return this;
  }
}

function serialized(element: Element): string {
  const attributes = Array.from(element.attributes, ({ name }) => name).sort();
  let start = `<${element.nodeName}`;
  for (const name of attributes) start += ` ${name}="${xmlescape(element.attributes.getNamedItem(name)?.value ?? "")}"`;
  if (element.childNodes.length === 0) return `${start}/>`;
  let inner = "";
  for (const child of Array.from(element.childNodes)) {
    if (child.nodeType === ElementType.NORMAL) inner += Builder.serialize(child as Element);
    else if (child.nodeType === ElementType.TEXT) inner += xmlescape(child.nodeValue ?? "");
    else if (child.nodeType === ElementType.CDATA) inner += `<![CDATA[${child.nodeValue}]]>`;
  }
  return `${start}>${inner}</${element.nodeName}>`;
}
