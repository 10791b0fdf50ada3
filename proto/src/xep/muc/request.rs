//! What is asked of a room.

use crate::digits::decimal;
use crate::ns;
use crate::stanza::iq::{self, Kind};
use crate::xep::delay::write_date_time;
use crate::xml::Element;

/// How much of what was said before should come on entering (§7.2); the tightest bound counts. The default leaves it to
/// the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// So many messages.
    pub maxstanzas: Option<u32>,
    /// So many characters, markup included; 0 is nothing at all.
    pub maxchars: Option<u32>,
    /// Of so many seconds.
    pub seconds: Option<u32>,
    /// Since then, in milliseconds since 1970 UTC.
    pub since: Option<i64>,
}

impl History {
    /// The `<history/>`; `None` when nothing is bounded.
    pub(crate) fn to_element(self) -> Option<Element> {
        if self == Self::default() {
            return None;
        }
        let number = |bound: Option<u32>| bound.map(|bound| decimal(bound.into()));
        Some(
            Element::builder("history", ns::MUC)
                .attr_opt("maxstanzas", number(self.maxstanzas).as_deref())
                .attr_opt("maxchars", number(self.maxchars).as_deref())
                .attr_opt("seconds", number(self.seconds).as_deref())
                .attr_opt("since", self.since.map(write_date_time).as_deref())
                .build(),
        )
    }
}

/// Takes a new room as the service makes it (§10.1.2).
pub fn instant_room(room: &str) -> Element {
    let x = Element::builder("x", ns::DATA_FORM)
        .attr("type", "submit")
        .build();
    let query = Element::builder("query", ns::MUC_OWNER).child(x).build();
    iq::request(Kind::Set, Some(room), query)
}
