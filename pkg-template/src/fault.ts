// A fault of the module: a trap, after which the module's state cannot be trusted.

import { XmppError } from "./errors.js";

/** A page with both modules stops using both: they are made of the same code. */
let broken: XmppError | undefined;

/** Converts a fault of the module to the page's error; returns any other error unchanged. */
function faultOf(error: unknown): unknown {
  // A platform without WebAssembly lacks this class.
  const { RuntimeError } = (globalThis.WebAssembly ?? {}) as Partial<typeof WebAssembly>;
  if (!RuntimeError || !(error instanceof RuntimeError)) return error;
  broken ??= new XmppError("internal", "epode failed, which is a fault of its own: please report it. Reload the page.", { cause: error });
  return broken;
}

/**
 * Runs `act` on the module. A fault of the module becomes one clear error; the stack of its errors starts at the
 * caller, since the frames of the module would fill the whole stack trace. @internal
 */
export function guarded<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    // V8 only; other engines do not truncate stacks.
    const { captureStackTrace } = Error as { captureStackTrace?: (error: object, below: unknown) => void };
    if (error instanceof XmppError) captureStackTrace?.(error, guarded);
    throw faultOf(error);
  }
}

/** Throws after a fault. @internal */
export function mustBeWhole(): void {
  if (broken) throw broken;
}
