//! The two kinds of transport, and their properties before a stream is opened.

use std::rc::Rc;

/// A kind of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// XEP-0124.
    Bosh,
    /// RFC 7395.
    WebSocket,
}

impl Kind {
    /// The transport of addresses with this scheme.
    pub fn of_scheme(scheme: &str) -> Self {
        match scheme {
            "http" | "https" => Self::Bosh,
            _ => Self::WebSocket,
        }
    }

    /// Whether the transport sends each element separately and in order, and the server answers each separately.
    /// Otherwise elements travel together.
    pub fn is_framed(self) -> bool {
        self == Self::WebSocket
    }

    /// Whether a service may redirect to one of the other kind. A BOSH body cannot name a WebSocket (XEP-0124 §17.4).
    pub fn may_redirect_to(self, other: Self) -> bool {
        self == Self::WebSocket || other == Self::Bosh
    }

    /// Whether the transport can attach to a session that a web server has made.
    pub fn can_attach(self) -> bool {
        self == Self::Bosh
    }
}

/// A service to connect to.
#[derive(Clone, Debug)]
pub struct Service {
    /// The kind of transport.
    pub kind: Kind,
    /// The absolute address.
    pub address: Rc<str>,
    /// Whether a password may be sent to the service. True over TLS and on loopback.
    pub confidential: bool,
}
