//! The packed form of an element: words that another runtime reads without this module, and the text that they point
//! into.
//!
//! This form crosses to JavaScript, where strings are UTF-16: all text positions are counted in UTF-16 units.
//!
//! | words | what |
//! | --- | --- |
//! | 0 | the place of the namespaces, which follow the records |
//! | 1 … | the records in document order, the root first |
//! | namespaces | for each its start and its end in the text |
//!
//! A record of an element: `2 × attributes`, the place of the record behind its subtree, its namespace, start and end of its
//! name; for each attribute its namespace, start and end of its name, start and end of its value. A record of text: `1`,
//! its start and its end. A namespace is 0 for none, 1 for that of `xml:`, 2 for `jabber:client`, otherwise its place in the
//! table plus three.
//!
//! There are two kinds of texts. [`Element::pack`] makes one of the element's own pieces. [`Element::pack_in_frame`] makes
//! none where the caller still has the text that was received: the words point into that.

use super::Element;
use super::document::{Document, FIRST_NS, NsId, Record, TextSpan};
use crate::vec_map::VecMap;

/// The number of words before the first record.
const HEAD: usize = 1;
/// A small part of a longer frame, in bytes, is packed with a text of its own: it would keep the whole frame in memory, and
/// positions in a text that is not ASCII have to be counted from the start.
const LONG_FRAME: usize = 4096;

/// A packed element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The text that the words point into; for [`Element::pack_in_frame`], what follows the received text.
    pub text: String,
    /// The records and the namespaces.
    pub words: Vec<u32>,
}

/// A position in a text, in bytes and in UTF-16 units. Positions are asked for nearly in order, so each is counted from the one
/// before.
#[derive(Clone, Copy, Default)]
struct Cursor {
    byte: usize,
    unit: u32,
}

impl Cursor {
    /// Moves to `byte`; returns the position in units.
    fn seek(&mut self, text: &str, byte: usize) -> u32 {
        if byte >= self.byte {
            let passed = text.get(self.byte..byte).unwrap_or("");
            self.unit = self.unit.saturating_add(utf16_len(passed));
        } else {
            let passed = text.get(byte..self.byte).unwrap_or("");
            self.unit = self.unit.saturating_sub(utf16_len(passed));
        }
        self.byte = byte;
        self.unit
    }
}

/// The received text, while its pieces are located in it.
struct Frame<'a> {
    text: &'a str,
    is_ascii: bool,
    pieces: Cursor,
    /// Namespaces are declared elsewhere than the pieces around their first use.
    namespaces: Cursor,
}

struct Packer<'a> {
    document: &'a Document,
    frame: Option<Frame<'a>>,
    words: Vec<u32>,
    text: String,
    /// The length of the whole text in UTF-16 units, that of the frame included.
    units: u32,
    /// The numbers of the namespaces in the table, by their ids in the document.
    namespaces: VecMap<NsId, u32>,
    table: Vec<u32>,
}

impl<'a> Packer<'a> {
    fn new(document: &'a Document, frame: Option<Frame<'a>>, index: u32) -> Self {
        let records = document.subtree(index).len();
        // Enough for a stanza. Memory of the module is never given back: a large document that has attributes makes it grow.
        let words = HEAD + records * 5 + 32;
        let units = frame.as_ref().map_or(0, |frame| {
            if frame.is_ascii {
                frame.text.len() as u32
            } else {
                utf16_len(frame.text)
            }
        });
        Self {
            document,
            frame,
            words: Vec::with_capacity(words),
            text: String::new(),
            units,
            namespaces: VecMap::default(),
            table: Vec::new(),
        }
    }

    /// The start and end of a piece: in the frame, or in the text, to which it is appended.
    fn locate(&mut self, span: TextSpan, is_namespace: bool) -> [u32; 2] {
        let document = self.document;
        if let Some(frame) = &mut self.frame
            && span.end() <= document.received
        {
            if frame.is_ascii {
                return [span.start, span.end()];
            }
            let cursor = if is_namespace {
                &mut frame.namespaces
            } else {
                &mut frame.pieces
            };
            let start = cursor.seek(frame.text, span.start as usize);
            return [start, cursor.seek(frame.text, span.end() as usize)];
        }
        let piece = document.slice(span);
        self.text.push_str(piece);
        let start = self.units;
        self.units = start.saturating_add(utf16_len(piece));
        [start, self.units]
    }

    /// The number of the namespace in the table, to which it is added if it is new.
    fn ns(&mut self, id: NsId) -> u32 {
        let Some(span) = self.document.ns_span(id) else {
            return id;
        };
        if let Some(known) = self.namespaces.get(&id) {
            return *known;
        }
        let number = (self.table.len() / 2) as u32 + FIRST_NS;
        let place = self.locate(span, true);
        self.table.extend(place);
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
        let attributes = self.document.attributes_of(element);
        let ns = self.ns(element.ns);
        let [start, end] = self.locate(element.name, false);
        let count = attributes.len() as u32;
        self.words.extend([count << 1, 0, ns, start, end]);
        for attribute in attributes {
            let ns = self.ns(attribute.ns);
            let [start, end] = self.locate(attribute.name, false);
            let [from, to] = self.locate(attribute.value, false);
            self.words.extend([ns, start, end, from, to]);
        }
    }

    fn records(&mut self, index: u32) {
        // Iterative: a tree built by the caller may be deeper than the stack allows.
        let mut open: Vec<(u32, usize)> = Vec::new();
        for (place, record) in (index..).zip(self.document.subtree(index)) {
            self.close(&mut open, place);
            match record {
                Record::Text(span) => {
                    let [start, end] = self.locate(*span, false);
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

    fn pack(mut self, index: u32) -> Packed {
        self.words.extend([0; HEAD]);
        self.records(index);
        let table = self.place();
        self.set(0, table);
        self.words.append(&mut self.table);
        Packed {
            text: self.text,
            words: self.words,
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
    pub fn pack(&self) -> Packed {
        let (document, index) = self.place();
        let mut packer = Packer::new(document, None, index);
        packer.text.reserve(document.measure(index).0 + 64);
        packer.pack(index)
    }

    /// The caller's number of the frame that this element was parsed from; 0 where there is none.
    pub fn frame(&self) -> u32 {
        self.place().0.frame
    }

    /// Packs the element as a part of the text that was received: the words point into that text, followed by
    /// [`Packed::text`], which has the pieces that were received in another form (entities). `None` where the element is a
    /// small part of a long text.
    pub fn pack_in_frame(&self) -> Option<Packed> {
        let (document, index) = self.place();
        let text = document.text.get(..document.received as usize)?;
        if text.len() > LONG_FRAME && document.measure(index).0 < text.len() / 2 {
            return None;
        }
        let frame = Frame {
            text,
            is_ascii: text.is_ascii(),
            pieces: Cursor::default(),
            namespaces: Cursor::default(),
        };
        Some(Packer::new(document, Some(frame), index).pack(index))
    }
}
