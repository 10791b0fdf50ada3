//! `Core`: feeds, and the events of a pubsub service that need no subscription.

use super::core::{Core, jid, millis};
use super::failures::of_send;
use epode_proto::client::{FeedOptions, WatchId};
use epode_proto::xep::pubsub::feed::position::Position;
use epode_proto::xep::pubsub::subscriptions::FeedId;
use wasm_bindgen::prelude::*;

/// Groups the values by their names.
fn values(names: Vec<String>, values: Vec<String>) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in names.into_iter().zip(values) {
        match all.last_mut() {
            Some((last, values)) if *last == name => values.push(value),
            _ => all.push((name, vec![value])),
        }
    }
    all
}

#[wasm_bindgen]
impl Core {
    /// Subscribes to a node and keeps its items complete; changes are reported under the returned id. `option_names`
    /// and `option_values`: the subscription's options, one name for each value. `full`: whether to subscribe the full
    /// JID, if the page chooses. `timeout`: how long the service may take to accept, in milliseconds. `since`: a
    /// position of an earlier feed of the node.
    ///
    /// # Errors
    /// The problems `not-connected`, `bad-position`.
    #[allow(clippy::too_many_arguments)]
    pub fn subscribe(
        &self,
        service: &str,
        node: String,
        limit: u32,
        snapshot: bool,
        repeats: bool,
        option_names: Vec<String>,
        option_values: Vec<String>,
        full: Option<bool>,
        timeout: Option<u32>,
        since: Option<String>,
    ) -> Result<u32, JsValue> {
        let service = jid(service).ok_or_else(|| self.refuse("bad-address"))?;
        let since = match since {
            None => None,
            Some(text) => {
                let position = Position::read(&text, service.as_str(), &node);
                Some(position.ok_or_else(|| self.refuse("bad-position"))?)
            }
        };
        let options = FeedOptions {
            service,
            node,
            limit: limit as usize,
            snapshot,
            repeats,
            options: values(option_names, option_values),
            full_jid: full,
            timeout: millis(timeout),
            since,
        };
        let begun = self
            .0
            .driver
            .change(|client, now| client.subscribe(now, options));
        begun
            .map(|id| id.0)
            .map_err(|error| self.refuse(of_send(error)))
    }

    /// The subscribed JID of a feed; `undefined` once the feed has ended.
    #[wasm_bindgen(js_name = feedSubscriber)]
    pub fn feed_subscriber(&self, feed: u32) -> Option<String> {
        self.0.driver.read(|client| {
            let status = client.feed_status(FeedId(feed))?;
            Some(status.subscriber.clone())
        })
    }

    /// The position of a feed; `undefined` once the feed has ended, and before it has begun.
    #[wasm_bindgen(js_name = feedPosition)]
    pub fn feed_position(&self, feed: u32) -> Option<String> {
        self.0
            .driver
            .read(|client| client.feed_position(FeedId(feed)))
    }

    /// Ends a feed and its subscription. Returns the id of the unsubscribe request, if one is needed.
    ///
    /// # Errors
    /// The problems of a stanza that cannot be sent; the feed ends in any case.
    #[wasm_bindgen(js_name = endSubscription)]
    pub fn end_subscription(
        &self,
        feed: u32,
        timeout: Option<u32>,
    ) -> Result<Option<u32>, JsValue> {
        let timeout = millis(timeout);
        let asked = self
            .0
            .driver
            .change(|client, now| client.unsubscribe(now, FeedId(feed), timeout));
        match asked {
            Ok(request) => Ok(request.map(|id| id.0)),
            Err(error) => Err(self.refuse(of_send(error))),
        }
    }

    /// Ends a feed and keeps the subscription at the service.
    #[wasm_bindgen(js_name = closeFeed)]
    pub fn close_feed(&self, feed: u32) {
        self.0
            .driver
            .change(|client, now| client.close_feed(now, FeedId(feed)));
    }

    /// Watches the events that accounts publish on their nodes of that name; reported under the returned id.
    #[wasm_bindgen(js_name = watchNode)]
    pub fn watch_node(&self, node: &str) -> u32 {
        self.0.driver.change(|client, _| client.watch_node(node)).0
    }

    /// Watches for the service's requests to approve a subscription; reported under the returned id.
    ///
    /// # Errors
    /// The problem `bad-address`.
    #[wasm_bindgen(js_name = watchApprovals)]
    pub fn watch_approvals(&self, service: &str) -> Result<u32, JsValue> {
        let service = jid(service).ok_or_else(|| self.refuse("bad-address"))?;
        let watch = |client: &mut epode_proto::client::Client, _| client.watch_approvals(&service);
        Ok(self.0.driver.change(watch).0)
    }

    /// Ends a watch.
    pub fn unwatch(&self, watch: u32) {
        self.0
            .driver
            .change(|client, _| client.unwatch(WatchId(watch)));
    }
}
