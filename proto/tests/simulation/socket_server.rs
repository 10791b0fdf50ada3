//! RFC 7395's side of the server, with XEP-0198 where it has it: counts, keeps what was not acknowledged, resumes.

mod sessions;

use super::extras::{Extras, Sasl2, Tokens};
use super::judge::Judge;
use super::login::{Login, Step};
use super::rooms::is_for_rooms;
use super::server::{Abilities, BIND, Management, Say, bound, handle_stanza, is_bind, message};
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::{Element, Limits, parse};
use std::collections::VecDeque;

/// A stream on a socket.
struct Stream {
    link: u64,
    login: Login,
    authenticated: bool,
}

struct Session {
    number: usize,
    /// On which socket, or since when on none.
    link: Result<u64, Instant>,
    /// Stream management is on.
    managed: bool,
    resumable: bool,
    /// How many stanzas were handled and said since, modulo 2³².
    handled: u32,
    said: u32,
    unacked: VecDeque<String>,
}

/// A WebSocket service.
pub struct SocketServer {
    abilities: Abilities,
    sasl2: Option<Sasl2>,
    pub tokens: Tokens,
    streams: Vec<Stream>,
    sessions: Vec<Session>,
    /// Up to where sessions came that are forgotten otherwise.
    remembered: Vec<(String, u32)>,
    pub frames: u64,
    pub resumed: u64,
    /// How often a session went that the client might have wanted to keep.
    pub dropped: u64,
    /// What sessions sent to rooms, since it was taken last.
    pub to_rooms: Vec<(usize, Element)>,
}

/// What comes of the wish to resume a session.
enum Resumption {
    Resumed {
        at: usize,
        resumed: String,
    },
    Failed(String),
    /// The stream has ended.
    Ended,
}

/// The features of an authenticated stream.
fn bindable(abilities: Abilities) -> String {
    match abilities.management {
        Management::None => BIND.to_owned(),
        _ => format!("{BIND}<sm xmlns='{}'/>", ns::STREAM_MANAGEMENT),
    }
}

fn offering(features: &str) -> String {
    format!(
        "<stream:features xmlns:stream='{}'>{features}</stream:features>",
        ns::STREAM
    )
}

fn said(link: u64, text: String) -> Say {
    Say::Frame { link, text }
}

/// RFC 6120 §4.9.
fn end_stream(link: u64, condition: &str, out: &mut Vec<Say>) {
    let error = format!(
        "<stream:error xmlns:stream='{}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        ns::STREAM
    );
    out.push(said(link, error));
    out.push(said(link, format!("<close xmlns='{}'/>", ns::FRAMING)));
    out.push(Say::Close(link));
}

impl SocketServer {
    pub fn new(abilities: Abilities, seed: u64, extras: &Extras) -> Self {
        Self {
            abilities,
            sasl2: extras.sasl2,
            tokens: Tokens::new(seed, "socket tokens"),
            streams: Vec::new(),
            sessions: Vec::new(),
            remembered: Vec::new(),
            frames: 0,
            resumed: 0,
            dropped: 0,
            to_rooms: Vec::new(),
        }
    }

    /// Forgets all sessions; `polite`: not without a word.
    pub fn restart(&mut self, polite: bool, judge: &mut Judge, out: &mut Vec<Say>) {
        for stream in self.streams.drain(..) {
            if polite {
                end_stream(stream.link, "system-shutdown", out);
            }
        }
        self.remembered.clear();
        self.tokens.forget();
        for session in self.sessions.drain(..) {
            self.dropped += 1;
            judge.ended(session.number);
        }
    }

    /// The session counts on from elsewhere, in both directions. False when there is none that could.
    pub fn shift(&mut self, now: Instant, up: u32, down: u32) -> bool {
        let [session] = self.sessions.as_mut_slice() else {
            return false;
        };
        if session.resumable {
            // What still comes from the former page counts as it did: nobody listens to it any more.
            if let Ok(old) = session.link {
                self.streams.retain(|stream| stream.link != old);
                session.link = Err(now);
            }
            session.handled = session.handled.wrapping_add(up);
            session.said = session.said.wrapping_add(down);
        }
        session.resumable
    }

    pub fn newest(&self) -> Option<usize> {
        self.sessions.iter().map(|session| session.number).max()
    }

    pub fn push(&mut self, judge: &mut Judge, out: &mut Vec<Say>) {
        let newest = self.newest();
        for session in &mut self.sessions {
            if Some(session.number) == newest {
                session.say_and_ask(message(&judge.push(session.number)), out);
            }
        }
    }

