//! Replies of the service: to the subscription and to the listing.

use super::archive::PageResult;
use super::arrival::Arrival;
use super::catch_up::{self, FetchGoal, FetchProgress};
use super::change::Change;
use super::state::{Basis, FeedPhase, Inquiry, Listing};
use super::{Feed, FeedRequest, Order};
use crate::event::RequestFailure;
use crate::stanza::ErrorKind;
use crate::time::{Instant, Millis};
use crate::xep::ping;
use crate::xep::pubsub::digest::{Digest, hash_id};
use crate::xep::pubsub::{SubscriptionState, request};
use crate::xml::Element;

impl Feed {
    /// Handles the reply to a request. Call it before handling the events that arrived after the reply.
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
            // The next session begins the feed again.
            if !matches!(self.state, FeedPhase::Over) {
                self.enter(FeedPhase::Apart);
            }
            return;
        }
        match asked {
            FeedRequest::Subscribe => self.handle_subscribed(now, outcome),
            FeedRequest::Before => {
                if let Basis::New { before, .. } = &mut self.basis {
                    for item in outcome.iter().flat_map(request::parse_items) {
                        before.push(Digest::of(&item));
                    }
                }
            }
            FeedRequest::Fetch => self.handle_fetched(now, &outcome),
            FeedRequest::Settle => self.handle_settled(),
            FeedRequest::Payloads(ids, count) => self.handle_payloads(&ids, count, &outcome),
            FeedRequest::Ids(mark) => self.handle_ids(mark, &outcome),
        }
    }

    fn handle_subscribed(&mut self, now: Instant, outcome: Result<Element, RequestFailure>) {
        match outcome {
            Ok(reply) => {
                self.agreed = true;
                self.failures = 0;
                self.meanwhile.overtaking = self.meanwhile.count_of_session();
                let told = request::parse_subscription(&reply);
                let state = told
                    .as_ref()
                    .map_or(SubscriptionState::Subscribed, |told| told.state);
                self.asides.push_back(Change::Subscribed(told));
                if state != SubscriptionState::Subscribed {
                    self.forget_fetch();
                    self.enter(FeedPhase::Pending);
                    return;
                }
                match self.leave() {
                    FeedPhase::Subscribing(Inquiry::Overtaken) => {
                        let inquiry = self.inquire();
                        self.enter(FeedPhase::CatchingUp(inquiry));
                    }
                    FeedPhase::Subscribing(inquiry) => self.enter(FeedPhase::CatchingUp(inquiry)),
                    state => self.state = state,
                }
            }
            Err(failure) if self.agreed && is_passing(&failure) => {
                self.forget_fetch();
                self.hold_back();
                let pause = Millis::seconds(1 << self.failures.min(5));
                self.failures += 1;
                self.enter(FeedPhase::Away {
                    retry_at: now + pause,
                });
                if is_gone(&failure) {
                    self.forget_all();
                }
            }
            Err(failure) => self.end(Change::Refused(Box::new(failure))),
        }
    }

    fn handle_fetched(&mut self, now: Instant, outcome: &Result<Element, RequestFailure>) {
        let inquiry = match self.leave() {
            FeedPhase::CatchingUp(inquiry) => inquiry,
            // The listing may have been read before the subscription existed.
            FeedPhase::Subscribing(_) => {
                self.enter(FeedPhase::Subscribing(Inquiry::Overtaken));
                return;
            }
            state => {
                self.state = state;
                return;
            }
        };
        let inquiry = match inquiry {
            Inquiry::Fetching { mut catch_up, .. } => {
                match catch_up.handle_reply(&self.known, &mut self.traits, outcome) {
                    FetchProgress::Ask => self.go_on(catch_up),
                    FetchProgress::Later(pause) => Inquiry::Fetching {
                        catch_up,
                        again_at: Some(now + pause),
                    },
                    FetchProgress::Found { held, whole } => {
                        let goal = catch_up.goal;
                        return self.settle(Listing::Held { goal, held, whole });
                    }
                    FetchProgress::Nothing => return self.handle_unlisted(),
                }
            }
            Inquiry::Querying(mut archive) => match outcome {
                Ok(reply) => match archive.handle_end(reply) {
                    PageResult::Last => return self.settle(Listing::Archived(archive.found)),
                    PageResult::Next => self.query(archive),
                    PageResult::Endless => return self.leave_archive(archive.found),
                },
                // The archive has removed the entry or refuses the query.
                Err(_) => self.list(FetchGoal::Since),
            },
            inquiry => inquiry,
        };
        self.enter(FeedPhase::CatchingUp(inquiry));
    }

    /// COMPAT(ejabberd): events wait in a queue while it answers requests, so events of publications before the listing
    /// may arrive after the listing. They arrive before the next reply.
    fn settle(&mut self, listing: Listing) {
        if self.traits.order == Order::Publication {
            return self.merge(listing);
        }
        self.enter(FeedPhase::CatchingUp(Inquiry::Settling(listing)));
        let ping = ping::request(Some(&self.settings.service));
        self.ask(FeedRequest::Settle, ping);
    }

    fn handle_settled(&mut self) {
        match self.leave() {
            FeedPhase::CatchingUp(Inquiry::Settling(listing)) => self.merge(listing),
            state => self.state = state,
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

/// Whether the error means that the node does not exist.
fn is_gone(failure: &RequestFailure) -> bool {
    matches!(failure, RequestFailure::Refused { error, .. } if error.condition == "item-not-found")
}

/// Whether the error is temporary.
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
