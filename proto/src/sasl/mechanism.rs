//! One SASL exchange, from the client's side, with any of the mechanisms (RFC 4422).

use super::hash::HashFunction;
use super::ht::HashedToken;
use super::keys::ScramKeys;
use super::oauthbearer::OauthBearer;
use super::scram::Scram;
use super::{
    ANONYMOUS, Credentials, Derivation, EXTERNAL, HT_SHA_256_NONE, KeyCache, KnownKeys,
    OAUTHBEARER, PLAIN, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_384, SCRAM_SHA_512, SaltedPassword,
    SaslError, anonymous, external, plain,
};
use crate::unicode::Unicode;
use core::fmt;

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
/// // for each <challenge/>: send the result of mechanism.handle_challenge(…)? as <response/>; then, on <success/>:
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
                SCRAM_SHA_512 | SCRAM_SHA_384 | SCRAM_SHA_256 | SCRAM_SHA_1,
                Credentials::Password {
                    username,
                    password,
                    authzid,
                },
            ) => {
                let hash = match name {
                    SCRAM_SHA_512 => HashFunction::Sha512,
                    SCRAM_SHA_384 => HashFunction::Sha384,
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

    /// Starts [`HT_SHA_256_NONE`] with a token from an earlier login (XEP-0484) instead of credentials.
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

    /// Handles the result of [`ChallengeReply::Derive`]; `None`: the platform failed, so the keys are computed here. Returns the `<response/>`, to be encoded.
    ///
    /// # Errors
    /// [`SaslError::Malformed`] if no derivation is pending.
    pub fn handle_derived(
        &mut self,
        salted_password: Option<SaltedPassword>,
    ) -> Result<Vec<u8>, SaslError> {
        match &mut self.state {
            MechanismState::Scram(scram) => scram.handle_derived(salted_password),
            _ => Err(SaslError::Malformed),
        }
    }

    /// Continues after [`ChallengeReply::Derive`] with keys that were derived elsewhere. Returns the `<response/>`, to be encoded.
    ///
    /// # Errors
    /// [`SaslError::Malformed`] if no derivation is pending.
    pub(super) fn handle_keys(&mut self, keys: ScramKeys) -> Result<Vec<u8>, SaslError> {
        match &mut self.state {
            MechanismState::Scram(scram) => scram.handle_keys(keys),
            _ => Err(SaslError::Malformed),
        }
    }

    /// The SCRAM keys of this exchange, after the response to the challenge, unless they came from the cache.
    pub(super) fn known_keys(&self) -> Option<KnownKeys> {
        match &self.state {
            MechanismState::Scram(scram) => scram.known_keys(),
            _ => None,
        }
    }

    /// The SCRAM signature that the server must send, between the challenge and [`Mechanism::handle_success`].
    pub(super) fn server_signature(&self) -> Option<&[u8]> {
        match &self.state {
            MechanismState::Scram(scram) => scram.server_signature(),
            _ => None,
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
    /// [`SaslError::ServerSignature`] if the server did not prove its identity with SCRAM, here or in an earlier challenge.
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
