//! The feeds of a client: passes stanzas and replies to the [`Feeds`] machine and carries out its outputs.

use super::requests::Purpose;
use super::{Client, ClientEvent, Notice, SendLane};
use crate::connection::SendError;
use crate::event::{IqId, RequestFailure};
use crate::io::REPLY_TIMEOUT;
use crate::jid::Jid;
use crate::time::{Instant, Millis};
use crate::vec_map::VecMap;
use crate::xep::pubsub::feed::position::Position;
use crate::xep::pubsub::feed::{Change, FeedSettings};
use crate::xep::pubsub::feeds::{FeedRouting, Feeds, FeedsOutput};
use crate::xep::pubsub::subscriptions::FeedId;
use crate::xep::pubsub::{Subscription, SubscriptionState};
use crate::xml::Element;

/// The caller's options of a feed.
#[derive(Clone, Debug)]
pub struct FeedOptions {
    /// The service.
    pub service: Jid,
    /// The node.
    pub node: String,
    /// The number of items that are listed and remembered.
    pub limit: usize,
    /// Whether the feed begins with a snapshot of the node's items.
    pub snapshot: bool,
    /// Whether an event that repeats the current revision of its item is reported.
    pub repeats: bool,
    /// Options of the subscription (XEP-0060 §6.3).
    pub options: Vec<(String, Vec<String>)>,
    /// Subscribe the full JID (true) or the bare JID (false); `None`: the bare JID if its events reach this session.
    pub full_jid: Option<bool>,
    /// How long the service may take to accept the subscription.
    pub timeout: Option<Millis>,
    /// The last publication that an earlier feed reported.
    pub since: Option<Position>,
}

/// The state of a feed's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    /// The service.
    pub service: String,
    /// The node.
    pub node: String,
    /// The subscribed JID, as the service writes it.
    pub subscriber: String,
    /// The subscription's SubID, if the service assigned one.
    pub subid: Option<String>,
    /// The subscription's state.
    pub state: SubscriptionState,
    full_jid: Option<bool>,
}

/// The feeds of a client and the state of their subscriptions.
pub(super) struct ClientFeeds {
    /// Subscriptions are made with the full JID.
    ephemeral: bool,
    machine: Feeds,
    status: VecMap<FeedId, FeedStatus>,
    deadline: Option<Instant>,
}

impl ClientFeeds {
    pub(super) fn new(ephemeral: bool) -> Self {
        Self {
            ephemeral,
            machine: Feeds::new(),
            status: VecMap::default(),
            deadline: None,
        }
    }

    /// Whether a feed is at that service.
    pub(super) fn uses_service(&self, service: &str) -> bool {
        self.status.values().any(|feed| feed.service == service)
    }

    pub(super) fn set_account(&mut self, own: &Jid) {
        self.machine.set_account(own);
    }

    /// Reports that events were lost before those that follow ([`Feeds::handle_hole`]).
    pub(super) fn handle_hole(&mut self) {
        self.machine.handle_hole();
    }
}

impl Client {
    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Subscribes to a node. During an interruption the feed begins when the interruption ends.
    ///
    /// # Errors
    /// [`SendError::NotConnected`].
    pub fn subscribe(&mut self, now: Instant, options: FeedOptions) -> Result<FeedId, SendError> {
        let own = self
            .subscriber(options.full_jid)
            .ok_or(SendError::NotConnected)?;
        let service = options.service.as_str().to_owned();
        let settings = FeedSettings {
            feed: 0,
            service: service.clone(),
            node: options.node.clone(),
            limit: options.limit,
            snapshot: options.snapshot,
            repeats: options.repeats,
            options: options.options,
        };
        let status = FeedStatus {
            service,
            node: options.node,
            subscriber: own.as_str().to_owned(),
            subid: None,
            state: SubscriptionState::Pending,
            full_jid: options.full_jid,
        };
        // Before the reply: an event may overtake it.
        let id = self.feeds.machine.add(
            &options.service,
            &own,
            settings,
            options.since,
            options.timeout,
        );
        self.feeds.status.insert(id, status);
        if self.connection.is_online() {
            self.begin_feed(now, id, SendLane::Ordinary);
            self.drive_feeds(now, SendLane::Ordinary);
        }
        Ok(id)
    }

