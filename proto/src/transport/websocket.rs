//! RFC 7395: An XMPP Subprotocol for WebSocket, as a sans-IO machine: one socket, one stream after another.
//!
//! Specification: RFC 7395.
//!
//! Each frame is one element and a separate document (§3.3). `<open/>` and `<close/>` belong to the framing and are
//! recognised by their namespace; every other element is passed on. This file opens, frames and closes streams;
//! `websocket/delivery.rs` adds stream management (XEP-0198) to the bound session, to learn which stanzas have arrived
//! and to notice a dead link.
//!
//! Harmless deviations of a server are accepted (`LENIENCE`): white space around an element or alone in a frame (§3.3.3
//! requires a frame to begin with `<`), several elements in a frame, namespaces and prefixes that are not declared.
//!
//! Left out: white space sent to keep the connection alive; stanzas check the link instead.

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

/// The page's configuration of a stream.
#[derive(Clone, Debug)]
pub struct WebSocketConfig {
    /// The service's address.
    pub address: Rc<str>,
    /// The domain of the stream.
    pub to: String,
    /// The account of the login, a bare JID, if it may be disclosed (RFC 6120 §4.7.1).
    pub from: Option<String>,
    /// `xml:lang` of the stream.
    pub lang: Option<String>,
    /// The limits on incoming XML.
    pub limits: Limits,
    /// How long the socket may take to open; `None` if no other service is configured: then the deadline of connecting
    /// applies.
    pub open_within: Option<Millis>,
    /// The silence of the server after which it is asked for a sign of life.
    pub silence: Millis,
    /// Whether to use XEP-0198 if the server offers it.
    pub stream_management: bool,
    /// The caller negotiates and uses the stream itself: elements are handed on as [`TransportEvent::Frame`], framing included.
    pub by_hand: bool,
}

/// The accepted deviations: each frame is read as if it stood in a stream whose default namespace is `jabber:client`
/// (RFC 6120 §4.8.3).
const LENIENCE: Lenience = Lenience {
    default_ns: ns::CLIENT,
    level: 0,
    stream_level: ns::STREAM_LEVEL,
    prefixes: ns::WELL_KNOWN_PREFIXES,
};

/// How long to wait for the server's `<close/>`.
const CLOSING: Millis = Millis::seconds(3);

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The socket is not open yet. Frames are queued.
    Connecting,
    /// The socket is open; the server has not opened its stream.
    Greeting,
    /// The stream is open in both directions.
    Open,
    /// `<close/>` was sent.
    Closing,
    /// The stream has ended.
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
    /// The socket takes too long to open, and another service is configured.
    Opening,
    /// The server does not answer `<close/>`.
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
    /// The frames queued until the socket is open.
    early: Vec<Rc<str>>,
    bond: Bond,
    /// Requests that were sent twice: their second replies are ignored.
    own_requests: OwnRequests,
    names: Names,
    transmits: VecDeque<Transmit>,
    events: VecDeque<TransportEvent>,
}

impl WebSocket {
    /// Creates a stream whose socket will be opened, under the next unused id.
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

