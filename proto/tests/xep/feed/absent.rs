//! What is optional in what a pubsub service sends, each with a case in which it is absent. Absent does not mean changed.
//!
//! Events (XEP-0060 §7, §8, XEP-0163), 25: the message's 1 `from`, 2 `to`, 3 `id`, 4 `type`; 5 `items@node`; 6 any `<item/>`;
//! 7 `item@id`; 8 the payload; 9 `item@publisher`; 10 `retract@id`; 11 `purge@node`; 12 `<redirect/>`, 13 its `uri`; 14 the form of
//! `<configuration/>`; of a `<subscription/>` 15 `node`, 16 `jid`, 17 `subid`, 18 `subscription`; 19 `<headers/>`, of a header
//! 20 `name`, 21 the text; 22 `<delay/>`, 23 its `from`, 24 its `stamp`; 25 `<stanza-id/>` and its `by` and `id`.
//!
//! Answers, 20: to a subscription 26 all of it, 27 `node`, 28 `jid`, 29 `subid`, 30 `subscription`; of items 31 `<pubsub/>`,
//! 32 `items@node`, 33 `item@id`, 34 the payload; 35 `<set/>` (XEP-0059), of it 36 `<first/>`, 37 `first@index`, 38 `<last/>`,
//! 39 `<count/>`; 40 `<item/>` and its `id` after a publication; 41 `<create/>` and its `node`; 42 lists of subscriptions and
//! affiliations, 43 their attributes; 44 an error's type, application condition and text; 45 `<error/>`.
//!
//! Archives (XEP-0313, XEP-0442), 8: 46 `<fin/>`, 47 `fin@complete`, 48 its `<set/>`, 49 `result@id`, 50 `result@queryid`,
//! 51 `<forwarded/>`, 52 its `<delay/>`, 53 `from` of the message in it. Lists of ids (XEP-0030), 3: 54 `item@jid`, 55
//! `item@name`, 56 `<query/>`. What a service is, 2: 57 `identity@name`, 58 all of it.

use super::*;
use epode_proto::xep::pubsub::event::{ItemEvent, PubSubEvent, parse, subids};
use epode_proto::xep::pubsub::feed::Traits;
use epode_proto::xep::pubsub::feeds::{FeedRouting, Feeds, FeedsOutput as Wanted};
use epode_proto::xep::pubsub::{SubscriptionState, owner, request};
use epode_proto::xep::{delay::Delay, disco};

/// An event in a message without anything else.
fn alone(inside: &str, more: &str) -> Option<PubSubEvent> {
    parse(&xml(&format!(
        "<message><event xmlns='{}'>{inside}</event>{more}</message>",
        ns::PUBSUB_EVENT
    )))
}

fn reply(inside: &str) -> Element {
    xml(&format!(
        "<iq><pubsub xmlns='{}'>{inside}</pubsub></iq>",
        ns::PUBSUB
    ))
}

