//! Transports: how elements travel. A transport never looks inside a stanza, and knows nothing of sessions.

pub mod bosh;
mod bosh_body;
pub mod stream_management;
pub mod websocket;

use super::error::CloseReason;
use super::event::{Delivery, SendId};
use super::io::Transmit;
use super::time::Instant;
use super::xml::{Element, Unreadable};
use bosh::Bosh;
use std::rc::Rc;
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
    /// Something that cannot be read, in place of an element.
    Unreadable(Unreadable),
    /// What became of an element that was sent under a name.
    Settled(SendId, Delivery),
    /// An element that never left, now that the transport is at its end.
    Returned(Element, Option<SendId>),
    /// The server has taken all that was sent.
    Taken,
    /// The transport is at its end. Nothing follows.
    Closed(CloseReason),
}

/// Which transport a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// XEP-0124.
    Bosh,
    /// RFC 7395.
    WebSocket,
}

/// Where to connect.
#[derive(Clone, Debug)]
pub struct Service {
    /// How.
    pub kind: Kind,
    /// The absolute address.
    pub address: Rc<str>,
    /// May a password be shown to it? True over TLS and on loopback.
    pub confidential: bool,
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
    /// Queues an element. BOSH settles `name` when it is known what became of it; over WebSocket that is
    /// [`stream_management`]'s business.
    pub fn send(&mut self, element: Element, name: Option<SendId>) {
        match self {
            Self::Bosh(bosh) => bosh.send(element, name),
            Self::WebSocket(socket) => socket.send(&element),
        }
    }

    /// Starts a new stream, after SASL. Over BOSH, what is queued behind it travels with it unless it goes `alone`.
    pub fn restart(&mut self, alone: bool) {
        match self {
            Self::Bosh(bosh) => bosh.restart(alone),
            Self::WebSocket(socket) => socket.restart(),
        }
    }

    /// Ends the stream in order: what is queued is sent.
    pub fn close(&mut self, now: Instant) {
        each!(self, one => one.close(now));
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

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        each!(self, one => one.poll_event())
    }

    /// What the network should do, oldest first.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        match self {
            Self::Bosh(bosh) => bosh.poll_transmit(now),
            Self::WebSocket(socket) => socket.poll_transmit(),
        }
    }

    /// When `handle_timeout` is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        each!(self, one => one.poll_timeout())
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        each!(self, one => one.handle_timeout(now));
    }
}
