//! Routes events to the feeds of one connection, and checks their sender.
//!
//! Three rules. An event counts only if the subscribed service sent it (any entity can send a message that looks like
//! an event). A feed gets events from the moment its request is sent, since events may overtake the reply. A
//! publication that arrives once per subscription (§7.1.2.4: several SubIDs; or a bare and a full JID, each subscribed)
//! is one publication.
//!
//! Routes are kept sorted by service and node, so that the cost of an event does not grow with the nodes subscribed.

mod copies;

use super::digest::hash_payload;
use super::event::{self, PubSubEvent};
use super::{Subscription, SubscriptionState};
use crate::jid::Jid;
use crate::ns;
use crate::stanza::split_jid;
use crate::unicode::Unicode;
use crate::xml::Element;
use copies::CopyFilter;

/// The id of a feed. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedId(pub u32);

/// The data to end a subscription with [`unsubscribe`](super::request::unsubscribe).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSubscription {
    /// The service.
    pub service: String,
    /// The node.
    pub node: String,
    /// The JID that is subscribed.
    pub jid: String,
    /// The SubID, if any.
    pub subid: Option<String>,
}

/// Where a message was routed.
#[derive(Clone, Debug, PartialEq)]
pub enum Routed {
    /// Not an event, or an unknown one.
    NotEvent,
    /// For these feeds.
    Feeds {
        /// At least one.
        feeds: Vec<FeedId>,
        /// What happened.
        event: PubSubEvent,
    },
    /// All feeds received it before, under another subscription.
    Duplicate,
    /// No feed is subscribed to the node: an automatic notification (XEP-0163), or a late event of an ended feed.
    Unclaimed(PubSubEvent),
    /// It names a subscribed node, but the sender is not the node's service: forged, or another account's node
    /// of the same name.
    Stranger {
        /// Who sent it.
        from: String,
        /// The named node.
        node: String,
    },
}

/// The registry of subscribed nodes.
#[derive(Debug, Default)]
pub struct Subscriptions {
    account: String,
    routes: Vec<NodeRoute>,
    last_id: u32,
}

#[derive(Debug)]
struct NodeRoute {
    service: String,
    node: String,
    feeds: Vec<SubscribedFeed>,
    seen: CopyFilter,
}

#[derive(Debug)]
struct SubscribedFeed {
    id: FeedId,
    jid: String,
    subid: Option<String>,
    state: SubscriptionState,
    /// Whether its request is unanswered.
    asked: bool,
}

/// Whether a subscription is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionUse {
    /// No feed uses it.
    Free,
    /// A feed uses it.
    Used,
    /// A feed of the same JID has requested a subscription, whose SubID is not known yet.
    Unknown,
}

impl Subscriptions {
    /// Creates an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the own account: a message without a sender comes from it (RFC 6120 §8.1.2.1).
    pub fn set_account(&mut self, own: &Jid) {
        self.account = split_jid(own.as_str()).0.into();
    }

    /// Adds a feed before its request is sent. `own` is the subscribed JID, bare or full.
    pub fn add(&mut self, service: &Jid, node: &str, own: &Jid) -> FeedId {
        self.last_id += 1;
        let id = FeedId(self.last_id);
        let feed = SubscribedFeed {
            id,
            jid: own.as_str().into(),
            subid: None,
            state: SubscriptionState::Pending,
            asked: true,
        };
        match self.position(service.as_str(), node) {
            Ok(at) => {
                if let Some(route) = self.routes.get_mut(at) {
                    route.feeds.push(feed);
                }
            }
            Err(at) => {
                let route = NodeRoute {
                    service: service.as_str().into(),
                    node: node.into(),
                    feeds: vec![feed],
                    seen: CopyFilter::default(),
                };
                self.routes.insert(at, route);
            }
        }
        id
    }

