//! draft-schmaus-kitten-sasl-ht-08: HT-SHA-256-NONE, with which XEP-0484's tokens are shown: one message, one answer.
//!
//! The token never leaves, and the server proves that it knows it too. Unlike SCRAM's, the proof is the same each time:
//! whoever reads it can use it, so it is as secret as the token, and belongs on a confidential connection.
//! Left out: channel binding, which a browser has none for (`-ENDP`, `-EXPR`, `-UNIQ`).

use super::hash::{HashFunction, Mac, Tag};
use super::{SaslError, SecretText};

/// The client's side: what the server has to say to be believed.
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

    /// The server's proof comes with `<success/>`, or there is none.
    pub(super) fn handle_success(&self, data: Option<&[u8]>) -> Result<(), SaslError> {
        if self.expected.is(data.unwrap_or_default()) {
            Ok(())
        } else {
            Err(SaslError::ServerSignature)
        }
    }
}
