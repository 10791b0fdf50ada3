//! When the next request may leave (XEP-0124 1.11.2 §7.1, §11, §12): how far apart requests are, and what an empty one waits for.
//!
//! A browser has several HTTP connections to a service. Of two requests that leave at once, the later may arrive first. XEP-0124
//! §14.2 provides for that, but COMPAT(ejabberd 23): a session in which it happens receives nothing any more. So two requests are
//! [`SPACING`] apart, unless an answer comes first that shows that the server has the former request: the answer to it, or an empty
//! one to a request before it. An empty request waits
//! [`BEFORE_EMPTY`] after an answer, for what the caller sends because of the answer.
//!
//! A hidden page has slow timers (once a second, later once a minute), so its requests are not spaced, and an empty request
//! waits for the next [`Bosh::handle_timeout`](super::Bosh::handle_timeout) only, which is due at once. A page that is being left
//! may not run any more: nothing of it waits.

use crate::time::{Instant, Millis};
use crate::timers::{Name, Timers};

/// How long the next request waits for the answer to the one before it.
const SPACING: Millis = Millis(25);
/// How long an empty request waits for the caller to send something in its place.
const BEFORE_EMPTY: Millis = Millis(5);

/// What a request waits for. A gate that is set is closed until its time.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Gate {
    /// Any new request: the interval of a session that polls (§12), and the answers to what a former page sent.
    New,
    /// Any request: [`SPACING`] after the last one, or an answer that shows that the last one has arrived.
    Spaced,
    /// The good-bye: [`SPACING`] after the last request, whatever is answered. An answer to an earlier request does not show that
    /// the last one has arrived.
    Farewell,
    /// An empty request: [`BEFORE_EMPTY`] after an answer. The caller's turn: open only after a timeout.
    Empty,
    /// An empty request: the polling interval after an empty answer (§11, overactivity).
    Poll,
    /// An empty request: something to send is expected soon.
    Linger,
    /// An empty request: the page is believed to sleep.
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
    /// Whether the rules of this file's head hold. Without them requests leave as soon as the window allows it.
    spaced: bool,
    hidden: bool,
    leaving: bool,
    /// How far apart all requests are in a session that polls; zero in any other.
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

    // ── what the caller is ──────────────────────────────────────────────────────────────────────────────────────────

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

    /// Whether the caller may be gone the next moment.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    // ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────

    /// A request left, new or repeated.
    pub(super) fn note_sent(&mut self, now: Instant) {
        if self.spaced {
            self.gates.set(Gate::Spaced, now + SPACING);
            self.gates.set(Gate::Farewell, now + SPACING);
        }
    }

    /// A new request left. `carries`: something that was waited for is in it.
    pub(super) fn note_new(&mut self, now: Instant, carries: bool) {
        self.note_sent(now);
        self.gates.stop(Gate::Sleep);
        self.gates.set(Gate::New, now + self.interval);
        if carries {
            self.gates.stop(Gate::Linger);
        }
    }

    /// An exchange is over: answered, or broken. `shows_last`: the answer shows that the server has the last request, or the network
    /// has failed.
    pub(super) fn note_answer(&mut self, now: Instant, shows_last: bool) {
        if shows_last {
            self.gates.stop(Gate::Spaced);
        }
        if self.spaced {
            self.gates.set(Gate::Empty, now + BEFORE_EMPTY);
        }
    }

    /// The answer's turn has come: the interval of a session that polls begins with it.
    pub(super) fn note_handled(&mut self, now: Instant) {
        self.close(Gate::New, now + self.interval);
    }

    /// All requests are at least that far apart from now on.
    pub(super) fn set_interval(&mut self, interval: Millis) {
        self.interval = interval;
    }

    /// Nothing new leaves before `until`.
    pub(super) fn wait_until(&mut self, until: Instant) {
        self.gates.set(Gate::New, until);
    }

    /// New requests may leave again, an interval from now.
    pub(super) fn go_on(&mut self, now: Instant) {
        self.gates.set(Gate::New, now + self.interval);
    }

    /// No empty request before `until`.
    pub(super) fn set(&mut self, gate: Gate, until: Instant) {
        self.gates.set(gate, until);
    }

    /// The page does not sleep, or not any more.
    pub(super) fn wake(&mut self) {
        self.gates.stop(Gate::Sleep);
    }

    /// Time has passed: the caller has had its turn.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.hidden {
            self.gates.stop(Gate::Empty);
        } else {
            self.gates.expire(Gate::Empty, now);
        }
    }

    /// Keeps a gate closed until `until`, or longer if it is closed longer.
    fn close(&mut self, gate: Gate, until: Instant) {
        let known = self.gates.get(gate).unwrap_or_default();
        self.gates.set(gate, known.max(until));
    }

    // ── what may leave ──────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether requests keep their distance now.
    fn keeps_distance(&self) -> bool {
        !self.hidden && !self.leaving
    }

    fn after(&self, gates: &[Gate]) -> Instant {
        let times = gates.iter().filter_map(|gate| self.gates.get(*gate));
        times.max().unwrap_or_default()
    }

    /// When a request may be repeated, as far as other requests matter.
    pub(super) fn repeat_at(&self) -> Instant {
        match self.keeps_distance() {
            true => self.after(&[Gate::Spaced]),
            false => Instant(0),
        }
    }

    /// When a new request that carries something may leave.
    pub(super) fn request_at(&self) -> Instant {
        self.after(&[Gate::New]).max(self.repeat_at())
    }

    /// When an empty request may leave, if none is under way; then [`Pacing::may_poll`] tells whether the caller has had its turn.
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

    /// When the good-bye may leave: at once when the caller may be gone the next moment.
    pub(super) fn farewell_at(&self) -> Instant {
        match (self.leaving, self.hidden) {
            (true, _) => Instant(0),
            (false, true) => self.after(&[Gate::New]),
            (false, false) => self.after(&[Gate::New, Gate::Farewell]),
        }
    }

    /// Whether a request left so short a time ago that one which leaves now may arrive before it.
    pub(super) fn is_crowded(&self, now: Instant) -> bool {
        now < self.after(&[Gate::Spaced])
    }
}
