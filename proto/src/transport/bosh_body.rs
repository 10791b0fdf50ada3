//! XEP-0124 1.11.2 and XEP-0206 1.4: the `<body/>` wrapper, written and read.
//!
//! Text in, text out: which request is due and what an answer means is `bosh.rs`'s business.

use crate::digits::decimal;
use crate::error::CloseReason;
use crate::ns;
use crate::xml::{Element, Limits, Node, XmlError, parse, write_value};

/// Writes one `<body/>`; attributes first, then payload, then [`BodyWriter::finish`].
pub struct BodyWriter {
    text: String,
    open: bool,
}

impl BodyWriter {
    /// Starts a body with its rid.
    pub fn new(rid: u64) -> Self {
        let mut writer = Self {
            text: String::with_capacity(256),
            open: true,
        };
        writer.text.push_str("<body xmlns='");
        writer.text.push_str(ns::HTTP_BIND);
        writer.text.push('\'');
        writer.number("rid", rid);
        writer
    }

    /// An attribute; `value` is escaped.
    pub fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("='");
        write_value(&mut self.text, value);
        self.text.push('\'');
    }

    /// A numeric attribute.
    pub fn number(&mut self, name: &str, value: u64) {
        self.attribute(name, &decimal(value));
    }

    /// Declares the prefix of XEP-0206's attributes.
    pub fn declare_xbosh(&mut self) {
        self.attribute("xmlns:xmpp", ns::XBOSH);
    }

    /// Appends a payload element.
    pub fn element(&mut self, element: &Element) {
        self.close_tag();
        element.write(&mut self.text, ns::HTTP_BIND);
    }

    /// The bytes written so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    fn close_tag(&mut self) {
        if self.open {
            self.open = false;
            self.text.push('>');
        }
    }

    /// The finished body.
    pub fn finish(mut self) -> String {
        if self.open {
            self.text.push_str("/>");
        } else {
            self.text.push_str("</body>");
        }
        self.text
    }
}

/// Reads an HTTP answer as a BOSH body, or says what it is instead.
///
/// A body of an HTTP error status is read when it is one: ejabberd says 404 *and* `item-not-found`.
pub fn read_answer(
    status: u16,
    content_type: Option<&str>,
    bytes: Vec<u8>,
    limits: &Limits,
) -> Result<Element, CloseReason> {
    let success = (200..300).contains(&status);
    if success && bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(CloseReason::NotBosh("an empty answer"));
    }
    let html = looks_like_html(&bytes);
    let readable = content_type.is_none_or(is_acceptable);
    let parsed = parse(bytes, limits);
    match parsed {
        Ok(body) if body.is("body", ns::HTTP_BIND) && (readable || !success) => Ok(body),
        _ if !success => Err(CloseReason::Http(status)),
        _ if html => Err(CloseReason::NotBosh("an HTML page")),
        _ if !readable => Err(CloseReason::NotBosh("a content type that is not XML")),
        Ok(_) => Err(CloseReason::NotBosh("XML that is not a BOSH body")),
        Err(XmlError::TooLarge) => Err(CloseReason::TooLarge),
        Err(error) => Err(CloseReason::BadXml(error)),
    }
}

/// XML under any of its names, and `text/plain`, which pages ask for to spare the preflight.
fn is_acceptable(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim();
    essence.is_empty()
        || ["text/xml", "application/xml", "text/plain"]
            .iter()
            .any(|accepted| essence.eq_ignore_ascii_case(accepted))
        || essence.ends_with("+xml") && !essence.eq_ignore_ascii_case("application/xhtml+xml")
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let start = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(0);
    let bytes = bytes.get(start..).unwrap_or_default();
    ["<!doctype html", "<html"].iter().any(|opening| {
        bytes
            .get(..opening.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(opening.as_bytes()))
    })
}

/// A payload as the stream would have it.
///
/// COMPAT(old connection managers): stanzas that inherit the body's namespace are meant to be `jabber:client` (XEP-0206 §5).
pub fn payload(child: Element) -> Element {
    let stanza = matches!(child.name(), "message" | "presence" | "iq");
    if stanza && child.ns() == ns::HTTP_BIND {
        adopt(&child)
    } else {
        child
    }
}

fn adopt(element: &Element) -> Element {
    let namespace = if element.ns() == ns::HTTP_BIND {
        ns::CLIENT
    } else {
        element.ns()
    };
    let mut builder = Element::builder(element.name(), namespace);
    for attribute in element.attributes() {
        builder = builder.attr_ns(attribute.name, attribute.ns, attribute.value);
    }
    for node in element.nodes() {
        builder = match node {
            Node::Element(child) => builder.child(adopt(&child)),
            Node::Text(text) => builder.text(&text),
        };
    }
    builder.build()
}