    /// Handles an accepted subscription; `reply` has its details, if any.
    pub fn confirm(&mut self, id: FeedId, reply: Option<&Subscription>) {
        let Some(feed) = self.feed_mut(id) else {
            return;
        };
        feed.state = SubscriptionState::Subscribed;
        feed.asked = false;
        if let Some(reply) = reply {
            feed.state = reply.state;
            feed.subid.clone_from(&reply.subid);
            if !reply.jid.is_empty() {
                feed.jid.clone_from(&reply.jid);
            }
        }
    }

    /// Resets a feed before its request is sent again, for another JID (a new session has a new full JID).
    pub fn renew(&mut self, id: FeedId, own: &Jid) {
        if let Some(feed) = self.feed_mut(id) {
            feed.jid = own.as_str().into();
            feed.subid = None;
            feed.state = SubscriptionState::Pending;
            feed.asked = true;
        }
    }

    /// The state of a feed's subscription; `None` for an unknown feed.
    pub fn state(&self, id: FeedId) -> Option<SubscriptionState> {
        let feeds = self.routes.iter().flat_map(|route| &route.feeds);
        feeds
            .into_iter()
            .find(|feed| feed.id == id)
            .map(|feed| feed.state)
    }

    /// Removes a feed. Returns the subscription to end, if no other feed
    /// uses it or may use it.
    pub fn remove(&mut self, id: FeedId) -> Option<HeldSubscription> {
        let held = self.take(id)?;
        (self.use_of(&held) == SubscriptionUse::Free).then_some(held)
    }

    /// Removes a feed; returns its subscription, unless it has ended.
    pub fn take(&mut self, id: FeedId) -> Option<HeldSubscription> {
        let at = self
            .routes
            .iter()
            .position(|route| route.feeds.iter().any(|feed| feed.id == id))?;
        let route = self.routes.get_mut(at)?;
        let index = route.feeds.iter().position(|feed| feed.id == id)?;
        let feed = route.feeds.remove(index);
        let held = (feed.state != SubscriptionState::None).then(|| feed.held(route));
        if route.feeds.is_empty() {
            self.routes.remove(at);
        }
        held
    }

    /// Whether a feed uses a subscription.
    pub fn use_of(&self, held: &HeldSubscription) -> SubscriptionUse {
        let at = self.position(&held.service, &held.node);
        let Some(route) = at.ok().and_then(|at| self.routes.get(at)) else {
            return SubscriptionUse::Free;
        };
        let mut found = SubscriptionUse::Free;
        for feed in &route.feeds {
            if feed.jid != held.jid || feed.state == SubscriptionState::None {
                continue;
            }
            if feed.asked && feed.subid.is_none() {
                found = SubscriptionUse::Unknown;
                continue;
            }
            let another =
                matches!((&feed.subid, &held.subid), (Some(own), Some(held)) if own != held);
            if !another {
                return SubscriptionUse::Used;
            }
        }
        found
    }

    /// The subscriptions of full JIDs, each once. They are useless after this session, and some services
    /// keep them for ever: end them before it closes.
    pub fn of_full_jids(&self) -> Vec<HeldSubscription> {
        let mut all: Vec<HeldSubscription> = Vec::new();
        for route in &self.routes {
            for feed in &route.feeds {
                let held = feed.held(route);
                if feed.jid.contains('/')
                    && feed.state != SubscriptionState::None
                    && !all.contains(&held)
                {
                    all.push(held);
                }
            }
        }
        all
    }

