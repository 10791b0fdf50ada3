//! Sends requests: as many as the window allows, each with as many elements as fit (XEP-0124 §7, §11, §13).

use super::broken::is_troubled;
use super::pause::{is_pause, is_skipped_when_leaving};
use super::snapshot::{LAST_RID, SETTLING};
use super::state::Timer;
use super::{
    BodyWriter, Bosh, BoshConfig, PATIENCE, Progress, Queued, Request, RequestPurpose, State,
};
use crate::event::{Delivery, SendId};
use crate::io::{ExchangeId, Transmit};
use crate::time::{Instant, Millis};

/// The size from which a body takes no further stanzas, in bytes: servers limit bodies, and a response should not wait
/// for a long upload.
const SOFT_BODY_LIMIT: usize = 64 * 1024;

/// The bytes that platforms transmit for a caller that is gone: 64 KiB for all its requests (Fetch §2.9). The
/// terminating request, and the requests repeated before it, take less than half of that each.
const LAST_LIMIT: usize = 30 * 1024;
/// How long a request may take to leave the platform. An empty request that was sent earlier has reached the server.
const FRESH: Millis = Millis(250);

impl Request {
    /// Sends the body, for the first time or again. `farewell`: the transmission must outlive the caller.
    fn send(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        config: &BoshConfig,
        farewell: bool,
    ) -> Transmit {
        self.progress = Progress::InFlight(exchange);
        self.sent_at = now;
        Transmit::Http {
            exchange,
            address: config.address.clone(),
            foreign: config.foreign,
            body: self.body.clone(),
            farewell,
        }
    }
}

impl Bosh {
    /// Sends the requests that may be sent.
    pub(super) fn fill_window(&mut self, now: Instant) {
        self.repeat_due(now);
        match self.held_back_until(now) {
            Some(until) => self.timers.set(Timer::HeldBack, until),
            None => self.timers.stop(Timer::HeldBack),
        }
        let leaving = self.pacing.is_leaving();
        loop {
            let under_way = self.under_way();
            match self.state {
                State::Closed => return,
                State::Opening | State::Terminating => return,
                State::Fresh => {
                    self.enter(State::Opening);
                    self.request_session(now);
                }
                State::Open | State::Bound if under_way >= self.terms.requests => return,
                State::Open | State::Bound if self.next_rid > LAST_RID => return,
                // An element that is not sent over a broken network need not be reported as unknown when the session is
                // lost.
                State::Open | State::Bound if self.is_held_back() && !leaving => return,
                State::Open | State::Bound if !self.queue.is_empty() => {
                    if now < self.pacing.request_at() {
                        return;
                    }
                    self.request_with_queue(now, false);
                }
                State::Open | State::Bound if leaving => return,
                State::Open | State::Bound if under_way == 0 && self.pacing.may_poll(now) => {
                    self.request_with_queue(now, false);
                }
                State::Open | State::Bound => return,
                State::Closing if !leaving && !self.has_room_for_farewell() => return,
                State::Closing if now < self.pacing.farewell_at() => return,
                State::Closing => {
                    if leaving {
                        self.repeat_unconfirmed(now);
                    }
                    self.enter(State::Terminating);
                    self.request_with_queue(now, true);
                }
            }
        }
    }

    /// When the next new request is due: with queued elements, empty, or terminating.
    pub(super) fn request_due(&self) -> Option<Instant> {
        let leaving = self.pacing.is_leaving();
        match self.state {
            State::Open | State::Bound if self.next_rid > LAST_RID || !self.has_room() => None,
            // The end of that state is a separate deadline.
            State::Open | State::Bound if self.is_held_back() && !leaving => None,
            State::Open | State::Bound if !self.queue.is_empty() => Some(self.pacing.request_at()),
            State::Open | State::Bound if self.under_way() == 0 && !leaving => {
                Some(self.pacing.empty_at())
            }
            State::Closing if leaving || self.has_room_for_farewell() => {
                Some(self.pacing.farewell_at())
            }
            _ => None,
        }
    }

    /// While requests break: until when no new request leaves. The next attempt comes first, with a moment to fail. The
    /// same applies while the requests of the previous page are repeated.
    fn held_back_until(&self, now: Instant) -> Option<Instant> {
        let mut until = None;
        for request in &self.in_flight {
            let at = match request.progress {
                Progress::Repeating(at) => at,
                Progress::InFlight(_) if request.inherited => request.sent_at + SETTLING,
                Progress::InFlight(_) => request.sent_at + PATIENCE,
                Progress::Answered { .. } => continue,
            };
            let settles = request.inherited && !is_pause(request);
            if (is_troubled(request) || settles) && at > now {
                until = until.max(Some(at));
            }
        }
        until
    }

    pub(super) fn repeat_due(&mut self, now: Instant) {
        let leaving = self.pacing.is_leaving();
        let left_to_next = self.is_left_to_next();
        for request in &mut self.in_flight {
            if leaving && (left_to_next || is_skipped_when_leaving(request)) {
                continue;
            }
            if let Progress::Repeating(at) = request.progress
                && (now >= at || leaving)
            {
                if now < self.pacing.repeat_at() {
                    break;
                }
                self.pacing.note_sent(now);
                let farewell = request.purpose.is_last() || leaving;
                let transmit =
                    request.send(now, self.names.next_exchange(), &self.config, farewell);
                self.transmits.push_back(transmit);
            }
        }
    }

