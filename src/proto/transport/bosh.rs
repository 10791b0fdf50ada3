//! XEP-0124: Bidirectional-streams Over Synchronous HTTP 1.11.2, and XEP-0206: XMPP Over BOSH 1.4, as a sans-IO machine.
//!
//! Requests leave in rid order within the window the server gave; answers are handled in request order whatever
//! order they arrive in (§14.2); a request that broke is repeated byte for byte under its own rid (§14.3).
//! Left out for now: `pause`, key sequences, `report`, `see-other-uri`, several streams in one session (§12).

use super::TransportEvent;
use super::bosh_body::{BodyWriter, payload, read_answer};
use crate::proto::error::CloseReason;
use crate::proto::event::{Delivery, SendId};
use crate::proto::fifo::Fifo;
use crate::proto::io::{ExchangeId, NetworkFailure, Transmit};
use crate::proto::time::{Instant, Millis};
use crate::proto::xml::{Element, Limits, XmlError};
use std::rc::Rc;

/// What the page chose.
#[derive(Clone, Debug)]
pub struct BoshConfig {
    /// The domain to reach.
    pub to: String,
    /// `xml:lang` of the stream.
    pub lang: Option<String>,
    /// The longest time in seconds the server may hold a request.
    pub wait: u32,
    /// How many requests the server may hold.
    pub hold: u32,
    /// Limits on what is read.
    pub limits: Limits,
}

/// How long an answer may be late beyond `wait`, before the request counts as broken.
const GRACE: Millis = Millis::seconds(10);
/// How long a terminating session waits for its last answer.
const CLOSING: Millis = Millis::seconds(3);
/// How long an answer may be late when the answer to a later request is there: the server answers in order, so it was lost.
const OVERTAKEN: Millis = Millis::seconds(5);
/// When a broken request is repeated, by attempt: at once, for a kept-alive connection that the server had closed; then slower.
const BACKOFF: [Millis; 6] = [
    Millis(0),
    Millis(500),
    Millis(1_000),
    Millis(2_000),
    Millis(4_000),
    Millis(8_000),
];
/// A session that the server forgets sooner than this is tried for nevertheless.
const LEAST_PATIENCE: Millis = Millis::seconds(30);
/// How often a request is repeated at least before the session is given up.
const FEWEST_ATTEMPTS: usize = 3;
/// However long the server keeps a session, the page is told after this time that it cannot be reached.
const MOST_PATIENCE: Millis = Millis::seconds(600);
/// A body is closed to further stanzas from here on, in bytes: servers limit bodies, and an answer should not wait for a long upload.
const SOFT_BODY_LIMIT: usize = 64 * 1024;
/// How much earlier than `wait` an empty answer must come to be a sign and not the end of the wait.
const EARLY: Millis = Millis::seconds(5);
/// How long a request that carries what somebody waits for may be held before it is asked after.
const PATIENCE: Millis = Millis(150);
/// The shortest time between two empty requests when the server does not hold them, in case it names none.
const DEFAULT_POLLING: Millis = Millis::seconds(2);

enum State {
    /// The session request is out, or about to be.
    Opening {
        sent: bool,
    },
    Open,
    /// Saying good-bye until the deadline.
    Closing {
        terminate_sent: bool,
        deadline: Instant,
    },
    Closed,
}

enum Queued {
    Element(Element, Option<SendId>),
    Restart,
}

struct Request {
    rid: u64,
    body: Rc<str>,
    /// Who wants to know when the server has taken it.
    carried: Vec<SendId>,
    errand: Errand,
    sent_at: Instant,
    attempts: usize,
    broken_since: Option<Instant>,
    /// Since when a later request has its answer.
    overtaken_since: Option<Instant>,
    progress: Progress,
}

/// What a request is sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// To give the server something to answer.
    Poll,
    /// To carry something.
    Payload,
    /// To end the session.
    Farewell,
}

enum Progress {
    /// Out there.
    Flying(ExchangeId),
    /// Broken; out again at that time.
    Repeating(Instant),
    /// Answered, when requests up to that rid were out, and waiting for the answers before it.
    Answered { body: Element, sent_up_to: u64 },
}

