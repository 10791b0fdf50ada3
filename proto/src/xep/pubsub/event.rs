//! Events of a publish-subscribe service (XEP-0060 §7, §8): one event in a message.

use super::{Item, Subscription};
use crate::ns;
use crate::stanza::is_error;
use crate::xep::data_form::Form;
use crate::xml::Element;

/// A change of one item.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemEvent {
    /// The item was published, for the first time or again.
    Published(Item),
    /// The item was retracted.
    Retracted {
        /// Its id.
        id: String,
    },
}

/// A parsed event.
#[derive(Clone, Debug, PartialEq)]
pub enum PubSubEvent {
    /// Items were published or retracted (§7.1.2, §7.2.2), in this order.
    Items {
        /// The node.
        node: String,
        /// The changes, in order.
        entries: Vec<ItemEvent>,
    },
    /// All items were removed (§8.5).
    Purge {
        /// The node.
        node: String,
    },
    /// The node was removed (§8.4).
    Delete {
        /// The node.
        node: String,
        /// The address of the replacing node.
        redirect: Option<String>,
    },
    /// The node's configuration changed (§8.2).
    Configuration {
        /// The node.
        node: String,
        /// The new configuration, if the service sends it.
        form: Option<Form>,
    },
    /// A subscription of ours was approved, changed or ended (§8.6, §8.8).
    Subscription(Subscription),
    /// A collection changed (XEP-0248); passed on without interpretation.
    Collection {
        /// The collection.
        node: String,
        /// The `<collection/>`.
        element: Element,
    },
}

impl PubSubEvent {
    /// The event's node; empty for the root.
    pub fn node(&self) -> &str {
        match self {
            Self::Items { node, .. }
            | Self::Purge { node }
            | Self::Delete { node, .. }
            | Self::Configuration { node, .. }
            | Self::Collection { node, .. } => node,
            Self::Subscription(subscription) => subscription.node.as_deref().unwrap_or_default(),
        }
    }
}

/// Whether a message is an event. Only a direct child counts: a forwarded event
/// has another recipient. An error message is not an event.
pub fn is_event(message: &Element) -> bool {
    message.is("message", ns::CLIENT)
        && !is_error(message)
        && message.has_child("event", ns::PUBSUB_EVENT)
}

/// Parses the event of a message; `None` if there is no known one. The sender is not checked here:
/// [`Subscriptions::route`](super::subscriptions::Subscriptions::route) does.
pub fn parse(message: &Element) -> Option<PubSubEvent> {
    if !is_event(message) {
        return None;
    }
    let event = message.child("event", ns::PUBSUB_EVENT)?;
    for child in event.children() {
        if child.ns() == ns::PUBSUB_EVENT
            && let Some(event) = parse_child(&child)
        {
            return Some(event);
        }
    }
    None
}

fn parse_child(child: &Element) -> Option<PubSubEvent> {
    let node = || child.attr("node").unwrap_or_default().into();
    Some(match child.name() {
        "items" => PubSubEvent::Items {
            node: node(),
            entries: parse_entries(child),
        },
        "purge" => PubSubEvent::Purge { node: node() },
        "delete" => PubSubEvent::Delete {
            node: node(),
            redirect: child
                .child("redirect", ns::PUBSUB_EVENT)
                .and_then(|redirect| redirect.attr("uri").map(Into::into)),
        },
        "configuration" => PubSubEvent::Configuration {
            node: node(),
            form: Form::child_of(child),
        },
        "subscription" => PubSubEvent::Subscription(Subscription::parse(child)),
        "collection" => PubSubEvent::Collection {
            node: node(),
            element: child.clone(),
        },
        _ => return None,
    })
}

fn parse_entries(items: &Element) -> Vec<ItemEvent> {
    let mut entries = Vec::new();
    if items.children().next().is_none() {
        // A transient node without payloads: an item was published (§7.1.2.2).
        return vec![ItemEvent::Published(Item {
            id: None,
            publisher: None,
            payload: None,
        })];
    }
    for entry in items.children() {
        if let Some(entry) = parse_entry(&entry) {
            entries.push(entry);
        }
    }
    entries
}

fn parse_entry(entry: &Element) -> Option<ItemEvent> {
    if entry.is("item", ns::PUBSUB_EVENT) {
        return Some(ItemEvent::Published(Item::parse(entry)));
    }
    if entry.is("retract", ns::PUBSUB_EVENT) {
        return Some(ItemEvent::Retracted {
            id: entry.attr("id")?.into(),
        });
    }
    None
}

/// The ids of the subscriptions for which a message was sent (§7.1.2.4: SHIM headers `SubID`, which may repeat).
pub fn subids(message: &Element) -> Vec<String> {
    let Some(headers) = message.child("headers", ns::SHIM) else {
        return Vec::new();
    };
    let mut subids = Vec::new();
    for header in headers.children() {
        let name = header.attr("name").unwrap_or_default();
        if header.is("header", ns::SHIM) && name.eq_ignore_ascii_case("SubID") {
            let subid = header.trimmed_text();
            if !subid.is_empty() {
                subids.push(subid);
            }
        }
    }
    subids
}
