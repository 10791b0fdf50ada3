//! A feed: a subscribed node, kept complete. What it holds, then what happens to it, then what was missed, as one sequence in
//! which each publication stands once.
//!
//! A small sans-IO machine. Its user calls [`Feed::begin`] whenever a session begins that knows nothing of the feed, hands in
//! the events of the node ([`Feed::handle_event`]) and the replies to what it asks, **in the order of the stream**, and polls
//! what it wants until it wants nothing ([`Feed::poll_output`]).
//!
//! It subscribes and at once asks what the node holds (`catch_up`, `archive`); events that come meanwhile wait, and are
//! joined with the answer (`merge`), and all is told one by one (`telling`). What was had already is recognised (`known`). Where nothing shows that the node still
//! holds all that was published since, there is a [`Change::Gap`].
//!
//! What it takes for granted: a service handles what we send in order, and tells of publications in their order.

mod archive;
mod arrival;
mod catch_up;
mod change;
mod incoming;
mod joint;
mod known;
mod merge;
pub mod position;
mod repeats;
mod replies;
mod telling;
mod traits;

pub use change::{Change, Output, Via};
pub use traits::{Order, Traits};

use super::request;
use crate::fifo::Fifo;
use crate::jid::Jid;
use crate::time::Instant;
use crate::xep::pubsub::digest::Digest;
use crate::xml::Element;
use archive::Archive;
use arrival::Arrival;
use catch_up::{CatchUp, Goal, Held};
use known::Known;
use position::Position;

/// How many events wait while the node is asked what it holds; beyond, it is not asked any more, and there is a gap.
const WAITING: usize = 10_000;
/// How many payloads are fetched at once.
const PAYLOADS: usize = 50;

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
    /// Whether an event is told that repeats the current revision of its item: a row that was saved unchanged, or the same
    /// event delivered twice, which look alike.
    pub repeats: bool,
    /// Options of the subscription (§6.3).
    pub options: Vec<(String, Vec<String>)>,
}

#[derive(Debug)]
enum Asked {
    Subscribe,
    Fetch,
    /// The newest items, before the subscription: none of them is news.
    Before,
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
    /// The position to go on from shows nothing, so that a gap comes first.
    outdated: bool,
    /// What the node held before the subscription, where only what comes after it is told.
    before: Vec<Digest>,
    /// What the archive calls the publications that were told last.
    names: Vec<String>,
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
    /// So many behind those came before the answer to the subscription; and so many before the node was asked again.
    overtaking: usize,
    older: usize,
    /// A subscription of the same JID was ended in this session: its events may still come, and some between may be missing.
    follows_another: bool,
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
        let outdated = since.as_ref().is_some_and(|since| since.outdated);
        let begun = since.is_some() && !outdated;
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
            outdated,
            before: Vec::new(),
            names: Vec::new(),
            lost: false,
            gap_told: false,
            purged: false,
            partial: false,
            meanwhile: Vec::new(),
            earlier: 0,
            overtaking: 0,
            older: 0,
            follows_another: false,
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
            outdated: false,
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

    /// A subscription to the node, as the same JID, was ended in this session. To be said after [`Feed::begin`].
    pub fn follow_another(&mut self) {
        self.follows_another = true;
    }

    /// A session begins in which the feed is not subscribed yet, as this JID. Nothing that was asked before is answered.
    pub fn begin(&mut self, own: &Jid) {
        if self.phase == Phase::Over {
            return;
        }
        self.own = own.as_str().into();
        self.follows_another = false;
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
        Self::drop_overtaken(&mut later);
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
        self.overtaking = 0;
        self.older = 0;
    }

    fn subscribe(&mut self) {
        self.phase = Phase::Subscribing;
        self.before.clear();
        let settings = &self.settings;
        if !self.begun && !settings.snapshot {
            let (service, node) = (Some(settings.service.as_str()), &settings.node);
            let newest = request::items(service, node, Some(catch_up::FEW as u32), &[], None);
            self.ask(Asked::Before, newest);
        }
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
        self.names.clear();
    }

    fn go_live(&mut self) {
        self.stage = Stage::Live;
        self.begun = true;
        self.earlier = 0;
        self.overtaking = 0;
        self.older = 0;
        self.follows_another = false;
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
}
