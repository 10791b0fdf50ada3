//! A connection: one transport, one session, the requests that wait, and what is told about them; and, from the first login
//! until the page ends it, whatever it takes to have it again after it broke.
//!
//! The contract is the run loop at the head of [`proto`](super): change something, drain [`Connection::poll_output`]
//! until `Timeout`, then change something again.
//! This file holds the commands and the run loop's calls; `connection/` the states and timers (`state.rs`), sending
//! (`sending.rs`), attempts (`attempt.rs`), what comes in (`incoming.rs`), how the connection lasts (`lasting.rs`), where it leads
//! (`route.rs`, `policy.rs`), how a session goes from one page to the next (`handover.rs`), what it knows of its services
//! (`remembering.rs`), and the keys that the platform derives (`deriving.rs`).

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

/// A connection to an XMPP server.
pub struct Connection {
    config: Config,
    /// What of it cannot be sent, so that nothing is.
    fault: Option<BadOption>,
    unicode: Rc<dyn Unicode>,
    random: Box<dyn Random>,
    ids: Ids,
    session: Session,
    state: State,
    timers: Timers<Timer, 5>,
    /// What a transport that has ended left to do.
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
    /// No login can follow: the session is that of a web server, and there are no credentials.
    alone: bool,
    /// What logins at the services have shown, in the services' order.
    memories: Vec<Memory>,
    /// What is sent while it cannot leave.
    outbox: Outbox,
    /// What the transport that ended gave back.
    returned: Vec<(Element, Option<SendId>)>,
    /// The session that lost its transport and may be resumed, while no transport has it.
    suspended: Option<Suspended>,
    backoff: Backoff,
    route: Route,
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

    // ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The own full JID: while online, and during an interruption that of the session that may be resumed.
    pub fn jid(&self) -> Option<&Jid> {
        self.jid.as_ref()
    }

    /// Is there no connection, none in the making and none hoped for?
    pub fn is_offline(&self) -> bool {
        matches!(self.state, State::Offline)
    }

    /// Has the page said good-bye, and it is not over yet?
    pub fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing(_))
    }

    /// The state by name.
    pub fn place(&self) -> ConnectionPlace {
        self.state.place()
    }

    /// Whether there is a session now: bound, and not interrupted.
    pub fn is_online(&self) -> bool {
        matches!(self.state, State::Online(_))
    }

    /// The address of the service that is used or tried, as it was configured.
    pub fn service(&self) -> Option<&str> {
        let service = self.config.services.get(self.route.service)?;
        Some(&service.address)
    }

    /// Whether a secret may be sent in a stanza: a room's password, a registration's. True where the caller allows plain text
    /// ([`SessionConfig::plain_text_allowed`]), and where the address in use and every address that redirected to it are
    /// encrypted or on this machine. While there is no bound session, what is sent may leave over any of the configured services,
    /// so that each of them has to be confidential.
    pub fn is_confidential(&self) -> bool {
        let mut services = self.config.services.iter();
        self.config.session.plain_text_allowed
            || match self.route.target.as_ref().filter(|_| self.is_online()) {
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
        self.set_out(now);
        true
    }

    fn set_out(&mut self, now: Instant) {
        self.route.begin();
        self.timers.set(Timer::Deadline, now + self.config.timeout);
        self.begin(now);
    }

    /// Ends the session in order: what is queued is sent, unavailable presence last.
    pub fn disconnect(&mut self, now: Instant) {
        if matches!(self.state, State::Interrupted(_)) {
            return self.go_offline(CloseReason::Requested);
        }
        if matches!(self.state, State::Offline | State::Closing(_)) {
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
        } else {
            // Nothing that is still negotiated matters any more.
            self.session.close();
        }
        self.events.push_back(Event::Status(Status::Disconnecting));
        self.say_good_bye(now);
        self.settle(now);
    }

    /// Closes the transport in order.
    fn say_good_bye(&mut self, now: Instant) {
        self.timers = Timers::default();
        let left = self.leave();
        if let State::Adopting(attempt, adopted) = left {
            let mut link = attempt.link;
            // The reply may still come.
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

    /// Takes the state out: what comes next is being decided.
    fn leave(&mut self) -> State {
        let place = self.state.place();
        core::mem::replace(&mut self.state, State::Ended(place))
    }

    /// The next state.
    fn enter(&mut self, next: State) {
        self.state.place().check(next.place());
        self.state = next;
    }

    /// Ends it at once, without a word to the server.
    pub fn abort(&mut self, now: Instant) {
        if let Some(link) = self.state.link_mut() {
            link.blame = Some(CloseReason::Requested);
            link.transport.end(CloseReason::Requested);
        } else if matches!(self.state, State::Interrupted(_)) {
            self.go_offline(CloseReason::Requested);
        }
        self.settle(now);
    }

    /// Whether the caller may be gone the next moment, as a page that is being left: a good-bye then leaves at once, in one piece with
    /// what it needs, and nothing leaves that only waits for an answer.
    pub fn set_leaving(&mut self, now: Instant, leaving: bool) {
        if let Some(transport) = self.state.transport_mut() {
            transport.set_leaving(leaving);
        }
        self.settle(now);
    }

    /// A fresh id for a stanza.
    pub fn next_id(&mut self) -> String {
        self.ids.next_id()
    }

    /// Shows every element that goes out or comes in as [`Event::Sent`] and [`Event::Received`], or no longer.
    pub fn tap(&mut self, on: bool) {
        self.tapped = on;
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.is_due(Timer::Deadline, now) {
            self.fail(now, CloseReason::TimedOut(self.phase()));
        }
        if self.timers.expire(Timer::Patience, now) {
            if matches!(self.state, State::Adopting(..)) {
                self.doubt_adopted(now);
            } else if self.session.is_hasty() {
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
            let gathers = self.gathers(now);
            if let Some(transport) = self.state.transport_mut()
                && !gathers
                && let Some(transmit) = transport.poll_transmit(now, &mut self.ids)
            {
                return Output::Transmit(transmit);
            }
            if self.tapped && self.session.is_established() {
                // What the transport has sent for itself is shown, too.
                self.settle(now);
            }
            if let Some(event) = self.events.pop_front() {
                return Output::Event(event);
            }
            // Presence, rooms and subscriptions have been restored.
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
