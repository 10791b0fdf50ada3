// `XmppError`: every error that a page gets, with a code for programs and a sentence for people (advice.ts).
// Specification: RFC 6120.

import { sayEnd, sayProblem, sayRefusal } from "./advice.js";
import type { Stanza } from "./stanza.js";

/**
 * What went wrong, for a program. The error's `message` says it for people, with what to do.
 * @example
 * const retriable: ErrorCode[] = ["timeout", "unreachable", "disconnected"];
 */
export type ErrorCode =
  /** An argument or option that cannot be meant. */
  | "bad-argument"
  /** Not a JID (RFC 7622). */
  | "bad-jid"
  /** What was to be sent is not one well-formed stanza, or holds a character that XML cannot carry. */
  | "bad-stanza"
  /** A call that needs a connection while there is none. */
  | "not-connected"
  /** `connect()` on a client that is connecting or online. */
  | "already-connected"
  /** The connection ended before the answer came. */
  | "disconnected"
  /** A call on an object after its `free()`. */
  | "freed"
  /** The `AbortSignal` said so. */
  | "aborted"
  /** No answer in time. */
  | "timeout"
  /** The service cannot be reached: no network, no server, a wrong host. */
  | "unreachable"
  /** The server is there, but the browser kept its answer from this page: CORS headers are missing. */
  | "blocked-by-cors"
  /** An `https:` page may not talk to an `http:` or `ws:` service. */
  | "mixed-content"
  /** The platform has no `WebSocket` (Node 20) or no `fetch`, which the service needs: pass one in the options. */
  | "unsupported"
  /** The service answered with an HTTP error status (`httpStatus`), or a redirect, which is not followed. */
  | "http-error"
  /** The service answered with something other than BOSH: an HTML page, a wrong content type, an empty answer. */
  | "not-bosh"
  /** The service answered with something other than XMPP over WebSocket. */
  | "not-websocket"
  /** While reconnecting, more was sent than is kept. */
  | "outbox-full"
  /**
   * What came is not XML, is cut short, or holds what XMPP forbids (a DTD). Once online it is an `error` event: what cannot be read
   * is lost, and the session goes on.
   */
  | "bad-xml"
  /** What came, or was to be sent, is larger than the limit. */
  | "too-large"
  /** The BOSH service ended the session; `condition` is XEP-0124's. */
  | "terminated"
  /** The server ended the stream; `condition` is RFC 6120's. */
  | "stream-error"
  /** The server broke the protocol. */
  | "protocol-error"
  /** The server refused the login; `condition` is RFC 6120 §6.5's, usually `not-authorized`. */
  | "auth-failed"
  /** The server offers no mechanism that these credentials can use. */
  | "no-mechanism"
  /** Only mechanisms that show the password are left, and the connection is not encrypted (see `allowPlainText`); or the platform has no secure randomness. */
  | "insecure"
  /** The server could not prove that it knows the password. Somebody may sit between. */
  | "server-not-authentic"
  /** The `password` or `token` function threw or rejected, or gave what is no secret; `cause` is what it threw, or says what is wrong. */
  | "credentials-failed"
  /** The server refused the resource; `condition` is the stanza error's. */
  | "bind-failed"
  /** The server does not let accounts be registered this way, or wants fields that were not given. */
  | "registration-failed"
  /** The reply to a request, or the answer to a join, is an error; `condition` is the stanza error's. */
  | "stanza-error"
  /** It is known that the server did not take the stanza. */
  | "undelivered"
  /** Whether the server took the stanza is not known. */
  | "unknown"
  /**
   * The WebAssembly module could not be loaded: it was not found (`httpStatus`), is something else, is damaged, or belongs to
   * another version. The next call that needs it tries again.
   */
  | "module-unavailable"
  /** The page's content security policy, or the platform, refuses WebAssembly. Trying again does not help. */
  | "module-blocked"
  /** A fault of epode itself. The client is closed; make a new one. */
  | "internal";

/**
 * The properties of an error besides its code and message: the last argument of its constructor. See {@link XmppError} for each.
 * @example
 * const details: XmppErrorDetails = { condition: "item-not-found" };
 * const error = new XmppError("stanza-error", "There is no such item.", details);
 */
