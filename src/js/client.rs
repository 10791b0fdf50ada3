//! `ClientCore`: a connection as a page holds it. The package's entry wraps it as `Client`, so that a client can be made
//! before the module is loaded.

use super::error::{Problem, freed, illegal_character, of_delivery, report};
use super::feed::FeedState;
use super::held::{Held, Slot};
use super::keep::{Beginning, Given};
use super::listeners::Listeners;
use super::muc::Muc;
use super::object::{Reader, date, field, text_of};
use super::options::{self, Login, Options, Secret, Waiting};
use super::promise::{promise, spawn};
use super::pubsub::PubSub;
use super::registration::Registration;
use super::rooms::RoomHub;
use super::stanza::Stanza;
use super::views::{self, Failed, Online, Reconnecting, Undelivered, View};
use super::watches::WatchListener;
use crate::web::clock::{PlatformCalendar, unix_millis};
use crate::web::driver::{Driver, Sink};
use crate::web::entropy::Entropy;
use crate::web::keeper::Keeper;
use crate::web::platform::Platform;
use crate::web::race::race;
use crate::web::unicode::PlatformUnicode;
use epode_proto::client::{self, Client, ClientConfig, ClientEvent, Notice, WatchId};
use epode_proto::connection::SendError;
use epode_proto::error::CloseReason;
use epode_proto::event::{Delivery, IqId, RequestFailure, SendId, Status};
use epode_proto::handler::{HandlerId, Matcher};
use epode_proto::io::{Input, REPLY_TIMEOUT};
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::sasl::Credentials;
use epode_proto::vec_map::VecMap;
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xml::{Element, Limits, parse_in};
use futures_channel::oneshot::{Receiver, Sender, channel};
use js_sys::futures::JsFuture;
use js_sys::{Function, Promise};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// What all the classes of one client share.
pub struct Inner {
    pub(super) driver: Rc<Driver>,
    /// What the page has given to be called later.
    pub(super) held: Rc<Held>,
    handlers: RefCell<VecMap<HandlerId, Slot>>,
    pub(super) listeners: Rc<Listeners>,
    pub(super) feeds: RefCell<VecMap<FeedId, Rc<FeedState>>>,
    pub(super) rooms: RoomHub,
    pub(super) watches: RefCell<VecMap<WatchId, WatchListener>>,
    pub(super) login: Option<Login>,
    /// The page's place for what logins have shown.
    memory: Option<Slot>,
    /// The promises that wait for the end of an interruption.
    pub(super) awaiting: RefCell<Vec<Sender<()>>>,
    pub(super) status: Cell<&'static str>,
    pub(super) freed: Cell<bool>,
    /// Counts attempts: a password function that was called for an older one is ignored.
    attempt: Cell<u32>,
    pub(super) connecting: RefCell<Option<Sender<Result<(), JsValue>>>>,
    /// How often the page has asked to be connected.
    pub(super) asked: Cell<u32>,
    /// What was asked for last has begun: an end that is told is its end.
    pub(super) begun: Cell<bool>,
    closing: RefCell<Vec<Sender<()>>>,
    credentials_problem: RefCell<Option<JsValue>>,
    sends: RefCell<VecMap<SendId, Sender<Delivery>>>,
    requests: RefCell<VecMap<IqId, Sender<Result<Element, RequestFailure>>>>,
}

/// What the page wants to be used in place of the platform's own.
struct Replacements {
    held: Rc<Held>,
    web_socket: Option<Slot>,
    fetch: Option<Slot>,
}

impl Platform for Replacements {
    fn replacement(&self, name: &str) -> JsValue {
        let slot = match name {
            "WebSocket" => self.web_socket,
            "fetch" => self.fetch,
            _ => None,
        };
        slot.map_or(JsValue::UNDEFINED, |slot| self.held.get(slot))
    }
}

