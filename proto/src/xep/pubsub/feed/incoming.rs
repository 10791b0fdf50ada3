//! What a feed hears: the events of its node, and the results of its archive.

use super::arrival::{Arrival, Stamp, archived_as, arrivals_of};
use super::change::Change;
use super::{Feed, Phase, Stage, WAITING};
use crate::xep::pubsub::State;
use crate::xep::pubsub::event::Event;
use crate::xml::Element;

impl Feed {
    /// An event of this node, from its service; `message` is the stanza that told it.
    pub fn handle_event(&mut self, event: &Event, message: &Element) {
        if self.phase == Phase::Over {
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
                self.flush();
                self.asides.push_back(Change::Delete { redirect });
                self.end();
            }
            Event::Configuration { .. } => self.asides.push_back(Change::Configuration),
            Event::Subscription(told) => {
                // About an earlier subscription: the answer to ours is still to come.
                if told.state == State::None
                    && matches!(self.phase, Phase::Subscribing | Phase::Away)
                {
                    return;
                }
                self.asides.push_back(Change::Subscription(told.clone()));
                match told.state {
                    State::None => {
                        self.flush();
                        self.end();
                    }
                    State::Subscribed if self.phase == Phase::Pending => {
                        self.phase = Phase::Subscribed;
                        self.fetch();
                    }
                    _ => {}
                }
            }
            Event::Collection { .. } => {}
        }
    }

    /// A message of the service with a result from an archive (XEP-0313 §4.3). False when it is not for this feed.
    pub fn handle_result(&mut self, result: &Element) -> bool {
        let Stage::Querying(archive) = &mut self.stage else {
            return false;
        };
        archive.handle_result(result, &self.settings.service, &self.settings.node)
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        if matches!(self.stage, Stage::Live) {
            self.arrivals.push_back(arrival);
            if self.arrivals.len() > WAITING {
                // They wait for a payload: they are told without.
                self.give_payloads_up();
            }
            return;
        }
        self.meanwhile.push(arrival);
        if self.meanwhile.len() > WAITING {
            self.forget_fetch();
            self.nothing_found();
        }
    }
}
