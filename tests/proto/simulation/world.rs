//! One scenario from start to end, and what must hold in it:
//! - messages arrive at the server in the order sent, each once; at the client too (a restart may swallow some, in between too);
//! - every send is settled once; `Delivered` means that the server has it, `Undelivered` that it has not;
//! - never more requests under way than the window allows;
//! - without a restart of the server the session survives, everything drains, and all is `Delivered`;
//! - an idle connection polls and does nothing else.

use super::network::{Network, Parcel, Weather};
use super::server::{Answer, Server};
use crate::support::dialogue::config;
use crate::support::random::Seeded;
use crate::support::unicode::NativeUnicode;
use epode::proto::connection::Connection;
use epode::proto::event::{Delivery, Event, SendId, Status};
use epode::proto::io::{ExchangeId, Input, NetworkFailure, Output, Transmit};
use epode::proto::ns;
use epode::proto::sasl::Credentials;
use epode::proto::time::{Instant, Millis};
use epode::proto::xml::Element;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a seed stands for.
#[derive(Debug)]
pub struct Scenario {
    seed: u64,
    weather: Weather,
    up: u64,
    down: u64,
    /// For how long faults fly and stanzas are made.
    span: Millis,
    restart: bool,
}

impl Scenario {
    pub fn of(seed: u64) -> Self {
        let mut random = Seeded(seed);
        let mut pick = |values: &[u64]| values[(random.next() % values.len() as u64) as usize];
        Self {
            seed,
            weather: Weather {
                per_mille: pick(&[0, 20, 100, 300]),
                slowest: pick(&[5, 80, 900]),
            },
            up: pick(&[0, 1, 10, 60]),
            down: pick(&[0, 1, 10, 60]),
            span: Millis(pick(&[200, 5_000, 40_000])),
            restart: pick(&[0, 0, 0, 0, 1]) == 1,
        }
    }
}

/// What happened in all scenarios together.
#[derive(Default)]
pub struct Tally {
    pub faults: u64,
    pub restarts: u64,
    pub requests: u64,
    pub delivered_up: u64,
    pub delivered_down: u64,
    pub unknown: u64,
    pub undelivered: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.faults += other.faults;
        self.restarts += other.restarts;
        self.requests += other.requests;
        self.delivered_up += other.delivered_up;
        self.delivered_down += other.delivered_down;
        self.unknown += other.unknown;
        self.undelivered += other.undelivered;
    }

    pub fn line(&self, seeds: u64) -> String {
        format!(
            "simulation: {seeds} scenarios, {} faults, {} server restarts, {} requests; {} messages up and {} down: 0 lost, 0 twice, 0 out of order; after restarts {} unknown, {} undelivered, all told",
            self.faults,
            self.restarts,
            self.requests,
            self.delivered_up,
            self.delivered_down,
            self.unknown,
            self.undelivered
        )
    }
}

pub struct World {
    scenario: Scenario,
    now: Instant,
    random: Seeded,
    connection: Connection,
    timeout: Option<Instant>,
    network: Network,
    server: Server,
    /// HTTP connections by what the client calls them.
    open: BTreeMap<u64, ExchangeId>,
    next_connection: u64,
    most_open: usize,
    online: bool,
    offline: bool,
    sent: Vec<SendId>,
    settled: BTreeMap<SendId, Delivery>,
    received: Vec<String>,
    pushed: u64,
    trace: bool,
}

impl World {
    pub fn new(scenario: Scenario) -> Self {
        let random = Box::new(Seeded(scenario.seed.wrapping_mul(31)));
        Self {
            now: Instant(1_000),
            random: Seeded(scenario.seed ^ 0x0077_6f72_6c64),
            connection: Connection::new(config(), Rc::new(NativeUnicode), random),
            timeout: None,
            network: Network::new(
                scenario.seed,
                Weather {
                    per_mille: 0,
                    ..scenario.weather
                },
            ),
            server: Server::default(),
            open: BTreeMap::new(),
            next_connection: 0,
            most_open: 0,
            online: false,
            offline: false,
            sent: Vec::new(),
            settled: BTreeMap::new(),
            received: Vec::new(),
            pushed: 0,
            trace: std::env::var_os("EPODE_SIM_TRACE").is_some(),
            scenario,
        }
    }

