//! A shell for arbitrary steps: it does to a connection whatever it is told, and checks after each step what must hold whatever comes.
//!
//! No panic, the window is kept, each stanza and each request is settled once, no page's stanza leaves before the session is
//! bound, what happens to the status makes sense, and the connection either ends or asks to be woken at a later time.

use super::dialogue::config;
use super::random::Seeded;
use super::script::xml;
use super::unicode::NativeUnicode;
use epode::proto::connection::Connection;
use epode::proto::event::{Delivery, Event, IqId, SendId, Status};
use epode::proto::io::{ExchangeId, Input, NetworkFailure, Output, Transmit};
use epode::proto::ns;
use epode::proto::sasl::Credentials;
use epode::proto::session::Goal;
use epode::proto::time::{Instant, Millis};
use epode::proto::xml::{Element, Limits, parse};
use std::rc::Rc;

/// One thing that happens. A number chooses among those that there are, by its remainder.
#[derive(Clone, Debug)]
pub enum Step {
    Connect,
    Disconnect,
    Abort,
    Send,
    Request(Option<u64>),
    Forget(usize),
    Credentials(u8),
    Tap(bool),
    /// A server that does what it should.
    Serve(usize, Vec<&'static str>),
    /// One that does not.
    Answer(usize, u16, Option<&'static str>, Vec<u8>),
    Fail(usize, NetworkFailure),
    /// Time passes: timeouts fire in time, or (a suspended page) much too late.
    Pass(u64, bool),
}

/// What a server may put into a body; `ID` is the last id that we sent.
pub const PAYLOADS: [&str; 16] = [
    "<message id='in'/>",
    "<message xmlns='urn:example'/>",
    "<iq type='result' id='ID'/>",
    "<iq type='error' id='ID'/>",
    "<iq type='result' id='ID' from='mallory@example.com'/>",
    "<iq type='get' id='ID' from='juliet@example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='result' id='ID'><bind:bind><bind:jid>romeo@example.org/orchard</bind:jid></bind:bind></iq>",
    "<iq type='result' id='ID'><register:query><register:username/></register:query></iq>",
    "<stream:features><bind:bind/><session:session/></stream:features>",
    "<stream:features><sasl:mechanisms><sasl:mechanism>SCRAM-SHA-1</sasl:mechanism></sasl:mechanisms></stream:features>",
    "<stream:features/>",
    "<stream:error/>",
    "<sasl:success/>",
    "<sasl:challenge>AAAA</sasl:challenge>",
    "<sasl:failure/>",
    "text",
];

/// What a server may say of a body.
pub const ATTRIBUTES: [&str; 14] = [
    "",
    "",
    "",
    "",
    "type='terminate'",
    "type='terminate' condition='item-not-found'",
    "type='error'",
    "type='unheard-of'",
    "sid='other' requests='9'",
    "sid=''",
    "ack='1'",
    "ack='99999999999999999'",
    "ack='-1'",
    "wait='0' hold='0' polling='0'",
];

/// What it may say when it opens a session.
pub const SESSIONS: [&str; 8] = [
    "wait='60' hold='1' requests='2' inactivity='60' polling='5'",
    "wait='60' hold='1' requests='2' ack='1'",
    "wait='60' hold='1'",
    "wait='10' hold='2' requests='3' inactivity='3'",
    "wait='60' hold='0' requests='1' polling='10'",
    "requests='0' polling='0' wait='x'",
    "requests='5' hold='4' inactivity='18446744073709551615'",
    "wait='18446744073709551615' polling='18446744073709551615'",
];

struct Exchange {
    id: ExchangeId,
    rid: u64,
    body: Rc<str>,
    open: bool,
    session: bool,
    terminate: bool,
}

/// A shell, and what it has seen.
pub struct Shell {
    connection: Connection,
    now: Instant,
    timeout: Option<Instant>,
    exchanges: Vec<Exchange>,
    /// Where those of this session begin.
    first: usize,
    session: &'static str,
    window: usize,
    last_id: String,
    /// How many messages the page has sent; they are numbered.
    messages: u64,
    /// The last of them that has left.
    left: u64,
    /// Those that are not settled.
    sends: Vec<(SendId, u64)>,
    requests: Vec<IqId>,
    online: bool,
    leaving: bool,
}

impl Shell {
    /// Offline. `session` is what the server says when it opens one.
    pub fn new(session: &'static str, registers: bool, seed: u64) -> Self {
        let mut config = config();
        if registers {
            config.session.goal = Goal::Register(vec![("username".into(), "romeo".into())]);
        }
        let random = Box::new(Seeded(seed));
        Self {
            connection: Connection::new(config, Rc::new(NativeUnicode), random),
            now: Instant(seed % 3),
            timeout: None,
            exchanges: Vec::new(),
            first: 0,
            session,
            window: 1,
            last_id: String::new(),
            messages: 0,
            left: 0,
            sends: Vec::new(),
            requests: Vec::new(),
            online: false,
            leaving: false,
        }
    }

    /// Does it, and drains.
    pub fn step(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Connect => {
                let offline = self.connection.is_offline();
                assert_eq!(self.connection.connect(now), offline);
                if offline {
                    self.first = self.exchanges.len();
                    self.window = 1;
                    self.leaving = false;
                }
            }
            Step::Disconnect => {
                self.leaving |= !self.connection.is_offline();
                self.connection.disconnect(now);
            }
            Step::Abort => self.connection.abort(now),
            Step::Send => {
                let number = self.messages + 1;
                let message = xml(&format!("<message id='{number}'/>"));
                if let Ok(id) = self.connection.send(message) {
                    assert!(self.online && !self.leaving);
                    self.messages = number;
                    self.sends.push((id, number));
                }
            }
            Step::Request(timeout) => {
                let ping = xml("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
                if let Ok(id) = self.connection.request(now, ping, timeout.map(Millis)) {
                    assert!(self.online && !self.leaving);
                    self.requests.push(id);
                }
            }
            Step::Forget(which) => {
                if !self.requests.is_empty() {
                    let id = self.requests.remove(which % self.requests.len());
                    self.connection.forget(id);
                }
            }
            Step::Credentials(kind) => {
                let credentials = match kind {
                    0 => None,
                    1 => Some(Credentials::Password {
                        username: "romeo".into(),
                        password: "r0m30".into(),
                        authzid: None,
                    }),
                    _ => Some(Credentials::Anonymous),
                };
                let input = Input::Credentials(credentials);
                self.connection.handle_input(now, input);
            }
            Step::Tap(on) => self.connection.tap(on),
            Step::Serve(which, payloads) => {
                let open = self
                    .exchanges
                    .iter()
                    .filter(|exchange| exchange.open)
                    .count();
                if open > 0 {
                    self.serve(which % open, &payloads);
                }
            }
            Step::Answer(which, status, content_type, body) => {
                if let Some(at) = self.choose(which) {
                    let text = String::from_utf8_lossy(&body).replace("ID", &self.last_id);
                    let body = match std::str::from_utf8(&body) {
                        Ok(_) => text.into_bytes(),
                        Err(_) => body,
                    };
                    self.answer(at, status, content_type, body);
                }
            }
            Step::Fail(which, failure) => {
                if let Some(at) = self.choose(which) {
                    self.exchanges[at].open = false;
                    let exchange = self.exchanges[at].id;
                    let input = Input::HttpFailed { exchange, failure };
                    self.connection.handle_input(now, input);
                }
            }
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

    /// Logs in, once it is connecting.
    pub fn log_in(&mut self) {
        self.step(Step::Credentials(2));
        for _ in 0..4 {
            self.serve(0, &[]);
            self.drain();
        }
        assert!(self.online, "{}", self.session);
    }

    /// Any exchange, open or not, mostly the last ones.
    fn choose(&self, which: usize) -> Option<usize> {
        let count = self.exchanges.len();
        let recent = count.min(4);
        (count > 0).then(|| count - recent + which % recent)
    }

    /// Answers one of the open exchanges as a server does.
    fn serve(&mut self, which: usize, payloads: &[&str]) {
        let mut open = (0..self.exchanges.len()).filter(|at| self.exchanges[*at].open);
        let at = open.nth(which).expect("an open exchange");
        let request = parse_body(&self.exchanges[at].body);
        let has = |name: &str| request.children().any(|child| child.name() == name);
        let bind = request
            .children()
            .find(|child| child.children().any(|child| child.name() == "bind"));
        let text = if request.attr("sid").is_none() {
            format!(
                "<body sid='s' {}><stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism>
                 </sasl:mechanisms></stream:features></body>",
                self.session
            )
        } else if request.attr("type").is_some() {
            "<body type='terminate'/>".into()
        } else if request
            .attributes()
            .any(|attribute| attribute.name == "restart")
        {
            "<body><stream:features><bind:bind/></stream:features></body>".into()
        } else if has("auth") {
            "<body><sasl:success/></body>".into()
        } else if let Some(id) = bind.as_ref().and_then(|iq| iq.attr("id")) {
            format!("<body>{}</body>", PAYLOADS[6].replace("ID", id))
        } else {
            format!(
                "<body>{}</body>",
                payloads.concat().replace("ID", &self.last_id)
            )
        };
        self.answer(at, 200, Some("text/xml"), xml(&text).to_xml().into_bytes());
    }

    fn answer(&mut self, at: usize, status: u16, content_type: Option<&str>, body: Vec<u8>) {
        let exchange = &mut self.exchanges[at];
        let opens = exchange.session && exchange.open && at >= self.first;
        exchange.open = false;
        let exchange = exchange.id;
        if opens && let Ok(body) = parse(body.clone(), &Limits::default()) {
            let number = |name: &str| body.attr(name).and_then(|value| value.parse().ok());
            let without = number("hold").unwrap_or(1_usize).saturating_add(1);
            self.window = number("requests").unwrap_or(without).max(1);
        }
        let input = Input::HttpAnswered {
            exchange,
            status,
            content_type: content_type.map(str::to_owned),
            body,
        };
        self.connection.handle_input(self.now, input);
    }

    /// From now on the server says nothing any more: it does not take for ever to find out.
    pub fn end(mut self) {
        let end = self.now + Millis::seconds(3600);
        self.wake_until(end);
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
        assert_eq!(self.connection.jid().is_some(), self.online);
        if offline {
            assert!(self.sends.is_empty(), "not settled: {:?}", self.sends);
            assert!(self.requests.is_empty(), "not settled: {:?}", self.requests);
        }
    }

    fn drain_once(&mut self) {
        let listens = self.connection.only_listens() == Some(true);
        let before = self.exchanges.len();
        self.drain_all();
        let sent = &self.exchanges[before..];
        let said = sent
            .iter()
            .any(|exchange| parse_body(&exchange.body).children().count() > 0);
        let more = said || sent.len() > 1;
        assert!(!listens || !more, "it only listened, and said something");
    }

    fn drain_all(&mut self) {
        for _ in 0..1000 {
            match self.connection.poll_output(self.now) {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Event(event) => self.note_event(event),
                Output::Transmit(Transmit::Http {
                    exchange,
                    body,
                    farewell,
                    ..
                }) => {
                    assert_eq!(farewell, body.contains("type='terminate'"));
                    self.note_request(exchange, body);
                }
                Output::Transmit(
                    Transmit::OpenSocket { .. } | Transmit::Frame { .. } | Transmit::CloseSocket(_),
                ) => panic!("a socket, over BOSH"),
                Output::Transmit(Transmit::CancelHttp(id)) => {
                    let mut exchanges = self.exchanges.iter_mut();
                    let cancelled = exchanges.find(|exchange| exchange.id == id && exchange.open);
                    cancelled.expect("only what is open is cancelled").open = false;
                }
            }
        }
        panic!("it does not come to rest");
    }

    fn note_event(&mut self, event: Event) {
        match event {
            Event::Status(Status::Online(_)) => {
                assert!(!self.online && !self.leaving);
                self.online = true;
            }
            Event::Status(Status::Offline(reason)) => {
                assert!(!reason.code().is_empty() && !reason.advice().is_empty());
                self.online = false;
            }
            Event::Status(Status::Disconnecting) => assert!(self.leaving),
            Event::Status(Status::Interrupted(_) | Status::Resumed(_)) => assert!(self.online),
            Event::Status(_) | Event::CredentialsWanted => {
                assert!(!self.online && !self.leaving);
            }
            Event::Stanza(_) => assert!(self.online),
            Event::Settled { send, delivery } => {
                let at = self.sends.iter().position(|(known, _)| *known == send);
                let (_, number) = self.sends.remove(at.expect("settled once"));
                let left = number <= self.left;
                assert!(left || delivery == Delivery::Undelivered, "{delivery:?}");
            }
            Event::Reply { request, .. } => {
                let at = self.requests.iter().position(|known| *known == request);
                self.requests.remove(at.expect("settled once"));
            }
            Event::Registered | Event::Sent(_) | Event::Received(_) => {}
        }
    }

    fn note_request(&mut self, id: ExchangeId, body: Rc<str>) {
        let element = parse_body(&body);
        let rid = element.attr("rid").and_then(|rid| rid.parse().ok());
        let rid: u64 = rid.expect("a rid");
        assert!(self.exchanges.iter().all(|exchange| exchange.id < id));
        let again = self.exchanges[self.first..]
            .iter()
            .any(|exchange| exchange.rid == rid);
        if element.attr("sid").is_none() && !again {
            // The server has sent us elsewhere: another session.
            self.first = self.exchanges.len();
        }
        let session = &self.exchanges[self.first..];
        match session.iter().find(|exchange| exchange.rid == rid) {
            Some(first) => assert_eq!(first.body, body, "not the same again"),
            None => {
                let last = session.iter().map(|exchange| exchange.rid).max();
                assert!(last.is_none_or(|last| rid == last + 1), "{rid}");
                self.note_payload(&element);
            }
        }
        self.exchanges.push(Exchange {
            id,
            rid,
            body,
            open: true,
            session: element.attr("sid").is_none(),
            terminate: element.attr("type").is_some(),
        });
        let open = self
            .exchanges
            .iter()
            .skip(self.first)
            .filter(|exchange| exchange.open);
        let (farewells, others): (Vec<_>, Vec<_>) = open.partition(|exchange| exchange.terminate);
        assert!(
            others.len() <= self.window,
            "{} of {}",
            others.len(),
            self.window
        );
        assert!(farewells.len() <= 1);
    }

    /// What leaves for the first time.
    fn note_payload(&mut self, body: &Element) {
        for child in body.children() {
            let id = child.attr("id").unwrap_or_default();
            match child.name() {
                "message" => {
                    let number = id.parse().expect("a number");
                    assert!(self.online, "before the session is bound");
                    assert!(number > self.left, "twice, or out of order");
                    self.left = number;
                }
                "iq" => {
                    let pages = child.has_child("ping", ns::PING);
                    assert!(self.online || !pages, "before the session is bound");
                    self.last_id = id.to_owned();
                }
                _ => {}
            }
        }
    }
}

fn parse_body(body: &str) -> Element {
    parse(body.as_bytes().to_vec(), &Limits::default()).expect("well-formed")
}
