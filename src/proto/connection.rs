//! A connection: one transport, one session, the requests that wait, and what is told about them.
//!
//! The contract is the run loop at the head of [`proto`](super): change something, drain [`Connection::poll_output`]
//! until `Timeout`, then change something again.

use super::error::CloseReason;
use super::event::{Event, IqId, RequestFailure, SendId, Status};
use super::fifo::Fifo;
use super::handler::is_stanza;
use super::io::{Input, Output, Transmit};
use super::iq::PendingIqs;
use super::jid::Jid;
use super::mask::masked;
use super::ns;
use super::random::{Ids, Random, below_2_53, token};
use super::session::{Directive, Session, SessionConfig, Tools};
use super::stream::error::StreamError;
use super::time::{Instant, Millis};
use super::transport::TransportEvent;
use super::transport::bosh::{Bosh, BoshConfig};
use super::unicode::Unicode;
use super::xep::ping;
use super::xml::Element;
use std::rc::Rc;

/// What the page chose.
#[derive(Clone)]
pub struct Config {
    /// What the stream is opened for, and as whom.
    pub session: SessionConfig,
    /// How it is carried.
    pub bosh: BoshConfig,
    /// The longest time for connecting and logging in.
    pub timeout: Millis,
}

/// The caller's mistakes in sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// There is no session.
    NotConnected,
    /// The element is not `message`, `presence` or `iq` in `jabber:client`.
    NotAStanza,
    /// It holds a character that XML cannot carry.
    IllegalCharacter,
    /// A request must be an iq of type `get` or `set` with exactly one child.
    NotARequest,
    /// A request of that id is waiting for its reply.
    DuplicateId,
    /// `to` is not a JID.
    BadAddress,
}

/// A connection to an XMPP server.
pub struct Connection {
    config: Config,
    unicode: Rc<dyn Unicode>,
    random: Box<dyn Random>,
    ids: Ids,
    session: Session,
    transport: Option<Bosh>,
    opened: bool,
    /// We have said good-bye; what still comes is still handed on.
    closing: bool,
    /// Why it ends, when that was found above the transport.
    blame: Option<CloseReason>,
    /// What a transport that has ended left to do.
    leftover: Fifo<Transmit>,
    /// When connecting has taken too long.
    deadline: Option<Instant>,
    jid: Option<Jid>,
    pending: PendingIqs,
    events: Fifo<Event>,
    next_send: u32,
    next_iq: u32,
    next_exchange: u32,
    tapped: bool,
    /// The ids of the pings that ask the server for a word, while they are out.
    asked: Vec<String>,
}

/// After binding, how long to wait for something to send, usually presence, before an empty request is sent.
const LINGER: Millis = Millis(50);

/// The most requests one session may count up to: far beyond any session's life, far below 2⁵³ (XEP-0124 §7.1).
const RID_ROOM: u64 = 1 << 40;

impl Connection {
    /// A connection that is offline.
    pub fn new(config: Config, unicode: Rc<dyn Unicode>, mut random: Box<dyn Random>) -> Self {
        Self {
            session: Session::new(config.session.clone()),
            config,
            unicode,
            ids: Ids::new(random.as_mut()),
            random,
            transport: None,
            opened: false,
            closing: false,
            blame: None,
            leftover: Fifo::default(),
            deadline: None,
            jid: None,
            pending: PendingIqs::default(),
            events: Fifo::default(),
            next_send: 0,
            next_iq: 0,
            next_exchange: 0,
            tapped: false,
            asked: Vec::new(),
        }
    }

    // ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The own full JID while online.
    pub fn jid(&self) -> Option<&Jid> {
        self.jid.as_ref()
    }

    /// Is there no connection, and none in the making?
    pub fn is_offline(&self) -> bool {
        self.transport.is_none()
    }

