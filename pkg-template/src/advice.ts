// What errors say to people: what happened, and what to do about it. advice.production.ts has the same functions without the advice, for
// the export condition `production`. Left out: why the module cannot be loaded (module.ts), which is wanted in production above all.
// Specification: XEP-0060 1.30.0, RFC 6120, XEP-0124 1.11.2.

import type { ProblemKind, StanzaErrorFields } from "./errors.js";

// ── problems by name ─────────────────────────────────────────────────────────────────────────────────────────────────

/** What options are for, by their name. */
const OPTIONS: Record<string, string> = {
  domain: 'is the name of a server, such as "example.org"',
  resource:
    "is a text of 1 to 1023 bytes without control characters (RFC 7622 §3.4); leave it out, and the server chooses one",
  lang: 'is a language tag, such as "en" or "pt-BR" (RFC 5646)',
};

/** `$1` and `$2` are details. */
const PROBLEMS: Record<ProblemKind, string> = {
  aborted: "The AbortSignal was aborted; 'cause' is its reason. What was sent already may still be carried out.",
  "not-connected": "There is no connection. Await connect() first, and listen for 'status'.",
  "not-a-stanza": "Only <message/>, <presence/> and <iq/> in the namespace jabber:client (or in none) can be sent.",
  "illegal-character":
    "The text holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF). Remove it before sending.",
  "not-a-request": "A request is an <iq/> of type get or set with exactly one child element.",
  "duplicate-id": "A request with this id is still waiting for its reply. Leave the id out, and epode chooses one.",
  "outbox-full":
    "More waits to be sent than is kept: 10,000 stanzas or 16 MiB while reconnecting, 65,536 or 64 MiB that the server has not taken while online. Await the promises of send().",
  "open-password": "The stanza shows a room's password, and the connection is not encrypted. Use https: or wss:, or set allowPlainText.",
  "bad-address": "The 'to' of the stanza is not a JID. A JID is user@domain, domain, or either with /resource.",
  "bad-xml": "Not one well-formed element: $1. Write it with the xml`…` tag, which escapes what is put into it.",
  "bad-jid": "Not a JID: $1 is $2. A JID is user@domain, domain, or either with /resource.",
  "bad-nick": "The nick holds a character that is not allowed, is empty, or too long.",
  "already-in": "This client is in that room already, or on its way in. Leave it first.",
  "not-in": "We are not in this room any more. Join it again.",
  "bad-position":
    "The option 'since' is not a position of this feed: give back what feed.position was, for the same node of the same service.",
  "bad-service":
    'The service is not an http:, https:, ws: or wss: address. Give the path or URL of the BOSH service, usually "/http-bind", or the URL of the WebSocket service.',
  "no-randomness": "This platform has no crypto.getRandomValues, which rids and nonces are made with. Provide it before making a client.",
  "sent-away": "The room sent us away while we entered. Join it again, or ask who runs it.",
  "left-first": "We left the room before it answered. Join it again if that was not meant.",
  "session-lost": "The session was lost before the room answered. Await connect(), then join it again.",
  "room-offline": "The connection was closed before the room answered. Connect again, then join it again.",
  "no-answer": "No answer came in time. Try again, or give it a longer timeout.",
  "no-reply": "No reply came in time. Give the request a longer timeout, or check that its addressee exists.",
  "no-connection-left":
    "The connection ended before the reply came. Whether the request was carried out is not known: connect again and look, or repeat it if that does no harm.",
  undelivered: "The connection ended before the stanza left. Send it again when online.",
  unknown:
    "The connection ended after the stanza left and before the server confirmed it. It may have arrived: send it again only if it may arrive twice.",
  "lost-by-room": "The room had lost us before it saw this message: it reached nobody. Send it again after 'rejoin'.",
  "silent-room": "The room does not answer: whether we are still in it is not known. It is asked again.",
  "crowded-room": "The room has more than 20,000 occupants: the others are not listed.",
  "foreign-event": "An event of node $1 came from $2, which is not its service. It was ignored.",
  unreadable:
    "Something that the server sent cannot be read, and is lost$1 ($2). The session goes on. Look at the server's log: it, or a proxy before it, writes XML that is none.",
  "unreadable-large":
    "Something that the server sent cannot be read, and is lost$1 ($2). The session goes on. Look at the server's log: it, or a proxy before it, writes XML that is none.",
  "backlog-full": "More than 1,000 stanzas came before there was a handler: the oldest are dropped. Add handlers before connect().",
  "step-timed-out": "A room did not answer within 10 s of the new session. What was kept meanwhile has been sent.",
  "not-loaded": "epode's WebAssembly module is not loaded. Await init() first.",
  "bad-keys": "The option 'keys' is what 'keys' of a SaslClient was: name, iter, and in Base64 salt, ck and sk.",
  "stream-not-open": "The stream is not open: call open() first, once. After 'close' make another Stream.",
  "stream-used": "This stream was opened before. Make another Stream.",
  freed: "The client was freed. Make a new one.",
  "object-freed": "This object was freed. Do not use it after free(), or leave freeing to the garbage collector.",
  "closed-early": "disconnect() was called while connecting. Call connect() again when the connection is wanted.",
  busy: "This client is connecting or connected. Await disconnect() first, or make another client.",
  "bad-session":
    "Not a session to attach to: give { jid, sid, rid }, the full JID, the BOSH session's id and the rid of the next request, and a BOSH service at the JID's domain.",
  "invalid-option": "The option '$1' $2.",
  "unsendable-option": "The option '$1' holds a character that XML cannot carry, such as a control character: remove it.",
};

