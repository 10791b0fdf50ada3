//! The states of a connection. What a state needs is in it; what outlives states is in [`Connection`](super::Connection).

use super::handover::Adopted;
use crate::error::CloseReason;
use crate::states::Place;
use crate::time::Instant;
use crate::timers::Name;
use crate::transport::Transport;

/// A transport in use.
pub(super) struct Link {
    pub transport: Transport,
    /// Why it ends, when that was found above the transport: it tells more than the end of the transport that it brings about.
    pub blame: Option<CloseReason>,
}

/// A stream is being opened, and a session bound or resumed on it.
pub(super) struct Attempt {
    pub link: Link,
    /// The server has opened its stream.
    pub opened: bool,
    pub begun_at: Instant,
    /// When the server was heard last.
    pub heard_at: Instant,
}

/// A session is there.
pub(super) struct Online {
    pub link: Link,
    /// What was told last of a session whose requests break: which attempt to save it, and when that is due.
    pub trouble_told: Option<(u32, Instant)>,
}

/// Where the connection is.
pub(super) enum State {
    /// No connection, and none is hoped for.
    Offline,
    /// A session was taken over ([`Adopted`]); whether the server knows it is asked.
    Adopting(Attempt, Adopted),
    /// The first session since the caller connected is being made.
    Connecting(Attempt),
    Online(Online),
    /// The connection was lost for this reason, and is tried again when [`Timer::Retry`] is due.
    Interrupted(CloseReason),
    /// It is tried again.
    Reconnecting(Attempt),
    /// The caller has said good-bye. What still comes is still handed on.
    Closing(Link),
    /// The transport of that state has ended; what comes next is being decided. No call of the caller's meets it.
    Ended(ConnectionPlace),
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPlace {
    /// No connection, and none is hoped for.
    Offline,
    /// A session was taken over, and whether it is there is asked.
    Adopting,
    /// The first session is being made.
    Connecting,
    /// A session is there.
    Online,
    /// The connection was lost; the next attempt is due later.
    Interrupted,
    /// The next attempt is under way.
    Reconnecting,
    /// The caller has said good-bye.
    Closing,
}

use ConnectionPlace as At;

impl Place for ConnectionPlace {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (At::Offline, At::Connecting),
        (At::Offline, At::Adopting),
        // An option that cannot be sent.
        (At::Offline, At::Offline),
        (At::Adopting, At::Online),
        (At::Adopting, At::Connecting),
        (At::Adopting, At::Closing),
        (At::Adopting, At::Offline),
        // The next service, a redirect, or the same without what was said early.
        (At::Connecting, At::Connecting),
        (At::Connecting, At::Online),
        (At::Connecting, At::Closing),
        (At::Connecting, At::Offline),
        (At::Online, At::Interrupted),
        (At::Online, At::Closing),
        (At::Online, At::Offline),
        (At::Interrupted, At::Reconnecting),
        (At::Interrupted, At::Offline),
        (At::Reconnecting, At::Reconnecting),
        (At::Reconnecting, At::Online),
        (At::Reconnecting, At::Interrupted),
        (At::Reconnecting, At::Closing),
        (At::Reconnecting, At::Offline),
        (At::Closing, At::Offline),
    ];
}

impl State {
    pub(super) fn place(&self) -> ConnectionPlace {
        match self {
            Self::Offline => At::Offline,
            Self::Adopting(..) => At::Adopting,
            Self::Connecting(_) => At::Connecting,
            Self::Online(_) => At::Online,
            Self::Interrupted(_) => At::Interrupted,
            Self::Reconnecting(_) => At::Reconnecting,
            Self::Closing(_) => At::Closing,
            Self::Ended(place) => *place,
        }
    }

    pub(super) fn link_mut(&mut self) -> Option<&mut Link> {
        match self {
            Self::Adopting(attempt, _)
            | Self::Connecting(attempt)
            | Self::Reconnecting(attempt) => Some(&mut attempt.link),
            Self::Online(online) => Some(&mut online.link),
            Self::Closing(link) => Some(link),
            Self::Offline | Self::Interrupted(_) | Self::Ended(_) => None,
        }
    }

    pub(super) fn into_link(self) -> Option<Link> {
        match self {
            Self::Adopting(attempt, _)
            | Self::Connecting(attempt)
            | Self::Reconnecting(attempt) => Some(attempt.link),
            Self::Online(online) => Some(online.link),
            Self::Closing(link) => Some(link),
            Self::Offline | Self::Interrupted(_) | Self::Ended(_) => None,
        }
    }

    pub(super) fn transport(&self) -> Option<&Transport> {
        match self {
            Self::Adopting(attempt, _)
            | Self::Connecting(attempt)
            | Self::Reconnecting(attempt) => Some(&attempt.link.transport),
            Self::Online(online) => Some(&online.link.transport),
            Self::Closing(link) => Some(&link.transport),
            Self::Offline | Self::Interrupted(_) | Self::Ended(_) => None,
        }
    }

    pub(super) fn transport_mut(&mut self) -> Option<&mut Transport> {
        Some(&mut self.link_mut()?.transport)
    }

    /// The attempt under way.
    pub(super) fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Adopting(attempt, _)
            | Self::Connecting(attempt)
            | Self::Reconnecting(attempt) => Some(attempt),
            _ => None,
        }
    }

    pub(super) fn attempt_mut(&mut self) -> Option<&mut Attempt> {
        match self {
            Self::Adopting(attempt, _)
            | Self::Connecting(attempt)
            | Self::Reconnecting(attempt) => Some(attempt),
            _ => None,
        }
    }

    /// Whether the server has opened its stream.
    pub(super) fn is_opened(&self) -> bool {
        match self {
            Self::Online(_) | Self::Closing(_) => true,
            _ => self.attempt().is_some_and(|attempt| attempt.opened),
        }
    }
}

/// The deadlines of a connection, beside those of its transport and of the requests that wait.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Timer {
    /// Connecting has taken too long.
    Deadline,
    /// The next attempt is due.
    Retry,
    /// An attempt at which something was said early takes too long, or an adopted session is silent.
    Patience,
    /// An attempt that is silent since a sign of the network is replaced.
    Doubt,
    /// The first request does not wait any longer for credentials that may travel in it.
    Gather,
}

impl Name for Timer {
    fn index(self) -> usize {
        self as usize
    }
}
