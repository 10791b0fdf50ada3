//! A shell for arbitrary steps: it does to a connection whatever it is told, and checks after each step what must hold whatever comes.
//!
//! No panic; BOSH's window is kept, and a repetition is the same; there is one socket, and frames go to it while it is open;
//! each stanza and each request is settled once; no page's stanza leaves before the session is bound; messages leave in order;
//! what happens to the status makes sense; and the connection either ends or asks to be woken at a later time.
//! While the server at the other end of a socket is honest: each message arrives once, in order, or is not called delivered.

mod http;
mod pages;
mod socket;
mod words;

pub use http::body;
pub use words::{ATTRIBUTES, PAYLOADS, SESSIONS, WAYS, Way};

use super::random::Seeded;
use super::script::xml;
use super::unicode::NativeUnicode;
use epode_proto::connection::Connection;
use epode_proto::event::{Delivery, Event, IqId, SendId, Status};
use epode_proto::io::{Input, NetworkFailure, Output, Transmit};
use epode_proto::ns;
use epode_proto::sasl::Credentials;
use epode_proto::time::{Instant, Millis};
use epode_proto::transport::Kind;
use epode_proto::xml::{Element, Limits, parse};
use http::Http;
use socket::Socket;
use std::rc::Rc;

/// One thing that happens. A number chooses among those that there are, by its remainder.
#[derive(Clone, Debug)]
pub enum Step {
    Connect,
    Disconnect,
    Abort,
    /// The network is said to be there again.
    Wake,
    Send,
    Request(Option<u64>),
    Forget(usize),
    Credentials(u8),
    Tap(bool),
    /// A server that does what it should. Over a socket, an odd number: it has forgotten the session.
    Serve(usize, Vec<&'static str>),
    /// One that does not.
    Answer(usize, u16, Option<&'static str>, Vec<u8>),
    Fail(usize, NetworkFailure),
    /// The socket opens; false: not for XMPP.
    Open(bool),
    /// A frame from somebody else; `None` for a binary one.
    Frame(Option<Vec<u8>>),
    /// The socket is gone, after so many frames have arrived.
    Lose(usize, NetworkFailure),
    /// The page is about to sleep.
    Pause,
    /// The page is loaded anew, after so many frames have arrived, and goes on with the session if it can.
    Reload(usize),
    /// Somebody has written something where a page keeps its session (true) or what it remembers of a service.
    Tamper(bool, String),
    /// Time passes: timeouts fire in time, or (a suspended page) much too late.
    Pass(u64, bool),
}

/// Where the page believes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Offline,
    Connecting,
    Online,
    Interrupted,
}

/// A shell, and what it has seen.
pub struct Shell {
    connection: Connection,
    now: Instant,
    timeout: Option<Instant>,
    way: Way,
    http: Http,
    socket: Socket,
    last_id: String,
    /// How many messages the page has sent; they are numbered.
    messages: u64,
    /// The last of them that has left, ever and in this session or on this socket.
    left: u64,
    order: u64,
    /// Those that are not settled.
    sends: Vec<(SendId, u64)>,
    requests: Vec<IqId>,
    place: Place,
    leaving: bool,
    /// Is the stream one whose session is bound, or was it at some time of what is drained?
    bound: bool,
    /// Has a stanza of the page left in what is drained?
    pages_stanza: bool,
    wants_credentials: bool,
    /// The session is one that another page had.
    restored: bool,
    /// … or one that somebody wrote: then anything may leave.
    tampered: bool,
    seed: u64,
    /// EPODE_TRACE is set: everything is told, for whoever looks into a failure.
    traced: bool,
}

impl Shell {
    /// Offline. `session` is what the server says when it opens one over BOSH.
    pub fn new(session: &'static str, way: Way, seed: u64) -> Self {
        Self {
            connection: connection(way, seed),
            now: Instant(seed % 3),
            timeout: None,
            way,
            http: Http::new(session),
            socket: Socket::default(),
            last_id: String::new(),
            messages: 0,
            left: 0,
            order: 0,
            sends: Vec::new(),
            requests: Vec::new(),
            place: Place::Offline,
            leaving: false,
            bound: false,
            pages_stanza: false,
            wants_credentials: false,
            restored: false,
            tampered: false,
            seed,
            traced: std::env::var_os("EPODE_TRACE").is_some(),
        }
    }

