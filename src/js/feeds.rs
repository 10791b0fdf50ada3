//! The feeds of a client at the boundary: drives their machine (`epode_proto::xep::pubsub::feeds`), sends what it asks, and tells
//! each feed what happened in it.

use super::client::{Inner, Waiter};
use super::error::Problem;
use super::feed::{FeedState, Wishes};
use crate::web::clock::now;
use crate::web::oneshot::Receiver;
use crate::web::unicode::PlatformUnicode;
use epode_proto::event::RequestFailure;
use epode_proto::jid::Jid;
use epode_proto::time::{Instant, Millis};
use epode_proto::xep::pubsub::feed::Settings;
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::feeds::{Feeds, Heard, Output};
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xml::Element;
use gloo_timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A feed, and how its first request ends.
pub type Started = (Rc<FeedState>, Receiver<Result<(), Problem>>);

/// The machine of all feeds of a client.
#[derive(Default)]
pub struct Feeding {
    pub(super) machine: RefCell<Feeds>,
    /// Its outputs are being handled.
    driving: Cell<bool>,
    timer: RefCell<Option<(Instant, Timeout)>>,
}

impl Inner {
    /// A new feed, which has asked for nothing yet.
    pub fn add_feed(
        self: &Rc<Self>,
        service: &Jid,
        settings: Settings,
        since: Option<Position>,
        wishes: Wishes,
        patience: Option<Millis>,
    ) -> Result<Started, Problem> {
        let own = self.subscriber(wishes.full)?;
        let node = settings.node.clone();
        let id = self
            .feeding
            .machine
            .borrow_mut()
            .add(service, &own, settings, since, patience);
        let (sender, first) = crate::web::oneshot::channel();
        let feed = FeedState::new(self, id, service.as_str(), &node, wishes, sender);
        // From now on: an event may overtake the reply.
        self.feeds.borrow_mut().insert(id, Rc::clone(&feed));
        Ok((feed, first))
    }

    /// In a session that knows nothing of the feed: subscribes, from whatever our address is now, and asks what was missed. In
    /// this turn: what comes of what was kept, the feed tells, too.
    pub fn begin_feed(self: &Rc<Self>, feed: &Rc<FeedState>) {
        let Ok(own) = self.subscriber(feed.wishes.full) else {
            return;
        };
        // Events to the bare JID reach who is present: what is published between the listing and presence would reach nobody.
        if own.is_bare() {
            self.be_present();
        }
        feed.subscriber.replace(own.as_str().to_owned());
        self.feeding
            .machine
            .borrow_mut()
            .begin(now(), feed.id, &own);
        self.drive_feeds();
    }

    /// A session is there: a new one, in which all feeds begin anew, or the one that there was.
    pub fn begin_feeds(self: &Rc<Self>, resumed: bool) {
        if !resumed {
            self.feeding.machine.borrow_mut().begin_session();
        }
        let mut all = Vec::new();
        for feed in self.feeds.borrow().values() {
            all.push(Rc::clone(feed));
        }
        for feed in all {
            let begun = self.feeding.machine.borrow().is_begun(feed.id);
            if !(resumed && begun) {
                self.begin_feed(&feed);
            }
        }
        self.drive_feeds();
    }

    /// Does what the machine wants, until it wants nothing. Whatever a listener causes meanwhile, this same loop goes on with.
    pub fn drive_feeds(self: &Rc<Self>) {
        if self.feeding.driving.replace(true) {
            return;
        }
        loop {
            let output = self.feeding.machine.borrow_mut().poll_output();
            match output {
                Output::Request {
                    number,
                    iq,
                    timeout,
                } => self.ask_for_feeds(number, iq, timeout),
                Output::Change { feed, change } => {
                    let feed = self.feeds.borrow().get(&feed).cloned();
                    if let Some(feed) = feed {
                        feed.tell(self, *change);
                    }
                }
                Output::Timeout(at) => {
                    self.arm_feeds(at);
                    break;
                }
            }
        }
        self.feeding.driving.set(false);
    }

