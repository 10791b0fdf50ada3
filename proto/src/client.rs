//! The XMPP client, without IO: one [`Connection`], with presence, handlers, rooms, feeds and requests.
//!
//! A [`Client`] adds to a connection what RFC 6121 and the extensions expect of a client: its own presence and capabilities
//! (`presence`), the handlers and the feeds, rooms and watches a stanza belongs to (`routing`), feeds (`feeds`), rooms (`rooms`),
//! events without a subscription (`watches`), requests and their purpose (`requests`), and the step that restores all of it in a
//! new session before anything that was kept leaves (`restoring`).
//!
//! The contract is that of [`Connection`]: call a command, [`Client::handle_input`] or [`Client::handle_timeout`], then poll
//! [`Client::poll_output`] until [`ClientOutput::Timeout`]. Commands return ids, small integers that are never reused in a
//! client's life. Commands and events are plain data.
//!
//! Left out: the roster (RFC 6121 §2), which is an extension of the caller's.

mod answering;
mod config;
mod event;
mod feeds;
mod presence;
mod requests;
mod restoring;
mod rooms;
mod routing;
mod watches;

pub use event::{ClientEvent, ClientOutput, Notice};
pub use feeds::{FeedOptions, FeedStatus};
pub use restoring::{ParticipantId, StepId};
pub use watches::{WatchId, Watched};

use crate::connection::{Config, Connection, Prebound, SendError, Snapshot};
use crate::error::CloseReason;
use crate::event::{Delivery, Event, IqId, SendId, Status};
use crate::handler::HandlerRegistry;
use crate::io::{Input, Output};
use crate::jid::Jid;
use crate::random::Random;
use crate::time::{Calendar, Instant};
use crate::unicode::Unicode;
use crate::vec_map::VecMap;
use crate::xep::audience::{Audience, Screening};
use crate::xep::muc::request::contains_password;
use crate::xep::muc::{CommandId, Rooms};
use crate::xep::responder::About;
use crate::xml::Element;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// The configuration of a client.
#[derive(Clone)]
pub struct ClientConfig {
    /// The connection.
    pub connection: Config,
    /// Whether the client broadcasts available presence when a session begins, unless the caller did (RFC 6121 §4.2).
    pub initial_presence: bool,
    /// Whether the account ends with the session (SASL ANONYMOUS): its subscriptions are made with the full JID.
    pub ephemeral: bool,
    /// The answer to disco#info and jabber:iq:version.
    pub about: About,
    /// Which senders get replies to their requests.
    pub audience: Audience,
}

/// The services of the platform that the client uses.
#[derive(Clone)]
pub struct Platform {
    /// Unicode tables.
    pub unicode: Rc<dyn Unicode>,
    /// The wall clock.
    pub calendar: Rc<dyn Calendar>,
}

/// An XMPP client.
pub struct Client {
    connection: Connection,
    platform: Platform,
    events: VecDeque<ClientEvent>,
    /// Whether a session has existed since `connect`; a new session must restore its state.
    lasting: bool,
    /// Why the connection was last offline.
    end_reason: Option<Rc<CloseReason>>,
    /// Sent stanzas that are not settled yet, to report those that are not delivered.
    sent: VecMap<SendId, UnsettledStanza>,
    requests: VecMap<IqId, requests::Purpose>,
    presence: presence::OwnPresence,
    handlers: HandlerRegistry<()>,
    backlog: routing::Backlog,
    feeds: feeds::ClientFeeds,
    rooms: Rooms,
    screening: Screening,
    watches: watches::Watches,
    restoring: restoring::Restoring,
}

impl Client {
    /// Creates an offline client.
    pub fn new(config: ClientConfig, platform: Platform, random: Box<dyn Random>) -> Self {
        let random = SharedRandom(Rc::new(RefCell::new(random)));
        let unicode = &platform.unicode;
        let connection = Connection::new(
            config.connection,
            Rc::clone(unicode),
            Box::new(random.clone()),
        );
        let rooms = Rooms::new(Rc::clone(unicode), Box::new(random));
        Self {
            connection,
            platform,
            events: VecDeque::new(),
            lasting: false,
            end_reason: None,
            sent: VecMap::default(),
            requests: VecMap::default(),
            presence: presence::OwnPresence::new(config.initial_presence, config.about),
            handlers: HandlerRegistry::default(),
            backlog: routing::Backlog::default(),
            feeds: feeds::ClientFeeds::new(config.ephemeral),
            rooms,
            screening: Screening::new(config.audience),
            watches: watches::Watches::default(),
            restoring: restoring::Restoring::default(),
        }
    }

    // ── getters─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The connection, read-only.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The own full JID: while online, and during an interruption that of the session that may be resumed.
    pub fn jid(&self) -> Option<&Jid> {
        self.connection.jid()
    }

