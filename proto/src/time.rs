//! Time as an argument: nothing in `proto` reads a clock.

use core::ops::{Add, Sub};

/// A point on the shell's monotonic clock, in milliseconds from an arbitrary start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub u64);

/// A span of time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// A span of whole seconds, the unit of most XMPP attributes (`wait`, `inactivity`, …).
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }
}

impl Add<Millis> for Instant {
    type Output = Self;
    fn add(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Instant {
    type Output = Millis;
    /// The time from `earlier` to `self`; zero if `earlier` is later.
    fn sub(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

/// The wall clock, provided by the shell: for dates that are sent to others and for comparing them. All other times are
/// [`Instant`]s.
pub trait Calendar {
    /// Milliseconds since 1970 UTC.
    fn unix_millis(&self) -> i64;

    /// The local time's offset, in minutes east of UTC.
    fn utc_offset_minutes(&self) -> i32;
}
