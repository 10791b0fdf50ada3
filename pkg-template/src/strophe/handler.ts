// `Handler` and `TimedHandler`: functions of the page with the condition or period of their calls. Public contract of strophe.js 5.0.0.

import { getBareJidFromJid, getNamespace, handleError, isTagEqual } from "./utils.js";

/** How a handler compares its conditions with a stanza. */
export interface HandlerOptions {
  /** Compare only the bare part of `from`. */
  matchBareFromJid?: boolean;
  /** Ignore the fragment (after `#`) of the stanza's namespaces. */
  ignoreNamespaceFragment?: boolean;
}

/** The function that is called with a stanza. A truthy result keeps the handler. */
export type StanzaCallback = (stanza: Element) => unknown;

/** How often conditions of handlers that existed were changed: an index of handlers is rebuilt when it grows. @internal */
export let conditionChanges = 0;

type Condition = string | null | undefined;

/** A condition on stanzas, and the function that is called if it holds. */
export class Handler {
  handler: StanzaCallback;
  #ns: Condition;
  #name: Condition;
  type: string | string[] | null | undefined;
  #id: Condition;
  #from: Condition;
  options: HandlerOptions;
  /** Whether the page added it. Such handlers run only after the login. */
  user = true;

  constructor(
    handler: StanzaCallback,
    ns?: string | null,
    name?: string | null,
    type?: string | string[] | null,
    id?: string | null,
    from?: string | null,
    options?: HandlerOptions,
  ) {
    this.handler = handler;
    this.#ns = ns;
    this.#name = name;
    this.type = type;
    this.#id = id;
    this.options = options || { matchBareFromJid: false, ignoreNamespaceFragment: false };
    this.#from = this.options.matchBareFromJid ? (from ? getBareJidFromJid(from) : null) : from;
  }

  get ns(): Condition {
    return this.#ns;
  }

  set ns(ns: Condition) {
    this.#ns = ns;
    conditionChanges += 1;
  }

  get name(): Condition {
    return this.#name;
  }

  set name(name: Condition) {
    this.#name = name;
    conditionChanges += 1;
  }

  get id(): Condition {
    return this.#id;
  }

  set id(id: Condition) {
    this.#id = id;
    conditionChanges += 1;
  }

  get from(): Condition {
    return this.#from;
  }

  set from(from: Condition) {
    this.#from = from;
    conditionChanges += 1;
  }

  /** The namespace of an element, without its fragment if `ignoreNamespaceFragment` is set. */
  getNamespace(elem: Element): string | null {
    const ns = getNamespace(elem);
    return ns && this.options.ignoreNamespaceFragment ? (ns.split("#")[0] ?? null) : ns;
  }

  /** Whether the element, or any element in it, has the namespace of this handler. */
  namespaceMatch(elem: Element): boolean {
    if (!this.ns || this.getNamespace(elem) === this.ns) return true;
    // Iterative: a received tree may be deeper than the stack allows.
    const waiting: Element[] = [elem];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      for (const child of childElements(next)) {
        if (this.getNamespace(child) === this.ns) return true;
        waiting.push(child);
      }
    }
    return false;
  }

  /** Whether this handler matches the stanza. */
  isMatch(elem: Element): boolean {
    return (
      this.#fitsFrom(elem.getAttribute("from")) &&
      fitsType(this.type, elem.getAttribute("type")) &&
      (!this.id || elem.getAttribute("id") === this.id) &&
      (!this.name || isTagEqual(elem, this.name)) &&
      this.namespaceMatch(elem)
    );
  }

  #fitsFrom(from: string | null): boolean {
    if (!this.from) return true;
    return (this.options.matchBareFromJid ? getBareJidFromJid(from as string) : from) === this.from;
  }

  /** Calls the function. An exception is logged and rethrown. */
  run(elem: Element): unknown {
    try {
      return this.handler(elem);
    } catch (error) {
      handleError(error as Error);
      throw error;
    }
  }

  toString(): string {
    return `{Handler: ${String(this.handler)}(${this.name},${this.id},${this.ns})}`;
  }
}

/** Whether the `type` attribute is one of the given types. */
export function fitsType(wanted: Handler["type"], type: string | null): boolean {
  if (!wanted) return true;
  return Array.isArray(wanted) ? wanted.includes(type ?? "") : type === wanted;
}

function* childElements(elem: Element): Generator<Element> {
  for (let node = elem.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === 1) yield node as Element;
  }
}

/** A function that is called periodically while its result is truthy. */
export class TimedHandler {
  /** In milliseconds. */
  period: number;
  handler: () => unknown;
  /** In milliseconds since 1970. */
  lastCalled: number;
  user = true;

  constructor(period: number, handler: () => unknown) {
    this.period = period;
    this.handler = handler;
    this.lastCalled = Date.now();
  }

  run(): unknown {
    this.lastCalled = Date.now();
    return this.handler();
  }

  /** Restarts the period. */
  reset(): void {
    this.lastCalled = Date.now();
  }

  toString(): string {
    return `{TimedHandler: ${String(this.handler)}(${this.period})}`;
  }
}
