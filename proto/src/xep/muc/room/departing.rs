//! Unavailable presences from a room: occupants, including us, leave or change their nick.

use super::Room;
use super::deadlines::FOLLOW_UP_TIMEOUT;
use super::ledger::{PresenceRequest, UnansweredPresence};
use super::timers::RoomTimer;
use super::visit::VisitState;
use crate::xep::muc::departure::Departure;
use crate::xep::muc::event::{CommandError, Ended, RoomEvent};
use crate::xep::muc::payload::MucUser;
use crate::xep::muc::rooms::RoomContext;
use crate::xml::Element;

impl Room {
    pub(super) fn handle_departure(
        &mut self,
        shared: &mut RoomContext,
        nick: &str,
        stanza: &Element,
    ) {
        let user = MucUser::of(stanza);
        let present = self.ledger.present.as_deref() == Some(nick);
        let jid = user.jid().is_some_and(|jid| shared.is_account(jid));
        let own = present || (jid || self.is_marked(nick, &user)) && !self.is_known_other(nick);
        if let Some(to) = user.next_nick() {
            let to = to.to_owned();
            return if own {
                self.handle_rename(shared, stanza.attr("id"), &to);
            } else if let Some(visit) = &mut self.visit {
                visit.rename(shared, nick.into(), &to, false);
            };
        }
        let changes = user.has(303);
        let removal = user.is_removal();
        let departure = Departure::parse(stanza, user);
        if own {
            return self.handle_own_departure(
                shared,
                stanza.attr("id"),
                departure,
                changes,
                removal,
            );
        }
        let Some(visit) = &mut self.visit else { return };
        if let VisitState::Joining { unmarked } = &mut visit.state
            && visit.nick == nick
        {
            *unmarked = None;
        }
        let Some(occupant) = visit.occupants.remove(nick) else {
            return;
        };
        if !visit.is_joining() {
            shared.emit(
                visit.id,
                RoomEvent::OccupantLeft {
                    occupant,
                    departure,
                },
            );
        }
    }

    /// Handles a change of our nick, requested by us or made by the room.
    pub(super) fn handle_rename(&mut self, shared: &mut RoomContext, id: Option<&str>, to: &str) {
        let by_id = id.and_then(|id| self.ledger.find(id));
        let is_nick = |step: &&UnansweredPresence| matches!(step.ask, PresenceRequest::Nick(_));
        let by_nick = || {
            self.ledger
                .iter()
                .filter(is_nick)
                .find(|step| step.nick == to)
        };
        let step = by_id
            .filter(is_nick)
            .or_else(by_nick)
            .or_else(|| self.ledger.front().filter(is_nick));
        if let Some(id) = step.map(|step| step.id.clone())
            && let Some((before, step)) = self.ledger.take(&id)
        {
            self.settle_skipped(shared, before, &CommandError::TimedOut);
            if let PresenceRequest::Nick(Some(waiting)) = step.ask {
                shared.settle(waiting.command, Ok(()));
            }
        }
        self.vanished = None;
        self.timers.stop(RoomTimer::Rename);
        self.ledger.present = Some(to.into());
        let Some(visit) = &mut self.visit else { return };
        if !visit.is_joining() {
            let from = core::mem::replace(&mut visit.nick, to.into());
            visit.rename(shared, from, to, true);
        }
    }

    fn handle_own_departure(
        &mut self,
        shared: &mut RoomContext,
        id: Option<&str>,
        departure: Departure,
        changes: bool,
        removal: bool,
    ) {
        let left = id
            .and_then(|id| self.ledger.find(id))
            .filter(|step| step.is_leave())
            .map(|step| step.id.clone());
        if let Some((mut before, step)) = left.and_then(|id| self.ledger.take(&id)) {
            before.push(step);
            return self.handle_left(shared, before);
        }
        let inside = self.ledger.present.is_some();
        let front = self.ledger.front();
        // A change of nick in two presences without status 303.
        let leaves = self.ledger.iter().any(UnansweredPresence::is_leave);
        let renames =
            !leaves && front.is_some_and(|step| matches!(step.ask, PresenceRequest::Nick(_)));
        if inside && !removal && (renames || changes) {
            let wanted = front.map(|step| step.nick.clone()).filter(|_| renames);
            let came = wanted.filter(|wanted| {
                let visit = self.visit.as_ref();
                visit.is_some_and(|visit| visit.occupants.get(wanted).is_some())
            });
            if let Some(wanted) = came {
                return self.handle_rename(shared, None, &wanted);
            }
            self.vanished = Some(departure);
            self.timers
                .set(RoomTimer::Rename, shared.now + FOLLOW_UP_TIMEOUT);
            return;
        }
        // A room does not reply to the leave of a non-occupant; if it does, the reply removes no occupant.
        if (inside || !removal)
            && let Some(steps) = self.ledger.take_leave()
        {
            return self.handle_left(shared, steps);
        }
        let joining = self.visit.as_ref().filter(|visit| visit.is_joining());
        let turn = joining.is_some_and(|visit| self.ledger.is_turn_of(visit.id));
        self.ledger.present = None;
        if joining.is_some() && !turn {
            return;
        }
        if turn && let Some(id) = self.ledger.front().map(|step| step.id.clone()) {
            let _ = self.ledger.take(&id);
        }
        self.end(
            shared,
            CommandError::SentAway(departure.clone()),
            Ended::Departed(departure),
        );
    }

    /// Handles the room's reply to our leave.
    pub(super) fn handle_left(&mut self, shared: &mut RoomContext, steps: Vec<UnansweredPresence>) {
        self.ledger.present = None;
        if let Some(visit) = self.visit.as_mut().filter(|visit| visit.is_joining()) {
            // These occupants were listed for the earlier visit.
            visit.occupants.clear();
        }
        self.settle_skipped(shared, steps, &CommandError::Left);
    }
}
