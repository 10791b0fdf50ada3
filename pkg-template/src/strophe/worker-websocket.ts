// `WorkerWebsocket`: the option `worker`. In strophe.js 5.0.0 tabs share one connection by it. Here each tab has its own connection and is
// the primary tab.

import type { ConnectCallback, Connection } from "./connection.js";
import { Status } from "./constants.js";
import log from "./log.js";
import { Websocket } from "./websocket.js";

/** A WebSocket of this tab, for a page that requested a shared one. */
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

  /** Always fails: there is no connection of another tab to attach to. Pages expect the answer after the call, as a worker would give it. */
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