    /// Whether a session exists or will be established again.
    pub fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// Why the connection is offline; `None` before it was online or failed for the first time.
    pub fn end_reason(&self) -> Option<Rc<CloseReason>> {
        self.end_reason.clone()
    }

    // ── the connection's commands ───────────────────────────────────────────────────────────────────────────────────

    /// Starts connecting. Returns false if the client is not offline.
    pub fn connect(&mut self, now: Instant) -> bool {
        self.connection.connect(now)
    }

    /// Continues a BOSH session that a web server made. Returns false if it does not fit the client.
    pub fn attach(&mut self, now: Instant, session: Prebound<'_>) -> bool {
        self.connection.attach(now, session)
    }

    /// Continues the session that a former instance stored. Returns false if there is nothing to continue.
    pub fn restore(&mut self, now: Instant, stored: &str) -> bool {
        self.connection.restore(now, stored)
    }

    /// Returns the data with which another instance continues this session.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.connection.snapshot()
    }

    /// Closes the session in order: unsubscribes the full JID, sends the queued stanzas, then unavailable presence.
    pub fn disconnect(&mut self, now: Instant) {
        if self.connection.is_online() {
            self.end_subscriptions();
        }
        self.connection.disconnect(now);
    }

    /// Ends the connection at once, without notifying the server.
    pub fn abort(&mut self, now: Instant) {
        self.connection.abort(now);
    }

    /// Reports that the network is back or that the machine woke up; retries at once.
    pub fn wake(&mut self, now: Instant) {
        self.connection.wake(now);
    }

    /// Reports that the caller is about to sleep (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        self.connection.pause(now);
    }

    /// Sets whether the caller may disappear at any moment ([`Connection::set_leaving`]).
    pub fn set_leaving(&mut self, now: Instant, leaving: bool) {
        self.connection.set_leaving(now, leaving);
    }

    /// Reports that another instance has continued this session.
    pub fn forfeit(&mut self, now: Instant) {
        self.connection.forfeit(now);
    }

    /// Restores the memory that [`Connection::memory`] of an earlier instance returned.
    pub fn remember(&mut self, text: &str) {
        self.connection.remember(text);
    }

    /// Overwrites the keys of earlier logins; the next login derives them again.
    pub fn forget_keys(&mut self) {
        self.connection.forget_keys();
    }

    /// Starts or stops reporting every element sent and received.
    pub fn tap(&mut self, on: bool) {
        self.connection.tap(on);
    }

    /// Returns a new stanza id.
    pub fn next_id(&mut self) -> String {
        self.connection.next_id()
    }

    /// Sends a stanza; during an interruption the stanza is queued. [`ClientEvent::Settled`] reports its delivery.
    pub fn send(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.dispatch(stanza, SendLane::Ordinary, SendOrigin::Caller)
    }

    /// Sends a stanza. A broadcast presence is remembered and carries our capabilities.
    fn dispatch(
        &mut self,
        stanza: Element,
        lane: SendLane,
        origin: SendOrigin,
    ) -> Result<SendId, SendError> {
        self.check_password(&stanza)?;
        let is_broadcast = stanza.name() == "presence" && stanza.attr("to").is_none();
        let outgoing = if is_broadcast {
            self.with_capabilities(&stanza)
        } else {
            stanza.clone()
        };
        let id = match lane {
            SendLane::Ordinary => self.connection.send(outgoing)?,
            SendLane::Restoring => self.connection.send_before_outbox(outgoing)?,
        };
        if is_broadcast {
            self.note_broadcast(&stanza);
        }
        self.sent.insert(id, UnsettledStanza { stanza, origin });
        Ok(id)
    }

    /// Refuses a stanza with a room's password on a connection that is not confidential.
    fn check_password(&self, stanza: &Element) -> Result<(), SendError> {
        if contains_password(stanza) && !self.connection.is_confidential() {
            return Err(SendError::Insecure);
        }
        Ok(())
    }

    /// Sends a stanza of the client itself. Without a session the stanza is discarded.
    fn post(&mut self, stanza: Element, lane: SendLane) {
        let _ = self.dispatch(stanza, lane, SendOrigin::Client);
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles an input from the network or the caller. Never fails: an invalid input becomes an event.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.connection.handle_input(now, input);
    }

    /// Handles all deadlines up to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.connection.handle_timeout(now);
        self.handle_presence_timeout(now);
        self.handle_rooms_timeout(now);
        self.handle_feeds_timeout(now);
        self.handle_restoring_timeout(now);
    }

    /// Returns the next event, before any output. An event is routed when it is polled, so that handlers added
    /// because of one event receive the next.
    pub fn poll_event(&mut self, now: Instant) -> Option<ClientEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.connection.poll_event()?;
            self.handle_event(now, event);
        }
    }

    /// Returns the next output for the shell; `Timeout` is the last.
    pub fn poll_output(&mut self, now: Instant) -> ClientOutput {
        loop {
            if let Some(event) = self.events.pop_front() {
                return ClientOutput::Event(event);
            }
            match self.connection.poll_output(now) {
                Output::Transmit(transmit) => return ClientOutput::Transmit(transmit),
                Output::Event(event) => self.handle_event(now, event),
                Output::Derive { id, derivation } => {
                    return ClientOutput::Derive { id, derivation };
                }
                Output::Timeout(at) => {
                    if self.finish_turn(now) {
                        continue;
                    }
                    let all = [at, self.own_deadline()];
                    return ClientOutput::Timeout(all.into_iter().flatten().min());
                }
            }
        }
    }

    /// Returns the earliest deadline of presence, rooms, feeds and the restore step.
    fn own_deadline(&self) -> Option<Instant> {
        let deadlines = [
            self.presence_deadline(),
            self.rooms.poll_timeout(),
            self.feeds_deadline(),
            self.restoring_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Ends a turn, after all its changes: delivers the stanzas kept for the first handler and announces
    /// changed capabilities. Returns true if anything was done.
    fn finish_turn(&mut self, now: Instant) -> bool {
        self.announce_if_changed() | self.release_backlog(now)
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Status(status) => self.handle_status(now, status),
            Event::Stanza(stanza) => self.route(now, &stanza),
            Event::Hole => {
                self.rooms.handle_hole();
                self.feeds.handle_hole();
            }
            Event::Unreadable(unreadable) => {
                self.emit(ClientEvent::Notice(Notice::Unreadable(unreadable)));
            }
            Event::Reply { request, outcome } => self.handle_reply(now, request, outcome),
            Event::Settled { send, delivery } => self.handle_settled(send, delivery),
            Event::CredentialsWanted => self.emit(ClientEvent::CredentialsWanted),
            Event::Learned => self.emit(ClientEvent::Learned),
            Event::Registered => self.emit(ClientEvent::Registered),
            Event::Sent(xml) => self.emit(ClientEvent::Sent(xml)),
            Event::Received(xml) => self.emit(ClientEvent::Received(xml)),
        }
    }

    fn handle_status(&mut self, now: Instant, status: Status) {
        match &status {
            Status::Online(jid) => {
                self.feeds.set_account(jid);
                self.screening.reset();
                let restores = std::mem::replace(&mut self.lasting, true);
                self.begin_step(now, jid, restores);
            }
            Status::Resumed(jid) => {
                self.feeds.set_account(jid);
                // A restored instance may watch nodes whose features were not announced yet.
                if !std::mem::replace(&mut self.lasting, true) {
                    self.presence.note_changed();
                }
                self.cancel_step();
                self.resume_rooms(now, jid);
                self.begin_feeds(now, true);
            }
            Status::Interrupted(_) => {
                self.cancel_step();
                self.rooms.handle_interrupted();
            }
            Status::Offline(reason) => {
                self.end_reason = Some(Rc::new(reason.clone()));
                self.handle_offline(now);
            }
            _ => {}
        }
        self.emit(ClientEvent::Status(status));
    }

    fn handle_offline(&mut self, now: Instant) {
        self.lasting = false;
        self.cancel_step();
        self.presence.reset();
        self.end_feeds();
        self.end_rooms(now);
    }

    fn handle_settled(&mut self, send: SendId, delivery: Delivery) {
        let Some(UnsettledStanza { stanza, origin }) = self.sent.remove(&send) else {
            return;
        };
        if delivery != Delivery::Delivered {
            self.emit(ClientEvent::Undelivered { stanza, delivery });
        }
        match origin {
            SendOrigin::Caller => self.emit(ClientEvent::Settled { send, delivery }),
            SendOrigin::Room(command) => {
                self.rooms.handle_delivery(command, delivery);
                self.emit(ClientEvent::RoomDelivery { command, delivery });
            }
            SendOrigin::RoomPresence | SendOrigin::Client => {}
        }
    }

    fn emit(&mut self, event: ClientEvent) {
        self.events.push_back(event);
    }
}

/// A sent stanza whose delivery is not known yet.
struct UnsettledStanza {
    stanza: Element,
    origin: SendOrigin,
}

/// The origin of a sent stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendOrigin {
    /// The caller; delivery is reported to it.
    Caller,
    /// A room's command; delivery is reported to the caller of the command.
    Room(CommandId),
    /// A room's presence; a new session sends a new one instead.
    RoomPresence,
    /// The client itself.
    Client,
}

/// The random number generator shared by the parts of the client.
#[derive(Clone)]
struct SharedRandom(Rc<RefCell<Box<dyn Random>>>);

impl Random for SharedRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill(bytes);
    }
}

/// The order of stanzas in a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendLane {
    /// Behind the outbox.
    Ordinary,
    /// Before the outbox: the stanza restores the session.
    Restoring,
}
