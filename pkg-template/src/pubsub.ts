// `PubSub`: requests to a publish-subscribe service, and its events.

import { Core } from "./core.js";
import { aborted, badArgument, problem } from "./errors.js";
import { type Registration, callBack, mustBeFunction, registrationOf } from "./events.js";
import { type Feed, FeedState, feedOf } from "./feed.js";
import { type Form, type FormInput, valuesOf } from "./form.js";
import type { ApprovalFields, Hub, PersonalFields, WatchSink } from "./hub.js";
import { type DecodeOption, type PubsubItem, ReceivedItem } from "./item.js";
import { normalJid } from "./jid.js";
import { locating } from "./located.js";
import * as nodes from "./nodes.js";
import type { Metadata, PubsubAffiliation, PubsubItems, PubsubNode, PubsubSubscription, Subscriber, SubscriberInput } from "./nodes.js";
import { Reader } from "./reader.js";
import { type Stanza, stanzaOf, xmlWithin } from "./stanza.js";
import { type Waiting, quietly } from "./waiting.js";
import { Markup, type Sendable, isXmlText, markupOf, mustBeText } from "./xml.js";

/** The types that can be published: `xml`, an element, XML in a string. */
export type Payload = Sendable;

export interface ServiceOption extends Waiting {
  /** The pubsub service's JID. Default: `pubsub.` followed by the own domain. */
  service?: string;
}

export interface FeedOptions<T = unknown> extends ServiceOption, DecodeOption<T> {
  /**
   * Continues from that position: an earlier `feed.position` for the same node of the same service. Items published
   * since then arrive via `"catch-up"`, without a snapshot, and a `gap` reports missing items. A position written by
   * another version of epode may be unreadable: then there is a `gap`, and the feed begins as without `since`.
   */
  since?: string;
  /**
   * Without `since`: the node's items come first, via `"snapshot"`. Default true. With false, the last item that a
   * service sends on subscribing is not reported either.
   */
  snapshot?: boolean;
  /**
   * Whether to report an event that repeats the current revision of its item, with the same id and payload. Default
   * false: saving an unchanged row causes no event, and neither does an event that a server delivers twice. With true
   * both are reported as `"live"`, since they look alike. Items without a payload are always reported.
   */
  repeats?: boolean;
  /**
   * The number of items that are fetched and kept, the newest ones: 1 to 100,000, default 1,000. As many publications
   * are remembered (8 bytes each) to recognise repeated items; they are part of `position`, too.
   */
  limit?: number;
  /**
   * The subscribed JID. With the bare one the service notifies all of the account's available pages, and the
   * subscription outlives the session; with the full one only this session. Default: the bare one; the full one if the
   * client is anonymous or unavailable.
   */
  jid?: "bare" | "full";
  /** Options of the subscription (pubsub#subscribe_options), with or without the prefix `pubsub#`. */
  options?: Record<string, string | number | boolean>;
  /**
   * Cancels the pending subscription, which then ends at the service, too, unless another feed uses it; so does a
   * subscription that is not answered in time. Aborting later closes the feed.
   */
  signal?: AbortSignal;
}

/** An entity's request to subscribe. Both answers resolve when the server has received them. */
export interface Approval {
  /** The service that sent the request. */
  service: string;
  node: string;
  /** The entity that wants to subscribe. */
  jid: string;
  subid: string | undefined;
  id: string | undefined;
  approve(): Promise<void>;
  deny(): Promise<void>;
}

