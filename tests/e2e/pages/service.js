// An XMPP service inside the page, for logins without an account: as a `fetch` (BOSH) and as a `WebSocket` (RFC 7395). For what
// needs thousands of connections.

const BODY = "xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'";
const SESSION = "wait='60' hold='1' requests='2' inactivity='30' polling='2' ver='1.11' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'";
const MECHANISMS = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
const BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const SUCCESS = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

/** The replies to what a request holds: bind, and an empty result for all else. */
function replies(text, user) {
  return [...text.matchAll(/<iq [^>]*id=['"]([^'"]+)['"][^>]*>/g)].map(([, id]) => {
    const bound = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${user}@local.example/here</jid></bind>`;
    return `<iq xmlns='jabber:client' type='result' id='${id}'>${text.includes("urn:ietf:params:xml:ns:xmpp-bind") ? bound : ""}</iq>`;
  });
}

export function localService() {
  /** What is held for each BOSH session: a function that answers it. */
  const sessions = new Map();
  const counts = { sessions: 0, requests: 0, sockets: 0 };
  const sockets = new Set();
  /** While nobody gets in. */
  let gate;
  let openGate;

  const answer = (content, attributes = "") =>
    new Response(`<body ${BODY} ${attributes}>${content}</body>`, { headers: { "Content-Type": "text/xml; charset=utf-8" } });

  async function fetch(url, { body }) {
    counts.requests += 1;
    await undefined;
    const sid = / sid=['"]([^'"]+)['"]/.exec(body)?.[1];
    if (sid === undefined) {
      await gate;
      counts.sessions += 1;
      const made = `s${counts.sessions}`;
      sessions.set(made, { early: body.includes("<auth "), held: undefined });
      return answer(`<stream:features>${MECHANISMS}</stream:features>`, `sid='${made}' ${SESSION}`);
    }
    const session = sessions.get(sid);
    if (!session) return answer("", "type='terminate' condition='item-not-found'");
    session.held?.(answer(""));
    session.held = undefined;
    if (/type=['"]terminate['"]/.test(body)) {
      sessions.delete(sid);
      return answer("", "type='terminate'");
    }
    if (session.early || body.includes("<auth ")) {
      session.early = false;
      return answer(SUCCESS);
    }
    if (body.includes("restart=")) return answer(`<stream:features>${BIND}</stream:features>`);
    const said = replies(body, sid).join("");
    if (said) return answer(said);
    return new Promise((resolve) => (session.held = resolve));
  }

  /** Ends all sessions without a word. */
  function cut() {
    for (const { held } of sessions.values()) held?.(Promise.reject(new TypeError("Failed to fetch")));
    sessions.clear();
    for (const socket of sockets) socket.close();
  }

  /** New sessions and sockets wait until `release()`. */
  function hold() {
    gate = new Promise((resolve) => (openGate = resolve));
  }

  function release() {
    openGate?.();
    gate = undefined;
  }

  class WebSocket {
    protocol = "xmpp";
    #authenticated = false;
    #user = `w${(counts.sockets += 1)}`;

    constructor() {
      counts.sessions += 1;
      sockets.add(this);
      this.#open();
    }

    async #open() {
      await gate;
      this.onopen?.({ type: "open" });
    }

    #say(data) {
      queueMicrotask(() => this.onmessage?.({ type: "message", data }));
    }

    send(text) {
      counts.requests += 1;
      if (text.startsWith("<open")) {
        this.#say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='1' from='local.example' version='1.0'/>");
        this.#say(`<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${this.#authenticated ? BIND : MECHANISMS}</stream:features>`);
      } else if (text.startsWith("<close")) {
        this.#say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        queueMicrotask(() => this.close());
      } else if (text.startsWith("<auth")) {
        this.#authenticated = true;
        this.#say(SUCCESS);
      } else {
        for (const reply of replies(text, this.#user)) this.#say(reply);
      }
    }

    close() {
      sockets.delete(this);
      queueMicrotask(() => this.onclose?.({ type: "close" }));
    }
  }

  return { fetch, WebSocket, counts, open: () => sessions.size + sockets.size, cut, hold, release };
}