    /// Whether frames may be sent: the stream is not closing.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Greeting | State::Open)
    }

    /// Opens a stream: the first one, and a new one after SASL (§3.4, §3.7).
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

    /// Takes over a suspended session, to be resumed on this stream.
    pub fn take_over(&mut self, suspended: Option<Suspended>) {
        if let Some(session) = suspended {
            self.bond = Bond::Suspended {
                session,
                offered: false,
            };
        }
    }

    /// The unused ids, for the next transport.
    pub fn names(&self) -> Names {
        self.names
    }

    /// Sends an element as a separate frame. A stanza of the bound session is settled under `name`.
    pub fn send(&mut self, element: &Element, name: Option<SendId>) {
        // Serialised once, for the frame and for resending.
        let text: Rc<str> = element.to_xml().into();
        self.note_sent(element, &text, name);
        self.send_text(text);
    }

    /// Sends a serialised element.
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

    /// Ends the stream in order (§3.6): sends `<close/>` and waits for the server's.
    pub fn close(&mut self, now: Instant, ids: &mut Ids) {
        match self.state {
            State::Connecting => self.end(CloseReason::Requested),
            State::Greeting | State::Open => {
                self.ask(now, true, ids);
                self.acknowledge();
                self.send_close();
                self.enter(State::Closing);
                self.timers.set(Timer::Closing, now + CLOSING);
            }
            State::Closing | State::Closed => {}
        }
    }

    fn send_close(&mut self) {
        let close = Element::builder("close", ns::FRAMING).build();
        self.frame(close.to_xml().into());
    }

    /// Ends the stream for `reason`; notifies the server without waiting for it. Sends no `<close/>` if a session may
    /// be resumed on another stream: a server that reads `<close/>` late, directly after `<resume/>`, would end the
    /// session for good (XEP-0198 §5).
    pub fn dismiss(&mut self, reason: CloseReason) {
        if self.is_open() && !self.bond.is_offered() {
            if matches!(reason, CloseReason::TooLarge) {
                // The session ends with the stream; the server would deliver stanzas that it does not know to be
                // handled to the next session.
                self.acknowledge();
            }
            self.send_close();
        }
        self.end(reason);
    }

    /// Ends the stream at once for `reason`.
    pub fn end(&mut self, reason: CloseReason) {
        let reason = match self.state {
            State::Closed => return,
            // After `<close/>` any end is the requested one.
            State::Closing => CloseReason::Requested,
            State::Connecting | State::Greeting | State::Open => reason,
        };
        self.enter(State::Closed);
        self.timers = Timers::default();
        let socket = self.socket;
        self.transmits.push_back(Transmit::CloseSocket(socket));
        self.events.push_back(TransportEvent::Closed(reason));
    }

    /// The server has ended the stream with an error. A `<close/>` after it does not answer ours: the server has not
    /// read that far.
    pub fn handle_stream_error(&mut self) {
        if matches!(self.state, State::Closing) {
            self.end(CloseReason::Requested);
        }
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        let event = self.events.pop_front()?;
        Some(self.note_received(event))
    }

    /// The next transmission, oldest first.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When [`WebSocket::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.bond.poll_timeout().filter(|_| self.is_open());
        [link, self.timers.next()].into_iter().flatten().min()
    }

    /// Advances the time to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.timers.is_due(Timer::Opening, now) {
            self.end(CloseReason::Unreachable);
        } else if self.timers.is_due(Timer::Closing, now) {
            self.end(CloseReason::Requested);
        } else if self.is_open() && self.bond.is_dead(now) {
            self.end(CloseReason::Unreachable);
        }
    }

    /// Handles an input for a socket; ignores inputs for other sockets than this one.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::SocketOpened {
                socket,
                subprotocol,
            } if socket == self.socket => self.handle_opened(subprotocol),
            Input::SocketFrame {
                socket,
                text,
                frame,
            } if socket == self.socket => {
                self.handle_frame(text, frame);
                self.bond.note_input(now);
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

    /// Handles a frame; `None` if its bytes are not available. Unreadable content is reported; the connection decides
    /// whether the stream continues without it.
    fn handle_frame(&mut self, text: Option<Vec<u8>>, frame: u32) {
        if matches!(self.state, State::Connecting | State::Closed) {
            return;
        }
        let Some(text) = text else {
            return self.report(XmlError::NotText);
        };
        if is_blank(&text) {
            return;
        }
        let (elements, unreadable) = parse_leniently(text, frame, &self.config.limits, &LENIENCE);
        for element in elements {
            self.handle_element(element);
        }
        if let Some(unreadable) = unreadable {
            self.events
                .push_back(TransportEvent::Unreadable(unreadable));
        }
    }

    /// Handles a frame that exceeds the limit and was not read.
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
        let by_hand = self.config.by_hand;
        if by_hand {
            let frame = TransportEvent::Frame(element.clone());
            self.events.push_back(frame);
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
            if !by_hand {
                self.events.push_back(TransportEvent::Element(element));
            }
        } else {
            self.dismiss(CloseReason::NotWebSocket("a frame that opens no stream"));
        }
    }

    /// Handles the server's `<close/>` (§3.6): answers it, unless it answers ours.
    fn handle_close(&mut self, close: &Element) {
        if matches!(self.state, State::Closing) {
            // A `<close/>` that names another address does not answer ours: the server has not read that far.
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

    /// The socket was closed.
    fn handle_closed(&mut self, reason: CloseReason) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.end(reason);
        // The socket is closed already: discard the transmissions.
        self.transmits = VecDeque::new();
    }
}

/// Whether a frame holds only white space, as some servers send it to keep the connection alive.
fn is_blank(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.iter().all(u8::is_ascii_whitespace)
}
