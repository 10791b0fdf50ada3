//! `Feed`: a subscribed node at the boundary.

use super::client::Inner;
use super::error::Problem;
use super::item::item_to_js;
use super::listeners::Listeners;
use super::options::Waiting;
use super::promise::promise;
use super::registration::Registration;
use super::views::{self, View};
use crate::proto::xep::delay::Delay;
use crate::proto::xep::pubsub::event::{Entry, Event};
use crate::proto::xep::pubsub::subscriptions::{FeedId, Held, Routed};
use crate::proto::xep::pubsub::{State, Subscription, request};
use crate::proto::xml::Element;
use crate::web::unicode::PlatformUnicode;
use js_sys::Promise;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// What a feed is, shared by its handle and its client.
pub struct FeedState {
    pub(super) id: FeedId,
    pub(super) service: String,
    pub(super) node: String,
    /// The JID that is subscribed, as the service keeps it.
    pub(super) subscriber: RefCell<String>,
    pub(super) subid: RefCell<Option<String>>,
    pub(super) state: Cell<&'static str>,
    /// The service has agreed once.
    pub(super) confirmed: Cell<bool>,
    pub(super) listeners: Rc<Listeners>,
    /// The page's own decoder of payloads, or `undefined`.
    decode: JsValue,
    client: Weak<Inner>,
}

impl FeedState {
    /// A feed whose request is about to leave.
    pub fn new(
        client: &Rc<Inner>,
        id: FeedId,
        service: &str,
        node: &str,
        subscriber: &str,
        decode: JsValue,
    ) -> Rc<Self> {
        Rc::new(Self {
            id,
            service: service.to_owned(),
            node: node.to_owned(),
            subscriber: RefCell::new(subscriber.to_owned()),
            subid: RefCell::default(),
            state: Cell::new("pending"),
            confirmed: Cell::new(false),
            listeners: Listeners::new(
                &["item", "retract", "purge", "delete", "end"],
                &["subscription", "configuration"],
            ),
            decode,
            client: Rc::downgrade(client),
        })
    }

    /// What the service said about the subscription.
    pub fn confirm(&self, told: Option<&Subscription>) {
        self.confirmed.set(true);
        self.state
            .set(told.map_or("subscribed", |told| state_name(told.state)));
        if let Some(told) = told {
            self.subid.replace(told.subid.clone());
            if !told.jid.is_empty() {
                self.subscriber.replace(told.jid.clone());
            }
        }
    }

    /// No event will follow.
    pub fn end(&self) {
        self.state.set("none");
        self.listeners.emit("end", &JsValue::UNDEFINED);
    }

    fn emit(&self, kind: &'static str, event: &JsValue) {
        if !self.listeners.emit(kind, event)
            && let Some(client) = self.client.upgrade()
        {
            client.complain(Problem::new(
                "too-large",
                "A feed has kept more than 1,000 events that nobody listens to: the oldest are dropped. Give subscribe() a callback, or close() the feed.",
            ));
        }
    }

    fn handle(&self, event: &Event, message: &Element) {
        match event {
            Event::Items { node, entries } => {
                let time = Delay::of(message, &self.service);
                for entry in entries {
                    match entry {
                        Entry::Published(item) => {
                            let item = item_to_js(item, node, time.as_ref(), "live", &self.decode);
                            self.emit("item", &item);
                        }
                        Entry::Retracted { id } => {
                            self.emit("retract", &views::Retract { id, node }.to_js());
                        }
                    }
                }
            }
            Event::Purge { node } => {
                self.emit("purge", &views::Node { node }.to_js());
            }
            Event::Delete { node, redirect } => {
                let redirect = redirect.as_deref();
                self.emit("delete", &views::Delete { node, redirect }.to_js());
                if let Some(client) = self.client.upgrade() {
                    client.forget_feed(self.id);
                }
                self.end();
            }
            Event::Configuration { node, .. } => {
                self.emit("configuration", &views::Node { node }.to_js());
            }
            Event::Subscription(told) => {
                self.confirm(Some(told));
                let event = views::Subscription {
                    node: &self.node,
                    state: state_name(told.state),
                };
                self.emit("subscription", &event.to_js());
                if told.state == State::None {
                    if let Some(client) = self.client.upgrade() {
                        client.forget_feed(self.id);
                    }
                    self.end();
                }
            }
            // Collections are passed on to handlers, as the stanzas they are.
            Event::Collection { .. } => {}
        }
    }
}

/// A subscription's state by its name in the protocol.
fn state_name(state: State) -> &'static str {
    match state {
        State::None => "none",
        State::Pending => "pending",
        State::Unconfigured => "unconfigured",
        State::Subscribed => "subscribed",
    }
}

impl Inner {
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
                        feed.handle(&event, message);
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
    pub fn end_all(&self, error: Option<&JsValue>) {
        let feeds = core::mem::take(&mut *self.feeds.borrow_mut());
        for (id, feed) in feeds.into_entries() {
            self.subscriptions.borrow_mut().remove(id);
            feed.end();
        }
        let rooms = core::mem::take(&mut *self.rooms.borrow_mut());
        for (_, room) in rooms.into_entries() {
            room.lose(error);
        }
    }
}

/// A subscribed node.
#[wasm_bindgen(skip_typescript)]
pub struct Feed(Rc<FeedState>);

impl From<Rc<FeedState>> for Feed {
    fn from(state: Rc<FeedState>) -> Self {
        Self(state)
    }
}

#[wasm_bindgen]
impl Feed {
    /// What the entry's getters read, by their place in its list: node, service, subscriber, state, subid.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        match index {
            0 => Some(self.0.node.clone()),
            1 => Some(self.0.service.clone()),
            2 => Some(self.0.subscriber.borrow().clone()),
            3 => Some(self.0.state.get().to_owned()),
            _ => self.0.subid.borrow().clone(),
        }
    }

    /// Registers a listener.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, JsValue> {
        Ok(super::client::listen(&self.0.listeners, kind, listener)?)
    }

    /// Unsubscribes at the service, and ends the feed.
    pub fn unsubscribe(&self, options: JsValue) -> Promise {
        let feed = Rc::clone(&self.0);
        promise(async move {
            let waiting = Waiting::read(&options)?;
            if let Some(client) = feed.client.upgrade()
                && feed.state.get() != "none"
            {
                let held = client.forget_feed(feed.id);
                feed.end();
                if let Some(held) = held {
                    let unsubscribe = request::unsubscribe(
                        Some(&held.service),
                        &held.node,
                        &held.jid,
                        held.subid.as_deref(),
                    );
                    client.request(unsubscribe, waiting).await?;
                }
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Ends the feed here, and leaves the subscription at the service.
    pub fn close(&self) {
        if let Some(client) = self.0.client.upgrade() {
            client.forget_feed(self.0.id);
        }
        if self.0.state.get() != "none" {
            self.0.end();
        }
    }
}
