// What the scripted service does, by name. Without anything it offers PLAIN, ANONYMOUS and the SCRAM mechanisms, binds any resource, and
// answers requests. All of it may be replaced:
//
//   mechanisms     what is offered; `legacy: true` offers jabber:iq:auth as well
//   features       after the login
//   auth           (element, session) => true when it has answered
//   bind           (element, session) => true when it has answered
//   stanza         (element, session) => true when it has answered
//   http           ({ phase, body, request, response, session }) => true when it has answered: BOSH alone
//   socket         ({ count, text, session }) => true when it has answered: WebSocket alone
//   opening        attributes of the service's <open/>
//   showsVersion   the transcript has the version of BOSH
//
// A page makes the service say something by <message><say xmlns="urn:parity">…</say></message>.

import { escaped } from "./xml.mjs";

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const STREAMS = "urn:ietf:params:xml:ns:xmpp-streams";
const SM = "urn:xmpp:sm:3";

export const BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const SESSION = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>";

export const failure = (condition, text = "") => `<failure xmlns='${SASL}'><${condition}/>${text}</failure>`;
export const iqError = (id, condition, payload = "", type = "cancel") =>
  `<iq xmlns='jabber:client' type='error' id='${escaped(id)}'>${payload}<error type='${type}'><${condition} xmlns='${STANZAS}'/></error></iq>`;
export const streamError = (condition, text = "") =>
  `<stream:error xmlns:stream='http://etherx.jabber.org/streams'><${condition} xmlns='${STREAMS}'/>${text && `<text xmlns='${STREAMS}'>${text}</text>`}</stream:error>`;

const refuse = (condition, text) => ({ auth: (element, session) => session.say(failure(condition, text)) });
const bindError = (condition) => ({ bind: (element, session) => session.say(iqError(element.getAttribute("id"), condition, BIND)) });
/** One HTTP answer that is not the session's. */
const answer = (status, body = "", type = "text/plain") => ({ response }) => {
  response.writeHead(status, { "Content-Type": type, "X-Parity": "yes" });
  response.end(body);
  return true;
};
const when = (isTime, act) => (exchange) => (isTime(exchange) ? act(exchange) : false);
const terminate = (attributes, payload = "") => ({ stanza: (element, session) => element.localName === "presence" && (session.terminate(attributes, payload), true) });

/** Stream management (XEP-0198) as far as the specifications go. */
function managed(more = {}) {
  return {
    features: `${BIND}<sm xmlns='${SM}'/>`,
    stanza(element, session) {
      if (element.namespaceURI !== SM) {
        session.counted = (session.counted ?? 0) + 1;
        return false;
      }
      switch (element.localName) {
        case "enable":
          session.counted = 0;
          return session.say(more.enabled ?? `<enabled xmlns='${SM}' id='sm-1' resume='true' max='300'/>`);
        case "r":
          return session.say(`<a xmlns='${SM}' h='${session.counted}'/>`);
        case "resume":
          return session.say(more.resumed ?? `<resumed xmlns='${SM}' previd='${element.getAttribute("previd")}' h='0'/>`);
        default:
          return true;
      }
    },
  };
}

