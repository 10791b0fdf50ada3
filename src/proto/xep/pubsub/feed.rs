//! A feed: a subscribed node, kept complete. What it holds, then what happens to it, then what was missed, as one sequence in
//! which each publication stands once.
//!
//! A small sans-IO machine. Its user calls [`Feed::begin`] whenever a session begins that knows nothing of the feed, hands in
//! the events of the node ([`Feed::handle_event`]) and the replies to what it asks, **in the order of the stream**, and polls
//! what it wants until it wants nothing ([`Feed::poll_output`]).
//!
//! It subscribes and at once asks what the node holds ([`catch_up`], [`archive`]); events that come meanwhile wait, and are
//! joined with the answer ([`merge`]). What was had already is recognised ([`known`]). Where nothing shows that the node still
//! holds all that was published since, there is a [`Change::Gap`].
//!
//! What it takes for granted: a service handles what we send in order, and tells of publications in their order.

mod archive;
mod catch_up;
mod known;
mod merge;
pub mod position;

use super::event::{Entry, Event};
use super::{Item, State, Subscription, request};
use crate::proto::event::RequestFailure;
use crate::proto::fifo::Fifo;
use crate::proto::jid::Jid;
use crate::proto::ns;
use crate::proto::stanza::ErrorKind;
use crate::proto::time::{Instant, Millis};
use crate::proto::xep::delay::Delay;
use crate::proto::xep::disco;
use crate::proto::xep::ping;
use crate::proto::xml::Element;
use archive::Archive;
use catch_up::{CatchUp, Goal, Held, Next};
use known::{Digest, Known, hash_id};
use position::Position;

/// How many events wait while the node is asked what it holds; beyond, it is not asked any more, and there is a gap.
const WAITING: usize = 10_000;
/// How many payloads are fetched at once.
const PAYLOADS: usize = 50;

/// In which order a service lists the items of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Not known.
    #[default]
    Unknown,
    /// As they were published: what is published again stands last.
    Publication,
    /// As they came to be: what is published again stays where it was.
    Creation,
}

/// What is known of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// How it lists items.
    pub order: Order,
    /// Its nodes have archives (XEP-0442).
    pub archive: bool,
}

impl Traits {
    /// What a service says of itself (XEP-0030).
    pub fn read(info: &disco::Info) -> Self {
        let mut traits = Self::default();
        for identity in &info.identities {
            // COMPAT(Prosody): listed as published, which nothing else tells.
            if identity.name.as_deref() == Some("Prosody PubSub Service") {
                traits.order = Order::Publication;
            }
        }
        traits.archive = info.has(ns::MAM);
        traits
    }
}

/// How an item came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// It was there when the feed began.
    Snapshot,
    /// It was published while the feed was listening.
    Live,
    /// It was published, or gone, after an interruption began and before it was over.
    CatchUp,
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum Change {
    /// The service has agreed; what it said about the subscription. Comes again in each new session.
    Subscribed(Option<Subscription>),
    /// The service refused. The feed is over.
    Refused(Box<RequestFailure>),
    /// An item.
    Item {
        /// As it was published last.
        item: Item,
        /// When, in milliseconds since 1970, if the service told.
        time: Option<i64>,
        /// How it came.
        via: Via,
    },
    /// An item is no longer there.
    Retract {
        /// Its id.
        id: String,
        /// [`Via::CatchUp`]: found to be gone, taken back or dropped by the node's limit.
        via: Via,
    },
    /// No item is there any more (§8.5).
    Purge,
    /// Something may be missing: the service no longer holds what would show that nothing is.
    Gap {
        /// The id of the last item before it.
        after: Option<String>,
        /// The id of the first item after it; `None` when there is none yet.
        before: Option<String>,
    },
    /// What was there, or was missed, has been told; what comes now is new.
    Live,
    /// The service changed how the subscription stands (§8.6, §8.8).
    Subscription(Subscription),
    /// The node's configuration changed (§8.2).
    Configuration,
    /// The node is no more (§8.4). The feed is over.
    Delete {
        /// The address of the one that takes its place.
        redirect: Option<String>,
    },
    /// The feed is over.
    End,
}

