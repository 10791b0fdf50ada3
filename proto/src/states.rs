//! Which states a machine has, and which state each may lead to.
//!
//! A machine names its states by an enum without data ([`Place`]). Every change of state is checked against the table in debug
//! builds, so that dialogues, simulation and fuzzing fail when a machine goes where it must not. The diagrams in ARCHITECTURE.md
//! are compared with the same tables by a test (`proto/tests/states.rs`).

use core::fmt::Debug;

/// The states of a machine, by name.
pub trait Place: Copy + Debug + Eq + 'static {
    /// From which state to which one the machine may go.
    const TRANSITIONS: &'static [(Self, Self)];

    /// Panics in debug builds if the machine may not go there from here.
    fn check(self, next: Self) {
        debug_assert!(self.may_become(next), "{self:?} → {next:?}");
    }

    /// The same for a machine that may be in `next` already.
    fn check_or_stays(self, next: Self) {
        debug_assert!(self == next || self.may_become(next), "{self:?} → {next:?}");
    }

    /// Whether the machine may go there from here.
    fn may_become(self, next: Self) -> bool {
        Self::TRANSITIONS.contains(&(self, next))
    }
}
