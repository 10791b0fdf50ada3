// `XmppError`: every error that a page gets, with a code for programs and a sentence for people. What to do about it stands here too.
// Specification: XEP-0060 1.30.0, RFC 6120.

import type { Stanza } from "./stanza.js";

/** What went wrong, for a program. `message` says it for a person, with what to do. */
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

/** What an error may hold besides its code and message. */
export interface XmppErrorDetails {
  condition?: string | undefined;
  text?: string | undefined;
  type?: XmppError["type"];
  application?: string | undefined;
  stanza?: Stanza | undefined;
  httpStatus?: number | undefined;
  operation?: string | undefined;
  object?: string | undefined;
  cause?: unknown;
}

/**
 * Every error epode raises.
 * @example
 * try {
 *   await client.pubsub.publish("todos", "<todo/>");
 * } catch (error) {
 *   if (error instanceof XmppError && error.condition === "item-not-found") await client.pubsub.createNode("todos");
 * }
 */
export class XmppError extends Error {
  declare readonly name: "XmppError";
  /** What went wrong, for a program. */
  declare readonly code: ErrorCode;
  /** The condition as the protocol names it (`conflict`, `item-not-found`, `not-authorized`, …), where there is one. */
  declare readonly condition?: string;
  /** What the server said in words, where it did. */
  declare readonly text?: string;
  /** RFC 6120 §8.3.2, for `stanza-error`: what may be done about it. */
  declare readonly type?: "auth" | "cancel" | "continue" | "modify" | "wait";
  /** An extension's own condition, e.g. `closed-node` of pubsub. */
  declare readonly application?: string;
  /** The stanza that told it. */
  declare readonly stanza?: Stanza;
  /** With `http-error`, and with `module-unavailable` where the module's address answered with an error. */
  declare readonly httpStatus?: number;
  /** Which call failed: the method's name, for those that promise something of a node, a room or somebody; `"register"`. */
  declare readonly operation?: string;
  /**
   * What it was about, where that is known: the node, the room (an occupant as `room/nick`), the stanza's addressee, the account to
   * register; of a connection the service's address, without its query. The message begins with both, unless it is about an argument.
   */
  declare readonly object?: string;

