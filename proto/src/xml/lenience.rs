//! Harmless deviations in the XML of a peer that the reader accepts: RFC 6120 §11 requires more of senders than readers need.
//!
//! Passed over: comments and processing instructions (RFC 6120 §11.1 lets a reader refuse them; a proxy may add them), an XML
//! declaration that is not at the very start or names another encoding than the UTF-8 that the bytes are, several elements in
//! a row, prefixes and namespaces that were not declared. Still refused: DTDs, entities, whatever else is not well-formed.

use super::XmlError;

/// How namespaces that a peer left out are filled in.
#[derive(Clone, Copy, Debug)]
pub struct Lenience {
    /// The default namespace around the document.
    pub default_ns: &'static str,
    /// How deep the stream's own elements stand: 0 where each is a document, 1 where one element wraps them.
    pub level: usize,
    /// What stream elements mean that have no namespace of their own, by name. They have none if they inherit `default_ns`.
    pub stream_level: &'static [(&'static str, &'static str)],
    /// Prefixes that are known without a declaration. Any other counts as a namespace of its own name, which is no namespace
    /// that anybody looks for: namespaces of XMPP hold a colon, which prefixes cannot.
    pub prefixes: &'static [(&'static str, &'static str)],
}

impl Lenience {
    /// The namespace that an element of the stream level means by its name alone.
    pub(super) fn meant(&self, depth: usize, name: &str) -> Option<&'static str> {
        let mut known = self.stream_level.iter().filter(|_| depth == self.level);
        known.find(|(known, _)| *known == name).map(|(_, ns)| *ns)
    }

    /// The namespace of an undeclared prefix, where it is a well-known one.
    pub(super) fn well_known(&self, prefix: &str) -> Option<&'static str> {
        let mut known = self.prefixes.iter();
        known.find(|(known, _)| *known == prefix).map(|(_, ns)| *ns)
    }
}

/// Unreadable input of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why.
    pub error: XmlError,
    /// The local name of the outermost element in which reading failed; empty where none had begun.
    pub name: String,
}
