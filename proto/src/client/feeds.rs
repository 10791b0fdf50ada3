//! The feeds of a client: each is a [`Feed`] machine, which gets the events and replies that belong to it in the order of the
//! stream. What is known of a service serves all feeds of it.

use super::requests::Purpose;
use super::{Client, ClientEvent, Lane, Notice};
use crate::connection::SendError;
use crate::event::{IqId, RequestFailure};
use crate::io::REPLY_TIMEOUT;
use crate::jid::Jid;
use crate::ns;
use crate::time::{Instant, Millis};
use crate::xep::disco;
use crate::xep::pubsub::feed::position::Position;
use crate::xep::pubsub::feed::{Change, Feed, Output, Settings, Traits};
use crate::xep::pubsub::request;
use crate::xep::pubsub::subscriptions::{FeedId, Held, Routed, Subscriptions};
use crate::xep::pubsub::{State, Subscription};
use crate::xml::Element;
use std::collections::BTreeMap;

/// What the caller chose for a feed.
#[derive(Clone, Debug)]
pub struct FeedOptions {
    /// The service.
    pub service: Jid,
    /// The node.
    pub node: String,
    /// How many items are looked at, and remembered.
    pub limit: usize,
    /// Whether what the node holds comes first.
    pub snapshot: bool,
    /// Options of the subscription (XEP-0060 §6.3).
    pub options: Vec<(String, Vec<String>)>,
    /// The JID to subscribe: the full one, or the bare one; `None`: the bare one if its events reach this session.
    pub full_jid: Option<bool>,
    /// How long the service may take to agree.
    pub timeout: Option<Millis>,
    /// The last publication that an earlier feed reported.
    pub since: Option<Position>,
}

/// Why there is no feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscribeError {
    /// There is no session.
    NotConnected,
    /// More is waiting to be sent than is kept.
    OutboxFull,
}

/// How a feed's subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    /// The JID that is subscribed, as the service keeps it.
    pub subscriber: String,
    /// Which of its subscriptions, if the service counts them.
    pub subid: Option<String>,
    /// How it stands.
    pub state: State,
}

/// Why a feed is over.
#[derive(Clone, Debug)]
pub enum FeedEnd {
    /// The service refused the first subscription.
    Refused(RequestFailure),
    /// The service refused a later one, in a new session.
    RefusedLater(RequestFailure),
    /// The node is no more, or the subscription was ended by the service.
    Ended,
    /// The connection is offline.
    Offline,
}

/// The feeds, and what is known of their services.
pub(super) struct Feeds {
    /// Subscriptions are made with the full JID.
    ephemeral: bool,
    subscriptions: Subscriptions,
    all: BTreeMap<FeedId, Entry>,
    /// The services that were asked what they are, and what they answered.
    services: BTreeMap<String, Option<Traits>>,
}

struct Entry {
    machine: Feed,
    service: String,
    node: String,
    full_jid: Option<bool>,
    status: FeedStatus,
    /// How long the service may take to agree; `None` once it has.
    first: Option<Millis>,
    /// Whether the current session was asked for it.
    begun: bool,
    deadline: Option<Instant>,
}

impl Feeds {
    pub(super) fn new(ephemeral: bool) -> Self {
        Self {
            ephemeral,
            subscriptions: Subscriptions::new(),
            all: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }

    /// Whether a feed is at that service.
    pub(super) fn uses_service(&self, service: &str) -> bool {
        self.all.values().any(|entry| entry.service == service)
    }

    pub(super) fn set_account(&mut self, own: &Jid) {
        self.subscriptions.set_account(own);
    }
}

impl Client {
    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Subscribes to a node. During an interruption the feed begins once it is over.
    pub fn subscribe(
        &mut self,
        now: Instant,
        options: FeedOptions,
    ) -> Result<FeedId, SubscribeError> {
        let own = self
            .subscriber(options.full_jid)
            .ok_or(SubscribeError::NotConnected)?;
        let service = options.service.as_str().to_owned();
        let feeds = &mut self.feeds;
        // From now on: an event may overtake the reply.
        let id = feeds
            .subscriptions
            .add(&options.service, &options.node, &own);
        let settings = Settings {
            feed: id.0,
            service: service.clone(),
            node: options.node.clone(),
            limit: options.limit,
            snapshot: options.snapshot,
            options: options.options,
        };
        let entry = Entry {
            machine: Feed::new(settings, options.since),
            service,
            node: options.node,
            full_jid: options.full_jid,
            status: FeedStatus {
                subscriber: own.as_str().to_owned(),
                subid: None,
                state: State::Pending,
            },
            first: Some(options.timeout.unwrap_or(REPLY_TIMEOUT)),
            begun: false,
            deadline: None,
        };
        feeds.all.insert(id, entry);
        if self.connection.is_online() {
            self.begin_feed(now, id, Lane::Ordinary);
        }
        Ok(id)
    }

