// What lives how long, in a page and in Node: with a garbage collector that can be asked for (`gc`).
import { localService } from "./service.js";

const LOCAL = { domain: "local.example", anonymous: true };
const task = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Collects all that can be collected, and lets the finalizers run. */
export async function collect(gc, rounds = 3) {
  for (let round = 0; round < rounds; round += 1) {
    await task();
    gc();
    await task();
  }
}

/** Counts what is collected, by kind. */
export function census(gc) {
  const made = {};
  const gone = {};
  const registry = new FinalizationRegistry((kind) => (gone[kind] = (gone[kind] ?? 0) + 1));
  return {
    watch(kind, object) {
      made[kind] = (made[kind] ?? 0) + 1;
      registry.register(object, kind);
    },
    /** What is left of each kind once nothing more goes. */
    async left() {
      const count = () => Object.fromEntries(Object.entries(made).map(([kind, all]) => [kind, all - (gone[kind] ?? 0)]));
      let before;
      for (let idle = 0; idle < 5; idle += 1) {
        await collect(gc, 2);
        const now = JSON.stringify(count());
        if (now !== before) idle = 0;
        before = now;
      }
      return count();
    },
  };
}

/** The module's memory, in bytes: `watchMemory()` before the module is loaded. */
export function watchMemory() {
  let memory;
  const note = ({ exports }, imports) => {
    // Node's own fetch has a module as well, which imports from `env`.
    if (!("env" in imports)) memory = Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
  };
  const { instantiate, Instance } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const result = await instantiate.apply(WebAssembly, args);
    note(result.instance ?? result, args[1]);
    return result;
  };
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      note(this, args[1]);
    }
  };
  return () => memory.buffer.byteLength;
}

/** Everything that a page may give a client, referring to that client: none of it may keep it. */
function entangle(epode, service, options, bound) {
  const page = { seen: 0 };
  const client = new epode.Client(service, {
    ...options,
    ...bound(page),
    memory: { get: () => (page.client, undefined), set: () => page.client },
  });
  page.client = client;
  page.registrations = [
    client.addHandler(() => (page.seen += client.status.length), { name: "message" }),
    client.addHandler(() => client.send("<presence/>"), { name: "iq", ns: "urn:test" }),
    client.on("status", () => (page.seen += 1, client)),
    client.on("error", () => client),
  ];
  return client;
}

const nothing = () => ({});

/** Sizes of the module's memory are compared from here on: it has grown to what the work needs at a time. */
const settledSize = (sizes) => sizes[Math.ceil(sizes.length / 4)];

/** Clients that are made and dropped, `count` of each kind; the memory after the first 600, and in the end. */
export async function madeAndDropped(epode, gc, memory, count) {
  const { watch, left } = census(gc);
  await epode.init();
  const make = () => {
    watch("client", entangle(epode, "https://local.example/bosh", LOCAL, nothing));
    const secret = (page) => ({ password: () => page.client.status });
    watch("client", entangle(epode, "wss://local.example/ws", { jid: "a@local.example" }, secret));
  };
  // More at a time than later, whenever their finalizers run: the memory has room for that from here on.
  for (let made = 0; made < 300; made += 1) make();
  await left();
  const first = memory();
  for (let made = 0; made < count; made += 1) {
    make();
    if (made % 100 === 99) await collect(gc, 1);
  }
  return { left: await left(), first, last: memory() };
}

/** Clients that were connected, online, and disconnected, in groups of `group`. */
export async function connectedAndDropped(epode, gc, memory, count, over, group = 50) {
  const { watch, left } = census(gc);
  const { fetch, WebSocket, counts, open } = localService();
  const service = over === "ws" ? "wss://local.example/ws" : "https://local.example/bosh";
  await epode.init();
  const live = async (number) => {
    const client = entangle(epode, service, LOCAL, (page) => ({
      fetch: (...args) => (page.client, fetch(...args)),
      WebSocket: class extends WebSocket {
        page = page;
      },
    }));
    watch("client", client);
    const signal = new AbortController().signal;
    await client.connect({ signal });
    if (client.status !== "online") throw new Error(client.status);
    const { pubsub, muc } = client;
    pubsub.onPersonalEvent("node", () => client, { decode: () => client });
    watch("pubsub", pubsub);
    watch("muc", muc);
    // Each way out: asked for, at once, and by the service.
    if (number % 5 === 0) client.free();
    else await client.disconnect();
    // And once more, for some.
    if (number % 5 === 1) {
      await client.connect();
      await client.disconnect();
    }
  };
  const sizes = [];
  for (let made = 0; made < count; made += group) {
    await Promise.all(Array.from({ length: Math.min(group, count - made) }, (_, index) => live(made + index)));
    await collect(gc, 1);
    sizes.push(memory());
  }
  return { left: await left(), first: settledSize(sizes), last: memory(), sessions: counts.sessions, open: open() };
}

