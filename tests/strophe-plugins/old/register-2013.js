// A registration plugin of the kind of 2013, for Strophe 1.1: transports have an object of their own, and the plugin replaces the
// connection's `_connect_cb` while it registers. A fixture: our own code, with the members and private calls of that time.
/* global Strophe, $iq */

Strophe.addConnectionPlugin("register", {
  _connection: null,

  init: function (conn) {
    this._connection = conn;
    var highest = 0;
    Object.keys(Strophe.Status).forEach(function (name) {
      highest = Math.max(highest, Strophe.Status[name]);
    });
    Strophe.addNamespace("REGISTER", "jabber:iq:register");
    ["REGIFAIL", "REGISTER", "REGISTERED", "CONFLICT", "NOTACCEPTABLE"].forEach(function (name, index) {
      Strophe.Status[name] = highest + 1 + index;
    });
    var plugin = this;
    var connectCb = conn._connect_cb.bind(conn);
    conn._connect_cb = function (req, callback, raw) {
      if (!plugin._registering) return connectCb(req, callback, raw);
      return plugin._register_cb(req, callback, raw);
    };
    var authenticate = conn.authenticate && conn.authenticate.bind(conn);
    conn.authenticate = function (matched) {
      if (matched !== undefined) return authenticate(matched);
      conn.jid = plugin.fields.username + "@" + plugin.domain;
      conn.authzid = Strophe.getBareJidFromJid(conn.jid);
      conn.authcid = Strophe.getNodeFromJid(conn.jid);
      conn.pass = plugin.fields.password;
      // The features that were kept are read once more, as those of a login.
      conn._connect_cb(plugin._kept.req, conn.connect_callback, plugin._kept.raw);
    };
  },

  connect: function (domain, callback, wait, hold, route) {
    var conn = this._connection;
    this.domain = Strophe.getDomainFromJid(domain);
    this.fields = {};
    this.instructions = "";
    this._registering = true;
    conn.connect(this.domain, "", callback, wait, hold, route);
  },

  _register_cb: function (req, callback, raw) {
    var conn = this._connection;
    conn.connected = true;
    var wrap = conn._proto._reqToData(req);
    if (!wrap) return;
    if (conn.xmlInput !== Strophe.Connection.prototype.xmlInput) {
      conn.xmlInput(wrap.nodeName === conn._proto.strip && wrap.childNodes.length ? wrap.childNodes[0] : wrap);
    }
    if (conn.rawInput !== Strophe.Connection.prototype.rawInput) conn.rawInput(raw || Strophe.serialize(wrap));
    if (conn._proto._connect_cb(wrap) === Strophe.Status.CONNFAIL) return;
    var canRegister = wrap.getElementsByTagName("register").length > 0;
    if (!canRegister && wrap.getElementsByTagName("mechanism").length === 0) {
      conn._proto._no_auth_received(this._register_cb.bind(this));
      return;
    }
    this._registering = false;
    this._kept = { req: req, raw: raw };
    if (!canRegister) return conn._changeConnectStatus(Strophe.Status.REGIFAIL, null);
    conn._addSysHandler(this._fields_cb.bind(this), null, "iq", null, null);
    conn.send($iq({ type: "get" }).c("query", { xmlns: Strophe.NS.REGISTER }).tree());
  },

  _fields_cb: function (stanza) {
    var plugin = this;
    Strophe.forEachChild(stanza.getElementsByTagName("query")[0], null, function (field) {
      var tag = field.tagName.toLowerCase();
      if (tag === "instructions") plugin.instructions = Strophe.getText(field);
      else if (tag !== "x") plugin.fields[tag] = Strophe.getText(field);
    });
    this._connection._changeConnectStatus(Strophe.Status.REGISTER, null);
    return false;
  },

  submit: function () {
    var query = $iq({ type: "set" }).c("query", { xmlns: Strophe.NS.REGISTER });
    Object.keys(this.fields).forEach(function (name) {
      query.c(name).t(this.fields[name]).up();
    }, this);
    this._connection._addSysHandler(this._submit_cb.bind(this), null, "iq", null, null);
    this._connection.send(query);
  },

  _submit_cb: function (stanza) {
    var conn = this._connection;
    var error = stanza.getElementsByTagName("error")[0];
    var condition = error && error.firstChild.tagName.toLowerCase();
    if (!error) conn._changeConnectStatus(Strophe.Status.REGISTERED, null);
    else if (condition === "conflict") conn._changeConnectStatus(Strophe.Status.CONFLICT, condition);
    else if (condition === "not-acceptable") conn._changeConnectStatus(Strophe.Status.NOTACCEPTABLE, condition);
    else conn._changeConnectStatus(Strophe.Status.REGIFAIL, condition);
    return false;
  },
});
