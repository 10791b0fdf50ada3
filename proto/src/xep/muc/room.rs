//! One room (XEP-0045 §7): joining, presence in the room, rejoining, leaving.
//!
//! Joining has a defined order (§7.1): the presences of the occupants, our own with status 110, the
//! history, and last the subject, even an empty one. Only then is the join complete. If a room omits some of these stanzas,
//! they are inferred: see `presence.rs` and `message.rs`.
//!
//! This file holds the state and the commands. `room/` matches replies to presences (`ledger.rs`), handles presences
//! (`presence.rs`, `departing.rs`, `refusal.rs`) and messages (`message.rs`), rejoins (`returning.rs`), checks with pings
//! whether we are still an occupant of a silent room (`self_ping.rs`), remembers sent and received messages (`sent.rs`, `heard.rs`), and
//! holds the deadlines (`timers.rs`, `deadlines.rs`).

mod deadlines;
mod departing;
mod heard;
mod ledger;
mod message;
mod presence;
mod refusal;
mod returning;
mod self_ping;
mod sent;
mod timers;
pub mod visit;

use super::event::{CommandError, CommandId, Ended, RoomEvent, RoomId, RoomOutput, RoomRefusal};
use super::request;
use super::rooms::{JoinOptions, RoomContext};
use crate::event::Delivery;
use crate::jid::Jid;
use crate::stanza::presence as stanza_presence;
use crate::time::{Instant, Millis};
use crate::xml::Element;
use ledger::{Ledger, PendingCommand, PresenceRequest, UnansweredPresence};
use self_ping::SelfPing;
use timers::{RoomTimer, RoomTimers, end_visit};
use visit::{Visit, VisitState};

/// A room that we are in, or that has not replied to a presence of ours.
#[derive(Debug)]
pub(super) struct Room {
    jid: Jid,
    visit: Option<Visit>,
    ledger: Ledger,
    timers: RoomTimers,
    ping: SelfPing,
    /// When the last stanza from the room arrived.
    heard_at: Instant,
    /// Since when it is uncertain whether we are still an occupant.
    doubted_at: Option<Instant>,
    /// Our nick became unavailable during a change of nick: it is not known yet whether we were removed.
    vanished: Option<super::departure::Departure>,
}

impl Room {
    pub(super) fn new(jid: Jid) -> Self {
        Self {
            jid,
            visit: None,
            ledger: Ledger::default(),
            timers: RoomTimers::default(),
            ping: SelfPing::default(),
            heard_at: Instant::default(),
            doubted_at: None,
            vanished: None,
        }
    }

    pub(super) fn jid(&self) -> &Jid {
        &self.jid
    }

