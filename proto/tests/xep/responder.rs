//! What is answered without the page: XEP-0030, 0092, 0199, 0202, and no to the rest.

use epode_proto::ns;
use epode_proto::stanza::StanzaError;
use epode_proto::xep::disco::{self, DiscoItem, Identity, Info};
use epode_proto::xep::responder::{About, respond};
use epode_proto::xep::time::EntityTime;
use epode_proto::xep::version::Version;
use epode_proto::xml::Element;

use super::{asked, example, examples, xml};

fn about() -> About {
    About {
        version: Version {
            name: "epode".into(),
            version: "0.1.0".into(),
            os: None,
        },
        identity: Identity {
            category: "client".into(),
            kind: "web".into(),
            name: Some("Live".into()),
        },
        features: vec!["urn:example:mine".into(), ns::PING.into()],
        nodes: vec!["https://example.org/#QgayPKawpkPSDYmwT/WM94uAlu0=".into()],
    }
}

/// What comes back to `from='a@b/c' id='1'`.
fn answer(kind: &str, payload: &str) -> Option<Element> {
    let request = xml(&format!(
        "<iq type='{kind}' from='a@b/c' id='1'>{payload}</iq>"
    ));
    let reply = respond(&request, &about(), 1_166_551_115_000, -360)?;
    assert_eq!(
        (reply.attr("to"), reply.attr("id")),
        (Some("a@b/c"), Some("1"))
    );
    Some(reply)
}

fn condition(reply: Option<Element>) -> String {
    let reply = reply.expect("an answer");
    assert_eq!(reply.attr("type"), Some("error"));
    StanzaError::parse(&reply).condition
}

#[test]
fn a_ping_gets_a_reply() {
    let reply = respond(&example("0199", 1), &about(), 0, 0);
    assert_eq!(
        reply,
        Some(xml("<iq to='capulet.lit' id='s2c1' type='result'/>"))
    );
}

#[test]
fn version_and_time_are_reported() {
    let reply = answer("get", "<query xmlns='jabber:iq:version'/>").expect("an answer");
    assert_eq!(Version::parse(&reply), Some(about().version));
    assert_eq!(
        reply,
        xml(
            "<iq type='result' to='a@b/c' id='1'><query xmlns='jabber:iq:version'>
            <name>epode</name><version>0.1.0</version></query></iq>"
        )
    );
    let reply = answer("get", "<time xmlns='urn:xmpp:time'/>").expect("an answer");
    // XEP-0202 example 2.
    assert_eq!(
        reply.child("time", ns::TIME),
        Some(xml(
            "<time xmlns='urn:xmpp:time'><tzo>-06:00</tzo><utc>2006-12-19T17:58:35Z</utc></time>"
        ))
    );
    let time = EntityTime::parse(&reply).expect("a time");
    assert_eq!(
        (time.unix_ms, time.offset_minutes),
        (1_166_551_115_000, -360)
    );
    let utc = EntityTime {
        unix_ms: 0,
        offset_minutes: 0,
    };
    assert_eq!(
        utc.to_element().child_text("tzo", ns::TIME).as_deref(),
        Some("+00:00")
    );
    let odd = EntityTime {
        unix_ms: 0,
        offset_minutes: 345,
    };
    assert_eq!(
        odd.to_element().child_text("tzo", ns::TIME).as_deref(),
        Some("+05:45")
    );
}

