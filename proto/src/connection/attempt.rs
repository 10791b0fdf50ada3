//! An attempt: opening a stream at the address whose turn it is, until a session is bound or resumed; and what a sign of a
//! working network does to it.

use super::Connection;
use super::policy::Target;
use crate::error::{CloseReason, Phase};
use crate::session::{Circumstances, Tools};
use crate::time::{Instant, Millis};
use crate::transport::bosh::BoshConfig;
use crate::transport::{Opening, Transport};

/// How long the first request over BOSH waits for credentials that can travel in it: a page's function that has them gives
/// them at once, one that has to ask for them takes longer than any round trip.
const HOLD: Millis = Millis(20);
/// How long a login at which something was said early may take, before it is tried without: a server may have lost it.
const HASTY: Millis = Millis::seconds(4);
/// How long a socket may take to open when there is another way in.
const OPEN_WITHIN: Millis = Millis::seconds(8);
/// An attempt that began so short a time before a sign of the network began with it: signs come several at once.
const FRESH: Millis = Millis(250);
/// How long the server may be silent in an attempt before a sign of the network, and after it. Twice as long after each attempt
/// that was replaced, so that frequent signs do not keep a slow network from an attempt that is long enough.
const SILENT: Millis = Millis::seconds(1);
/// How many times [`SILENT`] doubles.
const MOST_DOUBLED: u32 = 5;

impl Connection {
    /// The address whose turn it is.
    fn next_target(&mut self) -> Option<Target> {
        if let Some(moved) = self.moved.take() {
            return Some(moved);
        }
        self.tried += 1;
        let service = self.config.services.get(self.service)?;
        Some(Target::configured(self.service, service))
    }

    /// Opens a stream at the address whose turn it is.
    pub(super) fn begin(&mut self, now: Instant) {
        if let Some(target) = self.next_target() {
            self.begin_at(now, target, None);
        }
    }

    /// Opens a stream there. `suspicion`: haste may have been why the last attempt failed (see
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
        self.transport = Some(transport);
        self.target = Some(target);
        self.opened = false;
        self.begun_at = now;
        self.heard_at = now;
        self.doubted_until = None;
        if !framed && !self.hidden {
            self.hold = now + HOLD;
        }
        // A server that says nothing to what it does not expect is not waited for until the end.
        let patience = Millis(self.config.timeout.0 / 3).min(HASTY);
        self.patience = Some(now + patience);
        let mut out = Vec::new();
        let mut tools = Tools {
            ids: &mut self.ids,
            random: self.random.as_mut(),
            unicode: self.unicode.as_ref(),
        };
        self.session.start(circumstances, &mut tools, &mut out);
        self.follow(now, out);
    }

    fn open(&mut self, now: Instant, target: &Target) -> Transport {
        let session = &self.config.session;
        // XEP-0388 §2.1 and XEP-0484 §4.1 want it; on a stream that is not encrypted others could read it.
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

    /// How a stream at that address is opened.
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

    /// Tries again.
    pub(super) fn retry(&mut self, now: Instant) {
        self.retry_at = None;
        self.deadline = Some(now + self.config.timeout);
        if self.moved.is_none() {
            self.redirects.begin_attempt();
        }
        self.begin(now);
    }

    // ── signs of a working network ──────────────────────────────────────────────────────────────────────────────────

    /// There is a sign that the network works: the browser says so, the tab woke, the user is impatient. The pauses begin anew.
    /// An attempt that waits for its time is made now; one that hangs is replaced by another. Of a session that is bound it is
    /// asked whether the server is there; over BOSH, what waits to be repeated is repeated.
    pub fn wake(&mut self, now: Instant) {
        self.backoff.begin_anew(now);
        if self.retry_at.is_some() {
            self.hasten(now);
            return self.handle_timeout(now);
        }
        if self.closing {
            return;
        }
        if !self.session.is_established() {
            return self.doubt_attempt(now);
        }
        if let Some(transport) = &mut self.transport {
            transport.wake(now);
        }
        self.settle(now);
    }

    /// The next attempt is due now, which the caller is told.
    fn hasten(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at > now) {
            self.retry_at = Some(now);
            self.tell_interrupted(now);
        }
    }

    /// An attempt was begun before the sign came. It is replaced: at once if the server has been silent for a while, else if
    /// the server stays silent for a while. One that waits for the caller's credentials, or for keys to be derived, does not hang.
    fn doubt_attempt(&mut self, now: Instant) {
        let waits =
            self.session.phase(self.opened) == Phase::Credentials || self.session.is_deriving();
        if waits || self.transport.is_none() || now < self.begun_at + FRESH {
            return;
        }
        let patience = Millis(SILENT.0 << self.replaced.min(MOST_DOUBLED));
        if now >= self.heard_at + patience {
            self.replace_attempt(now);
        } else {
            self.doubted_until.get_or_insert(now + patience);
        }
    }

    /// Gives the attempt up for another one, at the same address.
    pub(super) fn replace_attempt(&mut self, now: Instant) {
        self.doubted_until = None;
        let attempting = !self.online && !self.closing && !self.session.is_established();
        let Some(target) = self.target.clone().filter(|_| attempting) else {
            return;
        };
        let reason = CloseReason::TimedOut(self.session.phase(self.opened));
        let Some(mut transport) = self.transport.take() else {
            return;
        };
        self.replaced = self.replaced.saturating_add(1);
        transport.dismiss(now, reason.clone());
        self.put_away(now, transport, &reason);
        self.session.close();
        self.returned.clear();
        if self.lasting {
            // The time for connecting is that of one attempt, once there was a session; before, the caller's patience.
            self.deadline = Some(now + self.config.timeout);
            self.backoff.count();
            self.lost_by = reason;
            self.tell_interrupted(now);
        }
        self.begin_at(now, target, None);
    }

    /// A transport has ended for `reason`: keeps what it leaves to do, and its session.
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
