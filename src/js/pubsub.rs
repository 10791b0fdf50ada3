//! `PubSub`: what is asked of a publish-subscribe service.

use super::error::{Problem, illegal_character, not_connected};
use super::feed::{FeedState, Wishes};
use super::form::values;
use super::inner::{FeedListener, Inner};
use super::item::item_to_js;
use super::node_views::{NodeAnswer, page_to_js};
use super::object::{field, set};
use super::options::{self, Waiting};
use super::promise::promise;
use super::reader::Reader;
use super::reading::{function, read_element};
use crate::web::race::RaceError;
use epode_proto::client::FeedOptions;
use epode_proto::event::RequestFailure;
use epode_proto::jid::Jid;
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::request;
use epode_proto::xep::rsm::Range;
use epode_proto::xml::{Element, is_xml_text};
use futures_channel::oneshot::{Receiver, channel};
use js_sys::{Array, Promise};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A feed, and how its first request ends.
type Started = (Rc<FeedState>, Receiver<Result<(), Problem>>);

/// Publish-subscribe over one client's connection.
#[wasm_bindgen(skip_typescript)]
pub struct PubSub(pub(super) Rc<Inner>);

impl Inner {
    /// Subscribes to a node.
    fn start_feed(self: &Rc<Self>, asked: FeedOptions, wishes: Wishes) -> Result<Started, Problem> {
        let begun = self.driver.change(|client, now| {
            let id = client.subscribe(now, asked)?;
            Ok((id, client.feed_status(id).cloned()))
        });
        let (id, status) = begun.map_err(|error| self.refuse(error))?;
        let (sender, first) = channel();
        let status = status.ok_or_else(not_connected)?;
        let feed = FeedState::new(self, id, &status, wishes, sender);
        let listener: Rc<dyn FeedListener> = feed.clone();
        self.feeds.borrow_mut().insert(id, listener);
        Ok((feed, first))
    }
}

impl PubSub {
    /// Over that client's connection.
    pub fn new(inner: Rc<Inner>) -> Self {
        Self(inner)
    }

    /// The service that the options name, or the usual one of the own domain.
    pub(super) fn service(&self, read: &Reader<'_>) -> Option<Jid> {
        if read.given("service").is_some() {
            return options::read_jid(read, "service");
        }
        let domain = self
            .0
            .driver
            .read(|client| client.connection().domain().to_owned());
        read.ok(options::jid(&format!("pubsub.{domain}")))
    }

    /// Whose subscription is meant: the one named, or the one that we subscribe with.
    pub(super) fn subscribed(&self, read: &Reader<'_>) -> String {
        let named = options::read_jid(read, "jid");
        let jid = named.or_else(|| read.ok(self.0.subscriber(None)));
        jid.as_ref().map_or("", Jid::as_str).to_owned()
    }

    /// Begins a feed; what is wrong with the options is told first.
    fn start(
        &self,
        node: String,
        on_item: &JsValue,
        options: &JsValue,
    ) -> Result<Started, Problem> {
        let read = Reader::of(options);
        if !is_xml_text(&node) {
            read.fail(illegal_character());
        }
        let service = self.service(&read);
        let decode = decoder(&read);
        let should = "is a number of items, 1 to 100,000";
        let limit = read.number("limit", 1, 100_000, should).unwrap_or(1_000);
        let snapshot = read.flag("snapshot", true);
        let repeats = read.flag("repeats", false);
        let full = match read.text("jid").as_deref() {
            None => None,
            Some("full") => Some(true),
            Some("bare") => Some(false),
            Some(_) => {
                read.refuse("jid", "is \"bare\" or \"full\"");
                None
            }
        };
        let form = values(&read, "options", &field(options, "options"));
        let mut since = None;
        if let Some(text) = read.text("since") {
            let named = service.as_ref().map_or("", Jid::as_str);
            since = Position::read(&text, named, &node);
            if since.is_none() {
                read.refuse("since", "is not a position of this feed: give back what feed.position was, for the same node of the same service");
            }
        }
        let Waiting { timeout, signal } = Waiting::from(&read);
        let aborted = signal.as_ref().filter(|signal| signal.aborted());
        if let Some(signal) = aborted {
            read.fail(RaceError::Aborted(signal.reason()).into());
        }
        let on_item = (!on_item.is_undefined()).then_some(on_item);
        if let Some(on_item) = on_item {
            read.ok(function(on_item));
        }
        read.done()?;
        // It is there, or it was told above.
        let service = service.ok_or_else(not_connected)?;
        let asked = FeedOptions {
            service,
            node,
            limit: limit as usize,
            snapshot,
            repeats,
            options: form,
            full_jid: full,
            timeout,
            since,
        };
        let started = self.0.start_feed(asked, Wishes { limit, decode })?;
        let feed = &started.0;
        if let Some(on_item) = on_item {
            feed.on("item", on_item)?;
        }
        if let Some(signal) = signal {
            feed.heed(signal);
        }
        Ok(started)
    }

