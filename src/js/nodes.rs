//! `PubSub`, the rest: nodes rather than items. What one has at a service, options of subscriptions, how nodes are configured,
//! who is subscribed, who may do what, and listening for what comes without a subscription.

use super::client::{delivered, function};
use super::error::Problem;
use super::form::{form_to_js, values};
use super::notices::Source;
use super::object::{Reader, entries, field, set};
use super::options;
use super::promise::promise;
use super::pubsub::{PubSub, Read, decoder};
use super::registration::Registration;
use super::views::{self, View};
use crate::proto::jid::Jid;
use crate::proto::xep::data_form::{Form, Values};
use crate::proto::xep::disco::{self, DiscoItem, Info};
use crate::proto::xep::pubsub::owner::{self, Approval};
use crate::proto::xep::pubsub::{Subscription, request};
use crate::proto::xep::rsm::Page;
use crate::proto::xml::Element;
use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;

/// What a reply about nodes holds.
pub enum About {
    /// Subscriptions of ours; to the node that was asked about, if any.
    Subscriptions(Option<String>),
    /// Who is subscribed.
    Subscribers,
    /// What we are, by node.
    Affiliations,
    /// What others are, by JID.
    Affiliates,
    /// The options of a subscription.
    Options,
    /// A node's configuration.
    Configuration,
    /// Nodes.
    Nodes,
    /// What a node or the service says about itself.
    Metadata,
}

impl About {
    /// The plain object, or array of them.
    pub fn read(self, reply: &Element) -> JsValue {
        match self {
            Self::Subscriptions(asked) => {
                subscriptions_to_js(&request::parse_subscriptions(reply), asked.as_deref())
            }
            Self::Subscribers => subscriptions_to_js(&owner::parse_subscribers(reply), None),
            Self::Affiliations => record(&request::parse_affiliations(reply)),
            Self::Affiliates => record(&owner::parse_affiliates(reply)),
            Self::Options => form_to_js(request::parse_options(reply).as_ref()),
            Self::Configuration => form_to_js(owner::parse_configuration(reply).as_ref()),
            Self::Nodes => nodes_to_js(&disco::parse_items(reply).unwrap_or_default()),
            Self::Metadata => metadata_to_js(&Info::parse(reply).unwrap_or_default()),
        }
    }
}

/// COMPAT(ejabberd): asked about one node, it does not name it in the reply.
fn subscriptions_to_js(subscriptions: &[Subscription], asked: Option<&str>) -> JsValue {
    let all = Array::new();
    for one in subscriptions {
        let view = views::Held {
            node: one.node.as_deref().or(asked),
            jid: &one.jid,
            subid: one.subid.as_deref(),
            state: one.state.as_str(),
        };
        all.push(&view.to_js());
    }
    all.into()
}

fn record(pairs: &[(String, String)]) -> JsValue {
    let record = Object::new();
    for (name, value) in pairs {
        set(&record, name, &value.as_str().into());
    }
    record.into()
}

fn nodes_to_js(items: &[DiscoItem]) -> JsValue {
    let nodes = Array::new();
    for item in items {
        // What has no node is an item, not a node.
        if let Some(node) = &item.node {
            let name = item.name.as_deref();
            let jid = &item.jid;
            nodes.push(&views::Place { node, name, jid }.to_js());
        }
    }
    nodes.into()
}

fn metadata_to_js(info: &Info) -> JsValue {
    let identities = Array::new();
    for identity in &info.identities {
        let view = views::Identity {
            category: &identity.category,
            kind: &identity.kind,
            name: identity.name.as_deref(),
        };
        identities.push(&view.to_js());
    }
    let features = Array::new();
    for feature in &info.features {
        features.push(&feature.as_str().into());
    }
    let form = info.forms.first().and_then(Form::parse);
    let metadata = form_to_js(form.as_ref());
    set(&metadata, "identities", &identities);
    set(&metadata, "features", &features);
    metadata
}

/// `Page`; nothing where the service knows no parts.
pub fn page_to_js(page: Option<&Page>) -> JsValue {
    let Some(page) = page else {
        return JsValue::UNDEFINED;
    };
    views::Page {
        first: page.first.as_deref(),
        last: page.last.as_deref(),
        index: page.index.into(),
        count: page.count.into(),
    }
    .to_js()
}

/// Subscribers as a page writes them.
fn subscribers(read: &Reader<'_>, value: &JsValue) -> Vec<Subscription> {
    let mut all = Vec::new();
    let wrong = || {
        read.fail(Problem::new(
            "bad-argument",
            "Subscribers are an array of { jid, state }, perhaps with subid; a state is none, pending, unconfigured or subscribed.",
        ));
    };
    let count = match value.dyn_ref::<Array>() {
        Some(array) => array.length(),
        None => {
            wrong();
            0
        }
    };
    for at in 0..count {
        let one = value.unchecked_ref::<Array>().get(at);
        let one = Reader::of(&one);
        let jid = options::read_jid(&one, "jid");
        let state = one.text("state");
        let state = state.as_deref().and_then(owner::parse_state);
        let subid = one.text("subid");
        read.ok(one.done());
        match (jid, state) {
            (Some(jid), Some(state)) => all.push(Subscription {
                node: None,
                jid: jid.as_str().to_owned(),
                subid,
                state,
            }),
            _ => wrong(),
        }
    }
    all
}

