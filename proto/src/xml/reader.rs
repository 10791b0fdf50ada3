//! Parses XML 1.0 (fifth edition) and Namespaces in XML 1.0 (third edition), within the bounds of RFC 6120 §11.
//!
//! quick-xml finds the end of a tag; this module does the rest. quick-xml's `Reader` would cost 4 KB gzip of wasm more,
//! for DTDs, comments, processing instructions and streams that XMPP does not use, and it accepts most ill-formed tags.
//! Parsing is one pass, and [`Limits`] bounds everything that the input can make grow.

mod attributes;
mod markup;
mod text;

use quick_xml::parser::{ElementParser, Parser};

use super::chars::{self, NAME, NAME_START};
use super::document::{Document, ElementRecord, NO_NS, NsId, Record, TextSpan};
use super::{Lenience, Limits, XmlError};
use std::collections::BTreeMap;

/// Spans are counted in 32 bits, and unescaped text can at most double the buffer.
const MOST_BYTES: usize = 1 << 30;
/// The number of characters reported of the name of an element that cannot be parsed.
const LONGEST_NAME: usize = 64;
/// How many bytes of input that is not UTF-8 are searched for the first element's name.
const HEAD: usize = 256;

/// The result of parsing.
pub(super) struct ReadOutcome {
    pub(super) document: Document,
    /// The records of the complete outermost elements.
    pub(super) roots: Vec<u32>,
    /// The error that stopped parsing, and the local name of the outermost element around it.
    pub(super) error: Option<(XmlError, String)>,
}

impl ReadOutcome {
    /// A document that was refused before parsing; the name is that of the first element, as far as it is readable.
    fn refused(error: XmlError, bytes: &[u8]) -> Self {
        let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
        let text = String::from_utf8_lossy(head);
        let start = text.bytes().zip(text.bytes().skip(1)).position(is_opening);
        let name = start.map_or_else(String::new, |start| name_at(&text, start + 1));
        Self {
            document: Document::with_capacity(0, 0, 0),
            roots: Vec::new(),
            error: Some((error, name)),
        }
    }
}

/// Parses a document; `default_ns` is the default namespace around its root. With `lenience`, also several documents in
/// a row.
pub(super) fn read(
    bytes: Vec<u8>,
    limits: &Limits,
    default_ns: &str,
    lenience: Option<&Lenience>,
) -> ReadOutcome {
    if bytes.len() > limits.bytes.min(MOST_BYTES) {
        return ReadOutcome::refused(XmlError::TooLarge, &[]);
    }
    let source = match String::from_utf8(bytes) {
        Ok(source) => source,
        Err(error) => return ReadOutcome::refused(XmlError::NotUtf8, error.as_bytes()),
    };
    // An estimate for a stanza: short ones fit without growing, long ones may consist only of text.
    let expected = 4 + (source.len() / 48).min(4096);
    let mut reading = DocumentReader {
        source: &source,
        limits,
        lenience,
        document: Document::with_capacity(0, expected, expected),
        open: Vec::with_capacity(8),
        roots: Vec::with_capacity(1),
        root: None,
        bindings: Vec::new(),
        pending: PendingText::Nothing,
        outer_ns: NO_NS,
        known: BTreeMap::new(),
    };
    reading.surround(default_ns);
    let error = reading.run().err();
    let error = error.map(|error| (error, reading.name_of_root()));
    if error.is_some() && !reading.open.is_empty() {
        reading.roots.pop();
    }
    let roots = reading.roots;
    let mut document = reading.document;
    document.received = source.len() as u32;
    // Unescaped text was collected separately, with positions counted from the end of the source: append it there.
    let unescaped = core::mem::replace(&mut document.text, source);
    if !unescaped.is_empty() {
        document.text.reserve_exact(unescaped.len());
        document.text.push_str(&unescaped);
    }
    ReadOutcome {
        document,
        roots,
        error,
    }
}

/// An element whose end tag has not been read yet.
struct OpenElement {
    record: u32,
    /// The name in the source, including the prefix: the end tag must have the same.
    name: TextSpan,
    /// The default namespace within the element.
    default_ns: NsId,
    /// The number of prefixes bound outside of the element.
    outer_bindings: u32,
}