    /// Ends a feed and its subscription. Returns the id of the unsubscribe request; `None` if none is needed or another feed
    /// uses the subscription.
    ///
    /// # Errors
    /// [`SendError`] if the request cannot be sent. The feed ends in any case.
    pub fn unsubscribe(
        &mut self,
        now: Instant,
        feed: FeedId,
        timeout: Option<Millis>,
    ) -> Result<Option<IqId>, SendError> {
        self.feeds.status.remove(&feed);
        let request = self.feeds.machine.unsubscribe(feed);
        self.drive_feeds(now, SendLane::Ordinary);
        match request {
            None => Ok(None),
            Some(request) => {
                let timeout = Some(timeout.unwrap_or(REPLY_TIMEOUT));
                self.request(now, request, timeout).map(Some)
            }
        }
    }

    /// Ends a feed without unsubscribing. A subscription that the service has not accepted yet is ended.
    pub fn close_feed(&mut self, now: Instant, feed: FeedId) {
        self.feeds.status.remove(&feed);
        self.feeds.machine.close(feed);
        self.drive_feeds(now, SendLane::Ordinary);
    }

    /// The state of a feed's subscription; `None` after its end.
    pub fn feed_status(&self, feed: FeedId) -> Option<&FeedStatus> {
        self.feeds.status.get(&feed)
    }

    /// The position of a feed, for a later feed of the same node ([`FeedOptions::since`]).
    pub fn feed_position(&self, feed: FeedId) -> Option<String> {
        self.feeds.machine.position(feed)
    }

    /// The JID to subscribe: the bare JID if this resource is available, since its events go to available resources only.
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

    /// Begins the feeds in a session: all of them in a new session, only the new ones in a resumed session.
    pub(super) fn begin_feeds(&mut self, now: Instant, resumed: bool) {
        let lane = if resumed {
            SendLane::Ordinary
        } else {
            self.feeds.machine.begin_session();
            SendLane::Restoring
        };
        for id in self.feeds.status.keys().copied().collect::<Vec<_>>() {
            if !(resumed && self.feeds.machine.is_begun(id)) {
                self.begin_feed(now, id, lane);
            }
        }
        self.drive_feeds(now, lane);
    }

    /// Subscribes a feed in a new session, with the JID of this session, and fetches the missed items.
    fn begin_feed(&mut self, now: Instant, id: FeedId, lane: SendLane) {
        let Some(full_jid) = self.feeds.status.get(&id).map(|feed| feed.full_jid) else {
            return;
        };
        let Some(own) = self.subscriber(full_jid) else {
            return;
        };
        // Events for the bare JID reach available resources only: send presence first, or items published between the
        // listing and the presence are lost.
        if own.is_bare() {
            self.send_initial_presence(lane);
        }
        if let Some(feed) = self.feeds.status.get_mut(&id) {
            own.as_str().clone_into(&mut feed.subscriber);
        }
        self.feeds.machine.begin(now, id, &own);
    }

    /// Carries out the outputs of the feeds.
    pub(super) fn drive_feeds(&mut self, now: Instant, lane: SendLane) {
        loop {
            match self.feeds.machine.poll_output() {
                FeedsOutput::Request {
                    number,
                    iq,
                    timeout,
                } => self.ask_for_feeds(now, number, iq, timeout, lane),
                FeedsOutput::Change { feed, change } => self.handle_change(feed, change),
                FeedsOutput::Timeout(at) => {
                    self.feeds.deadline = at;
                    return;
                }
            }
        }
    }

