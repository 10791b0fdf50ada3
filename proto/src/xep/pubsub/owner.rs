//! Requests of a node's owner (XEP-0060 §8): configuration, subscribers, affiliations, purge, and
//! approval of subscriptions.

use super::{NODE_CONFIG, Subscription, SubscriptionState};
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xep::data_form::{self, Form, Values};
use crate::xml::{Builder, Element};

/// `FORM_TYPE` of the approval form (§8.6).
pub const SUBSCRIBE_AUTHORIZATION: &str =
    "http://jabber.org/protocol/pubsub#subscribe_authorization";

/// Requests a node's configuration (§8.2.1). [`parse_configuration`] reads the reply.
pub fn configuration(service: Option<&str>, node: &str) -> Element {
    get(service, at("configure", node))
}

/// Requests the default configuration of nodes (§8.3). [`parse_configuration`] reads the reply.
pub fn default_configuration(service: Option<&str>) -> Element {
    get(service, element("default"))
}

/// Changes a node's configuration (§8.2.4); absent fields are unchanged.
pub fn configure(service: Option<&str>, node: &str, values: &Values) -> Element {
    let form = data_form::submit(NODE_CONFIG, values);
    set(service, at("configure", node).child(form))
}

/// The form in a reply to [`configuration`] or [`default_configuration`].
pub fn parse_configuration(reply: &Element) -> Option<Form> {
    let configure = reply_child(reply, "configure").or_else(|| reply_child(reply, "default"));
    Form::child_of(&configure?)
}

/// Removes all items (§8.5).
pub fn purge(service: Option<&str>, node: &str) -> Element {
    set(service, at("purge", node))
}

/// Requests the subscribers of a node (§8.8.1). [`parse_subscribers`] reads the reply.
pub fn subscribers(service: Option<&str>, node: &str) -> Element {
    get(service, at("subscriptions", node))
}

/// Changes the named subscriptions (§8.8.2); others are unchanged. A state of `None` ends a subscription.
pub fn set_subscribers(service: Option<&str>, node: &str, subscribers: &[Subscription]) -> Element {
    let mut list = at("subscriptions", node);
    for subscriber in subscribers {
        let subscriber = element("subscription")
            .attr("jid", &subscriber.jid)
            .attr("subscription", subscriber.state.as_str())
            .attr_opt("subid", subscriber.subid.as_deref());
        list = list.child(subscriber.build());
    }
    set(service, list)
}

/// The subscriptions in a reply to [`subscribers`].
pub fn parse_subscribers(reply: &Element) -> Vec<Subscription> {
    let Some(list) = reply_child(reply, "subscriptions") else {
        return Vec::new();
    };
    list.read_children("subscription", ns::PUBSUB_OWNER, Subscription::parse)
}

/// Requests the affiliations with a node (§8.9.1). [`parse_affiliates`] reads the reply.
pub fn affiliates(service: Option<&str>, node: &str) -> Element {
    get(service, at("affiliations", node))
}

/// Changes the named affiliations (§8.9.2), by bare JID; others are unchanged. `none` removes an affiliation
/// away.
pub fn set_affiliates(
    service: Option<&str>,
    node: &str,
    affiliates: &[(String, String)],
) -> Element {
    let mut list = at("affiliations", node);
    for (jid, affiliation) in affiliates {
        let affiliate = element("affiliation")
            .attr("jid", jid)
            .attr("affiliation", affiliation);
        list = list.child(affiliate.build());
    }
    set(service, list)
}

/// The JIDs and affiliations in a reply to [`affiliates`].
pub fn parse_affiliates(reply: &Element) -> Vec<(String, String)> {
    let Some(list) = reply_child(reply, "affiliations") else {
        return Vec::new();
    };
    list.read_children("affiliation", ns::PUBSUB_OWNER, |one| {
        let text = |name| one.attr(name).unwrap_or_default().into();
        (text("jid"), text("affiliation"))
    })
}

/// Makes the service send all pending approval requests of this node again (§8.7), without listing first for which
/// nodes it can, and so without a session to name.
pub fn pending(service: Option<&str>, node: &str) -> Element {
    let values = [("pubsub#node".into(), vec![node.into()])];
    let command = Element::builder("command", ns::COMMANDS)
        .attr("node", "http://jabber.org/protocol/pubsub#get-pending")
        .attr("action", "execute")
        .child(data_form::submit(SUBSCRIBE_AUTHORIZATION, &values));
    iq::request(IqType::Set, service, command.build())
}

/// A request to approve a subscription to a node of ours (§8.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// The node.
    pub node: String,
    /// The subscriber.
    pub jid: String,
    /// The SubID, if the service uses them.
    pub subid: Option<String>,
    /// The id of the request message; the reply has the same.
    pub id: Option<String>,
}

impl Approval {
    /// Parses an approval request. The caller checks the sender.
    pub fn parse(message: &Element) -> Option<Self> {
        let form = Form::child_of(message)?;
        if form.form_type() != Some(SUBSCRIBE_AUTHORIZATION) {
            return None;
        }
        Some(Self {
            node: form.value("pubsub#node")?.into(),
            jid: form.value("pubsub#subscriber_jid")?.into(),
            subid: form.value("pubsub#subid").map(Into::into),
            id: message.attr("id").map(Into::into),
        })
    }

    /// Builds the reply that approves or denies.
    pub fn answer(&self, service: &str, allow: bool) -> Element {
        let allow = if allow { "true" } else { "false" };
        let mut values = Vec::new();
        for (name, value) in [
            ("pubsub#subid", self.subid.as_deref()),
            ("pubsub#node", Some(self.node.as_str())),
            ("pubsub#subscriber_jid", Some(self.jid.as_str())),
            ("pubsub#allow", Some(allow)),
        ] {
            if let Some(value) = value {
                values.push((name.into(), vec![value.into()]));
            }
        }
        Element::builder("message", ns::CLIENT)
            .attr("to", service)
            .attr_opt("id", self.id.as_deref())
            .child(data_form::submit(SUBSCRIBE_AUTHORIZATION, &values))
            .build()
    }
}

/// Parses a state that an owner may set; `None` for others.
pub fn parse_state(name: &str) -> Option<SubscriptionState> {
    let state = SubscriptionState::parse(Some(name));
    (state.as_str() == name).then_some(state)
}

fn element(name: &str) -> Builder {
    Element::builder(name, ns::PUBSUB_OWNER)
}

fn at(name: &str, node: &str) -> Builder {
    element(name).attr("node", node)
}

fn get(service: Option<&str>, payload: Builder) -> Element {
    let payload = element("pubsub").child(payload.build());
    iq::request(IqType::Get, service, payload.build())
}

fn set(service: Option<&str>, payload: Builder) -> Element {
    let payload = element("pubsub").child(payload.build());
    iq::request(IqType::Set, service, payload.build())
}

fn reply_child(reply: &Element, name: &str) -> Option<Element> {
    reply
        .child("pubsub", ns::PUBSUB_OWNER)?
        .child(name, ns::PUBSUB_OWNER)
}
