//! Drives `proto`'s rooms machine: one timer, promises by command, events to the rooms' handles. No policy.

use super::client::{Inner, Waiter};
use super::error::{Problem, freed, not_connected};
use super::room::RoomHandle;
use crate::web::clock::{now, unix_millis};
use crate::web::entropy::Entropy;
use crate::web::oneshot::{Receiver, Sender, channel};
use crate::web::race::Lost;
use crate::web::unicode::PlatformUnicode;
use epode_proto::connection::Connection;
use epode_proto::event::{Delivery, RequestFailure};
use epode_proto::jid::Jid;
use epode_proto::time::Instant;
use epode_proto::vec_map::VecMap;
use epode_proto::xep::muc::{
    CommandError, CommandId, Entry, RequestToken, RoomId, RoomOutput, RoomRefusal, Rooms,
};
use epode_proto::xml::Element;
use gloo_timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// How a command ended.
pub type Outcome = Result<(), JsValue>;

/// Who waits for a command.
enum Awaiting {
    /// For the room's answer.
    Answer(Sender<Outcome>),
    /// For the stanza's delivery.
    Delivery(Sender<Result<Receiver<Delivery>, Problem>>),
}

/// The rooms of a client.
pub struct RoomHub {
    machine: RefCell<Rooms>,
    handles: RefCell<VecMap<RoomId, Rc<RoomHandle>>>,
    awaiting: RefCell<VecMap<CommandId, Awaiting>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
    draining: Cell<bool>,
    /// Why the connection ended, while that is reported.
    cause: RefCell<Option<JsValue>>,
}

impl Default for RoomHub {
    fn default() -> Self {
        Self {
            machine: RefCell::new(Rooms::new(Rc::new(PlatformUnicode), Box::new(Entropy))),
            handles: RefCell::default(),
            awaiting: RefCell::default(),
            timer: RefCell::default(),
            draining: Cell::default(),
            cause: RefCell::default(),
        }
    }
}

impl RoomHub {
    /// Reads the machine.
    pub fn read<R>(&self, read: impl FnOnce(&Rooms) -> R) -> R {
        read(&self.machine.borrow())
    }

    fn change<R>(&self, change: impl FnOnce(&mut Rooms, Instant) -> R) -> R {
        change(&mut self.machine.borrow_mut(), now())
    }

    fn await_answer(&self, command: CommandId) -> Receiver<Outcome> {
        let (sender, answer) = channel();
        self.awaiting
            .borrow_mut()
            .insert(command, Awaiting::Answer(sender));
        answer
    }
}

impl Inner {
    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Enters a room.
    pub fn join_room(
        self: &Rc<Self>,
        room: &Jid,
        nick: &str,
        entry: Entry,
    ) -> Result<(Rc<RoomHandle>, CommandId, Receiver<Outcome>), Problem> {
        if self.freed.get() {
            return Err(freed());
        }
        if !self.is_lasting() {
            return Err(not_connected());
        }
        let joined = self
            .rooms
            .change(|rooms, now| rooms.join(now, room, nick, entry));
        let (id, command) = joined.map_err(|refusal| refused(&refusal))?;
        let handle = RoomHandle::new(self, id, room.bare_str(), nick);
        self.rooms
            .handles
            .borrow_mut()
            .insert(id, Rc::clone(&handle));
        let answer = self.rooms.await_answer(command);
        self.drain_rooms();
        Ok((handle, command, answer))
    }

    /// Begins a command that the room answers. `None`: there is nothing to do.
    pub fn ask_room(
        self: &Rc<Self>,
        begin: impl FnOnce(&mut Rooms, Instant) -> Result<Option<CommandId>, RoomRefusal>,
    ) -> Result<Option<(CommandId, Receiver<Outcome>)>, Problem> {
        let command = self
            .rooms
            .change(begin)
            .map_err(|refusal| refused(&refusal))?;
        let asked = command.map(|command| (command, self.rooms.await_answer(command)));
        self.drain_rooms();
        Ok(asked)
    }

    /// Begins a command that is done when the server has its stanza.
    pub fn tell_room(
        self: &Rc<Self>,
        begin: impl FnOnce(&mut Rooms, Instant) -> Result<CommandId, RoomRefusal>,
    ) -> Result<Receiver<Result<Receiver<Delivery>, Problem>>, Problem> {
        let command = self
            .rooms
            .change(begin)
            .map_err(|refusal| refused(&refusal))?;
        let (sender, sent) = channel();
        self.rooms
            .awaiting
            .borrow_mut()
            .insert(command, Awaiting::Delivery(sender));
        self.drain_rooms();
        Ok(sent)
    }

    /// Nobody waits for that command any more.
    pub fn abandon_command(self: &Rc<Self>, command: CommandId) {
        self.rooms.awaiting.borrow_mut().remove(&command);
        self.rooms.change(|rooms, now| rooms.abandon(now, command));
        self.drain_rooms();
    }

    // ── the session ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// There is a new session: all rooms are entered again.
    pub fn begin_rooms(self: &Rc<Self>, jid: &Jid) {
        let confidential = self.driver.read(Connection::is_confidential);
        self.rooms
            .change(|rooms, now| rooms.handle_session(now, jid, confidential));
        self.drain_rooms();
    }

    /// The session goes on.
    pub fn resume_rooms(self: &Rc<Self>, jid: &Jid) {
        let confidential = self.driver.read(Connection::is_confidential);
        self.rooms
            .change(|rooms, now| rooms.handle_resumed(now, jid, confidential));
        self.drain_rooms();
    }

    /// The connection is interrupted.
    pub fn suspend_rooms(self: &Rc<Self>) {
        self.rooms.change(|rooms, _| rooms.handle_interrupted());
    }

