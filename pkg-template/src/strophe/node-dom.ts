// The DOM for Node, by `@xmldom/xmldom`. Adds the members of a browser's DOM that it lacks and that this package, plugins and pages use.
//
// Left out: `querySelector`, and HTML that is not XML.

import { DomMissingError, provideDom, type Dom } from "./dom.js";

const PARSER_ERROR_NS = "http://www.w3.org/1999/xhtml";

interface Xmldom {
  DOMImplementation: new () => DOMImplementation;
  DOMParser: new (options: { onError(level: string, message: unknown): void }) => DOMParser;
  XMLSerializer: new () => XMLSerializer;
}

/** Adds the missing members to the prototypes of elements and documents. */
function complete({ DOMParser, XMLSerializer }: Xmldom, sample: Document): void {
  const element = Object.getPrototypeOf(sample.documentElement) as object;
  const elementsOf = (node: Node): Element[] => Array.from(node.childNodes).filter(({ nodeType }) => nodeType === 1) as Element[];
  const getters: Record<string, (this: Node) => unknown> = {
    firstElementChild() {
      return elementsOf(this)[0] ?? null;
    },
    lastElementChild() {
      return elementsOf(this).at(-1) ?? null;
    },
    childElementCount() {
      return elementsOf(this).length;
    },
    children() {
      return elementsOf(this);
    },
    parentElement() {
      return this.parentNode?.nodeType === 1 ? this.parentNode : null;
    },
  };
  for (const prototype of [element, Object.getPrototypeOf(sample) as object]) {
    for (const [name, get] of Object.entries(getters)) {
      if (!(name in prototype)) Object.defineProperty(prototype, name, { configurable: true, get });
    }
  }
  if ("innerHTML" in element) return;
  Object.defineProperty(element, "innerHTML", {
    configurable: true,
    get(this: Element) {
      const serializer = new XMLSerializer();
      return Array.from(this.childNodes, (node) => serializer.serializeToString(node)).join("");
    },
    set(this: Element, html: string) {
      while (this.firstChild) this.removeChild(this.firstChild);
      const root = parsed(DOMParser, `<html>${html}</html>`).documentElement;
      while (root.firstChild) this.appendChild(root.firstChild);
    },
  });
}

/** Throws for text that is not well-formed. */
function parsed(Parser: Xmldom["DOMParser"], text: string): Document {
  const onError = (level: string, message: unknown): void => {
    if (level === "fatalError") throw new Error(String(message));
  };
  return new Parser({ onError }).parseFromString(text, "text/xml");
}

function domOf(xmldom: Xmldom): Dom & Record<string, unknown> {
  const implementation = new xmldom.DOMImplementation();
  complete(xmldom, implementation.createDocument(null, "sample", null));
  class Parser {
    /** As in a browser, text that is not well-formed gives a document with a `parsererror`. */
    parseFromString(text: string): Document {
      try {
        return parsed(xmldom.DOMParser, text);
      } catch (error) {
        const failed = implementation.createDocument(PARSER_ERROR_NS, "parsererror", null);
        failed.documentElement.appendChild(failed.createTextNode((error as Error).message));
        return failed;
      }
    }
  }
  // The module reads `document.hidden` and listens for changes: this document is always visible.
  const nothing = (): void => {};
  const page = { hidden: false, visibilityState: "visible", addEventListener: nothing, removeEventListener: nothing };
  const document = Object.assign(implementation.createDocument(null, null, null), page);
  return { document, DOMParser: Parser, XMLSerializer: xmldom.XMLSerializer } as never;
}

/**
 * Uses the result of `load` as the DOM, and as the global `document`, `DOMParser` and `XMLSerializer` unless these exist.
 * If `load` fails, the first call that needs a DOM throws.
 * @internal
 */
export function useXmldom(load: () => Xmldom): void {
  let xmldom: Xmldom;
  try {
    xmldom = load();
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    return provideDom(() => {
      throw new DomMissingError(reason);
    });
  }
  const dom = domOf(xmldom);
  provideDom(() => dom);
  for (const [name, value] of Object.entries(dom)) if (!(name in globalThis)) (globalThis as Record<string, unknown>)[name] = value;
}
