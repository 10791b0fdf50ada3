//! WebSockets in a [`Shell`]: what is sent, held to RFC 7395's rules, and an honest server with XEP-0198 at the other end.

use super::words::PAYLOADS;
use super::{Place, Shell, read};
use crate::support::script::xml;
use epode_proto::io::{Input, NetworkFailure, SocketId};
use epode_proto::ns;
use epode_proto::xml::Element;
use std::collections::VecDeque;
use std::rc::Rc;

/// The socket in use, and the server.
#[derive(Default)]
pub struct Socket {
    id: Option<SocketId>,
    last: Option<SocketId>,
    opened: bool,
    /// Frames on their way to the server.
    under_way: VecDeque<Rc<str>>,
    authenticated: bool,
    /// The session that can be resumed is there, and how many stanzas the server has had in it since.
    kept: bool,
    handled: Option<u32>,
    /// What it has said in that session: once more where we have not had it.
    said: Vec<String>,
    /// How many messages it has had for us; they are numbered.
    pushed: u64,
    /// Those that we have not heard yet.
    due: VecDeque<u64>,
    /// The numbers of the messages that the server has got.
    pub received: Vec<u64>,
    /// Something has come from elsewhere, in the server's name: nothing it tells has to be true.
    pub lied: bool,
}

impl Socket {
    /// Is there one, or is it being opened?
    pub fn is_there(&self) -> bool {
        self.id.is_some()
    }

    pub fn open(&mut self, id: SocketId) {
        assert!(self.id.is_none(), "two sockets at once");
        assert!(self.last.is_none_or(|last| last < id));
        self.id = Some(id);
        self.last = Some(id);
        self.opened = false;
        self.under_way.clear();
        self.authenticated = false;
    }

    pub fn close(&mut self, id: SocketId) {
        assert_eq!(self.id, Some(id), "another socket is closed");
        self.id = None;
        self.lose_due();
    }

    /// Without XEP-0198 nobody says it again.
    fn lose_due(&mut self) {
        if !self.kept {
            self.due.clear();
        }
    }

    /// A stanza has been heard.
    pub fn note_heard(&mut self, stanza: &Element) {
        if stanza.name() == "message" && !self.lied {
            let number = stanza.attr("id").and_then(|id| id.parse().ok());
            assert_eq!(number, self.due.pop_front(), "lost, twice, or out of order");
        }
    }

    /// The server has a message for us.
    fn push(&mut self) -> String {
        self.pushed += 1;
        self.due.push_back(self.pushed);
        format!("<message id='{}'/>", self.pushed)
    }

    /// What it says in a session that can be resumed is kept.
    fn keep(&mut self, text: &str) {
        if self.kept && (text.starts_with("<message") || text.starts_with("<iq")) {
            self.said.push(text.to_owned());
        }
    }
}

impl Shell {
    pub(super) fn note_frame(&mut self, id: SocketId, text: Rc<str>) {
        assert_eq!(self.socket.id, Some(id), "a frame on another socket");
        assert!(self.socket.opened, "a frame on a socket that is not open");
        assert!(text.starts_with('<') && !text.starts_with("<?"), "{text}");
        let element = read(&text);
        assert!(!element.ns().is_empty(), "{text}");
        self.note_element(&element);
        self.socket.under_way.push_back(text);
    }

    /// The socket opens, or it turns out to be none for XMPP.
    pub(super) fn open_socket(&mut self, subprotocol: bool) {
        if let Some(socket) = self.socket.id.filter(|_| !self.socket.opened) {
            self.socket.opened = true;
            self.order = 0;
            self.bound = false;
            self.input(Input::SocketOpened {
                socket,
                subprotocol,
            });
        }
    }

    /// The socket is gone; what is under way arrives or is lost with it, and all that the server says.
    pub(super) fn lose_socket(&mut self, failure: NetworkFailure, arrives: usize) {
        self.lose_answers(arrives);
        if let Some(socket) = self.socket.id.take() {
            self.socket.lose_due();
            self.input(Input::SocketClosed { socket, failure });
        }
    }

    /// As many frames arrive, and nothing that the server says to that, or by itself.
    fn lose_answers(&mut self, arrives: usize) {
        for _ in 0..arrives {
            for answer in self.take_frame() {
                self.socket.keep(&answer);
            }
        }
        if self.socket.kept && arrives % 2 == 1 {
            let message = self.socket.push();
            self.socket.keep(&message);
        }
    }

    /// The page is gone, and its sockets with it.
    pub(super) fn abandon_socket(&mut self, arrives: usize) {
        self.lose_answers(arrives);
        self.socket.id = None;
        self.socket.last = None;
        self.socket.lose_due();
    }

