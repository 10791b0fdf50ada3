//! Servers that send the page to another address (`see-other-uri`: XEP-0124 §17.2, RFC 7395 §3.6.1), at a login and in a session,
//! and a service before the others that is not there.
//!
//! The same server answers at all addresses. An address that is less secure, or not to be had from where it is named, must not be
//! gone to. In good weather every other one is gone to next; a session's requests all go to one address; a token is shown at the
//! services that the page was configured with.

use super::Extra;
use crate::simulation::dice::Dice;
use crate::simulation::judge::Wrong;
use crate::simulation::scenario::Kind;
use crate::simulation::server::Say;
use crate::simulation::world::World;
use crate::support::dialogue::service;
use epode_proto::io::Input;
use epode_proto::ns;
use epode_proto::transport::{Kind as Carrier, Service};
use epode_proto::xml::{Limits, parse};
use std::collections::BTreeMap;

const SOCKET: &str = "wss://example.org/ws";
const BOSH: &str = "https://example.org/http-bind";
const DEAD_SOCKET: &str = "wss://gone.example.org/ws";
const DEAD_BOSH: &str = "https://gone.example.org/http-bind";
/// Where BOSH services send pages: to the same origin, and to another.
const BOSH_NODES: [&str; 2] = [
    "https://example.org/node/2",
    "https://node.example.net/bind",
];
const SOCKET_NODES: [&str; 2] = ["wss://example.org/node/2", "wss://node.example.net/ws"];
/// Where no page may go, from BOSH; the first two from a socket, too.
const TRAPS: [&str; 4] = [
    "http://example.org/http-bind",
    "https://page@trap.example.net/bind",
    "wss://trap.example.net/ws",
    "/http-bind",
];

/// What the servers of one scenario do.
#[derive(Clone, Debug)]
pub struct Moves {
    /// How many logins are sent elsewhere, and how many sessions.
    pub logins: u64,
    pub sessions: u64,
    /// How often, of a thousand, where no page may go.
    traps: u64,
    /// Sockets send to BOSH services, too.
    crosses: bool,
}

impl Moves {
    pub fn of(dice: &mut Dice, kind: Kind) -> Self {
        let strict = matches!(kind, Kind::Bosh | Kind::SocketOnce);
        let traps = dice.pick(&[0, 0, 300]);
        let (logins, sessions) = (dice.below(4), dice.below(3));
        Self {
            logins,
            sessions: if strict { 0 } else { sessions },
            traps: if strict { 0 } else { traps },
            crosses: kind == Kind::Either,
        }
    }
}

/// The services of a page: first one that is not there, where there is such a one.
pub fn services(sockets: bool, bosh: bool, dead: bool) -> Vec<Service> {
    let mut services = Vec::new();
    let (dead_socket, dead_bosh) = (dead && sockets, dead && bosh && !sockets);
    for (is_there, carrier, address) in [
        (dead_socket, Carrier::WebSocket, DEAD_SOCKET),
        (dead_bosh, Carrier::Bosh, DEAD_BOSH),
        (sockets, Carrier::WebSocket, SOCKET),
        (bosh, Carrier::Bosh, BOSH),
    ] {
        if is_there {
            services.push(service(carrier, address));
        }
    }
    services
}

/// Where the page was sent, and went.
#[derive(Default)]
pub struct Moved {
    /// Logins that were sent elsewhere.
    logins: u64,
    /// Where the page was sent to last, if it may go there, and whether it has to go there next.
    last: Option<String>,
    due: bool,
    /// By session, the address of its requests.
    addresses: BTreeMap<String, String>,
    /// Whether the attempt over BOSH and that over a socket are at an address that a server named.
    away: [bool; 2],
}

fn is_configured(address: &str) -> bool {
    matches!(address, SOCKET | BOSH | DEAD_SOCKET | DEAD_BOSH)
}

fn is_dead(address: &str) -> bool {
    matches!(address, DEAD_SOCKET | DEAD_BOSH)
}

fn attribute<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!(" {name}='"))?;
    rest.split('\'').next()
}

