//! Writes elements as the shortest equivalent XML. Elements have no prefixes; each attribute in a namespace gets one.

use super::chars::{ESCAPE_TEXT, ESCAPE_VALUE, class};
use super::document::{Document, ElementRecord, NO_NS, NsId, Record, XML_NS};
use crate::ns;
use crate::vec_map::VecMap;

/// The length in bytes from which a namespace is declared once, at the root, and not where it is used. Otherwise the
/// written XML could be hundreds of times as long as the received XML, because each short prefix would become the whole
/// name.
const LONG_NS: usize = 64;

/// An element whose end tag has not been written yet.
struct OpenTag<'a> {
    end: u32,
    element: &'a ElementRecord,
    /// The default namespace within the element.
    ns: DefaultNamespace<'a>,
}

/// A default namespace: one of the document, or the one around the written element.
#[derive(Clone, Copy)]
enum DefaultNamespace<'a> {
    Own(NsId),
    Around(&'a str),
}

impl DefaultNamespace<'_> {
    /// Compares names only if the ids are not comparable.
    fn is(self, document: &Document, ns: NsId) -> bool {
        match self {
            Self::Own(own) => own == ns,
            Self::Around(name) => document.ns(ns) == name,
        }
    }
}

/// Writes the subtree at `index` for a place where the default namespace is `parent_ns`.
pub(super) fn write(document: &Document, index: u32, out: &mut String, parent_ns: &str) {
    let long = long_namespaces(document, index);
    // Iterative: a tree built by the caller may be deeper than the stack allows.
    let mut open: Vec<OpenTag<'_>> = Vec::new();
    for (place, record) in (index..).zip(document.subtree(index)) {
        match record {
            Record::Text(text) => escape(out, document.slice(*text), ESCAPE_TEXT),
            Record::Element(element) => {
                let outer = open
                    .last()
                    .map_or(DefaultNamespace::Around(parent_ns), |open| open.ns);
                let ns = start_tag(document, element, outer, &long, open.is_empty(), out);
                if element.end == place + 1 {
                    out.push_str("/>");
                } else {
                    out.push('>');
                    let end = element.end;
                    open.push(OpenTag { end, element, ns });
                }
            }
        }
        while open.last().is_some_and(|last| last.end == place + 1) {
            if let Some(last) = open.pop() {
                out.push_str("</");
                tag_name(document, last.element, &long, out);
                out.push('>');
            }
        }
    }
}

/// The long namespaces of the subtree, each once; the index determines the prefix.
fn long_namespaces(document: &Document, index: u32) -> VecMap<NsId, usize> {
    let mut long = VecMap::default();
    if document
        .namespaces
        .iter()
        .all(|ns| ns.len as usize <= LONG_NS)
    {
        return long;
    }
    let mut note = |ns: NsId| {
        if document.ns(ns).len() > LONG_NS && ns > XML_NS && !long.contains_key(&ns) {
            long.insert(ns, long.len());
        }
    };
    for record in document.subtree(index) {
        if let Record::Element(element) = record {
            note(element.ns);
            for attribute in document.attributes_of(element) {
                note(attribute.ns);
            }
        }
    }
    long
}

/// Writes an element's name. The namespace of `xml:` can only be expressed by that prefix.
fn tag_name(
    document: &Document,
    element: &ElementRecord,
    long: &VecMap<NsId, usize>,
    out: &mut String,
) {
    if element.ns == XML_NS {
        out.push_str("xml:");
    } else if let Some(place) = long.get(&element.ns) {
        out.push_str(&prefix_of("long", *place));
        out.push(':');
    }
    out.push_str(document.slice(element.name));
}

/// Writes `<name …` without the end of the tag. Returns the default namespace within the element.
fn start_tag<'a>(
    document: &'a Document,
    element: &ElementRecord,
    outer: DefaultNamespace<'a>,
    long: &VecMap<NsId, usize>,
    root: bool,
    out: &mut String,
) -> DefaultNamespace<'a> {
    out.push('<');
    tag_name(document, element, long, out);
    let prefixed = element.ns == XML_NS || long.contains_key(&element.ns);
    let ns = if prefixed || outer.is(document, element.ns) {
        outer
    } else {
        attribute(out, "", "xmlns", document.ns(element.ns));
        DefaultNamespace::Own(element.ns)
    };
    if root {
        for (ns, place) in long.iter() {
            attribute(out, "xmlns", &prefix_of("long", *place), document.ns(*ns));
        }
    }
    let attributes = document.attributes_of(element);
    for (at, record) in attributes.iter().enumerate() {
        let name = document.slice(record.name);
        let value = document.slice(record.value);
        match record.ns {
            NO_NS => attribute(out, "", name, value),
            XML_NS => attribute(out, "xml", name, value),
            other => {
                if let Some(place) = long.get(&other) {
                    attribute(out, &prefix_of("long", *place), name, value);
                    continue;
                }
                let first = attributes.iter().position(|one| one.ns == other);
                let uri = document.ns(other);
                let prefix = if uri == ns::XBOSH {
                    // COMPAT(ejabberd): it finds the attribute `xmpp:restart` only by its prefix.
                    String::from("xmpp")
                } else {
                    prefix_of("ns", first.unwrap_or(at))
                };
                if first == Some(at) {
                    attribute(out, "xmlns", &prefix, uri);
                }
                attribute(out, &prefix, name, value);
            }
        }
    }
    ns
}

/// A prefix: a word and a number in letters.
fn prefix_of(word: &str, number: usize) -> String {
    let mut prefix = String::from(word);
    let mut rest = number;
    loop {
        prefix.push((b'a' + (rest % 26) as u8) as char);
        rest /= 26;
        if rest == 0 {
            return prefix;
        }
    }
}

/// Writes ` prefix:name='value'`.
fn attribute(out: &mut String, prefix: &str, name: &str, value: &str) {
    out.push(' ');
    if !prefix.is_empty() {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(name);
    out.push_str("='");
    escape(out, value, ESCAPE_VALUE);
    out.push('\'');
}

/// Appends `value` as the value of an attribute, without its quotes.
pub(super) fn escape_value(out: &mut String, value: &str) {
    escape(out, value, ESCAPE_VALUE);
}

/// Appends `text`, with the bytes of the class `special` as references. A character that XML cannot carry becomes
/// U+FFFD, so that no text makes a document ill-formed.
fn escape(out: &mut String, text: &str, special: u8) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if class(byte) & special == 0 {
            continue;
        }
        let (written, len) = match byte {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'\'' => ("&apos;", 1),
            b'"' => ("&quot;", 1),
            b'\t' => ("&#9;", 1),
            b'\n' => ("&#10;", 1),
            b'\r' => ("&#13;", 1),
            // The first byte of U+F000 to U+FFFF; two of these code points are not XML characters.
            0x80.. => match text.as_bytes().get(at + 1..at + 3) {
                Some([0xBF, 0xBE | 0xBF]) => ("\u{fffd}", 3),
                _ => continue,
            },
            _ => ("\u{fffd}", 1),
        };
        out.push_str(text.get(plain..at).unwrap_or(""));
        out.push_str(written);
        plain = at + len;
    }
    out.push_str(text.get(plain..).unwrap_or(""));
}
