//! Dialogues of a BOSH session: like `dialogue.rs`, without a login and without a `Connection`.
//!
//! ```text
//! C: <body rid='2' …/>          the next request; `last` before it: it is marked to outlive the page
//! C: again 1                    the request with that rid is repeated, byte for byte (`again *`: any request)
//! C: cancel 1                   the exchange of that rid is aborted
//! S: <body …/>                  the response to the oldest open exchange (`S#2`: to that of rid 2; `S#2 404: …`: with these bytes)
//! F: unreachable                the oldest exchange fails (`F#2`)
//! +30s                          time passes
//! E: opened                     also `element <…>`, `0 delivered`, `0 returned`, `closed CODE CONDITION`
//! A: send <message/>            also pause, wake, restart, restart together, close, dismiss, bound
//! ```
//!
//! The first rid is 1. `sid` may be left out. Each output and event must be written before the next act or input.

use super::random::Seeded;
use super::script::{Names, Step, millis, rebuild, steps, xml};
use super::tell::reason_words;
use epode_proto::error::CloseReason;
use epode_proto::event::{Delivery, SendId};
use epode_proto::io::{ExchangeId, NetworkFailure, Transmit};
use epode_proto::ns;
use epode_proto::random::Ids;
use epode_proto::reconnect::Reconnect;
use epode_proto::time::{Instant, Millis};
use epode_proto::transport::bosh::{Bosh, BoshConfig};
use epode_proto::transport::{Names as ExchangeNames, TransportEvent};
use epode_proto::xml::{Element, Limits, parse};
use std::collections::VecDeque;
use std::rc::Rc;

struct Exchange {
    id: ExchangeId,
    rid: u64,
    body: Rc<str>,
    open: bool,
}

/// A session, its network and its clock.
pub struct Wire {
    pub bosh: Bosh,
    pub now: Instant,
    pub names: Names,
    ids: Ids,
    exchanges: Vec<Exchange>,
    acts: VecDeque<String>,
    /// The requests among the acts.
    requests: VecDeque<(bool, Element)>,
    events: VecDeque<TransportEvent>,
    sends: u32,
    sid: Option<String>,
}

/// A session at `example.org`.
pub fn config() -> BoshConfig {
    BoshConfig {
        address: "https://example.org/bosh".into(),
        foreign: false,
        to: "example.org".into(),
        from: None,
        lang: None,
        wait: 60,
        hold: 1,
        pauses: Reconnect::default(),
        keys: false,
        spaced: false,
        limits: Limits::default(),
        route: None,
        by_hand: false,
    }
}

impl Wire {
    /// Over a session that was made elsewhere.
    pub fn over(bosh: Bosh, now: Instant) -> Self {
        let mut wire = Self {
            bosh,
            now,
            names: Names::default(),
            ids: Ids::new(&mut Seeded(1)),
            exchanges: Vec::new(),
            acts: VecDeque::new(),
            requests: VecDeque::new(),
            events: VecDeque::new(),
            sends: 0,
            sid: None,
        };
        wire.drain();
        wire
    }

    /// Its session request is out.
    pub fn new(config: BoshConfig) -> Self {
        let bosh = Bosh::new(
            config,
            1,
            "a seed that nobody knows".into(),
            ExchangeNames::default(),
        );
        Self::over(bosh, Instant(1_000_000))
    }

    /// Open and bound; the empty request with rid 2 is out. `session`: attributes of the session answer beside `sid`.
    pub fn open(session: &str) -> Self {
        let mut wire = Self::new(config());
        wire.play(&format!(
            "C: <body rid='1' to='example.org' content='text/xml; charset=utf-8' ver='1.11' wait='60' hold='1' ack='1'
                  xmpp:version='1.0'/>
             S: <body sid='s1' {session}/>
             E: opened
             C: <body rid='2'/>
             A: bound"
        ));
        wire
    }

    /// The other page: what is here stops, what it left goes on there, an hour of its clock later.
    pub fn reload(self) -> Self {
        let snapshot = self.bosh.snapshot().expect("a snapshot");
        // Kept as text.
        let text = snapshot.to_xml().into_bytes();
        let snapshot = parse(text, &Limits::default()).expect("a snapshot's XML");
        let later = self.now + Millis::seconds(3600);
        let bosh = Bosh::restore(config(), &snapshot, later, self.bosh.names()).expect("a session");
        let mut wire = Self::over(bosh, later);
        wire.sid = self.sid.clone();
        // To tell a repetition from a new request.
        let mut known = Vec::new();
        for exchange in &self.exchanges {
            known.push(Exchange {
                id: exchange.id,
                rid: exchange.rid,
                body: exchange.body.clone(),
                open: false,
            });
        }
        known.append(&mut wire.exchanges);
        wire.exchanges = known;
        wire.acts.clear();
        wire.requests.clear();
        let mut said = Vec::new();
        for (at, exchange) in wire.exchanges.iter().enumerate() {
            if exchange.open {
                said.push(at);
            }
        }
        for at in said {
            wire.tell_request(at, false);
        }
        wire
    }

