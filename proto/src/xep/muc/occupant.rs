//! What a room tells of the people in it: `<x xmlns='http://jabber.org/protocol/muc#user'/>` in presence.

use std::rc::Rc;

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
    /// From a presence.
    pub(crate) fn parse(nick: &str, presence: &Element, user: &User) -> Self {
        let mut occupant = Self {
            nick: nick.into(),
            show: presence.child_text("show", ns::CLIENT),
            status: presence.child_text("status", ns::CLIENT),
            ..Self::default()
        };
        if let Some(item) = &user.item {
            let role = item.attr("role");
            let affiliation = item.attr("affiliation");
            occupant.role = role.map(Role::parse).unwrap_or_default();
            occupant.affiliation = affiliation.map(Affiliation::parse).unwrap_or_default();
            occupant.jid = item.attr("jid").map(Into::into);
        }
        occupant
    }
}

/// Why someone is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Of their own will, or their connection ended.
    Left,
    /// Kicked (307).
    Kicked,
    /// Banned (301).
    Banned,
    /// The affiliation that let them in was taken (321).
    AffiliationLost,
    /// The room became members only (322).
    MembersOnly,
    /// The service shuts down (332).
    Shutdown,
    /// An error on the way to them, or the room had lost them (333). Entering again is the cure.
    Technical,
    /// The room was destroyed (§10.9).
    Destroyed,
}

/// How someone went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Why.
    pub why: Why,
    /// Who made them go, by nick or real JID.
    pub actor: Option<String>,
    /// The reason that was given, or their parting word.
    pub reason: Option<String>,
    /// For a destroyed room: the one to go to instead.
    pub alternative: Option<String>,
    /// All status codes, for those not told by `why`.
    pub codes: Vec<u16>,
}

impl Departure {
    /// From an unavailable presence.
    pub(crate) fn parse(presence: &Element, user: User) -> Self {
        let destroy = user
            .x
            .as_ref()
            .and_then(|x| x.child("destroy", ns::MUC_USER));
        // Several may be there: the stronger word counts, and 333 says that a kick was none.
        let why = [
            (destroy.is_some(), Why::Destroyed),
            (user.has(301), Why::Banned),
            (user.has(332), Why::Shutdown),
            (user.has(333), Why::Technical),
            (user.has(307), Why::Kicked),
            (user.has(321), Why::AffiliationLost),
            (user.has(322), Why::MembersOnly),
        ]
        .into_iter()
        .find_map(|(is, why)| is.then_some(why));
        let actor = user.item.as_ref().and_then(|item| {
            let actor = item.child("actor", ns::MUC_USER)?;
            let who = actor.attr("nick").or_else(|| actor.attr("jid"))?;
            Some(who.into())
        });
        let told = destroy.as_ref().or(user.item.as_ref());
        let reason = told.and_then(|told| told.child_text("reason", ns::MUC_USER));
        Self {
            why: why.unwrap_or(Why::Left),
            actor,
            reason: reason.or_else(|| presence.child_text("status", ns::CLIENT)),
            alternative: destroy.and_then(|destroy| destroy.attr("jid").map(Into::into)),
            codes: user.codes,
        }
    }
}

/// The `muc#user` payload of a stanza.
#[derive(Debug, Default)]
pub(crate) struct User {
    pub(crate) x: Option<Element>,
    pub(crate) item: Option<Element>,
    pub(crate) codes: Vec<u16>,
}

impl User {
    pub(crate) fn of(stanza: &Element) -> Self {
        let Some(x) = stanza.child("x", ns::MUC_USER) else {
            return Self::default();
        };
        let mut codes = Vec::new();
        for child in x.children() {
            let code = child.attr("code").unwrap_or_default();
            if child.is("status", ns::MUC_USER)
                && let Ok(code) = code.parse()
            {
                codes.push(code);
            }
        }
        Self {
            item: x.child("item", ns::MUC_USER),
            x: Some(x),
            codes,
        }
    }

    pub(crate) fn has(&self, code: u16) -> bool {
        self.codes.contains(&code)
    }
}

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
