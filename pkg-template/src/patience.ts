// A wait that can be cancelled: for operations that the page requests and cancels before the module is loaded.

import { XmppError } from "./errors.js";

/** A wait that its signal, or `giveUp`, ends. @internal */
export class Patience {
  readonly #signal: AbortSignal | undefined;
  readonly #givenUp: Promise<never>;
  #reject!: (error: unknown) => void;
  #error: unknown;

  /** The other options are validated later, including whether `signal` is an AbortSignal. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#givenUp = new Promise((_, reject) => (this.#reject = reject));
    this.#givenUp.catch(() => {});
  }

  giveUp(error: unknown): void {
    this.#error ??= error;
    this.#reject(this.#error);
  }

  /** Throws once the wait was cancelled, even in the turn in which the last promise was resolved. */
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
