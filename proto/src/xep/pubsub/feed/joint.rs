//! Joins the listing of a node and the queued events into one order; `merge` explains the rules.

use super::arrival::{Arrival, Arrived};
use super::catch_up::ListedItem;
use super::change::Via;
use super::known::DigestIndex;
use crate::xep::pubsub::digest::{Digest, hash_id};

/// Completes items that are listed without a payload by the payload of their last queued event.
pub fn complete_listing(held: &mut [ListedItem], waiting: &[Arrival]) {
    if held.iter().all(|held| held.digest.has_payload()) || waiting.is_empty() {
        return;
    }
    let mut digests = Vec::new();
    for held in held.iter() {
        digests.push(held.digest);
    }
    let index = DigestIndex::of(&digests);
    for arrived in waiting.iter().filter_map(Arrival::as_item) {
        let place = index.place(arrived.digest.id, &digests);
        if let Some(held) = place.and_then(|place| held.get_mut(place))
            && let Some(place) = place
            && digests
                .get(place)
                .is_some_and(|listed| !listed.has_payload())
            && arrived.digest.has_payload()
        {
            held.item.payload.clone_from(&arrived.item.payload);
            held.digest = arrived.digest;
        }
    }
}

/// The state of joining the listing and the events.
pub struct Joint {
    pub held: Vec<ListedItem>,
    pub digests: Vec<Digest>,
    pub index: DigestIndex,
    pub wanted: Vec<bool>,
    pub unseen: Vec<bool>,
    pub via: Via,
    pub baseline: bool,
    /// The number of listed items that were processed.
    pub told: usize,
    /// Whether a known item is listed.
    pub met: bool,
    /// Events of items that are not listed, until their position is known.
    pub pending: Vec<Arrival>,
    pub all: Vec<Arrival>,
}

impl Joint {
    /// For each event: whether a later event of the same item is the listed revision.
    pub fn superseded(&self, waiting: &[Arrival]) -> Vec<bool> {
        let mut met = vec![false; self.digests.len()];
        let mut superseded = Vec::new();
        for arrival in waiting.iter().rev() {
            let place = self.place(arrival);
            let met = place.and_then(|place| met.get_mut(place));
            let digest = place.and_then(|place| self.digests.get(place));
            let Some(met) = met else {
                superseded.push(false);
                continue;
            };
            let listed = arrival.as_item().map(|arrived| &arrived.digest) == digest;
            superseded.push(*met && !listed);
            *met |= listed;
        }
        superseded.reverse();
        superseded
    }

    pub fn lists_another(&self, arrival: &Arrival) -> bool {
        let revision = arrival.as_item().map(|arrived| arrived.digest);
        let place = self.place(arrival);
        place.is_some_and(|place| self.digests.get(place).copied() != revision)
    }

    pub fn join(&mut self, mut arrival: Arrival) {
        if let Arrival::Item(arrived) = &mut arrival {
            arrived.waited = true;
        }
        let told = arrival.as_item().map(|arrived| arrived.digest);
        let place = self.place(&arrival);
        let Some(place) = place.filter(|place| self.digests.get(*place).copied() == told) else {
            return self.pending.push(arrival);
        };
        if arrival.needs_payload() && self.unseen.get(place) == Some(&true) {
            // Without a payload the event cannot be compared with the known revision.
            return self.pending.push(arrival);
        }
        // The listing and the events meet here.
        self.met = true;
        // The last item, which a service sends on subscribing, has no position among the events.
        if arrival.as_item().is_some_and(|arrived| arrived.resent) {
            return;
        }
        // Events before lost ones precede the listing.
        let hole = |arrival: &Arrival| matches!(arrival, Arrival::Gap { .. });
        if let Some(at) = self.pending.iter().rposition(hole) {
            let rest = self.pending.split_off(at + 1);
            self.report_pending();
            self.pending = rest;
        }
        self.report_until(place);
        self.report_pending();
        if self.told == place {
            // If the listing is not reported, later events are.
            if self.baseline {
                if let Arrival::Item(arrived) = &mut arrival {
                    arrived.news = true;
                }
                self.all.push(arrival);
                self.told = place + 1;
            } else {
                self.report_until(place + 1);
            }
        }
    }

    /// Places the queued events. Events newer than the listing follow its items.
    pub fn report_pending(&mut self) {
        for arrival in core::mem::take(&mut self.pending) {
            if let Some(place) = self.place(&arrival) {
                self.report_until(place + 1);
            }
            self.all.push(arrival);
        }
    }

    /// The position in the listing of an arrival's item.
    pub fn place(&self, arrival: &Arrival) -> Option<usize> {
        let id = match arrival {
            Arrival::Item(arrived) => arrived.digest.id,
            Arrival::Retract { id, .. } => hash_id(id),
            _ => return None,
        };
        self.index.place(id, &self.digests)
    }

    /// Reports the listing's items before this position, as far as they are wanted.
    fn report_until(&mut self, place: usize) {
        while self.told < place {
            if let (Some(held), Some(true)) = (self.held.get(self.told), self.wanted.get(self.told))
            {
                self.all.push(Arrival::Item(Arrived {
                    item: held.item.clone(),
                    digest: held.digest,
                    time: None,
                    archived: None,
                    resent: false,
                    via: self.via,
                    bare: held.item.payload.is_none(),
                    waited: true,
                    fetched: false,
                    news: false,
                }));
            }
            self.told += 1;
        }
    }

    /// Ends the events of an earlier session; publications between them and the listing may be missing.
    pub fn end_island(&mut self) {
        self.all.append(&mut self.pending);
        self.all.push(Arrival::Gap {
            after: None,
            before: None,
        });
    }

    pub fn finish(mut self) -> Vec<Arrival> {
        self.report_until(self.held.len());
        self.all.append(&mut self.pending);
        self.all
    }
}
