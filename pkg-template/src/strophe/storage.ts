// Storage for the state that stream management needs to resume a session.

import log from "./log.js";
import type { SMState } from "./stream-management.js";

/** A store of one state for each key. */
export interface SMStorageBackend {
  load(key: string): SMState | null;
  save(key: string, state: SMState): void;
  clear(key: string): void;
}

/** Stores the state in memory, until the page is unloaded. */
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

/** Stores the state in `sessionStorage`, which survives a reload of this tab. */
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
      // If the storage is full or forbidden, a reload cannot resume the session; the session itself continues.
      log.warn(`The state of stream management cannot be kept: ${(error as Error).message}`);
    }
  }

  clear(key: string): void {
    sessionStorage.removeItem(key);
  }
}
