//! Dialogues of a stream by hand, in virtual time.
//!
//! ```text
//! C: <body rid='1' …/>          the next request, or frame; `last` before it: the platform finishes it without the page
//! C: again 1                    the request with that rid once more, byte for byte
//! C: cancel 1                   its exchange is given up
//! C: socket wss://…             a WebSocket is asked for;  C: close  it is closed
//! S: <body …/>                  answers the oldest open exchange (`S#2`: that of rid 2; `S#2 404: …`: with these bytes)
//! F: unreachable                the oldest exchange fails (`F#2`)
//! W: <message …/>               a frame comes; `raw …` with these bytes; also opened, closed
//! +30s                          time passes; `+due`: up to the next deadline
//! E: <body …/>                  a frame is handed on;  E: closed CODE CONDITION
//! A: send <message/>            also open, attach SID RID, restart, close, close <presence …/>, abort, leave, return
//! ```
//!
//! rids are counted from the first request. What happens must be written down before anything else is done.

use super::random::Seeded;
use super::script::{Names, Step, millis, steps, xml};
use super::tell::reason_words;
use super::unicode::NativeUnicode;
use epode_proto::io::{ExchangeId, Input, NetworkFailure, SocketId, Transmit};
use epode_proto::raw_stream::{RawConfig, RawEvent, RawOutput, RawStream};
use epode_proto::time::{Instant, Millis};
use epode_proto::transport::{Kind, Service};
use epode_proto::xml::{Element, Limits, parse};
use std::collections::VecDeque;
use std::rc::Rc;

struct Exchange {
    id: ExchangeId,
    rid: u64,
    body: Rc<str>,
    open: bool,
}

enum Act {
    /// In words.
    Said(String),
    /// An element, and whether the platform finishes it without the page.
    Sent(Element, bool),
}

/// A stream, its network and its clock.
pub struct ByHand {
    pub stream: RawStream,
    pub now: Instant,
    names: Names,
    exchanges: Vec<Exchange>,
    socket: Option<SocketId>,
    acts: VecDeque<Act>,
    events: VecDeque<RawEvent>,
    /// The rid before the first one.
    base: Option<u64>,
}

/// A stream to `example.org` at that address.
pub fn by_hand_config(address: &str) -> RawConfig {
    let (scheme, _) = address.split_once(':').expect("an address");
    let service = Service {
        kind: Kind::of_scheme(scheme),
        address: address.into(),
        confidential: true,
    };
    let mut config = RawConfig::for_service(service, "Example.ORG");
    config.bosh.spaced = false;
    config.prepare(&NativeUnicode).expect("options");
    config
}

impl ByHand {
    /// A stream that is not opened.
    pub fn new(config: RawConfig) -> Self {
        Self {
            stream: RawStream::new(config, Box::new(Seeded(7))),
            now: Instant(1_000_000),
            names: Names::default(),
            exchanges: Vec::new(),
            socket: None,
            acts: VecDeque::new(),
            events: VecDeque::new(),
            base: None,
        }
    }

    /// Over BOSH.
    pub fn over_bosh() -> Self {
        Self::new(by_hand_config("https://example.org/bosh"))
    }

    /// Over a WebSocket.
    pub fn over_socket() -> Self {
        Self::new(by_hand_config("wss://example.org/ws"))
    }

    /// Plays a script.
    #[track_caller]
    pub fn play(&mut self, script: &str) {
        for step in steps(script) {
            match step.tag.as_bytes()[0] {
                b'C' => self.check_act(&step),
                b'E' => self.check_event(&step.rest),
                kind => {
                    self.check_silence(&step.rest);
                    match kind {
                        b'+' => self.pass(&step.rest),
                        b'S' => self.answer(&step),
                        b'F' => {
                            let exchange = self.exchange(&step.tag);
                            self.hear(Input::HttpFailed {
                                exchange,
                                failure: NetworkFailure::Unreachable,
                            });
                        }
                        b'W' => self.frame(&step.rest),
                        _ => self.act(&step.rest),
                    }
                    self.drain();
                }
            }
        }
        self.check_silence("the end");
    }

    #[track_caller]
    fn check_silence(&self, before: &str) {
        let acts: Vec<String> = self.acts.iter().map(words).collect();
        let events = &self.events;
        assert!(
            acts.is_empty() && events.is_empty(),
            "unsaid before {before}: {acts:?} {events:?}"
        );
    }

    #[track_caller]
    fn check_act(&mut self, step: &Step) {
        let act = self.acts.pop_front();
        let act = act.unwrap_or_else(|| panic!("silence instead of C: {}", step.rest));
        let Act::Sent(actual, last) = &act else {
            return assert_eq!(words(&act), step.rest);
        };
        let rest = step.rest.strip_prefix("last ");
        assert_eq!(*last, rest.is_some(), "C: {}\nis {actual:?}", step.rest);
        let expected = xml(rest.unwrap_or(&step.rest));
        let difference = self.names.difference(&expected, actual);
        assert_eq!(difference, None, "C: {}\nis {actual:?}", step.rest);
    }

    #[track_caller]
    fn check_event(&mut self, expected: &str) {
        let event = self.events.pop_front();
        match event.unwrap_or_else(|| panic!("silence instead of E: {expected}")) {
            RawEvent::Closed(reason) => {
                assert_eq!(format!("closed {}", reason_words(&reason)), expected);
            }
            RawEvent::Unsent(element) => {
                let expected = expected.strip_prefix("unsent ").unwrap_or_default();
                let difference = self.names.difference(&xml(expected), &element);
                assert_eq!(difference, None, "E: {expected}\nis {element:?}");
            }
            RawEvent::Frame(frame) => {
                let difference = self.names.difference(&xml(expected), &frame);
                assert_eq!(difference, None, "E: {expected}\nis {frame:?}");
            }
        }
    }

