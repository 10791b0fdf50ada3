//! XEP-0124: Bidirectional-streams Over Synchronous HTTP 1.11.2, and XEP-0206: XMPP Over BOSH 1.4, as a sans-IO machine.
//!
//! Specification: XEP-0124 1.11.2, XEP-0206 1.4.
//!
//! Requests leave in rid order within the window the server gave; answers are handled in request order whatever
//! order they arrive in (§14.2); a request that broke is repeated byte for byte under its own rid (§14.3).
//! This file holds the state, the commands and the run loop's calls; `bosh/` what leaves, what an answer means, what breaks,
//! what is asked, key sequences, the pace of requests, pauses, and sessions that change hands.
//! Left out: several streams in one session (§16), and content encodings.

mod answers;
mod asking;
mod broken;
mod keys;
mod pacing;
mod pause;
mod requests;
mod snapshot;
mod state;

use super::bosh_body::{BodyWriter, payloads};
use super::own_requests::OwnRequests;
use super::{Names, TransportEvent, reason_of};
use crate::error::CloseReason;
use crate::event::{Delivery, SendId};
use crate::io::{ExchangeId, Input, NetworkFailure, Transmit};
use crate::reconnect::Reconnect;
use crate::states::Place;
use crate::time::{Instant, Millis};
use crate::timers::Timers;
use crate::xml::{Element, Limits};
use answers::delivery_of;
pub use broken::Trouble;
use keys::Keys;
use pacing::Pacing;
pub use state::State;
use state::{Outage, Terms, Timer};
use std::collections::VecDeque;
use std::rc::Rc;

/// The page's configuration of a BOSH session.
#[derive(Clone, Debug)]
pub struct BoshConfig {
    /// The service's address.
    pub address: Rc<str>,
    /// Whether a redirect to another origin led to the address ([`Transmit::Http`]).
    pub foreign: bool,
    /// The domain of the stream.
    pub to: String,
    /// The account of the login, a bare JID, if it may be disclosed (§7.1).
    pub from: Option<String>,
    /// `xml:lang` of the stream.
    pub lang: Option<String>,
    /// The longest time in seconds the server may hold a request.
    pub wait: u32,
    /// How many requests the server may hold.
    pub hold: u32,
    /// The pauses between the attempts of a broken request.
    pub pauses: Reconnect,
    /// Whether to prove the origin of every request by a sequence of keys (§15): for services without encryption.
    pub keys: bool,
    /// Whether two requests keep a distance, so that they arrive in order (`pacing.rs`). False for a caller whose
    /// network keeps the order.
    pub spaced: bool,
    /// The limits on incoming XML.
    pub limits: Limits,
    /// `route` of the session request: which server the connection manager is to use, `xmpp:host:port` (§7.1).
    pub route: Option<String>,
    /// The caller negotiates and uses the stream itself: bodies are handed on whole ([`TransportEvent::Frame`]), and the transport
    /// sends no request of its own but empty ones.
    pub by_hand: bool,
}

impl BoshConfig {
    /// The defaults for a service, whose address is still to be set.
    pub fn for_domain(domain: &str) -> Self {
        Self {
            address: "".into(),
            foreign: false,
            to: domain.into(),
            from: None,
            lang: None,
            wait: 60,
            hold: 1,
            pauses: Reconnect::default(),
            keys: false,
            spaced: true,
            limits: Limits::default(),
            route: None,
            by_hand: false,
        }
    }
}

/// How much later than `wait` a response may come before the request counts as broken.
const GRACE: Millis = Millis::seconds(10);
/// How long a terminating session waits for the last response.
const CLOSING: Millis = Millis::seconds(3);
/// How long a response may be late once the response to a later request has arrived: the server answers in order, so
/// the earlier response was lost.
const OVERTAKEN: Millis = Millis::seconds(5);
/// How long the server may hold a request with an awaited stanza before a ping checks whether the request has arrived.
const PATIENCE: Millis = Millis(150);

/// The largest number of queued elements. A server that is so far behind does not answer at all.
const MOST_QUEUED: usize = 65_536;

enum Queued {
    Element(Element, Option<SendId>),
    /// The restart, alone or with the elements that are queued behind it.
    Restart {
        alone: bool,
    },
}

struct Request {
    rid: u64,
    body: Rc<str>,
    /// The ids of the carried stanzas, which are settled when the server has received them.
    carried: Vec<SendId>,
    purpose: RequestPurpose,
    sent_at: Instant,
    /// How often the request broke.
    attempts: usize,
    /// How often the request broke since the last sign of a working network.
    pauses: usize,
    broken_since: Option<Instant>,
    /// The fingerprint of the last unreadable response, and how often it came.
    damaged: (u32, usize),
    /// Since when a later request has its response.
    overtaken_since: Option<Instant>,
    /// The request was sent by the previous page.
    inherited: bool,
    progress: Progress,
}

