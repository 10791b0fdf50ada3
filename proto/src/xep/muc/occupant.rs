//! The occupants of a room (XEP-0045 §5), as their presence describes them.

use std::rc::Rc;

use super::payload::MucUser;
use crate::ns;
use crate::xml::Element;

/// The role: an occupant's privileges during a visit (§5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Not in the room.
    None,
    /// May receive messages.
    Visitor,
    /// May send messages.
    #[default]
    Participant,
    /// May also kick, and grant and revoke voice.
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

/// The affiliation: the long-lived relation of a user to a room (§5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affiliation {
    /// Banned.
    Outcast,
    /// No affiliation.
    #[default]
    None,
    /// May join a members-only room.
    Member,
    /// May ban, and grant membership and the moderator role.
    Admin,
    /// May also configure and destroy the room.
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

/// An occupant of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occupant {
    /// The nick: a resourcepart, as the room writes it.
    pub nick: String,
    /// The role.
    pub role: Role,
    /// The affiliation.
    pub affiliation: Affiliation,
    /// The real JID, if the room shows it.
    pub jid: Option<String>,
    /// `away`, `chat`, `dnd` or `xa`; `None` is available.
    pub show: Option<String>,
    /// The status text.
    pub status: Option<String>,
}

impl Occupant {
    /// Parses a presence. Absent fields (role, affiliation, real JID, the whole `<item/>`) keep the value they had `before`;
    /// an absent `<show/>` or `<status/>` is cleared (RFC 6121 §4.7.2).
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

/// The maximal number of occupants kept for a room, so that a room cannot exhaust the memory.
const MOST_OCCUPANTS: usize = 20_000;

/// The occupants of a room, sorted by nick. Nicks are compared as the room writes them: the room normalises them, so that
/// equal nicks have the same form.
#[derive(Debug, Default)]
pub(crate) struct Occupants(Vec<Rc<Occupant>>);

impl Occupants {
    pub(crate) fn all(&self) -> &[Rc<Occupant>] {
        &self.0
    }

    pub(crate) fn get(&self, nick: &str) -> Option<&Rc<Occupant>> {
        self.0.get(self.position(nick).ok()?)
    }

    /// Whether the limit is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MOST_OCCUPANTS
    }

    /// Adds or replaces an occupant; returns the previous one with this nick.
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
