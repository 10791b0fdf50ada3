//! An attempt: opens a stream at the next address until a session is bound or resumed, and reacts to signs of a working
//! network.

use super::policy::Target;
use super::state::{Attempt, Link, Online, State, Timer};
use super::{Connection, ConnectionPlace};
use crate::error::{CloseReason, Phase};
use crate::reconnect::BEGUN_WITH_SIGN;
use crate::session::Circumstances;
use crate::time::{Instant, Millis};
use crate::transport::bosh::BoshConfig;
use crate::transport::{Opening, Transport};

/// How long the first BOSH request waits for credentials that can travel in it: a page's function that has the
/// credentials answers at once; one that has to request them takes longer than any round trip.
const GATHERING: Millis = Millis(20);
/// How long a login with pipelining may take before it is retried without: the server may have lost the pipelined
/// elements.
const PIPELINED_WITHIN: Millis = Millis::seconds(4);
/// The time for a socket to open if another service is configured.
const OPEN_WITHIN: Millis = Millis::seconds(8);

impl Connection {
    /// Opens a stream at the next address.
    pub(super) fn begin(&mut self, now: Instant) {
        match self.route.next_target(&self.config.services) {
            Some(target) => self.begin_at(now, target, None),
            None => self.go_offline(CloseReason::Unreachable),
        }
    }

    /// Opens a stream at that address. `suspicion`: sending early may have made the last attempt fail (see
    /// [`Circumstances::suspicion`]).
    pub(super) fn begin_at(&mut self, now: Instant, target: Target, suspicion: Option<bool>) {
        let mut transport = self.open(now, &target);
        let framed = target.service().kind.is_framed();
        let circumstances = Circumstances {
            confidential: target.is_confidential(),
            tokens: target.allows_tokens(),
            framed,
            manage: self.config.stream_management,
            memory: target.memory(self.memories.get(target.configured_at())),
            suspicion,
            resumption: transport.resumption(now),
        };
        self.route.target = Some(target);
        let attempt = Attempt {
            link: Link {
                transport,
                blame: None,
            },
            opened: false,
            begun_at: now,
            heard_at: now,
        };
        self.enter(match self.state.place() {
            ConnectionPlace::Interrupted | ConnectionPlace::Reconnecting => {
                State::Reconnecting(attempt)
            }
            _ => State::Connecting(attempt),
        });
        self.timers.stop(Timer::Doubt);
        self.timers.stop(Timer::Gather);
        if !framed && !self.hidden {
            self.timers.set(Timer::Gather, now + GATHERING);
        }
        // Do not wait until the deadline for a server that ignores unexpected elements.
        let patience = Millis(self.config.timeout.0 / 3).min(PIPELINED_WITHIN);
        self.timers.set(Timer::Patience, now + patience);
        self.negotiate(now, |session, tools, out| {
            session.start(circumstances, tools, out)
        });
    }

    fn open(&mut self, now: Instant, target: &Target) -> Transport {
        let session = &self.config.session;
        // XEP-0388 §2.1 and XEP-0484 §4.1 require it; on an unencrypted stream others could read it.
        let tells = target.is_confidential() || session.plain_text_allowed;
        let from = session.account.clone().filter(|_| tells);
        let mut opening = self.opening(target);
        opening.bosh.from = from;
        Transport::open(
            opening,
            now,
            self.names,
            self.random.as_mut(),
            &mut self.suspended,
        )
    }

    /// The parameters for opening a stream at that address.
    pub(super) fn opening(&self, target: &Target) -> Opening {
        let elsewhere = self.config.services.len() > 1;
        Opening {
            kind: target.service().kind,
            bosh: BoshConfig {
                address: target.service().address.clone(),
                foreign: target.is_foreign(),
                pauses: self.config.reconnect.unwrap_or_default(),
                ..self.config.bosh.clone()
            },
            open_within: elsewhere.then_some(OPEN_WITHIN),
            silence: self.config.silence,
            stream_management: self.config.stream_management,
            hidden: self.hidden,
        }
    }

