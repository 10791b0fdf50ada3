// Where stream management keeps what it needs to resume a session.

import log from "./log.js";
import type { SMState } from "./stream-management.js";

/** A place for one state a key. */
export interface SMStorageBackend {
  load(key: string): SMState | null;
  save(key: string, state: SMState): void;
  clear(key: string): void;
}

/** Keeps it as long as the page lives. */
export class MemoryStorageBackend implements SMStorageBackend {
  readonly #store = new Map<string, string>();

  load(key: string): SMState | null {
    const kept = this.#store.get(key);
    return kept ? (JSON.parse(kept) as SMState) : null;
  }

  save(key: string, state: SMState): void {
    this.#store.set(key, JSON.stringify(state));
  }

  clear(key: string): void {
    this.#store.delete(key);
  }
}

/** Keeps it over a reload of the page, in this tab. */
export class SessionStorageBackend implements SMStorageBackend {
  constructor() {
    if (typeof sessionStorage === "undefined") throw new Error("SessionStorageBackend needs sessionStorage, which only a web page has.");
  }

  load(key: string): SMState | null {
    const kept = sessionStorage.getItem(key);
    if (!kept) return null;
    try {
      return JSON.parse(kept) as SMState;
    } catch (error) {
      log.warn(`The kept state of stream management under ${key} cannot be read and is ignored: ${(error as Error).message}`);
      return null;
    }
  }

  save(key: string, state: SMState): void {
    try {
      sessionStorage.setItem(key, JSON.stringify(state));
    } catch (error) {
      // A full or forbidden storage costs the resumption after a reload, not the session.
      log.warn(`The state of stream management cannot be kept: ${(error as Error).message}`);
    }
  }

  clear(key: string): void {
    sessionStorage.removeItem(key);
  }
}
