//! How a transport begins: with a new stream, with the session of another page, or with one that a web server has made.

use super::bosh::{Bosh, BoshConfig};
use super::stream_management::{StreamManagement, Suspended};
use super::websocket::{WebSocket, WebSocketConfig};
use super::{Kind, Transport};
use crate::io::{ExchangeId, SocketId};
use crate::random::{Random, below_2_53, token};
use crate::time::{Instant, Millis};
use crate::xml::Element;

/// The most requests one session may count up to: far beyond any session's life, far below 2⁵³ (XEP-0124 §7.1).
const RID_ROOM: u64 = 1 << 40;

/// The names of exchanges and sockets that have not been used. They go from one transport to the next, so that none is used twice in
/// the life of a connection.
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
    /// A name for an HTTP exchange.
    pub fn next_exchange(&mut self) -> ExchangeId {
        let exchange = self.exchange;
        self.exchange = ExchangeId(exchange.0.wrapping_add(1));
        exchange
    }

    /// A name for a WebSocket.
    pub fn next_socket(&mut self) -> SocketId {
        let socket = self.socket;
        self.socket = SocketId(socket.0.wrapping_add(1));
        socket
    }
}

/// What a stream is opened with.
pub struct Opening {
    /// Over which transport.
    pub kind: Kind,
    /// The address, the domain, and how BOSH is to carry it.
    pub bosh: BoshConfig,
    /// How long a socket may take to open, where there is another way in.
    pub open_within: Option<Millis>,
    /// After how long a silence the server is asked whether it is there.
    pub silence: Millis,
    /// XEP-0198 is wanted, where the server has it.
    pub stream_management: bool,
    /// The page is hidden.
    pub hidden: bool,
}

/// What a snapshot holds.
pub enum Restored {
    /// A session that goes on at once.
    Running(Transport),
    /// One that is to be resumed by a login.
    Suspended(Suspended),
}

impl Transport {
    /// Opens a stream. A suspended session that can be resumed over this kind of transport is taken.
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

    /// Goes on with the session of a [`Transport::snapshot`]; `None` when it is no snapshot.
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

    /// Goes on with a session that a web server has made; `None` when there can be none.
    pub fn attach(opening: Opening, names: Names, sid: &str, rid: u64) -> Option<Self> {
        let mut bosh = Bosh::attach(opening.bosh, sid, rid, names)?;
        bosh.set_hidden(opening.hidden);
        Some(Self::Bosh(Box::new(bosh)))
    }

    /// The names that it has not used.
    pub fn names(&self) -> Names {
        match self {
            Self::Bosh(bosh) => bosh.names(),
            Self::WebSocket(socket) => socket.names(),
        }
    }
}
