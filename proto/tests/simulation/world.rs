//! The machinery: a page's connection, two networks, a server, and time, which goes on to whatever happens next.

use super::dice::Dice;
use super::extras::{KnownTokens, Moved, Nap, services};
use super::faults::{Fault, Faults};
use super::handlers::PageHandlers;
use super::http::{HttpNetwork, Parcel};
use super::judge::{Judge, Wrong};
use super::login::{Deriving, credentials};
use super::pacing::Pace;
use super::resuming::Resumable;
use super::rooms::{EPOCH, PageRooms, is_from_rooms};
use super::scenario::{Kind, Scenario};
use super::server::{Say, Server};
use super::wire::{Arrival, Down, Up, Wire};
use crate::support::channel::client_config;
use crate::support::dialogue::config;
use crate::support::random::Seeded;
use crate::support::unicode::NativeUnicode;
use epode_proto::client::{
    Client, ClientConfig, ClientEvent, ClientOutput, Notice, ParticipantId, Platform, StepId,
    WatchId,
};
use epode_proto::connection::Config;
use epode_proto::error::CloseReason;
use epode_proto::event::Status;
use epode_proto::handler::Matcher;
use epode_proto::io::{ExchangeId, Input, NetworkFailure, SocketId, Transmit};
use epode_proto::ns;
use epode_proto::reconnect::Reconnect;
use epode_proto::time::{Calendar, Instant, Millis};
use epode_proto::xml::Element;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Everything there is.
pub struct World {
    pub scenario: Scenario,
    pub now: Instant,
    pub dice: Dice,
    pub client: Client,
    pub timeout: Option<Instant>,
    pub http: HttpNetwork,
    pub wire: Wire,
    pub server: Server,
    pub judge: Judge,
    pub faults: Faults,
    /// HTTP connections, and whose answer they bring.
    pub open: BTreeMap<u64, ExchangeId>,
    next_connection: u64,
    /// How many pages there were before this one.
    pages: u64,
    /// The socket that was asked for, and whether it is open.
    pub socket: Option<(SocketId, bool)>,
    /// The socket that was asked for last.
    opened: Option<SocketId>,
    /// No socket opens before.
    pub socketless_until: Instant,
    /// The page does nothing before; what comes meanwhile waits.
    pub frozen_until: Option<Instant>,
    /// When the timer fires that is set for `timeout`.
    fires: Option<Instant>,
    pub pace: Pace,
    pub nap: Nap,
    pub tokens: KnownTokens,
    pub moved: Moved,
    pub resumable: Resumable,
    /// For the extras alone.
    pub extra_dice: Dice,
    inbox: Vec<Input>,
    /// The page's wall clock.
    clock: Rc<Clock>,
    pub rooms: PageRooms,
    pub handlers: PageHandlers,
    pub watches: Vec<WatchId>,
    /// When participants of a session's step will be done.
    parts: Vec<(Instant, StepId, ParticipantId)>,
    pub deriving: Deriving,
    /// How the page sees it.
    pub online: bool,
    pub offline: bool,
    /// It was online since it last was offline: what is sent is kept.
    pub lasting: bool,
    pub leaving: bool,
    pub interrupted: u64,
    /// Since when it is; and how long it ever was.
    pub interrupted_since: Option<Instant>,
    pub longest_interruption: Millis,
    pub sessions: u64,
    pub resumed: u64,
    /// Requests, frames and sockets.
    pub transmits: u64,
    trace: bool,
}

fn configuration(scenario: &Scenario) -> Config {
    let mut plain = config();
    // Every other one says early what it knows.
    plain.bosh.spaced = true;
    plain.bosh.keys = scenario.extras.keys;
    if scenario.extras.polling.is_some() {
        plain.bosh.wait = 0;
        plain.bosh.hold = 0;
    }
    plain.session.account = World::account(scenario.extras.sasl2.is_some());
    plain.session.pipelining = (scenario.seed / 16).is_multiple_of(2);
    Config {
        services: services(
            scenario.over_sockets(),
            scenario.over_bosh(),
            scenario.extras.dead_service,
        ),
        reconnect: scenario.reconnects().then(Reconnect::default),
        ..plain
    }
}

/// A wall clock that somebody sets.
struct Clock(Cell<i64>);

impl Calendar for Clock {
    fn unix_millis(&self) -> i64 {
        self.0.get()
    }

    fn utc_offset_minutes(&self) -> i32 {
        0
    }
}

