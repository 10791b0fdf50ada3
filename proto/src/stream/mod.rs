//! RFC 6120 §4: the stream around the stanzas: its features and its errors.

pub mod error;
pub mod features;
