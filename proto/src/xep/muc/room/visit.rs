//! One visit to a room: from the wish to enter until we have left.

use std::rc::Rc;

use super::heard::Heard;
use super::ledger::Waiting;
use super::sent::Sent;
use crate::states::Place;
use crate::time::Instant;
use crate::xep::muc::event::{RequestToken, RoomEvent, RoomId};
use crate::xep::muc::occupant::{Occupant, Occupants};
use crate::xep::muc::request::History;
use crate::xep::muc::rooms::Shared;

/// How far we are.
#[derive(Debug)]
pub(super) enum State {
    /// Our presence is on its way, or waits for its turn.
    Joining {
        /// The status codes of a presence of the wanted nick that is not marked as ours. It may be ours; what comes next shows.
        unmarked: Option<Vec<u16>>,
    },
    /// The room has let us in; history, the subject or the configuration of a new room are still to come.
    Entered {
        /// The status codes of our own presence.
        codes: Vec<u16>,
        /// Whether the subject is still to come.
        subject: bool,
        /// The request that configures a new room, while it is out.
        locked: Option<RequestToken>,
    },
    /// Really in.
    Inside,
    /// Our leave is on its way.
    Leaving,
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitPlace {
    /// Our presence is on its way.
    Joining,
    /// The room has let us in; more of what it begins with is to come.
    Entered,
    /// Really in.
    Inside,
    /// Our leave is on its way.
    Leaving,
}

impl Place for VisitPlace {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (Self::Joining, Self::Entered),
        (Self::Joining, Self::Leaving),
        (Self::Entered, Self::Inside),
        (Self::Entered, Self::Leaving),
        (Self::Inside, Self::Leaving),
        // In again, in a new session or because the room has lost us.
        (Self::Entered, Self::Joining),
        (Self::Inside, Self::Joining),
        // The leave never left, and the room has let us in meanwhile.
        (Self::Leaving, Self::Inside),
    ];
}

impl State {
    fn place(&self) -> VisitPlace {
        match self {
            Self::Joining { .. } => VisitPlace::Joining,
            Self::Entered { .. } => VisitPlace::Entered,
            Self::Inside => VisitPlace::Inside,
            Self::Leaving => VisitPlace::Leaving,
        }
    }
}

/// What is remembered on the way back in.
#[derive(Debug)]
pub(super) struct Returning {
    /// Our nick before.
    pub(super) nick: String,
    /// Who was there.
    pub(super) before: Vec<Rc<Occupant>>,
    /// How often the room was asked without success.
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
    pub(super) state: State,
    /// The join, until it is settled.
    pub(super) join: Option<Waiting>,
    pub(super) returning: Option<Returning>,
    /// When we were in again after the room had lost us, for the last few times.
    pub(super) returns: Vec<Instant>,
    pub(super) occupants: Occupants,
    pub(super) crowded: bool,
    pub(super) subject: Option<String>,
    pub(super) sent: Sent,
    pub(super) heard: Heard,
    /// Nothing has shown yet that all of the history has come, although it is not waited for any more.
    pub(super) open_history: bool,
}

impl Visit {
    pub(super) fn new(
        id: RoomId,
        room: &str,
        nick: &str,
        password: Option<String>,
        history: History,
        join: Waiting,
    ) -> Self {
        Self {
            id,
            room: room.into(),
            nick: nick.into(),
            password,
            history,
            state: State::Joining { unmarked: None },
            join: Some(join),
            returning: None,
            returns: Vec::new(),
            occupants: Occupants::default(),
            crowded: false,
            subject: None,
            sent: Sent::default(),
            heard: Heard::default(),
            open_history: false,
        }
    }

    /// The next state.
    pub(super) fn enter(&mut self, next: State) {
        let (from, to) = (self.state.place(), next.place());
        let stays = from == to;
        debug_assert!(stays || from.may_become(to), "{from:?} → {to:?}");
        self.state = next;
    }

    /// Its id.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// The room's bare JID.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Our nick: as asked for until the room lets us in, then as the room has it.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// Whether we are really in.
    pub fn is_joined(&self) -> bool {
        matches!(self.state, State::Inside)
    }

    /// Whether we were in, and are on the way back.
    pub fn is_returning(&self) -> bool {
        self.returning.is_some()
    }

    /// The subject, once it is known; empty when there is none.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Those who are in the room, we too, sorted by nick.
    pub fn occupants(&self) -> &[Rc<Occupant>] {
        self.occupants.all()
    }

    /// Who has that nick, written as the room writes it.
    pub fn occupant(&self, nick: &str) -> Option<&Rc<Occupant>> {
        self.occupants.get(nick)
    }

    pub(super) fn is_joining(&self) -> bool {
        matches!(self.state, State::Joining { .. })
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving)
    }

    /// What comes behind the history has come.
    pub(super) fn close_history(&mut self, shared: &mut Shared) {
        self.report_kept(shared);
        self.open_history = false;
        self.heard.end_history();
    }

    /// The history is over, or the visit: reports what was kept back of it.
    pub(super) fn report_kept(&mut self, shared: &mut Shared) {
        for message in self.heard.take_kept() {
            shared.emit(self.id, RoomEvent::Message(message));
        }
    }

    /// Whether nobody with the wanted nick has been listed since the join.
    pub(super) fn awaits_own_presence(&self) -> bool {
        self.is_joining() && self.occupants.get(&self.nick).is_none()
    }

    /// Whether the room's history may still come.
    pub(super) fn awaits_history(&self) -> bool {
        matches!(
            self.state,
            State::Joining { .. } | State::Entered { subject: true, .. }
        ) || self.open_history
    }
}

impl Visit {
    /// Whether an occupant can be noted; there may be too many.
    fn has_room(&mut self, shared: &mut Shared, nick: &str) -> bool {
        if !self.occupants.is_full() || self.occupants.get(nick).is_some() {
            return true;
        }
        if !core::mem::replace(&mut self.crowded, true) {
            shared.emit(self.id, RoomEvent::Crowded);
        }
        false
    }

    /// Notes an occupant who was there before us.
    pub(super) fn add_silently(&mut self, shared: &mut Shared, occupant: Rc<Occupant>) {
        if self.has_room(shared, &occupant.nick) {
            self.occupants.insert(occupant);
        }
    }

    /// Notes an occupant, and reports what is new.
    pub(super) fn add(&mut self, shared: &mut Shared, occupant: Rc<Occupant>) {
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

    /// An occupant's entry moves to another nick; the presence under the new one follows.
    pub(super) fn rename(&mut self, shared: &mut Shared, from: String, to: &str, own: bool) {
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