/// Forgets a request when whoever waited for it is gone.
struct Asking {
    inner: Rc<Inner>,
    request: IqId,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let waiting = self.inner.requests.borrow_mut().remove(&self.request);
        if waiting.is_some() {
            self.inner
                .driver
                .change(|client, _| client.forget(self.request));
        }
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

    fn handle(self: &Rc<Self>, event: ClientEvent) {
        match event {
            ClientEvent::Status(status) => self.handle_status(status),
            ClientEvent::CredentialsWanted => {
                // What was asked for an attempt before this one is no answer to it.
                self.attempt.set(self.attempt.get().wrapping_add(1));
                self.give_credentials();
            }
            ClientEvent::Learned => self.store_memory(),
            ClientEvent::Registered => self.finish_connecting(Ok(())),
            ClientEvent::Stanza { stanza, handlers } => {
                for id in handlers {
                    self.call_handler(id, &stanza);
                }
            }
            ClientEvent::Reply { request, outcome } => {
                let sender = self.requests.borrow_mut().remove(&request);
                if let Some(sender) = sender {
                    let _ = sender.send(outcome);
                }
            }
            ClientEvent::Settled { send, delivery } => {
                let sender = self.sends.borrow_mut().remove(&send);
                if let Some(sender) = sender {
                    let _ = sender.send(delivery);
                }
            }
            ClientEvent::Undelivered { stanza, delivery } => {
                self.tell_undelivered(&stanza, delivery)
            }
            ClientEvent::Feed { feed, change } => {
                let feed = self.feeds.borrow().get(&feed).cloned();
                if let Some(feed) = feed {
                    feed.tell(self, *change);
                }
            }
            ClientEvent::FeedEnded { feed, position } => {
                let feed = self.feeds.borrow_mut().remove(&feed);
                if let Some(feed) = feed {
                    feed.last_position.replace(position);
                    feed.end();
                }
            }
            ClientEvent::Room { room, event } => self.tell_room(room, &event),
            ClientEvent::RoomCommand { command, outcome } => self.settle_command(command, outcome),
            ClientEvent::RoomUnsent { command, error } => self.settle_unsent(command, error),
            ClientEvent::RoomDelivery { command, delivery } => {
                self.settle_delivery(command, delivery);
            }
            ClientEvent::RoomClosed { room, nick } => self.close_room(room, nick),
            ClientEvent::Personal { watches, watched } => self.tell_personal(&watches, &watched),
            ClientEvent::ApprovalAsked {
                watches,
                service,
                approval,
            } => self.tell_approval(&watches, &service, &approval),
            ClientEvent::Notice(notice) => self.tell_notice(notice),
            // No extension takes part in the steps of sessions yet.
            ClientEvent::SessionStep { .. } => {}
            ClientEvent::Sent(xml) => {
                self.listeners.emit("sent", &JsValue::from_str(&xml));
            }
            ClientEvent::Received(xml) => {
                self.listeners.emit("received", &JsValue::from_str(&xml));
            }
        }
    }

    /// Calls a handler, unless a handler before it has removed it.
    fn call_handler(&self, id: HandlerId, stanza: &Element) {
        let callback = self.handlers.borrow().get(&id).copied();
        let Some(callback) = callback else { return };
        if let Ok(callback) = self.held.get(callback).dyn_into::<Function>() {
            let stanza = Stanza::from(stanza.clone());
            if let Err(error) = callback.call1(&JsValue::UNDEFINED, &stanza.into()) {
                report(&error);
            }
        }
    }

    fn tell_undelivered(&self, stanza: &Element, delivery: Delivery) {
        if let Some(problem) = of_delivery(delivery)
            && self.listeners.wants("undelivered")
        {
            let event = Undelivered {
                xml: &stanza.to_xml(),
                error: problem.into_js(),
            };
            self.listeners.emit("undelivered", &event.to_js());
        }
    }

