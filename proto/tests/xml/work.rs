//! The work that a document costs: it grows with the document and not faster, whatever is in it. Counted are bytes that are
//! allocated and bytes that are written; where neither can show it, the input is so large that a test with more than linear work
//! would not end.

use crate::support::counting::allocated;
use epode_proto::mask::masked;
use epode_proto::ns;
use epode_proto::xml::{Element, Limits, Node, parse};

fn read(text: String) -> Element {
    parse(text.into_bytes(), &Limits::default()).expect("well-formed XML")
}

/// `depth` elements one in another, around `inside`.
fn nested(open: &str, close: &str, depth: usize, inside: &str) -> String {
    format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
}

/// 3.6 MB, 120 deep, with a secret in it: copied once, and not once per level.
#[test]
fn masking_is_one_pass() {
    let text = nested(
        "<a>",
        "</a>",
        118,
        &format!("<password>x</password>{}", "<b/>text".repeat(400_000)),
    );
    let element = read(format!("<message xmlns='{}'>{text}</message>", ns::CLIENT));
    let (masked, bytes) = allocated(|| masked(&element));
    assert!(masked.contains("<password>…</password>"));
    // The copy of the table and of the text, and the written text.
    let once = element.held_bytes() + masked.len();
    assert!(bytes < 3 * once, "{bytes} bytes for {once}");
}

/// The same for what is in the namespace of BOSH's body: it is read so, and copied not at all.
#[test]
fn a_body_s_payload_is_adopted_while_reading() {
    use epode_proto::io::{ExchangeId, Input, Output, Transmit};
    let mut dialogue =
        crate::support::dialogue::Dialogue::online("wait='60' hold='1' requests='2'");
    let inside = nested("<a>", "</a>", 118, &"<b/>text".repeat(450_000));
    let text = format!(
        "<body xmlns='{}'><message>{inside}</message></body>",
        ns::HTTP_BIND
    );
    let length = text.len();
    let exchange = ExchangeId(dialogue.exchange_count() as u32 - 1);
    let body = text.into_bytes();
    let now = dialogue.now;
    let connection = &mut dialogue.connection;
    let (stanza, bytes) = allocated(|| {
        connection.handle_input(
            now,
            Input::HttpAnswered {
                exchange,
                status: 200,
                content_type: None,
                body,
            },
        );
        loop {
            match connection.poll_output(now) {
                Output::Event(epode_proto::event::Event::Stanza(stanza)) => break stanza,
                Output::Transmit(Transmit::Http { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert!(stanza.is("message", ns::CLIENT));
    let deepest = stanza.children().next().expect("an element");
    assert!(deepest.is("a", ns::CLIENT));
    // The table grows by doubling.
    let most = 4 * stanza.held_bytes();
    assert!(bytes < most, "{bytes} bytes for {length}, {most} at most");
}

/// A prefix is short and the namespace that it stands for may be long. Written, the namespace is declared once.
#[test]
fn a_long_namespace_is_written_once() {
    let long = format!("urn:{}", "x".repeat(200_000));
    let attributed = "<p:a p:b=''/><c/>".repeat(20_000);
    let text = format!("<r xmlns='urn:r' xmlns:p='{long}'>{attributed}</r>");
    let length = text.len();
    let element = read(text);
    let (written, bytes) = allocated(|| element.to_xml());
    assert!(
        written.len() < 4 * length,
        "{} bytes written for {length}",
        written.len()
    );
    assert!(bytes < 16 * length, "{bytes} bytes for {length}");
    assert_eq!(read(written), element);
    // A part of it stands alone as well.
    for child in element.children().take(3) {
        assert_eq!(read(child.to_xml()), child);
    }
}

/// Copies compare the names of namespaces once and not for each element: 100,000 elements in turn of two namespaces of 1 MB each
/// would be 100 GB.
#[test]
fn copies_compare_namespaces_once() {
    let long = "x".repeat(1_000_000);
    let turns = "<p:a/><q:a/>".repeat(50_000);
    let text = format!(
        "<r><s xmlns:p='urn:{long}1' xmlns:q='urn:{long}2'>{turns}</s>{}</r>",
        "<x/>".repeat(200_000)
    );
    let element = read(text);
    let part = element.children().next().expect("an element");
    let copy = part.detach();
    assert!(copy == part);
    let wrapped = Element::builder("w", "").child(part.clone()).build();
    assert!(wrapped.is_legal());
    assert!(wrapped.to_xml().len() < 10_000_000);
}

/// 64 attributes of one name on each element, in namespaces that are alike but for their ends.
#[test]
fn attributes_are_compared_by_their_namespaces_ids() {
    let long = "x".repeat(60_000);
    let mut declared = String::new();
    let mut attributes = String::new();
    for number in 0..60 {
        declared.push_str(&format!(" xmlns:p{number}='urn:{long}{number:02}'"));
        attributes.push_str(&format!(" p{number}:a=''"));
    }
    let text = format!(
        "<r{declared}>{}</r>",
        format!("<e{attributes}/>").repeat(10_000)
    );
    let element = read(text);
    assert_eq!(element.children().count(), 10_000);
}

/// Every element declares another namespace.
#[test]
fn many_namespaces() {
    let many: String = (0..200_000)
        .map(|number| format!("<a xmlns='urn:{number}'/>"))
        .collect();
    let text = format!("<r>{many}</r>");
    let length = text.len();
    let (element, bytes) = allocated(|| read(text));
    assert!(bytes < 32 * length, "{bytes} bytes for {length}");
    let (copy, bytes) = allocated(|| {
        let weigh = |child: Element| child.detach().held_bytes();
        element.children().map(weigh).sum::<usize>()
    });
    assert!(copy > length);
    assert!(bytes < 200 * length, "{bytes} bytes for {length}");
    assert_eq!(read(element.to_xml()), element);
}

/// Text in many pieces is one text.
#[test]
fn text_in_many_pieces() {
    let text = format!("<a>{}</a>", "x&amp;<![CDATA[y]]>\r".repeat(200_000));
    let length = text.len();
    let (element, bytes) = allocated(|| read(text));
    assert_eq!(
        element
            .nodes()
            .filter(|node| matches!(node, Node::Text(_)))
            .count(),
        1
    );
    assert_eq!(element.text().len(), 800_000);
    assert!(bytes < 16 * length, "{bytes} bytes for {length}");
}