    /// The domain we log in to.
    pub fn domain(&self) -> &str {
        &self.config.session.domain
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Starts connecting. False when it is not offline.
    pub fn connect(&mut self, now: Instant) -> bool {
        if self.transport.is_some() {
            return false;
        }
        let rid = 1 + below_2_53(self.random.as_mut()) % ((1 << 53) - RID_ROOM);
        let config = self.config.bosh.clone();
        let seed = if config.keys {
            token(self.random.as_mut(), 32)
        } else {
            String::new()
        };
        self.transport = Some(Bosh::new(config, rid, seed, self.next_exchange));
        self.opened = false;
        self.deadline = Some(now + self.config.timeout);
        let mut out = Vec::new();
        self.session.start(&mut out);
        self.follow(now, out);
        true
    }

    /// Ends the session in order: what is queued is sent, unavailable presence last.
    pub fn disconnect(&mut self, now: Instant) {
        if self.transport.is_none() || self.closing {
            return;
        }
        if self.session.is_established() {
            let presence = Element::builder("presence", ns::CLIENT)
                .attr("type", "unavailable")
                .build();
            self.transmit(presence, None);
        } else {
            // Nothing that is still negotiated matters any more.
            self.session.close();
        }
        self.closing = true;
        self.deadline = None;
        self.events.push_back(Event::Status(Status::Disconnecting));
        if let Some(transport) = &mut self.transport {
            transport.close(now);
        }
        self.settle(now);
    }

    /// Ends it at once, without a word to the server.
    pub fn abort(&mut self, now: Instant) {
        if let Some(transport) = &mut self.transport {
            transport.end(CloseReason::Requested);
        }
        self.settle(now);
    }

    /// Sends a stanza. An iq request without an id gets one.
    pub fn send(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.check(&stanza)?;
        let is_request =
            stanza.name() == "iq" && matches!(stanza.attr("type"), Some("get" | "set"));
        let stanza = if is_request && stanza.attr("id").is_none() {
            stanza.with_attr("id", &self.ids.next_id())
        } else {
            stanza
        };
        let id = SendId(self.next_send);
        self.next_send = self.next_send.wrapping_add(1);
        self.transmit(stanza, Some(id));
        Ok(id)
    }

    /// Sends an iq request; its reply, or why there is none, comes as [`Event::Reply`].
    pub fn request(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.check(&iq)?;
        let asks = iq.name() == "iq" && matches!(iq.attr("type"), Some("get" | "set"));
        if !asks || iq.children().count() != 1 {
            return Err(SendError::NotARequest);
        }
        let to = match iq.attr("to") {
            None => None,
            Some(to) => {
                Some(Jid::parse(to, self.unicode.as_ref()).map_err(|_| SendError::BadAddress)?)
            }
        };
        let (iq, id) = match iq.attr("id") {
            Some(id) => (iq.clone(), id.to_owned()),
            None => {
                let id = self.ids.next_id();
                (iq.with_attr("id", &id), id)
            }
        };
        if self.pending.contains(&id) {
            return Err(SendError::DuplicateId);
        }
        let request = IqId(self.next_iq);
        self.next_iq = self.next_iq.wrapping_add(1);
        let deadline = timeout.map(|timeout| now + timeout);
        self.pending
            .insert(&id, request, to, self.jid.as_ref(), deadline);
        self.transmit(iq, None);
        Ok(request)
    }

    /// Nobody waits for that reply any more.
    pub fn forget(&mut self, request: IqId) {
        self.pending.forget(request);
    }

    /// A fresh id for a stanza.
    pub fn next_id(&mut self) -> String {
        self.ids.next_id()
    }

    /// Shows every element that goes out or comes in as [`Event::Sent`] and [`Event::Received`], or no longer.
    pub fn tap(&mut self, on: bool) {
        self.tapped = on;
    }

    fn check(&self, stanza: &Element) -> Result<(), SendError> {
        if !is_stanza(stanza) {
            return Err(SendError::NotAStanza);
        }
        if !stanza.is_legal() {
            return Err(SendError::IllegalCharacter);
        }
        if self.closing || !self.session.is_established() {
            return Err(SendError::NotConnected);
        }
        Ok(())
    }

    fn transmit(&mut self, element: Element, name: Option<SendId>) {
        if self.tapped {
            self.events.push_back(Event::Sent(masked(&element).into()));
        }
        if let Some(transport) = &mut self.transport {
            transport.send(element, name);
        }
    }

    // ── input ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// What the network, or the page, answered. Cannot fail: what is wrong with it becomes an event.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::HttpAnswered {
                exchange,
                status,
                content_type,
                body,
            } => {
                if let Some(transport) = &mut self.transport {
                    transport.handle_answer(now, exchange, status, content_type.as_deref(), body);
                }
            }
            Input::HttpFailed { exchange, failure } => {
                if let Some(transport) = &mut self.transport {
                    transport.handle_failure(now, exchange, failure);
                }
            }
            Input::Credentials(credentials) => {
                let mut out = Vec::new();
                let mut tools = Tools {
                    ids: &mut self.ids,
                    random: self.random.as_mut(),
                    unicode: self.unicode.as_ref(),
                };
                self.session
                    .handle_credentials(credentials, &mut tools, &mut out);
                self.follow(now, out);
            }
        }
        self.settle(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            let phase = self.session.phase(self.opened);
            self.fail(now, CloseReason::TimedOut(phase));
        }
        for request in self.pending.take_late(now) {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::TimedOut),
            });
        }
        if let Some(transport) = &mut self.transport {
            transport.handle_timeout(now);
        }
        self.ask_for_word(now);
        self.settle(now);
    }

    /// A ping to the own server, where the transport needs one to learn what has arrived. Its reply is nobody's business.
    fn ask_for_word(&mut self, now: Instant) {
        let wanted = self
            .transport
            .as_ref()
            .is_some_and(|transport| transport.wants_word(now));
        if wanted && self.session.is_established() && !self.closing {
            let id = self.ids.next_id();
            self.transmit(ping::request(None).with_attr("id", &id), None);
            self.asked.push(id);
        }
    }

    /// Is there nothing to send but what keeps a line open for the server? That may wait a moment: a shell that hands on the
    /// events first ([`Connection::poll_event`]) lets what the page says because of them travel in its place. And of two
    /// requests that leave at once over two connections the later may arrive first. COMPAT(ejabberd 23): that breaks the session.
    pub fn only_listens(&self) -> bool {
        let transport = self.transport.as_ref();
        self.leftover.is_empty() && transport.is_some_and(Bosh::only_listens)
    }

    /// The next event, whatever there is to send.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing to do for the shell; `Timeout` is the last.
    pub fn poll_output(&mut self, now: Instant) -> Output {
        if let Some(transmit) = self.leftover.pop_front() {
            return Output::Transmit(transmit);
        }
        if let Some(transport) = &mut self.transport
            && let Some(transmit) = transport.poll_transmit(now)
        {
            return Output::Transmit(transmit);
        }
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        let transport = self.transport.as_ref().and_then(Bosh::poll_timeout);
        let deadlines = [transport, self.deadline, self.pending.deadline()];
        Output::Timeout(deadlines.into_iter().flatten().min())
    }

    /// Handles what the transport has to say, until it is silent.
    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.transport.as_mut().and_then(Bosh::poll_event) {
            match event {
                TransportEvent::Opened => self.opened = true,
                TransportEvent::Element(element) => self.handle_element(now, element),
                TransportEvent::Settled(send, delivery) => {
                    self.events.push_back(Event::Settled { send, delivery });
                }
                TransportEvent::Closed(reason) => self.handle_closed(now, reason),
            }
        }
    }

    fn handle_element(&mut self, now: Instant, element: Element) {
        if self.tapped {
            self.events
                .push_back(Event::Received(masked(&element).into()));
        }
        if !self.session.is_established() {
            let mut out = Vec::new();
            let mut tools = Tools {
                ids: &mut self.ids,
                random: self.random.as_mut(),
                unicode: self.unicode.as_ref(),
            };
            self.session.handle_element(&element, &mut tools, &mut out);
            self.follow(now, out);
        } else if is_stanza(&element) {
            self.handle_stanza(element);
        } else if let Some(error) = StreamError::parse(&element) {
            self.fail(now, CloseReason::Stream(Box::new(error)));
        }
    }

    fn handle_stanza(&mut self, stanza: Element) {
        let replies =
            stanza.name() == "iq" && matches!(stanza.attr("type"), Some("result" | "error"));
        let asked = self.asked.iter();
        if replies
            && let Some(position) = asked
                .map(String::as_str)
                .position(|id| stanza.attr("id") == Some(id))
        {
            self.asked.swap_remove(position);
            return;
        }
        if replies
            && let Some((request, outcome)) =
                self.pending
                    .settle(&stanza, self.jid.as_ref(), self.unicode.as_ref())
        {
            self.events.push_back(Event::Reply { request, outcome });
            return;
        }
        self.events.push_back(Event::Stanza(stanza));
    }

    fn handle_closed(&mut self, now: Instant, reason: CloseReason) {
        if let Some(mut transport) = self.transport.take() {
            while let Some(transmit) = transport.poll_transmit(now) {
                self.leftover.push_back(transmit);
            }
            self.next_exchange = transport.next_exchange();
        }
        // A stream error tells more than the end of the transport that it brings about.
        let reason = self.blame.take().unwrap_or(reason);
        self.session.close();
        self.closing = false;
        self.deadline = None;
        self.jid = None;
        self.asked.clear();
        for request in self.pending.take_all() {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::Disconnected),
            });
        }
        self.events
            .push_back(Event::Status(Status::Offline(reason)));
    }

    fn follow(&mut self, now: Instant, directives: Vec<Directive>) {
        for directive in directives {
            match directive {
                Directive::Send(element) => self.transmit(element, None),
                Directive::Restart => {
                    if let Some(transport) = &mut self.transport {
                        transport.restart(true);
                    }
                }
                Directive::WantCredentials => self.events.push_back(Event::CredentialsWanted),
                Directive::Status(status) => self.events.push_back(Event::Status(status)),
                Directive::Established(jid) => {
                    self.deadline = None;
                    if let Some(transport) = &mut self.transport {
                        transport.linger(now + LINGER);
                    }
                    self.jid = Some(jid.clone());
                    self.events.push_back(Event::Status(Status::Online(jid)));
                }
                Directive::Registered => {
                    self.events.push_back(Event::Registered);
                    self.deadline = None;
                    self.closing = true;
                    if let Some(transport) = &mut self.transport {
                        transport.close(now);
                    }
                }
                Directive::Fail(reason) => self.fail(now, reason),
            }
        }
    }

    /// Ends the connection for a reason that was found above the transport; the server is told, not waited for.
    fn fail(&mut self, now: Instant, reason: CloseReason) {
        if let Some(transport) = &mut self.transport
            && !self.closing
        {
            self.blame = Some(reason);
            transport.dismiss(now, CloseReason::Requested);
        }
        self.settle(now);
    }
}
