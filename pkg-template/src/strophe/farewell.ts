// The good-bye of a BOSH session. The stream waits three seconds for its answer; a page may want to wait longer (`disconnection_timeout`),
// so that the answer is watched beside the stream.

/** The requests that end one session. */
export class Farewell {
  #pending = 0;
  readonly #answered: () => void;

  /** `answered` is called with each answer, also when the stream has given up. */
  constructor(answered: () => void) {
    this.#answered = answered;
  }

  /** Whether an answer may still come. */
  get isAwaited(): boolean {
    return this.#pending > 0;
  }

  /** Sends such a request. The stream cannot cancel it: the server should hear it in any case. */
  async send(fetch: typeof globalThis.fetch, address: RequestInfo | URL, { signal: _, ...init }: RequestInit): Promise<Response> {
    this.#pending += 1;
    try {
      const response = await fetch(address, init);
      // The stream, where it is there, hears of the answer first.
      queueMicrotask(this.#answered);
      return response;
    } finally {
      this.#pending -= 1;
    }
  }
}
