/// <reference lib="esnext.disposable" preserve="true" />
// `Feed`: a subscribed node, kept complete. What happens in it, the module says; here it is told.

import type { Via } from "./core.js";
import { batching, iterate } from "./batches.js";
import { disposeBy } from "./dispose.js";
import { XmppError, aborted, problem } from "./errors.js";
import { KEPT, Listeners, type Registration, mustBeFunction } from "./events.js";
import type { FeedSink, Hub } from "./hub.js";
import { type PubsubItem, ReceivedItem } from "./item.js";
import { located, locating } from "./located.js";
import { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { Deferred, type Waiting } from "./waiting.js";

/** How an item came to be gone: the node told so, or it was found to be gone after an interruption. */
export type RetractVia = "live" | "catch-up";

/** One of a `batch`. */
export type FeedChange<T = unknown> =
  | { type: "item"; item: PubsubItem<T> }
  | { type: "retract"; id: string; via: RetractVia }
  | { type: "purge" }
  | { type: "gap"; after: string | undefined; before: string | undefined }
  | { type: "live" };

/**
 * What happens in a feed. What comes before the first listener of its kind is kept for it (1,000 of each kind, or `limit` if
 * that is more; `subscription` and `configuration` are not), and handed to it in order. In which order things of different
 * kinds have happened, `batch` tells. Once there is a listener for `item`, nothing is kept for `batch`, nor the other way round.
 */
export interface FeedEvents<T = unknown> {
  /**
   * An item: each publication once, in the order in which the service tells of them. A publication is the same when id and
   * payload are; the order of attributes, prefixes and namespace declarations do not matter, white space does. See `repeats`.
   * A notification without any item is one without `id` and payload.
   */
  item: PubsubItem<T>;
  /**
   * An item is no longer there. Via `"catch-up"`: found to be gone after an interruption, taken back or dropped by the node's
   * own limit. What a node drops while the feed is live, most services do not tell.
   */
  retract: { id: string; node: string; via: RetractVia };
  /** No item is there any more. */
  purge: { node: string };
  /**
   * Something may be missing between the items with these ids; `after` is `undefined` where there was none before, `before`
   * where there is none yet. It comes after an interruption when nothing of what was had before is in the node any more, so that
   * nothing shows how much came in between: the node keeps fewer items than were published meanwhile; or exactly as many, which
   * nobody can tell apart. Also when the node was deleted meanwhile, though it may be there again; when the service cannot be
   * asked what it holds; and beyond 20,000 items, which is as much as is caught up on at a time. What is there, comes after it.
   */
  gap: { node: string; after: string | undefined; before: string | undefined };
  /** What the node held, or what was missed during an interruption, has been told: what comes now is new. */
  live: { node: string };
  /**
   * All changes since the last call, in order, at most once per animation frame; every 50 ms where there are no frames (workers,
   * Node, pages that nobody sees). 10,000 changes do not wait, nor does what is left when the feed ends.
   */
  batch: FeedChange<T>[];
  /** The node is no more; `redirect` is where it went, if told. The feed ends. */
  delete: { node: string; redirect: string | undefined };
  /** The service changed the subscription's state. */
  subscription: { node: string; state: string };
  /** The node's configuration changed. */
  configuration: { node: string };
  /** The feed is over: closed, aborted, unsubscribed, deleted, refused in a later session, or the connection ended. */
  end: undefined;
}

/** The kind of event that every change of what a node holds is, in their order; `undefined` is the end. Batches are made of it. */
const CHANGE = "_change";

interface InnerEvents<T> extends FeedEvents<T> {
  [CHANGE]: FeedChange<T> | undefined;
}

/** The same is told in two ways. Who hears it in one need not have it kept in the other. */
const SINGLE = ["item", "retract", "purge", "gap", "live"] as const;

/** What a feed is, shared by the page's object and the hub. @internal */
export class FeedState<T> implements FeedSink {
  readonly id: number;
  readonly service: string;
  readonly node: string;
  readonly items = new Map<string, PubsubItem<T>>();
  /** Settled when the service has agreed, or refused. */
  readonly first = new Deferred<void>();
  readonly listeners: Listeners<InnerEvents<T>>;
  subid: string | undefined;
  state = "pending";
  isOver = false;
  #subscriber: string;
  /** Where it stood when it ended. */
  #lastPosition: string | undefined;
  readonly #hub: Hub;
  readonly #limit: number;
  readonly #decode: ((payload: Stanza) => T) | undefined;
  #deafen: (() => void) | undefined;

  constructor(
    hub: Hub,
    fields: { id: number; service: string; node: string; subscriber: string; limit: number; decode: ((payload: Stanza) => T) | undefined },
  ) {
    this.#hub = hub;
    this.id = fields.id;
    this.service = fields.service;
    this.node = fields.node;
    this.#subscriber = fields.subscriber;
    this.#limit = fields.limit;
    this.#decode = fields.decode;
    this.listeners = new Listeners<InnerEvents<T>>(
      ["item", "retract", "purge", "gap", "live", CHANGE, "delete", "end"],
      ["subscription", "configuration"],
      Math.max(KEPT, fields.limit),
    );
  }

  /** Ends it when the signal is aborted. */
  heed(signal: AbortSignal): void {
    const onAbort = (): void => {
      if (!this.first.isSettled) this.first.reject(aborted(signal));
      this.close();
    };
    signal.addEventListener("abort", onAbort);
    this.#deafen = () => signal.removeEventListener("abort", onAbort);
  }

  on<K extends keyof InnerEvents<T>>(kind: K, listener: (event: InnerEvents<T>[K]) => unknown): Registration {
    const registration = this.listeners.on(kind, listener);
    // After this turn, in which its other listeners come.
    queueMicrotask(() => {
      if (kind === "item") this.listeners.keepNoMore(CHANGE);
      else if (kind === CHANGE) for (const other of SINGLE) this.listeners.keepNoMore(other);
    });
    return registration;
  }

  get subscriber(): string {
    return this.#hub.read((core) => core.feedSubscriber(this.id)) ?? this.#subscriber;
  }

  get position(): string | undefined {
    return this.#hub.read((core) => core.feedPosition(this.id)) ?? this.#lastPosition;
  }

  // ── what the module tells ──────────────────────────────────────────────────────────────────────────────────────────

  agree(state: string, jid: string | undefined, subid: string | undefined): void {
    this.#confirm(state, jid, subid);
    this.first.resolve();
  }

  #confirm(state: string, jid: string | undefined, subid: string | undefined): void {
    this.state = state;
    // A service that agrees without a word about the subscription leaves it as it was.
    if (jid !== undefined) this.#subscriber = jid;
    if (jid !== undefined || subid !== undefined) this.subid = subid;
  }

  refuse(error: XmppError): void {
    // Nobody has this feed yet? Then no event tells of its end.
    const isFirst = !this.first.isSettled;
    if (isFirst) {
      this.first.reject(error);
      this.#stop();
    } else {
      this.#end();
      this.#hub.complain(located(error, "subscribe", { node: this.node, service: this.service }) as XmppError);
    }
  }

  item(id: string | undefined, payload: Uint32Array | undefined, publisher: string | undefined, time: number, via: Via): void {
    const item = new ReceivedItem<T>({ id, node: this.node, payload, publisher, time, via }, this.#decode);
    if (id !== undefined) {
      // What is published again goes to the end.
      this.items.delete(id);
      this.items.set(id, item);
      if (this.items.size > this.#limit) this.items.delete(this.items.keys().next().value as string);
    }
    if (!this.listeners.emit("item", item)) {
      this.#hub.complain(
        new XmppError(
          "too-large",
          "A feed has kept as many items as it may for a listener that never came: the oldest are dropped. Give subscribe() a callback, listen for batch, or close() the feed.",
        ),
      );
    }
    this.#note({ type: "item", item });
  }

  retract(id: string, via: Via): void {
    this.items.delete(id);
    this.listeners.emit("retract", { id, node: this.node, via: via as RetractVia });
    this.#note({ type: "retract", id, via: via as RetractVia });
  }

  purge(): void {
    this.items.clear();
    this.listeners.emit("purge", { node: this.node });
    this.#note({ type: "purge" });
  }

  gap(after: string | undefined, before: string | undefined): void {
    this.listeners.emit("gap", { node: this.node, after, before });
    this.#note({ type: "gap", after, before });
  }

  live(): void {
    this.listeners.emit("live", { node: this.node });
    this.#note({ type: "live" });
  }

  subscription(state: string, jid: string | undefined, subid: string | undefined): void {
    this.#confirm(state, jid, subid);
    this.listeners.emit("subscription", { node: this.node, state });
  }

  configure(): void {
    this.listeners.emit("configuration", { node: this.node });
  }

  delete(redirect: string | undefined): void {
    this.listeners.emit("delete", { node: this.node, redirect });
  }

  finish(position: string | undefined): void {
    this.#lastPosition = position;
    this.#end();
  }

  #note(change: FeedChange<T>): void {
    if (this.listeners.wants(CHANGE)) this.listeners.emit(CHANGE, change);
  }

  /** Nothing is told any more. */
  #stop(): void {
    this.isOver = true;
    this.state = "none";
    this.#deafen?.();
    // Whoever waits for the first answer hears that there is none.
    if (!this.first.isSettled) this.first.reject(undefined);
  }

  /** No event will follow. */
  #end(): void {
    if (this.isOver) return;
    this.#stop();
    this.listeners.emit(CHANGE, undefined);
    this.listeners.emit("end", undefined);
  }

  /** The module has no feed of this id any more; where it stood is kept. */
  #forget(): void {
    this.#lastPosition = this.position;
    this.#hub.feeds.delete(this.id);
  }

  /** Ends it here. */
  close(): void {
    if (this.isOver) return;
    this.#forget();
    this.#hub.read((core) => core.closeFeed(this.id));
    this.#end();
  }

  async unsubscribe(options: Waiting | undefined): Promise<void> {
    const read = new Reader(options);
    const timeout = read.millis("timeout");
    const signal = read.signal();
    read.done();
    if (this.isOver || this.#hub.isFreed) return;
    this.#forget();
    let request: number | undefined;
    try {
      request = this.#hub.call((core) => core.endSubscription(this.id, timeout));
    } finally {
      this.#end();
    }
    if (request !== undefined) await this.#hub.awaitReply(request, signal);
  }
}

