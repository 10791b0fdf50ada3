//! The states of a connection. A state holds the data of that state; data that outlives states is in
//! [`Connection`](super::Connection).

use super::handover::Adopted;
use crate::error::CloseReason;
use crate::states::Place;
use crate::time::Instant;
use crate::timers::Name;
use crate::transport::Transport;

/// A transport in use.
pub(super) struct Link {
    pub transport: Transport,
    /// The reason of the end, if it was found above the transport: it is more exact than the reason that the transport
    /// reports afterwards.
    pub blame: Option<CloseReason>,
}

/// An attempt: opening a stream and binding or resuming a session on it.
pub(super) struct Attempt {
    pub link: Link,
    /// Whether the server has opened its stream.
    pub opened: bool,
    pub begun_at: Instant,
    /// When the last input from the server arrived.
    pub heard_at: Instant,
}

/// A bound session.
pub(super) struct Online {
    pub link: Link,
    /// The last reported trouble of a session whose requests break: the number and the time of the attempt to save it.
    pub reported_trouble: Option<(u32, Instant)>,
}

/// The state of the connection.
pub(super) enum State {
    /// No connection, and none is planned.
    Offline,
    /// A session was taken over ([`Adopted`]); a ping checks whether the server still has it.
    Adopting(Attempt, Adopted),
    /// The first session since the caller connected is being established.
    Connecting(Attempt),
    Online(Online),
    /// The connection was lost for this reason; the next attempt starts when [`Timer::Retry`] is due.
    Interrupted(CloseReason),
    /// The next attempt is in progress.
    Reconnecting(Attempt),
    /// The caller has disconnected. Incoming stanzas are still delivered.
    Closing(Link),
    /// The transport of that state has ended; the next state is being decided. No caller sees this state.
    Ended(ConnectionPlace),
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPlace {
    /// No connection, and none is planned.
    Offline,
    /// A session was taken over; a ping checks whether the server still has it.
    Adopting,
    /// The first session is being established.
    Connecting,
    /// A session is bound.
    Online,
    /// The connection was lost; the next attempt is scheduled.
    Interrupted,
    /// The next attempt is in progress.
    Reconnecting,
    /// The caller has disconnected.
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
        // The next service, a redirect, or a retry without sending early.
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

    /// The attempt in progress.
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

/// The deadlines of a connection, beside those of its transport and of the pending requests.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Timer {
    /// Connecting has taken too long.
    Deadline,
    /// The next attempt is due.
    Retry,
    /// An attempt with early elements takes too long, or an adopted session is silent.
    Patience,
    /// Replace an attempt that has been silent since a sign of the network.
    Doubt,
    /// The first request does not wait any longer for credentials that could travel in it.
    Gather,
}

impl Name for Timer {
    fn index(self) -> usize {
        self as usize
    }
}
