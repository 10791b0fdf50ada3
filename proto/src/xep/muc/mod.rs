//! XEP-0045: Multi-User Chat 1.35.5. For occupants.
//!
//! Specification: XEP-0045 1.35.5.
//!
//! [`room::RoomState`] is one room, from the wish to enter to having left; [`occupant`] reads what a room tells of people;
//! [`request`] builds what is asked of it. Left out so far: invitations, voice requests, registration with a room, and what
//! moderators, admins and owners do, except the instant room that every creator needs.

pub mod occupant;
pub mod request;
pub mod room;

use std::rc::Rc;

use crate::stanza::StanzaError;
use crate::xml::Element;
use occupant::{Departure, Occupant};

/// A message from a room or from one of its occupants.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomMessage {
    /// Who said it; `None` is the room itself.
    pub nick: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its text; `None` when it carries something else.
    pub body: Option<String>,
    /// When it was said, in milliseconds since 1970 UTC, when it was held back since: history has it.
    pub time: Option<i64>,
    /// Whether it is one of ours coming back: by nick and by the id it was sent with.
    pub own: bool,
    /// All of it.
    pub stanza: Element,
}

/// What happens in a room.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomEvent {
    /// We could not enter; the condition says why (`conflict`: the nick is taken; `not-authorized`: the password;
    /// `registration-required`: members only; `forbidden`: banned; `service-unavailable`: full; …).
    JoinFailed(StanzaError),
    /// The room is new and locked until its owner, that is we, has configured it: send this request, and hand the outcome to
    /// [`RoomState::configured`](room::RoomState::configured).
    Created {
        /// Takes the room as the service makes it (§10.1.2).
        request: Element,
    },
    /// We are in: occupants, history and subject are known.
    Joined {
        /// The status codes of our own presence: 100 (everyone sees real JIDs), 170 (logged), 201 (new), 210 (the nick was
        /// changed), …
        codes: Vec<u16>,
    },
    /// Someone said something to all.
    Message(RoomMessage),
    /// An occupant said something to us alone.
    Private(RoomMessage),
    /// The subject was set; this is also how history ends.
    Subject {
        /// What it is now; empty when there is none.
        subject: String,
        /// Who set it.
        nick: Option<String>,
        /// When, in milliseconds since 1970 UTC, if that was earlier.
        time: Option<i64>,
    },
    /// Someone entered. Those who were there before us are in [`RoomState::occupants`](room::RoomState::occupants).
    OccupantJoined(Rc<Occupant>),
    /// Someone's availability, role or affiliation changed; ours too.
    OccupantChanged(Rc<Occupant>),
    /// Someone is gone.
    OccupantLeft {
        /// As they were.
        occupant: Rc<Occupant>,
        /// Why.
        departure: Departure,
    },
    /// Someone goes by another nick now. Ours may come out the same as before, when that is what we asked for or what the
    /// room makes of it.
    NickChanged {
        /// Before.
        from: String,
        /// Now.
        to: String,
        /// Whether it is we.
        own: bool,
    },
    /// We keep our nick; `conflict` says that the other is taken.
    NickRefused(StanzaError),
    /// The room's configuration changed: the status codes (104, 170–174) say what.
    Configured {
        /// At least one.
        codes: Vec<u16>,
    },
    /// Something we sent was refused.
    Bounced {
        /// Its id.
        id: Option<String>,
        /// Whom it was for; `None` is all.
        nick: Option<String>,
        /// Why.
        error: StanzaError,
    },
    /// We are out: of our own will, or not.
    Left(Departure),
}
