//! XEP-0060: requests, replies and events.

use epode_proto::ns;
use epode_proto::xep::data_form::Form;
use epode_proto::xep::disco::{self, Info};
use epode_proto::xep::pubsub::event::{self, ItemEvent, PubSubEvent};
use epode_proto::xep::pubsub::{Item, Subscription, SubscriptionState, request};
use epode_proto::xml::Element;

use super::{asked, example, examples, values, xml};

const SERVICE: Option<&str> = Some("pubsub.shakespeare.lit");
const NODE: &str = "princely_musings";
const FRANCISCO: &str = "francisco@denmark.lit";
const ITEM: &str = "ae890ac52d0df67ed7cfdf51b644e901";
const SUBID: &str = "ba49252aaa4f5d320c24d3766f0bdcade78c78d3";

/// The payload of the item that an example publishes.
fn payload(example: &Element) -> Element {
    let publish = example
        .child("pubsub", ns::PUBSUB)
        .and_then(|pubsub| pubsub.child("publish", ns::PUBSUB));
    let item = publish
        .and_then(|publish| publish.children().next())
        .expect("an item");
    item.children().next().expect("a payload")
}

#[test]
fn subscribing_is_as_in_the_examples() {
    assert_eq!(
        request::subscribe(SERVICE, NODE, FRANCISCO, &[]),
        asked("0060", 28)
    );
    let options = values(&[
        ("pubsub#deliver", &["1"]),
        ("pubsub#digest", &["0"]),
        ("pubsub#include_body", &["false"]),
        ("pubsub#show-values", &["chat", "online", "away"]),
    ]);
    assert_eq!(
        request::subscribe(SERVICE, NODE, FRANCISCO, &options),
        asked("0060", 67)
    );
    assert_eq!(
        request::unsubscribe(SERVICE, NODE, FRANCISCO, None),
        asked("0060", 47)
    );
    let one = request::unsubscribe(SERVICE, NODE, FRANCISCO, Some(SUBID));
    let unsubscribe = one
        .child("pubsub", ns::PUBSUB)
        .and_then(|pubsub| pubsub.child("unsubscribe", ns::PUBSUB));
    assert_eq!(unsubscribe.expect("it").attr("subid"), Some(SUBID));
}

#[test]
fn subscriptions_are_read() {
    let read = |number| request::parse_subscription(&example("0060", number));
    let whole = |subid: Option<&str>, state| {
        Some(Subscription {
            node: Some(NODE.into()),
            jid: FRANCISCO.into(),
            subid: subid.map(Into::into),
            state,
        })
    };
    assert_eq!(read(29), whole(Some(SUBID), SubscriptionState::Subscribed));
    assert_eq!(read(42), whole(None, SubscriptionState::Pending));
    assert_eq!(read(43), whole(None, SubscriptionState::Unconfigured));
    assert_eq!(read(48), whole(Some(SUBID), SubscriptionState::None));
    assert_eq!(read(68), whole(Some(SUBID), SubscriptionState::Subscribed));
    assert_eq!(
        request::parse_subscription(&xml("<iq type='result'/>")),
        None
    );
}

