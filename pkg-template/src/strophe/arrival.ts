// Received data before and after it is converted to DOM. A `Frame` is a BOSH body or one WebSocket frame, an `Arrival` is one element of
// it. A frame from the stream is a view of packed text: DOM is built only for elements that a handler matches, once for each element.

import type { Stanza } from "../stanza.js";
import { Builder } from "./builder.js";
import { NS } from "./constants.js";
import { elementOf, emptyOf, wrapperOf } from "./dom.js";
import { getBareJidFromJid, getNamespace } from "./utils.js";

/** One top-level element. */
export interface Arrival {
  /** The `nodeName` of the element, prefix included. */
  readonly name: string;
  attr(name: string): string | null;
  isNamed(name: string): boolean;
  /** The namespaces of the element and of all elements in it. */
  readonly namespaces: ReadonlySet<string>;
  /** The element as DOM: each call returns the same one. */
  element(): Element;
  /** Whether the DOM is already built, so that a comparison with it costs nothing. */
  readonly isDom: boolean;
}

/** A body or frame. */
export interface Frame {
  attr(name: string): string | null;
  readonly arrivals: readonly Arrival[];
  /** The body or frame as DOM: `<body/>` over BOSH, `<wrapper/>` over WebSocket. */
  element(): Element;
  /** The argument of the page's `xmlInput`. */
  shown(strip: string | boolean): Element;
  /** The body or frame as text, serialised from the DOM: pages search it for prefixes such as `stream:features`. */
  text(): string;
}

const nodeName = (view: Stanza): string => (view.ns === NS.STREAM ? `stream:${view.name}` : view.name);

class ViewArrival implements Arrival {
  readonly #view: Stanza;
  readonly #make: () => Element;
  #element: Element | undefined;
  #namespaces: Set<string> | undefined;

  constructor(view: Stanza, make: () => Element) {
    this.#view = view;
    this.#make = make;
  }

  get isDom(): boolean {
    return this.#element !== undefined;
  }

  get name(): string {
    return nodeName(this.#view);
  }

  attr(name: string): string | null {
    return this.#view.attr(name) ?? null;
  }

  isNamed(name: string): boolean {
    return this.#view.name === name || nodeName(this.#view) === name;
  }

  get namespaces(): ReadonlySet<string> {
    return (this.#namespaces ??= namespacesIn(this.#view));
  }

  element(): Element {
    return (this.#element ??= this.#make());
  }
}

function namespacesIn(view: Stanza): Set<string> {
  const found = new Set<string>();
  const waiting = [view];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    found.add(next.ns);
    waiting.push(...next.children());
  }
  return found;
}

class ElementArrival implements Arrival {
  readonly #element: Element;
  #namespaces: Set<string> | undefined;
  readonly isDom = true;

  constructor(element: Element) {
    this.#element = element;
  }

  get name(): string {
    return this.#element.nodeName;
  }

  attr(name: string): string | null {
    return this.#element.getAttribute(name);
  }

  isNamed(name: string): boolean {
    return this.#element.tagName === name;
  }

  get namespaces(): ReadonlySet<string> {
    return (this.#namespaces ??= namespacesUnder(this.#element));
  }

  element(): Element {
    return this.#element;
  }
}

function namespacesUnder(element: Element): Set<string> {
  const found = new Set<string>();
  const waiting: Element[] = [element];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const ns = getNamespace(next);
    if (ns) found.add(ns);
    waiting.push(...elementsIn(next));
  }
  return found;
}

/** The child elements, in order. */
export function elementsIn(element: Element): Element[] {
  const found: Element[] = [];
  for (let node = element.firstChild; node; node = node.nextSibling) if (node.nodeType === 1) found.push(node as Element);
  return found;
}

/** A BOSH body: its children are the received elements. */
export class BodyFrame implements Frame {
  readonly #view: Stanza;
  #element: Element | undefined;
  /** Has the children that are DOM without the others. */
  #parent: Element | undefined;
  #arrivals: Arrival[] | undefined;

  constructor(view: Stanza) {
    this.#view = view;
  }

  attr(name: string): string | null {
    return this.#view.attr(name) ?? null;
  }

  get arrivals(): readonly Arrival[] {
    return (this.#arrivals ??= this.#view.children().map((view, index) => new ViewArrival(view, () => this.#child(view, index))));
  }

  /** If the body is already DOM, a handler gets the element in that DOM. */
  #child(view: Stanza, index: number): Element {
    const made = this.#element && elementsIn(this.#element)[index];
    if (made) return made;
    this.#parent ??= emptyOf(this.#view);
    return this.#parent.appendChild(elementOf(view, this.#view.ns));
  }

  element(): Element {
    return (this.#element ??= elementOf(this.#view));
  }

  shown(strip: string | boolean): Element {
    return unwrapped(this.element(), strip);
  }

  text(): string {
    return Builder.serialize(this.element());
  }
}

/** A WebSocket frame: one element. It is inside a `<wrapper/>`, as in strophe.js. */
export class SocketFrame implements Frame {
  readonly view: Stanza;
  readonly arrivals: readonly Arrival[];

  constructor(view: Stanza) {
    this.view = view;
    this.arrivals = [new ViewArrival(view, () => wrapperOf(elementOf(view)).firstChild as Element)];
  }

  attr(): null {
    return null;
  }

  element(): Element {
    const shown = this.shown();
    // A page may have moved it elsewhere.
    return shown.parentElement ?? wrapperOf(shown);
  }

  shown(): Element {
    return (this.arrivals[0] as Arrival).element();
  }

  text(): string {
    return Builder.serialize(this.shown());
  }
}

/** DOM that the page or a plugin passes in as received data. */
export class ElementFrame implements Frame {
  readonly #element: Element;
  readonly arrivals: readonly Arrival[];

  constructor(element: Element) {
    this.#element = element;
    this.arrivals = elementsIn(element).map((child) => new ElementArrival(child));
  }

  attr(name: string): string | null {
    return this.#element.getAttribute(name);
  }

  element(): Element {
    return this.#element;
  }

  shown(strip: string | boolean): Element {
    return unwrapped(this.#element, strip);
  }

  text(): string {
    return Builder.serialize(this.#element);
  }
}

const unwrapped = (element: Element, strip: string | boolean): Element =>
  element.nodeName === strip && element.firstChild ? (element.firstChild as Element) : element;

/** The addresses under which a handler for this sender may be indexed. */
export function sendersOf(arrival: Arrival): string[] {
  const from = arrival.attr("from");
  if (from === null) return [];
  const bare = getBareJidFromJid(from);
  return bare === null || bare === from ? [from] : [from, bare];
}
