//! What comes once more: the same publication in another spelling, delivered twice, as the last item on subscribing; rows that
//! were saved unchanged.

use super::*;
use epode_proto::xep::pubsub::digest::hash_payload;
use epode_proto::xml::{Limits, parse};

fn hash(payload: &str) -> u32 {
    hash_payload(&parse(payload.into(), &Limits::default()).expect("XML"))
}

#[test]
fn a_payload_is_the_same_in_every_serialisation() {
    let plain = hash("<row xmlns='urn:rows' n='1' m='2'><a>x &amp; y</a><b/></row>");
    for same in [
        // Prosody reorders attributes after a restart.
        "<row xmlns='urn:rows' m='2' n='1'><a>x &amp; y</a><b/></row>",
        "<row m=\"2\" n=\"1\" xmlns=\"urn:rows\"><a>x &#38; y</a><b></b></row>",
        "<r:row xmlns:r='urn:rows' m='2' n='1'><r:a>x &amp; y</r:a><r:b/></r:row>",
        "<row xmlns='urn:rows' n='1' m='2'><a xmlns='urn:rows'>x &amp; y</a><q:b xmlns:q='urn:rows'/></row>",
        "<row xmlns='urn:rows' xmlns:unused='urn:x' n='1' m='2' ><a>x <![CDATA[& ]]>y</a><b/></row>",
        "<row xmlns='urn:rows' n='&#49;' m='2'><a><![CDATA[]]>x &amp; y</a><b/></row>",
    ] {
        assert_eq!(hash(same), plain, "{same}");
    }
    for other in [
        "<row xmlns='urn:rows' n='2' m='1'><a>x &amp; y</a><b/></row>",
        "<row xmlns='urn:rows' n='1'><a>x &amp; y</a><b/></row>",
        "<row xmlns='urn:other' n='1' m='2'><a>x &amp; y</a><b/></row>",
        "<row xmlns='urn:rows' n='1' m='2'><b/><a>x &amp; y</a></row>",
        "<row xmlns='urn:rows' n='1' m='2'><a>x &amp; y<b/></a></row>",
        "<row xmlns='urn:rows' xmlns:z='urn:z' z:n='1' m='2'><a>x &amp; y</a><b/></row>",
        // White space may mean something: nothing tells which of it may be left out.
        "<row xmlns='urn:rows' n='1' m='2'> <a>x &amp; y</a><b/></row>",
        "<row xmlns='urn:rows' n='1' m='2'><a>x &amp; y </a><b/></row>",
    ] {
        assert_ne!(hash(other), plain, "{other}");
    }
    // Attributes are not summed up over several elements, nor their names with their values.
    assert_ne!(
        hash("<row xmlns='urn:rows'><a n='1'/><a m='2'/></row>"),
        hash("<row xmlns='urn:rows'><a m='2'/><a n='1'/></row>")
    );
    assert_ne!(
        hash("<row xmlns='u' ab='c'/>"),
        hash("<row xmlns='u' a='bc'/>")
    );
    // Without a namespace of its own a payload has that of the listing, or of the event.
    assert_eq!(
        hash("<row xmlns='http://jabber.org/protocol/pubsub' n='1'><a/></row>"),
        hash("<row xmlns='http://jabber.org/protocol/pubsub#event' n='1'><a/></row>")
    );
}

#[test]
fn a_listing_in_another_serialisation_reports_nothing() {
    let spelt = |one: &str| {
        format!(
            "reply <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{NODE}'><item id='a'>{one}</item></items></pubsub>"
        )
    };
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run("session\nS: subscribed");
    play.hear(&spelt(
        "<row xmlns='urn:rows' m='x' n='1'><c d='1' e='2'/></row>",
    ));
    play.poll();
    play.run("E: snapshot a1, up to date");
    let mut other = play.reload();
    for play in [&mut play, &mut other] {
        play.run("session\nS: subscribed");
        play.hear(&spelt(
            "<q:row n='1' m='x' xmlns:q='urn:rows'><q:c e='2' d='1'/></q:row>",
        ));
        play.poll();
        play.run("E: up to date");
    }
}

#[test]
fn a_position_of_another_version_is_a_gap_without_duplicates() {
    let play = at_c1();
    let text = play.feed.position().expect("a position");
    let (version, rest) = text.split_once('.').expect("a version");
    assert_eq!(version, "2");
    for version in ["1", "3", "12"] {
        let old = format!("{version}.{rest}");
        let since = || Position::read(&old, SERVICE, NODE).expect("one of another version");
        let mut play = Play::new(Feed::new(settings(), Some(since())));
        assert_eq!(play.feed.position(), None, "nothing is known yet");
        play.run(
            "
            session
            C: subscribe | newest 1000
            S: subscribed
            S: items a1 b1 c1
            S: pong
            E: gap c..a, snapshot a1, snapshot b1, snapshot c1, up to date
            session
            S: subscribed
            S: items a1 b1 c1 d1
            S: pong
            E: caught up d1, up to date
        ",
        );
        // Where only news are wanted, the gap is all that is told.
        let mut settings = settings();
        settings.snapshot = false;
        let mut play = Play::new(Feed::new(settings, Some(since())));
        play.run(
            "
            session
            S: items a1 b1 c1
            S: subscribed
            S: items a1 b1 c1
            S: pong
            E: gap c.., up to date
        ",
        );
        // Where nothing can be listed, too.
        let mut play = Play::new(Feed::new(self::settings(), Some(since())));
        play.run("session\nS: subscribed\nS: error auth forbidden\nE: gap c.., up to date");
    }
    for wrong in ["0", "01", "", "x", "-1", "12345"] {
        assert!(Position::read(&format!("{wrong}.{rest}"), SERVICE, NODE).is_none());
    }
    assert!(Position::read(&format!("1.{rest}"), SERVICE, "another").is_none());
}

