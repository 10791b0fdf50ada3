//! `message` (RFC 6121 §5).

use crate::ns;
use crate::xml::{Builder, Element};

/// Begins a message; `kind` is its `type` (`chat`, `groupchat`, `headline`, `normal`).
pub fn builder(to: &str, kind: &str) -> Builder {
    Element::builder("message", ns::CLIENT)
        .attr("to", to)
        .attr("type", kind)
}

/// An element that holds only text, in the stanza's namespace: a body, a subject.
pub fn text_child(name: &str, text: &str) -> Element {
    Element::builder(name, ns::CLIENT).text(text).build()
}

/// The body: the one without `xml:lang` before those in a language (RFC 6121 §5.2.3 allows several).
pub fn body(message: &Element) -> Option<String> {
    plain(message, "body")
}

/// The subject, selected like the body. An empty subject is `Some("")`, which clears the subject of a room.
pub fn subject(message: &Element) -> Option<String> {
    plain(message, "subject")
}

fn plain(message: &Element, name: &str) -> Option<String> {
    let mut first = None;
    for child in message.children() {
        if !child.is(name, ns::CLIENT) {
            continue;
        }
        if child.attr_ns("lang", ns::XML).is_none() {
            return Some(child.text().into_owned());
        }
        if first.is_none() {
            first = Some(child);
        }
    }
    first.map(|child| child.text().into_owned())
}
