//! RFC 7395: An XMPP Subprotocol for WebSocket, as a sans-IO machine: one socket, one stream after another.
//!
//! Specification: RFC 7395.
//!
//! Each frame is one element, a document of its own (§3.3). `<open/>` and `<close/>` are framing and known by their
//! namespace; everything else is handed on. This file opens, frames and closes streams; `websocket/delivery.rs` adds stream
//! management (XEP-0198) to the bound session, so that it is known what has arrived, and that a dead link is noticed.
//! A server's harmless deviations are passed over (`LENIENCE`): white space around an element or alone in a frame (§3.3.3
//! wants a frame to begin with `<`), several elements in a frame, namespaces and prefixes that are not declared.
//! Left out: white space sent to keep the connection alive; liveness is asked for by stanzas.

mod delivery;

use super::own_requests::OwnRequests;
use super::stream_management::Suspended;
use super::{Names, TransportEvent, reason_of};
use crate::error::CloseReason;
use crate::event::SendId;
use crate::io::{Input, SocketId, Transmit};
use crate::ns;
use crate::random::Ids;
use crate::states::Place;
use crate::time::{Instant, Millis};
use crate::timers::{Name, Timers};
use crate::xml::{Element, Lenience, Limits, Unreadable, XmlError, parse_leniently};
use delivery::Bond;
use std::collections::VecDeque;
use std::rc::Rc;

/// What the page chose.
#[derive(Clone, Debug)]
pub struct WebSocketConfig {
    /// The service's address.
    pub address: Rc<str>,
    /// The domain to reach.
    pub to: String,
    /// Who is going to log in, a bare JID, where that may be told (RFC 6120 §4.7.1).
    pub from: Option<String>,
    /// `xml:lang` of the stream.
    pub lang: Option<String>,
    /// Limits on what is read.
    pub limits: Limits,
    /// How long the socket may take to open; as long as connecting may take when there is no other way in.
    pub open_within: Option<Millis>,
    /// After how long a silence the server is asked whether it is there.
    pub silence: Millis,
    /// XEP-0198 is wanted, where the server has it.
    pub stream_management: bool,
}

/// How frames are read: as if each stood in a stream, where `jabber:client` is the default namespace (RFC 6120 §4.8.3).
const LENIENCE: Lenience = Lenience {
    default_ns: ns::CLIENT,
    level: 0,
    stream_level: ns::STREAM_LEVEL,
    prefixes: ns::WELL_KNOWN_PREFIXES,
};

/// How long our `<close/>` waits for the server's.
const CLOSING: Millis = Millis::seconds(3);

/// Where a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The socket is asked for, or about to be. Frames wait.
    Connecting,
    /// The socket is open; the server has not opened its stream.
    Greeting,
    /// The stream is open in both directions.
    Open,
    /// We have said `<close/>`.
    Closing,
    /// It has ended.
    Closed,
}

impl Place for State {
    const TRANSITIONS: &'static [(Self, Self)] = &[
        (Self::Connecting, Self::Greeting),
        (Self::Connecting, Self::Closed),
        (Self::Greeting, Self::Open),
        (Self::Greeting, Self::Closing),
        (Self::Greeting, Self::Closed),
        // After SASL (§3.4, RFC 6120 §4.3.3).
        (Self::Open, Self::Open),
        (Self::Open, Self::Closing),
        (Self::Open, Self::Closed),
        (Self::Closing, Self::Closed),
    ];
}

/// The deadlines of a stream, beside those of its stream management.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Timer {
    /// The socket takes too long to open, and there is another way in.
    Opening,
    /// The server does not answer our `<close/>`.
    Closing,
}

impl Name for Timer {
    fn index(self) -> usize {
        self as usize
    }
}

/// A stream over a WebSocket.
pub struct WebSocket {
    config: WebSocketConfig,
    socket: SocketId,
    state: State,
    timers: Timers<Timer, 2>,
    /// Frames, until the socket is open.
    early: Vec<Rc<str>>,
    bond: Bond,
    /// Requests that were sent twice: the second replies are to be ignored.
    own_requests: OwnRequests,
    names: Names,
    transmits: VecDeque<Transmit>,
    events: VecDeque<TransportEvent>,
}

