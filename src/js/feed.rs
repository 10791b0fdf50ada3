//! `Feed`: a subscribed node at the boundary. What happens in it, its machine says; here it is told.

use super::error::Problem;
use super::held::{Held, Slot};
use super::inner::{FeedListener, Inner};
use super::item::item_to_js;
use super::listeners::{KEPT, Listeners};
use super::options::Waiting;
use super::promise::{promise, spawn};
use super::registration::Registration;
use super::views::{self, View};
use crate::web::race::{Listening, RaceError};
use epode_proto::client::FeedStatus;
use epode_proto::event::RequestFailure;
use epode_proto::xep::pubsub::feed::{Change, Via};
use epode_proto::xep::pubsub::subscriptions::FeedId;
use epode_proto::xep::pubsub::{Item, Subscription, SubscriptionState};
use futures_channel::oneshot::Sender;
use js_sys::{Map, Promise};
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// The kind of event that every change of what a node holds is, in their order; `undefined` is the end. The entry makes
/// batches of it.
const CHANGE: &str = "_change";

/// How the promise of `subscribe()` ends.
pub type First = Sender<Result<(), Problem>>;

/// What the page wants of a feed, besides what its machine minds.
pub struct Wishes {
    /// How many items are kept.
    pub limit: u32,
    /// The page's own decoder of payloads, or `undefined`.
    pub decode: JsValue,
}

/// What a feed is, shared by its handle and its client.
pub struct FeedState {
    pub(super) id: FeedId,
    pub(super) service: String,
    pub(super) node: String,
    pub(super) wishes: Wishes,
    /// The JID that is subscribed, as the service keeps it.
    pub(super) subscriber: RefCell<String>,
    pub(super) subid: RefCell<Option<String>>,
    pub(super) state: Cell<&'static str>,
    /// Nothing is told any more.
    pub(super) over: Cell<bool>,
    /// Where it stood when it ended.
    pub(super) last_position: RefCell<Option<String>>,
    /// Until the service has agreed once.
    pub(super) first: RefCell<Option<First>>,
    listening: RefCell<Option<Listening>>,
    pub(super) listeners: Rc<Listeners>,
    /// A map of the items by their ids, as JavaScript has them.
    items: Slot,
    decode: Slot,
    pub(super) client: Weak<Inner>,
}

impl FeedState {
    /// A feed that nothing was asked for yet; `first` hears how that goes.
    pub fn new(
        client: &Rc<Inner>,
        id: FeedId,
        status: &FeedStatus,
        mut wishes: Wishes,
        first: First,
    ) -> Rc<Self> {
        let held = Held::new();
        let decode = held.put(&core::mem::take(&mut wishes.decode));
        Rc::new(Self {
            id,
            service: status.service.clone(),
            node: status.node.clone(),
            subscriber: RefCell::new(status.subscriber.clone()),
            subid: RefCell::default(),
            state: Cell::new("pending"),
            over: Cell::new(false),
            last_position: RefCell::default(),
            first: RefCell::new(Some(first)),
            listening: RefCell::default(),
            items: held.put(&Map::new()),
            decode,
            listeners: Listeners::keeping(
                held,
                KEPT.max(wishes.limit as usize),
                &[
                    "item", "retract", "purge", "gap", "live", CHANGE, "delete", "end",
                ],
                &["subscription", "configuration"],
            ),
            client: Rc::downgrade(client),
            wishes,
        })
    }

    /// Ends it when the signal is aborted.
    pub fn heed(self: &Rc<Self>, signal: AbortSignal) {
        let feed = Rc::downgrade(self);
        let listening = Listening::new(signal, move |lost: RaceError| {
            let Some(feed) = feed.upgrade() else { return };
            let first = feed.first.take();
            feed.close();
            if let Some(first) = first {
                let _ = first.send(Err(lost.into()));
            }
        });
        self.listening.replace(Some(listening));
    }

