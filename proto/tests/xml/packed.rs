//! The packed form of an element, which JavaScript reads: against a reader of its own here, and against the table that the tests of
//! that reader use (`tests/unit/packed.json`).

use super::read;
use epode_proto::xml::{Element, Node};

/// Reads the packed form back, for comparison.
struct Packed {
    words: Vec<u32>,
    text: Vec<u16>,
}

impl Packed {
    fn of(element: &Element) -> Self {
        let words = element.pack();
        let bytes: Vec<u8> = words[words[0] as usize..]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        let used = &bytes[..words[1] as usize];
        assert!(bytes[used.len()..].iter().all(|byte| *byte == 0) && bytes.len() - used.len() < 4);
        let text = core::str::from_utf8(used).unwrap().encode_utf16().collect();
        Self { words, text }
    }

    fn slice(&self, start: u32, end: u32) -> String {
        String::from_utf16(&self.text[start as usize..end as usize]).unwrap()
    }

    fn ns(&self, id: u32) -> String {
        let at = self.words[2] as usize + 2 * (id as usize).saturating_sub(2);
        match id {
            0 => String::new(),
            1 => "http://www.w3.org/XML/1998/namespace".to_owned(),
            _ => self.slice(self.words[at], self.words[at + 1]),
        }
    }

    /// Compares the record at `at` with the element; returns the place behind it.
    fn compare(&self, at: usize, element: &Element) -> usize {
        let words = &self.words[at..];
        assert_eq!(words[0] % 2, 0, "an element");
        let count = (words[0] / 2) as usize;
        assert_eq!(self.ns(words[2]), element.ns());
        assert_eq!(self.slice(words[3], words[4]), element.name());
        let attributes: Vec<_> = element.attributes().collect();
        assert_eq!(attributes.len(), count);
        for (number, attribute) in attributes.iter().enumerate() {
            let record = &words[4 + 3 * number..];
            assert_eq!(self.slice(record[0], record[2]), attribute.name);
            assert_eq!(self.ns(record[1]), attribute.ns);
            assert_eq!(self.slice(record[2], record[3]), attribute.value);
        }
        let mut next = at + 5 + 3 * count;
        for node in element.nodes() {
            match node {
                Node::Element(child) => next = self.compare(next, &child),
                Node::Text(text) => {
                    assert_eq!(self.words[next], 1, "a text");
                    assert_eq!(self.slice(self.words[next + 1], self.words[next + 2]), text);
                    next += 3;
                }
            }
        }
        assert_eq!(words[1] as usize, next, "the end of {}", element.name());
        next
    }
}

#[track_caller]
fn check(element: &Element) {
    let packed = Packed::of(element);
    let end = packed.compare(3, element);
    assert_eq!(end, packed.words[2] as usize, "nothing behind the root");
}

#[test]
fn a_packed_element_is_complete() {
    for xml in [
        "<a/>",
        "<a>t</a>",
        "<a>one<b/>two<c>three</c></a>",
        // Characters of one, two, three and four bytes, which are one unit, but for the last, which is two.
        "<m xmlns='jabber:client' x='\u{1F600}' from='\u{e4}@b/\u{20ac}' id='1'><body>h\u{1F600}&lt;&amp;\u{e4}</body></m>",
        "<m xml:lang='en' p:a='1' a='2' xmlns:p='urn:p'><p:b p:c='\u{1F469}\u{200d}\u{1F469}'/><b xmlns='urn:q'/></m>",
        "<\u{e4}\u{f6} \u{fc}='1'/>",
    ] {
        check(&read(xml));
    }
}

/// A stanza of a BOSH answer is packed without what came beside it.
#[test]
fn only_the_element_itself_is_packed() {
    let body = read(
        "<body xmlns='urn:body'><one xmlns='urn:one'>first</one><two xmlns='urn:two' a='b'>second</two></body>",
    );
    let second = body.children().nth(1).unwrap();
    check(&second);
    let text = String::from_utf16(&Packed::of(&second).text).unwrap();
    assert_eq!(text, "urn:twotwoabsecond");
}

#[test]
fn a_megabyte_is_packed() {
    for piece in ["x", "\u{e4}", "\u{1F600}"] {
        let text = piece.repeat(1_000_000 / piece.len());
        check(&read(&format!("<a to='{piece}'><b>{text}</b>{text}</a>")));
    }
}

/// A tree that is built may be as deep as its builder likes.
#[test]
fn a_deep_tree_is_packed() {
    let mut element = Element::builder("a", "urn:a").text("within").build();
    for _ in 0..200 {
        element = Element::builder("a", "urn:a").child(element).build();
    }
    check(&element);
}

/// Both sides are held to one table: words on this side, strings on the other.
#[test]
fn the_table_that_javascript_reads_is_right() {
    let table = include_str!("../../../tests/unit/packed.json");
    let mut cases = 0;
    let mut wrong = Vec::new();
    for line in table.lines().filter(|line| line.contains("\"xml\"")) {
        let xml = line.split("\"xml\": \"").nth(1).unwrap();
        let xml = xml.split("\", \"words\"").next().unwrap();
        let words = line.split("\"words\": [").nth(1).unwrap();
        let words = words.split(']').next().unwrap();
        let packed: Vec<String> = read(xml).pack().iter().map(u32::to_string).collect();
        let packed = packed.join(", ");
        if packed != words {
            wrong.push(format!("{{\"xml\": \"{xml}\", \"words\": [{packed}]}},"));
        }
        cases += 1;
    }
    // A new case is written with any words: the right ones are printed here.
    assert!(
        wrong.is_empty(),
        "these lines should be:\n{}",
        wrong.join("\n")
    );
    assert!(cases >= 4, "{cases} cases");
}