#[test]
fn an_event_that_is_delivered_twice_is_reported_once() {
    // COMPAT(ejabberd): another session of the account died in silence, and its events are routed to this one.
    let mut play = at_c1();
    play.run(
        "
        S: event d1
        S: event e1
        S: event b2
        E: live d1, live e1, live b2
        S: event d1
        S: event e1
        S: event b2
        S: event f1
        E: live f1
    ",
    );
    // Nothing of it is news later.
    play.run(
        "
        session
        S: subscribed
        S: items a1 c1 d1 e1 b2 f1
        E: up to date
    ",
    );
    // What changed in between is told: only the current revision is a repetition.
    play.run(
        "
        S: event f2
        S: event f1
        E: live f2, live f1
        S: retract f
        S: event f1
        E: retract f, live f1
        S: purge
        S: event f1
        E: purge, live f1
    ",
    );
}

#[test]
fn repetitions_are_reported_on_request() {
    let mut play = Play::of(|settings| settings.repeats = true);
    play.feed.learn(by_publication());
    play.run(
        "
        session
        S: subscribed
        S: items a1
        E: snapshot a1, up to date
        S: event b1
        S: event b1
        E: live b1, live b1
        S: last b1
        S: event b1
        E: live b1
    ",
    );
}

#[test]
fn an_event_repeated_during_the_listing_is_reported_once() {
    let mut play = at_c1();
    // Of another session's queue: before the listing, behind it, and of what it does not reach.
    play.run(
        "
        session
        S: subscribed
        S: event b1
        S: event c1
        S: items b1 c1 d1
        S: event d1
        E: gone a, caught up d1, up to date
        session
        S: subscribed
        S: event b1
        S: items c1 d1
        C: ids
        E: up to date
        S: ids c d
        E: gone b
    ",
    );
}

#[test]
fn the_last_item_on_subscribing_is_not_reported_as_new() {
    // COMPAT(Prosody 0.12): without a stamp, at once behind the answer to the subscription.
    let news = || {
        let mut play = Play::of(|settings| settings.snapshot = false);
        play.feed.learn(by_publication());
        play
    };
    let mut play = news();
    play.run(
        "
        session
        C: newest 20 | subscribe | newest 20
        S: items a1 b1
        S: subscribed
        S: event b1
        S: items a1 b1
        E: up to date
        S: event b1
        E:
        S: event b2
        E: live b2
    ",
    );
    // What is published at once after the subscription is news: new items, and new revisions of those that were there.
    let mut play = news();
    play.run(
        "
        session
        S: items a1 b1
        S: subscribed
        S: event b1
        S: event c1
        S: event b2
        S: event a2
        S: items c1 b2 a2
        E: live c1, live b2, live a2, up to date
    ",
    );
    // Published between the question and the subscription, it is told once.
    let mut play = news();
    play.run(
        "
        session
        S: items a1
        S: subscribed
        S: event b1
        S: items a1 b1
        E: live b1, up to date
    ",
    );
    // Back in a revision that was there before: it is what the node holds.
    let mut play = news();
    play.run(
        "
        session
        S: items a1
        S: subscribed
        S: event a2
        S: event a1
        S: items a1
        E: live a1, up to date
    ",
    );
    // With a stamp, whether it says whose it is or not.
    for from in ["", "from='pubsub.localhost'"] {
        let mut play = news();
        play.run("session\nS: error auth forbidden\nS: subscribed");
        play.hear(&format!(
            "message <event xmlns='{}'><items node='{NODE}'>{}</items></event><delay xmlns='urn:xmpp:delay' {from} stamp='2026-11-21T20:00:00Z'/>",
            ns::PUBSUB_EVENT, items("b1", true)
        ));
        play.run("S: items a1 b1\nE: up to date");
    }
    // A stamp of a server in between says nothing about the item.
    let mut play = news();
    play.run("session\nS: items a1\nS: subscribed");
    play.hear(&format!(
        "message <event xmlns='{}'><items node='{NODE}'>{}</items></event><delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-11-21T20:00:00Z'/>",
        ns::PUBSUB_EVENT, items("b1", true)
    ));
    play.run("S: items a1 b1\nE: live b1, up to date");
}

#[test]
fn without_an_earlier_listing_no_item_is_treated_as_the_last_one() {
    // The service lists nothing to who is not subscribed: what comes may be news, and is told.
    let mut play = Play::of(|settings| settings.snapshot = false);
    play.feed.learn(by_publication());
    play.run(
        "
        session
        S: error auth not-authorized
        S: subscribed
        S: event b1
        S: items a1 b1
        E: live b1, up to date
    ",
    );
}

#[test]
fn the_last_item_sent_on_presence_is_not_reported_as_new() {
    let mut play = at_c1();
    play.run(
        "
        S: event c1
        S: last c1
        E:
        S: event d1
        S: last c1
        E: live d1
    ",
    );
}

#[test]
fn an_archive_entry_that_is_delivered_twice_is_reported_once() {
    let mut play = at_c1();
    play.run(
        "
        S: named n1 d1
        S: named n2 d2
        S: named n3 e1
        E: live d1, live d2, live e1
        S: named n1 d1
        S: named n2 d2
        E:
        S: named n4 d1
        E: live d1
    ",
    );
}
