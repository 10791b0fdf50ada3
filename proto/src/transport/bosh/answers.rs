//! What an answer means: handled in request order (XEP-0124 §14.2), it opens, acknowledges, delivers, ends.

use super::super::bosh_body::{Refusal, condition_of, is_of_type, read_answer};
use super::broken::UNREADABLE;
use super::pacing::Gate;
use super::snapshot::LAST_RID;
use super::{Bosh, Errand, Progress, Request, State, TransportEvent};
use crate::error::CloseReason;
use crate::event::Delivery;
use crate::io::ExchangeId;
use crate::ns;
use crate::stream::error::StreamError;
use crate::time::{Instant, Millis};
use crate::xml::Element;

/// How much earlier than `wait` an empty answer must come to be a sign and not the end of the wait.
const EARLY: Millis = Millis::seconds(5);
/// A session that the server forgets sooner than this is tried for nevertheless.
const LEAST_PATIENCE: Millis = Millis::seconds(30);
/// However long the server keeps a session, the page is told after this time that it cannot be reached.
const MOST_PATIENCE: Millis = Millis::seconds(600);

/// The type of what stands for an answer that is our own request.
const ECHO: &str = "echo";

impl Bosh {
    /// An exchange was answered.
    pub fn handle_answer(
        &mut self,
        now: Instant,
        exchange: ExchangeId,
        status: u16,
        content_type: Option<&str>,
        bytes: Vec<u8>,
    ) {
        let Some(request) = self.flying(exchange) else {
            return;
        };
        let rid = request.rid;
        let answer = read_answer(status, content_type, bytes, &self.config.limits);
        // The server releases an earlier request, empty, when the last one arrives. One with a payload shows nothing of the last.
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
        let Some(rid) = self.flying(exchange).map(|request| request.rid) else {
            return;
        };
        if !is_terminal(&body) {
            self.outage.since = None;
            self.outage.failures = 0;
        }
        let sent_up_to = self.next_rid - 1;
        let body = self.without_echo(rid, body);
        if let Some(request) = self.flying(exchange) {
            let body = body.clone();
            request.progress = Progress::Answered { body, sent_up_to };
        }
        for earlier in self.in_flight.iter_mut().filter(|one| one.rid < rid) {
            earlier.overtaken_since.get_or_insert(now);
        }
        self.heed_report(now, rid, &body);
        self.handle_in_order(now);
    }

