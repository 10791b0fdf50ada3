//! XEP-0202: Entity Time 2.0.
//!
//! Specification: XEP-0202 2.0.

use super::delay::{parse_date_time, parse_offset, write_date_time, write_offset};
use crate::ns;
use crate::xml::Element;

/// The time and the zone of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTime {
    /// Milliseconds since 1970 UTC.
    pub unix_ms: i64,
    /// Minutes east of UTC (JavaScript's `getTimezoneOffset` counts west).
    pub offset_minutes: i32,
}

impl EntityTime {
    /// The payload of a reply.
    pub fn to_element(&self) -> Element {
        let offset = write_offset(self.offset_minutes.into());
        // XEP-0202 requires an offset here, even for UTC.
        let offset = if offset == "Z" { "+00:00" } else { &offset };
        Element::builder("time", ns::TIME)
            .element("tzo", ns::TIME, |tzo| tzo.text(offset))
            .element("utc", ns::TIME, |utc| {
                utc.text(&write_date_time(self.unix_ms))
            })
            .build()
    }

    /// Parses the payload of a reply; `None` if it holds no time. Without an offset, UTC is assumed.
    pub fn parse(reply: &Element) -> Option<Self> {
        let time = reply.child("time", ns::TIME)?;
        let offset = match time.child_text("tzo", ns::TIME) {
            Some(offset) => parse_offset(&offset)?,
            None => 0,
        };
        Some(Self {
            unix_ms: parse_date_time(&time.child_text("utc", ns::TIME)?)?,
            offset_minutes: i32::try_from(offset).ok()?,
        })
    }
}
