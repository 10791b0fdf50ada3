// `PubSub`: what is asked of a publish-subscribe service, and what comes from one.

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

/** What can be published: `xml`, an element, XML in a string. */
export type Payload = Sendable;

export interface ServiceOption extends Waiting {
  /** The pubsub service's JID. Default: `pubsub.` and the own domain. */
  service?: string;
}

export interface FeedOptions<T = unknown> extends ServiceOption, DecodeOption<T> {
  /**
   * Goes on from there: what `feed.position` was, for the same node of the same service. What was published since arrives via
   * `"catch-up"`, no snapshot comes, and a `gap` tells where something may be missing. A position that another version of epode
   * wrote may say nothing to this one: then there is a `gap`, and the feed begins as without `since`.
   */
  since?: string;
  /**
   * Without `since`: what the node holds comes first, via `"snapshot"`. Default true. With false, the last item that a service
   * sends on subscribing is not told either.
   */
  snapshot?: boolean;
  /**
   * Whether an event is told that repeats the current revision of its item, with the same id and payload. Default false: a row
   * that is saved unchanged shows nothing, and neither does an event that a server delivers twice. With true both are told as
   * `"live"`, since they look alike. Items without a payload are always told.
   */
  repeats?: boolean;
  /**
   * How many items are looked at and kept, the newest ones: 1 to 100,000, default 1,000. As many publications are remembered
   * (8 bytes each), to know again what was had; they are in `position`, too.
   */
  limit?: number;
  /**
   * Which of the own JIDs is subscribed. With the bare one the service tells all of the account's pages that are present, and
   * the subscription outlives the session; with the full one this session alone. Default: the bare one; the full one where the
   * client is anonymous or not present.
   */
  jid?: "bare" | "full";
  /** Options of the subscription (pubsub#subscribe_options), with or without the prefix `pubsub#`. */
  options?: Record<string, string | number | boolean>;
  /**
   * Gives the subscription up, which then ends at the service, too, unless another feed lives on it; so does one that is not
   * answered in time. Aborted later, closes the feed.
   */
  signal?: AbortSignal;
}

/** Somebody wants to subscribe. Both answers resolve when the server has taken them. */
export interface Approval {
  /** Who asks: the service. */
  service: string;
  node: string;
  /** Who wants to subscribe. */
  jid: string;
  subid: string | undefined;
  id: string | undefined;
  approve(): Promise<void>;
  deny(): Promise<void>;
}

/** Something that an account did with one of its nodes. */
export type PersonalEvent<T = unknown> = {
  /** Whose: the account's bare JID. */
  from: string;
  node: string;
} & (
  | { type: "item"; item: PubsubItem<T>; id: string | undefined }
  | { type: "retract"; id: string }
  | { type: "purge" | "configuration" }
  | { type: "delete"; redirect: string | undefined }
);

