//! SASL as in RFC 4422 and RFC 6120 §6: choice of a mechanism and its messages.
//!
//! Mechanisms work on bytes; `wire` wraps them in `<auth/>`, `<response/>` and Base64. One mechanism, one file.
//! Left out: channel binding (a browser has none to give), security layers (RFC 6120 §6.3.4: TLS is below),
//! DIGEST-MD5 (RFC 6331 retired it), GSSAPI.

mod anonymous;
pub mod base64;
mod external;
mod hash;
mod ht;
mod keys;
mod oauthbearer;
mod plain;
mod saslprep;
mod scram;
pub mod wire;

pub use keys::{Derivation, KeyCache, SaltedPassword};
pub use scram::{MAX_ITERATIONS, MIN_ITERATIONS};

use core::fmt;

use crate::unicode::Unicode;
use hash::HashFunction;
use ht::HashedToken;
use oauthbearer::OauthBearer;
use scram::Scram;
use zeroize::Zeroizing;

/// RFC 5802's pattern over SHA-512.
pub const SCRAM_SHA_512: &str = "SCRAM-SHA-512";
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

/// The credentials of one login. `Debug` shows the kind only. Secrets are overwritten after the mechanism has used them.
#[derive(Clone)]
pub enum Credentials {
    /// An account and its password: SCRAM, or PLAIN where allowed.
    Password {
        /// The account's name on the server, usually the localpart, unprepared.
        username: String,
        /// As typed, unprepared.
        password: String,
        /// The identity to act as (a bare JID), when it is not the account's own. Empty is none.
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

/// The kind of credentials: enough to [`choose`] a mechanism before a secret is requested.
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
    /// Which kind these are.
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
pub fn shows_secret(name: &str) -> bool {
    matches!(name, PLAIN | OAUTHBEARER)
}

/// Whether a mechanism is SCRAM.
#[must_use]
pub fn is_scram(name: &str) -> bool {
    matches!(name, SCRAM_SHA_512 | SCRAM_SHA_256 | SCRAM_SHA_1)
}

impl CredentialsKind {
    /// The kind of credentials that a mechanism is used with; a password's for names that are not known.
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
    fn mechanisms(self) -> &'static [&'static str] {
        match self {
            CredentialsKind::Password => &[SCRAM_SHA_512, SCRAM_SHA_256, SCRAM_SHA_1, PLAIN],
            CredentialsKind::Token => &[OAUTHBEARER],
            CredentialsKind::Anonymous => &[ANONYMOUS],
            CredentialsKind::External => &[EXTERNAL],
        }
    }
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
    /// Of those offered, none can be used with such credentials.
    NoneOffered,
    /// Only mechanisms that send the secret in the clear are offered, and the policy forbids them.
    OnlyPlainText,
    /// The offered mechanisms are weaker than the policy's minimum.
    Weaker,
}

/// Chooses a mechanism among those `offered` by the server, in any order.
///
/// The strongest is taken: SCRAM-SHA-512, -256, -1, then PLAIN. A SCRAM of these that is offered is never passed over for
/// PLAIN, whatever the policy allows. Names are case-sensitive (RFC 4422 §3.1); `-PLUS` needs channel binding.
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
            if policy.plain_text_allowed || !shows_secret(name) {
                return Ok(name);
            }
            error = ChooseError::OnlyPlainText;
        }
        weaker |= policy.minimum == Some(name);
    }
    Err(error)
}

/// An error of a SASL exchange. Contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslError {
    /// The server did not prove that it knows the password: no signature, or not the right one.
    ServerSignature,
    /// The server's nonce does not continue ours. (From [`Mechanism::start`]: ours is not visible ASCII without commas.)
    Nonce,
    /// The server asks for fewer iterations than [`MIN_ITERATIONS`].
    TooFewIterations,
    /// The server asks for more iterations than [`MAX_ITERATIONS`].
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

