//! A connection: one transport, one session, the pending requests, and the events about them. It reconnects from the
//! first login until the page disconnects.
//!
//! The contract is the run loop at the head of [`proto`](super): change something, drain [`Connection::poll_output`]
//! until `Timeout`, then change something again.
//!
//! This file holds the commands and the run loop's calls. `connection/` holds the states and timers (`state.rs`),
//! sending (`sending.rs`), attempts (`attempt.rs`), incoming elements (`incoming.rs`), interruptions and resumption
//! (`lasting.rs`), addresses and redirects (`route.rs`, `policy.rs`), the handover of a session between pages
//! (`handover.rs`), the memory of services (`remembering.rs`), and the keys that the platform derives (`deriving.rs`).

mod attempt;
mod deriving;
mod handover;
mod incoming;
mod lasting;
mod policy;
mod remembering;
mod route;
mod sending;
mod state;

use super::error::CloseReason;
use super::event::{Event, RequestFailure, SendId, Status};
use super::io::{Output, Transmit};
use super::iq::PendingIqs;
use super::jid::Jid;
use super::ns;
use super::outbox::Outbox;
use super::prepare::BadOption;
use super::random::{Ids, Random};
use super::reconnect::{Backoff, Reconnect};
use super::session::{Memory, Session, SessionConfig};
use super::states::Place;
use super::time::{Instant, Millis};
use super::timers::Timers;
use super::transport::bosh::BoshConfig;
use super::transport::stream_management::Suspended;
use super::transport::{Names, Service, Transport};
use super::unicode::Unicode;
use super::xml::Element;
use route::Route;
use state::{Link, State, Timer};
use std::collections::VecDeque;
use std::rc::Rc;

pub use handover::{Prebound, Snapshot};
pub use sending::SendError;
pub use state::ConnectionPlace;

/// The page's configuration of a connection.
#[derive(Clone)]
pub struct Config {
    /// The purpose and the account of the stream.
    pub session: SessionConfig,
    /// The services, tried in order; at least one.
    pub services: Vec<Service>,
    /// The options of BOSH; the address is that of the service.
    pub bosh: BoshConfig,
    /// The longest time for connecting and logging in.
    pub timeout: Millis,
    /// Whether and how to reconnect after a broken connection; `None`: the connection ends.
    pub reconnect: Option<Reconnect>,
    /// Whether to use XEP-0198 over WebSocket if the server offers it.
    pub stream_management: bool,
    /// Over WebSocket: the silence of the server after which it is pinged.
    pub silence: Millis,
}

/// A connection to an XMPP server.
pub struct Connection {
    config: Config,
    /// The option that cannot be sent; if set, nothing is sent.
    fault: Option<BadOption>,
    unicode: Rc<dyn Unicode>,
    random: Box<dyn Random>,
    ids: Ids,
    session: Session,
    state: State,
    timers: Timers<Timer, 5>,
    /// The remaining transmissions of a transport that has ended.
    leftover: VecDeque<Transmit>,
    jid: Option<Jid>,
    pending: PendingIqs,
    events: VecDeque<Event>,
    next_send: u32,
    next_iq: u32,
    names: Names,
    tapped: bool,
    /// The page is hidden, and the caller's timers fire late.
    hidden: bool,
    /// No login is possible: the session was made by a web server, and there are no credentials.
    alone: bool,
    /// The memory of each service, in the services' order.
    memories: Vec<Memory>,
    /// The stanzas sent while there is no session.
    outbox: Outbox,
    /// The stanzas that an ended transport returned unsent.
    returned: Vec<(Element, Option<SendId>)>,
    /// The resumable session, between the loss of its transport and the next transport.
    suspended: Option<Suspended>,
    backoff: Backoff,
    route: Route,
}

