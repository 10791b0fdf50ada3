//! RFC 4648 §4: Base64, the standard alphabet with padding. What SASL wraps its messages in (RFC 6120 §6.4.2).
//!
//! Our own, because a crate for it costs more in wasm than it is worth: the crates bring engines, alphabets and
//! tables for every dialect. Left out: the URL alphabet, line breaks, unpadded text. XMPP's `=` for "empty" is the
//! session's business: it is not Base64.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `bytes` as padded Base64, without line breaks.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0;
        for place in 0..3 {
            bits = bits << 8 | u32::from(group.get(place).copied().unwrap_or(0));
        }
        for place in 0..4 {
            // A group of n bytes fills n + 1 characters; the rest is padding.
            text.push(if place > group.len() {
                '='
            } else {
                let six = (bits >> (18 - 6 * place)) & 63;
                char::from(ALPHABET[six as usize & 63])
            });
        }
    }
    text
}

/// The bytes that `text` stands for; `None` unless it is exactly what [`encode`] would have written.
///
/// Strict: padding is required, nothing may stand between or after, and the bits that padding leaves over are zero.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body = match text {
        [body @ .., b'=', b'='] | [body @ .., b'='] => body,
        body => body,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits = 0;
    let mut held = 0;
    for &character in body {
        bits = bits << 6 | sextet(character)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0).then_some(bytes)
}

fn sextet(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
