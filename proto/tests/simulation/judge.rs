//! Who was told what, who got what, and whether the one fits the other. What is wrong ends the scenario on the spot.
//!
//! - A message arrives at the server once at most, and in the order of sending within a session. Across sessions only one whose
//!   fate was told as unknown may come late.
//! - A send is settled once. `Delivered`: it is there by then. `Undelivered`: it never is.
//! - What the server says in a session arrives in order, each once; nothing is missing as long as the session lives, and over a
//!   socket nothing is ever missing in between.
//! - A request has one reply.

use super::extras::ExtraCounts;
use super::rooms::RoomJudge;
use super::watching::Announced;
use epode_proto::event::{Delivery, IqId, SendId};
use std::collections::BTreeMap;

/// What can be wrong.
#[derive(Clone, Copy)]
pub enum Wrong {
    Lost,
    Doubled,
    Disordered,
    /// The page was told what is not so, or not told at all.
    Untold,
    /// Too much was done, or nothing where something was due.
    Restless,
}

/// How often it was.
pub const WRONGS: usize = 5;

/// A session at the server.
struct Session {
    socket: bool,
    /// How many messages the server has said in it.
    pushed: u64,
    /// The last message that arrived at the client, counted from 1, and how many did.
    last: u64,
    came: u64,
    /// The last message that the client said in it.
    said: Option<u64>,
    alive: bool,
}

/// The record of one scenario.
#[derive(Default)]
pub struct Judge {
    /// Garbled letters cannot be noticed: nothing is to be expected of content.
    pub lenient: bool,
    /// The page is leaving: over BOSH what is still under way may be passed over.
    pub leaving: bool,
    /// Something could not be read and was reported: what rooms said may be missing.
    pub blurred: bool,
    /// How many messages of the server's that may have been.
    unread: u64,
    sessions: Vec<Session>,
    sends: BTreeMap<SendId, Option<u64>>,
    settled: BTreeMap<SendId, Delivery>,
    /// What was sent by pages that are gone: nobody is told of it.
    forgotten: u64,
    /// By number, whether it was settled and how.
    messages: Vec<Option<Delivery>>,
    received: Vec<bool>,
    most_received: Option<u64>,
    /// Messages that came to the server behind later ones.
    late: Vec<u64>,
    /// With whether anybody answers them.
    open_requests: Vec<(IqId, bool)>,
    pub replies: u64,
    /// Requests that somebody answers, and that had no answer.
    pub unanswered: u64,
    pub down: u64,
    last_session: usize,
    pub rooms: RoomJudge,
    pub announced: Announced,
    pub extras: ExtraCounts,
    pub wrong: [u64; WRONGS],
}

/// The number in `upN`.
fn number(id: &str) -> Option<u64> {
    id.strip_prefix("up")?.parse().ok()
}

impl Judge {
    pub fn new(lenient: bool) -> Self {
        Self {
            lenient,
            ..Self::default()
        }
    }

    pub fn blame(&mut self, what: Wrong, why: &str) {
        if self.lenient && !matches!(what, Wrong::Untold | Wrong::Restless) {
            return;
        }
        self.wrong[what as usize] += 1;
        panic!("{why}");
    }

    // ── the server ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// A session is bound; its number.
    pub fn bound(&mut self, socket: bool) -> usize {
        self.sessions.push(Session {
            socket,
            pushed: 0,
            last: 0,
            came: 0,
            said: None,
            alive: true,
        });
        self.sessions.len() - 1
    }

    /// A session is forgotten.
    pub fn ended(&mut self, session: usize) {
        self.sessions[session].alive = false;
    }

    /// Whether the server still has a session.
    pub fn is_alive(&self, session: usize) -> bool {
        self.sessions.get(session).is_some_and(|one| one.alive)
    }

    /// A stanza came to the server before a session was bound.
    pub fn unbound(&mut self) {
        self.blame(Wrong::Disordered, "a stanza before the session was bound");
    }

    /// A message has come to the server.
    pub fn arrived(&mut self, session: usize, id: &str) {
        if self.lenient {
            return;
        }
        let known = number(id).filter(|number| *number < self.messages.len() as u64);
        let Some(number) = known else {
            return self.blame(Wrong::Disordered, "a message that nobody sent");
        };
        let at = number as usize;
        if core::mem::replace(&mut self.received[at], true) {
            self.blame(Wrong::Doubled, &format!("{id} came twice"));
        }
        if self.messages[at] == Some(Delivery::Undelivered) {
            self.blame(
                Wrong::Untold,
                &format!("{id} was told as undelivered, and came"),
            );
        }
        let said = self.sessions[session].said.replace(number);
        if said.is_some_and(|said| said > number) {
            self.blame(Wrong::Disordered, &format!("{id} came behind a later one"));
        }
        if self.most_received.is_some_and(|most| most > number) {
            self.late.push(number);
        }
        self.most_received = self.most_received.max(Some(number));
    }

    /// The server says a message; its id.
    pub fn push(&mut self, session: usize) -> String {
        let pushed = &mut self.sessions[session].pushed;
        *pushed += 1;
        format!("down-{session}-{pushed}")
    }

    // ── the client ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// The id of the next message that the page sends.
    pub fn next_message(&self) -> String {
        format!("up{}", self.messages.len())
    }

    /// A stanza was given to the connection; the next message, or another.
    pub fn sent(&mut self, send: SendId, message: bool) {
        let number = message.then(|| {
            self.messages.push(None);
            self.received.push(false);
            self.messages.len() as u64 - 1
        });
        self.sends.insert(send, number);
    }

