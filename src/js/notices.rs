//! What a pubsub service sends without a subscription of ours: events that accounts publish about themselves (XEP-0163), for
//! which our capabilities ask (XEP-0115), and the question whether somebody may subscribe (XEP-0060 §8.6).
//!
//! Specification: XEP-0163 1.2.2.

use super::client::Inner;
use super::error::report;
use super::held::{Held, Slot};
use super::item::item_to_js;
use super::object::{set, texts};
use super::promise::spawn;
use super::registration::Registration;
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::stanza::is_error;
use epode_proto::xep::caps;
use epode_proto::xep::delay::Delay;
use epode_proto::xep::pubsub::Item;
use epode_proto::xep::pubsub::event::{self, Entry, Event};
use epode_proto::xep::pubsub::owner::Approval;
use epode_proto::xep::responder::About;
use epode_proto::xml::Element;
use js_sys::Function;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// What somebody listens for.
#[derive(PartialEq)]
pub enum Source {
    /// What accounts publish on a node of that name.
    Node(String),
    /// Questions of that service.
    Approvals(String),
}

/// A listener, and its own decoder of payloads, or `undefined`.
#[derive(Clone)]
struct Listener {
    id: u32,
    source: Rc<Source>,
    callback: Slot,
    decode: Slot,
}

impl Listener {
    fn call(&self, held: &Held, event: &JsValue) {
        if let Ok(callback) = held.get(self.callback).dyn_into::<Function>()
            && let Err(error) = callback.call1(&JsValue::UNDEFINED, event)
        {
            report(&error);
        }
    }
}

/// The listeners, and what was said because of them.
#[derive(Default)]
pub struct Notices {
    listeners: RefCell<Vec<Listener>>,
    next: Cell<u32>,
    /// The capabilities that the last presence told; none as long as nobody has needed any.
    announced: RefCell<Option<String>>,
    announcing: Cell<bool>,
}

impl Notices {
    fn of(&self, source: &Source) -> Vec<Listener> {
        let mut due = Vec::new();
        for listener in self.listeners.borrow().iter() {
            if *listener.source == *source {
                due.push(listener.clone());
            }
        }
        due
    }

    fn has_nodes(&self) -> bool {
        let listeners = self.listeners.borrow();
        let mut listeners = listeners.iter();
        listeners.any(|listener| matches!(*listener.source, Source::Node(_)))
    }
}

impl Inner {
    /// Adds a listener.
    pub fn listen_to(
        self: &Rc<Self>,
        source: Source,
        callback: &Function,
        decode: &JsValue,
    ) -> Registration {
        let notices = &self.notices;
        let id = notices.next.get();
        notices.next.set(id.wrapping_add(1));
        let callback = self.held.put(callback);
        let decode = self.held.put(decode);
        notices.listeners.borrow_mut().push(Listener {
            id,
            source: Rc::new(source),
            callback,
            decode,
        });
        self.announce_soon();
        let inner = Rc::downgrade(self);
        Registration::new(move || {
            if let Some(inner) = inner.upgrade() {
                let mut listeners = inner.notices.listeners.borrow_mut();
                listeners.retain(|listener| listener.id != id);
                drop(listeners);
                inner.held.remove(callback);
                inner.held.remove(decode);
                inner.announce_soon();
            }
        })
    }

    // ── our capabilities ────────────────────────────────────────────────────────────────────────────────────────────

    /// Who we are, with what is listened for: as it is told to those who ask.
    pub fn about_now(&self) -> About {
        let mut about = self.about.clone();
        if self.announces() {
            about.features.push(ns::CAPS.to_owned());
            for listener in self.notices.listeners.borrow().iter() {
                if let Source::Node(node) = &*listener.source {
                    let mut feature = node.clone();
                    feature.push_str("+notify");
                    about.features.push(feature);
                }
            }
            let verification = caps::verification(&about.info());
            about.nodes.push(caps::node(&verification));
        }
        about
    }

    fn verification(&self) -> String {
        caps::verification(&self.about_now().info())
    }

    /// Does anything need our capabilities to be known? Once told they are told again: a presence without them changes nothing
    /// for some servers.
    fn announces(&self) -> bool {
        self.notices.announced.borrow().is_some() || self.notices.has_nodes()
    }

