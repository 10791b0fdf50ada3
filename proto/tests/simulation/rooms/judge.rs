//! What each room stored, what the page said in it, and what each visit was told.
//!
//! - A visit is told each message once, in the order in which the room stored them. Between two of them none is missing that the
//!   room still held when the visit's session entered it.
//! - What is history is told as such, and nothing else is. A message is told as the visit's own if, and only if, it is.
//! - A command is settled once. A visit ends once, and nothing is told of it afterwards.
//! - A message to a room reaches the service once at most, and not after it was told as undelivered.

use super::stanzas::{JOIN_CODE, RECORD};
use crate::simulation::faults::{Fault, Faults};
use crate::simulation::judge::{Judge, Wrong};
use epode_proto::event::Delivery;
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xep::muc::departure::Why;
use epode_proto::xep::muc::{CommandId, Ended, RoomEvent, RoomId, RoomMessage};
use epode_proto::xml::Element;
use std::collections::{BTreeMap, BTreeSet};

/// How long the page waits for a nick that is taken.
const LONG: Millis = Millis::seconds(290);

/// A session entered a room.
pub struct Join {
    pub room: usize,
    pub session: usize,
    /// The first message that the room still held.
    pub held: usize,
    /// The first one that it sent.
    pub given: usize,
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Enter,
    Leave,
    Rename,
}

/// Something that the page said in a room.
struct Uttered {
    visit: RoomId,
    command: CommandId,
    /// In which session it arrived.
    arrived: Option<usize>,
    settled: Option<Delivery>,
    place: Option<(usize, usize)>,
    /// In which session it was refused, or dropped by a room that had forgotten the page.
    refused: Option<usize>,
    /// The visit was told that nobody got it.
    told: bool,
}

/// What a visit was told.
#[derive(Default)]
struct Told {
    room: usize,
    /// The first message that the visit has a right to.
    base: Option<usize>,
    got: BTreeSet<usize>,
    /// Told before the visit was in: live talk of an earlier stay, which its sender had stamped.
    ahead: BTreeSet<usize>,
    /// The join by which the visit is in.
    join: Option<usize>,
    /// The join for which the last message was sent.
    by: Option<usize>,
    /// The answers to two joins may be mixed.
    mixed: bool,
    joined: bool,
    /// The page has asked to leave.
    left: bool,
    out: bool,
    closed: bool,
    /// Who is there, according to the events.
    nicks: BTreeSet<String>,
}

impl Told {
    fn has(&self, place: &usize) -> bool {
        self.got.contains(place) || self.ahead.contains(place)
    }
}

/// The record of all rooms of one scenario.
#[derive(Default)]
pub struct RoomJudge {
    stored: Vec<Vec<Option<usize>>>,
    removals: BTreeMap<usize, u64>,
    losses: BTreeMap<usize, u64>,
    /// Who asked to be let in: rooms and sessions.
    knocked: BTreeSet<(usize, usize)>,
    /// Who left rooms that had forgotten them: rooms and sessions.
    unanswered: BTreeSet<(usize, usize)>,
    joins: Vec<Join>,
    visits: BTreeMap<RoomId, Told>,
    /// By command, what it asks for, until it is settled.
    open: BTreeMap<CommandId, (RoomId, Asked)>,
    said: Vec<Uttered>,
    robot_messages: u64,
    last_arrived: BTreeMap<usize, usize>,
    pub faults: Faults,
    pub figures: Figures,
    /// How many pages there were before this one.
    predecessors: u64,
    /// Since when a room has refused to let the page in, again and again.
    refused_since: BTreeMap<usize, Instant>,
}

