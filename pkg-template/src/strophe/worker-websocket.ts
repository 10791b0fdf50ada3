// `WorkerWebsocket`: the option `worker`. strophe.js 5.0.0 shares one connection among tabs by it; here each tab has its own, and is the
// primary one.

import type { ConnectCallback, Connection } from "./connection.js";
import { Status } from "./constants.js";
import log from "./log.js";
import { Websocket } from "./websocket.js";

/** A WebSocket of this tab, where the page asked for a shared one. */
export class WorkerWebsocket extends Websocket {
  constructor(connection: Connection) {
    super(connection);
    log.info("The option `worker` is accepted, but connections are not shared among tabs: this tab opens its own.");
  }

  override _connect(): void {
    this._conn.role = "primary";
    this._conn.onRoleChanged("primary");
    super._connect();
  }

  /** There is never another tab's connection to attach to. */
  _attach(callback: ConnectCallback): void {
    this._conn.connect_callback = callback;
    this._conn.authenticated = false;
    this._conn.connected = false;
    this._conn.restored = false;
    this._conn._changeConnectStatus(Status.ATTACHFAIL);
  }
}
