//! RFC 5802 §5.1: the keys of a login with SCRAM, derived by the platform, or kept from the login before.
//!
//! Specification: RFC 5802.
//!
//! The derivation takes milliseconds to a second, so that the caller gets it as an output and the login waits for the answer. What
//! the stream brings meanwhile is handled: a refusal, or the end of the stream, makes the answer stale. Left out: a deadline of
//! its own; that of connecting runs on.

use super::{Directive, Session, State, Tools};
use crate::error::CloseReason;
use crate::io::DerivationId;
use crate::ns;
use crate::sasl::wire::response;
use crate::sasl::{ChallengeReply, Derivation, KeyCache, SaltedPassword, is_scram};

/// A derivation whose answer is awaited.
pub(super) struct Awaited {
    id: DerivationId,
    /// Until the caller has it.
    derivation: Option<Derivation>,
}

impl Session {
    /// Whether the login waits for a derivation.
    pub fn is_deriving(&self) -> bool {
        matches!(
            self.state,
            State::Authenticating {
                awaited: Some(_),
                ..
            }
        )
    }

    /// The derivation that the login needs, once.
    pub fn poll_derivation(&mut self) -> Option<(DerivationId, Derivation)> {
        let State::Authenticating {
            awaited: Some(awaited),
            ..
        } = &mut self.state
        else {
            return None;
        };
        let derivation = awaited.derivation.take()?;
        Some((awaited.id, derivation))
    }

    /// Overwrites the keys of the last login.
    pub fn forget_keys(&mut self) {
        self.keys = None;
    }

    /// The server's `<challenge/>`, decoded.
    pub(super) fn handle_challenge(
        &mut self,
        data: &[u8],
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        let State::Authenticating {
            mechanism, awaited, ..
        } = &mut self.state
        else {
            return;
        };
        let keys = &mut self.keys;
        let keys = keys.get_or_insert_with(|| KeyCache::new(tools.random));
        match mechanism.handle_challenge(data, keys) {
            Ok(ChallengeReply::Response(data)) => self.respond(&data, tools, out),
            Ok(ChallengeReply::Derive(derivation)) => {
                let id = DerivationId(self.next_derivation);
                self.next_derivation = self.next_derivation.wrapping_add(1);
                *awaited = Some(Awaited {
                    id,
                    derivation: Some(derivation),
                });
            }
            Err(error) => self.fail(CloseReason::Sasl(error), out),
        }
    }

    /// What came of a derivation; `None` if the platform has not computed it. One that is not awaited any more is ignored.
    pub fn handle_derived(
        &mut self,
        id: DerivationId,
        salted_password: Option<SaltedPassword>,
        tools: &mut Tools<'_>,
        out: &mut Vec<Directive>,
    ) {
        if let State::Authenticating {
            mechanism, awaited, ..
        } = &mut self.state
            && awaited.as_ref().is_some_and(|awaited| awaited.id == id)
        {
            *awaited = None;
            match mechanism.handle_derived(salted_password) {
                Ok(data) => self.respond(&data, tools, out),
                Err(error) => self.fail(CloseReason::Sasl(error), out),
            }
        }
    }

    /// The answer to a challenge, and what may follow it at once.
    fn respond(&mut self, data: &[u8], tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        let State::Authenticating {
            mechanism, profile, ..
        } = &self.state
        else {
            return;
        };
        out.push(Directive::Send(response(profile, data)));
        // SCRAM's first answer is its last; where the server proves itself in another challenge there is none.
        if is_scram(mechanism.name()) && !data.is_empty() && *profile == ns::SASL {
            self.hurry(tools, out);
        }
    }
}