/// A page's client, with a handler for messages.
fn page(scenario: &Scenario, pages: u64, clock: &Rc<Clock>) -> (Client, PageHandlers) {
    let random = Box::new(Seeded(scenario.seed ^ pages << 48));
    let config = ClientConfig {
        connection: configuration(scenario),
        ..client_config()
    };
    let platform = Platform {
        unicode: Rc::new(NativeUnicode),
        calendar: Rc::<Clock>::clone(clock),
    };
    let mut client = Client::new(config, platform, random);
    let handler = client.add_handler(Matcher {
        name: Some("message".into()),
        ..Matcher::default()
    });
    for _ in 0..scenario.participants {
        client.add_participant();
    }
    (client, PageHandlers::new(handler))
}

impl World {
    pub fn new(scenario: Scenario) -> Self {
        let seed = scenario.seed;
        let clock = Rc::new(Clock(Cell::new(EPOCH)));
        let (client, handlers) = page(&scenario, 0, &clock);
        let now = Instant(1_000_000);
        let judge = Judge::new(scenario.kind == Kind::Garbled);
        let mut world = Self {
            now,
            dice: Dice::new(seed, "world"),
            client,
            timeout: None,
            http: HttpNetwork::new(seed),
            wire: Wire::new(seed),
            server: Server::new(scenario.abilities, seed, &scenario.rooms, &scenario.extras),
            clock,
            rooms: PageRooms::default(),
            handlers,
            watches: Vec::new(),
            judge,
            faults: Faults::default(),
            open: BTreeMap::new(),
            next_connection: 0,
            pages: 0,
            socket: None,
            opened: None,
            socketless_until: now + scenario.socketless,
            frozen_until: None,
            fires: None,
            pace: Pace::default(),
            nap: Nap::default(),
            tokens: KnownTokens::default(),
            moved: Moved::default(),
            resumable: Resumable::default(),
            extra_dice: Dice::new(seed, "extra world"),
            inbox: Vec::new(),
            parts: Vec::new(),
            deriving: Deriving::default(),
            online: false,
            offline: true,
            lasting: false,
            leaving: false,
            interrupted: 0,
            interrupted_since: None,
            longest_interruption: Millis(0),
            sessions: 0,
            resumed: 0,
            transmits: 0,
            trace: std::env::var_os("EPODE_SIM_TRACE").is_some(),
            scenario,
        };
        world.forget_visits();
        world
    }

    /// For whoever replays a seed: what travels, when, with EPODE_SIM_TRACE set.
    pub fn tell(&self, line: impl FnOnce() -> String) {
        if self.trace {
            println!("{} {}", self.now.0, line());
        }
    }

    /// The network's name for a socket of this page.
    fn link(&self, socket: SocketId) -> u64 {
        self.pages << 32 | u64::from(socket.0)
    }

    /// The network's name for the socket there is.
    pub fn socket_link(&self) -> Option<u64> {
        self.socket.map(|(socket, _)| self.link(socket))
    }

    /// Another page is there, and knows nothing.
    pub fn turn_page(&mut self) {
        self.pages += 1;
        self.forget_resumable();
        self.excuse_move();
        let calls = self.handlers.calls;
        (self.client, self.handlers) = page(&self.scenario, self.pages, &self.clock);
        self.handlers.calls = calls;
        self.watches.clear();
        self.forget_visits();
        self.forget_pace();
        self.timeout = None;
        self.fires = None;
        self.parts.clear();
        self.deriving.clear();
        self.socket = None;
        self.online = false;
        self.offline = true;
        self.lasting = false;
        self.interrupted_since = None;
    }

    pub fn run_until(&mut self, end: Instant) {
        while self.now < end {
            self.step(end);
        }
    }