    /// A frame that no honest server sent; `None` for a binary one.
    pub(super) fn frame(&mut self, text: Option<Vec<u8>>) {
        if let Some(socket) = self.socket.id {
            self.socket.lied = true;
            let text = text.map(|text| self.with_id(text));
            self.input(Input::SocketFrame {
                socket,
                text,
                frame: 0,
            });
        }
    }

    /// The server gets what is under way, one frame of it, and answers; then it says something by itself.
    /// `forgets`: it does not know the session any more that we want to resume.
    pub(super) fn serve_socket(&mut self, forgets: bool, payloads: &[&str]) {
        if !self.socket.opened {
            return self.open_socket(true);
        }
        self.socket.kept &= !forgets;
        for answer in self.take_frame() {
            self.socket.keep(&answer);
            self.say(&answer);
        }
        for payload in payloads {
            if payload.starts_with("<message id") && self.place == Place::Online {
                let message = self.socket.push();
                self.socket.keep(&message);
                self.say(&message);
            } else if payload.starts_with('<') {
                // An answer to what has not arrived is a lie, and so are messages to nobody.
                self.socket.lied = true;
                let payload = payload.replace("ID", &self.last_id);
                self.say(&payload);
            }
        }
        let hears = self.place == Place::Online && !self.socket.lied;
        assert!(!hears || self.socket.due.is_empty(), "not heard");
    }

    fn say(&mut self, text: &str) {
        if let Some(socket) = self.socket.id {
            let text = Some(xml(text).to_xml().into_bytes());
            self.input(Input::SocketFrame {
                socket,
                text,
                frame: 0,
            });
            self.drain();
        }
    }

    /// What the server says to the next frame.
    fn take_frame(&mut self) -> Vec<String> {
        let Some(text) = self.socket.under_way.pop_front() else {
            return Vec::new();
        };
        let element = read(&text);
        if element.ns() == ns::CLIENT {
            return self.take_stanza(&element);
        }
        let managed = self.way.managed;
        let server = &mut self.socket;
        let offer = match (server.authenticated, managed) {
            (false, _) => {
                "<sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism></sasl:mechanisms>"
            }
            (true, true) => "<bind:bind/><sm:sm/>",
            (true, false) => "<bind:bind/>",
        };
        match element.name() {
            "open" => vec![
                "<framing:open from='example.org' id='s' version='1.0'/>".into(),
                format!("<stream:features>{offer}</stream:features>"),
            ],
            "close" => vec!["<framing:close/>".into()],
            "auth" => {
                server.authenticated = true;
                vec!["<sasl:success/>".into()]
            }
            "enable" => {
                server.kept = true;
                server.handled = Some(0);
                server.said.clear();
                vec!["<sm:enabled id='sm' resume='true' max='300'/>".into()]
            }
            "r" => match server.handled {
                Some(h) => vec![format!("<sm:a h='{h}'/>")],
                None => Vec::new(),
            },
            "resume" => match (server.kept, server.handled) {
                (true, Some(h)) => {
                    let heard: Option<usize> = element.attr("h").and_then(|h| h.parse().ok());
                    let (heard, said) = (heard.expect("a number"), server.said.len());
                    assert!(heard <= said || server.lied, "{heard} of {said}");
                    let again = server.said.split_off(heard.min(said));
                    let mut answers = vec![format!("<sm:resumed previd='sm' h='{h}'/>")];
                    answers.extend(again);
                    answers
                }
                // Some still know how far they were (§5).
                (false, Some(h)) if h % 2 == 1 => vec![format!(
                    "<sm:failed h='{h}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></sm:failed>"
                )],
                _ => vec!["<sm:failed/>".into()],
            },
            _ => Vec::new(),
        }
    }

    fn take_stanza(&mut self, stanza: &Element) -> Vec<String> {
        if let Some(handled) = &mut self.socket.handled {
            *handled += 1;
        }
        let id = stanza.attr("id").unwrap_or_default();
        match stanza.name() {
            "message" => {
                self.socket.received.push(id.parse().expect("a number"));
                Vec::new()
            }
            "iq" if stanza.has_child("bind", ns::BIND) => {
                // A new session; nothing counts before it is managed.
                self.socket.kept = false;
                self.socket.handled = None;
                self.socket.due.clear();
                vec![PAYLOADS[6].replace("ID", id)]
            }
            "iq" if matches!(stanza.attr("type"), Some("get" | "set")) => {
                vec![PAYLOADS[2].replace("ID", id)]
            }
            _ => Vec::new(),
        }
    }
}
