//! Handles responses in request order (XEP-0124 §14.2): they open the session, acknowledge, deliver and terminate.

use super::super::bosh_body::{Refusal, condition_of, is_of_type, read_answer};
use super::broken::UNREADABLE;
use super::pacing::Gate;
use super::snapshot::LAST_RID;
use super::{Bosh, Progress, Request, RequestPurpose, State, TransportEvent};
use crate::error::CloseReason;
use crate::event::Delivery;
use crate::io::ExchangeId;
use crate::ns;
use crate::stream::error::StreamError;
use crate::time::{Instant, Millis};
use crate::xml::Element;

/// How much earlier than `wait` an empty response must come to show the arrival of a later request.
const EARLY: Millis = Millis::seconds(5);
/// The shortest time for which a session is retried, even if the server drops it sooner.
const LEAST_PATIENCE: Millis = Millis::seconds(30);
/// The longest time after which the page is informed that the server cannot be reached, even if the server keeps the
/// session longer.
const MOST_PATIENCE: Millis = Millis::seconds(600);

/// The type of what stands for an answer that is our own request.
const ECHO: &str = "echo";

impl Bosh {
    /// Handles the response to an exchange.
    pub fn handle_answer(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        status: u16,
        content_type: Option<&str>,
        bytes: Vec<u8>,
    ) {
        let Some(request) = self.request_mut(exchange) else {
            return;
        };
        let rid = request.rid;
        let answer = read_answer(status, content_type, bytes, &self.config.limits);
        // The server releases an earlier request, empty, when the last one arrives. A response with a payload does not
        // show that the last request has arrived.
        let is_last = rid + 1 == self.next_rid;
        let shows_last = |body: &Element| is_last || body.children().next().is_none();
        self.pacing
            .note_answer(now, answer.as_ref().map_or(true, shows_last));
        match answer {
            Ok(body) if is_of_type(&body, "error") => self.repeat_up_to(now, rid),
            Ok(body) => self.handle_readable(now, exchange, body),
            Err(Refusal::Other(reason)) => self.handle_broken(now, exchange, reason),
            Err(Refusal::Unreadable(unreadable, print)) => {
                self.handle_unreadable(now, exchange, unreadable, print);
            }
        }
    }

    pub(super) fn handle_readable(&mut self, now: Instant, exchange: ExchangeId, body: Element) {
        let Some(rid) = self.request_mut(exchange).map(|request| request.rid) else {
            return;
        };
        if !is_terminal(&body) {
            self.outage.since = None;
            self.outage.failures = 0;
        }
        let sent_up_to = self.next_rid - 1;
        let body = self.without_echo(rid, body);
        if let Some(request) = self.request_mut(exchange) {
            let body = body.clone();
            request.progress = Progress::Answered { body, sent_up_to };
        }
        for earlier in self.in_flight.iter_mut().filter(|one| one.rid < rid) {
            earlier.overtaken_since.get_or_insert(now);
        }
        self.handle_report(now, rid, &body);
        self.handle_in_order(now);
    }

    /// COMPAT(ejabberd 23): a request that arrives again while it is held, as when a browser repeats it after a broken
    /// connection, is answered with itself. Its payload is our own, and it does not show that another request has
    /// arrived.
    pub(super) fn without_echo(&self, rid: u64, body: Element) -> Element {
        if number(&body, "rid") == Some(rid) && body.attr("sid") == Some(self.sid.as_str()) {
            Element::builder("body", ns::HTTP_BIND)
                .attr("type", ECHO)
                .build()
        } else {
            body
        }
    }

