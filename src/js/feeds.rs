//! The feeds of a client: their machines are driven, what comes for them is handed to them in the order of the stream, and
//! what is known of a service, to each feed of it.

use super::client::{Inner, Waiter};
use super::error::Problem;
use super::feed::{FeedState, Wishes};
use crate::web::clock::now;
use crate::web::oneshot::Receiver;
use crate::web::unicode::PlatformUnicode;
use epode_proto::event::RequestFailure;
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::xep::disco;
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::feed::{Feed as Machine, Output, Settings, Traits};
use epode_proto::xep::pubsub::request;
use epode_proto::xep::pubsub::subscriptions::{FeedId, Held, Routed};
use epode_proto::xml::Element;
use std::rc::Rc;

/// A feed, and how its first request ends.
pub type Started = (Rc<FeedState>, Receiver<Result<(), Problem>>);

/// A service that was asked what it is.
pub struct Service {
    name: String,
    /// Once it has said so.
    traits: Option<Traits>,
}

impl Inner {
    /// A new feed, which has asked for nothing yet.
    pub fn add_feed(
        self: &Rc<Self>,
        service: &Jid,
        mut settings: Settings,
        since: Option<Position>,
        wishes: Wishes,
    ) -> Result<Started, Problem> {
        let own = self.subscriber(wishes.full)?;
        let node = settings.node.clone();
        let id = self.subscriptions.borrow_mut().add(service, &node, &own);
        settings.feed = id.0;
        let (sender, first) = crate::web::oneshot::channel();
        let machine = Machine::new(settings, since);
        let feed = FeedState::new(self, id, service.as_str(), &node, machine, wishes, sender);
        // From now on: an event may overtake the reply.
        self.feeds.borrow_mut().insert(id, Rc::clone(&feed));
        Ok((feed, first))
    }

    /// All feeds, as they are now.
    fn all_feeds(&self) -> Vec<Rc<FeedState>> {
        let mut all = Vec::new();
        for feed in self.feeds.borrow().values() {
            all.push(Rc::clone(feed));
        }
        all
    }

    /// In a session that knows nothing of it: subscribes, from whatever our address is now, and asks what was missed. In this
    /// turn: what comes of what was kept, the feed shall tell, too.
    pub fn begin_feed(self: &Rc<Self>, feed: &Rc<FeedState>) {
        let Ok(own) = self.subscriber(feed.wishes.full) else {
            return;
        };
        // Events to the bare JID reach who is present: what is published between the listing and presence, nobody would hear of.
        if own.is_bare() {
            self.be_present();
        }
        self.study(&feed.service);
        feed.begun.set(true);
        feed.subscriber.replace(own.as_str().to_owned());
        self.subscriptions.borrow_mut().renew(feed.id, &own);
        let traits = self.traits_of(&feed.service);
        {
            let mut machine = feed.machine.borrow_mut();
            if let Some(traits) = traits {
                machine.learn(traits);
            }
            machine.begin(&own);
        }
        self.drive(feed);
    }

    /// A session is there: a new one, in which all feeds begin anew, or the one that there was.
    pub fn begin_feeds(self: &Rc<Self>, resumed: bool) {
        for feed in self.all_feeds() {
            if !(resumed && feed.begun.get()) {
                self.begin_feed(&feed);
            }
        }
    }

    /// Does what the machine wants, until it wants nothing. Whatever a listener causes meanwhile, this same loop goes on with.
    pub fn drive(self: &Rc<Self>, feed: &Rc<FeedState>) {
        if feed.driving.replace(true) {
            return;
        }
        while !feed.over.get() {
            let output = feed.machine.borrow_mut().poll_output();
            match output {
                Output::Request { number, iq } => self.ask_for(feed, number, iq),
                Output::Change(change) => feed.tell(self, *change),
                Output::Timeout(at) => {
                    feed.arm(at);
                    break;
                }
            }
        }
        feed.driving.set(false);
    }

    fn ask_for(&self, feed: &FeedState, number: u32, iq: Element) {
        let waiter = Waiter::Feed(feed.id, number);
        let Err(problem) = self.ask(iq, feed.patience(), waiter) else {
            return;
        };
        let first = feed.first.take();
        if let Some(first) = first {
            self.forget_feed(feed.id);
            feed.stop();
            first.send(Err(problem));
            return;
        }
        // Without a connection the next session begins it anew. Where too much waits to be sent, it has to find another way.
        let failure = if problem.is_not_connected() {
            RequestFailure::Disconnected
        } else {
            RequestFailure::TimedOut
        };
        feed.machine
            .borrow_mut()
            .handle_reply(now(), number, Err(failure));
    }

