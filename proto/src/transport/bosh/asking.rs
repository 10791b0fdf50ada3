//! What a bound session sends for its own sake: pings whose replies tell that something has arrived.
//!
//! A server answers a request when it has something to say, or when another request comes. So whether a request that carries
//! something has arrived may stay unknown for as long as the server holds it. Any request with a reply brings an answer. (An empty
//! request would, too, but that is overactivity, XEP-0124 §11.)

use super::broken::is_troubled;
use super::pacing::Gate;
use super::pause::is_pause;
use super::{Bosh, PATIENCE, Progress, Queued, State, TransportEvent};
use crate::random::Ids;
use crate::time::{Instant, Millis};
use crate::xep::ping;

/// How long a request that is alone under way may be held before it is asked after: no answer to an earlier one can tell.
const PATIENCE_ALONE: Millis = Millis(60);
/// After binding, how long to wait for something to send, usually presence, before an empty request is sent.
const LINGER: Millis = Millis(50);

impl Bosh {
    /// The session is bound: from here on the server may be asked. No empty request is sent for its own sake for a moment, in which
    /// the caller sends its presence. A hidden page has no timer that is short enough.
    pub fn establish(&mut self, now: Instant) {
        let span = match self.pacing.is_hidden() {
            true => Millis(0),
            false => LINGER,
        };
        if matches!(self.state, State::Open) {
            self.enter(State::Bound);
        }
        self.pacing.set(Gate::Linger, now + span);
    }

    /// Whether the session is bound.
    pub fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound)
    }

    /// Whether pings may be sent: in a bound session that is not the caller's own business.
    fn may_ask(&self) -> bool {
        self.is_bound() && !self.config.by_hand
    }

    /// What the server waits for is being prepared: no empty request is sent before it, or before `until`.
    pub fn await_payload(&mut self, until: Instant) {
        self.pacing.set(Gate::Linger, until);
    }

    /// Sends a ping if it is time for one.
    pub fn ask(&mut self, now: Instant, ids: &mut Ids) {
        let alone = self.pacing.is_hidden() && self.goes_alone(now);
        let due = self.ask_due().is_some_and(|due| now >= due);
        if !self.may_ask() || !(due || alone) {
            return;
        }
        let id = ids.next_id();
        let ping = ping::request(None).with_attr("id", &id);
        self.own_requests.add(id);
        self.events.push_back(TransportEvent::OwnSent(ping.clone()));
        self.send(ping, None);
    }

    /// The same for a hidden page, before anything leaves: a timer that asks later would fire too late.
    pub fn ask_along(&mut self, now: Instant, ids: &mut Ids) {
        if self.pacing.is_hidden() {
            self.ask(now, ids);
        }
    }

    /// A reply has come from our own side: true if it answers a ping.
    pub fn handle_reply(&mut self, id: &str) -> bool {
        self.own_requests.take(id)
    }

    /// A second reply of that id may come, which is to be ignored.
    pub fn ignore_reply(&mut self, id: String) {
        self.own_requests.add(id);
    }

    /// When to ask: when the newest request is held with something whose arrival is waited for, or after it broke more than once, or
    /// behind a pause, and no answer is on its way that could tell.
    pub(super) fn ask_due(&self) -> Option<Instant> {
        let room = self.queue.is_empty() && self.has_room();
        let newest = self.in_flight.last().filter(|newest| !is_pause(newest))?;
        let wanted = !newest.carried.is_empty() || is_troubled(newest);
        let paused = self.in_flight.first().is_some_and(is_pause);
        let waiting = self.may_ask() && room && (wanted || paused);
        let flying = matches!(newest.progress, Progress::Flying(_));
        let patience = match self.under_way() {
            1 => PATIENCE_ALONE,
            _ => PATIENCE,
        };
        (waiting && flying).then(|| newest.sent_at.max(self.heard_at) + patience)
    }

    /// Whether a request is about to leave that carries something whose arrival is waited for, with no other under way whose answer
    /// could tell of it.
    fn goes_alone(&self, now: Instant) -> bool {
        let awaited = |queued: &Queued| matches!(queued, Queued::Element(_, Some(_)));
        self.is_bound()
            && self.under_way() == 0
            && self.may_leave(now)
            && self.queue.iter().any(awaited)
    }
}
