//! The pending presences to a room, in the order of sending.
//!
//! A room handles the stanzas of one session in order, and replies in order. A reply with the id of a presence belongs to that
//! presence, and the room has handled everything before it. A reply without such an id belongs to the oldest presence that it
//! can reply to. COMPAT(Prosody 0.12, ejabberd 23.01): both repeat the id of a join and of a leave. In the presence under a new
//! nick, Prosody repeats the id of the change of nick, ejabberd the id of the join.
//!
//! The ledger belongs to the room and not to the visit: the join and the leave of an abandoned visit stay here, so that their
//! replies are not matched with the next visit.

use crate::time::{Instant, Millis};
use crate::xep::muc::event::{CommandId, RoomId};

/// How many pending presences are kept.
const MOST_STEPS: usize = 64;
/// How long the reply to an abandoned presence is expected. After this time a lost reply does not block others.
pub(super) const EXPIRY: Millis = Millis::seconds(300);

/// A command that waits for its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingCommand {
    pub(super) command: CommandId,
    pub(super) deadline: Instant,
}

/// The request that a presence makes.
#[derive(Debug)]
pub(super) enum PresenceRequest {
    Join,
    /// Change the nick.
    Nick(Option<PendingCommand>),
    /// Leave.
    Leave(Vec<PendingCommand>),
}

/// A presence that was sent and has no reply yet.
#[derive(Debug)]
pub(super) struct UnansweredPresence {
    pub(super) ask: PresenceRequest,
    pub(super) id: String,
    /// The resource of the occupant JID that the presence was sent to, normalised.
    pub(super) nick: String,
    pub(super) visit: RoomId,
    pub(super) sent: Instant,
}

impl UnansweredPresence {
    pub(super) fn is_leave(&self) -> bool {
        matches!(self.ask, PresenceRequest::Leave(_))
    }

    /// Whether a command waits for its reply; the command of a join belongs to its visit.
    fn is_awaited(&self) -> bool {
        match &self.ask {
            PresenceRequest::Join => false,
            PresenceRequest::Nick(waiting) => waiting.is_some(),
            PresenceRequest::Leave(waiting) => !waiting.is_empty(),
        }
    }
}

/// The pending presences, and our state in the room according to the replies.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The oldest first; only a few.
    steps: Vec<UnansweredPresence>,
    /// Our nick in the room according to the replies so far; `None`: not in the room.
    pub(super) present: Option<String>,
}

impl Ledger {
    /// Adds a presence. Beyond the limit, returns the oldest one, whose reply will not be recognised.
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

    /// The oldest presence that the room must reply to. A room does not reply to the leave of a non-occupant.
    pub(super) fn front(&self) -> Option<&UnansweredPresence> {
        self.steps
            .iter()
            .find(|step| self.present.is_some() || !step.is_leave())
    }

    /// The presence with this id.
    pub(super) fn find(&self, id: &str) -> Option<&UnansweredPresence> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether no presence older than the join of that visit is pending.
    pub(super) fn is_turn_of(&self, visit: RoomId) -> bool {
        self.front()
            .is_some_and(|step| matches!(step.ask, PresenceRequest::Join) && step.visit == visit)
    }

    /// Whether the join of that visit is pending.
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

    /// Removes abandoned presences whose reply is overdue. `current` is the visit whose join is pending.
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
