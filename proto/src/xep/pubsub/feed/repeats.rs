//! What was told before and comes once more: the last item that a service sends to who subscribes or comes online, events that
//! were on their way when the node was listed, events that another session of the account did not take and that are routed to
//! this one, and rows that were saved unchanged.
//!
//! A publication repeats the current revision of its item when the [`Digest`]s are equal, however it comes. Such a repetition
//! is not told, unless [`Settings::repeats`](super::Settings::repeats) asks for it: then only those are left out that are
//! known not to be publications. Without a payload nothing shows that two publications are the same, and each is told.

use super::Feed;
use super::arrival::{Arrival, Arrived};
use super::catch_up::MOST;
use super::change::Via;
use crate::xep::pubsub::digest::Digest;

/// How many events may come before the last item does.
const EARLY: usize = 64;
/// How many names of publications in the archive are remembered.
const NAMES: usize = 64;

impl Feed {
    /// Whether the same entry of the archive was told already: one publication, delivered twice.
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

    /// Whether an item is not to be told, since it was told already.
    pub(super) fn is_repeat(&mut self, arrived: &Arrived) -> bool {
        if arrived.via == Via::Snapshot || arrived.news {
            return false;
        }
        let known = self.known.has(arrived.digest);
        if known && (!self.settings.repeats || arrived.time.is_some() || arrived.fetched) {
            return true;
        }
        if arrived.via == Via::CatchUp {
            let Some(before) = self.known.of(arrived.digest.id) else {
                return false;
            };
            if before.is_unseen() && arrived.fetched {
                // What the node held before the feed began: now its revision is seen.
                self.known.learn(arrived.digest);
                return true;
            }
            // Listed without a payload, and none came when it was asked for: what was told stays.
            return !arrived.digest.has_payload();
        }
        !arrived.waited && self.is_echo(arrived, known)
    }

    /// Whether it was told by the listing, and was on its way as an event then.
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
            // This one is newer than the listing, and so is all that follows.
            None => {
                self.echoes.clear();
                false
            }
        }
    }

    /// A row that was saved unchanged stands last in the node.
    pub(super) fn note_repeat(&mut self, digest: Digest, id: Option<&str>, time: Option<i64>) {
        if let Some(id) = id
            && time.is_none()
            && self.known.has(digest)
        {
            self.known.note(digest, id, self.settings.limit);
        }
    }

    /// The last item that a service sends to who subscribes is no news, where only news are told. Some services stamp it
    /// (XEP-0203). COMPAT(Prosody 0.12): no stamp; but the node held it before the subscription. Only the first that comes of
    /// an item can be it: what was published again under the same id counts.
    pub(super) fn drop_last_item(&self, waiting: &mut Vec<Arrival>) {
        if self.begun || self.settings.snapshot {
            return;
        }
        let mut ids: Vec<u32> = Vec::new();
        waiting.retain(|arrival| {
            let Some(arrived) = arrival.as_item() else {
                return true;
            };
            let place = ids.len();
            if place >= EARLY {
                return true;
            }
            let first = !ids.contains(&arrived.digest.id);
            ids.push(arrived.digest.id);
            let held = self.before.contains(&arrived.digest);
            let may_repeat = !self.settings.repeats && arrived.digest.has_payload();
            !(first && held && (place == 0 || may_repeat))
        });
    }
}
