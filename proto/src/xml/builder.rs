//! Builds elements: a table filled in document order.

use std::rc::Rc;

use super::Element;
use super::document::{AttributeRecord, Document, ElementRecord, NO_NS, Record};

/// An element under construction; every step consumes and returns it.
///
/// ```
/// use epode_proto::{ns, xml::Element};
/// let ping = Element::builder("iq", ns::CLIENT)
///     .attr("type", "get")
///     .attr("id", "1")
///     .element("ping", ns::PING, |ping| ping)
///     .build();
/// assert_eq!(
///     ping.to_xml(),
///     "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"
/// );
/// ```
pub struct Builder(
    // Boxed, because every step moves it.
    Box<Table>,
);

struct Table {
    document: Document,
    /// The open elements, the root first.
    open: Vec<u32>,
    /// Whether the last record is text of the innermost open element, so that more text extends it.
    in_text: bool,
}

impl Builder {
    pub(super) fn new(name: &str, ns: &str) -> Self {
        let mut builder = Self(Box::new(Table {
            document: Document::with_capacity(128, 4, 4),
            open: Vec::with_capacity(4),
            in_text: false,
        }));
        builder.start(name, ns);
        builder
    }

    /// Copies an element in order to change it.
    pub(super) fn copy(element: &Element) -> Self {
        let (from, index) = element.place();
        let (text, attributes) = from.measure(index);
        let records = from.subtree(index).len();
        let mut document = Document::with_capacity(text + 128, records, attributes + 4);
        document.append(from, index);
        Self(Box::new(Table {
            document,
            open: vec![0],
            in_text: false,
        }))
    }

    fn start(&mut self, name: &str, ns: &str) {
        let element = ElementRecord {
            name: self.0.document.push_text(name),
            ns: self.0.document.intern(ns),
            end: 0,
            attributes: self.0.document.attributes.len() as u32,
            attribute_count: 0,
        };
        self.0.open.push(self.0.document.records.len() as u32);
        self.0.document.records.push(Record::Element(element));
        self.0.in_text = false;
    }

    fn end(&mut self) {
        let Some(index) = self.0.open.pop() else {
            return;
        };
        let end = self.0.document.records.len() as u32;
        if let Some(Record::Element(element)) = self.0.document.records.get_mut(index as usize) {
            element.end = end;
        }
        self.0.in_text = false;
    }

    /// Sets an attribute in no namespace; replaces one of that name.
    pub fn attr(mut self, name: &str, value: &str) -> Self {
        self.set(name, "", value);
        self
    }

    /// Sets an attribute if there is a value.
    pub fn attr_opt(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.set(name, "", value);
        }
        self
    }

    /// Sets an attribute in a namespace, such as `lang` of [`crate::ns::XML`].
    pub fn attr_ns(mut self, name: &str, ns: &str, value: &str) -> Self {
        self.set(name, ns, value);
        self
    }

    fn set(&mut self, name: &str, ns: &str, value: &str) {
        let document = &mut self.0.document;
        let Some(index) = self.0.open.last().map(|index| *index as usize) else {
            return;
        };
        let Some(Record::Element(mut element)) = document.records.get(index).copied() else {
            return;
        };
        let ns = if ns.is_empty() {
            NO_NS
        } else {
            document.intern(ns)
        };
        let value = document.push_text(value);
        let first = element.attributes as usize;
        let last = first + element.attribute_count as usize;
        let known = (first..last).find(|at| {
            document.attributes.get(*at).is_some_and(|attribute| {
                document.ns(attribute.ns) == document.ns(ns)
                    && document.slice(attribute.name) == name
            })
        });
        if let Some(attribute) = known.and_then(|at| document.attributes.get_mut(at)) {
            attribute.value = value;
            return;
        }
        if last != document.attributes.len() {
            // Children were added in between: move the element's attributes to the end to keep them together.
            element.attributes = document.attributes.len() as u32;
            for at in first..last {
                if let Some(attribute) = document.attributes.get(at).copied() {
                    document.attributes.push(attribute);
                }
            }
        }
        let name = document.push_text(name);
        document
            .attributes
            .push(AttributeRecord { name, ns, value });
        element.attribute_count += 1;
        if let Some(record) = document.records.get_mut(index) {
            *record = Record::Element(element);
        }
    }

    /// Appends character data.
    pub fn text(mut self, text: &str) -> Self {
        if text.is_empty() {
            return self;
        }
        let mut span = self.0.document.push_text(text);
        if self.0.in_text
            && let Some(Record::Text(last)) = self.0.document.records.last_mut()
        {
            if last.end() == span.start {
                last.len = last.len.saturating_add(span.len);
                return self;
            }
            // An attribute was set in between; its text lies between the two pieces.
            let mut joined = String::with_capacity((last.len + span.len) as usize);
            let last = *last;
            joined.push_str(self.0.document.slice(last));
            joined.push_str(self.0.document.slice(span));
            span = self.0.document.push_text(&joined);
            self.0.document.records.pop();
        }
        self.0.document.records.push(Record::Text(span));
        self.0.in_text = true;
        self
    }

    /// Appends a copy of an element.
    pub fn child(mut self, child: Element) -> Self {
        self.append(&child);
        self
    }

    /// Appends copies of elements.
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        for child in children {
            self.append(&child);
        }
        self
    }

    fn append(&mut self, child: &Element) {
        let (from, index) = child.place();
        self.0.document.append(from, index);
        self.0.in_text = false;
    }

    /// Appends a child element that is built in place: `fill` gets the builder within the child.
    pub fn element(mut self, name: &str, ns: &str, fill: impl FnOnce(Self) -> Self) -> Self {
        let depth = self.0.open.len();
        self.start(name, ns);
        let mut filled = fill(self);
        while filled.0.open.len() > depth {
            filled.end();
        }
        filled
    }

    /// Completes the element.
    pub fn build(mut self) -> Element {
        while !self.0.open.is_empty() {
            self.end();
        }
        Element::at(Rc::new(self.0.document), 0)
    }
}
