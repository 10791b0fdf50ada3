//! What the page does in rooms, and what it hears of them.

use super::judge::Asked;
use super::kind::Marks;
use super::plan::RoomAct;
use super::robots::PAGE_NICKS;
use crate::simulation::faults::Fault;
use crate::simulation::judge::Wrong;
use crate::simulation::world::World;
use epode_proto::event::Delivery;
use epode_proto::jid::Jid;
use epode_proto::time::Millis;
use epode_proto::xep::muc::request::History;
use epode_proto::xep::muc::{CommandId, JoinOptions, RoomEvent, RoomId};

/// Which visit the page has to which room, as far as it knows.
#[derive(Default)]
pub struct PageRooms {
    visits: Vec<Option<RoomId>>,
}

impl PageRooms {
    fn room_of(&self, visit: RoomId) -> Option<usize> {
        self.visits.iter().position(|known| *known == Some(visit))
    }
}

impl World {
    /// The page knows of no visit.
    pub fn forget_visits(&mut self) {
        let count = self.scenario.rooms.rooms;
        self.rooms = PageRooms {
            visits: vec![None; count],
        };
    }

    fn pick_room(&mut self) -> usize {
        self.dice.below(self.scenario.rooms.rooms as u64) as usize
    }

    fn pick_visit(&mut self) -> Option<RoomId> {
        let at = self.pick_room();
        self.rooms.visits.get(at).copied().flatten()
    }

    /// Something happens in a room.
    pub fn act_in_room(&mut self, act: RoomAct) {
        let awake = self.frozen_until.is_none();
        match act {
            RoomAct::Enter if awake => {
                let at = self.pick_room();
                self.enter_room(at);
            }
            RoomAct::Speak if awake => self.speak_in_room(),
            RoomAct::Rename if awake => self.rename_in_room(),
            RoomAct::Depart if awake => self.leave_room(),
            RoomAct::Abandon if awake => self.abandon_command(),
            RoomAct::RobotSpeaks => self.at_service(|rooms, desk| rooms.robot_speaks(desk)),
            RoomAct::RobotMoves => self.at_service(|rooms, desk| rooms.robot_moves(desk)),
            RoomAct::RobotTakesNick => {
                let taken = self.at_service(|rooms, desk| rooms.robot_takes_nick(desk));
                if taken {
                    self.note_fault(Fault::NickStolen);
                }
            }
            RoomAct::Kick => {
                let removed = self.at_service(|rooms, desk| rooms.remove_page(false, desk));
                self.note_removal(removed, Fault::Kicked);
            }
            RoomAct::Ban => {
                let removed = self.at_service(|rooms, desk| rooms.remove_page(true, desk));
                self.note_removal(removed, Fault::Banned);
            }
            RoomAct::Destroy => {
                let removed = self.at_service(|rooms, desk| rooms.destroy_room(desk));
                self.note_removal(removed, Fault::Destroyed);
            }
            RoomAct::Forget => {
                let forgotten = self.at_service(|rooms, desk| rooms.forget(desk.judge, desk.now));
                if forgotten {
                    self.note_fault(Fault::RoomsForget);
                }
            }
            RoomAct::Outage => {
                self.note_fault(Fault::RoomsDown);
                self.at_service(|rooms, desk| rooms.fall(desk.now));
            }
            _ => {}
        }
    }

