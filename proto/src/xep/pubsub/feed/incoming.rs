//! Events of the feed's node, and results of its archive.

use super::arrival::{Arrival, SentTime, archived_as, arrivals_of};
use super::change::Change;
use super::state::{FeedPhase, Inquiry};
use super::{Feed, WAITING};
use crate::xep::pubsub::SubscriptionState;
use crate::xep::pubsub::event::PubSubEvent;
use crate::xml::Element;

impl Feed {
    /// Handles an event of this node, from its service; `message` is its stanza.
    pub fn handle_event(&mut self, event: &PubSubEvent, message: &Element) {
        if matches!(self.state, FeedPhase::Over) {
            return;
        }
        match event {
            PubSubEvent::Items { .. } | PubSubEvent::Purge { .. } => {
                let service = &self.settings.service;
                let stamp = SentTime::of(message, service);
                let archived = archived_as(message, service);
                for arrival in arrivals_of(event, stamp, archived) {
                    self.arrive(arrival);
                }
            }
            PubSubEvent::Delete { redirect, .. } => {
                let redirect = redirect.clone();
                self.end(Change::Delete { redirect });
            }
            PubSubEvent::Configuration { .. } => self.asides.push_back(Change::Configuration),
            PubSubEvent::Subscription(told) => {
                // The notification concerns an earlier subscription: the reply to ours is still pending.
                if told.state == SubscriptionState::None
                    && matches!(
                        self.state,
                        FeedPhase::Apart | FeedPhase::Subscribing(_) | FeedPhase::Away { .. }
                    )
                {
                    return;
                }
                let change = Change::Subscription(told.clone());
                if told.state == SubscriptionState::None {
                    return self.end(change);
                }
                self.asides.push_back(change);
                if told.state == SubscriptionState::Subscribed
                    && matches!(self.state, FeedPhase::Pending)
                {
                    let inquiry = self.inquire();
                    self.enter(FeedPhase::CatchingUp(inquiry));
                }
            }
            PubSubEvent::Collection { .. } => {}
        }
    }

    /// Handles a message of the service with a result of an archive (XEP-0313 §4.3). Returns false if it is not for
    /// this feed.
    pub fn handle_result(&mut self, result: &Element) -> bool {
        let (FeedPhase::Subscribing(Inquiry::Querying(archive))
        | FeedPhase::CatchingUp(Inquiry::Querying(archive))) = &mut self.state
        else {
            return false;
        };
        archive.handle_result(result, &self.settings.service, &self.settings.node)
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        if !self.state.holds_events() {
            self.arrivals.push_back(arrival);
            if self.arrivals.len() > WAITING {
                // Changes waiting for a payload are reported without it.
                self.report_without_payloads();
            }
            return;
        }
        if matches!(self.state, FeedPhase::Apart) && !self.basis.is_known() {
            // The next session begins with a listing.
            return;
        }
        self.meanwhile.push(arrival);
        if self.meanwhile.len() > WAITING {
            self.forget_fetch();
            let without_session = match self.state {
                FeedPhase::Away { retry_at } => Some(FeedPhase::Away { retry_at }),
                FeedPhase::Apart => Some(FeedPhase::Apart),
                _ => None,
            };
            self.handle_unlisted();
            if let Some(state) = without_session {
                self.state = state;
            }
        }
    }
}
