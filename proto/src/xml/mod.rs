//! XML 1.0 with namespaces, the subset that XMPP uses (RFC 6120 §11, RFC 7395 §3.3, Namespaces in XML 1.0).
//!
//! A document is one flat table in document order over one text buffer, the received bytes; an [`Element`] is a handle
//! into it. Parsing is one pass under [`Limits`].
//!
//! Left out, because RFC 6120 §11.1 forbids them: DTDs, entities other than the five predefined ones, comments and
//! processing instructions. Also left out: encodings other than UTF-8, and the prefixes of names (only their namespaces
//! are kept).

mod builder;
mod chars;
mod document;
mod element;
mod lenience;
mod masking;
mod packed;
mod reader;
mod writer;

use std::rc::Rc;

pub use builder::Builder;
pub use chars::is_xml_text;
pub use element::{Attribute, Attributes, Children, Element, Node};
pub use lenience::{Lenience, Unreadable};
pub use masking::Secrets;
pub use packed::Packed;

/// Appends `value` as the value of an attribute, without quotes, for code that writes tags itself.
pub(crate) fn write_value(out: &mut String, value: &str) {
    writer::escape_value(out, value);
}

/// The limits of a document; parsing stops at the first limit exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document, markup included. At most 1 GiB, even if the value here is larger.
    pub bytes: usize,
    /// Depth of nested elements, including the root.
    pub depth: usize,
    /// Attributes and namespace declarations of one element; also the prefixes in scope at one position.
    pub attributes: usize,
    /// Elements, attributes and pieces of text of the whole document.
    pub nodes: usize,
}

impl Default for Limits {
    /// 16 MiB, 128 deep, 64 attributes, 1,048,576 nodes: far above any stanza that a public server allows, and at most
    /// about 60 MB of memory and a fraction of a second for a malicious document.
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            depth: 128,
            attributes: 64,
            nodes: 1 << 20,
        }
    }
}

/// Why a document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// More bytes than [`Limits::bytes`].
    TooLarge,
    /// Elements nested deeper than [`Limits::depth`].
    TooDeep,
    /// More attributes on one element, or more prefixes in scope, than [`Limits::attributes`].
    TooManyAttributes,
    /// More elements, attributes and texts than [`Limits::nodes`].
    TooManyNodes,
    /// A frame that is not text.
    NotText,
    /// Bytes that are not UTF-8, or a declaration of another encoding.
    NotUtf8,
    /// Well-formed XML that XMPP forbids (RFC 6120 §11.1); the value names it: `DTD`, `comment`, `processing
    /// instruction`.
    Forbidden(&'static str),
    /// Not well-formed, with a short reason.
    Malformed(&'static str),
    /// The document ends before its root element does.
    Truncated,
}

impl XmlError {
    /// A short reason in English, for logs and errors.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge => "too many bytes",
            Self::TooDeep => "elements nested too deep",
            Self::TooManyAttributes => "too many attributes on an element",
            Self::TooManyNodes => "too many elements and attributes",
            Self::NotText => "not text",
            Self::NotUtf8 => "not UTF-8",
            Self::Forbidden(what) | Self::Malformed(what) => what,
            Self::Truncated => "the document ends too early",
        }
    }
}

impl core::fmt::Display for XmlError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if matches!(self, Self::Forbidden(_)) {
            out.write_str("not allowed in XMPP: ")?;
        }
        out.write_str(self.as_str())
    }
}

impl core::error::Error for XmlError {}

/// Parses one whole document; the buffer is kept, and [`Element`] returns slices of it.
///
/// Accepts a byte order mark, one XML declaration at the very start (RFC 7395 §3.3.3) and white space around the root
/// element. Normalises line ends (XML 1.0 §2.11) and attribute values (§3.3.3).
///
/// # Errors
/// [`XmlError`] if the document exceeds a limit, is not well-formed XML in UTF-8 with namespaces, or contains markup
/// that RFC 6120 §11.1 forbids.
pub fn parse(bytes: Vec<u8>, limits: &Limits) -> Result<Element, XmlError> {
    parse_in(bytes, limits, "")
}

/// As [`parse`], with `default_ns` as the default namespace around the root: for elements that a page writes without a
/// namespace.
///
/// # Errors
/// As [`parse`].
pub fn parse_in(bytes: Vec<u8>, limits: &Limits, default_ns: &str) -> Result<Element, XmlError> {
    let reading = reader::read(bytes, limits, default_ns, None);
    match reading.error {
        Some((error, _)) => Err(error),
        None => Ok(Element::at(Rc::new(reading.document), 0)),
    }
}

/// Parses a peer's input, one element or several in a row, and accepts harmless deviations ([`Lenience`]). Complete
/// elements are returned even if the input after them cannot be parsed. `frame`: the caller's number of the input
/// ([`Element::frame`]), or 0.
pub fn parse_leniently(
    bytes: Vec<u8>,
    frame: u32,
    limits: &Limits,
    lenience: &Lenience,
) -> (Vec<Element>, Option<Unreadable>) {
    let reader::ReadOutcome {
        mut document,
        roots,
        error,
    } = reader::read(bytes, limits, lenience.default_ns, Some(lenience));
    document.frame = frame;
    let document = Rc::new(document);
    let element = |root| Element::at(Rc::clone(&document), root);
    let unreadable = error.map(|(error, name)| Unreadable { error, name });
    (roots.into_iter().map(element).collect(), unreadable)
}
