//! Leaving a room, of our own will or not.

use epode_proto::xep::muc::occupant::Why;
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::room::Phase;

use super::{MEMBER, NOBODY, ROOM, SUBJECT, gone, joined, leave_of, nicks, presence, take};
use crate::xep::{example, examples};

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
