//! XEP-0045: one room.

mod entering;
mod inside;
mod leaving;

use epode_proto::jid::Jid;
use epode_proto::xep::muc::RoomEvent;
use epode_proto::xep::muc::occupant::Departure;
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::room::RoomState;

use super::all;
use crate::support::unicode::NativeUnicode;

pub(super) const ROOM: &str = "coven@chat.shakespeare.lit";

pub(super) fn room(nick: &str) -> RoomState {
    let jid = Jid::parse(ROOM, &NativeUnicode).expect("a JID");
    RoomState::new(&jid, nick, &NativeUnicode).expect("a nick")
}

pub(super) fn joining(nick: &str) -> RoomState {
    let mut room = room(nick);
    room.join_presence("n13mt3l", None, History::default());
    room
}

/// Everything in `text` comes in; `$` is the room.
pub(super) fn take(room: &mut RoomState, text: &str) -> Vec<RoomEvent> {
    let text = text.replace('$', ROOM);
    all(&text)
        .iter()
        .flat_map(|stanza| room.handle(stanza))
        .collect()
}

pub(super) fn presence(nick: &str, inside: &str) -> String {
    format!(
        "<presence from='$/{nick}'><x xmlns='http://jabber.org/protocol/muc#user'>{inside}</x></presence>"
    )
}

pub(super) fn gone(nick: &str, inside: &str) -> String {
    presence(nick, inside).replace("<presence ", "<presence type='unavailable' ")
}

pub(super) const MEMBER: &str = "<item affiliation='member' role='participant'/>";
pub(super) const NOBODY: &str = "<item affiliation='none' role='none'/>";
pub(super) const SUBJECT: &str = "<message type='groupchat' from='$'><subject/></message>";

/// In the room as `thirdwitch`, with `firstwitch`.
pub(super) fn joined() -> RoomState {
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

pub(super) fn nicks(room: &RoomState) -> Vec<&str> {
    room.occupants()
        .iter()
        .map(|occupant| occupant.nick.as_str())
        .collect()
}

pub(super) fn leave_of(events: &[RoomEvent]) -> &Departure {
    match events {
        [RoomEvent::Left(departure)] => departure,
        other => panic!("{other:?}"),
    }
}
