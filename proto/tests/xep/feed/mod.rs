//! A feed, read like the wire. `a1` is the item with the id `a` and the content `1`.
//!
//! `C:` what the feed asks, in order; `S:` what the service says; `E:` what is told; `+2s` time passes;
//! `hole`: what follows in the session comes behind events that were lost.

mod absent;
mod archive;
mod copies;
mod course;
mod listings;

use epode_proto::event::RequestFailure;
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::stanza::StanzaError;
use epode_proto::time::Instant;
use epode_proto::xep::pubsub::event;
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::feed::{Change, Feed, FeedOutput, FeedSettings, Order, Traits, Via};
use epode_proto::xml::Element;

use super::xml;
use crate::support::script::millis;
use crate::support::unicode::NativeUnicode;

const SERVICE: &str = "pubsub.localhost";
const NODE: &str = "/shop/Order";

fn settings() -> FeedSettings {
    FeedSettings {
        feed: 7,
        service: SERVICE.into(),
        node: NODE.into(),
        limit: 1000,
        snapshot: true,
        repeats: false,
        options: Vec::new(),
    }
}

struct Play {
    feed: Feed,
    now: u64,
    /// What was asked and not answered.
    asked: Vec<(u32, String)>,
    said: Vec<String>,
    told: Vec<String>,
    query: String,
}

fn by_publication() -> Traits {
    Traits {
        order: Order::Publication,
        archive: false,
    }
}

/// Plays a script with a new feed.
fn play(script: &str) -> Play {
    let mut play = Play::new(Feed::new(settings(), None));
    play.run(script);
    play
}

fn items(words: &str, inside: bool) -> String {
    let item = |word: &str| {
        let (id, content) = word.split_at(
            word.find(|c: char| c.is_ascii_digit())
                .unwrap_or(word.len()),
        );
        let payload = format!("<row xmlns='urn:rows' n='{content}'/>");
        format!(
            "<item id='{id}'>{}</item>",
            if inside { payload } else { String::new() }
        )
    };
    words.split_whitespace().map(item).collect()
}

fn word(id: Option<&str>, payload: Option<&Element>) -> String {
    let content = payload.and_then(|payload| payload.attr("n"));
    format!("{}{}", id.unwrap_or("?"), content.unwrap_or("-"))
}

impl Play {
    fn new(feed: Feed) -> Self {
        Self {
            feed,
            now: 0,
            asked: Vec::new(),
            said: Vec::new(),
            told: Vec::new(),
            query: String::new(),
        }
    }

