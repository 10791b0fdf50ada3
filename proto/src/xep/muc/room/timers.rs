//! The deadlines of one room.

use crate::timers::{Name, Timers};

/// The timers of a room.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(super) enum RoomTimer {
    /// The reply to a rejoin; the next request that configures a new room.
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

impl Name for RoomTimer {
    fn index(self) -> usize {
        self as usize
    }
}

/// The deadlines of one room.
pub(super) type RoomTimers = Timers<RoomTimer, 6>;

/// Stops the timers of a visit: all except the timer of the room's ledger.
pub(super) fn end_visit(timers: &mut RoomTimers) {
    let expiry = timers.get(RoomTimer::Expiry);
    *timers = RoomTimers::default();
    if let Some(expiry) = expiry {
        timers.set(RoomTimer::Expiry, expiry);
    }
}
