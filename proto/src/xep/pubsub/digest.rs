//! Equality of publications: the definition used to compare live events, listings, archives, the last item that a service
//! sends on subscribing, and copies under several subscriptions.
//!
//! XEP-0060 numbers nothing: an item has an id, and publishing under the same id again replaces it. A publication is therefore
//! its id and a hash of its payload. Two payloads are equal when they mean the same XML: attributes in any order, whatever the
//! prefixes, quotes, entities and namespace declarations (servers write a stored payload anew: Prosody reorders the attributes
//! after a restart). White space counts, also between elements: without a schema it may be significant.
//! Comments and processing instructions do not occur in XMPP (RFC 6120 §11.1).

use super::Item;
use crate::ns;
use crate::xml::{Element, Node};

/// The id of an item and its payload, each as a hash of 32 bits, so that a thousand of them fit into a position. Two different
/// publications look the same once in 2⁶⁴ pairs, two revisions of one item once in 2³².
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Of the item's id.
    pub id: u32,
    /// Of its payload; 0 or 1 without one.
    pub revision: u32,
}

/// The revision of an item whose payload a listing left out.
const UNSEEN: u32 = 0;
/// The revision of an item that was reported without a payload.
const BARE: u32 = 1;

impl Digest {
    /// Of an item.
    pub fn of(item: &Item) -> Self {
        Self {
            id: hash_id(item.id.as_deref().unwrap_or_default()),
            revision: item.payload.as_ref().map_or(UNSEEN, hash_payload),
        }
    }

    /// Whether the payload is known. Without it, two publications cannot be compared.
    pub fn has_payload(self) -> bool {
        self.revision > BARE
    }

    /// Whether a listing omitted the payload and no event contained it.
    pub fn is_unseen(self) -> bool {
        self.revision == UNSEEN
    }

    /// The digest of an item that was reported without its payload.
    pub fn as_reported(self) -> Self {
        Self {
            revision: self.revision.max(BARE),
            ..self
        }
    }

    /// Whether the item is listed in a revision that differs from the `known` one. A listing without payloads shows no change:
    /// absent does not mean changed.
    pub fn differs_from(self, known: Self) -> bool {
        self.has_payload() && !known.is_unseen() && self.revision != known.revision
    }
}

/// The hash of an item's id.
pub fn hash_id(id: &str) -> u32 {
    let mut hash = Fnv::default();
    hash.bytes(id.as_bytes());
    hash.finish()
}

/// The hash of a payload, above 1.
pub fn hash_payload(payload: &Element) -> u32 {
    let mut hash = Fnv::default();
    hash.element(payload);
    hash.finish().max(BARE + 1)
}

/// A fast hash: eight bytes at a time, multiplied and folded. It protects against accidental collisions only: a
/// publisher gains nothing from a deliberate one.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = 0;
        for byte in rest {
            last = last << 8 | u64::from(*byte);
        }
        self.word(last);
        // So that "ab" beside "c" is not "a" beside "bc".
        self.word(bytes.len() as u64);
    }

    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.0 ^= self.0 >> 32;
    }

    fn element(&mut self, element: &Element) {
        self.bytes(element.name().as_bytes());
        self.bytes(namespace(element.ns()).as_bytes());
        // A sum, so that the order of the attributes does not matter.
        let mut attributes = 0_u64;
        for attribute in element.attributes() {
            let mut one = Self::default();
            one.bytes(attribute.name.as_bytes());
            one.bytes(attribute.ns.as_bytes());
            one.bytes(attribute.value.as_bytes());
            attributes = attributes.wrapping_add(one.0);
        }
        self.word(attributes);
        for node in element.nodes() {
            match node {
                Node::Element(child) => self.element(&child),
                // An empty CDATA section is no text.
                Node::Text(text) if text.is_empty() => {}
                Node::Text(text) => self.bytes(text.as_bytes()),
            }
        }
        self.word(u64::MAX);
    }

    fn finish(&self) -> u32 {
        (self.0 ^ self.0 >> 32) as u32
    }
}

/// A payload without a namespace inherits that of its parent, which differs between listings, events and
/// servers.
fn namespace(namespace: &str) -> &str {
    match namespace {
        ns::PUBSUB | ns::PUBSUB_EVENT | ns::CLIENT | "jabber:server" => "",
        other => other,
    }
}
