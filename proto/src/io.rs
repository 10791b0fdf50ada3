//! Inputs and outputs of [`Connection`](super::connection::Connection): its interface to the shell that owns the network.

use super::event::Event;
use super::sasl::{Credentials, Derivation, SaltedPassword};
use super::time::{Instant, Millis};
use std::rc::Rc;

/// Names one HTTP exchange between `Transmit::Http` and its answer. A repeated BOSH request is a new exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u32);

/// Names one WebSocket between `Transmit::OpenSocket` and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// Names one derivation between `Output::Derive` and `Input::Derived`. Never used again in a connection's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivationId(pub u32);

/// An input from the shell. Handling never fails: an invalid input becomes an [`Event`].
pub enum Input {
    /// A complete HTTP response.
    HttpAnswered {
        /// Which exchange.
        exchange: ExchangeId,
        /// The HTTP status.
        status: u16,
        /// The `Content-Type` header, if present and readable.
        content_type: Option<String>,
        /// The body's bytes.
        body: Vec<u8>,
    },
    /// An HTTP exchange failed without a response.
    HttpFailed {
        /// Which exchange.
        exchange: ExchangeId,
        /// Why, as far as a page can know.
        failure: NetworkFailure,
    },
    /// A WebSocket is open.
    SocketOpened {
        /// Which.
        socket: SocketId,
        /// Whether the server accepted the subprotocol `xmpp`.
        subprotocol: bool,
    },
    /// A frame arrived.
    SocketFrame {
        /// On which.
        socket: SocketId,
        /// The frame's bytes; `None` if they cannot be read.
        text: Option<Vec<u8>>,
    },
    /// A frame larger than the limit arrived and was not read.
    SocketFrameTooLarge {
        /// On which.
        socket: SocketId,
    },
    /// A WebSocket is closed, or could not be opened.
    SocketClosed {
        /// Which.
        socket: SocketId,
        /// Why, as far as a page can know.
        failure: NetworkFailure,
    },
    /// Whether the page is hidden. Its timers fire late (once a second, later once a minute), so short timers are not used.
    Visibility {
        /// True if hidden; a page is visible initially.
        hidden: bool,
    },
    /// The answer to [`Event::CredentialsWanted`]; `None` if the caller has none.
    Credentials(Option<Credentials>),
    /// The answer to [`Output::Derive`]. Ignored unless the login still waits for this one.
    Derived {
        /// Which.
        id: DerivationId,
        /// The result; `None` if the platform cannot compute it, or refuses to.
        salted_password: Option<SaltedPassword>,
    },
}

/// Why an exchange failed, as far as a page can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFailure {
    /// No network, no server, a refused or broken connection.
    Unreachable,
    /// The server responds, but the browser blocks the response (CORS).
    BlockedByCors,
    /// An `https:` page asked for an `http:` address.
    MixedContent,
    /// The response is larger than the limit.
    TooLarge,
    /// The server redirected (HTTP 3xx); the redirect was not followed.
    Redirected,
    /// The platform has no such interface: `WebSocket` or `fetch`.
    Unsupported(&'static str),
}

/// A network action for the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// POST this body.
    Http {
        /// Under which name to answer.
        exchange: ExchangeId,
        /// Where to.
        address: Rc<str>,
        /// A redirect to another origin led to this address: send no headers of the caller but `Content-Type`, and no
        /// credentials (cookies, HTTP authentication).
        foreign: bool,
        /// The body, byte for byte.
        body: Rc<str>,
        /// The final request of a session: it should arrive even if the page is unloading.
        farewell: bool,
    },
    /// Abort an exchange; its response is ignored.
    CancelHttp(ExchangeId),
    /// Open a WebSocket with the subprotocol `xmpp` (RFC 7395 §3.1).
    OpenSocket {
        /// Under which name to tell of it.
        socket: SocketId,
        /// Where to.
        address: Rc<str>,
    },
    /// Send a text frame.
    Frame {
        /// On which socket.
        socket: SocketId,
        /// The frame.
        text: Rc<str>,
    },
    /// Close a socket; its further input is ignored.
    CloseSocket(SocketId),
}

/// One step of `poll_output`. [`Output::Timeout`] is always the last.
#[derive(Clone, Debug)]
pub enum Output {
    /// For the network.
    Transmit(Transmit),
    /// For the caller.
    Event(Event),
    /// A derivation to compute in the background; answer with [`Input::Derived`]. The login waits for it, and its deadline
    /// runs on.
    Derive {
        /// Under which name to answer.
        id: DerivationId,
        /// What to compute.
        derivation: Derivation,
    },
    /// No output until an input or this time, when `handle_timeout` is due.
    Timeout(Option<Instant>),
}

/// The default timeout of an iq request.
pub const REPLY_TIMEOUT: Millis = Millis::seconds(30);
