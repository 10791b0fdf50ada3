//! RFC 7628: OAUTHBEARER. One message with an OAuth 2 access token, which is as secret as a password.
//!
//! Left out: `host` and `port`, which only tokens that sign the request need (§3.1), and discovery (§3.2.2): the
//! server's JSON about it is kept unchanged, see [`OauthBearer::reason`].

use super::{SaslError, SecretText, gs2_header, printable};

/// The client's side. Succeeds in one message; a refusal takes one exchange more (§3.2.3).
#[derive(Default)]
pub(super) struct OauthBearer {
    reason: Option<String>,
}

impl OauthBearer {
    /// `authzid` is the account of the token. RFC 7628 allows leaving it out; Prosody requires it, as a bare JID.
    pub(super) fn start(
        token: String,
        authzid: Option<&str>,
    ) -> Result<(OauthBearer, Vec<u8>), SaslError> {
        let token = SecretText::new(token);
        // RFC 6750 §2.1 allows fewer characters; the check only ensures that the token cannot end the value early.
        if token.as_bytes().is_empty() || !token.as_bytes().iter().all(u8::is_ascii_graphic) {
            return Err(SaslError::BadPassword);
        }
        let header = gs2_header(authzid)?;
        let message = [
            header.as_bytes(),
            b"\x01auth=Bearer ",
            token.as_bytes(),
            b"\x01\x01",
        ];
        Ok((OauthBearer::default(), message.concat()))
    }

    /// Handles a refusal with a reason in JSON (§3.2.2); the one-byte reply lets the server send `<failure/>` (§3.2.3).
    pub(super) fn handle_challenge(&mut self, data: &[u8]) -> Result<Vec<u8>, SaslError> {
        if self.reason.is_some() {
            return Err(SaslError::Malformed);
        }
        let text = core::str::from_utf8(data).map_err(|_| SaslError::Malformed)?;
        self.reason = Some(printable(text));
        Ok(vec![1])
    }

    pub(super) fn handle_success(&self) -> Result<(), SaslError> {
        match &self.reason {
            None => Ok(()),
            Some(reason) => Err(SaslError::ServerSaid(reason.clone())),
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}
