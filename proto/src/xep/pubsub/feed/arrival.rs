//! Queued changes: items and removals from events, listings and archives.

use super::change::Via;
use crate::ns;
use crate::xep::delay::Delay;
use crate::xep::pubsub::Item;
use crate::xep::pubsub::digest::Digest;
use crate::xep::pubsub::event::{ItemEvent, PubSubEvent};
use crate::xml::Element;

/// A queued change.
#[derive(Clone, Debug)]
pub enum Arrival {
    Item(Arrived),
    Retract {
        id: String,
        via: Via,
        /// Its id in the node's archive.
        archived: Option<String>,
    },
    Purge {
        archived: Option<String>,
    },
    Gap {
        after: Option<String>,
        before: Option<String>,
    },
    /// The feed is live. `partial`: some known items were not listed and may be gone.
    Live {
        partial: bool,
    },
}

/// A queued item.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub item: Item,
    pub digest: Digest,
    pub time: Option<i64>,
    /// The service marks it as delayed (XEP-0203): the last item, sent on subscribing or on coming online.
    pub resent: bool,
    /// Its id in the node's archive.
    pub archived: Option<String>,
    pub via: Via,
    /// The service has no payload or omits it.
    pub bare: bool,
    /// It arrived while the node was listed.
    pub waited: bool,
    /// The event came without a payload.
    pub fetched: bool,
    /// It was published after the subscription.
    pub news: bool,
}

impl Arrival {
    /// An item that was found to be removed.
    pub fn gone(id: String) -> Self {
        Self::Retract {
            id,
            via: Via::CatchUp,
            archived: None,
        }
    }

    /// Its id in the node's archive.
    pub fn archived(&self) -> Option<&String> {
        match self {
            Self::Item(Arrived { archived, .. })
            | Self::Retract { archived, .. }
            | Self::Purge { archived } => archived.as_ref(),
            _ => None,
        }
    }

    pub fn as_item(&self) -> Option<&Arrived> {
        match self {
            Self::Item(arrived) => Some(arrived),
            _ => None,
        }
    }

    /// An item whose payload has to be fetched first (§7.1.2.2).
    pub fn needs_payload(&self) -> bool {
        self.as_item()
            .is_some_and(|arrived| arrived.item.payload.is_none() && !arrived.bare)
    }
}

/// The original send time of a message (XEP-0203).
#[derive(Clone, Copy, Debug, Default)]
pub struct SentTime {
    /// In milliseconds since 1970.
    pub time: Option<i64>,
    /// Whether the service stamped it, or the stamp has no author. Other stamps are of servers that delayed the message.
    pub by_service: bool,
}

impl SentTime {
    /// Of a message of this service.
    pub fn of(message: &Element, service: &str) -> Self {
        let delay = Delay::of(message, service);
        Self {
            by_service: delay
                .as_ref()
                .is_some_and(|delay| delay.from.as_deref().is_none_or(|from| from == service)),
            time: delay.map(|delay| delay.stamp),
        }
    }
}

/// The changes of an event, one by one.
pub fn arrivals_of(event: &PubSubEvent, stamp: SentTime, archived: Option<String>) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    match event {
        PubSubEvent::Items { entries, .. } => {
            for entry in entries {
                arrivals.push(match entry {
                    ItemEvent::Published(item) => Arrival::Item(Arrived {
                        digest: Digest::of(item),
                        bare: item.id.is_none(),
                        item: item.clone(),
                        time: stamp.time,
                        resent: stamp.by_service,
                        archived: archived.clone(),
                        via: Via::Live,
                        waited: false,
                        fetched: false,
                        news: false,
                    }),
                    ItemEvent::Retracted { id } => Arrival::Retract {
                        id: id.clone(),
                        via: Via::Live,
                        archived: archived.clone(),
                    },
                });
            }
        }
        PubSubEvent::Purge { .. } => arrivals.push(Arrival::Purge { archived }),
        _ => {}
    }
    arrivals
}

/// The archive id of a message (XEP-0359).
pub fn archived_as(message: &Element, service: &str) -> Option<String> {
    for child in message.children() {
        if child.is("stanza-id", ns::STANZA_ID) && child.attr("by") == Some(service) {
            return child.attr("id").map(Into::into);
        }
    }
    None
}
