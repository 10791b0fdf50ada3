// Maps the end of a BOSH session to the statuses and conditions of strophe.js.

import type { XmppError } from "../errors.js";
import type { Connection } from "./connection.js";
import { ErrorCondition, Status } from "./constants.js";

/** Reports to the page that the session ended without its request. */
export function tellEnd(connection: Connection, error: XmppError | undefined): void {
  const condition = error?.condition ?? null;
  switch (error?.code) {
    case undefined:
      connection._doDisconnect();
      break;
    case "terminated":
    case "stream-error":
      connection._changeConnectStatus(Status.CONNFAIL, condition ?? ErrorCondition.UNKNOWN_REASON);
      connection._doDisconnect(condition);
      break;
    case "http-error":
      connection._changeConnectStatus(Status.DISCONNECTING, null);
      connection._doDisconnect();
      break;
    case "not-bosh":
    case "bad-xml":
    case "too-large":
    case "protocol-error":
      tellUnreadable(connection);
      break;
    default:
      connection._onDisconnectTimeout();
  }
}

function tellUnreadable(connection: Connection): void {
  if (connection.connected) {
    connection._changeConnectStatus(Status.DISCONNECTING, "strophe-parsererror");
    connection._doDisconnect();
  } else {
    connection._changeConnectStatus(Status.CONNFAIL, ErrorCondition.BAD_FORMAT);
    connection._doDisconnect(ErrorCondition.BAD_FORMAT);
  }
}
