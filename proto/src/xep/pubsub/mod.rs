//! XEP-0060: Publish-Subscribe 1.30. For subscriber, publisher and owner.
//!
//! Specification: XEP-0060 1.30.0.
//!
//! [`request`] builds requests and parses replies, [`owner`] does so for requests of a node's owner, [`event`]
//! parses events, [`subscriptions`] routes events to feeds, [`feed`] keeps one node complete, [`feeds`]
//! all of a connection, [`digest`]
//! compares publications. A service of `None` is one's own account (XEP-0163). Left out: listing the nodes whose subscriptions are
//! pending (§8.7.1), and collections (XEP-0248), of which events are passed on.

pub mod digest;
pub mod event;
pub mod feed;
pub mod feeds;
pub mod owner;
pub mod request;
pub mod subscriptions;

use crate::ns;
use crate::stanza::StanzaError;
use crate::xml::Element;

/// `FORM_TYPE` of subscription options (§6.3.1).
pub const SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";
/// `FORM_TYPE` of publish options (§7.1.5).
pub const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
/// `FORM_TYPE` of a node's configuration (§8.2).
pub const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";

/// One item of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its id; the service gives one to every item it keeps, so only a transient notification lacks it.
    pub id: Option<String>,
    /// The publisher, if the service reports it (§7.1.2.3).
    pub publisher: Option<String>,
    /// The payload; `None` if the notification has none (then fetch the item by its id).
    pub payload: Option<Element>,
}

impl Item {
    fn parse(item: &Element) -> Self {
        Self {
            id: item.attr("id").map(Into::into),
            publisher: item.attr("publisher").map(Into::into),
            payload: item.children().next(),
        }
    }
}

/// The state of a subscription (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// Not subscribed.
    None,
    /// An owner must approve it.
    Pending,
    /// It must be configured before events are sent.
    Unconfigured,
    /// Subscribed.
    Subscribed,
}

impl SubscriptionState {
    /// The name in the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Unconfigured => "unconfigured",
            Self::Subscribed => "subscribed",
        }
    }

    /// Parses the name in the protocol. An absent one, from old services, is `Subscribed`.
    pub fn parse(name: Option<&str>) -> Self {
        match name {
            Some("none") => Self::None,
            Some("pending") => Self::Pending,
            Some("unconfigured") => Self::Unconfigured,
            _ => Self::Subscribed,
        }
    }
}

/// A subscription, as a service reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The node; none is the root.
    pub node: Option<String>,
    /// The subscribed JID, exactly as the service writes it.
    pub jid: String,
    /// The SubID, which distinguishes subscriptions of one JID; required to end it.
    pub subid: Option<String>,
    /// The state.
    pub state: SubscriptionState,
}

impl Subscription {
    /// Reads a `<subscription/>` of a reply or of an event.
    pub(crate) fn parse(element: &Element) -> Self {
        Self {
            node: element.attr("node").map(Into::into),
            jid: element.attr("jid").unwrap_or_default().into(),
            subid: element.attr("subid").map(Into::into),
            state: SubscriptionState::parse(element.attr("subscription")),
        }
    }
}

/// Whether an error has this condition of publish-subscribe's own, such as `closed-node` or `precondition-not-met`.
pub fn is_error(error: &StanzaError, condition: &str) -> bool {
    error.is_application(condition, ns::PUBSUB_ERRORS)
}