/** Clients whose connecting fails: nobody is there, the password function never answers, it is given up. */
export async function failedAndDropped(epode, gc, count) {
  const { watch, left } = census(gc);
  await epode.init();
  const { fetch } = localService();
  const ways = [
    async (client) => client.connect(),
    async (client) => {
      const controller = new AbortController();
      const connecting = client.connect({ signal: controller.signal });
      setTimeout(() => controller.abort(), 1);
      await connecting;
    },
    async (client) => {
      const connecting = Promise.allSettled([client.connect()]);
      await task();
      client.disconnect();
      const [{ reason }] = await connecting;
      throw reason;
    },
    async (client) => {
      const connecting = client.connect();
      client.free();
      await connecting;
    },
  ];
  const outcomes = {};
  const refused = () => Promise.reject(new TypeError("Failed to fetch"));
  const silent = () => new Promise(() => {});
  const never = (page) => ({ password: () => (page.client, new Promise(() => {})) });
  // In a function of its own: what a frame refers to is not collected.
  const fail = async (made) => {
    const entangled = [
      entangle(epode, "https://local.example/bosh", LOCAL, (page) => ({ fetch: () => (page.client, refused()) })),
      entangle(epode, "https://local.example/bosh", LOCAL, (page) => ({ fetch: () => (page.client, silent()) })),
      entangle(epode, "https://local.example/bosh", { jid: "a@local.example", allowPlainText: true }, (page) => ({ ...never(page), fetch })),
    ];
    for (const [index, client] of entangled.entries()) {
      watch("client", client);
      // Of one that gets no answer, connecting ends only when it is given up.
      const way = index === 0 ? made % ways.length : 1 + (made % 3);
      const code = await ways[way](client).then(() => "online", ({ code }) => code);
      outcomes[code] = (outcomes[code] ?? 0) + 1;
    }
  };
  for (let made = 0; made < count; made += 1) await fail(made);
  return { left: await left(), outcomes };
}

// ── what lives on ────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is heard, by kind; `until` waits for a kind and a value. */
export function ear(limit = 30_000) {
  const got = [];
  let waiting = [];
  const has = (kind, value) => got.some(([one, other]) => one === kind && other === value);
  const hear = (kind, value) => {
    got.push([kind, value]);
    waiting = waiting.filter(({ wants, resolve }) => !(has(...wants) && (resolve(), true)));
  };
  const until = (kind, value) =>
    new Promise((resolve, reject) => {
      if (has(kind, value)) return resolve();
      waiting.push({ wants: [kind, value], resolve });
      setTimeout(() => reject(new Error(`not heard: ${kind} ${value}; heard: ${JSON.stringify(got)}`)), limit).unref?.();
    });
  return { got, hear, until };
}

/**
 * Clients on a real server. Of each the page keeps what `keep` says ("nothing", "client", "feed", "room", "registration"), and
 * refers to nothing else of it: all of them hear everything.
 */
export async function leftAlone(epode, gc, { service, keep, accounts, other, node, room, options = {} }) {
  const { hear, got, until } = ear();
  const kept = [];
  const jids = [];
  const begin = async (what, account) => {
    const client = new epode.Client(service, { ...account, ...options });
    const registration = client.addHandler((stanza) => hear(`${what} kept: handler`, stanza.text("body")), { name: "message", type: "chat" });
    // Ends it, with all that keeps Node running. Nothing but this callback refers to the client.
    client.addHandler(() => client.disconnect().then(() => hear(`${what} kept: status`, client.status)), { name: "message", ns: "urn:test:end" });
    await client.connect();
    jids.push(client.jid);
    await client.pubsub.subscribe(node, ({ id }) => hear(`${what} kept: callback`, id));
    const feed = await client.pubsub.subscribe(node);
    feed.on("item", ({ id }) => hear(`${what} kept: feed`, id));
    (await client.pubsub.subscribe(node)).on("batch", (changes) => changes.forEach(({ item }) => hear(`${what} kept: batch`, item?.id)));
    (async () => {
      for await (const { id } of await client.pubsub.subscribe(node)) hear(`${what} kept: loop`, id);
    })();
    const joined = await client.muc.join(room, `nick of ${what}`);
    joined.on("message", ({ body }) => hear(`${what} kept: room`, body));
    // The loop has subscribed as well.
    await client.pubsub.items(node);
    kept.push({ nothing: undefined, client, feed, room: joined, registration }[what]);
  };
  const speaker = await epode.connect(service, { ...other, ...options });
  await speaker.pubsub.createNode(node);
  const mine = await speaker.muc.join(room, "speaker");
  for (const [index, what] of keep.entries()) await begin(what, accounts[index]);
  for (const round of ["one", "two"]) {
    await collect(gc, 5);
    await speaker.pubsub.publish(node, epode.xml`<entry xmlns="urn:test"/>`, { id: round });
    await mine.send(round);
    await Promise.all(jids.map((to) => speaker.send(epode.xml`<message to="${to}" type="chat"><body>${round}</body></message>`)));
    for (const what of keep) {
      for (const kind of ["handler", "callback", "feed", "batch", "loop", "room"]) await until(`${what} kept: ${kind}`, round);
    }
  }
  for (const to of jids) await speaker.send(epode.xml`<message to="${to}"><end xmlns="urn:test:end"/></message>`);
  for (const what of keep) await until(`${what} kept: status`, "offline");
  // Kept to the end.
  if (kept.length !== keep.length) throw new Error("not all began");
  await speaker.disconnect();
  return got.length;
}

