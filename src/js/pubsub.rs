//! `PubSub`: what is asked of a publish-subscribe service.

use super::client::{Inner, function, read_element};
use super::error::Problem;
use super::feed::{Feed, FeedState, item_to_js};
use super::object::{entries, field, flag, list, number, text};
use super::options::{self, Waiting};
use super::promise::promise;
use crate::proto::jid::Jid;
use crate::proto::xep::pubsub::request;
use crate::proto::xml::Element;
use js_sys::{Array, Promise};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Publish-subscribe over one client's connection.
#[wasm_bindgen(skip_typescript)]
pub struct PubSub(Rc<Inner>);

impl PubSub {
    /// Over that client's connection.
    pub fn new(inner: Rc<Inner>) -> Self {
        Self(inner)
    }

    /// The service that the options name, or the usual one of the own domain.
    fn service(&self, options: &JsValue) -> Result<Jid, Problem> {
        match text(options, "service")? {
            Some(service) => options::jid(&service),
            None => {
                let mut service = String::from("pubsub.");
                self.0
                    .driver
                    .read(|connection| service.push_str(connection.domain()));
                options::jid(&service)
            }
        }
    }

    /// Sends a request; resolves with what `read` makes of the reply.
    fn ask(&self, prepared: Result<(Element, Waiting), Problem>, read: Read) -> Promise {
        let inner = Rc::clone(&self.0);
        promise(async move {
            let (request, waiting) = prepared?;
            let reply = inner.request(request, waiting).await?;
            Ok(read.apply(&reply))
        })
    }
}

/// What a reply holds.
enum Read {
    Nothing,
    /// The item's id; the one asked for when the service does not say.
    Published(Option<String>),
    /// The items of this node.
    Items(String),
    /// The node's name; the one asked for when the service does not say.
    Created(String),
}

impl Read {
    fn apply(self, reply: &Element) -> JsValue {
        match self {
            Self::Nothing => JsValue::UNDEFINED,
            Self::Published(asked) => request::parse_published(reply).or(asked).into(),
            Self::Created(asked) => request::parse_created(reply).unwrap_or(asked).into(),
            Self::Items(node) => {
                let items = Array::new();
                for item in request::parse_items(reply) {
                    items.push(&item_to_js(&item, &node, None));
                }
                items.into()
            }
        }
    }
}

/// `pubsub#` is understood where the page leaves it out.
fn form_values(options: &JsValue, name: &str) -> Vec<(String, Vec<String>)> {
    let mut values = Vec::new();
    for (mut var, value) in entries(&field(options, name)) {
        if !var.contains('#') {
            var.insert_str(0, "pubsub#");
        }
        let value = match value.as_bool() {
            // Data forms' booleans as digits are read everywhere, as words not (XEP-0004 §3.3 allows both).
            Some(value) => if value { "1" } else { "0" }.to_owned(),
            None => js_string(&value),
        };
        values.push((var, vec![value]));
    }
    values
}

#[wasm_bindgen]
extern "C" {
    /// As `String(value)`.
    #[wasm_bindgen(js_name = String)]
    fn js_string(value: &JsValue) -> String;
}

