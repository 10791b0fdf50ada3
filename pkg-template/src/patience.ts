// A wait that can be given up: for what the page asks for before the module is loaded, and takes back before it is.

import { XmppError } from "./errors.js";

/** A wait that its signal, or `giveUp`, ends. @internal */
export class Patience {
  readonly #signal: AbortSignal | undefined;
  readonly #givenUp: Promise<never>;
  #reject!: (error: unknown) => void;
  #error: unknown;

  /** Whether `signal` is an AbortSignal is checked with the other options. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#givenUp = new Promise((_, reject) => (this.#reject = reject));
    this.#givenUp.catch(() => {});
  }

  giveUp(error: unknown): void {
    this.#error ??= error;
    this.#reject(this.#error);
  }

  /** Throws once it was given up, also in the same turn in which the last promise was resolved. */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  async until(...promises: unknown[]): Promise<void> {
    const signal = this.#signal;
    const onAbort = (): void =>
      this.giveUp(new XmppError("aborted", "The AbortSignal was aborted.", { cause: signal?.reason as unknown }));
    if (signal?.aborted) onAbort();
    const listens = typeof signal?.addEventListener === "function";
    if (listens) signal.addEventListener("abort", onAbort);
    try {
      await Promise.race([this.#givenUp, Promise.all(promises)]);
    } finally {
      if (listens) signal.removeEventListener("abort", onAbort);
    }
    this.check();
  }
}
