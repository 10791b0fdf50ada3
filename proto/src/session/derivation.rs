//! RFC 5802 §5.1: the keys of a SCRAM login, derived by the platform or kept from the previous login.
//!
//! Specification: RFC 5802.
//!
//! The derivation takes milliseconds to a second; the caller gets it as an output and the login waits for the result.
//! Elements that arrive meanwhile are handled: a refusal or the end of the stream makes the result stale. Left out: a
//! separate deadline; the deadline of connecting applies.

use super::{Directive, Session, State, Tools};
use crate::error::CloseReason;
use crate::io::DerivationId;
use crate::ns;
use crate::sasl::wire::response;
use crate::sasl::{ChallengeReply, Derivation, KeyCache, SaltedPassword, is_scram};

/// A derivation whose result is awaited.
pub(super) struct Awaited {
    id: DerivationId,
    /// `None` once the caller has taken it.
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

    /// The derivation that the login needs. Returned once.
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

    /// Handles the result of a derivation; `None` if the platform has not computed it. The result of a derivation that
    /// is no longer awaited is ignored.
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

    /// Sends the response to a challenge, and the elements that may follow directly.
    fn respond(&mut self, data: &[u8], tools: &mut Tools<'_>, out: &mut Vec<Directive>) {
        let State::Authenticating {
            mechanism, profile, ..
        } = &self.state
        else {
            return;
        };
        out.push(Directive::Send(response(profile, data)));
        // The response with the client's proof is SCRAM's last. A server that proves its identity in another challenge
        // gets an empty response.
        if is_scram(mechanism.name()) && !data.is_empty() && *profile == ns::SASL {
            self.pipeline_restart(tools, out);
        }
    }
}
