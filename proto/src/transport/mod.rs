//! Transports: how elements travel, how it is known that they have arrived, and when they leave.
//!
//! A transport owns its reliability. Over BOSH that is requests and rids; over WebSocket it is stream management (XEP-0198), or
//! pings where a server has none. [`Transport`] is the one interface to both: what a transport has no use for, it ignores. The
//! connection above never asks which of the two it has.
//! A transport knows the stanzas that it sends for itself (pings), and nothing else of XMPP's sessions.

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

/// What a transport tells the connection.
#[derive(Clone, Debug)]
pub enum TransportEvent {
    /// The stream is open; its features follow as an element.
    Opened,
    /// A child of the stream, in the order the server sent it.
    Element(Element),
    /// The transport is at its end, and what follows comes behind elements that were lost.
    Hole,
    /// In a stream by hand, in place of its elements: a whole `<body/>` in request order, or what a frame holds.
    Frame(Element),
    /// Something that cannot be read, in place of an element.
    Unreadable(Unreadable),
    /// What became of an element that was sent under a name.
    Settled(SendId, Delivery),
    /// An element that never left, now that the transport is at its end.
    Returned(Element, Option<SendId>),
    /// An element of the transport's own was sent: a question whether something has arrived, or the answer to one.
    OwnSent(Element),
    /// An element came that concerns the transport alone.
    OwnReceived(Element),
    /// The transport is at its end. Nothing follows.
    Closed(CloseReason),
}

/// One of the two.
pub enum Transport {
    /// XEP-0124.
    Bosh(Box<Bosh>),
    /// RFC 7395.
    WebSocket(Box<WebSocket>),
}

