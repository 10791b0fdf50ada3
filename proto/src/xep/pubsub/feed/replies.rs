//! What a service answers: to the subscription, to the question what the node holds, and what becomes of the feed then.

use super::archive::Turn;
use super::arrival::Arrival;
use super::catch_up::{self, Goal, Next};
use super::change::Change;
use super::{Asked, Feed, Listing, Order, Phase, Stage};
use crate::event::RequestFailure;
use crate::stanza::ErrorKind;
use crate::time::{Instant, Millis};
use crate::xep::ping;
use crate::xep::pubsub::digest::{Digest, hash_id};
use crate::xep::pubsub::{State, request};
use crate::xml::Element;

impl Feed {
    /// The answer to a request. Must come before the events that came after it.
    pub fn handle_reply(
        &mut self,
        now: Instant,
        number: u32,
        outcome: Result<Element, RequestFailure>,
    ) {
        let at = self.asked.iter().position(|(known, _)| *known == number);
        let Some(at) = at else { return };
        let (_, asked) = self.asked.swap_remove(at);
        if matches!(outcome, Err(RequestFailure::Disconnected)) {
            // The next session begins anew.
            self.lost = true;
            return;
        }
        match asked {
            Asked::Subscribe => self.handle_subscribed(now, outcome),
            Asked::Fetch if self.phase == Phase::Subscribing => {
                // Overtaken by the answer to the subscription: it may have been read before that was there.
                self.stage = Stage::Waiting;
            }
            Asked::Before => {
                for item in outcome.iter().flat_map(request::parse_items) {
                    self.before.push(Digest::of(&item));
                }
            }
            Asked::Fetch => self.handle_fetched(now, &outcome),
            Asked::Settle => self.handle_settled(),
            Asked::Payloads(ids, count) => self.handle_payloads(&ids, count, &outcome),
            Asked::Ids(mark) => self.handle_ids(mark, &outcome),
        }
    }

    fn handle_subscribed(&mut self, now: Instant, outcome: Result<Element, RequestFailure>) {
        match outcome {
            Ok(reply) => {
                self.agreed = true;
                self.failures = 0;
                self.overtaking = self.meanwhile.len().saturating_sub(self.earlier);
                let told = request::parse_subscription(&reply);
                let state = told.as_ref().map_or(State::Subscribed, |told| told.state);
                self.asides.push_back(Change::Subscribed(told));
                self.phase = Phase::Subscribed;
                if state != State::Subscribed {
                    self.phase = Phase::Pending;
                    self.forget_fetch();
                    self.stage = Stage::Live;
                } else if matches!(self.stage, Stage::Waiting) {
                    self.fetch();
                }
            }
            Err(failure) if self.agreed && is_passing(&failure) => {
                self.forget_fetch();
                self.hold_back();
                self.stage = Stage::Waiting;
                self.phase = Phase::Away;
                let pause = Millis::seconds(1 << self.failures.min(5));
                self.failures += 1;
                self.deadline = Some(now + pause);
                if is_gone(&failure) {
                    self.forget_all();
                }
            }
            Err(failure) => {
                self.flush();
                self.asides.push_back(Change::Refused(Box::new(failure)));
                self.end();
            }
        }
    }

    fn handle_fetched(&mut self, now: Instant, outcome: &Result<Element, RequestFailure>) {
        match core::mem::replace(&mut self.stage, Stage::Live) {
            Stage::Fetching(mut catch_up) => {
                match catch_up.handle_reply(&self.known, &mut self.traits, outcome) {
                    Next::Ask => self.go_on(catch_up),
                    Next::Later(pause) => {
                        self.deadline = Some(now + pause);
                        self.stage = Stage::Fetching(catch_up);
                    }
                    Next::Found { held, whole } => {
                        let goal = catch_up.goal;
                        self.settle(Listing::Held { goal, held, whole });
                    }
                    Next::Nothing => self.nothing_found(),
                }
            }
            Stage::Querying(mut archive) => match outcome {
                Ok(reply) => match archive.handle_end(reply) {
                    Turn::Last => self.settle(Listing::Archived(archive.found)),
                    Turn::Next => self.query(archive),
                    Turn::Endless => self.leave_archive(archive.found),
                },
                // The archive has forgotten the entry, or will not say.
                Err(_) => self.list(Goal::Since),
            },
            stage => self.stage = stage,
        }
    }

    /// COMPAT(ejabberd): events wait in a queue while it answers, so that those of what was published before the listing may
    /// come after it. They are before the next answer.
    fn settle(&mut self, listing: Listing) {
        if self.traits.order == Order::Publication {
            return self.merge(listing);
        }
        self.stage = Stage::Settling(listing);
        let ping = ping::request(Some(&self.settings.service));
        self.ask(Asked::Settle, ping);
    }

    fn handle_settled(&mut self) {
        if let Stage::Settling(listing) = core::mem::replace(&mut self.stage, Stage::Live) {
            self.merge(listing);
        }
    }

    fn merge(&mut self, listing: Listing) {
        match listing {
            Listing::Held { goal, held, whole } => self.merge_held(goal, held, whole),
            Listing::Archived(found) => self.merge_archive(found),
        }
    }

    fn handle_ids(&mut self, mark: u64, outcome: &Result<Element, RequestFailure>) {
        let Ok(reply) = outcome else { return };
        let list = catch_up::list_ids(reply);
        if !list.whole {
            return;
        }
        let mut ids = Vec::new();
        for id in list.ids {
            ids.push(hash_id(&id));
        }
        for id in self.known.before(mark) {
            if !ids.contains(&hash_id(&id)) {
                let id = String::from(&*id);
                self.arrive(Arrival::gone(id));
            }
        }
    }
}

/// The node is not there.
fn is_gone(failure: &RequestFailure) -> bool {
    matches!(failure, RequestFailure::Refused { error, .. } if error.condition == "item-not-found")
}

/// May the service think otherwise in a while?
fn is_passing(failure: &RequestFailure) -> bool {
    let RequestFailure::Refused { error, .. } = failure else {
        return true;
    };
    error.kind == ErrorKind::Wait
        || matches!(
            error.condition.as_str(),
            "item-not-found"
                | "remote-server-not-found"
                | "remote-server-timeout"
                | "service-unavailable"
                | "recipient-unavailable"
                | "internal-server-error"
        )
}
