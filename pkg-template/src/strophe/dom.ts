// The DOM that the facade needs: the page's, or in Node that of `@xmldom/xmldom`. Stanzas become elements by `createElementNS`,
// without a parser.

import type { Stanza as View } from "../stanza.js";
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

/** An element with its attributes. As after parsing, `xmlns` is an attribute if the namespace differs from the parent's. */
function shallow(view: View, outerNs: string): Element {
  const { name, ns } = view;
  const element = xmlGenerator().createElementNS(ns || null, `${PREFIXES.get(ns) ?? ""}${name}`);
  if (ns !== outerNs) element.setAttributeNS(XMLNS_NS, PREFIXES.has(ns) ? `xmlns:${PREFIXES.get(ns)?.slice(0, -1)}` : "xmlns", ns);
  let number = 0;
  for (const attribute of view.attributes()) {
    if (attribute.ns === "") {
      element.setAttribute(attribute.name, attribute.value);
    } else {
      number += 1;
      element.setAttributeNS(attribute.ns, `${PREFIXES.get(attribute.ns) ?? `ns${number}:`}${attribute.name}`, attribute.value);
    }
  }
  return element;
}

/**
 * A received element as DOM. Elements have the prefix `stream:` in the namespace of streams and none otherwise.
 * Iterative: an element of the greatest depth that the module accepts needs no stack.
 */
export function elementOf(view: View): Element {
  const root = shallow(view, "");
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

/** The element inside `<wrapper/>`: the form in which strophe.js passes a WebSocket frame to replaced methods. */
export function wrapperOf(element: Element): Element {
  const wrapper = xmlGenerator().createElement("wrapper");
  wrapper.appendChild(element);
  return wrapper;
}
