//! Every example with something missing or something odd in it: whatever a peer sends, it is read without harm.

use epode_proto::jid::Jid;
use epode_proto::stanza::StanzaError;
use epode_proto::xep::data_form::Form;
use epode_proto::xep::delay::Delay;
use epode_proto::xep::disco::{self, Identity, Info};
use epode_proto::xep::pubsub::subscriptions::{Routed, Subscriptions};
use epode_proto::xep::pubsub::{event, owner, request};
use epode_proto::xep::register::Requirements;
use epode_proto::xep::responder::{About, respond};
use epode_proto::xep::time::EntityTime;
use epode_proto::xep::version::Version;
use epode_proto::xml::{Element, Node};

use super::every_example;
use super::muc::support::{ROOM, Scene};
use crate::support::unicode::NativeUnicode;

/// All copies of `element` in which one thing is missing or replaced.
fn spoilt(element: &Element) -> Vec<Element> {
    let attributes: Vec<(String, String)> = element
        .attributes()
        .filter(|attribute| attribute.ns.is_empty())
        .map(|attribute| (attribute.name.into(), attribute.value.into()))
        .collect();
    let nodes: Vec<Node> = element.nodes().collect();
    let build = |name: &str, ns: &str, attributes: &[(String, String)], nodes: &[Node]| {
        let mut builder = Element::builder(name, ns);
        for (name, value) in attributes {
            builder = builder.attr(name, value);
        }
        for node in nodes {
            builder = match node {
                Node::Element(child) => builder.child(child.clone()),
                Node::Text(text) => builder.text(text),
            };
        }
        builder.build()
    };
    let (name, ns) = (element.name(), element.ns());
    let mut copies = vec![
        build("odd", ns, &attributes, &nodes),
        build(name, "urn:example:odd", &attributes, &nodes),
    ];
    for at in 0..attributes.len() {
        let mut fewer = attributes.clone();
        let (kept, _) = fewer.remove(at);
        copies.push(build(name, ns, &fewer, &nodes));
        for odd in ["", "/", "@", "\u{1f980}", "99999999999999999999"] {
            fewer.push((kept.clone(), odd.into()));
            copies.push(build(name, ns, &fewer, &nodes));
            fewer.pop();
        }
    }
    for at in 0..nodes.len() {
        let mut others = nodes.clone();
        let removed = others.remove(at);
        copies.push(build(name, ns, &attributes, &others));
        others.insert(at, Node::Text("\u{1f980}".into()));
        copies.push(build(name, ns, &attributes, &others));
        let mut twice = nodes.clone();
        twice.insert(at, removed);
        copies.push(build(name, ns, &attributes, &twice));
        if let Some(Node::Element(child)) = nodes.get(at) {
            for odd in spoilt(child) {
                let mut others = nodes.clone();
                others[at] = Node::Element(odd);
                copies.push(build(name, ns, &attributes, &others));
            }
        }
    }
    copies
}

/// Outside, on the way in, and inside.
fn scenes() -> Vec<Scene> {
    let mut joining = Scene::new();
    joining.join("thirdwitch");
    vec![Scene::new(), joining, Scene::joined()]
}

fn subscriptions() -> Subscriptions {
    let mut registry = Subscriptions::new();
    let own = Jid::parse("francisco@denmark.lit/barracks", &NativeUnicode).expect("a JID");
    let service = Jid::parse("pubsub.shakespeare.lit", &NativeUnicode).expect("a JID");
    registry.set_account(&own);
    for node in ["princely_musings", "n48ad4fj78zn38st734", ""] {
        registry.add(&service, node, &own);
    }
    registry
}

#[test]
fn spoilt_examples_do_no_harm() {
    let about = About {
        version: Version {
            name: "epode".into(),
            version: "0".into(),
            os: None,
        },
        identity: Identity {
            category: "client".into(),
            kind: "web".into(),
            name: None,
        },
        features: vec![],
        nodes: vec![],
    };
    let mut registry = subscriptions();
    let (mut fed, mut routed) = (0, 0);
    for example in every_example() {
        // One room lives through all the copies of an example: what one breaks, the next may meet.
        let mut scenes = scenes();
        for stanza in spoilt(&example) {
            fed += 1;
            let _ = StanzaError::parse(&stanza).to_element();
            let _ = (Info::parse(&stanza), disco::parse_items(&stanza));
            let _ = (Version::parse(&stanza), EntityTime::parse(&stanza));
            let _ = Delay::of(&stanza, "");
            for child in stanza.children() {
                let _ = Form::child_of(&child).map(|form| form.answer(&[]));
            }
            if let Some(wanted) = Requirements::parse(&stanza) {
                let _ = wanted.answer(None, &[("username".into(), "bill".into())]);
            }
            let _ = request::parse_subscription(&stanza);
            let _ = (
                request::parse_published(&stanza),
                request::parse_created(&stanza),
            );
            let _ = (request::parse_items(&stanza), event::subids(&stanza));
            let _ = (
                request::parse_page(&stanza),
                request::parse_options(&stanza),
                request::parse_subscriptions(&stanza),
                request::parse_affiliations(&stanza),
                owner::parse_configuration(&stanza),
                owner::parse_subscribers(&stanza),
                owner::parse_affiliates(&stanza),
            );
            if let Some(approval) = owner::Approval::parse(&stanza) {
                assert!(approval.answer("s", true).to_xml().contains("submit"));
            }
            match registry.route(&stanza, &NativeUnicode) {
                Routed::Feeds { feeds, .. } => {
                    assert!(!feeds.is_empty());
                    // Only what comes from the service, or without a sender and so from the account, gets this far.
                    assert_eq!(stanza.attr("from"), Some("pubsub.shakespeare.lit"));
                    routed += 1;
                }
                other => assert_eq!(other == Routed::NotEvent, event::parse(&stanza).is_none()),
            }
            for scene in &mut scenes {
                scene.hear_element(&stanza);
                scene.wait(1);
                if scene.rooms.is_from_room(ROOM) {
                    let nicks = scene.nicks();
                    assert!(nicks.windows(2).all(|pair| pair[0] < pair[1]));
                }
            }
            if let Some(reply) = respond(&stanza, &about, 0, 0) {
                assert_eq!(reply.attr("to"), stanza.attr("from"));
                assert_eq!(reply.attr("id"), stanza.attr("id"));
            }
        }
    }
    // The copies really reach the readers.
    assert!(fed > 10_000 && routed > 100, "{fed} {routed}");
}
