// Everything once, with nothing but what is given: the same in a page, in a worker, in Node.

/** A promise of one call of a callback. */
function one(register) {
  return new Promise((resolve) => register(resolve));
}

export async function flow({ Client, connect, register, xml }, { service, account, stranger, domain, conference, unique }) {
  const result = {};
  await register(service, { domain, ...stranger });
  const client = await connect(service, account);
  result.online = client.status;

  const echo = one((resolve) => client.addHandler(resolve, { name: "message", type: "chat" }));
  await client.send(xml`<message to="${client.jid}" type="chat"><body>${"a <&> ü 😀"}</body></message>`);
  const message = await echo;
  result.echo = message.text("body");
  result.same = message.from === client.jid;

  const node = await client.pubsub.createNode(unique);
  const item = one((resolve) => client.pubsub.subscribe(node, resolve).then((feed) => (result.feed = feed.state)));
  const loop = (async () => {
    for await (const { id } of await client.pubsub.subscribe(node)) return id;
  })();
  // Subscribed before it is published: requests of one client are answered in order.
  await client.pubsub.items(node);
  await client.pubsub.publish(node, xml`<entry xmlns="urn:example:feed">${"new"}</entry>`, { id: "i1" });
  const { id, payload, receivedAt } = await item;
  result.item = [id, payload.text(), receivedAt instanceof Date];
  result.loop = await loop;

  const room = await client.muc.join(`${unique}@${conference}`, "nick");
  const heard = one((resolve) => room.on("message", resolve));
  await room.send("hello");
  result.room = [(await heard).body, (await heard).own, [...room.occupants.keys()]];
  await room.leave();
  await client.disconnect();
  result.offline = client.status;

  const wrong = new Client(service, { ...account, password: "wrong" });
  result.wrong = await wrong.connect().then(
    () => "connected",
    (error) => [error instanceof Error, error.name, error.code, error.condition],
  );
  wrong.free();
  client.free();
  return result;
}

/** What comes of it, wherever it runs. */
export const EXPECTED = {
  online: "online",
  echo: "a <&> ü 😀",
  same: true,
  feed: "subscribed",
  item: ["i1", "new", true],
  loop: "i1",
  room: ["hello", true, ["nick"]],
  offline: "offline",
  wrong: [true, "XmppError", "auth-failed", "not-authorized"],
};
