//! Decides when to reconnect, and which failures reconnecting cannot fix.
//!
//! Each pause is uniformly random between 0 and the length of the outage so far, within [`Reconnect`]'s bounds. So the
//! clients of a server that restarts reconnect spread over about the length of the restart, and never later than that.
//! Pauses grow with time and not with the number of attempts, so attempts that fail quickly do not use up the short
//! pauses.

use super::error::CloseReason;
use super::random::{Random, below_2_53};
use super::time::{Instant, Millis};

/// The caller's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// A pause may always be this long, even after a short outage.
    pub least: Millis,
    /// The longest pause.
    pub most: Millis,
}

impl Default for Reconnect {
    /// 1 s and 30 s.
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

    /// The pause before the next attempt. `number`: 53 random bits.
    pub fn pause(&self, outage: Millis, number: u64) -> Millis {
        Millis(number % self.longest(outage).0.saturating_add(1))
    }
}

/// A connection that lasted this long was stable: earlier failures are forgotten.
const GOOD: Millis = Millis::seconds(20);
/// An attempt that began this short before a sign of the network counts as begun with it: several signs come at once.
pub(crate) const BEGUN_WITH_SIGN: Millis = Millis(250);
/// How long the server may be silent in an attempt before a sign of the network, and after it. The time doubles after each
/// replaced attempt, so that frequent signs do not keep a slow network from completing an attempt.
const SILENT: Millis = Millis::seconds(1);
/// How many times [`SILENT`] doubles.
const MOST_DOUBLED: u32 = 5;

/// The length of an interruption and the number of attempts.
#[derive(Debug, Default)]
pub struct Backoff {
    /// The number of reported attempts in this interruption.
    attempts: u32,
    /// The start of the outage; moved back by the outages that were only interrupted by connections that did not last.
    since: Option<Instant>,
    /// The length of those earlier outages.
    before: Millis,
    online_since: Instant,
    /// The number of attempts that were replaced since the last connection.
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

    /// Notes that the connection was lost at `lost`; `attempts` have failed since.
    pub fn note_lost(&mut self, now: Instant, lost: Instant, attempts: u32) {
        if self.has_held(now) {
            self.before = Millis(0);
        }
        self.since = Some(Instant(lost.0.saturating_sub(self.before.0)));
        self.attempts = attempts;
    }

    /// Restarts the pauses: there is a sign that the network works.
    pub fn begin_anew(&mut self, now: Instant) {
        self.since = self.since.map(|_| now);
        self.before = Millis(0);
    }

    /// Counts another attempt and returns the pause before it.
    pub fn next(&mut self, now: Instant, reconnect: &Reconnect, random: &mut dyn Random) -> Millis {
        self.count();
        reconnect.pause(self.outage(now), below_2_53(random))
    }

    fn outage(&self, now: Instant) -> Millis {
        self.since.map_or(Millis(0), |since| now - since)
    }

    /// Counts another attempt that starts without a pause.
    pub fn count(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// Counts an attempt that was replaced by another one after a sign of a working network.
    pub fn note_replaced(&mut self) {
        self.replaced = self.replaced.saturating_add(1);
    }

    /// How long an attempt from before a sign of the network may go on without a word of the server.
    pub fn patience(&self) -> Millis {
        Millis(SILENT.0 << self.replaced.min(MOST_DOUBLED))
    }

    /// The number of the next attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempts.max(1)
    }
}

/// Whether another attempt may succeed. The address, the name and the password of a connection that was online once are
/// correct; a proxy that restarts, or a network that requires a login, answers in unexpected ways.
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
        CloseReason::Stream(error) => is_curable_stream_error(&error.condition),
        _ => true,
    }
}

/// Whether another stream may not end with the same stream error.
fn is_curable_stream_error(condition: &str) -> bool {
    // Another connection replaced this one: reconnecting would only replace that one in turn (RFC 6120 §4.9.3.3).
    !matches!(
        condition,
        "conflict" | "host-unknown" | "host-gone" | "not-authorized" | "unsupported-version"
    )
}

/// Whether another attempt may succeed after the end of a stream by hand, by the condition of a stream error or of a BOSH body.
pub fn is_curable_condition(condition: &str) -> bool {
    is_curable_stream_error(condition) && condition != "improper-addressing"
}

/// Whether another attempt may succeed after a refused login or binding (RFC 6120 §6.5.10, §7.6.2.1).
pub fn is_curable_refusal(condition: &str) -> bool {
    matches!(condition, "temporary-auth-failure" | "resource-constraint")
}

/// Before the first login: whether another service may succeed where this one failed.
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
