// A BOSH service that says the same to everybody: a login without an account, then, when told to, so many messages in so
// large answers. What a library spends on a stanza can only be compared when both get the same answers; from a real server
// the quicker one gets more and smaller ones.

const BODY = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'";
const TEXT = "An ordinary sentence, as people write them to each other, neither long nor short. ".repeat(2);

/** A message of the kind that people write, from a contact. */
export const message = (number) =>
  `<message xmlns='jabber:client' from='juliet@example.org/balcony' to='a@example.org/b' id='m${number}' type='chat'><body>${TEXT}</body></message>`;

/** The event of an item that was published to one of so many nodes. */
export const item = (feeds) => (number) =>
  `<message xmlns='jabber:client' from='pubsub.example.org' to='a@example.org/b' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/bench/${number % feeds}'><item id='${number}'><entry xmlns='urn:example:bench'><title>${TEXT}</title></entry></item></items></event></message>`;

/** The replies of a pubsub service with empty nodes. */
export function service(iq) {
  const id = /\sid=['"]([^'"]+)/.exec(iq)[1];
  const node = /\snode=['"]([^'"]+)/.exec(iq)?.[1];
  const about = (payload) => `<iq xmlns='jabber:client' type='result' from='pubsub.example.org' to='a@example.org/b' id='${id}'>${payload}</iq>`;
  const pubsub = (payload) => about(`<pubsub xmlns='http://jabber.org/protocol/pubsub'>${payload}</pubsub>`);
  if (iq.includes("disco#info")) return about("<query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub' type='service'/></query>");
  if (iq.includes("<subscribe")) return pubsub(`<subscription node='${node}' jid='a@example.org/b' subscription='subscribed'/>`);
  if (iq.includes("<items")) return pubsub(`<items node='${node}'/>`);
  return about("");
}

export class Script {
  #due = 0;
  #sent = 0;
  #held = [];
  /** How much was said to it, and by it, in bytes of XML. */
  heard = 0;
  said = 0;

  /** `write(number)`: what it says; `reply(iq)`: what it answers to a request. */
  constructor(batch, { write = message, reply } = {}) {
    Object.assign(this, { batch, write, reply });
  }

  /** From now on each request is answered with a batch, until there were so many messages. */
  say(count) {
    this.#due += count;
    for (const respond of this.#held.splice(0)) this.#next(respond);
  }

  /** For an origin's `before`: true when it was for us. */
  before = (request, response) => {
    if (request.url !== "/script") return false;
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      this.heard += body.length;
      this.#answer(body, (payload, attributes = "") => {
        const text = `${BODY} ${attributes}>${payload}</body>`;
        this.said += text.length;
        response.writeHead(200, { "content-type": "text/xml; charset=utf-8" });
        response.end(text);
      });
    });
    return true;
  };

  #answer(body, respond) {
    if (!/\ssid=/.test(body)) {
      const mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
      const session = "sid='s' wait='60' hold='1' requests='2' inactivity='60' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'";
      return respond(`<stream:features>${mechanisms}</stream:features>`, session);
    }
    if (body.includes("<auth")) return respond("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    if (/restart=/.test(body)) return respond("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>");
    if (body.includes("urn:ietf:params:xml:ns:xmpp-bind")) {
      const id = /<iq[^>]*\sid=['"]([^'"]+)/.exec(body)[1];
      const jid = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/b</jid></bind>";
      return respond(`<iq xmlns='jabber:client' type='result' id='${id}'>${jid}</iq>`);
    }
    if (body.includes("type='terminate'") || body.includes('type="terminate"')) {
      for (const held of this.#held.splice(0)) held("");
      return respond("", "type='terminate'");
    }
    const replies = this.reply ? [...body.matchAll(/<iq [^>]*>.*?<\/iq>/gs)].map(([iq]) => this.reply(iq)) : [];
    if (replies.length > 0) {
      // Answers are handled in the order of the requests: older ones first.
      for (const held of this.#held.splice(0)) held("");
      return respond(replies.join(""));
    }
    return this.#next(respond);
  }

  #next(respond) {
    if (this.#sent >= this.#due) {
      this.#held.push(respond);
      // Both libraries know it so: the older request is released when the next one comes.
      if (this.#held.length > 1) this.#held.shift()("");
      return;
    }
    let payload = "";
    for (let index = 0; index < this.batch && this.#sent < this.#due; index++) {
      payload += this.write(this.#sent++);
    }
    respond(payload);
  }
}
