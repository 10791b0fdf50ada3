//! Drives a client (`run_loop.rs`), stores its session when the page unloads, and continues the session of an earlier page.

use super::derive::derive;
use super::global::is_hidden;
use super::http::HttpOptions;
use super::keeper::Keeper;
use super::lifecycle::PageChange;
use super::platform::ApiOverrides;
use super::run_loop::{Driven, EventSink, RunLoop};
use epode_proto::client::{Client, ClientEvent, ClientOutput};
use epode_proto::io::Input;
use epode_proto::time::Instant;
use js_sys::futures::spawn_local;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

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
    run_loop: RunLoop<ClientEvent>,
    /// Stores the session over a reload.
    keeper: RefCell<Option<Rc<Keeper>>>,
    presence: Cell<PagePresence>,
    /// The number of the claim of a stored session that is in progress; each claim has another number.
    claim: Cell<Option<u32>>,
    claims: Cell<u32>,
    /// Set while the page is unloading: whether it may return.
    parting: Cell<Option<bool>>,
    events: RefCell<VecDeque<ClientEvent>>,
}

impl Driver {
    /// Creates a driver; nothing is sent before the client connects.
    pub fn new(client: Client, options: HttpOptions, platform: Rc<dyn ApiOverrides>) -> Rc<Self> {
        Rc::new(Self {
            client: RefCell::new(client),
            run_loop: RunLoop::new(options, platform),
            keeper: RefCell::default(),
            presence: Cell::new(PagePresence::Here),
            claim: Cell::new(None),
            claims: Cell::new(0),
            parting: Cell::new(None),
            events: RefCell::default(),
        })
    }

    /// Sets the receiver of events.
    pub fn listen(&self, sink: Weak<dyn EventSink<ClientEvent>>) {
        self.run_loop.listen(sink);
    }

    /// Stores the session when the page unloads.
    pub fn keep_by(&self, keeper: Option<Rc<Keeper>>) {
        self.keeper.replace(keeper);
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
        self.run_loop.update_ownership(false);
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
        let result = change(&mut self.client.borrow_mut(), self.run_loop.now());
        self.flush_later();
        result
    }

    /// Stops the driver: no response, timer or event follows.
    pub fn shut(&self) {
        self.claim.set(None);
        self.client.borrow_mut().abort(self.run_loop.now());
        self.client.borrow_mut().forget_keys();
        self.run_loop.shut();
        self.events.take();
        self.keeper.replace(None);
    }

    /// Handles the unloading of the page, after the page's own listeners have run.
    fn part(self: &Rc<Self>) {
        if let Some(returns) = self.parting.take() {
            self.leave(returns);
        }
    }

    /// Tells the client that the page may be unloaded at any moment: timers may not fire any more.
    fn set_leaving(&self, leaving: bool) {
        self.client
            .borrow_mut()
            .set_leaving(self.run_loop.now(), leaving);
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
            self.client.borrow_mut().pause(self.run_loop.now());
            self.drain();
        } else {
            // No page can continue the session.
            self.client.borrow_mut().disconnect(self.run_loop.now());
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
}

impl Driven for Driver {
    type Event = ClientEvent;

    fn run_loop(&self) -> &RunLoop<ClientEvent> {
        &self.run_loop
    }

    fn is_idle(&self) -> bool {
        self.claim.get().is_none() && !self.is_listening()
    }

    fn is_listening(&self) -> bool {
        !self.client.borrow().connection().is_offline()
    }

    fn poll_event(&self) -> Option<ClientEvent> {
        let waiting = self.events.borrow_mut().pop_front();
        let now = self.run_loop.time();
        waiting.or_else(|| self.client.borrow_mut().poll_event(now))
    }

    fn accept_input(&self, now: Instant, input: Input) {
        self.client.borrow_mut().handle_input(now, input);
    }

    fn accept_timeout(&self, now: Instant) {
        self.client.borrow_mut().handle_timeout(now);
    }

    fn handle_page(self: &Rc<Self>, change: PageChange) {
        match change {
            PageChange::Awake => {
                self.set_leaving(false);
                self.parting.set(None);
                self.come_back();
                self.client.borrow_mut().wake(self.run_loop.now());
            }
            PageChange::Parting | PageChange::Leaving => {
                // Send a waiting final request now.
                self.set_leaving(true);
                self.parting.set(Some(change == PageChange::Parting));
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

    fn drain(self: &Rc<Self>) {
        match self.presence.get() {
            PagePresence::Returning => return,
            PagePresence::Away if self.store() => return,
            PagePresence::Away => self.presence.set(PagePresence::Here),
            PagePresence::Here => {}
        }
        let now = self.run_loop.time();
        if let Some(input) = self.run_loop.poll_visibility() {
            self.accept_input(now, input);
        }
        loop {
            let output = self.client.borrow_mut().poll_output(now);
            match output {
                ClientOutput::Transmit(transmit) => self.carry_out(transmit),
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
}
