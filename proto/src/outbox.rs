//! The queue of stanzas that were sent without a connection: ordered and bounded.

use super::event::SendId;
use super::xml::Element;
use std::collections::VecDeque;

/// The largest number of kept stanzas.
const MOST: usize = 10_000;
/// The largest total size of the kept stanzas, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// The queue of stanzas that wait for a session.
#[derive(Default)]
pub struct Outbox {
    stanzas: VecDeque<(Element, Option<SendId>)>,
    bytes: usize,
    /// Whether stanzas are kept even if they could be sent.
    held: bool,
}

impl Outbox {
    /// Keeps all stanzas sent from now on.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Lets the kept stanzas leave.
    pub fn unhold(&mut self) {
        self.held = false;
    }

    /// Whether stanzas are kept even if they could be sent.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether another stanza fits into the limits.
    pub fn has_room(&self) -> bool {
        self.stanzas.len() < MOST && self.bytes < MOST_BYTES
    }

    /// Appends a stanza.
    pub fn keep(&mut self, stanza: Element, name: Option<SendId>) {
        self.bytes += stanza.held_bytes();
        self.stanzas.push_back((stanza, name));
    }

    /// Inserts stanzas before all others: they were sent earlier.
    pub fn keep_first(&mut self, stanzas: Vec<(Element, Option<SendId>)>) {
        let later = core::mem::take(&mut self.stanzas);
        for (stanza, name) in stanzas {
            self.keep(stanza, name);
        }
        self.stanzas.extend(later);
    }

    /// Removes the stanza with that id. Returns false if it is not in the outbox.
    pub fn remove(&mut self, name: SendId) -> bool {
        let before = self.stanzas.len();
        self.stanzas.retain(|(stanza, known)| {
            let other = *known != Some(name);
            if !other {
                self.bytes = self.bytes.saturating_sub(stanza.held_bytes());
            }
            other
        });
        self.stanzas.len() < before
    }

    /// Removes and returns the oldest stanza.
    pub fn take(&mut self) -> Option<(Element, Option<SendId>)> {
        let kept = self.stanzas.pop_front()?;
        self.bytes = self.bytes.saturating_sub(kept.0.held_bytes());
        Some(kept)
    }

    /// The stanzas, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Element> {
        self.stanzas.iter().map(|(stanza, _)| stanza)
    }

    /// Whether the outbox is empty.
    pub fn is_empty(&self) -> bool {
        self.stanzas.is_empty()
    }
}
