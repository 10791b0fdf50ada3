//! Changing the nick: ours and others', with and without what the specification asks for (B13).

use epode_proto::time::Millis;
use epode_proto::xep::muc::RoomRefusal;

use super::support::{MEMBER, ROOM, SELF, SUBJECT, Scene, error, gone, jid, presence};
use crate::xep::{example, examples};

#[test]
fn a_change_of_nick_is_not_a_leave() {
    // Example 50: another's, as the others see it.
    let mut scene = Scene::new();
    scene.join("firstwitch");
    scene.hear(&presence("thirdwitch", MEMBER));
    // That account is ours in other tests.
    scene.rooms.handle_resumed(
        scene.instant(),
        &jid("crone1@shakespeare.lit/desktop"),
        true,
    );
    scene.hear(&presence("firstwitch", SELF));
    scene.hear(SUBJECT);
    scene.take();
    scene.hear_element(&examples("0045", 50)[0]);
    scene.expect(&["1: nick thirdwitch -> oldhag"]);
    assert_eq!(scene.nicks(), ["firstwitch", "oldhag"]);
    assert_eq!(scene.own_nick(), "firstwitch");
    // The new presence brings the real JID, which the room had not told before.
    scene.hear_element(&examples("0045", 50)[3]);
    scene.expect(&["1: changed oldhag"]);

    // Our own.
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.hear_element(&examples("0045", 50)[2]);
    scene.expect(&["nick oldhag", "c2 ok", "1: nick thirdwitch -> oldhag [own]"]);
    scene.hear_element(&examples("0045", 50)[5]);
    scene.take();
    assert_eq!(scene.nicks(), ["firstwitch", "oldhag"]);
    assert_eq!(scene.own_nick(), "oldhag");
    // Messages of ours are known under the new nick.
    scene.say("hello");
    let id = scene.id(0);
    scene.hear(&format!(
        "<message type='groupchat' from='$/oldhag' id='{id}'><body>hello</body></message>"
    ));
    scene.expect(&["say hello", "1: message oldhag: hello [own]"]);
}

#[test]
fn the_room_may_change_the_changed_nick() {
    let mut scene = Scene::joined();
    scene.nick("OldHag");
    scene.hear_element(&examples("0045", 51)[1]);
    scene.expect(&[
        "nick OldHag",
        "c2 ok",
        "1: nick thirdwitch -> oldhag [own]",
        "1: changed oldhag",
    ]);
    assert_eq!(scene.nicks(), ["firstwitch", "oldhag"]);
}

#[test]
fn the_room_may_change_our_nick_by_itself() {
    let mut scene = Scene::joined();
    scene.hear(&presence("guest17", SELF));
    scene.expect(&["1: nick thirdwitch -> guest17 [own]"]);
    assert_eq!(scene.own_nick(), "guest17");
    assert_eq!(scene.nicks(), ["firstwitch", "guest17"]);
}

#[test]
fn b13_a_nick_change_without_303_and_110_is_recognised_by_our_full_jid() {
    let item = "<item role='participant' affiliation='member' jid='hag66@shakespeare.lit/pda'/>";
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.hear(&presence("oldhag", item));
    scene.expect(&[
        "nick oldhag",
        "c2 ok",
        "1: nick thirdwitch -> oldhag [own]",
        "1: changed oldhag",
    ]);
    assert_eq!(scene.nicks(), ["firstwitch", "oldhag"]);
    // What is left of the old one may follow.
    scene.hear(&gone("thirdwitch", "<item role='none'/>"));
    scene.expect(&[]);
    assert!(scene.is_joined());

    // Before it, without a word why it is gone.
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.take();
    scene.hear(&gone("thirdwitch", "<item role='none'/>"));
    scene.expect(&[]);
    scene.hear(&presence("oldhag", item));
    scene.expect(&[
        "c2 ok",
        "1: nick thirdwitch -> oldhag [own]",
        "1: changed oldhag",
    ]);
    scene.wait(60_000);
    assert!(scene.is_joined());
}

#[test]
fn a_nick_change_without_303_110_and_jid_is_recognised_by_its_id() {
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.take();
    let id = scene.id(0);
    scene.hear(&presence("oldhag", MEMBER).replace(" from", &format!(" id='{id}' from")));
    scene.expect(&["c2 ok", "1: nick thirdwitch -> oldhag [own]"]);
}

