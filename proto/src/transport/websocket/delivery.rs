//! The session on a WebSocket: tracks delivery, checks the link, and keeps what is left when the stream ends.
//!
//! Specification: XEP-0198 1.6.3.
//!
//! `stream_management.rs` counts stanzas; this file requests and sends acknowledgements and resumes sessions. Pings
//! replace acknowledgements if the server does not offer stream management.

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

/// The session on the stream.
pub(super) enum Bond {
    /// No session yet.
    None,
    /// A session that lost its stream; `offered`: the login on this stream asks to resume it.
    Suspended { session: Suspended, offered: bool },
    /// A bound session.
    Bound(StreamManagement),
}

impl Bond {
    fn bound(&mut self) -> Option<&mut StreamManagement> {
        match self {
            Self::Bound(managed) => Some(managed),
            Self::None | Self::Suspended { .. } => None,
        }
    }

    /// Whether the server may be resuming a session on the stream.
    pub(super) fn is_offered(&self) -> bool {
        matches!(self, Self::Suspended { offered: true, .. })
    }

    /// Notes that input was received.
    pub(super) fn note_input(&mut self, now: Instant) {
        if let Some(managed) = self.bound() {
            managed.note_input(now);
        }
    }

    /// Whether the link is dead: an acknowledgement request was not answered in time, and nothing else was received.
    pub(super) fn is_dead(&mut self, now: Instant) -> bool {
        self.bound().is_some_and(|managed| managed.is_dead(now))
    }

    /// When the link must be checked.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Bound(managed) => Some(managed.poll_timeout()),
            Self::None | Self::Suspended { .. } => None,
        }
    }
}

impl WebSocket {
    // ── session of the stream ───────────────────────────────────────────────────────────────────────────────────────

    /// The suspended session to resume on this stream; from now on the server may resume it.
    pub fn resumption(&mut self, now: Instant) -> Option<Resumption> {
        let Bond::Suspended { session, offered } = &mut self.bond else {
            return None;
        };
        let resumption = session.resumption(now);
        *offered = resumption.is_some();
        resumption
    }

    /// The session is bound. `management`: `<enabled/>` or `<failed/>`, if stream management was enabled with the
    /// binding; `offered`: the stream offers it. Returns the unsettled stanzas of a session that was not resumed.
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

    /// `<resumed/>`: resends the stanzas that the server has not received.
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

    /// `<failed/>`: the session is lost, and a new one will be bound.
    pub fn refuse_resumption(&mut self, failed: &Element) -> Acknowledged {
        match core::mem::replace(&mut self.bond, Bond::None) {
            Bond::Suspended { session, .. } => session.refuse(failed),
            other => {
                self.bond = other;
                Acknowledged::default()
            }
        }
    }

    /// Takes the session of a stream that has ended for `reason`.
    pub fn suspend(&mut self, now: Instant, reason: &CloseReason) -> Option<Suspended> {
        match core::mem::replace(&mut self.bond, Bond::None) {
            Bond::None => None,
            Bond::Suspended { session, .. } => Some(session),
            Bond::Bound(mut managed) => {
                if matches!(reason, CloseReason::TooLarge) {
                    // The stream was closed in order, and the session ended with it.
                    managed.forget();
                }
                Some(Suspended::new(managed, now))
            }
        }
    }

    /// Another connection has taken the session over: ends the stream and makes the session not resumable here.
    pub fn forfeit(&mut self, reason: CloseReason) {
        if let Some(managed) = self.bond.bound() {
            managed.forget();
        }
        self.end(reason);
    }

    /// The data with which another page resumes the session, and about how long the server keeps it.
    pub fn snapshot(&self) -> Option<(Element, Millis)> {
        match &self.bond {
            Bond::None => None,
            Bond::Suspended { session, .. } => session.snapshot(),
            Bond::Bound(managed) => Some((managed.snapshot()?, managed.lasts())),
        }
    }

    // ── outgoing ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Whether the server is so far behind that no more stanzas may be sent.
    pub fn is_full(&self) -> bool {
        match &self.bond {
            Bond::None => false,
            Bond::Suspended { session, .. } => session.is_full(),
            Bond::Bound(managed) => !managed.has_room(),
        }
    }

    /// Notes an element that is sent as this text.
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

    /// Sends `<a/>` if there is stream management, so that the server knows which stanzas were handled.
    pub(super) fn acknowledge(&mut self) {
        if let Some(ack) = self.bond.bound().and_then(|managed| managed.ack()) {
            self.send_own(ack);
        }
    }

    /// Handles a sign that the network works again: asks the server for a sign of life that must come soon.
    pub fn wake(&mut self, now: Instant) {
        if let Some(managed) = self.bond.bound() {
            managed.doubt(now);
        }
    }

    /// Requests an acknowledgement or a sign of life if one is due. `last`: no later request will follow. Returns true
    /// if it did.
    pub fn ask(&mut self, now: Instant, last: bool, ids: &mut Ids) -> bool {
        if !self.is_open() {
            return false;
        }
        let managed = self.bond.bound();
        let ping = match managed.and_then(|managed| managed.poll_assurance(now, last)) {
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

    // ── incoming ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles an event before it is delivered: counts the stanzas of the bound session, and handles the elements of
    /// stream management.
    pub(super) fn note_received(&mut self, event: TransportEvent) -> TransportEvent {
        let Some(managed) = self.bond.bound() else {
            return event;
        };
        match event {
            TransportEvent::Element(element) if element.ns() == ns::STREAM_MANAGEMENT => {
                self.handle_management(&element);
                TransportEvent::OwnReceived(element)
            }
            // Regardless of the namespace: the server has counted it.
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
            // Handle the reply to `<enable/>` only once: a second one would reset the count of handled stanzas.
            "enabled" if managed.is_enabling() => managed.handle_enabled(element),
            "failed" if managed.is_enabling() => managed.handle_refused(),
            _ => {}
        }
        self.report_settled(settled);
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

    /// Handles a reply from the own server or account. Returns true if it answers a ping, which acknowledges earlier
    /// stanzas.
    pub fn handle_reply(&mut self, id: &str) -> bool {
        if self.own_requests.take(id) {
            return true;
        }
        let mut settled = Vec::new();
        let own = match self.bond.bound() {
            Some(managed) => managed.handle_pong(id, &mut settled),
            None => false,
        };
        self.report_settled(settled);
        own
    }

    /// Ignores a second reply with that id.
    pub fn ignore_reply(&mut self, id: String) {
        self.own_requests.add(id);
    }

    /// The server has closed the stream after us: it has read all stanzas.
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

    /// Reports settlements before the events that were received later and not delivered yet.
    fn report_settled(&mut self, settled: Vec<(SendId, Delivery)>) {
        for (send, delivery) in settled.into_iter().rev() {
            self.events
                .push_front(TransportEvent::Settled(send, delivery));
        }
    }
}

/// Whether unreadable input was a stanza, which counts as handled (XEP-0198 §4): the server would only send it again. A
/// frame that is too large counts as a stanza, as nearly all are. A binary frame does not: RFC 7395 §3.2 requires text,
/// so the frame comes from an intermediary. Counting it would acknowledge a stanza that the server never sent.
fn is_counted(unreadable: &Unreadable) -> bool {
    unreadable.error == XmlError::TooLarge || is_stanza_name(&unreadable.name)
}
