//! What a dialogue is written in: lines, and XML with abbreviations and wildcards.

use epode_proto::ns;
use epode_proto::xml::{Element, Limits, Node, parse};
use std::collections::BTreeMap;

/// One step: its tag (`C`, `S#2 404 text/html`, `+30s`, …) and what stands behind the colon.
#[derive(Debug)]
pub struct Step {
    pub tag: String,
    pub rest: String,
}

/// Splits a script into its steps. A line that begins with no tag continues the one before; `//` begins a comment line.
pub fn steps(script: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in script.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if let Some(span) = line.strip_prefix('+') {
            steps.push(Step {
                tag: "+".into(),
                rest: span.into(),
            });
            continue;
        }
        let tagged = line.split_once(':').filter(|(tag, _)| {
            matches!(
                tag.bytes().next(),
                Some(b'C' | b'S' | b'F' | b'E' | b'A' | b'W')
            )
        });
        match (tagged, steps.last_mut()) {
            (Some((tag, rest)), _) => steps.push(Step {
                tag: tag.into(),
                rest: rest.trim().into(),
            }),
            (None, Some(step)) => {
                step.rest.push('\n');
                step.rest.push_str(line);
            }
            (None, None) => panic!("a script begins with a tag: {line}"),
        }
    }
    steps
}

/// `30s` or `500ms`, in milliseconds.
pub fn millis(span: &str) -> u64 {
    let (number, unit) = match span.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (span.strip_suffix('s').expect("a unit of time"), 1000),
    };
    number.parse::<u64>().expect("a time") * unit
}

/// Reads XML of a script. The default namespace is BOSH's; `stream:`, `sasl:`, `bind:`, `session:`, `register:`, `framing:`, `sm:` and
/// `xmpp:` need no declaration; stanzas are in `jabber:client`. White space that only lays out the text is dropped.
pub fn xml(text: &str) -> Element {
    let wrapped = format!(
        "<script xmlns='{}' xmlns:stream='{}' xmlns:sasl='{}' xmlns:bind='{}' xmlns:session='{}' xmlns:register='{}' \
         xmlns:xmpp='{}' xmlns:framing='{}' xmlns:sm='{}' \
         xmlns:sasl2='{}' xmlns:bind2='{}' xmlns:fast='{}'>{text}</script>",
        ns::HTTP_BIND,
        ns::STREAM,
        ns::SASL,
        ns::BIND,
        ns::SESSION,
        ns::REGISTER,
        ns::XBOSH,
        ns::FRAMING,
        ns::STREAM_MANAGEMENT,
        ns::SASL2,
        ns::BIND2,
        ns::FAST
    );
    let script = parse(wrapped.into_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{error} in the script's\n{text}"));
    let mut children = script.children();
    let element = children.next().expect("an element");
    assert!(children.next().is_none(), "one element in {text}");
    tidy(&element)
}

fn is_stanza_name(name: &str) -> bool {
    matches!(name, "message" | "presence" | "iq")
}

fn tidy(element: &Element) -> Element {
    rebuild(element, false, &mut |_, _, value| Some(value.to_owned()))
}

/// A copy in which each attribute value and text goes through `change(element's name, attribute's name or "", value)`.
pub fn rebuild(
    element: &Element,
    client: bool,
    change: &mut impl FnMut(&str, &str, &str) -> Option<String>,
) -> Element {
    let adopted = element.ns() == ns::HTTP_BIND && (client || is_stanza_name(element.name()));
    let namespace = if adopted { ns::CLIENT } else { element.ns() };
    let mut builder = Element::builder(element.name(), namespace);
    for attribute in element.attributes() {
        if let Some(value) = change(element.name(), attribute.name, attribute.value) {
            builder = builder.attr_ns(attribute.name, attribute.ns, &value);
        }
    }
    for node in element.nodes() {
        builder = match node {
            Node::Element(child) => builder.child(rebuild(&child, adopted, change)),
            Node::Text(text) if text.trim().is_empty() && text.contains('\n') => builder,
            Node::Text(text) => match change(element.name(), "", &text) {
                Some(text) => builder.text(&text),
                None => builder,
            },
        };
    }
    builder.build()
}

/// Values that a script captured with `$name`, to be said again by either side.
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// What was captured under a name.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("${name} was not captured"))
    }

    /// From now on `$name` is `value`.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.into(), value.into());
    }

    /// The same element with names filled in.
    pub fn fill(&self, element: &Element) -> Element {
        rebuild(element, false, &mut |_, _, value| {
            Some(match value.strip_prefix('$') {
                Some(name) => self.get(name).to_owned(),
                None => value.to_owned(),
            })
        })
    }

    /// Does `actual` fit `expected`, in which `*` is any value and `$name` a name?
    fn value(&mut self, expected: &str, actual: &str) -> bool {
        match expected.strip_prefix('$') {
            Some(name) => match self.0.get(name) {
                Some(known) => known == actual,
                None => {
                    self.set(name, actual);
                    true
                }
            },
            None => expected == "*" || expected == actual,
        }
    }

    /// The first difference between two elements, if there is one; attributes may stand in any order.
    pub fn difference(&mut self, expected: &Element, actual: &Element) -> Option<String> {
        if !actual.is(expected.name(), expected.ns()) {
            return Some(format!(
                "<{} xmlns='{}'> instead of <{} xmlns='{}'>",
                actual.name(),
                actual.ns(),
                expected.name(),
                expected.ns()
            ));
        }
        for attribute in expected.attributes() {
            let value = actual
                .attributes()
                .find(|other| other.name == attribute.name && other.ns == attribute.ns)
                .map(|other| other.value.to_owned());
            match value {
                None => return Some(format!("no attribute '{}'", attribute.name)),
                Some(value) if !self.value(attribute.value, &value) => {
                    return Some(format!("{}='{value}'", attribute.name));
                }
                Some(_) => {}
            }
        }
        let extra = actual.attributes().find(|other| {
            !expected
                .attributes()
                .any(|attribute| other.name == attribute.name && other.ns == attribute.ns)
        });
        if let Some(extra) = extra {
            return Some(format!(
                "an attribute too many: {}='{}'",
                extra.name, extra.value
            ));
        }
        let mut ours = expected.nodes();
        let mut theirs = actual.nodes();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return None,
                (Some(Node::Element(one)), Some(Node::Element(two))) => {
                    if let Some(difference) = self.difference(&one, &two) {
                        return Some(difference);
                    }
                }
                (Some(Node::Text(one)), Some(Node::Text(two))) if self.value(&one, &two) => {}
                (one, two) => {
                    return Some(format!(
                        "in <{}>: {two:?} instead of {one:?}",
                        actual.name()
                    ));
                }
            }
        }
    }
}
