//! Drives a stream by hand (`run_loop.rs`).
//!
//! The end of the page does not end the stream: whether its session is over with the page is the caller's decision.

use super::http::HttpOptions;
use super::lifecycle::PageChange;
use super::platform::ApiOverrides;
use super::run_loop::{Driven, EventSink, RunLoop};
use epode_proto::io::{Input, Transmit};
use epode_proto::raw_stream::{RawEvent, RawOutput, RawStream};
use epode_proto::time::Instant;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

/// What a stream by hand reports.
pub enum StreamEvent {
    /// An event of the stream.
    Stream(RawEvent),
    /// A body or frame was handed to the platform. Reported by [`RawDriver::tap`] alone.
    Sent(Rc<str>),
}

/// A stream by hand with its network and timer.
pub struct RawDriver {
    stream: RefCell<RawStream>,
    run_loop: RunLoop<StreamEvent>,
    /// Whether what is sent is reported.
    tapped: Cell<bool>,
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
            run_loop: RunLoop::new(options, platform),
            tapped: Cell::new(false),
        })
    }

    /// Sets the receiver of events.
    pub fn listen(&self, sink: Weak<dyn EventSink<StreamEvent>>) {
        self.run_loop.listen(sink);
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
        let result = change(&mut self.stream.borrow_mut(), self.run_loop.now());
        if now_or_never {
            self.drain();
        }
        self.flush_later();
        result
    }

    /// Stops the driver: no response, timer or event follows.
    pub fn shut(&self) {
        self.stream.borrow_mut().abort(self.run_loop.now());
        self.run_loop.shut();
    }
}

impl Driven for RawDriver {
    type Event = StreamEvent;

    fn run_loop(&self) -> &RunLoop<StreamEvent> {
        &self.run_loop
    }

    fn is_idle(&self) -> bool {
        !self.is_listening()
    }

    fn is_listening(&self) -> bool {
        self.stream.borrow().is_running()
    }

    fn poll_event(&self) -> Option<StreamEvent> {
        let event = self.stream.borrow_mut().poll_event();
        event.map(StreamEvent::Stream)
    }

    fn accept_input(&self, now: Instant, input: Input) {
        self.stream.borrow_mut().handle_input(now, input);
    }

    fn accept_timeout(&self, now: Instant) {
        self.stream.borrow_mut().handle_timeout(now);
    }

    fn handle_page(self: &Rc<Self>, change: PageChange) {
        {
            let mut stream = self.stream.borrow_mut();
            match change {
                PageChange::Awake => {
                    stream.set_leaving(false);
                    stream.wake(self.run_loop.now());
                }
                PageChange::Parting | PageChange::Leaving | PageChange::Resting => {
                    stream.set_leaving(true);
                }
                PageChange::Hidden => {}
            }
        }
        self.pump();
    }

    fn drain(self: &Rc<Self>) {
        if let Some(input) = self.run_loop.poll_visibility() {
            self.accept_input(self.run_loop.time(), input);
        }
        loop {
            // The page may send while it is shown a text: then the clock has been read since.
            let output = self.stream.borrow_mut().poll_output(self.run_loop.time());
            let transmit = match output {
                RawOutput::Transmit(transmit) => transmit,
                RawOutput::Timeout(at) => return self.arm(at),
            };
            let text = match &transmit {
                Transmit::Http { body: text, .. } | Transmit::Frame { text, .. } => {
                    Some(Rc::clone(text)).filter(|_| self.tapped.get())
                }
                _ => None,
            };
            self.carry_out(transmit);
            if let (Some(text), Some(sink)) = (text, self.run_loop.sink()) {
                sink.handle_event(StreamEvent::Sent(text));
            }
        }
    }
}
