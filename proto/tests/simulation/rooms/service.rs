//! The MUC service: what sessions send to it, who its rooms lose and when, and what is done to the page's occupants.

use super::pings::Relay;
use super::plan::Plan;
use super::robots::Robot;
use super::room::{Desk, Room};
use super::stanzas::{Going, SERVICE, refusal, result};
use crate::simulation::dice::Dice;
use crate::simulation::judge::Judge;
use epode_proto::ns;
use epode_proto::stanza::{ErrorKind, split_jid};
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::Element;

/// The longest time until a service notices that a session of the page is gone, in milliseconds.
const GHOST: u64 = 60_000;

/// A stanza for a session.
pub struct Letter {
    pub session: usize,
    pub text: String,
}

/// A MUC service.
pub struct MucService {
    pub plan: Plan,
    pub dice: Dice,
    pub rooms: Vec<Room>,
    pub robots: Vec<Robot>,
    /// Sessions that are gone, and when their occupants go.
    ghosts: Vec<(usize, Instant)>,
    pub relays: Vec<Relay>,
    pub relayed: u64,
    /// The service is not reachable before.
    down_until: Instant,
}

/// Whether a stanza is for the service.
pub fn is_for_rooms(stanza: &Element) -> bool {
    let to = stanza.attr("to").unwrap_or_default();
    split_jid(to).0.ends_with(SERVICE)
}

/// Whether a stanza is from the service.
pub fn is_from_rooms(stanza: &Element) -> bool {
    let from = stanza.attr("from").unwrap_or_default();
    split_jid(from).0.ends_with(SERVICE)
}

impl MucService {
    pub fn new(seed: u64, plan: &Plan) -> Self {
        let robots = (0..plan.rooms)
            .flat_map(|room| (0..plan.robots).map(move |one| Robot::new(room, room * 10 + one)));
        Self {
            dice: Dice::new(seed, "rooms"),
            rooms: (0..plan.rooms).map(Room::new).collect(),
            robots: robots.collect(),
            ghosts: Vec::new(),
            relays: Vec::new(),
            relayed: 0,
            down_until: Instant(0),
            plan: plan.clone(),
        }
    }

