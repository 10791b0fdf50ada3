//! The flat table of a document: one text buffer, and records that point into it.
//!
//! Records stand in document order; an element holds the position of its subtree's end, so that children are found by
//! stepping from end to end. There is no allocation per node. Adjacent pieces of text are one record, and no text
//! record is empty.

use crate::ns;
use crate::vec_map::VecMap;

/// A piece of the document's text, in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TextSpan {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl TextSpan {
    /// From `start` to `end`. Documents are smaller than 4 GiB (the reader checks the size; a built document does not
    /// fit in wasm's memory), so no position is truncated.
    #[inline(always)]
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            len: end.saturating_sub(start) as u32,
        }
    }

    /// The end of the span.
    #[inline(always)]
    pub(super) fn end(self) -> u32 {
        self.start.saturating_add(self.len)
    }
}

/// A namespace of a document: [`NO_NS`], [`XML_NS`], [`CLIENT_NS`], or its index in [`Document::namespaces`] plus [`FIRST_NS`].
pub(super) type NsId = u32;
/// No namespace.
pub(super) const NO_NS: NsId = 0;
/// The namespace of the `xml:` prefix, which documents use without declaring it.
pub(super) const XML_NS: NsId = 1;
/// `jabber:client`, the namespace around all that a server sends.
pub(super) const CLIENT_NS: NsId = 2;
/// The id of the first namespace in [`Document::namespaces`].
pub(super) const FIRST_NS: NsId = 3;
/// The number of latest namespaces that are compared with a new one: enough for any stanza. A reader with more
/// namespaces keeps an index, so that a document of nothing but different namespaces takes linear time.
pub(super) const INTERN_WINDOW: usize = 12;

/// An element in the table.
#[derive(Clone, Copy)]
pub(super) struct ElementRecord {
    pub(super) name: TextSpan,
    pub(super) ns: NsId,
    /// The index of the first record after the subtree.
    pub(super) end: u32,
    /// The index of its first attribute in [`Document::attributes`].
    pub(super) attributes: u32,
    /// The number of its attributes.
    pub(super) attribute_count: u32,
}

/// A record of the table.
#[derive(Clone, Copy)]
pub(super) enum Record {
    Element(ElementRecord),
    Text(TextSpan),
}

/// An attribute of an element in the table.
#[derive(Clone, Copy)]
pub(super) struct AttributeRecord {
    pub(super) name: TextSpan,
    pub(super) ns: NsId,
    pub(super) value: TextSpan,
}

/// Maps the namespaces of one document to those of another.
#[derive(Default)]
struct NamespaceMap {
    /// Most elements of a subtree share the namespace of the one before.
    last: (NsId, NsId),
    all: VecMap<NsId, NsId>,
}

/// A document: the text buffer and the table.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) records: Vec<Record>,
    pub(super) attributes: Vec<AttributeRecord>,
    pub(super) namespaces: Vec<TextSpan>,
    /// How many bytes of `text` were received; the rest, or all of it, was made here.
    pub(super) received: u32,
    /// The caller's number of the frame that was parsed; 0 for any other document.
    pub(super) frame: u32,
}

impl Document {
    /// Creates an empty document with reserved capacity.
    pub(super) fn with_capacity(text: usize, records: usize, attributes: usize) -> Self {
        Self {
            text: String::with_capacity(text),
            records: Vec::with_capacity(records),
            attributes: Vec::with_capacity(attributes),
            namespaces: Vec::with_capacity(4),
            received: 0,
            frame: 0,
        }
    }

    /// The text of a span.
    #[inline(always)]
    pub(super) fn slice(&self, span: TextSpan) -> &str {
        self.text
            .get(span.start as usize..span.end() as usize)
            .unwrap_or("")
    }

    /// Whether the text of a span is `text`. Most names differ in their length, which is compared first.
    #[inline(always)]
    pub(super) fn reads(&self, span: TextSpan, text: &str) -> bool {
        span.len as usize == text.len() && self.slice(span) == text
    }

    /// The name of a namespace.
    #[inline(always)]
    pub(super) fn ns(&self, id: NsId) -> &str {
        match id {
            NO_NS => "",
            XML_NS => ns::XML,
            CLIENT_NS => ns::CLIENT,
            _ => self.ns_span(id).map_or("", |span| self.slice(span)),
        }
    }

    /// Where the name of a namespace lies in the text; `None` for those that every document knows.
    #[inline(always)]
    pub(super) fn ns_span(&self, id: NsId) -> Option<TextSpan> {
        let place = id.checked_sub(FIRST_NS)?;
        self.namespaces.get(place as usize).copied()
    }

    /// The element at `index`.
    #[inline(always)]
    pub(super) fn element(&self, index: u32) -> Option<&ElementRecord> {
        match self.records.get(index as usize) {
            Some(Record::Element(element)) => Some(element),
            _ => None,
        }
    }

