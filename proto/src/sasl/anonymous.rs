//! RFC 4505: ANONYMOUS, as XEP-0175 1.2 uses it: the server gives a temporary account.
//!
//! Specification: XEP-0175 1.2, RFC 4505.
//!
//! Left out: trace information (RFC 4505 §2). A page has none that would not identify its visitor.

use super::SaslError;

/// XEP-0175's example sends no initial response; a server that wants one asks with an empty challenge.
pub(super) fn handle_challenge(data: &[u8]) -> Result<Vec<u8>, SaslError> {
    if data.is_empty() {
        Ok(Vec::new())
    } else {
        Err(SaslError::Malformed)
    }
}
