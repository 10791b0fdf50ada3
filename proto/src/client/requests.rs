//! Iq requests (RFC 6120 §8.2.3) and the purpose of their replies.

use super::{Client, ClientEvent, SendLane};
use crate::connection::SendError;
use crate::event::{IqId, RequestFailure};
use crate::time::{Instant, Millis};
use crate::xep::muc::RequestToken;
use crate::xml::Element;

/// The part of the client that gets a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The caller.
    Caller,
    /// The feeds, with the number of the request.
    Feeds(u32),
    /// The roster, to decide whether a sender is a contact.
    Roster,
    /// A room, with its token.
    Room(RequestToken),
}

impl Client {
    /// Sends an iq request; [`ClientEvent::Reply`] reports the reply, or the reason why there is none.
    pub fn request(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        self.ask(now, iq, timeout, Purpose::Caller, SendLane::Ordinary)
    }

    /// Abandons a request: its reply is ignored.
    pub fn forget(&mut self, request: IqId) {
        self.requests.remove(&request);
        self.connection.forget(request);
    }

    pub(super) fn ask(
        &mut self,
        now: Instant,
        iq: Element,
        timeout: Option<Millis>,
        purpose: Purpose,
        lane: SendLane,
    ) -> Result<IqId, SendError> {
        self.check_password(&iq)?;
        let request = match lane {
            SendLane::Ordinary => self.connection.request(now, iq, timeout)?,
            SendLane::Restoring => self.connection.request_before_outbox(now, iq, timeout)?,
        };
        self.requests.insert(request, purpose);
        Ok(request)
    }

    pub(super) fn handle_reply(
        &mut self,
        now: Instant,
        request: IqId,
        outcome: Result<Element, RequestFailure>,
    ) {
        match self.requests.remove(&request) {
            Some(Purpose::Caller) => self.emit(ClientEvent::Reply { request, outcome }),
            Some(Purpose::Feeds(number)) => self.handle_feeds_reply(now, number, outcome),
            Some(Purpose::Roster) => self.handle_roster(now, outcome),
            Some(Purpose::Room(request)) => {
                self.rooms.handle_reply(now, request, &outcome);
                self.drive_rooms(now, SendLane::Ordinary);
            }
            None => {}
        }
    }
}
