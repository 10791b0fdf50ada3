//! The step at the beginning of a session: what must be in place before the stanzas that were kept leave.
//!
//! Presence comes first, then rooms and subscriptions, then what other participants send: extensions that enable something for
//! the session. What participants send goes before the outbox, what the caller sends behind it. The step ends when all
//! participants have finished, or after [`STEP_TIMEOUT`]. An interruption cancels it; a resumed session has none, since nothing
//! of it was lost.

use super::{Client, ClientEvent, Notice, SendLane, SendOrigin};
use crate::connection::SendError;
use crate::event::{IqId, SendId};
use crate::jid::Jid;
use crate::time::{Instant, Millis};
use crate::xep::muc::RoomId;
use crate::xml::Element;

/// How long participants may take.
pub const STEP_TIMEOUT: Millis = Millis::seconds(10);

/// Names a step; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// Names a participant; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantId(pub u32);

/// Who takes part in steps, and the step that is under way.
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
    /// The rooms that have not answered our return: what is said in a room before it lets us in would be refused.
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

    /// Removes a participant; a step that waits for it does so no longer.
    pub fn remove_participant(&mut self, participant: ParticipantId) {
        self.restoring.participants.retain(|id| *id != participant);
        if let Some(step) = &self.restoring.step {
            self.finish_part(step.id, participant);
        }
    }

    /// A participant sends a stanza in a step: before what was kept. After the step has ended it is an ordinary [`Client::send`].
    pub fn send_restoring(&mut self, step: StepId, stanza: Element) -> Result<SendId, SendError> {
        self.dispatch(stanza, self.lane_of(step), SendOrigin::Caller)
    }

    /// A participant sends a request in a step: before what was kept. After the step has ended it is an ordinary
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

    /// A participant has finished its part. Ignored for a step that is over.
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

    /// A new session has begun. `restores`: there was one before it, and what was in it is wanted again.
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
            self.tell(ClientEvent::SessionStep {
                step: id,
                participants,
            });
        }
        self.end_step_if_done();
    }

    /// The session is interrupted, resumed or over: no step is under way any more.
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
        self.tell(ClientEvent::Notice(Notice::StepTimedOut {
            participants: step.waiting,
            rooms: step.rooms,
        }));
        self.connection.release();
    }

    /// Rooms may have answered.
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
