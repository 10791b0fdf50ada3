//! The packed form of an element: one array of 32-bit words that another runtime reads without this module.
//!
//! This form crosses to JavaScript, where strings are UTF-16: all text positions are counted in UTF-16 units.
//!
//! | words | what |
//! | --- | --- |
//! | 0 | the place of the text: the word at which its bytes begin |
//! | 1 | how many bytes of UTF-8 the text has; the last word is filled up with zeros |
//! | 2 | the place of the namespaces, which end where the text begins |
//! | 3 … | the records in document order, the root first |
//! | namespaces | for each its start and its end in the text |
//! | text | the bytes, four to a word, the first in the lowest bits |
//!
//! A record of an element: `2 × attributes`, the place of the record behind its subtree, its namespace, start and end of its name; for each
//! attribute its namespace, the end of its name and the end of its value. A name begins where the piece before it ends, a value
//! where its name ends. A record of text: `1`, its start and its end. A namespace is 0 for none, 1 for that of `xml:`, otherwise
//! its place in the table plus two.

use super::Element;
use super::document::{Document, NsId, Record, XML_NS};
use crate::vec_map::VecMap;

/// The number of words before the first record.
const HEAD: usize = 3;

struct Packer<'a> {
    document: &'a Document,
    words: Vec<u32>,
    text: String,
    /// The length of `text` in UTF-16 units.
    units: u32,
    /// The positions of the namespaces in the table, by their ids in the document.
    namespaces: VecMap<NsId, u32>,
    table: Vec<u32>,
}

impl Packer<'_> {
    /// Appends a piece of text. Returns the position of its end.
    fn put(&mut self, piece: &str) -> u32 {
        self.text.push_str(piece);
        self.units = self.units.saturating_add(utf16_len(piece));
        self.units
    }

    /// The id of the namespace in the table, which is added if it is new.
    fn ns(&mut self, id: NsId) -> u32 {
        if id <= XML_NS {
            return id;
        }
        if let Some(known) = self.namespaces.get(&id) {
            return *known;
        }
        let number = (self.table.len() / 2) as u32 + 2;
        let start = self.units;
        let end = self.put(self.document.ns(id));
        self.table.extend([start, end]);
        self.namespaces.insert(id, number);
        number
    }

    fn place(&self) -> u32 {
        self.words.len() as u32
    }

    fn set(&mut self, at: usize, value: u32) {
        if let Some(word) = self.words.get_mut(at) {
            *word = value;
        }
    }

    fn element(&mut self, element: &super::document::ElementRecord) {
        let document = self.document;
        let attributes = document.attributes_of(element);
        // Write all namespaces first: the pieces of an element must be adjacent in the text.
        let ns = self.ns(element.ns);
        for attribute in attributes {
            self.ns(attribute.ns);
        }
        let start = self.units;
        let end = self.put(document.slice(element.name));
        let count = attributes.len() as u32;
        self.words.extend([count << 1, 0, ns, start, end]);
        for attribute in attributes {
            let ns = self.ns(attribute.ns);
            let name = self.put(document.slice(attribute.name));
            let value = self.put(document.slice(attribute.value));
            self.words.extend([ns, name, value]);
        }
    }

    fn records(&mut self, index: u32) {
        // Iterative: a tree built by the caller may be deeper than the stack allows.
        let mut open: Vec<(u32, usize)> = Vec::new();
        for (place, record) in (index..).zip(self.document.subtree(index)) {
            self.close(&mut open, place);
            match record {
                Record::Text(span) => {
                    let start = self.units;
                    let end = self.put(self.document.slice(*span));
                    self.words.extend([1, start, end]);
                }
                Record::Element(element) => {
                    open.push((element.end, self.words.len()));
                    self.element(element);
                }
            }
        }
        self.close(&mut open, u32::MAX);
    }

    /// Writes the ends of the elements that end before the record at `place`.
    fn close(&mut self, open: &mut Vec<(u32, usize)>, place: u32) {
        let here = self.place();
        while let Some((_, at)) = open.pop_if(|(end, _)| *end <= place) {
            self.set(at + 1, here);
        }
    }
}

fn utf16_len(text: &str) -> u32 {
    if text.is_ascii() {
        return text.len() as u32;
    }
    let units: usize = text.chars().map(char::len_utf16).sum();
    units as u32
}

impl Element {
    /// Packs the element with its subtree: see the description at the head of this file. Nothing of the surrounding
    /// document is included.
    pub fn pack(&self) -> Vec<u32> {
        let (document, index) = self.place();
        let (bytes, attributes) = document.measure(index);
        let records = document.subtree(index).len();
        let words = HEAD + records * 5 + attributes * 3 + bytes / 4 + 24;
        let mut packer = Packer {
            document,
            words: Vec::with_capacity(words),
            text: String::with_capacity(bytes + 64),
            units: 0,
            namespaces: VecMap::default(),
            table: Vec::new(),
        };
        packer.words.extend([0; HEAD]);
        packer.records(index);
        let table = packer.place();
        let mut entries = core::mem::take(&mut packer.table);
        packer.words.append(&mut entries);
        let text = packer.place();
        packer.set(0, text);
        packer.set(1, packer.text.len() as u32);
        packer.set(2, table);
        let Packer {
            mut words, text, ..
        } = packer;
        let (whole, rest) = text.as_bytes().as_chunks::<4>();
        words.extend(whole.iter().map(|bytes| u32::from_le_bytes(*bytes)));
        if !rest.is_empty() {
            let mut last = [0; 4];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            words.push(u32::from_le_bytes(last));
        }
        words
    }
}