/// What the feed wants.
#[derive(Clone, Debug)]
pub enum Output {
    /// Ask the service; [`Feed::handle_reply`] gets the answer, under this number.
    Request {
        /// Its number.
        number: u32,
        /// What to ask.
        iq: Element,
    },
    /// Tell this.
    Change(Box<Change>),
    /// Nothing until something happens, or until this time.
    Timeout(Option<Instant>),
}

/// What makes a feed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its number among the feeds of a client.
    pub feed: u32,
    /// The service.
    pub service: String,
    /// The node.
    pub node: String,
    /// How many items are looked at, and remembered.
    pub limit: usize,
    /// Does what the node holds come first?
    pub snapshot: bool,
    /// Options of the subscription (§6.3).
    pub options: Vec<(String, Vec<String>)>,
}

/// What waits to be told, in order.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    Item(Arrived),
    Retract {
        id: String,
        via: Via,
        /// Its name in the node's archive.
        archived: Option<String>,
    },
    Purge {
        archived: Option<String>,
    },
    Gap {
        after: Option<String>,
        before: Option<String>,
    },
    Live,
}

/// An item that waits to be told.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    item: Item,
    digest: Digest,
    time: Option<i64>,
    /// Its name in the node's archive.
    archived: Option<String>,
    via: Via,
    /// The service has no payload of it, or does not tell it.
    bare: bool,
    /// It came while the node was asked what it holds.
    waited: bool,
    /// The event came without a payload.
    fetched: bool,
}

#[derive(Debug)]
enum Asked {
    Subscribe,
    Fetch,
    /// Anything: what comes before the answer was told before the listing.
    Settle,
    /// Payloads by their ids, for so many of what is to be told.
    Payloads(Vec<String>, usize),
    /// All ids, to see which items are gone; and where the known ones ended then.
    Ids(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No session, or an answer to the subscription has not come.
    Subscribing,
    Subscribed,
    /// An owner has to agree.
    Pending,
    /// The node is not there, or its service is not: asked again later.
    Away,
    Over,
}

#[derive(Debug)]
enum Stage {
    /// What happens is told as it happens.
    Live,
    Fetching(CatchUp),
    Querying(Archive),
    /// The node was listed, and what was told before that may still be on its way.
    Settling(Listing),
    /// Events wait: there is no subscription, or none that the listing was made under.
    Waiting,
}

/// What was found.
#[derive(Debug)]
enum Listing {
    /// Items, the oldest first; `whole`: the node holds no others.
    Held {
        goal: Goal,
        held: Vec<Held>,
        whole: bool,
    },
    /// Publications since the last one that was told.
    Archived(Vec<Arrival>),
}

/// A subscribed node.
#[derive(Debug)]
pub struct Feed {
    settings: Settings,
    own: String,
    phase: Phase,
    stage: Stage,
    known: Known,
    last: Option<String>,
    archived: Option<String>,
    traits: Traits,
    /// The service has agreed once.
    agreed: bool,
    /// There is something to go on from.
    begun: bool,
    /// The session is gone, and nothing is asked.
    lost: bool,
    /// A gap was told, and nothing came since.
    gap_told: bool,
    /// The node was emptied in this session: that nothing is there any more is no gap.
    purged: bool,
    /// Once it is live: some of what is known was not listed, and may be gone.
    partial: bool,
    /// Events that came while fetching; the first so many in an earlier session.
    meanwhile: Vec<Arrival>,
    earlier: usize,
    /// What is to be told.
    arrivals: Fifo<Arrival>,
    /// Told by a listing, and perhaps told once more by an event that was on its way.
    echoes: Vec<Digest>,
    asked: Vec<(u32, Asked)>,
    requests: Fifo<(u32, Element)>,
    /// What needs no place in the order of items.
    asides: Fifo<Change>,
    deadline: Option<Instant>,
    numbers: u32,
    failures: u32,
}

impl Feed {
    /// A feed that has not begun; `since` is where it goes on from.
    pub fn new(settings: Settings, since: Option<Position>) -> Self {
        let begun = since.is_some();
        let since = since.unwrap_or_default();
        Self {
            settings,
            own: String::new(),
            phase: Phase::Subscribing,
            stage: Stage::Live,
            known: since.known,
            last: since.last,
            archived: since.archived,
            traits: since.traits,
            agreed: false,
            begun,
            lost: false,
            gap_told: false,
            purged: false,
            partial: false,
            meanwhile: Vec::new(),
            earlier: 0,
            arrivals: Fifo::default(),
            echoes: Vec::new(),
            asked: Vec::new(),
            requests: Fifo::default(),
            asides: Fifo::default(),
            deadline: None,
            numbers: 0,
            failures: 0,
        }
    }

