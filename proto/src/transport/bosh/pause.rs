//! A page that goes to sleep or wakes: `pause` (XEP-0124 1.11.2 §10), and immediate repetitions after waking.

use super::pacing::Gate;
use super::snapshot::is_unsent_inherited;
use super::{Bosh, Instant, Millis, Progress, RequestPurpose, State};
use crate::io::Transmit;

/// The longest requested pause, in seconds: a server should not keep an abandoned session for longer.
pub(super) const LONGEST: u64 = 600;
/// A page that still runs this long after it announced its pause is not frozen.
const WAKE_CHECK: Millis = Millis::seconds(5);
/// While requests break, a repeated request that has no response after this time hangs.
const HANG_TIMEOUT: Millis = Millis::seconds(1);

impl Bosh {
    /// Called when the page is about to be frozen or unloaded: requests a pause of up to ten minutes from a server that
    /// supports pauses (`maxpause`). Does nothing otherwise. The next request ends the pause.
    pub fn pause(&mut self, now: Instant) {
        let Some(longest) = self.terms.maxpause else {
            return;
        };
        let pausing = self.in_flight.iter().any(is_pause);
        if !self.is_open() || pausing {
            return;
        }
        // Of two requests that leave at once the pause may arrive first: send none.
        if self.pacing.is_crowded(now) {
            return;
        }
        // The server does not keep its response for repetitions (§14.3), so the pause carries nothing.
        let mut body = self.begin();
        body.number("pause", longest.min(LONGEST));
        self.transmit(now, body.finish(), Vec::new(), RequestPurpose::Pause);
        self.pacing.set(Gate::Sleep, now + WAKE_CHECK);
    }

    /// Notes whether the caller may be gone at any moment, as a page that is being left. If so, requests are marked to
    /// be completed without the caller; the terminating request leaves at once, regardless of the pace, after all
    /// requests that are not known to have arrived, which are sent again; and no request is sent only to be held.
    pub fn set_leaving(&mut self, leaving: bool) {
        self.pacing.set_leaving(leaving);
        if leaving && matches!(self.state, State::Closing | State::Terminating) {
            self.shorten_queue();
        }
    }

    /// Notes whether the caller's timers fire late, as those of a hidden page.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.pacing.set_hidden(hidden);
    }

    /// Whether a broken request is not repeated for now: while the caller leaves, a request without elements, one
    /// that the platform completes although its response is no longer reported, and every request of
    /// [a session that the next page may continue](Bosh::is_left_to_next).
    pub(super) fn is_deferred(&self, request: &super::Request) -> bool {
        self.pacing.is_leaving() && (self.is_left_to_next() || is_skipped_when_leaving(request))
    }

    /// Whether the next page may continue the session at the rid that the caller has read. The platform aborts the
    /// requests of a page that leaves. The server would hold a repetition, which no page reads, and answer it with the
    /// stanzas for the next page.
    pub(super) fn is_left_to_next(&self) -> bool {
        self.config.by_hand && self.is_open()
    }

    /// The network may be back, or the page woke: waiting repetitions are sent now, and what breaks
    /// again is waited for as if it had not broken before. An attempt to repeat that has hung for a while is given up for
    /// another one: it may wait for a connection that is dead. What the page before this one sent keeps its turn: a pause of it
    /// has arrived, most likely, and must not be repeated (§14.3).
    pub fn wake(&mut self, now: Instant) {
        self.pacing.wake();
        self.outage.since = self.outage.since.map(|_| now);
        for request in &mut self.in_flight {
            request.pauses = 0;
            request.broken_since = None;
            let is_unsent_inherited = is_unsent_inherited(request);
            match &mut request.progress {
                Progress::Repeating(_) if is_unsent_inherited => {}
                Progress::Repeating(at) => *at = now.min(*at),
                Progress::InFlight(exchange)
                    if request.attempts > 1 && now >= request.sent_at + HANG_TIMEOUT =>
                {
                    self.transmits.push_back(Transmit::CancelHttp(*exchange));
                    request.progress = Progress::Repeating(now);
                }
                Progress::InFlight(_) | Progress::Answered { .. } => {}
            }
        }
    }

    /// Treats a pause that is next in order as answered when a later request is: the server has received it, and its
    /// response carries nothing.
    ///
    /// COMPAT(ejabberd): the response never comes. And §14.3 does not let servers keep it for a repetition.
    pub(super) fn pass_over_pause(&mut self) {
        let answered =
            |request: &super::Request| matches!(request.progress, Progress::Answered { .. });
        let passed = self
            .in_flight
            .first()
            .is_some_and(|first| is_pause(first) && !answered(first));
        if passed && self.in_flight.iter().any(answered) {
            let request = self.in_flight.remove(0);
            self.last_in_order = request.rid;
            if let Progress::InFlight(exchange) = request.progress {
                self.transmits.push_back(Transmit::CancelHttp(exchange));
            }
        }
    }

    /// The number of requests that count for the window (§11): a pause may exceed it by one, unless the server cannot
    /// have received the pause.
    pub(super) fn under_way(&self) -> usize {
        let mut count = 0;
        for request in &self.in_flight {
            let lost = matches!(request.progress, Progress::Repeating(_)) && request.attempts > 0;
            if !is_pause(request) || lost {
                count += 1;
            }
        }
        count
    }

    /// Whether the terminating request may leave: it may exceed the window by one (§11), as a pause may, but not both.
    pub(super) fn has_room_for_farewell(&self) -> bool {
        self.in_flight.len() <= self.terms.requests
    }

    /// Whether another request may leave.
    pub(super) fn has_room(&self) -> bool {
        self.under_way() < self.terms.requests
    }
}

/// Whether the request is a pause.
pub(super) fn is_pause(request: &super::Request) -> bool {
    request.purpose == RequestPurpose::Pause
}

/// Whether the request is not repeated while the caller leaves.
pub(super) fn is_skipped_when_leaving(request: &super::Request) -> bool {
    request.purpose == RequestPurpose::Poll || request.purpose.is_last()
}
