//! Why an occupant is gone (XEP-0045 §7.14, §8.2, §9.1, §10.9, §17).

use super::payload::MucUser;
use crate::ns;
use crate::xml::Element;

/// Why someone is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepartureReason {
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
    /// They were gone when we came back: the room does not say why.
    Missed,
}

/// How someone went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Why.
    pub why: DepartureReason,
    /// Who made them go, by nick or real JID.
    pub actor: Option<String>,
    /// The reason that was given, or their parting word.
    pub reason: Option<String>,
    /// For a destroyed room: the one to go to instead.
    pub alternative: Option<String>,
    /// All status codes, for those not covered by `why`.
    pub codes: Vec<u16>,
}

impl Departure {
    /// One that nothing is known of.
    pub(crate) fn bare(why: DepartureReason) -> Self {
        Self {
            why,
            actor: None,
            reason: None,
            alternative: None,
            codes: Vec::new(),
        }
    }

    /// From an unavailable presence.
    pub(crate) fn parse(presence: &Element, user: MucUser) -> Self {
        let destroy = user
            .x
            .as_ref()
            .and_then(|x| x.child("destroy", ns::MUC_USER));
        // Several may be there: the stronger one counts, and 333 says that a kick was none.
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