    /// Adds a listener; `None` when there is no such kind of event.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, Problem> {
        let registration = super::listeners::listen(&self.listeners, kind, listener)?;
        // The same is told in two ways. Who hears it in one, after this turn's other listeners are there, need not have it
        // kept in the other.
        let others: &[&str] = match kind {
            "item" => &[CHANGE],
            CHANGE => &["item", "retract", "purge", "gap", "live"],
            _ => &[],
        };
        let listeners = Rc::clone(&self.listeners);
        if !others.is_empty() {
            spawn(async move {
                for other in others {
                    listeners.keep_no_more(other);
                }
            });
        }
        Ok(registration)
    }

    // ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────

    fn tell_item(&self, item: &Item, time: Option<i64>, via: Via) {
        let decode = &self.listeners.held().get(self.decode);
        let js = item_to_js(item, &self.node, time, via_name(via), decode);
        if let Some(id) = &item.id {
            // What is published again goes to the end.
            let id = JsValue::from_str(id);
            let items = self.items();
            items.delete(&id);
            items.set(&id, &js);
            if items.size() > self.wishes.limit
                && let Ok(oldest) = items.keys().next()
            {
                items.delete(&oldest.value());
            }
        }
        if !self.listeners.emit("item", &js)
            && let Some(client) = self.client.upgrade()
        {
            client.complain(Problem::new(
                "too-large",
                "A feed has kept as many items as it may for a listener that never came: the oldest are dropped. Give subscribe() a callback, listen for batch, or close() the feed.",
            ));
        }
        if self.listeners.wants(CHANGE) {
            let item = js;
            self.note(&views::ItemChange { kind: "item", item });
        }
    }

    fn emit(&self, kind: &'static str, event: &dyn View) {
        if self.listeners.wants(kind) {
            self.listeners.emit(kind, &event.to_js());
        }
    }

    /// The same as one of all changes, for those who want them in order.
    fn note(&self, change: &dyn View) {
        self.emit(CHANGE, change);
    }

    /// What the service said about the subscription.
    fn confirm(&self, told: Option<&Subscription>) {
        let state = told.map_or(SubscriptionState::Subscribed, |told| told.state);
        self.state.set(state.as_str());
        if let Some(told) = told {
            self.subid.replace(told.subid.clone());
            if !told.jid.is_empty() {
                self.subscriber.replace(told.jid.clone());
            }
        }
    }

    /// The service will not have it.
    fn refuse(&self, client: &Rc<Inner>, failure: RequestFailure) {
        let problem = Problem::from(failure);
        let first = self.first.take();
        match first {
            // Nobody has this feed yet: no event tells of its end.
            Some(first) => {
                self.stop();
                let _ = first.send(Err(problem));
            }
            None => {
                self.end();
                client.complain(problem);
            }
        }
    }

    /// Where it stands; once it is over, where it ended.
    fn position(&self) -> Option<String> {
        let now = self
            .client
            .upgrade()
            .and_then(|client| client.driver.read(|client| client.feed_position(self.id)));
        now.or_else(|| self.last_position.borrow().clone())
    }

    /// Nothing is told any more.
    pub(super) fn stop(&self) {
        self.over.set(true);
        self.state.set("none");
        self.listening.replace(None);
        // Whoever waits for the first answer hears that there is none.
        self.first.replace(None);
    }

    /// No event will follow.
    pub fn end(&self) {
        if !self.over.get() {
            self.stop();
            self.listeners.emit(CHANGE, &JsValue::UNDEFINED);
            self.listeners.emit("end", &JsValue::UNDEFINED);
            self.listeners.close();
        }
    }

    /// The client has no feed of this id any more; where it stood is kept.
    fn forget(&self, client: &Inner) {
        self.last_position.replace(self.position());
        client.feeds.borrow_mut().remove(&self.id);
    }

    /// Ends it here.
    fn close(&self) {
        if let Some(client) = self.client.upgrade() {
            self.forget(&client);
            client
                .driver
                .change(|client, now| client.close_feed(now, self.id));
        }
        self.end();
    }
}

fn via_name(via: Via) -> &'static str {
    match via {
        Via::Snapshot => "snapshot",
        Via::Live => "live",
        Via::CatchUp => "catch-up",
    }
}