    /// Ends a feed and its subscription, unless another feed lives on it. The request that ends the subscription, if one is
    /// needed, is the caller's.
    pub fn unsubscribe(
        &mut self,
        now: Instant,
        feed: FeedId,
        timeout: Option<Millis>,
    ) -> Result<Option<IqId>, SendError> {
        let Some(held) = self.close_feed(feed) else {
            return Ok(None);
        };
        let timeout = Some(timeout.unwrap_or(REPLY_TIMEOUT));
        self.request(now, unsubscribe_request(&held), timeout)
            .map(Some)
    }

    /// Ends a feed here and leaves its subscription at the service. Returns the subscription, if no other feed lives on it.
    pub fn close_feed(&mut self, feed: FeedId) -> Option<Held> {
        self.feeds.all.remove(&feed);
        self.feeds.subscriptions.remove(feed)
    }

    /// How a feed's subscription stands; `None` once it is over.
    pub fn feed_status(&self, feed: FeedId) -> Option<&FeedStatus> {
        self.feeds.all.get(&feed).map(|entry| &entry.status)
    }

    /// Where a feed stands, for a later feed of the same node ([`FeedOptions::since`]).
    pub fn feed_position(&self, feed: FeedId) -> Option<String> {
        self.feeds.all.get(&feed)?.machine.position()
    }

    /// The JID to subscribe: the bare one, if events for it reach this session: they go to resources that are available.
    pub fn subscriber(&self, full_jid: Option<bool>) -> Option<Jid> {
        let own = self.jid()?;
        let needs_full = self.feeds.ephemeral || !self.presence.is_available();
        Some(if full_jid.unwrap_or(needs_full) {
            own.clone()
        } else {
            own.bare()
        })
    }

    // ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A session is there: a new one, in which all feeds begin anew, or the one that there was.
    pub(super) fn begin_feeds(&mut self, now: Instant, resumed: bool) {
        let due = self.feeds.all.iter();
        let due = due.filter(|(_, entry)| !(resumed && entry.begun));
        let due: Vec<FeedId> = due.map(|(id, _)| *id).collect();
        let lane = if resumed {
            Lane::Ordinary
        } else {
            Lane::Restoring
        };
        for id in due {
            self.begin_feed(now, id, lane);
        }
    }

    /// In a session that knows nothing of the feed: subscribes, with the JID of this session, and asks what was missed.
    fn begin_feed(&mut self, now: Instant, id: FeedId, lane: Lane) {
        let Some(entry) = self.feeds.all.get(&id) else {
            return;
        };
        let Some(own) = self.subscriber(entry.full_jid) else {
            return;
        };
        let service = entry.service.clone();
        // Events for the bare JID reach available resources only: presence goes first, or what is published between the
        // listing and the presence is lost.
        if own.is_bare() {
            self.send_initial_presence(lane);
        }
        self.study(now, &service, lane);
        let traits = self.feeds.services.get(&service).copied().flatten();
        self.feeds.subscriptions.renew(id, &own);
        if let Some(entry) = self.feeds.all.get_mut(&id) {
            entry.begun = true;
            entry.status.subscriber = own.as_str().to_owned();
            if let Some(traits) = traits {
                entry.machine.learn(traits);
            }
            entry.machine.begin(&own);
        }
        self.drive(now, id, lane);
    }

