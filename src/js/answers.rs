//! The iq requests that no handler answers: answered or refused, by who asks.

use super::client::{Inner, Waiter};
use crate::web::clock::unix_millis;
use crate::web::unicode::PlatformUnicode;
use epode_proto::event::RequestFailure;
use epode_proto::io::REPLY_TIMEOUT;
use epode_proto::jid::Jid;
use epode_proto::stanza::iq;
use epode_proto::xep::audience::Verdict;
use epode_proto::xep::responder::{refuse_stranger, respond};
use epode_proto::xml::Element;

impl Inner {
    /// An iq that no handler answers.
    pub fn respond(&self, request: &Element) {
        let Some(own) = self.jid() else { return };
        let in_use = self.is_in_use(request);
        let verdict = self
            .screening
            .borrow_mut()
            .judge(request, &own, in_use, &PlatformUnicode);
        match verdict {
            Verdict::Answer => self.answer(request),
            Verdict::Refuse => self.refuse_stranger(request),
            Verdict::Wait(None) => {}
            Verdict::Wait(Some(roster)) => {
                // Without a session there is no stranger to answer either.
                if self.ask(roster, REPLY_TIMEOUT, Waiter::Roster).is_err() {
                    self.screening.borrow_mut().reset();
                }
            }
        }
    }

    /// The roster's reply: the questions that waited for it are judged again.
    pub fn learn_roster(&self, outcome: Result<Element, RequestFailure>) {
        let mut screening = self.screening.borrow_mut();
        match outcome {
            Err(RequestFailure::Disconnected) => screening.reset(),
            Err(RequestFailure::TimedOut) => {
                let waiting = screening.handle_no_roster();
                drop(screening);
                for request in waiting {
                    self.refuse_stranger(&request);
                }
            }
            outcome => {
                let waiting = screening.handle_roster(outcome.ok().as_ref(), &PlatformUnicode);
                drop(screening);
                for request in waiting {
                    self.respond(&request);
                }
            }
        }
    }

    /// Takes in a change of the roster that we requested. True when it is one, and nobody else acknowledges it.
    pub fn hear_push(&self, push: &Element) -> bool {
        let mut screening = self.screening.borrow_mut();
        self.jid()
            .is_some_and(|own| screening.handle_push(push, &own, &PlatformUnicode))
    }

    /// Acknowledges a change of the roster.
    pub fn acknowledge_push(&self, push: &Element) {
        self.post(iq::result(push, None));
    }

    fn answer(&self, request: &Element) {
        #[allow(clippy::cast_possible_truncation)]
        let now = unix_millis() as i64;
        let date = js_sys::Date::new_0();
        // JavaScript counts west of UTC.
        #[allow(clippy::cast_possible_truncation)]
        let offset = -(date.get_timezone_offset() as i32);
        if let Some(reply) = respond(request, &self.about_now(), now, offset) {
            self.post(reply);
        }
    }

    fn refuse_stranger(&self, request: &Element) {
        if let Some(reply) = refuse_stranger(request) {
            self.post(reply);
        }
    }

    /// Is the sender a service of a feed, a room that we are in, or ourselves in it? Rooms ping their occupants (XEP-0410).
    fn is_in_use(&self, request: &Element) -> bool {
        let from = request.attr("from").unwrap_or_default();
        let Ok(from) = Jid::parse(from, &PlatformUnicode) else {
            return false;
        };
        let service = from.as_str();
        let feeds = self.feeds.borrow();
        if feeds.values().any(|feed| feed.service == service) {
            return true;
        }
        self.rooms.read(|rooms| rooms.is_room_or_self(&from))
    }
}