export interface XmppErrorDetails {
  /** The protocol's condition. */
  condition?: string | undefined;
  /** The server's own text. */
  text?: string | undefined;
  /** The type of a stanza error (RFC 6120 §8.3.2). */
  type?: XmppError["type"];
  /** The condition of an extension. */
  application?: string | undefined;
  /** The stanza that carried the error. */
  stanza?: Stanza | undefined;
  /** The status of an HTTP response. */
  httpStatus?: number | undefined;
  /** The method that failed. */
  operation?: string | undefined;
  /** What the method was about. */
  object?: string | undefined;
  /** The node that it was about. */
  node?: string | undefined;
  /** The room that it was about. */
  room?: string | undefined;
  /** The service that was asked. */
  service?: string | undefined;
  /** What caused the error. */
  cause?: unknown;
}

/** The names of `XmppErrorDetails`. */
const DETAILS = (
  ["condition", "text", "type", "application", "httpStatus", "operation", "object", "node", "room", "service", "stanza", "cause"] as const
) satisfies readonly (keyof XmppErrorDetails)[];
/** Those that consoles do not print: the message names the object, and a stanza may be long. A cause they print by themselves. */
const UNPRINTED: readonly string[] = ["object", "stanza", "cause"];

/**
 * Every error that epode throws, rejects with or reports. `message` says what happened and what to do about it.
 * @example
 * try {
 *   await client.pubsub.publish("todos", "<todo/>");
 * } catch (error) {
 *   if (error instanceof XmppError && error.condition === "item-not-found") await client.pubsub.createNode("todos");
 * }
 */
export class XmppError extends Error {
  /** The name of the class. */
  declare readonly name: "XmppError";
  /** What went wrong, for a program. */
  declare readonly code: ErrorCode;
  /** The protocol's condition (`conflict`, `item-not-found`, `not-authorized`, …; RFC 6120 §8.3.3), where there is one. */
  declare readonly condition?: string;
  /** The server's own text about the error, where it sent one. */
  declare readonly text?: string;
  /** With `stanza-error`: what can be done about it (RFC 6120 §8.3.2). */
  declare readonly type?: "auth" | "cancel" | "continue" | "modify" | "wait";
  /** The condition of an extension, for example `closed-node` (XEP-0060 §6.1.3). */
  declare readonly application?: string;
  /** The stanza that carried the error. */
  declare readonly stanza?: Stanza;
  /** With `http-error` and `module-unavailable`: the status of the HTTP response. */
  declare readonly httpStatus?: number;
  /** The name of the method that failed, for example `"publish"`. */
  declare readonly operation?: string;
  /**
   * What the method was about, where that is known: the node, the room (an occupant as `room/nick`), the addressee of a stanza, the account to
   * register; for a connection the address of the service, without its query. The message begins with operation, object and service, unless
   * the error is about an argument.
   */
  declare readonly object?: string;
  /** The node that the method was about. */
  declare readonly node?: string;
  /** The room that the method was about: its bare JID. */
  declare readonly room?: string;
  /** The publish-subscribe service that was asked; for a connection the address of the service, without its query. */
  declare readonly service?: string;

  /**
   * Makes an error, for code that raises errors of the same kind. `message` says what happened and what to do about it.
   * @example
   * throw new XmppError("bad-argument", "The title is missing. Give one.");
   */
  constructor(code: ErrorCode, message: string, details?: XmppErrorDetails) {
    super(message);
    Object.assign(this, { code });
    if (details) setDetails(this, details);
  }
}

Object.defineProperty(XmppError.prototype, "name", { value: "XmppError", writable: true, configurable: true });

/** Sets the details that are named. What is not there is not a property: consoles print those. @internal */
export function setDetails(error: XmppErrorDetails, details: XmppErrorDetails): void {
  for (const name of DETAILS) {
    if (!(name in details)) continue;
    const value = details[name];
    if (value === undefined) delete error[name];
    else Object.defineProperty(error, name, { value, enumerable: !UNPRINTED.includes(name), writable: true, configurable: true });
  }
}

/** An argument or option that cannot be meant. @internal */
export const badArgument = (message: string): XmppError => new XmppError("bad-argument", message);