    /// On to whatever happens next, at `end` at the latest.
    pub fn step(&mut self, end: Instant) {
        let frozen = self.frozen_until.is_some();
        let due = [
            self.fires.filter(|_| !frozen),
            self.frozen_until,
            self.parts
                .iter()
                .map(|(at, _, _)| *at)
                .min()
                .filter(|_| !frozen),
            self.deriving.deadline(),
            self.http.next_arrival(),
            self.wire.next_arrival(),
            self.server.deadline(),
        ];
        let next = due.into_iter().flatten().min().unwrap_or(end).min(end);
        self.now = next.max(self.now);
        self.clock
            .0
            .set(EPOCH + self.now.0 as i64 + self.scenario.rooms.skew);
        let mut said = Vec::new();
        self.server.tick(self.now, &mut self.judge, &mut said);
        self.carry(said);
        for parcel in self.http.arrived(self.now) {
            self.hand_over(parcel);
        }
        for (link, arrival) in self.wire.arrived(self.now) {
            match arrival {
                Arrival::Up(up) => self.reach_server(link, up),
                Arrival::Down(down) => self.reach_page(link, down),
            }
        }
        self.finish_derivations();
        if self.frozen_until.is_some_and(|until| self.now >= until) {
            self.thaw();
        }
        if self.frozen_until.is_none() {
            self.finish_parts();
            if self.fires.is_some_and(|at| self.now >= at) {
                self.handle_timeout();
            }
            self.judge_hidden();
            self.judge_waiting();
            self.judge_nap();
        }
    }

    /// What is due; the next attempt may be due at once, too.
    fn handle_timeout(&mut self) {
        for _ in 0..3 {
            self.client.handle_timeout(self.now);
            self.poll();
            if self.fires.is_none_or(|at| at > self.now) {
                return;
            }
        }
        self.judge
            .blame(Wrong::Restless, "a timeout that does not pass");
    }

    /// The tab wakes: what has come is there all at once, and timers fire; in what order, nobody knows.
    pub fn thaw(&mut self) {
        if let Some(until) = self.sleeps_on() {
            self.frozen_until = Some(until);
            return;
        }
        self.tell(|| "the tab wakes".into());
        self.frozen_until = None;
        if self.dice.chance(300) {
            self.client.wake(self.now);
            self.poll();
        }
        if self.dice.chance(500) && self.timeout.is_some_and(|at| self.now >= at) {
            self.handle_timeout();
        }
        let at_once = self.dice.chance(500);
        for input in core::mem::take(&mut self.inbox) {
            self.note_handled(&input);
            self.client.handle_input(self.now, input);
            if !at_once {
                self.poll();
            }
        }
        self.poll();
    }

