//! Drives a client with the browser's network and time: change it, report its events, drain, arm one timer.
//!
//! No borrow of the client is held while an event is reported, so a callback may call anything.

use super::clock::now;
use super::derive::derive;
use super::global::{is_hidden, next_task};
use super::http::{Http, HttpOptions};
use super::keeper::Keeper;
use super::lifecycle::{Lifecycle, PageChange};
use super::platform::ApiOverrides;
use super::socket::Sockets;
use epode_proto::client::{Client, ClientEvent, ClientOutput};
use epode_proto::io::{Input, Transmit};
use epode_proto::time::Instant;
use gloo_timers::callback::Timeout;
use js_sys::futures::spawn_local;
use std::collections::VecDeque;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// Who gets the events. The driver owns it while the client is not offline, so that nothing else needs to refer to it.
pub trait Sink {
    /// An event of the client.
    fn handle_event(self: Rc<Self>, event: ClientEvent);

    /// Whether the driver owns it from now on.
    fn set_owned(&self, owned: bool);
}

/// Where the page is, as far as its session is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PagePresence {
    Here,
    /// Gone, or asleep: what it has is stored, and nothing leaves any more.
    Away,
    /// Back, and making sure that the session is still its own.
    Returning,
}

/// A client with its network and timer.
pub struct Driver {
    client: RefCell<Client>,
    http: Rc<Http>,
    sockets: Sockets,
    lifecycle: RefCell<Option<Lifecycle>>,
    /// Who keeps the session over a reload.
    keeper: RefCell<Option<Rc<Keeper>>>,
    presence: Cell<PagePresence>,
    /// The client has been told that the page is hidden.
    hidden: Cell<bool>,
    /// It is being left, and whether it may come back.
    parting: Cell<Option<bool>>,
    sink: RefCell<Option<Weak<dyn Sink>>>,
    /// The same while it is owned. The sink owns the driver: what is here makes a cycle, which ends with the connection.
    owned: RefCell<Option<Rc<dyn Sink>>>,
    events: RefCell<VecDeque<ClientEvent>>,
    telling: Cell<bool>,
    timer: RefCell<Option<(Instant, Timeout)>>,
    flush_due: Cell<bool>,
}

impl Driver {
    /// An idle driver; nothing is sent before the client is told to connect.
    pub fn new(client: Client, options: HttpOptions, platform: Rc<dyn ApiOverrides>) -> Rc<Self> {
        Rc::new(Self {
            client: RefCell::new(client),
            sockets: Sockets::new(options.max_bytes, Rc::clone(&platform)),
            lifecycle: RefCell::default(),
            keeper: RefCell::default(),
            presence: Cell::new(PagePresence::Here),
            hidden: Cell::new(false),
            parting: Cell::new(None),
            http: Rc::new(Http::new(options, platform)),
            sink: RefCell::default(),
            owned: RefCell::default(),
            events: RefCell::default(),
            telling: Cell::new(false),
            timer: RefCell::default(),
            flush_due: Cell::new(false),
        })
    }

    /// Events go there from now on.
    pub fn listen(&self, sink: Weak<dyn Sink>) {
        self.sink.replace(Some(sink));
    }

    fn sink(&self) -> Option<Rc<dyn Sink>> {
        self.sink.borrow().as_ref().and_then(Weak::upgrade)
    }

    /// Owns the sink while the connection is not offline, and until the end of it has been told.
    fn mind_ownership(&self) {
        let offline = self.client.borrow().connection().is_offline();
        let owned = self.owned.borrow().is_some();
        if !offline && !owned {
            let sink = self.sink();
            if let Some(sink) = &sink {
                sink.set_owned(true);
            }
            self.owned.replace(sink);
        } else if offline && owned && !self.telling.get() && self.events.borrow().is_empty() {
            self.disown();
        }
    }

    fn disown(&self) {
        let sink = self.owned.take();
        if let Some(sink) = sink {
            sink.set_owned(false);
        }
    }

    /// The session is to outlive the page.
    pub fn keep_by(&self, keeper: Option<Rc<Keeper>>) {
        self.keeper.replace(keeper);
    }

    /// Who keeps it.
    pub fn keeper(&self) -> Option<Rc<Keeper>> {
        self.keeper.borrow().clone()
    }

    /// Reads the client.
    pub fn read<R>(&self, read: impl FnOnce(&Client) -> R) -> R {
        read(&self.client.borrow())
    }