impl FeedListener for FeedState {
    fn tell(&self, client: &Rc<Inner>, change: Change) {
        let node = self.node.as_str();
        match change {
            Change::Subscribed(told) => {
                self.confirm(told.as_ref());
                let first = self.first.take();
                if let Some(first) = first {
                    let _ = first.send(Ok(()));
                }
            }
            Change::Refused(failure) => self.refuse(client, *failure),
            Change::Item { item, time, via } => self.tell_item(&item, time, via),
            Change::Retract { id, via } => {
                self.items().delete(&JsValue::from_str(&id));
                let (id, via) = (id.as_str(), via_name(via));
                self.emit("retract", &views::Retract { id, node, via });
                let kind = "retract";
                self.note(&views::RetractChange { kind, id, via });
            }
            Change::Purge => {
                self.items().clear();
                self.emit("purge", &views::Node { node });
                self.note(&views::Change { kind: "purge" });
            }
            Change::Gap { after, before } => {
                let (after, before) = (after.as_deref(), before.as_deref());
                self.emit(
                    "gap",
                    &views::Gap {
                        node,
                        after,
                        before,
                    },
                );
                self.note(&views::GapChange {
                    kind: "gap",
                    after,
                    before,
                });
            }
            Change::Live => {
                self.emit("live", &views::Node { node });
                self.note(&views::Change { kind: "live" });
            }
            Change::Subscription(told) => {
                self.confirm(Some(&told));
                let state = told.state.as_str();
                self.emit("subscription", &views::Subscription { node, state });
            }
            Change::Configuration => self.emit("configuration", &views::Node { node }),
            Change::Delete { redirect } => {
                let redirect = redirect.as_deref();
                self.emit("delete", &views::Delete { node, redirect });
            }
            // The end follows as an event of the client's.
            Change::End => {}
        }
    }

    fn finish(&self, position: Option<String>) {
        self.last_position.replace(position);
        self.end();
    }
}

/// A subscribed node.
#[wasm_bindgen(skip_typescript)]
pub struct Feed(Rc<FeedState>);

impl FeedState {
    /// What the page gets.
    pub fn into_js(self: Rc<Self>) -> JsValue {
        let held = Rc::clone(self.listeners.held());
        let feed = Feed(self).into();
        held.belong_to(&feed);
        feed
    }

    /// The items by their ids; an empty map where nobody can ask for them any more.
    fn items(&self) -> Map {
        let items = self.listeners.held().get(self.items);
        items.dyn_into().unwrap_or_else(|_| Map::new())
    }
}

#[wasm_bindgen]
impl Feed {
    /// What the entry's getters read, by their place in its list: node, service, subscriber, state, subid, position.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        match index {
            0 => Some(self.0.node.clone()),
            1 => Some(self.0.service.clone()),
            2 => {
                let now = self.0.client.upgrade().and_then(|client| {
                    client.driver.read(|client| {
                        let status = client.feed_status(self.0.id)?;
                        Some(status.subscriber.clone())
                    })
                });
                now.or_else(|| Some(self.0.subscriber.borrow().clone()))
            }
            3 => Some(self.0.state.get().to_owned()),
            4 => self.0.subid.borrow().clone(),
            _ => self.0.position(),
        }
    }

    /// The items by their ids.
    #[wasm_bindgen(getter)]
    pub fn items(&self) -> Map {
        self.0.items()
    }

    /// Registers a listener.
    pub fn on(&self, kind: &str, listener: &JsValue) -> Result<Registration, JsValue> {
        Ok(self.0.on(kind, listener)?)
    }

    /// Unsubscribes at the service, and ends the feed.
    pub fn unsubscribe(&self, options: JsValue) -> Promise {
        let feed = Rc::clone(&self.0);
        promise(async move {
            let waiting = Waiting::read(&options)?;
            if let Some(client) = feed.client.upgrade()
                && !feed.over.get()
            {
                feed.forget(&client);
                let Waiting { timeout, signal } = waiting;
                let asked = client
                    .driver
                    .change(|client, now| client.unsubscribe(now, feed.id, timeout));
                feed.end();
                if let Some(request) = asked.map_err(|error| client.refuse(error))? {
                    client.replied(request, signal).await?;
                }
            }
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Ends the feed here, and leaves the subscription at the service.
    pub fn close(&self) {
        self.0.close();
    }
}
