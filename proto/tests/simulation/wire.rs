//! The network of sockets: each is two streams in order, which can be slow, stand still, be cut, closed or refused, and carry
//! frames that nobody can read.

use super::dice::Dice;
use super::faults::{Fault, Faults, Weather, garble, malform, truncate};
use epode_proto::time::{Instant, Millis};
use std::collections::VecDeque;

/// What arrives at the server.
pub enum Up {
    /// Somebody asks for a socket.
    Open,
    Frame(Vec<u8>),
    Closed,
}

/// What arrives at the client.
pub enum Down {
    Opened {
        subprotocol: bool,
    },
    /// `None`: not text.
    Frame(Option<Vec<u8>>),
    Closed,
}

/// Either.
pub enum Arrival {
    Up(Up),
    Down(Down),
}

/// One direction: what is on its way, and whether anything more can be put on it.
struct Stream<T> {
    parcels: VecDeque<(Instant, T)>,
    last: Instant,
    dead: bool,
}

impl<T> Stream<T> {
    fn new() -> Self {
        Self {
            parcels: VecDeque::new(),
            last: Instant(0),
            dead: false,
        }
    }

    fn post(&mut self, at: Instant, parcel: T) {
        if !self.dead {
            self.last = self.last.max(at);
            self.parcels.push_back((self.last, parcel));
        }
    }

    /// Nothing more is put on it, and of what is on its way only the beginning arrives.
    fn cut(&mut self, dice: &mut Dice) -> VecDeque<(Instant, T)> {
        self.dead = true;
        let keep = dice.below(self.parcels.len() as u64 + 1) as usize;
        let lost = self.parcels.split_off(keep);
        self.last = self.parcels.back().map_or(Instant(0), |(at, _)| *at);
        lost
    }

    fn end(&mut self, at: Instant, parcel: T) {
        self.dead = false;
        self.post(at, parcel);
        self.dead = true;
    }
}

struct Link {
    id: u64,
    up: Stream<Up>,
    down: Stream<Down>,
    /// Nothing arrives before.
    still_until: Instant,
    cut_at: Option<Instant>,
}

/// All sockets.
pub struct Wire {
    dice: Dice,
    weather: Weather,
    links: Vec<Link>,
    pub faults: Faults,
    /// An `<enabled/>` was on what was cut: the client does not know that it could resume.
    pub enabled_lost: bool,
}

