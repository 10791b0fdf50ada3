//! The pace of a page's requests over BOSH: what a [`World`] notes of it, and what must hold. (The rules are in
//! `transport/bosh/pacing.rs`.)
//!
//! - A visible page's requests are 25 ms apart unless an answer came first that shows that the last one has arrived: the answer to it,
//!   or an empty one. The good-bye keeps the distance whatever came.
//! - Its empty request leaves 5 ms after an answer at the earliest.
//! - A stanza that the window has room for leaves within these 25 ms, and at once when such an answer comes; the good-bye leaves.
//! - A hidden page's timers fire once a second. So nothing of it waits for one: an answer is followed by a request at once.
//!
//! Requests that overtake others are counted ([`BoshServer::overtakes`](super::bosh_server::BoshServer)): the server must bear them
//! (XEP-0124 §14.2), and an answer that was on its way before a request left ends the distance as any other does.

use super::judge::Wrong;
use super::world::World;
use epode_proto::io::{ExchangeId, Input};
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::{Element, Limits, parse};
use std::collections::BTreeMap;

const SPACING: Millis = Millis(25);
const BEFORE_EMPTY: Millis = Millis(5);
/// How often timers of a hidden page fire.
const TICK: u64 = 1_000;

/// What a page has posted and heard.
#[derive(Default)]
pub struct Pace {
    pub hidden: bool,
    pub was_hidden: bool,
    /// When the last request left.
    last: Option<Instant>,
    /// The same, unless it is known to have arrived since.
    unanswered: Option<Instant>,
    heard: Option<Instant>,
    /// Something came to a hidden page, and no request has left since.
    pub owes: bool,
    /// When the page left, until its good-bye does.
    left: Option<Instant>,
    /// A message of the page has left in this session: nothing that has to be restored holds messages back.
    spoke: bool,
    /// Since when a message of the page has been waiting to leave.
    waits_since: Option<Instant>,
    /// An answer that shows that the last request has arrived was handed to the page in this step.
    answered: bool,
    /// The rid of each exchange.
    rids: BTreeMap<ExchangeId, u64>,
    /// The latest exchange that has an answer. An answer that came before its turn leaves no room in the window.
    latest: Option<ExchangeId>,
    highest: u64,
}

impl Pace {
    /// Whether a request has left so short a time ago.
    pub fn left_within(&self, now: Instant, time: Millis) -> bool {
        self.last.is_some_and(|last| now < last + time)
    }
}

impl World {
    /// The page is hidden, or visible again.
    pub fn turn_visibility(&mut self) {
        let hidden = !self.pace.hidden;
        self.tell(|| format!("the page is hidden: {hidden}"));
        self.pace.hidden = hidden;
        self.pace.was_hidden |= hidden;
        if !hidden {
            self.client.wake(self.now);
        }
        let input = Input::Visibility { hidden };
        self.client.handle_input(self.now, input);
        self.poll();
    }

    /// When a timer fires that is set for `at` now.
    pub fn fires_at(&self, at: Instant) -> Instant {
        if self.pace.hidden && at > self.now {
            Instant(at.0.div_ceil(TICK) * TICK)
        } else {
            at
        }
    }

    /// An exchange has ended, as the page hears now.
    pub fn note_input(&mut self, input: &Input) {
        let (exchange, body) = match input {
            Input::HttpAnswered { exchange, body, .. } => (exchange, Some(body)),
            Input::HttpFailed { exchange, .. } => (exchange, None),
            _ => return,
        };
        self.pace.latest = self.pace.latest.max(Some(*exchange));
        let is_last = self.pace.rids.get(exchange) == Some(&self.pace.highest);
        // What is no answer of the service shows that the network fails, as a failure does.
        let content = body
            .and_then(|body| parse(body.clone(), &Limits::default()).ok())
            .filter(|body| body.is("body", ns::HTTP_BIND));
        if is_last || content.is_none_or(|body| body.children().next().is_none()) {
            self.pace.unanswered = None;
            self.pace.answered = true;
        }
        self.pace.heard = Some(self.now);
        let brings = body.is_some_and(|body| body.windows(8).any(|some| some == b"<message"));
        self.pace.owes = self.pace.hidden && self.online && brings;
    }

