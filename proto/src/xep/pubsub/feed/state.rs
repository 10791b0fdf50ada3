//! The phase of a feed, and the data of each phase.

use super::archive::Archive;
use super::arrival::Arrival;
use super::catch_up::{CatchUp, FetchGoal, ListedItem};
use super::known::DigestIndex;
use crate::states::Place;
use crate::time::Instant;
use crate::xep::pubsub::digest::Digest;

/// The phase of a feed.
#[derive(Debug)]
pub enum FeedPhase {
    /// No session, or the session is ending: no requests. Events are queued.
    Apart,
    /// The subscription and the listing were requested. Events are queued.
    Subscribing(Inquiry),
    /// Subscribed; the node is being listed. Events are queued.
    CatchingUp(Inquiry),
    /// Live: events are reported as they arrive.
    Live,
    /// The subscription awaits the owner's approval (XEP-0060 §6.1.4). Events are reported.
    Pending,
    /// The node or its service is unavailable. The subscription is requested again at this time.
    Away {
        /// The time of the next request.
        retry_at: Instant,
    },
    /// Ended: the queued changes are reported as the last ones.
    Over,
    /// The previous state was left; the next one is being decided. Events are queued.
    Left(FeedPlace),
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedPlace {
    /// There is no session.
    Apart,
    /// The subscription was requested.
    Subscribing,
    /// The items of the node are being fetched.
    CatchingUp,
    /// Events are reported as they arrive.
    Live,
    /// An owner must approve the subscription.
    Pending,
    /// The node or its service is unavailable.
    Away,
    /// Ended.
    Over,
}

impl Place for FeedPlace {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (Self::Apart, Self::Subscribing),
        (Self::Subscribing, Self::CatchingUp),
        (Self::Subscribing, Self::Pending),
        (Self::Subscribing, Self::Away),
        (Self::CatchingUp, Self::Live),
        (Self::Pending, Self::CatchingUp),
        // The queue overflowed; the reply to the subscription arrives later.
        (Self::Subscribing, Self::Live),
        (Self::Live, Self::Pending),
        (Self::Live, Self::Away),
        (Self::Away, Self::Subscribing),
        // A new session.
        (Self::Subscribing, Self::Subscribing),
        (Self::CatchingUp, Self::Subscribing),
        (Self::Live, Self::Subscribing),
        (Self::Pending, Self::Subscribing),
        // The session is ending.
        (Self::Subscribing, Self::Apart),
        (Self::CatchingUp, Self::Apart),
        (Self::Live, Self::Apart),
        (Self::Pending, Self::Apart),
        (Self::Away, Self::Apart),
        (Self::Apart, Self::Over),
        (Self::Subscribing, Self::Over),
        (Self::CatchingUp, Self::Over),
        (Self::Live, Self::Over),
        (Self::Pending, Self::Over),
        (Self::Away, Self::Over),
    ];
}

/// The progress of listing a node.
#[derive(Debug)]
pub enum Inquiry {
    /// The node is being listed; if the service was busy, again at this time.
    Fetching {
        catch_up: CatchUp,
        again_at: Option<Instant>,
    },
    /// The node's archive is being queried.
    Querying(Archive),
    /// The node was listed; earlier events may still be in transit.
    Settling(Listing),
    /// The listing arrived before the reply to the subscription, and may have been read before the subscription
    /// existed: it does not count.
    Overtaken,
}

/// The result of listing a node.
#[derive(Debug)]
pub enum Listing {
    /// Items, the oldest first; `whole`: the node holds no others.
    Held {
        goal: FetchGoal,
        held: Vec<ListedItem>,
        whole: bool,
    },
    /// Publications since the last reported one.
    Archived(Vec<Arrival>),
}

/// The basis from which the feed continues.
#[derive(Debug)]
pub enum Basis {
    /// No basis: the feed has never been live.
    New {
        /// The items before the subscription, if only later ones are reported.
        before: Vec<Digest>,
        /// An outdated position: a gap is reported first.
        outdated: bool,
    },
    /// The known publications of the node.
    Known,
}