    fn hear(&mut self, input: Input) {
        self.stream.handle_input(self.now, input);
    }

    #[track_caller]
    fn exchange(&mut self, tag: &str) -> ExchangeId {
        let which = tag.split_whitespace().next().expect("a tag");
        let rid = which.split_once('#').map(|(_, rid)| rid.parse::<u64>());
        let rid = rid.map(|rid| rid.expect("a rid"));
        let mut open = self.exchanges.iter_mut().filter(|exchange| exchange.open);
        let found = open.find(|exchange| rid.is_none_or(|rid| exchange.rid == rid));
        let exchange = found.unwrap_or_else(|| panic!("{tag}: no such open exchange"));
        exchange.open = false;
        exchange.id
    }

    #[track_caller]
    fn answer(&mut self, step: &Step) {
        let exchange = self.exchange(&step.tag);
        let (status, body) = match step.tag.split_whitespace().nth(1) {
            Some(status) => (status.parse().expect("a status"), step.rest.clone()),
            None => (200, xml(&step.rest).to_xml()),
        };
        self.hear(Input::HttpAnswered {
            exchange,
            status,
            content_type: Some("text/xml".into()),
            body: body.into_bytes(),
        });
    }

    #[track_caller]
    fn frame(&mut self, what: &str) {
        let socket = self.socket.expect("a socket");
        let failure = NetworkFailure::Unreachable;
        let text = match what {
            "opened" => {
                let subprotocol = true;
                return self.hear(Input::SocketOpened {
                    socket,
                    subprotocol,
                });
            }
            "closed" => return self.hear(Input::SocketClosed { socket, failure }),
            _ => match what.strip_prefix("raw ") {
                Some(raw) => raw.to_owned(),
                None => xml(what).to_xml(),
            },
        };
        let text = Some(text.into_bytes());
        self.hear(Input::SocketFrame {
            socket,
            text,
            frame: 0,
        });
    }

    #[track_caller]
    fn act(&mut self, what: &str) {
        let now = self.now;
        let (command, rest) = match what.find(' ') {
            Some(at) => what.split_at(at),
            None => (what, ""),
        };
        let elements = || -> Vec<Element> {
            let all = xml(&format!("<all>{rest}</all>"));
            all.children().map(|one| one.detach()).collect()
        };
        match command {
            "open" => assert!(self.stream.open(now)),
            "attach" => {
                let (sid, rid) = rest.trim().split_once(' ').expect("a session");
                assert!(self.stream.attach(sid, rid.parse().expect("a rid")));
            }
            "send" => self.stream.send(elements()).expect("a stream"),
            "restart" => self.stream.restart().expect("a stream"),
            "close" => self.stream.close(now, elements()),
            "abort" => self.stream.abort(now),
            "leave" => self.stream.set_leaving(true),
            "return" => self.stream.set_leaving(false),
            other => panic!("no such act: {other}"),
        }
    }

    #[track_caller]
    fn pass(&mut self, span: &str) {
        let due = |stream: &mut RawStream, now| match stream.poll_output(now) {
            RawOutput::Timeout(at) => at,
            RawOutput::Transmit(_) => panic!("undrained"),
        };
        let until = match span {
            "due" => due(&mut self.stream, self.now).expect("a deadline"),
            span => self.now + Millis(millis(span)),
        };
        while let Some(at) = due(&mut self.stream, self.now).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.stream.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        loop {
            while let Some(event) = self.stream.poll_event() {
                self.events.push_back(event);
            }
            let transmit = match self.stream.poll_output(self.now) {
                RawOutput::Transmit(transmit) => transmit,
                RawOutput::Timeout(_) => break,
            };
            match transmit {
                Transmit::Http {
                    exchange,
                    body,
                    farewell,
                    ..
                } => self.posted(exchange, body, farewell),
                Transmit::CancelHttp(exchange) => {
                    let mut all = self.exchanges.iter_mut();
                    let found = all.find(|one| one.id == exchange).expect("an exchange");
                    found.open = false;
                    let words = format!("cancel {}", found.rid);
                    self.acts.push_back(Act::Said(words));
                }
                Transmit::OpenSocket { socket, address } => {
                    self.socket = Some(socket);
                    self.acts.push_back(Act::Said(format!("socket {address}")));
                }
                Transmit::Frame { text, .. } => {
                    self.acts.push_back(Act::Sent(read(&text), false));
                }
                Transmit::CloseSocket(_) => self.acts.push_back(Act::Said("close".into())),
            }
        }
    }

    fn posted(&mut self, id: ExchangeId, body: Rc<str>, last: bool) {
        let element = read(&body);
        let rid: u64 = element.attr("rid").expect("a rid").parse().expect("a rid");
        let rid = rid - *self.base.get_or_insert(rid - 1);
        let known = self.exchanges.iter().rfind(|one| one.rid == rid);
        self.acts.push_back(match known {
            Some(before) => {
                assert_eq!(before.body, body, "a repetition is the same bytes");
                Act::Said(format!("again {rid}"))
            }
            None => Act::Sent(element.with_attr("rid", &rid.to_string()), last),
        });
        let open = true;
        self.exchanges.push(Exchange {
            id,
            rid,
            body,
            open,
        });
    }
}

fn read(text: &str) -> Element {
    parse(text.as_bytes().to_vec(), &Limits::default()).expect("XML")
}

fn words(act: &Act) -> String {
    match act {
        Act::Said(words) => words.clone(),
        Act::Sent(element, _) => element.to_xml(),
    }
}