    /// A request leaves.
    pub fn judge_pace(&mut self, exchange: ExchangeId, body: &str) {
        let body = parse(body.as_bytes().to_vec(), &Limits::default()).expect("a body");
        let rid = body.attr("rid").and_then(|rid| rid.parse().ok());
        let rid: u64 = rid.expect("a rid");
        self.pace.rids.insert(exchange, rid);
        let session = body.attr("sid").is_none();
        let new = session || rid > self.pace.highest;
        let farewell = body.attr("type").is_some();
        if farewell {
            self.pace.left = None;
        }
        let now = self.now;
        let crowded = |last: Option<Instant>| last.is_some_and(|last| now < last + SPACING);
        let too_soon = if session || self.pace.hidden {
            false
        } else if farewell {
            // That of a session that was given up does not wait.
            new && self.leaving && crowded(self.pace.last)
        } else {
            crowded(self.pace.unanswered)
        };
        if too_soon {
            self.judge
                .blame(Wrong::Restless, "two requests without a distance");
        }
        let early = self.pace.heard.is_some_and(|at| now < at + BEFORE_EMPTY);
        if new && says_nothing(&body) && early && !self.pace.hidden {
            self.judge
                .blame(Wrong::Restless, "an empty request before the page's turn");
        }
        if body.attr("pause").is_none() {
            self.nap.stays_awake = None;
        }
        self.pace.last = Some(now);
        self.pace.unanswered = Some(now);
        self.pace.owes = false;
        if session {
            self.pace.spoke = false;
        } else if body.has_child("message", ns::CLIENT) {
            self.pace.spoke = true;
            self.pace.waits_since = None;
        }
        self.pace.highest = if session {
            rid
        } else {
            rid.max(self.pace.highest)
        };
    }

    /// The page is about to send a message, which does not wait for anything else to be restored: one has left before.
    pub fn note_said(&mut self) {
        if self.pace.spoke && self.has_bosh_session() && self.is_undisturbed() {
            self.pace.waits_since.get_or_insert(self.now);
        }
    }

    /// The page is about to leave.
    pub fn note_leaving(&mut self) {
        let polls = self.scenario.extras.polling.is_some();
        let certain = self.scenario.restarts == 0 && !self.judge.lenient && !polls;
        if certain && self.has_bosh_session() {
            self.pace.left.get_or_insert(self.now);
        }
    }

    /// Whether the page is online over BOSH, as far as it knows.
    fn has_bosh_session(&self) -> bool {
        let over_bosh = self.socket.is_none() && self.server.bosh.newest().is_some();
        over_bosh && self.online
    }

    /// All that was due now has been done: what may leave has left.
    pub fn judge_waiting(&mut self) {
        let answered = core::mem::take(&mut self.pace.answered);
        if self.open.len() > self.server.bosh.window() {
            // A pause was the one request that the window has room for beyond its size.
            self.pace.left = None;
        }
        // A request that breaks is repeated, and the good-bye keeps its distance from that, too.
        let left = self
            .pace
            .left
            .map(|left| self.pace.last.map_or(left, |last| last.max(left)));
        if left.is_some_and(|left| self.now > left + SPACING) {
            self.judge
                .blame(Wrong::Restless, "the good-bye does not leave");
        }
        let Some(since) = self.pace.waits_since else {
            return;
        };
        if !self.online || self.leaving {
            self.pace.waits_since = None;
        } else if self.has_room() {
            let late = answered || self.pace.hidden || self.now > since + SPACING;
            if late {
                self.judge
                    .blame(Wrong::Restless, "a stanza waits that may leave");
            }
        }
    }

    /// Whether the window takes another request, as far as the page can know.
    fn has_room(&self) -> bool {
        let in_turn = |open: &ExchangeId| Some(*open) > self.pace.latest;
        self.open.len() < self.server.bosh.window() && self.open.values().all(in_turn)
    }

    /// All that was due now has been done.
    pub fn judge_hidden(&mut self) {
        let owes = core::mem::take(&mut self.pace.owes);
        let undisturbed = self.is_undisturbed() && self.online && !self.leaving;
        if owes && undisturbed && self.open.is_empty() {
            self.judge
                .blame(Wrong::Restless, "a hidden page waits for a timer");
        }
    }

    /// Nothing in this scenario breaks or stops, and requests leave at the usual pace.
    fn is_undisturbed(&self) -> bool {
        self.is_steady() && self.scenario.extras.keeps_pace()
    }

    /// Nothing in this scenario breaks or stops, but for a page that says so.
    pub fn is_steady(&self) -> bool {
        let scenario = &self.scenario;
        scenario.weather.per_mille == 0
            && scenario.restarts + scenario.freezes + scenario.reloads == 0
            && scenario.socketless == Millis(0)
    }

    /// Another page is there.
    pub fn forget_pace(&mut self) {
        let Pace {
            hidden, was_hidden, ..
        } = self.pace;
        self.pace = Pace {
            hidden,
            was_hidden,
            ..Pace::default()
        };
        if hidden {
            let input = Input::Visibility { hidden };
            self.client.handle_input(self.now, input);
        }
    }
}

/// Whether a request only lets the server answer.
fn says_nothing(body: &Element) -> bool {
    let restarts = body.attr_ns("restart", ns::XBOSH).is_some();
    let set = restarts || body.attr("type").is_some() || body.attr("pause").is_some();
    body.attr("sid").is_some() && !set && body.children().next().is_none()
}
