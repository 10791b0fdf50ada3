//! What a document says, once it is read.

use std::borrow::Cow;

use epode_proto::ns;
use epode_proto::xml::{Attribute, Limits, Node, parse_in};

use super::read;

#[test]
fn a_message() {
    let message = read(
        "<message xmlns='jabber:client' from='romeo@example.net/orchard' id='7' xml:lang='en'>\
         <body>Wherefore</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
    );
    assert_eq!(message.name(), "message");
    assert_eq!(message.ns(), ns::CLIENT);
    assert!(message.is("message", ns::CLIENT));
    assert!(!message.is("message", "jabber:server"));
    assert!(!message.is("iq", ns::CLIENT));
    assert_eq!(message.attr("from"), Some("romeo@example.net/orchard"));
    assert_eq!(message.attr("to"), None);
    assert_eq!(
        message.child_text("body", ns::CLIENT).as_deref(),
        Some("Wherefore")
    );
    assert_eq!(message.child_text("subject", ns::CLIENT), None);
    assert!(message.has_child("active", "http://jabber.org/protocol/chatstates"));
    assert!(!message.has_child("active", ns::CLIENT));
    assert_eq!(
        message
            .child("body", ns::CLIENT)
            .map(|body| body.text().into_owned()),
        Some("Wherefore".into())
    );
}

#[test]
fn attributes_in_their_namespaces() {
    let a = read("<a xmlns='d' xmlns:p='n' p:x='1' x='2' xml:lang='de'/>");
    assert_eq!(a.attr("x"), Some("2"));
    assert_eq!(a.attr("lang"), None);
    assert_eq!(a.attr_ns("x", "n"), Some("1"));
    assert_eq!(a.attr_ns("x", ""), Some("2"));
    // The default namespace is not that of attributes.
    assert_eq!(a.attr_ns("x", "d"), None);
    assert_eq!(a.attr_ns("lang", ns::XML), Some("de"));
    let all: Vec<_> = a.attributes().collect();
    let attribute = |name, ns, value| Attribute { name, ns, value };
    assert_eq!(
        all,
        [
            attribute("x", "n", "1"),
            attribute("x", "", "2"),
            attribute("lang", ns::XML, "de")
        ]
    );
}

#[test]
fn namespaces_by_prefix_and_by_default() {
    // A prefix bound on the element itself (RFC 7395 §3.3.2), after its use, and used by a child.
    let features = read(
        "<s:features a='' xmlns='d' xmlns:s='http://etherx.jabber.org/streams'><s:x/><y/></s:features>",
    );
    assert!(features.is("features", ns::STREAM));
    assert!(features.has_child("x", ns::STREAM));
    assert!(features.has_child("y", "d"));
    assert_eq!(features.attributes().count(), 1);

    // Bindings end with their element.
    let r =
        read("<r xmlns:p='outer'><p:a xmlns:p='inner'><p:b/></p:a><p:c/><d xmlns='x'/><e/></r>");
    let names: Vec<_> = r
        .children()
        .map(|child| format!("{{{}}}{}", child.ns(), child.name()))
        .collect();
    assert_eq!(names, ["{inner}a", "{outer}c", "{x}d", "{}e"]);
    assert!(r.child("a", "inner").unwrap().has_child("b", "inner"));

    // The default namespace taken back.
    let r = read("<r xmlns='d'><a xmlns=''><b/></a><c/></r>");
    assert!(r.child("a", "").unwrap().has_child("b", ""));
    assert!(r.has_child("c", "d"));

    // `xml` may be declared as what it is; a namespace is what its name is after unescaping.
    assert_eq!(
        read("<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:id='1'/>")
            .attr_ns("id", ns::XML),
        Some("1")
    );
    assert_eq!(read("<a xmlns='x&amp;y'/>").ns(), "x&y");
    assert_eq!(read("<p:a xmlns:p='x&#38;y'/>").ns(), "x&y");
    assert_eq!(read("<xml:a/>").ns(), ns::XML);
    // Prefixes are as long as they like, and not those of each other.
    let r = read("<r xmlns:a='1' xmlns:ab='2'><ab:x/><a:x/></r>");
    assert_eq!(
        r.children()
            .map(|child| child.ns().to_owned())
            .collect::<Vec<_>>(),
        ["2", "1"]
    );
}

