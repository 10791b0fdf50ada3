//! XEP-0410: MUC Self-Ping 1.1.0. Checks whether we are still an occupant of a silent room.
//!
//! The client pings its own occupant JID: after a long silence, after a resumed session, when a message of ours bounced, and when one
//! was not reflected: a room whose cluster node died accepts messages without delivering them. Not sent while
//! presences of ours have no reply (§4), nor while the session is interrupted.

use crate::event::RequestFailure;
use crate::time::{Instant, Millis};
use crate::xep::muc::event::RequestToken;
use crate::xml::Element;

/// The silence after which a ping is sent (§3.2 suggests 15 minutes).
pub(super) const SILENCE: Millis = Millis::seconds(15 * 60);
/// How long the reflection of a message may take.
pub(super) const ECHO: Millis = Millis::seconds(20);
/// The timeout of a ping.
pub(super) const PING_TIMEOUT: Millis = Millis::seconds(30);
/// The minimal time between two pings, since others can provoke them.
pub(super) const SPACING: Millis = Millis::seconds(15);
/// The pause after a first ping without a clear reply; doubled with each, up to [`SILENCE`].
const RETRY: Millis = Millis::seconds(60);

/// The meaning of a reply (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PingVerdict {
    /// We are an occupant.
    In,
    /// We are not an occupant.
    Out,
    /// Unknown: ping again.
    Unclear,
    /// Unknown: no reply.
    Silent,
    /// The session is lost.
    NoSession,
}

/// The state of self-pings.
#[derive(Debug, Default)]
pub(super) struct SelfPing {
    /// The pending ping, and the nick it was sent to.
    out: Option<(RequestToken, String)>,
    asked_at: Option<Instant>,
    /// Consecutive pings without a clear reply.
    unclear: u32,
    /// The last reply was `item-not-found`.
    unknown: bool,
    /// The missing replies were reported to the caller.
    pub(super) reported: bool,
}

impl SelfPing {
    pub(super) fn is_out(&self) -> bool {
        self.out.is_some()
    }

    /// When a ping that is due at `due` may be sent.
    pub(super) fn earliest(&self, due: Instant) -> Instant {
        self.asked_at
            .map_or(due, |asked_at| due.max(asked_at + SPACING))
    }

    pub(super) fn begin(&mut self, now: Instant, token: RequestToken, nick: &str) {
        self.out = Some((token, nick.into()));
        self.asked_at = Some(now);
    }

    /// When the last ping was sent.
    pub(super) fn asked_at(&self) -> Option<Instant> {
        self.asked_at
    }

    /// Forgets the pending ping.
    pub(super) fn cancel(&mut self) {
        self.out = None;
    }

    /// When to ping again after an unclear reply.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        let asked_at = self.asked_at.filter(|_| self.unclear > 0)?;
        if self.unknown {
            return Some(asked_at + SPACING);
        }
        let doubled = RETRY.0.saturating_mul(1 << (self.unclear - 1).min(8));
        Some(asked_at + Millis(doubled.min(SILENCE.0)))
    }

    /// Reads the reply to the ping `token`. `nick` is our nick now. `None` if no such ping is pending.
    pub(super) fn verdict(
        &mut self,
        token: RequestToken,
        outcome: &Result<Element, RequestFailure>,
        nick: Option<&str>,
    ) -> Option<PingVerdict> {
        let (_, asked) = self.out.take_if(|(out, _)| *out == token)?;
        let unknown = core::mem::take(&mut self.unknown);
        let verdict = match outcome {
            Ok(_) => PingVerdict::In,
            Err(RequestFailure::Disconnected) => return Some(PingVerdict::NoSession),
            Err(RequestFailure::TimedOut) => PingVerdict::Silent,
            Err(RequestFailure::Refused { error, .. }) => match error.condition.as_str() {
                // An occupant whose client does not support pings. An unavailable service gives the same error: ping again.
                "feature-not-implemented" => PingVerdict::In,
                "service-unavailable" => PingVerdict::Unclear,
                // XEP-0410: an occupant whose nick has just changed. The room replies in order, so it has confirmed that change. If it
                // has not, ping once more. COMPAT(Prosody 0.12, ejabberd 23.01): a room that does not exist (any more) gives
                // the same reply.
                "item-not-found" if nick != Some(asked.as_str()) => PingVerdict::In,
                "item-not-found" if unknown => PingVerdict::Out,
                "item-not-found" => {
                    self.unknown = true;
                    PingVerdict::Unclear
                }
                "remote-server-not-found" | "remote-server-timeout" => PingVerdict::Silent,
                // A rate limit does not concern our membership.
                "resource-constraint" | "policy-violation" => PingVerdict::Unclear,
                // `not-acceptable`; `not-allowed` and `bad-request` from some services; any other error.
                _ => PingVerdict::Out,
            },
        };
        match verdict {
            PingVerdict::Unclear | PingVerdict::Silent => {
                self.unclear = self.unclear.saturating_add(1)
            }
            _ => {
                self.unclear = 0;
                self.reported = false;
            }
        }
        Some(verdict)
    }
}
