//! What may be absent in data that is read about entities and forms, and is read all the same. The lists name what is optional, by
//! the specifications or because peers leave it out; each has a case. Those of XEP-0077, XEP-0158 and XEP-0066 are in `register.rs`,
//! that of rosters in `audience.rs`, that of XEP-0156 in `tests/unit/discover.test.mjs`.

use epode_proto::ns;
use epode_proto::xep::data_form::{Field, Form, FormKind};
use epode_proto::xep::disco::{self, Identity, Info};
use epode_proto::xep::responder::{About, respond};
use epode_proto::xep::time::EntityTime;
use epode_proto::xep::version::Version;
use epode_proto::xml::Element;

use super::xml;

fn reply(payload: &str) -> Element {
    xml(&format!("<iq type='result' id='1'>{payload}</iq>"))
}

/// XEP-0004: `type` of the form; `<title/>`; `<instructions/>`; fields at all; a field's `var`, `type`, `label`, `<desc/>`, `<required/>`,
/// `<value/>`, `<option/>`; text in a value; an option's `label` and `<value/>`; `<reported/>`; `<item/>`; FORM_TYPE.
#[test]
fn forms() {
    let form = |x: &str| Form::parse(&xml(x)).expect("a form");
    let empty = form("<x xmlns='jabber:x:data'/>");
    assert_eq!(
        (
            empty.kind,
            empty.title.as_deref(),
            empty.instructions.as_deref()
        ),
        (FormKind::Form, None, None)
    );
    assert!(empty.fields.is_empty() && empty.reported.is_empty() && empty.items.is_empty());
    assert_eq!((empty.form_type(), empty.answer(&[]).is_ok()), (None, true));

    let bare = form(
        "<x xmlns='jabber:x:data'><field var='a'/><field/><field type='fixed'><value/></field></x>",
    );
    let expected = Field {
        var: Some("a".into()),
        ..Field::default()
    };
    assert_eq!(bare.fields[0], expected);
    assert!(bare.fields[0].is("text-single") && !bare.fields[0].required);
    assert_eq!(
        (bare.fields[1].var.as_deref(), bare.value("a")),
        (None, None)
    );
    assert_eq!(bare.fields[2].values, [""]);
    // What has no name cannot be answered, what has no value need not be.
    assert_eq!(
        bare.answer(&[("a".into(), vec!["1".into()])]),
        Ok(xml(
            "<x xmlns='jabber:x:data' type='submit'><field var='a'><value>1</value></field></x>"
        ))
    );

    let options = form(
        "<x xmlns='jabber:x:data'><field type='list-single' var='a'><option/><option label='B'/><option><value>c</value></option>
           <option label='D'><value/></option></field></x>",
    );
    assert_eq!(
        options.fields[0].options,
        [(None, "c".into()), (Some("D".into()), String::new())]
    );

    // A result: no types, no columns.
    let rows = form(
        "<x xmlns='jabber:x:data' type='result'><item><field var='a'><value>1</value></field></item><item/></x>",
    );
    assert_eq!((rows.items.len(), rows.items[0][0].value()), (2, Some("1")));
}

/// XEP-0030: `node`; identities; an identity's `category`, `type`, `name`; features; a feature's `var`; forms; `<query/>`; items; an item's
/// `jid`, `node`, `name`. Of a question: `node`.
#[test]
fn discovery() {
    let info = |query: &str| Info::parse(&reply(query));
    assert_eq!(info(""), None);
    assert_eq!(
        info("<query xmlns='http://jabber.org/protocol/disco#info'/>"),
        Some(Info::default())
    );
    let odd = info(
        "<query xmlns='http://jabber.org/protocol/disco#info'><identity/><feature/><feature var='a'/>
           <identity category='pubsub' type='service'/></query>",
    )
    .expect("information");
    assert_eq!(odd.features, ["a"]);
    assert!(odd.is("pubsub", "service") && odd.identities[0].category.is_empty());
    assert_eq!(odd.identities[1].name, None);

    let items = |query: &str| disco::parse_items(&reply(query));
    assert_eq!(items(""), None);
    assert_eq!(
        items("<query xmlns='http://jabber.org/protocol/disco#items'/>"),
        Some(vec![])
    );
    let listed = items(
        "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='a'/><item node='b'/><item jid='c' node='d'/></query>",
    )
    .expect("items");
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0].node, &listed[0].name), (&None, &None));
    assert_eq!(listed[1].node.as_deref(), Some("d"));
}

/// XEP-0092: `<name/>`, `<version/>`, `<os/>`, `<query/>`. XEP-0202: `<tzo/>`, `<utc/>`, `<time/>`; fractions of a second.
#[test]
fn versions_and_times() {
    let version = |query: &str| Version::parse(&reply(query));
    assert_eq!(version(""), None);
    let none = version("<query xmlns='jabber:iq:version'/>").expect("a version");
    assert_eq!(
        (none.name.as_str(), none.version.as_str(), none.os),
        ("", "", None)
    );
    let some = version("<query xmlns='jabber:iq:version'><version>1</version></query>");
    assert_eq!(some.expect("a version").version, "1");

    let time = |time: &str| EntityTime::parse(&reply(time));
    assert_eq!(time(""), None);
    assert_eq!(time("<time xmlns='urn:xmpp:time'/>"), None);
    assert_eq!(
        time("<time xmlns='urn:xmpp:time'><tzo>Z</tzo></time>"),
        None
    );
    let utc = "<utc>1970-01-01T00:00:01Z</utc>";
    for tzo in ["", "<tzo>Z</tzo>", "<tzo>+00:00</tzo>"] {
        let read = time(&format!("<time xmlns='urn:xmpp:time'>{tzo}{utc}</time>"));
        let expected = EntityTime {
            unix_ms: 1_000,
            offset_minutes: 0,
        };
        assert_eq!(read, Some(expected), "{tzo}");
    }
}

/// A question (RFC 6120 §8.2.3): `from`, which means the own server; `to`; `node` of XEP-0030. XEP-0115: our own `name` and features, of which
/// the verification is made.
#[test]
fn questions() {
    let about = About {
        version: Version {
            name: "epode".into(),
            version: "1".into(),
            os: None,
        },
        identity: Identity {
            category: "client".into(),
            kind: "web".into(),
            name: None,
        },
        features: Vec::new(),
        nodes: Vec::new(),
    };
    let question =
        xml("<iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    let answer = respond(&question, &about, 0, 0).expect("an answer");
    assert_eq!((answer.attr("to"), answer.attr("id")), (None, Some("1")));
    let info = Info::parse(&answer).expect("information");
    assert_eq!(info, about.info());
    assert!(info.has(ns::PING));
    // Without a name there is an empty one between the slashes (XEP-0115 §5.1).
    let named = Info {
        identities: vec![Identity {
            name: Some(String::new()),
            ..about.identity.clone()
        }],
        ..about.info()
    };
    let verification = epode_proto::xep::caps::verification;
    assert_eq!(verification(&info), verification(&named));
    assert_eq!(verification(&Info::default()).len(), 28);
}
