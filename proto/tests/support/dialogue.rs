//! Dialogues: tests of a [`Connection`] that read like the wire, in virtual time.
//!
//! ```text
//! C: <body rid='1' …/>          the next request; structural comparison; `*` is any value, `$name` captures one
//! C: again 1                    the request with that rid is repeated, byte for byte
//! C: cancel 1                   the exchange of that rid is aborted
//! S: <body …/>                  the response to the oldest open exchange: 200, text/xml
//! S#2: <body …/>                the response to the open exchange of rid 2
//! S@3: <body …/>                the response to the third exchange of the dialogue, open or not
//! S 502 text/html: …            a response with exactly these bytes (also `S#2 502: …`)
//! F: unreachable                the oldest exchange fails (also blocked, mixed, too-large, redirected; `F#2`, `F@3`)
//! C: socket wss://…             a WebSocket is requested;  C: close  it is closed
//! C: <message …/>               a frame is sent
//! W: <message …/>               a frame is received; `raw …`: with these bytes; also opened, opened without xmpp, binary, oversized, closed
//! +30s                          time passes; timeouts fire at their due times (also 500ms); `+due`: until the next one
//! E: online romeo@example.org/x the next event, in the words of `tell`
//! A: send <message/>            the application acts: connect, disconnect, abort, send, request [5s], forget 0,
//!                               wake, pause, leave, return, hidden, visible, forfeit, attach SID RID, attach alone SID RID,
//!                               credentials NAME PASSWORD, token WORD, anonymous, external, no credentials, tap;
//!                               connect with credentials …: they are given before the first request;
//!                               derived 0, refused 0: the platform's result of the derivation with that number
//! ```
//!
//! rids and acks are counted from the dialogue's first request. `sid` may be left out. Each output and event must be written before
//! the next act or input. In addition each dialogue checks these rules: rids go up by one, a repetition has the same bytes, only open
//! exchanges are cancelled, the window is kept, and no timeout lies in the past.

mod acts;
mod deriving;
mod handover;

pub use deriving::Platform;

use super::random::Seeded;
use super::script::{Names, Step, millis, rebuild, steps, xml};
use super::tell::tell;
use super::unicode::NativeUnicode;
use epode_proto::connection::{Config, Connection};
use epode_proto::event::{Event, Interruption, Status};
use epode_proto::io::{
    DerivationId, ExchangeId, Input, NetworkFailure, Output, SocketId, Transmit,
};
use epode_proto::ns;
use epode_proto::reconnect::Reconnect;
use epode_proto::sasl::Derivation;
use epode_proto::session::{Goal, SessionConfig};
use epode_proto::time::{Instant, Millis};
use epode_proto::transport::bosh::BoshConfig;
use epode_proto::transport::{Kind, Service};
use epode_proto::xml::{Element, Limits, parse};
use std::collections::VecDeque;
use std::rc::Rc;

struct Exchange {
    id: ExchangeId,
    rid: u64,
    body: Rc<str>,
    terminate: bool,
    open: bool,
}

/// What the connection did to the network and the script has not said yet.
#[derive(Debug)]
enum Act {
    Request(usize),
    /// By rid, counted from the session's first.
    Again(u64),
    Cancel(u64),
    /// A socket is to be opened, there.
    Socket(Rc<str>),
    Frame(Rc<str>),
    CloseSocket,
}

/// A connection, its network and its clock.
pub struct Dialogue {
    pub connection: Connection,
    pub now: Instant,
    pub names: Names,
    exchanges: Vec<Exchange>,
    /// Where the last request went, and whether as to a foreign origin.
    pub posted: Option<(Rc<str>, bool)>,
    acts: VecDeque<Act>,
    events: VecDeque<Event>,
    timeout: Option<Instant>,
    /// The rid before the first one.
    base: u64,
    last_rid: Option<u64>,
    /// Where the exchanges of this session begin.
    first: usize,
    sid: Option<String>,
    window: usize,
    /// Where the exchanges of this connection begin.
    own: usize,
    /// The WebSocket that was asked for last, until it is closed.
    socket: Option<SocketId>,
    /// The application has said that it may be gone the next moment.
    leaving: bool,
    /// Is it said when requests break, and no longer do? One dialogue is about that; the others need not say it.
    pub tells_trouble: bool,
    /// Is it said when something is learned for the next login?
    pub tells_learned: bool,
    /// What the platform does about derivations, and all that it was asked for.
    pub platform: Platform,
    pub derivations: Vec<(DerivationId, Derivation)>,
}

