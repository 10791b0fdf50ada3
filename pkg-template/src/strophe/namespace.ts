// `Strophe`: the object with all names of strophe.js.

import { Bosh } from "./bosh.js";
import { Builder } from "./builder.js";
import { Connection } from "./connection.js";
import { ElementType, ErrorCondition, LogLevel, NS, Status } from "./constants.js";
import { Handler, TimedHandler } from "./handler.js";
import log from "./log.js";
import { Request } from "./request.js";
import { SASLSHA1, SASLSHA256, SASLSHA384, SASLSHA512 } from "./sasl-scram.js";
import { SASLAnonymous, SASLExternal, SASLMechanism, SASLOAuthBearer, SASLPlain, SASLXOAuth2 } from "./sasl.js";
import { MemoryStorageBackend, SessionStorageBackend } from "./storage.js";
import { StreamManagement } from "./stream-management.js";
import { Stanza } from "./stx.js";
import * as utils from "./utils.js";
import { Websocket } from "./websocket.js";
import { WorkerWebsocket } from "./worker-websocket.js";
import { lists, validAttribute, validCSS, validTag } from "./xhtml.js";

/** The version that strophe.js 5.0.0 reports. */
const VERSION = "4.0.0";

/** All names of strophe.js. Plugins add to it. */
export const Strophe = {
  VERSION,

  /** strophe.js repeats a BOSH request after `TIMEOUT × wait` seconds. Only for pages that read it: the module has its own timeouts. */
  get TIMEOUT(): number {
    return Bosh.getTimeoutMultplier();
  },
  set TIMEOUT(multiplier: number) {
    Bosh.setTimeoutMultiplier(multiplier);
  },

  /** Like `TIMEOUT`, for the second request while the first one gets its response. */
  get SECONDARY_TIMEOUT(): number {
    return Bosh.getSecondaryTimeoutMultplier();
  },
  set SECONDARY_TIMEOUT(multiplier: number) {
    Bosh.setSecondaryTimeoutMultiplier(multiplier);
  },

  ...utils,
  ...log,

  Request,
  Bosh,
  Websocket,
  WorkerWebsocket,
  Connection,
  Handler,
  TimedHandler,

  SASLMechanism,
  SASLAnonymous,
  SASLPlain,
  SASLSHA1,
  SASLSHA256,
  SASLSHA384,
  SASLSHA512,
  SASLOAuthBearer,
  SASLExternal,
  SASLXOAuth2,

  Stanza,
  Builder,
  StreamManagement,
  MemoryStorageBackend,
  SessionStorageBackend,

  ElementType,
  ErrorCondition,
  LogLevel,
  NS,
  Status,
  XHTML: { ...lists, validTag, validAttribute, validCSS },

  /** Serialises an element or builder. */
  serialize(what: Element | Builder): string {
    return Builder.serialize(what);
  },

  /** Adds a namespace to `Strophe.NS`. */
  addNamespace(name: string, value: string): void {
    (NS as Record<string, string>)[name] = value;
  },

  /** Registers a plugin for later connections: an object with `init(connection)` and optionally `statusChanged(status, condition)`. */
  addConnectionPlugin(name: string, plugin: object): void {
    Connection.addConnectionPlugin(name, plugin);
  },
};