    /// Where it stands, after all that was polled; `None` before it knows. To go on from, with [`Feed::new`].
    pub fn position(&self) -> Option<String> {
        let position = Position {
            last: self.last.clone(),
            archived: self.archived.clone(),
            known: self.known.clone(),
            traits: self.traits,
        };
        let settings = &self.settings;
        self.begun
            .then(|| position.write(&settings.service, &settings.node, settings.limit))
    }

    /// What became known of the service.
    pub fn learn(&mut self, traits: Traits) {
        if traits.order != Order::Unknown {
            self.traits.order = traits.order;
        }
        self.traits.archive = traits.archive;
    }

    /// A session begins in which the feed is not subscribed yet, as this JID. Nothing that was asked before is answered.
    pub fn begin(&mut self, own: &Jid) {
        if self.phase == Phase::Over {
            return;
        }
        self.own = own.as_str().into();
        self.lost = false;
        self.purged = false;
        self.asked.clear();
        self.requests = Fifo::default();
        self.deadline = None;
        self.hold_back();
        self.subscribe();
    }

    /// What was not told yet comes before what is fetched next, if that has it still.
    fn hold_back(&mut self) {
        let mut waiting = Vec::new();
        while let Some(arrival) = self.arrivals.pop_front() {
            if !matches!(arrival, Arrival::Live) {
                waiting.push(arrival);
            }
        }
        let mut later = self
            .meanwhile
            .split_off(self.earlier.min(self.meanwhile.len()));
        waiting.append(&mut self.meanwhile);
        if !waiting.is_empty() && !later.is_empty() {
            // Of two sessions: between them may be something that came in neither.
            waiting.push(Arrival::Gap {
                after: None,
                before: None,
            });
        }
        waiting.append(&mut later);
        if !self.begun {
            // The snapshot is still to come.
            waiting.clear();
        }
        self.earlier = waiting.len();
        self.meanwhile = waiting;
    }

    fn subscribe(&mut self) {
        self.phase = Phase::Subscribing;
        let settings = &self.settings;
        let request = request::subscribe(
            Some(&settings.service),
            &settings.node,
            &self.own,
            &settings.options,
        );
        self.ask(Asked::Subscribe, request);
        self.fetch();
    }

    /// Asks what the node holds. Together with the subscription: whatever is published after that is told by an event.
    fn fetch(&mut self) {
        let goal = match (self.begun, self.settings.snapshot) {
            (true, _) => Goal::Since,
            (false, true) => Goal::Snapshot,
            (false, false) => Goal::Baseline,
        };
        self.echoes.clear();
        match &self.archived {
            Some(archived) if goal == Goal::Since && self.traits.archive => {
                let archive = Archive::new(self.settings.feed, self.numbers, archived);
                self.query(archive);
            }
            _ => self.list(goal),
        }
    }

    fn list(&mut self, goal: Goal) {
        let limit = self.settings.limit;
        let catch_up = CatchUp::new(goal, &self.known, self.traits, limit);
        self.go_on(catch_up);
    }

