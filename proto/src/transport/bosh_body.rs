//! XEP-0124 1.11.2 and XEP-0206 1.4: writes and reads the `<body/>` wrapper.
//!
//! Works on text alone; `bosh.rs` decides which request is due and what a response means.

use crate::error::CloseReason;
use crate::ns;
use crate::xml::{
    Element, Lenience, Limits, Node, Unreadable, XmlError, parse_leniently, write_value,
};

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

    /// Writes an attribute; `value` is escaped.
    pub fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("='");
        write_value(&mut self.text, value);
        self.text.push('\'');
    }

    /// Writes a numeric attribute.
    pub fn number(&mut self, name: &str, value: u64) {
        self.attribute(name, &value.to_string());
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

    /// Completes the body and returns its text.
    pub fn finish(mut self) -> String {
        if self.open {
            self.text.push_str("/>");
        } else {
            self.text.push_str("</body>");
        }
        self.text
    }
}

/// The accepted deviations in bodies. COMPAT(old connection managers): an element that inherits the body's namespace
/// and has the name of a stream element is treated as that stream element (XEP-0206 §5).
const LENIENCE: Lenience = Lenience {
    default_ns: ns::HTTP_BIND,
    level: 1,
    stream_level: ns::STREAM_LEVEL,
    prefixes: ns::WELL_KNOWN_PREFIXES,
};

/// The number of bytes at the start of a body that are searched for the declaration of the body's namespace.
const HEAD: usize = 1024;

/// Why an HTTP response is not a usable BOSH body.
pub enum Refusal {
    /// A body that cannot be read. The number is a fingerprint of the bytes.
    Unreadable(Unreadable, u32),
    /// Not a body.
    Other(CloseReason),
}

/// Reads an HTTP response as a BOSH body, or returns the reason why it is not one. The content type is ignored
/// (XEP-0124 §5), except to name what was received instead of a body.
///
/// A body with an HTTP error status is read, too: ejabberd sends 404 *and* `item-not-found`.
pub fn read_answer(
    status: u16,
    content_type: Option<&str>,
    bytes: Vec<u8>,
    limits: &Limits,
) -> Result<Element, Refusal> {
    let success = (200..300).contains(&status);
    if success && bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::Other(CloseReason::NotBosh("an empty answer")));
    }
    let html = looks_like_html(&bytes);
    let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
    let mut windows = head.windows(ns::HTTP_BIND.len());
    let declared = windows.any(|window| window == ns::HTTP_BIND.as_bytes());
    let print = fingerprint(&bytes);
    let (elements, unreadable) = parse_leniently(bytes, 0, limits, &LENIENCE);
    // Without the namespace, a `<body/>` with text is that of an HTML page.
    let is_body = |element: &Element| {
        element.is("body", ns::HTTP_BIND) && (declared || payloads(element).all(|one| one.is_ok()))
    };
    if let Some(body) = elements.into_iter().next().filter(is_body) {
        // Content that a proxy appended is not part of the body.
        return Ok(body);
    }
    Err(match unreadable {
        _ if !success => Refusal::Other(CloseReason::Http(status)),
        _ if html => Refusal::Other(CloseReason::NotBosh("an HTML page")),
        Some(unreadable) if unreadable.error == XmlError::TooLarge => {
            Refusal::Other(CloseReason::TooLarge)
        }
        Some(unreadable)
            if unreadable.name == "body" || matches!(unreadable.error, XmlError::Forbidden(_)) =>
        {
            Refusal::Unreadable(unreadable, print)
        }
        _ if !content_type.is_none_or(is_xml) => {
            Refusal::Other(CloseReason::NotBosh("a content type that is not XML"))
        }
        None => Refusal::Other(CloseReason::NotBosh("XML that is not a BOSH body")),
        Some(unreadable) => Refusal::Other(CloseReason::BadXml(unreadable.error)),
    })
}

/// A fingerprint of the bytes; two different inputs have the same one only once in billions.
fn fingerprint(bytes: &[u8]) -> u32 {
    let mix = |sum: u32, byte: &u8| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811c_9dc5, mix)
}

/// Whether the content type is XML under any of its names, or `text/plain`, which pages request to avoid the preflight.
fn is_xml(content_type: &str) -> bool {
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

/// Whether the body has this `type`, in upper or lower case.
pub fn is_of_type(body: &Element, kind: &str) -> bool {
    body.attr("type")
        .is_some_and(|given| given.trim().eq_ignore_ascii_case(kind))
}

/// The condition of a body (XEP-0124 §17), in lower case.
pub fn condition_of(body: &Element) -> Option<String> {
    let condition = body.attr("condition")?.trim();
    Some(condition.to_ascii_lowercase())
}

/// The payloads of a body: elements of the stream, and content that cannot be read as such.
pub fn payloads(body: &Element) -> impl Iterator<Item = Result<Element, Unreadable>> {
    body.nodes().filter_map(|node| match node {
        // `see-other-uri` is handled by the transport.
        Node::Element(child) if child.is("uri", ns::HTTP_BIND) => None,
        Node::Element(child) => Some(Ok(child)),
        Node::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => None,
        Node::Text(_) => Some(Err(Unreadable {
            error: XmlError::Malformed("text between stanzas"),
            name: String::new(),
        })),
    })
}
