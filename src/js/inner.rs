//! What all the classes of one client share: the driver, the callbacks, and what waits for an answer.

use super::error::{Problem, freed};
use super::held::{Held, Slot};
use super::listeners::Listeners;
use super::options::{Login, Options};
use crate::web::clock::PlatformCalendar;
use crate::web::driver::{Driver, Sink};
use crate::web::entropy::Entropy;
use crate::web::keeper::Keeper;
use crate::web::platform::ApiOverrides;
use crate::web::unicode::PlatformUnicode;
use epode_proto::client::{self, Client, ClientConfig, ClientEvent, WatchId};
use epode_proto::connection::SendError;
use epode_proto::event::{Delivery, IqId, RequestFailure, SendId};
use epode_proto::handler::HandlerId;
use epode_proto::jid::Jid;
use epode_proto::vec_map::VecMap;
use epode_proto::xep::muc::{CommandId, RoomEvent, RoomId};
use epode_proto::xep::pubsub::feed::Change;
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xml::Element;
use futures_channel::oneshot::{Receiver, Sender, channel};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// What hears of a feed.
pub trait FeedListener {
    /// A change.
    fn tell(&self, client: &Rc<Inner>, change: Change);
    /// It is over; `position` is where it stood.
    fn finish(&self, position: Option<String>);
}

/// What hears of a visit to a room.
pub trait RoomListener {
    /// An event.
    fn tell(&self, client: &Inner, event: &RoomEvent);
    /// The visit is over: no event follows.
    fn close(&self, nick: String);
    /// The client is gone, and with it the visit.
    fn tell_disconnected(&self);
}

/// A listener's callback, and its own decoder of payloads, or `undefined`.
#[derive(Clone, Copy)]
pub struct WatchListener {
    pub(super) callback: Slot,
    pub(super) decode: Slot,
}

/// How a command ended.
pub type Outcome = Result<(), JsValue>;

/// The promise of a command.
pub enum Promised {
    /// Settled by the room's answer.
    Answer(Sender<Outcome>),
    /// Settled by the stanza's delivery.
    Delivery(Sender<Result<Delivery, Problem>>),
}

/// The rooms of a client.
#[derive(Default)]
pub struct RoomHub {
    pub(super) handles: RefCell<VecMap<RoomId, Rc<dyn RoomListener>>>,
    pub(super) promises: RefCell<VecMap<CommandId, Promised>>,
}

impl RoomHub {
    pub(super) fn promise_answer(&self, command: CommandId) -> Receiver<Outcome> {
        let (sender, answer) = channel();
        self.promises
            .borrow_mut()
            .insert(command, Promised::Answer(sender));
        answer
    }
}

/// What all the classes of one client share.
pub struct Inner {
    pub(super) driver: Rc<Driver>,
    /// What the page has given to be called later.
    pub(super) held: Rc<Held>,
    pub(super) handlers: RefCell<VecMap<HandlerId, Slot>>,
    pub(super) listeners: Rc<Listeners>,
    pub(super) feeds: RefCell<VecMap<FeedId, Rc<dyn FeedListener>>>,
    pub(super) rooms: RoomHub,
    pub(super) watches: RefCell<VecMap<WatchId, WatchListener>>,
    pub(super) login: Option<Login>,
    /// The page's place for what logins have shown.
    pub(super) memory: Option<Slot>,
    /// The promises that wait for the end of an interruption.
    pub(super) awaiting: RefCell<Vec<Sender<()>>>,
    pub(super) status: Cell<&'static str>,
    pub(super) freed: Cell<bool>,
    /// Counts attempts: a password function that was called for an older one is ignored.
    pub(super) attempt: Cell<u32>,
    pub(super) connecting: RefCell<Option<Sender<Result<(), JsValue>>>>,
    /// How often the page has asked to be connected.
    pub(super) asked: Cell<u32>,
    /// What was asked for last has begun: an end that is told is its end.
    pub(super) begun: Cell<bool>,
    pub(super) closing: RefCell<Vec<Sender<()>>>,
    pub(super) credentials_problem: RefCell<Option<JsValue>>,
    pub(super) sends: RefCell<VecMap<SendId, Sender<Delivery>>>,
    pub(super) requests: RefCell<VecMap<IqId, Sender<Result<Element, RequestFailure>>>>,
}

/// What the page wants to be used in place of the platform's own.
struct Replacements {
    held: Rc<Held>,
    web_socket: Option<Slot>,
    fetch: Option<Slot>,
}

impl ApiOverrides for Replacements {
    fn replacement(&self, name: &str) -> JsValue {
        let slot = match name {
            "WebSocket" => self.web_socket,
            "fetch" => self.fetch,
            _ => None,
        };
        slot.map_or(JsValue::UNDEFINED, |slot| self.held.get(slot))
    }
}

