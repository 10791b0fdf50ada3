//! All feeds of a connection, read like the wire: attempts that were given up, what is shared, who may speak.
//!
//! `C:` what is asked, in order; `S:` the answer to the oldest open request that begins so; `E:` what is told; `+2s` time passes.

use epode_proto::event::RequestFailure;
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::stanza::StanzaError;
use epode_proto::time::Instant;
use epode_proto::xep::pubsub::feed::{Change, FeedSettings};
use epode_proto::xep::pubsub::feeds::{FeedRouting, Feeds, FeedsOutput};
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xml::Element;

use super::xml;
use crate::support::script::millis;
use crate::support::unicode::NativeUnicode;

const SERVICE: &str = "pubsub.localhost";

struct Play {
    feeds: Feeds,
    now: u64,
    me: String,
    names: Vec<(String, FeedId)>,
    asked: Vec<(u32, String)>,
    said: Vec<String>,
    told: Vec<String>,
}

fn jid(text: &str) -> Jid {
    Jid::parse(text, &NativeUnicode).expect("a JID")
}

fn describe(iq: &Element) -> String {
    if iq.has_child("ping", ns::PING) {
        return "ping".into();
    }
    if iq.has_child("query", ns::DISCO_INFO) {
        return format!("info {}", iq.attr("to").expect("to"));
    }
    if let Some(query) = iq.child("query", ns::MAM) {
        return format!("archive {}", query.attr("queryid").expect("a name"));
    }
    let pubsub = iq.child("pubsub", ns::PUBSUB).expect("a request of pubsub");
    let asked = pubsub.children().next().expect("something");
    let mut text = format!("{} {}", asked.name(), asked.attr("node").unwrap_or("-"));
    for name in ["jid", "subid"] {
        if let Some(value) = asked.attr(name) {
            text = format!("{text} {value}");
        }
    }
    text
}

impl Play {
    fn new(me: &str) -> Self {
        let mut feeds = Feeds::new();
        feeds.set_account(&jid("me@localhost/web"));
        Self {
            feeds,
            now: 0,
            me: me.into(),
            names: Vec::new(),
            asked: Vec::new(),
            said: Vec::new(),
            told: Vec::new(),
        }
    }

    fn id(&self, name: &str) -> FeedId {
        let found = self.names.iter().rev().find(|(known, _)| known == name);
        found.expect("a feed").1
    }