    /// A stanza for one session, which may be interrupted. Nothing comes of it when there is no such session.
    pub fn deliver(&mut self, number: usize, text: String, out: &mut Vec<Say>) {
        let mut sessions = self.sessions.iter_mut();
        if let Some(session) = sessions.find(|session| session.number == number) {
            session.say_and_ask(text, out);
        }
    }

    /// Somebody asks for a socket.
    pub fn opened(&mut self, link: u64, out: &mut Vec<Say>) {
        self.streams.push(Stream {
            link,
            login: Login::new(self.abilities, self.sasl2, link),
            authenticated: false,
        });
        out.push(Say::Accept(link));
    }

    /// A socket is gone.
    pub fn closed(&mut self, link: u64, now: Instant, judge: &mut Judge) {
        self.streams.retain(|stream| stream.link != link);
        self.detach(link, now, judge);
    }

    fn detach(&mut self, link: u64, now: Instant, judge: &mut Judge) {
        let Some(at) = self.position(link) else {
            return;
        };
        if self.sessions[at].resumable {
            self.sessions[at].link = Err(now);
        } else {
            self.dropped += 1;
            judge.ended(self.sessions.remove(at).number);
        }
    }

    fn position(&self, link: u64) -> Option<usize> {
        self.sessions
            .iter()
            .position(|session| session.link == Ok(link))
    }

    /// A frame has come.
    pub fn frame(
        &mut self,
        link: u64,
        bytes: Vec<u8>,
        now: Instant,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) {
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.link == link) else {
            return;
        };
        self.frames += 1;
        let Ok(element) = parse(bytes, &Limits::default()) else {
            end_stream(link, "not-well-formed", out);
            return self.closed(link, now, judge);
        };
        match (element.ns(), element.name()) {
            (ns::FRAMING, "open") => {
                let features = match stream.authenticated {
                    false => stream.login.offer(),
                    true => bindable(self.abilities),
                };
                let open = format!(
                    "<open xmlns='{}' from='example.org' id='o' version='1.0'/>",
                    ns::FRAMING
                );
                out.push(said(link, open));
                out.push(said(link, offering(&features)));
            }
            (ns::FRAMING, "close") => {
                out.push(said(link, format!("<close xmlns='{}'/>", ns::FRAMING)));
                out.push(Say::Close(link));
                self.streams.retain(|stream| stream.link != link);
                // It was said in order: there is nothing to resume.
                if let Some(at) = self.position(link) {
                    judge.ended(self.sessions.remove(at).number);
                }
            }
            (ns::SASL | ns::SASL2, _) => {
                match stream.login.handle(&element, &mut self.tokens, judge) {
                    Step::Say(answer) => out.push(said(link, answer)),
                    Step::Done(answer) => {
                        stream.authenticated = true;
                        out.push(said(link, answer));
                    }
                    Step::Granted(granted) => {
                        stream.authenticated = true;
                        self.grant(link, &granted, judge, out);
                    }
                }
            }
            (ns::STREAM_MANAGEMENT, name) => self.manage(link, name, &element, judge, out),
            _ => self.stanza(link, &element, judge, out),
        }
    }

    fn stanza(&mut self, link: u64, stanza: &Element, judge: &mut Judge, out: &mut Vec<Say>) {
        if let Some(at) = self.position(link) {
            let session = &mut self.sessions[at];
            session.handled = session.handled.wrapping_add(u32::from(session.managed));
            let number = session.number;
            if is_for_rooms(stanza) {
                self.to_rooms.push((number, stanza.clone()));
            } else if let Some(reply) = handle_stanza(stanza, number, judge) {
                session.say(reply, out);
            }
        } else if is_bind(stanza) {
            let number = self.bind(link, judge);
            let id = stanza.attr("id").unwrap_or_default();
            out.push(said(link, bound(id, number)));
        } else {
            judge.unbound();
        }
    }

    fn manage(
        &mut self,
        link: u64,
        name: &str,
        element: &Element,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) {
        let h = element.attr("h").and_then(|h| h.parse().ok());
        let at = self.position(link);
        match (name, at) {
            ("enable", Some(at)) => {
                let enabled = self.enable(at);
                out.push(said(link, enabled));
            }
            ("r", Some(at)) => {
                let h = self.sessions[at].handled;
                out.push(said(
                    link,
                    format!("<a xmlns='{}' h='{h}'/>", ns::STREAM_MANAGEMENT),
                ));
            }
            ("a", Some(at)) => self.sessions[at].trim(h, judge),
            ("resume", None) => {
                let previd = element.attr("previd").unwrap_or_default();
                match self.resume(link, previd, h, judge, out) {
                    Resumption::Ended => {}
                    Resumption::Failed(failed) => out.push(said(link, failed)),
                    Resumption::Resumed { at, resumed } => {
                        out.push(said(link, resumed));
                        self.say_unacked(link, at, out);
                    }
                }
            }
            _ => assert!(judge.lenient, "<{name}/> out of place"),
        }
    }

    fn resume(
        &mut self,
        link: u64,
        previd: &str,
        h: Option<u32>,
        judge: &mut Judge,
        out: &mut Vec<Say>,
    ) -> Resumption {
        let known =
            |session: &Session| session.resumable && format!("sm{}", session.number) == previd;
        let Some(at) = self.sessions.iter().position(known) else {
            let known = self.remembered.iter().find(|(id, _)| id == previd);
            let h = known.map_or(String::new(), |(_, h)| format!("h='{h}'"));
            let failed = format!(
                "<failed xmlns='{}' {h}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
                ns::STREAM_MANAGEMENT
            );
            return Resumption::Failed(failed);
        };
        if !self.sessions[at].can_trim(h) {
            // It was asked for long ago, on a socket that has stood still since: the session has gone on without it.
            self.streams.retain(|stream| stream.link != link);
            end_stream(link, "undefined-condition", out);
            return Resumption::Ended;
        }
        // The old stream, if it is there, is none any more.
        if let Ok(old) = self.sessions[at].link {
            self.streams.retain(|stream| stream.link != old);
            out.push(Say::Close(old));
        }
        self.resumed += 1;
        let session = &mut self.sessions[at];
        session.link = Ok(link);
        session.trim(h, judge);
        let handled = session.handled;
        let resumed = format!(
            "<resumed xmlns='{}' previd='{previd}' h='{handled}'/>",
            ns::STREAM_MANAGEMENT
        );
        Resumption::Resumed { at, resumed }
    }

    /// What the client has not acknowledged, once more.
    fn say_unacked(&self, link: u64, at: usize, out: &mut Vec<Say>) {
        for text in &self.sessions[at].unacked {
            out.push(said(link, text.clone()));
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        let keeps = Millis::seconds(self.abilities.keeps);
        let detached = self
            .sessions
            .iter()
            .filter_map(|session| session.link.err());
        detached.map(|since| since + keeps).min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, judge: &mut Judge) {
        let keeps = Millis::seconds(self.abilities.keeps);
        let over = |session: &mut Session| session.link.is_err_and(|since| now >= since + keeps);
        for session in self.sessions.extract_if(.., over) {
            self.dropped += 1;
            if self.abilities.tells_h {
                let id = format!("sm{}", session.number);
                self.remembered.push((id, session.handled));
            }
            judge.ended(session.number);
        }
    }
}

