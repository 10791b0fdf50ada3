//! What is built, changed and written.

use epode_proto::ns;
use epode_proto::xml::{Element, is_xml_text};

use super::{read, try_read};

#[test]
fn a_built_request() {
    let iq = Element::builder("iq", ns::CLIENT)
        .attr("type", "set")
        .attr_opt("to", Some("pubsub.example.org"))
        .attr_opt("from", None)
        .attr_ns("lang", ns::XML, "en")
        .element("pubsub", ns::PUBSUB, |pubsub| {
            pubsub
                .element("publish", ns::PUBSUB, |publish| {
                    publish.attr("node", "/blog/Post").child(read("<item xmlns='http://jabber.org/protocol/pubsub' id='1'><e xmlns='x'/></item>"))
                })
                .text("tail")
        })
        .children([read("<a/>"), read("<b xmlns='jabber:client'>c</b>")])
        .text("end")
        .build();
    assert_eq!(
        iq.to_xml(),
        "<iq xmlns='jabber:client' type='set' to='pubsub.example.org' xml:lang='en'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='/blog/Post'><item id='1'><e xmlns='x'/></item></publish>tail</pubsub>\
         <a xmlns=''/><b>c</b>end</iq>"
    );
    assert_eq!(read(&iq.to_xml()), iq);
    assert!(iq.is_legal());
}

#[test]
fn namespaces_only_where_they_differ() {
    let message = Element::builder("message", ns::CLIENT)
        .element("body", ns::CLIENT, |body| body.text("hi"))
        .build();
    let written = |parent: &str| {
        let mut out = String::from("|");
        message.write(&mut out, parent);
        out
    };
    assert_eq!(
        written(""),
        "|<message xmlns='jabber:client'><body>hi</body></message>"
    );
    assert_eq!(written(ns::CLIENT), "|<message><body>hi</body></message>");
    assert_eq!(
        written(ns::HTTP_BIND),
        "|<message xmlns='jabber:client'><body>hi</body></message>"
    );
    let none = Element::builder("a", "").build();
    assert_eq!(none.to_xml(), "<a/>");
    let mut out = String::new();
    none.write(&mut out, "x");
    assert_eq!(out, "<a xmlns=''/>");
    // After a child of another namespace, the parent's holds again.
    assert_eq!(
        read("<p:a xmlns:p='x'><b/><p:c/></p:a>").to_xml(),
        "<a xmlns='x'><b xmlns=''/><c/></a>"
    );
    // The namespace of `xml:` has no other prefix, and no prefix is of another.
    let odd = read("<r xmlns='d'><xml:a b='1'><c/></xml:a></r>");
    assert_eq!(odd.to_xml(), "<r xmlns='d'><xml:a b='1'><c/></xml:a></r>");
}

#[test]
fn attributes_of_namespaces() {
    // XEP-0206: servers look for these by their prefix.
    let body = Element::builder("body", ns::HTTP_BIND)
        .attr("rid", "1")
        .attr_ns("version", ns::XBOSH, "1.0")
        .attr_ns("restart", ns::XBOSH, "true")
        .build();
    assert_eq!(
        body.to_xml(),
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restart='true'/>"
    );
    let mut many = Element::builder("a", "d");
    for n in 0..60 {
        many = many
            .attr_ns("x", &format!("n{}", n % 40), &n.to_string())
            .attr_ns(&format!("y{n}"), "n0", "");
    }
    let many = many.build();
    assert_eq!(many.attr_ns("x", "n39"), Some("39"));
    assert_eq!(many.attr_ns("x", "n0"), Some("40"));
    assert_eq!(many.attributes().count(), 100);
    let limits = epode_proto::xml::Limits {
        attributes: 200,
        ..Default::default()
    };
    let again = epode_proto::xml::parse(many.to_xml().into_bytes(), &limits).unwrap();
    assert_eq!(again, many);
}

