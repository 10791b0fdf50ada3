//! The keys of RFC 5802, which the platform derives for the session (`session/derivation.rs`).

use super::Connection;
use super::state::Timer;
use crate::io::{DerivationId, Output};
use crate::sasl::SaltedPassword;
use crate::time::Instant;

impl Connection {
    /// The derivation that the login needs. Over BOSH no empty request is sent before the result is there or connecting
    /// has timed out: the request would carry nothing, and some servers answer no request before they have the response
    /// to the challenge.
    pub(super) fn poll_derivation(&mut self) -> Option<Output> {
        let (id, derivation) = self.session.poll_derivation()?;
        let deadline = self.timers.get(Timer::Deadline);
        if let (Some(transport), Some(deadline)) = (self.state.transport_mut(), deadline) {
            transport.await_payload(deadline);
        }
        Some(Output::Derive { id, derivation })
    }

    pub(super) fn handle_derived(
        &mut self,
        now: Instant,
        id: DerivationId,
        salted_password: Option<SaltedPassword>,
    ) {
        self.negotiate(now, |session, tools, out| {
            session.handle_derived(id, salted_password, tools, out)
        });
    }

    /// Overwrites the keys of earlier logins; the next login derives them again.
    pub fn forget_keys(&mut self) {
        self.session.forget_keys();
    }
}