    fn go_on(&mut self, catch_up: CatchUp) {
        let request = catch_up.request(&self.settings.service, &self.settings.node);
        self.stage = Stage::Fetching(catch_up);
        self.ask(Asked::Fetch, request);
    }

    fn query(&mut self, archive: Archive) {
        let request = archive.request(&self.settings.service, &self.settings.node);
        self.stage = Stage::Querying(archive);
        self.ask(Asked::Fetch, request);
    }

    fn ask(&mut self, asked: Asked, iq: Element) {
        self.numbers += 1;
        self.asked.push((self.numbers, asked));
        self.requests.push_back((self.numbers, iq));
    }

    fn ask_by_ids(&mut self, ids: &[String]) -> Element {
        let settings = &self.settings;
        request::items(Some(&settings.service), &settings.node, None, ids, None)
    }

    // ── what comes in ───────────────────────────────────────────────────────────────────────────────────────────────

    /// An event of this node, from its service; `message` is the stanza that told it.
    pub fn handle_event(&mut self, event: &Event, message: &Element) {
        if self.phase == Phase::Over {
            return;
        }
        match event {
            Event::Items { .. } | Event::Purge { .. } => {
                let service = &self.settings.service;
                let time = Delay::of(message, service).map(|delay| delay.stamp);
                let archived = archived_as(message, service);
                for arrival in arrivals_of(event, time, archived) {
                    self.arrive(arrival);
                }
            }
            Event::Delete { redirect, .. } => {
                let redirect = redirect.clone();
                self.flush();
                self.asides.push_back(Change::Delete { redirect });
                self.end();
            }
            Event::Configuration { .. } => self.asides.push_back(Change::Configuration),
            Event::Subscription(told) => {
                self.asides.push_back(Change::Subscription(told.clone()));
                match told.state {
                    State::None => {
                        self.flush();
                        self.end();
                    }
                    State::Subscribed if self.phase == Phase::Pending => {
                        self.phase = Phase::Subscribed;
                        self.fetch();
                    }
                    _ => {}
                }
            }
            Event::Collection { .. } => {}
        }
    }

    /// A message of the service with a result from an archive (XEP-0313 §4.3). False when it is not for this feed.
    pub fn handle_result(&mut self, result: &Element) -> bool {
        let Stage::Querying(archive) = &mut self.stage else {
            return false;
        };
        archive.handle_result(result, &self.settings.service, &self.settings.node)
    }

    fn arrive(&mut self, arrival: Arrival) {
        if matches!(self.stage, Stage::Live) {
            self.arrivals.push_back(arrival);
            return;
        }
        // The last item, sent to who subscribes, is sent once more by the event that was on its way.
        if let Some(arrived) = arrival.as_item()
            && arrived.time.is_none()
        {
            let before = self.meanwhile.iter().skip(self.earlier).take(8);
            let again = before
                .filter_map(Arrival::as_item)
                .position(|before| before.time.is_some() && before.digest == arrived.digest);
            if let Some(at) = again {
                self.meanwhile.remove(self.earlier + at);
            }
        }
        self.meanwhile.push(arrival);
        if self.meanwhile.len() > WAITING {
            self.forget_fetch();
            self.nothing_found();
        }
    }

    /// The answer to a request. Must come before the events that came after it.
    pub fn handle_reply(
        &mut self,
        now: Instant,
        number: u32,
        outcome: Result<Element, RequestFailure>,
    ) {
        let at = self.asked.iter().position(|(known, _)| *known == number);
        let Some(at) = at else { return };
        let (_, asked) = self.asked.swap_remove(at);
        if matches!(outcome, Err(RequestFailure::Disconnected)) {
            // The next session begins anew.
            self.lost = true;
            return;
        }
        match asked {
            Asked::Subscribe => self.handle_subscribed(now, outcome),
            Asked::Fetch if self.phase == Phase::Subscribing => {
                // Overtaken by the answer to the subscription: it may have been read before that was there.
                self.stage = Stage::Waiting;
            }
            Asked::Fetch => self.handle_fetched(now, &outcome),
            Asked::Settle => self.handle_settled(),
            Asked::Payloads(ids, count) => self.handle_payloads(&ids, count, &outcome),
            Asked::Ids(mark) => self.handle_ids(mark, &outcome),
        }
    }

