//! The run loop of a machine: change it, report its events, drain its outputs, arm one timer. `driver.rs` is the one of a client,
//! `raw_driver.rs` the one of a stream by hand.
//!
//! No borrow of the machine is held while an event is reported, so a callback may call any method.

use super::alarm::Alarm;
use super::clock;
use super::global::is_hidden;
use super::http::HttpOptions;
use super::lifecycle::{Lifecycle, PageChange};
use super::network::Network;
use super::platform::ApiOverrides;
use epode_proto::io::{Input, Transmit};
use epode_proto::time::Instant;
use js_sys::JsString;
use js_sys::futures::spawn_local;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// Receives the events. The loop owns the sink while the machine is not idle, so no other reference is needed.
pub trait EventSink<E> {
    /// Handles an event of the machine.
    fn handle_event(self: Rc<Self>, event: E);

    /// Reports whether the loop owns the sink from now on.
    fn set_owned(&self, owned: bool);
}

/// What every loop has: network, timer, clock and sink.
pub struct RunLoop<E> {
    network: Network,
    lifecycle: RefCell<Option<Lifecycle>>,
    /// Whether the machine knows that the page is hidden.
    hidden: Cell<bool>,
    sink: RefCell<Option<Weak<dyn EventSink<E>>>>,
    /// The sink while it is owned. The sink owns the loop: this reference makes a cycle, which ends with the connection.
    owned: RefCell<Option<Rc<dyn EventSink<E>>>>,
    reporting: Cell<bool>,
    alarm: Alarm,
    /// The time of the last reading of the clock. What follows from an input happens at its time: reading the clock costs as much as
    /// delivering a stanza.
    time: Cell<Instant>,
    flush_due: Cell<bool>,
}

impl<E> RunLoop<E> {
    /// Creates a loop in which nothing is under way.
    pub fn new(options: HttpOptions, platform: Rc<dyn ApiOverrides>) -> Self {
        Self {
            network: Network::new(options, platform),
            lifecycle: RefCell::default(),
            hidden: Cell::new(false),
            sink: RefCell::default(),
            owned: RefCell::default(),
            reporting: Cell::new(false),
            alarm: Alarm::default(),
            time: Cell::new(clock::now()),
            flush_due: Cell::new(false),
        }
    }

    /// Reads the clock.
    pub fn now(&self) -> Instant {
        let now = clock::now();
        self.time.set(now);
        now
    }

    /// The time of the last reading of the clock.
    pub fn time(&self) -> Instant {
        self.time.get()
    }

    /// The received frame of that number, while it is being handled.
    pub fn frame(&self, number: u32) -> Option<Rc<JsString>> {
        self.network.frame(number)
    }

    /// Sets the receiver of events.
    pub fn listen(&self, sink: Weak<dyn EventSink<E>>) {
        self.sink.replace(Some(sink));
    }

    /// The receiver of events, unless the page has dropped it.
    pub fn sink(&self) -> Option<Rc<dyn EventSink<E>>> {
        self.sink.borrow().as_ref().and_then(Weak::upgrade)
    }

    /// Owns the sink until the machine is idle and its last event has been reported.
    pub fn update_ownership(&self, idle: bool) {
        let owned = self.owned.borrow().is_some();
        if !idle && !owned {
            let sink = self.sink();
            if let Some(sink) = &sink {
                sink.set_owned(true);
            }
            self.owned.replace(sink);
        } else if idle && owned && !self.reporting.get() && !self.flush_due.get() {
            self.disown();
        }
    }

    fn disown(&self) {
        let sink = self.owned.take();
        if let Some(sink) = sink {
            sink.set_owned(false);
        }
    }

    /// A change of the page's visibility that the machine has not been told about.
    pub fn poll_visibility(&self) -> Option<Input> {
        let hidden = is_hidden();
        (self.hidden.replace(hidden) != hidden).then_some(Input::Visibility { hidden })
    }

    /// Stops the loop: no response, timer or event follows.
    pub fn shut(&self) {
        self.sink.replace(None);
        self.disown();
        self.alarm.stop();
        self.network.close();
        self.lifecycle.replace(None);
    }
}