/// What came of it.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    pub stored: u64,
    pub told: u64,
    pub held_again: u64,
    pub own: u64,
    pub joined: u64,
    pub rejoined: u64,
    pub out: u64,
    pub refused: u64,
    pub bounced: u64,
    pub lost: u64,
    pub unreachable: u64,
    pub settled: u64,
}

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.stored += other.stored;
        self.told += other.told;
        self.held_again += other.held_again;
        self.own += other.own;
        self.joined += other.joined;
        self.rejoined += other.rejoined;
        self.out += other.out;
        self.refused += other.refused;
        self.bounced += other.bounced;
        self.lost += other.lost;
        self.unreachable += other.unreachable;
        self.settled += other.settled;
    }

    pub fn line(&self) -> String {
        format!(
            "  rooms: {} stored, {} told, {} of them history, {} own; {} commands, {} entered, {} entered again, {} refused, {} out; {} bounced, {} lost by rooms, {} unreachable\n",
            self.stored,
            self.told,
            self.held_again,
            self.own,
            self.settled,
            self.joined,
            self.rejoined,
            self.refused,
            self.out,
            self.bounced,
            self.lost,
            self.unreachable
        )
    }
}

/// What the page says in rooms.
fn utterance(number: usize) -> String {
    format!("said {number}")
}

fn number_of(body: &str) -> Option<usize> {
    body.strip_prefix("said ")?.parse().ok()
}

/// The place of a message in its room's record, and the join that it was sent for.
fn place_of(stanza: &Element) -> Option<(usize, usize)> {
    let place = stanza.child("place", RECORD)?;
    let number = |name: &str| place.attr(name)?.parse().ok();
    Some((number("n")?, number("join")?))
}

impl RoomJudge {
    // ── the service ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// A session has entered. The number of the join.
    pub fn entered(&mut self, join: Join) -> usize {
        let repeats = self.visits.values().any(|told| {
            !told.closed
                && told.room == join.room
                && told.got.last().is_some_and(|last| *last >= join.given)
        });
        if repeats {
            self.faults.note(Fault::HistoryOverlaps);
        }
        self.refused_since.remove(&join.room);
        self.joins.push(join);
        self.joins.len() - 1
    }

    /// A session asks to be let into a room.
    pub fn knocks(&mut self, room: usize, session: usize) {
        self.knocked.insert((room, session));
    }

    /// A room has refused to let the page in.
    pub fn refuses(&mut self, room: usize, now: Instant) {
        self.refused_since.entry(room).or_insert(now);
    }

    /// A room has stored a message.
    pub fn stored(&mut self, room: usize, body: &str) {
        self.figures.stored += 1;
        let number = number_of(body);
        if self.stored.len() <= room {
            self.stored.resize(room + 1, Vec::new());
        }
        let places = &mut self.stored[room];
        places.push(number);
        let place = places.len() - 1;
        if let Some(said) = number.and_then(|number| self.said.get_mut(number)) {
            said.place = Some((room, place));
        }
    }

    pub fn next_robot_message(&mut self) -> u64 {
        self.robot_messages += 1;
        self.robot_messages
    }

    /// The page was removed from a room.
    pub fn note_removal(&mut self, room: usize) {
        *self.removals.entry(room).or_default() += 1;
    }

    /// A room has forgotten the page.
    pub fn note_loss(&mut self, room: usize) {
        *self.losses.entry(room).or_default() += 1;
    }

    /// A room that has forgotten the page drops a message. What it dropped while it refused to let the page in again cannot be
    /// told from what it dropped on purpose.
    pub fn dropped(&mut self, room: usize, session: usize, body: &str) {
        // After a second loss the page waits before it knocks, and what it says meanwhile comes before its presence.
        let often = self.losses.get(&room).is_some_and(|count| *count > 1);
        if !often && !self.refused_since.contains_key(&room) {
            self.refused(session, body);
        }
    }

    /// A session leaves a room that does not have it, which is not answered.
    pub fn leaves_unanswered(&mut self, room: usize, session: usize) {
        self.unanswered.insert((room, session));
    }

    /// Whether the page cannot tell whom a room listed for an earlier visit of that session.
    pub fn may_list_too_many(&self, room: usize, session: usize) -> bool {
        self.unanswered.contains(&(room, session))
    }

    /// A message was refused.
    pub fn refused(&mut self, session: usize, body: &str) {
        if let Some(said) = number_of(body).and_then(|number| self.said.get_mut(number)) {
            said.refused = Some(session);
        }
    }

