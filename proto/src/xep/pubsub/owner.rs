//! What only the owner of a node may ask (XEP-0060 §8): its configuration, who is subscribed, who may do what; emptying it; and
//! whether somebody may subscribe.

use super::{NODE_CONFIG, Subscription, SubscriptionState};
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xep::data_form::{self, Form, Values};
use crate::xml::{Builder, Element};

/// `FORM_TYPE` of the form that asks whether somebody may subscribe (§8.6).
pub const SUBSCRIBE_AUTHORIZATION: &str =
    "http://jabber.org/protocol/pubsub#subscribe_authorization";

/// Asks how a node is configured (§8.2.1). [`parse_configuration`] reads the reply.
pub fn configuration(service: Option<&str>, node: &str) -> Element {
    get(service, at("configure", node))
}

/// Asks how a node is configured whose maker says nothing about it (§8.3). [`parse_configuration`] reads the reply.
pub fn default_configuration(service: Option<&str>) -> Element {
    get(service, element("default"))
}

/// Changes a node's configuration (§8.2.4); what is not given stays as it is.
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

/// Asks who is subscribed to a node (§8.8.1). [`parse_subscribers`] reads the reply.
pub fn subscribers(service: Option<&str>, node: &str) -> Element {
    get(service, at("subscriptions", node))
}

/// Changes who is subscribed (§8.8.2): of those named; the others stay as they are. A state of `None` ends a subscription.
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

/// Asks who may do what with a node (§8.9.1). [`parse_affiliates`] reads the reply.
pub fn affiliates(service: Option<&str>, node: &str) -> Element {
    get(service, at("affiliations", node))
}

/// Changes who may do what (§8.9.2): of those named, by bare JID; the others stay as they are. `none` takes an affiliation
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

/// JIDs and what they are, in a reply to [`affiliates`].
pub fn parse_affiliates(reply: &Element) -> Vec<(String, String)> {
    let Some(list) = reply_child(reply, "affiliations") else {
        return Vec::new();
    };
    list.read_children("affiliation", ns::PUBSUB_OWNER, |one| {
        let text = |name| one.attr(name).unwrap_or_default().into();
        (text("jid"), text("affiliation"))
    })
}

/// Has the service ask again about all who wait for approval (§8.7), at once for this node: without asking first for which
/// nodes it can, and so without a session to name.
pub fn pending(service: Option<&str>, node: &str) -> Element {
    let values = [("pubsub#node".into(), vec![node.into()])];
    let command = Element::builder("command", ns::COMMANDS)
        .attr("node", "http://jabber.org/protocol/pubsub#get-pending")
        .attr("action", "execute")
        .child(data_form::submit(SUBSCRIBE_AUTHORIZATION, &values));
    iq::request(IqType::Set, service, command.build())
}

/// Somebody wants to subscribe to a node of ours that asks its owner (§8.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// The node.
    pub node: String,
    /// Who wants to subscribe.
    pub jid: String,
    /// Which subscription, where the service has ids for them.
    pub subid: Option<String>,
    /// The id of the message that asks; the answer carries it, too.
    pub id: Option<String>,
}

impl Approval {
    /// Reads a message that asks. Who sent it is for the caller to check.
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

    /// The message that answers: yes or no.
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

/// The state that an owner gives, from its name; `None` when it is not one.
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
