//! Which presences to a room are still unanswered, in the order in which they were sent.
//!
//! A room handles what one session sends in order, and answers in order. So an answer that carries the id of a presence belongs
//! to that presence, and everything before it has been handled; an answer without such an id belongs to the oldest presence
//! that it can answer. COMPAT(Prosody 0.12, ejabberd 23.01): both repeat the id of a join and of a leave; that of a change
//! of nick Prosody repeats in the presence under the new nick, where ejabberd repeats the one of the join.
//!
//! The ledger belongs to the room and not to the visit: a visit that was given up leaves its join and its leave here, so that
//! their answers are not taken for those of the next visit.

use crate::time::{Instant, Millis};
use crate::xep::muc::event::{CommandId, RoomId};

/// How many unanswered presences are kept.
const MOST_STEPS: usize = 64;
/// How long the answer to a presence that nobody waits for is expected. After that, a lost answer no longer stands in the way.
pub(super) const EXPIRY: Millis = Millis::seconds(300);

/// A command that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) command: CommandId,
    pub(super) deadline: Instant,
}

/// What a presence asks for.
#[derive(Debug)]
pub(super) enum Ask {
    Join,
    /// Another nick.
    Nick(Option<Waiting>),
    /// To be let go.
    Leave(Vec<Waiting>),
}

/// A presence that was sent and not answered.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) ask: Ask,
    pub(super) id: String,
    /// The occupant JID's resource that it was sent to, normalised.
    pub(super) nick: String,
    pub(super) visit: RoomId,
    pub(super) sent: Instant,
}

impl Step {
    pub(super) fn is_leave(&self) -> bool {
        matches!(self.ask, Ask::Leave(_))
    }

    /// Whether a command waits for its answer; the command of a join is its visit's.
    fn is_awaited(&self) -> bool {
        match &self.ask {
            Ask::Join => false,
            Ask::Nick(waiting) => waiting.is_some(),
            Ask::Leave(waiting) => !waiting.is_empty(),
        }
    }
}

/// The unanswered presences, and what the answers so far say.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The oldest first; few.
    steps: Vec<Step>,
    /// The nick under which the room has us, as far as it has answered; `None`: it does not have us.
    pub(super) present: Option<String>,
}

impl Ledger {
    /// Notes a presence. Returns the oldest one when there are too many: its answer will not be recognised.
    #[must_use]
    pub(super) fn push(&mut self, step: Step) -> Option<Step> {
        self.steps.push(step);
        (self.steps.len() > MOST_STEPS).then(|| self.steps.remove(0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        self.steps.iter_mut()
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Step) -> bool) {
        self.steps.retain(keep);
    }

    /// The oldest step that the room still has to answer: it does not answer the leave of somebody who is not in.
    pub(super) fn front(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| self.present.is_some() || !step.is_leave())
    }

    /// The step with that id.
    pub(super) fn find(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether nothing older than the join of that visit is unanswered.
    pub(super) fn is_turn_of(&self, visit: RoomId) -> bool {
        self.front()
            .is_some_and(|step| matches!(step.ask, Ask::Join) && step.visit == visit)
    }

    /// Whether the join of that visit is unanswered.
    pub(super) fn awaits_join(&self, visit: RoomId) -> bool {
        let is_it = |step: &Step| matches!(step.ask, Ask::Join) && step.visit == visit;
        self.steps.iter().any(is_it)
    }

    /// Takes the step with that id out, and all that were sent before it.
    pub(super) fn take(&mut self, id: &str) -> Option<(Vec<Step>, Step)> {
        let at = self.steps.iter().position(|step| step.id == id)?;
        let rest = self.steps.split_off(at + 1);
        let step = self.steps.pop()?;
        Some((core::mem::replace(&mut self.steps, rest), step))
    }

    /// Takes the oldest leave out, and the changes of nick before it; not if a join is older.
    pub(super) fn take_leave(&mut self) -> Option<Vec<Step>> {
        let at = self.steps.iter().position(Step::is_leave)?;
        let joins = self
            .steps
            .iter()
            .take(at)
            .any(|step| matches!(step.ask, Ask::Join));
        if joins {
            return None;
        }
        let rest = self.steps.split_off(at + 1);
        Some(core::mem::replace(&mut self.steps, rest))
    }

    /// Takes everything out: the session is gone.
    pub(super) fn take_all(&mut self) -> Vec<Step> {
        self.present = None;
        core::mem::take(&mut self.steps)
    }

    /// Forgets the presences that nobody waits for and that have not been answered for long. `current` is the visit whose join
    /// is awaited.
    pub(super) fn expire(&mut self, now: Instant, current: Option<RoomId>) {
        self.steps.retain(|step| {
            step.is_awaited()
                || matches!(step.ask, Ask::Join) && Some(step.visit) == current
                || now < step.sent + EXPIRY
        });
    }

    /// When the oldest step expires.
    pub(super) fn expiry(&self) -> Option<Instant> {
        self.steps.iter().map(|step| step.sent + EXPIRY).min()
    }
}
