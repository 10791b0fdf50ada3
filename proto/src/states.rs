//! The states of a machine and the allowed transitions between them.
//!
//! A machine names its states by an enum without data ([`Place`]). Debug builds check every change of state against the
//! table, so that dialogues, simulation and fuzzing fail on a transition that is not allowed. A test
//! (`proto/tests/states.rs`) compares the diagrams in ARCHITECTURE.md with the same tables.

use core::fmt::Debug;

/// The states of a machine, by name.
pub trait Place: Copy + Debug + Eq + 'static {
    /// The allowed transitions: from which state to which state.
    const TRANSITIONS: &'static [(Self, Self)];

    /// Panics in debug builds if the transition to `next` is not allowed.
    fn check(self, next: Self) {
        debug_assert!(self.may_become(next), "{self:?} → {next:?}");
    }

    /// As `check`, but `next` may also be the current state.
    fn check_or_stays(self, next: Self) {
        debug_assert!(self == next || self.may_become(next), "{self:?} → {next:?}");
    }

    /// Whether the transition to `next` is allowed.
    fn may_become(self, next: Self) -> bool {
        Self::TRANSITIONS.contains(&(self, next))
    }
}
