//! The deadlines of one room.

use crate::time::Instant;

/// The timers of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoomTimer {
    /// The answer to a rejoin.
    Answer,
    /// The subject that ends the history.
    Subject,
    /// The next attempt to rejoin.
    Rejoin,
    /// The presence that completes a change of nick.
    Rename,
    /// The next self-ping.
    Check,
    /// The removal of overdue presences.
    Expiry,
}

const COUNT: usize = 6;

/// A deadline for each [`RoomTimer`], at most.
#[derive(Debug, Default)]
pub(super) struct RoomTimers([Option<Instant>; COUNT]);

impl RoomTimers {
    pub(super) const ALL: [RoomTimer; COUNT] = [
        RoomTimer::Answer,
        RoomTimer::Subject,
        RoomTimer::Rejoin,
        RoomTimer::Rename,
        RoomTimer::Check,
        RoomTimer::Expiry,
    ];

    pub(super) fn set(&mut self, timer: RoomTimer, at: Instant) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = Some(at);
        }
    }

    pub(super) fn stop(&mut self, timer: RoomTimer) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = None;
        }
    }

    pub(super) fn get(&self, timer: RoomTimer) -> Option<Instant> {
        self.0.get(timer as usize).copied().flatten()
    }

    /// Whether the timer is due; a due timer is stopped.
    pub(super) fn expire(&mut self, timer: RoomTimer, now: Instant) -> bool {
        let due = self.get(timer).is_some_and(|at| at <= now);
        if due {
            self.stop(timer);
        }
        due
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops the timers of a visit.
    pub(super) fn end_visit(&mut self) {
        for timer in Self::ALL {
            if timer != RoomTimer::Expiry {
                self.stop(timer);
            }
        }
    }
}
