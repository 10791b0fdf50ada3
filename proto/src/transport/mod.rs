//! Transports: send elements, detect their delivery, and detect a dead link.
//!
//! A transport owns its reliability: over BOSH by requests and rids; over WebSocket by stream management (XEP-0198), or
//! by pings if the server does not support it. [`Transport`] is the interface to both. A call that has no meaning for a
//! transport is ignored, so the connection does not distinguish the two.
//!
//! A transport knows the stanzas that it sends by itself (pings), and nothing else of XMPP sessions.

pub mod bosh;
mod bosh_body;
mod kind;
mod opening;
mod own_requests;
pub mod stream_management;
pub mod websocket;

use super::error::CloseReason;
use super::event::{Delivery, SendId};
use super::io::{Input, NetworkFailure, Transmit};
use super::random::Ids;
use super::time::{Instant, Millis};
use super::xml::{Element, Unreadable};
use bosh::{Bosh, Trouble};
pub use kind::{Kind, Service};
pub use opening::{Names, Opening, Restored};
use stream_management::{Acknowledged, Lost, Resumption, Suspended};
use websocket::WebSocket;

/// An event of a transport.
#[derive(Clone, Debug)]
pub enum TransportEvent {
    /// The stream is open; its features follow as an element.
    Opened,
    /// A child of the stream, in the order the server sent it.
    Element(Element),
    /// The transport has ended, and the following elements come after elements that were lost.
    Hole,
    /// In a stream by hand, in place of its elements: a whole `<body/>` in request order, or what a frame holds.
    Frame(Element),
    /// Something that cannot be read, in place of an element.
    Unreadable(Unreadable),
    /// The delivery of a sent element is known.
    Settled(SendId, Delivery),
    /// The transport has ended, and this element was never sent.
    Returned(Element, Option<SendId>),
    /// The transport has sent an element of its own: a request for an acknowledgement, or the reply to one.
    OwnSent(Element),
    /// An element for the transport alone was received.
    OwnReceived(Element),
    /// The transport has ended. No event follows.
    Closed(CloseReason),
}

/// A transport of either kind.
pub enum Transport {
    /// XEP-0124.
    Bosh(Box<Bosh>),
    /// RFC 7395.
    WebSocket(Box<WebSocket>),
}

/// The same call on either kind of transport.
macro_rules! each {
    ($transport:expr, $one:ident => $call:expr) => {
        match $transport {
            Transport::Bosh($one) => $call,
            Transport::WebSocket($one) => $call,
        }
    };
}

impl Transport {
    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Sends an element. `name` is settled when its delivery is known ([`TransportEvent::Settled`], or [`Lost`]).
    pub fn send(&mut self, element: Element, name: Option<SendId>) {
        match self {
            Self::Bosh(bosh) => bosh.send(element, name),
            Self::WebSocket(socket) => socket.send(&element, name),
        }
    }

    /// Whether the server is so far behind that no more elements may be sent.
    pub fn is_full(&self) -> bool {
        each!(self, one => one.is_full())
    }

    /// Starts a new stream, after SASL. Over BOSH, the elements queued behind the restart travel with it unless `alone`
    /// is true.
    pub fn restart(&mut self, alone: bool) {
        match self {
            Self::Bosh(bosh) => bosh.restart(alone),
            Self::WebSocket(socket) => socket.restart(),
        }
    }

    /// The session is bound. `management`: the server's reply about stream management, if it was enabled with the
    /// binding (XEP-0386 §4); `offered`: the stream offers it. Returns the unsettled stanzas of a session that was not
    /// resumed.
    pub fn establish(
        &mut self,
        now: Instant,
        management: Option<&Element>,
        offered: bool,
    ) -> Vec<Lost> {
        match self {
            Self::Bosh(bosh) => {
                bosh.establish(now);
                Vec::new()
            }
            Self::WebSocket(socket) => socket.establish(now, management, offered),
        }
    }

    /// Ends the stream in order: the queued elements are sent.
    pub fn close(&mut self, now: Instant, ids: &mut Ids) {
        match self {
            Self::Bosh(bosh) => bosh.close(now),
            Self::WebSocket(socket) => socket.close(now, ids),
        }
    }

    /// Ends the stream for `reason`; notifies the server without waiting for it.
    pub fn dismiss(&mut self, now: Instant, reason: CloseReason) {
        match self {
            Self::Bosh(bosh) => bosh.dismiss(now, reason),
            Self::WebSocket(socket) => socket.dismiss(reason),
        }
    }

    /// Ends the stream at once, without notifying the server.
    pub fn end(&mut self, reason: CloseReason) {
        each!(self, one => one.end(reason));
    }

    /// The server has ended the stream with an error. If the stream is being closed, no reply to that will come.
    pub fn handle_stream_error(&mut self) {
        if let Self::WebSocket(socket) = self {
            socket.handle_stream_error();
        }
    }

    // ── session ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The suspended session to resume on this stream (XEP-0198 §5).
    pub fn resumption(&mut self, now: Instant) -> Option<Resumption> {
        match self {
            Self::Bosh(_) => None,
            Self::WebSocket(socket) => socket.resumption(now),
        }
    }

    /// The suspended session was resumed: resends the stanzas that the server has not received. If the reply does not
    /// fit the session, the stream ends.
    pub fn resume(&mut self, now: Instant, resumed: &Element) -> Acknowledged {
        match self {
            Self::Bosh(_) => Acknowledged::default(),
            Self::WebSocket(socket) => socket.resume(now, resumed),
        }
    }