#[test]
fn missing_parts_of_an_event() {
    // 2–5, 7–9
    let told = alone("<items><item/></items>", "").expect("an event");
    assert_eq!(told.node(), "");
    let PubSubEvent::Items { entries, .. } = told else {
        panic!("{told:?}")
    };
    let nothing = ItemEvent::Published(epode_proto::xep::pubsub::Item {
        id: None,
        publisher: None,
        payload: None,
    });
    assert_eq!(entries, std::slice::from_ref(&nothing));
    // 6: a node that keeps nothing has something to tell all the same.
    let told = alone("<items node='n'/>", "").expect("an event");
    assert!(matches!(told, PubSubEvent::Items { entries, .. } if entries == [nothing]));
    // 10: nothing can be told of it; what stands beside it can.
    let told = alone("<items node='n'><retract/><retract id='a'/></items>", "").expect("an event");
    assert!(matches!(told, PubSubEvent::Items { entries, .. } if entries.len() == 1));
    // 11–14
    assert!(matches!(alone("<purge/>", ""), Some(PubSubEvent::Purge { node }) if node.is_empty()));
    for inside in [
        "<delete node='n'/>",
        "<delete node='n'><redirect/></delete>",
    ] {
        assert!(matches!(
            alone(inside, ""),
            Some(PubSubEvent::Delete { redirect: None, .. })
        ));
    }
    assert!(matches!(
        alone("<configuration node='n'/>", ""),
        Some(PubSubEvent::Configuration { form: None, .. })
    ));
    // 15–18
    let Some(PubSubEvent::Subscription(told)) = alone("<subscription/>", "") else {
        panic!()
    };
    assert_eq!(
        (told.node, told.jid.as_str(), told.subid, told.state),
        (None, "", None, SubscriptionState::Subscribed)
    );
    // 19–21
    for more in [
        "",
        "<headers xmlns='http://jabber.org/protocol/shim'><header>s</header></headers>",
    ] {
        assert!(subids(&xml(&format!("<message>{more}</message>"))).is_empty());
    }
    let empty = "<message><headers xmlns='http://jabber.org/protocol/shim'><header name='SubID'/></headers></message>";
    assert!(subids(&xml(empty)).is_empty(), "an id without text is none");
    // 22–24
    let delay = |attributes: &str| {
        Delay::of(
            &xml(&format!(
                "<message><delay xmlns='urn:xmpp:delay' {attributes}/></message>"
            )),
            SERVICE,
        )
    };
    assert!(delay("").is_none() && delay("stamp='soon'").is_none());
    assert!(delay("stamp='2026-11-21T20:00:00Z'").is_some());
}

#[test]
fn missing_parts_of_a_feeds_messages() {
    let event = |inside: &str, more: &str| {
        format!(
            "message <event xmlns='{}'>{inside}</event>{more}",
            ns::PUBSUB_EVENT
        )
    };
    let mut play = at_c1();
    // 6, 7: without an id nothing can be fetched, and nothing recognised.
    play.hear(&event(&format!("<items node='{NODE}'/>"), ""));
    play.hear(&event(&format!("<items node='{NODE}'><item/></items>"), ""));
    // 24, 25
    play.hear(&event(
        &format!("<items node='{NODE}'>{}</items>", items("d1", true)),
        "<delay xmlns='urn:xmpp:delay'/><stanza-id xmlns='urn:xmpp:sid:0'/><stanza-id xmlns='urn:xmpp:sid:0' by='pubsub.localhost'/>",
    ));
    play.poll();
    play.run("E: live ?-, live ?-, live d1");
    // 26: a service that only says yes; 31, 32: an empty node.
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run("session\nS: reply\nS: reply\nE: up to date\nS: event a1\nE: live a1");
    // 33: it is there, and cannot be told apart.
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    let unnamed = format!(
        "reply <pubsub xmlns='{}'><items><item><row xmlns='urn:rows' n='1'/></item></items></pubsub>",
        ns::PUBSUB
    );
    play.run("session\nS: subscribed");
    play.hear(&unnamed);
    play.poll();
    play.run("E: snapshot ?1, up to date\nsession\nS: subscribed");
    play.hear(&unnamed);
    play.poll();
    play.run("E: up to date");
}

#[test]
fn missing_parts_of_a_page_of_items() {
    // 35–39: first without an index, nothing but a count, nothing at all.
    for (set, asked) in [
        ("<first>pd</first>", "before pd"),
        ("<count>5</count>", "newest 100"),
        ("", "newest 100"),
    ] {
        let mut play = at_c1();
        play.run("session\nS: subscribed");
        let items: String = (0..20)
            .map(|n| format!("<item id='x{n}'><row xmlns='urn:rows' n='{n}'/></item>"))
            .collect();
        play.said.clear();
        play.hear(&format!(
            "reply <pubsub xmlns='{}'><items>{items}</items><set xmlns='{}'>{set}</set></pubsub>",
            ns::PUBSUB,
            ns::RSM
        ));
        play.poll();
        play.run(&format!("C: {asked}"));
    }
    let page = |set: &str| request::parse_page(&reply(&format!("<items/>{set}")));
    assert!(page("").is_none());
    let empty = page("<set xmlns='http://jabber.org/protocol/rsm'><first/><last/><count/></set>");
    assert_eq!(empty, Some(epode_proto::xep::rsm::Page::default()));
}

