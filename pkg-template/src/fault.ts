// A fault of the module: a trap, after which nothing of it is to be trusted.

import { XmppError } from "./errors.js";

let broken: XmppError | undefined;

/** What a fault of the module is to the page; anything else is as it was. @internal */
export function faultOf(error: unknown): unknown {
  // A platform without WebAssembly has no such class.
  const { RuntimeError } = (globalThis.WebAssembly ?? {}) as Partial<typeof WebAssembly>;
  if (!RuntimeError || !(error instanceof RuntimeError)) return error;
  broken ??= new XmppError("internal", "epode failed, which is a fault of its own: please report it. Reload the page.", { cause: error });
  return broken;
}

/** Throws after a fault. @internal */
export function mustBeWhole(): void {
  if (broken) throw broken;
}
