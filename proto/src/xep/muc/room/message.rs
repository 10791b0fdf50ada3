//! What messages from a room mean: talk, history, the subject, bounces.

use super::Room;
use super::refusal::not_in;
use super::timers::Timer;
use super::visit::{State, Visit};
use crate::jid::Jid;
use crate::ns;
use crate::stanza::{StanzaError, message, split_jid};
use crate::xep::delay::stamps;
use crate::xep::muc::event::{RoomEvent, RoomMessage};
use crate::xep::muc::payload::User;
use crate::xep::muc::rooms::Shared;
use crate::xml::Element;

impl Room {
    pub(super) fn handle_message(&mut self, shared: &mut Shared, stanza: &Element) {
        let nick = stanza.attr("from").and_then(|from| split_jid(from).1);
        match (stanza.attr("type"), nick) {
            (Some("error"), nick) => self.handle_bounce(shared, nick, stanza),
            (Some("groupchat"), nick) => self.handle_groupchat(shared, nick, stanza),
            (_, Some(nick)) => {
                let text = self.read(shared, Some(nick), stanza, false);
                if let Some(visit) = self.visit.as_ref().filter(|visit| !visit.is_joining()) {
                    shared.emit(visit.id, RoomEvent::Private(text));
                }
            }
            (_, None) => self.handle_configuration(shared, stanza),
        }
    }

    /// A message bounced. From an occupant's address only what we sent there can: an occupant may send errors, too.
    fn handle_bounce(&mut self, shared: &mut Shared, nick: Option<&str>, stanza: &Element) {
        let id = stanza.attr("id");
        // Nobody but the room uses our own address.
        let nick = nick.filter(|nick| self.ledger.present.as_deref() != Some(*nick));
        let Some(visit) = &mut self.visit else { return };
        if visit.is_joining() && visit.join.is_some()
            || nick.is_some_and(|nick| !visit.sent.has_private(id, nick))
        {
            return;
        }
        let error = StanzaError::parse(stanza);
        // Some rooms answer a private message of somebody who is not in from the address of the occupant it is for.
        let doubtful = not_in(&error) && (nick.is_none() || error.condition == "not-acceptable");
        if let (None, Some(id)) = (nick, id) {
            visit.sent.bounced(id);
        }
        shared.emit(
            visit.id,
            RoomEvent::Bounced {
                id: id.map(Into::into),
                nick: nick.map(Into::into),
                error,
                stanza: stanza.clone(),
            },
        );
        if doubtful {
            self.doubt(shared.now);
        }
    }

    fn handle_groupchat(&mut self, shared: &mut Shared, nick: Option<&str>, stanza: &Element) {
        let Some(visit) = &self.visit else { return };
        let answered = self.ledger.is_turn_of(visit.id);
        if visit.is_joining() && !answered
            || visit.is_leaving() && self.ledger.awaits_join(visit.id)
        {
            // It was said in an earlier visit, which is over.
            return;
        }
        let id = visit.id;
        let text = self.read(shared, nick, stanza, true);
        // With a body (or a thread) it is a message that happens to have a subject (§8.1).
        let subject = match text.body {
            None if !stanza.has_child("thread", ns::CLIENT) => message::subject(stanza),
            _ => None,
        };
        // What an occupant says now is heard by those who are in.
        let live = nick.is_some() && !text.delayed;
        // But the session may have been in before this visit (a page that was loaded anew): until the room answers the join,
        // what it sends is what it would have sent anyway.
        if live && self.visit.as_ref().is_some_and(Visit::awaits_own_presence) {
            return;
        }
        if subject.is_some() || live {
            self.enter_unmarked(shared);
        }
        if let Some(subject) = subject {
            if let Some(visit) = &mut self.visit {
                visit.subject = Some(subject.clone());
                visit.close_history(shared);
            }
            shared.emit(
                id,
                RoomEvent::Subject {
                    subject,
                    nick: text.nick,
                    time: text.time,
                },
            );
            self.end_history(shared);
        } else if nick.is_none() && text.body.is_none() {
            self.handle_configuration(shared, stanza);
        } else {
            // What is not held back is said now, so that history is over; the subject should have come before it.
            if live {
                self.end_history(shared);
                if let Some(visit) = &mut self.visit {
                    visit.close_history(shared);
                }
            }
            let unix_ms = shared.unix_ms;
            let Some(visit) = &mut self.visit else { return };
            for text in visit.heard.note(text, unix_ms) {
                shared.emit(id, RoomEvent::Message(text));
            }
        }
    }

    /// A message of the room about itself.
    fn handle_configuration(&mut self, shared: &mut Shared, stanza: &Element) {
        let codes = User::configuration_codes(stanza);
        if let Some(visit) = self.visit.as_ref().filter(|_| !codes.is_empty()) {
            shared.emit(visit.id, RoomEvent::Configured { codes });
        }
    }