#[test]
fn a_default_namespace_around_the_root() {
    let read_in =
        |xml: &str, ns: &str| parse_in(xml.as_bytes().to_vec(), &Limits::default(), ns).unwrap();
    let message = read_in(
        "<message id='&amp;'><body>&lt;</body><x xmlns='y'><z/></x></message>",
        ns::CLIENT,
    );
    assert!(message.is("message", ns::CLIENT));
    assert_eq!(message.attr("id"), Some("&"));
    assert_eq!(message.attr_ns("id", ns::CLIENT), None);
    assert_eq!(message.child_text("body", ns::CLIENT).as_deref(), Some("<"));
    assert!(message.child("x", "y").unwrap().has_child("z", "y"));
    assert!(read_in("<a xmlns=''/>", ns::CLIENT).is("a", ""));
    assert!(read_in("<a xmlns='b'/>", ns::CLIENT).is("a", "b"));
    assert!(read_in("<p:a xmlns:p='b'><c/></p:a>", ns::CLIENT).has_child("c", ns::CLIENT));
    assert!(read_in("<a/>", "").is("a", ""));
    assert!(read_in("<a/>", ns::XML).is("a", ns::XML));
}

#[test]
fn many_namespaces_in_one_document() {
    let mut xml = String::from("<r>");
    for round in 0..2 {
        for n in 0..100 {
            xml.push_str(&format!("<a xmlns='n{n}' b='{round}'/>"));
        }
    }
    xml.push_str("</r>");
    let r = read(&xml);
    for (at, child) in r.children().enumerate() {
        assert_eq!(child.ns(), format!("n{}", at % 100));
    }
    assert_eq!(r.children().count(), 200);
}

#[test]
fn entities_and_character_references() {
    let a = read(
        "<a b='&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#x1F600;'>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#x1f600; &amp;amp; end</a>",
    );
    assert_eq!(a.attr("b"), Some("<>&'\"AB\u{1f600}"));
    assert_eq!(a.text(), "<>&'\"AB\u{1f600} &amp; end");
    assert_eq!(
        read("<a>&#x10FFFD;&#9;&#xFFFD;&#0065;</a>").text(),
        "\u{10fffd}\t\u{fffd}A"
    );
    // In several texts of one document, none disturbs the other.
    let r = read("<r><a>&lt;1</a>plain<b c='&gt;'>2&gt;</b>&amp;</r>");
    assert_eq!(r.child_text("a", "").unwrap(), "<1");
    assert_eq!(r.child_text("b", "").unwrap(), "2>");
    assert_eq!(r.child("b", "").unwrap().attr("c"), Some(">"));
    assert_eq!(r.text(), "plain&");
}

#[test]
fn cdata_is_text() {
    let a = read("<a>one<![CDATA[<two> &amp; ]] ]>]]>&amp;<![CDATA[]]>three</a>");
    assert_eq!(a.text(), "one<two> &amp; ]] ]>&three");
    assert_eq!(a.nodes().count(), 1);
    assert_eq!(read("<a><![CDATA[x]]></a>").text(), "x");
    assert_eq!(read("<a><![CDATA[]]></a>").nodes().count(), 0);
    // `]]>` there and back: the end of one section, the rest in another, or escaped.
    assert_eq!(read("<a><![CDATA[]]]]><![CDATA[>]]></a>").text(), "]]>");
    assert_eq!(read("<a>]]&gt; ]] ]&#93;></a>").text(), "]]> ]] ]]>");
    assert_eq!(read("<a b=']]>'/>").attr("b"), Some("]]>"));
}

