//! The feeds of a connection: routes events, archive results and replies to them; keeps the traits of their services; ends
//! abandoned subscriptions; begins each feed again in a new session.
//!
//! A sans-IO state machine above [`Feed`]. The caller calls [`Feeds::begin_session`] and [`Feeds::begin`] in each session that
//! does not have the feeds, passes messages and replies **in the order of the stream**, and polls until a
//! [`FeedsOutput::Timeout`]. Left out: presence, which events to a bare JID need.

mod abandoned;
mod services;

use super::feed::position::Position;
use super::feed::{self, Change, Feed, FeedSettings};
use super::request;
use super::subscriptions::{FeedId, HeldSubscription, Routed, Subscriptions};
use crate::event::RequestFailure;
use crate::io::REPLY_TIMEOUT;
use crate::jid::Jid;
use crate::ns;
use crate::stanza::is_error;
use crate::time::{Instant, Millis};
use crate::unicode::Unicode;
use crate::vec_map::VecMap;
use crate::xml::Element;
use abandoned::{Abandoned, confirmed, unsubscribe};
use services::Services;
use std::collections::VecDeque;

/// How much longer than the caller's timeout the reply to a first subscription is awaited: it shows which subscription to end.
const LATE: Millis = Millis::seconds(300);

/// An output of the feeds.
#[derive(Clone, Debug)]
pub enum FeedsOutput {
    /// Send this request; pass the reply to [`Feeds::handle_reply`] under this number.
    Request {
        /// Its number, never used twice.
        number: u32,
        /// The request.
        iq: Element,
        /// The timeout of the reply.
        timeout: Millis,
    },
    /// A feed changed.
    Change {
        /// Which.
        feed: FeedId,
        /// What.
        change: Box<Change>,
    },
    /// No output until an input or this time.
    Timeout(Option<Instant>),
}

/// Where a message was routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedRouting {
    /// It belongs to no feed.
    Nothing,
    /// Feeds took it.
    Taken,
    /// It names a subscribed node, but the sender is not the node's service. Ignored.
    Stranger {
        /// Who sent it.
        from: String,
        /// The node.
        node: String,
    },
}

#[derive(Debug)]
struct ManagedFeed {
    machine: Feed,
    service: String,
    node: String,
    /// How long the service may take to accept the first subscription; `None` after it was accepted.
    patience: Option<Millis>,
    give_up_at: Option<Instant>,
    /// The deadline of the machine.
    wake_at: Option<Instant>,
    /// Whether it was begun in the current session.
    begun: bool,
    /// A session ended before the service replied: the subscription may exist.
    unsure: bool,
    /// It has ended, but the caller has not closed it yet.
    over: bool,
}

/// The owner of a reply.
#[derive(Debug)]
enum ReplyOwner {
    Feed(FeedId, u32),
    /// The same, for a subscription request.
    Subscription(FeedId, u32),
    /// The traits of a service.
    Service(String),
    /// The subscription was abandoned before the reply.
    Abandoned(HeldSubscription),
    /// The subscription was ended before the reply contained its id.
    Ended(HeldSubscription),
    /// None: the reply is ignored.
    Nobody,
}

/// The feeds of one connection.
#[derive(Debug, Default)]
pub struct Feeds {
    account: String,
    subscriptions: Subscriptions,
    feeds: VecMap<FeedId, ManagedFeed>,
    services: Services,
    abandoned: Abandoned,
    asked: Vec<(u32, ReplyOwner)>,
    numbers: u32,
    outputs: VecDeque<FeedsOutput>,
    /// Feeds that may have outputs.
    due: VecDeque<FeedId>,
}

impl Feeds {
    /// Creates a machine without feeds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the own account: a message without a sender comes from it (RFC 6120 §8.1.2.1).
    pub fn set_account(&mut self, own: &Jid) {
        self.account = own.bare().as_str().into();
        self.subscriptions.set_account(own);
    }

    /// Adds a feed, which sends no request until [`Feeds::begin`]. `own` is the JID that is subscribed, bare or full; `patience`:
    /// how long the service may take to accept, 30 s by default. `settings.feed` is set here.
    pub fn add(
        &mut self,
        service: &Jid,
        own: &Jid,
        mut settings: FeedSettings,
        since: Option<Position>,
        patience: Option<Millis>,
    ) -> FeedId {
        let id = self.subscriptions.add(service, &settings.node, own);
        settings.feed = id.0;
        let entry = ManagedFeed {
            service: settings.service.clone(),
            node: settings.node.clone(),
            machine: Feed::new(settings, since),
            patience: Some(patience.unwrap_or(REPLY_TIMEOUT)),
            give_up_at: None,
            wake_at: None,
            begun: false,
            unsure: false,
            over: false,
        };
        self.feeds.insert(id, entry);
        id
    }

