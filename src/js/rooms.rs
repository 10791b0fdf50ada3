//! The rooms of a client at the boundary: promises by command, and the page's objects by visit. No policy.

use super::error::{Problem, freed};
use super::inner::{Inner, Outcome, Promised, RoomListener};
use super::room::RoomHandle;
use crate::web::race::RaceError;
use epode_proto::client::Client;
use epode_proto::connection::SendError;
use epode_proto::event::Delivery;
use epode_proto::jid::Jid;
use epode_proto::time::Instant;
use epode_proto::xep::muc::{CommandError, CommandId, JoinOptions, RoomEvent, RoomId, RoomRefusal};
use futures_channel::oneshot::{Receiver, channel};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

impl Inner {
    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Enters a room.
    pub fn join_room(
        self: &Rc<Self>,
        room: &Jid,
        nick: &str,
        entry: JoinOptions,
    ) -> Result<(Rc<RoomHandle>, CommandId, Receiver<Outcome>), Problem> {
        if self.freed.get() {
            return Err(freed());
        }
        if !self.driver.read(Client::is_lasting) {
            return Err(SendError::NotConnected.into());
        }
        let joined = self
            .driver
            .change(|client, now| client.join(now, room, nick, entry));
        let (id, command) = joined.map_err(|refusal| refused(&refusal))?;
        let handle = RoomHandle::new(self, id, room.bare_str(), nick);
        let listener: Rc<dyn RoomListener> = handle.clone();
        self.rooms.handles.borrow_mut().insert(id, listener);
        Ok((handle, command, self.rooms.promise_answer(command)))
    }

    /// Begins a command that the room answers. `None`: there is nothing to do.
    pub fn ask_room(
        self: &Rc<Self>,
        begin: impl FnOnce(&mut Client, Instant) -> Result<Option<CommandId>, RoomRefusal>,
    ) -> Result<Option<(CommandId, Receiver<Outcome>)>, Problem> {
        let command = self
            .driver
            .change(begin)
            .map_err(|refusal| refused(&refusal))?;
        Ok(command.map(|command| (command, self.rooms.promise_answer(command))))
    }

    /// Begins a command that is done when the server has its stanza.
    pub fn tell_in_room(
        self: &Rc<Self>,
        begin: impl FnOnce(&mut Client, Instant) -> Result<CommandId, RoomRefusal>,
    ) -> Result<Receiver<Result<Delivery, Problem>>, Problem> {
        let command = self
            .driver
            .change(begin)
            .map_err(|refusal| refused(&refusal))?;
        let (sender, delivery) = channel();
        self.rooms
            .promises
            .borrow_mut()
            .insert(command, Promised::Delivery(sender));
        Ok(delivery)
    }

    /// Gives up a command.
    pub fn abandon_command(self: &Rc<Self>, command: CommandId) {
        self.rooms.promises.borrow_mut().remove(&command);
        self.driver
            .change(|client, now| client.abandon(now, command));
    }

    // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Something happened in a room.
    pub fn tell_room(&self, room: RoomId, event: &RoomEvent) {
        let handle = self.rooms.handles.borrow().get(&room).cloned();
        if let Some(handle) = handle {
            handle.tell(self, event);
        }
    }

    /// A visit is over.
    pub fn close_room(&self, room: RoomId, nick: String) {
        let handle = self.rooms.handles.borrow_mut().remove(&room);
        if let Some(handle) = handle {
            handle.close(nick);
        }
    }

    /// A command is over.
    pub fn settle_command(&self, command: CommandId, outcome: Result<(), CommandError>) {
        let promised = self.rooms.promises.borrow_mut().remove(&command);
        if let Some(Promised::Answer(sender)) = promised {
            let _ = sender.send(outcome.map_err(|error| self.explain_command(&error)));
        }
    }

    /// The stanza of a command could not be sent.
    pub fn settle_unsent(&self, command: CommandId, error: SendError) {
        let promised = self.rooms.promises.borrow_mut().remove(&command);
        let problem = self.refuse(error);
        match promised {
            Some(Promised::Answer(sender)) => {
                let _ = sender.send(Err(problem.into_js()));
            }
            Some(Promised::Delivery(sender)) => {
                let _ = sender.send(Err(problem));
            }
            None => {}
        }
    }

    /// What became of the stanza of a command.
    pub fn settle_delivery(&self, command: CommandId, delivery: Delivery) {
        let promised = self.rooms.promises.borrow_mut().remove(&command);
        if let Some(Promised::Delivery(sender)) = promised {
            let _ = sender.send(Ok(delivery));
        }
    }

    /// The client is freed: its rooms tell that they are over, and what waits for them rejects with `gone`.
    pub fn end_rooms(&self, gone: &JsValue) {
        let promises = core::mem::take(&mut *self.rooms.promises.borrow_mut());
        for (_, promised) in promises.into_entries() {
            if let Promised::Answer(sender) = promised {
                let _ = sender.send(Err(gone.clone()));
            }
        }
        let handles = core::mem::take(&mut *self.rooms.handles.borrow_mut());
        for (_, handle) in handles.into_entries() {
            handle.tell_disconnected();
        }
    }

    fn explain_command(&self, error: &CommandError) -> JsValue {
        let disconnected = |text: &str| Problem::new("disconnected", text);
        let problem = match error {
            CommandError::Refused { error, stanza } => {
                Problem::of_stanza_error("stanza-error", error, Some(stanza))
            }
            CommandError::TimedOut => RaceError::TimedOut.into(),
            CommandError::SentAway(_) => disconnected(
                "The room sent us away while we entered. Join it again, or ask who runs it.",
            ),
            CommandError::Left => disconnected(
                "We left the room before it answered. Join it again if that was not meant.",
            ),
            CommandError::SessionLost => disconnected(
                "The session was lost before the room answered. Await connect(), then join it again.",
            ),
            CommandError::Offline => {
                return self.end_cause().unwrap_or_else(|| {
                    disconnected(
                        "The connection was closed before the room answered. Connect again, then join it again.",
                    )
                    .into_js()
                });
            }
            CommandError::Insecure => Problem::insecure(),
        };
        problem.into_js()
    }
}

fn refused(refusal: &RoomRefusal) -> Problem {
    match refusal {
        RoomRefusal::BadNick(_) => Problem::new(
            "bad-jid",
            "The nick holds a character that is not allowed, is empty, or too long.",
        ),
        RoomRefusal::AlreadyIn => Problem::new(
            "bad-argument",
            "This client is in that room already, or on its way in. Leave it first.",
        ),
        RoomRefusal::NotIn => Problem::new(
            "not-connected",
            "We are not in this room any more. Join it again.",
        ),
        RoomRefusal::Insecure => Problem::insecure(),
    }
}
