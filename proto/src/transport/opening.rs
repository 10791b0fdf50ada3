//! Creates transports: with a new stream, with the session of another page, or with a session that a web server has
//! made.

use super::bosh::{Bosh, BoshConfig};
use super::stream_management::{StreamManagement, Suspended};
use super::websocket::{WebSocket, WebSocketConfig};
use super::{Kind, Transport};
use crate::io::{ExchangeId, SocketId};
use crate::random::{Random, below_2_53, token};
use crate::time::{Instant, Millis};
use crate::xml::Element;

/// How far one session may count its rids up: far beyond any session's life, far below 2⁵³ (XEP-0124 §7.1).
const RID_ROOM: u64 = 1 << 40;

/// The next unused ids of exchanges and sockets. They pass from one transport to the next, so that no id is used twice
/// in the life of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    exchange: ExchangeId,
    socket: SocketId,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            exchange: ExchangeId(0),
            socket: SocketId(0),
        }
    }
}

impl Names {
    /// Returns a new id for an HTTP exchange.
    pub fn next_exchange(&mut self) -> ExchangeId {
        let exchange = self.exchange;
        self.exchange = ExchangeId(exchange.0.wrapping_add(1));
        exchange
    }

    /// Returns a new id for a WebSocket.
    pub fn next_socket(&mut self) -> SocketId {
        let socket = self.socket;
        self.socket = SocketId(socket.0.wrapping_add(1));
        socket
    }
}

/// The parameters for opening a stream.
pub struct Opening {
    /// The kind of transport.
    pub kind: Kind,
    /// The address, the domain, and the options of BOSH.
    pub bosh: BoshConfig,
    /// How long a socket may take to open, if another service is configured.
    pub open_within: Option<Millis>,
    /// The silence of the server after which it is pinged.
    pub silence: Millis,
    /// Whether to use XEP-0198 if the server offers it.
    pub stream_management: bool,
    /// The page is hidden.
    pub hidden: bool,
}

/// The content of a snapshot.
pub enum Restored {
    /// A session that continues at once.
    Running(Transport),
    /// A session that a login must resume.
    Suspended(Suspended),
}

impl Transport {
    /// Opens a stream. Takes over a suspended session if this kind of transport can resume it.
    pub fn open(
        opening: Opening,
        now: Instant,
        names: Names,
        random: &mut dyn Random,
        suspended: &mut Option<Suspended>,
    ) -> Self {
        let config = opening.bosh;
        match opening.kind {
            Kind::Bosh => {
                let rid = 1 + below_2_53(random) % ((1 << 53) - RID_ROOM);
                let seed = if config.keys {
                    token(random, 32)
                } else {
                    String::new()
                };
                let mut bosh = Bosh::new(config, rid, seed, names);
                bosh.set_hidden(opening.hidden);
                Self::Bosh(Box::new(bosh))
            }
            Kind::WebSocket => {
                let config = WebSocketConfig {
                    address: config.address,
                    to: config.to,
                    from: config.from,
                    lang: config.lang,
                    limits: config.limits,
                    open_within: opening.open_within,
                    silence: opening.silence,
                    stream_management: opening.stream_management,
                    by_hand: config.by_hand,
                };
                let mut stream = WebSocket::new(config, names, now);
                stream.take_over(suspended.take());
                Self::WebSocket(Box::new(stream))
            }
        }
    }

    /// Continues the session of a [`Transport::snapshot`]; `None` if `snapshot` is not one.
    pub fn restore(
        opening: Opening,
        now: Instant,
        names: Names,
        snapshot: &Element,
    ) -> Option<Restored> {
        match opening.kind {
            Kind::Bosh => {
                let mut bosh = Bosh::restore(opening.bosh, snapshot, now, names)?;
                bosh.set_hidden(opening.hidden);
                Some(Restored::Running(Self::Bosh(Box::new(bosh))))
            }
            Kind::WebSocket => {
                let managed = StreamManagement::restore(snapshot, now, opening.silence)?;
                Some(Restored::Suspended(Suspended::new(managed, now)))
            }
        }
    }

    /// Continues a session that a web server has made; `None` if the parameters are not valid.
    pub fn attach(opening: Opening, names: Names, sid: &str, rid: u64) -> Option<Self> {
        let mut bosh = Bosh::attach(opening.bosh, sid, rid, names)?;
        bosh.set_hidden(opening.hidden);
        Some(Self::Bosh(Box::new(bosh)))
    }

    /// The ids that the transport has not used.
    pub fn names(&self) -> Names {
        match self {
            Self::Bosh(bosh) => bosh.names(),
            Self::WebSocket(socket) => socket.names(),
        }
    }
}
