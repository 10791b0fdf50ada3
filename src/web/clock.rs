//! The monotonic clock, for deadlines, and the wall clock, for dates.

use super::global::performance_now;
use epode_proto::time::{Calendar, Instant};

/// The monotonic clock, in whole milliseconds.
pub fn now() -> Instant {
    // The time origin is the start of the page, so the value is small and never negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Instant(performance_now() as u64)
}

/// Milliseconds since 1970, by the machine's clock; 0 if the clock is set to an earlier time.
pub fn unix_millis() -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let millis = js_sys::Date::now() as u64;
    millis
}

/// The machine's clock and time zone.
pub struct PlatformCalendar;

impl Calendar for PlatformCalendar {
    #[allow(clippy::cast_possible_wrap)]
    fn unix_millis(&self) -> i64 {
        unix_millis() as i64
    }

    #[allow(clippy::cast_possible_truncation)]
    fn utc_offset_minutes(&self) -> i32 {
        // JavaScript's offset is positive west of UTC.
        -(js_sys::Date::new_0().get_timezone_offset() as i32)
    }
}
