//! Deviations of servers: harmless ones are ignored in every phase, unreadable input is reported and counted as
//! received, input above the limit ends the stream.
//!
//! The optional parts of the data read here, each absent in one of these tests or in the named ones:
//! - XEP-0124 §7.2, session answer: `wait`, `hold`, `requests`, `inactivity`, `polling`, `maxpause`, `ack`, `ver`, `from`, `authid`,
//!   `charsets`, `accept`, `secure`, `xmlns`; features in it
//! - XEP-0124, later answers: everything, `xmlns` and `sid` among it; terminate: `condition`, `uri`, `stream:error`
//! - XEP-0206: `xmpp:version`, `xmpp:restartlogic`, the prefix's declaration, stanzas' namespace
//! - RFC 7395: `<open/>`'s `from`, `id`, `version`, `xml:lang`, `xmlns`; `<close/>`'s `see-other-uri`, `xmlns`
//! - RFC 6120 §4.9: the condition, its namespace, `<text/>`, the application's condition
//! - XEP-0198: `<enabled/>`'s `id`, `max`, `resume`, `location`; `<a/>`'s `h`; `<resumed/>`'s `previd`; `<failed/>`'s `h`, condition

use super::{NORMAL, features, opened};
use crate::support::dialogue::{Dialogue, config, socket_config};
use epode_proto::connection::Config;

const BODY: &str = "<body xmlns='http://jabber.org/protocol/httpbind'";

fn plain() -> Dialogue {
    Dialogue::online_over_socket(socket_config(), "")
}

/// With stream management and automatic reconnects.
fn managed() -> Dialogue {
    let config = Config {
        reconnect: Some(Default::default()),
        ..socket_config()
    };
    let mut dialogue = Dialogue::online_over_socket(config, "<sm:sm/>");
    dialogue.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled id='here' resume='true'/>",
    );
    dialogue
}

// ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// RFC 7395 §3.3.3 wants frames to begin with `<`. Servers that speak over other transports too keep connections alive by white space.
#[test]
fn white_space_around_elements_and_alone() {
    let mut dialogue = managed();
    for blank in [
        "raw ",
        "raw  ",
        "raw \t",
        "raw \u{feff}",
        "raw \r",
        "raw \u{feff} ",
    ] {
        dialogue.play(&format!("W: {blank}"));
    }
    for frame in [
        " <message xmlns='jabber:client'/>",
        "<message xmlns='jabber:client'/> ",
        "\t<message xmlns='jabber:client'/>\t",
        "\u{feff}<message xmlns='jabber:client'/>",
        "<?xml version='1.0'?><message xmlns='jabber:client'/>",
        "<?xml version='1.0' encoding='UTF-8'?> <message xmlns='jabber:client'/>",
        " <?xml version='1.0' encoding='utf-16'?><message xmlns='jabber:client'/>",
        "\u{feff} <?xml version='1.1'?><message xmlns='jabber:client'/> <!-- of a proxy -->",
        "<message xmlns='jabber:client'><!-- forbidden, and harmless --></message>",
        "<?php ?><message xmlns='jabber:client'><?php ?></message>",
    ] {
        dialogue.play(&format!("W: raw {frame}\nE: stanza <message/>"));
    }
    // Only stanzas count.
    dialogue.play("W: <sm:r/>\nC: <sm:a h='10'/>");
}

/// A comment does not split a text.
#[test]
fn a_comment_in_text() {
    plain().play(
        "W: raw <message><body>one<!-- x -->two<![CDATA[three]]></body></message>
         E: stanza <message><body>onetwothree</body></message>",
    );
}

#[test]
fn several_elements_in_a_frame() {
    let mut dialogue = managed();
    dialogue.play(
        "W: raw <message id='a'/> <presence/><r xmlns='urn:xmpp:sm:3'/><message id='b'/>
         C: <sm:a h='2'/>
         E: stanza <message id='a'/>
         E: stanza <presence/>
         E: stanza <message id='b'/>
         W: <sm:r/>
         C: <sm:a h='3'/>
         // What is whole before the one that cannot be read is heard.
         W: raw <message id='c'/><message id='d'><body
         E: stanza <message id='c'/>
         E: unreadable in message: the document ends too early
         W: <sm:r/>
         C: <sm:a h='5'/>",
    );
}