/** A client that nothing refers to: while it connects, while it waits to reconnect, while it disconnects. */
export async function leftAloneInBetween(epode, gc, over) {
  const service = localService();
  const { fetch, WebSocket } = service;
  const { hear, until, got } = ear();
  const { watch, left } = census(gc);
  let isOver = false;
  const begin = (name) => {
    const reconnect = { least: 1, most: 20 };
    const client = new epode.Client(over === "ws" ? "wss://local.example/ws" : "https://local.example/bosh", { ...LOCAL, fetch, WebSocket, reconnect });
    watch("client", client);
    client.on("status", ({ status, resumed }) => {
      hear(name, resumed === undefined ? status : `${status}, resumed: ${resumed}`);
      if (status === "online" && name === "leaves") client.disconnect();
      if (status === "reconnecting" && isOver) client.disconnect();
    });
    client.connect().then(() => hear(name, "connected"));
  };
  service.hold();
  begin("stays");
  await until("stays", "connecting");
  await collect(gc, 5);
  service.release();
  await until("stays", "connected");
  await collect(gc, 5);
  service.hold();
  service.cut();
  await until("stays", "reconnecting");
  await collect(gc, 5);
  got.length = 0;
  service.release();
  await until("stays", "online, resumed: false");
  begin("leaves");
  await until("leaves", "disconnecting");
  await collect(gc, 5);
  await until("leaves", "offline");
  const online = (await left()).client;
  isOver = true;
  service.cut();
  await until("stays", "offline");
  return { online, offline: (await left()).client };
}

// ── what goes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Clients that are made, asked to connect, and given up, before the module is loaded. */
export async function madeEarlyAndDropped(epode, gc, count) {
  const { watch, left } = census(gc);
  const make = (number) => {
    const client = entangle(epode, "https://local.example/bosh", LOCAL, nothing);
    watch("client", client);
    if (number % 10 === 0) {
      client.connect().catch(() => client);
      if (number % 20 === 0) client.disconnect();
      else client.free();
    }
  };
  for (let made = 0; made < count; made += 1) make(made);
  return left();
}

/** Feeds and rooms that refer to themselves and to their client by all that the page gives them. */
export async function endedAndDropped(epode, gc, service, account, { node, room }) {
  const { watch, left } = census(gc);
  const live = async (client, way) => {
    watch("client", client);
    const page = { client };
    const feed = await client.pubsub.subscribe(node, () => page, { decode: () => page.feed, signal: new AbortController().signal });
    watch("feed", feed);
    page.feed = feed;
    feed.on("retract", () => feed);
    feed.on("end", () => client);
    // Items that are kept because nothing listens to them, and one that is read, refer to the decoder.
    const silent = await client.pubsub.subscribe(node, { decode: () => silent });
    watch("feed", silent);
    const looped = await client.pubsub.subscribe(node);
    watch("feed", looped);
    const loop = (async () => {
      for await (const item of looped) page.item = [item, looped];
    })();
    const joined = await client.muc.join(room, "romeo");
    watch("room", joined);
    joined.on("message", () => [joined, client]);
    joined.on("out", () => joined);
    await client.pubsub.items(node);
    if (way === "offline") {
      await client.disconnect();
    } else {
      feed.close();
      await silent.unsubscribe();
      looped.close();
      await joined.leave();
    }
    await loop;
  };
  const client = await epode.connect(service, account);
  await client.pubsub.createNode(node);
  for (let number = 0; number < 3; number += 1) await client.pubsub.publish(node, epode.xml`<entry xmlns="urn:test"/>`, { id: String(number) });
  await live(client, "ended");
  const { feed, room: rooms } = await left();
  const online = { feed, room: rooms };
  await client.disconnect();
  const again = async () => live(await epode.connect(service, account), "offline");
  await again();
  const { client: clients, ...offline } = await left();
  // The first client is this function's.
  return { online, offline: { ...offline, client: clients - 1 } };
}