    /// Does what a feed's machine wants, until it wants nothing.
    fn drive(&mut self, now: Instant, id: FeedId, lane: Lane) {
        while let Some(entry) = self.feeds.all.get_mut(&id) {
            match entry.machine.poll_output() {
                Output::Request { number, iq } => self.ask_for_feed(now, id, number, iq, lane),
                Output::Change(change) => self.handle_change(id, *change),
                Output::Timeout(at) => {
                    entry.deadline = at;
                    break;
                }
            }
        }
    }

    fn ask_for_feed(&mut self, now: Instant, id: FeedId, number: u32, iq: Element, lane: Lane) {
        let Some(entry) = self.feeds.all.get(&id) else {
            return;
        };
        let timeout = Some(entry.first.unwrap_or(REPLY_TIMEOUT));
        let Err(error) = self.ask(now, iq, timeout, Purpose::Feed(id, number), lane) else {
            return;
        };
        // Without a connection the next session begins the feed anew. Where too much waits, the machine has to retry.
        let failure = match error {
            SendError::NotConnected => RequestFailure::Disconnected,
            _ => RequestFailure::TimedOut,
        };
        if let Some(entry) = self.feeds.all.get_mut(&id) {
            entry.machine.handle_reply(now, number, Err(failure));
        }
    }

    pub(super) fn handle_feed_reply(
        &mut self,
        now: Instant,
        id: FeedId,
        number: u32,
        outcome: Result<Element, RequestFailure>,
    ) {
        if let Some(entry) = self.feeds.all.get_mut(&id) {
            entry.machine.handle_reply(now, number, outcome);
            self.drive(now, id, Lane::Ordinary);
        }
    }

    pub(super) fn feeds_deadline(&self) -> Option<Instant> {
        let deadlines = self.feeds.all.values();
        deadlines.filter_map(|entry| entry.deadline).min()
    }

    pub(super) fn handle_feeds_timeout(&mut self, now: Instant) {
        let due = self.feeds.all.iter();
        let due = due.filter(|(_, entry)| entry.deadline.is_some_and(|at| now >= at));
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            if let Some(entry) = self.feeds.all.get_mut(&id) {
                entry.deadline = None;
                entry.machine.handle_timeout(now);
                self.drive(now, id, Lane::Ordinary);
            }
        }
    }

    // ── what a feed reports ─────────────────────────────────────────────────────────────────────────────────────────

    fn handle_change(&mut self, id: FeedId, change: Change) {
        match &change {
            Change::Subscribed(told) => {
                self.feeds.subscriptions.confirm(id, told.as_ref());
                self.note_subscription(id, told.as_ref());
                if let Some(entry) = self.feeds.all.get_mut(&id) {
                    entry.first = None;
                }
            }
            Change::Subscription(told) => self.note_subscription(id, Some(told)),
            Change::Refused(failure) => {
                let first = self
                    .feeds
                    .all
                    .get(&id)
                    .is_some_and(|entry| entry.first.is_some());
                let failure = (**failure).clone();
                return self.end_feed(
                    id,
                    if first {
                        FeedEnd::Refused(failure)
                    } else {
                        FeedEnd::RefusedLater(failure)
                    },
                );
            }
            Change::End => return self.end_feed(id, FeedEnd::Ended),
            _ => {}
        }
        let change = Box::new(change);
        self.tell(ClientEvent::Feed { feed: id, change });
    }

    fn note_subscription(&mut self, id: FeedId, told: Option<&Subscription>) {
        let Some(entry) = self.feeds.all.get_mut(&id) else {
            return;
        };
        entry.status.state = told.map_or(State::Subscribed, |told| told.state);
        if let Some(told) = told {
            entry.status.subid.clone_from(&told.subid);
            if !told.jid.is_empty() {
                entry.status.subscriber.clone_from(&told.jid);
            }
        }
    }

