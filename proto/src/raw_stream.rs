//! A stream whose caller logs in and uses it step by step: [`RawStream`].
//!
//! Specifications: XEP-0124 1.11.2, XEP-0206 1.4, RFC 7395.
//!
//! The transport keeps the order, repeats what breaks, keeps to limits and deadlines, and ends in order. The caller gets every
//! frame, in order, and sends any element. Left out, because it is the caller's business: SASL, binding, presence, replies, stream
//! management, reconnecting, redirects (they are reported), and whether a silent server is still there.

use super::error::{CloseReason, Phase};
use super::io::{Input, Transmit};
use super::prepare::{BadOption, prepare_domain, prepare_language};
use super::random::{Ids, Random};
use super::stream::error::StreamError;
use super::time::{Instant, Millis};
use super::transport::bosh::BoshConfig;
use super::transport::{Kind, Names, Opening, Service, Transport, TransportEvent};
use super::unicode::Unicode;
use super::xml::{Element, XmlError};
use std::collections::VecDeque;

/// How a stream by hand is opened.
#[derive(Clone, Debug)]
pub struct RawConfig {
    /// The service.
    pub service: Service,
    /// The domain to reach and how BOSH carries the stream. `address`, `foreign` and `by_hand` are set by [`RawStream::new`].
    pub bosh: BoshConfig,
    /// How long opening the stream may take.
    pub timeout: Millis,
}

impl RawConfig {
    /// The defaults for a service.
    pub fn for_service(service: Service, domain: &str) -> Self {
        Self {
            service,
            bosh: BoshConfig::for_domain(domain),
            timeout: Millis::seconds(30),
        }
    }

    /// Brings the options into the form in which they are sent.
    ///
    /// # Errors
    /// The first option that cannot be sent.
    pub fn prepare(&mut self, unicode: &dyn Unicode) -> Result<(), BadOption> {
        let domain = prepare_domain(&self.bosh.to, unicode)?;
        domain.domain().clone_into(&mut self.bosh.to);
        prepare_language(&mut self.bosh.lang)
    }
}

/// What happens on a stream by hand.
#[derive(Clone, Debug, PartialEq)]
pub enum RawEvent {
    /// A whole `<body/>` in request order, or one element of a WebSocket frame, `<open/>` and `<close/>` included.
    Frame(Element),
    /// An element was sent and has not left: it was in no request when the BOSH session ended. Before [`RawEvent::Closed`], in order.
    Unsent(Element),
    /// The stream is at its end; [`CloseReason::Requested`] if the caller closed it. Nothing follows.
    Closed(CloseReason),
}

/// One step of [`RawStream::poll_output`]. [`RawOutput::Timeout`] is always the last.
#[derive(Clone, Debug)]
pub enum RawOutput {
    /// For the network.
    Transmit(Transmit),
    /// No output until an input or this time, when [`RawStream::handle_timeout`] is due.
    Timeout(Option<Instant>),
}

/// Why something was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawSendError {
    /// The stream is not opened, or at its end.
    NotOpen,
    /// So much waits to be sent that the server must be far behind.
    Full,
}

/// A stream by hand. Used once: a new stream needs a new one.
pub struct RawStream {
    config: RawConfig,
    transport: Option<Transport>,
    ids: Ids,
    random: Box<dyn Random>,
    hidden: bool,
    leaving: bool,
    /// Until when the stream must be open.
    deadline: Option<Instant>,
    /// The server's stream error, which says more than the end that follows it.
    error: Option<StreamError>,
    closed: bool,
    events: VecDeque<RawEvent>,
}

impl RawStream {
    /// A stream that is not opened.
    pub fn new(mut config: RawConfig, mut random: Box<dyn Random>) -> Self {
        config.bosh.address = config.service.address.clone();
        config.bosh.foreign = false;
        config.bosh.by_hand = true;
        Self {
            config,
            transport: None,
            ids: Ids::new(random.as_mut()),
            random,
            hidden: false,
            leaving: false,
            deadline: None,
            error: None,
            closed: false,
            events: VecDeque::new(),
        }
    }