export const scripts = {
  plain: {},
  version: { showsVersion: true },
  "only-plain": { mechanisms: ["PLAIN"] },
  "only-anonymous": { mechanisms: ["ANONYMOUS"] },
  "only-external": { mechanisms: ["EXTERNAL"] },
  "only-oauthbearer": { mechanisms: ["OAUTHBEARER"] },
  "only-x-oauth2": { mechanisms: ["X-OAUTH2"] },
  "scram-1": { mechanisms: ["SCRAM-SHA-1"] },
  "scram-256": { mechanisms: ["SCRAM-SHA-256"] },
  "scram-384": { mechanisms: ["SCRAM-SHA-384"] },
  "scram-512": { mechanisms: ["SCRAM-SHA-512"] },
  "scram-wrong-signature": { mechanisms: ["SCRAM-SHA-1"], lies: true },
  "all-mechanisms": { mechanisms: ["X-UNKNOWN", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-512", "X-OAUTH2", "OAUTHBEARER", "SCRAM-SHA-256", "EXTERNAL", "SCRAM-SHA-384", "ANONYMOUS"] },
  "page-mechanism": {
    mechanisms: ["X-PAGE"],
    auth(element, session) {
      session.say(`<challenge xmlns='${SASL}'>${Buffer.from("question").toString("base64")}</challenge>`);
      session.mechanism = { respond: (text) => (text === "answer to question" ? "" : undefined) };
      return true;
    },
  },
  "unknown-mechanisms": { mechanisms: ["X-UNKNOWN"] },
  "no-mechanisms": { mechanisms: [] },
  "no-features": { first: "" },
  "late-features": { first: "", later: true },
  legacy: { mechanisms: [], legacy: true },
  "not-authorized": { mechanisms: ["PLAIN"], ...refuse("not-authorized") },
  "account-disabled": { mechanisms: ["PLAIN"], ...refuse("account-disabled", `<text xml:lang='en'>Gone</text>`) },
  "scram-refused": { mechanisms: ["SCRAM-SHA-1"], ...refuse("not-authorized") },
  session: { features: BIND + SESSION },
  "session-optional": { features: `${BIND}<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>` },
  "session-refused": { features: BIND + SESSION, session: (element, session) => session.say(iqError(element.getAttribute("id"), "internal-server-error")) },
  "no-bind": { features: "<c xmlns='http://jabber.org/protocol/caps' node='urn:parity' ver='1' hash='sha-1'/>" },
  "bind-conflict": bindError("conflict"),
  "bind-refused": bindError("not-allowed"),
  "bind-elsewhere": { bind: (element, session) => session.bound(element, "other@parity.example/elsewhere") },
  terminate: terminate(""),
  "terminate-condition": terminate(" condition='policy-violation'"),
  "terminate-conflict": terminate(" condition='remote-stream-error'", streamError("conflict")),
  "terminate-at-open": { http: when(({ phase }) => phase === "open", answer(200, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='host-unknown'/>", "text/xml")) },
  "terminate-at-open-bare": { http: when(({ phase }) => phase === "open", answer(200, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>", "text/xml")) },
  "see-other-uri": { http: when(({ phase }) => phase === "open", answer(200, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='see-other-uri'><uri>http://127.0.0.1:1/</uri></body>", "text/xml")) },
  "stream-error": { stanza: (element, session) => element.localName === "presence" && session.say(streamError("system-shutdown", "Bye")) },
  "stream-error-at-open": { first: streamError("host-unknown") },
  "status-404-at-open": { http: when(({ phase }) => phase === "open", answer(404)) },
  "status-503-once": { http: when(({ phase, session }) => phase === "online" && !session.failed, (exchange) => ((exchange.session.failed = true), answer(503)(exchange))) },
  "status-404-online": { http: when(({ body }) => body.includes("<presence"), answer(404)) },
  "status-403-online": { http: when(({ body }) => body.includes("<presence"), answer(403)) },
  "status-503-at-open": { http: when(({ phase }) => phase === "open", answer(503)) },
  "not-xml-at-open": { http: when(({ phase }) => phase === "open", answer(200, "<html><p>no</html>", "text/html")) },
  "not-xml-online": { http: when(({ body }) => body.includes("<presence"), answer(200, "<body><no", "text/xml")) },
  "html-at-open": { http: when(({ phase }) => phase === "open", answer(200, "<html xmlns='http://www.w3.org/1999/xhtml'><body>no</body></html>", "text/html")) },
  "empty-at-open": { http: when(({ phase }) => phase === "open", answer(200, "", "text/xml")) },
  "no-good-bye": { http: when(({ body }) => /type=['"]terminate/.test(body), () => true) },
  "late-good-bye": {
    http: when(({ body }) => /type=['"]terminate/.test(body), (exchange) => setTimeout(() => {
      // A request that is held is answered as well.
      exchange.session.terminate("");
      answer(200, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>", "text/xml")(exchange);
    }, 3_500)),
  },
  "showing-headers": {
    http: ({ phase, request, session }) => {
      if (phase === "open") session.note(`headers ${request.headers["content-type"].toLowerCase()} ${request.headers["x-page"] ?? ""}`);
      return false;
    },
  },
  managed: managed(),
  "managed-refused": managed({ enabled: `<failed xmlns='${SM}'><unexpected-request xmlns='${STANZAS}'/></failed>` }),
  "managed-not-resumable": managed({ enabled: `<enabled xmlns='${SM}'/>` }),
  "managed-lost": managed({ resumed: `<failed xmlns='${SM}' h='1'><item-not-found xmlns='${STANZAS}'/></failed>` }),
  "ws-close-at-open": { socket: ({ count, session }) => count === 1 && (session.sayRaw("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"), true) },
  "ws-other-uri": { socket: ({ count, session }) => count === 1 && (session.sayRaw(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='${session.address.replace("ws-other-uri", "plain")}'/>`), true) },
  "ws-wrong-version": { opening: "version='0.9'" },
  "ws-no-version": { opening: "" },
  "ws-drop-at-open": { socket: ({ session }) => (session.drop(), true) },
  "ws-drop": { stanza: (element, session) => element.localName === "presence" && (session.drop(), true) },
  "ws-close": { stanza: (element, session) => element.localName === "presence" && (session.sayRaw('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />'), true) },
};
