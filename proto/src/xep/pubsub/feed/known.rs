//! What a feed has had: which publications, in their order, as far back as its limit goes.
//!
//! XEP-0060 numbers nothing: an item has an id, and publishing under the same id again replaces it. A publication is therefore
//! known by its id and its revision, which is a hash of the payload. Both are kept as 32 bits each, so that a thousand of them
//! fit into a `Position`; that two different publications look the same is as likely as one in 2⁶⁴
//! for each pair.

use crate::xep::pubsub::Item;
use crate::xml::{Element, Node};
use std::rc::Rc;

/// An id and a revision, each as its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Of the item's id.
    pub id: u32,
    /// Of its payload.
    pub revision: u32,
}

impl Digest {
    /// Of an item.
    pub fn of(item: &Item) -> Self {
        let mut hash = Hash::default();
        if let Some(payload) = &item.payload {
            hash.element(payload);
        }
        Self {
            id: hash_id(item.id.as_deref().unwrap_or_default()),
            revision: hash.finish(),
        }
    }
}

/// The hash of an item's id.
pub fn hash_id(id: &str) -> u32 {
    let mut hash = Hash::default();
    hash.bytes(id.as_bytes());
    hash.finish()
}

/// Publications, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Known {
    digests: Vec<Digest>,
    /// The ids themselves, `None` for what comes from a position; and when each was noted.
    ids: Vec<(Option<Rc<str>>, u64)>,
    /// How many were ever added.
    added: u64,
    /// The node held nothing else when it was listed last: what is not known is new.
    complete: bool,
}

impl Known {
    /// What a position holds.
    pub fn restore(digests: Vec<Digest>, complete: bool) -> Self {
        Self {
            ids: vec![(None, 0); digests.len()],
            added: 0,
            digests,
            complete,
        }
    }

    /// Is nothing else in the node but what came since?
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// All that the node holds is about to be noted, or only a part of it.
    pub fn set_complete(&mut self, complete: bool) {
        self.complete = complete;
    }

    /// The oldest first.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Notes the newest publication; what is beyond `limit` is forgotten.
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

    /// Forgets an item. False when it was not known.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(at) = self.place(id) else {
            return false;
        };
        self.digests.remove(at);
        self.ids.remove(at);
        true
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.digests.clear();
        self.ids.clear();
    }

    /// Is it known in just this revision?
    pub fn has(&self, digest: Digest) -> bool {
        self.digests.contains(&digest)
    }

    /// Where an id stands. From the newest on: what is asked for most often was published not long ago.
    pub fn place(&self, id: u32) -> Option<usize> {
        self.digests.iter().rposition(|known| known.id == id)
    }

    /// A mark, for [`Known::before`].
    pub fn mark(&self) -> u64 {
        self.added
    }

    /// The ids that were there at a mark and have not been published again since.
    pub fn before(&self, mark: u64) -> Vec<Rc<str>> {
        let mut ids = Vec::new();
        for (id, noted) in &self.ids {
            if *noted <= mark {
                ids.extend(id.clone());
            }
        }
        ids
    }

    /// The id at a place, where it is known in words.
    pub fn id_at(&self, place: usize) -> Option<Rc<str>> {
        self.ids.get(place)?.0.clone()
    }
}

/// Where the digests of many stand, by id: for comparing lists with each other.
pub struct Index {
    /// Places + 1 by the low bits of the hash, with the next free one for those that collide.
    slots: Vec<u32>,
}

impl Index {
    /// Of a list in which no id stands twice; of one that does, the last.
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

    /// The place of an id in the list.
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

/// A hash that is quick on long payloads: eight bytes at a time, multiplied and folded. Not for keeping anybody out: who may
/// publish to a node can as well publish nothing.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = 0;
        for byte in rest {
            last = last << 8 | u64::from(*byte);
        }
        self.word(last);
        // So that "ab" beside "c" is not "a" beside "bc".
        self.word(bytes.len() as u64);
    }

    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.0 ^= self.0 >> 32;
    }

    fn element(&mut self, element: &Element) {
        self.bytes(element.name().as_bytes());
        self.bytes(element.ns().as_bytes());
        for attribute in element.attributes() {
            self.bytes(attribute.name.as_bytes());
            self.bytes(attribute.value.as_bytes());
        }
        for node in element.nodes() {
            match node {
                Node::Element(child) => self.element(&child),
                Node::Text(text) => self.bytes(text.as_bytes()),
            }
        }
        self.word(u64::MAX);
    }

    fn finish(&self) -> u32 {
        (self.0 ^ self.0 >> 32) as u32
    }
}
