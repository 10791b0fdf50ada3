//! A connection: one transport, one session, the requests that wait, and what is told about them; and, from the first login
//! until the page ends it, whatever it takes to have it again after it broke.
//!
//! The contract is the run loop at the head of [`proto`](super): change something, drain [`Connection::poll_output`]
//! until `Timeout`, then change something again.
//! This file holds the state, the commands and the run loop's calls; `connection/` what comes in (`incoming.rs`), how it
//! lasts (`lasting.rs`), how a session goes from one page to the next (`handover.rs`), what it knows of its services
//! (`remembering.rs`), and the keys that the platform derives (`deriving.rs`).

mod attempt;
mod deriving;
mod handover;
mod incoming;
mod lasting;
mod policy;
mod remembering;

use super::error::{CloseReason, Phase};
use super::event::{Delivery, Event, IqId, RequestFailure, SendId, Status};
use super::handler::is_stanza;
use super::io::{Output, SocketId, Transmit};
use super::iq::PendingIqs;
use super::jid::Jid;
use super::mask::masked;
use super::ns;
use super::outbox::Outbox;
use super::prepare::BadOption;
use super::random::{Ids, Random};
use super::reconnect::{Backoff, Reconnect};
use super::session::{Memory, Session, SessionConfig};
use super::time::{Instant, Millis};
use super::transport::bosh::BoshConfig;
use super::transport::stream_management::{Assurance, StreamManagement};
use super::transport::{Service, Transport};
use super::unicode::Unicode;
use super::xep::ping;
use super::xml::Element;
use policy::{Redirects, Target};
use std::collections::VecDeque;
use std::rc::Rc;

pub use handover::{Prebound, Snapshot};

/// What the page chose.
#[derive(Clone)]
pub struct Config {
    /// What the stream is opened for, and as whom.
    pub session: SessionConfig,
    /// Where, tried in order; at least one.
    pub services: Vec<Service>,
    /// How it is carried over BOSH; the address is the service's.
    pub bosh: BoshConfig,
    /// The longest time for connecting and logging in.
    pub timeout: Millis,
    /// Whether and how a connection that broke is made again; `None`: it is over.
    pub reconnect: Option<Reconnect>,
    /// XEP-0198 over WebSocket, where the server has it.
    pub stream_management: bool,
    /// Over WebSocket: after how long a silence the server is asked whether it is there.
    pub silence: Millis,
}

/// How many of the connection's own pings are remembered over BOSH: one is enough where the server answers them.
const MOST_ASKED: usize = 64;

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
    /// More is waiting for the connection to be there again than is kept.
    OutboxFull,
    /// It shows a room's password, and the connection is not confidential.
    Insecure,
}

/// A connection to an XMPP server.
pub struct Connection {
    config: Config,
    /// What of it cannot be sent, so that nothing is.
    fault: Option<BadOption>,
    unicode: Rc<dyn Unicode>,
    random: Box<dyn Random>,
    ids: Ids,
    session: Session,
    transport: Option<Transport>,
    opened: bool,
    /// We have said good-bye; what still comes is still handed on.
    closing: bool,
    /// Why it ends, when that was found above the transport.
    blame: Option<CloseReason>,
    /// What a transport that has ended left to do.
    leftover: VecDeque<Transmit>,
    /// When connecting has taken too long.
    deadline: Option<Instant>,
    jid: Option<Jid>,
    pending: PendingIqs,
    events: VecDeque<Event>,
    next_send: u32,
    next_iq: u32,
    next_exchange: u32,
    next_socket: u32,
    tapped: bool,
    /// The page is hidden, and the caller's timers fire late.
    hidden: bool,
    /// The ids of the pings that ask the server for a word over BOSH, while they are out.
    asked: Vec<String>,
    // ── handed over ──
    /// The session was taken over, and whether it is there is asked.
    adopted: Option<handover::Adopted>,
    /// Nobody can log in anew.
    alone: bool,
    /// Where the WebSocket's session is.
    session_target: Option<Target>,
    /// What logins at the services have shown, in the services' order.
    memories: Vec<Memory>,
    /// Until when an attempt at which something was said early may take, or an adopted session may be silent.
    patience: Option<Instant>,
    /// Until when the first request waits for credentials that may travel in it.
    hold: Instant,
    // ── lasting ──
    /// What was told last of a session whose requests break: which attempt, and when it is due.
    trouble_told: Option<(u32, Instant)>,
    /// The session is there, or may be there again: what is sent is kept rather than refused.
    lasting: bool,
    /// The page has been told that it is online, and not that it is not.
    online: bool,
    /// The outbox waits for [`Connection::release`], and takes what is sent meanwhile.
    held: bool,
    /// What is sent while it is not; released once the page has put its rooms and feeds in order.
    outbox: Outbox,
    /// What the transport that ended gave back.
    returned: Vec<(Element, Option<SendId>)>,
    /// Over WebSocket: what the server has taken; outlives the socket.
    managed: Option<StreamManagement>,
    /// When the last connection was lost.
    lost_at: Instant,
    backoff: Backoff,
    /// When the next attempt is due.
    retry_at: Option<Instant>,
    /// Why the last one failed.
    lost_by: CloseReason,
    /// When the attempt under way began, and when the server was heard last.
    begun_at: Instant,
    heard_at: Instant,
    /// When an attempt that has been silent since a sign of the network is replaced.
    doubted_until: Option<Instant>,
    /// How many attempts were replaced since there was a session.
    replaced: u32,
    /// Which service is used, and how many were tried since one worked.
    service: usize,
    tried: usize,
    /// The address in use, or tried last.
    target: Option<Target>,
    /// The address that a server redirected to, until it is tried.
    moved: Option<Target>,
    redirects: Redirects,
}