#[test]
fn a_change_of_nick_in_two_unrelated_presences() {
    let plain = gone("thirdwitch", "<item role='none'/>");
    for presences in [
        [plain.clone(), presence("oldhag", MEMBER)],
        [presence("oldhag", MEMBER), plain.clone()],
        [
            gone(
                "thirdwitch",
                "<status code='303'/><item role='participant'/>",
            ),
            presence("oldhag", MEMBER),
        ],
    ] {
        let mut scene = Scene::joined();
        scene.nick("oldhag");
        scene.hear(&presences.concat());
        let lines = scene.take();
        assert!(lines.contains(&"c2 ok".to_owned()), "{lines:?}");
        assert!(
            lines.contains(&"1: nick thirdwitch -> oldhag [own]".to_owned()),
            "{lines:?}"
        );
        scene.wait(10_000);
        assert!(scene.is_joined());
        assert_eq!(scene.own_nick(), "oldhag");
        assert_eq!(scene.nicks(), ["firstwitch", "oldhag"]);
    }
    // The new one does not come: we are out.
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.hear(&plain);
    scene.wait(10_000);
    scene.expect(&["nick oldhag", "c2 left", "1: out left", "1: closed"]);
    // A kick is none of it.
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.hear(&gone(
        "thirdwitch",
        "<item role='none'/><status code='307'/>",
    ));
    scene.expect(&["nick oldhag", "c2 left", "1: out kicked", "1: closed"]);
}

#[test]
fn a_change_of_nick_without_303() {
    let mut scene = Scene::joined();
    scene.hear(&gone(
        "firstwitch",
        "<item nick='oldhag' role='participant'/>",
    ));
    scene.expect(&["1: nick firstwitch -> oldhag"]);
    let mut scene = Scene::joined();
    scene.nick("oldhag");
    scene.hear(&gone(
        "thirdwitch",
        "<item nick='oldhag' role='participant'/>",
    ));
    scene.expect(&["nick oldhag", "c2 ok", "1: nick thirdwitch -> oldhag [own]"]);
}

#[test]
fn a_request_for_the_current_nick_is_settled() {
    // The room turns another into the same.
    let mut scene = Scene::joined();
    scene.nick("ThirdWitch");
    let id = scene.id(0);
    scene.take();
    let own = |id: &str, role: &str| {
        format!(
            "<presence from='$/thirdwitch' id='{id}'><x xmlns='http://jabber.org/protocol/muc#user'>
             <item role='{role}' affiliation='member'/><status code='110'/></x></presence>"
        )
    };
    // Our presence for another reason is no answer.
    scene.hear(&own("any", "visitor"));
    scene.expect(&["1: changed thirdwitch"]);
    scene.hear(&own(&id, "visitor"));
    scene.expect(&["c2 ok", "1: nick thirdwitch -> thirdwitch [own]"]);
    scene.hear(&own(&id, "visitor"));
    scene.expect(&[]);
    // The very same needs no answer.
    let (now, visit) = (scene.instant(), scene.visit());
    let same = scene.rooms.set_nick(now, visit, "thirdwitch", Millis(1));
    assert_eq!(same, Ok(None));
}

#[test]
fn a_refused_nick_does_not_end_the_visit() {
    for (number, condition) in [(52, "conflict"), (53, "not-acceptable")] {
        let mut scene = Scene::joined();
        scene.nick("oldhag");
        scene.take();
        let id = scene.id(0);
        let refusal = example("0045", number).with_attr("id", &id);
        scene.hear_element(&refusal);
        scene.expect(&[&format!("c2 refused {condition}")]);
        assert_eq!(scene.own_nick(), "thirdwitch");
        assert!(scene.is_joined());
        // Once only: what follows refuses something else.
        scene.hear_element(&refusal);
        scene.expect(&[&format!("1: bounced {condition}")]);
    }
    // Without an id, from the room, from our own address, or from the one that is nobody's.
    for from in ["$", "$/thirdwitch", "$/oldhag"] {
        let mut scene = Scene::joined();
        scene.nick("oldhag");
        scene.hear(&error(from, "", "conflict"));
        scene.expect(&["nick oldhag", "c2 refused conflict"]);
    }
}

#[test]
fn an_invalid_nick_is_refused() {
    let mut scene = Scene::joined();
    let (now, visit) = (scene.instant(), scene.visit());
    for nick in ["", "a\u{7}b", "n".repeat(1024).as_str()] {
        let asked = scene.rooms.set_nick(now, visit, nick, Millis(1));
        assert!(matches!(asked, Err(RoomRefusal::BadNick(_))));
        let mut scene = Scene::new();
        let joined = scene.join_with(nick, Scene::entry());
        assert!(matches!(joined, Err(RoomRefusal::BadNick(_))));
    }
    // It goes out as the resourcepart that it is.
    let mut scene = Scene::new();
    scene.join("A\u{30a}ngstrom");
    assert_eq!(scene.own_nick(), "\u{c5}ngstrom");
    assert_eq!(
        scene.sent[0].attr("to"),
        Some([ROOM, "/\u{c5}ngstrom"].concat().as_str())
    );
}
