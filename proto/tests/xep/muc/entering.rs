//! Entering a room, and what keeps us out.

use epode_proto::jid::Jid;
use epode_proto::stanza::ErrorKind;
use epode_proto::xep::delay::write_date_time;
use epode_proto::xep::muc::RoomEvent;
use epode_proto::xep::muc::occupant::{Affiliation, Role, Why};
use epode_proto::xep::muc::request::{self, History};
use epode_proto::xep::muc::room::{Phase, RoomState};

use super::{
    MEMBER, NOBODY, ROOM, SUBJECT, gone, joined, joining, leave_of, nicks, presence, room, take,
};
use crate::support::unicode::NativeUnicode;
use crate::xep::{asked, example, examples, xml};

#[test]
fn requests_are_as_in_the_examples() {
    let join = |password, history| room("thirdwitch").join_presence("x", password, history);
    let expected = |number| asked("0045", number).with_attr("id", "x");
    assert_eq!(join(None, History::default()), expected(18));
    assert_eq!(join(Some("cauldronburn"), History::default()), expected(26));
    let history = History {
        maxchars: Some(65_000),
        ..History::default()
    };
    assert_eq!(join(None, history), expected(35));
    let history = History {
        maxstanzas: Some(20),
        ..History::default()
    };
    assert_eq!(join(None, history), expected(36));
    let history = History {
        seconds: Some(180),
        ..History::default()
    };
    assert_eq!(join(None, history), expected(37));
    let history = History {
        since: Some(0),
        ..History::default()
    };
    assert_eq!(join(None, history), expected(38));
    let history = History {
        maxchars: Some(0),
        ..History::default()
    };
    assert_eq!(join(None, history), expected(39));

    let mut room = joined();
    assert_eq!(
        room.message("x", "Harpier cries: 'tis time, 'tis time."),
        expected(44)
    );
    assert_eq!(
        room.private("x", "firstwitch", "I'll give thee a wind."),
        expected(46)
    );
    let change = room.change_nick("x", "oldhag", &NativeUnicode);
    assert_eq!(change, Ok(expected(49)));
    assert_eq!(room.leave(None), asked("0045", 80));
    assert_eq!(
        room.set_subject("x", "Fire Burn and Cauldron Bubble!"),
        expected(84)
    );
    assert_eq!(room.set_subject("x", ""), expected(88));
    assert_eq!(request::instant_room(ROOM), asked("0045", 155));
}

#[test]
fn a_nick_that_cannot_be_one_is_refused() {
    let jid = Jid::parse(ROOM, &NativeUnicode).expect("a JID");
    for nick in ["", "a\u{7}b", "n".repeat(1024).as_str()] {
        assert!(RoomState::new(&jid, nick, &NativeUnicode).is_err());
    }
    assert!(joined().change_nick("x", "", &NativeUnicode).is_err());
    // It goes out as the resourcepart that it is.
    assert_eq!(room("A\u{30a}ngstrom").nick(), "\u{c5}ngstrom");
}

