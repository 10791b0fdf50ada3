//! One native binary: dialogues in virtual time, per-XEP cases, properties.

#![cfg(not(target_family = "wasm"))]
// A test may stop at what should not be.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bosh;
mod dialogues;
mod fuzz;
mod handler;
mod jid;
mod mask;
mod sasl;
mod simulation;
mod support;
mod xep;
mod xml;