    pub(super) fn handle_in_order(&mut self, now: Instant) {
        loop {
            self.pass_over_pause();
            let Some(Request {
                progress: Progress::Answered { .. },
                ..
            }) = self.in_flight.first()
            else {
                break;
            };
            let request = self.in_flight.remove(0);
            let Progress::Answered { body, sent_up_to } = request.progress else {
                return;
            };
            self.last_in_order = request.rid;
            self.heard_at = now;
            let asked = matches!(self.state, State::Terminating);
            self.settle(request.carried, delivery_of(&body, request.attempts, asked));
            if self.is_opening() && !self.open(&body) {
                return;
            }
            self.acknowledge(&body);
            self.pacing.note_handled(now);
            let quiet = body.children().next().is_none();
            if quiet && body.attr("type").is_none() {
                if request.attempts == 0
                    && request.rid < sent_up_to
                    && request.purpose != RequestPurpose::Pause
                {
                    self.released_early(now, request.sent_at);
                }
                if request.purpose == RequestPurpose::Poll && self.in_flight.is_empty() {
                    // The server does not hold requests, or not this one: do not poll again immediately after an empty
                    // response (§11, overactivity). If the server never holds requests, only the response shows when
                    // the request has arrived.
                    let holds = self.terms.hold > 0 && self.terms.wait > Millis(0);
                    let reached = if holds { request.sent_at } else { now };
                    self.pacing.set(Gate::Poll, reached + self.terms.polling);
                }
            }
            if self.handle_body(&body) {
                return;
            }
            self.release_after_pause(now);
        }
        if self.next_rid > LAST_RID && self.in_flight.is_empty() {
            self.end(CloseReason::PeerMisbehaved("rids that are used up"));
        }
        if self.is_farewell_answered() {
            self.acknowledge_up_to(u64::MAX);
        }
        if self.is_over() {
            self.over_since.get_or_insert(now);
            self.abandon_broken(now);
        }
    }

    /// Whether the server has answered our terminating request in a response that waits for earlier ones. Then it has
    /// received all earlier requests. COMPAT(ejabberd): the responses to the earlier requests only say that there was
    /// another request.
    pub(super) fn is_farewell_answered(&self) -> bool {
        let said = matches!(self.state, State::Terminating);
        said && self.in_flight.iter().any(|request| {
            matches!(&request.progress, Progress::Answered { body, .. }
                if is_terminal(body) && condition_of(body).is_none())
        })
    }

    /// Whether the server has terminated the session in a response that waits for earlier ones.
    pub(super) fn is_over(&self) -> bool {
        self.in_flight.iter().any(
            |request| matches!(&request.progress, Progress::Answered { body, .. } if is_terminal(body)),
        )
    }

    /// Reads the session's attributes (§7.2). Returns false if there is no session.
    pub(super) fn open(&mut self, body: &Element) -> bool {
        if is_terminal(body) {
            return true;
        }
        let Some(sid) = body.attr("sid").filter(|sid| !sid.is_empty()) else {
            self.end(CloseReason::NotBosh("a session answer without a sid"));
            return false;
        };
        self.sid = sid.to_owned();
        if let Some(wait) = number(body, "wait") {
            self.terms.wait = Millis::seconds(wait.min(u64::from(self.config.wait)));
        }
        if let Some(hold) = number(body, "hold") {
            self.terms.hold = u32::try_from(hold).unwrap_or(1).min(self.config.hold);
        }
        if let Some(inactivity) = number(body, "inactivity") {
            self.terms.inactivity =
                Millis::seconds(inactivity).clamp(LEAST_PATIENCE, MOST_PATIENCE);
        }
        if let Some(polling) = number(body, "polling") {
            self.terms.polling = Millis::seconds(polling.clamp(1, 600));
            if polling > 0 {
                self.apply_polling_interval();
            }
        }
        let requests = number(body, "requests").unwrap_or_else(|| u64::from(self.terms.hold) + 1);
        self.terms.requests = usize::try_from(requests).unwrap_or(2).clamp(1, 16);
        self.terms.acknowledges = body.attr("ack").is_some();
        self.terms.legacy = body.attr("ver").is_none();
        self.terms.maxpause = number(body, "maxpause").filter(|longest| *longest > 0);
        self.enter(State::Open);
        self.events.push_back(TransportEvent::Opened);
        true
    }

    /// Sets the distance between requests. COMPAT(ejabberd): in a session that polls (§12, neither `wait` nor `hold`)
    /// it treats all requests that come too soon as overactivity, not only empty ones, including the first one after
    /// the session request.
    pub(super) fn apply_polling_interval(&mut self) {
        if self.terms.wait == Millis(0) && self.terms.hold == 0 {
            self.pacing.set_interval(self.terms.polling);
        }
    }

