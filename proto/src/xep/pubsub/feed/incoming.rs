//! What a feed hears: the events of its node, and the results of its archive.

use super::arrival::{Arrival, Stamp, archived_as, arrivals_of};
use super::change::Change;
use super::state::{Inquiry, State};
use super::{Feed, WAITING};
use crate::xep::pubsub::State as Subscription;
use crate::xep::pubsub::event::Event;
use crate::xml::Element;

impl Feed {
    /// An event of this node, from its service; `message` is the stanza that told it.
    pub fn handle_event(&mut self, event: &Event, message: &Element) {
        if matches!(self.state, State::Over) {
            return;
        }
        match event {
            Event::Items { .. } | Event::Purge { .. } => {
                let service = &self.settings.service;
                let stamp = Stamp::of(message, service);
                let archived = archived_as(message, service);
                for arrival in arrivals_of(event, stamp, archived) {
                    self.arrive(arrival);
                }
            }
            Event::Delete { redirect, .. } => {
                let redirect = redirect.clone();
                self.end(Change::Delete { redirect });
            }
            Event::Configuration { .. } => self.asides.push_back(Change::Configuration),
            Event::Subscription(told) => {
                // About an earlier subscription: the answer to ours is still to come.
                if told.state == Subscription::None
                    && matches!(
                        self.state,
                        State::Apart | State::Subscribing(_) | State::Away { .. }
                    )
                {
                    return;
                }
                let change = Change::Subscription(told.clone());
                if told.state == Subscription::None {
                    return self.end(change);
                }
                self.asides.push_back(change);
                if told.state == Subscription::Subscribed && matches!(self.state, State::Pending) {
                    let inquiry = self.inquire();
                    self.enter(State::CatchingUp(inquiry));
                }
            }
            Event::Collection { .. } => {}
        }
    }

    /// A message of the service with a result from an archive (XEP-0313 §4.3). False when it is not for this feed.
    pub fn handle_result(&mut self, result: &Element) -> bool {
        let (State::Subscribing(Inquiry::Querying(archive))
        | State::CatchingUp(Inquiry::Querying(archive))) = &mut self.state
        else {
            return false;
        };
        archive.handle_result(result, &self.settings.service, &self.settings.node)
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        if !self.state.holds_events() {
            self.arrivals.push_back(arrival);
            if self.arrivals.len() > WAITING {
                // They wait for a payload: they are told without.
                self.give_payloads_up();
            }
            return;
        }
        if matches!(self.state, State::Apart) && !self.basis.is_known() {
            // The next session begins with what the node holds.
            return;
        }
        self.meanwhile.push(arrival);
        if self.meanwhile.len() > WAITING {
            self.forget_fetch();
            let without_session = match self.state {
                State::Away { retry_at } => Some(State::Away { retry_at }),
                State::Apart => Some(State::Apart),
                _ => None,
            };
            self.nothing_found();
            if let Some(state) = without_session {
                self.state = state;
            }
        }
    }
}
