//! Transports: how elements travel. A transport never looks inside a stanza, and knows nothing of sessions.

pub mod bosh;
mod bosh_body;

use super::error::CloseReason;
use super::event::{Delivery, SendId};
use super::xml::Element;

/// What a transport tells the connection.
#[derive(Clone, Debug)]
pub enum TransportEvent {
    /// The stream is open; its features follow as an element.
    Opened,
    /// A child of the stream, in the order the server sent it.
    Element(Element),
    /// What became of an element that was sent under a name.
    Settled(SendId, Delivery),
    /// The transport is at its end. Nothing follows.
    Closed(CloseReason),
}
