//! Our messages to a room: matches reflections and errors with them.
//!
//! A room sends every groupchat message back to its sender (§7.4). The reflection confirms delivery. Rooms should
//! keep the id, but some omit or replace it; then the message is recognised by its text, in the order of sending.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::time::Instant;
use crate::xep::muc::event::CommandId;
use crate::xml::Element;

/// How many messages are remembered, to recognise their reflections.
const MOST_SENT: usize = 1024;
/// How many private messages are remembered, to recognise their errors.
const MOST_PRIVATE: usize = 256;

#[derive(Debug)]
struct SentMessage {
    command: CommandId,
    id: String,
    body: u64,
    /// The send time and the message, until the reflection arrives.
    out: Option<(Instant, Element)>,
    /// Whether the message was sent; its delivery is unknown.
    left: bool,
    /// Whether a self-ping was sent after the message: the reply follows the reflection.
    asked: bool,
}

/// The messages that we sent in a visit, the newest last.
#[derive(Debug, Default)]
pub(super) struct SentMessages {
    all: VecDeque<SentMessage>,
    /// Ids and recipients of private messages.
    private: VecDeque<(String, String)>,
}

pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl SentMessages {
    /// Notes a message to all with a body.
    pub(super) fn note(
        &mut self,
        now: Instant,
        command: CommandId,
        id: &str,
        body: &str,
        message: &Element,
    ) {
        if self.all.len() == MOST_SENT {
            self.all.pop_front();
        }
        self.all.push_back(SentMessage {
            command,
            id: id.into(),
            body: hash(body),
            out: Some((now, message.clone())),
            left: false,
            asked: false,
        });
    }

    /// Notes a message to one occupant.
    pub(super) fn note_private(&mut self, id: &str, nick: &str) {
        if self.private.len() == MOST_PRIVATE {
            self.private.pop_front();
        }
        self.private.push_back((id.into(), nick.into()));
    }

    /// Whether a message under our nick is a reflection. A live reflection may have another id.
    pub(super) fn recognise(&mut self, id: Option<&str>, body: Option<&str>, live: bool) -> bool {
        let by_id = id.and_then(|id| self.all.iter().position(|sent| sent.id == id));
        let body = body.filter(|_| live).map(hash);
        let by_body = || {
            self.all
                .iter()
                .position(|sent| sent.out.is_some() && Some(sent.body) == body)
        };
        let Some(at) = by_id.or_else(by_body) else {
            return false;
        };
        // Messages sent before it were refused, or did not reach the room.
        for sent in self.all.iter_mut().take(at.saturating_add(1)) {
            sent.out = None;
        }
        true
    }

    /// Handles that a message could not be sent.
    pub(super) fn unsent(&mut self, command: CommandId) {
        self.all.retain(|sent| sent.command != command);
    }

    /// Marks a message as sent in the current session.
    pub(super) fn left(&mut self, command: CommandId) {
        for sent in &mut self.all {
            sent.left |= sent.command == command;
        }
    }

    /// Forgets sent messages of a lost session: the room may have reflected them to that session.
    pub(super) fn forget_left(&mut self) {
        for sent in self.all.iter_mut().filter(|sent| sent.left) {
            sent.out = None;
        }
    }

    /// Handles an error message: no reflection follows.
    pub(super) fn bounced(&mut self, id: &str) {
        for sent in &mut self.all {
            if sent.id == id {
                sent.out = None;
            }
        }
    }

    /// Whether a private message to that nick was sent, under that id if one is given.
    pub(super) fn has_private(&self, id: Option<&str>, nick: &str) -> bool {
        self.private
            .iter()
            .any(|(own, to)| to == nick && id.is_none_or(|id| id == own))
    }

    /// The send time of the oldest message without reflection.
    pub(super) fn oldest_out(&self) -> Option<Instant> {
        self.all
            .iter()
            .find_map(|sent| sent.out.as_ref().map(|(at, _)| *at))
    }

    /// Restarts the time of the messages without reflection.
    pub(super) fn restart(&mut self, now: Instant) {
        for sent in &mut self.all {
            if let Some((at, _)) = &mut sent.out {
                *at = now;
            }
        }
    }

    /// Notes that a self-ping was sent.
    pub(super) fn note_asked(&mut self) {
        for sent in &mut self.all {
            sent.asked = true;
        }
    }

    /// Notes the reply to the self-ping: the room has handled the messages sent before it.
    pub(super) fn note_answered(&mut self) {
        for sent in self.all.iter_mut().filter(|sent| sent.asked) {
            sent.out = None;
        }
    }

    /// Takes the messages without reflection.
    pub(super) fn take_out(&mut self) -> Vec<Element> {
        self.all
            .iter_mut()
            .filter_map(|sent| sent.out.take().map(|(_, message)| message))
            .collect()
    }
}
