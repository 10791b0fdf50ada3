//! The domainpart of an address (RFC 7622 §3.2): a domain name in U-labels (RFC 5890), or an IP address.
//!
//! The platform maps and validates labels beyond ASCII (UTS #46) and returns A-labels; width, full stops, invisible
//! characters and the conversion from A-labels to U-labels (Punycode, RFC 3492) are implemented here, so that every
//! platform gives the same result.
//!
//! Left out: the tables of RFC 5892. Every domain that UTS #46 maps and the platform accepts is accepted, including
//! symbols.

use super::{JidError, check_raw_len};
use crate::unicode::{Unicode, is_invisible, narrow};

/// Appends the domainpart, normalised: U-labels in lower case without the trailing dot, or an IP address.
pub(super) fn push_domain(
    out: &mut String,
    part: &str,
    unicode: &dyn Unicode,
) -> Result<(), JidError> {
    check_raw_len(part)?;
    let start = out.len();
    let part = part.strip_suffix('.').unwrap_or(part);
    if let Some(address) = part.strip_prefix('[') {
        check_ip_literal(address)?;
        out.push_str(part);
    } else if part.is_ascii() && !has_a_label(part) {
        check_labels(part)?;
        out.push_str(part);
    } else {
        push_international(out, part, unicode)?;
    }
    if let Some(domain) = out.get_mut(start..) {
        domain.make_ascii_lowercase();
    }
    Ok(())
}

/// Checks the part of an IPv6 address after the bracket.
fn check_ip_literal(address: &str) -> Result<(), JidError> {
    let address = address.strip_suffix(']').unwrap_or("");
    let known = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
    if address.len() > 45 || !address.contains(':') || !address.bytes().all(known) {
        return Err(JidError::Domain);
    }
    Ok(())
}

/// A domain name with characters beyond ASCII, or with A-labels.
fn push_international(out: &mut String, part: &str, unicode: &dyn Unicode) -> Result<(), JidError> {
    let mut folded = String::with_capacity(part.len());
    for char in part.chars() {
        match char {
            // The full stops of RFC 3490 §3.1.
            '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => folded.push('.'),
            // UTS #46 would drop them to make names that look alike equal; RFC 5892 §2.3 refuses them.
            _ if is_invisible(char) => return Err(JidError::Domain),
            _ => folded.push(narrow(char).unwrap_or(char)),
        }
    }
    let folded = folded.strip_suffix('.').unwrap_or(&folded);
    // The platform's URL parser would parse an `@`, a port or a path as such.
    check_labels(folded)?;
    if folded.is_ascii() && !has_a_label(folded) {
        out.push_str(folded);
        return Ok(());
    }
    let ascii = unicode.domain_to_ascii(folded).ok_or(JidError::Domain)?;
    let mut ascii = ascii.strip_suffix('.').unwrap_or(&ascii).to_owned();
    if !ascii.is_ascii() {
        return Err(JidError::Domain);
    }
    ascii.make_ascii_lowercase();
    check_labels(&ascii)?;
    let mut domain = String::with_capacity(part.len());
    let mut has_codes = false;
    for (at, label) in ascii.split('.').enumerate() {
        if at > 0 {
            domain.push('.');
        }
        match label.strip_prefix("xn--") {
            Some(code) => {
                let label = decode_punycode(code).filter(|label| !label.is_ascii());
                domain.push_str(&label.ok_or(JidError::Domain)?);
                has_codes = true;
            }
            None => domain.push_str(label),
        }
    }
    check_labels(&domain)?;
    // COMPAT(Chromium): it does not validate given A-labels. An A-label is the ASCII form of a valid U-label (RFC 5890
    // §2.3.2.1), so converting back must give the same label.
    if has_codes && unicode.domain_to_ascii(&domain) != Some(ascii) {
        return Err(JidError::Domain);
    }
    out.push_str(&domain);
    Ok(())
}

/// RFC 3492 §6.2, with the parameters of §5. `None` if the code is not valid.
fn decode_punycode(code: &str) -> Option<String> {
    const BASE: u32 = 36;
    let (basic, mut digits) = match code.rsplit_once('-') {
        Some((basic, digits)) => (basic, digits.bytes()),
        None => ("", code.bytes()),
    };
    let mut decoded: Vec<char> = basic.chars().collect();
    let (mut point, mut at, mut bias) = (128u32, 0u32, 72u32);
    while digits.len() > 0 {
        let before = at;
        let (mut weight, mut step) = (1u32, BASE);
        loop {
            let digit = match digits.next()? {
                byte @ b'a'..=b'z' => byte - b'a',
                byte @ b'A'..=b'Z' => byte - b'A',
                byte @ b'0'..=b'9' => byte - b'0' + 26,
                _ => return None,
            };
            at = at.checked_add(u32::from(digit).checked_mul(weight)?)?;
            let threshold = step.saturating_sub(bias).clamp(1, 26);
            if u32::from(digit) < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            step += BASE;
        }
        let count = u32::try_from(decoded.len()).ok()?.checked_add(1)?;
        bias = adapt(at - before, count, before == 0);
        point = point.checked_add(at / count)?;
        at %= count;
        decoded.insert(at as usize, char::from_u32(point)?);
        at += 1;
    }
    Some(decoded.into_iter().collect())
}

/// RFC 3492 §6.1.
fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut bias = 0;
    while delta > 455 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}

/// Whether a label is an A-label (`xn--…`).
fn has_a_label(domain: &str) -> bool {
    domain
        .split('.')
        .any(|label| matches!(label.get(..4), Some(start) if start.eq_ignore_ascii_case("xn--")))
}

/// Checks the ASCII characters of a domain name: letters, digits, hyphens inside a label; no label is empty, longer
/// than 63 bytes as ASCII, or an A-label with characters beyond ASCII. The caller reports an empty name with a separate
/// error.
fn check_labels(domain: &str) -> Result<(), JidError> {
    // The underscore is not allowed in host names, but occurs in the names of containers.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | 0x80..);
    let fine = |label: &str| {
        let ascii = label.is_ascii();
        let wrong = if ascii {
            label.len() > 63
        } else {
            has_a_label(label)
        };
        let hyphen = label.starts_with('-') || label.ends_with('-');
        !(label.is_empty() || wrong || hyphen) && label.bytes().all(known)
    };
    if domain.is_empty() || domain.split('.').all(fine) {
        Ok(())
    } else {
        Err(JidError::Domain)
    }
}
