//! RFC 6120 §4.9: stream errors. Each one ends the stream.

use crate::ns;
use crate::xml::Element;

/// Why the server ended the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// RFC 6120 §4.9.3's condition; `undefined-condition` when there is none.
    pub condition: String,
    /// The server's words.
    pub text: Option<String>,
    /// An application's own condition.
    pub application: Option<String>,
}

impl StreamError {
    /// Reads `<stream:error/>`; `None` for any other element.
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("error", ns::STREAM) {
            return None;
        }
        let mut error = Self {
            condition: "undefined-condition".to_owned(),
            text: None,
            application: None,
        };
        for child in element.children() {
            if child.is("text", ns::STREAM_ERROR) {
                error.text = Some(child.text().into_owned());
            } else if child.ns() == ns::STREAM_ERROR {
                error.condition = child.name().to_owned();
            } else {
                error.application = Some(child.name().to_owned());
            }
        }
        Some(error)
    }
}