#[test]
fn publishing_is_as_in_the_examples() {
    let [with_id, without_id] = [96, 97].map(|number| asked("0060", number));
    let publish = |id, example| request::publish(SERVICE, NODE, id, Some(payload(example)), &[]);
    assert_eq!(publish(Some("bnd81g37d61f49fgn581"), &with_id), with_id);
    assert_eq!(publish(None, &without_id), without_id);

    let with_options = asked("0060", 114);
    let options = values(&[("pubsub#access_model", &["presence"])]);
    assert_eq!(
        request::publish(
            SERVICE,
            NODE,
            Some(ITEM),
            Some(payload(&with_options)),
            &options
        ),
        with_options
    );
    // To one's own account, without a payload.
    assert_eq!(
        request::publish(None, NODE, None, None, &[]),
        xml("<iq type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='princely_musings'>
            <item/></publish></pubsub></iq>")
    );
    assert_eq!(
        request::parse_published(&example("0060", 99)).as_deref(),
        Some(ITEM)
    );
    assert_eq!(request::parse_published(&example("0060", 98)), None);
    assert_eq!(request::parse_published(&xml("<iq type='result'/>")), None);
}

#[test]
fn retracting_is_as_in_the_example() {
    assert_eq!(
        request::retract(SERVICE, NODE, ITEM, false),
        asked("0060", 115)
    );
    let told = request::retract(SERVICE, NODE, ITEM, true);
    let retract = told
        .child("pubsub", ns::PUBSUB)
        .and_then(|pubsub| pubsub.child("retract", ns::PUBSUB));
    assert_eq!(retract.expect("it").attr("notify"), Some("true"));
}

#[test]
fn items_are_fetched_and_read() {
    assert_eq!(
        request::items(SERVICE, NODE, None, &[], None),
        asked("0060", 74)
    );
    assert_eq!(
        request::items(SERVICE, NODE, Some(2), &[], None),
        asked("0060", 80)
    );
    let ids = [
        "368866411b877c30064a5f62b917cffe".into(),
        "4e30f35051b7b8b42abe083742187228".into(),
    ];
    assert_eq!(
        request::items(SERVICE, NODE, None, &ids, None),
        asked("0060", 78)
    );

    let items = request::parse_items(&example("0060", 81));
    let got: Vec<_> = items.iter().map(|item| item.id.as_deref()).collect();
    assert_eq!(got, [Some("4e30f35051b7b8b42abe083742187228"), Some(ITEM)]);
    let entry = items[1].payload.as_ref().expect("a payload");
    assert!(entry.is("entry", "http://www.w3.org/2005/Atom"));
    assert_eq!(request::parse_items(&example("0060", 82)), []);
    assert_eq!(request::parse_items(&xml("<iq type='result'/>")), []);
}

#[test]
fn one_item_is_requested_as_in_the_example() {
    assert_eq!(
        request::items(SERVICE, NODE, None, &[ITEM.into()], None),
        asked("0060", 83)
    );
}

#[test]
fn the_own_subscriptions_and_affiliations_are_as_in_the_examples() {
    assert_eq!(request::subscriptions(SERVICE, None), asked("0060", 16));
    assert_eq!(
        request::subscriptions(SERVICE, Some(NODE)),
        asked("0060", 20)
    );
    let told = |subscriptions: Vec<Subscription>| -> Vec<String> {
        subscriptions
            .into_iter()
            .map(|one| {
                let subid = one.subid.unwrap_or_default();
                let node = one.node.unwrap_or_default();
                format!("{node} {} {} {subid}", one.jid, one.state.as_str())
            })
            .collect()
    };
    assert_eq!(
        told(request::parse_subscriptions(&example("0060", 17))),
        [
            "node1 francisco@denmark.lit subscribed ",
            "node2 francisco@denmark.lit subscribed ",
            "node5 francisco@denmark.lit unconfigured ",
            "node6 francisco@denmark.lit subscribed 123-abc",
            "node6 francisco@denmark.lit subscribed 004-yyy",
        ]
    );
    assert_eq!(request::parse_subscriptions(&example("0060", 18)), []);
    assert_eq!(request::parse_subscriptions(&example("0060", 21)).len(), 2);
    assert_eq!(request::parse_subscriptions(&example("0060", 29)), []);

    assert_eq!(request::affiliations(SERVICE, None), asked("0060", 22));
    let pair = |node: &str, affiliation: &str| (node.to_owned(), affiliation.to_owned());
    assert_eq!(
        request::parse_affiliations(&example("0060", 23)),
        [
            pair("node1", "owner"),
            pair("node2", "publisher"),
            pair("node5", "outcast"),
            pair("node6", "owner"),
        ]
    );
    assert_eq!(request::parse_affiliations(&example("0060", 24)), []);
    assert_eq!(request::parse_affiliations(&example("0060", 18)), []);
    let of_one = request::affiliations(SERVICE, Some("n"));
    assert!(
        of_one.to_xml().contains("<affiliations node='n'/>"),
        "{of_one:?}"
    );
}

#[test]
fn options_of_a_subscription_are_as_in_the_examples() {
    assert_eq!(
        request::options_get(SERVICE, NODE, FRANCISCO, None),
        asked("0060", 55)
    );
    let options = values(&[
        ("pubsub#deliver", &["1"]),
        ("pubsub#digest", &["0"]),
        ("pubsub#include_body", &["false"]),
        ("pubsub#show-values", &["chat", "online", "away"]),
    ]);
    assert_eq!(
        request::options_set(SERVICE, NODE, FRANCISCO, None, &options),
        asked("0060", 64)
    );
    for request in [
        request::options_get(SERVICE, NODE, FRANCISCO, Some("7")),
        request::options_set(SERVICE, NODE, FRANCISCO, Some("7"), &options),
    ] {
        assert!(request.to_xml().contains("subid='7'"), "{request:?}");
    }
    assert_eq!(
        request::options_default(SERVICE, Some(NODE)),
        asked("0060", 69)
    );
    assert_eq!(request::options_default(SERVICE, None), asked("0060", 70));
    for (number, chosen) in [
        (56, vec!["chat", "online"]),
        (71, vec!["chat", "online", "away"]),
    ] {
        let form = request::parse_options(&example("0060", number)).expect("a form");
        let shown = form.field("pubsub#show-values").expect("a field");
        assert_eq!(shown.values, chosen);
    }
    assert_eq!(request::parse_options(&example("0060", 29)), None);
}

#[test]
fn the_description_of_a_node_is_read() {
    let info = Info::parse(&example("0060", 14)).expect("information");
    assert!(info.is("pubsub", "leaf") && info.has(ns::PUBSUB));
    let form = Form::parse(info.forms.first().expect("a form")).expect("a form");
    assert_eq!(
        form.form_type(),
        Some("http://jabber.org/protocol/pubsub#meta-data")
    );
    assert_eq!(form.value("pubsub#creator"), Some("hamlet@denmark.lit"));
    let nodes = disco::parse_items(&example("0060", 10)).expect("a list");
    let names: Vec<_> = nodes.iter().filter_map(|one| one.node.as_deref()).collect();
    assert_eq!(names, ["Romeoance", "Julliennui"]);
    let [question, answer] = [0, 1].map(|at| examples("0060", 15).remove(at));
    assert_eq!(
        super::rebuilt(&question, &["from", "id"]),
        disco::items(SERVICE, Some(NODE))
    );
    let ids = disco::parse_items(&answer).expect("a list");
    assert_eq!(ids.len(), 4);
    assert!(
        ids.iter()
            .all(|one| one.node.is_none() && one.name.is_some())
    );
}

#[test]
fn events_of_accounts_are_read() {
    for message in examples("0163", 2).iter().chain(&examples("0163", 9)) {
        let Some(PubSubEvent::Items { node, entries }) = event::parse(message) else {
            panic!("{message:?}");
        };
        assert_eq!(node, "http://jabber.org/protocol/tune");
        let [ItemEvent::Published(item)] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert!(
            item.payload
                .as_ref()
                .is_some_and(|payload| payload.name() == "tune")
        );
    }
    let tune = payload(&example("0163", 1));
    let publish = request::publish(
        None,
        "http://jabber.org/protocol/tune",
        None,
        Some(tune),
        &[],
    );
    assert_eq!(publish, asked("0163", 1));
    let features = Info::parse(&example("0163", 5))
        .expect("information")
        .features;
    assert!(features.contains(&"http://jabber.org/protocol/tune+notify".into()));
}

#[test]
fn nodes_are_created_and_deleted_as_in_the_examples() {
    assert_eq!(
        request::create(SERVICE, Some(NODE), &[]),
        asked("0060", 125)
    );
    assert_eq!(request::create(SERVICE, None, &[]), asked("0060", 131));
    // The form of the example, given as values.
    let configured = asked("0060", 137);
    let pubsub = configured.child("pubsub", ns::PUBSUB).expect("it");
    let x = pubsub
        .child("configure", ns::PUBSUB)
        .and_then(|configure| configure.child("x", ns::DATA_FORM));
    let form = epode_proto::xep::data_form::Form::parse(&x.expect("a form")).expect("a form");
    let values: Vec<_> = form
        .fields
        .into_iter()
        .skip(1)
        .map(|field| (field.var.expect("a name"), field.values))
        .collect();
    assert_eq!(values.len(), 19);
    assert_eq!(request::create(SERVICE, Some(NODE), &values), configured);

    assert_eq!(
        request::parse_created(&example("0060", 132)).as_deref(),
        Some("25e3d37dabbab9541f7523321421edc5bfeb2dae")
    );
    assert_eq!(request::parse_created(&xml("<iq type='result'/>")), None);
    assert_eq!(request::delete(SERVICE, NODE, None), asked("0060", 157));
    let redirect = Some("xmpp:hamlet@denmark.lit?;node=blog");
    assert_eq!(request::delete(SERVICE, NODE, redirect), asked("0060", 158));
}

fn items(event: Option<PubSubEvent>) -> Vec<ItemEvent> {
    match event {
        Some(PubSubEvent::Items { node, entries }) if node == NODE => entries,
        other => panic!("{other:?}"),
    }
}

#[test]
fn publications_are_read() {
    for message in examples("0060", 100) {
        let entries = items(event::parse(&message));
        let [ItemEvent::Published(item)] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!(item.id.as_deref(), Some(ITEM));
        assert!(
            item.payload
                .as_ref()
                .expect("a payload")
                .is("entry", "http://www.w3.org/2005/Atom")
        );
    }
    let bare = items(event::parse(&example("0060", 101)));
    assert_eq!(
        bare,
        [ItemEvent::Published(Item {
            id: Some(ITEM.into()),
            publisher: None,
            payload: None,
        })]
    );
    // Example 3, a transient notification, has items without any item.
    assert_eq!(
        event::parse(&example("0060", 3)).expect("an event").node(),
        "elsinore/doorbell"
    );

    let Some(PubSubEvent::Items { node, entries }) = event::parse(&example("0060", 226)) else {
        panic!("items");
    };
    assert_eq!(node, "n48ad4fj78zn38st734");
    let Some(ItemEvent::Published(item)) = entries.first() else {
        panic!("{entries:?}");
    };
    assert_eq!(
        item.publisher.as_deref(),
        Some("portia@merchantofvenice.lit")
    );
}

#[test]
fn one_message_may_hold_many_items_and_retractions_in_order() {
    let message = xml("<message from='s'><event xmlns='http://jabber.org/protocol/pubsub#event'>
        <items node='princely_musings'><item id='1'/><retract id='2'/><retract/><item/><item xmlns='urn:other' id='3'/>
        <item id='4'>text<a xmlns='b'/><c xmlns='d'/></item></items></event></message>");
    let told: Vec<_> = items(event::parse(&message))
        .into_iter()
        .map(|entry| match entry {
            ItemEvent::Published(item) => format!("+{}", item.id.unwrap_or_default()),
            ItemEvent::Retracted { id } => format!("-{id}"),
        })
        .collect();
    assert_eq!(told, ["+1", "-2", "+", "+4"]);
    assert_eq!(
        items(event::parse(&example("0060", 117))),
        [ItemEvent::Retracted { id: ITEM.into() }]
    );
}

#[test]
fn the_other_events_are_read() {
    let node = || NODE.to_owned();
    assert_eq!(
        event::parse(&example("0060", 165)),
        Some(PubSubEvent::Purge { node: node() })
    );
    assert_eq!(
        event::parse(&example("0060", 160)),
        Some(PubSubEvent::Delete {
            node: node(),
            redirect: Some("xmpp:hamlet@denmark.lit?;node=blog".into()),
        })
    );
    assert_eq!(
        event::parse(&example("0060", 150)),
        Some(PubSubEvent::Configuration {
            node: node(),
            form: None,
        })
    );
    let Some(PubSubEvent::Configuration {
        form: Some(form), ..
    }) = event::parse(&example("0060", 151))
    else {
        panic!("a form");
    };
    assert_eq!(form.value("pubsub#title"), Some("Princely Musings (Atom)"));
    let subscription = |number| match event::parse(&example("0060", number)) {
        Some(PubSubEvent::Subscription(subscription)) => (subscription.jid, subscription.state),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        subscription(172),
        ("horatio@denmark.lit".into(), SubscriptionState::Subscribed)
    );
    assert_eq!(
        subscription(196),
        ("polonius@denmark.lit".into(), SubscriptionState::None)
    );
    let collection = xml(
        "<message><event xmlns='http://jabber.org/protocol/pubsub#event'>
        <collection node='c'><associate node='new'/></collection></event></message>",
    );
    assert_eq!(event::parse(&collection).expect("an event").node(), "c");
}

#[test]
fn only_a_direct_child_in_the_right_namespace_is_an_event() {
    let inner = "<items node='n'><item id='1'/></items>";
    for no_event in [
        format!("<message><event>{inner}</event></message>"),
        format!("<message><event xmlns='http://jabber.org/protocol/pubsub'>{inner}</event></message>"),
        format!(
            "<message><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>
             <event xmlns='http://jabber.org/protocol/pubsub#event'>{inner}</event></message></forwarded></message>"
        ),
        format!("<presence><event xmlns='http://jabber.org/protocol/pubsub#event'>{inner}</event></presence>"),
        // What comes back as undeliverable is our own words.
        format!("<message type='error'><event xmlns='http://jabber.org/protocol/pubsub#event'>{inner}</event></message>"),
        "<message><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>".into(),
        "<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items xmlns='urn:other' node='n'/></event></message>".into(),
        "<message/>".into(),
    ] {
        assert_eq!(event::parse(&xml(&no_event)), None, "{no_event}");
    }
}

#[test]
fn subids_are_read_from_the_headers() {
    assert_eq!(event::subids(&example("0060", 104)), ["123-abc", "004-yyy"]);
    assert_eq!(event::subids(&example("0060", 101)), Vec::<String>::new());
    let other = xml("<message><headers xmlns='http://jabber.org/protocol/shim'><header name='Collection'>c</header>
        <header name='subid'> 1 </header><header>2</header></headers></message>");
    assert_eq!(event::subids(&other), ["1"]);
}
