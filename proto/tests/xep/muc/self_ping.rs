//! XEP-0410, B14 and B29: whether a room still has us.

use epode_proto::event::RequestFailure;

use super::support::{MEMBER, SELF, SUBJECT, Scene, error, gone, presence, said};

const MINUTE: u64 = 60_000;

/// A ping is out, after a long silence.
fn asked() -> Scene {
    let mut scene = Scene::joined();
    scene.wait(15 * MINUTE - 1);
    scene.expect(&[]);
    scene.wait(1);
    scene.expect(&["ping thirdwitch"]);
    scene
}

fn bounce(condition: &str) -> String {
    format!(
        "<message type='error' from='$' id='m'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
}

#[test]
fn a_silent_room_is_pinged_and_confirms_us() {
    let mut scene = asked();
    scene.reply_ok();
    scene.expect(&[]);
    // Whatever the room says shows that it is there.
    scene.wait(10 * MINUTE);
    scene.hear(&presence("firstwitch", MEMBER));
    scene.wait(10 * MINUTE);
    scene.expect(&[]);
    scene.wait(5 * MINUTE);
    scene.expect(&["ping thirdwitch"]);
    // The pinged client knows no pings.
    scene.reply_error("feature-not-implemented");
    scene.expect(&[]);
    assert!(scene.is_joined());
}

#[test]
fn errors_that_mean_that_we_are_not_an_occupant() {
    for condition in [
        "not-acceptable",
        "not-allowed",
        "bad-request",
        "gone",
        "forbidden",
    ] {
        let mut scene = asked();
        scene.reply_error(condition);
        scene.expect(&["join thirdwitch since"]);
        assert!(!scene.is_joined());
        scene.hear(&presence("newt", MEMBER));
        scene.hear(&presence("thirdwitch", SELF));
        scene.hear(SUBJECT);
        scene.expect(&[
            "1: subject \"\"",
            "1: left firstwitch missed",
            "1: came newt",
            "1: rejoined 110",
        ]);
        assert!(scene.is_joined());
    }
}

#[test]
fn unclear_errors_are_followed_by_another_ping() {
    for condition in [
        "service-unavailable",
        "item-not-found",
        "remote-server-not-found",
        "remote-server-timeout",
        "resource-constraint",
    ] {
        let mut scene = asked();
        scene.reply_error(condition);
        let lines = scene.take();
        assert!(scene.is_joined(), "{condition}");
        let silent = condition.starts_with("remote-server");
        assert_eq!(!lines.is_empty(), silent, "{condition}: {lines:?}");
        scene.wait(MINUTE);
        scene.expect(&["ping thirdwitch"]);
    }
}

#[test]
fn item_not_found_means_out_unless_the_nick_was_changed() {
    // Twice, and no change of nick: ejabberd answers so for a room that is no more.
    let mut scene = asked();
    scene.reply_error("item-not-found");
    scene.wait(MINUTE);
    scene.expect(&["ping thirdwitch"]);
    scene.reply_error("item-not-found");
    scene.expect(&["join thirdwitch since"]);
    // Another client of ours has changed it.
    let mut scene = asked();
    scene.hear(&gone(
        "thirdwitch",
        "<item nick='oldhag'/><status code='303'/><status code='110'/>",
    ));
    scene.take();
    scene.reply_error("item-not-found");
    scene.wait(15 * MINUTE - 1);
    scene.expect(&[]);
    scene.wait(1);
    scene.expect(&["ping oldhag"]);
    assert!(scene.is_joined());
}

#[test]
fn a_room_without_a_reply_is_pinged_less_and_less_often() {
    let mut scene = asked();
    scene.reply(Err(RequestFailure::TimedOut));
    // Reported once.
    scene.expect(&["1: unreachable"]);
    for pause in [1, 2, 4, 8, 15, 15] {
        scene.wait(pause * MINUTE - 1);
        scene.expect(&[]);
        scene.wait(1);
        scene.expect(&["ping thirdwitch"]);
        scene.reply(Err(RequestFailure::TimedOut));
        scene.expect(&[]);
    }
    assert!(scene.is_joined());
    scene.wait(15 * MINUTE);
    scene.expect(&["ping thirdwitch"]);
    scene.reply_ok();
    scene.wait(15 * MINUTE);
    scene.reply(Err(RequestFailure::TimedOut));
    scene.expect(&["ping thirdwitch", "1: unreachable"]);
}

#[test]
fn b29_messages_without_a_reflection_cause_a_ping() {
    let mut scene = Scene::joined();
    scene.say("one");
    scene.wait(5_000);
    scene.hear(&said(
        "thirdwitch",
        "one",
        &format!(" id='{}'", scene.id(0)),
    ));
    scene.take();
    scene.wait(MINUTE);
    scene.expect(&[]);
    // The node of the room dies: what we say is taken, and comes to nobody.
    scene.say("two");
    scene.wait(10_000);
    scene.say("three");
    scene.expect(&["say two", "say three"]);
    scene.wait(10_000);
    scene.expect(&["ping thirdwitch"]);
    scene.reply_error("not-acceptable");
    scene.expect(&["1: lost two", "1: lost three", "join thirdwitch since"]);
    // What is said on the way back follows our presence.
    scene.say("four");
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    scene.expect(&[
        "say four",
        "1: subject \"\"",
        "1: left firstwitch missed",
        "1: rejoined 110",
    ]);
    scene.hear(&said("thirdwitch", "four", ""));
    scene.expect(&["1: message thirdwitch: four [own]"]);
    scene.wait(MINUTE);
    scene.expect(&[]);
}

#[test]
fn b29_a_room_that_discards_a_message_keeps_us() {
    let mut scene = Scene::joined();
    scene.say("spam");
    scene.wait(20_000);
    scene.expect(&["say spam", "ping thirdwitch"]);
    scene.reply_ok();
    scene.wait(14 * MINUTE);
    scene.expect(&[]);
}

#[test]
fn b29_a_refused_rejoin_ends_the_visit() {
    let mut scene = asked();
    scene.reply_error("not-acceptable");
    let id = scene.id(0);
    scene.take();
    scene.hear(&error("$/thirdwitch", &id, "registration-required"));
    scene.expect(&["1: out refused registration-required", "1: closed"]);
}

#[test]
fn b14_a_bounce_causes_a_ping() {
    for condition in [
        "not-acceptable",
        "item-not-found",
        "service-unavailable",
        "not-allowed",
    ] {
        let mut scene = Scene::joined();
        scene.say("hello");
        scene.take();
        scene.hear(&bounce(condition).replace("'m'", &format!("'{}'", scene.id(0))));
        scene.expect(&[&format!("1: bounced {condition}")]);
        scene.wait(0);
        scene.expect(&["ping thirdwitch"]);
        scene.reply_error("not-acceptable");
        scene.expect(&["join thirdwitch since"]);
    }
    // An ordinary refusal: no voice.
    let mut scene = Scene::joined();
    scene.hear(&bounce("forbidden"));
    scene.wait(MINUTE);
    scene.expect(&["1: bounced forbidden"]);
}

#[test]
fn b14_pings_after_bounces_are_limited() {
    let mut scene = Scene::joined();
    let mut pings = 0;
    for _ in 0..600 {
        scene.hear(&bounce("not-acceptable"));
        scene.wait(100);
        if scene.take().contains(&"ping thirdwitch".to_owned()) {
            pings += 1;
            scene.reply_ok();
        }
    }
    // A minute of bounces.
    assert!((1..=5).contains(&pings), "{pings}");
}

#[test]
fn a_room_that_removes_us_repeatedly_is_left() {
    let mut scene = Scene::joined();
    for losses in 1..=20 {
        scene.hear(&bounce("not-acceptable"));
        scene.wait(15_000);
        scene.reply_error("not-acceptable");
        let mut lines = scene.take();
        if lines.last().map(String::as_str) == Some("1: closed") {
            assert!(lines.contains(&"1: out given up".to_owned()));
            assert_eq!(losses, 6);
            return;
        }
        // The pauses before coming back grow.
        while !lines.iter().any(|line| line.starts_with("join")) {
            scene.wait(1_000);
            lines = scene.take();
        }
        scene.hear(&presence("thirdwitch", SELF));
        scene.hear(SUBJECT);
        scene.take();
    }
    panic!("never given up");
}

#[test]
fn a_resumed_session_causes_a_ping() {
    let mut scene = Scene::joined();
    scene.rooms.handle_interrupted();
    scene.say("kept");
    scene.take();
    // Not while there is no connection.
    scene.wait(20 * MINUTE);
    scene.expect(&[]);
    let now = scene.instant();
    scene
        .rooms
        .handle_resumed(now, &super::support::jid(super::support::OWN), true);
    scene.wait(0);
    scene.expect(&["ping thirdwitch"]);
    scene.reply(Err(RequestFailure::Disconnected));
    scene.expect(&[]);
}

#[test]
fn a_ping_waits_for_the_reply_to_a_change_of_nick() {
    let mut scene = Scene::joined();
    scene.wait(15 * MINUTE - 1_000);
    scene.nick("oldhag");
    scene.wait(10_000);
    scene.expect(&["nick oldhag"]);
    scene.hear(&presence("oldhag", SELF));
    scene.expect(&["c2 ok", "1: nick thirdwitch -> oldhag [own]"]);
    scene.wait(15 * MINUTE);
    scene.expect(&["ping oldhag"]);
}
