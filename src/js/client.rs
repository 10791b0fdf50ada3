//! `ClientCore`: a connection as a page holds it. The package's entry wraps it as `Client`, so that a client can be made
//! before the module is loaded.

use super::dispatch::Backlog;
use super::error::{Problem, freed, illegal_character, of_delivery};
use super::feed::FeedState;
use super::feeds::Service;
use super::keep::Given;
use super::listeners::Listeners;
use super::muc::Muc;
use super::notices::Notices;
use super::object::{Reader, date, field};
use super::options::{self, Login, Options, Secret, Waiting};
use super::promise::{promise, spawn};
use super::pubsub::PubSub;
use super::registration::Registration;
use super::room::RoomHandle;
use super::stanza::Stanza;
use super::views::{self, Failed, Online, Reconnecting, Undelivered, View};
use crate::web::clock::unix_millis;
use crate::web::driver::Driver;
use crate::web::entropy::Entropy;
use crate::web::keeper::Keeper;
use crate::web::oneshot::{Receiver, Sender, channel};
use crate::web::race::race;
use crate::web::task::settled;
use crate::web::unicode::PlatformUnicode;
use crate::web::{is_hidden, next_task};
use epode_proto::connection::{Connection, SendError};
use epode_proto::error::CloseReason;
use epode_proto::event::{Delivery, Event, IqId, RequestFailure, SendId, Status};
use epode_proto::handler::{HandlerRegistry, Matcher};
use epode_proto::io::{Input, REPLY_TIMEOUT};
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::sasl::Credentials;
use epode_proto::stanza::presence;
use epode_proto::time::Millis;
use epode_proto::vec_map::VecMap;
use epode_proto::xep::pubsub::subscriptions::{FeedId, Subscriptions};
use epode_proto::xep::responder::About;
use epode_proto::xml::{Element, Limits, parse_in};
use gloo_timers::callback::Timeout;
use js_sys::{Function, Promise};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A stanza on its way, and who waits to hear of it.
struct Outgoing {
    stanza: Element,
    sender: Sender<Delivery>,
}

/// Who gets a reply.
pub enum Waiter {
    /// Whoever holds the receiver.
    Promise(Sender<Result<Element, RequestFailure>>),
    /// A feed, under this number: at once, since what comes after the reply must come after it there, too.
    Feed(FeedId, u32),
    /// The feeds of the service of that name.
    Service(String),
}

/// What all the classes of one client share.
pub struct Inner {
    pub(super) driver: Rc<Driver>,
    pub(super) handlers: RefCell<HandlerRegistry<Function>>,
    pub(super) backlog: Backlog,
    pub(super) listeners: Rc<Listeners>,
    pub(super) about: About,
    pub(super) subscriptions: RefCell<Subscriptions>,
    pub(super) feeds: RefCell<VecMap<FeedId, Rc<FeedState>>>,
    /// What is known of the services of feeds.
    pub(super) services: RefCell<Vec<Service>>,
    pub(super) rooms: RefCell<VecMap<String, Rc<RoomHandle>>>,
    pub(super) notices: Notices,
    pub(super) login: Option<Login>,
    /// The page's place for what logins have shown.
    memory: Option<JsValue>,
    presence: bool,
    /// The presence that was broadcast last: a new session needs it again.
    pub(super) broadcast: RefCell<Option<Element>>,
    /// There was a session since the page said `connect`: what it had is wanted in the next one.
    lasting: Cell<bool>,
    /// Those who wait for the connection to be there again.
    pub(super) awaiting: RefCell<Vec<Sender<()>>>,
    pub(super) status: Cell<&'static str>,
    pub(super) freed: Cell<bool>,
    /// Counts connections: what an older one still does, such as a password function, concerns nobody.
    attempt: Cell<u32>,
    pub(super) connecting: RefCell<Option<Sender<Result<(), JsValue>>>>,
    closing: RefCell<Vec<Sender<()>>>,
    credentials_problem: RefCell<Option<JsValue>>,
    sends: RefCell<VecMap<SendId, Outgoing>>,
    requests: RefCell<VecMap<IqId, Waiter>>,
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
                .change(|connection, _| connection.forget(self.request));
        }
    }
}

