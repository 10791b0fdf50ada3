// What a page says before the module is loaded, and what it takes back in the same turn, counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { at } from "../../scripts/lib/project.mjs";
import { environment } from "./support.mjs";

const env = environment();

/** How long the module's file takes, in milliseconds; 0: it is loaded before anything is said. */
const DELAYS = [0, 700];

/** A page in which the module's file takes its time. */
async function slowPage(delay) {
  const page = await env.page();
  await page.route("**/epode_bg.wasm", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, delay));
    // The page may be gone by then.
    await route.continue().catch(() => {});
  });
  await page.evaluate(async () => Object.assign(window, await import("/service.js")));
  if (delay === 0) await page.evaluate(() => epode.init());
  return page;
}

for (const delay of DELAYS) {
  const when = delay === 0 ? "with the module loaded" : "before the module is loaded";

  test(`connect() or attach() cancelled in the same turn, ${when}: nothing is sent, and a later connect() works`, async () => {
    const page = await slowPage(delay);
    const results = await page.evaluate(async () => {
      const session = { jid: "a@local.example/b", sid: "s", rid: 7 };
      const ways = {
        "connect, disconnect": (client) => [client.connect(), client.disconnect()],
        "attach, disconnect": (client) => [client.attach(session), client.disconnect()],
        "connect, disconnect, twice": (client) => [client.connect(), client.disconnect(), client.connect(), client.disconnect()],
        "disconnect, connect, disconnect": (client) => [client.disconnect(), client.connect(), client.disconnect()],
        "connect, disconnect, disconnect": (client) => [client.connect(), client.disconnect(), client.disconnect()],
        "connect, with a signal": (client) => {
          const controller = new AbortController();
          const connecting = client.connect({ signal: controller.signal });
          controller.abort("enough");
          return [connecting];
        },
        "connect, with a signal that is aborted": (client) => [client.connect({ signal: AbortSignal.abort("enough") })],
        "attach, with a signal": (client) => {
          const controller = new AbortController();
          const attaching = client.attach({ ...session, signal: controller.signal });
          controller.abort("enough");
          return [attaching];
        },
      };
      const results = {};
      for (const over of ["https://local.example/bosh", "wss://local.example/ws"]) {
        for (const [way, act] of Object.entries(ways)) {
          const { fetch, WebSocket, counts, open } = localService();
          const client = new epode.Client(over, { domain: "local.example", anonymous: true, fetch, WebSocket });
          const statuses = [];
          client.on("status", ({ status }) => statuses.push(status));
          const settled = await within(Promise.allSettled(act(client)), way);
          const errors = settled.map(({ reason }) => reason && `${reason.code}${reason.cause ? `: ${reason.cause}` : ""}`);
          const left = counts.requests + counts.sockets;
          await epode.init();
          // If anything of it came later, it would be here.
          for (let turn = 0; turn < 5; turn += 1) await nextTask();
          const before = { errors, status: client.status, left, later: counts.requests + counts.sockets, statuses: [...statuses] };
          await within(client.connect(), "a later connect()");
          const online = client.status;
          await client.disconnect();
          results[`${over.slice(0, 3)}: ${way}`] = { ...before, online, offline: client.status, sessions: counts.sessions, open: open() };
        }
      }
      return results;
    });
    assert.equal(Object.keys(results).length, 16);
    for (const [way, result] of Object.entries(results)) {
      const { errors, ...rest } = result;
      const expected = /signal/.test(way) ? "aborted: enough" : "disconnected";
      assert.ok(errors.filter(Boolean).length >= 1 && errors.filter(Boolean).every((error) => error === expected), `${way}: ${errors}`);
      assert.deepEqual(rest, { status: "offline", left: 0, later: 0, statuses: [], online: "online", offline: "offline", sessions: 1, open: 0 }, way);
    }
  });

  test(`connect(), disconnect() and connect() in one turn, ${when}: one session`, async () => {
    const page = await slowPage(delay);
    const results = await page.evaluate(async () => {
      const results = [];
      for (const service of ["https://local.example/bosh", "wss://local.example/ws"]) {
        const { fetch, WebSocket, counts, open } = localService();
        const client = new epode.Client(service, { domain: "local.example", anonymous: true, fetch, WebSocket });
        const first = failure(client.connect());
        client.disconnect();
        const second = failure(client.connect());
        client.disconnect();
        const third = client.connect();
        const fourth = failure(client.connect());
        await within(third, "the third connect()");
        const codes = [(await first).code, (await second).code, (await fourth).code];
        const sessions = counts.sessions;
        // From online, in one turn.
        client.disconnect();
        const again = client.connect();
        await within(again, "connect() behind disconnect()");
        results.push({ codes, sessions, status: client.status, open: open() });
        await client.disconnect();
      }
      return results;
    });
    for (const result of results) {
      assert.deepEqual(result, { codes: ["disconnected", "disconnected", "already-connected"], sessions: 1, status: "online", open: 1 });
    }
  });

  test(`disconnect(), free() and abort() at any time while connecting, ${when}: offline, and no session remains`, async () => {
    const page = await slowPage(delay);
    const results = await page.evaluate(async () => {
      const results = [];
      for (const service of ["https://local.example/bosh", "wss://local.example/ws"]) {
        for (const way of ["disconnect", "free", "abort"]) {
          for (let moment = 0; moment < 30; moment += 1) {
            const { fetch, WebSocket, counts, open } = localService();
            const client = new epode.Client(service, { domain: "local.example", anonymous: true, fetch, WebSocket });
            const controller = new AbortController();
            const connecting = client.connect({ signal: controller.signal }).then(() => "online", ({ code }) => code);
            for (let turn = 0; turn < moment; turn += 1) await undefined;
            if (way === "abort") controller.abort();
            else await client[way]();
            const code = await within(connecting, `${way} at ${moment}`);
            for (let turn = 0; turn < 3; turn += 1) await nextTask();
            const { requests } = counts;
            await nextTask();
            results.push({ way, moment, code, status: client.status, quiet: counts.requests === requests, sockets: service.startsWith("wss") ? open() : 0 });
            client.free();
          }
        }
      }
      return results;
    });
    const codes = { disconnect: ["disconnected"], free: ["freed"], abort: ["aborted"] };
    for (const { way, moment, code, ...rest } of results) {
      // A login over this WebSocket takes nine microtasks: after them connect() has done what it was asked for.
      const done = code === "online" && moment >= 8;
      assert.ok(done || codes[way].includes(code), `${way} at ${moment}: ${code}`);
      if (done && way === "abort") assert.deepEqual(rest, { status: "online", quiet: true, sockets: 1 });
      else assert.deepEqual(rest, { status: "offline", quiet: true, sockets: 0 }, `${way} at ${moment}`);
    }
  });
}

