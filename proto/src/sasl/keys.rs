//! RFC 5802 §3: SCRAM's keys, their derivation, and the cache that saves the derivation at the next login (§5.1).
//!
//! Specification: RFC 5802.
//!
//! Left out: keeping keys beyond the life of a [`KeyCache`]. The keys are never written to storage.

use super::hash::{HashFunction, Mac, Tag, stretch};
use crate::random::Random;
use core::fmt;
use zeroize::Zeroizing;

/// One PBKDF2 (RFC 8018 §5.2), which the platform computes, or [`Derivation::compute`] in Rust. The password is overwritten
/// when it is dropped, and `Debug` shows neither password nor salt.
#[derive(Clone)]
pub struct Derivation {
    pub(super) hash: HashFunction,
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

impl Derivation {
    /// The hash of PBKDF2's HMAC, by its name in the Web Cryptography API, such as `SHA-256`.
    #[must_use]
    pub fn hash(&self) -> &'static str {
        self.hash.name()
    }

    /// The prepared password. Not empty.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// The server's salt. Not empty.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The number of iterations: [`MIN_ITERATIONS`](super::MIN_ITERATIONS) to
    /// [`MAX_ITERATIONS`](super::MAX_ITERATIONS).
    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// The length of the result in bytes: that of a digest.
    #[must_use]
    pub fn length(&self) -> usize {
        self.hash.length()
    }

    /// Computes the result in Rust. Takes milliseconds, up to about a second for the most iterations.
    #[must_use]
    pub fn compute(&self) -> SaltedPassword {
        SaltedPassword(stretch(
            self.hash,
            &self.password,
            &self.salt,
            self.iterations,
        ))
    }
}

impl fmt::Debug for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash())
    }
}

/// The result of a [`Derivation`] (RFC 5802 §3). As secret as the password: overwritten when dropped; `Debug` shows no content.
pub struct SaltedPassword(pub(super) Zeroizing<Vec<u8>>);

impl SaltedPassword {
    /// The platform's result. A result whose length is not [`Derivation::length`] is not used.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for SaltedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltedPassword")
    }
}

/// ClientKey and ServerKey (RFC 5802 §3), the only keys that a login needs. SaltedPassword is not kept, since other
/// keys could be derived from it.
pub(super) struct ScramKeys {
    pub(super) client: Tag,
    pub(super) server: Tag,
}

impl ScramKeys {
    pub(super) fn new(hash: HashFunction, salted_password: &SaltedPassword) -> Self {
        let key = Mac::new(hash, &salted_password.0);
        Self {
            client: key.sign(&[b"Client Key"]),
            server: key.sign(&[b"Server Key"]),
        }
    }
}

/// Keys with a mark of the inputs they were derived from.
pub(super) struct CachedKeys {
    pub(super) mark: Tag,
    pub(super) keys: ScramKeys,
    /// What they were derived with, beside the password.
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

/// The keys of the last successful login, for the next one with the same account, mechanism, salt, iteration count and
/// password. Overwritten when dropped; `Debug` shows nothing.
///
/// The inputs of the keys are kept as one HMAC under a random key, which is compared in constant time: the password
/// itself is not kept here.
pub struct KeyCache {
    secret: Zeroizing<Vec<u8>>,
    last: Option<Box<CachedKeys>>,
}

impl KeyCache {
    /// Creates an empty cache.
    pub fn new(random: &mut dyn Random) -> Self {
        let mut secret = Zeroizing::new(vec![0; 32]);
        random.fill(&mut secret);
        Self { secret, last: None }
    }

    /// The inputs of the keys: the account's prepared name and all parameters of the derivation. Each part of variable
    /// length is preceded by its length, so that two different sets of parts never have the same bytes.
    pub(super) fn mark(&self, username: &str, derivation: &Derivation) -> Tag {
        Mac::new(HashFunction::Sha256, &self.secret).sign(&[
            derivation.hash().as_bytes(),
            &derivation.iterations.to_be_bytes(),
            &username.len().to_be_bytes(),
            username.as_bytes(),
            &derivation.salt.len().to_be_bytes(),
            &derivation.salt,
            &derivation.password,
        ])
    }

    /// The keys for these inputs, if they are cached.
    pub(super) fn find(&self, mark: &Tag) -> Option<&ScramKeys> {
        let last = self.last.as_ref();
        last.filter(|last| last.mark.is(mark.as_bytes()))
            .map(|last| &last.keys)
    }

    /// Keeps the keys of a login that has succeeded, replacing the earlier ones.
    pub(super) fn keep(&mut self, marked: Box<CachedKeys>) {
        self.last = Some(marked);
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyCache")
    }
}
