//! A table of deadlines: one machine, one enum of timers, one array of instants.
//!
//! A machine names its timers by an enum with `#[repr(usize)]` and implements [`Name`] for it. So "when is this machine to be
//! called next" is one question to one table, and no deadline is forgotten in it.

use super::time::Instant;
use core::marker::PhantomData;

/// The names of a machine's timers.
pub trait Name: Copy {
    /// Where the timer is in the table: less than the table's length.
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