#[test]
fn line_ends_and_white_space() {
    // XML 1.0 §2.11 for text, §3.3.3 for attributes.
    assert_eq!(
        read("<a>1\r\n2\r3\n4\r\r\n5\n\r</a>").text(),
        "1\n2\n3\n4\n\n5\n\n"
    );
    assert_eq!(read("<a>\r</a>").text(), "\n");
    assert_eq!(read("<a>x\r&amp;\ny</a>").text(), "x\n&\ny");
    assert_eq!(read("<a><![CDATA[1\r\n2\r]]>\n</a>").text(), "1\n2\n\n");
    assert_eq!(read("<a>&#13;&#xD;\n</a>").text(), "\r\r\n");
    assert_eq!(
        read("<a b='1\t2\n3\r\n4\r5'/>").attr("b"),
        Some("1 2 3 4 5")
    );
    assert_eq!(read("<a b='&#9;&#10;&#13;'/>").attr("b"), Some("\t\n\r"));
    // White space in tags.
    let a = read("<a\r\n\tb = 'c'\n\td\t=\"e'\" ><f /></a\n>");
    assert_eq!(a.attr("b"), Some("c"));
    assert_eq!(a.attr("d"), Some("e'"));
    assert!(a.has_child("f", ""));
    // White space between elements is text as any other.
    let nodes: Vec<_> = read("<a> <b/>\n</a>").nodes().collect();
    assert_eq!(
        nodes,
        [
            Node::Text(" ".into()),
            Node::Element(read("<b/>")),
            Node::Text("\n".into())
        ]
    );
}

#[test]
fn every_kind_of_character() {
    let text =
        "😀👩‍👩‍👧‍👦 שלום \u{202e}مرحبا\u{202c} 中文 e\u{301} \u{fffd} \u{feff} ﬁ \u{7f}\u{85}\u{2028} ";
    let a = read(&format!("<a b='{text}'>{text}</a>"));
    assert_eq!(a.text(), text);
    assert_eq!(a.attr("b"), Some(text));
    let a = read("<été 名='1'><_-.9·/></été>");
    assert_eq!(a.name(), "été");
    assert_eq!(a.attr("名"), Some("1"));
    assert!(a.has_child("_-.9·", ""));
    assert_eq!(read("<😀/>").name(), "😀");
    assert_eq!(read("<a b='>/>' c=\"a>b\">></a>").text(), ">");
}

#[test]
fn around_the_root_element() {
    for xml in [
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes' ?>\r\n<a/>",
        "<?xml version='1.0' encoding='utf-8'?><a/>",
        "\u{feff}<a/>",
        "\u{feff}<?xml version='1.0'?><a/>",
        " \t\r\n<a/> \n",
        "<a></a>",
        "<a ></a >",
    ] {
        let a = read(xml);
        assert!(a.is("a", "") && a.nodes().count() == 0, "{xml}");
    }
}

#[test]
fn nodes_and_texts_in_order() {
    let r = read("<r>1<a>2<b>3</b>4</a>5<a x=''/><c/>6</r>");
    assert_eq!(r.text(), "156");
    assert!(matches!(r.text(), Cow::Owned(_)));
    assert!(matches!(
        r.child("a", "").unwrap().child("b", "").unwrap().text(),
        Cow::Borrowed("3")
    ));
    assert!(matches!(
        r.child("c", "").unwrap().text(),
        Cow::Borrowed("")
    ));
    assert_eq!(
        r.children()
            .map(|child| child.name().to_owned())
            .collect::<Vec<_>>(),
        ["a", "a", "c"]
    );
    // The first of several.
    assert_eq!(r.child_text("a", "").as_deref(), Some("24"));
    assert_eq!(r.child_text("c", "").as_deref(), Some(""));
    let nodes: Vec<_> = r
        .nodes()
        .map(|node| match node {
            Node::Text(text) => text,
            Node::Element(element) => element.to_xml(),
        })
        .collect();
    assert_eq!(
        nodes,
        ["1", "<a>2<b>3</b>4</a>", "5", "<a x=''/>", "<c/>", "6"]
    );
    // A grandchild is no child.
    assert!(!r.has_child("b", ""));
    assert_eq!(r.child("b", ""), None);
}

#[test]
fn examples_of_the_specifications() {
    let file = include_str!("../vectors/xml.json");
    let examples: serde_json::Value = serde_json::from_str(file).unwrap();
    let examples = examples.as_array().unwrap();
    assert!(examples.len() >= 5);
    for example in examples {
        let element = read(example["xml"].as_str().unwrap());
        let root = example["root"].as_array().unwrap();
        assert!(
            element.is(root[0].as_str().unwrap(), root[1].as_str().unwrap()),
            "{example}"
        );
        assert_eq!(read(&element.to_xml()), element);
    }
}
