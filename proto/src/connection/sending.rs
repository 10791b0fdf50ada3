//! Sending stanzas and requests of the caller: they leave at once or are kept in the outbox.

use super::Connection;
use super::state::State;
use crate::event::{Delivery, Event, IqId, SendId};
use crate::handler::is_stanza;
use crate::jid::Jid;
use crate::time::{Instant, Millis};
use crate::transport::Transport;
use crate::transport::stream_management::Suspended;
use crate::xml::Element;

/// Why a stanza was refused; an error of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// There is no session.
    NotConnected,
    /// The element is not `message`, `presence` or `iq` in `jabber:client`.
    NotAStanza,
    /// A character that XML cannot carry.
    IllegalCharacter,
    /// A request must be an iq of type `get` or `set` with exactly one child.
    NotARequest,
    /// A request with that id is already waiting for its reply.
    DuplicateId,
    /// `to` is not a JID.
    BadAddress,
    /// The outbox is full.
    OutboxFull,
    /// The stanza holds a room's password, and the connection is not confidential.
    Insecure,
}

impl Connection {
    /// Sends a stanza; during an interruption, as soon as there is a session. An iq request without an id gets one.
    pub fn send(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.send_by(stanza, false)
    }

    /// Sends a stanza before the kept stanzas (see [`Connection::hold`]).
    pub fn send_before_outbox(&mut self, stanza: Element) -> Result<SendId, SendError> {
        self.send_by(stanza, true)
    }

    fn send_by(&mut self, stanza: Element, before_outbox: bool) -> Result<SendId, SendError> {
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
        self.transmit_or_keep(stanza, Some(id), before_outbox);
        Ok(id)
    }

    /// Sends an iq request. [`Event::Reply`] brings its reply, or the reason why there is none.
    pub fn request(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.request_by(now, iq, timeout, false)
    }

    /// Sends an iq request before the kept stanzas (see [`Connection::hold`]).
    pub fn request_before_outbox(
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
        before_outbox: bool,
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
        let kept = !self.goes_at_once(before_outbox);
        self.pending
            .insert(&id, request, to, self.jid.as_ref(), deadline, kept);
        self.transmit_or_keep(iq, None, before_outbox);
        Ok(request)
    }

    /// Withdraws a kept stanza; no settlement is reported. Returns false if the stanza has been sent.
    pub fn withdraw(&mut self, send: SendId) -> bool {
        self.outbox.remove(send)
    }

    /// Forgets a request: its reply is discarded and no [`Event::Reply`] follows.
    pub fn forget(&mut self, request: IqId) {
        self.pending.forget(request);
    }

    /// Whether stanzas are kept rather than refused: there is a session, or there may be one again.
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

    /// Whether a stanza is sent at once; otherwise it is kept in the outbox.
    fn goes_at_once(&self, before_outbox: bool) -> bool {
        self.is_online() && (before_outbox || !self.outbox.is_held())
    }

    fn transmit_or_keep(&mut self, stanza: Element, name: Option<SendId>, before_outbox: bool) {
        if self.goes_at_once(before_outbox) {
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

    /// Keeps all stanzas sent from now on until [`Connection::release`]: for a caller that first restores a new session
    /// with [`Connection::send_before_outbox`] and [`Connection::request_before_outbox`].
    pub fn hold(&mut self) {
        self.outbox.hold();
    }

    /// Stops keeping stanzas: the kept ones are sent as soon as there is a session.
    pub fn unhold(&mut self) {
        self.outbox.unhold();
    }

    pub(super) fn report_settled(&mut self, send: SendId, delivery: Delivery) {
        self.events.push_back(Event::Settled { send, delivery });
    }
}
