//! `<x xmlns='http://jabber.org/protocol/muc#user'/>` in presence (XEP-0045 §18.2), added by the room.
//!
//! A service removes such payloads from what occupants send (§7.4 of the specification allows them nowhere else). Not all
//! services do, and then a presence has two: the occupant's and the room's. So:
//!
//! - the room's is the one with the `<item/>`; with several, the last, since a service appends its own;
//! - the marks of our own presence (status 110, 201 or 210, our real JID) must be in every payload with an `<item/>`: an occupant can
//!   then only remove the marks, not forge them;
//! - without any `<item/>`, one single `<x/>` is read, and [`MucUser::is_itemized`] is false: the caller trusts it less.

use crate::ns;
use crate::xml::Element;

/// How many status codes of a stanza are read.
const MOST_CODES: usize = 32;

/// The `muc#user` payload of a stanza.
#[derive(Debug, Default)]
pub(crate) struct MucUser {
    pub(crate) x: Option<Element>,
    pub(crate) item: Option<Element>,
    pub(crate) codes: Vec<u16>,
    /// Status 110 (self-presence), 201 (created) or 210 (nick modified): only the addressee's own presence has one.
    marked: bool,
    /// The real JID.
    jid: Option<String>,
}

impl MucUser {
    pub(crate) fn of(stanza: &Element) -> Self {
        let all: Vec<Element> = stanza
            .children()
            .filter(|child| child.is("x", ns::MUC_USER))
            .collect();
        let itemized: Vec<&Element> = all
            .iter()
            .filter(|x| x.has_child("item", ns::MUC_USER))
            .collect();
        let x = match (itemized.last(), all.as_slice()) {
            (Some(last), _) => *last,
            (None, [only]) => only,
            _ => return Self::default(),
        };
        let item = x.child("item", ns::MUC_USER);
        let codes = codes(x);
        let own = |codes: &[u16]| codes.iter().any(|code| matches!(code, 110 | 201 | 210));
        let jid = item
            .as_ref()
            .and_then(|item| item.attr("jid"))
            .map(str::to_owned);
        let agreed = itemized.iter().all(|x| {
            let item = x.child("item", ns::MUC_USER);
            item.is_some_and(|item| item.attr("jid") == jid.as_deref())
        });
        Self {
            marked: own(&codes) && itemized.iter().all(|x| own(&self::codes(x))),
            x: Some(x.clone()),
            item,
            codes,
            jid: jid.filter(|_| agreed),
        }
    }

    /// The status codes of a message from the room itself, in its first payload. It has no `<item/>`.
    pub(crate) fn configuration_codes(message: &Element) -> Vec<u16> {
        message
            .child("x", ns::MUC_USER)
            .map(|x| codes(&x))
            .unwrap_or_default()
    }

    pub(crate) fn has(&self, code: u16) -> bool {
        self.codes.contains(&code)
    }

    /// Whether a status code says that the presence is our own.
    pub(crate) fn is_marked(&self) -> bool {
        self.marked
    }

    /// Whether the payload was certainly added by the room: it has an `<item/>`.
    pub(crate) fn is_itemized(&self) -> bool {
        self.item.is_some()
    }

    /// The real JID, where the room shows it.
    pub(crate) fn jid(&self) -> Option<&str> {
        self.jid.as_deref()
    }

    /// The next nick, in the unavailable presence of the nick before (§7.6). Its status 303 may be absent: no other presence has a
    /// `nick` attribute there.
    pub(crate) fn next_nick(&self) -> Option<&str> {
        let nick = self.item.as_ref()?.attr("nick")?;
        (!nick.is_empty()).then_some(nick)
    }

    /// Whether a status code, or `<destroy/>`, says that the occupant was removed.
    pub(crate) fn is_removal(&self) -> bool {
        let destroyed = |x: &Element| x.has_child("destroy", ns::MUC_USER);
        self.codes
            .iter()
            .any(|code| matches!(code, 301 | 307 | 321 | 322 | 332 | 333))
            || self.x.as_ref().is_some_and(destroyed)
    }
}

fn codes(x: &Element) -> Vec<u16> {
    let mut codes = Vec::new();
    for child in x.children() {
        let code = child.attr("code").unwrap_or_default();
        if child.is("status", ns::MUC_USER)
            && codes.len() < MOST_CODES
            && let Ok(code) = code.parse()
        {
            codes.push(code);
        }
    }
    codes
}