/// A BOSH session.
pub struct Bosh {
    config: BoshConfig,
    state: State,
    sid: String,
    next_rid: u64,
    /// XEP-0124 `requests`: how many may be under way at once.
    requests: usize,
    wait: Millis,
    hold: u32,
    /// How long a broken request is repeated: as long as the server keeps the session without one (`inactivity`).
    patience: Millis,
    polling: Millis,
    acknowledges: bool,
    last_in_order: u64,
    queue: Fifo<Queued>,
    in_flight: Vec<Request>,
    next_poll: Instant,
    /// Since when a good-bye of the server has been waiting for its turn.
    over_since: Option<Instant>,
    next_exchange: u32,
    transmits: Fifo<Transmit>,
    events: Fifo<TransportEvent>,
}

impl Bosh {
    /// A session about to be created. `rid` is the first request's: random, and far enough below 2⁵³ to count up from.
    pub fn new(config: BoshConfig, rid: u64, first_exchange: u32) -> Self {
        let wait = Millis::seconds(u64::from(config.wait));
        let hold = config.hold;
        Self {
            config,
            state: State::Opening { sent: false },
            sid: String::new(),
            next_rid: rid,
            requests: 1,
            wait,
            hold,
            patience: Millis::seconds(60),
            polling: DEFAULT_POLLING,
            acknowledges: false,
            last_in_order: 0,
            queue: Fifo::default(),
            in_flight: Vec::new(),
            next_poll: Instant(0),
            over_since: None,
            next_exchange: first_exchange,
            transmits: Fifo::default(),
            events: Fifo::default(),
        }
    }

    /// The first exchange name this session has not used.
    pub fn next_exchange(&self) -> u32 {
        self.next_exchange
    }

    /// Queues an element; `name` is settled when it is known what became of it.
    pub fn send(&mut self, element: Element, name: Option<SendId>) {
        match self.state {
            State::Opening { .. } | State::Open => {
                self.queue.push_back(Queued::Element(element, name));
            }
            State::Closing { .. } | State::Closed => self.settle(name, Delivery::Undelivered),
        }
    }

    /// Starts a new stream in the session, after SASL (XEP-0206 §5).
    pub fn restart(&mut self) {
        self.queue.push_back(Queued::Restart);
    }

    /// Ends the session: what is queued goes out with the good-bye.
    pub fn close(&mut self, now: Instant) {
        match self.state {
            State::Opening { .. } => self.end(CloseReason::Requested),
            State::Open => {
                self.state = State::Closing {
                    terminate_sent: false,
                    deadline: now + CLOSING,
                };
            }
            State::Closing { .. } | State::Closed => {}
        }
    }

    /// Ends it for `reason`, with a good-bye whose answer nobody waits for, so that the server need not keep the session.
    pub fn dismiss(&mut self, now: Instant, reason: CloseReason) {
        if matches!(self.state, State::Open) {
            let mut body = BodyWriter::new(self.next_rid);
            body.attribute("sid", &self.sid);
            body.attribute("type", "terminate");
            self.transmit(now, body.finish(), Vec::new(), Errand::Farewell);
            // Not to be cancelled with the others.
            self.in_flight.pop();
        }
        self.end(reason);
    }

    /// Ends it here and now, for `reason`, without a word to the server. What has arrived is handed on.
    pub fn end(&mut self, reason: CloseReason) {
        let reason = match self.state {
            State::Closed => return,
            // Who has said good-bye does not care how it came about.
            State::Closing { .. } => CloseReason::Requested,
            State::Opening { .. } | State::Open => reason,
        };
        self.state = State::Closed;
        for request in core::mem::take(&mut self.in_flight) {
            match request.progress {
                Progress::Flying(exchange) => {
                    self.transmits.push_back(Transmit::CancelHttp(exchange));
                    self.settle(request.carried, Delivery::Unknown);
                }
                Progress::Repeating(_) => self.settle(request.carried, Delivery::Unknown),
                Progress::Answered { body, .. } => {
                    let delivery = fate(&body, request.attempts, false);
                    self.settle(request.carried, delivery);
                    self.hand_on(&body);
                }
            }
        }
        while let Some(queued) = self.queue.pop_front() {
            if let Queued::Element(_, name) = queued {
                self.settle(name, Delivery::Undelivered);
            }
        }
        self.events.push_back(TransportEvent::Closed(reason));
    }

    fn settle(&mut self, names: impl IntoIterator<Item = SendId>, delivery: Delivery) {
        for name in names {
            let event = TransportEvent::Settled(name, delivery);
            self.events.push_back(event);
        }
    }