/// A session for `example.org`, where passwords may be shown, with 30 seconds for connecting.
pub fn config() -> Config {
    Config {
        session: SessionConfig {
            goal: Goal::Login,
            domain: "example.org".into(),
            account: None,
            resource: None,
            plain_text_allowed: true,
            mechanisms: None,
            pipelining: false,
        },
        services: vec![service(Kind::Bosh, "https://example.org/http-bind")],
        bosh: BoshConfig {
            address: "".into(),
            foreign: false,
            to: "example.org".into(),
            from: None,
            lang: None,
            wait: 60,
            hold: 1,
            pauses: Reconnect::default(),
            keys: false,
            // What this is about is in dialogues/pacing.rs; in the others a request is where its cause is.
            spaced: false,
            limits: Limits::default(),
            route: None,
            by_hand: false,
        },
        timeout: Millis::seconds(30),
        reconnect: None,
        stream_management: true,
        silence: Millis::seconds(30),
    }
}

/// A service to connect to.
pub fn service(kind: Kind, address: &str) -> Service {
    Service {
        kind,
        address: address.into(),
        confidential: false,
    }
}

/// The same session, over WebSocket.
pub fn socket_config() -> Config {
    Config {
        services: vec![service(Kind::WebSocket, "wss://example.org/ws")],
        ..config()
    }
}

impl Dialogue {
    /// Not connected yet.
    pub fn new(config: Config) -> Self {
        let random = Box::new(Seeded(7));
        Self {
            connection: Connection::new(config, Rc::new(NativeUnicode), random),
            now: Instant(1_000_000),
            names: Names::default(),
            exchanges: Vec::new(),
            posted: None,
            acts: VecDeque::new(),
            events: VecDeque::new(),
            timeout: None,
            base: 0,
            last_rid: None,
            first: 0,
            own: 0,
            sid: None,
            window: 1,
            socket: None,
            leaving: false,
            tells_trouble: true,
            tells_learned: false,
            platform: Platform::Derives,
            derivations: Vec::new(),
        }
    }

    /// Logged in as `romeo@example.org/orchard`, with one empty request out: rid 1 from here on. `session` are the
    /// attributes of the session answer beside `sid`.
    pub fn online(session: &str) -> Self {
        Self::online_with(config(), session)
    }

    /// The same, configured.
    pub fn online_with(config: Config, session: &str) -> Self {
        let mut dialogue = Self::new(config);
        dialogue.log_in(session);
        dialogue
    }

    /// Logs in, from offline.
    pub fn log_in(&mut self, session: &str) {
        self.tells_trouble = false;
        self.play(
            "A: connect
             E: connecting
             E: credentials wanted",
        );
        self.finish_login(session);
        self.play("+50ms");
        self.expect_request();
        self.count_from_here();
    }

    /// From the session request until online.
    pub fn finish_login(&mut self, session: &str) {
        self.expect_request();
        self.play(&format!(
            "A: anonymous
             S: <body sid='s1' {session}><stream:features>
                  <sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms>
                </stream:features></body>
             E: authenticating"
        ));
        self.expect_request();
        self.play("S: <body><sasl:success/></body>");
        self.expect_request();
        self.play(
            "S: <body><stream:features><bind:bind/></stream:features></body>
             E: binding",
        );
        let bind = self.expect_request();
        let iq = bind.child("iq", ns::CLIENT).expect("a bind request");
        self.names.set("bind", iq.attr("id").expect("an id"));
        self.play(
            "S: <body><iq type='result' id='$bind'>
                  <bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq></body>
             E: online romeo@example.org/orchard",
        );
    }

    /// Logged in over WebSocket as `romeo@example.org/orchard`. `features` are those of the bound stream beside binding.
    pub fn online_over_socket(config: Config, features: &str) -> Self {
        let mut dialogue = Self::new(config);
        dialogue.play(
            "A: connect
             E: connecting
             E: credentials wanted
             C: socket
             A: anonymous",
        );
        dialogue.log_in_over_socket(features);
        dialogue.play("E: online romeo@example.org/orchard");
        dialogue
    }

