//! The trust in each address: the configured services, and every address that a server redirects to.
//!
//! A redirect (`see-other-uri` in a BOSH body, XEP-0124 §17.2, or in `<close/>`, RFC 7395 §3.6.1) is an instruction of
//! the address before it, and is only as trustworthy. So a [`Target`] carries the decisions along the whole chain:
//! whether a secret may be sent ([`Target::is_confidential`]), whether the page's own headers and credentials may be
//! sent ([`Target::is_foreign`]), which memory of earlier logins applies ([`Target::memory`]), and whether the session
//! may be handed to another page ([`Target::may_be_handed_over`]). [`Redirects`] limits the number and the pace of
//! redirects.
//!
//! Left out: `<see-other-host/>` (RFC 6120 §4.9.3.19), which names the host and port of a TCP socket that no page can
//! open: it ends the stream as any other stream error does.

use crate::session::Memory;
use crate::transport::{Kind, Service};

/// The longest address of a redirect, in bytes.
const MOST_ADDRESS: usize = 2_048;
/// The largest number of redirects in one attempt, and of consecutive sessions that ended in a redirect before they
/// were stable.
const MOST_REDIRECTS: u32 = 4;

/// An address in use or to be tried next, with the trust that follows from the redirects that led to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The kind and the absolute address; `confidential` applies to the whole chain.
    service: Service,
    /// The position of the configured service at the start of the chain.
    configured: usize,
    moved: bool,
    foreign: bool,
}

impl Target {
    /// A service that the caller configured, by its position.
    pub fn configured(position: usize, service: &Service) -> Self {
        Self {
            service: service.clone(),
            configured: position,
            moved: false,
            foreign: false,
        }
    }

    /// The target that this one redirects to. `None` if the redirect must not be followed: the address is not an
    /// absolute URI of a supported transport, holds user information, or is less secure than this one (RFC 7395
    /// §3.6.1).
    ///
    /// `http:` and `https:` lead to BOSH. `ws:` and `wss:` lead to WebSocket, from a WebSocket only: a BOSH service names an
    /// address to POST to.
    pub fn redirect(&self, address: &str) -> Option<Self> {
        let here = Uri::parse(&self.service.address);
        let there = Uri::parse(address)?;
        let follows = self.service.kind.may_redirect_to(there.kind());
        let was_encrypted = here.as_ref().is_some_and(Uri::is_encrypted);
        let trusted = there.is_encrypted() || there.is_loopback();
        let weaker = was_encrypted && !there.is_encrypted();
        if !follows || weaker || self.service.confidential && !trusted {
            return None;
        }
        // Once on another origin, always foreign: that origin chose every following address.
        let foreign = self.foreign || here.is_none_or(|here| !here.has_origin_of(&there));
        Some(Self {
            service: Service {
                kind: there.kind(),
                address: there.to_text().into(),
                confidential: self.service.confidential && trusted,
            },
            configured: self.configured,
            moved: true,
            foreign,
        })
    }

    /// The kind of transport and the absolute address.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Whether every address of the chain is encrypted or on this machine.
    pub fn is_confidential(&self) -> bool {
        self.service.confidential
    }

    /// Whether the chain contains a redirect to another origin (RFC 6454): the caller's own headers and credentials are
    /// not sent there.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The position of the configured service whose memory applies here.
    pub fn configured_at(&self) -> usize {
        self.configured
    }

    /// Whether a login may use, request and keep a token (XEP-0484): only at a configured service.
    pub fn allows_tokens(&self) -> bool {
        !self.moved
    }

    /// Whether another page may continue a session at this address
    /// ([`Connection::snapshot`](super::Connection::snapshot)). False after a redirect: that page would read the
    /// address from its storage and not from the server.
    pub fn may_be_handed_over(&self) -> bool {
        !self.moved
    }

    /// The memory that applies to a login here: at the configured service all of it; after a redirect only the
    /// mechanism, below which the login must not fall. A token and early elements are only for the configured address.
    pub fn memory(&self, known: Option<&Memory>) -> Memory {
        match known {
            Some(known) if !self.moved => known.clone(),
            Some(known) => Memory {
                mechanism: known.mechanism,
                ..Memory::default()
            },
            None => Memory::default(),
        }
    }

