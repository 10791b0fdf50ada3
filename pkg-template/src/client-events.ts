// The events of a client.

import type { XmppError } from "./errors.js";

export type Status =
  | "offline"
  | "connecting"
  | "authenticating"
  | "binding"
  | "online"
  /** The connection was interrupted and reconnects by itself; stanzas sent meanwhile are kept in order. */
  | "reconnecting"
  | "disconnecting";

export interface StatusChange {
  status: Status;
  /** The reason: with `offline`, if the page did not request it, and with `reconnecting`. */
  error?: XmppError;
  /**
   * With `online`: true if the session was resumed and nothing was lost. False for a new session, in which presence,
   * rooms and feeds are restored; of the events in between only those that the server and the rooms kept arrive.
   */
  resumed?: boolean;
  /** With `reconnecting`: the number of the next attempt, from 1. Each failed attempt causes one such event. */
  attempt?: number;
  /**
   * With `reconnecting`: when the next attempt is due. A sign of a working network may bring it forward, which causes
   * another event.
   */
  retryAt?: Date;
}

export interface ClientEvents {
  /** The connection's state changed. */
  status: StatusChange;
  /** An error that no promise reports: a pubsub event from a wrong sender, a stanza that could not be read. */
  error: XmppError;
  /** A stanza was passed to the transport, as XML, with secrets masked. Costs nothing without a listener. */
  sent: string;
  /** A stanza arrived, as XML, with secrets masked. Costs nothing without a listener. */
  received: string;
  /** A stanza may not have arrived, and its `send()` is not awaited. */
  undelivered: { xml: string; error: XmppError };
}
