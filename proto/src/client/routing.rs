//! Routes a stanza to its room or feed, then to the caller's handlers.

use super::{Client, ClientEvent, Notice};
use crate::handler::{HandlerId, Matcher};
use crate::time::Instant;
use crate::xep::pubsub::event as pubsub_event;
use crate::xml::Element;
use std::collections::VecDeque;

/// How many stanzas are kept for the first handler. Beyond this, the oldest are discarded and one notice is reported.
pub const MOST_WAITING: usize = 1_000;

/// The stanzas that arrived before the first handler was added.
pub(super) struct Backlog {
    /// `None` after they were delivered to the first handler.
    waiting: Option<VecDeque<Element>>,
    overflowed: bool,
    /// Whether a handler was added that has not received them yet.
    due: bool,
}

impl Default for Backlog {
    fn default() -> Self {
        Self {
            waiting: Some(VecDeque::new()),
            overflowed: false,
            due: false,
        }
    }
}

impl Client {
    /// Adds a handler. The stanzas that arrived before the first one are delivered at the end of this turn, so that all
    /// handlers added in one turn receive them.
    pub fn add_handler(&mut self, matcher: Matcher) -> HandlerId {
        self.backlog.due = self.backlog.waiting.is_some();
        self.handlers.add(matcher, ())
    }

    /// Removes a handler. Returns false if it was removed before.
    pub fn remove_handler(&mut self, handler: HandlerId) -> bool {
        self.handlers.remove(handler).is_some()
    }

    /// Whether a handler is registered.
    pub fn has_handler(&self, handler: HandlerId) -> bool {
        self.handlers.get(handler).is_some()
    }

    /// Routes a stanza that is not a reply to one of our requests.
    pub(super) fn route(&mut self, now: Instant, stanza: &Element) {
        if stanza.name() == "iq" {
            return self.route_request(now, stanza);
        }
        let to_room = self.route_to_room(now, stanza);
        let to_feed = self.route_to_feeds(now, stanza);
        if !(to_room || to_feed) && self.keep(stanza) {
            return;
        }
        self.route_to_handlers(stanza);
    }

    fn route_request(&mut self, now: Instant, stanza: &Element) {
        let is_push = self.handle_roster_push(stanza);
        if self.route_to_handlers(stanza) {
            return;
        }
        if is_push {
            self.acknowledge_push(stanza);
        } else {
            self.respond(now, stanza);
        }
    }

    /// Returns true if a handler is responsible for answering this request.
    fn route_to_handlers(&mut self, stanza: &Element) -> bool {
        let handlers = self
            .handlers
            .matching(stanza, self.platform.unicode.as_ref());
        if handlers.is_empty() {
            return false;
        }
        let answers = handlers.iter().any(|id| {
            let matcher = self.handlers.matcher(*id);
            matcher.is_some_and(Matcher::answers_requests)
        });
        let stanza = stanza.clone();
        self.emit(ClientEvent::Stanza { stanza, handlers });
        answers
    }

    fn route_to_feeds(&mut self, now: Instant, stanza: &Element) -> bool {
        if stanza.name() != "message" {
            return false;
        }
        let watched = if pubsub_event::is_event(stanza) {
            self.route_personal(stanza)
        } else {
            self.route_approval(stanza)
        };
        self.route_event(now, stanza, watched) || watched
    }

    // ── before the first handler ────────────────────────────────────────────────────────────────────────────────────

    /// Keeps a stanza for the first handler. Returns false if a handler has been added before.
    fn keep(&mut self, stanza: &Element) -> bool {
        let Some(waiting) = &mut self.backlog.waiting else {
            return false;
        };
        waiting.push_back(stanza.detach());
        if waiting.len() > MOST_WAITING {
            waiting.pop_front();
            if !std::mem::replace(&mut self.backlog.overflowed, true) {
                self.emit(ClientEvent::Notice(Notice::BacklogFull));
            }
        }
        true
    }

    /// Delivers the kept stanzas at the end of a turn in which a handler was added. Returns true if there were any.
    pub(super) fn release_backlog(&mut self, _now: Instant) -> bool {
        if !std::mem::take(&mut self.backlog.due) || self.handlers.is_empty() {
            return false;
        }
        let Some(waiting) = self.backlog.waiting.take() else {
            return false;
        };
        for stanza in &waiting {
            self.route_to_handlers(stanza);
        }
        !waiting.is_empty()
    }
}
