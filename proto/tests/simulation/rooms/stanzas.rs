//! What a service writes to a session.

use super::kind::{Kind, Marks, StampedBy};
use epode_proto::ns;
use epode_proto::stanza::ErrorKind;
use epode_proto::stanza::StanzaError;
use epode_proto::xep::delay::Delay;
use epode_proto::xml::{Builder, Element};

/// The service's domain.
pub const SERVICE: &str = "muc.example.org";
/// Marks a message with its place in the room's record, and with the join that it was sent for.
pub const RECORD: &str = "urn:example:record";
/// The status code of the join with number 0. Codes that nobody knows are reported to the caller with the others.
pub const JOIN_CODE: usize = 2_000;

/// The full JID of a session.
pub fn page_jid(session: usize) -> String {
    format!("a@example.org/{session}")
}

/// What a presence says of an occupant.
pub struct Described<'a> {
    pub nick: &'a str,
    pub jid: &'a str,
    pub show: Option<&'static str>,
}

/// How a presence is addressed.
#[derive(Clone, Copy)]
pub struct Addressed<'a> {
    pub room: &'a str,
    pub session: usize,
    /// It is about this session itself.
    pub own: bool,
    pub id: Option<&'a str>,
}

fn codes(x: Builder, codes: &[u16]) -> Builder {
    codes.iter().fold(x, |x, code| {
        x.element("status", ns::MUC_USER, |status| {
            status.attr("code", &code.to_string())
        })
    })
}

fn presence(to: Addressed<'_>, nick: &str) -> Builder {
    Element::builder("presence", ns::CLIENT)
        .attr("from", &format!("{}/{nick}", to.room))
        .attr("to", &page_jid(to.session))
        .attr_opt("id", to.id.filter(|_| to.own))
}

fn marks(kind: &Kind, to: Addressed<'_>, more: &[u16]) -> Vec<u16> {
    let marked = to.own && matches!(kind.marks, Marks::Status | Marks::StatusAndJid);
    let own = marked.then_some(110);
    own.into_iter().chain(more.iter().copied()).collect()
}

/// Somebody is there.
pub fn available(kind: &Kind, to: Addressed<'_>, who: &Described<'_>, more: &[u16]) -> String {
    let jid = matches!(kind.marks, Marks::Jid | Marks::StatusAndJid).then_some(who.jid);
    let x = Element::builder("x", ns::MUC_USER).element("item", ns::MUC_USER, |item| {
        item.attr("affiliation", "none")
            .attr("role", "participant")
            .attr_opt("jid", jid)
    });
    let x = codes(x, &marks(kind, to, more)).build();
    let mut stanza = presence(to, who.nick);
    if let Some(show) = who.show {
        stanza = stanza.element("show", ns::CLIENT, |text| text.text(show));
    }
    stanza.child(x).build().to_xml()
}

/// Why somebody is not there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Going {
    Left,
    Kicked,
    Banned,
    Renamed(String),
    /// With the room to go to instead.
    Destroyed(Option<String>),
}

/// Somebody goes.
pub fn unavailable(kind: &Kind, to: Addressed<'_>, who: &Described<'_>, why: &Going) -> String {
    let jid = matches!(kind.marks, Marks::Jid | Marks::StatusAndJid).then_some(who.jid);
    let (nick, role, code) = match why {
        Going::Left | Going::Destroyed(_) => (None, "none", None),
        Going::Kicked => (None, "none", Some(307)),
        Going::Banned => (None, "none", Some(301)),
        Going::Renamed(nick) => (Some(nick.as_str()), "participant", Some(303)),
    };
    let affiliation = if *why == Going::Banned {
        "outcast"
    } else {
        "none"
    };
    let mut x = Element::builder("x", ns::MUC_USER).element("item", ns::MUC_USER, |item| {
        item.attr("affiliation", affiliation)
            .attr("role", role)
            .attr_opt("jid", jid)
            .attr_opt("nick", nick)
    });
    if let Going::Destroyed(alternative) = why {
        x = x.element("destroy", ns::MUC_USER, |destroy| {
            destroy.attr_opt("jid", alternative.as_deref())
        });
    }
    let x = codes(x, &marks(kind, to, code.as_slice())).build();
    let stanza = presence(to, who.nick).attr("type", "unavailable").child(x);
    stanza.build().to_xml()
}

/// A message as it was stored.
pub struct Said<'a> {
    pub nick: &'a str,
    pub id: Option<&'a str>,
    pub body: &'a str,
    /// Where it is in the room's record.
    pub place: usize,
    /// When it was said, if it is history.
    pub held: Option<i64>,
    /// The sender has stamped it as if it were.
    pub forged: bool,
}

/// A message to the occupant that entered by `join`.
pub fn message(kind: &Kind, room: &str, session: usize, join: usize, said: &Said<'_>) -> String {
    let mut stanza = Element::builder("message", ns::CLIENT)
        .attr("type", "groupchat")
        .attr("from", &format!("{room}/{}", said.nick))
        .attr("to", &page_jid(session))
        .attr_opt("id", said.id)
        .element("body", ns::CLIENT, |body| body.text(said.body))
        .element("place", RECORD, |record| {
            record
                .attr("n", &said.place.to_string())
                .attr("join", &join.to_string())
                .attr_opt("held", said.held.map(|_| "true"))
        });
    if said.forged {
        let delay = Delay {
            stamp: 1_000_000_000_000,
            from: Some(format!("{room}/{}", said.nick)),
            reason: None,
        };
        stanza = stanza.child(delay.to_element());
    }
    if let Some(stamp) = said.held {
        let delay = Delay {
            stamp,
            from: match kind.stamped_by {
                StampedBy::Room => Some(room.into()),
                StampedBy::Domain => Some(SERVICE.into()),
                StampedBy::Nobody => None,
            },
            reason: None,
        };
        stanza = stanza.child(delay.to_element());
    }
    stanza.build().to_xml()
}

/// The subject; set by that occupant just now, or earlier.
pub fn subject(room: &str, session: usize, text: &str, by: Option<&str>) -> String {
    let from = by.map_or(room.to_owned(), |nick| format!("{room}/{nick}"));
    Element::builder("message", ns::CLIENT)
        .attr("type", "groupchat")
        .attr("from", &from)
        .attr("to", &page_jid(session))
        .element("subject", ns::CLIENT, |subject| subject.text(text))
        .build()
        .to_xml()
}

/// What refuses a stanza.
pub fn refusal(stanza: &Element, kind: ErrorKind, condition: &str) -> String {
    let error = StanzaError::new(kind, condition).to_element();
    // What was refused comes with it (RFC 6120 §8.3.1), so that the judge knows it again.
    Element::builder(stanza.name(), ns::CLIENT)
        .attr("type", "error")
        .attr_opt("from", stanza.attr("to"))
        .attr_opt("id", stanza.attr("id"))
        .children(stanza.child("body", ns::CLIENT))
        .child(error)
        .build()
        .to_xml()
}

/// An empty result.
pub fn result(id: &str, from: &str) -> String {
    Element::builder("iq", ns::CLIENT)
        .attr("type", "result")
        .attr("from", from)
        .attr("id", id)
        .build()
        .to_xml()
}
