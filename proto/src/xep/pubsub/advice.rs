//! Advice for the application-specific error conditions of publish-subscribe (XEP-0060 §13 and the error cases of each use case).

use crate::ns;
use crate::stanza::StanzaError;

/// Advice by condition. Conditions that this client cannot cause are left out.
const ADVICE: [(&str, &str); 22] = [
    (
        "closed-node",
        "Only those on the node's list may: its owner can make you a member.",
    ),
    (
        "precondition-not-met",
        "The node is not configured as publishOptions want it: its owner can configure() it, or publish with configure: true.",
    ),
    (
        "payload-too-big",
        "Publish less at once, or raise the node's max_payload_size.",
    ),
    (
        "pending-subscription",
        "The node's owner has not approved the subscription yet: wait for the feed's 'subscription' event.",
    ),
    (
        "presence-subscription-required",
        "Only those may who get the owner's presence: subscribe to it first.",
    ),
    (
        "not-in-roster-group",
        "Only certain groups of the owner's contacts may.",
    ),
    (
        "not-subscribed",
        "There is no such subscription: check node and jid, or subscribe first.",
    ),
    (
        "configuration-required",
        "Subscribe with options: the node wants them.",
    ),
    (
        "subid-required",
        "There are several subscriptions: say which one with subid, as subscriptions() tells it.",
    ),
    (
        "invalid-subid",
        "There is no subscription of that subid: subscriptions() tells those there are.",
    ),
    (
        "invalid-jid",
        "The jid is another account's, or was subscribed in another form: bare or full.",
    ),
    (
        "invalid-options",
        "An option or its value is not one the service knows: read the form first.",
    ),
    (
        "invalid-payload",
        "Publish exactly one element, of the kind that the node is for.",
    ),
    (
        "payload-required",
        "The node is for items with a payload: publish one.",
    ),
    (
        "item-required",
        "The node is for items with a payload: publish one.",
    ),
    ("item-forbidden", "The node only notifies: publish null."),
    (
        "node-full",
        "The node is full: retract something, or raise its max_items.",
    ),
    (
        "max-items-exceeded",
        "The node is full: retract something, or raise its max_items.",
    ),
    (
        "too-many-subscriptions",
        "The service allows no more subscriptions: unsubscribe from other nodes first.",
    ),
    (
        "max-nodes-exceeded",
        "The service allows no more nodes: delete one first.",
    ),
    (
        "nodeid-required",
        "The service does not choose names of nodes: give one.",
    ),
    (
        "unsupported",
        "This service cannot do that: metadata(\"\") tells what it can.",
    ),
];

/// The advice for an error; `None` if its condition is absent or unknown.
pub fn advice(error: &StanzaError) -> Option<&'static str> {
    let (application, namespace) = error.application.as_ref()?;
    if namespace != ns::PUBSUB_ERRORS {
        return None;
    }
    for (condition, advice) in ADVICE {
        if condition == application {
            return Some(advice);
        }
    }
    None
}