let makeFeed: <T>(state: FeedState<T>) => Feed<T>;

/**
 * A subscribed node, kept complete: what it holds, then what happens to it, then what was missed during an interruption, as one
 * sequence in which each publication stands once. What was published to an id several times meanwhile comes once, as it is now.
 */
export class Feed<T = unknown> implements AsyncIterable<PubsubItem<T>> {
  #live: FeedState<T> | undefined;

  private constructor(state: FeedState<T>) {
    this.#live = state;
  }

  get #state(): FeedState<T> {
    const state = this.#live;
    if (!state) throw problem("object-freed");
    return state;
  }

  static {
    makeFeed = (state) => new Feed(state);
  }

  get node(): string {
    return this.#state.node;
  }

  get service(): string {
    return this.#state.service;
  }

  /** The JID that is subscribed: the bare one, or the full one when anonymous or without presence. */
  get subscriber(): string {
    return this.#state.subscriber;
  }

  /** `subscribed`, `pending` (the owner must approve), `unconfigured`; `none` when the feed is over. */
  get state(): string {
    return this.#state.state;
  }

  get subid(): string | undefined {
    return this.#state.subid;
  }

  /**
   * The current items by their ids, the newest publication last; always the same object. Current is what was told of and is not
   * known to be gone: retracted items leave it, a purge empties it, what is published again goes to its end. With more than
   * `limit` the oldest goes, which is no event. With `snapshot: false` or `since` it begins empty. The end of the feed leaves it
   * as it is. Items without an id are not in it.
   */
  get items(): Map<string, PubsubItem<T>> {
    return this.#state.items;
  }

  /**
   * Where the feed stands, after all that it has told so far: a text that can be kept, over a reload or for longer, and given back
   * as `since`. Up to 11 bytes for each of `limit` items. Told is what listeners were called with, and also what still waits for
   * the next batch, in a loop, or for a first listener. `undefined` before the first answer. Still there when the feed is over.
   */
  get position(): string | undefined {
    return this.#state.position;
  }

  /**
   * Registers a listener.
   * @example
   * feed.on("retract", ({ id }) => list.remove(id));
   */
  on<K extends keyof FeedEvents<T>>(type: K, listener: (event: FeedEvents<T>[K]) => void): Registration {
    if (type !== "batch") return this.#state.on(type, listener);
    mustBeFunction(listener);
    return batching<FeedChange<T>>(
      (take) => this.#state.on(CHANGE, take),
      (changes) => (listener as (changes: FeedChange<T>[]) => void)(changes),
    );
  }

  /** Unsubscribes at the service, and ends the feed. With a bare JID this ends it for all the account's pages. */
  unsubscribe(options?: Waiting): Promise<void> {
    return locating("unsubscribe", { node: this.#live?.node, service: this.#live?.service }, () => this.#state.unsubscribe(options));
  }

  /** Ends the feed here and leaves the subscription at the service as it is. */
  close(): void {
    this.#state.close();
  }

  /**
   * Items from now on, and those kept because nobody listened yet. Ends with the feed. A loop that lets 10,000 live items wait
   * gets a `too-large` error.
   */
  [Symbol.asyncIterator](): AsyncIterator<PubsubItem<T>> {
    return iterate(
      (listener) => this.#state.on("item", listener),
      (listener) => this.#state.on("end", listener),
    );
  }

  /** Lets go of it: later calls are `freed` errors. The feed goes on until it is closed. */
  free(): void {
    this.#live = undefined;
  }
}

// Declared beside the class: not every platform has the symbol.
export interface Feed<T = unknown> {
  /** As `close()`. */
  [Symbol.dispose](): void;
}

disposeBy(Feed.prototype, Feed.prototype.close);

/** The page's object. @internal */
export const feedOf = <T>(state: FeedState<T>): Feed<T> => makeFeed(state);