    /// A message that was refused in that session, without a word to a visit that is still there.
    pub fn silent(&self, session: usize) -> Option<usize> {
        let open = |visit: &RoomId| self.visits.get(visit).is_some_and(|told| !told.closed);
        self.said
            .iter()
            .position(|said| said.refused == Some(session) && !said.told && open(&said.visit))
    }

    /// A nick was refused: another session of the page has it, or somebody else.
    pub fn note_conflict(&mut self, ghost: bool) {
        self.faults.note(match ghost {
            true => Fault::GhostNick,
            false => Fault::NickTaken,
        });
    }

    // ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The page is gone, and with it whoever waited for anything.
    pub fn page_gone(&mut self) {
        self.predecessors += 1;
        self.visits.clear();
        self.open.clear();
        for said in &mut self.said {
            said.visit = RoomId(u32::MAX);
            said.command = CommandId(u32::MAX);
        }
    }

    pub fn visit_begins(&mut self, visit: RoomId, room: usize, command: CommandId) {
        let told = Told {
            room,
            ..Told::default()
        };
        self.visits.insert(visit, told);
        self.asked(command, visit, Asked::Enter);
    }

    pub fn asked(&mut self, command: CommandId, visit: RoomId, asked: Asked) {
        self.open.insert(command, (visit, asked));
        if let Some(told) = self.visits.get_mut(&visit) {
            told.left |= asked == Asked::Leave;
        }
    }

    /// The page does not wait for a command any more.
    pub fn abandoned(&mut self, command: CommandId) {
        self.open.remove(&command);
    }

    /// A command that the page waits for.
    pub fn open_command(&self) -> Option<(CommandId, Asked)> {
        let (command, (_, asked)) = self.open.last_key_value()?;
        Some((*command, *asked))
    }

    /// The words that the page says next.
    pub fn next_words(&self) -> String {
        utterance(self.said.len())
    }

    /// The page has said them.
    pub fn uttered(&mut self, visit: RoomId, command: CommandId) {
        self.said.push(Uttered {
            visit,
            command,
            arrived: None,
            settled: None,
            place: None,
            refused: None,
            told: false,
        });
    }

    fn note_told(&mut self, stanza: &Element) {
        let body = stanza.child_text("body", ns::CLIENT).unwrap_or_default();
        if let Some(said) = number_of(&body).and_then(|number| self.said.get_mut(number)) {
            said.told = true;
        }
    }

    /// Who is there, when the page has just heard that it is in.
    fn seat(&mut self, visit: RoomId, nicks: impl Iterator<Item = String>) {
        if let Some(told) = self.visits.get_mut(&visit) {
            told.nicks = nicks.collect();
        }
    }

    /// Who is there, according to what was told.
    pub fn nicks_of(&self, visit: RoomId) -> Option<&BTreeSet<String>> {
        self.visits.get(&visit).map(|told| &told.nicks)
    }

    /// The first of the commands that were never settled.
    pub fn stuck(&self) -> Option<String> {
        let (command, (visit, asked)) = self.open.first_key_value()?;
        Some(format!(
            "{command:?} of {visit:?} ({asked:?}) is never settled"
        ))
    }

    /// A message of this page whose delivery was never told.
    pub fn unsettled(&self) -> Option<usize> {
        let forgotten = RoomId(u32::MAX);
        self.said
            .iter()
            .position(|said| said.settled.is_none() && said.visit != forgotten)
    }

    /// Visits that the page knows of as not over.
    pub fn open_visits(&self) -> Vec<RoomId> {
        let open = self.visits.iter().filter(|(_, told)| !told.closed);
        open.map(|(visit, _)| *visit).collect()
    }

    /// What an open visit should have been told by now, and was not.
    pub fn missing(&self, visit: RoomId) -> Option<usize> {
        let told = self.visits.get(&visit)?;
        let join = self.joins.get(told.join?)?;
        let first = told.base?.max(join.held);
        let all = self.stored.get(told.room).map_or(0, Vec::len);
        (first..all).find(|place| !told.has(place))
    }

