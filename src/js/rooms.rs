//! `Core`: rooms. A command returns its id, under which `Sink.roomCommand` reports its result.

use super::core::{Core, jid};
use super::failures::of_room;
use epode_proto::client::Client;
use epode_proto::time::{Instant, Millis};
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::room::visit::Visit;
use epode_proto::xep::muc::{CommandId, JoinOptions, RoomId, RoomRefusal};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

impl Core {
    fn command_room<T>(
        &self,
        ask: impl FnOnce(&mut Client, Instant) -> Result<T, RoomRefusal>,
    ) -> Result<T, JsValue> {
        let asked = self.0.driver.change(ask);
        asked.map_err(|refusal| self.refuse(of_room(refusal)))
    }

    /// Reads a visit; `None` once it has ended.
    fn visit<R>(&self, room: u32, read: impl FnOnce(&Visit) -> R) -> Option<R> {
        self.0
            .driver
            .read(|client| client.visit(RoomId(room)).map(read))
    }
}

#[wasm_bindgen]
impl Core {
    /// Joins a room. Returns the ids of the visit and of the command. `max_stanzas`, `max_chars`, `seconds`, `since`
    /// (milliseconds since 1970): the limits of the requested history. `timeout`: in milliseconds.
    ///
    /// # Errors
    /// The problems `not-connected`, `bad-nick`, `already-in`, `open-password`.
    #[allow(clippy::too_many_arguments)]
    pub fn join(
        &self,
        room: &str,
        nick: &str,
        password: Option<String>,
        max_stanzas: Option<u32>,
        max_chars: Option<u32>,
        seconds: Option<u32>,
        since: Option<f64>,
        timeout: u32,
    ) -> Result<Vec<u32>, JsValue> {
        let room = jid(room).ok_or_else(|| self.refuse("bad-address"))?;
        if !self.0.driver.read(Client::is_lasting) {
            return Err(self.refuse("not-connected"));
        }
        #[allow(clippy::cast_possible_truncation)]
        let since = since.map(|since| since as i64);
        let entry = JoinOptions {
            password,
            history: History {
                maxstanzas: max_stanzas,
                maxchars: max_chars,
                seconds,
                since,
            },
            timeout: Millis(u64::from(timeout)),
        };
        let (room, command) =
            self.command_room(|client, now| client.join(now, &room, nick, entry))?;
        Ok(vec![room.0, command.0])
    }

    /// Leaves a room; `undefined` if the client is not in the room.
    pub fn leave(&self, room: u32, status: Option<String>, timeout: u32) -> Option<u32> {
        let timeout = Millis(u64::from(timeout));
        let left = self
            .0
            .driver
            .change(|client, now| client.leave_room(now, RoomId(room), status.as_deref(), timeout));
        left.map(|command| command.0)
    }

    /// Requests another nick; `undefined` if it is the current nick.
    ///
    /// # Errors
    /// The problems `bad-nick`, `not-in`.
    #[wasm_bindgen(js_name = setNick)]
    pub fn set_nick(&self, room: u32, nick: &str, timeout: u32) -> Result<Option<u32>, JsValue> {
        let timeout = Millis(u64::from(timeout));
        let asked =
            self.command_room(|client, now| client.set_nick(now, RoomId(room), nick, timeout))?;
        Ok(asked.map(|command| command.0))
    }

    /// Sends a message to all in a room.
    ///
    /// # Errors
    /// The problem `not-in`.
    #[wasm_bindgen(js_name = sendToRoom)]
    pub fn send_to_room(&self, room: u32, body: &str) -> Result<u32, JsValue> {
        let sent = self.command_room(|client, now| client.send_to_room(now, RoomId(room), body))?;
        Ok(sent.0)
    }

    /// Sends a message to one occupant.
    ///
    /// # Errors
    /// The problem `not-in`.
    #[wasm_bindgen(js_name = sendPrivate)]
    pub fn send_private(&self, room: u32, nick: &str, body: &str) -> Result<u32, JsValue> {
        let sent =
            self.command_room(|client, now| client.send_private(now, RoomId(room), nick, body))?;
        Ok(sent.0)
    }

    /// Sets a room's subject.
    ///
    /// # Errors
    /// The problem `not-in`.
    #[wasm_bindgen(js_name = setSubject)]
    pub fn set_subject(&self, room: u32, subject: &str) -> Result<u32, JsValue> {
        let sent =
            self.command_room(|client, now| client.set_subject(now, RoomId(room), subject))?;
        Ok(sent.0)
    }

    /// Abandons a command: its result is not reported. An abandoned join is followed by a leave.
    pub fn abandon(&self, command: u32) {
        self.0
            .driver
            .change(|client, now| client.abandon(now, CommandId(command)));
    }

    /// The own nick; `undefined` once the visit has ended.
    #[wasm_bindgen(js_name = roomNick)]
    pub fn room_nick(&self, room: u32) -> Option<String> {
        self.visit(room, |visit| visit.nick().to_owned())
    }

    /// The subject, if there is one.
    #[wasm_bindgen(js_name = roomSubject)]
    pub fn room_subject(&self, room: u32) -> Option<String> {
        let subject = self.visit(room, |visit| visit.subject().map(str::to_owned));
        subject.flatten()
    }

    /// Whether the room has admitted the client.
    #[wasm_bindgen(js_name = isJoined)]
    pub fn is_joined(&self, room: u32) -> bool {
        self.visit(room, Visit::is_joined).unwrap_or_default()
    }

    /// The occupants, each as `Sink.occupant` created it.
    pub fn occupants(&self, room: u32) -> Vec<JsValue> {
        let all = self.visit(room, |visit| visit.occupants().to_vec());
        let mut made = Vec::new();
        if let Some(sink) = self.0.listener.sink() {
            for occupant in all.unwrap_or_default() {
                let occupant = Rc::clone(&occupant);
                made.push(self.0.occupant(&sink, RoomId(room), &occupant));
            }
        }
        made
    }
}