    fn end_feed(&mut self, id: FeedId, end: FeedEnd) {
        self.close_feed(id);
        let end = Box::new(end);
        self.tell(ClientEvent::FeedEnded { feed: id, end });
    }

    /// The connection is offline: so are its feeds.
    pub(super) fn end_feeds(&mut self) {
        for id in self.feeds.all.keys().copied().collect::<Vec<_>>() {
            self.end_feed(id, FeedEnd::Offline);
        }
    }

    /// Before the session ends: subscriptions of full JIDs are of no use after it, and some services keep them for ever.
    pub(super) fn end_subscriptions(&mut self) {
        for held in self.feeds.subscriptions.of_full_jids() {
            self.post(unsubscribe_request(&held), Lane::Ordinary);
        }
    }

    // ── what a service is ───────────────────────────────────────────────────────────────────────────────────────────

    /// Asks a service what it is, once.
    fn study(&mut self, now: Instant, service: &str, lane: Lane) {
        if self.feeds.services.contains_key(service) {
            return;
        }
        let purpose = Purpose::Service(service.to_owned());
        let question = disco::info(Some(service), None);
        // One that cannot be asked now is asked when the next feed begins.
        if self
            .ask(now, question, Some(REPLY_TIMEOUT), purpose, lane)
            .is_ok()
        {
            self.feeds.services.insert(service.to_owned(), None);
        }
    }

    /// What a service says it is. A service that does not answer is treated as one with the fewest features.
    pub(super) fn handle_service_info(
        &mut self,
        _now: Instant,
        service: &str,
        outcome: Result<Element, RequestFailure>,
    ) {
        let info = match outcome {
            Ok(reply) => disco::Info::parse(&reply),
            Err(RequestFailure::Disconnected) => {
                // The service was not asked.
                self.feeds.services.remove(service);
                return;
            }
            Err(_) => None,
        };
        let Some(info) = info else { return };
        let traits = Traits::read(&info);
        self.feeds.services.insert(service.to_owned(), Some(traits));
        for entry in self.feeds.all.values_mut() {
            if entry.service == service {
                entry.machine.learn(traits);
            }
        }
    }

    // ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// An event of a node, for the feeds of it. `watched`: an account's own event, which may have the name of a node that is
    /// subscribed elsewhere. Returns true if a feed had it.
    pub(super) fn route_event(&mut self, now: Instant, message: &Element, watched: bool) -> bool {
        let unicode = self.platform.unicode.as_ref();
        match self.feeds.subscriptions.route(message, unicode) {
            Routed::Feeds { feeds, event } => {
                for id in feeds {
                    if let Some(entry) = self.feeds.all.get_mut(&id) {
                        entry.machine.handle_event(&event, message);
                        self.drive(now, id, Lane::Ordinary);
                    }
                }
                true
            }
            Routed::Duplicate => true,
            Routed::Stranger { from, node } if !watched => {
                let stanza = message.detach();
                self.tell(ClientEvent::Notice(Notice::ForeignEvent {
                    from,
                    node,
                    stanza,
                }));
                false
            }
            Routed::Stranger { .. } | Routed::NotEvent | Routed::Unclaimed(_) => false,
        }
    }

    /// A message from an archive (XEP-0313), for the feed that asked. Returns true if there is one.
    pub(super) fn route_archived(&mut self, _now: Instant, message: &Element) -> bool {
        let Some(result) = message.child("result", ns::MAM) else {
            return false;
        };
        let from = message.attr("from");
        self.feeds.all.values_mut().any(|entry| {
            from == Some(entry.service.as_str()) && entry.machine.handle_result(&result)
        })
    }

    /// The node of a feed; `None` once it is over.
    pub fn feed_node(&self, feed: FeedId) -> Option<&str> {
        self.feeds.all.get(&feed).map(|entry| entry.node.as_str())
    }
}

fn unsubscribe_request(held: &Held) -> Element {
    request::unsubscribe(
        Some(&held.service),
        &held.node,
        &held.jid,
        held.subid.as_deref(),
    )
}
