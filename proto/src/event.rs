//! What a connection tells whoever uses it.

use super::error::CloseReason;
use super::jid::Jid;
use super::stanza::StanzaError;
use super::time::Instant;
use super::xml::{Element, Unreadable};
use std::rc::Rc;

/// Names a stanza given to `Connection::send`, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub u32);

/// Names an iq request, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IqId(pub u32);

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The state changed.
    Status(Status),
    /// A login begins: answer with `Input::Credentials`, now or later.
    CredentialsWanted,
    /// What is remembered of the services is another now: `Connection::memory`.
    Learned,
    /// The account was made ([`Goal::Register`](super::session::Goal::Register)).
    Registered,
    /// A stanza arrived that is not the reply to one of our requests.
    Stanza(Element),
    /// The session is at its end, and stanzas of it were lost: those that follow were sent after them. A new session can close
    /// the hole where a service has stored what it sent.
    Hole,
    /// Something arrived that cannot be read. It counts as received (XEP-0198) and is lost; the session goes on.
    Unreadable(Unreadable),
    /// A request is settled.
    Reply {
        /// Which.
        request: IqId,
        /// The reply of type `result`, or why there is none.
        outcome: Result<Element, RequestFailure>,
    },
    /// What became of a stanza that was sent.
    Settled {
        /// Which.
        send: SendId,
        /// What is known.
        delivery: Delivery,
    },
    /// An element was given to the transport; only while tapped. Secrets are masked.
    Sent(Rc<str>),
    /// An element arrived; only while tapped. Secrets are masked.
    Received(Rc<str>),
}

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// Reaching the service and opening the stream.
    Connecting,
    /// Proving who we are.
    Authenticating,
    /// Asking for a resource.
    Binding,
    /// Bound: a new session is there. What the page had in one before it, rooms and subscriptions, is not in it.
    Online(Jid),
    /// The session goes on as if nothing had happened.
    Resumed(Jid),
    /// The network or the server is away; what is sent is kept. Tried again.
    Interrupted(Box<Interruption>),
    /// Saying good-bye.
    Disconnecting,
    /// No connection, and why.
    Offline(CloseReason),
}

/// Why there is no connection for a while, and when that is tried to be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruption {
    /// What happened.
    pub reason: CloseReason,
    /// When the next attempt is due.
    pub retry_at: Instant,
    /// Which attempt that will be, from 1.
    pub attempt: u32,
}

/// What is known of a stanza that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The server has taken it.
    Delivered,
    /// It never left: the server has not seen it.
    Undelivered,
    /// It left, and the connection ended before the server confirmed it.
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
