//! The credentials of a login, and the mechanisms that can use each kind.

use super::{
    ANONYMOUS, EXTERNAL, OAUTHBEARER, PLAIN, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512, SecretText,
};
use core::fmt;

/// The credentials of one login. `Debug` shows the kind only. Secrets are overwritten after the mechanism has used them.
#[derive(Clone)]
pub enum Credentials {
    /// An account and its password: SCRAM, or PLAIN where allowed.
    Password {
        /// The account's name on the server, usually the localpart, unprepared.
        username: String,
        /// As typed, unprepared.
        password: String,
        /// The identity to act as (a bare JID), if it is not the account's own. Empty means none.
        authzid: Option<String>,
    },
    /// An OAuth 2 access token: OAUTHBEARER.
    Token {
        /// The account of the token, if there is no `authzid`.
        username: Option<String>,
        /// The access token.
        token: String,
        /// The identity to act as, a bare JID. Optional in RFC 7628, required by Prosody: set it if known.
        authzid: Option<String>,
    },
    /// No account: ANONYMOUS.
    Anonymous,
    /// Authenticated outside of SASL, for example by a client certificate: EXTERNAL.
    External {
        /// The identity to act as, a bare JID; without it the server derives the identity.
        authzid: Option<String>,
    },
}

/// The kind of credentials: enough to [`choose`](super::choose()) a mechanism before a secret is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsKind {
    /// [`Credentials::Password`]
    Password,
    /// [`Credentials::Token`]
    Token,
    /// [`Credentials::Anonymous`]
    Anonymous,
    /// [`Credentials::External`]
    External,
}

impl Credentials {
    /// The kind of these credentials.
    #[must_use]
    pub fn kind(&self) -> CredentialsKind {
        match self {
            Credentials::Password { .. } => CredentialsKind::Password,
            Credentials::Token { .. } => CredentialsKind::Token,
            Credentials::Anonymous => CredentialsKind::Anonymous,
            Credentials::External { .. } => CredentialsKind::External,
        }
    }
}

impl Credentials {
    /// Overwrites the secret, for credentials that no mechanism has used.
    pub fn wipe(self) {
        match self {
            Credentials::Password {
                password: secret, ..
            }
            | Credentials::Token { token: secret, .. } => drop(SecretText::new(secret)),
            Credentials::Anonymous | Credentials::External { .. } => {}
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl CredentialsKind {
    /// The kind of credentials for a mechanism; that of passwords for unknown names.
    #[must_use]
    pub fn of(mechanism: &str) -> Self {
        match mechanism {
            OAUTHBEARER => Self::Token,
            ANONYMOUS => Self::Anonymous,
            EXTERNAL => Self::External,
            _ => Self::Password,
        }
    }

    /// Whether a mechanism can use such credentials.
    #[must_use]
    pub fn can_use(self, mechanism: &str) -> bool {
        self.mechanisms().contains(&mechanism)
    }

    /// The mechanisms that such credentials can use, strongest first.
    pub(super) fn mechanisms(self) -> &'static [&'static str] {
        match self {
            CredentialsKind::Password => &[SCRAM_SHA_512, SCRAM_SHA_256, SCRAM_SHA_1, PLAIN],
            CredentialsKind::Token => &[OAUTHBEARER],
            CredentialsKind::Anonymous => &[ANONYMOUS],
            CredentialsKind::External => &[EXTERNAL],
        }
    }
}
