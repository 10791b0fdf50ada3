//! RFC 6120 §4.9: stream errors. Each one ends the stream.

use crate::ns;
use crate::xml::Element;

/// A stream error of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// The condition of RFC 6120 §4.9.3; `undefined-condition` if there is none.
    pub condition: String,
    /// The server's text.
    pub text: Option<String>,
    /// The application-specific condition.
    pub application: Option<String>,
}

/// The conditions of RFC 6120 §4.9.3, and one name from RFC 3920.
const CONDITIONS: &[&str] = &[
    "bad-format",
    "bad-namespace-prefix",
    "conflict",
    "connection-timeout",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "internal-server-error",
    "invalid-from",
    "invalid-namespace",
    "invalid-xml",
    "not-authorized",
    "not-well-formed",
    "policy-violation",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "restricted-xml",
    "see-other-host",
    "system-shutdown",
    "undefined-condition",
    "unsupported-encoding",
    "unsupported-feature",
    "unsupported-stanza-type",
    "unsupported-version",
    "xml-not-well-formed",
];

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
            // Accept a condition without its namespace: the condition decides whether to reconnect.
            let name = child.name().to_ascii_lowercase();
            let ours = child.ns() == ns::STREAM_ERROR;
            let undeclared = matches!(child.ns(), "" | ns::STREAM | ns::CLIENT | ns::HTTP_BIND);
            if name == "text" && (ours || undeclared) {
                error.text = Some(child.text().into_owned());
            } else if ours || undeclared && CONDITIONS.contains(&name.as_str()) {
                error.condition = name;
            } else {
                error.application = Some(child.name().to_owned());
            }
        }
        Some(error)
    }
}