/// A prefix in scope.
struct PrefixBinding<'a> {
    prefix: &'a str,
    ns: NsId,
}

/// Character data that the next event may continue.
enum PendingText {
    Nothing,
    /// One piece of the source.
    Source(TextSpan),
    /// From this position to the end of the unescaped text.
    Unescaped(usize),
}

struct DocumentReader<'a> {
    source: &'a str,
    limits: &'a Limits,
    /// The accepted deviations; `None` for strict parsing.
    lenience: Option<&'a Lenience>,
    /// While parsing, `document.text` is the unescaped text.
    document: Document,
    open: Vec<OpenElement>,
    /// The records of the outermost elements.
    roots: Vec<u32>,
    /// The position of the name of the open outermost element in the source.
    root: Option<usize>,
    bindings: Vec<PrefixBinding<'a>>,
    pending: PendingText,
    /// The default namespace around the root.
    outer_ns: NsId,
    /// An index of all namespaces, once there are more than a few.
    known: BTreeMap<String, NsId>,
}

impl<'a> DocumentReader<'a> {
    /// Sets the default namespace around the root, as if the root stood in an element that declares it.
    fn surround(&mut self, default_ns: &str) {
        if !default_ns.is_empty() {
            self.outer_ns = self.intern_text(default_ns);
        }
    }

    fn run(&mut self) -> Result<(), XmlError> {
        // A byte order mark is not part of the document.
        let start = if self.source.starts_with('\u{feff}') {
            3
        } else {
            0
        };
        let mut at = start;
        while at < self.source.len() {
            at = match (self.byte(at), self.byte(at + 1)) {
                (b'<', b'/') => self.end_tag(at + 2)?,
                (b'<', b'!') => self.bang(at + 2)?,
                (b'<', b'?') => self.question(at + 2, at == start)?,
                (b'<', _) => self.start_tag(at + 1)?,
                (b'&', _) => self.reference(at + 1)?,
                _ => self.plain(at)?,
            };
        }
        if self.open.is_empty() && !self.roots.is_empty() {
            Ok(())
        } else {
            Err(XmlError::Truncated)
        }
    }

    /// The local name of the open outermost element; empty if there is none.
    fn name_of_root(&self) -> String {
        let Some(start) = self.root else {
            return String::new();
        };
        name_at(self.source, start)
    }

    /// The position of the first `end` from `at` on.
    fn find(&self, at: usize, end: &[u8]) -> Result<usize, XmlError> {
        let bytes = self.source.as_bytes();
        for place in at..bytes.len() {
            if bytes.get(place..place + end.len()) == Some(end) {
                return Ok(place);
            }
        }
        Err(XmlError::Truncated)
    }

    /// Parses a start tag from the position after `<`; returns the position to continue at, as do all following
    /// functions.
    fn start_tag(&mut self, start: usize) -> Result<usize, XmlError> {
        if self.open.is_empty() {
            self.root = Some(start);
        }
        let rest = self.source.as_bytes().get(start..).unwrap_or(&[]);
        let Some(len) = ElementParser::default().feed(rest) else {
            return Err(XmlError::Truncated);
        };
        let end = start + len;
        let empty = self.byte(end - 1) == b'/' && len > 0;
        self.start(start, if empty { end - 1 } else { end })?;
        if empty {
            self.end();
        }
        Ok(end + 1)
    }

    /// Parses an end tag from the position after `</`.
    fn end_tag(&mut self, start: usize) -> Result<usize, XmlError> {
        let end = self.find(start, b">")?;
        let name = self.slice(start, end);
        let name = name.trim_end_matches(|char| char < '!' && chars::is_white(char as u8));
        match self.open.last() {
            Some(open)
                if name == self.slice(open.name.start as usize, open.name.end() as usize) => {}
            _ => return Err(XmlError::Malformed("an end tag that closes nothing")),
        }
        self.flush()?;
        self.end();
        Ok(end + 1)
    }

