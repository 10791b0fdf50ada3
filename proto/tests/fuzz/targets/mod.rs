//! What is fuzzed: each target is a function of bytes that panics where something is wrong.
//!
//! Two programs hold them: the native tests run each over its kept inputs, `fuzz/` (cargo-fuzz) looks for new ones.

mod bosh;
mod connection;
mod frame;
mod jid;
mod xml;

pub use bosh::bosh;
pub use connection::connection;
pub use frame::frame;
pub use jid::jid;
pub use xml::xml;
