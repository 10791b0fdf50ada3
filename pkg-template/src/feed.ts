/// <reference lib="esnext.disposable" preserve="true" />
// `Feed`: a subscribed node whose items are kept complete. The module decides which changes to report; this file
// delivers them.

import type { Via } from "./core.js";
import { batching, iterate } from "./batches.js";
import { disposeBy } from "./dispose.js";
import { XmppError, aborted, problem } from "./errors.js";
import { KEPT, Listeners, type Registration, mustBeFunction } from "./events.js";
import type { FeedSink, Hub } from "./hub.js";
import { type PubsubItem, ReceivedItem } from "./item.js";
import { locating } from "./located.js";
import { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { Deferred, type Waiting } from "./waiting.js";

/** How an item was removed: by an event of the node, or found missing after an interruption. */
export type RetractVia = "live" | "catch-up";

/** A change in a `batch`. */
export type FeedChange<T = unknown> =
  | { type: "item"; item: PubsubItem<T> }
  | { type: "retract"; id: string; via: RetractVia }
  | { type: "purge" }
  | { type: "gap"; after: string | undefined; before: string | undefined }
  | { type: "live" };

/**
 * The events of a feed. Events before the first listener of their kind are kept for it (1,000 of each kind, or `limit`
 * if that is more; `subscription` and `configuration` are not kept), and delivered in order. Use `batch` if you need
 * the order of events of different kinds. Once there is a listener for `item`, no events are kept for `batch`, and vice
 * versa.
 */
export interface FeedEvents<T = unknown> {
  /**
   * An item: each publication once, in the order in which the service reports them. Two publications are the same if
   * their id and their payload are equal; the order of attributes, prefixes and namespace declarations does not matter,
   * white space does. See `repeats`. A notification without an item is reported as an item without `id` and payload.
   */
  item: PubsubItem<T>;
  /**
   * An item was removed. Via `"catch-up"`: found missing after an interruption, because it was retracted or dropped by
   * the node's limit. Most services do not report items that a node drops while the feed is live.
   */
  retract: { id: string; node: string; via: RetractVia };
  /** All items were removed. */
  purge: { node: string };
  /**
   * Items may be missing between the items with these ids; `after` is `undefined` if there was no item before, `before`
   * if there is none yet. Reported after an interruption if the node holds none of the earlier items, so that the
   * number of missed items is unknown: the node keeps fewer items than were published meanwhile, or exactly as many,
   * which looks the same. Also reported if the node was deleted meanwhile, even if it was created again; if the service
   * does not return the node's items; and beyond 20,000 items, the most that is fetched at a time. The available items
   * follow.
   */
  gap: { node: string; after: string | undefined; before: string | undefined };
  /** All earlier or missed items have been reported: the following ones are new. */
  live: { node: string };
  /**
   * All changes since the last call, in order, at most once per animation frame; every 50 ms without frames (workers,
   * Node, hidden pages). Batches of 10,000 changes do not wait, and neither do the remaining changes when the feed
   * ends.
   */
  batch: FeedChange<T>[];
  /** The node was deleted; `redirect` is its new address, if the service sent one. The feed ends. */
  delete: { node: string; redirect: string | undefined };
  /** The service changed the subscription's state. */
  subscription: { node: string; state: string };
  /** The node's configuration changed. */
  configuration: { node: string };
  /** The feed ended: closed, aborted, unsubscribed, deleted, refused in a later session, or the connection ended. */
  end: undefined;
}

/** The kind of event of every change of a node's items, in order; `undefined` is the end. Batches are made of it. */
const CHANGE = "_change";

interface InnerEvents<T> extends FeedEvents<T> {
  [CHANGE]: FeedChange<T> | undefined;
}

/** The same changes are reported in two ways. A page that listens to one needs none kept for the other. */
const SINGLE = ["item", "retract", "purge", "gap", "live"] as const;

/** The state of a feed, shared by the page's object and the hub. @internal */
export class FeedState<T> implements FeedSink {
  readonly id: number;
  readonly service: string;
  readonly node: string;
  readonly items = new Map<string, PubsubItem<T>>();
  /** Settled when the service has accepted or refused the subscription. */
  readonly first = new Deferred<void>();
  readonly listeners: Listeners<InnerEvents<T>>;
  subid: string | undefined;
  state = "pending";
  isOver = false;
  #subscriber: string;
  /** The position at the end of the feed. */
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

  /** Closes the feed when the signal is aborted. */
  closeOnAbort(signal: AbortSignal): void {
    const onAbort = (): void => {
      if (!this.first.isSettled) this.first.reject(aborted(signal));
      this.close();
    };
    signal.addEventListener("abort", onAbort);
    this.#deafen = () => signal.removeEventListener("abort", onAbort);
  }

  on<K extends keyof InnerEvents<T>>(kind: K, listener: (event: InnerEvents<T>[K]) => unknown): Registration {
    const registration = this.listeners.on(kind, listener);
    // After this turn, in which the page registers its other listeners.
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

  // ── events of the module ───────────────────────────────────────────────────────────────────────────────────────────

  agree(state: string, jid: string | undefined, subid: string | undefined): void {
    this.#confirm(state, jid, subid);
    this.first.resolve();
  }

  #confirm(state: string, jid: string | undefined, subid: string | undefined): void {
    this.state = state;
    // If the service accepts without details of the subscription, the known details stay.
    if (jid !== undefined) this.#subscriber = jid;
    if (jid !== undefined || subid !== undefined) this.subid = subid;
  }

  refuse(error: XmppError): void {
    // The page does not have this feed yet: its end causes no event.
    const isFirst = !this.first.isSettled;
    if (isFirst) {
      this.first.reject(error);
      this.#stop();
    } else {
      this.#end();
      this.#hub.complain(error);
    }
  }

  item(id: string | undefined, payload: Uint32Array | undefined, publisher: string | undefined, time: number, via: Via): void {
    const item = new ReceivedItem<T>({ id, node: this.node, payload, publisher, time, via }, this.#decode);
    if (id !== undefined) {
      // An item that is published again moves to the end.
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

  /** Stops reporting events. */
  #stop(): void {
    this.isOver = true;
    this.state = "none";
    this.#deafen?.();
    // Rejects the promise that waits for the first response.
    if (!this.first.isSettled) this.first.reject(undefined);
  }

  /** No event follows. */
  #end(): void {
    if (this.isOver) return;
    this.#stop();
    this.listeners.emit(CHANGE, undefined);
    this.listeners.emit("end", undefined);
  }

  /** The module has forgotten this feed; its position is kept. */
  #forget(): void {
    this.#lastPosition = this.position;
    this.#hub.feeds.delete(this.id);
  }

  /** Ends the feed locally. */
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
 * A subscribed node whose items are kept complete: the node's items, then its changes, then the items missed during an
 * interruption, as one sequence in which each publication appears once. If an id was published several times during an
 * interruption, only the current item is reported.
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

  /** The subscribed JID: the bare one, or the full one if the client is anonymous or unavailable. */
  get subscriber(): string {
    return this.#state.subscriber;
  }

  /** `subscribed`, `pending` (the owner must approve), `unconfigured`; `none` after the end of the feed. */
  get state(): string {
    return this.#state.state;
  }

  get subid(): string | undefined {
    return this.#state.subid;
  }

  /**
   * The current items by their ids, the newest publication last; always the same object. An item is current from its
   * report until it is known to be removed: retracted items leave the map, a purge empties it, and an item that is
   * published again moves to its end. Beyond `limit` the oldest item is dropped without an event. With `snapshot:
   * false` or `since` the map begins empty. The end of the feed does not change it. Items without an id are not in it.
   */
  get items(): Map<string, PubsubItem<T>> {
    return this.#state.items;
  }

  /**
   * The position of the feed after all items that it has reported: a text that you can store, over a reload or for
   * longer, and pass as `since`. Up to 11 bytes for each of `limit` items. Items count as reported when listeners were
   * called, and also while they wait for the next batch, in a loop, or for a first listener. `undefined` before the
   * first response. Still available after the end of the feed.
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

  /** Unsubscribes at the service, and ends the feed. With a bare JID this unsubscribes all of the account's pages. */
  unsubscribe(options?: Waiting): Promise<void> {
    return locating("unsubscribe", this.#live?.node, () => this.#state.unsubscribe(options));
  }

  /** Ends the feed locally and keeps the subscription at the service. */
  close(): void {
    this.#state.close();
  }

  /**
   * Items from now on, and those kept because there was no listener yet. Ends with the feed. A loop with more than
   * 10,000 waiting live items throws an error with code `too-large`.
   */
  [Symbol.asyncIterator](): AsyncIterator<PubsubItem<T>> {
    return iterate(
      (listener) => this.#state.on("item", listener),
      (listener) => this.#state.on("end", listener),
    );
  }

  /** Frees the object: later calls throw errors with code `freed`. The feed continues until it is closed. */
  free(): void {
    this.#live = undefined;
  }
}

// Declared beside the class: some platforms lack the symbol.
export interface Feed<T = unknown> {
  /** As `close()`. */
  [Symbol.dispose](): void;
}

disposeBy(Feed.prototype, Feed.prototype.close);

/** Creates the page's object. @internal */
export const feedOf = <T>(state: FeedState<T>): Feed<T> => makeFeed(state);