    fn hand_over(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Request { connection, .. } if self.now < self.server.down_until => {
                self.http.refuse(self.now, connection);
            }
            Parcel::Request { connection, body } if self.redirects_request(connection, &body) => {}
            Parcel::Request { connection, body } => {
                let mut said = Vec::new();
                let judge = &mut self.judge;
                self.server
                    .request(connection, body, self.now, judge, &mut said);
                self.carry(said);
            }
            Parcel::Answer {
                connection,
                status,
                body,
            } => {
                if let Some(exchange) = self.open.remove(&connection) {
                    self.tell(|| {
                        format!("→{connection} {status} {}", String::from_utf8_lossy(&body))
                    });
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
                    self.tell(|| format!("→{connection} broken"));
                    let failure = NetworkFailure::Unreachable;
                    self.feed(Input::HttpFailed { exchange, failure });
                }
            }
        }
    }

    fn reach_server(&mut self, link: u64, up: Up) {
        let closed = self.now < self.server.down_until.max(self.socketless_until);
        if matches!(up, Up::Open) && !closed && self.redirects_socket(link) {
            return;
        }
        let mut said = Vec::new();
        let judge = &mut self.judge;
        match up {
            Up::Open if closed => said.push(Say::Close(link)),
            Up::Open => self.server.sockets.opened(link, &mut said),
            Up::Frame(bytes) => {
                self.server.frame(link, bytes, self.now, judge, &mut said);
            }
            Up::Closed => self.server.sockets.closed(link, self.now, judge),
        }
        self.carry(said);
    }

    fn reach_page(&mut self, link: u64, down: Down) {
        let socket = SocketId(link as u32);
        if self.socket_link() != Some(link) {
            return;
        }
        let input = match down {
            Down::Opened { subprotocol } => {
                self.socket = Some((socket, true));
                self.tell(|| format!("→{link} opened {subprotocol}"));
                Input::SocketOpened {
                    socket,
                    subprotocol,
                }
            }
            Down::Frame(text) => {
                let shown = text.as_deref().map(String::from_utf8_lossy);
                self.tell(|| format!("→{link} {shown:?}"));
                Input::SocketFrame {
                    socket,
                    text,
                    frame: 0,
                }
            }
            Down::Closed => {
                self.socket = None;
                self.tell(|| format!("→{link} closed"));
                let failure = NetworkFailure::Unreachable;
                Input::SocketClosed { socket, failure }
            }
        };
        self.feed(input);
    }

    /// What the server says goes on its way.
    pub fn carry(&mut self, said: Vec<Say>) {
        for say in said {
            match say {
                Say::Answer {
                    connection,
                    body: Some(body),
                } => {
                    self.tell(|| format!("S{connection} {body}"));
                    self.http.answer(self.now, connection, body);
                }
                Say::Answer { connection, .. } => self.http.cut(self.now, connection),
                Say::Accept(link) => self.wire.accept(self.now, link),
                Say::Frame { link, text } => {
                    self.tell(|| format!("S{link} {text}"));
                    self.wire.send_down(self.now, link, &text);
                }
                Say::Close(link) => {
                    self.tell(|| format!("S{link} closes"));
                    self.wire.close(self.now, link);
                }
            }
        }
    }

    pub fn feed(&mut self, input: Input) {
        if self.frozen_until.is_some() {
            self.inbox.push(input);
            return;
        }
        self.note_handled(&input);
        self.client.handle_input(self.now, input);
        self.poll();
    }

    /// The page handles this now. What came on a socket that it has given up meanwhile, as a page does that wakes with its timers
    /// first, tells it nothing.
    fn note_handled(&mut self, input: &Input) {
        self.note_input(input);
        let opened = self.opened;
        if matches!(input, Input::SocketFrame { socket, .. } if Some(*socket) != opened) {
            return;
        }
        self.note_granted(input);
        self.note_moved(input);
        self.note_resumable(input);
    }

    /// As a shell does: drains what there is to do.
    pub fn poll(&mut self) {
        for _ in 0..10_000 {
            match self.client.poll_output(self.now) {
                ClientOutput::Transmit(transmit) => self.transmit(transmit),
                ClientOutput::Event(event) => self.note(event),
                ClientOutput::Derive { id, derivation } => self.derive(id, &derivation),
                ClientOutput::Timeout(at) => {
                    self.timeout = at;
                    self.fires = at.map(|at| self.fires_at(at));
                    return;
                }
            }
        }
        self.judge.blame(Wrong::Restless, "it is never through");
    }

    fn transmit(&mut self, transmit: Transmit) {
        self.transmits += 1;
        match transmit {
            Transmit::Http {
                exchange,
                address,
                foreign,
                body,
                ..
            } => {
                self.next_connection += 1;
                let connection = self.next_connection;
                self.open.insert(connection, exchange);
                self.tell(|| format!("C{connection} {body}"));
                self.judge_pace(exchange, &body);
                self.note_pause(&body);
                let is_there = self.judge_address(&address, foreign, &body);
                self.judge_login(false, &body);
                // One for the good-bye of a session that was given up, too.
                if self.open.len() > self.server.bosh.window() + 2 {
                    self.judge
                        .blame(Wrong::Restless, "too many requests under way");
                }
                if is_there {
                    self.http
                        .send(self.now, connection, body.as_bytes().to_vec());
                } else {
                    self.http.refuse(self.now, connection);
                }
            }
            Transmit::CancelHttp(exchange) => self.open.retain(|_, known| *known != exchange),
            Transmit::OpenSocket { socket, address } => {
                self.tell(|| format!("C{} opens", socket.0));
                if self.socket.replace((socket, false)).is_some() {
                    self.judge.blame(Wrong::Restless, "two sockets at once");
                }
                self.opened = Some(socket);
                let is_there = self.judge_socket_address(&address);
                let link = self.link(socket);
                self.wire.open(self.now, link, is_there);
            }
            Transmit::Frame { socket, text } => {
                self.tell(|| format!("C{} {text}", socket.0));
                // While it was frozen, the socket may have gone without its knowing.
                if self.socket != Some((socket, true)) && self.socket.is_some() {
                    self.judge
                        .blame(Wrong::Disordered, "a frame before the socket is open");
                }
                self.judge_login(true, &text);
                let link = self.link(socket);
                self.wire.send_up(self.now, link, &text);
            }
            Transmit::CloseSocket(socket) => {
                self.tell(|| format!("C{} closes", socket.0));
                if self.socket.is_some_and(|(known, _)| known == socket) {
                    self.socket = None;
                }
                let link = self.link(socket);
                self.wire.hang_up(self.now, link);
            }
        }
    }

    fn note(&mut self, event: ClientEvent) {
        self.tell(|| format!("E {event:?}"));
        match event {
            ClientEvent::Status(status) => self.note_status(status),
            ClientEvent::CredentialsWanted => {
                let credentials = Some(credentials(self.scenario.abilities.scram));
                self.client
                    .handle_input(self.now, Input::Credentials(credentials));
            }
            ClientEvent::Notice(Notice::Unreadable(unreadable)) => {
                self.judge.unread(&unreadable.name)
            }
            ClientEvent::Learned => self.store_memory(),
            ClientEvent::Settled { send, delivery } => self.judge.settled(send, delivery),
            ClientEvent::Reply { request, outcome } => {
                self.judge.replied(request, outcome.is_ok());
            }
            // A room speaks to a page that is not in.
            ClientEvent::Stanza { stanza, .. } if is_from_rooms(&stanza) => {}
            ClientEvent::Room { room, event } => self.note_room(room, &event),
            ClientEvent::RoomClosed { room, .. } => self.note_room_closed(room),
            ClientEvent::RoomDelivery { command, delivery } => {
                self.note_room_delivery(command, delivery);
            }
            ClientEvent::RoomUnsent { command, .. } => self.judge.room_unsent(command),
            ClientEvent::RoomCommand { command, outcome } => {
                self.judge.room_command_settled(command, outcome.is_ok());
            }
            ClientEvent::Stanza { stanza, handlers } => {
                self.judge_handlers(&handlers);
                self.judge.got(stanza.attr("id").unwrap_or_default());
            }
            ClientEvent::SessionStep { step, participants } => {
                for participant in participants {
                    self.take_part(step, participant);
                }
            }
            _ => {}
        }
    }

    /// A participant of a new session's step: quick, slow, or one that never finishes.
    fn take_part(&mut self, step: StepId, participant: ParticipantId) {
        let enable = Element::builder("iq", ns::CLIENT)
            .attr("type", "set")
            .element("enable", "urn:xmpp:carbons:2", |enable| enable)
            .build();
        let timeout = Some(Millis(5_000));
        if let Ok(request) = self
            .client
            .request_restoring(self.now, step, enable, timeout)
        {
            self.judge.asked(request, false);
        }
        match self.dice.below(3) {
            0 => self.client.finish_part(step, participant),
            1 => {
                let after = Millis(1 + self.dice.below(12_000));
                self.parts.push((self.now + after, step, participant));
            }
            _ => {}
        }
    }

    /// Participants that are done by now.
    fn finish_parts(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) =
            self.parts.drain(..).partition(|(at, _, _)| *at <= now);
        self.parts = later;
        for (_, step, participant) in due {
            self.client.finish_part(step, participant);
            self.poll();
        }
    }

    fn note_status(&mut self, status: Status) {
        match status {
            Status::Online(_) => self.judge_new_session(),
            Status::Offline(_) => self.forget_resumable(),
            _ => {}
        }
        if let Status::Interrupted(_) = &status {
            self.interrupted_since.get_or_insert(self.now);
        } else if let Some(since) = self.interrupted_since.take() {
            self.longest_interruption = self.longest_interruption.max(self.now - since);
        }
        if matches!(status, Status::Online(_) | Status::Resumed(_)) {
            self.note_tokens();
        }
        match status {
            Status::Online(_) => {
                self.online = true;
                self.lasting = true;
                self.sessions += 1;
            }
            Status::Resumed(_) => {
                self.online = true;
                self.lasting = true;
                self.resumed += 1;
            }
            Status::Interrupted(_) => {
                self.online = false;
                self.interrupted += 1;
            }
            Status::Offline(reason) => {
                let expected = reason == CloseReason::Requested && self.leaving;
                let given_up = self.lasting && self.scenario.reconnects();
                if given_up && !expected && !self.judge.lenient {
                    let why = format!("it gave up: {reason:?}");
                    self.judge.blame(Wrong::Untold, &why);
                }
                self.online = false;
                self.offline = true;
                self.lasting = false;
            }
            _ => {}
        }
    }

    /// Everything that went wrong, by kind.
    pub fn all_faults(&self) -> Faults {
        let mut all = self.faults.clone();
        all.add(&self.http.faults);
        all.add(&self.wire.faults);
        all.add(&self.judge.rooms.faults);
        all
    }

    pub fn note_fault(&mut self, fault: Fault) {
        self.faults.note(fault);
    }
}

/// A while.
pub fn seconds(count: u64) -> Millis {
    Millis::seconds(count)
}
