//! A first response that is not BOSH: each kind has its own reason, and nothing stays pending.

use super::{features, opened};
use crate::support::dialogue::{Dialogue, config};

/// The reason that the page gets for this response to the session request.
fn told(answer: &str, reason: &str) -> Dialogue {
    let mut dialogue = opened(config());
    dialogue.play(&format!(
        "A: anonymous
         {answer}
         E: offline {reason}
         +600s"
    ));
    assert!(dialogue.connection.is_offline());
    dialogue
}

#[test]
fn the_service_cannot_be_reached() {
    told("F: unreachable", "unreachable");
    told("F: blocked", "blocked-by-cors");
    told("F: mixed", "mixed-content");
    told("F: no-fetch", "unsupported");
    told("F: too-large", "too-large");
}

#[test]
fn http_errors() {
    for status in [301, 400, 401, 403, 404, 405, 500, 502, 503, 504] {
        told(
            &format!("S {status} text/html: <html><body>sorry</body></html>"),
            &format!("http-error {status}"),
        );
        told(&format!("S {status}: "), &format!("http-error {status}"));
    }
}

#[test]
fn the_service_is_not_bosh() {
    for (answer, what) in [
        (
            "S 200 text/html: <!DOCTYPE html>\n<html><body>Welcome</body></html>",
            "an HTML page",
        ),
        ("S 200 text/html: <HTML lang='en'></HTML>", "an HTML page"),
        (
            "S 200 text/xml: <html xmlns='http://www.w3.org/1999/xhtml'/>",
            "an HTML page",
        ),
        (
            "S 200 application/xhtml+xml: <page xmlns='http://www.w3.org/1999/xhtml'/>",
            "a content type that is not XML",
        ),
        (
            "S 200 application/json: {\"error\": 1}",
            "a content type that is not XML",
        ),
        ("S 200 text/xml: ", "an empty answer"),
        ("S 204: ", "an empty answer"),
        (
            "S 200 text/html: <body>Welcome</body>",
            "a content type that is not XML",
        ),
        (
            "S 200 text/xml: <body id='b'/>",
            "a session answer without a sid",
        ),
        (
            "S 200 text/xml: <open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
            "XML that is not a BOSH body",
        ),
        (
            "S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind'/>",
            "a session answer without a sid",
        ),
        (
            "S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind' sid=''/>",
            "a session answer without a sid",
        ),
    ] {
        told(answer, &format!("not-bosh {what}"));
    }
}

/// XEP-0124 §5: the content type of a valid body is ignored, in every phase.
#[test]
fn any_content_type_is_accepted() {
    for content_type in [
        "",
        "text/html",
        "text/html; charset=iso-8859-1",
        "application/octet-stream",
        "application/json",
        "application/xhtml+xml",
        "image/png",
        "nonsense",
        "text/xml",
        "text/xml; charset=utf-8",
        "TEXT/XML;charset=UTF-8",
        "application/xml",
        "application/xmpp+xml",
        "text/plain; charset=utf-8",
    ] {
        opened(config()).play(&format!(
            "S 200 {content_type}: <body xmlns='http://jabber.org/protocol/httpbind' sid='s'/>
             C: <body rid='2' sid='s'/>"
        ));
    }
}

#[test]
fn unreadable_xml() {
    for (body, reason) in [
        (
            "<body xmlns='http://jabber.org/protocol/httpbind' sid='s'>",
            "the document ends too early",
        ),
        (
            "<body xmlns='http://jabber.org/protocol/httpbind' sid='s'><a></b></body>",
            "an end tag that closes nothing",
        ),
        (
            "<!DOCTYPE body><body xmlns='http://jabber.org/protocol/httpbind' sid='s'/>",
            "not allowed in XMPP: DTD",
        ),
        (
            "<body xmlns='http://jabber.org/protocol/httpbind' sid='s'>&nbsp;</body>",
            "an undefined entity",
        ),
        ("not XML at all", "text outside the root element"),
    ] {
        told(
            &format!("S 200 text/xml: {body}"),
            &format!("bad-xml {reason}"),
        );
    }
    let mut limited = config();
    limited.bosh.limits.bytes = 100;
    opened(limited).play(
        "S 200 text/xml: <body xmlns='http://jabber.org/protocol/httpbind' sid='0123456789012345678901234567890123456789012345'/>
         E: offline too-large",
    );
}

#[test]
fn a_refused_session() {
    told(
        "S: <body type='terminate' condition='host-unknown'/>",
        "terminated host-unknown",
    );
    told(
        "S: <body type='terminate' condition='remote-stream-error'><stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>",
        "stream-error host-unknown",
    );
    told("S: <body type='error'/>", "terminated undefined-condition");
    told(
        "S 400 text/xml: <body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='improper-addressing'/>",
        "terminated improper-addressing",
    );
}

/// XMPP forbids these in the stream; the login ends, and the session is terminated.
#[test]
fn a_dtd_during_the_login() {
    opened(config()).play(&format!(
        "A: anonymous
         S: <body sid='s1'>{}</body>
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S 200 text/xml: <!DOCTYPE x><body xmlns='http://jabber.org/protocol/httpbind'/>
         C: <body rid='3' type='terminate'/>
         E: offline bad-xml not allowed in XMPP: DTD",
        features(&["ANONYMOUS"])
    ));
}

/// Elements that are unexpected in a state are ignored.
#[test]
fn elements_out_of_place() {
    opened(config()).play(&format!(
        "A: anonymous
         S: <body sid='s1'><sasl:success/><sasl:challenge/><sasl:failure/><message id='early'/>
              <iq type='result'/><other xmlns='urn:example'/>text{}</body>
         E: unreadable: text between stanzas
         E: authenticating
         C: <body rid='2'><sasl:auth mechanism='ANONYMOUS'/></body>
         S: <body><sasl:unheard-of/>{}<message id='early'/></body>
         C: <body rid='3'/>
         S: <body><sasl:success/></body>
         C: <body rid='4' to='example.org' xmpp:restart='true'/>
         S: <body><sasl:success/><sasl:failure/></body>
         C: <body rid='5'/>",
        features(&["ANONYMOUS"]),
        features(&["PLAIN"])
    ));
    Dialogue::online(super::NORMAL).play(&format!(
        "S: <body>{}<sasl:success/><sasl:failure/><other xmlns='urn:example'/><message id='a'/>text</body>
         E: stanza <message id='a'/>
         E: unreadable: text between stanzas
         C: <body rid='2'/>",
        features(&["PLAIN"])
    ));
}
