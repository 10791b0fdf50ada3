//! The packed form of an element, which JavaScript reads: against a reader of its own here, and against the table that the tests of
//! that reader use (`tests/unit/packed.json`).

use super::read;
use epode_proto::xml::{Element, Lenience, Limits, Node, Packed, parse_leniently};

/// Reads the packed form back, for comparison.
struct Unpacked {
    words: Vec<u32>,
    text: Vec<u16>,
}

impl Unpacked {
    fn of(element: &Element) -> Self {
        let Packed { text, words } = element.pack();
        let text = text.encode_utf16().collect();
        Self { words, text }
    }

    /// In the text that was received.
    fn in_frame(element: &Element, received: &str) -> Option<Self> {
        let Packed { text, words } = element.pack_in_frame()?;
        let text = received.encode_utf16().chain(text.encode_utf16()).collect();
        Some(Self { words, text })
    }

    fn slice(&self, start: u32, end: u32) -> String {
        String::from_utf16(&self.text[start as usize..end as usize]).unwrap()
    }

    fn ns(&self, id: u32) -> String {
        let at = self.words[0] as usize + 2 * (id as usize).saturating_sub(3);
        match id {
            0 => String::new(),
            1 => "http://www.w3.org/XML/1998/namespace".to_owned(),
            2 => "jabber:client".to_owned(),
            _ => self.slice(self.words[at], self.words[at + 1]),
        }
    }

    fn compare_all(&self, element: &Element) {
        let end = self.compare(1, element);
        assert_eq!(end, self.words[0] as usize, "nothing behind the root");
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
            let record = &words[5 + 5 * number..];
            assert_eq!(self.ns(record[0]), attribute.ns);
            assert_eq!(self.slice(record[1], record[2]), attribute.name);
            assert_eq!(self.slice(record[3], record[4]), attribute.value);
        }
        let mut next = at + 5 + 5 * count;
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
    Unpacked::of(element).compare_all(element);
}

/// Reads `xml` as a frame of a server and compares both forms of each of its elements and their children.
#[track_caller]
fn check_frame(xml: &str) {
    let limits = Limits::default();
    let (elements, unreadable) = parse_leniently(xml.as_bytes().to_vec(), 7, &limits, &LENIENCE);
    assert!(unreadable.is_none(), "{xml}");
    for element in elements {
        assert_eq!(element.frame(), 7);
        for part in element.children().chain([element.clone()]) {
            check(&part);
            let packed = Unpacked::in_frame(&part, xml);
            packed.expect("a short frame").compare_all(&part);
        }
    }
}

const LENIENCE: Lenience = Lenience {
    default_ns: "jabber:client",
    level: 0,
    stream_level: &[("features", "http://etherx.jabber.org/streams")],
    prefixes: &[("stream", "http://etherx.jabber.org/streams")],
};

#[test]
fn a_packed_element_is_complete() {
    for xml in CASES {
        check(&read(xml));
        check_frame(xml);
    }
}

/// What the reader adds or converts is in no received text: it follows it.
#[test]
fn what_was_not_received_so_follows_the_received_text() {
    for xml in [
        "<stream:features><a xmlns='urn:a'>\u{1F600}&#x1F600;</a></stream:features>",
        "<features/>",
        "\u{feff}<?xml version='1.0'?><message to='\u{e4}&amp;b'>one&lt;two<![CDATA[three]]>\r\nfour</message>",
        "<unknown:a b='\n'/> <message/>",
        "<iq xmlns:\u{e4}='urn:&amp;'><\u{e4}:q \u{e4}:x='\u{1F600}'/><q xmlns='urn:&amp;'/></iq>",
    ] {
        check_frame(xml);
    }
    let frame = "<message from='a@b'><body>plain</body></message>";
    let (elements, _) = parse_leniently(frame.into(), 1, &Limits::default(), &LENIENCE);
    assert_eq!(
        elements[0].pack_in_frame().unwrap().text,
        "",
        "nothing to add"
    );
}

/// Prefixes that are used in another order than they were declared in.
#[test]
fn namespaces_are_located_in_any_order() {
    let declared: String = (0..40)
        .map(|one| format!(" xmlns:n{one}='urn:\u{e4}:{one}'"))
        .collect();
    let used: String = (0..40)
        .rev()
        .map(|one| format!("<n{one}:a/>\u{1F600}"))
        .collect();
    check_frame(&format!("<message{declared}>{used}</message>"));
}

/// A part of a long frame would keep all of it, so it gets a text of its own.
#[test]
fn a_small_part_of_a_long_frame_has_a_text_of_its_own() {
    let large = "x".repeat(10_000);
    let frame = format!("<message><a>{large}</a><b>small</b></message>");
    let (elements, _) = parse_leniently(frame.clone().into(), 1, &Limits::default(), &LENIENCE);
    let parts: Vec<Element> = elements[0].children().collect();
    assert!(parts[1].pack_in_frame().is_none());
    assert_eq!(parts[1].pack().text, "bsmall");
    Unpacked::in_frame(&parts[0], &frame)
        .unwrap()
        .compare_all(&parts[0]);
    assert_eq!(
        elements[0].with_attr("id", "1").frame(),
        0,
        "a copy is no part of the frame"
    );
}

const CASES: [&str; 6] = [
    "<a/>",
    "<a>t</a>",
    "<a>one<b/>two<c>three</c></a>",
    // Characters of one, two, three and four bytes, which are one unit, but for the last, which is two.
    "<m xmlns='jabber:client' x='\u{1F600}' from='\u{e4}@b/\u{20ac}' id='1'><body>h\u{1F600}&lt;&amp;\u{e4}</body></m>",
    "<m xml:lang='en' p:a='1' a='2' xmlns:p='urn:p'><p:b p:c='\u{1F469}\u{200d}\u{1F469}'/><b xmlns='urn:q'/></m>",
    "<\u{e4}\u{f6} \u{fc}='1'/>",
];

/// A stanza of a BOSH answer is packed without what came beside it.
#[test]
fn only_the_element_itself_is_packed() {
    let body = read(
        "<body xmlns='urn:body'><one xmlns='urn:one'>first</one><two xmlns='urn:two' a='b'>second</two></body>",
    );
    let second = body.children().nth(1).unwrap();
    check(&second);
    let text = String::from_utf16(&Unpacked::of(&second).text).unwrap();
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
        let xml = xml.split("\", \"text\"").next().unwrap();
        let text = line.split("\"text\": \"").nth(1).unwrap();
        let text = text.split("\", \"words\"").next().unwrap();
        let words = line.split("\"words\": [").nth(1).unwrap();
        let words = words.split(']').next().unwrap();
        let packed = read(xml).pack();
        let numbers: Vec<String> = packed.words.iter().map(u32::to_string).collect();
        let numbers = numbers.join(", ");
        if numbers != words || packed.text != text {
            let text = packed.text;
            wrong.push(format!(
                "{{\"xml\": \"{xml}\", \"text\": \"{text}\", \"words\": [{numbers}]}},"
            ));
        }
        cases += 1;
    }
    // A new case is written with any text and words: the right ones are printed here.
    assert!(
        wrong.is_empty(),
        "these lines should be:\n{}",
        wrong.join("\n")
    );
    assert!(cases >= 4, "{cases} cases");
}
