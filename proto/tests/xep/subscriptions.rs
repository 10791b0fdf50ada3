//! XEP-0060: which feed an event belongs to.

use epode_proto::jid::Jid;
use epode_proto::xep::pubsub::Subscription;
use epode_proto::xep::pubsub::SubscriptionState;
use epode_proto::xep::pubsub::event::PubSubEvent;
use epode_proto::xep::pubsub::subscriptions::{FeedId, HeldSubscription, Routed, Subscriptions};
use epode_proto::xml::Element;

use super::{example, xml};
use crate::support::unicode::NativeUnicode;

const BARE: &str = "francisco@denmark.lit";
const FULL: &str = "francisco@denmark.lit/barracks";
const SERVICE: &str = "pubsub.shakespeare.lit";

fn jid(text: &str) -> Jid {
    Jid::parse(text, &NativeUnicode).expect("a JID")
}

fn registry() -> Subscriptions {
    let mut registry = Subscriptions::new();
    registry.set_account(&jid(FULL));
    registry
}

fn subscribed(jid: &str, subid: Option<&str>) -> Subscription {
    Subscription {
        node: None,
        jid: jid.into(),
        subid: subid.map(Into::into),
        state: SubscriptionState::Subscribed,
    }
}

/// An item of node `n`, sent for some subscriptions.
fn item(from: &str, to: &str, id: &str, subids: &[&str]) -> Element {
    let mut text = format!(
        "<message from='{from}' to='{to}'><event xmlns='http://jabber.org/protocol/pubsub#event'>
         <items node='n'><item id='{id}'><a xmlns='b'>{id}</a></item></items></event>"
    );
    if !subids.is_empty() {
        text.push_str("<headers xmlns='http://jabber.org/protocol/shim'>");
        for subid in subids {
            text.push_str(&format!("<header name='SubID'>{subid}</header>"));
        }
        text.push_str("</headers>");
    }
    text.push_str("</message>");
    xml(&text)
}

fn feeds(registry: &mut Subscriptions, message: &Element) -> Vec<FeedId> {
    match registry.route(message, &NativeUnicode) {
        Routed::Feeds { feeds, .. } => feeds,
        Routed::Duplicate => vec![],
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_goes_to_the_feed_of_its_service_and_node() {
    let mut registry = registry();
    let first = registry.add(&jid(SERVICE), "n", &jid(BARE));
    let second = registry.add(&jid("other.shakespeare.lit"), "n", &jid(BARE));
    let third = registry.add(&jid(SERVICE), "N", &jid(BARE));
    for id in [first, second, third] {
        registry.confirm(id, Some(&subscribed(BARE, None)));
    }
    let routed = registry.route(&item(SERVICE, BARE, "1", &[]), &NativeUnicode);
    let Routed::Feeds { feeds, event } = routed else {
        panic!("{routed:?}");
    };
    assert_eq!(feeds, [first]);
    assert_eq!(event.node(), "n");
    let other = item("other.shakespeare.lit", BARE, "1", &[]);
    assert_eq!(self::feeds(&mut registry, &other), [second]);
    assert_eq!(
        registry.route(&xml("<message/>"), &NativeUnicode),
        Routed::NotEvent
    );
    let unknown = example("0060", 100);
    assert!(matches!(
        registry.route(&unknown, &NativeUnicode),
        Routed::Unclaimed(_)
    ));
    assert_eq!(
        registry.remove(third).map(|held| held.node),
        Some("N".into())
    );
}

#[test]
fn an_event_with_a_forged_sender_reaches_no_feed() {
    let mut registry = registry();
    let feed = registry.add(&jid(SERVICE), "n", &jid(BARE));
    for from in [
        "mallory@example.org",
        "pubsub.shakespeare.lit.example.org",
        "pubsub.shakespeare.lit/x",
        "",
        "@",
    ] {
        let routed = registry.route(&item(from, BARE, "1", &[]), &NativeUnicode);
        assert_eq!(
            routed,
            Routed::Stranger {
                from: from.into(),
                node: "n".into(),
            }
        );
    }
    // The service itself, however it writes its name.
    assert_eq!(
        feeds(
            &mut registry,
            &item("PubSub.Shakespeare.LIT", BARE, "1", &[])
        ),
        [feed]
    );
}

#[test]
fn the_own_account_needs_no_sender() {
    let mut registry = registry();
    let feed = registry.add(&jid(BARE), "n", &jid(FULL));
    let message = xml(&format!(
        "<message to='{FULL}'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><retract id='1'/></items>
         </event></message>"
    ));
    assert_eq!(feeds(&mut registry, &message), [feed]);
    assert_eq!(feeds(&mut registry, &item(BARE, FULL, "2", &[])), [feed]);
    // But not from one of its resources.
    let other = registry.route(
        &item("francisco@denmark.lit/other", FULL, "3", &[]),
        &NativeUnicode,
    );
    assert!(matches!(other, Routed::Stranger { .. }), "{other:?}");
}

#[test]
fn events_before_the_reply_belong_to_the_feed() {
    let mut registry = registry();
    let feed = registry.add(&jid(SERVICE), "n", &jid(FULL));
    assert_eq!(registry.state(feed), Some(SubscriptionState::Pending));
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, FULL, "1", &["s1"])),
        [feed]
    );
    registry.confirm(feed, Some(&subscribed(FULL, Some("s1"))));
    assert_eq!(registry.state(feed), Some(SubscriptionState::Subscribed));
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, FULL, "2", &["s1"])),
        [feed]
    );
    // A plain yes will do.
    let other = registry.add(&jid(SERVICE), "other", &jid(FULL));
    registry.confirm(other, None);
    assert_eq!(registry.state(other), Some(SubscriptionState::Subscribed));
}

