//! The step that restores a new session before the outbox is sent.
//!
//! Presence comes first, then rooms and subscriptions, then the stanzas of other participants: extensions that enable a
//! feature for the session. Stanzas of participants go before the outbox, stanzas of the caller behind it. The step
//! ends when all participants have finished, or after [`STEP_TIMEOUT`]. An interruption cancels the step. A resumed
//! session has no step, since it has lost nothing.

use super::{Client, ClientEvent, Notice, SendLane, SendOrigin};
use crate::connection::SendError;
use crate::event::{IqId, SendId};
use crate::jid::Jid;
use crate::time::{Instant, Millis};
use crate::xep::muc::RoomId;
use crate::xml::Element;

/// The time that participants may take.
pub const STEP_TIMEOUT: Millis = Millis::seconds(10);

/// The id of a step; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// The id of a participant; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u32);

/// The registered participants and the current step.
#[derive(Default)]
pub(super) struct Restoring {
    participants: Vec<ParticipantId>,
    last_participant: u32,
    last_step: u32,
    step: Option<RestoreStep>,
}

struct RestoreStep {
    id: StepId,
    /// The participants that have not finished.
    waiting: Vec<ParticipantId>,
    /// The rooms that have not answered the join: a room refuses messages sent before it admits us.
    rooms: Vec<RoomId>,
    deadline: Instant,
}

impl Client {
    /// Adds a participant to the steps of sessions that begin from now on.
    pub fn add_participant(&mut self) -> ParticipantId {
        self.restoring.last_participant = self.restoring.last_participant.wrapping_add(1);
        let id = ParticipantId(self.restoring.last_participant);
        self.restoring.participants.push(id);
        id
    }

    /// Removes a participant; the current step does not wait for it any more.
    pub fn remove_participant(&mut self, participant: ParticipantId) {
        self.restoring.participants.retain(|id| *id != participant);
        if let Some(step) = &self.restoring.step {
            self.finish_part(step.id, participant);
        }
    }

    /// Sends a stanza of a participant before the outbox. After the end of the step this is an ordinary [`Client::send`].
    pub fn send_restoring(&mut self, step: StepId, stanza: Element) -> Result<SendId, SendError> {
        self.dispatch(stanza, self.lane_of(step), SendOrigin::Caller)
    }

    /// Sends a request of a participant before the outbox. After the end of the step this is an ordinary
    /// [`Client::request`].
    pub fn request_restoring(
        &mut self,
        now: Instant,
        step: StepId,
        iq: Element,
        timeout: Option<Millis>,
    ) -> Result<IqId, SendError> {
        let lane = self.lane_of(step);
        self.ask(now, iq, timeout, super::requests::Purpose::Caller, lane)
    }

    /// Marks a participant as finished. Ignored if the step has ended.
    pub fn finish_part(&mut self, step: StepId, participant: ParticipantId) {
        if let Some(current) = &mut self.restoring.step
            && current.id == step
        {
            current.waiting.retain(|id| *id != participant);
            self.end_step_if_done();
        }
    }

    fn lane_of(&self, step: StepId) -> SendLane {
        match &self.restoring.step {
            Some(current) if current.id == step => SendLane::Restoring,
            _ => SendLane::Ordinary,
        }
    }

    /// Begins the step of a new session. `restores`: the session replaces an earlier one, whose state must be restored.
    pub(super) fn begin_step(&mut self, now: Instant, account: &Jid, restores: bool) {
        self.connection.hold();
        self.restoring.last_step = self.restoring.last_step.wrapping_add(1);
        let id = StepId(self.restoring.last_step);
        let participants = self.restoring.participants.clone();
        self.restoring.step = Some(RestoreStep {
            id,
            waiting: participants.clone(),
            rooms: Vec::new(),
            deadline: now + STEP_TIMEOUT,
        });
        if restores {
            self.restore_presence();
            self.restore_rooms(now, account);
            self.begin_feeds(now, false);
        } else {
            self.schedule_initial_presence(now);
            self.restore_rooms(now, account);
        }
        let rooms = self.rooms.unanswered_joins();
        if let Some(step) = &mut self.restoring.step {
            step.rooms = rooms;
        }
        if !participants.is_empty() {
            self.emit(ClientEvent::SessionStep {
                step: id,
                participants,
            });
        }
        self.end_step_if_done();
    }

    /// Cancels the step: the session was interrupted, resumed or closed.
    pub(super) fn cancel_step(&mut self) {
        self.restoring.step = None;
        self.connection.unhold();
    }

    pub(super) fn restoring_deadline(&self) -> Option<Instant> {
        self.restoring.step.as_ref().map(|step| step.deadline)
    }

    pub(super) fn handle_restoring_timeout(&mut self, now: Instant) {
        let Some(step) = self.restoring.step.take_if(|step| now >= step.deadline) else {
            return;
        };
        self.emit(ClientEvent::Notice(Notice::StepTimedOut {
            participants: step.waiting,
            rooms: step.rooms,
        }));
        self.connection.release();
    }

    /// Checks whether the rooms have answered.
    pub(super) fn note_room_answers(&mut self) {
        if let Some(step) = &mut self.restoring.step
            && !step.rooms.is_empty()
        {
            let unanswered = self.rooms.unanswered_joins();
            step.rooms.retain(|room| unanswered.contains(room));
            self.end_step_if_done();
        }
    }

    fn end_step_if_done(&mut self) {
        let is_done = |step: &mut RestoreStep| step.waiting.is_empty() && step.rooms.is_empty();
        let done = self.restoring.step.take_if(is_done);
        if done.is_some() {
            self.connection.release();
        }
    }
}
