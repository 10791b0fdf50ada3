//! RFC 6120 §6.4 and XEP-0388 1.0.4: SASL on the wire. Two profiles of one exchange: `<auth/>` with a restart, or
//! `<authenticate/>` (see [`sasl2`](crate::sasl2)) without one; the challenges and responses are the same.
//!
//! Left out: `<abort/>` (the client ends the stream instead), tasks after `<continue/>`.

use super::base64;
use crate::ns;
use crate::xml::Element;

/// A SASL element from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslElement {
    /// A challenge, to be answered by [`response`].
    Challenge(Vec<u8>),
    /// `<success/>` with its data, which the mechanism must verify.
    Success(Option<Vec<u8>>),
    /// `<continue/>`: further tasks are required (XEP-0388 §2.6.3), such as a second factor; holds their names.
    Continue(Vec<String>),
    /// The server refused the login.
    Failure {
        /// RFC 6120 §6.5's condition.
        condition: String,
        /// The server's text.
        text: Option<String>,
    },
    /// Its data is not Base64.
    Garbled,
}

impl SaslElement {
    /// Parses an element of either profile; `None` for any other element.
    pub fn read(element: &Element) -> Option<Self> {
        let ns = element.ns();
        if !matches!(ns, ns::SASL | ns::SASL2) {
            return None;
        }
        let text = match element.name() {
            "challenge" => Some(element.trimmed_text()),
            "success" if ns == ns::SASL => Some(element.trimmed_text()),
            "success" => element.child_text("additional-data", ns),
            "continue" => {
                let tasks = element.child("tasks", ns);
                return Some(Self::Continue(tasks.map_or_else(Vec::new, |tasks| {
                    tasks.read_children("task", ns, Element::trimmed_text)
                })));
            }
            "failure" => return Some(failure(element)),
            _ => return None,
        };
        let data = match text.as_deref().map(str::trim) {
            None => None,
            // RFC 6120 §6.4.2 distinguishes absent data from empty data (`=`). XEP-0388 uses child elements for this.
            Some("") if ns == ns::SASL => None,
            Some("" | "=") => Some(Vec::new()),
            Some(text) => match base64::decode(text) {
                Some(data) => Some(data),
                None => return Some(Self::Garbled),
            },
        };
        Some(if element.name() == "challenge" {
            Self::Challenge(data.unwrap_or_default())
        } else {
            Self::Success(data)
        })
    }
}

fn failure(element: &Element) -> SaslElement {
    let mut condition = None;
    let mut text = None;
    for child in element.children() {
        if child.name() == "text" {
            text = Some(child.text().into_owned());
        } else if condition.is_none() {
            // XEP-0388 §2.6.2: other children are handled later.
            condition = Some(child.name().to_owned());
        }
    }
    SaslElement::Failure {
        condition: condition.unwrap_or_else(|| "not-authorized".to_owned()),
        text,
    }
}

/// Builds the first element (RFC 6120 §6.4.2). An empty initial response is written as `=`.
pub fn auth(mechanism: &str, initial: Option<&[u8]>) -> Element {
    let auth = Element::builder("auth", ns::SASL).attr("mechanism", mechanism);
    match initial {
        None => auth,
        Some([]) => auth.text("="),
        Some(initial) => auth.text(&base64::encode(initial)),
    }
    .build()
}

/// Builds the response to a challenge, in the namespace of its profile.
pub fn response(profile: &str, data: &[u8]) -> Element {
    Element::builder("response", profile)
        .text(&base64::encode(data))
        .build()
}
