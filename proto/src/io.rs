//! Inputs and outputs of [`Connection`](super::connection::Connection): its interface to the shell that owns the network.

use super::event::Event;
use super::sasl::{Credentials, Derivation, SaltedPassword};
use super::time::{Instant, Millis};
use std::rc::Rc;

/// The id of an HTTP exchange, from `Transmit::Http` to its response. A repeated BOSH request is a new exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u32);

/// The id of a WebSocket, from `Transmit::OpenSocket` to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// The id of a derivation, from `Output::Derive` to `Input::Derived`. Never reused in a connection's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivationId(pub u32);

/// An input from the shell. Handling never fails: an invalid input becomes an [`Event`].
pub enum Input {
    /// A complete HTTP response.
    HttpAnswered {
        /// The id of the exchange.
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
        /// The id of the exchange.
        exchange: ExchangeId,
        /// The reason, as far as a page can know it.
        failure: NetworkFailure,
    },
    /// A WebSocket is open.
    SocketOpened {
        /// The id of the socket.
        socket: SocketId,
        /// Whether the server accepted the subprotocol `xmpp`.
        subprotocol: bool,
    },
    /// A frame arrived.
    SocketFrame {
        /// The id of the socket.
        socket: SocketId,
        /// The frame's bytes; `None` if they cannot be read.
        text: Option<Vec<u8>>,
        /// The caller's number of the frame, by which it recognises what was read of it
        /// ([`Element::frame`](crate::xml::Element::frame)); 0 where the caller keeps no frames.
        frame: u32,
    },
    /// A frame larger than the limit arrived and was not read.
    SocketFrameTooLarge {
        /// The id of the socket.
        socket: SocketId,
    },
    /// A WebSocket is closed, or could not be opened.
    SocketClosed {
        /// The id of the socket.
        socket: SocketId,
        /// The reason, as far as a page can know it.
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
        /// The id of the derivation.
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
    /// An `https:` page requested an `http:` address.
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
        /// The id for the response.
        exchange: ExchangeId,
        /// The address.
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
        /// The id for the socket's inputs.
        socket: SocketId,
        /// The address.
        address: Rc<str>,
    },
    /// Send a text frame.
    Frame {
        /// The id of the socket.
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
    /// An action for the network.
    Transmit(Transmit),
    /// An event for the caller.
    Event(Event),
    /// A derivation to compute in the background; answer with [`Input::Derived`]. The login waits for it, and its deadline
    /// runs on.
    Derive {
        /// The id for the answer.
        id: DerivationId,
        /// The derivation.
        derivation: Derivation,
    },
    /// No output until an input or this time, when `handle_timeout` is due.
    Timeout(Option<Instant>),
}

/// The default timeout of an iq request.
pub const REPLY_TIMEOUT: Millis = Millis::seconds(30);
