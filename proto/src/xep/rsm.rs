//! XEP-0059: Result Set Management 1.0. Which part of a long list is wanted, and which part came.
//!
//! Specification: XEP-0059 1.0.
//!
//! Where a page begins and ends is given by ids of the service: for the items of a node these need not be items' ids.

use crate::ns;
use crate::xml::Element;

/// Which part of a result is wanted. Of `after`, `before` and `index` give one at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// How many entries at most (§2.1); 0 asks for nothing but their number (§2.7).
    pub max: Option<u32>,
    /// What follows this one (§2.2): the `last` of the page before.
    pub after: Option<String>,
    /// What precedes this one (§2.3): the `first` of the page after; empty for the last page of all (§2.5).
    pub before: Option<String>,
    /// What begins at this place, counted from 0 (§2.6).
    pub index: Option<u32>,
}

impl Range {
    /// Whether it limits the start or end of the page.
    pub fn has_place(&self) -> bool {
        self.after.is_some() || self.before.is_some() || self.index.is_some()
    }

    /// The `<set/>` of a request.
    pub fn to_element(&self) -> Element {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let (max, index) = (number(self.max), number(self.index));
        let mut set = Element::builder("set", ns::RSM);
        for (name, value) in [
            ("max", &max),
            ("after", &self.after),
            ("before", &self.before),
            ("index", &index),
        ] {
            if let Some(value) = value {
                set = set.child(Element::builder(name, ns::RSM).text(value).build());
            }
        }
        set.build()
    }
}

/// Which part of a result came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Where it begins; none when it is empty.
    pub first: Option<String>,
    /// Where it ends; none when it is empty.
    pub last: Option<String>,
    /// The place of its first entry in the whole, from 0, when the service tells.
    pub index: Option<u32>,
    /// How many entries there are in all, when the service tells.
    pub count: Option<u32>,
}

impl Page {
    /// Reads the `<set/>` beside a result; `None` when there is none: then all that was asked for is there.
    pub fn child_of(element: &Element) -> Option<Self> {
        let set = element.child("set", ns::RSM)?;
        let first = set.child("first", ns::RSM);
        let index = first.as_ref().and_then(|first| first.attr("index"));
        Some(Self {
            index: number(index),
            first: first.and_then(|first| place(first.text().into_owned())),
            last: set.child_text("last", ns::RSM).and_then(place),
            count: number(set.child_text("count", ns::RSM).as_deref()),
        })
    }
}

/// An empty place is none: `<before/>` asks for the last page of all (§2.5), and `<after/>` for the first.
fn place(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn number(text: Option<&str>) -> Option<u32> {
    text?.trim().parse().ok()
}