#[wasm_bindgen]
impl PubSub {
    /// Subscribes to a node; resolves with its `Feed`.
    pub fn subscribe(&self, node: String, on_item: JsValue, options: JsValue) -> Promise {
        let inner = Rc::clone(&self.0);
        // The callback may be left out.
        let (on_item, options) = if on_item.is_object() && !on_item.is_function() {
            (JsValue::UNDEFINED, on_item)
        } else {
            (on_item, options)
        };
        let service = self.service(&options);
        promise(async move {
            let service = service?;
            let on_item = if on_item.is_undefined() {
                None
            } else {
                Some(function(&on_item)?)
            };
            let waiting = Waiting::read(&options)?;
            let subscriber = inner.subscriber()?;
            let id = inner
                .subscriptions
                .borrow_mut()
                .add(&service, &node, &subscriber);
            let feed = FeedState::new(&inner, id, service.as_str(), &node, subscriber.as_str());
            // From now on: an event may overtake the reply.
            inner.feeds.borrow_mut().insert(id, Rc::clone(&feed));
            if let Some(on_item) = on_item {
                feed.listeners.on("item", on_item);
            }
            let request =
                request::subscribe(Some(service.as_str()), &node, subscriber.as_str(), &[]);
            match inner.request(request, waiting).await {
                Ok(reply) => {
                    let told = request::parse_subscription(&reply);
                    inner.subscriptions.borrow_mut().confirm(id, told.as_ref());
                    feed.confirm(told.as_ref());
                    Ok(Feed::from(feed).into())
                }
                Err(problem) => {
                    inner.forget_feed(id);
                    Err(problem.into())
                }
            }
        })
    }

    /// Removes a subscription by node.
    pub fn unsubscribe(&self, node: &str, options: &JsValue) -> Promise {
        let prepare = || {
            let service = self.service(options)?;
            let jid = match text(options, "jid")? {
                Some(jid) => options::jid(&jid)?,
                None => self.0.subscriber()?,
            };
            let subid = text(options, "subid")?;
            let service = Some(service.as_str());
            let request = request::unsubscribe(service, node, jid.as_str(), subid.as_deref());
            Ok((request, Waiting::read(options)?))
        };
        self.ask(prepare(), Read::Nothing)
    }

    /// Publishes one item; resolves with its id.
    pub fn publish(&self, node: &str, payload: &str, options: &JsValue) -> Promise {
        let prepare = || {
            let service = self.service(options)?;
            let payload = read_element(payload, "")?;
            let values = form_values(options, "publishOptions");
            let id = text(options, "id")?;
            let service = Some(service.as_str());
            let request = request::publish(service, node, id.as_deref(), Some(payload), &values);
            Ok((request, Waiting::read(options)?))
        };
        let asked = field(options, "id").as_string();
        self.ask(prepare(), Read::Published(asked))
    }

    /// Removes an item.
    pub fn retract(&self, node: &str, id: &str, options: &JsValue) -> Promise {
        let prepare = || {
            let service = self.service(options)?;
            let notify = flag(options, "notify", true)?;
            let request = request::retract(Some(service.as_str()), node, id, notify);
            Ok((request, Waiting::read(options)?))
        };
        self.ask(prepare(), Read::Nothing)
    }

    /// What the node holds.
    pub fn items(&self, node: String, options: &JsValue) -> Promise {
        let prepare = || {
            let service = self.service(options)?;
            let max = number(
                options,
                "max",
                1..=u32::MAX,
                "is a number of items, 1 or more",
            )?;
            let ids = list(options, "ids")?;
            let request = request::items(Some(service.as_str()), &node, max, &ids, None);
            Ok((request, Waiting::read(options)?))
        };
        self.ask(prepare(), Read::Items(node))
    }

    /// Creates a node; resolves with its name.
    #[wasm_bindgen(js_name = createNode)]
    pub fn create_node(&self, node: String, options: &JsValue) -> Promise {
        let prepare = || {
            let service = self.service(options)?;
            let name = (!node.is_empty()).then_some(node.as_str());
            let values = form_values(options, "config");
            let request = request::create(Some(service.as_str()), name, &values);
            Ok((request, Waiting::read(options)?))
        };
        self.ask(prepare(), Read::Created(node))
    }

    /// Deletes a node.
    #[wasm_bindgen(js_name = deleteNode)]
    pub fn delete_node(&self, node: &str, options: &JsValue) -> Promise {
        let prepare = || {
            let service = self.service(options)?;
            let request = request::delete(Some(service.as_str()), node, None);
            Ok((request, Waiting::read(options)?))
        };
        self.ask(prepare(), Read::Nothing)
    }
}
