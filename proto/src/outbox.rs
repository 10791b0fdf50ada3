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
}

impl Outbox {
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
        let mut later = core::mem::take(self);
        for (stanza, name) in stanzas {
            self.keep(stanza, name);
        }
        while let Some((stanza, name)) = later.take() {
            self.keep(stanza, name);
        }
    }

    /// Removes the one of that name. Returns false if it is not kept.
    pub fn remove(&mut self, name: SendId) -> bool {
        let mut others = core::mem::take(self);
        let mut removed = false;
        while let Some((stanza, known)) = others.take() {
            if known == Some(name) {
                removed = true;
            } else {
                self.keep(stanza, known);
            }
        }
        removed
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
