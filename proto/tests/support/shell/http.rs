//! BOSH in a [`Shell`]: what is posted, held to XEP-0124's rules, and what a server answers.

use super::words::PAYLOADS;
use super::{Shell, read};
use crate::support::script::xml;
use epode_proto::io::{ExchangeId, Input, NetworkFailure};
use epode_proto::ns;
use epode_proto::time::{Instant, Millis};
use epode_proto::xml::{Element, Lenience, Limits, parse_leniently};
use std::rc::Rc;

struct Exchange {
    id: ExchangeId,
    rid: u64,
    body: Rc<str>,
    open: bool,
    session: bool,
    terminate: bool,
}

/// The exchanges, and the session that they belong to.
pub struct Http {
    exchanges: Vec<Exchange>,
    /// Where those of this page begin, and of this session.
    own: usize,
    first: usize,
    /// What the server says when it opens one.
    session: &'static str,
    window: usize,
    /// When the last request left, unless an exchange is over since.
    crowded: Option<Instant>,
}

impl Http {
    pub fn new(session: &'static str) -> Self {
        Self {
            exchanges: Vec::new(),
            own: 0,
            first: 0,
            session,
            window: 1,
            crowded: None,
        }
    }

    /// Is this a server that answers at once, and wants to be asked rarely?
    pub fn polls(&self) -> bool {
        self.session.contains("requests='1'")
    }

    /// How many are open.
    pub fn open_count(&self) -> usize {
        self.exchanges.iter().filter(|one| one.open).count()
    }

    pub fn cancel(&mut self, id: ExchangeId) {
        let mut exchanges = self.exchanges.iter_mut();
        let cancelled = exchanges.find(|exchange| exchange.id == id && exchange.open);
        cancelled.expect("only what is open is cancelled").open = false;
    }

    /// The page is gone; nobody hears the answers.
    pub fn reload(&mut self) {
        self.own = self.exchanges.len();
        self.crowded = None;
        for exchange in &mut self.exchanges {
            exchange.open = false;
        }
    }

    /// A request of a session that is none of ours.
    pub fn note_anything(&mut self, id: ExchangeId) {
        self.exchanges.push(Exchange {
            id,
            rid: 0,
            body: "<body sid='s'/>".into(),
            open: true,
            session: false,
            terminate: false,
        });
    }

    /// Any exchange, open or not, mostly the last ones.
    fn choose(&self, which: usize) -> Option<usize> {
        let count = self.exchanges.len();
        let recent = (count - self.own).min(4);
        (recent > 0).then(|| count - recent + which % recent)
    }
}

impl Shell {
    /// Answers one of the open exchanges as a server does.
    pub(super) fn serve_http(&mut self, which: usize, payloads: &[&str]) {
        let exchanges = &self.http.exchanges;
        let mut open = (0..exchanges.len()).filter(|at| exchanges[*at].open);
        let at = open.nth(which % self.http.open_count());
        let at = at.expect("an open exchange");
        let request = read(&exchanges[at].body);
        let has = |name: &str| request.children().any(|child| child.name() == name);
        let bind = request
            .children()
            .find(|child| child.has_child("bind", ns::BIND));
        let text = if request.attr("sid").is_none() {
            format!(
                "<body sid='s' {}><stream:features><sasl:mechanisms><sasl:mechanism>ANONYMOUS</sasl:mechanism>
                 </sasl:mechanisms></stream:features></body>",
                self.http.session
            )
        } else if request.attr("type").is_some() {
            "<body type='terminate'/>".into()
        } else if request.attr_ns("restart", ns::XBOSH).is_some() {
            "<body><stream:features><bind:bind/></stream:features></body>".into()
        } else if has("auth") {
            "<body><sasl:success/></body>".into()
        } else if let Some(id) = bind.as_ref().and_then(|iq| iq.attr("id")) {
            format!("<body>{}</body>", PAYLOADS[6].replace("ID", id))
        } else {
            let mut payload = payloads.concat().replace("ID", &self.last_id);
            for child in request.children() {
                if child.has_child("ping", ns::PING) {
                    let id = child.attr("id").expect("an id");
                    payload.push_str(&PAYLOADS[2].replace("ID", id));
                }
            }
            format!("<body>{payload}</body>")
        };
        self.answer(at, 200, Some("text/xml"), xml(&text).to_xml().into_bytes());
    }

