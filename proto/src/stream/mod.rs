//! RFC 6120 §4: the stream, its features and its errors.

pub mod error;
pub mod features;
