// Adds the failed operation and its object to an error: a page may have many operations in progress.

import { XmppError } from "./errors.js";

const prefixOf = (operation: string, object: string | undefined): string => `${operation}(${object === undefined ? "" : JSON.stringify(object)}): `;

/**
 * The error with `operation`, the method's name, and `object`, its target (a node, a room, an address) if known; both
 * also begin its message, unless the message is about an argument. Errors that are not epode's, and faults of epode
 * itself, are not changed. An error that already belongs to another call, such as the end of a connection that ends all
 * calls, is copied. @internal
 */
export function located(error: unknown, operation: string, object: string | undefined): unknown {
  if (!(error instanceof XmppError) || error.code === "internal") return error;
  if (error.operation === operation && error.object === object) return error;
  const { message, stack } = error;
  const isShared = error.operation !== undefined;
  const before = isShared ? prefixOf(error.operation as string, error.object) : "";
  const own = message.startsWith(before) ? message.slice(before.length) : message;
  const named = isShared ? Object.assign(new XmppError(error.code, message), error) : error;
  // An error about an argument names the argument; the stack leads to the call.
  named.message = error.code === "bad-argument" ? own : prefixOf(operation, object) + own;
  // In V8 a stack begins with the message, and consoles show the stack.
  if (typeof stack === "string") named.stack = stack.replace(message, () => named.message);
  return Object.assign(named, { operation, object });
}

/** The promise of `act`, with its errors located. An exception of `act` becomes a rejection. @internal */
export async function locating<T>(operation: string, object: unknown, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw located(error, operation, typeof object === "string" ? object : undefined);
  }
}

/** The addressee of a stanza, as far as the first tag of its XML shows it. @internal */
export function addressee(xml: string): string | undefined {
  return /^\s*<[^>]*?\sto\s*=\s*(["'])([^>]*?)\1/.exec(xml)?.[2];
}
