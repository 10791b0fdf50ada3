// What happens to a client.

import type { XmppError } from "./errors.js";

export type Status =
  | "offline"
  | "connecting"
  | "authenticating"
  | "binding"
  | "online"
  /** The connection broke and is made again by itself; what is sent meanwhile is kept, in order. */
  | "reconnecting"
  | "disconnecting";

export interface StatusChange {
  status: Status;
  /** With `offline`, when it was not asked for, and with `reconnecting`: what happened. */
  error?: XmppError;
  /**
   * With `online`: the session goes on, and nothing was lost. When false, it is a new one, in which presence, rooms and feeds
   * are there again; of what happened meanwhile only what server and rooms kept arrives.
   */
  resumed?: boolean;
  /** With `reconnecting`: which attempt is next, from 1. There is one such event for each attempt that failed. */
  attempt?: number;
  /** With `reconnecting`: when it is due. A sign of the network may bring it forward, which is another event. */
  retryAt?: Date;
}

export interface ClientEvents {
  /** The connection's state changed. */
  status: StatusChange;
  /** Something went wrong that no promise told: a liar's pubsub event, a stanza that could not be read. */
  error: XmppError;
  /** A stanza was given to the transport, as XML, with secrets masked. Costs nothing without a listener. */
  sent: string;
  /** A stanza arrived, as XML, with secrets masked. Costs nothing without a listener. */
  received: string;
  /** A stanza whose `send()` nobody awaits may not have arrived. */
  undelivered: { xml: string; error: XmppError };
}
