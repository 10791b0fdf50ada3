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
mod state;
mod telling;
mod traits;

pub use change::{Change, Output, Via};
pub use state::FeedPlace;
pub use traits::{Order, Traits};

use super::request;
use crate::jid::Jid;
use crate::states::Place;
use crate::time::Instant;
use crate::xep::pubsub::digest::Digest;
use crate::xml::Element;
use archive::Archive;
use arrival::Arrival;
use catch_up::{CatchUp, Goal};
use known::Known;
use position::Position;
use state::{Basis, Inquiry, Meanwhile, State};
use std::collections::VecDeque;

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

/// A subscribed node.
#[derive(Debug)]
pub struct Feed {
    settings: Settings,
    /// The subscriber's JID.
    own: String,
    state: State,
    basis: Basis,
    /// Events that wait until the feed is live.
    meanwhile: Meanwhile,
    /// What the node holds, as far as it was told.
    known: Known,
    /// The id of the item that was told last.
    last: Option<String>,
    /// The archive's name of the entry that was told last.
    archived: Option<String>,
    traits: Traits,
    /// The service has agreed once.
    agreed: bool,
    /// The archive's names of the publications that were told last.
    names: Vec<String>,
    /// What is to be told, in order.
    arrivals: VecDeque<Arrival>,
    /// What needs no place in the order of items.
    asides: VecDeque<Change>,
    /// Told by a listing, and perhaps told once more by an event that was on its way.
    echoes: Vec<Digest>,
    /// Requests without a reply, by number.
    asked: Vec<(u32, Asked)>,
    /// Requests that were not polled yet.
    requests: VecDeque<(u32, Element)>,
    numbers: u32,
    /// How often in a row the subscription failed for a while.
    failures: u32,
}

impl Feed {
    /// A feed that has not begun; `since` is where it goes on from.
    pub fn new(settings: Settings, since: Option<Position>) -> Self {
        let basis = match &since {
            Some(since) if !since.outdated => Basis::Known,
            _ => Basis::New {
                before: Vec::new(),
                outdated: since.is_some(),
            },
        };
        let since = since.unwrap_or_default();
        Self {
            settings,
            own: String::new(),
            state: State::Apart,
            basis,
            meanwhile: Meanwhile::default(),
            known: since.known,
            last: since.last,
            archived: since.archived,
            traits: since.traits,
            agreed: false,
            names: Vec::new(),
            arrivals: VecDeque::new(),
            asides: VecDeque::new(),
            echoes: Vec::new(),
            asked: Vec::new(),
            requests: VecDeque::new(),
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
        self.basis
            .is_known()
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
        self.meanwhile.follows_another = true;
    }

    /// A session begins in which the feed is not subscribed yet, as this JID. Nothing that was asked before is answered.
    pub fn begin(&mut self, own: &Jid) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.own = own.as_str().into();
        self.meanwhile.follows_another = false;
        self.meanwhile.purged = false;
        self.asked.clear();
        self.requests = VecDeque::new();
        self.hold_back();
        self.subscribe();
    }

    /// Takes the state out: what comes next is being decided.
    fn leave(&mut self) -> State {
        let place = self.state.place();
        core::mem::replace(&mut self.state, State::Left(place))
    }

    /// The next state.
    fn enter(&mut self, next: State) {
        let (from, to) = (self.state.place(), next.place());
        let stays = from == to;
        debug_assert!(stays || from.may_become(to), "{from:?} → {to:?}");
        self.state = next;
    }

