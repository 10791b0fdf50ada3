//! A4 and B12: when something was said, and who may say so.

use epode_proto::xep::delay::{Delay, parse_stamp, write_date_time};

use super::support::{MEMBER, SELF, SUBJECT, Scene, presence, said};
use crate::xep::xml;

/// On the way in, with history to come.
fn entering() -> Scene {
    let mut scene = Scene::new();
    scene.join("thirdwitch");
    scene.hear(&presence("firstwitch", MEMBER));
    scene.hear(&presence(
        "secondwitch",
        "<item role='participant' jid='wiccarocks@shakespeare.lit/laptop'/>",
    ));
    scene.hear(&presence("thirdwitch", SELF));
    scene.take();
    scene
}

fn line(scene: &mut Scene, nick: &str, stamp: &str) -> String {
    scene.hear(&said(nick, "b", stamp));
    scene.take().last().expect("a message").clone()
}

const STAMPED: &str = "1: message secondwitch: b [delayed 2002-10-13T23:58:37Z]";

#[test]
fn a4_only_the_rooms_own_stamp_counts() {
    for stamp in [
        "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='mallory@evil'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='$/secondwitch'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='chat.shakespeare.lit'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='coven@evil.example'/>",
        "<x xmlns='jabber:x:delay' stamp='20010101T00:00:00' from='mallory@evil'/>",
        "<x xmlns='jabber:x:delay' stamp='20010101T00:00:00'/>",
        // Our own server held it back: it is no history of the room.
        "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='shakespeare.lit'>Resent</delay>",
    ] {
        let mut scene = Scene::joined();
        assert_eq!(
            line(&mut scene, "secondwitch", stamp),
            "1: message secondwitch: b",
            "{stamp}"
        );
        // Beside it, the room's counts, wherever it stands.
        let room = "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/>";
        for both in [format!("{stamp}{room}"), format!("{room}{stamp}")] {
            assert_eq!(line(&mut scene, "secondwitch", &both), STAMPED, "{both}");
        }
    }
    // The room may write its name in another form.
    let stamp = "<delay xmlns='urn:xmpp:delay' from='Coven@Chat.Shakespeare.LIT' stamp='2002-10-13T23:58:37Z'/>";
    assert_eq!(line(&mut Scene::joined(), "secondwitch", stamp), STAMPED);
}

#[test]
fn a4_while_joining_the_stamp_of_another_user_is_ignored() {
    let mut scene = entering();
    let stamp = "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='mallory@evil'/>";
    assert_eq!(
        line(&mut scene, "firstwitch", stamp),
        "1: message firstwitch: b"
    );
}

#[test]
fn a4_private_messages_and_subjects_are_stamped_by_the_room() {
    let mut scene = Scene::joined();
    for (from, line) in [
        ("mallory@evil", "1: private firstwitch: b"),
        ("$/firstwitch", "1: private firstwitch: b"),
        (
            "$",
            "1: private firstwitch: b [delayed 2001-01-01T00:00:00Z]",
        ),
    ] {
        scene.hear(&format!(
            "<message type='chat' from='$/firstwitch'><body>b</body><delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='{from}'/></message>"
        ));
        scene.expect(&[line]);
    }
}

#[test]
fn b12_history_may_have_stamps_of_xep_0091() {
    for stamp in [
        "<x xmlns='jabber:x:delay' stamp='20021013T23:58:37'/>",
        "<x xmlns='jabber:x:delay' from='$' stamp='20021013T23:58:37'>Old</x>",
        "<x xmlns='jabber:x:delay' from='$' stamp='2002-10-13T23:58:37Z'/>",
        "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2002-10-13T23:58:37'/>",
        "<delay xmlns='urn:xmpp:delay' from='chat.shakespeare.lit' stamp='2002-10-14T01:58:37+0200'/>",
        "<delay xmlns='urn:xmpp:delay' from='$/secondwitch' stamp='2002-10-13T23:58:37Z'/>",
        // Before version 1.25 rooms stamped history with the sender's real JID, where they show it.
        "<delay xmlns='urn:xmpp:delay' from='wiccarocks@shakespeare.lit/laptop' stamp='2002-10-13T23:58:37Z'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='nonsense' from='$'/><x xmlns='jabber:x:delay' from='$' stamp='20021013T23:58:37'/>",
    ] {
        let mut scene = entering();
        assert_eq!(line(&mut scene, "secondwitch", stamp), STAMPED, "{stamp}");
        assert!(!scene.is_joined(), "{stamp}: history goes on");
        scene.hear(SUBJECT);
        assert!(scene.is_joined());
    }
    // With the room's name the old way counts later, too.
    for stamp in [
        "<x xmlns='jabber:x:delay' from='$' stamp='20021013T23:58:37'/>",
        "<delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37'/>",
    ] {
        assert_eq!(line(&mut Scene::joined(), "secondwitch", stamp), STAMPED);
    }
}

#[test]
fn a_stamp_without_a_time_marks_history_of_unknown_time() {
    for stamp in [
        "<delay xmlns='urn:xmpp:delay' from='$'/>",
        "<delay xmlns='urn:xmpp:delay' from='$' stamp='yesterday'/>",
        "<delay xmlns='urn:xmpp:delay'/>",
        "<x xmlns='jabber:x:delay'/>",
    ] {
        let mut scene = entering();
        let told = line(&mut scene, "secondwitch", stamp);
        assert_eq!(told, "1: message secondwitch: b [delayed]", "{stamp}");
        assert!(!scene.is_joined());
    }
}

#[test]
fn stamps_are_read_in_all_forms() {
    for text in [
        "2002-09-10T23:08:25Z",
        "2002-09-10T23:08:25",
        "2002-09-10t23:08:25z",
        "2002-09-10 23:08:25",
        "20020910T23:08:25",
        "20020910T23:08:25Z",
        "2002-09-11T04:38:25+05:30",
        "2002-09-11T04:38:25+0530",
        "2002-09-10T18:08:25-05",
        " 2002-09-10T23:08:25.0 ",
    ] {
        assert_eq!(parse_stamp(text), Some(1_031_699_305_000), "{text}");
    }
    for text in [
        "",
        "T",
        "2002-09-10",
        "20020910",
        "23:08:25",
        "2002-9-10T23:08:25",
        "20021310T23:08:25",
        "2002091T23:08:25",
        "2002-09-10T23:08:25+5",
        "２００２0910T23:08:25",
    ] {
        assert_eq!(parse_stamp(text), None, "{text}");
    }
}

#[test]
fn a_delay_is_read_in_both_formats() {
    let both = xml(
        "<message><x xmlns='jabber:x:delay' stamp='20010101T00:00:00'/><delay xmlns='urn:xmpp:delay' stamp='2002-01-01T00:00:00Z'/></message>",
    );
    let stamp = |message, by| Delay::of(message, by).map(|delay| write_date_time(delay.stamp));
    assert_eq!(stamp(&both, "x").as_deref(), Some("2002-01-01T00:00:00Z"));
    let old = xml(
        "<message><x xmlns='jabber:x:delay' from='a' stamp='20010101T00:00:00'>why</x><x xmlns='jabber:x:data'/></message>",
    );
    assert_eq!(stamp(&old, "a").as_deref(), Some("2001-01-01T00:00:00Z"));
}
