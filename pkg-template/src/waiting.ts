// Promises that are settled by another part of the client, and cancelled by an `AbortSignal`.

import { aborted } from "./errors.js";

/**
 * How long a call waits for its answer.
 * @example
 * const waiting: Waiting = { timeout: 5_000, signal: AbortSignal.timeout(60_000) };
 * const nodes = await client.pubsub.nodes(waiting);
 */
export interface Waiting {
  /** The longest time in milliseconds, after which the promise rejects with `timeout`. */
  timeout?: number;
  /** Gives the call up: the promise rejects with `aborted`. What was sent may still be carried out. */
  signal?: AbortSignal;
}

/** A promise that another part of the client settles, once. @internal */
export class Deferred<T> {
  readonly promise: Promise<T>;
  isSettled = false;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(value: T): void {
    this.isSettled = true;
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.isSettled = true;
    this.#reject(reason);
  }

  /** The promise; it rejects if the signal is aborted before the promise is settled, and `giveUp` is called then. */
  until(signal: AbortSignal | undefined, giveUp: () => void): Promise<T> {
    if (!signal) return this.promise;
    const onAbort = (): void => {
      if (this.isSettled) return;
      this.reject(aborted(signal));
      giveUp();
    };
    if (signal.aborted) {
      onAbort();
      return this.promise;
    }
    signal.addEventListener("abort", onAbort);
    const done = (): void => signal.removeEventListener("abort", onAbort);
    void this.promise.then(done, done);
    return this.promise;
  }
}

/** A promise whose rejection need not be handled. @internal */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