#[test]
fn escaped_characters() {
    let text = "& < > \" ' ]]> \t\n\r &amp; <![CDATA[ --> 😀\u{85}";
    let a = Element::builder("a", "&<>'\"")
        .attr("b", text)
        .text(text)
        .build();
    assert_eq!(
        a.to_xml(),
        "<a xmlns='&amp;&lt;&gt;&apos;&quot;' b='&amp; &lt; &gt; &quot; &apos; ]]&gt; &#9;&#10;&#13; &amp;amp; &lt;![CDATA[ --&gt; 😀\u{85}'>\
         &amp; &lt; &gt; \" ' ]]&gt; \t\n&#13; &amp;amp; &lt;![CDATA[ --&gt; 😀\u{85}</a>"
    );
    let again = read(&a.to_xml());
    assert_eq!(again, a);
    assert_eq!(again.text(), text);
    assert_eq!(again.attr("b"), Some(text));
}

#[test]
fn builder_attributes_at_any_time() {
    let a = Element::builder("a", "x")
        .attr("one", "1")
        .element("b", "x", |b| b.attr("inner", "i").text("t"))
        .attr("two", "2")
        .attr("one", "replaced")
        .element("c", "x", |c| c)
        .attr_ns("one", "n", "other")
        .build();
    assert_eq!(
        a,
        read(
            "<a xmlns='x' xmlns:n='n' n:one='other' one='replaced' two='2'><b inner='i'>t</b><c/></a>"
        )
    );
    assert_eq!(a.attributes().count(), 3);
    assert_eq!(a.child("b", "x").unwrap().attributes().count(), 1);
}

#[test]
fn texts_of_a_builder_are_merged() {
    let a = Element::builder("a", "")
        .text("")
        .text("1")
        .text("2")
        .attr("between", "")
        .text("3")
        .element("b", "", |b| b.text("4"))
        .text("5")
        .child(read("<c>6</c>"))
        .text("")
        .text("7")
        .build();
    assert_eq!(a.to_xml(), "<a between=''>123<b>4</b>5<c>6</c>7</a>");
    assert_eq!(a.nodes().count(), 5);
    assert_eq!(read(&a.to_xml()), a);
    assert_eq!(Element::builder("a", "").text("").build().to_xml(), "<a/>");
}

#[test]
fn an_attribute_set_on_a_copy() {
    let body = read(
        "<body xmlns='b' xmlns:p='q'><message xmlns='jabber:client' id='1' p:x='y'>a&amp;b<c id='2'/></message></body>",
    );
    let message = body.child("message", ns::CLIENT).unwrap();
    let stamped = message.with_attr("to", "x@y").with_attr("id", "<9>");
    assert_eq!(stamped.attr("id"), Some("<9>"));
    assert_eq!(message.attr("id"), Some("1"));
    assert_eq!(
        stamped,
        read(
            "<message xmlns='jabber:client' id='&lt;9&gt;' to='x@y' xmlns:p='q' p:x='y'>a&amp;b<c id='2'/></message>"
        )
    );
}

#[test]
fn detached_elements_hold_little() {
    let big = "x".repeat(1 << 20);
    let root = read(&format!(
        "<r><a b='{big}'/><m xmlns='n' xml:lang='en'>a&amp;b<c d='&lt;'/>{}</m>{big}</r>",
        "e"
    ));
    let m = root.child("m", "n").unwrap();
    assert!(m.held_bytes() > 2 << 20);
    let detached = m.detach();
    assert!(detached.held_bytes() < 1000, "{}", detached.held_bytes());
    assert_eq!(detached, m);
    assert_eq!(
        detached.to_xml(),
        "<m xmlns='n' xml:lang='en'>a&amp;b<c d='&lt;'/>e</m>"
    );
    assert_eq!(detached.child("c", "n").unwrap().attr("d"), Some("<"));
    // What is most of its document is not copied.
    assert_eq!(root.detach().held_bytes(), root.held_bytes());
    let text = root.child("a", "").unwrap().detach();
    assert_eq!(text.attr("b").map(str::len), Some(1 << 20));
}