#[test]
fn missing_parts_of_other_replies() {
    let nothing = xml("<iq/>");
    // 26–30
    assert_eq!(request::parse_subscription(&nothing), None);
    let told = request::parse_subscription(&reply("<subscription/>")).expect("one");
    assert_eq!(
        (told.node, told.jid.as_str(), told.subid, told.state),
        (None, "", None, SubscriptionState::Subscribed)
    );
    // 31–34
    for answer in [
        nothing.clone(),
        reply(""),
        reply("<items/>"),
        reply("<items node='n'/>"),
    ] {
        assert!(request::parse_items(&answer).is_empty());
    }
    let item = request::parse_items(&reply("<items><item/></items>")).remove(0);
    assert_eq!((item.id, item.publisher, item.payload), (None, None, None));
    // 40, 41
    for answer in [
        nothing.clone(),
        reply("<publish/>"),
        reply("<publish><item/></publish>"),
        reply("<create/>"),
    ] {
        assert_eq!(request::parse_published(&answer), None);
        assert_eq!(request::parse_created(&answer), None);
    }
    // 42, 43
    assert!(request::parse_subscriptions(&nothing).is_empty());
    assert!(request::parse_affiliations(&nothing).is_empty());
    assert!(owner::parse_subscribers(&nothing).is_empty());
    assert!(owner::parse_affiliates(&nothing).is_empty());
    assert_eq!(
        request::parse_affiliations(&reply("<affiliations><affiliation/></affiliations>")),
        [(String::new(), String::new())]
    );
    assert!(request::parse_options(&nothing).is_none());
    assert!(owner::parse_configuration(&nothing).is_none());
    // 44, 45: it is an error all the same.
    for error in [
        "",
        "<error/>",
        "<error><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    ] {
        let answer = xml(&format!("<iq type='error'>{error}</iq>"));
        let error = StanzaError::parse(&answer);
        let mut play = Play::new(Feed::new(settings(), None));
        play.run("session");
        play.answer(Err(RequestFailure::Refused {
            error,
            reply: answer,
        }));
        play.poll();
        assert!(
            play.told.iter().any(|told| told == "end"),
            "{:?}",
            play.told
        );
    }
}

#[test]
fn missing_parts_of_an_archive() {
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(Traits {
        order: Order::Publication,
        archive: true,
    });
    play.run(
        "
        session
        S: subscribed
        S: items
        S: named n0 a1
        E: up to date, live a1
        session
        S: subscribed
    ",
    );
    let hear = |play: &mut Play, attributes: &str, inside: &str| {
        let result = xml(&format!(
            "<result xmlns='{}' {attributes}>{inside}</result>",
            ns::MAM
        ));
        play.feed.handle_result(&result)
    };
    let query = format!("queryid='{}'", play.query);
    // 50: it belongs to another query.
    assert!(!hear(&mut play, "id='n1'", ""));
    // 51
    assert!(hear(&mut play, &query, ""));
    assert!(hear(
        &mut play,
        &query,
        "<forwarded xmlns='urn:xmpp:forward:0'/>"
    ));
    // 49, 52, 53
    let message = format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><event xmlns='{}'><items node='{NODE}'>{}</items></event></message></forwarded>",
        ns::PUBSUB_EVENT,
        items("b1", true)
    );
    assert!(hear(&mut play, &query, &message));
    // 47, 48: nothing tells where the next page begins, so that the node is listed. 46 is in `archive.rs`.
    play.said.clear();
    play.hear("reply <fin xmlns='urn:xmpp:mam:2'/>");
    play.poll();
    play.run("C: newest 20\nE: caught up b1\nS: items a1 b1 c1\nE: caught up c1, up to date");
}