    /// The next request, whatever it is.
    #[track_caller]
    pub fn expect_request(&mut self) -> Element {
        assert_eq!(self.acts.pop_front().as_deref(), Some("request"));
        self.requests.pop_front().expect("a request").1
    }

    /// Plays a script.
    #[track_caller]
    pub fn play(&mut self, script: &str) {
        for step in steps(script) {
            match step.tag.as_bytes()[0] {
                b'C' => self.check_act(&step),
                b'E' => self.check_event(&step),
                kind => {
                    self.check_silence(&step.rest);
                    match kind {
                        b'+' if step.rest == "due" => {
                            let due = self.bosh.poll_timeout().expect("something is due");
                            self.pass((due - self.now).0);
                        }
                        b'+' => self.pass(millis(&step.rest)),
                        b'S' => self.answer(&step),
                        b'F' => {
                            let exchange = self.exchange(&step.tag);
                            let failure = NetworkFailure::Unreachable;
                            self.bosh.handle_failure(self.now, exchange, failure);
                        }
                        _ => self.act(&step.rest),
                    }
                    self.drain();
                }
            }
        }
    }

    #[track_caller]
    fn check_silence(&self, before: &str) {
        assert!(
            self.acts.is_empty() && self.events.is_empty(),
            "unsaid before {before}: {:?} {:?} {:?}",
            self.acts,
            self.requests,
            self.events
        );
    }

    #[track_caller]
    fn check_act(&mut self, step: &Step) {
        let act = self.acts.pop_front();
        let act = act.unwrap_or_else(|| panic!("silence instead of C: {}", step.rest));
        if act != "request" {
            let same = act == step.rest;
            let any = step.rest == "again *" && act.starts_with("again ");
            assert!(same || any, "C: {} is {act}", step.rest);
            return;
        }
        let (last, actual) = self.requests.pop_front().expect("a request");
        let rest = step.rest.strip_prefix("last ");
        assert_eq!(last, rest.is_some(), "C: {}\nis {actual:?}", step.rest);
        let expected = xml(rest.unwrap_or(&step.rest));
        let sid = self.sid.as_deref();
        let actual = rebuild(&actual, false, &mut |element, name, value| {
            let known = (element, name) == ("body", "sid") && Some(value) == sid;
            (!known || expected.attr("sid").is_some()).then(|| value.to_owned())
        });
        if let Some(difference) = self.names.difference(&expected, &actual) {
            panic!("{difference}\nC: {}\nis {actual:?}", step.rest);
        }
    }

    #[track_caller]
    fn check_event(&mut self, step: &Step) {
        let event = self.events.pop_front();
        let event = event.unwrap_or_else(|| panic!("silence instead of E: {}", step.rest));
        let words = match &event {
            TransportEvent::Opened => "opened".into(),
            TransportEvent::Settled(SendId(number), delivery) => match delivery {
                Delivery::Delivered => format!("{number} delivered"),
                Delivery::Undelivered => format!("{number} undelivered"),
                Delivery::Unknown => format!("{number} unknown"),
            },
            TransportEvent::Returned(_, name) => match name {
                Some(SendId(number)) => format!("{number} returned"),
                None => "returned".into(),
            },
            TransportEvent::Unreadable(unreadable) => format!("unreadable {}", unreadable.error),
            TransportEvent::OwnSent(_) | TransportEvent::OwnReceived(_) => "own".into(),
            TransportEvent::Frame(_) => "frame".into(),
            TransportEvent::Hole => "hole".into(),
            TransportEvent::Closed(reason) => format!("closed {}", reason_words(reason)),
            TransportEvent::Element(element) => {
                let expected = step.rest.strip_prefix("element ");
                let expected = xml(expected.unwrap_or_else(|| panic!("not {}", step.rest)));
                let difference = self.names.difference(&expected, element);
                assert_eq!(difference, None, "E: {}", step.rest);
                return;
            }
        };
        assert_eq!(words, step.rest);
    }

    #[track_caller]
    fn exchange(&mut self, tag: &str) -> ExchangeId {
        let which = tag.split_whitespace().next().expect("a tag");
        let rid = which
            .split_once('#')
            .map(|(_, rid)| rid.parse().expect("a rid"));
        let mut open = self.exchanges.iter_mut().filter(|exchange| exchange.open);
        let found = open.find(|exchange| rid.is_none_or(|rid: u64| exchange.rid == rid));
        let exchange = found.unwrap_or_else(|| panic!("{tag}: no such open exchange"));
        exchange.open = false;
        exchange.id
    }