    fn hand_on(&mut self, body: &Element) {
        for child in body.children() {
            self.events
                .push_back(TransportEvent::Element(payload(child)));
        }
    }

    /// Nothing but waiting is due before `until`: no empty request is sent for its own sake.
    pub fn linger(&mut self, until: Instant) {
        self.next_poll = self.next_poll.max(until);
    }

    /// Until when an answer may come: beyond `wait`; but not for long when the server has said good-bye elsewhere.
    fn given_up_at(&self, request: &Request) -> Instant {
        let mut until = request.sent_at + self.wait + GRACE;
        if let Some(since) = request.overtaken_since {
            until = until.min(since.max(request.sent_at) + OVERTAKEN);
        }
        if let Some(since) = self.over_since {
            until = until.min(since + CLOSING);
        }
        until
    }

    /// Is it time to ask the server for a word? When the newest request is held with something that somebody waits to hear
    /// of, and no answer is on its way that could tell, any request with a reply brings one (an empty request would, too,
    /// but that is overactivity, §11).
    pub fn wants_word(&self, now: Instant) -> bool {
        self.word_due().is_some_and(|due| now >= due)
    }

    fn word_due(&self) -> Option<Instant> {
        let room = self.queue.is_empty() && self.in_flight.len() < self.requests;
        let newest = self.in_flight.last()?;
        let waiting = matches!(self.state, State::Open) && room && !newest.carried.is_empty();
        let flying = matches!(newest.progress, Progress::Flying(_));
        (waiting && flying).then(|| newest.sent_at + PATIENCE)
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// What the network should do, oldest first.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.fill_window(now);
        self.transmits.pop_front()
    }

    /// Is there nothing to send but an empty request, for the server to answer when it has something to say?
    pub fn only_listens(&self) -> bool {
        matches!(self.state, State::Open)
            && self.in_flight.is_empty()
            && self.queue.is_empty()
            && self.transmits.is_empty()
    }