    /// From the open socket until bound; the credentials are given.
    pub fn log_in_over_socket(&mut self, features: &str) {
        self.authenticate_over_socket(features);
        let Some(Act::Frame(text)) = self.acts.pop_front() else {
            panic!("a bind request was expected\n{}", self.unsaid());
        };
        let bind = parse(text.as_bytes().to_vec(), &Limits::default()).expect("XML");
        self.names.set("bind", bind.attr("id").expect("an id"));
        self.events
            .retain(|event| !matches!(tell(event).0.as_str(), "binding"));
        self.play(
            "W: <iq type='result' id='$bind'>
               <bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>",
        );
    }

    /// From the open socket until the second features.
    pub fn authenticate_over_socket(&mut self, features: &str) {
        self.play(
            "W: opened
             C: <framing:open to='example.org' version='1.0'/>
             W: <framing:open from='example.org' id='s1' version='1.0'/>
             W: <stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms></stream:features>",
        );
        self.events
            .retain(|event| !matches!(tell(event).0.as_str(), "authenticating"));
        self.play(&format!(
            "C: <sasl:auth mechanism='ANONYMOUS'/>
             W: <sasl:success/>
             C: <framing:open to='example.org' version='1.0'/>
             W: <framing:open from='example.org' id='s2' version='1.0'/>
             W: <stream:features><bind:bind/>{features}</stream:features>"
        ));
    }

    /// The last request is rid 1 from now on.
    pub fn count_from_here(&mut self) {
        self.base = self.exchanges.last().map_or(0, |exchange| exchange.rid - 1);
    }

    /// How many requests there were, repetitions among them.
    pub fn exchange_count(&self) -> usize {
        self.exchanges.len()
    }

    /// The next request, whatever it is.
    #[track_caller]
    pub fn expect_request(&mut self) -> Element {
        match self.acts.pop_front() {
            Some(Act::Request(index)) => parse_body(&self.exchanges[index].body),
            other => panic!("a request was expected, not {other:?}"),
        }
    }

    /// The next event is an interruption.
    #[track_caller]
    pub fn interrupted(&mut self) {
        let words = self.next_words();
        assert!(words.starts_with("interrupted"), "{words}");
    }

    /// The next event, in words.
    #[track_caller]
    pub fn next_words(&mut self) -> String {
        tell(&self.events.pop_front().expect("an event")).0
    }

    /// The next event, an interruption.
    #[track_caller]
    pub fn next_interruption(&mut self) -> Interruption {
        match self.events.pop_front() {
            Some(Event::Status(Status::Interrupted(interruption))) => *interruption,
            other => panic!("an interruption was expected, not {other:?}"),
        }
    }

    /// Whether something happened that was not said.
    pub fn said_anything(&self) -> bool {
        !self.acts.is_empty() || !self.events.is_empty()
    }

    /// A frame comes, and nothing that follows from it is taken.
    pub fn quietly(&mut self, text: &str) {
        let input = Input::SocketFrame {
            socket: self.socket.expect("a socket"),
            text: Some(text.as_bytes().to_vec()),
            frame: 0,
        };
        self.connection.handle_input(self.now, input);
    }

    /// What happened and was not said need not be.
    pub fn forgive(&mut self) {
        self.acts.clear();
        self.events.clear();
    }

    /// Plays a script.
    #[track_caller]
    pub fn play(&mut self, script: &str) {
        for step in steps(script) {
            match step.tag.as_bytes()[0] {
                b'C' => self.check_act(&step),
                b'E' => self.check_event(&step),
                kind => {
                    self.check_silence(&step.tag, &step.rest);
                    match kind {
                        b'+' if step.rest == "due" => {
                            let due = self.timeout.expect("something is due");
                            self.pass((due - self.now).0);
                        }
                        b'+' => self.pass(millis(&step.rest)),
                        b'S' => self.answer(&step),
                        b'F' => self.fail(&step),
                        b'W' => self.frame(&step.rest),
                        _ => self.act(&step.rest),
                    }
                }
            }
        }
    }

    // ── what was done ───────────────────────────────────────────────────────────────────────────────────────────────

    #[track_caller]
    fn check_silence(&self, tag: &str, rest: &str) {
        assert!(
            self.acts.is_empty() && self.events.is_empty(),
            "unsaid before {tag} {rest}\n{}",
            self.unsaid()
        );
    }

    fn unsaid(&self) -> String {
        let mut lines = String::new();
        for act in &self.acts {
            match act {
                Act::Request(index) => {
                    let exchange = &self.exchanges[*index];
                    let rid = exchange.rid - self.base;
                    lines.push_str(&format!("C (rid {rid}): {}\n", exchange.body));
                }
                other => lines.push_str(&format!("C: {other:?}\n")),
            }
        }
        for event in &self.events {
            let (words, element) = tell(event);
            let element = element.map(|element| element.to_xml()).unwrap_or_default();
            lines.push_str(&format!("E: {words} {element}\n"));
        }
        lines
    }