/** How a request is made, and what is made of its reply. */
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

  /** The service that the options name, or the usual one of the own domain. */
  #service(read: Reader): string {
    return read.jid("service") ?? normalJid(`pubsub.${this.#hub.call((core) => core.domain)}`);
  }

  /** Whose subscription is meant: the one named, or the one that we subscribe with. */
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

  /** Asks about what the options name: a node, or the service. */
  #ask<T>(operation: string, options: ServiceOption & { node?: string } | undefined, prepare: (read: Reader) => Asked<T>): Promise<T> {
    const place: Place = { node: nameOf(options?.node) };
    return locating(operation, place, () => this.#request(options, place, prepare));
  }

  /** Asks about a node. */
  #askOf<T>(operation: string, node: unknown, options: unknown, prepare: (read: Reader, node: string) => Asked<T>): Promise<T> {
    const place: Place = { node: nameOf(node) };
    return locating(operation, place, () => {
      mustBeText(operation, 1, node);
      return this.#request(options, place, (read) => prepare(read, node));
    });
  }

  // ── feeds ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Subscribes to a node, and resolves when the service has agreed. `onItem` is called for each item: first for those that the
   * node holds, then for what is published; so are the feed's listeners. Rejects with what the service says, say condition
   * `item-not-found` or `not-authorized`. `timeout` is for its answer.
   */
  subscribe<T = unknown>(node: string, onItem: (item: PubsubItem<T>) => void, options?: FeedOptions<T>): Promise<Feed<T>>;
  subscribe<T = unknown>(node: string, options?: FeedOptions<T>): Promise<Feed<T>>;
  subscribe<T = unknown>(node: string, first?: unknown, second?: FeedOptions<T>): Promise<Feed<T>> {
    const place: Place = { node: nameOf(node) };
    return locating("subscribe", place, async () => {
      mustBeText("subscribe", 1, node);
      // The callback may be left out.
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
    if (signal) feed.heed(signal);
    return feed;
  }

  /** Removes a subscription by node: one without a `Feed`, say of an earlier visit. */
  unsubscribe(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void> {
    return this.#askOf("unsubscribe", node, options, (read, node) => ({
      build: nodes.unsubscribe(node, this.#subscriber(read), read.text("subid")),
      read: nothing,
    }));
  }

  // ── items ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Publishes one item, resolves with its id (chosen by the service when none is given). `null` is an item without a payload,
   * for nodes that only notify; with `item: false` not even an item is sent, as nodes want it that keep none (XEP-0060 §7.1).
   *
   * `publishOptions`: how the node has to be configured, which a node made by publishing then is. Without them such a node of
   * an account is open to all its contacts. Where the node is configured otherwise, the promise rejects with `application`
   * `"precondition-not-met"`; with `configure`, an owner's node is configured that way first, and the item published then.
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

  /** Removes an item; subscribers are told unless `notify` is false. */
  retract(node: string, id: string, options?: ServiceOption & { notify?: boolean }): Promise<void> {
    return this.#askOf("retract", node, options, (read, node) => {
      mustBeText("retract", 2, id);
      return { build: nodes.retract(node, id, read.flag("notify", true)), read: nothing };
    });
  }

  /**
   * What the node holds: all of it, the last `max`, or those of `ids`. Or a part of it, where the service knows parts
   * (XEP-0059; Prosody 0.12 does not, and gives everything): `max` items `after` the last of the part before, or `before` the
   * first of the part after (`""`: the end of all), or from the place `index` on, counted from 0. `after` and `before` are
   * `page.last` and `page.first`, which need not be ids of items.
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
        /** Which of several subscriptions it is for, where the service wants to know. */
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

  /** One item by its id; `undefined` when the node does not hold it. */
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

  // ── what is ours ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Our own subscriptions at the service, or those to one node. */
  subscriptions(options?: ServiceOption & { node?: string }): Promise<PubsubSubscription[]> {
    return this.#ask("subscriptions", options, (read) => {
      const node = read.text("node");
      return { build: nodes.subscriptions(node), read: (reply) => nodes.readSubscriptions(reply, node) };
    });
  }

  /** What we are at the service's nodes (or at one), by node. */
  affiliations(options?: ServiceOption & { node?: string }): Promise<Record<string, PubsubAffiliation>> {
    return this.#ask("affiliations", options, (read) => ({
      build: nodes.affiliations(read.text("node")),
      read: nodes.readAffiliations,
    }));
  }

  /** The options of a subscription: ours, or that of the `jid` that was subscribed; `subid` where there are several. */
  options(node: string, options?: ServiceOption & { jid?: string; subid?: string }): Promise<Form> {
    return this.#askOf("options", node, options, (read, node) => ({
      build: nodes.options(node, this.#subscriber(read), read.text("subid")),
      read: nodes.readOptions,
    }));
  }

  /** Changes options of a subscription: those given. */
  setOptions(node: string, values: FormInput, options?: ServiceOption & { jid?: string; subid?: string }): Promise<void> {
    return this.#askOf("setOptions", node, options, (read, node) => ({
      build: nodes.setOptions(node, this.#subscriber(read), read.text("subid"), valuesOf(read, "values", mustBeObject(values))),
      read: nothing,
    }));
  }

  /** The options of a subscription that says nothing about them. Neither Prosody 0.12 nor ejabberd 23 tells. */
  defaultOptions(options?: ServiceOption & { node?: string }): Promise<Form> {
    return this.#ask("defaultOptions", options, (read) => ({
      build: nodes.defaultOptions(read.text("node")),
      read: nodes.readOptions,
    }));
  }

  // ── nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The service's nodes, as far as we may see them; or those in a collection. */
  nodes(options?: ServiceOption & { node?: string }): Promise<PubsubNode[]> {
    return this.#ask("nodes", options, (read) => ({ build: nodes.nodes(read.text("node")), read: nodes.readNodes }));
  }

  /** What a node says about itself; `""`: what the service itself is and can do. */
  metadata(node: string, options?: ServiceOption): Promise<Metadata> {
    return this.#askOf("metadata", node, options, (_, node) => ({ build: nodes.metadata(node), read: nodes.readMetadata }));
  }

  /** Creates a node, resolves with its name (chosen by the service for `""`). `config`: how it is to be configured. */
  createNode(node: string, options?: ServiceOption & { config?: FormInput }): Promise<string> {
    return this.#askOf("createNode", node, options, (read, node) => ({
      build: nodes.create(node, valuesOf(read, "config", read.given("config"))),
      read: (reply) => nodes.readCreated(reply) ?? node,
    }));
  }

  /** How a node is configured. For its owners, as is all that follows. */
  configuration(node: string, options?: ServiceOption): Promise<Form> {
    return this.#askOf("configuration", node, options, (_, node) => ({
      build: nodes.configuration(node),
      read: nodes.readConfiguration,
    }));
  }

  /** Configures a node: what is given; the rest stays as it is. */
  configure(node: string, values: FormInput, options?: ServiceOption): Promise<void> {
    return this.#askOf("configure", node, options, (read, node) => ({
      build: nodes.configure(node, valuesOf(read, "values", mustBeObject(values))),
      read: nothing,
    }));
  }

  /** How a node is configured whose maker says nothing about it. */
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

  /** Removes a node. `redirect`: the address (`xmpp:…`) of the one that takes its place; not every service passes it on. */
  deleteNode(node: string, options?: ServiceOption & { redirect?: string }): Promise<void> {
    return this.#askOf("deleteNode", node, options, (read, node) => ({
      build: nodes.remove(node, read.text("redirect")),
      read: nothing,
    }));
  }

  /** Who is subscribed to a node, or waits to be (whom ejabberd does not tell). */
  subscribers(node: string, options?: ServiceOption): Promise<Subscriber[]> {
    return this.#askOf("subscribers", node, options, (_, node) => ({ build: nodes.subscribers(node), read: nodes.readSubscribers }));
  }

  /** Changes the subscriptions of those named: `"subscribed"` also approves, `"none"` also denies. The others stay as they are. */
  setSubscribers(node: string, subscribers: readonly SubscriberInput[], options?: ServiceOption): Promise<void> {
    return this.#askOf("setSubscribers", node, options, (_, node) => ({
      build: nodes.setSubscribers(node, subscribers),
      read: nothing,
    }));
  }

  /** Who may do what with a node, by bare JID. */
  affiliates(node: string, options?: ServiceOption): Promise<Record<string, PubsubAffiliation>> {
    return this.#askOf("affiliates", node, options, (_, node) => ({ build: nodes.affiliates(node), read: nodes.readAffiliates }));
  }

  /** Changes it for those named. */
  setAffiliates(node: string, affiliations: Record<string, PubsubAffiliation>, options?: ServiceOption): Promise<void> {
    return this.#askOf("setAffiliates", node, options, (_, node) => ({
      build: nodes.setAffiliates(node, mustBeObject(affiliations)),
      read: nothing,
    }));
  }

  // ── what comes without a subscription ──────────────────────────────────────────────────────────────────────────────

  /**
   * Calls `listener` when somebody wants to subscribe to a node of ours that asks its owner (access model `authorize`). Only
   * what the `service` itself asks counts. Without a listener such a question goes to the handlers, as any message does.
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

  /** Has the service ask again about all who wait: `onApproval` hears it. Not on Prosody. */
  requestApprovals(node: string, options?: ServiceOption): Promise<void> {
    return this.#askOf("requestApprovals", node, options, (_, node) => ({ build: nodes.requestApprovals(node), read: nothing }));
  }

  /**
   * Calls `listener` for what accounts publish about themselves on their node of that name (XEP-0163): our own account, and
   * those whose presence we get. Our presence asks for it, so it has to be sent (`presence`); it is sent again when that
   * changes. On coming, servers send the last item of each account, some twice; ejabberd tells of items alone. Publish to a node of one's own by naming the own bare JID
   * as `service`, and read a contact's by naming theirs. `from` is as the server says; whether it matters to you, is yours.
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

/** The page's object. @internal */
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

/** Exactly one element, as it stands within what is published. */
function payloadOf(payload: Payload): Markup {
  const text = markupOf(payload);
  if (!isXmlText(text)) throw problem("illegal-character");
  try {
    return new Markup(xmlWithin(stanzaOf(Core.parseXml(text)), nodes.PAYLOAD_NS));
  } catch (reason) {
    throw typeof reason === "string" ? problem("bad-xml", reason) : reason;
  }
}