/** The mistakes and failures that the module and the surface report by name; `sayProblem` has their sentences. */
const PROBLEMS = {
  aborted: "aborted",
  "not-connected": "not-connected",
  "not-a-stanza": "bad-stanza",
  "illegal-character": "bad-stanza",
  "not-a-request": "bad-stanza",
  "duplicate-id": "bad-stanza",
  "outbox-full": "outbox-full",
  "open-password": "insecure",
  "bad-address": "bad-jid",
  "bad-xml": "bad-stanza",
  "bad-jid": "bad-jid",
  "bad-nick": "bad-jid",
  "already-in": "bad-argument",
  "not-in": "not-connected",
  "bad-position": "bad-argument",
  "bad-service": "bad-argument",
  "no-randomness": "insecure",
  "sent-away": "disconnected",
  "left-first": "disconnected",
  "session-lost": "disconnected",
  "room-offline": "disconnected",
  "no-answer": "timeout",
  "no-reply": "timeout",
  "no-connection-left": "disconnected",
  undelivered: "undelivered",
  unknown: "unknown",
  "lost-by-room": "undelivered",
  "silent-room": "timeout",
  "crowded-room": "too-large",
  "foreign-event": "protocol-error",
  unreadable: "bad-xml",
  "unreadable-large": "too-large",
  "backlog-full": "too-large",
  "step-timed-out": "timeout",
  "not-loaded": "not-connected",
  "bad-keys": "bad-argument",
  "stream-not-open": "not-connected",
  "stream-used": "already-connected",
  freed: "freed",
  "object-freed": "freed",
  "closed-early": "disconnected",
  busy: "already-connected",
  "bad-session": "bad-argument",
  "invalid-option": "bad-argument",
  "unsendable-option": "bad-argument",
} as const satisfies Record<string, ErrorCode>;

/** The name of a problem. @internal */
export type ProblemKind = keyof typeof PROBLEMS;

/** The error of that name; `first` and `second` are details of its sentence. @internal */
export function problem(kind: ProblemKind, first = "", second = "", stanza?: Stanza): XmppError {
  return new XmppError(PROBLEMS[kind], sayProblem(kind, first, second), { stanza });
}

/** Why a connection ended or was interrupted, as the module reports it. @internal */
export interface CloseFields {
  code: string;
  /** The name of the sentence. */
  sentence: string;
  detail: string | undefined;
  condition: string | undefined;
  text: string | undefined;
  httpStatus: number | undefined;
  /** The address that the reason is about. Its query may hold a secret. */
  service: string | undefined;
}

/** The error of a connection that ended or was interrupted. @internal */
export function closeReason(fields: CloseFields, cause?: unknown): XmppError {
  const { code, sentence, detail, condition, text, httpStatus, service } = fields;
  const message = sayEnd(sentence, text, { detail: detail ?? "", condition: condition ?? "", httpStatus: httpStatus ?? 0 });
  // An option of the page's own is wrong wherever it is used.
  const object = code === "bad-argument" ? undefined : service?.split(/[?#]/, 1)[0];
  const about = object === undefined ? message : `${object}: ${message}`;
  return new XmppError(code as ErrorCode, about, { condition, text, httpStatus, object, service: object, cause });
}

/** The promise was given up by its signal. @internal */
export function aborted(signal: AbortSignal): XmppError {
  return new XmppError("aborted", sayProblem("aborted", "", ""), { cause: signal.reason as unknown });
}

// ── error stanzas ────────────────────────────────────────────────────────────────────────────────────────────────────

/** What an error stanza says. @internal */
export interface StanzaErrorFields {
  condition: string;
  type: NonNullable<XmppError["type"]>;
  text: string | undefined;
  /** The extension's own condition, and its namespace. */
  application: string | undefined;
  applicationNs: string | undefined;
}

/** The error that a stanza of type `error` tells. @internal */
export function stanzaError(fields: StanzaErrorFields, stanza: Stanza | undefined): XmppError {
  const { condition, type, text, application } = fields;
  const what = `${condition}${application === undefined ? "" : ` (${application})`}${text === undefined ? "" : `: ${text}`}`;
  return new XmppError("stanza-error", `${what}. ${sayRefusal(fields)}`, { condition, text, type, application, stanza });
}

/** Reports what a callback of the page threw, as an uncaught error would be: the callback stays registered. @internal */
export function report(error: unknown): void {
  // COMPAT(Node 20, Safari < 15.4): no reportError.
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
