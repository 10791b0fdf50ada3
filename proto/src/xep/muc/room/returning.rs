//! Rejoining after a lost session, and after the room has removed us without notice.

use super::Room;
use super::deadlines::FOLLOW_UP_TIMEOUT;
use super::timers::{RoomTimer, end_visit};
use super::visit::{Returning, VisitState};
use crate::stanza::{ErrorKind, StanzaError};
use crate::time::Millis;
use crate::xep::muc::departure::{Departure, DepartureReason};
use crate::xep::muc::event::{CommandError, Ended, RoomEvent};
use crate::xep::muc::rooms::RoomContext;
use crate::xml::Element;

/// How long to wait for the reply to a rejoin before the next attempt.
pub(super) const ANSWER_TIMEOUT: Millis = Millis::seconds(30);
/// The delays between attempts while our former session still holds our nick (ghost): servers detect a dead session after minutes.
const REJOIN_DELAY: Millis = Millis::seconds(5);
const MOST_REJOINS: u32 = 60;
/// How often a room may remove us without notice within [`LOSSES_WITHIN`] before we stop rejoining.
const MOST_LOSSES: usize = 5;
const LOSSES_WITHIN: Millis = Millis::seconds(600);

impl Room {
    /// Rejoins in a new session.
    pub(in crate::xep::muc) fn handle_new_session(&mut self, shared: &mut RoomContext) {
        let steps = self.ledger.take_all();
        self.settle_skipped(shared, steps, &CommandError::SessionLost);
        end_visit(&mut self.timers);
        self.timers.stop(RoomTimer::Expiry);
        self.ping.cancel();
        self.vanished = None;
        self.doubted_at = None;
        let Some(visit) = &mut self.visit else { return };
        if visit.is_leaving() {
            // The room has already removed us.
            return self.close(shared);
        }
        if visit.join.is_some() {
            let history = visit.history;
            return self.send_join(shared, history);
        }
        visit.sent.forget_left();
        self.begin_return();
        self.return_in(shared);
    }

    /// Handles a resumed session: the room may have removed us meanwhile.
    pub(in crate::xep::muc) fn handle_resumed(&mut self, shared: &mut RoomContext) {
        if let Some(visit) = &mut self.visit {
            visit.sent.restart(shared.now);
        }
        self.await_again(shared.now);
        self.doubt(shared.now);
        self.arm_check(shared);
    }

    /// Notes that messages were lost before those that follow in this session.
    pub(in crate::xep::muc) fn handle_hole(&mut self) {
        if let Some(visit) = &mut self.visit {
            visit.heard.begin_hole();
        }
    }

    pub(in crate::xep::muc) fn handle_offline(&mut self, shared: &mut RoomContext) {
        let steps = self.ledger.take_all();
        self.settle_skipped(shared, steps, &CommandError::Offline);
        self.end(shared, CommandError::Offline, Ended::Disconnected);
    }

    /// Handles that we are no longer an occupant (XEP-0410): messages that the room did not reflect were not delivered.
    pub(super) fn handle_lost(&mut self, shared: &mut RoomContext) {
        let now = shared.now;
        self.ledger.present = None;
        self.settle_nicks(shared, &CommandError::Left);
        let Some(visit) = &mut self.visit else { return };
        for message in visit.sent.take_out() {
            shared.emit(visit.id, RoomEvent::Lost { message });
        }
        visit.returns.retain(|at| now < *at + LOSSES_WITHIN);
        let losses = visit.returns.len();
        if losses >= MOST_LOSSES {
            return self.end(shared, CommandError::Left, Ended::GivenUp);
        }
        visit.returns.push(now);
        self.begin_return();
        if losses == 0 {
            return self.return_in(shared);
        }
        if let Some(visit) = &mut self.visit {
            visit.enter(VisitState::Joining { unmarked: None });
        }
        let pause = REJOIN_DELAY.0.saturating_mul(1 << losses.min(8));
        self.timers.set(RoomTimer::Rejoin, now + Millis(pause));
    }