    /// Time has passed; only at a timeout that was polled does anything happen.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.deadline = None;
        if self.phase == Phase::Away {
            self.subscribe();
        } else if let Stage::Fetching(catch_up) = &self.stage {
            let request = catch_up.request(&self.settings.service, &self.settings.node);
            self.ask(Asked::Fetch, request);
        }
    }

    fn handle_subscribed(&mut self, now: Instant, outcome: Result<Element, RequestFailure>) {
        match outcome {
            Ok(reply) => {
                self.agreed = true;
                self.failures = 0;
                let told = request::parse_subscription(&reply);
                let state = told.as_ref().map_or(State::Subscribed, |told| told.state);
                self.asides.push_back(Change::Subscribed(told));
                self.phase = Phase::Subscribed;
                if state != State::Subscribed {
                    self.phase = Phase::Pending;
                    self.forget_fetch();
                    self.stage = Stage::Live;
                } else if matches!(self.stage, Stage::Waiting) {
                    self.fetch();
                }
            }
            Err(failure) if self.agreed && is_passing(&failure) => {
                self.forget_fetch();
                self.hold_back();
                self.stage = Stage::Waiting;
                self.phase = Phase::Away;
                let pause = Millis::seconds(1 << self.failures.min(5));
                self.failures += 1;
                self.deadline = Some(now + pause);
                if is_gone(&failure) {
                    self.forget_all();
                }
            }
            Err(failure) => {
                self.flush();
                self.asides.push_back(Change::Refused(Box::new(failure)));
                self.end();
            }
        }
    }

    fn handle_fetched(&mut self, now: Instant, outcome: &Result<Element, RequestFailure>) {
        match core::mem::replace(&mut self.stage, Stage::Live) {
            Stage::Fetching(mut catch_up) => {
                match catch_up.handle_reply(&self.known, &mut self.traits, outcome) {
                    Next::Ask => self.go_on(catch_up),
                    Next::Later(pause) => {
                        self.deadline = Some(now + pause);
                        self.stage = Stage::Fetching(catch_up);
                    }
                    Next::Found { held, whole } => {
                        let goal = catch_up.goal;
                        self.settle(Listing::Held { goal, held, whole });
                    }
                    Next::Nothing => self.nothing_found(),
                }
            }
            Stage::Querying(mut archive) => match outcome {
                Ok(reply) if archive.handle_end(reply) => {
                    self.settle(Listing::Archived(archive.found))
                }
                Ok(_) => self.query(archive),
                // The archive has forgotten the entry, or will not say.
                Err(_) => self.list(Goal::Since),
            },
            stage => self.stage = stage,
        }
    }

    /// COMPAT(ejabberd): events wait in a queue while it answers, so that those of what was published before the listing may
    /// come after it. They are before the next answer.
    fn settle(&mut self, listing: Listing) {
        if self.traits.order == Order::Publication {
            return self.merge(listing);
        }
        self.stage = Stage::Settling(listing);
        let ping = ping::request(Some(&self.settings.service));
        self.ask(Asked::Settle, ping);
    }

    fn handle_settled(&mut self) {
        if let Stage::Settling(listing) = core::mem::replace(&mut self.stage, Stage::Live) {
            self.merge(listing);
        }
    }

    fn merge(&mut self, listing: Listing) {
        match listing {
            Listing::Held { goal, held, whole } => self.merge_held(goal, held, whole),
            Listing::Archived(found) => self.merge_archive(found),
        }
    }

