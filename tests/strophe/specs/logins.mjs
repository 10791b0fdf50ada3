// Logins: the order of the statuses, their conditions, and what goes over the wire.

import { Client, JID, PASSWORD, RESTS, turn } from "./client.mjs";

const BOTH = ["bosh", "ws"];

/** Connects, waits for the end of the login, says good-bye. */
function login(name, script, { over = BOTH, jid = JID, password = PASSWORD, values = [], options, act, member = "connect", ...more } = {}) {
  return {
    member: `Connection.${member}`,
    name,
    over,
    ...more,
    async run(world) {
      const client = new Client(world, script, typeof options === "function" ? options(world.lib) : options);
      const { connection } = client;
      let state;
      client.onStatus = (status) => {
        act?.[status]?.(client, world.lib);
        // As a page sees it in its callback.
        const { authenticated, connected, disconnecting, do_bind, do_session, authcid, authzid, domain, jid: bound } = connection;
        if (RESTS.includes(status)) state ??= { authenticated, connected, disconnecting, do_bind, do_session, authcid, authzid, domain, jid: bound };
      };
      client.connect(jid, password, ...values);
      await client.rest();
      await client.end();
      return {
        seen: client.seen,
        state,
        wire: await client.wireOfLogin(),
      };
    },
  };
}

const own = (answer) => ({ Strophe }) => {
  class Own extends Strophe.SASLMechanism {
    constructor(name = "X-PAGE", isClientFirst = true, priority = 99) {
      super(name, isClientFirst, priority);
    }
    onChallenge(connection, challenge) {
      return answer(challenge);
    }
  }
  return { mechanisms: [Own] };
};

const registered = {
  member: "Connection.registerSASLMechanism",
  name: "after the connection was made",
  over: BOTH,
  async run(world) {
    const client = new Client(world, "page-mechanism");
    const { SASLMechanism } = world.lib.Strophe;
    const calls = [];
    class Own extends SASLMechanism {
      constructor() {
        super("X-PAGE", false, 1);
      }
      test(connection) {
        calls.push(["test", connection === client.connection]);
        return true;
      }
      onStart(connection) {
        super.onStart(connection);
        calls.push(["start", this._connection === connection]);
      }
      async onChallenge(_, challenge) {
        calls.push(["challenge", challenge]);
        return `answer to ${challenge}`;
      }
      onSuccess() {
        calls.push("success");
        super.onSuccess();
      }
      onFailure() {
        calls.push("failure");
        super.onFailure();
      }
    }
    client.connection.registerSASLMechanism(Own);
    client.connect();
    await client.rest();
    const names = Object.keys(client.connection.mechanisms);
    await client.end();
    return { calls, names, seen: client.seen, wire: await client.wire() };
  },
};

