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

  /** There is never another tab's connection to attach to. Pages expect the answer after the call, as a worker would give it. */
  _attach(callback: ConnectCallback): void {
    const { _conn } = this;
    _conn.connect_callback = callback;
    setTimeout(() => {
      // The page may have connected meanwhile.
      if (_conn.connected || this.socket) return;
      _conn.authenticated = false;
      _conn.restored = false;
      _conn._changeConnectStatus(Status.ATTACHFAIL);
    }, 0);
  }
}