/// In a stream, `jabber:client` is the default namespace and `stream` a known prefix (RFC 6120 §4.8): a server that takes its frames
/// out of one may forget to declare them.
#[test]
fn a_login_without_any_namespace() {
    Dialogue::new(socket_config()).play(
        "A: connect
         E: connecting
         E: credentials wanted
         C: socket
         A: anonymous
         W: opened
         C: <framing:open to='example.org' version='1.0'/>
         W: raw <open/>
         W: raw
         W: raw <?xml version='1.0'?> <stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>
         C: <sasl:auth mechanism='ANONYMOUS'/>
         E: authenticating
         W: raw <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
         C: <framing:open to='example.org' version='1.0'/>
         W: raw <open xmlns=''/>
         W: raw <features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></features>
         C: <iq type='set' id='$bind'><bind:bind/></iq>
         E: binding
         W: <iq type='result' id='$bind' xmlns=''><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>
         C: <sm:enable resume='true'/>
         E: online romeo@example.org/orchard
         W: raw <enabled/>
         W: raw <message id='a'><body>x</body><x xmlns='urn:x'/></message>
         E: stanza <message id='a'><body>x</body><x xmlns='urn:x'/></message>
         W: raw <presence/>
         E: stanza <presence/>
         W: raw <iq type='get' id='v'><query xmlns='jabber:iq:version'/></iq>
         E: stanza <iq type='get' id='v'><query xmlns='jabber:iq:version'/></iq>
         W: raw <r/>
         C: <sm:a h='3'/>
         A: send <message id='b'/>
         C: <message id='b'/>
         C: <sm:r/>
         W: raw <a h='1'/>
         E: 0 delivered
         W: raw <stream:error><conflict/></stream:error>
         C: <framing:close/>
         C: close
         E: offline stream-error conflict",
    );
}

/// An undeclared prefix is read as a namespace of the same name: the stanza around it is delivered.
#[test]
fn an_undeclared_prefix() {
    plain().play(
        "W: raw <message id='a' foo:bar='1'><foo:x/></message>
         E: stanza <message id='a' xmlns:foo='foo' foo:bar='1'><x xmlns='foo'/></message>",
    );
}

/// In a bound session only the unreadable stanza is lost. It is counted, so that the server does not repeat it.
#[test]
fn unreadable_input_is_reported_and_counted() {
    for (frame, words) in [
        (
            "raw <message",
            "unreadable in message: the document ends too early",
        ),
        (
            "raw <iq><a></b></iq>",
            "unreadable in iq: an end tag that closes nothing",
        ),
        (
            "raw <presence a='1' a='2'/>",
            "unreadable in presence: an attribute twice",
        ),
        (
            "raw <c:message xmlns:c='jabber:client'>&x;",
            "unreadable in message: an undefined entity",
        ),
        (
            "raw <message xmlns='jabber:server'/>",
            "unreadable in message: a stanza in a namespace other than jabber:client",
        ),
    ] {
        let mut dialogue = managed();
        dialogue.play(&format!(
            "W: {frame}
             E: {words}
             W: <message id='in'/>
             E: stanza <message id='in'/>
             W: <sm:r/>
             C: <sm:a h='2'/>"
        ));
    }
    // No stanza: it does not count.
    for (frame, words) in [
        ("raw hello", "unreadable: text outside the root element"),
        // RFC 7395 §3.2 wants text: a binary frame comes from something in between.
        ("binary", "unreadable: not text"),
        (
            "raw <r xmlns='urn:xmpp:sm:3'",
            "unreadable in r: the document ends too early",
        ),
        (
            "raw <!DOCTYPE x><x/>",
            "unreadable: not allowed in XMPP: DTD",
        ),
    ] {
        let mut dialogue = managed();
        dialogue.play(&format!(
            "W: {frame}
             E: {words}
             W: <message id='in'/>
             E: stanza <message id='in'/>
             W: <sm:r/>
             C: <sm:a h='1'/>"
        ));
    }
}

