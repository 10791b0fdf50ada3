//! Randomness as an argument: the shell lends its generator.

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
