// What a page knows of its items' payloads is checked by the compiler. Each `@ts-expect-error` is an error of its own if
// the line below it compiles.
import { atom, connect, json, type AtomEntry, type DjangoObject, type Feed, type PubsubItem, type Stanza } from "epode";

interface Reply {
  paste_id: number;
  reply_id: number;
  user: string;
}

const client = await connect("/http-bind", { domain: "example.org", anonymous: true });

const feed: Feed<Reply> = await client.pubsub.subscribe<Reply>("paste-replies:1", ({ value }) => {
  const user: string = value.user;
  void user;
  // @ts-expect-error: the sender says `user`; a page that reads `author` shows nothing, for ever.
  void value.author;
  // @ts-expect-error: a number is not a string.
  const id: string = value.reply_id;
  void id;
});
feed.on("item", (item: PubsubItem<Reply>) => {
  // @ts-expect-error: the same by a listener,
  void item.value.author;
});
for await (const { value } of feed) {
  // @ts-expect-error: in a loop,
  void value.author;
}
for (const { value } of await client.pubsub.items<Reply>("paste-replies:1")) {
  // @ts-expect-error: and of what a node holds.
  void value.author;
}

// A decoder of the page's own says what its items are.
const decode = (payload: Stanza): { title: string } => ({ title: payload.text("title") ?? "" });
await client.pubsub.subscribe("/blog/Post", ({ value }) => void value.title.length, { decode });
const posts = await client.pubsub.subscribe("/blog/Post", { decode });
posts.on("item", ({ value }) => {
  // @ts-expect-error: a decoded value has the fields that the decoder makes.
  void value.body;
});

// Where the page says nothing, it has to look.
await client.pubsub.subscribe("/blog/Post", ({ value, format, via }) => {
  // @ts-expect-error: unknown until looked at.
  void value.title;
  // @ts-expect-error: not one of the formats.
  void (format === "yaml");
  void (via === "live");
});

// What epode decodes has types of its own, and what it makes can be published.
await client.pubsub.subscribe<DjangoObject<{ title: string; tags: string[] }>>("/blog/Post", ({ value }) => {
  void value.fields.title.length;
  void value.pk?.length;
  // @ts-expect-error: not a field of this model.
  void value.fields.author;
});
await client.pubsub.subscribe<AtomEntry>("/blog/Post", ({ value }) => {
  void value.updated?.getTime();
  // @ts-expect-error: it may be missing.
  void value.title.length;
});
await client.pubsub.publish("/blog/Post", json({ user: "romeo" }));
await client.pubsub.publish("/blog/Post", atom({ title: "new", updated: new Date(), authors: [{ name: "Romeo" }] }));
// @ts-expect-error: content that is published is text.
atom({ content: client });
