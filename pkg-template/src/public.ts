// The exports of every entry of the package.

export type { ClientEvents, Status, StatusChange } from "./client-events.js";
export { Client, attach, connect, discover, register } from "./client.js";
export { type ErrorCode, XmppError, type XmppErrorDetails } from "./errors.js";
export type { Registration } from "./events.js";
export { Feed, type FeedChange, type FeedEvents, type RetractVia } from "./feed.js";
export type { Form, FormField, FormInput, FormValue } from "./form.js";
export type { DecodeOption, PubsubItem } from "./item.js";
export { init, initSync } from "./loading.js";
export type { Matcher } from "./matcher.js";
export type { ModuleSource } from "./module.js";
export type { Muc } from "./muc.js";
export type {
  Metadata,
  Page,
  PubsubAffiliation,
  PubsubItems,
  PubsubNode,
  PubsubSubscription,
  Subscriber,
  SubscriberInput,
  SubscriptionState,
} from "./nodes.js";
export type {
  AttachOptions,
  AttachedSession,
  ClientOptions,
  MechanismName,
  RegisterOptions,
  Secret,
  Service,
  WebSocketClass,
  WebSocketLike,
} from "./options.js";
export { type AtomEntry, type DjangoObject, type PayloadFormat, atom, json } from "./payloads.js";
export type { Approval, FeedOptions, Payload, PersonalEvent, PubSub, ServiceOption } from "./pubsub.js";
export { RetryTimer, type RetryPauses } from "./retry-timer.js";
export { type Affiliation, type Occupant, type Role, Room, type RoomEvents, type RoomMessage } from "./room.js";
export { SaslClient, type SaslCredentials, type ScramKeys } from "./sasl-client.js";
export { type Attribute, Stanza } from "./stanza.js";
export type { Waiting } from "./waiting.js";
export { Stream, type StreamEvents, type StreamOptions, type StreamSession } from "./stream.js";
export { type Sendable, type Xml, xml } from "./xml.js";
