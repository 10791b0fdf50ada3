//! What is said about nodes, as plain objects.

use super::form::form_to_js;
use super::object::{record, set, texts};
use epode_proto::xep::data_form::Form;
use epode_proto::xep::disco::{self, DiscoItem, Info};
use epode_proto::xep::pubsub::owner;
use epode_proto::xep::pubsub::{Subscription, request};
use epode_proto::xep::rsm::Page;
use epode_proto::xml::Element;
use js_sys::Array;
use wasm_bindgen::prelude::*;

/// What a reply about nodes holds.
pub enum NodeAnswer {
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

impl NodeAnswer {
    /// The plain object, or array of them.
    pub fn read(self, reply: &Element) -> JsValue {
        match self {
            Self::Subscriptions(asked) => {
                subscriptions_to_js(&request::parse_subscriptions(reply), asked.as_deref())
            }
            Self::Subscribers => subscriptions_to_js(&owner::parse_subscribers(reply), None),
            Self::Affiliations => texts_by_name(&request::parse_affiliations(reply)),
            Self::Affiliates => texts_by_name(&owner::parse_affiliates(reply)),
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
        let (node, subid) = (one.node.as_deref().or(asked), one.subid.as_deref());
        all.push(&texts(
            "node jid subid state",
            &[node, Some(&one.jid), subid, Some(one.state.as_str())],
        ));
    }
    all.into()
}

fn texts_by_name(pairs: &[(String, String)]) -> JsValue {
    let record = record();
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
            nodes.push(&texts(
                "node name jid",
                &[Some(node), name, Some(&item.jid)],
            ));
        }
    }
    nodes.into()
}

fn metadata_to_js(info: &Info) -> JsValue {
    let identities = Array::new();
    for identity in &info.identities {
        let name = identity.name.as_deref();
        identities.push(&texts(
            "category type name",
            &[Some(&identity.category), Some(&identity.kind), name],
        ));
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
    let read = texts("first last", &[page.first.as_deref(), page.last.as_deref()]);
    set(&read, "index", &page.index.into());
    set(&read, "count", &page.count.into());
    read
}
