//! Randomness as an argument: the shell lends its generator.

use super::digits::push_number;

/// A cryptographically secure generator, lent by the shell (in a page: `crypto.getRandomValues`).
///
/// rids, ids and nonces come from here; tests lend a seeded one.
pub trait Random {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// A number of 53 bits at most, so that JavaScript and every XMPP server can hold it exactly.
pub fn below_2_53(random: &mut dyn Random) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) >> 11
}

/// `length` characters of `[0-9a-z]`-like alphabet, 5 bits of entropy each, for ids and nonces.
pub fn token(random: &mut dyn Random, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect()
}

/// Makes ids for stanzas: unpredictable as a whole, cheap one by one.
pub struct Ids {
    prefix: String,
    counter: u32,
}

impl Ids {
    /// A new series.
    pub fn new(random: &mut dyn Random) -> Self {
        Self {
            prefix: token(random, 10),
            counter: 0,
        }
    }

    /// The next id.
    pub fn next_id(&mut self) -> String {
        self.counter = self.counter.wrapping_add(1);
        let mut id = self.prefix.clone();
        push_number(&mut id, self.counter.into());
        id
    }
}
