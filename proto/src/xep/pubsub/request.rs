//! Requests to a publish-subscribe service, and their replies (XEP-0060 §5 to §8).

use super::{Item, NODE_CONFIG, PUBLISH_OPTIONS, SUBSCRIBE_OPTIONS, Subscription};
use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xep::data_form::{self, Form, Values};
use crate::xep::rsm::{Page, Range};
use crate::xml::{Builder, Element};

/// Subscribes `jid`, one's own bare or full JID, to a node (§6.1), with options when any are given (§6.3.7).
/// [`parse_subscription`] reads the reply.
pub fn subscribe(service: Option<&str>, node: &str, jid: &str, options: &Values) -> Element {
    let subscribe = Element::builder("subscribe", ns::PUBSUB)
        .attr("node", node)
        .attr("jid", jid)
        .build();
    let options = form("options", SUBSCRIBE_OPTIONS, options);
    set(service, pubsub().child(subscribe).children(options))
}

/// Whether a request is one of [`subscribe`].
pub(crate) fn is_subscribe(iq: &Element) -> bool {
    reply_child(iq, "subscribe").is_some()
}

/// Ends a subscription (§6.2); `jid` exactly as it was subscribed, `subid` when the service gave one.
pub fn unsubscribe(service: Option<&str>, node: &str, jid: &str, subid: Option<&str>) -> Element {
    let unsubscribe = Element::builder("unsubscribe", ns::PUBSUB)
        .attr("node", node)
        .attr("jid", jid)
        .attr_opt("subid", subid)
        .build();
    set(service, pubsub().child(unsubscribe))
}

/// Publishes an item (§7.1); an id that is there already is replaced, none lets the service choose. No payload is for nodes
/// that only notify. `options` are preconditions on the node, or configure a node made by publishing (§7.1.5).
/// [`parse_published`] reads the reply.
pub fn publish(
    service: Option<&str>,
    node: &str,
    id: Option<&str>,
    payload: Option<Element>,
    options: &Values,
) -> Element {
    let item = Element::builder("item", ns::PUBSUB)
        .attr_opt("id", id)
        .children(payload)
        .build();
    let publish = at("publish", ns::PUBSUB, node).child(item).build();
    let options = form("publish-options", PUBLISH_OPTIONS, options);
    set(service, pubsub().child(publish).children(options))
}

/// Publishes to a transient node without payloads, which requires no item (§7.1, §7.1.3.6).
pub fn publish_nothing(service: Option<&str>, node: &str, options: &Values) -> Element {
    let publish = at("publish", ns::PUBSUB, node).build();
    let options = form("publish-options", PUBLISH_OPTIONS, options);
    set(service, pubsub().child(publish).children(options))
}

/// Retracts an item (§7.2). `notify` requests a notification of the subscribers independent of the configuration.
pub fn retract(service: Option<&str>, node: &str, id: &str, notify: bool) -> Element {
    let retract = at("retract", ns::PUBSUB, node)
        .attr_opt("notify", notify.then_some("true"))
        .child(identified(id))
        .build();
    set(service, pubsub().child(retract))
}

/// Fetches items of a node (§6.5): those of `ids`; or the newest `max_items` (a service's own limit when `None`).
/// `subid` is the subscription it is for, if a service requires it. [`parse_items`] reads the reply.
pub fn items(
    service: Option<&str>,
    node: &str,
    max_items: Option<u32>,
    ids: &[String],
    subid: Option<&str>,
) -> Element {
    let max_items = max_items.map(|count| count.to_string());
    let items = at("items", ns::PUBSUB, node)
        .attr_opt("max_items", max_items.as_deref())
        .attr_opt("subid", subid)
        .children(ids.iter().map(|id| identified(id)))
        .build();
    iq::request(IqType::Get, service, pubsub().child(items).build())
}

/// Fetches a part of a node's items (§6.5.4), where the service has result set management. [`parse_items`] reads the items of
/// the reply, [`parse_page`] which part they are.
pub fn page(service: Option<&str>, node: &str, range: &Range, subid: Option<&str>) -> Element {
    let items = at("items", ns::PUBSUB, node)
        .attr_opt("subid", subid)
        .build();
    let pubsub = pubsub().child(items).child(range.to_element());
    iq::request(IqType::Get, service, pubsub.build())
}

/// Requests our subscriptions at the service (§5.6) or to one node. [`parse_subscriptions`] reads the reply.
pub fn subscriptions(service: Option<&str>, node: Option<&str>) -> Element {
    own(service, "subscriptions", node)
}

/// Requests our affiliations at the service (§5.7) or with one node. [`parse_affiliations`] reads the reply.
pub fn affiliations(service: Option<&str>, node: Option<&str>) -> Element {
    own(service, "affiliations", node)
}

fn own(service: Option<&str>, name: &str, node: Option<&str>) -> Element {
    let asked = Element::builder(name, ns::PUBSUB)
        .attr_opt("node", node)
        .build();
    iq::request(IqType::Get, service, pubsub().child(asked).build())
}

/// Requests the options of a subscription (§6.3.2); `jid` exactly as it was subscribed. [`parse_options`] reads the reply.
pub fn options_get(service: Option<&str>, node: &str, jid: &str, subid: Option<&str>) -> Element {
    let options = options(node, jid, subid).build();
    iq::request(IqType::Get, service, pubsub().child(options).build())
}