    #[track_caller]
    fn check_act(&mut self, step: &Step) {
        let Some(act) = self.acts.pop_front() else {
            panic!("silence instead of C: {}\n{}", step.rest, self.unsaid());
        };
        let mut words = step.rest.split_whitespace();
        match (words.next(), &act) {
            // One of a session that is over by the time it is looked at.
            (Some("cancel"), Act::Cancel(_)) if step.rest.ends_with('*') => {}
            (Some("again"), Act::Again(rid)) | (Some("cancel"), Act::Cancel(rid)) => {
                let expected: u64 = words.next().expect("a rid").parse().expect("a rid");
                assert_eq!(*rid, expected, "C: {}", step.rest);
            }
            (Some(word), Act::Request(index)) if word.starts_with('<') => {
                let expected = xml(&step.rest);
                let actual = self.relative(&parse_body(&self.exchanges[*index].body), &expected);
                if let Some(difference) = self.names.difference(&expected, &actual) {
                    panic!("{difference}\nC: {}\nis {actual:?}", step.rest);
                }
            }
            (Some("socket"), Act::Socket(address)) => {
                if let Some(expected) = words.next() {
                    assert_eq!(&**address, expected, "C: {}", step.rest);
                }
            }
            (Some("close"), Act::CloseSocket) => {}
            (Some(word), Act::Frame(text)) if word.starts_with('<') => {
                let actual = parse(text.as_bytes().to_vec(), &Limits::default());
                let actual = rebuild(&actual.expect("XML"), false, &mut |_, _, value| {
                    Some(value.to_owned())
                });
                let expected = xml(&step.rest);
                if let Some(difference) = self.names.difference(&expected, &actual) {
                    panic!("{difference}\nC: {}\nis {text}", step.rest);
                }
            }
            (_, Act::Frame(text)) => panic!("C: {} is {text}", step.rest),
            (_, Act::Request(index)) => {
                panic!("C: {} is {}", step.rest, self.exchanges[*index].body);
            }
            _ => panic!("C: {} is {act:?} (base {})", step.rest, self.base),
        }
    }

    /// A body as the script would have it: rid and ack counted from the first, a known sid left out.
    fn relative(&self, body: &Element, expected: &Element) -> Element {
        let (base, sid) = (self.base, self.sid.as_deref());
        let keeps_sid = expected.attr("sid").is_some();
        rebuild(
            body,
            false,
            &mut |element, name, value| match (element, name) {
                ("body", "rid" | "ack") => match value.parse::<u64>() {
                    Ok(rid) if rid >= base => Some((rid - base).to_string()),
                    _ => Some(value.to_owned()),
                },
                ("body", "sid") if !keeps_sid && Some(value) == sid => None,
                _ => Some(value.to_owned()),
            },
        )
    }

    #[track_caller]
    fn check_event(&mut self, step: &Step) {
        let Some(event) = self.events.pop_front() else {
            panic!("silence instead of E: {}\n{}", step.rest, self.unsaid());
        };
        let (words, actual) = tell(&event);
        let (expected_words, expected) = match step.rest.find('<') {
            Some(at) => step.rest.split_at(at),
            None => (step.rest.as_str(), ""),
        };
        let said = actual.as_ref().map(Element::to_xml).unwrap_or_default();
        assert_eq!(words, expected_words.trim(), "E: {} {said}", step.rest);
        if !expected.is_empty() {
            let actual = actual.unwrap_or_else(|| panic!("no element in E: {words}"));
            if let Some(difference) = self.names.difference(&xml(expected), &actual) {
                panic!("{difference}\nE: {}\nis {actual:?}", step.rest);
            }
        }
    }

    // ── what is done ────────────────────────────────────────────────────────────────────────────────────────────────

    /// The exchange that a tag speaks of: `S#2` by rid, `S@3` by number, else the oldest open one.
    #[track_caller]
    fn exchange(&mut self, tag: &str) -> ExchangeId {
        let which = tag.split_whitespace().next().expect("a tag");
        let position = if let Some((_, rid)) = which.split_once('#') {
            let rid = rid.parse::<u64>().expect("a rid") + self.base;
            self.position(|exchange| exchange.rid == rid)
        } else if let Some((_, number)) = which.split_once('@') {
            Some(number.parse::<usize>().expect("a number") - 1)
        } else {
            self.position(|_| true)
        };
        let position = position.unwrap_or_else(|| panic!("{tag}: no such open exchange"));
        self.exchanges[position].open = false;
        self.exchanges[position].id
    }

