//! The course of a feed: what it asks, what it tells, and what was missed.

use super::*;
use proptest::prelude::*;

#[test]
fn a_snapshot_then_events() {
    play(
        "
        session
        C: subscribe | newest 1000
        S: subscribed
        S: items a1 b1 c1
        C: ping
        S: event d1
        S: pong
        E: snapshot a1, snapshot b1, snapshot c1, live d1, up to date
        S: event b2 e1
        S: retract a
        E: live b2, live e1, retract a
        S: purge
        E: purge
    ",
    );
}

/// The last answers of a BOSH session may come without the one before them: what they bring waits until the next session shows
/// what was lost.
#[test]
fn events_after_lost_stanzas_wait_for_the_next_session() {
    const BEGUN: &str = "
        session
        S: subscribed
        S: items a1
        S: pong
        E: snapshot a1, up to date
        hole
        S: event c1
        E:
        session
        S: subscribed
    ";
    play(BEGUN).run(
        "
        S: items a1 b1 c1
        S: pong
        E: caught up b1, caught up c1, up to date
    ",
    );
    // Where nothing can be listed, it is told behind a gap.
    play(BEGUN).run(
        "
        S: error auth forbidden
        E: gap a..c, live c1, gap c.., up to date
    ",
    );
}

#[test]
fn events_before_the_listing_are_reported_once_and_superseded_ones_never() {
    play(
        "
        session
        S: subscribed
        S: event b2
        S: event d1
        S: event b3
        S: items a1 c1 d1 b3
        S: event e1
        S: pong
        E: snapshot a1, snapshot c1, snapshot d1, snapshot b3, live e1, up to date
    ",
    );
    // Listed in a revision that no event told: that was before the subscription, and the events are newer.
    play(
        "
        session
        S: subscribed
        S: items a1 b1
        S: event b2
        S: event b3
        S: retract a
        S: pong
        E: snapshot a1, snapshot b1, live b2, live b3, retract a, up to date
    ",
    );
}

#[test]
fn late_events_are_ordered_before_the_listing() {
    // COMPAT(ejabberd): they waited in a queue; the node keeps three.
    play(
        "
        session
        S: subscribed
        S: items c1 d1 e1
        C: ping
        S: event a1
        S: event b1
        S: event c1
        S: event d1
        S: event e1
        S: event f1
        S: pong
        E: live a1, live b1, snapshot c1, snapshot d1, snapshot e1, live f1, up to date
    ",
    );
}

#[test]
fn events_of_an_earlier_subscription_are_not_newer_than_the_listing() {
    // Before the answer to the subscription: the node is asked again, and what was told before is older.
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run(
        "
        session
        S: event a1
        S: subscribed
        S: items a2
        C: newest 1000
        S: items a2
        E: snapshot a2, up to date
    ",
    );
    // It did overtake the answer, and is newer: the node shows it.
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run(
        "
        session
        S: event a2
        S: subscribed
        S: items a1
        C: newest 1000
        S: items a2 b1
        E: snapshot a2, snapshot b1, up to date
    ",
    );
    // Behind the answer, where a subscription was ended in this session.
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run("session");
    play.feed.follow_another();
    play.run(
        "
        S: subscribed
        S: event a1
        S: items a2
        C: newest 1000
        S: event a3
        S: items a2
        E: snapshot a2, live a3, up to date
    ",
    );
}

#[test]
fn a_late_event_is_not_reported_again() {
    play(
        "
        session
        S: subscribed
        S: items a1 b1
        S: pong
        E: snapshot a1, snapshot b1, up to date
        S: event b1
        S: event c1
        E: live c1
    ",
    );
    // A page that asks for repetitions hears of them, and not of what was on its way.
    let mut play = Play::of(|settings| settings.repeats = true);
    play.run(
        "
        session
        S: subscribed
        S: items a1 b1
        S: pong
        E: snapshot a1, snapshot b1, up to date
        S: event b1
        S: event c1
        S: event b1
        E: live c1, live b1
    ",
    );
}

#[test]
fn missed_items_are_caught_up() {
    let mut play = at_c1();
    play.run(
        "
        session
        C: subscribe | newest 20
        S: subscribed
        S: items a1 c1 d1 b2 e1
        E: caught up d1, caught up b2, caught up e1, up to date
        session
        S: subscribed
        S: items a1 c1 d1 b2 e1
        E: up to date
    ",
    );
}

