// Says in an error which call failed and what it was about: a page may have many of them under way.

import { XmppError } from "./errors.js";

const prefixOf = (operation: string, object: string | undefined): string => `${operation}(${object === undefined ? "" : JSON.stringify(object)}): `;

/**
 * The error with `operation`, the method's name, and `object`, what it was called for (a node, a room, an address) where that is
 * known; both stand at the beginning of its message, too, unless that is about an argument. Errors of others, and faults of epode
 * itself, stay as they are. One that belongs to another call already, as the end of a connection ends them all, is copied. @internal
 */
export function located(error: unknown, operation: string, object: string | undefined): unknown {
  if (!(error instanceof XmppError) || error.code === "internal") return error;
  if (error.operation === operation && error.object === object) return error;
  const { message, stack } = error;
  const isShared = error.operation !== undefined;
  const before = isShared ? prefixOf(error.operation as string, error.object) : "";
  const own = message.startsWith(before) ? message.slice(before.length) : message;
  const named = isShared ? Object.assign(new XmppError(error.code, message), error) : error;
  // What is wrong with an argument is said of the argument by name; the stack leads to the call.
  named.message = error.code === "bad-argument" ? own : prefixOf(operation, object) + own;
  // A stack begins with the message where the engine writes it so (V8), and consoles show the stack.
  if (typeof stack === "string") named.stack = stack.replace(message, () => named.message);
  return Object.assign(named, { operation, object });
}

/** What `act` promises, with its errors located. What it throws is a rejection, too. @internal */
export async function locating<T>(operation: string, object: unknown, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw located(error, operation, typeof object === "string" ? object : undefined);
  }
}

/** Whom a stanza is for, as far as its XML shows it in the first tag. @internal */
export function addressee(xml: string): string | undefined {
  return /^\s*<[^>]*?\sto\s*=\s*(["'])([^>]*?)\1/.exec(xml)?.[2];
}
