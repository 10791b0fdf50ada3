//! The unanswered presences to a room, in the order of sending.
//!
//! A room handles what one session sends in order, and answers in order. So an answer that carries the id of a presence belongs
//! to that presence, and everything before it has been handled; an answer without such an id belongs to the oldest presence
//! that it can answer. COMPAT(Prosody 0.12, ejabberd 23.01): both repeat the id of a join and of a leave; that of a change
//! of nick Prosody repeats in the presence under the new nick, where ejabberd repeats the one of the join.
//!
//! The ledger belongs to the room and not to the visit: an abandoned visit leaves its join and its leave here, so that
//! their answers are not taken for those of the next visit.

use crate::time::{Instant, Millis};
use crate::xep::muc::event::{CommandId, RoomId};

/// How many unanswered presences are kept.
const MOST_STEPS: usize = 64;
/// How long the answer to an abandoned presence is expected. After this time a lost answer does not block others.
pub(super) const EXPIRY: Millis = Millis::seconds(300);

/// A command that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingCommand {
    pub(super) command: CommandId,
    pub(super) deadline: Instant,
}

/// The request that a presence makes.
#[derive(Debug)]
pub(super) enum PresenceRequest {
    Join,
    /// Another nick.
    Nick(Option<PendingCommand>),
    /// Leave.
    Leave(Vec<PendingCommand>),
}

/// A presence that was sent and not answered.
#[derive(Debug)]
pub(super) struct UnansweredPresence {
    pub(super) ask: PresenceRequest,
    pub(super) id: String,
    /// The occupant JID's resource that it was sent to, normalised.
    pub(super) nick: String,
    pub(super) visit: RoomId,
    pub(super) sent: Instant,
}

impl UnansweredPresence {
    pub(super) fn is_leave(&self) -> bool {
        matches!(self.ask, PresenceRequest::Leave(_))
    }

    /// Whether a command waits for its answer; the command of a join is its visit's.
    fn is_awaited(&self) -> bool {
        match &self.ask {
            PresenceRequest::Join => false,
            PresenceRequest::Nick(waiting) => waiting.is_some(),
            PresenceRequest::Leave(waiting) => !waiting.is_empty(),
        }
    }
}

/// The unanswered presences, and our state in the room according to the answers.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The oldest first; few.
    steps: Vec<UnansweredPresence>,
    /// Our nick in the room according to the answers so far; `None`: not in the room.
    pub(super) present: Option<String>,
}

impl Ledger {
    /// Adds a presence. Beyond the limit returns the oldest one, whose answer will not be recognised.
    #[must_use]
    pub(super) fn push(&mut self, step: UnansweredPresence) -> Option<UnansweredPresence> {
        self.steps.push(step);
        (self.steps.len() > MOST_STEPS).then(|| self.steps.remove(0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &UnansweredPresence> {
        self.steps.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut UnansweredPresence> {
        self.steps.iter_mut()
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&UnansweredPresence) -> bool) {
        self.steps.retain(keep);
    }

    /// The oldest presence that the room must answer. A room does not answer the leave of a non-occupant.
    pub(super) fn front(&self) -> Option<&UnansweredPresence> {
        self.steps
            .iter()
            .find(|step| self.present.is_some() || !step.is_leave())
    }

    /// The presence with this id.
    pub(super) fn find(&self, id: &str) -> Option<&UnansweredPresence> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether nothing older than the join of that visit is unanswered.
    pub(super) fn is_turn_of(&self, visit: RoomId) -> bool {
        self.front()
            .is_some_and(|step| matches!(step.ask, PresenceRequest::Join) && step.visit == visit)
    }

    /// Whether the join of that visit is unanswered.
    pub(super) fn awaits_join(&self, visit: RoomId) -> bool {
        let is_it = |step: &UnansweredPresence| {
            matches!(step.ask, PresenceRequest::Join) && step.visit == visit
        };
        self.steps.iter().any(is_it)
    }

    /// Removes the presence with this id and all earlier ones.
    pub(super) fn take(
        &mut self,
        id: &str,
    ) -> Option<(Vec<UnansweredPresence>, UnansweredPresence)> {
        let at = self.steps.iter().position(|step| step.id == id)?;
        let rest = self.steps.split_off(at + 1);
        let step = self.steps.pop()?;
        Some((core::mem::replace(&mut self.steps, rest), step))
    }

    /// Removes the oldest leave and the changes of nick before it, unless a join is older.
    pub(super) fn take_leave(&mut self) -> Option<Vec<UnansweredPresence>> {
        let at = self.steps.iter().position(UnansweredPresence::is_leave)?;
        let joins = self
            .steps
            .iter()
            .take(at)
            .any(|step| matches!(step.ask, PresenceRequest::Join));
        if joins {
            return None;
        }
        let rest = self.steps.split_off(at + 1);
        Some(core::mem::replace(&mut self.steps, rest))
    }

    /// Removes all presences: the session is lost.
    pub(super) fn take_all(&mut self) -> Vec<UnansweredPresence> {
        self.present = None;
        core::mem::take(&mut self.steps)
    }

    /// Removes abandoned presences whose answer is overdue. `current` is the visit whose join
    /// is awaited.
    pub(super) fn expire(&mut self, now: Instant, current: Option<RoomId>) {
        self.steps.retain(|step| {
            step.is_awaited()
                || matches!(step.ask, PresenceRequest::Join) && Some(step.visit) == current
                || now < step.sent + EXPIRY
        });
    }

    /// When the oldest presence expires.
    pub(super) fn expiry(&self) -> Option<Instant> {
        self.steps.iter().map(|step| step.sent + EXPIRY).min()
    }
}
