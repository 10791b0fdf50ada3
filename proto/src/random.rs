//! Randomness as an argument: the shell lends its generator.

use super::sasl::sha256;

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
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes.iter().map(|byte| character(*byte)).collect()
}

/// Five bits of a byte as a character that no protocol gives a meaning.
fn character(byte: u8) -> char {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    char::from(ALPHABET[usize::from(byte & 31)])
}

/// Makes ids for stanzas: none can be guessed from the others, and none needs the generator.
///
/// Each is a hash of a secret and a counter. A stanza's id is known to whoever the stanza went to, so that a counter behind a
/// common beginning would tell the ids of the requests that follow.
pub struct Ids {
    secret: [u8; 32],
    counter: u32,
}

impl Ids {
    /// A new series.
    pub fn new(random: &mut dyn Random) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Self { secret, counter: 0 }
    }

    /// The next id: 16 characters, 80 bits.
    pub fn next_id(&mut self) -> String {
        self.counter = self.counter.wrapping_add(1);
        let mut block = self.secret.to_vec();
        block.extend_from_slice(&self.counter.to_le_bytes());
        let hash = sha256(&block);
        hash.iter().take(16).map(|byte| character(*byte)).collect()
    }
}
