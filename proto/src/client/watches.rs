//! Pubsub events without an explicit subscription: events that accounts publish about themselves (XEP-0163), which
//! our capabilities ask for (XEP-0115), and requests to approve a subscription (XEP-0060 §8.6).
//!
//! Specification: XEP-0163 1.2.2.

use super::{Client, ClientEvent};
use crate::jid::Jid;
use crate::stanza::is_error;
use crate::xep::delay::Delay;
use crate::xep::pubsub::event::{self, PubSubEvent};
use crate::xep::pubsub::owner::Approval;
use crate::xml::Element;

/// The id of a watch; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub u32);

/// An event that an account published about itself.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The account, a bare JID.
    pub account: String,
    /// The event.
    pub event: PubSubEvent,
    /// When the event was published, in milliseconds since 1970, if the service included the time.
    pub time: Option<i64>,
}

/// The subject of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
enum WatchSubject {
    /// A node of that name, of any account.
    Node(String),
    /// Approval requests of this service.
    Approvals(String),
}

/// The watches of a client.
#[derive(Default)]
pub(super) struct Watches {
    all: Vec<(WatchId, WatchSubject)>,
    last: u32,
}

impl Watches {
    /// The watched nodes; a node may appear more than once.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter_map(|(_, subject)| match subject {
            WatchSubject::Node(node) => Some(node.as_str()),
            WatchSubject::Approvals(_) => None,
        })
    }

    fn of(&self, wanted: &WatchSubject) -> Vec<WatchId> {
        let fitting = self.all.iter().filter(|(_, subject)| subject == wanted);
        fitting.map(|(id, _)| *id).collect()
    }
}

impl Client {
    /// Watches for events that accounts publish on a node of this name. Our capabilities announce the interest.
    pub fn watch_node(&mut self, node: &str) -> WatchId {
        self.watch(WatchSubject::Node(node.to_owned()))
    }

    /// Watches for a service's requests to approve a subscription.
    pub fn watch_approvals(&mut self, service: &Jid) -> WatchId {
        self.watch(WatchSubject::Approvals(service.as_str().to_owned()))
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, watch: WatchId) {
        self.watches.all.retain(|(id, _)| *id != watch);
        self.presence.note_changed();
    }

    fn watch(&mut self, subject: WatchSubject) -> WatchId {
        self.watches.last = self.watches.last.wrapping_add(1);
        let id = WatchId(self.watches.last);
        self.watches.all.push((id, subject));
        self.presence.note_changed();
        id
    }

    /// Reports an event that an account published to the watches of its node. Returns true if there is one.
    pub(super) fn route_personal(&mut self, message: &Element) -> bool {
        let Some(account) = self.account_of(message) else {
            return false;
        };
        let Some(event) = event::parse(message) else {
            return false;
        };
        // These events belong to a subscription: a feed handles them.
        if matches!(
            event,
            PubSubEvent::Subscription(_) | PubSubEvent::Collection { .. }
        ) {
            return false;
        }
        let watches = self
            .watches
            .of(&WatchSubject::Node(event.node().to_owned()));
        if watches.is_empty() {
            return false;
        }
        let time = Delay::of(message, &account).map(|delay| delay.stamp);
        let watched = Watched {
            account,
            event,
            time,
        };
        self.emit(ClientEvent::Personal {
            watches,
            watched: Box::new(watched),
        });
        true
    }

    /// The account whose bare JID sent a message. Only the account's server can send from the bare JID.
    /// Without a sender it is our own account (RFC 6120 §8.1.2.1).
    fn account_of(&self, message: &Element) -> Option<String> {
        match message.attr("from") {
            None => self.jid().map(|jid| jid.bare().as_str().to_owned()),
            Some(from) => (from.contains('@') && !from.contains('/')).then(|| from.to_owned()),
        }
    }

    /// Reports a service's approval request to its watches. Returns true if there is one.
    pub(super) fn route_approval(&mut self, message: &Element) -> bool {
        if is_error(message) || self.watches.all.is_empty() {
            return false;
        }
        let Some(approval) = Approval::parse(message) else {
            return false;
        };
        let own = self.jid().map(|jid| jid.bare().as_str().to_owned());
        let Some(service) = message.attr("from").map(str::to_owned).or(own) else {
            return false;
        };
        let watches = self.watches.of(&WatchSubject::Approvals(service.clone()));
        if watches.is_empty() {
            return false;
        }
        self.emit(ClientEvent::ApprovalAsked {
            watches,
            service,
            approval: Box::new(approval),
        });
        true
    }
}