    /// The page is gone, and with it whoever waited for anything.
    pub fn page_gone(&mut self) {
        for (send, number) in core::mem::take(&mut self.sends) {
            if number.is_some() && !self.settled.contains_key(&send) {
                self.forgotten += 1;
            }
        }
        self.settled.clear();
        self.open_requests.clear();
        self.rooms.page_gone();
    }

    pub fn settled(&mut self, send: SendId, delivery: Delivery) {
        if self.settled.insert(send, delivery).is_some() {
            self.blame(Wrong::Untold, "a send that is settled twice");
        }
        let Some(number) = self.sends.get(&send).copied() else {
            return self.blame(Wrong::Untold, "a send that nobody made is settled");
        };
        let Some(number) = number else { return };
        let at = number as usize;
        self.messages[at] = Some(delivery);
        match (delivery, self.received[at]) {
            (Delivery::Delivered, false) if !self.lenient => {
                self.blame(
                    Wrong::Lost,
                    &format!("up{number} is told as delivered, and is not"),
                );
            }
            (Delivery::Undelivered, true) if !self.lenient => {
                let why = format!("up{number} is told as undelivered, and has arrived");
                self.blame(Wrong::Untold, &why);
            }
            _ => {}
        }
    }

    /// A message has come to the client.
    pub fn got(&mut self, id: &str) {
        self.down += 1;
        if self.lenient {
            return;
        }
        let mut parts = id.split('-').skip(1).map(|part| part.parse().ok());
        let (Some(Some(session)), Some(Some(number))) = (parts.next(), parts.next()) else {
            return self.blame(Wrong::Disordered, "a message that the server never said");
        };
        let (session, number): (u64, u64) = (session, number);
        let session = session as usize;
        if session >= self.sessions.len() {
            return self.blame(Wrong::Disordered, "a message of no session");
        }
        if session < self.last_session {
            self.blame(Wrong::Disordered, "a message of an earlier session");
        }
        self.last_session = session;
        let record = &mut self.sessions[session];
        let (last, socket) = (record.last, record.socket);
        record.last = number;
        record.came += 1;
        let missing = number.saturating_sub(last + 1);
        let told = missing <= self.unread;
        if told {
            self.unread -= missing;
            record.came += missing;
        }
        if number == last {
            self.blame(Wrong::Doubled, &format!("{id} came twice"));
        } else if number < last {
            self.blame(Wrong::Disordered, &format!("{id} came behind a later one"));
        } else if socket && !told {
            self.blame(
                Wrong::Lost,
                &format!("{id} came, and what was before it did not"),
            );
        }
    }

    /// Something came that the client could not read: one message, or all of an answer.
    pub fn unread(&mut self, name: &str) {
        self.blurred = true;
        self.unread += match name {
            "message" => 1,
            "body" => 1_000,
            _ => 0,
        };
    }

    /// A request was made; `answered` when somebody will, in time.
    pub fn asked(&mut self, request: IqId, answered: bool) {
        self.open_requests.push((request, answered));
    }

    pub fn replied(&mut self, request: IqId, result: bool) {
        self.replies += 1;
        let open = self
            .open_requests
            .iter()
            .position(|(open, _)| *open == request);
        let Some(at) = open else {
            return self.blame(Wrong::Untold, "a reply to a request that is not open");
        };
        let (_, answered) = self.open_requests.swap_remove(at);
        self.unanswered += u64::from(answered && !result);
    }

    // ── the verdict ─────────────────────────────────────────────────────────────────────────────────────────────────

    pub fn count(&self, what: Delivery) -> u64 {
        self.messages
            .iter()
            .filter(|told| **told == Some(what))
            .count() as u64
    }

    /// Without those that nobody is told of.
    pub fn sent_messages(&self) -> u64 {
        self.messages.len() as u64 - self.forgotten
    }

    /// How many of those that nobody is told of never arrived.
    pub fn forgotten_and_lost(&self) -> u64 {
        let told = self.messages.iter().zip(&self.received);
        told.filter(|(told, received)| told.is_none() && !**received)
            .count() as u64
    }

    pub fn received_messages(&self) -> u64 {
        self.received.iter().filter(|received| **received).count() as u64
    }

    /// What the server said in sessions that ended before it arrived.
    pub fn went_down(&self) -> u64 {
        self.sessions
            .iter()
            .map(|one| one.pushed.saturating_sub(one.came))
            .sum()
    }

    /// Calm has come, and everything has had its time: nobody waits for anything any more, and, while it is `online`, what was
    /// said in its session has arrived.
    pub fn calm(&mut self, online: bool) {
        if self.settled.len() < self.sends.len() {
            let stuck: Vec<_> = self
                .sends
                .keys()
                .filter(|send| !self.settled.contains_key(send))
                .collect();
            let why = format!("sends that are never settled: {stuck:?}");
            self.blame(Wrong::Untold, &why);
        }
        if !self.open_requests.is_empty() {
            self.blame(Wrong::Untold, "requests that nobody answers, ever");
        }
        if let Some(last) = self.sessions.last().filter(|last| online && last.alive)
            && last.came + self.unread < last.pushed
        {
            let why = format!("{} of {} came", last.came, last.pushed);
            self.blame(Wrong::Lost, &why);
        }
        for at in 0..self.late.len() {
            let number = self.late[at];
            let told = self.messages[number as usize];
            if told.is_some_and(|told| told != Delivery::Unknown) {
                let why = format!("up{number} came behind a later one");
                self.blame(Wrong::Disordered, &why);
            }
        }
    }
}
