//! RFC 6120 §6.3.3, §6.4.5: chooses the mechanism of a login: the strongest one that is offered and allowed, never
//! weaker than the one that worked before; the next one if the server refuses a mechanism because of the mechanism
//! itself.

use super::{Directive, Session, State, Tools};
use crate::error::CloseReason;
use crate::ns;
use crate::sasl::{ChooseError, CredentialsKind, HT_SHA_256_NONE, PLAIN, Policy, choose, is_scram};
use crate::stream::features::Features;

impl Session {
    /// Whether the caller allows logins to use that mechanism.
    pub(super) fn allows(&self, name: &str) -> bool {
        let allowed = self.config.mechanisms.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(&name))
    }

    /// The mechanism with which the login may start before the features arrive.
    pub(super) fn early_mechanism(&self) -> Option<&'static str> {
        let early = self.memory.early_mechanism();
        early.filter(|name| self.pipelining && self.allows(name))
    }

    /// Checks that the mechanism with which the login started early is still offered.
    pub(super) fn check_offer(&mut self, features: Features, out: &mut Vec<Directive>) {
        let State::Authenticating {
            mechanism, profile, ..
        } = &self.state
        else {
            return;
        };
        let name = mechanism.name();
        let sasl2 = features.sasl2.as_ref();
        let offered = if *profile == ns::SASL2 {
            sasl2.map(|offer| offer.mechanisms.as_slice())
        } else {
            Some(features.mechanisms.as_slice())
        };
        let offered = offered.unwrap_or_default();
        // The server itself reports whether it accepts a token.
        if name != HT_SHA_256_NONE {
            let is_there = offered.iter().any(|offered| offered == name);
            let kind = CredentialsKind::of(name);
            match self.best(&features, kind) {
                // A better mechanism is used at the next login, when the choice costs no round trip.
                Ok(best) if is_there => self.memory.settled = best == name,
                Ok(_) => {
                    let reason = CloseReason::AuthFailed {
                        condition: "invalid-mechanism".to_owned(),
                        text: None,
                    };
                    return self.fail(reason, out);
                }
                Err(error) => return self.fail(CloseReason::NoMechanism(error), out),
            }
        }
        self.offered = Some(features);
    }

    /// The strongest mechanism of either profile that the caller allows and the server has not refused, no weaker than
    /// that of the last login.
    pub(super) fn best(
        &self,
        features: &Features,
        kind: CredentialsKind,
    ) -> Result<&'static str, ChooseError> {
        let mut offered = Vec::new();
        if let Some(offer) = &features.sasl2 {
            offered.extend(offer.mechanisms.iter().map(String::as_str));
        }
        offered.extend(features.mechanisms.iter().map(String::as_str));
        offered.retain(|name| self.allows(name) && !self.refused.contains(name));
        let policy = Policy {
            plain_text_allowed: self.plain_text_allowed,
            minimum: self.memory.mechanism,
        };
        choose(&offered, kind, &policy)
    }

    /// Called when the server offers that mechanism and refuses it because of the mechanism itself: tries the next one
    /// on the same stream (RFC 6120 §6.4.5), none weaker than the policy allows. Fails with `reason` if there is none.
    pub(super) fn try_another(
        &mut self,
        name: &'static str,
        reason: CloseReason,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        self.refused.push(name);
        if reason.condition() == Some("encryption-required") {
            // The proofs of other mechanisms were sent already: do not send the secret itself after a refusal.
            self.refused.push(PLAIN);
        }
        let (Some(features), Some(credentials)) = (self.offered.take(), self.retained.take())
        else {
            return self.fail(reason, out);
        };
        match self.best(&features, credentials.kind()) {
            Ok(_) => self.authenticate(features, credentials, tools, out),
            Err(ChooseError::NoneOffered) => self.fail(reason, out),
            Err(error) => self.fail(CloseReason::NoMechanism(error), out),
        }
    }
}

/// Whether a login failed because of the mechanism and not of the credentials, so that another mechanism may work (RFC
/// 6120 §6.5).
///
/// False for `mechanism-too-weak`: the remaining mechanisms are weaker. False for `temporary-auth-failure`: the same
/// attempt may succeed later.
pub(super) fn blames_mechanism(reason: &CloseReason, name: &str) -> bool {
    let CloseReason::AuthFailed { condition, text } = reason else {
        return false;
    };
    match condition.as_str() {
        "invalid-mechanism" | "encryption-required" => true,
        // COMPAT(ejabberd): a mechanism for which the account has no hash; the server has not checked the password.
        "not-authorized" => {
            is_scram(name)
                && text
                    .as_deref()
                    .is_some_and(|text| text.trim() == "Incompatible SCRAM methods")
        }
        _ => false,
    }
}
