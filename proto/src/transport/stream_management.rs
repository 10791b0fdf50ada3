//! XEP-0198: Stream Management 1.6.3: what the server has taken of what we sent, what we have taken of what it sent, and what
//! is needed to go on with the session on another stream.
//!
//! Specification: XEP-0198 1.6.3.
//!
//! A stanza is written once; what is kept until it is acknowledged is its text, shared with the frame that carries it. So
//! being able to resume costs a reference per stanza.
//! Where the server has no stream management, the reply to a ping says the same (stanzas are handled in order, RFC 6120
//! §10.1), without resumption.
//! Going on after a reload of the page is `stream_management/snapshot.rs`'s business.
//! Left out: `location` (§4: host and port of a socket that no page can open), several streams.

mod snapshot;
mod suspended;

use super::own_requests::OwnRequests;
use crate::event::{Delivery, SendId};
use crate::ns;
use crate::time::{Instant, Millis};
use crate::xml::Element;
use std::collections::VecDeque;
use std::rc::Rc;

pub use suspended::{Acknowledged, Lost, Resumption, Suspended};

/// How many stanzas may wait for their acknowledgement. A server that is so far behind does not read at all.
const MOST_UNACKED: usize = 65_536;
/// How many bytes of them.
const MOST_UNACKED_BYTES: usize = 64 << 20;
/// How many questions may be out at once: what is sent while the first is under way need not wait for its answer.
const MOST_ASKED: usize = 3;
/// How many stanzas that nobody waits to hear of may go without a question.
const UNASKED: u32 = 50;
/// How long the answer may take when nothing else comes either. Then the link is dead.
const ANSWER: Millis = Millis::seconds(10);
/// The same, when there is reason to doubt the link.
const ANSWER_IN_DOUBT: Millis = Millis::seconds(4);
/// A timer that fires so much later than it was set for: the page was asleep, and what came meanwhile is still to be read.
const ASLEEP: Millis = Millis::seconds(5);

/// A stanza that the server has not acknowledged.
struct Unacked {
    text: Rc<str>,
    name: Option<SendId>,
    message: bool,
}

/// What to ask the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Assurance {
    /// `<r/>`.
    Request,
    /// A ping: there is no stream management.
    Ping,
}

#[derive(PartialEq, Eq)]
enum Mode {
    /// Nothing is known of the server's abilities, or it has none: pings ask.
    Pings,
    /// `<enable/>` is out.
    Enabling,
    /// Agreed.
    On,
}

/// The bookkeeping of one session.
pub struct StreamManagement {
    mode: Mode,
    /// XEP-0198 `id`, when the session can be resumed.
    id: Option<String>,
    /// How long the server keeps the session, in seconds, when it says so.
    max: Option<u64>,
    unacked: VecDeque<Unacked>,
    unacked_bytes: usize,
    /// How many stanzas the server has acknowledged, modulo 2³².
    acked: u32,
    /// How many we sent, modulo 2³².
    sent: u32,
    /// How many we have handled of what it sent, modulo 2³².
    handled: u32,
    /// Up to which stanza the questions that are out ask, oldest first; for pings, with their ids.
    asked: VecDeque<(u32, Option<String>)>,
    /// Pings whose replies are not waited for any more, and are still nobody else's business.
    given_up: OwnRequests,
    /// Up to which stanza was asked at all.
    asked_up_to: u32,
    /// The last stanza whose fate somebody waits to hear of.
    awaited: Option<u32>,
    asked_at: Instant,
    heard_at: Instant,
    /// After how long a silence the server is asked whether it is there.
    silence: Millis,
    in_doubt: bool,
}

impl StreamManagement {
    /// A session without it, so far.
    pub fn new(now: Instant, silence: Millis) -> Self {
        Self {
            mode: Mode::Pings,
            id: None,
            max: None,
            unacked: VecDeque::new(),
            unacked_bytes: 0,
            acked: 0,
            sent: 0,
            handled: 0,
            asked: VecDeque::new(),
            given_up: OwnRequests::default(),
            asked_up_to: 0,
            awaited: None,
            asked_at: now,
            heard_at: now,
            silence,
            in_doubt: false,
        }
    }