#[test]
fn a_node_that_dropped_the_known_items_is_a_gap() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: items x1 y1 z1
        E: gap c..x, gone a, gone b, gone c, caught up x1, caught up y1, caught up z1, up to date
    ",
    );
    // One of them is there still: nothing behind it can have been dropped.
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: items c1 y1 z1
        E: gone a, gone b, caught up y1, caught up z1, up to date
    ",
    );
    // It may have been saved once more, unchanged: then it stands last, and shows nothing.
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: items y1 z1 c1
        E: gap c..y, gone a, gone b, caught up y1, caught up z1, up to date
    ",
    );
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: items
        E: gap c.., gone a, gone b, gone c, up to date
    ",
    );
}

/// The rows `from` up to `to`, each in its first revision.
fn rows(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("r{}1 ", letters(n))).collect()
}

/// A live feed of a node with sixty rows.
fn with_sixty_rows() -> Play {
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run("session");
    play.hear("subscribed");
    play.hear(&format!("items {}", rows(0, 60)));
    play.poll();
    play.told.clear();
    play
}

#[test]
fn only_a_complete_listing_shows_retractions() {
    let mut play = with_sixty_rows();
    let ids: String = (0..60)
        .filter(|n| *n != 7)
        .map(|n| format!("r{} ", letters(n)))
        .collect();
    // Of the newest it is none: so the ids are asked for.
    play.run("session");
    play.hear("subscribed");
    play.hear(&format!("items {}", rows(40, 60)));
    play.poll();
    play.run("C: subscribe | newest 20 | ids\nE: up to date");
    play.hear(&format!("ids {}", ids.replacen("rac ", "", 1)));
    play.poll();
    play.run("E: gone rac, gone rah");
}

#[test]
fn rows_saved_unchanged_do_not_hide_earlier_changes() {
    let mut play = with_sixty_rows();
    // One row was changed, and then thirty others saved as they were.
    play.run("session");
    play.hear("subscribed");
    play.hear(&format!("items {}", rows(20, 40)));
    play.poll();
    play.run("C: subscribe | newest 20 | newest 100");
    play.hear(&format!(
        "items {} {} raa2 {}",
        rows(1, 10),
        rows(40, 60),
        rows(10, 40)
    ));
    play.poll();
    play.run("E: caught up raa2, up to date");
}

#[test]
fn the_only_item_saved_unchanged_does_not_hide_new_items() {
    let new: String = (1..20).map(|n| format!("r{}1 ", letters(n))).collect();
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run(
        "session\nS: subscribed\nS: items a1\nE: snapshot a1, up to date\nsession\nS: subscribed",
    );
    play.said.clear();
    play.hear(&format!("items a1 {new}"));
    play.poll();
    play.run("C: newest 100");
}

#[test]
fn a_service_that_lists_by_creation_shows_changes_anywhere() {
    let mut play = play(
        "
        session
        S: subscribed
        S: items a1 b1 c1 (page 2026-11-21T20:00:00.000001Z 0 3)
        S: pong
        E: snapshot a1, snapshot b1, snapshot c1, up to date
    ",
    );
    // Not one is as it was, and all are there: nothing was dropped.
    play.run(
        "
        session
        C: subscribe | newest 23
        S: subscribed
        S: items a2 b2 c2 d1 (page 2026-11-21T20:00:00.000001Z 0 4)
        S: pong
        E: caught up a2, caught up b2, caught up c2, caught up d1, up to date
    ",
    );
}

#[test]
fn more_items_are_requested_until_a_known_one() {
    let list = |from: usize, to: usize| -> String {
        (from..to)
            .map(|n| format!("i{} ", letters(n)))
            .collect::<String>()
            .replace(' ', "1 ")
    };
    let mut play = at_c1();
    play.run("session");
    play.hear("subscribed");
    play.hear(&format!("items {}", list(100, 120)));
    play.poll();
    play.run("C: subscribe | newest 20 | newest 100");
    play.hear(&format!("items a1 b1 c1 {}", list(23, 120)));
    play.poll();
    let told = std::mem::take(&mut play.told);
    assert_eq!(told.len(), 98);
    assert!(
        told[0].starts_with("caught up i") && told[97] == "up to date",
        "{told:?}"
    );
}

/// 0 → aa, 1 → ab, …: ids without digits.
fn letters(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).expect("small"));
    [letter(number / 26), letter(number)].iter().collect()
}

