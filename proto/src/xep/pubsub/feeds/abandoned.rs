//! Subscriptions that were requested and abandoned before the service replied: they are ended at the service, too,
//! unless another feed uses them.

use crate::event::RequestFailure;
use crate::xep::pubsub::subscriptions::{HeldSubscription, SubscriptionUse, Subscriptions};
use crate::xep::pubsub::{SubscriptionState, request};
use crate::xml::Element;

/// How many are remembered between sessions, and while another feed's reply is pending.
const MOST: usize = 100;

/// The abandoned subscriptions.
#[derive(Debug, Default)]
pub struct Abandoned {
    /// Another feed has requested a subscription of the same JID: its reply shows whether this one is different.
    doubtful: Vec<HeldSubscription>,
    /// The session ended before the service replied: they may exist.
    unsure: Vec<HeldSubscription>,
    /// The subscriptions ended in this session: service, node and JID.
    ended: Vec<(String, String, String)>,
}

impl Abandoned {
    /// Handles the reply to an abandoned request; returns the requests to send.
    pub fn handle_reply(
        &mut self,
        held: HeldSubscription,
        subscriptions: &Subscriptions,
        outcome: &Result<Element, RequestFailure>,
    ) -> Option<Element> {
        match outcome {
            Ok(reply) => {
                let told = request::parse_subscription(reply);
                if told
                    .as_ref()
                    .is_some_and(|told| told.state == SubscriptionState::None)
                {
                    return None;
                }
                self.end(confirmed(held, reply), subscriptions)
            }
            // There is none.
            Err(RequestFailure::Refused { .. }) => None,
            Err(RequestFailure::Disconnected) => {
                self.doubt(held);
                None
            }
            Err(RequestFailure::TimedOut) => self.end(held, subscriptions),
        }
    }

    /// Handles the end of a session before the reply. A subscription of a full JID ends with it.
    pub fn doubt(&mut self, held: HeldSubscription) {
        if !held.jid.contains('/') {
            keep(&mut self.unsure, held);
        }
    }

    /// Ends a subscription, unless a feed uses it.
    pub fn end(
        &mut self,
        held: HeldSubscription,
        subscriptions: &Subscriptions,
    ) -> Option<Element> {
        match subscriptions.use_of(&held) {
            SubscriptionUse::Free => {
                let request = unsubscribe(&held);
                let ended = (held.service, held.node, held.jid);
                if !self.ended.contains(&ended) {
                    if self.ended.len() >= MOST {
                        self.ended.remove(0);
                    }
                    self.ended.push(ended);
                }
                Some(request)
            }
            SubscriptionUse::Used => None,
            SubscriptionUse::Unknown => {
                keep(&mut self.doubtful, held);
                None
            }
        }
    }

    /// Whether a subscription of this JID to this node of this service was ended in this session.
    pub fn has_ended(&self, held: &(String, String, String)) -> bool {
        self.ended.contains(held)
    }

    /// Handles that a feed learned its subscription or ended.
    pub fn reconsider(&mut self, subscriptions: &Subscriptions) -> Vec<Element> {
        let mut requests = Vec::new();
        for held in core::mem::take(&mut self.doubtful) {
            requests.extend(self.end(held, subscriptions));
        }
        requests
    }

    /// A session begins.
    pub fn begin_session(&mut self, subscriptions: &Subscriptions) -> Vec<Element> {
        self.ended.clear();
        let unsure = core::mem::take(&mut self.unsure);
        self.doubtful.retain(|held| !held.jid.contains('/'));
        let mut requests = Vec::new();
        for held in unsure {
            requests.extend(self.end(held, subscriptions));
        }
        requests
    }
}

/// The subscription as the service keeps it.
pub fn confirmed(mut held: HeldSubscription, reply: &Element) -> HeldSubscription {
    if let Some(told) = request::parse_subscription(reply) {
        held.subid = told.subid.or(held.subid);
        if !told.jid.is_empty() {
            held.jid = told.jid;
        }
    }
    held
}

fn keep(list: &mut Vec<HeldSubscription>, held: HeldSubscription) {
    if list.len() < MOST && !list.contains(&held) {
        list.push(held);
    }
}

/// The request that ends a subscription.
pub fn unsubscribe(held: &HeldSubscription) -> Element {
    request::unsubscribe(
        Some(&held.service),
        &held.node,
        &held.jid,
        held.subid.as_deref(),
    )
}