    /// Changes the client. What follows from it happens at the end of the current turn of the event loop, so that
    /// what one turn sends travels together; nothing waits for a timer.
    pub fn change<R>(self: &Rc<Self>, change: impl FnOnce(&mut Client, Instant) -> R) -> R {
        let result = change(&mut self.client.borrow_mut(), now());
        self.mind_ownership();
        if !self.flush_due.replace(true) {
            // Whoever changed it may let go of it in the same turn: it lives until that is done.
            let driver = Rc::clone(self);
            spawn_local(async move {
                driver.flush_due.set(false);
                driver.pump();
            });
        }
        result
    }

    /// Ends everything here and now: no answer, timer or event comes after it.
    pub fn shut(&self) {
        self.client.borrow_mut().abort(now());
        self.client.borrow_mut().forget_keys();
        self.sink.replace(None);
        self.disown();
        self.events.take();
        self.timer.replace(None);
        self.http.cancel_all();
        self.sockets.close_all();
        self.lifecycle.replace(None);
        self.keeper.replace(None);
    }

    /// Listens to what happens to the page, or no longer: worth it while a connection is there or hoped for.
    fn mind_lifecycle(self: &Rc<Self>) {
        let wanted = !self.client.borrow().connection().is_offline();
        if wanted == self.lifecycle.borrow().is_some() {
            return;
        }
        let lifecycle = wanted.then(|| {
            let driver = Rc::downgrade(self);
            Lifecycle::listen(move |turn| {
                if let Some(driver) = driver.upgrade() {
                    driver.handle_turn(turn);
                }
            })
        });
        self.lifecycle.replace(lifecycle);
    }

    fn handle_turn(self: &Rc<Self>, turn: PageChange) {
        match turn {
            PageChange::Awake => {
                self.set_leaving(false);
                self.parting.set(None);
                self.come_back();
                self.client.borrow_mut().wake(now());
            }
            PageChange::Parting | PageChange::Leaving => {
                // A good-bye that waits for its turn goes now.
                self.set_leaving(true);
                self.parting.set(Some(turn == PageChange::Parting));
                if self.keeper().is_some() {
                    self.leave(false);
                } else if is_hidden() {
                    self.part();
                }
            }
            PageChange::Hidden => self.part(),
            PageChange::Resting => {
                self.set_leaving(true);
                self.parting.set(None);
                self.leave(true);
            }
        }
        self.pump();
    }

    /// The page is left, and its own listeners have said what they had to say.
    fn part(self: &Rc<Self>) {
        if let Some(returns) = self.parting.take() {
            self.leave(returns);
        }
    }

    /// The page may be gone the next moment: no timer is sure to fire any more.
    fn set_leaving(&self, leaving: bool) {
        self.client.borrow_mut().set_leaving(now(), leaving);
    }

    /// Ends the session in order. The good-bye is on the wire when this returns, if it may be: a page that is being left may not run
    /// any further.
    pub fn disconnect(self: &Rc<Self>) {
        self.change(Client::disconnect);
        self.drain();
    }

    /// The page goes, or sleeps. A session that nobody may want again is not asked to wait for it longer than it would; nor is
    /// one that another page may go on with. COMPAT(ejabberd): it answers a pause with what comes meanwhile, and only the page
    /// that sent it could hear that.
    fn leave(self: &Rc<Self>, returns: bool) {
        self.tell();
        if self.keeper().is_some() {
            self.presence.set(PagePresence::Away);
        } else if self.client.borrow().connection().is_closing() {
            // What there was to be sent has left.
        } else if returns {
            self.client.borrow_mut().pause(now());
            self.drain();
        } else {
            // Nobody can go on with the session.
            self.client.borrow_mut().disconnect(now());
            self.drain();
        }
    }

    /// Stores what the next page needs. False when there is nothing that it could go on with.
    fn store(&self) -> bool {
        let snapshot = self.client.borrow().snapshot();
        match self.keeper() {
            Some(keeper) => keeper.store(snapshot.as_ref()),
            None => false,
        }
    }

    /// The page is there again. Another one may have gone on with its session, or be about to.
    fn come_back(self: &Rc<Self>) {
        let keeper = match (self.presence.get(), self.keeper()) {
            (PagePresence::Away, Some(keeper)) => keeper,
            _ => return,
        };
        self.presence.set(PagePresence::Returning);
        let driver = Rc::clone(self);
        spawn_local(async move {
            let ours = keeper.take_back().await;
            if driver.presence.get() == PagePresence::Returning {
                driver.presence.set(PagePresence::Here);
                driver.change(if ours { Client::wake } else { Client::forfeit });
            }
        });
    }

