//! Chance, from a seed.

use crate::support::random::Seeded;

/// One stream of it; others with the same seed and another purpose are independent.
pub struct Dice(Seeded);

impl Dice {
    pub fn new(seed: u64, purpose: &str) -> Self {
        let salt = purpose
            .bytes()
            .fold(0, |salt: u64, byte| salt.rotate_left(7) ^ u64::from(byte));
        let mut mixer = Seeded(seed ^ salt.rotate_left(32));
        Self(Seeded(mixer.next()))
    }

    /// From zero up to, and without, `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next() % bound.max(1)
    }

    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}