    /// Starts the next attempt.
    pub(super) fn retry(&mut self, now: Instant) {
        self.timers.set(Timer::Deadline, now + self.config.timeout);
        if self.route.moved.is_none() {
            self.route.redirects.begin_attempt();
        }
        self.begin(now);
    }

    // ── signs of a working network ──────────────────────────────────────────────────────────────────────────────────

    /// Handles a sign that the network works: the browser's event, a tab that woke, or the user's request. The pauses
    /// start anew. A scheduled attempt starts now; an attempt that hangs is replaced by another one. A bound session is
    /// checked with a ping; over BOSH, requests that wait to be repeated are repeated now.
    pub fn wake(&mut self, now: Instant) {
        self.backoff.begin_anew(now);
        match &mut self.state {
            State::Interrupted(_) => {
                self.make_attempt_due(now);
                return self.handle_timeout(now);
            }
            State::Connecting(_) | State::Reconnecting(_) => return self.doubt_attempt(now),
            State::Adopting(Attempt { link, .. }, _) | State::Online(Online { link, .. }) => {
                link.transport.wake(now);
            }
            State::Offline | State::Closing(_) | State::Ended(_) => {}
        }
        self.settle(now);
    }

    /// Makes the next attempt due now and reports it.
    fn make_attempt_due(&mut self, now: Instant) {
        if self.timers.get(Timer::Retry).is_some_and(|at| at > now)
            && let State::Interrupted(reason) = &self.state
        {
            let reason = reason.clone();
            self.timers.set(Timer::Retry, now);
            self.report_interrupted(now, reason);
        }
    }

    /// Handles an attempt that began before the sign of the network. It is replaced at once if the server has been
    /// silent for a while, otherwise as soon as the server has been silent for a while. An attempt that waits for the
    /// caller's credentials or for derived keys does not hang.
    fn doubt_attempt(&mut self, now: Instant) {
        let waits = self.phase() == Phase::Credentials || self.session.is_deriving();
        let Some(attempt) = self.state.attempt() else {
            return;
        };
        if waits || now < attempt.begun_at + BEGUN_WITH_SIGN {
            return;
        }
        let patience = self.backoff.patience();
        if now >= attempt.heard_at + patience {
            self.replace_attempt(now);
        } else if self.timers.get(Timer::Doubt).is_none() {
            self.timers.set(Timer::Doubt, now + patience);
        }
    }

    /// The phase to report when time runs out.
    pub(super) fn phase(&self) -> Phase {
        match self.state {
            State::Adopting(..) => Phase::Connecting,
            _ => self.session.phase(self.state.is_opened()),
        }
    }

    /// Replaces the attempt by another one at the same address.
    pub(super) fn replace_attempt(&mut self, now: Instant) {
        self.timers.stop(Timer::Doubt);
        let attempting = matches!(self.state, State::Connecting(_) | State::Reconnecting(_));
        let Some(target) = self.route.target.clone().filter(|_| attempting) else {
            return;
        };
        let reason = CloseReason::TimedOut(self.phase());
        let left = self.leave();
        let again = left.place() == ConnectionPlace::Reconnecting;
        let Some(mut link) = left.into_link() else {
            return;
        };
        self.backoff.note_replaced();
        link.transport.dismiss(now, reason.clone());
        self.put_away(now, link.transport, &reason);
        self.session.close();
        self.returned.clear();
        if again {
            // After a first session, the deadline applies to each attempt; before, to all attempts of `connect`
            // together.
            self.timers.set(Timer::Deadline, now + self.config.timeout);
            self.backoff.count();
            self.report_interrupted(now, reason);
        }
        self.begin_at(now, target, None);
    }

    /// A transport has ended for `reason`: keeps its remaining transmissions and its resumable session.
    pub(super) fn put_away(
        &mut self,
        now: Instant,
        mut transport: Transport,
        reason: &CloseReason,
    ) {
        while let Some(transmit) = transport.poll_transmit(now, &mut self.ids) {
            self.leftover.push_back(transmit);
        }
        self.names = transport.names();
        if let Some(suspended) = transport.suspend(now, reason) {
            self.suspended = Some(suspended);
        }
    }
}