    /// `<enable/>`, to be sent now: what is sent from here on counts (§3).
    pub fn enable(&mut self) -> Element {
        self.mode = Mode::Enabling;
        Element::builder("enable", ns::STREAM_MANAGEMENT)
            .attr("resume", "true")
            .build()
    }

    /// It was asked for along with the binding, or the server says so itself.
    pub fn handle_enabled(&mut self, enabled: &Element) {
        self.mode = Mode::On;
        self.handled = 0;
        let resumes = matches!(enabled.attr("resume"), Some("true" | "1"));
        self.id = enabled
            .attr("id")
            .filter(|id| resumes && !id.is_empty())
            .map(str::to_owned);
        self.max = enabled.attr("max").and_then(|max| max.parse().ok());
    }

    /// Whether `<enable/>` is out.
    pub fn is_enabling(&self) -> bool {
        self.mode == Mode::Enabling
    }

    /// The server will not: pings from now on.
    pub fn handle_refused(&mut self) {
        self.mode = Mode::Pings;
        self.id = None;
        // The questions that are out are not answered.
        self.asked = VecDeque::new();
        self.asked_up_to = self.acked;
    }

    /// The session is not to be resumed.
    pub fn forget(&mut self) {
        self.id = None;
    }

    // ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Is there room for another stanza?
    pub fn has_room(&self) -> bool {
        self.unacked.len() < MOST_UNACKED && self.unacked_bytes < MOST_UNACKED_BYTES
    }

    /// A stanza is being sent, as this text.
    pub fn note_sent(&mut self, text: Rc<str>, name: Option<SendId>, message: bool) {
        self.sent = self.sent.wrapping_add(1);
        if name.is_some() {
            self.awaited = Some(self.sent);
        }
        self.unacked_bytes += text.len();
        self.unacked.push_back(Unacked {
            text,
            name,
            message,
        });
    }

    /// `<a/>`: the server tells how many it has taken. False when that cannot be.
    pub fn handle_ack(&mut self, element: &Element, settled: &mut Vec<(SendId, Delivery)>) -> bool {
        self.in_doubt = false;
        self.asked.pop_front();
        match parse_h(element) {
            Some(h) => self.acknowledge(h, settled),
            None => true,
        }
    }

    /// A reply to a ping of ours has come, from our server. False when it is none of ours.
    pub fn handle_pong(&mut self, id: &str, settled: &mut Vec<(SendId, Delivery)>) -> bool {
        if self.given_up.take(id) {
            return true;
        }
        let mut up_to = None;
        let mut rest = VecDeque::new();
        while let Some((position, ping)) = self.asked.pop_front() {
            if ping.as_deref() == Some(id) {
                up_to = Some(position);
            } else {
                rest.push_back((position, ping));
            }
        }
        self.asked = rest;
        let Some(up_to) = up_to else {
            return false;
        };
        self.in_doubt = false;
        self.acknowledge(up_to, settled);
        true
    }

    /// The server has `h` of ours (mod 2³²). False when it claims more than there were.
    pub fn acknowledge(&mut self, h: u32, settled: &mut Vec<(SendId, Delivery)>) -> bool {
        let newly = h.wrapping_sub(self.acked);
        if newly as usize > self.unacked.len() {
            return false;
        }
        for _ in 0..newly {
            let Some(Unacked { text, name, .. }) = self.unacked.pop_front() else {
                break;
            };
            self.unacked_bytes = self.unacked_bytes.saturating_sub(text.len());
            if let Some(name) = name {
                settled.push((name, Delivery::Delivered));
            }
        }
        self.acked = h;
        true
    }

    /// The server has closed the stream in answer to us. Where it has stream management it told what it took by `<a/>`.
    pub fn acknowledge_all(&mut self, settled: &mut Vec<(SendId, Delivery)>) {
        if self.mode == Mode::Pings {
            self.acknowledge(self.sent, settled);
        }
    }

    /// All that the server has not acknowledged, oldest first, to be sent once more on a resumed stream.
    pub fn resume(&mut self, now: Instant) -> Vec<Rc<str>> {
        self.mode = Mode::On;
        self.asked = VecDeque::new();
        self.asked_up_to = self.acked;
        self.heard_at = now;
        self.in_doubt = false;
        if self.unacked.front().is_some() {
            self.awaited = Some(self.sent);
        }
        let mut texts = Vec::new();
        let mut kept = VecDeque::new();
        while let Some(stanza) = self.unacked.pop_front() {
            texts.push(Rc::clone(&stanza.text));
            kept.push_back(stanza);
        }
        self.unacked = kept;
        texts
    }

