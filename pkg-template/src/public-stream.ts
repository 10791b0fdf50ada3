// The exports of the entries `epode/stream`.

export { type ErrorCode, XmppError, type XmppErrorDetails } from "./errors.js";
export type { Registration } from "./events.js";
export type { ModuleSource } from "./module.js";
export type { WebSocketClass, WebSocketLike } from "./options.js";
export { RetryTimer, type RetryPauses } from "./retry-timer.js";
export { SaslClient, type SaslCredentials, type ScramKeys } from "./sasl-client.js";
export { type Attribute, Stanza } from "./stanza.js";
export { init, initSync } from "./stream-module.js";
export { type Sendable, type Xml, xml } from "./xml.js";
export { Stream, type StreamEvents, type StreamOptions, type StreamSession } from "./xmpp-stream.js";