    fn run(&mut self, script: &str) {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            match what {
                // `feed NAME NODE [PATIENCE]`
                "feed" => {
                    let words: Vec<_> = rest.split_whitespace().collect();
                    let settings = FeedSettings {
                        feed: 0,
                        service: SERVICE.into(),
                        node: words[1].into(),
                        limit: 10,
                        snapshot: true,
                        repeats: false,
                        options: Vec::new(),
                    };
                    let patience = words
                        .get(2)
                        .map(|span| epode_proto::time::Millis(millis(span)));
                    let me = jid(&self.me);
                    let id = self.feeds.add(&jid(SERVICE), &me, settings, None, patience);
                    self.names.push((words[0].into(), id));
                    self.feeds.begin(Instant(self.now), id, &me);
                }
                "close" => self.feeds.close(self.id(rest)),
                "unsubscribe" => {
                    let asked = self.feeds.unsubscribe(self.id(rest));
                    self.said.extend(asked.as_ref().map(describe));
                }
                "cut" => {
                    for (number, _) in std::mem::take(&mut self.asked) {
                        let lost = Err(RequestFailure::Disconnected);
                        self.feeds.handle_reply(Instant(self.now), number, lost);
                    }
                }
                "session" => {
                    self.feeds.begin_session();
                    for (_, id) in self.names.clone() {
                        self.feeds.begin(Instant(self.now), id, &jid(&self.me));
                    }
                }
                "S:" => self.hear(rest),
                "C:" => {
                    assert_eq!(std::mem::take(&mut self.said).join(" | "), rest, "asked");
                    continue;
                }
                "E:" => {
                    assert_eq!(std::mem::take(&mut self.told).join(", "), rest, "told");
                    continue;
                }
                span => {
                    self.now += millis(span.strip_prefix('+').expect("a line of a play"));
                    self.feeds.handle_timeout(Instant(self.now));
                }
            }
            self.poll();
        }
        assert!(self.told.is_empty(), "also told: {:?}", self.told);
    }

    /// `ASKED > WORDS`: an answer; or the inside of a message: `<…>`, `FROM <…>`.
    fn hear(&mut self, said: &str) {
        if let Some((asked, answer)) = said.split_once(" > ") {
            let at = self
                .asked
                .iter()
                .position(|(_, text)| text.starts_with(asked));
            let (number, text) = self
                .asked
                .remove(at.unwrap_or_else(|| panic!("{asked}: {:?}", self.asked)));
            let node = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let mut words = answer.split_whitespace();
            let what = words.next().expect("an answer");
            let outcome = match what {
                "timeout" => Err(RequestFailure::TimedOut),
                "error" => {
                    let condition = words.next().expect("a condition");
                    let reply = xml(&format!(
                        "<iq type='error'><error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
                    ));
                    Err(RequestFailure::Refused {
                        error: StanzaError::parse(&reply),
                        reply,
                    })
                }
                "items" => Ok(xml(&format!(
                    "<iq type='result'><pubsub xmlns='{}'><items node='{node}'/></pubsub></iq>",
                    ns::PUBSUB
                ))),
                "info" => Ok(xml(&format!(
                    "<iq type='result'><query xmlns='{}'><identity category='pubsub' type='service' name='Prosody PubSub Service'/></query></iq>",
                    ns::DISCO_INFO
                ))),
                "empty" => Ok(xml("<iq type='result'/>")),
                state => {
                    let subid = words
                        .next()
                        .map(|subid| format!("subid='{subid}'"))
                        .unwrap_or_default();
                    Ok(xml(&format!(
                        "<iq type='result'><pubsub xmlns='{}'><subscription node='{node}' jid='{}' {subid} subscription='{state}'/></pubsub></iq>",
                        ns::PUBSUB,
                        self.me
                    )))
                }
            };
            return self.feeds.handle_reply(Instant(self.now), number, outcome);
        }
        let (from, inside) = said.split_at(said.find('<').expect("XML"));
        let from = match from.trim() {
            "" => format!("from='{SERVICE}'"),
            "nobody" => String::new(),
            from => format!("from='{from}'"),
        };
        let message = xml(&format!("<message {from}>{inside}</message>"));
        match self.feeds.handle_message(&message, &NativeUnicode) {
            FeedRouting::Taken => {}
            FeedRouting::Nothing => self.told.push("nothing".into()),
            FeedRouting::Stranger { from, node } => {
                self.told.push(format!("stranger {from} {node}"))
            }
        }
    }

    fn poll(&mut self) {
        loop {
            match self.feeds.poll_output() {
                FeedsOutput::Request { number, iq, .. } => {
                    let text = describe(&iq);
                    self.asked.push((number, text.clone()));
                    self.said.push(text);
                }
                FeedsOutput::Change { feed, change } => {
                    let (name, _) = self
                        .names
                        .iter()
                        .find(|(_, id)| *id == feed)
                        .expect("a feed")
                        .clone();
                    let told = match *change {
                        Change::Subscribed(_) => "subscribed".into(),
                        Change::Refused(failure) => match *failure {
                            RequestFailure::Refused { error, .. } => {
                                format!("refused {}", error.condition)
                            }
                            other => format!("refused {other:?}"),
                        },
                        Change::Item { item, .. } => {
                            format!("item {}", item.id.unwrap_or_default())
                        }
                        Change::Live => "live".into(),
                        Change::End => "end".into(),
                        other => format!("{other:?}"),
                    };
                    self.told.push(format!("{name} {told}"));
                }
                FeedsOutput::Timeout(_) => return,
            }
        }
    }
}

const BARE: &str = "me@localhost";
const FULL: &str = "me@localhost/web";

fn item(node: &str, id: &str) -> String {
    format!(
        "<event xmlns='{}'><items node='{node}'><item id='{id}'><a xmlns='b'/></item></items></event>",
        ns::PUBSUB_EVENT
    )
}

