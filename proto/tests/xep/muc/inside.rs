//! Entering, being in, leaving: as the specification has it.

use epode_proto::time::Millis;
use epode_proto::xep::muc::JoinOptions;
use epode_proto::xep::muc::occupant::{Affiliation, Role};
use epode_proto::xep::muc::request::{self, History};

use super::support::{MEMBER, NOBODY, ROOM, SELF, SUBJECT, Scene, gone, presence, said};
use crate::xep::{asked, example, examples};

#[test]
fn requests_are_as_in_the_examples() {
    let expected = |number| asked("0045", number).with_attr("id", "x");
    let sent = |scene: &Scene, number| {
        let stanza = scene.sent.last().expect("a stanza").with_attr("id", "x");
        assert_eq!(stanza, expected(number), "{number}");
    };
    for (number, password, history) in [
        (18, None, History::default()),
        (26, Some("cauldronburn"), History::default()),
        (
            35,
            None,
            History {
                maxchars: Some(65_000),
                ..History::default()
            },
        ),
        (
            36,
            None,
            History {
                maxstanzas: Some(20),
                ..History::default()
            },
        ),
        (
            37,
            None,
            History {
                seconds: Some(180),
                ..History::default()
            },
        ),
        (
            38,
            None,
            History {
                since: Some(0),
                ..History::default()
            },
        ),
        (
            39,
            None,
            History {
                maxchars: Some(0),
                ..History::default()
            },
        ),
    ] {
        let mut scene = Scene::new();
        let entry = JoinOptions {
            password: password.map(Into::into),
            history,
            timeout: Millis(1),
        };
        scene.join_with("thirdwitch", entry).expect("not in");
        sent(&scene, number);
    }
    let mut scene = Scene::joined();
    scene.say("Harpier cries: 'tis time, 'tis time.");
    sent(&scene, 44);
    scene.whisper("firstwitch", "I'll give thee a wind.");
    sent(&scene, 46);
    let (now, visit) = (scene.instant(), scene.visit());
    for (subject, number) in [("Fire Burn and Cauldron Bubble!", 84), ("", 88)] {
        scene.rooms.set_subject(now, visit, subject).expect("in");
        scene.drain();
        sent(&scene, number);
    }
    scene.nick("oldhag");
    sent(&scene, 49);
    scene.leave();
    // The example has no id; ours has one, which most rooms repeat.
    sent(&scene, 80);
    assert_eq!(request::instant_room(ROOM), asked("0045", 155));
}

#[test]
fn ids_cannot_be_guessed_from_earlier_ones() {
    let mut scene = Scene::joined();
    scene.say("a");
    scene.say("b");
    let (first, second) = (scene.id(1), scene.id(0));
    let same = first.chars().zip(second.chars()).filter(|(a, b)| a == b);
    assert!(same.count() < 8, "{first} {second}");
}

#[test]
fn entering_ends_with_the_subject() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    for stanza in examples("0045", 20) {
        scene.hear_element(&stanza);
    }
    scene.hear_element(&examples("0045", 21)[2]);
    scene.expect(&["join thirdwitch"]);
    for stanza in examples("0045", 33) {
        scene.hear_element(&stanza);
    }
    let lines = scene.take();
    assert_eq!(lines.len(), 3);
    assert!(lines[2].ends_with("[delayed 2002-10-13T23:58:49Z]"));
    assert!(!scene.is_joined());
    scene.hear_element(&example("0045", 40));
    scene.expect(&[
        "1: subject \"Fire Burn and Cauldron Bubble!\" by secondwitch",
        "c1 ok",
        "1: joined 110",
    ]);
    let visit = scene.rooms.visit(scene.visit()).expect("in");
    assert_eq!(visit.subject(), Some("Fire Burn and Cauldron Bubble!"));
    let second = visit.occupant("secondwitch").expect("an occupant");
    assert_eq!(
        (second.role, second.affiliation),
        (Role::Moderator, Affiliation::Admin)
    );
    assert_eq!(scene.nicks(), ["firstwitch", "secondwitch", "thirdwitch"]);
}

#[test]
fn the_nick_may_be_changed_on_entering() {
    let mut scene = Scene::new();
    scene.join("ThirdWitch");
    scene.hear_element(&example("0045", 32));
    assert_eq!(scene.own_nick(), "thirdwitch");
    scene.hear_element(&example("0045", 41));
    assert_eq!(
        scene.take().last().map(String::as_str),
        Some("1: joined 100 110 170 210")
    );
}

#[test]
fn every_refusal_is_an_error() {
    for (number, condition) in [
        (19, "jid-malformed"),
        (25, "not-authorized"),
        (27, "registration-required"),
        (28, "forbidden"),
        (29, "conflict"),
        (30, "service-unavailable"),
        (31, "item-not-found"),
        (152, "not-allowed"),
    ] {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        let id = scene.id(0);
        scene.hear_element(&example("0045", number).with_attr("id", &id));
        let refused = format!("c1 refused {condition}");
        scene.expect(&["join thirdwitch", &refused, "1: closed"]);
        assert!(!scene.rooms.is_from_room(ROOM));
    }
}

