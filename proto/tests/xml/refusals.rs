//! What is refused, and as what. Nothing of it may panic.

use epode_proto::xml::{Limits, XmlError, parse};

use super::{read, try_read};

#[track_caller]
fn refused(xml: &str) -> XmlError {
    match try_read(xml) {
        Ok(element) => panic!("read as {element:?}: {xml}"),
        Err(error) => error,
    }
}

#[track_caller]
fn malformed(xml: &str) {
    let error = refused(xml);
    assert!(matches!(error, XmlError::Malformed(_)), "{error:?}: {xml}");
}

#[test]
fn constructs_that_xmpp_forbids() {
    for xml in [
        "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>",
        "<!doctype html><html/>",
        "<?xml version='1.0'?><!DOCTYPE a SYSTEM 'http://example.org/a.dtd'><a/>",
        "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><lolz>&lol2;</lolz>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        "<!DOCTYPE",
        "<!DOCTYPE a [",
        "<a><!DOCTYPE b></a>",
    ] {
        assert_eq!(refused(xml), XmlError::Forbidden("DTD"), "{xml}");
    }
    for xml in [
        "<!-- --><a/>",
        "<a><!--b--></a>",
        "<a/><!-- b -->",
        "<a><!-- never closed",
    ] {
        assert_eq!(refused(xml), XmlError::Forbidden("comment"), "{xml}");
    }
    for xml in [
        "<?php ?><a/>",
        "<?xml-stylesheet href='a'?><a/>",
        "<a><?b c?></a>",
        "<a/><?b?>",
        "<a><?xml version='1.0'?></a>",
        "<a/><?xml version='1.0'?>",
        // An XML declaration stands at the very start.
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
    ] {
        assert_eq!(
            refused(xml),
            XmlError::Forbidden("processing instruction"),
            "{xml}"
        );
    }
}

#[test]
fn xml_that_is_not_well_formed() {
    for xml in [
        // Not XML at all, or not one element.
        "Not Found",
        "{\"error\": 404}",
        "<a/>x",
        "x<a/>",
        "<a/><b/>",
        "<a/>&amp;",
        "&lt;<a/>",
        "<![CDATA[ ]]><a/>",
        "<a/><![CDATA[]]>",
        // End tags.
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a></A>",
        "<a/></a>",
        "<a></a b='c'>",
        "<p:a xmlns:p='x' xmlns:q='x'></q:a>",
        "<a></ a>",
        // Names.
        "< a/>",
        "<1/>",
        "<-a/>",
        "<.a/>",
        "<a!/>",
        "<a/b>",
        "<a=b/>",
        "<·/>",
        "<a×/>",
        "<\u{37e}/>",
        "<a:/>",
        "<:a/>",
        "<a:b:c xmlns:a='x'/>",
        "<a:1 xmlns:a='x'/>",
        "<a 1='x'/>",
        "<a :b='x'/>",
        "<a b:='x'/>",
        "<a b,='x'/>",
        "<>",
        "</>",
        "<a><></></a>",
        "< >",
        // Attributes.
        "<a b/>",
        "<a b=/>",
        "<a b=c/>",
        "<a b='c'd='e'/>",
        "<a b='<'/>",
        "<a 'b'/>",
        "<a ='b'/>",
        "<a b=='c'/>",
        "<a b c='d'/>",
        "<a / >",
        "<a b='c'/ >",
        "<a b='1' b='2'/>",
        "<a b='1' c='' b=\"1\"/>",
        // References.
        "<a>&</a>",
        "<a>& </a>",
        "<a>&b</a>",
        "<a>&b;</a>",
        "<a>&nbsp;</a>",
        "<a>&;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#X41;</a>",
        "<a>&#4 1;</a>",
        "<a>&#+65;</a>",
        "<a>&#-1;</a>",
        "<a>&#xG;</a>",
        "<a>&AMP;</a>",
        "<a>& amp;</a>",
        "<a>&amp</a>",
        "<a>&lt&gt;</a>",
        "<a b='&'/>",
        "<a b='&c'/>",
        "<a b='&c;'/>",
        "<a b='& amp;'/>",
        "<a b='&amp'/>",
        "<a b='&#;'/>",
        "<a b='&'c=';'/>",
        // Text.
        "<a>]]></a>",
        "<a>b]]>c</a>",
        "<a>]]]></a>",
        "<a>\r]]></a>",
        // Markup declarations without a meaning.
        "<a><!b></a>",
        "<!a>",
        // The XML declaration.
        "<?xml?><a/>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml version='2.0'?><a/>",
        "<?xml version?><a/>",
        "<?xml version='1.0' a='b'?><a/>",
        "<?xml a='b' version='1.0'?><a/>",
        "<?xml version='1.'?><a/>",
        "<?xml version='1.0a'?><a/>",
        "<?xml version='1.0' standalone='<?b'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<?xml version='1.0' version='1.0'?><a/>",
        "<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>",
        "<?xml encoding='UTF-8' version='1.0'?><a/>",
        "<?xml standalone='yes'?><a/>",
        "<?xml version='1.0'encoding='UTF-8'?><a/>",
    ] {
        malformed(xml);
    }
    for xml in ["<a><![cdata[x]]></a>", "<a><![INCLUDE[x]]></a>"] {
        refused(xml);
    }
}

