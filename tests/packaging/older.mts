// The entries for pages of older systems, typed: what such pages write compiles, and what was wrong in them does not.
import { Juggernaut } from "epode/juggernaut";
import { PubSubClient } from "epode/pubsub-client";

interface Reply {
  paste_id: number;
  user: string;
}

const jug = new Juggernaut({ host: "example.org", port: 5280, secure: true, meta: { user_id: 7 } });
jug.subscribe<Reply>("paste-replies:1", (reply) => {
  void reply.user.length;
  // @ts-expect-error: who replied is `user`.
  void reply.author;
});
jug.on("connect", () => {}).bind("data", (channel, data) => void [channel.length, data]);
jug.on("paste-replies:1:data", (data: Reply) => void data.user);
jug.unbind("data");
// @ts-expect-error: no such event.
jug.on("connected", () => {});
void jug.publish(["a", "b/c"], { any: 1 }, { except: [jug.sessionID] });
const roster = await jug.roster("a");
roster.on("change", ({ users }) => void users.get(7)?.toFixed()).on("subscribe", ({ session_id }) => void session_id.length);

const pubsub = new PubSubClient<{ title: string }>({
  nick: "guest",
  node: "/App/Model",
  event_cb: (entry, client, change) => {
    client.unread += client.focus ? 0 : 1;
    void [entry.text(), entry.find("field").first().attr("name"), entry.value.title.length, change.type === "update"];
    // @ts-expect-error: not a field of the record.
    void entry.value.author;
  },
});
pubsub._on_disconnect = (error) => void error?.message;
void pubsub.publish("/App/Model", ["text", { title: "record" }]);
void pubsub.disconnect();