#[test]
fn a_publication_sent_once_per_subid_is_one() {
    let mut registry = registry();
    // Left over from an earlier session: s0. Ours: s1.
    let feed = registry.add(&jid(SERVICE), "n", &jid(BARE));
    registry.confirm(feed, Some(&subscribed(BARE, Some("s1"))));
    let mut got = 0;
    for round in 0..40 {
        let id = format!("{}", round % 3);
        for subid in ["s0", "s1"] {
            got += feeds(&mut registry, &item(SERVICE, BARE, &id, &[subid])).len();
        }
    }
    assert_eq!(got, 40);
}

#[test]
fn an_item_published_twice_is_two_publications() {
    let mut registry = registry();
    let feed = registry.add(&jid(SERVICE), "n", &jid(BARE));
    for _ in 0..3 {
        assert_eq!(
            feeds(&mut registry, &item(SERVICE, BARE, "tick", &[])),
            [feed]
        );
    }
    // Two subscriptions whose messages do not alternate: still two publications, and no third.
    registry.confirm(feed, Some(&subscribed(BARE, Some("a"))));
    let mut got = 0;
    for subid in ["a", "a", "b", "b"] {
        got += feeds(&mut registry, &item(SERVICE, BARE, "tock", &[subid])).len();
    }
    assert_eq!(got, 2);
    // And when the second subscription ends, nothing of the first is taken for its echo.
    let mut got = 0;
    for _ in 0..5 {
        got += feeds(&mut registry, &item(SERVICE, BARE, "tock", &["a"])).len();
    }
    assert_eq!(got, 5);
}

#[test]
fn each_of_two_feeds_gets_the_events_of_its_own_subscription() {
    let mut registry = registry();
    let one = registry.add(&jid(SERVICE), "n", &jid(BARE));
    let two = registry.add(&jid(SERVICE), "n", &jid(BARE));
    registry.confirm(one, Some(&subscribed(BARE, Some("s1"))));
    registry.confirm(two, Some(&subscribed(BARE, Some("s2"))));
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "1", &["s1"])),
        [one]
    );
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "1", &["s2"])),
        [two]
    );
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "2", &["s2", "s1"])),
        [one, two]
    );
    // Only the second subscription's filter lets this through.
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "3", &["s2"])),
        [two]
    );
    // Without a word about subscriptions it is for both.
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "4", &[])),
        [one, two]
    );
}

#[test]
fn an_event_of_an_unknown_subscription_is_delivered() {
    let mut registry = registry();
    let one = registry.add(&jid(SERVICE), "n", &jid(BARE));
    registry.confirm(one, Some(&subscribed(BARE, Some("s1"))));
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "1", &["s9"])),
        [one]
    );
    // Beside it a feed whose id has not been told: what is the first's may be its own as well.
    let two = registry.add(&jid(SERVICE), "n", &jid(BARE));
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "2", &["s1"])),
        [one, two]
    );
}

#[test]
fn subscriptions_of_a_bare_and_a_full_jid_deliver_one_publication_each() {
    let mut registry = registry();
    let bare = registry.add(&jid(SERVICE), "n", &jid(BARE));
    let full = registry.add(&jid(SERVICE), "n", &jid(FULL));
    registry.confirm(bare, Some(&subscribed(BARE, None)));
    registry.confirm(full, Some(&subscribed(FULL, None)));
    assert_eq!(feeds(&mut registry, &item(SERVICE, BARE, "1", &[])), [bare]);
    assert_eq!(feeds(&mut registry, &item(SERVICE, FULL, "1", &[])), [full]);
    // With one feed only, the subscription of the bare JID left from before makes no double.
    registry.remove(bare);
    assert_eq!(feeds(&mut registry, &item(SERVICE, FULL, "2", &[])), [full]);
    assert_eq!(feeds(&mut registry, &item(SERVICE, BARE, "2", &[])), []);
    assert_eq!(feeds(&mut registry, &item(SERVICE, BARE, "3", &[])), [full]);
    assert_eq!(feeds(&mut registry, &item(SERVICE, FULL, "3", &[])), []);
}

