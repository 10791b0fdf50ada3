//! The handle to an element of a document.

use std::borrow::Cow;
use std::rc::Rc;

use super::builder::Builder;
use super::document::{AttributeRecord, Document, ElementRecord, NO_NS, NsId, Record};
use super::{chars, writer};
use crate::vec_map::VecMap;

/// An element: a handle into the table of its document, cheap to clone, which keeps the whole document alive
/// ([`Element::detach`]).
#[derive(Clone)]
pub struct Element {
    document: Rc<Document>,
    index: u32,
}

/// An attribute, as returned by [`Element::attributes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The local name.
    pub name: &'a str,
    /// The namespace; empty for most attributes, which have none.
    pub ns: &'a str,
    /// The value, unescaped.
    pub value: &'a str,
}

/// A child node of an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Character data, unescaped; adjacent pieces are one node.
    Text(String),
}

impl Element {
    /// The element at `index` of the table; `index` must be that of an element.
    pub(super) fn at(document: Rc<Document>, index: u32) -> Self {
        Self { document, index }
    }

    /// The table and the index of the element.
    pub(super) fn place(&self) -> (&Document, u32) {
        (&self.document, self.index)
    }

    fn record(&self) -> Option<&ElementRecord> {
        self.document.element(self.index)
    }

    /// Starts a new element of this local name and namespace (empty for none).
    pub fn builder(name: &str, ns: &str) -> Builder {
        Builder::new(name, ns)
    }

    /// The local name.
    pub fn name(&self) -> &str {
        self.record()
            .map_or("", |record| self.document.slice(record.name))
    }

    /// The namespace; empty when there is none.
    pub fn ns(&self) -> &str {
        self.record()
            .map_or("", |record| self.document.ns(record.ns))
    }

