// A page that shows what is published to a node, as they were written around 2010: it logs in anonymously and subscribes by a pubsub
// plugin whose methods take the page's address and the service first.
var BOSH_SERVICE = "/http-bind";
var DOMAIN = "anon.localhost";
var PUBSUB = "pubsub.localhost";
var NODE = (/[?&]node=([^&]+)/.exec(location.search) || [])[1] || "headlines";

var connection = null;
var failure = null;

function show(item) {
  // A server may send the last item with the subscription, and again with the list.
  if (document.getElementById("item-" + item.getAttribute("id"))) return;
  var title = item.getElementsByTagName("title")[0];
  var li = $("<li></li>").attr("id", "item-" + item.getAttribute("id"));
  li.text(title ? Strophe.xmlunescape(Strophe.getText(title)) : "?");
  $("#headlines").prepend(li);
}

function onEvent(message) {
  // The plugin gives every message.
  var events = message.getElementsByTagName("event");
  if (events.length === 0) return true;
  var items = events[0].getElementsByTagName("item");
  for (var i = 0; i < items.length; i += 1) show(items[i]);
  return true;
}

function onSubscribed(iq) {
  if (iq.getAttribute("type") === "error") {
    $("#state").text("Subscribing failed");
    return false;
  }
  $("#state").text("Subscribed");
  // What was published before.
  connection.pubsub.items(connection.jid, PUBSUB, NODE, function (result) {
    var items = result.getElementsByTagName("item");
    for (var i = 0; i < items.length; i += 1) show(items[i]);
  });
  return false;
}

$(document).ready(function () {
  // Was: new Strophe.Connection(BOSH_SERVICE). The option is not one of strophe.js: the page asks to be connected again.
  connection = new Strophe.Connection(BOSH_SERVICE, { reconnect: true });
  connection.connect(DOMAIN, null, function (status, condition) {
    if (status === Strophe.Status.CONNECTED) {
      $("#state").text("Connected");
      connection.send($pres().tree());
      connection.pubsub.subscribe(connection.jid, PUBSUB, NODE, [], onEvent, onSubscribed);
    } else if (status === Strophe.Status.RECONNECTING) {
      $("#state").text("Reconnecting");
    } else if (status === Strophe.Status.CONNFAIL) {
      failure = condition;
    } else if (status === Strophe.Status.DISCONNECTED) {
      $("#state").text(failure ? "Not connected: " + failure : "Not connected");
    }
  });
});

$(window).bind("unload", function () {
  connection.options.sync = true;
  connection.flush();
  connection.disconnect();
});
