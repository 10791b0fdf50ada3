//! `presence` (RFC 6121 §4).
//!
//! Left out: presence subscriptions, which belong to the roster.

use super::message::text_child;
use crate::ns;
use crate::xml::{Builder, Element};

/// Begins an available presence: broadcast (`None`) or directed.
pub fn available(to: Option<&str>) -> Builder {
    Element::builder("presence", ns::CLIENT).attr_opt("to", to)
}

/// Builds an unavailable presence with a status text.
pub fn unavailable(to: Option<&str>, status: Option<&str>) -> Element {
    Element::builder("presence", ns::CLIENT)
        .attr("type", "unavailable")
        .attr_opt("to", to)
        .children(status.map(|text| text_child("status", text)))
        .build()
}