#[test]
fn missing_parts_of_a_list_of_ids() {
    let list = |inside: &str| {
        format!("reply <query xmlns='http://jabber.org/protocol/disco#items'>{inside}</query>")
    };
    let mut play = at_c1();
    // 54, 55: an item without an address is there; one without a name cannot be told.
    play.run("session\nS: subscribed\nS: error modify bad-request\nC: ids");
    play.hear(&list(
        "<item name='a'/><item name='b'/><item name='c'/><item jid='x'/>",
    ));
    play.poll();
    play.run("C: items a b c\nS: items a1 b1 c1\nE: up to date");
    // 56: it shows nothing gone.
    let mut play = at_c1();
    play.run(
        "session\nS: subscribed\nS: error modify bad-request\nS: reply\nE: gap c.., up to date",
    );
    // 57, 58
    for inside in ["", "<identity category='pubsub' type='service'/>"] {
        let reply = xml(&format!(
            "<iq><query xmlns='http://jabber.org/protocol/disco#info'>{inside}</query></iq>"
        ));
        let traits = Traits::read(&disco::Info::parse(&reply).expect("information"));
        assert_eq!(traits, Traits::default());
    }
}

#[test]
fn missing_parts_of_messages_from_the_own_account() {
    // 1: without a sender it is the account's own (RFC 6120 §8.1.2.1), also of an archive.
    let me = Jid::parse("me@localhost", &NativeUnicode).expect("a JID");
    let mut feeds = Feeds::new();
    feeds.set_account(&me);
    let mut settings = settings();
    settings.service = "me@localhost".into();
    let id = feeds.add(&me, &me, settings, None, None);
    feeds.begin(Instant(0), id, &me);
    let mut query = None;
    let mut told = 0;
    let mut poll = |feeds: &mut Feeds| {
        let mut asked = Vec::new();
        loop {
            match feeds.poll_output() {
                Wanted::Request { number, iq, .. } => {
                    if let Some(archive) = iq.child("query", ns::MAM) {
                        query = archive.attr("queryid").map(String::from);
                    }
                    asked.push((number, iq));
                }
                Wanted::Change { change, .. } => {
                    told += usize::from(matches!(*change, Change::Item { .. }))
                }
                Wanted::Timeout(_) => return (asked, told, query.clone()),
            }
        }
    };
    let answer = |feeds: &mut Feeds, asked: Vec<(u32, Element)>| {
        for (number, iq) in asked {
            let reply = if iq.has_child("query", ns::DISCO_INFO) {
                xml(
                    "<iq><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:mam:2'/></query></iq>",
                )
            } else {
                xml("<iq/>")
            };
            feeds.handle_reply(Instant(0), number, Ok(reply));
        }
    };
    let (asked, _, _) = poll(&mut feeds);
    answer(&mut feeds, asked);
    let (asked, _, _) = poll(&mut feeds);
    answer(&mut feeds, asked);
    poll(&mut feeds);
    let event = format!(
        "<event xmlns='{}'><items node='{NODE}'>{}</items></event><stanza-id xmlns='urn:xmpp:sid:0' by='me@localhost' id='n1'/>",
        ns::PUBSUB_EVENT,
        items("a1", true)
    );
    let message = xml(&format!("<message>{event}</message>"));
    assert_eq!(
        feeds.handle_message(&message, &NativeUnicode),
        FeedRouting::Taken
    );
    assert_eq!(poll(&mut feeds).1, 1);
    feeds.begin_session();
    feeds.begin(Instant(0), id, &me);
    let query = poll(&mut feeds).2.expect("a query");
    let result = format!(
        "<result xmlns='{}' queryid='{query}' id='n2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>{event}</message></forwarded></result>",
        ns::MAM
    );
    let from = |from: &str| xml(&format!("<message {from}>{result}</message>"));
    assert_eq!(
        feeds.handle_message(&from("from='you@localhost'"), &NativeUnicode),
        FeedRouting::Nothing
    );
    assert_eq!(
        feeds.handle_message(&from("type='error'"), &NativeUnicode),
        FeedRouting::Nothing
    );
    assert_eq!(
        feeds.handle_message(&from(""), &NativeUnicode),
        FeedRouting::Taken
    );
}
