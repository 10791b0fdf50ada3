// `PubSub`: requests to a publish-subscribe service, and its events.

import { Core } from "./core.js";
import { aborted, badArgument, problem } from "./errors.js";
import { type Registration, callBack, mustBeFunction, registrationOf } from "./events.js";
import { type Feed, FeedState, feedOf } from "./feed.js";
import { type Form, type FormInput, valuesOf } from "./form.js";
import type { ApprovalFields, Hub, PersonalFields, WatchSink } from "./hub.js";
import { type DecodeOption, type PubsubItem, ReceivedItem } from "./item.js";
import { normalJid } from "./jid.js";
import { type Place, locating } from "./located.js";
import * as nodes from "./nodes.js";
import type { Metadata, PubsubAffiliation, PubsubItems, PubsubNode, PubsubSubscription, Subscriber, SubscriberInput } from "./nodes.js";
import { Reader } from "./reader.js";
import { type Stanza, stanzaOf, xmlWithin } from "./stanza.js";
import { type Waiting, quietly } from "./waiting.js";
import { Markup, type Sendable, isXmlText, markupOf, mustBeText } from "./xml.js";

/**
 * What can be published: `xml` text, an element that was received, or one element of XML in a string.
 * @example
 * const payload: Payload = xml`<post xmlns="urn:blog"><title>First</title></post>`;
 * await client.pubsub.publish("/blog/Post", payload);
 */
export type Payload = Sendable;

/**
 * The service that a request goes to, and how long it waits for the answer.
 * @example
 * const here: ServiceOption = { service: "feeds.example.org", timeout: 5_000 };
 * await client.pubsub.publish("todos", json({ done: false }), here);
 */
export interface ServiceOption extends Waiting {
  /** The JID of the pubsub service. Default: `pubsub.` and the domain of the account. */
  service?: string;
}

/**
 * The options of {@link PubSub.subscribe}.
 * @example
 * const options: FeedOptions = { limit: 100, snapshot: false };
 * const feed = await client.pubsub.subscribe("/blog/Post", options);
 */
export interface FeedOptions<T = unknown> extends ServiceOption, DecodeOption<T> {
  /**
   * Continues where an earlier feed ended: what its `position` was, for the same node of the same service. What was published since arrives
   * via `"catch-up"`, there is no snapshot, and a `gap` shows where something may be missing. A position of another version of epode may be
   * unreadable: then there is a `gap`, and the feed begins as without `since`.
   */
  since?: string;
  /**
   * Without `since`: whether the items that the node holds come first, via `"snapshot"`. Default true. With false, the last item, which
   * some services send on subscribing, is left out too.
   */
  snapshot?: boolean;
  /**
   * Whether an event is delivered that repeats its item as it is, with the same id and payload. Default false: a row that is saved
   * unchanged shows nothing, and neither does an event that a server delivers twice. With true both arrive as `"live"`, since they look
   * alike. Items without a payload are always delivered.
   */
  repeats?: boolean;
  /**
   * How many of the newest items are requested and kept: 1 to 100,000, default 1,000. As many publications are remembered (8 bytes each) to
   * recognise what was delivered before; `position` holds them too.
   */
  limit?: number;
  /**
   * Which JID is subscribed. `"bare"`: the service notifies all pages of the account that are present, and the subscription outlives the
   * session. `"full"`: this session alone. Default: `"bare"`; `"full"` where the client is anonymous or not present.
   */
  jid?: "bare" | "full";
  /** Options of the subscription (XEP-0060 §6.3), with or without the prefix `pubsub#`. */
  options?: Record<string, string | number | boolean>;
  /**
   * Gives up the call. A subscription that is aborted, or not answered in time, is removed at the service too, unless another feed uses
   * it. Aborted after the call has resolved, it closes the feed.
   */
  signal?: AbortSignal;
}

/**
 * The request of an account to subscribe to a node of this account (XEP-0060 §8.6).
 * @example
 * client.pubsub.onApproval(async (asked: Approval) => {
 *   if (asked.jid.endsWith("@example.org")) await asked.approve();
 *   else await asked.deny();
 * });
 */
