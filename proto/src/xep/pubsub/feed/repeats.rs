//! Repetitions: the last item that a service sends on subscribing or when the client becomes available, events that
//! were in transit when the node was listed, events that another session of the account did not accept and that are
//! routed to this one, and rows saved without change.
//!
//! A publication repeats the current revision of its item if the [`Digest`]s are equal, however it arrives. A
//! repetition is not reported, unless [`FeedSettings::repeats`](super::FeedSettings::repeats) is set: then only those
//! are left out that are certainly not publications. Without a payload two publications cannot be compared, and each is
//! reported.

use super::arrival::{Arrival, Arrived};
use super::catch_up::MOST;
use super::change::Via;
use super::state::Basis;
use super::{Feed, WAITING};
use crate::xep::pubsub::digest::{Digest, hash_id};

/// The number of remembered archive ids.
const NAMES: usize = 64;

impl Feed {
    /// Whether the same archive entry was reported before: one publication, delivered twice.
    pub(super) fn is_copy(&mut self, arrival: &Arrival) -> bool {
        let Some(name) = arrival.archived() else {
            return false;
        };
        // One event may bring several items under one name.
        let same_event = self.names.last() == Some(name);
        if !same_event && self.names.contains(name) {
            return true;
        }
        if !same_event {
            if self.names.len() >= NAMES {
                self.names.remove(0);
            }
            self.names.push(name.clone());
        }
        false
    }

    /// Whether an item was reported before and must not be reported again.
    pub(super) fn is_repeat(&mut self, arrived: &Arrived) -> bool {
        if arrived.via == Via::Snapshot || arrived.news {
            return false;
        }
        let known = self.known.has(arrived.digest);
        if known && (!self.settings.repeats || arrived.time.is_some() || arrived.fetched) {
            return true;
        }
        if arrived.via == Via::CatchUp {
            // Without a payload a newer revision cannot be detected: the reported revision stays.
            return !arrived.digest.has_payload() && self.known.of(arrived.digest.id).is_some();
        }
        !arrived.waited && self.is_echo(arrived, known)
    }

    /// Whether the listing reported the item while its event was in transit.
    fn is_echo(&mut self, arrived: &Arrived, known: bool) -> bool {
        let echo = self.echoes.iter().position(|echo| *echo == arrived.digest);
        match echo {
            Some(at) => {
                self.echoes.remove(at);
                known
            }
            None if arrived.time.is_some() => {
                if self.echoes.len() < MOST {
                    self.echoes.push(arrived.digest);
                }
                false
            }
            // This event and all following ones are newer than the listing.
            None => {
                self.echoes.clear();
                false
            }
        }
    }

    /// A row saved without change moves to the end of the node.
    pub(super) fn note_repeat(&mut self, digest: Digest, id: Option<&str>, time: Option<i64>) {
        if let Some(id) = id
            && time.is_none()
            && self.known.has(digest)
        {
            self.known.note(digest, id, self.settings.limit);
        }
    }

    /// Drops a last item that overtook queued events: a service sends the last item directly on subscribing (ejabberd).
    /// If an event of the same item follows, that event is as new or newer, and in the correct position.
    pub(super) fn drop_overtaken(waiting: &mut Vec<Arrival>) {
        let mut later: Vec<u32> = Vec::new();
        let mut at = waiting.len();
        while at > 0 {
            at -= 1;
            let Some(arrived) = waiting.get(at).and_then(Arrival::as_item) else {
                continue;
            };
            if !arrived.resent {
                if later.len() < WAITING {
                    later.push(arrived.digest.id);
                }
            } else if later.contains(&arrived.digest.id) {
                waiting.remove(at);
            }
        }
    }

    /// Drops the last item that a service sends on subscribing if only new items are reported. Some services stamp it
    /// (XEP-0203). COMPAT(Prosody 0.12): no stamp; but the node had the item before the subscription, in this revision.
    /// If the page requests repetitions, only the first event can be the last item.
    pub(super) fn drop_last_item(&self, waiting: &mut Vec<Arrival>) {
        let Basis::New { before, .. } = &self.basis else {
            return;
        };
        if self.settings.snapshot || before.is_empty() {
            return;
        }
        let mut current = before.clone();
        let mut first = true;
        waiting.retain(|arrival| match arrival {
            Arrival::Item(arrived) => {
                let digest = arrived.digest;
                let held = current.contains(&digest);
                let repeats = held
                    && (core::mem::take(&mut first)
                        || !self.settings.repeats && digest.has_payload());
                first = false;
                if !held {
                    current.retain(|known| known.id != digest.id);
                    if current.len() < WAITING {
                        current.push(digest);
                    }
                }
                !repeats
            }
            Arrival::Retract { id, .. } => {
                let id = hash_id(id);
                current.retain(|known| known.id != id);
                true
            }
            Arrival::Purge { .. } => {
                current.clear();
                true
            }
            _ => true,
        });
    }
}
