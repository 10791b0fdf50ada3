//! Coming back after a lost session.

use epode_proto::event::{Delivery, RequestFailure};

use super::support::{MEMBER, OWN, SELF, SUBJECT, Scene, error, gone, jid, presence, said};

fn lost() -> Scene {
    let mut scene = Scene::joined();
    scene.hear(&said("firstwitch", "before", " id='b1'"));
    scene.wait(60_000);
    scene.take();
    scene.session(true);
    scene.expect(&["join thirdwitch since"]);
    scene
}

#[test]
fn messages_are_not_reported_again_after_a_rejoin() {
    let mut scene = lost();
    assert!(!scene.is_joined());
    scene.hear(&presence("newt", MEMBER));
    scene.hear(&presence("thirdwitch", SELF));
    let stamp = "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/>";
    scene.hear(&format!(
        "<message type='groupchat' from='$/firstwitch' id='b1'><body>before</body>{stamp}</message>
         <message type='groupchat' from='$/firstwitch' id='b2'><body>meanwhile</body>{stamp}</message>"
    ));
    scene.hear(SUBJECT);
    scene.expect(&[
        "1: message firstwitch: meanwhile [delayed 2002-10-13T23:58:37Z]",
        "1: subject \"\"",
        "1: left firstwitch missed",
        "1: came newt",
        "1: rejoined 110",
    ]);
}