    /// COMPAT(ejabberd 23): a request that comes again while it is held, as when a browser repeats one by itself whose connection
    /// broke, is answered with itself. What it says is ours; nor is it a sign that another request has come.
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
            self.settle(request.carried, fate(&body, request.attempts, asked));
            if self.is_opening() && !self.open(&body) {
                return;
            }
            self.acknowledge(&body);
            self.pacing.note_handled(now);
            let quiet = body.children().next().is_none();
            if quiet && body.attr("type").is_none() {
                if request.attempts == 0
                    && request.rid < sent_up_to
                    && request.errand != Errand::Pause
                {
                    self.released_early(now, request.sent_at);
                }
                if request.errand == Errand::Poll && self.in_flight.is_empty() {
                    // The server does not hold requests, or not this one: never answer emptiness with haste (§11, overactivity).
                    // Where it never does, when the request reached it is not known but from its answer.
                    let holds = self.terms.hold > 0 && self.terms.wait > Millis(0);
                    let reached = if holds { request.sent_at } else { now };
                    self.pacing.set(Gate::Poll, reached + self.terms.polling);
                }
            }
            if self.handle_body(&body) {
                return;
            }
            self.hesitate_no_more(now);
        }
        if self.next_rid > LAST_RID && self.in_flight.is_empty() {
            self.end(CloseReason::PeerMisbehaved("rids that are used up"));
        }
        if self.is_farewell_answered() {
            self.acknowledge_up_to(u64::MAX);
        }
        if self.is_over() {
            self.over_since.get_or_insert(now);
            self.give_up_broken(now);
        }
    }

    /// Has the server answered our good-bye, in an answer whose turn has not come yet? Then it has all that came before it.
    /// COMPAT(ejabberd): the answers whose turn it is say only that there was another request.
    pub(super) fn is_farewell_answered(&self) -> bool {
        let said = matches!(self.state, State::Terminating);
        said && self.in_flight.iter().any(|request| {
            matches!(&request.progress, Progress::Answered { body, .. }
                if is_terminal(body) && condition_of(body).is_none())
        })
    }

    /// Has the server said good-bye, in an answer whose turn has not come yet?
    pub(super) fn is_over(&self) -> bool {
        self.in_flight.iter().any(
            |request| matches!(&request.progress, Progress::Answered { body, .. } if is_terminal(body)),
        )
    }

    /// Reads the session's attributes (§7.2). False when there is no session.
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
                self.keep_pace();
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

    /// How far apart requests are. COMPAT(ejabberd): in a session that was asked to poll (§12, neither `wait` nor `hold`) it takes
    /// not only empty requests that come too soon for overactivity, but all, the first one after the session request included.
    pub(super) fn keep_pace(&mut self) {
        if self.terms.wait == Millis(0) && self.terms.hold == 0 {
            self.pacing.set_interval(self.terms.polling);
        }
    }

    /// §9: the server tells the highest rid up to which it has everything.
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

    /// COMPAT(ejabberd, Prosody): a held request is released, empty, because the next one has come; the next one itself
    /// is then held for up to `wait`. Its early release is therefore the first word we get of the next one's arrival.
    /// Not a protocol fact, so it counts only where the server holds requests, for one that was sent once, and answered
    /// when the next one was out and `wait` clearly not over.
    pub(super) fn released_early(&mut self, now: Instant, sent_at: Instant) {
        if self.terms.hold == 0 || now + EARLY >= sent_at + self.terms.wait {
            return;
        }
        if let Some(next) = self.in_flight.first_mut() {
            let carried = core::mem::take(&mut next.carried);
            self.settle(carried, Delivery::Delivered);
        }
    }

    /// Hands the payload on. True when the session ended with it.
    pub(super) fn handle_body(&mut self, body: &Element) -> bool {
        self.hand_on(body);
        if !is_terminal(body) {
            return false;
        }
        if condition_of(body).is_none() && matches!(self.state, State::Terminating) {
            // The good-bye is answered on the oldest request (§13): the server has it, and all that came before it.
            self.acknowledge_up_to(u64::MAX);
        }
        self.end(terminated(body));
        true
    }
}

/// What an answer tells of what its request carried: taken, unless it says that there is no session to take it.
/// `attempts`: an earlier one may have been taken. `asked`: our own good-bye is out, which is read after all that came before it.
pub(super) fn fate(body: &Element, attempts: usize, asked: bool) -> Delivery {
    if body.attr("type") == Some(UNREADABLE) {
        return Delivery::Unknown;
    }
    match (is_terminal(body), condition_of(body).as_deref()) {
        (false, _) => Delivery::Delivered,
        (true, None) if asked => Delivery::Delivered,
        // COMPAT(ejabberd): what it says on the requests that came before the good-bye, once it has that.
        (true, Some("other-request")) if asked => Delivery::Delivered,
        (true, Some("item-not-found")) if attempts == 0 => Delivery::Undelivered,
        (true, _) => Delivery::Unknown,
    }
}

/// Why the server ends the session (§17.2).
fn terminated(body: &Element) -> CloseReason {
    let condition = condition_of(body).unwrap_or_else(|| "undefined-condition".to_owned());
    let uri = body.child("uri", ns::HTTP_BIND);
    match uri.map(|uri| uri.trimmed_text()) {
        Some(uri) if condition == "see-other-uri" && !uri.is_empty() => CloseReason::SeeOther(uri),
        // No condition of BOSH, but what is meant is clear, and must not be fought.
        _ if condition == "conflict" => CloseReason::Stream(Box::new(StreamError {
            condition,
            text: None,
            application: None,
        })),
        _ => CloseReason::Terminated { condition },
    }
}

/// Whether a body stands for an answer that the server did not give: an echo, or one that cannot be read.
pub(super) fn is_stand_in(body: &Element) -> bool {
    matches!(body.attr("type"), Some(ECHO | UNREADABLE))
}

pub(super) fn is_terminal(body: &Element) -> bool {
    is_of_type(body, "terminate")
}

pub(super) fn number(body: &Element, name: &str) -> Option<u64> {
    body.attr(name)?.parse().ok()
}
