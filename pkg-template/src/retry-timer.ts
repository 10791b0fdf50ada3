/// <reference lib="esnext.disposable" preserve="true" />
// `RetryTimer`: when a `Stream` that was interrupted is opened again. The module decides it, as it does for a `Client`.

import { disposeBy } from "./dispose.js";
import { badArgument } from "./errors.js";
import { guarded, mustBeWhole } from "./fault.js";
import { Reader } from "./reader.js";
import { RetryCore } from "./stream-core.js";
import { streamModule } from "./stream-module.js";

/**
 * The pauses between attempts, in milliseconds. Each is random, up to the length of the outage so far, within these bounds.
 * @example
 * const pauses: RetryPauses = { least: 1_000, most: 60_000 };
 */
export interface RetryPauses {
  /** A pause may always be this long. Default: 1,000. */
  least?: number;
  /** The longest pause. Default: 30,000. */
  most?: number;
}

/**
 * When a stream by hand is opened again after an interruption. A page calls `online()` after its login and `lost()` when the stream has
 * ended; the timer calls the page's function after a pause. Pauses grow with the outage. A sign of a working network (the browser's
 * `online`, the page becomes visible) starts them anew, and the attempt is due at once, also in place of one that began before the
 * sign. An attempt that has neither succeeded nor failed after 30 s is followed by another one. `await init()` first.
 * @example
 * const retries = new RetryTimer(() => logIn());
 * function logIn() {
 *   const stream = new Stream("wss://example.org/ws", { domain: "example.org" });
 *   stream.on("close", ({ error }) => retries.lost(error?.condition));
 *   stream.open();
 * }
 */
export class RetryTimer {
  readonly #core: RetryCore;
  readonly #attempt: () => unknown;

  /**
   * Nothing is due before `online()`. `attempt` opens a stream and logs in; when an earlier attempt has not ended, it ends it first.
   * @example
   * const retries = new RetryTimer(() => console.log("open a stream now"), { most: 60_000 });
   */
  constructor(attempt: () => unknown, pauses: RetryPauses = {}) {
    streamModule.mustBeLoaded();
    mustBeWhole();
    if (typeof attempt !== "function") throw badArgument("The first argument is the function that opens a stream again.");
    const read = new Reader(pauses);
    const [least, most] = [read.millis("least"), read.millis("most")];
    read.done();
    this.#attempt = attempt;
    this.#core = guarded(() => new RetryCore(least, most));
  }

  /**
   * The login has succeeded. From now on until the end the timer stays alive without a reference to it.
   * @example
   * retries.online();
   */
  online(): void {
    // The function that the module holds keeps this object, and with it the module's side of it.
    guarded(() => this.#core.noteOnline(() => void this.#attempt()));
  }

  /**
   * The stream, or an attempt to open one, has ended. Gives the pause before the next attempt, in milliseconds; `undefined` if there
   * is none: before the first `online()`, after `stop()`, or when another attempt would end in the same way.
   * @param condition The condition of the stream error (RFC 6120 §4.9.3) or of the BOSH body, if there was one.
   * @example
   * stream.on("close", ({ error }) => retries.lost(error?.condition));
   */
  lost(condition?: string | null): number | undefined {
    return guarded(() => this.#core.noteEnded(condition ?? "", false));
  }

  /**
   * The server has refused the login or the binding. As `lost()`; there is another attempt only where the condition says that the
   * refusal passes (`temporary-auth-failure`, `resource-constraint`).
   * @param condition The condition of the refusal (RFC 6120 §6.5, §7.6.2).
   * @example
   * stream.on("element", (element) => {
   *   if (element.name === "failure") retries.refused([...element.children()][0]?.name);
   * });
   */
  refused(condition?: string | null): number | undefined {
    return guarded(() => this.#core.noteEnded(condition ?? "", true));
  }

  /**
   * The page does not want the stream any more: no attempt follows until the next `online()`.
   * @example
   * retries.stop();
   */
  stop(): void {
    guarded(() => this.#core.stop());
  }
}

// Declared beside the class: not every platform has the symbol.
export interface RetryTimer {
  /**
   * As `stop()`.
   * @example
   * {
   *   using retries = new RetryTimer(() => {});
   *   retries.online();
   * }
   */
  [Symbol.dispose](): void;
}

disposeBy(RetryTimer.prototype, RetryTimer.prototype.stop);
