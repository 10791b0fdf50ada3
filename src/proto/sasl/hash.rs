//! HMAC (RFC 2104) and PBKDF2 (RFC 8018 §5.2, one block: RFC 5802's `Hi`) over RustCrypto's SHA-1, SHA-256, SHA-512.
//!
//! The hash is a value and not a type parameter: one HMAC and one PBKDF2 loop serve all three. The `hmac` and `pbkdf2`
//! crates are compiled once per hash, which measured 1.8 KB more of gzipped wasm and no faster.
//! Left out: derived keys longer than one digest (SCRAM has none) and truncated tags.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// A hash that SCRAM is defined over.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// The longest block: SHA-512's. The others use the first half.
const BLOCK: usize = 128;

impl Hash {
    /// Bytes that the compression function takes at once.
    fn block_length(self) -> usize {
        match self {
            Hash::Sha1 | Hash::Sha256 => BLOCK / 2,
            Hash::Sha512 => BLOCK,
        }
    }

    pub(super) fn digest(self, data: &[u8]) -> Tag {
        let mut running = Running::new(self);
        running.update(data);
        running.finish()
    }
}

/// A digest of any of the hashes: up to 64 bytes, on the stack.
pub(super) struct Tag {
    bytes: [u8; 64],
    length: usize,
}

impl Tag {
    fn new(digest: &[u8]) -> Tag {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        Tag {
            bytes,
            length: digest.len(),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// `self ^= other`.
    pub(super) fn xor(&mut self, other: &Tag) {
        for (to, from) in self.bytes.iter_mut().zip(&other.bytes) {
            *to ^= *from;
        }
    }

    /// Overwrites the digest, when it was a key.
    pub(super) fn wipe(&mut self) {
        super::wipe(&mut self.bytes);
    }

    /// Whether the digest is `other`, in a time that does not tell where they differ.
    pub(super) fn is(&self, other: &[u8]) -> bool {
        let mine = self.as_bytes();
        let difference = mine.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
        mine.len() == other.len() && core::hint::black_box(difference) == 0
    }
}

/// A hash that has begun.
#[derive(Clone)]
enum Running {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Running {
    fn new(hash: Hash) -> Running {
        match hash {
            Hash::Sha1 => Running::Sha1(Sha1::new()),
            Hash::Sha256 => Running::Sha256(Sha256::new()),
            Hash::Sha512 => Running::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Running::Sha1(state) => state.update(data),
            Running::Sha256(state) => state.update(data),
            Running::Sha512(state) => state.update(data),
        }
    }

    fn finish(self) -> Tag {
        match self {
            Running::Sha1(state) => Tag::new(&state.finalize()),
            Running::Sha256(state) => Tag::new(&state.finalize()),
            Running::Sha512(state) => Tag::new(&state.finalize()),
        }
    }
}

/// HMAC with a key: both pads are hashed once, and each message starts from copies of those states.
pub(super) struct Mac {
    inner: Running,
    outer: Running,
}

impl Mac {
    pub(super) fn new(hash: Hash, key: &[u8]) -> Mac {
        let length = hash.block_length();
        let mut digest;
        let mut block = [0; BLOCK];
        let key = if key.len() > length {
            digest = hash.digest(key);
            digest.as_bytes()
        } else {
            digest = Tag::new(&[]);
            key
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        digest.wipe();
        let inner = Mac::pad(hash, &mut block, 0x36);
        // Taking the inner pad off and putting the outer one on is one step.
        let outer = Mac::pad(hash, &mut block, 0x36 ^ 0x5c);
        super::wipe(&mut block);
        Mac { inner, outer }
    }

    fn pad(hash: Hash, block: &mut [u8; BLOCK], pad: u8) -> Running {
        for byte in block.iter_mut() {
            *byte ^= pad;
        }
        let mut state = Running::new(hash);
        state.update(block.get(..hash.block_length()).unwrap_or_default());
        state
    }

    /// The tag of the message that `parts` make one after the other.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> Tag {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let mut outer = self.outer.clone();
        outer.update(inner.finish().as_bytes());
        outer.finish()
    }
}

/// RFC 5802 §2.2's `Hi(password, salt, iterations)`.
pub(super) fn stretch(hash: Hash, password: &[u8], salt: &[u8], iterations: u32) -> Tag {
    let mac = Mac::new(hash, password);
    let mut step = mac.sign(&[salt, &1u32.to_be_bytes()]);
    let mut key = Tag::new(step.as_bytes());
    for _ in 1..iterations {
        step = mac.sign(&[step.as_bytes()]);
        key.xor(&step);
    }
    step.wipe();
    key
}