    /// Whether the visit is in by a join of that session.
    pub fn is_current(&self, visit: RoomId, session: usize) -> bool {
        let Some(told) = self.visits.get(&visit) else {
            return false;
        };
        told.join
            .is_some_and(|join| self.joins[join].session == session)
    }
}

impl Judge {
    /// A message to a room has come to the service.
    pub fn room_message_arrived(&mut self, session: usize, body: &str) {
        if self.lenient {
            return;
        }
        let known = number_of(body).filter(|number| *number < self.rooms.said.len());
        let Some(number) = known else {
            return self.blame(
                Wrong::Disordered,
                "a message to a room that the page did not send",
            );
        };
        let said = &mut self.rooms.said[number];
        let (before, settled) = (said.arrived.replace(session), said.settled);
        if before.is_some() {
            self.blame(Wrong::Doubled, &format!("{body:?} came twice"));
        }
        if settled == Some(Delivery::Undelivered) {
            let why = format!("{body:?} was told as undelivered, and came");
            self.blame(Wrong::Untold, &why);
        }
        let last = self.rooms.last_arrived.insert(session, number);
        if last.is_some_and(|last| last > number) {
            self.blame(
                Wrong::Disordered,
                &format!("{body:?} came behind a later one"),
            );
        }
    }

    /// A message came to a room that does not have the session. In a session, the join comes before it.
    pub fn room_message_outside(&mut self, room: usize, session: usize, body: &str) {
        let said = number_of(body).and_then(|number| self.rooms.said.get(number));
        let told = said.and_then(|said| self.rooms.visits.get(&said.visit));
        let open = told.is_some_and(|told| !told.closed && !told.left);
        if open && !self.rooms.knocked.contains(&(room, session)) {
            let why = format!("{body:?} came before the session has asked to be let in");
            self.blame(Wrong::Disordered, &why);
        }
    }

    /// What became of a message to a room is told.
    pub fn room_message_settled(&mut self, command: CommandId, delivery: Delivery) {
        let is_it = |said: &Uttered| said.command == command;
        let Some(number) = self.rooms.said.iter().rposition(is_it) else {
            return self.blame(Wrong::Untold, "the delivery of a message that nobody sent");
        };
        let said = &mut self.rooms.said[number];
        let before = said.settled.replace(delivery);
        let arrived = said.arrived.is_some();
        if before.is_some() {
            self.blame(Wrong::Untold, "a message to a room is settled twice");
        }
        match (delivery, arrived) {
            (Delivery::Delivered, false) => {
                let why = format!("{:?} is told as delivered, and is not", utterance(number));
                self.blame(Wrong::Lost, &why);
            }
            (Delivery::Undelivered, true) => {
                let why = format!(
                    "{:?} is told as undelivered, and arrived",
                    utterance(number)
                );
                self.blame(Wrong::Untold, &why);
            }
            _ => {}
        }
    }

    /// A command is settled.
    pub fn room_command_settled(&mut self, command: CommandId, done: bool) {
        self.rooms.figures.settled += 1;
        let Some((_, asked)) = self.rooms.open.remove(&command) else {
            return self.blame(Wrong::Untold, "a command is settled that is not open");
        };
        if asked == Asked::Enter && !done {
            self.rooms.figures.refused += 1;
        }
    }

    /// A command is settled because its stanza could not be sent.
    pub fn room_unsent(&mut self, command: CommandId) {
        if self.rooms.open.contains_key(&command) {
            self.room_command_settled(command, false);
        } else {
            self.room_message_settled(command, Delivery::Undelivered);
        }
    }

    /// A visit is over.
    pub fn room_closed(&mut self, visit: RoomId) {
        let told = self.rooms.visits.get_mut(&visit);
        let open = told.is_some_and(|told| !core::mem::replace(&mut told.closed, true));
        if !open {
            self.blame(Wrong::Untold, "a visit ends that is not open");
        }
    }

