//! When a connection that broke is tried again: exponential back-off with full jitter, so that the pages of a server that
//! comes back do not all come at once; and what trying again cannot cure.

use super::error::CloseReason;
use super::random::{Random, below_2_53};
use super::time::{Instant, Millis};

/// What the page chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The first pause is up to this long; each further one up to twice the one before it.
    pub least: Millis,
    /// No pause is longer.
    pub most: Millis,
}

impl Default for Reconnect {
    /// Up to one second at first, and up to half a minute in the end.
    fn default() -> Self {
        Self {
            least: Millis::seconds(1),
            most: Millis::seconds(30),
        }
    }
}

/// A connection that held for this long was a good one: the pauses begin from the first again.
const GOOD: Millis = Millis::seconds(20);

/// How often it was tried.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
    online_since: Instant,
}

impl Backoff {
    /// It is there.
    pub fn note_online(&mut self, now: Instant) {
        self.online_since = now;
    }

    /// It was there, and is not any more.
    pub fn note_lost(&mut self, now: Instant) {
        if now - self.online_since >= GOOD {
            self.attempts = 0;
        }
    }

    /// The pause before the next attempt.
    pub fn next(&mut self, reconnect: &Reconnect, random: &mut dyn Random) -> Millis {
        let most = reconnect
            .least
            .0
            .saturating_mul(1 << self.attempts.min(20))
            .min(reconnect.most.0);
        self.attempts = self.attempts.saturating_add(1);
        Millis(below_2_53(random) % (most + 1))
    }

    /// Which attempt is due, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempts.max(1)
    }
}

/// May it be different next time? What was online once got the address, the name and the password right; a proxy that
/// restarts, or a network that wants a login first, answers in strange ways.
pub fn is_curable(reason: &CloseReason) -> bool {
    match reason {
        CloseReason::Requested
        | CloseReason::MixedContent
        | CloseReason::NoMechanism(_)
        | CloseReason::Sasl(_)
        | CloseReason::Registration(_)
        | CloseReason::PlainTextRegistration => false,
        CloseReason::AuthFailed { condition, .. } => condition == "temporary-auth-failure",
        CloseReason::BindFailed(error) => error.condition == "resource-constraint",
        CloseReason::Terminated { condition } => {
            !matches!(condition.as_str(), "host-unknown" | "improper-addressing")
        }
        // Another connection took our place: taking it back would be taken back (RFC 6120 §4.9.3.3).
        CloseReason::Stream(error) => !matches!(
            error.condition.as_str(),
            "conflict" | "host-unknown" | "host-gone" | "not-authorized" | "unsupported-version"
        ),
        _ => true,
    }
}

/// Before the first login: may another service do what this one does not?
pub fn may_work_elsewhere(reason: &CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::Unreachable
            | CloseReason::BlockedByCors
            | CloseReason::MixedContent
            | CloseReason::Http(_)
            | CloseReason::Redirected
            | CloseReason::NotBosh(_)
            | CloseReason::NotWebSocket(_)
            | CloseReason::BadXml(_)
            | CloseReason::Ended
            | CloseReason::Terminated { .. }
    )
}