    fn run(&mut self, script: &str) {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            if let Some(span) = line.strip_prefix('+') {
                self.now += millis(span);
                self.feed.handle_timeout(Instant(self.now));
                self.poll();
            } else if let Some(said) = line.strip_prefix("S: ") {
                self.said.clear();
                self.hear(said);
                self.poll();
            } else if let Some(expected) = line.strip_prefix("C:").map(str::trim_start) {
                assert_eq!(
                    std::mem::take(&mut self.said).join(" | "),
                    expected,
                    "asked"
                );
            } else if let Some(expected) = line.strip_prefix("E:").map(str::trim_start) {
                assert_eq!(std::mem::take(&mut self.told).join(", "), expected, "told");
            } else if line == "hole" {
                self.feed.handle_hole();
                self.poll();
            } else {
                assert_eq!(line, "session");
                for (number, _) in std::mem::take(&mut self.asked) {
                    self.feed.handle_reply(
                        Instant(self.now),
                        number,
                        Err(RequestFailure::Disconnected),
                    );
                }
                self.said.clear();
                self.feed
                    .begin(&Jid::parse("me@localhost", &NativeUnicode).expect("a JID"));
                self.poll();
            }
        }
        assert!(self.told.is_empty(), "also told: {:?}", self.told);
    }

    fn poll(&mut self) {
        loop {
            match self.feed.poll_output() {
                FeedOutput::Request { number, iq } => {
                    let text = self.describe(&iq);
                    self.asked.push((number, text.clone()));
                    self.said.push(text);
                }
                FeedOutput::Change(change) => self.tell(&change),
                FeedOutput::Timeout(_) => return,
            }
        }
    }

    fn describe(&mut self, iq: &Element) -> String {
        assert_eq!(iq.attr("to"), Some(SERVICE));
        if iq.has_child("ping", ns::PING) {
            return "ping".into();
        }
        if let Some(query) = iq.child("query", ns::DISCO_ITEMS) {
            assert_eq!(query.attr("node"), Some(NODE));
            return "ids".into();
        }
        if let Some(query) = iq.child("query", ns::MAM) {
            assert_eq!(
                (iq.attr("type"), query.attr("node")),
                (Some("set"), Some(NODE))
            );
            self.query = query.attr("queryid").expect("a name").into();
            let after = query
                .child("set", ns::RSM)
                .and_then(|set| set.child_text("after", ns::RSM));
            return format!("archive after {}", after.expect("after"));
        }
        let pubsub = iq.child("pubsub", ns::PUBSUB).expect("a request of pubsub");
        if let Some(subscribe) = pubsub.child("subscribe", ns::PUBSUB) {
            assert_eq!(
                (subscribe.attr("node"), subscribe.attr("jid")),
                (Some(NODE), Some("me@localhost"))
            );
            return "subscribe".into();
        }
        let items = pubsub.child("items", ns::PUBSUB).expect("items");
        assert_eq!(items.attr("node"), Some(NODE));
        let ids: Vec<_> = items
            .children()
            .map(|item| item.attr("id").expect("an id").to_string())
            .collect();
        match (pubsub.child("set", ns::RSM), items.attr("max_items")) {
            (Some(set), _) => format!(
                "before {}",
                set.child_text("before", ns::RSM).expect("before")
            ),
            (None, Some(count)) => format!("newest {count}"),
            _ => format!("items {}", ids.join(" ")),
        }
    }

    fn tell(&mut self, change: &Change) {
        let via = |via: Via| match via {
            Via::Snapshot => "snapshot",
            Via::Live => "live",
            Via::CatchUp => "caught up",
        };
        self.told.push(match change {
            Change::Subscribed(_) => return,
            Change::Item { item, via: how, .. } => format!(
                "{} {}",
                via(*how),
                word(item.id.as_deref(), item.payload.as_ref())
            ),
            Change::Retract { id, via: Via::Live } => format!("retract {id}"),
            Change::Retract { id, .. } => format!("gone {id}"),
            Change::Purge => "purge".into(),
            Change::Gap { after, before } => format!(
                "gap {}..{}",
                after.as_deref().unwrap_or(""),
                before.as_deref().unwrap_or("")
            ),
            Change::Live => "up to date".into(),
            Change::Refused(failure) => match &**failure {
                RequestFailure::Refused { error, .. } => format!("refused {}", error.condition),
                other => format!("{other:?}"),
            },
            Change::Subscription(told) => format!("subscription {:?}", told.state),
            Change::Configuration => "configuration".into(),
            Change::Delete { redirect } => format!("delete {}", redirect.as_deref().unwrap_or("")),
            Change::End => "end".into(),
        });
    }

    /// An answer is to the oldest question that is open.
    fn answer(&mut self, outcome: Result<Element, RequestFailure>) {
        let (number, _) = self.asked.remove(0);
        self.feed.handle_reply(Instant(self.now), number, outcome);
    }

    fn result(&mut self, inside: &str) {
        self.answer(Ok(xml(&format!(
            "<iq type='result' id='1' from='{SERVICE}'>{inside}</iq>"
        ))));
    }

    fn event(&mut self, inside: &str, more: &str) {
        let message = xml(&format!(
            "<message from='{SERVICE}'><event xmlns='{}'>{inside}</event>{more}</message>",
            ns::PUBSUB_EVENT
        ));
        let event = event::parse(&message).expect("an event");
        self.feed.handle_event(&event, &message);
    }

    fn hear(&mut self, said: &str) {
        let (what, rest) = said.split_once(' ').unwrap_or((said, ""));
        let pubsub = ns::PUBSUB;
        match what {
            "subscribed" | "pending" => self.result(&format!("<pubsub xmlns='{pubsub}'><subscription node='{NODE}' jid='me@localhost' subscription='{what}'/></pubsub>")),
            "listed" => self.result(&format!("<pubsub xmlns='{pubsub}'><items node='{NODE}'>{}</items></pubsub>", items(rest, false))),
            // The inside of a reply, and of a message.
            "reply" => self.result(rest),
            "message" => {
                let message = xml(&format!("<message from='{SERVICE}'>{rest}</message>"));
                let event = event::parse(&message).expect("an event");
                self.feed.handle_event(&event, &message);
            }
            "items" => {
                // `items a1 b1 (page FIRST INDEX COUNT)`
                let (list, set) = match rest.split_once('(') {
                    Some((list, page)) => {
                        let page: Vec<_> = page.trim_end_matches(')').split_whitespace().collect();
                        (list, format!("<set xmlns='{}'><first index='{}'>{}</first><count>{}</count></set>", ns::RSM, page[2], page[1], page[3]))
                    }
                    None => (rest, String::new()),
                };
                self.result(&format!("<pubsub xmlns='{pubsub}'><items node='{NODE}'>{}</items>{set}</pubsub>", items(list, true)));
            }
            "ids" => {
                let list: String = rest.split_whitespace().map(|id| format!("<item jid='{SERVICE}' name='{id}'/>")).collect();
                self.result(&format!("<query xmlns='{}' node='{NODE}'>{list}</query>", ns::DISCO_ITEMS));
            }
            "pong" => self.result(""),
            "event" => self.event(&format!("<items node='{NODE}'>{}</items>", items(rest, true)), ""),
            "bare" => self.event(&format!("<items node='{NODE}'>{}</items>", items(rest, false)), ""),
            "last" => self.event(&format!("<items node='{NODE}'>{}</items>", items(rest, true)), "<delay xmlns='urn:xmpp:delay' stamp='2026-11-21T20:00:00Z'/>"),
            "named" => {
                let (name, rest) = rest.split_once(' ').expect("a name and an item");
                let more = format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{SERVICE}' id='{name}'/>");
                self.event(&format!("<items node='{NODE}'>{}</items>", items(rest, true)), &more);
            }
            "retract" => self.event(&format!("<items node='{NODE}'><retract id='{rest}'/></items>"), ""),
            "purge" => self.event(&format!("<purge node='{NODE}'/>"), ""),
            "delete" => self.event(&format!("<delete node='{NODE}'><redirect uri='{rest}'/></delete>"), ""),
            "subscription" => self.event(&format!("<subscription node='{NODE}' jid='me@localhost' subscription='{rest}'/>"), ""),
            "archived" => {
                let (name, rest) = rest.split_once(' ').expect("a name and an item");
                let result = xml(&format!(
                    "<result xmlns='{}' queryid='{}' id='{name}'><forwarded xmlns='{}'><delay xmlns='urn:xmpp:delay' stamp='2026-11-21T20:00:00Z'/><message xmlns='jabber:client' from='{SERVICE}'><event xmlns='{}'><items node='{NODE}'>{}</items></event></message></forwarded></result>",
                    ns::MAM, self.query, ns::FORWARD, ns::PUBSUB_EVENT, items(rest, true)
                ));
                assert!(self.feed.handle_result(&result));
            }
            "fin" => {
                let (last, complete) = rest.split_once(' ').unwrap_or((rest, ""));
                self.result(&format!("<fin xmlns='{}' {complete}><set xmlns='{}'><last>{last}</last></set></fin>", ns::MAM, ns::RSM));
            }
            "error" => {
                let (kind, condition) = rest.split_once(' ').expect("a type and a condition");
                let reply = xml(&format!("<iq type='error' from='{SERVICE}'><error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"));
                self.answer(Err(RequestFailure::Refused { error: StanzaError::parse(&reply), reply }));
            }
            "nothing" => self.answer(Err(RequestFailure::TimedOut)),
            _ => panic!("said: {said}"),
        }
    }

    /// The same with other settings.
    fn of(change: impl FnOnce(&mut FeedSettings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self::new(Feed::new(settings, None))
    }

    /// Another page goes on from where this one stands.
    fn reload(&self) -> Play {
        let position = self.feed.position().expect("a position");
        let since = Position::read(&position, SERVICE, NODE).expect("its own position");
        Play::new(Feed::new(settings(), Some(since)))
    }
}

/// A feed of a service that lists as Prosody does, up to date with `a1 b1 c1`.
fn at_c1() -> Play {
    let mut play = Play::new(Feed::new(settings(), None));
    play.feed.learn(by_publication());
    play.run(
        "
        session
        C: subscribe | newest 1000
        S: subscribed
        S: items a1 b1 c1
        E: snapshot a1, snapshot b1, snapshot c1, up to date
    ",
    );
    play
}