    /// Whether this is an element `name` in the namespace `ns`.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.is_at(self.index, name, ns)
    }

    fn is_at(&self, index: u32, name: &str, ns: &str) -> bool {
        self.document.element(index).is_some_and(|record| {
            self.document.reads(record.name, name) && self.document.ns(record.ns) == ns
        })
    }

    /// The value of the attribute `name` in no namespace.
    pub fn attr(&self, name: &str) -> Option<&str> {
        let mut records = self.attribute_records().iter();
        let found =
            records.find(|record| record.ns == NO_NS && self.document.reads(record.name, name))?;
        Some(self.document.slice(found.value))
    }

    /// The value of the attribute `name` of the namespace `ns`, such as `lang` of [`crate::ns::XML`].
    pub fn attr_ns(&self, name: &str, ns: &str) -> Option<&str> {
        let mut attributes = self.attributes();
        let found = attributes.find(|attribute| attribute.name == name && attribute.ns == ns)?;
        Some(found.value)
    }

    fn attribute_records(&self) -> &[AttributeRecord] {
        self.record()
            .map_or(&[], |record| self.document.attributes_of(record))
    }

    /// The attributes in document order, without namespace declarations.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes {
            document: &self.document,
            records: self.attribute_records().iter(),
        }
    }

    /// The indexes of the direct child nodes.
    fn inside(&self) -> ChildSteps<'_> {
        ChildSteps {
            document: &self.document,
            next: self.index.saturating_add(1),
            end: self.document.after(self.index),
        }
    }

    pub(super) fn handle(&self, index: u32) -> Self {
        Self::at(Rc::clone(&self.document), index)
    }

    /// The child elements in order.
    pub fn children(&self) -> Children<'_> {
        Children {
            parent: self,
            inside: self.inside(),
        }
    }

    /// The results of `read` for each child element of this name and namespace. Takes a function pointer, so that the
    /// wasm holds the loop once for each result type.
    pub fn read_children<T>(&self, name: &str, ns: &str, read: fn(&Element) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for child in self.children() {
            if child.is(name, ns) {
                all.push(read(&child));
            }
        }
        all
    }

    /// The direct character data without the white space around it.
    pub fn trimmed_text(&self) -> String {
        self.text().trim().into()
    }

    /// The child elements and texts in order.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        self.inside().map(|(index, record)| match record {
            Record::Element(_) => Node::Element(self.handle(index)),
            Record::Text(text) => Node::Text(self.document.slice(*text).into()),
        })
    }

    fn child_index(&self, name: &str, ns: &str) -> Option<u32> {
        let mut places = self.inside().map(|(index, _)| index);
        places.find(|index| self.is_at(*index, name, ns))
    }

    /// The first child element of this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<Element> {
        self.child_index(name, ns).map(|index| self.handle(index))
    }

    /// Whether there is a child element of this name and namespace.
    pub fn has_child(&self, name: &str, ns: &str) -> bool {
        self.child_index(name, ns).is_some()
    }

    /// The direct character data, concatenated; borrowed if it is one piece.
    pub fn text(&self) -> Cow<'_, str> {
        let mut all = Cow::Borrowed("");
        for (_, record) in self.inside() {
            if let Record::Text(text) = record {
                let piece = self.document.slice(*text);
                if all.is_empty() {
                    all = Cow::Borrowed(piece);
                } else {
                    all.to_mut().push_str(piece);
                }
            }
        }
        all
    }

    /// The text of the first child element of this name and namespace.
    pub fn child_text(&self, name: &str, ns: &str) -> Option<String> {
        self.child(name, ns).map(|child| child.text().into_owned())
    }

    /// The same element in a separate document, so that keeping the handle does not keep the rest of the received
    /// document alive.
    ///
    /// Copies slices without parsing. If the element is most of its document already, this is a plain clone.
    pub fn detach(&self) -> Element {
        let document = &self.document;
        let records = document.subtree(self.index).len();
        let (text, attributes) = document.measure(self.index);
        if weigh(text, records, attributes) >= self.held_bytes() / 2 {
            return self.clone();
        }
        let mut copy = Document::with_capacity(text + 64, records, attributes);
        copy.append(document, self.index);
        Self::at(Rc::new(copy), 0)
    }

    /// The approximate number of bytes that this handle keeps alive: those of its whole document.
    pub fn held_bytes(&self) -> usize {
        weigh(
            self.document.text.len(),
            self.document.records.len(),
            self.document.attributes.len(),
        )
    }

    /// The element as standalone XML, with its namespace declared.
    pub fn to_xml(&self) -> String {
        let (text, _) = self.document.measure(self.index);
        let mut out = String::with_capacity(text + text / 2 + 32);
        self.write(&mut out, "");
        out
    }

    /// Appends the element as XML to `out`, for a place where the default namespace is `parent_ns`: namespaces are
    /// declared where they differ from the parent's.
    ///
    /// In texts and values, characters that XML cannot carry are written as U+FFFD; names are written unchanged.
    /// [`Element::is_legal`] shows beforehand whether characters would be replaced.
    pub fn write(&self, out: &mut String, parent_ns: &str) {
        writer::write(&self.document, self.index, out, parent_ns);
    }

    /// Whether the element can be written as XML: all names are valid, and XML 1.0 allows every character (§2.2). A
    /// parsed element always can; a built element may hold any text.
    pub fn is_legal(&self) -> bool {
        let document = &*self.document;
        let text = |span| chars::is_xml_text(document.slice(span));
        // Each namespace is checked once, however many elements use it.
        let mut usable = VecMap::default();
        let mut is_usable = |ns: NsId| {
            let known = usable.get(&ns).copied();
            known.unwrap_or_else(|| {
                let found = is_usable_ns(document.ns(ns));
                usable.insert(ns, found);
                found
            })
        };
        document
            .subtree(self.index)
            .iter()
            .all(|record| match record {
                Record::Text(piece) => text(*piece),
                Record::Element(element) => {
                    chars::is_name(document.slice(element.name))
                        && is_usable(element.ns)
                        && document.attributes_of(element).iter().all(|attribute| {
                            let name = document.slice(attribute.name);
                            chars::is_name(name)
                                && !(name == "xmlns" && attribute.ns == NO_NS)
                                && is_usable(attribute.ns)
                                && text(attribute.value)
                        })
                }
            })
    }

    /// A copy with one more child at the end.
    pub fn with_child(&self, child: Element) -> Element {
        Builder::copy(self).child(child).build()
    }

    /// A copy with the attribute `name` (in no namespace) set or replaced.
    pub fn with_attr(&self, name: &str, value: &str) -> Element {
        Builder::copy(self).attr(name, value).build()
    }
}