    fn begin_return(&mut self) {
        let Some(visit) = &mut self.visit else { return };
        match &mut visit.returning {
            Some(returning) => returning.attempts = 0,
            None => {
                visit.returning = Some(Returning {
                    nick: visit.nick.clone(),
                    before: visit.occupants.all().to_vec(),
                    attempts: 0,
                });
            }
        }
    }

    /// Sends the join again, with a request for the missed history.
    pub(super) fn return_in(&mut self, shared: &mut RoomContext) {
        let Some(visit) = &self.visit else { return };
        let history = visit.heard.missed(visit.history, shared.unix_offset);
        self.send_join(shared, history);
    }

    /// Handles the timeout of a rejoin, or of the configuration of a new room. `late`: the timeout is handled after it was
    /// due, so that the reply may have arrived without being handled.
    pub(super) fn handle_no_answer(&mut self, shared: &mut RoomContext, late: bool) {
        if shared.interrupted {
            // The join waits in the outbox, or a new session starts with another join.
            return self
                .timers
                .set(RoomTimer::Answer, shared.now + ANSWER_TIMEOUT);
        }
        let Some(visit) = &self.visit else { return };
        if visit.is_joining() {
            // A room replies to two joins with two lists of occupants, which look like live presences.
            let pause = if late { FOLLOW_UP_TIMEOUT } else { Millis(0) };
            self.schedule_rejoin(shared, pause, Ended::GivenUp);
        } else if visit.is_locked() {
            self.configure(shared);
        }
    }

    fn schedule_rejoin(&mut self, shared: &mut RoomContext, pause: Millis, otherwise: Ended) {
        let visit = self.visit.as_mut();
        let Some(returning) = visit.and_then(|visit| visit.returning.as_mut()) else {
            return;
        };
        returning.attempts += 1;
        if returning.attempts > MOST_REJOINS {
            return self.end(shared, CommandError::Left, otherwise);
        }
        self.timers.stop(RoomTimer::Answer);
        self.timers.set(RoomTimer::Rejoin, shared.now + pause);
    }

    /// Handles the refusal of a join.
    pub(super) fn handle_join_refused(
        &mut self,
        shared: &mut RoomContext,
        error: StanzaError,
        stanza: &Element,
    ) {
        let ended = Ended::Refused(error.clone());
        let Some(visit) = &mut self.visit else { return };
        // Our former session may still hold our nick (ghost) until the server notices that it is dead; and a
        // restarting service is unavailable for a while.
        let passes = error.kind == ErrorKind::Wait
            || matches!(
                error.condition.as_str(),
                "conflict" | "remote-server-not-found" | "remote-server-timeout"
            );
        if visit.join.is_none() && passes {
            visit.occupants.clear();
            return self.schedule_rejoin(shared, REJOIN_DELAY, ended);
        }
        let error = CommandError::Refused {
            error,
            stanza: stanza.clone(),
        };
        self.end(shared, error, ended);
    }

    /// Completes a rejoin: reports the difference between the old and the new occupants.
    pub(super) fn handle_returned(&mut self, shared: &mut RoomContext, codes: Vec<u16>) {
        let Some(visit) = &mut self.visit else { return };
        visit.sent.restart(shared.now);
        let Some(Returning { nick, before, .. }) = visit.returning.take() else {
            return;
        };
        let id = visit.id;
        if nick != visit.nick {
            let to = visit.nick.clone();
            let from = nick.clone();
            shared.emit(
                id,
                RoomEvent::NickChanged {
                    from,
                    to,
                    own: true,
                },
            );
        }
        for occupant in &before {
            if occupant.nick != nick && visit.occupants.get(&occupant.nick).is_none() {
                shared.emit(
                    id,
                    RoomEvent::OccupantLeft {
                        occupant: occupant.clone(),
                        departure: Departure::bare(DepartureReason::Missed),
                    },
                );
            }
        }
        for occupant in visit.occupants.all() {
            let known = before.iter().any(|before| before.nick == occupant.nick);
            if !known && occupant.nick != visit.nick {
                shared.emit(id, RoomEvent::OccupantJoined(occupant.clone()));
            }
        }
        shared.emit(id, RoomEvent::Rejoined { codes });
    }
}
