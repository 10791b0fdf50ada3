//! The three stanzas of RFC 6120 §8: built and read, never sent. All in the namespace `jabber:client`.
//!
//! One file each, and [`error`] for what comes back of type `error`. Ids are the connection's to stamp for `iq`, and the
//! caller's to give where something is recognised by them later (a message to a room, a join).

pub mod error;
pub mod iq;
pub mod message;
pub mod presence;

pub use error::{ErrorKind, StanzaError};

use crate::ns;
use crate::xml::{Element, Limits, XmlError, parse_in};

/// Reads a stanza that a caller wrote; without a namespace it is in `jabber:client`. Whether it is a stanza is for the connection to
/// say that sends it.
///
/// # Errors
/// It is not one well-formed element, or larger than the limits.
pub fn parse(xml: &str) -> Result<Element, XmlError> {
    parse_in(xml.as_bytes().to_vec(), &Limits::default(), ns::CLIENT)
}

/// Whether the stanza is of type `error` (RFC 6120 §8.3): then it carries our own words back, and must never be taken for news.
pub fn is_error(stanza: &Element) -> bool {
    stanza.attr("type") == Some("error")
}

/// A JID as text, split at its resource: the bare part, and the resourcepart when there is one (RFC 7622 §3.1: the first slash).
pub fn split_jid(jid: &str) -> (&str, Option<&str>) {
    match jid.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (jid, None),
    }
}
