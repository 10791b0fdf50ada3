//! The XMPP server behind both ways in, as far as a session needs it: anonymous login, messages counted, requests answered.

use super::bosh_server::BoshServer;
use super::judge::Judge;
use super::socket_server::SocketServer;
use epode_proto::ns;
use epode_proto::time::Instant;
use epode_proto::xml::Element;

pub const ANONYMOUS: &str = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
pub const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
pub const BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";

/// What the server does to a connection.
pub enum Say {
    /// An HTTP answer; `None`: the connection is closed without a word.
    Answer {
        connection: u64,
        body: Option<String>,
    },
    /// A socket is taken.
    Accept(u64),
    Frame {
        link: u64,
        text: String,
    },
    Close(u64),
}

/// What a server can do.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// Stream management: not at all, acknowledgements, or those and resumption.
    pub management: Management,
    /// How long a session is kept for resumption, in seconds.
    pub keeps: u64,
    /// How long it says that it does.
    pub says: u64,
    /// Does it tell `h` of a session that it has forgotten?
    pub tells_h: bool,
    /// How many requests it holds over BOSH.
    pub hold: usize,
    /// XEP-0124 §9.
    pub acks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Management {
    None,
    Acks,
    Resumes,
}

/// The server.
pub struct Server {
    pub bosh: BoshServer,
    pub sockets: SocketServer,
    /// Nobody is there before.
    pub down_until: Instant,
}

impl Server {
    pub fn new(abilities: Abilities) -> Self {
        Self {
            bosh: BoshServer::new(abilities),
            sockets: SocketServer::new(abilities),
            down_until: Instant(0),
        }
    }

    /// Forgets everything but what has been received.
    pub fn restart(&mut self, polite: bool, judge: &mut Judge, out: &mut Vec<Say>) {
        self.bosh.restart(polite, judge, out);
        self.sockets.restart(polite, judge, out);
    }

    /// A message for the client, in the session that was bound last; nothing when there is none.
    pub fn push(&mut self, now: Instant, judge: &mut Judge, out: &mut Vec<Say>) {
        let bosh = self.bosh.newest();
        let socket = self.sockets.newest();
        if bosh > socket {
            self.bosh.push(now, judge, out);
        } else if socket.is_some() {
            self.sockets.push(judge, out);
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        let due = [self.bosh.deadline(), self.sockets.deadline()];
        due.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, judge: &mut Judge, out: &mut Vec<Say>) {
        self.bosh.tick(now, judge, out);
        self.sockets.tick(now, judge);
    }
}

/// What the server makes of a stanza in a bound session: what it says to it.
pub fn handle_stanza(stanza: &Element, session: usize, judge: &mut Judge) -> Option<String> {
    let id = stanza.attr("id").unwrap_or_default();
    if stanza.name() == "message" {
        judge.arrived(session, id);
        return None;
    }
    let asks = stanza.name() == "iq" && matches!(stanza.attr("type"), Some("get" | "set"));
    match stanza.attr("to") {
        _ if !asks => None,
        // Somebody who never answers.
        Some("void@example.org") => None,
        to => Some(reply(id, to, "")),
    }
}

/// The result of binding.
pub fn bound(id: &str, session: usize) -> String {
    let jid = format!(
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/{session}</jid></bind>"
    );
    reply(id, None, &jid)
}

fn reply(id: &str, from: Option<&str>, payload: &str) -> String {
    let from = from.map_or(String::new(), |from| format!(" from='{from}'"));
    format!(
        "<iq xmlns='{}' type='result' id='{id}'{from}>{payload}</iq>",
        ns::CLIENT
    )
}

pub fn is_bind(stanza: &Element) -> bool {
    let child = stanza.children().next();
    stanza.name() == "iq" && child.is_some_and(|child| child.is("bind", ns::BIND))
}

pub fn message(id: &str) -> String {
    format!("<message xmlns='{}' id='{id}'/>", ns::CLIENT)
}