/// During a login the unreadable input may be awaited: the login ends, and the reason is reported.
#[test]
fn unreadable_input_during_a_login() {
    let login = |frame: &str, words: &str| {
        let mut dialogue = Dialogue::new(socket_config());
        dialogue.play(&format!(
            "A: connect
             E: connecting
             E: credentials wanted
             C: socket
             A: anonymous
             W: opened
             C: <framing:open to='example.org' version='1.0'/>
             W: <framing:open/>
             W: {frame}
             {words}"
        ));
        dialogue
    };
    let end = "C: <framing:close/>\nC: close\nE: offline";
    login(
        "raw <stream:features><",
        &format!("{end} bad-xml the document ends too early"),
    );
    login("binary", &format!("{end} bad-xml not text"));
    login("oversized", &format!("{end} too-large"));
    // Text that stands in no element is nothing that anybody waits for.
    login("raw hello", "E: unreadable: text outside the root element").forgive();
}

/// The stream is closed, so that no session remains; the oversized stanza is counted first, or the server would repeat it.
#[test]
fn a_frame_above_the_limit() {
    for frame in [
        "oversized".to_owned(),
        format!("raw <message>{}</message>", "x".repeat(1000)),
    ] {
        let mut config = Config {
            reconnect: Some(Default::default()),
            ..socket_config()
        };
        config.bosh.limits.bytes = 1000;
        let mut dialogue = Dialogue::online_over_socket(config.clone(), "<sm:sm/>");
        dialogue.play(
            "C: <sm:enable resume='true'/>
             W: <sm:enabled id='here' resume='true'/>
             W: <message id='in'/>
             E: stanza",
        );
        dialogue.play(&format!(
            "W: {frame}
             C: <sm:a h='2'/>
             C: <framing:close/>
             C: close"
        ));
        let words = dialogue.next_words();
        assert!(words.starts_with("unreadable"), "{words}");
        dialogue.interrupted();
        dialogue.play("+due\nE: credentials wanted\nC: socket\nA: anonymous");
        dialogue.authenticate_over_socket("<sm:sm/>");
        // No resumption: the session was ended.
        dialogue.play("C: <iq type='set' id='$new'><bind:bind/></iq>");
        config.reconnect = None;
        let mut dialogue = Dialogue::online_over_socket(config, "");
        dialogue.play(&format!("W: {frame}\nC: <framing:close/>\nC: close"));
        dialogue.next_words();
        dialogue.play("E: offline too-large");
    }
}

// ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// XEP-0206 §5: elements that inherit the body's namespace belong to the stream. No namespace, no prefix, no known content type.
#[test]
fn a_login_over_bosh_without_any_namespace() {
    opened(config()).play(
        "A: anonymous
         S 200 text/html: <body sid='s1' xmpp:version='1.0' secure='true'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features></body>
         E: authenticating
         C: <body rid='2' sid='s1'><sasl:auth mechanism='ANONYMOUS'/></body>
         S 200 application/octet-stream: <body> <!-- a proxy --> <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/> </body>
         C: <body rid='3' sid='s1' to='example.org' xmpp:restart='true'/>
         S 200 image/png: <?xml version='1.0'?><body xmlns='http://jabber.org/protocol/httpbind'><features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features></body>
         C: <body rid='4' sid='s1'><iq type='set' id='$bind'><bind:bind/></iq></body>
         E: binding
         S: <body><iq xmlns='http://jabber.org/protocol/httpbind' type='result' id='$bind'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq></body>
         E: online romeo@example.org/orchard
         +50ms
         C: <body rid='5' sid='s1'/>
         S 200: <b:body xmlns:b='http://jabber.org/protocol/httpbind' unknown='1'><message id='a'><body>x</body></message><unknown/></b:body>
         E: stanza <message id='a'><body>x</body></message>
         C: <body rid='6' sid='s1'/>
         S 201 text/xml: <body><message id='b' xmlns=''/></body> <!-- served by a proxy -->
         E: stanza <message id='b'/>
         C: <body rid='7' sid='s1'/>",
    );
}

/// The text of a page without the namespace is not a response.
#[test]
fn an_html_page_as_body() {
    Dialogue::online(NORMAL).play(
        "S 200 text/html: <body>Please log in to this network</body>
         C: again 1
         S: <body><message id='in'/></body>
         E: stanza
         C: <body rid='2'/>",
    );
}

