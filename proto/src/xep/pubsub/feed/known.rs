//! The publications that a feed has reported, in order, up to its limit.
//!
//! A publication is known by its [`Digest`].

use crate::xep::pubsub::digest::Digest;
use std::rc::Rc;

/// Publications, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct KnownItems {
    digests: Vec<Digest>,
    /// The ids, `None` for those from a position, with the sequence number of each.
    ids: Vec<(Option<Rc<str>>, u64)>,
    /// The number of publications ever added.
    added: u64,
    /// Whether the last listing was complete: then unknown items are new.
    complete: bool,
}

impl KnownItems {
    /// The digests of a position.
    pub fn restore(digests: Vec<Digest>, complete: bool) -> Self {
        Self {
            ids: vec![(None, 0); digests.len()],
            added: 0,
            digests,
            complete,
        }
    }

    /// Whether the node holds no other items than the known and later ones.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Sets whether the following listing is complete.
    pub fn set_complete(&mut self, complete: bool) {
        self.complete = complete;
    }

    /// The digests, the oldest first.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// The number of publications.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether no publication is known.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Adds the newest publication; those beyond `limit` are forgotten.
    pub fn note(&mut self, digest: Digest, id: &str, limit: usize) {
        self.remove(digest.id);
        self.digests.push(digest);
        self.added += 1;
        self.ids.push((Some(id.into()), self.added));
        // A quarter more than the limit, so that moving the rest is rare.
        if self.digests.len() > limit + limit / 4 {
            let excess = self.digests.len() - limit;
            self.digests.drain(..excess);
            self.ids.drain(..excess);
            self.complete = false;
        }
    }

    /// Whether a listing left out the payload of a known item.
    pub fn has_unseen(&self) -> bool {
        self.digests.iter().any(|known| known.is_unseen())
    }

    /// Sets the revision of an item whose payload a listing left out. The item keeps its position.
    pub fn learn(&mut self, digest: Digest) {
        if let Some(at) = self.place(digest.id)
            && let Some(known) = self.digests.get_mut(at)
            && known.is_unseen()
            && digest.has_payload()
        {
            *known = digest;
        }
    }

    /// Removes an item. Returns false if it was not known.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(at) = self.place(id) else {
            return false;
        };
        self.digests.remove(at);
        self.ids.remove(at);
        true
    }

    /// Removes all items.
    pub fn clear(&mut self) {
        self.digests.clear();
        self.ids.clear();
    }

    /// Whether this is the current revision of its item; false without a payload.
    pub fn has(&self, digest: Digest) -> bool {
        digest.has_payload() && self.of(digest.id) == Some(digest)
    }

    /// The current revision of an item.
    pub fn of(&self, id: u32) -> Option<Digest> {
        self.digests.get(self.place(id)?).copied()
    }

    /// The position of an id. Searches from the newest, since recent items are looked up most often.
    pub fn place(&self, id: u32) -> Option<usize> {
        self.digests.iter().rposition(|known| known.id == id)
    }

    /// A mark, for [`KnownItems::before`].
    pub fn mark(&self) -> u64 {
        self.added
    }

    /// The ids that were known at a mark and have not been published again since.
    pub fn before(&self, mark: u64) -> Vec<Rc<str>> {
        let mut ids = Vec::new();
        for (id, noted) in &self.ids {
            if *noted <= mark {
                ids.extend(id.clone());
            }
        }
        ids
    }

    /// The id at a position, if its text is known.
    pub fn id_at(&self, place: usize) -> Option<Rc<str>> {
        self.ids.get(place)?.0.clone()
    }
}

/// An index of digests by id, to compare lists.
pub struct DigestIndex {
    /// Positions + 1, hashed by the low bits of the id; a collision takes the next free slot.
    slots: Vec<u32>,
}

impl DigestIndex {
    /// Creates the index of a list. If an id occurs twice, the last one counts.
    pub fn of(digests: &[Digest]) -> Self {
        let size = (digests.len() * 2).next_power_of_two();
        let mut index = Self {
            slots: vec![0; size],
        };
        for (place, digest) in (1..).zip(digests) {
            let mut at = digest.id as usize;
            while let Some(slot) = index.slots.get_mut(at & (size - 1)) {
                if *slot == 0 {
                    *slot = place;
                    break;
                }
                at += 1;
            }
        }
        index
    }

    /// The position of an id in the list.
    pub fn place(&self, id: u32, list: &[Digest]) -> Option<usize> {
        let mut at = id as usize;
        // Half of the slots are free.
        loop {
            let slot = *self.slots.get(at & (self.slots.len() - 1))?;
            let place = (slot as usize).checked_sub(1)?;
            if list.get(place)?.id == id {
                return Some(place);
            }
            at += 1;
        }
    }
}
