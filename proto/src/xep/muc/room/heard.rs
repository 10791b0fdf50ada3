//! The messages delivered to the caller, to remove duplicates from the history of a rejoined room.

use std::collections::VecDeque;

use super::sent::hash;
use crate::time::Instant;
use crate::xep::muc::event::RoomMessage;
use crate::xep::muc::request::History;

/// How many messages are remembered.
const MOST_REMEMBERED: usize = 500;
/// How many new messages of a history are held.
const MOST_KEPT: usize = 500;
/// How much more history is requested than necessary, in milliseconds: clocks differ.
const SINCE_MARGIN: i64 = 30_000;
/// The maximal transit time of a message, in milliseconds: it is delayed by an interrupted session, and by a page
/// that is frozen.
const LONGEST_WAY: i64 = 900_000;

#[derive(Debug)]
struct KnownMessage {
    id: Option<u64>,
    /// Nick and text.
    content: u64,
    /// Whether this history has already repeated the message.
    repeated: bool,
}

/// The last messages of a room, and the times up to which the history is known to be complete.
#[derive(Debug, Default)]
pub(super) struct RecentMessages {
    known: VecDeque<KnownMessage>,
    /// The room's stamp on the last history message, in milliseconds since 1970 UTC. The room sends in order: earlier
    /// messages have arrived.
    stamp: Option<i64>,
    /// When the last live message arrived, in milliseconds since 1970 UTC. It may have been in transit for long.
    came: Option<i64>,
    /// The send time of the last request that the room has replied to: earlier messages have arrived.
    synced: Option<Instant>,
    /// When the current history was requested.
    asked: Option<Instant>,
    /// When we first joined.
    entered: Option<i64>,
    /// Whether the current history may repeat delivered messages.
    again: bool,
    /// Whether new messages of such a history are held.
    keeps: bool,
    /// New messages of such a history, until its end shows that none of them is older than a delivered one.
    kept: Vec<(RoomMessage, i64)>,
    /// Whether messages were lost before those that arrive now, at the end of a session.
    hole: bool,
    /// The messages that arrived after the lost ones. The history of the rejoin repeats them in order.
    behind: Vec<(RoomMessage, i64)>,
}

impl RecentMessages {
    /// Begins a join or rejoin: the history may repeat each message once.
    pub(super) fn begin_history(&mut self, now: Instant) {
        self.asked = Some(now);
        for known in &mut self.known {
            known.repeated = false;
        }
        self.again = !self.known.is_empty();
        self.keeps = self.again || !self.behind.is_empty();
        self.kept.clear();
        self.hole = false;
    }

    /// Notes that messages were lost before those that follow.
    pub(super) fn begin_hole(&mut self) {
        self.hole = true;
    }

    /// Stops waiting for lost messages: no history will contain them.
    pub(super) fn end_hole(&mut self) {
        self.hole = false;
    }

    /// Notes that we joined: from now on messages are live.
    pub(super) fn note_entered(&mut self, unix_ms: i64) {
        self.entered.get_or_insert(unix_ms);
    }

    /// Notes that the room replied to a request sent at this time.
    pub(super) fn note_synced(&mut self, asked: Option<Instant>) {
        self.synced = self.synced.max(asked);
    }

    /// The history to request on rejoining: since the time up to which all messages are known to have arrived. If
    /// this time is unknown, the history requested first (it may be lost) and all since. `unix_offset`: milliseconds
    /// since 1970 UTC minus the [`Instant`].
    pub(super) fn missed(&self, first: History, unix_offset: i64) -> History {
        let synced = self
            .synced
            .map(|at| unix_offset.saturating_add_unsigned(at.0));
        let came = self.came.map(|at| at.saturating_sub(LONGEST_WAY));
        let known = self.stamp.max(synced).max(came);
        let seconds = first
            .seconds
            .map_or(0, |seconds| i64::from(seconds) * 1_000);
        let bounded = first != History::default();
        let entered = self.entered.filter(|_| bounded);
        let since = match (known, first.since, entered) {
            (Some(known), ..) => known.saturating_sub(SINCE_MARGIN),
            (None, Some(since), _) => since,
            (None, None, Some(entered)) => entered.saturating_sub(SINCE_MARGIN + seconds),
            (None, None, None) => return first,
        };
        History {
            since: Some(since),
            ..History::default()
        }
    }

