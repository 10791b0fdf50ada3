//! Harmless deviations in a peer's XML that the reader accepts: RFC 6120 §11 requires more of senders than readers
//! need.
//!
//! Accepted: comments and processing instructions (RFC 6120 §11.1 lets a reader refuse them; a proxy may add them), an
//! XML declaration that is not at the start or names another encoding although the bytes are UTF-8, several elements in
//! a row, prefixes and namespaces that were not declared. Refused: DTDs, entities, and all other input that is not
//! well-formed.

use super::XmlError;

/// How missing namespaces of a peer are filled in.
#[derive(Clone, Copy, Debug)]
pub struct Lenience {
    /// The default namespace around the document.
    pub default_ns: &'static str,
    /// The depth of the stream's own elements: 0 if each is a document, 1 if one element wraps them.
    pub level: usize,
    /// The namespaces of stream elements without a declared namespace, by name. An element that inherits `default_ns`
    /// counts as without.
    pub stream_level: &'static [(&'static str, &'static str)],
    /// Prefixes that are known without a declaration. Any other prefix becomes a namespace of its own name, which
    /// matches no XMPP namespace: those contain a colon, and prefixes cannot.
    pub prefixes: &'static [(&'static str, &'static str)],
}

impl Lenience {
    /// The namespace that the name of an element at the stream level implies.
    pub(super) fn meant(&self, depth: usize, name: &str) -> Option<&'static str> {
        let mut known = self.stream_level.iter().filter(|_| depth == self.level);
        known.find(|(known, _)| *known == name).map(|(_, ns)| *ns)
    }

    /// The namespace of an undeclared prefix, if it is well known.
    pub(super) fn well_known(&self, prefix: &str) -> Option<&'static str> {
        let mut known = self.prefixes.iter();
        known.find(|(known, _)| *known == prefix).map(|(_, ns)| *ns)
    }
}

/// Unreadable input of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The reason.
    pub error: XmlError,
    /// The local name of the outermost element in which reading failed; empty if no element had begun.
    pub name: String,
}