    /// The events that follow, until the session ends, come behind others that were lost: they wait for the next session, which
    /// shows what is missing.
    pub fn handle_hole(&mut self) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.hold_back();
        self.asked.clear();
        self.requests = VecDeque::new();
        self.enter(State::Apart);
    }

    /// What was not told yet comes before what is fetched next, if that has it still.
    fn hold_back(&mut self) {
        let mut waiting = Vec::new();
        while let Some(arrival) = self.arrivals.pop_front() {
            if !matches!(arrival, Arrival::Live { .. }) {
                waiting.push(arrival);
            }
        }
        let (mut earlier, mut later) = self.meanwhile.take_both();
        Self::drop_overtaken(&mut later);
        waiting.append(&mut earlier);
        if !waiting.is_empty() && !later.is_empty() {
            // Of two sessions: between them may be something that came in neither.
            waiting.push(Arrival::Gap {
                after: None,
                before: None,
            });
        }
        waiting.append(&mut later);
        if !self.basis.is_known() {
            // The snapshot is still to come.
            waiting.clear();
        }
        self.meanwhile.begin_session(waiting);
    }

    fn subscribe(&mut self) {
        let settings = &self.settings;
        if let Basis::New { before, .. } = &mut self.basis
            && !settings.snapshot
        {
            before.clear();
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
        let inquiry = self.inquire();
        self.enter(State::Subscribing(inquiry));
    }

    /// Asks what the node holds. Together with the subscription: whatever is published after that is told by an event.
    fn inquire(&mut self) -> Inquiry {
        let goal = match (self.basis.is_known(), self.settings.snapshot) {
            (true, _) => Goal::Since,
            (false, true) => Goal::Snapshot,
            (false, false) => Goal::Baseline,
        };
        self.echoes.clear();
        match &self.archived {
            Some(archived) if goal == Goal::Since && self.traits.archive => {
                let archive = Archive::new(self.settings.feed, self.numbers, archived);
                self.query(archive)
            }
            _ => self.list(goal),
        }
    }

    fn list(&mut self, goal: Goal) -> Inquiry {
        let limit = self.settings.limit;
        let catch_up = CatchUp::new(goal, &self.known, self.traits, limit);
        self.go_on(catch_up)
    }

    /// The node is listed anew.
    fn list_again(&mut self, goal: Goal) {
        let inquiry = self.list(goal);
        self.enter(State::CatchingUp(inquiry));
    }

    fn go_on(&mut self, catch_up: CatchUp) -> Inquiry {
        let request = catch_up.request(&self.settings.service, &self.settings.node);
        self.ask(Asked::Fetch, request);
        Inquiry::Fetching {
            catch_up,
            again_at: None,
        }
    }

    fn query(&mut self, archive: Archive) -> Inquiry {
        let request = archive.request(&self.settings.service, &self.settings.node);
        self.ask(Asked::Fetch, request);
        Inquiry::Querying(archive)
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
        if self.state.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.leave() {
            State::Away { .. } => self.subscribe(),
            State::CatchingUp(Inquiry::Fetching { catch_up, .. }) => {
                let inquiry = self.go_on(catch_up);
                self.enter(State::CatchingUp(inquiry));
            }
            state => self.state = state,
        }
    }

    // ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────────

    fn forget_fetch(&mut self) {
        self.asked
            .retain(|(_, asked)| matches!(asked, Asked::Subscribe));
        self.requests = VecDeque::new();
    }

    /// The node is not there any more: so is nothing of what it held. It may come back.
    fn forget_all(&mut self) {
        let known = &self.known;
        self.meanwhile.retain(|arrival| {
            let arrived = arrival.as_item();
            !arrived.is_some_and(|arrived| known.has(arrived.digest))
        });
        if !self.meanwhile.gap_told && self.basis.is_known() {
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

    /// All that waited has its place in what is to be told. `partial`: some of what is known was not listed, and may be gone.
    fn go_live(&mut self, partial: bool) {
        self.enter(State::Live);
        self.basis = Basis::Known;
        self.meanwhile = Meanwhile::default();
        self.arrivals.push_back(Arrival::Live { partial });
    }

    /// Whatever waits is told, then this, and nothing follows it.
    fn end(&mut self, change: Change) {
        self.hold_back();
        for arrival in self.meanwhile.take_all() {
            self.arrivals.push_back(arrival);
        }
        self.enter(State::Over);
        self.asked.clear();
        self.requests = VecDeque::new();
        self.asides.push_back(change);
        self.asides.push_back(Change::End);
    }
}