    /// Whether the feed was begun in the current session. A resumed session begins only the others.
    pub fn is_begun(&self, id: FeedId) -> bool {
        self.feeds.get(&id).is_some_and(|entry| entry.begun)
    }

    /// The position of a feed after all polled changes; `None` before it was live and after it was closed.
    pub fn position(&self, id: FeedId) -> Option<String> {
        self.feeds.get(&id)?.machine.position()
    }

    /// The feed of a pending request.
    pub fn feed_of(&self, number: u32) -> Option<FeedId> {
        let (_, asker) = self.asked.iter().find(|(known, _)| *known == number)?;
        match asker {
            ReplyOwner::Feed(id, _) | ReplyOwner::Subscription(id, _) => Some(*id),
            _ => None,
        }
    }

    /// Whether a feed of this service and node exists.
    pub fn has(&self, service: &str, node: &str) -> bool {
        let mut all = self.feeds.values();
        all.any(|entry| !entry.over && entry.service == service && entry.node == node)
    }

    // ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Begins a new session. Call it before beginning the feeds.
    pub fn begin_session(&mut self) {
        self.services.begin_session();
        for request in self.abandoned.begin_session(&self.subscriptions) {
            self.ask(ReplyOwner::Nobody, request, REPLY_TIMEOUT);
        }
    }

    /// Notes that events were lost before those that follow, at the end of a session.
    pub fn handle_hole(&mut self) {
        for entry in self.feeds.values_mut() {
            entry.machine.handle_hole();
        }
    }

    /// Begins a feed in the session: subscribes it as this JID, and fetches missed items.
    pub fn begin(&mut self, now: Instant, id: FeedId, own: &Jid) {
        let Some(entry) = self.feed(id).filter(|entry| !entry.over) else {
            return;
        };
        let service = entry.service.clone();
        if let Some(question) = self.services.discover(&service) {
            self.ask(
                ReplyOwner::Service(service.clone()),
                question,
                REPLY_TIMEOUT,
            );
        }
        self.subscriptions.renew(id, own);
        let traits = self.services.traits_of(&service);
        let Some(entry) = self.feeds.get_mut(&id) else {
            return;
        };
        entry.begun = true;
        entry.give_up_at = entry.patience.map(|patience| now + patience);
        if let Some(traits) = traits {
            entry.machine.learn(traits);
        }
        entry.machine.begin(own);
        let held = (service, entry.node.clone(), own.as_str().to_owned());
        if self.abandoned.has_ended(&held) {
            entry.machine.follow_another();
        }
        self.due.push_back(id);
    }

    /// The requests that end the subscriptions of full JIDs, which some
    /// services keep for ever. Send them before the session closes.
    pub fn closing_requests(&self) -> Vec<Element> {
        let mut all = self.subscriptions.of_full_jids();
        for (_, asker) in &self.asked {
            if let ReplyOwner::Abandoned(held) = asker
                && !all.contains(held)
            {
                all.push(held.clone());
            }
        }
        all.iter().map(unsubscribe).collect()
    }

    /// Removes all feeds and returns their ids: the connection is offline.
    pub fn end_all(&mut self) -> Vec<FeedId> {
        let mut all = Vec::new();
        for (id, _) in core::mem::take(&mut self.feeds).into_entries() {
            self.subscriptions.take(id);
            all.push(id);
        }
        self.asked.clear();
        self.outputs = VecDeque::new();
        self.due = VecDeque::new();
        all
    }

    // ── closing feeds──────────────────────────────────────────────────────────────────────────────

    /// Closes a feed, including one that has reported [`Change::End`] and is kept for its position. If the service has
    /// not accepted yet, a subscription that results from the request is ended, too; otherwise the subscription stays.
    pub fn close(&mut self, id: FeedId) {
        self.give_up(id);
        self.feeds.remove(&id);
    }

