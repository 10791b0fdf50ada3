//! One native binary: dialogues in virtual time, per-XEP cases, properties.

// A test may panic, and reads files and its environment.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::disallowed_methods)]

mod bosh;
mod client;
mod dialogues;
mod fuzz;
mod handler;
mod jid;
mod mask;
mod raw_stream;
mod retry_schedule;
mod sasl;
mod simulation;
mod states;
mod support;
mod xep;
mod xml;
