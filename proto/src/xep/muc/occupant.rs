//! The occupants of a room (XEP-0045 §5), as their presence describes them.

use std::rc::Rc;

use super::payload::MucUser;
use crate::ns;
use crate::xml::Element;

/// What an occupant may do during this visit (§5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Not in the room.
    None,
    /// May listen.
    Visitor,
    /// May speak.
    #[default]
    Participant,
    /// May also kick, and give and take voice.
    Moderator,
}

impl Role {
    /// The `role` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Visitor => "visitor",
            Self::Participant => "participant",
            Self::Moderator => "moderator",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "none" => Self::None,
            "visitor" => Self::Visitor,
            "moderator" => Self::Moderator,
            _ => Self::Participant,
        }
    }
}

/// What someone is to the room, lastingly (§5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affiliation {
    /// Banned.
    Outcast,
    /// Nothing in particular.
    #[default]
    None,
    /// May enter when it is for members only.
    Member,
    /// May ban, and make members and moderators.
    Admin,
    /// May do everything.
    Owner,
}

impl Affiliation {
    /// The `affiliation` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outcast => "outcast",
            Self::None => "none",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "outcast" => Self::Outcast,
            "member" => Self::Member,
            "admin" => Self::Admin,
            "owner" => Self::Owner,
            _ => Self::None,
        }
    }
}

/// Someone in the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occupant {
    /// The name in the room: a resourcepart, in the form in which the room writes it.
    pub nick: String,
    /// What they may do.
    pub role: Role,
    /// What they are.
    pub affiliation: Affiliation,
    /// Who they really are, where the room lets us know.
    pub jid: Option<String>,
    /// `away`, `chat`, `dnd` or `xa`; `None` is simply there.
    pub show: Option<String>,
    /// In their own words.
    pub status: Option<String>,
}

impl Occupant {
    /// From a presence. What it leaves out (a role, an affiliation, the real JID, the whole `<item/>`) is as it was `before`;
    /// a `<show/>` or `<status/>` that is absent is gone (RFC 6121 §4.7.2).
    pub(crate) fn parse(
        nick: &str,
        presence: &Element,
        user: &MucUser,
        before: Option<&Occupant>,
    ) -> Self {
        let mut occupant = before.cloned().unwrap_or_default();
        occupant.nick = nick.into();
        occupant.show = presence.child_text("show", ns::CLIENT);
        occupant.status = presence.child_text("status", ns::CLIENT);
        if let Some(item) = &user.item {
            if let Some(role) = item.attr("role") {
                occupant.role = Role::parse(role);
            }
            if let Some(affiliation) = item.attr("affiliation") {
                occupant.affiliation = Affiliation::parse(affiliation);
            }
            if let Some(jid) = item.attr("jid") {
                occupant.jid = Some(jid.into());
            }
        }
        occupant
    }
}

/// How many occupants of a room are kept: what a room sends without end must not fill the memory.
const MOST_OCCUPANTS: usize = 20_000;

/// Those in the room, sorted by nick. Nicks are compared as the room writes them: it is the one that normalises them, so that
/// two that are the same to it come in the same form.
#[derive(Debug, Default)]
pub(crate) struct Occupants(Vec<Rc<Occupant>>);

impl Occupants {
    pub(crate) fn all(&self) -> &[Rc<Occupant>] {
        &self.0
    }

    pub(crate) fn get(&self, nick: &str) -> Option<&Rc<Occupant>> {
        self.0.get(self.position(nick).ok()?)
    }

    /// Whether no other nick can be added.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MOST_OCCUPANTS
    }

    /// Adds or replaces; returns who was there under that nick.
    pub(crate) fn insert(&mut self, occupant: Rc<Occupant>) -> Option<Rc<Occupant>> {
        match self.position(&occupant.nick) {
            Ok(at) => {
                let old = self.0.get_mut(at)?;
                Some(core::mem::replace(old, occupant))
            }
            Err(at) => {
                self.0.insert(at, occupant);
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, nick: &str) -> Option<Rc<Occupant>> {
        let at = self.position(nick).ok()?;
        Some(self.0.remove(at))
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn position(&self, nick: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|occupant| occupant.nick.as_str().cmp(nick))
    }
}
