//! RFC 4648 §4: Base64, the standard alphabet with padding, which SASL wraps its messages in (RFC 6120 §6.4.2).
//!
//! Left out: the URL alphabet, line breaks, unpadded text. XMPP's `=` for "empty" is the session's business: it is not Base64.

use base64ct::{Base64, Encoding};

/// `bytes` as padded Base64, without line breaks.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The bytes that `text` stands for; `None` unless it is exactly what [`encode`] would have written: padding is required,
/// nothing may stand between or after, and the bits that padding leaves over are zero.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}
