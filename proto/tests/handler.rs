//! The handler registry, held against looking at every handler in turn.

// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use crate::support::script::xml;
use crate::support::unicode::NativeUnicode;
use epode_proto::handler::{HandlerId, HandlerRegistry, Matcher, is_stanza, stanza_type};
use epode_proto::jid::Jid;
use epode_proto::ns;
use epode_proto::unicode::Unicode;
use epode_proto::xml::Element;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::cell::Cell;

fn jid(text: &str) -> Jid {
    Jid::parse(text, &NativeUnicode).expect("a JID")
}

// ── the oracle ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// What the registry promises, criterion by criterion.
fn fits(matcher: &Matcher, stanza: &Element) -> bool {
    let own_type = match (stanza.attr("type"), stanza.name()) {
        (Some(given), _) => given,
        (None, "message") => "normal",
        (None, "presence") => "available",
        (None, _) => "",
    };
    let namespaces: Vec<String> = std::iter::once(stanza.ns().to_owned())
        .chain(stanza.children().map(|child| child.ns().to_owned()))
        .collect();
    let from = stanza
        .attr("from")
        .and_then(|from| Jid::parse(from, &NativeUnicode).ok());
    let name = matcher.name.as_ref();
    let id = matcher.id.as_deref();
    name.is_none_or(|name| name == stanza.name())
        && (matcher.types.is_empty() || matcher.types.iter().any(|kind| kind == own_type))
        && id.is_none_or(|id| stanza.attr("id") == Some(id))
        && matcher.ns.as_ref().is_none_or(|ns| namespaces.contains(ns))
        && match (&matcher.from, from) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(from)) if wanted.is_bare() => *wanted == from.bare(),
            (Some(wanted), Some(from)) => *wanted == from,
        }
}

// ── what is registered and what comes ───────────────────────────────────────────────────────────────────────────────

const NAMES: [&str; 3] = ["message", "presence", "iq"];
const TYPES: [&str; 6] = ["chat", "normal", "available", "error", "get", ""];
const NAMESPACES: [&str; 5] = [ns::CLIENT, "urn:a", "urn:b", "urn:c", ""];
const IDS: [&str; 3] = ["1", "2", ""];
const SENDERS: [&str; 6] = [
    "juliet@example.org",
    "juliet@example.org/a",
    "juliet@example.org/b",
    "example.org",
    "romeo@example.org/a",
    "room@example.org/juliet@example.org",
];

fn matchers() -> impl Strategy<Value = Matcher> {
    (
        option::of(select(NAMES.to_vec())),
        subsequence(TYPES.to_vec(), 0..=3),
        any::<bool>(),
        option::of(select(NAMESPACES.to_vec())),
        option::of(select(IDS.to_vec())),
        option::of(select(SENDERS.to_vec())),
    )
        .prop_map(|(name, types, twice, ns, id, from)| {
            let mut types: Vec<String> = types.into_iter().map(str::to_owned).collect();
            if twice {
                types.extend(types.clone());
            }
            Matcher {
                name: name.map(str::to_owned),
                types,
                ns: ns.map(str::to_owned),
                id: id.map(str::to_owned),
                from: from.map(jid),
            }
        })
}

