//! XEP-0124's side of the server: rids, windows, holding, and requests that come again.

mod special;

use super::extras::{Extra, Extras, Granted, Tokens};
use super::http::NOBODY;
use super::judge::{Judge, Wrong};
use super::login::{Login, Step};
use super::rooms::is_for_rooms;
use super::server::{Abilities, BIND, Say, bound, handle_stanza, is_bind, message};
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::{Element, Limits, parse};
use special::Special;
use std::collections::{BTreeMap, VecDeque};

const WAIT: Millis = Millis::seconds(60);

struct Held {
    rid: u64,
    connection: u64,
    until: Instant,
}

struct Session {
    sid: String,
    login: Login,
    /// In the record, once it is bound.
    number: Option<usize>,
    hold: usize,
    acks: bool,
    /// The next rid to be processed.
    next: u64,
    early: BTreeMap<u64, (u64, Element)>,
    held: VecDeque<Held>,
    said: BTreeMap<u64, String>,
    outgoing: VecDeque<String>,
    quiet_since: Instant,
    special: Special,
    /// The rid of a pause whose answer is not kept.
    forgotten_pause: Option<u64>,
}

/// A BOSH service.
pub struct BoshServer {
    abilities: Abilities,
    extras: Extras,
    sessions: Vec<Session>,
    pub tokens: Tokens,
    made: u64,
    pub requests: u64,
    /// How many of them arrived before an earlier one.
    pub overtakes: u64,
    /// How many sessions nobody asked for anything for too long.
    pub expired: u64,
    /// What sessions sent to rooms, since it was taken last.
    pub to_rooms: Vec<(usize, Element)>,
}

fn body(attributes: &str, payload: &str) -> String {
    format!(
        "<body xmlns='{}' xmlns:stream='{}' {attributes}>{payload}</body>",
        ns::HTTP_BIND,
        ns::STREAM
    )
}

fn terminate(condition: &str) -> String {
    body(&format!("type='terminate' condition='{condition}'"), "")
}

fn say(connection: u64, body: String, out: &mut Vec<Say>) {
    let body = Some(body);
    out.push(Say::Answer { connection, body });
}

impl BoshServer {
    pub fn new(abilities: Abilities, seed: u64, extras: &Extras) -> Self {
        Self {
            abilities,
            extras: extras.clone(),
            sessions: Vec::new(),
            tokens: Tokens::new(seed, "bosh tokens"),
            made: 0,
            requests: 0,
            overtakes: 0,
            expired: 0,
            to_rooms: Vec::new(),
        }
    }

    /// Forgets all sessions; `polite`: not without a word.
    pub fn restart(&mut self, polite: bool, judge: &mut Judge, out: &mut Vec<Say>) {
        for mut session in self.sessions.drain(..) {
            if polite {
                for held in core::mem::take(&mut session.held) {
                    say(held.connection, terminate("system-shutdown"), out);
                }
            }
            session.end(judge, out);
        }
        self.tokens.forget();
    }

    /// How many requests a client may have under way.
    pub fn window(&self) -> usize {
        self.abilities.hold + 1
    }

    pub fn newest(&self) -> Option<usize> {
        self.sessions
            .iter()
            .filter_map(|session| session.number)
            .max()
    }

    pub fn push(&mut self, now: Instant, judge: &mut Judge, out: &mut Vec<Say>) {
        let newest = self.newest();
        for session in &mut self.sessions {
            if let Some(number) = session.number
                && session.number == newest
            {
                session.outgoing.push_back(message(&judge.push(number)));
                session.flush(now, out);
            }
        }
    }

    /// A stanza for one session. Nothing comes of it when there is no such session.
    pub fn deliver(&mut self, number: usize, text: String, now: Instant, out: &mut Vec<Say>) {
        let mut sessions = self.sessions.iter_mut();
        if let Some(session) = sessions.find(|session| session.number == Some(number)) {
            session.outgoing.push_back(text);
            session.flush(now, out);
        }
    }

