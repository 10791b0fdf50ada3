// `Strophe`: the object that holds all of strophe.js's names.

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

/** What strophe.js 5.0.0 says of itself. */
const VERSION = "4.0.0";

/** All of strophe.js's names. Plugins add to it. */
export const Strophe = {
  VERSION,

  /** A BOSH request is repeated after `TIMEOUT × wait` seconds. Kept for pages that read it: the module has times of its own. */
  get TIMEOUT(): number {
    return Bosh.getTimeoutMultplier();
  },
  set TIMEOUT(multiplier: number) {
    Bosh.setTimeoutMultiplier(multiplier);
  },

  /** As `TIMEOUT`, for the second request while the first one is answered. */
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

  /** An element, or a builder, as XML. */
  serialize(what: Element | Builder): string {
    return Builder.serialize(what);
  },

  /** Gives `Strophe.NS` a name. */
  addNamespace(name: string, value: string): void {
    (NS as Record<string, string>)[name] = value;
  },

  /** Registers a plugin for the connections made from now on: an object with `init(connection)`, maybe `statusChanged(status, condition)`. */
  addConnectionPlugin(name: string, plugin: object): void {
    Connection.addConnectionPlugin(name, plugin);
  },
};