#[test]
fn invalid_namespaces() {
    for xml in [
        "<p:a/>",
        "<a p:b=''/>",
        "<r><a xmlns:p='x'/><p:b/></r>",
        "<p:a xmlns='p'/>",
        // Taken back or declared twice.
        "<a xmlns:p=''/>",
        "<a xmlns='x' xmlns='x'/>",
        "<a xmlns:p='x' xmlns:p='y'/>",
        // Two names of one attribute.
        "<a xmlns:p='x' xmlns:q='x' p:b='' q:b=''/>",
        "<r xmlns:p='x'><a xmlns:q='&#120;' q:b='' p:b=''/></r>",
        "<a xml:lang='' xml:lang=''/>",
        // Reserved.
        "<a xmlns:xmlns='x'/>",
        "<xmlns:a/>",
        "<a xmlns:xml='x'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:='x'/>",
        "<a xmlns:1='x'/>",
    ] {
        malformed(xml);
    }
    // One namespace under two prefixes is one, however many were declared in between.
    let between: String = (0..30).map(|n| format!("xmlns:n{n}='{n}' ")).collect();
    malformed(&format!(
        "<a xmlns:p='x' {between} xmlns:q='x' p:b='' q:b=''/>"
    ));
    // The same local name in different namespaces is another attribute.
    assert_eq!(
        read("<a xmlns:p='x' xmlns:q='y' p:b='1' q:b='2' b='3'/>")
            .attributes()
            .count(),
        3
    );
}

#[test]
fn characters_outside_of_xml() {
    let forbidden = (0..0x20u32)
        .filter(|code| ![0x9, 0xa, 0xd].contains(code))
        .chain([0xfffe, 0xffff]);
    for code in forbidden {
        let char = char::from_u32(code).unwrap();
        malformed(&format!("<a>x{char}y</a>"));
        malformed(&format!("<a>\r{char}</a>"));
        malformed(&format!("<a b='{char}'/>"));
        malformed(&format!("<a b='\t&amp;{char}'/>"));
        malformed(&format!("<a><![CDATA[{char}]]></a>"));
        malformed(&format!("<a b{char}='c'/>"));
        malformed(&format!("<a{char}/>"));
        malformed(&format!("<a>&#{code};</a>"));
        malformed(&format!("<a b='&#x{code:x};'/>"));
        assert!(try_read(&format!("<a/>{char}")).is_err());
        assert!(try_read(&format!("{char}<a/>")).is_err());
    }
    for reference in [
        "&#xD800;",
        "&#xDFFF;",
        "&#x110000;",
        "&#4294967361;",
        "&#99999999999999999999;",
        "&#xFFFFFFFFFFFFFFFF;",
    ] {
        malformed(&format!("<a>{reference}</a>"));
        malformed(&format!("<a b='{reference}'/>"));
    }
    // Neighbours of the forbidden ones.
    assert_eq!(
        read("<a b='\u{fffd}'>\u{fffd}\u{10000}\u{f000}\u{20}</a>").text(),
        "\u{fffd}\u{10000}\u{f000} "
    );
}

#[test]
fn not_utf8() {
    let limits = Limits::default();
    for bytes in [
        &b"<a>\xff</a>"[..],
        b"<a b='\xc0\xaf'/>",
        b"<a>\xed\xa0\x80</a>",
        b"<a>\xe2\x82</a>",
        b"\xff\xfe<\0a\0/\0>\0",
        b"\xfe\xff\0<\0a\0/\0>",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        b"<?xml version='1.0' encoding='UTF-16'?><a/>",
    ] {
        assert_eq!(
            parse(bytes.to_vec(), &limits).err(),
            Some(XmlError::NotUtf8)
        );
    }
}

