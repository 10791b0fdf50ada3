//! The rooms of a client: passes stanzas and replies to the [`Rooms`](crate::xep::muc::Rooms) machine and carries out its outputs.

use super::requests::Purpose;
use super::{Client, ClientEvent, SendLane, SendOrigin};
use crate::event::RequestFailure;
use crate::jid::Jid;
use crate::time::{Instant, Millis};
use crate::xep::muc::room::visit::Visit;
use crate::xep::muc::{CommandId, JoinOptions, RoomId, RoomOutput, RoomRefusal};
use crate::xml::Element;

impl Client {
    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Enters a room. `room` is its bare JID, `nick` the requested nick. [`ClientEvent::RoomCommand`] reports the result.
    ///
    /// # Errors
    /// [`RoomRefusal`]: `BadNick`, `AlreadyIn`, `Insecure`.
    pub fn join(
        &mut self,
        now: Instant,
        room: &Jid,
        nick: &str,
        entry: JoinOptions,
    ) -> Result<(RoomId, CommandId), RoomRefusal> {
        let joined = self.rooms.join(now, room, nick, entry);
        self.drive_rooms(now, SendLane::Ordinary);
        joined
    }

    /// Leaves a room. [`ClientEvent::RoomCommand`] reports the end. `None` if we are not in the room.
    pub fn leave_room(
        &mut self,
        now: Instant,
        room: RoomId,
        status: Option<&str>,
        timeout: Millis,
    ) -> Option<CommandId> {
        let command = self.rooms.leave(now, room, status, timeout);
        self.drive_rooms(now, SendLane::Ordinary);
        command
    }

    /// Requests another nick (XEP-0045 §7.6). `Ok(None)` if it is the current nick.
    ///
    /// # Errors
    /// [`RoomRefusal`]: `BadNick`, `NotIn`.
    pub fn set_nick(
        &mut self,
        now: Instant,
        room: RoomId,
        nick: &str,
        timeout: Millis,
    ) -> Result<Option<CommandId>, RoomRefusal> {
        let command = self.rooms.set_nick(now, room, nick, timeout);
        self.drive_rooms(now, SendLane::Ordinary);
        command
    }

    /// Sends a message to all in a room. [`ClientEvent::RoomDelivery`] reports its delivery.
    ///
    /// # Errors
    /// [`RoomRefusal::NotIn`].
    pub fn send_to_room(
        &mut self,
        now: Instant,
        room: RoomId,
        body: &str,
    ) -> Result<CommandId, RoomRefusal> {
        let command = self.rooms.send(now, room, body);
        self.drive_rooms(now, SendLane::Ordinary);
        command
    }

    /// Sends a message to one occupant (XEP-0045 §7.5). [`ClientEvent::RoomDelivery`] reports its delivery.
    ///
    /// # Errors
    /// [`RoomRefusal::NotIn`].
    pub fn send_private(
        &mut self,
        now: Instant,
        room: RoomId,
        nick: &str,
        body: &str,
    ) -> Result<CommandId, RoomRefusal> {
        let command = self.rooms.send_private(now, room, nick, body);
        self.drive_rooms(now, SendLane::Ordinary);
        command
    }

    /// Sets a room's subject; an empty one clears it. [`ClientEvent::RoomDelivery`] reports its delivery.
    ///
    /// # Errors
    /// [`RoomRefusal::NotIn`].
    pub fn set_subject(
        &mut self,
        now: Instant,
        room: RoomId,
        subject: &str,
    ) -> Result<CommandId, RoomRefusal> {
        let command = self.rooms.set_subject(now, room, subject);
        self.drive_rooms(now, SendLane::Ordinary);
        command
    }

    /// Abandons a `join`, `leave_room` or `set_nick`: its result is not reported. An abandoned join is followed by a leave.
    pub fn abandon(&mut self, now: Instant, command: CommandId) {
        self.rooms.abandon(now, command);
        self.drive_rooms(now, SendLane::Ordinary);
    }

