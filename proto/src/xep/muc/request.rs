//! Stanzas to a room (XEP-0045).

use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::stanza::{message, presence};
use crate::xep::delay::write_date_time;
use crate::xml::Element;

/// How much history to request on joining (§7.2). The strictest limit counts. By default the room decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The maximal number of messages.
    pub maxstanzas: Option<u32>,
    /// The maximal number of characters, including markup; 0 requests no history.
    pub maxchars: Option<u32>,
    /// The messages of the last seconds.
    pub seconds: Option<u32>,
    /// The messages since this time, in milliseconds since 1970 UTC.
    pub since: Option<i64>,
}

impl History {
    /// The `<history/>` element; `None` without limits.
    pub(crate) fn to_element(self) -> Option<Element> {
        if self == Self::default() {
            return None;
        }
        let number = |bound: Option<u32>| bound.map(|bound| bound.to_string());
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

/// Builds a join (§7.2). `to` is the room with the requested nick.
pub fn join(to: &str, id: &str, password: Option<&str>, history: History) -> Element {
    let password =
        password.map(|password| Element::builder("password", ns::MUC).text(password).build());
    let x = Element::builder("x", ns::MUC)
        .children(password)
        .children(history.to_element())
        .build();
    presence::available(Some(to))
        .attr("id", id)
        .child(x)
        .build()
}

/// Builds a groupchat message or a subject change: `child` is `body` or `subject`.
pub(crate) fn to_all(room: &str, id: &str, child: &str, text: &str) -> Element {
    message::builder(room, "groupchat")
        .attr("id", id)
        .child(message::text_child(child, text))
        .build()
}

/// Builds a private message (§7.5). `to` is the room with the occupant's nick.
pub(crate) fn private(to: &str, id: &str, body: &str) -> Element {
    message::builder(to, "chat")
        .attr("id", id)
        .child(message::text_child("body", body))
        .element("x", ns::MUC_USER, |x| x)
        .build()
}

/// Whether a stanza contains a room's password: a join (§7.2.6), a configuration that sets one (§10.1.3), or the end of a
/// room that names another one (§10.9). It must not be sent over a connection that is not confidential.
pub fn contains_password(stanza: &Element) -> bool {
    let joins = stanza
        .child("x", ns::MUC)
        .is_some_and(|x| x.has_child("password", ns::MUC));
    let destroys = stanza
        .child("query", ns::MUC_OWNER)
        .and_then(|query| query.child("destroy", ns::MUC_OWNER))
        .is_some_and(|destroy| destroy.has_child("password", ns::MUC_OWNER));
    let configures = stanza.child("query", ns::MUC_OWNER).is_some_and(|query| {
        let form = query.child("x", ns::DATA_FORM);
        form.is_some_and(|form| {
            form.children().any(|field| {
                let value = field.child_text("value", ns::DATA_FORM);
                field.attr("var") == Some("muc#roomconfig_roomsecret")
                    && value.is_some_and(|value| !value.is_empty())
            })
        })
    });
    joins || destroys || configures
}

/// Accepts the default configuration of a new room (instant room, §10.1.2).
pub fn instant_room(room: &str) -> Element {
    let x = Element::builder("x", ns::DATA_FORM)
        .attr("type", "submit")
        .build();
    let query = Element::builder("query", ns::MUC_OWNER).child(x).build();
    iq::request(IqType::Set, Some(room), query)
}
