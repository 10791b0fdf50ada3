//! The two transports by name, and what is to be known of one before there is a stream over it.

use std::rc::Rc;

/// Which transport a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// XEP-0124.
    Bosh,
    /// RFC 7395.
    WebSocket,
}

impl Kind {
    /// The transport that addresses of this scheme name.
    pub fn of_scheme(scheme: &str) -> Self {
        match scheme {
            "http" | "https" => Self::Bosh,
            _ => Self::WebSocket,
        }
    }

    /// Whether each element travels by itself, is answered by itself, and arrives in order. Otherwise elements travel together.
    pub fn is_framed(self) -> bool {
        self == Self::WebSocket
    }

    /// Whether a service may redirect to one of the other kind. A BOSH session cannot name a WebSocket (XEP-0124 §17.4).
    pub fn may_redirect_to(self, other: Self) -> bool {
        self == Self::WebSocket || other == Self::Bosh
    }

    /// Whether a session that a web server has made can be attached to.
    pub fn can_attach(self) -> bool {
        self == Self::Bosh
    }
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
