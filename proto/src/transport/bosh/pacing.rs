//! Decides when the next request may leave (XEP-0124 1.11.2 §7.1, §11, §12): the distance between requests, and the
//! delay of empty ones.
//!
//! A browser has several HTTP connections to a service. If two requests leave at once, the later one may arrive first.
//! XEP-0124 §14.2 provides for that, but COMPAT(ejabberd 23): a session in which it happens receives nothing any more.
//! So two requests are [`SPACING`] apart, unless an earlier response shows that the server has the former request: the
//! response to it, or an empty response to a request before it. An empty request waits [`BEFORE_EMPTY`] after a
//! response, for stanzas that the caller sends because of the response.
//!
//! A hidden page has slow timers (once a second, later once a minute), so its requests are not spaced, and an empty
//! request only waits for the next [`Bosh::handle_timeout`](super::Bosh::handle_timeout), which is due at once. A page
//! that is being left may not run any more: none of its requests waits.

use crate::time::{Instant, Millis};
use crate::timers::{Name, Timers};

/// How long the next request waits for the response to the previous one.
const SPACING: Millis = Millis(25);
/// How long an empty request waits for the caller to send a stanza instead.
const BEFORE_EMPTY: Millis = Millis(5);

/// A reason for a request to wait. A gate that is set is closed until its time.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Gate {
    /// Any new request: the interval of a session that polls (§12), and the responses to the requests of a former page.
    New,
    /// Any request: [`SPACING`] after the last one, or a response that shows that the last one has arrived.
    Spaced,
    /// The terminating request: [`SPACING`] after the last request, whatever responses come. The response to an earlier
    /// request does not show that the last one has arrived.
    Farewell,
    /// An empty request: [`BEFORE_EMPTY`] after a response. Gives the caller a turn: opens only after a timeout.
    Empty,
    /// An empty request: the polling interval after an empty response (§11, overactivity).
    Poll,
    /// An empty request: the caller is expected to send a stanza soon.
    Linger,
    /// An empty request: the page is assumed to be asleep.
    Sleep,
}

impl Name for Gate {
    fn index(self) -> usize {
        self as usize
    }
}

/// The pace of one session.
#[derive(Default)]
pub(super) struct Pacing {
    /// Whether requests are spaced. Otherwise they leave as soon as the window allows it.
    spaced: bool,
    hidden: bool,
    leaving: bool,
    /// The distance between all requests in a session that polls; zero in any other.
    interval: Millis,
    gates: Timers<Gate, 7>,
}

impl Pacing {
    pub(super) fn new(spaced: bool) -> Self {
        Self {
            spaced,
            ..Self::default()
        }
    }

    // ── state of the page ───────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn set_hidden(&mut self, hidden: bool) {
        self.hidden = hidden;
    }

    /// Whether the caller's timers fire late.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden
    }

    pub(super) fn set_leaving(&mut self, leaving: bool) {
        self.leaving = leaving;
    }

    /// Whether the caller may be gone at any moment.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Notes that a request was sent, new or repeated.
    pub(super) fn note_sent(&mut self, now: Instant) {
        if self.spaced {
            self.gates.set(Gate::Spaced, now + SPACING);
            self.gates.set(Gate::Farewell, now + SPACING);
        }
    }

    /// Notes that a new request was sent. `carries`: the request carries elements.
    pub(super) fn note_new(&mut self, now: Instant, carries: bool) {
        self.note_sent(now);
        self.gates.stop(Gate::Sleep);
        self.gates.set(Gate::New, now + self.interval);
        if carries {
            self.gates.stop(Gate::Linger);
        }
    }

    /// Notes that an exchange ended: answered or broken. `shows_last`: the response shows that the server has the last
    /// request, or the network has failed.
    pub(super) fn note_answer(&mut self, now: Instant, shows_last: bool) {
        if shows_last {
            self.gates.stop(Gate::Spaced);
        }
        if self.spaced {
            self.gates.set(Gate::Empty, now + BEFORE_EMPTY);
        }
    }

    /// Notes that a response was handled: the interval of a session that polls begins now.
    pub(super) fn note_handled(&mut self, now: Instant) {
        self.close(Gate::New, now + self.interval);
    }

    /// Sets the distance between all requests.
    pub(super) fn set_interval(&mut self, interval: Millis) {
        self.interval = interval;
    }

    /// Stops new requests until `until`.
    pub(super) fn wait_until(&mut self, until: Instant) {
        self.gates.set(Gate::New, until);
    }

    /// Allows new requests again, one interval from now.
    pub(super) fn go_on(&mut self, now: Instant) {
        self.gates.set(Gate::New, now + self.interval);
    }

    /// Stops empty requests until `until`.
    pub(super) fn set(&mut self, gate: Gate, until: Instant) {
        self.gates.set(gate, until);
    }

    /// Notes that the page is awake.
    pub(super) fn wake(&mut self) {
        self.gates.stop(Gate::Sleep);
    }

    /// Notes a timeout: the caller has had its turn.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.hidden {
            self.gates.stop(Gate::Empty);
        } else {
            self.gates.expire(Gate::Empty, now);
        }
    }

    /// Keeps a gate closed until `until`, or longer if it already is.
    fn close(&mut self, gate: Gate, until: Instant) {
        let known = self.gates.get(gate).unwrap_or_default();
        self.gates.set(gate, known.max(until));
    }

    // ── permissions ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether requests are spaced now.
    fn is_spaced(&self) -> bool {
        !self.hidden && !self.leaving
    }

    fn after(&self, gates: &[Gate]) -> Instant {
        let times = gates.iter().filter_map(|gate| self.gates.get(*gate));
        times.max().unwrap_or_default()
    }

    /// When a request may be repeated, with regard to other requests.
    pub(super) fn repeat_at(&self) -> Instant {
        match self.is_spaced() {
            true => self.after(&[Gate::Spaced]),
            false => Instant(0),
        }
    }

    /// When a new request with elements may leave.
    pub(super) fn request_at(&self) -> Instant {
        self.after(&[Gate::New]).max(self.repeat_at())
    }

    /// When an empty request may leave if none is under way; then [`Pacing::may_poll`] decides whether the caller has
    /// had its turn.
    pub(super) fn empty_at(&self) -> Instant {
        let idle = self.after(&[Gate::Poll, Gate::Linger, Gate::Sleep]);
        let turn = match self.hidden {
            true => Instant(0),
            false => self.after(&[Gate::Empty]),
        };
        idle.max(turn).max(self.request_at())
    }

    /// Whether an empty request may leave now.
    pub(super) fn may_poll(&self, now: Instant) -> bool {
        self.gates.get(Gate::Empty).is_none() && now >= self.empty_at()
    }

    /// When the terminating request may leave: at once if the caller may be gone at any moment.
    pub(super) fn farewell_at(&self) -> Instant {
        match (self.leaving, self.hidden) {
            (true, _) => Instant(0),
            (false, true) => self.after(&[Gate::New]),
            (false, false) => self.after(&[Gate::New, Gate::Farewell]),
        }
    }

    /// Whether a request was sent so recently that another one sent now may overtake it.
    pub(super) fn is_crowded(&self, now: Instant) -> bool {
        now < self.after(&[Gate::Spaced])
    }
}