    /// Something happened in a room. `nick` is the page's there now, `nicks` are those who are there now.
    pub fn room_told(
        &mut self,
        visit: RoomId,
        event: &RoomEvent,
        now: Instant,
        nick: Option<&str>,
        nicks: impl Iterator<Item = String>,
    ) {
        let open = self.rooms.visits.get(&visit);
        let Some((joined, out)) = open
            .filter(|told| !told.closed)
            .map(|told| (told.joined, told.out))
        else {
            return self.blame(Wrong::Untold, "something is told of a visit that is over");
        };
        if out {
            self.blame(Wrong::Untold, "something is told after the page is out");
        }
        match event {
            RoomEvent::Message(message) => self.room_message(visit, message, nick),
            RoomEvent::Joined { codes } | RoomEvent::Rejoined { codes } => {
                let again = matches!(event, RoomEvent::Rejoined { .. });
                if joined != again {
                    self.blame(
                        Wrong::Untold,
                        "a room is entered twice, or again before once",
                    );
                }
                let join = codes
                    .iter()
                    .find_map(|code| usize::from(*code).checked_sub(JOIN_CODE));
                self.room_entered(visit, join, again);
                if !again {
                    self.rooms.seat(visit, nicks);
                }
            }
            RoomEvent::Out(ended) => {
                self.rooms.figures.out += 1;
                self.room_left_us(visit, ended, now);
                if let Some(told) = self.rooms.visits.get_mut(&visit) {
                    told.out = true;
                }
            }
            RoomEvent::OccupantJoined(one) => self.room_nicks(visit, None, Some(&one.nick)),
            RoomEvent::OccupantLeft { occupant, .. } => {
                self.room_nicks(visit, Some(&occupant.nick), None);
            }
            RoomEvent::NickChanged { from, to, .. } => self.room_nicks(visit, Some(from), Some(to)),
            RoomEvent::Bounced { stanza, .. } => {
                self.rooms.figures.bounced += 1;
                self.rooms.note_told(stanza);
            }
            RoomEvent::Lost { message } => self.room_lost(message),
            RoomEvent::Unreachable => self.rooms.figures.unreachable += 1,
            _ => {}
        }
    }

    fn room_nicks(&mut self, visit: RoomId, gone: Option<&String>, come: Option<&String>) {
        let Some(told) = self.rooms.visits.get_mut(&visit) else {
            return;
        };
        if let Some(gone) = gone {
            told.nicks.remove(gone);
        }
        told.nicks.extend(come.cloned());
    }

    fn room_entered(&mut self, visit: RoomId, join: Option<usize>, again: bool) {
        let given = join.and_then(|join| self.rooms.joins.get(join));
        let given = given.map(|join| (join.room, join.given));
        let Some(told) = self.rooms.visits.get_mut(&visit) else {
            return;
        };
        told.join = join;
        told.by = join;
        told.mixed = false;
        let room = told.room;
        if again {
            self.rooms.figures.rejoined += 1;
        } else {
            self.rooms.figures.joined += 1;
            told.joined = true;
            told.base = given.map(|(_, first)| first);
        }
        if given.is_some_and(|(known, _)| known != room) {
            self.blame(Wrong::Disordered, "the answer to another room's join");
        }
    }

