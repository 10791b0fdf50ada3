//! The XMPP client, without IO: one [`Connection`] and everything that lives on it.
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
use crate::xep::muc::request::shows_password;
use crate::xep::muc::{CommandId, Rooms};
use crate::xep::responder::About;
use crate::xml::Element;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// What a client is made with.
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
    /// Who is answered.
    pub audience: Audience,
}

/// What the client borrows from its platform.
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
    /// There was a session since `connect`: a new session must restore what was in it.
    lasting: bool,
    /// Why the connection was last offline.
    end_reason: Option<CloseReason>,
    /// What was sent and is not settled, for the report of what was not delivered.
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
    /// A client that is offline.
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

    // ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The connection, to read from.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The own full JID: while online, and during an interruption that of the session that may be resumed.
    pub fn jid(&self) -> Option<&Jid> {
        self.connection.jid()
    }

    /// Whether there is a session, or will be one again.
    pub fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// Why the connection is offline; `None` before it was online or failed for the first time.
    pub fn end_reason(&self) -> Option<&CloseReason> {
        self.end_reason.as_ref()
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

    /// What another instance needs to continue this session.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.connection.snapshot()
    }

    /// Ends the session in order: subscriptions of the full JID first, then what is queued, unavailable presence last.
    pub fn disconnect(&mut self, now: Instant) {
        if self.connection.is_online() {
            self.end_subscriptions();
        }
        self.connection.disconnect(now);
    }

    /// Ends the connection at once, without a word to the server.
    pub fn abort(&mut self, now: Instant) {
        self.connection.abort(now);
    }

    /// The network is said to be back, or the caller's machine woke up.
    pub fn wake(&mut self, now: Instant) {
        self.connection.wake(now);
    }

    /// The caller is about to sleep (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        self.connection.pause(now);
    }

    /// Whether the caller may be gone the next moment ([`Connection::set_leaving`]).
    pub fn set_leaving(&mut self, now: Instant, leaving: bool) {
        self.connection.set_leaving(now, leaving);
    }

    /// Another instance has continued this session.
    pub fn forfeit(&mut self, now: Instant) {
        self.connection.forfeit(now);
    }

    /// Takes back what [`Connection::memory`] returned in an earlier life.
    pub fn remember(&mut self, text: &str) {
        self.connection.remember(text);
    }

    /// Overwrites the keys that logins derived; the next login derives them anew.
    pub fn forget_keys(&mut self) {
        self.connection.forget_keys();
    }

    /// Reports every element that goes out or comes in, or stops doing so.
    pub fn tap(&mut self, on: bool) {
        self.connection.tap(on);
    }

    /// A fresh id for a stanza.
    pub fn next_id(&mut self) -> String {
        self.connection.next_id()
    }

    /// Sends a stanza; during an interruption, once it is over. [`ClientEvent::Settled`] reports what became of it.
    pub fn send(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.dispatch(stanza, SendLane::Ordinary, SendOrigin::Caller)
    }

    /// Sends a stanza; a broadcast presence is remembered, and carries our capabilities.
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
            SendLane::Restoring => self.connection.send_ahead(outgoing)?,
        };
        if is_broadcast {
            self.note_broadcast(&stanza);
        }
        self.sent.insert(id, UnsettledStanza { stanza, origin });
        Ok(id)
    }

    /// A room's password does not leave over a connection that is not confidential.
    fn check_password(&self, stanza: &Element) -> Result<(), SendError> {
        if shows_password(stanza) && !self.connection.is_confidential() {
            return Err(SendError::Insecure);
        }
        Ok(())
    }

    /// Sends what no caller waits for. Without a session there is nobody to send it to.
    fn post(&mut self, stanza: Element, lane: SendLane) {
        let _ = self.dispatch(stanza, lane, SendOrigin::Client);
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// What the network, or the caller, answered. Cannot fail: what is wrong with it becomes an event.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.connection.handle_input(now, input);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.connection.handle_timeout(now);
        self.handle_presence_timeout(now);
        self.handle_rooms_timeout(now);
        self.handle_feeds_timeout(now);
        self.handle_restoring_timeout(now);
    }

    /// The next event, whatever there is to send. An event is routed when it is polled, so that handlers which are added
    /// because of one event get the next.
    pub fn poll_event(&mut self, now: Instant) -> Option<ClientEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let event = self.connection.poll_event()?;
            self.handle_event(now, event);
        }
    }

    /// The next thing to do for the shell; `Timeout` is the last.
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

    /// The earliest deadline of what lives on the connection.
    fn own_deadline(&self) -> Option<Instant> {
        let deadlines = [
            self.presence_deadline(),
            self.rooms.poll_timeout(),
            self.feeds_deadline(),
            self.restoring_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// What is done once per turn, after everything that the turn changed: what was kept for the first handler is handed out, and
    /// capabilities that changed are announced. Returns true if something was done.
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
                self.tell(ClientEvent::Notice(Notice::Unreadable(unreadable)));
            }
            Event::Reply { request, outcome } => self.handle_reply(now, request, outcome),
            Event::Settled { send, delivery } => self.handle_settled(send, delivery),
            Event::CredentialsWanted => self.tell(ClientEvent::CredentialsWanted),
            Event::Learned => self.tell(ClientEvent::Learned),
            Event::Registered => self.tell(ClientEvent::Registered),
            Event::Sent(xml) => self.tell(ClientEvent::Sent(xml)),
            Event::Received(xml) => self.tell(ClientEvent::Received(xml)),
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
                // What an instance that continues the session watches already was not announced before it was there.
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
                self.end_reason = Some(reason.clone());
                self.handle_offline(now);
            }
            _ => {}
        }
        self.tell(ClientEvent::Status(status));
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
            self.tell(ClientEvent::Undelivered { stanza, delivery });
        }
        match origin {
            SendOrigin::Caller => self.tell(ClientEvent::Settled { send, delivery }),
            SendOrigin::Room(command) => {
                self.rooms.handle_delivery(command, delivery);
                self.tell(ClientEvent::RoomDelivery { command, delivery });
            }
            SendOrigin::RoomPresence | SendOrigin::Client => {}
        }
    }

    fn tell(&mut self, event: ClientEvent) {
        self.events.push_back(event);
    }
}

/// A stanza on its way.
struct UnsettledStanza {
    stanza: Element,
    origin: SendOrigin,
}

/// Who sent a stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendOrigin {
    /// The caller, who hears what becomes of it.
    Caller,
    /// A command of a room, whose caller hears what becomes of it.
    Room(CommandId),
    /// A room, which has another way to say it in a new session.
    RoomPresence,
    /// The client itself.
    Client,
}

/// One generator for everything in the client that needs one.
#[derive(Clone)]
struct SharedRandom(Rc<RefCell<Box<dyn Random>>>);

impl Random for SharedRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill(bytes);
    }
}

/// Which stanzas go first in a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendLane {
    /// Behind what was kept.
    Ordinary,
    /// Ahead of what was kept: it restores the session.
    Restoring,
}