impl Connection {
    /// A connection that is offline.
    pub fn new(mut config: Config, unicode: Rc<dyn Unicode>, mut random: Box<dyn Random>) -> Self {
        let fault = config.prepare(unicode.as_ref()).err();
        Self {
            fault,
            session: Session::new(config.session.clone()),
            backoff: Backoff::default(),
            config,
            unicode,
            ids: Ids::new(random.as_mut()),
            random,
            transport: None,
            opened: false,
            closing: false,
            blame: None,
            leftover: VecDeque::new(),
            deadline: None,
            jid: None,
            pending: PendingIqs::default(),
            events: VecDeque::new(),
            next_send: 0,
            next_iq: 0,
            next_exchange: 0,
            next_socket: 0,
            tapped: false,
            hidden: false,
            asked: Vec::new(),
            adopted: None,
            alone: false,
            session_target: None,
            memories: Vec::new(),
            patience: None,
            hold: Instant(0),
            trouble_told: None,
            lasting: false,
            online: false,
            held: false,
            outbox: Outbox::default(),
            returned: Vec::new(),
            managed: None,
            lost_at: Instant(0),
            retry_at: None,
            lost_by: CloseReason::Unreachable,
            begun_at: Instant(0),
            heard_at: Instant(0),
            doubted_until: None,
            replaced: 0,
            service: 0,
            tried: 0,
            target: None,
            moved: None,
            redirects: Redirects::default(),
        }
    }

    // ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The own full JID: while online, and during an interruption that of the session that may be resumed.
    pub fn jid(&self) -> Option<&Jid> {
        self.jid.as_ref()
    }

    /// Is there no connection, none in the making and none hoped for?
    pub fn is_offline(&self) -> bool {
        self.transport.is_none() && self.retry_at.is_none()
    }

    /// Has the page said good-bye, and it is not over yet?
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Whether there is a session now: bound, and not interrupted.
    pub fn is_online(&self) -> bool {
        self.online && !self.closing
    }

    /// The address of the service that is used or tried, as it was configured.
    pub fn service(&self) -> Option<&str> {
        let service = self.config.services.get(self.service)?;
        Some(&service.address)
    }

    /// Whether a secret may be sent in a stanza: a room's password, a registration's. True where the caller allows plain text
    /// ([`SessionConfig::plain_text_allowed`]), and where the address in use and every address that redirected to it are
    /// encrypted or on this machine. While there is no bound session, what is sent may leave over any of the configured services,
    /// so that each of them has to be confidential.
    pub fn is_confidential(&self) -> bool {
        let mut services = self.config.services.iter();
        self.config.session.plain_text_allowed
            || match self.target.as_ref().filter(|_| self.online) {
                Some(target) => target.is_confidential(),
                None => services.all(|service| service.confidential),
            }
    }