    /// When [`Bosh::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        let mut consider = |at: Instant| {
            earliest = Some(earliest.map_or(at, |known| known.min(at)));
        };
        for request in &self.in_flight {
            match request.progress {
                Progress::Flying(_) => consider(self.given_up_at(request)),
                Progress::Repeating(at) => consider(at),
                Progress::Answered { .. } => {}
            }
        }
        match self.state {
            State::Open if self.in_flight.is_empty() => consider(self.next_poll),
            State::Closing { deadline, .. } => consider(deadline),
            _ => {}
        }
        if let Some(due) = self.word_due() {
            consider(due);
        }
        earliest
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Closing { deadline, .. } = self.state
            && now >= deadline
        {
            self.end(CloseReason::Requested);
            return;
        }
        let mut late = Vec::new();
        for request in &self.in_flight {
            if let Progress::Flying(exchange) = request.progress
                && now >= self.given_up_at(request)
            {
                late.push(exchange);
            }
        }
        for exchange in late {
            self.break_off(now, exchange, CloseReason::Unreachable);
        }
    }

    /// An exchange gave no answer.
    pub fn handle_failure(&mut self, now: Instant, exchange: ExchangeId, failure: NetworkFailure) {
        let reason = match failure {
            NetworkFailure::Unreachable => CloseReason::Unreachable,
            NetworkFailure::BlockedByCors => CloseReason::BlockedByCors,
            NetworkFailure::MixedContent => CloseReason::MixedContent,
            NetworkFailure::TooLarge => CloseReason::TooLarge,
        };
        self.handle_broken(now, exchange, reason);
    }

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
        match read_answer(status, content_type, bytes, &self.config.limits) {
            Ok(body) if body.attr("type") == Some("error") => self.repeat_up_to(now, rid),
            Ok(body) => {
                let sent_up_to = self.next_rid - 1;
                if let Some(request) = self.flying(exchange) {
                    request.progress = Progress::Answered { body, sent_up_to };
                }
                for earlier in self.in_flight.iter_mut().filter(|one| one.rid < rid) {
                    earlier.overtaken_since.get_or_insert(now);
                }
                self.handle_in_order(now);
            }
            Err(reason) => self.handle_broken(now, exchange, reason),
        }
    }

    fn flying(&mut self, exchange: ExchangeId) -> Option<&mut Request> {
        self.in_flight.iter_mut().find(
            |request| matches!(request.progress, Progress::Flying(known) if known == exchange),
        )
    }

    // ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_in_order(&mut self, now: Instant) {
        while let Some(Request {
            progress: Progress::Answered { .. },
            ..
        }) = self.in_flight.first()
        {
            let request = self.in_flight.remove(0);
            let Progress::Answered { body, sent_up_to } = request.progress else {
                return;
            };
            self.last_in_order = request.rid;
            let asked = matches!(self.state, State::Closing { .. });
            self.settle(request.carried, fate(&body, request.attempts, asked));
            if matches!(self.state, State::Opening { .. }) && !self.open(&body) {
                return;
            }
            self.acknowledge(&body);
            let quiet = body.children().next().is_none();
            if quiet && body.attr("type").is_none() {
                if request.attempts == 0 && request.rid < sent_up_to {
                    self.released_early(now, request.sent_at);
                }
                if request.errand == Errand::Poll && self.in_flight.is_empty() {
                    // The server does not hold requests, or not this one: never answer emptiness with haste (§11, overactivity).
                    self.next_poll = request.sent_at + self.polling;
                }
            }
            if self.handle_body(&body) {
                return;
            }
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
    fn is_farewell_answered(&self) -> bool {
        let said = matches!(
            self.state,
            State::Closing {
                terminate_sent: true,
                ..
            }
        );
        said && self.in_flight.iter().any(|request| {
            matches!(&request.progress, Progress::Answered { body, .. }
                if is_terminal(body) && body.attr("condition").is_none())
        })
    }

    /// Has the server said good-bye, in an answer whose turn has not come yet?
    fn is_over(&self) -> bool {
        self.in_flight.iter().any(
            |request| matches!(&request.progress, Progress::Answered { body, .. } if is_terminal(body)),
        )
    }

    /// Reads the session's attributes (§7.2). False when there is no session.
    fn open(&mut self, body: &Element) -> bool {
        if is_terminal(body) {
            return true;
        }
        let Some(sid) = body.attr("sid").filter(|sid| !sid.is_empty()) else {
            self.end(CloseReason::NotBosh("a session answer without a sid"));
            return false;
        };
        self.sid = sid.to_owned();
        if let Some(wait) = number(body, "wait") {
            self.wait = Millis::seconds(wait.min(u64::from(self.config.wait)));
        }
        if let Some(hold) = number(body, "hold") {
            self.hold = u32::try_from(hold).unwrap_or(1).min(self.config.hold);
        }
        if let Some(inactivity) = number(body, "inactivity") {
            self.patience = Millis::seconds(inactivity).clamp(LEAST_PATIENCE, MOST_PATIENCE);
        }
        if let Some(polling) = number(body, "polling") {
            self.polling = Millis::seconds(polling.clamp(1, 600));
        }
        let requests = number(body, "requests").unwrap_or_else(|| u64::from(self.hold) + 1);
        self.requests = usize::try_from(requests).unwrap_or(2).clamp(1, 16);
        self.acknowledges = body.attr("ack").is_some();
        self.state = State::Open;
        self.events.push_back(TransportEvent::Opened);
        true
    }

    /// §9: the server tells the highest rid up to which it has everything.
    fn acknowledge(&mut self, body: &Element) {
        if let Some(up_to) = number(body, "ack") {
            self.acknowledge_up_to(up_to);
        }
    }

    fn acknowledge_up_to(&mut self, up_to: u64) {
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
    fn released_early(&mut self, now: Instant, sent_at: Instant) {
        if self.hold == 0 || now + EARLY >= sent_at + self.wait {
            return;
        }
        if let Some(next) = self.in_flight.first_mut() {
            let carried = core::mem::take(&mut next.carried);
            self.settle(carried, Delivery::Delivered);
        }
    }

    /// Hands the payload on. True when the session ended with it.
    fn handle_body(&mut self, body: &Element) -> bool {
        self.hand_on(body);
        if !is_terminal(body) {
            return false;
        }
        let condition = body.attr("condition");
        if condition.is_none()
            && let State::Closing {
                terminate_sent: true,
                ..
            } = self.state
        {
            // The good-bye is answered on the oldest request (§13): the server has it, and all that came before it.
            self.acknowledge_up_to(u64::MAX);
        }
        self.end(CloseReason::Terminated {
            condition: condition.unwrap_or("undefined-condition").to_owned(),
        });
        true
    }

    // ── broken requests ─────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_broken(&mut self, now: Instant, exchange: ExchangeId, reason: CloseReason) {
        let opening = matches!(self.state, State::Opening { .. });
        let over = self.is_over();
        let patience = self.patience;
        let Some(request) = self.flying(exchange) else {
            return;
        };
        let broken_since = *request.broken_since.get_or_insert(now);
        let pause = BACKOFF
            .get(request.attempts)
            .or(BACKOFF.last())
            .copied()
            .unwrap_or_default();
        request.attempts += 1;
        // Time alone is no proof: one attempt that hung for all of it may have been bad luck.
        let given_up = now - broken_since > patience && request.attempts > FEWEST_ATTEMPTS;
        request.progress = Progress::Repeating(now + pause);
        if over {
            return self.give_up_broken(now);
        }
        if opening {
            // There is no session yet that a repetition could save.
            return self.end(reason);
        }
        match reason {
            CloseReason::Http(status @ (400 | 403 | 404)) => {
                // Only managers older than `ver` say it this way (§17.2).
                let condition = match status {
                    400 => "bad-request",
                    403 => "policy-violation",
                    _ => "item-not-found",
                };
                let condition = condition.to_owned();
                self.end(CloseReason::Terminated { condition });
            }
            CloseReason::Http(status) if status < 500 && !matches!(status, 408 | 425 | 429) => {
                self.end(reason);
            }
            // It would be so again, and the server thinks that all is well.
            reason if is_refused(&reason) => self.dismiss(now, reason),
            _ if given_up => self.end(reason),
            _ => {}
        }
    }

    /// §17.3, recoverable: the request and all unanswered ones before it are repeated.
    fn repeat_up_to(&mut self, now: Instant, rid: u64) {
        let mut due = Vec::new();
        for request in &self.in_flight {
            if let Progress::Flying(exchange) = request.progress
                && request.rid <= rid
            {
                due.push((exchange, request.rid == rid));
            }
        }
        for (exchange, answered) in due {
            let reason = CloseReason::Terminated {
                condition: "undefined-condition".to_owned(),
            };
            if answered {
                self.handle_broken(now, exchange, reason);
            } else {
                self.break_off(now, exchange, reason);
            }
        }
    }

    /// Waits no longer for that answer; unless the session has ended meanwhile.
    fn break_off(&mut self, now: Instant, exchange: ExchangeId, reason: CloseReason) {
        if self.flying(exchange).is_some() {
            self.transmits.push_back(Transmit::CancelHttp(exchange));
            self.handle_broken(now, exchange, reason);
        }
    }

    /// The session is over: what broke before the answer that said so will never be answered.
    fn give_up_broken(&mut self, now: Instant) {
        let before = self.in_flight.len();
        while let Some(front) = self.in_flight.first() {
            if !matches!(front.progress, Progress::Repeating(_)) {
                break;
            }
            let request = self.in_flight.remove(0);
            self.settle(request.carried, Delivery::Unknown);
        }
        if self.in_flight.len() < before {
            self.handle_in_order(now);
        }
    }

    // ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Sends what may be sent.
    fn fill_window(&mut self, now: Instant) {
        self.repeat_due(now);
        loop {
            let under_way = self.in_flight.len();
            match self.state {
                State::Closed => return,
                State::Opening { sent: true } => return,
                State::Opening { sent: false } => {
                    self.state = State::Opening { sent: true };
                    self.request_session(now);
                }
                State::Open if under_way >= self.requests => return,
                State::Open if !self.queue.is_empty() => self.request_with_queue(now, false),
                State::Open if under_way == 0 && now >= self.next_poll => {
                    self.request_with_queue(now, false);
                }
                State::Open => return,
                State::Closing {
                    terminate_sent: true,
                    ..
                } => return,
                // One request more than the window is allowed for the good-bye (§11).
                State::Closing { .. } if under_way > self.requests => return,
                State::Closing { deadline, .. } => {
                    self.state = State::Closing {
                        terminate_sent: true,
                        deadline,
                    };
                    self.request_with_queue(now, true);
                }
            }
        }
    }

    fn repeat_due(&mut self, now: Instant) {
        for request in &mut self.in_flight {
            if let Progress::Repeating(at) = request.progress
                && now >= at
            {
                let exchange = ExchangeId(self.next_exchange);
                self.next_exchange = self.next_exchange.wrapping_add(1);
                request.progress = Progress::Flying(exchange);
                request.sent_at = now;
                self.transmits.push_back(Transmit::Http {
                    exchange,
                    body: request.body.clone(),
                    farewell: request.errand == Errand::Farewell,
                });
            }
        }
    }

    /// §7.1.
    fn request_session(&mut self, now: Instant) {
        let mut body = BodyWriter::new(self.next_rid);
        body.attribute("to", &self.config.to);
        if let Some(lang) = &self.config.lang {
            body.attribute("xml:lang", lang);
        }
        body.attribute("content", "text/xml; charset=utf-8");
        body.attribute("ver", "1.11");
        body.number("wait", u64::from(self.config.wait));
        body.number("hold", u64::from(self.config.hold));
        body.number("ack", 1);
        body.declare_xbosh();
        body.attribute("xmpp:version", "1.0");
        self.transmit(now, body.finish(), Vec::new(), Errand::Payload);
    }

    /// One request with as much of the queue as fits; empty when there is none.
    fn request_with_queue(&mut self, now: Instant, terminate: bool) {
        let mut body = BodyWriter::new(self.next_rid);
        body.attribute("sid", &self.sid);
        if self.acknowledges && self.last_in_order + 1 < self.next_rid {
            body.number("ack", self.last_in_order);
        }
        let mut carried = Vec::new();
        let mut errand = if terminate {
            Errand::Farewell
        } else {
            Errand::Poll
        };
        if terminate {
            body.attribute("type", "terminate");
        } else if matches!(self.queue.front(), Some(Queued::Restart)) {
            // A restart travels alone, and empty (XEP-0206 §5).
            self.queue.pop_front();
            body.attribute("to", &self.config.to);
            if let Some(lang) = &self.config.lang {
                body.attribute("xml:lang", lang);
            }
            body.declare_xbosh();
            body.attribute("xmpp:restart", "true");
            self.transmit(now, body.finish(), carried, Errand::Payload);
            return;
        }
        while terminate || body.len() < SOFT_BODY_LIMIT {
            if !terminate && matches!(self.queue.front(), Some(Queued::Restart)) {
                break;
            }
            match self.queue.pop_front() {
                Some(Queued::Element(element, name)) => {
                    if !terminate {
                        errand = Errand::Payload;
                    }
                    body.element(&element);
                    carried.extend(name);
                }
                Some(Queued::Restart) => {}
                None => break,
            }
        }
        self.transmit(now, body.finish(), carried, errand);
    }

    fn transmit(&mut self, now: Instant, body: String, carried: Vec<SendId>, errand: Errand) {
        let exchange = ExchangeId(self.next_exchange);
        self.next_exchange = self.next_exchange.wrapping_add(1);
        let body: Rc<str> = body.into();
        self.in_flight.push(Request {
            rid: self.next_rid,
            body: body.clone(),
            carried,
            errand,
            sent_at: now,
            attempts: 0,
            broken_since: None,
            overtaken_since: None,
            progress: Progress::Flying(exchange),
        });
        self.next_rid += 1;
        self.transmits.push_back(Transmit::Http {
            exchange,
            body,
            farewell: errand == Errand::Farewell,
        });
    }
}

/// Is it an answer that arrived whole and was refused here?
fn is_refused(reason: &CloseReason) -> bool {
    match reason {
        CloseReason::TooLarge => true,
        CloseReason::BadXml(error) => !matches!(
            error,
            XmlError::Truncated | XmlError::Malformed(_) | XmlError::NotUtf8
        ),
        _ => false,
    }
}

/// What an answer tells of what its request carried: taken, unless it says that there is no session to take it.
/// `attempts`: an earlier one may have been taken. `asked`: it is the answer to our own good-bye.
fn fate(body: &Element, attempts: usize, asked: bool) -> Delivery {
    match (is_terminal(body), body.attr("condition")) {
        (false, _) => Delivery::Delivered,
        (true, None) if asked => Delivery::Delivered,
        (true, Some("item-not-found")) if attempts == 0 => Delivery::Undelivered,
        (true, _) => Delivery::Unknown,
    }
}

fn is_terminal(body: &Element) -> bool {
    body.attr("type") == Some("terminate")
}

fn number(body: &Element, name: &str) -> Option<u64> {
    body.attr(name)?.parse().ok()
}