test("an abort does not wait for the module: every function that loads it", async () => {
  const page = await env.page();
  // It never comes.
  await page.route("**/epode_bg.wasm", () => {});
  const codes = await page.evaluate(async () => {
    const LOGIN = { jid: "a@b.example", password: "x" };
    const SESSION = { jid: "a@b.example/c", sid: "s", rid: 1 };
    const { Client } = epode;
    const codes = {};
    const aborting = {
      "Client.connect": (signal) => new Client(BOSH, LOGIN).connect({ signal }),
      "Client.attach": (signal) => new Client(BOSH, SESSION).attach({ ...SESSION, signal }),
      connect: (signal) => epode.connect(BOSH, { ...LOGIN, signal }),
      attach: (signal) => epode.attach(BOSH, { ...SESSION, signal }),
      register: (signal) => epode.register(BOSH, { domain: "b.example", username: "a", password: "x", signal }),
      discover: (signal) => epode.discover("b.example", { signal }),
    };
    for (const [name, act] of Object.entries(aborting)) {
      const controller = new AbortController();
      const failed = failure(act(controller.signal));
      await nextTask();
      controller.abort();
      codes[name] = (await failed).code;
    }
    for (const way of ["disconnect", "free"]) {
      const client = new Client(BOSH, LOGIN);
      const removed = client.addHandler(() => {});
      const failed = failure(client.connect());
      await nextTask();
      await client[way]();
      removed.remove();
      codes[way] = (await failed).code;
    }
    const freed = new Client(BOSH, LOGIN);
    freed.free();
    codes["connect after free"] = (await failure(freed.connect())).code;
    codes["attach after free"] = (await failure(freed.attach(SESSION))).code;
    await freed.disconnect();
    const { Juggernaut } = await import("/epode/juggernaut.js");
    const { PubSubClient } = await import("/epode/pubsub-client.js");
    const jug = new Juggernaut({ service: BOSH, domain: "b.example" });
    const told = [];
    jug.on("error", (error) => told.push(error.code));
    const failed = failure(jug.connect());
    jug.disconnect();
    codes.juggernaut = (await failed).code;
    const old = new PubSubClient({ bosh_service: BOSH, domain: "b.example", error_cb: (error) => told.push(error.code) });
    await old.disconnect();
    codes.pubsubClient = (await failure(old.ready)).code;
    return { codes, told };
  });
  assert.deepEqual(codes, {
    codes: {
      "Client.connect": "aborted",
      "Client.attach": "aborted",
      connect: "aborted",
      attach: "aborted",
      register: "aborted",
      discover: "aborted",
      disconnect: "disconnected",
      free: "freed",
      "connect after free": "freed",
      "attach after free": "freed",
      juggernaut: "aborted",
      pubsubClient: "aborted",
    },
    told: [],
  });
});