#[test]
fn elements_with_equal_content_are_equal() {
    let a = read("<a xmlns='x' b='1' c='2'>t<d/></a>");
    for same in [
        "<p:a xmlns:p='x' c='2' b='1'>t<p:d/></p:a>",
        "<a xmlns='&#x78;' b='&#49;' c=\"2\"><![CDATA[t]]><d></d></a>",
    ] {
        assert_eq!(a, read(same));
    }
    for other in [
        "<a b='1' c='2'>t<d/></a>",
        "<A xmlns='x' b='1' c='2'>t<d/></A>",
        "<a xmlns='x' b='1'>t<d/></a>",
        "<a xmlns='x' b='1' c='3'>t<d/></a>",
        "<a xmlns='x' b='1' e='2'>t<d/></a>",
        "<a xmlns='x' b='1' c='2'>u<d/></a>",
        "<a xmlns='x' b='1' c='2'><d/>t</a>",
        "<a xmlns='x' b='1' c='2'>t<d xmlns=''/></a>",
        "<a xmlns='x' b='1' c='2'>t<d/>u</a>",
        "<a xmlns='x' b='1' c='2' xml:c='2'>t<d/></a>",
        "<a xmlns='x' xmlns:p='p' b='1' p:c='2'>t<d/></a>",
    ] {
        assert_ne!(a, read(other), "{other}");
    }
    // The same records, nested otherwise.
    assert_ne!(read("<a><b/><c/></a>"), read("<a><b><c/></b></a>"));
    // Within documents, and as clones.
    let r = read("<r xmlns='x'><z/><a b='1' c='2'>t<d/></a></r>");
    assert_eq!(r.child("a", "x").unwrap(), a);
    assert_eq!(a.clone(), a);
    assert_eq!(
        format!("{:?}", r.child("z", "x").unwrap()),
        "<z xmlns='x'/>"
    );
}

#[test]
fn unwritable_content_is_an_error() {
    assert!(is_xml_text("tab\t line\n return\r 😀 \u{fffd} \u{7f}"));
    for char in ['\0', '\x08', '\x0b', '\x1f', '\u{fffe}', '\u{ffff}'] {
        let text = format!("a{char}b");
        assert!(!is_xml_text(&text));
        assert!(!Element::builder("a", "").text(&text).build().is_legal());
        assert!(
            !Element::builder("a", "")
                .attr("b", &text)
                .build()
                .is_legal()
        );
        assert!(
            !Element::builder("a", "")
                .attr(&text, "b")
                .build()
                .is_legal()
        );
        assert!(!Element::builder("a", &text).build().is_legal());
        assert!(
            !Element::builder("a", "")
                .attr_ns("b", &text, "")
                .build()
                .is_legal()
        );
        assert!(
            !Element::builder("a", "")
                .element(&text, "", |b| b)
                .build()
                .is_legal()
        );
    }
    for name in ["", "a b", "a><b", "a:b", "1", "a='", "&amp;"] {
        assert!(!Element::builder(name, "").build().is_legal(), "{name}");
        assert!(
            !Element::builder("a", "").attr(name, "").build().is_legal(),
            "{name}"
        );
    }
    assert!(
        !Element::builder("a", "")
            .attr("xmlns", "x")
            .build()
            .is_legal()
    );
    assert!(!Element::builder("a", ns::XMLNS).build().is_legal());
    // Only what is in the subtree counts.
    let mixed = Element::builder("a", "")
        .element("b", "", |b| b.text("\0"))
        .element("c", "", |c| c)
        .build();
    assert!(!mixed.is_legal());
    assert!(mixed.child("c", "").unwrap().is_legal());
}

/// Whatever the text: a document that is not well-formed ends the stream for everything else that was sent on it.
#[test]
fn texts_and_values_never_make_a_document_ill_formed() {
    for char in ['\0', '\x08', '\x0b', '\x1f', '\u{fffe}', '\u{ffff}'] {
        let element = Element::builder("a", "")
            .attr("b", &format!("{char}x{char}"))
            .attr_ns("c", &format!("urn:{char}"), "")
            .element("d", &format!("urn:x{char}"), |d| {
                d.text(&format!("é{char}\u{f000}\u{ff21}{char}"))
            })
            .build();
        let read = try_read(&element.to_xml()).unwrap();
        assert_eq!(read.attr("b"), Some("\u{fffd}x\u{fffd}"), "{char:?}");
        let d = read.child("d", "urn:x\u{fffd}").unwrap();
        assert_eq!(d.text(), "é\u{fffd}\u{f000}\u{ff21}\u{fffd}");
    }
}