#[test]
fn inconsistent_subids_lose_no_item() {
    let mut registry = registry();
    let feed = registry.add(&jid(SERVICE), "n", &jid(BARE));
    for round in 0..200 {
        let subids: Vec<String> = (0..round % 70).map(|n| format!("{round}-{n}")).collect();
        let subids: Vec<&str> = subids.iter().map(String::as_str).collect();
        let message = item(SERVICE, BARE, &format!("{round}"), &subids);
        assert_eq!(feeds(&mut registry, &message), [feed], "{round}");
    }
}

#[test]
fn feeds_are_removed_and_their_subscription_with_the_last() {
    let mut registry = registry();
    let one = registry.add(&jid(SERVICE), "n", &jid(BARE));
    let two = registry.add(&jid(SERVICE), "n", &jid(BARE));
    registry.confirm(one, Some(&subscribed(BARE, Some("s"))));
    registry.confirm(two, Some(&subscribed(BARE, Some("s"))));
    assert_eq!(registry.remove(one), None);
    assert_eq!(registry.remove(one), None);
    assert_eq!(
        feeds(&mut registry, &item(SERVICE, BARE, "1", &["s"])),
        [two]
    );
    let held = HeldSubscription {
        service: SERVICE.into(),
        node: "n".into(),
        jid: BARE.into(),
        subid: Some("s".into()),
    };
    assert_eq!(registry.remove(two), Some(held));
    let late = registry.route(&item(SERVICE, BARE, "2", &["s"]), &NativeUnicode);
    assert!(matches!(late, Routed::Unclaimed(_)), "{late:?}");
    assert_eq!(registry.state(two), None);
    // An id is never given twice.
    assert!(registry.add(&jid(SERVICE), "n", &jid(BARE)) > two);
}

#[test]
fn the_subscription_that_the_service_keeps_is_ended() {
    let mut registry = registry();
    let held = |node: &str, jid: &str, subid: Option<&str>| {
        Some(HeldSubscription {
            service: SERVICE.into(),
            node: node.into(),
            jid: jid.into(),
            subid: subid.map(Into::into),
        })
    };
    // Its own way of writing our JID; and no word about it.
    let one = registry.add(&jid(SERVICE), "a", &jid(BARE));
    registry.confirm(one, Some(&subscribed("Francisco@denmark.lit", None)));
    assert_eq!(
        registry.remove(one),
        held("a", "Francisco@denmark.lit", None)
    );
    let two = registry.add(&jid(SERVICE), "b", &jid(BARE));
    registry.confirm(two, Some(&subscribed("", Some("s"))));
    assert_eq!(registry.remove(two), held("b", BARE, Some("s")));
    // Subscriptions that differ in one thing only are two.
    let [one, two, three] = [(BARE, "1"), (BARE, "2"), (FULL, "2")].map(|(own, subid)| {
        let id = registry.add(&jid(SERVICE), "c", &jid(own));
        registry.confirm(id, Some(&subscribed(own, Some(subid))));
        id
    });
    assert_eq!(registry.remove(one), held("c", BARE, Some("1")));
    assert_eq!(registry.remove(two), held("c", BARE, Some("2")));
    assert_eq!(registry.remove(three), held("c", FULL, Some("2")));
}

#[test]
fn a_subscription_of_a_full_jid_is_listed_once() {
    let mut registry = registry();
    let add = |registry: &mut Subscriptions, node: &str, own: &str, subid| {
        let id = registry.add(&jid(SERVICE), node, &jid(own));
        registry.confirm(id, Some(&subscribed(own, subid)));
        id
    };
    add(&mut registry, "a", FULL, Some("1"));
    add(&mut registry, "a", FULL, Some("1"));
    add(&mut registry, "b", BARE, None);
    let gone = add(&mut registry, "c", FULL, None);
    registry.remove(gone);
    // Asked for and not answered yet: it may be there.
    registry.add(&jid(SERVICE), "d", &jid(FULL));
    let listed: Vec<_> = registry
        .of_full_jids()
        .into_iter()
        .map(|held| (held.node, held.jid, held.subid))
        .collect();
    assert_eq!(
        listed,
        [
            ("a".into(), FULL.into(), Some("1".into())),
            ("d".into(), FULL.into(), None),
        ]
    );
}

