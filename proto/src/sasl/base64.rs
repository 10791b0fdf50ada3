//! RFC 4648 §4: Base64, the standard alphabet with padding, which encodes SASL's messages (RFC 6120 §6.4.2).
//!
//! Left out: the URL alphabet, line breaks, unpadded text. The session handles XMPP's `=` for "empty", which is not
//! Base64.

use base64ct::{Base64, Encoding};

/// `bytes` as padded Base64, without line breaks.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Decodes `text`; `None` unless it is exactly the output of [`encode`]: with padding, without other characters, and
/// with the unused bits zero.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}
