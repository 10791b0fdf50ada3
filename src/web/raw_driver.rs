//! Drives a stream by hand with the browser's network and time, as `driver.rs` drives a client.
//!
//! No borrow of the stream is held while an event is reported, so a callback may call any method. The end of the page does not end
//! the stream: whether its session is over with the page is the caller's decision.

use super::alarm::Alarm;
use super::clock::now;
use super::global::is_hidden;
use super::http::HttpOptions;
use super::lifecycle::{Lifecycle, PageChange};
use super::network::Network;
use super::platform::ApiOverrides;
use epode_proto::io::{Input, Transmit};
use epode_proto::raw_stream::{RawEvent, RawOutput, RawStream};
use epode_proto::time::Instant;
use js_sys::futures::spawn_local;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// Receives the events. The driver owns the sink while the stream is running, so no other reference is needed.
pub trait RawSink {
    /// Handles an event of the stream.
    fn handle_event(&self, event: RawEvent);

    /// A body or frame was handed to the platform.
    fn handle_sent(&self, text: &str);

    /// Reports whether the driver owns the sink from now on.
    fn set_owned(&self, owned: bool);
}

/// A stream by hand with its network and timer.
pub struct RawDriver {
    stream: RefCell<RawStream>,
    network: Network,
    lifecycle: RefCell<Option<Lifecycle>>,
    hidden: Cell<bool>,
    /// Whether what is sent is reported.
    tapped: Cell<bool>,
    sink: RefCell<Option<Weak<dyn RawSink>>>,
    /// The sink while it is owned. The sink owns the driver: this reference makes a cycle, which ends with the stream.
    owned: RefCell<Option<Rc<dyn RawSink>>>,
    reporting: Cell<bool>,
    alarm: Alarm,
    flush_due: Cell<bool>,
}

impl RawDriver {
    /// Creates a driver; nothing is sent before the stream is opened.
    pub fn new(
        stream: RawStream,
        options: HttpOptions,
        platform: Rc<dyn ApiOverrides>,
    ) -> Rc<Self> {
        Rc::new(Self {
            stream: RefCell::new(stream),
            network: Network::new(options, platform),
            lifecycle: RefCell::default(),
            hidden: Cell::new(false),
            tapped: Cell::new(false),
            sink: RefCell::default(),
            owned: RefCell::default(),
            reporting: Cell::new(false),
            alarm: Alarm::default(),
            flush_due: Cell::new(false),
        })
    }

    /// Sets the receiver of events.
    pub fn listen(&self, sink: Weak<dyn RawSink>) {
        self.sink.replace(Some(sink));
    }

    fn sink(&self) -> Option<Rc<dyn RawSink>> {
        self.sink.borrow().as_ref().and_then(Weak::upgrade)
    }

    /// Reports what is sent, or stops doing so.
    pub fn tap(&self, on: bool) {
        self.tapped.set(on);
    }

    /// Reads the stream.
    pub fn read<R>(&self, read: impl FnOnce(&RawStream) -> R) -> R {
        read(&self.stream.borrow())
    }

    /// Changes the stream. What one turn of the event loop sends travels together, at its end; with `now_or_never`, it is handed
    /// to the platform before this returns, since the page may be gone the next moment.
    pub fn change<R>(
        self: &Rc<Self>,
        now_or_never: bool,
        change: impl FnOnce(&mut RawStream, Instant) -> R,
    ) -> R {
        let result = change(&mut self.stream.borrow_mut(), now());
        self.flush(now_or_never);
        result
    }

    /// Carries out the outputs, now or at the end of the turn. Not a part of `change`, of which there is one copy for each call.
    #[inline(never)]
    fn flush(self: &Rc<Self>, now_or_never: bool) {
        if now_or_never {
            self.drain();
        }
        if !self.flush_due.replace(true) {
            // The owner may release the driver in the same turn: keep it alive until the turn is done.
            let driver = Rc::clone(self);
            spawn_local(async move {
                driver.flush_due.set(false);
                driver.pump();
            });
        }
        self.update_ownership();
    }