#[test]
fn a_new_room_is_configured_before_the_join_is_complete() {
    let enter = || {
        let mut scene = Scene::new();
        scene.join("firstwitch");
        scene.hear_element(&example("0045", 154));
        scene.expect(&["join firstwitch", "configure set"]);
        scene
    };
    let mut scene = enter();
    scene.hear(SUBJECT);
    scene.reply_ok();
    scene.expect(&["1: subject \"\"", "c1 ok", "1: joined 110 201"]);
    // The other way round.
    let mut scene = enter();
    scene.reply_ok();
    scene.expect(&[]);
    scene.hear(SUBJECT);
    scene.expect(&["1: subject \"\"", "c1 ok", "1: joined 110 201"]);
    // Refused: the locked room is left.
    let mut scene = enter();
    scene.reply_error("not-acceptable");
    scene.expect(&["leave firstwitch", "c1 refused not-acceptable", "1: closed"]);
}

#[test]
fn a_room_without_a_subject_is_joined() {
    let enter = || {
        let mut scene = Scene::new();
        scene.join("thirdwitch");
        scene.hear(&presence("thirdwitch", SELF));
        scene.take();
        scene
    };
    let mut scene = enter();
    // What the room says of itself, and what was said earlier, is no sign; what is said now is.
    scene.hear("<message type='groupchat' from='$'><body>Welcome</body></message>");
    scene.hear(&said(
        "firstwitch",
        "a",
        "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/>",
    ));
    assert!(!scene.is_joined());
    scene.take();
    scene.hear(&said("firstwitch", "b", ""));
    scene.expect(&["c1 ok", "1: joined 110", "1: message firstwitch: b"]);
    // Nothing comes.
    let mut scene = enter();
    scene.wait(5_000);
    scene.expect(&["c1 ok", "1: joined 110", "ping thirdwitch"]);
}

#[test]
fn an_occupant_with_the_requested_nick_may_leave_during_the_join() {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&presence("thirdwitch", MEMBER));
    scene.hear(&gone("thirdwitch", NOBODY));
    scene.expect(&["join thirdwitch"]);
    assert!(scene.nicks().is_empty());
    // Thrown out before we were in: the join has failed.
    scene.hear(&gone(
        "thirdwitch",
        "<item role='none'/><status code='110'/><status code='307'/>",
    ));
    scene.expect(&["c1 sent away kicked", "1: closed"]);
}

