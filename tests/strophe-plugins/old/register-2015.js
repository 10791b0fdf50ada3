// A registration plugin of the kind of 2015, for Strophe 1.2: it replaces `connect`, `authenticate` and `_connect_cb` of each
// connection, and starts with a method of the connection. A fixture: our own code, with the members and private calls of that time.
/* global Strophe, $iq */

(function () {
  var ADDED = ["REGIFAIL", "REGISTER", "REGISTERED", "CONFLICT", "NOTACCEPTABLE"];

  Strophe.addConnectionPlugin("register", {
    _connection: null,

    init: function (conn) {
      var plugin = this;
      this._connection = conn;
      this._active = false;
      var highest = Math.max.apply(null, Object.keys(Strophe.Status).map((name) => Strophe.Status[name]));
      Strophe.addNamespace("REGISTER", "jabber:iq:register");
      ADDED.forEach((name, index) => {
        Strophe.Status[name] = highest + 1 + index;
      });
      var old = { connect: conn.connect, authenticate: conn.authenticate, connectCb: conn._connect_cb, reset: conn.reset };

      conn.connect = function (jid, pass, callback) {
        plugin._page = callback || conn.connect_callback;
        return old.connect.apply(conn, arguments);
      };
      conn.authenticate = function (matched) {
        if (!plugin._active) return old.authenticate.call(conn, matched);
        if (matched !== undefined) {
          // Instead of a login: the mechanisms are kept for later.
          plugin._matched = matched;
          return plugin._ask();
        }
        plugin._active = false;
        conn.jid = `${plugin.fields.username}@${plugin.domain}`;
        conn.authzid = Strophe.getBareJidFromJid(conn.jid);
        conn.authcid = Strophe.getNodeFromJid(conn.jid);
        conn.pass = plugin.fields.password;
        old.authenticate.call(conn, plugin._matched);
      };
      conn._connect_cb = function (req, callback, raw) {
        if (plugin._active) {
          var data = conn._proto._reqToData(req);
          plugin._offered = Boolean(data) && data.getElementsByTagName("register").length > 0;
          plugin._strip = conn._proto.strip;
        }
        return old.connectCb.call(conn, req, callback, raw);
      };
      conn.reset = function () {
        old.reset.call(conn);
        plugin._active = false;
        plugin.fields = {};
      };
    },

    connect: function (domain, callback, wait, hold, route) {
      this.domain = Strophe.getDomainFromJid(domain);
      this.instructions = "";
      this.fields = {};
      this.registered = false;
      this._active = true;
      this._connection.connect(this.domain, "", callback, wait, hold, route);
    },

    _ask: function () {
      var conn = this._connection;
      if (!this._offered) return conn._changeConnectStatus(Strophe.Status.REGIFAIL, null);
      conn._addSysHandler(this._fieldsCb.bind(this), null, "iq", null, null);
      conn.send($iq({ type: "get" }).c("query", { xmlns: Strophe.NS.REGISTER }));
    },

    _fieldsCb: function (stanza) {
      Strophe.forEachChild(stanza.getElementsByTagName("query")[0], "", (field) => {
        var tag = field.tagName.toLowerCase();
        if (tag === "instructions") this.instructions = Strophe.getText(field);
        else if (tag !== "x") this.fields[tag] = Strophe.getText(field);
      });
      this._connection._changeConnectStatus(Strophe.Status.REGISTER, null);
      return false;
    },

    submit: function () {
      var query = $iq({ type: "set" }).c("query", { xmlns: Strophe.NS.REGISTER });
      Object.keys(this.fields).forEach((name) => query.c(name, {}, this.fields[name]));
      this._connection._addSysHandler(this._submitCb.bind(this), null, "iq", null, null);
      this._connection.send(query);
    },

    _submitCb: function (stanza) {
      var error = stanza.getElementsByTagName("error")[0];
      var condition = error ? error.firstChild.tagName.toLowerCase() : null;
      this.registered = !error;
      var status = { conflict: "CONFLICT", "not-acceptable": "NOTACCEPTABLE" }[condition] || "REGIFAIL";
      this._connection._changeConnectStatus(Strophe.Status[error ? status : "REGISTERED"], condition);
      return false;
    },
  });
})();
