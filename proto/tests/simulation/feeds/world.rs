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
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::feed::{Change, FeedSettings};
use epode_proto::xep::pubsub::feeds::{Feeds, FeedsOutput};
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xml::Element;

const TICK: u64 = 5;

pub struct World {
    kind: Kind,
    dice: Dice,
    now: u64,
    service: Service,
    feeds: Feeds,
    feed: FeedId,
    settings: FeedSettings,
    down: Vec<(u64, String)>,
    up: Vec<(u64, Element)>,
    /// Numbers of requests by their ids, and when they time out.
    asked: Vec<(String, u32, u64)>,
    /// Attempts that the page gave up.
    given_up: u64,
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
        let settings = FeedSettings {
            feed: 1,
            service: SERVICE.into(),
            node: NODE.into(),
            limit: 5_000,
            snapshot: dice.chance(700),
            repeats: dice.chance(300),
            options: Vec::new(),
        };
        let repeats = dice.chance(250);
        let mut service = Service::new(kind);
        service.tells = dice.chance(600);
        let lossy = dice.pick(&[0, 0, 20]);
        let mut feeds = Feeds::new();
        feeds.set_account(&me());
        let feed = feeds.add(&address(), &me(), settings.clone(), None, None);
        Self {
            repeats,
            feeds,
            feed,
            service,
            given_up: 0,
            judge: Judge::new(kind, &settings, repeats, lossy > 0),
            latency: dice.pick(&[0, 1, 20, 150]),
            lossy,
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
            self.maybe_double();
            self.maybe_give_up();
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

    /// What was sent comes once more. A page that asks for repetitions cannot tell them from publications.
    fn maybe_double(&mut self) {
        if self.session && !self.settings.repeats && self.dice.chance(self.kind.doubles) {
            let count = self.service.double(self.now);
            self.tell(|| format!("{count} once more"));
            self.judge.note_doubles(count);
        }
    }

    /// The page gives up before the service has agreed, and tries once more.
    fn maybe_give_up(&mut self) {
        let waits = self.session && self.feeds.position(self.feed).is_none();
        if waits && self.given_up < 3 && self.dice.chance(100) {
            self.tell(|| "given up".into());
            self.given_up += 1;
            self.judge.note_given_up();
            self.feeds.close(self.feed);
            self.service.begin_attempt();
            self.start(None);
            self.begin();
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
            self.feeds
                .handle_reply(Instant(self.now), number, Err(RequestFailure::Disconnected));
        }
        self.poll();
        self.back_at = self.now + self.dice.pick(&[0, 10, 100, 1000]);
    }

    fn reload(&mut self) {
        self.tell(|| "reload".into());
        let position = self.feeds.position(self.feed);
        let since =
            position.map(|text| Position::read(&text, SERVICE, NODE).expect("its own position"));
        self.judge.note_reload(since.is_some());
        // Another page: it knows nothing else.
        self.feeds = Feeds::new();
        self.feeds.set_account(&me());
        self.start(since);
    }

    fn start(&mut self, since: Option<Position>) {
        let settings = self.settings.clone();
        self.feed = self.feeds.add(&address(), &me(), settings, since, None);
    }

    fn begin(&mut self) {
        if self.feeds.position(self.feed).is_none() {
            self.judge.note_begin(self.service.count);
        }
        self.feeds.begin(Instant(self.now), self.feed, &me());
        self.poll();
    }

    fn step(&mut self) {
        if !self.session && self.now >= self.back_at {
            self.session = true;
            self.service.online = true;
            self.tell(|| "session".into());
            self.feeds.begin_session();
            self.begin();
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
            .position(|(_, _, until)| *until <= self.now);
        if let Some(at) = overdue {
            let (_, number, _) = self.asked.remove(at);
            self.feeds
                .handle_reply(Instant(self.now), number, Err(RequestFailure::TimedOut));
        }
        self.feeds.handle_timeout(Instant(self.now));
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
            self.feeds.handle_reply(Instant(self.now), number, outcome);
        } else {
            self.feeds.handle_message(stanza, &NativeUnicode);
        }
        self.poll();
    }

    fn poll(&mut self) {
        loop {
            match self.feeds.poll_output() {
                FeedsOutput::Request {
                    number,
                    iq,
                    timeout,
                } => {
                    if !self.session {
                        self.feeds.handle_reply(
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
                    self.asked.push((id, number, self.now + timeout.0));
                    let lost =
                        self.lossy > 0 && self.dice.chance(self.lossy) && !is_subscription(&iq);
                    if !lost {
                        self.up.push((self.now + self.latency, iq));
                    }
                }
                // The node was forgotten before this page ever had it: it tries again.
                FeedsOutput::Change { change, .. } if matches!(*change, Change::Refused(_)) => {
                    self.reload();
                    self.cut();
                    return;
                }
                FeedsOutput::Change { change, .. } => {
                    self.tell(|| format!("-> {change:?}").chars().take(200).collect());
                    self.judge.note_change(&change, &self.service);
                }
                FeedsOutput::Timeout(_) => return,
            }
        }
    }
}

fn is_subscription(iq: &Element) -> bool {
    iq.child("pubsub", ns::PUBSUB).is_some_and(|pubsub| {
        pubsub.has_child("subscribe", ns::PUBSUB) || pubsub.has_child("unsubscribe", ns::PUBSUB)
    })
}

fn me() -> Jid {
    Jid::parse("me@localhost", &NativeUnicode).expect("a JID")
}

fn address() -> Jid {
    Jid::parse(SERVICE, &NativeUnicode).expect("a JID")
}
