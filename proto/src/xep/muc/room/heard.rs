//! The messages that the caller has had: the history of a room that is entered again repeats them.

use std::collections::VecDeque;

use super::sent::hash;
use crate::time::Instant;
use crate::xep::muc::event::RoomMessage;
use crate::xep::muc::request::History;

/// How many messages are remembered.
const MOST_HEARD: usize = 500;
/// How many new ones of a history are kept back.
const MOST_KEPT: usize = 500;
/// How much further back the history is asked for than necessary, in milliseconds: clocks differ.
const SINCE_MARGIN: i64 = 30_000;
/// How long a message may have been under way, in milliseconds: it waits with a session that is interrupted, and with a page
/// that sleeps.
const LONGEST_WAY: i64 = 900_000;

#[derive(Debug)]
struct KnownMessage {
    id: Option<u64>,
    /// Nick and text.
    content: u64,
    /// Whether this history has repeated it already.
    repeated: bool,
}

/// The last messages of a room.
#[derive(Debug, Default)]
pub(super) struct RecentMessages {
    known: VecDeque<KnownMessage>,
    /// The room's stamp on the last one that was history, in milliseconds since 1970 UTC. The room sends in order: what it said
    /// before has come.
    stamp: Option<i64>,
    /// When the last one came that was not, in milliseconds since 1970 UTC. It may have been under way for long.
    came: Option<i64>,
    /// When the room was asked something that it has answered: what it said before has come.
    synced: Option<Instant>,
    /// When the history was asked for that comes.
    asked: Option<Instant>,
    /// When we were let in first.
    entered: Option<i64>,
    /// Whether the history that comes may repeat what the caller has had.
    again: bool,
    /// Whether new ones of such a history are kept back.
    keeps: bool,
    /// New ones of such a history, until its end shows that none of them is older than one that the caller has had.
    kept: Vec<(RoomMessage, i64)>,
    /// Whether what comes is behind messages that were lost with the session that ends.
    hole: bool,
    /// What came behind them. The history of the way back in brings all in order; what it leaves out is older than that.
    behind: Vec<(RoomMessage, i64)>,
}

impl RecentMessages {
    /// The room is entered, perhaps again: its history may repeat each message once.
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

    /// What comes from now on is behind messages that were lost.
    pub(super) fn begin_hole(&mut self) {
        self.hole = true;
    }

    /// No history will bring what was lost.
    pub(super) fn end_hole(&mut self) {
        self.hole = false;
    }

    /// The room has let us in: what it says from now on comes without being asked for.
    pub(super) fn note_entered(&mut self, unix_ms: i64) {
        self.entered.get_or_insert(unix_ms);
    }

    /// The room has answered what it was asked then.
    pub(super) fn note_synced(&mut self, asked: Option<Instant>) {
        self.synced = self.synced.max(asked);
    }

    /// The history to ask for on the way back in: what was said since the time up to which everything is known to have come. If
    /// there is none, what was asked for at first (it may be lost), and what was said since. `unix_offset`: by how much
    /// milliseconds since 1970 UTC are ahead of an [`Instant`].
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

    /// Notes a message. Returns what is to be reported: nothing when the message is one of the past that the caller has had: by
    /// its id; where the room leaves ids out, by sender and text, each once, and only while the history comes again.
    ///
    /// A history that comes again reaches further back than what the caller missed. What it brings before a message that the
    /// caller has had is from before the visit, and would be out of order.
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

    /// Nothing of the history can come any more.
    pub(super) fn end_history(&mut self) {
        self.again = false;
        let asked = self.asked.take();
        self.note_synced(asked);
    }

    /// The history is over, as far as it seems: what it brought last is new.
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

    /// What was kept back is new.
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

    /// What the history repeats of what came behind a hole is told in its place there.
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
        if self.known.len() >= MOST_HEARD {
            self.known.pop_front();
        }
        self.known.push_back(KnownMessage {
            id,
            content,
            // What the history brings as new is not repeated by it.
            repeated: message.delayed,
        });
    }
}

/// Whether two messages are one: by their ids, without them by their texts.
fn is_same(one: &RoomMessage, other: &RoomMessage) -> bool {
    let ((one_id, one_content), (other_id, other_content)) = (hashes(one), hashes(other));
    match (one_id, other_id) {
        (Some(one), Some(other)) => one == other,
        _ => one_content == other_content,
    }
}

/// What a message is recognised by: nick and id, and nick and text.
fn hashes(message: &RoomMessage) -> (Option<u64>, u64) {
    let nick = message.nick.as_deref().unwrap_or_default();
    let body = message.body.as_deref().unwrap_or_default();
    let id = message.id.as_deref();
    let id = id.map(|id| hash(&[nick, "\n", id].concat()));
    (id, hash(&[nick, "\n", body].concat()))
}