#[test]
fn an_abandoned_subscription_is_ended_when_the_service_replies() {
    let mut play = Play::new(BARE);
    play.run(
        "
        feed one n 100ms
        C: info pubsub.localhost | subscribe n me@localhost | items n
        +100ms
        E: one refused TimedOut, one end
        C:
        S: subscribe n > subscribed s1
        C: unsubscribe n me@localhost s1
        S: unsubscribe n > empty
    ",
    );
    // By a signal, before the answer.
    let mut play = Play::new(BARE);
    play.run(
        "
        feed one n
        close one
        C: info pubsub.localhost | subscribe n me@localhost | items n
        S: subscribe n > pending
        C: unsubscribe n me@localhost
    ",
    );
    // There is nothing to end.
    for answer in ["error forbidden", "none"] {
        let mut play = Play::new(BARE);
        play.run(&format!("feed one n 1s\n+1s\nE: one refused TimedOut, one end\nC: info pubsub.localhost | subscribe n me@localhost | items n\nS: subscribe n > {answer}\nC:"));
    }
    // No answer at all: it may be there.
    let mut play = Play::new(BARE);
    play.run("feed one n 1s\n+1s\nE: one refused TimedOut, one end\nC: info pubsub.localhost | subscribe n me@localhost | items n\nS: subscribe n > timeout\nC: unsubscribe n me@localhost");
    // Once agreed, closing leaves it.
    let mut play = Play::new(BARE);
    play.run("feed one n\nS: subscribe n > subscribed\nE: one subscribed\nclose one\nC: info pubsub.localhost | subscribe n me@localhost | items n");
}

#[test]
fn the_reply_to_an_abandoned_attempt_is_not_matched_with_the_next() {
    let mut play = Play::new(BARE);
    play.run(
        "
        feed one n 100ms
        +100ms
        E: one refused TimedOut, one end
        feed two n
        C: info pubsub.localhost | subscribe n me@localhost | items n | subscribe n me@localhost | items n
        S: subscribe n > subscribed s1
        E:
        C:
        S: subscribe n > error forbidden
        E: two refused forbidden, two end
        C: unsubscribe n me@localhost s1
    ",
    );
    // One subscription for both: it stays.
    let mut play = Play::new(BARE);
    play.run(
        "
        feed one n 100ms
        +100ms
        feed two n
        E: one refused TimedOut, one end
        S: subscribe n > subscribed s1
        S: subscribe n > subscribed s1
        E: two subscribed
        C: info pubsub.localhost | subscribe n me@localhost | items n | subscribe n me@localhost | items n
    ",
    );
    // A service that gives another one each time.
    let mut play = Play::new(BARE);
    play.run(
        "
        feed one n 100ms
        +100ms
        feed two n
        E: one refused TimedOut, one end
        C: info pubsub.localhost | subscribe n me@localhost | items n | subscribe n me@localhost | items n
        S: subscribe n > subscribed s1
        S: subscribe n > subscribed s2
        E: two subscribed
        C: unsubscribe n me@localhost s1
    ",
    );
    // Of a feed that is there already.
    let mut play = Play::new(BARE);
    play.run(
        "
        feed one n
        S: subscribe n > subscribed
        feed two n 100ms
        +100ms
        E: one subscribed, two refused TimedOut, two end
        C: info pubsub.localhost | subscribe n me@localhost | items n | subscribe n me@localhost | items n
        S: subscribe n > subscribed
        C:
    ",
    );
}

#[test]
fn a_subscription_that_another_feed_uses_is_not_ended() {
    for (answer, told, asked) in [
        ("subscribed s1", "two subscribed", ""),
        ("subscribed", "two subscribed", ""),
        (
            "subscribed s2",
            "two subscribed",
            "unsubscribe n me@localhost s1",
        ),
        (
            "error forbidden",
            "two refused forbidden, two end",
            "unsubscribe n me@localhost s1",
        ),
    ] {
        let mut play = Play::new(BARE);
        play.run(
            "
            feed one n
            S: subscribe n > subscribed s1
            E: one subscribed
            feed two n
            C: info pubsub.localhost | subscribe n me@localhost | items n | subscribe n me@localhost | items n
            unsubscribe one
            C:
        ",
        );
        play.run(&format!("S: subscribe n > {answer}\nE: {told}\nC: {asked}"));
    }
}

impl Play {
    fn ignore(&mut self) {
        self.told.clear();
        self.said.clear();
    }
}

#[test]
fn unsubscribing_before_the_reply_uses_the_id_of_the_reply() {
    let mut play = Play::new(BARE);
    play.run("feed one n\nS: subscribe n > subscribed s1\nE: one subscribed\ncut\nsession");
    play.ignore();
    play.run(
        "
        unsubscribe one
        C: unsubscribe n me@localhost
        S: subscribe n > subscribed s2
        C: unsubscribe n me@localhost s2
    ",
    );
    let mut play = Play::new(BARE);
    play.run("feed one n\nunsubscribe one");
    play.ignore();
    play.run("S: subscribe n > subscribed\nC:");
}