    /// The session is lost: what was not acknowledged. `known`: the server has told up to where it came, so that the rest is
    /// certain not to have arrived, and what of it are messages may be sent anew.
    pub fn take_unacked(&mut self, known: bool) -> Vec<Lost> {
        let mut lost = Vec::new();
        while let Some(stanza) = self.unacked.pop_front() {
            lost.push(Lost {
                again: (known && stanza.message).then_some(stanza.text),
                name: stanza.name,
            });
        }
        lost
    }

    // ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Something has come.
    pub fn note_heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// A stanza has come.
    pub fn note_handled(&mut self) {
        if self.mode == Mode::On {
            self.handled = self.handled.wrapping_add(1);
        }
    }

    /// `<a/>`, which answers the server's `<r/>`, and precedes our good-bye; `None` without stream management.
    pub fn ack(&self) -> Option<Element> {
        (self.mode == Mode::On).then(|| {
            let h = self.handled.to_string();
            Element::builder("a", ns::STREAM_MANAGEMENT)
                .attr("h", &h)
                .build()
        })
    }

    // ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// What to ask now, if anything: whether what was sent has arrived, and after a silence, whether anybody is there.
    /// `last`: nothing is asked behind it, however many questions are out.
    pub fn poll_word(&mut self, now: Instant, last: bool) -> Option<Assurance> {
        let unasked = self.sent.wrapping_sub(self.asked_up_to);
        let awaited = self
            .awaited
            .is_some_and(|last| is_after(last, self.asked_up_to) && is_after(last, self.acked));
        let many = unasked >= UNASKED && self.mode != Mode::Pings;
        let silent =
            self.asked.is_empty() && now >= self.heard_at.max(self.asked_at) + self.silence;
        let full = !last && self.asked.len() >= MOST_ASKED;
        if !silent && (full || !awaited && !many) {
            return None;
        }
        Some(match self.mode {
            Mode::Pings => Assurance::Ping,
            Mode::Enabling | Mode::On => Assurance::Request,
        })
    }

    /// The question is out; a ping with its id.
    pub fn note_asked(&mut self, now: Instant, ping: Option<String>) {
        if self.asked.is_empty() {
            self.asked_at = now;
        }
        self.asked_up_to = self.sent;
        self.asked.push_back((self.sent, ping));
    }

    /// There is reason to doubt the link, such as a tab that was asleep: the next answer is to come soon.
    pub fn doubt(&mut self, now: Instant) {
        self.in_doubt = true;
        // The next question is due.
        self.heard_at = Instant(now.0.saturating_sub(self.silence.0));
        while let Some((_, ping)) = self.asked.pop_front() {
            if let Some(ping) = ping {
                self.given_up.add(ping);
            }
        }
        self.asked_at = self.heard_at;
    }

    fn answer_due(&self) -> Option<Instant> {
        let patience = if self.in_doubt {
            ANSWER_IN_DOUBT
        } else {
            ANSWER
        };
        self.asked
            .front()
            .map(|_| self.asked_at.max(self.heard_at) + patience)
    }

    /// When the link is to be looked after.
    pub fn poll_timeout(&self) -> Instant {
        self.answer_due()
            .unwrap_or(self.heard_at.max(self.asked_at) + self.silence)
    }

    /// Is the link dead? A question has gone unanswered, and nothing else came.
    pub fn is_dead(&mut self, now: Instant) -> bool {
        let Some(due) = self.answer_due().filter(|due| now >= *due) else {
            return false;
        };
        if now - due > ASLEEP {
            // Nobody was there to hear the answer: ask again.
            self.doubt(now);
            return false;
        }
        true
    }
}

/// `h` of an element of stream management.
pub fn parse_h(element: &Element) -> Option<u32> {
    element.attr("h")?.trim().parse().ok()
}

/// Is `a` later than `b`, counted modulo 2³²?
fn is_after(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 1 << 31
}