#[test]
fn pages_are_requested_until_a_known_item() {
    let mut play = play(
        "
        session
        S: subscribed
        S: items a1 b1 (page pa 0 2)
        S: pong
        E: snapshot a1, snapshot b1, up to date
        session
        C: subscribe | newest 22
        S: subscribed
        S: items e1 f1 (page pe 4 6)
        C: before pe
        S: items c1 d1 (page pc 2 6)
        C: before pc
        S: items a1 b1 (page pa 0 6)
        C: ping
        S: pong
        E: caught up c1, caught up d1, caught up e1, caught up f1, up to date
    ",
    );
    // A page whose beginning is gone is no end.
    play.run(
        "
        session
        S: subscribed
        S: items g1 h1 (page pg 6 8)
        C: before pg
        S: error cancel item-not-found
        C: newest 22
        S: items a1 b1 c1 d1 e1 f1 g1 h1 (page pa 0 8)
        S: pong
        E: caught up g1, caught up h1, up to date
    ",
    );
}

#[test]
fn ids_are_requested_if_items_are_refused() {
    play(
        "
        session
        S: subscribed
        S: error cancel feature-not-implemented
        C: ids
        S: ids a b c
        C: items a b c
        S: items c1 a1 b1
        C: ping
        S: pong
        E: snapshot a1, snapshot b1, snapshot c1, up to date
    ",
    );
}

#[test]
fn an_archive_fills_every_gap() {
    // XEP-0442: neither Prosody 0.12 nor ejabberd 23 has it, so that it is tried here only.
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
        S: named n1 a1
        E: up to date, live a1
        session
        C: subscribe | archive after n1
        S: subscribed
        S: archived n2 b1
        S: archived n3 b2
        S: named n5 d1
        S: fin n3
        C: archive after n3
        S: archived n4 c1
        S: archived n5 d1
        S: fin n5 complete='true'
        C: ids
        E: caught up b1, caught up b2, caught up c1, caught up d1, up to date
        S: ids c d
        E: gone a, gone b
    ",
    );
    // It has forgotten the entry: then by what the node holds.
    play.run(
        "
        session
        C: subscribe | archive after n5
        S: subscribed
        S: error cancel item-not-found
        C: newest 20
        S: items c1 d1 e1
        E: caught up e1, up to date
    ",
    );
    println!("XEP-0442: on neither Prosody 0.12 nor ejabberd 23; tried natively");
}

#[test]
fn a_position_survives_a_reload() {
    let play = at_c1();
    let mut other = play.reload();
    other.run(
        "
        session
        C: subscribe | newest 20
        S: subscribed
        S: items a1 c1 b2 d1
        E: caught up b2, caught up d1, up to date
    ",
    );
    // Nothing is there any more of what the page before it had.
    let mut other = play.reload();
    other.run(
        "
        session
        S: subscribed
        S: items x1
        E: gap c..x, caught up x1, up to date
    ",
    );
    let text = play.feed.position().expect("a position");
    assert!(Position::read(&text, SERVICE, "another").is_none());
    assert!(Position::read(&text, "another", NODE).is_none());
    assert!(Position::read(&text[..text.len() - 1], SERVICE, NODE).is_none());
    assert!(Position::read(&format!("{text}."), SERVICE, NODE).is_none());
}

#[test]
fn a_position_is_that_of_the_last_reported_change() {
    let mut feed = Feed::new(settings(), None);
    feed.learn(by_publication());
    assert_eq!(feed.position(), None);
    let mut play = Play::new(feed);
    play.run(
        "
        session
        S: subscribed
        S: items a1
        E: snapshot a1, up to date
    ",
    );
    // Two arrive at once, and one of them has been handed out.
    play.hear("event b1 c1");
    assert!(matches!(play.feed.poll_output(), FeedOutput::Change(_)));
    let mut other = play.reload();
    other.run(
        "
        session
        S: subscribed
        S: items a1 b1 c1
        E: caught up c1, up to date
    ",
    );
}

#[test]
fn without_a_snapshot_only_events_and_missed_items() {
    let mut settings = settings();
    settings.snapshot = false;
    let mut play = Play::new(Feed::new(settings, None));
    play.run(
        "
        session
        C: newest 20 | subscribe | newest 1000
        S: items a1 b1
        S: subscribed
        S: items a1 b1
        S: event c1
        S: pong
        E: live c1, up to date
        session
        S: subscribed
        S: items a1 b2 c1 d1
        S: pong
        E: caught up b2, caught up d1, up to date
    ",
    );
}

#[test]
fn without_listings_an_interruption_is_a_gap_unless_the_last_item_is_known() {
    let mut play = play(
        "
        session
        S: subscribed
        S: error auth forbidden
        E: up to date
        S: event a1
        E: live a1
        session
        S: subscribed
        S: last a1
        S: error auth forbidden
        E: up to date
        session
        S: subscribed
        S: last c1
        S: error auth forbidden
        E: gap a..c, live c1, up to date
    ",
    );
    play.run(
        "
        session
        S: subscribed
        S: error auth forbidden
        E: gap c.., up to date
    ",
    );
}

