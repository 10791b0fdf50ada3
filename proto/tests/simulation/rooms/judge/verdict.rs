//! What fits what: each thing that a room, a session or the page does is held against the record.

use super::{Asked, LONG, RECORD, Uttered, number_of, place_of, utterance};
use crate::simulation::judge::{Judge, Wrong};
use crate::simulation::rooms::stanzas::JOIN_CODE;
use epode_proto::event::Delivery;
use epode_proto::ns;
use epode_proto::time::Instant;
use epode_proto::xep::muc::departure::DepartureReason;
use epode_proto::xep::muc::{CommandId, Ended, RoomEvent, RoomId, RoomMessage};
use epode_proto::xml::Element;
use std::collections::BTreeMap;

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
        self.room_skipped(visit, event);
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

    /// Messages that came behind lost ones, and a history that broke off, are told, but only when the visit is over, so that nothing
    /// can bring the rest: then nothing follows but the end.
    fn room_skipped(&mut self, visit: RoomId, event: &RoomEvent) {
        let ends = matches!(event, RoomEvent::Message(_) | RoomEvent::Out(_));
        let told = self.rooms.visits.get_mut(&visit);
        let skipped = told.and_then(|told| told.skipped.take_if(|_| !ends));
        if let Some(why) = skipped {
            self.blame(Wrong::Lost, &why);
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
        let given = given.map(|join| (join.room, join.given, join.stored));
        let Some(told) = self.rooms.visits.get_mut(&visit) else {
            return;
        };
        told.join = join;
        told.by = join;
        told.mixed = false;
        let room = told.room;
        if again {
            self.rooms.figures.rejoined += 1;
            // A history of so many messages that is lost with its session cannot be asked for again: there is no asking for so
            // many and for all since (§7.2.13), and all since is worth more.
            if told.counted && told.got.is_empty() {
                let first = given.map(|(_, first, _)| first.min(told.before));
                told.base = told.base.max(first);
            }
        } else {
            self.rooms.figures.joined += 1;
            told.joined = true;
            told.base = given.map(|(_, first, _)| first);
            told.before = given.map_or(0, |(_, _, stored)| stored);
        }
        if given.is_some_and(|(known, ..)| known != room) {
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
        // What came behind a hole is told once the next session is in: what the room does not hold by then cannot be had.
        let latest = self.rooms.joins.iter().rfind(|one| one.room == told.room);
        let first = first.max(latest.map_or(0, |latest| latest.held));
        let first = first.max(told.base.unwrap_or(place));
        let gap = (first..place).find(|before| !told.has(before));
        let last = told.got.last().copied();
        if !told.got.insert(place) {
            return self.blame(Wrong::Doubled, &format!("{what} is told twice"));
        }
        if told.base.is_none() {
            told.base = Some(place);
        }
        if let Some(gap) = gap.filter(|_| !self.leaving) {
            told.skipped
                .get_or_insert(format!("{what} is told, and {gap} was not"));
        }
        if last.is_some_and(|last| last > place) {
            let why = format!("{what} is told behind a later one");
            // A history that breaks off does not show how old it is: at the end of the visit it is told all the same.
            if !held {
                return self.blame(Wrong::Disordered, &why);
            }
            told.skipped.get_or_insert(why);
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
                    || departure.why == DepartureReason::Left && self.rooms.predecessors > 0
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
