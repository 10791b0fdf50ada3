//! When a connection that broke is tried again, and what trying again cannot cure.
//!
//! Each pause is uniformly random between nothing and the length of the outage so far, within [`Reconnect`]'s bounds. So the
//! clients of a server that restarts come back spread over about the time that it was away, none of them later than that, and
//! attempts that fail quickly do not use up the short pauses: only time makes pauses longer.

use super::error::CloseReason;
use super::random::{Random, below_2_53};
use super::time::{Instant, Millis};

/// The caller's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// A pause may be this long however short the outage was.
    pub least: Millis,
    /// No pause is longer.
    pub most: Millis,
}

impl Default for Reconnect {
    /// One second, and half a minute.
    fn default() -> Self {
        Self {
            least: Millis::seconds(1),
            most: Millis::seconds(30),
        }
    }
}

impl Reconnect {
    /// The longest pause after an outage of this length.
    pub fn longest(&self, outage: Millis) -> Millis {
        outage.max(self.least).min(self.most)
    }

    /// The pause before the next attempt; `number` is any number of 53 random bits.
    pub fn pause(&self, outage: Millis, number: u64) -> Millis {
        Millis(number % self.longest(outage).0.saturating_add(1))
    }
}

/// A connection that lasted this long was stable: earlier failures are forgotten.
const GOOD: Millis = Millis::seconds(20);

/// How long a connection has been away, and how often it was tried.
#[derive(Debug, Default)]
pub struct Backoff {
    /// The number of reported attempts in this interruption.
    attempts: u32,
    /// When the outage began; earlier by the outages that were interrupted by a connection that did not hold.
    since: Option<Instant>,
    /// How long those were.
    before: Millis,
    online_since: Instant,
    /// How many attempts were replaced by others since the connection was there.
    replaced: u32,
}

impl Backoff {
    /// Notes that the connection is established.
    pub fn note_online(&mut self, now: Instant) {
        self.before = self.outage(now);
        self.since = None;
        self.online_since = now;
        self.attempts = 0;
        self.replaced = 0;
    }

    /// Whether the current connection has lasted long enough to be stable.
    pub fn has_held(&self, now: Instant) -> bool {
        now - self.online_since >= GOOD
    }

    /// The connection was there, and is not any more since `lost`; `attempts` have failed since.
    pub fn note_lost(&mut self, now: Instant, lost: Instant, attempts: u32) {
        if self.has_held(now) {
            self.before = Millis(0);
        }
        self.since = Some(Instant(lost.0.saturating_sub(self.before.0)));
        self.attempts = attempts;
    }

    /// There is a sign that the network works: the pauses begin anew.
    pub fn begin_anew(&mut self, now: Instant) {
        self.since = self.since.map(|_| now);
        self.before = Millis(0);
    }

    /// Another attempt is due; gives the pause before it.
    pub fn next(&mut self, now: Instant, reconnect: &Reconnect, random: &mut dyn Random) -> Millis {
        self.count();
        reconnect.pause(self.outage(now), below_2_53(random))
    }

    fn outage(&self, now: Instant) -> Millis {
        self.since.map_or(Millis(0), |since| now - since)
    }

    /// Another attempt is due, without a pause.
    pub fn count(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// An attempt was replaced by another one, because there was a sign of a working network.
    pub fn note_replaced(&mut self) {
        self.replaced = self.replaced.saturating_add(1);
    }

    /// How many attempts were replaced since the connection was there.
    pub fn replaced(&self) -> u32 {
        self.replaced
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
        | CloseReason::BadOption(_)
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
            | CloseReason::Unsupported(_)
            | CloseReason::Http(_)
            | CloseReason::Redirected
            | CloseReason::NotBosh(_)
            | CloseReason::NotWebSocket(_)
            | CloseReason::BadXml(_)
            | CloseReason::Ended
            | CloseReason::SeeOther(_)
            | CloseReason::Terminated { .. }
    )
}