    /// Answers one of the last exchanges with anything.
    pub(super) fn answer_any(
        &mut self,
        which: usize,
        status: u16,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) {
        if let Some(at) = self.http.choose(which) {
            let body = self.with_id(body);
            self.answer(at, status, content_type, body);
        }
    }

    fn answer(&mut self, at: usize, status: u16, content_type: Option<&str>, body: Vec<u8>) {
        let exchange = &mut self.http.exchanges[at];
        let opens = exchange.session && exchange.open && at >= self.http.first;
        if exchange.open {
            self.http.crowded = None;
        }
        exchange.open = false;
        let exchange = exchange.id;
        if opens && let Some(body) = read_body(body.clone()) {
            let number = |name: &str| body.attr(name).and_then(|value| value.parse().ok());
            let without = number("hold").unwrap_or(1_usize).saturating_add(1);
            self.http.window = number("requests").unwrap_or(without).max(1);
        }
        self.input(Input::HttpAnswered {
            exchange,
            status,
            content_type: content_type.map(str::to_owned),
            body,
        });
    }

    /// One of the last exchanges fails.
    pub(super) fn fail_any(&mut self, which: usize, failure: NetworkFailure) {
        if let Some(at) = self.http.choose(which) {
            if self.http.exchanges[at].open {
                self.http.crowded = None;
            }
            self.http.exchanges[at].open = false;
            let exchange = self.http.exchanges[at].id;
            self.input(Input::HttpFailed { exchange, failure });
        }
    }

    pub(super) fn note_request(&mut self, id: ExchangeId, body: Rc<str>, farewell: bool) {
        let element = read(&body);
        let rid = element.attr("rid").and_then(|rid| rid.parse().ok());
        let rid: u64 = rid.expect("a rid");
        // One more than the window is allowed for either (XEP-0124 §10, §11).
        let terminate = element.attr("type").is_some() || element.attr("pause").is_some();
        assert_eq!(farewell, terminate);
        let known = &self.http.exchanges;
        let own = &known[self.http.own..];
        assert!(own.iter().all(|exchange| exchange.id < id));
        let session = element.attr("sid").is_none();
        // Whoever gives a session up says so at once, and a new one has nothing to do with it.
        let alone = session || element.attr("type").is_some();
        let crowded = self.http.crowded.replace(self.now);
        let apart = crowded.is_none_or(|last| self.now >= last + Millis(25));
        assert!(alone || apart, "right behind the last one: {body}");
        if session {
            self.http.first = known.len();
            self.http.window = 1;
            self.order = 0;
            self.bound = false;
        }
        let exchanges = &self.http.exchanges[self.http.first..];
        match exchanges.iter().find(|exchange| exchange.rid == rid) {
            Some(first) => assert_eq!(first.body, body, "not the same again"),
            None => {
                let last = exchanges.iter().map(|exchange| exchange.rid).max();
                assert!(last.is_none_or(|last| rid == last + 1), "{rid}");
                for child in element.children() {
                    self.note_element(&child);
                }
            }
        }
        self.http.exchanges.push(Exchange {
            id,
            rid,
            body,
            open: true,
            session,
            terminate,
        });
        self.check_window();
    }

    fn check_window(&self) {
        let exchanges = &self.http.exchanges[self.http.first..];
        let open = exchanges.iter().filter(|exchange| exchange.open);
        let (farewells, others): (Vec<&Exchange>, Vec<_>) = open.partition(|one| one.terminate);
        let (count, window) = (others.len(), self.http.window);
        assert!(count <= window, "{count} of {window}");
        assert!(farewells.len() <= 1);
    }
}

/// A body, with the deviations that the client passes over.
fn read_body(bytes: Vec<u8>) -> Option<Element> {
    let lenience = Lenience {
        default_ns: ns::HTTP_BIND,
        level: 1,
        stream_level: ns::STREAM_LEVEL,
        prefixes: ns::WELL_KNOWN_PREFIXES,
    };
    let (elements, _) = parse_leniently(bytes, 0, &Limits::default(), &lenience);
    elements.into_iter().next()
}

/// The elements that an answer to the wire would be.
pub fn body(attributes: &str, payloads: &[&str]) -> Element {
    xml(&format!("<body {attributes}>{}</body>", payloads.concat()))
}