/// The reaction to a challenge. `Debug` shows no content.
pub enum ChallengeReply {
    /// The `<response/>`, to be encoded.
    Response(Vec<u8>),
    /// The keys must be derived first; pass the result to [`Mechanism::handle_derived`].
    Derive(Derivation),
}

impl fmt::Debug for ChallengeReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Response(_) => "Response",
            Self::Derive(_) => "Derive",
        })
    }
}

/// The client's side of one SASL exchange.
///
/// ```
/// # use epode_proto::sasl::{Credentials, Mechanism, PLAIN};
/// # use epode_proto::unicode::Unicode;
/// # struct Ascii;
/// # impl Unicode for Ascii {
/// #     fn nfc(&self, text: &str) -> String { text.into() }
/// #     fn nfkc(&self, text: &str) -> String { text.into() }
/// #     fn lowercase(&self, char: char) -> String { char.into() }
/// #     fn domain_to_ascii(&self, text: &str) -> Option<String> { Some(text.into()) }
/// # }
/// let credentials = Credentials::Password {
///     username: "juliet".into(),
///     password: "r0m30".into(),
///     authzid: None,
/// };
/// let (mut mechanism, initial) = Mechanism::start(PLAIN, credentials, "n0nce".into(), &Ascii)?;
/// assert_eq!(initial.as_deref(), Some(b"\0juliet\0r0m30".as_slice())); // to <auth/>
/// // each <challenge/>: the answer of mechanism.handle_challenge(…)? goes to <response/>; then <success/>:
/// mechanism.handle_success(None)?;
/// # Ok::<(), epode_proto::sasl::SaslError>(())
/// ```
pub struct Mechanism {
    name: &'static str,
    state: MechanismState,
}

enum MechanismState {
    Scram(Scram),
    OauthBearer(OauthBearer),
    HashedToken(HashedToken),
    Anonymous,
    /// PLAIN and EXTERNAL: the initial response is the only message.
    Said,
}

impl Mechanism {
    /// Starts the mechanism `name` (one of this module's names) and returns the initial response: `None` if there is
    /// none, an empty one is sent as `=` (RFC 6120 §6.4.2).
    ///
    /// `nonce` is SCRAM's: 24 characters of [`token`](crate::random::token) hold 120 bits; never used twice.
    ///
    /// # Errors
    /// [`SaslError::BadUsername`], [`SaslError::BadPassword`], [`SaslError::Nonce`], [`SaslError::WrongCredentials`].
    pub fn start(
        name: &'static str,
        credentials: Credentials,
        nonce: String,
        unicode: &dyn Unicode,
    ) -> Result<(Mechanism, Option<Vec<u8>>), SaslError> {
        let (state, initial) = match (name, credentials) {
            (
                SCRAM_SHA_512 | SCRAM_SHA_256 | SCRAM_SHA_1,
                Credentials::Password {
                    username,
                    password,
                    authzid,
                },
            ) => {
                let hash = match name {
                    SCRAM_SHA_512 => HashFunction::Sha512,
                    SCRAM_SHA_256 => HashFunction::Sha256,
                    _ => HashFunction::Sha1,
                };
                let authzid = authzid.as_deref();
                let (scram, first) =
                    Scram::start(hash, &username, password, authzid, nonce, unicode)?;
                (MechanismState::Scram(scram), Some(first))
            }
            (
                PLAIN,
                Credentials::Password {
                    username,
                    password,
                    authzid,
                },
            ) => {
                let message = plain::initial_response(&username, password, authzid.as_deref())?;
                (MechanismState::Said, Some(message))
            }
            (
                OAUTHBEARER,
                Credentials::Token {
                    username,
                    token,
                    authzid,
                },
            ) => {
                let identity = authzid.or(username);
                let (bearer, message) = OauthBearer::start(token, identity.as_deref())?;
                (MechanismState::OauthBearer(bearer), Some(message))
            }
            (ANONYMOUS, Credentials::Anonymous) => (MechanismState::Anonymous, None),
            (EXTERNAL, Credentials::External { authzid }) => (
                MechanismState::Said,
                Some(external::initial_response(authzid)?),
            ),
            _ => return Err(SaslError::WrongCredentials),
        };
        Ok((Mechanism { name, state }, initial))
    }

