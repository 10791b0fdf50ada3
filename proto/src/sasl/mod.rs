//! SASL as in RFC 4422 and RFC 6120 §6: choice of a mechanism and its messages.
//!
//! Mechanisms work on bytes; `wire` wraps them in `<auth/>`, `<response/>` and Base64. One mechanism, one file.
//! Left out: channel binding (not available to pages), security layers (RFC 6120 §6.3.4: TLS provides them), DIGEST-MD5
//! (RFC 6331 retired it), GSSAPI.

mod anonymous;
pub mod base64;
mod choose;
mod credentials;
mod error;
mod exchange;
mod external;
mod hash;
mod ht;
mod keys;
mod mechanism;
mod oauthbearer;
mod plain;
mod saslprep;
mod scram;
pub mod wire;

pub use choose::{ChooseError, Policy, allowable_name, choose, is_scram, known_name, sends_secret};
pub use credentials::{Credentials, CredentialsKind};
pub use error::SaslError;
pub use exchange::{Exchange, ExchangeInput, KnownKeys};
pub use keys::{Derivation, KeyCache, SaltedPassword};
pub use mechanism::{ChallengeReply, Mechanism};
pub use scram::{MAX_ITERATIONS, MIN_ITERATIONS};

use hash::HashFunction;
use zeroize::Zeroizing;

/// RFC 5802's pattern over SHA-512.
pub const SCRAM_SHA_512: &str = "SCRAM-SHA-512";
/// RFC 5802's pattern over SHA-384: for an [`Exchange`] only, since no server offers it without SHA-256 or SHA-512.
pub const SCRAM_SHA_384: &str = "SCRAM-SHA-384";
/// RFC 7677.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
/// RFC 5802.
pub const SCRAM_SHA_1: &str = "SCRAM-SHA-1";
/// RFC 4616. Sends the password in the clear.
pub const PLAIN: &str = "PLAIN";
/// RFC 7628. Sends the token in the clear.
pub const OAUTHBEARER: &str = "OAUTHBEARER";
/// RFC 4505.
pub const ANONYMOUS: &str = "ANONYMOUS";
/// RFC 4422 appendix A.
pub const EXTERNAL: &str = "EXTERNAL";
/// draft-schmaus-kitten-sasl-ht-08. Authenticates with a token of XEP-0484, see [`Mechanism::start_token`]; never chosen for credentials.
pub const HT_SHA_256_NONE: &str = "HT-SHA-256-NONE";

/// SHA-1 (FIPS 180-4), for BOSH's key sequences.
pub fn sha1(data: &[u8]) -> Vec<u8> {
    HashFunction::Sha1.digest(data).as_bytes().to_vec()
}

/// SHA-256 (FIPS 180-4), for ids.
pub fn sha256(data: &[u8]) -> Vec<u8> {
    HashFunction::Sha256.digest(data).as_bytes().to_vec()
}

/// A secret that is overwritten when it is dropped.
struct SecretText(Zeroizing<String>);

impl SecretText {
    fn new(text: String) -> SecretText {
        SecretText(Zeroizing::new(text))
    }

    fn as_str(&self) -> &str {
        &self.0
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// RFC 5801 §4's header, without channel binding: `n,,` or `n,a=authzid,`.
fn gs2_header(authzid: Option<&str>) -> Result<String, SaslError> {
    let mut header = String::from("n,");
    if let Some(authzid) = authzid.filter(|authzid| !authzid.is_empty()) {
        // NUL is not allowed, and U+0001 would end OAUTHBEARER's header; identities have no other control characters
        // either.
        if authzid.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(SaslError::BadUsername);
        }
        header.push_str("a=");
        push_saslname(&mut header, authzid);
    }
    header.push(',');
    Ok(header)
}

/// RFC 5802 §5.1's `saslname`: a comma would end the attribute.
fn push_saslname(text: &mut String, name: &str) {
    for character in name.chars() {
        match character {
            ',' => text.push_str("=2C"),
            '=' => text.push_str("=3D"),
            other => text.push(other),
        }
    }
}

/// A server's text, shortened and without control characters.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for one in text.chars().take(1000) {
        shown.push(if one.is_control() { ' ' } else { one });
    }
    shown
}
