// A chat page as they were written in 2010: jQuery, Strophe and its register plugin by script tags, everything in globals.
var BOSH_SERVICE = "/http-bind";
var DOMAIN = "localhost";
var ROOMS = "conference.localhost";

var connection = null;
var room = null;
var nick = null;
var joined = false;

function log(text) {
  $("<div></div>").text(text).appendTo("#log");
}

// One connection at a time.
function setBusy(busy) {
  $("#register, #connect").prop("disabled", busy);
}

function onPresence(presence) {
  var from = $(presence).attr("from");
  if (Strophe.getBareJidFromJid(from) !== room) return true;
  var who = Strophe.getResourceFromJid(from);
  $("#people li")
    .filter(function () {
      return $(this).text() === who;
    })
    .remove();
  if ($(presence).attr("type") === "error") {
    log("Joining failed: " + $(presence).find("error").children(":first").prop("tagName"));
    return true;
  }
  if ($(presence).attr("type") !== "unavailable") {
    $("<li></li>").text(who).appendTo("#people");
    if (who === nick && !joined) {
      joined = true;
      log("You are in " + Strophe.getNodeFromJid(room) + ".");
    }
  }
  return true;
}

function onMessage(message) {
  if (Strophe.getBareJidFromJid($(message).attr("from")) !== room) return true;
  var body = $(message).find("> body");
  if (body.length > 0) {
    var line = $("<p></p>").addClass("message");
    $("<b></b>")
      .text(Strophe.getResourceFromJid($(message).attr("from")) + ": ")
      .appendTo(line);
    $("<span></span>").text(body.text()).appendTo(line);
    line.appendTo("#messages");
    $("#messages").scrollTop($("#messages").prop("scrollHeight"));
  }
  return true;
}

function onConnected() {
  log("Connected as " + connection.jid + ".");
  $("#login").hide();
  $("#chat").show();
  $("#text").focus();
  nick = Strophe.getNodeFromJid(connection.jid);
  room = Strophe.escapeNode($("#room").val()) + "@" + ROOMS;
  connection.addHandler(onPresence, null, "presence", null, null, null);
  connection.addHandler(onMessage, null, "message", "groupchat", null, null);
  connection.send($pres().tree());
  connection.send($pres({ to: room + "/" + nick }).c("x", { xmlns: Strophe.NS.MUC }).tree());
  // Who else is here with this account: the server answers an IQ.
  connection.sendIQ($iq({ type: "get" }).c("query", { xmlns: Strophe.NS.ROSTER }), function (iq) {
    log("Contacts: " + $(iq).find("item").length + ".");
  });
}

function onStatus(status, condition) {
  if (status === Strophe.Status.CONNECTING) {
    log("Connecting.");
  } else if (status === Strophe.Status.REGISTER) {
    connection.register.fields.username = $("#name").val();
    connection.register.fields.password = $("#password").val();
    connection.register.submit();
  } else if (status === Strophe.Status.REGISTERED) {
    log("Registered.");
    connection.register.authenticate();
  } else if (status === Strophe.Status.CONFLICT) {
    log("That name is taken.");
    connection.disconnect();
  } else if (status === Strophe.Status.REGIFAIL || status === Strophe.Status.NOTACCEPTABLE) {
    log("Registration failed: " + condition);
    connection.disconnect();
  } else if (status === Strophe.Status.CONNFAIL) {
    log((connection.authenticated ? "Connection lost: " : "Connecting failed: ") + condition);
  } else if (status === Strophe.Status.AUTHFAIL) {
    log("Wrong name or password.");
    connection.disconnect();
  } else if (status === Strophe.Status.DISCONNECTED) {
    log("Disconnected.");
    $("#chat").hide();
    $("#login").show();
    setBusy(false);
    $("#name").focus();
    $("#people, #messages").empty();
    joined = false;
  } else if (status === Strophe.Status.CONNECTED) {
    onConnected();
  }
}

$(document).ready(function () {
  $("#name").focus();
  $("#register").bind("click", function () {
    setBusy(true);
    connection = new Strophe.Connection(BOSH_SERVICE);
    connection.register.connect(DOMAIN, onStatus);
  });
  $("#login").bind("submit", function () {
    setBusy(true);
    connection = new Strophe.Connection(BOSH_SERVICE);
    connection.connect($("#name").val() + "@" + DOMAIN, $("#password").val(), onStatus);
    return false;
  });
  $("#speak").bind("submit", function () {
    if ($("#text").val() === "") return false;
    connection.send($msg({ to: room, type: "groupchat" }).c("body").t($("#text").val()).tree());
    $("#text").val("");
    return false;
  });
  // The room has to see it although the page goes in the same turn.
  $("#stop").bind("click", function () {
    connection.disconnect();
    location.reload();
  });
});

$(window).bind("unload", function () {
  if (connection && connection.connected) connection.disconnect();
});
