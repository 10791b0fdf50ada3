// What the package exports, typed. The types themselves are written once, in src/js/types.d.ts, and come with the module.
import type { AtomEntry, AttachOptions, Client, ClientOptions, RegisterOptions, Service, Waiting, Xml } from "./epode.js";

export { Client, Feed, Room, Stanza } from "./epode.js";
export type {
  Affiliation,
  Approval,
  AtomEntry,
  AttachOptions,
  AttachedSession,
  ClientEvents,
  ClientOptions,
  DecodeOption,
  DjangoObject,
  ErrorCode,
  FeedChange,
  FeedEvents,
  FeedOptions,
  Form,
  FormField,
  FormInput,
  FormValue,
  Matcher,
  Metadata,
  Muc,
  Occupant,
  Page,
  Payload,
  PayloadFormat,
  PersonalEvent,
  PubSub,
  PubsubAffiliation,
  PubsubItem,
  PubsubItems,
  PubsubNode,
  PubsubSubscription,
  RegisterOptions,
  Registration,
  RetractVia,
  Role,
  RoomEvents,
  RoomMessage,
  Secret,
  Sendable,
  Service,
  ServiceOption,
  Status,
  StatusChange,
  Subscriber,
  SubscriberInput,
  SubscriptionState,
  Waiting,
  WebSocketClass,
  WebSocketLike,
  Xml,
  XmppError,
} from "./epode.js";

/**
 * Loads the module. Optional (`connect` and `register` do it) and idempotent.
 * @param source Where the module is, or the module itself; default: beside this file.
 */
export function init(source?: string | URL | Request | Response | BufferSource | WebAssembly.Module): Promise<void>;

/** Makes a client, connects and logs in. */
export function connect(service: Service, options: ClientOptions & { signal?: AbortSignal }): Promise<Client>;

/**
 * Goes on with a session that a web server made (prebind), over BOSH. No credentials are needed; without them the end of the
 * session is the end of the connection.
 */
export function attach(service: Service, options: AttachOptions & { signal?: AbortSignal }): Promise<Client>;

/**
 * Asks a domain's web server where its services are (XEP-0156), WebSocket first: `connect(await discover("example.org"), …)`.
 * Only encrypted ones count. Quick and quiet: `[]` when there is nothing to find within `timeout` (default 5,000 ms).
 */
export function discover(domain: string, options?: Waiting): Promise<string[]>;

/** Makes an account (XEP-0077); resolves when the server has made it. Log in with `connect` afterwards. */
export function register(service: Service, options: RegisterOptions): Promise<void>;

/**
 * One element as XML. What is put in is escaped; `xml` and stanzas are put in as they are, arrays one after another,
 * `undefined`, `null` and `false` not at all (an attribute whose value they are is left out).
 */
export function xml(strings: TemplateStringsArray, ...values: unknown[]): Xml;

/** A value as a payload to publish: `<json xmlns="urn:xmpp:json:0"/>` (XEP-0335). What `JSON.stringify` refuses, it refuses. */
export function json(value: unknown): Xml;

/** An Atom entry as a payload to publish (RFC 4287, which wants `id`, `title` and `updated`). All that is put in is text. */
export function atom(entry: Partial<AtomEntry> & { content?: string }): Xml;
