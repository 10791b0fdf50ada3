//! Masked copies of elements: one pass over the table, at any depth.

use std::rc::Rc;

use super::Element;
use super::document::{Document, Record};

/// The kinds of content to mask.
pub struct Secrets {
    /// Whether to mask all character data within an element.
    pub text: fn(&Element) -> bool,
    /// Whether to mask the value of the attribute of this name.
    pub attribute: fn(&Element, &str) -> bool,
    /// The replacement.
    pub mask: &'static str,
}

impl Element {
    /// The same element with its secrets replaced, or a plain clone if there are none.
    pub fn without(&self, secrets: &Secrets) -> Element {
        let (from, index) = self.place();
        let (text, attributes) = from.measure(index);
        let mut copy: Option<Document> = None;
        let mut hidden_until = 0;
        for (place, record) in (index..).zip(from.subtree(index)) {
            // Copied at the first secret; the copy's records stand in the same order.
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
