//! The queue of stanzas sent without a connection: ordered and bounded.

use super::event::SendId;
use super::xml::Element;
use std::collections::VecDeque;

/// How many stanzas are kept.
const MOST: usize = 10_000;
/// How many bytes of them.
const MOST_BYTES: usize = 16 << 20;

/// The stanzas that wait.
#[derive(Default)]
pub struct Outbox {
    stanzas: VecDeque<(Element, Option<SendId>)>,
    bytes: usize,
    /// What is sent is kept, even if it could leave.
    held: bool,
}

impl Outbox {
    /// From now on what is sent is kept.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// What is kept may leave.
    pub fn unhold(&mut self) {
        self.held = false;
    }

    /// Whether what is sent is kept, even if it could leave.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether another stanza fits into the limits.
    pub fn has_room(&self) -> bool {
        self.stanzas.len() < MOST && self.bytes < MOST_BYTES
    }

    /// Keeps one behind the others.
    pub fn keep(&mut self, stanza: Element, name: Option<SendId>) {
        self.bytes += stanza.held_bytes();
        self.stanzas.push_back((stanza, name));
    }

    /// Keeps some that were sent before all of the others.
    pub fn keep_first(&mut self, stanzas: Vec<(Element, Option<SendId>)>) {
        let later = core::mem::take(&mut self.stanzas);
        for (stanza, name) in stanzas {
            self.keep(stanza, name);
        }
        self.stanzas.extend(later);
    }

    /// Removes the one of that name. Returns false if it is not kept.
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

    /// The oldest.
    pub fn take(&mut self) -> Option<(Element, Option<SendId>)> {
        let kept = self.stanzas.pop_front()?;
        self.bytes = self.bytes.saturating_sub(kept.0.held_bytes());
        Some(kept)
    }

    /// Those that wait, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Element> {
        self.stanzas.iter().map(|(stanza, _)| stanza)
    }

    /// Whether the outbox is empty.
    pub fn is_empty(&self) -> bool {
        self.stanzas.is_empty()
    }
}
