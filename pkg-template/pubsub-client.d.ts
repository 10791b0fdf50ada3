// django-pubsub's client, typed. See the head of pubsub-client.js for what is different, and why.
import type { Client, PayloadFormat, PubsubItem, Secret, Sendable, Service, Stanza } from "./index.js";

/** Elements to read from, as jQuery's sets are read. Nothing of it becomes a part of the page. */
export interface Elements extends Iterable<Stanza> {
  readonly length: number;
  readonly [index: number]: Stanza;
  /** The text of them and of all that is in them. */
  text(): string;
  /** An attribute of the first. */
  attr(name: string): string | undefined;
  /** What is in them: names and `[attribute="value"]`, one after another for what is further in. */
  find(selector: string): Elements;
  children(name?: string): Elements;
  /** Until it returns false. */
  each(act: (this: Stanza, index: number, element: Stanza) => unknown): this;
  eq(index: number): Elements;
  first(): Elements;
  get(): Stanza[];
  get(index: number): Stanza | undefined;
}

/** An item's payload. */
export interface Entry<T = unknown> extends Elements {
  /** As a plain value. */
  readonly value: T;
  readonly format: PayloadFormat;
}

export interface Change<T = unknown> {
  /** `update` where the node held an item of this id already. */
  type: "create" | "update";
  id: string | undefined;
  node: string;
  item: PubsubItem<T>;
}

export interface PubSubClientOptions<T = unknown> {
  nick?: string;
  /** What to subscribe to at once. */
  node?: string;
  event_cb?: (entry: Entry<T>, pubsub: PubSubClient<T>, change: Change<T>) => void;
  /** An item was taken back, its record deleted. */
  delete_cb?: (id: string, pubsub: PubSubClient<T>) => void;
  /** Of a node something may be missing here: the connection was broken, and the service does not have it any more. */
  gap_cb?: (node: string, pubsub: PubSubClient<T>) => void;
  /** What fails; without it, it is reported as an uncaught error of the page. */
  error_cb?: (error: Error, pubsub: PubSubClient<T>) => void;
  /** An account: a name at `domain`, or a bare JID. Without it, and without `sid`: anonymous. */
  username?: string;
  password?: Secret;
  /** A BOSH session that the web server made: its full JID, its id, the rid of the next request. */
  jid?: string;
  sid?: string;
  rid?: number | string;
  /** Default `/xmpp-httpbind`. */
  bosh_service?: Service;
  /** Default: the page's host. */
  domain?: string;
  /** Default: the server chooses, which is what two open tabs want. */
  resource?: string;
  /** Default: `pubsub.` and the domain. */
  pubsub_service?: string;
  /** All that is sent and received goes to the console. Default false. */
  debug?: boolean;
}

export class PubSubClient<T = unknown> {
  constructor(options?: PubSubClientOptions<T>);
  nick: string | undefined;
  node: string | undefined;
  /** Has the window the focus? */
  focus: boolean;
  /** The page counts; 0 again when the window gets the focus. */
  unread: number;
  /** The last 1,000 entries. */
  updates: Entry<T>[];
  client: Client;
  /** Connected. */
  connected: Promise<void>;
  /** Connected, and subscribed to `node`. Need not be awaited. */
  ready: Promise<void>;
  attach(jid: string, sid: string, rid: number | string): Promise<void>;
  subscribe(node: string): Promise<void>;
  unsubscribe(node: string): Promise<void>;
  /** Strings and plain values become entries, of text and of JSON text; markup and stanzas go as they are. Resolves with the items' ids. */
  publish(node: string, items: Publishable | readonly Publishable[]): Promise<(string | undefined)[]>;
  /** Unsubscribes and goes. Never rejects. */
  disconnect(): Promise<void>;
  /** Called when the connection is over, with what ended it; to be replaced. */
  _on_disconnect(error?: Error): void;
}

export type Publishable = Exclude<Sendable, string> | string | number | boolean | null | { [name: string]: unknown };
