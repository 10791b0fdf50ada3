//! Reports the queued changes one by one and in order: missing payloads are fetched first, and repetitions
//! are left out.

use super::arrival::{Arrival, Arrived};
use super::change::{Change, FeedOutput, Via};
use super::state::FeedPhase;
use super::{Feed, FeedRequest, PAYLOADS};
use crate::event::RequestFailure;
use crate::xep::disco;
use crate::xep::pubsub::digest::{Digest, hash_id};
use crate::xep::pubsub::request;
use crate::xml::Element;
use std::collections::VecDeque;

impl Feed {
    /// Returns the next output. Call it after each change until it returns [`FeedOutput::Timeout`].
    pub fn poll_output(&mut self) -> FeedOutput {
        loop {
            if let Some((number, iq)) = self.requests.pop_front() {
                return FeedOutput::Request { number, iq };
            }
            if matches!(self.state, FeedPhase::Over) {
                // First the changes before the end.
                if let Some(change) = self.next_change() {
                    return FeedOutput::Change(Box::new(change));
                }
            }
            if let Some(change) = self.asides.pop_front() {
                return FeedOutput::Change(Box::new(change));
            }
            if self.arrivals.front().is_some_and(Arrival::needs_payload) {
                if self.fetch_payloads() {
                    continue;
                }
            } else if let Some(change) = self.next_change() {
                return FeedOutput::Change(Box::new(change));
            } else if !self.arrivals.is_empty() {
                // The omitted changes preceded it.
                continue;
            }
            return FeedOutput::Timeout(self.state.deadline());
        }
    }

    /// Fetches the payloads of notifications without them (§7.1.2.2); later changes wait.
    fn fetch_payloads(&mut self) -> bool {
        let is_asked = |(_, asked): &(u32, FeedRequest)| matches!(asked, FeedRequest::Payloads(..));
        if matches!(self.state, FeedPhase::Apart) || self.asked.iter().any(is_asked) {
            return false;
        }
        let mut ids = Vec::new();
        for arrival in self.arrivals.iter() {
            if arrival.needs_payload()
                && let Some(id) = arrival
                    .as_item()
                    .and_then(|arrived| arrived.item.id.clone())
                && ids.len() < PAYLOADS
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        let request = self.ask_by_ids(&ids);
        self.ask(FeedRequest::Payloads(ids, self.arrivals.len()), request);
        true
    }

    pub(super) fn handle_payloads(
        &mut self,
        ids: &[String],
        mut count: usize,
        outcome: &Result<Element, RequestFailure>,
    ) {
        let mut items = match outcome {
            Ok(reply) => request::parse_items(reply),
            Err(_) => Vec::new(),
        };
        let mut arrivals = VecDeque::new();
        while let Some(mut arrival) = self.arrivals.pop_front() {
            // Events after the request may be newer than the reply.
            let asked = count > 0;
            count = count.saturating_sub(1);
            if let Arrival::Item(arrived) = &mut arrival
                && asked
                && let Some(id) = &arrived.item.id
                && arrived.item.payload.is_none()
                && ids.contains(id)
            {
                match items.iter_mut().find(|item| item.id.as_ref() == Some(id)) {
                    Some(item) if item.payload.is_some() => {
                        arrived.item.payload.clone_from(&item.payload);
                        arrived.digest = Digest::of(&arrived.item);
                        arrived.fetched = true;
                    }
                    _ => arrived.bare = true,
                }
            }
            arrivals.push_back(arrival);
        }
        self.arrivals = arrivals;
    }

    /// Too many changes wait for payloads: report them without.
    pub(super) fn report_without_payloads(&mut self) {
        self.asked
            .retain(|(_, asked)| !matches!(asked, FeedRequest::Payloads(..)));
        let mut arrivals = VecDeque::new();
        while let Some(mut arrival) = self.arrivals.pop_front() {
            if let Arrival::Item(arrived) = &mut arrival {
                arrived.bare |= arrived.item.payload.is_none();
            }
            arrivals.push_back(arrival);
        }
        self.arrivals = arrivals;
    }

    /// The next change; repetitions are left out.
    fn next_change(&mut self) -> Option<Change> {
        loop {
            let is_over = matches!(self.state, FeedPhase::Over);
            if !is_over && self.arrivals.front().is_some_and(Arrival::needs_payload) {
                return None;
            }
            let arrival = self.arrivals.pop_front()?;
            if let Some(change) = self.report(arrival) {
                return Some(change);
            }
        }
    }

    /// Converts an arrival into a change and updates the known items; `None` for a repetition.
    fn report(&mut self, arrival: Arrival) -> Option<Change> {
        if self.is_copy(&arrival) {
            return None;
        }
        Some(match arrival {
            Arrival::Item(arrived) => {
                let repeat = self.is_repeat(&arrived);
                let Arrived {
                    item,
                    digest,
                    time,
                    archived,
                    via,
                    waited,
                    ..
                } = arrived;
                // The archive is queried only after the last reported entry.
                self.archived = archived.filter(|_| !waited || via == Via::CatchUp);
                if repeat {
                    self.note_repeat(digest, item.id.as_deref(), time);
                    return None;
                }
                if let Some(id) = &item.id {
                    self.known
                        .note(digest.as_reported(), id, self.settings.limit);
                    self.last = Some(id.clone());
                }
                Change::Item { item, time, via }
            }
            Arrival::Retract { id, via, archived } => {
                self.archived = archived.or(self.archived.take());
                self.known.remove(hash_id(&id));
                Change::Retract { id, via }
            }
            Arrival::Purge { archived } => {
                self.archived = archived.or(self.archived.take());
                self.known.clear();
                self.known.set_complete(true);
                Change::Purge
            }
            Arrival::Gap { after, before } => Change::Gap { after, before },
            Arrival::Live { partial } => {
                if partial {
                    let settings = &self.settings;
                    let list = disco::items(Some(&settings.service), Some(&settings.node));
                    self.ask(FeedRequest::Ids(self.known.mark()), list);
                }
                Change::Live
            }
        })
    }
}