    /// Finds the feeds of a message, checks its sender, and leaves out feeds that received it before.
    pub fn route(&mut self, message: &Element, unicode: &dyn Unicode) -> Routed {
        let Some(event) = event::parse(message) else {
            return Routed::NotEvent;
        };
        let from = message.attr("from").unwrap_or(&self.account);
        let at = match self.position(from, event.node()) {
            Ok(at) => at,
            Err(_) => {
                if !self.routes.iter().any(|route| route.node == event.node()) {
                    return Routed::Unclaimed(event);
                }
                // Services usually write their own JID in normal form; others are compared after parsing.
                let normal = Jid::parse(from, unicode).ok();
                match normal.and_then(|from| self.position(from.as_str(), event.node()).ok()) {
                    Some(at) => at,
                    None => {
                        return Routed::Stranger {
                            from: from.into(),
                            node: event.node().into(),
                        };
                    }
                }
            }
        };
        let Some(route) = self.routes.get_mut(at) else {
            return Routed::Unclaimed(event);
        };
        let feeds = match &event {
            PubSubEvent::Subscription(told) => route.update_state(told),
            _ => route.claim(message),
        };
        match (feeds.is_empty(), &event) {
            (false, _) => Routed::Feeds { feeds, event },
            (true, PubSubEvent::Subscription(_)) => Routed::Unclaimed(event),
            (true, _) => Routed::Duplicate,
        }
    }

    fn position(&self, service: &str, node: &str) -> Result<usize, usize> {
        self.routes.binary_search_by(|route| {
            let by_service = route.service.as_str().cmp(service);
            by_service.then_with(|| route.node.as_str().cmp(node))
        })
    }

    fn feed_mut(&mut self, id: FeedId) -> Option<&mut SubscribedFeed> {
        let feeds = self.routes.iter_mut().flat_map(|route| &mut route.feeds);
        feeds.into_iter().find(|feed| feed.id == id)
    }
}

impl NodeRoute {
    /// The feeds of this event that did not receive it before.
    fn claim(&mut self, message: &Element) -> Vec<FeedId> {
        let mut subids = event::subids(message);
        subids.truncate(16);
        self.seen.make_room(subids.len().max(1));
        let mask = if subids.is_empty() {
            self.seen.key(message.attr("to").unwrap_or_default(), false)
        } else {
            subids
                .iter()
                .fold(0, |mask, subid| mask | self.seen.key(subid, true))
        };
        let before = match message.child("event", ns::PUBSUB_EVENT) {
            Some(event) => self.seen.note(mask, hash_payload(&event)),
            None => 0,
        };
        let mut claimed = Vec::new();
        for feed in &self.feeds {
            if self.accepts(feed, mask) && !self.accepts(feed, before) {
                claimed.push(feed.id);
            }
        }
        claimed
    }

    /// Whether an event for these subscriptions is for this feed: for the feed's own subscription, or for one that no
    /// feed knows (one of an earlier session; or the feed's own, whose id is not known yet).
    fn accepts(&self, feed: &SubscribedFeed, mask: u32) -> bool {
        self.seen.of(mask).any(|key| {
            if key.subid {
                feed.subid.as_ref().is_none_or(|own| *own == key.text)
                    || !self
                        .feeds
                        .iter()
                        .any(|other| other.subid.as_ref() == Some(&key.text))
            } else {
                feed.jid == key.text || !self.feeds.iter().any(|other| other.jid == key.text)
            }
        })
    }

    /// Handles a change of a subscription's state.
    fn update_state(&mut self, told: &Subscription) -> Vec<FeedId> {
        let mut concerned = Vec::new();
        for feed in &mut self.feeds {
            let another = matches!(
                (&feed.subid, &told.subid),
                (Some(own), Some(told)) if own != told
            );
            // The end of an earlier subscription does not concern the requested one.
            let earlier = feed.asked && told.state == SubscriptionState::None;
            let mine = feed.jid == told.jid || told.jid.is_empty();
            if mine && !another && !earlier {
                feed.state = told.state;
                feed.subid = told.subid.clone().or(feed.subid.take());
                concerned.push(feed.id);
            }
        }
        concerned
    }
}

impl SubscribedFeed {
    fn held(&self, route: &NodeRoute) -> HeldSubscription {
        HeldSubscription {
            service: route.service.clone(),
            node: route.node.clone(),
            jid: self.jid.clone(),
            subid: self.subid.clone(),
        }
    }
}
