//! The scripted occupants: they speak, come, go, change their nicks and take the page's.

use super::room::Desk;
use super::service::MucService;
use super::stanzas::Going;
use epode_proto::time::{Instant, Millis};

/// The nicks that the page uses.
pub const PAGE_NICKS: [&str; 3] = ["page", "Page Two", "o'page & co"];

/// One of the others.
pub struct Robot {
    pub room: usize,
    pub number: usize,
    renamed: u64,
    /// When it comes back, while it is out.
    back_at: Option<Instant>,
    /// When it gives up the page's nick.
    yields_at: Option<Instant>,
}

impl Robot {
    /// It comes as soon as time begins.
    pub fn new(room: usize, number: usize) -> Self {
        Self {
            room,
            number,
            renamed: 0,
            back_at: Some(Instant(0)),
            yields_at: None,
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.back_at.into_iter().chain(self.yields_at).min()
    }

    fn next_nick(&mut self) -> String {
        self.renamed += 1;
        format!("robot{}-{}", self.number, self.renamed)
    }
}

impl MucService {
    /// All of a room are out, and come back one by one.
    pub fn scatter_robots(&mut self, room: usize, now: Instant, most: u64) {
        for robot in &mut self.robots {
            if robot.room == room {
                robot.back_at = Some(now + Millis(self.dice.below(most)));
                robot.yields_at = None;
            }
        }
    }

    fn seat_of(&self, robot: usize) -> Option<usize> {
        let robot = &self.robots[robot];
        self.rooms[robot.room]
            .occupants
            .iter()
            .position(|one| one.robot == Some(robot.number))
    }

    /// Those whose time has come.
    pub fn move_due_robots(&mut self, desk: &mut Desk<'_>) {
        for at in 0..self.robots.len() {
            let robot = &mut self.robots[at];
            if robot.back_at.take_if(|due| *due <= desk.now).is_some() {
                let (room, number, nick) = (robot.room, robot.number, robot.next_nick());
                if self.seat_of(at).is_none() {
                    self.rooms[room].seat_robot(number, &nick, desk);
                }
            }
            let robot = &mut self.robots[at];
            if robot.yields_at.take_if(|due| *due <= desk.now).is_some() {
                self.rename_robot(at, desk);
            }
        }
    }

    fn rename_robot(&mut self, at: usize, desk: &mut Desk<'_>) {
        let nick = self.robots[at].next_nick();
        self.rename_to(at, &nick, desk);
    }

    fn rename_to(&mut self, at: usize, nick: &str, desk: &mut Desk<'_>) {
        if let Some(seat) = self.seat_of(at) {
            let room = self.robots[at].room;
            // A session that is nobody's: no robot hears anything.
            self.rooms[room].change_nick(seat, usize::MAX, nick, None, desk);
        }
    }

    fn pick_robot(&mut self) -> Option<usize> {
        if self.robots.is_empty() {
            return None;
        }
        Some(self.dice.below(self.robots.len() as u64) as usize)
    }

    /// One of them speaks, or sets the subject.
    pub fn robot_speaks(&mut self, desk: &mut Desk<'_>) {
        let Some(at) = self.pick_robot() else { return };
        let Some(seat) = self.seat_of(at) else { return };
        let number = desk.judge.rooms.next_robot_message();
        let room = &mut self.rooms[self.robots[at].room];
        let nick = room.occupants[seat].nick.clone();
        if self.dice.chance(50) {
            return room.set_subject(&nick, &format!("subject {number}"), desk);
        }
        let id = format!("robot-{number}");
        // The same words again and again are told apart by their ids.
        let body = match self.plan.kind.message_ids {
            super::kind::MessageIds::Omitted => format!("word {number}"),
            _ if self.dice.chance(300) => "yes".to_owned(),
            _ => format!("word {number}"),
        };
        // Where a history has a clear end, nobody can make live talk look like history.
        let forged = desk.kind.subject && self.dice.chance(100);
        room.store_stamped(&nick, Some(&id), &body, forged, desk);
    }

    /// One of them goes, comes back, takes another nick, or is away.
    pub fn robot_moves(&mut self, desk: &mut Desk<'_>) {
        let Some(at) = self.pick_robot() else { return };
        let Some(seat) = self.seat_of(at) else { return };
        match self.dice.below(3) {
            0 => {
                let room = self.robots[at].room;
                self.rooms[room].remove(seat, &Going::Left, desk);
                let after = Millis(self.dice.below(30_000));
                self.robots[at].back_at = Some(desk.now + after);
                self.robots[at].yields_at = None;
            }
            1 => self.rename_robot(at, desk),
            _ => {
                let room = self.robots[at].room;
                let show = self.dice.pick(&[None, Some("away"), Some("dnd")]);
                self.rooms[room].change_show(seat, show, None, desk);
            }
        }
    }

    /// One of them takes a nick of the page's, if nobody has it, and gives it up after a while.
    pub fn robot_takes_nick(&mut self, desk: &mut Desk<'_>) -> bool {
        let Some(at) = self.pick_robot() else {
            return false;
        };
        let nick = self.dice.pick(&PAGE_NICKS);
        let room = &self.rooms[self.robots[at].room];
        if self.seat_of(at).is_none() || room.occupant(nick).is_some() {
            return false;
        }
        self.rename_to(at, nick, desk);
        let after = Millis(1 + self.dice.below(100_000));
        self.robots[at].yields_at = Some(desk.now + after);
        true
    }
}
