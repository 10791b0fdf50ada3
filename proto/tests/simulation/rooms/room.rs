//! One room at the service: who is in, what was said, what an occupant is sent.

use super::judge::Join;
use super::kind::{Kind, MessageIds};
use super::service::Letter;
use super::stanzas::{
    Addressed, Described, Going, JOIN_CODE, SERVICE, Said, available, message, page_jid, refusal,
    subject, unavailable,
};
use crate::simulation::judge::Judge;
use epode_proto::ns;
use epode_proto::stanza::ErrorKind;
use epode_proto::time::Instant;
use epode_proto::xep::delay::parse_date_time;
use epode_proto::xml::Element;
use std::collections::BTreeMap;

/// The wall clock of the service at the instant 0: 2026-11-27T06:00:00Z.
pub const EPOCH: i64 = 1_795_759_200_000;

/// What a room needs to act.
pub struct Desk<'a> {
    pub kind: Kind,
    pub now: Instant,
    pub judge: &'a mut Judge,
    pub out: &'a mut Vec<Letter>,
}

impl Desk<'_> {
    fn post(&mut self, session: usize, text: String) {
        self.out.push(Letter { session, text });
    }

    fn unix_ms(&self) -> i64 {
        EPOCH + self.now.0 as i64
    }
}

/// Somebody in a room: sessions of the page's account, or one of the others.
pub struct Occupant {
    pub nick: String,
    pub sessions: Vec<usize>,
    pub robot: Option<usize>,
    pub show: Option<&'static str>,
}

impl Occupant {
    fn describe<'a>(&'a self, jid: &'a str) -> Described<'a> {
        Described {
            nick: &self.nick,
            jid,
            show: self.show,
        }
    }

    fn jid(&self, recipient: usize) -> String {
        match (self.robot, self.sessions.first()) {
            (Some(robot), _) => format!("robot{robot}@example.net/there"),
            _ if self.sessions.contains(&recipient) => page_jid(recipient),
            (None, first) => page_jid(first.copied().unwrap_or_default()),
        }
    }
}

struct Stored {
    nick: String,
    id: Option<String>,
    body: String,
    at: i64,
    /// Its sender stamped it.
    forged: bool,
}

/// A room.
pub struct Room {
    pub jid: String,
    number: usize,
    pub exists: bool,
    pub occupants: Vec<Occupant>,
    /// By session: its last join.
    joins: BTreeMap<usize, usize>,
    stored: Vec<Stored>,
    /// What was stored before belongs to a room of the same name that was destroyed.
    held_from: usize,
    /// The page's account may not enter.
    pub bans: bool,
    /// What those say who are not in is dropped, and not refused.
    pub swallows: bool,
    pub subject: String,
}

impl Room {
    pub fn new(number: usize) -> Self {
        Self {
            jid: format!("room{number}@{SERVICE}"),
            number,
            exists: true,
            occupants: Vec::new(),
            joins: BTreeMap::new(),
            stored: Vec::new(),
            held_from: 0,
            bans: false,
            swallows: false,
            subject: String::new(),
        }
    }

    pub fn occupant(&self, nick: &str) -> Option<&Occupant> {
        self.occupants.iter().find(|one| one.nick == nick)
    }

    /// The place of the occupant that has that session.
    pub fn seat(&self, session: usize) -> Option<usize> {
        self.occupants
            .iter()
            .position(|one| one.sessions.contains(&session))
    }

    /// All sessions that are in.
    pub fn audience(&self) -> Vec<usize> {
        let sessions = self.occupants.iter().flat_map(|one| &one.sessions);
        sessions.copied().collect()
    }

    fn addressed<'a>(&'a self, session: usize, own: bool, id: Option<&'a str>) -> Addressed<'a> {
        Addressed {
            room: &self.jid,
            session,
            own,
            id,
        }
    }

    /// Tells `to` that the occupant in that seat is there.
    fn show(&self, seat: usize, to: usize, id: Option<&str>, codes: &[u16], desk: &mut Desk<'_>) {
        let one = &self.occupants[seat];
        let own = one.sessions.contains(&to);
        let jid = one.jid(to);
        let id = id.filter(|_| desk.kind.echoes_presence_ids);
        let address = self.addressed(to, own, id);
        let text = available(&desk.kind, address, &one.describe(&jid), codes);
        desk.post(to, text);
    }

    /// Tells everybody but `except`.
    fn announce(&self, seat: usize, except: Option<usize>, desk: &mut Desk<'_>) {
        for session in self.audience() {
            if Some(session) != except {
                self.show(seat, session, None, &[], desk);
            }
        }
    }

    /// Tells one session that an occupant goes.
    fn part(&self, one: &Occupant, to: usize, id: Option<&str>, why: &Going, desk: &mut Desk<'_>) {
        let jid = one.jid(to);
        let id = id.filter(|_| desk.kind.echoes_presence_ids);
        let address = self.addressed(to, one.sessions.contains(&to), id);
        let text = unavailable(&desk.kind, address, &one.describe(&jid), why);
        desk.post(to, text);
    }