    /// The oldest open exchange of this session that fits.
    fn position(&self, fits: impl Fn(&Exchange) -> bool) -> Option<usize> {
        let mut exchanges = self.exchanges.iter().enumerate().skip(self.first);
        let found = exchanges.find(|(_, exchange)| exchange.open && fits(exchange));
        found.map(|(position, _)| position)
    }

    #[track_caller]
    fn answer(&mut self, step: &Step) {
        let exchange = self.exchange(&step.tag);
        let mut words = step.tag.split_whitespace().skip(1);
        let (status, content_type, body) = match words.next() {
            Some(status) => (
                status.parse().expect("an HTTP status"),
                words.next().map(str::to_owned),
                step.rest.clone().into_bytes(),
            ),
            None => {
                let body = self.names.fill(&xml(&step.rest));
                self.note_session(&body);
                let base = self.base;
                let body = rebuild(&body, false, &mut |element, name, value| {
                    let relative = element == "body" && matches!(name, "ack" | "report");
                    Some(match value.parse::<u64>() {
                        Ok(rid) if relative => rid.saturating_add(base).to_string(),
                        _ => value.to_owned(),
                    })
                });
                let bytes = body.to_xml().into_bytes();
                (200, Some("text/xml; charset=utf-8".to_owned()), bytes)
            }
        };
        self.input(Input::HttpAnswered {
            exchange,
            status,
            content_type,
            body,
        });
    }

    /// What the session answer says that the connection is held to.
    fn note_session(&mut self, body: &Element) {
        if let Some(sid) = body.attr("sid").filter(|_| self.sid.is_none()) {
            self.sid = Some(sid.to_owned());
            let number = |name: &str| body.attr(name).and_then(|value| value.parse().ok());
            let without = number("hold").unwrap_or(1_usize).saturating_add(1);
            self.window = number("requests").unwrap_or(without).max(1);
        }
    }

    #[track_caller]
    fn fail(&mut self, step: &Step) {
        let exchange = self.exchange(&step.tag);
        let failure = match step.rest.as_str() {
            "unreachable" => NetworkFailure::Unreachable,
            "blocked" => NetworkFailure::BlockedByCors,
            "mixed" => NetworkFailure::MixedContent,
            "too-large" => NetworkFailure::TooLarge,
            "redirected" => NetworkFailure::Redirected,
            "no-fetch" => NetworkFailure::Unsupported("fetch"),
            other => panic!("no such failure: {other}"),
        };
        self.input(Input::HttpFailed { exchange, failure });
    }

    /// What the server, or the network, does with the WebSocket.
    #[track_caller]
    fn frame(&mut self, what: &str) {
        let socket = self.socket.expect("no socket is open");
        let input = match what {
            "opened" | "opened without xmpp" => Input::SocketOpened {
                socket,
                subprotocol: what == "opened",
            },
            "closed" => {
                self.socket = None;
                let failure = NetworkFailure::Unreachable;
                Input::SocketClosed { socket, failure }
            }
            "binary" => Input::SocketFrame {
                socket,
                text: None,
                frame: 0,
            },
            "oversized" => Input::SocketFrameTooLarge { socket },
            "raw" => Input::SocketFrame {
                socket,
                text: Some(b" ".to_vec()),
                frame: 0,
            },
            text => {
                let text = match text.strip_prefix("raw ") {
                    Some(raw) => raw.to_owned(),
                    None => self.names.fill(&xml(text)).to_xml(),
                };
                let text = Some(text.into_bytes());
                Input::SocketFrame {
                    socket,
                    text,
                    frame: 0,
                }
            }
        };
        self.input(input);
    }

    #[track_caller]
    fn input(&mut self, input: Input) {
        self.connection.handle_input(self.now, input);
        self.drain();
    }

