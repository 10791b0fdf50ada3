//! The clocks: one that only goes forward, for deadlines; one that tells the date, for people.

use super::global::performance_now;
use epode_proto::time::Instant;

/// The monotonic clock, in whole milliseconds.
pub fn now() -> Instant {
    // A page's time origin is its own start: always small and never negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Instant(performance_now() as u64)
}

/// Milliseconds since 1970, by the machine's clock.
pub fn unix_millis() -> f64 {
    js_sys::Date::now()
}
