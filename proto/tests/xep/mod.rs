//! Extensions and stanzas, held against the examples of their specifications (`proto/tests/vectors`).

// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod audience;
mod caps;
mod data_form;
mod delay;
mod feed;
mod feeds;
mod muc;
mod odd;
mod optional;
mod owner;
mod pubsub;
mod register;
mod responder;
mod rsm;
mod sasl2;
mod stanza;
mod subscriptions;

use epode_proto::ns;
use epode_proto::xml::{Element, Limits, Node, parse};

/// Reads XML in which `jabber:client` needs no declaration.
pub fn xml(text: &str) -> Element {
    all(text).remove(0)
}

/// Several elements one after another.
pub fn all(text: &str) -> Vec<Element> {
    let document = format!(
        "<all xmlns='jabber:client' xmlns:stream='{}'>{text}</all>",
        ns::STREAM
    );
    let root = parse(document.into_bytes(), &Limits::default()).expect("a test's own XML");
    root.children()
        .map(|child| rebuilt(&child.detach(), &[]))
        .collect()
}

/// The examples of a XEP, by number.
fn file(xep: &str) -> Vec<(u64, String)> {
    let path = format!(
        "{}/tests/vectors/xep-{xep}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("the examples");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let examples = file["examples"].as_array().expect("a list");
    examples
        .iter()
        .map(|example| {
            let xml = example["xml"].as_str().expect("text");
            (example["n"].as_u64().expect("a number"), xml.into())
        })
        .collect()
}

/// The elements of example `number` of a XEP.
pub fn examples(xep: &str, number: u64) -> Vec<Element> {
    let examples = file(xep);
    let (_, xml) = examples
        .iter()
        .find(|(own, _)| *own == number)
        .unwrap_or_else(|| panic!("XEP-{xep} example {number} is not in the vectors"));
    all(xml)
}

/// All elements of all examples.
pub fn every_example() -> Vec<Element> {
    [
        "0004", "0030", "0045", "0059", "0060", "0077", "0115", "0163", "0199", "0386", "0388",
        "0484",
    ]
    .iter()
    .flat_map(|xep| file(xep))
    .flat_map(|(_, xml)| all(&xml))
    .collect()
}

/// The first element of example `number`.
pub fn example(xep: &str, number: u64) -> Element {
    examples(xep, number).remove(0)
}

/// The same, as a client builds it: without the sender and the id, which are stamped later.
pub fn asked(xep: &str, number: u64) -> Element {
    rebuilt(&example(xep, number), &["from", "id"])
}

/// A copy without the white space that only lays out the text, and without some attributes of the outermost element.
pub fn rebuilt(element: &Element, without: &[&str]) -> Element {
    let mut builder = Element::builder(element.name(), element.ns());
    for attribute in element.attributes() {
        if attribute.ns.is_empty() && !without.contains(&attribute.name) {
            builder = builder.attr(attribute.name, attribute.value);
        } else if !attribute.ns.is_empty() {
            builder = builder.attr_ns(attribute.name, attribute.ns, attribute.value);
        }
    }
    let mixed = element.children().next().is_some();
    for node in element.nodes() {
        match node {
            Node::Element(child) => builder = builder.child(rebuilt(&child, &[])),
            Node::Text(text) if mixed && text.trim().is_empty() => {}
            Node::Text(text) => builder = builder.text(&text),
        }
    }
    builder.build()
}

/// Values of a form.
pub fn values(pairs: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    pairs
        .iter()
        .map(|(var, values)| {
            let values = values.iter().map(|&value| value.into()).collect();
            ((*var).into(), values)
        })
        .collect()
}