/// The size of a table in bytes.
fn weigh(text: usize, records: usize, attributes: usize) -> usize {
    text + records * size_of::<Record>() + attributes * size_of::<AttributeRecord>()
}

/// Whether a namespace can be declared and written.
fn is_usable_ns(name: &str) -> bool {
    chars::is_xml_text(name) && name != crate::ns::XMLNS
}

/// Steps over the direct children of an element.
struct ChildSteps<'a> {
    document: &'a Document,
    next: u32,
    end: u32,
}

impl<'a> Iterator for ChildSteps<'a> {
    type Item = (u32, &'a Record);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        let record = self.document.records.get(index as usize)?;
        self.next = self.document.after(index);
        Some((index, record))
    }
}

/// [`Element::attributes`].
pub struct Attributes<'a> {
    document: &'a Document,
    records: core::slice::Iter<'a, AttributeRecord>,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    // As for `Children` below.
    #[inline(never)]
    fn next(&mut self) -> Option<Attribute<'a>> {
        let record = self.records.next()?;
        Some(Attribute {
            name: self.document.slice(record.name),
            ns: self.document.ns(record.ns),
            value: self.document.slice(record.value),
        })
    }
}

/// [`Element::children`].
pub struct Children<'a> {
    parent: &'a Element,
    inside: ChildSteps<'a>,
}

impl Iterator for Children<'_> {
    type Item = Element;

    // Not inlined, so that the wasm holds the stepping once and not in each of the many loops over children.
    #[inline(never)]
    fn next(&mut self) -> Option<Element> {
        loop {
            let (index, record) = self.inside.next()?;
            if matches!(record, Record::Element(_)) {
                return Some(self.parent.handle(index));
            }
        }
    }
}

impl PartialEq for Element {
    /// Whether both are equivalent XML: names, namespaces, attributes in any order, texts and children in order.
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (&*self.document, &*other.document);
        let (records, others) = (mine.subtree(self.index), theirs.subtree(other.index));
        // The names of each pair of namespaces are compared once.
        let mut same = VecMap::default();
        let mut same_ns = |one: NsId, two: NsId| {
            let known = same.get(&(one, two)).copied();
            known.unwrap_or_else(|| {
                let found = mine.ns(one) == theirs.ns(two);
                same.insert((one, two), found);
                found
            })
        };
        // Adjacent texts are merged in every table, so equal trees have equal records except for positions.
        records.len() == others.len()
            && records.iter().zip(others).all(|pair| match pair {
                (Record::Text(one), Record::Text(two)) => mine.slice(*one) == theirs.slice(*two),
                (Record::Element(one), Record::Element(two)) => {
                    one.end.wrapping_sub(self.index) == two.end.wrapping_sub(other.index)
                        && mine.slice(one.name) == theirs.slice(two.name)
                        && same_ns(one.ns, two.ns)
                        && same_attributes((mine, one), (theirs, two), &mut same_ns)
                }
                _ => false,
            })
    }
}

/// Whether two elements have the same attributes. An element has no attribute twice, so comparing in one direction is
/// enough.
fn same_attributes(
    (mine, one): (&Document, &ElementRecord),
    (theirs, two): (&Document, &ElementRecord),
    mut same_ns: impl FnMut(NsId, NsId) -> bool,
) -> bool {
    one.attribute_count == two.attribute_count
        && mine.attributes_of(one).iter().all(|own| {
            theirs.attributes_of(two).iter().any(|other| {
                mine.slice(own.name) == theirs.slice(other.name)
                    && mine.slice(own.value) == theirs.slice(other.value)
                    && same_ns(own.ns, other.ns)
            })
        })
}

impl core::fmt::Debug for Element {
    /// Writes the XML.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str(&self.to_xml())
    }
}