    /// A request arrives on an HTTP connection.
    pub fn request(
        &mut self,
        connection: u64,
        bytes: Vec<u8>,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) {
        self.requests += 1;
        let request = parse(bytes, &Limits::default()).ok();
        let rid = request
            .as_ref()
            .and_then(|one| one.attr("rid")?.parse::<u64>().ok());
        let (Some(request), Some(rid)) = (request, rid) else {
            assert!(judge.lenient, "a body that is none");
            return say(connection, terminate("bad-request"), out);
        };
        let Some(sid) = request.attr("sid") else {
            self.made += 1;
            let (sid, hold) = (format!("s{}", self.made), self.abilities.hold);
            let login = Login::new(self.abilities, self.extras.sasl2, self.made);
            let offer = login.offer();
            let mut special = Special::new(&self.extras, rid);
            let checked = special.check(&request, now, judge);
            assert!(checked.is_ok() || judge.lenient, "a bad first request");
            let mut session = Session::new(sid, rid, now, self.abilities, login, special);
            let acks = if session.acks { "ack='1'" } else { "" };
            let attributes = session.special.attributes(hold);
            let attributes = format!("sid='{}' {attributes} {acks}", session.sid);
            session.process(&request, judge, &mut self.tokens, &mut self.to_rooms);
            let said: String = session.outgoing.drain(..).collect();
            let features = format!("<stream:features>{offer}</stream:features>{said}");
            let said = body(&attributes, &features);
            session.said.insert(rid, said.clone());
            self.sessions.push(session);
            return say(connection, said, out);
        };
        let Some(at) = self.sessions.iter().position(|session| session.sid == sid) else {
            return say(connection, terminate("item-not-found"), out);
        };
        let window = self.window() as u64;
        let session = &mut self.sessions[at];
        session.quiet_since = now;
        if rid < session.special.first {
            judge.blame(Wrong::Disordered, "a rid below the first one");
        }
        if rid < session.next {
            if session.forgotten_pause == Some(rid) {
                judge.extras.note(Extra::PauseForgotten);
            }
            return session.repeat(rid, connection, out);
        }
        if rid > session.next + window {
            assert!(judge.lenient, "a rid beyond the window");
            say(connection, terminate("item-not-found"), out);
            return self.sessions.remove(at).end(judge, out);
        }
        if rid > session.next {
            self.overtakes += 1;
        }
        // As for what is held: a request again takes the place of the first, whose connection is closed.
        if let Some((connection, _)) = session.early.insert(rid, (connection, request)) {
            let body = None;
            out.push(Say::Answer { connection, body });
        }
        while let Some((connection, request)) = session.early.remove(&session.next) {
            let rid = session.next;
            session.next += 1;
            if let Err(condition) = session.special.check(&request, now, judge) {
                say(connection, terminate(condition), out);
                return self.sessions.remove(at).end(judge, out);
            }
            session.held.push_back(Held {
                rid,
                connection,
                until: now + WAIT,
            });
            let over = session.process(&request, judge, &mut self.tokens, &mut self.to_rooms);
            session.handle_pause(&request, now, judge, out);
            session.flush(now, out);
            if over {
                for held in core::mem::take(&mut session.held) {
                    say(held.connection, body("type='terminate'", ""), out);
                }
                return self.sessions.remove(at).end(judge, out);
            }
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.sessions.iter().map(Session::deadline).min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, judge: &mut Judge, out: &mut Vec<Say>) {
        for session in &mut self.sessions {
            while session.held.front().is_some_and(|held| held.until <= now) {
                session.answer(now, String::new(), out);
            }
        }
        let over = |session: &mut Session| {
            session.held.is_empty() && now - session.quiet_since >= session.special.lasts
        };
        for session in self.sessions.extract_if(.., over) {
            self.expired += 1;
            session.end(judge, out);
        }
    }
}

impl Session {
    fn new(
        sid: String,
        rid: u64,
        now: Instant,
        abilities: Abilities,
        login: Login,
        special: Special,
    ) -> Self {
        Self {
            login,
            sid,
            number: None,
            hold: abilities.hold,
            acks: abilities.acks,
            next: rid + 1,
            early: BTreeMap::new(),
            held: VecDeque::new(),
            said: BTreeMap::new(),
            outgoing: VecDeque::new(),
            quiet_since: now,
            special,
            forgotten_pause: None,
        }
    }

