//! RFC 6120 §4.3.2: stream features, as far as they are acted upon.
//!
//! STARTTLS and compression are not read: over HTTP and WebSocket they are the transport's business (XEP-0206 §4).

use crate::ns;
use crate::sasl2::Offer;
use crate::xml::Element;

/// The stream features that the server offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// SASL mechanisms, in the server's order.
    pub mechanisms: Vec<String>,
    /// SASL in one element (XEP-0388).
    pub sasl2: Option<Offer>,
    /// Resource binding.
    pub bind: bool,
    /// RFC 3921's session establishment is demanded (offered without `<optional/>`).
    pub session_required: bool,
    /// XEP-0198 is offered.
    pub stream_management: bool,
    /// XEP-0077 is offered.
    pub register: bool,
    /// The server reads each WebSocket frame by itself, as far as its software is known for that (XEP-0115 §6.3).
    pub reads_apart: bool,
}

impl Features {
    /// Reads `<stream:features/>`; `None` for any other element.
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("features", ns::STREAM) {
            return None;
        }
        let mut features = Self::default();
        for child in element.children() {
            match (child.name(), child.ns()) {
                ("mechanisms", ns::SASL) => {
                    features.mechanisms =
                        child.read_children("mechanism", ns::SASL, Element::trimmed_text);
                    // Before the login ejabberd's name is not told, but nobody else has a mechanism of that name.
                    features.reads_apart = features.mechanisms.iter().any(|one| one == "X-OAUTH2");
                }
                (_, ns::SASL2) => features.sasl2 = Offer::parse(&child),
                ("bind", ns::BIND) => features.bind = true,
                ("session", ns::SESSION) => {
                    features.session_required = !child.has_child("optional", ns::SESSION);
                }
                ("sm", ns::STREAM_MANAGEMENT) => features.stream_management = true,
                ("c", ns::CAPS) => {
                    let software = child.attr("node").unwrap_or_default();
                    let mut parts = software.split('/');
                    features.reads_apart = parts.any(|part| part.ends_with("process-one.net"));
                }
                ("register", ns::REGISTER_FEATURE) => features.register = true,
                _ => {}
            }
        }
        Some(features)
    }
}
