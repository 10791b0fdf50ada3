//! The rooms of one client: a sans-IO state machine (XEP-0045).
//!
//! The contract is quinn's: change something (a command, `handle_*`), then carry out [`Rooms::poll_output`] until `None`, then
//! call [`Rooms::handle_timeout`] at [`Rooms::poll_timeout`]. Time comes as an argument, randomness from the caller's generator.
//! Each visit to a room has a [`RoomId`]; `join`, `leave` and `set_nick` are settled exactly once under a [`CommandId`].

use std::collections::VecDeque;
use std::rc::Rc;

use super::event::{
    CommandError, CommandId, RequestToken, RoomEvent, RoomId, RoomOutput, RoomRefusal,
};
use super::request::History;
use super::room::Room;
use super::room::visit::Visit;
use crate::event::Delivery;
use crate::event::RequestFailure;
use crate::jid::Jid;
use crate::random::{Random, token};
use crate::stanza::split_jid;
use crate::time::{Instant, Millis};
use crate::unicode::Unicode;
use crate::xml::Element;

/// The options of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinOptions {
    /// The room's password.
    pub password: Option<String>,
    /// How much history to request.
    pub history: History,
    /// The timeout of the join.
    pub timeout: Millis,
}

/// The context shared by all rooms.
pub(super) struct RoomContext {
    pub(super) unicode: Rc<dyn Unicode>,
    random: Box<dyn Random>,
    /// Our full JID in the current session.
    pub(super) account: Option<Jid>,
    /// Whether a password may be sent in the current session.
    pub(super) confidential: bool,
    pub(super) interrupted: bool,
    pub(super) now: Instant,
    /// Milliseconds since 1970 UTC.
    pub(super) unix_ms: i64,
    /// The last given `unix_ms` minus the `now` given with it.
    pub(super) unix_offset: i64,
    output: VecDeque<RoomOutput>,
    next_id: u32,
}

impl RoomContext {
    /// Notes the new or resumed session.
    fn begin_session(&mut self, now: Instant, account: &Jid, confidential: bool) {
        self.now = now;
        self.account = Some(account.clone());
        self.confidential = confidential;
        self.interrupted = false;
    }

    fn number(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    /// Returns a new stanza id. The room shows it to all occupants, so it must not make the next one predictable.
    pub(super) fn stanza_id(&mut self) -> String {
        token(self.random.as_mut(), 16)
    }

    pub(super) fn request_token(&mut self) -> RequestToken {
        RequestToken(self.number())
    }

    pub(super) fn command(&mut self) -> CommandId {
        CommandId(self.number())
    }

    pub(super) fn push(&mut self, output: RoomOutput) {
        self.output.push_back(output);
    }

    pub(super) fn send(&mut self, stanza: Element, command: Option<CommandId>) {
        self.push(RoomOutput::Send { stanza, command });
    }

    pub(super) fn emit(&mut self, room: RoomId, event: RoomEvent) {
        self.push(RoomOutput::Event { room, event });
    }

    pub(super) fn settle(&mut self, command: CommandId, outcome: Result<(), CommandError>) {
        self.push(RoomOutput::Settled { command, outcome });
    }

    /// Whether this is our full JID.
    pub(super) fn is_account(&self, jid: &str) -> bool {
        let Some(account) = &self.account else {
            return false;
        };
        jid == account.as_str()
            || Jid::parse(jid, self.unicode.as_ref()).is_ok_and(|jid| jid == *account)
    }
}

/// All rooms of one client.
pub struct Rooms {
    rooms: Vec<Room>,
    shared: RoomContext,
}

impl Rooms {
    /// Creates a machine without rooms and session.
    pub fn new(unicode: Rc<dyn Unicode>, random: Box<dyn Random>) -> Self {
        Self {
            rooms: Vec::new(),
            shared: RoomContext {
                unicode,
                random,
                account: None,
                confidential: false,
                interrupted: false,
                now: Instant::default(),
                unix_ms: 0,
                unix_offset: 0,
                output: VecDeque::new(),
                next_id: 0,
            },
        }
    }

    // ── getters ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A visit that is not over.
    pub fn visit(&self, id: RoomId) -> Option<&Visit> {
        self.rooms
            .iter()
            .filter_map(Room::visit)
            .find(|visit| visit.id() == id)
    }

    /// Whether an address is one of our rooms or its occupants.
    pub fn is_from_room(&self, from: &str) -> bool {
        self.position(from).is_some()
    }

