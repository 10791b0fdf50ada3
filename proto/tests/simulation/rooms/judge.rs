//! What each room stored, what the page said in it, and what each visit was told.
//!
//! - A visit is told each message once, in the order in which the room stored them. Between two of them none is missing that the
//!   room still held when the visit's session entered it.
//! - What is history is told as such, and nothing else is. A message is told as the visit's own if, and only if, it is.
//! - A command is settled once. A visit ends once, and nothing is told of it afterwards.
//! - A message to a room reaches the service once at most, and not after it was told as undelivered.

mod verdict;

use super::figures::Figures;
use super::stanzas::RECORD;
use crate::simulation::faults::{Fault, Faults};
use epode_proto::event::Delivery;
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xep::muc::{CommandId, RoomId};
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
    /// How many it had stored.
    pub stored: usize,
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
    /// Its history was asked for by count.
    counted: bool,
    /// How many messages the room had stored when the visit began.
    before: usize,
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
    /// A message was told, and one before it was not.
    skipped: Option<String>,
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
    /// Whom rooms have forgotten: rooms and sessions.
    forgotten: BTreeSet<(usize, usize)>,
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

    /// A room has forgotten a session.
    pub fn forgets(&mut self, room: usize, session: usize) {
        self.forgotten.insert((room, session));
    }

    /// Whether the page cannot tell whom a room listed for an earlier visit of that session, or showed it: one that continues a
    /// session knows nothing of its predecessor's visit, and a room that has forgotten this one does not end it.
    pub fn may_list_too_many(&self, room: usize, session: usize) -> bool {
        let ended = self.has_predecessors() && self.forgotten.contains(&(room, session));
        ended || self.unanswered.contains(&(room, session))
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

    /// The page enters a room; `counted`: it asks for so many messages of the history.
    pub fn visit_begins(&mut self, visit: RoomId, room: usize, command: CommandId, counted: bool) {
        let told = Told {
            room,
            counted,
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

    /// Whether the session had another page before this one.
    pub fn has_predecessors(&self) -> bool {
        self.predecessors > 0
    }

    /// Whether the visit was told that it is in, and not by which join.
    pub fn is_in_by_guess(&self, visit: RoomId) -> bool {
        let told = self.visits.get(&visit);
        told.is_some_and(|told| told.joined && told.join.is_none())
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