    pub fn run(mut self) -> Tally {
        self.log_in();
        self.network = Network::new(self.scenario.seed, self.scenario.weather);
        self.talk();
        self.network.heal();
        self.drain();
        self.judge();
        Tally {
            faults: self.network.faults,
            restarts: u64::from(self.scenario.restart),
            requests: self.server.requests,
            delivered_up: self.server.received.len() as u64,
            delivered_down: self.received.len() as u64,
            unknown: self.count(Delivery::Unknown),
            undelivered: self.count(Delivery::Undelivered),
        }
    }

    fn count(&self, what: Delivery) -> u64 {
        self.settled
            .values()
            .filter(|&&delivery| delivery == what)
            .count() as u64
    }

    /// Before the weather turns: a login that breaks is begun anew by whoever wants it, which is not the matter here.
    fn log_in(&mut self) {
        assert!(self.connection.connect(self.now));
        self.connection
            .handle_input(self.now, Input::Credentials(Some(Credentials::Anonymous)));
        self.poll();
        let deadline = self.now + Millis::seconds(30);
        while !self.online && self.now < deadline {
            self.step(deadline);
        }
        assert!(self.online, "not online");
    }

    fn talk(&mut self) {
        let Scenario {
            up,
            down,
            span,
            restart,
            ..
        } = self.scenario;
        let start = self.now;
        let mut moments: Vec<(u64, u8)> = Vec::new();
        for (count, what) in [(up, 0), (down, 1), (u64::from(restart), 2)] {
            for _ in 0..count {
                moments.push((self.random.next() % span.0, what));
            }
        }
        moments.sort_unstable();
        for (moment, what) in moments {
            let at = start + Millis(moment);
            while self.now < at {
                self.step(at);
            }
            match what {
                0 => self.say(),
                1 => self.push(),
                _ => self.restart(),
            }
        }
        let end = start + span;
        while self.now < end {
            self.step(end);
        }
    }

    /// The page says something, if it can.
    fn say(&mut self) {
        let id = format!("up{}", self.sent.len());
        let message = Element::builder("message", ns::CLIENT)
            .attr("id", &id)
            .build();
        if let Ok(send) = self.connection.send(message) {
            self.sent.push(send);
            self.poll();
        }
    }

    /// The server says something, if somebody is there.
    fn push(&mut self) {
        let mut out = Vec::new();
        let id = format!("down{}", self.pushed);
        if self.server.push(&id, self.now, &mut out) {
            self.pushed += 1;
        }
        self.carry(out);
    }

    /// The server goes, and with it all connections to it.
    fn restart(&mut self) {
        self.server.restart();
        self.network.lose_all();
        let connections: Vec<u64> = self.open.keys().copied().collect();
        for connection in connections {
            self.network.cut(self.now, connection);
        }
    }

    /// Enough time for the longest back-off and the longest wait; then a quiet hour, to see what an idle connection does.
    fn drain(&mut self) {
        let end = self.now + Millis::seconds(200);
        while self.now < end {
            self.step(end);
        }
        let before = self.server.requests;
        let hour = self.now + Millis::seconds(3_600);
        while self.now < hour {
            self.step(hour);
        }
        let polls = self.server.requests - before;
        assert!(polls <= 62, "a busy loop: {polls} requests in a quiet hour");
    }