export interface Approval {
  /** The JID of the service that asks. */
  service: string;
  /** The node. */
  node: string;
  /** The JID that wants to subscribe. */
  jid: string;
  /** The id of the subscription, where the service gives one. */
  subid: string | undefined;
  /** The id of the message that asked. */
  id: string | undefined;
  /**
   * Allows the subscription. Resolves when the server has taken the answer.
   * @example
   * client.pubsub.onApproval((asked) => void asked.approve());
   */
  approve(): Promise<void>;
  /**
   * Refuses the subscription. Resolves when the server has taken the answer.
   * @example
   * client.pubsub.onApproval((asked) => void asked.deny());
   */
  deny(): Promise<void>;
}

/**
 * A change of one of the nodes on which an account publishes about itself (XEP-0163).
 * @example
 * client.pubsub.onPersonalEvent("urn:xmpp:tune", (event: PersonalEvent) => {
 *   if (event.type === "item") console.log(event.from, event.item.payload?.text("title"));
 * });
 */
export type PersonalEvent<T = unknown> = {
  /** The account's bare JID. */
  from: string;
  /** The node. */
  node: string;
} & (
  | { type: "item"; item: PubsubItem<T>; id: string | undefined }
  | { type: "retract"; id: string }
  | { type: "purge" | "configuration" }
  | { type: "delete"; redirect: string | undefined }
);

/** Builds a request and reads its reply. */
interface Asked<T> {
  build: nodes.Request;
  read: (reply: Stanza) => T;
}

let makePubSub: (hub: Hub) => PubSub;

/**
 * Publish-subscribe (XEP-0060) over one client's connection: {@link Client.pubsub}. Every promise rejects with `stanza-error` and the
 * service's condition (`item-not-found`, `forbidden`, `not-allowed`, …), with `timeout` (default 30,000 ms), `aborted` or `disconnected`.
 * @example
 * await client.pubsub.createNode("todos");
 * await client.pubsub.publish("todos", json({ done: false, text: "Read RFC 6120" }), { id: "1" });
 */
export class PubSub {
  readonly #hub: Hub;

  private constructor(hub: Hub) {
    this.#hub = hub;
  }

  static {
    makePubSub = (hub) => new PubSub(hub);
  }