impl Inner {
    /// A client, offline.
    pub fn new(options: Options) -> Rc<Self> {
        let connection =
            Connection::new(options.config, Rc::new(PlatformUnicode), Box::new(Entropy));
        let driver = Driver::new(connection, options.http);
        driver.keep_by(options.keep.and_then(Keeper::new));
        let inner = Rc::new(Self {
            driver: Rc::clone(&driver),
            handlers: RefCell::default(),
            backlog: Backlog::default(),
            listeners: Listeners::new(&[], &["status", "error", "sent", "received", "undelivered"]),
            about: options.about,
            subscriptions: RefCell::default(),
            feeds: RefCell::default(),
            services: RefCell::default(),
            rooms: RefCell::default(),
            notices: Notices::default(),
            login: options.login,
            memory: options.memory,
            presence: options.presence,
            broadcast: RefCell::default(),
            lasting: Cell::new(false),
            awaiting: RefCell::default(),
            status: Cell::new("offline"),
            freed: Cell::new(false),
            attempt: Cell::new(0),
            connecting: RefCell::default(),
            closing: RefCell::default(),
            credentials_problem: RefCell::default(),
            sends: RefCell::default(),
            requests: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        driver.listen(Box::new(move |event| {
            if let Some(inner) = weak.upgrade() {
                inner.handle_event(event);
            }
        }));
        inner
    }

    /// The own full JID while online.
    pub fn jid(&self) -> Option<Jid> {
        self.driver.read(|connection| connection.jid().cloned())
    }

    /// Did the page say last that it is there?
    fn is_present(&self) -> bool {
        let broadcast = self.broadcast.borrow();
        broadcast
            .as_ref()
            .is_some_and(|presence| presence.attr("type").is_none())
    }

    /// The JID to subscribe with; where the page does not say which, the bare one, if it is enough: events to a bare JID reach
    /// only resources that are present.
    pub fn subscriber(&self, full: Option<bool>) -> Result<Jid, Problem> {
        let jid = self
            .jid()
            .ok_or_else(|| self.refuse(SendError::NotConnected))?;
        let present = self.presence || self.is_present();
        let anonymous = matches!(self.login, Some(Login::Anonymous));
        Ok(if full.unwrap_or(anonymous || !present) {
            jid
        } else {
            jid.bare()
        })
    }

    fn handle_event(self: &Rc<Self>, event: Event) {
        match event {
            Event::Status(status) => self.handle_status(status),
            Event::CredentialsWanted => self.give_credentials(),
            Event::Learned => self.store_memory(),
            Event::Registered => self.finish_connecting(Ok(())),
            Event::Stanza(stanza) => self.dispatch(&stanza),
            Event::Unreadable(unreadable) => {
                let problem = Problem::from(&unreadable);
                self.listeners.emit("error", &problem.into_js());
            }
            Event::Reply { request, outcome } => {
                let waiter = self.requests.borrow_mut().remove(&request);
                match waiter {
                    Some(Waiter::Promise(sender)) => sender.send(outcome),
                    Some(Waiter::Feed(feed, number)) => self.answer_feed(feed, number, outcome),
                    Some(Waiter::Service(service)) => self.learn_of(&service, outcome),
                    None => {}
                }
            }
            Event::Settled { send, delivery } => {
                let outgoing = self.sends.borrow_mut().remove(&send);
                if let Some(outgoing) = outgoing {
                    self.settle(outgoing, delivery);
                }
            }
            Event::Sent(xml) => {
                self.listeners.emit("sent", &JsValue::from_str(&xml));
            }
            Event::Received(xml) => {
                self.listeners.emit("received", &JsValue::from_str(&xml));
            }
        }
    }

    fn settle(&self, outgoing: Outgoing, delivery: Delivery) {
        if let Some(problem) = of_delivery(delivery)
            && self.listeners.wants("undelivered")
        {
            let event = Undelivered {
                xml: &outgoing.stanza.to_xml(),
                error: problem.into_js(),
            };
            self.listeners.emit("undelivered", &event.to_js());
        }
        outgoing.sender.send(delivery);
    }

    // ── connecting ──────────────────────────────────────────────────────────────────────────────────────────────────

    fn handle_status(self: &Rc<Self>, status: Status) {
        match status {
            Status::Connecting => self.tell_status("connecting"),
            Status::Authenticating => self.tell_status("authenticating"),
            Status::Binding => self.tell_status("binding"),
            Status::Disconnecting => self.tell_status("disconnecting"),
            Status::Online(jid) => self.handle_online(&jid),
            Status::Resumed(jid) => {
                self.subscriptions.borrow_mut().set_account(&jid);
                self.begin_feeds(true);
                self.be_online(true);
            }
            Status::Interrupted(interruption) => {
                // A password function that is still at it concerns nobody any more.
                self.attempt.set(self.attempt.get().wrapping_add(1));
                self.status.set("reconnecting");
                let problem = self.explain(&interruption.reason);
                let pause = interruption.retry_at - crate::web::clock::now();
                #[allow(clippy::cast_possible_truncation)]
                let unix = unix_millis() as i64;
                let retry_at = unix.saturating_add_unsigned(pause.0);
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

    /// A new session: the first, or one in which everything is to be there again.
    fn handle_online(self: &Rc<Self>, jid: &Jid) {
        self.subscriptions.borrow_mut().set_account(jid);
        if self.lasting.replace(true) {
            self.rebuild();
            // What was sent meanwhile comes after it, and before whatever the page says now.
            self.driver.change(|connection, _| connection.release());
        } else {
            self.send_presence_soon();
        }
        self.be_online(false);
    }

    fn be_online(&self, resumed: bool) {
        self.lasting.set(true);
        self.status.set("online");
        self.finish_connecting(Ok(()));
        for sender in core::mem::take(&mut *self.awaiting.borrow_mut()) {
            sender.send(());
        }
        let status = "online";
        self.listeners
            .emit("status", &Online { status, resumed }.to_js());
    }

    fn handle_offline(self: &Rc<Self>, reason: &CloseReason) {
        let error = self.explain(reason);
        self.status.set("offline");
        self.attempt.set(self.attempt.get().wrapping_add(1));
        self.broadcast.replace(None);
        self.lasting.set(false);
        self.end_all(error.as_ref());
        let cause = error.clone().unwrap_or_else(closed_early);
        self.finish_connecting(Err(cause));
        self.awaiting.borrow_mut().clear();
        for sender in core::mem::take(&mut *self.closing.borrow_mut()) {
            sender.send(());
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

    /// Is there a session, or will there be one again?
    pub fn is_lasting(&self) -> bool {
        self.lasting.get()
    }

    /// During an interruption: waits until it is over, one way or the other.
    pub async fn ready(&self) {
        if self.status.get() == "reconnecting" {
            let (sender, online) = channel();
            self.awaiting.borrow_mut().push(sender);
            online.await;
        }
    }

    /// The error of an end that was not asked for.
    fn explain(&self, reason: &CloseReason) -> Option<JsValue> {
        let cause = self.credentials_problem.borrow_mut().take();
        if *reason == CloseReason::Requested {
            return None;
        }
        let mut problem = Problem::from(reason);
        if let Some(cause) = cause {
            problem = problem.caused_by(cause);
        }
        Some(problem.into_js())
    }

    fn finish_connecting(&self, outcome: Result<(), JsValue>) {
        let sender = self.connecting.borrow_mut().take();
        if let Some(sender) = sender {
            sender.send(outcome);
        }
    }

    /// Does the page want initial presence to be sent for it?
    pub fn wants_presence(&self) -> bool {
        self.presence
    }

    /// After the promise of `connect` has settled and its continuation has run: that is what a timer's turn gives.
    fn send_presence_soon(self: &Rc<Self>) {
        if !self.wants_presence() {
            return;
        }
        let inner = Rc::downgrade(self);
        let attempt = self.attempt.get();
        let be_present = move || {
            let Some(inner) = inner.upgrade() else { return };
            if inner.attempt.get() == attempt {
                inner.be_present();
            }
        };
        if is_hidden() {
            // Its timers fire late.
            next_task(be_present);
        } else {
            Timeout::new(0, be_present).forget();
        }
    }

    /// Initial presence, unless it was sent. The page may have sent its own by now, which may say something else.
    pub fn be_present(&self) {
        if self.wants_presence() && self.broadcast.borrow().is_none() {
            self.post(presence::available(None).build());
        }
    }

    /// Sends, and lets the `undelivered` event tell if it went wrong.
    pub fn post(&self, stanza: Element) {
        // Offline, there is nobody to tell.
        let _ = self.send(stanza);
    }

    /// What the page kept for us. A place that fails is as good as an empty one.
    pub(super) fn recall(&self) {
        let kept = self.memory.as_ref().and_then(|memory| {
            let get = field(memory, "get").dyn_into::<Function>().ok()?;
            get.call0(memory).ok()?.as_string()
        });
        if let Some(kept) = kept {
            self.driver
                .change(|connection, _| connection.remember(&kept));
        }
    }

    fn store_memory(&self) {
        let Some(memory) = &self.memory else { return };
        let text = self.driver.read(Connection::memory);
        if let Ok(set) = field(memory, "set").dyn_into::<Function>() {
            // A full or forbidden storage costs round trips at the next login, nothing else.
            let _ = set.call1(memory, &JsValue::from_str(&text));
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
                let called = function.call0(&JsValue::UNDEFINED);
                let inner = Rc::clone(self);
                let attempt = self.attempt.get();
                spawn(async move {
                    let secret = match called {
                        Ok(value) => settled(&Promise::resolve(&value))
                            .await
                            .unwrap_or(Err(JsValue::UNDEFINED)),
                        Err(thrown) => Err(thrown),
                    };
                    if inner.attempt.get() != attempt {
                        return;
                    }
                    match secret.map(|secret| secret.as_string()) {
                        Ok(Some(secret)) => inner.provide(Some(credentials(&login, secret))),
                        Ok(None) => inner.provide(None),
                        Err(thrown) => {
                            inner.credentials_problem.replace(Some(thrown));
                            inner.provide(None);
                        }
                    }
                });
            }
        }
    }

    fn provide(&self, credentials: Option<Credentials>) {
        self.driver.change(|connection, now| {
            connection.handle_input(now, Input::Credentials(credentials));
        });
    }

    // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Why something was not sent: what outlives its client can do nothing any more.
    fn refuse(&self, error: SendError) -> Problem {
        if self.freed.get() {
            freed()
        } else {
            error.into()
        }
    }

    /// Sends a stanza.
    pub fn send(&self, stanza: Element) -> Result<Receiver<Delivery>, Problem> {
        let is_presence = stanza.name() == "presence" && stanza.attr("to").is_none();
        let copy = match is_presence {
            true => self.with_capabilities(&stanza),
            false => stanza.clone(),
        };
        let id = self
            .driver
            .change(|connection, _| connection.send(copy))
            .map_err(|error| self.refuse(error))?;
        if is_presence {
            self.broadcast.replace(Some(stanza.clone()));
        }
        let (sender, delivery) = channel();
        self.sends
            .borrow_mut()
            .insert(id, Outgoing { stanza, sender });
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
                Ok(Some(outcome)) => outcome.map_err(Problem::from),
                Ok(None) => Err(RequestFailure::Disconnected.into()),
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
        let (sender, reply) = channel();
        let request = self.ask(iq, timeout, Waiter::Promise(sender))?;
        let inner = Rc::clone(self);
        Ok((Asking { inner, request }, reply))
    }

    /// Sends a request; `waiter` gets the reply, or hears why there is none.
    pub fn ask(&self, iq: Element, timeout: Millis, waiter: Waiter) -> Result<IqId, Problem> {
        let request = self
            .driver
            .change(|connection, now| connection.request(now, iq, Some(timeout)))
            .map_err(|error| self.refuse(error))?;
        self.requests.borrow_mut().insert(request, waiter);
        Ok(request)
    }

    /// Says good-bye, before it returns: a page that is being left may not run any further. What is returned resolves when it is over.
    fn disconnect(&self) -> Option<Receiver<()>> {
        if self.driver.read(Connection::is_offline) {
            // Looking for what an earlier page left, at most.
            self.finish_connecting(Err(closed_early()));
            return None;
        }
        let (sender, closed) = channel();
        self.closing.borrow_mut().push(sender);
        if self.status.get() == "online" {
            self.end_subscriptions();
        }
        self.driver.disconnect();
        Some(closed)
    }

    fn tap(&self) {
        let on = self.listeners.wants("sent") || self.listeners.wants("received");
        self.driver.change(|connection, _| connection.tap(on));
    }
}

fn closed_early() -> JsValue {
    Problem::new("disconnected", "disconnect() was called while connecting.").into_js()
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
    /// Reads the options and connects nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(services: &JsValue, options: &JsValue) -> Result<ClientCore, JsValue> {
        Ok(Self(Inner::new(options::client(services, options)?)))
    }

    /// What the entry's getters read, by their place in its list: jid, status, service.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        match index {
            0 => self.0.jid().map(|jid| jid.as_str().to_owned()),
            2 => self.0.driver.read(|connection| {
                connection.jid()?;
                connection.service().map(str::to_owned)
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
        promise(async move {
            let waiting = Waiting::read(&options)?;
            inner.connect(waiting.signal).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Goes on with a session that a web server made.
    pub fn attach(&self, session: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        promise(async move {
            inner.attach(Given::read(&session)?).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Ends the session in order. Never rejects.
    pub fn disconnect(&self) -> Promise {
        let closed = self.0.disconnect();
        promise(async move {
            if let Some(closed) = closed {
                closed.await;
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Sends a stanza written as XML; resolves when the server has it.
    pub fn send(&self, xml: &str) -> Promise {
        let sent = read_stanza(xml).and_then(|stanza| self.0.send(stanza));
        promise(async move {
            let delivery = sent?.await;
            delivered(delivery)
        })
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
        let id = self.0.handlers.borrow_mut().add(matcher, callback);
        self.0.release_backlog();
        let inner = Rc::downgrade(&self.0);
        Ok(Registration::new(move || {
            if let Some(inner) = inner.upgrade() {
                inner.handlers.borrow_mut().remove(id);
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
        self.0.end_all(Some(&gone));
        self.0.finish_connecting(Err(gone));
        for sender in core::mem::take(&mut *self.0.closing.borrow_mut()) {
            sender.send(());
        }
        // Dropping the senders settles what waits: unknown deliveries, disconnected requests.
        drop(core::mem::take(&mut *self.0.sends.borrow_mut()));
        drop(core::mem::take(&mut *self.0.requests.borrow_mut()));
        self.0.status.set("offline");
        self.0.driver.shut();
    }
}

/// A callback.
pub fn function(value: &JsValue) -> Result<Function, Problem> {
    value
        .dyn_ref::<Function>()
        .cloned()
        .ok_or_else(|| Problem::new("bad-argument", "The callback is not a function."))
}

/// Adds a listener of a kind that must exist.
pub fn listen(
    listeners: &Rc<Listeners>,
    kind: &str,
    listener: &JsValue,
) -> Result<Registration, Problem> {
    listeners.on(kind, function(listener)?).ok_or_else(|| {
        let mut message = String::from("There is no event '");
        message.push_str(kind);
        message.push_str("' here. The types name those there are.");
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
