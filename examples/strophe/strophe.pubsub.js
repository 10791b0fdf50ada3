// A pubsub plugin of the kind of 2008: each method takes the page's address and the service first. Our own code, with the methods and
// arguments of plugins of that time.
/* global Strophe, $iq */

Strophe.addConnectionPlugin("pubsub", {
  _connection: null,

  init: function (conn) {
    this._connection = conn;
    Strophe.addNamespace("PUBSUB", "http://jabber.org/protocol/pubsub");
    var parts = ["SUBSCRIBE_OPTIONS", "ERRORS", "EVENT", "OWNER", "NODE_CONFIG"];
    var names = ["#subscribe_options", "#errors", "#event", "#owner", "#node_config"];
    for (var i = 0; i < parts.length; i += 1) Strophe.addNamespace("PUBSUB_" + parts[i], Strophe.NS.PUBSUB + names[i]);
  },

  // A form of options, as elements made by hand.
  _form: function (kind, options) {
    var x = Strophe.xmlElement("x", [["xmlns", "jabber:x:data"], ["type", "submit"]]);
    function field(name, value, type) {
      var one = Strophe.xmlElement("field", type ? [["var", name], ["type", type]] : [["var", name]]);
      var inner = Strophe.xmlElement("value", []);
      inner.appendChild(Strophe.xmlTextNode(value));
      one.appendChild(inner);
      x.appendChild(one);
    }
    field("FORM_TYPE", kind, "hidden");
    for (var name in options) field(name, options[name]);
    return x;
  },

  _iq: function (jid, service, type, prefix, ns) {
    var id = this._connection.getUniqueId(prefix);
    return { id: id, iq: $iq({ from: jid, to: service, type: type, id: id }).c("pubsub", { xmlns: ns || Strophe.NS.PUBSUB }) };
  },

  _send: function (made, callback) {
    this._connection.addHandler(callback, null, "iq", null, made.id, null);
    this._connection.send(made.iq.tree());
    return made.id;
  },

  createNode: function (jid, service, node, options, call_back) {
    var made = this._iq(jid, service, "set", "pubsubcreatenode");
    made.iq.c("create", { node: node });
    if (options) made.iq.up().c("configure").cnode(this._form(Strophe.NS.PUBSUB_NODE_CONFIG, options));
    return this._send(made, call_back);
  },

  deleteNode: function (jid, service, node, call_back) {
    var made = this._iq(jid, service, "set", "pubsubdeletenode", Strophe.NS.PUBSUB_OWNER);
    made.iq.c("delete", { node: node });
    return this._send(made, call_back);
  },

  subscribe: function (jid, service, node, options, event_cb, call_back) {
    var made = this._iq(jid, service, "set", "subscribenode");
    made.iq.c("subscribe", { node: node, jid: jid });
    if (options && options.length !== 0) made.iq.up().c("options").cnode(this._form(Strophe.NS.PUBSUB_SUBSCRIBE_OPTIONS, options));
    // Every message: plugins of that time did not look at the node.
    this._connection.addHandler(event_cb, null, "message", null, null, null);
    return this._send(made, call_back);
  },

  unsubscribe: function (jid, service, node, call_back) {
    var made = this._iq(jid, service, "set", "pubsubunsubscribenode");
    made.iq.c("unsubscribe", { node: node, jid: jid });
    return this._send(made, call_back);
  },

  publish: function (jid, service, node, items, call_back) {
    var made = this._iq(jid, service, "set", "pubsubpublishnode");
    made.iq.c("publish", { node: node, jid: jid });
    for (var i = 0; i < items.length; i += 1) {
      var item = Strophe.xmlElement("item", []);
      item.appendChild(items[i]);
      made.iq.cnode(item).up();
    }
    return this._send(made, call_back);
  },

  items: function (jid, service, node, ok_callback, error_back) {
    var made = this._iq(jid, service, "get", "pubsubitems");
    made.iq.c("items", { node: node });
    return this._connection.sendIQ(made.iq.tree(), ok_callback, error_back);
  },
});
