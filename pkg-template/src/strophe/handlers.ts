// The index of handlers: finds the handlers that may match a stanza without a test of each. A handler is indexed under its most selective
// condition. Handlers that a page has subclassed or patched are tested for every stanza, as in strophe.js.

import { sendersOf, type Arrival } from "./arrival.js";
import { Handler, fitsType } from "./handler.js";

const { isMatch, namespaceMatch, getNamespace } = Handler.prototype;

/** Whether the page has not replaced the methods by which this handler compares. */
const isPlain = (handler: Handler): boolean =>
  handler.isMatch === isMatch && handler.namespaceMatch === namespaceMatch && handler.getNamespace === getNamespace;

/** Handlers that have the same value of their most selective condition. */
interface Group {
  readonly handlers: Set<Handler>;
  /** Where the group is, under which key; the group of all others is nowhere. */
  readonly map?: Map<string, Group>;
  readonly key: string;
}

interface Place {
  order: number;
  group: Group;
}

/** An index over the array `connection.handlers`, which pages may replace or change. */
export class HandlerIndex {
  #array: Handler[] = [];
  #length = 0;
  #order = 0;
  readonly #places = new Map<Handler, Place>();
  readonly #ids = new Map<string, Group>();
  readonly #senders = new Map<string, Group>();
  readonly #namespaces = new Map<string, Group>();
  readonly #names = new Map<string, Group>();
  readonly #others: Group = { handlers: new Set(), key: "" };

  /** Updates the index from the array. The array is authoritative. */
  follow(array: Handler[]): void {
    if (array === this.#array && array.length === this.#length) return;
    for (const all of [this.#places, this.#ids, this.#senders, this.#namespaces, this.#names, this.#others.handlers]) all.clear();
    this.#array = array;
    this.#length = array.length;
    for (const handler of array) this.#place(handler);
  }

  /** Appends handlers to the array. */
  add(handler: Handler): void {
    this.#array.push(handler);
    this.#length += 1;
    this.#place(handler);
  }

  /** Removes handlers from the array. */
  remove(handler: Handler): void {
    const at = this.#array.indexOf(handler);
    if (at < 0) return;
    this.#array.splice(at, 1);
    this.#length -= 1;
    const group = this.#places.get(handler)?.group;
    this.#places.delete(handler);
    group?.handlers.delete(handler);
    // What no handler asks for is not looked up: the namespaces in a stanza, above all.
    if (group?.handlers.size === 0) group.map?.delete(group.key);
  }

  #place(handler: Handler): void {
    const group = this.#groupFor(handler);
    group.handlers.add(handler);
    this.#places.set(handler, { order: (this.#order += 1), group });
  }

  #groupFor(handler: Handler): Group {
    if (!isPlain(handler)) return this.#others;
    const { id, from, ns, name } = handler;
    if (id) return groupIn(this.#ids, id);
    if (from) return groupIn(this.#senders, from);
    if (ns) return groupIn(this.#namespaces, ns);
    // A stream element has two names: prefixed, as strophe.js reads it over BOSH, and plain.
    if (name && !name.includes(":")) return groupIn(this.#names, name);
    return this.#others;
  }

  /** The handlers that may match the element, in the order of the array. */
  candidates(arrival: Arrival): Handler[] {
    // A page that patches the class itself expects every handler to be tested.
    if (Handler.prototype.isMatch !== isMatch || Handler.prototype.namespaceMatch !== namespaceMatch) return [...this.#array];
    const groups: Set<Handler>[] = [];
    const collect = (group: Group | undefined): void => {
      if (group) groups.push(group.handlers);
    };
    if (this.#others.handlers.size) collect(this.#others);
    if (this.#ids.size) collect(this.#ids.get(arrival.attr("id") ?? ""));
    if (this.#senders.size) for (const from of sendersOf(arrival)) collect(this.#senders.get(from));
    if (this.#namespaces.size) this.#collectNamespaces(arrival, collect);
    if (this.#names.size) collect(this.#names.get(arrival.name.slice(arrival.name.lastIndexOf(":") + 1)));
    if (groups.length === 1) return [...(groups[0] as Set<Handler>)];
    return groups.flatMap((group) => [...group]).sort((one, other) => this.#orderOf(one) - this.#orderOf(other));
  }

  #collectNamespaces(arrival: Arrival, collect: (group: Group | undefined) => void): void {
    const keys = new Set<string>();
    for (const ns of arrival.namespaces) keys.add(ns).add(withoutFragment(ns));
    for (const key of keys) collect(this.#namespaces.get(key));
  }

  #orderOf(handler: Handler): number {
    return this.#places.get(handler)?.order ?? 0;
  }
}

function groupIn(map: Map<string, Group>, key: string): Group {
  const known = map.get(key);
  if (known) return known;
  const group = { handlers: new Set<Handler>(), map, key };
  map.set(key, group);
  return group;
}

const withoutFragment = (ns: string): string => ns.split("#", 1)[0] as string;

/** Whether the handler matches the element. Builds no DOM unless the page has replaced how handlers compare. */
export function isFor(handler: Handler, arrival: Arrival): boolean {
  if (!isPlain(handler) || Handler.prototype.isMatch !== isMatch) return handler.isMatch(arrival.element());
  const { id, from, name, ns } = handler;
  return (
    (!id || arrival.attr("id") === id) &&
    (!name || arrival.isNamed(name)) &&
    fitsType(handler.type, arrival.attr("type")) &&
    (!from || (handler.options.matchBareFromJid ? sendersOf(arrival).at(-1) : arrival.attr("from")) === from) &&
    (!ns || hasNamespace(arrival.namespaces, ns, handler.options.ignoreNamespaceFragment === true))
  );
}

function hasNamespace(all: ReadonlySet<string>, ns: string, ignoresFragment: boolean): boolean {
  if (!ignoresFragment) return all.has(ns);
  for (const one of all) if (withoutFragment(one) === ns) return true;
  return false;
}