    /// A presence for everybody, with our capabilities where they matter.
    pub fn with_capabilities(&self, presence: &Element) -> Element {
        if presence.attr("type").is_some() || presence.has_child("c", ns::CAPS) || !self.announces()
        {
            return presence.clone();
        }
        let verification = self.verification();
        let presence = presence.with_child(caps::to_element(&verification));
        self.notices.announced.replace(Some(verification));
        presence
    }

    /// After this turn, so that several listeners need one presence.
    fn announce_soon(self: &Rc<Self>) {
        if self.notices.announcing.replace(true) {
            return;
        }
        let inner = Rc::clone(self);
        spawn(async move {
            inner.notices.announcing.set(false);
            inner.announce();
        });
    }

    fn announce(&self) {
        if !self.is_lasting() || !self.announces() {
            return;
        }
        let current = self.verification();
        if self.notices.announced.borrow().as_ref() == Some(&current) {
            return;
        }
        let broadcast = self.broadcast.borrow().clone();
        match broadcast {
            // Who is away on purpose tells it on coming back.
            Some(presence) if presence.attr("type").is_some() => {}
            Some(presence) => self.post(presence),
            None => self.be_present(),
        }
    }

    // ── what comes ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// What an account publishes, to those who listen. `None` when nobody does; otherwise whether a feed has a part in it.
    pub fn tell_personal(&self, message: &Element) -> Option<bool> {
        if !self.notices.has_nodes() {
            return None;
        }
        let from = self.account_of(message)?;
        let event = event::parse(message)?;
        let node = event.node();
        let due = self.notices.of(&Source::Node(node.to_owned()));
        if due.is_empty() {
            return None;
        }
        let stamp = Delay::of(message, &from).map(|delay| delay.stamp);
        let told = |kind: &str, item: Option<&Item>, id: Option<&str>, redirect: Option<&str>| {
            for listener in &due {
                let decode = &self.held.get(listener.decode);
                let event = texts(
                    "type from node id redirect",
                    &[Some(kind), Some(&from), Some(node), id, redirect],
                );
                if let Some(item) = item {
                    let item = item_to_js(item, node, stamp, "live", decode);
                    set(&event, "item", &item);
                }
                listener.call(&self.held, &event);
            }
        };
        match &event {
            Event::Items { entries, .. } => {
                for entry in entries {
                    match entry {
                        Entry::Published(item) => {
                            told("item", Some(item), item.id.as_deref(), None);
                        }
                        Entry::Retracted { id } => told("retract", None, Some(id), None),
                    }
                }
            }
            Event::Purge { .. } => told("purge", None, None, None),
            Event::Delete { redirect, .. } => told("delete", None, None, redirect.as_deref()),
            Event::Configuration { .. } => told("configuration", None, None, None),
            // Of a subscription, which has a feed.
            Event::Subscription(_) | Event::Collection { .. } => return None,
        }
        Some(self.feeding.machine.borrow().has(&from, node))
    }

    /// The account that a message comes from as a whole, its server speaking for it: no client can send as its bare JID.
    /// Without a sender it is our own (RFC 6120 §8.1.2.1).
    fn account_of(&self, message: &Element) -> Option<String> {
        match message.attr("from") {
            None => self.jid().map(|jid| jid.bare().as_str().to_owned()),
            Some(from) => (from.contains('@') && !from.contains('/')).then(|| from.to_owned()),
        }
    }

    /// The question whether somebody may subscribe, to those who listen, when it comes from the service they named.
    pub fn tell_approval(&self, message: &Element) -> bool {
        if message.name() != "message"
            || is_error(message)
            || self.notices.listeners.borrow().is_empty()
        {
            return false;
        }
        let Some(asked) = Approval::parse(message) else {
            return false;
        };
        let own = self.jid().map(|jid| jid.bare());
        let own = own.as_ref().map_or("", Jid::as_str);
        let service = message.attr("from").unwrap_or(own);
        let due = self.notices.of(&Source::Approvals(service.to_owned()));
        if due.is_empty() {
            return false;
        }
        let (subid, id) = (asked.subid.as_deref(), asked.id.as_deref());
        let event = texts(
            "service node jid subid id",
            &[
                Some(service),
                Some(&asked.node),
                Some(&asked.jid),
                subid,
                id,
            ],
        );
        for listener in due {
            listener.call(&self.held, &event);
        }
        true
    }
}
