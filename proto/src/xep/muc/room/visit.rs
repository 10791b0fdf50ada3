//! One visit to a room, from join to leave.

use std::rc::Rc;

use super::heard::RecentMessages;
use super::ledger::PendingCommand;
use super::sent::SentMessages;
use crate::states::Place;
use crate::time::Instant;
use crate::xep::muc::event::{RequestToken, RoomEvent, RoomId};
use crate::xep::muc::occupant::{Occupant, Occupants};
use crate::xep::muc::request::History;
use crate::xep::muc::rooms::RoomContext;

/// How often the default configuration of a new room is accepted again, if the room does not reply.
pub(super) const MOST_CONFIGURATIONS: u32 = 3;

/// The state of a visit.
#[derive(Debug)]
pub(super) enum VisitState {
    /// The join was sent or is queued.
    Joining {
        /// The status codes of a presence under the requested nick that is not marked as ours. The next stanzas show whether it is.
        unmarked: Option<Vec<u16>>,
    },
    /// Admitted; history, subject or the configuration of a new room are still expected.
    Entered {
        /// The status codes of our own presence.
        codes: Vec<u16>,
        /// Whether the subject is still pending.
        subject: bool,
        /// The pending request that configures a new room.
        locked: Option<RequestToken>,
    },
    /// Joined.
    Inside,
    /// The leave was sent.
    Leaving,
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitPlace {
    /// The join was sent or is queued.
    Joining,
    /// The room has admitted us; history and subject may still arrive.
    Entered,
    /// The join is complete.
    Inside,
    /// The leave was sent.
    Leaving,
}

impl Place for VisitPlace {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (Self::Joining, Self::Entered),
        (Self::Joining, Self::Leaving),
        (Self::Entered, Self::Inside),
        (Self::Entered, Self::Leaving),
        (Self::Inside, Self::Leaving),
        // Joined again, in a new session or because the room has removed us without notice.
        (Self::Entered, Self::Joining),
        (Self::Inside, Self::Joining),
        // The leave was never sent, and the room has admitted us meanwhile.
        (Self::Leaving, Self::Inside),
    ];
}

impl VisitState {
    fn place(&self) -> VisitPlace {
        match self {
            Self::Joining { .. } => VisitPlace::Joining,
            Self::Entered { .. } => VisitPlace::Entered,
            Self::Inside => VisitPlace::Inside,
            Self::Leaving => VisitPlace::Leaving,
        }
    }
}

/// The state before a rejoin.
#[derive(Debug)]
pub(super) struct Returning {
    /// Our earlier nick.
    pub(super) nick: String,
    /// The earlier occupants.
    pub(super) before: Vec<Rc<Occupant>>,
    /// The number of failed attempts.
    pub(super) attempts: u32,
}

/// One visit to a room. Read it through [`Rooms::visit`](crate::xep::muc::rooms::Rooms::visit).
#[derive(Debug)]
pub struct Visit {
    pub(super) id: RoomId,
    pub(super) room: String,
    pub(super) nick: String,
    pub(super) password: Option<String>,
    pub(super) history: History,
    pub(super) state: VisitState,
    /// The join, until it is settled.
    pub(super) join: Option<PendingCommand>,
    pub(super) returning: Option<Returning>,
    /// How often the configuration of the new room was accepted.
    pub(super) configurations: u32,
    /// The times of the last rejoins after the room had removed us without notice.
    pub(super) returns: Vec<Instant>,
    pub(super) occupants: Occupants,
    pub(super) crowded: bool,
    pub(super) subject: Option<String>,
    pub(super) sent: SentMessages,
    pub(super) heard: RecentMessages,
    /// The history may be incomplete, although the client no longer waits for it.
    pub(super) open_history: bool,
}

impl Visit {
    pub(super) fn new(
        id: RoomId,
        room: &str,
        nick: &str,
        password: Option<String>,
        history: History,
        join: PendingCommand,
    ) -> Self {
        Self {
            id,
            room: room.into(),
            nick: nick.into(),
            password,
            history,
            state: VisitState::Joining { unmarked: None },
            join: Some(join),
            returning: None,
            configurations: 0,
            returns: Vec::new(),
            occupants: Occupants::default(),
            crowded: false,
            subject: None,
            sent: SentMessages::default(),
            heard: RecentMessages::default(),
            open_history: false,
        }
    }

