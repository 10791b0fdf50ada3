//! RFC 4616: PLAIN. One message that carries the password itself: only where [`super::Policy`] allows it.
//!
//! Sent as typed: the server prepares the password (RFC 4616 §2), and a server that stores passwords unprepared, for
//! example in a directory, would refuse a prepared one.

use super::{SaslError, SecretText};

/// `authzid NUL username NUL password`.
pub(super) fn initial_response(
    username: &str,
    password: String,
    authzid: Option<&str>,
) -> Result<Vec<u8>, SaslError> {
    let password = SecretText::new(password);
    let authzid = authzid.unwrap_or_default().as_bytes();
    // NUL separates the parts, so no part may contain it.
    if username.is_empty() || username.as_bytes().contains(&0) || authzid.contains(&0) {
        return Err(SaslError::BadUsername);
    }
    if password.as_bytes().is_empty() || password.as_bytes().contains(&0) {
        return Err(SaslError::BadPassword);
    }
    // Allocated once: a growing vector leaves copies of the password in memory.
    let parts = [
        authzid,
        b"\0",
        username.as_bytes(),
        b"\0",
        password.as_bytes(),
    ];
    Ok(parts.concat())
}