    fn handle_payloads(
        &mut self,
        ids: &[String],
        mut count: usize,
        outcome: &Result<Element, RequestFailure>,
    ) {
        let mut items = match outcome {
            Ok(reply) => request::parse_items(reply),
            Err(_) => Vec::new(),
        };
        let mut arrivals = Fifo::default();
        while let Some(mut arrival) = self.arrivals.pop_front() {
            // What came after the question may be newer than the answer.
            let asked = count > 0;
            count = count.saturating_sub(1);
            if let Arrival::Item(arrived) = &mut arrival
                && asked
                && let Some(id) = &arrived.item.id
                && arrived.item.payload.is_none()
                && ids.contains(id)
            {
                match items.iter_mut().find(|item| item.id.as_ref() == Some(id)) {
                    Some(item) if item.payload.is_some() => {
                        arrived.item.payload.clone_from(&item.payload);
                        arrived.digest = Digest::of(&arrived.item);
                        arrived.fetched = true;
                    }
                    _ => arrived.bare = true,
                }
            }
            arrivals.push_back(arrival);
        }
        self.arrivals = arrivals;
    }

    fn handle_ids(&mut self, mark: u64, outcome: &Result<Element, RequestFailure>) {
        let Ok(reply) = outcome else { return };
        let mut ids = Vec::new();
        for id in catch_up::list_ids(reply) {
            ids.push(hash_id(&id));
        }
        for id in self.known.before(mark) {
            if !ids.contains(&hash_id(&id)) {
                let id = String::from(&*id);
                self.arrive(Arrival::gone(id));
            }
        }
    }

    // ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────────

    fn forget_fetch(&mut self) {
        self.asked
            .retain(|(_, asked)| matches!(asked, Asked::Subscribe));
        self.requests = Fifo::default();
        self.deadline = None;
    }

    /// The node is not there any more: so is nothing of what it held. It may come back.
    fn forget_all(&mut self) {
        let known = &self.known;
        let before = self.meanwhile.len();
        self.meanwhile.retain(|arrival| {
            let arrived = arrival.as_item();
            !arrived.is_some_and(|arrived| known.has(arrived.digest))
        });
        self.earlier = self.earlier.saturating_sub(before - self.meanwhile.len());
        if !self.gap_told && self.begun {
            self.tell_gap(None);
        }
        for place in 0..self.known.len() {
            if let Some(id) = self.known.id_at(place) {
                let id = String::from(&*id);
                self.arrivals.push_back(Arrival::gone(id));
            }
        }
        self.known.clear();
    }

    fn tell_gap(&mut self, before: Option<String>) {
        self.gap_told = true;
        let after = self.last.clone();
        self.arrivals.push_back(Arrival::Gap { after, before });
    }

    /// There is no way to see what was missed. The last item, which many services send to who subscribes, may show that nothing
    /// was (§6.1.7).
    fn nothing_found(&mut self) {
        let mut earlier = core::mem::take(&mut self.meanwhile);
        let waiting = earlier.split_off(self.earlier.min(earlier.len()));
        let mut last = self.last.clone();
        let mut newest = self.known.digests().last().copied();
        let first = |arrivals: &[Arrival]| {
            let first = arrivals.iter().find_map(Arrival::as_item);
            first.map(|first| (first.item.id.clone(), first.digest, first.time.is_some()))
        };
        self.earlier = 0;
        for (number, part) in [earlier, waiting].into_iter().enumerate() {
            let first = first(&part);
            if number == 0 && part.is_empty() {
                continue;
            }
            let shown = first
                .as_ref()
                .is_some_and(|(_, digest, delayed)| *delayed && newest == Some(*digest));
            if self.begun && !shown && !self.gap_told && !self.purged {
                let before = first.and_then(|(id, _, _)| id);
                let after = last.clone();
                self.arrivals.push_back(Arrival::Gap { after, before });
            }
            for arrival in part {
                if let Some(arrived) = arrival.as_item() {
                    last.clone_from(&arrived.item.id);
                    newest = Some(arrived.digest);
                }
                self.arrivals.push_back(arrival);
            }
        }
        self.go_live();
    }

