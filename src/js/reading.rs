//! XML, matchers and functions that the page gives.

use super::error::{Problem, illegal_character};
use super::object::field;
use super::options;
use super::reader::Reader;
use super::stanza::stanza_to_js;
use epode_proto::handler::Matcher;
use epode_proto::stanza;
use epode_proto::xml::{Element, Limits, XmlError, is_xml_text, parse};
use js_sys::Function;
use wasm_bindgen::prelude::*;

/// What the page wants sent, as XML, read into an element; without a namespace it is `jabber:client`.
pub fn read_stanza(xml: &str) -> Result<Element, Problem> {
    read(xml, stanza::parse)
}

/// XML that a page wrote.
pub fn read_element(xml: &str) -> Result<Element, Problem> {
    read(xml, |xml| {
        parse(xml.as_bytes().to_vec(), &Limits::default())
    })
}

fn read(
    xml: &str,
    parse: impl FnOnce(&str) -> Result<Element, XmlError>,
) -> Result<Element, Problem> {
    if !is_xml_text(xml) {
        return Err(illegal_character());
    }
    parse(xml).map_err(|error| {
        let message = format!(
            "Not one well-formed element: {}. Write it with the xml`…` tag, which escapes what is put into it.",
            error.as_str()
        );
        Problem::new("bad-stanza", &message)
    })
}

/// What a handler is to match.
pub fn read_matcher(matcher: &JsValue) -> Result<Matcher, Problem> {
    let read = Reader::of(matcher);
    let types = match field(matcher, "type").as_string() {
        Some(one) => vec![one],
        None => read.list("type"),
    };
    let matcher = Matcher {
        name: read.text("name"),
        types,
        ns: read.text("ns"),
        id: read.text("id"),
        from: options::read_jid(&read, "from"),
    };
    read.done()?;
    Ok(matcher)
}

/// A callback.
pub fn function(value: &JsValue) -> Result<Function, Problem> {
    value
        .dyn_ref::<Function>()
        .cloned()
        .ok_or_else(|| Problem::new("bad-argument", "The callback is not a function. Give a function, which is called with the event or stanza."))
}

/// One document as a handle: for what is not a stanza and comes from somewhere else (XEP-0156).
#[wasm_bindgen(js_name = parseXml, skip_typescript)]
pub fn parse_xml(xml: &str) -> Result<JsValue, JsValue> {
    Ok(stanza_to_js(&read_element(xml)?))
}
