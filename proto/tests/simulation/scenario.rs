//! What a seed stands for, and what came of all of them together.

use super::dice::Dice;
use super::extras::{ExtraCounts, Extras};
use super::faults::{Faults, Weather};
use super::judge::WRONGS;
use super::rooms::{Figures, Plan};
use super::server::{Abilities, Management};
use epode_proto::time::Millis;

/// Over what, and whether it is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One BOSH session, which must survive whatever happens to its requests.
    Bosh,
    /// BOSH; what breaks is made again, and so are restarted servers' sessions.
    BoshAgain,
    /// WebSocket to a server with stream management.
    Socket,
    /// WebSocket to a server without.
    PlainSocket,
    /// WebSocket that is not made again.
    SocketOnce,
    /// WebSocket first, BOSH when that fails.
    Either,
    /// Any of these; letters are exchanged for others.
    Garbled,
}

const KINDS: [(Kind, &str); 7] = [
    (Kind::Bosh, "one BOSH session"),
    (Kind::BoshAgain, "BOSH, reconnecting"),
    (Kind::Socket, "WebSocket with stream management"),
    (Kind::PlainSocket, "WebSocket without it"),
    (Kind::SocketOnce, "WebSocket, not reconnecting"),
    (Kind::Either, "WebSocket or BOSH"),
    (Kind::Garbled, "any, with other letters"),
];

/// One scenario.
#[derive(Debug)]
pub struct Scenario {
    pub seed: u64,
    pub kind: Kind,
    pub abilities: Abilities,
    pub weather: Weather,
    /// How much the page says, the server says, and the page asks.
    pub up: u64,
    pub down: u64,
    pub asks: u64,
    /// For how long faults fly and stanzas are made.
    pub span: Millis,
    /// The login is in the same weather.
    pub early: bool,
    pub restarts: u64,
    pub freezes: u64,
    pub wakes: u64,
    pub reloads: u64,
    /// How long no socket opens, from the beginning.
    pub socketless: Millis,
    /// The page leaves in the midst of it.
    pub leaves: bool,
    /// How many take part in the step of a new session.
    pub participants: u64,
    pub rooms: Plan,
    /// How often the page watches a node more or less, and changes its handlers.
    pub watches: u64,
    /// How often the page is hidden or visible again.
    pub turns: u64,
    pub handlers: u64,
    pub extras: Extras,
}

impl Scenario {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "scenario");
        // What can be resumed is where the most can go wrong.
        let kind = match seed % 8 {
            7 => Kind::Socket,
            other => KINDS[other as usize].0,
        };
        let strict = kind == Kind::Bosh;
        let sometimes = |dice: &mut Dice, most: u64| match dice.below(3) {
            0 => dice.below(most + 1),
            _ => 0,
        };
        let over_bosh = matches!(kind, Kind::Bosh | Kind::BoshAgain);
        // What breaks a request breaks a socket.
        let per_mille = match over_bosh {
            true => dice.pick(&[0, 20, 100, 300]),
            false => dice.pick(&[0, 10, 30, 60, 200]),
        };
        let management = match kind {
            Kind::PlainSocket => Management::None,
            Kind::Socket => {
                dice.pick(&[Management::Resumes, Management::Resumes, Management::Acks])
            }
            _ => dice.pick(&[Management::None, Management::Acks, Management::Resumes]),
        };
        let extras = Extras::of(seed, kind);
        let keeps = dice.pick(&[2, 15, 600, 600, 600]);
        Self {
            seed,
            kind,
            abilities: Abilities {
                management,
                keeps,
                says: if dice.chance(500) { keeps } else { 600 },
                tells_h: dice.chance(500),
                hold: match (dice.pick(&[1, 1, 2]), extras.polling) {
                    (_, Some(_)) => 0,
                    // A page cannot know what was agreed on in a web server's session, and takes it for this.
                    _ if extras.attaches => 1,
                    (hold, None) => hold,
                },
                acks: dice.chance(500),
                scram: has_accounts(seed, kind),
            },
            weather: Weather {
                per_mille,
                slowest: dice.pick(&[5, 80, 900]),
                late: !strict && dice.chance(300),
                spoils: dice.chance(400),
                garbles: kind == Kind::Garbled,
            },
            up: dice.pick(&[0, 3, 20, 60]),
            down: dice.pick(&[0, 3, 20, 60]),
            asks: dice.pick(&[0, 1, 10]),
            span: Millis(dice.pick(&[200, 5_000, 40_000, 120_000])),
            early: !strict && dice.chance(500),
            restarts: if dice.chance(200) {
                1 + sometimes(&mut dice, 2)
            } else {
                0
            },
            freezes: if strict { 0 } else { sometimes(&mut dice, 3) },
            wakes: sometimes(&mut dice, 5),
            reloads: sometimes(&mut dice, 3),
            socketless: match kind {
                Kind::Either => Millis(dice.pick(&[0, 0, 5_000, 60_000])),
                _ => Millis(0),
            },
            leaves: dice.chance(200),
            participants: sometimes(&mut dice, 2),
            watches: sometimes(&mut dice, 4),
            handlers: sometimes(&mut dice, 6),
            turns: sometimes(&mut Dice::new(seed, "visibility"), 4),
            rooms: Plan::of(&mut Dice::new(seed, "plan")),
            extras,
        }
    }

    /// Is what breaks made again?
    pub fn reconnects(&self) -> bool {
        !matches!(self.kind, Kind::Bosh | Kind::SocketOnce)
    }

    pub fn over_bosh(&self) -> bool {
        match self.kind {
            Kind::Bosh | Kind::BoshAgain | Kind::Either => true,
            Kind::Garbled => (self.seed / 8).is_multiple_of(2),
            Kind::Socket | Kind::PlainSocket | Kind::SocketOnce => false,
        }
    }

    pub fn over_sockets(&self) -> bool {
        self.kind == Kind::Either || !self.over_bosh()
    }
}

