//! RFC 6120 §4.3.2: the stream features that this client uses.
//!
//! STARTTLS and compression are not read: over HTTP and WebSocket they belong to the transport (XEP-0206 §4).

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
    /// The server requires the session establishment of RFC 3921 (offered without `<optional/>`).
    pub session_required: bool,
    /// XEP-0198 is offered.
    pub stream_management: bool,
    /// XEP-0077 is offered.
    pub register: bool,
    /// The server's software is known to read each WebSocket frame separately (XEP-0115 §6.3).
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
                    // ejabberd does not announce its name before the login, but no other server has a mechanism of this
                    // name.
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