    /// Whether a request comes from a room that we are in, or from our own occupant JID (self-ping, XEP-0410).
    pub fn is_room_or_self(&self, from: &Jid) -> bool {
        let visits = self.rooms.iter().filter(|room| room.jid().same_bare(from));
        visits
            .filter_map(Room::visit)
            .any(|visit| from.resource().is_none_or(|nick| nick == visit.nick()))
    }

    /// The visits whose join has no reply yet.
    pub fn unanswered_joins(&self) -> Vec<RoomId> {
        let rooms = self.rooms.iter();
        let rooms = rooms.filter(|room| room.is_join_unanswered());
        rooms
            .filter_map(|room| room.visit().map(Visit::id))
            .collect()
    }

    fn position(&self, from: &str) -> Option<usize> {
        let (bare, _) = split_jid(from);
        if self.rooms.is_empty() {
            return None;
        }
        // Services write their own names in normal form; only one that does not costs more than a comparison.
        let exact = self
            .rooms
            .iter()
            .position(|room| room.jid().as_str() == bare);
        exact.or_else(|| {
            let bare = Jid::parse(bare, self.shared.unicode.as_ref()).ok()?;
            self.rooms
                .iter()
                .position(|room| room.jid().same_bare(&bare))
        })
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Joins a room. `room` is its bare JID (a resource is ignored), `nick` the requested nick. The command is settled when the join
    /// is complete or has failed.
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
        self.shared.now = now;
        let occupant = room
            .with_resource(nick, self.shared.unicode.as_ref())
            .map_err(RoomRefusal::BadNick)?;
        if entry.password.is_some() && !self.shared.confidential {
            return Err(RoomRefusal::Insecure);
        }
        let nick = occupant.resource().unwrap_or(nick);
        let at = match self.position(room.bare_str()) {
            Some(at) => at,
            None => {
                self.rooms.push(Room::new(room.bare()));
                self.rooms.len() - 1
            }
        };
        let id = RoomId(self.shared.number());
        let command = CommandId(self.shared.number());
        let Self { rooms, shared } = self;
        let Some(room) = rooms.get_mut(at) else {
            return Err(RoomRefusal::NotIn);
        };
        room.join(shared, id, command, nick, entry)?;
        Ok((id, command))
    }

    /// Leaves a room, with a status text. The command is settled by the room's reply. `None` if we are not in the room.
    pub fn leave(
        &mut self,
        now: Instant,
        id: RoomId,
        status: Option<&str>,
        timeout: Millis,
    ) -> Option<CommandId> {
        let (room, shared) = self.room_of(now, id)?;
        let command = CommandId(shared.number());
        room.leave(shared, status, command, timeout);
        self.remove_closed();
        Some(command)
    }

    /// Requests another nick (§7.6). `Ok(None)` if it is the current nick.
    ///
    /// # Errors
    /// [`RoomRefusal`]: `BadNick`, `NotIn`.
    pub fn set_nick(
        &mut self,
        now: Instant,
        id: RoomId,
        nick: &str,
        timeout: Millis,
    ) -> Result<Option<CommandId>, RoomRefusal> {
        let (room, shared) = self.room_of(now, id).ok_or(RoomRefusal::NotIn)?;
        room.set_nick(shared, nick, timeout)
    }

    /// Sends a groupchat message. The caller settles the command by the message's delivery.
    ///
    /// # Errors
    /// [`RoomRefusal::NotIn`]. During a rejoin, messages follow our presence.
    pub fn send(&mut self, now: Instant, id: RoomId, body: &str) -> Result<CommandId, RoomRefusal> {
        let (room, shared) = self.room_of(now, id).ok_or(RoomRefusal::NotIn)?;
        let command = CommandId(shared.number());
        room.send(shared, command, body)?;
        Ok(command)
    }

    /// Sends a private message (§7.5). Settled like [`Self::send`].
    ///
    /// # Errors
    /// [`RoomRefusal::NotIn`].
    pub fn send_private(
        &mut self,
        now: Instant,
        id: RoomId,
        nick: &str,
        body: &str,
    ) -> Result<CommandId, RoomRefusal> {
        let (room, shared) = self.room_of(now, id).ok_or(RoomRefusal::NotIn)?;
        let command = CommandId(shared.number());
        room.send_private(shared, command, nick, body)?;
        Ok(command)
    }