    /// Stops the driver: no answer, timer or event follows.
    pub fn shut(&self) {
        self.stream.borrow_mut().abort(now());
        self.sink.replace(None);
        self.disown();
        self.alarm.stop();
        self.network.close();
        self.lifecycle.replace(None);
    }

    /// Owns the sink until the stream is at its end and that has been reported.
    fn update_ownership(&self) {
        let running = self.stream.borrow().is_running();
        let owned = self.owned.borrow().is_some();
        if running && !owned {
            let sink = self.sink();
            if let Some(sink) = &sink {
                sink.set_owned(true);
            }
            self.owned.replace(sink);
        } else if !running && owned && !self.reporting.get() && !self.flush_due.get() {
            self.disown();
        }
    }

    fn disown(&self) {
        let sink = self.owned.take();
        if let Some(sink) = sink {
            sink.set_owned(false);
        }
    }

    /// Listens to the page while the stream is running.
    fn update_lifecycle(self: &Rc<Self>) {
        let wanted = self.stream.borrow().is_running();
        if wanted == self.lifecycle.borrow().is_some() {
            return;
        }
        let lifecycle = wanted.then(|| {
            let driver = Rc::downgrade(self);
            Lifecycle::listen(Box::new(move |change| {
                if let Some(driver) = driver.upgrade() {
                    driver.handle_page(change);
                }
            }))
        });
        self.lifecycle.replace(lifecycle);
    }

    fn handle_page(self: &Rc<Self>, change: PageChange) {
        {
            let mut stream = self.stream.borrow_mut();
            match change {
                PageChange::Awake => {
                    stream.set_leaving(false);
                    stream.wake(now());
                }
                PageChange::Parting | PageChange::Leaving | PageChange::Resting => {
                    stream.set_leaving(true);
                }
                PageChange::Hidden => {}
            }
        }
        self.pump();
    }

    /// Reports the events, then drains: what callbacks send travels with the next request.
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
            let event = self.stream.borrow_mut().poll_event();
            let Some(event) = event else { break };
            if let Some(sink) = self.sink() {
                sink.handle_event(event);
            }
        }
        self.reporting.set(false);
    }

    fn drain(self: &Rc<Self>) {
        // Read once: each reading is a call of the platform, and nothing here waits.
        let now = now();
        let hidden = is_hidden();
        if self.hidden.replace(hidden) != hidden {
            let input = Input::Visibility { hidden };
            self.stream.borrow_mut().handle_input(now, input);
        }
        loop {
            let output = self.stream.borrow_mut().poll_output(now);
            let transmit = match output {
                RawOutput::Transmit(transmit) => transmit,
                RawOutput::Timeout(at) => return self.arm(at, now),
            };
            let text = match &transmit {
                Transmit::Http { body: text, .. } | Transmit::Frame { text, .. } => {
                    Some(Rc::clone(text)).filter(|_| self.tapped.get())
                }
                _ => None,
            };
            let driver = Rc::downgrade(self);
            self.network.carry_out(
                transmit,
                Rc::new(move |input| {
                    if let Some(driver) = driver.upgrade() {
                        let now = super::clock::now();
                        driver.stream.borrow_mut().handle_input(now, input);
                        driver.pump();
                    }
                }),
            );
            if let (Some(text), Some(sink)) = (text, self.sink()) {
                sink.handle_sent(&text);
            }
        }
    }

    /// Arms one timer for the earliest deadline.
    fn arm(self: &Rc<Self>, at: Option<Instant>, now: Instant) {
        self.alarm.arm(at, now, &|| self.later(Self::ring));
    }

    fn ring(self: &Rc<Self>) {
        let now = now();
        if self.alarm.ring(now) {
            self.stream.borrow_mut().handle_timeout(now);
            self.pump();
        } else {
            self.arm(self.alarm.deadline(), now);
        }
    }

    /// A callback that acts on the driver if it is still there.
    fn later(self: &Rc<Self>, act: impl Fn(&Rc<Self>) + 'static) -> Rc<dyn Fn()> {
        let driver = Rc::downgrade(self);
        Rc::new(move || {
            if let Some(driver) = driver.upgrade() {
                act(&driver);
            }
        })
    }
}
