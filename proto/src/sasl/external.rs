//! RFC 4422 appendix A: EXTERNAL, as XEP-0178 1.2 uses it: the client was authenticated outside of SASL.
//!
//! Specification: XEP-0178 1.2, RFC 4422.
//!
//! In a page this is the browser's client certificate, or a proxy that checks a cookie.

use super::SaslError;

/// The identity to act as; empty (`=` on the wire) leaves it to the server.
pub(super) fn initial_response(authzid: Option<String>) -> Result<Vec<u8>, SaslError> {
    let authzid = authzid.unwrap_or_default();
    if authzid.as_bytes().contains(&0) {
        return Err(SaslError::BadUsername);
    }
    Ok(authzid.into_bytes())
}
