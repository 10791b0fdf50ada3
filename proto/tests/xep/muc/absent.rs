//! What is optional is absent. The list is at the head of `mod.rs`.

use super::support::{MEMBER, NOBODY, SELF, SUBJECT, Scene, error, gone, presence, said};

fn joining() -> Scene {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.take();
    scene
}

#[test]
fn b10_own_presence_without_110_and_then_the_subject() {
    let mut scene = joining();
    scene.hear(&presence("firstwitch", MEMBER));
    scene.hear(&presence("thirdwitch", MEMBER));
    assert!(!scene.is_joined());
    scene.hear(&said(
        "firstwitch",
        "old",
        "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/>",
    ));
    scene.expect(&["1: message firstwitch: old [delayed 2002-10-13T23:58:37Z]"]);
    scene.hear(SUBJECT);
    scene.expect(&["1: subject \"\"", "c1 ok", "1: joined"]);
    assert_eq!(scene.nicks(), ["firstwitch", "thirdwitch"]);
    scene.wait(60_000);
    scene.expect(&[]);
    // We are in for all purposes.
    scene.hear(&gone(
        "thirdwitch",
        "<item role='none'/><status code='307'/>",
    ));
    scene.expect(&["1: out kicked", "1: closed"]);
}

#[test]
fn b10_own_presence_without_110_and_then_live_messages() {
    let mut scene = joining();
    scene.hear(&presence("thirdwitch", MEMBER));
    scene.hear(&said("firstwitch", "hello", ""));
    scene.expect(&["c1 ok", "1: joined", "1: message firstwitch: hello"]);
}

#[test]
fn b10_own_presence_without_110_and_with_our_full_jid() {
    let mut scene = joining();
    scene.hear(&presence(
        "thirdwitch",
        "<item role='participant' jid='HAG66@Shakespeare.lit/pda'/>",
    ));
    // The subject is still to come, or is not.
    scene.wait(5_000);
    scene.expect(&["c1 ok", "1: joined", "ping thirdwitch"]);
    // Under another nick, too.
    let mut scene = joining();
    scene.hear(&presence(
        "guest",
        "<item role='participant' jid='hag66@shakespeare.lit/pda'/>",
    ));
    scene.hear(SUBJECT);
    assert_eq!(scene.own_nick(), "guest");
    // Another session of our account is another occupant.
    let mut scene = joining();
    scene.hear(&presence(
        "other",
        "<item role='participant' jid='hag66@shakespeare.lit/laptop'/>",
    ));
    scene.wait(5_000);
    scene.expect(&[]);
}

#[test]
fn b10_own_presence_without_110_and_then_nothing() {
    // A room shows nobody to those whom it refuses.
    let mut scene = joining();
    scene.hear(&presence("firstwitch", MEMBER));
    scene.hear(&presence("thirdwitch", MEMBER));
    scene.wait(5_000);
    scene.expect(&["c1 ok", "1: joined", "ping thirdwitch"]);
    // Unless that nick is gone again, or is not ours.
    let mut scene = joining();
    scene.hear(&presence("thirdwitch", MEMBER));
    scene.hear(&gone("thirdwitch", NOBODY));
    scene.wait(5_000);
    scene.hear(&presence("firstwitch", MEMBER));
    scene.wait(5_000);
    scene.expect(&[]);
}

#[test]
fn own_presence_without_item() {
    let mut scene = joining();
    scene.hear(&presence("thirdwitch", "<status code='110'/>"));
    scene.hear(SUBJECT);
    scene.expect(&["1: subject \"\"", "c1 ok", "1: joined 110"]);
}

#[test]
fn own_presence_with_201_or_210_in_place_of_110() {
    for (code, line) in [(201, "configure set"), (210, "1: subject \"\"")] {
        let mut scene = joining();
        scene.hear(&presence(
            "guest",
            &format!("{MEMBER}<status code='{code}'/>"),
        ));
        scene.hear(SUBJECT);
        assert_eq!(scene.take()[0], line);
        assert_eq!(scene.own_nick(), "guest");
    }
}

#[test]
fn own_presence_with_nothing_but_our_id() {
    let mut scene = joining();
    let id = scene.id(0);
    scene.hear(&format!("<presence from='$/thirdwitch' id='{id}'/>"));
    scene.wait(5_000);
    scene.expect(&["c1 ok", "1: joined", "ping thirdwitch"]);
}