    /// A message is told.
    fn room_message(&mut self, visit: RoomId, message: &RoomMessage, nick: Option<&str>) {
        self.rooms.figures.told += 1;
        self.rooms.figures.held_again += u64::from(message.delayed);
        self.rooms.figures.own += u64::from(message.own);
        if self.lenient || self.blurred {
            return;
        }
        let place = place_of(&message.stanza);
        let told = self.rooms.visits.get_mut(&visit);
        let (Some((place, by)), Some(told)) = (place, told) else {
            return self.blame(Wrong::Disordered, "a message that no room stored");
        };
        // Live talk of an earlier stay, which its sender has stamped, cannot be told from history.
        let held = message.stanza.child("place", RECORD);
        let held = held.is_some_and(|place| place.attr("held").is_some());
        if !told.joined && message.delayed && !held {
            told.ahead.insert(place);
            return;
        }
        // A page that continues a session may get the answer to its predecessor's join first, and then the one to its own.
        let other = told.by.replace(by).is_some_and(|before| before != by);
        told.mixed |= other && self.rooms.predecessors > 0;
        if told.mixed {
            told.got.insert(place);
            return;
        }
        let number = self.rooms.stored[told.room].get(place).copied();
        let Some(join) = self
            .rooms
            .joins
            .get(by)
            .filter(|join| join.room == told.room)
        else {
            return self.blame(Wrong::Disordered, "a message of another room");
        };
        let what = format!("message {place} of room {}", told.room);
        let session = join.session;
        let first = match told.joined {
            true => join.held,
            false => join.given,
        };
        let first = first.max(told.base.unwrap_or(place));
        let gap = (first..place).find(|before| !told.has(before));
        let last = told.got.last().copied();
        if !told.got.insert(place) {
            return self.blame(Wrong::Doubled, &format!("{what} is told twice"));
        }
        if told.base.is_none() {
            told.base = Some(place);
        }
        if last.is_some_and(|last| last > place) {
            self.blame(
                Wrong::Disordered,
                &format!("{what} is told behind a later one"),
            );
        }
        if let Some(gap) = gap.filter(|_| !self.leaving) {
            self.blame(Wrong::Lost, &format!("{what} is told, and {gap} was not"));
        }
        self.room_message_own(visit, session, message, number.flatten(), nick, &what);
        if held != message.delayed {
            self.blame(
                Wrong::Untold,
                &format!("{what}: delayed is {}", message.delayed),
            );
        }
    }

    fn room_message_own(
        &mut self,
        visit: RoomId,
        session: usize,
        message: &RoomMessage,
        number: Option<usize>,
        nick: Option<&str>,
        what: &str,
    ) {
        let own = number.is_some_and(|number| self.rooms.said[number].visit == visit);
        if message.own && !own {
            self.blame(Wrong::Untold, &format!("{what} is told as own, and is not"));
        }
        // Another id, or another nick since: a message of before cannot be recognised, nor one that an earlier session sent and
        // that arrived late.
        let late = number.is_some_and(|number| self.rooms.said[number].arrived != Some(session));
        let id = number.is_some()
            && message
                .id
                .as_deref()
                .is_some_and(|id| !id.starts_with("stored-"));
        let judged = message.nick.as_deref() == nick && (id || !message.delayed && !late);
        if own && judged && !message.own {
            self.blame(
                Wrong::Untold,
                &format!("{what} is own, and told as another's"),
            );
        }
    }

    /// The page is out, and should have been put out.
    fn room_left_us(&mut self, visit: RoomId, ended: &Ended, now: Instant) {
        let Some(room) = self.rooms.visits.get(&visit).map(|told| told.room) else {
            return;
        };
        let some = |of: &BTreeMap<usize, u64>| of.get(&room).is_some_and(|count| *count > 0);
        let right = match ended {
            // A page that continues a session cannot tell the answer to its predecessor's leave from a removal.
            Ended::Departed(departure) => {
                some(&self.rooms.removals)
                    || departure.why == Why::Left && self.rooms.predecessors > 0
            }
            // What passes is waited for, but not for ever.
            Ended::Refused(error) => {
                let since = self.rooms.refused_since.get(&room);
                let long = since.is_some_and(|since| now - *since >= LONG);
                long || error.condition == "forbidden" && some(&self.rooms.removals)
            }
            Ended::GivenUp => self
                .rooms
                .losses
                .get(&room)
                .is_some_and(|count| *count >= 5),
            Ended::Insecure => false,
            Ended::Disconnected => true,
        };
        if !right && !self.lenient {
            self.blame(Wrong::Untold, &format!("the page is out: {ended:?}"));
        }
    }

    /// The page is told that nobody got this.
    fn room_lost(&mut self, message: &Element) {
        self.rooms.figures.lost += 1;
        self.rooms.note_told(message);
        let body = message.child_text("body", ns::CLIENT).unwrap_or_default();
        let said = number_of(&body).and_then(|number| self.rooms.said.get(number));
        if !self.lenient && !self.blurred && said.is_some_and(|said| said.place.is_some()) {
            self.blame(
                Wrong::Untold,
                &format!("{body:?} is told as lost, and was stored"),
            );
        }
    }
}