/// Changes options of a subscription (§6.3.5).
pub fn options_set(
    service: Option<&str>,
    node: &str,
    jid: &str,
    subid: Option<&str>,
    values: &Values,
) -> Element {
    let options = options(node, jid, subid).child(data_form::submit(SUBSCRIBE_OPTIONS, values));
    set(service, pubsub().child(options.build()))
}

/// Requests the default subscription options (§6.4) of the service or one node.
/// [`parse_options`] reads the reply.
pub fn options_default(service: Option<&str>, node: Option<&str>) -> Element {
    own(service, "default", node)
}

fn options(node: &str, jid: &str, subid: Option<&str>) -> Builder {
    at("options", ns::PUBSUB, node)
        .attr("jid", jid)
        .attr_opt("subid", subid)
}

/// Creates a node (§8.1), with a configuration if given (§8.1.3). Without a name the service chooses
/// one; [`parse_created`] reads it.
pub fn create(service: Option<&str>, node: Option<&str>, configuration: &Values) -> Element {
    let create = Element::builder("create", ns::PUBSUB)
        .attr_opt("node", node)
        .build();
    let configure = form("configure", NODE_CONFIG, configuration);
    set(service, pubsub().child(create).children(configure))
}

/// Removes a node (§8.4); `redirect` is the address (`xmpp:…`) of the replacing node.
pub fn delete(service: Option<&str>, node: &str, redirect: Option<&str>) -> Element {
    let redirect = redirect.map(|uri| {
        Element::builder("redirect", ns::PUBSUB_OWNER)
            .attr("uri", uri)
            .build()
    });
    let delete = at("delete", ns::PUBSUB_OWNER, node)
        .children(redirect)
        .build();
    set(
        service,
        Element::builder("pubsub", ns::PUBSUB_OWNER).child(delete),
    )
}

/// The subscription in a reply to [`subscribe`] or [`unsubscribe`]; `None` if there is none, which means
/// success.
pub fn parse_subscription(reply: &Element) -> Option<Subscription> {
    let subscription = reply_child(reply, "subscription")?;
    Some(Subscription::parse(&subscription))
}

/// The id of the item in a reply to [`publish`]; `None` if absent (then it is the requested id).
pub fn parse_published(reply: &Element) -> Option<String> {
    let item = reply_child(reply, "publish")?.child("item", ns::PUBSUB)?;
    item.attr("id").map(Into::into)
}

/// The items in a reply to [`items`], in the service's order.
pub fn parse_items(reply: &Element) -> Vec<Item> {
    let Some(items) = reply_child(reply, "items") else {
        return Vec::new();
    };
    items.read_children("item", ns::PUBSUB, Item::parse)
}

/// Which part of the items a reply to [`page`] holds; `None` if the service has no pages, and the result is complete.
pub fn parse_page(reply: &Element) -> Option<Page> {
    Page::child_of(&reply.child("pubsub", ns::PUBSUB)?)
}

/// The subscriptions in a reply to [`subscriptions`].
pub fn parse_subscriptions(reply: &Element) -> Vec<Subscription> {
    let Some(list) = reply_child(reply, "subscriptions") else {
        return Vec::new();
    };
    list.read_children("subscription", ns::PUBSUB, Subscription::parse)
}

/// The affiliations in a reply to [`affiliations`]: node and affiliation.
pub fn parse_affiliations(reply: &Element) -> Vec<(String, String)> {
    let Some(list) = reply_child(reply, "affiliations") else {
        return Vec::new();
    };
    list.read_children("affiliation", ns::PUBSUB, |one| {
        let text = |name| one.attr(name).unwrap_or_default().into();
        (text("node"), text("affiliation"))
    })
}

/// The form in a reply to [`options_get`] or [`options_default`].
pub fn parse_options(reply: &Element) -> Option<Form> {
    let options = reply_child(reply, "options").or_else(|| reply_child(reply, "default"));
    Form::child_of(&options?)
}

/// The node's name in a reply to [`create`]; `None` if it is the requested one.
pub fn parse_created(reply: &Element) -> Option<String> {
    reply_child(reply, "create")?.attr("node").map(Into::into)
}

fn pubsub() -> Builder {
    Element::builder("pubsub", ns::PUBSUB)
}

fn at(name: &str, namespace: &str, node: &str) -> Builder {
    Element::builder(name, namespace).attr("node", node)
}

fn identified(id: &str) -> Element {
    Element::builder("item", ns::PUBSUB).attr("id", id).build()
}

/// An element around a submitted form; `None` when nothing is given.
fn form(name: &str, form_type: &str, values: &Values) -> Option<Element> {
    (!values.is_empty()).then(|| {
        Element::builder(name, ns::PUBSUB)
            .child(data_form::submit(form_type, values))
            .build()
    })
}

fn set(service: Option<&str>, payload: Builder) -> Element {
    iq::request(IqType::Set, service, payload.build())
}

fn reply_child(reply: &Element, name: &str) -> Option<Element> {
    reply.child("pubsub", ns::PUBSUB)?.child(name, ns::PUBSUB)
}