    fn tell_notice(&self, notice: Notice) {
        self.complain(match notice {
            Notice::ForeignEvent { from, node, stanza } => {
                let text = format!(
                    "An event of node {node} came from {from}, which is not its service. It was ignored."
                );
                Problem::new("protocol-error", &text).told_by(&stanza)
            }
            Notice::Unreadable(unreadable) => Problem::from(&unreadable),
            Notice::BacklogFull => Problem::new(
                "too-large",
                "More than 1,000 stanzas came before there was a handler: the oldest are dropped. Add handlers before connect().",
            ),
            Notice::StepTimedOut { .. } => Problem::new(
                "timeout",
                "A room did not answer within 10 s of the new session. What was kept meanwhile has been sent.",
            ),
        });
    }

    /// Tells the page what no promise tells.
    pub fn complain(&self, problem: Problem) {
        self.listeners.emit("error", &problem.into_js());
    }

    // ── connecting ──────────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_status(self: &Rc<Self>, status: Status) {
        match status {
            Status::Connecting => {
                self.begun.set(true);
                self.tell_status("connecting");
            }
            Status::Authenticating => self.tell_status("authenticating"),
            Status::Binding => self.tell_status("binding"),
            Status::Disconnecting => self.tell_status("disconnecting"),
            Status::Online(_) => self.be_online(false),
            Status::Resumed(_) => self.be_online(true),
            Status::Interrupted(interruption) => {
                // A password function that is still at it concerns nobody any more.
                self.attempt.set(self.attempt.get().wrapping_add(1));
                self.status.set("reconnecting");
                let problem = self.explain(&interruption.reason);
                let pause = interruption.retry_at - crate::web::clock::now();
                #[allow(clippy::cast_possible_wrap)]
                let retry_at = unix_millis().saturating_add(pause.0) as i64;
                let event = Reconnecting {
                    status: "reconnecting",
                    error: problem.into(),
                    attempt: interruption.attempt.into(),
                    retry_at: date(retry_at),
                };
                self.listeners.emit("status", &event.to_js());
            }
            Status::Offline(reason) => self.handle_offline(&reason),
        }
    }

    fn tell_status(&self, status: &'static str) {
        self.status.set(status);
        self.listeners
            .emit("status", &views::Status { status }.to_js());
    }

    fn be_online(&self, resumed: bool) {
        self.status.set("online");
        self.finish_connecting(Ok(()));
        for sender in core::mem::take(&mut *self.awaiting.borrow_mut()) {
            let _ = sender.send(());
        }
        let status = "online";
        self.listeners
            .emit("status", &Online { status, resumed }.to_js());
    }

    fn handle_offline(self: &Rc<Self>, reason: &CloseReason) {
        let error = self.explain(reason);
        self.status.set("offline");
        self.attempt.set(self.attempt.get().wrapping_add(1));
        let cause = error.clone().unwrap_or_else(closed_early);
        // The end of an attempt that was given up is told when another one may have been asked for.
        if self.begun.replace(false) {
            self.finish_connecting(Err(cause));
        }
        self.awaiting.borrow_mut().clear();
        for sender in core::mem::take(&mut *self.closing.borrow_mut()) {
            let _ = sender.send(());
        }
        match error {
            None => self.tell_status("offline"),
            Some(error) => {
                let event = Failed {
                    status: "offline",
                    error,
                };
                self.listeners.emit("status", &event.to_js());
            }
        }
    }

    /// The client is freed: its feeds tell that they are over.
    fn end_feeds(&self) {
        let feeds = core::mem::take(&mut *self.feeds.borrow_mut());
        for (id, feed) in feeds.into_entries() {
            let position = self.driver.read(|client| client.feed_position(id));
            feed.last_position.replace(position);
            feed.end();
        }
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
        let reason = self.driver.read(|client| client.end_reason().cloned());
        reason.and_then(|reason| self.explain(&reason))
    }

    /// The error of an end that was not asked for.
    fn explain(&self, reason: &CloseReason) -> Option<JsValue> {
        let cause = self.credentials_problem.borrow_mut().take();
        if *reason == CloseReason::Requested {
            return None;
        }
        let service = self
            .driver
            .read(|client| client.connection().service().map(str::to_owned));
        let mut problem = Problem::from(reason);
        // An option of the page's own is wrong wherever it is used.
        if let Some(service) = service
            && problem.code() != "bad-argument"
        {
            problem = problem.about(&service);
        }
        if let Some(cause) = cause {
            problem = problem.caused_by(cause);
        }
        Some(problem.into_js())
    }

    fn finish_connecting(&self, outcome: Result<(), JsValue>) {
        let sender = self.connecting.borrow_mut().take();
        if let Some(sender) = sender {
            let _ = sender.send(outcome);
        }
    }

    /// What the page kept for us. A place that fails is as good as an empty one.
    pub(super) fn recall(&self) {
        let kept = self.memory.and_then(|memory| {
            let memory = self.held.get(memory);
            let get = field(&memory, "get").dyn_into::<Function>().ok()?;
            get.call0(&memory).ok()?.as_string()
        });
        if let Some(kept) = kept {
            self.driver.change(|client, _| client.remember(&kept));
        }
    }

    fn store_memory(&self) {
        let Some(memory) = self.memory else { return };
        let memory = self.held.get(memory);
        let text = self.driver.read(|client| client.connection().memory());
        if let Ok(set) = field(&memory, "set").dyn_into::<Function>() {
            // A full or forbidden storage costs round trips at the next login, nothing else.
            let _ = set.call1(&memory, &JsValue::from_str(&text));
        }
    }

    fn give_credentials(self: &Rc<Self>) {
        let Some(login) = self.login.clone() else {
            return self.provide(None);
        };
        let secret = match &login {
            Login::Anonymous => return self.provide(Some(Credentials::Anonymous)),
            Login::External { authzid } => {
                let authzid = authzid.clone();
                return self.provide(Some(Credentials::External { authzid }));
            }
            Login::Password { password, .. } => password,
            Login::Token { token, .. } => token,
        };
        match secret {
            Secret::Value(secret) => self.provide(Some(credentials(&login, secret.clone()))),
            Secret::Function(function) => {
                let function = self.held.get(*function);
                let called = match function.dyn_ref::<Function>() {
                    Some(function) => function.call0(&JsValue::UNDEFINED),
                    None => return self.provide(None),
                };
                // The page may never answer; the connection gives up by itself.
                let inner = Rc::downgrade(self);
                let attempt = self.attempt.get();
                spawn(async move {
                    let secret = match called {
                        Ok(value) => JsFuture::from(Promise::resolve(&value)).await,
                        Err(thrown) => Err(thrown),
                    };
                    let Some(inner) = inner.upgrade() else { return };
                    if inner.attempt.get() != attempt {
                        return;
                    }
                    let secret = secret.and_then(|secret| {
                        // Nothing, on purpose: there is no more to be said about it.
                        if secret.is_undefined() || secret.is_null() {
                            return Ok(None);
                        }
                        let told = |should| format!("What `password` or `token` gives {should}.");
                        text_of(&secret)
                            .map(Some)
                            .map_err(|should| Problem::new("bad-argument", &told(should)).into_js())
                    });
                    let secret = secret.unwrap_or_else(|problem| {
                        inner.credentials_problem.replace(Some(problem));
                        None
                    });
                    inner.provide(secret.map(|secret| credentials(&login, secret)));
                });
            }
        }
    }

    fn provide(&self, credentials: Option<Credentials>) {
        self.driver.change(|client, now| {
            client.handle_input(now, Input::Credentials(credentials));
        });
    }

    // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Why something was not sent: what outlives its client can do nothing any more.
    pub(super) fn refuse(&self, error: SendError) -> Problem {
        if self.freed.get() {
            freed()
        } else {
            error.into()
        }
    }

    /// Sends a stanza.
    pub fn send(&self, stanza: Element) -> Result<Receiver<Delivery>, Problem> {
        let id = self
            .driver
            .change(|client, _| client.send(stanza))
            .map_err(|error| self.refuse(error))?;
        let (sender, delivery) = channel();
        self.sends.borrow_mut().insert(id, sender);
        Ok(delivery)
    }

    /// Sends a request, in this turn, and waits for its result.
    pub fn request(
        self: &Rc<Self>,
        iq: Element,
        waiting: Waiting,
    ) -> impl Future<Output = Result<Element, Problem>> + use<> {
        let sent = self.begin_request(iq, &waiting);
        async move {
            let (_asking, reply) = sent?;
            match race(reply, waiting.signal, None).await {
                Ok(Ok(outcome)) => outcome.map_err(Problem::from),
                Ok(Err(_)) => Err(RequestFailure::Disconnected.into()),
                Err(lost) => Err(lost.into()),
            }
        }
    }

    fn begin_request(
        self: &Rc<Self>,
        iq: Element,
        waiting: &Waiting,
    ) -> Result<(Asking, Receiver<Result<Element, RequestFailure>>), Problem> {
        if let Some(signal) = &waiting.signal
            && signal.aborted()
        {
            return Err(crate::web::race::Lost::Aborted(signal.reason()).into());
        }
        let timeout = waiting.timeout.unwrap_or(REPLY_TIMEOUT);
        let request = self
            .driver
            .change(|client, now| client.request(now, iq, Some(timeout)))
            .map_err(|error| self.refuse(error))?;
        Ok(self.await_reply(request))
    }

    /// The reply to a request that was sent; given up when what is returned is dropped.
    fn await_reply(
        self: &Rc<Self>,
        request: IqId,
    ) -> (Asking, Receiver<Result<Element, RequestFailure>>) {
        let (sender, reply) = channel();
        self.requests.borrow_mut().insert(request, sender);
        let inner = Rc::clone(self);
        (Asking { inner, request }, reply)
    }

    /// Waits for the reply to a request that was sent.
    pub fn replied(
        self: &Rc<Self>,
        request: IqId,
        signal: Option<web_sys::AbortSignal>,
    ) -> impl Future<Output = Result<Element, Problem>> + use<> {
        let (asking, reply) = self.await_reply(request);
        async move {
            let _asking = asking;
            match race(reply, signal, None).await {
                Ok(Ok(outcome)) => outcome.map_err(Problem::from),
                Ok(Err(_)) => Err(RequestFailure::Disconnected.into()),
                Err(lost) => Err(lost.into()),
            }
        }
    }

    /// Says good-bye, before it returns: a page that is being left may not run any further. What is returned resolves when it is over.
    fn disconnect(&self) -> Option<Receiver<()>> {
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

    fn tap(&self) {
        let on = self.listeners.wants("sent") || self.listeners.wants("received");
        self.driver.change(|client, _| client.tap(on));
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

/// The promise of what was begun, for the page.
fn finished(inner: Rc<Inner>, begun: Result<(Beginning, Option<AbortSignal>), JsValue>) -> Promise {
    let pin = inner.held.pinned();
    promise(async move {
        let _pin = pin;
        let (beginning, signal) = begun?;
        inner.finish(beginning, signal).await?;
        Ok(JsValue::UNDEFINED)
    })
}

fn closed_early() -> JsValue {
    Problem::new("disconnected", "disconnect() was called while connecting. Call connect() again when the connection is wanted.",).into_js()
}

fn credentials(login: &Login, secret: String) -> Credentials {
    match login {
        // Prosody's OAUTHBEARER wants the bare JID, which RFC 7628 allows everywhere.
        Login::Token { bare, .. } => Credentials::Token {
            username: None,
            token: secret,
            authzid: Some(bare.clone()),
        },
        Login::Password { username, .. } => Credentials::Password {
            username: username.clone(),
            password: secret,
            authzid: None,
        },
        Login::Anonymous => Credentials::Anonymous,
        Login::External { authzid } => Credentials::External {
            authzid: authzid.clone(),
        },
    }
}

/// What the page wants sent, as XML, read into an element; without a namespace it is `jabber:client`.
pub fn read_stanza(xml: &str) -> Result<Element, Problem> {
    read_element(xml, ns::CLIENT)
}

/// XML that a page wrote; elements without a namespace get `namespace`.
pub fn read_element(xml: &str, namespace: &str) -> Result<Element, Problem> {
    if !epode_proto::xml::is_xml_text(xml) {
        return Err(illegal_character());
    }
    parse_in(xml.as_bytes().to_vec(), &Limits::default(), namespace).map_err(|error| {
        let mut message = String::from("Not one well-formed element: ");
        message.push_str(error.as_str());
        message.push_str(". Write it with the xml`…` tag, which escapes what is put into it.");
        Problem::new("bad-stanza", &message)
    })
}

/// How the promise of something sent ends.
pub fn delivered(delivery: Option<Delivery>) -> Result<JsValue, JsValue> {
    match of_delivery(delivery.unwrap_or(Delivery::Unknown)) {
        None => Ok(JsValue::UNDEFINED),
        Some(problem) => Err(problem.into_js()),
    }
}

/// A connection to an XMPP server, and what lives on it.
#[wasm_bindgen(skip_typescript)]
pub struct ClientCore(Rc<Inner>);

#[wasm_bindgen]
impl ClientCore {
    /// Reads the options and connects nothing. `owner`: the page's `Client`, or `undefined` where this object stands alone.
    #[wasm_bindgen(constructor)]
    pub fn new(
        services: &JsValue,
        options: &JsValue,
        owner: &JsValue,
    ) -> Result<ClientCore, JsValue> {
        let held = Held::new();
        let options = options::client(services, options, &held)?;
        if owner.is_object() {
            // The owner keeps what it has given, and until there is a connection nothing here keeps the owner.
            held.belong_to(owner);
            held.unpin();
        }
        Ok(Self(Inner::new(options, held)))
    }

    /// What the entry's getters read, by their place in its list: jid, status, service.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        match index {
            0 => self.0.jid().map(|jid| jid.as_str().to_owned()),
            2 => self.0.driver.read(|client| {
                client.jid()?;
                client.connection().service().map(str::to_owned)
            }),
            _ => Some(self.0.status.get().to_owned()),
        }
    }

    /// Publish-subscribe over this connection.
    #[wasm_bindgen(getter)]
    pub fn pubsub(&self) -> PubSub {
        PubSub::new(Rc::clone(&self.0))
    }

    /// Rooms over this connection.
    #[wasm_bindgen(getter)]
    pub fn muc(&self) -> Muc {
        Muc::new(Rc::clone(&self.0))
    }

    /// Resolves when logged in and bound.
    pub fn connect(&self, options: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        let begun = Waiting::read(&options)
            .map_err(Problem::into_js)
            .and_then(|Waiting { signal, .. }| Ok((inner.begin(signal.as_ref(), None)?, signal)));
        finished(inner, begun)
    }

    /// Goes on with a session that a web server made.
    pub fn attach(&self, session: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        let begun = Given::read(&session)
            .map_err(Problem::into_js)
            .and_then(|given| {
                let signal = given.waiting.signal.clone();
                Ok((inner.begin(signal.as_ref(), Some(&given))?, signal))
            });
        finished(inner, begun)
    }

    /// Ends the session in order. Never rejects.
    pub fn disconnect(&self) -> Promise {
        let closed = self.0.disconnect();
        promise(async move {
            if let Some(closed) = closed {
                let _ = closed.await;
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Sends a stanza written as XML; resolves when the server has it.
    pub fn send(&self, xml: &str) -> Promise {
        let sent = read_stanza(xml).and_then(|stanza| self.0.send(stanza));
        promise(async move { delivered(sent?.await.ok()) })
    }

    /// Sends an iq written as XML; resolves with the result.
    pub fn request(&self, xml: &str, options: JsValue) -> Promise {
        let iq = read_stanza(xml);
        let inner = Rc::clone(&self.0);
        promise(async move {
            let waiting = Waiting::read(&options)?;
            let reply = inner.request(iq?, waiting).await?;
            Ok(Stanza::from(reply.detach()).into())
        })
    }

    /// Registers a handler.
    #[wasm_bindgen(js_name = addHandler)]
    pub fn add_handler(
        &self,
        callback: &JsValue,
        matcher: &JsValue,
    ) -> Result<Registration, JsValue> {
        let callback = function(callback)?;
        let matcher = read_matcher(matcher)?;
        let callback = self.0.held.put(&callback);
        let id = self
            .0
            .driver
            .change(|client, _| client.add_handler(matcher));
        self.0.handlers.borrow_mut().insert(id, callback);
        let inner = Rc::downgrade(&self.0);
        Ok(Registration::new(move || {
            if let Some(inner) = inner.upgrade() {
                inner.driver.change(|client, _| client.remove_handler(id));
                inner.handlers.borrow_mut().remove(&id);
                inner.held.remove(callback);
            }
        }))
    }

    /// Registers a listener of an event of the client.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, JsValue> {
        let registration = listen(&self.0.listeners, kind, listener)?;
        self.0.tap();
        let inner = Rc::downgrade(&self.0);
        Ok(Registration::new(move || {
            registration.remove();
            if let Some(inner) = inner.upgrade() {
                inner.tap();
            }
        }))
    }

    /// Ends everything at once: no promise, callback or timer of this client comes after it.
    pub fn shut(&self) {
        self.0.freed.set(true);
        let gone = freed().into_js();
        self.0.end_feeds();
        self.0.end_rooms(&gone);
        self.0.finish_connecting(Err(gone));
        for sender in core::mem::take(&mut *self.0.closing.borrow_mut()) {
            let _ = sender.send(());
        }
        // Dropping the senders settles what waits: unknown deliveries, disconnected requests.
        drop(core::mem::take(&mut *self.0.sends.borrow_mut()));
        drop(core::mem::take(&mut *self.0.requests.borrow_mut()));
        drop(core::mem::take(&mut *self.0.awaiting.borrow_mut()));
        self.0.status.set("offline");
        self.0.driver.shut();
        self.0.held.clear();
    }
}

/// A callback.
pub fn function(value: &JsValue) -> Result<Function, Problem> {
    value
        .dyn_ref::<Function>()
        .cloned()
        .ok_or_else(|| Problem::new("bad-argument", "The callback is not a function. Give a function, which is called with the event or stanza."))
}

/// Adds a listener of a kind that must exist.
pub fn listen(
    listeners: &Rc<Listeners>,
    kind: &str,
    listener: &JsValue,
) -> Result<Registration, Problem> {
    listeners.on(kind, function(listener)?).ok_or_else(|| {
        let message = format!(
            "There is no event '{kind}' here. There are: {}.",
            listeners.names()
        );
        Problem::new("bad-argument", &message)
    })
}

fn read_matcher(matcher: &JsValue) -> Result<Matcher, Problem> {
    let read = Reader::of(matcher);
    let types = match field(matcher, "type").as_string() {
        Some(one) => vec![one],
        None => read.list("type"),
    };
    let matcher = Matcher {
        name: read.text("name"),
        types,
        ns: read.text("ns"),
        id: read.text("id"),
        from: options::read_jid(&read, "from"),
    };
    read.done()?;
    Ok(matcher)
}
