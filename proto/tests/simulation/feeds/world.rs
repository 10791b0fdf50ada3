//! One feed, one service, one publisher, and what happens to the session between them.

use super::judge::{Judge, Tally};
use super::service::{Kind, NODE, SERVICE, Service, stanzas};
use crate::simulation::dice::Dice;
use crate::support::unicode::NativeUnicode;
use epode_proto::event::RequestFailure;
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::stanza::StanzaError;
use epode_proto::time::Instant;
use epode_proto::xep::pubsub::event;
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::feed::{Change, Feed, Order, Output, Settings, Traits};
use epode_proto::xml::Element;

const TICK: u64 = 5;

pub struct World {
    kind: Kind,
    dice: Dice,
    now: u64,
    service: Service,
    feed: Feed,
    settings: Settings,
    /// The client knows what kind of service it is.
    knows: bool,
    down: Vec<(u64, String)>,
    up: Vec<(u64, Element)>,
    /// Numbers of requests by their ids, and when they were asked.
    asked: Vec<(String, u32, u64)>,
    ids: u64,
    session: bool,
    back_at: u64,
    latency: u64,
    next_id: u64,
    judge: Judge,
    lossy: u64,
    /// Rows are saved without a change, too.
    repeats: bool,
    trace: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "feed");
        let kind = Kind::of(&mut dice);
        let settings = Settings {
            feed: 1,
            service: SERVICE.into(),
            node: NODE.into(),
            limit: 5_000,
            snapshot: dice.chance(700),
            repeats: dice.chance(300),
            options: Vec::new(),
        };
        let repeats = dice.chance(250);
        Self {
            repeats,
            feed: Feed::new(settings.clone(), None),
            service: Service::new(kind),
            knows: dice.chance(600),
            judge: Judge::new(kind, settings.snapshot, repeats),
            latency: dice.pick(&[0, 1, 20, 150]),
            lossy: dice.pick(&[0, 0, 20]),
            trace: std::env::var_os("EPODE_SIM_TRACE").is_some(),
            kind,
            dice,
            now: 0,
            settings,
            down: Vec::new(),
            up: Vec::new(),
            asked: Vec::new(),
            ids: 0,
            session: false,
            back_at: 0,
            next_id: 0,
        }
    }

    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    pub fn add_to(&self, tally: &mut Tally) {
        self.judge.add_to(tally);
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{:6} {}", self.now, what());
        }
    }

    pub fn run(&mut self) {
        // Something may be there before the feed begins.
        for _ in 0..self.dice.pick(&[0, 2, 15, 300]) {
            self.publish_new();
        }
        let steps = 200 + self.dice.below(600);
        let pace = self.dice.pick(&[30, 200, 800]);
        for _ in 0..steps {
            self.now += TICK;
            self.maybe_publish(pace);
            self.maybe_break();
            self.step();
        }
        self.tell(|| "calm".into());
        self.lossy = 0;
        self.settle();
        // What a limit of the node dropped while the feed was live is seen when it catches up.
        for _ in 0..2 {
            self.cut();
            self.settle();
        }
        self.judge.judge_end(&self.service);
    }

    fn settle(&mut self) {
        for _ in 0..60_000 {
            self.now += TICK;
            if !self.service.exists {
                self.publish_new();
            }
            self.step();
            if self.session
                && self.up.is_empty()
                && self.down.is_empty()
                && self.asked.is_empty()
                && !self.service.is_busy()
            {
                // The node may have been gone, and is asked for again.
                if self.service.subscribed {
                    return;
                }
            }
        }
        panic!("it never comes to rest");
    }

    fn maybe_publish(&mut self, pace: u64) {
        if !self.dice.chance(pace) {
            return;
        }
        let many = if self.dice.chance(50) {
            self.dice.below(30)
        } else {
            1
        };
        for _ in 0..many.max(1) {
            let known = self.service.items.len() as u64;
            match self.dice.below(100) {
                0..=14 if known > 0 => {
                    let at = self.dice.below(known) as usize;
                    let id = self.service.items[at].id.clone();
                    self.publish(&id, None);
                }
                // The same once more, as a form that is saved without a change.
                15..=18 if known > 0 && self.repeats => {
                    let at = self.dice.below(known) as usize;
                    let item = self.service.items[at].clone();
                    self.publish(&item.id, Some(item.content));
                }
                19..=24 if known > 0 => {
                    let at = self.dice.below(known) as usize;
                    let id = self.service.items[at].id.clone();
                    self.tell(|| format!("retract {id}"));
                    self.service.retract(self.now, &id);
                    self.judge.note_retract(&id);
                }
                25 if self.dice.chance(100) => {
                    self.tell(|| "purge".into());
                    self.service.purge(self.now);
                    self.judge.note_purge();
                }
                _ => self.publish_new(),
            }
        }
    }

    fn publish_new(&mut self) {
        self.next_id += 1;
        let id = format!("i{}", self.next_id);
        self.publish(&id, None);
    }

    fn publish(&mut self, id: &str, same: Option<u64>) {
        let content = same.unwrap_or(self.service.count + 1);
        self.tell(|| format!("publish {id} {content}"));
        self.service.publish(self.now, id, content);
        self.judge
            .note_publication(self.service.count, id, content, &self.service);
    }

    fn maybe_break(&mut self) {
        if !self.session || !self.dice.chance(12) {
            return;
        }
        self.judge.note_interruption();
        self.cut();
        match self.dice.below(10) {
            0..=1 => {
                self.tell(|| "restart".into());
                if !self.kind.remembers {
                    self.service.subscribed = false;
                }
                if self.dice.chance(150) {
                    self.tell(|| "the node is forgotten".into());
                    self.service.forget_node();
                    self.judge.note_forgotten();
                }
            }
            2..=4 => self.reload(),
            _ => {}
        }
    }

    fn cut(&mut self) {
        self.tell(|| "cut".into());
        self.session = false;
        self.service.cut();
        self.up.clear();
        self.down.clear();
        for (_, number, _) in std::mem::take(&mut self.asked) {
            self.feed
                .handle_reply(Instant(self.now), number, Err(RequestFailure::Disconnected));
        }
        self.poll();
        self.back_at = self.now + self.dice.pick(&[0, 10, 100, 1000]);
    }

    fn reload(&mut self) {
        self.tell(|| "reload".into());
        let position = self.feed.position();
        let since =
            position.map(|text| Position::read(&text, SERVICE, NODE).expect("its own position"));
        self.judge.note_reload(since.is_some());
        self.feed = Feed::new(self.settings.clone(), since);
    }

    fn step(&mut self) {
        if !self.session && self.now >= self.back_at {
            self.session = true;
            self.service.online = true;
            if self.knows {
                self.feed.learn(Traits {
                    order: if self.kind.by_creation
                        || self.kind.pages
                        || self.kind.slow > 0
                        || !self.kind.newest_first
                    {
                        Order::Unknown
                    } else {
                        Order::Publication
                    },
                    archive: self.kind.archives > 0,
                });
            }
            self.tell(|| "session".into());
            self.feed
                .begin(&Jid::parse("me@localhost", &NativeUnicode).expect("a JID"));
            self.poll();
        }
        while self.up.first().is_some_and(|(at, _)| *at <= self.now) {
            let (_, iq) = self.up.remove(0);
            self.service.receive(self.now, iq);
        }
        for text in self.service.run(self.now) {
            let at = self.now + self.latency;
            self.down.push((at, text));
        }
        while self.down.first().is_some_and(|(at, _)| *at <= self.now) {
            let (_, text) = self.down.remove(0);
            for stanza in stanzas(&text) {
                self.receive(&stanza);
            }
        }
        let overdue = self
            .asked
            .iter()
            .position(|(_, _, since)| self.now - since > 30_000);
        if let Some(at) = overdue {
            let (_, number, _) = self.asked.remove(at);
            self.feed
                .handle_reply(Instant(self.now), number, Err(RequestFailure::TimedOut));
        }
        self.feed.handle_timeout(Instant(self.now));
        self.poll();
    }

    fn receive(&mut self, stanza: &Element) {
        self.tell(|| format!("S: {}", stanza.to_xml()));
        if stanza.name() == "iq" {
            let id = stanza.attr("id").expect("an id");
            let Some(at) = self.asked.iter().position(|(known, _, _)| known == id) else {
                return;
            };
            let (_, number, _) = self.asked.remove(at);
            let outcome = match stanza.attr("type") {
                Some("error") => Err(RequestFailure::Refused {
                    error: StanzaError::parse(stanza),
                    reply: stanza.clone(),
                }),
                _ => Ok(stanza.clone()),
            };
            self.feed.handle_reply(Instant(self.now), number, outcome);
        } else if let Some(result) = stanza.child("result", ns::MAM) {
            self.feed.handle_result(&result);
        } else if let Some(event) = event::parse(stanza) {
            self.feed.handle_event(&event, stanza);
        }
        self.poll();
    }

    fn poll(&mut self) {
        loop {
            match self.feed.poll_output() {
                Output::Request { number, iq } => {
                    if !self.session {
                        self.feed.handle_reply(
                            Instant(self.now),
                            number,
                            Err(RequestFailure::Disconnected),
                        );
                        continue;
                    }
                    self.ids += 1;
                    let id = format!("q{}", self.ids);
                    let iq = iq.with_attr("id", &id);
                    self.tell(|| format!("C: {}", iq.to_xml()));
                    self.asked.push((id, number, self.now));
                    let lost =
                        self.lossy > 0 && self.dice.chance(self.lossy) && !is_subscription(&iq);
                    if !lost {
                        self.up.push((self.now + self.latency, iq));
                    }
                }
                // The node was forgotten before this page ever had it: it tries again.
                Output::Change(change) if matches!(*change, Change::Refused(_)) => {
                    self.reload();
                    self.cut();
                    return;
                }
                Output::Change(change) => {
                    self.tell(|| format!("-> {change:?}").chars().take(200).collect());
                    self.judge.note_change(&change, &self.service);
                }
                Output::Timeout(_) => return,
            }
        }
    }
}

fn is_subscription(iq: &Element) -> bool {
    iq.child("pubsub", ns::PUBSUB)
        .is_some_and(|pubsub| pubsub.has_child("subscribe", ns::PUBSUB))
}