#[test]
fn a_room_that_sends_no_presence_at_all() {
    let mut scene = joining();
    scene.hear(SUBJECT);
    scene.expect(&["1: subject \"\"", "c1 ok", "1: joined"]);
    assert_eq!(scene.nicks(), ["thirdwitch"]);
    // What the room says before it answers is no sign.
    let mut scene = joining();
    scene.hear("<message type='groupchat' from='$'><body>Welcome</body></message>");
    scene.expect(&["1: message (room): Welcome"]);
    assert!(!scene.is_joined());
}

#[test]
fn the_nick_without_110_may_belong_to_another_user() {
    let mut scene = joining();
    scene.hear(&presence("thirdwitch", MEMBER));
    let id = scene.id(0);
    scene.hear(&error("$/thirdwitch", &id, "conflict"));
    scene.expect(&["c1 refused conflict", "1: closed"]);
}

#[test]
fn an_update_without_item_changes_no_role() {
    let mut scene = Scene::joined();
    scene.hear(&presence(
        "newt",
        "<item role='moderator' affiliation='admin' jid='newt@x/y'/>",
    ));
    scene.take();
    for (update, line) in [
        (
            "<presence from='$/newt'><show>away</show><status>s</status></presence>",
            "1: changed newt",
        ),
        ("<presence from='$/newt'/>", "1: changed newt"),
        (
            "<presence from='$/newt'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>",
            "",
        ),
        (
            "<presence from='$/newt'><x xmlns='http://jabber.org/protocol/muc#user'><item/></x></presence>",
            "",
        ),
        (
            "<presence from='$/newt'><x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator'/></x></presence>",
            "",
        ),
    ] {
        scene.hear(update);
        assert_eq!(scene.take().concat(), line, "{update}");
        let visit = scene.rooms.visit(scene.visit()).expect("in");
        let newt = visit.occupant("newt").expect("there");
        assert_eq!(newt.role.as_str(), "moderator");
        assert_eq!(newt.affiliation.as_str(), "admin");
        assert_eq!(newt.jid.as_deref(), Some("newt@x/y"));
    }
}

#[test]
fn departures_without_reason_or_actor() {
    for (inside, why) in [
        ("", "left"),
        ("<item/>", "left"),
        ("<item role='none'/><status/>", "left"),
        (
            "<item role='none'><actor/></item><status code='307'/>",
            "kicked",
        ),
        (
            "<item role='none'><reason/></item><status code='301'/>",
            "banned",
        ),
        ("<item role='none'/><destroy/>", "destroyed"),
        ("<destroy/>", "destroyed"),
    ] {
        let mut scene = Scene::joined();
        scene.hear(&gone("thirdwitch", inside));
        scene.expect(&[&format!("1: out {why}"), "1: closed"]);
        let mut scene = Scene::joined();
        scene.hear(&gone("firstwitch", inside));
        scene.expect(&[&format!("1: left firstwitch {why}")]);
    }
    let mut scene = Scene::joined();
    scene.hear("<presence type='unavailable' from='$/thirdwitch'/>");
    scene.expect(&["1: out left", "1: closed"]);
}

#[test]
fn errors_without_an_id() {
    for error in [
        "<presence type='error' from='$/thirdwitch'/>",
        "<presence type='error' from='$'/>",
        "<presence type='error' from='$'><error/></presence>",
    ] {
        let mut scene = joining();
        scene.hear(error);
        scene.expect(&["c1 refused undefined-condition", "1: closed"]);
    }
}

#[test]
fn bounces_without_id_or_error() {
    let mut scene = Scene::joined();
    scene.hear("<message type='error' from='$'/>");
    scene.expect(&["1: bounced undefined-condition"]);
    scene.whisper("firstwitch", "psst");
    scene.take();
    scene.hear("<message type='error' from='$/firstwitch'/>");
    scene.expect(&["1: bounced undefined-condition firstwitch"]);
}

#[test]
fn own_messages_without_id() {
    let mut scene = Scene::joined();
    scene.say("hello");
    scene.hear(&said("thirdwitch", "hello", ""));
    scene.expect(&["say hello", "1: message thirdwitch: hello [own]"]);
}

#[test]
fn messages_without_a_type() {
    let mut scene = Scene::joined();
    scene.hear("<message from='$/firstwitch'><body>psst</body></message><message from='$/firstwitch'/><message from='$'/>");
    scene.expect(&[
        "1: private firstwitch: psst",
        "1: private firstwitch: (no body)",
    ]);
}

#[test]
fn presence_without_anything_is_an_occupant() {
    let mut scene = Scene::joined();
    scene.hear("<presence from='$/plain'/>");
    scene.expect(&["1: came plain"]);
    scene.hear(&presence("thirdwitch", SELF));
    scene.hear(&gone("plain", NOBODY));
    scene.expect(&["1: left plain left"]);
}
