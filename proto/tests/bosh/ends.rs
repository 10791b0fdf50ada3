//! XEP-0124 §17: the reasons for the end of a session.

use super::NORMAL;
use crate::support::wire::{Wire, config};
use epode_proto::error::CloseReason;
use epode_proto::time::Millis;

#[test]
fn a_service_at_another_address() {
    Wire::open(NORMAL).play(
        "A: send <message id='a'/>
         C: <body rid='3'><message id='a'/></body>
         S: <body type='terminate' condition='see-other-uri'><message id='in'/><uri>
              https://secure.example.org/bosh
            </uri></body>
         E: element <message id='in'/>
         C: cancel 3
         E: 0 unknown
         E: closed terminated see-other-uri",
    );
    let elsewhere = CloseReason::SeeOther("https://secure.example.org/bosh".into());
    assert_eq!(elsewhere.code(), "terminated");
    assert_eq!(
        (elsewhere.sentence(), elsewhere.detail().as_deref()),
        ("see-other-uri", Some("https://secure.example.org/bosh"))
    );
}

/// The address is in the text of `<uri/>`.
#[test]
fn a_service_that_does_not_exist() {
    for (payload, expected) in [
        (
            "<uri xmlns='http://jabber.org/protocol/httpbind'>https://example.org/b?a=1&amp;b</uri>",
            Some("https://example.org/b?a=1&b"),
        ),
        (
            "<uri xmlns='http://jabber.org/protocol/httpbind'> </uri>",
            None,
        ),
        ("<uri xmlns='urn:example'>https://example.org/</uri>", None),
        ("", None),
    ] {
        let mut wire = Wire::new(config());
        wire.expect_request();
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='see-other-uri'>{payload}</body>"
        );
        let told = wire.answer_first(&body);
        let reason = told.expect("its end");
        match expected {
            Some(uri) => assert_eq!(reason, CloseReason::SeeOther(uri.into())),
            None => assert_eq!(reason.condition(), Some("see-other-uri")),
        }
        assert_eq!(
            expected.is_some(),
            matches!(reason, CloseReason::SeeOther(_))
        );
    }
}

/// With another condition the child `<uri/>` is ignored.
#[test]
fn an_address_without_the_condition() {
    Wire::open(NORMAL).play(
        "S: <body type='terminate' condition='host-gone'><uri>https://example.org/</uri></body>
         E: closed terminated host-gone",
    );
}

/// §17.1: a manager with `ver` reports errors in bodies, others by status. A status is then from an intermediary.
#[test]
fn http_statuses_from_intermediaries() {
    for status in [400, 403, 404] {
        let mut wire = Wire::open(NORMAL);
        wire.play(&format!(
            "S 404: <html>no such page</html>
             C: again 2
             S {status}: not now
             +due
             C: again 2
             S: <body><message id='in'/></body>
             E: element <message id='in'/>
             C: <body rid='3'/>"
        ));
        Wire::open("wait='60' hold='1' requests='2'").play(&format!(
            "S {status}: 
             E: closed terminated {}",
            match status {
                400 => "bad-request",
                403 => "policy-violation",
                _ => "item-not-found",
            }
        ));
    }
    for status in [401, 405, 410, 413] {
        Wire::open(NORMAL).play(&format!(
            "S {status}: 
             E: closed http-error {status}"
        ));
    }
}

/// The client does not wait for the service forever.
#[test]
fn a_service_that_disappeared() {
    let mut wire = Wire::open("ver='1.6' wait='60' hold='1' requests='1' inactivity='30'");
    wire.play(
        "S 404: 
         C: again 2",
    );
    let began = wire.now;
    while wire.now <= began + Millis::seconds(30) {
        wire.play(
            "S 404: 
             +due
             C: again 2",
        );
    }
    wire.play(
        "S 404: 
         E: closed http-error 404",
    );
}

/// §17.2: thirteen conditions; the caller gets each of them.
#[test]
fn each_condition_is_reported() {
    for condition in [
        "bad-request",
        "host-gone",
        "host-unknown",
        "improper-addressing",
        "internal-server-error",
        "item-not-found",
        "other-request",
        "policy-violation",
        "remote-connection-failed",
        "remote-stream-error",
        "see-other-uri",
        "system-shutdown",
    ] {
        let mut wire = Wire::open(NORMAL);
        wire.play(&format!(
            "S: <body type='terminate' condition='{condition}'/>
             E: closed terminated {condition}"
        ));
        let reason = CloseReason::Terminated {
            condition: condition.into(),
        };
        assert_eq!(
            (reason.sentence(), reason.condition()),
            ("terminated", Some(condition))
        );
    }
}

/// A stream error is more specific than the condition beside it; elements before it are delivered first.
#[test]
fn a_remote_stream_error_delivers_all_stanzas() {
    Wire::open(NORMAL).play(
        "S: <body type='terminate' condition='remote-stream-error'><message id='a'/><stream:error>
              <xml-not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>
         E: element <message id='a'/>
         E: element <stream:error><xml-not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
         E: closed terminated remote-stream-error",
    );
}
