//! Where a feed is, and what belongs to that alone.

use super::archive::Archive;
use super::arrival::Arrival;
use super::catch_up::{CatchUp, Goal, ListedItem};
use super::known::Index;
use crate::states::Place;
use crate::time::Instant;
use crate::xep::pubsub::digest::Digest;

/// Where a feed is.
#[derive(Debug)]
pub enum State {
    /// There is no session, or it is at its end: nothing is asked. Events wait.
    Apart,
    /// The subscription was asked for, and at the same time what the node holds. Events wait.
    Subscribing(Inquiry),
    /// Subscribed: what the node holds is being found out. Events wait.
    CatchingUp(Inquiry),
    /// Events are told as they come.
    Live,
    /// An owner has to agree to the subscription (XEP-0060 §6.1.4). What comes is told.
    Pending,
    /// The node or its service is not there. The subscription is asked for again at this time.
    Away {
        /// When.
        retry_at: Instant,
    },
    /// Ended: what is left is told, and nothing follows.
    Over,
    /// This state was left; what comes next is being decided. Events wait.
    Left(FeedPlace),
}

/// The states by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedPlace {
    /// There is no session.
    Apart,
    /// The subscription was asked for.
    Subscribing,
    /// What the node holds is being found out.
    CatchingUp,
    /// Events are told as they come.
    Live,
    /// An owner has to agree to the subscription.
    Pending,
    /// The node or its service is not there.
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
        // More came meanwhile than is kept; the answer to the subscription comes later.
        (Self::Subscribing, Self::Live),
        (Self::Live, Self::Pending),
        (Self::Live, Self::Away),
        (Self::Away, Self::Subscribing),
        // A new session.
        (Self::Subscribing, Self::Subscribing),
        (Self::CatchingUp, Self::Subscribing),
        (Self::Live, Self::Subscribing),
        (Self::Pending, Self::Subscribing),
        // The session is at its end.
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

/// How far the question is what the node holds.
#[derive(Debug)]
pub enum Inquiry {
    /// The node is listed; where the service was busy, again at this time.
    Fetching {
        catch_up: CatchUp,
        again_at: Option<Instant>,
    },
    /// Its archive is asked.
    Querying(Archive),
    /// The node was listed, and what was told before that may still be on its way.
    Settling(Listing),
    /// The answer came before the one to the subscription, and may have been read before there was one: it does not count.
    Overtaken,
}

/// What was found.
#[derive(Debug)]
pub enum Listing {
    /// Items, the oldest first; `whole`: the node holds no others.
    Held {
        goal: Goal,
        held: Vec<ListedItem>,
        whole: bool,
    },
    /// Publications since the last one that was told.
    Archived(Vec<Arrival>),
}

/// What the feed goes on from.
#[derive(Debug)]
pub enum Basis {
    /// Nothing: it has never been live.
    New {
        /// What the node held before the subscription, where only what comes after it is told.
        before: Vec<Digest>,
        /// There was a position, which shows nothing, so that a gap comes first.
        outdated: bool,
    },
    /// What is known of the node.
    Known,
}

/// What came since the feed was live last, or before it ever was.
#[derive(Debug, Default)]
pub struct Meanwhile {
    /// Events; the first so many in an earlier session.
    arrivals: Vec<Arrival>,
    pub earlier: usize,
    /// So many behind those came before the answer to the subscription; and so many before the node was asked again.
    pub overtaking: usize,
    pub older: usize,
    /// A subscription of the same JID was ended in this session: its events may still come, and some between may be missing.
    pub follows_another: bool,
    /// A gap was told, and nothing came since.
    pub gap_told: bool,
    /// The node was emptied in this session: that nothing is there any more is no gap.
    pub purged: bool,
}

impl State {
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

    /// When something is to be done although nothing comes.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Away { retry_at } => Some(*retry_at),
            Self::CatchingUp(Inquiry::Fetching { again_at, .. }) => *again_at,
            _ => None,
        }
    }

    /// Whether events wait.
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
    /// Whether the feed was live once, in this life or in the one that its position is of.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known)
    }

    /// Whether a gap is to be told because an old position shows nothing; once.
    pub fn take_outdated(&mut self) -> bool {
        match self {
            Self::New { outdated, .. } => core::mem::take(outdated),
            Self::Known => false,
        }
    }
}

impl Meanwhile {
    /// How many events wait.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// One more comes.
    pub fn push(&mut self, arrival: Arrival) {
        self.arrivals.push(arrival);
    }

    /// How many of them came in this session.
    pub fn count_of_session(&self) -> usize {
        self.arrivals.len().saturating_sub(self.earlier)
    }

    /// A session begins: these are of earlier ones.
    pub fn begin_session(&mut self, waiting: Vec<Arrival>) {
        self.earlier = waiting.len();
        self.arrivals = waiting;
        self.overtaking = 0;
        self.older = 0;
    }

    /// Takes all, and leaves the counts.
    pub fn take_all(&mut self) -> Vec<Arrival> {
        core::mem::take(&mut self.arrivals)
    }

    /// Puts back what was taken, in order.
    pub fn put_back(&mut self, arrivals: Vec<Arrival>) {
        self.arrivals = arrivals;
    }

    /// Takes all: what is of earlier sessions, and what is of this one.
    pub fn take_both(&mut self) -> (Vec<Arrival>, Vec<Arrival>) {
        let mut earlier = self.take_all();
        let later = earlier.split_off(self.earlier.min(earlier.len()));
        (earlier, later)
    }

    /// Keeps some.
    pub fn retain(&mut self, is_kept: impl FnMut(&Arrival) -> bool) {
        let (mut earlier, mut later) = self.take_both();
        let mut is_kept = is_kept;
        earlier.retain(&mut is_kept);
        later.retain(&mut is_kept);
        self.earlier = earlier.len();
        earlier.append(&mut later);
        self.arrivals = earlier;
    }

    /// Whether an event that came before the answer to the subscription, or after one that was ended, tells another revision
    /// than the listing, which no event tells: of a subscription of before it may be older, of this one it is newer. Asked
    /// again, the node shows it.
    pub fn is_doubtful(&self, digests: &[Digest], waiting: &[Arrival]) -> bool {
        let overtaking = waiting.iter().skip(self.earlier).take(self.overtaking);
        if self.overtaking == 0 {
            return false;
        }
        let index = Index::of(digests);
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
