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
    /// A text for the operator of the page. For [`SaslError::ServerSaid`], the server's text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            SaslError::ServerSignature => {
                "the server did not prove that it knows the password: it may not be the server that it claims to be"
            }
            SaslError::Nonce => {
                "the server's nonce does not continue ours: somebody may replay an old login"
            }
            SaslError::TooFewIterations => {
                "the server asks for fewer than 4096 iterations of the password's hash, which would not protect it"
            }
            SaslError::TooManyIterations => {
                "the server asks for more than 1000000 iterations of the password's hash, which would freeze the page"
            }
            SaslError::MandatoryExtension => {
                "the server requires an extension of SCRAM that is not known"
            }
            SaslError::Malformed => {
                "the server's SASL message is malformed, or not one for this moment"
            }
            SaslError::BadUsername => {
                "the username is empty or has characters that are not allowed"
            }
            SaslError::BadPassword => {
                "the password or token is empty or has characters that are not allowed"
            }
            SaslError::WrongCredentials => "these credentials cannot be used with this mechanism",
            SaslError::ServerSaid(text) => text,
        }
    }
}
