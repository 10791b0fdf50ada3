// BOSH sessions that go on: attach(), restore(), keepalive; stream management over WebSocket.

import { Client, JID, connected, turn, until } from "./client.mjs";

const BOSH = ["bosh"];
const SOCKET = ["ws"];
const BOTH = ["bosh", "ws"];

/** A session that another program has made: `{ sid, rid }` of the next request. */
async function prebind(address) {
  let rid = 1000;
  let sid = "";
  const post = async (attributes, payload = "") => {
    const body = `<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='${(rid += 1)}'${sid && ` sid='${sid}'`}${attributes}>${payload}</body>`;
    const text = await (await fetch(address, { method: "POST", headers: { "Content-Type": "text/xml" }, body })).text();
    sid ||= /sid='([^']+)'/.exec(text)[1];
  };
  await post(" to='parity.example' wait='60' hold='1' ver='1.6' xmpp:version='1.0'");
  await post("", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
  await post(" xmpp:restart='true' to='parity.example'");
  await post("", "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  return { sid, rid: rid + 1 };
}

const attaching = [
  {
    member: "Connection.attach",
    name: "a session of another program",
    over: BOSH,
    async run(world) {
      const client = new Client(world);
      const { sid, rid } = await prebind(client.address);
      const before = (await client.wire({ ended: false })).length;
      const { connection } = client;
      connection.attach(JID, sid, rid, client.status, 60, 1, 5);
      await client.reached("ATTACHED");
      const { jid, domain, authenticated, connected: isConnected } = connection;
      const { wait, hold, window } = connection._proto;
      connection.addHandler(client.note("got"), null, "message", "chat");
      await client.said("<message xmlns='jabber:client' type='chat'/>");
      await client.end();
      return { seen: client.seen, state: { jid, domain, authenticated, isConnected, wait, hold, window }, wire: (await client.wire()).slice(before) };
    },
  },
  {
    member: "Connection.attach",
    name: "the rid as text",
    over: BOSH,
    async run(world) {
      const client = new Client(world);
      const { sid, rid } = await prebind(client.address);
      client.connection.attach(JID, sid, String(rid), client.status);
      await client.reached("ATTACHED");
      await client.said("<message xmlns='jabber:client' type='chat'/>");
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.attach",
    name: "no such session",
    over: BOSH,
    async run(world) {
      const client = new Client(world);
      client.connection.attach(JID, "gone", 5, client.status);
      client.connection.send(world.lib.$pres());
      await client.reached("DISCONNECTED");
      return client.seen;
    },
  },
  {
    member: "Connection.attach",
    name: "over another transport",
    over: SOCKET,
    run(world) {
      new Client(world).connection.attach(JID, "s", 1, () => {});
    },
  },
  {
    member: "Connection.attach",
    name: "to a shared worker that has no connection",
    where: "page",
    over: SOCKET,
    async run(world) {
      const client = new Client(world, "plain", { worker: "/npm/shared-connection-worker.js" });
      const { connection } = client;
      const order = [];
      client.onStatus = (status) => order.push(status);
      connection.attach(client.status);
      // Converse makes the promise that the status settles after the call.
      order.push("attach() has returned");
      await client.reached("ATTACHFAIL");
      return { order, seen: client.seen, flags: [connection.authenticated, connection.connected, connection.restored] };
    },
  },
  {
    member: "Connection.restore",
    name: "after the page was loaded anew",
    over: BOSH,
    alone: true,
    async run(world) {
      sessionStorage.removeItem("strophe-bosh-session");
      const before = await new Client(world, "plain", { keepalive: true }).online();
      await before.said("<message xmlns='jabber:client'/>");
      const kept = JSON.parse(sessionStorage.getItem("strophe-bosh-session"));
      // The page goes: its requests end without a word.
      before.connection.xmlInput = before.connection.rawInput = () => {};
      const isRid = kept.rid === before.connection._proto.rid || kept.rid === before.connection._proto.rid - 1;
      before.connection._proto._abortAllRequests();
      clearTimeout(before.connection._idleTimeout);
      before.connection.authenticated = false;
      const client = new Client(world, "plain", { keepalive: true }, before.address);
      client.connection.restore(JID, client.status);
      await client.reached("ATTACHED");
      const { restored } = client.connection;
      await client.said("<message xmlns='jabber:client'/>");
      await client.end();
      return { keys: Object.keys(kept).sort(), isRid, restored, seen: client.seen, after: sessionStorage.getItem("strophe-bosh-session") };
    },
  },
  {
    member: "Connection.restore",
    name: "another account",
    over: BOSH,
    alone: true,
    run(world) {
      sessionStorage.setItem("strophe-bosh-session", JSON.stringify({ jid: "other@b/c", rid: 5, sid: "s" }));
      try {
        new Client(world, "plain", { keepalive: true }).connection.restore(JID, () => {});
      } catch (error) {
        return [error.name, error.message];
      } finally {
        sessionStorage.removeItem("strophe-bosh-session");
      }
    },
  },
  {
    member: "Connection.restore",
    name: "nothing to restore",
    over: BOTH,
    alone: true,
    run(world) {
      sessionStorage.removeItem("strophe-bosh-session");
      try {
        new Client(world, "plain", { keepalive: true }).connection.restore(JID, () => {});
      } catch (error) {
        return [error.name, error.message];
      }
    },
  },
  {
    member: "Connection.nextValidRid",
    name: "counts",
    over: BOSH,
    async run(world) {
      const client = new Client(world, "only-plain");
      const rids = [];
      client.connection.nextValidRid = (rid) => rids.push(rid);
      await client.online();
      const steps = rids.slice(1).map((rid, index) => rid - rids[index]);
      await client.end();
      return { isUp: steps.length > 2 && steps.every((step) => step === 1) };
    },
  },
];

/** With memory of its own, so that specifications do not meet. */
const managed = (lib, more = {}) => ({ enableStreamManagement: true, streamManagement: { storage: new lib.Strophe.MemoryStorageBackend(), ...more } });

const management = [
  {
    member: "StreamManagement",
    name: "enabled, counted, acknowledged",
    over: SOCKET,
    async run(world) {
      const client = new Client(world, "managed", managed(world.lib, { maxUnacked: 2 }));
      const { connection } = client;
      await client.online();
      await until(() => connection.isStreamManagementEnabled(), "stream management");
      for (const id of ["1", "2", "3"]) connection.send(world.lib.$msg({ id }));
      await client.said("<message xmlns='jabber:client' type='chat'/>", "<presence xmlns='jabber:client'/>");
      await turn();
      const { sm } = connection;
      const state = { ...sm.state, unacked: sm.state?.unacked?.length };
      const flags = [connection.isStreamManagementEnabled(), connection.hasResumed(), sm.serverSupported, sm.isTracking(), sm.hasResumableState()];
      await client.end();
      return { seen: client.seen, state, flags, after: sm.hasResumableState(), wire: await client.wire() };
    },
  },
  {
    member: "StreamManagement",
    name: "asked by the server",
    over: SOCKET,
    async run(world) {
      const client = await new Client(world, "managed", managed(world.lib)).online();
      await until(() => client.connection.isStreamManagementEnabled(), "stream management");
      await client.said("<message xmlns='jabber:client' type='chat'/>", "<r xmlns='urn:xmpp:sm:3'/>");
      await client.end();
      return client.wire();
    },
  },
  ...["managed-refused", "managed-not-resumable"].map((script) => ({
    member: "StreamManagement",
    name: script,
    over: SOCKET,
    async run(world) {
      const client = await new Client(world, script, managed(world.lib)).online();
      await client.said("<message xmlns='jabber:client' type='chat'/>");
      const { sm } = client.connection;
      const flags = [client.connection.isStreamManagementEnabled(), client.connection.hasResumed(), sm.hasResumableState()];
      await client.end();
      return { seen: client.seen, flags, wire: await client.wire() };
    },
  })),
  ...["managed", "managed-lost"].map((script) => ({
    member: "StreamManagement",
    name: `after the socket broke (${script})`,
    over: SOCKET,
    async run(world) {
      const client = await new Client(world, script, managed(world.lib)).online();
      const { connection } = client;
      await until(() => connection.isStreamManagementEnabled(), "stream management");
      connection.send(world.lib.$msg({ id: "1" }));
      await until(async () => (await client.wire({ ended: false })).some((line) => line.includes('id="1"')), "the message");
      // What a page sends to end the connection would be repeated after it.
      await world.service.drop(client.address);
      await client.reached("DISCONNECTED");
      const resumable = connection.sm.hasResumableState();
      client.statuses.length = 0;
      await client.online();
      await until(() => connection.hasResumed() || connection.isStreamManagementEnabled(), "stream management");
      const flags = [connection.hasResumed(), connection.isStreamManagementEnabled(), connection.restored, connection.jid];
      await client.said("<message xmlns='jabber:client' type='chat'/>");
      await client.end();
      return { resumable, flags, seen: client.seen, wire: await client.wire() };
    },
  })),
  {
    member: "StreamManagement",
    name: "not over BOSH",
    over: BOSH,
    async run(world) {
      const client = await new Client(world, "managed", managed(world.lib)).online();
      await client.end();
      return { seen: client.seen, wire: await client.wire() };
    },
  },
];

const others = [
  connected("Connection.reset", "forgets", async (client, connection) => {
    connection.addHandler(client.note("never"), null, "message");
    await client.end();
    connection.reset();
    const { handlers, addHandlers, timedHandlers, authenticated, connected: isConnected, disconnecting, restored, _data } = connection;
    return { lists: [handlers, addHandlers, timedHandlers, _data].map(({ length }) => length), flags: [authenticated, isConnected, disconnecting, restored] };
  }),
];

export const specs = [...attaching, ...management, ...others];
