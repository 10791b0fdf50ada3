//! What is asked of a publish-subscribe service, and the replies.

use super::{Item, NODE_CONFIG, PUBLISH_OPTIONS, SUBSCRIBE_OPTIONS, Subscription};
use crate::proto::digits::decimal;
use crate::proto::ns;
use crate::proto::stanza::iq::{self, Kind};
use crate::proto::xep::data_form::{self, Values};
use crate::proto::xml::{Builder, Element};

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

/// Takes an item back (§7.2). `notify` asks that subscribers be told whatever the node is set to.
pub fn retract(service: Option<&str>, node: &str, id: &str, notify: bool) -> Element {
    let retract = at("retract", ns::PUBSUB, node)
        .attr_opt("notify", notify.then_some("true"))
        .child(identified(id))
        .build();
    set(service, pubsub().child(retract))
}

/// Fetches items of a node (§6.5): those of `ids`; or the newest `max_items` (a service's own limit when `None`).
/// `subid` says which subscription it is for, where a service wants to know. [`parse_items`] reads the reply.
pub fn items(
    service: Option<&str>,
    node: &str,
    max_items: Option<u32>,
    ids: &[String],
    subid: Option<&str>,
) -> Element {
    let max_items = max_items.map(|count| decimal(count.into()));
    let items = at("items", ns::PUBSUB, node)
        .attr_opt("max_items", max_items.as_deref())
        .attr_opt("subid", subid)
        .children(ids.iter().map(|id| identified(id)))
        .build();
    iq::request(Kind::Get, service, pubsub().child(items).build())
}

/// Makes a node (§8.1), configured when anything is given (§8.1.3). No node asks for one with a name of the service's
/// choosing; [`parse_created`] reads it.
pub fn create(service: Option<&str>, node: Option<&str>, configuration: &Values) -> Element {
    let create = Element::builder("create", ns::PUBSUB)
        .attr_opt("node", node)
        .build();
    let configure = form("configure", NODE_CONFIG, configuration);
    set(service, pubsub().child(create).children(configure))
}

/// Removes a node (§8.4); `redirect` is the address (`xmpp:…`) of the one that takes its place.
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

/// The subscription in a reply to [`subscribe`] or [`unsubscribe`]; `None` when it says nothing about one, which is a plain
/// yes.
pub fn parse_subscription(reply: &Element) -> Option<Subscription> {
    let subscription = reply_child(reply, "subscription")?;
    Some(Subscription::parse(&subscription))
}

/// The id of the item in a reply to [`publish`]; `None` when the service does not tell (then it is the id that was asked for).
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

/// The node's name in a reply to [`create`]; `None` when it is the one that was asked for.
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
    iq::request(Kind::Set, service, payload.build())
}

fn reply_child(reply: &Element, name: &str) -> Option<Element> {
    reply.child("pubsub", ns::PUBSUB)?.child(name, ns::PUBSUB)
}