#[test]
fn a_request_without_a_reply_is_repeated() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: nothing
        S: event d1
        +1s
        +1s
        C: newest 20
        S: error wait resource-constraint
        +4s
        C: newest 20
        S: items a1 b1 c1 d1
        E: caught up d1, up to date
    ",
    );
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: nothing
        +2s
        S: nothing
        +4s
        S: nothing
        +8s
        S: nothing
        +16s
        S: event d1
        S: nothing
        E: gap c..d, live d1, up to date
    ",
    );
}

#[test]
fn missing_payloads_are_fetched_in_order() {
    play(
        "
        session
        S: subscribed
        S: items
        S: pong
        E: up to date
        S: bare a
        C: items a
        S: bare b
        S: event c1
        S: retract a
        S: items a1
        C: items b
        E: live a1
        S: items b1
        E: live b1, live c1, retract a
        S: bare d
        S: items
        E: live d-
    ",
    );
}

#[test]
fn a_subscription_that_an_owner_has_to_approve() {
    play(
        "
        session
        S: pending
        S: error auth not-authorized
        S: subscription subscribed
        C: newest 1000
        E: subscription Subscribed
        S: items a1
        S: pong
        E: snapshot a1, up to date
    ",
    );
}

#[test]
fn a_refusal_ends_it() {
    play(
        "
        session
        S: error auth forbidden
        E: refused forbidden, end
    ",
    );
    let mut play = at_c1();
    play.run(
        "
        session
        S: error cancel not-allowed
        E: refused not-allowed, end
    ",
    );
}

#[test]
fn a_deleted_node_is_a_gap_and_is_subscribed_again_when_it_returns() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: error cancel item-not-found
        E: gap c.., gone a, gone b, gone c
        S: error cancel item-not-found
        +1s
        C: subscribe | newest 20
        S: error cancel item-not-found
        S: error cancel item-not-found
        +2s
        C: subscribe | newest 20
        S: subscribed
        S: items x1
        E: caught up x1, up to date
        S: event y1
        E: live y1
    ",
    );
}

#[test]
fn an_unavailable_service_is_retried() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: error wait remote-server-timeout
        S: error wait remote-server-timeout
        +1s
        C: subscribe | newest 20
        S: subscribed
        S: items a1 b1 c1 d1
        E: caught up d1, up to date
    ",
    );
}

#[test]
fn items_of_two_sessions_before_the_catch_up() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: event e1
        session
        S: subscribed
        S: event g1
        session
        S: subscribed
        S: items a1 b1 c1 d1 e1 f1 g1 h1
        E: caught up d1, caught up e1, caught up f1, caught up g1, caught up h1, up to date
    ",
    );
    // The node keeps two: holes before, between and behind.
    let mut play = at_c1();
    play.run("
        session
        S: subscribed
        S: event e1
        session
        S: subscribed
        S: event g1
        session
        S: subscribed
        S: items y1 z1
        E: gap c..e, gone a, gone b, gone c, live e1, gap e..g, live g1, gap g..y, caught up y1, caught up z1, up to date
    ");
}

#[test]
fn a_purge_during_the_catch_up_restarts_it() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: event d1
        S: purge
        S: event e1
        S: items e1
        C: newest 20
        E: purge
        S: items e1 f1
        E: caught up e1, caught up f1, up to date
    ",
    );
}

#[test]
fn the_end_of_a_node_and_of_a_subscription() {
    let mut play = at_c1();
    play.run(
        "
        S: delete xmpp:elsewhere
        E: delete xmpp:elsewhere, end
        S: event x1
        session
    ",
    );
    let mut play = at_c1();
    play.run(
        "
        S: subscription none
        E: subscription None, end
    ",
    );
}

#[test]
fn too_many_events_during_the_catch_up_are_a_gap() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
    ",
    );
    for content in 0..10_001 {
        play.hear(&format!("event d{content}"));
    }
    play.poll();
    let told = std::mem::take(&mut play.told);
    assert_eq!(told.len(), 10_003);
    assert_eq!(
        (told[0].as_str(), told[10_002].as_str()),
        ("gap c..d", "up to date")
    );
}

proptest! {
    #[test]
    fn a_position_can_be_any_text(text in "([1A-Za-z0-9+/=]{0,12}\\.){0,6}[A-Za-z0-9+/=]{0,12}|.*") {
        let _ = Position::read(&text, SERVICE, NODE);
    }
}
