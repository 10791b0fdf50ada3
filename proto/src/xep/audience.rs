//! Decides which senders get replies about this client's software, time and presence: all senders, contacts, or none.
//!
//! A reply shows that the resource is online. A refused request therefore gets the error that the server sends for an
//! offline resource (RFC 6121 §8.5.3.2.3). Contacts are the roster entries that receive our presence anyway
//! (subscription `from` or `both`); a received presence proves nothing, since any entity can send one. The roster is
//! requested at the first request of a stranger.
//!
//! The own server and the own account always get replies, and so do the services and rooms that the caller uses.
//!
//! Left out: all other roster features (groups, names, changes, versions).

use crate::jid::Jid;
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::unicode::Unicode;
use crate::vec_map::VecMap;
use crate::xml::Element;

/// The largest number of requests that wait for the roster; further ones are refused.
const MOST_WAITING: usize = 32;
/// The largest number of kept contacts; further ones are treated as strangers.
const MOST_CONTACTS: usize = 20_000;

/// The senders that get replies, besides the own server and account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Every sender.
    #[default]
    Everyone,
    /// Roster entries that receive our presence.
    Contacts,
    /// No other sender.
    Nobody,
}

impl Audience {
    /// Parses the name of the option.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "everyone" => Some(Self::Everyone),
            "contacts" => Some(Self::Contacts),
            "nobody" => Some(Self::Nobody),
            _ => None,
        }
    }
}

/// The decision on a request.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyDecision {
    /// Answer the request.
    Answer,
    /// Refuse the request with the error that the server would send for an offline resource.
    Refuse,
    /// Keep the request until the roster arrives; holds the roster request if it must be sent now.
    Wait(Option<Element>),
}

/// The known part of the roster.
#[derive(Debug, Default)]
enum Roster {
    #[default]
    Unknown,
    /// The roster was requested; these requests wait for it.
    Requested(Vec<Element>),
    /// The contacts that receive our presence.
    Known(VecMap<Jid, ()>),
}

/// Decides which requests are answered.
#[derive(Debug, Default)]
pub struct Screening {
    audience: Audience,
    roster: Roster,
}

impl Screening {
    /// Creates the decision for an audience; the roster is not known yet.
    pub fn new(audience: Audience) -> Self {
        Self {
            audience,
            roster: Roster::Unknown,
        }
    }

    /// Resets for a new session: waiting requests can no longer be answered, and the roster may have changed.
    pub fn reset(&mut self) {
        self.roster = Roster::Unknown;
    }

    /// Decides on a request that no handler answers. `own`: our full JID; `is_in_use`: the sender is a service or a
    /// room that the caller uses.
    pub fn judge(
        &mut self,
        question: &Element,
        own: &Jid,
        is_in_use: bool,
        unicode: &dyn Unicode,
    ) -> ReplyDecision {
        let Some(from) = question.attr("from") else {
            return ReplyDecision::Answer;
        };
        if self.audience == Audience::Everyone || is_in_use {
            return ReplyDecision::Answer;
        }
        let Ok(from) = Jid::parse(from, unicode) else {
            return ReplyDecision::Refuse;
        };
        if from.same_bare(own) || from.as_str() == own.domain() {
            return ReplyDecision::Answer;
        }
        if self.audience == Audience::Nobody {
            return ReplyDecision::Refuse;
        }
        match &mut self.roster {
            Roster::Known(contacts) if is_contact(contacts, &from) => ReplyDecision::Answer,
            Roster::Known(_) => ReplyDecision::Refuse,
            Roster::Requested(waiting) if waiting.len() >= MOST_WAITING => ReplyDecision::Refuse,
            Roster::Requested(waiting) => {
                waiting.push(question.detach());
                ReplyDecision::Wait(None)
            }
            Roster::Unknown => {
                self.roster = Roster::Requested(vec![question.detach()]);
                let query = Element::builder("query", ns::ROSTER).build();
                ReplyDecision::Wait(Some(iq::request(IqType::Get, None, query)))
            }
        }
    }

    /// Handles the roster; `None` if the server refuses it, as it does for anonymous accounts. Returns the waiting
    /// requests, to be judged again.
    pub fn handle_roster(
        &mut self,
        reply: Option<&Element>,
        unicode: &dyn Unicode,
    ) -> Vec<Element> {
        let mut contacts = VecMap::default();
        let query = reply.and_then(|reply| reply.child("query", ns::ROSTER));
        for item in query.iter().flat_map(Element::children) {
            note(&mut contacts, &item, unicode);
        }
        self.settle(Roster::Known(contacts))
    }

    /// Handles a roster request without a reply: the roster is requested again at the next request of a stranger.
    /// Returns the waiting requests, to be refused.
    pub fn handle_no_roster(&mut self) -> Vec<Element> {
        self.settle(Roster::Unknown)
    }

    fn settle(&mut self, roster: Roster) -> Vec<Element> {
        match core::mem::replace(&mut self.roster, roster) {
            Roster::Requested(waiting) => waiting,
            _ => Vec::new(),
        }
    }

    /// Handles a roster push (RFC 6121 §2.1.6). Returns true if it is one from the own account, and must be
    /// acknowledged.
    pub fn handle_push(&mut self, push: &Element, own: &Jid, unicode: &dyn Unicode) -> bool {
        let Roster::Known(contacts) = &mut self.roster else {
            return false;
        };
        let from = push.attr("from").map(|from| Jid::parse(from, unicode));
        let is_own = from.is_none_or(|from| from.is_ok_and(|from| from == own.bare()));
        let query = match push.child("query", ns::ROSTER) {
            Some(query) if is_own && push.attr("type") == Some("set") => query,
            _ => return false,
        };
        for item in query.children() {
            note(contacts, &item, unicode);
        }
        true
    }
}

/// Whether a sender is a contact, or the server of one.
fn is_contact(contacts: &VecMap<Jid, ()>, from: &Jid) -> bool {
    contacts.contains_key(&from.bare())
        || from.local().is_none()
            && from.is_bare()
            && contacts
                .keys()
                .any(|contact| contact.domain() == from.domain())
}

/// Adds an item of a roster. An item without an address is ignored; one without a subscription is not a contact.
fn note(contacts: &mut VecMap<Jid, ()>, item: &Element, unicode: &dyn Unicode) {
    if !item.is("item", ns::ROSTER) {
        return;
    }
    let Some(Ok(jid)) = item.attr("jid").map(|jid| Jid::parse(jid, unicode)) else {
        return;
    };
    let jid = jid.bare();
    if !matches!(item.attr("subscription"), Some("from" | "both")) {
        contacts.remove(&jid);
    } else if contacts.len() < MOST_CONTACTS {
        contacts.insert(jid, ());
    }
}
