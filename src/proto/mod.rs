//! XMPP itself: no IO, no clock, no randomness, no JavaScript.

pub mod jid;
pub mod ns;
pub mod random;
pub mod sasl;
pub mod stanza;
pub mod time;
pub mod unicode;
pub mod xep;
pub mod xml;
