//! The whole connection under arbitrary answers, failures, commands and times.
//!
//! Whatever comes: no panic, the window is kept, each stanza and each request is settled once, what happens to the status makes
//! sense, and the connection either ends or asks to be woken at a later time.

use crate::support::dialogue::config;
use crate::support::random::Seeded;
use crate::support::script::xml;
use crate::support::unicode::NativeUnicode;
use epode::proto::connection::Connection;
use epode::proto::event::{Event, IqId, SendId, Status};
use epode::proto::io::{ExchangeId, Input, NetworkFailure, Output, Transmit};
use epode::proto::sasl::Credentials;
use epode::proto::session::Goal;
use epode::proto::time::{Instant, Millis};
use epode::proto::xml::{Element, Limits, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::rc::Rc;

#[derive(Clone, Debug)]
enum Step {
    Connect,
    Disconnect,
    Abort,
    Send,
    Request(Option<u64>),
    Forget(Index),
    Credentials(u8),
    Tap(bool),
    /// A server that does what it should.
    Serve(Index, Vec<&'static str>),
    /// One that does not.
    Answer(Index, u16, Option<&'static str>, Vec<u8>),
    Fail(Index, NetworkFailure),
    /// Time passes: timeouts fire in time, or (a suspended page) much too late.
    Pass(u64, bool),
}

/// What a server may put into a body; `ID` is the last id that we sent.
const PAYLOADS: [&str; 16] = [
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
const ATTRIBUTES: [&str; 14] = [
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
const SESSIONS: [&str; 8] = [
    "wait='60' hold='1' requests='2' inactivity='60' polling='5'",
    "wait='60' hold='1' requests='2' ack='1'",
    "wait='60' hold='1'",
    "wait='10' hold='2' requests='3' inactivity='3'",
    "wait='0' hold='0' requests='1' polling='10'",
    "requests='0' polling='0' wait='x'",
    "requests='5' hold='4' inactivity='18446744073709551615'",
    "wait='18446744073709551615' polling='18446744073709551615'",
];

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let ours = (
        select(ATTRIBUTES.to_vec()),
        prop::collection::vec(select(PAYLOADS.to_vec()), 0..3),
    )
        .prop_map(|(attributes, payloads)| {
            let text = format!("<body {attributes}>{}</body>", payloads.concat());
            xml(&text).to_xml().into_bytes()
        });
    prop_oneof![
        6 => ours.clone(),
        1 => (ours, any::<Index>()).prop_map(|(body, at)| body[..at.index(body.len())].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => select(vec!["", "<html></html>", "<!DOCTYPE body><body/>", "<other/>"]).prop_map(|text| text.into()),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let failure = select(vec![
        NetworkFailure::Unreachable,
        NetworkFailure::Unreachable,
        NetworkFailure::Unreachable,
        NetworkFailure::BlockedByCors,
        NetworkFailure::MixedContent,
        NetworkFailure::TooLarge,
    ]);
    let status = select(vec![
        200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 429, 502, 503,
    ]);
    let kind = select(vec![Some("text/xml"), Some("text/html"), None]);
    let served = prop::collection::vec(select(PAYLOADS[..4].to_vec()), 0..2);
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Abort),
        8 => Just(Step::Send),
        4 => prop::option::of(0_u64..40_000).prop_map(Step::Request),
        1 => any::<Index>().prop_map(Step::Forget),
        3 => (0_u8..6).prop_map(Step::Credentials),
        1 => any::<bool>().prop_map(Step::Tap),
        40 => (any::<Index>(), served).prop_map(|(which, payload)| Step::Serve(which, payload)),
        4 => (any::<Index>(), status, kind, bodies())
            .prop_map(|(which, status, kind, body)| Step::Answer(which, status, kind, body)),
        4 => (any::<Index>(), failure).prop_map(|(which, failure)| Step::Fail(which, failure)),
        6 => (0_u64..80_000, any::<bool>()).prop_map(|(span, late)| Step::Pass(span, late)),
    ]
}

struct Exchange {
    id: ExchangeId,
    body: Rc<str>,
    open: bool,
    session: bool,
    terminate: bool,
}

/// A shell, and what it has seen.
struct Shell {
    connection: Connection,
    now: Instant,
    timeout: Option<Instant>,
    exchanges: Vec<Exchange>,
    /// Where those of this session begin.
    first: usize,
    session: &'static str,
    window: usize,
    last_id: String,
    sends: Vec<SendId>,
    requests: Vec<IqId>,
    online: bool,
    leaving: bool,
}

impl Shell {
    fn new(session: &'static str, registers: bool, seed: u64) -> Self {
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
            sends: Vec::new(),
            requests: Vec::new(),
            online: false,
            leaving: false,
        }
    }

    fn step(&mut self, step: Step) {
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
                if let Ok(id) = self.connection.send(xml("<message/>")) {
                    assert!(self.online && !self.leaving);
                    self.sends.push(id);
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
                    let id = self.requests.remove(which.index(self.requests.len()));
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
                    self.serve(which.index(open), &payloads);
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

    fn log_in(&mut self) {
        self.step(Step::Credentials(2));
        for _ in 0..4 {
            self.serve(0, &[]);
            self.drain();
        }
        assert!(self.online, "{}", self.session);
    }

    /// Any exchange, open or not, mostly the last ones.
    fn choose(&self, which: Index) -> Option<usize> {
        let count = self.exchanges.len();
        let recent = count.min(4);
        (count > 0).then(|| count - recent + which.index(recent))
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
        let listens = self.connection.only_listens();
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
                }) => {
                    assert_eq!(farewell, body.contains("type='terminate'"));
                    self.note_request(exchange, body);
                }
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
            Event::Status(_) | Event::CredentialsWanted => {
                assert!(!self.online && !self.leaving);
            }
            Event::Stanza(_) => assert!(self.online),
            Event::Settled { send, .. } => {
                let at = self.sends.iter().position(|known| *known == send);
                self.sends.remove(at.expect("settled once"));
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
        for child in element.children() {
            if let Some(id) = child.attr("id") {
                self.last_id = id.to_owned();
            }
        }
        assert!(self.exchanges.iter().all(|exchange| exchange.id < id));
        self.exchanges.push(Exchange {
            id,
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
}

fn parse_body(body: &str) -> Element {
    parse(body.as_bytes().to_vec(), &Limits::default()).expect("well-formed")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it(
        session in select(SESSIONS.to_vec()),
        registers in prop::bool::weighted(0.1),
        logs_in: bool,
        seed: u64,
        script in prop::collection::vec(steps(), 0..80),
    ) {
        let mut shell = Shell::new(session, registers, seed);
        shell.step(Step::Connect);
        if logs_in && !registers {
            shell.log_in();
        }
        for step in script {
            shell.step(step);
        }
        // A server that says nothing any more: it does not take for ever to find out.
        let end = shell.now + Millis::seconds(3600);
        shell.wake_until(end);
        prop_assert!(shell.connection.is_offline());
    }
}