    fn ask_for_feeds(
        &mut self,
        now: Instant,
        number: u32,
        iq: Element,
        timeout: Millis,
        lane: SendLane,
    ) {
        let Err(error) = self.ask(now, iq, Some(timeout), Purpose::Feeds(number), lane) else {
            return;
        };
        // Without a connection the next session begins the feed again. If the outbox is full, the feed must retry.
        let failure = match error {
            SendError::NotConnected => RequestFailure::Disconnected,
            _ => RequestFailure::TimedOut,
        };
        self.feeds.machine.handle_reply(now, number, Err(failure));
    }

    pub(super) fn handle_feeds_reply(
        &mut self,
        now: Instant,
        number: u32,
        outcome: Result<Element, RequestFailure>,
    ) {
        self.feeds.machine.handle_reply(now, number, outcome);
        self.drive_feeds(now, SendLane::Ordinary);
    }

    pub(super) fn feeds_deadline(&self) -> Option<Instant> {
        self.feeds.deadline
    }

    pub(super) fn handle_feeds_timeout(&mut self, now: Instant) {
        if self.feeds.deadline.is_some_and(|at| now >= at) {
            self.feeds.machine.handle_timeout(now);
            self.drive_feeds(now, SendLane::Ordinary);
        }
    }

    // ── feed events────────────────────────────────────────────────────────────────────────────────────────

    fn handle_change(&mut self, feed: FeedId, change: Box<Change>) {
        match &*change {
            Change::Subscribed(told) => self.note_subscription(feed, told.as_ref()),
            Change::Subscription(told) => self.note_subscription(feed, Some(told)),
            Change::End => {
                let position = self.feeds.machine.position(feed);
                self.feeds.status.remove(&feed);
                self.feeds.machine.close(feed);
                return self.emit(ClientEvent::FeedEnded { feed, position });
            }
            _ => {}
        }
        self.emit(ClientEvent::Feed { feed, change });
    }

    fn note_subscription(&mut self, feed: FeedId, told: Option<&Subscription>) {
        let Some(status) = self.feeds.status.get_mut(&feed) else {
            return;
        };
        status.state = told.map_or(SubscriptionState::Subscribed, |told| told.state);
        if let Some(told) = told {
            status.subid.clone_from(&told.subid);
            if !told.jid.is_empty() {
                status.subscriber.clone_from(&told.jid);
            }
        }
    }

    /// Ends all feeds: the connection is offline.
    pub(super) fn end_feeds(&mut self) {
        let all = self.feeds.status.keys();
        let all = all.map(|feed| (*feed, self.feeds.machine.position(*feed)));
        let all: Vec<(FeedId, Option<String>)> = all.collect();
        self.feeds.machine.end_all();
        self.feeds.status.clear();
        self.feeds.deadline = None;
        for (feed, position) in all {
            self.emit(ClientEvent::FeedEnded { feed, position });
        }
    }

    /// Ends subscriptions of full JIDs before the session closes: some services keep them for ever.
    pub(super) fn end_subscriptions(&mut self) {
        for request in self.feeds.machine.closing_requests() {
            self.post(request, SendLane::Ordinary);
        }
    }

    // ── incoming stanzas─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Passes a message to its feeds. `watched`: the message is an account's own event, whose node may have the name of a node
    /// subscribed elsewhere. Returns true if a feed took the message.
    pub(super) fn route_event(&mut self, now: Instant, message: &Element, watched: bool) -> bool {
        let unicode = self.platform.unicode.as_ref();
        let heard = self.feeds.machine.handle_message(message, unicode);
        self.drive_feeds(now, SendLane::Ordinary);
        match heard {
            FeedRouting::Taken => true,
            FeedRouting::Nothing => false,
            FeedRouting::Stranger { from, node } => {
                if !watched {
                    let stanza = message.detach();
                    self.emit(ClientEvent::Notice(Notice::ForeignEvent {
                        from,
                        node,
                        stanza,
                    }));
                }
                false
            }
        }
    }
}
