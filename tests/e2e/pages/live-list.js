// A page in the manner of django-pubsub's demo: what it says is said in that manner, and only the import is new.
import { PubSubClient } from "/epode/pubsub-client.js";

// These were the globals of the client's own file.
var settings = window.settings;
var rows = {};
var title = document.title;

window.rows = rows;
window.log = inbox("a change of the list");

var pubsub = new PubSubClient(
  Object.assign({}, settings, {
    nick: "guest",
    node: settings.node,
    event_cb: function (entry, pubsub, change) {
      var record = rows[change.id] || {};
      if (entry.find("object").length > 0) {
        record.text = entry.find('field[name="text"]').text();
        record.by = entry.find("object").attr("model");
      } else {
        record.text = entry.value && entry.value.text !== undefined ? entry.value.text : entry.text();
      }
      rows[change.id] = record;
      if (!pubsub.focus) {
        pubsub.unread = pubsub.unread + 1;
        document.title = "[" + pubsub.unread + "] " + title;
      }
      log.push([change.type, change.id, record.text]);
    },
    delete_cb: function (id) {
      delete rows[id];
      log.push(["delete", id]);
    },
  }),
);
pubsub._on_disconnect = function () {
  log.push(["disconnected"]);
};
window.addEventListener("focus", function () {
  document.title = title;
});
window.addEventListener("unload", function () {
  pubsub.disconnect();
});
window.pubsub = pubsub;
