// The DOM that the facade needs: the page's, or in Node that of `@xmldom/xmldom`. Stanzas become elements by `createElementNS`,
// without a parser.

import type { Attribute, Stanza as View } from "../stanza.js";
import { NS } from "./constants.js";

const XML_NS = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NS = "http://www.w3.org/2000/xmlns/";

/** The parts of a DOM that a platform must provide. */
export interface Dom {
  document: Pick<Document, "implementation">;
  DOMParser: new () => Pick<DOMParser, "parseFromString">;
}

/** Thrown where there is no DOM. */
export class DomMissingError extends Error {
  override readonly name = "DomMissingError";

  constructor(reason = "") {
    super(`Strophe's stanzas are DOM elements, and this platform has no DOM. In Node, install it: npm install @xmldom/xmldom${reason && ` (${reason})`}`);
  }
}

let substitute: (() => Dom) | undefined;
let generator: Document | undefined;

/** Sets the source of a DOM for a platform without one. `load` is called when a DOM is first needed. @internal */
export function provideDom(load: () => Dom): void {
  substitute = load;
}

function platformDom(): Dom {
  if (typeof document !== "undefined" && typeof DOMParser !== "undefined") return { document, DOMParser };
  if (!substitute) throw new DomMissingError();
  return substitute();
}

/** The document that creates all elements. */
export function xmlGenerator(): Document {
  return (generator ??= platformDom().document.implementation.createDocument(NS.CLIENT, "strophe", null));
}

/** Parses text into a document. Text that is not well-formed gives a document with a `parsererror`. */
export function xmlHtmlNode(text: string): Document {
  return new (platformDom().DOMParser)().parseFromString(text, "text/xml");
}

/** Prefixes that are kept, because pages compare `nodeName` with them. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  [NS.STREAM, "stream:"],
  [XML_NS, "xml:"],
  [NS.BOSH, "xmpp:"],
]);

/** An element that others of its name and attributes are cloned from: that takes half the time of creating them. */
interface Pattern {
  element: Element;
  /** Of its attributes, in order. */
  values: string[];
}

/** By namespace, name and names of attributes. */
const patterns = new Map<string, Pattern>();
/** So many patterns are kept; a peer that sends more kinds of elements makes the next ones anew. */
const MOST_PATTERNS = 250;
/** A pattern with more text is not kept: a length in UTF-16 units, of its key and of each value. */
const LONGEST = 250;

/** An element with its attributes. As after parsing, `xmlns` is an attribute if the namespace differs from the parent's. */
function shallow(view: View, outerNs: string): Element {
  const { name, ns } = view;
  const attributes = view.attributes();
  // No character of XML is U+0000.
  let key = `${name}\0${ns}\0${ns === outerNs}`;
  let isPlain = true;
  for (const attribute of attributes) {
    key += `\0${attribute.name}`;
    if (attribute.ns !== "" || attribute.value.length > LONGEST) isPlain = false;
  }
  const pattern = isPlain ? patterns.get(key) : undefined;
  if (pattern) return cloned(pattern, attributes);
  const element = made(name, ns, outerNs, attributes);
  if (isPlain && key.length <= LONGEST) {
    if (patterns.size >= MOST_PATTERNS) patterns.clear();
    patterns.set(key, { element: element.cloneNode(false) as Element, values: attributes.map(({ value }) => value) });
  }
  return element;
}

function cloned(pattern: Pattern, attributes: readonly Attribute[]): Element {
  const element = pattern.element.cloneNode(false) as Element;
  for (let index = 0; index < attributes.length; index += 1) {
    const { name, value } = attributes[index] as Attribute;
    if (value !== pattern.values[index]) element.setAttribute(name, value);
  }
  return element;
}

function made(name: string, ns: string, outerNs: string, attributes: readonly Attribute[]): Element {
  const element = xmlGenerator().createElementNS(ns || null, `${PREFIXES.get(ns) ?? ""}${name}`);
  if (ns !== outerNs) element.setAttributeNS(XMLNS_NS, PREFIXES.has(ns) ? `xmlns:${PREFIXES.get(ns)?.slice(0, -1)}` : "xmlns", ns);
  let number = 0;
  for (const attribute of attributes) {
    if (attribute.ns === "") {
      element.setAttribute(attribute.name, attribute.value);
    } else {
      number += 1;
      const prefix = PREFIXES.get(attribute.ns) ?? `ns${number}:`;
      // Declared, so that the element as text can be parsed again. `xml:` is never declared.
      if (attribute.ns !== XML_NS) element.setAttributeNS(XMLNS_NS, `xmlns:${prefix.slice(0, -1)}`, attribute.ns);
      element.setAttributeNS(attribute.ns, `${prefix}${attribute.name}`, attribute.value);
    }
  }
  return element;
}

/**
 * A received element as DOM, in an element of the namespace `outerNs`. Elements have the prefix `stream:` in the namespace of streams and none otherwise.
 * Iterative: an element of the greatest depth that the module accepts needs no stack.
 */
export function elementOf(view: View, outerNs = ""): Element {
  const root = shallow(view, outerNs);
  const waiting: [View, Element][] = [[view, root]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [from, to] = next;
    for (const piece of from.content()) {
      if (typeof piece === "string") {
        to.appendChild(xmlGenerator().createTextNode(piece));
      } else {
        const child = shallow(piece, from.ns);
        to.appendChild(child);
        waiting.push([piece, child]);
      }
    }
  }
  return root;
}

/** The element without its content. */
export const emptyOf = (view: View): Element => shallow(view, "");

let emptyWrapper: Element | undefined;

/** The element inside `<wrapper/>`: the form in which strophe.js passes a WebSocket frame to replaced methods. */
export function wrapperOf(element: Element): Element {
  const wrapper = (emptyWrapper ??= xmlGenerator().createElement("wrapper")).cloneNode(false) as Element;
  wrapper.appendChild(element);
  return wrapper;
}
