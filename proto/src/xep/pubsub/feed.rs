//! A feed keeps one subscribed node complete (XEP-0060): the snapshot, live events and missed items as one sequence in
//! which each publication appears once.
//!
//! A sans-IO state machine. The caller calls [`Feed::begin`] in each new session, passes
//! the events of the node ([`Feed::handle_event`]) and the replies to its requests **in the order of the stream**, and polls
//! [`Feed::poll_output`] until it returns a timeout.
//!
//! It subscribes and lists the node at the same time (`catch_up`, `archive`). Events that arrive meanwhile are queued and
//! merged with the listing (`merge`), then all changes are reported one by one (`telling`). Known publications are recognised (`known`). If nothing shows that the node still
//! holds all that was published since, there is a [`Change::Gap`].
//!
//! Assumption: a service handles our stanzas in order, and sends events in the order of publication.

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

pub use change::{Change, FeedOutput, Via};
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
use catch_up::{CatchUp, FetchGoal};
use known::KnownItems;
use position::Position;
use state::{Basis, FeedPhase, Inquiry, Meanwhile};
use std::collections::VecDeque;

/// How many events are queued while the node is listed. Beyond this the listing is abandoned and a gap is reported.
const WAITING: usize = 10_000;
/// How many payloads are fetched at once.
const PAYLOADS: usize = 50;

/// The settings of a feed.
#[derive(Clone, Debug)]
pub struct FeedSettings {
    /// Its number among the feeds of a client.
    pub feed: u32,
    /// The service.
    pub service: String,
    /// The node.
    pub node: String,
    /// How many items are listed and remembered.
    pub limit: usize,
    /// Whether the feed begins with a snapshot.
    pub snapshot: bool,
    /// Whether to report an event that repeats the current revision of its item: a row saved without change, or the same
    /// event delivered twice, which look the same.
    pub repeats: bool,
    /// Options of the subscription (§6.3).
    pub options: Vec<(String, Vec<String>)>,
}

#[derive(Debug)]
enum FeedRequest {
    Subscribe,
    Fetch,
    /// The newest items before the subscription; they are not reported.
    Before,
    /// A ping: events before its reply were sent before the listing.
    Settle,
    /// Payloads by id, for this number of queued changes.
    Payloads(Vec<String>, usize),
    /// All ids, to find removed items; with the mark of the known items then.
    Ids(u64),
}

/// A subscribed node.
#[derive(Debug)]
pub struct Feed {
    settings: FeedSettings,
    /// The subscriber's JID.
    own: String,
    state: FeedPhase,
    basis: Basis,
    /// Events queued until the feed is live.
    meanwhile: Meanwhile,
    /// The reported publications of the node.
    known: KnownItems,
    /// The id of the item reported last.
    last: Option<String>,
    /// The archive id of the entry reported last.
    archived: Option<String>,
    traits: Traits,
    /// Whether the service has accepted the subscription once.
    agreed: bool,
    /// The archive ids of the publications reported last.
    names: Vec<String>,
    /// The queued changes, in order.
    arrivals: VecDeque<Arrival>,
    /// Changes without an order relative to items.
    asides: VecDeque<Change>,
    /// Items reported by a listing that a delayed event may repeat.
    echoes: Vec<Digest>,
    /// Requests without a reply, by number.
    asked: Vec<(u32, FeedRequest)>,
    /// Requests that are not polled yet.
    requests: VecDeque<(u32, Element)>,
    numbers: u32,
    /// The number of consecutive temporary failures of the subscription.
    failures: u32,
}

