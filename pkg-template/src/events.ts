/// <reference lib="esnext.disposable" preserve="true" />
// Typed events and their listeners. What happens before the first listener of its kind is kept, bounded, and handed to it in order.

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

/** How many events of a kind are kept for its first listener, where it is not another number; beyond, the oldest go. @internal */
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

/** Calls a callback of the page. What it throws is reported, as an uncaught error would be. @internal */
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
  /** Kept until the first listener has had them; `undefined`: not kept (any more). */
  backlog: unknown[] | undefined;
  /** Where the oldest of them is. */
  first: number;
  hasDropped: boolean;
}

/** The listeners of one object. @internal */
export class Listeners<Events extends object> {
  readonly #kinds = new Map<string, Kind>();
  readonly #most: number;

  /** `kept` kinds wait for their first listener, `most` of each; `passing` ones do not. */
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
    // After the caller's turn, so that its other listeners are there too and `on` never calls back at once.
    if (kind.backlog) queueMicrotask(() => handOver(kind));
    return registrationOf(() => {
      entry.isRemoved = true;
      kind.entries = kind.entries.filter((other) => other !== entry);
    });
  }

  /** Whether it is worth making an event of this kind. */
  wants(name: keyof Events & string): boolean {
    const kind = this.#kinds.get(name);
    return kind !== undefined && (kind.entries.length > 0 || kind.backlog !== undefined);
  }

  /** Keeps no more events of a kind that nobody listens to. */
  keepNoMore(name: keyof Events & string): void {
    const kind = this.#kinds.get(name);
    if (kind && kind.entries.length === 0) kind.backlog = undefined;
  }

  /** Calls the listeners, or keeps the event. False when an older one had to go for it, for the first time. */
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

  /** Forgets all listeners and events. */
  clear(): void {
    for (const kind of this.#kinds.values()) {
      for (const entry of kind.entries) entry.isRemoved = true;
      kind.entries = [];
      if (kind.backlog) kind.backlog = [];
      kind.first = 0;
    }
  }
}

/** An array whose first one is taken moves all others, which many thousands would feel: it is done once for half of them. */
function compact(kind: Kind): void {
  if (kind.backlog && kind.first * 2 > kind.backlog.length) {
    kind.backlog = kind.backlog.slice(kind.first);
    kind.first = 0;
  }
}

function handOver(kind: Kind): void {
  // Without listeners, the only one is gone already: go on keeping.
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

/** Calls those that were there when the event happened, and are still there when their turn comes. */
function call(kind: Kind, event: unknown): void {
  for (const entry of kind.entries) {
    if (!entry.isRemoved) callBack(entry.listener as (event: unknown) => unknown, event);
  }
}

/** A kind's name as pages know it: a feed's batches are made of `_change`. */
const shown = (name: string): string => (name === "_change" ? "batch" : name);