  // ── shared ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The service in the options, or the default one of the own domain. */
  #service(read: Reader): string {
    return read.jid("service") ?? normalJid(`pubsub.${this.#hub.call((core) => core.domain)}`);
  }

  /** The subscribed JID: the one in the options, or the default one. */
  #subscriber(read: Reader): string {
    return read.jid("jid") ?? this.#hub.call((core) => core.subscriber());
  }

  /** Asks the service that the options name; `prepare` reads the other options. */
  async #request<T>(options: unknown, place: Place, prepare: (read: Reader) => Asked<T>): Promise<T> {
    const read = new Reader(options);
    const service = this.#service(read);
    place.service = service;
    const { build, read: readReply } = prepare(read);
    const waiting = { timeout: read.millis("timeout"), signal: read.signal() };
    read.done();
    return readReply(await this.#hub.request(build(service).toString(), waiting));
  }

  /** Sends a request about the node or the service in the options. */
  #ask<T>(operation: string, options: ServiceOption & { node?: string } | undefined, prepare: (read: Reader) => Asked<T>): Promise<T> {
    const place: Place = { node: nameOf(options?.node) };
    return locating(operation, place, () => this.#request(options, place, prepare));
  }

  /** Sends a request about a node. */
  #askOf<T>(operation: string, node: unknown, options: unknown, prepare: (read: Reader, node: string) => Asked<T>): Promise<T> {
    const place: Place = { node: nameOf(node) };
    return locating(operation, place, () => {
      mustBeText(operation, 1, node);
      return this.#request(options, place, (read) => prepare(read, node));
    });
  }

  // ── feeds ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Subscribes to a node (XEP-0060 §6.1) and resolves when the service has agreed. `onItem` is called for each item: first for those that
   * the node holds, then for each one that is published, then for those that were missed during an interruption.
   *
   * Rejects with the service's condition, for example `item-not-found` (there is no such node) or `not-authorized`; with `timeout` when the
   * service does not answer in time; with `bad-argument` when `since` is not a position of this node.
   * @example
   * const feed = await client.pubsub.subscribe("/blog/Post", ({ id, via, value }) => console.log(id, via, value));
   */
  subscribe<T = unknown>(node: string, onItem: (item: PubsubItem<T>) => void, options?: FeedOptions<T>): Promise<Feed<T>>;
  /**
   * The same without a callback: the feed's listeners are called, and what arrives before the first one is kept for it.
   * @example
   * const feed = await client.pubsub.subscribe("/blog/Post", { limit: 100 });
   * feed.on("batch", (changes) => console.log(changes.length));
   */
  subscribe<T = unknown>(node: string, options?: FeedOptions<T>): Promise<Feed<T>>;
  subscribe<T = unknown>(node: string, first?: unknown, second?: FeedOptions<T>): Promise<Feed<T>> {
    const place: Place = { node: nameOf(node) };
    return locating("subscribe", place, async () => {
      mustBeText("subscribe", 1, node);
      // The callback is optional.
      const isLeftOut = typeof first === "object" && first !== null;
      const [onItem, options] = isLeftOut ? [undefined, first] : [first, second];
      const feed = this.#start<T>(node, place, onItem, options);
      try {
        await feed.first.promise;
      } catch (error) {
        throw error ?? problem("no-connection-left");
      }
      return feedOf(feed);
    });
  }

  /** Begins a feed; what is wrong with the options is told first. */
  #start<T>(node: string, place: Place, onItem: unknown, options: unknown): FeedState<T> {
    const read = new Reader(options);
    if (!isXmlText(node)) throw problem("illegal-character");
    const service = this.#service(read);
    place.service = service;
    const decode = decoderOf<T>(read);
    const limit = read.number("limit", 1, 100_000, "is a number of items, 1 to 100,000") ?? 1_000;
    const snapshot = read.flag("snapshot", true);
    const repeats = read.flag("repeats", false);
    const jid = read.text("jid");
    if (jid !== undefined && jid !== "bare" && jid !== "full") read.refuse("jid", 'is "bare" or "full"');
    const values = valuesOf(read, "options", read.given("options"));
    const since = read.text("since");
    const timeout = read.millis("timeout");
    const signal = read.signal();
    if (signal?.aborted) throw aborted(signal);
    if (onItem !== undefined) mustBeFunction(onItem);
    read.done();
    const names = values.flatMap(([name, all]) => all.map(() => name));
    const texts = values.flatMap(([, all]) => all);
    const full = jid === undefined ? undefined : jid === "full";
    const id = this.#hub.call((core) => core.subscribe(service, node, limit, snapshot, repeats, names, texts, full, timeout, since));
    const subscriber = this.#hub.call((core) => core.feedSubscriber(id)) ?? "";
    const feed = new FeedState<T>(this.#hub, { id, service, node, subscriber, limit, decode });
    this.#hub.feeds.set(id, feed);
    if (onItem !== undefined) feed.on("item", onItem as (item: PubsubItem<T>) => void);
    if (signal) feed.closeOnAbort(signal);
    return feed;
  }

  /**
   * Removes a subscription that has no `Feed`, for example one of an earlier visit (XEP-0060 §6.2). `jid`: the JID that was subscribed,
   * default this account's; `subid`: which of several subscriptions.
   * @example
   * await client.pubsub.unsubscribe("/blog/Post");
   */
  unsubscribe(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void> {
    return this.#askOf("unsubscribe", node, options, (read, node) => ({
      build: nodes.unsubscribe(node, this.#subscriber(read), read.text("subid")),
      read: nothing,
    }));
  }

  // ── items ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Publishes one item (XEP-0060 §7.1) and resolves with its id, which the service chooses when none is given. `null` is an item without a
   * payload, for nodes that only notify; with `item: false` not even an item is sent, for nodes that keep none.
   *
   * `publishOptions`: the configuration that the node must have (XEP-0060 §7.1.5). A node that does not exist is created with it, where the
   * service creates nodes by publishing; without it such a node of an account is readable for all its contacts. Where the node is
   * configured differently, the promise rejects with `application` `"precondition-not-met"`; with `configure`, an owner's node is
   * configured first, and the item is published then.
   * @example
   * const id = await client.pubsub.publish("todos", json({ text: "Read RFC 6120" }), { id: "1" });
   */
  publish(
    node: string,
    payload: Payload | null,
    options?: ServiceOption & { id?: string; item?: boolean; publishOptions?: FormInput; configure?: boolean },
  ): Promise<string | undefined> {
    const once = (): Promise<string | undefined> =>
      this.#askOf("publish", node, options, (read, node) => {
        const item = payload === null ? undefined : payloadOf(payload);
        const values = valuesOf(read, "publishOptions", read.given("publishOptions"));
        const id = read.text("id");
        read.knows("configure");
        if (read.flag("item", true)) {
          return { build: nodes.publish(node, id, item, values), read: (reply) => nodes.readPublished(reply) ?? id };
        }
        if (id !== undefined || item !== undefined) read.refuse("item", "is false only without an id and a payload");
        return { build: nodes.publishNothing(node, values), read: (reply) => nodes.readPublished(reply) };
      });
    if (!options?.configure) return once();
    return once().catch(async (error: { application?: string }) => {
      if (error.application !== "precondition-not-met") throw error;
      const { service, timeout, signal } = options;
      await this.configure(node, options.publishOptions as FormInput, { service, timeout, signal });
      return once();
    });
  }

  /**
   * Removes an item (XEP-0060 §7.2). Subscribers are notified unless `notify` is false.
   * @example
   * await client.pubsub.retract("todos", "1");
   */
  retract(node: string, id: string, options?: ServiceOption & { notify?: boolean }): Promise<void> {
    return this.#askOf("retract", node, options, (read, node) => {
      mustBeText("retract", 2, id);
      return { build: nodes.retract(node, id, read.flag("notify", true)), read: nothing };
    });
  }

  /**
   * Requests the items of a node (XEP-0060 §6.5): all of them, the last `max`, or those of `ids`.
   *
   * Or a part of them (XEP-0059; Prosody 0.12 does not support it, and returns all): `max` items `after` the last of the previous part, or
   * `before` the first of the next one (`""`: the last part), or from the place `index`, counted from 0. `after` and `before` are
   * `page.last` and `page.first`, which need not be ids of items.
   * @example
   * const newest = await client.pubsub.items("/blog/Post", { max: 10 });
   * for (const { id, value } of newest) console.log(id, value);
   */
  items<T = unknown>(
    node: string,
    options?: ServiceOption &
      DecodeOption<T> & {
        /** How many items, 1 or more. */
        max?: number;
        /** The items of these ids alone. */
        ids?: readonly string[];
        /** The items after this place: `page.last`. */
        after?: string;
        /** The items before this place: `page.first`; `""` for the end. */
        before?: string;
        /** The items from this place on, counted from 0. */
        index?: number;
        /** Which of several subscriptions the request is for, where the service requires it. */
        subid?: string;
      },
  ): Promise<PubsubItems<T>> {
    return this.#askOf("items", node, options, (read, node) => {
      const decode = decoderOf<T>(read);
      const range = {
        max: read.number("max", 1, 0xffff_ffff, "is a number of items, 1 or more"),
        after: read.text("after"),
        before: read.text("before"),
        index: read.number("index", 0, 0xffff_ffff, "is a place, counted from 0"),
      };
      return {
        build: nodes.items(node, range, read.list("ids"), read.text("subid")),
        read: (reply) => {
          const all = nodes.readItems(reply, node).map((item) => new ReceivedItem<T>(item, decode));
          return Object.assign(all, { page: nodes.readPage(reply) });
        },
      };
    });
  }

  /**
   * Requests one item by its id; `undefined` when the node does not hold it.
   * @example
   * const post = await client.pubsub.item("/blog/Post", "17");
   * console.log(post?.value);
   */
  item<T = unknown>(node: string, id: string, options?: ServiceOption & DecodeOption<T>): Promise<PubsubItem<T> | undefined> {
    return this.#askOf("item", node, options, (read, node) => {
      mustBeText("item", 2, id);
      const decode = decoderOf<T>(read);
      return {
        build: nodes.items(node, {}, [id], undefined),
        read: (reply) => nodes.readItems(reply, node).map((item) => new ReceivedItem<T>(item, decode))[0],
      };
    });
  }

  // ── own subscriptions and affiliations ─────────────────────────────────────────────────────────────────────────────

  /**
   * Requests this account's subscriptions at the service (XEP-0060 §5.6), or those to one node.
   * @example
   * for (const { node, state } of await client.pubsub.subscriptions()) console.log(node, state);
   */
  subscriptions(options?: ServiceOption & { node?: string }): Promise<PubsubSubscription[]> {
    return this.#ask("subscriptions", options, (read) => {
      const node = read.text("node");
      return { build: nodes.subscriptions(node), read: (reply) => nodes.readSubscriptions(reply, node) };
    });
  }

  /**
   * Requests this account's affiliations with the service's nodes (XEP-0060 §5.7), or with one, by node.
   * @example
   * const mine = await client.pubsub.affiliations();
   * if (mine["todos"] === "owner") await client.pubsub.purge("todos");
   */
  affiliations(options?: ServiceOption & { node?: string }): Promise<Record<string, PubsubAffiliation>> {
    return this.#ask("affiliations", options, (read) => ({
      build: nodes.affiliations(read.text("node")),
      read: nodes.readAffiliations,
    }));
  }

  /**
   * Requests the options of a subscription (XEP-0060 §6.3). `jid`: the JID that was subscribed, default this account's; `subid`: which of
   * several subscriptions.
   * @example
   * const { values } = await client.pubsub.options("/blog/Post");
   * console.log(values.digest);
   */
  options(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<Form> {
    return this.#askOf("options", node, options, (read, node) => ({
      build: nodes.options(node, this.#subscriber(read), read.text("subid")),
      read: nodes.readOptions,
    }));
  }

  /**
   * Changes the given options of a subscription (XEP-0060 §6.3.5); the others stay.
   * @example
   * await client.pubsub.setOptions("/blog/Post", { deliver: false });
   */
  setOptions(node: string, values: FormInput, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void> {
    return this.#askOf("setOptions", node, options, (read, node) => ({
      build: nodes.setOptions(node, this.#subscriber(read), read.text("subid"), valuesOf(read, "values", mustBeObject(values))),
      read: nothing,
    }));
  }

  /**
   * Requests the options that a subscription has by default (XEP-0060 §6.4). Neither Prosody 0.12 nor ejabberd 23 answers it.
   * @example
   * const { fields } = await client.pubsub.defaultOptions();
   */
  defaultOptions(options?: ServiceOption & { node?: string }): Promise<Form> {
    return this.#ask("defaultOptions", options, (read) => ({
      build: nodes.defaultOptions(read.text("node")),
      read: nodes.readOptions,
    }));
  }

  // ── nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Requests the service's nodes that this account may see (XEP-0060 §5.2), or those in a collection `node`.
   * @example
   * const names = (await client.pubsub.nodes()).map(({ node }) => node);
   */
  nodes(options?: ServiceOption & { node?: string }): Promise<PubsubNode[]> {
    return this.#ask("nodes", options, (read) => ({ build: nodes.nodes(read.text("node")), read: nodes.readNodes }));
  }

  /**
   * Requests what a node says about itself (XEP-0060 §5.3, §5.4). `""` stands for the service itself.
   * @example
   * const { values } = await client.pubsub.metadata("/blog/Post");
   * console.log(values.title, values.num_subscribers);
   */
  metadata(node: string, options?: ServiceOption): Promise<Metadata> {
    return this.#askOf("metadata", node, options, (_, node) => ({ build: nodes.metadata(node), read: nodes.readMetadata }));
  }

  /**
   * Creates a node (XEP-0060 §8.1) and resolves with its name, which the service chooses for `""`. Rejects with `conflict` when there is a
   * node of that name.
   * @example
   * await client.pubsub.createNode("todos", { config: { access_model: "whitelist", max_items: 100 } });
   */
  createNode(node: string, options?: ServiceOption & { config?: FormInput }): Promise<string> {
    return this.#askOf("createNode", node, options, (read, node) => ({
      build: nodes.create(node, valuesOf(read, "config", read.given("config"))),
      read: (reply) => nodes.readCreated(reply) ?? node,
    }));
  }

  /**
   * Requests the configuration of a node (XEP-0060 §8.2). For owners, as are all methods from here to `requestApprovals`.
   * @example
   * const { values } = await client.pubsub.configuration("todos");
   * console.log(values.access_model);
   */
  configuration(node: string, options?: ServiceOption): Promise<Form> {
    return this.#askOf("configuration", node, options, (_, node) => ({
      build: nodes.configuration(node),
      read: nodes.readConfiguration,
    }));
  }

  /**
   * Changes the given values of a node's configuration (XEP-0060 §8.2); the others stay.
   * @example
   * await client.pubsub.configure("todos", { access_model: "open" });
   */
  configure(node: string, values: FormInput, options?: ServiceOption): Promise<void> {
    return this.#askOf("configure", node, options, (read, node) => ({
      build: nodes.configure(node, valuesOf(read, "values", mustBeObject(values))),
      read: nothing,
    }));
  }

  /**
   * Requests the configuration that a node has by default (XEP-0060 §8.3).
   * @example
   * const { values } = await client.pubsub.defaultConfiguration();
   * console.log(values.max_items);
   */
  defaultConfiguration(options?: ServiceOption): Promise<Form> {
    return this.#ask("defaultConfiguration", options, () => ({
      build: nodes.defaultConfiguration(),
      read: nodes.readConfiguration,
    }));
  }

  /**
   * Removes all items of a node (XEP-0060 §8.5). Subscribers are notified.
   * @example
   * await client.pubsub.purge("todos");
   */
  purge(node: string, options?: ServiceOption): Promise<void> {
    return this.#askOf("purge", node, options, (_, node) => ({ build: nodes.purge(node), read: nothing }));
  }

  /**
   * Deletes a node (XEP-0060 §8.4). `redirect`: the URI (`xmpp:…`) of the node that replaces it; not every service passes it on.
   * @example
   * await client.pubsub.deleteNode("todos");
   */
  deleteNode(node: string, options?: ServiceOption & { redirect?: string }): Promise<void> {
    return this.#askOf("deleteNode", node, options, (read, node) => ({
      build: nodes.remove(node, read.text("redirect")),
      read: nothing,
    }));
  }

  /**
   * Requests the subscriptions to a node (XEP-0060 §8.8.1), those that wait for approval among them (not on ejabberd 23).
   * @example
   * const pending = (await client.pubsub.subscribers("todos")).filter(({ state }) => state === "pending");
   */
  subscribers(node: string, options?: ServiceOption): Promise<Subscriber[]> {
    return this.#askOf("subscribers", node, options, (_, node) => ({ build: nodes.subscribers(node), read: nodes.readSubscribers }));
  }

  /**
   * Changes the subscriptions of the given JIDs (XEP-0060 §8.8.2); the others stay. `"subscribed"` also approves, `"none"` also denies.
   * @example
   * await client.pubsub.setSubscribers("todos", [{ jid: "juliet@example.org", state: "subscribed" }]);
   */
  setSubscribers(node: string, subscribers: readonly SubscriberInput[], options?: ServiceOption): Promise<void> {
    return this.#askOf("setSubscribers", node, options, (_, node) => ({
      build: nodes.setSubscribers(node, subscribers),
      read: nothing,
    }));
  }

  /**
   * Requests the affiliations with a node (XEP-0060 §8.9.1), by bare JID.
   * @example
   * const owners = Object.entries(await client.pubsub.affiliates("todos")).filter(([, affiliation]) => affiliation === "owner");
   */
  affiliates(node: string, options?: ServiceOption): Promise<Record<string, PubsubAffiliation>> {
    return this.#askOf("affiliates", node, options, (_, node) => ({ build: nodes.affiliates(node), read: nodes.readAffiliates }));
  }

  /**
   * Changes the affiliations of the given JIDs with a node (XEP-0060 §8.9.2); the others stay.
   * @example
   * await client.pubsub.setAffiliates("todos", { "juliet@example.org": "publisher" });
   */
  setAffiliates(node: string, affiliations: Record<string, PubsubAffiliation>, options?: ServiceOption): Promise<void> {
    return this.#askOf("setAffiliates", node, options, (_, node) => ({
      build: nodes.setAffiliates(node, mustBeObject(affiliations)),
      read: nothing,
    }));
  }

  // ── events without a subscription ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Calls `listener` when an account wants to subscribe to a node of this account whose access model is `authorize` (XEP-0060 §8.6).
   * Requests that do not come from the `service` are ignored. Without a listener such a message goes to the handlers.
   * @example
   * client.pubsub.onApproval(({ node, jid, approve }) => {
   *   if (confirm(`May ${jid} read ${node}?`)) void approve();
   * });
   */
  onApproval(listener: (asked: Approval) => void, options?: ServiceOption): Registration {
    mustBeFunction(listener);
    const read = new Reader(options).knows("timeout", "signal");
    const service = this.#service(read);
    read.done();
    const answer = (asked: ApprovalFields, allows: boolean): Promise<void> =>
      quietly((async () => this.#hub.send(nodes.approval(asked, allows).toString()))());
    return this.#watch(
      this.#hub.call((core) => core.watchApprovals(service)),
      {
        approval: (asked) =>
          callBack(listener, { ...asked, approve: () => answer(asked, true), deny: () => answer(asked, false) }),
      },
    );
  }

  /**
   * Asks the service to send all requests again that wait for approval (XEP-0060 §8.7.2): `onApproval` receives them. Prosody 0.12 does not
   * support it.
   * @example
   * await client.pubsub.requestApprovals("todos");
   */
  requestApprovals(node: string, options?: ServiceOption): Promise<void> {
    return this.#askOf("requestApprovals", node, options, (_, node) => ({ build: nodes.requestApprovals(node), read: nothing }));
  }

  /**
   * Calls `listener` for what accounts publish about themselves on their node of that name (XEP-0163): this account, and the contacts whose
   * presence it receives. The client's presence announces the interest (XEP-0115), so it must be sent (option `presence`), and is sent again
   * when the interest changes. Then servers send the last item of each account, some of them twice; ejabberd 23 notifies of items alone.
   *
   * To publish on a node of this account, name its bare JID as `service`; to read a contact's node, name the contact's. The server vouches
   * for `from`; check it where it matters to the page which account an event is of.
   * @example
   * client.pubsub.onPersonalEvent("urn:xmpp:mood", (event) => {
   *   if (event.type === "item") console.log(event.from, event.item.payload?.text("text"));
   * });
   */
  onPersonalEvent<T = unknown>(node: string, listener: (event: PersonalEvent<T>) => void, options?: DecodeOption<T>): Registration {
    mustBeText("onPersonalEvent", 1, node);
    mustBeFunction(listener);
    const read = new Reader(options);
    const decode = decoderOf<T>(read);
    read.done();
    return this.#watch(
      this.#hub.call((core) => core.watchNode(node)),
      { personal: (event) => callBack(listener, personalEvent(event, decode)) },
    );
  }

  #watch(id: number, sink: WatchSink): Registration {
    const hub = this.#hub;
    hub.watches.set(id, sink);
    return registrationOf(() => {
      if (hub.watches.delete(id)) hub.read((core) => core.unwatch(id));
    });
  }
}