    /// Shortens the queue to the size that a terminating request can carry for a caller that is gone: ending the
    /// session matters more than elements that would not leave either.
    pub(super) fn shorten_queue(&mut self) {
        let mut room = LAST_LIMIT;
        let mut queue = core::mem::take(&mut self.queue);
        while let Some(queued) = queue.pop_front() {
            let Queued::Element(element, name) = queued else {
                continue;
            };
            match room.checked_sub(element.to_xml().len()) {
                Some(left) => {
                    room = left;
                    self.queue.push_back(Queued::Element(element, name));
                }
                None => self.settle(name, Delivery::Undelivered),
            }
        }
    }

    /// Repeats the requests that are not known to have arrived: those with elements, and one that was sent a moment
    /// ago, without which the server would not process the terminating request. The platform may abort the first
    /// transmission with the caller, and completes the repetition without the caller. The first transmission is not
    /// cancelled: it may be the one that arrives.
    fn repeat_unconfirmed(&mut self, now: Instant) {
        let mut room = LAST_LIMIT;
        for request in &mut self.in_flight {
            let is_in_flight = matches!(request.progress, Progress::InFlight(_));
            let fresh = now < request.sent_at + FRESH;
            let needed = !request.carried.is_empty() || fresh;
            if !is_in_flight || !needed || request.body.len() > room {
                continue;
            }
            room -= request.body.len();
            let transmit = request.send(now, self.names.next_exchange(), &self.config, true);
            self.transmits.push_back(transmit);
        }
    }

    /// §7.1, together with the elements that are queued already.
    pub(super) fn request_session(&mut self, now: Instant) {
        let mut body = BodyWriter::new(self.next_rid);
        body.attribute("to", &self.config.to);
        if let Some(from) = &self.config.from {
            body.attribute("from", from);
        }
        if let Some(lang) = &self.config.lang {
            body.attribute("xml:lang", lang);
        }
        if let Some(route) = &self.config.route {
            body.attribute("route", route);
        }
        body.attribute("content", "text/xml; charset=utf-8");
        body.attribute("ver", "1.11");
        body.number("wait", u64::from(self.config.wait));
        body.number("hold", u64::from(self.config.hold));
        body.number("ack", 1);
        body.declare_xbosh();
        body.attribute("xmpp:version", "1.0");
        if let Some(keys) = &mut self.keys {
            keys.show(&mut body);
        }
        let mut carried = Vec::new();
        self.take_queue(&mut body, &mut carried);
        self.transmit(now, body.finish(), carried, RequestPurpose::Payload);
    }

    /// Begins every request but the first: the session (§14), the acknowledgement of responses (§9.2), the key (§15).
    pub(super) fn begin(&mut self) -> BodyWriter {
        let mut body = BodyWriter::new(self.next_rid);
        body.attribute("sid", &self.sid);
        if self.terms.acknowledges && self.last_in_order + 1 < self.next_rid {
            body.number("ack", self.last_in_order);
        }
        if let Some(keys) = &mut self.keys {
            keys.show(&mut body);
        }
        body
    }

    /// Moves elements from the queue to the body, as many as fit, up to the next restart. Returns false if there are
    /// none.
    fn take_queue(&mut self, body: &mut BodyWriter, carried: &mut Vec<SendId>) -> bool {
        let mut any = false;
        while body.len() < SOFT_BODY_LIMIT
            && matches!(self.queue.front(), Some(Queued::Element(..)))
        {
            if let Some(Queued::Element(element, name)) = self.queue.pop_front() {
                body.element(&element);
                carried.extend(name);
                any = true;
            }
        }
        any
    }

    /// Sends one request with as many queued elements as fit; empty if there are none. The terminating request takes
    /// all of them.
    pub(super) fn request_with_queue(&mut self, now: Instant, terminate: bool) {
        let mut body = self.begin();
        let mut carried = Vec::new();
        let mut purpose = RequestPurpose::Poll;
        let mut alone = false;
        if terminate {
            purpose = RequestPurpose::Farewell;
            body.attribute("type", "terminate");
        } else if let Some(Queued::Restart { alone: only }) = self.queue.front() {
            // XEP-0206 §5 requires the body to be empty, which not every server insists on.
            alone = *only;
            self.queue.pop_front();
            purpose = RequestPurpose::Payload;
            body.attribute("to", &self.config.to);
            if let Some(lang) = &self.config.lang {
                body.attribute("xml:lang", lang);
            }
            body.declare_xbosh();
            body.attribute("xmpp:restart", "true");
        }
        if terminate {
            while let Some(queued) = self.queue.pop_front() {
                if let Queued::Element(element, name) = queued {
                    body.element(&element);
                    carried.extend(name);
                }
            }
        } else if !alone && self.take_queue(&mut body, &mut carried) {
            purpose = RequestPurpose::Payload;
        }
        self.transmit(now, body.finish(), carried, purpose);
    }

    pub(super) fn transmit(
        &mut self,
        now: Instant,
        body: String,
        carried: Vec<SendId>,
        purpose: RequestPurpose,
    ) {
        self.pacing
            .note_new(now, purpose == RequestPurpose::Payload);
        let exchange = self.names.next_exchange();
        let mut request = Request {
            rid: self.next_rid,
            body: body.into(),
            carried,
            purpose,
            sent_at: now,
            attempts: 0,
            pauses: 0,
            broken_since: None,
            damaged: (0, 0),
            overtaken_since: None,
            inherited: false,
            progress: Progress::InFlight(exchange),
        };
        let farewell = purpose.is_last() || self.pacing.is_leaving();
        let transmit = request.send(now, exchange, &self.config, farewell);
        self.in_flight.push(request);
        self.next_rid += 1;
        self.transmits.push_back(transmit);
    }

    /// Whether the network and the pace allow a new request now.
    pub(super) fn may_leave(&self, now: Instant) -> bool {
        now >= self.pacing.request_at()
            && self.next_rid <= LAST_RID
            && self.held_back_until(now).is_none()
    }
}