    /// Returns a visit to a room; `None` after its end.
    pub fn visit(&self, room: RoomId) -> Option<&Visit> {
        self.rooms.visit(room)
    }

    // ── incoming stanzas─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Passes a presence or message to its room. Returns true if the sender is one of our rooms.
    pub(super) fn route_to_room(&mut self, now: Instant, stanza: &Element) -> bool {
        let from_room = stanza
            .attr("from")
            .is_some_and(|from| self.rooms.is_from_room(from));
        if !from_room {
            return false;
        }
        let unix_ms = self.platform.calendar.unix_millis();
        let taken = self.rooms.handle_stanza(now, unix_ms, stanza);
        self.drive_rooms(now, SendLane::Ordinary);
        taken
    }

    /// Joins all rooms again in a new session.
    pub(super) fn restore_rooms(&mut self, now: Instant, account: &Jid) {
        // Queued joins and leaves belong to the lost session; the rooms send new ones.
        let kept = self.sent.iter();
        let kept = kept.filter(|(_, sent)| sent.origin == SendOrigin::RoomPresence);
        for id in kept.map(|(id, _)| *id).collect::<Vec<_>>() {
            if self.connection.withdraw(id) {
                self.sent.remove(&id);
            }
        }
        let confidential = self.connection.is_confidential();
        self.rooms.handle_session(now, account, confidential);
        self.drive_rooms(now, SendLane::Restoring);
    }

    /// Handles a resumed session.
    pub(super) fn resume_rooms(&mut self, now: Instant, account: &Jid) {
        let confidential = self.connection.is_confidential();
        self.rooms.handle_resumed(now, account, confidential);
        self.drive_rooms(now, SendLane::Ordinary);
    }

    /// Ends all visits: the connection is offline.
    pub(super) fn end_rooms(&mut self, now: Instant) {
        self.rooms.handle_offline(now);
        self.drive_rooms(now, SendLane::Ordinary);
    }

    pub(super) fn handle_rooms_timeout(&mut self, now: Instant) {
        if self.rooms.poll_timeout().is_some_and(|at| now >= at) {
            self.rooms.handle_timeout(now);
            self.drive_rooms(now, SendLane::Ordinary);
        }
    }

    /// Carries out the outputs of the rooms.
    pub(super) fn drive_rooms(&mut self, now: Instant, lane: SendLane) {
        while let Some(output) = self.rooms.poll_output() {
            match output {
                RoomOutput::Send { stanza, command } => {
                    self.send_for_room(now, stanza, command, lane);
                }
                RoomOutput::Request {
                    request,
                    iq,
                    timeout,
                } => {
                    let purpose = Purpose::Room(request);
                    if self.ask(now, iq, Some(timeout), purpose, lane).is_err() {
                        let failure = Err(RequestFailure::Disconnected);
                        self.rooms.handle_reply(now, request, &failure);
                    }
                }
                RoomOutput::Settled { command, outcome } => {
                    self.emit(ClientEvent::RoomCommand { command, outcome });
                }
                RoomOutput::Event { room, event } => {
                    self.emit(ClientEvent::Room {
                        room,
                        event: Box::new(event),
                    });
                }
                RoomOutput::Closed { room, nick } => {
                    self.emit(ClientEvent::RoomClosed { room, nick });
                }
            }
        }
        self.note_room_answers();
    }

    fn send_for_room(
        &mut self,
        now: Instant,
        stanza: Element,
        command: Option<CommandId>,
        lane: SendLane,
    ) {
        let origin = match command {
            Some(command) if stanza.name() == "message" => SendOrigin::Room(command),
            _ if stanza.name() == "presence" => SendOrigin::RoomPresence,
            _ => SendOrigin::Client,
        };
        if let Err(error) = self.dispatch(stanza, lane, origin)
            && let Some(command) = command
        {
            self.rooms.handle_unsent(now, command);
            self.emit(ClientEvent::RoomUnsent { command, error });
        }
    }
}
