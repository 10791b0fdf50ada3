//! XEP-0124 1.11.2 §15: key sequences, by which a manager distinguishes our requests from those of an eavesdropper.
//!
//! Each key is the preimage of the one before. Only the seed is kept: a key is computed when it is due. All sequences
//! are derived from one secret seed and their number. The length of each sequence depends on its own first key, which
//! stays secret until the sequence ends.

use super::BodyWriter;
use crate::sasl::sha1;

/// The smallest number of keys in a sequence; the largest is twice as many.
const FEWEST: u64 = 64;

/// The position in the sequences.
pub(super) struct Keys {
    pub(super) seed: String,
    /// The number of the sequence, from 1; 0 before the first.
    pub(super) sequence: u64,
    /// The number of keys of the sequence that were not sent yet.
    pub(super) left: u64,
}

impl Keys {
    /// Creates the keys; none was sent yet. `seed` is secret and random.
    pub(super) fn new(seed: String) -> Self {
        Self {
            seed,
            sequence: 0,
            left: 0,
        }
    }

    /// Writes the keys of the next request: the next key, and with the last one of a sequence the first key of another
    /// sequence.
    pub(super) fn show(&mut self, body: &mut BodyWriter) {
        if self.left > 0 {
            body.attribute("key", &self.key(self.left));
            self.left -= 1;
        }
        if self.left == 0 {
            self.sequence += 1;
            let length = FEWEST + u64::from(digest(self.first().as_bytes()).1) % FEWEST;
            body.attribute("newkey", &self.key(length));
            self.left = length - 1;
        }
    }

    fn first(&self) -> String {
        format!("{}-{}", self.seed, self.sequence)
    }

    /// §15.3's `K(number)` of the current sequence.
    fn key(&self, number: u64) -> String {
        let mut key = self.first();
        for _ in 0..number {
            key = digest(key.as_bytes()).0;
        }
        key
    }
}

/// SHA-1 in hexadecimal, and its first byte.
fn digest(data: &[u8]) -> (String, u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = sha1(data);
    let mut text = String::with_capacity(40);
    for byte in &digest {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    (text, digest.first().copied().unwrap_or(0))
}