    /// The answer to what a feed has asked. One that is gone does not mind.
    pub fn answer_feed(
        self: &Rc<Self>,
        id: FeedId,
        number: u32,
        outcome: Result<Element, RequestFailure>,
    ) {
        let feed = self.feeds.borrow().get(&id).cloned();
        if let Some(feed) = feed {
            feed.machine
                .borrow_mut()
                .handle_reply(now(), number, outcome);
            self.drive(&feed);
        }
    }

    // ── what a service is ───────────────────────────────────────────────────────────────────────────────────────────

    /// Asks a service what it is, once.
    fn study(&self, service: &str) {
        let known = |known: &Service| known.name == service;
        if self.services.borrow().iter().any(known) {
            return;
        }
        let waiter = Waiter::Service(service.to_owned());
        let question = disco::info(Some(service), None);
        let timeout = epode_proto::io::REPLY_TIMEOUT;
        // One that cannot be asked now is asked when the next feed begins.
        if self.ask(question, timeout, waiter).is_ok() {
            self.services.borrow_mut().push(Service {
                name: service.to_owned(),
                traits: None,
            });
        }
    }

    fn traits_of(&self, service: &str) -> Option<Traits> {
        let services = self.services.borrow();
        let known = services.iter().find(|known| known.name == service)?;
        known.traits
    }

    /// What a service says it is. One that says nothing is taken for the least.
    pub fn learn_of(&self, name: &str, outcome: Result<Element, RequestFailure>) {
        let info = match outcome {
            Ok(reply) => disco::Info::parse(&reply),
            Err(RequestFailure::Disconnected) => {
                // It was not asked.
                let mut services = self.services.borrow_mut();
                return services.retain(|known| known.name != name);
            }
            Err(_) => None,
        };
        let Some(info) = info else { return };
        let traits = Traits::read(&info);
        for known in self.services.borrow_mut().iter_mut() {
            if known.name == name {
                known.traits = Some(traits);
            }
        }
        for feed in self.all_feeds() {
            if feed.service == name {
                feed.machine.borrow_mut().learn(traits);
            }
        }
    }

    // ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// Routes a message that looks like an event. True when a feed had it.
    pub fn route_event(self: &Rc<Self>, message: &Element) -> bool {
        let routed = self
            .subscriptions
            .borrow_mut()
            .route(message, &PlatformUnicode);
        match routed {
            Routed::Feeds { feeds, event } => {
                for id in feeds {
                    let feed = self.feeds.borrow().get(&id).cloned();
                    if let Some(feed) = feed {
                        feed.machine.borrow_mut().handle_event(&event, message);
                        self.drive(&feed);
                    }
                }
                true
            }
            Routed::Duplicate => true,
            Routed::Stranger { from, node } => {
                let mut text = String::from("An event of node ");
                text.push_str(&node);
                text.push_str(" came from ");
                text.push_str(&from);
                text.push_str(", which is not its service. It was ignored.");
                self.complain(Problem::new("protocol-error", &text).told_by(message));
                false
            }
            Routed::NotEvent | Routed::Unclaimed(_) => false,
        }
    }

    /// Hands a message from an archive (XEP-0313) to the feed that has asked for it. True when there is one.
    pub fn route_result(&self, message: &Element) -> bool {
        let Some(result) = message.child("result", ns::MAM) else {
            return false;
        };
        let from = message.attr("from");
        for feed in self.all_feeds() {
            if from == Some(feed.service.as_str())
                && feed.machine.borrow_mut().handle_result(&result)
            {
                return true;
            }
        }
        false
    }

    // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Forgets a feed; what is returned is its subscription, if no other feed lives on it.
    pub fn forget_feed(&self, id: FeedId) -> Option<Held> {
        self.feeds.borrow_mut().remove(&id);
        self.subscriptions.borrow_mut().remove(id)
    }

    /// Before the session ends: full JIDs' subscriptions are worth nothing after it, and some services keep them for ever.
    pub fn end_subscriptions(&self) {
        let held = self.subscriptions.borrow().of_full_jids();
        for held in held {
            let unsubscribe = request::unsubscribe(
                Some(&held.service),
                &held.node,
                &held.jid,
                held.subid.as_deref(),
            );
            self.post(unsubscribe);
        }
    }

    /// The connection is gone: so are its feeds and rooms.
    pub fn end_all(self: &Rc<Self>, error: Option<&wasm_bindgen::JsValue>) {
        let feeds = core::mem::take(&mut *self.feeds.borrow_mut());
        for (id, feed) in feeds.into_entries() {
            self.subscriptions.borrow_mut().remove(id);
            feed.end();
        }
        self.end_rooms(error);
    }
}
