// One session of the scripted service: what it answers to each element, whatever brings it. See scripts.mjs.

import { scram } from "./scram.mjs";
import { BIND, failure } from "./scripts.mjs";
import { attributesOf, canonical, elements, escaped, markup, masked } from "./xml.mjs";

const NS = {
  bind: "urn:ietf:params:xml:ns:xmpp-bind",
  session: "urn:ietf:params:xml:ns:xmpp-session",
  sasl: "urn:ietf:params:xml:ns:xmpp-sasl",
  auth: "jabber:iq:auth",
  parity: "urn:parity",
};
const MECHANISMS = ["PLAIN", "ANONYMOUS", "SCRAM-SHA-1", "SCRAM-SHA-256"];

/** The password of every account. */
export const PASSWORD = "pencil";

const base64 = (text) => Buffer.from(text, "latin1").toString("base64");
const plain = (text) => Buffer.from(text, "base64").toString("latin1");

/** What SASL texts have in them that is new at each run. */
const withoutNonces = (text) => text.replace(/\br=[^,]*/g, "r=NONCE").replace(/\bp=.*/, "p=PROOF").replaceAll("\0", "␀").replaceAll("\x01", "␁");

export class Session {
  /** What clients sent, in order. */
  transcript = [];
  phase = "open";
  count = 0;
  #script;
  #exchange;

  /** `deliver(markup)`: hands it to the client; `end()`: closes in order; `drop()`: breaks the connection; `terminate`: BOSH alone. */
  constructor(script, address, transport) {
    this.#script = script;
    this.address = address;
    Object.assign(this, transport);
  }

  get script() {
    return this.#script;
  }

  say(markup) {
    this.deliver(markup);
    return true;
  }

  /** The first features. */
  greet() {
    const { first, mechanisms = MECHANISMS, legacy } = this.#script;
    this.phase = "login";
    if (first !== undefined) return first && this.deliver(first);
    const offered = mechanisms.map((one) => `<mechanism>${one}</mechanism>`).join("");
    const sasl = mechanisms.length > 0 || !legacy ? `<mechanisms xmlns='${NS.sasl}'>${offered}</mechanisms>` : "";
    this.#features(sasl + (legacy ? "<auth xmlns='http://jabber.org/features/iq-auth'/>" : ""));
  }

  /** After an empty request of a client that has got no features. */
  greetLate() {
    if (!this.#script.later || this.phase !== "login" || this.greeted) return false;
    this.greeted = true;
    this.#features(`<mechanisms xmlns='${NS.sasl}'><mechanism>PLAIN</mechanism></mechanisms>`);
    return true;
  }

  #features(payload) {
    this.deliver(`<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${payload}</stream:features>`);
  }

  /** The stream anew, after the login. */
  restart() {
    this.phase = "bind";
    this.#features(this.#script.features ?? BIND);
  }

  note(line) {
    this.transcript.push(line);
  }

  receive(element) {
    this.note(this.#shown(element));
    if (element.namespaceURI === NS.sasl) return this.#authenticate(element);
    const child = elements(element)[0];
    if (element.localName === "iq" && child?.namespaceURI === NS.bind) return this.#bind(element, child);
    if (element.localName === "iq" && child?.namespaceURI === NS.session) return this.#openSession(element);
    if (element.localName === "iq" && child?.namespaceURI === NS.auth) return this.#legacy(element);
    if (element.localName === "message" && child?.namespaceURI === NS.parity) return this.#command(child);
    if (this.#script.stanza?.(element, this)) return;
    if (element.localName === "iq" && /^(get|set)$/.test(element.getAttribute("type"))) this.#answer(element, child);
  }

  #shown(element) {
    if (element.namespaceURI !== NS.sasl) return canonical(element);
    const text = element.textContent;
    return `<${element.localName} ${attributesOf(element)}>${text && withoutNonces(plain(text))}`;
  }

  #authenticate(element) {
    if (element.localName === "abort") return this.say(failure("aborted"));
    if (element.localName === "auth") {
      if (this.#script.auth?.(element, this)) return;
      this.#exchange = undefined;
      const mechanism = element.getAttribute("mechanism");
      if (!mechanism.startsWith("SCRAM-")) return this.#succeed();
      this.#exchange = scram(mechanism, PASSWORD);
      return this.#challenge(this.#exchange.first(plain(element.textContent)));
    }
    const text = plain(element.textContent);
    if (this.mechanism) return this.mechanism.respond(text) === undefined ? this.say(failure("not-authorized")) : this.#succeed();
    const last = this.#exchange?.final(text);
    if (!last) return this.say(failure("not-authorized"));
    this.#succeed(this.#script.lies ? "v=bm90IHRoZSBzaWduYXR1cmU=" : last);
  }

  #challenge(text) {
    this.say(`<challenge xmlns='${NS.sasl}'>${base64(text)}</challenge>`);
  }

  #succeed(text = "") {
    this.phase = "restart";
    this.say(`<success xmlns='${NS.sasl}'>${text && base64(text)}</success>`);
  }

  #bind(element, bind) {
    if (this.#script.bind?.(element, this)) return;
    const resource = elements(bind)[0]?.textContent || "chosen";
    this.bound(element, `user@parity.example/${resource}`);
  }

  bound(element, jid) {
    this.phase = "online";
    return this.say(`<iq xmlns='jabber:client' type='result' id='${escaped(element.getAttribute("id"))}'><bind xmlns='${NS.bind}'><jid>${jid}</jid></bind></iq>`);
  }

  #openSession(element) {
    if (this.#script.session?.(element, this)) return;
    this.say(`<iq xmlns='jabber:client' type='result' id='${escaped(element.getAttribute("id"))}'/>`);
  }

  #legacy(element) {
    const id = escaped(element.getAttribute("id"));
    if (element.getAttribute("type") === "set") this.phase = "online";
    const query = element.getAttribute("type") === "get" ? `<query xmlns='${NS.auth}'><username/><password/><resource/></query>` : "";
    this.say(`<iq xmlns='jabber:client' type='result' id='${id}'>${query}</iq>`);
  }

  /** `<say>` is sent to the client, each child a stanza; `<end/>` ends the session, `<drop/>` the connection. */
  #command(command) {
    if (command.localName === "say") {
      const stanzas = elements(command).map((one) => markup(one));
      // In one body, so that a handler sees them in one pass.
      if (stanzas.length > 0) this.deliver(stanzas.join(""), stanzas);
    } else if (command.localName === "drop") {
      this.drop();
    }
  }

  #answer(element, child) {
    const id = escaped(element.getAttribute("id") ?? "");
    if (child?.namespaceURI === "urn:parity:silent") return;
    if (child?.namespaceURI === "urn:parity:error") {
      return this.say(`<iq xmlns='jabber:client' type='error' id='${id}'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`);
    }
    const payload = child?.namespaceURI === "urn:parity:echo" ? markup(child, "jabber:client") : "";
    this.say(`<iq xmlns='jabber:client' type='result' id='${id}'>${payload}</iq>`);
  }
}

/** The transcript without what only tells one run from another. */
export const readable = (lines) => lines.map(masked);