    // ── entering ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A session asks to be let in (§7.2).
    pub fn enter(&mut self, session: usize, nick: &str, stanza: &Element, desk: &mut Desk<'_>) {
        let number = self.number;
        let refuse = |desk: &mut Desk<'_>, condition: &str| {
            desk.judge.rooms.refuses(number, desk.now);
            desk.post(session, refusal(stanza, ErrorKind::Auth, condition));
        };
        if self.bans {
            return refuse(desk, "forbidden");
        }
        let nick = if desk.kind.changes_nicks && !nick.ends_with('+') {
            format!("{nick}+")
        } else {
            nick.to_owned()
        };
        let owner = self.occupants.iter().find(|one| one.nick == nick);
        if let Some(owner) = owner.filter(|one| !one.sessions.contains(&session))
            && (owner.robot.is_some() || !desk.kind.shares_nicks)
        {
            desk.judge.rooms.note_conflict(owner.robot.is_none());
            return refuse(desk, "conflict");
        }
        let id = stanza.attr("id");
        let mut codes = Vec::new();
        if !core::mem::replace(&mut self.exists, true) {
            codes.push(201);
        }
        if desk.kind.changes_nicks {
            codes.push(210);
        }
        let before = self.seat(session);
        let stays = before.is_some_and(|seat| self.occupants[seat].nick == nick);
        // Under another nick: what this session was before, it is no more.
        if before.is_some() && !stays {
            self.leave(session, None, false, desk);
        }
        let seat = match self.occupants.iter().position(|one| one.nick == nick) {
            Some(seat) => seat,
            None => {
                self.occupants.push(Occupant {
                    nick: nick.clone(),
                    sessions: Vec::new(),
                    robot: None,
                    show: None,
                });
                self.occupants.len() - 1
            }
        };
        if !self.occupants[seat].sessions.contains(&session) {
            self.occupants[seat].sessions.push(session);
        }
        self.swallows = false;
        let first = self.first_of_history(stanza, desk);
        let join = desk.judge.rooms.entered(Join {
            room: self.number,
            session,
            held: self.first_held(desk.kind.depth),
            given: first,
            stored: self.stored.len(),
        });
        self.joins.insert(session, join);
        codes.push((JOIN_CODE + join) as u16);
        for other in 0..self.occupants.len() {
            if other != seat {
                self.show(other, session, None, &[], desk);
            }
        }
        self.show(seat, session, id, &codes, desk);
        if !stays {
            self.announce(seat, Some(session), desk);
        }
        for place in first..self.stored.len() {
            self.repeat(place, session, join, true, desk);
        }
        if desk.kind.subject {
            desk.post(session, subject(&self.jid, session, &self.subject, None));
        }
    }

    fn first_held(&self, depth: usize) -> usize {
        self.held_from.max(self.stored.len().saturating_sub(depth))
    }

    /// The first message of the history that a join asks for (§7.2.13).
    fn first_of_history(&self, stanza: &Element, desk: &Desk<'_>) -> usize {
        let asked = stanza
            .child("x", ns::MUC)
            .and_then(|x| x.child("history", ns::MUC));
        let held = self.first_held(desk.kind.depth);
        let Some(asked) = asked else { return held };
        let number = |name: &str| asked.attr(name).and_then(|text| text.parse::<u32>().ok());
        let most = number("maxstanzas").map_or(usize::MAX, |most| most as usize);
        let since = asked.attr("since").and_then(|text| {
            let time = parse_date_time(text);
            assert!(time.is_some() || desk.judge.lenient, "no date: {text}");
            time
        });
        let of_seconds = number("seconds").map(|span| desk.unix_ms() - i64::from(span) * 1_000);
        let since = since.max(of_seconds).unwrap_or(i64::MIN);
        let late = self.stored.iter().position(|one| one.at >= since);
        let late = late.unwrap_or(self.stored.len());
        let tail = self.stored.len().saturating_sub(most);
        held.max(late).max(tail)
    }

    /// Sends a stored message.
    fn repeat(&self, place: usize, session: usize, join: usize, held: bool, desk: &mut Desk<'_>) {
        let stored = &self.stored[place];
        let said = Said {
            nick: &stored.nick,
            id: stored.id.as_deref(),
            body: &stored.body,
            place,
            held: held.then_some(stored.at),
            forged: stored.forged,
        };
        let text = message(&desk.kind, &self.jid, session, join, &said);
        desk.post(session, text);
    }

    /// A scripted occupant enters.
    pub fn seat_robot(&mut self, robot: usize, nick: &str, desk: &mut Desk<'_>) {
        self.exists = true;
        self.occupants.push(Occupant {
            nick: nick.to_owned(),
            sessions: Vec::new(),
            robot: Some(robot),
            show: None,
        });
        self.announce(self.occupants.len() - 1, None, desk);
    }

    // ── being there ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Stores a message, and sends it to all.
    pub fn store(&mut self, nick: &str, id: Option<&str>, body: &str, desk: &mut Desk<'_>) {
        self.store_stamped(nick, id, body, false, desk);
    }

    /// Stores a message, which its sender may have stamped, and sends it to all.
    pub fn store_stamped(
        &mut self,
        nick: &str,
        id: Option<&str>,
        body: &str,
        forged: bool,
        desk: &mut Desk<'_>,
    ) {
        let place = self.stored.len();
        let id = match desk.kind.message_ids {
            MessageIds::Kept => id.map(str::to_owned),
            MessageIds::Changed => Some(format!("stored-{}-{place}", self.number)),
            MessageIds::Omitted => None,
        };
        self.stored.push(Stored {
            nick: nick.to_owned(),
            id,
            body: body.to_owned(),
            at: desk.unix_ms(),
            forged,
        });
        desk.judge.rooms.stored(self.number, body);
        for session in self.audience() {
            let join = self.joins.get(&session).copied().unwrap_or_default();
            self.repeat(place, session, join, false, desk);
        }
    }

    /// Sets the subject.
    pub fn set_subject(&mut self, nick: &str, text: &str, desk: &mut Desk<'_>) {
        self.subject = text.to_owned();
        for session in self.audience() {
            desk.post(session, subject(&self.jid, session, text, Some(nick)));
        }
    }

    /// The availability of an occupant changes; `session` and `id` are those of the presence that says so.
    pub fn change_show(
        &mut self,
        seat: usize,
        show: Option<&'static str>,
        by: Option<(usize, &str)>,
        desk: &mut Desk<'_>,
    ) {
        self.occupants[seat].show = show;
        for session in self.audience() {
            let id = by.filter(|(own, _)| *own == session).map(|(_, id)| id);
            self.show(seat, session, id, &[], desk);
        }
    }

    /// An occupant's nick changes (§7.6). Another session under the same nick keeps it.
    pub fn change_nick(
        &mut self,
        seat: usize,
        session: usize,
        nick: &str,
        id: Option<&str>,
        desk: &mut Desk<'_>,
    ) {
        let shared = self.occupants[seat].sessions.len() > 1;
        let mut mover = Occupant {
            nick: self.occupants[seat].nick.clone(),
            sessions: vec![session],
            robot: None,
            show: self.occupants[seat].show,
        };
        let why = Going::Renamed(nick.to_owned());
        if shared {
            self.part(&mover, session, id, &why, desk);
            self.occupants[seat].sessions.retain(|one| *one != session);
            mover.nick = nick.to_owned();
            self.occupants.push(mover);
            let last = self.occupants.len() - 1;
            self.show(last, session, id, &[], desk);
            return self.announce(last, Some(session), desk);
        }
        for to in self.audience() {
            let one = &self.occupants[seat];
            let id = id.filter(|_| to == session);
            self.part(one, to, id, &why, desk);
        }
        self.occupants[seat].nick = nick.to_owned();
        for to in self.audience() {
            let id = id.filter(|_| to == session);
            self.show(seat, to, id, &[], desk);
        }
    }

    // ── going ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A session goes; `told`: it hears of it.
    pub fn leave(&mut self, session: usize, id: Option<&str>, told: bool, desk: &mut Desk<'_>) {
        let Some(seat) = self.seat(session) else {
            return desk.judge.rooms.leaves_unanswered(self.number, session);
        };
        self.joins.remove(&session);
        if told {
            let one = &self.occupants[seat];
            self.part(one, session, id, &Going::Left, desk);
        }
        let one = &mut self.occupants[seat];
        one.sessions.retain(|known| *known != session);
        if one.sessions.is_empty() {
            self.remove(seat, &Going::Left, desk);
        }
    }

    /// An occupant is not there any more; all hear of it, the occupant's sessions too.
    pub fn remove(&mut self, seat: usize, why: &Going, desk: &mut Desk<'_>) {
        let all = self.audience();
        let one = self.occupants.remove(seat);
        for session in &one.sessions {
            self.joins.remove(session);
        }
        for session in all {
            self.part(&one, session, None, why, desk);
        }
    }

    /// The room ends (§10.9): each occupant hears of it, but not of the others' going.
    pub fn destroy(&mut self, alternative: Option<String>, desk: &mut Desk<'_>) {
        let why = Going::Destroyed(alternative);
        for one in &self.occupants {
            for session in &one.sessions {
                self.part(one, *session, None, &why, desk);
            }
        }
        self.forget();
        self.exists = false;
        self.bans = false;
        self.subject.clear();
        self.held_from = self.stored.len();
    }

    /// The service has forgotten who is in.
    pub fn forget(&mut self) {
        self.occupants.clear();
        self.joins.clear();
    }
}
