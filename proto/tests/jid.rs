//! Addresses: the examples of RFC 7622 §3.5, what is normalised, what is refused; XEP-0106.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;

use epode_proto::jid::{Jid, JidError, escape_local, unescape_local};
use epode_proto::unicode::Unicode;
use proptest::prelude::*;

use crate::support::addresses::ADDRESSES;
use crate::support::unicode::NativeUnicode;

fn try_parse(text: &str) -> Result<Jid, JidError> {
    Jid::parse(text, &NativeUnicode)
}

#[track_caller]
fn parse(text: &str) -> Jid {
    match try_parse(text) {
        Ok(jid) => jid,
        Err(error) => panic!("{error}: {text:?}"),
    }
}

#[track_caller]
fn parts(jid: &Jid) -> (Option<&str>, &str, Option<&str>) {
    (jid.local(), jid.domain(), jid.resource())
}

/// Fails the test when it is asked.
struct NoUnicode;

impl Unicode for NoUnicode {
    fn nfc(&self, text: &str) -> String {
        panic!("asked for {text}")
    }
    fn nfkc(&self, text: &str) -> String {
        panic!("asked for {text}")
    }
    fn lowercase(&self, char: char) -> String {
        panic!("asked for {char}")
    }
    fn domain_to_ascii(&self, text: &str) -> Option<String> {
        panic!("asked for {text}")
    }
}

