//! What the tests share: a seeded generator, Unicode by crates, the examples of the XEPs as data.

pub mod unicode;