    /// Notes a message and returns those to report: none if the message was delivered before. Recognised by
    /// its id; if the room omits ids, by sender and text, each once, and only in a repeated history.
    ///
    /// A repeated history reaches further back than necessary. A message before a delivered
    /// one was sent before the visit, and would be out of order.
    pub(super) fn note(&mut self, message: RoomMessage, unix_ms: i64) -> Vec<RoomMessage> {
        if self.hole && self.behind.len() < MOST_KEPT {
            self.behind.push((message, unix_ms));
            return Vec::new();
        }
        if !message.delayed {
            let mut reported = self.take_kept();
            self.remember(&message, unix_ms);
            reported.push(message);
            return reported;
        }
        let (id, content) = hashes(&message);
        let repeated = self.known.iter_mut().find(|known| match (known.id, id) {
            (Some(known), Some(id)) => known == id,
            _ => self.again && known.content == content && !known.repeated,
        });
        if let Some(known) = repeated {
            known.repeated = true;
            self.kept.clear();
            return Vec::new();
        }
        if self.keeps && self.kept.len() < MOST_KEPT {
            self.kept.push((message, unix_ms));
            return Vec::new();
        }
        let mut reported = self.release_kept();
        self.remember(&message, unix_ms);
        reported.push(message);
        reported
    }

    /// Ends the history.
    pub(super) fn end_history(&mut self) {
        self.again = false;
        let asked = self.asked.take();
        self.note_synced(asked);
    }

    /// Takes the last messages of an apparently complete history, which are new.
    pub(super) fn take_kept(&mut self) -> Vec<RoomMessage> {
        self.keeps = false;
        let mut reported = Vec::new();
        if !self.hole {
            self.forget_repeated();
            for (message, unix_ms) in core::mem::take(&mut self.behind) {
                self.remember(&message, unix_ms);
                reported.push(message);
            }
        }
        reported.append(&mut self.release_kept());
        reported
    }

    /// Takes the kept messages as new.
    fn release_kept(&mut self) -> Vec<RoomMessage> {
        self.forget_repeated();
        let kept = core::mem::take(&mut self.kept);
        let mut reported = Vec::with_capacity(kept.len() + 1);
        for (message, unix_ms) in kept {
            self.remember(&message, unix_ms);
            reported.push(message);
        }
        reported
    }

    /// Messages that arrived behind lost ones are reported at their place in the history.
    fn forget_repeated(&mut self) {
        let kept = &self.kept;
        self.behind
            .retain(|(behind, _)| !kept.iter().any(|(kept, _)| is_same(kept, behind)));
    }

    fn remember(&mut self, message: &RoomMessage, unix_ms: i64) {
        if !message.delayed {
            self.came = Some(unix_ms);
        } else if message.time.is_some() {
            self.stamp = message.time;
        }
        let (id, content) = hashes(message);
        if self.known.len() >= MOST_REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back(KnownMessage {
            id,
            content,
            // A history does not repeat its own new messages.
            repeated: message.delayed,
        });
    }
}

/// Whether two messages are the same: by id, or by text without ids.
fn is_same(one: &RoomMessage, other: &RoomMessage) -> bool {
    let ((one_id, one_content), (other_id, other_content)) = (hashes(one), hashes(other));
    match (one_id, other_id) {
        (Some(one), Some(other)) => one == other,
        _ => one_content == other_content,
    }
}

/// The keys of a message: nick with id, and nick with text.
fn hashes(message: &RoomMessage) -> (Option<u64>, u64) {
    let nick = message.nick.as_deref().unwrap_or_default();
    let body = message.body.as_deref().unwrap_or_default();
    let id = message.id.as_deref();
    let id = id.map(|id| hash(&[nick, "\n", id].concat()));
    (id, hash(&[nick, "\n", body].concat()))
}
