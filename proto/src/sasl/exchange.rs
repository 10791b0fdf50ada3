//! One SASL exchange for a caller that sends its messages itself (`raw_stream.rs`): [`Exchange`].
//!
//! Specification: RFC 4422, RFC 5802.
//!
//! SCRAM's keys may come from the caller in place of a password, and go to the caller, who may keep them: what is kept is as good as
//! the password for this account and salt, and for nothing else. Left out: the choice of the mechanism, and whether it shows its secret
//! to others. Both are the caller's.

use super::hash::Tag;
use super::keys::ScramKeys;
use super::{
    ANONYMOUS, ChallengeReply, Credentials, CredentialsKind, Derivation, EXTERNAL, KeyCache,
    Mechanism, OAUTHBEARER, SCRAM_SHA_384, SaltedPassword, SaslError, known_name,
};
use crate::random::{Random, token};
use crate::unicode::Unicode;
use zeroize::Zeroizing;

/// What a mechanism is started with. What a mechanism does not use is ignored.
#[derive(Default)]
pub struct ExchangeInput {
    /// The account's name on the server.
    pub username: Option<String>,
    /// The password or, with OAUTHBEARER, the token.
    pub secret: Option<String>,
    /// The identity to act as.
    pub authzid: Option<String>,
    /// SCRAM's nonce; a random one if there is none.
    pub nonce: Option<String>,
    /// SCRAM's keys of an earlier login.
    pub keys: Option<KnownKeys>,
}

/// ClientKey and ServerKey (RFC 5802 §3) with what they were derived with. Overwritten when dropped.
#[derive(Default)]
pub struct KnownKeys {
    /// The hash, as the Web Cryptography API names it: `SHA-256`.
    pub hash: String,
    /// The server's salt.
    pub salt: Vec<u8>,
    /// How often HMAC was applied.
    pub iterations: u32,
    /// ClientKey.
    pub client_key: Zeroizing<Vec<u8>>,
    /// ServerKey.
    pub server_key: Zeroizing<Vec<u8>>,
}

impl KnownKeys {
    /// Whether the derivation would give these keys, if the password is the one they came from.
    fn fit(&self, derivation: &Derivation) -> bool {
        self.hash == derivation.hash()
            && self.salt == derivation.salt()
            && self.iterations == derivation.iterations()
    }
}

/// The static name of a mechanism; of those that a client does not choose by itself, too.
fn mechanism_name(name: &str) -> Option<&'static str> {
    known_name(name).or_else(|| (name == SCRAM_SHA_384).then_some(SCRAM_SHA_384))
}

/// The client's side of one exchange.
pub struct Exchange {
    mechanism: Mechanism,
    initial: Option<Vec<u8>>,
    cache: KeyCache,
    keys: Option<KnownKeys>,
    /// Whether there is a password that keys can be derived from.
    derives: bool,
}

impl Exchange {
    /// Whether there is such a mechanism.
    pub fn knows(name: &str) -> bool {
        mechanism_name(name).is_some()
    }

    /// Starts the mechanism of that name.
    ///
    /// # Errors
    /// [`SaslError::WrongCredentials`] if there is no such mechanism; [`SaslError::BadUsername`], [`SaslError::BadPassword`],
    /// [`SaslError::Nonce`].
    pub fn start(
        name: &str,
        input: ExchangeInput,
        random: &mut dyn Random,
        unicode: &dyn Unicode,
    ) -> Result<Self, SaslError> {
        let name = mechanism_name(name).ok_or(SaslError::WrongCredentials)?;
        let authzid = input.authzid;
        let derives = input.secret.is_some();
        let credentials = match name {
            ANONYMOUS => Credentials::Anonymous,
            EXTERNAL => Credentials::External { authzid },
            OAUTHBEARER => Credentials::Token {
                username: input.username,
                token: input.secret.unwrap_or_default(),
                authzid,
            },
            _ => Credentials::Password {
                username: input.username.unwrap_or_default(),
                password: match (input.secret, &input.keys) {
                    (Some(password), _) => password,
                    // Stands for the password that is not there, and nothing is derived from it.
                    (None, Some(_)) => "-".to_owned(),
                    (None, None) => String::new(),
                },
                authzid,
            },
        };
        debug_assert!(credentials.kind() == CredentialsKind::of(name));
        let nonce = input.nonce.unwrap_or_else(|| token(random, 32));
        let (mechanism, initial) = Mechanism::start(name, credentials, nonce, unicode)?;
        Ok(Self {
            mechanism,
            initial,
            cache: KeyCache::new(random),
            keys: input.keys,
            derives,
        })
    }

    /// The initial response; `None` if the mechanism has none.
    pub fn initial(&self) -> Option<&[u8]> {
        self.initial.as_deref()
    }

    /// Answers a challenge.
    ///
    /// # Errors
    /// The server's error; [`SaslError::WrongCredentials`] if keys are given that are not for this challenge, and no password.
    pub fn handle_challenge(&mut self, data: &[u8]) -> Result<ChallengeReply, SaslError> {
        let derivation = match self.mechanism.handle_challenge(data, &self.cache)? {
            ChallengeReply::Derive(derivation) => derivation,
            response => return Ok(response),
        };
        match self.keys.take().filter(|keys| keys.fit(&derivation)) {
            Some(keys) => {
                let keys = ScramKeys {
                    client: Tag::new(&keys.client_key),
                    server: Tag::new(&keys.server_key),
                };
                let response = self.mechanism.handle_keys(keys)?;
                Ok(ChallengeReply::Response(response))
            }
            None if self.derives => Ok(ChallengeReply::Derive(derivation)),
            None => Err(SaslError::WrongCredentials),
        }
    }

    /// Answers with what [`ChallengeReply::Derive`] asked for; `None`: compute it here.
    ///
    /// # Errors
    /// [`SaslError::Malformed`] if no derivation is awaited.
    pub fn handle_derived(
        &mut self,
        salted_password: Option<SaltedPassword>,
    ) -> Result<Vec<u8>, SaslError> {
        self.mechanism.handle_derived(salted_password)
    }

    /// Handles `<success/>` with its data, if any. Only `Ok` means that the login succeeded.
    ///
    /// # Errors
    /// [`SaslError::ServerSignature`] if the server did not prove that it knows the password.
    pub fn handle_success(&mut self, data: Option<&[u8]>) -> Result<(), SaslError> {
        self.mechanism.handle_success(data)
    }

    /// SCRAM's signature that the server has to show, between the challenge and [`Exchange::handle_success`].
    pub fn server_signature(&self) -> Option<&[u8]> {
        self.mechanism.server_signature()
    }

    /// SCRAM's keys, once the challenge was answered. They are right once [`Exchange::handle_success`] was `Ok`.
    pub fn keys(&self) -> Option<KnownKeys> {
        self.mechanism.known_keys()
    }
}
