//! `Stanza`: an element at the boundary, a handle that reads on demand.
//!
//! Nothing is copied to JavaScript before it is asked for. The handle holds the bytes of its own element and no others.

use super::object::{record, set};
use epode_proto::xml::Element;
use wasm_bindgen::prelude::*;

/// An element as it was received.
#[wasm_bindgen(skip_typescript)]
pub struct Stanza(Element);

impl From<Element> for Stanza {
    fn from(element: Element) -> Self {
        Self(element)
    }
}

impl Stanza {
    fn attribute(&self, name: &str) -> Option<String> {
        self.0.attr(name).map(str::to_owned)
    }

    fn find(&self, name: &str, ns: Option<&str>) -> Option<Element> {
        self.0.children().find(|child| fits(child, Some(name), ns))
    }
}

fn fits(element: &Element, name: Option<&str>, ns: Option<&str>) -> bool {
    name.is_none_or(|name| element.name() == name) && ns.is_none_or(|ns| element.ns() == ns)
}

#[wasm_bindgen]
impl Stanza {
    /// What the entry's getters read, by their place in its list: name, ns, to, from, id, type. One export instead of six,
    /// each of which costs 250 bytes of wasm.
    #[wasm_bindgen(js_name = _field)]
    pub fn field(&self, index: u8) -> Option<String> {
        let name = match index {
            0 => return Some(self.0.name().to_owned()),
            1 => return Some(self.0.ns().to_owned()),
            2 => "to",
            3 => "from",
            4 => "id",
            _ => "type",
        };
        self.attribute(name)
    }

    /// An attribute; with `ns`, one in that namespace.
    pub fn attr(&self, name: &str, ns: Option<String>) -> Option<String> {
        match ns {
            None => self.attribute(name),
            Some(ns) => self.0.attr_ns(name, &ns).map(str::to_owned),
        }
    }

    /// All attributes without a namespace.
    pub fn attrs(&self) -> js_sys::Object {
        let record = record();
        for attribute in self.0.attributes().filter(|one| one.ns.is_empty()) {
            set(&record, attribute.name, &attribute.value.into());
        }
        record
    }

    /// The first child element of that name and namespace.
    pub fn child(&self, name: &str, ns: Option<String>) -> Option<Stanza> {
        self.find(name, ns.as_deref()).map(Self)
    }

    /// All child elements of that name and namespace.
    pub fn children(&self, name: Option<String>, ns: Option<String>) -> Vec<Stanza> {
        let mut found = Vec::new();
        for child in self.0.children() {
            if fits(&child, name.as_deref(), ns.as_deref()) {
                found.push(Self(child));
            }
        }
        found
    }

    /// Its own character data, or that of the first child of that name.
    pub fn text(&self, child: Option<String>, ns: Option<String>) -> Option<String> {
        match child {
            None => Some(self.0.text().into_owned()),
            Some(name) => self
                .find(&name, ns.as_deref())
                .map(|child| child.text().into_owned()),
        }
    }

    /// The element as XML.
    #[wasm_bindgen(js_name = toString)]
    pub fn to_xml(&self) -> String {
        self.0.to_xml()
    }
}
