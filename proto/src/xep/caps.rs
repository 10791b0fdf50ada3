//! XEP-0115: Entity Capabilities 1.6. What we can do, as a hash in our presence; others ask once for each hash.
//!
//! Specification: XEP-0115 1.6.0.
//!
//! Left out: what others can do, which nothing here needs yet; and forms within our own disco#info, of which there are none.

use super::disco::Info;
use crate::ns;
use crate::sasl::{self, base64};
use crate::xml::Element;

/// The name that stands for this software (§4): any URI.
pub const NODE: &str = "urn:epode:client";

/// The verification string of our information (§5.1): base64 of SHA-1. Names of identities count, languages there are none.
pub fn verification(info: &Info) -> String {
    let mut identities = Vec::new();
    for identity in &info.identities {
        let mut text = String::new();
        for part in [&identity.category, &identity.kind] {
            text.push_str(part);
            text.push('/');
        }
        // The language between them is empty.
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

/// Keeps the texts ordered byte by byte (i;octet).
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
