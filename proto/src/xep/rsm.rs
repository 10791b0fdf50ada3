//! XEP-0059: Result Set Management 1.0. The requested page of a long list, and the returned page.
//!
//! Specification: XEP-0059 1.0.
//!
//! The ids that delimit a page belong to the service: for the items of a node they need not be the items' ids.

use crate::ns;
use crate::xml::Element;

/// The requested page. Set at most one of `after`, `before` and `index`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The largest number of entries (§2.1); 0 requests only the total number (§2.7).
    pub max: Option<u32>,
    /// The page after this id (§2.2): the `last` of the previous page.
    pub after: Option<String>,
    /// The page before this id (§2.3): the `first` of the next page; empty for the last page (§2.5).
    pub before: Option<String>,
    /// The page that starts at this position, counted from 0 (§2.6).
    pub index: Option<u32>,
}

impl Range {
    /// Whether the request sets a position of the page.
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

/// The returned page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The id of the first entry; none if the page is empty.
    pub first: Option<String>,
    /// The id of the last entry; none if the page is empty.
    pub last: Option<String>,
    /// The position of the first entry in the whole list, from 0, if the service includes it.
    pub index: Option<u32>,
    /// The number of entries in the whole list, if the service includes it.
    pub count: Option<u32>,
}

impl Page {
    /// Parses the `<set/>` beside a result; `None` if there is none: then the result is complete.
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

/// An empty id means none: `<before/>` requests the last page (§2.5), and `<after/>` the first.
fn place(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn number(text: Option<&str>) -> Option<u32> {
    text?.trim().parse().ok()
}