/// Answers with one domain, whatever is asked.
struct Domain(&'static str);

impl Unicode for Domain {
    fn nfc(&self, text: &str) -> String {
        NativeUnicode.nfc(text)
    }
    fn nfkc(&self, text: &str) -> String {
        NativeUnicode.nfkc(text)
    }
    fn lowercase(&self, char: char) -> String {
        NativeUnicode.lowercase(char)
    }
    fn domain_to_ascii(&self, _: &str) -> Option<String> {
        Some(self.0.into())
    }
}

#[test]
fn the_valid_examples_of_rfc_7622() {
    // Table 1, in its order.
    for (text, local, domain, resource) in [
        ("juliet@example.com", Some("juliet"), "example.com", None),
        (
            "juliet@example.com/foo",
            Some("juliet"),
            "example.com",
            Some("foo"),
        ),
        (
            "juliet@example.com/foo bar",
            Some("juliet"),
            "example.com",
            Some("foo bar"),
        ),
        (
            "juliet@example.com/foo@bar",
            Some("juliet"),
            "example.com",
            Some("foo@bar"),
        ),
        (
            "foo\\20bar@example.com",
            Some("foo\\20bar"),
            "example.com",
            None,
        ),
        (
            "fussball@example.com",
            Some("fussball"),
            "example.com",
            None,
        ),
        (
            "fu\u{df}ball@example.com",
            Some("fu\u{df}ball"),
            "example.com",
            None,
        ),
        ("\u{3c0}@example.com", Some("\u{3c0}"), "example.com", None),
        (
            "\u{3a3}@example.com/foo",
            Some("\u{3c3}"),
            "example.com",
            Some("foo"),
        ),
        (
            "\u{3c3}@example.com/foo",
            Some("\u{3c3}"),
            "example.com",
            Some("foo"),
        ),
        (
            "\u{3c2}@example.com/foo",
            Some("\u{3c2}"),
            "example.com",
            Some("foo"),
        ),
        (
            "king@example.com/\u{265a}",
            Some("king"),
            "example.com",
            Some("\u{265a}"),
        ),
        ("example.com", None, "example.com", None),
        ("example.com/foobar", None, "example.com", Some("foobar")),
        (
            "a.example.com/b@example.net",
            None,
            "a.example.com",
            Some("b@example.net"),
        ),
    ] {
        assert_eq!(parts(&parse(text)), (local, domain, resource), "{text}");
    }
}

#[test]
fn the_invalid_examples_of_rfc_7622() {
    // Table 2.
    for (text, error) in [
        ("\"juliet\"@example.com", JidError::Local),
        ("foo bar@example.com", JidError::Local),
        ("@example.com/", JidError::EmptyLocal),
        ("henry\u{2163}@example.com", JidError::Local),
        ("\u{265a}@example.com", JidError::Local),
        ("juliet@", JidError::EmptyDomain),
        ("/foobar", JidError::EmptyDomain),
    ] {
        assert_eq!(try_parse(text), Err(error), "{text}");
    }
    // The table has this one too, but OpaqueString (RFC 8265 §4.2) lets spaces be, and rooms have such nicks.
    assert_eq!(parse("juliet@example.com/ foo").resource(), Some(" foo"));
}

#[test]
fn plain_ascii_needs_no_unicode_tables() {
    let jid = Jid::parse("Romeo@Example.ORG./Orchard Wall", &NoUnicode).unwrap();
    assert_eq!(jid.as_str(), "romeo@example.org/Orchard Wall");
    let jid = jid.with_resource("Balcony/2@3", &NoUnicode).unwrap();
    assert_eq!(
        parts(&jid),
        (Some("romeo"), "example.org", Some("Balcony/2@3"))
    );
    for text in ["[::1]", "127.0.0.1:0", "a@b/\x07", "a b@c", "a@b..c"] {
        let _ = Jid::parse(text, &NoUnicode);
    }
}

#[test]
fn parts_and_separators() {
    let jid = parse("a@b/c/d@e/");
    assert_eq!(parts(&jid), (Some("a"), "b", Some("c/d@e/")));
    assert!(!jid.is_bare());
    assert_eq!(jid.bare_str(), "a@b");
    let bare = jid.bare();
    assert!(bare.is_bare());
    assert_eq!(parts(&bare), (Some("a"), "b", None));
    assert_eq!(bare, parse("A@B"));
    assert_eq!(bare.bare(), bare);
    assert_eq!(jid.to_string(), "a@b/c/d@e/");
    assert_eq!(format!("{jid:?}"), "a@b/c/d@e/");
    assert_eq!(parts(&parse("b//")), (None, "b", Some("/")));

    assert_eq!(
        parse("room@muc").with_resource("nick", &NativeUnicode),
        Ok(parse("room@muc/nick"))
    );
    assert_eq!(
        parse("room@muc/old").with_resource("nick", &NativeUnicode),
        Ok(parse("room@muc/nick"))
    );
    assert_eq!(
        parse("muc")
            .with_resource("e\u{301}", &NativeUnicode)
            .unwrap()
            .resource(),
        Some("\u{e9}")
    );
    assert_eq!(
        bare.with_resource("", &NativeUnicode),
        Err(JidError::EmptyResource)
    );
    assert_eq!(
        bare.with_resource("a\0", &NativeUnicode),
        Err(JidError::Resource)
    );

    let made = |local, resource| Jid::from_parts(local, "B.", resource, &NativeUnicode);
    assert_eq!(made(Some("A"), Some("C")), Ok(parse("a@b/C")));
    assert_eq!(made(None, None), Ok(parse("b")));
    // A part is a part: nothing in it moves the joints.
    assert_eq!(made(Some("a@x"), None), Err(JidError::Local));
    assert_eq!(made(Some("a/x"), None), Err(JidError::Local));
    assert_eq!(
        Jid::from_parts(None, "a@b", None, &NativeUnicode),
        Err(JidError::Domain)
    );
    assert_eq!(
        Jid::from_parts(None, "a/b", None, &NativeUnicode),
        Err(JidError::Domain)
    );
}

#[test]
fn equal_order_and_hash() {
    let same: HashSet<Jid> = [
        "É@Exämple.org/a",
        "e\u{301}@exämple.org/a",
        "é@XN--EXMPLE-CUA.org/a",
    ]
    .map(parse)
    .into();
    assert_eq!(same.len(), 1);
    assert!(parse("a@b/c").same_bare(&parse("A@b/d")));
    assert!(parse("a@b/c").same_bare(&parse("a@b")));
    assert!(!parse("a@b/c").same_bare(&parse("a@bc/c")));
    assert!(!parse("a@b").same_bare(&parse("b")));
    assert_ne!(parse("a@b/c"), parse("a@b/C"));
    assert_ne!(parse("a@b/c"), parse("a@b"));
    let mut some = ["b", "a@b/c", "a@b"].map(parse);
    some.sort();
    assert_eq!(some.map(|jid| jid.to_string()), ["a@b", "a@b/c", "b"]);
}

#[test]
fn localparts() {
    for (text, local) in [
        ("JULIET", "juliet"),
        ("a!#$%()*+,-.;=?[]^_`{|}~\\z", "a!#$%()*+,-.;=?[]^_`{|}~\\z"),
        ("Éric", "éric"),
        ("ÅNGSTRÖM", "ångström"),
        ("A\u{30a}", "å"),
        ("ИВАН", "иван"),
        ("ΑΣ", "ασ"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("ας", "ας"),
        ("שלום", "שלום"),
        ("محمد", "محمد"),
        ("हिन्दी", "हिन्दी"),
        ("ไทย", "ไทย"),
        ("李白", "李白"),
        ("col\u{b7}la", "col\u{b7}la"),
        // Full and half width.
        ("Ｊｕｌｉｅｔ１", "juliet1"),
        ("ｶﾞ", "ガ"),
        ("한글", "한글"),
    ] {
        let jid = parse(&format!("{text}@example.org"));
        assert_eq!(jid.local(), Some(local), "{text}");
        // What is normalised stays as it is.
        assert_eq!(parse(jid.as_str()), jid);
    }
    for char in ('\0'..=' ').chain("\"&':<>\x7f".chars()).chain(
        "\u{80}\u{9f}\u{a0}\u{ad}\u{ab}\u{d7}\u{1100}\u{2003}\u{200b}\u{200e}\u{202e}\u{2028}\u{2060}\u{2122}\u{20ac}\u{2192}\u{221e}\u{2603}\u{3000}\
         \u{e000}\u{fb01}\u{fe0f}\u{feff}\u{ff20}\u{ff0f}\u{ff02}\u{fffd}\u{ffff}\u{1f600}\u{1d400}\u{e0001}\u{ffffe}\u{100000}\u{ff21}\u{ff61}\u{ffa1}\u{ffe0}"
            .chars()
            .filter(|char| *char != '\u{ff21}'),
    ) {
        assert_eq!(try_parse(&format!("a{char}b@example.org")), Err(JidError::Local), "{char:?}");
        assert_eq!(try_parse(&format!("{char}@example.org")), Err(JidError::Local), "{char:?}");
    }
    assert_eq!(try_parse("@a"), Err(JidError::EmptyLocal));
}

#[test]
fn domainparts() {
    for (text, domain) in [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("localhost", "localhost"),
        ("xmpp_server-1", "xmpp_server-1"),
        ("3com.example", "3com.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"),
        ("MÜNCHEN.example", "münchen.example"),
        ("mu\u{308}nchen.example.", "münchen.example"),
        ("xn--mnchen-3ya.example", "münchen.example"),
        ("XN--MNCHEN-3YA.example", "münchen.example"),
        ("例え。テスト", "例え.テスト"),
        ("例え.テスト。", "例え.テスト"),
        ("faß.example", "faß.example"),
    ] {
        assert_eq!(parse(text).as_str(), domain, "{text}");
        assert_eq!(parse(&format!("a@{text}/b")).domain(), domain, "{text}");
    }
    for text in [
        // What its code stands for is no label.
        "xn--xn--cnme-6yhcnme-6yh",
        "xn--a\u{e9}",
        "a b",
        "a..b",
        ".a",
        "a..",
        "-a",
        "a-",
        "a.-b",
        "a_b!",
        "a:5222",
        "a,b",
        "a%41",
        "a\\b",
        "a?b",
        "a#b",
        "a\0",
        "a\x7f",
        "[::1",
        "::1",
        "[]",
        "[1]",
        "[::1]x",
        "[::g]",
        "[::1%25eth0]",
        "a@b@c",
        "xn--\u{fc}.example",
        "xn--zzzzzzzzzzzz99999.example",
        "\u{fc} .example",
        "\u{fc}:80",
        "\u{fc}?x",
        "\u{fc}..example",
        "\u{fc}\u{0}",
        "-\u{fc}.example",
    ] {
        let text = format!("x@{text}");
        assert_eq!(try_parse(&text), Err(JidError::Domain), "{text}");
    }
    // Another `@` is no way round to another domain, even if the platform would take it for a user of a URL.
    assert_eq!(
        Jid::parse("a@b@\u{fc}.example", &Domain("evil.example")),
        Err(JidError::Domain)
    );
    // Nor does what the platform says get in unseen.
    for wrong in ["a/b", "a@b", "a b", "a..b", "a:1"] {
        assert_eq!(
            Jid::parse("\u{fc}.example", &Domain(wrong)),
            Err(JidError::Domain),
            "{wrong}"
        );
    }
    assert_eq!(
        Jid::parse("\u{fc}.example", &Domain("Wrong.Case."))
            .unwrap()
            .as_str(),
        "wrong.case"
    );
    for empty in ["", ".", "a@", "a@.", "a@/b", "/"] {
        assert_eq!(try_parse(empty), Err(JidError::EmptyDomain), "{empty}");
    }
    assert_eq!(
        Jid::parse("\u{3002}", &Domain(".")),
        Err(JidError::EmptyDomain)
    );
}

#[test]
fn the_table_shared_with_the_browser_tests() {
    for (text, expected) in ADDRESSES {
        let parsed = try_parse(text).ok().map(|jid| jid.to_string());
        assert_eq!(parsed.as_deref(), *expected, "{text:?}");
        if let Some(jid) = parsed {
            assert_eq!(parse(&jid).as_str(), jid, "{text:?} is normalised once");
        }
    }
}

/// Takes A-labels as they are, as Chromium's `URL` does.
struct Unvalidated;

impl Unicode for Unvalidated {
    fn nfc(&self, text: &str) -> String {
        NativeUnicode.nfc(text)
    }
    fn nfkc(&self, text: &str) -> String {
        NativeUnicode.nfkc(text)
    }
    fn lowercase(&self, char: char) -> String {
        NativeUnicode.lowercase(char)
    }
    fn domain_to_ascii(&self, text: &str) -> Option<String> {
        if text.is_ascii() {
            return Some(text.to_ascii_lowercase());
        }
        NativeUnicode.domain_to_ascii(text)
    }
}

#[test]
fn a_labels_are_validated_without_the_platform() {
    let domain = |text: &str| Jid::parse(text, &Unvalidated).map(|jid| jid.to_string());
    assert_eq!(
        domain("xn--bcher-kva.example").as_deref(),
        Ok("bücher.example")
    );
    // Codes of ASCII, of a control, of a capital, of what is not composed, of an invisible character, of nothing, and none.
    for wrong in [
        "xn--abc-",
        "xn--a",
        "xn--mnchen-psa",
        "xn--ux-uub",
        "xn--ab-6da",
        "xn--",
        "xn--zz99999999",
    ] {
        assert_eq!(domain(&format!("{wrong}.example")), Err(JidError::Domain));
    }
}

#[test]
fn resourceparts() {
    for (text, resource) in [
        ("Foo Bar", "Foo Bar"),
        (" a ", " a "),
        ("a&'<>\":@/", "a&'<>\":@/"),
        ("E\u{301}", "\u{c9}"),
        (
            "a\u{3000}b\u{a0}c\u{2003}d\u{202f}e\u{205f}f\u{1680}g",
            "a b c d e f g",
        ),
        ("Ａ", "Ａ"),
        ("\u{2163}ﬁ", "\u{2163}ﬁ"),
        ("👩\u{200d}👧", "👩\u{200d}👧"),
        ("שלום", "שלום"),
    ] {
        let jid = parse(&format!("a@b/{text}"));
        assert_eq!(jid.resource(), Some(resource), "{text}");
        assert_eq!(parse(jid.as_str()), jid);
    }
    for char in ('\0'..'\x20').chain('\x7f'..='\u{9f}') {
        assert_eq!(
            try_parse(&format!("a@b/x{char}y")),
            Err(JidError::Resource),
            "{char:?}"
        );
        assert_eq!(
            try_parse(&format!("a@b/é{char}")),
            Err(JidError::Resource),
            "{char:?}"
        );
    }
    for char in
        "\u{fffe}\u{ffff}\u{fdd0}\u{1fffe}\u{10ffff}\u{200e}\u{202e}\u{2066}\u{2028}\u{2029}"
            .chars()
    {
        assert_eq!(
            try_parse(&format!("a@b/x{char}y")),
            Err(JidError::Resource),
            "{char:?}"
        );
    }
    assert_eq!(try_parse("a@b/"), Err(JidError::EmptyResource));
    assert_eq!(try_parse("b/"), Err(JidError::EmptyResource));
}

#[test]
fn parts_have_at_most_1023_bytes() {
    let domain = |len: usize| {
        let labels = format!("{}.", "d".repeat(63)).repeat(16);
        labels[..len].to_owned()
    };
    let full = format!("{}@{}/{}", "l".repeat(1023), domain(1023), "r".repeat(1023));
    assert_eq!(parse(&full).as_str(), full);
    assert_eq!(
        try_parse(&format!("{}@d", "l".repeat(1024))),
        Err(JidError::TooLong)
    );
    assert_eq!(
        try_parse(&format!("{}e", domain(1023))),
        Err(JidError::Domain)
    );
    assert_eq!(
        try_parse(&format!("{}.d", domain(1023))),
        Err(JidError::TooLong)
    );
    assert_eq!(
        try_parse(&format!("d/{}", "r".repeat(1024))),
        Err(JidError::TooLong)
    );
    assert_eq!(
        parse("d").with_resource(&"r".repeat(1024), &NativeUnicode),
        Err(JidError::TooLong)
    );
    // Counted in bytes of what is normalised.
    assert_eq!(
        parse(&format!("d/{}", "e\u{301}".repeat(511)))
            .resource()
            .map(str::len),
        Some(1022)
    );
    assert_eq!(
        try_parse(&format!("d/{}", "é".repeat(512))),
        Err(JidError::TooLong)
    );
    assert_eq!(
        try_parse(&format!("{}@d", "é".repeat(512))),
        Err(JidError::TooLong)
    );
    // The root's dot is not counted; a label has 63 bytes.
    assert_eq!(parse(&format!("{}.", domain(1023))).domain().len(), 1023);
    assert_eq!(try_parse(&"d".repeat(64)), Err(JidError::Domain));
    assert_eq!(try_parse(&"x".repeat(1 << 20)), Err(JidError::TooLong));
}

#[test]
fn errors_name_the_problem() {
    assert_eq!(
        try_parse("a b@c").unwrap_err().to_string(),
        "a character that the part before the @ cannot have"
    );
    assert_eq!(
        JidError::EmptyDomain.as_str(),
        "an address without a domain"
    );
}

#[test]
fn escaping_of_xep_0106() {
    // §5.1 and §2: what is written by hand, and the localpart it becomes.
    for (name, local) in [
        ("space cadet", "space\\20cadet"),
        ("call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"),
        ("at&t guy", "at\\26t\\20guy"),
        ("d'artagnan", "d\\27artagnan"),
        ("/.fanboy", "\\2f.fanboy"),
        ("::foo::", "\\3a\\3afoo\\3a\\3a"),
        ("<foo>", "\\3cfoo\\3e"),
        ("user@host", "user\\40host"),
        ("c:\\net", "c\\3a\\net"),
        ("c:\\\\net", "c\\3a\\\\net"),
        ("c:\\cool stuff", "c\\3a\\cool\\20stuff"),
        ("c:\\5commas", "c\\3a\\5c5commas"),
        ("\\3and2is\\5cool", "\\5c3and2is\\5c5cool"),
        ("\\5C", "\\5C"),
        ("treeve\\", "treeve\\"),
        ("é@ü", "é\\40ü"),
        ("", ""),
    ] {
        assert_eq!(escape_local(name), local, "{name}");
        assert_eq!(unescape_local(local), name, "{local}");
        if !name.is_empty() {
            assert!(
                try_parse(&format!("{local}@example.com")).is_ok(),
                "{local}"
            );
        }
    }
    // A space at either end has no escape.
    assert_eq!(escape_local(" a "), " a ");
    assert_eq!(unescape_local("\\20a\\20"), "\\20a\\20");
    assert_eq!(unescape_local("\\"), "\\");
    assert_eq!(unescape_local("\\2\u{e9}\\4"), "\\2\u{e9}\\4");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn normalised_once_is_normalised(text in "\\PC{0,8}@?\\PC{0,6}[./]?\\PC{0,4}") {
        if let Ok(jid) = try_parse(&text) {
            let again = parse(jid.as_str());
            prop_assert_eq!(&again, &jid);
            prop_assert_eq!(parts(&again), parts(&jid));
            let whole = [jid.local().map(|local| format!("{local}@")), Some(jid.domain().to_owned()), jid.resource().map(|resource| format!("/{resource}"))];
            prop_assert_eq!(whole.into_iter().flatten().collect::<String>(), jid.as_str());
        }
    }

    #[test]
    fn any_name_is_escaped_and_back(name in "[\\PC]{0,10}|[\\\\ 2-5a-f0@/&'\"<>:]{0,12}") {
        let local = escape_local(&name);
        prop_assert_eq!(unescape_local(&local), name.clone());
        let inner = local.trim_matches(' ');
        prop_assert!(!inner.contains(['"', '&', '\'', '/', ':', '<', '>', '@', ' ']));
    }
}