    /// Removes a feed.
    fn give_up(&mut self, id: FeedId) {
        let Some(entry) = self.feeds.get_mut(&id) else {
            return;
        };
        let (agreed, unsure) = (entry.patience.is_none(), entry.unsure);
        entry.over = true;
        entry.give_up_at = None;
        entry.wake_at = None;
        if let Some(held) = self.subscriptions.take(id).filter(|_| !agreed)
            && !self.pass_on(id, || ReplyOwner::Abandoned(held.clone()))
            && unsure
        {
            self.abandoned.doubt(held);
        }
        self.forget_questions(id);
        self.reconsider();
    }

    /// Ends a feed and its subscription. Returns the unsubscribe request, if no other feed uses the subscription.
    pub fn unsubscribe(&mut self, id: FeedId) -> Option<Element> {
        self.feeds.remove(&id)?;
        let request = self.subscriptions.take(id).and_then(|held| {
            self.pass_on(id, || ReplyOwner::Ended(held.clone()));
            self.abandoned.end(held, &self.subscriptions)
        });
        self.forget_questions(id);
        self.reconsider();
        request
    }

    /// Passes a pending subscription reply to another owner. False if none is pending.
    fn pass_on(&mut self, id: FeedId, to: impl Fn() -> ReplyOwner) -> bool {
        let mut passed = false;
        for (_, asker) in &mut self.asked {
            if matches!(asker, ReplyOwner::Subscription(feed, _) if *feed == id) {
                *asker = to();
                passed = true;
            }
        }
        passed
    }

    fn forget_questions(&mut self, id: FeedId) {
        self.asked
            .retain(|(_, asker)| !matches!(asker, ReplyOwner::Feed(feed, _) | ReplyOwner::Subscription(feed, _) if *feed == id));
    }

    /// Handles that another feed learned its subscription or ended.
    fn reconsider(&mut self) {
        for request in self.abandoned.reconsider(&self.subscriptions) {
            self.ask(ReplyOwner::Nobody, request, REPLY_TIMEOUT);
        }
    }

    // ── input──────────────────────────────────────────────────────────────────────────────────────────────

    /// Handles a message: an event, or a result from an archive.
    pub fn handle_message(&mut self, message: &Element, unicode: &dyn Unicode) -> FeedRouting {
        match self.subscriptions.route(message, unicode) {
            Routed::Feeds { feeds, event } => {
                for id in feeds {
                    if let Some(entry) = self.feed(id) {
                        entry.machine.handle_event(&event, message);
                        self.due.push_back(id);
                    }
                }
                FeedRouting::Taken
            }
            Routed::Duplicate => FeedRouting::Taken,
            Routed::Stranger { from, node } => FeedRouting::Stranger { from, node },
            Routed::Unclaimed(_) => FeedRouting::Nothing,
            Routed::NotEvent if self.handle_result(message) => FeedRouting::Taken,
            Routed::NotEvent => FeedRouting::Nothing,
        }
    }

    /// A result is accepted only from the queried archive (XEP-0313 §9).
    fn handle_result(&mut self, message: &Element) -> bool {
        if !message.is("message", ns::CLIENT) || is_error(message) {
            return false;
        }
        let Some(result) = message.child("result", ns::MAM) else {
            return false;
        };
        let from = message.attr("from").unwrap_or(&self.account);
        let mut all = self.feeds.values_mut();
        all.any(|entry| entry.service == from && entry.machine.handle_result(&result))
    }

    /// Handles the reply to a request. Call it before handling the stanzas that arrived after the reply.
    pub fn handle_reply(
        &mut self,
        now: Instant,
        number: u32,
        outcome: Result<Element, RequestFailure>,
    ) {
        let at = self.asked.iter().position(|(known, _)| *known == number);
        let Some(at) = at else { return };
        let (_, asker) = self.asked.remove(at);
        let is_subscription = matches!(asker, ReplyOwner::Subscription(..));
        match asker {
            ReplyOwner::Feed(id, number) | ReplyOwner::Subscription(id, number) => {
                let lost = matches!(outcome, Err(RequestFailure::Disconnected));
                if let Some(entry) = self.feed(id) {
                    entry.unsure |= is_subscription && lost;
                    entry.machine.handle_reply(now, number, outcome);
                    self.due.push_back(id);
                }
            }
            ReplyOwner::Service(name) => {
                let Some(traits) = self.services.handle_reply(&name, &outcome) else {
                    return;
                };
                for entry in self.feeds.values_mut() {
                    if entry.service == name {
                        entry.machine.learn(traits);
                    }
                }
            }
            ReplyOwner::Abandoned(held) => {
                let request = self
                    .abandoned
                    .handle_reply(held, &self.subscriptions, &outcome);
                if let Some(request) = request {
                    self.ask(ReplyOwner::Nobody, request, REPLY_TIMEOUT);
                }
            }
            ReplyOwner::Ended(held) => {
                // The unsubscribe request had no SubID, which some services require (§6.2.3.1).
                if let Ok(reply) = &outcome {
                    let told = confirmed(held.clone(), reply);
                    if told.subid != held.subid
                        && let Some(request) = self.abandoned.end(told, &self.subscriptions)
                    {
                        self.ask(ReplyOwner::Nobody, request, REPLY_TIMEOUT);
                    }
                }
            }
            ReplyOwner::Nobody => {}
        }
    }