test("a Juggernaut page that connects, disconnects and connects in one turn is connected", async () => {
  for (const delay of DELAYS) {
    const page = await slowPage(delay);
    const { anonymousDomain, pubsub, conference } = env.names;
    const result = await page.evaluate(
      async ([domain, pubsub_service, muc_service]) => {
        const { Juggernaut } = await import("/epode/juggernaut.js");
        const jug = new Juggernaut({ service: BOSH, domain, pubsub_service, muc_service });
        const events = [];
        for (const event of ["connect", "disconnect", "reconnect"]) jug.on(event, () => events.push(event));
        const first = failure(jug.connect());
        jug.disconnect();
        await within(jug.connect(), "the second connect()");
        const { code } = await first;
        const seen = [...events];
        await jug.disconnect();
        return { code, seen };
      },
      [anonymousDomain, pubsub, conference],
    );
    assert.deepEqual(result, { code: "aborted", seen: ["connect"] });
  }
});

// ── React ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A page's component, in React's StrictMode, which mounts, unmounts and mounts it again in one turn. */
const COMPONENT = `
  import { StrictMode, createElement, useEffect, useRef } from "react";
  import { createRoot } from "react-dom/client";
  import { Client, connect } from "epode";

  async function watch(client, { node, room, seen }) {
    await client.pubsub.subscribe(node, ({ id }) => seen.items.push(id));
    const joined = await client.muc.join(room, "romeo");
    seen.room = joined;
    seen.done();
  }

  const EFFECTS = {
    // A client for each mount.
    client({ service, account, ...rest }) {
      const client = new Client(service, account);
      client.connect().then(() => watch(client, rest)).catch(({ code }) => rest.seen.codes.push(code));
      return () => client.disconnect();
    },
    // One client for all.
    shared({ service, account, ...rest }, kept) {
      const client = (kept.current ??= new Client(service, account));
      client.connect().then(() => watch(client, rest)).catch(({ code }) => rest.seen.codes.push(code));
      return () => client.disconnect();
    },
    // connect() with a signal.
    signal({ service, account, ...rest }) {
      const controller = new AbortController();
      connect(service, { ...account, signal: controller.signal }).then((client) => watch(client, rest)).catch(({ code }) => rest.seen.codes.push(code));
      return () => controller.abort();
    },
  };

  function Live(props) {
    const kept = useRef();
    useEffect(() => {
      props.seen.mounts += 1;
      return EFFECTS[props.way](props, kept);
    }, []);
    return null;
  }

  export function mount(props) {
    createRoot(document.body.appendChild(document.createElement("div"))).render(createElement(StrictMode, null, createElement(Live, props)));
  }
`;