#[test]
fn notices_about_a_subscription_are_kept() {
    let mut registry = registry();
    let horatio = jid("horatio@denmark.lit");
    let feed = registry.add(&jid(SERVICE), "princely_musings", &horatio);
    let other = registry.add(
        &jid(SERVICE),
        "princely_musings",
        &jid("horatio@denmark.lit/1"),
    );
    let mut pending = subscribed("horatio@denmark.lit", None);
    pending.state = SubscriptionState::Pending;
    registry.confirm(feed, Some(&pending));
    let approved = registry.route(&example("0060", 172), &NativeUnicode);
    let Routed::Feeds {
        feeds,
        event: PubSubEvent::Subscription(_),
    } = approved
    else {
        panic!("{approved:?}");
    };
    assert_eq!(feeds, [feed]);
    assert_eq!(registry.state(feed), Some(SubscriptionState::Subscribed));
    assert_eq!(registry.state(other), Some(SubscriptionState::Pending));
    // Somebody else's.
    let polonius = registry.route(&example("0060", 196), &NativeUnicode);
    assert!(matches!(polonius, Routed::Unclaimed(_)), "{polonius:?}");
    // Ended by the owner: there is nothing left to end.
    let ended = xml("<message from='pubsub.shakespeare.lit'><event xmlns='http://jabber.org/protocol/pubsub#event'>
        <subscription node='princely_musings' jid='horatio@denmark.lit' subscription='none'/></event></message>");
    assert!(matches!(
        registry.route(&ended, &NativeUnicode),
        Routed::Feeds { .. }
    ));
    assert_eq!(registry.remove(feed), None);
}

#[test]
fn a_notice_about_one_subid_does_not_affect_the_other() {
    let mut registry = registry();
    let [one, two] = ["1", "2"].map(|subid| {
        let id = registry.add(&jid(SERVICE), "n", &jid(BARE));
        registry.confirm(id, Some(&subscribed(BARE, Some(subid))));
        id
    });
    let tell = |registry: &mut Subscriptions, told: &str| {
        let message = xml(&format!(
            "<message from='{SERVICE}'><event xmlns='http://jabber.org/protocol/pubsub#event'>
             <subscription node='n' jid='{BARE}' {told}/></event></message>"
        ));
        feeds(registry, &message)
    };
    assert_eq!(tell(&mut registry, "subid='2' subscription='none'"), [two]);
    assert_eq!(registry.state(one), Some(SubscriptionState::Subscribed));
    assert_eq!(registry.state(two), Some(SubscriptionState::None));
    // Without an id it is about all; and an id that was not known yet is.
    let three = registry.add(&jid(SERVICE), "n", &jid(BARE));
    assert_eq!(
        tell(&mut registry, "subid='3' subscription='subscribed'"),
        [three]
    );
    assert_eq!(
        tell(&mut registry, "subscription='pending'"),
        [one, two, three]
    );
    let subids = [one, two, three].map(|id| registry.remove(id).and_then(|held| held.subid));
    assert_eq!(
        subids,
        [Some("1".into()), Some("2".into()), Some("3".into())]
    );
}

#[test]
fn a_new_session_subscribes_again() {
    let mut registry = registry();
    let feed = registry.add(&jid(SERVICE), "n", &jid(FULL));
    registry.confirm(feed, Some(&subscribed(FULL, Some("old"))));
    registry.renew(feed, &jid("francisco@denmark.lit/2"));
    assert_eq!(registry.state(feed), Some(SubscriptionState::Pending));
    assert_eq!(registry.of_full_jids()[0].jid, "francisco@denmark.lit/2");
    assert_eq!(registry.of_full_jids()[0].subid, None);
    let message = item(SERVICE, "francisco@denmark.lit/2", "1", &["new"]);
    assert_eq!(feeds(&mut registry, &message), [feed]);
}

#[test]
fn a_thousand_nodes_are_distinguished() {
    let mut registry = registry();
    let ids: Vec<_> = (0..1000)
        .map(|n| registry.add(&jid(SERVICE), &format!("/blog/{n}"), &jid(BARE)))
        .collect();
    for (n, id) in ids.iter().enumerate() {
        let message = xml(&format!(
            "<message from='{SERVICE}' to='{BARE}'><event xmlns='http://jabber.org/protocol/pubsub#event'>
             <purge node='/blog/{n}'/></event></message>"
        ));
        assert_eq!(feeds(&mut registry, &message), [*id]);
    }
}
