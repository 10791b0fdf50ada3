//! A page that goes to sleep, or wakes: `pause` (XEP-0124 1.11.2 §10), and no more waiting when it is back.

use super::pacing::Gate;
use super::snapshot::keeps_turn;
use super::{Bosh, Errand, Instant, Millis, Progress, State};
use crate::io::Transmit;

/// The longest pause asked for, in seconds: a server has better to do than to keep what nobody comes back to.
pub(super) const LONGEST: u64 = 600;
/// A page that still runs that long after it said that it would sleep does not sleep.
const NOD: Millis = Millis::seconds(5);
/// A repetition that was not answered for so long, while requests break, hangs.
const HANGS: Millis = Millis::seconds(1);

impl Bosh {
    /// The page is about to sleep, or to go: where the server lets sessions rest (`maxpause`), it is asked to keep this one
    /// as long as it may, up to ten minutes. Elsewhere nothing happens. What is sent afterwards ends the pause.
    pub fn pause(&mut self, now: Instant) {
        let Some(longest) = self.terms.maxpause else {
            return;
        };
        let pausing = self.in_flight.iter().any(is_pause);
        if !self.is_open() || pausing {
            return;
        }
        // Of two requests that leave at once the pause may be the first to arrive: no pause is better.
        if self.pacing.is_crowded(now) {
            return;
        }
        // Its answer is not kept for repetitions (§14.3), so that it carries nothing.
        let mut body = self.begin();
        body.number("pause", longest.min(LONGEST));
        self.transmit(now, body.finish(), Vec::new(), Errand::Pause);
        self.pacing.set(Gate::Sleep, now + NOD);
    }

    /// Whether the caller may be gone the next moment, as a page that is being left. If so, what is sent is marked to be finished without
    /// the caller; the good-bye leaves at once, without regard to pace, and behind whatever is not known to have arrived,
    /// which is sent once more; and nothing is sent only to be held.
    pub fn set_leaving(&mut self, leaving: bool) {
        self.pacing.set_leaving(leaving);
        if leaving && matches!(self.state, State::Closing | State::Terminating) {
            self.shorten_queue();
        }
    }

    /// Whether the caller's timers fire late, as those of a hidden page.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.pacing.set_hidden(hidden);
    }

    /// Whether a broken request is left alone for now: while the caller leaves, one that carries nothing, and one that the platform
    /// finishes although its answer is not told any more.
    pub(super) fn rests(&self, request: &super::Request) -> bool {
        self.pacing.is_leaving() && rests_with(request)
    }

    /// The network is said to be back, or the page woke: what waits to be repeated is repeated now, and what breaks
    /// again is waited for as if it had not broken before. An attempt to repeat that has hung for a while is given up for
    /// another one: it may wait for a connection that is dead. What the page before this one sent keeps its turn: a pause of it
    /// has arrived, most likely, and must not be repeated (§14.3).
    pub fn wake(&mut self, now: Instant) {
        self.pacing.wake();
        self.outage.since = self.outage.since.map(|_| now);
        for request in &mut self.in_flight {
            request.pauses = 0;
            request.broken_since = None;
            let keeps_turn = keeps_turn(request);
            match &mut request.progress {
                Progress::Repeating(_) if keeps_turn => {}
                Progress::Repeating(at) => *at = now.min(*at),
                Progress::Flying(exchange)
                    if request.attempts > 1 && now >= request.sent_at + HANGS =>
                {
                    self.transmits.push_back(Transmit::CancelHttp(*exchange));
                    request.progress = Progress::Repeating(now);
                }
                Progress::Flying(_) | Progress::Answered { .. } => {}
            }
        }
    }

    /// Takes a pause whose turn it is for answered, when a later request is: the server has it, and its answer brings nothing.
    ///
    /// COMPAT(ejabberd): it never comes. And §14.3 does not let servers keep it for a repetition.
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
            if let Progress::Flying(exchange) = request.progress {
                self.transmits.push_back(Transmit::CancelHttp(exchange));
            }
        }
    }

    /// How many requests count for the window (§11): a pause may be one too many, unless the server cannot have got it.
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

    /// Whether the good-bye may leave: one request more than the window is allowed for it (§11), or for a pause, but not for both.
    pub(super) fn has_room_for_farewell(&self) -> bool {
        self.in_flight.len() <= self.terms.requests
    }

    /// May another request leave?
    pub(super) fn has_room(&self) -> bool {
        self.under_way() < self.terms.requests
    }
}

/// Is it one?
pub(super) fn is_pause(request: &super::Request) -> bool {
    request.errand == Errand::Pause
}

/// Whether a broken request is left alone while the caller leaves.
pub(super) fn rests_with(request: &super::Request) -> bool {
    request.errand == Errand::Poll || request.errand.is_last()
}
