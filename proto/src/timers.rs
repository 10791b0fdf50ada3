//! A table of deadlines: one enum of timers and one array of instants for each machine.
//!
//! A machine names its timers by an enum with `#[repr(usize)]` and implements [`Name`] for it. The time of the
//! machine's next call is the smallest entry of one table, so no deadline can be forgotten.

use super::time::Instant;
use core::marker::PhantomData;

/// The names of a machine's timers.
pub trait Name: Copy {
    /// The index of the timer in the table; less than the table's length.
    fn index(self) -> usize;
}

/// The deadlines of a machine with `N` timers.
#[derive(Debug)]
pub struct Timers<T, const N: usize> {
    due: [Option<Instant>; N],
    names: PhantomData<T>,
}

impl<T, const N: usize> Default for Timers<T, N> {
    fn default() -> Self {
        Self {
            due: [None; N],
            names: PhantomData,
        }
    }
}

impl<T: Name, const N: usize> Timers<T, N> {
    /// Sets the timer, whether or not it was set before.
    pub fn set(&mut self, timer: T, at: Instant) {
        if let Some(due) = self.due.get_mut(timer.index()) {
            *due = Some(at);
        }
    }

    /// Stops the timer.
    pub fn stop(&mut self, timer: T) {
        if let Some(due) = self.due.get_mut(timer.index()) {
            *due = None;
        }
    }

    /// When the timer is due; `None` when it is not set.
    pub fn get(&self, timer: T) -> Option<Instant> {
        self.due.get(timer.index()).copied().flatten()
    }

    /// Whether the timer is set and its time has come.
    pub fn is_due(&self, timer: T, now: Instant) -> bool {
        self.get(timer).is_some_and(|at| now >= at)
    }

    /// Stops the timer if its time has come. Returns true if it had.
    pub fn expire(&mut self, timer: T, now: Instant) -> bool {
        let due = self.is_due(timer, now);
        if due {
            self.stop(timer);
        }
        due
    }

    /// The earliest deadline of all.
    pub fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }
}
