//! Builds and reads the stanzas of RFC 6120 §8, all in the namespace `jabber:client`.
//!
//! One file each, and [`error`] for stanzas of type `error`. The connection sets the ids of `iq`; the
//! caller sets those by which it recognises a stanza later (a message to a room, a join).

pub mod error;
pub mod iq;
pub mod message;
pub mod presence;

pub use error::{ErrorKind, StanzaError};

use crate::ns;
use crate::xml::{Element, Limits, XmlError, parse_in};

/// Parses a stanza that a caller wrote; the default namespace is `jabber:client`. The connection checks on sending whether
/// the element is a stanza.
///
/// # Errors
/// The text is not one well-formed element, or exceeds the limits.
pub fn parse(xml: &str) -> Result<Element, XmlError> {
    parse_in(xml.as_bytes().to_vec(), &Limits::default(), ns::CLIENT)
}

/// Whether the stanza is of type `error` (RFC 6120 §8.3): such a stanza returns our own content and must not be handled as new.
pub fn is_error(stanza: &Element) -> bool {
    stanza.attr("type") == Some("error")
}

/// Splits a JID at its resource: the bare part, and the resourcepart if present (RFC 7622 §3.1: the first slash).
pub fn split_jid(jid: &str) -> (&str, Option<&str>) {
    match jid.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (jid, None),
    }
}
