//! What a pubsub service sends without a subscription of ours, at the boundary: the listeners of `client.pubsub.on…`.

use super::error::report;
use super::inner::{Inner, WatchListener};
use super::item::item_to_js;
use super::object::{set, texts};
use super::registration::Registration;
use epode_proto::client::{WatchId, Watched};
use epode_proto::jid::Jid;
use epode_proto::xep::pubsub::Item;
use epode_proto::xep::pubsub::event::{ItemEvent, PubSubEvent};
use epode_proto::xep::pubsub::owner::Approval;
use js_sys::Function;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// What is listened for.
pub enum Source {
    /// What accounts publish on a node of that name.
    Node(String),
    /// The questions of that service.
    Approvals(Jid),
}

impl Inner {
    /// Adds a listener.
    pub fn listen_to(
        self: &Rc<Self>,
        source: &Source,
        callback: &Function,
        decode: &JsValue,
    ) -> Registration {
        let id = self.driver.change(|client, _| match source {
            Source::Node(node) => client.watch_node(node),
            Source::Approvals(service) => client.watch_approvals(service),
        });
        let callback = self.held.put(callback);
        let decode = self.held.put(decode);
        self.watches
            .borrow_mut()
            .insert(id, WatchListener { callback, decode });
        let inner = Rc::downgrade(self);
        Registration::new(move || {
            if let Some(inner) = inner.upgrade() {
                inner.driver.change(|client, _| client.unwatch(id));
                inner.watches.borrow_mut().remove(&id);
                inner.held.remove(callback);
                inner.held.remove(decode);
            }
        })
    }

    fn listener_of(&self, watch: WatchId) -> Option<(Function, JsValue)> {
        let listener = self.watches.borrow().get(&watch).copied()?;
        let callback = self.held.get(listener.callback).dyn_into().ok()?;
        Some((callback, self.held.get(listener.decode)))
    }

    /// What an account published.
    pub fn tell_personal(&self, watches: &[WatchId], watched: &Watched) {
        let tell = |kind: &str, item: Option<&Item>, id: Option<&str>, redirect: Option<&str>| {
            let node = watched.event.node();
            for watch in watches {
                let Some((callback, decode)) = self.listener_of(*watch) else {
                    continue;
                };
                let event = texts(
                    "type from node id redirect",
                    &[Some(kind), Some(&watched.account), Some(node), id, redirect],
                );
                if let Some(item) = item {
                    let item = item_to_js(item, node, watched.time, "live", &decode);
                    set(&event, "item", &item);
                }
                if let Err(error) = callback.call1(&JsValue::UNDEFINED, &event) {
                    report(&error);
                }
            }
        };
        match &watched.event {
            PubSubEvent::Items { entries, .. } => {
                for entry in entries {
                    match entry {
                        ItemEvent::Published(item) => {
                            tell("item", Some(item), item.id.as_deref(), None);
                        }
                        ItemEvent::Retracted { id } => tell("retract", None, Some(id), None),
                    }
                }
            }
            PubSubEvent::Purge { .. } => tell("purge", None, None, None),
            PubSubEvent::Delete { redirect, .. } => tell("delete", None, None, redirect.as_deref()),
            PubSubEvent::Configuration { .. } => tell("configuration", None, None, None),
            // They speak of a subscription, which is a feed.
            PubSubEvent::Subscription(_) | PubSubEvent::Collection { .. } => {}
        }
    }

    /// A service asks whether an account may subscribe.
    pub fn tell_approval(&self, watches: &[WatchId], service: &str, approval: &Approval) {
        let event = texts(
            "service node jid subid id",
            &[
                Some(service),
                Some(&approval.node),
                Some(&approval.jid),
                approval.subid.as_deref(),
                approval.id.as_deref(),
            ],
        );
        for watch in watches {
            if let Some((callback, _)) = self.listener_of(*watch)
                && let Err(error) = callback.call1(&JsValue::UNDEFINED, &event)
            {
                report(&error);
            }
        }
    }
}
