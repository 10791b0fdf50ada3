//! What the tests share: a seeded generator, Unicode by crates, the examples of the XEPs as data.

// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod addresses;
pub mod by_hand;
pub mod channel;
pub mod counting;
pub mod dialogue;
pub mod random;
pub mod scram;
pub mod script;
pub mod shell;
pub mod tell;
pub mod unicode;
pub mod wire;
