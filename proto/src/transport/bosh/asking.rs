//! The pings of a bound session, whose replies show that earlier requests have arrived.
//!
//! A server answers a request when it has a stanza to send, or when another request arrives. So the arrival of a
//! request may stay unknown for as long as the server holds it. Any iq with a reply brings a response. (An empty
//! request would, too, but that is overactivity, XEP-0124 §11.)

use super::broken::is_troubled;
use super::pacing::Gate;
use super::pause::is_pause;
use super::{Bosh, PATIENCE, Progress, Queued, State, TransportEvent};
use crate::random::Ids;
use crate::time::{Instant, Millis};
use crate::xep::ping;

/// How long the only request under way may be held before a ping checks its arrival: no response to an earlier request
/// can show it.
const PATIENCE_ALONE: Millis = Millis(60);
/// After binding, how long to wait for a stanza, usually presence, before an empty request is sent.
const PRESENCE_DELAY: Millis = Millis(50);

impl Bosh {
    /// The session is bound: from now on pings may be sent. For a moment no empty request is sent, so that the caller
    /// can send its presence. A hidden page has no timer that is short enough for that.
    pub fn establish(&mut self, now: Instant) {
        let span = match self.pacing.is_hidden() {
            true => Millis(0),
            false => PRESENCE_DELAY,
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

    /// Sends a ping if one is due.
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

    /// Same as [`Bosh::ask`](super::Bosh::ask), for a hidden page, before any request is sent: a timer would fire too late.
    pub fn ask_before_requests(&mut self, now: Instant, ids: &mut Ids) {
        if self.pacing.is_hidden() {
            self.ask(now, ids);
        }
    }

    /// Returns true if a reply from the own server or account answers a ping.
    pub fn handle_reply(&mut self, id: &str) -> bool {
        self.own_requests.take(id)
    }

    /// Ignores a second reply with that id.
    pub fn ignore_reply(&mut self, id: String) {
        self.own_requests.add(id);
    }

    /// When a ping is due: the newest request is held with an awaited stanza, or broke more than once, or follows a
    /// pause, and no response is under way that could show its arrival.
    pub(super) fn ask_due(&self) -> Option<Instant> {
        let room = self.queue.is_empty() && self.has_room();
        let newest = self.in_flight.last().filter(|newest| !is_pause(newest))?;
        let wanted = !newest.carried.is_empty() || is_troubled(newest);
        let paused = self.in_flight.first().is_some_and(is_pause);
        let waiting = self.may_ask() && room && (wanted || paused);
        let request_mut = matches!(newest.progress, Progress::InFlight(_));
        let patience = match self.under_way() {
            1 => PATIENCE_ALONE,
            _ => PATIENCE,
        };
        (waiting && request_mut).then(|| newest.sent_at.max(self.heard_at) + patience)
    }

    /// Whether a request with an awaited stanza is about to leave while no other request is under way whose response
    /// could show its arrival.
    fn goes_alone(&self, now: Instant) -> bool {
        let awaited = |queued: &Queued| matches!(queued, Queued::Element(_, Some(_)));
        self.is_bound()
            && self.under_way() == 0
            && self.may_leave(now)
            && self.queue.iter().any(awaited)
    }
}