    /// The network has answered, or a socket has something to say.
    fn hear(self: &Rc<Self>, input: Input) {
        self.client.borrow_mut().handle_input(now(), input);
        self.pump();
    }

    /// Tells what happened, then drains: what the page says because of what it hears travels with the next request.
    fn pump(self: &Rc<Self>) {
        self.tell();
        self.drain();
        self.tell();
        self.mind_lifecycle();
        self.mind_ownership();
    }

    fn tell(&self) {
        // Reentered from a callback's input? The outer loop goes on with what was added.
        if self.telling.replace(true) {
            return;
        }
        let now = now();
        loop {
            // Polled one by one: a handler that is added because of one event gets the next.
            let waiting = self.events.borrow_mut().pop_front();
            let event = waiting.or_else(|| self.client.borrow_mut().poll_event(now));
            let Some(event) = event else { break };
            if let Some(sink) = self.sink() {
                sink.handle_event(event);
            }
        }
        self.telling.set(false);
    }

    fn drain(self: &Rc<Self>) {
        match self.presence.get() {
            PagePresence::Returning => return,
            PagePresence::Away if self.store() => return,
            PagePresence::Away => self.presence.set(PagePresence::Here),
            PagePresence::Here => {}
        }
        let hidden = is_hidden();
        if self.hidden.replace(hidden) != hidden {
            let input = Input::Visibility { hidden };
            self.client.borrow_mut().handle_input(now(), input);
        }
        loop {
            let output = self.client.borrow_mut().poll_output(now());
            match output {
                ClientOutput::Transmit(Transmit::OpenSocket { socket, address }) => {
                    let driver = Rc::downgrade(self);
                    self.sockets.open(socket, &address, move |input| {
                        if let Some(driver) = driver.upgrade() {
                            driver.hear(input);
                        }
                    });
                }
                ClientOutput::Transmit(Transmit::Frame { socket, text }) => {
                    self.sockets.send(socket, &text);
                }
                ClientOutput::Transmit(Transmit::CloseSocket(socket)) => self.sockets.close(socket),
                ClientOutput::Transmit(Transmit::Http {
                    exchange,
                    address,
                    foreign,
                    body,
                    farewell,
                }) => {
                    let driver = Rc::downgrade(self);
                    self.http
                        .post(exchange, &address, foreign, &body, farewell, move |input| {
                            if let Some(driver) = driver.upgrade() {
                                driver.hear(input);
                            }
                        });
                }
                ClientOutput::Transmit(Transmit::CancelHttp(exchange)) => {
                    self.http.cancel(exchange)
                }
                ClientOutput::Derive { id, derivation } => {
                    let driver = Rc::downgrade(self);
                    spawn_local(async move {
                        let salted_password = derive(derivation).await;
                        if let Some(driver) = driver.upgrade() {
                            let input = Input::Derived {
                                id,
                                salted_password,
                            };
                            driver.client.borrow_mut().handle_input(now(), input);
                            driver.pump();
                        }
                    });
                }
                ClientOutput::Event(event) => self.events.borrow_mut().push_back(event),
                ClientOutput::Timeout(at) => return self.arm(at),
            }
        }
    }

    /// One timer, for the earliest deadline.
    fn arm(self: &Rc<Self>, at: Option<Instant>) {
        let armed = self.timer.borrow().as_ref().map(|(at, _)| *at);
        if armed == at {
            return;
        }
        if at.is_some_and(|at| at <= now()) && is_hidden() {
            // A timer of a hidden page fires late, however short it is.
            let driver = Rc::downgrade(self);
            next_task(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.timer.replace(None);
                    driver.client.borrow_mut().handle_timeout(now());
                    driver.pump();
                }
            });
            self.timer.replace(None);
            return;
        }
        let timer = at.map(|at| {
            // setTimeout counts in 32 bits; later deadlines are armed again when it fires.
            let delay = u32::try_from((at - now()).0)
                .unwrap_or(u32::MAX)
                .min(0x7fff_ffff);
            let driver = Rc::downgrade(self);
            let timeout = Timeout::new(delay, move || {
                if let Some(driver) = driver.upgrade() {
                    // Dropped, not forgotten, though it has fired: what is forgotten keeps its closure for ever.
                    driver.timer.replace(None);
                    driver.client.borrow_mut().handle_timeout(now());
                    driver.pump();
                }
            });
            (at, timeout)
        });
        self.timer.replace(timer);
    }
}