/// The same call on whichever it is.
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

    /// Sends an element. `name` is settled when it is known what became of it ([`TransportEvent::Settled`], or [`Lost`]).
    pub fn send(&mut self, element: Element, name: Option<SendId>) {
        match self {
            Self::Bosh(bosh) => bosh.send(element, name),
            Self::WebSocket(socket) => socket.send(&element, name),
        }
    }

    /// Whether the server is so far behind that nothing more is to be sent.
    pub fn is_full(&self) -> bool {
        each!(self, one => one.is_full())
    }

    /// Starts a new stream, after SASL. Over BOSH, what is queued behind it travels with it unless it goes `alone`.
    pub fn restart(&mut self, alone: bool) {
        match self {
            Self::Bosh(bosh) => bosh.restart(alone),
            Self::WebSocket(socket) => socket.restart(),
        }
    }

    /// The session is bound. `management`: what the server says of stream management, where that was enabled together with the
    /// binding (XEP-0386 §4); `offered`: the stream offers it. Returns what a session that was not resumed has lost.
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

    /// Ends the stream in order: what is queued is sent.
    pub fn close(&mut self, now: Instant, ids: &mut Ids) {
        match self {
            Self::Bosh(bosh) => bosh.close(now),
            Self::WebSocket(socket) => socket.close(now, ids),
        }
    }

    /// Ends it for `reason`, with a good-bye whose answer nobody waits for.
    pub fn dismiss(&mut self, now: Instant, reason: CloseReason) {
        match self {
            Self::Bosh(bosh) => bosh.dismiss(now, reason),
            Self::WebSocket(socket) => socket.dismiss(reason),
        }
    }

    /// Ends it here and now, without a word to the server.
    pub fn end(&mut self, reason: CloseReason) {
        each!(self, one => one.end(reason));
    }

    /// The server has ended the stream with an error. If it was to be closed in order, no answer to that comes.
    pub fn handle_stream_error(&mut self) {
        if let Self::WebSocket(socket) = self {
            socket.handle_stream_error();
        }
    }

    // ── the session under it ────────────────────────────────────────────────────────────────────────────────────────

    /// The suspended session that is to be resumed on this stream (XEP-0198 §5).
    pub fn resumption(&mut self, now: Instant) -> Option<Resumption> {
        match self {
            Self::Bosh(_) => None,
            Self::WebSocket(socket) => socket.resumption(now),
        }
    }

    /// The suspended session goes on: what the server has not had is sent once more. If the answer does not fit the session, the
    /// stream ends.
    pub fn resume(&mut self, now: Instant, resumed: &Element) -> Acknowledged {
        match self {
            Self::Bosh(_) => Acknowledged::default(),
            Self::WebSocket(socket) => socket.resume(now, resumed),
        }
    }

    /// The server does not resume the suspended session.
    pub fn refuse_resumption(&mut self, failed: &Element) -> Acknowledged {
        match self {
            Self::Bosh(_) => Acknowledged::default(),
            Self::WebSocket(socket) => socket.refuse_resumption(failed),
        }
    }

    /// What is left of the session, now that the transport has ended for `reason`: for the next transport to resume, or to tell what
    /// is lost. BOSH has settled everything by then.
    pub fn suspend(&mut self, now: Instant, reason: &CloseReason) -> Option<Suspended> {
        match self {
            Self::Bosh(_) => None,
            Self::WebSocket(socket) => socket.suspend(now, reason),
        }
    }

    /// The bound session has gone on elsewhere: leaves it alone, and ends.
    pub fn forfeit(&mut self) {
        let condition = "item-not-found".to_owned();
        let reason = CloseReason::Terminated { condition };
        match self {
            Self::Bosh(bosh) => bosh.end(reason),
            Self::WebSocket(socket) => socket.forfeit(reason),
        }
    }

    /// All that another page needs to go on with the bound session, and how long the server keeps it from now on. `None` if there is
    /// no session that could go on.
    pub fn snapshot(&self) -> Option<(Element, Millis)> {
        match self {
            Self::Bosh(bosh) if bosh.is_bound() => Some((bosh.snapshot()?, bosh.lasts())),
            Self::Bosh(_) => None,
            Self::WebSocket(socket) => socket.snapshot(),
        }
    }

    /// A reply of that id has come from our own side: true if it answers a request of the transport's own.
    pub fn handle_reply(&mut self, id: &str) -> bool {
        each!(self, one => one.handle_reply(id))
    }

    /// A second reply of that id may come, which is to be ignored.
    pub fn ignore_reply(&mut self, id: String) {
        each!(self, one => one.ignore_reply(id));
    }

    // ── what the page does ──────────────────────────────────────────────────────────────────────────────────────────

    /// Whether the caller may be gone the next moment.
    pub fn set_leaving(&mut self, leaving: bool) {
        if let Self::Bosh(bosh) = self {
            bosh.set_leaving(leaving);
        }
    }

    /// Whether the caller's timers fire late, as those of a hidden page.
    pub fn set_hidden(&mut self, hidden: bool) {
        if let Self::Bosh(bosh) = self {
            bosh.set_hidden(hidden);
        }
    }

    /// The caller is about to sleep, or to go: where the server lets sessions pause, it is asked to (XEP-0124 §10).
    pub fn pause(&mut self, now: Instant) {
        if let Self::Bosh(bosh) = self {
            bosh.pause(now);
        }
    }

    /// There is a sign that the network works again: what waits is tried now, and the server is asked whether it is there.
    pub fn wake(&mut self, now: Instant) {
        each!(self, one => one.wake(now));
    }

    /// What the server waits for is being prepared: nothing is sent only to be answered before `until`.
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

    /// The state of a session whose requests break; `None` when all is well.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Bosh(bosh) => bosh.trouble(),
            Self::WebSocket(_) => None,
        }
    }

    /// Since when the server has not been reached, though the session was tried to be saved, and how often in vain.
    pub fn outage(&self) -> Option<(Instant, u32)> {
        match self {
            Self::Bosh(bosh) => bosh.outage(),
            Self::WebSocket(_) => None,
        }
    }

    // ── the run loop ────────────────────────────────────────────────────────────────────────────────────────────────

    /// The network has something for it.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match self {
            Self::Bosh(bosh) => bosh.handle_input(now, input),
            Self::WebSocket(socket) => socket.handle_input(now, input),
        }
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        each!(self, one => one.poll_event())
    }

    /// What the network should do, oldest first.
    pub fn poll_transmit(&mut self, now: Instant, ids: &mut Ids) -> Option<Transmit> {
        match self {
            Self::Bosh(bosh) => {
                bosh.ask_along(now, ids);
                bosh.poll_transmit(now)
            }
            Self::WebSocket(socket) => socket.poll_transmit(),
        }
    }

    /// There is nothing else to be sent: asks the server what has arrived, or whether it is there, if that is due. True if it did.
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

    /// Time has passed.
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

/// Why a network that failed ends a transport.
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
