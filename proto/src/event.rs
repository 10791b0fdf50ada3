//! Events that a connection reports.

use super::error::CloseReason;
use super::jid::Jid;
use super::stanza::StanzaError;
use super::time::Instant;
use super::xml::{Element, Unreadable};
use std::rc::Rc;

/// The id of a stanza passed to `Connection::send`, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub u32);

/// The id of an iq request, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IqId(pub u32);

/// An event of the connection.
#[derive(Clone, Debug)]
pub enum Event {
    /// The state changed.
    Status(Status),
    /// A login begins: answer with `Input::Credentials`, now or later.
    CredentialsWanted,
    /// The remembered facts about the services changed: store `Connection::memory`.
    Learned,
    /// The account was registered ([`Goal::Register`](super::session::Goal::Register)).
    Registered,
    /// A stanza arrived that is not the reply to one of our requests.
    Stanza(Element),
    /// The session is ending and stanzas of it were lost before those that follow. A new session can close
    /// the gap if a service has stored what it sent.
    Hole,
    /// Unreadable input: counted as received (XEP-0198), then discarded; the session continues.
    Unreadable(Unreadable),
    /// A request is settled.
    Reply {
        /// The id of the request.
        request: IqId,
        /// The reply of type `result`, or the reason why there is none.
        outcome: Result<Element, RequestFailure>,
    },
    /// Delivery of a sent stanza.
    Settled {
        /// The id of the stanza.
        send: SendId,
        /// The delivery.
        delivery: Delivery,
    },
    /// An element was given to the transport; only while tapped. Secrets are masked.
    Sent(Rc<str>),
    /// An element arrived; only while tapped. Secrets are masked.
    Received(Rc<str>),
}

/// The state of the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Reaching the service and opening the stream.
    Connecting,
    /// Authenticating.
    Authenticating,
    /// Binding a resource.
    Binding,
    /// Bound: a new session exists, without the rooms and subscriptions of an earlier one.
    Online(Jid),
    /// The session was resumed; nothing was lost.
    Resumed(Jid),
    /// The network or the server is unreachable; sent stanzas are queued, and the connection is retried.
    Interrupted(Box<Interruption>),
    /// Closing the session.
    Disconnecting,
    /// No connection, with the reason.
    Offline(CloseReason),
}

/// Why the connection is interrupted and when the next attempt is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruption {
    /// The reason.
    pub reason: CloseReason,
    /// When the next attempt is due.
    pub retry_at: Instant,
    /// The number of the next attempt, from 1.
    pub attempt: u32,
}

/// The delivery of a sent stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The server has received the stanza.
    Delivered,
    /// The stanza was never sent.
    Undelivered,
    /// The stanza was sent, but the connection ended before the server acknowledged it.
    Unknown,
}

/// Why a request has no result.
#[derive(Clone, Debug)]
pub enum RequestFailure {
    /// The reply is an error.
    Refused {
        /// As parsed.
        error: StanzaError,
        /// The whole reply.
        reply: Element,
    },
    /// No reply in time.
    TimedOut,
    /// The connection ended first.
    Disconnected,
}
