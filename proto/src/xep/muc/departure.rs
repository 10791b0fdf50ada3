//! Why an occupant left a room (XEP-0045 §7.14, §8.2, §9.1, §10.9, §17).

use super::payload::MucUser;
use crate::ns;
use crate::xml::Element;

/// The reason for a departure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepartureReason {
    /// The occupant left, or its connection ended.
    Left,
    /// Kicked (307).
    Kicked,
    /// Banned (301).
    Banned,
    /// Removed after a change of affiliation (321).
    AffiliationLost,
    /// Removed because the room became members-only (322).
    MembersOnly,
    /// Removed because the service shuts down (332).
    Shutdown,
    /// Removed because of a delivery error (333). Joining again is possible.
    Technical,
    /// The room was destroyed (§10.9).
    Destroyed,
    /// The occupant was absent when we rejoined; the reason is unknown.
    Missed,
}

/// The details of a departure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The reason.
    pub why: DepartureReason,
    /// The actor, by nick or real JID.
    pub actor: Option<String>,
    /// The reason text that the actor gave, or the occupant's status text.
    pub reason: Option<String>,
    /// The alternative room, if the room was destroyed.
    pub alternative: Option<String>,
    /// All status codes.
    pub codes: Vec<u16>,
}

impl Departure {
    /// An occupant whose reason is unknown.
    pub(crate) fn bare(why: DepartureReason) -> Self {
        Self {
            why,
            actor: None,
            reason: None,
            alternative: None,
            codes: Vec::new(),
        }
    }

    /// Parses an unavailable presence.
    pub(crate) fn parse(presence: &Element, user: MucUser) -> Self {
        let destroy = user
            .x
            .as_ref()
            .and_then(|x| x.child("destroy", ns::MUC_USER));
        // Of several codes the most severe one counts; 333 marks a kick as a delivery error.
        let why = [
            (destroy.is_some(), DepartureReason::Destroyed),
            (user.has(301), DepartureReason::Banned),
            (user.has(332), DepartureReason::Shutdown),
            (user.has(333), DepartureReason::Technical),
            (user.has(307), DepartureReason::Kicked),
            (user.has(321), DepartureReason::AffiliationLost),
            (user.has(322), DepartureReason::MembersOnly),
        ]
        .into_iter()
        .find_map(|(is, why)| is.then_some(why));
        let actor = user.item.as_ref().and_then(|item| {
            let actor = item.child("actor", ns::MUC_USER)?;
            let who = actor.attr("nick").or_else(|| actor.attr("jid"))?;
            Some(who.into())
        });
        let source = destroy.as_ref().or(user.item.as_ref());
        let reason = source.and_then(|source| source.child_text("reason", ns::MUC_USER));
        Self {
            why: why.unwrap_or(DepartureReason::Left),
            actor,
            reason: reason.or_else(|| presence.child_text("status", ns::CLIENT)),
            alternative: destroy.and_then(|destroy| destroy.attr("jid").map(Into::into)),
            codes: user.codes,
        }
    }
}
