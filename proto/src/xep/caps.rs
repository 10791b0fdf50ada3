//! XEP-0115: Entity Capabilities 1.6. The own capabilities as a hash in presence; other clients request each hash once.
//!
//! Specification: XEP-0115 1.6.0.
//!
//! Left out: the capabilities of others, which this client does not use; and forms in the own disco#info, which has
//! none.

use super::disco::Info;
use crate::ns;
use crate::sasl::{self, base64};
use crate::xml::Element;

/// The URI of this software (§4).
pub const NODE: &str = "urn:epode:client";

/// The verification string of our disco#info (§5.1): base64 of SHA-1. The names of identities count; there are no
/// languages.
pub fn verification(info: &Info) -> String {
    let mut identities = Vec::new();
    for identity in &info.identities {
        let mut text = String::new();
        for part in [&identity.category, &identity.kind] {
            text.push_str(part);
            text.push('/');
        }
        // The language between the slashes is empty.
        text.push('/');
        text.push_str(identity.name.as_deref().unwrap_or_default());
        insert(&mut identities, text);
    }
    let mut features = Vec::new();
    for feature in &info.features {
        insert(&mut features, feature.clone());
    }
    let mut all = String::new();
    for text in identities.iter().chain(&features) {
        all.push_str(text);
        all.push('<');
    }
    base64::encode(&sasl::sha1(all.as_bytes()))
}

/// Inserts a text, keeping the order by bytes (i;octet).
fn insert(texts: &mut Vec<String>, text: String) {
    let mut at = texts.len();
    while at > 0 && texts.get(at - 1).is_some_and(|before| *before > text) {
        at -= 1;
    }
    texts.insert(at, text);
}

/// The `<c/>` of a presence.
pub fn to_element(verification: &str) -> Element {
    Element::builder("c", ns::CAPS)
        .attr("hash", "sha-1")
        .attr("node", NODE)
        .attr("ver", verification)
        .build()
}

/// The node that other clients query to resolve a hash (§6.2).
pub fn node(verification: &str) -> String {
    let mut node = String::from(NODE);
    node.push('#');
    node.push_str(verification);
    node
}