    // ── how it is ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether it has been opened and its end has not come.
    pub fn is_running(&self) -> bool {
        self.transport.is_some() && !self.closed
    }

    /// Whether the service is a BOSH service.
    pub fn is_bosh(&self) -> bool {
        self.config.service.kind == Kind::Bosh
    }

    /// The address of the service.
    pub fn service(&self) -> &str {
        &self.config.service.address
    }

    /// BOSH: the session's id and the rid of the next request; `None` while there is no session.
    pub fn session(&self) -> Option<(&str, u64)> {
        self.transport.as_ref().and_then(Transport::session)
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn opening(&self) -> Opening {
        Opening {
            kind: self.config.service.kind,
            bosh: self.config.bosh.clone(),
            open_within: None,
            silence: self.config.timeout,
            stream_management: false,
            hidden: self.hidden,
        }
    }

    /// Opens the stream. False, and nothing begins, if it was opened before.
    pub fn open(&mut self, now: Instant) -> bool {
        if self.transport.is_some() {
            return false;
        }
        let opening = self.opening();
        let random = self.random.as_mut();
        let transport = Transport::open(opening, now, Names::default(), random, &mut None);
        self.deadline = Some(now + self.config.timeout);
        self.begin(transport);
        true
    }

    /// Goes on with a BOSH session that was made elsewhere, with `rid` as that of the next request. False, and nothing begins, if it
    /// cannot be one, or the stream was opened before.
    pub fn attach(&mut self, sid: &str, rid: u64) -> bool {
        if self.transport.is_some() || !self.config.service.kind.can_attach() {
            return false;
        }
        let Some(transport) = Transport::attach(self.opening(), Names::default(), sid, rid) else {
            return false;
        };
        self.begin(transport);
        true
    }

    fn begin(&mut self, mut transport: Transport) {
        transport.set_leaving(self.leaving);
        self.transport = Some(transport);
    }

    /// The transport, while something can be sent.
    fn ready(&mut self) -> Result<&mut Transport, RawSendError> {
        let closed = self.closed;
        let transport = self.transport.as_mut().filter(|_| !closed);
        transport.ok_or(RawSendError::NotOpen)
    }

    /// Sends elements, stanzas or not, together: over BOSH in one request, as far as it takes them (64 KiB). What is sent before the
    /// stream is open leaves with the request that opens it, or right behind `<open/>`.
    ///
    /// # Errors
    /// Nothing was sent.
    pub fn send(&mut self, elements: Vec<Element>) -> Result<(), RawSendError> {
        let transport = self.ready()?;
        if transport.is_full() {
            return Err(RawSendError::Full);
        }
        for element in elements {
            transport.send(element, None);
        }
        Ok(())
    }

    /// Starts a new stream in the session, after SASL (XEP-0206 §5, RFC 7395 §3.7).
    ///
    /// # Errors
    /// There is no stream.
    pub fn restart(&mut self) -> Result<(), RawSendError> {
        self.ready()?.restart(true);
        Ok(())
    }

    /// Ends the stream in order, with `last` as the last elements. A stream that is not open yet ends at once. Nothing happens if
    /// there is none.
    pub fn close(&mut self, now: Instant, last: Vec<Element>) {
        if let Some(transport) = self.transport.as_mut() {
            for element in last {
                transport.send(element, None);
            }
            transport.close(now, &mut self.ids);
        }
        self.settle(now);
    }

    /// Ends the stream at once; the server is not told.
    pub fn abort(&mut self, now: Instant) {
        self.end(CloseReason::Requested);
        self.settle(now);
    }

    fn end(&mut self, reason: CloseReason) {
        if let Some(transport) = &mut self.transport {
            transport.end(reason);
        }
    }

    /// There is a sign that the network works again, or the page woke: what waits to be repeated is repeated now.
    pub fn wake(&mut self, now: Instant) {
        if let Some(transport) = &mut self.transport {
            transport.wake(now);
        }
    }

    /// Whether the caller may be gone the next moment.
    pub fn set_leaving(&mut self, leaving: bool) {
        self.leaving = leaving;
        if let Some(transport) = &mut self.transport {
            transport.set_leaving(leaving);
        }
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles what the network has to say.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        if let Input::Visibility { hidden } = input {
            self.hidden = hidden;
            if let Some(transport) = &mut self.transport {
                transport.set_hidden(hidden);
            }
        } else if let Some(transport) = &mut self.transport {
            transport.handle_input(now, input);
        }
        self.settle(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|at| now >= at) {
            self.end(CloseReason::TimedOut(Phase::Connecting));
        } else if let Some(transport) = &mut self.transport {
            transport.handle_timeout(now, &mut self.ids);
        }
        self.settle(now);
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<RawEvent> {
        self.events.pop_front()
    }

    /// What to do next.
    pub fn poll_output(&mut self, now: Instant) -> RawOutput {
        let transport = self.transport.as_mut();
        let transmit = transport.and_then(|one| one.poll_transmit(now, &mut self.ids));
        self.settle(now);
        match transmit {
            Some(transmit) => RawOutput::Transmit(transmit),
            None if self.closed => RawOutput::Timeout(None),
            None => {
                let transport = self.transport.as_ref().and_then(Transport::poll_timeout);
                RawOutput::Timeout([transport, self.deadline].into_iter().flatten().min())
            }
        }
    }

    /// Handles what the transport has to say, until it is silent.
    fn settle(&mut self, now: Instant) {
        while let Some(event) = self.transport.as_mut().and_then(Transport::poll_event) {
            match event {
                TransportEvent::Opened => self.deadline = None,
                TransportEvent::Frame(frame) => self.handle_frame(now, frame),
                TransportEvent::Unreadable(unreadable) => {
                    let reason = match unreadable.error {
                        XmlError::TooLarge => CloseReason::TooLarge,
                        error => CloseReason::BadXml(error),
                    };
                    self.dismiss(now, reason);
                }
                TransportEvent::Returned(element, _) => {
                    self.events.push_back(RawEvent::Unsent(element));
                }
                TransportEvent::Closed(reason) => self.handle_closed(reason),
                // Nothing is sent under a name, and a transport by hand sends nothing of its own. A lost answer shows in the frames.
                TransportEvent::Element(_)
                | TransportEvent::Hole
                | TransportEvent::Settled(..)
                | TransportEvent::OwnSent(_)
                | TransportEvent::OwnReceived(_) => {}
            }
        }
    }

    fn dismiss(&mut self, now: Instant, reason: CloseReason) {
        if let Some(transport) = &mut self.transport {
            transport.dismiss(now, reason);
        }
    }

    /// A frame goes to the caller. A stream error in it ends the stream (RFC 6120 §4.9.1.1).
    fn handle_frame(&mut self, now: Instant, frame: Element) {
        let in_body = || frame.children().find_map(|one| StreamError::parse(&one));
        let error = match self.config.service.kind {
            Kind::Bosh => in_body(),
            Kind::WebSocket => StreamError::parse(&frame),
        };
        self.events.push_back(RawEvent::Frame(frame));
        if let Some(error) = error {
            self.error = Some(error.clone());
            if let Some(transport) = &mut self.transport {
                transport.handle_stream_error();
            }
            self.dismiss(now, CloseReason::Stream(Box::new(error)));
        }
    }

    fn handle_closed(&mut self, reason: CloseReason) {
        self.closed = true;
        self.deadline = None;
        let reason = match self.error.take() {
            Some(error) if reason != CloseReason::Requested => CloseReason::Stream(Box::new(error)),
            _ => reason,
        };
        self.events.push_back(RawEvent::Closed(reason));
    }
}