    #[inline(always)]
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.source.get(start..end).unwrap_or("")
    }

    /// The byte at `at`; 0, which no document contains, beyond the end.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.source.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// Counts one more element, attribute or text.
    #[inline(always)]
    fn count(&self) -> Result<(), XmlError> {
        if self.document.records.len() + self.document.attributes.len() < self.limits.nodes {
            Ok(())
        } else {
            Err(XmlError::TooManyNodes)
        }
    }

    /// Opens the element whose tag extends from `start` to `end`, without `<` and `>` or `/>`.
    fn start(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        self.flush()?;
        if self.open.is_empty() && !self.roots.is_empty() && self.lenience.is_none() {
            return Err(XmlError::Malformed("a second root element"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep);
        }
        let mut name_end = start;
        while name_end < end && !chars::is_white(self.byte(name_end)) {
            name_end += 1;
        }
        let attributes = self.document.attributes.len();
        let outer_bindings = self.bindings.len() as u32;
        let mut default_ns = self
            .open
            .last()
            .map_or(self.outer_ns, |open| open.default_ns);
        if name_end < end {
            if let Some(declared) = self.attributes(name_end, end)? {
                default_ns = declared;
            }
            self.resolve(attributes)?;
        }
        let (prefix, name) = self.qualified_name(start, name_end)?;
        if prefix.is_empty()
            && (default_ns == self.outer_ns || default_ns == NO_NS)
            && let Some(lenience) = self.lenience
            && let Some(meant) = lenience.meant(
                self.open.len(),
                self.slice(name.start as usize, name.end() as usize),
            )
        {
            default_ns = self.intern_text(meant);
        }
        let ns = if prefix.is_empty() {
            default_ns
        } else {
            self.bound(prefix)?
        };
        self.count()?;
        if self.open.is_empty() {
            self.roots.push(self.document.records.len() as u32);
        }
        self.open.push(OpenElement {
            record: self.document.records.len() as u32,
            name: TextSpan::new(start, name_end),
            default_ns,
            outer_bindings,
        });
        self.document.records.push(Record::Element(ElementRecord {
            name,
            ns,
            end: 0,
            attributes: attributes as u32,
            attribute_count: (self.document.attributes.len() - attributes) as u32,
        }));
        Ok(())
    }

    /// Closes the innermost element.
    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.bindings.truncate(open.outer_bindings as usize);
        let end = self.document.records.len() as u32;
        if let Some(Record::Element(element)) = self.document.records.get_mut(open.record as usize)
        {
            element.end = end;
        }
        if self.open.is_empty() {
            self.root = None;
        }
    }

    /// Splits a name at its colon, into the prefix (empty when there is none) and the local part.
    fn qualified_name(&self, start: usize, end: usize) -> Result<(&'a str, TextSpan), XmlError> {
        let bytes = self.source.as_bytes().get(start..end).unwrap_or(&[]);
        // The start of the local part, and the classes that all bytes share.
        let mut local = 0;
        let mut common = NAME;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b':' && local == 0 {
                local = at + 1;
            } else {
                common &= chars::class(*byte);
            }
        }
        let begins = |at: usize| matches!(bytes.get(at), Some(byte) if chars::class(*byte) & NAME_START != 0);
        let prefix = match local.checked_sub(1) {
            Some(colon) => self.slice(start, start + colon),
            None => "",
        };
        let local = start + local;
        // Most names are ASCII and have been validated at this point.
        let known = common & NAME != 0 && begins(0) && begins(local - start);
        if known
            || (local == start || chars::is_name(prefix)) && chars::is_name(self.slice(local, end))
        {
            Ok((prefix, TextSpan::new(local, end)))
        } else {
            Err(XmlError::Malformed("a name that is none"))
        }
    }
}

/// The local name of the tag whose name begins at `start`.
fn name_at(text: &str, start: usize) -> String {
    let rest = text.get(start..).unwrap_or("");
    let ends = |char: char| matches!(char, '/' | '>' | '<') || char.is_ascii_whitespace();
    let name = rest.split(ends).next().unwrap_or("");
    let local = name.rsplit(':').next().unwrap_or("");
    // Do not report more than the length of a sensible name.
    local.chars().take(LONGEST_NAME).collect()
}

/// Whether a start tag begins with these two bytes.
fn is_opening((first, second): (u8, u8)) -> bool {
    first == b'<' && chars::class(second) & NAME_START != 0
}
