//! XEP-0045: one room.

use epode::proto::jid::Jid;
use epode::proto::stanza::ErrorKind;
use epode::proto::xep::delay::write_date_time;
use epode::proto::xep::muc::RoomEvent;
use epode::proto::xep::muc::occupant::{Affiliation, Departure, Role, Why};
use epode::proto::xep::muc::request::{self, History};
use epode::proto::xep::muc::room::{Phase, RoomState};
use epode::proto::xml::Element;

use super::{all, asked, example, examples, xml};
use crate::support::unicode::NativeUnicode;

const ROOM: &str = "coven@chat.shakespeare.lit";

fn room(nick: &str) -> RoomState {
    let jid = Jid::parse(ROOM, &NativeUnicode).expect("a JID");
    RoomState::new(&jid, nick, &NativeUnicode).expect("a nick")
}

fn joining(nick: &str) -> RoomState {
    let mut room = room(nick);
    room.join_presence("n13mt3l", None, History::default());
    room
}

/// Everything in `text` comes in; `$` is the room.
fn take(room: &mut RoomState, text: &str) -> Vec<RoomEvent> {
    let text = text.replace('$', ROOM);
    all(&text)
        .iter()
        .flat_map(|stanza| room.handle(stanza))
        .collect()
}

fn presence(nick: &str, inside: &str) -> String {
    format!(
        "<presence from='$/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>{inside}</x></presence>"
    )
}

fn gone(nick: &str, inside: &str) -> String {
    presence(nick, inside).replace("<presence ", "<presence type='unavailable' ")
}

const MEMBER: &str = "<item affiliation='member' role='participant'/>";
const NOBODY: &str = "<item affiliation='none' role='none'/>";
const SUBJECT: &str = "<message type='groupchat' from='$'><subject/></message>";

/// In the room as `thirdwitch`, with `firstwitch`.
fn joined() -> RoomState {
    let mut room = joining("thirdwitch");
    take(&mut room, &presence("firstwitch", MEMBER));
    take(
        &mut room,
        &presence("thirdwitch", &format!("{MEMBER}<status code='110'/>")),
    );
    let events = take(&mut room, SUBJECT);
    assert!(
        matches!(
            events.as_slice(),
            [RoomEvent::Subject { .. }, RoomEvent::Joined { .. }]
        ),
        "{events:?}"
    );
    room
}

fn nicks(room: &RoomState) -> Vec<&str> {
    room.occupants()
        .iter()
        .map(|occupant| occupant.nick.as_str())
        .collect()
}

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
        assert_eq!(take(&mut room, &own(id, "participant")), [same.clone()]);
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

fn leave_of(events: &[RoomEvent]) -> &Departure {
    match events {
        [RoomEvent::Left(departure)] => departure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn leaving_is_confirmed() {
    let mut room = joined();
    room.leave(None);
    assert_eq!(room.phase(), &Phase::Leaving);
    // What is said until then is heard.
    assert_eq!(
        take(
            &mut room,
            "<message type='groupchat' from='$/firstwitch'><body>bye</body></message>"
        )
        .len(),
        1
    );
    let events = room.handle(&example("0045", 81));
    assert_eq!(leave_of(&events).why, Why::Left);
    assert_eq!(room.phase(), &Phase::Outside);
    assert!(room.occupants().is_empty());
    assert_eq!(room.handle(&example("0045", 81)), []);
    assert_eq!(take(&mut room, &presence("firstwitch", MEMBER)), []);
    assert_eq!(take(&mut room, SUBJECT), []);
    assert_eq!(room.subject(), None);

    // A room that does not know us is left too.
    let mut room = joined();
    room.leave(None);
    let events = take(&mut room, "<presence type='error' from='$/thirdwitch'/>");
    assert_eq!(leave_of(&events).why, Why::Left);
}

#[test]
fn being_thrown_out_is_told_with_its_reason() {
    let out = |inside: &str| {
        let mut room = joined();
        let events = take(&mut room, &gone("thirdwitch", inside));
        assert_eq!(room.phase(), &Phase::Outside);
        leave_of(&events).clone()
    };
    for (codes, why) in [
        ("<status code='110'/>", Why::Left),
        ("<status code='110'/><status code='307'/>", Why::Kicked),
        ("<status code='301'/>", Why::Banned),
        ("<status code='301'/><status code='307'/>", Why::Banned),
        ("<status code='321'/>", Why::AffiliationLost),
        ("<status code='322'/>", Why::MembersOnly),
        ("<status code='110'/><status code='332'/>", Why::Shutdown),
        ("<status code='110'/><status code='333'/>", Why::Technical),
        ("<status code='x'/>", Why::Left),
    ] {
        assert_eq!(out(&format!("{NOBODY}{codes}")).why, why, "{codes}");
    }
    // Example 113: the banned are told who did it, and not by 110 that it is they.
    let mut room = joined();
    let ban = example("0045", 113).with_attr("from", &format!("{ROOM}/thirdwitch"));
    let departure = leave_of(&room.handle(&ban)).clone();
    assert_eq!(departure.actor.as_deref(), Some("The \u{265a}"));
    assert_eq!(departure.reason.as_deref(), Some("Treason"));
    assert_eq!(departure.codes, [301]);
    // Example 202: so for a room that is destroyed.
    let mut room = joined();
    let destroyed = examples("0045", 202)
        .remove(2)
        .with_attr("from", &format!("{ROOM}/thirdwitch"));
    let departure = leave_of(&room.handle(&destroyed)).clone();
    assert_eq!(departure.why, Why::Destroyed);
    assert_eq!(departure.alternative.as_deref(), Some(ROOM));
    assert_eq!(departure.reason.as_deref(), Some("Macbeth doth come."));
}

#[test]
fn a_room_that_lost_us_says_so() {
    let mut room = joined();
    let departure = leave_of(&room.handle(&example("0045", 43))).clone();
    assert_eq!(departure.why, Why::Technical);
    assert_eq!(
        departure.reason.as_deref(),
        Some("You are not in the room.")
    );
    // And it can be entered again.
    room.join_presence("again", None, History::default());
    take(
        &mut room,
        &presence("thirdwitch", &format!("{MEMBER}<status code='110'/>")),
    );
    assert_eq!(take(&mut room, SUBJECT).len(), 2);
    assert_eq!(nicks(&room), ["thirdwitch"]);
}

#[test]
fn the_farewell_of_before_does_not_end_a_new_visit() {
    let mut room = joined();
    room.leave(None);
    room.join_presence("again", None, History::default());
    assert_eq!(room.handle(&example("0045", 81)), []);
    assert!(matches!(room.phase(), Phase::Joining { .. }));
    take(
        &mut room,
        &presence("thirdwitch", &format!("{MEMBER}<status code='110'/>")),
    );
    assert_eq!(take(&mut room, SUBJECT).len(), 2);
    assert_eq!(leave_of(&room.handle(&example("0045", 81))).why, Why::Left);
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
fn a_new_session_forgets_the_visit() {
    let mut room = joined();
    room.leave(None);
    room.reset();
    assert_eq!(room.phase(), &Phase::Outside);
    assert!(room.occupants().is_empty());
    assert_eq!(room.subject(), None);
    // Nothing of before stands in the way.
    room.join_presence("again", None, History::default());
    let events = take(
        &mut room,
        &gone("thirdwitch", "<status code='110'/><status code='307'/>"),
    );
    assert_eq!(leave_of(&events).why, Why::Kicked);
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
