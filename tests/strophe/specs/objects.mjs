// The classes on their own: mechanisms, handlers, requests, stores, stream management without a connection.

const MECHANISMS = ["SASLAnonymous", "SASLExternal", "SASLOAuthBearer", "SASLPlain", "SASLSHA1", "SASLSHA256", "SASLSHA384", "SASLSHA512", "SASLXOAuth2"];
/** What a mechanism reads of a connection. */
const account = (more) => ({ authcid: "user", authzid: "user@example.com", pass: "pencil", domain: "example.com", jid: "user@example.com/r", _sasl_data: {}, ...more });
const spec = (member, name, run) => ({ member, name, run: ({ lib }) => run(lib.Strophe, lib) });
/** What a call returns, or how it fails. */
async function outcome(act) {
  try {
    return await act();
  } catch (error) {
    return { fails: error.name };
  }
}

const ACCOUNTS = { "an account": {}, anonymous: { authcid: null }, "another authzid": { authzid: "other@example.com" }, "without authzid": { authzid: null }, "a password of keys": { pass: { name: "SHA-1" } } };

const mechanisms = MECHANISMS.flatMap((name) => [
  spec(`Strophe.${name}`, "name, order, who begins", (Strophe) => {
    const { mechname, isClientFirst, priority, _connection } = new Strophe[name]();
    return { mechname, isClientFirst, priority, _connection, is: new Strophe[name]() instanceof Strophe.SASLMechanism };
  }),
  spec(`Strophe.${name}`, "of another name", (Strophe) => {
    const { mechname, isClientFirst, priority } = new Strophe[name]("X-OTHER", false, 7);
    return { mechname, isClientFirst, priority };
  }),
  ...Object.entries(ACCOUNTS).map(([of, more]) => spec(`Strophe.${name}.test`, of, (Strophe) => Boolean(new Strophe[name]().test(account(more))))),
]);

const answers = ["SASLAnonymous", "SASLExternal", "SASLOAuthBearer", "SASLPlain", "SASLXOAuth2"].flatMap((name) =>
  Object.entries(ACCOUNTS).filter(([of]) => of !== "a password of keys").map(([of, more]) =>
    spec(`Strophe.${name}.onChallenge`, of, (Strophe) => outcome(() => new Strophe[name]().onChallenge(account(more)))),
  ),
);

/** RFC 5802 §5 and RFC 7677 §3. */
const VECTORS = {
  SASLSHA1: ["fyko+d2lbbFgONRv9qkxdawL", "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"],
  SASLSHA256: ["rOprNGfwEbeRWgbNEkqO", "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"],
};

const scram = Object.entries(VECTORS).flatMap(([name, [nonce, challenge]]) => [
  spec(`Strophe.${name}`, "the exchange of its RFC", async (Strophe) => {
    const connection = account();
    const mechanism = new Strophe[name]();
    mechanism.onStart(connection);
    const first = mechanism.clientChallenge(connection, nonce);
    const answer = await mechanism.onChallenge(connection, challenge);
    return { first, answer, signature: connection._sasl_data["server-signature"], keys: connection._sasl_data.keys };
  }),
  ...Object.entries({
    "another nonce": challenge.replace("r=", "r=x"),
    "no iterations": challenge.replace(/,i=.*/, ""),
    "no salt": challenge.replace(/,s=[^,]*/, ""),
    "nothing": "",
  }).map(([what, wrong]) =>
    spec(`Strophe.${name}.onChallenge`, what, (Strophe) => {
      const connection = account();
      const mechanism = new Strophe[name]();
      mechanism.onStart(connection);
      mechanism.clientChallenge(connection, nonce);
      return outcome(() => mechanism.onChallenge(connection, wrong));
    }),
  ),
]);

const base = [
  spec("Strophe.SASLMechanism", "what it does by itself", async (Strophe) => {
    const first = new Strophe.SASLMechanism("X", true, 5);
    const second = new Strophe.SASLMechanism("Y", false, 5);
    const results = [first.test(), await outcome(() => first.onChallenge()), await outcome(() => first.clientChallenge()), await outcome(() => second.clientChallenge())];
    first.onStart("connection");
    results.push(first._connection);
    first.onSuccess();
    results.push(first._connection);
    first.onStart("connection");
    first.onFailure();
    return [...results, first._connection];
  }),
];

const handlers = [
  spec("Strophe.Handler", "what it keeps", (Strophe) => {
    const { ns, name, type, id, from, options, user } = new Strophe.Handler(() => true, "urn:x", "iq", ["get"], "1", "a@b/c");
    const bare = new Strophe.Handler(() => true, null, null, null, null, "a@b/c", { matchBareFromJid: true });
    return { ns, name, type, id, from, options, user, bare: bare.from, none: new Strophe.Handler(() => true, null, null, null, null, null, { matchBareFromJid: true }).from };
  }),
  spec("Strophe.Handler.isMatch", "many elements", (Strophe) => {
    const handler = new Strophe.Handler(() => true, "urn:x", "message", "chat", null, null);
    return ["<message xmlns='jabber:client' type='chat'><x xmlns='urn:x'/></message>", "<message xmlns='jabber:client' type='chat'><a><b><x xmlns='urn:x'/></b></a></message>", "<message xmlns='jabber:client' type='chat'/>", "<message xmlns='urn:x' type='chat'/>", "<message xmlns='jabber:client'><x xmlns='urn:x'/></message>"].map((xml) => Boolean(handler.isMatch(Strophe.toElement(xml))));
  }),
  spec("Strophe.Handler.getNamespace", "fragments", (Strophe) => {
    const element = Strophe.toElement("<x xmlns='urn:x#part'/>");
    return [undefined, { ignoreNamespaceFragment: true }].map((options) => new Strophe.Handler(() => true, null, null, null, null, null, options).getNamespace(element));
  }),
  spec("Strophe.Handler.run", "its result, and what it throws", (Strophe) => {
    const results = [5, false, undefined].map((result) => new Strophe.Handler(() => result).run(Strophe.toElement("<a/>")));
    try {
      new Strophe.Handler(() => { throw new RangeError("on purpose"); }).run(Strophe.toElement("<a/>"));
    } catch (error) {
      results.push(error.name);
    }
    return results;
  }),
  spec("Strophe.TimedHandler", "runs", (Strophe) => {
    const handler = new Strophe.TimedHandler(50, () => "result");
    const before = handler.lastCalled;
    const result = handler.run();
    handler.reset();
    return [handler.period, handler.user, result, handler.lastCalled >= before];
  }),
];