    /// Handles the deadlines up to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let mut late = Vec::new();
        for (id, entry) in self.feeds.iter_mut() {
            if is_over(entry.give_up_at) {
                late.push(*id);
            } else if is_over(entry.wake_at) {
                entry.wake_at = None;
                entry.machine.handle_timeout(now);
                self.due.push_back(*id);
            }
        }
        for id in late {
            self.give_up(id);
            for change in [
                Change::Refused(Box::new(RequestFailure::TimedOut)),
                Change::End,
            ] {
                let change = Box::new(change);
                self.outputs
                    .push_back(FeedsOutput::Change { feed: id, change });
            }
        }
    }

    // ── output──────────────────────────────────────────────────────────────────────────────────────────────

    /// Returns the next output. Call it after each change until it returns [`FeedsOutput::Timeout`].
    pub fn poll_output(&mut self) -> FeedsOutput {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            let Some(id) = self.due.front().copied() else {
                return FeedsOutput::Timeout(self.deadline());
            };
            let entry = self.feed(id).filter(|entry| !entry.over);
            let output = entry.map(|entry| entry.machine.poll_output());
            match output {
                Some(feed::FeedOutput::Request { number, iq }) => self.ask_for(id, number, iq),
                Some(feed::FeedOutput::Change(change)) => {
                    self.note_change(id, &change);
                    return FeedsOutput::Change { feed: id, change };
                }
                Some(feed::FeedOutput::Timeout(at)) => {
                    if let Some(entry) = self.feed(id) {
                        entry.wake_at = at;
                    }
                    self.due.pop_front();
                }
                None => {
                    self.due.pop_front();
                }
            }
        }
    }

    fn ask_for(&mut self, id: FeedId, number: u32, iq: Element) {
        if !request::is_subscribe(&iq) {
            return self.ask(ReplyOwner::Feed(id, number), iq, REPLY_TIMEOUT);
        }
        let patience = self.feed(id).and_then(|entry| entry.patience);
        let timeout = patience.map_or(REPLY_TIMEOUT, |patience| {
            Millis(patience.0.saturating_add(LATE.0))
        });
        self.ask(ReplyOwner::Subscription(id, number), iq, timeout);
    }

    fn ask(&mut self, asker: ReplyOwner, iq: Element, timeout: Millis) {
        self.numbers = self.numbers.wrapping_add(1);
        let number = self.numbers;
        self.asked.push((number, asker));
        self.outputs.push_back(FeedsOutput::Request {
            number,
            iq,
            timeout,
        });
    }

    fn note_change(&mut self, id: FeedId, change: &Change) {
        match change {
            Change::Subscribed(told) => {
                self.subscriptions.confirm(id, told.as_ref());
                if let Some(entry) = self.feed(id) {
                    entry.patience = None;
                    entry.give_up_at = None;
                }
                self.reconsider();
            }
            Change::End => {
                self.subscriptions.take(id);
                if let Some(entry) = self.feed(id) {
                    entry.over = true;
                    entry.give_up_at = None;
                    entry.wake_at = None;
                }
                self.forget_questions(id);
                self.reconsider();
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        for entry in self.feeds.values() {
            for at in [entry.give_up_at, entry.wake_at].into_iter().flatten() {
                earliest = Some(earliest.map_or(at, |known| known.min(at)));
            }
        }
        earliest
    }

    fn feed(&mut self, id: FeedId) -> Option<&mut ManagedFeed> {
        self.feeds.get_mut(&id)
    }
}