#[test]
fn entering_ends_with_the_subject() {
    let mut room = joining("thirdwitch");
    assert!(matches!(room.phase(), Phase::Joining { .. }));
    for stanza in examples("0045", 20) {
        assert_eq!(room.handle(&stanza), []);
    }
    assert_eq!(room.handle(&examples("0045", 21).remove(2)), []);
    assert!(matches!(room.phase(), Phase::Entered { .. }));
    let mut said = Vec::new();
    for stanza in examples("0045", 33) {
        for event in room.handle(&stanza) {
            let RoomEvent::Message(message) = event else {
                panic!("{event:?}");
            };
            assert!(!message.own);
            said.push((
                message.nick.unwrap_or_default(),
                write_date_time(message.time.unwrap_or_default()),
            ));
        }
    }
    assert_eq!(
        said,
        [
            ("firstwitch".into(), "2002-10-13T23:58:37Z".into()),
            ("secondwitch".into(), "2002-10-13T23:58:43Z".into()),
            ("thirdwitch".into(), "2002-10-13T23:58:49Z".into()),
        ]
    );
    assert!(matches!(room.phase(), Phase::Entered { .. }));
    let events = room.handle(&example("0045", 40));
    let [
        RoomEvent::Subject {
            subject,
            nick,
            time,
        },
        RoomEvent::Joined { codes },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(subject, "Fire Burn and Cauldron Bubble!");
    assert_eq!(nick.as_deref(), Some("secondwitch"));
    assert!(time.is_some_and(|time| time < 0), "1610");
    assert_eq!(codes, &[110]);
    assert_eq!(room.phase(), &Phase::Joined);
    assert_eq!(room.subject(), Some("Fire Burn and Cauldron Bubble!"));
    assert_eq!(nicks(&room), ["firstwitch", "secondwitch", "thirdwitch"]);
    let second = room.occupant("secondwitch").expect("an occupant");
    assert_eq!(
        (second.role, second.affiliation),
        (Role::Moderator, Affiliation::Admin)
    );
}

#[test]
fn the_nick_may_be_changed_on_entering() {
    let mut room = joining("ThirdWitch");
    room.handle(&example("0045", 32));
    assert_eq!(room.nick(), "thirdwitch");
    let events = room.handle(&example("0045", 41));
    let [
        RoomEvent::Subject { subject, .. },
        RoomEvent::Joined { codes },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(subject, "");
    assert_eq!(codes, &[100, 110, 170, 210]);
    assert_eq!(room.leave(None), asked("0045", 80));
}

#[test]
fn every_refusal_is_an_error() {
    for (number, condition, kind) in [
        (19, "jid-malformed", ErrorKind::Modify),
        (25, "not-authorized", ErrorKind::Auth),
        (27, "registration-required", ErrorKind::Auth),
        (28, "forbidden", ErrorKind::Auth),
        (29, "conflict", ErrorKind::Cancel),
        (30, "service-unavailable", ErrorKind::Wait),
        (31, "item-not-found", ErrorKind::Cancel),
        (152, "not-allowed", ErrorKind::Cancel),
    ] {
        let mut room = joining("thirdwitch");
        // Example 19 answers another request than this one.
        let stanza = example("0045", number).with_attr("id", "n13mt3l");
        let events = room.handle(&stanza);
        let [RoomEvent::JoinFailed(error)] = events.as_slice() else {
            panic!("{number}: {events:?}");
        };
        assert_eq!((error.condition.as_str(), error.kind), (condition, kind));
        assert_eq!(room.phase(), &Phase::Outside);
        assert!(room.occupants().is_empty());
    }
}

#[test]
fn a_refusal_of_something_else_is_not_of_this_join() {
    let mut room = joining("thirdwitch");
    assert_eq!(room.handle(&example("0045", 52)), []);
    assert!(matches!(room.phase(), Phase::Joining { .. }));
    // One without an id must be ours.
    let events = take(&mut room, "<presence type='error' from='$/thirdwitch'/>");
    assert!(
        matches!(events.as_slice(), [RoomEvent::JoinFailed(_)]),
        "{events:?}"
    );
}

#[test]
fn a_new_room_is_configured_before_we_are_in() {
    let mut room = joining("firstwitch");
    let events = room.handle(&example("0045", 154));
    assert_eq!(
        events,
        [RoomEvent::Created {
            request: asked("0045", 155)
        }]
    );
    let events = take(&mut room, SUBJECT);
    assert!(
        matches!(events.as_slice(), [RoomEvent::Subject { .. }]),
        "{events:?}"
    );
    assert_eq!(
        room.configured(&xml("<iq type='result'/>")),
        [RoomEvent::Joined {
            codes: vec![110, 201]
        }]
    );
    assert_eq!(room.configured(&xml("<iq type='result'/>")), []);

    // The other way round.
    let mut room = joining("firstwitch");
    room.handle(&example("0045", 154));
    assert_eq!(room.configured(&xml("<iq type='result'/>")), []);
    assert_eq!(take(&mut room, SUBJECT).len(), 2);

    // Refused.
    let mut room = joining("firstwitch");
    room.handle(&example("0045", 154));
    let events = room.configured(&example("0045", 161));
    let [RoomEvent::JoinFailed(error)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(error.condition, "not-acceptable");
    assert_eq!(room.phase(), &Phase::Outside);
}

#[test]
fn a_room_without_a_subject_is_entered_all_the_same() {
    let own = presence("thirdwitch", &format!("{MEMBER}<status code='110'/>"));
    let mut room = joining("thirdwitch");
    take(&mut room, &own);
    // What the room says of itself, and what was said earlier, is no sign; what is said now is.
    let early = take(&mut room, "<message type='groupchat' from='$'><body>Welcome</body></message>
        <message type='groupchat' from='$/firstwitch'><body>a</body><delay xmlns='urn:xmpp:delay' stamp='2002-10-13T23:58:37Z'/></message>");
    assert!(
        matches!(
            early.as_slice(),
            [RoomEvent::Message(_), RoomEvent::Message(_)]
        ),
        "{early:?}"
    );
    let live = take(
        &mut room,
        "<message type='groupchat' from='$/firstwitch'><body>b</body></message>",
    );
    assert!(
        matches!(
            live.as_slice(),
            [RoomEvent::Joined { .. }, RoomEvent::Message(_)]
        ),
        "{live:?}"
    );

    let mut room = joining("thirdwitch");
    assert_eq!(room.skip_subject(), []);
    take(&mut room, &own);
    assert_eq!(
        room.skip_subject(),
        [RoomEvent::Joined { codes: vec![110] }]
    );
    assert_eq!(room.subject(), None);
    assert_eq!(room.skip_subject(), []);
}

#[test]
fn who_has_our_wanted_nick_may_go_while_we_enter() {
    let mut room = joining("thirdwitch");
    take(&mut room, &presence("thirdwitch", MEMBER));
    assert_eq!(take(&mut room, &gone("thirdwitch", NOBODY)), []);
    assert!(matches!(room.phase(), Phase::Joining { .. }));
    assert!(nicks(&room).is_empty());
    // Thrown out before we were in: the join has failed.
    let events = take(
        &mut room,
        &gone(
            "thirdwitch",
            "<item role='none'/><status code='110'/><status code='307'/>",
        ),
    );
    assert_eq!(leave_of(&events).why, Why::Kicked);
}