    /// The server has refused to resume the suspended session.
    pub fn refuse_resumption(&mut self, failed: &Element) -> Acknowledged {
        match self {
            Self::Bosh(_) => Acknowledged::default(),
            Self::WebSocket(socket) => socket.refuse_resumption(failed),
        }
    }

    /// Takes the resumable session of a transport that has ended for `reason`: the next transport resumes it, or its
    /// stanzas are reported as lost. A BOSH session has settled everything by then.
    pub fn suspend(&mut self, now: Instant, reason: &CloseReason) -> Option<Suspended> {
        match self {
            Self::Bosh(_) => None,
            Self::WebSocket(socket) => socket.suspend(now, reason),
        }
    }

    /// Another connection has taken the bound session over: ends the transport without ending the session.
    pub fn forfeit(&mut self) {
        let condition = "item-not-found".to_owned();
        let reason = CloseReason::Terminated { condition };
        match self {
            Self::Bosh(bosh) => bosh.end(reason),
            Self::WebSocket(socket) => socket.forfeit(reason),
        }
    }

    /// The data with which another page continues the bound session, and how long the server keeps the session from now
    /// on. `None` if no session can be continued.
    pub fn snapshot(&self) -> Option<(Element, Millis)> {
        match self {
            Self::Bosh(bosh) if bosh.is_bound() => Some((bosh.snapshot()?, bosh.lasts())),
            Self::Bosh(_) => None,
            Self::WebSocket(socket) => socket.snapshot(),
        }
    }

    /// Handles a reply from the own server or account. Returns true if it answers a request of the transport itself.
    pub fn handle_reply(&mut self, id: &str) -> bool {
        each!(self, one => one.handle_reply(id))
    }

    /// Ignores a second reply with that id.
    pub fn ignore_reply(&mut self, id: String) {
        each!(self, one => one.ignore_reply(id));
    }

    // ── events of the page ──────────────────────────────────────────────────────────────────────────────────────────

    /// Notes whether the caller may be gone at any moment.
    pub fn set_leaving(&mut self, leaving: bool) {
        if let Self::Bosh(bosh) = self {
            bosh.set_leaving(leaving);
        }
    }

    /// Notes whether the caller's timers fire late, as those of a hidden page.
    pub fn set_hidden(&mut self, hidden: bool) {
        if let Self::Bosh(bosh) = self {
            bosh.set_hidden(hidden);
        }
    }

    /// Called when the caller is about to sleep or to be left: asks the server for a pause if it supports pauses
    /// (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        if let Self::Bosh(bosh) = self {
            bosh.pause(now);
        }
    }

    /// Handles a sign that the network works again: waiting requests are repeated now, and the server is asked to
    /// answer.
    pub fn wake(&mut self, now: Instant) {
        each!(self, one => one.wake(now));
    }

    /// The caller prepares a stanza that the server waits for: no empty request is sent before `until`.
    pub fn await_payload(&mut self, until: Instant) {
        if let Self::Bosh(bosh) = self {
            bosh.await_payload(until);
        }
    }

    /// BOSH: the session's id and the rid of the next request; `None` while there is no session.
    pub fn session(&self) -> Option<(&str, u64)> {
        match self {
            Self::Bosh(bosh) => bosh.session(),
            Self::WebSocket(_) => None,
        }
    }

    // ── how it goes ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// The state of a session whose requests break; `None` if no request is broken.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Bosh(bosh) => bosh.trouble(),
            Self::WebSocket(_) => None,
        }
    }

    /// Since when the server has not been reached although requests were repeated, and the number of failed attempts.
    pub fn outage(&self) -> Option<(Instant, u32)> {
        match self {
            Self::Bosh(bosh) => bosh.outage(),
            Self::WebSocket(_) => None,
        }
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles an input of the network.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match self {
            Self::Bosh(bosh) => bosh.handle_input(now, input),
            Self::WebSocket(socket) => socket.handle_input(now, input),
        }
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        each!(self, one => one.poll_event())
    }

    /// The next transmission, oldest first.
    pub fn poll_transmit(&mut self, now: Instant, ids: &mut Ids) -> Option<Transmit> {
        match self {
            Self::Bosh(bosh) => {
                bosh.ask_before_requests(now, ids);
                bosh.poll_transmit(now)
            }
            Self::WebSocket(socket) => socket.poll_transmit(),
        }
    }

    /// Called when nothing else is to be sent: requests an acknowledgement or a sign of life from the server if one is
    /// due. Returns true if it did.
    pub fn ask(&mut self, now: Instant, ids: &mut Ids) -> bool {
        match self {
            Self::Bosh(_) => false,
            Self::WebSocket(socket) => socket.ask(now, false, ids),
        }
    }

    /// When [`Transport::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        each!(self, one => one.poll_timeout())
    }

    /// Advances the time to `now`.
    pub fn handle_timeout(&mut self, now: Instant, ids: &mut Ids) {
        match self {
            Self::Bosh(bosh) => {
                bosh.handle_timeout(now);
                bosh.ask(now, ids);
            }
            Self::WebSocket(socket) => socket.handle_timeout(now),
        }
    }
}

/// The reason of the end after a network failure.
fn reason_of(failure: NetworkFailure) -> CloseReason {
    match failure {
        NetworkFailure::Unreachable => CloseReason::Unreachable,
        NetworkFailure::BlockedByCors => CloseReason::BlockedByCors,
        NetworkFailure::MixedContent => CloseReason::MixedContent,
        NetworkFailure::TooLarge => CloseReason::TooLarge,
        NetworkFailure::Redirected => CloseReason::Redirected,
        NetworkFailure::Unsupported(what) => CloseReason::Unsupported(what),
    }
}
