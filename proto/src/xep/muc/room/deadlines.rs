//! Deadlines of a room, and the replies to its requests.

use super::ledger::{PendingCommand, PresenceRequest};
use super::self_ping::{ECHO, PING_TIMEOUT, PingVerdict, SILENCE};
use super::timers::RoomTimer;
use super::visit::{MOST_CONFIGURATIONS, VisitState};
use super::{Room, Visit};
use crate::event::RequestFailure;
use crate::time::{Instant, Millis};
use crate::xep::muc::event::{CommandError, Ended, RequestToken, RoomEvent, RoomOutput};
use crate::xep::muc::rooms::RoomContext;
use crate::xep::ping;
use crate::xml::Element;

/// How long to wait for stanzas that should come at once: the subject after the join (some rooms send none), and the presence under the new
/// nick after the one under the old nick.
pub(super) const FOLLOW_UP_TIMEOUT: Millis = Millis::seconds(5);
/// How long an unanswered presence delays a self-ping.
const ANSWERS_SOON: Millis = Millis::seconds(30);

impl Room {
    pub(in crate::xep::muc) fn poll_timeout(&self) -> Option<Instant> {
        let join = self.visit.as_ref().and_then(|visit| visit.join);
        let commands = self.ledger.iter().flat_map(|step| match &step.ask {
            PresenceRequest::Nick(waiting) => waiting.as_slice(),
            PresenceRequest::Leave(waiting) => waiting.as_slice(),
            PresenceRequest::Join => &[],
        });
        commands
            .chain(join.as_slice())
            .map(|waiting| waiting.deadline)
            .chain(self.timers.next())
            .min()
    }

    pub(in crate::xep::muc) fn handle_timeout(&mut self, shared: &mut RoomContext) {
        let now = shared.now;
        let late = |waiting: &PendingCommand| waiting.deadline <= now;
        for step in self.ledger.iter_mut() {
            let expired = match &mut step.ask {
                PresenceRequest::Join => Vec::new(),
                PresenceRequest::Nick(waiting) => waiting
                    .take_if(|waiting| late(waiting))
                    .into_iter()
                    .collect(),
                PresenceRequest::Leave(all) => {
                    let (expired, rest) = core::mem::take(all).into_iter().partition(late);
                    *all = rest;
                    expired
                }
            };
            for waiting in expired {
                shared.settle(waiting.command, Err(CommandError::TimedOut));
                // A room of which we are no longer an occupant does not reply.
                self.doubted_at.get_or_insert(now);
            }
        }
        if let Some(visit) = &mut self.visit
            && let Some(join) = visit.join.take_if(|join| late(join))
        {
            shared.settle(join.command, Err(CommandError::TimedOut));
            self.withdraw(shared);
        }
        if shared.interrupted {
            // During an interruption no stanza arrives: the pending one may arrive after it.
            self.await_again(now);
        }
        if self.timers.expire(RoomTimer::Subject, now) {
            self.handle_no_subject(shared);
        }
        if self.timers.expire(RoomTimer::Rename, now)
            && let Some(departure) = self.vanished.take()
        {
            self.ledger.present = None;
            self.end(
                shared,
                CommandError::SentAway(departure.clone()),
                Ended::Departed(departure),
            );
        }
        if self.timers.expire(RoomTimer::Rejoin, now) {
            self.return_in(shared);
        }
        let answer = self.timers.get(RoomTimer::Answer);
        if self.timers.expire(RoomTimer::Answer, now) {
            // A page that slept has not read the stanzas that arrived meanwhile.
            let late = answer.is_some_and(|due| now > due);
            self.handle_no_answer(shared, late);
        }
        if self.timers.expire(RoomTimer::Expiry, now) {
            self.forget_unanswered(now, shared);
        }
        if self.timers.expire(RoomTimer::Check, now) {
            self.check(shared);
        }
        self.settle_idle_leaves(shared);
        self.arm_check(shared);
    }

    /// Restarts the deadlines of stanzas that should come at once.
    pub(super) fn await_again(&mut self, now: Instant) {
        for timer in [RoomTimer::Subject, RoomTimer::Rename] {
            if self.timers.get(timer).is_some() {
                self.timers.set(timer, now + FOLLOW_UP_TIMEOUT);
            }
        }
    }

    fn forget_unanswered(&mut self, now: Instant, shared: &mut RoomContext) {
        let joining = self.visit.as_ref().filter(|visit| visit.is_joining());
        self.ledger.expire(now, joining.map(Visit::id));
        if let Some(expiry) = self.ledger.expiry() {
            // A pending stanza has its own deadline.
            let again = now + ANSWERS_SOON;
            self.timers.set(RoomTimer::Expiry, expiry.max(again));
        }
        let leaving = self.visit.as_ref().filter(|visit| visit.is_leaving());
        if leaving.is_some_and(|visit| self.ledger.iter().all(|step| step.visit != visit.id)) {
            self.ledger.present = None;
            self.close(shared);
        }
    }