impl Wire {
    pub fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed, "wire"),
            weather: Weather {
                per_mille: 0,
                slowest: 1,
                late: false,
                spoils: false,
                garbles: false,
            },
            links: Vec::new(),
            faults: Faults::default(),
            enabled_lost: false,
        }
    }

    pub fn turn(&mut self, weather: Weather) {
        self.weather = weather;
    }

    fn delay(&mut self) -> Millis {
        Millis(1 + self.dice.below(self.weather.slowest))
    }

    fn fault(&mut self, kinds: &[Fault]) -> Option<Fault> {
        if !self.dice.chance(self.weather.per_mille) {
            return None;
        }
        let mut fault = self.dice.pick(kinds);
        if self.weather.garbles && self.dice.chance(700) {
            fault = Fault::Garbled;
        }
        self.faults.note(fault);
        Some(fault)
    }

    fn link(&mut self, id: u64) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.id == id)
    }

    /// The client asks for a socket, where a server is or is not.
    pub fn open(&mut self, now: Instant, id: u64, is_there: bool) {
        let mut link = Link {
            id,
            up: Stream::new(),
            down: Stream::new(),
            still_until: Instant(0),
            cut_at: None,
        };
        let at = now + self.delay();
        use Fault::{OpenHangs, OpenRefused, WrongProtocol};
        match self.fault(&[OpenRefused, OpenRefused, OpenHangs, WrongProtocol]) {
            Some(OpenRefused) => link.down.end(at, Down::Closed),
            Some(OpenHangs) => link.down.dead = true,
            // Another program is there.
            Some(WrongProtocol) => {
                let subprotocol = false;
                link.down.post(at, Down::Opened { subprotocol });
            }
            _ if !is_there => link.down.end(at, Down::Closed),
            _ => link.up.post(at, Up::Open),
        }
        self.links.push(link);
    }

    /// The server takes it.
    pub fn accept(&mut self, now: Instant, id: u64) {
        let at = now + self.delay();
        if let Some(link) = self.link(id) {
            let subprotocol = true;
            link.down.post(at, Down::Opened { subprotocol });
        }
    }

    /// The client sends a frame.
    pub fn send_up(&mut self, now: Instant, id: u64, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        let after = self.meddle(now, id, &mut bytes);
        let at = now + self.delay();
        if let Some(link) = self.link(id) {
            link.up.post(at, Up::Frame(bytes));
        }
        self.strike(now, id, after);
    }

    /// The server sends one.
    pub fn send_down(&mut self, now: Instant, id: u64, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        let after = self.meddle(now, id, &mut bytes);
        let at = now + self.delay();
        if let Some(link) = self.link(id) {
            // Something in between keeps the connection alive in its own way.
            if after == Some(Fault::Binary) {
                link.down.post(at, Down::Frame(None));
            }
            link.down.post(at, Down::Frame(Some(bytes)));
        }
        self.strike(now, id, after);
    }

    /// What happens to a frame; the return is what happens right behind it.
    fn meddle(&mut self, now: Instant, id: u64, bytes: &mut Vec<u8>) -> Option<Fault> {
        use Fault::{
            Binary, Closed, Cut, CutUnnoticed, Garbled, Malformed, Stall, StallThenCut, Truncated,
        };
        if self
            .link(id)
            .is_none_or(|link| link.up.dead && link.down.dead)
        {
            return None;
        }
        let kinds = [
            Cut,
            Cut,
            CutUnnoticed,
            Closed,
            Stall,
            StallThenCut,
            Truncated,
            Malformed,
            Binary,
        ];
        let spoilt = 3;
        let some = kinds.len() - if self.weather.spoils { 0 } else { spoilt };
        let fault = self.fault(&kinds[..some])?;
        match fault {
            // Frames come whole or not at all: one that cannot be read was written so, by somebody who knew what it was to be.
            Truncated | Malformed => {
                let mut rest = bytes.split_off(name_len(bytes));
                match fault {
                    Truncated => truncate(&mut rest, &mut self.dice),
                    _ => malform(&mut rest, &mut self.dice),
                }
                bytes.append(&mut rest);
            }
            Garbled => garble(bytes, &mut self.dice),
            // Before this frame, or behind it.
            Cut | CutUnnoticed | Closed if self.dice.chance(500) => {
                self.strike(now, id, Some(fault))
            }
            _ => return Some(fault),
        }
        None
    }

    fn strike(&mut self, now: Instant, id: u64, fault: Option<Fault>) {
        let still = now + Millis(200 + self.dice.below(60_000));
        match fault {
            Some(Fault::Cut) => {
                let noticed = self.delay();
                self.cut(now, id, Some(noticed));
            }
            Some(Fault::CutUnnoticed) => self.cut(now, id, None),
            // 1001, 1006 and 1011 are all the same to a page: what is on its way still arrives, then the end.
            Some(Fault::Closed) => self.close(now, id),
            Some(Fault::Stall) => {
                if let Some(link) = self.link(id) {
                    link.still_until = still;
                }
            }
            Some(Fault::StallThenCut) => {
                if let Some(link) = self.link(id) {
                    link.still_until = still;
                    link.cut_at = Some(still);
                }
            }
            _ => {}
        }
    }

    /// Both ends lose it; the client is told after a while, or never, and the server may notice much later.
    fn cut(&mut self, now: Instant, id: u64, noticed: Option<Millis>) {
        let unnoticed = self.dice.pick(&[1, 50, 3_000, 90_000]);
        let server = Millis(1 + self.dice.below(unnoticed));
        let Some(at) = self.links.iter().position(|link| link.id == id) else {
            return;
        };
        let link = &mut self.links[at];
        link.cut_at = None;
        if !link.up.dead {
            link.up.cut(&mut self.dice);
            link.up.end(now + server, Up::Closed);
        }
        if !link.down.dead {
            let lost = link.down.cut(&mut self.dice);
            self.enabled_lost |= lost.iter().any(|(_, parcel)| enables(parcel));
            if let Some(noticed) = noticed {
                link.down.end(now + noticed, Down::Closed);
            }
        }
    }

    /// The server, or something in between, closes it: what is on its way arrives first.
    pub fn close(&mut self, now: Instant, id: u64) {
        let (up, down) = (now + self.delay(), now + self.delay());
        if let Some(link) = self.link(id) {
            if !link.up.dead {
                link.up.end(up, Up::Closed);
            }
            if !link.down.dead {
                link.down.end(down, Down::Closed);
            }
        }
    }

    /// The client closes it: what it sent before arrives; what is on its way to it, nobody reads.
    pub fn hang_up(&mut self, now: Instant, id: u64) {
        let at = now + self.delay();
        let Some(link) = self.link(id) else { return };
        if !link.up.dead {
            link.up.end(at, Up::Closed);
        }
        link.down.dead = true;
        let lost = link.down.parcels.iter().any(|(_, parcel)| enables(parcel));
        link.down.parcels.clear();
        self.enabled_lost |= lost;
    }

    /// All sockets are cut.
    pub fn cut_all(&mut self, now: Instant) {
        let links: Vec<u64> = self.links.iter().map(|link| link.id).collect();
        for id in links {
            self.cut(now, id, Some(Millis(1)));
        }
    }

    /// The server is gone: all that was under way with it. Some clients are not even told.
    pub fn lose_all(&mut self, now: Instant) {
        for at in 0..self.links.len() {
            let told = self.dice.chance(800).then_some(Millis(1));
            let link = &mut self.links[at];
            link.up.parcels.clear();
            link.up.dead = true;
            link.cut_at = None;
            if !link.down.dead {
                link.down.cut(&mut self.dice);
                if let Some(told) = told {
                    link.down.end(now + told, Down::Closed);
                }
            }
        }
    }

    /// When the next thing happens.
    pub fn next_arrival(&self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for link in &self.links {
            let up = link.up.parcels.front().map(|(at, _)| *at);
            let down = link.down.parcels.front().map(|(at, _)| *at);
            let arrivals = [up, down].into_iter().flatten();
            let due = arrivals
                .map(|at| at.max(link.still_until))
                .chain(link.cut_at);
            next = due.chain(next).min();
        }
        next
    }

    /// What has arrived, in the order it did.
    pub fn arrived(&mut self, now: Instant) -> Vec<(u64, Arrival)> {
        let mut due = Vec::new();
        for at in 0..self.links.len() {
            let link = &self.links[at];
            if link.cut_at.is_some_and(|at| at <= now) {
                let (id, noticed) = (link.id, self.delay());
                self.cut(now, id, Some(noticed));
            }
            let link = &mut self.links[at];
            if link.still_until > now {
                continue;
            }
            while link.up.parcels.front().is_some_and(|(at, _)| *at <= now) {
                if let Some((at, parcel)) = link.up.parcels.pop_front() {
                    due.push((at, link.id, Arrival::Up(parcel)));
                }
            }
            while link.down.parcels.front().is_some_and(|(at, _)| *at <= now) {
                if let Some((at, parcel)) = link.down.parcels.pop_front() {
                    due.push((at, link.id, Arrival::Down(parcel)));
                }
            }
        }
        self.links.retain(|link| {
            let idle = link.up.parcels.is_empty() && link.down.parcels.is_empty();
            !(link.up.dead && link.down.dead && idle)
        });
        due.sort_by_key(|(at, ..)| *at);
        due.into_iter()
            .map(|(_, id, arrival)| (id, arrival))
            .collect()
    }
}

fn enables(parcel: &Down) -> bool {
    let Down::Frame(Some(bytes)) = parcel else {
        return false;
    };
    bytes.windows(8).any(|some| some == b"<enabled")
}

/// How many bytes the name of a frame's element takes, with the sign before and the one behind it.
fn name_len(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| b" />".contains(byte));
    end.map_or(bytes.len(), |end| end + 1)
}