    /// Does it, and drains.
    pub fn step(&mut self, step: Step) {
        let now = self.now;
        self.tell("step", &step);
        match step {
            Step::Connect => {
                let offline = self.connection.is_offline();
                assert_eq!(self.connection.connect(now), offline);
                self.leaving &= !offline;
                self.restored &= !offline;
            }
            Step::Disconnect => {
                self.leaving |= !self.connection.is_offline();
                self.connection.disconnect(now);
            }
            Step::Abort => self.connection.abort(now),
            Step::Wake => self.connection.wake(now),
            Step::Send => {
                let number = self.messages + 1;
                let message = xml(&format!("<message id='{number}'/>"));
                if let Ok(id) = self.connection.send(message) {
                    assert!(self.has_session() && !self.leaving);
                    self.messages = number;
                    self.sends.push((id, number));
                }
            }
            Step::Request(timeout) => {
                let ping = xml("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
                if let Ok(id) = self.connection.request(now, ping, timeout.map(Millis)) {
                    assert!(self.has_session() && !self.leaving);
                    self.requests.push(id);
                }
            }
            Step::Forget(which) => {
                if !self.requests.is_empty() {
                    let id = self.requests.remove(which % self.requests.len());
                    self.connection.forget(id);
                }
            }
            Step::Credentials(kind) => self.give_credentials(kind),
            Step::Tap(on) => self.connection.tap(on),
            Step::Serve(which, payloads) => self.serve(which, &payloads),
            Step::Answer(which, status, content_type, body) => {
                self.answer_any(which, status, content_type, body);
            }
            Step::Fail(which, failure) => self.fail_any(which, failure),
            Step::Open(subprotocol) => self.open_socket(subprotocol),
            Step::Frame(text) => self.frame(text),
            Step::Lose(arrives, failure) => self.lose_socket(failure, arrives),
            Step::Pause => self.connection.pause(now),
            Step::Reload(arrives) => self.reload(arrives),
            Step::Tamper(true, text) => {
                let text = text.replace("ID", &self.last_id);
                self.restore(&text);
            }
            Step::Tamper(false, text) => self.connection.remember(&text),
            Step::Pass(span, late) => {
                let until = now + Millis(span);
                if !late {
                    self.wake_until(until);
                }
                self.now = until;
                self.connection.handle_timeout(until);
            }
        }
        self.drain();
    }

    fn tell(&self, what: &str, thing: &dyn std::fmt::Debug) {
        if self.traced {
            println!("{} {what} {thing:?}", self.now.0);
        }
    }

    /// Is there a session, or one that may come back?
    fn has_session(&self) -> bool {
        matches!(self.place, Place::Online | Place::Interrupted)
    }

    fn give_credentials(&mut self, kind: u8) {
        let credentials = match kind {
            0 => None,
            1 => Some(Credentials::Password {
                username: "romeo".into(),
                password: "r0m30".into(),
                authzid: None,
            }),
            _ => Some(Credentials::Anonymous),
        };
        self.wants_credentials = false;
        self.input(Input::Credentials(credentials));
    }

    fn input(&mut self, input: Input) {
        match &input {
            Input::HttpAnswered { exchange, body, .. } => {
                self.tell("  answer", &(exchange, String::from_utf8_lossy(body)));
            }
            Input::SocketFrame { text, .. } => {
                let text = text.as_deref().map(String::from_utf8_lossy);
                self.tell("  frame", &text);
            }
            _ => {}
        }
        self.connection.handle_input(self.now, input);
    }

    /// A server's word with the last id that we sent.
    fn with_id(&self, text: Vec<u8>) -> Vec<u8> {
        match std::str::from_utf8(&text) {
            Ok(known) => known.replace("ID", &self.last_id).into_bytes(),
            Err(_) => text,
        }
    }

    fn serve(&mut self, which: usize, payloads: &[&str]) {
        if self.wants_credentials && (self.restored || self.place == Place::Interrupted) {
            // The page has been asked before, and remembers.
            self.give_credentials(2);
            self.drain();
        }
        if self.socket.is_there() {
            self.serve_socket(which % 2 == 1, payloads);
        } else if self.http.open_count() > 0 {
            self.serve_http(which, payloads);
        }
    }

    /// Logs in, once it is connecting; unless polling takes more time than there is.
    pub fn log_in(&mut self) {
        self.step(Step::Credentials(2));
        for _ in 0..20 {
            if self.place == Place::Online {
                return;
            }
            if !self.socket.is_there() && self.http.open_count() == 0 {
                self.step(Step::Pass(10_000, false));
            }
            self.step(Step::Serve(0, Vec::new()));
        }
        assert!(self.http.polls(), "{:?}", self.way);
    }

    /// From now on the server says nothing any more: it does not take for ever to find out.
    pub fn end(mut self) {
        self.wake_until(self.now + Millis::seconds(1200));
        assert_ne!(self.place, Place::Online, "nobody is there");
        if self.way.lasts {
            self.step(Step::Disconnect);
            self.wake_until(self.now + Millis::seconds(60));
        }
        assert!(self.connection.is_offline());
    }

    /// Lets timeouts fire when they are due.
    fn wake_until(&mut self, until: Instant) {
        while let Some(at) = self.timeout.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.connection.handle_timeout(self.now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        self.drain_once();
        if self.timeout.is_some_and(|at| at <= self.now) {
            // What came is not what it waits for; it must say so when it is woken.
            self.connection.handle_timeout(self.now);
            self.drain_once();
            let later = self.timeout.is_none_or(|at| at > self.now);
            assert!(later, "a timeout that has passed is asked for again");
        }
        let offline = self.connection.is_offline();
        assert_eq!(
            self.timeout.is_none(),
            offline,
            "waits for ever, or for nothing"
        );
        assert_eq!(offline, self.place == Place::Offline);
        let addressed = self.connection.jid().is_some();
        assert!(addressed || self.place != Place::Online);
        assert!(!addressed || self.has_session() || self.restored && !offline);
        if offline {
            assert!(self.sends.is_empty(), "not settled: {:?}", self.sends);
            assert!(self.requests.is_empty(), "not settled: {:?}", self.requests);
            assert!(!self.socket.is_there(), "a socket that nobody wants");
        }
        if !self.socket.lied {
            let received = &self.socket.received;
            let rises = received.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(rises, "twice, or out of order: {received:?}");
        }
    }

    fn drain_once(&mut self) {
        self.pages_stanza = false;
        self.drain_all();
        let early = self.pages_stanza && !self.bound;
        assert!(!early || self.tampered, "before the session is bound");
    }

    fn drain_all(&mut self) {
        for _ in 0..20_000 {
            match self.connection.poll_output(self.now) {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Event(event) => {
                    self.tell("  event", &event);
                    self.note_event(event);
                }
                Output::Derive { id, derivation } => {
                    // Every other time the platform does not compute it.
                    let salted_password = (id.0 % 2 == 0).then(|| derivation.compute());
                    let input = Input::Derived {
                        id,
                        salted_password,
                    };
                    self.connection.handle_input(self.now, input);
                }
                Output::Transmit(transmit) => {
                    self.tell("  ", &transmit);
                    self.note_transmit(transmit);
                }
            }
        }
        panic!("it does not come to rest");
    }

    fn note_transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Http { exchange, .. } if self.tampered => {
                self.http.note_anything(exchange);
            }
            Transmit::Frame { .. } if self.tampered => {}
            Transmit::Http {
                exchange,
                body,
                farewell,
                ..
            } => self.note_request(exchange, body, farewell),
            Transmit::CancelHttp(id) => self.http.cancel(id),
            Transmit::OpenSocket { socket, .. } => self.socket.open(socket),
            Transmit::Frame { socket, text } => self.note_frame(socket, text),
            Transmit::CloseSocket(socket) => self.socket.close(socket),
        }
    }