    // ── membership checks ───────────────────────────────────────────────────────────────────────────────────────────

    /// Schedules a self-ping: it is uncertain whether we are still an occupant.
    pub(super) fn doubt(&mut self, now: Instant) {
        self.doubted_at.get_or_insert(now);
    }

    /// Sets the time of the next check.
    pub(super) fn arm_check(&mut self, shared: &RoomContext) {
        let inside = self.visit.as_ref().filter(|visit| visit.is_joined());
        let Some(visit) = inside.filter(|_| !shared.interrupted && !self.ping.is_out()) else {
            return self.timers.stop(RoomTimer::Check);
        };
        let expected = match self.ping.retry_at() {
            Some(retry_at) => retry_at,
            None => {
                let silent = self.heard_at + SILENCE;
                let missing = visit.sent.oldest_out().map(|sent| sent + ECHO);
                missing.map_or(silent, |missing| missing.min(silent))
            }
        };
        let due = self
            .doubted_at
            .map_or(expected, |doubted| doubted.min(expected));
        // XEP-0410 §4: not before the room has replied to a change of nick.
        let answered = self.ledger.iter().map(|step| step.sent + ANSWERS_SOON);
        let due = answered.max().map_or(due, |answered| answered.max(due));
        self.timers.set(RoomTimer::Check, self.ping.earliest(due));
    }

    fn check(&mut self, shared: &mut RoomContext) {
        let now = shared.now;
        let inside = self.visit.as_mut().filter(|visit| visit.is_joined());
        let Some(visit) = inside.filter(|_| !shared.interrupted) else {
            return;
        };
        self.doubted_at = None;
        visit.sent.note_asked();
        let nick = self.ledger.present.as_ref().unwrap_or(&visit.nick).clone();
        let request = shared.request_token();
        self.ping.begin(now, request, &nick);
        shared.push(RoomOutput::Request {
            request,
            iq: ping::request(Some(&self.occupant_jid(&nick))),
            timeout: PING_TIMEOUT,
        });
    }

    pub(in crate::xep::muc) fn handle_reply(
        &mut self,
        shared: &mut RoomContext,
        token: RequestToken,
        outcome: &Result<Element, RequestFailure>,
    ) {
        let Some(visit) = &mut self.visit else { return };
        if let VisitState::Entered { locked, .. } = &mut visit.state
            && *locked == Some(token)
        {
            return match outcome {
                Ok(_) => {
                    *locked = None;
                    self.complete(shared);
                }
                Err(failure) => self.handle_not_configured(shared, failure),
            };
        }
        let nick = self.ledger.present.as_deref();
        let Some(verdict) = self.ping.verdict(token, outcome, nick) else {
            return;
        };
        if verdict == PingVerdict::In {
            visit.heard.note_synced(self.ping.asked_at());
        }
        match verdict {
            PingVerdict::NoSession => {}
            // No stanza followed the history.
            PingVerdict::Silent => visit.report_kept(shared),
            _ => visit.close_history(shared),
        }
        match verdict {
            PingVerdict::In => {
                // The room replies in order: it has discarded a message that is not reflected by now.
                visit.sent.note_answered();
                self.heard_at = shared.now;
            }
            PingVerdict::Out => self.handle_lost(shared),
            PingVerdict::Silent if !self.ping.reported => {
                self.ping.reported = true;
                shared.emit(visit.id, RoomEvent::Unreachable);
            }
            PingVerdict::Silent | PingVerdict::Unclear | PingVerdict::NoSession => {}
        }
        self.arm_check(shared);
    }

    /// A locked room (§10.1.1) admits no other occupants, and the service may remove it.
    fn handle_not_configured(&mut self, shared: &mut RoomContext, failure: &RequestFailure) {
        let (error, ended) = match failure {
            RequestFailure::Refused { error, reply } => (
                CommandError::Refused {
                    error: error.clone(),
                    stanza: reply.clone(),
                },
                Ended::Refused(error.clone()),
            ),
            RequestFailure::TimedOut => {
                let visit = self.visit.as_ref();
                if visit.is_some_and(|visit| visit.configurations < MOST_CONFIGURATIONS) {
                    // The page slept, or the session was interrupted: the room may have accepted it.
                    self.timers
                        .set(RoomTimer::Answer, shared.now + FOLLOW_UP_TIMEOUT);
                    return;
                }
                (CommandError::TimedOut, Ended::GivenUp)
            }
            // The new session joins it again.
            RequestFailure::Disconnected => return,
        };
        self.send_leave(shared, None, Vec::new());
        self.end(shared, error, ended);
    }
}
