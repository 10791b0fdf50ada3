//! Being in a room: people, nicks, messages, the subject.

use epode_proto::xep::delay::write_date_time;
use epode_proto::xep::muc::RoomEvent;
use epode_proto::xep::muc::occupant::{Departure, Why};
use epode_proto::xep::muc::room::{Phase, RoomState};
use epode_proto::xml::Element;

use super::{MEMBER, NOBODY, ROOM, SUBJECT, gone, joined, joining, nicks, presence, room, take};
use crate::support::unicode::NativeUnicode;
use crate::xep::{all, example, examples};

#[test]
fn occupants_come_change_and_go() {
    let mut room = joined();
    let events = take(&mut room, &presence("newt", MEMBER));
    let [RoomEvent::OccupantJoined(newt)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(newt.nick, "newt");
    assert_eq!(nicks(&room), ["firstwitch", "newt", "thirdwitch"]);
    // The same again says nothing; a change does.
    assert_eq!(take(&mut room, &presence("newt", MEMBER)), []);
    let away = "<presence from='$/newt'><show>xa</show><status>gone where the goblins go</status>
        <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='admin' role='moderator' jid='newt@x/y'/></x></presence>";
    let events = take(&mut room, away);
    let [RoomEvent::OccupantChanged(newt)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(newt.show.as_deref(), Some("xa"));
    assert_eq!(newt.status.as_deref(), Some("gone where the goblins go"));
    assert_eq!(newt.jid.as_deref(), Some("newt@x/y"));
    assert_eq!(newt.affiliation.as_str(), "admin");
    assert_eq!(newt.role.as_str(), "moderator");
    let kick = "<item affiliation='none' role='none'><actor nick='Fluellen'/><reason>Avaunt!</reason></item><status code='307'/>";
    let events = take(&mut room, &gone("newt", kick));
    let [
        RoomEvent::OccupantLeft {
            occupant,
            departure,
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(occupant.jid.as_deref(), Some("newt@x/y"));
    assert_eq!(
        departure,
        &Departure {
            why: Why::Kicked,
            actor: Some("Fluellen".into()),
            reason: Some("Avaunt!".into()),
            alternative: None,
            codes: vec![307],
        }
    );
    assert_eq!(nicks(&room), ["firstwitch", "thirdwitch"]);
    // Who is not there cannot go, and the room's own presence (its picture) is nobody's.
    assert_eq!(take(&mut room, &gone("newt", NOBODY)), []);
    assert_eq!(
        take(
            &mut room,
            "<presence from='$'><x xmlns='vcard-temp:x:update'/></presence>"
        ),
        []
    );
    assert_eq!(nicks(&room).len(), 2);
}

#[test]
fn a_change_of_nick_is_not_a_leave() {
    // Example 50: another's, as the others see it.
    let mut room = joining("firstwitch");
    let [gone, back] = [0, 3].map(|at| examples("0045", 50).remove(at));
    take(&mut room, &presence("thirdwitch", MEMBER));
    take(
        &mut room,
        &presence("firstwitch", &format!("{MEMBER}<status code='110'/>")),
    );
    take(&mut room, SUBJECT);
    assert_eq!(
        room.handle(&gone),
        [RoomEvent::NickChanged {
            from: "thirdwitch".into(),
            to: "oldhag".into(),
            own: false,
        }]
    );
    assert_eq!(nicks(&room), ["firstwitch", "oldhag"]);
    assert_eq!(room.nick(), "firstwitch");
    // The new presence brings the real JID, which the room had not told before.
    let events = room.handle(&back);
    assert!(
        matches!(events.as_slice(), [RoomEvent::OccupantChanged(_)]),
        "{events:?}"
    );

    // Our own.
    let mut room = joined();
    let change = room.change_nick("ifd1c35", "oldhag", &NativeUnicode);
    assert!(change.is_ok());
    let [gone, back] = [2, 5].map(|at| examples("0045", 50).remove(at));
    assert_eq!(
        room.handle(&gone),
        [RoomEvent::NickChanged {
            from: "thirdwitch".into(),
            to: "oldhag".into(),
            own: true,
        }]
    );
    assert_eq!(room.nick(), "oldhag");
    room.handle(&back);
    assert_eq!(nicks(&room), ["firstwitch", "oldhag"]);
    assert_eq!(room.phase(), &Phase::Joined);
    // Messages of ours are known under the new nick.
    room.message("m1", "hello");
    let events = take(
        &mut room,
        "<message type='groupchat' from='$/oldhag' id='m1'><body>hello</body></message>",
    );
    assert!(
        matches!(events.as_slice(), [RoomEvent::Message(message)] if message.own),
        "{events:?}"
    );
}

#[test]
fn the_room_may_change_the_changed_nick() {
    let mut room = joined();
    let _ = room.change_nick("nx6z2v5", "OldHag", &NativeUnicode);
    let events = room.handle(&examples("0045", 51).remove(1));
    let [
        RoomEvent::NickChanged {
            from,
            to,
            own: true,
        },
        RoomEvent::OccupantChanged(_),
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        (from.as_str(), to.as_str(), room.nick()),
        ("thirdwitch", "oldhag", "oldhag")
    );
    assert_eq!(nicks(&room), ["firstwitch", "oldhag"]);
}

#[test]
fn asking_for_the_nick_that_we_have_is_answered() {
    let own = |id: &str, role: &str| {
        format!(
            "<presence from='$/thirdwitch' id='{id}'><x xmlns='http://jabber.org/protocol/muc#user'>
             <item role='{role}' affiliation='member'/><status code='110'/></x></presence>"
        )
    };
    let same = RoomEvent::NickChanged {
        from: "thirdwitch".into(),
        to: "thirdwitch".into(),
        own: true,
    };
    // The same nick; and another that the room turns into the same.
    for (wanted, id) in [("thirdwitch", "any"), ("ThirdWitch", "n1")] {
        let mut room = joined();
        let _ = room.change_nick("n1", wanted, &NativeUnicode);
        assert_eq!(
            take(&mut room, &own(id, "participant")),
            std::slice::from_ref(&same)
        );
        assert_eq!(take(&mut room, &own(id, "participant")), []);
    }
    // Our presence for another reason is no answer.
    let mut room = joined();
    let _ = room.change_nick("ifd1c35", "oldhag", &NativeUnicode);
    let events = take(&mut room, &own("any", "visitor"));
    assert!(
        matches!(events.as_slice(), [RoomEvent::OccupantChanged(_)]),
        "{events:?}"
    );
    let events = room.handle(&example("0045", 52));
    assert!(
        matches!(events.as_slice(), [RoomEvent::NickRefused(_)]),
        "{events:?}"
    );
}

#[test]
fn a_refused_nick_leaves_us_in() {
    for (number, condition) in [(52, "conflict"), (53, "not-acceptable")] {
        let mut room = joined();
        let _ = room.change_nick("ifd1c35", "oldhag", &NativeUnicode);
        let events = room.handle(&example("0045", number));
        let [RoomEvent::NickRefused(error)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(error.condition, condition);
        assert_eq!(room.nick(), "thirdwitch");
        assert_eq!(room.phase(), &Phase::Joined);
        // Once only: what follows refuses something else.
        let events = room.handle(&example("0045", number));
        assert!(
            matches!(events.as_slice(), [RoomEvent::Bounced { .. }]),
            "{events:?}"
        );
    }
}

#[test]
fn own_messages_are_known_by_id_and_nick() {
    let mut room = joined();
    let message = |nick: &str, id: &str| {
        format!("<message type='groupchat' from='$/{nick}' id='{id}'><body>b</body></message>")
    };
    let own = |room: &mut RoomState, text: &str| match take(room, text).as_slice() {
        [RoomEvent::Message(message)] => message.own,
        other => panic!("{other:?}"),
    };
    room.message("hysf1v37", "Harpier cries: 'tis time, 'tis time.");
    let reflected = examples("0045", 45).remove(2);
    assert!(
        matches!(room.handle(&reflected).as_slice(), [RoomEvent::Message(message)] if message.own)
    );
    // Another client of ours under the same nick; someone who repeats our id.
    assert!(!own(&mut room, &message("thirdwitch", "other")));
    assert!(!own(
        &mut room,
        &message("thirdwitch", "").replace("id=''", "")
    ));
    assert!(!own(&mut room, &message("firstwitch", "hysf1v37")));
    // The memory is bounded.
    for n in 0..1024 {
        room.sent(&format!("id{n}"));
    }
    assert!(own(&mut room, &message("thirdwitch", "id0")));
    assert!(!own(&mut room, &message("thirdwitch", "hysf1v37")));
}

#[test]
fn a_subject_with_a_body_is_a_message() {
    let mut room = joined();
    let events = take(
        &mut room,
        "<message type='groupchat' from='$/firstwitch'><subject>s</subject><body>b</body></message>",
    );
    assert!(
        matches!(events.as_slice(), [RoomEvent::Message(message)] if message.body.as_deref() == Some("b")),
        "{events:?}"
    );
    let events = take(
        &mut room,
        "<message type='groupchat' from='$/firstwitch'><subject>s</subject><thread>t</thread></message>",
    );
    assert!(
        matches!(events.as_slice(), [RoomEvent::Message(message)] if message.body.is_none()),
        "{events:?}"
    );
    assert_eq!(room.subject(), Some(""));
    let events = room.handle(&example("0045", 85));
    assert!(
        matches!(events.as_slice(), [RoomEvent::Subject { time: None, .. }]),
        "{events:?}"
    );
    assert_eq!(room.subject(), Some("Fire Burn and Cauldron Bubble!"));
}

#[test]
fn what_is_no_text_is_a_message_too() {
    let mut room = joined();
    let events = take(
        &mut room,
        "<message type='groupchat' from='$/firstwitch'><json xmlns='urn:xmpp:json:0'>{}</json></message>",
    );
    let [RoomEvent::Message(message)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(message.body, None);
    assert!(message.stanza.has_child("json", "urn:xmpp:json:0"));
}

#[test]
fn history_is_stamped_by_the_room() {
    let mut room = joined();
    let events = take(
        &mut room,
        "<message type='groupchat' from='$/firstwitch'><body>b</body>
        <delay xmlns='urn:xmpp:delay' from='firstwitch@example.org' stamp='1999-01-01T00:00:00Z'/>
        <delay xmlns='urn:xmpp:delay' from='$' stamp='2002-10-13T23:58:37Z'/></message>",
    );
    let [RoomEvent::Message(message)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(
        message.time.map(write_date_time).as_deref(),
        Some("2002-10-13T23:58:37Z")
    );
}

#[test]
fn private_messages_are_told_apart() {
    let mut room = joined();
    let events = room.handle(&example("0045", 47));
    let [RoomEvent::Private(message)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(message.nick.as_deref(), Some("secondwitch"));
    assert_eq!(message.body.as_deref(), Some("I'll give thee a wind."));
    assert!(!message.own);
}

#[test]
fn what_bounces_is_told_with_its_id() {
    let mut room = joined();
    let events = room.handle(&examples("0045", 48).remove(1));
    let [RoomEvent::Bounced { id, nick, error }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(
        (id.as_deref(), nick.as_deref()),
        (Some("bx71f29k"), Some("firstwitch"))
    );
    assert_eq!(error.condition, "bad-request");
    // A refused subject is not the subject.
    let events = room.handle(&example("0045", 87));
    assert!(
        matches!(events.as_slice(), [RoomEvent::Bounced { .. }]),
        "{events:?}"
    );
    assert_eq!(room.subject(), Some(""));
}

#[test]
fn changes_of_configuration_are_told() {
    let mut room = joined();
    assert_eq!(
        room.handle(&example("0045", 171)),
        [RoomEvent::Configured { codes: vec![170] }]
    );
    assert_eq!(
        take(
            &mut room,
            "<message from='$'><x xmlns='http://jabber.org/protocol/muc#user'/></message>"
        ),
        []
    );
}

#[test]
fn a_room_knows_its_own() {
    let room = room("thirdwitch");
    for from in [
        ROOM,
        "coven@chat.shakespeare.lit/a/b",
        "Coven@Chat.Shakespeare.LIT/x",
    ] {
        assert!(room.is_from(from, &NativeUnicode), "{from}");
    }
    for from in [
        "",
        "/",
        "chat.shakespeare.lit",
        "coven@chat.shakespeare.lit.example",
        "other@chat.shakespeare.lit/x",
    ] {
        assert!(!room.is_from(from, &NativeUnicode), "{from}");
    }
    assert_eq!(room.room().as_str(), ROOM);
}

#[test]
fn odd_stanzas_do_no_harm() {
    let odd: Vec<Element> = all(&format!(
        "<presence/><presence from='{ROOM}/'/><presence from='{ROOM}/x' type='subscribe'/><message from='{ROOM}/x'/>
         <presence from='{ROOM}/x' type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='303'/></x></presence>
         <presence from='{ROOM}/x'><x xmlns='http://jabber.org/protocol/muc#user'><item role='what' affiliation='what'/><status/></x></presence>
         <presence type='error'/><message type='error'/><iq from='{ROOM}'/><message type='groupchat'/>
         <presence from='{ROOM}/thirdwitch' type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><item nick='x'/><status code='303'/></x></presence>"
    ));
    for mut room in [room("thirdwitch"), joining("thirdwitch"), joined()] {
        for stanza in odd.iter().chain(odd.iter().rev()) {
            room.handle(stanza);
            assert!(nicks(&room).windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
