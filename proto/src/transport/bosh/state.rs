//! The states of a BOSH session, what the server has agreed to, and what is known of an outage.

use super::BoshConfig;
use crate::error::CloseReason;
use crate::states::Place;
use crate::time::{Instant, Millis};
use crate::timers::Name;

/// The shortest time between two empty requests when the server does not hold them, in case it names none.
const DEFAULT_POLLING: Millis = Millis::seconds(2);
/// How long a server keeps a session without a request, in case it does not say.
const DEFAULT_INACTIVITY: Millis = Millis::seconds(60);

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The session request has not left.
    Fresh,
    /// The session request is out.
    Opening,
    /// The session is there; XMPP's stream in it is being negotiated.
    Open,
    /// XMPP's session is bound in it: pings may ask what has arrived.
    Bound,
    /// It is to end: the good-bye is due, with what is queued.
    Closing,
    /// The good-bye is out.
    Terminating,
    /// It has ended.
    Closed,
}

impl Place for State {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (Self::Fresh, Self::Opening),
        // A session of another page, or of a web server.
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
    /// The good-bye is not waited for any longer.
    Closing,
    /// While requests break: nothing new leaves before.
    HeldBack,
}

impl Name for Timer {
    fn index(self) -> usize {
        self as usize
    }
}

/// What the session request asks for, and what its answer has made of that (XEP-0124 §7).
pub(super) struct Terms {
    /// `requests`: how many may be under way at once.
    pub requests: usize,
    /// `wait`: how long the server holds a request at most.
    pub wait: Millis,
    /// `hold`: how many requests the server holds.
    pub hold: u32,
    /// `inactivity`: how long the server keeps the session without a request, and so how long a broken one is repeated.
    pub inactivity: Millis,
    /// `polling`: the shortest time between two empty requests when the server does not hold them.
    pub polling: Millis,
    /// `ack`: answers are acknowledged, and requests too (§9).
    pub acknowledges: bool,
    /// The server is older than `ver`, and says by HTTP statuses what others say in bodies (§17.1).
    pub legacy: bool,
    /// `maxpause`: the longest pause in seconds that the server grants, where it does (§10).
    pub maxpause: Option<u64>,
}

impl Terms {
    /// Those of the session request; one request at a time until it is answered.
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

/// How requests fail, while they do.
pub(super) struct Outage {
    /// Since when requests have broken and none was answered.
    pub since: Option<Instant>,
    /// How often the session was tried in vain since then, its requests counted as one.
    pub failures: u32,
    /// Why a request broke last.
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
