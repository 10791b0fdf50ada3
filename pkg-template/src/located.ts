// Says in an error which call failed, what the call was about and where it was made: a page may have many calls under way, and a reply
// comes when the stack of the call is gone.

import { XmppError, setDetails } from "./errors.js";

/** What a call is about. @internal */
export interface Place {
  node?: string | undefined;
  /** The room's bare JID. */
  room?: string | undefined;
  service?: string | undefined;
  /** What the message names, where it is none of these: an occupant, an addressee, an account. */
  object?: string | undefined;
}

/** A name as it stands in a sentence: in quotes where it would not be seen as one word. */
const asWord = (name: string): string => (/^[^\s"\p{C}]+$/u.test(name) ? name : JSON.stringify(name));

function headingOf(operation: string | undefined, object: string | undefined, service: string | undefined): string {
  const words = [operation, object === undefined ? undefined : asWord(object)];
  if (service !== undefined && service !== object) words.push(`at ${service}`);
  return `${words.filter((word) => word !== undefined).join(" ")}: `;
}

/**
 * The error with `operation`, the method's name, and what it was called for; both stand at the beginning of its message, too, unless
 * that is about an argument. Errors of others, and faults of epode itself, stay as they are. An error that tells the end of a
 * connection belongs to all calls that it ends: it is copied for each. @internal
 */
export function located(error: unknown, operation: string | undefined, place: Place, site?: CallSite): unknown {
  if (!(error instanceof XmppError) || error.code === "internal") return error;
  const { node, room, service } = place;
  const object = place.object ?? node ?? room ?? service;
  const isShared = error.operation !== undefined || error.object !== undefined;
  const before = error.operation === undefined ? "" : headingOf(error.operation, error.object, error.service);
  const own = error.message.startsWith(before) ? error.message.slice(before.length) : error.message;
  // What is wrong with an argument is said of the argument by name; the stack leads to the call.
  const isNamed = error.code === "bad-argument" || (operation === undefined && object === undefined);
  const message = isNamed ? own : headingOf(operation, object, service) + own;
  const { code, message: old, stack } = error;
  const named = isShared ? new XmppError(code, message, error) : error;
  named.message = message;
  setDetails(named, { operation, object, node, room, service });
  if (site) site.mark(named);
  // A stack begins with the message where the engine writes it so (V8), and consoles show the stack.
  else if (typeof stack === "string") named.stack = stack.replace(old, () => message);
  return named;
}

/** What `act` promises, with its errors located. What it throws is a rejection, too; what it learns of the place it adds there. @internal */
export async function locating<T>(operation: string, place: Place, act: () => T | Promise<T>): Promise<T> {
  const site = new CallSite(locating);
  try {
    return await act();
  } catch (error) {
    throw located(error, operation, place, site);
  }
}

/** What `act` promises; the stack of its errors begins where the call was made. @internal */
export async function siting<T>(act: () => Promise<T>): Promise<T> {
  const site = new CallSite(siting);
  try {
    return await act();
  } catch (error) {
    if (error instanceof XmppError && error.code !== "internal") site.mark(error);
    throw error;
  }
}

/** Where a call was made, for the stack of an error that comes later. @internal */
export class CallSite {
  /** Its stack is only written when it is read (V8). */
  readonly #trace: { stack?: string };

  /** The stack that called `below`. */
  constructor(below: (...all: never[]) => unknown) {
    const { captureStackTrace } = Error as { captureStackTrace?: (trace: object, below: unknown) => void };
    if (captureStackTrace) captureStackTrace((this.#trace = {}), below);
    else this.#trace = new Error();
  }

  mark(error: Error): void {
    const { stack } = this.#trace;
    if (typeof stack !== "string") return;
    // V8 writes the error itself into the first lines, others write frames alone.
    const frames = stack.search(/^ +at /m);
    error.stack = frames < 0 ? stack : `${error.name}: ${error.message}\n${stack.slice(frames)}`;
  }
}

/** The addressee of a stanza, as far as the first tag of its XML shows it. @internal */
export function addressee(xml: string): string | undefined {
  return /^\s*<[^>]*?\sto\s*=\s*(["'])([^>]*?)\1/.exec(xml)?.[2];
}
