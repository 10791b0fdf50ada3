//! What the inspector and the log may see: elements as XML, with secrets masked.

use super::ns;
use super::xml::{Element, Node};

const MASK: &str = "…";

/// The element as XML; SASL data, passwords, keys and tokens are replaced by `…`.
pub fn masked(element: &Element) -> String {
    if has_secret(element) {
        mask(element).to_xml()
    } else {
        element.to_xml()
    }
}

fn has_secret(element: &Element) -> bool {
    is_secret(element) || element.children().any(|child| has_secret(&child))
}

/// Is the text of this element nobody's business?
fn is_secret(element: &Element) -> bool {
    match element.ns() {
        ns::SASL => matches!(
            element.name(),
            "auth" | "challenge" | "response" | "success"
        ),
        ns::REGISTER => matches!(element.name(), "password" | "key"),
        ns::MUC => element.name() == "password",
        ns::MUC_USER => element.name() == "password",
        ns::DATA_FORM => element
            .attr("var")
            .is_some_and(|var| var.contains("password") || var.contains("secret")),
        _ => false,
    }
}

fn mask(element: &Element) -> Element {
    let secret = is_secret(element);
    let mut builder = Element::builder(element.name(), element.ns());
    for attribute in element.attributes() {
        builder = builder.attr_ns(attribute.name, attribute.ns, attribute.value);
    }
    if secret {
        return builder.text(MASK).build();
    }
    for node in element.nodes() {
        builder = match node {
            Node::Element(child) => builder.child(mask(&child)),
            Node::Text(text) => builder.text(&text),
        };
    }
    builder.build()
}