    /// Sends what `build` makes for the service; resolves with what `outcome` makes of the reply.
    pub(super) fn ask(
        &self,
        options: &JsValue,
        outcome: Read,
        build: &dyn Fn(&Reader<'_>, Option<&str>) -> Element,
    ) -> Promise {
        let read = Reader::of(options);
        let service = self.service(&read);
        let request = build(&read, service.as_ref().map(Jid::as_str));
        let waiting = Waiting::from(&read);
        let prepared = read.done();
        let inner = Rc::clone(&self.0);
        promise(async move {
            prepared?;
            let reply = inner.request(request, waiting).await?;
            Ok(outcome.apply(&reply))
        })
    }
}

/// What a reply holds.
pub enum Read {
    /// Nothing but that it is done.
    Nothing,
    /// The item's id; the one asked for when the service does not say.
    Published(Option<String>),
    /// The items of this node; the page's own decoder of payloads, or `undefined`.
    Items(String, JsValue),
    /// The one item of this node, or none.
    Item(String, JsValue),
    /// The node's name; the one asked for when the service does not say.
    Created(String),
    /// Something about nodes.
    NodeAnswer(NodeAnswer),
}

impl Read {
    fn apply(self, reply: &Element) -> JsValue {
        match self {
            Self::Nothing => JsValue::UNDEFINED,
            Self::Published(asked) => request::parse_published(reply).or(asked).into(),
            Self::Created(asked) => request::parse_created(reply).unwrap_or(asked).into(),
            Self::Items(node, decode) => {
                let items = Array::new();
                for item in request::parse_items(reply) {
                    items.push(&item_to_js(&item, &node, None, "items", &decode));
                }
                let page = request::parse_page(reply);
                set(&items, "page", &page_to_js(page.as_ref()));
                items.into()
            }
            Self::Item(node, decode) => match request::parse_items(reply).first() {
                Some(item) => item_to_js(item, &node, None, "items", &decode),
                None => JsValue::UNDEFINED,
            },
            Self::NodeAnswer(what) => what.read(reply),
        }
    }
}

/// The page's own decoder of payloads, or `undefined`.
pub fn decoder(read: &Reader<'_>) -> JsValue {
    let Some(decode) = read.given("decode") else {
        return JsValue::UNDEFINED;
    };
    if !decode.is_function() {
        read.refuse("decode", "is a function of the payload");
    }
    decode
}

#[wasm_bindgen]
impl PubSub {
    /// Subscribes to a node; resolves with its `Feed`.
    pub fn subscribe(&self, node: String, on_item: JsValue, options: JsValue) -> Promise {
        // The callback may be left out.
        let (on_item, options) = if on_item.is_object() && !on_item.is_function() {
            (JsValue::UNDEFINED, on_item)
        } else {
            (on_item, options)
        };
        let pubsub = Self(Rc::clone(&self.0));
        promise(async move {
            // Here, so that it leaves behind what was asked before it: the node's creation, say.
            let (feed, first) = pubsub.start(node, &on_item, &options)?;
            match first.await {
                Ok(agreed) => agreed?,
                Err(_) => return Err(Problem::from(RequestFailure::Disconnected).into()),
            }
            Ok(feed.into_js())
        })
    }

    /// Removes a subscription by node.
    pub fn unsubscribe(&self, node: &str, options: &JsValue) -> Promise {
        self.ask(options, Read::Nothing, &|read, service| {
            let jid = self.subscribed(read);
            let subid = read.text("subid");
            request::unsubscribe(service, node, &jid, subid.as_deref())
        })
    }

    /// Publishes one item; resolves with its id.
    pub fn publish(&self, node: &str, payload: &str, options: &JsValue) -> Promise {
        let asked = field(options, "id").as_string();
        self.ask(options, Read::Published(asked), &|read, service| {
            // An item may be without one, on a node that only notifies.
            let payload = match payload {
                "" => None,
                payload => read.ok(read_element(payload)),
            };
            let values = values(read, "publishOptions", &field(options, "publishOptions"));
            let id = read.text("id");
            if !read.flag("item", true) {
                if id.is_some() || payload.is_some() {
                    read.refuse("item", "is false only without an id and a payload");
                }
                return request::publish_nothing(service, node, &values);
            }
            request::publish(service, node, id.as_deref(), payload, &values)
        })
    }

    /// Removes an item.
    pub fn retract(&self, node: &str, id: &str, options: &JsValue) -> Promise {
        self.ask(options, Read::Nothing, &|read, service| {
            request::retract(service, node, id, read.flag("notify", true))
        })
    }

    /// What the node holds.
    pub fn items(&self, node: &str, options: &JsValue) -> Promise {
        let outcome = Read::Items(node.to_owned(), field(options, "decode"));
        self.ask(options, outcome, &|read, service| {
            decoder(read);
            let should = "is a number of items, 1 or more";
            let range = Range {
                max: read.number("max", 1, u32::MAX, should),
                after: read.text("after"),
                before: read.text("before"),
                index: read.number("index", 0, u32::MAX, "is a place, counted from 0"),
            };
            let subid = read.text("subid");
            let subid = subid.as_deref();
            if range.has_place() {
                return request::page(service, node, &range, subid);
            }
            request::items(service, node, range.max, &read.list("ids"), subid)
        })
    }

    /// Creates a node; resolves with its name.
    #[wasm_bindgen(js_name = createNode)]
    pub fn create_node(&self, node: &str, options: &JsValue) -> Promise {
        let outcome = Read::Created(node.to_owned());
        self.ask(options, outcome, &|read, service| {
            let name = (!node.is_empty()).then_some(node);
            let config = values(read, "config", &field(options, "config"));
            request::create(service, name, &config)
        })
    }

    /// Deletes a node.
    #[wasm_bindgen(js_name = deleteNode)]
    pub fn delete_node(&self, node: &str, options: &JsValue) -> Promise {
        self.ask(options, Read::Nothing, &|read, service| {
            request::delete(service, node, read.text("redirect").as_deref())
        })
    }
}