#[test]
fn pending_ends_are_sent_in_the_next_session() {
    let mut play = Play::new(BARE);
    play.run("feed one n 1s\n+1s\nE: one refused TimedOut, one end\ncut");
    play.names.clear();
    play.said.clear();
    play.run("session\nC: unsubscribe n me@localhost\ncut\nsession\nC:");
    // Given up during the interruption.
    let mut play = Play::new(BARE);
    play.run("feed one n\ncut\nclose one");
    play.names.clear();
    play.said.clear();
    play.run("session\nC: unsubscribe n me@localhost");
    // One of a full JID ends with its session.
    let mut play = Play::new(FULL);
    play.run("feed one n 1s\n+1s\nE: one refused TimedOut, one end\ncut");
    play.names.clear();
    play.said.clear();
    play.run("session\nC:");
    // Before the session closes it is ended, too.
    let mut play = Play::new(FULL);
    play.run("feed one n 1s\n+1s\nE: one refused TimedOut, one end");
    let closing_requests: Vec<_> = play.feeds.closing_requests().iter().map(describe).collect();
    assert_eq!(closing_requests, ["unsubscribe n me@localhost/web"]);
}

#[test]
fn the_subscription_timeout_counts_only_in_a_session() {
    let mut play = Play::new(BARE);
    play.run("feed one n 1s\n+500ms\ncut");
    play.ignore();
    play.run("session\n+600ms\nS: subscribe n > subscribed\nE: one subscribed\n+1s\n+30s");
}

#[test]
fn the_end_of_an_earlier_subscription_does_not_end_the_next() {
    let none = format!(
        "S: <event xmlns='{}'><subscription node='n' jid='me@localhost' subscription='none'/></event>",
        ns::PUBSUB_EVENT
    );
    let mut play = Play::new(BARE);
    play.run(
        "feed one n\nS: subscribe n > subscribed\nE: one subscribed\nunsubscribe one\nfeed two n",
    );
    play.ignore();
    play.run(&format!(
        "{none}\nE: nothing\nS: subscribe n > subscribed\nE: two subscribed"
    ));
    play.hear(none.strip_prefix("S: ").expect("a message"));
    play.poll();
    assert_eq!(play.told.last().map(String::as_str), Some("two end"));
}

#[test]
fn a_service_is_discovered_once() {
    let mut play = Play::new(BARE);
    play.run("feed one n\nfeed two m\nC: info pubsub.localhost | subscribe n me@localhost | items n | subscribe m me@localhost | items m");
    // No answer: again in the next session, but not in this one.
    play.run(
        "S: info > timeout\nfeed three o\nC: subscribe o me@localhost | items o\ncut\nsession",
    );
    assert_eq!(
        play.said
            .iter()
            .filter(|said| said.starts_with("info"))
            .count(),
        1
    );
    play.said.clear();
    play.run("S: info > info\ncut\nsession");
    assert!(
        play.said.iter().all(|said| !said.starts_with("info")),
        "{:?}",
        play.said
    );
}

#[test]
fn senders_that_a_feed_accepts() {
    let mut play = Play::new(BARE);
    play.run("feed one n\nS: info > info\nS: subscribe n > subscribed\nS: items n > items\nE: one subscribed, one live");
    let (a, b) = (item("n", "a"), item("m", "b"));
    play.run(&format!(
        "
        S: {a}
        E: one item a
        S: mallory@evil.example/x {a}
        E: stranger mallory@evil.example/x n
        S: nobody {a}
        E: stranger me@localhost n
        S: pubsub.localhost/x {a}
        E: stranger pubsub.localhost/x n
        S: {b}
        E: nothing
        S: <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='pubsub.localhost'>{a}</message></forwarded>
        E: nothing
        S: <x xmlns='urn:x'>{a}</x>
        E: nothing
    "
    ));
    // Bounced: it is no event.
    let bounced = xml(&format!(
        "<message from='{SERVICE}' type='error'>{a}</message>"
    ));
    assert_eq!(
        play.feeds.handle_message(&bounced, &NativeUnicode),
        FeedRouting::Nothing
    );
}

#[test]
fn only_results_of_the_requested_archive_are_accepted() {
    let archived = |from: &str, query: &str| {
        format!(
            "S: {from} <result xmlns='{}' queryid='{query}' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>{}</message></forwarded></result>",
            ns::MAM,
            item("n", "x")
        )
    };
    let mut play = Play::new(BARE);
    play.run("feed one n\nS: subscribe n > subscribed\nE: one subscribed");
    // Nothing was asked of any archive.
    play.run(&format!("{}\nE: nothing", archived("", "feed-1-3")));
    play.run(&format!(
        "{}\nE: nothing",
        archived("mallory@evil.example", "feed-1-3")
    ));
}