impl World {
    // ── the servers ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// The address that a server names now.
    fn choose_address(&mut self, socket: bool) -> &'static str {
        let moves = self.scenario.extras.moves.clone();
        let traps = moves.as_ref().map_or(0, |moves| moves.traps);
        let crosses = moves.is_some_and(|moves| moves.crosses);
        let dice = &mut self.extra_dice;
        if dice.chance(traps) {
            self.judge.extras.note(Extra::SentIntoTrap);
            let some = if socket { 2 } else { TRAPS.len() };
            return dice.pick(&TRAPS[..some]);
        }
        if socket && !(crosses && dice.chance(400)) {
            return dice.pick(&SOCKET_NODES);
        }
        if socket {
            self.judge.extras.note(Extra::SentToBosh);
        }
        dice.pick(&BOSH_NODES)
    }

    /// Whether a login that begins now is sent elsewhere.
    fn moves_login(&self) -> bool {
        let moves = self.scenario.extras.moves.as_ref();
        moves.is_some_and(|moves| moves.logins > self.moved.logins)
    }

    /// A session is asked for over BOSH. True when the page is sent elsewhere.
    pub fn redirects_request(&mut self, connection: u64, body: &[u8]) -> bool {
        let is_new = || {
            parse(body.to_vec(), &Limits::default()).is_ok_and(|body| body.attr("sid").is_none())
        };
        if !self.moves_login() || !is_new() {
            return false;
        }
        self.moved.logins += 1;
        self.judge.extras.note(Extra::MovedAtLogin);
        let address = self.choose_address(false);
        let body = Some(see_other(address));
        self.carry(vec![Say::Answer { connection, body }]);
        true
    }

    /// A socket is asked for. True when the page is sent elsewhere.
    pub fn redirects_socket(&mut self, link: u64) -> bool {
        if !self.moves_login() {
            return false;
        }
        self.moved.logins += 1;
        self.judge.extras.note(Extra::MovedSocketAtLogin);
        let text = close(self.choose_address(true));
        self.carry(vec![Say::Accept(link), Say::Frame { link, text }]);
        true
    }

    /// The server wants the newest session elsewhere.
    pub fn move_session(&mut self) {
        let Some(number) = self.server.newest() else {
            return;
        };
        self.tell(|| format!("session {number} is sent elsewhere"));
        let mut said = Vec::new();
        if self.server.sockets.newest() == Some(number) {
            let text = close(self.choose_address(true));
            let judge = &mut self.judge;
            let moved = self
                .server
                .sockets
                .move_session(number, text, self.now, judge, &mut said);
            if moved {
                self.judge.extras.note(Extra::MovedSocketSession);
            }
        } else {
            let body = see_other(self.choose_address(false));
            let judge = &mut self.judge;
            if self
                .server
                .bosh
                .move_session(number, body, judge, &mut said)
            {
                self.judge.extras.note(Extra::MovedSession);
            }
        }
        self.carry(said);
    }

    // ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Something came that the page is told of now.
    pub fn note_moved(&mut self, input: &Input) {
        if self.scenario.extras.moves.is_none() {
            return;
        }
        let (Input::HttpAnswered { body: bytes, .. }
        | Input::SocketFrame {
            text: Some(bytes), ..
        }) = input
        else {
            return;
        };
        let Ok(element) = parse(bytes.clone(), &Limits::default()) else {
            return;
        };
        let named = match element.attr("see-other-uri") {
            Some(address) => Some(address.to_owned()),
            None => element.child_text("uri", ns::HTTP_BIND),
        };
        let Some(address) = named else { return };
        if TRAPS.contains(&address.as_str()) {
            return;
        }
        let calm = self.is_steady() && self.scenario.extras.naps == 0 && !self.leaving;
        self.moved.due = calm;
        self.moved.last = Some(address);
    }

    /// The page goes to an address with a new session in mind.
    fn judge_attempt(&mut self, socket: bool, address: &str) {
        self.note_attempt(socket);
        let configured = is_configured(address);
        let last = self.moved.last.as_deref() == Some(address);
        self.moved.away[usize::from(socket)] = !configured;
        if !configured && !last {
            let why = format!("the page goes to {address}");
            self.judge.blame(Wrong::Untold, &why);
        }
        if core::mem::take(&mut self.moved.due) && !last {
            let why = format!("the page goes to {address}, and was sent elsewhere");
            self.judge.blame(Wrong::Untold, &why);
        }
        if last {
            self.judge.extras.note(Extra::Followed);
        }
        if is_dead(address) {
            self.judge.extras.note(Extra::ServicePassed);
        }
    }

    /// Whether the attempt, or the session, is at an address that a server named.
    pub fn is_away(&self, socket: bool) -> bool {
        self.moved.away[usize::from(socket)]
    }

    /// A request leaves. False when nothing is at its address.
    pub fn judge_address(&mut self, address: &str, foreign: bool, body: &str) -> bool {
        let abroad = !address.starts_with("https://example.org/");
        if abroad && !is_dead(address) && !foreign || is_configured(address) && foreign {
            let why = "the page's own headers go to another origin, or not to its own";
            self.judge.blame(Wrong::Untold, why);
        }
        match attribute(body, "sid") {
            None => self.judge_attempt(false, address),
            Some(sid) => {
                let addresses = &mut self.moved.addresses;
                let known = addresses
                    .entry(sid.to_owned())
                    .or_insert(address.to_owned());
                if known != address {
                    let why = "a session's request goes to another address";
                    self.judge.blame(Wrong::Disordered, why);
                }
            }
        }
        !is_dead(address)
    }

    /// A socket is asked for. False when nothing is at its address.
    pub fn judge_socket_address(&mut self, address: &str) -> bool {
        self.judge_attempt(true, address);
        !is_dead(address)
    }

    /// The page leaves, or is gone: it need not go where it was sent.
    pub fn excuse_move(&mut self) {
        self.moved.due = false;
    }
}

fn see_other(address: &str) -> String {
    format!(
        "<body xmlns='{}' type='terminate' condition='see-other-uri'><uri>{address}</uri></body>",
        ns::HTTP_BIND
    )
}

fn close(address: &str) -> String {
    format!("<close xmlns='{}' see-other-uri='{address}'/>", ns::FRAMING)
}
