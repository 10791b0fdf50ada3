//! Copies that hide something: one pass over the table, however deep the element is.

use std::rc::Rc;

use super::Element;
use super::document::{Document, Record};

/// The kinds of content to mask.
pub struct Secrets {
    /// Whether all character data within an element is.
    pub text: fn(&Element) -> bool,
    /// Whether the value of an element's attribute of this name is.
    pub attribute: fn(&Element, &str) -> bool,
    /// What stands in its place.
    pub mask: &'static str,
}

impl Element {
    /// The same element with its secrets replaced, or a plain clone where there are none.
    pub fn without(&self, secrets: &Secrets) -> Element {
        let (from, index) = self.place();
        let (text, attributes) = from.measure(index);
        let mut copy: Option<Document> = None;
        let mut hidden_until = 0;
        for (place, record) in (index..).zip(from.subtree(index)) {
            // Copied once there is something to hide; the records stand in the same order then.
            let at = (place - index) as usize;
            let whole = |copy: &mut Option<Document>| {
                copy.get_or_insert_with(|| {
                    let records = from.subtree(index).len();
                    let mut whole = Document::with_capacity(text + 64, records, attributes);
                    whole.append(from, index);
                    whole
                });
            };
            match record {
                Record::Text(_) if place < hidden_until => {
                    whole(&mut copy);
                    if let Some(copy) = &mut copy {
                        let mask = copy.push_text(secrets.mask);
                        if let Some(record) = copy.records.get_mut(at) {
                            *record = Record::Text(mask);
                        }
                    }
                }
                Record::Text(_) => {}
                Record::Element(element) => {
                    let handle = self.handle(place);
                    if (secrets.text)(&handle) {
                        hidden_until = element.end.max(hidden_until);
                    }
                    for (nth, attribute) in from.attributes_of(element).iter().enumerate() {
                        if !(secrets.attribute)(&handle, from.slice(attribute.name)) {
                            continue;
                        }
                        whole(&mut copy);
                        if let Some(copy) = &mut copy {
                            let mask = copy.push_text(secrets.mask);
                            let first = match copy.records.get(at) {
                                Some(Record::Element(own)) => own.attributes as usize,
                                _ => continue,
                            };
                            if let Some(attribute) = copy.attributes.get_mut(first + nth) {
                                attribute.value = mask;
                            }
                        }
                    }
                }
            }
        }
        match copy {
            Some(copy) => Element::at(Rc::new(copy), 0),
            None => self.clone(),
        }
    }
}