/// The purpose of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestPurpose {
    /// To give the server a request to answer.
    Poll,
    /// To carry elements.
    Payload,
    /// To pause the session.
    Pause,
    /// To end the session.
    Farewell,
}

impl RequestPurpose {
    /// Whether the request is sent by a page that may be gone at any moment.
    fn is_last(self) -> bool {
        matches!(self, Self::Pause | Self::Farewell)
    }

    /// The name in snapshots.
    fn name(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Payload => "payload",
            Self::Pause => "pause",
            Self::Farewell => "farewell",
        }
    }
}

enum Progress {
    /// Sent, without a response yet.
    InFlight(ExchangeId),
    /// Broken; repeated at that time.
    Repeating(Instant),
    /// Has its response, received when requests up to `sent_up_to` were sent, and waits for the responses to earlier
    /// requests.
    Answered { body: Element, sent_up_to: u64 },
}

/// A BOSH session.
pub struct Bosh {
    config: BoshConfig,
    state: State,
    timers: Timers<Timer, 2>,
    sid: String,
    next_rid: u64,
    terms: Terms,
    keys: Option<Keys>,
    last_in_order: u64,
    queue: VecDeque<Queued>,
    in_flight: Vec<Request>,
    outage: Outage,
    /// The source of the random part of pauses: not for secrets.
    dice: u64,
    /// When the last response was handled.
    heard_at: Instant,
    pacing: Pacing,
    /// Since when a terminating response of the server has waited for the responses before it.
    over_since: Option<Instant>,
    /// The pings of this transport that have no reply yet.
    own_requests: OwnRequests,
    names: Names,
    transmits: VecDeque<Transmit>,
    events: VecDeque<TransportEvent>,
}

