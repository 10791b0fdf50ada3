//! The session that a WebSocket carries: what of it has arrived, whether the link is alive, and what is left when the stream ends.
//!
//! Specification: XEP-0198 1.6.3.
//!
//! `stream_management.rs` counts; this file asks, answers and resumes. Where a server has no stream management, pings ask.

use super::{State, WebSocket};
use crate::error::CloseReason;
use crate::event::{Delivery, SendId};
use crate::handler::{is_stanza, is_stanza_name};
use crate::ns;
use crate::random::Ids;
use crate::time::{Instant, Millis};
use crate::transport::TransportEvent;
use crate::transport::stream_management::{
    Acknowledged, Assurance, Lost, Resumption, StreamManagement, Suspended,
};
use crate::xep::ping;
use crate::xml::{Element, Unreadable, XmlError};
use std::rc::Rc;

/// Which session the stream carries.
pub(super) enum Bond {
    /// None, so far.
    None,
    /// One that lost its stream; `offered`: the login on this one asks for it.
    Suspended { session: Suspended, offered: bool },
    /// A bound one.
    Bound(StreamManagement),
}

impl Bond {
    fn bound(&mut self) -> Option<&mut StreamManagement> {
        match self {
            Self::Bound(managed) => Some(managed),
            Self::None | Self::Suspended { .. } => None,
        }
    }

    /// Whether the server may be about to resume a session on the stream.
    pub(super) fn is_offered(&self) -> bool {
        matches!(self, Self::Suspended { offered: true, .. })
    }

    /// Something has come.
    pub(super) fn note_heard(&mut self, now: Instant) {
        if let Some(managed) = self.bound() {
            managed.note_heard(now);
        }
    }

    /// Whether a question has gone unanswered, and nothing else came.
    pub(super) fn is_dead(&mut self, now: Instant) -> bool {
        self.bound().is_some_and(|managed| managed.is_dead(now))
    }

    /// When the link is to be looked after.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Bound(managed) => Some(managed.poll_timeout()),
            Self::None | Self::Suspended { .. } => None,
        }
    }
}

impl WebSocket {
    // ── how a session comes onto the stream, and leaves it ──────────────────────────────────────────────────────────

    /// The suspended session that is to be resumed on this stream; from now on the server may resume it.
    pub fn resumption(&mut self, now: Instant) -> Option<Resumption> {
        let Bond::Suspended { session, offered } = &mut self.bond else {
            return None;
        };
        let resumption = session.resumption(now);
        *offered = resumption.is_some();
        resumption
    }

    /// A session is bound. `management`: `<enabled/>` or `<failed/>`, where stream management was enabled together with the binding;
    /// `offered`: the stream offers it. Returns what a session that was not resumed has lost.
    pub fn establish(
        &mut self,
        now: Instant,
        management: Option<&Element>,
        offered: bool,
    ) -> Vec<Lost> {
        let mut lost = Vec::new();
        if let Bond::Suspended { session, .. } = core::mem::replace(&mut self.bond, Bond::None) {
            lost = session.lose();
        }
        let mut managed = StreamManagement::new(now, self.config.silence);
        let mut enable = None;
        match management {
            Some(enabled) if enabled.name() == "enabled" => managed.handle_enabled(enabled),
            Some(_) => {}
            None if self.config.stream_management && offered => enable = Some(managed.enable()),
            None => {}
        }
        self.bond = Bond::Bound(managed);
        if let Some(enable) = enable {
            self.send_own(enable);
        }
        lost
    }

    /// `<resumed/>`: the session goes on, and what the server has not had is sent once more.
    pub fn resume(&mut self, now: Instant, resumed: &Element) -> Acknowledged {
        let Bond::Suspended { session, .. } = core::mem::replace(&mut self.bond, Bond::None) else {
            return Acknowledged::default();
        };
        let mut acknowledged = Acknowledged::default();
        let (managed, texts) = session.resume(now, resumed, &mut acknowledged.settled);
        acknowledged.resumed = texts.is_some();
        self.bond = Bond::Bound(managed);
        match texts {
            Some(texts) => {
                for text in texts {
                    self.send_text(text);
                }
            }
            None => self.dismiss(CloseReason::PeerMisbehaved(
                "a resumption that does not fit the session",
            )),
        }
        acknowledged
    }

    /// `<failed/>`: the session is over, and a new one will be bound.
    pub fn refuse_resumption(&mut self, failed: &Element) -> Acknowledged {
        match core::mem::replace(&mut self.bond, Bond::None) {
            Bond::Suspended { session, .. } => session.refuse(failed),
            other => {
                self.bond = other;
                Acknowledged::default()
            }
        }
    }

    /// What is left of the session, now that the stream has ended for `reason`.
    pub fn suspend(&mut self, now: Instant, reason: &CloseReason) -> Option<Suspended> {
        match core::mem::replace(&mut self.bond, Bond::None) {
            Bond::None => None,
            Bond::Suspended { session, .. } => Some(session),
            Bond::Bound(mut managed) => {
                if matches!(reason, CloseReason::TooLarge) {
                    // The stream was closed in order, and the session with it.
                    managed.forget();
                }
                Some(Suspended::new(managed, now))
            }
        }
    }

    /// The session has gone on elsewhere: ends the stream, and does not resume the session.
    pub fn forfeit(&mut self, reason: CloseReason) {
        if let Some(managed) = self.bond.bound() {
            managed.forget();
        }
        self.end(reason);
    }

    /// All that another page needs to resume the session, and how long the server keeps it, about.
    pub fn snapshot(&self) -> Option<(Element, Millis)> {
        match &self.bond {
            Bond::None => None,
            Bond::Suspended { session, .. } => session.snapshot(),
            Bond::Bound(managed) => Some((managed.snapshot()?, managed.lasts())),
        }
    }

    // ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether the server is so far behind that nothing more is to be sent.
    pub fn is_full(&self) -> bool {
        match &self.bond {
            Bond::None => false,
            Bond::Suspended { session, .. } => session.is_full(),
            Bond::Bound(managed) => !managed.has_room(),
        }
    }

    /// An element is being sent, as this text.
    pub(super) fn note_sent(&mut self, element: &Element, text: &Rc<str>, name: Option<SendId>) {
        if let Some(managed) = self.bond.bound()
            && is_stanza(element)
        {
            managed.note_sent(Rc::clone(text), name, element.name() == "message");
        }
    }

    fn send_own(&mut self, element: Element) {
        self.send(&element, None);
        self.events.push_back(TransportEvent::OwnSent(element));
    }

    /// `<a/>`, where there is stream management: the server learns what has been handled.
    pub(super) fn acknowledge(&mut self) {
        if let Some(ack) = self.bond.bound().and_then(|managed| managed.ack()) {
            self.send_own(ack);
        }
    }

    /// There is a sign that the network works again: the server is asked whether it is there, and is to answer soon.
    pub fn wake(&mut self, now: Instant) {
        if let Some(managed) = self.bond.bound() {
            managed.doubt(now);
        }
    }

    /// Asks the server what has arrived, or whether it is there, if that is due. `last`: nothing is asked behind it. True if it did.
    pub fn ask(&mut self, now: Instant, last: bool, ids: &mut Ids) -> bool {
        if !self.is_open() {
            return false;
        }
        let managed = self.bond.bound();
        let ping = match managed.and_then(|managed| managed.poll_word(now, last)) {
            None => return false,
            Some(Assurance::Request) => {
                self.send_own(Element::builder("r", ns::STREAM_MANAGEMENT).build());
                None
            }
            Some(Assurance::Ping) => {
                let id = ids.next_id();
                self.send_own(ping::request(None).with_attr("id", &id));
                Some(id)
            }
        };
        if let Some(managed) = self.bond.bound() {
            managed.note_asked(now, ping);
        }
        true
    }

    // ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Something is handed on now: counts the stanzas of the bound session, and takes what concerns stream management.
    pub(super) fn note_received(&mut self, event: TransportEvent) -> TransportEvent {
        let Some(managed) = self.bond.bound() else {
            return event;
        };
        match event {
            TransportEvent::Element(element) if element.ns() == ns::STREAM_MANAGEMENT => {
                self.handle_management(&element);
                TransportEvent::OwnReceived(element)
            }
            // In whatever namespace: the server has counted it.
            TransportEvent::Element(element) if is_stanza_name(element.name()) => {
                managed.note_handled();
                TransportEvent::Element(element)
            }
            TransportEvent::Unreadable(unreadable) => {
                if is_counted(&unreadable) {
                    managed.note_handled();
                }
                TransportEvent::Unreadable(unreadable)
            }
            event => event,
        }
    }

    fn handle_management(&mut self, element: &Element) {
        let Some(managed) = self.bond.bound() else {
            return;
        };
        let mut settled = Vec::new();
        let mut fits = true;
        match element.name() {
            "r" => self.acknowledge(),
            "a" => fits = managed.handle_ack(element, &mut settled),
            // The answer to `<enable/>`, once: a second one would set the count of what was handled back.
            "enabled" if managed.is_enabling() => managed.handle_enabled(element),
            "failed" if managed.is_enabling() => managed.handle_refused(),
            _ => {}
        }
        self.tell_settled(settled);
        if !fits {
            if let Some(managed) = self.bond.bound() {
                managed.forget();
            }
            if !matches!(self.state, State::Closing) {
                let reason = CloseReason::PeerMisbehaved("more acknowledged than was sent");
                self.dismiss(reason);
            }
        }
    }

    /// A reply of that id has come from our own side: true if it answers a ping, which tells what has arrived.
    pub fn handle_reply(&mut self, id: &str) -> bool {
        if self.own_requests.take(id) {
            return true;
        }
        let mut settled = Vec::new();
        let own = match self.bond.bound() {
            Some(managed) => managed.handle_pong(id, &mut settled),
            None => false,
        };
        self.tell_settled(settled);
        own
    }

    /// A second reply of that id may come, which is to be ignored.
    pub fn ignore_reply(&mut self, id: String) {
        self.own_requests.add(id);
    }

    /// The server has closed the stream after we did: it has read all of it.
    pub(super) fn acknowledge_all(&mut self) {
        let mut settled = Vec::new();
        if let Some(managed) = self.bond.bound() {
            managed.acknowledge_all(&mut settled);
        }
        for (send, delivery) in settled {
            self.events
                .push_back(TransportEvent::Settled(send, delivery));
        }
    }

    /// Ahead of what came later, and has not been handed on.
    fn tell_settled(&mut self, settled: Vec<(SendId, Delivery)>) {
        for (send, delivery) in settled.into_iter().rev() {
            self.events
                .push_front(TransportEvent::Settled(send, delivery));
        }
    }
}

/// Whether what cannot be read was a stanza, which counts as handled (XEP-0198 §4): the server would only send it again. A frame that
/// is too large is taken for a stanza, as nearly all are. A binary one is none: RFC 7395 §3.2 wants text, so it comes from
/// something in between. Counted, it would acknowledge a stanza that the server never sent.
fn is_counted(unreadable: &Unreadable) -> bool {
    unreadable.error == XmlError::TooLarge || is_stanza_name(&unreadable.name)
}