const requests = [
  spec("Strophe.Request", "what it keeps", (Strophe, { $build }) => {
    const body = $build("body", { rid: "7", xmlns: "urn:b" }).tree();
    const func = () => {};
    const request = new Strophe.Request(body, func, 7, 2);
    return {
      data: request.data,
      same: [request.xmlData === body, request.origFunc === func, typeof request.func],
      values: [request.rid, request.sends, request.abort, request.dead, request.age(), request.timeDead(), String(request.date)],
      xhr: [typeof request.xhr, request.xhr.readyState],
      grows: new Strophe.Request(body, func, 8).id - request.id,
      sends: new Strophe.Request(body, func, 8).sends,
    };
  }),
];

const KEY = "parity-state";
const stores = ["MemoryStorageBackend", "SessionStorageBackend"].map((name) =>
  spec(`Strophe.${name}`, "keeps, reads, forgets", (Strophe) => {
    const store = new Strophe[name]();
    const results = [store.load(KEY)];
    store.save(KEY, { id: "1", unacked: [] });
    results.push(store.load(KEY));
    store.clear(KEY);
    return [...results, store.load(KEY)];
  }),
);

/** Stream management without a connection: what it sends, and its state after each step. */
function managed(name, steps, options = {}) {
  return spec("Strophe.StreamManagement", name, (Strophe) => {
    const sent = [];
    const sm = new Strophe.StreamManagement((text) => sent.push(text), { storage: new Strophe.MemoryStorageBackend(), ...options });
    const nonza = (tag, attrs = {}) => sm.onInbound({ name: tag, attrs, serialized: `<${tag}/>` });
    const stanza = (id) => sm.trackOutbound({ name: "message", attrs: { id }, serialized: `<message id="${id}"/>` });
    const states = steps.map((step) => {
      const result = step(sm, { nonza, stanza });
      const { unacked, ...state } = sm.state ?? {};
      return [result, { ...state, unacked: unacked?.map((one) => one.serialized ?? one) }, sm.enabled, sm.resumed, sm.isTracking(), sm.hasResumableState()];
    });
    return { sent, states };
  });
}

const begin = [(sm) => sm.initialize("a@b/c"), (sm) => sm.sendEnable("a@b/c"), (sm, { nonza }) => nonza("enabled", { id: "x", resume: "true", max: "60", location: "h:1" })];

const management = [
  managed("enabled", begin),
  managed("counts what arrives", [...begin, (sm) => ["message", "presence", "iq", "r", "stream:features"].map((name) => sm.onInboundStanza(name)), (sm, { nonza }) => nonza("r")]),
  managed("counts what is sent", [...begin, (sm, { stanza }) => ["1", "2", "3"].map(stanza), (sm, { nonza }) => nonza("a", { h: "2" }), (sm, { nonza }) => nonza("a", { h: "3" })], { maxUnacked: 2 }),
  managed("acknowledgements that cannot be", [...begin, (sm, { stanza }) => stanza("1"), (sm, { nonza }) => nonza("a", { h: "9" }), (sm, { nonza }) => nonza("a", { h: "x" }), (sm, { nonza }) => nonza("a")]),
  managed("resumed", [...begin, (sm, { stanza }) => ["1", "2"].map(stanza), (sm) => sm.reset(), (sm) => sm.initialize("a@b/c"), (sm) => sm.sendResume(), (sm, { nonza }) => nonza("resumed", { previd: "x", h: "1" })]),
  managed("refused", [...begin, (sm, { stanza }) => stanza("1"), (sm) => sm.reset(), (sm) => sm.initialize("a@b/c"), (sm) => sm.sendResume(), (sm, { nonza }) => nonza("failed", { h: "1" })]),
  managed("not of this session", [(sm, { nonza }) => nonza("enabled", { id: "x" }), (sm, { nonza }) => nonza("resumed", { h: "1" }), (sm, { nonza }) => nonza("failed"), (sm, { nonza }) => nonza("a", { h: "1" })]),
  managed("the end", [...begin, (sm) => sm.onInboundStanza("message"), (sm) => sm.onGracefulClose()]),
  managed("without resumption", [...begin.slice(0, 2), (sm, { nonza }) => nonza("enabled", {})], { requestResume: false, max: 30 }),
];

export const specs = [...mechanisms, ...answers, ...scram, ...base, ...handlers, ...requests, ...stores, ...management];