fn stanzas() -> impl Strategy<Value = Element> {
    let senders: Vec<&str> = SENDERS
        .into_iter()
        .chain(["JULIET@Example.org/a", "@", "", "juliet@example.org/A"])
        .collect();
    (
        select(NAMES.to_vec()),
        option::of(select(TYPES.to_vec())),
        option::of(select(IDS.to_vec())),
        option::of(select(senders)),
        prop::collection::vec((select(NAMESPACES.to_vec()), any::<bool>()), 0..4),
    )
        .prop_map(|(name, kind, id, from, children)| {
            let mut stanza = Element::builder(name, ns::CLIENT)
                .attr_opt("type", kind)
                .attr_opt("id", id)
                .attr_opt("from", from)
                .text("text");
            for (namespace, filled) in children {
                // What lies deeper is in a namespace that somebody waits for, and must not wake him.
                stanza = stanza.element("x", namespace, |x| {
                    if filled {
                        x.element("y", "urn:c", |y| y)
                    } else {
                        x
                    }
                });
            }
            stanza.build()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was added and removed in whatever order: those that fit are found, in the order of their registration.
    #[test]
    fn finds_what_looking_at_each_would_find(
        registered in prop::collection::vec((matchers(), any::<prop::sample::Index>(), any::<bool>()), 0..24),
        stanzas in prop::collection::vec(stanzas(), 1..8),
    ) {
        let mut registry = HandlerRegistry::default();
        let mut known: Vec<(HandlerId, Matcher, usize)> = Vec::new();
        for (number, (matcher, whom, leaves)) in registered.into_iter().enumerate() {
            let id = registry.add(matcher.clone(), number);
            prop_assert!(known.iter().all(|(earlier, ..)| *earlier < id));
            known.push((id, matcher, number));
            if leaves {
                let (id, _, number) = known.remove(whom.index(known.len()));
                prop_assert_eq!(registry.remove(id), Some(number));
                prop_assert_eq!(registry.remove(id), None);
                prop_assert_eq!(registry.get(id), None);
            }
            prop_assert_eq!(registry.len(), known.len());
            prop_assert_eq!(registry.is_empty(), known.is_empty());
        }
        for stanza in &stanzas {
            let expected: Vec<HandlerId> = known
                .iter()
                .filter(|(_, matcher, _)| fits(matcher, stanza))
                .map(|(id, ..)| *id)
                .collect();
            prop_assert_eq!(registry.matching(stanza, &NativeUnicode), expected, "{:?}", stanza);
        }
        for (id, matcher, number) in known {
            prop_assert_eq!(registry.matcher(id), Some(&matcher));
            prop_assert_eq!(registry.get(id), Some(&number));
            prop_assert_eq!(registry.remove(id), Some(number));
        }
        for stanza in &stanzas {
            prop_assert!(registry.matching(stanza, &NativeUnicode).is_empty());
        }
    }
}

/// All 72 sets of criteria, each met by a stanza that has everything, and missed by it when any one criterion differs.
#[test]
fn every_set_of_criteria() {
    let stanza = xml(
        "<message type='chat' id='1' from='juliet@example.org/a'><x xmlns='urn:a'><y xmlns='urn:deep'/></x></message>",
    );
    let mut sets = 0;
    for name in [None, Some(["message", "iq"])] {
        for types in [
            None,
            Some([&["chat"][..], &["error"][..]]),
            Some([&["get", "chat"][..], &["get", "set"][..]]),
        ] {
            for namespace in [None, Some(["urn:a", "urn:deep"])] {
                for id in [None, Some(["1", "2"])] {
                    for from in [
                        None,
                        Some(["juliet@example.org", "romeo@example.org"]),
                        Some(["juliet@example.org/a", "juliet@example.org/b"]),
                    ] {
                        sets += 1;
                        let matcher = |wrong: usize| Matcher {
                            name: name.map(|pair| pair[usize::from(wrong == 1)].into()),
                            types: types
                                .map(|pair| pair[usize::from(wrong == 2)])
                                .unwrap_or_default()
                                .iter()
                                .map(|kind| (*kind).to_owned())
                                .collect(),
                            ns: namespace.map(|pair| pair[usize::from(wrong == 3)].into()),
                            id: id.map(|pair| pair[usize::from(wrong == 4)].into()),
                            from: from.map(|pair| jid(pair[usize::from(wrong == 5)])),
                        };
                        let mut registry = HandlerRegistry::default();
                        let right = registry.add(matcher(0), ());
                        for wrong in 1..=5 {
                            if matcher(wrong) != matcher(0) {
                                registry.add(matcher(wrong), ());
                            }
                        }
                        let found = registry.matching(&stanza, &NativeUnicode);
                        assert_eq!(found, [right], "{:?}", matcher(0));
                    }
                }
            }
        }
    }
    assert_eq!(sets, 72);
}

// ── dispatch ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What is found are names: a handler that removes another one, or itself, or adds one, changes nothing for the others.
#[test]
fn handlers_added_and_removed_during_dispatch() {
    let mut registry = HandlerRegistry::default();
    let ids: Vec<HandlerId> = (0..4)
        .map(|number| registry.add(Matcher::default(), number))
        .collect();
    let message = xml("<message/>");
    let mut called = Vec::new();
    for id in registry.matching(&message, &NativeUnicode) {
        let Some(number) = registry.get(id).copied() else {
            continue;
        };
        called.push(number);
        if number == 1 {
            registry.remove(ids[1]);
            registry.remove(ids[2]);
            registry.add(Matcher::default(), 4);
        }
    }
    assert_eq!(called, [0, 1, 3]);
    let next = registry.matching(&message, &NativeUnicode);
    let next: Vec<i32> = next
        .iter()
        .filter_map(|id| registry.get(*id).copied())
        .collect();
    assert_eq!(next, [0, 3, 4]);
}

/// A handler of several types, or of a namespace that a stanza has several times, is woken once.
#[test]
fn a_handler_is_called_once() {
    let mut registry = HandlerRegistry::default();
    let matcher = Matcher {
        types: vec!["chat".into(), "chat".into(), "normal".into()],
        ns: Some("urn:a".into()),
        ..Matcher::default()
    };
    let id = registry.add(matcher, ());
    let stanza = xml("<message type='chat'><x xmlns='urn:a'/><y xmlns='urn:a'/></message>");
    assert_eq!(registry.matching(&stanza, &NativeUnicode), [id]);
}

/// The sender is written in many ways, and looked at once, however many handlers ask for senders.
#[test]
fn the_sender_is_read_once() {
    struct Counting(Cell<usize>);
    impl Unicode for Counting {
        fn nfc(&self, text: &str) -> String {
            self.0.set(self.0.get() + 1);
            NativeUnicode.nfc(text)
        }
        fn nfkc(&self, text: &str) -> String {
            self.0.set(self.0.get() + 1);
            NativeUnicode.nfkc(text)
        }
        fn lowercase(&self, char: char) -> String {
            self.0.set(self.0.get() + 1);
            NativeUnicode.lowercase(char)
        }
        fn domain_to_ascii(&self, text: &str) -> Option<String> {
            self.0.set(self.0.get() + 1);
            NativeUnicode.domain_to_ascii(text)
        }
    }
    let counted = |handlers: usize, asks: bool| {
        let mut registry = HandlerRegistry::default();
        for number in 0..handlers {
            let from = asks.then(|| jid(&format!("jülia@example.org/{number}")));
            registry.add(
                Matcher {
                    id: Some(number.to_string()),
                    from,
                    ..Matcher::default()
                },
                (),
            );
        }
        let counting = Counting(Cell::new(0));
        let stanza = xml("<message from='J\u{dc}LIA@example.org/7' id='7'/>");
        let found = registry.matching(&stanza, &counting);
        (found.len(), counting.0.get())
    };
    let (found, work) = counted(8, true);
    assert_eq!(found, 1);
    assert!(work > 0);
    assert_eq!(counted(1000, true), (1, work));
    assert_eq!(counted(1000, false), (1, 0), "nobody asks who it was");
}

/// A stanza of thousands of namespaces costs no thousands of look-ups; the first ones are looked at.
#[test]
fn a_stanza_built_to_be_expensive() {
    let mut registry = HandlerRegistry::default();
    for number in [0, 10, 900] {
        registry.add(
            Matcher {
                ns: Some(format!("urn:{number}")),
                ..Matcher::default()
            },
            number,
        );
    }
    let children: String = (0..1000)
        .map(|number| format!("<x xmlns='urn:{number}'/>"))
        .collect();
    let found = registry.matching(
        &xml(&format!("<message>{children}</message>")),
        &NativeUnicode,
    );
    let found: Vec<i32> = found
        .iter()
        .filter_map(|id| registry.get(*id).copied())
        .collect();
    assert_eq!(found, [0, 10]);
}

// ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn absent_types() {
    for (stanza, kind) in [
        ("<message/>", "normal"),
        ("<message type='chat'/>", "chat"),
        ("<presence/>", "available"),
        ("<presence type='unavailable'/>", "unavailable"),
        ("<iq/>", ""),
        ("<iq type='get'/>", "get"),
    ] {
        assert_eq!(stanza_type(&xml(stanza)), kind, "{stanza}");
    }
}

#[test]
fn names_of_stanzas() {
    for stanza in ["<message/>", "<presence/>", "<iq/>"] {
        assert!(is_stanza(&xml(stanza)), "{stanza}");
    }
    for other in [
        "<message xmlns='urn:example'/>",
        "<body xmlns='jabber:client'/>",
        "<stream:error/>",
        "<Message xmlns='jabber:client'/>",
    ] {
        assert!(!is_stanza(&xml(other)), "{other}");
    }
}

/// Who listens to everything does not answer requests; who names what is asked for does.
#[test]
fn handlers_that_reply_to_requests() {
    let matcher =
        |name: Option<&str>, types: &[&str], ns: Option<&str>, id: Option<&str>| Matcher {
            name: name.map(str::to_owned),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            ns: ns.map(str::to_owned),
            id: id.map(str::to_owned),
            from: None,
        };
    for (matcher, answers) in [
        (matcher(None, &[], None, None), false),
        (matcher(Some("iq"), &[], None, None), false),
        (matcher(Some("message"), &["chat"], None, None), false),
        (matcher(None, &["get"], None, None), false),
        (matcher(Some("iq"), &["get"], None, None), true),
        (matcher(None, &[], Some("urn:a"), None), true),
        (matcher(None, &[], None, Some("1")), true),
    ] {
        assert_eq!(matcher.answers_requests(), answers, "{matcher:?}");
    }
}
