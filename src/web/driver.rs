//! Drives a client with the browser's network and time: change it, report its events, drain, arm one timer.
//!
//! No borrow of the client is held while an event is reported, so a callback may call any method.

use super::alarm::Alarm;
use super::clock;
use super::derive::derive;
use super::global::is_hidden;
use super::http::HttpOptions;
use super::keeper::Keeper;
use super::lifecycle::{Lifecycle, PageChange};
use super::network::Network;
use super::platform::ApiOverrides;
use epode_proto::client::{Client, ClientEvent, ClientOutput};
use epode_proto::io::Input;
use epode_proto::time::Instant;
use js_sys::futures::spawn_local;
use std::collections::VecDeque;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// Receives the events. The driver owns the sink while the client is not offline, so no other reference is needed.
pub trait Sink {
    /// Handles an event of the client.
    fn handle_event(self: Rc<Self>, event: ClientEvent);

    /// Reports whether the driver owns the sink from now on.
    fn set_owned(&self, owned: bool);
}

/// The state of the page with respect to its stored session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PagePresence {
    Here,
    /// Unloaded or frozen: the session is stored and nothing is sent.
    Away,
    /// Returned, and checking whether the session is still its own.
    Returning,
}

/// A client with its network and timer.
pub struct Driver {
    client: RefCell<Client>,
    network: Network,
    lifecycle: RefCell<Option<Lifecycle>>,
    /// Stores the session over a reload.
    keeper: RefCell<Option<Rc<Keeper>>>,
    presence: Cell<PagePresence>,
    /// The number of the claim of a stored session that is in progress; each claim has another number.
    claim: Cell<Option<u32>>,
    claims: Cell<u32>,
    /// Whether the client knows that the page is hidden.
    hidden: Cell<bool>,
    /// Set while the page is unloading: whether it may return.
    parting: Cell<Option<bool>>,
    sink: RefCell<Option<Weak<dyn Sink>>>,
    /// The sink while it is owned. The sink owns the driver: this reference makes a cycle, which ends with the connection.
    owned: RefCell<Option<Rc<dyn Sink>>>,
    events: RefCell<VecDeque<ClientEvent>>,
    reporting: Cell<bool>,
    alarm: Alarm,
    /// The time of the last reading of the clock. What follows from an input happens at its time: reading the clock costs as much as
    /// delivering a stanza.
    time: Cell<Instant>,
    flush_due: Cell<bool>,
}

impl Driver {
    /// Creates a driver; nothing is sent before the client connects.
    pub fn new(client: Client, options: HttpOptions, platform: Rc<dyn ApiOverrides>) -> Rc<Self> {
        Rc::new(Self {
            client: RefCell::new(client),
            network: Network::new(options, platform),
            lifecycle: RefCell::default(),
            keeper: RefCell::default(),
            presence: Cell::new(PagePresence::Here),
            claim: Cell::new(None),
            claims: Cell::new(0),
            hidden: Cell::new(false),
            parting: Cell::new(None),
            sink: RefCell::default(),
            owned: RefCell::default(),
            events: RefCell::default(),
            reporting: Cell::new(false),
            alarm: Alarm::default(),
            time: Cell::new(clock::now()),
            flush_due: Cell::new(false),
        })
    }

    /// Reads the clock.
    fn now(&self) -> Instant {
        let now = clock::now();
        self.time.set(now);
        now
    }

    /// Sets the receiver of events.
    pub fn listen(&self, sink: Weak<dyn Sink>) {
        self.sink.replace(Some(sink));
    }

    fn sink(&self) -> Option<Rc<dyn Sink>> {
        self.sink.borrow().as_ref().and_then(Weak::upgrade)
    }

    /// Owns the sink until the connection is offline and its end has been reported.
    fn update_ownership(&self) {
        let offline = self.is_idle();
        let owned = self.owned.borrow().is_some();
        if !offline && !owned {
            let sink = self.sink();
            if let Some(sink) = &sink {
                sink.set_owned(true);
            }
            self.owned.replace(sink);
        } else if offline && owned && !self.reporting.get() && self.events.borrow().is_empty() {
            self.disown();
        }
    }