    pub fn desk<'a>(
        &self,
        now: Instant,
        judge: &'a mut Judge,
        out: &'a mut Vec<Letter>,
    ) -> Desk<'a> {
        Desk {
            kind: self.plan.kind,
            now,
            judge,
            out,
        }
    }

    /// A session has sent this.
    pub fn handle(&mut self, session: usize, stanza: &Element, desk: &mut Desk<'_>) {
        let to = stanza.attr("to").unwrap_or_default();
        let (bare, nick) = split_jid(to);
        let kind = stanza.attr("type");
        if matches!((stanza.name(), kind), ("iq", Some("result" | "error"))) {
            return self.relay_back(session, stanza, desk);
        }
        let body = stanza.child_text("body", ns::CLIENT);
        if let Some(body) = &body {
            desk.judge.room_message_arrived(session, body);
        }
        let at = self.rooms.iter().position(|room| room.jid == bare);
        if let Some(at) = at.filter(|_| stanza.has_child("x", ns::MUC)) {
            desk.judge.rooms.knocks(at, session);
        }
        if desk.now < self.down_until {
            if kind != Some("unavailable") && kind != Some("error") {
                let text = refusal(stanza, ErrorKind::Cancel, "remote-server-not-found");
                if let Some(at) = at.filter(|_| stanza.name() == "presence") {
                    desk.judge.rooms.refuses(at, desk.now);
                } else if let Some(body) = &body {
                    desk.judge.rooms.refused(session, body);
                }
                desk.out.push(Letter { session, text });
            }
            return;
        }
        let Some(at) = at else {
            return;
        };
        match (stanza.name(), kind, nick) {
            ("presence", Some("unavailable"), Some(_)) => {
                self.rooms[at].leave(session, stanza.attr("id"), true, desk);
            }
            ("presence", None, Some(nick)) if stanza.has_child("x", ns::MUC) => {
                self.rooms[at].enter(session, nick, stanza, desk);
            }
            ("presence", None, Some(nick)) => self.update(at, session, nick, stanza, desk),
            ("message", Some("groupchat"), None) => {
                self.speak(at, session, stanza, &body.unwrap_or_default(), desk);
            }
            ("iq", Some("get"), Some(_)) => self.answer_ping(at, session, stanza, desk),
            ("iq", Some("set"), None) => {
                let text = result(stanza.attr("id").unwrap_or_default(), to);
                desk.out.push(Letter { session, text });
            }
            _ => assert!(desk.judge.lenient, "an odd stanza: {}", stanza.to_xml()),
        }
    }

    /// A presence of somebody who is in: another nick, or another availability.
    fn update(
        &mut self,
        at: usize,
        session: usize,
        nick: &str,
        stanza: &Element,
        desk: &mut Desk<'_>,
    ) {
        let room = &mut self.rooms[at];
        let Some(seat) = room.seat(session) else {
            let text = refusal(stanza, ErrorKind::Cancel, "not-acceptable");
            return desk.out.push(Letter { session, text });
        };
        let id = stanza.attr("id");
        if room.occupants[seat].nick == nick {
            let by = Some((session, id.unwrap_or_default()));
            return room.change_show(seat, None, by, desk);
        }
        if let Some(owner) = room.occupant(nick) {
            desk.judge.rooms.note_conflict(owner.robot.is_none());
            let text = refusal(stanza, ErrorKind::Cancel, "conflict");
            return desk.out.push(Letter { session, text });
        }
        room.change_nick(seat, session, nick, id, desk);
    }

    /// A message to all.
    fn speak(
        &mut self,
        at: usize,
        session: usize,
        stanza: &Element,
        body: &str,
        desk: &mut Desk<'_>,
    ) {
        let room = &mut self.rooms[at];
        let Some(seat) = room.seat(session) else {
            let (kind, condition) = match room.exists {
                true => (ErrorKind::Cancel, "not-acceptable"),
                false => (ErrorKind::Cancel, "item-not-found"),
            };
            desk.judge.room_message_outside(at, session, body);
            if room.swallows {
                if desk.kind.answers_no_pings() {
                    return;
                }
                desk.judge.rooms.dropped(at, session, body);
            } else {
                desk.judge.rooms.refused(session, body);
                let text = refusal(stanza, kind, condition);
                desk.out.push(Letter { session, text });
            }
            return;
        };
        let nick = room.occupants[seat].nick.clone();
        room.store(&nick, stanza.attr("id"), body, desk);
    }

    // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        let ghosts = self.ghosts.iter().map(|(_, at)| *at);
        let robots = self.robots.iter().filter_map(Robot::deadline);
        ghosts.chain(robots).min()
    }

    /// Time has passed: sessions that are gone are noticed, and scripted occupants come back.
    pub fn tick(&mut self, desk: &mut Desk<'_>) {
        let sessions = self.rooms.iter().flat_map(Room::audience);
        let gone: Vec<usize> = sessions
            .filter(|session| !desk.judge.is_alive(*session))
            .filter(|session| self.ghosts.iter().all(|(ghost, _)| ghost != session))
            .collect();
        for session in gone {
            if self.ghosts.iter().all(|(ghost, _)| *ghost != session) {
                let most = self.dice.pick(&[1, 5_000, GHOST]);
                let after = Millis(self.dice.below(most));
                self.ghosts.push((session, desk.now + after));
            }
        }
        let now = desk.now;
        let due = self.ghosts.extract_if(.., |(_, at)| *at <= now);
        for (session, _) in due {
            for room in &mut self.rooms {
                room.leave(session, None, false, desk);
            }
        }
        self.move_due_robots(desk);
    }

    // ── what happens to the page's occupants ────────────────────────────────────────────────────────────────────────

    fn pick_room(&mut self) -> usize {
        self.dice.below(self.rooms.len() as u64) as usize
    }

    /// The page's account is removed from a room: kicked, or banned. The session that was removed.
    pub fn remove_page(&mut self, bans: bool, desk: &mut Desk<'_>) -> Option<usize> {
        let at = self.pick_room();
        let room = &mut self.rooms[at];
        if bans {
            room.bans = !room.bans;
            if !room.bans {
                return None;
            }
        }
        let why = if bans { Going::Banned } else { Going::Kicked };
        let mut removed = None;
        while let Some(seat) = room.occupants.iter().position(|one| one.robot.is_none()) {
            removed = room.occupants[seat].sessions.last().copied();
            room.remove(seat, &why, desk);
            if !bans {
                break;
            }
        }
        if removed.is_some() || bans {
            desk.judge.rooms.note_removal(at);
        }
        removed
    }

    /// A room is destroyed. The page's session in it.
    pub fn destroy_room(&mut self, desk: &mut Desk<'_>) -> Option<usize> {
        let at = self.pick_room();
        let alternative = self.dice.chance(500).then(|| format!("hall@{SERVICE}"));
        let session = self.rooms[at].audience().last().copied();
        self.rooms[at].destroy(alternative, desk);
        desk.judge.rooms.note_removal(at);
        self.scatter_robots(at, desk.now, 60_000);
        session
    }

    /// The whole server has gone.
    pub fn forget_all(&mut self, judge: &mut Judge, now: Instant) {
        for at in 0..self.rooms.len() {
            self.rooms[at].forget();
            judge.rooms.note_loss(at);
            self.scatter_robots(at, now, 60_000);
        }
        self.relays.clear();
    }

    /// Who is in is forgotten in silence, in all rooms.
    pub fn forget(&mut self, judge: &mut Judge, now: Instant) -> bool {
        let mut known = false;
        for at in 0..self.rooms.len() {
            let swallows = self.dice.chance(500);
            let room = &mut self.rooms[at];
            if !room.audience().is_empty() {
                known = true;
                judge.rooms.note_loss(at);
            }
            for session in room.audience() {
                judge.rooms.forgets(at, session);
            }
            room.forget();
            room.swallows = swallows;
            self.scatter_robots(at, now, 20_000);
        }
        self.relays.clear();
        known
    }

    /// The service is not reachable for a while; what is in its rooms stays.
    pub fn fall(&mut self, now: Instant) {
        let most = self.dice.pick(&[1_000, 30_000]);
        self.down_until = now + Millis(self.dice.below(most));
    }
}
