//! Which senders get replies about this client's software, time and presence: everyone, contacts, or none.
//!
//! A reply to a question shows that the resource is online. A refused question therefore gets the error that the server gives
//! for a resource that is not there (RFC 6121 §8.5.3.2.3). Contacts are those of the roster who get our presence anyway
//! (subscription `from` or `both`); a received presence proves nothing, since any entity can send one. The roster
//! is requested when the first stranger asks.
//!
//! The own server and the own account are always answered, and so are the services and rooms that the caller uses.
//!
//! Left out: all else about rosters (groups, names, changes, versions).

use crate::jid::Jid;
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::unicode::Unicode;
use crate::vec_map::VecMap;
use crate::xml::Element;

/// The most questions that wait for the roster; further ones are refused.
const MOST_WAITING: usize = 32;
/// The most contacts that are kept; further ones are treated as strangers.
const MOST_CONTACTS: usize = 20_000;

/// Who is answered, besides the own server and account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Every sender.
    #[default]
    Everyone,
    /// Those on the roster who get our presence.
    Contacts,
    /// No one else.
    Nobody,
}

impl Audience {
    /// By the name of the option.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "everyone" => Some(Self::Everyone),
            "contacts" => Some(Self::Contacts),
            "nobody" => Some(Self::Nobody),
            _ => None,
        }
    }
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyDecision {
    /// Answer it.
    Answer,
    /// Refuse it, with the error that the server would send for an offline resource.
    Refuse,
    /// It waits for the roster; the request for it, where it is to be sent now.
    Wait(Option<Element>),
}

/// The known part of the roster.
#[derive(Debug, Default)]
enum Roster {
    #[default]
    Unknown,
    /// It was requested; these questions wait for it.
    Requested(Vec<Element>),
    /// These get our presence.
    Known(VecMap<Jid, ()>),
}

/// Decides who is answered.
#[derive(Debug, Default)]
pub struct Screening {
    audience: Audience,
    roster: Roster,
}

impl Screening {
    /// For an audience; nothing is known of the roster.
    pub fn new(audience: Audience) -> Self {
        Self {
            audience,
            roster: Roster::Unknown,
        }
    }

    /// A new session: what waited cannot be answered any more, and the roster may be another.
    pub fn reset(&mut self) {
        self.roster = Roster::Unknown;
    }

    /// Decides on a request that no handler answers. `own`: our full JID; `is_in_use`: the sender is a service or a room
    /// that the caller uses.
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

    /// The roster's reply; `None` when the server refuses it, as it does to accounts that have none. Gives the questions that
    /// waited, to be judged again.
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

    /// No reply came in time: it is requested again when the next stranger asks. Gives the questions that waited, to be refused.
    pub fn handle_no_roster(&mut self) -> Vec<Element> {
        self.settle(Roster::Unknown)
    }

    fn settle(&mut self, roster: Roster) -> Vec<Element> {
        match core::mem::replace(&mut self.roster, roster) {
            Roster::Requested(waiting) => waiting,
            _ => Vec::new(),
        }
    }

    /// A change of the roster that was requested (RFC 6121 §2.1.6): true when it is one, and is to be acknowledged. From our own
    /// account only.
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

/// Takes in an item of a roster. One without an address says nothing; one without a subscription has none.
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
