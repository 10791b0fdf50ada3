//! RFC 6120 §8.2.3: `iq`, the request and its reply.

use super::error::StanzaError;
use crate::ns;
use crate::xml::Element;

/// The type of an iq request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IqType {
    /// Asks for something.
    Get,
    /// Changes something.
    Set,
}

impl IqType {
    /// The `type` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
        }
    }
}

/// Builds a request with one payload. `to` is `None` for the own account or server. The connection sets the id.
pub fn request(kind: IqType, to: Option<&str>, payload: Element) -> Element {
    Element::builder("iq", ns::CLIENT)
        .attr("type", kind.as_str())
        .attr_opt("to", to)
        .child(payload)
        .build()
}

/// Builds the `result` reply to `request`.
pub fn result(request: &Element, payload: Option<Element>) -> Element {
    reply(request, "result", payload)
}

/// Builds the `error` reply to `request`.
pub fn error_reply(request: &Element, error: &StanzaError) -> Element {
    reply(request, "error", Some(error.to_element()))
}

fn reply(request: &Element, kind: &str, payload: Option<Element>) -> Element {
    Element::builder("iq", ns::CLIENT)
        .attr("type", kind)
        .attr_opt("to", request.attr("from"))
        .attr_opt("id", request.attr("id"))
        .children(payload)
        .build()
}
