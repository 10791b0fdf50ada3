//! XEP-0199: XMPP Ping 2.0.1. The request; its reply is an empty result, and any reply shows that the peer is alive.
//!
//! Specification: XEP-0199 2.0.1.

use crate::ns;
use crate::stanza::iq::{self, IqType};
use crate::xml::Element;

/// Builds a ping to `to` (or the server).
pub fn request(to: Option<&str>) -> Element {
    iq::request(IqType::Get, to, Element::builder("ping", ns::PING).build())
}