    /// The domain we log in to.
    pub fn domain(&self) -> &str {
        &self.config.session.domain
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Starts connecting. False when it is not offline.
    pub fn connect(&mut self, now: Instant) -> bool {
        if !self.is_offline() {
            return false;
        }
        if let Some(fault) = self.fault {
            self.go_offline(CloseReason::BadOption(fault));
            return true;
        }
        self.alone = false;
        self.tried = 0;
        self.set_out(now);
        true
    }

    fn set_out(&mut self, now: Instant) {
        self.redirects = Redirects::default();
        self.deadline = Some(now + self.config.timeout);
        self.begin(now);
    }

    /// Ends the session in order: what is queued is sent, unavailable presence last.
    pub fn disconnect(&mut self, now: Instant) {
        if self.closing {
            return;
        }
        if self.transport.is_none() {
            if self.retry_at.is_some() {
                self.go_offline(CloseReason::Requested);
            }
            return;
        }
        if self.session.is_established() {
            // Also in a session that was taken over and not yet shown to be there: what the former page kept leaves with the
            // good-bye or not at all.
            self.flush_outbox();
            let presence = Element::builder("presence", ns::CLIENT)
                .attr("type", "unavailable")
                .build();
            self.transmit(presence, None);
            self.ask_word(now, true);
            // §4 of XEP-0198: the server should know what has arrived before it forgets the session.
            if let Some(ack) = self.managed.as_ref().and_then(StreamManagement::ack) {
                self.transmit(ack, None);
            }
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
        match &mut self.transport {
            Some(transport) => {
                self.blame = Some(CloseReason::Requested);
                transport.end(CloseReason::Requested);
            }
            None if self.retry_at.is_some() => self.go_offline(CloseReason::Requested),
            None => {}
        }
        self.settle(now);
    }

    /// Whether the caller may be gone the next moment, as a page that is being left: a good-bye then leaves at once, in one piece with
    /// what it needs, and nothing leaves that only waits for an answer.
    pub fn set_leaving(&mut self, now: Instant, leaving: bool) {
        if let Some(Transport::Bosh(bosh)) = &mut self.transport {
            bosh.set_leaving(leaving);
        }
        self.settle(now);
    }

    /// Sends a stanza; during an interruption, once it is over. An iq request without an id gets one.
    pub fn send(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.send_by(stanza, false)
    }

    /// Sends a stanza ahead of what is kept (see [`Connection::hold`]).
    pub fn send_ahead(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.send_by(stanza, true)
    }

    fn send_by(&mut self, stanza: Element, ahead: bool) -> Result<SendId, SendError> {
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
        self.transmit_or_keep(stanza, Some(id), ahead);
        Ok(id)
    }

    /// Sends an iq request; its reply, or why there is none, comes as [`Event::Reply`].
    pub fn request(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.request_by(now, iq, timeout, false)
    }

    /// Sends an iq request ahead of what is kept (see [`Connection::hold`]).
    pub fn request_ahead(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.request_by(now, iq, timeout, true)
    }

    fn request_by(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
        ahead: bool,
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
        let kept = !self.goes_at_once(ahead);
        self.pending
            .insert(&id, request, to, self.jid.as_ref(), deadline, kept);
        self.transmit_or_keep(iq, None, ahead);
        Ok(request)
    }

    /// Takes back a stanza that is kept and has not left; it is not settled. Returns false if it has left.
    pub fn withdraw(&mut self, send: SendId) -> bool {
        self.outbox.remove(send)
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
        if self.closing || !self.lasting {
            return Err(SendError::NotConnected);
        }
        let full = match (&self.transport, &self.managed) {
            (Some(Transport::Bosh(bosh)), _) => bosh.is_full(),
            (_, Some(managed)) => !managed.has_room(),
            _ => false,
        };
        if full || !self.outbox.has_room() {
            return Err(SendError::OutboxFull);
        }
        Ok(())
    }

    /// Whether a stanza leaves now, or is kept in the outbox.
    fn goes_at_once(&self, ahead: bool) -> bool {
        self.online && (ahead || !self.held)
    }

    fn transmit_or_keep(&mut self, stanza: Element, name: Option<SendId>, ahead: bool) {
        if self.goes_at_once(ahead) {
            self.transmit(stanza, name);
        } else {
            self.outbox.keep(stanza, name);
        }
    }

    fn transmit(&mut self, element: Element, name: Option<SendId>) {
        if self.tapped {
            self.events.push_back(Event::Sent(masked(&element).into()));
        }
        let established = self.session.is_established();
        match (&mut self.transport, &mut self.managed) {
            (Some(Transport::WebSocket(socket)), Some(managed))
                if established && is_stanza(&element) =>
            {
                // Written once, for the frame and for what may have to be sent again.
                let text: Rc<str> = element.to_xml().into();
                managed.note_sent(text.clone(), name, element.name() == "message");
                socket.send_text(text);
            }
            (Some(transport), _) => transport.send(element, name),
            (None, _) => {}
        }
    }

    /// From now on what is sent is kept, until [`Connection::release`]: for a caller that has to restore a new session first,
    /// which it does with [`Connection::send_ahead`] and [`Connection::request_ahead`].
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Holds nothing back any more: what is kept leaves as soon as there is a session.
    pub fn unhold(&mut self) {
        self.held = false;
    }

    fn tell_settled(&mut self, send: SendId, delivery: Delivery) {
        self.events.push_back(Event::Settled { send, delivery });
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            let phase = match self.adopted {
                Some(_) => Phase::Connecting,
                None => self.session.phase(self.opened),
            };
            self.fail(now, CloseReason::TimedOut(phase));
        }
        if self.patience.is_some_and(|until| now >= until) {
            self.patience = None;
            if self.adopted.is_some() {
                self.doubt_adopted(now);
            } else if self.session.is_hasty() {
                let phase = self.session.phase(self.opened);
                self.fail(now, CloseReason::TimedOut(phase));
            }
        }
        if self.doubted_until.is_some_and(|until| now >= until) {
            self.replace_attempt(now);
        }
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry(now);
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
        self.mind_link(now);
        self.ask_bosh_for_word(now);
        self.settle(now);
    }

    /// Over WebSocket: nobody tells of a dead link but the silence.
    fn mind_link(&mut self, now: Instant) {
        if self.online
            && !self.closing
            && let (Some(Transport::WebSocket(socket)), Some(managed)) =
                (&mut self.transport, &mut self.managed)
            && managed.is_dead(now)
        {
            socket.end(CloseReason::Unreachable);
        }
    }

    /// A ping to the own server, where BOSH needs one to learn what has arrived. Its reply is nobody's business.
    fn ask_bosh_for_word(&mut self, now: Instant) {
        let wanted = match &self.transport {
            Some(Transport::Bosh(bosh)) if self.hidden => {
                bosh.wants_word(now) || bosh.goes_alone(now)
            }
            Some(Transport::Bosh(bosh)) => bosh.wants_word(now),
            _ => false,
        };
        if wanted && self.session.is_established() && !self.closing {
            let id = self.ids.next_id();
            self.transmit(ping::request(None).with_attr("id", &id), None);
            self.expect_pong(id);
        }
    }

    /// A reply of that id is the connection's own business. A server that answers none must not make it remember all of them.
    fn expect_pong(&mut self, id: String) {
        if self.asked.len() >= MOST_ASKED {
            self.asked.remove(0);
        }
        self.asked.push(id);
    }

    /// Over WebSocket: asks what has arrived, or whether the server is there, if that is due. True when it did.
    fn ask_word(&mut self, now: Instant, last: bool) -> bool {
        if !self.online || self.closing || !matches!(self.transport, Some(Transport::WebSocket(_)))
        {
            return false;
        }
        let word = match &mut self.managed {
            Some(managed) => managed.poll_word(now, last),
            None => None,
        };
        let ping = match word {
            None => return false,
            Some(Assurance::Request) => {
                let request = Element::builder("r", ns::STREAM_MANAGEMENT).build();
                self.transmit(request, None);
                None
            }
            Some(Assurance::Ping) => {
                let id = self.ids.next_id();
                self.transmit(ping::request(None).with_attr("id", &id), None);
                Some(id)
            }
        };
        if let Some(managed) = &mut self.managed {
            managed.note_asked(now, ping);
        }
        true
    }

    /// The next event, whatever there is to send.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing to do for the shell; `Timeout` is the last.
    pub fn poll_output(&mut self, now: Instant) -> Output {
        loop {
            if let Some(transmit) = self.leftover.pop_front() {
                return Output::Transmit(transmit);
            }
            if let Some(derive) = self.poll_derivation() {
                return derive;
            }
            if self.hidden {
                // In the same request: a timer that asks later would fire too late.
                self.ask_bosh_for_word(now);
            }
            let held = self.held_until(now);
            if let Some(transport) = &mut self.transport
                && held.is_none()
                && let Some(transmit) = transport.poll_transmit(now)
            {
                return Output::Transmit(transmit);
            }
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            // Whoever wanted to put something in order before it has done so by now.
            if !self.held && self.release() || self.ask_word(now, false) {
                continue;
            }
            let transport = self.transport.as_ref().and_then(Transport::poll_timeout);
            let link = match (&self.transport, &self.managed) {
                (Some(Transport::WebSocket(_)), Some(managed)) if self.online && !self.closing => {
                    Some(managed.poll_timeout())
                }
                _ => None,
            };
            let deadlines = [
                transport,
                link,
                self.deadline,
                self.patience,
                self.doubted_until,
                held,
                self.retry_at,
                self.pending.deadline(),
            ];
            return Output::Timeout(deadlines.into_iter().flatten().min());
        }
    }

    fn next_socket_id(&mut self) -> SocketId {
        let socket = SocketId(self.next_socket);
        self.next_socket = self.next_socket.wrapping_add(1);
        socket
    }
}
