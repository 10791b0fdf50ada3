//! What holds for any tree and any input.

use epode_proto::ns;
use epode_proto::xml::{Builder, Element, Limits, Node, is_xml_text, parse};
use proptest::prelude::*;

use super::read;

/// A tree as a test sees it.
#[derive(Clone, Debug)]
struct Tree {
    name: String,
    ns: String,
    attributes: Vec<(String, String, String)>,
    nodes: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Tree(Tree),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), "[a-z_A-Zéאя][a-z0-9._é中-]{0,5}",]
        .prop_filter("reserved", |name| name != "xmlns")
}

fn text() -> impl Strategy<Value = String> {
    let any = proptest::collection::vec(any::<char>(), 0..12)
        .prop_map(|chars| chars.into_iter().collect::<String>())
        .prop_filter("not of XML", |text| is_xml_text(text));
    prop_oneof!["[ -~\t\n\r]{0,20}", "[\\]&<>'\"\r\n;#x]{0,12}", any]
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("x".to_owned()),
        Just(ns::XML.to_owned()),
        Just(ns::XBOSH.to_owned()),
        text(),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let attributes = || proptest::collection::vec((name(), namespace(), text()), 0..4);
    let leaf = (name(), namespace(), attributes()).prop_map(|(name, ns, attributes)| Tree {
        name,
        ns,
        attributes,
        nodes: Vec::new(),
    });
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let part = prop_oneof![text().prop_map(Part::Text), inner.prop_map(Part::Tree)];
        let nodes = proptest::collection::vec(part, 0..5);
        (name(), namespace(), attributes(), nodes).prop_map(|(name, ns, attributes, nodes)| Tree {
            name,
            ns,
            attributes,
            nodes,
        })
    })
}

fn fill(mut builder: Builder, tree: &Tree) -> Builder {
    for (name, ns, value) in &tree.attributes {
        builder = builder.attr_ns(name, ns, value);
    }
    for part in &tree.nodes {
        builder = match part {
            Part::Text(text) => builder.text(text),
            Part::Tree(tree) => builder.element(&tree.name, &tree.ns, |inner| fill(inner, tree)),
        };
    }
    builder
}

fn build(tree: &Tree) -> Element {
    fill(Element::builder(&tree.name, &tree.ns), tree).build()
}

/// Looks at an element through everything that reads it, against what it was made from.
fn check(element: &Element, tree: &Tree) {
    assert!(element.is(&tree.name, &tree.ns));
    for (at, (name, ns, value)) in tree.attributes.iter().enumerate() {
        let later = &tree.attributes[at + 1..];
        if !later
            .iter()
            .any(|(other, space, _)| other == name && space == ns)
        {
            assert_eq!(element.attr_ns(name, ns), Some(value.as_str()));
            if ns.is_empty() {
                assert_eq!(element.attr(name), Some(value.as_str()));
            }
        }
    }
    // Adjacent texts are one, empty ones none.
    let mut expected: Vec<Part> = Vec::new();
    for part in &tree.nodes {
        match (expected.last_mut(), part) {
            (Some(Part::Text(last)), Part::Text(text)) => last.push_str(text),
            (_, Part::Text(text)) if text.is_empty() => {}
            _ => expected.push(part.clone()),
        }
    }
    let nodes: Vec<Node> = element.nodes().collect();
    assert_eq!(nodes.len(), expected.len());
    let mut all = String::new();
    for (node, part) in nodes.iter().zip(&expected) {
        match (node, part) {
            (Node::Text(text), Part::Text(expected)) => {
                assert_eq!(text, expected);
                all.push_str(text);
            }
            (Node::Element(child), Part::Tree(tree)) => check(child, tree),
            _ => panic!("{node:?} is not {part:?}"),
        }
    }
    assert_eq!(element.text(), all);
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_read_again(tree in tree()) {
        let built = build(&tree);
        check(&built, &tree);
        prop_assert!(built.is_legal());
        let again = read(&built.to_xml());
        check(&again, &tree);
        prop_assert_eq!(&again, &built);
        prop_assert_eq!(again.to_xml(), built.to_xml());
    }

    #[test]
    fn a_subtree_is_the_same_anywhere(tree in tree(), outside in tree()) {
        let alone = build(&tree);
        let within = Element::builder("r", &outside.ns)
            .child(build(&outside))
            .child(alone.clone())
            .text("x")
            .build();
        let again = read(&within.to_xml());
        for document in [within, again] {
            let found = document.children().nth(1).unwrap();
            prop_assert_eq!(&found, &alone);
            prop_assert_eq!(&found.detach(), &alone);
            prop_assert_eq!(found.detach().to_xml(), alone.to_xml());
            let changed = found.with_attr("zz", "1");
            prop_assert_eq!(changed.attr("zz"), Some("1"));
            check(&found.detach(), &tree);
        }
    }

    #[test]
    fn damaged_documents_are_refused_or_read(
        tree in tree(),
        at in any::<prop::sample::Index>(),
        cut in 0usize..4,
        junk in proptest::collection::vec(
            prop::sample::select(b"<>&;'\"=/!?[]-: \r\nax\0\xef\xbf\xbe\xc3".to_vec()),
            0..4,
        ),
    ) {
        let mut bytes = build(&tree).to_xml().into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, junk);
        if let Ok(element) = parse(bytes, &Limits::default()) {
            prop_assert!(element.is_legal());
            prop_assert_eq!(&read(&element.to_xml()), &element);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(
        bytes in proptest::collection::vec(
            prop::sample::select(b"<<<>>>&;'\"=/!?[]-:#CDATAxml nsv1. \r\n\xc3\xa9".to_vec()),
            0..40,
        ),
    ) {
        if let Ok(element) = parse(bytes, &Limits::default()) {
            prop_assert_eq!(&read(&element.to_xml()), &element);
        }
    }
}