    fn note_event(&mut self, event: Event) {
        match event {
            Event::Status(status) => self.note_status(status),
            Event::CredentialsWanted => {
                let wanted = matches!(self.place, Place::Connecting | Place::Interrupted);
                assert!(wanted && !self.leaving);
                self.wants_credentials = true;
            }
            Event::Stanza(stanza) => {
                assert!(self.has_session() || self.restored);
                if self.socket.is_there() {
                    self.socket.note_heard(&stanza);
                }
            }
            Event::Settled { send, delivery } => {
                let at = self.sends.iter().position(|(known, _)| *known == send);
                let (_, number) = self.sends.remove(at.expect("settled once"));
                self.check_delivery(number, delivery);
            }
            Event::Reply { request, .. } => {
                let at = self.requests.iter().position(|known| *known == request);
                self.requests.remove(at.expect("settled once"));
            }
            Event::Unreadable(_)
            | Event::Hole
            | Event::Learned
            | Event::Registered
            | Event::Sent(_)
            | Event::Received(_) => {}
        }
    }

    fn check_delivery(&self, number: u64, delivery: Delivery) {
        let left = number <= self.left;
        let fits = left || delivery == Delivery::Undelivered || self.tampered;
        assert!(fits, "{delivery:?}");
        let only_sockets = !self.way.services.contains(&Kind::Bosh);
        if only_sockets && !self.socket.lied {
            let arrived = self.socket.received.contains(&number);
            match delivery {
                Delivery::Delivered => assert!(arrived, "{number} has not arrived"),
                Delivery::Undelivered => assert!(!arrived, "{number} has arrived"),
                Delivery::Unknown => {}
            }
        }
    }