    fn go_live(&mut self) {
        self.stage = Stage::Live;
        self.begun = true;
        self.earlier = 0;
        self.gap_told = false;
        self.purged = false;
        self.arrivals.push_back(Arrival::Live);
    }

    /// Whatever waits is told, in whatever state.
    fn flush(&mut self) {
        self.hold_back();
        for arrival in core::mem::take(&mut self.meanwhile) {
            self.arrivals.push_back(arrival);
        }
        self.stage = Stage::Live;
    }

    fn end(&mut self) {
        self.phase = Phase::Over;
        self.asked.clear();
        self.requests = Fifo::default();
        self.deadline = None;
        self.asides.push_back(Change::End);
    }

    // ── what goes out ───────────────────────────────────────────────────────────────────────────────────────────────

    /// What the feed wants now. To be called until it is a [`Output::Timeout`], after each change.
    pub fn poll_output(&mut self) -> Output {
        loop {
            if let Some((number, iq)) = self.requests.pop_front() {
                return Output::Request { number, iq };
            }
            if self.phase == Phase::Over {
                // First what happened before the end.
                if let Some(change) = self.tell_next() {
                    return Output::Change(Box::new(change));
                }
            }
            if let Some(change) = self.asides.pop_front() {
                return Output::Change(Box::new(change));
            }
            if self.arrivals.front().is_some_and(Arrival::is_wanting) {
                if self.fetch_payloads() {
                    continue;
                }
            } else if let Some(change) = self.tell_next() {
                return Output::Change(Box::new(change));
            } else if !self.arrivals.is_empty() {
                // What was left out stood in front of it.
                continue;
            }
            return Output::Timeout(self.deadline);
        }
    }

    /// Notifications without payloads (§7.1.2.2): what comes behind them waits until they have been fetched.
    fn fetch_payloads(&mut self) -> bool {
        let is_asked = |(_, asked): &(u32, Asked)| matches!(asked, Asked::Payloads(..));
        if self.lost || self.asked.iter().any(is_asked) {
            return false;
        }
        let mut ids = Vec::new();
        for arrival in self.arrivals.iter() {
            if arrival.is_wanting()
                && let Some(id) = arrival
                    .as_item()
                    .and_then(|arrived| arrived.item.id.clone())
                && ids.len() < PAYLOADS
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        let request = self.ask_by_ids(&ids);
        self.ask(Asked::Payloads(ids, self.arrivals.len()), request);
        true
    }

    /// The next change whose turn it is; what was told before is left out.
    fn tell_next(&mut self) -> Option<Change> {
        loop {
            if self.phase != Phase::Over && self.arrivals.front().is_some_and(Arrival::is_wanting) {
                return None;
            }
            let arrival = self.arrivals.pop_front()?;
            if let Some(change) = self.tell(arrival) {
                return Some(change);
            }
        }
    }

    /// What an arrival is to the page, and to what is known; `None` when it was told before.
    fn tell(&mut self, arrival: Arrival) -> Option<Change> {
        Some(match arrival {
            Arrival::Item(arrived) => {
                let echo = arrived.via == Via::Live && self.is_echo(&arrived);
                let Arrived {
                    item,
                    digest,
                    time,
                    archived,
                    via,
                    waited,
                    ..
                } = arrived;
                // Only of what comes after all that was told is the archive asked what came after it.
                self.archived = archived.filter(|_| !waited || via == Via::CatchUp);
                if echo {
                    return None;
                }
                if let Some(id) = &item.id {
                    self.known.note(digest, id, self.settings.limit);
                    self.last = Some(id.clone());
                }
                Change::Item { item, time, via }
            }
            Arrival::Retract { id, via, .. } => {
                self.known.remove(hash_id(&id));
                Change::Retract { id, via }
            }
            Arrival::Purge { .. } => {
                self.known.clear();
                self.known.set_complete(true);
                Change::Purge
            }
            Arrival::Gap { after, before } => Change::Gap { after, before },
            Arrival::Live => {
                if core::mem::take(&mut self.partial) {
                    let settings = &self.settings;
                    let list = disco::items(Some(&settings.service), Some(&settings.node));
                    self.ask(Asked::Ids(self.known.mark()), list);
                }
                Change::Live
            }
        })
    }

    /// Was it told already? An event may have been on its way when the node was listed; and a service may send the last item
    /// to whoever subscribes or comes online, which is then delayed.
    fn is_echo(&mut self, arrived: &Arrived) -> bool {
        let known = self.known.has(arrived.digest);
        if known && (arrived.time.is_some() || arrived.fetched) {
            return true;
        }
        if arrived.waited {
            return false;
        }
        let echo = self.echoes.iter().position(|echo| *echo == arrived.digest);
        match echo {
            Some(at) => {
                self.echoes.remove(at);
                known
            }
            None if arrived.time.is_some() => {
                self.echoes.push(arrived.digest);
                false
            }
            // This one is newer than the listing, and so is all that follows.
            None => {
                self.echoes.clear();
                false
            }
        }
    }
}

impl Arrival {
    /// An item that is found to be there no more.
    fn gone(id: String) -> Self {
        Self::Retract {
            id,
            via: Via::CatchUp,
            archived: None,
        }
    }

