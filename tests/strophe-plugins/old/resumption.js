// A plugin that resumes sessions (XEP-0198), of the kind that conference applications have had since 2018, when Strophe had no stream
// management. A fixture: our own code, with the methods that such plugins replace and the private members that they save and restore.
/* global Strophe, $build */

Strophe.addConnectionPlugin("resumption", {
  NS: "urn:xmpp:sm:3",
  token: undefined,
  received: 0,

  init: function (conn) {
    const plugin = this;
    const { connect, disconnect, _doDisconnect, _onStreamFeaturesAfterSASL } = conn;
    this.conn = conn;
    conn.connect = function (...values) {
      plugin.arguments = values;
      connect.apply(conn, values);
    };
    conn.disconnect = function (...values) {
      plugin.token = undefined;
      disconnect.apply(conn, values);
    };
    conn._doDisconnect = function (...values) {
      if (plugin.token && conn.connected && !conn.disconnecting) {
        plugin.saved = { jid: conn.jid, handlers: conn.handlers.concat(conn.addHandlers), timed: conn.timedHandlers.concat(conn.addTimeds) };
      }
      conn._data = [];
      _doDisconnect.apply(conn, values);
    };
    conn._onStreamFeaturesAfterSASL = function (features) {
      plugin.isOffered = features.getElementsByTagNameNS(plugin.NS, "sm").length > 0;
      return _onStreamFeaturesAfterSASL.call(conn, features);
    };
    this.again = () => connect.apply(conn, this.arguments);
  },

  /** Asks for a session that can be resumed. What is sent waits for the answer. */
  enable: function () {
    const { conn, NS } = this;
    const counted = (stanza) => {
      if (/^(iq|message|presence)$/.test(stanza.nodeName)) this.received += 1;
      return true;
    };
    conn.addHandler(counted);
    conn._addSysHandler((elem) => this.enabled(elem), NS, "enabled");
    conn._addSysHandler((elem) => this.resumed(elem), NS, "resumed");
    conn.send($build("enable", { xmlns: NS, resume: true }));
    conn.flush();
    conn.pause();
  },

  enabled: function (elem) {
    this.token = elem.getAttribute("id");
    this.conn.resume();
    return true;
  },

  /** Connects anew, and takes up the session before a resource is bound. */
  resume: function () {
    this.conn.options.explicitResourceBinding = true;
    this.again();
  },

  statusChanged: function (status) {
    if (status !== Strophe.Status.BINDREQUIRED) return;
    const { conn, saved } = this;
    conn.jid = saved.jid;
    for (const { handler, ns, name, type, id } of saved.handlers) conn._addSysHandler(handler, ns, name, type, id);
    for (const { period, handler } of saved.timed) conn.addTimedHandler(period, handler);
    conn.send($build("resume", { xmlns: this.NS, h: this.received, previd: this.token }));
    conn.flush();
  },

  resumed: function () {
    const { conn } = this;
    conn.do_bind = false;
    conn.authenticated = true;
    conn.restored = true;
    conn._changeConnectStatus(Strophe.Status.CONNECTED, null);
    return true;
  },
});
