//! Default replies to iq requests that no handler answers (RFC 6120 §8.4). The sender's relation to this client decides
//! between a reply and an error.

use super::requests::Purpose;
use super::{Client, SendLane};
use crate::event::RequestFailure;
use crate::io::REPLY_TIMEOUT;
use crate::jid::Jid;
use crate::stanza::iq;
use crate::time::Instant;
use crate::xep::audience::ReplyDecision;
use crate::xep::responder;
use crate::xml::Element;

impl Client {
    /// Answers an iq request that no handler matches.
    pub(super) fn respond(&mut self, now: Instant, request: &Element) {
        let Some(own) = self.jid().cloned() else {
            return;
        };
        let is_in_use = self.is_in_use(request);
        let unicode = self.platform.unicode.as_ref();
        match self.screening.judge(request, &own, is_in_use, unicode) {
            ReplyDecision::Answer => self.answer(request),
            ReplyDecision::Refuse => self.refuse(request),
            ReplyDecision::Wait(None) => {}
            ReplyDecision::Wait(Some(roster)) => {
                let timeout = Some(REPLY_TIMEOUT);
                // Without a session no reply can be sent.
                if self
                    .ask(now, roster, timeout, Purpose::Roster, SendLane::Ordinary)
                    .is_err()
                {
                    self.screening.reset();
                }
            }
        }
    }

    /// Handles the roster result and decides again on the requests that waited for it.
    pub(super) fn handle_roster(&mut self, now: Instant, outcome: Result<Element, RequestFailure>) {
        match outcome {
            Err(RequestFailure::Disconnected) => self.screening.reset(),
            Err(RequestFailure::TimedOut) => {
                for request in self.screening.handle_no_roster() {
                    self.refuse(&request);
                }
            }
            outcome => {
                let unicode = self.platform.unicode.as_ref();
                let waiting = self.screening.handle_roster(outcome.ok().as_ref(), unicode);
                for request in waiting {
                    self.respond(now, &request);
                }
            }
        }
    }

    /// Handles a roster push. Returns true if the push must be acknowledged.
    pub(super) fn handle_roster_push(&mut self, push: &Element) -> bool {
        let Some(own) = self.connection.jid() else {
            return false;
        };
        let unicode = self.platform.unicode.as_ref();
        self.screening.handle_push(push, own, unicode)
    }

    pub(super) fn acknowledge_push(&mut self, push: &Element) {
        self.post(iq::result(push, None), SendLane::Ordinary);
    }

    fn answer(&mut self, request: &Element) {
        let calendar = &self.platform.calendar;
        let (now, offset) = (calendar.unix_millis(), calendar.utc_offset_minutes());
        if let Some(reply) = responder::respond(request, &self.about(), now, offset) {
            self.post(reply, SendLane::Ordinary);
        }
    }

    fn refuse(&mut self, request: &Element) {
        if let Some(reply) = responder::refuse_unknown_sender(request) {
            self.post(reply, SendLane::Ordinary);
        }
    }

    /// Whether the sender is the service of a feed, a room that the client is in, or the client's own occupant in it.
    fn is_in_use(&self, request: &Element) -> bool {
        let from = request.attr("from").unwrap_or_default();
        Jid::parse(from, self.platform.unicode.as_ref()).is_ok_and(|from| {
            self.feeds.uses_service(from.as_str()) || self.rooms.is_room_or_self(&from)
        })
    }
}