/// Whether accounts log in. (Other letters make a login fail, which ends it.)
pub fn has_accounts(seed: u64, kind: Kind) -> bool {
    kind != Kind::Garbled && (seed / 32).is_multiple_of(2)
}

/// What happened in all scenarios together.
#[derive(Default)]
pub struct Tally {
    pub kinds: [u64; KINDS.len()],
    pub faults: Faults,
    pub up: u64,
    pub down: u64,
    pub replies: u64,
    pub unknown: u64,
    pub undelivered: u64,
    pub went_down: u64,
    pub interrupted: u64,
    pub reconnected: u64,
    pub resumed: u64,
    pub requests: u64,
    pub overtakes: u64,
    pub frames: u64,
    pub rooms: Figures,
    pub handled: u64,
    pub presences: u64,
    pub capabilities: u64,
    pub extras: ExtraCounts,
    pub wrong: [u64; WRONGS],
}

impl Tally {
    pub fn lines(&self, seeds: u64) -> String {
        let mut lines = format!("simulation: {seeds} scenarios\n");
        for ((_, name), count) in KINDS.iter().zip(self.kinds) {
            lines.push_str(&format!("    {count:>9} {name}\n"));
        }
        lines.push_str(&format!(
            "  {} faults\n{}",
            self.faults.total(),
            self.faults.lines()
        ));
        lines.push_str(&format!(
            "  {} requests, {} of them before an earlier one, {} frames; {} interruptions, {} new sessions after them, {} resumed\n",
            self.requests, self.overtakes, self.frames, self.interrupted, self.reconnected, self.resumed
        ));
        lines.push_str(&format!(
            "  {} messages up, {} down, {} replies; {} up told as unknown, {} as undelivered; {} down went with their session\n",
            self.up, self.down, self.replies, self.unknown, self.undelivered, self.went_down
        ));
        lines.push_str(&self.rooms.line());
        lines.push_str(&format!(
            "  {} calls of handlers; {} presences, {} answers to what they announce\n",
            self.handled, self.presences, self.capabilities
        ));
        lines.push_str(&self.extras.lines());
        let [lost, doubled, disordered, untold, restless] = self.wrong;
        lines.push_str(&format!(
            "  {lost} lost, {doubled} twice, {disordered} out of order, {untold} told wrongly or not at all, {restless} too busy or stuck"
        ));
        lines
    }
}

/// Where `kind` is counted.
pub fn index(kind: Kind) -> usize {
    KINDS
        .iter()
        .position(|(known, _)| *known == kind)
        .unwrap_or_default()
}