    /// No subject has come for a while.
    pub(super) fn handle_no_subject(&mut self, shared: &mut Shared) {
        let Some(visit) = &self.visit else { return };
        if let State::Joining { unmarked } = &visit.state {
            if unmarked.is_none() || !self.ledger.is_turn_of(visit.id) {
                return;
            }
            self.enter_unmarked(shared);
        }
        // Whether the room sends no subject, or the history is late, its answer to a ping shows, which comes behind it.
        if let Some(visit) = &mut self.visit {
            visit.open_history = true;
        }
        self.doubt(shared.now);
        self.end_history(shared);
    }

    pub(super) fn end_history(&mut self, shared: &mut Shared) {
        let Some(visit) = &mut self.visit else { return };
        if let State::Entered { subject, .. } = &mut visit.state {
            *subject = false;
            self.timers.stop(Timer::Subject);
            self.complete(shared);
        }
    }

    /// Really in, when nothing more is to come.
    pub(super) fn complete(&mut self, shared: &mut Shared) {
        let Some(visit) = &mut self.visit else { return };
        if let State::Entered {
            codes,
            subject: false,
            locked: None,
        } = &mut visit.state
        {
            let codes = core::mem::take(codes);
            visit.enter(State::Inside);
            if let Some(join) = visit.join.take() {
                shared.settle(join.command, Ok(()));
                shared.emit(visit.id, RoomEvent::Joined { codes });
            } else {
                self.handle_returned(shared, codes);
            }
        }
    }

    /// Reads a message; `to_all`: it is one to the whole room.
    fn read(
        &mut self,
        shared: &Shared,
        nick: Option<&str>,
        stanza: &Element,
        to_all: bool,
    ) -> RoomMessage {
        let id = stanza.attr("id");
        let body = message::body(stanza);
        let stamp = self.stamp(shared, nick, stanza, to_all);
        let own = match (&mut self.visit, nick) {
            // Anyone can repeat an id of ours that they have seen, but not under our nick.
            (Some(visit), Some(nick)) if to_all && visit.nick == nick => {
                let live = stamp.is_none();
                visit.sent.recognise(id, body.as_deref(), live)
            }
            _ => false,
        };
        RoomMessage {
            nick: nick.map(Into::into),
            id: id.map(Into::into),
            body,
            delayed: stamp.is_some(),
            time: stamp.flatten(),
            own,
            stanza: stanza.clone(),
        }
    }

    /// When a message was said, if the room says that it was earlier: `Some(None)` where the time is not readable.
    ///
    /// Only the room's own stamp counts (§7.2.14), from its bare JID: occupants can send stamps, and services remove none but
    /// those that claim to be the room's. While history may come, and so for a moment only, these are believed too: a stamp
    /// without `from` (XEP-0091 and XEP-0203 leave it optional), one from the service's domain, and one from the sender's own
    /// address in the room or real JID as the room shows it (XEP-0045 before 1.25, COMPAT(Openfire)).
    fn stamp(
        &self,
        shared: &Shared,
        nick: Option<&str>,
        stanza: &Element,
        to_all: bool,
    ) -> Option<Option<i64>> {
        let visit = self.visit.as_ref();
        let history = to_all && visit.is_some_and(super::Visit::awaits_history);
        let mut best: Option<(bool, Option<i64>)> = None;
        for stamp in stamps(stanza) {
            let room = stamp
                .from
                .as_deref()
                .is_some_and(|from| self.is_this(shared, from));
            let counts = room || history && self.may_stamp(nick, stamp.from.as_deref());
            // The room's before others, a readable one before one that is not, the first of equals.
            let better =
                best.is_none_or(|(was, time)| (room, stamp.time.is_some()) > (was, time.is_some()));
            if counts && better {
                best = Some((room, stamp.time));
            }
        }
        best.map(|(_, time)| time)
    }

    /// Whether that is the room's bare JID.
    fn is_this(&self, shared: &Shared, from: &str) -> bool {
        from == self.jid.as_str()
            || Jid::parse(from, shared.unicode.as_ref()).is_ok_and(|from| from == self.jid)
    }

    /// Whether somebody other than the room may have stamped history.
    fn may_stamp(&self, nick: Option<&str>, from: Option<&str>) -> bool {
        let Some(from) = from else { return true };
        if from == self.jid.domain() {
            return true;
        }
        let Some(nick) = nick else { return false };
        let real = self
            .visit
            .as_ref()
            .and_then(|visit| visit.occupants.get(nick))
            .and_then(|occupant| occupant.jid.as_deref());
        from == self.occupant_jid(nick)
            || real.is_some_and(|real| split_jid(real).0 == split_jid(from).0)
    }
}
