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

    /// Sends a request built from the service and the options; resolves with what `read` makes of the reply.
    fn ask(
        &self,
        options: &JsValue,
        build: impl FnOnce(&str) -> Result<Element, Problem>,
        read: impl FnOnce(&Element) -> JsValue + 'static,
    ) -> Promise {
        let prepared = self
            .service(options)
            .and_then(|service| build(service.as_str()))
            .and_then(|request| Ok((request, Waiting::read(options)?)));
        let inner = Rc::clone(&self.0);
        promise(async move {
            let (request, waiting) = prepared?;
            let reply = inner.request(request, waiting).await?;
            Ok(read(&reply))
        })
    }
}

fn done(_: &Element) -> JsValue {
    JsValue::UNDEFINED
}

/// `pubsub#` is understood where the page leaves it out.
fn form_values(options: &JsValue, name: &str) -> Vec<(String, Vec<String>)> {
    entries(&field(options, name))
        .into_iter()
        .map(|(mut var, value)| {
            if !var.contains('#') {
                var.insert_str(0, "pubsub#");
            }
            let value = match value.as_bool() {
                // Data forms' booleans as digits are read everywhere, as words not (XEP-0004 §3.3 allows both).
                Some(value) => if value { "1" } else { "0" }.to_owned(),
                None => js_string(&value),
            };
            (var, vec![value])
        })
        .collect()
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
        let (on_item, options) = if on_item.is_function() || on_item.is_undefined() {
            (on_item, options)
        } else {
            (JsValue::UNDEFINED, on_item)
        };
        let service = self.service(&options);
        promise(async move {
            let service = service?;
            let waiting = Waiting::read(&options)?;
            let subscriber = inner.subscriber()?;
            let id = inner
                .subscriptions
                .borrow_mut()
                .add(&service, &node, &subscriber);
            let feed = FeedState::new(&inner, id, service.as_str(), &node, subscriber.as_str());
            // From now on: an event may overtake the reply.
            inner.feeds.borrow_mut().insert(id, Rc::clone(&feed));
            if on_item.is_function() {
                feed.listeners.on("item", function(&on_item)?);
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
    pub fn unsubscribe(&self, node: String, options: JsValue) -> Promise {
        let subscriber = self.0.subscriber();
        let build = |service: &str| {
            let jid = match text(&options, "jid")? {
                Some(jid) => options::jid(&jid)?,
                None => subscriber?,
            };
            let subid = text(&options, "subid")?;
            Ok(request::unsubscribe(
                Some(service),
                &node,
                jid.as_str(),
                subid.as_deref(),
            ))
        };
        self.ask(&options, build, done)
    }

    /// Publishes one item; resolves with its id.
    pub fn publish(&self, node: String, payload: &str, options: JsValue) -> Promise {
        let id = text(&options, "id");
        let asked = id.as_ref().ok().cloned().flatten();
        let build = |service: &str| {
            let payload = read_element(payload, "")?;
            let values = form_values(&options, "publishOptions");
            Ok(request::publish(
                Some(service),
                &node,
                id?.as_deref(),
                Some(payload),
                &values,
            ))
        };
        let read = move |reply: &Element| request::parse_published(reply).or(asked).into();
        self.ask(&options, build, read)
    }

    /// Removes an item.
    pub fn retract(&self, node: String, id: String, options: JsValue) -> Promise {
        let build = |service: &str| {
            let notify = flag(&options, "notify", true)?;
            Ok(request::retract(Some(service), &node, &id, notify))
        };
        self.ask(&options, build, done)
    }

    /// What the node holds.
    pub fn items(&self, node: String, options: JsValue) -> Promise {
        let build = |service: &str| {
            let max = number(
                &options,
                "max",
                1..=u32::MAX,
                "is a number of items, 1 or more",
            )?;
            let ids = list(&options, "ids")?;
            Ok(request::items(Some(service), &node, max, &ids, None))
        };
        let named = node.clone();
        let read = move |reply: &Element| {
            let items = request::parse_items(reply);
            let items: Array = items
                .iter()
                .map(|item| item_to_js(item, &named, None))
                .collect();
            items.into()
        };
        self.ask(&options, build, read)
    }

    /// Creates a node; resolves with its name.
    #[wasm_bindgen(js_name = createNode)]
    pub fn create_node(&self, node: String, options: JsValue) -> Promise {
        let named = node.clone();
        let build = |service: &str| {
            let name = (!node.is_empty()).then_some(node.as_str());
            Ok(request::create(
                Some(service),
                name,
                &form_values(&options, "config"),
            ))
        };
        let read = move |reply: &Element| request::parse_created(reply).unwrap_or(named).into();
        self.ask(&options, build, read)
    }

    /// Deletes a node.
    #[wasm_bindgen(js_name = deleteNode)]
    pub fn delete_node(&self, node: String, options: JsValue) -> Promise {
        let build = |service: &str| Ok(request::delete(Some(service), &node, None));
        self.ask(&options, build, done)
    }
}