impl WebSocket {
    /// A socket about to be opened, under the next of these names.
    pub fn new(config: WebSocketConfig, mut names: Names, now: Instant) -> Self {
        let socket = names.next_socket();
        let mut transmits = VecDeque::new();
        transmits.push_back(Transmit::OpenSocket {
            socket,
            address: config.address.clone(),
        });
        let mut timers = Timers::default();
        if let Some(span) = config.open_within {
            timers.set(Timer::Opening, now + span);
        }
        let mut stream = Self {
            config,
            socket,
            state: State::Connecting,
            timers,
            early: Vec::new(),
            bond: Bond::None,
            own_requests: OwnRequests::default(),
            names,
            transmits,
            events: VecDeque::new(),
        };
        stream.restart();
        stream
    }

    fn enter(&mut self, next: State) {
        self.state.check(next);
        self.state = next;
    }

    /// Whether the socket is open, and the stream is not to be closed.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Greeting | State::Open)
    }

    /// Opens a stream: the first, and a new one after SASL (§3.4, §3.7).
    pub fn restart(&mut self) {
        let mut open = Element::builder("open", ns::FRAMING)
            .attr("to", &self.config.to)
            .attr_opt("from", self.config.from.as_deref())
            .attr("version", "1.0");
        if let Some(lang) = &self.config.lang {
            open = open.attr_ns("lang", ns::XML, lang);
        }
        self.send(&open.build(), None);
    }

    /// Takes a suspended session, to be resumed on this stream.
    pub fn take_over(&mut self, suspended: Option<Suspended>) {
        if let Some(session) = suspended {
            self.bond = Bond::Suspended {
                session,
                offered: false,
            };
        }
    }

    /// The names that are not used, for the next transport.
    pub fn names(&self) -> Names {
        self.names
    }

    /// Sends an element, as a frame of its own. A stanza of the bound session is settled under `name`.
    pub fn send(&mut self, element: &Element, name: Option<SendId>) {
        // Written once, for the frame and for what may have to be sent again.
        let text: Rc<str> = element.to_xml().into();
        self.note_sent(element, &text, name);
        self.send_text(text);
    }

    /// Sends an element that was written before.
    fn send_text(&mut self, text: Rc<str>) {
        match self.state {
            State::Connecting => self.early.push(text),
            State::Greeting | State::Open => self.frame(text),
            State::Closing | State::Closed => {}
        }
    }

    fn frame(&mut self, text: Rc<str>) {
        let socket = self.socket;
        self.transmits.push_back(Transmit::Frame { socket, text });
    }

    /// Ends the stream in order (§3.6): `<close/>`, then waits for the server's.
    pub fn close(&mut self, now: Instant, ids: &mut Ids) {
        match self.state {
            State::Connecting => self.end(CloseReason::Requested),
            State::Greeting | State::Open => {
                self.ask(now, true, ids);
                self.acknowledge();
                self.say_close();
                self.enter(State::Closing);
                self.timers.set(Timer::Closing, now + CLOSING);
            }
            State::Closing | State::Closed => {}
        }
    }

    fn say_close(&mut self) {
        let close = Element::builder("close", ns::FRAMING).build();
        self.frame(close.to_xml().into());
    }

    /// Ends it for `reason`: the server is told, not waited for. A stream on which a session is to be resumed that another stream
    /// will be tried for ends without a `<close/>`: a server that reads it late, right behind the `<resume/>`, would end the session
    /// for good (XEP-0198 §5).
    pub fn dismiss(&mut self, reason: CloseReason) {
        if self.is_open() && !self.bond.is_offered() {
            if matches!(reason, CloseReason::TooLarge) {
                // The session ends with the stream, and the server would send what it does not know to have been handled to the next.
                self.acknowledge();
            }
            self.say_close();
        }
        self.end(reason);
    }

    /// Ends it here and now, for `reason`.
    pub fn end(&mut self, reason: CloseReason) {
        let reason = match self.state {
            State::Closed => return,
            // Who has said good-bye does not care how it came about.
            State::Closing => CloseReason::Requested,
            State::Connecting | State::Greeting | State::Open => reason,
        };
        self.enter(State::Closed);
        self.timers = Timers::default();
        let socket = self.socket;
        self.transmits.push_back(Transmit::CloseSocket(socket));
        self.events.push_back(TransportEvent::Closed(reason));
    }

    /// The server has ended the stream with an error. A `<close/>` behind it does not answer ours: the server has not read that far.
    pub fn handle_stream_error(&mut self) {
        if matches!(self.state, State::Closing) {
            self.end(CloseReason::Requested);
        }
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        let event = self.events.pop_front()?;
        Some(self.note_received(event))
    }

    /// What the network should do, oldest first.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When [`WebSocket::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.bond.poll_timeout().filter(|_| self.is_open());
        [link, self.timers.next()].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.is_due(Timer::Opening, now) {
            self.end(CloseReason::Unreachable);
        } else if self.timers.is_due(Timer::Closing, now) {
            self.end(CloseReason::Requested);
        } else if self.is_open() && self.bond.is_dead(now) {
            self.end(CloseReason::Unreachable);
        }
    }

    /// The network has something for a socket; what concerns another than this one is ignored.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::SocketOpened {
                socket,
                subprotocol,
            } if socket == self.socket => self.handle_opened(subprotocol),
            Input::SocketFrame { socket, text } if socket == self.socket => {
                self.handle_frame(text);
                self.bond.note_heard(now);
            }
            Input::SocketFrameTooLarge { socket } if socket == self.socket => {
                self.handle_oversized();
            }
            Input::SocketClosed { socket, failure } if socket == self.socket => {
                self.handle_closed(reason_of(failure));
            }
            _ => {}
        }
    }

    /// The socket is open. `subprotocol`: the server has agreed to `xmpp` (§3.1).
    fn handle_opened(&mut self, subprotocol: bool) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        self.enter(State::Greeting);
        self.timers.stop(Timer::Opening);
        if !subprotocol {
            let reason = CloseReason::NotWebSocket("a socket without the subprotocol xmpp");
            self.early.clear();
            return self.end(reason);
        }
        for text in core::mem::take(&mut self.early) {
            self.frame(text);
        }
    }

    /// A frame has come; `None` for one whose bytes cannot be had. What cannot be read of it is reported; whether the stream goes on
    /// without it is the connection's decision.
    fn handle_frame(&mut self, text: Option<Vec<u8>>) {
        if matches!(self.state, State::Connecting | State::Closed) {
            return;
        }
        let Some(text) = text else {
            return self.report(XmlError::NotText);
        };
        if is_blank(&text) {
            return;
        }
        let (elements, unreadable) = parse_leniently(text, &self.config.limits, &LENIENCE);
        for element in elements {
            self.handle_element(element);
        }
        if let Some(unreadable) = unreadable {
            self.events
                .push_back(TransportEvent::Unreadable(unreadable));
        }
    }

    /// A frame has come that is larger than the limit, and was not read.
    fn handle_oversized(&mut self) {
        if !matches!(self.state, State::Connecting | State::Closed) {
            self.report(XmlError::TooLarge);
        }
    }

    fn report(&mut self, error: XmlError) {
        let name = String::new();
        let unreadable = Unreadable { error, name };
        self.events
            .push_back(TransportEvent::Unreadable(unreadable));
    }

    fn handle_element(&mut self, element: Element) {
        if matches!(self.state, State::Closed) {
            return;
        }
        if element.ns() == ns::FRAMING {
            match element.name() {
                "open" if self.is_open() => {
                    self.enter(State::Open);
                    self.events.push_back(TransportEvent::Opened);
                }
                "close" => self.handle_close(&element),
                _ => {}
            }
        } else if !matches!(self.state, State::Greeting) {
            self.events.push_back(TransportEvent::Element(element));
        } else {
            self.dismiss(CloseReason::NotWebSocket("a frame that opens no stream"));
        }
    }

    /// The server ends the stream (§3.6); we answer in kind, unless it answers us.
    fn handle_close(&mut self, close: &Element) {
        if matches!(self.state, State::Closing) {
            // One that names another address does not answer ours: the server has not read up to there.
            if close.attr("see-other-uri").is_none() {
                self.acknowledge_all();
            }
            return self.end(CloseReason::Requested);
        }
        let reason = match close.attr("see-other-uri") {
            Some(address) if !address.is_empty() => CloseReason::SeeOther(address.to_owned()),
            _ => CloseReason::Ended,
        };
        self.dismiss(reason);
    }

    /// The socket is gone.
    fn handle_closed(&mut self, reason: CloseReason) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.end(reason);
        // It is closed already: nothing is to be done about it.
        self.transmits = VecDeque::new();
    }
}

/// Whether a frame holds nothing but white space, as some servers send it to keep the connection alive.
fn is_blank(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.iter().all(u8::is_ascii_whitespace)
}