    fn disown(&self) {
        let sink = self.owned.take();
        if let Some(sink) = sink {
            sink.set_owned(false);
        }
    }

    /// Stores the session when the page unloads.
    pub fn keep_by(&self, keeper: Option<Rc<Keeper>>) {
        self.keeper.replace(keeper);
    }

    /// Whether there is no connection and none is planned.
    pub fn is_idle(&self) -> bool {
        self.claim.get().is_none() && self.client.borrow().connection().is_offline()
    }

    /// Connects. Continues the session that an earlier page has stored, unless another page has taken it.
    pub fn connect(self: &Rc<Self>) {
        let Some(keeper) = self.keeper().filter(|keeper| keeper.has_any()) else {
            self.change(Client::connect);
            return;
        };
        let claim = self.claims.get().wrapping_add(1);
        self.claims.set(claim);
        self.claim.set(Some(claim));
        self.update_ownership();
        let driver = Rc::clone(self);
        spawn_local(async move {
            let kept = keeper.claim().await;
            // The claim was given up meanwhile.
            if driver.claim.get() != Some(claim) {
                return;
            }
            driver.claim.set(None);
            driver.change(|client, now| {
                let restored = kept.is_some_and(|kept| client.restore(now, &kept));
                restored || client.connect(now)
            });
        });
    }

    /// Stops connecting.
    pub fn abort(self: &Rc<Self>) {
        self.claim.set(None);
        self.change(Client::abort);
    }

    /// The keeper of the session, if any.
    fn keeper(&self) -> Option<Rc<Keeper>> {
        self.keeper.borrow().clone()
    }

    /// Reads the client.
    pub fn read<R>(&self, read: impl FnOnce(&Client) -> R) -> R {
        read(&self.client.borrow())
    }

    /// Changes the client. The outputs are carried out at the end of the current turn of the event loop, so that
    /// stanzas sent in one turn travel together; no timer is needed.
    pub fn change<R>(self: &Rc<Self>, change: impl FnOnce(&mut Client, Instant) -> R) -> R {
        let result = change(&mut self.client.borrow_mut(), self.now());
        self.flush_later();
        result
    }

    /// Carries out the outputs at the end of the turn. Not a part of `change`, of which there is one copy for each call.
    #[inline(never)]
    fn flush_later(self: &Rc<Self>) {
        self.update_ownership();
        if !self.flush_due.replace(true) {
            // The owner may release the driver in the same turn: keep it alive until the turn is done.
            let driver = Rc::clone(self);
            spawn_local(async move {
                driver.flush_due.set(false);
                driver.pump();
            });
        }
    }

    /// Stops the driver: no response, timer or event follows.
    pub fn shut(&self) {
        self.claim.set(None);
        self.client.borrow_mut().abort(self.now());
        self.client.borrow_mut().forget_keys();
        self.sink.replace(None);
        self.disown();
        self.events.take();
        self.alarm.stop();
        self.network.close();
        self.lifecycle.replace(None);
        self.keeper.replace(None);
    }

    /// Starts or stops listening to page events: needed while the connection is not offline.
    fn update_lifecycle(self: &Rc<Self>) {
        let wanted = !self.client.borrow().connection().is_offline();
        if wanted == self.lifecycle.borrow().is_some() {
            return;
        }
        let lifecycle = wanted.then(|| {
            let driver = Rc::downgrade(self);
            Lifecycle::listen(Box::new(move |turn| {
                if let Some(driver) = driver.upgrade() {
                    driver.handle_turn(turn);
                }
            }))
        });
        self.lifecycle.replace(lifecycle);
    }