    /// §9: the highest rid up to which the server has received all requests.
    pub(super) fn acknowledge(&mut self, body: &Element) {
        if let Some(up_to) = number(body, "ack") {
            self.acknowledge_up_to(up_to);
        }
    }

    pub(super) fn acknowledge_up_to(&mut self, up_to: u64) {
        for request in &mut self.in_flight {
            if request.rid <= up_to {
                for name in request.carried.drain(..) {
                    let event = TransportEvent::Settled(name, Delivery::Delivered);
                    self.events.push_back(event);
                }
            }
        }
    }

    /// COMPAT(ejabberd, Prosody): a held request is released, empty, because the next one has come; the next one is
    /// then held for up to `wait`. The early release is therefore the first sign that the next request has arrived. The
    /// protocol does not guarantee this, so it counts only if the server holds requests, for a request that was sent
    /// once, and was answered when the next one had been sent and `wait` was clearly not over.
    pub(super) fn released_early(&mut self, now: Instant, sent_at: Instant) {
        if self.terms.hold == 0 || now + EARLY >= sent_at + self.terms.wait {
            return;
        }
        if let Some(next) = self.in_flight.first_mut() {
            let carried = core::mem::take(&mut next.carried);
            self.settle(carried, Delivery::Delivered);
        }
    }

    /// Delivers the payload. Returns true if the session ended with it.
    pub(super) fn handle_body(&mut self, body: &Element) -> bool {
        self.emit_elements(body);
        if !is_terminal(body) {
            return false;
        }
        if condition_of(body).is_none() && matches!(self.state, State::Terminating) {
            // The response to the terminating request comes on the oldest request (§13): the server has received all
            // requests.
            self.acknowledge_up_to(u64::MAX);
        }
        self.end(terminated(body));
        true
    }
}

/// The delivery of a request's stanzas according to its response: delivered, unless the response says that there is no
/// session. `attempts`: an earlier attempt may have been delivered. `asked`: our terminating request was sent, which is
/// read after all requests before it.
pub(super) fn delivery_of(body: &Element, attempts: usize, asked: bool) -> Delivery {
    if body.attr("type") == Some(UNREADABLE) {
        return Delivery::Unknown;
    }
    match (is_terminal(body), condition_of(body).as_deref()) {
        (false, _) => Delivery::Delivered,
        (true, None) if asked => Delivery::Delivered,
        // COMPAT(ejabberd): its response to the requests before the terminating one, once it has received that.
        (true, Some("other-request")) if asked => Delivery::Delivered,
        (true, Some("item-not-found")) if attempts == 0 => Delivery::Undelivered,
        (true, _) => Delivery::Unknown,
    }
}

/// The reason for which the server terminates the session (§17.2).
fn terminated(body: &Element) -> CloseReason {
    let condition = condition_of(body).unwrap_or_else(|| "undefined-condition".to_owned());
    let uri = body.child("uri", ns::HTTP_BIND);
    match uri.map(|uri| uri.trimmed_text()) {
        Some(uri) if condition == "see-other-uri" && !uri.is_empty() => CloseReason::SeeOther(uri),
        // Not a condition of BOSH, but its meaning is clear: do not reconnect against it.
        _ if condition == "conflict" => CloseReason::Stream(Box::new(StreamError {
            condition,
            text: None,
            application: None,
        })),
        _ => CloseReason::Terminated { condition },
    }
}

/// Whether a body replaces a response that the server did not send as such: an echo, or an unreadable response.
pub(super) fn is_substitute(body: &Element) -> bool {
    matches!(body.attr("type"), Some(ECHO | UNREADABLE))
}

pub(super) fn is_terminal(body: &Element) -> bool {
    is_of_type(body, "terminate")
}

pub(super) fn number(body: &Element, name: &str) -> Option<u64> {
    body.attr(name)?.parse().ok()
}