impl Feed {
    /// Creates a feed; `since` is the position to continue from.
    pub fn new(settings: FeedSettings, since: Option<Position>) -> Self {
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
            state: FeedPhase::Apart,
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

    /// The position after all polled changes, for [`Feed::new`]; `None` before the feed was live.
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

    /// Sets the known traits of the service.
    pub fn learn(&mut self, traits: Traits) {
        if traits.order != Order::Unknown {
            self.traits.order = traits.order;
        }
        self.traits.archive = traits.archive;
    }

    /// Notes that a subscription of the same JID to the node was ended in this session. Call it after [`Feed::begin`].
    pub fn follow_another(&mut self) {
        self.meanwhile.follows_another = true;
    }

    /// Begins the feed in a new session, as this JID. Earlier requests are not answered any more.
    pub fn begin(&mut self, own: &Jid) {
        if matches!(self.state, FeedPhase::Over) {
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

    /// Takes the state out until the next one is decided.
    fn leave(&mut self) -> FeedPhase {
        let place = self.state.place();
        core::mem::replace(&mut self.state, FeedPhase::Left(place))
    }

    /// The next state.
    fn enter(&mut self, next: FeedPhase) {
        self.state.place().check_or_stays(next.place());
        self.state = next;
    }

    /// Notes that events were lost before those that follow in this session: these are queued until the next session, which
    /// shows the missing ones.
    pub fn handle_hole(&mut self) {
        if matches!(self.state, FeedPhase::Over) {
            return;
        }
        self.hold_back();
        self.asked.clear();
        self.requests = VecDeque::new();
        self.enter(FeedPhase::Apart);
    }

    /// Queued items come before the next listing, if it still has them.
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
            // Of two sessions: events between them may be missing.
            waiting.push(Arrival::Gap {
                after: None,
                before: None,
            });
        }
        waiting.append(&mut later);
        if !self.basis.is_known() {
            // The snapshot is still missing.
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
            self.ask(FeedRequest::Before, newest);
        }
        let settings = &self.settings;
        let request = request::subscribe(
            Some(&settings.service),
            &settings.node,
            &self.own,
            &settings.options,
        );
        self.ask(FeedRequest::Subscribe, request);
        let inquiry = self.inquire();
        self.enter(FeedPhase::Subscribing(inquiry));
    }

    /// Lists the node, at the same time as subscribing: later publications come as events.
    fn inquire(&mut self) -> Inquiry {
        let goal = match (self.basis.is_known(), self.settings.snapshot) {
            (true, _) => FetchGoal::Since,
            (false, true) => FetchGoal::Snapshot,
            (false, false) => FetchGoal::Baseline,
        };
        self.echoes.clear();
        match &self.archived {
            Some(archived) if goal == FetchGoal::Since && self.traits.archive => {
                let archive = Archive::new(self.settings.feed, self.numbers, archived);
                self.query(archive)
            }
            _ => self.list(goal),
        }
    }

    fn list(&mut self, goal: FetchGoal) -> Inquiry {
        let limit = self.settings.limit;
        let catch_up = CatchUp::new(goal, &self.known, self.traits, limit);
        self.go_on(catch_up)
    }

    /// Lists the node again.
    fn list_again(&mut self, goal: FetchGoal) {
        let inquiry = self.list(goal);
        self.enter(FeedPhase::CatchingUp(inquiry));
    }

    fn go_on(&mut self, catch_up: CatchUp) -> Inquiry {
        let request = catch_up.request(&self.settings.service, &self.settings.node);
        self.ask(FeedRequest::Fetch, request);
        Inquiry::Fetching {
            catch_up,
            again_at: None,
        }
    }

    fn query(&mut self, archive: Archive) -> Inquiry {
        let request = archive.request(&self.settings.service, &self.settings.node);
        self.ask(FeedRequest::Fetch, request);
        Inquiry::Querying(archive)
    }

    fn ask(&mut self, asked: FeedRequest, iq: Element) {
        self.numbers += 1;
        self.asked.push((self.numbers, asked));
        self.requests.push_back((self.numbers, iq));
    }

    fn ask_by_ids(&mut self, ids: &[String]) -> Element {
        let settings = &self.settings;
        request::items(Some(&settings.service), &settings.node, None, ids, None)
    }

    /// Handles the deadlines up to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.state.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.leave() {
            FeedPhase::Away { .. } => self.subscribe(),
            FeedPhase::CatchingUp(Inquiry::Fetching { catch_up, .. }) => {
                let inquiry = self.go_on(catch_up);
                self.enter(FeedPhase::CatchingUp(inquiry));
            }
            state => self.state = state,
        }
    }

    // ── outcome ─────────────────────────────────────────────────────────────────────────────────────────────────────

    fn forget_fetch(&mut self) {
        self.asked
            .retain(|(_, asked)| matches!(asked, FeedRequest::Subscribe));
        self.requests = VecDeque::new();
    }

    /// Handles a missing node: its items are removed. The node may be created again.
    fn forget_all(&mut self) {
        let known = &self.known;
        self.meanwhile.retain(|arrival| {
            let arrived = arrival.as_item();
            !arrived.is_some_and(|arrived| known.has(arrived.digest))
        });
        if !self.meanwhile.gap_told && self.basis.is_known() {
            self.report_gap(None);
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

    /// Makes the feed live: all queued events are ordered. `partial`: some known items were not listed and may be gone.
    fn go_live(&mut self, partial: bool) {
        self.enter(FeedPhase::Live);
        self.basis = Basis::Known;
        self.meanwhile = Meanwhile::default();
        self.arrivals.push_back(Arrival::Live { partial });
    }

    /// Ends the feed: reports the queued changes, then this one as the last.
    fn end(&mut self, change: Change) {
        self.hold_back();
        for arrival in self.meanwhile.take_all() {
            self.arrivals.push_back(arrival);
        }
        self.enter(FeedPhase::Over);
        self.asked.clear();
        self.requests = VecDeque::new();
        self.asides.push_back(change);
        self.asides.push_back(Change::End);
    }
}
