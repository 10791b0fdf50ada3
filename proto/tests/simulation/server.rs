//! The XMPP server behind both ways in, as far as a session needs it: a login, messages counted, requests answered.

use super::bosh_server::BoshServer;
use super::extras::{Extras, Tokens};
use super::judge::Judge;
use super::rooms::{Desk, Letter, MucService, Plan};
use super::socket_server::SocketServer;
use super::watching::is_answer;
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::Element;

/// How long a BOSH session lasts without a request, unless it pauses.
pub const INACTIVITY: Millis = Millis::seconds(60);
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
    /// Whether accounts log in, with SCRAM; otherwise everybody does, without one.
    pub scram: bool,
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
    pub rooms: MucService,
    /// Nobody is there before.
    pub down_until: Instant,
}

impl Server {
    pub fn new(abilities: Abilities, seed: u64, plan: &Plan, extras: &Extras) -> Self {
        Self {
            bosh: BoshServer::new(abilities, seed, extras),
            sockets: SocketServer::new(abilities, seed, extras),
            rooms: MucService::new(seed, plan),
            down_until: Instant(0),
        }
    }

    /// Forgets everything but what has been received.
    pub fn restart(&mut self, now: Instant, polite: bool, judge: &mut Judge, out: &mut Vec<Say>) {
        self.bosh.restart(polite, judge, out);
        self.sockets.restart(polite, judge, out);
        self.rooms.forget_all(judge, now);
    }

    /// A request has come on an HTTP connection.
    pub fn request(
        &mut self,
        connection: u64,
        body: Vec<u8>,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) {
        self.bosh.request(connection, body, now, judge, out);
        self.route(now, judge, out);
    }

    /// A frame has come on a socket.
    pub fn frame(
        &mut self,
        link: u64,
        bytes: Vec<u8>,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) {
        self.sockets.frame(link, bytes, now, judge, out);
        self.route(now, judge, out);
    }

    /// What sessions sent to rooms gets there.
    fn route(&mut self, now: Instant, judge: &mut Judge, out: &mut Vec<Say>) {
        let over_bosh = core::mem::take(&mut self.bosh.to_rooms);
        let over_sockets = core::mem::take(&mut self.sockets.to_rooms);
        for (session, stanza) in over_bosh.into_iter().chain(over_sockets) {
            self.in_rooms(now, judge, out, |rooms, desk| {
                rooms.handle(session, &stanza, desk);
            });
        }
    }

    /// Something happens in rooms; what they send goes to its sessions.
    pub fn in_rooms<T>(
        &mut self,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<Say>,
        act: impl FnOnce(&mut MucService, &mut Desk<'_>) -> T,
    ) -> T {
        let mut letters = Vec::new();
        let mut desk = self.rooms.desk(now, judge, &mut letters);
        let outcome = act(&mut self.rooms, &mut desk);
        for Letter { session, text } in letters {
            self.sockets.deliver(session, text.clone(), out);
            self.bosh.deliver(session, text, now, out);
        }
        outcome
    }

    /// The tokens of one of the services.
    pub fn tokens(&self, socket: bool) -> &Tokens {
        match socket {
            true => &self.sockets.tokens,
            false => &self.bosh.tokens,
        }
    }

    /// The session that was bound last, of those that there are.
    pub fn newest(&self) -> Option<usize> {
        self.bosh.newest().max(self.sockets.newest())
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
        let due = [
            self.bosh.deadline(),
            self.sockets.deadline(),
            self.rooms.deadline(),
        ];
        due.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, judge: &mut Judge, out: &mut Vec<Say>) {
        self.bosh.tick(now, judge, out);
        self.sockets.tick(now, judge);
        self.in_rooms(now, judge, out, |rooms, desk| rooms.tick(desk));
    }
}

/// What the server makes of a stanza in a bound session: what it says to it.
pub fn handle_stanza(stanza: &Element, session: usize, judge: &mut Judge) -> Option<String> {
    let id = stanza.attr("id").unwrap_or_default();
    if stanza.name() == "message" {
        judge.arrived(session, id);
        return None;
    }
    if stanza.name() == "presence" && stanza.attr("to").is_none() {
        return judge.presence_announced(session, stanza);
    }
    if is_answer(stanza) {
        judge.capabilities_told(stanza);
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
/// The offer of one mechanism.
pub fn mechanisms(name: &str) -> String {
    format!(
        "<mechanisms xmlns='{}'><mechanism>{name}</mechanism></mechanisms>",
        ns::SASL
    )
}

pub fn bound(id: &str, session: usize) -> String {
    let jid = format!(
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/{session}</jid></bind>"
    );
    reply(id, None, &jid)
}

/// A request of the server's own.
pub fn server_request(kind: &str, id: &str, payload: Element) -> String {
    Element::builder("iq", ns::CLIENT)
        .attr("type", kind)
        .attr("from", "example.org")
        .attr("id", id)
        .child(payload)
        .build()
        .to_xml()
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
