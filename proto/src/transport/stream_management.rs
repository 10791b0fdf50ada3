//! XEP-0198: Stream Management 1.6.3: counts the stanzas that each side has handled, and keeps what is needed to resume
//! the session on another stream.
//!
//! Specification: XEP-0198 1.6.3.
//!
//! A stanza is serialised once; the text kept until the acknowledgement is shared with the frame that carries it. So
//! the ability to resume costs one reference per stanza.
//!
//! If the server does not offer stream management, the reply to a ping acknowledges the earlier stanzas (stanzas are
//! handled in order, RFC 6120 §10.1), without resumption.
//!
//! `stream_management/snapshot.rs` continues a session after a reload of the page.
//!
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

/// The largest number of unacknowledged stanzas. A server that is so far behind does not read at all.
const MOST_UNACKED: usize = 65_536;
/// The largest total size of unacknowledged stanzas, in bytes.
const MOST_UNACKED_BYTES: usize = 64 << 20;
/// The largest number of pending acknowledgement requests: stanzas sent while the first is pending need not wait for
/// its reply.
const MOST_ASKED: usize = 3;
/// After how many stanzas whose delivery the caller does not await an acknowledgement is requested.
const UNASKED: u32 = 50;
/// How long an acknowledgement may take if nothing else is received either. After that the link is dead.
const ANSWER: Millis = Millis::seconds(10);
/// The same after a sign that the link may be dead.
const ANSWER_IN_DOUBT: Millis = Millis::seconds(4);
/// A timer that fires this much later than it was set for: the page was asleep, and input received meanwhile is still
/// unread.
const ASLEEP: Millis = Millis::seconds(5);

/// A stanza that the server has not acknowledged.
struct Unacked {
    text: Rc<str>,
    name: Option<SendId>,
    message: bool,
}

/// What to send to get an acknowledgement.
#[derive(Debug, PartialEq, Eq)]
pub enum Assurance {
    /// `<r/>`.
    Request,
    /// A ping, if there is no stream management.
    Ping,
}

#[derive(PartialEq, Eq)]
enum Mode {
    /// Stream management is not offered, or not known to be: pings are used.
    Pings,
    /// `<enable/>` was sent.
    Enabling,
    /// Stream management is enabled.
    On,
}

/// The counters of one session.
pub struct StreamManagement {
    mode: Mode,
    /// The `id` of XEP-0198, if the session can be resumed.
    id: Option<String>,
    /// How long the server keeps the session, in seconds, if the server declares it.
    max: Option<u64>,
    unacked: VecDeque<Unacked>,
    unacked_bytes: usize,
    /// The number of stanzas that the server has acknowledged, modulo 2³².
    acked: u32,
    /// The number of stanzas sent, modulo 2³².
    sent: u32,
    /// The number of the server's stanzas that were handled, modulo 2³².
    handled: u32,
    /// The pending acknowledgement requests, oldest first: the number of the last stanza that each covers, and the id
    /// if it is a ping.
    asked: VecDeque<(u32, Option<String>)>,
    /// Pings whose replies are no longer awaited but must not reach the caller.
    given_up: OwnRequests,
    /// The number of the last stanza covered by any acknowledgement request.
    asked_up_to: u32,
    /// The number of the last stanza whose delivery the caller awaits.
    awaited: Option<u32>,
    asked_at: Instant,
    heard_at: Instant,
    /// The silence of the server after which it is asked for a sign of life.
    silence: Millis,
    in_doubt: bool,
}

impl StreamManagement {
    /// Creates the counters of a session without stream management.
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

    /// Returns `<enable/>`, to be sent now: stanzas sent from here on are counted (§3).
    pub fn enable(&mut self) -> Element {
        self.mode = Mode::Enabling;
        Element::builder("enable", ns::STREAM_MANAGEMENT)
            .attr("resume", "true")
            .build()
    }

    /// Handles `<enabled/>`, in the reply to the binding or as a separate element.
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

    /// Whether `<enable/>` was sent and not answered yet.
    pub fn is_enabling(&self) -> bool {
        self.mode == Mode::Enabling
    }

