//! The messages that the caller has had: the history of a room that is entered again repeats them.

use std::collections::VecDeque;

use super::sent::hash;
use crate::xep::muc::event::RoomMessage;
use crate::xep::muc::request::History;

/// How many messages are remembered.
const MOST_HEARD: usize = 500;
/// How much further back than the last message the history is asked for, in milliseconds: clocks differ.
const SINCE_MARGIN: i64 = 30_000;

#[derive(Debug)]
struct Known {
    id: Option<u64>,
    /// Nick and text.
    content: u64,
    /// Whether this history has repeated it already.
    repeated: bool,
}

/// The last messages of a room.
#[derive(Debug, Default)]
pub(super) struct Heard {
    known: VecDeque<Known>,
    /// When the last one came, in milliseconds since 1970 UTC.
    last: Option<i64>,
}

impl Heard {
    /// The room is entered again: its history may repeat each message once.
    pub(super) fn begin_history(&mut self) {
        for known in &mut self.known {
            known.repeated = false;
        }
    }

    /// The history to ask for: what was said since the last message. `None` when nothing was heard.
    pub(super) fn missed(&self) -> Option<History> {
        Some(History {
            since: Some(self.last?.saturating_sub(SINCE_MARGIN)),
            ..History::default()
        })
    }

    /// Notes a message. False when it is one of the past that the caller has had: by its id; where the room leaves ids out, by
    /// sender and text, each once, and only while the history comes `again`.
    pub(super) fn note(&mut self, message: &RoomMessage, unix_ms: i64, again: bool) -> bool {
        self.last = Some(unix_ms);
        let mut content = message.nick.clone().unwrap_or_default();
        content.push('\n');
        content.push_str(message.body.as_deref().unwrap_or_default());
        let content = hash(&content);
        let nick = message.nick.as_deref().unwrap_or_default();
        let id = message
            .id
            .as_deref()
            .map(|id| hash(&[nick, "\n", id].concat()));
        if message.delayed {
            let repeated = self.known.iter_mut().find(|known| match (known.id, id) {
                (Some(known), Some(id)) => known == id,
                _ => again && known.content == content && !known.repeated,
            });
            if let Some(known) = repeated {
                known.repeated = true;
                return false;
            }
        }
        if self.known.len() >= MOST_HEARD {
            self.known.pop_front();
        }
        self.known.push_back(Known {
            id,
            content,
            // What the history brings as new is not repeated by it.
            repeated: message.delayed,
        });
        true
    }
}