#[test]
fn occupants_join_change_and_leave() {
    let mut scene = Scene::joined();
    scene.hear(&presence("newt", MEMBER));
    scene.hear(&presence("newt", MEMBER));
    scene.expect(&["1: came newt"]);
    scene.hear("<presence from='$/newt'><show>xa</show><status>gone where the goblins go</status>
        <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='admin' role='moderator' jid='newt@x/y'/></x></presence>");
    scene.expect(&["1: changed newt"]);
    let visit = scene.rooms.visit(scene.visit()).expect("in");
    let newt = visit.occupant("newt").expect("there");
    assert_eq!(newt.show.as_deref(), Some("xa"));
    assert_eq!(newt.status.as_deref(), Some("gone where the goblins go"));
    assert_eq!(newt.jid.as_deref(), Some("newt@x/y"));
    scene.hear(&gone("newt", "<item role='none'><actor nick='Fluellen'/><reason>Avaunt!</reason></item><status code='307'/>"));
    scene.expect(&["1: left newt kicked"]);
    // Who is not there cannot go, and the room's own presence (its picture) is nobody's.
    scene.hear(&gone("newt", NOBODY));
    scene.hear("<presence from='$'><x xmlns='vcard-temp:x:update'/></presence>");
    scene.expect(&[]);
    assert_eq!(scene.nicks(), ["firstwitch", "thirdwitch"]);
}

#[test]
fn b11_own_messages_are_recognised_by_id_or_by_order_and_body() {
    let mut scene = Scene::joined();
    scene.say("a");
    let id = scene.id(0);
    scene.say("b");
    scene.say("a");
    scene.take();
    scene.hear(&said("thirdwitch", "a", &format!(" id='{id}'")));
    scene.hear(&said("thirdwitch", "b", ""));
    scene.hear(&said("thirdwitch", "a", " id='of-the-room'"));
    scene.expect(&[
        "1: message thirdwitch: a [own]",
        "1: message thirdwitch: b [own]",
        "1: message thirdwitch: a [own]",
    ]);
    // Another client of ours under the same nick; once is once.
    scene.hear(&said("thirdwitch", "a", ""));
    scene.hear(&said("thirdwitch", "c", " id='other'"));
    scene.expect(&["1: message thirdwitch: a", "1: message thirdwitch: c"]);
    // History is not matched by its text.
    scene.say("d");
    scene.take();
    scene.hear(&said(
        "thirdwitch",
        "d",
        "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/>",
    ));
    scene.expect(&["1: message thirdwitch: d [delayed 2002-10-13T23:58:37Z]"]);
    // A bounced one does not come back.
    let id = scene.id(0);
    scene.hear(&format!("<message type='error' from='$' id='{id}'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"));
    scene.hear(&said("thirdwitch", "d", ""));
    scene.expect(&["1: bounced forbidden", "1: message thirdwitch: d"]);
}

#[test]
fn a_subject_with_a_body_or_a_thread_is_a_message() {
    let mut scene = Scene::joined();
    scene.hear("<message type='groupchat' from='$/firstwitch'><subject>s</subject><body>b</body></message>");
    scene.hear("<message type='groupchat' from='$/firstwitch'><subject>s</subject><thread>t</thread></message>");
    scene.expect(&[
        "1: message firstwitch: b",
        "1: message firstwitch: (no body)",
    ]);
    scene.hear_element(&example("0045", 85));
    assert_eq!(scene.take().len(), 1);
    let visit = scene.rooms.visit(scene.visit()).expect("in");
    assert_eq!(visit.subject(), Some("Fire Burn and Cauldron Bubble!"));
}

#[test]
fn a_message_without_a_body_is_reported() {
    let mut scene = Scene::joined();
    scene.hear("<message type='groupchat' from='$/firstwitch'><json xmlns='urn:xmpp:json:0'>{}</json></message>");
    scene.expect(&["1: message firstwitch: (no body)"]);
}

#[test]
fn private_messages_and_their_errors_are_distinguished() {
    let mut scene = Scene::joined();
    scene.hear_element(&example("0045", 47));
    scene.expect(&["1: private secondwitch: I'll give thee a wind."]);
    scene.whisper("firstwitch", "psst");
    scene.take();
    let id = scene.id(0);
    scene.hear_element(&examples("0045", 48)[1].with_attr("id", &id));
    scene.expect(&["1: bounced bad-request firstwitch"]);
    // A refused subject is not the subject.
    scene.hear_element(&example("0045", 87));
    let lines = scene.take();
    assert!(lines[0].starts_with("1: bounced"), "{lines:?}");
}

#[test]
fn changes_of_configuration_are_reported() {
    let mut scene = Scene::joined();
    scene.hear_element(&example("0045", 171));
    scene.hear("<message from='$'><x xmlns='http://jabber.org/protocol/muc#user'/></message>");
    scene.expect(&["1: configured 170"]);
}

#[test]
fn leaving_is_confirmed() {
    let mut scene = Scene::joined();
    scene.leave();
    // What is said until then is heard.
    scene.hear(&said("firstwitch", "bye", ""));
    scene.expect(&["leave thirdwitch", "1: message firstwitch: bye"]);
    // Twice is once.
    scene.leave();
    scene.hear_element(&example("0045", 81));
    scene.expect(&["c2 ok", "c3 ok", "1: closed"]);
    scene.hear_element(&example("0045", 81));
    scene.hear(&presence("firstwitch", MEMBER));
    scene.hear(SUBJECT);
    scene.expect(&[]);
    // A room that does not know us is left too.
    let mut scene = Scene::joined();
    scene.leave();
    scene.hear("<presence type='error' from='$/thirdwitch'/>");
    scene.expect(&["leave thirdwitch", "c2 ok", "1: closed"]);
}

#[test]
fn a_removal_is_reported_with_its_reason() {
    for (codes, why) in [
        ("<status code='110'/>", "left"),
        ("<status code='110'/><status code='307'/>", "kicked"),
        ("<status code='301'/>", "banned"),
        ("<status code='301'/><status code='307'/>", "banned"),
        ("<status code='321'/>", "affiliationlost"),
        ("<status code='322'/>", "membersonly"),
        ("<status code='110'/><status code='332'/>", "shutdown"),
        ("<status code='110'/><status code='333'/>", "technical"),
        ("<status code='x'/>", "left"),
        ("<destroy jid='other@chat'/>", "destroyed"),
    ] {
        let mut scene = Scene::joined();
        scene.hear(&gone("thirdwitch", &format!("{NOBODY}{codes}")));
        scene.expect(&[&format!("1: out {why}"), "1: closed"]);
    }
    // Examples 113, 202, 43: not all have status 110.
    for (stanza, why) in [
        (example("0045", 113), "banned"),
        (examples("0045", 202)[2].clone(), "destroyed"),
        (example("0045", 43), "technical"),
    ] {
        let mut scene = Scene::joined();
        scene.hear_element(&stanza.with_attr("from", &format!("{ROOM}/thirdwitch")));
        scene.expect(&[&format!("1: out {why}"), "1: closed"]);
    }
}

#[test]
fn the_list_of_occupants_has_a_limit() {
    let mut scene = Scene::joined();
    let mut told = Vec::new();
    for number in 0..20_010 {
        let stanza = presence(&format!("n{number:05}"), MEMBER);
        scene.hear(&stanza);
        told.append(&mut scene.take());
    }
    assert_eq!(scene.nicks().len(), 20_000);
    assert_eq!(told.iter().filter(|line| *line == "1: crowded").count(), 1);
}
