//! Messages from a room: live messages, history, subject, errors.

use super::Room;
use super::refusal::not_in;
use super::timers::RoomTimer;
use super::visit::{Visit, VisitState};
use crate::jid::Jid;
use crate::ns;
use crate::stanza::{StanzaError, message, split_jid};
use crate::xep::delay::stamps;
use crate::xep::muc::event::{RoomEvent, RoomMessage};
use crate::xep::muc::payload::MucUser;
use crate::xep::muc::rooms::RoomContext;
use crate::xml::Element;

impl Room {
    pub(super) fn handle_message(&mut self, shared: &mut RoomContext, stanza: &Element) {
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

    /// Handles an error message. From an occupant's address it is accepted only for a message that we sent there, since an occupant can send errors, too.
    fn handle_bounce(&mut self, shared: &mut RoomContext, nick: Option<&str>, stanza: &Element) {
        let id = stanza.attr("id");
        // Only the room uses our own occupant address.
        let nick = nick.filter(|nick| self.ledger.present.as_deref() != Some(*nick));
        let Some(visit) = &mut self.visit else { return };
        if visit.is_joining() && visit.join.is_some()
            || nick.is_some_and(|nick| !visit.sent.has_private(id, nick))
        {
            return;
        }
        let error = StanzaError::parse(stanza);
        // Some rooms refuse a private message of a non-occupant from the recipient's address.
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

    fn handle_groupchat(&mut self, shared: &mut RoomContext, nick: Option<&str>, stanza: &Element) {
        let Some(visit) = &self.visit else { return };
        let answered = self.ledger.is_turn_of(visit.id);
        if visit.is_joining() && !answered
            || visit.is_leaving() && self.ledger.awaits_join(visit.id)
        {
            // A message of an earlier visit.
            return;
        }
        let id = visit.id;
        let text = self.read(shared, nick, stanza, true);
        // With a body or a thread it is an ordinary message that also has a subject (§8.1).
        let subject = match text.body {
            None if !stanza.has_child("thread", ns::CLIENT) => message::subject(stanza),
            _ => None,
        };
        // Only occupants receive live messages.
        let live = nick.is_some() && !text.delayed;
        // But the session may have been in the room before this visit (a reloaded page): until the room replies to the join,
        // live messages prove nothing.
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
            // A live message ends the history; the subject should have come before it.
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

    /// Handles a message of the room itself.
    fn handle_configuration(&mut self, shared: &mut RoomContext, stanza: &Element) {
        let codes = MucUser::configuration_codes(stanza);
        if let Some(visit) = self.visit.as_ref().filter(|_| !codes.is_empty()) {
            shared.emit(visit.id, RoomEvent::Configured { codes });
        }
    }

    /// Handles the timeout of the subject.
    pub(super) fn handle_no_subject(&mut self, shared: &mut RoomContext) {
        let Some(visit) = &self.visit else { return };
        if let VisitState::Joining { unmarked } = &visit.state {
            if unmarked.is_none() || !self.ledger.is_turn_of(visit.id) {
                return;
            }
            self.enter_unmarked(shared);
        }
        // A ping distinguishes a room without subject from a late history: its reply follows the history.
        if let Some(visit) = &mut self.visit {
            visit.open_history = true;
        }
        self.doubt(shared.now);
        self.end_history(shared);
    }

    pub(super) fn end_history(&mut self, shared: &mut RoomContext) {
        let Some(visit) = &mut self.visit else { return };
        if let VisitState::Entered { subject, .. } = &mut visit.state {
            *subject = false;
            self.timers.stop(RoomTimer::Subject);
            self.complete(shared);
        }
    }

    /// Completes the join if no further stanza is expected.
    pub(super) fn complete(&mut self, shared: &mut RoomContext) {
        let Some(visit) = &mut self.visit else { return };
        if let VisitState::Entered {
            codes,
            subject: false,
            locked: None,
        } = &mut visit.state
        {
            let codes = core::mem::take(codes);
            visit.enter(VisitState::Inside);
            if let Some(join) = visit.join.take() {
                shared.settle(join.command, Ok(()));
                shared.emit(visit.id, RoomEvent::Joined { codes });
            } else {
                self.handle_returned(shared, codes);
            }
        }
    }

    /// Parses a message; `to_all`: a groupchat message.
    fn read(
        &mut self,
        shared: &RoomContext,
        nick: Option<&str>,
        stanza: &Element,
        to_all: bool,
    ) -> RoomMessage {
        let id = stanza.attr("id");
        let body = message::body(stanza);
        let stamp = self.stamp(shared, nick, stanza, to_all);
        let own = match (&mut self.visit, nick) {
            // An occupant can copy our message ids, but not our nick.
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

    /// When a delayed message was sent: `Some(None)` if the time is not readable, `None` if it is live.
    ///
    /// Only the room's own stamp counts (§7.2.14), from its bare JID: occupants can send stamps, and services remove only
    /// stamps that claim to be the room's. While history may come, and so for a moment only, these are also accepted: a stamp
    /// without `from` (XEP-0091 and XEP-0203 leave it optional), one from the service's domain, and one from the sender's own
    /// address in the room or real JID as the room shows it (XEP-0045 before 1.25, COMPAT(Openfire)).
    fn stamp(
        &self,
        shared: &RoomContext,
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
            // Prefer the room's stamp, then a readable one, then the first.
            let better =
                best.is_none_or(|(was, time)| (room, stamp.time.is_some()) > (was, time.is_some()));
            if counts && better {
                best = Some((room, stamp.time));
            }
        }
        best.map(|(_, time)| time)
    }

    /// Whether this is the room's bare JID.
    fn is_this(&self, shared: &RoomContext, from: &str) -> bool {
        from == self.jid.as_str()
            || Jid::parse(from, shared.unicode.as_ref()).is_ok_and(|from| from == self.jid)
    }

    /// Whether stamps of other entities are accepted, since history may come.
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