    fn judge(&self) {
        assert!(self.most_open <= 3, "{} requests under way", self.most_open);
        assert_eq!(
            self.settled.len(),
            self.sent.len(),
            "sends that are never settled"
        );
        let numbers: Vec<u64> = self
            .received
            .iter()
            .map(|id| id.trim_start_matches("down").parse().expect("a number"))
            .collect();
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "doubled or out of order on the way down: {numbers:?}"
        );
        let mut position = 0;
        for (index, send) in self.sent.iter().enumerate() {
            let id = format!("up{index}");
            let arrived = self.server.received.get(position) == Some(&id);
            position += usize::from(arrived);
            match self.settled[send] {
                Delivery::Delivered => assert!(arrived, "{id} is called delivered and is not"),
                Delivery::Undelivered => {
                    assert!(!arrived, "{id} is called undelivered and has arrived")
                }
                Delivery::Unknown => {}
            }
        }
        assert_eq!(
            position,
            self.server.received.len(),
            "doubled or out of order on the way up"
        );
        if self.scenario.restart {
            return;
        }
        assert!(!self.offline, "the session was lost");
        assert_eq!(
            self.received.len() as u64,
            self.pushed,
            "lost on the way down"
        );
        assert_eq!(
            self.count(Delivery::Delivered),
            self.sent.len() as u64,
            "not all delivered"
        );
    }

    // ── the machinery ───────────────────────────────────────────────────────────────────────────────────────────────

    /// On to whatever happens next, at `end` at the latest.
    fn step(&mut self, end: Instant) {
        let due = [
            self.timeout,
            self.network.next_arrival(),
            self.server.deadline(),
        ];
        let next = due.into_iter().flatten().min().unwrap_or(end).min(end);
        self.now = next.max(self.now);
        let mut out = Vec::new();
        self.server.tick(self.now, &mut out);
        for parcel in self.network.arrived(self.now) {
            match parcel {
                Parcel::Request { connection, body } => {
                    self.server.request(connection, &body, self.now, &mut out);
                }
                Parcel::Answer {
                    connection,
                    status,
                    body,
                } => {
                    if let Some(exchange) = self.open.remove(&connection) {
                        let content_type = Some("text/xml; charset=utf-8".to_owned());
                        self.feed(Input::HttpAnswered {
                            exchange,
                            status,
                            content_type,
                            body,
                        });
                    }
                }
                Parcel::Broken { connection } => {
                    if let Some(exchange) = self.open.remove(&connection) {
                        let failure = NetworkFailure::Unreachable;
                        self.feed(Input::HttpFailed { exchange, failure });
                    }
                }
            }
        }
        self.carry(out);
        if self.timeout.is_some_and(|at| self.now >= at) {
            self.connection.handle_timeout(self.now);
            self.poll();
            assert!(
                self.timeout.is_none_or(|at| at > self.now),
                "a timeout that does not pass"
            );
        }
    }

    /// For whoever replays a seed: what travels, when, with EPODE_SIM_TRACE set.
    fn tell(&self, line: impl FnOnce() -> String) {
        if self.trace {
            println!("{} {}", self.now.0, line());
        }
    }

    fn carry(&mut self, out: Vec<Answer>) {
        for Answer { connection, body } in out {
            self.tell(|| format!("S{connection} {body:?}"));
            match body {
                Some(body) => self.network.answer(self.now, connection, body),
                None => self.network.cut(self.now, connection),
            }
        }
    }

    fn feed(&mut self, input: Input) {
        self.connection.handle_input(self.now, input);
        self.poll();
    }

    fn poll(&mut self) {
        loop {
            match self.connection.poll_output(self.now) {
                Output::Transmit(Transmit::Http { exchange, body, .. }) => {
                    self.next_connection += 1;
                    self.open.insert(self.next_connection, exchange);
                    self.most_open = self.most_open.max(self.open.len());
                    self.tell(|| format!("C{} {body}", self.next_connection));
                    self.network
                        .send(self.now, self.next_connection, body.to_string());
                }
                Output::Transmit(Transmit::CancelHttp(exchange)) => {
                    self.open.retain(|_, known| *known != exchange);
                }
                Output::Transmit(
                    Transmit::OpenSocket { .. } | Transmit::Frame { .. } | Transmit::CloseSocket(_),
                ) => panic!("a socket, over BOSH"),
                Output::Event(event) => self.note(event),
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Status(Status::Online(_)) => self.online = true,
            Event::Status(Status::Offline(_)) => self.offline = true,
            Event::Settled { send, delivery } => {
                self.tell(|| format!("E {send:?} {delivery:?}"));
                let before = self.settled.insert(send, delivery);
                assert!(before.is_none(), "settled twice");
            }
            Event::Stanza(stanza) if stanza.name() == "message" => {
                self.received
                    .push(stanza.attr("id").expect("an id").to_owned());
            }
            _ => {}
        }
    }
}