#[test]
fn disco_info_describes_the_client() {
    let reply = answer(
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    .expect("an answer");
    let info = Info::parse(&reply).expect("information");
    assert!(info.is("client", "web") && !info.is("client", "pc") && !info.is("server", "web"));
    assert_eq!(info.node, None);
    for feature in [
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::PING,
        ns::TIME,
        ns::VERSION,
        "urn:example:mine",
    ] {
        let times = info.features.iter().filter(|own| *own == feature).count();
        assert_eq!(times, 1, "{feature}");
    }
    let reply = answer(
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    );
    let items = disco::parse_items(&reply.expect("an answer"));
    assert_eq!(items, Some(vec![]));
}

#[test]
fn our_own_node_is_known_and_others_are_not() {
    let node = &about().nodes[0];
    for namespace in [ns::DISCO_INFO, ns::DISCO_ITEMS] {
        let reply = answer(
            "get",
            &format!("<query xmlns='{namespace}' node='{node}'/>"),
        )
        .expect("an answer");
        let query = reply.child("query", namespace).expect("a query");
        assert_eq!(query.attr("node"), Some(node.as_str()));
        let reply = answer(
            "get",
            &format!("<query xmlns='{namespace}' node='elsewhere'/>"),
        );
        assert_eq!(condition(reply), "item-not-found");
    }
}

#[test]
fn everything_else_is_service_unavailable() {
    for payload in [
        "<query xmlns='jabber:iq:roster'/>",
        "<ping xmlns='urn:example'/>",
        "<query xmlns='urn:xmpp:ping'/>",
    ] {
        assert_eq!(condition(answer("get", payload)), "service-unavailable");
    }
    for payload in [
        "<ping xmlns='urn:xmpp:ping'/>",
        "<query xmlns='jabber:iq:roster'/>",
    ] {
        assert_eq!(condition(answer("set", payload)), "service-unavailable");
    }
}

#[test]
fn malformed_requests_are_bad_requests() {
    assert_eq!(condition(answer("get", "")), "bad-request");
    assert_eq!(condition(answer("set", "text only")), "bad-request");
    let two = "<ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/>";
    assert_eq!(condition(answer("get", two)), "bad-request");
    assert_eq!(
        condition(answer("what", "<ping xmlns='urn:xmpp:ping'/>")),
        "bad-request"
    );
}

#[test]
fn results_and_errors_get_no_reply() {
    assert_eq!(answer("result", "<ping xmlns='urn:xmpp:ping'/>"), None);
    assert_eq!(answer("error", "<ping xmlns='urn:xmpp:ping'/>"), None);
    let nameless = xml("<iq type='get' from='a@b/c'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_eq!(respond(&nameless, &about(), 0, 0), None);
}

#[test]
fn requests_are_written_as_in_the_examples() {
    let to = Some("plays.shakespeare.lit");
    assert_eq!(disco::info(to, None), asked("0030", 1));
    let node = Some("http://jabber.org/protocol/commands");
    assert_eq!(
        disco::info(Some("mim.shakespeare.lit"), node),
        asked("0030", 9)
    );
    assert_eq!(
        disco::items(Some("shakespeare.lit"), None),
        asked("0030", 11)
    );
    assert_eq!(
        disco::items(Some("catalog.shakespeare.lit"), Some("music")),
        asked("0030", 18)
    );
}

#[test]
fn replies_are_read_and_written_as_in_the_examples() {
    for number in [2, 6, 10] {
        let reply = example("0030", number);
        let info = Info::parse(&reply).expect("information");
        assert_eq!(
            Some(info.to_element()),
            reply.child("query", ns::DISCO_INFO)
        );
    }
    let room = examples("0030", 7).remove(1);
    let room = Info::parse(&room).expect("information");
    assert!(
        room.has("muc_nonanonymous") && !room.has("muc_public") && room.is("conference", "text")
    );
    assert_eq!(room.identities[0].name.as_deref(), Some("A Dark Cave"));

    let items = disco::parse_items(&example("0030", 17)).expect("items");
    assert_eq!(items.len(), 3);
    assert_eq!(
        items[1],
        DiscoItem {
            jid: "catalog.shakespeare.lit".into(),
            node: Some("clothing".into()),
            name: Some("Wear your literary taste with pride".into()),
        }
    );
    assert_eq!(disco::parse_items(&example("0030", 13)), Some(vec![]));
    assert_eq!(disco::parse_items(&example("0030", 2)), None);
    assert_eq!(Info::parse(&example("0030", 13)), None);
}
