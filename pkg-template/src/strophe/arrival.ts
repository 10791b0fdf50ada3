// What has arrived, before and after it is DOM. A `Frame` is a BOSH body or one WebSocket frame, an `Arrival` one element of it. A frame
// that the stream handed over is a view of packed text: DOM is built for the elements that a handler wants, once each.

import type { Stanza } from "../stanza.js";
import { Builder } from "./builder.js";
import { NS } from "./constants.js";
import { elementOf, wrapperOf } from "./dom.js";
import { getBareJidFromJid, getNamespace } from "./utils.js";

/** One top-level element. */
export interface Arrival {
  /** As `nodeName` of the element. */
  readonly name: string;
  attr(name: string): string | null;
  isNamed(name: string): boolean;
  /** The namespaces of the element and of all elements in it. */
  readonly namespaces: ReadonlySet<string>;
  /** The element as DOM: the same at each call. */
  element(): Element;
  /** Whether the DOM is there already, so that comparing with it costs nothing. */
  readonly isDom: boolean;
}

/** A whole body or frame. */
export interface Frame {
  attr(name: string): string | null;
  readonly arrivals: readonly Arrival[];
  /** The whole as DOM: `<body/>` over BOSH, `<wrapper/>` over WebSocket. */
  element(): Element;
  /** What the page's `xmlInput` gets. */
  shown(strip: string | boolean): Element;
  /** The whole as text, written from the DOM: pages look for prefixes such as `stream:features`. */
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

/** A BOSH body: its children are what arrived. */
export class BodyFrame implements Frame {
  readonly #view: Stanza;
  #element: Element | undefined;
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

  /** Where the whole body is DOM already, a handler gets the element that is in it. */
  #child(view: Stanza, index: number): Element {
    return (this.#element && elementsIn(this.#element)[index]) ?? elementOf(view);
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

/** A WebSocket frame: one element, which strophe.js shows in a wrapper to those who replace its methods. */
export class SocketFrame implements Frame {
  readonly view: Stanza;
  readonly arrivals: readonly Arrival[];
  #wrapper: Element | undefined;

  constructor(view: Stanza) {
    this.view = view;
    this.arrivals = [new ViewArrival(view, () => elementOf(view))];
  }

  attr(): null {
    return null;
  }

  element(): Element {
    return (this.#wrapper ??= wrapperOf((this.arrivals[0] as Arrival).element()));
  }

  shown(): Element {
    return (this.arrivals[0] as Arrival).element();
  }

  text(): string {
    return Builder.serialize(this.shown());
  }
}

/** What the page, or a plugin, feeds in as DOM. */
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

/** The addresses under which a handler for the sender may be found. */
export function sendersOf(arrival: Arrival): string[] {
  const from = arrival.attr("from");
  if (from === null) return [];
  const bare = getBareJidFromJid(from);
  return bare === null || bare === from ? [from] : [from, bare];
}
