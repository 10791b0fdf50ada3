//! A document for the XML reader. What it accepts holds nothing that XMPP forbids, is within the limits, and is the same when it
//! has been written and is read again.

use epode_proto::mask::masked;
use epode_proto::ns;
use epode_proto::xml::{Element, Limits, Node, XmlError, parse, parse_in};

/// Limits that a small input can meet.
const TIGHT: Limits = Limits {
    bytes: 400,
    depth: 4,
    attributes: 3,
    nodes: 12,
};

/// Limits that no input meets by being written again, with the declarations that it takes.
const WIDE: Limits = Limits {
    bytes: 1 << 30,
    depth: usize::MAX,
    attributes: usize::MAX,
    nodes: usize::MAX,
};

/// The target.
pub fn xml(data: &[u8]) {
    let read = parse(data.to_vec(), &Limits::default());
    match parse(data.to_vec(), &TIGHT) {
        Ok(element) => {
            assert!(data.len() <= TIGHT.bytes);
            assert!(measure(&element, TIGHT.depth, TIGHT.attributes) <= TIGHT.nodes);
            assert_eq!(read.as_ref(), Ok(&element), "more is less");
        }
        Err(error) => assert_eq!(error == XmlError::TooLarge, data.len() > TIGHT.bytes),
    }
    match read {
        Ok(element) => {
            check_source(std::str::from_utf8(data).expect("UTF-8"));
            check(&element);
        }
        Err(error) => assert!(!error.as_str().is_empty()),
    }
}

/// Nodes and attributes, none deeper or more on one element than that.
fn measure(element: &Element, depth: usize, attributes: usize) -> usize {
    assert!(depth > 0, "too deep");
    let own = element.attributes().count();
    assert!(own <= attributes, "too many attributes");
    let mut sum = 1 + own;
    for node in element.nodes() {
        sum += match node {
            Node::Element(child) => measure(&child, depth - 1, attributes),
            Node::Text(_) => 1,
        };
    }
    sum
}

/// No DTD, no comment, no processing instruction (RFC 6120 §11.1), told by the signs alone: in what is well-formed, `<` only ever
/// begins markup, but for character data that is marked as such.
fn check_source(source: &str) {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut rest = source.strip_prefix("<?xml").unwrap_or(source);
    while let Some((markup, behind)) = rest.split_once("<![CDATA[") {
        check_markup(markup);
        rest = behind.split_once("]]>").expect("the end of a section").1;
    }
    check_markup(rest);
}

fn check_markup(markup: &str) {
    assert!(!markup.contains("<!") && !markup.contains("<?"), "{markup}");
}

fn check(element: &Element) {
    assert!(element.is_legal());
    let text = element.to_xml();
    let again = read(&text);
    assert_eq!(&again, element);
    assert_eq!(again.to_xml(), text);

    // As it is written into a body or a stream.
    let mut inside = String::new();
    element.write(&mut inside, ns::CLIENT);
    let within = parse_in(inside.into_bytes(), &WIDE, ns::CLIENT);
    assert_eq!(within.as_ref(), Ok(element));

    let changed = element.with_attr("changed", "&");
    assert_eq!(changed.attr("changed"), Some("&"));
    assert_eq!(read(&changed.to_xml()), changed);
    assert!(read(&masked(element)).is_legal());

    let mut direct = String::new();
    for (at, node) in element.nodes().enumerate() {
        match node {
            Node::Text(text) => direct.push_str(&text),
            // Enough to see that a part stands alone, few enough to be quick.
            Node::Element(child) if at < 8 => {
                let alone = child.detach();
                assert_eq!(alone, child);
                assert_eq!(read(&child.to_xml()), alone);
            }
            Node::Element(_) => {}
        }
    }
    assert_eq!(element.text(), direct);
}

#[track_caller]
fn read(text: &str) -> Element {
    match parse(text.as_bytes().to_vec(), &WIDE) {
        Ok(element) => element,
        Err(error) => panic!("{error}: {text}"),
    }
}
