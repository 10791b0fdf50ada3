// strophe.js's exports, which are also globals, because plugins use the globals.
//
// The module must be loaded before; the entries of the package load it.

import { $build, $iq, $msg, $pres, Builder } from "./builder.js";
import { Strophe } from "./namespace.js";
import { Stanza, stx } from "./stx.js";

/** Parses XML into an element. */
export const toStanza = Stanza.toElement;

Object.assign(globalThis, { $build, $iq, $msg, $pres, Strophe, stx, toStanza });

export { $build, $iq, $msg, $pres, Builder, Stanza, Strophe, stx };
export type { StanzaAttrs } from "./builder.js";
export type { ConnectCallback, Connection } from "./connection.js";
export type { ConnectionOptions } from "./connection-options.js";
export { DomMissingError } from "./dom.js";
export type { Handler, HandlerOptions, TimedHandler } from "./handler.js";
export { Request } from "./request.js";
export { MemoryStorageBackend, type SMStorageBackend, SessionStorageBackend } from "./storage.js";
export { StreamManagementMirror } from "./stream-management-mirror.js";
export {
  type QueuedStanza,
  type SMState,
  type StanzaView,
  StreamManagement,
  type StreamManagementController,
  type StreamManagementOptions,
} from "./stream-management.js";
export type { StanzaValue, UnsafeXML } from "./stx.js";