    fn handle_turn(self: &Rc<Self>, turn: PageChange) {
        match turn {
            PageChange::Awake => {
                self.set_leaving(false);
                self.parting.set(None);
                self.come_back();
                self.client.borrow_mut().wake(self.now());
            }
            PageChange::Parting | PageChange::Leaving => {
                // Send a waiting final request now.
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

    /// Handles the unloading of the page, after the page's own listeners have run.
    fn part(self: &Rc<Self>) {
        if let Some(returns) = self.parting.take() {
            self.leave(returns);
        }
    }

    /// Tells the client that the page may be unloaded at any moment: timers may not fire any more.
    fn set_leaving(&self, leaving: bool) {
        self.client.borrow_mut().set_leaving(self.now(), leaving);
    }

    /// Closes the session. The final request is sent before this returns, if possible: an unloading page may not run
    /// again.
    pub fn disconnect(self: &Rc<Self>) {
        self.claim.set(None);
        self.change(Client::disconnect);
        self.drain();
    }

    /// Handles unloading or freezing. A session that cannot be continued is not paused; nor is
    /// one that another page may continue. COMPAT(ejabberd): it answers a pause with stanzas that arrive meanwhile, and only
    /// the page that sent the pause could read them.
    fn leave(self: &Rc<Self>, returns: bool) {
        self.report_events();
        if self.keeper().is_some() {
            self.presence.set(PagePresence::Away);
        } else if self.client.borrow().connection().is_closing() {
            // All stanzas have been sent.
        } else if returns {
            self.client.borrow_mut().pause(self.now());
            self.drain();
        } else {
            // No page can continue the session.
            self.client.borrow_mut().disconnect(self.now());
            self.drain();
        }
    }

    /// Stores the data that the next page needs. Returns false if there is no session to continue.
    fn store(&self) -> bool {
        let snapshot = self.client.borrow().snapshot();
        match self.keeper() {
            Some(keeper) => keeper.store(snapshot.as_ref()),
            None => false,
        }
    }

    /// Handles the return of the page. Another page may have continued the session, or be about to.
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

    /// Handles an input from the network.
    fn handle_input(self: &Rc<Self>, input: Input) {
        self.client.borrow_mut().handle_input(self.now(), input);
        self.pump();
    }

    /// Reports the events, then drains: stanzas that callbacks send travel with the next request.
    fn pump(self: &Rc<Self>) {
        self.report_events();
        self.drain();
        self.report_events();
        self.update_lifecycle();
        self.update_ownership();
    }

    fn report_events(&self) {
        // Reentered from a callback: the outer loop continues with the added events.
        if self.reporting.replace(true) {
            return;
        }
        loop {
            let now = self.time.get();
            // Polled one by one: a handler added because of one event receives the next.
            let waiting = self.events.borrow_mut().pop_front();
            let event = waiting.or_else(|| self.client.borrow_mut().poll_event(now));
            let Some(event) = event else { break };
            if let Some(sink) = self.sink() {
                sink.handle_event(event);
            }
        }
        self.reporting.set(false);
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
            let now = self.time.get();
            self.client.borrow_mut().handle_input(now, input);
        }
        loop {
            let output = self.client.borrow_mut().poll_output(self.time.get());
            match output {
                ClientOutput::Transmit(transmit) => {
                    let driver = Rc::downgrade(self);
                    self.network.carry_out(
                        transmit,
                        Rc::new(move |input| {
                            if let Some(driver) = driver.upgrade() {
                                driver.handle_input(input);
                            }
                        }),
                    );
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
                            driver.handle_input(input);
                        }
                    });
                }
                ClientOutput::Event(event) => self.events.borrow_mut().push_back(event),
                ClientOutput::Timeout(at) => return self.arm(at),
            }
        }
    }

    /// Arms one timer for the earliest deadline.
    fn arm(self: &Rc<Self>, at: Option<Instant>) {
        self.alarm.arm(at, self.time.get(), &|| {
            let driver = Rc::downgrade(self);
            Rc::new(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.ring();
                }
            })
        });
    }

    fn ring(self: &Rc<Self>) {
        let now = self.now();
        if self.alarm.ring(now) {
            self.client.borrow_mut().handle_timeout(now);
            self.pump();
        } else {
            self.arm(self.alarm.deadline());
        }
    }
}
