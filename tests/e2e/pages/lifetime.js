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
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const result = await instantiate.apply(WebAssembly, args);
    memory = (result.instance ?? result).exports.memory;
    return result;
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

/** Clients that are made and dropped. `count` of them; the memory after a tenth of them, and in the end. */
export async function madeAndDropped(epode, gc, memory, count) {
  const { watch, left } = census(gc);
  await epode.init();
  let first;
  for (let made = 0; made < count; made += 1) {
    watch("client", entangle(epode, "https://local.example/bosh", LOCAL, nothing));
    const secret = (page) => ({ password: () => page.client.status });
    watch("client", entangle(epode, "wss://local.example/ws", { jid: "a@local.example" }, secret));
    if (made % 200 === 199) await collect(gc, 1);
    if (made === Math.floor(count / 10)) first = memory();
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
  return { left: await left(), first: sizes[Math.floor(sizes.length / 10)], last: memory(), sessions: counts.sessions, open: open() };
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
