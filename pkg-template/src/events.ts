/// <reference lib="esnext.disposable" preserve="true" />
// Typed events and their listeners. Events before the first listener of their kind are kept, up to a limit, and
// delivered to it in order.

import { disposeBy } from "./dispose.js";
import { badArgument, report } from "./errors.js";

/**
 * A registered callback, which is called until `remove()`.
 * @example
 * const registration = client.on("received", (text) => console.log(text));
 * registration.remove();
 */
export interface Registration {
  /**
   * Removes the callback. A second call does nothing. It may be called from inside the callback.
   * @example
   * const handler = client.addHandler(() => handler.remove(), { name: "message" }); // the first message only
   */
  remove(): void;
  /**
   * As `remove()`, for `using`.
   * @example
   * const registration = client.on("error", (error) => console.warn(error.message));
   * registration[Symbol.dispose]();
   */
  [Symbol.dispose](): void;
}

/**
 * The default number of events of a kind that are kept for its first listener; the oldest are discarded first.
 * @internal
 */
export const KEPT = 1_000;

/** A registration that `remove` ends. @internal */
export function registrationOf(remove: () => void): Registration {
  let due: (() => void) | undefined = remove;
  const handle = {
    remove(): void {
      const act = due;
      due = undefined;
      act?.();
    },
  };
  disposeBy(handle, handle.remove);
  return handle as Registration;
}

/** A callback that can be called. @internal */
export function mustBeFunction(callback: unknown): void {
  if (typeof callback !== "function") {
    throw badArgument("The callback is not a function. Give a function, which is called with the event or stanza.");
  }
}

/** Calls a callback of the page. An exception is reported like an uncaught error. @internal */
export function callBack<T>(callback: (event: T) => unknown, event: T): void {
  try {
    callback(event);
  } catch (error) {
    report(error);
  }
}

type Listener = (event: never) => unknown;

interface Entry {
  listener: Listener;
  isRemoved: boolean;
}

interface Kind {
  entries: Entry[];
  /** Events kept for the first listener; `undefined`: events are not kept (any more). */
  backlog: unknown[] | undefined;
  /** The index of the oldest kept event. */
  first: number;
  hasDropped: boolean;
}

/** The listeners of one object. @internal */
export class Listeners<Events extends object> {
  readonly #kinds = new Map<string, Kind>();
  readonly #most: number;

  /** Events of `kept` kinds wait for their first listener, at most `most` of each; events of `passing` kinds do not. */
  constructor(kept: readonly (keyof Events & string)[], passing: readonly (keyof Events & string)[], most = KEPT) {
    this.#most = most;
    for (const name of kept) this.#kinds.set(name, { entries: [], backlog: [], first: 0, hasDropped: false });
    for (const name of passing) this.#kinds.set(name, { entries: [], backlog: undefined, first: 0, hasDropped: false });
  }

  on<K extends keyof Events & string>(name: K, listener: (event: Events[K]) => unknown): Registration {
    mustBeFunction(listener);
    const kind = this.#kinds.get(name);
    if (!kind) throw badArgument(`There is no event '${name}' here. There are: ${[...this.#kinds.keys()].map(shown).join(", ")}.`);
    const entry: Entry = { listener, isRemoved: false };
    kind.entries = [...kind.entries, entry];
    // After the caller's turn, so that its other listeners are registered too and `on` never calls back at once.
    if (kind.backlog) queueMicrotask(() => handOver(kind));
    return registrationOf(() => {
      entry.isRemoved = true;
      kind.entries = kind.entries.filter((other) => other !== entry);
    });
  }

  /** Whether an event of this kind would be delivered or kept. */
  wants(name: keyof Events & string): boolean {
    const kind = this.#kinds.get(name);
    return kind !== undefined && (kind.entries.length > 0 || kind.backlog !== undefined);
  }

  /** Keeps no more events of a kind that has no listener. */
  keepNoMore(name: keyof Events & string): void {
    const kind = this.#kinds.get(name);
    if (kind && kind.entries.length === 0) kind.backlog = undefined;
  }

  /**
   * Calls the listeners, or keeps the event. Returns false when an older event had to be discarded for the first time.
   */
  emit<K extends keyof Events & string>(name: K, event: Events[K]): boolean {
    const kind = this.#kinds.get(name);
    if (!kind) return true;
    if (!kind.backlog) {
      call(kind, event);
      return true;
    }
    kind.backlog.push(event);
    if (kind.backlog.length - kind.first <= this.#most) return true;
    kind.backlog[kind.first] = undefined;
    kind.first += 1;
    compact(kind);
    const isFirst = !kind.hasDropped;
    kind.hasDropped = true;
    return !isFirst;
  }

  /** Removes all listeners and events. */
  clear(): void {
    for (const kind of this.#kinds.values()) {
      for (const entry of kind.entries) entry.isRemoved = true;
      kind.entries = [];
      if (kind.backlog) kind.backlog = [];
      kind.first = 0;
    }
  }
}

/**
 * Removing the first element of an array moves all others, which is slow for many thousands: done once for half of
 * them.
 */
function compact(kind: Kind): void {
  if (kind.backlog && kind.first * 2 > kind.backlog.length) {
    kind.backlog = kind.backlog.slice(kind.first);
    kind.first = 0;
  }
}

function handOver(kind: Kind): void {
  // Without listeners, the only one was removed already: continue to keep events.
  while (kind.backlog && kind.entries.length > 0) {
    if (kind.first >= kind.backlog.length) {
      kind.backlog = undefined;
      return;
    }
    const event = kind.backlog[kind.first];
    kind.backlog[kind.first] = undefined;
    kind.first += 1;
    compact(kind);
    call(kind, event);
  }
}

/** Calls the listeners that existed when the event happened and have not been removed since. */
function call(kind: Kind, event: unknown): void {
  for (const entry of kind.entries) {
    if (!entry.isRemoved) callBack(entry.listener as (event: unknown) => unknown, event);
  }
}

/** A kind's public name: a feed's batches are made of `_change`. */
const shown = (name: string): string => (name === "_change" ? "batch" : name);
