//! Changes that a feed reports, and its outputs.

use crate::event::RequestFailure;
use crate::time::Instant;
use crate::xep::pubsub::{Item, Subscription};
use crate::xml::Element;

/// How an item arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The node held it when the feed began.
    Snapshot,
    /// It was published while the feed was live.
    Live,
    /// It was published or removed during an interruption.
    CatchUp,
}

/// A change of a node or its subscription.
#[derive(Clone, Debug)]
pub enum Change {
    /// The service accepted the subscription, with its details. Reported again in each new session.
    Subscribed(Option<Subscription>),
    /// The service refused. The feed ends.
    Refused(Box<RequestFailure>),
    /// An item.
    Item {
        /// The last revision.
        item: Item,
        /// The time of publication in milliseconds since 1970, if known.
        time: Option<i64>,
        /// How it came.
        via: Via,
    },
    /// An item was removed.
    Retract {
        /// Its id.
        id: String,
        /// [`Via::CatchUp`]: found to be absent, either retracted or dropped by the node's limit.
        via: Via,
    },
    /// All items were removed (§8.5).
    Purge,
    /// Publications may be missing: the service does not hold the items that would show completeness.
    Gap {
        /// The id of the last item before it.
        after: Option<String>,
        /// The id of the first item after it; `None` when there is none yet.
        before: Option<String>,
    },
    /// The snapshot or the missed items were reported; the following changes are new.
    Live,
    /// The service changed the subscription (§8.6, §8.8).
    Subscription(Subscription),
    /// The node's configuration changed (§8.2).
    Configuration,
    /// The node was deleted (§8.4). The feed ends.
    Delete {
        /// The address of the replacing node.
        redirect: Option<String>,
    },
    /// The feed ended.
    End,
}

/// An output of a feed.
#[derive(Clone, Debug)]
pub enum FeedOutput {
    /// Send a request; pass the reply to [`Feed::handle_reply`](super::Feed::handle_reply) under this number.
    Request {
        /// Its number.
        number: u32,
        /// The request.
        iq: Element,
    },
    /// Report this change.
    Change(Box<Change>),
    /// No output until an input or this time.
    Timeout(Option<Instant>),
}