    fn note_status(&mut self, status: Status) {
        let from = self.place;
        let fits = match &status {
            Status::Connecting | Status::Authenticating | Status::Binding => {
                matches!(from, Place::Offline | Place::Connecting) && !self.leaving
            }
            Status::Online(_) => {
                matches!(from, Place::Connecting | Place::Interrupted) && !self.leaving
            }
            Status::Resumed(_) => {
                let restored = self.restored && from == Place::Connecting;
                (restored || from == Place::Interrupted) && !self.leaving
            }
            Status::Interrupted(_) => self.has_session() && !self.leaving,
            Status::Disconnecting => self.leaving && from != Place::Offline,
            Status::Offline(_) => from != Place::Offline,
        };
        assert!(fits, "{status:?} from {from:?}");
        self.place = match status {
            Status::Connecting | Status::Authenticating | Status::Binding => Place::Connecting,
            Status::Online(_) | Status::Resumed(_) => Place::Online,
            Status::Interrupted(interruption) => {
                assert!(!interruption.reason.code().is_empty() && interruption.attempt > 0);
                Place::Interrupted
            }
            Status::Disconnecting => from,
            Status::Offline(reason) => {
                assert!(!reason.code().is_empty() && !reason.sentence().is_empty());
                Place::Offline
            }
        };
        self.bound |= self.place == Place::Online;
    }

    /// What leaves, for the first time over BOSH, or in a frame.
    fn note_element(&mut self, element: &Element) {
        let id = element.attr("id").unwrap_or_default();
        match element.name() {
            "message" => {
                let number = id.parse().expect("a number");
                assert!(number > self.order, "twice, or out of order");
                self.order = number;
                self.left = self.left.max(number);
                self.pages_stanza = true;
            }
            "iq" => {
                self.pages_stanza |= element.has_child("ping", ns::PING);
                self.last_id = id.to_owned();
            }
            _ => {}
        }
    }
}

fn connection(way: Way, seed: u64) -> Connection {
    let random = Box::new(Seeded(seed));
    Connection::new(way.config(), Rc::new(NativeUnicode), random)
}

fn read(text: &str) -> Element {
    parse(text.as_bytes().to_vec(), &Limits::default()).expect("well-formed")
}