export const specs = [
  login("several mechanisms", "plain"),
  login("all mechanisms", "all-mechanisms"),
  login("PLAIN", "only-plain"),
  login("PLAIN, another authcid", "only-plain", { values: [undefined, undefined, undefined, "somebody"] }),
  login("PLAIN, text beyond ASCII", "only-plain", { jid: "jürgen@parity.example", password: "pässwörd€" }),
  login("ANONYMOUS", "only-anonymous", { jid: "parity.example", password: null }),
  login("ANONYMOUS, among others", "plain", { jid: "parity.example", password: undefined }),
  login("ANONYMOUS alone, for a JID with a node", "only-anonymous"),
  login("PLAIN alone, for a JID without a node", "only-plain", { jid: "parity.example" }),
  login("EXTERNAL", "only-external"),
  login("OAUTHBEARER", "only-oauthbearer"),
  login("X-OAUTH2", "only-x-oauth2"),
  ...["1", "256", "384", "512"].map((hash) => login(`SCRAM-SHA-${hash}`, `scram-${hash}`)),
  login("SCRAM, a wrong password", "scram-1", { password: "wrong" }),
  login("SCRAM, refused", "scram-refused"),
  login("SCRAM, the server's signature is wrong", "scram-wrong-signature"),
  login("not-authorized", "not-authorized"),
  login("account-disabled", "account-disabled"),
  login("mechanisms of others only", "unknown-mechanisms", { over: ["ws"] }),
  login("no mechanisms", "no-mechanisms", { over: ["ws"] }),
  login("features that come late", "late-features", { over: ["bosh"] }),
  login("jabber:iq:auth", "legacy"),
  login("jabber:iq:auth, without a resource", "legacy", { jid: "user@parity.example" }),
  login("jabber:iq:auth, without a node", "legacy", { jid: "parity.example" }),
  login("without a resource", "plain", { jid: "user@parity.example" }),
  login("a session is asked for", "session"),
  login("a session is optional", "session-optional"),
  login("a session is refused", "session-refused"),
  login("nothing to bind", "no-bind"),
  login("the resource is in use", "bind-conflict"),
  login("the resource is refused", "bind-refused"),
  login("another JID is bound", "bind-elsewhere"),
  login("the version of BOSH", "version", { over: ["bosh"], member: "connect" }),
  login("wait, hold and route", "plain", { over: ["bosh"], values: [30, 1, "xmpp:parity.example:5222"] }),
  login("BINDREQUIRED", "plain", { options: { explicitResourceBinding: true }, member: "bind" }),
  {
    member: "Connection.bind",
    name: "called by the page",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "plain", { explicitResourceBinding: true });
      client.connect();
      await client.reached("BINDREQUIRED");
      client.connection.bind();
      await client.reached("CONNECTED");
      await client.end();
      return { seen: client.seen, wire: await client.wire() };
    },
  },
  {
    member: "Connection.bind",
    name: "before it may be called",
    over: BOTH,
    async run(world) {
      const client = new Client(world);
      client.connection.bind();
      await client.online();
      await client.end();
      return { seen: client.seen, wire: await client.wire() };
    },
  },
  login("of the page's own", "page-mechanism", { member: "registerSASLMechanisms", options: own((challenge) => (challenge ? `answer to ${challenge}` : "")) }),
  login("of the page's own, refused", "page-mechanism", { member: "registerSASLMechanisms", options: own((challenge) => (challenge ? "wrong" : "first")) }),
  registered,
  login("only what the page names", "all-mechanisms", { member: "registerSASLMechanisms", options: ({ Strophe }) => ({ mechanisms: [Strophe.SASLPlain] }) }),
  {
    member: "Connection.do_authentication",
    name: "turned off",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "plain");
      client.connection.do_authentication = false;
      const got = [];
      const { _connect_cb } = client.connection;
      client.connection._connect_cb = function (...values) {
        const result = _connect_cb.apply(this, values);
        got.push("connect_cb");
        return result;
      };
      client.connect();
      for (let round = 0; round < 200 && got.length === 0; round += 1) await new Promise((resolve) => setTimeout(resolve, 10));
      await client.end();
      return { got, seen: client.seen };
    },
  },
  {
    member: "Connection.authenticate",
    name: "replaced by the page",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "all-mechanisms");
      const { authenticate } = client.connection;
      const offered = [];
      client.connection.authenticate = function (matched) {
        offered.push(...matched.map(({ mechname }) => mechname));
        return authenticate.call(this, matched.filter(({ mechname }) => mechname === "PLAIN"));
      };
      await client.online();
      await client.end();
      return { offered, seen: client.seen, wire: await client.wire() };
    },
  },
  {
    member: "Connection.sortMechanismsByPriority",
    name: "all",
    over: ["bosh"],
    run(world) {
      const { connection } = new Client(world);
      return connection.sortMechanismsByPriority(Object.values(connection.mechanisms)).map(({ mechname, priority, isClientFirst }) => [mechname, priority, isClientFirst]);
    },
  },
  {
    member: "Connection.scram_keys",
    name: "in place of the password",
    over: BOTH,
    async run(world) {
      const client = new Client(world, "scram-256");
      await client.online();
      const keys = client.connection.scram_keys;
      await client.end();
      const again = new Client(world, "scram-256");
      again.connect(JID, keys);
      await again.rest();
      await again.end();
      return { keys, seen: again.seen };
    },
  },
  {
    member: "Connection.features",
    name: "after the login",
    over: BOTH,
    async run(world) {
      const client = await new Client(world, "session").online();
      const { features } = client.connection;
      const names = [features.nodeName, ...Array.from(features.childNodes, (one) => one.nodeName)];
      await client.end();
      return names;
    },
  },
  {
    member: "Connection.connect",
    name: "twice",
    over: BOTH,
    async run(world) {
      const client = await new Client(world).online();
      await client.end();
      await turn();
      client.statuses.length = 0;
      client.connection.reset();
      await client.online();
      await client.end();
      return client.seen;
    },
  },
];
