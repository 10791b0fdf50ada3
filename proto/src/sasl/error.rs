//! Errors of a SASL exchange.

/// An error of a SASL exchange. Contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslError {
    /// The server did not prove that it knows the password: no signature, or not the right one.
    ServerSignature,
    /// The server's nonce does not continue ours. (From [`Mechanism::start`](super::Mechanism::start): ours is not visible ASCII without commas.)
    Nonce,
    /// The server asks for fewer iterations than [`MIN_ITERATIONS`](super::MIN_ITERATIONS).
    TooFewIterations,
    /// The server asks for more iterations than [`MAX_ITERATIONS`](super::MAX_ITERATIONS).
    TooManyIterations,
    /// The server asks for an extension that we must understand (`m=`), and none is defined.
    MandatoryExtension,
    /// The server's message is malformed or unexpected in this state.
    Malformed,
    /// The username, or the authzid, is empty or has characters that it cannot have.
    BadUsername,
    /// The password, or the token, is empty or has characters that it cannot have.
    BadPassword,
    /// The caller's mistake: no such mechanism, or not one for these credentials.
    WrongCredentials,
    /// The server's reason for refusing: SCRAM's `e=` (RFC 5802 §7), or OAUTHBEARER's JSON (RFC 7628 §3.2.2).
    /// 1,000 characters at most, controls replaced.
    ServerSaid(String),
}

impl SaslError {
    /// Its name, of a sentence in pkg-template/src/advice.ts. For [`SaslError::ServerSaid`], the server's text.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            SaslError::ServerSignature => "server-signature",
            SaslError::Nonce => "nonce",
            SaslError::TooFewIterations => "too-few-iterations",
            SaslError::TooManyIterations => "too-many-iterations",
            SaslError::MandatoryExtension => "mandatory-extension",
            SaslError::Malformed => "malformed",
            SaslError::BadUsername => "bad-username",
            SaslError::BadPassword => "bad-password",
            SaslError::WrongCredentials => "wrong-credentials",
            SaslError::ServerSaid(text) => text,
        }
    }
}