    /// Sets the subject; an empty one clears it. Settled like [`Self::send`].
    ///
    /// # Errors
    /// [`RoomRefusal::NotIn`].
    pub fn set_subject(
        &mut self,
        now: Instant,
        id: RoomId,
        subject: &str,
    ) -> Result<CommandId, RoomRefusal> {
        let (room, shared) = self.room_of(now, id).ok_or(RoomRefusal::NotIn)?;
        let command = CommandId(shared.number());
        room.set_subject(shared, command, subject)?;
        Ok(command)
    }

    /// Abandons a command: it is not settled. A join is followed by a leave; the effect of a change of nick or a leave
    /// may still occur, and is reported as if the room had caused it.
    pub fn abandon(&mut self, now: Instant, command: CommandId) {
        self.shared.now = now;
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.abandon(shared, command);
        }
        self.remove_closed();
    }

    /// Reports that the stanza of a command could not be sent. The command is not settled.
    pub fn handle_unsent(&mut self, now: Instant, command: CommandId) {
        self.shared.now = now;
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.handle_unsent(shared, command);
        }
        // The caller settles it: a leave that gets no reply was settled when it was created.
        let is_it = |output: &RoomOutput| matches!(output, RoomOutput::Settled { command: settled, .. } if *settled == command);
        shared.output.retain(|output| !is_it(output));
        self.remove_closed();
    }

    /// Reports the delivery of a message.
    pub fn handle_delivery(&mut self, command: CommandId, delivery: Delivery) {
        for room in &mut self.rooms {
            room.handle_delivery(command, delivery);
        }
    }

    // ── the session ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles a new session: all rooms are joined again. `confidential`: whether a password may be sent in it.
    pub fn handle_session(&mut self, now: Instant, account: &Jid, confidential: bool) {
        self.shared.begin_session(now, account, confidential);
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.handle_new_session(shared);
        }
        self.remove_closed();
    }

    /// Handles an interruption: stanzas are queued.
    pub fn handle_interrupted(&mut self) {
        self.shared.interrupted = true;
    }

    /// Reports that stanzas were lost before those that follow, at the end of a session.
    pub fn handle_hole(&mut self) {
        for room in &mut self.rooms {
            room.handle_hole();
        }
    }

    /// Handles a resumed session.
    pub fn handle_resumed(&mut self, now: Instant, account: &Jid, confidential: bool) {
        self.shared.begin_session(now, account, confidential);
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.handle_resumed(shared);
        }
    }

    /// Ends all visits: the connection is offline.
    pub fn handle_offline(&mut self, now: Instant) {
        self.shared.now = now;
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.handle_offline(shared);
        }
        self.rooms.clear();
        self.shared.account = None;
        self.shared.confidential = false;
        self.shared.interrupted = false;
    }

    // ── input ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles a stanza. Returns true if it is a presence or message of a room. `unix_ms`: milliseconds since 1970 UTC.
    pub fn handle_stanza(&mut self, now: Instant, unix_ms: i64, stanza: &Element) -> bool {
        let Some(at) = stanza.attr("from").and_then(|from| self.position(from)) else {
            return false;
        };
        if !matches!(stanza.name(), "presence" | "message") {
            return false;
        }
        self.shared.now = now;
        self.shared.unix_ms = unix_ms;
        self.shared.unix_offset = unix_ms.saturating_sub_unsigned(now.0);
        let Self { rooms, shared } = self;
        if let Some(room) = rooms.get_mut(at) {
            room.handle_stanza(shared, stanza);
        }
        self.remove_closed();
        true
    }

    /// Handles the result of a [`RoomOutput::Request`].
    pub fn handle_reply(
        &mut self,
        now: Instant,
        request: RequestToken,
        outcome: &Result<Element, RequestFailure>,
    ) {
        self.shared.now = now;
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.handle_reply(shared, request, outcome);
        }
        self.remove_closed();
    }

    /// Handles all deadlines up to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.shared.now = now;
        let Self { rooms, shared } = self;
        for room in rooms.iter_mut() {
            room.handle_timeout(shared);
        }
        self.remove_closed();
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.rooms.iter().filter_map(Room::poll_timeout).min()
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<RoomOutput> {
        self.shared.output.pop_front()
    }

    fn room_of(&mut self, now: Instant, id: RoomId) -> Option<(&mut Room, &mut RoomContext)> {
        self.shared.now = now;
        let Self { rooms, shared } = self;
        let room = rooms
            .iter_mut()
            .find(|room| room.visit().is_some_and(|visit| visit.id() == id))?;
        Some((room, shared))
    }

    /// Removes rooms that we are not in and that have replied to all presences.
    fn remove_closed(&mut self) {
        self.rooms.retain(|room| !room.is_idle());
    }
}
