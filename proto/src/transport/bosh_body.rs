//! XEP-0124 1.11.2 and XEP-0206 1.4: the `<body/>` wrapper, written and read.
//!
//! Text in, text out: which request is due and what an answer means is `bosh.rs`'s business.

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

/// How bodies are read. COMPAT(old connection managers): what inherits the body's namespace and is named like an element of the
/// stream is one (XEP-0206 §5).
const LENIENCE: Lenience = Lenience {
    default_ns: ns::HTTP_BIND,
    level: 1,
    stream_level: ns::STREAM_LEVEL,
    prefixes: ns::WELL_KNOWN_PREFIXES,
};

/// Within how many bytes a body's own namespace is declared.
const HEAD: usize = 1024;

/// Why an HTTP answer is no BOSH body.
pub enum Refusal {
    /// It is one, and cannot be read. The number is the same when the bytes are.
    Unreadable(Unreadable, u32),
    /// It is something else.
    Other(CloseReason),
}

/// Reads an HTTP answer as a BOSH body, or says what it is instead. What the header says of its type is ignored (XEP-0124 §5) but
/// for naming what came in place of a body.
///
/// A body of an HTTP error status is read when it is one: ejabberd says 404 *and* `item-not-found`.
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
    let (elements, unreadable) = parse_leniently(bytes, limits, &LENIENCE);
    // Without its namespace, one with text in it is a page's.
    let is_body = |element: &Element| {
        element.is("body", ns::HTTP_BIND) && (declared || payloads(element).all(|one| one.is_ok()))
    };
    if let Some(body) = elements.into_iter().next().filter(is_body) {
        // What a proxy put behind it is no part of it.
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

/// A number of these bytes; chance alone makes two the same once in billions.
fn fingerprint(bytes: &[u8]) -> u32 {
    let mix = |sum: u32, byte: &u8| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811c_9dc5, mix)
}

/// XML under any of its names, and `text/plain`, which pages ask for to avoid the preflight.
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

/// Whether the answer is of this `type`, whatever the case of the letters.
pub fn is_of_type(body: &Element, kind: &str) -> bool {
    body.attr("type")
        .is_some_and(|given| given.trim().eq_ignore_ascii_case(kind))
}

/// The condition of an answer (XEP-0124 §17), in small letters as XEP-0124 has them.
pub fn condition_of(body: &Element) -> Option<String> {
    let condition = body.attr("condition")?.trim();
    Some(condition.to_ascii_lowercase())
}

/// What a body carries: elements of the stream, and what is not readable as such.
pub fn payloads(body: &Element) -> impl Iterator<Item = Result<Element, Unreadable>> {
    body.nodes().filter_map(|node| match node {
        // `see-other-uri` is the transport's business.
        Node::Element(child) if child.is("uri", ns::HTTP_BIND) => None,
        Node::Element(child) => Some(Ok(child)),
        Node::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => None,
        Node::Text(_) => Some(Err(Unreadable {
            error: XmlError::Malformed("text between stanzas"),
            name: String::new(),
        })),
    })
}
