// The exports of the main entry, wherever it finds the module.

export type { ClientEvents, Status, StatusChange } from "./client-events.js";
export { Client, attach, connect, discover, register } from "./client.js";
export { type ErrorCode, XmppError, type XmppErrorDetails } from "./errors.js";
export type { Registration } from "./events.js";
export { Feed, type FeedChange, type FeedEvents, type RetractVia } from "./feed.js";
export type { Form, FormField, FormInput, FormValue } from "./form.js";
export type { DecodeOption, PubsubItem } from "./item.js";
export { init, initSync } from "./main-module.js";
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
export { type Affiliation, type Occupant, type Role, Room, type RoomEvents, type RoomMessage } from "./room.js";
export { type Attribute, Stanza } from "./stanza.js";
export type { Waiting } from "./waiting.js";
export { type Sendable, type Xml, xml } from "./xml.js";
