// The options of a connection.

import type { RetryPauses } from "../retry-timer.js";
import type { StreamManagementOptions } from "./stream-management.js";
import type { MechanismClass } from "./login.js";

/** Keys that replace a password: the value of `scram_keys` after a login by SCRAM. */
export interface Password {
  /** The hash: `"SHA-1"`. */
  name: string;
  /** The client key, base64. */
  ck: string;
  /** The server key, base64. */
  sk: string;
  iter: number;
  /** Base64. */
  salt: string;
}

/** The options of strophe.js 5.0.0, and `reconnect`. */
export interface ConnectionOptions {
  /** Cookies to set, for a server that requires them. */
  cookies?: Record<string, unknown>;
  /** The SASL mechanisms to use. Default: all. */
  mechanisms?: MechanismClass[];
  /** The page calls `bind()` itself, at the status BINDREQUIRED. */
  explicitResourceBinding?: boolean;
  enableStreamManagement?: boolean;
  streamManagement?: StreamManagementOptions;
  /** For a service given as a path: use WebSocket instead of BOSH. */
  protocol?: string;
  /** Accepted; each tab has its own connection. */
  worker?: string;
  /** Accepted, without effect: requests are never synchronous. */
  sync?: boolean;
  /** HTTP headers of BOSH requests. */
  customHeaders?: Record<string, string>;
  /** Whether `restore()` can continue the BOSH session after a reload. */
  keepalive?: boolean;
  withCredentials?: boolean;
  /** Content-Type of BOSH requests. */
  contentType?: string;
  /**
   * Whether the connection logs in again after an interruption, with what `connect()` was given; the pauses in milliseconds.
   * Default: false, since old pages do it themselves.
   */
  reconnect?: boolean | RetryPauses;
}
