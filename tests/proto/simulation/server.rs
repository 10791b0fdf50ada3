//! A BOSH service and the XMPP server behind it, as far as a session needs them: XEP-0124's rules for rids, windows, holding
//! and repeated requests; anonymous login; messages counted.

use epode::proto::ns;
use epode::proto::time::{Instant, Millis};
use epode::proto::xml::{Element, Limits, parse};
use std::collections::{BTreeMap, VecDeque};

const WAIT: Millis = Millis::seconds(60);
const HOLD: usize = 1;
const REQUESTS: u64 = 2;
const INACTIVITY: Millis = Millis::seconds(60);

/// What the server says to an HTTP connection.
pub struct Answer {
    pub connection: u64,
    /// `None`: the connection is closed without a word.
    pub body: Option<String>,
}

struct Held {
    rid: u64,
    connection: u64,
    until: Instant,
}

struct Session {
    sid: String,
    /// The next rid to be processed.
    next: u64,
    early: BTreeMap<u64, (u64, Element)>,
    held: VecDeque<Held>,
    said: BTreeMap<u64, String>,
    outgoing: VecDeque<String>,
    bound: bool,
    quiet_since: Instant,
}

/// The server.
#[derive(Default)]
pub struct Server {
    session: Option<Session>,
    sessions: u64,
    /// The ids of the messages that have come, in order.
    pub received: Vec<String>,
    pub requests: u64,
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

impl Server {
    /// Forgets everything but what has been received, as a restart does.
    pub fn restart(&mut self) {
        self.session = None;
    }

    /// Something for the client; false when nobody is there to get it.
    pub fn push(&mut self, id: &str, now: Instant, out: &mut Vec<Answer>) -> bool {
        let Some(session) = self.session.as_mut().filter(|session| session.bound) else {
            return false;
        };
        session
            .outgoing
            .push_back(format!("<message xmlns='{}' id='{id}'/>", ns::CLIENT));
        session.flush(now, out);
        true
    }

    /// A request arrives on an HTTP connection.
    pub fn request(&mut self, connection: u64, text: &str, now: Instant, out: &mut Vec<Answer>) {
        self.requests += 1;
        let request = parse(text.as_bytes().to_vec(), &Limits::default()).expect("a client's body");
        let rid: u64 = request
            .attr("rid")
            .expect("a rid")
            .parse()
            .expect("a number");
        let answer = |body: String| Answer {
            connection,
            body: Some(body),
        };
        let Some(sid) = request.attr("sid") else {
            self.sessions += 1;
            let session = Session::new(format!("s{}", self.sessions), rid, now);
            let features = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>";
            let said = body(
                &format!(
                    "sid='{}' wait='60' hold='{HOLD}' requests='{REQUESTS}' inactivity='60' polling='2'",
                    session.sid
                ),
                features,
            );
            self.session = Some(session);
            out.push(answer(said));
            return;
        };
        let Some(session) = self.session.as_mut().filter(|session| session.sid == sid) else {
            out.push(answer(terminate("item-not-found")));
            return;
        };
        session.quiet_since = now;
        if rid < session.next {
            session.repeat(rid, connection, out);
            return;
        }
        if rid > session.next + REQUESTS {
            out.push(answer(terminate("item-not-found")));
            self.session = None;
            return;
        }
        // As for what is held: a request again takes the place of the first, whose connection is closed.
        if let Some((connection, _)) = session.early.insert(rid, (connection, request)) {
            let body = None;
            out.push(Answer { connection, body });
        }
        while let Some((connection, request)) = session.early.remove(&session.next) {
            let rid = session.next;
            session.next += 1;
            session.held.push_back(Held {
                rid,
                connection,
                until: now + WAIT,
            });
            let over = session.process(&request, &mut self.received);
            session.flush(now, out);
            if over {
                for held in core::mem::take(&mut session.held) {
                    out.push(Answer {
                        connection: held.connection,
                        body: Some(body("type='terminate'", "")),
                    });
                }
                self.session = None;
                return;
            }
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Instant> {
        let session = self.session.as_ref()?;
        let held = session.held.front().map(|held| held.until);
        Some(held.unwrap_or(session.quiet_since + INACTIVITY))
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Answer>) {
        let Some(session) = &mut self.session else {
            return;
        };
        while session.held.front().is_some_and(|held| held.until <= now) {
            session.answer(now, String::new(), out);
        }
        if session.held.is_empty() && now - session.quiet_since >= INACTIVITY {
            self.session = None;
        }
    }
}

impl Session {
    fn new(sid: String, rid: u64, now: Instant) -> Self {
        Self {
            sid,
            next: rid + 1,
            early: BTreeMap::new(),
            held: VecDeque::new(),
            said: BTreeMap::new(),
            outgoing: VecDeque::new(),
            bound: false,
            quiet_since: now,
        }
    }

    /// A request again (§14.3): the same answer, or, while it is held, the same wait on the new connection.
    fn repeat(&mut self, rid: u64, connection: u64, out: &mut Vec<Answer>) {
        if let Some(held) = self.held.iter_mut().find(|held| held.rid == rid) {
            let body = None;
            let connection = core::mem::replace(&mut held.connection, connection);
            out.push(Answer { connection, body });
        } else if let Some(said) = self.said.get(&rid) {
            out.push(Answer {
                connection,
                body: Some(said.clone()),
            });
        } else {
            out.push(Answer {
                connection,
                body: Some(terminate("item-not-found")),
            });
        }
    }

    /// True when the client says good-bye.
    fn process(&mut self, request: &Element, received: &mut Vec<String>) -> bool {
        if request.attr_ns("restart", ns::XBOSH).is_some() {
            let bind = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
            self.outgoing.push_back(bind.into());
        }
        for child in request.children() {
            let id = child.attr("id").unwrap_or_default();
            match (
                child.name(),
                child.children().next().map(|first| first.name().to_owned()),
            ) {
                ("auth", _) => {
                    let success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
                    self.outgoing.push_back(success.into());
                }
                ("iq", Some(payload)) if payload == "bind" => {
                    self.bound = true;
                    self.outgoing.push_back(format!(
                        "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/b</jid></bind></iq>"
                    ));
                }
                ("iq", _) => {
                    self.outgoing.push_back(format!(
                        "<iq xmlns='jabber:client' type='result' id='{id}'/>"
                    ));
                }
                ("message", _) => {
                    assert!(self.bound, "a page's stanza before the session was bound");
                    received.push(id.to_owned());
                }
                _ => {}
            }
        }
        request.attr("type") == Some("terminate")
    }

    /// Hands out what there is, and holds no more than may be held.
    fn flush(&mut self, now: Instant, out: &mut Vec<Answer>) {
        if !self.outgoing.is_empty() && !self.held.is_empty() {
            let payload: String = self.outgoing.drain(..).collect();
            self.answer(now, payload, out);
        }
        while self.held.len() > HOLD {
            self.answer(now, String::new(), out);
        }
    }

    fn answer(&mut self, now: Instant, payload: String, out: &mut Vec<Answer>) {
        let Some(held) = self.held.pop_front() else {
            return;
        };
        self.quiet_since = now;
        let said = body("", &payload);
        self.said.insert(held.rid, said.clone());
        // Only the last few are kept (§14.3): a client that leaves a gap behind loses what was in it.
        while self.said.len() > REQUESTS as usize + 1 {
            self.said.pop_first();
        }
        out.push(Answer {
            connection: held.connection,
            body: Some(said),
        });
    }
}
