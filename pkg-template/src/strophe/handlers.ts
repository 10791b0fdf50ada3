// The index of handlers: finds the handlers that may match a stanza without a test of each. A handler is indexed under its most selective
// condition. Handlers that a page has subclassed or patched are tested for every stanza, as in strophe.js. Pages change conditions and
// methods of handlers that are in use: a changed condition is counted, the methods are compared before each stanza (2 ns each).

import { sendersOf, type Arrival } from "./arrival.js";
import { Handler, conditionChanges, fitsType } from "./handler.js";

const { isMatch, namespaceMatch, getNamespace } = Handler.prototype;

/** Whether the page has left alone how this handler compares. */
const isPlain = (handler: Handler): boolean =>
  handler.isMatch === isMatch && handler.namespaceMatch === namespaceMatch && handler.getNamespace === getNamespace;

/** The conditions that a handler may be kept under, the most selective one first. */
const CONDITIONS = ["id", "from", "ns", "name"] as const;
type Condition = (typeof CONDITIONS)[number];

/** Handlers that have the same value of their most selective condition. */
interface Group {
  readonly handlers: Set<Handler>;
  /** Where the group is, under which key; the group of all others is nowhere. */
  readonly map?: Map<string, Group>;
  readonly key: string;
}

/** Where a handler is kept. */
interface Place {
  handler: Handler;
  order: number;
  group: Group;
  isPlain: boolean;
}

/** An index over the array `connection.handlers`, which pages may replace or change. */
export class HandlerIndex {
  #array: Handler[] = [];
  #order = 0;
  /** Of `conditionChanges`, when the places were given. */
  #changes = 0;
  /** One for each handler of the array, in its order. */
  #inOrder: Place[] = [];
  readonly #places = new Map<Handler, Place>();
  readonly #kept: Record<Condition, Map<string, Group>> = { id: new Map(), from: new Map(), ns: new Map(), name: new Map() };
  readonly #others: Group = { handlers: new Set(), key: "" };

  /** Updates the index from the array. The array is authoritative. */
  follow(array: Handler[]): void {
    if (array !== this.#array || array.length !== this.#inOrder.length) this.#rebuild(array);
  }

  #rebuild(array: Handler[]): void {
    for (const map of [this.#places, ...Object.values(this.#kept), this.#others.handlers]) map.clear();
    this.#array = array;
    this.#inOrder = [];
    this.#changes = conditionChanges;
    for (const handler of array) this.#place(handler);
  }

  /** Whether the array has the handlers that it had, as they were. */
  #isCurrent(): boolean {
    if (this.#changes !== conditionChanges) return false;
    const array = this.#array;
    const places = this.#inOrder;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] as Place;
      if (place.handler !== array[index] || isPlain(place.handler) !== place.isPlain) return false;
    }
    return true;
  }

  /** Appends a handler to the array. */
  add(handler: Handler): void {
    this.#array.push(handler);
    this.#place(handler);
  }

  /** Removes from the array. */
  remove(handler: Handler): void {
    const at = this.#array.indexOf(handler);
    if (at < 0) return;
    this.#array.splice(at, 1);
    const [place] = this.#inOrder.splice(at, 1);
    if (place) leave(place.group, place.handler);
    this.#places.delete(handler);
  }

  #place(handler: Handler): void {
    const group = this.#groupFor(handler);
    group.handlers.add(handler);
    const place = { handler, order: (this.#order += 1), group, isPlain: isPlain(handler) };
    this.#inOrder.push(place);
    this.#places.set(handler, place);
  }

  #groupFor(handler: Handler): Group {
    const condition = isPlain(handler) ? CONDITIONS.find((one) => handler[one]) : undefined;
    const value = condition && handler[condition];
    // A stream element has two names: prefixed, as strophe.js reads it over BOSH, and plain.
    if (!value || (condition === "name" && value.includes(":"))) return this.#others;
    return groupIn(this.#kept[condition], value);
  }

  /** The handlers that may match the element, in the order of the array. */
  candidates(arrival: Arrival): Handler[] {
    if (!this.#isCurrent()) this.#rebuild(this.#array);
    const { id: ids, from: senders, ns: namespaces, name: names } = this.#kept;
    const groups: Set<Handler>[] = [];
    const collect = (group: Group | undefined): void => {
      if (group?.handlers.size) groups.push(group.handlers);
    };
    collect(this.#others);
    if (ids.size) collect(ids.get(arrival.attr("id") ?? ""));
    if (senders.size) for (const from of sendersOf(arrival)) collect(senders.get(from));
    if (namespaces.size) for (const ns of keysOf(arrival.namespaces)) collect(namespaces.get(ns));
    if (names.size) collect(names.get(arrival.name.replace(/^.*:/, "")));
    if (groups.length === 1) return [...(groups[0] as Set<Handler>)];
    return groups.flatMap((group) => [...group]).sort((one, other) => this.#orderOf(one) - this.#orderOf(other));
  }

  #orderOf(handler: Handler): number {
    return this.#places.get(handler)?.order ?? 0;
  }
}

function groupIn(map: Map<string, Group>, key: string): Group {
  const group = map.get(key) ?? { handlers: new Set(), map, key };
  map.set(key, group);
  return group;
}

/** Removes a handler from its group. A condition without a handler is not looked up, above all the namespaces in a stanza. */
function leave(group: Group, handler: Handler): void {
  group.handlers.delete(handler);
  if (group.handlers.size === 0) group.map?.delete(group.key);
}

const withoutFragment = (ns: string): string => ns.split("#", 1)[0] as string;

/** The keys under which a handler for these namespaces may be indexed. */
function keysOf(all: ReadonlySet<string>): Set<string> {
  const keys = new Set<string>();
  for (const ns of all) keys.add(ns).add(withoutFragment(ns));
  return keys;
}

/** Whether the handler matches the element. Builds no DOM unless the page has replaced how handlers compare. */
export function isFor(handler: Handler, arrival: Arrival): boolean {
  if (!isPlain(handler)) return handler.isMatch(arrival.element());
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