/** An account's change of one of its nodes. */
export type PersonalEvent<T = unknown> = {
  /** The account, a bare JID. */
  from: string;
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

/** Publish-subscribe over one client's connection. */
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

  /** Sends a request to the service in the options; `prepare` reads the other options. */
  async #request<T>(options: unknown, prepare: (read: Reader) => Asked<T>): Promise<T> {
    const read = new Reader(options);
    const service = this.#service(read);
    const { build, read: readReply } = prepare(read);
    const waiting = { timeout: read.millis("timeout"), signal: read.signal() };
    read.done();
    return readReply(await this.#hub.request(build(service).toString(), waiting));
  }

  /** Sends a request about the node or the service in the options. */
  #ask<T>(operation: string, options: ServiceOption & { node?: string } | undefined, prepare: (read: Reader) => Asked<T>): Promise<T> {
    return locating(operation, options?.node ?? options?.service, () => this.#request(options, prepare));
  }

  /** Sends a request about a node. */
  #askOf<T>(operation: string, node: unknown, options: unknown, prepare: (read: Reader, node: string) => Asked<T>): Promise<T> {
    return locating(operation, node, () => {
      mustBeText(operation, 1, node);
      return this.#request(options, (read) => prepare(read, node));
    });
  }

  // ── feeds ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Subscribes to a node; resolves when the service has accepted. `onItem` is called for each item: first for the
   * node's items, then for newly published ones; the feed's listeners are called, too. Rejects with the service's
   * error, for example condition `item-not-found` or `not-authorized`. `timeout` limits the wait for the reply.
   */
  subscribe<T = unknown>(node: string, onItem: (item: PubsubItem<T>) => void, options?: FeedOptions<T>): Promise<Feed<T>>;
  subscribe<T = unknown>(node: string, options?: FeedOptions<T>): Promise<Feed<T>>;
  subscribe<T = unknown>(node: string, first?: unknown, second?: FeedOptions<T>): Promise<Feed<T>> {
    return locating("subscribe", node, async () => {
      mustBeText("subscribe", 1, node);
      // The callback is optional.
      const isLeftOut = typeof first === "object" && first !== null;
      const [onItem, options] = isLeftOut ? [undefined, first] : [first, second];
      const feed = this.#start<T>(node, onItem, options);
      try {
        await feed.first.promise;
      } catch (error) {
        throw error ?? problem("no-connection-left");
      }
      return feedOf(feed);
    });
  }

  /** Begins a feed; invalid options are reported first. */
  #start<T>(node: string, onItem: unknown, options: unknown): FeedState<T> {
    const read = new Reader(options);
    if (!isXmlText(node)) throw problem("illegal-character");
    const service = this.#service(read);
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

  /** Removes a subscription by node: one without a `Feed`, for example of an earlier visit. */
  unsubscribe(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void> {
    return this.#askOf("unsubscribe", node, options, (read, node) => ({
      build: nodes.unsubscribe(node, this.#subscriber(read), read.text("subid")),
      read: nothing,
    }));
  }

  // ── items ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Publishes one item; resolves with its id (chosen by the service if you give none). `null` is an item without a
   * payload, for nodes that only notify; with `item: false` no item is sent, as nodes that keep no items require
   * (XEP-0060 §7.1).
   *
   * `publishOptions`: the required configuration of the node, which also configures a node created by publishing.
   * Without them such a node of an account is open to all its contacts. If the node is configured differently, the
   * promise rejects with `application` `"precondition-not-met"`; with `configure`, an owner's node is reconfigured
   * first, and the item is published then.
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

  /** Removes an item; subscribers are notified unless `notify` is false. */
  retract(node: string, id: string, options?: ServiceOption & { notify?: boolean }): Promise<void> {
    return this.#askOf("retract", node, options, (read, node) => {
      mustBeText("retract", 2, id);
      return { build: nodes.retract(node, id, read.flag("notify", true)), read: nothing };
    });
  }

  /**
   * The node's items: all of them, the last `max`, or those of `ids`. Or a page of them if the service supports paging
   * (XEP-0059; Prosody 0.12 does not, and returns all): `max` items `after` the last of the previous page, or `before`
   * the first of the next page (`""`: the last page), or from position `index` on, counted from 0. `after` and `before`
   * are `page.last` and `page.first`, which need not be ids of items.
   */
  items<T = unknown>(
    node: string,
    options?: ServiceOption &
      DecodeOption<T> & {
        max?: number;
        ids?: readonly string[];
        after?: string;
        before?: string;
        index?: number;
        /** Which of several subscriptions the request is for, if the service requires it. */
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

  /** One item by its id; `undefined` if the node does not have it. */
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

  /** The own subscriptions at the service, or those to one node. */
  subscriptions(options?: ServiceOption & { node?: string }): Promise<PubsubSubscription[]> {
    return this.#ask("subscriptions", options, (read) => {
      const node = read.text("node");
      return { build: nodes.subscriptions(node), read: (reply) => nodes.readSubscriptions(reply, node) };
    });
  }

  /** The own affiliations at the service's nodes (or at one), by node. */
  affiliations(options?: ServiceOption & { node?: string }): Promise<Record<string, PubsubAffiliation>> {
    return this.#ask("affiliations", options, (read) => ({
      build: nodes.affiliations(read.text("node")),
      read: nodes.readAffiliations,
    }));
  }

  /** The options of a subscription: of the own JID, or of the subscribed `jid`; `subid` if there are several. */
  options(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<Form> {
    return this.#askOf("options", node, options, (read, node) => ({
      build: nodes.options(node, this.#subscriber(read), read.text("subid")),
      read: nodes.readOptions,
    }));
  }

  /** Changes the given options of a subscription. */
  setOptions(node: string, values: FormInput, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void> {
    return this.#askOf("setOptions", node, options, (read, node) => ({
      build: nodes.setOptions(node, this.#subscriber(read), read.text("subid"), valuesOf(read, "values", mustBeObject(values))),
      read: nothing,
    }));
  }

  /** The default options of subscriptions. Neither Prosody 0.12 nor ejabberd 23 supports this. */
  defaultOptions(options?: ServiceOption & { node?: string }): Promise<Form> {
    return this.#ask("defaultOptions", options, (read) => ({
      build: nodes.defaultOptions(read.text("node")),
      read: nodes.readOptions,
    }));
  }

  // ── nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The service's nodes that you may see; or those in a collection. */
  nodes(options?: ServiceOption & { node?: string }): Promise<PubsubNode[]> {
    return this.#ask("nodes", options, (read) => ({ build: nodes.nodes(read.text("node")), read: nodes.readNodes }));
  }

  /** The disco#info of a node; `""`: that of the service itself. */
  metadata(node: string, options?: ServiceOption): Promise<Metadata> {
    return this.#askOf("metadata", node, options, (_, node) => ({ build: nodes.metadata(node), read: nodes.readMetadata }));
  }

  /** Creates a node; resolves with its name (chosen by the service for `""`). `config`: its configuration. */
  createNode(node: string, options?: ServiceOption & { config?: FormInput }): Promise<string> {
    return this.#askOf("createNode", node, options, (read, node) => ({
      build: nodes.create(node, valuesOf(read, "config", read.given("config"))),
      read: (reply) => nodes.readCreated(reply) ?? node,
    }));
  }

  /** The configuration of a node. For its owners, as are all following methods. */
  configuration(node: string, options?: ServiceOption): Promise<Form> {
    return this.#askOf("configuration", node, options, (_, node) => ({
      build: nodes.configuration(node),
      read: nodes.readConfiguration,
    }));
  }

  /** Changes the given fields of a node's configuration. */
  configure(node: string, values: FormInput, options?: ServiceOption): Promise<void> {
    return this.#askOf("configure", node, options, (read, node) => ({
      build: nodes.configure(node, valuesOf(read, "values", mustBeObject(values))),
      read: nothing,
    }));
  }

  /** The default configuration of nodes. */
  defaultConfiguration(options?: ServiceOption): Promise<Form> {
    return this.#ask("defaultConfiguration", options, () => ({
      build: nodes.defaultConfiguration(),
      read: nodes.readConfiguration,
    }));
  }

  /** Removes all items. */
  purge(node: string, options?: ServiceOption): Promise<void> {
    return this.#askOf("purge", node, options, (_, node) => ({ build: nodes.purge(node), read: nothing }));
  }

  /** Removes a node. `redirect`: the address (`xmpp:…`) of its replacement; not every service passes it on. */
  deleteNode(node: string, options?: ServiceOption & { redirect?: string }): Promise<void> {
    return this.#askOf("deleteNode", node, options, (read, node) => ({
      build: nodes.remove(node, read.text("redirect")),
      read: nothing,
    }));
  }

  /** The subscribers of a node, including pending ones (which ejabberd leaves out). */
  subscribers(node: string, options?: ServiceOption): Promise<Subscriber[]> {
    return this.#askOf("subscribers", node, options, (_, node) => ({ build: nodes.subscribers(node), read: nodes.readSubscribers }));
  }

  /**
   * Changes the listed subscriptions: `"subscribed"` also approves, `"none"` also denies. The others are not changed.
   */
  setSubscribers(node: string, subscribers: readonly SubscriberInput[], options?: ServiceOption): Promise<void> {
    return this.#askOf("setSubscribers", node, options, (_, node) => ({
      build: nodes.setSubscribers(node, subscribers),
      read: nothing,
    }));
  }

  /** The affiliations of a node, by bare JID. */
  affiliates(node: string, options?: ServiceOption): Promise<Record<string, PubsubAffiliation>> {
    return this.#askOf("affiliates", node, options, (_, node) => ({ build: nodes.affiliates(node), read: nodes.readAffiliates }));
  }

  /** Changes the listed affiliations. */
  setAffiliates(node: string, affiliations: Record<string, PubsubAffiliation>, options?: ServiceOption): Promise<void> {
    return this.#askOf("setAffiliates", node, options, (_, node) => ({
      build: nodes.setAffiliates(node, mustBeObject(affiliations)),
      read: nothing,
    }));
  }

  // ── events without a subscription ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Calls `listener` when an entity wants to subscribe to an own node that requires approval (access model
   * `authorize`). Only requests that the `service` itself sends are accepted. Without a listener such a request goes to
   * the handlers, as any message does.
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
   * Makes the service repeat its requests about all pending subscriptions, for `onApproval`. Not supported by Prosody.
   */
  requestApprovals(node: string, options?: ServiceOption): Promise<void> {
    return this.#askOf("requestApprovals", node, options, (_, node) => ({ build: nodes.requestApprovals(node), read: nothing }));
  }

  /**
   * Calls `listener` for the events that accounts publish on their node of that name (XEP-0163): the own account, and
   * those whose presence you receive. The own presence requests these events, so it must be sent (`presence`); it is
   * sent again when the watched nodes change. When you become available, servers send the last item of each account,
   * some twice; ejabberd reports items only. To publish to an own node, pass the own bare JID as `service`; to read a
   * contact's node, pass the contact's. `from` is the sender that the server reports; you decide whether to trust it.
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
    return new Markup(xmlWithin(stanzaOf(Core.parseXml(text)), nodes.PAYLOAD_NS));
  } catch (reason) {
    throw typeof reason === "string" ? problem("bad-xml", reason) : reason;
  }
}
