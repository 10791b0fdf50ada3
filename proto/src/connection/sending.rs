//! Sending: stanzas and requests of the caller, which leave now or are kept in the outbox.

use super::Connection;
use super::state::State;
use crate::event::{Delivery, Event, IqId, SendId};
use crate::handler::is_stanza;
use crate::jid::Jid;
use crate::time::{Instant, Millis};
use crate::transport::Transport;
use crate::transport::stream_management::Suspended;
use crate::xml::Element;

/// The caller's mistakes in sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// There is no session.
    NotConnected,
    /// The element is not `message`, `presence` or `iq` in `jabber:client`.
    NotAStanza,
    /// It holds a character that XML cannot carry.
    IllegalCharacter,
    /// A request must be an iq of type `get` or `set` with exactly one child.
    NotARequest,
    /// A request of that id is waiting for its reply.
    DuplicateId,
    /// `to` is not a JID.
    BadAddress,
    /// More is waiting for the connection to be there again than is kept.
    OutboxFull,
    /// It shows a room's password, and the connection is not confidential.
    Insecure,
}

impl Connection {
    /// Sends a stanza; during an interruption, once it is over. An iq request without an id gets one.
    pub fn send(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.send_by(stanza, false)
    }

    /// Sends a stanza ahead of what is kept (see [`Connection::hold`]).
    pub fn send_ahead(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.send_by(stanza, true)
    }

    fn send_by(&mut self, stanza: Element, ahead: bool) -> Result<SendId, SendError> {
        self.check(&stanza)?;
        let is_request =
            stanza.name() == "iq" && matches!(stanza.attr("type"), Some("get" | "set"));
        let stanza = if is_request && stanza.attr("id").is_none() {
            stanza.with_attr("id", &self.ids.next_id())
        } else {
            stanza
        };
        let id = SendId(self.next_send);
        self.next_send = self.next_send.wrapping_add(1);
        self.transmit_or_keep(stanza, Some(id), ahead);
        Ok(id)
    }

    /// Sends an iq request; its reply, or why there is none, comes as [`Event::Reply`].
    pub fn request(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.request_by(now, iq, timeout, false)
    }

    /// Sends an iq request ahead of what is kept (see [`Connection::hold`]).
    pub fn request_ahead(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.request_by(now, iq, timeout, true)
    }

    fn request_by(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
        ahead: bool,
    ) -> Result<IqId, SendError> {
        self.check(&iq)?;
        let asks = iq.name() == "iq" && matches!(iq.attr("type"), Some("get" | "set"));
        if !asks || iq.children().count() != 1 {
            return Err(SendError::NotARequest);
        }
        let to = match iq.attr("to") {
            None => None,
            Some(to) => {
                Some(Jid::parse(to, self.unicode.as_ref()).map_err(|_| SendError::BadAddress)?)
            }
        };
        let (iq, id) = match iq.attr("id") {
            Some(id) => (iq.clone(), id.to_owned()),
            None => {
                let id = self.ids.next_id();
                (iq.with_attr("id", &id), id)
            }
        };
        if self.pending.contains(&id) {
            return Err(SendError::DuplicateId);
        }
        let request = IqId(self.next_iq);
        self.next_iq = self.next_iq.wrapping_add(1);
        let deadline = timeout.map(|timeout| now + timeout);
        let kept = !self.goes_at_once(ahead);
        self.pending
            .insert(&id, request, to, self.jid.as_ref(), deadline, kept);
        self.transmit_or_keep(iq, None, ahead);
        Ok(request)
    }

    /// Takes back a stanza that is kept and has not left; it is not settled. Returns false if it has left.
    pub fn withdraw(&mut self, send: SendId) -> bool {
        self.outbox.remove(send)
    }

    /// Discards the reply to that request when it comes; no [`Event::Reply`] follows.
    pub fn forget(&mut self, request: IqId) {
        self.pending.forget(request);
    }

    /// The session is there, or may be there again: what is sent is kept rather than refused.
    fn keeps_what_is_sent(&self) -> bool {
        matches!(
            self.state,
            State::Online(_) | State::Interrupted(_) | State::Reconnecting(_)
        )
    }

    fn check(&self, stanza: &Element) -> Result<(), SendError> {
        if !is_stanza(stanza) {
            return Err(SendError::NotAStanza);
        }
        if !stanza.is_legal() {
            return Err(SendError::IllegalCharacter);
        }
        if !self.keeps_what_is_sent() {
            return Err(SendError::NotConnected);
        }
        let full = self.state.transport().is_some_and(Transport::is_full)
            || self.suspended.as_ref().is_some_and(Suspended::is_full);
        if full || !self.outbox.has_room() {
            return Err(SendError::OutboxFull);
        }
        Ok(())
    }

    /// Whether a stanza leaves now, or is kept in the outbox.
    fn goes_at_once(&self, ahead: bool) -> bool {
        self.is_online() && (ahead || !self.outbox.is_held())
    }

    fn transmit_or_keep(&mut self, stanza: Element, name: Option<SendId>, ahead: bool) {
        if self.goes_at_once(ahead) {
            self.transmit(stanza, name);
        } else {
            self.outbox.keep(stanza, name);
        }
    }

    pub(super) fn transmit(&mut self, element: Element, name: Option<SendId>) {
        self.show_sent(&element);
        if let Some(transport) = self.state.transport_mut() {
            transport.send(element, name);
        }
    }

    /// From now on what is sent is kept, until [`Connection::release`]: for a caller that has to restore a new session first,
    /// which it does with [`Connection::send_ahead`] and [`Connection::request_ahead`].
    pub fn hold(&mut self) {
        self.outbox.hold();
    }

    /// Holds nothing back any more: what is kept leaves as soon as there is a session.
    pub fn unhold(&mut self) {
        self.outbox.unhold();
    }

    pub(super) fn tell_settled(&mut self, send: SendId, delivery: Delivery) {
        self.events.push_back(Event::Settled { send, delivery });
    }
}