async function bundledComponent() {
  const { outputFiles } = await build({
    stdin: { contents: COMPONENT, resolveDir: at(".") },
    bundle: true,
    write: false,
    format: "esm",
    external: ["epode"],
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

for (const delay of DELAYS) {
  for (const way of ["client", "shared", "signal"]) {
    test(`React's StrictMode, ${way}, the module ${delay === 0 ? "loaded" : `delayed by ${delay} ms`}: one session, one subscription, one occupant`, async () => {
      const script = await bundledComponent();
      const file = env.route(({ response }) => response.writeHead(200, { "Content-Type": "text/javascript" }).end(script));
      const [owner, account] = await env.accounts(2);
      const ids = { node: env.name("strict"), room: `strict-${env.name()}@${env.names.conference}` };
      const observer = await env.page();
      await observer.evaluate(
        async ([owner, { node, room }]) => {
          const client = await epode.connect(BOSH, owner);
          await client.pubsub.createNode(node);
          Object.assign(window, { client, room: await client.muc.join(room, "owner") });
        },
        [owner, ids],
      );
      const page = await slowPage(delay);
      const result = await page.evaluate(
        async ([file, way, account, ids]) => {
          const { bodies } = watchRequests();
          const made = [];
          const Real = window.WebSocket;
          window.WebSocket = class extends Real {
            constructor(...args) {
              super(...args);
              made.push(args[0]);
            }
          };
          const { mount } = await import(file);
          const seen = { mounts: 0, codes: [], items: [] };
          window.seen = seen;
          const done = new Promise((resolve) => (seen.done = resolve));
          mount({ service: BOSH, account, way, seen, ...ids });
          await within(done, "the component is there");
          for (let turn = 0; turn < 20; turn += 1) await nextTask();
          return { mounts: seen.mounts, codes: seen.codes, sessions: bodies.filter((body) => !body.includes(" sid=")).length + made.length };
        },
        [file, way, account, ids],
      );
      assert.deepEqual(result, { mounts: 2, codes: [way === "signal" ? "aborted" : "disconnected"], sessions: 1 });
      const there = await observer.evaluate(
        async ([account, { node }]) => {
          const subscribers = await client.pubsub.subscribers(node);
          // What the server knows of the account: another session of it is told who is there.
          const other = new epode.Client(BOSH, account);
          const resources = new Set();
          other.addHandler(({ from }) => resources.add(from), { name: "presence" });
          await other.connect();
          const own = other.jid;
          // The second reply comes behind what initial presence brings.
          for (let turn = 0; turn < 2; turn += 1) {
            await nextTask();
            await other.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
          }
          resources.delete(own);
          // Our own unavailable presence comes back, too.
          const sessions = resources.size;
          await other.disconnect();
          return { occupants: [...room.occupants.keys()].sort(), subscribers: subscribers.length, sessions };
        },
        [account, ids],
      );
      assert.deepEqual(there, { occupants: ["owner", "romeo"], subscribers: 1, sessions: 1 });
      await observer.evaluate(({ node }) => client.pubsub.publish(node, epode.xml`<entry xmlns="urn:test"/>`, { id: "one" }), ids);
      await page.waitForFunction(() => seen.items.length > 0);
      assert.deepEqual(await page.evaluate(() => seen.items), ["one"]);
      await observer.evaluate(() => client.disconnect());
    });
  }
}
