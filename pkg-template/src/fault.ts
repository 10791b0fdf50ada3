// A fault of the module: a trap, after which nothing of it is to be trusted.

import { XmppError } from "./errors.js";

let broken: XmppError | undefined;

/** What a fault of the module is to the page; anything else is as it was. */
function faultOf(error: unknown): unknown {
  // A platform without WebAssembly has no such class.
  const { RuntimeError } = (globalThis.WebAssembly ?? {}) as Partial<typeof WebAssembly>;
  if (!RuntimeError || !(error instanceof RuntimeError)) return error;
  broken ??= new XmppError("internal", "epode failed, which is a fault of its own: please report it. Reload the page.", { cause: error });
  return broken;
}

/**
 * What `act` makes of the module. Its faults become one clear error; the stack of its errors begins with who called, since the frames of
 * the module would take all the room that there is. @internal
 */
export function guarded<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    // V8 only; elsewhere stacks are not cut off.
    const { captureStackTrace } = Error as { captureStackTrace?: (error: object, below: unknown) => void };
    if (error instanceof XmppError) captureStackTrace?.(error, guarded);
    throw faultOf(error);
  }
}

/** Throws after a fault. @internal */
export function mustBeWhole(): void {
  if (broken) throw broken;
}