    /// Updates the configured service's memory with `learned`, the result of a login here. After a redirect only the
    /// mechanism is kept, so that a service which always redirects is held to the mechanism that worked.
    pub fn remember(&self, known: &mut Memory, learned: &Memory) {
        if !self.moved {
            *known = learned.clone();
        } else if known.mechanism != learned.mechanism {
            known.mechanism = learned.mechanism;
            known.settled = false;
        }
    }
}

/// Counts the followed redirects.
#[derive(Debug, Default)]
pub struct Redirects {
    /// In this attempt, before a session was bound.
    in_attempt: u32,
    /// Consecutive sessions that ended in a redirect before they were stable.
    of_sessions: u32,
}

impl Redirects {
    /// Starts an attempt at a configured service.
    pub fn begin_attempt(&mut self) {
        self.in_attempt = 0;
    }

    /// A session was stable: it was not part of a redirect loop.
    pub fn note_held(&mut self) {
        self.of_sessions = 0;
    }

    /// Counts a redirect. Returns whether it is followed. `bound`: the redirect ends a bound session.
    pub fn follow(&mut self, bound: bool) -> bool {
        let count = if bound {
            self.in_attempt = 0;
            &mut self.of_sessions
        } else {
            &mut self.in_attempt
        };
        *count = count.saturating_add(1);
        *count <= MOST_REDIRECTS
    }

    /// Whether the redirect of a bound session that was just counted is followed without a pause: true for the first
    /// one.
    pub fn is_first(&self) -> bool {
        self.of_sessions == 1
    }
}

/// The parts of an absolute URI (RFC 3986) that decide which server a browser contacts.
struct Uri<'a> {
    /// In lower case.
    scheme: String,
    /// In lower case, as written otherwise; an IPv6 address in brackets.
    host: String,
    port: Option<u16>,
    /// Path and query.
    rest: &'a str,
}

impl<'a> Uri<'a> {
    /// Parses an address with an authority. `None` for any address that a browser might parse differently: user
    /// information, backslashes, white space, control characters, no host, an invalid port.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let odd = |byte: u8| byte <= b' ' || matches!(byte, b'\\' | b'<' | b'>' | b'"' | 0x7f);
        if text.len() > MOST_ADDRESS || text.bytes().any(odd) {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https" | "ws" | "wss") {
            return None;
        }
        // A fragment is never sent, and a WebSocket address must not have one (RFC 6455 §3).
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let port = match port {
            "" => None,
            port if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
            _ => return None,
        };
        let literal = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
        let named = !host.is_empty() && !host.contains(['@', '[', ']', ':', '%']);
        if !literal && !named || host.contains('@') {
            return None;
        }
        Some(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
            rest,
        })
    }

    fn kind(&self) -> Kind {
        Kind::of_scheme(&self.scheme)
    }

    fn is_encrypted(&self) -> bool {
        matches!(self.scheme.as_str(), "https" | "wss")
    }

    /// Whether browsers trust the address without encryption (Secure Contexts §3.1).
    fn is_loopback(&self) -> bool {
        let host = self.host.as_str();
        let digits = |byte: u8| byte == b'.' || byte.is_ascii_digit();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || host.starts_with("127.") && host.bytes().all(digits)
    }

    /// Whether both addresses have the same origin. A WebSocket's origin is that of the HTTP service at the same host
    /// and port.
    fn has_origin_of(&self, other: &Uri<'_>) -> bool {
        self.is_encrypted() == other.is_encrypted()
            && self.host == other.host
            && self.effective_port() == other.effective_port()
    }

    fn effective_port(&self) -> u16 {
        self.port
            .unwrap_or(if self.is_encrypted() { 443 } else { 80 })
    }

    fn to_text(&self) -> String {
        let Self {
            scheme, host, rest, ..
        } = self;
        match self.port {
            Some(port) => format!("{scheme}://{host}:{port}{rest}"),
            None => format!("{scheme}://{host}{rest}"),
        }
    }
}