/// Every form of an end is read. A conflict is not retried: two tabs would end each other's sessions forever.
#[test]
fn ends_of_all_kinds() {
    for (end, words) in [
        (
            "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            "stream-error conflict",
        ),
        (
            "<stream:error><conflict/></stream:error>",
            "stream-error conflict",
        ),
        (
            "<error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
            "stream-error conflict",
        ),
        (
            "<stream:error><Conflict/></stream:error>",
            "stream-error conflict",
        ),
        (
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><app xmlns='urn:app'/></stream:error>",
            "stream-error undefined-condition",
        ),
    ] {
        for condition in ["condition='remote-stream-error'", ""] {
            let mut reconnecting = config();
            reconnecting.reconnect = Some(Default::default());
            let mut dialogue = Dialogue::online_with(reconnecting, NORMAL);
            dialogue.play(&format!(
                "S 200 text/xml: {BODY} type='terminate' {condition}>{end}</body>"
            ));
            if words == "stream-error conflict" {
                dialogue.play("E: offline stream-error conflict\n+600s");
            } else {
                dialogue.tells_trouble = true;
                dialogue.forgive();
            }
        }
    }
    for (end, words) in [
        ("type='terminate'", "terminated undefined-condition"),
        (
            "type='TERMINATE' condition='Policy-Violation'",
            "terminated policy-violation",
        ),
        (
            "type='terminate' condition=' host-gone '",
            "terminated host-gone",
        ),
        (
            "type='terminate' condition='conflict'",
            "stream-error conflict",
        ),
    ] {
        Dialogue::online(NORMAL).play(&format!("S 200: <body {end}/>\nE: offline {words}"));
    }
}

/// Between stanzas white space is ignored and text is reported.
#[test]
fn text_between_stanzas() {
    Dialogue::online(NORMAL).play(&format!(
        "S 200 text/xml: {BODY}> <message id='a'/>\tTEXT <message id='b'/> </body>
         E: stanza <message id='a'/>
         E: unreadable: text between stanzas
         E: stanza <message id='b'/>
         C: <body rid='2'/>"
    ));
}

/// Of the attributes of XEP-0124 §7.2 the login needs only `sid`.
#[test]
fn a_session_response_with_only_a_sid() {
    opened(config()).play(&format!(
        "A: anonymous
         S: <body sid='s1'/>
         C: <body rid='2'/>
         S: <body>{}</body>
         E: authenticating
         C: <body rid='3'><sasl:auth mechanism='ANONYMOUS'/></body>",
        features(&["ANONYMOUS"])
    ));
}

/// XEP-0198: only the element names are required. Without `resume` and `id` there is no resumption, without `h` no acknowledgement.
#[test]
fn stream_management_without_attributes() {
    let config = Config {
        reconnect: Some(Default::default()),
        ..socket_config()
    };
    let mut dialogue = Dialogue::online_over_socket(config, "<sm:sm/>");
    dialogue.play(
        "C: <sm:enable resume='true'/>
         W: <sm:enabled/>
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <sm:r/>
         W: <sm:a/>
         W: <sm:unknown/>
         W: <sm:a h='1'/>
         E: 0 delivered
         W: closed",
    );
    dialogue.interrupted();
    dialogue.play("+due\nE: credentials wanted\nC: socket\nA: anonymous");
    dialogue.authenticate_over_socket("<sm:sm/>");
    dialogue.play("C: <iq type='set' id='$new'><bind:bind/></iq>");
    let mut dialogue = Dialogue::online_over_socket(socket_config(), "<sm:sm/>");
    // Refused without a reason: pings do its work.
    dialogue.play(
        "C: <sm:enable resume='true'/>
         W: <sm:failed/>
         A: send <message id='a'/>
         C: <message id='a'/>
         C: <iq type='get' id='$ping'><ping xmlns='urn:xmpp:ping'/></iq>
         W: <iq type='result' id='$ping'/>
         E: 0 delivered",
    );
}

/// A service that sends the request elsewhere is not followed; in the middle of a session it is a network that wants a login first.
#[test]
fn redirects() {
    for (answer, words) in [
        ("F: redirected", "http-error"),
        ("S 301: ", "http-error 301"),
        ("S 302 text/html: <html></html>", "http-error 302"),
        ("S 303: ", "http-error 303"),
        ("S 307: ", "http-error 307"),
        ("S 308: ", "http-error 308"),
    ] {
        let mut dialogue = opened(config());
        dialogue.play(&format!("A: anonymous\n{answer}\nE: offline {words}"));
        Dialogue::online(NORMAL).play(&format!(
            "{answer}
             C: again 1
             S: <body><message id='in'/></body>
             E: stanza
             C: <body rid='2'/>"
        ));
    }
}