    #[track_caller]
    fn answer(&mut self, step: &Step) {
        let exchange = self.exchange(&step.tag);
        let (status, bytes) = match step.tag.split_whitespace().nth(1) {
            Some(status) => (status.parse().expect("a status"), step.rest.clone()),
            None => {
                let body = self.names.fill(&xml(&step.rest));
                if let Some(sid) = body.attr("sid").filter(|_| self.sid.is_none()) {
                    self.sid = Some(sid.to_owned());
                }
                (200, body.to_xml())
            }
        };
        let bytes = bytes.into_bytes();
        self.bosh
            .handle_answer(self.now, exchange, status, Some("text/xml"), bytes);
    }

    /// Answers the first request, and returns why the session ended, if it did.
    pub fn answer_first(&mut self, body: &str) -> Option<CloseReason> {
        let exchange = self.exchange("S");
        let bytes = body.as_bytes().to_vec();
        self.bosh
            .handle_answer(self.now, exchange, 200, None, bytes);
        while let Some(event) = self.bosh.poll_event() {
            if let TransportEvent::Closed(reason) = event {
                return Some(reason);
            }
        }
        None
    }

    #[track_caller]
    fn act(&mut self, what: &str) {
        let now = self.now;
        let (command, element) = match what.find('<') {
            Some(at) => what.split_at(at),
            None => (what, ""),
        };
        match command.trim() {
            "send" => {
                self.bosh.send(xml(element), Some(SendId(self.sends)));
                self.sends += 1;
            }
            "pause" => self.bosh.pause(now),
            "wake" => self.bosh.wake(now),
            "dismiss" => self.bosh.dismiss(now, CloseReason::TooLarge),
            "restart" => self.bosh.restart(true),
            "restart together" => self.bosh.restart(false),
            "close" => self.bosh.close(now),
            "bound" => {
                // Without the moment that a visible page has for its presence.
                self.bosh.set_hidden(true);
                self.bosh.establish(now);
                self.bosh.set_hidden(false);
            }
            other => panic!("no such act: {other}"),
        }
    }

    #[track_caller]
    fn pass(&mut self, span: u64) {
        let until = self.now + Millis(span);
        while let Some(at) = self.bosh.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.bosh.handle_timeout(self.now);
            self.drain();
            self.bosh.ask(self.now, &mut self.ids);
            self.drain();
            let next = self.bosh.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a timeout that has passed is asked for again"
            );
        }
        self.now = until;
    }

    fn drain(&mut self) {
        loop {
            while let Some(event) = self.bosh.poll_event() {
                if !matches!(event, TransportEvent::OwnSent(_)) {
                    self.events.push_back(event);
                }
            }
            match self.bosh.poll_transmit(self.now) {
                Some(Transmit::Http {
                    exchange,
                    body,
                    farewell,
                    ..
                }) => {
                    let element = parse(body.as_bytes().to_vec(), &Limits::default()).expect("XML");
                    let rid = element.attr("rid").expect("a rid").parse().expect("a rid");
                    self.exchanges.push(Exchange {
                        id: exchange,
                        rid,
                        body,
                        open: true,
                    });
                    self.tell_request(self.exchanges.len() - 1, farewell);
                }
                Some(Transmit::CancelHttp(id)) => {
                    let mut exchanges = self.exchanges.iter_mut();
                    let found = exchanges.find(|exchange| exchange.id == id && exchange.open);
                    let exchange = found.expect("only what is open is cancelled");
                    exchange.open = false;
                    self.acts.push_back(format!("cancel {}", exchange.rid));
                }
                Some(other) => panic!("not BOSH: {other:?}"),
                None => return,
            }
        }
    }

    fn tell_request(&mut self, at: usize, last: bool) {
        let exchange = &self.exchanges[at];
        let mut before = self.exchanges.iter().take(at);
        if let Some(original) = before.find(|other| other.rid == exchange.rid) {
            assert_eq!(original.body, exchange.body, "a repetition is the same");
            let last = if last { "last " } else { "" };
            self.acts.push_back(format!("{last}again {}", exchange.rid));
        } else {
            let body = parse(exchange.body.as_bytes().to_vec(), &Limits::default()).expect("XML");
            assert!(body.is("body", ns::HTTP_BIND));
            self.acts.push_back("request".into());
            self.requests.push_back((last, body));
        }
    }
}

/// What happened last must be written down as well.
impl Drop for Wire {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_silence("the end");
        }
    }
}
