//! What waits to be told: items and their ends, as events, listings and archives bring them.

use super::change::Via;
use crate::ns;
use crate::xep::delay::Delay;
use crate::xep::pubsub::Item;
use crate::xep::pubsub::digest::Digest;
use crate::xep::pubsub::event::{ItemEvent, PubSubEvent};
use crate::xml::Element;

/// What waits to be told, in order.
#[derive(Clone, Debug)]
pub enum Arrival {
    Item(Arrived),
    Retract {
        id: String,
        via: Via,
        /// Its name in the node's archive.
        archived: Option<String>,
    },
    Purge {
        archived: Option<String>,
    },
    Gap {
        after: Option<String>,
        before: Option<String>,
    },
    /// The feed is live. `partial`: some of what is known was not listed, and may be gone.
    Live {
        partial: bool,
    },
}

/// An item that waits to be told.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub item: Item,
    pub digest: Digest,
    pub time: Option<i64>,
    /// The service says that it was published earlier (XEP-0203): the last item, for who subscribes or comes online.
    pub resent: bool,
    /// Its name in the node's archive.
    pub archived: Option<String>,
    pub via: Via,
    /// The service has no payload of it, or does not tell it.
    pub bare: bool,
    /// It came while the node was asked what it holds.
    pub waited: bool,
    /// The event came without a payload.
    pub fetched: bool,
    /// It was published after the subscription, whatever is known by now.
    pub news: bool,
}

impl Arrival {
    /// An item that is found to be there no more.
    pub fn gone(id: String) -> Self {
        Self::Retract {
            id,
            via: Via::CatchUp,
            archived: None,
        }
    }

    /// Its name in the node's archive.
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
    pub fn is_wanting(&self) -> bool {
        self.as_item()
            .is_some_and(|arrived| arrived.item.payload.is_none() && !arrived.bare)
    }
}

/// When a message was sent first, as far as it says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentTime {
    /// In milliseconds since 1970.
    pub time: Option<i64>,
    /// The service says so, or nobody in particular. Other stamps are of servers in between, which held the message back.
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

/// What an event brings, one by one.
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

/// What the service calls a message in its archive (XEP-0359).
pub fn archived_as(message: &Element, service: &str) -> Option<String> {
    for child in message.children() {
        if child.is("stanza-id", ns::STANZA_ID) && child.attr("by") == Some(service) {
            return child.attr("id").map(Into::into);
        }
    }
    None
}