    /// The attributes of an element.
    #[inline(always)]
    pub(super) fn attributes_of(&self, element: &ElementRecord) -> &[AttributeRecord] {
        let start = element.attributes as usize;
        self.attributes
            .get(start..start + element.attribute_count as usize)
            .unwrap_or(&[])
    }

    /// The index of the record that follows the subtree at `index`.
    #[inline(always)]
    pub(super) fn after(&self, index: u32) -> u32 {
        match self.records.get(index as usize) {
            Some(Record::Element(element)) => element.end,
            _ => index + 1,
        }
    }

    /// The records of the subtree at `index`, itself first.
    pub(super) fn subtree(&self, index: u32) -> &[Record] {
        self.records
            .get(index as usize..self.after(index) as usize)
            .unwrap_or(&[])
    }

    /// Appends `text` to the buffer.
    pub(super) fn push_text(&mut self, text: &str) -> TextSpan {
        let start = self.text.len();
        self.text.push_str(text);
        TextSpan::new(start, self.text.len())
    }

    /// Adds a namespace whose name is already in the buffer.
    pub(super) fn enter_ns(&mut self, name: TextSpan) -> NsId {
        self.namespaces.push(name);
        self.namespaces.len() as NsId + FIRST_NS - 1
    }

    /// The id of the namespace `name`, which is added if it is new.
    pub(super) fn intern(&mut self, name: &str) -> NsId {
        if let Some(known) = known_ns(&self.namespaces, name, |span| self.slice(span)) {
            return known;
        }
        let name = self.push_text(name);
        self.enter_ns(name)
    }

    /// Copies the subtree at `index` of `from` to the end of the table: copies the texts and rebases the records
    /// without parsing.
    pub(super) fn append(&mut self, from: &Self, index: u32) {
        let base = self.records.len() as u32;
        let mut mapped = NamespaceMap::default();
        for record in from.subtree(index) {
            let copy = match record {
                Record::Text(text) => Record::Text(self.push_text(from.slice(*text))),
                Record::Element(element) => {
                    let attributes = self.attributes.len() as u32;
                    for attribute in from.attributes_of(element) {
                        let copy = AttributeRecord {
                            name: self.push_text(from.slice(attribute.name)),
                            ns: self.map_ns(from, attribute.ns, &mut mapped),
                            value: self.push_text(from.slice(attribute.value)),
                        };
                        self.attributes.push(copy);
                    }
                    Record::Element(ElementRecord {
                        name: self.push_text(from.slice(element.name)),
                        ns: self.map_ns(from, element.ns, &mut mapped),
                        end: element.end.saturating_sub(index).saturating_add(base),
                        attributes,
                        attribute_count: element.attribute_count,
                    })
                }
            };
            self.records.push(copy);
        }
    }

    /// The id in this document of namespace `id` of `from`. Each namespace is compared by name only once for a whole
    /// subtree.
    fn map_ns(&mut self, from: &Self, id: NsId, mapped: &mut NamespaceMap) -> NsId {
        if id < FIRST_NS {
            return id;
        }
        if mapped.last.0 != id {
            let known = mapped.all.get(&id).copied();
            let here = known.unwrap_or_else(|| self.intern(from.ns(id)));
            if known.is_none() {
                mapped.all.insert(id, here);
            }
            mapped.last = (id, here);
        }
        mapped.last.1
    }

    /// The bytes of text and the number of attributes of the subtree at `index`: the size of a copy.
    pub(super) fn measure(&self, index: u32) -> (usize, usize) {
        let mut text = 0;
        let mut attributes = 0;
        for record in self.subtree(index) {
            match record {
                Record::Text(piece) => text += piece.len as usize,
                Record::Element(element) => {
                    text += element.name.len as usize;
                    attributes += element.attribute_count as usize;
                    for attribute in self.attributes_of(element) {
                        text += (attribute.name.len + attribute.value.len) as usize;
                    }
                }
            }
        }
        (text, attributes)
    }
}

/// The id of the namespace `name`, if it is known.
pub(super) fn known_ns<'a>(
    namespaces: &[TextSpan],
    name: &str,
    text_of: impl Fn(TextSpan) -> &'a str,
) -> Option<NsId> {
    if name.is_empty() {
        return Some(NO_NS);
    }
    if name == ns::XML {
        return Some(XML_NS);
    }
    if name == ns::CLIENT {
        return Some(CLIENT_NS);
    }
    let first = namespaces.len().saturating_sub(INTERN_WINDOW);
    let mut recent = namespaces.iter().skip(first);
    let place =
        recent.position(|span| span.len as usize == name.len() && text_of(*span) == name)?;
    Some((first + place) as NsId + FIRST_NS)
}