impl Inner {
    /// A client, offline. What `options` refers to is in `held`, which is pinned as long as something of it may be called.
    pub fn new(options: Options, held: Rc<Held>) -> Rc<Self> {
        let config = ClientConfig {
            connection: options.config,
            initial_presence: options.presence,
            ephemeral: matches!(options.login, Some(Login::Anonymous)),
            about: options.about,
            audience: options.audience,
        };
        let lent = client::Platform {
            unicode: Rc::new(PlatformUnicode),
            calendar: Rc::new(PlatformCalendar),
        };
        let client = Client::new(config, lent, Box::new(Entropy));
        let platform = Replacements {
            held: Rc::clone(&held),
            web_socket: options.web_socket,
            fetch: options.fetch,
        };
        let driver = Driver::new(client, options.http, Rc::new(platform));
        driver.keep_by(options.keep.and_then(Keeper::new));
        let inner = Rc::new(Self {
            driver: Rc::clone(&driver),
            handlers: RefCell::default(),
            listeners: Listeners::keeping(
                Rc::clone(&held),
                0,
                &[],
                &["status", "error", "sent", "received", "undelivered"],
            ),
            held,
            feeds: RefCell::default(),
            rooms: RoomHub::default(),
            watches: RefCell::default(),
            login: options.login,
            memory: options.memory,
            awaiting: RefCell::default(),
            status: Cell::new("offline"),
            freed: Cell::new(false),
            attempt: Cell::new(0),
            connecting: RefCell::default(),
            asked: Cell::default(),
            begun: Cell::default(),
            closing: RefCell::default(),
            credentials_problem: RefCell::default(),
            sends: RefCell::default(),
            requests: RefCell::default(),
        });
        let sink = Rc::downgrade(&inner);
        driver.listen(sink);
        inner
    }

    /// The own full JID while online.
    pub fn jid(&self) -> Option<Jid> {
        self.driver.read(|client| client.jid().cloned())
    }

    /// Whether there is no connection, none in the making and none hoped for.
    pub fn is_offline(&self) -> bool {
        self.driver.read(|client| client.connection().is_offline())
    }

    /// The JID to subscribe with; where the page does not say which, the bare one, if its events reach this session.
    pub fn subscriber(&self, full: Option<bool>) -> Result<Jid, Problem> {
        self.driver
            .read(|client| client.subscriber(full))
            .ok_or_else(|| self.refuse(SendError::NotConnected))
    }

    /// During an interruption: waits until it is over, one way or the other.
    pub async fn ready(&self) {
        if self.status.get() == "reconnecting" {
            let (sender, online) = channel();
            self.awaiting.borrow_mut().push(sender);
            let _ = online.await;
        }
    }

    /// Why the connection ended, for promises that end with it; `None` when the page asked for it.
    pub(super) fn end_cause(&self) -> Option<JsValue> {
        let problem = self
            .driver
            .read(|client| client.end_reason().and_then(Problem::of_end));
        self.complete(problem)
    }

    /// Why something was not sent: what outlives its client can do nothing any more.
    pub(super) fn refuse(&self, error: SendError) -> Problem {
        if self.freed.get() {
            freed()
        } else {
            error.into()
        }
    }

    /// Says good-bye, before it returns: a page that is being left may not run any further. What is returned resolves when it is over.
    pub(super) fn disconnect(&self) -> Option<Receiver<()>> {
        if self.is_offline() {
            // Looking for what an earlier page left, at most.
            self.finish_connecting(Err(closed_early()));
            return None;
        }
        let (sender, closed) = channel();
        self.closing.borrow_mut().push(sender);
        self.driver.disconnect();
        Some(closed)
    }

    pub(super) fn tap(&self) {
        let on = self.listeners.wants("sent") || self.listeners.wants("received");
        self.driver.change(|client, _| client.tap(on));
    }

    /// Tells the page what no promise tells.
    pub fn complain(&self, problem: Problem) {
        self.listeners.emit("error", &problem.into_js());
    }

    pub(super) fn finish_connecting(&self, outcome: Result<(), JsValue>) {
        let sender = self.connecting.borrow_mut().take();
        if let Some(sender) = sender {
            let _ = sender.send(outcome);
        }
    }
}

impl Sink for Inner {
    fn handle_event(self: Rc<Self>, event: ClientEvent) {
        self.handle(event);
    }

    fn set_owned(&self, owned: bool) {
        if owned {
            self.held.pin();
        } else {
            self.held.unpin();
        }
    }
}

pub fn closed_early() -> JsValue {
    Problem::new("disconnected", "disconnect() was called while connecting. Call connect() again when the connection is wanted.",).into_js()
}