/** The sentence of a problem. @internal */
export function sayProblem(kind: ProblemKind, first: string, second: string): string {
  const other = kind === "invalid-option" ? (OPTIONS[first] ?? "") : second;
  return PROBLEMS[kind].replace(/\$[12]/g, (place) => (place === "$1" ? first : other));
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

/** What to do about an error stanza. @internal */
export function sayRefusal({ condition, type, application, applicationNs }: StanzaErrorFields): string {
  if (applicationNs === PUBSUB_ERRORS && application !== undefined && Object.hasOwn(PUBSUB_ADVICE, application)) {
    return PUBSUB_ADVICE[application] as string;
  }
  return Object.hasOwn(ADVICE, condition) ? (ADVICE[condition] as string) : TYPE_ADVICE[type];
}

// ── the end of a connection ──────────────────────────────────────────────────────────────────────────────────────────

/** What is known of the end of a connection. @internal */
export interface EndFacts {
  /** An address, names of fields, how the protocol was violated, as the sentence wants it. */
  detail: string;
  condition: string;
  httpStatus: number;
}

/** What happened, and what to do. */
type Sentence = readonly [what: string, advice: string];

const ANEW = "Connect anew.";
const HTTPS = "Use https, or set allowPlainText: true if you accept the risk.";
const REDIRECTED =
  "Redirects are not followed, because the request and its password would go to another address. Give the address that the service redirects to, if it is meant to be used.";

/** XEP-0124 §17.2, by condition. */
const TERMINATED: Record<string, string> = {
  "host-unknown": "The server does not serve this domain, or no longer: check 'domain' or the part of 'jid' behind the @.",
  // COMPAT(ejabberd): its condition for domains without BOSH, local or not.
  "internal-server-error":
    "The server failed, or does not serve this domain: check 'domain' or the part of 'jid' behind the @, then its log.",
  "item-not-found": "The server does not know the session, or no longer, say after a restart or a long sleep: connect anew.",
  "bad-request": "The server could not read a request: a proxy may have changed it. Look at the server's log.",
  "other-request": "Another request ended it, which says why: connect anew.",
  "policy-violation": "The server finds this client too eager: check its limits.",
  "remote-connection-failed": "The BOSH service cannot reach the XMPP server behind it: check that it runs.",
  "remote-stream-error": "The XMPP server behind the BOSH service ended the stream: connect anew.",
  "see-other-uri": "The service is at another address, and did not say where.",
  "system-shutdown": "The server is shutting down: connect again later.",
};
TERMINATED["host-gone"] = TERMINATED["improper-addressing"] = TERMINATED["host-unknown"] as string;

/** RFC 6120 §4.9.3, by condition. */
const STREAM: Record<string, string> = {
  conflict: "Another connection took the same resource: let the server choose resources, or do not connect twice.",
  "host-unknown": "The server does not serve this domain: check 'domain' or 'jid'.",
};

const NO_REGISTRATION = "Accounts cannot be registered at this server this way.";
const TOO_MANY = "Too many registrations at once: try again later.";

/** Why an account was not made, by condition. */
const REGISTRATION: Record<string, string> = {
  conflict: "The name is taken: choose another.",
  "service-unavailable": NO_REGISTRATION,
  "feature-not-implemented": NO_REGISTRATION,
  "not-allowed": NO_REGISTRATION,
  forbidden: NO_REGISTRATION,
  "resource-constraint": TOO_MANY,
  wait: TOO_MANY,
};

/** What the server's SASL had wrong; what is not here is the server's own word. */
const SASL: Record<string, string> = {
  nonce: "the server's nonce does not continue ours: somebody may replay an old login",
  "too-few-iterations": "the server asks for fewer than 4096 iterations of the password's hash, which would not protect it",
  "too-many-iterations": "the server asks for more than 1000000 iterations of the password's hash, which would freeze the page",
  "mandatory-extension": "the server requires an extension of SCRAM that is not known",
  malformed: "the server's SASL message is malformed, or not one for this moment",
  "wrong-credentials": "these credentials cannot be used with this mechanism",
};

/** What took too long, by phase. */
const PHASES: Record<string, string> = {
  connecting: "the service did not answer",
  features: "the server did not say what it offers",
  credentials: "the 'password' or 'token' function did not settle",
  authenticating: "the login was not answered",
  binding: "the resource was not bound",
  registering: "the registration was not answered",
};

const pick = (from: Record<string, string>, name: string, otherwise: string): string =>
  Object.hasOwn(from, name) ? (from[name] as string) : otherwise;

/** By the name that Rust gives it (proto/src/error.rs). */
const ENDS: Record<string, Sentence | ((facts: EndFacts) => Sentence)> = {
  unreachable: ["The service cannot be reached", "Check the network, that the server runs, and the service's address."],
  "blocked-by-cors": [
    "The server is there, but the browser keeps its answers from this page, because they lack CORS headers",
    "Serve the BOSH service from the page's own origin (a proxy), or let the server send Access-Control-Allow-Origin.",
  ],
  "mixed-content": ["A page on https: may not use a service on http:", "Give the service an https: address."],
  unsupported: ({ detail }) => [
    `This platform has no ${detail}: pass { ${detail} } in the options`,
    detail === "WebSocket"
      ? "A class with the browser's interface fits, such as that of the npm package ws. Or use the address of the BOSH service."
      : "A function with the browser's interface fits.",
  ],
  "http-error": ({ httpStatus }) => [`The service answered with HTTP status ${httpStatus}`, httpAdvice(httpStatus)],
  redirected: ["The service answered with an HTTP redirect", REDIRECTED],
  "not-bosh": ({ detail }) => [
    `The service does not speak BOSH: it answered with ${detail}`,
    "Check the address: a page, a login portal or another program may be there.",
  ],
  "not-websocket": ({ detail }) => [
    `The service does not speak XMPP over WebSocket: there was ${detail}`,
    "Check the address (often /ws or /xmpp-websocket) and that the proxy passes the Upgrade on.",
  ],
  ended: ["The server closed the stream", ANEW],
  "see-other-uri": ({ detail }) => [
    `The server wants this client to connect elsewhere: ${detail}`,
    "It is not followed when it would be unencrypted, or leads in circles.",
  ],
  "bad-xml": ({ detail }) => [
    `What the service sent cannot be read: ${detail}`,
    "A proxy may have cut or changed it; if it stays so, the server is broken.",
  ],
  "too-large": ["The answer is larger than the limit", "Raise 'maxBytes' if it is meant to be so large."],
  terminated: ({ condition }) => [`The BOSH service ended the session: ${condition}`, pick(TERMINATED, condition, ANEW)],
  "stream-error": ({ condition }) => [`The server ended the stream: ${condition}`, pick(STREAM, condition, ANEW)],
  "auth-failed": ({ condition }) => [
    `The server refused the login: ${condition}`,
    "Check the user name and the password or token, and that the account exists.",
  ],
  "no-mechanism": [
    "The server offers no login mechanism that fits these credentials",
    "Enable SCRAM on the server (or PLAIN over https; ANONYMOUS on its host for anonymous logins), and check 'mechanisms' if you gave it.",
  ],
  "only-plain-text": [
    "Only mechanisms that show the password are left, and this connection is not encrypted",
    "Use https, enable SCRAM on the server, or set allowPlainText: true if you accept the risk.",
  ],
  "weaker-mechanisms": [
    "The server offers only login mechanisms that are weaker than the one that worked before",
    "Somebody may sit between. If the server was changed on purpose, forget what was remembered of it ('memory').",
  ],
  "plain-text-registration": ["Registration would show the password on an unencrypted connection", HTTPS],
  "server-not-authentic": [
    "The server could not prove that it knows the password",
    "Somebody may sit between: do not log in over this network.",
  ],
  "bad-username": ["The user name holds a character that is not allowed", "Check the 'jid'."],
  "bad-password": ["The password is empty or holds a character that is not allowed", "Check the 'password'."],
  "unfit-keys": [
    "The 'keys' do not fit what the server asks for",
    "They belong to another salt, iteration count or mechanism: log in with the password.",
  ],
  "login-broke-off": ({ detail }) => [`The login broke off: ${pick(SASL, detail, detail)}`, "The server's SASL is not in order."],
  "credentials-failed": ["The 'password' or 'token' function gave no string", "See 'cause' for what it threw."],
  "bind-failed": ({ condition }) => [
    `The server refused the resource: ${condition}`,
    "Leave 'resource' out, so that the server chooses one.",
  ],
  "registration-failed": ({ condition }) => [
    `The server did not make the account: ${condition}`,
    pick(REGISTRATION, condition, "Check the user name and the password."),
  ],
  "fields-missing": ({ detail }) => [`The server wants more fields for the account: ${detail}`, "Give them in 'fields'."],
  "person-wanted": ({ detail }) => personWanted(detail, "Open that address to register there."),
  "person-or-answer-wanted": ({ detail }) =>
    personWanted(detail, "Open that address, or solve the challenge in an XMPP client that shows it."),
  "protocol-error": ({ detail }) => [`The server broke the protocol: ${detail}`, "Look at its log, and at 'received'."],
  timeout: ({ detail }) => [`Connecting took too long: ${pick(PHASES, detail, detail)}`, "Try again, or raise 'timeout'."],
};

function httpAdvice(status: number): string {
  if (status === 404) return "There is nothing at this address: check its path (often /http-bind or /bosh).";
  if (status === 401 || status === 403) {
    return "The web server in front asks for a permission: check its configuration, or give 'headers' or 'withCredentials'.";
  }
  if (status >= 500) return "The proxy is there and the XMPP server behind it is not, or failed: check the server and its log.";
  if (status >= 300 && status < 400) return REDIRECTED;
  return "Check that the address is that of a BOSH service, and its log.";
}

/** A person must register, at one of these addresses: pages first. */
function personWanted(addresses: string, atPage: string): Sentence {
  const what = "The server wants a person to register: ";
  if (addresses === "") {
    return [`${what}it names no address`, "Register in an XMPP client that shows the challenge, or ask whoever runs the server."];
  }
  if (!/(^|, )http/i.test(addresses)) {
    return [
      `${what}the challenge is inside the stanza (${addresses})`,
      "Register in an XMPP client that shows it, or ask whoever runs the server.",
    ];
  }
  return [what + addresses, atPage];
}

/** Why a connection ended or was interrupted; `text` is the server's. @internal */
export function sayEnd(name: string, text: string | undefined, facts: EndFacts): string {
  if (name === "invalid-option" || name === "unsendable-option") return `${sayProblem(name, facts.detail, "")} Nothing was sent.`;
  const end = ENDS[name];
  const [what, advice] = typeof end === "function" ? end(facts) : (end ?? [name, ANEW]);
  return `${what}${text === undefined ? "" : ` (${text})`}. ${advice}`;
}
