//! draft-schmaus-kitten-sasl-ht-08: HT-SHA-256-NONE, for the tokens of XEP-0484: one message and one reply.
//!
//! The token is not sent, and the server proves that it knows the token. Unlike in SCRAM, the proof is the same each time:
//! an attacker who reads the proof can reuse it, so it needs a confidential connection.
//! Left out: channel binding, which is not available to pages (`-ENDP`, `-EXPR`, `-UNIQ`).

use super::hash::{HashFunction, Mac, Tag};
use super::{SaslError, SecretText};

/// The client's side: the proof expected from the server.
pub(super) struct HashedToken {
    expected: Tag,
}

impl HashedToken {
    /// The state, and the message: `username NUL HMAC(token, "Initiator")`.
    pub(super) fn start(
        username: &str,
        token: String,
    ) -> Result<(HashedToken, Vec<u8>), SaslError> {
        let token = SecretText::new(token);
        if username.is_empty() || username.as_bytes().contains(&0) {
            return Err(SaslError::BadUsername);
        }
        if token.as_bytes().is_empty() {
            return Err(SaslError::BadPassword);
        }
        let key = Mac::new(HashFunction::Sha256, token.as_bytes());
        let proof = key.sign(&[b"Initiator"]);
        let message = [username.as_bytes(), b"\0", proof.as_bytes()].concat();
        let expected = key.sign(&[b"Responder"]);
        Ok((HashedToken { expected }, message))
    }

    /// Verifies the server's proof, which comes with `<success/>`.
    pub(super) fn handle_success(&self, data: Option<&[u8]>) -> Result<(), SaslError> {
        if self.expected.is(data.unwrap_or_default()) {
            Ok(())
        } else {
            Err(SaslError::ServerSignature)
        }
    }
}
