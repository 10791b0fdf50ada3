//! The states of a BOSH session, the terms that the server granted, and the current outage.

use super::BoshConfig;
use crate::error::CloseReason;
use crate::states::Place;
use crate::time::{Instant, Millis};
use crate::timers::Name;

/// The shortest time between two empty requests if the server does not hold them and declares no time.
const DEFAULT_POLLING: Millis = Millis::seconds(2);
/// How long a server keeps a session without a request, if it declares no time.
const DEFAULT_INACTIVITY: Millis = Millis::seconds(60);

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The session request was not sent.
    Fresh,
    /// The session request was sent.
    Opening,
    /// The session exists; XMPP's stream in it is being negotiated.
    Open,
    /// XMPP's session is bound: pings may check the arrival of requests.
    Bound,
    /// The terminating request is due, with the queued elements.
    Closing,
    /// The terminating request was sent.
    Terminating,
    /// The session has ended.
    Closed,
}

impl Place for State {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (Self::Fresh, Self::Opening),
        // A session taken over from another page or from a web server.
        (Self::Fresh, Self::Bound),
        (Self::Fresh, Self::Closed),
        (Self::Opening, Self::Open),
        (Self::Opening, Self::Closed),
        (Self::Open, Self::Bound),
        (Self::Open, Self::Closing),
        (Self::Open, Self::Closed),
        (Self::Bound, Self::Closing),
        (Self::Bound, Self::Closed),
        (Self::Closing, Self::Terminating),
        (Self::Closing, Self::Closed),
        (Self::Terminating, Self::Closed),
    ];
}

/// The deadlines of a session, beside those of its requests and its [`Pacing`](super::pacing::Pacing).
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Timer {
    /// Do not wait any longer for the response to the terminating request.
    Closing,
    /// While requests break: no new request leaves before.
    HeldBack,
}

impl Name for Timer {
    fn index(self) -> usize {
        self as usize
    }
}

/// The terms of a session: those of the session request, then those that its response grants (XEP-0124 §7).
pub(super) struct Terms {
    /// `requests`: the largest number of requests under way.
    pub requests: usize,
    /// `wait`: the longest time for which the server holds a request.
    pub wait: Millis,
    /// `hold`: the number of requests that the server holds.
    pub hold: u32,
    /// `inactivity`: how long the server keeps the session without a request, which is also how long a broken request
    /// is repeated.
    pub inactivity: Millis,
    /// `polling`: the shortest time between two empty requests if the server does not hold them.
    pub polling: Millis,
    /// `ack`: responses and requests are acknowledged (§9).
    pub acknowledges: bool,
    /// The server does not support `ver`, and reports by HTTP statuses what others report in bodies (§17.1).
    pub legacy: bool,
    /// `maxpause`: the longest pause that the server grants, in seconds; `None` if it grants none (§10).
    pub maxpause: Option<u64>,
}

impl Terms {
    /// The terms of the session request; one request at a time until it is answered.
    pub fn asked_for(config: &BoshConfig) -> Self {
        Self {
            requests: 1,
            wait: Millis::seconds(u64::from(config.wait)),
            hold: config.hold,
            inactivity: DEFAULT_INACTIVITY,
            polling: DEFAULT_POLLING,
            acknowledges: false,
            legacy: false,
            maxpause: None,
        }
    }
}

/// An outage: the failing requests since the last response.
pub(super) struct Outage {
    /// Since when requests have broken and none was answered.
    pub since: Option<Instant>,
    /// The number of failed attempts since then; all requests of one attempt count as one.
    pub failures: u32,
    /// Why the last request broke.
    pub reason: CloseReason,
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            since: None,
            failures: 0,
            reason: CloseReason::Unreachable,
        }
    }
}