  /** An error of that code. `message` says what happened and what to do about it. */
  constructor(code: ErrorCode, message: string, details?: XmppErrorDetails) {
    super(message);
    Object.assign(this, { code });
    for (const [name, value] of Object.entries(details ?? {})) {
      // What is not there is not a property: consoles print those.
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
  }
}

Object.defineProperty(XmppError.prototype, "name", { value: "XmppError", writable: true, configurable: true });

/** An argument or option that cannot be meant. @internal */
export const badArgument = (message: string): XmppError => new XmppError("bad-argument", message);

const DISCONNECTED = "disconnected";
const ILLEGAL =
  "The text holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF). Remove it before sending.";

/** The mistakes and failures that the module and the surface report by name: code and sentence. `$1` and `$2` are details. */
const PROBLEMS = {
  "not-connected": ["not-connected", "There is no connection. Await connect() first, and listen for 'status'."],
  "not-a-stanza": ["bad-stanza", "Only <message/>, <presence/> and <iq/> in the namespace jabber:client (or in none) can be sent."],
  "illegal-character": ["bad-stanza", ILLEGAL],
  "not-a-request": ["bad-stanza", "A request is an <iq/> of type get or set with exactly one child element."],
  "duplicate-id": ["bad-stanza", "A request with this id is still waiting for its reply. Leave the id out, and epode chooses one."],
  "outbox-full": [
    "outbox-full",
    "More waits to be sent than is kept: 10,000 stanzas or 16 MiB while reconnecting, 65,536 or 64 MiB that the server has not taken while online. Await the promises of send().",
  ],
  "open-password": ["insecure", "The stanza shows a room's password, and the connection is not encrypted. Use https: or wss:, or set allowPlainText."],
  "bad-address": ["bad-jid", "The 'to' of the stanza is not a JID. A JID is user@domain, domain, or either with /resource."],
  "bad-xml": ["bad-stanza", "Not one well-formed element: $1. Write it with the xml`…` tag, which escapes what is put into it."],
  "bad-jid": ["bad-jid", "Not a JID: $1 is $2. A JID is user@domain, domain, or either with /resource."],
  "bad-nick": ["bad-jid", "The nick holds a character that is not allowed, is empty, or too long."],
  "already-in": ["bad-argument", "This client is in that room already, or on its way in. Leave it first."],
  "not-in": ["not-connected", "We are not in this room any more. Join it again."],
  "bad-position": [
    "bad-argument",
    "The option 'since' is not a position of this feed: give back what feed.position was, for the same node of the same service.",
  ],
  "bad-service": [
    "bad-argument",
    'The service is not an http:, https:, ws: or wss: address. Give the path or URL of the BOSH service, usually "/http-bind", or the URL of the WebSocket service.',
  ],
  "bad-option": ["bad-argument", "$1."],
  "no-randomness": [
    "insecure",
    "This platform has no crypto.getRandomValues, which rids and nonces are made with. Provide it before making a client.",
  ],
  "sent-away": [DISCONNECTED, "The room sent us away while we entered. Join it again, or ask who runs it."],
  "left-first": [DISCONNECTED, "We left the room before it answered. Join it again if that was not meant."],
  "session-lost": [DISCONNECTED, "The session was lost before the room answered. Await connect(), then join it again."],
  "room-offline": [DISCONNECTED, "The connection was closed before the room answered. Connect again, then join it again."],
  "no-answer": ["timeout", "No answer came in time. Try again, or give it a longer timeout."],
  "no-reply": ["timeout", "No reply came in time. Give the request a longer timeout, or check that its addressee exists."],
  "no-connection-left": [
    DISCONNECTED,
    "The connection ended before the reply came. Whether the request was carried out is not known: connect again and look, or repeat it if that does no harm.",
  ],
  undelivered: ["undelivered", "The connection ended before the stanza left. Send it again when online."],
  unknown: [
    "unknown",
    "The connection ended after the stanza left and before the server confirmed it. It may have arrived: send it again only if it may arrive twice.",
  ],
  "lost-by-room": ["undelivered", "The room had lost us before it saw this message: it reached nobody. Send it again after 'rejoin'."],
  "silent-room": ["timeout", "The room does not answer: whether we are still in it is not known. It is asked again."],
  "crowded-room": ["too-large", "The room has more than 20,000 occupants: the others are not listed."],
  "foreign-event": ["protocol-error", "An event of node $1 came from $2, which is not its service. It was ignored."],
  unreadable: [
    "bad-xml",
    "Something that the server sent cannot be read, and is lost$1 ($2). The session goes on. Look at the server's log: it, or a proxy before it, writes XML that is none.",
  ],
  "unreadable-large": [
    "too-large",
    "Something that the server sent cannot be read, and is lost$1 ($2). The session goes on. Look at the server's log: it, or a proxy before it, writes XML that is none.",
  ],
  "backlog-full": ["too-large", "More than 1,000 stanzas came before there was a handler: the oldest are dropped. Add handlers before connect()."],
  "step-timed-out": ["timeout", "A room did not answer within 10 s of the new session. What was kept meanwhile has been sent."],
  "not-loaded": ["not-connected", "epode's WebAssembly module is not loaded. Await init() first."],
  "bad-keys": ["bad-argument", "The option 'keys' is what 'keys' of a SaslClient was: name, iter, and in Base64 salt, ck and sk."],
  "stream-not-open": ["not-connected", "The stream is not open: call open() first, once. After 'close' make another Stream."],
  "stream-used": ["already-connected", "This stream was opened before. Make another Stream."],
  freed: ["freed", "The client was freed. Make a new one."],
  "object-freed": ["freed", "This object was freed. Do not use it after free(), or leave freeing to the garbage collector."],
  "closed-early": [DISCONNECTED, "disconnect() was called while connecting. Call connect() again when the connection is wanted."],
  busy: ["already-connected", "This client is connecting or connected. Await disconnect() first, or make another client."],
  "bad-session": [
    "bad-argument",
    "Not a session to attach to: give { jid, sid, rid }, the full JID, the BOSH session's id and the rid of the next request, and a BOSH service at the JID's domain.",
  ],
} as const satisfies Record<string, readonly [ErrorCode, string]>;

/** The name of a problem. @internal */
export type ProblemKind = keyof typeof PROBLEMS;

/** The error of that name, with what `$1` and `$2` of its sentence stand for. @internal */
export function problem(kind: ProblemKind, first = "", second = "", stanza?: Stanza): XmppError {
  const [code, sentence] = PROBLEMS[kind];
  const message = sentence.replace(/\$[12]/g, (place) => (place === "$1" ? first : second));
  return new XmppError(code, message, { stanza });
}

/** Why a connection ended or was interrupted. `service`: the address that it is about, whose query may hold a secret. @internal */
export function closeReason(code: string, message: string, service: string | undefined, details: XmppErrorDetails): XmppError {
  // An option of the page's own is wrong wherever it is used.
  const object = code === "bad-argument" ? undefined : service?.split(/[?#]/, 1)[0];
  const about = object === undefined ? message : `${object}: ${message}`;
  return new XmppError(code as ErrorCode, about, { ...details, object });
}

/** The promise was given up by its signal. @internal */
export function aborted(signal: AbortSignal): XmppError {
  return new XmppError("aborted", "The AbortSignal was aborted; 'cause' is its reason. What was sent already may still be carried out.", {
    cause: signal.reason as unknown,
  });
}

// ── error stanzas ────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the conditions of publish-subscribe's own mean for the caller. Conditions that nothing here can cause are left out. */
const PUBSUB_ADVICE: Record<string, string> = {
  "closed-node": "Only those on the node's list may: its owner can make you a member.",
  "precondition-not-met": "The node is not configured as publishOptions want it: its owner can configure() it, or publish with configure: true.",
  "payload-too-big": "Publish less at once, or raise the node's max_payload_size.",
  "pending-subscription": "The node's owner has not approved the subscription yet: wait for the feed's 'subscription' event.",
  "presence-subscription-required": "Only those may who get the owner's presence: subscribe to it first.",
  "not-in-roster-group": "Only certain groups of the owner's contacts may.",
  "not-subscribed": "There is no such subscription: check node and jid, or subscribe first.",
  "configuration-required": "Subscribe with options: the node wants them.",
  "subid-required": "There are several subscriptions: say which one with subid, as subscriptions() tells it.",
  "invalid-subid": "There is no subscription of that subid: subscriptions() tells those there are.",
  "invalid-jid": "The jid is another account's, or was subscribed in another form: bare or full.",
  "invalid-options": "An option or its value is not one the service knows: read the form first.",
  "invalid-payload": "Publish exactly one element, of the kind that the node is for.",
  "payload-required": "The node is for items with a payload: publish one.",
  "item-required": "The node is for items with a payload: publish one.",
  "item-forbidden": "The node only notifies: publish null.",
  "node-full": "The node is full: retract something, or raise its max_items.",
  "max-items-exceeded": "The node is full: retract something, or raise its max_items.",
  "too-many-subscriptions": "The service allows no more subscriptions: unsubscribe from other nodes first.",
  "max-nodes-exceeded": "The service allows no more nodes: delete one first.",
  "nodeid-required": "The service does not choose names of nodes: give one.",
  unsupported: 'This service cannot do that: metadata("") tells what it can.',
};

/** The namespace of those conditions. */
const PUBSUB_ERRORS = "http://jabber.org/protocol/pubsub#errors";
const NOT_ALLOWED = "This account may not do that here: its owner must allow it, or a password is missing.";
const NO_SERVICE = "Nobody there answers such requests: check the address, and that the service is enabled.";
const NO_SERVER = "The other server cannot be reached: check the domain.";
const LIMIT = "A limit is reached: try less, or later.";

/** By RFC 6120's condition. */
const ADVICE: Record<string, string> = {
  conflict: "The name is taken: choose another.",
  "item-not-found": "There is nothing of that name: check it, or create it first.",
  forbidden: NOT_ALLOWED,
  "not-allowed": NOT_ALLOWED,
  "not-authorized": NOT_ALLOWED,
  "registration-required": "Only members may: ask its owner to be one.",
  "service-unavailable": NO_SERVICE,
  "feature-not-implemented": NO_SERVICE,
  "remote-server-not-found": NO_SERVER,
  "remote-server-timeout": NO_SERVER,
  "resource-constraint": LIMIT,
  "policy-violation": LIMIT,
};

/** By its type, where the condition says nothing. */
const TYPE_ADVICE = {
  auth: "Authenticate first.",
  cancel: "Repeating it will not help.",
  continue: "It was only a warning.",
  modify: "Change what was sent, and send it again.",
  wait: "Try again later.",
} as const;

/** What an error stanza says. @internal */
export interface StanzaErrorFields {
  condition: string;
  type: keyof typeof TYPE_ADVICE;
  text: string | undefined;
  /** The extension's own condition, and its namespace. */
  application: string | undefined;
  applicationNs: string | undefined;
}

/** The error that a stanza of type `error` tells. @internal */
export function stanzaError({ condition, type, text, application, applicationNs }: StanzaErrorFields, stanza: Stanza | undefined): XmppError {
  const own = applicationNs === PUBSUB_ERRORS && application !== undefined && Object.hasOwn(PUBSUB_ADVICE, application);
  const advice = own ? PUBSUB_ADVICE[application] : Object.hasOwn(ADVICE, condition) ? ADVICE[condition] : TYPE_ADVICE[type];
  const message = `The answer is the error ${condition}${application === undefined ? "" : ` (${application})`}${text === undefined ? "" : `: ${text}`}. ${advice}`;
  return new XmppError("stanza-error", message, { condition, text, type, application, stanza });
}

/** Reports what a callback of the page threw, as an uncaught error would be: the callback stays registered. @internal */
export function report(error: unknown): void {
  // COMPAT(Node 20, Safari < 15.4): no reportError.
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