    /// It is forgotten, and whoever waits for something from it is left.
    fn end(self, judge: &mut Judge, out: &mut Vec<Say>) {
        if let Some(number) = self.number {
            judge.ended(number);
        }
        let held = self.held.iter().map(|held| held.connection);
        let early = self.early.values().map(|(connection, _)| *connection);
        for connection in held.chain(early) {
            let body = None;
            out.push(Say::Answer { connection, body });
        }
    }

    fn deadline(&self) -> Instant {
        let held = self.held.front().map(|held| held.until);
        held.unwrap_or(self.quiet_since + self.special.lasts)
    }

    /// A request again (§14.3): the same answer, or, while it is held, the same wait on the new connection.
    fn repeat(&mut self, rid: u64, connection: u64, out: &mut Vec<Say>) {
        if let Some(held) = self.held.iter_mut().find(|held| held.rid == rid) {
            let body = None;
            let connection = core::mem::replace(&mut held.connection, connection);
            out.push(Say::Answer { connection, body });
        } else if let Some(said) = self.said.get(&rid) {
            say(connection, said.clone(), out);
        } else {
            say(connection, terminate("item-not-found"), out);
        }
    }

    /// True when the client says good-bye.
    fn process(
        &mut self,
        request: &Element,
        judge: &mut Judge,
        tokens: &mut Tokens,
        to_rooms: &mut Vec<(usize, Element)>,
    ) -> bool {
        if request.attr_ns("restart", ns::XBOSH).is_some() {
            let features = format!("<stream:features>{BIND}</stream:features>");
            self.outgoing.push_back(features);
        }
        for child in request.children() {
            if matches!(child.ns(), ns::SASL | ns::SASL2) {
                match self.login.handle(&child, tokens, judge) {
                    Step::Say(said) | Step::Done(said) => self.outgoing.push_back(said),
                    Step::Granted(granted) => self.grant(&granted, judge),
                }
            } else if let Some(number) = self.number.filter(|_| is_for_rooms(&child)) {
                to_rooms.push((number, child));
            } else if let Some(number) = self.number {
                self.outgoing.extend(handle_stanza(&child, number, judge));
            } else if is_bind(&child) {
                let number = judge.bound(false);
                self.number = Some(number);
                let id = child.attr("id").unwrap_or_default();
                self.outgoing.push_back(bound(id, number));
            } else if child.name() == "message" {
                judge.unbound();
            }
        }
        request.attr("type") == Some("terminate")
    }

    /// XEP-0388: the login is right; the session may be bound with it.
    fn grant(&mut self, granted: &Granted, judge: &mut Judge) {
        judge.extras.note(Extra::Sasl2OverBosh);
        let mut inner = String::new();
        if granted.wants("bind", ns::BIND2).is_some() {
            judge.extras.note(Extra::BoundInline);
            self.number = Some(judge.bound(false));
            inner = format!("<bound xmlns='{}'/>", ns::BIND2);
        }
        self.outgoing
            .push_back(granted.success(self.number, &inner));
        let features = format!("<stream:features>{BIND}</stream:features>");
        self.outgoing.push_back(features);
    }

    /// Hands out what there is, and holds no more than may be held.
    fn flush(&mut self, now: Instant, out: &mut Vec<Say>) {
        if !self.outgoing.is_empty() && !self.held.is_empty() {
            let payload: String = self.outgoing.drain(..).collect();
            self.answer(now, payload, out);
        }
        while self.held.len() > self.hold {
            self.answer(now, String::new(), out);
        }
    }

    fn answer(&mut self, now: Instant, payload: String, out: &mut Vec<Say>) {
        let Some(held) = self.held.pop_front() else {
            return;
        };
        self.quiet_since = now;
        self.special.note_answer(&payload);
        // §9: up to where all is here, where that is not the request itself.
        let up_to = self.next - 1;
        let ack = if self.acks && up_to > held.rid {
            format!("ack='{up_to}'")
        } else {
            String::new()
        };
        let said = body(&ack, &payload);
        self.said.insert(held.rid, said.clone());
        // Only the last few are kept (§14.3): a client that leaves a gap behind loses what was in it.
        while self.said.len() > self.hold + 2 {
            self.said.pop_first();
        }
        if held.connection != NOBODY {
            say(held.connection, said, out);
        }
    }
}