    /// Its name in the node's archive.
    fn archived(&self) -> Option<&String> {
        match self {
            Self::Item(Arrived { archived, .. })
            | Self::Retract { archived, .. }
            | Self::Purge { archived } => archived.as_ref(),
            _ => None,
        }
    }

    fn as_item(&self) -> Option<&Arrived> {
        match self {
            Self::Item(arrived) => Some(arrived),
            _ => None,
        }
    }

    /// An item whose payload has to be fetched first (§7.1.2.2).
    fn is_wanting(&self) -> bool {
        self.as_item()
            .is_some_and(|arrived| arrived.item.payload.is_none() && !arrived.bare)
    }
}

/// What an event brings, one by one.
pub(crate) fn arrivals_of(
    event: &Event,
    time: Option<i64>,
    archived: Option<String>,
) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    match event {
        Event::Items { entries, .. } => {
            for entry in entries {
                arrivals.push(match entry {
                    Entry::Published(item) => Arrival::Item(Arrived {
                        digest: Digest::of(item),
                        bare: item.id.is_none(),
                        item: item.clone(),
                        time,
                        archived: archived.clone(),
                        via: Via::Live,
                        waited: false,
                        fetched: false,
                    }),
                    Entry::Retracted { id } => Arrival::Retract {
                        id: id.clone(),
                        via: Via::Live,
                        archived: archived.clone(),
                    },
                });
            }
        }
        Event::Purge { .. } => arrivals.push(Arrival::Purge { archived }),
        _ => {}
    }
    arrivals
}

/// What the service calls a message in its archive (XEP-0359).
fn archived_as(message: &Element, service: &str) -> Option<String> {
    for child in message.children() {
        if child.is("stanza-id", ns::STANZA_ID) && child.attr("by") == Some(service) {
            return child.attr("id").map(Into::into);
        }
    }
    None
}

/// The node is not there.
fn is_gone(failure: &RequestFailure) -> bool {
    matches!(failure, RequestFailure::Refused { error, .. } if error.condition == "item-not-found")
}

/// May the service think otherwise in a while?
fn is_passing(failure: &RequestFailure) -> bool {
    let RequestFailure::Refused { error, .. } = failure else {
        return true;
    };
    error.kind == ErrorKind::Wait
        || matches!(
            error.condition.as_str(),
            "item-not-found"
                | "remote-server-not-found"
                | "remote-server-timeout"
                | "service-unavailable"
                | "recipient-unavailable"
                | "internal-server-error"
        )
}