impl Connection {
    /// Creates a connection that is offline.
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
            state: State::Offline,
            timers: Timers::default(),
            leftover: VecDeque::new(),
            jid: None,
            pending: PendingIqs::default(),
            events: VecDeque::new(),
            next_send: 0,
            next_iq: 0,
            names: Names::default(),
            tapped: false,
            hidden: false,
            alone: false,
            memories: Vec::new(),
            outbox: Outbox::default(),
            returned: Vec::new(),
            suspended: None,
            route: Route::default(),
        }
    }

    // ── getters ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The own full JID: that of the session while online, and that of the resumable session during an interruption.
    pub fn jid(&self) -> Option<&Jid> {
        self.jid.as_ref()
    }

    /// Whether there is no connection and none is planned.
    pub fn is_offline(&self) -> bool {
        matches!(self.state, State::Offline)
    }

    /// Whether the page has disconnected and the stream has not ended yet.
    pub fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing(_))
    }

    /// The name of the state.
    pub fn place(&self) -> ConnectionPlace {
        self.state.place()
    }

    /// Whether a session is bound and not interrupted.
    pub fn is_online(&self) -> bool {
        matches!(self.state, State::Online(_))
    }

    /// The configured address of the service that is used or tried.
    pub fn service(&self) -> Option<&str> {
        let service = self.config.services.get(self.route.service)?;
        Some(&service.address)
    }

    /// Whether a secret may be sent in a stanza: a room's or a registration's password. True where the caller allows
    /// plain text ([`SessionConfig::plain_text_allowed`]), and where the address in use and every address that
    /// redirected to it are encrypted or on this machine. Without a bound session a stanza may leave over any of the
    /// configured services, so each of them must be confidential.
    pub fn is_confidential(&self) -> bool {
        let mut services = self.config.services.iter();
        self.config.session.plain_text_allowed
            || match self.route.target.as_ref().filter(|_| self.is_online()) {
                Some(target) => target.is_confidential(),
                None => services.all(|service| service.confidential),
            }
    }

    /// The domain of the login.
    pub fn domain(&self) -> &str {
        &self.config.session.domain
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Starts connecting. Returns false if the connection is not offline.
    pub fn connect(&mut self, now: Instant) -> bool {
        if !self.is_offline() {
            return false;
        }
        if let Some(fault) = self.fault {
            self.go_offline(CloseReason::BadOption(fault));
            return true;
        }
        self.alone = false;
        self.set_out(now);
        true
    }

    fn set_out(&mut self, now: Instant) {
        self.route.begin();
        self.timers.set(Timer::Deadline, now + self.config.timeout);
        self.begin(now);
    }

    /// Ends the session in order: sends the queued stanzas, then unavailable presence.
    pub fn disconnect(&mut self, now: Instant) {
        if matches!(self.state, State::Interrupted(_)) {
            return self.go_offline(CloseReason::Requested);
        }
        if matches!(self.state, State::Offline | State::Closing(_)) {
            return;
        }
        if self.session.is_established() {
            // Also in an adopted session that the server has not confirmed: the stanzas kept by the former page are
            // sent now or never.
            self.flush_outbox();
            let presence = Element::builder("presence", ns::CLIENT)
                .attr("type", "unavailable")
                .build();
            self.transmit(presence, None);
        } else {
            // The negotiation is no longer needed.
            self.session.close();
        }
        self.events.push_back(Event::Status(Status::Disconnecting));
        self.close_stream(now);
        self.settle(now);
    }

    /// Closes the transport in order.
    fn close_stream(&mut self, now: Instant) {
        self.timers = Timers::default();
        let left = self.leave();
        if let State::Adopting(attempt, adopted) = left {
            let mut link = attempt.link;
            // The reply to the ping may still arrive.
            link.transport.ignore_reply(adopted.ping);
            self.close_in_order(now, link);
        } else if let Some(link) = left.into_link() {
            self.close_in_order(now, link);
        }
    }

    fn close_in_order(&mut self, now: Instant, mut link: Link) {
        link.transport.close(now, &mut self.ids);
        self.enter(State::Closing(link));
    }

    /// Takes the state out until the next one is decided.
    fn leave(&mut self) -> State {
        let place = self.state.place();
        core::mem::replace(&mut self.state, State::Ended(place))
    }

    /// Enters the next state.
    fn enter(&mut self, next: State) {
        self.state.place().check(next.place());
        self.state = next;
    }

    /// Ends the connection at once, without notifying the server.
    pub fn abort(&mut self, now: Instant) {
        if let Some(link) = self.state.link_mut() {
            link.blame = Some(CloseReason::Requested);
            link.transport.end(CloseReason::Requested);
        } else if matches!(self.state, State::Interrupted(_)) {
            self.go_offline(CloseReason::Requested);
        }
        self.settle(now);
    }

    /// Notes whether the caller may be gone at any moment, as a page that is being left. If so, closing sends
    /// everything it needs at once, in one piece, and requests that only wait for an answer are not sent.
    pub fn set_leaving(&mut self, now: Instant, leaving: bool) {
        if let Some(transport) = self.state.transport_mut() {
            transport.set_leaving(leaving);
        }
        self.settle(now);
    }

    /// Returns a new id for a stanza.
    pub fn next_id(&mut self) -> String {
        self.ids.next_id()
    }

    /// Turns the events [`Event::Sent`] and [`Event::Received`] for every sent and received element on or off.
    pub fn tap(&mut self, on: bool) {
        self.tapped = on;
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Advances the time to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.is_due(Timer::Deadline, now) {
            self.fail(now, CloseReason::TimedOut(self.phase()));
        }
        if self.timers.expire(Timer::Patience, now) {
            if matches!(self.state, State::Adopting(..)) {
                self.doubt_adopted(now);
            } else if self.session.is_pipelining() {
                self.fail(now, CloseReason::TimedOut(self.phase()));
            }
        }
        if self.timers.expire(Timer::Doubt, now) {
            self.replace_attempt(now);
        }
        if self.timers.expire(Timer::Retry, now) {
            self.retry(now);
        }
        for request in self.pending.take_late(now) {
            self.events.push_back(Event::Reply {
                request,
                outcome: Err(RequestFailure::TimedOut),
            });
        }
        if let Some(transport) = self.state.transport_mut() {
            transport.handle_timeout(now, &mut self.ids);
        }
        self.settle(now);
    }

    /// The next event, before any transmission.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next output for the shell; `Timeout` is the last one.
    pub fn poll_output(&mut self, now: Instant) -> Output {
        loop {
            if let Some(transmit) = self.leftover.pop_front() {
                return Output::Transmit(transmit);
            }
            if let Some(derive) = self.poll_derivation() {
                return derive;
            }
            let gathers = self.gathers(now);
            if let Some(transport) = self.state.transport_mut()
                && !gathers
                && let Some(transmit) = transport.poll_transmit(now, &mut self.ids)
            {
                return Output::Transmit(transmit);
            }
            if self.tapped && self.session.is_established() {
                // Report the elements that the transport has sent by itself.
                self.settle(now);
            }
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            // Presence, rooms and subscriptions have been restored: release the outbox.
            if !self.outbox.is_held() && self.release() {
                continue;
            }
            if let Some(transport) = self.state.transport_mut()
                && transport.ask(now, &mut self.ids)
            {
                continue;
            }
            let transport = self.state.transport().and_then(Transport::poll_timeout);
            let deadlines = [transport, self.timers.next(), self.pending.deadline()];
            return Output::Timeout(deadlines.into_iter().flatten().min());
        }
    }
}
