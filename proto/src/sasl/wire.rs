//! RFC 6120 §6.4 and XEP-0388 1.0.4: SASL on the wire. Two profiles, one dialogue: `<auth/>` and a restart, or
//! `<authenticate/>` (see [`sasl2`](crate::sasl2)) and none; challenges and responses between are alike.
//!
//! Left out: `<abort/>` (whoever breaks off ends the stream), tasks after `<continue/>` (a page has no way to do them).

use super::base64;
use crate::ns;
use crate::xml::Element;

/// What the server says during a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslElement {
    /// To be answered by [`response`].
    Challenge(Vec<u8>),
    /// Logged in, if the mechanism agrees, which the data is for.
    Success(Option<Vec<u8>>),
    /// Right so far, but more is wanted (XEP-0388 §2.6.3), such as a second factor: the tasks' names.
    Continue(Vec<String>),
    /// Refused.
    Failure {
        /// RFC 6120 §6.5's condition.
        condition: String,
        /// What the server says of it.
        text: Option<String>,
    },
    /// Its data is not Base64.
    Garbled,
}

impl SaslElement {
    /// Reads an element of either profile; `None` for any other.
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
            // RFC 6120 §6.4.2: nothing at all, and something that is empty. XEP-0388 has elements for the difference.
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
            // XEP-0388 §2.6.2: what else is in there belongs to applications, and comes later.
            condition = Some(child.name().to_owned());
        }
    }
    SaslElement::Failure {
        condition: condition.unwrap_or_else(|| "not-authorized".to_owned()),
        text,
    }
}

/// RFC 6120 §6.4.2: the beginning. An empty initial response is `=`, none is nothing.
pub fn auth(mechanism: &str, initial: Option<&[u8]>) -> Element {
    let auth = Element::builder("auth", ns::SASL).attr("mechanism", mechanism);
    match initial {
        None => auth,
        Some([]) => auth.text("="),
        Some(initial) => auth.text(&base64::encode(initial)),
    }
    .build()
}

/// The answer to a challenge, in the namespace of its profile.
pub fn response(profile: &str, data: &[u8]) -> Element {
    Element::builder("response", profile)
        .text(&base64::encode(data))
        .build()
}