    fn at_service<T>(
        &mut self,
        act: impl FnOnce(&mut super::MucService, &mut super::Desk<'_>) -> T,
    ) -> T {
        let mut said = Vec::new();
        let outcome = self
            .server
            .in_rooms(self.now, &mut self.judge, &mut said, act);
        self.carry(said);
        outcome
    }

    fn note_removal(&mut self, removed: Option<usize>, fault: Fault) {
        let Some(session) = removed else { return };
        self.note_fault(fault);
        if !self.judge.is_alive(session) {
            self.note_fault(Fault::RemovedAfterwards);
        } else if !self.online {
            self.note_fault(Fault::RemovedMeanwhile);
        }
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn enter_room(&mut self, at: usize) {
        if self.rooms.visits[at].is_some() || !self.lasting || self.leaving {
            return;
        }
        let history = self.dice.pick(&[
            History::default(),
            History {
                maxstanzas: Some(0),
                ..History::default()
            },
            History {
                maxstanzas: Some(3),
                ..History::default()
            },
            History {
                seconds: Some(30),
                ..History::default()
            },
        ]);
        let timeout = self.dice.pick(&[2_000, 60_000, 60_000]);
        let entry = JoinOptions {
            password: None,
            history,
            timeout: Millis(timeout),
        };
        let nick = self.dice.pick(&PAGE_NICKS);
        self.begin_visit(at, nick, entry);
    }

    fn begin_visit(&mut self, at: usize, nick: &str, entry: JoinOptions) {
        let jid = self.room_jid(at);
        self.tell(|| format!("enters {jid:?} as {nick}"));
        let counted = entry.history.maxstanzas.is_some();
        match self.client.join(self.now, &jid, nick, entry) {
            Ok((visit, command)) => {
                let rooms = &mut self.judge.rooms;
                rooms.visit_begins(visit, at, command, counted);
                self.rooms.visits[at] = Some(visit);
                self.poll();
            }
            Err(error) => {
                let why = format!("a join is refused: {error:?}");
                self.judge.blame(Wrong::Untold, &why);
            }
        }
    }

    fn room_jid(&self, at: usize) -> Jid {
        let jid = &self.server.rooms.rooms[at].jid;
        Jid::parse(jid, &crate::support::unicode::NativeUnicode).expect("the JID of a room")
    }

    fn speak_in_room(&mut self) {
        let Some(visit) = self.pick_visit() else {
            return;
        };
        let body = self.judge.rooms.next_words();
        // Not in yet, or on the way out: refused.
        if let Ok(command) = self.client.send_to_room(self.now, visit, &body) {
            self.judge.rooms.uttered(visit, command);
            self.poll();
        }
    }

    fn rename_in_room(&mut self) {
        let Some(visit) = self.pick_visit() else {
            return;
        };
        let nick = self.dice.pick(&PAGE_NICKS);
        let timeout = Millis(self.dice.pick(&[2_000, 30_000]));
        if let Ok(Some(command)) = self.client.set_nick(self.now, visit, nick, timeout) {
            self.tell(|| format!("wants to be {nick}"));
            self.judge.rooms.asked(command, visit, Asked::Rename);
            self.poll();
        }
    }

    /// The page leaves, and sometimes comes again in the same turn.
    fn leave_room(&mut self) {
        let at = self.pick_room();
        let Some(visit) = self.rooms.visits[at].take() else {
            return;
        };
        self.tell(|| format!("leaves {visit:?}"));
        let timeout = Millis(self.dice.pick(&[2_000, 30_000]));
        let command = self
            .client
            .leave_room(self.now, visit, Some("bye"), timeout);
        if let Some(command) = command {
            self.judge.rooms.asked(command, visit, Asked::Leave);
        }
        if self.dice.chance(400) {
            self.enter_room(at);
        }
        self.poll();
    }

    /// Nobody waits for the newest command any more.
    fn abandon_command(&mut self) {
        if let Some((command, asked)) = self.judge.rooms.open_command() {
            self.tell(|| format!("gives up {command:?} ({asked:?})"));
            self.judge.rooms.abandoned(command);
            self.client.abandon(self.now, command);
            self.poll();
        }
    }

    // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

    pub fn note_room(&mut self, visit: RoomId, event: &RoomEvent) {
        let current = self.client.visit(visit);
        let nick = current.map(|visit| visit.nick().to_owned());
        let nicks: Vec<String> = current
            .map(|visit| {
                visit
                    .occupants()
                    .iter()
                    .map(|one| one.nick.clone())
                    .collect()
            })
            .unwrap_or_default();
        self.judge
            .room_told(visit, event, self.now, nick.as_deref(), nicks.into_iter());
    }

    pub fn note_room_closed(&mut self, visit: RoomId) {
        self.judge.room_closed(visit);
        if let Some(at) = self.rooms.room_of(visit) {
            self.rooms.visits[at] = None;
        }
    }

    pub fn note_room_delivery(&mut self, command: CommandId, delivery: Delivery) {
        self.judge.room_message_settled(command, delivery);
    }

    // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// In calm weather the page enters all rooms that it is not in, and somebody speaks in them.
    pub fn enter_all_rooms(&mut self) {
        if self.judge.lenient || !self.online || self.leaving {
            return;
        }
        for at in 0..self.scenario.rooms.rooms {
            if self.rooms.visits[at].is_none() {
                let entry = JoinOptions {
                    password: None,
                    history: History::default(),
                    timeout: Millis::seconds(60),
                };
                self.begin_visit(at, "latecomer", entry);
            }
        }
        for _ in 0..2 * self.scenario.rooms.rooms {
            self.act_in_room(RoomAct::RobotSpeaks);
        }
        for _ in 0..self.scenario.rooms.rooms {
            self.act_in_room(RoomAct::Speak);
        }
    }

    /// Calm has lasted for long: every room has the page, or the page knows that it does not.
    pub fn judge_rooms(&mut self) {
        if self.judge.lenient {
            return;
        }
        if let Some(why) = self.judge.rooms.stuck() {
            self.judge.blame(Wrong::Untold, &why);
        }
        if let Some(number) = self.judge.rooms.unsettled() {
            let why = format!("the delivery of \"said {number}\" is never told");
            self.judge.blame(Wrong::Untold, &why);
        }
        // A presence that could not be read may be of an occupant.
        if self.judge.blurred {
            return;
        }
        if let Some(number) = self
            .server
            .newest()
            .and_then(|session| self.judge.rooms.silent(session))
        {
            let why = format!("\"said {number}\" was refused, and nothing was told");
            self.judge.blame(Wrong::Untold, &why);
        }
        for visit in self.judge.rooms.open_visits() {
            if let Some(why) = self.wrong_with(visit) {
                self.judge.blame(Wrong::Lost, &format!("{visit:?}: {why}"));
            }
        }
    }

    fn wrong_with(&self, id: RoomId) -> Option<String> {
        let Some(visit) = self.client.visit(id) else {
            return Some("its end is not told".into());
        };
        let at = self.rooms.room_of(id)?;
        let room = &self.server.rooms.rooms[at];
        let session = self.server.newest()?;
        let Some(seat) = room.seat(session).filter(|_| visit.is_joined()) else {
            // Nothing tells a client that a service has forgotten it, where that answers no pings.
            let excused = self.scenario.rooms.kind.answers_no_pings() && visit.is_joined();
            return (!excused).then(|| {
                let joined = visit.is_joined();
                let seat = room.seat(session);
                format!("is_joined() is {joined}, and the seat {seat:?}")
            });
        };
        // The answer to the predecessor's join ends with a subject, too: where a room marks nothing, a page that continues a
        // session cannot tell which of the two it is, and so not whom the room listed for which.
        if self.judge.rooms.has_predecessors()
            && self.scenario.rooms.kind.marks == Marks::None
            && self.judge.rooms.is_in_by_guess(id)
        {
            return None;
        }
        if !self.judge.rooms.is_current(id, session) {
            return Some("it is in by a join that it was not told of".into());
        }
        let nick = &room.occupants[seat].nick;
        if nick != visit.nick() {
            return Some(format!("the nick is {nick}, and not {}", visit.nick()));
        }
        let mut there: Vec<_> = room
            .occupants
            .iter()
            .map(|one| (one.nick.clone(), one.show.map(str::to_owned)))
            .collect();
        there.sort();
        let known: Vec<_> = visit
            .occupants()
            .iter()
            .map(|one| (one.nick.clone(), one.show.clone()))
            .collect();
        let all = there.iter().all(|one| known.contains(one));
        let excused = all && self.judge.rooms.may_list_too_many(at, session);
        if there != known && !excused {
            return Some(format!("there are {there:?}, and not {known:?}"));
        }
        let told = self.judge.rooms.nicks_of(id)?;
        if !known.iter().map(|(nick, _)| nick).eq(told) {
            return Some(format!("there are {known:?}, and told were {told:?}"));
        }
        if self.scenario.rooms.kind.subject && visit.subject() != Some(&room.subject) {
            let known = visit.subject();
            return Some(format!(
                "the subject is {:?}, and not {known:?}",
                room.subject
            ));
        }
        let missing = self.judge.rooms.missing(id)?;
        Some(format!("message {missing} of room {at} was not told"))
    }
}
