//! RFC 5802's keys, which the platform derives for the session (`session/derivation.rs`).

use super::Connection;
use super::state::Timer;
use crate::io::{DerivationId, Output};
use crate::sasl::SaltedPassword;
use crate::session::Tools;
use crate::time::Instant;

impl Connection {
    /// The derivation that the login needs. Over BOSH no empty request leaves before the answer is there, or before connecting has taken
    /// too long: a request would be spent that carries nothing, and a server may answer none before it has the response.
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
        let mut out = Vec::new();
        let mut tools = Tools {
            ids: &mut self.ids,
            random: self.random.as_mut(),
            unicode: self.unicode.as_ref(),
        };
        self.session
            .handle_derived(id, salted_password, &mut tools, &mut out);
        self.follow(now, out);
    }

    /// Overwrites the keys that logins derived; the next login derives them anew.
    pub fn forget_keys(&mut self) {
        self.session.forget_keys();
    }
}
