// Juggernaut's client, typed. See the head of juggernaut.js for what is different, and what a deployment needs.
import type { Secret, Service } from "./index.js";

export interface JuggernautOptions {
  /** Where the XMPP service is, at /http-bind. Default: the page's own origin; with either of them, the page's host and port 8080. */
  host?: string;
  port?: number;
  /** With `host` or `port`: https. */
  secure?: boolean;
  /** What others are told of this session, where rosters are wanted. Any JSON. */
  meta?: unknown;
  /** Where to connect, in full. */
  service?: Service;
  /** Default: that of `jid`, or the host. */
  domain?: string;
  /** Default: `pubsub.` and the domain. */
  pubsub_service?: string;
  /** Default: `conference.` and the domain. */
  muc_service?: string;
  /** An account. Without it: anonymous. */
  jid?: string;
  password?: Secret;
  token?: Secret;
  /** Be seen on the channels that are subscribed. Default false; listening to `subscribe`, `unsubscribe` or `custom` means it too. */
  roster?: boolean;
  /**
   * Create the nodes of channels that have none, open to all. Default true. With a login (`jid`) nothing is created, neither nodes nor
   * rooms, unless `"open"` says that every channel is for everybody.
   */
  create?: boolean | "open";
}

/** One window on a channel. */
export interface Session {
  channel: string;
  session_id: string;
  /** What it says of itself; it proves nothing. */
  meta: any;
}

export interface JuggernautEvents {
  /** Connected, for the first time since connect(). */
  connect: [];
  /** The connection is lost: for good, or until `reconnect`. */
  disconnect: [error?: Error];
  /** Connected again, and subscribed to all channels. */
  reconnect: [];
  /** Of a channel's data something may be missing here: the connection was broken, and the service does not have it any more. */
  gap: [channel: string];
  message: [message: { type: string; channel: string; data: unknown }];
  data: [channel: string, data: unknown];
  /** Somebody is on a channel, ourselves among them. */
  subscribe: [session: Session];
  unsubscribe: [session: Session];
  /** What somebody has written as an `event` to a channel. */
  custom: [event: Session & { data: unknown }];
  /** Something failed; without a listener, it is reported as an uncaught error of the page. */
  error: [error: Error, channel?: string];
}

/** Who is on a channel. */
export class Roster {
  private constructor();
  /** By their ids. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** How many windows each user has. A snapshot. */
  readonly users: Map<any, number>;
  on(event: "subscribe" | "unsubscribe", listener: (session: Session) => void): this;
  /** After either of them, and when a session's meta has changed. */
  on(event: "change", listener: (roster: Roster) => void): this;
  unbind(event: "subscribe" | "unsubscribe" | "change"): this;
  close(): Promise<void>;
}

export class Juggernaut {
  constructor(options?: JuggernautOptions);
  meta: unknown;
  /** Drawn at random; the same over reconnects. */
  readonly sessionID: string;
  /** Connects where there is no connection. Need not be called. */
  connect(): Promise<void>;
  /** Leaves everything in order; connect() comes back to it. Never rejects. */
  disconnect(): Promise<void>;
  /** Resolves when the service has agreed; need not be awaited. `T` is what the page knows of the channel's data. */
  subscribe<T = unknown>(channel: string, listener?: (data: T) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  publish(channels: string | readonly string[], data: unknown, options?: { except?: string | readonly string[] }): Promise<void>;
  write(message: { type: "subscribe" | "unsubscribe" | "meta" | "event"; channel?: string; data?: unknown }): Promise<unknown>;
  /** Who is on a channel, this session only if it is subscribed. `user` names a session's user, by default by `meta.user_id`. */
  roster(channel: string, options?: { user?: (meta: any) => unknown }): Promise<Roster>;
  on<K extends keyof JuggernautEvents>(event: K, listener: (...args: JuggernautEvents[K]) => void): this;
  /** `<channel>:data` */
  on<T = unknown>(event: `${string}:data`, listener: (data: T) => void): this;
  bind: Juggernaut["on"];
  /** Removes all listeners of an event. */
  unbind(event: string): this;
}
