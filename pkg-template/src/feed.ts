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
import { located, locating } from "./located.js";
import { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { Deferred, type Waiting } from "./waiting.js";

/**
 * How a feed learned that an item is gone: `live`, the service notified; `catch-up`, the node did not hold it any more after an interruption.
 * @example
 * feed.on("retract", ({ id, via }) => {
 *   const learned: RetractVia = via;
 *   console.log(id, learned);
 * });
 */
export type RetractVia = "live" | "catch-up";

/**
 * A change of what a node holds: an entry of the event `batch`.
 * @example
 * const shown = new Map<string | undefined, unknown>();
 * const apply = (change: FeedChange) => {
 *   if (change.type === "item") shown.set(change.item.id, change.item.value);
 *   if (change.type === "retract") shown.delete(change.id);
 *   if (change.type === "purge") shown.clear();
 * };
 * feed.on("batch", (changes) => changes.forEach(apply));
 */
export type FeedChange<T = unknown> =
  | { type: "item"; item: PubsubItem<T> }
  | { type: "retract"; id: string; via: RetractVia }
  | { type: "purge" }
  | { type: "gap"; after: string | undefined; before: string | undefined }
  | { type: "live" };

/**
 * The events of a feed, by name: what a listener of {@link Feed.on} is called with.
 *
 * Events of a kind are kept in order for the first listener of that kind: 1,000 of each, or `limit` where that is more (`subscription` and
 * `configuration` are not kept). Only `batch` preserves the order of events of different kinds. Once there is a listener for `item`, nothing
 * is kept for `batch`, and vice versa.
 * @example
 * feed.on("gap", ({ after, before }) => console.warn(`items may be missing between ${after} and ${before}`));
 */
export interface FeedEvents<T = unknown> {
  /**
   * An item: each publication once, in the order of the service. Two publications are the same when id and payload are; the order of
   * attributes, prefixes and namespace declarations make no difference, white space does. See `repeats`. A notification without an item
   * is an item without `id` and payload.
   */
  item: PubsubItem<T>;
  /**
   * The node does not hold an item any more. Via `"catch-up"`: it was retracted during an interruption, or the node's limit dropped it.
   * Most services do not notify when the node's limit drops an item while the feed is live.
   */
  retract: { id: string; node: string; via: RetractVia };
  /** All items of the node were removed. */
  purge: { node: string };
  /**
   * Items may be missing between the items with these ids. `after` is `undefined` where there was no item before the gap, `before` where
   * there is none behind it yet. The items that the node holds follow.
   *
   * A gap is reported after an interruption when the node holds none of the items that were delivered before it: then the number of missed
   * publications is unknown. Also when the node was deleted meanwhile, when the service cannot be asked for its items, and beyond 20,000
   * items, which is the most that is caught up on at a time.
   */
  gap: { node: string; after: string | undefined; before: string | undefined };
  /** The snapshot, or what was missed during an interruption, is complete: the items that follow are new. */
  live: { node: string };
  /**
   * All changes since the last call, in order, at most once per animation frame; every 50 ms where there are no frames (workers, Node,
   * hidden pages). 10,000 changes are delivered without waiting, and so is the rest when the feed ends.
   */
  batch: FeedChange<T>[];
  /** The node was deleted; `redirect` is the URI of the node that replaces it, where the service gives it. The feed ends. */
  delete: { node: string; redirect: string | undefined };
  /** The service changed the subscription's state. */
  subscription: { node: string; state: string };
  /** The node's configuration changed. */
  configuration: { node: string };
  /** The feed has ended: closed, aborted, unsubscribed, deleted, refused in a later session, or the connection ended. */
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
      this.#hub.complain(located(error, "subscribe", { node: this.node, service: this.service }) as XmppError);
    }
  }

  item(id: string | undefined, payload: Stanza | undefined, publisher: string | undefined, time: number, via: Via): void {
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
 * A live feed of a pubsub node: the items that the node holds, then each change as it happens, then what was missed during an interruption, as
 * one sequence that contains each publication once. Of several publications to one id during an interruption the last is delivered.
 * @example
 * const feed = await client.pubsub.subscribe("/blog/Post");
 * feed.on("item", ({ id, via, value }) => console.log(id, via, value));
 * feed.on("gap", () => console.warn("something may be missing here"));
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

  /**
   * The name of the node.
   * @example
   * console.log(feed.node); // "/blog/Post"
   */
  get node(): string {
    return this.#state.node;
  }

  /**
   * The JID of the service that holds the node.
   * @example
   * console.log(feed.service); // "pubsub.example.org"
   */
  get service(): string {
    return this.#state.service;
  }

  /**
   * The JID that is subscribed: the bare one, or the full one when the client is anonymous or sends no presence.
   * @example
   * console.log(feed.subscriber); // "romeo@example.org"
   */
  get subscriber(): string {
    return this.#state.subscriber;
  }

  /**
   * The state of the subscription: `subscribed`, `pending` (the owner must approve), `unconfigured`; `none` when the feed has ended.
   * @example
   * if (feed.state === "pending") console.log("waiting for the owner's approval");
   */
  get state(): string {
    return this.#state.state;
  }

  /**
   * The id of the subscription (XEP-0060 §12.4), where the service gives one.
   * @example
   * const items = await client.pubsub.items(feed.node, { subid: feed.subid });
   */
  get subid(): string | undefined {
    return this.#state.subid;
  }

  /**
   * The current items by id, the newest publication last; always the same map. Retracted items leave it, a purge empties it, an item that is
   * published again moves to its end. Beyond `limit` the oldest item leaves it, without an event. With `snapshot: false` or `since` it begins
   * empty. Items without an id are not in it. The end of the feed does not change it.
   * @example
   * for (const { id, value } of feed.items.values()) console.log(id, value);
   */
  get items(): Map<string, PubsubItem<T>> {
    return this.#state.items;
  }

  /**
   * The position of the feed behind all events so far: a text to store and to give back as `since`, after a reload or later. It has up to 11
   * bytes for each of `limit` items. Events that wait for the next batch, in a loop or for the first listener count as delivered.
   * `undefined` before the first answer; still there when the feed has ended.
   * @example
   * sessionStorage.setItem("position", feed.position ?? "");
   */
  get position(): string | undefined {
    return this.#state.position;
  }

  /**
   * Registers a listener of one kind of event. Throws `bad-argument` when there is no event of that name.
   * @example
   * feed.on("retract", ({ id }) => document.getElementById(id)?.remove());
   */
  on<K extends keyof FeedEvents<T>>(type: K, listener: (event: FeedEvents<T>[K]) => void): Registration {
    if (type !== "batch") return this.#state.on(type, listener);
    mustBeFunction(listener);
    return batching<FeedChange<T>>(
      (take) => this.#state.on(CHANGE, take),
      (changes) => (listener as (changes: FeedChange<T>[]) => void)(changes),
    );
  }

  /**
   * Ends the feed and the subscription at the service. A subscription of the bare JID ends for all pages of the account. Resolves at once when
   * the feed has ended already.
   * @example
   * await feed.unsubscribe({ timeout: 5_000 });
   */
  unsubscribe(options?: Waiting): Promise<void> {
    return locating("unsubscribe", { node: this.#live?.node, service: this.#live?.service }, () => this.#state.unsubscribe(options));
  }

  /**
   * Ends the feed and leaves the subscription at the service as it is.
   * @example
   * feed.close();
   */
  close(): void {
    this.#state.close();
  }

  /**
   * The items that were kept for the first listener, then each item as it arrives. The loop ends with the feed. When 10,000 live items wait for
   * the loop, it throws `too-large`.
   * @example
   * for await (const { id, value } of feed) console.log(id, value);
   */
  [Symbol.asyncIterator](): AsyncIterator<PubsubItem<T>> {
    return iterate(
      (listener) => this.#state.on("item", listener),
      (listener) => this.#state.on("end", listener),
    );
  }

  /**
   * Releases this object: later calls are `freed` errors. The feed continues until it is closed.
   * @example
   * feed.close();
   * feed.free();
   */
  free(): void {
    this.#live = undefined;
  }
}

// Declared beside the class: some platforms lack the symbol.
export interface Feed<T = unknown> {
  /**
   * As `close()`, for `using`.
   * @example
   * feed[Symbol.dispose]();
   */
  [Symbol.dispose](): void;
}

disposeBy(Feed.prototype, Feed.prototype.close);

/** Creates the page's object. @internal */
export const feedOf = <T>(state: FeedState<T>): Feed<T> => makeFeed(state);
