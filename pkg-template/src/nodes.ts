// Requests to a pubsub service about nodes and items, and their replies: builds requests and reads replies. No state.
// Specification: XEP-0060 1.30.0, XEP-0030 2.5.0, XEP-0059 1.0.
// Left out: requesting the nodes with pending subscriptions (XEP-0060 §8.7.1), and collections (XEP-0248).

import { badArgument } from "./errors.js";
import { type Form, type Values, readForm, submission } from "./form.js";
import { type ItemFields, type PubsubItem } from "./item.js";
import { normalJid } from "./jid.js";
import { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { type Xml, xml } from "./xml.js";

const PUBSUB = "http://jabber.org/protocol/pubsub";
const OWNER = "http://jabber.org/protocol/pubsub#owner";
const COMMANDS = "http://jabber.org/protocol/commands";
const DISCO_INFO = "http://jabber.org/protocol/disco#info";
const DISCO_ITEMS = "http://jabber.org/protocol/disco#items";
const RSM = "http://jabber.org/protocol/rsm";
const AUTHORIZATION = "http://jabber.org/protocol/pubsub#subscribe_authorization";
const NODE_CONFIG = "http://jabber.org/protocol/pubsub#node_config";
const SUBSCRIBE_OPTIONS = "http://jabber.org/protocol/pubsub#subscribe_options";
const PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options";

/**
 * The items that were requested, and which part of the node they are.
 * @example
 * const items = await client.pubsub.items("/blog/Post", { max: 10, before: "" });
 * console.log(items.length, items.page?.count);
 */
export type PubsubItems<T = unknown> = PubsubItem<T>[] & {
  /** Which part of the node the items are (XEP-0059); `undefined` when the service does not say. */
  page: Page | undefined;
};

/**
 * A part of a list (XEP-0059 §2).
 * @example
 * const { page } = await client.pubsub.items("/blog/Post", { max: 10 });
 * const next = await client.pubsub.items("/blog/Post", { max: 10, after: page?.last });
 */
export interface Page {
  /** Where the part begins, for `before`: the service's own text, not always an item's id. `undefined` when the part is empty. */
  first: string | undefined;
  /** Where the part ends, for `after`: the service's own text, not always an item's id. `undefined` when the part is empty. */
  last: string | undefined;
  /** The place of the first entry in the whole list, counted from 0. */
  index: number | undefined;
  /** The number of entries of the whole list. */
  count: number | undefined;
}

/**
 * The state of a subscription (XEP-0060 §4.2): `pending` waits for the owner's approval, `unconfigured` for options.
 * @example
 * const [subscription] = await client.pubsub.subscriptions({ node: "/blog/Post" });
 * const state: SubscriptionState = subscription?.state ?? "none";
 */
export type SubscriptionState = "none" | "pending" | "unconfigured" | "subscribed";
/**
 * What an account may do with a node (XEP-0060 §4.1).
 * @example
 * const juliet: PubsubAffiliation = "publisher";
 * await client.pubsub.setAffiliates("todos", { "juliet@example.org": juliet });
 */
export type PubsubAffiliation = "owner" | "publisher" | "publish-only" | "member" | "outcast" | "none";

/**
 * A subscription of this account.
 * @example
 * const all: PubsubSubscription[] = await client.pubsub.subscriptions();
 * for (const { node, jid, state } of all) console.log(node, jid, state);
 */
export interface PubsubSubscription {
  /** The node; `undefined` where the service leaves it out. */
  node: string | undefined;
  /** The subscribed JID, as the service stores it. */
  jid: string;
  /** Which of several subscriptions of one JID it is (XEP-0060 §12.4), where the service gives them ids. */
  subid: string | undefined;
  /** The state of the subscription. */
  state: SubscriptionState;
}

/**
 * A subscription to a node that this account owns.
 * @example
 * const all: Subscriber[] = await client.pubsub.subscribers("todos");
 * const waiting = all.filter(({ state }) => state === "pending");
 */
export type Subscriber = Omit<PubsubSubscription, "node">;
/**
 * A subscription that an owner sets.
 * @example
 * const approved: SubscriberInput = { jid: "juliet@example.org", state: "subscribed" };
 * await client.pubsub.setSubscribers("todos", [approved]);
 */
export type SubscriberInput = { jid: string; state: SubscriptionState; subid?: string };

/**
 * A node of a service.
 * @example
 * const all: PubsubNode[] = await client.pubsub.nodes();
 * for (const { node, name } of all) console.log(node, name ?? "");
 */
export interface PubsubNode {
  /** The name by which the node is addressed. */
  node: string;
  /** A name for people, where the service has one. */
  name: string | undefined;
  /** The JID of the service that holds the node. */
  jid: string;
}

/**
 * What a node or a service says about itself (XEP-0030 §3, XEP-0060 §5.4).
 * @example
 * const { features }: Metadata = await client.pubsub.metadata("");
 * if (!features.includes("http://jabber.org/protocol/pubsub#create-nodes")) console.log("an operator has to create the nodes");
 */
export interface Metadata extends Form {
  /** What it is, for example category `pubsub`, type `leaf`. */
  identities: { category: string; type: string; name: string | undefined }[];
  /** What it can do, as namespaces. */
  features: string[];
}

/** A request to a service. @internal */
export type Request = (service: string) => Xml;

const get =
  (payload: Xml): Request =>
  (service) =>
    xml`<iq xmlns="jabber:client" type="get" to="${service}">${payload}</iq>`;
const set =
  (payload: Xml): Request =>
  (service) =>
    xml`<iq xmlns="jabber:client" type="set" to="${service}">${payload}</iq>`;
const pubsub = (...content: unknown[]): Xml => xml`<pubsub xmlns="${PUBSUB}">${content}</pubsub>`;
const owner = (...content: unknown[]): Xml => xml`<pubsub xmlns="${OWNER}">${content}</pubsub>`;

// ── items ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const publishOptions = (values: Values): unknown =>
  values.length > 0 && xml`<publish-options>${submission(PUBLISH_OPTIONS, values)}</publish-options>`;

/** Publishes one item. @internal */
export const publish = (node: string, id: string | undefined, payload: unknown, options: Values): Request =>
  set(pubsub(xml`<publish node="${node}"><item id="${id}">${payload}</item></publish>`, publishOptions(options)));

/** Notifies without an item, as nodes that keep no items require (XEP-0060 §7.1). @internal */
export const publishNothing = (node: string, options: Values): Request =>
  set(pubsub(xml`<publish node="${node}"/>`, publishOptions(options)));

/** The namespace around the published element. @internal */
export const PAYLOAD_NS = PUBSUB;

/** Removes an item. @internal */
export const retract = (node: string, id: string, notifies: boolean): Request =>
  set(pubsub(xml`<retract node="${node}" notify="${notifies && "true"}"><item id="${id}"/></retract>`));

/** The requested items. @internal */
export interface ItemRange {
  max?: number | undefined;
  after?: string | undefined;
  before?: string | undefined;
  index?: number | undefined;
}

/** Requests a node's items: all, the last ones, those with these ids, or a page. @internal */
export function items(node: string, range: ItemRange, ids: readonly string[], subid: string | undefined): Request {
  const { max, after, before, index } = range;
  if (after === undefined && before === undefined && index === undefined) {
    return get(pubsub(xml`<items node="${node}" max_items="${max}" subid="${subid}">${ids.map((id) => xml`<item id="${id}"/>`)}</items>`));
  }
  const part = [
    max !== undefined && xml`<max>${max}</max>`,
    after !== undefined && xml`<after>${after}</after>`,
    before !== undefined && xml`<before>${before}</before>`,
    index !== undefined && xml`<index>${index}</index>`,
  ];
  return get(pubsub(xml`<items node="${node}" subid="${subid}"/>`, xml`<set xmlns="${RSM}">${part}</set>`));
}

const child = (reply: Stanza, ns: string, name: string): Stanza | undefined => reply.child("pubsub", ns)?.child(name, ns);

/** The id of the published item, if the service includes it. @internal */
export const readPublished = (reply: Stanza): string | undefined => child(reply, PUBSUB, "publish")?.child("item", PUBSUB)?.attr("id");

/** The items of a reply. @internal */
export function readItems(reply: Stanza, node: string): ItemFields[] {
  const list = child(reply, PUBSUB, "items")?.children("item", PUBSUB) ?? [];
  return list.map((item) => ({
    id: item.attr("id"),
    node,
    payload: item.children()[0],
    publisher: item.attr("publisher"),
    time: Number.NaN,
    via: "items",
  }));
}

/** The page of the whole list. @internal */
export function readPage(reply: Stanza): Page | undefined {
  const part = reply.child("pubsub", PUBSUB)?.child("set", RSM);
  if (!part) return undefined;
  const first = part.child("first", RSM);
  // An empty position means none: `<before/>` requests the last page (XEP-0059 §2.5).
  return {
    first: first?.text() || undefined,
    last: part.text("last", RSM) || undefined,
    index: countOf(first?.attr("index")),
    count: countOf(part.text("count", RSM)),
  };
}

function countOf(text: string | undefined): number | undefined {
  const count = /^\s*\+?(\d{1,10})\s*$/.exec(text ?? "")?.[1];
  return count === undefined || Number(count) > 0xffff_ffff ? undefined : Number(count);
}

// ── own subscriptions and affiliations ───────────────────────────────────────────────────────────────────────────────

/** Ends a subscription. @internal */
export const unsubscribe = (node: string, jid: string, subid: string | undefined): Request =>
  set(pubsub(xml`<unsubscribe node="${node}" jid="${jid}" subid="${subid}"/>`));

/** Requests the own subscriptions, or those to one node. @internal */
export const subscriptions = (node: string | undefined): Request => get(pubsub(xml`<subscriptions node="${node}"/>`));

/** Requests the own affiliations at the service's nodes, or at one. @internal */
export const affiliations = (node: string | undefined): Request => get(pubsub(xml`<affiliations node="${node}"/>`));

/** Requests the options of a subscription. @internal */
export const options = (node: string, jid: string, subid: string | undefined): Request =>
  get(pubsub(xml`<options node="${node}" jid="${jid}" subid="${subid}"/>`));

/** Changes options of a subscription. @internal */
export const setOptions = (node: string, jid: string, subid: string | undefined, values: Values): Request =>
  set(pubsub(xml`<options node="${node}" jid="${jid}" subid="${subid}">${submission(SUBSCRIBE_OPTIONS, values)}</options>`));

/** Requests the default options of a subscription. @internal */
export const defaultOptions = (node: string | undefined): Request => get(pubsub(xml`<default node="${node}"/>`));

const STATES: readonly string[] = ["none", "pending", "unconfigured", "subscribed"] satisfies SubscriptionState[];

function readSubscription(element: Stanza): PubsubSubscription {
  const state = element.attr("subscription") ?? "";
  return {
    node: element.attr("node"),
    jid: element.attr("jid") ?? "",
    subid: element.attr("subid"),
    // Only old services leave out the state; the subscription then exists.
    state: (STATES.includes(state) ? state : "subscribed") as SubscriptionState,
  };
}

/**
 * The own subscriptions. COMPAT(ejabberd): `asked` about one node, it does not name that node in the reply. @internal
 */
export function readSubscriptions(reply: Stanza, asked: string | undefined): PubsubSubscription[] {
  const list = child(reply, PUBSUB, "subscriptions")?.children("subscription", PUBSUB) ?? [];
  return list.map(readSubscription).map((one) => ({ ...one, node: one.node ?? asked }));
}

function recordOf(list: Stanza[], name: string): Record<string, PubsubAffiliation> {
  const record = Object.create(null) as Record<string, PubsubAffiliation>;
  for (const one of list) record[one.attr(name) ?? ""] = (one.attr("affiliation") ?? "") as PubsubAffiliation;
  return record;
}

/** The own affiliations by node. @internal */
export const readAffiliations = (reply: Stanza): Record<string, PubsubAffiliation> =>
  recordOf(child(reply, PUBSUB, "affiliations")?.children("affiliation", PUBSUB) ?? [], "node");

/** The options of a subscription. @internal */
export const readOptions = (reply: Stanza): Form => readForm(child(reply, PUBSUB, "options") ?? child(reply, PUBSUB, "default"));

// ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Requests the service's nodes, or those in a collection. @internal */
export const nodes = (node: string | undefined): Request => get(xml`<query xmlns="${DISCO_ITEMS}" node="${node}"/>`);

/** Requests the disco#info of a node, or of the service itself. @internal */
export const metadata = (node: string): Request => get(xml`<query xmlns="${DISCO_INFO}" node="${node || undefined}"/>`);

/** Creates a node; the service chooses its name for `""`. @internal */
export const create = (node: string, config: Values): Request =>
  set(
    pubsub(xml`<create node="${node || undefined}"/>`, config.length > 0 && xml`<configure>${submission(NODE_CONFIG, config)}</configure>`),
  );

/** Removes a node. @internal */
export const remove = (node: string, redirect: string | undefined): Request =>
  set(owner(xml`<delete node="${node}">${redirect !== undefined && xml`<redirect uri="${redirect}"/>`}</delete>`));

/** The nodes of a reply. An entry without a node is an item. @internal */
export function readNodes(reply: Stanza): PubsubNode[] {
  const list = reply.child("query", DISCO_ITEMS)?.children("item", DISCO_ITEMS) ?? [];
  return list.flatMap((item) => {
    const [node, jid] = [item.attr("node"), item.attr("jid")];
    return node === undefined || jid === undefined ? [] : [{ node, name: item.attr("name"), jid }];
  });
}

/** The disco#info of a node or a service. @internal */
export function readMetadata(reply: Stanza): Metadata {
  const query = reply.child("query", DISCO_INFO);
  const identities = query?.children("identity", DISCO_INFO) ?? [];
  const features = query?.children("feature", DISCO_INFO) ?? [];
  return {
    ...readForm(query),
    identities: identities.map((one) => ({ category: one.attr("category") ?? "", type: one.attr("type") ?? "", name: one.attr("name") })),
    features: features.flatMap((one) => one.attr("var") ?? []),
  };
}

/** The name of a created node, if the service includes it. @internal */
export const readCreated = (reply: Stanza): string | undefined => child(reply, PUBSUB, "create")?.attr("node");

// ── for owners ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Requests the configuration of a node. @internal */
export const configuration = (node: string): Request => get(owner(xml`<configure node="${node}"/>`));

/** Configures a node. @internal */
export const configure = (node: string, values: Values): Request =>
  set(owner(xml`<configure node="${node}">${submission(NODE_CONFIG, values)}</configure>`));

/** Requests the default configuration of nodes. @internal */
export const defaultConfiguration = (): Request => get(owner(xml`<default/>`));

/** Removes all items. @internal */
export const purge = (node: string): Request => set(owner(xml`<purge node="${node}"/>`));

/** Requests the subscribers of a node. @internal */
export const subscribers = (node: string): Request => get(owner(xml`<subscriptions node="${node}"/>`));

/** Changes the listed subscriptions. @internal */
export function setSubscribers(node: string, all: unknown): Request {
  const wrong =
    "Subscribers are an array of { jid, state }, perhaps with subid; a state is none, pending, unconfigured or subscribed.";
  if (!Array.isArray(all)) throw badArgument(wrong);
  const list = all.map((one) => {
    const read = new Reader(one);
    const [jid, state, subid] = [read.text("jid"), read.text("state"), read.text("subid")];
    if (jid === undefined || state === undefined || !STATES.includes(state)) throw badArgument(wrong);
    return xml`<subscription jid="${normalJid(jid)}" subscription="${state}" subid="${subid}"/>`;
  });
  return set(owner(xml`<subscriptions node="${node}">${list}</subscriptions>`));
}

/** Requests the affiliations of a node. @internal */
export const affiliates = (node: string): Request => get(owner(xml`<affiliations node="${node}"/>`));

/** Changes the listed affiliations. @internal */
export function setAffiliates(node: string, all: object): Request {
  const read = new Reader({});
  const list = Object.entries(all).map(
    ([jid, affiliation]) => xml`<affiliation jid="${normalJid(jid)}" affiliation="${read.sendable("affiliations", affiliation)}"/>`,
  );
  return set(owner(xml`<affiliations node="${node}">${list}</affiliations>`));
}

/** Makes the service repeat its requests about all pending subscriptions (§8.7.2). @internal */
export const requestApprovals = (node: string): Request =>
  set(
    xml`<command xmlns="${COMMANDS}" node="http://jabber.org/protocol/pubsub#get-pending" action="execute">${submission(AUTHORIZATION, [["pubsub#node", [node]]])}</command>`,
  );

/** The configuration of a node. @internal */
export const readConfiguration = (reply: Stanza): Form => readForm(child(reply, OWNER, "configure") ?? child(reply, OWNER, "default"));

/** The subscribers of a node, as the service lists them. @internal */
export const readSubscribers = (reply: Stanza): Subscriber[] =>
  (child(reply, OWNER, "subscriptions")?.children("subscription", OWNER) ?? []).map(readSubscription);

/** The affiliations by JID. @internal */
export const readAffiliates = (reply: Stanza): Record<string, PubsubAffiliation> =>
  recordOf(child(reply, OWNER, "affiliations")?.children("affiliation", OWNER) ?? [], "jid");

/** Answers a request to approve a subscription (§8.6). @internal */
export function approval(
  asked: { service: string; node: string; jid: string; subid: string | undefined; id: string | undefined },
  allows: boolean,
): Xml {
  const values: Values = [
    ["pubsub#node", [asked.node]],
    ["pubsub#subscriber_jid", [asked.jid]],
    ["pubsub#allow", [String(allows)]],
  ];
  if (asked.subid !== undefined) values.unshift(["pubsub#subid", [asked.subid]]);
  return xml`<message xmlns="jabber:client" to="${asked.service}" id="${asked.id}">${submission(AUTHORIZATION, values)}</message>`;
}