/// The room told the lost session alone that it had a message. When it loses us later, only what was said since is lost.
#[test]
fn messages_sent_in_a_lost_session_are_settled_in_the_next() {
    let mut scene = Scene::joined();
    scene.say("one");
    scene.settle_last(Delivery::Unknown);
    scene.session(true);
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    scene.say("two");
    let id = scene.id(0);
    scene.say("three");
    scene.take();
    scene.hear(&format!(
        "<message type='error' from='$' id='{id}'><error type='cancel'>
           <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    scene.wait(10_000);
    scene.reply_error("not-acceptable");
    let lines = scene.take();
    let lost = |body: &str| {
        lines
            .iter()
            .any(|line| line.contains("lost") && line.contains(body))
    };
    assert!(!lost("one") && lost("three"), "{lines:?}");
}

#[test]
fn history_without_ids_is_reported_once() {
    let mut scene = Scene::joined();
    for body in ["yes", "no", "yes"] {
        scene.hear(&said("firstwitch", body, ""));
    }
    scene.take();
    let stamp = "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/>";
    for _ in 0..2 {
        scene.session(true);
        scene.hear(&presence("thirdwitch", SELF));
        // Said three times, and once more while we were away.
        for body in ["yes", "no", "yes", "yes"] {
            scene.hear(&said("firstwitch", body, stamp));
        }
        scene.hear(SUBJECT);
        let lines = scene.take();
        let told = lines.iter().filter(|line| line.contains("message")).count();
        assert!(told <= 1, "{lines:?}");
    }
}

#[test]
fn a_rejoin_waits_until_our_ghost_is_gone() {
    let mut scene = lost();
    for _ in 0..60 {
        let id = scene.id(0);
        scene.hear(&error("$/thirdwitch", &id, "conflict"));
        scene.expect(&[]);
        scene.wait(5_000);
        scene.expect(&["join thirdwitch since"]);
    }
    let id = scene.id(0);
    scene.hear(&error("$/thirdwitch", &id, "conflict"));
    scene.expect(&["1: out refused conflict", "1: closed"]);
}

#[test]
fn a_rejoin_waits_for_a_restarting_service() {
    for condition in ["remote-server-timeout", "remote-server-not-found"] {
        let mut scene = lost();
        let id = scene.id(0);
        scene.hear(&error("$/thirdwitch", &id, condition));
        scene.wait(5_000);
        scene.expect(&["join thirdwitch since"]);
    }
    // A refusal for good is the end.
    let mut scene = lost();
    let id = scene.id(0);
    scene.hear(&error("$/thirdwitch", &id, "forbidden"));
    scene.expect(&["1: out refused forbidden", "1: closed"]);
}

#[test]
fn a_rejoin_without_a_reply_is_repeated_for_a_while() {
    let mut scene = lost();
    scene.wait(30_000);
    scene.expect(&["join thirdwitch since"]);
    // Both answers come late: we are in, once.
    let (first, second) = (scene.id(1), scene.id(0));
    for id in [first, second] {
        scene.hear(&presence("thirdwitch", SELF).replace(" from", &format!(" id='{id}' from")));
        scene.hear(SUBJECT);
    }
    let lines = scene.take();
    let rejoined = lines
        .iter()
        .filter(|line| line.contains("rejoined"))
        .count();
    assert_eq!(rejoined, 1, "{lines:?}");
    // And never at all.
    let mut scene = lost();
    scene.wait(61 * 30_000);
    let lines = scene.take();
    assert_eq!(lines.last().map(String::as_str), Some("1: closed"));
    assert!(lines.contains(&"1: out given up".to_owned()));
}

#[test]
fn replies_of_the_lost_session_are_ignored_in_the_new_one() {
    let mut scene = Scene::joined();
    scene.leave();
    scene.take();
    scene.session(true);
    scene.expect(&["c2 ok", "1: closed"]);
    // The same in a join.
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.session(true);
    scene.expect(&["join thirdwitch", "join thirdwitch"]);
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    assert!(scene.is_joined());
}

#[test]
fn leaving_during_a_rejoin() {
    let mut scene = lost();
    scene.leave();
    scene.expect(&["leave thirdwitch"]);
    scene.hear(&presence("thirdwitch", SELF));
    scene.expect(&[]);
    scene.hear(&gone(
        "thirdwitch",
        "<item role='none'/><status code='110'/>",
    ));
    scene.expect(&["c2 ok", "1: closed"]);
}

#[test]
fn another_nick_after_a_rejoin_is_reported() {
    let mut scene = lost();
    scene.hear(&presence(
        "guest",
        "<item role='visitor'/><status code='110'/><status code='210'/>",
    ));
    scene.hear(SUBJECT);
    scene.expect(&[
        "1: subject \"\"",
        "1: nick thirdwitch -> guest [own]",
        "1: left firstwitch missed",
        "1: rejoined 110 210",
    ]);
}

#[test]
fn a_destroyed_room_is_created_again() {
    let mut scene = lost();
    scene.hear(&presence(
        "thirdwitch",
        "<item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/>",
    ));
    scene.hear(SUBJECT);
    scene.expect(&["configure set", "1: subject \"\""]);
    scene.reply_ok();
    scene.expect(&["1: left firstwitch missed", "1: rejoined 110 201"]);
}

/// A page that slept handles the timeout before what arrived meanwhile. A second join would be answered, too.
#[test]
fn a_page_that_slept_reads_the_reply_before_it_retries() {
    let mut scene = lost();
    scene.now += 30_500;
    scene.rooms.handle_timeout(scene.instant());
    scene.drain();
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(SUBJECT);
    scene.expect(&[
        "1: subject \"\"",
        "1: left firstwitch missed",
        "1: rejoined 110",
    ]);
    scene.wait(60_000);
    scene.expect(&[]);
    // Nothing had arrived.
    let mut scene = lost();
    scene.now += 70_000;
    scene.rooms.handle_timeout(scene.instant());
    scene.wait(4_999);
    scene.expect(&[]);
    scene.wait(1);
    scene.expect(&["join thirdwitch since"]);
}

/// The answer was lost with an interruption, or arrived while the page slept.
#[test]
fn the_configuration_of_a_new_room_is_accepted_again() {
    let mut scene = lost();
    let owner =
        "<item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/>";
    scene.hear(&presence("thirdwitch", owner));
    scene.hear(SUBJECT);
    scene.expect(&["configure set", "1: subject \"\""]);
    // What is sent while the session is interrupted waits; it is not asked again and again.
    scene.rooms.handle_interrupted();
    scene.reply(Err(RequestFailure::TimedOut));
    scene.wait(200_000);
    scene.expect(&[]);
    scene.rooms.handle_resumed(scene.instant(), &jid(OWN), true);
    scene.wait(30_000);
    scene.expect(&["configure set"]);
    scene.reply(Err(RequestFailure::TimedOut));
    scene.wait(5_000);
    scene.expect(&["configure set"]);
    scene.reply_ok();
    scene.expect(&["1: left firstwitch missed", "1: rejoined 110 201"]);
    // One that never answers is left.
    let mut scene = Scene::new();
    scene.join_within("thirdwitch", 600_000);
    scene.hear(&presence("thirdwitch", owner));
    scene.hear(SUBJECT);
    for _ in 0..2 {
        scene.reply(Err(RequestFailure::TimedOut));
        scene.wait(5_000);
    }
    scene.take();
    scene.reply(Err(RequestFailure::TimedOut));
    scene.expect(&["leave thirdwitch", "c1 timed out", "1: closed"]);
    scene.wait(600_000);
    scene.expect(&[]);
}