    /// The next state.
    pub(super) fn enter(&mut self, next: VisitState) {
        self.state.place().check_or_stays(next.place());
        self.state = next;
    }

    /// The id of the visit.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// The room's bare JID.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Our nick: the requested one until the join, then as the room writes it.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// Whether the join is complete.
    pub fn is_joined(&self) -> bool {
        matches!(self.state, VisitState::Inside)
    }

    /// Whether a rejoin is in progress.
    pub fn is_returning(&self) -> bool {
        self.returning.is_some()
    }

    /// The subject, if known; empty if the room has none.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The occupants, including us, sorted by nick.
    pub fn occupants(&self) -> &[Rc<Occupant>] {
        self.occupants.all()
    }

    /// The occupant with this nick, as the room writes it.
    pub fn occupant(&self, nick: &str) -> Option<&Rc<Occupant>> {
        self.occupants.get(nick)
    }

    pub(super) fn is_joining(&self) -> bool {
        matches!(self.state, VisitState::Joining { .. })
    }

    /// Whether the room is new, and has not accepted its configuration.
    pub(super) fn is_locked(&self) -> bool {
        matches!(
            self.state,
            VisitState::Entered {
                locked: Some(_),
                ..
            }
        )
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.state, VisitState::Leaving)
    }

    /// Ends the history: a later stanza has arrived.
    pub(super) fn close_history(&mut self, shared: &mut RoomContext) {
        self.report_kept(shared);
        self.open_history = false;
        self.heard.end_history();
    }

    /// Reports the held messages at the end of the history or the visit.
    pub(super) fn report_kept(&mut self, shared: &mut RoomContext) {
        for message in self.heard.take_kept() {
            shared.emit(self.id, RoomEvent::Message(message));
        }
    }

    /// Whether no occupant with the requested nick has been listed since the join.
    pub(super) fn awaits_own_presence(&self) -> bool {
        self.is_joining() && self.occupants.get(&self.nick).is_none()
    }

    /// Whether history may still arrive.
    pub(super) fn awaits_history(&self) -> bool {
        matches!(
            self.state,
            VisitState::Joining { .. } | VisitState::Entered { subject: true, .. }
        ) || self.open_history
    }
}

impl Visit {
    /// Whether another occupant can be added; reports `Crowded` once at the limit.
    fn has_room(&mut self, shared: &mut RoomContext, nick: &str) -> bool {
        if !self.occupants.is_full() || self.occupants.get(nick).is_some() {
            return true;
        }
        if !core::mem::replace(&mut self.crowded, true) {
            shared.emit(self.id, RoomEvent::Crowded);
        }
        false
    }

    /// Adds an occupant who joined before us, without an event.
    pub(super) fn add_silently(&mut self, shared: &mut RoomContext, occupant: Rc<Occupant>) {
        if self.has_room(shared, &occupant.nick) {
            self.occupants.insert(occupant);
        }
    }

    /// Adds or updates an occupant and reports the change.
    pub(super) fn add(&mut self, shared: &mut RoomContext, occupant: Rc<Occupant>) {
        if !self.has_room(shared, &occupant.nick) {
            return;
        }
        match self.occupants.insert(occupant.clone()) {
            None if self.returning.is_some() => {}
            None => shared.emit(self.id, RoomEvent::OccupantJoined(occupant)),
            Some(before) if before != occupant => {
                shared.emit(self.id, RoomEvent::OccupantChanged(occupant));
            }
            Some(_) => {}
        }
    }

    /// Renames an occupant; the presence under the new nick follows.
    pub(super) fn rename(&mut self, shared: &mut RoomContext, from: String, to: &str, own: bool) {
        let Some(occupant) = self.occupants.remove(&from) else {
            return;
        };
        let mut occupant = Occupant::clone(&occupant);
        occupant.nick = to.into();
        self.occupants.insert(Rc::new(occupant));
        if !self.is_joining() {
            let to = to.into();
            shared.emit(self.id, RoomEvent::NickChanged { from, to, own });
        }
    }
}
