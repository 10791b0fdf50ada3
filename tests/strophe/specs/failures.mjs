// What a page is told when something goes wrong below the login.

import { Client, turn } from "./client.mjs";

/** Connects; sends a presence once it is connected, which is what the scripts wait for. */
function failing(name, script, { over, member = "connect", options, before } = {}) {
  return {
    member: `Connection.${member}`,
    name,
    over,
    async run(world) {
      const client = new Client(world, script, options);
      await before?.(client, world.lib);
      client.connect();
      await client.rest();
      if (client.statuses.includes("CONNECTED")) {
        client.connection.send(world.lib.$pres());
        await client.reached("DISCONNECTED");
      }
      await turn();
      await client.end();
      const { authenticated, connected, disconnecting } = client.connection;
      return { seen: client.seen, state: { authenticated, connected, disconnecting } };
    },
  };
}

const BOSH = ["bosh"];
const SOCKET = ["ws"];
const BOTH = ["bosh", "ws"];

export const specs = [
  failing("the session is ended", "terminate", { over: BOSH }),
  failing("the session is ended, with a condition", "terminate-condition", { over: BOSH }),
  failing("the session is ended by a conflict", "terminate-conflict", { over: BOSH }),
  failing("no session", "terminate-at-open", { over: BOSH }),
  failing("no session, without a condition", "terminate-at-open-bare", { over: BOSH }),
  failing("no session, but at another address", "see-other-uri", { over: BOSH }),
  failing("a stream error", "stream-error", { over: SOCKET }),
  failing("a stream error at once", "stream-error-at-open", { over: SOCKET }),
  failing("status 404 at once", "status-404-at-open", { over: BOSH }),
  failing("status 404", "status-404-online", { over: BOSH }),
  failing("status 403", "status-403-online", { over: BOSH }),
  failing("no XML at once", "not-xml-at-open", { over: BOSH }),
  failing("broken XML", "not-xml-online", { over: BOSH }),
  failing("HTML at once", "html-at-open", { over: BOSH }),
  failing("the socket breaks at once", "ws-drop-at-open", { over: SOCKET }),
  failing("the socket breaks", "ws-drop", { over: SOCKET }),
  failing("the stream is closed", "ws-close", { over: SOCKET }),
  failing("the stream is closed at once", "ws-close-at-open", { over: SOCKET }),
  failing("a wrong version", "ws-wrong-version", { over: SOCKET }),
  failing("no version", "ws-no-version", { over: SOCKET }),
  {
    member: "Connection.connect",
    name: "another address",
    over: SOCKET,
    async run(world) {
      const client = new Client(world, "ws-other-uri");
      await client.online();
      const { service } = client.connection;
      await client.end();
      return { seen: client.seen, moved: service.includes("/plain/") };
    },
  },
  {
    member: "Connection.connect",
    name: "status 503 is repeated",
    over: BOSH,
    async run(world) {
      const client = await new Client(world, "status-503-once").online();
      await client.said("<message xmlns='jabber:client'/>");
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.addProtocolErrorHandler",
    name: "status 404",
    over: BOSH,
    async run(world) {
      const client = new Client(world, "status-404-at-open");
      const got = [];
      client.connection.addProtocolErrorHandler("HTTP", 404, function (status) {
        got.push([status, this === client.connection._proto]);
      });
      client.connect();
      await client.rest();
      await client.end();
      return { got, seen: client.seen };
    },
  },
  {
    member: "Bosh.lastResponseHeaders",
    name: "of a failure",
    over: BOSH,
    async run(world) {
      const client = new Client(world, "status-404-at-open");
      client.connect();
      await client.rest();
      await client.end();
      return /x-parity: yes/i.test(client.connection._proto.lastResponseHeaders);
    },
  },
  {
    member: "Connection.connect",
    name: "an address where nothing is",
    over: SOCKET,
    async run(world) {
      const client = new Client(world, "plain", {}, "ws://127.0.0.1:1/");
      client.connect();
      await client.rest();
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.disconnect",
    name: "before connect",
    over: BOTH,
    async run(world) {
      const client = new Client(world);
      client.connection.connect_callback = client.status;
      client.connection.disconnect("why");
      await turn();
      return client.seen;
    },
  },
  {
    member: "Connection.disconnect",
    name: "during the login",
    over: BOTH,
    async run(world) {
      const client = new Client(world);
      client.connect();
      client.connection.disconnect("at once");
      await client.reached("DISCONNECTED");
      return client.seen;
    },
  },
  {
    member: "Connection.disconnect",
    name: "the server does not answer",
    over: BOSH,
    async run(world) {
      const client = await new Client(world, "no-good-bye").online(undefined, undefined, undefined, undefined, undefined, undefined, 300);
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.disconnect",
    name: "with a reason",
    over: BOTH,
    async run(world) {
      const client = await new Client(world).online();
      await client.end("the reason");
      return { seen: client.seen, wire: await client.wire() };
    },
  },
  {
    member: "Connection.disconnect",
    name: "what was sent before still leaves",
    over: BOTH,
    async run(world) {
      const client = await new Client(world).online();
      client.connection.send(world.lib.$msg({ to: "a@b" }).c("body").t("last"));
      client.connection.disconnect();
      await client.reached("DISCONNECTED");
      return client.wire();
    },
  },
];
