//! `PubSub`, the rest: nodes rather than items. What one has at a service, options of subscriptions, how nodes are configured,
//! who is subscribed, who may do what, and listening for what comes without a subscription.

use super::error::{Problem, not_connected};
use super::form::values;
use super::node_views::NodeAnswer;
use super::object::{entries, field};
use super::options;
use super::promise::promise;
use super::pubsub::{PubSub, Read, decoder};
use super::reader::Reader;
use super::reading::function;
use super::registration::Registration;
use super::requests::delivered;
use super::watches::Source;
use epode_proto::jid::Jid;
use epode_proto::xep::data_form::Values;
use epode_proto::xep::disco;
use epode_proto::xep::pubsub::owner::{self, Approval};
use epode_proto::xep::pubsub::{Subscription, request};
use epode_proto::xml::Element;
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;

/// Subscribers as a page writes them.
fn subscribers(read: &Reader<'_>, value: &JsValue) -> Vec<Subscription> {
    let mut all = Vec::new();
    let array = value.dyn_ref::<Array>();
    let count = array.map_or(0, Array::length);
    let mut right = array.is_some();
    for at in 0..count {
        let one = array.map_or(JsValue::UNDEFINED, |array| array.get(at));
        let one = Reader::of(&one);
        let state = one.text("state");
        let state = state.and_then(|state| owner::parse_state(&state));
        match (one.text("jid"), state) {
            (Some(jid), Some(state)) => {
                all.push(Subscription {
                    node: None,
                    jid: normal(read, &jid),
                    subid: one.text("subid"),
                    state,
                });
                read.ok(one.done());
            }
            _ => right = false,
        }
    }
    if !right {
        read.fail(Problem::new(
            "bad-argument",
            "Subscribers are an array of { jid, state }, perhaps with subid; a state is none, pending, unconfigured or subscribed.",
        ));
    }
    all
}

/// A JID in its normal form.
fn normal(read: &Reader<'_>, jid: &str) -> String {
    let jid = read.ok(options::jid(jid));
    jid.as_ref().map_or("", Jid::as_str).to_owned()
}

/// Affiliations as a page writes them, by JID.
fn affiliates(read: &Reader<'_>, value: &JsValue) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (jid, affiliation) in entries(value) {
        if let Some(affiliation) = read.sent("affiliations", &affiliation) {
            all.push((normal(read, &jid), affiliation));
        }
    }
    all
}

#[wasm_bindgen]
impl PubSub {
    /// The requests that the entry makes by their place in its list; each takes of `node` and `value` what it needs. From 0:
    /// subscriptions, affiliations, nodes, configuration, metadata, defaultConfiguration, options, subscribers, affiliates, item
    /// (9), configure (10), setOptions, setSubscribers, defaultOptions, setAffiliates, purge (15), requestApprovals; and the
    /// answers to such a question, yes (17) and no.
    #[wasm_bindgen(js_name = _ask)]
    pub fn ask_for(&self, what: u8, node: &str, value: &JsValue, options: &JsValue) -> Promise {
        let outcome = match what {
            0 => NodeAnswer::Subscriptions(field(options, "node").as_string()),
            1 => NodeAnswer::Affiliations,
            2 => NodeAnswer::Nodes,
            3 | 5 => NodeAnswer::Configuration,
            4 => NodeAnswer::Metadata,
            6 | 13 => NodeAnswer::Options,
            7 => NodeAnswer::Subscribers,
            8 => NodeAnswer::Affiliates,
            9 => return self.item(node, value, options),
            17 | 18 => return self.answer(value, what == 17),
            _ => return self.change(what, node, value, options),
        };
        self.ask(
            options,
            Read::NodeAnswer(outcome),
            &|read, service| match what {
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
            },
        )
    }

    /// Listens for what accounts publish on a node of that name; without one, for the question whether somebody may subscribe.
    #[wasm_bindgen(js_name = _listen)]
    pub fn listen(
        &self,
        listener: &JsValue,
        node: Option<String>,
        options: &JsValue,
    ) -> Result<Registration, JsValue> {
        let read = Reader::of(options);
        let decode = decoder(&read);
        let source = match node {
            Some(node) => Source::Node(node),
            None => {
                let service = self.service(&read);
                read.done()?;
                Source::Approvals(service.ok_or_else(not_connected)?)
            }
        };
        read.done()?;
        let listener = function(listener)?;
        Ok(self.0.listen_to(&source, &listener, &decode))
    }
}

impl PubSub {
    /// Answers the question whether somebody may subscribe: what it said is given back.
    fn answer(&self, asked: &JsValue, allow: bool) -> Promise {
        let read = Reader::of(asked);
        let approval = Approval {
            node: read.text("node").unwrap_or_default(),
            jid: read.text("jid").unwrap_or_default(),
            subid: read.text("subid"),
            id: read.text("id"),
        };
        let service = read.text("service").unwrap_or_default();
        let answer = approval.answer(&service, allow);
        let sent = read.done().and_then(|()| self.0.send(answer));
        promise(async move { delivered(sent?.await.ok()) })
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
            10 => owner::configure(service, node, &values(read, "values", value)),
            11 => {
                let values = values(read, "values", value);
                self.options(read, service, node, Some(&values))
            }
            12 => owner::set_subscribers(service, node, &subscribers(read, value)),
            14 => owner::set_affiliates(service, node, &affiliates(read, value)),
            15 => owner::purge(service, node),
            _ => owner::pending(service, node),
        })
    }
}
