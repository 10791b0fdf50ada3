// The events of a client.

import type { XmppError } from "./errors.js";

/**
 * Where the connection stands. `connecting`, `authenticating` and `binding` follow each other in every login; `online` is the only
 * status in which stanzas go to the server at once.
 * @example
 * if (client.status === "reconnecting") console.log("offline for the moment; messages are kept");
 */
export type Status =
  | "offline"
  | "connecting"
  | "authenticating"
  | "binding"
  | "online"
  /** The connection broke, and the client connects again by itself. Stanzas that are sent meanwhile are kept, in order. */
  | "reconnecting"
  | "disconnecting";

/**
 * A change of the connection's status: the argument of a `status` listener.
 * @example
 * client.on("status", ({ status, retryAt }) => {
 *   document.title = status === "reconnecting" ? `offline, next attempt at ${retryAt?.toLocaleTimeString()}` : status;
 * });
 */
export interface StatusChange {
  /** The new status. */
  status: Status;
  /** With `reconnecting`, and with `offline` when the page did not ask for the end: what happened. */
  error?: XmppError;
  /**
   * With `online`: true when the session was resumed (XEP-0198 §5, or the same BOSH session) and nothing was lost. False when it is a
   * new session: presence, rooms and feeds have been restored, and of the time between only what the server, the rooms and the nodes
   * have kept arrives.
   */
  resumed?: boolean;
  /** With `reconnecting`: the number of the next attempt, from 1. There is one such event for each attempt that failed. */
  attempt?: number;
  /** With `reconnecting`: when the next attempt is due. An event of the network may bring it forward, which is another event. */
  retryAt?: Date;
}

/**
 * The events of a client, by name: what a listener of {@link Client.on} is called with.
 * @example
 * client.on("error", (error) => console.warn(error.code, error.message));
 */
export interface ClientEvents {
  /** The connection's state changed. */
  status: StatusChange;
  /** A failure that belongs to no promise: a pubsub event from a sender that may not send it, a stanza that could not be read. */
  error: XmppError;
  /** A stanza was given to the transport: its XML, with secrets masked. Without a listener the text is not made. */
  sent: string;
  /** A stanza arrived: its XML, with secrets masked. Without a listener the text is not made. */
  received: string;
  /** A stanza that was sent may not have arrived: its XML, and the error with which its `send()` rejects (`undelivered` or `unknown`). */
  undelivered: { xml: string; error: XmppError };
}
