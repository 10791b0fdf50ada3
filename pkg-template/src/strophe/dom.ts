// The DOM that the facade needs: the page's, or in Node that of `@xmldom/xmldom`. Stanzas become elements by `createElementNS`,
// without a parser.

import type { Stanza as View } from "../stanza.js";
import { NS } from "./constants.js";

const XML_NS = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NS = "http://www.w3.org/2000/xmlns/";

/** What a platform has to provide. */
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

/** Where the platform has no DOM: `load` gives one. It is called when a DOM is first needed. @internal */
export function provideDom(load: () => Dom): void {
  substitute = load;
}

function platformDom(): Dom {
  if (typeof document !== "undefined" && typeof DOMParser !== "undefined") return { document, DOMParser };
  if (!substitute) throw new DomMissingError();
  return substitute();
}

/** The document that all elements are made with. */
export function xmlGenerator(): Document {
  return (generator ??= platformDom().document.implementation.createDocument(NS.CLIENT, "strophe", null));
}

/** Text as a document. One that is not well-formed becomes a document that holds a `parsererror`. */
export function xmlHtmlNode(text: string): Document {
  return new (platformDom().DOMParser)().parseFromString(text, "text/xml");
}

/** The prefixes that have to be kept, since `nodeName` is compared with them. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  [NS.STREAM, "stream:"],
  [XML_NS, "xml:"],
  [NS.BOSH, "xmpp:"],
]);

/** An element with its attributes; `xmlns` is among them where the namespace is not that of the parent, as after parsing. */
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
      const prefix = PREFIXES.get(attribute.ns) ?? `ns${number}:`;
      // Declared, so that the element as text can be parsed again. `xml:` is never declared.
      if (attribute.ns !== XML_NS) element.setAttributeNS(XMLNS_NS, `xmlns:${prefix.slice(0, -1)}`, attribute.ns);
      element.setAttributeNS(attribute.ns, `${prefix}${attribute.name}`, attribute.value);
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

/** The element within `<wrapper/>`, as strophe.js shows a WebSocket frame to those who replace its methods. */
export function wrapperOf(element: Element): Element {
  const wrapper = xmlGenerator().createElement("wrapper");
  wrapper.appendChild(element);
  return wrapper;
}