#[test]
fn truncated_at_every_byte() {
    let whole = "<?xml version='1.0'?>\n<message xmlns='jabber:client' xmlns:p=\"q\" p:from='romeo@example.net/é' id='&amp;&#x1F600;'>\r\n\
                 <body>Art thou &lt;not&gt; \u{1f600}<![CDATA[ ]] > ]]></body><x xmlns='y'><p:z/>]]</x >\n</message>";
    read(whole);
    for end in 0..whole.len() {
        let bytes = whole.as_bytes()[..end].to_vec();
        assert!(parse(bytes, &Limits::default()).is_err(), "{end}");
    }
    // And from the other side.
    for start in 1..whole.len() {
        let bytes = whole.as_bytes()[start..].to_vec();
        let read = parse(bytes, &Limits::default());
        assert!(
            read.is_err()
                || start == whole.find("<message").unwrap()
                || start + 1 == whole.find("<message").unwrap(),
            "{start}"
        );
    }
    for xml in [
        "<a b='c\"/>",
        "",
        " ",
        "\u{feff}",
        "<?xml version='1.0'?>",
        "<",
        "<a",
        "<a b='",
        "<a>",
        "<a><b></b>",
        "<a>text",
        "<a><![CDATA[x]]",
    ] {
        assert_eq!(refused(xml), XmlError::Truncated, "{xml}");
    }
}

#[test]
fn limits_are_kept() {
    let under = |xml: &str, limits: Limits| parse(xml.as_bytes().to_vec(), &limits).err();
    let usual = Limits::default();

    let bytes = Limits { bytes: 11, ..usual };
    assert_eq!(under("<a>1234</a>", bytes), None);
    assert_eq!(under("<a>12345</a>", bytes), Some(XmlError::TooLarge));

    let depth = Limits { depth: 3, ..usual };
    assert_eq!(under("<a><b><c/><c>x</c></b><b><c/></b></a>", depth), None);
    assert_eq!(
        under("<a><b><c><d/></c></b></a>", depth),
        Some(XmlError::TooDeep)
    );
    assert_eq!(
        under("<a><b><c><d></d></c></b></a>", depth),
        Some(XmlError::TooDeep)
    );
    assert_eq!(refused(&"<a>".repeat(100_000)), XmlError::TooDeep);

    let attributes = Limits {
        attributes: 3,
        ..usual
    };
    assert_eq!(
        under("<r><a b='' c='' d=''/><a b='' c='' d=''/></r>", attributes),
        None
    );
    assert_eq!(
        under("<a b='' c='' d='' e=''/>", attributes),
        Some(XmlError::TooManyAttributes)
    );
    assert_eq!(
        under("<a b='' c='' d='' xmlns='x'/>", attributes),
        Some(XmlError::TooManyAttributes)
    );
    // Prefixes in scope, over several elements; those of closed elements are not counted.
    assert_eq!(
        under(
            "<a xmlns:b='b' xmlns:c='c'><d xmlns:d='d'/><e xmlns:e='e'/></a>",
            attributes
        ),
        None
    );
    assert_eq!(
        under(
            "<a xmlns:b='b' xmlns:c='c'><d xmlns:d='d' xmlns:e='e'/></a>",
            attributes
        ),
        Some(XmlError::TooManyAttributes)
    );

    // An element, two attributes, a text and another element are five.
    let nodes = |nodes| Limits { nodes, ..usual };
    assert_eq!(under("<a b='' c=''>text<d/></a>", nodes(5)), None);
    assert_eq!(
        under("<a b='' c=''>text<d/></a>", nodes(4)),
        Some(XmlError::TooManyNodes)
    );
    assert_eq!(
        under("<a b='' c=''>text</a>", nodes(3)),
        Some(XmlError::TooManyNodes)
    );
    assert_eq!(
        under("<a b='' c=''/>", nodes(2)),
        Some(XmlError::TooManyNodes)
    );
    assert_eq!(under("<a/>", nodes(0)), Some(XmlError::TooManyNodes));
}

#[test]
fn errors_name_the_problem() {
    assert_eq!(
        refused("<!-- -->").to_string(),
        "not allowed in XMPP: comment"
    );
    assert_eq!(refused("<a>").to_string(), "the document ends too early");
    assert_eq!(refused("<a>&b;</a>").to_string(), "an undefined entity");
    assert_eq!(XmlError::TooLarge.as_str(), "too many bytes");
    let error: Box<dyn std::error::Error> = Box::new(refused("<a>&b;</a>"));
    assert!(error.source().is_none());
}
