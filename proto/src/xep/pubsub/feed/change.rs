//! What a feed tells, and what it wants.

use crate::event::RequestFailure;
use crate::time::Instant;
use crate::xep::pubsub::{Item, Subscription};
use crate::xml::Element;

/// How an item came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// It was there when the feed began.
    Snapshot,
    /// It was published while the feed was listening.
    Live,
    /// It was published, or gone, after an interruption began and before it was over.
    CatchUp,
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum Change {
    /// The service has agreed; what it said about the subscription. Comes again in each new session.
    Subscribed(Option<Subscription>),
    /// The service refused. The feed is over.
    Refused(Box<RequestFailure>),
    /// An item.
    Item {
        /// As it was published last.
        item: Item,
        /// When, in milliseconds since 1970, if the service told.
        time: Option<i64>,
        /// How it came.
        via: Via,
    },
    /// An item is no longer there.
    Retract {
        /// Its id.
        id: String,
        /// [`Via::CatchUp`]: found to be gone, taken back or dropped by the node's limit.
        via: Via,
    },
    /// No item is there any more (§8.5).
    Purge,
    /// Something may be missing: the service no longer holds what would show that nothing is.
    Gap {
        /// The id of the last item before it.
        after: Option<String>,
        /// The id of the first item after it; `None` when there is none yet.
        before: Option<String>,
    },
    /// What was there, or was missed, has been told; what comes now is new.
    Live,
    /// The service changed how the subscription stands (§8.6, §8.8).
    Subscription(Subscription),
    /// The node's configuration changed (§8.2).
    Configuration,
    /// The node is no more (§8.4). The feed is over.
    Delete {
        /// The address of the one that takes its place.
        redirect: Option<String>,
    },
    /// The feed is over.
    End,
}

/// What the feed wants.
#[derive(Clone, Debug)]
pub enum FeedOutput {
    /// Ask the service; [`Feed::handle_reply`](super::Feed::handle_reply) gets the answer, under this number.
    Request {
        /// Its number.
        number: u32,
        /// What to ask.
        iq: Element,
    },
    /// Tell this.
    Change(Box<Change>),
    /// Nothing until something happens, or until this time.
    Timeout(Option<Instant>),
}