    /// Starts [`HT_SHA_256_NONE`] with a token from an earlier login (XEP-0484) in place of credentials.
    /// `username` is the localpart of the account, as the server writes it.
    ///
    /// # Errors
    /// [`SaslError::BadUsername`], [`SaslError::BadPassword`].
    pub fn start_token(username: &str, token: String) -> Result<(Mechanism, Vec<u8>), SaslError> {
        let (state, initial) = HashedToken::start(username, token)?;
        let mechanism = Mechanism {
            name: HT_SHA_256_NONE,
            state: MechanismState::HashedToken(state),
        };
        Ok((mechanism, initial))
    }

    /// The name as on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Handles a decoded `<challenge/>`. `cache` has the keys of an earlier login, which make SCRAM's derivation unnecessary.
    ///
    /// # Errors
    /// The server's error. Abort the login: this exchange cannot succeed any more.
    pub fn handle_challenge(
        &mut self,
        data: &[u8],
        cache: &KeyCache,
    ) -> Result<ChallengeReply, SaslError> {
        let response = match &mut self.state {
            MechanismState::Scram(scram) => return scram.handle_challenge(data, cache),
            MechanismState::OauthBearer(bearer) => bearer.handle_challenge(data),
            MechanismState::Anonymous => anonymous::handle_challenge(data),
            MechanismState::HashedToken(_) | MechanismState::Said => Err(SaslError::Malformed),
        };
        response.map(ChallengeReply::Response)
    }

    /// Handles the result of [`ChallengeReply::Derive`]; `None`: the platform failed, compute it here. Returns the `<response/>`, to be encoded.
    ///
    /// # Errors
    /// [`SaslError::Malformed`] if no derivation is awaited.
    pub fn handle_derived(
        &mut self,
        salted_password: Option<SaltedPassword>,
    ) -> Result<Vec<u8>, SaslError> {
        match &mut self.state {
            MechanismState::Scram(scram) => scram.handle_derived(salted_password),
            _ => Err(SaslError::Malformed),
        }
    }

    /// Moves the derived keys to `cache`, for the next login. Call it after
    /// [`Mechanism::handle_success`] returned `Ok`, which proves that the keys are right.
    pub fn keep_keys(&mut self, cache: &mut KeyCache) {
        if let MechanismState::Scram(scram) = &mut self.state
            && let Some(derived) = scram.take_derived()
        {
            cache.keep(derived);
        }
    }

    /// Handles `<success/>` with its decoded data, if any. Only `Ok` means that the login succeeded.
    ///
    /// # Errors
    /// [`SaslError::ServerSignature`] if the server did not prove its identity with SCRAM, here or in a challenge before.
    pub fn handle_success(&mut self, data: Option<&[u8]>) -> Result<(), SaslError> {
        match &mut self.state {
            MechanismState::Scram(scram) => scram.handle_success(data),
            MechanismState::OauthBearer(bearer) => bearer.handle_success(),
            MechanismState::HashedToken(token) => token.handle_success(data),
            MechanismState::Anonymous | MechanismState::Said => Ok(()),
        }
    }

    /// The reason for a refusal that the server sent in a challenge: OAUTHBEARER's JSON (RFC 7628 §3.2.2), such as
    /// `{"status":"invalid_token"}`, for the error that the following `<failure/>` becomes.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.state {
            MechanismState::OauthBearer(bearer) => bearer.reason(),
            _ => None,
        }
    }
}

/// Shows the name only; the rest is secret.
impl fmt::Debug for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
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
        // NUL is not allowed, and U+0001 would end OAUTHBEARER's header; no identity has any other control either.
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
