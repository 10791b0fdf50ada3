//! What crosses the border between [`Connection`](super::connection::Connection) and the shell that owns the network.

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

/// What the shell tells the connection. Nothing here can fail: what is wrong with it becomes an [`Event`].
pub enum Input {
    /// An HTTP answer, whole.
    HttpAnswered {
        /// Which exchange.
        exchange: ExchangeId,
        /// The HTTP status.
        status: u16,
        /// The `Content-Type` header, where there is one and the browser shows it.
        content_type: Option<String>,
        /// The body's bytes.
        body: Vec<u8>,
    },
    /// An HTTP exchange that gave no answer.
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
        /// The server has agreed to the subprotocol `xmpp`.
        subprotocol: bool,
    },
    /// A frame has come.
    SocketFrame {
        /// On which.
        socket: SocketId,
        /// The frame's bytes; `None` for one whose bytes cannot be had.
        text: Option<Vec<u8>>,
    },
    /// A frame has come that is larger than the limit, and was not read.
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
    /// Whether the page is hidden: its timers fire late (once a second, later once a minute), so nothing depends on a short one.
    Visibility {
        /// Hidden; a page is visible until told otherwise.
        hidden: bool,
    },
    /// The answer to [`Event::CredentialsWanted`]; `None` when the page could not give any.
    Credentials(Option<Credentials>),
    /// The answer to [`Output::Derive`]. Ignored unless the login still waits for this one.
    Derived {
        /// Which.
        id: DerivationId,
        /// The result; `None` if the platform cannot compute it, or refuses to.
        salted_password: Option<SaltedPassword>,
    },
}

/// Why an exchange gave no answer, as far as a page can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFailure {
    /// No network, no server, a refused or broken connection.
    Unreachable,
    /// The server answers, but the browser keeps the answer from this page.
    BlockedByCors,
    /// An `https:` page asked for an `http:` address.
    MixedContent,
    /// The answer is larger than the limit.
    TooLarge,
    /// The server sends the request elsewhere (HTTP 3xx), and was not followed there.
    Redirected,
    /// The platform has no such interface: `WebSocket` or `fetch`.
    Unsupported(&'static str),
}

/// What the connection wants the shell to do.
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
        /// It is the good-bye: it should arrive even if the page is on its way out.
        farewell: bool,
    },
    /// Give up an exchange; its answer is of no interest any more.
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
    /// Close a socket; what comes from it is of no interest any more.
    CloseSocket(SocketId),
}

/// One step of `poll_output`. [`Output::Timeout`] is always the last.
#[derive(Clone, Debug)]
pub enum Output {
    /// For the network.
    Transmit(Transmit),
    /// For whoever uses the connection.
    Event(Event),
    /// To be computed beside everything else, to be answered by [`Input::Derived`]. Until then the login waits, and its deadline
    /// runs on.
    Derive {
        /// Under which name to answer.
        id: DerivationId,
        /// What to compute.
        derivation: Derivation,
    },
    /// Nothing more for now: call `handle_timeout` at that time, if any.
    Timeout(Option<Instant>),
}

/// The default time for an iq reply.
pub const REPLY_TIMEOUT: Millis = Millis::seconds(30);
