//! The four hashes that SCRAM is defined over, behind one type: HMAC (RFC 2104) and PBKDF2 (RFC 8018 §5.2, one block:
//! RFC 5802's `Hi`) of RustCrypto.
//!
//! Left out: derived keys longer than one digest (SCRAM has none) and truncated tags.

use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A hash of SCRAM.
#[derive(Clone, Copy)]
pub(super) enum HashFunction {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl HashFunction {
    pub(super) fn digest(self, data: &[u8]) -> Tag {
        match self {
            Self::Sha1 => Tag::new(&Sha1::digest(data)),
            Self::Sha256 => Tag::new(&Sha256::digest(data)),
            Self::Sha384 => Tag::new(&Sha384::digest(data)),
            Self::Sha512 => Tag::new(&Sha512::digest(data)),
        }
    }

    /// The name that the Web Cryptography API has for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The length of a digest in bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A digest, or a key derived from one. Overwritten when it is dropped.
pub(super) struct Tag(Zeroizing<Vec<u8>>);

impl Tag {
    pub(super) fn new(digest: &[u8]) -> Self {
        Self(Zeroizing::new(digest.to_vec()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `self ^= other`.
    pub(super) fn xor(&mut self, other: &Self) {
        for (to, from) in self.0.iter_mut().zip(other.0.iter()) {
            *to ^= *from;
        }
    }

    /// Whether the digest is `other`, in constant time.
    pub(super) fn is(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

/// HMAC with a key.
pub(super) enum Mac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl Mac {
    pub(super) fn new(hash: HashFunction, key: &[u8]) -> Self {
        match hash {
            HashFunction::Sha1 => Self::Sha1(keyed(key)),
            HashFunction::Sha256 => Self::Sha256(keyed(key)),
            HashFunction::Sha384 => Self::Sha384(keyed(key)),
            HashFunction::Sha512 => Self::Sha512(keyed(key)),
        }
    }

    /// The tag of the concatenated `parts`.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> Tag {
        match self {
            Self::Sha1(mac) => Tag::new(&signed(mac, parts).into_bytes()),
            Self::Sha256(mac) => Tag::new(&signed(mac, parts).into_bytes()),
            Self::Sha384(mac) => Tag::new(&signed(mac, parts).into_bytes()),
            Self::Sha512(mac) => Tag::new(&signed(mac, parts).into_bytes()),
        }
    }
}

/// HMAC takes a key of any length, so the error cannot occur. If it did, the login would fail with the empty key.
fn keyed<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).unwrap_or_else(|_| M::new(&Default::default()))
}

fn signed<M: hmac::Mac + Clone>(mac: &M, parts: &[&[u8]]) -> hmac::digest::CtOutput<M> {
    let mut mac = mac.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize()
}

/// RFC 5802 §2.2's `Hi(password, salt, iterations)`.
pub(super) fn stretch(
    hash: HashFunction,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; hash.length()]);
    match hash {
        HashFunction::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut key),
        HashFunction::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut key),
        HashFunction::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>(password, salt, iterations, &mut key),
        HashFunction::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut key),
    }
    key
}
