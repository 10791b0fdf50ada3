// The constants of Strophe's contract: namespaces, states, conditions, levels, kinds of nodes.
//
// Left out: the version of the protocol between tabs and a shared worker, which does not exist here.

const names = {
  AUTH: "jabber:iq:auth",
  BIND: "urn:ietf:params:xml:ns:xmpp-bind",
  BOSH: "urn:xmpp:xbosh",
  CLIENT: "jabber:client",
  COMPONENT: "jabber:component:accept",
  DISCO_INFO: "http://jabber.org/protocol/disco#info",
  DISCO_ITEMS: "http://jabber.org/protocol/disco#items",
  DELAY: "urn:xmpp:delay",
  FRAMING: "urn:ietf:params:xml:ns:xmpp-framing",
  HTTPBIND: "http://jabber.org/protocol/httpbind",
  MUC: "http://jabber.org/protocol/muc",
  PROFILE: "jabber:iq:profile",
  ROSTER: "jabber:iq:roster",
  SASL: "urn:ietf:params:xml:ns:xmpp-sasl",
  SERVER: "jabber:server",
  SESSION: "urn:ietf:params:xml:ns:xmpp-session",
  SM: "urn:xmpp:sm:3",
  STANZAS: "urn:ietf:params:xml:ns:xmpp-stanzas",
  STREAM: "http://etherx.jabber.org/streams",
  VERSION: "jabber:iq:version",
  XHTML: "http://www.w3.org/1999/xhtml",
  XHTML_IM: "http://jabber.org/protocol/xhtml-im",
};

/** Namespaces by their short names. `Strophe.addNamespace()` adds more. */
export const NS: typeof names & Record<string, string> = names;

/** The statuses of a connection, as its callback gets them. Plugins add more, numbered from the highest. */
export const Status = {
  /** Something went wrong, such as an exception during `connect()`. */
  ERROR: 0,
  CONNECTING: 1,
  /** The connection could not be established; the condition is the reason. */
  CONNFAIL: 2,
  AUTHENTICATING: 3,
  /** The server refused the credentials. */
  AUTHFAIL: 4,
  /** The session is bound: stanzas may be sent. */
  CONNECTED: 5,
  DISCONNECTED: 6,
  DISCONNECTING: 7,
  /** `attach()` or `restore()` continues a BOSH session. */
  ATTACHED: 8,
  /** The server redirects to another address, which is the condition. */
  REDIRECT: 9,
  CONNTIMEOUT: 10,
  /** With the option `explicitResourceBinding`: the page calls `bind()`. */
  BINDREQUIRED: 11,
  ATTACHFAIL: 12,
  /** Defined by strophe.js, but never reported. */
  RECONNECTING: 13,
};

/** A value of `Status`, or a number that a plugin has added. */
export type ConnStatus = number;

/** Conditions that the library itself reports with a status. */
export const ErrorCondition = {
  BAD_FORMAT: "bad-format",
  CONFLICT: "conflict",
  MISSING_JID_NODE: "x-strophe-bad-non-anon-jid",
  NO_AUTH_MECH: "no-auth-mech",
  UNKNOWN_REASON: "unknown",
};

/** A value of `LogLevel`. */
export type Severity = 0 | 1 | 2 | 3 | 4;

/** The severities of log lines. */
export const LogLevel: Record<"DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL", Severity> = {
  DEBUG: 0,
  INFO: 1,
  WARN: 2,
  ERROR: 3,
  FATAL: 4,
};

/** Values of `nodeType`. */
export const ElementType = { NORMAL: 1, TEXT: 3, CDATA: 4, FRAGMENT: 11 };