    fn ask_for_feeds(&self, number: u32, iq: Element, timeout: Millis) {
        let Err(problem) = self.ask(iq, timeout, Waiter::Feeds(number)) else {
            return;
        };
        // Without a connection the next session begins it anew. Where too much waits to be sent, it has to find another way.
        let failure = if problem.is_not_connected() {
            RequestFailure::Disconnected
        } else {
            RequestFailure::TimedOut
        };
        let id = self.feeding.machine.borrow().feed_of(number);
        let feed = id.and_then(|id| self.feeds.borrow().get(&id).cloned());
        let first = feed.as_ref().and_then(|feed| feed.first.take());
        self.feeding
            .machine
            .borrow_mut()
            .handle_reply(now(), number, Err(failure));
        if let (Some(feed), Some(first)) = (feed, first) {
            self.forget_feed(feed.id);
            feed.stop();
            first.send(Err(problem));
        }
    }

    /// One timer, for all that the machine waits for.
    fn arm_feeds(self: &Rc<Self>, at: Option<Instant>) {
        let armed = self.feeding.timer.borrow().as_ref().map(|(at, _)| *at);
        if armed == at {
            return;
        }
        let timer = at.map(|at| {
            let delay = u32::try_from((at - now()).0).unwrap_or(0x7fff_ffff);
            let client = Rc::downgrade(self);
            let timeout = Timeout::new(delay, move || {
                let Some(client) = client.upgrade() else {
                    return;
                };
                // Dropped, not forgotten: that would keep its closure for ever.
                client.feeding.timer.replace(None);
                client.feeding.machine.borrow_mut().handle_timeout(now());
                client.drive_feeds();
            });
            (at, timeout)
        });
        self.feeding.timer.replace(timer);
    }

    // ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// The answer to what the feeds have asked.
    pub fn answer_feeds(self: &Rc<Self>, number: u32, outcome: Result<Element, RequestFailure>) {
        self.feeding
            .machine
            .borrow_mut()
            .handle_reply(now(), number, outcome);
        self.drive_feeds();
    }

    /// Hands a message to the feeds. True when it belongs to one.
    pub fn route_event(self: &Rc<Self>, message: &Element) -> bool {
        let heard = self
            .feeding
            .machine
            .borrow_mut()
            .handle_message(message, &PlatformUnicode);
        self.drive_feeds();
        match heard {
            Heard::Taken => true,
            Heard::Nothing => false,
            Heard::Stranger { from, node } => {
                let mut text = String::from("An event of node ");
                text.push_str(&node);
                text.push_str(" came from ");
                text.push_str(&from);
                text.push_str(", which is not its service. It was ignored.");
                self.complain(Problem::new("protocol-error", &text).told_by(message));
                false
            }
        }
    }

    // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Forgets a feed, whose subscription stays unless it is still being asked for.
    pub fn forget_feed(&self, id: FeedId) {
        self.keep_position(id);
        self.feeding.machine.borrow_mut().close(id);
    }

    /// Forgets a feed; what is returned ends its subscription, if no other feed lives on it.
    pub fn unsubscribe_feed(self: &Rc<Self>, id: FeedId) -> Option<Element> {
        self.keep_position(id);
        let unsubscribe = self.feeding.machine.borrow_mut().unsubscribe(id);
        self.drive_feeds();
        unsubscribe
    }

    /// A feed that is over still tells where it stood.
    fn keep_position(&self, id: FeedId) {
        let feed = self.feeds.borrow_mut().remove(&id);
        if let Some(feed) = feed {
            let position = self.feeding.machine.borrow().position(id);
            feed.last_position.replace(position);
        }
    }

    /// Before the session ends: subscriptions of full JIDs are worth nothing after it, and some services keep them for ever.
    pub fn end_subscriptions(&self) {
        let requests = self.feeding.machine.borrow().good_bye();
        for unsubscribe in requests {
            self.post(unsubscribe);
        }
    }

    /// The connection is gone: so are its feeds and rooms.
    pub fn end_all(self: &Rc<Self>, error: Option<&wasm_bindgen::JsValue>) {
        let feeds = core::mem::take(&mut *self.feeds.borrow_mut());
        let feeds = feeds.into_entries();
        for (id, feed) in &feeds {
            let position = self.feeding.machine.borrow().position(*id);
            feed.last_position.replace(position);
        }
        self.feeding.machine.borrow_mut().end_all();
        self.feeding.timer.replace(None);
        for (_, feed) in feeds {
            feed.end();
        }
        self.end_rooms(error);
    }
}
