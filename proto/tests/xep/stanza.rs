//! RFC 6120 §8: requests, replies and errors.

use epode_proto::ns;
use epode_proto::stanza::iq::{self, IqType};
use epode_proto::stanza::{ErrorKind, StanzaError, is_error, message, presence, split_jid};
use epode_proto::xep::{ping, pubsub};

use super::{asked, example, rebuilt, xml};

#[test]
fn a_reply_goes_to_the_sender_with_the_same_id() {
    let request = example("0199", 1);
    assert_eq!(
        iq::result(&request, None),
        xml("<iq type='result' to='capulet.lit' id='s2c1'/>")
    );
    let refusal = iq::error_reply(
        &request,
        &StanzaError::new(ErrorKind::Cancel, "service-unavailable"),
    );
    // Example 3, without the request that need not be repeated.
    assert_eq!(
        refusal,
        xml(
            "<iq type='error' to='capulet.lit' id='s2c1'><error type='cancel'>
            <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    );
    assert!(is_error(&refusal));
    // A request without a sender is from our own account or server, and so is the reply's way.
    let own = xml("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_eq!(iq::result(&own, None).attr("to"), None);
}

#[test]
fn requests_are_as_in_the_examples() {
    assert_eq!(
        ping::request(Some("capulet.lit")),
        rebuilt(&example("0199", 4), &["id", "from"]).with_attr("to", "capulet.lit")
    );
    assert_eq!(
        iq::request(IqType::Set, None, xml("<a xmlns='b'/>")).attr("to"),
        None
    );
}

#[test]
fn errors_are_read() {
    let error = StanzaError::parse(&example("0060", 30));
    assert_eq!(error.kind, ErrorKind::Modify);
    assert_eq!(error.condition, "bad-request");
    assert!(error.is_application("invalid-jid", ns::PUBSUB_ERRORS));
    assert!(pubsub::is_error(&error, "invalid-jid"));
    assert!(!pubsub::is_error(&error, "closed-node"));
    assert_eq!(error.text, None);

    let gone = StanzaError::parse(&example("0060", 40));
    assert_eq!(gone.condition, "gone");
    assert!(!pubsub::is_error(&gone, "invalid-jid"));
    assert_eq!(
        gone.address.as_deref(),
        Some("xmpp:pubsub.shakespeare.lit?;node=some-other-node")
    );
}

#[test]
fn an_error_is_written_and_read() {
    let stanza = xml("<iq type='error'><error type='wait'>
        <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
        <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Come back later</text>
        <too-many xmlns='urn:example:errors'/></error></iq>");
    let error = StanzaError::parse(&stanza);
    assert_eq!(error.to_string(), "resource-constraint: Come back later");
    assert_eq!(Some(error.to_element()), stanza.child("error", ns::CLIENT));
    assert_eq!(
        rebuilt(&example("0060", 42), &[]).attr("type"),
        Some("result")
    );
}

#[test]
fn every_type_of_error_is_known() {
    for kind in [
        ErrorKind::Auth,
        ErrorKind::Cancel,
        ErrorKind::Continue,
        ErrorKind::Modify,
        ErrorKind::Wait,
    ] {
        let error = StanzaError::new(kind, "conflict");
        let stanza = iq::error_reply(&xml("<iq id='1'/>"), &error);
        assert_eq!(StanzaError::parse(&stanza), error);
    }
}

#[test]
fn odd_errors_are_undefined_conditions() {
    for (text, words) in [
        ("<iq type='error'/>", None),
        ("<iq type='error'><error/></iq>", None),
        ("<iq type='error'><error type='what'/></iq>", None),
        (
            "<iq type='error'><error code='404'>Not Found</error></iq>",
            Some("Not Found"),
        ),
        (
            "<iq type='error'><error><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'> no </text></error></iq>",
            Some("no"),
        ),
    ] {
        let error = StanzaError::parse(&xml(text));
        assert_eq!(error.condition, "undefined-condition", "{text}");
        assert_eq!(error.kind, ErrorKind::Cancel, "{text}");
        assert_eq!(error.text.as_deref(), words, "{text}");
    }
    // Only an extension's condition; several of them; a second defined condition.
    let error = StanzaError::parse(&xml(
        "<iq type='error'><error type='auth'><one xmlns='urn:a'/><two xmlns='urn:b'/>
         <conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>x</gone>
         </error></iq>",
    ));
    assert_eq!(error.condition, "conflict");
    assert_eq!(error.address, None);
    assert_eq!(error.application, Some(("one".into(), "urn:a".into())));
}

#[test]
fn the_body_without_a_language_is_used() {
    let several = xml(
        "<message><body xml:lang='cs'>Ahoj</body><body>Hello</body><body xmlns='urn:other'>No</body></message>",
    );
    assert_eq!(message::body(&several).as_deref(), Some("Hello"));
    let foreign =
        xml("<message><body xml:lang='cs'>Ahoj</body><body xml:lang='de'>Hallo</body></message>");
    assert_eq!(message::body(&foreign).as_deref(), Some("Ahoj"));
    assert_eq!(message::body(&xml("<message><html/></message>")), None);
    assert_eq!(
        message::subject(&xml("<message><subject/></message>")).as_deref(),
        Some("")
    );
}

#[test]
fn presence_is_built() {
    assert_eq!(presence::available(None).build(), xml("<presence/>"));
    assert_eq!(
        presence::unavailable(
            Some("coven@chat.shakespeare.lit/oldhag"),
            Some("gone where the goblins go")
        ),
        asked("0045", 83)
    );
}

#[test]
fn a_jid_is_split_at_its_first_slash() {
    assert_eq!(split_jid("a@b/c/d"), ("a@b", Some("c/d")));
    assert_eq!(split_jid("a@b"), ("a@b", None));
}
