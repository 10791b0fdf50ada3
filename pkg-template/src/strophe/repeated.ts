// Handlers that a page adds whenever it is told CONNECTED. They stay over an interruption, and the page's callback adds them again: the
// new one takes the place of the old one, so that a stanza is not handled twice.

import type { Connection } from "./connection.js";
import { Handler, type TimedHandler } from "./handler.js";

type Added = Handler | TimedHandler;

/** What a handler is known by. `toString()` has the source of its function, since a page's callback makes a new closure each time. */
const likeness = (handler: Added): string =>
  handler instanceof Handler ? JSON.stringify([String(handler), handler.type, handler.from, handler.options]) : String(handler);

/** The handlers that were added while the page was told CONNECTED. */
export class Repeated {
  readonly #connection: Connection;
  /** Those of the last time. */
  #former: Added[] = [];
  #replaceable = new Map<string, Added[]>();
  #added: Added[] | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether the page is being told. */
  get isTelling(): boolean {
    return this.#added !== undefined;
  }

  /** Notes what is added while `tell` tells the page. */
  during(tell: () => void): void {
    const { handlers, addHandlers, timedHandlers, addTimeds } = this.#connection;
    const present = new Set<Added>([...handlers, ...addHandlers, ...timedHandlers, ...addTimeds]);
    const former = this.#former.filter((one) => present.has(one));
    for (const one of former) {
      const known = likeness(one);
      this.#replaceable.set(known, [...(this.#replaceable.get(known) ?? []), one]);
    }
    this.#added = [];
    tell();
    const left = [...this.#replaceable.values()].flat();
    this.#former = [...left, ...this.#added];
    this.#replaceable.clear();
    this.#added = undefined;
  }

  /** A handler was added. */
  note(added: Added): void {
    if (!this.#added) return;
    this.#added.push(added);
    const replaced = this.#replaceable.get(likeness(added))?.shift();
    if (replaced instanceof Handler) this.#connection.deleteHandler(replaced);
    else if (replaced) this.#connection.deleteTimedHandler(replaced);
  }
}
