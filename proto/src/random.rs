//! Randomness as an argument: the shell provides the generator.

use super::sasl::sha256;

/// A cryptographically secure generator, provided by the shell (in a page: `crypto.getRandomValues`).
///
/// The source of rids, ids and nonces; tests provide a seeded generator.
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

/// Five bits of a byte as a character that has no special meaning in any protocol.
fn character(byte: u8) -> char {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    char::from(ALPHABET[usize::from(byte & 31)])
}

/// Creates stanza ids that cannot be guessed from each other, without calling the generator.
///
/// Each id is a hash of a secret and a counter. The addressee of a stanza knows its id, so a common prefix with a
/// counter would reveal the ids of the following requests.
pub struct Ids {
    secret: [u8; 32],
    counter: u32,
}

impl Ids {
    /// Starts a new series.
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