/// Affiliations as a page writes them, by JID.
fn affiliates(read: &Reader<'_>, value: &JsValue) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (text, affiliation) in entries(value) {
        let jid = read.ok(options::jid(&text));
        if let (Some(jid), Some(affiliation)) = (jid, affiliation.as_string()) {
            all.push((jid.as_str().to_owned(), affiliation));
        }
    }
    all
}

#[wasm_bindgen]
impl PubSub {
    /// The requests that the entry makes by their place in its list; each takes of `node` and `value` what it needs.
    #[wasm_bindgen(js_name = _ask)]
    pub fn ask_for(&self, what: u8, node: &str, value: &JsValue, options: &JsValue) -> Promise {
        let outcome = match what {
            0 => About::Subscriptions(field(options, "node").as_string()),
            1 => About::Affiliations,
            2 => About::Nodes,
            3 | 5 => About::Configuration,
            4 => About::Metadata,
            6 | 13 => About::Options,
            7 => About::Subscribers,
            8 => About::Affiliates,
            9 => return self.item(node, value, options),
            _ => return self.change(what, node, value, options),
        };
        self.ask(options, Read::About(outcome), &|read, service| match what {
            0 => request::subscriptions(service, read.text("node").as_deref()),
            1 => request::affiliations(service, read.text("node").as_deref()),
            2 => disco::items(service, read.text("node").as_deref()),
            3 => owner::configuration(service, node),
            // Of the service itself there is none to name.
            4 => disco::info(service, (!node.is_empty()).then_some(node)),
            5 => owner::default_configuration(service),
            6 => self.options(read, service, node, None),
            7 => owner::subscribers(service, node),
            8 => owner::affiliates(service, node),
            _ => request::options_default(service, read.text("node").as_deref()),
        })
    }

    /// Listens for what accounts publish about themselves.
    #[wasm_bindgen(js_name = onPersonalEvent)]
    pub fn on_personal_event(
        &self,
        node: &str,
        listener: &JsValue,
        options: &JsValue,
    ) -> Result<Registration, JsValue> {
        let read = Reader::of(options);
        let decode = decoder(&read);
        let listener = read.ok(function(listener));
        read.done()?;
        let source = Source::Node(node.to_owned());
        Ok(self.listen_to(source, listener, decode))
    }

    /// Listens for the question whether somebody may subscribe.
    #[wasm_bindgen(js_name = _onApproval)]
    pub fn on_approval(
        &self,
        listener: &JsValue,
        options: &JsValue,
    ) -> Result<Registration, JsValue> {
        let read = Reader::of(options);
        let service = self.service(&read);
        let listener = read.ok(function(listener));
        read.done()?;
        let service = service.as_ref().map_or("", Jid::as_str);
        let source = Source::Approvals(service.to_owned());
        Ok(self.listen_to(source, listener, JsValue::UNDEFINED))
    }

    /// Answers that question: what it said is given back.
    #[wasm_bindgen(js_name = _answer)]
    pub fn answer(&self, asked: &JsValue, allow: bool) -> Promise {
        let text = |name| field(asked, name).as_string();
        let approval = Approval {
            node: text("node").unwrap_or_default(),
            jid: text("jid").unwrap_or_default(),
            subid: text("subid"),
            id: text("id"),
        };
        let service = text("service").unwrap_or_default();
        let sent = self.0.send(approval.answer(&service, allow));
        promise(async move { delivered(sent?.await) })
    }
}

impl PubSub {
    fn listen_to(
        &self,
        source: Source,
        listener: Option<js_sys::Function>,
        decode: JsValue,
    ) -> Registration {
        match listener {
            Some(listener) => self.0.listen_to(source, listener, decode),
            // It was told above that there is none.
            None => Registration::new(|| {}),
        }
    }

    fn item(&self, node: &str, id: &JsValue, options: &JsValue) -> Promise {
        let outcome = Read::Item(node.to_owned(), field(options, "decode"));
        self.ask(options, outcome, &|read, service| {
            decoder(read);
            let id = id.as_string().unwrap_or_default();
            request::items(service, node, None, &[id], None)
        })
    }

    /// Reads or changes the options of a subscription: ours, or that of the `jid` given.
    fn options(
        &self,
        read: &Reader<'_>,
        service: Option<&str>,
        node: &str,
        values: Option<&Values>,
    ) -> Element {
        let jid = self.subscribed(read);
        let subid = read.text("subid");
        let subid = subid.as_deref();
        match values {
            None => request::options_get(service, node, &jid, subid),
            Some(values) => request::options_set(service, node, &jid, subid, values),
        }
    }

    fn change(&self, what: u8, node: &str, value: &JsValue, options: &JsValue) -> Promise {
        self.ask(options, Read::Nothing, &|read, service| match what {
            10 | 11 | 14 if !value.is_object() => {
                read.fail(Problem::new(
                    "bad-argument",
                    "What is to be set is a plain object: values by name, or affiliations by JID.",
                ));
                Element::builder("iq", "").build()
            }
            10 => owner::configure(service, node, &values(value)),
            11 => self.options(read, service, node, Some(&values(value))),
            12 => owner::set_subscribers(service, node, &subscribers(read, value)),
            14 => owner::set_affiliates(service, node, &affiliates(read, value)),
            15 => owner::purge(service, node),
            _ => owner::pending(service, node),
        })
    }
}
