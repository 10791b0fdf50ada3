// A registration plugin of the kind of 2011, written for Strophe 1.0: it builds the session's first BOSH request by itself, and reads
// its answer. Our own code, with the members and private calls of plugins of that time.
/* global Strophe, $iq */

Strophe.addConnectionPlugin("register", {
  _connection: null,

  init: function (conn) {
    this._connection = conn;
    var highest = 0;
    for (var name in Strophe.Status) highest = Math.max(highest, Strophe.Status[name]);
    Strophe.addNamespace("REGISTER", "jabber:iq:register");
    Strophe.Status.REGIFAIL = highest + 1;
    Strophe.Status.REGISTER = highest + 2;
    Strophe.Status.REGISTERED = highest + 3;
    Strophe.Status.CONFLICT = highest + 4;
    Strophe.Status.NOTACCEPTABLE = highest + 5;
  },

  connect: function (domain, callback, wait, hold) {
    var conn = this._connection;
    this.domain = domain;
    this.instructions = "";
    this.fields = {};
    this.registered = false;

    conn.jid = "";
    conn.domain = domain;
    conn.connect_callback = callback;
    conn.disconnecting = false;
    conn.connected = false;
    conn.authenticated = false;
    conn.errors = 0;
    conn.wait = wait || conn.wait;
    conn.hold = hold || conn.hold;

    var body = conn._buildBody().attrs({
      to: domain,
      "xml:lang": "en",
      wait: conn.wait,
      hold: conn.hold,
      content: "text/xml; charset=utf-8",
      ver: "1.6",
      "xmpp:version": "1.0",
      "xmlns:xmpp": Strophe.NS.BOSH,
    });
    conn._changeConnectStatus(Strophe.Status.CONNECTING, null);
    conn._requests.push(
      new Strophe.Request(body.tree(), conn._onRequestStateChange.bind(conn, this._register_cb.bind(this)), body.tree().getAttribute("rid")),
    );
    conn._throttledRequestHandler();
  },

  _register_cb: function (req) {
    var conn = this._connection;
    conn.connected = true;
    var body = req.getResponse();
    if (!body) return;
    conn.xmlInput(body);
    conn.rawInput(Strophe.serialize(body));
    if (body.getAttribute("type") === "terminate") {
      conn._changeConnectStatus(Strophe.Status.CONNFAIL, body.getAttribute("condition") || "unknown");
      return;
    }
    if (!conn.sid) conn.sid = body.getAttribute("sid");
    if (!conn.stream_id) conn.stream_id = body.getAttribute("authid");
    var numbers = ["requests", "hold", "wait"];
    for (var i = 0; i < numbers.length; i += 1) {
      var value = body.getAttribute(numbers[i]);
      if (value) conn[numbers[i] === "requests" ? "window" : numbers[i]] = parseInt(value, 10);
    }
    if (body.getElementsByTagName("register").length === 0) {
      if (body.getElementsByTagName("mechanism").length > 0) {
        conn._changeConnectStatus(Strophe.Status.REGIFAIL, null);
        return;
      }
      // The features come with the next answer.
      var empty = conn._buildBody();
      conn._requests.push(
        new Strophe.Request(empty.tree(), conn._onRequestStateChange.bind(conn, this._register_cb.bind(this)), empty.tree().getAttribute("rid")),
      );
      conn._throttledRequestHandler();
      return;
    }
    this._mechanisms = [];
    var offered = body.getElementsByTagName("mechanism");
    for (var j = 0; j < offered.length; j += 1) this._mechanisms.push(Strophe.getText(offered[j]));
    conn._addSysHandler(this._get_register_cb.bind(this), null, "iq", null, null);
    conn.send($iq({ type: "get" }).c("query", { xmlns: Strophe.NS.REGISTER }).tree());
  },

  _get_register_cb: function (stanza) {
    var conn = this._connection;
    var query = stanza.getElementsByTagName("query")[0];
    for (var child = query.firstChild; child; child = child.nextSibling) {
      var tag = child.tagName.toLowerCase();
      if (tag === "instructions") this.instructions = Strophe.getText(child);
      else if (tag !== "x") this.fields[tag] = Strophe.getText(child);
    }
    conn._changeConnectStatus(Strophe.Status.REGISTER, null);
    return false;
  },

  submit: function () {
    var conn = this._connection;
    var query = $iq({ type: "set" }).c("query", { xmlns: Strophe.NS.REGISTER });
    for (var name in this.fields) query.c(name).t(this.fields[name]).up();
    conn._addSysHandler(this._submit_cb.bind(this), null, "iq", null, null);
    conn.send(query.tree());
  },

  _submit_cb: function (stanza) {
    var conn = this._connection;
    if (stanza.getAttribute("type") === "error") {
      var condition = stanza.getElementsByTagName("error")[0].firstChild.tagName.toLowerCase();
      var known = { conflict: Strophe.Status.CONFLICT, "not-acceptable": Strophe.Status.NOTACCEPTABLE };
      conn._changeConnectStatus(known[condition] || Strophe.Status.REGIFAIL, condition);
    } else {
      this.registered = true;
      conn._changeConnectStatus(Strophe.Status.REGISTERED, null);
    }
    return false;
  },

  // Logs in within the same stream, by PLAIN.
  authenticate: function () {
    var conn = this._connection;
    conn.jid = this.fields.username + "@" + this.domain;
    conn.authzid = Strophe.getBareJidFromJid(conn.jid);
    conn.authcid = Strophe.getNodeFromJid(conn.jid);
    conn.pass = this.fields.password;
    conn._sasl_success_handler = conn._addSysHandler(conn._sasl_success_cb.bind(conn), null, "success", null, null);
    conn._sasl_failure_handler = conn._addSysHandler(conn._sasl_failure_cb.bind(conn), null, "failure", null, null);
    conn._changeConnectStatus(Strophe.Status.AUTHENTICATING, null);
    var secret = btoa(conn.jid + "\u0000" + conn.authcid + "\u0000" + conn.pass);
    conn.send(Strophe.xmlElement("auth", [["xmlns", Strophe.NS.SASL], ["mechanism", "PLAIN"]], secret));
  },
});
