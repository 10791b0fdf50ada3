//! What [`Rooms`](super::rooms::Rooms) reports: plain data, without closures.

use std::rc::Rc;

use super::departure::Departure;
use super::occupant::Occupant;
use crate::jid::JidError;
use crate::stanza::StanzaError;
use crate::time::Millis;
use crate::xml::Element;

/// Names one visit to a room, from `join` to its end. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u32);

/// Names a command, until it is settled. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u32);

/// Names a request that a room wants sent, until `handle_reply`. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestToken(pub u32);

/// What the caller has to do, or to report. Carry the outputs out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomOutput {
    /// Send this stanza.
    Send {
        /// The stanza.
        stanza: Element,
        /// The command that sends it. If the stanza cannot be sent, the caller settles the command itself and calls
        /// `handle_unsent`. For messages the caller settles it by the stanza's delivery in any case; the others are settled
        /// by [`RoomOutput::Settled`].
        command: Option<CommandId>,
    },
    /// Send this iq request, and pass what comes of it to `handle_reply`.
    Request {
        /// Under this name.
        request: RequestToken,
        /// The request, without an id.
        iq: Element,
        /// How long to wait for the reply.
        timeout: Millis,
    },
    /// A `join`, `leave` or `set_nick` is over. Each is settled exactly once, unless the caller abandoned it.
    Settled {
        /// Which command.
        command: CommandId,
        /// How it ended.
        outcome: Result<(), CommandError>,
    },
    /// Something happened in a room.
    Event {
        /// In which visit.
        room: RoomId,
        /// What.
        event: RoomEvent,
    },
    /// The visit is over: its id means nothing any more. Comes exactly once for each visit, after its last event.
    Closed {
        /// Which visit.
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
        /// Why (`conflict`: the nick is taken; `not-authorized`: the password; `registration-required`: members only;
        /// `forbidden`: banned; `service-unavailable`: full; …).
        error: StanzaError,
        /// The whole answer.
        stanza: Element,
    },
    /// No answer came in time. A join that timed out is followed by a leave.
    TimedOut,
    /// The room sent us away while we entered.
    SentAway(Departure),
    /// We left the room, or were removed from it, before it answered.
    Left,
    /// The session was lost before the room answered.
    SessionLost,
    /// The connection ended before the room answered.
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
    /// Its id.
    pub id: Option<String>,
    /// Its text; `None` when it carries something else.
    pub body: Option<String>,
    /// Whether the room stamped it as said earlier: history.
    pub delayed: bool,
    /// When it was said, in milliseconds since 1970 UTC, if it is delayed and the stamp is readable.
    pub time: Option<i64>,
    /// Whether it is one of our own messages coming back.
    pub own: bool,
    /// The whole stanza.
    pub stanza: Element,
}

/// What happens in a room.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomEvent {
    /// We are in for the first time: occupants, history and subject are known. The join is settled too.
    Joined {
        /// The status codes of our own presence: 100 (everyone sees real JIDs), 170 (logged), 201 (new), 210 (the nick was
        /// changed), …
        codes: Vec<u16>,
    },
    /// We are in again, after a lost session or after the room had lost us.
    Rejoined {
        /// As in [`RoomEvent::Joined`].
        codes: Vec<u16>,
    },
    /// An occupant, or the room, said something to all.
    Message(RoomMessage),
    /// An occupant said something to us alone.
    Private(RoomMessage),
    /// The subject was set; this also ends the history.
    Subject {
        /// The subject; empty when there is none.
        subject: String,
        /// Who set it.
        nick: Option<String>,
        /// When, in milliseconds since 1970 UTC, if that was earlier.
        time: Option<i64>,
    },
    /// Someone entered. Those who were there before us are in [`Visit::occupants`](super::room::visit::Visit::occupants).
    OccupantJoined(Rc<Occupant>),
    /// An occupant's availability, role or affiliation changed; ours too.
    OccupantChanged(Rc<Occupant>),
    /// An occupant is gone.
    OccupantLeft {
        /// As they were.
        occupant: Rc<Occupant>,
        /// Why.
        departure: Departure,
    },
    /// An occupant has another nick. Ours may be the same as before, when that is what was asked for or what the room makes
    /// of it.
    NickChanged {
        /// Before.
        from: String,
        /// Now.
        to: String,
        /// Whether it is ours.
        own: bool,
    },
    /// The room's configuration changed: the status codes (104, 170–174) say what.
    Configured {
        /// At least one.
        codes: Vec<u16>,
    },
    /// Something that we sent was refused.
    Bounced {
        /// Its id.
        id: Option<String>,
        /// Whom it was for; `None` is all.
        nick: Option<String>,
        /// Why.
        error: StanzaError,
        /// The whole answer.
        stanza: Element,
    },
    /// The room had lost us before it saw this message of ours: nobody got it.
    Lost {
        /// The message as it was sent.
        message: Element,
    },
    /// The room does not answer pings (XEP-0410): whether we are in is not known. Reported once, until it answers again.
    Unreachable,
    /// The room has more occupants than are kept: the rest is not listed. Reported once.
    Crowded,
    /// We are out, not by our own `leave`. The last event.
    Out(Ended),
}

/// Why we are out.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The room said so.
    Departed(Departure),
    /// The room refused to let us in again.
    Refused(StanzaError),
    /// The room does not let us stay or does not answer: we gave up coming back.
    GivenUp,
    /// The new session is not confidential, and the room's password must not be sent in it.
    Insecure,
    /// The connection ended.
    Disconnected,
}
