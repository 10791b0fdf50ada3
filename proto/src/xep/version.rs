//! XEP-0092: Software Version 1.1.
//!
//! Specification: XEP-0092 1.1.

use crate::ns;
use crate::xml::Element;

/// The software version of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The software's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The operating system, if given.
    pub os: Option<String>,
}

impl Version {
    /// The payload of a reply.
    pub fn to_element(&self) -> Element {
        Element::builder("query", ns::VERSION)
            .element("name", ns::VERSION, |name| name.text(&self.name))
            .element("version", ns::VERSION, |version| {
                version.text(&self.version)
            })
            .children(
                self.os
                    .as_deref()
                    .map(|os| Element::builder("os", ns::VERSION).text(os).build()),
            )
            .build()
    }

    /// Parses the payload of a reply; `None` if there is none. Missing fields are empty.
    pub fn parse(reply: &Element) -> Option<Self> {
        let query = reply.child("query", ns::VERSION)?;
        Some(Self {
            name: query.child_text("name", ns::VERSION).unwrap_or_default(),
            version: query.child_text("version", ns::VERSION).unwrap_or_default(),
            os: query.child_text("os", ns::VERSION),
        })
    }
}