    pub(super) fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }

    /// Whether the join of the current visit has no reply yet.
    pub(super) fn is_join_unanswered(&self) -> bool {
        let visit = self.visit.as_ref().map(Visit::id);
        self.ledger
            .iter()
            .any(|step| matches!(step.ask, PresenceRequest::Join) && Some(step.visit) == visit)
    }

    /// Whether the room can be removed.
    pub(super) fn is_idle(&self) -> bool {
        self.visit.is_none() && self.ledger.is_empty()
    }

    fn occupant_jid(&self, nick: &str) -> String {
        [self.jid.as_str(), "/", nick].concat()
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn join(
        &mut self,
        shared: &mut RoomContext,
        id: RoomId,
        command: CommandId,
        nick: &str,
        entry: JoinOptions,
    ) -> Result<(), RoomRefusal> {
        if self.visit.as_ref().is_some_and(|visit| !visit.is_leaving()) {
            return Err(RoomRefusal::AlreadyIn);
        }
        // A visit that is leaving ends here; its leave is settled by the room's reply.
        self.close(shared);
        let join = PendingCommand {
            command,
            deadline: shared.now + entry.timeout,
        };
        self.visit = Some(Visit::new(
            id,
            self.jid.as_str(),
            nick,
            entry.password,
            entry.history,
            join,
        ));
        self.send_join(shared, entry.history);
        Ok(())
    }

    /// Sends the join presence.
    fn send_join(&mut self, shared: &mut RoomContext, history: request::History) {
        let Some(visit) = &mut self.visit else { return };
        if visit.password.is_some() && !shared.confidential {
            return self.end(shared, CommandError::Insecure, Ended::Insecure);
        }
        visit.occupants.clear();
        visit.subject = None;
        visit.heard.begin_history(shared.now);
        visit.open_history = false;
        visit.enter(VisitState::Joining { unmarked: None });
        let id = shared.stanza_id();
        let (visit_id, nick) = (visit.id, visit.nick.clone());
        let stanza = request::join(
            &[self.jid.as_str(), "/", &nick].concat(),
            &id,
            visit.password.as_deref(),
            history,
        );
        shared.send(stanza, visit.join.map(|join| join.command));
        if visit.join.is_none() {
            self.timers
                .set(RoomTimer::Answer, shared.now + returning::ANSWER_TIMEOUT);
        }
        self.note_step(shared, PresenceRequest::Join, id, nick, visit_id);
    }

    pub(super) fn leave(
        &mut self,
        shared: &mut RoomContext,
        status: Option<&str>,
        command: CommandId,
        timeout: Millis,
    ) {
        let waiting = PendingCommand {
            command,
            deadline: shared.now + timeout,
        };
        let Some(visit) = &mut self.visit else { return };
        if visit.is_leaving() {
            let id = visit.id;
            let leave = self.ledger.iter_mut().find(|step| step.visit == id);
            if let Some(UnansweredPresence {
                ask: PresenceRequest::Leave(all),
                ..
            }) = leave
            {
                return all.push(waiting);
            }
        }
        if let Some(join) = visit.join.take() {
            shared.settle(join.command, Err(CommandError::Left));
        }
        visit.open_history = visit.awaits_history();
        visit.enter(VisitState::Leaving);
        visit.returning = None;
        end_visit(&mut self.timers);
        self.ping.cancel();
        self.send_leave(shared, status, vec![waiting]);
        self.settle_idle_leaves(shared);
    }

    /// Sends the leave presence.
    fn send_leave(
        &mut self,
        shared: &mut RoomContext,
        status: Option<&str>,
        waiting: Vec<PendingCommand>,
    ) {
        let Some(visit) = &self.visit else { return };
        let nick = self.ledger.present.as_ref().unwrap_or(&visit.nick).clone();
        let id = shared.stanza_id();
        let stanza = stanza_presence::unavailable(Some(&self.occupant_jid(&nick)), status);
        let command = waiting.first().map(|waiting| waiting.command);
        shared.send(stanza.with_attr("id", &id), command);
        let visit = visit.id;
        self.note_step(shared, PresenceRequest::Leave(waiting), id, nick, visit);
    }

    pub(super) fn set_nick(
        &mut self,
        shared: &mut RoomContext,
        nick: &str,
        timeout: Millis,
    ) -> Result<Option<CommandId>, RoomRefusal> {
        let occupant = self
            .jid
            .with_resource(nick, shared.unicode.as_ref())
            .map_err(RoomRefusal::BadNick)?;
        let wanted = occupant.resource().unwrap_or(nick);
        let visit = self.visit.as_ref().ok_or(RoomRefusal::NotIn)?;
        if !matches!(visit.state, VisitState::Entered { .. } | VisitState::Inside) {
            return Err(RoomRefusal::NotIn);
        }
        let pending = self
            .ledger
            .iter()
            .any(|step| matches!(step.ask, PresenceRequest::Nick(_)));
        if visit.nick == wanted && !pending {
            return Ok(None);
        }
        let visit = visit.id;
        let command = shared.command();
        let waiting = PendingCommand {
            command,
            deadline: shared.now + timeout,
        };
        let id = shared.stanza_id();
        let stanza = stanza_presence::available(Some(occupant.as_str()))
            .attr("id", &id)
            .build();
        shared.send(stanza, Some(command));
        self.note_step(
            shared,
            PresenceRequest::Nick(Some(waiting)),
            id,
            wanted.into(),
            visit,
        );
        self.arm_check(shared);
        Ok(Some(command))
    }

    pub(super) fn send(
        &mut self,
        shared: &mut RoomContext,
        command: CommandId,
        body: &str,
    ) -> Result<(), RoomRefusal> {
        let id = shared.stanza_id();
        let message = request::to_all(self.jid.as_str(), &id, "body", body);
        let visit = self.visit_for_sending()?;
        visit.sent.note(shared.now, command, &id, body, &message);
        shared.send(message, Some(command));
        self.arm_check(shared);
        Ok(())
    }

    pub(super) fn send_private(
        &mut self,
        shared: &mut RoomContext,
        command: CommandId,
        nick: &str,
        body: &str,
    ) -> Result<(), RoomRefusal> {
        let id = shared.stanza_id();
        let to = self.occupant_jid(nick);
        self.visit_for_sending()?.sent.note_private(&id, nick);
        shared.send(request::private(&to, &id, body), Some(command));
        Ok(())
    }

    pub(super) fn set_subject(
        &mut self,
        shared: &mut RoomContext,
        command: CommandId,
        subject: &str,
    ) -> Result<(), RoomRefusal> {
        let id = shared.stanza_id();
        let message = request::to_all(self.jid.as_str(), &id, "subject", subject);
        self.visit_for_sending()?;
        shared.send(message, Some(command));
        Ok(())
    }

    /// Returns the visit if messages can be sent: we are in, or will be when the message arrives.
    fn visit_for_sending(&mut self) -> Result<&mut Visit, RoomRefusal> {
        self.visit
            .as_mut()
            .filter(|visit| visit.is_joined() || visit.is_returning())
            .ok_or(RoomRefusal::NotIn)
    }

    pub(super) fn abandon(&mut self, shared: &mut RoomContext, command: CommandId) {
        let join = self.visit.as_ref().and_then(|visit| visit.join);
        if join.is_some_and(|join| join.command == command) {
            return self.withdraw(shared);
        }
        for step in self.ledger.iter_mut() {
            match &mut step.ask {
                PresenceRequest::Nick(waiting) => {
                    waiting.take_if(|waiting| waiting.command == command);
                }
                PresenceRequest::Leave(waiting) => {
                    waiting.retain(|waiting| waiting.command != command)
                }
                PresenceRequest::Join => {}
            }
        }
    }

    /// Cancels a join: the leave that follows it ends the visit, whatever the room replies to the join.
    fn withdraw(&mut self, shared: &mut RoomContext) {
        self.send_leave(shared, None, Vec::new());
        self.close(shared);
    }

    pub(super) fn handle_delivery(&mut self, command: CommandId, delivery: Delivery) {
        if let Some(visit) = &mut self.visit {
            match delivery {
                Delivery::Delivered | Delivery::Unknown => visit.sent.left(command),
                Delivery::Undelivered => visit.sent.unsent(command),
            }
        }
    }

    pub(super) fn handle_unsent(&mut self, shared: &mut RoomContext, command: CommandId) {
        let join = self.visit.as_ref().and_then(|visit| visit.join);
        if join.is_some_and(|join| join.command == command) {
            let visit = self.visit.as_ref().map(Visit::id);
            self.ledger.retain(|step| {
                !matches!(step.ask, PresenceRequest::Join) || Some(step.visit) != visit
            });
            return self.close(shared);
        }
        if let Some(visit) = &mut self.visit {
            visit.sent.unsent(command);
        }
        let is_it = |waiting: &PendingCommand| waiting.command == command;
        let mut stays = None;
        self.ledger.retain(|step| match &step.ask {
            PresenceRequest::Nick(Some(waiting)) => !is_it(waiting),
            PresenceRequest::Leave(all) if all.iter().any(is_it) => {
                stays = Some(step.visit);
                false
            }
            _ => true,
        });
        if let (Some(stays), Some(visit)) = (stays, &mut self.visit)
            && visit.id == stays
        {
            if self.ledger.present.is_some() {
                visit.enter(VisitState::Inside);
            } else {
                self.close(shared);
            }
        }
    }

    // ── end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Ends the visit.
    fn close(&mut self, shared: &mut RoomContext) {
        let Some(visit) = self.visit.take() else {
            return;
        };
        end_visit(&mut self.timers);
        self.ping = SelfPing::default();
        self.doubted_at = None;
        self.vanished = None;
        shared.push(RoomOutput::Closed {
            room: visit.id,
            nick: visit.nick,
        });
    }

    /// Ends the visit without a leave of ours: fails the join, or reports the end.
    fn end(&mut self, shared: &mut RoomContext, error: CommandError, ended: Ended) {
        self.settle_nicks(shared, &CommandError::Left);
        let Some(visit) = &mut self.visit else { return };
        match visit.join.take() {
            Some(join) => shared.settle(join.command, Err(error)),
            None if visit.is_leaving() => {}
            None => {
                visit.heard.end_hole();
                visit.report_kept(shared);
                shared.emit(visit.id, RoomEvent::Out(ended));
            }
        }
        self.close(shared);
    }

    /// Settles the pending changes of nick.
    fn settle_nicks(&mut self, shared: &mut RoomContext, error: &CommandError) {
        for step in self.ledger.iter_mut() {
            if let PresenceRequest::Nick(waiting) = &mut step.ask
                && let Some(waiting) = waiting.take()
            {
                shared.settle(waiting.command, Err(error.clone()));
            }
        }
    }

    /// Settles presences that the room has handled although no reply arrived.
    fn settle_skipped(
        &mut self,
        shared: &mut RoomContext,
        steps: Vec<UnansweredPresence>,
        error: &CommandError,
    ) {
        for step in steps {
            match step.ask {
                PresenceRequest::Join => {}
                PresenceRequest::Nick(waiting) => {
                    if let Some(waiting) = waiting {
                        shared.settle(waiting.command, Err(error.clone()));
                    }
                }
                PresenceRequest::Leave(waiting) => {
                    for waiting in waiting {
                        shared.settle(waiting.command, Ok(()));
                    }
                    if let Some(visit) = &self.visit
                        && visit.is_leaving()
                        && visit.id == step.visit
                    {
                        self.close(shared);
                    }
                }
            }
        }
    }

    /// Settles a leave from a room that we are not in: the room does not reply to it. The entry stays in the ledger for a
    /// while, for rooms that do reply.
    fn settle_idle_leaves(&mut self, shared: &mut RoomContext) {
        if self.ledger.present.is_some() {
            return;
        }
        let mut left = Vec::new();
        for step in self.ledger.iter_mut() {
            let PresenceRequest::Leave(waiting) = &mut step.ask else {
                break;
            };
            for waiting in core::mem::take(waiting) {
                shared.settle(waiting.command, Ok(()));
            }
            left.push(step.visit);
        }
        let leaving = self.visit.as_ref().filter(|visit| visit.is_leaving());
        if leaving.is_some_and(|visit| left.contains(&visit.id)) {
            self.close(shared);
        }
    }

    fn note_step(
        &mut self,
        shared: &mut RoomContext,
        ask: PresenceRequest,
        id: String,
        nick: String,
        visit: RoomId,
    ) {
        let sent = shared.now;
        let step = UnansweredPresence {
            ask,
            id,
            nick,
            visit,
            sent,
        };
        if let Some(oldest) = self.ledger.push(step) {
            self.settle_skipped(shared, vec![oldest], &CommandError::TimedOut);
        }
        if let Some(expiry) = self.ledger.expiry() {
            self.timers.set(RoomTimer::Expiry, expiry);
        }
    }

    // ── input ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles a presence or message of this room.
    pub(super) fn handle_stanza(&mut self, shared: &mut RoomContext, stanza: &Element) {
        self.heard_at = shared.now;
        match stanza.name() {
            "presence" => self.handle_presence(shared, stanza),
            _ => self.handle_message(shared, stanza),
        }
        self.settle_idle_leaves(shared);
        self.arm_check(shared);
    }
}
