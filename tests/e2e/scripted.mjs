// A BOSH service that says what a test wants: well until the session is bound, and from then on as told.

/** Answers a request. */
export function answer(response, body, { status = 200, type = "text/xml; charset=utf-8", headers } = {}) {
  response.writeHead(status, { ...(type && { "Content-Type": type }), ...headers });
  response.end(body);
}

export const wrap = (payload = "", attributes = "") =>
  `<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'${attributes}>${payload}</body>`;

const features = (payload) => `<stream:features>${payload}</stream:features>`;

/** Attributes of the session's first answer; no request is held for long, and repeated at once. */
export const SESSION = " sid='s1' wait='60' hold='1' requests='2' inactivity='30' polling='2' ver='1.11' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'";

/**
 * A service for ANONYMOUS logins. `open`, `auth`, `restart`, `bind` answer in place of what a server says in that step;
 * `online` gets every request of the bound session, and returns true when it has answered. All get `{ request, response,
 * body, count }`. `session`: the attributes of the first answer. What nobody answers is held, as a server does, until the next request comes.
 */
export function service(steps = {}) {
  let held;
  let early = false;
  let counts = {};
  const play = (step, exchange, usual) => {
    counts[step] = (counts[step] ?? 0) + 1;
    if (steps[step]?.({ ...exchange, count: counts[step] }) !== true) usual();
  };
  return (exchange) => {
    const { response, body } = exchange;
    const say = (payload, attributes) => answer(response, wrap(payload, attributes));
    if (!body.includes(" sid=")) {
      held = undefined;
      counts = { open: counts.open, auth: counts.auth, restart: counts.restart, bind: counts.bind };
      // What comes with the session request is read with the next one, as ejabberd does it.
      early = body.includes("<auth ");
      const mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
      return play("open", exchange, () => say(features(mechanisms), steps.session ?? SESSION));
    }
    if (body.includes("<auth ") || early) {
      early = false;
      return play("auth", exchange, () => say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"));
    }
    if (body.includes("xmpp:restart=")) {
      return play("restart", exchange, () => say(features("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")));
    }
    if (body.includes("urn:ietf:params:xml:ns:xmpp-bind")) {
      const [, id] = /<iq [^>]*id='([^']+)'/.exec(body);
      const bound = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>somebody@scripted.example/here</jid></bind>";
      return play("bind", exchange, () => say(`<iq xmlns='jabber:client' type='result' id='${id}'>${bound}</iq>`));
    }
    if (body.includes("type='terminate'")) {
      if (held) answer(held, wrap("", " type='terminate'"));
      held = undefined;
      return say("", " type='terminate'");
    }
    return play("online", exchange, () => {
      if (held) answer(held, wrap());
      held = response;
    });
  };
}
