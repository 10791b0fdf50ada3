//! Listings without payloads: absent does not mean changed. Nor does it mean unchanged: what is listed is asked for by id, and
//! where that shows no payload either, what was told stays.

use super::*;

#[test]
fn a_listing_without_payloads_changes_no_known_item() {
    let mut play = at_c1();
    play.run(
        "
        session
        C: subscribe | newest 20
        S: subscribed
        S: listed a b c
        C: items a b c
        S: listed a b c
        E: up to date
        session
        S: subscribed
        S: listed c
        S: listed c
        E: gone a, gone b, up to date
    ",
    );
    // So it is after a reload; also where nothing is answered by id.
    let mut other = at_c1().reload();
    other.run("session\nS: subscribed\nS: listed a b c\nS: error cancel feature-not-implemented\nE: up to date");
    // What has changed is told, and nothing else.
    let mut other = at_c1().reload();
    other.run(
        "session\nS: subscribed\nS: listed a b c\nS: items a1 b2 c1\nE: caught up b2, up to date",
    );
}

#[test]
fn unknown_items_are_requested_by_id() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: listed a b c d e
        C: items a b c d e
        S: items a1 b1 c1 d1 e1
        E: caught up d1, caught up e1, up to date
        session
        S: subscribed
        S: listed a b c d e
        S: listed a b c d e
        E: up to date
    ",
    );
    // Nor has it a payload then: it is told without one, once.
    play.run(
        "
        session
        S: subscribed
        S: listed a b c d e f
        S: listed a b c d e f
        E: caught up f-, up to date
        session
        S: subscribed
        S: listed a b c d e f
        S: listed a b c d e f
        E: up to date
    ",
    );
}

#[test]
fn a_snapshot_without_payloads_requests_them() {
    play(
        "
        session
        S: subscribed
        S: listed a b
        C: items a b
        S: items b1 a1
        C: ping
        S: pong
        E: snapshot a1, snapshot b1, up to date
        session
        S: subscribed
        S: listed a b
        S: items a1 b1
        S: pong
        E: up to date
    ",
    );
    // A node that has none: one question shows it.
    let ids: String = (0..120).map(|n| format!("x{} ", letters(n))).collect();
    let last: String = (70..120).map(|n| format!("x{} ", letters(n))).collect();
    let mut play = Play::new(Feed::new(settings(), None));
    play.run("session\nS: subscribed");
    play.said.clear();
    play.hear(&format!("listed {ids}"));
    play.poll();
    play.run(&format!("C: items {}", last.trim()));
    play.hear(&format!("listed {last}"));
    play.poll();
    play.run("C: ping");
    play.hear("pong");
    play.poll();
    let told = std::mem::take(&mut play.told);
    assert_eq!((told.len(), told[119].as_str()), (121, "snapshot xep-"));
}

fn letters(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).expect("small"));
    [letter(number / 26), letter(number)].iter().collect()
}

#[test]
fn an_item_listed_elsewhere_without_payload_is_not_a_gap() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: listed a c b
        C: items a c b
        S: items a1 b2 c1
        E: caught up b2, up to date
        session
        S: subscribed
        S: listed x y
        S: items x1 y1
        E: gap b..x, gone a, gone c, gone b, caught up x1, caught up y1, up to date
    ",
    );
}

#[test]
fn events_provide_the_payloads_that_a_listing_omits() {
    let mut play = at_c1();
    play.run(
        "
        session
        S: subscribed
        S: event b2
        S: event d1
        S: event d2
        S: listed a c b d
        C: items a c b d
        S: listed a c b d
        E: caught up b2, caught up d2, up to date
    ",
    );
}

#[test]
fn a_notification_without_a_payload_is_reported_each_time() {
    // Nothing shows that they are the same.
    let mut play = at_c1();
    play.run(
        "
        S: bare x
        S: items
        E: live x-
        S: bare x
        S: items
        E: live x-
        session
        S: subscribed
        S: bare x
        S: listed a b c x
        C: items a b c x
        S: listed a b c x
        C: items x
        S: listed x
        E: live x-, up to date
    ",
    );
}

#[test]
fn without_a_snapshot_a_listing_without_payloads_is_a_position() {
    let mut play = Play::of(|settings| settings.snapshot = false);
    play.feed.learn(by_publication());
    play.run(
        "
        session
        S: listed a b
        S: subscribed
        S: listed a b
        C: items a b
        S: listed a b
        E: up to date
        S: event b1
        E: live b1
        session
        S: subscribed
        S: listed a b c
        S: items a2 b1 c1
        E: caught up c1, up to date
        session
        S: subscribed
        S: listed a b c
        S: items a3 b1 c1
        E: caught up a3, up to date
        S: event a3
        E:
    ",
    );
}
