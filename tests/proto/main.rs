//! One native binary: dialogues in virtual time, per-XEP cases, properties.

#![cfg(not(target_family = "wasm"))]

mod dialogues;
mod handler;
mod jid;
mod mask;
mod sasl;
mod simulation;
mod support;
mod xep;
mod xml;