/** Creates the page's object. @internal */
export const pubSubOf = (hub: Hub): PubSub => makePubSub(hub);

const nothing = (): void => {};

const nameOf = (node: unknown): string | undefined => (typeof node === "string" ? node : undefined);

function personalEvent<T>({ item, ...event }: PersonalFields, decode: ((payload: Stanza) => T) | undefined): PersonalEvent<T> {
  return (item ? { ...event, item: new ReceivedItem<T>(item, decode) } : event) as PersonalEvent<T>;
}

/** The page's own decoder of payloads. */
function decoderOf<T>(read: Reader): ((payload: Stanza) => T) | undefined {
  return read.callable<(payload: Stanza) => T>("decode", "is a function of the payload");
}

function mustBeObject<T extends object>(value: T): T {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    throw badArgument("What is to be set is a plain object: values by name, or affiliations by JID.");
  }
  return value;
}

/** Exactly one element, to be placed within the published item. */
function payloadOf(payload: Payload): Markup {
  const text = markupOf(payload);
  if (!isXmlText(text)) throw problem("illegal-character");
  try {
    return new Markup(xmlWithin(stanzaOf(...Core.parseXml(text)), nodes.PAYLOAD_NS));
  } catch (reason) {
    throw typeof reason === "string" ? problem("bad-xml", reason) : reason;
  }
}
