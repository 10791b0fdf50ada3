//! Namespaces, one constant each, with the specification that defines it.

/// RFC 6120: stanzas between client and server.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120 §4: the stream element, its features and its errors.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// RFC 6120 §4.9: stream error conditions.
pub const STREAM_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// RFC 6120 §8.3: stanza error conditions.
pub const STANZA_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 §6: SASL.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// XEP-0388: SASL in one element.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0386: resource binding inside of it.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0484: tokens that shorten a login.
pub const FAST: &str = "urn:xmpp:fast:0";
/// RFC 6120 §7: resource binding.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// RFC 3921 §3: session establishment, obsolete and still required by some servers.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// XEP-0124: BOSH.
pub const HTTP_BIND: &str = "http://jabber.org/protocol/httpbind";
/// XEP-0206: XMPP over BOSH.
pub const XBOSH: &str = "urn:xmpp:xbosh";
/// RFC 7395: XMPP over WebSocket.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// XEP-0198: stream management.
pub const STREAM_MANAGEMENT: &str = "urn:xmpp:sm:3";
/// What elements of the stream mean by their names alone, where a server left their namespaces out. SASL's are not among them:
/// two profiles share their names.
pub const STREAM_LEVEL: &[(&str, &str)] = &[
    ("message", CLIENT),
    ("presence", CLIENT),
    ("iq", CLIENT),
    ("features", STREAM),
    ("error", STREAM),
    ("open", FRAMING),
    ("close", FRAMING),
    ("r", STREAM_MANAGEMENT),
    ("a", STREAM_MANAGEMENT),
    ("enabled", STREAM_MANAGEMENT),
    ("resumed", STREAM_MANAGEMENT),
    ("failed", STREAM_MANAGEMENT),
];
/// Prefixes that servers use without declaring them where it should be done: RFC 6120 §4.8.5 and XEP-0206 §4 give them as these.
pub const WELL_KNOWN_PREFIXES: &[(&str, &str)] = &[("stream", STREAM), ("xmpp", XBOSH)];
/// The `xml:` prefix.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The `xmlns` attributes themselves.
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// XEP-0004: data forms.
pub const DATA_FORM: &str = "jabber:x:data";
/// XEP-0030: service discovery, information.
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0030: service discovery, items.
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0045: multi-user chat.
pub const MUC: &str = "http://jabber.org/protocol/muc";
/// XEP-0045: payloads from a room to its occupants.
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// XEP-0045: requests of a room's owner.
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// XEP-0059: result set management.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0060: publish-subscribe.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0060: events of the service.
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060: the application-specific error conditions.
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// XEP-0060: requests of a node's owner.
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// XEP-0050: ad-hoc commands.
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0077: in-band registration.
pub const REGISTER: &str = "jabber:iq:register";
/// XEP-0077: its stream feature.
pub const REGISTER_FEATURE: &str = "http://jabber.org/features/iq-register";
/// XEP-0092: software version.
pub const VERSION: &str = "jabber:iq:version";
/// RFC 6121: the roster.
pub const ROSTER: &str = "jabber:iq:roster";
/// XEP-0199: ping.
pub const PING: &str = "urn:xmpp:ping";
/// XEP-0202: entity time.
pub const TIME: &str = "urn:xmpp:time";
/// XEP-0203: delayed delivery.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0091: delayed delivery as it was before XEP-0203.
pub const LEGACY_DELAY: &str = "jabber:x:delay";
/// XEP-0066: out-of-band data (the address of a registration page).
pub const OOB: &str = "jabber:x:oob";
/// XEP-0115: entity capabilities.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XEP-0131: headers of stanzas.
pub const SHIM: &str = "http://jabber.org/protocol/shim";
/// XEP-0221: media in data forms.
pub const MEDIA: &str = "urn:xmpp:media-element";
/// epode's own: the snapshot of a session over a reload of the page.
pub const EPODE_SESSION: &str = "urn:epode:session:0";
/// XEP-0297: a stanza inside another.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0313: archives of messages.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0359: the names that archives give to stanzas.
pub const STANZA_ID: &str = "urn:xmpp:sid:0";