    /// The server has refused stream management: pings are used from now on.
    pub fn handle_refused(&mut self) {
        self.mode = Mode::Pings;
        self.id = None;
        // The pending acknowledgement requests will not be answered.
        self.asked = VecDeque::new();
        self.asked_up_to = self.acked;
    }

    /// Makes the session not resumable.
    pub fn forget(&mut self) {
        self.id = None;
    }

    // ── outgoing ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether another stanza fits into the limits.
    pub fn has_room(&self) -> bool {
        self.unacked.len() < MOST_UNACKED && self.unacked_bytes < MOST_UNACKED_BYTES
    }

    /// Notes a stanza that is sent as this text.
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

    /// Handles `<a/>`, the server's count of handled stanzas. Returns false if the count is not possible.
    pub fn handle_ack(&mut self, element: &Element, settled: &mut Vec<(SendId, Delivery)>) -> bool {
        self.in_doubt = false;
        self.asked.pop_front();
        match parse_h(element) {
            Some(h) => self.acknowledge(h, settled),
            None => true,
        }
    }

    /// Handles a reply from the own server. Returns false if it does not answer a ping of this session.
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

    /// The server has handled `h` stanzas (modulo 2³²). Returns false if it claims more than were sent.
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

    /// The server has closed the stream in reply to `<close/>`. With stream management, `<a/>` has shown what it
    /// handled.
    pub fn acknowledge_all(&mut self, settled: &mut Vec<(SendId, Delivery)>) {
        if self.mode == Mode::Pings {
            self.acknowledge(self.sent, settled);
        }
    }

    /// The unacknowledged stanzas, oldest first, to be resent on a resumed stream.
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

    /// Takes the unacknowledged stanzas of a lost session. `known`: the server has reported its count, so the remaining
    /// stanzas have certainly not arrived, and the messages among them may be sent again.
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

    // ── incoming ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Notes that input was received.
    pub fn note_input(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// Notes that a stanza was received.
    pub fn note_handled(&mut self) {
        if self.mode == Mode::On {
            self.handled = self.handled.wrapping_add(1);
        }
    }

    /// `<a/>`, which answers the server's `<r/>` and precedes `<close/>`; `None` without stream management.
    pub fn ack(&self) -> Option<Element> {
        (self.mode == Mode::On).then(|| {
            let h = self.handled.to_string();
            Element::builder("a", ns::STREAM_MANAGEMENT)
                .attr("h", &h)
                .build()
        })
    }

    // ── acknowledgement requests ────────────────────────────────────────────────────────────────────────────────────

    /// What to request now: an acknowledgement of the sent stanzas or, after a silence, a sign of life. `last`: no
    /// later request will follow, so the limit on pending requests does not apply.
    pub fn poll_assurance(&mut self, now: Instant, last: bool) -> Option<Assurance> {
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

    /// Notes that the acknowledgement request was sent; `ping` is the id of a ping.
    pub fn note_asked(&mut self, now: Instant, ping: Option<String>) {
        if self.asked.is_empty() {
            self.asked_at = now;
        }
        self.asked_up_to = self.sent;
        self.asked.push_back((self.sent, ping));
    }

    /// Notes a sign that the link may be dead, such as a tab that was asleep: the next reply must come soon.
    pub fn doubt(&mut self, now: Instant) {
        self.in_doubt = true;
        // Makes the next acknowledgement request due.
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

    /// When the link must be checked.
    pub fn poll_timeout(&self) -> Instant {
        self.answer_due()
            .unwrap_or(self.heard_at.max(self.asked_at) + self.silence)
    }

    /// Whether the link is dead: an acknowledgement request was not answered in time, and nothing else was received.
    pub fn is_dead(&mut self, now: Instant) -> bool {
        let Some(due) = self.answer_due().filter(|due| now >= *due) else {
            return false;
        };
        if now - due > ASLEEP {
            // The page was asleep when the reply may have come: ask again.
            self.doubt(now);
            return false;
        }
        true
    }
}

/// The `h` of an element of stream management.
pub fn parse_h(element: &Element) -> Option<u32> {
    element.attr("h")?.trim().parse().ok()
}

/// Whether `a` is later than `b`, modulo 2³².
fn is_after(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 1 << 31
}