    /// The connection is gone, and the rooms with it.
    pub fn end_rooms(self: &Rc<Self>, error: Option<&JsValue>) {
        self.rooms.cause.replace(error.cloned());
        self.rooms.change(Rooms::handle_offline);
        self.drain_rooms();
        self.rooms.cause.replace(None);
    }

    // ── input ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A stanza has come. True when it is of a room.
    pub fn hear_room(self: &Rc<Self>, stanza: &Element) -> bool {
        #[allow(clippy::cast_possible_truncation)]
        let unix_ms = unix_millis() as i64;
        let taken = self
            .rooms
            .change(|rooms, now| rooms.handle_stanza(now, unix_ms, stanza));
        self.drain_rooms();
        taken
    }

    /// What came of a room's request.
    pub fn answer_room(
        self: &Rc<Self>,
        request: RequestToken,
        outcome: &Result<Element, RequestFailure>,
    ) {
        self.rooms
            .change(|rooms, now| rooms.handle_reply(now, request, outcome));
        self.drain_rooms();
    }

    // ── output ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Carries out what the machine wants. A callback that changes a room adds to what the outer call carries out, so that
    /// everything is told in order.
    fn drain_rooms(self: &Rc<Self>) {
        if self.rooms.draining.replace(true) {
            return;
        }
        loop {
            let output = self.rooms.machine.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.carry_out(output);
        }
        self.rooms.draining.set(false);
        self.arm_rooms();
    }

    fn arm_rooms(self: &Rc<Self>) {
        let due = self.rooms.read(Rooms::poll_timeout);
        let armed = self.rooms.timer.borrow().as_ref().map(|(at, _)| *at);
        // A timer that fires too early finds nothing to do.
        if let (Some(due), Some(armed)) = (due, armed)
            && armed <= due
        {
            return;
        }
        let timer = due.map(|due| {
            let inner = Rc::downgrade(self);
            let pause = u32::try_from((due - now()).0).unwrap_or(u32::MAX);
            let timer = Timeout::new(pause.min(MOST_PAUSE), move || {
                let Some(inner) = inner.upgrade() else { return };
                inner.rooms.timer.replace(None);
                inner.rooms.change(Rooms::handle_timeout);
                inner.drain_rooms();
            });
            (due, timer)
        });
        self.rooms.timer.replace(timer);
    }

    fn carry_out(self: &Rc<Self>, output: RoomOutput) {
        match output {
            RoomOutput::Send { stanza, command } => self.send_to_room(stanza, command),
            RoomOutput::Request {
                request,
                iq,
                timeout,
            } => {
                if self.ask(iq, timeout, Waiter::Room(request)).is_err() {
                    let gone = Err(RequestFailure::Disconnected);
                    self.rooms
                        .change(|rooms, now| rooms.handle_reply(now, request, &gone));
                }
            }
            RoomOutput::Settled { command, outcome } => {
                let waiter = self.rooms.awaiting.borrow_mut().remove(&command);
                if let Some(Awaiting::Answer(sender)) = waiter {
                    sender.send(outcome.map_err(|error| self.explain_command(&error)));
                }
            }
            RoomOutput::Event { room, event } => {
                let handle = self.rooms.handles.borrow().get(&room).cloned();
                if let Some(handle) = handle {
                    handle.tell(self, &event);
                }
            }
            RoomOutput::Closed { room, nick } => {
                let handle = self.rooms.handles.borrow_mut().remove(&room);
                if let Some(handle) = handle {
                    handle.close(nick);
                }
            }
        }
    }

    fn send_to_room(self: &Rc<Self>, stanza: Element, command: Option<CommandId>) {
        let sent = self.send(stanza);
        let Some(command) = command else { return };
        let delivers = matches!(
            self.rooms.awaiting.borrow().get(&command),
            Some(Awaiting::Delivery(_))
        );
        if sent.is_ok() && !delivers {
            return;
        }
        if sent.is_err() {
            self.rooms
                .change(|rooms, now| rooms.handle_unsent(now, command));
        }
        let waiter = self.rooms.awaiting.borrow_mut().remove(&command);
        match (waiter, sent) {
            (Some(Awaiting::Delivery(sender)), sent) => sender.send(sent),
            (Some(Awaiting::Answer(sender)), Err(problem)) => sender.send(Err(problem.into_js())),
            _ => {}
        }
    }

    fn explain_command(&self, error: &CommandError) -> JsValue {
        let disconnected = |text: &str| Problem::new("disconnected", text);
        let problem = match error {
            CommandError::Refused { error, stanza } => {
                Problem::of_stanza_error("stanza-error", error, Some(stanza))
            }
            CommandError::TimedOut => Lost::TimedOut.into(),
            CommandError::SentAway(_) => disconnected("The room sent us away while we entered."),
            CommandError::Left => disconnected("We left the room before it answered."),
            CommandError::SessionLost => {
                disconnected("The session was lost before the room answered.")
            }
            CommandError::Offline => {
                return self.rooms.cause.borrow().clone().unwrap_or_else(|| {
                    disconnected("The connection was closed before the room answered.").into_js()
                });
            }
            CommandError::Insecure => insecure(),
        };
        problem.into_js()
    }
}

/// The longest pause of a timer, in milliseconds: browsers take longer ones for none.
const MOST_PAUSE: u32 = 0x7fff_ffff;

/// A room's password is not sent over an open connection.
pub fn insecure() -> Problem {
    Problem::new(
        "insecure",
        "The stanza shows a room's password, and the connection is not encrypted. Use https: or wss:, or set allowPlainText.",
    )
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
        RoomRefusal::Insecure => insecure(),
    }
}