/// Events queued since the feed was live last.
#[derive(Debug, Default)]
pub struct Meanwhile {
    /// The queued events; the first `earlier` ones are of an earlier session.
    arrivals: Vec<Arrival>,
    pub earlier: usize,
    /// The number of following events that arrived before the reply to the subscription, and of those that arrived
    /// before the node was listed again.
    pub overtaking: usize,
    pub older: usize,
    /// A subscription of the same JID was ended in this session: its events may still arrive, and events in between may
    /// be missing.
    pub follows_another: bool,
    /// A gap was reported and no event arrived since.
    pub gap_told: bool,
    /// The node was purged in this session: an empty listing is not a gap.
    pub purged: bool,
}

impl FeedPhase {
    /// The state by name.
    pub fn place(&self) -> FeedPlace {
        match self {
            Self::Apart => FeedPlace::Apart,
            Self::Subscribing(_) => FeedPlace::Subscribing,
            Self::CatchingUp(_) => FeedPlace::CatchingUp,
            Self::Live => FeedPlace::Live,
            Self::Pending => FeedPlace::Pending,
            Self::Away { .. } => FeedPlace::Away,
            Self::Over => FeedPlace::Over,
            Self::Left(place) => *place,
        }
    }

    /// The next deadline of this phase.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Away { retry_at } => Some(*retry_at),
            Self::CatchingUp(Inquiry::Fetching { again_at, .. }) => *again_at,
            _ => None,
        }
    }

    /// Whether events are queued in this phase.
    pub fn holds_events(&self) -> bool {
        matches!(
            self,
            Self::Apart
                | Self::Subscribing(_)
                | Self::CatchingUp(_)
                | Self::Away { .. }
                | Self::Left(_)
        )
    }
}

impl Basis {
    /// Whether the feed was live before, in this instance or in the one that wrote its position.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known)
    }

    /// Takes the flag that a gap must be reported because of an outdated position.
    pub fn take_outdated(&mut self) -> bool {
        match self {
            Self::New { outdated, .. } => core::mem::take(outdated),
            Self::Known => false,
        }
    }
}

impl Meanwhile {
    /// The number of queued events.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Adds an event.
    pub fn push(&mut self, arrival: Arrival) {
        self.arrivals.push(arrival);
    }

    /// The number of events of this session.
    pub fn count_of_session(&self) -> usize {
        self.arrivals.len().saturating_sub(self.earlier)
    }

    /// Marks the events as those of earlier sessions.
    pub fn begin_session(&mut self, waiting: Vec<Arrival>) {
        self.earlier = waiting.len();
        self.arrivals = waiting;
        self.overtaking = 0;
        self.older = 0;
    }

    /// Takes all events, and keeps the counts.
    pub fn take_all(&mut self) -> Vec<Arrival> {
        core::mem::take(&mut self.arrivals)
    }

    /// Restores the taken events, in order.
    pub fn put_back(&mut self, arrivals: Vec<Arrival>) {
        self.arrivals = arrivals;
    }

    /// Takes all events: those of earlier sessions, and those of this one.
    pub fn take_both(&mut self) -> (Vec<Arrival>, Vec<Arrival>) {
        let mut earlier = self.take_all();
        let later = earlier.split_off(self.earlier.min(earlier.len()));
        (earlier, later)
    }

    /// Keeps the events for which `is_kept` returns true.
    pub fn retain(&mut self, is_kept: impl FnMut(&Arrival) -> bool) {
        let (mut earlier, mut later) = self.take_both();
        let mut is_kept = is_kept;
        earlier.retain(&mut is_kept);
        later.retain(&mut is_kept);
        self.earlier = earlier.len();
        earlier.append(&mut later);
        self.arrivals = earlier;
    }

    /// Whether an event that arrived before the reply to the subscription, or after an ended subscription, has another
    /// revision than the listing, and no event has the listed one: an event of an earlier subscription may be older
    /// than the listing, one of this subscription is newer. Another listing decides.
    pub fn is_doubtful(&self, digests: &[Digest], waiting: &[Arrival]) -> bool {
        let overtaking = waiting.iter().skip(self.earlier).take(self.overtaking);
        if self.overtaking == 0 {
            return false;
        }
        let index = DigestIndex::of(digests);
        overtaking.filter_map(Arrival::as_item).any(|arrived| {
            let place = index.place(arrived.digest.id, digests);
            let listed = place.and_then(|place| digests.get(place));
            let told = |listed: &Digest| {
                let mut all = waiting.iter().filter_map(Arrival::as_item);
                all.any(|other| other.digest == *listed)
            };
            !arrived.resent && listed.is_some_and(|listed| !told(listed))
        })
    }
}