    #[track_caller]
    fn pass(&mut self, span: u64) {
        let until = self.now + Millis(span);
        while let Some(at) = self.timeout.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.connection.handle_timeout(self.now);
            self.drain();
            assert!(
                self.timeout.is_none_or(|next| next > self.now),
                "a timeout that has passed is asked for again"
            );
        }
        self.now = until;
    }

    // ── what follows ────────────────────────────────────────────────────────────────────────────────────────────────

    #[track_caller]
    fn drain(&mut self) {
        loop {
            match self.connection.poll_output(self.now) {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Event(Event::Status(Status::Interrupted(_) | Status::Resumed(_)))
                    if !self.tells_trouble => {}
                Output::Event(Event::Learned) if !self.tells_learned => {}
                Output::Event(event) => self.events.push_back(event),
                Output::Derive { id, derivation } => self.note_derivation(id, derivation),
                Output::Transmit(Transmit::Http {
                    exchange,
                    body,
                    farewell,
                    address,
                    foreign,
                }) => {
                    self.posted = Some((address, foreign));
                    self.note(exchange, body, farewell);
                }
                Output::Transmit(Transmit::OpenSocket { socket, address }) => {
                    assert!(self.socket.is_none(), "two sockets at once");
                    self.socket = Some(socket);
                    self.acts.push_back(Act::Socket(address));
                }
                Output::Transmit(Transmit::Frame { socket, text }) => {
                    assert_eq!(self.socket, Some(socket), "a frame on another socket");
                    self.acts.push_back(Act::Frame(text));
                }
                Output::Transmit(Transmit::CloseSocket(socket)) => {
                    assert_eq!(self.socket, Some(socket), "another socket is closed");
                    self.socket = None;
                    self.acts.push_back(Act::CloseSocket);
                }
                Output::Transmit(Transmit::CancelHttp(id)) => {
                    let exchange = self
                        .exchanges
                        .iter_mut()
                        .find(|exchange| exchange.id == id && exchange.open)
                        .expect("only an open exchange is cancelled");
                    exchange.open = false;
                    self.acts.push_back(Act::Cancel(exchange.rid - self.base));
                }
            }
        }
    }

    #[track_caller]
    fn note(&mut self, id: ExchangeId, body: Rc<str>, farewell: bool) {
        let element = parse_body(&body);
        let rid: u64 = element
            .attr("rid")
            .and_then(|rid| rid.parse().ok())
            .unwrap_or_else(|| panic!("no rid: {body}"));
        assert!(
            rid < 1 << 53,
            "a rid that not everybody can count to: {rid}"
        );
        let terminate = element.attr("type") == Some("terminate");
        let pauses = element.attr("pause").is_some();
        let last = terminate || pauses || self.leaving;
        assert_eq!(farewell, last, "is it the last? {body}");
        let mut own = self.exchanges.iter().skip(self.own);
        let earlier = own.all(|exchange| exchange.id < id);
        assert!(earlier, "an exchange's name is used again");
        if element.attr("sid").is_none() {
            // A new session, in place of one that was lost.
            self.base = 0;
            self.sid = None;
            self.window = 1;
            self.last_rid = None;
            self.first = self.exchanges.len();
        }
        if self.base == 0 {
            self.base = rid - 1;
        }
        let mut before = self.exchanges.iter().filter(|exchange| exchange.rid == rid);
        if let Some(original) = before.next() {
            let leaving = self.leaving;
            assert_eq!(
                original.body, body,
                "a repetition is the same, byte for byte"
            );
            let flies = original.open || before.any(|exchange| exchange.open);
            assert!(!flies || leaving, "repeated while it is still open: {body}");
            self.acts.push_back(Act::Again(rid - self.base));
        } else {
            let in_turn = self.last_rid.is_none_or(|last| rid == last + 1);
            assert!(in_turn, "rids go up by one: {body}");
            self.last_rid = Some(rid);
            self.acts.push_back(Act::Request(self.exchanges.len()));
        }
        self.exchanges.push(Exchange {
            id,
            rid,
            body,
            terminate: farewell,
            open: true,
        });
        let session = self.exchanges.iter().skip(self.first);
        let open = session.filter(|exchange| exchange.open);
        let (farewells, others): (Vec<_>, Vec<_>) = open.partition(|exchange| exchange.terminate);
        assert!(
            others.len() <= self.window && (farewells.len() <= 1 || self.leaving),
            "{} requests are open, and the window is {}",
            others.len(),
            self.window
        );
    }
}

/// What happened last must be written down as well.
impl Drop for Dialogue {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_silence("the end", "");
        }
    }
}

fn parse_body(body: &str) -> Element {
    let element = parse(body.as_bytes().to_vec(), &Limits::default()).expect("well-formed XML");
    assert!(element.is("body", ns::HTTP_BIND), "{body}");
    element
}
