//! What the inspector shows holds no secret, and all else as it is.

// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use crate::support::script::xml;
use epode_proto::mask::masked;
use epode_proto::ns;
use epode_proto::sasl::base64;
use epode_proto::stanza::iq::{self, IqType};
use epode_proto::xep::register;
use epode_proto::xml::{Element, Limits, parse};

const SECRET: &str = "tr0ub4dor";

/// Shows an element in which the secret stands, and checks that it does not any more; gives what is shown.
fn shown(element: &Element) -> String {
    let before = element.to_xml();
    assert!(before.contains(SECRET), "{before}");
    let after = masked(element);
    assert!(!after.contains(SECRET), "{after}");
    assert!(after.contains('…'), "{after}");
    parse(after.clone().into_bytes(), &Limits::default()).expect("well-formed");
    after
}

#[test]
fn sasl() {
    for name in ["auth", "challenge", "response", "success"] {
        let element = Element::builder(name, ns::SASL)
            .attr("mechanism", "PLAIN")
            .text(SECRET)
            .build();
        let shown = shown(&element);
        assert!(
            shown.contains("PLAIN"),
            "the mechanism is no secret: {shown}"
        );
    }
    let encoded = base64::encode(format!("\0romeo\0{SECRET}").as_bytes());
    let auth = Element::builder("auth", ns::SASL).text(&encoded).build();
    assert!(!masked(&auth).contains(&encoded));
}

/// XEP-0388's wrapper, and XEP-0484's token in an attribute.
#[test]
fn sasl_in_one_element() {
    for within in [
        "initial-response",
        "additional-data",
        "challenge",
        "response",
    ] {
        let element = Element::builder("success", ns::SASL2)
            .element(within, ns::SASL2, |element| element.text(SECRET))
            .element("authorization-identifier", ns::SASL2, |element| {
                element.text("romeo@example.org")
            })
            .build();
        assert!(shown(&element).contains("romeo@example.org"));
    }
    let token = Element::builder("success", ns::SASL2)
        .element("token", ns::FAST, |token| {
            token
                .attr("token", SECRET)
                .attr("expiry", "2026-12-01T00:00:00Z")
        })
        .build();
    assert!(shown(&token).contains("2026-12-01"));
}

#[test]
fn the_reason_of_a_failed_login_is_not_masked() {
    let failure =
        xml("<sasl:failure><sasl:not-authorized/><sasl:text>Who?</sasl:text></sasl:failure>");
    assert_eq!(masked(&failure), failure.to_xml());
}

#[test]
fn registration() {
    let values =
        [("username", "romeo"), ("password", SECRET)].map(|(a, b)| (a.to_owned(), b.to_owned()));
    let legacy = xml(
        "<iq type='result'><register:query><register:username/><register:password/></register:query></iq>",
    );
    let form = xml(
        "<iq type='result'><register:query><x xmlns='jabber:x:data' type='form'>
           <field type='text-single' var='username'><required/></field>
           <field type='text-private' var='password'><required/></field></x></register:query></iq>",
    );
    for reply in [legacy, form] {
        let wanted = register::Requirements::parse(&reply).expect("a form");
        let answer = wanted.answer(None, &values).expect("answered");
        assert!(shown(&answer).contains("romeo"));
    }
    shown(&register::change_password(None, "romeo", SECRET));
    shown(&xml(&format!(
        "<iq type='set'><register:query><register:key>{SECRET}</register:key></register:query></iq>"
    )));
}

/// XEP-0004 has a field type for what is not to be read over a shoulder; before that, names told.
#[test]
fn forms() {
    for field in [
        "type='text-private' var='pin'",
        "var='password'",
        "var='Password'",
        "var='muc#roomconfig_roomsecret'",
        "var='muc#roomconfig_roomSecret'",
        "var='old_password'",
        "type='list-multi' var='secrets'",
    ] {
        let form = xml(&format!(
            "<iq type='set'><query xmlns='{}'><x xmlns='jabber:x:data' type='submit'>
               <field var='muc#roomconfig_roomname'><value>The Chamber</value></field>
               <field {field}><value>{SECRET}</value></field></x></query></iq>",
            ns::MUC_OWNER
        ));
        assert!(shown(&form).contains("The Chamber"));
    }
}

#[test]
fn rooms() {
    for stanza in [
        format!(
            "<presence to='room@example.org/nick'><x xmlns='{}'><password>{SECRET}</password></x></presence>",
            ns::MUC
        ),
        format!(
            "<message><x xmlns='{}'><invite to='a@b'/><password>{SECRET}</password></x></message>",
            ns::MUC_USER
        ),
        format!(
            "<iq type='set'><query xmlns='{}'><destroy jid='a@b'><password>{SECRET}</password></destroy></query></iq>",
            ns::MUC_OWNER
        ),
        format!(
            "<message><x xmlns='jabber:x:conference' jid='a@b' password='{SECRET}'/></message>"
        ),
    ] {
        shown(&xml(&stanza));
    }
}

/// Wherever it stands, in whatever the page wraps it.
#[test]
fn deep_inside() {
    let inner = Element::builder("password", ns::REGISTER)
        .text(SECRET)
        .build();
    let mut element = inner;
    for _ in 0..50 {
        element = Element::builder("x", "urn:example")
            .text("a")
            .child(element)
            .text("b")
            .build();
    }
    shown(&iq::request(IqType::Set, None, element));
}

#[test]
fn nothing_else_is_changed() {
    for text in [
        "<message type='chat' to='a@b' xml:lang='en'><body xmlns='jabber:client'>my password is …</body></message>",
        "<message><x xmlns='urn:a'>one<y a='1' b='2'/>two</x></message>",
        "<iq type='result'><register:query><register:username>romeo</register:username></register:query></iq>",
        "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>",
        // What is asked for is no secret.
        "<iq type='result'><register:query><register:username/><register:password/></register:query></iq>",
        "<iq type='result'><x xmlns='jabber:x:data'><field type='text-private' var='password'><required/></field></x></iq>",
    ] {
        let element = xml(text);
        assert_eq!(masked(&element), element.to_xml());
    }
    // Beside a secret, too.
    let with_secret = xml(
        "<iq xml:lang='en' id='1'><register:query><register:username>romeo &amp; co</register:username><register:password>x</register:password></register:query>text</iq>",
    );
    let expected = xml(
        "<iq xml:lang='en' id='1'><register:query><register:username>romeo &amp; co</register:username><register:password>…</register:password></register:query>text</iq>",
    );
    assert_eq!(masked(&with_secret), expected.to_xml());
}