impl Bosh {
    /// Creates a session that is not requested yet. `rid` is that of the first request: random, and far enough below
    /// 2⁵³ to count up from. `seed` is the source of the keys, if the configuration wants them: secret and random, too.
    pub fn new(config: BoshConfig, rid: u64, seed: String, names: Names) -> Self {
        let terms = Terms::asked_for(&config);
        let keys = config.keys.then(|| Keys::new(seed));
        let pacing = Pacing::new(config.spaced);
        Self {
            config,
            state: State::Fresh,
            timers: Timers::default(),
            sid: String::new(),
            next_rid: rid,
            terms,
            keys,
            last_in_order: 0,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            outage: Outage::default(),
            dice: rid,
            heard_at: Instant(0),
            pacing,
            over_since: None,
            own_requests: OwnRequests::default(),
            names,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    fn enter(&mut self, next: State) {
        self.state.check(next);
        self.state = next;
    }

    /// Whether stanzas may leave.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Bound)
    }

    /// Whether there is no session yet.
    fn is_opening(&self) -> bool {
        matches!(self.state, State::Fresh | State::Opening)
    }

    /// Whether no new request may leave, because requests break.
    fn is_held_back(&self) -> bool {
        self.timers.get(Timer::HeldBack).is_some()
    }

    /// The session's id and the rid of the next request; `None` while there is no session.
    pub fn session(&self) -> Option<(&str, u64)> {
        (!self.sid.is_empty()).then_some((&*self.sid, self.next_rid))
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.config.address
    }

    /// The ids of exchanges and sockets that this session has not used.
    pub fn names(&self) -> Names {
        self.names
    }

    /// Queues an element. `name` is settled when its delivery is known.
    pub fn send(&mut self, element: Element, name: Option<SendId>) {
        match self.state {
            State::Fresh | State::Opening | State::Open | State::Bound => {
                self.queue.push_back(Queued::Element(element, name));
            }
            State::Closing | State::Terminating | State::Closed => {
                self.settle(name, Delivery::Undelivered);
            }
        }
    }

    /// Whether too many elements are queued to accept another one.
    pub fn is_full(&self) -> bool {
        self.queue.len() >= MOST_QUEUED
    }

    /// Starts a new stream in the session, after SASL (XEP-0206 §5): in a separate request, or (`alone` false) together
    /// with the elements queued behind it.
    pub fn restart(&mut self, alone: bool) {
        self.queue.push_back(Queued::Restart { alone });
    }

    /// Ends the session; the terminating request carries the queued elements.
    pub fn close(&mut self, now: Instant) {
        match self.state {
            State::Fresh | State::Opening => self.end(CloseReason::Requested),
            State::Open | State::Bound => {
                self.enter(State::Closing);
                self.timers.set(Timer::Closing, now + CLOSING);
                if self.pacing.is_leaving() {
                    self.shorten_queue();
                }
            }
            State::Closing | State::Terminating | State::Closed => {}
        }
    }

    /// Ends it for `reason`, with a good-bye whose answer nobody waits for, so that the server need not keep the session. Where the
    /// window has no room for it, the session ends at the server when it has been inactive for long enough.
    pub fn dismiss(&mut self, now: Instant, reason: CloseReason) {
        if self.is_open() && self.has_room_for_farewell() {
            let mut body = self.begin();
            body.attribute("type", "terminate");
            self.transmit(now, body.finish(), Vec::new(), RequestPurpose::Farewell);
            // The terminating request must not be cancelled with the others.
            self.in_flight.pop();
        }
        self.end(reason);
    }

    /// Ends the session at once for `reason`, without notifying the server. Received responses are still delivered.
    pub fn end(&mut self, reason: CloseReason) {
        let reason = match self.state {
            State::Closed => return,
            // After a terminating request any end is the requested one.
            State::Closing | State::Terminating => CloseReason::Requested,
            State::Fresh | State::Opening | State::Open | State::Bound => reason,
        };
        self.enter(State::Closed);
        self.timers = Timers::default();
        // Responses received out of order follow a response that was lost.
        let mut hole = false;
        for request in core::mem::take(&mut self.in_flight) {
            match request.progress {
                Progress::InFlight(exchange) => {
                    self.transmits.push_back(Transmit::CancelHttp(exchange));
                    self.settle(request.carried, Delivery::Unknown);
                }
                Progress::Repeating(_) => self.settle(request.carried, Delivery::Unknown),
                Progress::Answered { body, .. } => {
                    let delivery = delivery_of(&body, request.attempts, false);
                    self.settle(request.carried, delivery);
                    if !hole && body.children().next().is_some() {
                        hole = true;
                        self.events.push_back(TransportEvent::Hole);
                    }
                    self.emit_elements(&body);
                }
            }
        }
        while let Some(queued) = self.queue.pop_front() {
            if let Queued::Element(element, name) = queued {
                let event = TransportEvent::Returned(element, name);
                self.events.push_back(event);
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

    fn emit_elements(&mut self, body: &Element) {
        if self.config.by_hand {
            if !answers::is_substitute(body) {
                let frame = TransportEvent::Frame(body.clone());
                self.events.push_back(frame);
            }
            return;
        }
        for payload in payloads(body) {
            self.events.push_back(match payload {
                Ok(element) => TransportEvent::Element(element),
                Err(unreadable) => TransportEvent::Unreadable(unreadable),
            });
        }
    }

    /// Until when a response may come: beyond `wait`, but only briefly after the server has terminated the session in
    /// another response.
    fn response_deadline(&self, request: &Request) -> Instant {
        let mut until = request.sent_at + self.terms.wait + GRACE;
        if let Some(since) = request.overtaken_since {
            until = until.min(since.max(request.sent_at) + OVERTAKEN);
        }
        if let Some(since) = self.over_since {
            until = until.min(since + CLOSING);
        }
        until
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// The next transmission, oldest first.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.fill_window(now);
        self.transmits.pop_front()
    }

    /// When [`Bosh::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        let mut consider = |at: Instant| {
            earliest = Some(earliest.map_or(at, |known| known.min(at)));
        };
        for request in &self.in_flight {
            match request.progress {
                Progress::InFlight(_) => consider(self.response_deadline(request)),
                Progress::Repeating(_) if self.is_deferred(request) => {}
                Progress::Repeating(at) => consider(at.max(self.pacing.repeat_at())),
                Progress::Answered { .. } => {}
            }
        }
        if let Some(due) = self.request_due() {
            consider(due);
        }
        if let Some(due) = self.ask_due() {
            consider(due);
        }
        if let Some(due) = self.timers.next() {
            consider(due);
        }
        earliest
    }

    /// Advances the time to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.is_due(Timer::Closing, now) {
            self.end(CloseReason::Requested);
            return;
        }
        self.pacing.handle_timeout(now);
        let mut late = Vec::new();
        for request in &self.in_flight {
            if let Progress::InFlight(exchange) = request.progress
                && now >= self.response_deadline(request)
            {
                late.push(exchange);
            }
        }
        for exchange in late {
            self.abandon_transmission(now, exchange, CloseReason::Unreachable);
        }
    }

    /// Handles an input of the network.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::HttpAnswered {
                exchange,
                status,
                content_type,
                body,
            } => self.handle_answer(now, exchange, status, content_type.as_deref(), body),
            Input::HttpFailed { exchange, failure } => {
                self.handle_failure(now, exchange, failure);
            }
            _ => {}
        }
    }

    /// Handles an exchange that failed without a response.
    pub fn handle_failure(&mut self, now: Instant, exchange: ExchangeId, failure: NetworkFailure) {
        if self.request_mut(exchange).is_some() {
            self.pacing.note_answer(now, true);
        }
        self.handle_broken(now, exchange, reason_of(failure));
    }

    fn request_mut(&mut self, exchange: ExchangeId) -> Option<&mut Request> {
        self.in_flight.iter_mut().find(
            |request| matches!(request.progress, Progress::InFlight(known) if known == exchange),
        )
    }
}
