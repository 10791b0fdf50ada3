//! Errors of a SASL exchange.

/// An error of a SASL exchange. Contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslError {
    /// The server did not prove that it knows the password: the signature is missing or wrong.
    ServerSignature,
    /// The server's nonce does not continue ours. (From [`Mechanism::start`](super::Mechanism::start): ours is not visible ASCII without commas.)
    Nonce,
    /// The server requests fewer iterations than [`MIN_ITERATIONS`](super::MIN_ITERATIONS).
    TooFewIterations,
    /// The server requests more iterations than [`MAX_ITERATIONS`](super::MAX_ITERATIONS).
    TooManyIterations,
    /// The server requires an extension (`m=`), and none is defined.
    MandatoryExtension,
    /// The server's message is malformed or unexpected in this state.
    Malformed,
    /// The username, or the authzid, is empty or has a forbidden character.
    BadUsername,
    /// The password, or the token, is empty or has a forbidden character.
    BadPassword,
    /// An error of the caller: an unknown mechanism, or one that does not fit the credentials.
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