impl Session {
    /// A stanza, now or on the stream that comes.
    fn say(&mut self, text: String, out: &mut Vec<Say>) {
        if self.managed {
            self.said = self.said.wrapping_add(1);
            self.unacked.push_back(text.clone());
        }
        if let Ok(link) = self.link {
            out.push(said(link, text));
        }
    }

    /// Now and then the server wants to know what has arrived, too.
    fn say_and_ask(&mut self, text: String, out: &mut Vec<Say>) {
        self.say(text, out);
        if self.managed && self.said.is_multiple_of(5) {
            self.ask(out);
        }
    }

    fn ask(&self, out: &mut Vec<Say>) {
        if let Ok(link) = self.link {
            out.push(said(
                link,
                format!("<r xmlns='{}'/>", ns::STREAM_MANAGEMENT),
            ));
        }
    }

    /// How many of those that are kept `h` acknowledges.
    fn newly(&self, h: Option<u32>) -> usize {
        let acknowledged = self.said.wrapping_sub(self.unacked.len() as u32);
        h.map_or(0, |h| h.wrapping_sub(acknowledged)) as usize
    }

    fn can_trim(&self, h: Option<u32>) -> bool {
        self.newly(h) <= self.unacked.len()
    }

    /// The client has `h` of what was said.
    fn trim(&mut self, h: Option<u32>, judge: &mut Judge) {
        if !self.can_trim(h) {
            assert!(judge.lenient, "the client acknowledges what was never said");
            return;
        }
        self.unacked.drain(..self.newly(h));
    }
}