/// A machine that is driven by a [`RunLoop`].
pub trait Driven: Sized + 'static {
    /// What is reported to the sink.
    type Event;

    /// The loop.
    fn run_loop(&self) -> &RunLoop<Self::Event>;

    /// Whether no event may come before the next call.
    fn is_idle(&self) -> bool;

    /// Whether changes of the page are handed to [`Driven::handle_page`].
    fn is_listening(&self) -> bool;

    /// Takes the next event.
    fn poll_event(&self) -> Option<Self::Event>;

    /// Carries out the outputs and arms the timer.
    fn drain(self: &Rc<Self>);

    /// Gives the machine an input.
    fn accept_input(&self, now: Instant, input: Input);

    /// Gives the machine the time when its deadline has come.
    fn accept_timeout(&self, now: Instant);

    /// Handles a change in the life of the page.
    fn handle_page(self: &Rc<Self>, change: PageChange);

    /// Carries out the outputs at the end of the current turn of the event loop, so that stanzas sent in one turn travel together;
    /// no timer is needed. Not a part of `change`, of which there is one copy for each call.
    #[inline(never)]
    fn flush_later(self: &Rc<Self>) {
        if !self.run_loop().flush_due.replace(true) {
            // The owner may release the driver in the same turn: keep it alive until the turn is done.
            let driver = Rc::clone(self);
            spawn_local(async move {
                driver.run_loop().flush_due.set(false);
                driver.pump();
            });
        }
        self.run_loop().update_ownership(self.is_idle());
    }

    /// Handles an input.
    fn handle_input(self: &Rc<Self>, input: Input) {
        self.accept_input(self.run_loop().now(), input);
        self.pump();
    }

    /// Reports the events, then drains: stanzas that callbacks send travel with the next request.
    fn pump(self: &Rc<Self>) {
        self.report_events();
        self.drain();
        self.report_events();
        self.update_lifecycle();
        self.run_loop().update_ownership(self.is_idle());
    }

    /// Reports the events that wait.
    fn report_events(&self) {
        let run_loop = self.run_loop();
        // Reentered from a callback: the outer loop continues with the added events.
        if run_loop.reporting.replace(true) {
            return;
        }
        // Polled one by one: a handler added because of one event receives the next.
        while let Some(event) = self.poll_event() {
            if let Some(sink) = run_loop.sink() {
                sink.handle_event(event);
            }
        }
        run_loop.reporting.set(false);
    }

    /// Starts or stops listening to changes of the page.
    fn update_lifecycle(self: &Rc<Self>) {
        let lifecycle = &self.run_loop().lifecycle;
        let wanted = self.is_listening();
        if wanted == lifecycle.borrow().is_some() {
            return;
        }
        let listener = wanted.then(|| {
            let driver = Rc::downgrade(self);
            Lifecycle::listen(Box::new(move |change| {
                if let Some(driver) = driver.upgrade() {
                    driver.handle_page(change);
                }
            }))
        });
        lifecycle.replace(listener);
    }

    /// Carries out an action of the network; its inputs come back later.
    fn carry_out(self: &Rc<Self>, transmit: Transmit) {
        let driver = Rc::downgrade(self);
        self.run_loop().network.carry_out(
            transmit,
            Rc::new(move |input| {
                if let Some(driver) = driver.upgrade() {
                    driver.handle_input(input);
                }
            }),
        );
    }

    /// Arms one timer for the earliest deadline.
    fn arm(self: &Rc<Self>, at: Option<Instant>) {
        let run_loop = self.run_loop();
        run_loop.alarm.arm(at, run_loop.time(), &|| {
            let driver = Rc::downgrade(self);
            Rc::new(move || {
                if let Some(driver) = driver.upgrade() {
                    driver.ring();
                }
            })
        });
    }

    /// Handles that the timer has fired.
    fn ring(self: &Rc<Self>) {
        let now = self.run_loop().now();
        if self.run_loop().alarm.ring(now) {
            self.accept_timeout(now);
            self.pump();
        } else {
            self.arm(self.run_loop().alarm.deadline());
        }
    }
}
