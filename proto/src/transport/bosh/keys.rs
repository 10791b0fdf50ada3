//! XEP-0124 1.11.2 §15: key sequences, by which a manager tells our requests from those of somebody who only listens.
//!
//! Each key is the preimage of the one before. Nothing but the seed is kept: a key is counted up to when it is due. All
//! sequences come from one secret seed with their number behind it, and each is as long as its own first key says, which
//! nobody knows before it is over.

use super::BodyWriter;
use crate::sasl::sha1;

/// The fewest keys of a sequence; up to twice as many.
const FEWEST: u64 = 64;

/// Where we are in the sequences.
pub(super) struct Keys {
    pub(super) seed: String,
    /// Which sequence, from 1 on; none yet is 0.
    pub(super) sequence: u64,
    /// How many of its keys were not shown yet.
    pub(super) left: u64,
}

impl Keys {
    /// No key has been shown yet. `seed` is secret and random.
    pub(super) fn new(seed: String) -> Self {
        Self {
            seed,
            sequence: 0,
            left: 0,
        }
    }

    /// Writes what the next request shows: the next key, and with the last one of a sequence the first of another.
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
