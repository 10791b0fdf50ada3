//! HMAC (RFC 2104) and PBKDF2 (RFC 8018 §5.2, one block: RFC 5802's `Hi`) over RustCrypto's SHA-1, SHA-256, SHA-512.
//!
//! The hash is a value and not a type parameter: one HMAC and one PBKDF2 loop serve all three, and so does the padding of
//! messages (FIPS 180-4 §5.1). What RustCrypto gives is the compression of a block. Its `digest`, `hmac` and `pbkdf2`
//! crates are compiled once per hash, which measured 2.5 KB more of gzipped wasm and no faster.
//! Left out: derived keys longer than one digest (SCRAM has none) and truncated tags.

use sha1::block_api::compress;
use sha2::block_api::{compress256, compress512};

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

    fn push(&mut self, word: &[u8]) {
        let end = self.length + word.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(word);
            self.length = end;
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

/// The words that a hash carries from block to block.
#[derive(Clone, Copy)]
enum Words {
    Sha1([u32; 5]),
    Sha256([u32; 8]),
    Sha512([u64; 8]),
}

/// FIPS 180-4 §5.3.5: the fractional parts of the roots of the first primes, to 64 bits. SHA-256 begins with their first 32.
const ROOTS: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// FIPS 180-4 §5.3.1.
const SHA_1: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// A hash that has begun.
#[derive(Clone)]
struct Running {
    words: Words,
    /// How long a block is.
    block_length: usize,
    /// A block that is not full yet, and how much of it is there.
    block: [u8; BLOCK],
    filled: usize,
    /// Bytes in all.
    length: u64,
}

impl Running {
    fn new(hash: Hash) -> Running {
        Running {
            words: match hash {
                Hash::Sha1 => Words::Sha1(SHA_1),
                Hash::Sha256 => Words::Sha256(ROOTS.map(|root| (root >> 32) as u32)),
                Hash::Sha512 => Words::Sha512(ROOTS),
            },
            block_length: hash.block_length(),
            block: [0; BLOCK],
            filled: 0,
            length: 0,
        }
    }

    fn update(&mut self, mut data: &[u8]) {
        self.length += data.len() as u64;
        while !data.is_empty() {
            let room = self.block_length.saturating_sub(self.filled);
            let (now, later) = data.split_at(room.min(data.len()));
            let end = self.filled + now.len();
            if let Some(place) = self.block.get_mut(self.filled..end) {
                place.copy_from_slice(now);
            }
            self.filled = end;
            if end >= self.block_length {
                self.compress();
            }
            data = later;
        }
    }

    /// Takes the block in and begins the next one with zeroes.
    fn compress(&mut self) {
        match (&mut self.words, self.block.first_chunk::<64>()) {
            (Words::Sha512(words), _) => compress512(words, core::slice::from_ref(&self.block)),
            (Words::Sha256(words), Some(half)) => compress256(words, core::slice::from_ref(half)),
            (Words::Sha1(words), Some(half)) => compress(words, core::slice::from_ref(half)),
            _ => {}
        }
        self.block = [0; BLOCK];
        self.filled = 0;
    }

    /// Pads what is there (FIPS 180-4 §5.1) and gives the digest.
    fn finish(mut self) -> Tag {
        let bits = (self.length * 8).to_be_bytes();
        self.update(&[0x80]);
        // Room for the length, of which the upper half is always zero.
        if self.filled + self.block_length / 8 > self.block_length {
            self.compress();
        }
        if let Some(end) = self.block.get_mut(self.block_length - 8..self.block_length) {
            end.copy_from_slice(&bits);
        }
        self.compress();
        let mut digest = Tag::new(&[]);
        match &self.words {
            Words::Sha1(words) => words
                .iter()
                .for_each(|word| digest.push(&word.to_be_bytes())),
            Words::Sha256(words) => words
                .iter()
                .for_each(|word| digest.push(&word.to_be_bytes())),
            Words::Sha512(words) => words
                .iter()
                .for_each(|word| digest.push(&word.to_be_bytes())),
        }
        digest
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
