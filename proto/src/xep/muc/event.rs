//! The outputs and events of [`Rooms`](super::rooms::Rooms): plain data.

use std::rc::Rc;

use super::departure::Departure;
use super::occupant::Occupant;
use crate::jid::JidError;
use crate::stanza::StanzaError;
use crate::time::Millis;
use crate::xml::Element;

/// The id of a visit to a room, from `join` to its end. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u32);

/// The id of a command, until it is settled. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u32);

/// The id of a room's iq request, until `handle_reply`. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestToken(pub u32);

/// An output for the caller. Carry the outputs out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomOutput {
    /// Send this stanza.
    Send {
        /// The stanza.
        stanza: Element,
        /// The command that sends it. If the stanza cannot be sent, the caller settles the command itself and calls
        /// `handle_unsent`. The caller settles messages by the stanza's delivery; other commands are settled
        /// by [`RoomOutput::Settled`].
        command: Option<CommandId>,
    },
    /// Send this iq request, and pass its result to `handle_reply`.
    Request {
        /// The token of the request.
        request: RequestToken,
        /// The request, without an id.
        iq: Element,
        /// How long to wait for the reply.
        timeout: Millis,
    },
    /// A `join`, `leave` or `set_nick` is settled. Each is settled exactly once, unless the caller abandoned it.
    Settled {
        /// The id of the command.
        command: CommandId,
        /// The result.
        outcome: Result<(), CommandError>,
    },
    /// An event of a room.
    Event {
        /// The id of the visit.
        room: RoomId,
        /// The event.
        event: RoomEvent,
    },
    /// The visit ended and its id is invalid. Reported exactly once for each visit, after its last event.
    Closed {
        /// The id of the visit.
        room: RoomId,
        /// Our nick at the end.
        nick: String,
    },
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandError {
    /// The room refused.
    Refused {
        /// The condition (`conflict`: the nick is taken; `not-authorized`: the password; `registration-required`: members only;
        /// `forbidden`: banned; `service-unavailable`: full; …).
        error: StanzaError,
        /// The whole reply.
        stanza: Element,
    },
    /// No reply in time. A join that timed out is followed by a leave.
    TimedOut,
    /// The room removed us while we were joining.
    SentAway(Departure),
    /// We left the room, or were removed from it, before it replied.
    Left,
    /// The session was lost before the room replied.
    SessionLost,
    /// The connection ended before the room replied.
    Offline,
    /// The new session is not confidential, and the room's password must not be sent in it.
    Insecure,
}

/// Why a command was not accepted: nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomRefusal {
    /// The nick cannot be a resourcepart (RFC 7622 §3.4).
    BadNick(JidError),
    /// There is another visit to this room: leave it first.
    AlreadyIn,
    /// We are not in this room.
    NotIn,
    /// The password would be sent over a connection that is not confidential.
    Insecure,
}

/// A message from a room or from one of its occupants.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomMessage {
    /// The sender's nick; `None` is the room itself.
    pub nick: Option<String>,
    /// The id of the message.
    pub id: Option<String>,
    /// The body; `None` if there is none.
    pub body: Option<String>,
    /// Whether the room marked the message as delayed: it is history.
    pub delayed: bool,
    /// The send time in milliseconds since 1970 UTC, if the message is delayed and its stamp is readable.
    pub time: Option<i64>,
    /// Whether the message is the reflection of one of ours.
    pub own: bool,
    /// The whole stanza.
    pub stanza: Element,
}

/// An event of a room.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomEvent {
    /// We joined: occupants, history and subject are known. The join command is also settled.
    Joined {
        /// The status codes of our own presence: 100 (everyone sees real JIDs), 170 (logged), 201 (new), 210 (the nick was
        /// changed), …
        codes: Vec<u16>,
    },
    /// We rejoined after a lost session, or after the room had removed us without notice.
    Rejoined {
        /// As in [`RoomEvent::Joined`].
        codes: Vec<u16>,
    },
    /// A message of an occupant or the room to all occupants.
    Message(RoomMessage),
    /// A private message of an occupant.
    Private(RoomMessage),
    /// The subject was set. The first one also ends the history.
    Subject {
        /// The subject; empty when there is none.
        subject: String,
        /// The nick of the occupant who set it.
        nick: Option<String>,
        /// When it was set, in milliseconds since 1970 UTC, if before our join.
        time: Option<i64>,
    },
    /// An occupant joined. Occupants who joined before us are in [`Visit::occupants`](super::room::visit::Visit::occupants).
    OccupantJoined(Rc<Occupant>),
    /// An occupant's availability, role or affiliation changed; also ours.
    OccupantChanged(Rc<Occupant>),
    /// An occupant left.
    OccupantLeft {
        /// The last known state of the occupant.
        occupant: Rc<Occupant>,
        /// The reason.
        departure: Departure,
    },
    /// An occupant changed its nick. Our own nick may be the same as before, if the room normalises the requested nick
    /// to it.
    NickChanged {
        /// The old nick.
        from: String,
        /// The new nick.
        to: String,
        /// Whether the nick is ours.
        own: bool,
    },
    /// The room's configuration changed, described by status codes (104, 170–174).
    Configured {
        /// The status codes; at least one.
        codes: Vec<u16>,
    },
    /// The room or an occupant refused a stanza of ours.
    Bounced {
        /// The id of the stanza.
        id: Option<String>,
        /// The nick of the recipient; `None` for all.
        nick: Option<String>,
        /// The error.
        error: StanzaError,
        /// The whole reply.
        stanza: Element,
    },
    /// The room had removed us without notice before it received this message of ours: the message was not delivered.
    Lost {
        /// The message as it was sent.
        message: Element,
    },
    /// The room does not reply to pings (XEP-0410): our membership is unknown. Reported once, until the room replies again.
    Unreachable,
    /// The room has more occupants than the limit: the rest is not listed. Reported once.
    Crowded,
    /// The visit ended without our `leave`. The last event.
    Out(Ended),
}

/// Why a visit ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The room removed us.
    Departed(Departure),
    /// The room refused our rejoin.
    Refused(StanzaError),
    /// The room removes us repeatedly or does not reply: no further attempt to rejoin.
    GivenUp,
    /// The new session is not confidential, and the room's password must not be sent in it.
    Insecure,
    /// The connection ended.
    Disconnected,
}
