//! The choice of a mechanism: the strongest that server, credentials and policy allow (RFC 4422 §3.2, RFC 6120 §6.3).

use super::{
    CredentialsKind, HT_SHA_256_NONE, OAUTHBEARER, PLAIN, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512,
};

/// The static name of a mechanism of this module that uses credentials; `None` for others.
#[must_use]
pub fn known_name(name: &str) -> Option<&'static str> {
    let kind = CredentialsKind::of(name);
    let mut names = kind.mechanisms().iter();
    names.find(|known| **known == name).copied()
}

/// The static name of any mechanism of this module; `None` for others.
#[must_use]
pub fn allowable_name(name: &str) -> Option<&'static str> {
    known_name(name).or_else(|| (name == HT_SHA_256_NONE).then_some(HT_SHA_256_NONE))
}

/// Whether a mechanism sends its secret in the clear.
#[must_use]
pub fn sends_secret(name: &str) -> bool {
    matches!(name, PLAIN | OAUTHBEARER)
}

/// Whether a mechanism is SCRAM.
#[must_use]
pub fn is_scram(name: &str) -> bool {
    matches!(name, SCRAM_SHA_512 | SCRAM_SHA_256 | SCRAM_SHA_1)
}

/// Which mechanisms the connection and earlier logins allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether PLAIN and OAUTHBEARER, which send the secret in the clear, may be used: false over unencrypted http and ws, unless
    /// the page allowed it or the peer is this machine.
    pub plain_text_allowed: bool,
    /// The weakest mechanism that may be used: the one of an earlier login, so that an attacker cannot
    /// remove stronger ones from a later offer (downgrade). Only password credentials have several mechanisms.
    pub minimum: Option<&'static str>,
}

/// Why no mechanism can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChooseError {
    /// None of the offered mechanisms can be used with these credentials.
    NoneOffered,
    /// Only mechanisms that send the secret in the clear are offered, and the policy forbids them.
    OnlyPlainText,
    /// The offered mechanisms are weaker than the policy's minimum.
    Weaker,
}

/// Chooses a mechanism among those `offered` by the server, in any order.
///
/// The strongest is used: SCRAM-SHA-512, -256, -1, then PLAIN. If the server offers one of these SCRAM mechanisms, PLAIN is never
/// used, whatever the policy allows. Names are case-sensitive (RFC 4422 §3.1); `-PLUS` needs channel binding.
///
/// # Errors
/// See [`ChooseError`].
pub fn choose(
    offered: &[&str],
    kind: CredentialsKind,
    policy: &Policy,
) -> Result<&'static str, ChooseError> {
    let mut error = ChooseError::NoneOffered;
    let mut weaker = false;
    for &name in kind.mechanisms() {
        if offered.contains(&name) {
            if weaker {
                return Err(ChooseError::Weaker);
            }
            if policy.plain_text_allowed || !sends_secret(name) {
                return Ok(name);
            }
            error = ChooseError::OnlyPlainText;
        }
        weaker |= policy.minimum == Some(name);
    }
    Err(error)
}
